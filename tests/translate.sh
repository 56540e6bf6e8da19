#!/usr/bin/env bash
# --translate and --primary: images of v1 hierarchies, made by hand, on a host that has hugetlb in v2 and net_cls nowhere. Other
# controllers, and the way back, are tried in VMs: tests/vm/guest/across.sh.
#
#   CGRAFT=FILE   the program under test
# shellcheck source-path=SCRIPTDIR
# shellcheck disable=SC2154 # checks.sh sets group, status, pid and work
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
. "$tests/guests.sh"
start translate

# may WHY COMMAND...: the end if this host is another one.
may() {
	local why=$1
	shift
	"$@" >/dev/null 2>&1 || { skip "translate: $why"; exit 0; }
}

lacks() {
	! hierarchy "$1"
}

# Where this host hands down no hugetlb, the root's files are not written: all of it is done in a virtual machine.
elsewhere() {
	local file
	chroot_for translate || return
	{
		echo '# On the chroot of scripts/peers.'
		echo 'PATH=/usr/sbin:/usr/bin:/sbin:/bin; . /vm/lib.sh; ln -s /proc/self/fd /dev/fd'
		for file in checks.sh guests.sh handmade.py translate.sh; do embed "$tests/$file" tests/$file; done
		echo 'CGRAFT=/usr/bin/cgraft bash /run/tests/translate.sh; finish'
	} >"$work/guest.sh"
	in_vm translate "$work/guest.sh"
	! grep -aq '^cgraft-vm: init' "$work/vm" || check "all of it ran in the virtual machine" [ "$(grep -ac '^ok - ' "$work/vm")" -gt 30 ]
}

v2=$(hierarchy unified)
may "there is no v2 here" [ -n "$v2" ]
grep -qw hugetlb "$v2/cgroup.subtree_control" || { elsewhere; exit; }
may "net_cls is one of v1 here" lacks net_cls
may "no huge pages of 2 MiB" [ -d /sys/kernel/mm/hugepages/hugepages-2048kB ]

# v1 FILE [SETS]: hugetlb and net_cls of v1, each with the test's group and a, in hugetlb also b with a limit; and these sets.
v1() {
	handmade "$1" "${2:-b''}
		+ hierarchy(group(b'$group', group(b'a', group(b'b', prop(b'hugetlb.2MB.limit_in_bytes', b'4194304')))), [b'hugetlb'])
		+ hierarchy(group(b'$group', group(b'a', prop(b'net_cls.classid', b'7')) + group(b'c')), [b'net_cls'])"
}

# set ID HUGETLB NET_CLS: a Python expression of a set in these groups below the test's.
set_in() {
	echo "a_set($1, member(b'hugetlb', b'/$group$2') + member(b'net_cls', b'/$group$3'))"
}

there() {
	[ "$(cat "$v2/$group/a/b/hugetlb.2MB.max")" = 4194304 ] && [ -d "$v2/$group/c" ]
}

v1 plain.img
refuses "without --translate" 4 "hierarchy hugetlb" "no such hierarchy" "--translate" -- restore -i plain.img
refuses "--translate off" 4 "hierarchy hugetlb" -- restore --translate off -i plain.img
for how in on auto,fast auto,off off,auto ''; do
	refuses "--translate '$how'" 2 "--translate $how" "no such choice" -- restore --translate="$how" -i plain.img
done
refuses "--primary of another hierarchy" 2 "--primary memory" "no hierarchy that is translated" -- restore --translate --primary memory -i plain.img
refuses "--primary without a translation" 2 "--primary" -- restore --primary hugetlb -i plain.img
refuses "dump --translate" 2 "dump --translate" -- dump --all --translate auto -i x.img
cgraft restore --translate -i plain.img
check "a value of v1 is one of v2, a loss is told and counted" [ "$status" = 6 ]
check "the limit is there" there
check "the loss is named" grep -Fq "cgraft: lost: net_cls.classid of group /$group/a, 7: " "$work/err"
check "and counted" grep -q 'groups created 4, .* skipped 1,' "$work/err"
succeeds "verify --translate" verify --translate -i plain.img
cgraft restore --translate auto -i plain.img
check "a second time nothing is done" grep -q 'groups created 0, found 4, values written 0' "$work/err"
echo 2097152 >"$v2/$group/a/b/hugetlb.2MB.max"
cgraft verify --translate -i plain.img
check "verify sees a change" [ "$status" = 6 ]
cgraft restore --translate -i plain.img
check "which a restore puts right" there
remove_groups

handmade size.img "hierarchy(group(b'$group/a', prop(b'hugetlb.32KB.max', b'max')), [b''])"
succeeds "a size of huge pages that this host does not have, without a limit, is no matter" restore -i size.img
remove_groups

# A user in a subtree that was given to him.
user=65534
mkdir "$v2/$group"
echo +hugetlb >"$v2/$group/cgroup.subtree_control"
chown $user:$user "$v2/$group"{,/cgroup.procs,/cgroup.threads,/cgroup.subtree_control}
handmade users.img "hierarchy(group(b'$group', group(b'a', group(b'b', prop(b'hugetlb.2MB.limit_in_bytes', b'4194304', uid=$user), uid=$user), uid=$user), uid=$user), [b'hugetlb'])"
chmod 644 users.img
wrap=(setpriv "--reuid=$user" "--regid=$user" --clear-groups)
succeeds "a user's restore --translate" restore --translate -i users.img
check "his limit" [ "$(cat "$v2/$group/a/b/hugetlb.2MB.max"):$(stat -c %u "$v2/$group/a/b/hugetlb.2MB.max")" = 4194304:$user ]
wrap=()
remove_groups

v1 apart.img "$(set_in 3 /a/b /c)"
# More than one line: the sets are listed first.
aside=1d
refuses "tasks in different groups" 4 "sets of tasks: 1" "--primary CTRL" -- restore --translate -i apart.img
aside=
cgraft restore --translate -i apart.img
check "they are listed" grep -Fq "cgraft: set 3, tasks: hugetlb:/$group/a/b net_cls:/$group/c" "$work/err"
for primary in hugetlb:/a/b net_cls:/c; do
	keep "$v2" .
	cgraft restore --translate --primary "${primary%:*}" --phase create -i apart.img
	cgraft attach -t "$pid" --translate --primary "${primary%:*}" -i apart.img
	check "--primary ${primary%:*}" grep -Fxq "0::/$group${primary#*:}" "/proc/$pid/cgroup"
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
done
cgraft exec --translate --primary net_cls -i apart.img -- cat /proc/self/cgroup
check "exec --translate" grep -Fxq "0::/$group/c" "$work/out"
remove_groups

v1 inner.img "$(set_in 3 /a /a)"
aside='/^cgraft: lost/d;/^cgraft: group \//d'
refuses "tasks in a group that hands down" 4 "groups with tasks: 1" -- restore --translate -i inner.img
aside=
cgraft restore --translate -i inner.img
check "it is named" grep -Fq "cgraft: group /$group/a: set 3, tasks, and below it limits of hugetlb" "$work/err"

v1 above.img "$(set_in 3 /a/b /a)"
cgraft exec --translate -i above.img -- true
check "a group above another one says nothing more: it is only not there" grep -q "group /$group/a/b of unified: there is no such group" "$work/err"

# Many groups, and as many levels as there may be, with a stack of 64 KiB; what one hierarchy has and another has not is found in time.
handmade wide.img "hierarchy(group(b'$group', b''.join(group(b'g%d' % at, prop(b'hugetlb.2MB.limit_in_bytes', b'4194304')) for at in range(8000))), [b'hugetlb'])
	+ hierarchy(group(b'$group', b''.join(group(b'h%d' % at) for at in range(8000))), [b'net_cls'])"
handmade deep.img "hierarchy(group(b'$group', nested(511)), [b'hugetlb']) + hierarchy(group(b'$group', nested(511)), [b'net_cls'])"
wrap=(bash -c 'ulimit -s 64; exec "$@"' wrap)
for image in wide deep; do
	SECONDS=0
	cgraft restore --translate --manage-cgroups=none -i $image.img
	check "$image: exit 4 in $SECONDS s" [ "$status $((SECONDS > 20))" = "4 0" ]
	check "$image: the groups are not there" grep -q "group /$group of unified: the group is not there" "$work/err"
done
