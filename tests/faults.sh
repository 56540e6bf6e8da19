#!/usr/bin/env bash
# Each system call of a dump, a restore, and an undo fails once with each errno that it can give, by strace; tests/faults.py judges what
# comes of each. Two parts run at a time, each with groups and a pid namespace of its own. All calls that write or make something are
# tried, of the others a sample, always the same one.
#
#   CGRAFT_FAULTS=all    every call: twenty minutes
#   CGRAFT_FAULTS=REGEX  those whose line it matches, such as "undo: call 7 of openat" or "second thread.*ENOMEM"
# shellcheck disable=SC2154 # checks.sh sets name, tests and work
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
start faults
for tool in strace python3 unshare; do
	command -v $tool >/dev/null || { skip "faults: there is no $tool"; exit; }
done
hierarchy cpu >/dev/null && hierarchy pids >/dev/null && hierarchy unified >/dev/null ||
	{ skip "faults: v1 with cpu and pids, and v2, are not all here"; exit; }
[ "$(hierarchy cpu)" != "$(hierarchy pids)" ] || { skip "faults: cpu and pids are mounted together"; exit; }

sample=24 only=()
case ${CGRAFT_FAULTS:-} in
'') ;;
all) sample=1 ;;
*) only=("$CGRAFT_FAULTS") ;;
esac
for part in 0 1; do
	mkdir "$work/$part"
	unshare -fp --kill-child --mount-proc python3 "$tests/faults.py" "$CGRAFT" "$work/$part" "$group-$part" $part 2 $sample "${only[@]}" >"$work/$part.out" 2>&1 &
done
wait
cat "$work/0.out" "$work/1.out" | grep -a '^#' | head -n 40
cat "$work/0.out" "$work/1.out" | awk '/^class/ { number = $2; sub(/^class [0-9]+ /, ""); of[$0] += number } END { for (name in of) print "   " of[name] " x " name }' | sort -k 3
cat "$work/0.out" "$work/1.out" | awk '/^skip/ { number = $2; sub(/^skip [0-9]+ /, ""); of[$0] += number } END { for (name in of) print "   skipped: " of[name] " " name }'
read -r tried all wrong < <(cat "$work/0.out" "$work/1.out" |
	awk '/^faults/ { tried += $2; all += $3 } /^wrong/ { wrong += $2; parts++ } END { print tried + 0, all + 0, parts == 2 ? wrong : "unknown" }')
[ "$wrong" != unknown ] || tail -n 5 "$work/0.out" "$work/1.out"
check "$tried of $all faults: $wrong outcomes that are not documented" [ "$wrong" = 0 ]
[ ${#only[@]} != 0 ] || check "control: more than 1000 faults ($tried)" [ "$tried" -gt 1000 ]
