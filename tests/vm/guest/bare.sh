# Nothing is mounted, as in an early initramfs: an image is restored there, and what it made is still there when somebody mounts the
# hierarchies. Comes after all tests that need them.
. /vm/lib.sh
image=/run/img
group=cgraft-t
test="nothing mounted"

mounts() {
	awk '{ for (i = 7; $i != "-"; i++); if ($(i + 1) ~ /^cgroup2?$/) print $5, $(i + 1), $(i + 3) }' /proc/self/mountinfo
}

# From the rows of mounts(): the same mounts again.
mount_again() {
	while read -r point type options; do
		options=$(echo "$options" | sed 's/^rw,\{0,1\}//; s/name=/none,name=/')
		mount -t "$type" ${options:+-o "$options"} cgroup "$point" || not_ok "cannot mount $point again"
	done </run/rows
}

# The kernel keeps a hierarchy whose groups it has not forgotten yet when its last mount ends.
unmount_all() {
	mkdir -p /run/again
	mounts | while read -r point rest; do
		umount "$point"
	done
	for _ in $(seq 40); do
		sleep 0.25
		sed -n '/^0:/d; s/^[0-9]*:\([^:]*\):.*/\1/p' /proc/self/cgroup >/run/left
		while read -r label; do
			mount -t cgroup -o "$(echo "$label" | sed 's/^name=/none,name=/')" cgroup /run/again && umount /run/again
		done </run/left
		# Memory that is still charged keeps groups of memory half alive.
		grep -qvx memory /run/left || break
	done
}

destroy() {
	for mount in $(hierarchies 1) $(hierarchies 2); do
		[ ! -d "$mount/$group" ] || find "$mount/$group" -depth -type d -exec rmdir {} \;
	done
}

# Limits in whatever hierarchy has them.
build() {
	for mount in $(hierarchies 1) $(hierarchies 2); do
		mkdir -p "$mount/$group/a"
		[ ! -e "$mount/$group/cgroup.subtree_control" ] ||
			for controller in $(cat "$mount/$group/cgroup.controllers"); do echo "+$controller" >"$mount/$group/cgroup.subtree_control"; done
		mkdir "$mount/$group/a/b"
		for pair in cpu.shares=300 cpu.weight=70 pids.max=50 memory.limit_in_bytes=8388608 memory.max=8388608 cgroup.max.depth=9; do
			[ ! -e "$mount/$group/a/${pair%=*}" ] || echo "${pair#*=}" >"$mount/$group/a/${pair%=*}"
		done
		chown 100 "$mount/$group/a"
	done
}

mounts >/run/rows
grep ' cgroup ' /run/rows >/run/rows.v1
build
snapshot /run/before /$group
succeeds "dump" dump --cgroup /$group -i $image
destroy
unmount_all
# This shell's own line is the last sign of a hierarchy.
if grep -vx memory /run/left; then not_ok "v1 hierarchies are left"; else ok "no v1 hierarchy is left, but perhaps memory"; fi
cat /proc/self/mountinfo >/run/mountinfo
cgraft restore --manage-cgroups=strict -i $image
if [ $status = 0 ]; then ok "restore where nothing is mounted"; else not_ok "exit $status"; cat /run/err; fi
[ ! -s /run/rows.v1 ] || { grep -q 'this host had none' /run/err && ok "it made hierarchies" || not_ok "it made none"; }
cmp -s /run/mountinfo /proc/self/mountinfo && ok "and nothing is mounted after it" || not_ok "other mounts"
succeeds "verify where nothing is mounted" verify -i $image
succeeds "dump where nothing is mounted" dump --cgroup /$group -i $image.again
mount_again
mounts >/run/rows.after
same "the same mounts with the same options" /run/rows /run/rows.after
snapshot /run/after /$group
same "the groups that were made are there" /run/before /run/after
succeeds "verify" verify -i $image.again
destroy
finish
