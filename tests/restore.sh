#!/usr/bin/env bash
# Restore from the outside: who takes whose place (--pid-map), where groups go (--cgroup-root), phases one by one, the
# image through a pipe, CRIU's modes against what is there already, the road without `children` files.
# shellcheck disable=SC2154,SC2207 # checks.sh sets status, pid and work
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
start restore
cc -O2 -pthread -o "$work/threads" "$tests/vm/threads.c" || exit 1

value() { cat "$1/$group/$2"; }
is() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1: '$2', not '$3': $(head -c 300 "$work/err")"; fi; }
says() { if grep -q -- "$2" "$work/err"; then ok "$1"; else not_ok "$1: $(head -c 300 "$work/err")"; fi; }

# run_threads: a process with two more threads; its ids in $leader, $first, $second.
run_threads() {
	: >"$work/tids"
	"$work/threads" 2 >"$work/tids" &
	kept+=($!)
	until [ "$(wc -l <"$work/tids")" = 3 ]; do sleep 0.05; done
	{ read -r leader; read -r first; read -r second; } <"$work/tids"
}

# group_of TID HIERARCHY-WORD
group_of() { sed -n "s/^[0-9]*:$2://p" "/proc/$1/cgroup"; }

make_everywhere
cpu=$(hierarchy cpu) || { skip "restore: no v1 hierarchy with cpu"; exit; }
echo 512 >"$cpu/$group/a/cpu.shares"
chown 1000:1001 "$cpu/$group/a/b"
chmod 750 "$cpu/$group/a/b"
echo 1 >"$cpu/$group/a/b/notify_on_release"

# --- another process takes the place of one that is gone, thread by thread

run_threads
for mount in "${mounts[@]}"; do
	echo "$leader" >"$mount/$group/a/cgroup.procs"
	if [ -e "$mount/$group/a/b/tasks" ]; then echo "$second" >"$mount/$group/a/b/tasks"; fi
done
old=$leader
succeeds "dump of a process with a thread apart" dump -t "$old" -i "$work/image"
kill -9 "$old"; wait "$old" 2>/dev/null
remove_groups; sleep 0.2; remove_groups
run_threads
succeeds "restore for another process" restore --pid-map "$old:$leader" -i "$work/image"
says "it moved three tasks or two" "tasks joined [23]$"
is "the leader" "$(group_of "$leader" cpu)" "/$group/a"
is "its first thread" "$(sed -n "s/^[0-9]*:cpu://p" "/proc/$leader/task/$first/cgroup")" "/$group/a"
is "its second thread" "$(sed -n "s/^[0-9]*:cpu://p" "/proc/$leader/task/$second/cgroup")" "/$group/a/b"
is "a value" "$(value "$cpu" a/cpu.shares)" 512
is "a default that differs from the parent's" "$(value "$cpu" a/notify_on_release)" 0
is "an owner and mode" "$(stat -c %u:%g:%a "$cpu/$group/a/b")" 1000:1001:750
succeeds "restore once more" restore --pid-map "$old:$leader" -i "$work/image"
says "it writes nothing" "created 0, found .*, values written 0, .* skipped 0, tasks joined 0$"
state_with_values >"$work/want"
refuses "a process that the image does not have" 4 "1:$leader" -- restore --pid-map "1:$leader" -i "$work/image"
refuses "a process that does not run" 4 "$old:$old" -- restore --pid-map "$old:$old" -i "$work/image"
refuses "a map that is none" 2 "$old" -- restore --pid-map "$old" -i "$work/image"

# --- through a pipe, phase by phase

kill -9 "$leader"; wait "$leader" 2>/dev/null
remove_groups; sleep 0.2; remove_groups
run_threads
"$CGRAFT" restore --pid-map "$old:$leader" -i - <"$work/image" >"$work/out" 2>"$work/err"; status=$?
is "restore from a pipe" "$status" 0
kill -9 "$leader"; wait "$leader" 2>/dev/null
remove_groups; sleep 0.2; remove_groups
run_threads
succeeds "phase create alone" restore --phase create -i "$work/image"
is "it makes groups" "$(test -d "$cpu/$group/a/b" && echo yes)" yes
is "it writes no limits" "$(value "$cpu" a/cpu.shares)" 1024
is "it moves nobody" "$(group_of "$leader" cpu)" /
succeeds "phase join alone" restore --phase join --pid-map "$old:$leader" -i "$work/image"
is "it moves tasks" "$(group_of "$leader" cpu)" "/$group/a"
is "and writes no limits" "$(value "$cpu" a/cpu.shares)" 1024
succeeds "phase limit alone" restore --phase limit -i "$work/image"
is "it writes limits" "$(value "$cpu" a/cpu.shares)" 512
refuses "a phase that is none" 2 --phase -- restore --phase tree -i "$work/image"

# --- to another place

succeeds "restore below another group" restore --cgroup-root "cpu:/$group-new/deep" --phase create,limit -i "$work/image"
is "the group is there" "$(cat "$cpu/$group-new/deep/cpu.shares")" 512
is "and its child" "$(stat -c %u:%g:%a "$cpu/$group-new/deep/b")" 1000:1001:750
is "other hierarchies keep their place" "$(find "${mounts[@]}" -maxdepth 1 -name "$group-new" | wc -l)" 1
succeeds "verify there" verify --cgroup-root "cpu:/$group-new/deep" -i "$work/image"
echo 77 >"$cpu/$group-new/deep/cpu.shares"
cgraft verify --cgroup-root "cpu:/$group-new/deep" -i "$work/image"
is "verify sees a difference" "$status:$(grep -c . "$work/out")" 6:1
refuses "a root with .." 2 -- restore --cgroup-root "cpu:/$group/../x" -i "$work/image"
refuses "a root of a hierarchy that is not in the image" 2 nonesuch -- restore --cgroup-root nonesuch:/x -i "$work/image"

# --- CRIU's modes against groups that are there with another value

spoil() { echo 300 >"$cpu/$group/a/cpu.shares"; rmdir "$cpu/$group/a/b" 2>/dev/null || { echo "$second" >"$cpu/$group/a/tasks"; rmdir "$cpu/$group/a/b"; }; }
# mode MODE EXIT SHARES CHILD: what the mode makes of it.
mode() {
	spoil
	cgraft restore --manage-cgroups "$1" --phase create,limit,freeze -i "$work/image"
	is "mode $1" "$status:$(value "$cpu" a/cpu.shares):$(test -d "$cpu/$group/a/b" && echo child)" "$2"
	mkdir -p "$cpu/$group/a/b"
}
mode none 4:300:
mode props 4:300:
mode soft 0:300:child
says "soft says what it skipped" "skipped [1-9]"
chown 7:7 "$cpu/$group/a" "$cpu/$group/a/cpu.shares"
mode soft 0:300:child
is "soft leaves owners alone" "$(stat -c %u "$cpu/$group/a" "$cpu/$group/a/cpu.shares" | paste -sd:)" 7:7
mode full 0:512:child
is "full does not" "$(stat -c %u "$cpu/$group/a" "$cpu/$group/a/cpu.shares" | paste -sd:)" 0:0
mode strict 4:300:
mode ignore 0:300:

# --- where the kernel has no `children` files, every process is asked for its parents

if [ -x "$(command -v strace)" ]; then
	bash -c 'sleep 100000 & sleep 100000 & wait' &
	tree=$!
	disown
	kept+=("$tree")
	sleep 0.2
	kept+=($(pgrep -P "$tree"))
	succeeds "dump by children files" dump -t "$tree" -i "$work/quick"
	# The first look at such a file finds none.
	strace -qq -e trace=newfstatat -o "$work/calls" "$CGRAFT" dump -t "$tree" -i "$work/slow"
	look=$(grep -n '"children"' "$work/calls" | head -n 1 | cut -d: -f1)
	rm "$work/slow"
	strace -qq -e trace=newfstatat -o "$work/calls" --inject="newfstatat:error=ENOENT:when=$look" "$CGRAFT" dump -t "$tree" -i "$work/slow" 2>"$work/err"
	is "dump without them" "$?" 0
	check "control: the file was hidden" grep -q 'children.*INJECTED' "$work/calls"
	tasks() { "$CGRAFT" show --json -i "$1" | tr '{' '\n' | sed -n 's/.*"tid": \([0-9]*\),.*/\1/p' | sort; }
	is "finds the same tasks" "$(tasks "$work/slow")" "$(tasks "$work/quick")"
	is "three of them" "$(tasks "$work/slow" | wc -l)" 3
else
	skip "the road without children files: no strace"
fi
