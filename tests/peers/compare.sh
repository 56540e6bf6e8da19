#!/usr/bin/env bash
# compare: cgraft against CRIU and crit, on live process trees in private groups of this host.
#
#   tests/peers/compare.sh [SCENARIO...]     default: all
#
# For each scenario a small process tree is put into groups named cgraft-peers-* of every hierarchy; then
#   image    criu dump and cgraft dump --properties criu --no-ancestors of it say the same (compare.py)
#   decode   crit decode and cgraft decode print the same bytes for cgraft's images and for CRIU's
#   restore  the tree is destroyed, cgraft restores CRIU's image, and every file that CRIU saves is as it
#            was at the dump (state.sh)
#   repair   the tree and its groups are destroyed, CRIU restores the tree without groups (--manage-cgroups=ignore), and
#            cgraft puts every thread and value where they were, from CRIU's dump alone: groups, memberships and state
#            are as they were at the dump
#   outside  as repair, but CRIU restores the tree in a further pid namespace and cgraft finds it from outside (--pidns)
#   inside   the tree and its groups are destroyed, cgraft makes the groups from its own image and starts CRIU in that of the
#            first task (exec), and moves the other tasks: as at the dump, and memory is charged there
#   hook     CRIU dumps and restores with cgraft as its action script, both in mode ignore: as at the dump
#   swap     the tree is destroyed, CRIU restores it with cgraft's image in the place of its own, and state
#            and memberships are as they were at the dump
# and every image in tests/corpus decodes to its cgroup.json, and every dump has the tasks of its tasks.tsv (tasks.sh).
# The program is target/cgraft, or what CGRAFT names; it is copied first, so that it may be built anew meanwhile.
# Only groups made here are written; they are removed on every road out, and one that is left is a failure.
# Needs root and the chroot of `scripts/peers build`; takes a minute and at most five.
# Last line: "peers: N passed, N failed, N skipped". Exit: 0 all passed, 1 one failed, 77 none failed, one was skipped.
# CGRAFT_PEERS_KEEP=FOLDER, below the current one, keeps each scenario's images and texts.
# shellcheck disable=SC2317,SC2086 # scenarios, checks and traps are called by name; lists of pids and options are split
set -u
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
TOP=${CGRAFT_PEERS_TOP:-cgraft-peers-$$}
SCENARIOS="plain values shared prefix names nested threads apart rooted wide cgns delegated setgid zombies attributes lists controllers"
FAILED=0 PASSED=0 SKIPPED=0 PIDS=
SECONDS_AT_MOST=300

if [ "${CGRAFT_PEERS_INSIDE:-}" != 1 ]; then
	skip_all() { printf 'skipped: %s\npeers: 0 passed, 0 failed, 1 skipped\n' "$*"; exit 77; }
	PROGRAM=$(realpath -m "${CGRAFT:-$ROOT/target/cgraft}")
	[ "$(id -u)" = 0 ] || skip_all "comparing with CRIU needs root"
	"$ROOT/scripts/peers" there || skip_all "no peers chroot (scripts/peers build makes it)"
	[ -x "$PROGRAM" ] || skip_all "no program $PROGRAM (scripts/build makes it)"
	cd "$ROOT" || exit
	export CGRAFT_PEERS_INSIDE=1 CGRAFT_PEERS_TOP=$TOP CGRAFT_PEERS_WORK=target/peers.$$
	mkdir -p "$CGRAFT_PEERS_WORK" && trap 'rm -rf "$ROOT/$CGRAFT_PEERS_WORK"' EXIT
	cp "$PROGRAM" "$CGRAFT_PEERS_WORK/cgraft" || exit
	# In a pid namespace of its own: this shell takes in what it orphans, and nobody takes a pid that CRIU needs again.
	timeout -k 20 $SECONDS_AT_MOST scripts/peers run unshare --pid --fork --kill-child --mount-proc bash /here/tests/peers/compare.sh "$@" &
	trap 'kill $!' INT TERM
	until wait $!; code=$?; [ ! -e /proc/$! ]; do :; done
	[ $code != 124 ] || echo "peers: stopped after $SECONDS_AT_MOST seconds"
	[ $code = 0 ] || [ $code = 77 ] || exit 1
	exit $code
fi

WORK=/here/$CGRAFT_PEERS_WORK/work
HERE=/here/tests/peers

# --- reporting

ok() { PASSED=$((PASSED + 1)); echo "ok       $*"; }
bad() { FAILED=$((FAILED + 1)); echo "FAILED   $*"; }
skip() { SKIPPED=$((SKIPPED + 1)); echo "skipped: $*"; }
indent() { sed 's/^/         | /' "$1" | head -n "${2:-8}"; }

# Nothing here takes a second; what takes half a minute hangs.
cgraft() { timeout -k 5 30 "/here/$CGRAFT_PEERS_WORK/cgraft" "$@"; }
criu() { timeout -k 5 30 criu "$@"; }
crit() { timeout -k 5 30 crit "$@"; }

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

# put PID PATH [CONTROLLER...]: into PATH below our top group, in every hierarchy or in those named
put() {
	local h pid=$1 path=$2 which=$HIERARCHIES
	shift 2
	[ $# = 0 ] || which=$(for c; do hier "$c"; done)
	for h in $which; do
		echo "$pid" > "$h/$TOP/$path/cgroup.procs" || bad "setup: $pid into $h/$TOP/$path"
	done
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
	# shellcheck disable=SC2016 # the inner shell fills it in
	setsid ${1:-} bash -c 'sleep 1001 & b=$!; sleep 1002 & echo $$ $b $! > "$0.new"; mv "$0.new" "$0"; wait' "$WORK/pids" \
		</dev/null >/dev/null 2>&1 3>&- &
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
time.sleep(1000)' "$WORK/pids" </dev/null >/dev/null 2>&1 3>&- &
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
	for p in $PIDS; do while [ -e "/proc/$p" ]; do sleep 0.02; done; done
	PIDS=
}

# At the end of every scenario, and on every road out.
clean() { end_tasks; remove_groups; }
leave() {
	trap - EXIT INT TERM
	exec >&3
	clean
	rm -rf "$WORK"
	[ -z "$(groups_left)" ] || bad "groups left: $(groups_left | tr '\n' ' ')"
	echo "peers: $PASSED passed, $FAILED failed, $SKIPPED skipped"
	[ $FAILED = 0 ] || exit 1
	[ $SKIPPED = 0 ] || exit 77
	exit 0
}
exec 3>&1 # a trap runs with the redirections of the function that it meets
trap leave EXIT
trap 'bad stopped >&3; exit' INT TERM

# --- the scenarios: each puts its tasks somewhere; SAVED are the groups whose state CRIU saves, COMPARE the
# --- options of compare.py, LINE a part of what cgraft shows of its image, ROADS what is done with the images besides comparing them

plain() {
	tasks; make web/sub db/s1 other
	put "$A" web; put "$B" db/s1; put "$C" web/sub
	SAVED="web db/s1"
}

values() {
	tasks; make web/sub web/cold db/s1
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
	set_value unified web/cold cgroup.freeze 1
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
	tasks; make web/foo/deep; SAVED=web COMPARE=--by-path
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

zombies() { # a zombie among them, which v1 says is in /; odd names
	rm -f "$WORK/pids"
	setsid python3 -c '
import os, sys, time
def child(name=None):
    pid = os.fork()
    if pid == 0:
        if name is None: os._exit(3)
        open("/proc/self/comm", "wb").write(name)
        open(sys.argv[1] + ".named", "a").write(".")
        time.sleep(1000)
    return pid
open("/proc/self/comm", "wb").write(b") R 1 (\n:)\xc2\xa0")
child()
pids = [os.getpid(), child(b"\x1b[1m a"), child(b"fifteen bytes..")]
while not os.path.exists(sys.argv[1] + ".named") or os.path.getsize(sys.argv[1] + ".named") < 2: time.sleep(0.02)
open(sys.argv[1] + ".new", "w").write(" ".join(map(str, pids)) + "\n")
os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(1000)' "$WORK/pids" </dev/null >/dev/null 2>&1 3>&- &
	disown
	await_pids
	read -r A B C < "$WORK/pids"; PIDS="$A $B $C"
	make web/sub db; SAVED="web db"
	put "$A" web; put "$B" db; put "$C" web/sub
	grep -qs "^State:.Z" /proc/[0-9]*/status || bad "setup: there is no zombie"
}

apart() { # not the same group in every hierarchy
	tasks; make web/sub db; SAVED=web
	put "$A" web; put "$B" web; put "$C" web
	put "$B" web/sub cpu pids; put "$C" web/sub memory unified
}

rooted() { # in the root of most hierarchies: CRIU saves all groups of those, cgraft the roots alone
	tasks; make web/sub; COMPARE=--own-root ROADS=
	put "$A" web cpu memory unified; put "$B" web cpu memory unified; put "$C" web/sub cpu memory unified
}

wide() { # an image that is longer than the writer's buffer
	local h i
	tasks; make web; SAVED=web
	put "$A" web; put "$B" web; put "$C" web
	h=$(hier cpu) || return
	for i in $(seq 300); do mkdir "$h/$TOP/web/n$i" || return; done
}

cgns() { # a cgroup namespace whose root is the leader's group
	make web/sub web/other; SAVED=web COMPARE=--no-prefix
	local h
	for h in $HIERARCHIES; do echo "echo \$\$ > $h/$TOP/web/cgroup.procs"; done > "$WORK/enter"
	echo 'exec unshare --cgroup "$@"' >> "$WORK/enter"
	tasks "bash $WORK/enter"
	put "$B" web/sub; put "$C" web/other
}

delegated() { # owners and modes
	tasks; make web/sub; SAVED=web
	put "$A" web; put "$B" web/sub; put "$C" web/sub
	local h
	for h in $HIERARCHIES; do
		chown 1000:1001 "$h/$TOP/web"; chmod 770 "$h/$TOP/web"
		chown 1000:1001 "$h/$TOP/web/sub"; chmod 1751 "$h/$TOP/web/sub"
	done
	h=$(hier cpu); [ -z "$h" ] || chmod 666 "$h/$TOP/web/cpu.shares"
}

setgid() { # where CRIU itself does not bring back all owners: cgroup.procs, and files which it does not write
	ROADS='restore repair'
	tasks; make web/sub; SAVED=web
	put "$A" web; put "$B" web/sub; put "$C" web/sub
	local h
	for h in $HIERARCHIES; do
		chown 1000:1001 "$h/$TOP/web"; chmod 2770 "$h/$TOP/web"
		[ ! -e "$h/$TOP/web/tasks" ] || chown 1000:1001 "$h/$TOP/web/cgroup.procs" # on v2 CRIU does not save it
	done
}

lists() { # the user's own lists of properties: of CRIU's, other ones, a text and a file
	tasks; make web/sub; SAVED=web
	put "$A" web; put "$B" web/sub; put "$C" web
	set_value cpu web cpu.shares 512
	set_value memory web memory.limit_in_bytes 100M
	printf '"cpu":\n - "strategy": "merge"\n - "properties": ["cpu.idle"]\n' > "$WORK/lists"
	SAME=(--cgroup-props-file "$WORK/lists" --cgroup-props '"cpu":
 - "strategy": "replace"
 - "properties": ["cpu.shares", "cpu.cfs_burst_us"  ]
"memory"  :
 -  "strategy":"replace"
 - "properties":  ["memory.limit_in_bytes","memory.memsw.limit_in_bytes"]
"blkio":
 - "strategy": "merge"
 - "properties": ["blkio.throttle.read_bps_device"]
"pids":
 - "strategy": "replace"
 - "properties": []
"of_another_kernel":
 - "strategy": "merge"
 - "properties": ["of_another_kernel.file"]')
}

controllers() { # only some hierarchies: the others are neither groups nor memberships
	tasks; make web/sub db; SAVED=web ROADS=
	put "$A" web; put "$B" web; put "$C" web/sub
	put "$B" db pids; put "$C" web pids cpuset
	SAME=(--cgroup-dump-controller cpu --cgroup-dump-controller memory --cgroup-dump-controller=)
}

attributes() { # extended attributes, which CRIU neither saves nor knows: it skips the field that cgraft has for them
	plain
	local h
	for h in $HIERARCHIES; do
		python3 -c 'import os, sys
for at in range(20): os.setxattr(sys.argv[1], "user.a%d" % at, bytes(range(256)))
os.setxattr(sys.argv[1] + "/sub", "trusted.t", b"t" * 65536)' "$h/$TOP/web" || bad "setup: attributes of $h/$TOP/web"
	done
	LINE='attributes: user.a0'
}

# --- the checks

criu_dump() {
	for _ in 1 2 3; do # a group of somebody else that vanishes during CRIU's walk ends it
		rm -rf "$WORK/criu"; mkdir "$WORK/criu"
		criu dump -t "$A" --leave-running --manage-cgroups=full -D "$WORK/criu" -o dump.log -v4 "${SAME[@]}" >"$WORK/out" 2>&1 && [ -s "$WORK/criu/cgroup.img" ] && return
		grep -s Error "$WORK/criu/dump.log" >> "$WORK/out"
		[ "$ROADS" = "" ] || break
	done
	return 1
}

# decode NAME FILE WHOSE: crit's two ways to print it, and cgraft's
decode() {
	local how
	for how in "" --pretty; do
		crit decode -i "$2" $how > "$WORK/crit.json" 2>"$WORK/out" || { bad "$1: crit cannot decode $3: $(tail -n 1 "$WORK/out")"; continue; }
		cgraft decode -i "$2" $how > "$WORK/cgraft.json" 2>"$WORK/out" || { bad "$1: cgraft decode $how of $3"; indent "$WORK/out"; continue; }
		if cmp -s "$WORK/crit.json" "$WORK/cgraft.json"; then ok "$1: decode ${how:+$how }of $3 as crit does"
		else bad "$1: decode $how of $3"; diff "$WORK/crit.json" "$WORK/cgraft.json" | cut -c1-300 > "$WORK/out"; indent "$WORK/out"; fi
	done
}

compare() { # compare [OPTION...]: what CRIU's image says and what cgraft's says
	python3 $HERE/compare.py "$@" "$WORK/theirs.json" "$WORK/ours.json" > "$WORK/out" 2>&1
}

image() {
	if ! cgraft dump --properties criu --no-ancestors "${SAME[@]}" -t "$A" -i "$WORK/ours.img" >"$WORK/out" 2>&1 || [ ! -s "$WORK/ours.img" ]; then
		bad "$1: cgraft dump"; indent "$WORK/out"; return
	fi
	crit decode -i "$WORK/criu/cgroup.img" > "$WORK/theirs.json"
	crit decode -i "$WORK/ours.img" > "$WORK/ours.json" 2>"$WORK/out" ||
		{ bad "$1: crit cannot read cgraft's image: $(tail -n 1 "$WORK/out")"; return; }
	[ -z "$LINE" ] || cgraft show "$WORK/ours.img" | grep -q "$LINE" || bad "$1: cgraft's image lacks: $LINE"
	if compare; then ok "$1: image as CRIU's, $(tail -n 1 "$WORK/out")"
	elif [ -n "$COMPARE" ] && compare $COMPARE; then ok "$1: image as CRIU's (compare.py $COMPARE), $(tail -n 1 "$WORK/out")"
	else bad "$1: image differs from CRIU's"; indent "$WORK/out"; fi
	decode "$1" "$WORK/criu/cgroup.img" "CRIU's image"
	decode "$1" "$WORK/ours.img" "cgraft's image"
	if cgraft dump "${SAME[@]}" -t "$A" -i "$WORK/full.img" >"$WORK/out" 2>&1; then decode "$1" "$WORK/full.img" "cgraft's full image"
	else bad "$1: cgraft dump of everything"; indent "$WORK/out"; fi
}

state() {
	local h heads=()
	for h in $HIERARCHIES; do while IFS= read -r p; do heads+=("$h/$TOP/$p"); done <<< "$SAVED_LINES"; done
	bash $HERE/state.sh "${heads[@]}"
}

members() { # of every task that was made, thread by thread
	local p t
	for p in $PIDS; do
		for t in "/proc/$p/task"/*; do echo "${t#/proc/}"; cat "$t/cgroup"; done
	done
}

same_state() { # same_state NAME DEED: what is in the file "after" is as it was at the dump
	if diff - "$WORK/after" > "$WORK/out"; then ok "$1: $2, $(wc -l < "$WORK/after") lines of state the same"
	else bad "$1: $2, but the state differs"; indent "$WORK/out"; fi
}

restore() {
	if cgraft restore -i "$WORK/criu/cgroup.img" >"$WORK/out" 2>&1; then state > "$WORK/after" 2>&1; same_state "$1" "cgraft restored CRIU's image" < "$WORK/state"
	else bad "$1: cgraft restore of CRIU's image: exit $?"; indent "$WORK/out"; fi
}

# The groups are made before the tasks are put into them, in a call of its own, so that each phase is seen to do its part.
repair() {
	join_threads "$1"
	if ! criu restore -d --manage-cgroups=ignore -D "$WORK/joined" -o restore.log -v4 >"$WORK/out" 2>&1; then
		bad "$1: criu restore in mode ignore: exit $?"; grep -s Error "$WORK/joined/restore.log" > "$WORK/out"; indent "$WORK/out"; PIDS=$RESTORED; return
	fi
	PIDS=$RESTORED
	if members | diff -q - "$WORK/members" > /dev/null; then bad "$1: CRIU restored the groups, which was not asked for"; return; fi
	cgraft restore -D "$WORK/criu" --phase create >"$WORK/out" 2>&1 || { bad "$1: cgraft restore --phase create: exit $?"; indent "$WORK/out"; return; }
	cgraft restore -D "$WORK/criu" --phase join,limit,freeze >"$WORK/out" 2>&1 || { bad "$1: cgraft restore --phase join: exit $?"; indent "$WORK/out"; return; }
	# In that mode CRIU makes no cgroup namespace either, and a running task cannot be given one: that is said.
	if [ "$1" = cgns ]; then
		grep -q 'not in a cgroup namespace as in the image: 3' "$WORK/out" || { bad "$1: cgraft does not say that the namespace is lost"; indent "$WORK/out"; }
		sed -i '/not in a cgroup namespace/d' "$WORK/out"
	fi
	[ "$(wc -l < "$WORK/out")" = 1 ] || { bad "$1: cgraft says more than what it did"; indent "$WORK/out"; }
	{ state; members; } > "$WORK/after" 2>&1
	same_state "$1" "CRIU restored the tree and cgraft its groups" < <(cat "$WORK/state" "$WORK/members")
}

# members, with the numbers that the tasks have in the pid namespace right below ours.
members_below() {
	local task number p
	for p in $PIDS; do
		for task in /proc/[0-9]*/task/*; do
			number=$(awk -v of="$p" '/^(NSpid|NStgid):/ && NF == 3 { n[$1] = $3 } END { if (n["NStgid:"] == of) print of "/task/" n["NSpid:"] }' "$task/status" 2>/dev/null)
			[ -z "$number" ] || { echo "$number"; cat "$task/cgroup"; }
		done
	done
}

outside() {
	local init
	join_threads "$1"
	rm -f "$WORK/done"
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare --pid --fork --kill-child --mount-proc bash -c 'criu restore -d --manage-cgroups=ignore -D "$1/joined" -o restore.log -v4 >"$1/out" 2>&1; echo $? >"$1/done"; exec sleep 1000' x "$WORK" </dev/null >/dev/null 2>&1 &
	for _ in $(seq 200); do [ ! -s "$WORK/done" ] || break; sleep 0.1; done
	disown
	init=$(cat /proc/$!/task/$!/children)
	init=${init% }
	if [ "$(cat "$WORK/done")" != 0 ]; then
		bad "$1: criu restore in a pid namespace"; grep -s Error "$WORK/joined/restore.log" > "$WORK/out"; indent "$WORK/out"
	elif PIDS=$RESTORED; members_below > "$WORK/below"; diff -q "$WORK/below" "$WORK/members" >/dev/null || [ ! -s "$WORK/below" ]; then
		bad "$1: CRIU restored the groups, or no tree"
	elif ! cgraft restore -D "$WORK/criu" --pidns "$init" >"$WORK/out" 2>&1; then
		bad "$1: cgraft restore --pidns: exit $?"; indent "$WORK/out"
	else
		[ "$(wc -l < "$WORK/out")" = 1 ] || { bad "$1: cgraft says more than what it did"; indent "$WORK/out"; }
		{ state; members_below; } > "$WORK/after" 2>&1
		same_state "$1" "CRIU restored the tree in a pid namespace and cgraft its groups from outside" < <(cat "$WORK/state" "$WORK/members")
	fi
	kill -KILL "$init"
	while [ -e "/proc/$init" ]; do sleep 0.1; done
	PIDS=
}

# The dump once more with all threads in their leader's set: CRIU 4.2 moves threads that are apart in mode ignore, too, and
# fails. cgraft gets the dump as it was.
join_threads() {
	local core
	rm -rf "$WORK/joined"; cp -r "$WORK/criu" "$WORK/joined"
	[ "$1" = threads ] || return 0
	for core in "$WORK/joined"/core-*.img; do
		crit decode -i "$core" | jq -e '.entries[0] | has("tc")' > /dev/null && continue
		crit decode -i "$core" | jq 'del(.entries[0].thread_core.cg_set)' | crit encode -o "$core" || bad "setup: $core"
	done
}

# usage PATH: bytes of memory that are charged to a group below our top group, with those below it.
usage() {
	local h
	h=$(hier memory)
	if [ -n "$h" ]; then cat "$h/$TOP/$1/memory.usage_in_bytes"; else cat "$(hier unified)/$TOP/$1/memory.current"; fi
}

inside() {
	local first
	[ -s "$WORK/full.img" ] || return
	join_threads "$1"
	cgraft restore -i "$WORK/full.img" --phase create,limit >"$WORK/out" 2>&1 || { bad "$1: cgraft restore --phase create,limit: exit $?"; indent "$WORK/out"; return; }
	if ! timeout -k 5 30 "/here/$CGRAFT_PEERS_WORK/cgraft" exec -i "$WORK/full.img" -- criu restore -d --manage-cgroups=ignore -D "$WORK/joined" -o restore.log -v4 >"$WORK/out" 2>&1; then
		bad "$1: exec -- criu restore: exit $?"; indent "$WORK/out"; grep -s Error "$WORK/joined/restore.log"; PIDS=$RESTORED; return
	fi
	PIDS=$RESTORED
	if [ "$1" = plain ]; then
		first=$(usage web)
		if [ "$first" -gt 100000 ]; then ok "$1: $first bytes are charged to the group in which CRIU was started"; else bad "$1: only $first bytes are charged"; fi
		is_first=$(diff <(grep pids: /proc/$A/cgroup) <(grep pids: /proc/$C/cgroup)) || bad "$1: the tree is not in one group: $is_first"
	fi
	cgraft restore -i "$WORK/full.img" --same-pids --phase join,freeze >"$WORK/out" 2>&1 || { bad "$1: cgraft restore --same-pids: exit $?"; indent "$WORK/out"; return; }
	{ state; members; } > "$WORK/after" 2>&1
	same_state "$1" "CRIU restored the tree inside of its groups" < <(cat "$WORK/state" "$WORK/members")
}

hook() {
	local head
	ln -sf "/here/$CGRAFT_PEERS_WORK/cgraft" "$WORK/cgraft-hook"
	PIDS=$RESTORED
	rm -rf "$WORK/hooked"; mkdir "$WORK/hooked"
	if ! criu dump -t "$A" --manage-cgroups=ignore -D "$WORK/hooked" -o dump.log -v4 --action-script "$WORK/cgraft-hook" >"$WORK/out" 2>&1; then
		bad "$1: criu dump with the hook: exit $?"; indent "$WORK/out"; grep -s Error "$WORK/hooked/dump.log"; return
	fi
	[ -s "$WORK/hooked/cgraft.img" ] || { bad "$1: the hook left no image"; return; }
	clean
	join_threads "$1"
	if ! criu restore -d --manage-cgroups=ignore -D "$WORK/hooked" -o restore.log -v4 --action-script "$WORK/cgraft-hook" >"$WORK/out" 2>&1; then
		bad "$1: criu restore with the hook: exit $?"; indent "$WORK/out"; grep -s Error "$WORK/hooked/restore.log"; PIDS=$RESTORED; return
	fi
	PIDS=$RESTORED
	{ state; members; } > "$WORK/after" 2>&1
	same_state "$1" "CRIU with cgraft as its action script" < <(cat "$WORK/state" "$WORK/members")
}

swap() {
	local head
	[ -s "$WORK/ours.img" ] || return
	while IFS= read -r head; do make "$(dirname "$head")"; done <<< "$SAVED_LINES" # CRIU leaves a cpuset above a head empty, and fails
	cp "$WORK/ours.img" "$WORK/criu/cgroup.img"
	if criu restore -d --manage-cgroups=full -D "$WORK/criu" -o restore.log -v4 >"$WORK/out" 2>&1; then
		PIDS=$RESTORED
		{ state; members; } > "$WORK/after" 2>&1
		same_state "$1" "CRIU restored cgraft's image" < <(cat "$WORK/state" "$WORK/members")
	else bad "$1: criu restore of cgraft's image: exit $?"; grep -s Error "$WORK/criu/restore.log" > "$WORK/out"; indent "$WORK/out"; PIDS=$RESTORED; fi
}

scenario() {
	local name=$1 road
	COMPARE='' A='' SAVED='' LINE='' ROADS="restore repair inside swap" SAME=()
	case $name in plain|values|apart|nested|zombies|delegated) ROADS="hook $ROADS" ;; esac
	case $name in plain|threads|nested) ROADS="$ROADS outside" ;; esac
	rm -rf "$WORK"; mkdir -p "$WORK"
	case $name in
		threads) threads_apart ;;
		*) $name ;;
	esac
	SAVED_LINES=$SAVED; case $name in names) ;; *) SAVED_LINES=$(tr ' ' '\n' <<< "$SAVED") ;; esac
	if ! criu_dump; then bad "$name: criu dump"; indent "$WORK/out"; clean; return; fi
	image "$name"
	state > "$WORK/state"; members > "$WORK/members"; RESTORED=$PIDS
	for road in $ROADS; do [ $road = hook ] || clean; $road "$name"; done
	if [ -n "${CGRAFT_PEERS_KEEP:-}" ]; then mkdir -p "$CGRAFT_PEERS_KEEP/$name"; cp -r "$WORK/." "$CGRAFT_PEERS_KEEP/$name"; fi
	clean
}

corpus() {
	local d found=
	for d in /here/tests/corpus/*/; do
		[ -e "$d/cgroup.img" ] && [ -e "$d/cgroup.json" ] || continue
		found=1
		if cgraft decode --pretty -i "$d/cgroup.img" 2>&1 | cmp -s - "$d/cgroup.json"; then ok "corpus $(basename "$d"): decodes to its cgroup.json"
		else bad "corpus $(basename "$d"): decode differs from cgroup.json"; fi
	done
	for d in /here/tests/corpus/*/; do
		if bash $HERE/tasks.sh "$d" | cmp -s - "$d/tasks.tsv"; then ok "corpus $(basename "$d"): crit reads the tasks of its tasks.tsv"
		else bad "corpus $(basename "$d"): the tasks differ from tasks.tsv"; fi
	done
	[ -n "$found" ] || bad "no image in tests/corpus"
}

mkdir -p "$WORK"
if [ -z "$HIERARCHIES" ]; then skip "no cgroup hierarchy is mounted here"; exit; fi
for h in $HIERARCHIES; do [ -w "$h" ] || { skip "$h is read-only"; exit; }; done
[ $# -gt 0 ] || { set -- $SCENARIOS; corpus; }
for s; do scenario "$s"; done
exit
