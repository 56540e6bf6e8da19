//! The writable files that are never saved and never written, each with its reason.

use super::Version::{V1, V2};
use super::{Version, matches};

const COUNTER: &str = "a counter: a write resets it, its number cannot be put back";
const TRIGGER: &str = "a write arms a trigger that lives as long as the open file";
const ACTION: &str = "an action, not a setting";
const HOST: &str = "a switch of the whole host, in the root group only";
const PART: &str = "saved as devices.list";
const READER: &str = "belongs to a reader's eventfd, not to the group";

/// Version, file (a star as in [`super::Property::file`]), reason in one phrase.
pub static REFUSED: &[(Version, &str, &str)] = &[
	(V1, "release_agent", "names a program that the kernel runs as root of the host"),
	(V1, "cgroup.event_control", READER),
	(V1, "cpuacct.usage", COUNTER),
	(V1, "cpuset.memory_pressure_enabled", HOST),
	(V1, "memory.failcnt", COUNTER),
	(V1, "memory.max_usage_in_bytes", COUNTER),
	(V1, "memory.memsw.failcnt", COUNTER),
	(V1, "memory.memsw.max_usage_in_bytes", COUNTER),
	(V1, "memory.kmem.failcnt", COUNTER),
	(V1, "memory.kmem.max_usage_in_bytes", COUNTER),
	(V1, "memory.kmem.tcp.failcnt", COUNTER),
	(V1, "memory.kmem.tcp.max_usage_in_bytes", COUNTER),
	(V1, "memory.force_empty", ACTION),
	(V1, "memory.pressure_level", READER),
	(V1, "memory.shown_ram_in_bytes", "in no released kernel, meaning not known"),
	(V1, "devices.allow", PART),
	(V1, "devices.deny", PART),
	(V1, "blkio.reset_stats", ACTION),
	(V1, "hugetlb.*.failcnt", COUNTER),
	(V1, "hugetlb.*.max_usage_in_bytes", COUNTER),
	(V1, "hugetlb.*.rsvd.failcnt", COUNTER),
	(V1, "hugetlb.*.rsvd.max_usage_in_bytes", COUNTER),
	(V2, "cgroup.kill", ACTION),
	(V2, "cpu.weight.nice", "another name of cpu.weight that rounds it"),
	(V2, "cpu.pressure", TRIGGER),
	(V2, "io.pressure", TRIGGER),
	(V2, "irq.pressure", TRIGGER),
	(V2, "memory.pressure", TRIGGER),
	(V2, "memory.reclaim", ACTION),
	(V2, "memory.peak", COUNTER),
	(V2, "memory.swap.peak", COUNTER),
	(V2, "io.cost.qos", HOST),
	(V2, "io.cost.model", HOST),
];

/// Why a writable file is consciously left alone; nothing for a file of the table or an unknown one.
pub fn refused(version: Version, file: &[u8]) -> Option<&'static str> {
	let is_it = |name: &str| name.as_bytes() == file || matches(name, file);
	REFUSED.iter().find(|(of, name, _)| *of == version && is_it(name)).map(|(_, _, reason)| *reason)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::property::find;

	#[test]
	fn a_refused_file_has_a_reason_and_is_not_in_the_table() {
		for (version, file, reason) in REFUSED {
			assert!(find(*version, file.as_bytes()).is_none(), "{file}");
			assert_eq!(refused(*version, file.as_bytes()), Some(*reason));
		}
		assert_eq!(refused(V1, b"hugetlb.16GB.rsvd.failcnt"), Some(COUNTER));
		assert_eq!(refused(V2, b"hugetlb.16GB.rsvd.failcnt"), None);
		assert_eq!(refused(V2, b"memory.max"), None);
		assert_eq!(refused(V2, b""), None);
	}
}
