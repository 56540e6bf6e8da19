#!/usr/bin/env bash
# container.sh FOLDER GROUP: for tests/recipes.sh, on the chroot of scripts/peers and a host with v2 alone: a container of crun with
# groups of its own, whose entry point is the script `entrypoint` in FOLDER. The image comes from groups of the host.
set -u
folder=$1 group=$2
mount=/sys/fs/cgroup
root=/run/$group

ok() { echo "ok - container: $*"; }
not_ok() { echo "not ok - container: $*"; }
gone() { [ ! -d "$mount/$1" ] || find "$mount/$1" -depth -type d -exec rmdir {} +; }

clean() {
	crun delete -f $group-app >/dev/null 2>&1
	sleep 0.3
	gone "$group"
	gone "$group-app"
	rm -rf "$root"
}
trap clean EXIT

mkdir -p "$root/rootfs"/{bin,proc,dev,sys,etc/cgraft} "$mount/$group/a/b"
cd "$root" || exit
echo +pids >"$mount/$group/cgroup.subtree_control"
echo 50 >"$mount/$group/a/pids.max"
sleep 1000 &
pid=$!
echo $pid >"$mount/$group/a/b/cgroup.procs"
cgraft dump -t $pid -i rootfs/etc/cgraft/app.img || not_ok "dump"
kill $pid
wait
gone "$group"

cp "$folder/cgraft" /usr/bin/busybox rootfs/bin/
cp "$folder/entrypoint" rootfs/entrypoint
chmod +x rootfs/entrypoint
for applet in sh cat mkdir; do ln -s busybox rootfs/bin/$applet; done
crun spec
# A privileged container: it may write to its group, which is the root of what it sees.
jq --arg path "/$group-app" --arg file "/sys/fs/cgroup/$group/a/pids.max" '.process.terminal = false | .root.readonly = false
	| .linux.cgroupsPath = $path | .process.args = ["/entrypoint", "sh", "-c", "cat /proc/self/cgroup " + $file + "; exit 7"]
	| (.mounts[] | select(.type == "cgroup") | .options) |= map(select(. != "ro"))
	| .linux.namespaces |= map(select(.type != "network"))' config.json >changed && mv changed config.json
crun run "$group-app" >out 2>err </dev/null
code=$?
if [ $code = 7 ]; then ok "the command's own exit code"; else not_ok "exit $code: $(cat out err)"; fi
if grep -qx "0::/$group/a/b" out; then ok "the command is in its group"; else not_ok "not in its group: $(cat out)"; fi
if grep -qx 50 out; then ok "with its limit"; else not_ok "without its limit: $(cat out)"; fi
if [ ! -s err ]; then ok "no word of cgraft"; else not_ok "says $(cat err)"; fi
