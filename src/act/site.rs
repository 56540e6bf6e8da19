//! A group of the image and its place on the host, as a tour gives it to a visitor.

use core::fmt;

use crate::error::{Error, Fault};
use crate::hierarchy::Label;
use crate::image::view::{Group, Property};
use crate::kernel::dir::Dir;
use crate::name::{Name, Trail};
use crate::property;

/// What a group of the target is to the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
	/// The hierarchy's root: its files are never written.
	Root,
	/// It only leads to a group of the image.
	Way,
	/// The image has its limits, but it is not part of the walked tree.
	Ancestor,
	/// Part of the walked tree.
	Part,
}

/// A group on the host and in the image.
pub struct Site<'s, 'a> {
	/// Its path on the host, without the first slash.
	pub path: &'s Trail,
	/// Its hierarchy's place in the host's list.
	pub at: usize,
	/// Its hierarchy's name.
	pub label: &'s Label,
	/// What it is to the image.
	pub role: Role,
	/// The image's group; for a way, the one it leads to.
	pub group: &'s Group<'a>,
	/// This restore made it.
	pub made: bool,
	/// What it lies in is no group of the image.
	pub first: bool,
	/// What a group that is made here takes over from what it lies in.
	pub legacy: Legacy,
	/// Only values of the controllers that its hierarchy has are for it.
	pub part: bool,
	/// It may have been made for another hierarchy of the image.
	pub joins: bool,
	/// Not 0 where it has nothing below it and lies right below the open group on top: the same number as that of the
	/// one before where all but the name is the same, byte for byte.
	pub kind: u32,
	/// It is not open: files are reached from the group above.
	pub near: bool,
}

impl<'a> Site<'_, 'a> {
	/// The group's saved values, as far as they are for this hierarchy.
	pub fn properties(&self) -> impl Iterator<Item = Result<Property<'a>, Fault>> {
		self.group.properties().filter(|saved| {
			!self.part || saved.as_ref().map_or(true, |saved| self.label.takes(property::controller_of(saved.name)))
		})
	}
}

/// What a group hands down to a group that is made in it: the kernel copies some values at mkdir.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Legacy {
	/// It was there before, or the image does not have it.
	#[default]
	Unknown,
	/// It was made by this restore and hands down defaults.
	Rest,
	/// It was made by this restore and hands down something else.
	Unrest,
}

impl fmt::Display for Site<'_, '_> {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "group {} of {}", self.path.shown(), self.label.shown())
	}
}

/// A group that was reached: its open directory, none where the few files that matter are reached from the one above; and
/// whether this restore made it.
pub type Reached = (Option<Dir>, bool);

/// What is done on a tour. `retry` is the visitor's own note on a group, from entering to leaving.
pub trait Visit<'a> {
	/// Opens, or makes, the group called `name` in `above`, and says whether this restore made it; none where it is
	/// not there, or needs nothing, and then what lies below is passed over.
	fn arrive(&mut self, site: &Site<'_, 'a>, above: &Dir, name: &Name) -> Result<Option<Reached>, Fault>;

	/// The group is entered, before its children; what it hands down to them. `dir` is what is open of it, or above it.
	fn enter(&mut self, site: &Site<'_, 'a>, dir: &Dir, retry: &mut u64) -> Result<Legacy, Error>;

	/// The group is left, after its children.
	fn leave(&mut self, site: &Site<'_, 'a>, dir: &Dir, retry: u64) -> Result<(), Error>;
}
