# What across-v2.sh dumped from v2 is restored into hierarchies of v1; files are compared with across-back.tsv.
. /vm/lib.sh
test=across-back
top=cgraft-t
disk=$(cat /vm/across.disk)        # the kernel may have numbered the two disks the other way round: the number is what is carried
maps=
while read -r old; do
	sleep 100000 &
	maps="$maps --pid-map $old:$!"
done </vm/back.pids

# found GROUP FILE: in the hierarchy that has it.
found() {
	for mount in $(hierarchies 1); do
		[ ! -e "$mount/$top$1/$2" ] || { cat "$mount/$top$1/$2"; return; }
	done
}

cgraft restore -i /vm/back.img $maps
[ $status != 0 ] && [ -z "$(find /sys/fs/cgroup -name $top)" ] && ok "without --translate it fails" || not_ok "exit $status"
cgraft restore --translate -i /vm/back.img $maps
if [ $status = 6 ] && grep -q 'lost: memory.high of group /cgraft-t/web, 50331648: ' /run/err; then ok "restored, memory.high lost"; else not_ok "exit $status"; cat /run/err; fi
summary skipped 1 "tasks joined" 2
seen=0
while IFS="$tab" read -r group file value; do
	case $group in '#'*) continue ;; esac
	seen=$((seen + 1))
	value=$(echo "$value" | sed "s/^DISK/$disk/")
	[ "$(found "$group" "$file")" = "$value" ] || not_ok "$file of $group: $(found "$group" "$file"), not $value"
done </vm/across-back.tsv
[ $seen = 18 ] && ok "$seen values compared" || not_ok "$seen values compared"
for label in memory cpu,cpuacct pids blkio cpuset hugetlb freezer; do
	grep -q ":$label:/$top/web/db$" "/proc/$!/cgroup" || not_ok "a task is not in its group of $label"
	for file in . cgroup.procs tasks; do
		[ "$(stat -c %u:%g "/sys/fs/cgroup/$label/$top/web/app/$file")" = 100:101 ] || not_ok "owner of $file in $label"
	done
done
succeeds "verify" verify --translate -i /vm/back.img
cgraft restore --translate -i /vm/back.img $maps
summary "groups created" 0 "values written" 0
for mount in $(hierarchies 1); do
	[ -d "$mount/$top" ] || continue
	[ ! -e "$mount/$top/ice/freezer.state" ] || echo THAWED >"$mount/$top/ice/freezer.state"
	for from in $(find "$mount/$top" -name cgroup.procs); do
		while read -r task; do
			echo "$task" >"$mount/cgroup.procs"
		done <"$from"
	done
	find "$mount/$top" -depth -type d -exec rmdir {} \;
done
finish
