#!/usr/bin/env bash
# compare: cgraft against CRIU and crit, on live process trees in private groups of this host.
#
#   tests/peers/compare.sh [SCENARIO...]     default: all; with no target/cgraft only CRIU's half runs
#
# For each scenario a small process tree is put into groups named cgraft-peers-* of every hierarchy; then
#   image    criu dump and cgraft dump --properties criu --no-ancestors of it say the same (compare.py)
#   decode   crit decode and cgraft decode print the same bytes for cgraft's image and for CRIU's
#   restore  the tree is destroyed, cgraft restores CRIU's image, and every file that CRIU saves is as it
#            was at the dump (state.sh)
# and every image in tests/corpus decodes to its cgroup.json.
# Only groups made here are written; they are removed on every road out, and the last line says so.
# Needs root and the chroot of `scripts/peers build`. Exit: 0 all held, 1 something differed, 77 skipped.
set -u
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
TOP=cgraft-peers-$$
SCENARIOS="plain values shared prefix names nested threads cgns delegated"
FAILED=0 PASSED=0 SKIPPED=0 PIDS=

if [ "${CGRAFT_PEERS_INSIDE:-}" != 1 ]; then
	[ "$(id -u)" = 0 ] || { echo "skipped: comparing with CRIU needs root"; exit 77; }
	"$ROOT/scripts/peers" there || { echo "skipped: no peers chroot (scripts/peers build makes it)"; exit 77; }
	cd "$ROOT" && mkdir -p target && CGRAFT_PEERS_INSIDE=1 exec scripts/peers run bash /here/tests/peers/compare.sh "$@"
fi

CGRAFT=/here/target/cgraft
WORK=/here/target/peers-work.$$
HERE=/here/tests/peers
[ -x $CGRAFT ] || CGRAFT=

# --- reporting

ok() { PASSED=$((PASSED + 1)); echo "ok       $*"; }
bad() { FAILED=$((FAILED + 1)); echo "FAILED   $*"; }
skip() { SKIPPED=$((SKIPPED + 1)); echo "skipped: $*"; }
indent() { sed 's/^/         | /' "$1" | head -n "${2:-8}"; }

# --- groups

# Mount points of all hierarchies that are mounted whole, each device once.
hierarchies() {
	awk '{ for (i = 7; $i != "-"; i++); if (($(i + 1) == "cgroup" || $(i + 1) == "cgroup2") && $4 == "/" && !seen[$3]++) print $5 }' /proc/self/mountinfo
}
HIERARCHIES=$(hierarchies)

# mountpoint of the v1 hierarchy with controller $1, or of v2 for "unified"
hier() {
	awk -v want="$1" '{ for (i = 7; $i != "-"; i++); if ($4 != "/") next
		if (want == "unified" ? $(i + 1) == "cgroup2" : $(i + 1) == "cgroup" && ("," $(i + 3) ",") ~ ("," want ",")) { print $5; exit } }' /proc/self/mountinfo
}

# one new group, as usable as its parent (a v1 cpuset starts empty)
make_group() {
	mkdir "$1" || return
	[ -e "$1/cpuset.mems" ] && [ -e "$1/cgroup.clone_children" ] || return 0
	for f in cpuset.cpus cpuset.mems; do cat "$1/../$f" > "$1/$f"; done
}

# make PATH...: PATH below our top group, with all groups on the way, in every hierarchy
make() {
	local h p c at
	for p; do for h in $HIERARCHIES; do
		at=$h
		while IFS= read -r -d / c; do
			at=$at/$c
			[ -d "$at" ] || make_group "$at" || return
		done <<< "$TOP/$p/"
	done; done
}

# put PID PATH: into PATH below our top group, in every hierarchy
put() {
	local h
	for h in $HIERARCHIES; do echo "$1" > "$h/$TOP/$2/cgroup.procs" || bad "setup: $1 into $h/$TOP/$2"; done
}

# set CONTROLLER PATH FILE VALUE, where this host has that file
set_value() {
	local h; h=$(hier "$1")
	[ -n "$h" ] && [ -e "$h/$TOP/$2/$3" ] || return 0
	printf '%s' "$4" > "$h/$TOP/$2/$3" || bad "setup: $4 into $h/$TOP/$2/$3"
}

groups_left() { for h in $HIERARCHIES; do find "$h" -maxdepth 1 -name "$TOP*"; done; }

remove_groups() {
	local h try
	for try in 1 2 3 4 5 6 7 8 9 10; do
		for h in $HIERARCHIES; do
			[ -d "$h/$TOP" ] && find "$h/$TOP" -depth -type d -exec rmdir {} \; 2>/dev/null
		done
		[ -z "$(groups_left)" ] && return
		sleep 0.1
	done
}

# --- tasks

# a leader with two children in the background: A, B, C
tasks() {
	rm -f "$WORK/pids"
	setsid ${1:-} bash -c 'sleep 1001 & b=$!; sleep 1002 & echo $$ $b $! > "$0.new"; mv "$0.new" "$0"; wait' "$WORK/pids" \
		</dev/null >/dev/null 2>&1 &
	disown
	await_pids
	read -r A B C < "$WORK/pids"; PIDS="$A $B $C"
}

# one task with two more threads: A (leader), T1, T2
threads() {
	rm -f "$WORK/pids"
	setsid python3 -c '
import os, sys, threading, time
for _ in range(2): threading.Thread(target=time.sleep, args=(1000,)).start()
open(sys.argv[1] + ".new", "w").write(" ".join(sorted(os.listdir("/proc/self/task"), key=int)) + "\n")
os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(1000)' "$WORK/pids" </dev/null >/dev/null 2>&1 &
	disown
	await_pids
	read -r A T1 T2 < "$WORK/pids"; PIDS=$A
}

await_pids() {
	local i
	for i in $(seq 100); do [ -s "$WORK/pids" ] && return; sleep 0.05; done
	bad "setup: tasks did not start"; exit 1
}

end_tasks() {
	local p
	[ -n "$PIDS" ] || return 0
	kill -9 $PIDS 2>/dev/null
	for p in $PIDS; do while [ -e "/proc/$p" ] && ! grep -qs '^State:.Z' "/proc/$p/status"; do sleep 0.02; done; done
	PIDS=
}

# At the end of every scenario, and on every road out.
clean() { end_tasks; remove_groups; }
leave() {
	trap - EXIT INT TERM
	clean
	rm -rf "$WORK"
	if [ -n "$(groups_left)" ]; then echo "FAILED   groups left: $(groups_left | tr '\n' ' ')"; FAILED=1; fi
	echo "peers: $PASSED ok, $FAILED failed, $SKIPPED skipped, no group left"
	exit $((FAILED > 0))
}
trap leave EXIT
trap 'FAILED=1; exit' INT TERM

# --- the scenarios: each puts its tasks somewhere; SAVED are the groups whose state CRIU saves

plain() {
	tasks; make web/sub db/s1 other
	put "$A" web; put "$B" db/s1; put "$C" web/sub
	SAVED="web db/s1"
}

values() {
	tasks; make web/sub db/s1
	put "$A" web; put "$B" db/s1; put "$C" web/sub
	SAVED="web db/s1"
	set_value cpu web cpu.shares 512
	set_value cpu web cpu.cfs_quota_us 50000
	set_value cpu web/sub cpu.cfs_period_us 50000
	set_value cpu web/sub cpu.cfs_quota_us 20000
	set_value cpu db/s1 notify_on_release 1
	set_value memory web memory.limit_in_bytes 100M
	set_value memory web memory.memsw.limit_in_bytes 200M
	set_value memory web memory.soft_limit_in_bytes 10M
	set_value memory web/sub memory.limit_in_bytes 50M
	set_value memory web/sub memory.oom_control 1
	set_value memory db/s1 memory.swappiness 5
	set_value memory db/s1 memory.kmem.tcp.limit_in_bytes 50M
	set_value pids web pids.max 33
	set_value pids web/sub pids.max 7
	set_value cpuset db/s1 cpuset.cpus 0
	set_value cpuset web cpuset.sched_load_balance 0
	set_value cpuset web cgroup.clone_children 1
	set_value devices db/s1 devices.deny a
	set_value devices db/s1 devices.allow 'c 1:3 rwm'
	set_value devices db/s1 devices.allow 'b *:* m'
	set_value unified web cgroup.max.depth 7
	set_value unified web/sub cgroup.max.descendants 12
}

shared() { # all tasks in one group: one set
	tasks; make web; SAVED=web
	put "$A" web; put "$B" web; put "$C" web
}

prefix() { # names that begin like another name
	tasks; make web/foo web/foobar web/foo.x/k; SAVED=web
	put "$A" web; put "$B" web/foobar; put "$C" web/foo
}

names() { # what JSON and /proc/PID/cgroup have to keep apart
	local d=$'h\xc3\xa9\xf0\x9f\x98\x80\x7f\x01\t'
	tasks; make 'a b:c,d/q"uo\te' "a b:c,d/$d"; SAVED='a b:c,d'
	put "$A" 'a b:c,d'; put "$B" 'a b:c,d/q"uo\te'; put "$C" "a b:c,d/$d"
}

nested() { # a head that lies above an earlier one
	tasks; make web/foo/deep; SAVED=web BY_PATH=--by-path
	put "$A" web/foo; put "$B" web; put "$C" web/foo/deep
}

threads_apart() { # threads in groups of their own, v1 and v2
	threads; make web/sub; SAVED=web
	put "$A" web
	local h c
	for c in cpu memory freezer; do h=$(hier $c); [ -z "$h" ] || echo "$T1" > "$h/$TOP/web/sub/tasks"; done
	h=$(hier unified); [ -z "$h" ] && return
	echo threaded > "$h/$TOP/web/sub/cgroup.type"; echo "$T2" > "$h/$TOP/web/sub/cgroup.threads"
}

cgns() { # a cgroup namespace whose root is the leader's group
	make web/sub web/other; SAVED=web
	local enter='for h in '$(echo $HIERARCHIES)'; do echo $$ > $h/'$TOP'/web/cgroup.procs; done; exec unshare --cgroup "$@"'
	printf '%s\n' "$enter" > "$WORK/enter"
	tasks "bash $WORK/enter"
	put "$B" web/sub; put "$C" web/other
}

delegated() { # owners and modes
	tasks; make web/sub; SAVED=web
	put "$A" web; put "$B" web/sub; put "$C" web/sub
	local h
	for h in $HIERARCHIES; do
		chown 1000:1001 "$h/$TOP/web" "$h/$TOP/web/cgroup.procs"; chmod 2770 "$h/$TOP/web"
		chown 1000:1001 "$h/$TOP/web/sub"; chmod 1751 "$h/$TOP/web/sub"
	done
	h=$(hier cpu); [ -z "$h" ] || chmod 666 "$h/$TOP/web/cpu.shares"
}

# --- the checks

criu_dump() {
	mkdir "$WORK/criu"
	criu dump -t "$A" --leave-running --manage-cgroups=full -D "$WORK/criu" -o dump.log -v4 >"$WORK/out" 2>&1 && [ -s "$WORK/criu/cgroup.img" ]
}

# decode FILE NAME: crit's two ways to print it, and cgraft's
decode() {
	local how
	for how in "" --pretty; do
		crit decode -i "$1" $how > "$WORK/crit.json" 2>/dev/null || { bad "$2: crit decode $how"; continue; }
		$CGRAFT decode -i "$1" $how > "$WORK/cgraft.json" 2>"$WORK/out" || { bad "$2: cgraft decode $how"; indent "$WORK/out"; continue; }
		if cmp -s "$WORK/crit.json" "$WORK/cgraft.json"; then ok "$2: decode $how as crit does"
		else bad "$2: decode $how"; diff "$WORK/crit.json" "$WORK/cgraft.json" > "$WORK/out"; cut -c1-300 "$WORK/out" > "$WORK/out2"; indent "$WORK/out2" 8; fi
	done
}

image() {
	if ! $CGRAFT dump --properties criu --no-ancestors -t "$A" -i "$WORK/ours.img" >"$WORK/out" 2>&1 || [ ! -s "$WORK/ours.img" ]; then
		bad "$1: cgraft dump"; indent "$WORK/out"; return
	fi
	crit decode -i "$WORK/criu/cgroup.img" > "$WORK/theirs.json"
	crit decode -i "$WORK/ours.img" > "$WORK/ours.json" 2>"$WORK/out" ||
		{ bad "$1: crit cannot read cgraft's image: $(tail -n 1 "$WORK/out")"; return; }
	if python3 $HERE/compare.py $BY_PATH "$WORK/theirs.json" "$WORK/ours.json" > "$WORK/out" 2>&1; then ok "$1: image as CRIU's, $(tail -n 1 "$WORK/out")"
	else bad "$1: image differs from CRIU's"; indent "$WORK/out"; fi
	decode "$WORK/criu/cgroup.img" "$1: CRIU's image"
	decode "$WORK/ours.img" "$1: cgraft's image"
	if $CGRAFT dump -t "$A" -i "$WORK/full.img" >"$WORK/out" 2>&1; then decode "$WORK/full.img" "$1: cgraft's full image"
	else bad "$1: cgraft dump of everything"; indent "$WORK/out"; fi
}

state() {
	local h heads=()
	for h in $HIERARCHIES; do while IFS= read -r p; do heads+=("$h/$TOP/$p"); done <<< "$SAVED_LINES"; done
	bash $HERE/state.sh "${heads[@]}"
}

restore() {
	end_tasks; remove_groups
	if ! $CGRAFT restore -i "$WORK/criu/cgroup.img" >"$WORK/out" 2>&1; then bad "$1: cgraft restore of CRIU's image"; indent "$WORK/out"; return; fi
	state > "$WORK/after" 2>&1
	if diff "$WORK/before" "$WORK/after" > "$WORK/out"; then ok "$1: restored from CRIU's image, $(wc -l < "$WORK/after") lines of state the same"
	else bad "$1: state after restore differs"; indent "$WORK/out"; fi
}

scenario() {
	local name=$1
	BY_PATH='' A='' SAVED=''
	rm -rf "$WORK"; mkdir -p "$WORK"
	case $name in
		threads) threads_apart ;;
		*) $name ;;
	esac
	SAVED_LINES=$SAVED; case $name in names) ;; *) SAVED_LINES=$(tr ' ' '\n' <<< "$SAVED") ;; esac
	if ! criu_dump; then bad "$name: criu dump"; indent "$WORK/out"; grep -s Error "$WORK/criu/dump.log" | head -n 5; clean; return; fi
	state > "$WORK/before"
	ok "$name: criu dump, $(wc -l < "$WORK/before") lines of state"
	if [ -n "$CGRAFT" ]; then image "$name"; restore "$name"; else skip "$name: target/cgraft is not built"; fi
	[ -n "${CGRAFT_PEERS_KEEP:-}" ] && mkdir -p "$CGRAFT_PEERS_KEEP" && rm -rf "$CGRAFT_PEERS_KEEP/$name" && cp -r "$WORK" "$CGRAFT_PEERS_KEEP/$name"
	clean
}

corpus() {
	local d found=
	for d in /here/tests/corpus/*/; do
		[ -e "$d/cgroup.img" ] && [ -e "$d/cgroup.json" ] || continue
		found=1
		if [ -z "$CGRAFT" ]; then skip "corpus $(basename "$d"): target/cgraft is not built"; continue; fi
		if $CGRAFT decode --pretty -i "$d/cgroup.img" 2>&1 | cmp -s - "$d/cgroup.json"; then ok "corpus $(basename "$d"): decodes to its cgroup.json"
		else bad "corpus $(basename "$d"): decode differs from cgroup.json"; fi
	done
	[ -n "$found" ] || skip "no image in tests/corpus"
}

mkdir -p "$WORK"
[ $# -gt 0 ] || { set -- $SCENARIOS; corpus; }
for s; do scenario "$s"; done
exit
