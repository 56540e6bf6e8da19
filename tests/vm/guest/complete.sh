# Every file that can be written in a fresh group, or in a root group, is in the tables of docs/properties.md or on its refused
# lists; and what the tables have is in the image.
. /vm/lib.sh
test=complete

# writable GROUP: "VERSION <tab> FILE <tab> HIERARCHY" of every file that its owner may write.
writable() {
	for version in 1 2; do
		for mount in $(hierarchies $version); do
			(cd "$mount/$1" && find . -maxdepth 1 -type f -perm -200) | sed "s|^\./\(.*\)|$version$tab\1$tab${mount##*/}|"
		done
	done
}

classify() {
	awk -F "$tab" -f /vm/classify.awk "$1" "$2"
}

# none_unknown WHAT LIST
none_unknown() {
	classify /vm/properties.md "$2" >"$2.kinds"
	if ! grep -q '^saved' "$2.kinds"; then
		not_ok "$1: no file of the table is here"
	elif grep '^unknown' "$2.kinds" >/run/unknown; then
		not_ok "$1: neither in the table nor refused:"
		cat /run/unknown
	else
		ok "$1: of $(grep -c . "$2") writable files $(grep -c '^saved' "$2.kinds") are in the table, $(grep -c '^refused' "$2.kinds") refused"
	fi
}

# sees_gap ROW FILE: with a page that lacks the row, exactly these files must be missed, wherever they are.
sees_gap() {
	grep -v "^| \`$1\`" /vm/properties.md >/run/gap.md
	classify /run/gap.md /run/fresh | sed -n "s/^unknown$tab//p" >/run/unknown
	grep "^.$tab$2$tab" /run/fresh >/run/expected
	if [ -s /run/expected ] && cmp -s /run/unknown /run/expected; then
		ok "a table without $1 is seen"
	else
		not_ok "a table without $1 gives $(wc -l </run/unknown) unknown files, not $(wc -l </run/expected)"
	fi
}

# What the table has and this kernel shows is in the image of a fresh group, and nothing else. devices.list is there, but read-only.
image_has_all() {
	succeeds "dump of fresh groups" dump --cgroup /cgraft-f -i /run/fresh.img
	succeeds "decode" decode -i /run/fresh.img
	tr ',' '\n' </run/out | sed -n 's/.*"name": *"\([^"]*\.[^"]*\|tasks\|notify_on_release\)".*/\1/p' | grep -vx 'devices.list' | sort -u >/run/image
	sed -n "s/^saved$tab.$tab\([^$tab]*\)$tab.*/\1/p" /run/fresh.kinds | sort -u >/run/expected
	same "the image has the $(grep -c . /run/expected) files of the table that are here" /run/expected /run/image
}

for mount in $(hierarchies 1) $(hierarchies 2); do
	mkdir "$mount/cgraft-f"
done
writable cgraft-f >/run/fresh
writable . >/run/root
none_unknown "fresh group" /run/fresh
none_unknown "root group" /run/root
sees_gap cgroup.procs cgroup.procs
! grep -q hugetlb /run/fresh || sees_gap 'hugetlb\.\*\.\(limit_in_bytes\|max\)' 'hugetlb\.[0-9]*[MG]B\.\(limit_in_bytes\|max\)'
[ ! -x /bin/cgraft ] || image_has_all
for mount in $(hierarchies 1) $(hierarchies 2); do
	rmdir "$mount/cgraft-f"
done
finish
