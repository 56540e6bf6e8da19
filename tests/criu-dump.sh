#!/usr/bin/env bash
# Tasks from the folder of a dump of CRIU, made by hand: which files give which set, who is taken for whom, what is told, and
# files made to do harm. What CRIU itself writes is restored by tests/peers/compare.sh.
# shellcheck disable=SC2154 # checks.sh sets status, pid and work
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
start criu-dump
cc -O2 -pthread -o "$work/threads" "$tests/vm/threads.c" || exit 1
cpu=$(hierarchy cpu) || { skip "criu-dump: no v1 hierarchy with cpu"; exit; }
mkdir -p "$cpu/$group/a/b" "$cpu/$group/c" "$work/dump"

is() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1: '$2', not '$3': $(head -c 300 "$work/err")"; fi; }
says() { if grep -q -- "$2" "$work/err"; then ok "$1"; else not_ok "$1: $(head -c 300 "$work/err")"; fi; }
where() { sed -n "s|^[0-9]*:cpu:/$group||p" "/proc/$1/task/${2:-$1}/cgroup"; }

# made FILES: the folder anew, with CRIU's image of the three groups and these files, a dict of tests/handmade.py.
made() {
	rm -rf "$work/dump"
	mkdir "$work/dump"
	PYTHONPATH=$tests python3 - "$work/dump" "$group" "$leader" "$first" "$second" "$third" $$ <<PYTHON
import sys
from handmade import *
folder, top = sys.argv[1], sys.argv[2].encode()
leader_, first, second, third, shell = map(int, sys.argv[3:])
sets = [(2, b"/a"), (3, b"/a/b"), (4, b"/c")]
payload = b"".join(a_set(id, member(b"cpu", b"/" + top + path)) for id, path in sets)
payload += hierarchy(group(top, group(b"a", group(b"b")) + group(b"c")), [b"cpu"])
open(folder + "/cgroup.img", "wb").write(image(payload))
files = {"inventory": inventory()}
files |= $1
dump(folder, files)
PYTHON
}

# anywhere: all threads out of the groups.
anywhere() { for tid in "$leader" "$first" "$second" "$third"; do echo "$tid" >"$cpu/tasks"; done; }
join() { "${wrap[@]}" "$CGRAFT" restore -D "$work/dump" --phase join "$@" >"$work/out" 2>"$work/err"; status=$?; }

: >"$work/tids"
"$work/threads" 3 >"$work/tids" &
kept+=($!)
until [ "$(wc -l <"$work/tids")" = 4 ]; do sleep 0.05; done
{ read -r leader; read -r first; read -r second; read -r third; } <"$work/tids"
good='{"pstree": pstree(process(leader_, 0, [leader_, first, second, third])),
	leader_: leader(b"threads", 2), first: thread(b"threads", 2), second: thread(b"threads", 3), third: thread(b"threads")}'

# --- which set

made "$good"
join
is "four threads: exit 0" "$status" 0
is "the leader, a thread beside it, one apart, one without a set" \
	"$(where "$leader") $(where "$leader" "$first") $(where "$leader" "$second") $(where "$leader" "$third")" "/a /a /a/b /a"
says "three or four are moved" "tasks joined [2-4]$"
join
says "once more: none is moved" "tasks joined 0$"
is "nothing but that is said" "$(wc -l <"$work/err")" 1

anywhere
made '{"inventory": inventory(version=1), "pstree": dump_file([PSTREE], [process(leader_, 0, [leader_, first, second, third])]),
	leader_: leader(b"threads", old_set=4), first: thread(), second: thread(), third: thread()}'
join
is "an old dump: the set of the process, files with one magic" "$status:$(where "$leader")$(where "$leader" "$second")" "0:/c/c"

anywhere
made '{"pstree": pstree(process(leader_, 0, [leader_, first]), process(77, leader_, [4000000000, 4000000001])),
	leader_: leader(b"threads", 2), first: thread(b"threads", 3), 77: leader(b"dead", state=2)}'
join
is "a zombie, whose threads are undefined, is nothing to move" "$status:$(where "$leader")$(where "$leader" "$first")" "0:/a/a/b"
is "and nothing to tell" "$(wc -l <"$work/err")" 1

anywhere
made '{"pstree": pstree(process(leader_, 0, [leader_, first])), leader_: leader(b"threads", 1), first: thread(b"threads", 3)}'
join
is "CRIU's own set is in no image: its tasks stay" "$status:$(where "$leader")$(where "$leader" "$first")" "0:/a/b"
says "which is told" "1 tasks stay where they are: they were in CRIU's own groups"

# --- who is who

anywhere
made "${good//leader(b\"threads\"/leader(b\"other\"}"
join
is "another name: it stays, and so do its threads" "$status:$(where "$leader")$(where "$leader" "$first")" "0:"
says "which is told, with its name" "task $leader (other) stays where it is: another task has its number"
made "${good/process(leader_, 0/process(leader_, 1}"
join
is "another parent: it stays" "$status:$(where "$leader")" "0:"
made "${good/process(leader_, 0/process(leader_, shell}"
join
is "its parent" "$status:$(where "$leader")" "0:/a"
anywhere
made '{"pstree": pstree(process(3999999, 0)), 3999999: leader(b"gone", 2)}'
join
says "one that does not run" "task 3999999 (gone) stays where it is: there is no such process"
join --pid-map "3999999:$leader"
is "by a map it takes the place of another one" "$status:$(where "$leader")" "0:/a"
refuses "a map of a process that the dump does not have" 4 "1:$leader" "no such process" -- restore -D "$work/dump" --pid-map "1:$leader"
made '{"pstree": pstree(*[process(3999000 + n, 0) for n in range(100)])} | {3999000 + n: leader(b"gone", 2) for n in range(100)}'
join
is "of a hundred some are told, the others counted" "$(wc -l <"$work/err"):$(grep -c '92 tasks more stay' "$work/err")" "10:1"
anywhere
"$CGRAFT" dump -t "$leader" -i "$work/ours"
made "$good"
cp "$work/ours" "$work/dump/cgroup.img"
join
is "an image with tasks of its own: they count, not the dump" "$status:$(where "$leader")" "0:"
"$CGRAFT" dump --cgroup "cpu:/$group" --no-tasks -i "$work/dump/cgroup.img"
join
is "an image of cgraft without tasks has other sets than the dump" "$status:$(where "$leader")" "0:"

# --- what is not read: other phases, other ways to name the image

made '{"pstree": b"harm"}'
succeeds "without the phase join the dump is not looked at" restore -D "$work/dump" --phase create,limit
succeeds "nor in mode ignore" restore -D "$work/dump" --manage-cgroups=ignore
succeeds "nor without -D" restore -i "$work/dump/cgroup.img"
rm "$work/dump/inventory.img"
succeeds "a folder without inventory.img holds no dump" restore -D "$work/dump"

# --- harm: exit 3, one line, nothing changed

anywhere
rmdir "$cpu/$group/c"                          # so that a restore that goes on is seen
state=state_with_values
# harms WHAT FILES WORD...: a dump of which one file is wrong
harms() {
	local what=$1 files=$2
	shift 2
	made "$good | $files"
	refuses "$what" 3 "$@" -- restore -D "$work/dump"
}
harms "a core image that is missing" '{"pstree": pstree(process(leader_, 0, [leader_, 3999999]))}' core-3999999.img "not there"
harms "a wrong magic" '{"pstree": dump_file([COMMON, CORE], [])}' pstree.img "not the file"
harms "an inventory of another version" '{"inventory": inventory(version=3)}' inventory.img "version"
harms "an empty inventory" '{"inventory": b""}' inventory.img "not the file"
harms "an entry of 4 GiB" '{"pstree": pstree()+ b"\xff\xff\xff\xff"}' pstree.img "cut off"
harms "a core image of 4 GiB" '{second: dump_file([COMMON, CORE], []) + b"\xff\xff\xff\xff"}' "core-$second.img" "cut off"
harms "a message longer than its entry" '{second: dump_file([COMMON, CORE], [number(1, 1) + varint(5 << 3 | 2) + varint(1 << 40)])}' "core-$second.img" longer
harms "two core images in one" '{second: thread(b"threads", 3) * 2}' "core-$second.img" "bytes follow"
harms "the core image of a thread for its leader" '{leader_: thread(b"threads", 2)}' "core-$leader.img" "missing"
harms "a process that is not among its threads" '{"pstree": pstree(process(leader_, 0, [first, second]))}' pstree.img "among its own"
harms "a process without a number" '{"pstree": pstree(number(2, 0))}' pstree.img "number"
harms "process 0" '{"pstree": pstree(process(0, 0))}' pstree.img "number"
harms "a thread of number 2^32" '{"pstree": pstree(process(leader_, 0, [leader_, 1 << 32]))}' pstree.img "too large"
harms "a thread of number 2^31" '{"pstree": pstree(process(leader_, 0, [leader_, 1 << 31]))}' pstree.img "number"
harms "a set that the image does not have" '{third: thread(b"threads", 9)}' "core-$third.img" "no set"
harms "a name of 4096 bytes" '{third: thread(b"n" * 4096, 2)}' "core-$third.img" "15 bytes"
harms "a tree that does not end" '{"pstree": pstree(*[process(leader_, 0, [leader_])] * 3) + b"\x7f\0\0\0"}' pstree.img "cut off"
harms "number 7 is a string" '{leader_: dump_file([COMMON, CORE], [text(3, text(1, b"x"))])}' "core-$leader.img" "text stands"
made "$good"
rm "$work/dump/pstree.img"
refuses "no pstree.img" 3 pstree.img "not there" -- restore -D "$work/dump"
made "$good"
rm "$work/dump/core-$second.img"
mkfifo "$work/dump/core-$second.img"
refuses "a pipe that nobody writes to" 3 "core-$second.img" "no regular file" -- restore -D "$work/dump"
rm "$work/dump/core-$second.img"
ln -s "core-$first.img" "$work/dump/core-$second.img"
refuses "a link" 3 "core-$second.img" "no regular file" -- restore -D "$work/dump"
rm "$work/dump/core-$second.img"
mkdir "$work/dump/core-$second.img"
refuses "a folder" 3 "core-$second.img" "no regular file" -- restore -D "$work/dump"
state=state
mkdir "$cpu/$group/c"

# --- thousands of threads: memory does not grow, and it takes no time

: >"$work/tids"
"$work/threads" 3000 >"$work/tids" &
many=$!
kept+=("$many")
until [ "$(wc -l <"$work/tids")" = 3001 ]; do sleep 0.1; done
made "{'pstree': pstree(process($many, 0, [int(tid) for tid in open('$work/tids')])), $many: leader(b'threads', 2)} | {int(tid): thread(b'threads', 2 + int(tid) % 3) for tid in open('$work/tids') if int(tid) != $many}"
before=$(date +%s%N)
join
took=$((($(date +%s%N) - before) / 1000000))
is "3001 threads: exit 0" "$status" 0
check "in less than 5 s: $took ms" [ $took -lt 5000 ]
awk -v leader=$many '{ print ($1 == leader ? 2 : 2 + $1 % 3), $1 }' "$work/tids" | sort >"$work/want"
for n in "2 a" "3 a/b" "4 c"; do sed "s/^/${n% *} /" "$cpu/$group/${n#* }/tasks"; done | sort >"$work/have"
check "each in the group of its set" cmp -s "$work/want" "$work/have"
if gcc -O1 -o "$work/measure" "$tests/bench/measure.c"; then
	"$work/measure" "$work/measured" "$CGRAFT" restore -D "$work/dump" --phase join 2>"$work/err"
	read -r _ kib code <"$work/measured"
	check "and at most 2 MiB resident: $kib KiB" [ "$code:$((kib <= 2048))" = 0:1 ]
fi
