#!/usr/bin/env bash
# Cgroup namespaces: where one begins is in the image, and a running task that has lost its own is told; dump and restore from inside
# of one, with the mounts that a container has; bind-mounted subtrees; no mounts at all. Works on private groups of pids and v2.
# Last line: "N passed, N failed, N skipped".
# shellcheck source-path=SCRIPTDIR
# shellcheck disable=SC2154 # checks.sh sets status, pid and work
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

both=()                        # mount points of pids and of v2

make() {
	local at
	for at in "${both[@]}"; do mkdir -p "$at/$group/$1"; done
}

into() {
	local at
	for at in "${both[@]}"; do echo "$2" >"$at/$1/cgroup.procs"; done
}

is() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1: '$2', not '$3': $(head -c 300 "$work/err")"; fi; }
says() { if grep -q -- "$2" "$work/err"; then ok "$1"; else not_ok "$1: $(head -c 300 "$work/err")"; fi; }

# namespaced ROOT GROUP: a task in GROUP whose cgroup namespace begins at ROOT, in both hierarchies; its id in $pid.
namespaced() {
	# shellcheck disable=SC2016 # the inner shell expands it
	bash -c 'for at in "$2" "$3"; do echo $$ >"$at/$1/cgroup.procs"; done; exec unshare --cgroup sleep 100000' x "$1" "${both[@]}" &
	pid=$!
	kept+=("$pid")
	until [ "$(cat "/proc/$pid/comm")" = sleep ]; do sleep 0.05; done
	into "$2" "$pid"
}

groups_of() {
	sed -n 's/^[0-9]*:pids://p; s/^0:://p' "/proc/$1/cgroup" | tr '\n' ' '
}

# prefixes IMAGE: each path of pids and v2 with its cgns_prefix, or none.
prefixes() {
	"$CGRAFT" decode "$1" | grep -oE '\{"name": "(pids)?", "path": "[^"]*"(, "cgns_prefix": [0-9]+)?' | sed 's/.*"path": //' | sort -u | tr '\n' ' '
}

lost='tasks that are not in a cgroup namespace as in the image:'

# --- a task that has its namespace keeps it; another one cannot be given it, and that is said ---

a_running_task() {
	local prefix old other
	make a/b
	namespaced "$group/a" "$group/a/b"
	old=$pid
	succeeds "dump" dump -t "$old" --no-ancestors -i "$work/image"
	prefix=$(printf /%s/a "$group" | wc -c)
	is "the namespace's root is in the image" "$(prefixes "$work/image")" "\"/$group/a/b\", \"cgns_prefix\": $prefix "
	into . "$old"
	remove_groups
	cgraft restore -i "$work/image"
	is "the same task: exit" "$status" 0
	is "the same task is back" "$(groups_of "$old")" "/$group/a/b /$group/a/b "
	# Its namespace's root was removed with the group, and is none any more: a group of the same name is another one.
	says "its namespace went with its group: said" "^cgraft: $lost 1, the first is $old; a running task cannot be given one"
	into . "$old"

	namespaced "$group/a" "$group/a/b"
	old=$pid
	succeeds "dump of another task" dump -t "$old" --no-ancestors -i "$work/image"
	into . "$old"
	cgraft restore -i "$work/image"
	is "a task that has its namespace: exit" "$status" 0
	is "a task that has its namespace is back" "$(groups_of "$old")" "/$group/a/b /$group/a/b "
	is "a task that has its namespace: nothing is said but the sum" "$(wc -l <"$work/err")" 1
	cgraft restore -i "$work/image"
	is "once more: nothing is said but the sum" "$status:$(wc -l <"$work/err")" 0:1

	keep "${both[0]}" .
	other=$pid
	replaces "no namespace of its own" "$other" 1
	namespaced "$group/a/b" .
	replaces "a namespace that begins elsewhere" "$pid" 1
	namespaced . .
	replaces "a namespace that begins at the root" "$pid" 1
	namespaced "$group/a" .
	replaces "a namespace that begins at the same place" "$pid" 0
	cgraft restore --pid-map "$old:$pid" --cgroup-root "/$group/a/b/c" -i "$work/image"
	is "in another place: exit" "$status" 0
	says "in another place a namespace does not fit" "$lost 1, the first is $pid"
}

# replaces WHAT NEW LOST: the task NEW takes the place of $old; LOST tasks are told.
replaces() {
	cgraft restore --pid-map "$old:$2" -i "$work/image"
	is "$1: exit" "$status" 0
	is "$1: the task is there" "$(groups_of "$2")" "/$group/a/b /$group/a/b "
	is "$1: $3 lost" "$(grep -c "$lost $3, the first is $2; a running task cannot be given one" "$work/err"):$(wc -l <"$work/err")" "$3:$((1 + $3))"
}

# A namespace made at / has the prefix 0, which CRIU 4.2 takes for none.
made_at_the_root() {
	local old
	make a
	namespaced . "$group/a"
	old=$pid
	succeeds "made at /: dump" dump -t "$old" --no-ancestors -i "$work/image"
	is "made at /: is in the image" "$(prefixes "$work/image")" "\"/$group/a\", \"cgns_prefix\": 0 "
	into . "$old"
	cgraft restore -i "$work/image"
	is "made at /: the task has it still" "$status:$(groups_of "$old"):$(wc -l <"$work/err")" "0:/$group/a /$group/a :1"
	keep "${both[0]}" .
	cgraft restore --pid-map "$old:$pid" -i "$work/image"
	says "made at /: another task has none" "$lost 1, "
}

# Threads have namespaces of their own; each is counted.
every_task_counts() {
	local first
	make a
	namespaced "$group/a" "$group/a"
	first=$pid
	namespaced "$group/a" "$group/a"
	succeeds "two tasks: dump" dump -t "$first" -t "$pid" --no-ancestors -i "$work/image"
	local second=$pid
	keep "${both[0]}" .
	local one=$pid
	keep "${both[0]}" .
	cgraft restore --pid-map "$first:$one" --pid-map "$second:$pid" -i "$work/image"
	says "two tasks: one line for both" "$lost 2, the first is $one;"
	cgraft restore --pid-map "$first:$first" --pid-map "$second:$pid" -i "$work/image"
	says "two tasks: one has it" "$lost 1, the first is $pid;"
}

# --- from inside ---

# inside SCRIPT: runs it in a cgroup namespace at $group/a with mounts of its own, as a container has them: $at1 is pids, $at2 v2.
# Tasks are started outside, in a/b; $one and $two are their ids, $out that of a task in $group.
inside() {
	# shellcheck disable=SC2016 # the inner shells expand them
	at0=${both[0]} at00=${both[1]} group=$group work=$work CGRAFT=$CGRAFT one=$one two=$two out=$out script=$1 bash -c '
		echo $$ >"$at0/$group/a/cgroup.procs"
		echo $$ >"$at00/$group/a/cgroup.procs"
		exec unshare --cgroup --mount --propagation private bash -c '"'"'
			at1=$work/mounts/pids at2=$work/mounts/unified
			mkdir -p "$at1" "$at2"
			while umount -l /sys/fs/cgroup 2>/dev/null; do :; done
			mount -t cgroup -o pids cgroup "$at1" && mount -t cgroup2 cgroup2 "$at2" || exit 99
			eval "$script"'"'"
}

from_inside() {
	local one two out at
	make a/b/c
	for at in one two out; do
		keep "${both[0]}" .
		printf -v $at %s "$pid"
	done
	into "$group/a/b" "$one"
	into "$group/a/b/c" "$two"
	into "$group" "$out"
	echo 55 >"${both[0]}/$group/a/b/pids.max"
	echo 44 >"${both[0]}/$group/a/b/c/pids.max"
	echo 3 >"${both[1]}/$group/a/b/cgroup.max.depth"
	chown 1000:1000 "${both[0]}/$group/a/b/c"
	state_with_values >"$work/before"
	# shellcheck disable=SC2016 # the inner shell expands them
	inside '
		"$CGRAFT" dump -t $one -t $two -i "$work/image" 2>"$work/err"
		echo "dump $?"
		"$CGRAFT" dump -t $out -i "$work/none" 2>"$work/err.out"
		echo "outside $?"
		for at in "$at1" "$at2"; do
			for task in $one $two; do echo $task >"$at/cgroup.procs"; done
			rmdir "$at/b/c" "$at/b"
		done
		"$CGRAFT" restore -i "$work/image" 2>"$work/err"
		echo "restore $?"' >"$work/codes"
	state_with_values >"$work/after"
	is "inside: codes of dump, of a task outside, of restore" "$(tr '\n' ' ' <"$work/codes")" "dump 0 outside 4 restore 0 "
	is "inside: paths begin at the namespace" "$(prefixes "$work/image")" '"/b" "/b/c" '
	check "inside: everything is as it was" cmp -s "$work/before" "$work/after"
	diff "$work/before" "$work/after" | head -n 6
	says "inside: the sum" "groups created 4, found 0, .* skipped 0, tasks joined 2$"
	cp "$work/err.out" "$work/err"
	check "inside: a task outside is one line" one_line "process $out" "outside of this cgroup namespace"

	# A task that left the namespace: nobody in it could say where it was.
	into "$group" "$two"
	state_with_values >"$work/before"
	# shellcheck disable=SC2016 # the inner shell expands them
	inside '"$CGRAFT" restore -i "$work/image" 2>"$work/err"; echo $?' >"$work/codes"
	state_with_values >"$work/after"
	is "inside: a task that has left: exit" "$(cat "$work/codes")" 4
	check "inside: a task that has left is one line" one_line "task $two" "outside of this cgroup namespace"
	check "inside: and it is not moved" cmp -s "$work/before" "$work/after"
	into "$group/a/b/c" "$two"

	# A container that sees its hierarchies by the host's mounts only: what lies in its namespace is reached without them.
	# shellcheck disable=SC2016 # the inner shells expand them
	wrap=(bash -c 'for at in "$0" "$1"; do echo $$ >"$at/$2/a/cgroup.procs"; done; shift 2; exec unshare --cgroup "$@"' "${both[@]}" "$group")
	succeeds "inside, mounts of the host: restore" restore -i "$work/image"
	succeeds "inside, mounts of the host: dump" dump -t "$one" -i "$work/none"
	check "inside, mounts of the host: nothing is left out" [ ! -s "$work/err" ]
	is "inside, mounts of the host: paths begin at the namespace" "$(prefixes "$work/none")" '"/b" '
	wrap=()
}

# --- bind-mounted subtrees, and no mounts ---

only_subtrees() {
	local at script=
	make a/b
	echo 33 >"${both[0]}/$group/a/b/pids.max"
	state_with_values >"$work/want"
	mkdir -p "$work/bind/pids" "$work/bind/unified"
	script="mount --bind '${both[0]}/$group/a' '$work/bind/pids'; mount --bind '${both[1]}/$group/a' '$work/bind/unified'
		while umount -l /sys/fs/cgroup 2>/dev/null; do :; done"
	privately "$script"
	succeeds "bind mount: dump below it" dump --cgroup "/$group/a/b" --no-ancestors -i "$work/image"
	refuses "bind mount: a group above it" 4 "/$group-other" "no such group" -- dump --cgroup "/$group-other" -i "$work/none"
	for at in "${both[@]}"; do rmdir "$at/$group/a/b"; done
	succeeds "bind mount: restore below it" restore -i "$work/image"
	state_with_values >"$work/got"
	check "bind mount: everything is as it was" cmp -s "$work/want" "$work/got"
	refuses "bind mount: to a place above it" 4 "outside of what is mounted here" -- restore --cgroup-root "/$group/x" -i "$work/image"
	privately "while umount -l /sys/fs/cgroup 2>/dev/null; do :; done"
	for at in "${both[@]}"; do rmdir "$at/$group/a/b"; done
	succeeds "no mounts: restore" restore -i "$work/image"
	state_with_values >"$work/got"
	check "no mounts: everything is as it was" cmp -s "$work/want" "$work/got"
	succeeds "no mounts: verify" verify -i "$work/image"
	keep "${both[0]}" "$group/a/b"
	succeeds "no mounts: dump of a process" dump -t "$pid" -i "$work/none"
	check "no mounts: nothing is left out" [ ! -s "$work/err" ]
	chmod 644 "$work/image"
	wrap+=(setpriv --reuid=65534 --clear-groups)
	refuses "no mounts, no rights: restore" 4 "hierarchy pids" "not mounted" -- restore -i "$work/image"
	wrap=()
}

start namespaces
[ -n "$has_restore" ] || { skip "all: this version has no restore"; exit; }
for word in pids unified; do
	both+=("$(hierarchy $word)") || { skip "all: this host has no hierarchy $word"; exit; }
done
state=state_with_values
for part in a_running_task made_at_the_root every_task_counts from_inside only_subtrees; do
	[ $# = 0 ] || [[ " $* " == *" $part "* ]] || continue
	$part
	# Nobody is left in the groups of the part.
	for at in "${both[@]}"; do
		find "$at/$group" -name cgroup.procs -exec cat {} + 2>/dev/null | while read -r task; do echo "$task" >"$at/cgroup.procs"; done
	done
	sleep 0.1
	remove_groups
done
