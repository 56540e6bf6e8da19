#!/usr/bin/env bash
# The user's own choice: lists of properties in CRIU's form (--cgroup-props, --cgroup-props-file) and the only hierarchies to dump
# (--cgroup-dump-controller). The same against CRIU itself: tests/peers/compare.sh lists controllers.
# shellcheck disable=SC2154,SC2015 # checks.sh sets status, pid and work
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
start props

is() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1: '$2', not '$3': $(head -c 300 "$work/err")"; fi; }
list() { printf '"%s":\n - "strategy": "%s"\n - "properties": [%s]\n' "$1" "$2" "$3"; }
value() { cat "$1/$group/$2"; }

# look EXPRESSION: a line of Python about the image as crit shows it: `controllers` by name, `sets`.
look() {
	"$CGRAFT" decode -i image | python3 -c "
import json, sys
image = json.load(sys.stdin)['entries'][0]
controllers = {name or 'unified': c for c in image['controllers'] for name in c['cnames']}
sets = image.get('sets', [])
files = lambda name: ' '.join(p['name'] for p in controllers[name]['dirs'][0]['properties'])
print($1)"
}

# saved WHAT CTRL FILES ARGUMENT...: the dump has exactly these files in this hierarchy, and says nothing.
saved() {
	local what=$1 word=$2 files=$3
	shift 3
	rm -f image
	cgraft dump "$@" --no-ancestors --cgroup "/$group/a" -i image
	if [ "$status" != 0 ] || [ -s "$work/err" ]; then not_ok "$what: exit $status: $(head -c 300 "$work/err")"; return; fi
	is "$what" "$(look "files('$word')")" "$files"
}

for mount in "${mounts[@]}"; do
	mkdir -p "$mount/$group/a/b" || exit 1
	[ -e "$mount/$group/cpuset.mems" ] || continue
	for path in "$group" "$group/a" "$group/a/b"; do
		for file in cpuset.cpus cpuset.mems; do cat "$mount/$file" >"$mount/$path/$file"; done
	done
done

core="cgroup.clone_children notify_on_release cgroup.procs tasks"
lists_of_v1() {
	cpu=$(hierarchy cpu) && memory=$(hierarchy memory) || { skip "no v1 hierarchies with cpu and memory"; return; }
	echo 512 >"$cpu/$group/a/cpu.shares"
	echo 50000 >"$cpu/$group/a/cpu.cfs_quota_us"
	local criu all text
	rm -f image; cgraft dump --no-ancestors --cgroup "/$group/a" -i image
	all=$(look "files('memory')")
	rm -f image; cgraft dump --no-ancestors --cgroup "/$group/a" -i image --properties criu
	criu=$(look "files('cpu')")
	text=$(list cpu replace '"cpu.shares", "cpu.cfs_period_us"')
	saved "replace: those listed and the core files" cpu "cpu.shares cpu.cfs_period_us $core" --cgroup-props "$text"
	is "replace: another controller keeps all of its files" "$(look "files('memory')")" "$all"
	saved "replace of what CRIU saves" cpu "cpu.shares cpu.cfs_period_us $core" --properties criu --cgroup-props="$text"
	saved "replace by nothing" cpu "$core" --cgroup-props "$(list cpu replace "")"
	saved "merge adds to what CRIU saves" cpu "${criu/cpu.cfs_quota_us/cpu.cfs_quota_us cpu.cfs_burst_us}" --properties criu \
		--cgroup-props "$(list cpu merge '"cpu.cfs_burst_us"')"
	saved "merge with all files" memory "$all" --cgroup-props "$(list memory merge '"memory.limit_in_bytes"')"
	saved "a file that is listed twice is saved once" cpu "cpu.shares $core" --cgroup-props "$(list cpu replace '"cpu.shares", "cpu.shares"')" \
		--cgroup-props "$(list cpu merge '"cpu.shares"')"
	saved "as JSON, in other words" cpu "cpu.shares $core" --cgroup-props '{"cpu": {"properties": ["cpu.shares"], "strategy": "replace"}}'
	saved "as criu(8) prints it, with the letters \\n" cpu "cpu.shares $core" --cgroup-props "${text//$'\n'/\\n}\n" \
		--cgroup-props "$(list cpu replace '"cpu.shares"')"
	list cpu replace '"cpu.shares"' >first; list cpu merge '"cpu.cfs_burst_us"' >second
	saved "texts come before files, as in CRIU" cpu "cpu.shares cpu.cfs_burst_us $core" --cgroup-props-file first \
		--cgroup-props-file second --cgroup-props "$(list cpu merge '"cpu.idle"')"
}

# What is not in the list is not restored.
restore_of_a_list() {
	[ -n "$cpu" ] || return
	cgraft dump --no-ancestors --cgroup "cpu:/$group/a" --cgroup-props "$(list cpu replace '"cpu.shares"')" -i listed
	rmdir "$cpu/$group/a/b" "$cpu/$group/a"
	succeeds "restore of an image with a list" restore -i listed
	is "a listed value" "$(value "$cpu" a/cpu.shares)" 512
	is "a value that is not listed" "$(value "$cpu" a/cpu.cfs_quota_us)" -1
	echo 50000 >"$cpu/$group/a/cpu.cfs_quota_us"
	succeeds "verify knows the image only" verify -i listed
	echo 513 >"$cpu/$group/a/cpu.shares"
	cgraft verify -i listed
	is "verify sees a listed value" "$status" 6
}

# CRIU stores a file as often as its lists have it.
an_image_with_a_file_twice() {
	[ -n "$cpu" ] || return
	handmade twice "hierarchy(group(b'$group/twice', prop(b'cpu.shares', b'700') + prop(b'cpu.idle', b'0') + prop(b'cpu.shares', b'700')), [b'cpu'])"
	succeeds "restore of a file that is there twice" restore -i twice
	is "its value" "$(value "$cpu" twice/cpu.shares)" 700
	succeeds "verify of a file that is there twice" verify -i twice
}

lists_of_v2() {
	local all core="cgroup.subtree_control cgroup.max.descendants cgroup.max.depth cgroup.freeze cgroup.type" key
	v2=$(hierarchy unified) || { skip "no v2 hierarchy"; return; }
	rm -f image; cgraft dump --no-ancestors --cgroup "/$group/a" -i image
	all=$(look "files('unified')")
	for key in "" unified cgroup2; do
		saved "v2 as '$key': core files stay" unified "$all" --cgroup-props "$(list "$key" replace "")"
	done
	saved "what CRIU saves" unified "$core" --properties criu
	saved "what CRIU cannot be told" unified "$core cgroup.procs" --properties criu --cgroup-props "$(list "" merge '"cgroup.procs"')"
	saved "the core files themselves" unified "cgroup.max.depth cgroup.procs cgroup.threads" --cgroup-props "$(list cgroup replace '"cgroup.max.depth"')"
	[ -e "$v2/$group/a/cgroup.pressure" ] || return
	saved "a core file of v2 beside those of CRIU" unified "$core cgroup.pressure" --properties criu \
		--cgroup-props "$(list unified merge '"cgroup.pressure"')"
}

# Virtuozzo's file wants release_agent saved, which the kernel runs as root. A warning, and it is in no image.
a_release_agent() {
	printf '# shipped\n' >vz; list name=systemd merge '"release_agent"' >>vz; list ve merge '"ve.state"' >>vz
	rm -f image
	cgraft dump --cgroup "/$group" --cgroup-props-file vz -i image
	is "release_agent: exit" "$status" 0
	is "release_agent: a line for each such file" "$(cat "$work/err")" "cgraft: vz: line 4, column 19: release_agent is never saved: names a program that the kernel runs as root of the host
cgraft: vz: line 7, column 19: ve.state is never saved: cgraft does not know it"
	check "release_agent: not in the image" sh -c '! grep -q release_agent image'
	cgraft dump --all --no-tasks --cgroup-props-file vz -i image
	check "release_agent: not in an image with the root groups, either" sh -c "[ $status = 0 ] && ! grep -q release_agent image"
	succeeds "release_agent: with -v1" dump --cgroup "/$group" --cgroup-props-file vz -i image -v1
	is "release_agent: no word with -v1" "$(cat "$work/err")" ""
}

wrong_lists() {
	local dump=(dump --cgroup "/$group" -i "$work/none") text
	text=$(list cpu replace '"cpu.shares"')
	rm -f image
	refuses "no list" 2 "--cgroup-props: line 1, column 2: " "expected a colon" -- "${dump[@]}" --cgroup-props x
	refuses "an unknown strategy" 2 "--cgroup-props: line 2, column 16: append: expected merge or replace" -- "${dump[@]}" --cgroup-props "${text/replace/append}"
	refuses "no files" 2 "--cgroup-props: line 3, column 18: " "expected [" -- "${dump[@]}" --cgroup-props "${text/[/}"
	refuses "no end" 2 "--cgroup-props: line 3, column 31: expected a comma or ]" -- "${dump[@]}" --cgroup-props "${text/]/}"
	refuses "a file of another controller" 2 "line 3, column 19: memory.max: " "another controller" -- "${dump[@]}" --cgroup-props "${text/cpu.shares/memory.max}"
	printf '%s\n"x' "$text" >bad
	refuses "an open quote in a file" 2 "cgraft: bad: line 4, column 1: expected the quote" -- "${dump[@]}" --cgroup-props-file bad
	printf '%s\n\e[2J' "$text" >bad
	refuses "an odd byte in a file" 2 "cgraft: bad: line 4, column 1: \\u{1b}" -- "${dump[@]}" --cgroup-props-file bad
	cp "$CGRAFT" bad; truncate -s 60000 bad
	refuses "a program" 2 "bad: line " "column" -- "${dump[@]}" --cgroup-props-file bad
	refuses "a file that is not there" 1 "read nothing: " ENOENT -- "${dump[@]}" --cgroup-props-file nothing
	refuses "a folder" 1 "read .: " EISDIR -- "${dump[@]}" --cgroup-props-file .
	{ echo "$text"; head -c 65535 /dev/zero | tr '\0' '\n'; } | head -c 65536 >bad
	refuses "a file that is too long" 1 "read bad: bytes of a file of property lists: limit 65535, needed 65536" -- "${dump[@]}" --cgroup-props-file bad
	truncate -s 65535 bad
	succeeds "one byte less" "${dump[@]}" --cgroup-props-file bad
	rm -f bad "$work/none"
	refuses "not an option of restore" 2 "restore --cgroup-props: " -- restore --cgroup-props x
	refuses "nor of verify" 2 "verify --cgroup-dump-controller: " -- verify --cgroup-dump-controller cpu
}

only_some_hierarchies() {
	local word
	pids=$(hierarchy pids) && [ -n "$cpu" ] || { skip "no v1 hierarchies with cpu and pids"; return; }
	[ "$cpu" != "$pids" ] && [ "$cpu" != "$memory" ] || { skip "cpu, memory and pids are not apart"; return; }
	sleep 100000 &
	pid=$!
	kept+=("$pid")
	for mount in "${mounts[@]}"; do echo $pid >"$mount/$group/a/b/cgroup.procs"; done
	only() { rm -f image; succeeds "dump $*" dump -i image "$@"; }
	only -t $pid --cgroup-dump-controller memory --cgroup-dump-controller cpu
	is "the groups of those named" "$(look "sorted(controllers)")" "['cpu', 'memory']"
	is "and the memberships" "$(look "[[m['name'] + m['path'] for m in s['ctls']] for s in sets]")" "[['cpu/$group/a/b', 'memory/$group/a/b']]"
	only --cgroup "/$group" --cgroup-dump-controller=pids
	is "groups without a hierarchy" "$(look "sorted(controllers), [[m['name'] for m in s['ctls']] for s in sets]")" "['pids'] [['pids']]"
	only --all --cgroup-dump-controller pids
	is "the whole host" "$(look "sorted(controllers), {m['name'] for s in sets for m in s['ctls']}")" "['pids'] {'pids'}"
	only -t $pid --cgroup-dump-controller pids
	if hierarchy unified >/dev/null; then
		for word in "" unified cgroup2; do
			only -t $pid "--cgroup-dump-controller=$word"
			is "v2 as '$word'" "$(look "sorted(controllers)")" "['unified']"
		done
	fi
	if hierarchy name=systemd >/dev/null; then
		for word in name=systemd systemd; do
			only -t $pid --cgroup-dump-controller $word
			is "a named one as $word" "$(look "sorted(controllers), len(sets)")" "['name=systemd'] 1"
		done
	fi
	refuses "a hierarchy that is not there" 4 "--cgroup-dump-controller nope: " -- dump -t $pid --cgroup-dump-controller cpu --cgroup-dump-controller nope -i none
	refuses "names of two hierarchies" 4 "--cgroup-dump-controller cpu,memory: " -- dump -t $pid --cgroup-dump-controller cpu,memory -i none
	refuses "a group elsewhere" 4 "--cgroup pids:/$group: " "--cgroup-dump-controller" -- dump --cgroup "pids:/$group" --cgroup-dump-controller cpu -i none

	only -t $pid --cgroup-dump-controller cpu
	for mount in "${mounts[@]}"; do echo $pid >"$mount/cgroup.procs"; done
	remove_groups
	succeeds "restore of one hierarchy" restore -i image
	is "the task is there" "$(value "$cpu" a/b/cgroup.procs)" $pid
	check "and nothing elsewhere" [ ! -e "$pids/$group" ]
	is "where the task stays where it was" "$(sed -n 's/^[0-9]*:pids://p' /proc/$pid/cgroup)" /
	succeeds "verify of one hierarchy" verify -i image
}

cpu='' memory=''
lists_of_v1
restore_of_a_list
an_image_with_a_file_twice
lists_of_v2
a_release_agent
wrong_lists
only_some_hierarchies
