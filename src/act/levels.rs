//! The open groups of a walk, from its base down to where it is, and the names of children that wait.
//!
//! One directory is open a level; the names of a level are taken in pieces, so that a group with many children needs no
//! more room than one with few.

use heapless::Vec;

use crate::act::read;
use crate::error::Fault;
use crate::image::sink::Mark;
use crate::kernel::dir::Dir;
use crate::limits::{DEPTH, LIST_BYTES, Limit, PENDING_BYTES};
use crate::name::{Name, Trail, components};

/// One open group.
pub struct Level {
	/// The group.
	pub dir: Dir,
	/// Its message of the image, if it is written.
	pub mark: Option<Mark>,
	/// It may have children that are to be walked.
	pub more: bool,
	/// Its name is the last one of the trail; the base's is not.
	pub named: bool,
}

/// Names of children of a level that wait begin at `start` of the pending bytes; the next one is at `next`.
struct Open {
	level: Level,
	start: usize,
	next: usize,
}

/// Levels and what waits.
pub struct Levels {
	stack: Vec<Open, DEPTH>,
	pending: Vec<u8, PENDING_BYTES>,
	/// Entries of directories.
	pub list: [u8; LIST_BYTES],
	/// The path of the group on top, without the first slash.
	pub trail: Trail,
}

impl Levels {
	/// None.
	pub const fn new() -> Self {
		Levels { stack: Vec::new(), pending: Vec::new(), list: [0; LIST_BYTES], trail: Trail::new() }
	}

	/// Closes all; the trail becomes this path.
	pub fn restart(&mut self, path: &[u8]) -> Result<(), Fault> {
		self.stack.clear();
		self.pending.clear();
		self.trail.clear();
		components(path).try_for_each(|component| self.trail.push(component))
	}

	/// How many are open.
	pub fn len(&self) -> usize {
		self.stack.len()
	}

	/// None is open.
	pub fn is_empty(&self) -> bool {
		self.stack.is_empty()
	}

	/// The group on top.
	pub fn top(&self) -> Option<&Dir> {
		self.stack.last().map(|open| &open.level.dir)
	}

	/// The group on top, the trail, and room for entries.
	pub fn parts(&mut self) -> (Option<&Dir>, &[u8], &mut [u8]) {
		(self.stack.last().map(|open| &open.level.dir), self.trail.bytes(), &mut self.list)
	}

	/// The message of the group on top, if there is one; none if nothing is open.
	pub fn top_mark(&self) -> Option<Option<Mark>> {
		self.stack.last().map(|open| open.level.mark)
	}

	/// No open group is written.
	pub fn is_unwritten(&self) -> bool {
		self.stack.iter().all(|open| open.level.mark.is_none())
	}

	/// A group below the one on top becomes the one on top; the trail names it already.
	pub fn push(&mut self, level: Level) -> Result<(), Fault> {
		let start = self.pending.len();
		let full = Fault::full(Limit::Depth, DEPTH + 1);
		self.stack.push(Open { level, start, next: start }).map_err(|_| full)
	}

	/// Leaves the group on top.
	pub fn pop(&mut self) {
		let Some(Open { level, start, .. }) = self.stack.pop() else { return };
		self.pending.truncate(start);
		if level.named {
			self.trail.pop();
		}
	}

	/// Finds the next child of the group on top whose turn it is; false after the last one.
	pub fn next_child(&mut self, name: &mut Name) -> Result<bool, Fault> {
		let Levels { stack, pending, list, .. } = self;
		let Some(Open { level, start, next }) = stack.last_mut() else { return Ok(false) };
		loop {
			if let Some([low, high, rest @ ..]) = pending.get(*next..) {
				let len = usize::from(u16::from_le_bytes([*low, *high]));
				*next += 2 + len;
				return name.set(rest.get(..len).unwrap_or(&[])).map(|()| true);
			}
			pending.truncate(*start);
			*next = *start;
			if !level.more {
				return Ok(false);
			}
			let listed = level.dir.list(list, &mut |name, is_dir| if is_dir { wait(pending, name) } else { Ok(()) });
			level.more = match listed {
				Err(fault) if read::is_absent(&fault) => false, // the group vanished after it was written
				result => result?,
			};
		}
	}
}

impl Default for Levels {
	fn default() -> Self {
		Levels::new()
	}
}

/// Adds a child's name to those that wait.
fn wait(pending: &mut Vec<u8, PENDING_BYTES>, name: &[u8]) -> Result<(), Fault> {
	let len = u16::try_from(name.len()).unwrap_or(u16::MAX);
	let full = Fault::full(Limit::Pending, pending.len() + name.len() + 2);
	pending.extend_from_slice(&len.to_le_bytes()).and_then(|()| pending.extend_from_slice(name)).map_err(|_| full)
}
