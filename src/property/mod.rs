//! A file name in, everything cgraft knows about that file out: one table for both cgroup versions.
//!
//! Source: the kernel's cgroup-v1 and cgroup-v2 documents and its source, checked on Linux 4.14 to 7.3; CRIU 4.2's
//! `cgroup-props.c` for what CRIU saves. Nothing else in cgraft names a configuration file. A file that is in neither
//! the table nor the refused list is unknown: it is not read and not written.
//!
//! Pure: no file is opened here. What a value means is in [`value`].

#[cfg(test)]
pub(crate) mod dice;
mod entry;
#[cfg(test)]
pub(crate) mod page;
mod refused;
mod selection;
mod table;
mod table_v1;
mod table_v2;
mod text;

pub mod changes;
pub mod devices;
pub mod human;
pub mod list;
pub mod lists;
pub mod value;

pub use refused::refused;
pub use selection::Selection;
pub use table::{File, TABLE, Twin, all, place};
pub use text::Text;

/// Which of the kernel's two interfaces a hierarchy has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
	/// cgroup v1: one hierarchy for each set of controllers (cgroups(7), Documentation/admin-guide/cgroup-v1).
	V1,
	/// cgroup v2: the unified hierarchy (Documentation/admin-guide/cgroup-v2.rst).
	V2,
}

impl Version {
	/// Of a hierarchy that is, or is not, the unified one.
	pub fn of(unified: bool) -> Self {
		if unified { Version::V2 } else { Version::V1 }
	}
}

/// When a value is written during a restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
	/// Right after mkdir, before the group has children or tasks; parents first.
	Create,
	/// When all groups exist and have what [`Phase::Create`] gives them; tasks may be inside or not.
	Join,
	/// After every task is inside: a limit must not hit the restore itself.
	Limit,
	/// The last write of all.
	Freeze,
	/// Never: the file is kept for its owner and mode only.
	Never,
}

/// How the kernel's text becomes the image's value; see [`value::normalise`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
	/// As it is, without the last newline.
	Plain,
	/// memory.oom_control: the number of its line `oom_kill_disable N`.
	OomFlag,
	/// cpuset.cpus.partition: without the reason behind `invalid`; only the first word is written.
	Partition,
	/// The group's own state from freezer.self_freezing; freezer.state shows the parents' as well.
	Freezer,
	/// Never read: the value is empty, only owner and mode count.
	Owner,
}

/// How a value is written. One write(2) is one command; nothing longer than a page is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
	/// The whole value at once. Never an empty one: a lone newline sets a memory limit to 0.
	Whole,
	/// The whole list at once; an empty one as a newline, which clears it (a write of no bytes does nothing).
	List,
	/// One line for each write: the kernel takes the first line and ignores the rest.
	Lines {
		/// What to write behind a line's key to take the line back, with its leading blank.
		reset: Text,
	},
	/// devices.list: lines to devices.deny, then lines to devices.allow.
	Devices,
	/// devices.list of v2: a BPF program, see [`devices`]. There is no such file.
	Program,
	/// cgroup.subtree_control: names with a sign, see [`value::controller_changes`].
	Controllers,
	/// cgroup.type: `threaded` is the only word that can be written.
	Type,
	/// Nothing is ever written.
	Nothing,
}

/// What the file shows in a group that was just made, with nothing set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fresh {
	/// This text.
	Is(Text),
	/// Any spelling of no limit: it differs with version, page size and huge page size.
	Unlimited,
	/// What the parent shows at mkdir; the root of a host that was just started has this.
	Inherited(Text),
	/// No text, or only lines that say what holds without them.
	Empty,
	/// Not known; never taken for fresh.
	Unknown,
}

/// What a value counts, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
	/// Bytes; `max`, -1 or a number near 2^63 is no limit.
	Bytes,
	/// Microseconds; -1 is no limit.
	Micros,
	/// Microseconds of CPU time in a period of microseconds: `50000 100000`, `max 100000`.
	Bandwidth,
	/// A plain number, or `max`.
	Count,
	/// A share relative to the group's siblings, no unit.
	Weight,
	/// Hundredths of the fastest CPU's capacity with two decimals, or `max`.
	Percent,
	/// 0 or 1.
	Flag,
	/// Numbers of CPUs or memory nodes: `0-3,8`.
	Numbers,
	/// Words.
	Text,
}

/// Which names or numbers of one host the value has in it, so that another host may have to translate them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
	/// None.
	Nothing,
	/// CPU numbers.
	Cpus,
	/// Memory node numbers.
	Nodes,
	/// Numbers of whole disks, `MAJOR:MINOR`, at the start of each line.
	Disks,
	/// Device numbers of any kind (devices.list).
	Devices,
	/// Names of network interfaces of the initial network namespace, at the start of each line.
	Interfaces,
	/// Names of RDMA devices, misc resources or device memory regions, at the start of each line.
	Resources,
	/// A huge page size, in the file's name.
	PageSize,
	/// Traffic class handles (tc(8)).
	Classes,
	/// Names of controllers.
	Controllers,
}

/// One file of a group and its rules. Kept small: there are a hundred of them in the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Property {
	/// See [`Property::file()`].
	file: File,
	/// The interface that has the file. Some names are in both, with different rules.
	pub version: Version,
	/// How it is read.
	pub read: Read,
	/// How it is written.
	pub write: Write,
	/// When it is written.
	pub phase: Phase,
	/// Its value in a fresh group.
	pub fresh: Fresh,
	/// What the value counts.
	pub unit: Unit,
	/// What of the value only makes sense on its own host.
	pub host: Host,
	/// CRIU 4.2 saves it without being asked.
	pub criu: bool,
	/// A deprecated file whose loss is no loss: where a kernel refuses or ignores it, a warning is enough.
	pub advisory: bool,
	/// The first kernel that has it; `<=4.14` is older than what was looked at. For documents, not for the program.
	#[cfg(test)]
	pub since: &'static str,
	/// What else has to be known. For documents, not for the program.
	#[cfg(test)]
	pub note: &'static str,
	/// The other version's file that means nearly the same, or none.
	pub twin: Twin,
}

#[cfg(not(test))]
const _: () = assert!(size_of::<Property>() == 16);

impl Property {
	/// The file's name. `*`, at most one, stands for a huge page size as in `hugetlb.2MB.max`.
	pub fn file(&self) -> &'static str {
		self.file.as_str()
	}

	/// The controller that the file belongs to; `cgroup` for the core files of both versions.
	pub fn controller(&self) -> &'static [u8] {
		controller_of(self.file().as_bytes())
	}
}

/// The property of a file name: the exact name, or a pattern whose star stands for a huge page size.
pub fn find(version: Version, file: &[u8]) -> Option<&'static Property> {
	index_of(version, file).and_then(|index| all(version).get(index))
}

/// The place of a file name in [`all`]`(version)`, which is the order of reading and writing inside one group.
pub fn index_of(version: Version, file: &[u8]) -> Option<usize> {
	index_after(version, file, 0)
}

/// The same; the search begins at `hint`, where the next file of an image mostly is, and goes round.
pub fn index_after(version: Version, file: &[u8], hint: usize) -> Option<usize> {
	let table = all(version);
	let (before, after) = table.split_at(hint.min(table.len()));
	let is_it = |property: &Property| property.file().as_bytes() == file;
	let exact = after.iter().position(is_it).map(|at| hint + at).or_else(|| before.iter().position(is_it));
	exact.or_else(|| table.iter().position(|property| matches(property.file(), file)))
}

/// The controller that a file name belongs to: what stands before its first dot, `cgroup` if it has none (`tasks`,
/// `notify_on_release`).
pub fn controller_of(file: &[u8]) -> &[u8] {
	match file.iter().position(|byte| *byte == b'.') {
		Some(dot) => &file[..dot],
		None => b"cgroup",
	}
}

/// Whether `pattern` has a star and `file` is the pattern with a huge page size for it.
fn matches(pattern: &str, file: &[u8]) -> bool {
	let pattern = pattern.as_bytes();
	let Some(star) = pattern.iter().position(|byte| *byte == b'*') else { return false };
	let rest = file.strip_prefix(&pattern[..star]);
	rest.and_then(|rest| rest.strip_suffix(&pattern[star + 1..])).is_some_and(is_page_size)
}

/// `[0-9]+(KB|MB|GB)`, as hugetlb_cgroup.c: mem_fmt writes it.
fn is_page_size(text: &[u8]) -> bool {
	let digits = [&b"KB"[..], b"MB", b"GB"].iter().find_map(|unit| text.strip_suffix(*unit));
	digits.is_some_and(|digits| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
	use super::*;
	extern crate std;
	use std::vec::Vec;

	const SEEN: &str = include_str!("../../tests/fixtures/property-files.tsv");

	/// (version, file) of every writable file seen in a fresh group on Linux 6.1, 6.12, 6.18 and 7.3.
	fn seen() -> Vec<(Version, &'static str)> {
		let rows = SEEN.lines().skip(1).map(|row| row.split('\t').collect::<Vec<_>>());
		rows.map(|row| (if row[1] == "1" { Version::V1 } else { Version::V2 }, row[3])).collect()
	}

	#[test]
	fn every_writable_file_seen_is_known_or_refused_and_never_both() {
		assert!(seen().len() > 500);
		for (version, file) in seen() {
			let known = find(version, file.as_bytes()).is_some();
			let refused = refused(version, file.as_bytes()).is_some();
			assert!(known != refused, "{version:?} {file}: known {known}, refused {refused}");
		}
	}

	#[test]
	fn fresh_values_seen_on_real_kernels_are_fresh() {
		for row in SEEN.lines().skip(1).map(|row| row.split('\t').collect::<Vec<_>>()) {
			let version = if row[1] == "1" { Version::V1 } else { Version::V2 };
			let Some(property) = find(version, row[3].as_bytes()) else { continue };
			let text = row[5].replace('|', "\n");
			let image = value::normalise(property, text.as_bytes());
			assert!(value::is_default(property, image), "{row:?}");
			let inherited = matches!(property.fresh, Fresh::Inherited(_));
			assert_eq!(value::is_fresh(property, image), !inherited, "{row:?}");
		}
	}

	/// `6.18h` and `<=4.14` as numbers that compare like the kernels.
	fn kernel(text: &str) -> (u32, u32) {
		let (major, minor) = text.trim_start_matches("<=").trim_end_matches('h').split_once('.').unwrap();
		(major.parse().unwrap(), minor.parse().unwrap())
	}

	#[test]
	fn no_kernel_has_a_file_before_its_time() {
		for row in SEEN.lines().skip(1).map(|row| row.split('\t').collect::<Vec<_>>()) {
			let version = if row[1] == "1" { Version::V1 } else { Version::V2 };
			let Some(property) = find(version, row[3].as_bytes()) else { continue };
			assert!(kernel(property.since) <= kernel(row[0]), "{row:?} {}", property.since);
		}
		assert!(all(Version::V2).iter().all(|property| kernel(property.since) >= (4, 14)));
	}

	#[test]
	fn a_star_stands_for_a_huge_page_size_only() {
		let name = |file: &str| find(Version::V2, file.as_bytes()).map(|property| property.file());
		assert_eq!(name("hugetlb.2MB.max"), Some("hugetlb.*.max"));
		assert_eq!(name("hugetlb.64KB.rsvd.max"), Some("hugetlb.*.rsvd.max"));
		assert_eq!(name("hugetlb.16GB.max"), Some("hugetlb.*.max"));
		for bad in ["hugetlb..max", "hugetlb.MB.max", "hugetlb.2TB.max", "hugetlb.2MB.x.max", "hugetlb.max", "max"] {
			assert_eq!(name(bad), None, "{bad}");
		}
		assert!(find(Version::V1, b"hugetlb.2MB.max").is_none());
		assert!(find(Version::V1, b"hugetlb.1GB.rsvd.limit_in_bytes").is_some());
		assert!(find(Version::V2, b"../../etc/passwd").is_none());
		assert!(find(Version::V2, b"").is_none());
	}

	#[test]
	fn an_index_is_a_place_in_its_version() {
		for version in [Version::V1, Version::V2] {
			for (index, property) in all(version).iter().enumerate() {
				assert_eq!(property.version, version);
				assert_eq!(index_of(version, property.file().as_bytes()), Some(index), "{}", property.file());
				assert_eq!(controller_of(property.file().as_bytes()), property.controller());
			}
		}
	}

	#[test]
	fn a_controller_is_what_stands_before_the_dot() {
		assert_eq!(controller_of(b"cpuset.cpus.exclusive"), b"cpuset");
		assert_eq!(controller_of(b"cgroup.procs"), b"cgroup");
		assert_eq!(controller_of(b"notify_on_release"), b"cgroup");
		assert_eq!(controller_of(b"tasks"), b"cgroup");
		assert_eq!(controller_of(b""), b"cgroup");
		assert_eq!(controller_of(b"."), b"");
	}
}
