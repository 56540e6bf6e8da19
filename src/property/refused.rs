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

/// Version, file (a star as in [`super::Property::file`]), reason in one phrase.
static REFUSED: &[(Version, &str, Reason)] = &[
	(V1, "release_agent", Reason::Agent),
	(V1, "cgroup.event_control", Reason::Reader),
	(V1, "cpuacct.usage", Reason::Counter),
	(V1, "cpuset.memory_pressure_enabled", Reason::Host),
	(V1, "memory.failcnt", Reason::Counter),
	(V1, "memory.max_usage_in_bytes", Reason::Counter),
	(V1, "memory.memsw.failcnt", Reason::Counter),
	(V1, "memory.memsw.max_usage_in_bytes", Reason::Counter),
	(V1, "memory.kmem.failcnt", Reason::Counter),
	(V1, "memory.kmem.max_usage_in_bytes", Reason::Counter),
	(V1, "memory.kmem.tcp.failcnt", Reason::Counter),
	(V1, "memory.kmem.tcp.max_usage_in_bytes", Reason::Counter),
	(V1, "memory.force_empty", Reason::Action),
	(V1, "memory.pressure_level", Reason::Reader),
	(V1, "memory.shown_ram_in_bytes", Reason::Vendor),
	(V1, "devices.allow", Reason::Part),
	(V1, "devices.deny", Reason::Part),
	(V1, "blkio.reset_stats", Reason::Action),
	(V1, "hugetlb.*.failcnt", Reason::Counter),
	(V1, "hugetlb.*.max_usage_in_bytes", Reason::Counter),
	(V1, "hugetlb.*.rsvd.failcnt", Reason::Counter),
	(V1, "hugetlb.*.rsvd.max_usage_in_bytes", Reason::Counter),
	(V2, "cgroup.kill", Reason::Action),
	(V2, "cpu.weight.nice", Reason::Alias),
	(V2, "cpu.pressure", Reason::Trigger),
	(V2, "io.pressure", Reason::Trigger),
	(V2, "irq.pressure", Reason::Trigger),
	(V2, "memory.pressure", Reason::Trigger),
	(V2, "memory.reclaim", Reason::Action),
	(V2, "memory.peak", Reason::Counter),
	(V2, "memory.swap.peak", Reason::Counter),
	(V2, "io.cost.qos", Reason::Host),
	(V2, "io.cost.model", Reason::Host),
];

/// All of them, for documents and tests.
#[cfg(test)]
pub(super) fn every() -> impl Iterator<Item = (Version, &'static str, &'static str)> {
	REFUSED.iter().map(|(version, file, reason)| (*version, *file, reason.text()))
}

/// Why a writable file is consciously left alone; nothing for a file of the table or an unknown one.
pub fn refused(version: Version, file: &[u8]) -> Option<&'static str> {
	let is_it = |name: &str| name.as_bytes() == file || matches(name, file);
	REFUSED.iter().find(|(of, name, _)| *of == version && is_it(name)).map(|(_, _, reason)| reason.text())
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::property::find;

	#[test]
	fn a_refused_file_has_a_reason_and_is_not_in_the_table() {
		for (version, file, reason) in REFUSED {
			assert!(find(*version, file.as_bytes()).is_none(), "{file}");
			assert_eq!(refused(*version, file.as_bytes()), Some(reason.text()));
		}
		assert_eq!(refused(V1, b"hugetlb.16GB.rsvd.failcnt"), Some(Reason::Counter.text()));
		assert_eq!(refused(V2, b"hugetlb.16GB.rsvd.failcnt"), None);
		assert_eq!(refused(V2, b"memory.max"), None);
		assert_eq!(refused(V2, b""), None);
	}
}
