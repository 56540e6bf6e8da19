#!/bin/sh
# The independent comparer: prints what a tree of control groups is configured with. Shares nothing with cgraft.
#
#   snapshot.sh tree MOUNT GROUP   a sorted line for each configuration file of GROUP (/a/b) and of all below:
#                                  GROUP <tab> FILE <tab> MODE:UID:GID <tab> VALUE
#                                  newlines in a value are printed as |. The group's directory is the file ".".
#   snapshot.sh members FILE       FILE holds lines "NAME PID"; a sorted line for each thread and hierarchy:
#                                  CONTROLLERS <tab> NAME, or NAME/1 and on for further threads <tab> GROUP
#
# A configuration file is one its owner may read and write, less counters and triggers. Membership files come without value.
export LC_ALL=C

tree() {
	cd "$1$2" || exit 1
	find . \( -type d -o -type f \) -exec stat -c '%A %a:%u:%g %n' {} + | awk -v top="$2" '
	function is_membership(file) {
		return file == "cgroup.procs" || file == "cgroup.threads" || file == "tasks"
	}
	# Numbers that a write resets, and files that make the kernel do something.
	function is_no_setting(file) {
		return file ~ /failcnt$|max_usage_in_bytes$|\.peak$|^cpuacct\.usage/ ||
			file ~ /^(cpu|memory|io|irq)\.pressure$|^memory\.shown_ram_in_bytes$/
	}
	# Read-only, and yet the only place where these settings can be seen.
	function is_shown_only(file) {
		return file == "devices.list" || file == "freezer.self_freezing"
	}
	# Lines of one device each: their order tells when the kernel first met the device, nothing more.
	function is_by_device(file) {
		return file ~ /^io\.(max|latency|low|weight|bfq\.weight)$|^blkio\..*_device$/
	}
	function join_sorted(lines, count,   i, j, line, joined) {
		for (i = 2; i <= count; i++) {
			line = lines[i]
			for (j = i - 1; j > 0 && lines[j] > line; j--) lines[j + 1] = lines[j]
			lines[j + 1] = line
		}
		for (i = 1; i <= count; i++) joined = joined lines[i] "|"
		return joined
	}
	function read_value(path, file,   line, value, count, lines) {
		while ((getline line < path) > 0) {
			lines[++count] = line
			value = value line "|"
		}
		close(path)
		if (is_by_device(file)) value = join_sorted(lines, count)
		# The flag is a setting, the other lines are events.
		if (file == "memory.oom_control") value = lines[1] "|"
		# FREEZING is FROZEN seen too early.
		if (value == "FREEZING|") value = "FROZEN|"
		# Unlimited has other names before the first write and for each page size.
		if (file ~ /^hugetlb\./ && value ~ /^9223372[0-9]+\|$/) value = "max|"
		return value
	}
	{
		path = substr($0, length($1) + length($2) + 3)
		is_group = $1 ~ /^d/
		group = path
		file = "."
		if (!is_group) {
			match(path, /[^\/]*$/)
			file = substr(path, RSTART)
			group = substr(path, 1, RSTART - 2)
		}
		group = top substr(group, 2)
		if (is_group || is_membership(file))
			print group "\t" file "\t" $2 "\t-"
		else if ($1 ~ /^-rw/ && !is_no_setting(file) || is_shown_only(file))
			print group "\t" file "\t" $2 "\t" read_value(path, file)
	}' | sort
}

members() {
	file=$1
	set --
	while read -r name pid; do
		folders=$(cd "/proc/$pid/task" && echo *)
		case $folders in *" "*) folders=$(echo "$folders" | tr ' ' '\n' | sort -n) ;; esac
		thread=0
		for folder in $folders; do
			label=$name
			[ $thread = 0 ] || label=$name/$thread
			thread=$((thread + 1))
			set -- "$@" "label=$label" "/proc/$pid/task/$folder/cgroup"
		done
	done <"$file"
	[ $# = 0 ] || awk '{
		rest = substr($0, index($0, ":") + 1)
		colon = index(rest, ":")
		print substr(rest, 1, colon - 1) "\t" label "\t" substr(rest, colon + 1)
	}' "$@" | sort
}

case $1 in
	tree) tree "$2" "$3" ;;
	members) members "$2" ;;
	*) sed -n '4,8s/^#  *//p' "$0"; exit 2 ;;
esac
