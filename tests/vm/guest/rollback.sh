# A restore that fails changes nothing: what it made is gone, what it wrote or moved is put back.
. /vm/lib.sh
. /vm/tree.sh
image=/run/img

# A host with some of the groups, other values in them, and tasks at work there.
half_a_tree() {
	for mount in $(hierarchies 1 | grep -v devices) $(hierarchies 2); do
		mkdir -p "$mount/cgraft-t/app"
		cpuset_v1 . 0-1
		cpuset_v1 app 0-1
		put_all . <<-E
			pids.max 77
			cpu.max 70000 70000
			cpu.cfs_quota_us 70000
			memory.max 70000000
			memory.limit_in_bytes 70000000
			net_prio.ifpriomap lo 7
		E
		put app notify_on_release 1
		chmod 700 "$mount/cgraft-t/app"
		join app web
		join app child
	done
}

# fails WHAT CODES [WORD]: the restore must exit with one of the codes, name WORD, and leave everything as it was.
fails() {
	take before
	cgraft restore -i $image
	case " $2 " in
		*" $status "*) ok "$1: exit $status" ;;
		*) not_ok "$1: exit $status, not one of $2"; head -n 20 /run/err ;;
	esac
	if grep -q -- "${3:-.}" /run/err; then
		ok "$1: says why"
	else
		not_ok "$1: does not name ${3:-anything}"; head -n 5 /run/err
		head -n 20 /run/err
	fi
	as_before "$1"
}

# --- an image that is none ---

damaged_images() {
	cp $image /run/good
	head -c 1000 /run/good >$image
	fails "truncated image" 3
	size=$(wc -c </run/good)
	{ head -c $((size / 2)) /run/good; printf '\377\0\001'; tail -c +$((size / 2 + 4)) /run/good; } >$image
	fails "damaged image" 3
	echo "not an image" >$image
	fails "not an image" 3
	rm $image
	fails "no image" "1 3" $image
	cp /run/good $image
}

# --- a host on which it cannot work ---

# v1: an exclusive CPU set is refused, after the tasks have joined, when another group has the CPU.
cpu_is_taken() {
	mount=$(hierarchies 1 | grep cpuset) || return 0
	mkdir "$mount/cgraft-x"
	echo 0 >"$mount/cgraft-x/cpuset.cpus"
	fails "CPU taken by an exclusive sibling" "1 4" cpuset
	rmdir "$mount/cgraft-x"
}

# v2: half the groups can be made, then the kernel says EAGAIN.
too_many_groups() {
	for mount in $(hierarchies 2); do
		echo 4 >"$mount/cgraft-t/cgroup.max.descendants"
		fails "too many groups" "1 4" cgraft-t
		echo max >"$mount/cgraft-t/cgroup.max.descendants"
	done
}

# v2: a stranger sits where controllers must be handed down.
stranger_inside() {
	for mount in $(hierarchies 2); do
		grep -qE 'memory|io|hugetlb' "$mount/cgroup.controllers" || continue
		sleep 100000 &
		stranger=$!
		echo "stranger $stranger" >>$tasks
		echo $stranger >"$mount/cgraft-t/app/cgroup.procs"
		fails "a stranger in an inner group" "1 4" app
		kill $stranger
		wait $stranger 2>/dev/null
		sed -i '/^stranger /d' $tasks
	done
}

# Everywhere: a limit for a disk that is no longer there.
disk_is_gone() {
	echo 1 >/sys/block/nvme1n1/device/device/remove
	fails "disk gone" "1 4" "$disk1"
}

test=rollback
start_tasks
build wide
cgraft dump --cgroup /cgraft-t -i $image
[ $status = 0 ] || { not_ok "dump"; head -n 20 /run/err; }
destroy
half_a_tree
damaged_images
cpu_is_taken
too_many_groups
stranger_inside
disk_is_gone
destroy
stop_tasks
finish
