//! Two texts of one property in, what they mean out: the same or not, fresh or not, unlimited or not.
//!
//! Values are bytes without the kernel's last newline; inner newlines stay. They may come from a hostile image, so
//! nothing here trusts their form: text that is not what the kernel prints is compared byte by byte. Nothing fails.

use super::changes::{same_controllers, same_lines};
use super::list::Numbers;
use super::{Fresh, Property, Read, Unit, Version, Write};
use crate::procfs::scan::number;

pub use super::changes::{
	DeviceChange, LineChange, LineChanges, allows_all, controller_changes, device_changes, line_changes,
};
pub use super::human::human;

/// `LONG_MAX` bytes; CRIU writes -1 for it.
const LONG_MAX: &[u8] = b"9223372036854775807";
/// Bytes from which on a number means no limit: `LONG_MAX` rounded down to the largest huge page there is, 16 GiB
/// (arm64 and powerpc). A page of 4 KiB gives 9223372036854771712, one of 1 GiB 9223372035781033984.
const NO_LIMIT: u64 = (1 << 63) - (1 << 34);

/// The text without its last newline, if it has one.
pub fn trim(text: &[u8]) -> &[u8] {
	text.strip_suffix(b"\n").unwrap_or(text)
}

/// The kernel's text of a property's file as the image has it.
///
/// The text of [`Read::Freezer`] may be that of freezer.state or of freezer.self_freezing. On v1 `LONG_MAX` becomes
/// -1, as in CRIU; v2 never prints it and does not take a -1.
pub fn normalise<'a>(property: &Property, text: &'a [u8]) -> &'a [u8] {
	let text = trim(text);
	match property.read {
		Read::OomFlag => oom_flag(text),
		Read::Partition => partition(text),
		Read::Freezer => freezer_state(text),
		Read::Owner => b"",
		Read::Plain if text == LONG_MAX && is_v1_number(property) => b"-1",
		Read::Plain => text,
	}
}

/// Whether two values of one property mean the same to the kernel.
pub fn same(property: &Property, a: &[u8], b: &[u8]) -> bool {
	let (a, b) = (canonical(property, a), canonical(property, b));
	if a == b {
		return true;
	}
	match property.write {
		Write::Type => is_threaded(a) == is_threaded(b),
		Write::Controllers => same_controllers(a, b),
		Write::Lines { .. } | Write::Devices | Write::Program => same_lines(property, a, b),
		Write::List => same_numbers(a, b),
		Write::Whole => same_amount(property, a, b),
		Write::Nothing => false,
	}
}

/// The same, and limits of memory are compared in whole pages of so many bytes, as the kernel keeps them; 0 is none.
pub fn same_in_pages(property: &Property, a: &[u8], b: &[u8], page: u64) -> bool {
	let pages = |value: &[u8]| number(canonical(property, value))?.checked_div(page);
	same(property, a, b) || (property.unit == Unit::Bytes && pages(a).is_some_and(|some| pages(b) == Some(some)))
}

/// Bytes of the larger one of two pages for [`same_in_pages`]; 0 where they are the same or one is not known.
pub fn coarser(one: u32, other: u32) -> u64 {
	if one == other || one == 0 || other == 0 { 0 } else { u64::from(one.max(other)) }
}

/// Whether the value is what a group shows that was just made. False where that depends on the parent.
pub fn is_fresh(property: &Property, value: &[u8]) -> bool {
	match property.fresh {
		Fresh::Is(fresh) => same(property, value, fresh.as_bytes()),
		Fresh::Unlimited => is_unlimited(property, value),
		Fresh::Empty => same(property, value, b""),
		Fresh::Inherited(_) | Fresh::Unknown => false,
	}
}

/// Whether nobody has set anything: [`is_fresh`], or for an inherited value what the root of a new host has. Losing
/// such a value on a host without the file loses nothing.
pub fn is_default(property: &Property, value: &[u8]) -> bool {
	match property.fresh {
		Fresh::Inherited(base) => same(property, value, base.as_bytes()),
		_ => is_fresh(property, value),
	}
}

/// Whether the value says that there is no limit, in any spelling that a kernel of any page size prints.
pub fn is_unlimited(property: &Property, value: &[u8]) -> bool {
	let value = value.trim_ascii();
	match property.unit {
		Unit::Bytes => value == b"max" || value == b"-1" || is_huge(value),
		Unit::Micros => value == b"max" || value == b"-1",
		Unit::Count | Unit::Percent => value == b"max",
		Unit::Bandwidth => first_word(value) == b"max",
		Unit::Weight | Unit::Flag | Unit::Numbers | Unit::Text => false,
	}
}

/// Whether a value of cgroup.type makes the group threaded. The other words follow from where the group is.
pub fn is_threaded(value: &[u8]) -> bool {
	value.trim_ascii() == b"threaded"
}

/// What stands before the first blank.
pub(crate) fn first_word(text: &[u8]) -> &[u8] {
	text.split(u8::is_ascii_whitespace).next().unwrap_or(text)
}

/// `root invalid (reason)`: that it is invalid counts, why it is does not.
fn partition(text: &[u8]) -> &[u8] {
	let end = text.windows(2).position(|two| two == b" (").unwrap_or(text.len());
	text.get(..end).unwrap_or(text)
}

/// Whether the host's value is better than the image's: a partition that was invalid and is not any more.
pub fn is_healed(property: &Property, saved: &[u8], current: &[u8]) -> bool {
	property.read == Read::Partition && saved.strip_suffix(b" invalid") == Some(current)
}

fn is_v1_number(property: &Property) -> bool {
	property.version == Version::V1 && property.write == Write::Whole
}

fn oom_flag(text: &[u8]) -> &[u8] {
	match text.strip_prefix(b"oom_kill_disable ") {
		Some(rest) => first_word(rest),
		None => text,
	}
}

/// FREEZING cannot be written, and self_freezing is a number.
fn freezer_state(text: &[u8]) -> &[u8] {
	match text {
		b"1" | b"FREEZING" => b"FROZEN",
		b"0" => b"THAWED",
		_ => text,
	}
}

fn canonical<'a>(property: &Property, value: &'a [u8]) -> &'a [u8] {
	normalise(property, value.trim_ascii_end()).trim_ascii_end()
}

fn is_huge(value: &[u8]) -> bool {
	let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
	is_number && number(value).is_none_or(|bytes| bytes >= NO_LIMIT)
}

/// Values that are written whole and are not equal byte by byte. An idle group shows cpu.weight 0 on 6.1, 1 on 6.12.
fn same_amount(property: &Property, a: &[u8], b: &[u8]) -> bool {
	let both_are = |word: &[u8], other: &[u8]| (a == word && b == other) || (a == other && b == word);
	match property.unit {
		Unit::Weight => both_are(b"0", b"1"),
		Unit::Bandwidth => false,
		_ => is_unlimited(property, a) && is_unlimited(property, b),
	}
}

fn same_numbers(a: &[u8], b: &[u8]) -> bool {
	match (Numbers::parse(a), Numbers::parse(b)) {
		(Some(a), Some(b)) => a == b,
		_ => false,
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::property::dice::{Dice, rounds};
	use crate::property::{TABLE, find};
	extern crate std;
	use std::string::String;

	fn v1(file: &str) -> &'static Property {
		find(Version::V1, file.as_bytes()).unwrap()
	}

	fn v2(file: &str) -> &'static Property {
		find(Version::V2, file.as_bytes()).unwrap()
	}

	fn is_same(property: &Property, a: &str, b: &str) -> bool {
		let (there, back) = (same(property, a.as_bytes(), b.as_bytes()), same(property, b.as_bytes(), a.as_bytes()));
		assert_eq!(there, back, "{} {a:?} {b:?}", property.file());
		there
	}

	#[test]
	fn only_the_last_newline_goes() {
		assert_eq!(trim(b"a\nb\n"), b"a\nb");
		assert_eq!(trim(b"a\n\n"), b"a\n");
		assert_eq!(trim(b"\n"), b"");
		assert_eq!(trim(b""), b"");
	}

	#[test]
	fn kernel_text_becomes_the_image_value() {
		let image = |property, text: &'static str| core::str::from_utf8(normalise(property, text.as_bytes())).unwrap();
		assert_eq!(image(v1("memory.oom_control"), "oom_kill_disable 1\nunder_oom 0\noom_kill 3\n"), "1");
		assert_eq!(image(v1("memory.oom_control"), "1"), "1");
		assert_eq!(
			image(v2("cpuset.cpus.partition"), "root invalid (Cpu list in cpuset.cpus not exclusive)\n"),
			"root invalid"
		);
		assert_eq!(image(v2("cpuset.cpus.partition"), "isolated\n"), "isolated");
		assert_eq!(image(v1("freezer.state"), "1\n"), "FROZEN");
		assert_eq!(image(v1("freezer.state"), "0\n"), "THAWED");
		assert_eq!(image(v1("freezer.state"), "FREEZING\n"), "FROZEN");
		assert_eq!(image(v1("freezer.state"), "THAWED\n"), "THAWED");
		assert_eq!(image(v1("memory.limit_in_bytes"), "9223372036854775807\n"), "-1");
		assert_eq!(image(v1("memory.limit_in_bytes"), "9223372036854771712\n"), "9223372036854771712");
		assert_eq!(image(v2("memory.max"), "9223372036854775807\n"), "9223372036854775807");
		assert_eq!(image(v2("cgroup.procs"), "1\n2\n"), "");
		assert_eq!(image(v1("devices.list"), "c 1:3 rwm\nc 1:5 rwm\n"), "c 1:3 rwm\nc 1:5 rwm");
		assert_eq!(image(v2("cpuset.cpus"), "\n"), "");
	}

	#[test]
	fn no_limit_has_many_spellings() {
		let bytes = v1("memory.limit_in_bytes");
		// 4 KiB and 64 KiB pages, huge pages of 2 MiB, 1 GiB and 16 GiB, LONG_MAX, ULLONG_MAX of old kernels.
		let spellings = [
			"-1",
			"max",
			"9223372036854771712",
			"9223372036854710272",
			"9223372036852678656",
			"9223372035781033984",
			"9223372019674906624",
			"9223372036854775807",
			"18446744073709551615",
			"99999999999999999999",
		];
		for a in spellings {
			assert!(is_unlimited(bytes, a.as_bytes()) && is_fresh(bytes, a.as_bytes()), "{a}");
			for b in spellings {
				assert!(is_same(bytes, a, b), "{a} {b}");
				assert!(is_same(v2("hugetlb.1GB.max"), a, b), "{a} {b}");
			}
			assert!(!is_same(bytes, a, "4096"));
		}
		for finite in ["", "0", "-2", "9223372019674906623", "1125899906842624", "4 max", "maximum"] {
			assert!(!is_unlimited(bytes, finite.as_bytes()), "{finite}");
		}
		assert!(!is_same(v2("pids.max"), "max", "9223372036854771712"));
		assert!(is_fresh(v1("cpu.cfs_quota_us"), b"-1") && !is_fresh(v1("cpu.cfs_quota_us"), b"100000"));
		assert!(is_fresh(v2("cpu.max"), b"max 100000") && !is_fresh(v2("cpu.max"), b"max 50000"));
		assert!(is_unlimited(v2("cpu.max"), b"max 50000") && !is_same(v2("cpu.max"), "max 50000", "max 100000"));
	}

	#[test]
	fn limits_of_memory_are_whole_pages() {
		let bytes = v1("memory.limit_in_bytes");
		assert!(same_in_pages(bytes, b"69632", b"65536", 65536) && same_in_pages(bytes, b"65536\n", b"131071", 65536));
		assert!(!same_in_pages(bytes, b"69632", b"65536", 4096) && !same_in_pages(bytes, b"69632", b"65536", 0));
		assert!(!same_in_pages(bytes, b"x", b"", 65536) && !same_in_pages(v1("cpu.shares"), b"2", b"3", 65536));
		assert!(
			same_in_pages(bytes, b"-1", b"9223372036854710272", 65536) && !same_in_pages(bytes, b"-1", b"0", 65536)
		);
		assert_eq!((coarser(4096, 65536), coarser(4096, 4096), coarser(0, 4096)), (65536, 0, 0));
	}

	#[test]
	fn a_type_is_threaded_or_not() {
		let kind = v2("cgroup.type");
		assert!(is_same(kind, "domain", "domain threaded"));
		assert!(is_same(kind, "domain", "domain invalid"));
		assert!(!is_same(kind, "domain", "threaded"));
		assert!(is_fresh(kind, b"domain threaded") && !is_fresh(kind, b"threaded\n"));
	}

	#[test]
	fn lists_are_sets_of_numbers() {
		let cpus = v2("cpuset.cpus");
		assert!(is_same(cpus, "0-1", "0,1\n"));
		assert!(is_same(cpus, "0-3,8", "8,2-3,0-2"));
		assert!(is_same(cpus, "", "\n"));
		assert!(!is_same(cpus, "0-1", "0"));
		assert!(!is_same(cpus, "0", ""));
		assert!(is_same(cpus, "not a list", "not a list\n"));
		assert!(!is_same(cpus, "not a list", ""));
		assert!(is_fresh(cpus, b"") && !is_fresh(cpus, b"0"));
	}

	#[test]
	fn lines_that_say_nothing_do_not_count() {
		let map = v1("net_prio.ifpriomap");
		assert!(is_same(map, "lo 0\neth0 5", "eth0 5\nlo 0"));
		assert!(is_same(map, "lo 0\neth0 5", "eth0 5\nwlan0 0"));
		assert!(is_same(map, "lo 0", ""));
		assert!(!is_same(map, "eth0 5", "eth0 0"));
		assert!(!is_same(map, "eth0 5", "eth1 5"));
		assert!(is_default(map, b"lo 0\neth0 0\n") && !is_default(map, b"lo 1") && !is_fresh(map, b"lo 0"));
		let disks = v2("io.max");
		assert!(is_same(disks, "8:0 rbps=max wbps=max riops=max wiops=max\n", ""));
		assert!(is_fresh(disks, b"") && !is_fresh(disks, b"8:0 rbps=1048576 wbps=max riops=max wiops=max"));
		// The kernel leaves a blank at the end.
		let rdma = v2("rdma.max");
		assert!(is_fresh(rdma, b"mlx4_0 hca_handle=max hca_object=max \n"));
		assert!(!is_fresh(rdma, b"mlx4_0 hca_handle=2 hca_object=max \n"));
		assert!(is_same(
			rdma,
			"mlx4_0 hca_handle=2 hca_object=3 \nocrdma1 hca_handle=max hca_object=max \n",
			"mlx4_0 hca_handle=2 hca_object=3"
		));
		assert!(is_fresh(v2("misc.max"), b"res_a max\nres_b max") && !is_fresh(v2("misc.max"), b"res_a 3"));
		assert!(is_fresh(v2("dmem.min"), b"drm/0000:03:00.0/vram0 0"));
	}

	#[test]
	fn a_default_weight_is_a_line_of_its_own() {
		let weight = v2("io.weight");
		assert!(is_same(weight, "default 100\n8:0 50", "8:0 50"));
		assert!(is_same(weight, "100", "default 100"));
		assert!(is_same(weight, "200", "default 200"));
		assert!(!is_same(weight, "default 100", "default 200"));
		assert!(is_fresh(weight, b"default 100\n") && is_fresh(weight, b"") && !is_fresh(weight, b"default 50"));
	}

	#[test]
	fn other_kinds() {
		let rules = v1("devices.list");
		assert!(is_same(rules, "c 1:3 rwm\nc 1:5 rwm", "c 1:5 rwm\nc 1:3 rwm\n"));
		assert!(!is_same(rules, "c 1:3 rwm", "c 1:3 rw"));
		assert!(!is_same(rules, "a *:* rwm", ""));
		assert!(is_default(rules, b"a *:* rwm\n") && !is_default(rules, b"") && !is_fresh(rules, b"a *:* rwm"));
		let names = v2("cgroup.subtree_control");
		assert!(is_same(names, "cpu memory", "memory cpu\n"));
		assert!(!is_same(names, "cpu", "cpuset"));
		assert!(is_fresh(names, b"\n") && !is_fresh(names, b"pids"));
		assert!(is_same(v2("cpu.weight"), "0", "1") && !is_same(v2("cpu.weight"), "1", "100"));
		assert!(is_same(v2("cgroup.procs"), "1\n", "2\n") && is_fresh(v2("cgroup.procs"), b""));
		assert!(is_same(v1("memory.oom_control"), "oom_kill_disable 1\nunder_oom 0", "1"));
		assert!(is_default(v1("memory.oom_control"), b"0") && !is_default(v1("memory.oom_control"), b"1"));
		let partition = v2("cpuset.cpus.partition");
		assert!(is_same(partition, "root invalid", "root invalid (no CPUs)"));
		assert!(!is_same(partition, "root", "root invalid (no CPUs)"));
		assert!(is_healed(partition, b"root invalid", b"root") && !is_healed(partition, b"root", b"root invalid"));
		assert!(is_same(v1("freezer.state"), "FROZEN", "FREEZING"));
		assert!(!is_same(v1("cpu.shares"), "1024", "512"));
	}

	#[test]
	fn any_bytes_are_taken_without_a_panic_and_equality_is_an_equality() {
		let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
		for _ in 0..rounds(400) {
			let (a, b) = (dice.text(), dice.text());
			for property in TABLE {
				assert!(same(property, &a, &a), "{} {a:?}", property.file());
				assert_eq!(same(property, &a, &b), same(property, &b, &a), "{} {a:?} {b:?}", property.file());
				assert!(same(property, &a, normalise(property, &a)), "{} {a:?}", property.file());
				assert!(!is_fresh(property, &a) || is_default(property, &a));
				let _ = is_unlimited(property, &a);
				human(property, &a, &mut String::new()).unwrap();
			}
		}
	}
}
