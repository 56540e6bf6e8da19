#!/usr/bin/env bash
# The recipes of docs/recipes: the code is taken out of the pages and run, on private groups of this host, in a virtual machine, or in
# the chroot of scripts/peers. Every block of every page has to be run by something here. tests/recipes.sh [PAGE...], all without one.
# Last line: "N passed, N failed, N skipped".
# shellcheck disable=SC2154 # checks.sh sets work, mounts, group and pid
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
. "$tests/guests.sh"
start recipes

pages=$repo/docs/recipes
mkdir "$work/bin"
ln -s "$CGRAFT" "$work/bin/cgraft"

# block PAGE NAME: the code of the block whose fence says so.
block() {
	echo "$1 $2" >>"$work/used"
	awk -v name="$2" '/^```/ && !inside { inside = 1; wanted = $2 == name; next } /^```/ { inside = 0; wanted = 0 } wanted' "$pages/$1.md" >"$work/block"
	[ -s "$work/block" ] || not_ok "$1.md has no block $2" >&2
	cat "$work/block"
}

# Groups with limits that their hierarchies have; an image of them without tasks; then they are gone.
limits='pids.max=50 cpu.shares=300 cpu.weight=70 memory.limit_in_bytes=8388608 memory.max=8388608 cgroup.max.depth=9'

set_limits() {
	local mount pair
	for mount in "${mounts[@]}"; do
		for pair in $limits; do
			[ ! -e "$mount/$group/a/${pair%%=*}" ] || echo "${pair#*=}" >"$mount/$group/a/${pair%%=*}"
		done
	done
}

build() {
	make_everywhere
	set_limits
	"$CGRAFT" dump --cgroup "/$group" --no-tasks -i "$work/image"
	state_with_values >"$work/before"
}

# as_built WHAT: groups, owners and values as build left them, by the comparer.
as_built() {
	state_with_values >"$work/after"
	if grep -q pids.max "$work/before" && cmp -s "$work/before" "$work/after"; then
		ok "$1"
	else
		not_ok "$1: $(diff "$work/before" "$work/after" | grep '^[<>]' | head -n 5 | tr '\n' ' ')"
	fi
}

recipe_container() {
	local script=$work/entrypoint first=${mounts[0]}
	block container entrypoint >"$script"
	make_everywhere
	set_limits
	keep "$first" "$group/a/b"
	for mount in "${mounts[@]}"; do echo "$pid" >"$mount/$group/a/b/cgroup.procs"; done
	"$CGRAFT" dump -t "$pid" -i "$work/app.img"
	kill "$pid"
	wait 2>/dev/null
	kept=()
	sleep 0.2
	remove_groups
	CGRAFT_IMAGE=$work/app.img PATH=$work/bin:$PATH sh "$script" sh -c 'cat /proc/self/cgroup; exit 7' >"$work/out" 2>"$work/err"
	ends_with "container: the command's own exit code" $? 7
	check "container: the command is in its group" grep -q ":/$group/a/b\$" "$work/out"
	check "container: its limits are set" test "$(cat "$(hierarchy pids || hierarchy unified)/$group/a/pids.max")" = 50
	CGRAFT_IMAGE=$work/app.img CGRAFT_SET=77 PATH=$work/bin:$PATH sh "$script" true 2>"$work/err"
	check "container: a set that is not there" test $? != 0
	CGRAFT_IMAGE=$work/none PATH=$work/bin:$PATH sh "$script" true 2>"$work/err"
	ends_with "container: no image" $? 125
	sleep 0.2
	remove_groups
}

# The other host is this one, without the groups.
recipe_ssh() {
	cat >"$work/bin/ssh" <<-END
		#!/bin/bash
		[ "\$1" = db2 ] || exit 255
		shift
		cat >"$work/piped"
		find ${mounts[*]/%//$group} -depth -type d -exec rmdir {} + 2>/dev/null
		[ -z "\$half" ] || truncate -s 20 "$work/piped"
		sh -c "\$*" <"$work/piped"
	END
	chmod +x "$work/bin/ssh"
	build
	block ssh pipe >"$work/pipe"
	group=/$group host=db2 PATH=$work/bin:$PATH bash -o pipefail "$work/pipe" 2>"$work/err"
	ends_with "ssh" $? 0
	check "ssh: the other side tells what it did" grep -q '^restored: groups created' "$work/err"
	as_built "ssh: the groups are there"
	group=/$group-none host=db2 PATH=$work/bin:$PATH bash -o pipefail "$work/pipe" 2>"$work/err"
	ends_with "ssh: a dump that fails" $? 3
	build
	group=/$group host=db2 half=yes PATH=$work/bin:$PATH bash -o pipefail "$work/pipe" 2>"$work/err"
	ends_with "ssh: a pipe that breaks" $? 3
	check "ssh: and nothing is made there" test -z "$(left_groups)"
	remove_groups
}

need_yaml() {
	python3 -c 'import yaml' 2>/dev/null || (. "$repo/scripts/common.sh" && need_packages python3-yaml) >/dev/null 2>&1
	python3 -c 'import yaml' 2>/dev/null || { skip "$1: no python3-yaml"; echo "$1 $2" >>"$work/used"; return 1; }
}

# Reads the tasks, copies what they copy below a folder, runs their commands with their conditions, as Ansible would; prints
# "NAME ok|changed|skipped" for each.
cat >"$work/ansible.py" <<'END'
import re, shutil, subprocess, sys, os, yaml
tasks, files, root = yaml.safe_load(open(sys.argv[1])), sys.argv[2], sys.argv[3]
known, done = {}, []
def holds(condition):
    match = re.fullmatch(r"(\w+)\.rc (==|not in) (.+)", condition)
    value, wanted = known[match[1]], yaml.safe_load(match[3])
    return value == wanted if match[2] == "==" else value not in wanted
for task in tasks:
    [module] = set(task) - {"name", "register", "changed_when", "failed_when", "when"}
    what = task[module]
    if "when" in task and not holds(task["when"]):
        done.append((task["name"], "skipped"))
        continue
    if module == "ansible.builtin.copy":
        target = root + what["dest"]
        os.makedirs(os.path.dirname(target), exist_ok=True)
        source = open(f"{files}/{what['src']}", "rb").read()
        same = os.path.exists(target) and open(target, "rb").read() == source
        open(target, "wb").write(source)
        os.chmod(target, int(what["mode"], 8))
        done.append((task["name"], "ok" if same else "changed"))
    elif module == "ansible.builtin.command":
        run = subprocess.run([root + word if word.startswith("/") else word for word in what["argv"]])
        if "register" in task:
            known[task["register"]] = run.returncode
        failed = holds(task["failed_when"]) if "failed_when" in task else run.returncode != 0
        if failed:
            sys.exit(f"{task['name']}: failed with {run.returncode}")
        done.append((task["name"], "ok" if task.get("changed_when") is False else "changed"))
    else:
        sys.exit(f"unknown module {module}")
for name, result in done:
    print(f"{name}: {result}")
END

ansible() {
	python3 "$work/ansible.py" "$work/tasks.yaml" "$work/files" "$work/root" >"$work/out" 2>"$work/err"
	ends_with "ansible: $1" $? 0
	check "ansible: $1: $2" grep -qxF "groups and limits are as in the image: $2" "$work/out"
}

recipe_ansible() {
	need_yaml ansible tasks || return
	block ansible tasks >"$work/tasks.yaml"
	build
	mkdir -p "$work/files" "$work/root"
	cp -L "$CGRAFT" "$work/files/cgraft"
	cp "$work/image" "$work/files/web.img"
	remove_groups
	ansible "the first run" changed
	as_built "ansible: the groups are there"
	ansible "the second run" skipped
	echo 51 >"$(hierarchy pids || hierarchy unified)/$group/a/pids.max"
	ansible "after a limit was turned" changed
	as_built "ansible: it is turned back"
	remove_groups
}

# What the manifest asks for, as a script: the command's words and environment for a root folder; says what does not fit together.
cat >"$work/manifest.py" <<'END'
import shlex, sys, yaml
[manifest] = list(yaml.safe_load_all(open(sys.argv[1])))
spec = manifest["spec"]["template"]["spec"]
[container] = spec["containers"]
volumes = {volume["name"] for volume in spec["volumes"]}
assert manifest["kind"] == "DaemonSet" and manifest["apiVersion"] == "apps/v1"
assert manifest["spec"]["selector"]["matchLabels"].items() <= manifest["spec"]["template"]["metadata"]["labels"].items()
assert spec["hostPID"] is True and container["securityContext"]["privileged"] is True
assert {mount["name"] for mount in container["volumeMounts"]} == volumes
print("mounts=(%s)" % " ".join(shlex.quote(mount["mountPath"]) for mount in container["volumeMounts"]))
print("env=(%s)" % " ".join(shlex.quote(f"{entry['name']}={entry['value']}") for entry in container["env"]))
print("command=(%s)" % " ".join(map(shlex.quote, container["command"])))
END

recipe_kubernetes() {
	need_yaml kubernetes manifest || return
	local pod=$work/pod
	command -v busybox >/dev/null || (. "$repo/scripts/common.sh" && need_packages busybox-static) >/dev/null 2>&1
	command -v busybox >/dev/null || { skip "kubernetes: no busybox"; echo "kubernetes manifest" >>"$work/used"; return; }
	block kubernetes manifest >"$work/manifest.yaml"
	python3 "$work/manifest.py" "$work/manifest.yaml" >"$work/pod.sh" 2>"$work/err"
	ends_with "kubernetes: the manifest is one" $? 0
	build
	remove_groups
	mkdir -p "$pod"/{bin,proc,sys,images}
	cp -L "$CGRAFT" "$pod/cgraft"
	cp "$(command -v busybox)" "$pod/bin/busybox"
	ln -s busybox "$pod/bin/sh"
	ln -s busybox "$pod/bin/sleep"
	cp "$work/image" "$pod/images/node.img"
	cat >"$work/run-pod" <<-END
		. "$work/pod.sh"
		[ "\${mounts[*]}" = /images ] || exit 99
		mount -t proc proc "$pod/proc" && mount --rbind /sys "$pod/sys"
		mount --bind "$pod/images" "$pod/images" && mount -o remount,bind,ro "$pod/images"
		exec env -i PATH=/bin "\${env[@]}" EVERY=0.2 $(command -v chroot) "$pod" "\${command[@]}"
	END
	unshare --mount --propagation private bash "$work/run-pod" >"$work/out" 2>"$work/err" &
	kept+=($!)
	await 1
	as_built "kubernetes: the groups are there"
	echo 51 >"$(hierarchy pids || hierarchy unified)/$group/a/pids.max"
	await $(($(grep -c ^restored "$work/err") + 2)) # one may have been on its way
	as_built "kubernetes: a limit that was turned is turned back"
	kill "${kept[@]}"
	wait 2>/dev/null
	kept=()
	remove_groups
}

# await NUMBER: so many restores have told that they are done.
await() {
	local _
	for _ in $(seq 100); do
		[ "$(grep -c ^restored "$work/err")" -lt "$1" ] || return
		sleep 0.1
	done
	not_ok "kubernetes: restore $1 did not come: $(head -c 300 "$work/err")"
}

recipe_initramfs() {
	block initramfs early >"$work/early"
	cat >"$work/initramfs.sh" <<-'END'
		. /vm/lib.sh
		test=initramfs
		mount=/sys/fs/cgroup
		mkdir -p $mount/cgraft-t/a/b /etc/cgraft
		echo "+memory +pids" >$mount/cgraft-t/cgroup.subtree_control
		echo 50 >$mount/cgraft-t/a/pids.max
		echo 8388608 >$mount/cgraft-t/a/memory.max
		snapshot /run/before
		succeeds "dump" dump --cgroup /cgraft-t --no-tasks -i /etc/cgraft/boot.img
		find $mount/cgraft-t -depth -type d -exec rmdir {} \;
		umount $mount
		cat >/run/early <<'SCRIPT'
	END
	cat "$work/early" >>"$work/initramfs.sh"
	cat >>"$work/initramfs.sh" <<-'END'
		SCRIPT
		umount -l /proc
		sh /run/early >/run/said 2>&1
		status=$?
		mount -t cgroup2 -o nsdelegate,memory_recursiveprot cgroup2 $mount
		cat /run/said
		[ $status = 0 ] && grep -q '^restored: groups created 3' /run/said && ok "three groups" || not_ok "exit $status"
		snapshot /run/after
		same "groups and limits are as before" /run/before /run/after
		grep -q 'memory.max.*8388608' /run/after && ok "with a limit" || not_ok "without a limit"
		CGRAFT_IMAGE=/none sh /run/early && ok "without an image it is quiet" || not_ok "without an image"
		find $mount/cgraft-t -depth -type d -exec rmdir {} \;
		finish
	END
	in_vm initramfs "$work/initramfs.sh"
}

# What a guest on the chroot needs before containers can be started: a root that is no initramfs, modules, devices.
chroot_guest() {
	cat <<-'END'
		# On the chroot of scripts/peers.
		PATH=/usr/sbin:/usr/bin:/sbin:/bin
		[ -n "$moved" ] || { mount --rbind / /mnt && cd /mnt && mount --move . / && moved=1 exec chroot . bash /vm/containers.sh; }
		for module in nfnetlink libcrc32c nf_tables inet_diag tcp_diag udp_diag raw_diag unix_diag netlink_diag af_packet_diag; do
			[ ! -s /vm/$module.ko ] || busybox insmod /vm/$module.ko
		done
		busybox ifconfig lo up
		mkdir -p /dev/pts /dev/shm
		mount -t devpts devpts /dev/pts
		mount -t tmpfs shm /dev/shm
		. /vm/lib.sh
	END
}

# The blocks for one runtime, in a folder.
blocks_for() {
	mkdir -p "$2"
	sed "s/\\brunc\\b/$1/g" "$work/checkpoint" >"$2/checkpoint"
	sed "s/\\brunc\\b/$1/g" "$work/restore" >"$2/restore"
}

# runc on this host, with v1 as it is here; runc, crun and the entry point of a container of crun with v2 alone.
recipe_runtimes() {
	local runtime file shared=$repo/target/recipes.$$
	block runtimes checkpoint >"$work/checkpoint"
	block runtimes restore >"$work/restore"
	block container entrypoint >"$work/entrypoint"
	chroot_for runtimes || return
	blocks_for runc "$shared"
	cp -L "$CGRAFT" "$shared/cgraft"
	cp "$tests/peers/recipe.sh" "$shared/"
	(cd "$repo" && timeout -k 10 100 scripts/peers run bash "/here/target/recipes.$$/recipe.sh" runc "/here/target/recipes.$$" "$group") >"$work/peers" 2>&1
	ends_with "runtimes: runc on this host" $? 0
	counted "$work/peers"
	check "runtimes: all of it ran on this host" grep -q '^skip - \|as before$' "$work/peers"
	rm -rf "$shared"
	remove_groups
	{
		chroot_guest
		embed "$work/entrypoint" container/entrypoint
		embed "$tests/peers/container.sh" container.sh
		embed "$tests/peers/recipe.sh" recipe.sh
		for runtime in runc crun; do
			blocks_for $runtime "$work/$runtime"
			for file in checkpoint restore; do embed "$work/$runtime/$file" $runtime/$file; done
			echo "cp /usr/bin/cgraft /run/$runtime/; bash /run/recipe.sh $runtime /run/$runtime cgraft-r"
		done
		echo 'cp /usr/bin/cgraft /run/container/; bash /run/container.sh /run/container cgraft-c'
		echo finish
	} >"$work/containers.sh"
	in_vm "runtimes, container" "$work/containers.sh"
	grep -aq '^cgraft-vm: init' "$work/vm" || return
	check "runtimes, container: all of it ran" test "$(tr -d '\r' <"$work/vm" | grep -acE '^ok - (runc: groups.* as before|container: .*)$')" = 5
}

[ $# -gt 0 ] || mapfile -t pages_to_run < <(basename -s .md "$pages"/*.md)
for page in "${pages_to_run[@]-$@}"; do
	if declare -F "recipe_$page" >/dev/null; then "recipe_$page"; else not_ok "$page.md: nothing runs it"; fi
	check "$page.md: README links it" grep -q "docs/recipes/$page.md" "$repo/README.md"
	sed -n 's/^```[a-z]* \{0,1\}\(.*\)/\1/p' "$pages/$page.md" | awk 'NR % 2 == 1' | while read -r name; do
		grep -qx "$page ${name:-?}" "$work/used" || echo "$page ${name:-?}" >>"$work/unused"
	done
done
if [ -s "$work/unused" ]; then not_ok "blocks that nothing runs: $(tr '\n' ' ' <"$work/unused")"; else ok "every block is run"; fi
