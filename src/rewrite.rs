//! An image in, another image out: what a [`Change`] makes of its memberships, of where its groups belong and of their values.
//!
//! The image is read where it is mapped and written by the writer of a dump, so memory is a few bytes a level, and whatever
//! comes after looks at the new image as at any other. Sets, tasks and what is known about the host keep their order, so
//! that a copy of an image of cgraft with nothing changed has the same bytes. The layout that is written is CRIU's, also
//! where the image has that of 2014; an image without `about` stays without.
//!
//! Not done here: judging the image ([`crate::vet`]); it is judged before, so that damage is told with its own offsets.

pub mod paths;
pub mod values;

use core::fmt;

use heapless::Vec;

use crate::error::{Error, Fault};
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
	walk: Walk,
}

/// Those of a walk through a hierarchy.
struct Walk {
	levels: Vec<Level, DEPTH>,
	/// The levels that are written, as open messages.
	marks: Vec<Mark, DEPTH>,
	trail: Trail,
	target: Path,
}

impl Space {
	/// Empty ones.
	pub const fn new() -> Self {
		let walk = Walk { levels: Vec::new(), marks: Vec::new(), trail: Trail::new(), target: Path::new() };
		Space { sink: [0; SINK_BYTES], walk }
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
	let mut all = image.hierarchies();
	for field in image.fields() {
		let field = field.placed()?;
		match field.number {
			entry::SETS => image.set(&field).and_then(|set| copy_set(writer, &set, change)).placed()?,
			entry::ABOUT | entry::TASKS => {
				field.bytes().and_then(|message| writer.text(field.number, message.bytes)).placed()?;
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

/// One part of one hierarchy on its way into the new image.
struct Forest<'f, 's, S: Store> {
	writer: &'f mut ImageWriter<'s, S>,
	label: &'f Label,
	change: &'f mut dyn Change,
	part: usize,
	walk: &'f mut Walk,
}

impl<S: Store> Forest<'_, '_, S> {
	fn write(&mut self, hierarchy: &Hierarchy<'_>) -> Result<(), Error> {
		self.walk.levels.clear();
		self.walk.marks.clear();
		self.walk.trail.clear();
		let mut descent = Descent::new(hierarchy);
		while let Some(turn) = descent.turn().placed()? {
			match turn {
				Turn::Enter(group) => {
					if self.enter(&group).placed()? {
						self.open(hierarchy)?;
					}
				}
				Turn::Leave(group) => self.leave(&group).placed()?,
			}
		}
		Ok(())
	}

	/// Whether the group is to be written now: what only lies above others is, once one of them is.
	fn enter(&mut self, group: &Group<'_>) -> Result<bool, Fault> {
		let Walk { levels, trail, target, .. } = &mut *self.walk;
		components(group.name).try_for_each(|component| trail.push(component))?;
		let path = trail.bytes();
		let is_here = self.change.place(path, target)? == self.part;
		let message = group.message();
		let (start, end) = (message.at as u32, (message.at + message.bytes.len()) as u32); // the payload's size is a u32
		let full = Fault::full(Limit::Depth, DEPTH + 1);
		levels.push(Level { start, end, len: path.len() as u16, is_here }).map_err(|_| full)?;
		Ok(is_here && !is_moved_root(path, target) && !group.is_ancestor()?)
	}

	/// Opens all levels that are of this part and are not open yet.
	fn open(&mut self, hierarchy: &Hierarchy<'_>) -> Result<(), Error> {
		let Walk { levels, marks, trail, target } = &mut *self.walk;
		let first = levels.iter().position(|level| level.is_here).unwrap_or(0);
		let mut above = 0;
		for (at, Level { start, end, len, .. }) in levels.iter().enumerate().skip(first) {
			let len = usize::from(*len);
			let above = core::mem::replace(&mut above, len);
			if at < first + marks.len() {
				continue;
			}
			let group = hierarchy.group(hierarchy.bytes(*start, *end)).placed()?;
			let path = trail.bytes().get(..len).unwrap_or(b"");
			self.change.place(path, target).placed()?;
			let own = path.get(above..).unwrap_or(b"");
			let name = if at == first { &**target } else { own.strip_prefix(b"/").unwrap_or(own) };
			let ancestor = group.is_ancestor().placed()?;
			let mark = self.writer.group(at == first, name, b"", ancestor).placed()?;
			let _ = marks.push(mark); // as many as levels
			if !is_moved_root(path, target) {
				copy_own(self.writer, &Spot { label: self.label, path }, &group, self.change)?;
			}
		}
		Ok(())
	}

	fn leave(&mut self, group: &Group<'_>) -> Result<(), Fault> {
		let Walk { levels, marks, trail, .. } = &mut *self.walk;
		components(group.name).for_each(|_| trail.pop());
		let is_here = levels.pop().is_some_and(|level| level.is_here);
		// Levels of this part follow each other, and are open from the first one on.
		let left = levels.iter().filter(|level| level.is_here).count();
		match if is_here && marks.len() > left { marks.pop() } else { None } {
			Some(mark) => self.writer.close(mark),
			None => Ok(()),
		}
	}
}

/// Whether a group is the root, and becomes one that is none.
fn is_moved_root(path: &[u8], target: &[u8]) -> bool {
	path.is_empty() && !target.is_empty()
}

#[cfg(test)]
mod tests;
