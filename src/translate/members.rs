//! Sets of an image in, the sets of the translated image out; and a judgement: whose paths differ cannot be in one hierarchy.
//!
//! A v1 task is in a group of each hierarchy, a v2 task in one. A membership in a group that lies above another membership
//! of the task says nothing more than that one: the groups above hold the task as well, on v2 as on v1. So the deepest group
//! is the task's, if all others lie above it. Named hierarchies, and a v2 hierarchy without controllers, only count for
//! tasks that are in the root of all others: nothing is limited there.

use core::fmt;

use super::controllers::Controllers;
use super::image::{Ask, Plan, judge_primary};
use crate::error::{Error, Fault, Why};
use crate::hash::{START, hash};
use crate::hierarchy::{ShownLabel, is_meant};
use crate::image::sink::Store;
use crate::image::view::{Image, Member, Set, Task};
use crate::image::writer::ImageWriter;
use crate::limits::{SPOT_BITS, TASKS_TOLD, TOLD};
use crate::log::{Level, Log};
use crate::name::{Shown, ShownPath, is_below_or_same};
use crate::rewrite::Placed;

/// The memberships of an image.
pub(super) struct Members<'m, 'a> {
	pub image: &'m Image<'a>,
	pub plan: &'m Plan<'a, 'm>,
	pub ask: &'m Ask<'m>,
	/// Which groups may have tasks.
	pub spots: &'m mut [u8; SPOT_BITS / 8],
}

/// A set in the hierarchy that others become.
struct Met<'a> {
	/// Where its tasks are; nothing if it is in none of them.
	member: Option<Member<'a>>,
	/// Others say something else.
	apart: bool,
}

impl<'a> Members<'_, 'a> {
	/// Whether a member is of a hierarchy that is translated, and whether that counts only after others.
	fn is_ours(&self, name: &[u8]) -> Option<bool> {
		let is_weak = if name.is_empty() { self.plan.is_v2_weak } else { name.starts_with(b"name=") };
		(name.is_empty() || self.plan.is_to_v2() && self.ask.lacks(name)).then_some(is_weak)
	}

	/// Where the tasks of a set are in the one hierarchy.
	fn meet(&self, set: &Set<'a>) -> Result<Met<'a>, Fault> {
		let (mut root, mut weak, mut deepest, mut chosen) = (None, None, None::<Member<'a>>, None);
		let mut apart = false;
		for member in set.members() {
			let member = member?;
			let Some(is_weak) = self.is_ours(member.name) else { continue };
			if member.path == b"/" {
				root = root.or(Some(member));
				continue;
			}
			if self.ask.primary.is_some_and(|primary| is_meant(member.name, primary)) {
				chosen = Some(member);
			}
			match deepest {
				_ if is_weak => weak = weak.or(Some(member)),
				Some(known) if is_below_or_same(known.path, member.path) => {}
				Some(known) if !is_below_or_same(member.path, known.path) => apart = true,
				_ => deepest = Some(member),
			}
		}
		apart &= chosen.is_none();
		Ok(Met { member: chosen.or(deepest).or(weak).or(root), apart })
	}

	/// Refuses what cannot be; notes which groups have tasks.
	#[inline(never)]
	pub fn judge(&mut self, log: &mut dyn Log) -> Result<(), Error> {
		judge_primary(self.plan, self.ask.primary)?;
		self.spots.fill(0);
		if !self.plan.is_to_v2() {
			return Ok(());
		}
		let mut refused = 0;
		for set in self.image.sets() {
			let set = set.placed()?;
			let met = self.meet(&set).placed()?;
			if met.apart {
				refused += 1;
				tell(log, refused, format_args!("{}:{}", Tasks { image: self.image, set: set.id }, Paths(self, &set)));
			}
			if let Some(member) = met.member {
				let (byte, bit) = spot(member.path);
				self.spots[byte] |= bit;
			}
		}
		refuse(refused, Why::PathsDiffer, format_args!("sets of tasks: {refused}"))?;
		self.judge_threads(log)
	}

	/// The threads of a process are in one group, or the group would have to be threaded.
	#[inline(never)]
	fn judge_threads(&self, log: &mut dyn Log) -> Result<(), Error> {
		let (mut leader, mut same, mut refused) = ((0, 0), 0, 0);
		for task in self.image.tasks() {
			let task = task.placed()?;
			if task.pid == task.tid {
				(leader, same) = ((task.pid, task.set), task.set);
			}
			if task.pid != leader.0 || task.set == same {
				continue;
			}
			let (own, other) = (self.path_of(leader.1).placed()?, self.path_of(task.set).placed()?);
			if own == other {
				same = task.set;
				continue;
			}
			refused += 1;
			let Task { pid, tid, comm, .. } = task;
			let (own, other) = (ShownPath(own), ShownPath(other));
			tell(log, refused, format_args!("thread {tid} ({}) of {pid} in {own}: {other}", Shown(comm)));
		}
		refuse(refused, Why::ThreadsApart, format_args!("threads elsewhere than their process: {refused}"))
	}

	fn path_of(&self, id: u32) -> Result<&'a [u8], Fault> {
		for set in self.image.sets() {
			let set = set?;
			if set.id == id {
				return Ok(self.meet(&set)?.member.map_or(b"/", |member| member.path));
			}
		}
		Ok(b"/")
	}

	/// Writes a set.
	#[inline(never)]
	pub fn put<S: Store>(&self, writer: &mut ImageWriter<'_, S>, set: &Set<'a>) -> Result<(), Fault> {
		let mark = writer.open_set(set.id)?;
		if self.plan.is_to_v2()
			&& let Some(member) = self.meet(set)?.member
		{
			writer.member(&Member { name: b"", ..member })?;
		}
		for member in set.members() {
			let member = member?;
			if self.is_ours(member.name).is_none() {
				writer.member(&member)?;
			} else if !self.plan.is_to_v2() {
				self.plan.targets.iter().try_for_each(|name| writer.member(&Member { name, ..member }))?;
			}
		}
		writer.close(mark)
	}

	/// Tells that a group with tasks hands down controllers, if it may not: those that are for processes only, or any if
	/// there are tasks below it.
	pub fn judge_inner(
		&self,
		path: &[u8],
		controllers: Controllers,
		refused: &mut u64,
		log: &mut dyn Log,
	) -> Result<(), Fault> {
		let (byte, bit) = spot(path);
		if self.spots[byte] & bit == 0 {
			return Ok(());
		}
		let (mut own, mut below) = (None, !controllers.within(Controllers::DOMAIN).is_empty());
		for set in self.image.sets() {
			let set = set?;
			let Some(member) = self.meet(&set)?.member else { continue };
			let other = member.path.strip_prefix(b"/").unwrap_or(member.path);
			own = own.or((other == path).then_some(set.id));
			below |= other != path && is_below_or_same(other, path);
		}
		let Some(set) = own.filter(|_| below) else { return Ok(()) };
		let tasks = Tasks { image: self.image, set };
		*refused += 1;
		tell(log, *refused, format_args!("group {}: {tasks}, and below it limits of{controllers}", ShownPath(path)));
		Ok(())
	}
}

/// Where the bit of a group is.
fn spot(path: &[u8]) -> (usize, u8) {
	let bit = hash(START, path.strip_prefix(b"/").unwrap_or(path)) as usize % SPOT_BITS;
	(bit / 8, 1 << (bit % 8))
}

fn tell(log: &mut dyn Log, count: u64, line: fmt::Arguments<'_>) {
	if count <= TOLD {
		log.say(Level::Error, line);
	}
}

/// An error, if there is anything to refuse.
pub(super) fn refuse(count: u64, why: Why, place: fmt::Arguments<'_>) -> Result<(), Error> {
	if count == 0 { Ok(()) } else { Err(Error::new(Fault::Unfit(why), place)) }
}

/// The tasks of a set, some of them by number.
pub(super) struct Tasks<'m, 'a> {
	pub image: &'m Image<'a>,
	pub set: u32,
}

impl fmt::Display for Tasks<'_, '_> {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "set {}, tasks", self.set)?;
		let mut count = 0;
		for task in self.image.tasks().flatten().filter(|task| task.set == self.set) {
			count += 1;
			if count <= TASKS_TOLD {
				write!(f, " {}", task.tid)?;
			}
		}
		match count.checked_sub(TASKS_TOLD) {
			Some(more @ 1..) => write!(f, " and {more} more"),
			_ => Ok(()),
		}
	}
}

/// The paths of a set in the hierarchies that become one.
struct Paths<'m, 'a>(&'m Members<'m, 'a>, &'m Set<'a>);

impl fmt::Display for Paths<'_, '_> {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		for member in self.1.members().flatten().filter(|member| self.0.is_ours(member.name).is_some()) {
			write!(f, " {}:{}", ShownLabel(member.name), Shown(member.path))?;
		}
		Ok(())
	}
}
