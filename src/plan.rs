//! A saved and a current value of one property in, the writes that turn one into the other out, in their order.
//!
//! One write is one write(2) of one file: what a dry run would print is what a restore does. The rules are the
//! table's ([`crate::property::Write`]); the reasons are in the kernel's cgroup documents.

use core::ffi::CStr;

use heapless::Vec;

use crate::error::{Fault, errno};
use crate::limits::{Limit, WRITE_BYTES};
use crate::property::value::{self, DeviceChange};
use crate::property::{Property, Write};

/// Where writes go: a file's name, whether it is another file than the property's own, and the text.
pub type Emit<'e> = &'e mut dyn FnMut(Target, &[u8]) -> Result<(), Fault>;

/// Which file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
	/// The property's own.
	Own,
	/// devices.allow.
	Allow,
	/// devices.deny.
	Deny,
}

impl Target {
	/// The file's name, where `own` is the property's.
	pub fn file(self, own: &CStr) -> &CStr {
		match self {
			Target::Own => own,
			Target::Allow => c"devices.allow",
			Target::Deny => c"devices.deny",
		}
	}
}

/// Emits the writes that turn `current` into `saved`; none where they mean the same.
pub fn writes(property: &Property, saved: &[u8], current: &[u8], emit: Emit<'_>) -> Result<(), Fault> {
	if value::same(property, saved, current) {
		return Ok(());
	}
	match property.write {
		Write::Nothing => Ok(()),
		Write::Whole if saved.is_empty() => Ok(()),
		Write::Program => emit(Target::Own, saved),
		Write::Whole => emit(Target::Own, saved.strip_suffix(b" invalid").unwrap_or(saved)),
		Write::List if saved.is_empty() => emit(Target::Own, b"\n"),
		Write::List => emit(Target::Own, saved),
		Write::Type => threaded(saved, emit),
		Write::Lines { reset } => lines(property, reset.as_bytes(), saved, current, emit),
		Write::Controllers => controllers(saved, current, emit),
		Write::Devices => devices(saved, current, emit),
	}
}

/// Only the way into threaded mode can be written (cgroup-v2, "Threads"); the way back is a new group.
fn threaded(saved: &[u8], emit: Emit<'_>) -> Result<(), Fault> {
	match value::is_threaded(saved) {
		true => emit(Target::Own, b"threaded"),
		false => Err(Fault::Kernel(errno::EINVAL)),
	}
}

/// One line a write: the kernel takes the first and drops the rest without a word. A line that is refused, of a device
/// that is gone, keeps none of the others out; the first refusal is the result.
fn lines(property: &Property, reset: &[u8], saved: &[u8], current: &[u8], emit: Emit<'_>) -> Result<(), Fault> {
	let mut first = Ok(());
	for change in value::line_changes(property, saved, current) {
		let result = match change.line {
			Some(line) => emit(Target::Own, line),
			None => {
				let mut text = Vec::<u8, WRITE_BYTES>::new();
				let full = Fault::full(Limit::Write, change.key.len() + reset.len());
				text.extend_from_slice(change.key).and_then(|()| text.extend_from_slice(reset)).map_err(|_| full)?;
				emit(Target::Own, &text)
			}
		};
		first = first.and(result);
	}
	first
}

/// All signs in one write: `+cpu -io`. Where that is refused, each in its own: a controller that this kernel does not
/// have takes no other one with it. What was refused then is the fault.
fn controllers(saved: &[u8], current: &[u8], emit: Emit<'_>) -> Result<(), Fault> {
	let mut text = Vec::<u8, WRITE_BYTES>::new();
	for (sign, name) in value::controller_changes(saved, current) {
		add_change(sign, name, &mut text)?;
	}
	let mut result = emit(Target::Own, &text);
	// What only has to wait, for tasks to leave, waits for all of it.
	if matches!(result, Err(Fault::Kernel(errno::EINVAL | errno::ENOENT))) && text.contains(&b' ') {
		result = Ok(());
		for (sign, name) in value::controller_changes(saved, current) {
			text.clear();
			add_change(sign, name, &mut text)?;
			result = emit(Target::Own, &text).and(result);
		}
	}
	result
}

/// Adds one change to the text of a write to `cgroup.subtree_control`.
pub(crate) fn add_change(sign: u8, name: &[u8], text: &mut Vec<u8, WRITE_BYTES>) -> Result<(), Fault> {
	let full = Fault::full(Limit::Write, text.len() + name.len() + 2);
	if !text.is_empty() {
		text.push(b' ').map_err(|_| full)?;
	}
	text.push(sign).map_err(|_| full)?;
	text.extend_from_slice(name).map_err(|_| full)
}

/// `a` alone denies or allows everything; it is refused where there are children, so single rules are used where both
/// lists have rules.
fn devices(saved: &[u8], current: &[u8], emit: Emit<'_>) -> Result<(), Fault> {
	if value::allows_all(saved) {
		return emit(Target::Allow, b"a");
	}
	if value::allows_all(current) {
		emit(Target::Deny, b"a")?;
	}
	for change in value::device_changes(saved, if value::allows_all(current) { b"" } else { current }) {
		match change {
			DeviceChange::Deny(rule) => emit(Target::Deny, rule)?,
			DeviceChange::Allow(rule) => emit(Target::Allow, rule)?,
		}
	}
	Ok(())
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::property::{Version, find};
	extern crate std;
	use std::string::String;

	fn planned(version: Version, file: &str, saved: &str, current: &str) -> String {
		let property = find(version, file.as_bytes()).unwrap();
		let mut all = String::new();
		let mut emit = |target, text: &[u8]| {
			let text = std::str::from_utf8(text).unwrap().replace('\n', "\\n");
			let target = if target == Target::Own {
				""
			} else if target == Target::Allow {
				"allow "
			} else {
				"deny "
			};
			all.push_str(&std::format!("[{target}{text}]"));
			Ok(())
		};
		writes(property, saved.as_bytes(), current.as_bytes(), &mut emit).unwrap();
		all
	}

	#[test]
	fn a_line_that_is_refused_keeps_no_other_out() {
		let property = find(Version::V1, b"net_prio.ifpriomap").unwrap();
		let mut taken = 0;
		let result = writes(property, b"lo 5\ngone0 6\neth0 7", b"lo 0\neth0 0", &mut |_, text| {
			taken += u32::from(!text.starts_with(b"gone"));
			if text.starts_with(b"gone") { Err(Fault::Kernel(errno::ENODEV)) } else { Ok(()) }
		});
		assert_eq!((result, taken), (Err(Fault::Kernel(errno::ENODEV)), 2));
	}

	#[test]
	fn values_are_written_as_each_file_wants_them() {
		use Version::{V1, V2};
		for (version, file, saved, current, wanted) in [
			(V1, "cpu.shares", "512", "1024", "[512]"),
			(V1, "cpu.shares", "512", "512", ""),
			(V1, "memory.limit_in_bytes", "-1", "9223372036854771712", ""),
			(V2, "cpuset.cpus", "", "0-1", "[\\n]"),
			(V2, "cpuset.cpus", "0,1", "0-1", ""),
			(V2, "cgroup.type", "threaded", "domain", "[threaded]"),
			(V2, "cgroup.subtree_control", "cpu io", "io memory", "[+cpu -memory]"),
			(V1, "net_prio.ifpriomap", "lo 5\neth0 0", "lo 0\neth0 0", "[lo 5]"),
			(V1, "blkio.throttle.read_bps_device", "", "8:0 100", "[8:0 0]"),
			(V2, "io.max", "8:0 rbps=1 wbps=max riops=max wiops=max", "", "[8:0 rbps=1 wbps=max riops=max wiops=max]"),
			(
				V2,
				"io.max",
				"",
				"8:0 rbps=1 wbps=max riops=max wiops=max",
				"[8:0 rbps=max wbps=max riops=max wiops=max]",
			),
			(V1, "devices.list", "c 1:3 rwm\nc 1:5 r", "a *:* rwm", "[deny a][allow c 1:3 rwm][allow c 1:5 r]"),
			(V1, "devices.list", "a *:* rwm", "c 1:3 rwm", "[allow a]"),
			(V1, "devices.list", "c 1:3 rwm", "c 1:3 rwm\nc 1:5 r", "[deny c 1:5 r]"),
		] {
			assert_eq!(planned(version, file, saved, current), wanted, "{file} {saved:?} {current:?}");
		}
	}
}
