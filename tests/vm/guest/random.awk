# A seed and what a fresh group has in, the plan of a random tree out.
#
#   awk -v seed=N -v sep=C -v disk0=8:0 -v disk1=8:16 -f random.awk FILES
#
# FILES: lines "MOUNT <tab> VERSION <tab> CONTROLLERS <tab> FILE", for every file of the table that a fresh group there has.
# The plan: lines of fields parted by C, to be done in their order:
#   mkdir PATH, must PATH VALUE (the kernel has to take it), put PATH VALUE (it may refuse it), join PATH TASK, thread PATH N,
#   mode PATH MODE, owner PATH UID:GID, fault TEXT
# Each hierarchy gets a tree of its own. Numbers come from a generator of our own, so a seed means the same everywhere.
BEGIN {
	FS = "\t"
	state = seed % 2147483646 + 1
	for (warm = 0; warm < 8; warm++) below(2)
	for (warm = 0; warm < 255; warm++) longest = longest (warm % 7 ? "n" : "-")
	odd = split("two words|żółw ☃|.hidden|...|-dash| blank first|blank last |a\tb|co:lon,|back\\slash|gone (deleted)|\"quoted\"|$(x) `y` *|%s%n|\377\200|日本語|" longest, names, "|")
	tasks = split("leader one two three four five web idle child grandchild", task, " ")
}
{
	if (!($1 in version)) mounts[++count] = $1
	version[$1] = $2
	controllers[$1] = $3
	has[$1] = has[$1] " " $4
}
END {
	# A partition takes a CPU from all others, so it is rare.
	for (m = 1; m <= count; m++) {
		if (version[mounts[m]] == 1) plan_v1(mounts[m])
		else plan_v2(mounts[m])
	}
}

# --- dice: Lehmer's generator, exact in a double ---

function below(end) {
	state = state * 16807 % 2147483647
	return int(state / 2147483647 * end)
}
function between(low, high) { return low + below(high - low + 1) }
function chance(percent) { return below(100) < percent }
function one_of(list,   parts, number) {
	number = split(list, parts, "|")
	return parts[1 + below(number)]
}
# Pages, from 4 MiB on: less would not leave the tasks room to end.
function pages() { return sprintf("%.0f", 4194304 + 4096 * one_of(below(100) "|" below(65536) "|" below(2147483647))) }
# Large as often as small.
function wide(high,   size) {
	size = one_of("10|1000|100000|10000000|4294967295")
	return sprintf("%.0f", 1 + below(size < high ? size : high))
}

# --- the plan ---

function say(op, path, value) { print op sep path sep value }
function file_of(group, file) { return mount path[group] "/" file }
function put(group, file, value) { if (here[file]) say("put", file_of(group, file), value) }
function must(group, file, value) { if (here[file]) say("must", file_of(group, file), value) }

# A tree of 2 to 7 groups, on v2 up to 16: path, parent, depth, kids, and last as their number. The first is cgraft-t. One in six is as
# deep as it can be, one in six as wide.
function grow(where,   list, parts, number, i, name, taken, shape_of_all) {
	mount = where
	split("", here); split("", path); split("", parent); split("", kids); split("", depth); split("", used)
	number = split(has[where], parts, " ")
	for (i = 1; i <= number; i++) here[parts[i]] = 1
	last = between(2, version[where] == 1 ? 7 : 16)
	path[1] = "/cgraft-t"; parent[1] = 0; depth[1] = 1
	shape_of_all = one_of("deep|wide|any|any|any|any")
	for (i = 2; i <= last; i++) {
		parent[i] = chance(50) ? i - 1 : between(1, i - 1)
		if (shape_of_all == "deep") parent[i] = i - 1
		else if (shape_of_all == "wide" || depth[parent[i]] > 6) parent[i] = 1
		if (depth[parent[i]] > 12) parent[i] = 1 # names are long
		name = chance(60) ? names[1 + below(odd)] : "g" i
		if ((parent[i], name) in used) name = "g" i
		used[parent[i], name] = 1
		path[i] = path[parent[i]] "/" name
		depth[i] = depth[parent[i]] + 1
		kids[parent[i]]++
	}
}

# To a user, as cgroup-v2.rst says: the group, and the files by which tasks and controllers go in it.
function delegate(i,   number, parts, k, user) {
	user = between(1, 70000) ":" between(1, 70000)
	say("owner", mount path[i], user)
	number = split("cgroup.procs|cgroup.threads|cgroup.subtree_control|tasks", parts, "|")
	for (k = 1; k <= number; k++) if (here[parts[k]]) say("owner", file_of(i, parts[k]), user)
}

# Owners and modes, last of all: root may write whatever the mode.
function owners(   i, number, parts, file) {
	for (i = 1; i <= last; i++) {
		if (chance(15)) delegate(i)
		if (chance(15)) say("owner", mount path[i], between(1, 70000) ":" between(0, 70000))
		if (chance(15)) say("mode", mount path[i], one_of("700|750|711|775|2755"))
		if (!chance(15)) continue
		number = split(has[mount], parts, " ")
		file = parts[1 + below(number)]
		if (version[mount] == 2 && !offered(i, file)) continue
		say("owner", file_of(i, file), between(1, 70000) ":" between(0, 70000))
		if (file != "devices.list") say("mode", file_of(i, file), one_of("600|640|664|666"))
	}
}

# --- version 1 ---

function plan_v1(where,   i) {
	grow(where)
	for (i = 1; i <= last; i++) {
		say("mkdir", mount path[i], "")
		early_v1(i)
	}
	for (i = 1; i <= tasks; i++) if (chance(90)) say("join", mount path[between(1, last)], task[i])
	say("join", mount path[between(1, last)], "threads")
	for (i = 1; i <= 2; i++) if (chance(60)) say("thread", mount path[between(1, last)], i)
	for (i = 1; i <= last; i++) values_v1(i)
	# After all siblings have their lists; the kernel knows which can be.
	for (i = 1; i <= last; i++) {
		if (chance(40)) put(i, "cpuset.cpu_exclusive", 1)
		if (chance(40)) put(i, "cpuset.mem_exclusive", 1)
	}
	owners()
	for (i = 1; i <= last; i++) if (chance(15)) put(i, "freezer.state", "FROZEN")
}

# What has to be there before children and tasks.
function early_v1(i) {
	if (chance(30)) must(i, "cgroup.clone_children", below(2))
	if (chance(50)) must(i, "notify_on_release", below(2))
	cpus[i] = i > 1 && cpus[parent[i]] != "0-1" ? cpus[parent[i]] : one_of("0|1|0-1|0-1")
	must(i, "cpuset.cpus", cpus[i])
	must(i, "cpuset.mems", 0)
	if (here["devices.list"]) devices(i)
	if (chance(40)) put(i, "net_cls.classid", one_of("0|1048577|4294967295|" wide(4294967295)))
	if (chance(40)) put(i, "net_prio.ifpriomap", "lo " one_of("0|7|4294967295"))
	if (chance(40)) put(i, "net_prio.ifpriomap", "dummy0 " wide(4294967295))
	# A parent's budget is shared by its children.
	rt[i] = i == 1 ? 100000 : int(rt[parent[i]] / (kids[parent[i]] + 1))
	if (chance(70) && rt[i] > 0) put(i, "cpu.rt_runtime_us", rt[i])
	else rt[i] = 0
}

# rules[i] is empty for all devices, else the rules that are left.
function devices(i,   rule, number, kept, parts, k) {
	rules[i] = i > 1 ? rules[parent[i]] : ""
	if (rules[i] != "") {
		# Children have the parent's list; some rules may be taken away.
		number = split(rules[i], parts, "|")
		kept = ""
		for (k = 1; k <= number; k++) {
			if (k > 1 && chance(25)) say("must", file_of(i, "devices.deny"), parts[k])
			else kept = kept (kept == "" ? "" : "|") parts[k]
		}
		rules[i] = kept
		return
	}
	if (!chance(50)) return
	say("must", file_of(i, "devices.deny"), "a")
	number = split("c 1:3 rwm|c 1:5 rw|c 5:* r|b *:* m|c 10:200 rwm|b " disk0 " r|b " disk1 " rw", parts, "|")
	for (k = 1; k <= number; k++) {
		if (k > 1 && !chance(50)) continue
		say("must", file_of(i, "devices.allow"), parts[k])
		rules[i] = rules[i] (rules[i] == "" ? "" : "|") parts[k]
	}
}

function values_v1(i,   number, parts, k) {
	bandwidth_v1(i)
	memory_v1(i)
	number = split(has[mount], parts, " ")
	for (k = 1; k <= number; k++) if (chance(40)) value_v1(i, parts[k])
}

# A child's part of its period is at most its parent's.
function bandwidth_v1(i,   period, quota) {
	share[i] = i == 1 ? 2 : share[parent[i]]
	if (!here["cpu.cfs_quota_us"] || !chance(50)) return
	period = between(10000, 1000000)
	quota = int(period * share[i] * between(50, 95) / 100)
	put(i, "cpu.cfs_period_us", period)
	if (quota < 1000 || chance(20)) return
	put(i, "cpu.cfs_quota_us", quota)
	share[i] = quota / period * 0.999
	if (chance(50)) put(i, "cpu.cfs_burst_us", below(quota + 1))
}

function memory_v1(i,   limit) {
	if (!here["memory.limit_in_bytes"]) return
	limit = pages()
	if (chance(50)) put(i, "memory.limit_in_bytes", limit)
	else limit = 0
	if (limit && chance(50)) put(i, "memory.memsw.limit_in_bytes", sprintf("%.0f", limit + 4096 * one_of("0|1|5000")))
}

function value_v1(i, file) {
	if (file ~ /^cpu\.shares$/) return put(i, file, one_of("2|3|262144|" between(2, 262144)))
	if (file == "cpu.idle") return chance(30) ? put(i, file, 1) : 0
	if (file ~ /^cpu\.uclamp/) return put(i, file, uclamp())
	if (file ~ /^cpuset\.(memory_migrate|mem_hardwall|memory_spread_page|memory_spread_slab|sched_load_balance)$/) return put(i, file, below(2))
	if (file == "cpuset.sched_relax_domain_level") return put(i, file, between(-1, 1))
	if (file == "memory.swappiness") return put(i, file, between(0, 100))
	if (file ~ /^memory\.(soft_limit|kmem\.tcp\.limit)_in_bytes$/) return put(i, file, pages())
	if (file == "memory.move_charge_at_immigrate") return put(i, file, between(0, 3))
	if (file == "memory.oom_control") return put(i, file, below(2))
	if (file == "blkio.bfq.weight") return put(i, file, one_of("1|1000|" between(1, 1000)))
	if (file == "blkio.bfq.weight_device") return put(i, file, disk1 " " between(1, 1000))
	if (file ~ /^blkio\.throttle/) return put(i, file, one_of(disk0 "|" disk1) " " one_of("1|4294967294|" wide(4294967294)))
	if (file == "blkio.prio.class") return put(i, file, one_of("none-to-rt|restrict-to-be|idle|no-change"))
	if (file ~ /^hugetlb\.2MB/) return put(i, file, 2097152 * below(1000))
	if (file ~ /^hugetlb\.1GB/) return put(i, file, 1073741824 * below(3))
	if (file == "pids.max") return put(i, file, pids())
	if (file == "notify_on_release") return put(i, file, below(2))
	lacks(file, "^(cgroup\\.(clone_children|procs)|tasks|devices\\.list|freezer\\.state|net_.*|cpu\\.(cfs|rt)_.*|cpuset\\.(cpus|mems|.*_exclusive)|memory\\.(memsw\\.)?limit_in_bytes)$")
}

# --- version 2 ---

# Shapes: "inner" hands down any controllers and holds no task; "leaf" holds tasks; "root" of threads and the "threaded" groups below
# it hold tasks and hand down threaded controllers only.
function plan_v2(where,   i) {
	grow(where)
	shapes()
	partition = here["cpuset.cpus.partition"] && chance(15)
	for (i = 1; i <= last; i++) say("mkdir", mount path[i], "")
	for (i = 1; i <= last; i++) if (shape[i] == "threaded") say("must", file_of(i, "cgroup.type"), "threaded")
	for (i = 1; i <= last; i++) hand_down(i)
	if (partition) partitions()
	join_v2()
	for (i = 1; i <= last; i++) values_v2(i)
	owners()
	for (i = 1; i <= last; i++) {
		if (chance(15)) say("put", file_of(i, "cgroup.max.depth"), one_of("max|" below_depth(i) "|" between(9, 2147483646)))
		if (chance(15)) say("put", file_of(i, "cgroup.max.descendants"), one_of("max|" below_count(i) "|" between(9, 2147483646)))
		if (chance(10)) put(i, "cgroup.freeze", 1)
	}
}

function shapes(   i, over) {
	for (i = 1; i <= last; i++) {
		over = i > 1 ? shape[parent[i]] : "inner"
		if (over == "root" || over == "threaded") shape[i] = "threaded"
		else if (!kids[i]) shape[i] = "leaf"
		else shape[i] = chance(40) ? "root" : "inner"
	}
}

function hand_down(i,   parts, number, k, list) {
	offers[i] = ""
	over = " " (i == 1 ? controllers[mount] : offers[parent[i]]) " "
	if (!kids[i]) return
	number = split(over, parts, " ")
	for (k = 1; k <= number; k++) {
		if (shape[i] != "inner" && parts[k] !~ /^(cpu|cpuset|pids)$/ || chance(20)) continue
		offers[i] = offers[i] " " parts[k]
		list = list (list == "" ? "" : " ") "+" parts[k]
	}
	if (list != "") say("must", file_of(i, "cgroup.subtree_control"), list)
}

# Whether the group has the file: its controller comes from the parent.
function offered(i, file,   controller) {
	controller = file
	sub(/\..*/, "", controller)
	return controller == "cgroup" || index(" " (i == 1 ? controllers[mount] : offers[parent[i]]) " ", " " controller " ")
}

# CPU 1 for cgraft-t, or for a group below to which every group above gives it.
function partitions(   i, kind) {
	kind = one_of("root|isolated")
	say("must", file_of(1, "cpuset.cpus"), 1)
	if (here["cpuset.cpus.exclusive"] && chance(50)) {
		for (i = 2; i <= last && !(parent[i] == 1 && offered(i, "cpuset.cpus")); i++);
		if (i <= last) {
			say("must", file_of(1, "cpuset.cpus.exclusive"), 1)
			say("must", file_of(i, "cpuset.cpus"), 1)
			say("must", file_of(i, "cpuset.cpus.exclusive"), 1)
			say("part", file_of(i, "cpuset.cpus.partition"), kind)
			return
		}
	}
	say("part", file_of(1, "cpuset.cpus.partition"), kind)
}

function join_v2(   i, number, able, roots, home) {
	for (i = 1; i <= last; i++) {
		if (shape[i] != "inner") able[++number] = i
		if (shape[i] == "root") roots[++home] = i
	}
	for (i = 1; i <= tasks; i++) if (chance(90)) say("join", mount path[able[1 + below(number)]], task[i])
	if (!home) {
		say("join", mount path[able[1 + below(number)]], "threads")
		return
	}
	home = roots[1 + below(home)]
	say("join", mount path[home], "threads")
	number = 0
	for (i = 1; i <= last; i++) if (i == home || index(path[i], path[home] "/") == 1) able[++number] = i
	for (i = 1; i <= 2; i++) if (chance(80)) say("thread", mount path[able[1 + below(number)]], i)
}

function values_v2(i,   number, parts, k) {
	if (offered(i, "cpu.max")) bandwidth_v2(i)
	number = split(has[mount], parts, " ")
	for (k = 1; k <= number; k++) if (offered(i, parts[k]) && chance(40)) value_v2(i, parts[k])
}

# Here a child may have more than its parent.
function bandwidth_v2(i,   period, quota) {
	if (!chance(50)) return
	period = between(1000, 1000000)
	quota = chance(25) ? "max" : between(1000, 2000000)
	put(i, "cpu.max", quota " " period)
	if (chance(50)) put(i, "cpu.max.burst", below(quota == "max" ? 1000000 : quota + 1))
	if (chance(20)) put(i, "cpu.idle", 1)
	else put(i, "cpu.weight", one_of("1|10000|" between(1, 10000)))
}

function value_v2(i, file) {
	if (file ~ /^cpu\.uclamp/) return put(i, file, uclamp())
	if (file == "cpuset.cpus") return partition ? 0 : put(i, file, one_of("0|1|0-1"))
	if (file == "cpuset.mems") return put(i, file, 0)
	if (file == "cpuset.cpus.exclusive") return partition ? 0 : put(i, file, one_of("0|1|0-1"))
	if (file ~ /^memory\.(oom\.group|zswap\.writeback)$/) return put(i, file, below(2))
	if (file ~ /^memory\.(min|low)$/) return put(i, file, one_of("max|0|4096|" pages()))
	if (file ~ /^memory\.(swap|zswap)/) return put(i, file, one_of("max|0|4096|" pages()))
	if (file ~ /^memory\.(high|max)$/) return put(i, file, one_of("max|" pages()))
	if (file == "io.max") return put(i, file, one_of(disk0 "|" disk1) disk_limits())
	if (file == "io.weight") return put(i, file, one_of("default 1|default 10000|default " between(1, 10000) "|" disk0 " " between(1, 10000)))
	if (file == "io.bfq.weight") return put(i, file, one_of("default 1|default 1000|default " between(1, 1000) "|" disk1 " " between(1, 1000)))
	if (file == "io.latency") return put(i, file, one_of(disk0 "|" disk1) " target=" between(1, 1000000))
	if (file == "io.prio.class") return put(i, file, one_of("none-to-rt|restrict-to-be|idle|no-change"))
	if (file ~ /^hugetlb\.2MB/) return put(i, file, 2097152 * below(1000))
	if (file ~ /^hugetlb\.1GB/) return put(i, file, 1073741824 * below(3))
	if (file == "pids.max") return put(i, file, pids())
	if (file == "cgroup.pressure") return put(i, file, below(2))
	lacks(file, "^(cgroup\\.(type|procs|threads|subtree_control|freeze|max\\..*)|cpu\\.(max|max\\.burst|idle|weight)|cpuset\\.cpus\\.partition)$")
}

function disk_limits(   text) {
	if (chance(60)) text = text " rbps=" between(2, 2000000000)
	if (chance(60)) text = text " wbps=" between(2, 2000000000)
	if (chance(60)) text = text " riops=" between(2, 2000000000)
	return text " wiops=" one_of("max|2|4294967294")
}

function below_count(i,   k, number) {
	for (k = 1; k <= last; k++) if (index(path[k], path[i] "/") == 1) number++
	return number + 0
}
function below_depth(i,   k, deepest) {
	deepest = depth[i]
	for (k = 1; k <= last; k++) if (index(path[k], path[i] "/") == 1 && depth[k] > deepest) deepest = depth[k]
	return deepest - depth[i]
}

# --- both ---

function uclamp() { return one_of("0|100|max|" between(0, 99) "." between(10, 99)) }
function pids() { return one_of("max|0|4194304|" between(1, 4000000)) }

# A file of the table that nothing above gives a value: the generator is incomplete. Some cannot be set here: refused or ignored by
# the kernel, or without a device to name.
function lacks(file, elsewhere) {
	if (file !~ elsewhere && file !~ /^(memory\.kmem\.limit_in_bytes|memory\.use_hierarchy|(rdma|misc|dmem)\..*)$/) say("fault", "no value for " file, "")
}
