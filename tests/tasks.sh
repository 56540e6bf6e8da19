#!/usr/bin/env bash
# How a restore finds the tasks of an image: by a map in a file, by their numbers in a pid namespace, where they belong by the
# groups of another process, and those that were forked since the dump. Last line: "N passed, N failed, N skipped".
# shellcheck source-path=SCRIPTDIR
# shellcheck disable=SC2086,SC2154 # lists of pids are split
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

# One hierarchy is enough for most: v1 pids, or else v2.
if at=$(hierarchy pids); then word=pids; else at=$(hierarchy unified) word=unified; fi
at_memory=$(hierarchy memory)

group_of() {
	awk -F: -v word="${2:-$word}" '{ count = split($2, names, ","); for (i = 1; i <= count; i++) if (names[i] == word) print $3 } $2 == "" && word == "unified" { print $3 }' "/proc/$1/cgroup" 2>/dev/null
}

says() {
	grep -q -- "$1" "$work/err"
}

# Ends everything in the test's groups, and removes them.
destroy() {
	local mount task
	for mount in "${mounts[@]}"; do
		for task in $(find "$mount/$group"* -name cgroup.procs -exec cat {} + 2>/dev/null); do
			kill -KILL "$task" 2>/dev/null
		done
	done
	[ ${#kept[@]} = 0 ] || kill -KILL "${kept[@]}" 2>/dev/null
	kept=()
	wait 2>/dev/null
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		remove_groups
		[ -n "$(left_groups)" ] || break
		sleep 0.1
	done
}

# sleeper NAME: a process with this name that sleeps until the end; its number in $pid.
sleeper() {
	cp "$(command -v sleep)" "$work/$1"
	"$work/$1" 100000 &
	pid=$!
	kept+=("$pid")
	until [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$1" ]; do sleep 0.01; done
}

# --- --pid-map-file

map_file() {
	local one two line
	mkdir -p "$at/$group/a" "$at/$group/b"
	sleeper one; one=$pid
	sleeper two; two=$pid
	echo $one >"$at/$group/a/cgroup.procs"
	echo $two >"$at/$group/b/cgroup.procs"
	"$CGRAFT" dump --cgroup "$word:/$group" -i "$work/img"
	sleeper three; three=$pid
	sleeper four; four=$pid
	printf '# who is who\n\n  %s:%s  # the first\n%s:%s\r\n' $one $three $two $four >"$work/map"
	succeeds "a map in a file" restore --pid-map-file "$work/map" -i "$work/img"
	check "both took their places" [ "$(group_of $three) $(group_of $four)" = "/$group/a /$group/b" ]
	printf '%s:%s' $two $three >"$work/map"
	succeeds "a pair of the command line and one of a file" restore --pid-map $one:$four --pid-map-file <(cat "$work/map") -i "$work/img"
	check "they changed places" [ "$(group_of $three) $(group_of $four)" = "/$group/b /$group/a" ]
	while read -r line; do
		printf '\n# x\n%b\n' "${line#* }" >"$work/map"
		refuses "a line ${line#* }" 2 "$work/map: line 3, column ${line%% *}: a process is mapped as OLD:NEW" -- \
			restore --pid-map-file "$work/map" -i "$work/img"
	done <<-'END'
		1 x
		3 12
		2 1
		3 1:
		3 1:x
		5 \t12:3:4
		1 :5
		1 99999999999:1
		2 1=2
	END
	sed -i '/^$/d' "$work/map"
	printf '%s:%s\n%s:%s\n' $one $three $one $four >"$work/map"
	refuses "a process that is given twice" 2 "line 2, column 1: the process of the image is given twice" -- restore --pid-map-file "$work/map" -i "$work/img"
	printf '%s:%s\n%s:%s\n' $one $three $two $three >"$work/map"
	refuses "a process that takes two places" 2 "the process takes two places" -- restore --pid-map-file "$work/map" -i "$work/img"
	printf '%s:%s\n%s:%s\n' $one $three $one $three >"$work/map"
	succeeds "the same pair twice" restore --pid-map-file "$work/map" -i "$work/img"
	printf '4000000:%s\n' $three >"$work/map"
	refuses "a process that is not of the image" 4 "the image has no such process" -- restore --pid-map-file "$work/map" -i "$work/img"
	printf '%s:4000000\n' $one >"$work/map"
	refuses "a process that does not run" 4 "there is no such process" -- restore --pid-map-file "$work/map" -i "$work/img"
	seq 16385 | sed 's/$/:1/' >"$work/map"
	refuses "more pairs than there is room for" 1 "processes of --pid-map" "limit 16384" "line 16385" -- restore --pid-map-file "$work/map" -i "$work/img"
	printf '%2000s\n' 1:2 >"$work/map"
	refuses "a line that is too long" 1 "line 1" "limit" -- restore --pid-map-file "$work/map" -i "$work/img"
	refuses "no file" "1" "none" "no such file" -- restore --pid-map-file "$work/none" -i "$work/img"
	refuses "a folder" "1" -- restore --pid-map-file "$work" -i "$work/img"
	refuses "another command" 2 -- dump --pid-map-file "$work/map" --all -i "$work/img"
	refuses "a map and --same-pids" 2 "exclude each other" -- restore --same-pids --pid-map 1:1 -i "$work/img"
	refuses "a map and --pidns" 2 "exclude each other" -- restore --pidns 1 --pid-map 1:1 -i "$work/img"
	destroy
}

# An image of ten thousand tasks and a map of all of them, backwards: each is looked up without going through the map.
large_map() {
	local before
	sleeper one
	python3 - "$tests" "$work/img" "$word" "$group" <<-'END' || { not_ok "an image of ten thousand tasks"; return; }
		import sys
		sys.path.insert(0, sys.argv[1])
		from handmade import *
		name, path = sys.argv[3], "/" + sys.argv[4]
		name = "" if name == "unified" else name
		member = text(1, name.encode()) + text(2, path.encode())
		sets = number(1, 2) + text(2, member)
		open(sys.argv[2], "wb").write(image(text(1, sets) + b"".join(
		    text(1001, number(1, pid) + number(2, pid) + number(4, 7) + text(5, b"x") + number(6, 2)) for pid in range(2, 10002))))
	END
	mkdir -p "$at/$group"
	seq 10001 -1 2 | sed "s/\$/:$pid/" >"$work/map"
	before=$(date +%s%N)
	refuses "ten thousand pairs, each with the same process" 2 "two places" -- restore --pid-map-file "$work/map" -i "$work/img"
	check "in less than 2 s" [ $((($(date +%s%N) - before) / 1000000)) -lt 2000 ]
	destroy
}

# --- --pidns

# tree FIFO: in a pid namespace of its own a process one, its child two and, of another namespace below, a third.
# shellcheck disable=SC2016 # the inner shells expand them
tree='"$1/one" 100000 & "$1/two" 100000 & "$1/two" 100000 & unshare --pid --fork "$1/deep" 100000 & echo; wait'

# start_tree: its first process as seen here in $init, all others in $inner, once they run.
start_tree() {
	local name
	for name in one two deep; do [ -e "$work/$name" ] || cp "$(command -v sleep)" "$work/$name"; done
	unshare --pid --fork --kill-child bash -c "$tree" tree "$work" >/dev/null &
	pid=$!
	kept+=("$pid")
	for _ in $(seq 100); do
		init=$(cat /proc/$pid/task/$pid/children 2>/dev/null)
		init=${init% }
		inner=$(echo $(below "$init"))
		[ "$(wc -w <<<"$inner")" != 5 ] || [ "$(cat /proc/${inner##* }/comm)" != deep ] || return 0
		sleep 0.05
	done
	not_ok "a tree in a pid namespace"
}

below() {
	local child
	for child in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do printf '%s %s' "$child" "$(below "$child")"; done
}

pid_namespace() {
	local first second at_a at_b all
	mkdir -p "$at/$group/a/b" "$at/$group/c"
	start_tree
	first=$init
	read -r one two _ sharer deep <<<"$inner"
	for task in $first $one $sharer $deep; do echo $task >"$at/$group/a/cgroup.procs"; done
	echo $two >"$at/$group/a/b/cgroup.procs"
	"$CGRAFT" dump -t "$first" -i "$work/img"
	echo $two >"$at/cgroup.procs"
	succeeds "the tree itself, by its numbers there" restore --pidns $first -i "$work/img"
	check "its task is back" [ "$(group_of $two)" = "/$group/a/b" ]
	kill -KILL $first
	wait $pid 2>/dev/null
	start_tree
	second=$init
	read -r one two three sharer deep <<<"$inner"
	succeeds "another tree with the same numbers in another namespace" restore --pidns $second -v3 -i "$work/img"
	check "its tasks are where the image says" [ "$(for task in $second $one $two $three $sharer; do group_of $task; done | tr '\n' ' ')" = "/$group/a /$group/a /$group/a/b / /$group/a " ]
	echo $second >"$at/cgroup.procs"
	succeeds "the namespace is that of any of its processes" restore --pidns $two -i "$work/img"
	check "its first is moved" [ "$(group_of $second)" = "/$group/a" ]
	# From inside: /proc shows the numbers that it has there, and they are those of the image.
	echo $two >"$at/cgroup.procs"
	nsenter --pid=/proc/$second/ns/pid unshare --mount --propagation private bash -c 'mount -t proc proc /proc && "$@"' x \
		"$CGRAFT" restore --pidns 1 -i "$work/img" >"$work/out" 2>"$work/err"
	check "from inside" [ "$?:$(group_of $two)" = "0:/$group/a/b" ]
	refuses "a namespace with other tasks" 4 "another task has its number" -- restore --pidns $$ -i "$work/img"
	refuses "no such process" 4 "--pidns 4194000" "there is no such process" -- restore --pidns 4194000 -i "$work/img"
	refuses "no number" 2 "not the number of a process" -- restore --pidns x -i "$work/img"
	# Whoever has another name is another task.
	kill -KILL $second
	wait $pid 2>/dev/null
	tree=${tree/'"$1/two"'/'"$1/one"'}
	start_tree
	second=$init
	read -r one two three _ <<<"$inner"
	cgraft restore --pidns $second -i "$work/img"
	check "one with another name only goes along with its parent" [ "$status:$(group_of $second):$(group_of $two)" = "0:/$group/a:/$group/a" ]
	check "that is said of it, and of the one that is number 1 in its own namespace" says "2 processes of the image are not in the pid namespace, or are others there"
	kill -KILL $second
	destroy
}

# has_threads WHAT: makes the program that starts threads; skips WHAT where that, or moving single threads, cannot be.
has_threads() {
	[ $word = pids ] || { skip "$1: v1 only"; return 1; }
	command -v gcc >/dev/null || { skip "$1: there is no gcc"; return 1; }
	gcc -O1 -pthread -o "$work/threads" "$tests/vm/threads.c"
}

# Threads by their numbers there, one of which has a group of its own.
pid_namespace_threads() {
	local init threads tid
	has_threads "threads in a pid namespace" || return
	mkdir -p "$at/$group/a" "$at/$group/b"
	threads() {
		unshare --pid --fork --kill-child "$work/threads" 20 >"$work/ids" &
		pid=$!
		kept+=("$pid")
		until [ "$(wc -l <"$work/ids")" = 21 ]; do sleep 0.05; done
		init=$(cat /proc/$pid/task/$pid/children)
		init=${init% }
	}
	threads
	echo $init >"$at/$group/a/cgroup.procs"
	tid=$(awk '/^NSpid:/ && $3 == 11 { print FILENAME }' /proc/$init/task/*/status | cut -d/ -f5)
	echo $tid >"$at/$group/b/tasks"
	"$CGRAFT" dump -t $init -i "$work/img"
	kill -KILL $init
	wait $pid 2>/dev/null
	threads
	succeeds "threads of another process" restore --pidns $init -i "$work/img"
	tid=$(awk '/^NSpid:/ && $3 == 11 { print FILENAME }' /proc/$init/task/*/status | cut -d/ -f5)
	check "the one with the same number is in its group" [ "$(cat "$at/$group/b/tasks")" = "$tid" ]
	check "the others are in theirs" [ "$(wc -l <"$at/$group/a/tasks")" = 20 ]
	kill -KILL $init
	destroy
}

# --- --like

like() {
	local one two job=$group-job
	mkdir -p "$at/$group/web/sub" "$at/$job/7/step_0"
	sleeper one; one=$pid
	sleeper two; two=$pid
	echo $one >"$at/$group/web/sub/cgroup.procs"
	echo 77 >"$at/$group/web/sub/pids.max" 2>/dev/null
	"$CGRAFT" dump --cgroup "$word:/$group/web" --no-ancestors -i "$work/img"
	echo $two >"$at/$job/7/step_0/cgroup.procs"
	succeeds "where a process is" restore --like $two -i "$work/img"
	check "the task is below its group" [ "$(group_of $one)" = "/$job/7/step_0/sub" ]
	check "and the values are" [ "$(cat "$at/$job/7/step_0/sub/pids.max" 2>/dev/null)" = 77 ]
	cgraft verify --like $two -i "$work/img"
	check "verify looks there" [ "$status" = 0 ]
	echo $one >"$at/cgroup.procs"
	cgraft verify --like $two -i "$work/img"
	check "verify tells the task" [ "$status" = 6 ]
	succeeds "attach goes there" attach -t $one --like $two -i "$work/img"
	check "the process is there" [ "$(group_of $one)" = "/$job/7/step_0/sub" ]
	"$CGRAFT" exec --like $two -i "$work/img" -- cat /proc/self/cgroup >"$work/out" 2>"$work/err"
	check "exec goes there" grep -q ":/$job/7/step_0/sub$" "$work/out"
	echo $one >"$at/cgroup.procs"
	succeeds "a root of its own wins" restore --like $two --cgroup-root "$word:/$group/other" -i "$work/img"
	check "the task is there" [ "$(group_of $one)" = "/$group/other/sub" ]
	echo $two >"$at/cgroup.procs"
	succeeds "a process in the root" restore --like $two -i "$work/img"
	check "nothing changes its place" [ "$(group_of $one)" = "/$group/web/sub" ]
	refuses "no such process" 4 "--like 4194000" "there is no such process" -- restore --like 4194000 -i "$work/img"
	refuses "no number" 2 "--like x" -- restore --like x -i "$work/img"
	# In a cgroup namespace that begins beside the process's group.
	echo $two >"$at/$job/7/step_0/cgroup.procs"
	mkdir -p "$at/$group/inside"
	wrap=(bash -c 'echo $$ >"$1/cgroup.procs"; shift; exec unshare --cgroup "$@"' x "$at/$group/inside")
	refuses "a process outside of the cgroup namespace" "4" "outside of this cgroup namespace" -- restore --like $two -i "$work/img"
	wrap=()
	destroy
}

# --- forked since the dump

# A process that forks every 5 ms, at most 400 times; each child forks one more, and both live for ten seconds.
forker='
import os, signal, sys, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
open(sys.argv[1], "w").close()
for i in range(400):
    if os.fork() == 0:
        os.fork()
        time.sleep(10)
        os._exit(0)
    time.sleep(0.005)
time.sleep(1000)
'

# members PID: the groups of a process and of all below it, each with their number.
members() {
	python3 - "$1" "$word" <<-'END'
		import collections, sys
		todo, groups = [sys.argv[1]], collections.Counter()
		while todo:
		    pid = todo.pop()
		    try:
		        todo += open(f"/proc/{pid}/task/{pid}/children").read().split()
		        for line in open(f"/proc/{pid}/cgroup"):
		            _, names, path = line.rstrip("\n").split(":", 2)
		            if sys.argv[2] in names.split(",") or (names == "" and sys.argv[2] == "unified"):
		                groups[path] += 1
		    except (FileNotFoundError, ProcessLookupError):
		        pass
		print(*(f"{path}:{count}" for path, count in sorted(groups.items())))
	END
}

forks() {
	local run wrong=0 few=0 undone=0 inside before
	for run in 1 2 3 4 5; do
		mkdir -p "$at/$group/a"
		python3 -c "$forker" "$work/forks" &
		pid=$!
		kept+=("$pid")
		echo $pid >"$at/$group/a/cgroup.procs"
		until [ -e "$work/forks" ]; do sleep 0.01; done
		"$CGRAFT" dump -t $pid -i "$work/img"
		echo $pid >"$at/cgroup.procs"
		sleep 0.3 # these are forked outside
		before=$(cat "$at/$group/a/cgroup.procs" | wc -l)
		cgraft restore --journal "$work/journal" -i "$work/img"
		[ "$status" = 0 ] || { wrong=$((wrong + 1)); echo "# exit $status: $(head -n 1 "$work/err")"; }
		inside=$(members $pid)
		[[ $inside == "/$group/a:"* && $inside != *" "* ]] || { wrong=$((wrong + 1)); echo "# $inside"; }
		[ "${inside##*:}" -gt $((before + 20)) ] || few=$((few + 1))
		cgraft undo "$work/journal"
		[ "$(group_of $pid)" = / ] || undone=$((undone + 1))
		rm -f "$work/journal" "$work/forks"
		destroy
	done
	check "five restores of a tree that forks: nobody is outside" [ $wrong = 0 ]
	check "more than twenty came along each time" [ $few = 0 ]
	check "an undo takes the first out again" [ $undone = 0 ]
}

# Those that were moved along are in the journal like the others.
forked_and_undone() {
	local leader late
	mkdir -p "$at/$group/a"
	mkfifo "$work/go"
	# shellcheck disable=SC2016 # the inner shells expand it
	bash -c 'read -r _ <"$0"; bash -c "sleep 100000 & sleep 100000 & wait" & wait' "$work/go" &
	leader=$!
	kept+=("$leader")
	echo $leader >"$at/$group/a/cgroup.procs"
	"$CGRAFT" dump -t $leader -i "$work/img"
	echo $leader >"$at/cgroup.procs"
	echo >"$work/go"
	until late=$(below $leader); [ "$(wc -w <<<"$late")" = 3 ]; do sleep 0.05; done
	cgraft restore --journal "$work/journal" -i "$work/img"
	check "a child and its children come along" [ "$status:$(members $leader)" = "0:/$group/a:4" ]
	check "they are counted" says "tasks joined 4"
	cgraft undo "$work/journal"
	check "undo takes them all out" [ "$status:$(members $leader)" = "0:/:4" ]
	rm "$work/journal"
	# One that somebody has put elsewhere stays there, and is told.
	mkdir -p "$at/$group-else"
	awk '{ print $NF }' <<<"$late" >"$at/$group-else/cgroup.procs"
	cgraft restore -v3 -i "$work/img"
	check "one that sits elsewhere stays" [ "$status:$(members $leader)" = "0:/$group-else:1 /$group/a:3" ]
	check "it is counted in a warning" says "sit outside of its groups: 1, "
	check "and told" says "forked since the dump by .* stays in group /$group-else"
	kill -KILL $leader $late 2>/dev/null
	destroy
}

# A restore by cgraft that is a child of the tree itself does not move itself along.
by_a_child() {
	mkdir -p "$at/$group/a"
	# shellcheck disable=SC2016 # the inner shell expands it
	bash -c 'echo $$ >"$1/cgroup.procs"; "$2" dump -t $$ -i "$3"; echo $$ >"$4/cgroup.procs"; "$2" restore -i "$3"; cat /proc/$$/cgroup' x \
		"$at/$group/a" "$CGRAFT" "$work/img" "$at" >"$work/out" 2>"$work/err"
	check "a restore by a task of the tree" grep -q ":/$group/a$" "$work/out"
	check "moves the tree and not itself" says "tasks joined 1$"
	destroy
}

# Of many processes it is not read one by one where they are, but each goes where it belongs, and back to where it was.
many() {
	local tree all other apart odd=0
	mkdir -p "$at/$group/a" "$at/$group/b" "$at/$group-else"
	bash -c 'for i in $(seq 600); do sleep 100000 & done; wait' 2>/dev/null &
	tree=$!
	kept+=("$tree")
	until all=$(tr ' ' '\n' <"/proc/$tree/task/$tree/children"); [ "$(wc -w <<<"$all")" = 600 ]; do sleep 0.1; done
	other=$(awk 'NR > 400 && NR % 3 == 0' <<<"$all")
	apart=$(awk 'NR % 50 == 7' <<<"$all")
	for task in $tree $all; do echo $task; done >"$work/all"
	bring "$at/$group/a" <"$work/all"
	bring "$at/$group/b" <<<"$other"
	"$CGRAFT" dump -t $tree -i "$work/img"
	# Some of them are elsewhere than the others, before and after those are listed.
	bring "$at" <"$work/all"
	bring "$at/$group-else" <<<"$apart"
	strace -e trace=openat,openat2 -o "$work/trace" "$CGRAFT" restore --journal "$work/journal" -i "$work/img" 2>"$work/err"
	check "600 processes: all are back" [ "$(members $tree)" = "/$group/a:534 /$group/b:67" ]
	for task in $other; do [ "$(group_of $task)" = "/$group/b" ] || odd=$((odd + 1)); done
	check "each of them in its group" [ $odd = 0 ]
	check "few of their lists of groups were read" [ "$(grep -cE '"[0-9/]+/cgroup"' "$work/trace")" -lt 300 ]
	cgraft restore -i "$work/img"
	check "another restore moves nobody" says "tasks joined 0$"
	cgraft undo "$work/journal"
	check "undo takes all out again" [ "$status:$(members $tree)" = "0:/:589 /$group-else:12" ]
	for task in $apart; do [ "$(group_of $task)" = "/$group-else" ] || odd=$((odd + 1)); done
	check "each to where it was" [ $odd = 0 ]
	# Many are where they belong, and others where those belong.
	bring "$at/$group/a" <"$work/all"
	cgraft restore -i "$work/img"
	check "from the groups of others: all are back" [ "$(members $tree)" = "/$group/a:534 /$group/b:67" ]
	check "who was at its place stayed" says "tasks joined 67$"
	bring "$at/$group/b" <"$work/all"
	bring "$at/$group/a" <<<"$other"
	cgraft restore -i "$work/img"
	check "all change their places" [ "$(members $tree)" = "/$group/a:534 /$group/b:67" ]
	for task in $other; do [ "$(group_of $task)" = "/$group/b" ] || odd=$((odd + 1)); done
	check "each goes to its own" [ $odd = 0 ]
	rm "$work/journal"
	kill -KILL $tree $all 2>/dev/null
	destroy
}

# Threads come along with their process, but for those that have a group of their own; the last look asks the leader only.
many_threads() {
	local way pid
	has_threads "many threads, some of them apart" || return
	mkdir -p "$at/$group/a" "$at/$group/b" "$at/$group-else"
	"$work/threads" 300 >"$work/all" &
	pid=$!
	kept+=("$pid")
	until [ "$(wc -l <"$work/all")" = 301 ]; do sleep 0.05; done
	awk 'NR % 3 == 2' "$work/all" >"$work/apart"
	awk 'NR % 50 == 7' "$work/all" >"$work/else"
	echo $pid >"$at/$group/a/cgroup.procs"
	bring "$at/$group/b" tasks <"$work/apart"
	sort "$at/$group/b/tasks" | cmp - <(sort "$work/apart") || { check "threads are apart" false; return; }
	"$CGRAFT" dump -t $pid --cgroup-dump-controller $word -i "$work/img"
	for way in "" --read-all; do
		echo $pid >"$at/cgroup.procs"
		bring "$at/$group-else" tasks <"$work/else"
		strace -e trace=openat,openat2 -o "$work/trace" "$CGRAFT" restore $way --journal "$work/journal" -i "$work/img" 2>"$work/err"
		check "301 threads, 100 of them apart: each is in its group $way" \
			[ "$(wc -l <"$at/$group/a/tasks"):$(sort "$at/$group/b/tasks" | cmp - <(sort "$work/apart"))" = 201: ]
		check "where they are is read of few of them $way" [ "$(grep -cE '"[0-9/]+/cgroup"' "$work/trace")" -lt 160 ]
		# Where the process was, and in the last look where the threads apart are; --read-all: the others, too.
		check "lists of threads $way" [ "$(grep -c '"tasks", O_RDONLY' "$work/trace")" = "$([ -z "$way" ] && echo 2 || echo 3)" ]
		cgraft restore -i "$work/img"
		check "another restore moves nobody $way" says "tasks joined 0$"
		cgraft undo "$work/journal"
		check "undo takes all out again $way" [ "$status:$(wc -l <"$at/$group/a/tasks"):$(wc -l <"$at/$group/b/tasks")" = 0:0:0 ]
		check "each to where it was $way" cmp <(sort "$work/else") <(sort "$at/$group-else/tasks")
	done
	rm "$work/journal"
	whole_process "$pid"
	kill -KILL $pid
	wait $pid 2>/dev/null
	destroy
}

# A process whose threads are all in one group: that is seen from the group, without /proc's list of them. One that is elsewhere,
# or nobody who says whose a task is: the list is read.
whole_process() {
	local why else inject seen
	while read -r why else inject seen; do
		echo "$1" >"$at/$group/b/cgroup.procs"
		[ "$else" = 0 ] || tail -n "$else" "$work/all" | bring "$at/$group-else" tasks
		# shellcheck disable=SC2086 # none or one
		strace -y -e trace=getdents64,tgkill ${inject#-} -o "$work/trace" "$CGRAFT" restore --journal "$work/journal" -i "$work/img" 2>"$work/err"
		check "$why: whether it is asked for each thread, and /proc's list is read" \
			[ "$(grep -c "^tgkill($1, [0-9]*, 0)" "$work/trace"):$(grep -q "^getdents64([0-9]*</proc/$1/task>" "$work/trace" && echo read)" = "$seen" ]
		check "$why: all are there" [ "$(wc -l <"$at/$group/a/tasks"):$(wc -l <"$at/$group/b/tasks")" = 201:100 ]
		cgraft undo "$work/journal"
		check "$why: all are back" [ "$status:$(wc -l <"$at/$group/b/tasks"):$(wc -l <"$at/$group-else/tasks")" = "0:$((301 - else)):$else" ]
		rm "$work/journal"
	done <<-END
		together 0 - 301:
		one-is-elsewhere 1 - 300:read
		nobody-says 0 --einject=tgkill:error=EPERM 301:read
	END
}

# bring GROUP [FILE]: moves the processes of its input there, or by another file than cgroup.procs.
bring() {
	while read -r task; do echo "$task" >"$1/${2:-cgroup.procs}"; done
}

start tasks
for run in map_file large_map pid_namespace pid_namespace_threads like forks forked_and_undone by_a_child many many_threads; do
	echo "# $run"
	$run
done
