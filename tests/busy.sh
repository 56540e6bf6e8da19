#!/usr/bin/env bash
# Dumps of a host that does not hold still: groups that come and go, processes that exit, many processes, a pipe that
# nobody reads. Makes one group of one v1 hierarchy, cgraft-busy-PID, and removes it on every road out.
# shellcheck disable=SC2154 # checks.sh sets work and group
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
set -o pipefail
running=()

stop() {
	[ ${#running[@]} = 0 ] || kill "${running[@]}" 2>/dev/null
	wait 2>/dev/null
	running=()
}

# dumps COUNT WHAT ARGUMENT...: each must succeed and be an image.
dumps() {
	local count=$1 what=$2 i
	shift 2
	for ((i = 0; i < count; i++)); do
		if ! "$CGRAFT" dump "$@" -i "$work/image" 2>"$work/err" || ! "$CGRAFT" decode -i "$work/image" >/dev/null; then
			not_ok "$what, dump $i of $count: $(cat "$work/err")"
			return
		fi
	done
	ok "$what: $count dumps"
}

tids() { "$CGRAFT" show --json -i "$1" | tr '{' '\n' | sed -n 's/.*"tid": \([0-9]*\),.*/\1/p' | sort -n; }

start busy
trap 'stop; leave' EXIT
mount=$(hierarchy cpu) && [ -w "$mount" ] || { skip "no v1 hierarchy with cpu that can be written"; exit; }
place=$mount/$group
mkdir "$place" || { skip "cannot make a group below $mount"; exit; }

(trap exit TERM; while :; do mkdir -p "$place/a/b/c" "$place/d"; rmdir "$place/a/b/c" "$place/a/b" "$place/a" "$place/d"; done) 2>/dev/null &
running=($!)
dumps 100 "groups come and go" --cgroup "cpu:/$group"
stop

bash -c 'echo $$ >"$1/cgroup.procs"; trap exit TERM; while :; do /bin/true; done' - "$place" &
running=($!)
dumps 40 "children exit" -t "${running[0]}"
stop

# 2,000 sleepers, a zombie and three threads below one process, which goes away with its parent's word.
python3 - "$place" "$work/ready" <<'P' &
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
for _ in $(seq 200); do [ -e "$work/ready" ] && break; sleep 0.1; done
dumps 1 "many tasks" -t "${running[0]}" -t "${running[0]}"
if tids "$work/image" | cmp - "$work/ready"; then
	ok "each of $(grep -c . "$work/ready") tasks once, the zombie not"
else
	not_ok "the tasks of the image are not those of the process"
fi
"$CGRAFT" dump -t "${running[0]}" -i - >"$work/piped" 2>"$work/err"
if tids "$work/piped" | cmp - "$work/ready"; then ok "the same through a pipe"; else not_ok "another image through a pipe: $(cat "$work/err")"; fi
stop

# An image that nobody takes is lost: an error in words, not a signal.
(sleep 0.3; "$CGRAFT" dump --all -i - 2>"$work/err"; echo $? >"$work/code") | true
if [ "$(cat "$work/code")" = 1 ] && grep -q EPIPE "$work/err"; then
	ok "a reader that goes away"
else
	not_ok "a reader that goes away: exit $(cat "$work/code"), $(cat "$work/err")"
fi
