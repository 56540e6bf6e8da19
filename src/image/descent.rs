//! A hierarchy of the image in, its groups out in tree order: entered before their children, left after them.
//!
//! Memory is three offsets a level. The depth is counted in components, so a head `a/b/c` is three levels; deeper than
//! [`DEPTH`] is a fault. Many groups differ from the one before in nothing but their name: of those nothing is read again.

use heapless::Vec;

use crate::error::Fault;
use crate::image::view::{Group, Hierarchy, Repeated};
use crate::limits::{DEPTH, Limit};
use crate::name::components;

/// One turn of a descent.
#[derive(Clone, Copy, Debug)]
pub enum Turn<'a> {
	/// A group is entered.
	Enter(Group<'a>),
	/// The group entered last and not left yet is left.
	Leave(Group<'a>),
}

/// Offsets into the hierarchy's message: a group's bytes, and its fields that are not read yet.
#[derive(Clone, Copy)]
struct Frame {
	start: u32,
	end: u32,
	next: u32,
}

/// The groups of one hierarchy.
pub struct Descent<'a> {
	hierarchy: Hierarchy<'a>,
	heads: Repeated<'a, Group<'a>>,
	frames: Vec<Frame, DEPTH>,
	above_head: usize,
	/// Turns since pages were released.
	turns: u32,
	/// The group entered last, until it is left, and all but its name, if nothing is below it.
	leaf: Option<Group<'a>>,
	last: Option<&'a [u8]>,
	kind: u32,
}

/// Turns between two releases of the image's pages.
const RELEASE_EVERY: u32 = 512;

impl<'a> Descent<'a> {
	/// Before the first head.
	#[inline(never)]
	pub fn new(hierarchy: &Hierarchy<'a>) -> Self {
		let (hierarchy, heads, frames) = (*hierarchy, hierarchy.heads(), Vec::new());
		Descent { hierarchy, heads, frames, above_head: 0, turns: 0, leaf: None, last: None, kind: 0 }
	}

	/// Groups that are entered now.
	pub fn depth(&self) -> usize {
		self.frames.len()
	}

	/// Not 0 where the group entered last has nothing below it: the same number as that of the one before where all but the
	/// name is the same, byte for byte; else its offset in the payload.
	pub fn kind(&self) -> u32 {
		if self.last.is_some() { self.kind } else { 0 }
	}

	fn group(&self, frame: Frame) -> Result<Group<'a>, Fault> {
		self.hierarchy.group(self.hierarchy.bytes(frame.start, frame.end))
	}

	/// The group with its name below the group on top: the rfc layout writes whole paths.
	fn named(&self, mut group: Group<'a>) -> Result<Group<'a>, Fault> {
		if let (true, Some(above)) = (group.has_whole_path(), self.frames.last()) {
			let above = self.group(*above)?.name;
			group.name = group.name.strip_prefix(above).and_then(|rest| rest.strip_prefix(b"/")).unwrap_or(group.name);
		}
		Ok(group)
	}

	fn rest(&self, frame: Frame) -> Repeated<'a, Group<'a>> {
		self.hierarchy.groups_in(self.hierarchy.bytes(frame.next, frame.end))
	}

	/// Enters a group or leaves one; none at the end.
	pub fn turn(&mut self) -> Result<Option<Turn<'a>>, Fault> {
		self.turns += 1;
		if self.turns == RELEASE_EVERY {
			self.hierarchy.pages.release();
			self.turns = 0;
		}
		if let Some(leaf) = self.leaf.take() {
			self.frames.pop();
			return Ok(Some(Turn::Leave(leaf)));
		}
		let next = match self.frames.last().copied() {
			None => self.heads.next().transpose()?,
			Some(frame) => {
				let mut rest = self.rest(frame);
				let next = rest.next().transpose()?;
				if let Some(top) = self.frames.last_mut() {
					top.next = rest.at() as u32; // the payload's size is a u32
				}
				next
			}
		};
		match (next, self.frames.pop()) {
			(Some(group), top) => {
				if let Some(top) = top {
					let _ = self.frames.push(top); // where it was
				}
				let group = self.named(group)?;
				self.enter(group).map(|()| Some(Turn::Enter(group)))
			}
			(None, Some(frame)) => Ok(Some(Turn::Leave(self.named(self.group(frame)?)?))),
			(None, None) => Ok(None),
		}
	}

	fn enter(&mut self, group: Group<'a>) -> Result<(), Fault> {
		if self.frames.is_empty() {
			self.above_head = components(group.name).count().saturating_sub(1);
		}
		let need = self.above_head + self.frames.len() + 1;
		let message = group.message();
		let (start, end) = (message.at as u32, (message.at + message.bytes.len()) as u32);
		let body = group.body();
		if self.last.is_none_or(|last| !is_same(last, body)) {
			self.last = group.children().next().is_none().then_some(body);
			self.kind = start;
		}
		self.leaf = self.last.map(|_| group);
		let pushed = need <= DEPTH && self.frames.push(Frame { start, end, next: start }).is_ok();
		if pushed { Ok(()) } else { Err(Fault::full(Limit::Depth, need)) }
	}

	/// Whether the group entered last has a sibling after it, or it is a head and another head follows.
	pub fn has_next_sibling(&self) -> Result<bool, Fault> {
		Ok(self.siblings().next().transpose()?.is_some())
	}

	/// The siblings after the group entered last; for a head the heads that follow.
	pub fn siblings(&self) -> Repeated<'a, Group<'a>> {
		match self.frames.len().checked_sub(2).and_then(|at| self.frames.get(at)) {
			Some(parent) => self.rest(*parent),
			None => self.heads,
		}
	}
}

/// Whether two texts are equal, eight bytes a step: mostly they are, to their end.
fn is_same(one: &[u8], other: &[u8]) -> bool {
	let ((words, rest), (other_words, other_rest)) = (one.as_chunks(), other.as_chunks());
	let is_same = |(one, other): (&[u8; 8], &[u8; 8])| u64::from_ne_bytes(*one) == u64::from_ne_bytes(*other);
	one.len() == other.len() && rest == other_rest && words.iter().zip(other_words).all(is_same)
}
