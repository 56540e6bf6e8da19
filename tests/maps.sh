#!/usr/bin/env bash
# Paths of another host (--map): which groups and tasks go where, what is refused before anything is done, verify with the same
# maps, a failed restore taken back. What must be there is written down by hand.
# Last line: "N passed, N failed, N skipped".
# shellcheck disable=SC2154 # checks.sh sets status, pid and work
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
start maps
cc -O2 -pthread -o "$work/threads" "$tests/vm/threads.c" || exit 1
state=state_with_values

is() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1: '$2', not '$3': $(head -c 300 "$work/err")"; fi; }
says() { if grep -q -- "$2" "$work/err"; then ok "$1"; else not_ok "$1: $(head -c 600 "$work/err")"; fi; }
group_of() { sed -n "s/^[0-9]*:$2://p" "/proc/$1/cgroup"; }
# tree MOUNT: the groups of this test there, each with its shares if it is cpu's.
tree() {
	local path
	(cd "$1" && find "$group"* -type d 2>/dev/null | sort) | while read -r path; do
		echo "${path#"$group"}=$(cat "$1/$path/cpu.shares" 2>/dev/null)"
	done | tr '\n' ' ' | sed 's/ $//'
}
clear_host() { remove_groups; sleep 0.2; remove_groups; }

cpu=$(hierarchy cpu) || { skip "maps: no v1 hierarchy with cpu"; exit; }
pids=$(hierarchy pids) || { skip "maps: no v1 hierarchy with pids"; exit; }
G=/$group

# GROUP/{a/{b/{c,cc},bb},ab,d}; a process with a thread apart: leader in a/b, thread in a/b/c, in cpu; both in d in pids.
mkdir -p "$cpu$G"/{a/{b/{c,cc},bb},ab,d} "$pids$G/d"
number=10
for path in a a/b a/b/c a/b/cc a/bb ab d; do
	echo $((number += 1)) >"$cpu$G/$path/cpu.shares"
done
chown 1000:1001 "$cpu$G/a/b/c"
chmod 750 "$cpu$G/a/b/c"
: >"$work/tids"
"$work/threads" 1 >"$work/tids" &
leader=$!
kept+=("$leader")
until [ "$(wc -l <"$work/tids")" = 2 ]; do sleep 0.05; done
thread=$(sed -n 2p "$work/tids")
echo "$leader" >"$cpu$G/a/b/cgroup.procs"
echo "$leader" >"$pids$G/d/cgroup.procs"
echo "$thread" >"$cpu$G/a/b/c/tasks"
before="=1024 /a=11 /a/b=12 /a/b/c=13 /a/b/cc=14 /a/bb=15 /ab=16 /d=17"
is "the tree" "$(tree "$cpu")" "$before"
succeeds "dump" dump --cgroup "cpu:$G" --cgroup "pids:$G" -i "$work/image"
state_with_values >"$work/whole"

# --- refused before anything is done

refused() { local what=$1 codes=$2 word=$3; shift 3; refuses "$what" "$codes" "$word" -- restore -i "$work/image" "$@"; }
refused "a rule that moves nothing" 4 "no group and no membership" --map "$G/e=$G/f"
refused "foo is not foobar" 4 "no group and no membership" --map "$G/a/bbb=$G/f"
refused "a rule for a hierarchy that has no such group" 4 "no group and no membership" --map "pids:$G/a=$G/f"
refused "a rule for a hierarchy that the image does not have" 4 "no group and no membership" --map "nosuch:$G/a=$G/f"
refused "the second of two rules moves nothing" 4 "$G/e=" --map "$G/a=$G/x" --map "$G/e=$G/f"
refused "onto a group that stays" 4 "$G/d becomes $G/d and $G/a becomes $G/d in cpu: two groups may fall together" --map "$G/a=$G/d"
refused "below a moved group, onto one that moves along" 4 "fall together" --map "$G/ab=$G/a/b"
refused "two rules onto one path" 4 "fall together" --map "$G/a=$G/x" --map "$G/ab=$G/x"
refused "two rules, one onto what is below the other" 4 "fall together" --map "$G/a=$G/x" --map "$G/ab=$G/x/b"
refused "to the root, where others stay" 4 "fall together" --map "$G/a=/"
refused "out of the hierarchy" 2 "path" --map "$G/a=$G/../x"
refused "an empty component" 2 "path" --map "$G/a=$G//x"
refused "a dot" 2 "path" --map "$G/./a=$G/x"
refused "no path" 2 "OLD" --map "$G/a"
refused "no slash" 2 "OLD" --map "$G/a=x"
refused "two ways to read it" 2 "OLD" --map "$G/a=/b=/c"
refused "a path twice" 4 "$G/a=$G/" --map "$G/a=$G/x" --map "$G/a=$G/y"
refused "a path twice in one hierarchy" 4 "no membership there" --map "cpu:$G/a=$G/x" --map "cpu:$G/a/=$G/y"
refuses "a command that has no maps" 2 "--map" -- show --map /a=/b "$work/image"
printf 'no image' >"$work/bad"
refuses "no image" 3 "" -- restore -i "$work/bad" --map /a=/b

# --- what goes where

# moved WHAT CPU-TREE PIDS-TREE ARGUMENT...: from nothing, and with the tasks.
moved() {
	local what=$1 cpus=$2 pidss=$3 pid
	shift 3
	for pid in "$leader" "$thread"; do echo "$pid" | tee "$cpu/tasks" >"$pids/tasks"; done
	clear_host
	succeeds "$what" restore -i "$work/image" "$@"
	is "$what: groups of cpu" "$(tree "$cpu")" "$cpus"
	is "$what: groups of pids" "$(tree "$pids")" "$pidss"
	cgraft verify -i "$work/image" "$@"
	is "$what: verify with the same maps" "$status $(cat "$work/out")" "0 "
	cgraft verify -i "$work/image"
	is "$what: verify without them" "$status" 6
	succeeds "$what: once more" restore -i "$work/image" "$@"
	says "$what: writes nothing more" "created 0, found .*, values written 0, .* skipped 0, tasks joined 0$"
}


moved "one rule" "=1024 /a=11 /a/bb=15 /ab=16 /d=17 /x=1024 /x/y=12 /x/y/c=13 /x/y/cc=14" "= /d=" --map "$G/a/b=$G/x/y"
is "its leader" "$(group_of "$leader" cpu)" "$G/x/y"
is "its thread" "$(group_of "$leader/task/$thread" cpu)" "$G/x/y/c"
is "owner and mode" "$(stat -c %u:%g:%a "$cpu$G/x/y/c")" 1000:1001:750
moved "the longest rule counts" "=1024 /ab=16 /d=17 /x=11 /x/b=12 /x/b/cc=14 /x/bb=15 /y=13" "= /d=" \
	--map "$G/a/b/c=$G/y" --map "$G/a=$G/x"
moved "what is below may stay where it was" "=1024 /a=1024 /a/b=12 /a/b/c=13 /a/b/cc=14 /ab=16 /d=17 /x=11 /x/bb=15" "= /d=" \
	--map "$G/a=$G/x" --map "$G/a/b=$G/a/b"
moved "two change places" "=1024 /a=16 /ab=11 /ab/b=12 /ab/b/c=13 /ab/b/cc=14 /ab/bb=15 /d=17" "= /d=" \
	--map "$G/a=$G/ab" --map "$G/ab=$G/a"
moved "into each other" "=1024 /ab=16 /d=17 /x=11 /x/bb=15 /x/z=12 /x/z/c=13 /x/z/cc=14" "= /d=" \
	--map "$G/a/b=$G/x/z" --map "$G/a=$G/x"
moved "into a group that stays" "=1024 /a=11 /a/b=12 /a/b/c=13 /a/b/cc=14 /a/b/e=1024 /a/b/e/d=17 /a/bb=15 /ab=16" "= /a= /a/b= /a/b/e= /a/b/e/d=" \
	--map "$G/d=$G/a/b/e/d"
moved "below itself" "=1024 /a=1024 /a/a=11 /a/a/b=12 /a/a/b/c=13 /a/a/b/cc=14 /a/a/bb=15 /ab=16 /d=17" "= /d=" --map "$G/a=$G/a/a"
moved "in one hierarchy" "=1024 /a=11 /a/b=12 /a/b/c=13 /a/b/cc=14 /a/bb=15 /ab=16 /x=17" "= /d=" --map "cpu:$G/d=$G/x"
moved "in one hierarchy otherwise than in all" "=1024 /a=11 /a/b=12 /a/b/c=13 /a/b/cc=14 /a/bb=15 /ab=16 /y=17" "= /x=" \
	--map "$G/d=$G/x" --map "cpu:$G/d=$G/y"
moved "all of it" "-new=1024 -new/a=11 -new/a/b=12 -new/a/b/c=13 -new/a/b/cc=14 -new/a/bb=15 -new/ab=16 -new/d=17" "-new= -new/d=" \
	--map "$G/=$G-new"
moved "everything" "-new=1024 -new$G=1024 -new$G/a=11 -new$G/a/b=12 -new$G/a/b/c=13 -new$G/a/b/cc=14 -new$G/a/bb=15 -new$G/ab=16 -new$G/d=17" \
	"-new= -new$G= -new$G/d=" --map "/=$G-new"
moved "first the map, then the root" "-r=1024 -r/ab=16 -r/d=17 -r/x=11 -r/x/b=12 -r/x/b/c=13 -r/x/b/cc=14 -r/x/bb=15" "-r= -r/d=" \
	--map "$G/a=$G/x" --cgroup-root "$G-r"
moved "through a pipe" "=1024 /ab=16 /d=17 /x=11 /x/b=12 /x/b/c=13 /x/b/cc=14 /x/bb=15" "= /d=" --map "$G/a=$G/x" <"$work/image"
cgraft restore -vvv -i "$work/image" --map "$G/a=$G/x"
says "the table" "map cpu: $G/a -> $G/x (5 groups, 2 memberships)"

# --- every mode knows groups of which one lies in the other; a membership without a group of the image

nested=(--map "$G/a/b=$G/x/z" --map "$G/a=$G/x")
whole="=1024 /ab=16 /d=17 /x=11 /x/bb=15 /x/z=12 /x/z/c=13 /x/z/cc=14"
for mode in soft strict full; do
	for pid in "$leader" "$thread"; do echo "$pid" | tee "$cpu/tasks" >"$pids/tasks"; done
	clear_host
	succeeds "mode $mode, one in the other" restore --manage-cgroups "$mode" "${nested[@]}" -i "$work/image"
	is "mode $mode: groups" "$(tree "$cpu")" "$whole"
	is "mode $mode: owner and mode" "$(stat -c %u:%g:%a "$cpu$G/x/z/c")" 1000:1001:750
done
refuses "mode strict, once more" 4 "there already" -- restore --manage-cgroups strict "${nested[@]}" -i "$work/image"
succeeds "mode props" restore --manage-cgroups props "${nested[@]}" -i "$work/image"
echo 99 >"$cpu$G/x/z/cpu.shares"
succeeds "mode soft leaves values alone" restore --manage-cgroups soft "${nested[@]}" -i "$work/image"
is "mode soft: a value" "$(cat "$cpu$G/x/z/cpu.shares")" 99
cgraft verify "${nested[@]}" -i "$work/image"
is "verify finds that one" "$status $(grep -c . "$work/out")" "6 1"
succeeds "mode full writes it" restore "${nested[@]}" -i "$work/image"
says "and nothing else" "created 0, .* values written 1, "

succeeds "dump of a process" dump -t "$leader" --cgroup-dump-controller pids --no-ancestors -i "$work/member"
mkdir "$pids$G/e"
succeeds "attach" attach -t "$leader" --map "pids:$G/d=$G/e" -i "$work/member"
is "attach: its group" "$(group_of "$leader" pids)" "$G/e"
refuses "attach to a group that is not there" 4 "no such group" -- attach -t "$leader" --map "$G/d=$G/f" -i "$work/member"
cgraft exec --map "$G/d=$G/e" -i "$work/member" -- cat /proc/self/cgroup
is "exec: its group" "$(sed -n 's/^[0-9]*:pids://p' "$work/out")" "$G/e"

# --- a failed restore is taken back

for pid in "$leader" "$thread"; do echo "$pid" | tee "$cpu/tasks" >"$pids/tasks"; done
clear_host
mkdir -p "$cpu$G/x/z"
echo 77 >"$cpu$G/x/z/cpu.shares"
state_with_values >"$work/before"
# What is refused comes last, in a group that lies in one of another part.
handmade "$work/bad" "hierarchy(group(b'${G#/}/a', prop(b'cpu.shares', b'50') + group(b'b', prop(b'cpu.shares', b'60') + group(b'c', prop(b'cpu.shares', b'frob')))), [b'cpu'])"
aside='2{/^cgraft: everything was taken back: the host is as it was$/d}'
refuses "a value that is refused" 1 "cpu.shares of group $G/x/z/c of cpu, value frob" -- restore "${nested[@]}" -i "$work/bad"
handmade "$work/good" "hierarchy(group(b'${G#/}/a', prop(b'cpu.shares', b'50') + group(b'b', prop(b'cpu.shares', b'60') + group(b'c', prop(b'cpu.shares', b'70')))), [b'cpu'])"
succeeds "the same without it, with a journal" restore --journal "$work/journal" "${nested[@]}" -i "$work/good"
is "an image as CRIU's" "$(tree "$cpu")" "=1024 /x=50 /x/z=60 /x/z/c=70"
succeeds "undo" undo "$work/journal"
state_with_values >"$work/after"
check "undo takes it back" cmp "$work/before" "$work/after"

# --- CPUs, disks: values of another host

for pid in "$leader" "$thread"; do echo "$pid" | tee "$cpu/tasks" >"$pids/tasks"; done
clear_host
# value MOUNT FILE: of GROUP/a.
value() { tr '\n' ';' <"$1$G/a/$2" | sed 's/;$//'; }

if cpuset=$(hierarchy cpuset) && [ "$(cat "$cpuset/cpuset.cpus")" = 0-1 ]; then
	mkdir -p "$cpuset$G/a"
	for at in "" /a; do cp "$cpuset/cpuset.mems" "$work/mems"; cat "$work/mems" >"$cpuset$G$at/cpuset.mems"; done
	echo 0-1 >"$cpuset$G/cpuset.cpus"
	echo 0 >"$cpuset$G/a/cpuset.cpus"
	succeeds "dump of CPUs" dump --cgroup "cpuset:$G" -i "$work/cpus"
	clear_host
	succeeds "cpu-map" restore --cpu-map 0=1 --cpu-map 1=0 -i "$work/cpus"
	is "cpu-map: both, and one" "$(cat "$cpuset$G/cpuset.cpus") $(value "$cpuset" cpuset.cpus)" "0-1 1"
	check "cpu-map: no warning" [ "$(wc -l <"$work/err")" = 1 ]
	cgraft verify --cpu-map 0=1 --cpu-map 1=0 -i "$work/cpus"
	is "cpu-map: verify with the same" "$status" 0
	cgraft verify -i "$work/cpus"
	is "cpu-map: verify without" "$status" 6
	clear_host
	succeeds "cpu-map of two to one, and of memory nodes" restore --cpu-map 0-1=0 --cpu-map 9=1 --mem-map 0=0 -i "$work/cpus"
	is "cpu-map of a range keeps it" "$(cat "$cpuset$G/cpuset.cpus") $(value "$cpuset" cpuset.cpus)" "0-1 0"
	says "a rule that changes nothing is told" "--cpu-map 9=1: nothing in the image is changed by it"
	check "and only that one" [ "$(wc -l <"$work/err")" = 2 ]
	clear_host
	succeeds "cpu-map of two to one" restore --cpu-map 1=0 -i "$work/cpus"
	is "two CPUs became one" "$(cat "$cpuset$G/cpuset.cpus")" 0
	clear_host
	refuses "CPUs that are not here" 4 "8-9" -- restore --cpu-map 0-1=8 -i "$work/cpus"
	refuses "a map of CPUs that is none" 2 "OLD=NEW" -- restore --cpu-map 0 -i "$work/cpus"
	succeeds "paths and CPUs" restore --cpu-map 0=1 --map "$G/a=$G/b" -i "$work/cpus"
	is "at the new path" "$(cat "$cpuset$G/b/cpuset.cpus")" 1
	clear_host
else
	skip "cpu-map: no v1 hierarchy with cpuset and two CPUs"
fi

if devices=$(hierarchy devices); then
	mkdir -p "$devices$G/a"
	echo a >"$devices$G/a/devices.deny"
	for line in "c 1:3 rwm" "b 7:0 rw" "b 8:* r"; do echo "$line" >"$devices$G/a/devices.allow"; done
	succeeds "dump of rules for devices" dump --cgroup "devices:$G" -i "$work/rules"
	clear_host
	succeeds "dev-map of them" restore --dev-map 7:0=259:3 -i "$work/rules"
	is "the block device is another one" "$(value "$devices" devices.list)" "c 1:3 rwm;b 259:3 rw;b 8:* r"
	clear_host
	refuses "a disk that is not here" 2 "no such block device" -- restore --dev-map 7:0=/dev/null -i "$work/rules"
	refuses "a map of disks that is none" 2 "MAJOR:MINOR" -- restore --dev-map 7=8 -i "$work/rules"
	succeeds "owners that nobody has" restore --uid-map 0=0 --gid-map 4711=1 -i "$work/rules"
	says "are told" "--gid-map 4711=1: nothing in the image is changed by it"
	check "and only they" [ "$(wc -l <"$work/err")" = 2 ]
	clear_host
else
	skip "dev-map: no v1 hierarchy with devices"
fi

# The layout of 2014 has whole paths instead of names.
mkdir -p "$cpu$G"/{a/b,ab}
echo 300 >"$cpu$G/a/cpu.shares"
succeeds "dump in the layout of 2014" dump --layout rfc --cgroup "cpu:$G" -i "$work/rfc"
clear_host
succeeds "an image of 2014, --map" restore --map "$G/a=$G/x/y" -i "$work/rfc"
is "its groups" "$(tree "$cpu")" "=1024 /ab=1024 /x=1024 /x/y=300 /x/y/b=1024"
succeeds "an image of 2014, --map: verify" verify --map "$G/a=$G/x/y" -i "$work/rfc"
clear_host

file=blkio.throttle.read_bps_device
if blkio=$(hierarchy blkio) && [ -e "$blkio/$file" ] && [ -b /dev/loop1 ] && mkdir -p "$blkio$G/a" && echo "7:0 1048576" >"$blkio$G/a/$file"; then
	succeeds "dump of limits of disks" dump --cgroup "blkio:$G" -i "$work/disks"
	is "the image has its name" "$(grep -ac loop0 "$work/disks")" 1
	clear_host
	succeeds "the same number for another disk" restore -i "$work/disks"
	check "is not told where it has the same name" [ "$(wc -l <"$work/err")" = 1 ]
	limits() { handmade "$work/by-hand" "hierarchy(group(b'$group', prop(b'$file', b'$1 1048576')), [b'blkio']) + disk(7, 0, b'sdq') + disk(3999, 5, b'sd\\x1br')"; }
	limits 7:0
	clear_host
	succeeds "another disk with this number" restore -i "$work/by-hand"
	says "is told" "disk 7:0 was sdq, here it is loop0: see --dev-map"
	clear_host
	succeeds "it is mapped" restore --dev-map 7:0=7:1 -i "$work/by-hand"
	check "and not told any more" [ "$(wc -l <"$work/err")" = 1 ]
	limits 3999:5
	clear_host
	cgraft restore -i "$work/by-hand"
	is "a disk that is not here: exit" "$status" 4
	says "is told with its name" "value 3999:5 1048576, which was sd.u{1b}r: this host has no such disk"
	for new in 7:1 /dev/loop1; do
		clear_host
		succeeds "dev-map to $new" restore --dev-map "7:0=$new" -i "$work/disks"
		is "dev-map to $new: the limit" "$(value "$blkio" "$file")" "7:1 1048576"
		succeeds "dev-map to $new: verify" verify --dev-map "7:0=$new" -i "$work/disks"
	done
	echo "7:0 4096" >"$blkio$G/a/$file"
	succeeds "dump of two disks" dump --cgroup "blkio:$G" -i "$work/disks"
	clear_host
	refuses "two disks that become one" 4 "$file of group $G/a of blkio" "two lines" -- restore --dev-map 7:0=7:1 -i "$work/disks"
	refuses "the other way round" 4 "$file of group $G/a of blkio" "two lines" -- restore --dev-map 7:1=7:0 -i "$work/disks"
	succeeds "two disks change places" restore --dev-map 7:0=7:1 --dev-map 7:1=7:0 -i "$work/disks"
	is "their limits" "$(sort "$blkio$G/a/$file" | tr '\n' ';')" "7:0 1048576;7:1 4096;"
else
	skip "dev-map: no limits of disks here"
fi
