# What went wrong in other programs and needs a host that we may not be on: co-mounted controllers, named hierarchies of our own,
# v2 with controllers. Functions are named after tracker and issue; docs/field-notes-tests.md lists them.
. /vm/lib.sh
image=/run/img

at() {
	awk -v word="$1" '{ for (i = 7; $i != "-"; i++); count = split($(i + 3), options, ",")
		if ($(i + 1) == "cgroup2" && word == "unified") { print $5; exit }
		for (j = 1; j <= count; j++) if ($(i + 1) == "cgroup" && options[j] == word) { print $5; exit } }' /proc/self/mountinfo
}

# What this layout cannot have is tested in another one; it is no skip.
not_here() {
	echo "# $test: $*"
}

need() {
	for word; do
		[ -n "$(at "$word")" ] || { not_here "this layout has no $word"; return 1; }
	done
}

is() {
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1: $2, not $3"; head -n 5 /run/err; fi
}

sleeper() {
	sleep 100000 &
	pid=$!
	echo $pid >"$1/cgroup.procs"
}

remove() {
	kill "$pid" 2>/dev/null
	wait 2>/dev/null
	for mount in $(hierarchies 1) $(hierarchies 2); do
		[ ! -d "$mount/cgraft-t" ] || find "$mount/cgraft-t" -depth -type d -exec rmdir {} \;
	done
}

# "cpu" means the hierarchy that has it, in whatever order its controllers are written.
criu_544_a_co_mounted_controller_by_one_name() {
	need cpu cpuacct || return
	cpu=$(at cpu)
	mkdir -p "$cpu/cgraft-t/a"
	sleeper "$cpu/cgraft-t/a"
	succeeds "dump" dump -t $pid --no-ancestors -i $image
	for name in cpu cpuacct cpu,cpuacct cpuacct,cpu; do
		[ "$cpu" = "$(at cpuacct)" ] || [ $name = cpu ] || continue
		succeeds "restore below $name:/cgraft-t/$name" restore --cgroup-root "$name:/cgraft-t/$name" -i $image
		is "the task is there" "$(cat "$cpu/cgraft-t/$name/cgroup.procs" 2>/dev/null)" $pid
		succeeds "dump of $name only" dump -t $pid --no-ancestors --cgroup-dump-controller $name -i /run/only
		cgraft decode -i /run/only
		is "one hierarchy" "$(grep -o '"cnames": [^]]*' /run/out)" '"cnames": ["cpu", "cpuacct"'
	done
	remove
}

# CRIU's lists of properties cannot be about v2: it refuses the empty name, and saves no limit.
criu_252_a_list_of_v2() {
	need unified || return
	v2=$(at unified)
	grep -q 'memory.*pids' "$v2/cgroup.controllers" || { not_here "v2 has not both of memory and pids"; return; }
	for key in '""' unified memory; do
		mkdir -p "$v2/cgraft-t/a"
		echo "+memory +pids" >"$v2/cgraft-t/cgroup.subtree_control"
		echo 104857600 >"$v2/cgraft-t/a/memory.max"
		echo 52428800 >"$v2/cgraft-t/a/memory.high"
		echo 33 >"$v2/cgraft-t/a/pids.max"
		succeeds "dump, $key" dump --properties criu --no-ancestors --cgroup unified:/cgraft-t -i $image \
			--cgroup-props "$key: { strategy: merge, properties: [memory.max] }"
		remove
		succeeds "restore" restore -i $image
		is "the listed limit" "$(cat "$v2/cgraft-t/a/memory.max")" 104857600
		is "a limit that is not listed" "$(cat "$v2/cgraft-t/a/memory.high")" max
		is "one of another controller" "$(cat "$v2/cgraft-t/a/pids.max")" max
		remove
	done
}

# One line a write, and an interface that is gone is said and not lost in a line of others.
criu_447_priorities_of_interfaces() {
	need net_prio || return
	prio=$(at net_prio)
	mkdir -p "$prio/cgraft-t/a"
	echo "lo 5" >"$prio/cgraft-t/a/net_prio.ifpriomap"
	echo "dummy0 7" >"$prio/cgraft-t/a/net_prio.ifpriomap"
	sort "$prio/cgraft-t/a/net_prio.ifpriomap" >/run/before
	succeeds "dump" dump --cgroup net_prio:/cgraft-t -i $image
	remove
	succeeds "restore at the first try" restore -i $image
	sort "$prio/cgraft-t/a/net_prio.ifpriomap" >/run/after
	same "priorities" /run/before /run/after
	remove
	succeeds "--if-map: they change places" restore --if-map lo=dummy0 --if-map dummy0=lo -i $image
	is "priorities of the other" "$(grep -Ex 'lo 7|dummy0 5' "$prio/cgraft-t/a/net_prio.ifpriomap" | wc -l)" 2
	succeeds "--if-map: verify" verify --if-map lo=dummy0 --if-map dummy0=lo -i $image
	remove
	cgraft restore --if-map lo=dummy0 -i $image
	is "two that become one: exit" $status 4
	if grep -q 'net_prio.ifpriomap of group /cgraft-t/a of .*two lines' /run/err; then ok "says where"; else not_ok "does not say where"; head -n 3 /run/err; fi
	interface_is_gone_criu_447
}

# 40 interfaces are saved, ten with a priority; then one of these is not there any more, and later one without.
interface_is_gone_criu_447() {
	mkdir -p "$prio/cgraft-t/a"
	for number in $(seq 40); do
		ip link add "if$number" type dummy || { skip "no interface can be made"; remove; return; }
		[ $((number % 4)) != 0 ] || echo "if$number $number" >"$prio/cgraft-t/a/net_prio.ifpriomap"
	done
	grep -v 'if8 ' "$prio/cgraft-t/a/net_prio.ifpriomap" | sort >/run/before
	succeeds "dump of 40 interfaces" dump --cgroup net_prio:/cgraft-t -i $image
	remove
	ip link del if7
	sed -i '/^if7 /d' /run/before
	succeeds "one without a priority is gone" restore -i $image
	sort "$prio/cgraft-t/a/net_prio.ifpriomap" | grep -v '^if8 ' >/run/after
	same "all others have theirs" /run/before /run/after
	is "and if8 has its own" "$(grep '^if8 ' "$prio/cgraft-t/a/net_prio.ifpriomap")" "if8 8"
	remove
	ip link del if8
	cgraft restore -i $image
	is "one with a priority is gone: exit" $status 1
	if grep -q 'net_prio.ifpriomap of group /cgraft-t/a of .*if8 8' /run/err; then ok "says which file and value"; else not_ok "does not say which"; head -n 3 /run/err; fi
	is "and nothing is left" "$(ls -d "$prio/cgraft-t" 2>/dev/null)" ""
	cgraft restore --skip-missing -i $image
	is "--skip-missing: exit" $status 6
	sort "$prio/cgraft-t/a/net_prio.ifpriomap" >/run/after
	same "--skip-missing: all others have theirs" /run/before /run/after
	if grep -q '^cgraft: skipped: group /cgraft-t/a of .*: net_prio.ifpriomap: ' /run/err; then ok "--skip-missing: is said"; else not_ok "--skip-missing: is not said"; head -n 3 /run/err; fi
	for number in $(seq 40); do ip link del "if$number" 2>/dev/null; done
	remove
}

# Limits of a disk that has another number here.
podman_21255_numbers_of_disks() {
	need unified || return
	unified=$(hierarchies 2)
	disk0=$(cat /sys/block/nvme0n1/dev) disk1=$(cat /sys/block/nvme1n1/dev)
	mkdir "$unified/cgraft-t"
	[ -e "$unified/cgraft-t/io.max" ] || { rmdir "$unified/cgraft-t"; return; } # v1 has it in this layout
	echo "$disk0 rbps=4096" >"$unified/cgraft-t/io.max"
	succeeds "dump" dump --cgroup unified:/cgraft-t -i $image
	remove
	succeeds "--dev-map" restore --dev-map "$disk0=/dev/nvme1n1" -i $image
	is "the other disk has the limit" "$(cat "$unified/cgraft-t/io.max")" "$disk1 rbps=4096 wbps=max riops=max wiops=max"
	succeeds "--dev-map: verify" verify --dev-map "$disk0=$disk1" -i $image
	remove
}

# A group with limits that --map puts into one that hands nothing down; a rename around it.
cedana_782_groups_of_v2_into_others() {
	need unified || return
	unified=$(hierarchies 2)
	grep -qw pids "$unified/cgroup.controllers" || return # the same
	mkdir -p "$unified/cgraft-t/a" "$unified/cgraft-t/b/c"
	echo +pids >"$unified/cgraft-t/cgroup.subtree_control"
	echo +pids >"$unified/cgraft-t/b/cgroup.subtree_control"
	echo 5 >"$unified/cgraft-t/b/pids.max"
	echo 6 >"$unified/cgraft-t/b/c/pids.max"
	succeeds "dump" dump --cgroup unified:/cgraft-t -i $image
	for mode in full soft; do
		remove
		succeeds "into a group, $mode" restore --manage-cgroups $mode --map /cgraft-t/b=/cgraft-t/x/y/b --map /cgraft-t/a=/cgraft-t/x/y -i $image
		is "its limits, $mode" "$(cat "$unified/cgraft-t/x/y/b/pids.max" "$unified/cgraft-t/x/y/b/c/pids.max" | tr '\n' ' ')" "5 6 "
		is "what is handed down to it, $mode" "$(cat "$unified/cgraft-t/x/y/cgroup.subtree_control")" pids
		succeeds "verify, $mode" verify --map /cgraft-t/b=/cgraft-t/x/y/b --map /cgraft-t/a=/cgraft-t/x/y -i $image
	done
	remove
	succeeds "beside, on a way of its own" restore --map /cgraft-t/b=/cgraft-t/x/y -i $image
	is "its limits" "$(cat "$unified/cgraft-t/x/y/pids.max" "$unified/cgraft-t/x/y/c/pids.max" | tr '\n' ' ')" "5 6 "
	remove
}

# A hierarchy whose name ends in a controller's name is not that controller's.
trap_a_name_that_ends_in_a_controllers() {
	need cpu || return
	mkdir /run/mycpu
	mount -t cgroup -o none,name=mycpu cgroup /run/mycpu || { skip "no named hierarchy can be made"; return; }
	mkdir -p /run/mycpu/cgraft-t/named "$(at cpu)/cgraft-t/cpu"
	sleeper /run/mycpu/cgraft-t/named
	echo $pid >"$(at cpu)/cgraft-t/cpu/cgroup.procs"
	succeeds "dump" dump -t $pid -i $image
	echo $pid >/run/mycpu/cgroup.procs
	echo $pid >"$(at cpu)/cgroup.procs"
	rmdir /run/mycpu/cgraft-t/named
	succeeds "restore" restore -i $image
	is "named hierarchy" "$(grep -o 'mycpu:.*' /proc/$pid/cgroup)" mycpu:/cgraft-t/named
	is "the controller's" "$(cat "$(at cpu)/cgraft-t/cpu/cgroup.procs")" $pid
	remove
	find /run/mycpu/cgraft-t -depth -type d -exec rmdir {} \; 2>/dev/null
	umount /run/mycpu
}

# Controllers are handed down before tasks come, and where tasks are in the way the message says so.
libcgroup_271_no_tasks_in_inner_groups() {
	need unified || return
	v2=$(at unified)
	grep -q memory "$v2/cgroup.controllers" || { not_here "v2 has no memory controller"; return; }
	mkdir -p "$v2/cgraft-t/a/b"
	echo +memory >"$v2/cgraft-t/cgroup.subtree_control"
	echo +memory >"$v2/cgraft-t/a/cgroup.subtree_control"
	sleeper "$v2/cgraft-t/a/b"
	succeeds "dump" dump -t $pid -i $image
	echo $pid >"$v2/cgroup.procs"
	rmdir "$v2/cgraft-t/a/b" "$v2/cgraft-t/a" "$v2/cgraft-t"
	succeeds "restore" restore -i $image
	is "the task is back" "$(cat "$v2/cgraft-t/a/b/cgroup.procs")" $pid
	is "the controller is handed down" "$(cat "$v2/cgraft-t/a/cgroup.subtree_control")" memory
	echo $pid >"$v2/cgroup.procs"
	rmdir "$v2/cgraft-t/a/b"
	echo "-memory" >"$v2/cgraft-t/a/cgroup.subtree_control"
	sleep 100000 &
	stranger=$!
	echo $stranger >"$v2/cgraft-t/a/cgroup.procs"
	cgraft restore -i $image
	is "a stranger in the way: exit" $status 1
	if grep -q '/cgraft-t/a' /run/err; then ok "says where"; else not_ok "does not say where"; head -n 3 /run/err; fi
	is "the group is not there" "$(ls -d "$v2/cgraft-t/a/b" 2>/dev/null)" ""
	kill $stranger
	remove
}

# The kernel does not refuse to hand pids down over tasks: the group becomes the root of a threaded tree, whose children take no process.
trap_controllers_that_may_be_threaded() {
	need unified || return
	v2=$(at unified)
	grep -q pids "$v2/cgroup.controllers" || return
	mkdir -p "$v2/cgraft-t/a/b"
	echo +pids >"$v2/cgraft-t/cgroup.subtree_control"
	echo +pids >"$v2/cgraft-t/a/cgroup.subtree_control"
	sleeper "$v2/cgraft-t/a/b"
	succeeds "dump" dump -t $pid -i $image
	echo $pid >"$v2/cgroup.procs"
	rmdir "$v2/cgraft-t/a/b"
	echo "-pids" >"$v2/cgraft-t/a/cgroup.subtree_control"
	echo $pid >"$v2/cgraft-t/a/cgroup.procs"
	succeeds "restore" restore -i $image
	is "the task is below" "$(cat "$v2/cgraft-t/a/b/cgroup.procs")" $pid
	is "the controller is handed down" "$(cat "$v2/cgraft-t/a/cgroup.subtree_control")" pids
	is "and no group is threaded" "$(cat "$v2/cgraft-t/a/cgroup.type")" domain
	remove
}

# One flag for a whole hierarchy said whether groups are threaded; they differ.
trap_threaded_groups_beside_domains() {
	need unified || return
	v2=$(at unified)
	mkdir -p "$v2/cgraft-t/domain" "$v2/cgraft-t/root/one" "$v2/cgraft-t/root/two"
	echo threaded >"$v2/cgraft-t/root/one/cgroup.type"
	echo threaded >"$v2/cgraft-t/root/two/cgroup.type"
	for group in domain root root/one root/two; do cat "$v2/cgraft-t/$group/cgroup.type"; done >/run/before
	succeeds "dump" dump --cgroup unified:/cgraft-t -i $image
	remove
	succeeds "restore" restore -i $image
	for group in domain root root/one root/two; do cat "$v2/cgraft-t/$group/cgroup.type"; done >/run/after
	same "types" /run/before /run/after
	remove
}

pid=
for test in criu_544_a_co_mounted_controller_by_one_name criu_447_priorities_of_interfaces podman_21255_numbers_of_disks cedana_782_groups_of_v2_into_others \
	criu_252_a_list_of_v2 trap_a_name_that_ends_in_a_controllers libcgroup_271_no_tasks_in_inner_groups trap_controllers_that_may_be_threaded trap_threaded_groups_beside_domains; do
	$test
done
finish
