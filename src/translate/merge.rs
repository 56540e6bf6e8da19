//! Several hierarchies of an image in, one hierarchy of v2 out: the union of their groups, each with the values of all.
//!
//! - Owner, mode and attributes of a group are those of the first hierarchy that has it, in the image's order; named ones,
//!   and that of v2 if it has no controllers, come last. Owner and mode of cgroup.procs are cgroup.subtree_control's as
//!   well: who may move tasks in a v1 group could make groups with limits in it.
//! - A group hands down what is set below it and no more: with each controller more, fewer groups can have tasks. The value
//!   is `+NAME` for each: at least these.
//! - A group with tasks can hand down nothing that is for processes only, and nothing at all if there are tasks below it.

use super::controllers::Controllers;
use super::image::{Ask, Plan};
use super::members::{Members, refuse};
use super::saved_in;
use super::union::{self, Turn, Union};
use super::values::{Taker, Values};
use crate::error::{Error, Why};
use crate::image::schema::about;
use crate::image::sink::{Mark, Store};
use crate::image::view::{About, Group, Perms, Property as Saved};
use crate::limits::{DEPTH, SUBTREE_CONTROL_BYTES};
use crate::property::{self, Phase, Property, Version, Write, value};
use crate::rewrite::Placed;

const CONTROL: &[u8] = b"cgroup.subtree_control";

/// A group that is being written.
#[derive(Clone, Copy)]
struct Level {
	mark: Option<Mark>,
	/// Where the value of cgroup.subtree_control is.
	control: u64,
	/// What the group itself needs, and what it has to hand down.
	own: Controllers,
	below: Controllers,
}

impl Level {
	const NONE: Level = Level { mark: None, control: 0, own: Controllers::NONE, below: Controllers::NONE };
}

/// The root and all levels below it.
pub(super) struct Open([Level; DEPTH + 1]);

impl Open {
	pub const fn new() -> Self {
		Open([Level::NONE; DEPTH + 1])
	}
}

/// Writes the hierarchy.
#[inline(never)]
pub(super) fn merge<S: Store>(
	plan: &Plan<'_, '_>,
	values: &mut Values<'_, '_, '_, S>,
	members: &Members<'_, '_>,
	buffers: &mut union::Buffers,
	open: &mut Open,
) -> Result<(), Error> {
	let mark = values.writer.hierarchy(0, [&b""[..]].into_iter()).placed()?;
	let mut union = Union::new(&plan.sources, buffers).placed()?;
	let about = members.image.about().placed()?;
	let mut merge = Merge { plan, values, members, open, about, refused: 0 };
	merge.open.0[0] = Level::NONE;
	// A root without a tree is only a membership.
	for at in union.sources() {
		if union.leads_on(at).placed()? {
			merge.enter(&union)?;
			break;
		}
	}
	while let Some(turn) = union.turn().placed()? {
		match turn {
			Turn::Enter => merge.enter(&union)?,
			Turn::Leave => merge.leave(&union)?,
		}
	}
	merge.open.0[0].mark.map_or(Ok(()), |mark| merge.values.writer.close(mark)).placed()?;
	refuse(merge.refused, Why::InternalTasks, format_args!("groups with tasks: {}", merge.refused))?;
	values.writer.close(mark).placed()
}

struct Merge<'m, 'v, 's, 'l, 'i, 'a, S: Store> {
	plan: &'m Plan<'a, 'i>,
	values: &'m mut Values<'v, 's, 'l, S>,
	members: &'m Members<'i, 'a>,
	open: &'m mut Open,
	/// The host of the image.
	about: Option<About<'a>>,
	/// Groups that have tasks and may not.
	refused: u64,
}

impl<S: Store> Merge<'_, '_, '_, '_, '_, '_, S> {
	fn enter(&mut self, union: &Union<'_, '_>) -> Result<(), Error> {
		let depth = union.depth();
		let head = depth == 0 || self.open.0[depth - 1].mark.is_none();
		let name = union.path().rsplit(|byte| *byte == b'/').next().unwrap_or(b"");
		let (mut ancestor, mut first) = (true, None);
		for at in union.sources() {
			if let Some(group) = union.group(at).placed()? {
				ancestor &= group.is_ancestor().placed()?;
				first = first.or(Some(group));
			}
		}
		let mark = self.values.writer.group(head, name, b"", ancestor).placed()?;
		self.open.0[depth] = Level { mark: Some(mark), ..Level::NONE };
		first.map_or(Ok(()), |first| self.values.own(&first)).placed()?;
		if depth > 0 { self.properties(union) } else { Ok(()) }
	}

	/// The values of all, and those that v2 alone has.
	#[inline(never)]
	fn properties(&mut self, union: &Union<'_, '_>) -> Result<(), Error> {
		let (mut perms, mut leads_on) = (None, false);
		let mut wants = Wants { about: self.about, ..Wants::default() };
		for at in union.sources() {
			wants.others |= self.plan.sources[at].is_unified() && union.group(at).placed()?.is_some();
		}
		for at in union.sources() {
			leads_on |= union.leads_on(at).placed()?;
			let Some(group) = union.group(at).placed()? else { continue };
			if self.plan.sources[at].is_unified() {
				self.unified(&group, &mut wants, &mut perms)?;
			} else {
				wants.above = union.above(at).placed()?;
				self.values.group((Version::V1, &group, union.path()), &mut wants)?;
				perms = perms.or(wants.entrance);
			}
		}
		let level = &mut self.open.0[union.depth()];
		(level.own, level.below) = (wants.own, wants.below);
		if perms.is_some() || leads_on || !wants.below.is_empty() {
			let mut room = [b' '; SUBTREE_CONTROL_BYTES];
			room[0] = b'+';
			level.control = self.values.writer.value(CONTROL, &room, perms).placed()?;
		}
		Ok(())
	}

	/// Those of a group that is of v2 already.
	#[inline(never)]
	fn unified(&mut self, group: &Group<'_>, wants: &mut Wants<'_>, perms: &mut Option<Perms>) -> Result<(), Error> {
		for saved in group.properties() {
			let saved = saved.placed()?;
			let Some(known) = property::find(Version::V2, saved.name) else {
				self.values.keep(&saved)?;
				continue;
			};
			let default = value::is_default(known, saved.value.bytes());
			if known.write == Write::Controllers {
				wants.below = wants.below.and(Controllers::of_text(saved.value.bytes()));
				*perms = perms.or(saved.perms);
			} else if wants.takes(known, default, None) && (!default || known.phase == Phase::Never) {
				self.values.keep(&saved)?;
			}
		}
		Ok(())
	}

	#[inline(never)]
	fn leave(&mut self, union: &Union<'_, '_>) -> Result<(), Error> {
		let at = union.depth();
		let Level { mark, control, own, below } = self.open.0[at];
		let below = below.within(self.values.ask.v2.unwrap_or_default());
		if !below.is_empty() {
			let mut at = control;
			for name in below.names() {
				self.values.writer.patch(at, b"+").placed()?;
				self.values.writer.patch(at + 1, name).placed()?;
				at += name.len() as u64 + 2;
			}
			let log = &mut *self.values.tell.log;
			self.members.judge_inner(union.path(), below, &mut self.refused, log).placed()?;
		}
		let above = &mut self.open.0[at - 1].below;
		*above = above.and(own).and(below);
		mark.map_or(Ok(()), |mark| self.values.writer.close(mark)).placed()
	}
}

/// What a group needs.
#[derive(Default)]
struct Wants<'a> {
	/// Of the same hierarchy, what it lies in.
	above: Option<Group<'a>>,
	/// The host of the image.
	about: Option<About<'a>>,
	/// A hierarchy of v2 has it, too: what is a default in v1 says nothing.
	others: bool,
	own: Controllers,
	below: Controllers,
	/// cgroup.procs and cgroup.threads, whose owner and mode are those of the first hierarchy.
	seen: [bool; 2],
	/// That of the file that takes processes.
	entrance: Option<Perms>,
}

impl Taker for Wants<'_> {
	/// A v1 group of a cpuset has to have lists. Those of the group above, or all that there are, say nothing.
	fn inherits(&self, saved: &Saved<'_>) -> bool {
		let (file, field) = match saved.name {
			b"cpuset.cpus" => ("cpuset.cpus", about::CPUS),
			b"cpuset.mems" => ("cpuset.mems", about::NODES),
			_ => return false,
		};
		let above = self.above.and_then(|above| saved_in(above.properties(), file));
		let all = self.about.and_then(|about| about.text(field).ok());
		let known = property::find(Version::V1, saved.name);
		known.zip(above.or(all)).is_some_and(|(known, list)| value::same(known, list, saved.value.bytes()))
	}

	fn takes(&mut self, target: &'static Property, default: bool, perms: Option<Perms>) -> bool {
		if target.phase == Phase::Never {
			let threads = target.file() == "cgroup.threads";
			if !threads {
				self.entrance = self.entrance.or(perms);
			}
			return !core::mem::replace(&mut self.seen[usize::from(threads)], true);
		}
		if !default {
			self.own = self.own.and(Controllers::of_file(target));
		}
		!(self.others && default)
	}

	fn is_here(&self, ask: &Ask<'_>, target: &Property) -> bool {
		Controllers::of_file(target).without(ask.v2.unwrap_or_default()).is_empty()
	}
}
