#!/usr/bin/env bash
# recipe.sh RUNTIME FOLDER GROUP: for tests/recipes.sh, inside the chroot of scripts/peers: a container with groups below its own, limits
# that were changed since its start, and two tasks; checkpointed and restored by the blocks `checkpoint` and `restore` in FOLDER.
# shellcheck disable=SC2013,SC2015,SC2044,SC2086,SC1091 # numbers and mount points have no blanks; ok does not fail
set -u
runtime=$1 folder=$2 group=$3
name=web
root=/run/$group
PATH=$root/bin:$PATH

ok() { echo "ok - $runtime: $*"; }
not_ok() { echo "not ok - $runtime: $*"; }

mounts=$(awk '{ for (i = 7; $i != "-"; i++); if ($(i + 1) ~ /^cgroup2?$/ && $4 == "/" && !seen[$3]++) print $5 }' /proc/self/mountinfo)

clean() {
	local mount pid
	"$runtime" --root "$root/state" delete -f $name >/dev/null 2>&1
	for mount in $mounts; do
		for pid in $(find "$mount/$group" -name cgroup.procs -exec cat {} + 2>/dev/null); do kill -KILL "$pid" 2>/dev/null; done
	done
	sleep 0.3
	for mount in $mounts; do
		[ ! -d "$mount/$group" ] || find "$mount/$group" -depth -type d -exec rmdir {} + 2>/dev/null
	done
	rm -rf "$root"
}
trap clean EXIT

mkdir -p "$root"/{bin,bundle/rootfs/{bin,proc,dev,sys,tmp}}
cp "$folder/cgraft" "$root/bin/cgraft"
printf '#!/bin/sh\nexec /usr/%s/%s --root %s/state "$@"\n' "$([ -x /usr/sbin/$runtime ] && echo sbin || echo bin)" "$runtime" "$root" >"$root/bin/$runtime"
chmod +x "$root/bin/$runtime"
cd "$root/bundle" || exit
cp "$(command -v busybox)" rootfs/bin/busybox
ln -s busybox rootfs/bin/sh
ln -s busybox rootfs/bin/sleep
"$runtime" spec
jq --arg path "/$group/$name" '.process.terminal = false | .root.readonly = false | .linux.cgroupsPath = $path
	| .process.args = ["/bin/sh", "-c", "(while :; do sleep 1; done) & while :; do sleep 1; done"]
	| .linux.maskedPaths = [] | .linux.readonlyPaths = [] | .linux.resources.pids.limit = 60 | .linux.namespaces |= map(select(.type != "network"))' config.json >changed && mv changed config.json
if ! "$runtime" --log "$root/log" run --detach $name </dev/null >/dev/null 2>&1; then
	echo "skip - $runtime does not start a container here: $(tail -n 1 "$root/log")"
	exit 0
fi
sleep 0.5
pids=$(for mount in $mounts; do [ ! -e "$mount/$group/$name/pids.max" ] || echo "$mount"; done)
[ -n "$pids" ] || { echo "skip - $runtime: no group with pids.max"; exit 0; }

# The second shell, by its number in the container, goes into a group below; limits are changed.
tasks() {
	local pid status
	for pid in $(cat "$pids/$group/$name/cgroup.procs" "$pids/$group/$name"/*/cgroup.procs 2>/dev/null); do
		status=$(sed -n 's/^NSpid:.*[[:blank:]]\([0-9]*\)$/\1/p' "/proc/$pid/status" 2>/dev/null)
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" != sh ] || echo "$status $pid"
	done | sort -n
}
second=$(tasks | sed -n '2s/.* //p')
[ -n "$second" ] || { not_ok "no second task: $(tasks)"; exit 1; }
mkdir "$pids/$group/$name/worker"
# In v2 only a group without processes of its own gives controllers to those below.
if [ -e "$pids/$group/$name/cgroup.type" ]; then
	mkdir "$pids/$group/$name/main"
	until [ -z "$(cat "$pids/$group/$name/cgroup.procs")" ]; do
		for pid in $(cat "$pids/$group/$name/cgroup.procs"); do echo "$pid" >"$pids/$group/$name/main/cgroup.procs"; done
	done 2>/dev/null
	echo +memory +pids >"$pids/$group/$name/cgroup.subtree_control"
fi
echo 7 >"$pids/$group/$name/worker/pids.max"
echo 55 >"$pids/$group/$name/pids.max"
echo "$second" >"$pids/$group/$name/worker/cgroup.procs"

picture() {
	(cd "$pids/$group" && find . -type d | sort && grep -H . $name/pids.max $name/worker/pids.max)
	tasks | while read -r inside outside; do echo "$inside $(grep -E ':pids:|^0::' "/proc/$outside/cgroup" | tr '\n' ' ')"; done
}
picture >"$root/before"

(set -e; . "$folder/checkpoint") >"$root/out" 2>&1 || { not_ok "checkpoint: $(tail -n 3 "$root/out") $(grep -rh Error dump)"; exit 1; }
ok "checkpoint"
"$runtime" delete -f $name >/dev/null 2>&1
for mount in $mounts; do [ ! -d "$mount/$group" ] || find "$mount/$group" -depth -type d -exec rmdir {} + 2>/dev/null; done
[ -z "$(find $mounts -maxdepth 1 -name "$group")" ] && ok "nothing of it is left" || not_ok "groups are left"
if ! (set -e; . "$folder/restore") >"$root/out" 2>&1; then
	if [ "$runtime" = crun ] && grep -qs "cg: Can't move" dump/restore.log; then
		echo "skip - crun: this one's restore knows no --manage-cgroups-mode (crun 2241)"
	else
		not_ok "restore: $(tail -n 3 "$root/out") $(grep -rhs Error dump)"
	fi
	exit 1
fi
grep '^restored: ' "$root/out" | tail -n 1 | grep -q 'tasks joined [1-9]' && ok "restore, with tasks that joined" || not_ok "restore says $(cat "$root/out")"
picture >"$root/after"
if grep -q worker "$root/before" && cmp -s "$root/before" "$root/after"; then
	ok "groups, limits and who sits where are as before"
else
	not_ok "differs: $(diff "$root/before" "$root/after" | tr '\n' ' ')"
fi
