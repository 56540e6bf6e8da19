#!/usr/bin/env bash
# Dumps of a host that does not hold still: groups that come and go, processes that exit, many processes, a pipe that
# nobody reads. Makes one group of one v1 hierarchy, cgraft-busy-PID, and removes it on every road out.
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
program=${CGRAFT:-$root/target/cgraft}
scratch=$(mktemp -d)
passed=0 failed=0 skipped=0 group='' running=()

ok() { passed=$((passed + 1)); echo "ok - $*"; }
not_ok() { failed=$((failed + 1)); echo "not ok - $*"; }
finish() {
	echo "busy: $passed passed, $failed failed, $skipped skipped"
	[ $failed = 0 ] || exit 1
	[ $skipped = 0 ] || exit 77
	exit 0
}
skip_all() { skipped=1; echo "skip - $*"; finish; }

stop() {
	[ ${#running[@]} = 0 ] || kill "${running[@]}" 2>/dev/null
	wait 2>/dev/null
	running=()
}
leave() {
	trap - EXIT
	stop
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ -d "$group" ] || break
		find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null
		[ -d "$group" ] && sleep 0.2
	done
	rm -rf "$scratch"
	[ ! -d "$group" ] || { not_ok "left behind: $group"; }
	finish
}

# dumps COUNT WHAT ARGUMENT...: each must succeed and be an image.
dumps() {
	local count=$1 what=$2 i
	shift 2
	for ((i = 0; i < count; i++)); do
		if ! "$program" dump "$@" -i "$scratch/image" 2>"$scratch/err" || ! "$program" decode -i "$scratch/image" >/dev/null; then
			not_ok "$what, dump $i of $count: $(cat "$scratch/err")"
			return
		fi
	done
	ok "$what: $count dumps"
}

tids() { "$program" show --json -i "$1" | tr '{' '\n' | sed -n 's/.*"tid": \([0-9]*\),.*/\1/p' | sort -n; }

[ "$(id -u)" = 0 ] || skip_all "needs root"
[ -x "$program" ] || skip_all "no program $program (scripts/build makes it)"
mount=$(awk '$3 == "cgroup" && ("," $4 ",") ~ /,cpu,/ { print $2; exit }' /proc/mounts)
[ -w "$mount" ] || skip_all "no v1 hierarchy with cpu that can be written"
trap leave EXIT
trap 'exit 1' INT TERM
group=$mount/cgraft-busy-$$
mkdir "$group" || { group=; skip_all "cannot make a group below $mount"; }

(trap exit TERM; while :; do mkdir -p "$group/a/b/c" "$group/d"; rmdir "$group/a/b/c" "$group/a/b" "$group/a" "$group/d"; done) 2>/dev/null &
running=($!)
dumps 100 "groups come and go" --cgroup "cpu:/${group##*/}"
stop

bash -c 'echo $$ >"$1/cgroup.procs"; trap exit TERM; while :; do /bin/true; done' - "$group" &
running=($!)
dumps 40 "children exit" -t "${running[0]}"
stop

# 2,000 sleepers, a zombie and three threads below one process, which goes away with its parent's word.
python3 - "$group" "$scratch/ready" <<'P' &
import os, signal, sys, threading, time
open(sys.argv[1] + "/cgroup.procs", "w").write(str(os.getpid()))
children = []
for number in range(2001):
    child = os.fork()
    if child == 0:
        if number:
            signal.pause()
        os._exit(0)
    children.append(child)
for _ in range(3):
    threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
def end(*_):
    for child in children[1:]:
        os.kill(child, signal.SIGKILL)
    os._exit(0)
signal.signal(signal.SIGTERM, end)
tids = [*os.listdir("/proc/self/task"), *map(str, children[1:])]
open(sys.argv[2] + ".new", "w").write("\n".join(sorted(tids, key=int)) + "\n")
os.rename(sys.argv[2] + ".new", sys.argv[2])
while True:
    time.sleep(100)
P
running=($!)
for _ in $(seq 200); do [ -e "$scratch/ready" ] && break; sleep 0.1; done
dumps 1 "many tasks" -t "${running[0]}" -t "${running[0]}"
if tids "$scratch/image" | cmp - "$scratch/ready"; then
	ok "each of $(grep -c . "$scratch/ready") tasks once, the zombie not"
else
	not_ok "the tasks of the image are not those of the process"
fi
"$program" dump -t "${running[0]}" -i - >"$scratch/piped" 2>"$scratch/err"
if tids "$scratch/piped" | cmp - "$scratch/ready"; then ok "the same through a pipe"; else not_ok "another image through a pipe: $(cat "$scratch/err")"; fi
stop

# An image that nobody takes is lost: an error in words, not a signal.
(sleep 0.3; "$program" dump --all -i - 2>"$scratch/err"; echo $? >"$scratch/code") | true
if [ "$(cat "$scratch/code")" = 1 ] && grep -q EPIPE "$scratch/err"; then
	ok "a reader that goes away"
else
	not_ok "a reader that goes away: exit $(cat "$scratch/code"), $(cat "$scratch/err")"
fi
