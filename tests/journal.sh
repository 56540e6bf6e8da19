#!/usr/bin/env bash
# The way back: a restore with a journal that fails, or is killed, at every step once; then undo gives the state before, and
# restore goes on to the state intended. Journals that are damaged, hostile, from another boot, or on a full disk.
# shellcheck disable=SC2154 # checks.sh sets status, pid and work
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
start journal
command -v strace >/dev/null || { skip "journal: there is no strace"; exit; }

cpu=$(hierarchy cpu) && pids=$(hierarchy pids) && freezer=$(hierarchy freezer) && unified=$(hierarchy unified) ||
	{ skip "journal: v1 with cpu, pids and freezer, and v2, are not all here"; exit; }
[ "$cpu" != "$pids" ] || { skip "journal: cpu and pids are mounted together"; exit; }
journal=$work/journal
says() { if grep -q -- "$2" "$work/err"; then ok "$1"; else not_ok "$1: $(head -c 300 "$work/err")"; fi; }

# The tree of the image: values, owners, an attribute, a process in a group that half of the host does not have, frozen groups.
for mount in "$cpu" "$pids" "$freezer" "$unified"; do
	mkdir -p "$mount/$group/a/b" "$mount/$group/c"
	chown 1000:1001 "$mount/$group/a"
	chmod 750 "$mount/$group/c"
done
sleep 100000 &
pid=$!
kept+=("$pid")
in_a() { for mount in "$cpu" "$pids" "$freezer" "$unified"; do echo "$pid" >"$mount/$group/a/b/cgroup.procs"; done; }
in_c() { for mount in "$cpu" "$pids" "$freezer" "$unified"; do echo "$pid" >"$mount/$group/c/cgroup.procs"; done; }
in_a
echo 512 >"$cpu/$group/a/cpu.shares"
echo 700 >"$cpu/$group/c/cpu.shares"
echo 50 >"$pids/$group/a/pids.max"
echo 51 >"$pids/$group/c/pids.max"
echo FROZEN >"$freezer/$group/c/freezer.state"
echo 7 >"$unified/$group/a/cgroup.max.depth"
echo 8 >"$unified/$group/c/cgroup.max.descendants"
chown 5:6 "$pids/$group/c/pids.max"
# attribute GROUP VALUE
attribute() { python3 -c 'import os, sys; os.setxattr(sys.argv[1], "trusted.cgraft", sys.argv[2].encode())' "$unified/$group/$1" "$2"; }
attribute c wanted
attribute a wanted
whole_state() {
	state_with_values | grep -v "^$unified/.*hugetlb[.]" # whether the host hands it down is not ours
	python3 -c '
import os, sys
for top, _, _ in sorted(os.walk(sys.argv[1])):
	print(top, *((name, os.getxattr(top, name)) for name in os.listxattr(top)))' "$unified/$group"
}
arguments=()
for mount in cpu pids freezer unified; do arguments+=(--cgroup "$mount:/$group"); done
"$CGRAFT" dump "${arguments[@]}" -i "$work/image" || exit 1
whole_state >"$work/whole"

# Half of it with other values and owners.
halve() {
	in_c
	for mount in "$cpu" "$pids" "$freezer" "$unified"; do
		rmdir "$mount/$group/a/b" "$mount/$group/a" 2>/dev/null
		chmod 755 "$mount/$group/c"
	done
	echo THAWED >"$freezer/$group/c/freezer.state"
	echo 300 >"$cpu/$group/c/cpu.shares"
	echo 7 >"$pids/$group/c/pids.max"
	echo 3 >"$unified/$group/c/cgroup.max.descendants"
	chown 0:0 "$pids/$group/c/pids.max"
	attribute c before
}
halve
whole_state >"$work/half"

# after STATE: the host is in this state, else shows where not.
after() {
	whole_state >"$work/after"
	cmp -s "$work/$1" "$work/after" && return
	diff "$work/$1" "$work/after" | head -n 4
	return 1
}

calls=(mkdirat write fchown fchownat fchmod fchmodat fsetxattr setxattr pwrite64 ftruncate)
# each_call INJECTION FUNCTION: restores with a journal, once for each of the calls, to which strace does this; then the function
# says whether all is well.
each_call() {
	local call number
	tried=0 wrong=0
	for call in "${calls[@]}"; do
		for number in {1..200}; do
			rm -f "$journal"
			{
				strace -f -qq -o "$work/calls" -e "trace=$call" -e "inject=$call:$1:when=$number" \
					"$CGRAFT" restore --journal "$journal" -i "$work/image" >"$work/out" 2>"$work/err"
				status=$?
			} 2>/dev/null
			grep -qE 'INJECTED|killed by' "$work/calls" || { halve; break; }
			tried=$((tried + 1))
			"$2" || {
				wrong=$((wrong + 1))
				echo "# call $number of $call: exit $status: $(tail -n 1 "$work/err"): $(tail -n 2 "$work/calls" | head -n 1)"
			}
			halve
		done
	done
}

# --- killed at every step

undone() {
	[ ! -e "$journal" ] && { after half; return; }
	# Killed before the journal was a journal: nothing was done.
	[ -s "$journal" ] || { after half; return; }
	cgraft undo "$journal"
	[ "$status" = 0 ] && after half
}
each_call signal=SIGKILL undone
check "killed at each of $tried calls, undo gives the state before" [ $wrong = 0 ]
check "control: more than 50 kills ($tried)" [ $tried -gt 50 ]

gone_on() {
	rm -f "$work/second"
	cgraft restore --journal "$1" -i "$work/image"
	[ "$status" = 0 ] && after whole
}
gone_on_anew() { gone_on "$work/second"; }
each_call signal=SIGKILL gone_on_anew
check "killed at each of $tried calls, another restore gives the state intended" [ $wrong = 0 ]

gone_on_and_back() {
	# Killed when all was done: only undo has to do with it.
	if [ "$(head -c 9 "$journal" 2>/dev/null | tail -c 1)" = c ]; then
		after whole && cgraft undo "$journal" && [ "$status" = 0 ] && after half
		return
	fi
	gone_on "$journal" || return
	cgraft undo "$journal"
	[ "$status" = 0 ] && after half
}
each_call signal=SIGKILL gone_on_and_back
check "killed at each of $tried calls, the same journal goes on, and undo takes back both" [ $wrong = 0 ]

# --- a failure at every step

taken_back() {
	case $status in
		0) after whole && cgraft undo "$journal" && [ "$status" = 0 ] && after half ;;
		1 | 4) after half ;;
		*) false ;;
	esac
}
each_call error=EPERM taken_back
check "each of $tried calls fails once: taken back, or without effect" [ $wrong = 0 ]
calls=(pwrite64 mkdirat)
each_call error=ENOSPC taken_back
check "each of $tried calls fails once for want of room" [ $wrong = 0 ]

# --- a restore that is done

rm -f "$journal"
succeeds "restore with a journal" restore --journal "$journal" -i "$work/image"
check "the state intended" after whole
check "only the owner reads the journal" [ "$(stat -c %a "$journal")" = 600 ]
cp "$journal" "$work/complete"
state=whole_state
refuses "a journal that is there is not written over" 4 "cgraft undo" -- restore --journal "$journal" -i "$work/image"
state=state
echo 99 >"$pids/$group/c/pids.max"
cgraft undo "$journal"
check "a value that was changed since: exit 5" [ "$status" = 5 ]
says "and it is named" "pids.max of group /$group/c of pids: somebody changed it"
check "and stays" [ "$(cat "$pids/$group/c/pids.max")" = 99 ]
check "everything else is taken back" [ "$(cat "$cpu/$group/c/cpu.shares"):$(ls -d "$cpu/$group/a" 2>/dev/null)" = 300: ]
echo 51 >"$pids/$group/c/pids.max"
succeeds "undo once more, with the value as the restore left it" undo "$journal"
check "the state before" after half
succeeds "a void journal is no error" undo "$journal"
says "and it is said" "nothing to take back"
succeeds "a void journal is written anew" restore --journal "$journal" -i "$work/image"
cgraft restore --journal "$work/again" -i "$work/image"
check "nothing to do" [ "$status" = 0 ]
succeeds "undo of nothing" undo "$work/again"
check "leaves the state intended" after whole
kill "$pid"; wait "$pid" 2>/dev/null
succeeds "undo without the task" undo "$journal"
check "the groups are gone" [ -z "$(find "$cpu/$group" "$pids/$group" "$unified/$group" -name a)" ]

# --- journals that are none

state=whole_state
: >"$work/empty"
head -c 4000 /dev/urandom >"$work/noise"
refuses "an empty file" 3 empty "no journal" -- undo "$work/empty"
refuses "noise" 3 noise "no journal" -- undo "$work/noise"
refuses "an image" 3 image "no journal" -- undo "$work/image"
refuses "no file" 1 none ENOENT -- undo "$work/none"
refuses "a folder" 1 EISDIR -- undo "$work"
refuses "no name" 2 "cgraft undo JOURNAL" -- undo
refuses "undo has no image" 2 -i -- undo -i x "$work/complete"
refuses "noise is not written over" 3 "no journal" -- restore --journal "$work/noise" -i "$work/image"
refuses "a folder that is not there" 1 ENOENT -- restore --journal "$work/none/journal" -i "$work/image"
refuses "a device" 1 "regular file" -- restore --journal /dev/null -i "$work/image"

# every third byte of a complete journal changed once, and every seventh length of it
PYTHONPATH=$tests python3 - "$work/complete" "$work" <<'P'
import sys
whole = open(sys.argv[1], 'rb').read()
for at in range(0, len(whole), 3):
    open(f'{sys.argv[2]}/flip.{at}', 'wb').write(whole[:at] + bytes([whole[at] ^ (1 << at % 8)]) + whole[at + 1:])
for at in range(0, len(whole), 7):
    open(f'{sys.argv[2]}/cut.{at}', 'wb').write(whole[:at])
P
damaged() {
	local file wrong=0 count=0
	whole_state >"$work/before"
	for file in "$work/$1".*; do
		cgraft undo "$file"
		count=$((count + 1))
		case $1:$status in
			*:3) ;;
			*) wrong=$((wrong + 1)); echo "# $file: exit $status: $(head -n 1 "$work/err")" ;;
		esac
	done
	check "$1: all $count refused with 3" [ $wrong = 0 ]
	check "$1: nothing was written" after before
	rm "$work/$1".*
}
damaged flip
damaged cut

# --- journals made to do harm

PYTHONPATH=$tests python3 "$tests/journals.py" "$work/complete" "$work" "$group"
damaged bad
cgraft undo "$work/odd-boot"
check "another boot: exit 0" [ "$status" = 0 ]
says "another boot: said" "before the last boot"
refuses "another namespace" 4 namespace -- undo "$work/odd-space"
refuses "a hierarchy that this host does not have" 4 "cgraft-none" "no such hierarchy" -- undo "$work/odd-hierarchy"
check "nothing was written" after before
state=state

# --- a full disk

cat >"$work/full.sh" <<'S'
mount -t tmpfs -o size=4k tmpfs "$1" && exec "$2" restore --journal "$1/journal" -i "$3"
S
mkdir "$work/small"
handmade "$work/many" "hierarchy(group(b'$group-new', *[b''.join(group(b'n%d' % n, prop(b'pids.max', b'5')) for n in range(200))]), [b'pids'])"
whole_state >"$work/before"
unshare --mount --propagation private sh "$work/full.sh" "$work/small" "$CGRAFT" "$work/many" >"$work/out" 2>"$work/err"
check "a full disk: exit 1" [ $? = 1 ]
says "a full disk: said" ENOSPC
check "a full disk: taken back" after before

# --- while it runs

exec 9<>"$work/again"
flock -n 9
refuses "a journal in use" 4 "another cgraft" -- restore --journal "$work/again" -i "$work/image"
exec 9>&-
