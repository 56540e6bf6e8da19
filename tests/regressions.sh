#!/usr/bin/env bash
# What went wrong in other programs must not go wrong here: one function for each issue, named after its tracker and number.
# docs/field-notes-tests.md lists them all, with those that need a VM. Last line: "N passed, N failed, N skipped".
# shellcheck source-path=SCRIPTDIR
# shellcheck disable=SC2154,SC2206 # need sets at_CONTROLLER; lists of pids are split
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

# need WORD...: mount points of these v1 controllers, of name=NAME or "unified", in variables of the same names; or a skip.
need() {
	local word point
	for word; do
		point=$(hierarchy "$word") || { skip "$test: this host has no hierarchy $word"; return 1; }
		printf -v "at_${word//[!a-z]/_}" %s "$point"
	done
}

make() {
	mkdir -p "$1/$group/$2"
	fill_cpuset "$1/$group/$2"
}

# A v1 cpuset group takes no task before it has CPUs; ancestors first.
fill_cpuset() {
	[ -e "$1/cpuset.cpu_exclusive" ] || return 0
	[ -n "$(cat "$1/cpuset.cpus")" ] || {
		fill_cpuset "${1%/*}"
		cat "${1%/*}/cpuset.cpus" >"$1/cpuset.cpus"
		cat "${1%/*}/cpuset.mems" >"$1/cpuset.mems"
	}
}

# Moves every task of the test out, and removes its groups.
destroy() {
	local mount task
	for mount in "${mounts[@]}"; do
		for task in $(cat "$mount/$group"/cgroup.procs 2>/dev/null; find "$mount/$group" -mindepth 1 -name cgroup.procs -exec cat {} + 2>/dev/null); do
			echo "$task" >"$mount/cgroup.procs" 2>/dev/null
		done
		[ ! -d "$mount/$group" ] || find "$mount/$group" -depth -type d -exec rmdir {} + 2>/dev/null
	done
}

group_of() {
	awk -F: -v word="$2" '{ count = split($2, names, ","); for (i = 1; i <= count; i++) if (names[i] == word) print $3 } $2 == "" && word == "unified" { print $3 }' "/proc/$1/cgroup"
}

says() {
	grep -q -- "$1" "$work/err"
}

value() {
	cat "$1/$group/$2"
}

# A call's system calls that would change the host, but for its words.
changes_of() {
	strace -f -qq -o "$work/calls" -e "trace=mkdir,mkdirat,rmdir,unlinkat,fchown,fchownat,fchmod,fchmodat,fsetxattr,fremovexattr,mount,umount2,fsopen,move_mount,open_tree,openat,openat2,open,write" \
		"$CGRAFT" "$@" >"$work/out" 2>"$work/err"
	status=$?
	grep -vE 'O_RDONLY|O_PATH|write\([12], |\+\+\+|---' "$work/calls" >"$work/changes"
}

# --- field notes, section 2 ---

# 1: a dump mounted cgroup2 anew and so reset the options of the whole host.
criu_3029_mount_options_stay() {
	make "${mounts[0]}" a
	grep cgroup /proc/self/mountinfo >"$work/before"
	changes_of dump --cgroup "/$group" -i "$work/img"
	check "$test: a dump mounts nothing" [ -z "$(grep -E 'mount|fsopen|open_tree' "$work/changes")" ]
	changes_of restore -i "$work/img"
	check "$test: a restore mounts nothing" [ -z "$(grep -E 'mount|fsopen|open_tree' "$work/changes")" ]
	"$CGRAFT" restore -i /dev/null 2>/dev/null
	unshare --mount "$CGRAFT" dump --cgroup "/$group" -i "$work/img"
	grep cgroup /proc/self/mountinfo >"$work/after"
	check "$test: mountinfo is the same" cmp -s "$work/before" "$work/after"
	destroy
}

# 2: a task in a named hierarchy's root made every checkpoint copy all foreign groups of that hierarchy.
crun_2256_foreign_groups_do_not_double() {
	need name=systemd pids || return
	mkdir "$at_name_systemd/$group-foreign" "$at_name_systemd/$group-foreign"/{1..50}
	make "$at_pids" a
	keep "$at_pids" "$group/a"
	local before
	before=$(find "$at_name_systemd" -type d | wc -l)
	for _ in 1 2 3 4 5; do
		"$CGRAFT" dump -t "$pid" -i "$work/img" && "$CGRAFT" restore --cgroup-root "pids:/$group/again" -i "$work/img" 2>/dev/null ||
			{ not_ok "$test: dump and restore"; break; }
	done
	check "$test: no group of the dump is foreign" [ "$("$CGRAFT" decode "$work/img" | grep -c "$group-foreign")" = 0 ]
	check "$test: as many groups as before" [ "$(find "$at_name_systemd" -type d | wc -l)" = "$before" ]
	kill "$pid"
	wait "$pid" 2>/dev/null
	destroy
	find "$at_name_systemd/$group-foreign" -depth -type d -exec rmdir {} +
}

# 3: "ignore" was the enum's zero and so taken for "not given"; tasks went to the old groups all the same.
criu_1793_ignore_writes_nothing() {
	make "${mounts[0]}" a
	"$CGRAFT" dump --cgroup "/$group" -i "$work/img"
	destroy
	changes_of restore --manage-cgroups=ignore -i "$work/img"
	check "$test: exit 0" [ $status = 0 ]
	check "$test: no call changes anything" [ ! -s "$work/changes" ]
	check "$test: no group" [ ! -d "${mounts[0]}/$group" ]
	changes_of restore -i "$work/img"
	check "$test: and the watch sees a restore" grep -q mkdirat "$work/changes"
	destroy
}

# 4: only the first process was moved, not its children. Two are forked before the dump, two between dump and restore, outside.
crun_1651_everything_that_was_forked_is_moved() {
	need pids || return
	make "$at_pids" a
	mkfifo "$work/go"
	# shellcheck disable=SC2016 # the inner shell expands it
	bash -c 'sleep 100000 & sleep 100000 & read -r _ <"$0"; sleep 100000 & sleep 100000 & wait' "$work/go" &
	local leader=$! task early late inside=0
	kept+=($leader)
	echo $leader >"$at_pids/$group/a/cgroup.procs"
	sleep 0.3
	early=$(cat /proc/$leader/task/$leader/children)
	for task in $early; do echo "$task" >"$at_pids/$group/a/cgroup.procs"; done
	"$CGRAFT" dump -t $leader -i "$work/img"
	for task in $leader $early; do echo "$task" >"$at_pids/cgroup.procs"; done
	echo >"$work/go"
	sleep 0.3
	# shellcheck disable=SC2086 # a list of ids
	late=$(cat /proc/$leader/task/$leader/children | tr ' ' '\n' | grep -vxF "$(printf '%s\n' $early)")
	cgraft restore -i "$work/img"
	check "$test: exit 0" [ "$status" = 0 ]
	for task in $leader $early; do
		[ "$(group_of "$task" pids)" != "/$group/a" ] || inside=$((inside + 1))
	done
	check "$test: the three tasks of the image are inside" [ $inside = 3 ]
	inside=0
	for task in $late; do
		[ "$(group_of "$task" pids)" != "/$group/a" ] || inside=$((inside + 1))
	done
	case $inside in
		2) ok "$test: and the two that were forked since" ;;
		*) not_ok "$test: and the two that were forked since: $inside of 2 inside" ;;
	esac
	# shellcheck disable=SC2086 # a list of ids
	kill $leader $early $late
	wait $leader 2>/dev/null
	sleep 0.3
	destroy
}

# 5: limits were unlimited after a restore, because the group was there already and nobody said so.
criu_305_a_group_that_is_there_already() {
	need pids || return
	make "$at_pids" a
	echo 77 >"$at_pids/$group/a/pids.max"
	"$CGRAFT" dump --cgroup "pids:/$group" -i "$work/img"
	local mode wanted
	for mode in full:77 soft:5 props:77 none:5; do
		wanted=${mode#*:}
		mode=${mode%:*}
		echo 5 >"$at_pids/$group/a/pids.max"
		cgraft restore --manage-cgroups=$mode -i "$work/img"
		check "$test: $mode leaves $wanted" [ "$(value "$at_pids" a/pids.max)" = "$wanted" ]
		[ $mode != full ] && [ $mode != soft ] || check "$test: $mode says that the groups were found" says "found 2"
		[ $mode != soft ] && [ $mode != none ] || check "$test: $mode says that a value was skipped" says "skipped 1, "
	done
	echo 5 >"$at_pids/$group/a/pids.max"
	cgraft restore --manage-cgroups=strict -i "$work/img"
	check "$test: strict refuses" [ "$status:$(value "$at_pids" a/pids.max)" = 4:5 ]
	destroy
}

# 6: ENOSPC when a task joins a cpuset that is there and empty; and ancestors that are not in the image's tree.
criu_16_an_empty_cpuset() {
	need cpuset || return
	make "$at_cpuset" a/b
	keep "$at_cpuset" "$group/a/b"
	"$CGRAFT" dump -t "$pid" -i "$work/img"
	local cpus case
	cpus=$(value "$at_cpuset" a/b/cpuset.cpus)
	for case in "is there, empty" "is missing, with its ancestors"; do
		echo "$pid" >"$at_cpuset/cgroup.procs"
		rmdir "$at_cpuset/$group/a/b" "$at_cpuset/$group/a" "$at_cpuset/$group"
		[ "$case" != "is there, empty" ] || mkdir -p "$at_cpuset/$group/a/b"
		cgraft restore -i "$work/img"
		check "$test: it $case: exit 0" [ "$status" = 0 ]
		check "$test: it $case: CPUs are back" [ "$(value "$at_cpuset" a/b/cpuset.cpus 2>/dev/null)" = "$cpus" ]
		check "$test: it $case: the task is back" [ "$(group_of "$pid" cpuset)" = "/$group/a/b" ]
	done
	without_ancestors_criu_16
	without_values_criu_16
	kill "$pid"
	wait "$pid" 2>/dev/null
	destroy
}

# What lies above is not in the image; it is made, and has to have CPUs before the group can.
without_ancestors_criu_16() {
	"$CGRAFT" dump -t "$pid" --no-ancestors -i "$work/img"
	echo "$pid" >"$at_cpuset/cgroup.procs"
	rmdir "$at_cpuset/$group/a/b" "$at_cpuset/$group/a" "$at_cpuset/$group"
	cgraft restore -i "$work/img"
	check "$test: ancestors are made: exit 0" [ "$status" = 0 ]
	check "$test: ancestors have the root's CPUs" [ "$(value "$at_cpuset" cpuset.cpus):$(value "$at_cpuset" a/cpuset.mems)" = "$(cat "$at_cpuset/cpuset.cpus"):$(cat "$at_cpuset/cpuset.mems")" ]
	check "$test: the task is back" [ "$(group_of "$pid" cpuset)" = "/$group/a/b" ]
}

# Soft may not fill a group that is there. The task stays where it is, and the error says what is the matter.
without_values_criu_16() {
	echo "$pid" >"$at_cpuset/cgroup.procs"
	rmdir "$at_cpuset/$group/a/b"
	mkdir "$at_cpuset/$group/a/b"
	cgraft restore --manage-cgroups=soft -i "$work/img"
	check "$test: soft: refused, exit $status" [ "$status" = 1 -o "$status" = 4 ]
	check "$test: soft: says why" says "task $pid .* to group /$group/a/b of cpuset: .*no CPUs or memory nodes"
	check "$test: soft: the task stays" [ "$(group_of "$pid" cpuset)" = / ]
	check "$test: soft: the group stays empty" [ -z "$(value "$at_cpuset" a/b/cpuset.cpus)" ]
}

# 7: the first restore failed and left groups; the second skipped what had failed. Every call fails once here.
criu_24_a_failed_restore_leaves_nothing() {
	need pids || return
	command -v strace >/dev/null || { skip "$test: there is no strace"; return; }
	local number
	make "$at_pids" a/b
	make "$at_pids" c
	echo 50 >"$at_pids/$group/a/pids.max"
	echo 51 >"$at_pids/$group/c/pids.max"
	for number in {1..5}; do
		make "$at_pids" "a/n$number"
		echo "6$number" >"$at_pids/$group/a/n$number/pids.max"
		chown $((1000 + number)) "$at_pids/$group/a/n$number"
	done
	chown 1000:1000 "$at_pids/$group/c" "$at_pids/$group/c/tasks"
	keep "$at_pids" "$group/a/b"
	"$CGRAFT" dump --cgroup "pids:/$group" -i "$work/img"
	state_with_values >"$work/whole"
	halve_criu_24
	state_with_values >"$work/half"
	local call wrong=0 tried=0 boots=0
	for call in mkdirat:EAGAIN write:EINVAL fchown:EPERM fchownat:EPERM fchmod:EPERM fchmodat:EPERM pwrite64:ENOSPC openat:EMFILE; do
		for number in {1..150}; do
			strace -f -qq -o "$work/calls" -e "trace=${call%:*}" -e "inject=${call%:*}:error=${call#*:}:when=$number" \
				"$CGRAFT" restore -i "$work/img" 2>"$work/err"
			status=$?
			state_with_values >"$work/after"
			halve_criu_24
			grep -q INJECTED "$work/calls" || break
			# Without a boot id nobody knows whether the image's tasks are those of now.
			if grep -qE 'INJECTED' <(grep -E 'boot_id|kernel/random' "$work/calls"); then
				grep -q 'read the id of this boot: too many open files' "$work/err" && boots=$((boots + 1))
			fi
			tried=$((tried + 1))
			case $status in
				0) cmp -s "$work/whole" "$work/after" ;;
				1 | 4) cmp -s "$work/half" "$work/after" ;;
				*) false ;;
			esac && continue
			wrong=$((wrong + 1))
			echo "# call $number of $call: exit $status: $(tail -n 1 "$work/err"): $(grep INJECTED "$work/calls")"
			diff "$work/whole" "$work/after" | head -n 4
		done
	done
	check "$test: more than 40 failures were tried ($tried)" [ $tried -gt 40 ]
	check "$test: each is taken back, or does not matter" [ $wrong = 0 ]
	check "$test: a boot id that cannot be read is told ($boots)" [ $boots -gt 0 ]
	cgraft restore -i "$work/img"
	state_with_values >"$work/after"
	check "$test: then it works" [ "$status" = 0 ]
	check "$test: and all is there" cmp -s "$work/whole" "$work/after"
	kill "$pid"
	wait "$pid" 2>/dev/null
	destroy
}

# Back to a half of the tree, with other values and owners.
halve_criu_24() {
	echo "$pid" >"$at_pids/cgroup.procs"
	rmdir "$at_pids/$group"/a/* "$at_pids/$group/a" 2>/dev/null
	echo 7 >"$at_pids/$group/c/pids.max"
	chown 0:0 "$at_pids/$group/c" "$at_pids/$group/c/tasks"
}

# 8: more CPUs in the image than there are here.
criu_2000_cpus_that_this_host_does_not_have() {
	need cpuset || return
	handmade "$work/img" "hierarchy(group(b'$group/a', prop(b'cpuset.cpus', b'0-1023') + prop(b'cpuset.mems', b'0')), [b'cpuset'])"
	refuses_restore "cpuset.cpus of group /$group/a of cpuset, value 0-1023, this host has $(cat "$at_cpuset/cpuset.cpus"): these are CPUs"
	check "$test: exit 4, before anything is touched" [ "$status" = 4 ]
	handmade "$work/img" "hierarchy(group(b'$group/a', prop(b'cpuset.cpus', b'0') + prop(b'cpuset.mems', b'0,1023')), [b'cpuset'])"
	refuses_restore "cpuset.mems of group /$group/a of cpuset, value 0,1023, this host has $(cat "$at_cpuset/cpuset.mems"): these are CPUs or memory nodes"
	check "$test: a memory node: exit 4" [ "$status" = 4 ]
	cgraft restore --manage-cgroups soft --skip-missing -i "$work/img"
	check "$test: --skip-missing: exit 6" [ "$status" = 6 ]
	check "$test: --skip-missing: the CPUs are there" [ "$(value "$at_cpuset" a/cpuset.cpus)" = 0 ]
	destroy
	# --fit: what this host has of the lists, or the parent's list where that is nothing; the rest as with --skip-missing.
	handmade "$work/img" "hierarchy(group(b'$group/a', prop(b'cpuset.cpus', b'0,500-1023') + prop(b'cpuset.mems', b'700')
		+ group(b'b', prop(b'cpuset.cpus', b'600') + prop(b'cpuset.mems', b'0'))), [b'cpuset'])"
	cgraft restore --fit -i "$work/img"
	check "$test: --fit: exit 6" [ "$status" = 6 ]
	check "$test: --fit: the lists" [ "$(value "$at_cpuset" a/cpuset.cpus):$(value "$at_cpuset" a/cpuset.mems):$(value "$at_cpuset" a/b/cpuset.cpus):$(value "$at_cpuset" a/b/cpuset.mems)" = "0:$(cat "$at_cpuset/cpuset.mems"):0:0" ]
	check "$test: --fit: says what was cut" says "^cgraft: cpuset.cpus of group /$group/a of cpuset: the image has 0,500-1023, this host has 0$"
	check "$test: --fit: says what is not there at all" says "^cgraft: cpuset.cpus of group /$group/a/b of cpuset: the image has 600, this host has none of it$"
	check "$test: --fit: counts them" says "skipped 3, "
	destroy
	# A parent that has fewer than the group had: it is not in the image, so it is not touched.
	make "$at_cpuset" a/b
	local all
	all=$(value "$at_cpuset" a/cpuset.cpus)
	if [ "$all" != 0 ]; then
		"$CGRAFT" dump --cgroup "cpuset:/$group/a/b" --no-ancestors -i "$work/img"
		rmdir "$at_cpuset/$group/a/b"
		echo 0 >"$at_cpuset/$group/a/cpuset.cpus"
		cgraft restore -i "$work/img"
		check "$test: a parent that has fewer: exit 1" [ "$status" = 1 ]
		check "$test: a parent that has fewer: says where" says "cpuset.cpus of group /$group/a/b of cpuset, value $all"
		check "$test: a parent that has fewer: is as it was" [ "$(value "$at_cpuset" a/cpuset.cpus):$(ls -d "$at_cpuset/$group/a/b" 2>/dev/null)" = 0: ]
	else
		skip "$test: a parent that has fewer: there is one CPU here"
	fi
	destroy
}

# 8: disks and sizes of huge pages.
criu_2000_disks_and_huge_pages_that_this_host_does_not_have() {
	local disk unified
	if need blkio && [ -d /sys/dev/block ]; then
		disk=$(find /sys/dev/block -mindepth 1 -printf '%f\n' | head -n 1)
		handmade "$work/img" "hierarchy(group(b'$group/a', prop(b'blkio.throttle.read_bps_device', b'$disk 0\\n4095:77 1048576')), [b'blkio'])"
		refuses_restore "blkio.throttle.read_bps_device of group /$group/a of blkio, value 4095:77 1048576: this host has no such disk"
		check "$test: a disk: exit 4" [ "$status" = 4 ]
		handmade "$work/img" "hierarchy(group(b'$group/a', prop(b'blkio.throttle.read_bps_device', b'4095:77 0')), [b'blkio'])"
		cgraft restore -i "$work/img"
		check "$test: a disk without a limit is no matter" [ "$status" = 0 ]
		destroy
	fi
	unified=$(hierarchy unified) || { skip "$test: this host has no v2"; return; }
	if [ -d /sys/kernel/mm/hugepages ] && grep -qw hugetlb "$unified/cgroup.controllers"; then
		handmade "$work/img" "hierarchy(group(b'$group/a', prop(b'hugetlb.32KB.max', b'65536')), [b''])"
		refuses_restore "hugetlb.32KB.max of group /$group/a of unified, value 65536: this host has no huge pages of this size"
		check "$test: a size of huge pages: exit 4" [ "$status" = 4 ]
		# A restore would hand hugetlb down from the root where that does not, and the root's files are not ours: translate.sh does it.
	else
		skip "$test: huge pages are not limited here"
	fi
}

# refuses_restore WORD: the image is refused, the word is said, and no group is left.
refuses_restore() {
	cgraft restore -i "$work/img"
	check "$test: exit $status" [ "$status" = 1 -o "$status" = 4 ]
	check "$test: says $1" says "$1"
	check "$test: no group is left" [ -z "$(left_groups)" ]
}

# 11: co-mounted there, mounted alone here.
criu_318_another_co_mount() {
	need cpu cpuacct || return
	[ "$at_cpu" != "$at_cpuacct" ] || { skip "$test: they are co-mounted here as well"; return; }
	handmade "$work/img" "hierarchy(group(b'$group/a', prop(b'cpu.shares', b'512')), [b'cpu', b'cpuacct'])"
	cgraft restore -i "$work/img"
	check "$test: exit 0" [ "$status" = 0 ]
	check "$test: the value is where its controller is" [ "$(cat "$at_cpu/$group/a/cpu.shares")" = 512 ]
	check "$test: the group is in both hierarchies" [ -d "$at_cpuacct/$group/a" ]
	destroy
	handmade "$work/img" "hierarchy(group(b'$group/a', prop(b'cpu.shares', b'512')), [b'cpu', b'nowhere'])"
	cgraft restore -i "$work/img"
	check "$test: a controller that is nowhere and has no value is no loss" [ "$status" = 0 ]
	destroy
}

# 12: a file that this kernel's groups do not have. A default may be lost, another value may not.
criu_1874_a_file_that_this_kernel_lacks() {
	need unified || return
	make "$at_unified" a
	[ ! -e "$at_unified/$group/a/memory.max" ] || { skip "$test: v2 has the memory controller here"; destroy; return; }
	destroy
	handmade "$work/default" "hierarchy(group(b'$group/a', prop(b'memory.max', b'max') + prop(b'cgroup.max.depth', b'5')), [b''])"
	handmade "$work/img" "hierarchy(group(b'$group/a', prop(b'memory.max', b'4096000') + prop(b'cgroup.max.depth', b'5')), [b''])"
	refuses_restore "memory.max of group /$group/a of unified, value 4096000: v2 has not the controller here"
	cgraft restore -i "$work/default"
	check "$test: a default may be lost" [ "$status:$(value "$at_unified" a/cgroup.max.depth)" = 0:5 ]
	destroy
	cgraft restore --skip-missing -i "$work/img"
	check "$test: --skip-missing: exit 6, and the rest is there" [ "$status:$(value "$at_unified" a/cgroup.max.depth)" = 6:5 ]
	check "$test: --skip-missing: names it" says "^cgraft: skipped: group /$group/a of unified: memory.max: the image has 4096000"
	check "$test: --skip-missing: counts it" says "skipped 1, "
	destroy
}

# 13: devices.deny is refused once there are children, so rules come before them.
lxd_2436_device_rules_come_before_children() {
	need devices || return
	make "$at_devices" a
	echo a >"$at_devices/$group/a/devices.deny"
	echo "c 1:3 rwm" >"$at_devices/$group/a/devices.allow"
	echo "c 1:5 r" >"$at_devices/$group/a/devices.allow"
	mkdir -p "$at_devices/$group/a/b/c"
	echo "c 1:5 r" >"$at_devices/$group/a/b/devices.deny"
	"$CGRAFT" dump --cgroup "devices:/$group" -i "$work/img"
	find "$at_devices/$group" -name devices.list -exec grep . {} + | sort >"$work/before"
	destroy
	cgraft restore -i "$work/img"
	find "$at_devices/$group" -name devices.list -exec grep . {} + | sort >"$work/after"
	check "$test: exit 0" [ "$status" = 0 ]
	check "$test: three levels of lists are the same" cmp -s "$work/before" "$work/after"
	# Where there are children already, single rules are put right. Whoever denies one takes it from all below.
	echo "c 1:3 rwm" >"$at_devices/$group/a/devices.deny"
	echo "c 1:7 w" >"$at_devices/$group/a/devices.allow"
	cgraft restore -i "$work/img"
	find "$at_devices/$group" -name devices.list -exec grep . {} + | sort >"$work/after"
	check "$test: over a tree with other rules: exit 0" [ "$status" = 0 ]
	check "$test: over a tree with other rules: the same lists" cmp -s "$work/before" "$work/after"
	destroy
}

# 14: a task in a cgroup namespace of its own: its path is the host's, the namespace's part of it is noted.
criu_3143_a_cgroup_namespace() {
	need pids || return
	make "$at_pids" a/b
	# shellcheck disable=SC2016 # the inner shells expand them
	bash -c 'echo $$ >"$1/cgroup.procs"; exec unshare --cgroup bash -c "echo \$\$ >\"$1/b/cgroup.procs\"; exec sleep 100000"' x "$at_pids/$group/a" &
	pid=$!
	kept+=("$pid")
	sleep 0.3
	"$CGRAFT" dump -t "$pid" -i "$work/img"
	"$CGRAFT" decode "$work/img" >"$work/json"
	check "$test: the path is the host's" grep -q "\"path\": \"/$group/a/b\"" "$work/json"
	# CRIU's cgns_prefix; without it the namespace is not made again.
	check "$test: the namespace's root is noted" \
		grep -q "\"path\": \"/$group/a/b\", \"cgns_prefix\": $(printf '/%s/a' "$group" | wc -c)" "$work/json"
	kill "$pid"
	wait "$pid" 2>/dev/null
	destroy
}

# 15: owners of a user namespace's range.
criu_2902_shifted_owners() {
	local mount
	need unified || return
	for mount in "${mounts[0]}" "$at_unified"; do
		make "$mount" a
		chown 100000:100000 "$mount/$group/a" "$mount/$group/a/cgroup.procs"
		chmod 2775 "$mount/$group/a"
		"$CGRAFT" dump --cgroup "/$group" -i "$work/img"
		destroy
		"$CGRAFT" restore -i "$work/img" 2>/dev/null
		check "$test: of the group, ${mount##*/}" [ "$(stat -c %u:%g:%a "$mount/$group/a")" = 100000:100000:2775 ]
		check "$test: of a file, ${mount##*/}" [ "$(stat -c %u:%g "$mount/$group/a/cgroup.procs")" = 100000:100000 ]
		destroy
		local maps=(--uid-map 100000-165535=200000 --uid-map "0=7" --gid-map "100000=8")
		cgraft restore "${maps[@]}" -i "$work/img"
		check "$test: mapped, ${mount##*/}: exit 0" [ "$status" = 0 ]
		check "$test: mapped, of the group, ${mount##*/}" [ "$(stat -c %u:%g:%a "$mount/$group/a")" = 200000:8:2775 ]
		check "$test: mapped, of files, ${mount##*/}" [ "$(stat -c %u:%g "$mount/$group/a/cgroup.procs" "$mount/$group/cgroup.procs" | tr '\n' ' ')" = "200000:8 7:0 " ]
		cgraft restore "${maps[@]}" -i "$work/img"
		check "$test: mapped again, ${mount##*/}: nothing is written" says "values written 0,"
		cgraft verify "${maps[@]}" -i "$work/img"
		check "$test: mapped, ${mount##*/}: verify agrees" [ "$status" = 0 ]
		cgraft verify -i "$work/img"
		check "$test: not mapped, ${mount##*/}: verify does not" [ "$status" = 6 ]
		destroy
	done
}

# 16: v2 has no name, and that is no missing name.
criu_252_v2_has_the_empty_name() {
	need unified || return
	make "$at_unified" a
	"$CGRAFT" dump --cgroup "unified:/$group" -i "$work/img"
	destroy
	check "$test: in the image" grep -q '"cnames": \[""\]' <("$CGRAFT" decode "$work/img")
	cgraft restore -i "$work/img"
	check "$test: and it is restored" [ "$status:$(stat -c %F "$at_unified/$group/a")" = 0:directory ]
	destroy
}

# 17 and 2b: a dump of frozen tasks waited for them for ever; on v2 the state was read after a thaw.
criu_20_a_frozen_group() {
	need freezer unified || return
	local mount file frozen
	for mount in "$at_freezer" "$at_unified"; do
		make "$mount" a
		keep "$mount" "$group/a"
		[ -e "$mount/$group/a/freezer.state" ] && file=freezer.state frozen=FROZEN || { file=cgroup.freeze frozen=1; }
		echo $frozen >"$mount/$group/a/$file"
		wrap=(timeout 10)
		succeeds "$test: $file: the dump ends" dump -t "$pid" -i "$work/img"
		check "$test: $file: it stays frozen" [ "$(value "$mount" a/$file)" = $frozen ]
		succeeds "$test: $file: a restore where all is frozen ends" restore -i "$work/img"
		wrap=()
		echo "$pid" >"$mount/cgroup.procs"
		rmdir "$mount/$group/a" "$mount/$group"
		cgraft restore -i "$work/img"
		sleep 0.2
		check "$test: $file: it is frozen again, with its task" [ "$status:$(value "$mount" a/$file):$(value "$mount" a/cgroup.procs)" = "0:$frozen:$pid" ]
		[ $file = cgroup.freeze ] && echo 0 >"$mount/$group/a/$file" || echo THAWED >"$mount/$group/a/$file"
		kill "$pid"
		wait "$pid" 2>/dev/null
		destroy
	done
}

# 18: seconds for threads that took a poll each. 19: all threads were put into their leader's group.
criu_2614_many_threads() {
	need pids || return
	command -v gcc >/dev/null || { skip "$test: there is no gcc to build tests/vm/threads.c"; return; }
	gcc -O1 -pthread -o "$work/threads" "$tests/vm/threads.c"
	make "$at_pids" a/b
	"$work/threads" 2000 >"$work/ids" &
	pid=$!
	kept+=("$pid")
	until [ "$(wc -l <"$work/ids")" = 2001 ]; do sleep 0.1; done
	echo "$pid" >"$at_pids/$group/a/cgroup.procs"
	local tid before
	tid=$(sed -n 1000p "$work/ids")
	echo "$tid" >"$at_pids/$group/a/b/tasks"
	"$CGRAFT" dump -t "$pid" -i "$work/img"
	echo "$pid" >"$at_pids/cgroup.procs"
	before=$(date +%s%N)
	cgraft restore -i "$work/img"
	check "$test: exit 0" [ "$status" = 0 ]
	check "$test: 2001 threads in less than 5 s" [ $((($(date +%s%N) - before) / 1000000)) -lt 5000 ]
	check "$test: all but one in the group" [ "$(value "$at_pids" a/tasks | wc -l)" = 2000 ]
	check "criu_2347_a_thread_in_a_group_of_its_own: is back" [ "$(value "$at_pids" a/b/tasks)" = "$tid" ]
	kill "$pid"
	wait "$pid" 2>/dev/null
	destroy
}

# 20: a real-time task cannot join a v1 cpu group whose rt_runtime is 0, as it is in a new one.
runc_806_a_real_time_task() {
	need cpu || return
	make "$at_cpu" a
	[ -e "$at_cpu/$group/a/cpu.rt_runtime_us" ] || { skip "$test: this kernel has no cpu.rt_runtime_us"; destroy; return; }
	echo 10000 >"$at_cpu/$group/cpu.rt_runtime_us" && echo 5000 >"$at_cpu/$group/a/cpu.rt_runtime_us" ||
		{ skip "$test: the host gives no real time"; destroy; return; }
	keep "$at_cpu" "$group/a"
	chrt --fifo -p 1 "$pid"
	"$CGRAFT" dump -t "$pid" -i "$work/img"
	echo "$pid" >"$at_cpu/cgroup.procs"
	rmdir "$at_cpu/$group/a" "$at_cpu/$group"
	cgraft restore -i "$work/img"
	check "$test: it is back" [ "$status:$(group_of "$pid" cpu):$(value "$at_cpu" a/cpu.rt_runtime_us)" = "0:/$group/a:5000" ]
	kill "$pid"
	wait "$pid" 2>/dev/null
	destroy
}

# A budget of real time is the parent's first when it grows, and the children's first when it shrinks.
runc_860_budgets_of_parent_and_child() {
	need cpu || return
	make "$at_cpu" a
	[ -e "$at_cpu/$group/a/cpu.rt_runtime_us" ] || { skip "$test: this kernel has no cpu.rt_runtime_us"; destroy; return; }
	echo 10000 >"$at_cpu/$group/cpu.rt_runtime_us" && echo 8000 >"$at_cpu/$group/a/cpu.rt_runtime_us" ||
		{ skip "$test: the host gives no real time"; destroy; return; }
	"$CGRAFT" dump --cgroup "cpu:/$group" -i "$work/img"
	local from
	for from in 3000:2000 30000:20000 0:0; do
		echo 0 >"$at_cpu/$group/a/cpu.rt_runtime_us"
		echo "${from%:*}" >"$at_cpu/$group/cpu.rt_runtime_us"
		echo "${from#*:}" >"$at_cpu/$group/a/cpu.rt_runtime_us"
		cgraft restore -i "$work/img"
		check "$test: from $from" [ "$status:$(value "$at_cpu" cpu.rt_runtime_us):$(value "$at_cpu" a/cpu.rt_runtime_us)" = 0:10000:8000 ]
	done
	echo 0 >"$at_cpu/$group/a/cpu.rt_runtime_us"
	echo 0 >"$at_cpu/$group/cpu.rt_runtime_us"
	destroy
}

# 24: restored tasks belong into the new job's group, not into the recorded one.
cri_o_6894_into_another_group() {
	need pids || return
	make "$at_pids" job_1/step/task
	make "$at_pids" elsewhere
	keep "$at_pids" "$group/job_1/step/task"
	"$CGRAFT" dump -t "$pid" --no-ancestors -i "$work/img"
	cgraft restore --cgroup-root "pids:/$group/elsewhere/job_2" -i "$work/img"
	check "$test: the task is there" [ "$status:$(group_of "$pid" pids)" = "0:/$group/elsewhere/job_2" ]
	kill "$pid"
	wait "$pid" 2>/dev/null
	destroy
}

# 25: a rule that matched nothing was no error.
cedana_782_a_root_that_moves_nothing() {
	need pids || return
	make "$at_pids" a
	"$CGRAFT" dump --cgroup "pids:/$group" -i "$work/img"
	cgraft restore --cgroup-root "memory:/$group-x" -i "$work/img"
	check "$test: exit $status" [ "$status" = 2 -o "$status" = 4 ]
	check "$test: names the rule" says "memory:/$group-x"
	destroy
}

# --- section 2b: traps in CRIU's source ---

# /a below the new root /new became /newa.
trap_a_root_head_keeps_its_slash() {
	need pids || return
	make "$at_pids" new
	handmade "$work/img" "hierarchy(group(b'', group(b'a') + group(b'b')), [b'pids'])"
	cgraft restore --cgroup-root "pids:/$group/new" -i "$work/img"
	check "$test: exit 0" [ "$status" = 0 ]
	check "$test: below the new root" [ -d "$at_pids/$group/new/a" -a -d "$at_pids/$group/new/b" ]
	check "$test: and nowhere else" [ -z "$(find "$at_pids" -maxdepth 2 -name "newa*")" ]
	handmade "$work/img" "hierarchy(group(b'', group(b'a')), [b'pids'])"
	cgraft restore --cgroup-root "pids:/$group/one" -i "$work/img"
	check "$test: an only child keeps its name, as in CRIU" [ "$status" = 0 -a -d "$at_pids/$group/one/a" ]
	destroy
}

# Heads /foo and /foobar corrupted each other.
trap_foo_and_foobar() {
	need pids || return
	make "$at_pids" foo
	make "$at_pids" foobar
	echo 11 >"$at_pids/$group/foo/pids.max"
	echo 22 >"$at_pids/$group/foobar/pids.max"
	keep "$at_pids" "$group/foo"
	local first=$pid
	keep "$at_pids" "$group/foobar"
	"$CGRAFT" dump -t "$first" -t "$pid" --no-ancestors -i "$work/img"
	cgraft restore --cgroup-root "pids:/$group/new" -i "$work/img"
	check "$test: groups" [ "$status:$(group_of "$first" pids):$(group_of "$pid" pids)" = "0:/$group/new/foo:/$group/new/foobar" ]
	check "$test: values" [ "$(value "$at_pids" new/foo/pids.max):$(value "$at_pids" new/foobar/pids.max)" = 11:22 ]
	kill "$first" "$pid"
	wait "$first" "$pid" 2>/dev/null
	destroy
}

# The state of /lxc/a1 and /lxc/a2 went to /lxc/a.
trap_freezer_states_of_two_heads() {
	need freezer || return
	make "$at_freezer" a1
	make "$at_freezer" a2
	echo FROZEN >"$at_freezer/$group/a2/freezer.state"
	"$CGRAFT" dump --cgroup "freezer:/$group/a1" --cgroup "freezer:/$group/a2" -i "$work/img"
	echo THAWED >"$at_freezer/$group/a2/freezer.state"
	destroy
	cgraft restore -i "$work/img"
	check "$test" [ "$status:$(value "$at_freezer" a1/freezer.state):$(value "$at_freezer" a2/freezer.state)" = 0:THAWED:FROZEN ]
	echo THAWED >"$at_freezer/$group/a2/freezer.state"
	destroy
}

# The limit was written before the limit with swap: raising both is refused in that order, lowering both in the other.
trap_memory_and_swap() {
	need memory || return
	make "$at_memory" a
	[ -e "$at_memory/$group/a/memory.memsw.limit_in_bytes" ] || { skip "$test: no memory.memsw.limit_in_bytes"; destroy; return; }
	local from to
	for from in 50000000:60000000 200000000:300000000; do
		echo 100M >"$at_memory/$group/a/memory.limit_in_bytes"
		echo 120M >"$at_memory/$group/a/memory.memsw.limit_in_bytes"
		to=$(value "$at_memory" a/memory.limit_in_bytes):$(value "$at_memory" a/memory.memsw.limit_in_bytes)
		"$CGRAFT" dump --cgroup "memory:/$group" -i "$work/img"
		rmdir "$at_memory/$group/a"
		mkdir "$at_memory/$group/a"
		echo "${from%:*}" >"$at_memory/$group/a/memory.limit_in_bytes"
		echo "${from#*:}" >"$at_memory/$group/a/memory.memsw.limit_in_bytes"
		cgraft restore -i "$work/img"
		check "$test: from $from" [ "$status:$(value "$at_memory" a/memory.limit_in_bytes):$(value "$at_memory" a/memory.memsw.limit_in_bytes)" = "0:$to" ]
	done
	destroy
}

# A child's part of its period may not be more than its parent's: growing goes from the top down, shrinking from the bottom up.
trap_quotas_of_parent_and_child() {
	need cpu || return
	make "$at_cpu" a/b
	echo 60000 >"$at_cpu/$group/a/cpu.cfs_quota_us"
	echo 50000 >"$at_cpu/$group/a/b/cpu.cfs_quota_us"
	"$CGRAFT" dump --cgroup "cpu:/$group" -i "$work/img"
	local from
	for from in 20000:10000 90000:80000 20000:-1 -1:90000; do
		echo -1 >"$at_cpu/$group/a/b/cpu.cfs_quota_us"
		echo "${from%:*}" >"$at_cpu/$group/a/cpu.cfs_quota_us"
		echo "${from#*:}" >"$at_cpu/$group/a/b/cpu.cfs_quota_us"
		cgraft restore -i "$work/img"
		check "$test: from $from" [ "$status:$(value "$at_cpu" a/cpu.cfs_quota_us):$(value "$at_cpu" a/b/cpu.cfs_quota_us)" = 0:60000:50000 ]
	done
	destroy
}

# A process's number may be another one's by now: only who started at the same time is the same.
trap_a_number_that_was_taken_again() {
	need pids || return
	make "$at_pids" a
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare --pid --fork --mount-proc bash -c '
		sleeper() { echo 499 >/proc/sys/kernel/ns_last_pid; sleep 100000 & echo $! >&2; }
		sleeper && first=$!
		echo $first >"$1/cgroup.procs"
		"$2" dump -t $first -i "$3" || exit
		echo $first >"$4/cgroup.procs"
		"$2" restore -i "$3" 2>"$5.same"
		kill $first; wait $first 2>/dev/null
		sleep 0.1
		sleeper
		"$2" restore -i "$3" 2>"$5.other"
		grep -h pids: /proc/$!/cgroup' x "$at_pids/$group/a" "$CGRAFT" "$work/img" "$at_pids" "$work/err" >"$work/out" 2>"$work/pids"
	check "$test: both have the number 500" [ "$(tr '\n' ' ' <"$work/pids")" = "500 500 " ]
	check "$test: the task itself is moved" grep -q "tasks joined 1$" "$work/err.same"
	check "$test: the other one is not" grep -q "tasks joined 0$" "$work/err.other"
	check "$test: and stays where it is" [ "$(cut -d: -f3 "$work/out")" = / ]
	destroy
}

# A file that nobody can read failed the dump, and so did a group that vanished meanwhile.
trap_groups_that_come_and_go() {
	need memory || return
	make "$at_memory" a
	(while :; do mkdir "$at_memory/$group/a"/{1..9} 2>/dev/null; rmdir "$at_memory/$group/a"/{1..9} 2>/dev/null; done) &
	local mover=$! broken=0
	kept+=($mover)
	for _ in {1..100}; do
		"$CGRAFT" dump --cgroup "memory:/$group" -i "$work/img" 2>"$work/err" && "$CGRAFT" decode "$work/img" >"$work/out" || broken=$((broken + 1))
	done
	check "$test: 100 dumps, none fails" [ $broken = 0 ]
	check "$test: write-only files are no obstacle" grep -q memory.limit_in_bytes "$work/out"
	kill $mover
	wait $mover 2>/dev/null
	destroy
}

# Folders to mount in were made in the current folder.
trap_a_folder_that_cannot_be_written() {
	make "${mounts[0]}" a
	# shellcheck disable=SC2016 # the inner shell expands them
	unshare --mount --propagation private bash -c 'mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"; cd "$1" && exec "$2" dump --cgroup "$3" -i -' \
		x "$work/area" "$CGRAFT" "/$group" >"$work/img" 2>"$work/err"
	check "$test: the image goes to a pipe" [ "$?:$(cat "$work/err")" = 0: ]
	cgraft decode "$work/img"
	check "$test: and is whole" [ "$status" = 0 ]
	check "$test: nothing is left in the folder" [ -z "$(ls -A "$work/area")" ]
	destroy
}

# --- honourable mentions ---

# A mode after a blank.
criu_688_a_mode_after_a_blank() {
	make "${mounts[0]}" a
	"$CGRAFT" dump --cgroup "/$group" -i "$work/img"
	succeeds "$test" restore --manage-cgroups none -i "$work/img"
	destroy
}

# A restored process had died, and there was no second restore.
cri_o_6515_a_second_restore() {
	need pids || return
	make "$at_pids" a/b
	echo 33 >"$at_pids/$group/a/b/pids.max"
	keep "$at_pids" "$group/a/b"
	"$CGRAFT" dump --cgroup "pids:/$group" -i "$work/img"
	succeeds "$test: while it runs" restore -i "$work/img"
	kill "$pid"
	wait "$pid" 2>/dev/null
	succeeds "$test: after it has died" restore -i "$work/img"
	check "$test: nobody is joined, nothing written" says "values written 0, .* tasks joined 0$"
	destroy
	succeeds "$test: after its groups have gone" restore -i "$work/img"
	check "$test: they are back" [ "$(value "$at_pids" a/b/pids.max)" = 33 ]
	destroy
}

# A hierarchy without controllers was passed over without a word.
libcgroup_442_a_hierarchy_without_controllers() {
	need name=systemd || return
	make "$at_name_systemd" a/b
	echo 1 >"$at_name_systemd/$group/a/notify_on_release"
	keep "$at_name_systemd" "$group/a/b"
	succeeds "$test: dump" dump --cgroup "name=systemd:/$group" -i "$work/img"
	echo "$pid" >"$at_name_systemd/cgroup.procs"
	rmdir "$at_name_systemd/$group/a/b" "$at_name_systemd/$group/a" "$at_name_systemd/$group"
	succeeds "$test: restore" restore -i "$work/img"
	check "$test: groups, values and tasks" [ "$(value "$at_name_systemd" a/notify_on_release):$(value "$at_name_systemd" a/b/notify_on_release):$(value "$at_name_systemd" a/b/cgroup.procs)" = "1:0:$pid" ]
	kill "$pid"
	wait "$pid" 2>/dev/null
	destroy
}

# A zombie says that it is in /, wherever it was.
criu_1066_a_zombie_in_the_tree() {
	need pids || return
	make "$at_pids" a
	# shellcheck disable=SC2016 # the inner shell expands them
	bash -c 'echo $$ >"$1/cgroup.procs"; sleep 0.1 & exec sleep 100000' x "$at_pids/$group/a" &
	pid=$!
	kept+=("$pid")
	sleep 0.3
	check "$test: there is a zombie" grep -q '^State:.Z' "/proc/$(cat "/proc/$pid/task/$pid/children" | tr -d ' ')/status"
	succeeds "$test: dump" dump -t "$pid" -i "$work/img"
	"$CGRAFT" decode "$work/img" >"$work/json"
	check "$test: the group is in the image" grep -q "$group/a" "$work/json"
	check "$test: nobody is in /" [ "$(grep -c '"name": "pids", "path": "/"' "$work/json")" = 0 ]
	"$CGRAFT" show --json "$work/img" >"$work/json"
	check "$test: one task" [ "$(grep -o '"tid"' "$work/json" | wc -l)" = 1 ]
	kill "$pid"
	wait "$pid" 2>/dev/null
	destroy
	a_dead_leader_criu_1066
}

# A process whose first thread has ended: the others are alive, and where they are is not to be asked of the first.
a_dead_leader_criu_1066() {
	local thread
	make "$at_pids" a
	python3 -c '
import ctypes, threading, time
threading.Thread(target=time.sleep, args=(100000,)).start()
ctypes.CDLL(None).pthread_exit(None)' &
	pid=$!
	kept+=("$pid")
	until grep -q '^State:.Z' "/proc/$pid/status" || ! [ -d "/proc/$pid" ]; do sleep 0.1; done
	thread=$(find "/proc/$pid/task" -mindepth 1 -maxdepth 1 ! -name "$pid" -printf %f)
	echo "$thread" >"$at_pids/$group/a/tasks"
	succeeds "$test: a dead leader: dump" dump -t "$pid" -i "$work/img"
	echo "$thread" >"$at_pids/tasks"
	rmdir "$at_pids/$group/a" "$at_pids/$group"
	succeeds "$test: a dead leader: restore" restore -i "$work/img"
	check "$test: a dead leader: its thread is back" [ "$(cat "$at_pids/$group/a/tasks")" = "$thread" ]
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	destroy
}

start regressions
if [ -z "$has_restore" ]; then
	skip "all: this version has no restore"
	exit
fi
command -v strace >/dev/null || { skip "all: there is no strace"; exit; }
for test in $(declare -F | awk '{ print $3 }' | grep -E '^(criu|crun|runc|lxd|cri_o|cedana|libcgroup|trap)_'); do
	[ $# = 0 ] || [[ " $* " == *" $test "* ]] || continue
	$test
	remove_groups
done
