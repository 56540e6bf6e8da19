# Groups of v1 hierarchies are dumped, to be restored where the same controllers are in v2: across-v2.sh.
# Carried on to 6.12 v2 by across-v2.sh
. /vm/lib.sh
test=across
top=cgraft-t
disk=$(cat /sys/block/nvme0n1/dev)

# put GROUP FILE VALUE: into the hierarchy that has the file.
put() {
	for mount in $(hierarchies 1); do
		[ ! -e "$mount/$top/$1/$2" ] || { echo "$3" >"$mount/$top/$1/$2" || not_ok "$2 does not take $3"; return; }
	done
	not_ok "there is no $2"
}

# enter GROUP PID [MOUNT...]: in all hierarchies, or in these.
enter() {
	where=$1 who=$2
	shift 2
	for mount in ${*:-$(hierarchies 1)}; do
		echo "$who" >"$mount/$top/$where/cgroup.procs" || not_ok "cannot enter $mount/$top/$where"
	done
}

# started: a process that sleeps, in $pid.
started() {
	sleep 100000 &
	pid=$!
}

for mount in $(hierarchies 1); do
	mkdir "$mount/$top"
	[ ! -e "$mount/$top/cpuset.mems" ] || for list in cpuset.cpus cpuset.mems; do cat "$mount/$list" >"$mount/$top/$list"; done
	for group in web web/app web/db ice; do
		mkdir "$mount/$top/$group"
		[ ! -e "$mount/$top/cpuset.mems" ] || for list in cpuset.cpus cpuset.mems; do cat "$mount/$list" >"$mount/$top/$group/$list"; done
	done
	for file in . cgroup.procs tasks; do
		chown 100:101 "$mount/$top/web/app/$file"
	done
done
put web memory.limit_in_bytes 67108864
put web memory.memsw.limit_in_bytes 100663296
put web memory.soft_limit_in_bytes 33554432
put web cpu.shares 512
put web cpu.cfs_period_us 200000
put web cpu.cfs_quota_us 50000
put web cpu.cfs_burst_us 10000
put web pids.max 77
put web hugetlb.2MB.limit_in_bytes 4194304
put web/app cpu.shares 2048
put web/app cpuset.cpus 1
put web/app blkio.throttle.read_bps_device "$disk 1048576"
put web/app blkio.throttle.write_iops_device "$disk 500"
put web/db blkio.bfq.weight 200
put web/db memory.limit_in_bytes 33554432
put ice freezer.state FROZEN
# What v2 does not have: four values, as across-v2.sh counts them. The rules for devices become a program.
put web net_cls.classid 1048577
put web memory.swappiness 10
put web/db notify_on_release 1
put web/db net_prio.ifpriomap "lo 3"
put web/app devices.deny a
put web/app devices.allow "c 1:3 rwm"

started
app=$pid
enter web/app "$app"
started
enter web/db "$pid"
printf '%s\n' "$app" "$pid" >/run/across.pids
succeeds "dump" dump --cgroup /$top -i /run/across.img
# Where a task is in two groups.
started
enter web/app "$pid"
enter web/db "$pid" "$(hierarchies 1 | grep '/cpu,')"
enter web "$pid" "$(hierarchies 1 | grep '/pids$')"
echo "$pid" >/run/apart.pids
succeeds "dump a task in several groups" dump -t "$pid" -i /run/apart.img
kill "$pid"
started
enter web "$pid"
echo "$pid" >/run/inner.pids
succeeds "dump a task above others" dump --cgroup /$top -i /run/inner.img
echo "$disk" >/run/across.disk
carry /run/across.disk /run/across.img /run/across.pids /run/apart.img /run/apart.pids /run/inner.img /run/inner.pids
[ $failed = 0 ]
