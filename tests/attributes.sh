#!/usr/bin/env bash
# Extended attributes of groups, from the outside: dumped, shown, restored into new groups and into those that are there,
# verified, taken back after a failure; what others than root may. Python sets and reads them, not cgraft.
# shellcheck disable=SC2154,SC2016 # checks.sh sets status and work; python's text is python's
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
start attributes

is() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1: '$2', not '$3': $(head -c 300 "$work/err")"; fi; }
says() { if grep -q -- "$2" "$work/err" "$work/out"; then ok "$1"; else not_ok "$1: $(head -c 300 "$work/err")"; fi; }

# attr set DIR NAME VALUE: a value with Python's escapes.   attr remove DIR NAME.   attr list TOP: a line for each attribute of
# TOP and of what lies below, but for those of the host's policy.
attr() {
	python3 -c '
import os, sys
deed, top, *rest = map(os.fsencode, sys.argv[1:])
if deed == b"set":
    os.setxattr(top, rest[0], eval(b"b\"" + rest[1] + b"\"" + b"".join(rest[2:])))
elif deed == b"remove":
    os.removexattr(top, rest[0])
else:
    for path, _, _ in sorted(os.walk(top)):
        for name in sorted(map(os.fsencode, os.listxattr(path))):
            if not name.startswith(b"security."):
                value = os.getxattr(path, name)
                print(path, name, value if len(value) < 99 else (len(value), value[:9]))
' "$@"
}

listed() {
	local mount
	for mount in "${homes[@]}"; do attr list "$mount/$group"; done
}

state_with_attributes() { state_with_values; listed; }
state=state_with_attributes

# json FILE EXPRESSION: what Python says about an image: groups g by path, and n attributes in all hierarchies.
json() {
	"$CGRAFT" show --json "$1" | python3 -c '
import json, sys
groups = [group for hierarchy in json.load(sys.stdin)["hierarchies"] for group in hierarchy["groups"]]
g = {group["path"]: {a["name"]: a["value"] for a in group.get("attributes", [])} for group in groups}
n = sum(len(group.get("attributes", [])) for group in groups)
print(eval(sys.argv[1]))' "$2"
}

homes=()
for word in cpu pids unified; do if mount=$(hierarchy $word); then homes+=("$mount"); fi; done
[ ${#homes[@]} -gt 0 ] || { skip "attributes: no hierarchy to work in"; exit; }
home=${homes[0]}
label=$(for word in cpu pids unified; do hierarchy $word >/dev/null && echo $word && break; done)
name_of_label=${label/unified/}
mkdir "$home/$group"
if ! attr set "$home/$group" user.try 1 2>/dev/null; then skip "attributes: this kernel's groups have none"; exit; fi
rmdir "$home/$group"

build() {
	local mount
	for mount in "${homes[@]}"; do mkdir -p "$mount/$group/a/b" "$mount/$group/plain"; done
}

# furnish NAME...: these attributes of the tree, in this order.
furnish() {
	local mount name
	for mount in "${homes[@]}"; do
		for name; do
			case $name in
			user.delegate) attr set "$mount/$group/a" $name 1 ;;
			user.empty) attr set "$mount/$group/a" $name '' ;;
			user.bytes) attr set "$mount/$group/a" $name 'v\0\xff\n\x1b[2J=' ;;
			trusted.long) attr set "$mount/$group/a" $name x '*65536' ;;
			trusted.*) attr set "$mount/$group" "$name" 3f ;;
			user.*) attr set "$mount/$group/a/b" "$name" odd ;;
			esac
		done
	done
}

empty() { remove_groups; sleep 0.1; remove_groups; }

odd=$'user.o d\n\xff='
all=(user.delegate user.empty user.bytes trusted.long trusted.invocation_id "$odd")
build
furnish "${all[@]}"
attr set "$home/$group/a" security.cgraft policy
attr set "$home/$group/a/notify_on_release" user.file 1 2>/dev/null || attr set "$home/$group/a/cgroup.procs" user.file 1
listed >"$work/whole"
is "setting up: attributes of every hierarchy" "$(wc -l <"$work/whole")" $((6 * ${#homes[@]}))

# --- dump and the reports

succeeds "dump" dump --cgroup "/$group" -i "$work/image"
succeeds "dump once more" dump --cgroup "/$group" -i "$work/second"
check "the same state gives the same bytes" cmp -s "$work/image" "$work/second"
for mount in "${homes[@]}"; do
	for name in user.delegate user.empty user.bytes trusted.long; do attr remove "$mount/$group/a" $name; done
done
furnish user.bytes trusted.long user.empty user.delegate
succeeds "dump, set in another order" dump --cgroup "/$group" -i "$work/second"
check "the order of setting does not matter" cmp -s "$work/image" "$work/second"
is "each value, byte for byte" "$(json "$work/image" "sorted((k, len(v), v[:9]) for k, v in g['/$group/a'].items())")" \
	"[('trusted.long', 65536, 'xxxxxxxxx'), ('user.bytes', 9, 'v\\x00\\udcff\\n\\x1b[2J='), ('user.delegate', 1, '1'), ('user.empty', 0, '')]"
is "a name that is not UTF-8" "$(json "$work/image" "ascii(g['/$group/a/b'])")" "{'user.o d\\n\\udcff=': 'odd'}"
is "a group without attributes" "$(json "$work/image" "g['/$group/plain']")" "{}"
check "neither policy nor attributes of files are saved" [ "$(grep -caE 'security.cgraft|user.file' "$work/image")" = 0 ]
cgraft show "$work/image"
is "show has a line for them" "$(grep -cF 'attributes: trusted.long (65536 bytes), user.bytes=v\u{0}\xff\n\u{1b}[2J=, user.delegate=1, user.empty=' "$work/out")" ${#homes[@]}
is "decode has CRIU's keys only" "$("$CGRAFT" decode "$work/image" | grep -c '"attributes"\|user.delegate')" 0
succeeds "groups above are saved with theirs" dump --cgroup "/$group/a/b" -i "$work/below"
is "those of the group above" "$(json "$work/below" "sorted(g['/$group/a'])")" "['trusted.long', 'user.bytes', 'user.delegate', 'user.empty']"
succeeds "dump in the layout of 2014" dump --layout rfc --cgroup "$label:/$group" -i "$work/rfc"
is "it has none" "$(grep -ca user.delegate "$work/rfc")" 0
says "and counts what it leaves out" "left out\|leaves out"

# --- restore into new groups

empty
succeeds "restore into new groups" restore -i "$work/image"
listed >"$work/after"
check "all attributes are there" cmp "$work/whole" "$work/after"
succeeds "verify" verify -i "$work/image"
succeeds "restore once more" restore -i "$work/image"
says "it writes nothing" "created 0, .* values written 0, .* skipped 0"

# --- into groups that are there

spoil() {
	local mount
	for mount in "${homes[@]}"; do
		attr set "$mount/$group/a" user.delegate 0
		attr set "$mount/$group/a" user.own mine
		attr remove "$mount/$group/a" user.empty 2>/dev/null
	done
}
spoil
cgraft verify -i "$work/image"
is "verify tells what is different" "$status:$(grep -c . "$work/out"):$(grep -c '^group /'"$group"'/a of .*: attribute user.delegate: the image has 1, this host has 0$' "$work/out")" \
	"6:$((2 * ${#homes[@]})):${#homes[@]}"
says "and what is missing" "group /$group/a of $label: attribute user.empty: the image has , this host has none"
succeeds "mode soft" restore --manage-cgroups soft -i "$work/image"
is "leaves groups that are there alone" "$(attr list "$home/$group/a" | grep -c "user.delegate' b'0'")" 1
succeeds "phase join" restore --phase join -i "$work/image"
is "writes none" "$(attr list "$home/$group/a" | grep -c "user.delegate' b'0'")" 1
succeeds "mode full" restore -i "$work/image"
says "it writes those that differ" "values written $((2 * ${#homes[@]})), .* skipped 0"
listed | grep -v user.own >"$work/after"
check "they are as saved" cmp "$work/whole" "$work/after"
is "others are left alone" "$(listed | grep -c "user.own' b'mine'")" ${#homes[@]}
spoil
succeeds "phase limit" restore --phase limit -i "$work/image"
is "sets them too" "$(attr list "$home/$group/a" | grep -c "user.delegate' b'1'")" 1
for mount in "${homes[@]}"; do attr remove "$mount/$group/a" user.own; done

# --- taken back

spoil
for mount in "${homes[@]}"; do rmdir "$mount/$group/plain"; done
file=notify_on_release
[ "$label" != unified ] || file=cgroup.max.depth
new="attribute(b'trusted.new', b'n') + attribute(b'user.delegate', b'new') + attribute(b'user.empty', b'e')"
handmade bad.img "hierarchy(group(b'$group', group(b'a', attributes=$new) + group(b'plain', prop(b'$file', b'frob'))), [b'$name_of_label'])"
aside='2{/^cgraft: everything was taken back: the host is as it was$/d}'
refuses "a restore that fails takes them back" 1 "$group/plain" -- restore -i bad.img
cgraft restore --no-rollback -i bad.img
is "control: it had set them" "$status:$(attr list "$home/$group/a" | grep -c "'user.delegate' b'new'\|trusted.new\|'user.empty' b'e'")" 5:3
attr remove "$home/$group/a" trusted.new
attr remove "$home/$group/a" user.empty
for mount in "${homes[@]}"; do rmdir "$mount/$group/plain" 2>/dev/null; done
spoil
if command -v strace >/dev/null; then
	tried=0 wrong=0
	state_with_attributes >"$work/before"
	for number in {1..30}; do
		strace -f -qq -o "$work/calls" -e trace=fsetxattr -e "inject=fsetxattr:error=ENOSPC:when=$number" "$CGRAFT" restore -i "$work/image" 2>"$work/err"
		status=$?
		grep -q INJECTED "$work/calls" || break
		tried=$((tried + 1))
		state_with_attributes >"$work/after"
		if [ $status != 1 ] || ! cmp -s "$work/before" "$work/after" || ! grep -q "attribute .* of group /$group" "$work/err"; then
			wrong=$((wrong + 1))
			echo "# call $number: exit $status: $(head -n 1 "$work/err")"
			diff "$work/before" "$work/after" | head -n 4
		fi
	done
	is "every setting that fails is taken back" "$tried:$wrong" "$((2 * ${#homes[@]})):0"
	is "and then it works" "$status:$(listed | grep -v user.own | diff -q - "$work/whole")" 0:
	empty
	strace -f -qq -o "$work/calls" -e trace=fsetxattr -e inject=fsetxattr:error=ENOSPC:when=3 "$CGRAFT" restore -i "$work/image" 2>"$work/err"
	is "in new groups too" "$?:$(left_groups)" 1:
	succeeds "restore" restore -i "$work/image"

	# --- what happens meanwhile, and kernels without them
	strace -qq -o "$work/calls" -e trace=fgetxattr -e inject=fgetxattr:error=ENODATA:when=2 "$CGRAFT" dump --cgroup "/$group" -i "$work/second" 2>"$work/err"
	is "one that vanishes is left out" "$?:$(json "$work/second" n)" "0:$((6 * ${#homes[@]} - 1))"
	strace -qq -o "$work/calls" -e trace=flistxattr -e inject=flistxattr:error=EOPNOTSUPP "$CGRAFT" dump --cgroup "/$group" -i "$work/second" 2>"$work/err"
	is "a kernel without them" "$?:$(json "$work/second" n)" 0:0
	rm "$work/second"
	strace -qq -o "$work/calls" -e trace=flistxattr -e inject=flistxattr:error=EIO:when=2 "$CGRAFT" dump --cgroup "/$group" -i "$work/second" 2>"$work/err"
	is "one that cannot be read is an error" "$?:$(test -e "$work/second" && echo image)" 1:
	says "which names the group" "group /$group.* of $label: .*EIO"
	strace -qq -o "$work/calls" -e trace=flistxattr "$CGRAFT" dump --cgroup "$label:/$group/plain" --no-ancestors -i "$work/second"
	is "a group without attributes is asked once" "$(grep -c flistxattr "$work/calls")" 1
else
	skip "failures one by one: there is no strace"
fi

# --- others than root

nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
mine() { python3 -c 'import os, sys; [os.chown(os.path.join(p, f), 65534, 65534) for t in sys.argv[1:] for p, _, fs in os.walk(t) for f in ["."] + fs]' "${homes[@]/%//$group}"; }
mine
chmod 777 "$work/area"
"$CGRAFT" dump --cgroup "/$group" --no-ancestors --no-tasks -i "$work/image"
wrap=("${nobody[@]}")
succeeds "dump as nobody" dump --cgroup "/$group" --no-ancestors --no-tasks -i "$work/area/nobody"
is "has user.* and what the kernel does not hide" "$(json "$work/area/nobody" "sorted({n for a in g.values() for n in a if not n.startswith('user.o')})")" "['user.bytes', 'user.delegate', 'user.empty']"
mv "$work/area/nobody" "$work/nobody"
chmod 644 "$work/nobody" "$work/image"
cgraft verify -i "$work/image"
is "verify as nobody: those that are hidden are told" "$status:$(grep -c 'attribute trusted.* this host has none$' "$work/out"):$(grep -vc trusted "$work/out")" "6:$((2 * ${#homes[@]})):0"
succeeds "verify as nobody of what nobody dumped" verify -i "$work/nobody"
for mount in "${homes[@]}"; do rmdir "$mount/$group/a/b" "$mount/$group/a"; done
aside='2{/^cgraft: everything was taken back: the host is as it was$/d}'
refuses "restore as nobody" 1 trusted. "/$group" EPERM -- restore -i "$work/image"
cgraft restore --skip-missing -i "$work/image"
is "restore as nobody --skip-missing" "$status:$(grep -c 'skipped: .* attribute trusted' "$work/err")" "6:$((2 * ${#homes[@]}))"
says "counts them, and those that are there and hidden" "skipped $((2 * ${#homes[@]})),"
is "and the others are there" "$(listed | grep -c "'user\.")" "$(grep -c "'user\." "$work/whole")"
for mount in "${homes[@]}"; do rmdir "$mount/$group/a/b" "$mount/$group/a"; done
succeeds "restore as nobody of what nobody dumped" restore -i "$work/nobody"
handmade shut.img "hierarchy(group(b'$group', group(b'shut', attributes=attribute(b'user.a', b'1'), mode=0o40555, uid=65534), uid=65534), [b'$name_of_label'])"
mkdir "$home/$group/shut"
chown 65534:65534 "$home/$group/shut"
succeeds "attributes come before the mode" restore -i shut.img
is "which would forbid them" "$(attr list "$home/$group/shut" | grep -c user.a):$(stat -c %a "$home/$group/shut")" 1:555
wrap=()

# --- limits

empty
build
handmade many.img "hierarchy(group(b'$group', group(b'many', attributes=b''.join(attribute(b'user.%03d' % at, b'1') for at in range(129)))), [b'$name_of_label'])"
refuses "one attribute more than the kernel has" 1 "attribute user.128" "/$group/many" ENOSPC -- restore -i many.img
state=state_with_values        # Python cannot list them either
python3 -c 'import os, sys; [os.setxattr(sys.argv[1], "trusted.%0240d" % at, b"") for at in range(300)]' "$home/$group/a"
refuses "names that are longer than a list may be" 1 "/$group/a" "names of one group's attributes" "limit 65536" -- dump --cgroup "$label:/$group" -i many
