#!/usr/bin/env bash
# Rules for devices in a group of v2: the BPF program that a restore attaches allows what v1's kernel code allows for the same lines,
# asked about every access to real device files. On private groups. Last line: "N passed, N failed, N skipped".
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
start devices

# image_of FILE RULES...: a group for each of the rules in v2, and nothing else.
image_of() {
	local file=$1 groups='' number=0 rules
	shift
	for rules; do
		number=$((number + 1))
		groups+=" + group(b'$number', prop(b'devices.list', b'$rules', 0o100444))"
	done
	handmade "$file" "a_set(1, b'') + hierarchy(group(b'$group', b''$groups), [b''])"
}

# What may be done from a group with devices of this host: a line for each device and access. Opening no driver behind a
# number is another error than being refused; every mknod(2) that is not refused makes a file.
cat >"$work/ask.py" <<'END'
import os, stat, sys
with open(sys.argv[1] + "/cgroup.procs", "w") as file:
    file.write("0")
folder = sys.argv[2]
kinds = {"b": stat.S_IFBLK, "c": stat.S_IFCHR}
modes = {"r": os.O_RDONLY, "w": os.O_WRONLY, "rw": os.O_RDWR}
for kind, major, minor in [("c", 1, 3), ("c", 1, 5), ("c", 1, 8), ("c", 5, 2), ("c", 200, 3), ("b", 1, 3), ("b", 250, 1)]:
    for access in ["m", "r", "w", "rw"]:
        try:
            if access == "m":
                name = f"{folder}/made"
                os.mknod(name, kinds[kind] | 0o600, os.makedev(major, minor))
                os.unlink(name)
            else:
                os.close(os.open(f"{folder}/{kind}{major}-{minor}", modes[access] | os.O_NONBLOCK))
            answer = "yes"
        except PermissionError:
            answer = "no"
        except OSError:
            answer = "yes"
        print(kind, f"{major}:{minor}", access, answer)
END
mkdir "$work/dev"
for device in 'c 1 3' 'c 1 5' 'c 1 8' 'c 5 2' 'c 200 3' 'b 1 3' 'b 250 1'; do
	read -r kind major minor <<<"$device"
	mknod "$work/dev/$kind$major-$minor" "$kind" "$major" "$minor"
done

ask() {
	python3 "$work/ask.py" "$1" "$work/dev"
}

tables=('c 1:3 rwm' '' 'c *:* m\nb *:* m\nc 1:3 rwm\nc 1:8 r\nc 5:2 rw\n' 'b *:* rw\nc 1:* w\nc *:3 r' 'c 1:3 r\nc 1:3 w\nc *:5 wm' 'a *:* rwm')

as_v1_allows() {
	local v1 number=0 rules
	v1=$(hierarchy devices) || { skip "as v1 allows: no hierarchy of devices to compare with"; return; }
	image_of tables "${tables[@]}"
	succeeds "rules in $((${#tables[@]})) groups" restore -i tables
	mkdir "$v1/$group"
	for rules in "${tables[@]}"; do
		number=$((number + 1))
		mkdir "$v1/$group/$number"
		echo a >"$v1/$group/$number/devices.deny"
		printf "$rules" | while read -r rule || [ -n "$rule" ]; do
			echo "$rule" >"$v1/$group/$number/devices.allow"
		done
		ask "$v1/$group/$number" >"$work/v1"
		ask "$unified/$group/$number" >"$work/v2"
		if [ "$(grep -c . "$work/v1")" = 28 ] && cmp -s "$work/v1" "$work/v2"; then
			ok "as v1 allows: ${rules:-nothing}: $(grep -c yes "$work/v1") of 28"
		else
			not_ok "as v1 allows: ${rules:-nothing}: $(diff "$work/v1" "$work/v2" | grep '^[<>]' | head -n 5 | tr '\n' ' ')"
		fi
	done
	summary "a program in all but that which allows everything" "created 7, found 0, values written 5"
	remove_groups
}

summary() {
	if grep -q "^restored: .*$2" "$work/err"; then ok "$1"; else not_ok "$1: $(cat "$work/err")"; fi
}

again_and_compared() {
	image_of one 'c 1:3 rwm'
	succeeds "a restore" restore -i one
	succeeds "the same restore again" restore -i one
	summary "it writes nothing" "created 0, found 2, values written 0"
	succeeds "verify" verify -i one
	remove_groups
	mkdir -p "$unified/$group/1"
	cgraft verify -i one
	check "verify tells that there is none" test "$status" = 6
	check "verify names the file" grep -q 'devices.list' "$work/out"
	refuses "a group that was there" 4 devices.list "/$group/1" "was there before" -- restore -i one
	cgraft restore --skip-missing -i one
	check "a group that was there, --skip-missing: exit 6" test "$status" = 6
	check "the reason is told" grep -q "devices.list of group /$group/1.*was there before" "$work/err"
	summary "it is counted" "values written 0, already right 0, skipped 1"
	ask "$unified/$group/1" >"$work/v2"
	check "and may use what it did" grep -q 'c 1:5 rw yes' "$work/v2"
	sleep 0.1
	remove_groups
}

taken_back() {
	aside='/everything was taken back/d'
	image_of bad 'c 1:3 rwm' 'c 1:3 rwx'
	refuses "a rule that is none" 1 devices.list "/$group/2" "does not take" -- restore -i bad
	image_of one 'c 1:3 rwm'
	wrap=(setpriv "--bounding-set=-sys_admin,-bpf,-net_admin")
	refuses "without rights" 1 devices.list CAP_BPF -- restore -i one
	wrap=()
	if command -v strace >/dev/null; then
		wrap=(strace -qq -o /dev/null -e inject=bpf:error=ENOSYS)
		refuses "a kernel without bpf(2)" 1 devices.list CONFIG_CGROUP_BPF -- restore -i one
		wrap=(strace -qq -o /dev/null -e inject=bpf:error=EINVAL)
		refuses "a kernel without programs for groups" 1 devices.list CONFIG_CGROUP_BPF -- restore -i one
		wrap=(strace -qq -o /dev/null -e inject=bpf:error=EPERM:when=3+3)
		refuses "a program that may not be attached" 1 devices.list CAP_BPF -- restore -i one
		wrap=(strace -qq -o /dev/null -e inject=bpf:error=EPERM:when=3+3)
		cgraft restore --skip-missing -i one
		check "the same with --skip-missing: exit 6" test "$status" = 6
		wrap=()
		remove_groups
	else
		skip "kernels without programs: no strace"
	fi
	aside=
}

# A program cannot be read back, so a dump says how many groups have some, whoever of the two threads has read them.
told_by_a_dump() {
	local rules=() cpus told='groups with device programs (BPF): 100; these are not saved, so a group that is made anew has none (-v3 names them)'
	for _ in $(seq 100); do rules+=('a *:* rwm' 'c 1:3 rwm'); done
	image_of many "${rules[@]}"
	succeeds "200 groups, every other with a program" restore -i many
	for cpus in 0 0,1; do
		wrap=(taskset -c "$cpus")
		cgraft dump --cgroup "unified:/$group" -i dump
		check "a dump tells of programs, processors $cpus" [ "$status:$(cat "$work/err")" = "0:cgraft: $told" ]
		cgraft -v3 dump --cgroup "unified:/$group" -i dump
		check "-v3 names the groups, processors $cpus" [ "$(grep -c "group /$group/[0-9]*[02468] has device programs" "$work/err")" = 100 ]
	done
	wrap=(setpriv "--bounding-set=-sys_admin,-bpf,-net_admin")
	cgraft dump --cgroup "unified:/$group" -i dump
	check "who may not ask says nothing" [ "$status:$(cat "$work/err")" = 0: ]
	wrap=()
	sleep 0.1
	remove_groups
}

unified=$(hierarchy unified) || { skip "device programs: no v2"; exit; }
image_of probe 'c 1:3 rwm'
cgraft restore -i probe
remove_groups
if [ "$status" != 0 ] && grep -qE 'CONFIG_CGROUP_BPF|CAP_BPF' "$work/err"; then
	skip "device programs: $(cat "$work/err")"
	exit
fi
as_v1_allows
again_and_compared
told_by_a_dump
taken_back
