//! A hierarchy of v2 in, the same tree for each v1 hierarchy of the host that has a controller of it out.
//!
//! A v2 group has a controller if it has the controller's files. Where nothing but the core is used, the tree is one of the
//! freezer, which v2 has in its core.

use super::controllers::Controllers;
use super::image::{Ask, Plan, Targets, used};
use super::values::{Taker, Values};
use crate::error::{Error, Fault};
use crate::hierarchy::has_name;
use crate::image::descent::{Descent, Turn};
use crate::image::sink::{Mark, Store};
use crate::image::view::{Hierarchy, Perms};
use crate::limits::DEPTH;
use crate::name::{Trail, components};
use crate::property::{Property, Version};
use crate::rewrite::Placed;

/// Finds the host's hierarchies that get the tree; the controllers of the tree.
pub(super) fn aim<'k>(source: &Hierarchy<'_>, ask: &Ask<'k>, targets: &mut Targets<'k>) -> Result<Controllers, Fault> {
	let (wanted, freezes) = used(source)?;
	let is_wanted = |name: &[u8]| match name {
		b"freezer" => freezes || wanted.is_empty(),
		_ => !Controllers::of_v1(name).within(wanted).is_empty(),
	};
	for label in ask.v1.iter().filter(|label| label.split(|byte| *byte == b',').any(is_wanted)) {
		let _ = targets.push(label); // a host has no more
	}
	Ok(wanted)
}

/// Writes the trees.
pub(super) fn split<S: Store>(
	plan: &Plan<'_, '_>,
	values: &mut Values<'_, '_, '_, S>,
	marks: &mut heapless::Vec<Mark, DEPTH>,
	trail: &mut Trail,
) -> Result<(), Error> {
	for source in &plan.sources {
		for (number, label) in plan.targets.iter().enumerate() {
			let mark = values.writer.hierarchy(0, label.split(|byte| *byte == b',')).placed()?;
			tree(source, values, &mut Part { label, first: number == 0 }, marks, trail)?;
			values.writer.threaded(true).placed()?;
			values.writer.close(mark).placed()?;
		}
	}
	Ok(())
}

#[inline(never)]
fn tree<S: Store>(
	source: &Hierarchy<'_>,
	values: &mut Values<'_, '_, '_, S>,
	part: &mut Part<'_>,
	marks: &mut heapless::Vec<Mark, DEPTH>,
	trail: &mut Trail,
) -> Result<(), Error> {
	let mut descent = Descent::new(source);
	marks.clear();
	trail.clear();
	while let Some(turn) = descent.turn().placed()? {
		match turn {
			Turn::Enter(group) => {
				components(group.name).try_for_each(|component| trail.push(component)).placed()?;
				let ancestor = group.is_ancestor().placed()?;
				let mark = values.writer.group(marks.is_empty(), group.name, b"", ancestor).placed()?;
				let _ = marks.push(mark); // a descent is no deeper
				values.own(&group).placed()?;
				if !trail.bytes().is_empty() {
					values.group((Version::V2, &group, trail.bytes()), part)?;
				}
			}
			Turn::Leave(group) => {
				marks.pop().map_or(Ok(()), |mark| values.writer.close(mark)).placed()?;
				components(group.name).for_each(|_| trail.pop());
			}
		}
	}
	Ok(())
}

/// What one of the trees has.
struct Part<'k> {
	label: &'k [u8],
	first: bool,
}

impl Taker for Part<'_> {
	fn takes(&mut self, target: &'static Property, default: bool, _: Option<Perms>) -> bool {
		match target.controller() {
			b"cgroup" => true,
			// An empty list is that of the group above; on v1 no task could enter.
			b"cpuset" if default => false,
			controller => has_name(self.label, controller),
		}
	}

	fn tells(&self) -> bool {
		self.first
	}

	fn is_here(&self, ask: &Ask<'_>, target: &Property) -> bool {
		target.controller() == b"cgroup" || ask.has_v1(target.controller())
	}
}
