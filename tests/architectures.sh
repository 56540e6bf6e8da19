#!/usr/bin/env bash
# The programs for other architectures, run by qemu-user: the same output, messages and exit codes as the one of this machine for
# every image of the tests, good or hostile; a dump and a restore on this host. A kernel of aarch64 is booted by scripts/vm suite.
# Last line: "N passed, N failed, N skipped".
#
#   CGRAFT=FILE   the program of this machine; the others are target/cgraft-ARCHITECTURE of scripts/build
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
root=${tests%/*}
. "$root/scripts/common.sh"

# Machine of the ELF header, as readelf says it.
declare -A machines=([aarch64]=AArch64 [riscv64]=RISC-V)
declare -A most=([aarch64]=352 [riscv64]=368)

is_static() {
	local headers
	headers=$(LC_ALL=C readelf -hlW "$1") || return
	grep -q 'Class: *ELF64' <<<"$headers" && grep -q "Machine: *$2" <<<"$headers" && ! grep -Eq '^ *(INTERP|DYNAMIC) ' <<<"$headers"
}

# same IMAGE COMMAND...: whether both programs say the same about an image.
same() {
	local image=$1 wanted got
	shift
	"$CGRAFT" "$@" -i "$image" >"$work/wanted" 2>"$work/wanted.err"
	wanted=$?
	"${other[@]}" "$@" -i "$image" >"$work/got" 2>"$work/got.err"
	got=$?
	[ $wanted = $got ] && cmp -s "$work/wanted" "$work/got" && cmp -s "$work/wanted.err" "$work/got.err" && return
	not_ok "$arch: ${image##*/}: $*: exit $got, here $wanted: $(head -c 200 "$work/got.err")"
	return 1
}

reading() {
	local image count=0 good=yes
	for image in "$work"/images/*.img "$root"/tests/corpus/*/cgroup.img; do
		[ "$(stat -c %s "$image")" -le 16384 ] || continue # large ones take qemu a minute, and are of the same form
		same "$image" show && same "$image" decode || good=
		count=$((count + 1))
	done
	[ -z "$good" ] || check "$arch: $count images are shown and decoded as here" [ $count -gt 20 ]
}

# What the kernel is asked for goes through qemu, which lacks some of the newer calls: what cgraft does then is tested as well.
doing() {
	local mount controller=cpu
	mount=$(hierarchy cpu) || { controller=pids; mount=$(hierarchy pids); } || { skip "$arch: no hierarchy of v1 with cpu or pids here"; return; }
	mkdir -p "$mount/$group/a/b" "$mount/$group/c"
	chown 1234:99 "$mount/$group/c"
	[ $controller != cpu ] || echo 512 >"$mount/$group/a/cpu.shares"
	check "$arch: dump" "${other[@]}" dump --cgroup "$controller:/$group" -i "$work/other.img"
	"$CGRAFT" dump --cgroup "$controller:/$group" -i "$work/own.img"
	check "$arch: the image is the one that is made here" cmp "$work/other.img" "$work/own.img"
	find "$mount/$group" -depth -type d -exec rmdir {} +
	check "$arch: restore" "${other[@]}" restore -v1 -i "$work/other.img"
	check "$arch: nothing differs then" "$CGRAFT" verify -i "$work/own.img"
	find "$mount/$group" -depth -type d -exec rmdir {} +
}

start architectures
need_packages qemu-user-static 2>/dev/null
mkdir "$work/images"
python3 "$tests/hostile.py" "$work/images" pids "$group" >"$work/list" || not_ok "the images are made"
for arch in aarch64 riscv64; do
	program=$root/target/cgraft-$arch
	other=("qemu-$arch-static" "$program")
	if [ ! -x "$program" ]; then
		skip "$arch: there is no $program (CGRAFT_ARCH=$arch scripts/build)"
	elif ! command -v "${other[0]}" >/dev/null; then
		skip "$arch: there is no ${other[0]}"
	else
		check "$arch: static, for this machine and no other" is_static "$program" "${machines[$arch]}"
		check "$arch: at most ${most[$arch]} KiB" [ "$(stat -c %s "$program")" -le $((${most[$arch]} * 1024)) ]
		reading
		doing
	fi
done
