# Dump, destroy, restore, compare: every configuration file, every membership, every cgroup mount.
. /vm/lib.sh
. /vm/tree.sh
image=/run/img

groups_before() {
	grep -c "$tab\.$tab" /run/values.before
}

# begin TEST KIND: tasks and tree.
begin() {
	test=$1
	start_tasks
	build "$2"
	take before
}

end() {
	destroy
	stop_tasks
}

# dump_destroy_restore ARGUMENT...: what to dump.
dump_destroy_restore() {
	succeeds "dump" dump "$@" -i $image
	as_before "after the dump"
	destroy
	succeeds "restore" restore -i $image
	settle
}

# Other values, one group less, a task elsewhere: a restore puts all of it right.
spoil() {
	for mount in $(hierarchies 1) $(hierarchies 2); do
		rmdir "$mount/cgraft-t/app/lead/empty"
		put_all app/lead <<-E
			cpu.shares 1024
			cpu.weight 100
			memory.limit_in_bytes 33554432
			memory.memsw.limit_in_bytes 33554432
			memory.high max
			pids.max max
			net_cls.classid 7
			blkio.throttle.read_iops_device $disk0 9
			io.max $disk1 rbps=4096
			notify_on_release 1
		E
		put app pids.max 300
		put app/lead/cold freezer.state THAWED
		put app/lead/cold cgroup.freeze 0
		chmod 700 "$mount/cgraft-t/app/lead/owned"
		join app/lead/kid one
	done
}

# The leader's group, its ancestors and all below, found through the process tree.
from_a_process() {
	begin "dump -t" leader
	dump_destroy_restore -t "$pid_leader"
	summary "groups created" "$(groups_before)" skipped 0
	as_before "after the restore"

	succeeds "restore again" restore -i $image
	summary "groups created" 0 "values written" 0 skipped 0
	as_before "after the second restore"

	spoil
	succeeds "restore over other values" restore -i $image
	settle
	as_before "after a restore over other values"

	destroy
	stop_tasks
	succeeds "restore without the tasks" restore -i $image
	summary "groups created" "$(groups_before)" "tasks joined" 0
	snapshot /run/values.after
	same "without the tasks: same values" /run/values.before /run/values.after
	end
}

# A subtree by its name, with everything in it.
from_a_path() {
	begin "dump --cgroup" wide
	dump_destroy_restore --cgroup /cgraft-t
	summary "groups created" "$(groups_before)" skipped 0
	as_before "after the restore"

	# On v2 controllers can only be handed down after these have left. The rules of devices cannot be put into a
	# group that has children already.
	destroy
	for mount in $(hierarchies 1 | grep -v devices) $(hierarchies 2); do
		mkdir -p "$mount/cgraft-t/app"
		cpuset_v1 . 0-1
		cpuset_v1 app 0-1
		join app leader
		join app web
	done
	succeeds "restore over tasks in inner groups" restore -i $image
	settle
	as_before "after a restore over tasks in inner groups"
	end
}

# A task in a group beside the leader's: the image holds both groups, their ancestors, and nothing else.
from_scattered_tasks() {
	begin "dump -t, groups apart" wide
	dump_destroy_restore -t "$pid_leader"
	awk -F "$tab" '
		$2 ~ "^/cgraft-t(/app(/side(/web|/cold(/inner)?)?)?)?$" { print; next }
		$2 ~ "^/cgraft-t/app/lead(/|$)"
	' /run/values.before >/run/values.expected
	mv /run/values.expected /run/values.before
	as_before "after the restore"
	end
}

from_a_process
from_a_path
from_scattered_tasks
finish
