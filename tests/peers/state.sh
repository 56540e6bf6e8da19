#!/usr/bin/env bash
# state: what the groups below each GROUP hold, as text, read with nothing but find, stat and cat.
#
#   state.sh GROUP...   GROUP is a folder such as /sys/fs/cgroup/cpu/cgraft-x/web
#
# One line for each group (mode, owner) and one for each file that CRIU 4.2 saves (mode, owner, value);
# of memory.oom_control only the flag counts. Shares no code with cgraft or CRIU.
set -u
export LC_ALL=C
FILES='cpu.shares cpu.cfs_period_us cpu.cfs_quota_us cpu.rt_period_us cpu.rt_runtime_us
memory.limit_in_bytes memory.memsw.limit_in_bytes memory.swappiness memory.soft_limit_in_bytes
memory.move_charge_at_immigrate memory.oom_control memory.use_hierarchy memory.kmem.limit_in_bytes
memory.kmem.tcp.limit_in_bytes
cpuset.cpus cpuset.mems cpuset.memory_migrate cpuset.cpu_exclusive cpuset.mem_exclusive cpuset.mem_hardwall
cpuset.memory_spread_page cpuset.memory_spread_slab cpuset.sched_load_balance cpuset.sched_relax_domain_level
blkio.weight net_cls.classid net_prio.ifpriomap pids.max devices.list
cgroup.clone_children notify_on_release
cgroup.subtree_control cgroup.max.descendants cgroup.max.depth cgroup.freeze cgroup.type'

value() { # the file's text on one line
	case $1 in
		*/memory.oom_control) head -n 1 "$1" ;;
		*) cat "$1" ;;
	esac | tr '\n' '|'
}

group() {
	stat -c '%n %a %u:%g' "$1"
	for file in $FILES cgroup.procs tasks; do
		[ -e "$1/$file" ] || continue
		case $file in
			cgroup.procs | tasks) stat -c '%n %a %u:%g' "$1/$file" ;;
			*) printf '%s %s\n' "$(stat -c '%n %a %u:%g' "$1/$file")" "$(value "$1/$file")" ;;
		esac
	done
}

for head; do
	find "$head" -type d -print0 | sort -z | while IFS= read -r -d '' dir; do group "$dir"; done
done
