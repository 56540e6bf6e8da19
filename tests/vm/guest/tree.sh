# The tree under test, /cgraft-t in every hierarchy: a legal value that is not the default for every configuration file there is,
# groups with awkward names, tasks in several of them. Sourced after lib.sh.
#
#   cgraft-t            ancestor with limits
#   └ app               ancestor with limits
#     ├ lead            the leader's group: what "dump -t" walks; on v2 the root of a threaded subtree, since it holds tasks
#     │ └ kid ...       see the lists below
#     └ side ...        only in "wide" trees; on v2 the part where groups are domains and have all controllers

disk0=$(cat /sys/block/nvme0n1/dev)     # with iocost on v2
disk1=$(cat /sys/block/nvme1n1/dev)     # with bfq
long=$(printf 'long%251s' '' | tr ' ' -)
below_lead="kid|kid/deep|kid/deep/er|idle|cold|cold/inner|two words|żółw ☃|.hidden|co:lon,\\back|$long|owned|empty|empty-too"
below_side="web|idle|cold|cold/inner|two words|owned|empty"

# each LIST COMMAND...: runs the command with every name of a list parted by | as its last argument.
each() {
	list=$1
	shift
	while [ -n "$list" ]; do
		"$@" "${list%%|*}"
		case $list in
			*"|"*) list=${list#*|} ;;
			*) list= ;;
		esac
	done
}

# In the following, $mount is the hierarchy and a group is named from cgraft-t on.

make() {
	mkdir "$mount/cgraft-t/$1"
}

# make_all GROUP LIST: one mkdir for the whole list, since every process costs the emulator some milliseconds.
make_all() {
	(IFS='|'; set -f; cd "$mount/cgraft-t/$1" && mkdir $2)
}

# put GROUP FILE VALUE: nothing when this kernel or this hierarchy lacks the file.
put() {
	[ -e "$mount/cgraft-t/$1/$2" ] || return 0
	echo "$3" >"$mount/cgraft-t/$1/$2" || not_ok "this kernel refuses $3 in $1/$2"
}

# put_all GROUP: lines FILE VALUE from standard input.
put_all() {
	while read -r file value; do
		put "$1" "$file" "$value"
	done
}

join() {
	eval "pid=\$pid_$2"
	echo "$pid" >"$mount/cgraft-t/$1/cgroup.procs" || not_ok "cannot move $2 to $1"
}

# join_thread GROUP N: the Nth further thread of the task "threads".
join_thread() {
	eval "tid=\$tid_$2"
	for file in tasks cgroup.threads; do
		[ ! -e "$mount/cgraft-t/$1/$file" ] || echo "$tid" >"$mount/cgraft-t/$1/$file" || not_ok "cannot move thread $2 to $1"
	done
}

# delegate GROUP: to user 1000, as systemd does it; and one file with an owner and a mode of its own.
delegate() {
	chown 1000:1000 "$mount/cgraft-t/$1"
	chmod 750 "$mount/cgraft-t/$1"
	for file in cgroup.procs tasks cgroup.threads cgroup.subtree_control; do
		[ ! -e "$mount/cgraft-t/$1/$file" ] || chown 1000:1000 "$mount/cgraft-t/$1/$file"
	done
	for file in notify_on_release cgroup.max.depth pids.max; do
		[ ! -e "$mount/cgraft-t/$1/$file" ] || { chown 1000:100 "$mount/cgraft-t/$1/$file"; chmod 600 "$mount/cgraft-t/$1/$file"; }
	done
}

# --- version 1 ---

# Before there are children: "a" is refused later, and children inherit the list.
devices_v1() {
	put . devices.deny a
	for rule in 'c 1:* rwm' 'c 5:1 rw' 'c *:* m' "b $disk0 r" "b $disk1 rw"; do
		put . devices.allow "$rule"
	done
}

# cpuset_v1 GROUP CPUS: without, no task can enter.
cpuset_v1() {
	put "$1" cpuset.cpus "$2"
	put "$1" cpuset.mems 0
}

cpuset_below() {
	cpuset_v1 "$1/$3" "$2"
}

values_v1() {
	put_all . <<-E
		cpu.shares 2048
		cpu.cfs_quota_us 150000
		cpuset.cpu_exclusive 1
		cpuset.mem_exclusive 1
		memory.limit_in_bytes 268435456
		memory.memsw.limit_in_bytes 314572800
		memory.swappiness 42
		pids.max 500
		net_cls.classid 1048577
		net_prio.ifpriomap lo 2
		net_prio.ifpriomap dummy0 3
		blkio.throttle.read_bps_device $disk0 10485760
		blkio.throttle.read_bps_device $disk1 20971520
		blkio.bfq.weight 400
		hugetlb.2MB.limit_in_bytes 67108864
		cpu.uclamp.max 90.5
	E
	put_all app <<-E
		cpu.cfs_period_us 50000
		cpu.cfs_quota_us 60000
		cpuset.cpu_exclusive 1
		memory.limit_in_bytes 134217728
		memory.memsw.limit_in_bytes 134217728
		memory.soft_limit_in_bytes 67108864
		memory.swappiness 60
		notify_on_release 1
		pids.max 400
	E
	put_all app/lead <<-E
		cpu.shares 512
		cpu.cfs_period_us 40000
		cpu.cfs_quota_us 40000
		cpu.cfs_burst_us 4000
		cpuset.cpu_exclusive 1
		cpuset.memory_migrate 1
		memory.limit_in_bytes 67108864
		memory.memsw.limit_in_bytes 100663296
		memory.swappiness 0
		notify_on_release 0
		devices.deny c 5:1 w
		net_cls.classid 4294967295
		blkio.throttle.write_bps_device $disk0 1
		blkio.throttle.read_iops_device $disk1 100
		blkio.throttle.write_iops_device $disk0 4294967294
		blkio.bfq.weight 250
		blkio.bfq.weight_device $disk1 300
		hugetlb.2MB.limit_in_bytes 4194304
		hugetlb.2MB.rsvd.limit_in_bytes 0
		hugetlb.1GB.limit_in_bytes 2147483648
		hugetlb.1GB.rsvd.limit_in_bytes 1073741824
		pids.max 100
	E
	put_all app/lead/kid <<-E
		cgroup.clone_children 1
		notify_on_release 1
		cpu.shares 2
		cpu.cfs_quota_us 20000
		cpu.uclamp.min 12.34
		cpuset.mem_hardwall 1
		cpuset.memory_spread_page 1
		cpuset.memory_spread_slab 1
		cpuset.sched_load_balance 0
		cpuset.sched_relax_domain_level 1
		memory.oom_control 1
		memory.move_charge_at_immigrate 3
		memory.kmem.tcp.limit_in_bytes 8388608
		net_prio.ifpriomap dummy0 0
		net_prio.ifpriomap lo 4294967295
		pids.max 0
	E
	# Inherited from kid by the next mkdir, so the default must be written for it.
	put app/lead/kid/deep memory.oom_control 0
	put app/lead/kid/deep/er devices.deny 'c *:* m'
	put app/lead/idle cpu.idle 1
	put app/lead/idle cpu.cfs_burst_us 1000000
	put 'app/lead/two words' cpu.shares 262144
	put 'app/lead/two words' memory.limit_in_bytes 0
	put "app/lead/$long" pids.max 4194304
	put "app/lead/co:lon,\\back" net_cls.classid 0
}

tasks_v1() {
	join app/lead leader
	join app/lead threads
	join app/lead/kid child
	join app/lead/kid/deep grandchild
	join app/lead/kid/deep one
	join app/lead/idle two
	join 'app/lead/two words' three
	join app/lead/cold four
	join 'app/lead/co:lon,\back' five
	join app/lead/owned web
	join app/lead/cold/inner idle
	# Threads apart, and not in the same way everywhere.
	join_thread app/lead/kid 1
	case $mount in
		*memory* | *systemd*) ;;
		*) join_thread app/lead/.hidden 2 ;;
	esac
}

side_v1() {
	make app/side
	cpuset_v1 app/side 1
	put app/side cpuset.cpu_exclusive 1
	make_all app/side "$below_side"
	each "$below_side" cpuset_below app/side 1
	put_all app/side/web <<-E
		cpu.shares 333
		memory.limit_in_bytes 33554432
		devices.deny b $disk1 rw
		pids.max 7
	E
	join app/side/web web
	join app/side/cold/inner idle
	delegate app/side/owned
	put app/side/cold freezer.state FROZEN
}

# build_v1 KIND: leader or wide.
build_v1() {
	mkdir "$mount/cgraft-t"
	devices_v1
	cpuset_v1 . 0-1
	make app
	cpuset_v1 app 0-1
	make app/lead
	cpuset_v1 app/lead 0
	make_all app/lead "$below_lead"
	each "$below_lead" cpuset_below app/lead 0
	values_v1
	tasks_v1
	delegate app/lead/owned
	[ "$1" = leader ] || side_v1
	put app/lead/cold freezer.state FROZEN
}

# --- version 2 ---

# on GROUP [CONTROLLER...]: hands controllers down; without any, all.
on() {
	group=$1
	shift
	[ $# -gt 0 ] || set -- $(cat "$mount/cgraft-t/$group/cgroup.controllers")
	for controller; do
		! grep -qw "$controller" "$mount/cgraft-t/$group/cgroup.controllers" || put "$group" cgroup.subtree_control "+$controller"
	done
}

threaded() {
	put "app/lead/$1" cgroup.type threaded
}

values_v2() {
	put_all . <<-E
		cpu.max 150000 100000
		cpu.weight 200
		cpuset.cpus 0-1
		cpuset.mems 0
		cpuset.cpus.exclusive 1
		memory.max 268435456
		memory.high 209715200
		memory.swap.max 67108864
		pids.max 500
		io.max $disk0 rbps=10485760 wiops=1000
		io.max $disk1 wbps=20971520
		io.weight default 300
		io.weight $disk0 250
		io.bfq.weight 400
		hugetlb.2MB.max 67108864
	E
	put_all app <<-E
		cpu.max max 50000
		cpuset.cpus 0-1
		cpuset.cpus.exclusive 1
		memory.max 134217728
		memory.low 4194304
		memory.min 1048576
		memory.swap.high 33554432
		memory.zswap.max 16777216
		memory.oom.group 1
		pids.max 400
	E
	put_all app/lead <<-E
		cpu.max 200000 40000
		cpu.max.burst 4000
		cpu.weight 50
		cpu.uclamp.max 90.5
		cpuset.cpus 0
		memory.max 67108864
		memory.high 50331648
		memory.low max
		memory.swap.max 0
		memory.zswap.writeback 0
		io.max $disk0 rbps=2 wbps=max riops=200 wiops=max
		io.weight 77
		io.bfq.weight default 250
		io.bfq.weight $disk1 300
		hugetlb.2MB.max 4194304
		hugetlb.2MB.rsvd.max 2097152
		hugetlb.1GB.max 2147483648
		hugetlb.1GB.rsvd.max 0
		pids.max 100
		cgroup.pressure 0
		cgroup.max.descendants 50
	E
	put_all app/lead/kid <<-E
		cpu.max 20000 100000
		cpu.weight 10000
		cpu.uclamp.min 12.34
		cpuset.cpus 0
		cpuset.mems 0
		pids.max 0
		cgroup.max.depth 2
	E
	put app/lead/idle cpu.idle 1
	put app/lead/idle cpu.max.burst 1000000
	put 'app/lead/two words' cpu.weight 1
	put "app/lead/$long" pids.max 4194304
}

# In lead everything is threaded: it holds tasks itself, so nothing else could have controllers.
tasks_v2() {
	join app/lead leader
	join app/lead threads
	join app/lead/kid child
	join app/lead/kid/deep grandchild
	join app/lead/kid/deep one
	join app/lead/idle two
	join 'app/lead/two words' three
	join app/lead/cold four
	join 'app/lead/co:lon,\back' five
	join app/lead/owned web
	join app/lead/cold/inner idle
	join_thread app/lead/kid/deep 1
	join_thread app/lead/.hidden 2
}

side_v2() {
	make app/side
	make_all app/side "$below_side"
	on app/side
	on app/side/cold
	put_all app/side/web <<-E
		cpu.weight 333
		memory.max 33554432
		memory.min 2097152
		memory.oom.group 1
		io.max $disk1 wiops=5
		io.weight $disk0 600
		pids.max 7
		cpuset.cpus 1
		cgroup.pressure 0
	E
	put app/side/idle cpu.idle 1
	put app/side/idle memory.high 0
	put 'app/side/two words' io.weight 'default 10000'
	join app/side/web web
	join app/side/cold/inner idle
	delegate app/side/owned
	put app/side/cold cgroup.freeze 1
}

build_v2() {
	mkdir "$mount/cgraft-t"
	on .
	make app
	on app
	make app/lead
	make_all app/lead "$below_lead"
	each "$below_lead" threaded
	for group in app/lead app/lead/kid app/lead/kid/deep app/lead/cold; do
		on $group cpu cpuset pids
	done
	values_v2
	tasks_v2
	delegate app/lead/owned
	[ "$1" = leader ] || side_v2
	# Exactly what is there: whoever restores this too early cannot make the groups.
	put app cgroup.max.depth 4
	put app cgroup.max.descendants $(($(find "$mount/cgraft-t/app" -type d | wc -l) - 1))
	put app/lead/cold cgroup.freeze 1
}

# --- all hierarchies ---

# build KIND: leader, or wide: with app/side.
build() {
	local mount
	for mount in $(hierarchies 1); do build_v1 "$1"; done
	for mount in $(hierarchies 2); do build_v2 "$1"; done
	settle
}

# Freezing takes a moment.
settle() {
	local mount
	for mount in $(hierarchies 1) $(hierarchies 2); do
		[ ! -d "$mount/cgraft-t" ] || while find "$mount/cgraft-t" -name freezer.state -exec cat {} + | grep -q FREEZING; do sleep 0.1; done
	done
}

# Moves the tasks to the root groups and removes cgraft-t everywhere.
destroy() {
	local mount
	for mount in $(hierarchies 1) $(hierarchies 2); do
		[ -d "$mount/cgraft-t" ] || continue
		find "$mount/cgraft-t" \( -name freezer.state -exec sh -c 'for f; do echo THAWED >"$f"; done' - {} + \) -o \
			\( -name cgroup.freeze -exec sh -c 'for f; do echo 0 >"$f"; done' - {} + \)
	done
	scatter
	for mount in $(hierarchies 1) $(hierarchies 2); do
		[ ! -d "$mount/cgraft-t" ] || find "$mount/cgraft-t" -depth -type d -exec rmdir {} \;
	done
}

scatter() {
	local mount
	while read -r name pid; do
		[ -d "/proc/$pid" ] || continue
		for mount in $(hierarchies 1) $(hierarchies 2); do
			echo "$pid" >"$mount/cgroup.procs"
		done
	done <$tasks
}
