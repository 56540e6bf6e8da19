#!/usr/bin/env bash
# tests/vm/guest/complete.sh for the host's own kernel: every file that can be written in a fresh group is in the tables of
# docs/properties.md or on its refused lists. Makes one empty group in each hierarchy, cgraft-complete-PID, reads no value, writes
# nothing, and removes them again.
# shellcheck disable=SC2154 # checks.sh sets work, group and mounts
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
set -o pipefail

# VERSION and mount point of every hierarchy that is mounted from its root; once each.
hierarchies() {
	awk '$4 == "/" {
		for (i = 7; $i != "-"; i++);
		if ($(i + 1) ~ /^cgroup2?$/ && !seen[$3]++) print $(i + 1) == "cgroup2" ? 2 : 1, $5
	}' /proc/self/mountinfo
}

# kinds PAGE LIST
kinds() {
	awk -F '\t' -f "$tests/vm/classify.awk" "$1" "$2"
}

# look VERSION MOUNT
look() {
	local list=$work/list place=${2##*/} unknown
	if ! mkdir "$2/$group" 2>"$work/error"; then
		skip "$place: no group can be made: $(sed 's/.*: //' "$work/error")"
		return
	fi
	find "$2/$group" -maxdepth 1 -type f -perm -200 -printf "$1\t%f\t$place\n" >"$list"
	cat "$list" >>"$work/all"
	if unknown=$(kinds "$tests/../docs/properties.md" "$list" | grep '^unknown'); then
		not_ok "$place: neither in the table nor refused: $(cut -f 3 <<<"$unknown" | xargs)"
	elif ! grep -qP "\tcgroup.procs\t" "$list"; then
		not_ok "$place: its fresh group has no cgroup.procs"
	else
		ok "$place: all $(wc -l <"$list") writable files are in the table or refused"
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
	grep -v '^| `cgroup.procs`' "$tests/../docs/properties.md" >"$work/gap.md"
	if diff <(kinds "$work/gap.md" "$work/all" | grep '^unknown' | cut -f 2-) <(grep -P '\tcgroup.procs\t' "$work/all") >/dev/null; then
		ok "a table without cgroup.procs is seen"
	else
		not_ok "a table without cgroup.procs is not seen"
	fi
}

begin complete
: >"$work/all"
while read -r version mount; do
	look "$version" "$mount"
done < <(hierarchies)
[ ! -s "$work/all" ] || sees_gap
[ $((passed + skipped)) != 0 ] || not_ok "no hierarchy is mounted"
