# On the chroot of scripts/peers. A tree of processes and threads is dumped by CRIU and ended, its groups are removed; CRIU restores it
# without groups, in a fresh group, and cgraft puts every thread and every value where they were.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
. /vm/lib.sh
. /vm/tree.sh
criu_dump=/run/criu
image=/run/img

# As start_tasks of lib.sh, but in a session of its own, as CRIU wants it, and with tasks that sleep on when CRIU woke them.
start_session() {
	rm -f $tasks /run/started
	sed 's|sleep 100000|threads 0 >/dev/null|' /vm/leader.sh >/run/leader.sh
	setsid sh /run/leader.sh </dev/null >/run/leader.log 2>&1 &
	leader=$!
	until [ -e /run/started ]; do sleep 0.1; done
	echo "leader $leader" >>$tasks
	eval "$(sed 's/^\(.*\) /pid_\1=/' $tasks)"
	tid_1=$(sed -n 2p /run/threads)
	tid_2=$(sed -n 3p /run/threads)
}

# A tree with limits under which CRIU can work in the tasks: it has them run code of its own.
grow() {
	for mount in $(hierarchies 1) $(hierarchies 2); do
		mkdir "$mount/cgraft-t"
		[ ! -e "$mount/cgraft-t/cgroup.subtree_control" ] || on .
		[ ! -e "$mount/cgraft-t/cpuset.mems" ] || cpuset_v1 . 0-1
		for group in app app/lead app/lead/kid 'app/lead/two words'; do
			make "$group"
			[ ! -e "$mount/cgraft-t/tasks" ] || cpuset_v1 "$group" 0
			case $mount:$group in /sys/fs/cgroup:app | */unified:app) on app ;; esac
		done
		[ -e "$mount/cgraft-t/tasks" ] || { threaded kid; threaded 'two words'; on app/lead cpu cpuset pids; }
		put_all app <<-V
			memory.limit_in_bytes 268435456
			memory.max 268435456
			memory.high 134217728
			cpu.shares 2048
			cpu.weight 200
			pids.max 500
		V
		put_all app/lead <<-V
			memory.soft_limit_in_bytes 67108864
			memory.low 4194304
			cpu.cfs_quota_us 90000
			cpu.max 90000 100000
			pids.max 100
			notify_on_release 0
		V
		put_all app/lead/kid <<-V
			cpu.shares 77
			cpu.weight 77
			pids.max 33
			memory.swappiness 5
		V
		for name in leader threads one two; do join app/lead $name; done
		for name in child grandchild three; do join app/lead/kid $name; done
		for name in four five web idle; do join 'app/lead/two words' $name; done
		join_thread app/lead/kid 1
		join_thread 'app/lead/two words' 2
		delegate 'app/lead/two words'
	done
}

# With all threads in their leader's set: CRIU 4.2 moves threads that are apart in mode ignore as well, and fails.
join_threads() {
	rm -rf /run/joined
	cp -r $criu_dump /run/joined
	for tid in $tid_1 $tid_2; do
		core=/run/joined/core-$tid.img
		crit decode -i $core | jq 'del(.entries[0].thread_core.cg_set)' >/run/core.json && crit encode -i /run/core.json -o $core
	done
}

# ends_well WHAT LOG COMMAND...
ends_well() {
	what=$1
	log=$2
	shift 2
	if "$@" >/run/said 2>&1; then ok "$what"; else not_ok "$what: $(grep -s Error "$log" | tail -n 3)"; fi
}

enter_fresh() {
	for mount in $(hierarchies 1) $(hierarchies 2); do
		mkdir -p "$mount/cgraft-fresh"
		[ ! -e "$mount/cgraft-fresh/cpuset.sched_load_balance" ] || { cat "$mount/cpuset.cpus" >"$mount/cgraft-fresh/cpuset.cpus"; cat "$mount/cpuset.mems" >"$mount/cgraft-fresh/cpuset.mems"; }
		echo $$ >"$mount/cgraft-fresh/cgroup.procs"
	done
}

leave_fresh() {
	for mount in $(hierarchies 1) $(hierarchies 2); do
		echo $$ >"$mount/cgroup.procs"
		rmdir "$mount/cgraft-fresh"
	done
}

for module in nfnetlink libcrc32c nf_tables inet_diag tcp_diag udp_diag raw_diag unix_diag netlink_diag af_packet_diag; do
	[ ! -s /vm/$module.ko ] || insmod /vm/$module.ko
done
busybox ifconfig lo up
test=criu
start_session
grow
mkdir -p $criu_dump
ends_well "criu dump" $criu_dump/dump.log criu dump -t "$pid_leader" --leave-running --manage-cgroups=full -D $criu_dump -o dump.log -v4
succeeds "a dump of every value" dump -t "$pid_leader" --no-tasks -i $image
take before
threads=$(cut -f 2 /run/members.before | sort -u | wc -l)
if [ "$threads" = $(($(wc -l <$tasks) + 2)) ]; then ok "all $threads threads live"; else not_ok "only $threads threads live"; fi
join_threads
stop_tasks
destroy
enter_fresh
ends_well "criu restore without groups" /run/joined/restore.log criu restore -d --manage-cgroups=ignore -D /run/joined -o restore.log -v4
members /run/members.fresh
sed "s|$tab/.*|$tab/cgraft-fresh|" /run/members.before >/run/members.fresh.wanted
same "CRIU restored all threads in its own group" /run/members.fresh.wanted /run/members.fresh
succeeds "the values" restore -i $image --phase create,limit
succeeds "the tasks" restore -D $criu_dump --phase join,limit
summary "groups created" 0
as_before "after the repair"
leave_fresh
destroy
stop_tasks
finish
