#!/usr/bin/env bash
# Hierarchies wherever they are: mounted elsewhere, twice, as a bind mount of a subtree, read-only, hidden by another mount, in another
# mount namespace only, or nowhere; and in a yard. Namespaces are the test's own; the mounts of the host must be the same before and
# after each call. Last line: "N passed, N failed, N skipped".
#
#   CGRAFT=FILE   the program; else target/cgraft
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

# One small tree in a v1 hierarchy and one in v2, and the image of each.
prepare() {
	cpu=$(hierarchy cpu) && [ "$(hierarchy cpuacct)" != "$cpu" ] || cpu=
	unified=$(hierarchy unified) || unified=
	[ -n "$cpu" ] && [ -n "$unified" ] || { skip "no v1 hierarchy cpu alone, or no v2"; exit 0; }
	grow
	"$CGRAFT" dump --cgroup "cpu:/$group" -i "$work/v1.img" || not_ok "dump of v1"
	"$CGRAFT" dump --cgroup "unified:/$group" -i "$work/v2.img" || not_ok "dump of v2"
	chmod 644 "$work"/*.img
	values "$work/values"
}

grow() {
	mkdir -p "$cpu/$group/a/b" "$unified/$group/home/sub/deep"
	echo 300 >"$cpu/$group/a/cpu.shares"
	chown 100:101 "$cpu/$group/a/b"
	echo 7 >"$unified/$group/home/sub/cgroup.max.depth"
}

values() {
	for mount in "$cpu" "$unified"; do
		sh "$tests/vm/snapshot.sh" tree "$mount" "/$group" | sed "s|^|$mount|"
	done >"$1"
}

# from WHERE SCRIPT [WORD...]: dumps, restores and verifies both trees from a mount namespace that SCRIPT prepares. WORD: `pids` for
# a pid namespace too, so that no process shows the mounts of the host; `strace` for a kernel without the new mount calls.
from() {
	local where=$1 prepare=$2 mode=$3
	# shellcheck disable=SC2016 # the inner shell expands them
	wrap=(unshare --mount --propagation private)
	case $mode in *pids*) wrap+=(--pid --fork --mount-proc) ;; esac
	wrap+=(bash -c 'set -e; eval "$1"; shift; exec "$@"' wrap "$prepare")
	case $mode in *strace*) wrap+=(strace -f -o "$work/trace" -e inject=fsopen:error=ENOSYS -e "trace=fsopen,mount,setns") ;; esac
	grep cgroup /proc/self/mountinfo >"$work/mounts.before"
	dumps_and_restores "$where" cpu v1.img "$cpu"
	[[ $mode == *no-v2* ]] || dumps_and_restores "$where" unified v2.img "$unified"
	wrap=()
	grep cgroup /proc/self/mountinfo >"$work/mounts.after"
	check "$where: the mounts of the host are the same" cmp -s "$work/mounts.before" "$work/mounts.after"
	values "$work/values.after"
	check "$where: the same values" cmp -s "$work/values" "$work/values.after"
}

dumps_and_restores() {
	succeeds "$1: dump of $2" dump --cgroup "$2:/$group" -i "$work/again.img"
	"$CGRAFT" show --all "$work/again.img" | tail -n +3 >"$work/shown.again"
	"$CGRAFT" show --all "$work/$3" | tail -n +3 >"$work/shown"
	check "$1: the same image of $2" cmp -s "$work/shown" "$work/shown.again"
	find "$4/$group" -depth -type d -exec rmdir {} +
	succeeds "$1: restore of $2" restore -i "$work/$3"
	succeeds "$1: verify of $2" verify -i "$work/$3"
}

everywhere() {
	local off='umount -R -l /sys/fs/cgroup'
	from "in the mount namespace of process 1 only" "$off" -
	from "mounted nowhere" "$off" pids,no-v2
	from "mounted nowhere, and no new mount calls" "$off" pids,no-v2,strace
	check "strace saw a mount in a namespace of its own" grep -q '^[0-9]* *mount("cgroup", "/proc", "cgroup"' "$work/trace"
	from "hidden by another mount" 'mount -t tmpfs none /sys/fs/cgroup' pids
	from "without /sys" 'mount -t tmpfs none /sys' -
	from "mounted elsewhere" "mkdir -p $work/at/one $work/at/two; mount --bind $cpu $work/at/one; mount --bind $unified $work/at/two; $off" -
	from "mounted twice" "mkdir -p $work/at/one; mount --bind $cpu $work/at/one; mount --bind $unified $cpu" -
}

# A subtree that is mounted alone cannot be removed and made again from inside; its inner groups can.
subtree() {
	wrap=(unshare --mount --propagation private --pid --fork --mount-proc bash -c 'set -e; eval "$1"; shift; exec "$@"' wrap
		"mkdir -p $work/at/one; mount --bind $cpu/$group $work/at/one; umount -R -l /sys/fs/cgroup")
	succeeds "a subtree as a bind mount: dump" dump --cgroup "cpu:/$group/a" -i "$work/again.img"
	rmdir "$cpu/$group/a/b"
	succeeds "a subtree as a bind mount: restore" restore -i "$work/again.img"
	wrap=()
	check "a subtree as a bind mount: the group is back" [ -d "$cpu/$group/a/b" ]
}

# v2 is mounted nowhere, and what its options are cannot be known: only the part from one's own group down is safe to reach.
from_ones_own_group() {
	# shellcheck disable=SC2016 # the inner shell expands them
	wrap=(unshare --mount --propagation private --pid --fork --mount-proc bash -c
		'echo 0 >"$1/cgroup.procs"; umount -R -l /sys/fs/cgroup; shift; exec "$@"' wrap "$unified/$group/home")
	succeeds "v2 from one's own group: dump" dump --cgroup "unified:/$group/home/sub" -i "$work/again.img"
	rmdir "$unified/$group/home/sub/deep"
	succeeds "v2 from one's own group: restore" restore -i "$work/again.img"
	check "v2 from one's own group: the group is back" [ -d "$unified/$group/home/sub/deep" ]
	refuses "v2 from one's own group: outside of it" 4 "outside of what is mounted" -- dump --cgroup "unified:/$group" -i "$work/again.img"
	wrap=()
}

# Whoever may not mount gets a line that says so.
without_rights() {
	wrap=(unshare --mount --propagation private --pid --fork --mount-proc bash -c 'umount -R -l /sys/fs/cgroup; exec "$@"' wrap
		setpriv --reuid=65534 --clear-groups)
	refuses "not mounted and no right to mount: dump" 4 "not mounted" -- dump --cgroup "cpu:/$group" -i "$work/area/again.img"
	refuses "not mounted and no right to mount: restore" 4 "not mounted" -- restore -i "$work/v1.img"
	wrap=()
}

read_only() {
	privately "mount -o remount,bind,ro $cpu"
	succeeds "read-only: dump" dump --cgroup "cpu:/$group" -i "$work/again.img"
	refuses "read-only: restore" 4 "read-only" -- restore -i "$work/v1.img"
	wrap=()
}

# A folder with the hierarchies that are to be used, as CRIU has it: by mounts or by links, whatever else is there.
yards() {
	mkdir -p "$work/yard" "$work/empty"
	privately "mkdir -p $work/yard/cpu $work/yard/other; mount --bind $cpu $work/yard/cpu; ln -sfn $unified $work/yard/unified; touch $work/yard/file"
	succeeds "yard: dump" dump --cgroup "cpu:/$group" --cgroup "unified:/$group" --cgroup-yard "$work/yard" -i "$work/again.img"
	"$CGRAFT" decode "$work/again.img" >"$work/decoded"
	check "yard: both hierarchies" [ "$(grep -o '"cnames": \[[^]]*\]' "$work/decoded" | sort | tr '\n' ' ')" = '"cnames": [""] "cnames": ["cpu"] ' ]
	find "$cpu/$group" -depth -type d -exec rmdir {} +
	succeeds "yard: restore" restore --cgroup-yard="$work/yard" -i "$work/v1.img"
	succeeds "yard: verify" verify --cgroup-yard "$work/yard" -i "$work/v1.img"
	refuses "yard: a hierarchy that is not in it" 4 "not mounted" -- dump --cgroup "pids:/" --cgroup-yard "$work/yard" -i "$work/again.img"
	wrap=()
	refuses "yard: empty" 4 "no mounted hierarchy" -- dump --cgroup "cpu:/$group" --cgroup-yard "$work/empty" -i "$work/again.img"
	refuses "yard: no folder" 1 "no such file" -- restore --cgroup-yard "$work/none" -i "$work/v1.img"
	refuses "yard: of another command" 2 "does not have this" -- show --cgroup-yard "$work/yard" -i "$work/v1.img"
}

# A named hierarchy that this host does not have: a restore makes it, and it is gone with its last group. A failed one leaves nothing.
brings() {
	local name=cgraft-$$
	handmade "$work/img" "hierarchy(group(b'$group/a', prop(b'notify_on_release', b'1')), [b'name=$name'])"
	handmade "$work/bad" "hierarchy(group(b'$group/a', prop(b'cpu.shares', b'0x')), [b'cpu']) + hierarchy(group(b'$group/a'), [b'name=$name'])"
	refuses "modes that make nothing make no hierarchy" 4 "no such hierarchy" -- restore --manage-cgroups=props -i "$work/img"
	cgraft restore -i "$work/bad"
	check "a failed restore: exit 1" [ "$status" = 1 ]
	check "a failed restore: the hierarchy is not there" sh -c "! grep -q :name=$name: /proc/self/cgroup"
	cgraft restore -i "$work/img"
	check "a hierarchy that is nowhere: exit 0" [ "$status" = 0 ]
	check "a hierarchy that is nowhere: it is said" grep -q "hierarchy name=$name: this host had none" "$work/err"
	check "a hierarchy that is nowhere: it is there" grep -q ":name=$name:/" /proc/self/cgroup
	succeeds "a hierarchy that is nowhere: verify" verify -i "$work/img"
	# Its mount is seen in this namespace only, so that it cannot be held by another one. The kernel forgets groups after a moment.
	unshare --mount --propagation private sh -c 'mkdir -p "$1" && mount -t cgroup -o "none,name=$2" none "$1" && cat "$1/$3/a/notify_on_release"
		echo 0 >"$1/$3/a/notify_on_release"; rmdir "$1/$3/a" "$1/$3"; sleep 0.5' sh "$work/named" "$name" "$group" >"$work/value"
	check "a hierarchy that is nowhere: its groups" [ "$(cat "$work/value")" = 1 ]
	sleep 0.5
	check "a hierarchy that is nowhere: it is gone again" sh -c "! grep -q :name=$name: /proc/self/cgroup"
}

start mounts
prepare
everywhere
subtree
from_ones_own_group
without_rights
read_only
yards
brings
