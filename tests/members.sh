#!/usr/bin/env bash
# Whose tasks a dump of groups has: of a few groups their lists say it, else every process of /proc is asked; the image is the same
# byte for byte. Makes cgraft-members-PID in a v1 hierarchy, and in v2 where it is mounted.
# shellcheck disable=SC2154 # checks.sh sets work and group
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

start members
command -v strace >/dev/null || { skip "needs strace"; exit; }
v1=$(hierarchy pids) || v1=$(hierarchy cpu) || { skip "no v1 hierarchy is mounted"; exit; }
v2=$(hierarchy unified) || v2=
cc -O2 -pthread -o "$work/threads" "$tests/vm/threads.c" || exit 1

looked_at() { grep -cE 'openat2?\([0-9]+, "task"' "$work/trace"; }
dump() { strace -qq -o "$work/trace" "${inject[@]}" "$CGRAFT" dump --cgroup "/$group" -i "$1" 2>>"$work/err"; }

# same WHAT PROCESSES: few processes are looked at; without the lists all of them, and the image is the same.
same() {
	local what=$1 all; shift
	inject=()
	check "$what: a dump" dump "$work/few"
	check "$what: looks at its processes only" [ "$(looked_at)" = "$1" ]
	inject=(-e 'inject=openat:error=EOPNOTSUPP:when='"$(number)")
	check "$what: a dump without lists" dump "$work/all"
	all=$(find /proc -maxdepth 1 -name '[0-9]*' | wc -l)
	check "$what: looks at all of $all processes" [ "$(looked_at)" -gt $((all / 2)) ]
	check "$what: the same image" cmp "$work/few" "$work/all"
	inject=()
}

# The number of the first openat of a list.
number() { grep 'openat(' "$work/trace" | grep -n '"cgroup.procs"' | head -n 1 | cut -d: -f1; }

# Whether the image has this task.
has() { "$CGRAFT" show "$work/few" | grep -qE "[: ]$1 (sleep|threads)"; }

sleeper() { sleep 100000 & pids+=($!); echo $! >"$1/cgroup.procs"; }

end() {
	kill -KILL "${pids[@]}" 2>/dev/null
	wait 2>/dev/null
	pids=()
	for _ in 1 2 3 4 5; do remove_groups; [ -n "$(left_groups)" ] || break; sleep 0.1; done
}

pids=()
mkdir -p "$v1/$group/a/b" "$v1/$group/c" "$v1/$group-beside"
same "nobody" 0
for folder in "$v1/$group/c" "$v1/$group" "$v1/$group/a/b" "$v1/$group/a/b" "$v1/$group-beside"; do sleeper "$folder"; done
same "four processes" 4
known=4
if [ -n "$v2" ] && mkdir -p "$v2/$group/d"; then
	sleeper "$v2/$group/d"
	echo "${pids[0]}" >"$v2/$group/d/cgroup.procs"
	same "two hierarchies" 5
	known=5
fi
# Threads elsewhere than their leader, which is in no group of the dump.
"$work/threads" 3 >"$work/ids" &
pids+=($!)
until [ "$(wc -l <"$work/ids")" = 4 ]; do sleep 0.05; done
sed -n 3p "$work/ids" >"$v1/$group/a/tasks"
same "a thread whose leader is elsewhere" $((known + 1))
check "and it is in the image" has "$(sed -n 3p "$work/ids")"
for pid in "${pids[@]:0:6}"; do [ -z "$v2" ] || echo "$pid" >"$v2/$group/cgroup.procs"; done
if [ -d "$v2/$group" ] && mkdir "$v2/$group/t" && echo threaded >"$v2/$group/t/cgroup.type" 2>/dev/null; then
	echo "${pids[-1]}" >"$v2/$group/cgroup.procs"
	sed -n 3p "$work/ids" >"$v2/$group/t/cgroup.threads"
	check "a threaded group, whose list cannot be read: a dump" dump "$work/few"
	check "all processes are looked at" [ "$(looked_at)" -gt $((known + 5)) ]
	check "its thread is in the image" has "$(sed -n 3p "$work/ids")"
fi
end
# More groups than are worth it.
mkdir "$v1/$group"
for i in $(seq 4000); do mkdir "$v1/$group/g$i"; done
sleeper "$v1/$group/g7"
inject=()
check "many groups: a dump" dump "$work/few"
check "all processes are looked at" [ "$(looked_at)" -gt 5 ]
check "its process is in the image" has "${pids[0]}"
end
