//! Names of controllers of either version in, those of the other out: what a v2 group has to hand down.
//!
//! A v1 group is there for a controller because it has a directory in the controller's hierarchy; a v2 group has one
//! only if every group above it hands the controller down in cgroup.subtree_control. So a v2 group has to hand down the
//! controllers of all v1 hierarchies in which it has children, and those of the values that are set below it
//! ([`Controllers::of_file`]).
//!
//! Sources: cgroups(7), Documentation/admin-guide/cgroup-v2.rst.

use crate::error::Fault;
use crate::limits::{CONTROLLERS_BYTES, Limit};
use crate::procfs::scan::words;
use crate::property::Property;

use super::out::Out;

/// The controllers of v2, in the order of cgroup.controllers. perf_event and devices are never handed down.
const NAMES: &[u8] = b"cpuset cpu io memory hugetlb pids rdma misc dmem";

/// A set of v2 controllers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Controllers(u16);

impl Controllers {
	/// None.
	pub const NONE: Controllers = Controllers(0);
	/// Those of which a group that hands them down can have no tasks of its own (no internal process rule); the others
	/// are for threads as well.
	pub const DOMAIN: Controllers = Controllers(0b1_1101_1100);

	/// A v2 controller; none if there is no such one.
	pub fn of(name: &[u8]) -> Self {
		Controllers(words(NAMES).position(|known| known == name).map_or(0, |place| 1 << place))
	}

	/// What a v1 controller is in v2: blkio is io, others have their name. None for devices, freezer, net_cls,
	/// net_prio, perf_event and named hierarchies, whose v2 successors are in every group or are BPF programs, and for
	/// cpuacct: cpu.stat counts in every group, and the controller cpu would share out time where nobody did.
	pub fn of_v1(name: &[u8]) -> Self {
		Self::of(if name == b"blkio" { b"io" } else { name })
	}

	/// What a group must have been given to have this v2 file; none for the core files.
	pub fn of_file(property: &Property) -> Self {
		Self::of(property.controller())
	}

	/// Of names with blanks between: cgroup.controllers, cgroup.subtree_control. Others than those known are left out.
	pub fn of_text(text: &[u8]) -> Self {
		words(text.trim_ascii()).fold(Self::NONE, |all, name| all.and(Self::of(name)))
	}

	/// Those of both.
	pub const fn and(self, other: Self) -> Self {
		Controllers(self.0 | other.0)
	}

	/// Those that are not in the other.
	pub const fn without(self, other: Self) -> Self {
		Controllers(self.0 & !other.0)
	}

	/// Those that are in the other as well.
	pub const fn within(self, other: Self) -> Self {
		Controllers(self.0 & other.0)
	}

	/// Whether there are none.
	pub const fn is_empty(self) -> bool {
		self.0 == 0
	}

	/// Their names, in the kernel's order.
	pub fn names(self) -> impl Iterator<Item = &'static [u8]> {
		words(NAMES).enumerate().filter(move |(place, _)| self.0 >> place & 1 == 1).map(|(_, name)| name)
	}

	/// The value of cgroup.subtree_control, as the kernel prints it and the image has it.
	pub fn text(self, into: &mut [u8; CONTROLLERS_BYTES]) -> Result<&[u8], Fault> {
		let full = Fault::full(Limit::Controllers, CONTROLLERS_BYTES + 1);
		let mut out = Out::new(into);
		for (place, name) in self.names().enumerate() {
			out.put(if place == 0 { b"" } else { b" " }).map_err(|_| full)?;
			out.put(name).map_err(|_| full)?;
		}
		Ok(out.text())
	}
}

/// The v1 controller whose hierarchy has what this v2 controller does.
pub fn v1_name(name: &[u8]) -> &[u8] {
	if name == b"io" { b"blkio" } else { name }
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::property::{Version, find};
	extern crate std;
	use std::{string::String, vec::Vec};

	fn text(controllers: Controllers) -> String {
		let mut into = [0; CONTROLLERS_BYTES];
		String::from_utf8(controllers.text(&mut into).unwrap().to_vec()).unwrap()
	}

	#[test]
	fn v1_names_and_what_they_are() {
		let v2 = |name: &str| text(Controllers::of_v1(name.as_bytes()));
		for same in ["cpuset", "cpu", "memory", "hugetlb", "pids", "rdma", "misc", "dmem"] {
			assert_eq!(v2(same), same);
			assert_eq!(v1_name(same.as_bytes()), same.as_bytes());
		}
		assert_eq!((v2("blkio").as_str(), v1_name(b"io")), ("io", &b"blkio"[..]));
		for none in ["cpuacct", "devices", "freezer", "net_cls", "net_prio", "perf_event", "name=systemd", "", "cpu "] {
			assert_eq!(v2(none), "", "{none}");
		}
	}

	#[test]
	fn a_set_is_printed_in_the_order_of_the_kernel_and_read_back() {
		let all = Controllers::of_text(b"dmem misc rdma pids hugetlb memory io cpu cpuset\n");
		assert_eq!(text(all).as_bytes(), NAMES);
		assert_eq!(text(Controllers::of_text(b"memory  cpu perf_event")), "cpu memory");
		assert_eq!(text(all.without(Controllers::DOMAIN)), "cpuset cpu pids");
		assert_eq!(text(all.within(Controllers::DOMAIN)), "io memory hugetlb rdma misc dmem");
		assert_eq!(text(Controllers::of(b"cpu").and(Controllers::of(b"pids"))), "cpu pids");
		assert!(Controllers::of_text(b"").is_empty() && !all.is_empty() && text(Controllers::NONE).is_empty());
		for bits in 0..512 {
			assert_eq!(Controllers::of_text(text(Controllers(bits)).as_bytes()), Controllers(bits));
		}
	}

	/// Device programs need none.
	#[test]
	fn a_file_needs_its_controller() {
		let needed = |file: &str| text(Controllers::of_file(find(Version::V2, file.as_bytes()).unwrap()));
		assert_eq!(needed("io.bfq.weight"), "io");
		assert_eq!(needed("hugetlb.2MB.max"), "hugetlb");
		assert_eq!(needed("cgroup.freeze"), "");
		let files = crate::property::all(Version::V2)
			.iter()
			.filter(|file| !matches!(file.controller(), b"cgroup" | b"devices"));
		assert!(files.map(Controllers::of_file).collect::<Vec<_>>().iter().all(|needed| !needed.is_empty()));
	}
}
