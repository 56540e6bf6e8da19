#!/usr/bin/env bash
# restore --dry-run against strace of the real restore, step for step, and no call of it changes anything; check, which tells every
# reason at once.
# shellcheck disable=SC2154 # checks.sh sets status, pid and work
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
start dry
command -v strace >/dev/null || { skip "dry: there is no strace"; exit; }
hierarchies=()
for one in cpu memory cpuset devices freezer pids unified; do
	hierarchy "$one" >/dev/null || { skip "dry: there is no hierarchy $one"; exit; }
	hierarchies+=("$one")
done
steps() { python3 "$tests/steps.py" "$@"; }
at() { echo "$(hierarchy "$1")/$group${2-}"; }

# scene [same|sorted] NAME CODE OPTION...: a dry run with the image in $image, then the real one. The dry run changes nothing, says what
# is there now, and foretells each step and the exit code. The number of steps is in $count.
scene() {
	local order=$1 what=$2 code=$3 dry_status
	shift 3
	state_with_values >"$work/before"
	strace -f -y -s 100000 -o "$work/dry.trace" "$CGRAFT" restore --dry-run "$@" -i "$image" >"$work/steps" 2>"$work/dry.err"
	dry_status=$?
	state_with_values >"$work/after"
	count=$(wc -l <"$work/steps")
	check "$what: the dry run exits with $code ($dry_status)" [ "$dry_status" = "$code" ]
	check "$what: it changes nothing" cmp -s "$work/before" "$work/after"
	check "$what: no call of it changes anything" steps calls "$work/dry.trace"
	check "$what: it says what is there now" steps before "$work/steps"
	strace -f -y -s 100000 -o "$work/trace" "$CGRAFT" restore "$@" -i "$image" >"$work/out" 2>"$work/err"
	status=$?
	check "$what: so does the real one" [ "$status" = "$code" ] || cat "$work/err"
	[ "$code" != 0 ] && [ "$code" != 6 ] && return
	check "$what: the $count steps are the calls" steps "$order" "$work/steps" "$work/trace"
	check "$what: the same counts" cmp -s <(sed -n 's/^would be restored/restored/p' "$work/dry.err") <(grep ^restored: "$work/err")
	# control: a step that is missing or added is seen
	sed 1d "$work/steps" >"$work/less"
	{ cat "$work/steps"; echo "mkdir cpu:/$group/none"; } >"$work/more"
	check "$what: control: one step less is seen" [ "$count" = 0 -o "$(steps "$order" "$work/less" "$work/trace" >/dev/null; echo $?)" = 1 ]
	check "$what: control: one step more is seen" [ "$(steps "$order" "$work/more" "$work/trace" >/dev/null; echo $?)" = 1 ]
}

# --- a tree in every hierarchy: values, owners, modes, attributes, a frozen group, controllers that are handed down

for one in "${hierarchies[@]}"; do
	mkdir -p "$(at "$one" /a/b)" "$(at "$one" /c)"
	chown 1000:1001 "$(at "$one" /a/b)"
	chmod 750 "$(at "$one" /c)"
done
for path in "" /a /a/b /c; do
	head -n 1 "$(hierarchy cpuset)/cpuset.mems" >"$(at cpuset "$path/cpuset.mems")"
	head -n 1 "$(hierarchy cpuset)/cpuset.cpus" >"$(at cpuset "$path/cpuset.cpus")"
done
echo 0 >"$(at cpuset /a/cpuset.cpus)" 2>/dev/null || :
echo 512 >"$(at cpu /a/cpu.shares)"
chown 5:6 "$(at cpu /a/cpu.shares)"
chmod 600 "$(at cpu /a/cpu.shares)"
chmod 640 "$(at pids /c/cgroup.procs)"
echo 64M >"$(at memory /a/memory.limit_in_bytes)"
echo 11 >"$(at memory /a/memory.swappiness)"
echo 7 >"$(at pids /a/b/pids.max)"
echo 1 >"$(at pids /a/notify_on_release)"
echo a >"$(at devices /c/devices.deny)"
echo 'c 1:3 rwm' >"$(at devices /c/devices.allow)"
echo 'c 1:5 r' >"$(at devices /c/devices.allow)"
echo 'c 1:9 rwm' >"$(at devices /a/devices.deny)"
echo FROZEN >"$(at freezer /c/freezer.state)"
echo 5 >"$(at unified /a/cgroup.max.depth)"
offered=$(cat "$(at unified /cgroup.controllers)")
[ -z "$offered" ] || echo "+${offered%% *}" >"$(at unified /cgroup.subtree_control)"
attribute() { python3 -c 'import os, sys; os.setxattr(sys.argv[1], sys.argv[2], sys.argv[3].encode())' "$(at unified "$1")" "$2" "$3"; }
attribute /a trusted.cgraft wanted
attribute /c user.text "wanted too"
sleep 100000 &
pid=$!
kept+=("$pid")
python3 -c '
import threading, time
threads = [threading.Thread(target=time.sleep, args=(100000,), daemon=True) for _ in range(3)]
for one in threads: one.start()
time.sleep(100000)' &
many=$!
kept+=("$many")
until [ "$(find /proc/$many/task -mindepth 1 -maxdepth 1 | wc -l)" = 4 ]; do sleep 0.05; done
for one in "${hierarchies[@]}"; do
	echo "$pid" >"$(at "$one" /a/b/cgroup.procs)"
	echo "$many" >"$(at "$one" /a/cgroup.procs)" 2>/dev/null || echo "$many" >"$(at "$one" /c/cgroup.procs)"
done
# One thread elsewhere than its process, on v1 only.
tid=$(find /proc/$many/task -mindepth 1 -maxdepth 1 -printf '%f\n' | sort -n | tail -n 1)
echo "$tid" >"$(at cpu /c/tasks)"
arguments=()
for one in "${hierarchies[@]}"; do arguments+=(--cgroup "$one:/$group"); done
image=$work/image
"$CGRAFT" dump "${arguments[@]}" --no-ancestors -i "$image" || exit 1

# uproot: the tasks go to the roots, the groups go.
uproot() {
	local one
	for one in "${hierarchies[@]}"; do
		for task in "$pid" "$many"; do echo "$task" >"$(hierarchy "$one")/cgroup.procs"; done
		find "$(at "$one")" -depth -type d -exec rmdir {} + 2>/dev/null
	done
	[ -z "$(left_groups)" ] || { sleep 0.3; remove_groups; }
}

uproot
scene same "a new tree" 0
check "a new tree: more than 60 steps ($count)" [ "$count" -gt 60 ]
check "a new tree: tasks and a thread move" [ "$(grep -c '^move pid' "$work/steps"):$(grep -c "^move tid $tid " "$work/steps")" = 14:1 ]
scene same "nothing to do" 0
check "nothing to do: no step" [ "$count" = 0 ]

# --- groups that are there with other values

change() {
	echo 300 >"$(at cpu /a/cpu.shares)"
	chown 0:0 "$(at cpu /a/cpu.shares)"
	chown 7:8 "$(at pids /c)"
	chmod 700 "$(at pids /c)"
	echo 99 >"$(at pids /a/b/pids.max)"
	echo THAWED >"$(at freezer /c/freezer.state)"
	echo 'c 1:5 r' >"$(at devices /c/devices.deny)"
	attribute /a trusted.cgraft other
	echo "$pid" >"$(at cpu /c/cgroup.procs)"
}
change
rmdir "$(at pids /c)"
scene same "other values" 0
check "other values: a value, an owner and an attribute" [ "$(grep -cE '^(write|chown|attribute) ' "$work/steps")" -gt 5 ]
for mode in none props soft strict; do
	change
	echo "$pid" >"$(hierarchy memory)/cgroup.procs"
	sleep 0.1
	rmdir "$(at memory /a/b)" 2>/dev/null # none and props do not make it again
	case $mode in
		none | props) code=4 ;;
		soft) code=0 ;;
		strict) code=4 ;;
	esac
	scene same "mode $mode" $code --manage-cgroups "$mode"
done
scene same "the groups back" 0
change
scene same "ignore" 0 --manage-cgroups ignore
for phase in create join limit freeze create,limit; do
	change
	scene same "phase $phase" 0 --phase "$phase"
done
uproot
scene same "a new tree, phase create" 0 --phase create
scene same "its tasks" 0 --phase join
scene same "its limits" 0 --phase limit,freeze
uproot
scene same "other owners" 0 --uid-map 0-65535=100000 --gid-map 0-65535=100000
uproot

# --- elsewhere: ways to the groups, cpusets among them that must have lists

scene same "below another group" 0 --cgroup-root "/$group-other/way"
check "below another group: lists of cpusets on the way" grep -q "^write cpuset:/$group-other/way/cpuset.cpus \"\" -> " "$work/steps"
for task in "$pid" "$many"; do for one in "${hierarchies[@]}"; do echo "$task" >"$(hierarchy "$one")/cgroup.procs"; done; done
remove_groups
scene same "processes that take the place of others" 0 --pid-map "$pid:$pid" --pid-map "$many:$many"
check "processes that take the place of others: they move" grep -q "^move pid $pid (sleep) cpu:/ -> /$group/a/b\$" "$work/steps"
uproot

# --- failures, codes, journals

cp "$image" "$work/whole"
handmade "$work/file" "hierarchy(group(b'$group', prop(b'cpu.cfs_quota_us', b'5000') + prop(b'cpu.none', b'x')), [b'cpu'])"
image=$work/file scene same "an unknown file" 4
image=$work/file scene same "an unknown file is skipped" 0 --skip-missing
remove_groups
if [ ! -e "$(hierarchy cpu)/cpu.rt_runtime_us" ]; then
	handmade "$work/missing" "hierarchy(group(b'$group', group(b'x', prop(b'cpu.rt_runtime_us', b'5000'))), [b'cpu'])"
	image=$work/missing scene same "a file that this kernel does not have" 1
	image=$work/missing scene same "... is skipped" 6 --skip-missing
	remove_groups
fi
handmade "$work/new" "hierarchy(group(b'$group', group(b'x')), [b'name=cgraft-dry'])"
cgraft restore --dry-run -i "$work/new"
check "a hierarchy that would be made: exit 0" [ "$status" = 0 ]
check "a hierarchy that would be made is told" cmp -s "$work/out" <(printf '%s\n' "make hierarchy name=cgraft-dry" "mkdir name=cgraft-dry:/$group" "mkdir name=cgraft-dry:/$group/x")
check "... and is not there" [ -z "$(grep cgraft-dry /proc/self/cgroup)" ]
cgraft restore --dry-run --journal "$work/journal" -i "$work/new"
check "a journal is not made" [ "$status:$(ls "$work/journal" 2>/dev/null)" = 0: ]
"$CGRAFT" restore --journal "$work/journal" --phase create -i "$image" 2>/dev/null
state=state_with_values
refuses "a journal that is there is refused" 4 "cgraft undo" -- restore --dry-run --journal "$work/journal" -i "$image"
state=state
"$CGRAFT" undo "$work/journal" 2>/dev/null
head -c 100 "$image" >"$work/cut"
refuses "a cut image" 3 -- restore --dry-run -i "$work/cut"
refuses "only restore has it" 2 dry-run -- verify --dry-run -i "$image"

# --- check

cgraft check
check "check without an image: exit 0" [ "$status" = 0 ]
check "... tells every hierarchy" [ "$(grep -c '^hierarchy: ' "$work/out")" = "$(grep -c . /proc/self/cgroup)" ]
check "... and the kernel" grep -q "^kernel: $(uname -r)\$" "$work/out"
cgraft check --json
check "... as JSON" python3 -c '
import json, sys
host = json.load(open(sys.argv[1]))
names = [line.split(":")[1] or "unified" for line in open("/proc/self/cgroup")]
assert sorted(one["hierarchy"] for one in host["hierarchies"]) == sorted(names), host
assert all(one["writable"] == "yes" and one["place"] for one in host["hierarchies"]), host
v2 = next(one for one in host["hierarchies"] if one["version"] == "2")
assert v2["controllers"] == open(v2["place"] + "/cgroup.controllers").read().strip(), v2' "$work/out"
$state >"$work/before"
cgraft check -i "$image"
check "an image that fits: exit 0, no reason" [ "$status:$(cat "$work/out")" = 0: ]
cgraft check --json -i "$image"
check "... as JSON" [ "$(cat "$work/out")" = '{"reasons": [], "code": 0}' ]
handmade "$work/many" "hierarchy(group(b'$group', prop(b'cpuset.cpus', b'0-4000') + prop(b'cpuset.mems', b'900') + group(b'x', prop(b'cpuset.cpus', b'4001'))), [b'cpuset'])
	+ hierarchy(group(b'$group', prop(b'blkio.throttle.read_bps_device', b'250:77 4096')), [b'blkio'])
	+ hierarchy(group(b'$group', prop(b'cpu.none', b'1')), [b'cpu'])
	+ hierarchy(group(b'$group', prop(b'cgroup.subtree_control', b'nonesuch')), [b''])
	+ hierarchy(group(b'$group', prop(b'nonesuch.max', b'1')), [b'nonesuch'])"
reasons=("cpu.none of group" "hierarchy nonesuch" "value 0-4000" "value 900" "value 4001" "value 250:77 4096" "value nonesuch" "--pid-map 77:$pid")
cgraft check -i "$work/many" --pid-map "77:$pid"
check "every reason at once: exit 4" [ "$status" = 4 ] || cat "$work/err"
for reason in "${reasons[@]}"; do check "every reason at once: $reason" [ "$(grep -cF -- "$reason" "$work/out")" = 1 ]; done
check "every reason at once: no other" [ "$(wc -l <"$work/out")" = ${#reasons[@]} ] || cat "$work/out"
cgraft check --json -i "$work/many" --pid-map "77:$pid"
check "... as JSON" python3 -c '
import json, sys
found = json.load(open(sys.argv[1]))
assert found["code"] == 4 and len(found["reasons"]) == int(sys.argv[2]), found' "$work/out" "${#reasons[@]}"
cgraft restore -i "$work/many" --pid-map "77:$pid"
check "restore refuses it, too" [ "$status" = 4 ]
cgraft check --manage-cgroups props -i "$image"
check "groups that are not there: one reason each" [ "$status:$(grep -c 'the group is not there' "$work/out")" = "4:${#hierarchies[@]}" ]
if [ -e "$work/missing" ]; then
	cgraft check -i "$work/missing"
	check "a file that this kernel does not have: 4" [ "$status:$(wc -l <"$work/out")" = 4:1 ]
	cgraft check --skip-missing -i "$work/missing"
	check "... is skipped: 6" [ "$status:$(wc -l <"$work/out")" = 6:0 ]
fi
refuses "a cut image" 3 -- check -i "$work/cut"
refuses "a mode that is none" 2 -- check -i "$image" --manage-cgroups all
refuses "check has no journal" 2 journal -- check -i "$image" --journal "$work/journal"
$state >"$work/after"
check "check changes nothing" cmp -s "$work/before" "$work/after"
# Who may not write there is told so.
chmod 644 "$work"/image
wrap=(setpriv --reuid=65534 --regid=65534 --clear-groups)
cgraft check -i "$image"
check "another user may not make groups: 4" [ "$status" = 4 ]
check "... which is told for each hierarchy" [ "$(grep -c 'permission denied' "$work/out")" -ge "${#hierarchies[@]}" ]
wrap=()
