#!/usr/bin/env bash
# exec and attach from the outside: a command in the groups and the cgroup namespace of a set, its arguments, environment, streams,
# signals and limits; running processes into a set; what is refused, and that nothing is half done.
# shellcheck disable=SC2154,SC2016 # checks.sh sets status, pid and work; inner shells expand
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
start exec
cc -O2 -pthread -o "$work/threads" "$tests/vm/threads.c" || exit 1

is() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1: '$2', not '$3': $(head -c 300 "$work/err")"; fi; }
# groups_of FILE: its lines of hierarchies that are mounted here, without the numbers.
groups_of() { sed 's/^[0-9]*://' "$1" | sort; }
own_groups() { groups_of /proc/self/cgroup; }
# set_of PATH: the number of the set whose members are all in this group.
set_of() {
	"$CGRAFT" decode "$work/image" | python3 -c '
import json, sys
for entry in json.load(sys.stdin)["entries"][0]["sets"]:
    if all(member["path"] == sys.argv[1] for member in entry["ctls"]): print(entry["id"])' "$1"
}

make_everywhere
sleep 100000 & first=$!; kept+=("$first")
sleep 100000 & second=$!; kept+=("$second")
for mount in "${mounts[@]}"; do
	echo "$first" >"$mount/$group/a/cgroup.procs"
	echo "$second" >"$mount/$group/a/b/cgroup.procs"
done
succeeds "dump" dump -t "$first" -t "$second" -i "$work/image"
a=$(set_of "/$group/a")
b=$(set_of "/$group/a/b")
check "control: two sets" test -n "$a" -a -n "$b" -a "$a" != "$b"
before=$(own_groups)

# --- where a command is

cgraft exec --set "$b" -i "$work/image" -- cat /proc/self/cgroup
is "exec: exit" "$status" 0
cp "$work/out" "$work/groups"
is "a command is in the groups of the set, in every hierarchy" "$(groups_of "$work/groups")" "$(groups_of "/proc/$second/cgroup")"
check "control: these are others than ours" test "$before" != "$(groups_of "$work/groups")"
cgraft exec -i "$work/image" -- cat /proc/self/cgroup
cp "$work/out" "$work/groups"
is "without --set it is that of the first task" "$(groups_of "$work/groups")" "$(groups_of "/proc/$first/cgroup")"
is "who called stays where he is" "$(own_groups)" "$before"
is "no word of cgraft" "$(cat "$work/err")" ""
cgraft exec --set "$b" -i "$work/image" -- sh -c 'cat /proc/self/cgroup'
cp "$work/out" "$work/groups"
is "children of the command are there, too" "$(groups_of "$work/groups")" "$(groups_of "/proc/$second/cgroup")"

# --- memory is charged there from the first page on

if memory=$(hierarchy memory); then
	charged=$("$CGRAFT" exec --set "$b" -i "$work/image" -- python3 -c '
import sys
kept = b"x" * (64 << 20)
print(open(sys.argv[1]).read())' "$memory/$group/a/b/memory.usage_in_bytes")
	check "its memory is charged to the group: $charged" test "$charged" -gt 64000000
else
	skip "memory of v1: not on this host"
fi

# --- what the command gets

printf 'x\0' >"$work/want"; printf '%s\0' '' 'a b' '--set' '--' '-v4' $'new\nline' $'\xff' '*' >>"$work/want"
"$CGRAFT" exec -v --set "$b" -i "$work/image" -- python3 -c 'import os, sys
sys.stdout.buffer.write(b"".join(os.fsencode(word) + b"\0" for word in sys.argv[1:]))' x '' 'a b' --set -- -v4 $'new\nline' $'\xff' '*' >"$work/out" 2>"$work/err"
check "arguments arrive byte for byte" cmp "$work/want" "$work/out"
env -i A=1 $'B=\xff' "$CGRAFT" exec --set "$b" -i "$work/image" -- /usr/bin/env >"$work/out"
check "so does the environment" cmp "$work/out" <(printf 'A=1\nB=\xff\n')
is "standard input" "$(echo through | "$CGRAFT" exec -i "$work/image" -- cat)" through
files='import os; print(sorted(int(name) for name in os.listdir("/proc/self/fd")))'
is "no file is left open" "$(exec 9<&- 8<&-; "$CGRAFT" exec -i "$work/image" -- python3 -c "$files" 3>&- 4>&- 5>&- </dev/null 2>/dev/null)" "$(python3 -c "$files" 3>&- 4>&- 5>&- </dev/null 2>/dev/null)"
is "a file of the caller stays open" "$(echo seven 7<"$work/want" | "$CGRAFT" exec -i "$work/image" -- sh -c 'wc -c <&7' 7<"$work/want")" "$(wc -c <"$work/want")"
own='grep -E "^(Sig(Blk|Ign|Cgt)|ShdPnd)|^Umask" /proc/self/status; ulimit -n; ulimit -Hn; readlink /proc/self/ns/*; pwd; nice'
is "signals, masks, limits, namespaces, folder" "$("$CGRAFT" exec -i "$work/image" -- bash -c "$own")" "$(bash -c "$own")"
"$CGRAFT" exec -i "$work/image" -- bash -c 'test ! -e /proc/self/fd/0; readlink /proc/self/fd/0 >/dev/null; echo $?' <&- >"$work/out"
is "a stream that was closed is closed" "$(cat "$work/out")" 1
is "the process stays the same" "$(bash -c 'echo $$; exec "$@"' x "$CGRAFT" exec -i "$work/image" -- bash -c 'echo $$' | uniq | wc -l)" 1

# --- exit codes

cgraft exec -i "$work/image" -- sh -c 'exit 42'; is "the command's exit code" "$status" 42
cgraft exec -i "$work/image" -- sh -c 'kill -TERM $$'; is "the command's signal" "$status" 143
cgraft exec -i "$work/image" -- "$work/nonesuch"; is "a command that is not there" "$status" 127
check "is named" grep -q "cgraft: $work/nonesuch: no such file" "$work/err"
cgraft exec -i "$work/image" -- cgraft-nonesuch; is "nor on the path" "$status" 127
cgraft exec -i "$work/image" -- "$work/want"; is "a file that cannot be run" "$status" 126
cgraft exec -i "$work/image" -- /; is "a folder" "$status" 126
mkdir "$work/bin"; printf '#!/bin/sh\necho found\n' >"$work/bin/cgraft-here"; chmod 755 "$work/bin/cgraft-here"
is "the path is looked through" "$(PATH=/none:$work/bin:$PATH "$CGRAFT" exec -i "$work/image" -- cgraft-here)" found

# --- what is refused

refuses "no command" 2 "behind --" -- exec -i "$work/image"
refuses "nothing behind --" 2 "behind --" -- exec -i "$work/image" --
refuses "words without --" 2 true -- exec -i "$work/image" true
refuses "-- of another command" 2 -- -- show exec -- "$work/image"
refuses "a set that is no number" 2 "--set x" -- exec --set x -i "$work/image" -- true
refuses "a set that the image does not have" 4 "set 99" -- exec --set 99 -i "$work/image" -- true
refuses "an option of others" 2 --phase -- exec --phase create -i "$work/image" -- true
refuses "attach without a process" 2 -- attach --set "$b" -i "$work/image"
refuses "attach of one that does not run" 4 -t -- attach --set "$b" -t 4194000 -i "$work/image"
handmade "$work/criu" 'a_set(2, member(b"cpu", b"/")) + a_set(3, member(b"cpu", b"/"))'
refuses "several sets, no tasks" 2 --set -- exec -i "$work/criu" -- true
handmade "$work/criu" 'a_set(2, member(b"cpu", b"/"))'
succeeds "the only set is meant" exec -i "$work/criu" -- true

kill -9 "$second"; wait "$second" 2>/dev/null
last=${mounts[-1]}
until rmdir "$last/$group/a/b" 2>/dev/null; do sleep 0.05; done
refuses "a group that is not there" 4 "/$group/a/b" "no such group" -- exec --set "$b" -i "$work/image" -- true
mkdir "$last/$group/a/b"
if [ -e "$last/$group/a/b/cpuset.mems" ]; then
	cat "$last/cpuset.cpus" >"$last/$group/a/b/cpuset.cpus"; cat "$last/cpuset.mems" >"$last/$group/a/b/cpuset.mems"
fi
refuses "attach to such a set, with another process" 4 "4194000" -- attach --set "$b" -t $$ -t 4194000 -i "$work/image"

# --- a later hierarchy refuses: everybody is where he was

if pids=$(hierarchy pids) && cpuset=$(hierarchy cpuset) && [ "$pids" != "$cpuset" ] && [ -e "$cpuset/$group/a/cpuset.mems" ]; then
	rmdir "$cpuset/$group/a/b" && mkdir "$cpuset/$group/a/b"     # an empty cpuset takes nobody
	aside='/everything was taken back/d'
	refuses "an empty cpuset: exec" 1 "/$group/a/b" ENOSPC -- exec --set "$b" -i "$work/image" -- touch "$work/ran"
	check "the command did not run" test ! -e "$work/ran"
	"$work/threads" 3 >"$work/tids" &
	leader=$!
	kept+=("$leader")
	until [ "$(wc -l <"$work/tids" 2>/dev/null)" = 4 ]; do sleep 0.05; done
	apart=$(tail -n 1 "$work/tids")
	echo "$apart" >"$pids/$group/a/tasks"
	spread() { local tid; while read -r tid; do own=$(groups_of "/proc/$leader/task/$tid/cgroup"); echo "$tid $own"; done <"$work/tids"; }
	spread >"$work/spread"
	refuses "an empty cpuset: attach of a process with threads" 1 "task $leader (threads)" ENOSPC -- attach --set "$b" -t "$leader" -i "$work/image"
	check "all threads are where they were, the one apart as well" cmp "$work/spread" <(spread)
	aside=
	cat "$cpuset/cpuset.cpus" >"$cpuset/$group/a/b/cpuset.cpus"; cat "$cpuset/cpuset.mems" >"$cpuset/$group/a/b/cpuset.mems"

	# --- attach

	succeeds "attach" attach --set "$b" -t "$leader" -t "$first" -i "$work/image"
	check "it says so" grep -q '^attached: processes 2, tasks moved [2-9]' "$work/err"
	cgraft exec --set "$b" -i "$work/image" -- cat /proc/self/cgroup
	cp "$work/out" "$work/groups"
	wrong=
	while read -r tid; do [ "$(groups_of "/proc/$leader/task/$tid/cgroup")" = "$(groups_of "$work/groups")" ] || wrong+="$tid "; done <"$work/tids"
	is "all threads are there" "$wrong" ""
	is "and the other process" "$(groups_of "/proc/$first/cgroup")" "$(groups_of "$work/groups")"
	echo "$apart" >"$pids/$group/a/tasks"
	cgraft attach --set "$b" -t "$leader" -i "$work/image"
	check "a thread apart is moved alone" grep -q 'tasks moved 1$' "$work/err"
	succeeds "attach once more" attach --set "$b" -t "$leader" -i "$work/image"
	check "moves nobody" grep -q 'tasks moved 0$' "$work/err"
	bash -c 'sleep 100000 & echo $!; wait' >"$work/child" &
	parent=$!
	kept+=("$parent")
	until [ -s "$work/child" ]; do sleep 0.05; done
	child=$(cat "$work/child"); kept+=("$child")
	succeeds "attach of a process with a child" attach --set "$a" -t "$parent" -i "$work/image"
	is "the child stays where it is" "$(groups_of "/proc/$child/cgroup")" "$before"
else
	skip "a refused move: no cpuset beside pids on this host"
fi

# --- as an action script: nothing is done where there is nothing to do

for stage in pre-dump network-lock setup-namespaces post-setup-namespaces orphan-pts-master post-resume pre-restore post-restore pre-resume; do
	wrap=(env CRTOOLS_SCRIPT_ACTION="$stage" CRTOOLS_IMAGE_DIR="$work/area" CRTOOLS_INIT_PID="$first")
	state_with_values >"$work/before"
	cgraft hook
	is "hook at $stage without an image" "$status:$(cat "$work/out" "$work/err")" 0:
	check "it changes nothing" cmp "$work/before" <(state_with_values)
done
wrap=(env -u CRTOOLS_SCRIPT_ACTION)
cgraft hook; is "hook outside of CRIU" "$status:$(cat "$work/out" "$work/err")" 0:
mkdir "$work/images"
wrap=(env CRTOOLS_SCRIPT_ACTION=post-dump CRTOOLS_IMAGE_DIR="$work/images" CRTOOLS_INIT_PID="$first")
succeeds "hook at post-dump" hook
succeeds "leaves an image" verify -i "$work/images/cgraft.img"
ln -s "$CGRAFT" "$work/cgraft-hook"
rm "$work/images/cgraft.img"
"${wrap[@]}" "$work/cgraft-hook"
is "the same by its name" "$?:$(ls "$work/images")" 0:cgraft.img
wrap=(env CRTOOLS_SCRIPT_ACTION=post-dump CRTOOLS_IMAGE_DIR="$work/images" CRTOOLS_INIT_PID=4194000)
refuses "hook at post-dump of nobody" 1 4194000 -- hook
: >"$work/images/cgraft.img"
for stage in pre-restore post-restore pre-resume; do
	wrap=(env CRTOOLS_SCRIPT_ACTION="$stage" CRTOOLS_IMAGE_DIR="$work/images")
	refuses "hook at $stage, an image that is none" 1 cgraft.img -- hook
done
wrap=()
mkfifo "$work/fifo"
bash -c 'read -r _ <"$1"; exec sleep 100000' x "$work/fifo" &
pid=$!
kept+=("$pid")
"$CGRAFT" dump -t "$pid" -i "$work/named"
succeeds "--same-pids: the same name" restore --same-pids --phase join -i "$work/named"
echo >"$work/fifo"
until [ "$(cat "/proc/$pid/comm")" = sleep ]; do sleep 0.05; done
refuses "--same-pids: another name" 4 "task $pid (bash)" -- restore --same-pids --phase join -i "$work/named"

# --- elsewhere

mkdir -p "$pids/$group-new/b"
cgraft exec --set "$b" --cgroup-root "pids:/$group-new" -i "$work/image" -- cat /proc/self/cgroup
is "--cgroup-root: the hierarchy that is meant" "$(sed -n 's/^[0-9]*:pids://p' "$work/out")" "/$group-new/b"
is "and another one" "$(sed -n 's/^[0-9]*:cpuset://p' "$work/out")" "/$group/a/b"

# --- the cgroup namespace of a set begins where it did

bash -c 'for mount in "${@:2}"; do echo $$ >"$mount/$1/a/cgroup.procs"; done; exec unshare --cgroup sleep 100000' x "$group" "${mounts[@]}" &
inside=$!
kept+=("$inside")
until [ "$(cat "/proc/$inside/comm")" = sleep ]; do sleep 0.05; done
for mount in "${mounts[@]}"; do echo "$inside" >"$mount/$group/a/b/cgroup.procs"; done
succeeds "dump of a task with a namespace" dump -t "$inside" -i "$work/image"
nsenter --cgroup -t "$inside" cat "/proc/$inside/cgroup" | sed 's/^[0-9]*://' | sort >"$work/want"
cgraft exec -i "$work/image" -- sh -c 'cat /proc/self/cgroup; readlink /proc/self/ns/cgroup >&2'
check "a namespace that begins at the same groups" cmp "$work/want" <(groups_of "$work/out")
check "control: paths are short" grep -q ':/b$' "$work/out"
check "and is a new one" test "$(cat "$work/err")" != "$(readlink /proc/self/ns/cgroup)" -a "$(cat "$work/err")" != "$(readlink "/proc/$inside/ns/cgroup")"
"$CGRAFT" exec -i "$work/image" -- sleep 100000 &
pid=$!
kept+=("$pid")
until [ "$(cat "/proc/$pid/comm")" = sleep ]; do sleep 0.05; done
is "seen from outside it is in the groups of the set" "$(groups_of "/proc/$pid/cgroup")" "$(groups_of "/proc/$inside/cgroup")"
succeeds "attach of a task without the namespace" attach -t "$first" -i "$work/image"
check "says that it cannot be given one" grep -q 'cannot be given one' "$work/err"

# --- little stack

(ulimit -s 64; "$CGRAFT" exec -i "$work/image" -- true) 2>"$work/err"
is "64 KiB of stack are enough for exec" $? 0
(ulimit -s 64; "$CGRAFT" attach -t "$first" -i "$work/image") 2>"$work/err"
is "and for attach" $? 0
