# A dry run on v2 with controllers that are handed down: what it tells is what the real run changes, by snapshots of all files.
. /vm/lib.sh
image=/run/img
test=dry
v2=$(hierarchies 2)
if ! grep -q pids.*memory\\\|memory.*pids "$v2/cgroup.controllers" 2>/dev/null; then
	echo "# dry: this layout has no v2 with memory and pids"
	finish
fi
top=$v2/cgraft-t

# Groups without values: what a restore has made before it writes any.
bare_groups() {
	mkdir "$top"
	echo "+memory +pids" >"$top/cgroup.subtree_control"
	mkdir "$top/a" "$top/c"
	echo +pids >"$top/a/cgroup.subtree_control"
	mkdir "$top/a/b"
}

clear_host() {
	echo 0 >"$top/c/cgroup.freeze"
	for task in $pid_one $pid_two; do echo "$task" >"$v2/cgroup.procs"; done
	find "$top" -depth -type d -exec rmdir {} \;
}

# written FROM TO: GROUP/FILE=VALUE of each value that differs, but for what is handed down; owned: GROUP/FILE MODE:UID:GID.
written() {
	awk -F "$tab" 'NR == FNR { old[$2 "/" $3] = $5; next } $3 != "cgroup.subtree_control" && old[$2 "/" $3] != $5 { sub(/\|$/, "", $5); print $2 "/" $3 "=" $5 }' "/run/$1" "/run/$2" | sort
}

owned() {
	awk -F "$tab" 'NR == FNR { old[$2 "/" $3] = $4; next } old[$2 "/" $3] != $4 { print $2 ($3 == "." ? "" : "/" $3), $4 }' "/run/$1" "/run/$2" | sort
}

# What a dry run tells of the same.
told() {
	sed -n 's/^write [^:]*:\([^ ]*\) .* -> \(.*\)$/\1=\2/p' /run/steps | grep -v cgroup.subtree_control | sort
}

told_owners() {
	sed -n 's/^chown [^:]*:\([^ ]*\) .* -> \([0-9:]*\) 0*\([0-9]*\)$/\1 \3:\2/p' /run/steps | sort
}

# dry_run WHAT OPTION...: changes nothing; the steps are in /run/steps.
dry_run() {
	what=$1
	shift
	snapshot /run/before
	succeeds "$what" restore --dry-run "$@" -i $image
	cp /run/out /run/steps
	sed -n 's/^would be //p' /run/err >/run/would
	snapshot /run/after
	same "$what: nothing is changed" /run/before /run/after
}

# real_run WHAT FROM: the values and owners that it changes, FROM being what it began with, and its counts, are those that were told.
real_run() {
	succeeds "$1: the real run" restore -i $image
	snapshot /run/after
	written "$2" after >/run/written
	told >/run/told
	same "$1: the values" /run/told /run/written
	owned "$2" after >/run/written
	told_owners >/run/told
	same "$1: the owners" /run/told /run/written
	same "$1: the counts" /run/would /run/err
}

sleep 100000 &
pid_one=$!
sleep 100000 &
pid_two=$!
bare_groups
snapshot /run/bare
echo 102400000 >"$top/a/memory.max"
echo 50 >"$top/a/pids.max"
echo 40 >"$top/a/b/pids.max"
echo 30 >"$top/cgroup.max.descendants"
echo 1 >"$top/c/cgroup.freeze"
chown 1000:1001 "$top/a/b" "$top/a/b/cgroup.procs"
chmod 750 "$top/a/b"
echo "$pid_one" >"$top/a/b/cgroup.procs"
echo "$pid_two" >"$top/c/cgroup.procs"
handed=$(cat "$v2/cgroup.subtree_control")
succeeds "dump" dump --cgroup /cgraft-t -i $image
clear_host
for name in $handed; do echo "-$name" >"$v2/cgroup.subtree_control" 2>/dev/null; done

dry_run "a new tree"
grep -c . /run/would >/dev/null && ok "a new tree: a summary"
if [ "$(grep -c '^mkdir unified:/cgraft-t' /run/steps)" = 4 ]; then ok "four groups"; else not_ok "not four groups"; fi
for step in "write unified:/cgroup.subtree_control" "write unified:/cgraft-t/cgroup.subtree_control \"\" -> +memory +pids" \
	"write unified:/cgraft-t/a/cgroup.subtree_control \"\" -> +pids" "move pid $pid_one (sleep) unified:/ -> /cgraft-t/a/b" \
	"move pid $pid_two (sleep) unified:/ -> /cgraft-t/c"; do
	if [ "$(grep -cF "$step" /run/steps)" = 1 ]; then ok "told once: $step"; else not_ok "not told once: $step"; fi
done
real_run "a new tree" bare
for task in "$pid_one /cgraft-t/a/b" "$pid_two /cgraft-t/c"; do
	if grep -q "^0::${task#* }\$" "/proc/${task% *}/cgroup"; then ok "moved: $task"; else not_ok "not moved: $task"; fi
done

dry_run "nothing to do"
if [ -s /run/steps ]; then not_ok "nothing to do, and steps"; else ok "nothing to do: no step"; fi

echo 204800000 >"$top/a/memory.max"
echo 5 >"$top/a/b/pids.max"
echo 0 >"$top/c/cgroup.freeze"
chown 5:6 "$top/a/b"
dry_run "other values"
real_run "other values" before

succeeds "check" check -i $image
succeeds "check without an image" check
grep -q "^hierarchy: unified" /run/out && ok "it tells v2" || not_ok "it does not tell v2"
clear_host
kill $pid_one $pid_two
wait 2>/dev/null
finish
