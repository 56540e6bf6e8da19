# What the translation between the versions makes (src/translate, by translated.tsv) is what this kernel's files take and show.
. /vm/lib.sh
test=translated
disk0=$(cat /sys/block/nvme0n1/dev)     # with iocost on v2
disk1=$(cat /sys/block/nvme1n1/dev)     # with bfq

# place VERSION FILE: a fresh group that has the file.
place() {
	for mount in $(hierarchies "$1"); do
		mkdir "$mount/cgraft-t"
		group=$mount/cgraft-t
		[ ! -e "$group/$2" ] || return 0
		rmdir "$group"
	done
	return 1
}

# The files that have to be written first: a limit below memsw, a quota above its burst.
prepare() {
	case $1 in
		memory.memsw.limit_in_bytes) [ "$2" = -1 ] || echo "$2" >"$group/memory.limit_in_bytes" ;;
		cpu.cfs_burst_us) echo 50000 >"$group/cpu.cfs_quota_us" ;;
		cpu.max.burst) echo 50000 >"$group/cpu.max" ;;
	esac
}

# write FILE VALUE: line by line. The disks of the table are one that is here and others that are not.
write() {
	case $1 in *bfq*) disk=$disk1 ;; *) disk=$disk0 ;; esac
	echo "$2" | tr '|' '\n' | grep -Ev '^8:(16|32) ' | sed "s/^8:0 /$disk /;s/^0-3,8$/0-1/" >/run/lines
	while IFS= read -r line; do
		printf '%s\n' "$line" >"$group/$1" || return
	done </run/lines
}

# shows FILE: every line that was written; v1 has a number for -1, and a disk without limits has no line.
shows() {
	case $(cat /run/lines) in
		-1) grep -Eq '^(-1|92233720[0-9]{11})$' "$group/$1" ;;
		*'rbps=max wbps=max riops=max wiops=max') [ ! -s "$group/$1" ] ;;
		*) ! grep -vxFf "$group/$1" /run/lines >/dev/null ;;
	esac
}

seen=0
while IFS="$tab" read -r version file value; do
	place "$version" "$file" || continue
	seen=$((seen + 1))
	prepare "$file" "$value"
	if ! write "$file" "$value"; then
		not_ok "$file does not take: $value"
	elif ! shows "$file"; then
		not_ok "$file shows: $(cat "$group/$file"), after: $value"
	fi
	rmdir "$group"
done </vm/translated.tsv

# With all of v1 on its own hierarchies, or all of v2 on its one, most of the table is here; newer kernels have less of v1.
least=15
[ -n "$(hierarchies 1)" ] || least=60
if [ $seen -ge $least ]; then
	ok "$seen of $(grep -c . /vm/translated.tsv) values are of files that are here"
else
	not_ok "only $seen values are of files that are here"
fi
finish
