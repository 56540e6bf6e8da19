# What a dump holds, without restoring it: every configuration file and group of the comparer's list, with value, owner
# and mode, and every membership. The image is read from `cgraft decode` by an awk script that shares nothing with it.
. /vm/lib.sh
. /vm/tree.sh
test=image
image=/run/i.img

# Both lists in one spelling: a hierarchy by one of its controllers, what the image keeps shorter than the kernel prints.
in_one_spelling() {
	awk -F "$tab" -v OFS="$tab" '
	function sorted(value,   count, lines, i, j, line, joined) {
		count = split(value, lines, "|")
		for (i = 2; i <= count; i++) {
			line = lines[i]
			for (j = i - 1; j > 0 && lines[j] > line; j--) lines[j + 1] = lines[j]
			lines[j + 1] = line
		}
		for (i = 1; i <= count; i++) joined = joined (i > 1 ? "|" : "") lines[i]
		return joined
	}
	{ sub(/,.*/, "", $1); sub(/^name=/, "", $1) }
	$1 == "" || $1 == "cgroup" { $1 = "unified" }
	$3 == "cgroup.procs" || $3 == "cgroup.threads" || $3 == "tasks" { $5 = "-" }
	# cpu.weight on another scale: the table refuses it.
	$3 == "cpu.weight.nice" { next }
	{ sub(/\|$/, "", $5) }
	$3 == "memory.oom_control" { sub(/^oom_kill_disable /, "", $5) }
	$3 == "cpuset.cpus.partition" { sub(/ .*/, "", $5) }
	$3 ~ /^hugetlb\./ && $5 ~ /^9223372/ { $5 = "max" }
	$5 == "9223372036854775807" { $5 = "-1" }
	$3 ~ /^io\.|^blkio\..*_device$/ { $5 = sorted($5) }
	# The image has the group'"'"'s own state under the name that can be written.
	$3 == "freezer.state" { $4 = "" ; $5 = own[$2] != "" ? own[$2] : $5 }
	$3 == "freezer.self_freezing" { own[$2] = $5 == 1 ? "FROZEN" : "THAWED"; next }
	{ print }' "$1" | sort
}

# holds WHAT: nothing of the snapshot is missing in the image or other there.
holds() {
	/bin/cgraft decode --pretty -i $image | awk -f /vm/image.awk >/run/image.raw
	in_one_spelling /run/image.raw >/run/image.lines
	snapshot /run/values
	in_one_spelling /run/values >/run/values.lines
	awk 'NR == FNR { there[$0]; next } !($0 in there)' /run/image.lines /run/values.lines >/run/missing || return
	if [ -s /run/values.lines ] && [ ! -s /run/missing ]; then
		ok "$1: all $(grep -c . /run/values.lines) files and groups"
	else
		not_ok "$1: $(grep -c . /run/missing) of $(grep -c . /run/values.lines) files and groups are missing or other"
		awk -F "$tab" 'NR == FNR { there[$1 FS $2 FS $3] = $4 " " $5; next } { print $0, "| image: " there[$1 FS $2 FS $3] }' \
			/run/image.lines /run/missing | head -n 20
	fi
}

# joined WHAT: the sets of the tasks say where /proc has them.
joined() {
	members /run/members
	/bin/cgraft show --json -i $image | tr '{' '\n' >/run/show
	for task in $(awk '{ print $2 }' $tasks) $tid_1 $tid_2; do
		set=$(sed -n "s/.*\"tid\": $task,.*\"set\": \([0-9]*\)}.*/\1/p" /run/show)
		awk -v set="$set" '
			$0 ~ "^\"id\": " set ", " {
				getline
				sub(/}.*/, "")
				count = split($0, members, "\", \"")
				for (at = 1; at <= count; at++) {
					sub(/^.*": "/, "", members[at])
					sub(/"$/, "", members[at])
					gsub(/\\\\/, "\\", members[at])
					print members[at]
				}
			}' /run/show
	done >/run/image.paths
	cut -f 3 /run/members | sort >/run/live.paths
	sort /run/image.paths | cmp -s - /run/live.paths && [ -s /run/live.paths ] && ok "$1: $(grep -c . /run/live.paths) memberships" ||
		{ not_ok "$1: memberships differ"; sort /run/image.paths | diff - /run/live.paths | head -n 10; }
}

start_tasks
build wide
succeeds "dump of a path" dump --cgroup /cgraft-t -i $image
holds "dump of a path"
joined "dump of a path"
succeeds "dump of everything" dump --all -i $image
holds "dump of everything"
destroy
stop_tasks
finish
