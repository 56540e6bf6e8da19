# Every mode of --manage-cgroups against every state of a host with v2; tests/modes.sh does the same on v1 and explains the table.
# Groups: cgraft-t, a, a/b, c. Tasks: one in a/b, two in c.
. /vm/lib.sh
image=/run/img

# MODE STATE CODE CREATED:FOUND:SKIPPED:JOINED or -, GROUPS, TASKS
table='
none    nothing  4  -        before  before
none    all      0  0:4:0:2  before  image
none    some     4  -        before  before
none    other    0  0:4:8:2  before  image
none    foreign  0  0:4:0:2  before  image
props   nothing  4  -        before  before
props   all      0  0:4:0:2  before  image
props   some     4  -        before  before
props   other    0  0:4:0:2  image   image
props   foreign  0  0:4:0:2  before  image
soft    nothing  0  4:0:0:2  image   image
soft    all      0  0:4:0:2  before  image
soft    some     0  2:2:0:2  image   image
soft    other    0  0:4:8:2  before  image
soft    foreign  0  0:4:0:2  before  image
full    nothing  0  4:0:0:2  image   image
full    all      0  0:4:0:2  before  image
full    some     0  2:2:0:2  image   image
full    other    0  0:4:0:2  image   image
full    foreign  0  0:4:0:2  before  image
strict  nothing  0  4:0:0:2  image   image
strict  all      4  -        before  before
strict  some     4  -        before  before
strict  other    4  -        before  before
strict  foreign  4  -        before  before
ignore  nothing  0  0:0:0:0  before  before
ignore  all      0  0:0:0:0  before  before
ignore  some     0  0:0:0:0  before  before
ignore  other    0  0:0:0:0  before  before
ignore  foreign  0  0:0:0:0  before  before
'

all() {
	mkdir "$top"
	echo "+memory +pids" >"$top/cgroup.subtree_control"
	mkdir "$top/a" "$top/c"
	echo +pids >"$top/a/cgroup.subtree_control"
	mkdir "$top/a/b"
	echo 100000000 >"$top/a/memory.max"
	echo 50 >"$top/a/pids.max"
	echo 40 >"$top/a/b/pids.max"
	echo 30 >"$top/cgroup.max.descendants"
	echo 1 >"$top/c/cgroup.freeze"
	chown 1000:1001 "$top/a/b" "$top/a/b/cgroup.procs"
	chmod 750 "$top/a/b"
}

nothing() { :; }

some() {
	all
	echo 0 >"$top/c/cgroup.freeze"
	rmdir "$top/a/b" "$top/c"
}

# Five values and three owners or modes.
other() {
	all
	echo 200000000 >"$top/a/memory.max"
	echo 5 >"$top/a/pids.max"
	echo max >"$top/a/b/pids.max"
	echo max >"$top/cgroup.max.descendants"
	echo 0 >"$top/c/cgroup.freeze"
	chown 5:6 "$top/a/b"
	chown 7:8 "$top/a/b/cgroup.procs"
	chmod 600 "$top/c/cgroup.threads"
}

foreign() {
	all
	echo "$pid_foreign" >"$top/a/b/cgroup.procs"
	echo "$pid_frozen" >"$top/c/cgroup.procs"
}

clear_host() {
	[ ! -d "$top/c" ] || echo 0 >"$top/c/cgroup.freeze"
	for task in $pid_one $pid_two $pid_foreign $pid_frozen; do echo "$task" >"$v2/cgroup.procs"; done
	[ ! -d "$top" ] || find "$top" -depth -type d -exec rmdir {} \;
}

groups() {
	snapshot "/run/groups.$1"
	for task in $pid_one $pid_two; do grep '^0:' "/proc/$task/cgroup"; done >"/run/tasks.$1"
	for task in $pid_foreign $pid_frozen; do grep '^0:' "/proc/$task/cgroup"; done >"/run/foreign.$1"
}

# Only what is wrong is printed: a line for each of these would be most of the log.
cell() {
	clear_host
	$2
	groups before
	cgraft restore --manage-cgroups="$1" -i $image
	groups after
	said=$(sed -n 's/^restored: groups created \([0-9]*\), found \([0-9]*\), .* skipped \([0-9]*\), tasks joined \([0-9]*\)$/\1:\2:\3:\4/p' /run/err)
	wrong=
	[ $status = "$3" ] || wrong="exit $status, not $3"
	[ "${said:--}" = "$4" ] || wrong="$wrong; counts $said, not $4"
	[ "$(wc -l </run/err)" = 1 ] || wrong="$wrong; says more or less than one line"
	cmp -s "/run/groups.$5" /run/groups.after || wrong="$wrong; groups not as in: $5"
	cmp -s "/run/tasks.$6" /run/tasks.after || wrong="$wrong; tasks not as in: $6"
	cmp -s /run/foreign.before /run/foreign.after || wrong="$wrong; foreign tasks were moved"
	[ -n "$wrong" ] || { good=$((good + 1)); return; }
	not_ok "$1, $2: ${wrong#; }"
	head -n 3 /run/err
	diff "/run/groups.$5" /run/groups.after | grep '^[-+][^-+]' | head -n 5
}

test=modes
v2=$(hierarchies 2)
if ! grep -q pids.*memory\\\|memory.*pids "$v2/cgroup.controllers" 2>/dev/null; then
	echo "# modes: this layout has no v2 with memory and pids"
	finish
fi
top=$v2/cgraft-t
for name in one two foreign frozen; do
	sleep 100000 &
	eval "pid_$name=$!"
done
all
echo "$pid_one" >"$top/a/b/cgroup.procs"
echo "$pid_two" >"$top/c/cgroup.procs"
succeeds "dump" dump --cgroup /cgraft-t -i $image
groups image
good=0
echo "$table" >/run/table
while read -r mode state code counts groups tasks; do
	[ -z "$mode" ] || cell "$mode" "$state" "$code" "$counts" "$groups" "$tasks"
done </run/table
if [ $good = 30 ]; then ok "30 cells of the table of modes and states"; else not_ok "only $good of 30 cells are right"; fi
clear_host
kill $pid_one $pid_two $pid_foreign $pid_frozen
wait 2>/dev/null
finish
