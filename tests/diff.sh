#!/usr/bin/env bash
# diff and verify from the outside: what was changed is told and nothing else, as lines and as JSON that says the same; the exit codes;
# images of another order, of CRIU, of another page size, with controllers split and joined.
# shellcheck disable=SC2154 # checks.sh sets status, pid and work
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
start diff

is() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1: '$2', not '$3': $(head -c 300 "$work/err")"; fi; }

# as_lines: the JSON of the last call as the lines that it stands for, by a reader of its own.
as_lines() {
	python3 -c '
import json, sys
told = json.load(sys.stdin)
assert told["count"] == len(told["differences"])
names = {"a": "A", "b": "B", "image": "the image", "host": "this host"}
for one in told["differences"]:
    kind, only = one["kind"], names.get(one.get("only_in"))
    other = {"A": "B", "B": "A"}.get(only)
    label = one.get("hierarchy") or "unified"
    sides = ", ".join(names[key] + " has " + one.get(key, "none") for key in (("a", "b") if "a" in one or "b" in one else ("image", "host")))
    group = "group %s of %s: " % (one.get("group"), label)
    print({
        "group": lambda: group + "only in " + only,
        "value": lambda: group + one["file"] + ": " + sides,
        "attribute": lambda: group + "attribute " + one["file"] + ": " + sides,
        "owner": lambda: group + "owner" + (" of " + one["file"] if "file" in one else "") + ": " + sides,
        "file": lambda: "hierarchy %s: %s does not save %s" % (label, other, one["file"]),
        "hierarchy": lambda: "hierarchy %s: only in %s" % (label, only),
        "task": lambda: "task %d: only in %s" % (one["tid"], only) if only else "task %d of %s: %s" % (one["tid"], label, sides),
        "set": lambda: "tasks in" + ("".join(" %s:%s" % (name or "unified", path) for name, path in one["members"].items() if path != "/") or " /") + ": only in " + only,
    }[kind]())' <"$work/out"
}

# tells WHAT LINES ARGUMENT...: exactly these lines in this order, exit 6 or, without any, 0; and JSON that says the same.
tells() {
	local what=$1 lines=$2 want=6
	shift 2
	[ -n "$lines" ] || want=0
	cgraft "$@"
	is "$what" "$status:$(cat "$work/out")" "$want:$lines"
	cgraft "$@" --json
	is "$what, JSON" "$status:$(as_lines)" "$want:$lines"
}

cpu=$(hierarchy cpu) || { skip "diff: no v1 hierarchy with cpu"; exit; }
label=$(awk -v m="$cpu" '$5 == m { n = split($NF, o, ","); for (i = 1; i <= n; i++) if (o[i] ~ /^cpu/) l = l (l ? "," : "") o[i] } END { print l }' /proc/self/mountinfo)
top=$cpu/$group
mkdir -p "$top/a/b" "$top/c" "$top/gone" "$top/odd name" || exit 1
echo 300 >"$top/a/cpu.shares"
keep "$cpu" "$group/a"
first=$pid
keep "$cpu" "$group/c"
second=$pid
succeeds "the first dump" dump --cgroup "cpu:/$group" -i "$work/one"
tells "the same image" "" diff "$work/one" "$work/one"
tells "the host is as the image says" "" verify -i "$work/one"

# --- everything changed once

echo 512 >"$top/a/cpu.shares"
chown 1000:1001 "$top/a/b"
chmod 640 "$top/c/cpu.shares"
rmdir "$top/gone"
echo "$second" >"$top/a/b/cgroup.procs"
changes="group /$group/a of $label: cpu.shares: %s has 300, %s has 512
group /$group/c of $label: owner of cpu.shares: %s has 0:0 0644, %s has 0:0 0640"
owner="group /$group/a/b of $label: owner: %s has 0:0 0755, %s has 1000:1001 0755"
moved="task $second of $label: %s has /$group/c, %s has /$group/a/b"
# told TEXT LEFT RIGHT
# shellcheck disable=SC2059 # the text has the places
told() { printf "$1\n" "$2" "$3" "$2" "$3" "$2" "$3" "$2" "$3"; }
# Lines in any order: the kernel's order of groups is its own.
sorted() { sort "$work/out"; }
tells_sorted() {
	local what=$1 lines
	lines=$(sort <<<"$2")
	shift 2
	cgraft "$@"
	is "$what" "$status:$(sorted)" "6:$lines"
	cgraft "$@" --json
	is "$what, JSON" "$status:$(as_lines | sort)" "6:$lines"
}
tells_sorted "verify tells what was changed" "$(told "$changes
$owner
$moved" "the image" "this host")
group /$group/gone of $label: only in the image" verify -i "$work/one"
mkdir "$top/new"
succeeds "the second dump" dump --cgroup "cpu:/$group" -i "$work/two"
all="$(told "$changes
$owner
$moved" A B)
group /$group/gone of $label: only in A
group /$group/new of $label: only in B"
tells_sorted "diff tells what was changed" "$all" diff "$work/one" "$work/two"
swapped=$(sed -E 's/(.*): A has (.*), B has (.*)/\1: A has \3, B has \2/; t; y/AB/BA/' <<<"$all")
tells_sorted "and the other way round" "$swapped" diff "$work/two" "$work/one"
tells "verify of the second one" "" verify -i "$work/two"
kill "$first"
wait "$first" 2>/dev/null
tells "a task that is gone is no difference to the host" "" verify -i "$work/two"
succeeds "the third dump" dump --cgroup "cpu:/$group" -i "$work/three"
tells "but one to an image" "task $first: only in A" diff "$work/two" "$work/three"
succeeds "a dump without tasks" dump --cgroup "cpu:/$group" --no-tasks -i "$work/no-tasks"
cgraft diff "$work/one" "$work/no-tasks"
is "without tasks sets are compared" "$status:$(grep -c "^tasks in .*$label:/$group/c.*: only in A$" "$work/out")" 6:1
"$CGRAFT" diff /dev/stdin "$work/two" < <(cat "$work/one") >"$work/out" 2>"$work/err"
is "one of them from standard input" "$?:$(sorted)" "6:$(sort <<<"$all")"
mkdir "$top/c/private"
echo 700 >"$top/c/private/cpu.shares"
succeeds "restore of the first" restore --phase create,limit,join -i "$work/one"
cgraft verify -i "$work/one"
is "what is restored is as the image says" "$status:$(cat "$work/out")" 0:

# --- images of a shape of their own

# made NAME EXPRESSION: an image whose payload is a Python expression; without about it has no origin, as CRIU's have none.
head='def head(names, inside, name=b"x"): return hierarchy(group(name, inside), names)
def g(name, value): return group(name, prop(b"cpu.shares", value))
def above(name, inside): return text(2, text(1, name) + number(1000, 1) + perms(4, 0o40755) + inside)
def about(page): return text(1000, text(1, b"t") + number(4, page))
def sum32(payload):
    import zlib
    return payload + varint(1002 << 3 | 5) + zlib.crc32(payload).to_bytes(4, "little")'
made() {
	PYTHONPATH=$tests python3 -c "
import sys
from handmade import *
$head
open(sys.argv[1], 'wb').write(image($2))" "$work/$1"
}
made order 'head([b"cpu"], b"".join(g(b"%d" % i, b"%d" % (i + 2)) for i in range(200)))'
made other-order 'head([b"cpu"], b"".join(g(b"%d" % i, b"%d" % (i + 2)) for i in reversed(range(200)) if i != 7) + g(b"7", b"8"))'
tells "groups in another order" "group /x/7 of cpu: cpu.shares: A has 9, B has 8" diff "$work/order" "$work/other-order"
made joined 'hierarchy(group(b"x", prop(b"cpu.shares", b"5") + prop(b"memory.limit_in_bytes", b"8192")) , [b"memory", b"cpu"])'
made parted 'head([b"cpu"], prop(b"cpu.shares", b"6")) + head([b"memory"], prop(b"memory.limit_in_bytes", b"4096"))'
tells "controllers joined and split" "group /x of cpu: cpu.shares: A has 5, B has 6
group /x of memory: memory.limit_in_bytes: A has 8192, B has 4096" diff "$work/joined" "$work/parted"
made unified 'head([b""], prop(b"cpu.max", b"5 100000"))'
tells "v1 is not compared with v2" "hierarchy memory,cpu: only in A
hierarchy unified: only in B" diff "$work/joined" "$work/unified"
made defaults 'head([b"cpu"], prop(b"cpu.shares", b"1024") + prop(b"cpu.cfs_quota_us", b"-1"))'
made few 'head([b"cpu"], b"")'
tells "a default that is not saved is no difference" "" diff "$work/defaults" "$work/few"
made set 'head([b"cpu"], g(b"1", b"2") + g(b"2", b"3"))'
made unset 'head([b"cpu"], group(b"1") + group(b"2"))'
tells "a file that is nowhere saved is told once" "hierarchy cpu: B does not save cpu.shares" diff "$work/set" "$work/unset"
made half 'head([b"cpu"], g(b"1", b"2") + group(b"2"))'
tells "one that is saved somewhere is missing" "group /x/2 of cpu: cpu.shares: A has 3, B has none" diff "$work/set" "$work/half"
made nested 'hierarchy(above(b"p", above(b"q", g(b"r", b"2"))), [b"cpu"])'
made path 'hierarchy(text(2, text(1, b"p/q/r") + prop(b"cpu.shares", b"3") + perms(4, 0o40755)), [b"cpu"])'
tells "ancestors and a head with a whole path" "group /p of cpu: only in A
group /p/q of cpu: only in A
group /p/q/r of cpu: cpu.shares: A has 2, B has 3" diff "$work/nested" "$work/path"
made small-pages 'sum32(about(4096) + head([b"memory"], prop(b"memory.limit_in_bytes", b"69632")))'
made large-pages 'sum32(about(65536) + head([b"memory"], prop(b"memory.limit_in_bytes", b"65536")))'
tells "a limit in larger pages" "" diff "$work/small-pages" "$work/large-pages"
made same-pages 'sum32(about(4096) + head([b"memory"], prop(b"memory.limit_in_bytes", b"65536")))'
tells "but not in the same ones" "group /x of memory: memory.limit_in_bytes: A has 69632, B has 65536" diff "$work/small-pages" "$work/same-pages"
made left "sum32(about(4096) + head([b'cpu'], group(b'x', attributes=attribute(b'user.a', b'1') + attribute(b'user.b', b'2') + attribute(b'user.d', b'3'))))"
made right "sum32(about(4096) + head([b'cpu'], group(b'x', attributes=attribute(b'user.a', b'1') + attribute(b'user.b', b'9') + attribute(b'user.c', b'4'))))"
tells "extended attributes" "group /x/x of cpu: attribute user.b: A has 2, B has 9
group /x/x of cpu: attribute user.d: A has 3, B has none
group /x/x of cpu: attribute user.c: A has none, B has 4" diff "$work/left" "$work/right"
tells "an image of CRIU with itself" "" diff "$tests/corpus/v1-ct/cgroup.img" "$tests/corpus/v1-ct/cgroup.img"
made escape 'head([b"cpu"], group(b"\x1b[2J", prop(b"cpu.shares", b"7")))'
cgraft diff "$work/escape" "$work/few"
is "a name cannot drive a terminal" "$status:$(cat "$work/out")" '6:group /x/\u{1b}[2J of cpu: only in A'

if memory=$(hierarchy memory); then
	mkdir "$memory/$group"
	made page-host "sum32(about(65536) + head([b'memory'], prop(b'memory.limit_in_bytes', b'1048576'), b'$group'))"
	echo 1052672 >"$memory/$group/memory.limit_in_bytes"
	tells "verify counts in the larger pages" "" verify -i "$work/page-host"
	made page-host "sum32(about(4096) + head([b'memory'], prop(b'memory.limit_in_bytes', b'1048576'), b'$group'))"
	tells "and in the same ones as they are" "group /$group of memory: memory.limit_in_bytes: the image has 1048576, this host has 1052672" verify -i "$work/page-host"
else
	skip "pages of another host: no v1 hierarchy with memory"
fi

# --- what is wrong

refuses "one image" 2 "diff A B" -- diff "$work/one"
refuses "no image" 2 "diff A B" -- diff
refuses "three images" 2 -- diff "$work/one" "$work/two" "$work/three"
refuses "an image by -i" 2 "-i" -- diff -i "$work/one" "$work/two" "$work/three"
refuses "an option of another command" 2 --cgroup-root -- diff --cgroup-root /x "$work/one" "$work/two"
refuses "an image that is none" 3 "$tests/diff.sh" -- diff "$work/one" "$tests/diff.sh"
head -c 200 "$work/one" >"$work/cut"
refuses "an image that is cut off" 3 "$work/cut" -- diff "$work/cut" "$work/one"
refuses "an image that is not there" 1 "$work/nonesuch" -- diff "$work/one" "$work/nonesuch"
made bad-name 'head([b"cpu"], group(b".."))'
refuses "an image that leads out" 3 "$work/bad-name" -- diff "$work/few" "$work/bad-name"
