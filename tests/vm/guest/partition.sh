# Partitions of CPUs on v2: local ones, isolated ones, and remote ones where the kernel knows cpuset.cpus.exclusive.
. /vm/lib.sh
. /vm/tree.sh
image=/run/img

# local_partition root|isolated: cgraft-t has CPU 1 for itself.
local_partition() {
	put . cpuset.cpus 1
	put . cpuset.cpus.partition "$1"
	put app cpuset.cpus 1
}

# The group below is the partition; its parent only gives the CPU away.
remote_partition() {
	put . cpuset.cpus.exclusive 1
	put app cpuset.cpus 1
	put app cpuset.cpus.exclusive 1
	put app cpuset.cpus.partition "$1"
}

# round_trip KIND TYPE
round_trip() {
	test="$1 partition, $2"
	mkdir -p "$mount/cgraft-t/app"
	on . cpuset
	if [ "$1" = remote ] && [ ! -e "$mount/cgraft-t/cpuset.cpus.exclusive" ]; then
		destroy
		return
	fi
	"$1_partition" "$2"
	join app one
	if ! grep -qx "$2" "$mount/cgraft-t/cpuset.cpus.partition" "$mount/cgraft-t/app/cpuset.cpus.partition"; then
		skip "this kernel makes none: $(cat "$mount"/cgraft-t/cpuset.cpus.partition "$mount"/cgraft-t/app/cpuset.cpus.partition)"
	else
		take before
		succeeds "dump" dump --cgroup /cgraft-t -i $image
		destroy
		succeeds "restore" restore -i $image
		as_before "after the restore"
	fi
	destroy
}

start_tasks
for mount in $(hierarchies 2); do
	grep -q cpuset "$mount/cgroup.controllers" || continue
	for type in root isolated; do
		round_trip local $type
		round_trip remote $type
	done
done
stop_tasks
finish
