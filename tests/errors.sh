#!/usr/bin/env bash
# Every error that a user can run into, through the program itself: one line that names place and reason, the right exit code,
# and nothing changed. Works on private groups and in private mount namespaces. Last line: "N passed, N failed, N skipped".
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

no_pid=4194304                 # the kernel's largest pid is one less (PID_MAX_LIMIT)
nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)

# Groups with a task, a file and a folder that only root may read, and an image of them.
prepare() {
	for mount in "${mounts[@]}"; do
		mkdir "$mount/$group" "$mount/$group/kid" "$mount/$group-shut" "$mount/$group-shut/kid" "$mount/$group-file"
		cpus_of_parent "$mount" "$group" "$group/kid"
		chmod 700 "$mount/$group-shut"
		chmod 600 "$mount/$group-file/notify_on_release" "$mount/$group-file/cgroup.max.depth" 2>/dev/null
	done
	first=${mounts[0]}
	pids=$(hierarchy pids) || pids=
	unified=$(hierarchy unified) || unified=
	keep "$first" "$group/kid"
	"$CGRAFT" dump --cgroup "/$group" -i "$work/image" || not_ok "prepare: no image"
	one=$(head -n 1 <(cut -d: -f2 /proc/self/cgroup | grep -v = | grep . || echo unified))
	"$CGRAFT" dump --cgroup "$one:/$group" --no-ancestors --no-tasks --properties criu -i "$work/small" || not_ok "prepare: no small image"
}

cpus_of_parent() {
	local file of
	for of in "${@:2}"; do
		for file in cpuset.cpus cpuset.mems; do
			[ ! -e "$1/cpuset.cpu_exclusive" ] || cat "$1/$file" >"$1/$of/$file"
		done
	done
}

# --- the command line ---

usage_errors() {
	refuses "no command" 2 "command" --
	refuses "an unknown command" 2 frobnicate -- frobnicate
	refuses "an unknown option" 2 --frobnicate -- dump --frobnicate -t 1
	refuses "an unknown short option" 2 -q -- dump -q -t 1
	refuses "a missing value" 2 -t -- dump -t
	refuses "a missing file" 2 -i -- dump -i
	refuses "a missing log file" 2 -o -- dump -t 1 -o
	refuses "a pid that is no number" 2 twelve -- dump -t twelve
	refuses "a negative pid" 2 -1 -- dump -t -1
	refuses "a pid beyond 32 bits" 2 4294967296 -- dump -t 4294967296
	refuses "a verbosity that is no number" 2 verbosity -- dump --verbosity much -t 1
	refuses "properties of no kind" 2 --properties some -- dump -t 1 --properties some
	refuses "a layout of no kind" 2 --layout pdf -- dump -t 1 --layout=pdf
	refuses "a folder and a file" 2 -D -i -- dump -t 1 -D . -i x.img
	refuses "a folder and a file to show" 2 -D -i -- show -D . -i x.img
	refuses "nothing to dump" 2 -t --cgroup --all -- dump
	refuses "a tree and a group" 2 -t --cgroup --all -- dump -t 1 --cgroup "/$group"
	refuses "a tree and all" 2 -t --cgroup --all -- dump -t 1 --all
	refuses "a group and all" 2 -t --cgroup --all -- dump --cgroup "/$group" --all
	refuses "a group without a slash" 2 --cgroup "$group" -- dump --cgroup "$group"
	refuses "an argument with a line break" 2 -- dump $'--no\nsuch'
	refuses "an argument that is not UTF-8" 2 UTF-8 -- dump -i $'\xff'
	refuses "an argument that is not UTF-8 and has a line break" 2 UTF-8 -- dump -i $'\n\xff'
	refuses "an argument that would drive the terminal" 2 -- dump $'--\e[2J'
}

# CRIU's options that concern cgroups; one that this version knows must not be in the list of those it has not yet.
not_yet() {
	local option
	for option in --freeze-cgroup=/x --action-script=x --stream; do
		cgraft dump "$option" -t $no_pid
		if grep -q "^cgraft: process $no_pid: " "$work/err"; then
			skip "$option: this version has it"
		else
			refuses "$option" 2 "${option%%=*}: " "not have it yet" -- dump "$option" -t $no_pid
		fi
	done
}

not_about_cgroups() {
	local option
	for option in --leave-running --leave-stopped --shell-job --tcp-established --ext-unix-sk --file-locks --restore-detached \
		--restore-sibling --pidfile=x --work-dir=x --external=x --link-remap --evasive-devices --track-mem --prev-images-dir=x \
		--page-server --lazy-pages --timeout=5; do
		refuses "$option" 2 "${option%%=*}: " "not about cgroups" -- dump "$option" -t 1
	done
	for option in -R -s -j -l -d -S; do
		refuses "$option" 2 "$option" -- dump "$option" -t 1
	done
}

# --- what is to be dumped is not there ---

not_there() {
	refuses "no such pid" 1 "process $no_pid: " "no such task" -- dump -t $no_pid
	refuses "pid 0" 1 "process 0: " -- dump -t 0
	refuses "one pid of two" 1 "process $no_pid: " -- dump -t $$ -t $no_pid
	refuses "an unknown hierarchy" 4 "nosuch:/x" "no such hierarchy" -- dump --cgroup nosuch:/x
	refuses "an unknown named hierarchy" 4 "name=nosuch:/x" "no such hierarchy" -- dump --cgroup name=nosuch:/x
	refuses "a group that is not there" 4 "/$group-none" "no such group" -- dump --cgroup "/$group-none"
	refuses "one group of two" 4 "/$group-none" -- dump --cgroup "/$group" --cgroup "/$group-none"
	[ -z "$pids" ] || refuses "a group that another hierarchy has" 4 "pids:/$group-pids" -- dump --cgroup "pids:/$group-pids"
	refuses "a path with .." 2 "/$group/../$group" -- dump --cgroup "/$group/../$group"
	refuses "a path with ." 2 "/$group/./kid" -- dump --cgroup "/$group/./kid"
	refuses "a path with an empty component" 2 "/$group//kid" -- dump --cgroup "/$group//kid"
	refuses "a file instead of a group" "1 4" "/$group/cgroup.procs" -- dump --cgroup "/$group/cgroup.procs"
}

# --- what may not be read or written ---

permissions() {
	chmod 777 "$work/area"
	wrap=("${nobody[@]}")
	refuses "a group that nobody may read" 1 "/$group-shut" "EACCES" -- dump --cgroup "/$group-shut"
	refuses "a file that nobody may read" 1 "/$group-file" "EACCES" -- dump --cgroup "/$group-file"
	refuses "a folder that nobody may write" 1 "$work/x.img" "EACCES" -- dump --cgroup "/$group" -i "$work/x.img"
	refuses "an image that nobody may read" 1 "$work/image" "EACCES" -- decode "$work/image"
	refuses "a log that nobody may write" 1 "-o $work/log" "EACCES" -- dump -o "$work/log" -t 1
	succeeds "nobody dumps what anybody may read" dump --cgroup "/$group" -i x.img
	check "an image is for its owner only" [ "$(stat -c %a:%u x.img)" = 600:65534 ]
	wrap=()
	rm -f x.img
	chmod 755 "$work/area"
}

read_only() {
	local script=
	for mount in "${mounts[@]}"; do
		script+="mount --bind '$mount' '$mount'; mount -o remount,bind,ro '$mount'; "
	done
	privately "$script"
	succeeds "a dump from a read-only cgroupfs" dump --cgroup "/$group" -i "$work/read-only.img"
	wrap=()
	check "and nothing is different in it" cmp -s "$work/read-only.img" "$work/image"
}

# --- the image's file ---

outputs() {
	echo old >old.img
	mkdir folder
	ln -s folder link
	ln -s nowhere/x dangling
	refuses "the output is a folder" 1 folder EISDIR -- dump --cgroup "/$group" -i folder
	refuses "the output is a link to a folder" 1 link EISDIR -- dump --cgroup "/$group" -i link
	refuses "the output ends in a slash" 1 "new/" -- dump --cgroup "/$group" -i new/
	mkdir folder/cgroup.img
	refuses "cgroup.img is a folder" 1 folder/cgroup.img EISDIR -- dump --cgroup "/$group" -D folder
	refuses "the output's folder is missing" 1 nowhere/x.img ENOENT -- dump --cgroup "/$group" -i nowhere/x.img
	refuses "the folder of -D is missing" 1 nowhere/cgroup.img ENOENT -- dump --cgroup "/$group" -D nowhere
	refuses "the output's folder is a file" 1 old.img/x ENOTDIR -- dump --cgroup "/$group" -i old.img/x
	refuses "the output's name is too long" 1 ENAMETOOLONG -- dump --cgroup "/$group" -i "$(printf 'n%300s' '' | tr ' ' n)"
	refuses "the output's path is too long" 1 4095 -- dump --cgroup "/$group" -i "$(printf '/n%5000s' '' | tr ' ' n)"
	refuses "an empty name" "1 2" -- dump --cgroup "/$group" -i ''
	refuses "a failed dump leaves the old image" 1 "process $no_pid" -- dump -t $no_pid -i old.img
	refuses "a log in a missing folder" 1 "-o nowhere/log" ENOENT -- dump -o nowhere/log -t 1
	refuses "a log that is a folder" 1 "-o folder" EISDIR -- dump -o folder -t 1
	succeeds "an old image is replaced" dump --cgroup "/$group" -i old.img
	check "by the whole new one" cmp -s old.img "$work/image"
	rm -r old.img folder link dangling
}

full_disk() {
	full_disk_for new.img "not there"
	full_disk_for old.img old
	refuses "a full device" 1 ENOSPC -- dump --cgroup "/$group" -i /dev/full
	into_full dump --cgroup "/$group" -i -
	into_full decode "$work/image"
	into_full show "$work/image"
	into_full --version
}

# full_disk_for FILE CONTENT: dumps to FILE on a small disk that is full; FILE is then as before.
full_disk_for() {
	# shellcheck disable=SC2016 # the inner shell expands them
	unshare --mount --propagation private bash -c '
		set -e
		mount -t tmpfs -o size=64k,mode=755 full "$1"
		cd "$1"
		head -c 60k /dev/zero >filler
		echo old >old.img
		code=0
		"$2" dump --cgroup "$3" -i "$4" 2>"$5/err" || code=$?
		ls -A
		cat "$4" 2>/dev/null || echo not there
		exit $code' full "$work/area" "$CGRAFT" "/$group" "$1" "$work" >"$work/out"
	check "full disk, $1: exit 1" [ $? = 1 ]
	check "full disk, $1: says so" one_line ENOSPC "$1"
	check "full disk, $1: no other file is left and it is as before" [ "$(cat "$work/out")" = $'filler\nold.img\n'"$2" ]
}

into_full() {
	local wrong=
	"$CGRAFT" "$@" >/dev/full 2>"$work/err"
	status=$?
	check "standard output is full: $1 exits 1" [ $status = 1 ]
	check "standard output is full: $1 says so" one_line "standard output" ENOSPC
}

# --- pipes ---

pipes() {
	big_tree
	"$CGRAFT" decode --pretty big.img 2>"$work/err" | head -n 1 >"$work/out"
	check "decode | head: exit ${PIPESTATUS[0]}, not a word" [ "${PIPESTATUS[0]}:$(cat "$work/out"):$(cat "$work/err")" = "0:{:" ]
	closed decode 0 decode big.img
	closed show 0 show big.img
	closed "show --json" 0 show --json big.img
	closed version 0 --version
	# An image that did not arrive is lost: whoever pipes it must hear of it.
	closed dump 1 dump --cgroup "/$group" -i -
	check "closed pipe: dump says so" one_line "standard output" EPIPE
	"$CGRAFT" dump --cgroup "/$group" -i - | cat >piped.img
	check "an image through a pipe is the same" cmp -s piped.img "$work/image"
	"$CGRAFT" decode -i - <"$work/image" | cmp -s - <("$CGRAFT" decode "$work/image")
	check "an image from a pipe is the same" [ $? = 0 ]
	rm -f big.img piped.img
}

big_tree() {
	mkdir "$first/$group"/kid/{1..200}
	"$CGRAFT" dump --cgroup "/$group" -i big.img
	rmdir "$first/$group"/kid/{1..200}
}

# closed WHAT CODE ARGUMENT...: standard output is a pipe whose reader is gone before the call.
closed() {
	local what=$1 wanted=$2
	shift 2
	status=$( { sleep 0.05; "$CGRAFT" "$@" 2>"$work/err"; echo $? >&3; } 3>&1 1> >(exec true) )
	check "closed pipe: $what exits $wanted" [ "$status" = "$wanted" ]
	[ "$wanted" = 1 ] || check "closed pipe: $what says nothing" [ ! -s "$work/err" ]
}

# --- open files ---

open_files() {
	local path=$group-deep
	mkdir "$first/$path"
	for _ in {1..40}; do
		path=$path/d
		mkdir "$first/$path"
	done
	wrap=(prlimit --nofile=16:16)
	refuses "16 open files, 41 levels" 1 EMFILE ulimit -- dump --cgroup "/$group-deep"
	wrap=(prlimit --nofile=40:40)
	refuses "40 open files, 41 levels" 1 "/$group-deep/d/d" EMFILE ulimit -- dump --cgroup "/$group-deep"
	wrap=(prlimit --nofile=3:3)
	refuses "3 open files" 1 EMFILE -- dump --cgroup "/$group"
	refuses "3 open files to read an image" 1 EMFILE -- decode "$work/image"
	wrap=(prlimit --nofile=16:80)
	succeeds "a soft limit is no limit" dump --cgroup "/$group-deep" -i "$work/deep.img"
	wrap=()
	find "$first/$group-deep" -depth -type d -exec rmdir {} +
}

# --- images that are none ---

no_images() {
	local command
	mkdir folder
	echo "not an image" >text
	: >empty
	head -c 100000 /dev/urandom >noise
	for command in decode show "show --json" ${has_restore:+restore verify}; do
		# shellcheck disable=SC2086 # show has an option
		{
			refuses "$command: no such image" 1 none.img ENOENT -- $command -i none.img
			refuses "$command: no image in the folder" 1 folder/cgroup.img ENOENT -- $command -D folder
			refuses "$command: a folder" 1 folder EISDIR -- $command -i folder
			refuses "$command: text" 3 text "not a cgroup image" -- $command -i text
			refuses "$command: an empty file" 3 empty "not a cgroup image" -- $command -i empty
			refuses "$command: noise" 3 noise "not a cgroup image" -- $command -i noise
			refuses "$command: another image of CRIU" 3 "not a cgroup image" -- $command -i "$tests/corpus/v1-ct/pstree.img"
			refuses "$command: no device" 3 /dev/null "not a cgroup image" -- $command -i /dev/null
		}
	done
	"$CGRAFT" decode -i - </dev/null >"$work/out" 2>"$work/err"
	check "decode: nothing on standard input" [ $? = 3 ]
	check "decode: and it says so" one_line "standard input" "not a cgroup image"
	rm -r folder text empty noise
}

# Every length of a small image, and every byte of it changed once.
damaged_images() {
	local size length wrong_lengths=0 wrong_bytes=0 same=0 command
	size=$(stat -c %s "$work/small")
	"$CGRAFT" decode "$work/small" >"$work/good"
	for command in decode show ${has_restore:+verify}; do
		for ((length = 0; length < size; length++)); do
			head -c $length "$work/small" >cut
			cgraft $command -i cut
			[ $status = 3 ] && one_line cut && [ ! -s "$work/out" ] || wrong_lengths=$((wrong_lengths + 1))
		done
		check "$command: cut off at each of $size lengths" [ $wrong_lengths = 0 ]
	done
	for ((length = 0; length < size; length++)); do
		flip $length >flipped
		cgraft decode -i flipped
		case $status in
			0) if cmp -s "$work/good" "$work/out"; then same=$((same + 1)); else wrong_bytes=$((wrong_bytes + 1)); fi ;;
			3) one_line flipped && [ ! -s "$work/out" ] || wrong_bytes=$((wrong_bytes + 1)) ;;
			*) wrong_bytes=$((wrong_bytes + 1)) ;;
		esac
	done
	check "decode: each of $size bytes changed ($same without effect)" [ $wrong_bytes = 0 ]
	rm cut flipped
}

# flip AT: the small image with another byte there.
flip() {
	local byte
	byte=$(od -An -tu1 -j "$1" -N 1 "$work/small")
	head -c "$1" "$work/small"
	# shellcheck disable=SC2059 # an octal escape
	printf "\\$(printf %03o $((byte ^ (1 << $1 % 8))))"
	tail -c +$(($1 + 2)) "$work/small"
}

# --- restore ---

restore_errors() {
	[ -n "$has_restore" ] || { skip "errors of restore: this version has no restore"; return; }
	state=state_with_values
	[ -n "$(hierarchy pids)" ] && label=pids file=notify_on_release || label='' file=cgroup.max.depth
	mount=$(hierarchy "${label:-unified}")
	restore_usage
	unfit
	may_not
	refused_values
	verify_errors
	state=state
}

# Images of one group, /GROUP-new in one hierarchy, with this inside.
new_group() {
	handmade "$1" "hierarchy(group(b'$group-new'${2:+, $2}), [b'${3-$label}'])"
}

restore_usage() {
	new_group new.img
	refuses "restore: a mode of no kind" 2 --manage-cgroups frob -- restore --manage-cgroups=frob -i new.img
	refuses "restore: a phase of no kind" 2 --phase frob -- restore --phase create,frob -i new.img
	refuses "restore: a map of no form" 2 --pid-map 17 -- restore --pid-map 17 -i new.img
	refuses "restore: a map of words" 2 --pid-map a:b -- restore --pid-map a:b -i new.img
	refuses "restore: a root with .." 2 --cgroup-root /../x -- restore --cgroup-root /../x -i new.img
	refuses "restore: a root without a slash" 2 --cgroup-root x -- restore --cgroup-root x -i new.img
	refuses "restore: a root of no hierarchy" "2 4" nosuch:/x -- restore --cgroup-root nosuch:/x -i new.img
	refuses "restore: a folder and a file" 2 -D -i -- restore -D . -i new.img
	refuses "restore: --shell-job" 2 --shell-job "not about cgroups" -- restore --shell-job -i new.img
	refuses "restore: an argument too many" 2 frob -- restore -i new.img frob
}

# The image is sound and this host cannot take it: nothing is tried.
unfit() {
	new_group none.img '' cgraft-none
	refuses "restore: the hierarchy is missing" 4 cgraft-none "no such hierarchy" -- restore -i none.img
	cgraft restore --skip-missing -i none.img
	check "restore: --skip-missing exits 6" [ "$status" = 6 ]
	handmade second.img "hierarchy(group(b'$group-new'), [b'$label']) + hierarchy(group(b'$group-new'), [b'cgraft-none'])"
	refuses "restore: the second hierarchy is missing" 4 cgraft-none "no such hierarchy" -- restore -i second.img
	[ -z "$unified" ] || {
		new_group file.img "prop(b'memory.max', b'1000000')" ''
		refuses_and_takes_back "restore: the file is missing" "1 4" "/$group-new" memory.max -- restore -i file.img
	}
	refuses "restore: mode none, and the group is missing" 4 "/$group-new" -- restore --manage-cgroups=none -i new.img
	refuses "restore: mode props, and the group is missing" 4 "/$group-new" -- restore --manage-cgroups props -i new.img
	refuses "restore: only values, and the group is missing" 4 "/$group-new" -- restore --phase limit -i new.img
	refuses "restore: a process that the image does not have" 4 "$no_pid:1" -- restore --pid-map $no_pid:1 -i new.img
	handmade there.img "hierarchy(group(b'$group'), [b'$label'])"
	refuses "restore: mode strict, and the group is there" 4 "/$group" -- restore --manage-cgroups=strict -i there.img
	new_group unknown.img "prop(b'${label:-cgroup}.new_thing', b'1')"
	refuses "restore: a file that this version does not know" 4 -- restore -i unknown.img
	dead_task
}

# On the same boot the tasks of the image are looked for; one that was given by hand must be there.
dead_task() {
	"$CGRAFT" dump -t "$pid" -i "$work/task.img"
	refuses "restore: the process of a map is not there" "1 4" "$no_pid" -- restore --pid-map "$pid:$no_pid" -i "$work/task.img"
}

may_not() {
	local script='' of
	for of in "${mounts[@]}"; do
		script+="mount --bind '$of' '$of'; mount -o remount,bind,ro '$of'; "
	done
	privately "$script"
	refuses_and_takes_back "restore: a read-only cgroupfs" "1 4" "/$group-new" EROFS -- restore -i new.img
	wrap=("${nobody[@]}")
	refuses_and_takes_back "restore: as nobody" "1 4" "/$group-new" EACCES -- restore -i new.img
	wrap=()
	new_group deep.img "nested(60)"
	wrap=(prlimit --nofile=40:40)
	refuses_and_takes_back "restore: 40 open files, 61 levels" 1 "/$group-new" EMFILE -- restore -i deep.img
	wrap=()
}

# A value that the kernel does not take, behind groups and values that it takes.
refused_values() {
	local good="prop(b'$file', b'1')" bad="prop(b'$file', b'frob')"
	new_group bad.img "$bad"
	refuses_and_takes_back "restore: a value is refused" "1 3" -- restore -i bad.img
	handmade late.img "hierarchy(group(b'$group', $good) + group(b'$group-new', group(b'a', $good) + group(b'b', group(b'c', $bad))), [b'$label'])"
	refuses_and_takes_back "restore: a late value is refused" "1 3" -- restore -i late.img
	[ -n "$pids" ] || { skip "restore: pids.max is refused: this host has no pids on v1"; return; }
	handmade pids.img "hierarchy(group(b'$group', prop(b'pids.max', b'77')) + group(b'$group-new', group(b'a', prop(b'pids.max', b'-5'))), [b'pids'])"
	refuses_and_takes_back "restore: pids.max is refused" 1 "/$group-new/a" pids.max -5 EINVAL -- restore -i pids.img
	cgraft restore --no-rollback -i pids.img
	check "restore: --no-rollback exits 5" [ "$status" = 5 ]
	check "restore: --no-rollback leaves what was made" [ -d "$pids/$group-new/a" ]
	rmdir "$pids/$group-new/a" "$pids/$group-new"
	echo max >"$pids/$group/pids.max"
}

# As refuses; a restore that had begun says in a second line that all was taken back.
refuses_and_takes_back() {
	local aside='2{/^cgraft: everything was taken back: the host is as it was$/d}'
	refuses "$@"
}

verify_errors() {
	refuses "verify: the hierarchy is missing" "4" cgraft-none -- verify -i none.img
	cgraft verify -i "$work/small"
	check "verify: no difference, no word" [ "$status:$(cat "$work/out" "$work/err")" = 0: ]
	handmade differs.img "hierarchy(group(b'$group', prop(b'$file', b'1')), [b'$label'])"
	cgraft verify -i differs.img
	check "verify: a difference exits 6" [ "$status" = 6 ]
	check "verify: and names group and file" grep -q "/$group.*$file\|$file.*/$group" "$work/out"
	closed verify 6 verify -i differs.img || :
	into_full verify -i differs.img
}

start errors
prepare
usage_errors
not_yet
not_about_cgroups
not_there
permissions
read_only
outputs
full_disk
pipes
open_files
no_images
damaged_images
restore_errors
