//! A value in, words for people out: `256 MiB`, `50 ms of 100 ms (0.5 CPUs)`, `unlimited`.
//!
//! Exact: a number that is no whole multiple of a larger unit keeps the smaller one. Text that is not what the kernel
//! prints is shown as it is, escaped.

use core::fmt;

use super::changes::lines;
use super::value::is_unlimited;
use super::{Property, Unit, Write};
use crate::name::Shown;
use crate::procfs::scan::number;

/// A unit's name and how many of the next smaller one it has.
type Scale = &'static [(u64, &'static str)];

const BYTES: Scale = &[(1, "B"), (1024, "KiB"), (1024, "MiB"), (1024, "GiB"), (1024, "TiB"), (1024, "PiB")];
const MICROS: Scale = &[(1, "us"), (1000, "ms"), (1000, "s")];
/// Microseconds; the period of a fresh group.
const PERIOD: u64 = 100_000;

/// Writes the value for people, on one line; `empty` if there is none.
pub fn human(property: &Property, value: &[u8], out: &mut dyn fmt::Write) -> fmt::Result {
	let text = value.trim_ascii();
	if text.is_empty() {
		return out.write_str("empty");
	}
	match (property.write, property.unit) {
		(Write::Lines { .. } | Write::Devices | Write::Program, _) => joined(text, out),
		(_, Unit::Percent) => percent(text, out),
		(_, Unit::Bandwidth) => bandwidth(text, out),
		(_, Unit::Flag) => flag(text, out),
		_ if is_unlimited(property, text) => out.write_str("unlimited"),
		(_, Unit::Bytes) => scaled(text, BYTES, out),
		(_, Unit::Micros) => scaled(text, MICROS, out),
		_ => joined(text, out),
	}
}

fn joined(text: &[u8], out: &mut dyn fmt::Write) -> fmt::Result {
	for (index, line) in lines(text).enumerate() {
		let comma = if index > 0 { ", " } else { "" };
		write!(out, "{comma}{}", Shown(line))?;
	}
	Ok(())
}

fn flag(text: &[u8], out: &mut dyn fmt::Write) -> fmt::Result {
	match text {
		b"0" => out.write_str("off"),
		b"1" => out.write_str("on"),
		_ => joined(text, out),
	}
}

fn percent(text: &[u8], out: &mut dyn fmt::Write) -> fmt::Result {
	if text == b"max" { out.write_str("100%") } else { write!(out, "{}%", Shown(text)) }
}

fn scaled(text: &[u8], scale: Scale, out: &mut dyn fmt::Write) -> fmt::Result {
	match number(text) {
		Some(amount) => write!(out, "{}", Amount(amount, scale)),
		None => joined(text, out),
	}
}

/// `QUOTA PERIOD` of cpu.max, both in microseconds.
fn bandwidth(text: &[u8], out: &mut dyn fmt::Write) -> fmt::Result {
	let blank = text.iter().position(|byte| *byte == b' ').unwrap_or(text.len());
	let (quota, period) = (&text[..blank], number(text[blank..].trim_ascii()));
	match (quota, number(quota), period) {
		(b"max", _, Some(PERIOD) | None) => out.write_str("unlimited"),
		(b"max", _, Some(period)) => write!(out, "unlimited, period {}", Amount(period, MICROS)),
		(_, Some(quota), Some(period)) if period > 0 => {
			write!(out, "{} of {} ({})", Amount(quota, MICROS), Amount(period, MICROS), Cpus(quota, period))
		}
		_ => joined(text, out),
	}
}

/// An amount in the largest unit that divides it.
struct Amount(u64, Scale);

impl fmt::Display for Amount {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let (mut amount, mut name) = (self.0, "");
		for (size, next) in self.1 {
			if !name.is_empty() && (amount == 0 || amount % size != 0) {
				break;
			}
			(amount, name) = (amount / size, *next);
		}
		write!(f, "{amount} {name}")
	}
}

/// Quota and period as a number of CPUs, cut after three decimals.
struct Cpus(u64, u64);

impl fmt::Display for Cpus {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let (whole, part) = (self.0 / self.1, self.0 % self.1);
		let rest = part.checked_mul(1000).map_or_else(|| part / (self.1 / 1000), |part| part / self.1);
		let word = if (whole, rest) == (1, 0) { "CPU" } else { "CPUs" };
		if rest == 0 {
			return write!(f, "{whole} {word}");
		}
		let (mut rest, mut width) = (rest, 3);
		while rest % 10 == 0 {
			(rest, width) = (rest / 10, width - 1);
		}
		write!(f, "{whole}.{rest:0width$} {word}")
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::property::{Version, find};
	extern crate std;
	use std::string::String;

	fn shown(version: Version, file: &str, value: &str) -> String {
		let mut out = String::new();
		human(find(version, file.as_bytes()).unwrap(), value.as_bytes(), &mut out).unwrap();
		out
	}

	#[test]
	fn bytes_in_the_largest_exact_unit() {
		let max = |value| shown(Version::V2, "memory.max", value);
		assert_eq!(max("268435456"), "256 MiB");
		assert_eq!(max("1073741824\n"), "1 GiB");
		assert_eq!(max("1610612736"), "1536 MiB");
		assert_eq!(max("4096"), "4 KiB");
		assert_eq!(max("4097"), "4097 B");
		assert_eq!(max("0"), "0 B");
		assert_eq!(max("1125899906842624"), "1 PiB");
		assert_eq!(max("1152921504606846976"), "1024 PiB");
		assert_eq!(max("max"), "unlimited");
		assert_eq!(shown(Version::V1, "memory.limit_in_bytes", "-1"), "unlimited");
		assert_eq!(shown(Version::V1, "hugetlb.2MB.limit_in_bytes", "9223372036852678656"), "unlimited");
		assert_eq!(max("12 monkeys"), "12 monkeys");
	}

	#[test]
	fn time_in_the_largest_exact_unit() {
		let quota = |value| shown(Version::V1, "cpu.cfs_quota_us", value);
		assert_eq!(quota("50000"), "50 ms");
		assert_eq!(quota("1000000"), "1 s");
		assert_eq!(quota("1500"), "1500 us");
		assert_eq!(quota("7200000000"), "7200 s");
		assert_eq!(quota("-1"), "unlimited");
	}

	#[test]
	fn bandwidth_as_cpus() {
		let max = |value| shown(Version::V2, "cpu.max", value);
		assert_eq!(max("50000 100000"), "50 ms of 100 ms (0.5 CPUs)");
		assert_eq!(max("100000 100000"), "100 ms of 100 ms (1 CPU)");
		assert_eq!(max("400000 100000"), "400 ms of 100 ms (4 CPUs)");
		assert_eq!(max("125000 100000"), "125 ms of 100 ms (1.25 CPUs)");
		assert_eq!(max("10000 300000"), "10 ms of 300 ms (0.033 CPUs)");
		assert_eq!(max("max 100000"), "unlimited");
		assert_eq!(max("max"), "unlimited");
		assert_eq!(max("max 50000"), "unlimited, period 50 ms");
		assert_eq!(max("50000 0"), "50000 0");
		assert_eq!(max("50000"), "50000");
		assert_eq!(max("18446744073709551615 1"), "18446744073709551615 us of 1 us (18446744073709551615 CPUs)");
	}

	#[test]
	fn the_rest_as_it_is() {
		assert_eq!(shown(Version::V2, "pids.max", "max"), "unlimited");
		assert_eq!(shown(Version::V2, "pids.max", "42"), "42");
		assert_eq!(shown(Version::V2, "cpu.weight", "100"), "100");
		assert_eq!(shown(Version::V2, "memory.oom.group", "1"), "on");
		assert_eq!(shown(Version::V2, "cgroup.freeze", "0"), "off");
		assert_eq!(shown(Version::V2, "cpu.uclamp.max", "max"), "100%");
		assert_eq!(shown(Version::V2, "cpu.uclamp.min", "12.35"), "12.35%");
		assert_eq!(shown(Version::V2, "cpuset.cpus", "0-3,8"), "0-3,8");
		assert_eq!(shown(Version::V2, "cpuset.cpus", "\n"), "empty");
		assert_eq!(shown(Version::V1, "devices.list", "c 1:3 rwm\nc 1:5 rwm\n"), "c 1:3 rwm, c 1:5 rwm");
		assert_eq!(shown(Version::V1, "net_prio.ifpriomap", "lo 0\neth0 5"), "lo 0, eth0 5");
		assert_eq!(shown(Version::V1, "net_prio.ifpriomap", "a\x1b[2J 5"), "a\\u{1b}[2J 5");
	}
}
