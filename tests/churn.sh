#!/usr/bin/env bash
# Groups and tasks come and go as fast as one processor can make them, in two hierarchies, while dumps and restores run: none crashes or
# hangs, each ends with a documented exit code, and each image has what stays, whole.
#
#   CGRAFT_CHURN=SECONDS   how long; else 60, in CI 20
# shellcheck disable=SC2154 # checks.sh sets group, pid, tests and work
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
start churn
for tool in cc python3; do
	command -v $tool >/dev/null || { skip "churn: there is no $tool"; exit; }
done
cpu=$(hierarchy cpu) && pids=$(hierarchy pids) && [ "$cpu" != "$pids" ] || { skip "churn: v1 with cpu and pids is not here"; exit; }
seconds=60
[ "${CI:-}" != true ] || seconds=20
seconds=${CGRAFT_CHURN:-$seconds}

cc -O2 -o "$work/churn" "$tests/churn.c" || { not_ok "tests/churn.c does not compile"; exit; }
for number in 0 1 2 3 4 5 6 7 8 9; do
	mkdir -p "$cpu/$group/stay/g$number" "$pids/$group/stay/g$number" || exit 1
	echo $((300 + number)) >"$cpu/$group/stay/g$number/cpu.shares"
	echo $((40 + number)) >"$pids/$group/stay/g$number/pids.max"
done
keep "$cpu" "$group/stay/g0"
echo "$pid" >"$pids/$group/stay/g0/cgroup.procs"
mkdir "$work/folder"
"$work/churn" "$cpu/$group" "$pids/$group" >"$work/rounds" &
churn=$!
python3 "$tests/churn.py" "$CGRAFT" "$work/folder" "$seconds" "$churn" "$pid" "$cpu/$group" "$pids/$group" >"$work/out" 2>&1
kill -TERM "$churn"
wait "$churn"
rounds=$(cat "$work/rounds")
cat "$work/out"
read -r _ dumps restores wrong < <(grep '^done' "$work/out")
check "${dumps:-no} dumps and ${restores:-no} restores during $rounds rounds: ${wrong:-?} wrong" [ "${wrong:-1}" = 0 ]
check "control: more than 10 dumps" [ "${dumps:-0}" -gt 10 ]
check "control: more than 50 rounds a second" [ "${rounds:-0}" -gt $((50 * seconds)) ]
