# restore --freeze with a process tree that keeps forking, on whatever freezes here: cgroup.freeze of v2, or the freezer of v1. Also
# threads in threaded groups, and kill -9 at any time.
. /vm/lib.sh
test=freeze
image=/tmp/image
tops=
for mount in $(hierarchies 1) $(hierarchies 2); do
	mkdir -p "$mount/cgraft-t/a" "$mount/cgraft-t/lost"
	for group in cgraft-t cgraft-t/a cgraft-t/lost; do
		[ ! -e "$mount/$group/cpuset.mems" ] || [ -e "$mount/cgroup.controllers" ] || {
			cat "$mount/cpuset.cpus" >"$mount/$group/cpuset.cpus"
			cat "$mount/cpuset.mems" >"$mount/$group/cpuset.mems"
		}
	done
	tops="$tops $mount/cgraft-t"
done
v2=$(hierarchies 2)

# put GROUP PID
put() {
	for top in $tops; do echo "$2" >"$top/$1/cgroup.procs"; done 2>/dev/null
}

# inside GROUP: the processes that are there in any hierarchy.
inside() {
	for top in $tops; do cat "$top/$1/cgroup.procs"; done | sort -un
}

lose() {
	while [ -n "$(inside a)" ]; do
		for task in $(inside a); do put lost "$task"; done
	done
}

# where: the processes that live long, with their groups.
where() {
	for task in $storm $workers; do
		echo "$task $(cut -d : -f 3 "/proc/$task/cgroup" | grep -v '^/$' | sort -u | tr '\n' ' ')"
	done
}

nobody_is_frozen() {
	left=$(find /sys/fs/cgroup -name 'cgraft-frozen-*'; for top in $tops; do cat "$top"/*/freezer.state; done 2>/dev/null | grep -v THAWED)
	[ -z "$v2" ] || left=$left$(cat "$v2"/cgraft-t/*/cgroup.events 2>/dev/null | grep 'frozen 1')
	if [ -z "$left" ]; then ok "$1: nobody is frozen"; else not_ok "$1: left: $left"; fi
	before=$(wc -l </run/log)
	sleep 1
	if [ "$(wc -l </run/log)" -gt "$before" ]; then ok "$1: they go on"; else not_ok "$1: they do not go on"; fi
}

: >/run/ready
storm 3 100 /run/log >/run/ready &
until [ "$(wc -l </run/ready)" = 1 ]; do sleep 0.1; done
read -r storm workers </run/ready
put a "$storm"
until [ -z "$(for task in $(cat /proc/[0-9]*/task/*/children 2>/dev/null); do [ "$(cat "/proc/$task/comm" 2>/dev/null)" != storm ] || cat "/proc/$task/cgroup"; done 2>/dev/null | grep -v cgraft-t/a | grep -v '^[0-9]*:[^:]*:/$' | head -n 1)" ] &&
	[ "$(for task in $workers; do grep -c cgraft-t/a "/proc/$task/cgroup"; done | sort -u)" = "$(grep -c cgraft-t/a "/proc/$storm/cgroup")" ]; do
	for task in $(cat /proc/[0-9]*/task/*/children 2>/dev/null); do
		[ "$(cat "/proc/$task/comm" 2>/dev/null)" != storm ] || put a "$task"
	done
done
cgraft dump -t "$storm" -i $image
if [ $status = 0 ]; then ok "a dump"; else not_ok "a dump"; head -n 3 /run/err; fi
where >/run/wanted
lose
where >/run/lost
cgraft restore --freeze --phase join --journal /run/journal -i $image
if [ $status = 0 ]; then ok "restored"; else not_ok "restored: exit $status"; head -n 3 /run/err; fi
where >/run/now
same "all are where they were" /run/wanted /run/now
if [ -z "$(inside lost)" ]; then ok "nobody is left outside"; else not_ok "left outside: $(inside lost | wc -l)"; fi
if grep -q cgraft-frozen- /run/journal; then ok "they went through a frozen group"; else not_ok "no frozen group"; fi
nobody_is_frozen restored

# Killed at any time: taken back, or gone on with.
wrong= killed=0
for round in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
	lose
	rm -f /run/journal
	/bin/cgraft restore --freeze --phase join --journal /run/journal -i $image >/dev/null 2>&1 &
	run=$!
	usleep $((round * 12000))
	kill -KILL $run 2>/dev/null
	wait $run 2>/dev/null
	[ -e /run/journal ] && [ "$(head -c 9 /run/journal | tail -c 1)" = o ] || continue
	killed=$((killed + 1))
	if [ $((round % 2)) = 0 ]; then
		cgraft undo /run/journal
		expected=/run/lost
	else
		cgraft restore --freeze --phase join --journal /run/journal -i $image
		expected=/run/wanted
	fi
	where >/run/now
	[ $status = 0 ] && cmp -s $expected /run/now && [ -z "$(find /sys/fs/cgroup -name 'cgraft-frozen-*')" ] ||
		wrong="$wrong $round: exit $status, $(head -n 2 /run/err), $(cat /run/now)"
done
if [ -z "$wrong" ] && [ $killed -gt 3 ]; then ok "killed at any time"; else not_ok "killed at any time, $killed times:$wrong"; fi
nobody_is_frozen "killed"
kill -KILL "-$storm"
wait 2>/dev/null

# Threads of one process in threaded groups.
if [ -n "$v2" ]; then
	pool=$v2/cgraft-t/pool
	mkdir -p "$pool/t1" "$pool/t2"
	echo threaded >"$pool/t1/cgroup.type"
	echo threaded >"$pool/t2/cgroup.type"
	: >/run/threads
	threads 2 >/run/threads &
	pid_threads=$!
	until [ "$(wc -l </run/threads)" = 3 ]; do sleep 0.1; done
	echo "$pid_threads" >"$pool/cgroup.procs"
	sed -n 2p /run/threads >"$pool/t1/cgroup.threads"
	sed -n 3p /run/threads >"$pool/t2/cgroup.threads"
	of() { while read -r task; do sed -n 's/^0:://p' "/proc/$pid_threads/task/$task/cgroup"; done </run/threads; }
	of >/run/wanted
	cgraft dump -t "$pid_threads" --cgroup-dump-controller unified -i $image
	echo "$pid_threads" >"$v2/cgraft-t/lost/cgroup.procs"
	cgraft restore --freeze --phase join --journal /run/journal2 -i $image
	of >/run/now
	if [ $status = 0 ]; then ok "threads"; else not_ok "threads: exit $status"; head -n 3 /run/err; fi
	same "threads are where they were" /run/wanted /run/now
	if grep -q cgraft-frozen- /run/journal2; then ok "they went through a frozen group"; else not_ok "no frozen group"; fi
	kill -KILL $pid_threads
	wait 2>/dev/null
fi
for top in $tops; do
	for round in 1 2 3 4 5 6 7 8 9 10; do
		find "$top" -depth -type d -exec rmdir {} \; 2>/dev/null
		[ -e "$top" ] || break
		sleep 0.2
	done
done
finish
