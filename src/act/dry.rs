//! A dry run: changes in, the lines that tell them out, and what the host would show if they had been made.
//!
//! Whatever would be changed is put into the journal, which is in memory, with what it would be afterwards, and is found
//! there by a hash. So every pass sees the host as it would be by then, and no step is told twice. What the kernel would
//! refuse is known only where files or controllers are missing, and where modes say so.

use core::fmt;

use crate::act::foresee::{MOVED, NEW};
use crate::act::join::{Buffers, Join};
use crate::act::journal::{Change, Journal, Record};
use crate::act::tour::Site;
use crate::error::Fault;
use crate::hash::{START, hash};
use crate::hierarchy::ShownLabel;
use crate::image::view::Task;
use crate::kernel::dir::Dir;
use crate::limits::PLAN_HEADS;
use crate::name::{Shown, ShownPath};
use crate::remap::Path;

/// Takes the steps of a dry run, a line each.
pub type Steps<'s> = &'s dyn Fn(fmt::Arguments<'_>);

/// Where the changes of a dry run are found: for each hash behind which record of the journal the last one begins.
pub type Heads = [u64; PLAN_HEADS];

/// Makes a journal that of a dry run.
pub struct Plan<'p> {
	/// Where steps go.
	pub steps: Steps<'p>,
	/// Its memory.
	pub heads: &'p mut Heads,
}

/// A place of a change: hierarchy, group, kind and name.
pub(super) type Key<'k> = (usize, &'k [u8], u8, &'k [u8]);

/// Bytes behind the value of a record: where the one before it with its hash begins, and the kind.
const LINK: usize = 9;

impl Journal<'_> {
	/// Whether nothing is to be changed.
	pub fn is_dry(&self) -> bool {
		self.plan.is_some()
	}

	/// Tells a step.
	pub(super) fn step(&self, line: fmt::Arguments<'_>) {
		if let Some(plan) = &self.plan {
			(plan.steps)(line);
		}
	}

	/// Writes down what something would be from now on. That it cannot be is found out before the next pass.
	pub(super) fn foresee(&mut self, key: Key<'_>, value: &[u8]) {
		let Some(plan) = &mut self.plan else { return };
		let (hierarchy, path, kind, file) = key;
		let head = &mut plan.heads[slot(key)];
		let mut new = [kind; LINK];
		new[..LINK - 1].copy_from_slice(&head.to_le_bytes());
		*head = self.flushed + self.used as u64 + 1;
		let added = self.add(&Record { hierarchy, path, change: Change::Value { file, old: value, new: Some(&new) } });
		self.cut = self.cut.and(added);
	}

	/// What something would be; none where it would be as it is.
	pub(super) fn foreseen<'r>(&mut self, key: Key<'_>, buffer: &'r mut [u8]) -> Option<&'r [u8]> {
		let mut next = self.plan.as_ref()?.heads[slot(key)];
		if next != 0 {
			self.cut = self.cut.and(self.flush());
		}
		loop {
			let start = next.checked_sub(1)?;
			let found = parts(&self.at(start, buffer).ok()??.0)?;
			if found.0 == key {
				return parts(&self.at(start, buffer).ok()??.0).map(|(_, value, _)| value);
			}
			next = found.2;
		}
	}
}

/// A record taken apart: its place, what it says, and where the one before it begins.
fn parts<'k>(record: &Record<'k>) -> Option<(Key<'k>, &'k [u8], u64)> {
	let Change::Value { file, old, new: Some(link) } = record.change else { return None };
	let (kind, next) = link.split_last()?;
	Some(((record.hierarchy, record.path, *kind, file), old, u64::from_le_bytes(*next.first_chunk()?)))
}

/// Groups and tasks have a half of their own, so that their records are short.
fn slot((at, path, kind, name): Key<'_>) -> usize {
	let hash = hash(hash(hash(START, path), &[at as u8, kind]), name);
	2 * ((hash ^ (hash >> 16)) as usize % (PLAN_HEADS / 2)) + usize::from(kind >= NEW)
}

/// `cpu:/a/b/cpu.shares`.
pub(super) struct Spot<'s>(pub(super) &'s [u8], pub(super) &'s [u8], pub(super) &'s [u8]);

impl fmt::Display for Spot<'_> {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let Spot(label, path, file) = *self;
		let slash = if path.is_empty() || file.is_empty() { "" } else { "/" };
		write!(f, "{}:{}{slash}{}", ShownLabel(label), ShownPath(path), Shown(file))
	}
}

/// A value, which is seen even if it is empty.
pub(super) struct Seen<'s>(pub(super) &'s [u8]);

impl fmt::Display for Seen<'_> {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		if self.0.is_empty() { f.write_str("\"\"") } else { Shown(self.0).fmt(f) }
	}
}

pub(super) fn spot<'s>(site: &'s Site<'_, '_>, file: &'s [u8]) -> Spot<'s> {
	Spot(site.label.bytes(), site.path.bytes(), file)
}

/// Tells a step of a file or attribute: `write PLACE OLD -> NEW`.
pub(super) fn tell(journal: &Journal<'_>, what: &str, spot: &Spot<'_>, old: &[u8], new: &[u8]) {
	journal.step(format_args!("{what} {spot} {} -> {}", Seen(old), Seen(new)));
}

/// The same, and writes down what it would be.
pub(super) fn would_be(
	journal: &mut Journal<'_>,
	(what, kind): (&str, u8),
	(site, name): (&Site<'_, '_>, &[u8]),
	old: &[u8],
	new: &[u8],
) {
	tell(journal, what, &spot(site, name), old, new);
	journal.foresee((site.at, site.path.bytes(), kind, name), new);
}

impl Join<'_, '_> {
	/// Opens the group that is in `target`, or what stands for one that would be made.
	pub(super) fn open_target(&mut self, journal: &mut Journal<'_>) -> Result<Option<Dir>, Fault> {
		let Buffers { list, target, .. } = &mut *self.buffers;
		match self.host.base(self.at) {
			Some((dir, _)) if journal.foreseen((self.at, target, NEW, b""), list).is_some() => dir.again().map(Some),
			_ => self.host.open(self.at, target),
		}
	}

	/// The group into which a process would be moved.
	pub(super) fn foreseen_place(&mut self, pid: u32, at: usize, journal: &mut Journal<'_>) -> Option<Path> {
		let moved = journal.foreseen((at, b"", MOVED, &pid.to_le_bytes()), &mut self.buffers.list)?;
		Path::from_slice(moved).ok()
	}

	/// Tells that a task would be moved into the group that is in `target`, from the one in `old`.
	pub(super) fn foresee_move(&self, tid: u32, whole: bool, task: &Task<'_>, journal: &mut Journal<'_>) {
		let Buffers { target, old, .. } = &*self.buffers;
		let what = if whole { "pid" } else { "tid" };
		let from = Spot(self.host.hierarchies[self.at].label.bytes(), old, b"");
		journal.step(format_args!("move {what} {tid} ({}) {from} -> {}", Shown(task.comm), ShownPath(target)));
		if whole {
			journal.foresee((self.at, b"", MOVED, &tid.to_le_bytes()), target);
		}
	}

	/// Whether a task is at its place, or a thread would come there along with its process.
	pub(super) fn comes_along(&mut self, (pid, tid): (u32, u32), is_there: bool, journal: &mut Journal<'_>) -> bool {
		let Buffers { list, target, old, .. } = &mut *self.buffers;
		let moved = journal.foreseen((self.at, b"", MOVED, &pid.to_le_bytes()), list);
		let Some(moved) = moved.filter(|_| pid != tid) else {
			return is_there;
		};
		old.clear();
		let _ = old.extend_from_slice(moved); // one path holds another
		moved == &target[..]
	}
}
