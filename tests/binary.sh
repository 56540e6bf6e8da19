#!/usr/bin/env bash
# What is promised of the program itself: static, small, a small stack, little memory, no heap while it works, every file closed, and
# no needs: no environment, no other file in the root, no standard streams. Where a check could pass by seeing nothing, a control
# beside it must fail. Last line: "N passed, N failed, N skipped".
#
#   CGRAFT=FILE            the program with the standard library built for size; else target/cgraft
#   CGRAFT_PREBUILT=FILE   the one with the prebuilt library; else target/cgraft-prebuilt; skipped if it is not there
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
root=${tests%/*}
prebuilt=$(realpath -m "${CGRAFT_PREBUILT:-$root/target/cgraft-prebuilt}")

bytes_built=364544             # 356 KiB
bytes_prebuilt=409600          # 400 KiB
stack_bytes=65536
resident_kib=2048
many=2000

# Groups that cost the most stack, files and memory: a deep chain with long names, a value at its end, and many siblings. In one v1
# hierarchy, or v2. The process $home is the one that --like looks at.
make_groups() {
	local level path=$group/deep long
	mount=${mounts[0]}
	hierarchy cpu >/dev/null && mount=$(hierarchy cpu)
	controller=$(control_of "$mount")
	long=$(printf 'n%.0s' {1..150})
	mkdir -p "$mount/$group/many" "$mount/$group/few/one" || exit 1
	for level in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		path=$path/$level-$long
	done
	(cd "$mount" && mkdir -p "$path")
	cc -O2 -o "$work/mkdirs" "$tests/bench/mkdirs.c" && "$work/mkdirs" "$mount/$group/many" $many || not_ok "make $many groups"
	value=$mount/$group/few/one/notify_on_release
	[ "$controller" != unified ] || value=$mount/$group/few/one/cgroup.max.depth
	echo 1 >"$value" || exit 1
	mkdir "$mount/$group-like"
	keep "$mount" "$group-like"
	home=$pid
	keep "$mount" "$group/few/one"
	echo "$controller: { strategy: replace, properties: [cgroup.procs] }" >"$work/lists"
}

# The word that means the hierarchy of a mount point in cgraft's CTRL:PATH.
control_of() {
	awk -v mount="$1" '$5 == mount {
		for (i = 7; $i != "-"; i++);
		if ($(i + 1) == "cgroup2") { print "unified"; exit }
		n = split($(i + 3), options, ",")
		for (j = 1; j <= n; j++) if (options[j] !~ /^(r[wo]|xattr|clone_children|noprefix|none|release_agent=.*)$/) { print options[j]; exit }
	}' /proc/self/mountinfo
}

# --- the file

is_static() {
	local headers
	headers=$(LC_ALL=C readelf -hlW "$1") || return
	grep -q 'Class: *ELF64' <<<"$headers" && grep -q 'Machine: *Advanced Micro Devices X86-64' <<<"$headers" &&
		! grep -Eq '^ *(INTERP|DYNAMIC) ' <<<"$headers" && ! LC_ALL=C readelf -dW "$1" | grep -q NEEDED
}

is_stripped() {
	! LC_ALL=C readelf -SW "$1" | grep -Eq '\.(symtab|debug_[a-z]+|comment) '
}

# file_checks WHAT FILE BYTES
file_checks() {
	local size
	size=$(stat -c %s "$2")
	check "$1: static, without interpreter, dynamic section or library" is_static "$2"
	check "$1: no symbols, no debug information" is_stripped "$2"
	check "$1: $size bytes, at most $3" test "$size" -le "$3"
}

files() {
	if is_static "$(command -v bash)"; then not_ok "control: a dynamic program is none without an interpreter"; else ok "control: bash is found to be dynamic"; fi
	file_checks "library built for size" "$CGRAFT" $bytes_built
	if [ -x "$prebuilt" ]; then
		file_checks "prebuilt library" "$prebuilt" $bytes_prebuilt
		check "prebuilt library: the same image" same_image "$prebuilt"
	else
		skip "prebuilt library: there is no $prebuilt (CGRAFT_STD=prebuilt CGRAFT_OUT=$prebuilt scripts/build)"
	fi
}

same_image() {
	"$1" dump --cgroup "$controller:/$group/few" -i "$work/image.other" && cmp "$work/image.few" "$work/image.other"
}

# --- commands that everything below looks at. Each is its name in $name and words in $command.

commands=(dump dump_pid dump_criu decode show json restore restore_value restore_like restore_pidns restore_translate dry_run
	check check_json check_image check_image_json verify verify_json verify_maps diff)

command_of() {
	case $1 in
	dump) command=(dump --cgroup "$controller:/$group" -i "$work/image.dump") ;;
	dump_pid) command=(dump -t "$pid" -i "$work/image.pid") ;;
	dump_criu) command=(dump --cgroup "$controller:/$group" --properties criu --no-ancestors --layout rfc -i "$work/image.rfc" \
		--cgroup-props-file "$work/lists" --cgroup-dump-controller "$controller") ;;
	decode) command=(decode "$work/image") ;;
	show) command=(show --all "$work/image") ;;
	json) command=(show --json "$work/image") ;;
	restore) command=(restore -i "$work/image") ;;
	restore_value) command=(restore -i "$work/image") ;;
	restore_like) command=(restore -i "$work/image.few" --like "$home" --phase "create,limit") ;;
	restore_pidns) command=(restore -i "$work/image" --pidns $$) ;;
	restore_translate) command=(restore --translate -i "$work/image.other_version") ;;
	dry_run) command=(restore --dry-run -i "$work/image") ;;
	check) command=(check) ;;
	check_json) command=(check --json) ;;
	check_image) command=(check -i "$work/image") ;;
	check_image_json) command=(check --json -i "$work/image") ;;
	verify) command=(verify -i "$work/image") ;;
	verify_json) command=(verify --json -i "$work/image") ;;
	verify_maps) command=(verify -i "$work/image" --map "/$group=/$group" --cpu-map "0=0" --dev-map "7:0=7:0" --if-map "lo=lo" --uid-map "0=0") ;;
	diff) command=(diff "$work/image" "$work/image.same") ;;
	esac
}

# What a command needs done before each time: restore_value a value that is another one in the image.
prepare() {
	[ "$name" != restore_value ] || echo 0 >"$value"
}

# Limits of huge pages in v1, which this host has in v2; else the image of the other commands, of which nothing is translated.
other_version() {
	local v2
	if v2=$(hierarchy unified) && grep -qw hugetlb "$v2/cgroup.subtree_control" && [ -d /sys/kernel/mm/hugepages/hugepages-2048kB ]; then
		handmade "$work/image.other_version" "b'' + hierarchy(group(b'$group', group(b'few', group(b'one',
			prop(b'hugetlb.2MB.limit_in_bytes', b'4194304')))), [b'hugetlb'])"
		succeeds "an image of v1 is translated" restore --translate -i "$work/image.other_version"
		check "and its value is there" grep -qx 4194304 "$v2/$group/few/one/hugetlb.2MB.max"
	else
		skip "restore --translate: hugetlb is no controller of v2 that groups have here: nothing is translated"
		cp "$work/image" "$work/image.other_version"
	fi
}

# Each works, before it is asked how.
work_at_all() {
	"$CGRAFT" dump --cgroup "$controller:/$group" -i "$work/image" || not_ok "dump for the tests"
	cp "$work/image" "$work/image.same"
	"$CGRAFT" dump --cgroup "$controller:/$group/few" -i "$work/image.few" || not_ok "small dump for the tests"
	other_version
	for name in "${commands[@]}"; do
		command_of "$name"
		prepare
		succeeds "$name works" "${command[@]}"
		[ "$name" != restore_value ] || check "the value is written" grep -q 'values written 1,' "$work/err"
	done
}

# --- stack

# with_stack BYTES COMMAND...: the kernel ends what grows beyond. Arguments and environment count, so there are few; so would up to 8 KiB
# that the kernel leaves out at random (arch_align_stack), which no program can help.
with_stack() {
	local bytes=$1
	shift
	prepare
	{ env -i setarch -R prlimit --stack="$bytes" "$@" >/dev/null; } 2>/dev/null
}

# The least that it works with, in KiB.
least_stack() {
	local low=8 high=256 middle
	while [ $((high - low)) -gt 4 ]; do
		middle=$(((low + high) / 8 * 4))
		if with_stack $((middle * 1024)) "$CGRAFT" "${command[@]}"; then high=$middle; else low=$middle; fi
	done
	echo $high
}

stack() {
	printf 'static int eat(int n) { volatile char page[4096]; page[0] = n; return n ? eat(n - 1) + page[0] : 0; }\nint main(int c, char **v) { return eat(c > 1 ? v[1][0] - 48 + 10 * (c > 2) : 0) < 0; }\n' >"$work/eat.c"
	cc -O0 -static -o "$work/eat" "$work/eat.c" || not_ok "control: does not compile"
	name=control
	check "control: 24 KiB of stack are seen to fit" with_stack $stack_bytes "$work/eat" 5
	if with_stack $stack_bytes "$work/eat" 8 more; then not_ok "control: 72 KiB of stack fit into 64"; else ok "control: 72 KiB of stack are seen not to fit"; fi
	for name in "${commands[@]}"; do
		command_of "$name"
		if with_stack $stack_bytes "$CGRAFT" "${command[@]}"; then ok "stack: $name works within $(least_stack) KiB"; else not_ok "stack: $name needs $(least_stack) KiB"; fi
	done
}

# --- memory

memory() {
	local seconds kib code
	cc -O2 -static -o "$work/measure" "$tests/bench/measure.c" || not_ok "tests/bench/measure.c does not compile"
	for name in "${commands[@]}"; do
		command_of "$name"
		rm -f "$work/figures"
		prepare
		"$work/measure" "$work/figures" "$CGRAFT" "${command[@]}" >/dev/null 2>&1
		read -r seconds kib code <"$work/figures"
		if [ "$code" = 0 ] && [ "$kib" -gt 0 ] && [ "$kib" -le $resident_kib ]; then
			ok "memory: $name of $many groups has at most $kib KiB resident ($seconds s)"
		else
			not_ok "memory: $name has $kib KiB resident, exit $code; at most $resident_kib"
		fi
	done
	rm -f "$work/figures"
	"$work/measure" "$work/figures" dd if=/dev/zero of=/dev/null bs=3M count=1 2>/dev/null
	read -r seconds kib code <"$work/figures"
	check "control: a buffer of 3 MiB is seen ($kib KiB)" test "$kib" -gt 3072
}

# --- heap

# From the first file that is opened on, memory is mapped only to read a file, the image, and once for the stack of a dump's second thread.
no_heap() {
	awk '
	/^open/ { works = 1 }
	/^mmap\(NULL, [0-9]+, PROT_NONE, MAP_PRIVATE\|MAP_ANONYMOUS, -1, 0\)/ && !stacks++ { next }
	works && /^(brk|mremap|mmap|mmap2)\(/ && !/^mmap\(NULL, [0-9]+, PROT_READ, MAP_PRIVATE, [0-9]+, 0\)/ { print; found = 1 }
	END { exit !works || found }' "$1"
}

heap() {
	if ! command -v strace >/dev/null; then
		skip "heap and files: strace is not installed"
		return
	fi
	for name in "${commands[@]}"; do
		command_of "$name"
		prepare
		strace -o "$work/trace.$name" "$CGRAFT" "${command[@]}" >/dev/null 2>&1
		check "heap: $name asks the kernel for none" no_heap "$work/trace.$name"
	done
	strace -o "$work/trace.control" sort "$work/trace.dump" >/dev/null 2>&1
	if no_heap "$work/trace.control" >/dev/null; then not_ok "control: the heap of sort(1) is not seen"; else ok "control: the heap of sort(1) is seen"; fi
	closed_arena
}

# A build that asks for memory after the arena is closed dies; the same build without that lives.
closed_arena() {
	local fault
	if ! command -v cargo >/dev/null; then
		skip "heap: a build that allocates too late dies: there is no cargo"
		return
	fi
	(cd "$root" && cargo build -q && target/debug/cgraft -V) >"$work/out" 2>&1
	check "control: the build for debugging works" grep -q '^cgraft [0-9]' "$work/out"
	(cd "$root" && cargo build -q --features allocate-late) >"$work/out" 2>&1 || not_ok "the build that allocates too late: $(tail -n 1 "$work/out")"
	fault=$( (cd "$root" && exec target/debug/cgraft -V) 2>&1 >/dev/null)
	if [ $? = 134 ] && [[ $fault == *"memory allocation of "* ]]; then
		ok "heap: a build that allocates after the arena is closed dies"
	else
		not_ok "heap: a build that allocates too late does not die of it: $fault"
	fi
	(cd "$root" && cargo build -q)             # what target/debug held before
}

# --- open files

# Files that were opened and not closed. Roots of hierarchies are held to the end; nothing else is.
left_open() {
	awk '
	/^(open|openat|openat2|dup|memfd_create|creat)\(/ && / = [0-9]+$/ { opened[$NF] = $0; if (!now[$NF]++ && ++count > most) most = count }
	/^close\([0-9]+\)/ { split($0, part, /[()]/); if (part[2] in opened) { delete opened[part[2]]; delete now[part[2]]; count-- } }
	END { for (fd in opened) print opened[fd] }' "$1" | while IFS= read -r line; do
		path=${line#*\"}
		path=${path%%\"*}
		[[ " ${mounts[*]} " == *" $path "* && $line == *O_DIRECTORY* ]] || echo "$line"
	done
}

all_closed() {
	left_open "$1" >"$work/left"
	head -n 3 "$work/left"
	grep -q '^open' "$1" && [ ! -s "$work/left" ]
}

open_files() {
	command -v strace >/dev/null || return
	for name in "${commands[@]}"; do
		check "files: $name closes all it opened" all_closed "$work/trace.$name"
	done
	# Roads that end in an error, as far in as possible.
	head -c 100 "$work/image" >"$work/torn"
	strace -o "$work/trace.torn" "$CGRAFT" restore -i "$work/torn" >/dev/null 2>&1
	check "files: a restore of a torn image closes all it opened" all_closed "$work/trace.torn"
	mkdir "$work/small"
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare --mount --propagation private bash -c 'mount -t tmpfs -o size=16k tmpfs "$1" && cd "$1" && shift && exec "$@"' small "$work/small" \
		strace -o "$work/trace.full" "$CGRAFT" dump --cgroup "$controller:/$group" -i image >/dev/null 2>&1
	check "control: that dump failed for want of room" grep -q ENOSPC "$work/trace.full"
	check "files: a dump that cannot be written closes all it opened" all_closed "$work/trace.full"
	printf '#include <fcntl.h>\nint main(void) { return open("/dev/null", O_RDONLY) < 0; }\n' >"$work/leak.c"
	cc -static -o "$work/leak" "$work/leak.c" && strace -o "$work/trace.control" "$work/leak" 2>/dev/null
	if ! grep -q ^open "$work/trace.control" || all_closed "$work/trace.control" >/dev/null; then not_ok "control: a file that stays open is not seen"; else ok "control: a file that stays open is seen"; fi
}

# --- needs

few() {
	command=(dump --cgroup "$controller:/$group/few")
}

needs() {
	few
	rm -f "$work/image.other"
	check "no environment" env -i "$CGRAFT" "${command[@]}" -i "$work/image.other"
	check "no environment: the same image" cmp "$work/image.few" "$work/image.other"
	empty_root
	closed_streams
}

# A root that holds the program, /proc, /sys/fs/cgroup and nothing else.
empty_root() {
	local box=$work/root
	mkdir -p "$box/proc" "$box/sys/fs/cgroup"
	cp "$CGRAFT" "$box/cgraft"
	wrap=(unshare --mount --propagation private bash -c 'set -e; box=$1; shift
		mount --rbind /proc "$box/proc"; mount --rbind /sys/fs/cgroup "$box/sys/fs/cgroup"; exec chroot "$box" "$@"' box "$box")
	"${wrap[@]}" /cgraft "${command[@]}" -i /image >"$work/out" 2>&1
	check "empty root: dump" test $? = 0
	"${wrap[@]}" /cgraft decode /image >"$work/decoded" 2>/dev/null
	"$CGRAFT" decode "$work/image.few" >"$work/decoded.before"
	check "empty root: decode, and it is the same image" cmp "$work/decoded" "$work/decoded.before"
	"${wrap[@]}" /cgraft verify -i /image >"$work/out" 2>&1
	check "empty root: verify" test $? = 0
	"${wrap[@]}" /cgraft restore -i /image >"$work/out" 2>&1
	check "empty root: restore" test $? = 0
	# shellcheck disable=SC2016 # the inner shell expands it
	"${wrap[@]}" /cgraft "${command[@]}" -i /image.closed <&- >&- 2>"$work/out"
	check "empty root, input and output closed: dump ends in an exit code" test $? -lt 126
	wrap=()
}

closed_streams() {
	rm -f "$work/image.other"
	"$CGRAFT" -v4 "${command[@]}" -i "$work/image.other" <&- >&- 2>&-
	check "closed streams: dump" test $? = 0
	check "closed streams: no message went into the image" cmp "$work/image.few" "$work/image.other"
	"$CGRAFT" show "$work/image.few" <&- >&- 2>&-
	check "closed streams: show ends in an exit code" test $? -lt 126
	"$CGRAFT" verify -i "$work/image.few" <&- >&- 2>&-
	check "closed streams: verify" test $? = 0
	"$CGRAFT" show "$work/image.few" 2>/dev/null >/dev/full
	check "a full disk behind standard output is an error" test $? = 1
}

start binary
for tool in cc:gcc readelf:binutils prlimit:util-linux; do
	command -v "${tool%:*}" >/dev/null || { skip "${tool#*:} is not installed: nothing is tested"; exit 0; }
done
make_groups
work_at_all
files
stack
memory
heap
open_files
needs
