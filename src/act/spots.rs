//! One set of an image in, the groups of the host that its members mean out.

use heapless::Vec;

use crate::act::host::Host;
use crate::error::{Fault, Why};
use crate::image::view::{Image, Set};
use crate::kernel::Handle;
use crate::kernel::dir::Dir;
use crate::limits::{HIERARCHIES, Limit};

/// Where a member of a set belongs.
pub struct Spot {
	member: u16,
	at: u8,
	/// The group, if it is open and none of its files is.
	pub dir: Option<Dir>,
	/// The group's files that take single threads, and whole processes, once one was moved.
	pub files: [Option<Handle>; 2],
}

impl Spot {
	/// The member's place in the set.
	pub fn member(&self) -> usize {
		self.member.into()
	}

	/// The hierarchy of the host.
	pub fn at(&self) -> usize {
		self.at.into()
	}
}

/// A set and where its members belong: in each mounted hierarchy of the host at most once.
pub struct Spots<'a> {
	/// The set.
	pub set: Set<'a>,
	/// In the order of its members.
	pub all: Vec<Spot, HIERARCHIES>,
	/// Its tasks were in a cgroup namespace of their own.
	pub has_namespace: bool,
}

impl<'a> Spots<'a> {
	/// Those of the set with this number.
	pub fn of(image: &Image<'a>, host: &Host, id: u32) -> Result<Self, Fault> {
		for set in image.sets() {
			let set = set?;
			if set.id == id {
				let has_namespace = set.members().flatten().any(|member| member.cgns_prefix.is_some());
				return Ok(Spots { set, all: places(host, &set)?, has_namespace });
			}
		}
		Err(Fault::Unfit(Why::NoSet))
	}

	/// The hierarchy of a spot, if it is one of this member.
	pub fn at(&self, spot: usize, member: usize) -> Option<usize> {
		self.all.get(spot).filter(|spot| spot.member() == member).map(Spot::at)
	}
}

fn places(host: &Host, set: &Set<'_>) -> Result<Vec<Spot, HIERARCHIES>, Fault> {
	let mut spots = Vec::<Spot, HIERARCHIES>::new();
	for (member, found) in set.members().enumerate() {
		let found = found?;
		for (at, known) in host.hierarchies.iter().enumerate() {
			let is_its = known.mount.is_some() && known.label.shares(found.name);
			if is_its && spots.iter().all(|spot| spot.at() != at) {
				let full = Fault::full(Limit::Hierarchies, spots.len() + 1);
				let spot = u16::try_from(member).ok().zip(u8::try_from(at).ok());
				let (member, at) = spot.ok_or(full)?;
				spots.push(Spot { member, at, dir: None, files: [None, None] }).map_err(|_| full)?;
			}
		}
	}
	Ok(spots)
}
