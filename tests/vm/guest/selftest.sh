# Tests the tests, without cgraft: the tree can be built, is complete, and the comparer sees what changes and nothing else.
. /vm/lib.sh
. /vm/tree.sh
test=selftest

# Files that cannot take another value here: refused or ignored by the kernel, or without a device to name.
no_other_value='memory.kmem.limit_in_bytes|memory.use_hierarchy|rdma.max|misc.max|cpuset.cpus.partition'

# Nothing to hand down in a hybrid layout where all controllers are on v1.
for mount in $(hierarchies 2); do
	grep -q . "$mount/cgroup.controllers" || no_other_value="$no_other_value|cgroup.subtree_control"
done

# Every configuration file of a fresh group must have another value somewhere in the tree.
every_file_has_a_value() {
	for mount in $(hierarchies 1) $(hierarchies 2); do
		mkdir "$mount/cgraft-f"
	done
	snapshot /run/fresh /cgraft-f
	awk -F "$tab" -v other="^($no_other_value)\$" '
		$5 == "-" { next }
		NR == FNR { fresh[$1 FS $3] = $5; next }
		($1 FS $3) in fresh && fresh[$1 FS $3] != $5 { delete fresh[$1 FS $3] }
		END { for (key in fresh) { split(key, part, FS); if (part[2] !~ other) print key } }
	' /run/fresh /run/first >/run/untested
	if [ -s /run/untested ]; then
		not_ok "files that never get a value of their own:"
		sort /run/untested
	else
		ok "every configuration file has a value of its own"
	fi
	for mount in $(hierarchies 1) $(hierarchies 2); do
		rmdir "$mount/cgraft-f"
	done
}

# sees WHAT LINES: the tree differs from the first snapshot in so many lines.
sees() {
	snapshot /run/second
	members /run/members.second
	count=$(cat /run/second /run/members.second | diff - /run/all | grep -c '^+[^+]')
	if [ "$count" = "$2" ]; then
		ok "comparer sees $1"
	else
		not_ok "comparer sees $count lines instead of $2: $1"
	fi
}

changes_are_seen() {
	mount=$(hierarchies 1 | grep pids || hierarchies 2 | tail -n 1)
	cat /run/first /run/members.first >/run/all
	sees "no change" 0
	chmod 711 "$mount/cgraft-t/app/lead/.hidden"
	sees "a mode" 1
	chmod 755 "$mount/cgraft-t/app/lead/.hidden"
	chown 5 "$mount/cgraft-t/app/lead/two words/cgroup.procs"
	sees "an owner" 1
	chown 0 "$mount/cgraft-t/app/lead/two words/cgroup.procs"
	join app/lead/kid one
	sees "a move" 1
	join app/lead/kid/deep one
	sees "nothing after all is put back" 0
}

start_tasks
build wide
snapshot /run/first
members /run/members.first
echo "# $(wc -l </run/first) values in $(grep -c "$tab\.$tab" /run/first) groups, $(wc -l </run/members.first) memberships"
every_file_has_a_value
changes_are_seen
destroy
build wide
snapshot /run/second
members /run/members.second
same "built twice: same values" /run/first /run/second
same "built twice: same memberships" /run/members.first /run/members.second
destroy
stop_tasks
finish
