# Random trees: dump, destroy, restore, compare every configuration file and every membership. Argument: a seed; without, the
# kernel command line says which and how many: cgraft.seed=FIRST cgraft.seeds=COUNT.
. /vm/lib.sh
. /vm/tree.sh
image=/run/img
sep=$(printf '\001')

# What the kernel command line says after cgraft.NAME=, or a default.
given() {
	value=$(sed -n "s/.*\<cgraft\.$1=\([0-9]*\).*/\1/p" /proc/cmdline)
	echo "${value:-$2}"
}

# Every file of the table that a fresh group has, for random.awk.
list_files() {
	for mount in $(hierarchies 1) $(hierarchies 2); do
		version=1
		[ ! -e "$mount/cgroup.controllers" ] || version=2
		mkdir "$mount/cgraft-f"
		(cd "$mount/cgraft-f" && ls) | sed "s|.*|$version$tab&$tab$mount|"
		rmdir "$mount/cgraft-f"
	done | awk -F "$tab" -f /vm/classify.awk /vm/properties.md - | sed -n "s/^saved$tab//p" | while IFS=$tab read -r version file mount; do
		controllers=
		[ $version = 1 ] || read -r controllers <"$mount/cgroup.controllers"
		echo "$mount$tab$version$tab$controllers$tab$file"
	done
}

# carry_out PLAN
carry_out() {
	groups=0 written=0 refused=0
	while IFS=$sep read -r op path value; do
		case $op in
			mkdir) groups=$((groups + 1)); mkdir "$path" || not_ok "mkdir $path" ;;
			must) echo "$value" >"$path" || not_ok "this kernel refuses $value in $path" ;;
			put)
				written=$((written + 1))
				echo "$value" 2>/dev/null >"$path" || { refused=$((refused + 1)); echo "$path: $value" >>/run/refused; }
				;;
			part) make_partition "$path" "$value" ;;
			join)
				eval "pid=\$pid_$value"
				echo "$pid" >"$path/cgroup.procs" || not_ok "cannot move $value to $path"
				;;
			thread)
				eval "tid=\$tid_$value"
				file=tasks
				[ -e "$path/tasks" ] || file=cgroup.threads
				echo "$tid" >"$path/$file" || not_ok "cannot move thread $value to $path"
				;;
			mode) chmod "$value" "$path" ;;
			owner) chown "$value" "$path" ;;
			*) not_ok "the plan says: $op $path" ;;
		esac
	done <"$1"
}

# A partition that is none has no value of its own: the reason depends on what happened before.
make_partition() {
	echo "$2" >"$1"
	case $(cat "$1") in
		*invalid*) echo member >"$1" ;;
	esac
}

# What is wrong with the seed goes to /run/wrong; nothing when all is well.
try() {
	awk -v seed="$1" -v sep="$sep" -v disk0="$disk0" -v disk1="$disk1" -f /vm/random.awk /run/files >/run/plan
	carry_out /run/plan
	settle
	take before
	total_groups=$((total_groups + groups)) total_written=$((total_written + written)) total_refused=$((total_refused + refused))
	step dump --cgroup /cgraft-t -i $image && destroy && step restore -i $image && settle && compare
	destroy
}

step() {
	cgraft "$@"
	[ $status = 0 ] || { echo "exit $status from cgraft $1"; head -n 5 /run/err; } >>/run/wrong
	return $status
}

compare() {
	take after
	for what in values members mounts; do
		cmp -s /run/$what.before /run/$what.after || {
			echo "other $what after the restore:"
			diff -U 0 /run/$what.before /run/$what.after | grep '^[-+][^-+]' | head -n 12
		} >>/run/wrong
	done
}

seed=${1:-$(given seed 1)}
seeds=$(given seeds 10)
[ $# = 0 ] || seeds=1
end=$((seed + seeds))
good=0 total_groups=0 total_written=0 total_refused=0
start_tasks
# The one odd name that there cannot be (cgroup_mkdir: /proc/PID/cgroup has a line for each).
test="random, a name with a newline"
for mount in $(hierarchies 1) $(hierarchies 2); do
	if mkdir "$mount/cgraft-t$(printf '\n.')" 2>/dev/null; then not_ok "the kernel takes it, and no tree has one"; fi
done
list_files >/run/files
: >/run/refused
while [ "$seed" -lt "$end" ]; do
	test="random, seed $seed"
	: >/run/wrong
	before=$failed
	try "$seed"
	if [ -s /run/wrong ]; then
		not_ok "repeat with: CGRAFT_SEED=$seed CGRAFT_SEEDS=1 scripts/vm $(uname -r | cut -d. -f1,2) $(sed 's/.*cgraft\.layout=\([^ ]*\).*/\1/' /proc/cmdline) random.sh"
		cat /run/wrong
	fi
	[ $failed != "$before" ] || good=$((good + 1))
	seed=$((seed + 1))
done
test=random
echo "# $total_groups groups, $total_written values, $total_refused of them refused by the kernel: $(sed 's|.*/\([^/]*\): .*|\1|' /run/refused | sort | uniq -c | sort -rn | head -n 12 | xargs)"
[ $good = 0 ] || ok "$good random trees came back as they were"
if [ $((total_refused * 5)) -gt $total_written ]; then
	not_ok "the kernel refuses more than a fifth of the values"
fi
stop_tasks
finish
