#!/usr/bin/env bash
# tests/vm/guest/complete.sh for the host's own kernel: every file that can be written in a fresh group is in the tables of
# docs/properties.md or on its refused lists. Makes one empty group in each hierarchy, cgraft-complete-PID, reads no value, writes
# nothing, and removes them again.
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
group=cgraft-complete-$$
scratch=$(mktemp -d)
passed=0 failed=0 skipped=0 made=()

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

remove() {
	[ ${#made[@]} = 0 ] || rmdir "${made[@]}"
	made=()
}

trap 'remove; rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

# VERSION and mount point of every hierarchy that is mounted from its root; once each.
hierarchies() {
	awk '$4 == "/" {
		for (i = 7; $i != "-"; i++);
		if ($(i + 1) ~ /^cgroup2?$/ && !seen[$3]++) print $(i + 1) == "cgroup2" ? 2 : 1, $5
	}' /proc/self/mountinfo
}

# kinds PAGE LIST
kinds() {
	awk -F '\t' -f "$root/tests/vm/classify.awk" "$1" "$2"
}

# check VERSION MOUNT
check() {
	local list=$scratch/list name=${2##*/} unknown
	if ! mkdir "$2/$group" 2>"$scratch/error"; then
		skip "$name: no group can be made: $(sed 's/.*: //' "$scratch/error")"
		return
	fi
	made+=("$2/$group")
	find "$2/$group" -maxdepth 1 -type f -perm -200 -printf "$1\t%f\t$name\n" >"$list"
	cat "$list" >>"$scratch/all"
	if unknown=$(kinds "$root/docs/properties.md" "$list" | grep '^unknown'); then
		not_ok "$name: neither in the table nor refused: $(cut -f 3 <<<"$unknown" | xargs)"
	elif ! grep -qP "\tcgroup.procs\t" "$list"; then
		not_ok "$name: its fresh group has no cgroup.procs"
	else
		ok "$name: all $(wc -l <"$list") writable files are in the table or refused"
	fi
	missing_controllers "$1" "$2"
}

# What the root of v2 offers but does not hand down has no files in a fresh group, and a root's files are not ours to write.
missing_controllers() {
	local missing
	[ "$1" = 2 ] || return 0
	missing=$(tr ' ' '\n' <"$2/cgroup.controllers" | grep -vxFf <(tr ' ' '\n' <"$2/cgroup.subtree_control"))
	[ -z "$missing" ] || skip "${2##*/}: the host hands down no $(xargs <<<"$missing" | sed 's/ /, /g'), so these files are not seen"
}

# A page that lacks a row must miss exactly that file.
sees_gap() {
	grep -v '^| `cgroup.procs`' "$root/docs/properties.md" >"$scratch/gap.md"
	if diff <(kinds "$scratch/gap.md" "$scratch/all" | grep '^unknown' | cut -f 2-) <(grep -P '\tcgroup.procs\t' "$scratch/all") >/dev/null; then
		ok "a table without cgroup.procs is seen"
	else
		not_ok "a table without cgroup.procs is not seen"
	fi
}

: >"$scratch/all"
while read -r version mount; do
	check "$version" "$mount"
done < <(hierarchies)
[ ! -s "$scratch/all" ] || sees_gap
remove
while read -r _ mount; do
	[ ! -e "$mount/$group" ] || not_ok "left behind: $mount/$group"
done < <(hierarchies)
[ $((passed + skipped)) != 0 ] || not_ok "no hierarchy is mounted"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
