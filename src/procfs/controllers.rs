//! One line of /proc/cgroups in, one controller of the kernel out.
//!
//! Source: cgroups(7), "/proc files"; `proc_cgroupstats_show` of kernel/cgroup/cgroup-v1.c.
//! Bounds: none; the name is borrowed from the line. The kernel has at most 16 controllers.
//! Errors: [`Fault::Text`] for a line that is not of this form.
//! Not done here: named hierarchies and controllers without a v1 part, which the file does not list.

use crate::error::{Fault, Why};

use super::scan::{number, number32};

/// A controller that the kernel was built with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Controller<'a> {
	/// Its v1 name (`blkio`, not `io`).
	pub name: &'a [u8],
	/// The hierarchy it is on, as in /proc/PID/cgroup; 0 is v2, or none at all.
	pub hierarchy: u32,
	/// Groups of this hierarchy, its root and removed groups that are still held included.
	pub groups: u64,
	/// Not switched off at boot (`cgroup_disable=`).
	pub enabled: bool,
}

/// The controller of `line` (without its newline), or None for the heading.
pub fn parse_line(line: &[u8]) -> Result<Option<Controller<'_>>, Fault> {
	if line.starts_with(b"#") {
		return Ok(None);
	}
	parse(line).map(Some).ok_or(Fault::Text(Why::ControllerLine))
}

fn parse(line: &[u8]) -> Option<Controller<'_>> {
	let mut fields = line.split(|byte| *byte == b'\t');
	Some(Controller {
		name: fields.next().filter(|name| !name.is_empty())?,
		hierarchy: number32(fields.next()?)?,
		groups: number(fields.next()?)?,
		enabled: match fields.next()? {
			b"0" => false,
			b"1" => true,
			_ => return None,
		},
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::procfs::fixtures::{CONTROLLERS, text};
	extern crate std;
	use std::vec::Vec;

	fn controllers(name: &str) -> Vec<Controller<'static>> {
		let lines = text(name).split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
		lines.filter_map(|line| parse_line(line).unwrap()).collect()
	}

	#[test]
	fn every_fixture_has_its_number_of_controllers() {
		assert!(
			CONTROLLERS
				.iter()
				.map(|(name, _)| controllers(name).len())
				.eq([14, 14, 14, 12, 12, 14, 14, 13, 9, 13, 14, 4])
		);
	}

	#[test]
	fn the_fields_of_criu_v1_and_a_disabled_one() {
		let cpu = Controller { name: b"cpu", hierarchy: 1, groups: 6, enabled: true };
		assert_eq!(controllers("criu-v1-ct/cgroups")[1], cpu);
		assert!(controllers("fedora-41-v2/cgroups").iter().any(|one| one.name == b"rdma" && !one.enabled));
	}

	#[test]
	fn malformed_lines_are_faults_and_later_columns_are_not() {
		for line in
			[&b""[..], b"cpu", b"cpu\t1\t2", b"\t1\t2\t1", b"cpu 1 2 1", b"cpu\t4294967296\t2\t1", b"cpu\t1\t2\t2"]
		{
			assert!(matches!(parse_line(line), Err(Fault::Text(_))), "{line:?}");
		}
		assert!(parse_line(b"cpu\t1\t18446744073709551615\t0\tnew").unwrap().is_some());
		assert_eq!(parse_line(b"#"), Ok(None));
	}
}
