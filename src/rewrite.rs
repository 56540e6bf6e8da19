//! An image in, another image out: what a [`Change`] makes of its memberships, of where its groups belong and of their values.
//!
//! The image is read where it is mapped and written by the writer of a dump, so memory is a few bytes a level, and whatever
//! comes after looks at the new image as at any other. Sets, tasks and what is known about the host keep their order, so
//! that a copy of an image of cgraft with nothing changed has the same bytes. The layout that is written is CRIU's, also
//! where the image has that of 2014; an image without `about` stays without.
//!
//! Not done here: judging the image ([`crate::vet`]); it is judged before, so that damage is told with its own offsets.

mod forest;
pub mod paths;
pub mod values;

use core::fmt;

use crate::error::{Error, Fault};
use crate::hierarchy::Label;
use crate::image::descent::{Descent, Turn};
use crate::image::schema::entry;
use crate::image::sink::{Sink, Store};
use crate::image::view::{Group, Hierarchy, Image, Layout, Member, Perms, Set};
use crate::image::writer::ImageWriter;
use crate::limits::{Limit, SINK_BYTES};
use crate::name::{ShownPath, Trail, components};
use crate::remap::Path;

use self::forest::{Forest, Walk};

/// Takes the members of a set that is written.
pub type PutMember<'p> = dyn FnMut(&Member<'_>) -> Result<(), Fault> + 'p;
/// Takes the properties of a group that is written: a file, its value, its owner and mode.
pub type PutProperty<'p> = dyn FnMut(&[u8], &[u8], Option<Perms>) -> Result<(), Fault> + 'p;

/// What a rewriting changes; nothing, unless a function says otherwise.
pub trait Change {
	/// A hierarchy begins. How many parts it has: the groups of one part are written, then those of the next.
	fn parts(&mut self, _: &Label) -> usize {
		1
	}

	/// Whether anything is of a part; where nothing is, it is not looked for.
	fn has(&self, _: usize) -> bool {
		true
	}

	/// The part to which a group of the current hierarchy belongs, by its path (without the first slash), and its new path,
	/// put into `into`. Below a group of one part is that part, until a deeper group belongs to another one.
	fn place(&mut self, path: &[u8], into: &mut Path) -> Result<usize, Fault> {
		into.clear();
		into.extend_from_slice(path).map_err(|_| Fault::full(Limit::GroupPath, path.len())).map(|()| 0)
	}

	/// Whether the name of a disk says nothing any more.
	fn forgets(&self, _: u32) -> bool {
		false
	}

	/// The members of a set.
	fn members(&mut self, set: &Set<'_>, put: &mut PutMember<'_>) -> Result<(), Fault> {
		set.members().try_for_each(|member| put(&member?))
	}

	/// The properties of a group.
	fn properties(&mut self, _: &Spot<'_>, group: &Group<'_>, put: &mut PutProperty<'_>) -> Result<(), Error> {
		let mut all = group.properties();
		all.try_for_each(|saved| saved.and_then(|saved| put(saved.name, saved.value.bytes(), saved.perms))).placed()
	}
}

/// Where something of the image is wrong.
pub const IMAGE: fmt::Arguments<'_> = format_args!("the image");

/// The place of faults is [`IMAGE`], unless somebody knows better; written once, because many calls can fail.
pub(crate) trait Placed<T> {
	/// The same result.
	fn placed(self) -> Result<T, Error>;
}

impl<T> Placed<T> for Result<T, Fault> {
	#[inline]
	fn placed(self) -> Result<T, Error> {
		self.map_err(|fault| Error { fault })
	}
}

/// Writes the place of [`Placed`].
pub(crate) fn in_image() {
	let _ = Error::new(Fault::NotKept, IMAGE);
}

/// A group of the image, for messages.
#[derive(Clone, Copy)]
pub struct Spot<'s> {
	/// Its hierarchy.
	pub label: &'s Label,
	/// Its path in the image, without the first slash.
	pub path: &'s [u8],
}

impl fmt::Display for Spot<'_> {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "group {} of {}", ShownPath(self.path), self.label.shown())
	}
}

/// The buffers of a rewriting.
pub struct Space {
	sink: [u8; SINK_BYTES],
	walk: Walk,
}

impl Space {
	/// Empty ones.
	pub const fn new() -> Self {
		Space { sink: [0; SINK_BYTES], walk: Walk::new() }
	}
}

impl Default for Space {
	fn default() -> Self {
		Space::new()
	}
}

/// Writes the changed image into the store, and gives that back.
pub fn rewrite<S: Store>(image: &Image<'_>, store: S, change: &mut dyn Change, space: &mut Space) -> Result<S, Error> {
	in_image();
	let Space { sink, walk } = space;
	let mut writer = ImageWriter::new(Sink::new(store, sink), Layout::Criu).placed()?;
	copy(image, &mut writer, change, walk)?;
	writer.finish().placed()
}

fn copy<S: Store>(
	image: &Image<'_>,
	writer: &mut ImageWriter<'_, S>,
	change: &mut dyn Change,
	walk: &mut Walk,
) -> Result<(), Error> {
	let (mut sets, mut disks, mut all) = (image.sets(), image.disks(), image.hierarchies());
	for field in image.fields() {
		let field = field.placed()?;
		match field.number {
			entry::SETS => {
				let set = sets.next().map_or(Ok(()), |set| copy_set(writer, &set?, change));
				set.placed()?;
			}
			entry::ABOUT | entry::TASKS | entry::DISKS => {
				let disk = if field.number == entry::DISKS { disks.next().transpose().placed()? } else { None };
				if disk.is_none_or(|disk| !change.forgets(disk.number)) {
					field.bytes().and_then(|message| writer.text(field.number, message.bytes)).placed()?;
				}
			}
			entry::CONTROLLERS => {
				all.next().map_or(Ok(()), |hierarchy| copy_hierarchy(writer, &hierarchy.placed()?, change, walk))?;
			}
			_ => {}
		}
	}
	Ok(())
}

fn copy_hierarchy<S: Store>(
	writer: &mut ImageWriter<'_, S>,
	hierarchy: &Hierarchy<'_>,
	change: &mut dyn Change,
	walk: &mut Walk,
) -> Result<(), Error> {
	let label = &Label::of(hierarchy).placed()?;
	let mark = writer.hierarchy(0, label.names()).placed()?;
	for part in 0..change.parts(label) {
		if change.has(part) {
			Forest { writer, label, change, part, walk }.write(hierarchy)?;
		}
	}
	hierarchy.threaded.map_or(Ok(()), |threaded| writer.threaded(threaded)).placed()?;
	writer.close(mark).placed()
}

/// Takes a group and its path, without the first slash.
pub type Each<'e> = dyn FnMut(&[u8], &Group<'_>) -> Result<(), Error> + 'e;

/// Gives all groups of a hierarchy.
pub fn each_group(hierarchy: &Hierarchy<'_>, each: &mut Each<'_>) -> Result<(), Error> {
	let (mut descent, mut trail) = (Descent::new(hierarchy), Trail::new());
	while let Some(turn) = descent.turn().placed()? {
		match turn {
			Turn::Enter(group) => {
				components(group.name).try_for_each(|component| trail.push(component)).placed()?;
				each(trail.bytes(), &group)?;
			}
			Turn::Leave(group) => components(group.name).for_each(|_| trail.pop()),
		}
	}
	Ok(())
}

/// Gives every owner and mode of the image.
pub fn each_perms(image: &Image<'_>, each: &mut dyn FnMut(Perms)) -> Result<(), Error> {
	in_image();
	for hierarchy in image.hierarchies() {
		each_group(&hierarchy.placed()?, &mut |_, group| {
			group.perms().placed()?.into_iter().for_each(&mut *each);
			let mut all = group.properties();
			all.try_for_each(|saved| saved.map(|saved| saved.perms.into_iter().for_each(&mut *each))).placed()
		})?;
	}
	Ok(())
}

/// Writes one set.
pub fn copy_set<S: Store>(
	writer: &mut ImageWriter<'_, S>,
	set: &Set<'_>,
	change: &mut dyn Change,
) -> Result<(), Fault> {
	let mark = writer.open_set(set.id)?;
	change.members(set, &mut |member| writer.member(member))?;
	writer.close(mark)
}

/// Writes a group's own, which is everything before its children; its message is open.
pub fn copy_own<S: Store>(
	writer: &mut ImageWriter<'_, S>,
	spot: &Spot<'_>,
	group: &Group<'_>,
	change: &mut dyn Change,
) -> Result<(), Error> {
	for attribute in group.attributes() {
		attribute.and_then(|attribute| writer.attribute(attribute.name, attribute.value)).placed()?;
	}
	let perms = group.perms().placed()?;
	perms.map_or(Ok(()), |perms| writer.owner(perms)).placed()?;
	change.properties(spot, group, &mut |name, value, perms| writer.property(name, value, perms))
}

#[cfg(test)]
mod tests;
