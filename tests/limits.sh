#!/usr/bin/env bash
# Little room and early ends: SIGTERM and SIGINT at calls of a dump and a restore, a reader that goes away, files that may not grow, 16
# open files, a memory cgroup of 4 MiB. (A full disk: errors.sh, journal.sh; SIGKILL at every call: journal.sh; 64 KiB of stack: binary.sh.)
# shellcheck disable=SC2154 # checks.sh sets group, status and work
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
start limits
command -v strace >/dev/null && command -v cc >/dev/null || { skip "limits: there is no strace, or no cc"; exit; }
cpu=$(hierarchy cpu) && pids=$(hierarchy pids) && [ "$cpu" != "$pids" ] || { skip "limits: v1 with cpu and pids is not here"; exit; }

mkdir -p "$cpu/$group/a/b" "$pids/$group/a/b"
echo 300 >"$cpu/$group/a/cpu.shares"
select=(--cgroup "cpu:/$group" --cgroup "pids:/$group")
tops() { find "$cpu/$group" "$pids/$group" -type d 2>/dev/null | wc -l; }
none_of_it() { find "$cpu/$group" "$pids/$group" -depth -type d -exec rmdir {} + 2>/dev/null; }
"$CGRAFT" dump "${select[@]}" -i "$work/image" || exit 1

# --- SIGTERM and SIGINT

# interrupted SIGNAL CALL NUMBER ARGUMENT...: whether the signal came.
interrupted() {
	local signal=$1 call=$2 number=$3
	shift 3
	{ strace -f -qq -o "$work/calls" -e "trace=$call" -e "inject=$call:signal=$signal:when=$number" "$CGRAFT" "$@" >"$work/out" 2>"$work/err"; } 2>/dev/null
	grep -q "killed by $signal" "$work/calls"
}

# The old image or the new one, whole, and nothing beside it but, between the last two calls, the new one under a name that says so.
dumps_end() {
	local signal=$1 call number tried=0 wrong=0 left
	for call in openat write pwrite64 fsync linkat renameat; do
		for number in 1 2 3 6 9 12 15 18 21; do
			rm -f .cgraft-*.tmp
			echo old >image
			interrupted "$signal" $call $number dump "${select[@]}" -i image || break
			tried=$((tried + 1))
			left=$(find . -type f ! -name image | head -n 1)
			if [ -n "$left" ] && ! { [[ $left == ./.cgraft-*.tmp && $call =~ linkat|renameat ]] && cmp -s "$left" "$work/image"; } ||
				! { [ "$(cat image)" = old ] || cmp -s image "$work/image"; } 2>/dev/null; then
				wrong=$((wrong + 1))
				echo "# $signal at call $number of $call: $left"
			fi
		done
	done
	rm -f .cgraft-*.tmp image
	check "$signal at $tried calls of a dump: the old image or the new one, whole" [ $wrong = 0 ]
	check "control: more than 15 ($tried)" [ $tried -gt 15 ]
}
dumps_end SIGTERM
dumps_end SIGINT

restores_end() {
	local signal=$1 call number tried=0 wrong=0
	for call in openat openat2 mkdirat write pwrite64; do
		for number in 1 2 3 4 5 6 7 8 20 40 60; do
			none_of_it
			rm -f "$work/journal"
			interrupted "$signal" $call $number restore --journal "$work/journal" -i "$work/image" || break
			tried=$((tried + 1))
			[ ! -s "$work/journal" ] || { cgraft undo "$work/journal" && [ "$status" = 0 ]; }
			[ "$(tops)" = 0 ] || { wrong=$((wrong + 1)); echo "# $signal at call $number of $call: $(tops) groups are left after undo: $(cat "$work/err")"; }
		done
	done
	check "$signal at $tried calls of a restore: undo takes everything back" [ $wrong = 0 ]
	check "control: more than 15 ($tried)" [ $tried -gt 15 ]
}
restores_end SIGTERM
restores_end SIGINT
none_of_it
interrupted SIGTERM mkdirat 4 restore -i "$work/image"
check "control: a restore that is ended leaves groups" [ "$(tops)" -gt 0 ]
succeeds "one without a journal goes on" restore -i "$work/image"
succeeds "to the end" verify -i "$work/image"

# --- files that may not grow, and nobody who reads

mkdir "$cpu/$group/many" "$cpu/$group/many"/{1..300}
"$CGRAFT" dump "${select[@]}" -i "$work/many" || exit 1
echo old >image
wrap=(prlimit --fsize=8192)
refuses "a dump whose file may not grow" 1 EFBIG -- dump "${select[@]}" -i image
rm image
none_of_it
aside='2{/^cgraft: everything was taken back: the host is as it was$/d}'
wrap=(prlimit --fsize=2048)
refuses "a restore whose journal may not grow" 1 EFBIG -- restore --journal "$work/small" -i "$work/many"
wrap=()
unset aside
check "nothing is left of it" [ "$(tops)" = 0 ]
cgraft restore -i "$work/many"
("$CGRAFT" dump "${select[@]}" -i - 2>"$work/err"; echo $? >"$work/code") | head -c 1 >/dev/null
check "a reader that takes one byte of $(stat -c %s "$work/many"): exit 1 and EPIPE" grep -q EPIPE "$work/err"
check "and no signal" [ "$(cat "$work/code")" = 1 ]

# --- 16 open files

none_of_it
path=$group
for _ in {1..30}; do path=$path/d; done
mkdir -p "$cpu/$path"
"$CGRAFT" dump --cgroup "cpu:/$group" -i "$work/deep" || exit 1
find "$cpu/$group" -depth -type d -exec rmdir {} +
wrap=(prlimit --nofile=16:16)
aside='2{/^cgraft: everything was taken back: the host is as it was$/d}'
refuses "a restore of 31 levels with 16 open files" 1 EMFILE ulimit -- restore --journal "$work/files" -i "$work/deep"
unset aside
wrap=()
check "leaves nothing" [ "$(tops)" = 0 ]

# --- a memory cgroup of 4 MiB, where the kernel may end anything that opens many files: its own memory for these is counted there

if memory=$(hierarchy memory) && mkdir "$memory/$group-memory" && echo 4194304 >"$memory/$group-memory/memory.limit_in_bytes"; then
	cc -O2 -o "$work/mkdirs" "$tests/bench/mkdirs.c"
	mkdir "$cpu/$group"
	"$work/mkdirs" "$cpu/$group" 4000
	"$CGRAFT" dump --cgroup "cpu:/$group" -i "$work/large" || exit 1
	# shellcheck disable=SC2016 # the inner shell expands them
	wrap=(sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' inside "$memory/$group-memory")
	worked=0
	for try in 1 2 3 4 5; do
		{ cgraft dump --cgroup "cpu:/$group" -i image; } 2>/dev/null
		case $status in
			0) worked=$((worked + 1)); cmp -s image "$work/large" || not_ok "4 MiB: another image" ;;
			137) [ -z "$(ls -A)" ] || not_ok "4 MiB: a dump that the kernel ended leaves $(ls -A)" ;;
			*) not_ok "4 MiB: dump exits $status: $(cat "$work/err")" ;;
		esac
		rm -f image
	done
	check "4 MiB: the whole image, or none if the kernel ends it ($worked of 5 whole)" [ "$try" = 5 ]
	find "$cpu/$group" -mindepth 1 -depth -type d -exec rmdir {} +
	{ cgraft restore --journal "$work/room" -i "$work/large"; } 2>/dev/null
	code=$status
	wrap=()
	case $code in
		0) cgraft verify -i "$work/large"; check "4 MiB: a restore of 4001 groups" [ "$status" = 0 ] ;;
		137 | 1) ok "4 MiB: a restore of 4001 groups ends with $code" ;;
		*) not_ok "4 MiB: restore exits $code: $(cat "$work/err")" ;;
	esac
	cgraft undo "$work/room"
	check "4 MiB: and is taken back" [ "$status:$(find "$cpu/$group" -mindepth 1 -type d | wc -l)" = 0:0 ]
else
	skip "4 MiB: v1 with memory is not here"
fi
