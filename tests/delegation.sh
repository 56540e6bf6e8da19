#!/usr/bin/env bash
# A user who is not root dumps and restores inside a subtree that was given to him: v1 and v2 of this host; values on v2 are tested by
# tests/vm/guest/delegation.sh. What he may not do is one clear line, and nothing is changed. Last line: "N passed, N failed, N skipped".
# shellcheck source-path=SCRIPTDIR
# shellcheck disable=SC2154 # checks.sh sets status, pid and work
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

user=65534
user_is=(setpriv "--reuid=$user" "--regid=$user" --clear-groups)
own='cgroup.procs tasks cgroup.threads cgroup.subtree_control'

# delegate GROUP: as cgroup-v2.rst says, and as it is usual on v1.
delegate() {
	local file
	chown $user:$user "$at/$1"
	for file in $own; do
		[ ! -e "$at/$1/$file" ] || chown $user:$user "$at/$1/$file"
	done
}

# user_task GROUP: a task of the user's in this group until the end; its id in $pid.
user_task() {
	"${user_is[@]}" sleep 100000 &
	pid=$!
	kept+=("$pid")
	until [ "$(stat -c %u "/proc/$pid")" = $user ]; do sleep 0.05; done
	echo "$pid" >"$at/$1/cgroup.procs"
}

as_user() {
	"${user_is[@]}" sh -c "$1"
}

# What a restore has to bring back, by a comparer that shares nothing with cgraft.
snapshot() {
	sh "$tests/vm/snapshot.sh" tree "$at" "/$group"
	printf 'one %s\ntwo %s\n' "$one" "$two" >"$work/tasks"
	sh "$tests/vm/snapshot.sh" members "$work/tasks" | grep "^$label$(printf '\t')"
}

same() {
	check "$1" cmp -s "$2" "$3"
	diff "$2" "$3" | grep '^[<>]' | head -n 6
}

says() {
	if grep -q -- "$2" "$work/err"; then ok "$1"; else not_ok "$1: $(head -c 400 "$work/err")"; fi
}

# The user's groups away, his tasks in what he was given.
home() {
	local task
	for task in "$one" "$two"; do echo "$task" >"$at/$group/cgroup.procs"; done
	find "$at/$group" -mindepth 1 -depth -type d -exec rmdir {} +
}

# prepare WORD: the hierarchy, and in it GROUP of the user's with a and a/b that he made, and a task of his in both.
prepare() {
	at=$(hierarchy "$1") || { skip "$1: this host has no such hierarchy"; return 1; }
	label=$1
	[ "$1" != unified ] || label=
	what=$1
	mkdir "$at/$group"
	delegate "$group"
	as_user "mkdir '$at/$group/a' '$at/$group/a/b'"
	if [ "$1" = cpu ]; then
		as_user "echo 512 >'$at/$group/a/cpu.shares'; echo 1 >'$at/$group/a/b/notify_on_release'"
	else
		as_user "echo 7 >'$at/$group/a/cgroup.max.depth'; echo 3 >'$at/$group/a/b/cgroup.max.descendants'"
	fi
	as_user "chmod 711 '$at/$group/a/b'; chmod 600 '$at/$group/a/cgroup.procs'"
	as_user "chmod 400 '$at/$group/a/b/cgroup.procs'; chmod 500 '$at/$group/a'"
	user_task "$group/a"; one=$pid
	user_task "$group/a/b"; two=$pid
	snapshot >"$work/want"
}

the_users_own() {
	succeeds "$what: root dumps it" dump --cgroup "$what:/$group" --no-ancestors -i "$work/root.img"
	wrap=("${user_is[@]}")
	succeeds "$what: the user dumps it" dump --cgroup "$what:/$group" --no-ancestors -i "$work/area/user.img"
	check "$what: and sees the same" cmp -s "$work/root.img" user.img
	chmod 644 "$work/root.img"
	home
	succeeds "$what: the user restores it" restore -i "$work/root.img"
	says "$what: groups and tasks" "groups created 2, found 1, .* skipped 0, tasks joined 2$"
	snapshot >"$work/got"
	same "$what: groups, values, owners and tasks are back" "$work/want" "$work/got"
	succeeds "$what: once more" restore -i "$work/root.img"
	says "$what: writes nothing" "created 0, found 3, values written 0, .* skipped 0, tasks joined 0$"
	wrap=()
	home
	for task in "$one" "$two"; do echo "$task" >"$at/cgroup.procs"; done
	rmdir "$at/$group"
	succeeds "$what: root restores what the user dumped" restore -i user.img
	snapshot >"$work/got"
	same "$what: all of it is the user's again" "$work/want" "$work/got"
}

# refuses_the_user WHAT CODES WORD... -- ARGUMENT...: one line, and everything is as it was.
refuses_the_user() {
	local aside='2{/^cgraft: everything was taken back: the host is as it was$/d}'
	wrap=("${user_is[@]}")
	refuses "$@"
	wrap=()
}

another_owner() {
	chown 1000:1001 "$at/$group/a/b"
	"$CGRAFT" dump --cgroup "$what:/$group" --no-ancestors -i "$work/owner.img"
	chown $user:$user "$at/$group/a/b"
	chown 1000:1001 "$at/$group/a/b/cgroup.procs"
	"$CGRAFT" dump --cgroup "$what:/$group" --no-ancestors -i "$work/file.img"
	chown $user:$user "$at/$group/a/b/cgroup.procs"
	chmod 644 "$work"/*.img
	refuses_the_user "$what: a group's owner that cannot be given, group there" "1 4" "owner of the directory of group /$group/a/b" \
		"1000:1001 0711" "only root" -- restore -i "$work/owner.img"
	refuses_the_user "$what: a file's owner that cannot be given, group there" "1 4" "owner of cgroup.procs of group /$group/a/b" \
		"1000:1001 0400" "only root" -- restore -i "$work/file.img"
	home
	refuses_the_user "$what: a group's owner that cannot be given" 1 "owner of the directory of group /$group/a/b" \
		"1000:1001 0711" "only root" -- restore -i "$work/owner.img"
	refuses_the_user "$what: a file's owner that cannot be given" 1 "owner of cgroup.procs of group /$group/a/b" \
		"1000:1001 0400" "only root" -- restore -i "$work/file.img"
	local kind
	for kind in owner file; do
		home
		wrap=("${user_is[@]}")
		cgraft restore --skip-missing -i "$work/$kind.img"
		wrap=()
		check "$what: --skip-missing, $kind: exit 6" [ "$status" = 6 ]
		says "$what: --skip-missing, $kind: counts it" "skipped 1, tasks joined 2$"
		says "$what: --skip-missing, $kind: names it" "^cgraft: skipped: group /$group/a/b of .*: owner.*1000:1001"
		snapshot >"$work/got"
		same "$what: --skip-missing, $kind: everything else is there" "$work/want" "$work/got"
	done
}

# A value in a group that is not his.
not_his_value() {
	local file=notify_on_release value=1 old
	[ "$what" != unified ] || file=cgroup.max.depth value=9
	old=$(cat "$at/$group/$file")
	echo $value >"$at/$group/$file"
	"$CGRAFT" dump --cgroup "$what:/$group" --no-ancestors -i "$work/value.img"
	chmod 644 "$work/value.img"
	echo "$old" >"$at/$group/$file"
	home
	refuses_the_user "$what: a value that is not his to write" 1 "$file of group /$group of" EACCES -- restore -i "$work/value.img"
	wrap=("${user_is[@]}")
	succeeds "$what: the same in mode soft" restore --manage-cgroups=soft -i "$work/value.img"
	wrap=()
	says "$what: which counts it" "created 2, found 1, .* skipped 1, tasks joined 2$"
}

# A task that stands where the user may not take it from: v1 looks at whose it is, v2 at the group above both places.
out_of_reach() {
	local group_of_strangers=$group-strangers stranger
	mkdir "$at/$group_of_strangers"
	if [ "$what" = unified ]; then
		echo "$one" >"$at/$group_of_strangers/cgroup.procs"
		refuses_the_user "$what: a task of his own outside of his groups" 4 "task $one (" ") from group /$group_of_strangers to group /$group/a" \
			"cgroup.procs" "nearest group above both" -- restore -i "$work/root.img"
		home
		echo "$one" >"$at/$group_of_strangers/cgroup.procs"
		refuses_the_user "$what: the same, with a group to be made" 1 "task $one (" "nearest group above both" -- restore -i "$work/root.img"
		echo "$one" >"$at/$group/cgroup.procs"
	else
		keep "$at" "$group/a/b"
		stranger=$pid
		"$CGRAFT" dump --cgroup "$what:/$group" --no-ancestors -i "$work/stranger.img"
		chmod 644 "$work/stranger.img"
		echo "$stranger" >"$at/$group/cgroup.procs"
		refuses_the_user "$what: another user's task" 4 "task $stranger (" ") from group /$group to group /$group/a/b" \
			"only root and the task's own user" -- restore -i "$work/stranger.img"
		kill "$stranger"
		wait "$stranger" 2>/dev/null
	fi
	wrap=("${user_is[@]}")
	succeeds "$what: from within his groups it goes" restore -i "$work/root.img"
	wrap=()
	snapshot >"$work/got"
	same "$what: and all is back" "$work/want" "$work/got"
	rmdir "$at/$group_of_strangers"
}

# What a user sees of another user's process is what root sees, but for its cgroup namespace, and that is said.
of_another_user() {
	keep "$at" "$group/a"
	until [ "$(cat "/proc/$pid/comm")" = sleep ]; do sleep 0.05; done # both dumps see its name
	"$CGRAFT" dump -t "$pid" -i "$work/root.img"
	wrap=("${user_is[@]}")
	succeeds "$what: the user dumps another user's process" dump -t "$pid" -i "$work/area/user.img"
	wrap=()
	check "$what: what he sees is the same" cmp -s "$work/root.img" user.img
	says "$what: that he may not see its namespace is said" "tasks whose cgroup namespace may not be looked at: 1;"
	chmod 700 "$at/$group/a"
	chown 0 "$at/$group/a"
	refuses_the_user "$what: another user's process in a group that he may not read" 1 "/$group/a" EACCES -- dump -t "$pid" -i none.img
	check "$what: no image is left" [ ! -e none.img ]
	chmod 755 "$at/$group/a"
	chown $user "$at/$group/a"
	kill "$pid"
	wait "$pid" 2>/dev/null
}

start delegation
[ -n "$has_restore" ] || { skip "all: this version has no restore"; exit; }
state=state_with_values
chmod 777 "$work/area"
for word in cpu unified; do
	prepare $word || continue
	the_users_own
	another_owner
	not_his_value
	out_of_reach
	of_another_user
	rm -f user.img
	kill "$one" "$two"
	wait "$one" "$two" 2>/dev/null
	sleep 0.1
	remove_groups
done
