# shellcheck shell=bash
# What the tests on this host share: results, private groups, calls of cgraft, and a look at what a call left behind.
# Sourced, not run. Groups are made as cgraft-NAME-PID in every hierarchy and removed on every way out.
#
#   CGRAFT=FILE   the program under test; else target/cgraft

set -u
export LC_ALL=C PYTHONDONTWRITEBYTECODE=1
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CGRAFT=$(realpath "${CGRAFT:-$tests/../target/cgraft}")
passed=0
failed=0
skipped=0
wrap=()                        # a command that runs cgraft, such as: wrap=(setpriv --reuid=65534)
kept=()                        # processes that live until the end

ok() {
	passed=$((passed + 1))
	echo "ok - $*"
}

not_ok() {
	failed=$((failed + 1))
	echo "not ok - $*"
}

skip() {
	skipped=$((skipped + 1))
	echo "skip - $*"
}

# check WHAT COMMAND...: ok if the command succeeds.
check() {
	local what=$1
	shift
	if "$@"; then ok "$what"; else not_ok "$what"; fi
}

# start NAME: what every test of the program needs, or the end.
start() {
	[ -x "$CGRAFT" ] || { echo "skip - $1: there is no $CGRAFT; scripts/build makes it"; end_of_results; exit 0; }
	begin "$1"
	cp "$CGRAFT" "$work/cgraft"            # where any user may run it
	CGRAFT=$work/cgraft
	has_restore=
	if "$CGRAFT" restore -i "$work/none" 2>&1 | grep -q '^cgraft: '; then has_restore=yes; fi
}

# begin NAME: a name for groups, a folder, and their end on every way out.
begin() {
	name=$1
	[ "$(id -u)" = 0 ] || { echo "skip - $name: only root may make groups"; skipped=1; end_of_results; exit 0; }
	group=cgraft-$name-$$
	work=$(mktemp -d "/tmp/cgraft-$name.XXXXXX")
	chmod 755 "$work"
	mkdir "$work/area"
	cd "$work/area" || exit 1
	mapfile -t mounts < <(mounted)
	handed_down=$(hands_down)
	trap leave EXIT
	trap 'exit 130' INT TERM
}

# The mount points of this host's hierarchies, each once; paths with blanks are left out.
mounted() {
	awk '$4 == "/" { for (i = 7; i < NF; i++) if ($i == "-" && $(i + 1) ~ /^cgroup2?$/ && !seen[$3]++) print $5 }' /proc/self/mountinfo
}

# hierarchy WORD: the mount point of the hierarchy with this controller, of name=NAME, or of v2 ("unified"); fails without one.
hierarchy() {
	awk -v word="$1" '
	$4 == "/" {
		for (i = 7; i < NF; i++) if ($i == "-") break
		if ($(i + 1) == "cgroup2" && word == "unified") { print $5; found = 1; exit }
		if ($(i + 1) != "cgroup") next
		count = split($(i + 3), options, ",")
		for (j = 1; j <= count; j++) if (options[j] == word) { print $5; found = 1; exit }
	}
	END { exit !found }' /proc/self/mountinfo
}

# Removes all groups of this test, deepest first.
remove_groups() {
	local mount top
	for mount in "${mounts[@]}"; do
		for top in "$mount/$group"*; do
			[ ! -d "$top" ] || find "$top" -depth -type d -exec rmdir {} + 2>/dev/null
		done
	done
}

left_groups() {
	local mount
	for mount in "${mounts[@]}"; do
		find "$mount" -maxdepth 1 -name "$group*"
	done
}

# What the root of v2 hands down: the files of a root group are not ours.
hands_down() {
	local unified
	unified=$(hierarchy unified) && cat "$unified/cgroup.subtree_control"
}

end_of_results() {
	echo "$passed passed, $failed failed, $skipped skipped"
}

leave() {
	trap - EXIT
	[ ${#kept[@]} = 0 ] || kill -KILL "${kept[@]}" 2>/dev/null
	wait 2>/dev/null
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		remove_groups
		[ -n "$(left_groups)" ] || break
		sleep 0.2                              # a task leaves its group a moment after its end
	done
	if [ -n "$(left_groups)" ]; then not_ok "no group is left behind"; else ok "no group is left behind"; fi
	[ "$(hands_down)" = "$handed_down" ] || not_ok "the root of v2 hands down '$(hands_down)' now, '$handed_down' before"
	cd / && rm -rf "$work"
	end_of_results
	[ $failed = 0 ]
	exit
}

# Makes the test's group with a/b below it in every hierarchy; tasks can enter.
make_everywhere() {
	local mount path
	for mount in "${mounts[@]}"; do
		mkdir -p "$mount/$group/a/b" || exit 1
		if [ -e "$mount/$group/cpuset.mems" ]; then
			for path in "$group" "$group/a" "$group/a/b"; do
				cat "$mount/cpuset.cpus" >"$mount/$path/cpuset.cpus"
				cat "$mount/cpuset.mems" >"$mount/$path/cpuset.mems"
			done
		fi
	done
}

# keep MOUNT GROUP: a task that sleeps in this group until the end; its id in $pid.
keep() {
	sleep 100000 &
	pid=$!
	kept+=("$pid")
	echo "$pid" >"$1/$2/cgroup.procs"
}

# Calls cgraft; its words are then in $work/out and $work/err, its exit code in $status.
cgraft() {
	"${wrap[@]}" "$CGRAFT" "$@" >"$work/out" 2>"$work/err"
	status=$?
}

# The state that a failed call must not change: files of the area, groups of the test with owners, modes and members, mounts.
state() {
	(cd "$work/area" && find . -printf '%p %y %m %U:%G %s\n' | sort && find . -type f -exec cksum {} + | sort)
	local tops=() mount
	for mount in "${mounts[@]}"; do
		tops+=("$mount/$group"*)
	done
	find "${tops[@]}" -printf '%p %y %m %U:%G\n' 2>/dev/null | sort
	find "${tops[@]}" -name cgroup.procs -exec grep -Hs . {} + 2>/dev/null | sort
	grep cgroup /proc/self/mountinfo
}

# The same and every configuration file's value, by a comparer that shares nothing with cgraft.
state_with_values() {
	state
	local mount top
	for mount in "${mounts[@]}"; do
		for top in "$mount/$group"*; do
			[ ! -d "$top" ] || sh "$tests/vm/snapshot.sh" tree "$mount" "/${top##*/}" | sed "s|^|$mount|"
		done
	done
}
state=state                    # what refuses compares

# one_line WORD...: standard error is one line of cgraft that holds every word, and cannot drive a terminal.
one_line() {
	local word line
	line=$(cat "$work/err"; echo x)
	line=${line%x}
	[ "$(wc -l <"$work/err")" = 1 ] || { wrong="not one line but $(wc -l <"$work/err")"; return 1; }
	[[ $line == "cgraft: "* ]] || { wrong="does not begin with cgraft:"; return 1; }
	[[ ${line%$'\n'} != *[[:cntrl:]]* ]] || { wrong="control bytes"; return 1; }
	for word; do
		[[ $line == *"$word"* ]] || { wrong="does not say $word"; return 1; }
	done
}

# refuses WHAT CODES [WORD...] -- ARGUMENT...: the call must exit with one of the codes, say why in one line with these words,
# print nothing else, and leave everything as it was. What the sed script $aside takes away is not looked at.
refuses() {
	local what=$1 codes=$2 words=() wrong=
	shift 2
	while [ "$1" != -- ]; do
		words+=("$1")
		shift
	done
	shift
	$state >"$work/before"
	cgraft "$@"
	$state >"$work/after"
	[ -z "${aside-}" ] || sed -i "$aside" "$work/err"
	if [[ " $codes " != *" $status "* ]]; then
		not_ok "$what: exit $status, not $codes: $(head -c 300 "$work/err")"
	elif ! one_line "${words[@]}"; then
		not_ok "$what: $wrong: $(head -c 300 "$work/err")"
	elif [ -s "$work/out" ]; then
		not_ok "$what: prints $(head -c 100 "$work/out")"
	elif ! cmp -s "$work/before" "$work/after"; then
		not_ok "$what: leaves a change: $(diff "$work/before" "$work/after" | grep '^[<>]' | head -n 5 | tr '\n' ' ')"
	else
		ok "$what: exit $status"
	fi
}

# succeeds WHAT ARGUMENT...: the call must exit 0 without a word about errors.
succeeds() {
	local what=$1
	shift
	cgraft "$@"
	if [ "$status" = 0 ]; then ok "$what"; else not_ok "$what: exit $status: $(head -c 300 "$work/err")"; fi
}

# privately SCRIPT: wraps calls into a mount namespace of their own, prepared by SCRIPT. Nothing of it is seen outside.
privately() {
	# shellcheck disable=SC2016 # the inner shell expands them
	wrap=(unshare --mount --propagation private bash -c 'set -e; eval "$1"; shift; exec "$@"' wrap "$1")
}

# handmade FILE EXPRESSION: an image whose payload is a Python expression of tests/handmade.py.
handmade() {
	PYTHONPATH=$tests python3 -c "
import sys
from handmade import *
open(sys.argv[1], 'wb').write(image($2))" "$1"
}
