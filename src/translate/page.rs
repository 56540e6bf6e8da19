//! The code in, docs/translation.md out; a test fails when the page is not what the code does.
//!
//! What a file becomes and the values of the examples are made by [`super::part`]; only the words are written here.

extern crate std;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::controllers::Controllers;
use super::samples::{first, pairs};
use super::weight::{BFQ, CFQ, IO, Shares, Weights};
use crate::error::Why;
use crate::property::page::assert_written;
use crate::property::{Fresh, Host, Property, Unit, Version, all, find};

const HEAD: &str = "\
# From one cgroup version to the other

Made from `src/translate`; do not edit. After a change there: `CGRAFT_WRITE_DOCS=1 cargo test translation_page`

A value of cgroup v1 that has an equal in v2 is converted, and back. Where tools differ there is a choice; the first
one named is what cgraft does if nothing else is asked for. A value that is set and has no equal is lost, and told; a
value that is a fresh group's is not told, and becomes a fresh group's value. Text that no kernel prints is never guessed
at: it is lost.

Files that are one file of the other version are converted together: `+` stands between their values, and between the
files if one becomes several. `|` is the end of a line in a value. What a file becomes, and its example's value there,
are computed.

## Choices

| choice | what | who does so |
|---|---|---|
| shares: quadratic | `ceil(10^((l^2 + 125 l)/612 - 7/34))`, l = log2(shares); keeps the ends and 1024 = 100 | opencontainers/cgroups 0.0.3 (runc 1.3.2), crun 1.23 |
| shares: linear | `1 + (shares - 2) * 9999 / 262142`; 1024 is 39, for fresh groups as well: 2048 is 79, which must not be less than a fresh sibling | runc and crun before, Kubernetes |
| shares: proportional | `shares * 100 / 1024`, rounded; keeps all ratios up to 102400 | the kernel itself, systemd up to 257 (rounded down) |
| weights: proportional | `weight * 100 / 500` from blkio.weight, the same number from blkio.bfq.weight; keeps ratios, and a fresh group is a fresh group | systemd up to 257 (rounded down) |
| weights: range | `1 + (weight - 10) * 9999 / 990` to io.weight, the same number to io.bfq.weight; 500 is 4950, for fresh groups as well | runc, crun |
| soft limit: low | memory.low | runc, crun, the OCI runtime specification |
| soft limit: high | memory.high | libcgroup |
| bfq | io.bfq.weight on v2, blkio.bfq.weight on v1, where groups have that file; io.weight and blkio.weight otherwise | runc, crun |

Back, from weight to shares, goes the largest number of shares with this weight, so that every weight comes back as
itself. systemd, Kubernetes and others compute the inverse and round down, which gives a slightly smaller number.
";

const COLUMNS: &str = "\
| File | Becomes | Example | There | Rule | Lost |
|---|---|---|---|---|---|
";

const TAIL: &str = "
## Controllers

A v1 group is there for a controller because it has a directory in its hierarchy; a v2 group is if all groups above it
hand the controller down. So `cgroup.subtree_control` of a group has the controllers of all v1 hierarchies in which the
group has children. cpuacct needs none: cpu.stat counts in every group, and the controller cpu would share out time where
nobody did. A group with tasks of its own cannot hand down those that are for processes only.

| v1 | v2 | for processes only |
|---|---|---|
";

/// File of v1 or v2, a value that is set (with its siblings), the rule in words, what is lost.
type Note = (&'static str, &'static str, &'static str, &'static str);

const V1: &[Note] = &[
	(
		"memory.limit_in_bytes",
		"memory.limit_in_bytes=268435456",
		"same number; down to pages of the target, but never to nothing",
		"v1 refuses a limit below the usage, v2 kills",
	),
	(
		"memory.memsw.limit_in_bytes",
		"memory.memsw.limit_in_bytes=536870912; memory.limit_in_bytes=268435456",
		"less the limit of memory; without one the number itself (runc)",
		"memory and swap can no longer stand in for each other",
	),
	(
		"memory.soft_limit_in_bytes",
		"memory.soft_limit_in_bytes=134217728",
		"same number, see choices; no limit is no protection",
		"a soft limit is where reclaim begins when the host is short of memory; memory.low protects what is below it, memory.high reclaims at once",
	),
	("memory.swappiness", "memory.swappiness=10", "", "the host's vm.swappiness is for all"),
	(
		"memory.oom_control",
		"memory.oom_control=1",
		"",
		"v2 always kills at the limit; memory.oom.group is something else",
	),
	("memory.use_hierarchy", "memory.use_hierarchy=0", "1 is what v2 does", "each group counted for itself"),
	("memory.kmem.limit_in_bytes", "memory.kmem.limit_in_bytes=1048576", "", "no limit of its own"),
	("memory.kmem.tcp.limit_in_bytes", "memory.kmem.tcp.limit_in_bytes=1048576", "", "no limit of its own"),
	(
		"cpu.shares",
		"cpu.shares=512",
		"see choices; nothing while cpu.idle is 1, which refuses it",
		"with the quadratic formula the ratios, not the order",
	),
	("cpu.cfs_period_us", "cpu.cfs_period_us=50000", "together with the quota; without one `max`", ""),
	(
		"cpu.cfs_quota_us",
		"cpu.cfs_quota_us=50000; cpu.cfs_period_us=200000",
		"`QUOTA PERIOD`; no quota is `max`, no period 100000",
		"",
	),
	("cpu.cfs_burst_us", "cpu.cfs_burst_us=20000", "same number", ""),
	("cpu.rt_runtime_us", "cpu.rt_runtime_us=950000", "", "real-time tasks are limited for the host only"),
	(
		"cpuset.cpus",
		"cpuset.cpus=0-3,8",
		"same list",
		"the list that a v1 group must have stays a list, though v2 would inherit it",
	),
	("cpuset.mems", "cpuset.mems=0", "same list", "as cpuset.cpus"),
	("cpuset.memory_migrate", "cpuset.memory_migrate=1", "what v2 does", "0 with set nodes: v2 moves the pages anyway"),
	(
		"cpuset.cpu_exclusive",
		"cpuset.cpu_exclusive=1",
		"",
		"a partition takes its CPUs from all other groups, an exclusive cpuset only refuses siblings that overlap",
	),
	(
		"cpuset.sched_load_balance",
		"cpuset.sched_load_balance=0",
		"",
		"an isolated partition takes its CPUs from all other groups, this flag does not",
	),
	(
		"blkio.weight",
		"blkio.weight=300; blkio.weight_device=8:0 1000",
		"with blkio.weight_device, see choices",
		"io.weight works only on disks with iocost",
	),
	("blkio.weight_device", "blkio.weight_device=8:0 300", "with blkio.weight", ""),
	(
		"blkio.bfq.weight",
		"blkio.bfq.weight=250",
		"with blkio.bfq.weight_device, see choices; before blkio.weight if both are set",
		"as blkio.weight where groups have no io.bfq.weight",
	),
	("blkio.bfq.weight_device", "blkio.bfq.weight_device=default 200|8:0 50", "with blkio.bfq.weight", ""),
	(
		"blkio.throttle.read_bps_device",
		"blkio.throttle.read_bps_device=8:0 1048576; blkio.throttle.read_iops_device=8:0 100",
		"a line for each disk of any of the four files; 0 is `max`",
		"v2 refuses a limit of 1 before Linux 6.13",
	),
	("blkio.throttle.write_bps_device", "blkio.throttle.write_bps_device=8:0 1048576", "with the other three", ""),
	(
		"blkio.throttle.read_iops_device",
		"blkio.throttle.read_iops_device=8:0 100",
		"with the other three; 4294967295 is `max`",
		"",
	),
	(
		"blkio.throttle.write_iops_device",
		"blkio.throttle.write_iops_device=8:0 100",
		"with the other three; 4294967295 is `max`",
		"",
	),
	("blkio.prio.class", "blkio.prio.class=idle", "same word", ""),
	(
		"devices.list",
		"devices.list=c 1:3 rwm",
		"all devices allowed is no program",
		"needs a BPF program, which is not a value",
	),
	("net_cls.classid", "net_cls.classid=1048577", "", "needs a BPF program"),
	("net_prio.ifpriomap", "net_prio.ifpriomap=lo 0|eth0 5", "", "needs a BPF program"),
	("hugetlb.*.limit_in_bytes", "hugetlb.2MB.limit_in_bytes=4194304", "same number", ""),
	("rdma.max", "rdma.max=mlx4_0 hca_handle=2 hca_object=max", "same lines", ""),
	("misc.max", "misc.max=sev 3", "same lines", ""),
	("dmem.max", "dmem.max=drm/0000:03:00.0/vram0 4096", "same lines", ""),
	("dmem.min", "dmem.min=drm/0000:03:00.0/vram0 4096", "same lines", ""),
	("dmem.low", "dmem.low=drm/0000:03:00.0/vram0 4096", "same lines", ""),
	("freezer.state", "freezer.state=FROZEN", "FROZEN is 1", "v2 can kill a frozen task, v1 cannot"),
	("cgroup.clone_children", "cgroup.clone_children=1", "what v2 does", ""),
	("notify_on_release", "notify_on_release=1", "", "v2 tells in cgroup.events"),
	("blkio.leaf_weight_device", "blkio.leaf_weight_device=8:0 300", "", ""),
	("cgroup.procs", "cgroup.procs=", "no value: owner and mode", "owners of several hierarchies that differ"),
	("tasks", "tasks=", "no value: owner and mode", "owners of several hierarchies that differ"),
];

const V2: &[Note] = &[
	(
		"cpuset.cpus",
		"cpuset.cpus=0-3,8",
		"same list",
		"an empty list inherits; on v1 no task can enter until the parent's list is in it, which is not done here",
	),
	("cpuset.mems", "cpuset.mems=0", "same list", "as cpuset.cpus"),
	("cpuset.cpus.exclusive", "cpuset.cpus.exclusive=1", "", ""),
	("cpuset.cpus.partition", "cpuset.cpus.partition=root", "", "cpu_exclusive is not the same, see there"),
	("cpu.weight", "cpu.weight=59", "see choices; nothing while cpu.idle is 1", ""),
	(
		"cpu.max",
		"cpu.max=50000 200000",
		"period, then quota; `max` is -1",
		"v1 refuses a child a larger part of its period than the parent has",
	),
	(
		"io.weight",
		"io.weight=default 60|8:0 200",
		"see choices",
		"weights above what v1 has: 1000 of blkio is 200 of io",
	),
	(
		"io.bfq.weight",
		"io.bfq.weight=default 60|8:0 200",
		"see choices; before io.weight if both are set",
		"the same where groups have no blkio.bfq.weight",
	),
	("io.prio.class", "io.prio.class=idle", "same word", ""),
	("io.max", "io.max=8:0 rbps=1048576 wbps=max riops=100 wiops=max", "a file for each key; `max` is no line", ""),
	("io.low", "io.low=8:0 rbps=1048576", "", ""),
	("io.latency", "io.latency=8:0 target=100", "", ""),
	("memory.low", "memory.low=134217728", "same number, see choices; 0 is no limit", "as memory.soft_limit_in_bytes"),
	(
		"memory.high",
		"memory.high=134217728",
		"memory.soft_limit_in_bytes if so chosen",
		"as memory.soft_limit_in_bytes",
	),
	("memory.swap.max", "memory.swap.max=4096; memory.max=8192", "and memory.max", "swap limited where memory is not"),
	("memory.max", "memory.max=268435456", "same number; `max` is -1", ""),
	("hugetlb.*.max", "hugetlb.2MB.max=4194304", "same number; `max` is -1", ""),
	("rdma.max", "rdma.max=mlx4_0 hca_handle=2 hca_object=max", "same lines", ""),
	("misc.max", "misc.max=sev 3", "same lines", ""),
	("dmem.max", "dmem.max=drm/0000:03:00.0/vram0 4096", "same lines", ""),
	("dmem.min", "dmem.min=drm/0000:03:00.0/vram0 4096", "same lines", ""),
	("dmem.low", "dmem.low=drm/0000:03:00.0/vram0 4096", "same lines", ""),
	("cgroup.subtree_control", "cgroup.subtree_control=cpu memory", "what v1 does, in each hierarchy", ""),
	("cgroup.type", "cgroup.type=threaded", "what v1 does: threads may be anywhere", ""),
	("cgroup.freeze", "cgroup.freeze=1", "1 is FROZEN", ""),
	("cgroup.procs", "cgroup.procs=", "no value: owner and mode", ""),
	("cgroup.threads", "cgroup.threads=", "no value: owner and mode", ""),
];

fn notes(version: Version) -> &'static [Note] {
	if version == Version::V1 { V1 } else { V2 }
}

/// The whole page.
fn page() -> String {
	let mut page = HEAD.to_string();
	page += &shares();
	page += &weights();
	for (version, title) in [(Version::V1, "From v1 to v2"), (Version::V2, "From v2 to v1")] {
		page += &format!("\n## {title}\n\n{COLUMNS}");
		all(version).iter().for_each(|property| page += &row(version, property));
	}
	page + TAIL + &controllers()
}

fn shares() -> String {
	let mut text = "\n| cpu.shares | quadratic | linear | proportional |\n|---:|---:|---:|---:|\n".to_string();
	for shares in [2, 10, 102, 256, 512, 1024, 2048, 4096, 10_240, 65_536, 262_144] {
		let [a, b, c] = [Shares::Quadratic, Shares::Linear, Shares::Proportional].map(|formula| formula.weight(shares));
		text += &format!("| {shares} | {a} | {b} | {c} |\n");
	}
	text
}

fn weights() -> String {
	let mut text =
		"\n| blkio.weight | proportional: io.weight, io.bfq.weight | range: io.weight | range: io.bfq.weight |\n\
		|---:|---:|---:|---:|\n"
			.to_string();
	for weight in [10, 100, 300, 500, 1000] {
		let made = |scale, rule| CFQ.to(scale, rule, weight);
		assert_eq!(made(IO, Weights::Proportional), made(BFQ, Weights::Proportional));
		let (a, b, c) = (made(IO, Weights::Proportional), made(IO, Weights::Range), made(BFQ, Weights::Range));
		text += &format!("| {weight} | {a} | {b} | {c} |\n");
	}
	text
}

fn row(version: Version, property: &Property) -> String {
	let file = property.file();
	let note = notes(version).iter().find(|note| note.0 == file);
	let sample =
		note.map_or_else(|| format!("{file}={}", sample(property)).replace('*', "2MB"), |note| note.1.to_string());
	let letters = if file.contains("bfq") { "B" } else { "" };
	let (becomes, there) = outcome(&first(version, &sample, letters));
	let rule = note.map_or_else(|| if becomes.starts_with('`') { "same" } else { "" }, |note| note.2);
	let lost = note.map_or("", |note| note.3);
	let example = pairs(&sample).into_iter().map(|(_, value)| code(&value)).collect::<Vec<_>>().join(" + ");
	format!("| `{file}` | {becomes} | {example} | {there} | {rule} | {lost} |\n")
}

/// The files and the values of what [`first`] gives.
fn outcome(text: &str) -> (String, String) {
	if let Some(why) = text.strip_prefix("lost: ") {
		return (format!("lost: {why}"), String::new());
	}
	if text == "-" {
		return ("nothing".to_string(), String::new());
	}
	let made = pairs(text.trim_end_matches('*'));
	let files: Vec<_> = made.iter().map(|(file, _)| format!("`{}`", file.replace("2MB", "*"))).collect();
	let values: Vec<_> = made.iter().map(|(_, value)| code(value.trim_end_matches('*'))).collect();
	(files.join(" + "), values.join(" + "))
}

fn code(value: &str) -> String {
	match value.is_empty() {
		true => "empty".to_string(),
		false => format!("`{}`", value.replace('\n', "\\|")),
	}
}

/// A value that is set, where no note has one.
fn sample(property: &Property) -> &'static str {
	match (property.unit, property.fresh) {
		_ if property.host == Host::Devices => "c 1:3 rwm",
		(Unit::Flag, Fresh::Is(text)) if text.as_str() == "1" => "0",
		(Unit::Flag, _) => "1",
		(Unit::Bytes, _) => "4194304",
		(Unit::Micros, _) => "20000",
		(Unit::Percent, _) => "50.00",
		(Unit::Weight, _) => "300",
		_ => "3",
	}
}

fn controllers() -> String {
	let mut text = String::new();
	for name in [
		"cpuset",
		"cpu",
		"cpuacct",
		"blkio",
		"memory",
		"hugetlb",
		"pids",
		"rdma",
		"misc",
		"dmem",
		"devices",
		"freezer",
		"net_cls",
		"net_prio",
		"perf_event",
	] {
		let there = Controllers::of_v1(name.as_bytes());
		let only = if there.within(Controllers::DOMAIN).is_empty() { "" } else { "yes" };
		text += &format!(
			"| {name} | {} | {only} |\n",
			there.names().next().map_or("none", |name| str::from_utf8(name).unwrap())
		);
	}
	text
}

#[test]
fn notes_are_of_files_that_are_there() {
	for version in [Version::V1, Version::V2] {
		for (file, sample, ..) in notes(version) {
			let property = all(version).iter().find(|property| property.file() == *file);
			let named = find(version, pairs(sample)[0].0.as_bytes());
			assert_eq!(property.map(Property::file), named.map(Property::file), "{file}");
			assert!(property.is_some(), "{file}");
		}
	}
}

#[test]
fn nothing_that_is_set_is_left_out_without_a_word() {
	for version in [Version::V1, Version::V2] {
		for property in all(version) {
			let row = row(version, property);
			let cells: Vec<_> = row.split(" | ").collect();
			assert!(cells[1] != "nothing" || cells[4].starts_with("what v"), "{row}");
			assert!(!row.contains(Why::OddValue.text()), "{row}");
		}
	}
}

#[test]
fn translation_page() {
	assert_written("docs/translation.md", "translation_page", &page());
}
