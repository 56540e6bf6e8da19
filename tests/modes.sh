#!/usr/bin/env bash
# Every mode of --manage-cgroups against every state of the host: exit code, what is counted and said, and which groups, values,
# owners and tasks there are afterwards. What must hold is written down by hand below, from README.md and CRIU's meanings.
# Last line: "N passed, N failed, N skipped".
# shellcheck source-path=SCRIPTDIR
# shellcheck disable=SC2154 # checks.sh sets status, pid and work
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

# Groups of the image, in each of three hierarchies: GROUP, a, a/b, c; that is 12 groups. Tasks: one in a, one in a/b.
#
# States of the host:
#   nothing  no group exists
#   all      all exist as they were
#   some     GROUP and a exist as they were, a/b and c do not
#   other    all exist, four values are different and so are three owners or modes
#   foreign  all exist as they were, with foreign tasks in a and a/b
#
# Columns: mode, state, exit code, "created found skipped joined", and what is there afterwards:
#   groups   before: the same groups and values as before the restore; image: those of the image
#   tasks    before: where they were; image: where the image has them
# Foreign tasks stay where they are in every case. Where a mode refuses, nothing is counted and one word of the reason is given.
table='
none     nothing  4  "the group is not there"   before  before
none     all      0  0:12:0:2                   before  image
none     some     4  "the group is not there"   before  before
none     other    0  0:12:7:2                   before  image
none     foreign  0  0:12:0:2                   before  image
props    nothing  4  "the group is not there"   before  before
props    all      0  0:12:0:2                   before  image
props    some     4  "the group is not there"   before  before
props    other    0  0:12:0:2                   image   image
props    foreign  0  0:12:0:2                   before  image
soft     nothing  0  12:0:0:2                   image   image
soft     all      0  0:12:0:2                   before  image
soft     some     0  6:6:0:2                    image   image
soft     other    0  0:12:7:2                   before  image
soft     foreign  0  0:12:0:2                   before  image
full     nothing  0  12:0:0:2                   image   image
full     all      0  0:12:0:2                   before  image
full     some     0  6:6:0:2                    image   image
full     other    0  0:12:0:2                   image   image
full     foreign  0  0:12:0:2                   before  image
strict   nothing  0  12:0:0:2                   image   image
strict   all      4  "the group is there"       before  before
strict   some     4  "the group is there"       before  before
strict   other    4  "the group is there"       before  before
strict   foreign  4  "the group is there"       before  before
ignore   nothing  0  0:0:0:0                    before  before
ignore   all      0  0:0:0:0                    before  before
ignore   some     0  0:0:0:0                    before  before
ignore   other    0  0:0:0:0                    before  before
ignore   foreign  0  0:0:0:0                    before  before
'

# --- states of the host ---

build() {
	local at
	for at in "$cpu" "$pids" "$freezer"; do
		mkdir -p "$at/$group/a/b" "$at/$group/c"
		chown 1000:1001 "$at/$group/a/b" "$at/$group/a/b/cgroup.procs"
		chmod 750 "$at/$group/a/b"
		echo 1 >"$at/$group/a/notify_on_release"
		echo 0 >"$at/$group/a/b/notify_on_release"
	done
	echo 512 >"$cpu/$group/a/cpu.shares"
	echo 77 >"$pids/$group/a/pids.max"
	echo 66 >"$pids/$group/a/b/pids.max"
	echo FROZEN >"$freezer/$group/c/freezer.state"
}

# Tasks out, groups away.
clear_host() {
	local at task
	for at in "$cpu" "$pids" "$freezer"; do
		for task in "$one" "$two" "$foreign_a" "$foreign_b"; do echo "$task" >"$at/cgroup.procs"; done
	done
	[ ! -e "$freezer/$group/c" ] || echo THAWED >"$freezer/$group/c/freezer.state"
	remove_groups
}

nothing() { :; }
all() { build; }

some() {
	local at
	build
	echo THAWED >"$freezer/$group/c/freezer.state"
	for at in "$cpu" "$pids" "$freezer"; do rmdir "$at/$group/a/b" "$at/$group/c"; done
}

other() {
	build
	echo 300 >"$cpu/$group/a/cpu.shares"
	echo 5 >"$pids/$group/a/pids.max"
	echo 0 >"$freezer/$group/a/notify_on_release"
	echo THAWED >"$freezer/$group/c/freezer.state"
	chown 5:6 "$cpu/$group/a/b"
	chmod 700 "$pids/$group/a/b"
	chown 7:8 "$pids/$group/a/b/cgroup.procs"
}

foreign() {
	local at
	build
	for at in "$cpu" "$pids" "$freezer"; do
		echo "$foreign_a" >"$at/$group/a/cgroup.procs"
		echo "$foreign_b" >"$at/$group/a/b/cgroup.procs"
	done
}

# --- what is there ---

# groups FILE: groups with all values, owners and modes.
groups() {
	local at
	for at in "$cpu" "$pids" "$freezer"; do
		[ ! -d "$at/$group" ] || sh "$tests/vm/snapshot.sh" tree "$at" "/$group" | sed "s|^|$at|"
	done >"$1"
}

# tasks FILE TASK...: their groups in all hierarchies.
tasks() {
	local file=$1 task
	shift
	for task; do grep . "/proc/$task/cgroup"; done >"$file"
}

# cell MODE STATE CODE WANTED GROUPS TASKS
cell() {
	local what="$1, $2" failed_before=$failed wanted said
	clear_host
	$2
	groups "$work/groups.before"
	tasks "$work/tasks.before" "$one" "$two"
	tasks "$work/foreign.before" "$foreign_a" "$foreign_b"
	cgraft restore --manage-cgroups="$1" -i "$work/image"
	check "$what: exit $3" [ "$status" = "$3" ]
	wanted=$4
	if [ "$3" = 0 ]; then
		said=$(sed -n 's/^restored: groups created \([0-9]*\), found \([0-9]*\), .* skipped \([0-9]*\), tasks joined \([0-9]*\)$/\1:\2:\3:\4/p' "$work/err")
		check "$what: says created:found:skipped:joined $wanted" [ "$said" = "$wanted" ]
		check "$what: and nothing else" [ "$(wc -l <"$work/err")" = 1 ]
	else
		check "$what: says why" one_line "$wanted"
	fi
	groups "$work/groups.after"
	tasks "$work/tasks.after" "$one" "$two"
	tasks "$work/foreign.after" "$foreign_a" "$foreign_b"
	same "$what: groups, values and owners as in: $5" "$work/groups.$5" "$work/groups.after"
	same "$what: tasks as in: $6" "$work/tasks.$6" "$work/tasks.after"
	same "$what: foreign tasks stay" "$work/foreign.before" "$work/foreign.after"
	[ "$1" != ignore ] || writes_nothing "$what"
	[ "$failed" = "$failed_before" ] || head -n 5 "$work/err"
}

same() {
	check "$1" cmp -s "$2" "$3"
	diff "$2" "$3" | grep '^[<>]' | head -n 6
}

# Every call that a restore in mode ignore makes, but for its words: none opens for writing, makes, removes, moves or gives away.
writes_nothing() {
	watch "$work/calls" restore --manage-cgroups=ignore -i "$work/image"
	check "$1: not one call that writes" [ -z "$(changes "$work/calls")" ]
}

watch() {
	local calls=$1
	shift
	strace -f -qq -o "$calls" -e 'trace=!read,mmap,munmap,brk,rt_sigaction,rt_sigprocmask' "$CGRAFT" "$@" >"$work/out" 2>"$work/err"
}

changes() {
	grep -E '^[0-9]+ +(mkdir|rmdir|unlink|rename|link|symlink|mknod|f?chmod|f?chown|lchown|truncate|ftruncate|fallocate|mount|umount|move_mount|open_tree|fsopen|setns|unshare|kill|f?setxattr|creat|pwrite|sendfile|splice|memfd_create|write|open)' "$1" |
		grep -vE 'write\([12],|open(at2?)?\(.*O_(RDONLY|PATH)'
}

start modes
[ -n "$has_restore" ] || { skip "all: this version has no restore"; exit; }
command -v strace >/dev/null || { skip "all: there is no strace"; exit; }
for word in cpu pids freezer; do
	at=$(hierarchy $word) || { skip "all: this host has no v1 hierarchy with $word"; exit; }
	printf -v $word %s "$at"
done
for word in one two foreign_a foreign_b; do
	sleep 100000 &
	kept+=($!)
	printf -v $word %s $!
done
build
for at in "$cpu" "$pids" "$freezer"; do
	echo "$one" >"$at/$group/a/cgroup.procs"
	echo "$two" >"$at/$group/a/b/cgroup.procs"
done
succeeds "dump" dump --cgroup "/$group" -i "$work/image"
groups "$work/groups.image"
tasks "$work/tasks.image" "$one" "$two"
while read -r line; do
	eval "set -- $line"                    # the reasons are quoted
	[ $# = 0 ] || cell "$@"
done <<<"$table"
clear_host
watch "$work/calls" restore -i "$work/image"
check "control: the watch sees what a restore writes" [ "$(changes "$work/calls" | grep -c 'mkdir\|O_WRONLY\|write')" -gt 10 ]
clear_host
