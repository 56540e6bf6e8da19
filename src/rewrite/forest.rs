//! A hierarchy of the image in, one part of its groups out, each at its new place.
//!
//! What only lies above other groups is written once one of those is, so that nothing is left of ways that lead nowhere any
//! more. Memory is a few bytes a level.

use heapless::Vec;

use crate::error::{Error, Fault};
use crate::hierarchy::Label;
use crate::image::descent::{Descent, Turn};
use crate::image::sink::{Mark, Store};
use crate::image::view::{Group, Hierarchy};
use crate::image::writer::ImageWriter;
use crate::limits::{DEPTH, Limit};
use crate::name::{Trail, components};
use crate::remap::Path;
use crate::rewrite::{Change, Placed, Spot, copy_own};

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

/// Those of a walk through a hierarchy.
pub(super) struct Walk {
	levels: Vec<Level, DEPTH>,
	/// The levels that are written, as open messages.
	marks: Vec<Mark, DEPTH>,
	trail: Trail,
	target: Path,
}

impl Walk {
	/// Before the first hierarchy.
	pub(super) const fn new() -> Self {
		Walk { levels: Vec::new(), marks: Vec::new(), trail: Trail::new(), target: Path::new() }
	}
}

/// One part of one hierarchy on its way into the new image.
pub(super) struct Forest<'f, 's, S: Store> {
	pub(super) writer: &'f mut ImageWriter<'s, S>,
	pub(super) label: &'f Label,
	pub(super) change: &'f mut dyn Change,
	pub(super) part: usize,
	pub(super) walk: &'f mut Walk,
}

impl<S: Store> Forest<'_, '_, S> {
	/// Writes it.
	pub(super) fn write(&mut self, hierarchy: &Hierarchy<'_>) -> Result<(), Error> {
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
