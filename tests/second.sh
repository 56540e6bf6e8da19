#!/usr/bin/env bash
# The second thread of a dump: the image is the same byte for byte whether it is there or not, whatever the tree looks like, and a
# dump does not need it. Makes cgraft-second-PID in the v1 cpu hierarchy, and in v2 where it is mounted.
# shellcheck disable=SC2154 # checks.sh sets work and group
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

start second
[ "$(nproc)" -gt 1 ] || { skip "one processor: there is no second thread"; exit; }
command -v strace >/dev/null || { skip "needs strace"; exit; }
mount=$(hierarchy cpu) && [ -w "$mount" ] || { skip "no v1 hierarchy with cpu that can be written"; exit; }
place=$mount/$group
v2=$(awk '{ for (i = 7; $i != "-"; i++); if ($(i + 1) == "cgroup2" && $4 == "/") { print $5; exit } }' /proc/self/mountinfo)

dump() { "${before[@]}" "$CGRAFT" dump --cgroup "/$group" -i "$1" 2>>"$work/err"; }
threads() { grep -cE '(clone|clone3)\(' "$work/trace"; }

# same WHAT: an image with the second thread, once it was seen, and images without it.
same() {
	local what=$1 way
	: >"$work/err"
	before=(strace -f -qq -e 'trace=clone,clone3' -o "$work/trace")
	check "$what: a dump with two threads" dump "$work/two"
	check "$what: there were two" [ "$(threads)" = 1 ]
	for way in "one processor" "no thread to be had" "few open files"; do
		case $way in
		one*) before=(taskset -c 0 strace -f -qq -e 'trace=clone,clone3' -o "$work/trace") ;;
		no*) before=(strace -f -qq -e 'trace=clone,clone3' -e 'inject=clone,clone3:error=EAGAIN' -o "$work/trace") ;;
		few*) before=(bash -c 'ulimit -n 1024 && exec "$@"' - strace -f -qq -e 'trace=clone,clone3' -o "$work/trace") ;;
		esac
		check "$what, $way: a dump" dump "$work/one"
		[ "$way" = "no thread to be had" ] || check "$what, $way: one thread" [ "$(threads)" = 0 ]
		check "$what, $way: the same image" cmp "$work/one" "$work/two"
	done
	before=()
	for way in 1 2 3 4 5; do
		dump "$work/again" && cmp "$work/again" "$work/two" || { not_ok "$what: dump $way is another"; return; }
	done
	ok "$what: five more dumps are the same"
	check "$what: nothing was said but what was dumped" [ "$(grep -vc ': dumped\|dumped:' "$work/err")" = 0 ]
}

tree() { # tree FOLDER DEPTH: two groups in each
	[ "$2" = 0 ] || { mkdir "$1/left" "$1/right"; tree "$1/left" $(($2 - 1)); tree "$1/right" $(($2 - 1)); }
}

chain() { local at=$1 i; for ((i = 0; i < $2; i++)); do at=$at/n; mkdir "$at"; done; }

mkdir "$place"
for i in $(seq 700); do mkdir "$place/g$i"; echo $((i + 2)) >"$place/g$i/cpu.shares"; done
chown 1:2 "$place/g5/tasks"
chmod 600 "$place/g6/cpu.shares"
check "owners and attributes are in the tree" python3 -c 'import os, sys; os.setxattr(sys.argv[1], "trusted.cgraft", b"x" * 300)' "$place/g7"
same "a flat tree"
check "its last value is there" grep -q 702 <("$CGRAFT" decode -i "$work/two")
check "as many groups as were made" [ "$("$CGRAFT" decode -i "$work/two" | grep -o '"dir_name"' | wc -l)" -ge 701 ]
# What differs is told alike, whoever read it.
for i in $(seq 80 7 700); do echo 900 >"$place/g$i/cpu.shares"; done
chown 3:4 "$place/g100/tasks"
rmdir "$place/g300"
strace -f -qq -e 'trace=clone,clone3' -o "$work/trace" "$CGRAFT" verify -i "$work/two" >"$work/out.two" 2>&1
check "verify finds what was changed" [ $? = 6 ]
check "and has two threads" [ "$(threads)" = 1 ]
taskset -c 0 strace -f -qq -e 'trace=clone,clone3' -o "$work/trace" "$CGRAFT" verify -i "$work/two" >"$work/out.one" 2>&1
check "verify with one thread" [ "$(threads)" = 0 ]
check "tells the same" cmp "$work/out.one" "$work/out.two"
check "namely all that was changed" [ "$(grep -c 'cpu.shares' "$work/out.two")" = "$(seq 80 7 700 | grep -vcx 300)" ]
check "owners and missing groups as well" grep -q g300 "$work/out.two"

# A restore reads the values of new groups back with it. What one thread finds wrong, both put right.
remove() { find "$place" -depth -type d -exec rmdir {} +; }
restored() { # restored WHAT THREADS COMMAND...: from nothing, all is there
	local what=$1 threads=$2; shift 2
	remove
	check "$what: a restore" "$@" "$CGRAFT" restore -i "$work/two" 2>"$work/err.$threads"
	check "$what: with $threads threads more" [ "$(threads)" = "$threads" ]
	check "$what: all is as it was" "$CGRAFT" verify -i "$work/two"
}
trace=(strace -f -qq -e 'trace=clone,clone3' -o "$work/trace")
for wrong in "" "-e inject=read:error=EIO:when=300" "-e inject=write:retval=3:when=600"; do
	# shellcheck disable=SC2086 # several words
	restored "${wrong:-all is well}, one thread" 0 taskset -c 0 "${trace[@]}" $wrong
	# shellcheck disable=SC2086
	restored "${wrong:-all is well}, two threads" 1 "${trace[@]}" $wrong
	[ -n "$wrong" ] || check "the same is said" cmp "$work/err.0" "$work/err.1"
done
remove
mkdir "$place"

tree "$place" 8
same "a binary tree"
find "$place" -mindepth 1 -depth -type d -exec rmdir {} +
for i in $(seq 20); do mkdir "$place/c$i"; chain "$place/c$i" 25; done
same "chains"
if [ -n "$v2" ] && mkdir "$v2/$group" 2>/dev/null; then
	for i in $(seq 300); do mkdir -p "$v2/$group/a/g$i"; done
	tree "$v2/$group/a/g9" 5
	same "two hierarchies, one of them v2"
	find "$v2/$group" -depth -type d -exec rmdir {} +
else
	skip "v2 is not mounted here: the VM suite dumps it"
fi
