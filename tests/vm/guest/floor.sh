# A dump of flat groups of v2 with all its controllers against the floor of tests/bench; no part of the suite. Needs a second processor
# that runs at the same time: CGRAFT_VM_THREADS=multi scripts/vm 6.18 v2 floor.sh
. /vm/lib.sh
test=floor
group=/sys/fs/cgroup/cgraft-floor
count=1500

# best COMMAND...: the shortest of five runs, in hundredths of a second.
best() {
	local least= start used
	for _ in 1 2 3 4 5; do
		start=$(sed 's/ .*//; s/\.//' /proc/uptime)
		"$@" >/run/out 2>&1 || { not_ok "$1: $(tail -n 1 /run/out)"; return; }
		used=$(($(sed 's/ .*//; s/\.//' /proc/uptime) - start))
		[ -n "$least" ] && [ "$least" -le $used ] || least=$used
	done
	echo $least
}

mkdir $group
for controller in $(cat $group/cgroup.controllers); do echo "+$controller" >$group/cgroup.subtree_control; done
seq $count | sed "s|^|$group/g|" | xargs mkdir
files=$(/bin/cgraft dump --cgroup unified:/cgraft-floor/g1 --no-ancestors -i - 2>/dev/null | /bin/cgraft decode -i - | grep -o '"name": "[^"]*"' | cut -d'"' -f4 | grep -vxE 'cgroup.(procs|threads)')
floor=$(best floor $group $files)
dump=$(best /bin/cgraft dump --cgroup unified:/cgraft-floor -i /run/image)
echo "$count groups of v2, $(echo "$files" | wc -l) files each, Linux $(uname -r), $(nproc) processors: floor $floor, dump $dump hundredths of a second"
[ "$dump" -gt 0 ] && ok "dump / floor: $(awk "BEGIN { printf \"%.2f\", $dump / $floor }")" || not_ok "nothing measured"
(cd $group && ls -d g* | xargs rmdir)
rmdir $group
finish
