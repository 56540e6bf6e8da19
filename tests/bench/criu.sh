#!/usr/bin/env bash
# criu: CRIU's dump, and its restore, of the groups below GROUP, measured inside the peers chroot.
#   criu.sh GROUP CONTROLLER OUT MEASURE MKDIRS [restore]
# Appends to OUT.dump, OUT.base (the same dump told to ignore groups: what CRIU needs for the task alone)
# and OUT.restore. CRIU dumps groups only of a task that is in them: one sleeps in GROUP meanwhile.
# After `restore` the groups below GROUP, and GROUP itself, are gone.
set -u
GROUP=$1 CONTROLLER=$2 OUT=$3 MEASURE=$4 MKDIRS=$5 RESTORE=${6:-}
IMAGES=$(mktemp -d); PID=
leave() {
	[ -n "$PID" ] && kill -9 "$PID" 2>/dev/null
	rm -rf --one-file-system "$IMAGES"
}
trap leave EXIT
trap 'exit 1' INT TERM

dump() { # dump NAME MODE
	rm -rf --one-file-system "$IMAGES"; mkdir "$IMAGES"
	"$MEASURE" "$OUT.$1" criu dump -t "$PID" --leave-running --manage-cgroups="$2" --cgroup-dump-controller "$CONTROLLER" \
		-D "$IMAGES" -o criu.log -v1 >/dev/null 2>&1
}

gone() { # until the task has left its group
	while [ -s "$GROUP/cgroup.procs" ] && [ -n "$(cat "$GROUP/cgroup.procs" 2>/dev/null)" ]; do sleep 0.05; done
}

(cd / && exec setsid sleep 100000 </dev/null >/dev/null 2>&1) & PID=$!; disown
sleep 0.2
echo "$PID" > "$GROUP/cgroup.procs" || exit
for _ in 1 2 3; do dump base ignore; done
for _ in 1 2 3; do dump dump full || { echo "criu: dump failed" >&2; exit 1; }; done
[ -n "$RESTORE" ] || exit 0
kill -9 "$PID"; gone
"$MKDIRS" -r "$GROUP" && rmdir "$GROUP" || exit
"$MEASURE" "$OUT.restore" criu restore -d --manage-cgroups=full -D "$IMAGES" -o restore.log -v1 >/dev/null 2>&1 ||
	{ echo "criu: restore failed" >&2; grep -s Error "$IMAGES/restore.log" | head -n 3 >&2; }
kill -9 "$PID" 2>/dev/null; gone
"$MKDIRS" -r "$GROUP" && rmdir "$GROUP"
exit 0
