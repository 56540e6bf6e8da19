#!/usr/bin/env bash
# restore --freeze: nobody forks while tasks are moved, tasks of all kinds go through the frozen group, and whatever happens nobody stays
# frozen: failures of every call, signals, kill -9. Last line: "N passed, N failed, N skipped".
# shellcheck source-path=SCRIPTDIR
# shellcheck disable=SC2154 # checks.sh sets work, group and status
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
start freeze
command -v strace >/dev/null || { skip "freeze: there is no strace"; exit; }
if ! cpu=$(hierarchy cpu) || ! pids=$(hierarchy pids) || ! freezer=$(hierarchy freezer); then
	skip "freeze: v1 with cpu, pids and freezer is not here"
	exit
fi
[ "$cpu" != "$freezer" ] || { skip "freeze: the freezer is mounted with others"; exit; }
places=("$cpu" "$pids" "$freezer")
storm=
trap 'end_storm; rmdir "$freezer"/cgraft-frozen-* 2>/dev/null; leave' EXIT
gcc -O2 -o "$work/storm" "$tests/storm.c" || { not_ok "storm.c"; exit; }

end_storm() {
	[ -z "$storm" ] || kill -KILL -- "-$storm" 2>/dev/null
	[ -z "$storm" ] || wait 2>/dev/null
	storm=
}

# storm WORKERS PAUSE: one that runs in GROUP/a of all hierarchies; its number is in $storm, those of its children in $workers.
storm() {
	local mount
	: >"$work/log"
	for mount in "${places[@]}"; do mkdir -p "$mount/$group/a" "$mount/$group/lost"; done
	rm -f "$work/ready"
	mkfifo "$work/ready"
	bash -c 'for mount in "${@:4}"; do echo $$ >"$mount/cgroup.procs"; done; exec "$1/storm" "$2" "$3" "$1/log"' \
		storm "$work" "$1" "$2" "${places[@]/%//$group/a}" >"$work/ready" &
	read -r storm workers <"$work/ready"
	"$CGRAFT" dump -t "$storm" "${only[@]}" -i "$work/image" || exit 1
}
only=(--cgroup-dump-controller cpu --cgroup-dump-controller pids --cgroup-dump-controller freezer)

# members FOLDER: how many processes are in this group of each hierarchy.
members() {
	local mount
	for mount in "${places[@]}"; do wc -l <"$mount/$group/$1/cgroup.procs"; done | tr '\n' ' '
}

# Moves everybody out of GROUP/a into GROUP/lost: until nobody is left there.
lose() {
	local mount task tries
	for mount in "${places[@]}"; do
		for ((tries = 0; tries < 50; tries++)); do
			[ -n "$(cat "$mount/$group/a/cgroup.procs")" ] || break
			while read -r task; do echo "$task" >"$mount/$group/lost/cgroup.procs"; done <"$mount/$group/a/cgroup.procs"
		done
	done 2>/dev/null
}

# Nobody is frozen, or in a group of cgraft's own, and there is none.
nobody_is_frozen() {
	local what=$1 left
	left=$(find "${mounts[@]}" -maxdepth 1 -name 'cgraft-frozen-*'; cat "$freezer/$group"/*/freezer.state | grep -v THAWED)
	if [ -z "$left" ]; then ok "$what: nobody is frozen, no group is left"; else not_ok "$what: left: $left"; fi
}

# forks: how often the storm has forked.
forks() { wc -l <"$work/log"; }
goes_on() {
	local before
	before=$(forks)
	sleep 0.2
	check "$1: the storm goes on" [ "$(forks)" -gt "$before" ]
}

# --- All that a storm forks comes along, and none of it forks between the first moment in which all have stopped and the first move out.
exact() {
	local before
	storm 10 15
	lose
	before=$(members lost)
	strace -o "$work/trace" -ttt -f "$CGRAFT" restore --freeze --phase join -i "$work/image" 2>"$work/err"
	status=$?
	check "a storm of ${before% * * } processes: exit 0" [ "$status" = 0 ]
	check "and nobody is left outside, of $before" [ "$(members lost)" = "0 0 0 " ]
	check "all are in" grep -Eq '^[1-9][0-9]+ [1-9][0-9]+ [1-9][0-9]+ $' <<<"$(members a)"
	nobody_is_frozen storm
	goes_on storm
	check "nobody forks while they are moved" python3 - "$work/trace" "$work/log" <<'P'
import re, sys
at = lambda line: float(line.split()[1])
lines = [line for line in open(sys.argv[1]) if " write(" in line or " read(" in line]
stopped = [at(line) for line in lines if '"FROZEN\\n"' in line and " read(" in line]
# Moves after all had stopped; the last third of them takes processes out of the frozen group, and these run again.
moves = [at(line) for line in lines if re.search(r' write\(\d+, "\d+", ', line) and stopped and at(line) > stopped[-1]]
forks = [float(line) for line in open(sys.argv[2])]
assert len(moves) >= 33, len(moves)
held = moves[:len(moves) * 2 // 3]
assert not [fork for fork in forks if stopped[-1] < fork < held[-1]], "forks"
assert [fork for fork in forks if fork < stopped[-1]] and [fork for fork in forks if fork > moves[-1]]
P
	# The same without: the log can tell.
	lose
	strace -o "$work/trace" -ttt -f "$CGRAFT" restore --phase join -i "$work/image" 2>"$work/err"
	check "without --freeze they fork meanwhile" python3 - "$work/trace" "$work/log" <<'P'
import re, sys
moves = [float(line.split()[1]) for line in open(sys.argv[1]) if re.search(r' write\(\d+, "\d+", ', line)]
assert [line for line in open(sys.argv[2]) if moves[0] < float(line) < moves[-1]]
P
	end_storm
}

# --- What is where it belongs is not frozen; a dry run tells in one line, and freezes nothing.
quiet() {
	local tries written
	storm 2 20
	"$CGRAFT" dump -t "$storm" "${only[@]:0:4}" -i "$work/other"
	for ((tries = 0; tries < 5; tries++)); do # who exits meanwhile is shown in the root, so it seems to be elsewhere
		strace -f -o "$work/trace" "$CGRAFT" restore --freeze --phase join -i "$work/image" 2>"$work/err"
		status=$? written=$(grep -E 'mkdirat|write\([0-9]+, "(FROZEN|[0-9]+)"' "$work/trace")
		[ $status = 0 ] && [ -n "$written" ] || break
	done
	check "what is at its place: exit 0" [ $status = 0 ]
	check "and it makes no group, and writes nothing" [ -z "$written" ]
	lose
	cgraft restore --freeze --phase join --dry-run -i "$work/image"
	check "a dry run: exit 0" [ "$status" = 0 ]
	check "it says so, before the moves" grep -q '^freeze in freezer:/cgraft-frozen-' <(head -n 1 "$work/out")
	check "and moves" grep -q '^move pid' "$work/out"
	nobody_is_frozen "a dry run"
	check "nobody was moved" [ "$(members a)" = "0 0 0 " ]
	# Whose group in the freezer is not in the image comes back.
	succeeds "an image without the freezer's hierarchy" restore --freeze --phase join -i "$work/other"
	check "all are in" [ "$(cat "$cpu/$group/lost/cgroup.procs" "$pids/$group/lost/cgroup.procs" | wc -l)" = 0 ]
	check "in the freezer all are where they were" [ "$(wc -l <"$freezer/$group/a/cgroup.procs")" = 0 ]
	nobody_is_frozen "an image without the freezer's hierarchy"
	goes_on "an image without the freezer's hierarchy"
	end_storm
}

# --- Threads in groups of their own, and cgraft itself, which does not freeze itself.
threads() {
	local mount
	for mount in "${places[@]}"; do mkdir -p "$mount/$group/a" "$mount/$group/b" "$mount/$group/lost"; done
	python3 - "$work/ready2" <<'P' &
import os, sys, threading, time
for _ in range(3):
    threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
print(*sorted(int(tid) for tid in os.listdir("/proc/self/task")), file=open(sys.argv[1], "w"), flush=True)
time.sleep(1000)
P
	kept+=("$!")
	until [ -s "$work/ready2" ]; do sleep 0.02; done
	read -r one two three four <"$work/ready2"
	for mount in "${places[@]}"; do
		echo "$one" >"$mount/$group/a/cgroup.procs"
		echo "$three" >"$mount/$group/b/tasks"
	done
	"$CGRAFT" dump -t "$one" "${only[@]}" -i "$work/image" || exit 1
	of() { sed -n "s/^[0-9]*:\(cpu\|pids\|freezer\)\(,[^:]*\)*://p" "/proc/$1/task/$2/cgroup" | sort -u | tr '\n' ' '; }
	for mount in "${places[@]}"; do echo "$one" >"$mount/$group/lost/cgroup.procs"; done
	echo "$four" >"$freezer/$group/a/tasks"
	succeeds "threads in groups of their own" restore --freeze --phase join -i "$work/image"
	for task in "$one" "$two" "$four"; do check "thread $task is with its leader" [ "$(of "$one" "$task")" = "/$group/a " ]; done
	check "one is where it was" [ "$(of "$one" "$three")" = "/$group/b " ]
	nobody_is_frozen threads
	# Failure: threads come back to where they were.
	for mount in "${places[@]}"; do echo "$one" >"$mount/$group/lost/cgroup.procs"; done
	echo "$four" >"$freezer/$group/a/tasks"
	strace -f -o /dev/null -e inject=write:error=EIO:when=6 "$CGRAFT" restore --freeze --phase join -i "$work/image" 2>"$work/err"
	check "a failure: exit 1" [ $? = 1 ]
	check "all of them are back" [ "$(of "$one" "$one") $(of "$one" "$two") $(of "$one" "$three") $(of "$one" "$four")" = \
		"/$group/lost  /$group/lost  /$group/lost  /$group/a /$group/lost " ]
	nobody_is_frozen "threads, a failure"
	kill -KILL "$one"
	wait "$one" 2>/dev/null
	# shellcheck disable=SC2016 # the inner shell expands it
	timeout -k 1 20 bash -c 'exec "$1" restore --freeze --phase join --pid-map "$2:$$" -i "$3"' itself "$CGRAFT" "$one" "$work/image" 2>"$work/err"
	check "cgraft does not freeze itself: exit 0" [ $? = 0 ]
	nobody_is_frozen "cgraft itself"
}

# where: each process of the storm that lives long, with its groups.
where() {
	local task
	for task in $storm $workers; do
		echo "$task $(grep -E ':(cpu|pids|freezer)[,:]' "/proc/$task/cgroup" | cut -d : -f 3 | sort -u | tr '\n' ' ')"
	done
}

# --- Each call that changes something fails once, and is the last one before kill -9 once.
every_call() {
	local calls call number end
	storm 2 40
	lose
	where >"$work/before"
	strace -f -o "$work/trace" -e trace=mkdirat,write,unlinkat "$CGRAFT" restore --freeze --phase join -i "$work/image" 2>/dev/null
	where >"$work/after"
	check "before and after differ" [ "$(cat "$work/before")" != "$(cat "$work/after")" ]
	for call in mkdirat write unlinkat; do
		calls=$(grep -c " $call(" "$work/trace")
		wrong=()
		for ((number = 1; number <= calls; number++)); do
			lose
			strace -f -o /dev/null -e inject=$call:error=EIO:when=$number "$CGRAFT" restore --freeze --phase join -i "$work/image" 2>"$work/err"
			end=$?
			where >"$work/now"
			[ -z "$(find "$freezer" -maxdepth 1 -name 'cgraft-frozen-*')" ] || wrong+=("$number leaves a group")
			rmdir "$freezer"/cgraft-frozen-* 2>/dev/null
			case $end in
			0) cmp -s "$work/after" "$work/now" || wrong+=("$number: exit 0") ;;
			1) cmp -s "$work/before" "$work/now" || wrong+=("$number: exit 1: $(head -c 200 "$work/err")") ;;
			*) wrong+=("$number: exit $end: $(head -c 200 "$work/err")") ;;
			esac
		done
		if [ ${#wrong[@]} = 0 ]; then ok "each of $calls $call fails once"; else not_ok "each of $calls $call fails once: ${wrong[*]}"; fi
		wrong=()
		for ((number = 1; number <= calls; number++)); do
			lose
			rm -f "$work/journal"
			{ strace -f -o /dev/null -e inject=$call:signal=KILL:when=$number "$CGRAFT" \
				restore --freeze --phase join --journal "$work/journal" -i "$work/image"; } 2>/dev/null
			[ $? = 137 ] || continue
			[ "$(head -c 9 "$work/journal" | tail -c 1)" = o ] || continue # it was complete
			if ((number % 2)); then
				"$CGRAFT" undo "$work/journal" 2>"$work/err" || wrong+=("$number: undo: $(head -c 200 "$work/err")")
				where >"$work/now"
				cmp -s "$work/before" "$work/now" || wrong+=("$number: undo: $(cat "$work/now")")
			else
				"$CGRAFT" restore --freeze --phase join --journal "$work/journal" -i "$work/image" 2>"$work/err" ||
					wrong+=("$number: going on: $(head -c 200 "$work/err")")
				where >"$work/now"
				cmp -s "$work/after" "$work/now" || wrong+=("$number: going on: $(cat "$work/now")")
			fi
			[ -z "$(find "$freezer" -maxdepth 1 -name 'cgraft-frozen-*')" ] || wrong+=("$number leaves a group")
			rmdir "$freezer"/cgraft-frozen-* 2>/dev/null
		done
		if [ ${#wrong[@]} = 0 ]; then ok "killed at each of $calls $call"; else not_ok "killed at each of $calls $call: ${wrong[*]}"; fi
	done
	nobody_is_frozen "failures"
	goes_on "failures"
	end_storm
}

# slowly COMMAND...: a restore below this command that waits when it has made its group; its number is in $slow, that of strace in $run.
slowly() {
	strace -f -o /dev/null -e inject=mkdirat:delay_exit=500000 "$@" "$CGRAFT" restore --freeze --phase join -i "$work/image" \
		>/dev/null 2>"$work/err" &
	run=$!
	until slow=$(compgen -G "$freezer/cgraft-frozen-*"); do sleep 0.02; done
	slow=${slow##*-}
}

# --- Signals take it back, unless they are ignored.
signals() {
	local signal run slow
	storm 2 40
	for signal in HUP INT QUIT TERM; do
		lose
		where >"$work/before"
		slowly env --default-signal=INT,QUIT
		kill -"$signal" "$slow"
		wait "$run"
		check "SIG$signal: exit 1" [ $? = 1 ]
		check "SIG$signal: it says so" grep -q 'stopped by a signal' "$work/err"
		where >"$work/now"
		check "SIG$signal: all are where they were" cmp -s "$work/before" "$work/now"
		nobody_is_frozen "SIG$signal"
	done
	lose
	slowly nohup
	kill -HUP "$slow"
	wait "$run"
	check "an ignored signal: exit 0" [ $? = 0 ]
	nobody_is_frozen "an ignored signal"
	end_storm
}

# --- Nothing that freezes.
no_freezer() {
	local mount
	for mount in "$cpu" "$pids"; do keep "$mount" "$group/a"; done
	echo "$pid" >"$cpu/$group/a/cgroup.procs"
	mkdir "$work/yard" "$work/yard/cpu" "$work/yard/pids"
	privately "mount --bind $cpu $work/yard/cpu; mount --bind $pids $work/yard/pids"
	"$CGRAFT" dump -t "$pid" "${only[@]:0:4}" -i "$work/image"
	echo "$pid" >"$cpu/$group/lost/cgroup.procs"
	refuses "no freezer" 4 "--freeze" "freezes tasks" -- restore --freeze --phase join --cgroup-yard "$work/yard" -i "$work/image"
	wrap=()
}

exact
quiet
threads
every_call
signals
no_freezer
