#!/usr/bin/env bash
# Images made to do harm: decode and show must neither crash nor grow nor take long, and let no control byte through; restore
# must refuse them before it writes anything, which strace watches. Last line: "N passed, N failed, N skipped".
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

most_kib=2048                  # resident, at any time; the image's own pages, which are the page cache's, come on top
most_seconds=10                # even on a busy machine
changing='mkdir,mkdirat,rmdir,unlink,unlinkat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,mknod,mknodat,chmod,fchmod,fchmodat,?fchmodat2,chown,fchown,lchown,fchownat,setxattr,fsetxattr,lsetxattr,removexattr,fremovexattr,lremovexattr,truncate,ftruncate,creat,mount,unshare,kill,tgkill'

prepare() {
	controller=$(for word in pids cpu memory freezer; do hierarchy $word >/dev/null && echo $word && break; done)
	mount=$(hierarchy "${controller:-unified}")
	mkdir "$mount/$group" "$work/images"
	python3 "$tests/hostile.py" "$work/images" "${controller:-pids}" "$group" >"$work/list" || { not_ok "the images are made"; exit 1; }
	if command -v gcc >/dev/null; then gcc -O1 -o "$work/measure" "$tests/bench/measure.c"; fi
}

# reads COMMAND...: prints any image without harm. A call that takes too long is killed: exit 137.
reads() {
	local code seconds kib own
	own=$(($(stat -c %s "$work/images/$image.img") / 1024))
	: >"$work/measured"
	timeout -s KILL $((6 * most_seconds)) "$work/measure" "$work/measured" "$CGRAFT" "$@" >"$work/out" 2>"$work/err"
	read -r seconds kib code <"$work/measured"
	[[ " 0 1 3 " == *" ${code:-137} "* ]] || { not_ok "$image: $*: exit ${code:-137}"; return; }
	if [ "$code" != 0 ] && ! one_line; then
		not_ok "$image: $*: $wrong: $(head -c 200 "$work/err")"
	elif grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xa8-\xae]' "$work/out"; then
		not_ok "$image: $1 ${2%"$work"*}: control bytes come through"
	elif [ "${seconds%.*}" -ge $most_seconds ]; then
		not_ok "$image: $1 $2: takes $seconds s"
	elif [ "$kib" -gt $((most_kib + own)) ]; then
		not_ok "$image: $1 $2: takes $kib KiB, $own of them the image"
	else
		return 0
	fi
	return 1
}

reading() {
	[ -x "$work/measure" ] || { skip "$image: reading: there is no gcc to build tests/bench/measure.c"; return; }
	local good=yes command
	for command in decode "decode --pretty" show "show --all" "show --json"; do
		# shellcheck disable=SC2086 # options
		reads $command "$work/images/$image.img" || good=
	done
	[ -z "$good" ] || ok "$image: is read without harm"
}

# restore IMAGE with the system calls that change anything in $work/calls, but for words to standard error.
watched() {
	timeout -s KILL $((6 * most_seconds)) strace -f -qq -o "$work/calls" -e "trace=$changing,open,openat,openat2,write,writev,pwrite64,pwritev,sendfile,copy_file_range" \
		"$CGRAFT" "$@" >"$work/out" 2>"$work/err"
	status=$?
	grep -vE '(open(at2?)?\(.*O_RDONLY|open(at2?)?\(.*O_PATH|write\(2, |\+\+\+ |---)' "$work/calls" |
		grep -v 'openat.*= -1 E' >"$work/changes"
}

refusing() {
	local codes=$1 word=$2
	[ -n "$has_restore" ] || { skip "$image: restore: this version has no restore"; return; }
	command -v strace >/dev/null || { skip "$image: restore: there is no strace"; return; }
	state_with_values >"$work/before"
	watched restore -i "$work/images/$image.img"
	state_with_values >"$work/after"
	if [[ " $codes " != *" $status "* ]]; then
		not_ok "$image: restore exits $status, not $codes: $(head -c 200 "$work/err")"
	elif [ "$status" = 0 ]; then
		ok "$image: restore exits 0"
		return
	elif ! one_line "$word"; then
		not_ok "$image: restore: $wrong: $(head -c 200 "$work/err")"
	elif [ -s "$work/changes" ]; then
		not_ok "$image: restore writes: $(head -n 3 "$work/changes" | tr '\n' ' ')"
	elif ! cmp -s "$work/before" "$work/after"; then
		not_ok "$image: restore leaves a change: $(diff "$work/before" "$work/after" | head -n 4 | tr '\n' ' ')"
	else
		ok "$image: restore exits $status and writes nothing"
	fi
}

# What restore refuses as damaged, check, verify and attach refuse as well, and write nothing.
others_refuse() {
	local command refused=yes
	[ "$1" = 3 ] && command -v strace >/dev/null || return 0
	for command in "check -i" "verify -i" "attach --set 1 -t $$ -i"; do
		# shellcheck disable=SC2086 # options
		watched $command "$work/images/$image.img"
		if [ "$status" != 3 ] || [ -s "$work/changes" ]; then
			not_ok "$image: ${command%% *} exits $status: $(head -c 200 "$work/err") $(head -n 3 "$work/changes" | tr '\n' ' ')"
			refused=
		fi
	done
	[ -z "$refused" ] || ok "$image: check, verify and attach exit 3 and write nothing"
}

# Groups that a legal image made.
clean() {
	find "$mount/$group" -mindepth 1 -depth -type d -exec rmdir {} + 2>/dev/null
}

start hostile
prepare
# That strace sees what it is to see: a good image makes a group.
if [ -n "$has_restore" ] && command -v strace >/dev/null; then
	mkdir "$mount/$group/kid"
	"$CGRAFT" dump --cgroup "${controller:-unified}:/$group/kid" --no-tasks -i "$work/good.img"
	rmdir "$mount/$group/kid"
	watched restore -i "$work/good.img"
	check "a good image is restored" [ "$status" = 0 ]
	check "and the watch sees its mkdirat" grep -q mkdirat "$work/changes"
	clean
fi
while IFS=$'\t' read -r image codes word; do
	reading
	refusing "$codes" "$word"
	others_refuse "$codes"
	clean
done <"$work/list"
