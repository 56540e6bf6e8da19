//! Two hierarchies in, their groups side by side out.
//!
//! The groups of one are gone through in tree order, and each is looked for in the other by its path: below the group
//! that its parent was matched with, and among the heads, whose names may be paths. Then the same the other way round,
//! for the groups that only the other one has.

use heapless::Vec;

use super::only;
use super::seek::Seek;
use crate::difference::{Difference, Tell, What};
use crate::error::Fault;
use crate::hash::{START, hash};
use crate::hierarchy::Label;
use crate::image::descent::{Descent, Turn};
use crate::image::view::{Group, Hierarchy, Layout, View};
use crate::image::wire::Message;
use crate::limits::{DEPTH, Limit};
use crate::name::{Trail, components, is_below_or_same};

/// Groups between two releases of the other image's pages.
const RELEASE_EVERY: u32 = 512;

/// A group that was entered.
struct Level {
	/// The bytes of the other image's group with the same path, as offsets in the payload; none where both are 0.
	start: u32,
	end: u32,
	/// Among its children.
	seek: Seek,
	/// The other image has heads below the path.
	deeper: bool,
	/// Groups right below that only this image has are not told.
	hides: bool,
	/// Components to leave with it.
	steps: u16,
}

/// The buffers of a comparison.
pub struct Buffers {
	levels: Vec<Level, DEPTH>,
	heads: Seek,
	trail: Trail,
}

impl Buffers {
	/// Empty ones.
	pub const fn new() -> Self {
		Buffers { levels: Vec::new(), heads: Seek::new(), trail: Trail::new() }
	}
}

impl Default for Buffers {
	fn default() -> Self {
		Buffers::new()
	}
}

/// Two hierarchies that have controllers in common.
pub struct Pair<'w, 'a> {
	pub(super) sides: [Hierarchy<'a>; 2],
	/// What they have in common.
	pub(super) label: &'w Label,
	/// Both have nothing else.
	pub(super) whole: bool,
	/// See `value::same_in_pages`.
	pub(super) page: u64,
	/// Both images were written by cgraft.
	pub(super) ours: bool,
	/// The files that some group of each side has, as bits of the table, once they are looked for.
	pub(super) saved: [Option<u128>; 2],
	/// The files of each side of which was told that the other one does not save them.
	pub(super) told: [u128; 2],
	pub(super) tell: Tell<'w>,
	buffers: &'w mut Buffers,
}

impl<'w, 'a> Pair<'w, 'a> {
	/// Not compared yet.
	pub fn new(
		sides: [Hierarchy<'a>; 2],
		label: &'w Label,
		(page, ours): (u64, bool),
		buffers: &'w mut Buffers,
		tell: Tell<'w>,
	) -> Result<Self, Fault> {
		let whole = label.is_same(Label::of(&sides[0])?.bytes()) && label.is_same(Label::of(&sides[1])?.bytes());
		Ok(Pair { sides, label, whole, page, ours, saved: [None; 2], told: [0; 2], tell, buffers })
	}

	/// Tells every difference.
	pub fn compare(&mut self) -> Result<(), Fault> {
		self.walk(0)?;
		self.walk(1)
	}

	/// Goes through the groups of one side.
	fn walk(&mut self, side: usize) -> Result<(), Fault> {
		let Buffers { levels, heads, trail } = &mut *self.buffers;
		levels.clear();
		trail.clear();
		*heads = Seek::new();
		let mut descent = Descent::new(&self.sides[side]);
		let mut groups = 0;
		while let Some(turn) = descent.turn()? {
			match turn {
				Turn::Enter(group) => self.enter(side, &group, &descent)?,
				Turn::Leave(_) => self.leave(),
			}
			groups = (groups + 1) % RELEASE_EVERY;
			if groups == 0 {
				self.sides[1 - side].pages.release();
			}
		}
		Ok(())
	}

	fn enter(&mut self, side: usize, group: &Group<'a>, descent: &Descent<'a>) -> Result<(), Fault> {
		let above = self.buffers.levels.last();
		let (hidden, mut deeper) = above.map_or((false, true), |level| (level.hides, level.deeper));
		let mut level = Level { start: 0, end: 0, seek: Seek::new(), deeper: false, hides: false, steps: 0 };
		for component in components(group.name) {
			self.buffers.trail.push(component)?;
			level.steps += 1;
		}
		match self.partner(side, group, descent)? {
			Some(other) => {
				let message = other.message();
				(level.start, level.end) = (message.at as u32, (message.at + message.bytes.len()) as u32);
				if side == 0 {
					self.both(group, &other)?;
				}
			}
			None => {
				level.hides = !group.is_ancestor()?;
				if !hidden {
					self.differ(What::Group, only(side));
				}
			}
		}
		deeper = deeper && self.is_above_heads(side)?;
		let full = Fault::full(Limit::Depth, DEPTH + 1);
		self.buffers.levels.push(Level { deeper, ..level }).map_err(|_| full)
	}

	fn leave(&mut self) {
		let steps = self.buffers.levels.pop().map_or(0, |level| level.steps);
		(0..steps).for_each(|_| self.buffers.trail.pop());
	}

	/// The other side's group with the path of the one that is entered.
	fn partner(&mut self, side: usize, group: &Group<'a>, descent: &Descent<'a>) -> Result<Option<Group<'a>>, Fault> {
		let other = self.sides[1 - side];
		let Buffers { levels, heads, trail } = &mut *self.buffers;
		let mut deeper = true;
		if let Some(level) = levels.last_mut() {
			deeper = level.deeper;
			if level.end != 0 {
				let children = other.group(other.bytes(level.start, level.end))?.children().messages();
				let key = |_: bool, message: Message<'_>| Ok(hash(START, name_of(message)?));
				let mut look = |message| Ok((name_of(message)? == group.name).then_some(message));
				if let Some(found) = level.seek.find(children, &mut look, descent.siblings().messages(), &key)? {
					return other.group(found).map(Some);
				}
			}
		}
		if !deeper {
			return Ok(None);
		}
		let mut look = |head| below(other.group(head)?, trail.bytes());
		heads.search(other.heads().messages(), &mut look)?.map(|found| other.group(found)).transpose()
	}

	/// Whether the other side has heads below the path.
	fn is_above_heads(&self, side: usize) -> Result<bool, Fault> {
		for head in self.sides[1 - side].heads() {
			if rest(head?.name, self.buffers.trail.bytes()).is_some_and(|rest| !rest.is_empty()) {
				return Ok(true);
			}
		}
		Ok(false)
	}

	/// Tells a difference of the group that is entered.
	pub(super) fn differ(&mut self, what: What<'_>, sides: [Option<&[u8]>; 2]) {
		let (hierarchy, group) = (self.label.bytes(), self.buffers.trail.bytes());
		(self.tell)(&Difference { hierarchy, group, what, sides });
	}
}

/// The last component of the name in a group's bytes.
pub(crate) fn name_of<'a>(message: Message<'a>) -> Result<&'a [u8], Fault> {
	Ok(leaf(Group::view(message, Layout::Criu)?.name))
}

/// The last component of a group's name; the rfc layout has whole paths.
fn leaf(name: &[u8]) -> &[u8] {
	name.rsplit(|byte| *byte == b'/').next().unwrap_or(name)
}

/// What of a path lies below another one.
fn rest<'p>(path: &'p [u8], above: &[u8]) -> Option<&'p [u8]> {
	if above.is_empty() {
		return Some(path);
	}
	let rest = path.get(above.len()..).filter(|_| is_below_or_same(path, above))?;
	Some(rest.strip_prefix(b"/").unwrap_or(rest))
}

/// The group with this path: a head, or one below it.
fn below<'a>(head: Group<'a>, path: &[u8]) -> Result<Option<Message<'a>>, Fault> {
	let Some(rest) = rest(path, head.name) else { return Ok(None) };
	let mut group = head;
	for component in components(rest) {
		match group.children().find(|child| child.as_ref().map_or(true, |child| leaf(child.name) == component)) {
			Some(child) => group = child?,
			None => return Ok(None),
		}
	}
	Ok(Some(group.message()))
}
