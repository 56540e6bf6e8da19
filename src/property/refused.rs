//! The writable files that are never saved and never written, each with its reason.

use super::Version::{V1, V2};
use super::{Version, matches};

/// Why a file is left alone.
#[derive(Clone, Copy)]
enum Reason {
	Counter,
	Trigger,
	Action,
	Host,
	Part,
	Reader,
	Agent,
	Vendor,
	Alias,
}

impl Reason {
	const fn text(self) -> &'static str {
		match self {
			Reason::Counter => "a counter: a write resets it, its number cannot be put back",
			Reason::Trigger => "a write arms a trigger that lives as long as the open file",
			Reason::Action => "an action, not a setting",
			Reason::Host => "a switch of the whole host, in the root group only",
			Reason::Part => "saved as devices.list",
			Reason::Reader => "belongs to a reader's eventfd, not to the group",
			Reason::Agent => "names a program that the kernel runs as root of the host",
			Reason::Vendor => "in no released kernel, meaning not known",
			Reason::Alias => "another name of cpu.weight that rounds it",
		}
	}
}

/// Version, reason, files with a blank between them (a star as in [`super::Property::file()`]).
static REFUSED: &[(Version, Reason, &str)] = &[
	(V1, Reason::Agent, "release_agent"),
	(V1, Reason::Reader, "cgroup.event_control memory.pressure_level"),
	(
		V1,
		Reason::Counter,
		"cpuacct.usage memory.failcnt memory.max_usage_in_bytes memory.memsw.failcnt \
		 memory.memsw.max_usage_in_bytes memory.kmem.failcnt memory.kmem.max_usage_in_bytes \
		 memory.kmem.tcp.failcnt memory.kmem.tcp.max_usage_in_bytes hugetlb.*.failcnt \
		 hugetlb.*.max_usage_in_bytes hugetlb.*.rsvd.failcnt hugetlb.*.rsvd.max_usage_in_bytes",
	),
	(V1, Reason::Host, "cpuset.memory_pressure_enabled"),
	(V1, Reason::Action, "memory.force_empty blkio.reset_stats"),
	(V1, Reason::Vendor, "memory.shown_ram_in_bytes"),
	(V1, Reason::Part, "devices.allow devices.deny"),
	(V2, Reason::Action, "cgroup.kill memory.reclaim"),
	(V2, Reason::Alias, "cpu.weight.nice"),
	(V2, Reason::Trigger, "cpu.pressure io.pressure irq.pressure memory.pressure"),
	(V2, Reason::Counter, "memory.peak memory.swap.peak"),
	(V2, Reason::Host, "io.cost.qos io.cost.model"),
];

/// All of them, for documents and tests.
#[cfg(test)]
pub(super) fn every() -> impl Iterator<Item = (Version, &'static str, &'static str)> {
	REFUSED.iter().flat_map(|(version, reason, files)| files.split(' ').map(|file| (*version, file, reason.text())))
}

/// Why a writable file is consciously left alone; nothing for a file of the table or an unknown one.
pub fn refused(version: Version, file: &[u8]) -> Option<&'static str> {
	let is_it = |name: &str| name.as_bytes() == file || matches(name, file);
	let row = REFUSED.iter().find(|(of, _, files)| *of == version && files.split(' ').any(is_it));
	row.map(|(_, reason, _)| reason.text())
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::property::find;

	#[test]
	fn a_refused_file_has_a_reason_and_is_not_in_the_table() {
		for (version, file, reason) in every() {
			assert!(find(version, file.as_bytes()).is_none(), "{file}");
			assert_eq!(refused(version, file.as_bytes()), Some(reason));
		}
		assert_eq!(refused(V1, b"hugetlb.16GB.rsvd.failcnt"), Some(Reason::Counter.text()));
		assert_eq!(refused(V2, b"hugetlb.16GB.rsvd.failcnt"), None);
		assert_eq!(refused(V2, b"memory.max"), None);
		assert_eq!(refused(V2, b""), None);
	}
}
