//! An image and the controllers of a host in, an image out whose hierarchies the host has.
//!
//! v1 hierarchies that the host does not have become its v2 hierarchy (`merge`); a v2 hierarchy whose controllers
//! the host has in v1 only becomes one tree for each of those (`split`). What else is in the image stays as it
//! is. An image that the host can take already is not touched.
//!
//! The image was judged by [`crate::vet`] and has CRIU's layout.

use heapless::Vec;

use super::controllers::Controllers;
use super::members::Members;
use super::values::{Tell, Values};
use super::{Choices, merge, split, union};
use crate::error::{At, Error, Fault, Why};
use crate::hierarchy::{Label, has_name, is_meant};
use crate::image::descent::{Descent, Turn};
use crate::image::schema::entry;
use crate::image::sink::{Mark, Sink, Store};
use crate::image::view::{Hierarchy, Image, Layout};
use crate::image::writer::ImageWriter;
use crate::limits::{DEPTH, FILE_BYTES, HIERARCHIES, Limit, SINK_BYTES, SPOT_BITS, VALUE_BYTES};
use crate::log::Log;
use crate::name::{Shown, Trail};
use crate::property;
use crate::rewrite::{Placed, in_image};

/// What the host has, and what is asked for.
#[derive(Clone, Copy)]
pub struct Ask<'k> {
	/// The labels of its v1 hierarchies.
	pub v1: &'k [&'k [u8]],
	/// The controllers of its v2 hierarchy, if it has one that can be used.
	pub v2: Option<Controllers>,
	/// How values are converted.
	pub choices: Choices,
	/// The CTRL whose groups count where those of a task differ.
	pub primary: Option<&'k [u8]>,
	/// Values for which the host has no controller are lost, too, instead of being an error.
	pub skip_missing: bool,
}

impl Ask<'_> {
	/// Whether one of them has this controller.
	pub(super) fn has_v1(&self, name: &[u8]) -> bool {
		self.v1.iter().any(|label| has_name(label, name))
	}

	/// Whether a v1 hierarchy of the image is none of the host.
	pub(super) fn lacks(&self, label: &[u8]) -> bool {
		!label.is_empty() && !label.split(|byte| *byte == b',').any(|name| self.has_v1(name))
	}
}

/// The buffers of a translation.
pub struct Space {
	sink: [u8; SINK_BYTES],
	/// A file's name and a value.
	pub(super) value: [u8; FILE_BYTES + VALUE_BYTES],
	pub(super) union: union::Buffers,
	pub(super) open: merge::Open,
	pub(super) marks: Vec<Mark, DEPTH>,
	pub(super) trail: Trail,
	/// Which groups may have tasks.
	pub(super) spots: [u8; SPOT_BITS / 8],
}

impl Space {
	/// Empty ones.
	pub const fn new() -> Self {
		Space {
			sink: [0; SINK_BYTES],
			value: [0; FILE_BYTES + VALUE_BYTES],
			union: union::Buffers::new(),
			open: merge::Open::new(),
			marks: Vec::new(),
			trail: Trail::new(),
			spots: [0; SPOT_BITS / 8],
		}
	}
}

impl Default for Space {
	fn default() -> Self {
		Space::new()
	}
}

/// A hierarchy of the image that is translated.
pub(super) type Sources<'a> = Vec<Hierarchy<'a>, HIERARCHIES>;

/// Labels of hierarchies of the host.
pub(super) type Targets<'k> = Vec<&'k [u8], HIERARCHIES>;

/// Which hierarchies are translated.
pub(super) struct Plan<'a, 'k> {
	/// They become one, or are one: those that say first where tasks are, then those that say it where no other does.
	pub sources: Sources<'a>,
	/// That of v2 is one of the latter.
	pub is_v2_weak: bool,
	/// The hierarchies that one of v2 becomes; none if those of v1 become one of v2.
	pub targets: Targets<'k>,
}

impl Plan<'_, '_> {
	/// Whether hierarchies of v1 become one of v2.
	pub fn is_to_v2(&self) -> bool {
		self.targets.is_empty()
	}
}

/// Writes the translated image into the store; gives that back, and how many values are lost. Nothing if there is
/// nothing to translate; the store is then empty.
#[inline(never)]
pub fn translate<S: Store>(
	image: &Image<'_>,
	store: S,
	ask: &Ask<'_>,
	space: &mut Space,
	log: &mut dyn Log,
) -> Result<Option<(S, u64)>, Error> {
	in_image();
	let Some(plan) = plan(image, ask).placed()? else { return Ok(None) };
	let Space { sink, value, union, open, marks, trail, spots } = space;
	let mut writer = ImageWriter::new(Sink::new(store, sink), Layout::Criu).placed()?;
	let mut members = Members { image, plan: &plan, ask, spots };
	members.judge(log)?;
	for field in image.fields() {
		let field = field.placed()?;
		match field.number {
			entry::SETS => members.put(&mut writer, &image.set(&field).placed()?).placed()?,
			entry::ABOUT | entry::TASKS => {
				field.bytes().and_then(|message| writer.text(field.number, message.bytes)).placed()?;
			}
			entry::CONTROLLERS => {
				let message = field.bytes().placed()?;
				if !plan.sources.iter().any(|source| source.at() == message.at) {
					writer.text(field.number, message.bytes).placed()?;
				}
			}
			_ => {}
		}
	}
	let mut values = Values { writer: &mut writer, ask, value, tell: Tell { log, lost: 0 } };
	if plan.is_to_v2() {
		merge::merge(&plan, &mut values, &members, union, open)?;
	} else {
		split::split(&plan, &mut values, marks, trail)?;
	}
	let lost = values.tell.finish();
	Ok(Some((writer.finish().placed()?, lost)))
}

/// What has to be translated, if anything has.
#[inline(never)]
fn plan<'a, 'k>(image: &Image<'a>, ask: &Ask<'k>) -> Result<Option<Plan<'a, 'k>>, Fault> {
	let mut plan = Plan { sources: Vec::new(), is_v2_weak: true, targets: Vec::new() };
	let full = Fault::full(Limit::ImageHierarchies, HIERARCHIES + 1);
	let mut is_wanted = false;
	for strong in [true, false] {
		for hierarchy in image.hierarchies() {
			let hierarchy = hierarchy?;
			let label = Label::of(&hierarchy)?;
			let name = label.bytes();
			let unified = name.is_empty();
			let is_strong = if unified { !used(&hierarchy)?.0.is_empty() } else { !name.starts_with(b"name=") };
			if is_strong != strong || !unified && !ask.lacks(name) {
				continue;
			}
			plan.is_v2_weak &= !(unified && strong);
			is_wanted |= !unified && strong;
			plan.sources.push(hierarchy).map_err(|_| full)?;
		}
	}
	// Named hierarchies, and that of v2, come along with controllers of v1.
	if ask.v2.is_some() && is_wanted {
		return Ok(Some(plan));
	}
	plan.sources.retain(|source| source.is_unified());
	let mut wanted = Controllers::NONE;
	for source in &plan.sources {
		wanted = wanted.and(split::aim(source, ask, &mut plan.targets)?);
	}
	let is_there = ask.v2.is_some_and(|v2| wanted.is_empty() || !wanted.within(v2).is_empty());
	Ok((!is_there && !plan.is_to_v2()).then_some(plan))
}

/// The controllers of whose files a v2 hierarchy has some, and whether it freezes.
pub(super) fn used(hierarchy: &Hierarchy<'_>) -> Result<(Controllers, bool), Fault> {
	let (mut all, mut freezes) = (Controllers::NONE, false);
	let mut descent = Descent::new(hierarchy);
	while let Some(turn) = descent.turn()? {
		let Turn::Enter(group) = turn else { continue };
		for saved in group.properties() {
			let saved = saved?;
			all = all.and(Controllers::of(property::controller_of(saved.name)));
			freezes |= saved.name == b"cgroup.freeze" && saved.value.bytes() == b"1";
		}
	}
	Ok((all, freezes))
}

/// Judges the CTRL of `--primary`: one that means nothing is no choice.
pub(super) fn judge_primary(plan: &Plan<'_, '_>, primary: Option<&[u8]>) -> Result<(), Error> {
	let Some(primary) = primary else { return Ok(()) };
	for source in &plan.sources {
		if is_meant(Label::of(source).placed()?.bytes(), primary) {
			return Ok(());
		}
	}
	Err(Fault::Usage(Why::NotPrimary)).at(format_args!("--primary {}", Shown(primary)))
}
