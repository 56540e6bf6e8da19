//! An image in, another image out: what a [`Change`] makes of its memberships, of where its groups belong and of their values.
//!
//! The image is read where it is mapped and written by the writer of a dump, so memory is a few bytes a level, and whatever
//! comes after looks at the new image as at any other. Sets, tasks and what is known about the host keep their order, so
//! that a copy of an image of cgraft with nothing changed has the same bytes. The layout that is written is CRIU's, also
//! where the image has that of 2014; an image without `about` stays without.
//!
//! Not done here: judging the image ([`crate::vet`]); it is judged before, so that damage is told with its own offsets.

pub mod paths;

use core::fmt;

use heapless::Vec;

use crate::error::{At, Error, Fault};
use crate::hierarchy::Label;
use crate::image::descent::{Descent, Turn};
use crate::image::schema::entry;
use crate::image::sink::{Mark, Sink, Store};
use crate::image::view::{Group, Hierarchy, Image, Layout, Member, Perms, Set};
use crate::image::writer::ImageWriter;
use crate::limits::{DEPTH, Limit, SINK_BYTES};
use crate::name::{ShownPath, Trail, components};
use crate::remap::Path;

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

	/// The members of a set.
	fn members(&mut self, set: &Set<'_>, put: &mut PutMember<'_>) -> Result<(), Fault> {
		set.members().try_for_each(|member| put(&member?))
	}

	/// The properties of a group.
	fn properties(&mut self, _: &Spot<'_>, group: &Group<'_>, put: &mut PutProperty<'_>) -> Result<(), Error> {
		let mut all = group.properties();
		all.try_for_each(|saved| saved.and_then(|saved| put(saved.name, saved.value.bytes(), saved.perms))).at(IMAGE)
	}
}

/// Where something of the image is wrong.
pub const IMAGE: fmt::Arguments<'_> = format_args!("the image");

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

/// A group that is entered.
#[derive(Clone, Copy)]
struct Level {
	/// Its bytes: offsets in the payload.
	start: u32,
	end: u32,
	/// Bytes of its path in the image.
	len: u16,
	/// It is of the part that is written.
	is_here: bool,
}

/// The buffers of a rewriting.
pub struct Space {
	sink: [u8; SINK_BYTES],
	levels: Vec<Level, DEPTH>,
	/// The levels that are written, as open messages.
	marks: Vec<Mark, DEPTH>,
	trail: Trail,
	target: Path,
}

impl Space {
	/// Empty ones.
	pub const fn new() -> Self {
		Space { sink: [0; SINK_BYTES], levels: Vec::new(), marks: Vec::new(), trail: Trail::new(), target: Path::new() }
	}
}

impl Default for Space {
	fn default() -> Self {
		Space::new()
	}
}

/// Writes the changed image into the store, and gives that back.
pub fn rewrite<S: Store>(image: &Image<'_>, store: S, change: &mut dyn Change, space: &mut Space) -> Result<S, Error> {
	let Space { sink, levels, marks, trail, target } = space;
	let mut writer = ImageWriter::new(Sink::new(store, sink), Layout::Criu).at(IMAGE)?;
	let mut all = image.hierarchies();
	for field in image.fields() {
		let field = field.at(IMAGE)?;
		match field.number {
			entry::SETS => copy_set(&mut writer, &image.set(&field).at(IMAGE)?, change).at(IMAGE)?,
			entry::ABOUT | entry::TASKS => {
				let message = field.bytes().at(IMAGE)?;
				writer.text(field.number, message.bytes).at(IMAGE)?;
			}
			entry::CONTROLLERS => {
				let Some(hierarchy) = all.next() else { continue };
				let hierarchy = hierarchy.at(IMAGE)?;
				let label = &Label::of(&hierarchy).at(IMAGE)?;
				let mark = writer.hierarchy(0, label.names()).at(IMAGE)?;
				for part in 0..change.parts(label) {
					if !change.has(part) {
						continue;
					}
					let (levels, marks) = (&mut *levels, &mut *marks);
					let mut forest = Forest { writer: &mut writer, label, change, part, levels, marks, trail, target };
					forest.write(&hierarchy)?;
				}
				hierarchy.threaded.map_or(Ok(()), |threaded| writer.threaded(threaded)).at(IMAGE)?;
				writer.close(mark).at(IMAGE)?;
			}
			_ => {}
		}
	}
	writer.finish().at(IMAGE)
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
		attribute.and_then(|attribute| writer.attribute(attribute.name, attribute.value)).at(IMAGE)?;
	}
	let perms = group.perms().at(IMAGE)?;
	perms.map_or(Ok(()), |perms| writer.owner(perms)).at(IMAGE)?;
	change.properties(spot, group, &mut |name, value, perms| writer.property(name, value, perms))
}

/// One part of one hierarchy on its way into the new image.
struct Forest<'f, 's, S: Store> {
	writer: &'f mut ImageWriter<'s, S>,
	label: &'f Label,
	change: &'f mut dyn Change,
	part: usize,
	levels: &'f mut Vec<Level, DEPTH>,
	marks: &'f mut Vec<Mark, DEPTH>,
	trail: &'f mut Trail,
	target: &'f mut Path,
}

impl<S: Store> Forest<'_, '_, S> {
	fn write(&mut self, hierarchy: &Hierarchy<'_>) -> Result<(), Error> {
		self.levels.clear();
		self.marks.clear();
		self.trail.clear();
		let mut descent = Descent::new(hierarchy);
		while let Some(turn) = descent.turn().at(IMAGE)? {
			match turn {
				Turn::Enter(group) => self.enter(hierarchy, &group)?,
				Turn::Leave(group) => {
					let here = self.levels.pop().is_some_and(|level| level.is_here);
					// What is here is written from its first level on, as far as anything is.
					if here && self.marks.len() > self.levels.iter().filter(|level| level.is_here).count() {
						self.marks.pop().map_or(Ok(()), |mark| self.writer.close(mark)).at(IMAGE)?;
					}
					components(group.name).for_each(|_| self.trail.pop());
				}
			}
		}
		Ok(())
	}

	fn enter(&mut self, hierarchy: &Hierarchy<'_>, group: &Group<'_>) -> Result<(), Error> {
		components(group.name).try_for_each(|component| self.trail.push(component)).at(IMAGE)?;
		let path = self.trail.bytes();
		let is_here = self.change.place(path, self.target).at(IMAGE)? == self.part;
		let message = group.message();
		let (start, end) = (message.at as u32, (message.at + message.bytes.len()) as u32); // the payload's size is a u32
		let level = Level { start, end, len: path.len() as u16, is_here };
		let full = Fault::full(Limit::Depth, DEPTH + 1);
		self.levels.push(level).map_err(|_| full).at(IMAGE)?;
		// What only lies above is written once something below is.
		let only_leads = group.is_ancestor().at(IMAGE)? || self.is_moved_root(path);
		if is_here && !only_leads { self.open(hierarchy) } else { Ok(()) }
	}

	/// Whether the group with this path, whose new path is known, is the root, and will be a group that is none.
	fn is_moved_root(&self, path: &[u8]) -> bool {
		path.is_empty() && !self.target.is_empty()
	}

	/// Opens all levels that are of this part and are not open yet.
	fn open(&mut self, hierarchy: &Hierarchy<'_>) -> Result<(), Error> {
		let first = self.levels.iter().position(|level| level.is_here).unwrap_or(0);
		for at in first + self.marks.len()..self.levels.len() {
			let Level { start, end, len, .. } = self.levels[at];
			let group = hierarchy.group(hierarchy.bytes(start, end)).at(IMAGE)?;
			let path = self.trail.bytes().get(..usize::from(len)).unwrap_or(b"");
			self.change.place(path, self.target).at(IMAGE)?;
			let above = at.checked_sub(1).filter(|_| at > first).map_or(0, |above| usize::from(self.levels[above].len));
			let own = path.get(above..).unwrap_or(b"");
			let name = if at == first { &**self.target } else { own.strip_prefix(b"/").unwrap_or(own) };
			let ancestor = group.is_ancestor().at(IMAGE)?;
			let mark = self.writer.group(at == first, name, b"", ancestor).at(IMAGE)?;
			let _ = self.marks.push(mark); // as many as levels
			if !self.is_moved_root(path) {
				copy_own(self.writer, &Spot { label: self.label, path }, &group, self.change)?;
			}
		}
		Ok(())
	}
}

#[cfg(test)]
mod tests;
