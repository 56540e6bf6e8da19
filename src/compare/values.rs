//! Two groups in, the differences of their values, owners and modes out.

use super::only;
use super::walk::Pair;
use crate::difference::{What, owner_text, same_perms};
use crate::error::Fault;
use crate::image::descent::{Descent, Turn};
use crate::image::view::{Group, Hierarchy, Perms, Properties, Property as Saved};
use crate::procfs::membership::has_controller;
use crate::property::{self, Property, Read, Version, value};

impl<'a> Pair<'_, 'a> {
	/// Tells how a group of the first image differs from the one of the second.
	pub(super) fn both(&mut self, left: &Group<'a>, right: &Group<'a>) -> Result<(), Fault> {
		let (mut next, mut hint) = (right.properties(), 0);
		for saved in left.properties() {
			let saved = saved?;
			if !self.is_meant(&saved) {
				continue;
			}
			let known = self.known(saved.name, &mut hint);
			match partner(right.properties(), &mut next, saved.name)? {
				Some(other) => self.values(known, &saved, &other),
				None => self.missing(0, known, &saved)?,
			}
		}
		(next, hint) = (left.properties(), 0);
		for saved in right.properties() {
			let saved = saved?;
			if self.is_meant(&saved) && partner(left.properties(), &mut next, saved.name)?.is_none() {
				let known = self.known(saved.name, &mut hint);
				self.missing(1, known, &saved)?;
			}
		}
		self.owners(b"", left.perms()?, right.perms()?);
		if self.ours { self.attributes([left, right]) } else { Ok(()) }
	}

	/// Extended attributes, which CRIU does not save; there are few.
	fn attributes(&mut self, groups: [&Group<'a>; 2]) -> Result<(), Fault> {
		for side in [0, 1] {
			for saved in groups[side].attributes() {
				let saved = saved?;
				let mut others = groups[1 - side].attributes().flatten();
				let other = others.find(|other| other.name == saved.name).map(|other| other.value);
				// What both have is told once.
				if other != Some(saved.value) && (side == 0 || other.is_none()) {
					let sides = if side == 0 { [Some(saved.value), other] } else { [other, Some(saved.value)] };
					self.differ(What::Attribute(saved.name), sides);
				}
			}
		}
		Ok(())
	}

	fn version(&self) -> Version {
		self.label.version()
	}

	/// Whether the file belongs to what both hierarchies have.
	fn is_meant(&self, saved: &Saved<'_>) -> bool {
		let controller = property::controller_of(saved.name);
		self.whole || controller == b"cgroup" || has_controller(self.label.bytes(), controller)
	}

	/// The property of a file and its bit.
	fn known(&self, file: &[u8], hint: &mut usize) -> Option<(&'static Property, u128)> {
		let index = property::index_after(self.version(), file, *hint)?;
		*hint = index + 1;
		Some((property::all(self.version()).get(index)?, bit(index)))
	}

	/// A file that both have.
	fn values(&mut self, known: Option<(&Property, u128)>, left: &Saved<'_>, right: &Saved<'_>) {
		let (one, other) = (left.value.bytes(), right.value.bytes());
		let same = match known {
			Some((known, _)) => value::same_in_pages(known, one, other, self.page),
			None => one == other,
		};
		if !same {
			self.differ(What::Value(left.name), [Some(one), Some(other)]);
		}
		// CRIU fills the owner and mode of freezer.state with whatever was in its memory.
		if self.ours || known.is_none_or(|(known, _)| known.read != Read::Freezer) {
			self.owners(left.name, left.perms, right.perms);
		}
	}

	fn owners(&mut self, file: &[u8], left: Option<Perms>, right: Option<Perms>) {
		match (left, right) {
			(Some(left), Some(right)) if !same_perms(left, right) => {
				let (left, right) = (owner_text(left), owner_text(right));
				self.differ(What::Owner(file), [Some(left.as_bytes()), Some(right.as_bytes())]);
			}
			_ => {}
		}
	}

	/// A file that only this side's group has. Where no group of the other side has it, that is told once.
	fn missing(&mut self, side: usize, known: Option<(&Property, u128)>, saved: &Saved<'_>) -> Result<(), Fault> {
		let text = saved.value.bytes();
		if let Some((known, bit)) = known {
			if value::is_default(known, text) {
				return Ok(());
			}
			if self.saved(1 - side)? & bit == 0 {
				if self.told[side] & bit == 0 {
					self.told[side] |= bit;
					self.differ(What::File(saved.name), only(side));
				}
				return Ok(());
			}
		}
		let mut sides = [None; 2];
		sides[side] = Some(text);
		self.differ(What::Value(saved.name), sides);
		Ok(())
	}

	/// The files that some group of this side has.
	fn saved(&mut self, side: usize) -> Result<u128, Fault> {
		match self.saved[side] {
			Some(saved) => Ok(saved),
			None => {
				let saved = all_saved(&self.sides[side])?;
				self.saved[side] = Some(saved);
				Ok(saved)
			}
		}
	}
}

fn bit(index: usize) -> u128 {
	1 << index.min(127)
}

/// The files of all groups of a hierarchy, as bits of the table.
#[inline(never)] // its descent is only there while it looks
fn all_saved(hierarchy: &Hierarchy<'_>) -> Result<u128, Fault> {
	let version = Version::of(hierarchy.is_unified());
	let (mut descent, mut saved) = (Descent::new(hierarchy), 0);
	while let Some(turn) = descent.turn()? {
		let Turn::Enter(group) = turn else { continue };
		let mut hint = 0;
		for property in group.properties() {
			if let Some(index) = property::index_after(version, property?.name, hint) {
				hint = index + 1;
				saved |= bit(index);
			}
		}
	}
	Ok(saved)
}

/// The property with this name; they mostly come in the same order.
fn partner<'a>(all: Properties<'a>, next: &mut Properties<'a>, name: &[u8]) -> Result<Option<Saved<'a>>, Fault> {
	for mut left in [*next, all] {
		while let Some(property) = left.next().transpose()? {
			if property.name == name {
				*next = left;
				return Ok(Some(property));
			}
		}
	}
	Ok(None)
}
