# Controllers that are mounted together on one host and apart on the other: dumped in one layout, restored in another and back. The
# hierarchies are taken down and mounted anew in between; values are compared file by file, wherever their hierarchy is.
. /vm/lib.sh
image=/run/img
group=cgraft-t

# Which controllers are mounted together, in this layout and in the other one: some fall apart, some come together.
first='cpu,cpuacct net_cls,net_prio devices pids'
second='cpu cpuacct net_cls devices,net_prio,pids'

mount_of() {
	awk -v word="$1" '{ for (i = 7; $i != "-"; i++); count = split($(i + 3), options, ",")
		for (j = 1; j <= count; j++) if ($(i + 1) == "cgroup" && options[j] == word) { print $5; exit } }' /proc/self/mountinfo
}

# remount SETS: these and no others have their controllers. The kernel keeps a hierarchy whose groups it has not forgotten yet.
remount() {
	sleep 0.5
	for word in cpu cpuacct net_cls net_prio devices pids; do
		[ -z "$(mount_of $word)" ] || umount "$(mount_of $word)"
	done
	for set in $1; do
		mkdir -p "/run/at/$set"
		for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
			mount -t cgroup -o "$set" cgroup "/run/at/$set" 2>/dev/null && break
			sleep 0.1
		done
		[ -n "$(mount_of "${set##*,}")" ] || not_ok "cannot mount $set"
	done
}

# put GROUP FILE VALUE
put() {
	echo "$3" >"$(mount_of "${2%%.*}")/$group/$1/$2"
}

build() {
	mkdir -p "$(mount_of devices)/$group/a"
	put a devices.deny a
	put a devices.allow "c 1:3 rwm"
	for word in cpu net_cls devices pids; do
		mkdir -p "$(mount_of $word)/$group/a/b" "$(mount_of $word)/$group/c"
	done
	put a cpu.shares 300
	put a/b cpu.shares 200
	put a net_cls.classid 7
	put c net_prio.ifpriomap "lo 3"
	put a/b pids.max 50
	put c pids.max 60
	for word in cpu net_cls devices pids; do
		chown 100:101 "$(mount_of $word)/$group/c"
	done
	sleep 100000 &
	pid=$!
	for word in cpu net_cls devices pids; do
		echo $pid >"$(mount_of $word)/$group/a/b/cgroup.procs"
	done
}

destroy() {
	for mount in $(hierarchies 1); do
		[ -d "$mount/$group" ] || continue
		for from in $(find "$mount/$group" -name cgroup.procs); do
			while read -r task; do
				echo "$task" >"$mount/cgroup.procs"
			done <"$from"
		done
		find "$mount/$group" -depth -type d -exec rmdir {} \;
	done
}

# Every file's value and owner and the task's groups, without a word about the mount.
values() {
	for word in cpu cpuacct net_cls net_prio devices pids; do
		sh /vm/snapshot.sh tree "$(mount_of $word)" /$group
	done | sort -u >"$1"
	awk -F : '{ n = split($2, names, ","); for (i = 1; i <= n; i++) if (names[i] ~ /^(cpu|cpuacct|net_cls|net_prio|devices|pids)$/) print names[i], $3 }' \
		"/proc/$pid/cgroup" | sort >>"$1"
}

# From one layout to the other and back.
both_ways() {
	test="co-mounts"
	remount "$first"
	build
	values /run/before
	succeeds "dump where they are together" dump --cgroup /$group -i $image
	destroy
	remount "$second"
	succeeds "restore where they are apart, or with others" restore -i $image
	values /run/after
	same "the same values, owners and memberships" /run/before /run/after
	succeeds "verify" verify -i $image
	succeeds "restore again" restore -i $image
	summary "groups created" 0 "values written" 0 skipped 0
	succeeds "restore again, without values for what is there" restore --manage-cgroups=soft -i $image
	succeeds "dump there" dump --cgroup /$group -i $image.second
	destroy
	succeeds "restore in mode soft" restore --manage-cgroups=soft -i $image.second
	values /run/after
	same "mode soft: new groups have their values, whichever hierarchy made them" /run/before /run/after
	destroy
	remount "$first"
	succeeds "restore where they are together again" restore --manage-cgroups=strict -i $image.second
	values /run/after
	same "the same values, owners and memberships again" /run/before /run/after
	destroy
}

# Two hierarchies of the image are one here, and their trees differ: the group has what is saved of either.
other_trees() {
	test="co-mounts, other trees"
	remount "$first"
	pids=$(mount_of pids)
	mkdir -p "$pids/$group/a/only" "$(mount_of devices)/$group/z/a"
	put a/only pids.max 77
	put z/a devices.deny "c 1:7 w"
	succeeds "dump" dump --cgroup /$group -i $image
	destroy
	remount "$second"
	succeeds "restore" restore --manage-cgroups=soft -i $image
	[ "$(cat "$(mount_of pids)/$group/a/only/pids.max")" = 77 ] && ok "a limit" || not_ok "no limit"
	[ -d "$(mount_of devices)/$group/z/a" ] && ok "the other tree" || not_ok "no other tree"
	succeeds "verify" verify -i $image
	destroy
}

# A task that would have to be in two groups of one hierarchy: nothing is made.
two_places() {
	test="co-mounts, two places"
	remount "$first"
	build
	echo $pid >"$(mount_of devices)/$group/c/cgroup.procs"
	succeeds "dump" dump -t $pid -i $image
	destroy
	remount "$second"
	cgraft restore -i $image
	if [ $status = 4 ] && grep -q "devices:/$group/c and net_cls,net_prio:/$group/a/b in hierarchy devices,net_prio,pids" /run/err; then ok "refused"; else not_ok "exit $status"; cat /run/err; fi
	[ -z "$(find /run/at -name $group)" ] && ok "nothing is made" || not_ok "something is made"
	succeeds "without the tasks it can be done" restore --phase create,limit,freeze -i $image
	destroy
}

# A controller that is nowhere here: no loss while nothing is set, else an error or a count.
one_is_missing() {
	test="co-mounts, one is missing"
	remount "$first"
	build
	succeeds "dump" dump --cgroup /$group -i $image
	destroy
	remount "cpu net_cls devices pids"
	cgraft restore -i $image
	if [ $status = 4 ] && grep -q "controller net_prio .*net_prio.ifpriomap of group" /run/err; then ok "refused: net_prio has a value"; else not_ok "exit $status"; cat /run/err; fi
	[ -z "$(find /run/at -name $group)" ] && ok "nothing is made" || not_ok "something is made"
	cgraft restore --skip-missing -i $image
	if [ $status = 6 ] && grep -q "skipped 1\>" /run/err; then ok "counted under --skip-missing"; else not_ok "exit $status"; cat /run/err; fi
	destroy
	remount "cpu net_cls,net_prio devices pids"
	succeeds "cpuacct has no values: no loss" restore -i $image
	destroy
}

if [ -z "$(mount_of cpu)" ] || [ "$(mount_of cpu)" != "$(mount_of cpuacct)" ]; then
	test="co-mounts"
	echo "# $test: this layout has none"
	exit 0
fi
both_ways
kill $pid; wait 2>/dev/null
other_trees
two_places
kill $pid; wait 2>/dev/null
one_is_missing
kill $pid; wait 2>/dev/null
finish
