#!/usr/bin/env bash
# state: what the groups below each GROUP hold, as text, read with nothing but find and the shell.
#
#   state.sh GROUP...   GROUP is a folder such as /sys/fs/cgroup/cpu/cgraft-x/web
#
# One line for each group (mode, owner) and one for each file that CRIU 4.2 saves (mode, owner, value, newlines
# as |); of memory.oom_control only the flag counts. Shares no code with cgraft or CRIU.
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

NAMES=(-name cgroup.procs -o -name tasks)
for file in $FILES; do NAMES+=(-o -name "$file"); done

# the file's text on one line, into $text
value() {
	local lines
	text=
	case $1 in
		*/cgroup.procs | */tasks) return ;;
		*/memory.oom_control) mapfile -n 1 -t lines < "$1" ;;
		*) mapfile -t lines < "$1" ;;
	esac
	[ ${#lines[@]} = 0 ] || printf -v text '%s|' "${lines[@]}"
}

for head; do
	[ -d "$head" ] || { echo "$head is not there"; continue; }
	find "$head" \( -type d -o -type f \( "${NAMES[@]}" \) \) -printf '%p\t%y %m %U:%G\0' | sort -z | while IFS= read -r -d '' entry; do
		path=${entry%$'\t'*} about=${entry##*$'\t'}
		case $about in
			d*) echo "$path $about" ;;
			*) value "$path"; echo "$path $about $text" ;;
		esac
	done
done
