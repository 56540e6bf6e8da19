//! The one property table: first all of v1, then all of v2.

use super::entry::Row;
use super::table_v1::V1;
use super::table_v2::V2;
use super::text::is_same;
use super::{Property, Version};

/// Every file that cgraft saves and restores. Inside one group the order of a version's part is the order in which
/// files are read into the image and written back.
pub static TABLE: &[Property] = &joined();

/// The files of one version, in their order.
pub fn all(version: Version) -> &'static [Property] {
	let (v1, v2) = TABLE.split_at(V1.len());
	match version {
		Version::V1 => v1,
		Version::V2 => v2,
	}
}

/// The place of a version's file in [`TABLE`], for the compiler, which stops at a name that is not there.
pub const fn place(version: Version, file: &str) -> usize {
	let mut index = match version {
		Version::V1 => 0,
		Version::V2 => V1.len(),
	};
	while !is_same(row(index).file, file) {
		index += 1;
	}
	index
}

// A set of them is a word of 64 bits.
const _: () = assert!(V1.len() <= 64 && V2.len() <= 64);

const ROWS: usize = V1.len() + V2.len();

const fn row(index: usize) -> &'static Row {
	if index < V1.len() { &V1[index] } else { &V2[index - V1.len()] }
}

const fn joined() -> [Property; ROWS] {
	let mut table = [V1[0].property; ROWS];
	let (mut index, mut at) = (0, 0);
	while index < ROWS {
		let row = row(index);
		let file = File { at: at as u16, len: row.file.len() as u8 };
		table[index] = Property { file, twin: twin(row.twin, index < V1.len()), ..row.property };
		at += row.file.len();
		index += 1;
	}
	assert!(at == NAMES.len());
	table
}

/// The place of a twin in the table; the compiler stops at a name that is not there.
const fn twin(name: &str, is_v1: bool) -> Twin {
	if name.is_empty() {
		return Twin::NONE;
	}
	let mut index = if is_v1 { V1.len() } else { 0 };
	while !is_same(row(index).file, name) {
		index += 1;
	}
	Twin(index as u8)
}

/// A file's name: its place in the names of all files, four bytes instead of a pointer and a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
	at: u16,
	len: u8,
}

impl File {
	/// While a row is written down its name is still elsewhere.
	pub(super) const NONE: File = File { at: 0, len: 0 };

	/// The name.
	pub fn as_str(self) -> &'static str {
		let at = usize::from(self.at);
		NAMES.get(at..at + usize::from(self.len)).unwrap_or("")
	}
}

/// The names of all files, one behind the other.
static NAMES: &str = match core::str::from_utf8(&names()) {
	Ok(names) => names,
	Err(_) => panic!(),
};

const fn names_len() -> usize {
	let (mut index, mut len) = (0, 0);
	while index < ROWS {
		len += row(index).file.len();
		index += 1;
	}
	len
}

const fn names() -> [u8; names_len()] {
	let mut names = [0; names_len()];
	let (mut index, mut at) = (0, 0);
	while index < ROWS {
		let file = row(index).file.as_bytes();
		names.split_at_mut(at).1.split_at_mut(file.len()).0.copy_from_slice(file);
		at += file.len();
		index += 1;
	}
	names
}

/// The other version's file that means nearly the same: its place in [`TABLE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Twin(u8);

impl Twin {
	/// There is no such file.
	pub(super) const NONE: Twin = Twin(u8::MAX);

	/// Its place.
	pub fn index(self) -> Option<u8> {
		(self != Twin::NONE).then_some(self.0)
	}

	/// The file's name, or nothing.
	pub fn as_str(self) -> &'static str {
		TABLE.get(usize::from(self.0)).map_or("", |twin| twin.file())
	}

	/// Its bytes.
	pub fn as_bytes(self) -> &'static [u8] {
		self.as_str().as_bytes()
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::limits;
	use crate::property::{Fresh, Phase, Read, Write, find};
	extern crate std;
	use std::vec::Vec;

	fn criu(version: Version, controller: &str) -> Vec<&'static str> {
		let ours = |property: &&Property| property.criu && property.controller() == controller.as_bytes();
		all(version).iter().filter(ours).map(|property| property.file()).collect()
	}

	/// CRIU 4.2, criu/cgroup-props.c: cgp_parse_builtins and cgp_global.
	const CRIU_V1: &[(&str, &[&str])] = &[
		("cpu", &["cpu.shares", "cpu.cfs_period_us", "cpu.cfs_quota_us", "cpu.rt_period_us", "cpu.rt_runtime_us"]),
		(
			"memory",
			&[
				"memory.limit_in_bytes",
				"memory.memsw.limit_in_bytes",
				"memory.swappiness",
				"memory.soft_limit_in_bytes",
				"memory.move_charge_at_immigrate",
				"memory.oom_control",
				"memory.use_hierarchy",
				"memory.kmem.limit_in_bytes",
				"memory.kmem.tcp.limit_in_bytes",
			],
		),
		(
			"cpuset",
			&[
				"cpuset.cpus",
				"cpuset.mems",
				"cpuset.memory_migrate",
				"cpuset.cpu_exclusive",
				"cpuset.mem_exclusive",
				"cpuset.mem_hardwall",
				"cpuset.memory_spread_page",
				"cpuset.memory_spread_slab",
				"cpuset.sched_load_balance",
				"cpuset.sched_relax_domain_level",
			],
		),
		("blkio", &["blkio.weight"]),
		("freezer", &[]),
		("net_cls", &["net_cls.classid"]),
		("net_prio", &["net_prio.ifpriomap"]),
		("pids", &["pids.max"]),
		("devices", &["devices.list"]),
		("hugetlb", &[]),
		("cgroup", &["cgroup.clone_children", "notify_on_release", "cgroup.procs", "tasks"]),
	];

	#[test]
	fn what_criu_saves_is_marked_and_in_its_order() {
		for (controller, files) in CRIU_V1 {
			assert_eq!(criu(Version::V1, controller), *files, "{controller}");
		}
		let total: usize = CRIU_V1.iter().map(|(_, files)| files.len()).sum();
		assert_eq!(all(Version::V1).iter().filter(|property| property.criu).count(), total);
		let core =
			["cgroup.subtree_control", "cgroup.max.descendants", "cgroup.max.depth", "cgroup.freeze", "cgroup.type"];
		assert_eq!(criu(Version::V2, "cgroup"), core);
		assert_eq!(all(Version::V2).iter().filter(|property| property.criu).count(), core.len());
	}

	#[test]
	fn a_twin_is_a_file_of_the_other_version() {
		for property in TABLE.iter().filter(|property| property.twin != Twin::NONE) {
			let other = if property.version == Version::V1 { Version::V2 } else { Version::V1 };
			assert!(find(other, property.twin.as_bytes()).is_some(), "{}", property.file());
		}
		assert_eq!(find(Version::V1, b"memory.limit_in_bytes").unwrap().twin.as_str(), "memory.max");
		assert_eq!(find(Version::V2, b"memory.max").unwrap().twin.as_str(), "memory.limit_in_bytes");
		assert_eq!(find(Version::V2, b"memory.high").unwrap().twin.as_str(), "");
		assert!(TABLE.len() < usize::from(u8::MAX));
	}

	#[test]
	fn names_are_unique_and_fit() {
		for version in [Version::V1, Version::V2] {
			let files: Vec<_> = all(version).iter().map(|property| property.file()).collect();
			for (index, file) in files.iter().enumerate() {
				assert!(!files[..index].contains(file), "{file}");
				assert!(file.len() + 8 < limits::FILE_BYTES && file.matches('*').count() <= 1, "{file}");
			}
			assert!(files.len() < limits::FILES);
		}
	}

	#[test]
	fn rules_of_a_row_agree_with_each_other() {
		for property in TABLE {
			let file = property.file();
			let never = property.phase == Phase::Never;
			assert_eq!(never, property.read == Read::Owner, "{file}");
			assert_eq!(never, property.write == Write::Nothing, "{file}");
			if let Write::Lines { reset } = property.write {
				assert!(reset.as_str().starts_with(' ') && reset.as_str().len() > 1, "{file}");
			}
			assert_ne!(property.fresh, Fresh::Unknown, "{file}");
		}
	}

	fn place(version: Version, file: &str) -> usize {
		super::super::index_of(version, file.as_bytes()).unwrap()
	}

	#[test]
	fn pairs_are_in_the_order_the_kernel_wants() {
		let v1 = |file| place(Version::V1, file);
		assert!(v1("memory.limit_in_bytes") < v1("memory.memsw.limit_in_bytes"));
		assert!(v1("cpu.cfs_period_us") < v1("cpu.cfs_quota_us"));
		assert!(v1("cpu.cfs_quota_us") < v1("cpu.cfs_burst_us"));
		assert!(v1("cpu.rt_period_us") < v1("cpu.rt_runtime_us"));
		assert!(v1("blkio.bfq.weight") < v1("blkio.bfq.weight_device"));
		let v2 = |file| place(Version::V2, file);
		assert!(v2("cpuset.cpus") < v2("cpuset.cpus.partition"));
		assert!(v2("io.weight") < v2("io.max") && v2("cgroup.max.depth") < v2("cgroup.freeze"));
		// Shares that an idle group shows are taken before idle; a weight is not: it may be 0.
		assert!(v1("cpu.shares") < v1("cpu.idle"));
		assert!(v2("cpu.idle") < v2("cpu.weight") && v2("cpu.max") < v2("cpu.max.burst"));
		assert!(v2("memory.high") < v2("memory.max"));
	}

	#[test]
	fn phases_are_those_the_kernel_wants() {
		let phase = |version, file: &str| find(version, file.as_bytes()).unwrap().phase;
		for file in ["cpuset.cpus", "cpuset.mems", "cpu.rt_runtime_us", "devices.list", "net_cls.classid"] {
			assert_eq!(phase(Version::V1, file), Phase::Create, "{file}");
		}
		// These need the lists of all siblings, or no task that is only passing.
		for file in ["cpuset.cpu_exclusive", "cpuset.mem_exclusive", "cpuset.memory_migrate", "notify_on_release"] {
			assert_eq!(phase(Version::V1, file), Phase::Limit, "{file}");
		}
		for file in ["cgroup.type", "cgroup.subtree_control", "cpuset.mems", "cpuset.cpus.exclusive"] {
			assert_eq!(phase(Version::V2, file), Phase::Create, "{file}");
		}
		// Earlier these would stop mkdir, or kill.
		for file in ["cgroup.max.depth", "cgroup.max.descendants", "memory.max", "pids.max"] {
			assert_eq!(phase(Version::V2, file), Phase::Limit, "{file}");
		}
		for file in ["cpuset.cpus", "cpuset.cpus.partition"] {
			assert_eq!(phase(Version::V2, file), Phase::Join, "{file}");
		}
		let last = TABLE.iter().filter(|property| property.phase == Phase::Freeze).map(|property| property.file());
		assert_eq!(last.collect::<Vec<_>>(), ["freezer.state", "cgroup.freeze"]);
	}

	#[test]
	fn what_must_never_be_written_is_not_in_the_table() {
		for file in ["cgroup.kill", "memory.reclaim", "memory.peak", "cpu.pressure", "cpu.weight.nice", "io.cost.qos"] {
			assert!(find(Version::V2, file.as_bytes()).is_none(), "{file}");
		}
		for file in ["release_agent", "memory.force_empty", "memory.failcnt", "cgroup.event_control", "devices.allow"] {
			assert!(find(Version::V1, file.as_bytes()).is_none(), "{file}");
		}
	}
}
