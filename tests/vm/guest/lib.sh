# What the guest tests share: results, hierarchies, tasks, snapshots, calls of cgraft. Sourced.

tab=$(printf '\t')
passed=0
failed=0
skipped=0
tasks=/run/tasks               # lines "NAME PID"

ok() {
	passed=$((passed + 1))
	echo "ok - $test: $*"
}

not_ok() {
	failed=$((failed + 1))
	echo "not ok - $test: $*"
}

skip() {
	skipped=$((skipped + 1))
	echo "skip - $test: $*"
}

# same WHAT BEFORE AFTER: two files must be equal; prints how they differ.
same() {
	if cmp -s "$2" "$3"; then
		ok "$1"
	else
		not_ok "$1"
		diff -U 0 "$2" "$3" | grep '^[-+][^-+]' | head -n 30
	fi
}

# carry FILE...: prints files, for a VM that is to have them.
carry() {
	for file; do
		gzip -c "$file" | base64 | sed "s|^|carry> ${file##*/} |"
	done
}

# The end of every test script: nothing may be left behind.
finish() {
	test=end
	if left=$(find /sys/fs/cgroup -type d -name 'cgraft-*' 2>/dev/null | grep .); then
		not_ok "groups left behind"
		echo "$left" | head
	else
		ok "no group left behind"
	fi
	[ $failed = 0 ]
	exit $?
}

# Mount points of all hierarchies of version 1 or 2.
hierarchies() {
	case $1 in
		1) type=cgroup ;;
		2) type=cgroup2 ;;
	esac
	awk -v type=$type '{ for (i = 7; i < NF; i++) if ($i == "-" && $(i + 1) == type) print $5 }' /proc/self/mountinfo
}

# snapshot FILE [GROUP]: all hierarchies.
snapshot() {
	local mount
	for mount in $(hierarchies 1) $(hierarchies 2); do
		[ ! -d "$mount${2:-/cgraft-t}" ] || sh /vm/snapshot.sh tree "$mount" "${2:-/cgraft-t}" | sed "s|^|${mount##*/}$tab|"
	done >"$1"
}

members() {
	sh /vm/snapshot.sh members $tasks >"$1"
}

# take NAME: all that a restore must bring back, or that a failed one must leave alone.
take() {
	snapshot "/run/values.$1"
	members "/run/members.$1"
	grep cgroup /proc/self/mountinfo >"/run/mounts.$1"
}

# as_before WHAT: everything is as "take before" saw it.
as_before() {
	take after
	for what in values members mounts; do
		same "$1: same $what" /run/$what.before /run/$what.after
	done
}

# Starts the process tree under test: a leader with all the others below it, one with two further threads, one a grandchild.
# Their ids are then in pid_NAME, tid_1 and tid_2.
start_tasks() {
	rm -f $tasks /run/started
	sh /vm/leader.sh &
	until [ -e /run/started ]; do
		sleep 0.1
	done
	echo "leader $!" >>$tasks
	eval "$(sed 's/^\(.*\) /pid_\1=/' $tasks)"
	tid_1=$(sed -n 2p /run/threads)
	tid_2=$(sed -n 3p /run/threads)
}

stop_tasks() {
	while read -r name pid; do
		kill -KILL "$pid" 2>/dev/null
	done <$tasks
	wait 2>/dev/null
}

# Calls cgraft; its words are then in /run/err, its exit code in $status.
cgraft() {
	/bin/cgraft "$@" 2>/run/err >/run/out
	status=$?
}

# succeeds WHAT ARGUMENT...: a call of cgraft that must exit 0.
succeeds() {
	what=$1
	shift
	cgraft "$@"
	if [ $status = 0 ]; then
		ok "$what"
	else
		not_ok "$what: exit $status from cgraft $*"
		head -n 20 /run/err
	fi
}

# summary NAME VALUE...: pairs that the summary line of restore must state, such as: summary "values written" 0
summary() {
	while [ $# -gt 0 ]; do
		if grep '^restored: ' /run/err | grep -q "$1 $2\>"; then
			ok "summary says $1 $2"
		else
			not_ok "summary does not say $1 $2: $(tail -n 1 /run/err)"
		fi
		shift 2
	done
}
