//! An image and the host in, each group of the image with its directory on the host out, in tree order.
//!
//! The tour keeps one open directory a level. What happens on arrival (opening or making), on entering and on leaving
//! a group is the visitor's business: the phases of a restore are visitors.

use core::fmt;

use heapless::Vec;

use crate::act::aim::{Target, Targets};
use crate::act::host::Host;
use crate::error::{At, Error, Fault, Why};
use crate::hierarchy::Label;
use crate::image::descent::{Descent, Turn};
use crate::image::view::{Group, Hierarchy, Image, Property};
use crate::kernel::dir::Dir;
use crate::limits::{DEPTH, Limit};
use crate::name::{Name, Trail, components};
use crate::property;
use crate::remap::Place;

/// What a group of the target is to the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
	/// The hierarchy's root: its files are never written.
	Root,
	/// It only leads to a group of the image.
	Way,
	/// The image has its limits, but it is not part of the walked tree.
	Ancestor,
	/// Part of the walked tree.
	Part,
}

/// A group on the host and in the image.
pub struct Site<'s, 'a> {
	/// Its path on the host, without the first slash.
	pub path: &'s Trail,
	/// Its hierarchy's place in the host's list.
	pub at: usize,
	/// Its hierarchy's name.
	pub label: &'s Label,
	/// What it is to the image.
	pub role: Role,
	/// The image's group; for a way, the one it leads to.
	pub group: &'s Group<'a>,
	/// This restore made it.
	pub made: bool,
	/// What it lies in is no group of the image.
	pub first: bool,
	/// What a group that is made here takes over from what it lies in.
	pub legacy: Legacy,
	/// Only values of the controllers that its hierarchy has are for it.
	pub part: bool,
	/// It may have been made for another hierarchy of the image.
	pub joins: bool,
}

impl<'a> Site<'_, 'a> {
	/// The group's saved values, as far as they are for this hierarchy.
	pub fn properties(&self) -> impl Iterator<Item = Result<Property<'a>, Fault>> {
		self.group.properties().filter(|saved| {
			!self.part || saved.as_ref().map_or(true, |saved| self.label.takes(property::controller_of(saved.name)))
		})
	}
}

/// What a group hands down to a group that is made in it: the kernel copies some values at mkdir.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Legacy {
	/// It was there before, or the image does not have it.
	#[default]
	Unknown,
	/// It was made by this restore and hands down defaults.
	Rest,
	/// It was made by this restore and hands down something else.
	Unrest,
}

impl fmt::Display for Site<'_, '_> {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "group {} of {}", self.path.shown(), self.label.shown())
	}
}

/// What is done on a tour. `retry` is the visitor's own note on a group, from entering to leaving.
pub trait Visit<'a> {
	/// Opens, or makes, the group called `name` in `above`, and says whether this restore made it; none where it is
	/// not there, and then what lies below is passed over.
	fn arrive(&mut self, site: &Site<'_, 'a>, above: &Dir, name: &Name) -> Result<Option<(Dir, bool)>, Fault>;

	/// The group is entered, before its children; what it hands down to them.
	fn enter(&mut self, site: &Site<'_, 'a>, dir: &Dir, retry: &mut u128) -> Result<Legacy, Error>;

	/// The group is left, after its children.
	fn leave(&mut self, site: &Site<'_, 'a>, dir: &Dir, retry: u128) -> Result<(), Error>;
}

/// What a level of the image is on the host.
enum Stand {
	/// It has no place: it lies above what a rule moves.
	Unplaced,
	/// It is not there.
	Missing,
	/// The open group.
	At(Dir),
}

struct Level {
	stand: Stand,
	role: Role,
	made: bool,
	/// Components of the host's path to leave with it.
	steps: u16,
	/// Components of the image's path to leave with it.
	image_steps: u16,
	retry: u128,
	legacy: Legacy,
}

/// The buffers of a tour.
pub struct Buffers {
	levels: Vec<Level, DEPTH>,
	path: Trail,
	image_path: Trail,
}

impl Buffers {
	/// Empty ones.
	pub const fn new() -> Self {
		Buffers { levels: Vec::new(), path: Trail::new(), image_path: Trail::new() }
	}
}

impl Default for Buffers {
	fn default() -> Self {
		Buffers::new()
	}
}

/// Visits every group of every hierarchy that has a target.
pub fn tour<'a>(
	image: &Image<'a>,
	host: &Host,
	targets: &Targets,
	buffers: &mut Buffers,
	visitor: &mut dyn Visit<'a>,
) -> Result<(), Error> {
	for target in targets.in_order() {
		let Some(hierarchy) = image.hierarchies().nth(target.from) else { continue };
		let hierarchy = hierarchy.at(format_args!("the image"))?;
		buffers.levels.clear();
		buffers.path.clear();
		buffers.image_path.clear();
		let result = Tour { host, target, buffers, visitor }.run(&hierarchy);
		buffers.levels.clear(); // an error leaves groups open
		result?;
	}
	Ok(())
}

struct Tour<'t, 'a> {
	host: &'t Host,
	target: &'t Target,
	buffers: &'t mut Buffers,
	visitor: &'t mut dyn Visit<'a>,
}

impl<'a> Tour<'_, 'a> {
	fn run(&mut self, hierarchy: &Hierarchy<'a>) -> Result<(), Error> {
		let mut descent = Descent::new(hierarchy);
		while let Some(turn) = descent.turn().at(format_args!("the image"))? {
			match turn {
				Turn::Enter(group) => self.enter(&group)?,
				Turn::Leave(group) => self.leave(&group)?,
			}
		}
		Ok(())
	}

	fn enter(&mut self, group: &Group<'a>) -> Result<(), Error> {
		let before = components(self.buffers.path.bytes()).count();
		let mut level = Level {
			stand: Stand::Missing,
			role: Role::Way,
			made: false,
			steps: 0,
			image_steps: 0,
			retry: 0,
			legacy: Legacy::Unknown,
		};
		let placed = self.place(group, &mut level);
		let label = &self.host.hierarchies[self.target.at].label;
		placed.at(format_args!("group {} of {}", self.buffers.path.shown(), label.shown()))?;
		level.steps = (components(self.buffers.path.bytes()).count() - before) as u16;
		if let Stand::At(dir) = &level.stand {
			let Level { role, made, .. } = level;
			let legacy = self.buffers.levels.last().map_or(Legacy::Unknown, |above| above.legacy);
			let path = &self.buffers.path;
			let Target { at, part, joins, .. } = *self.target;
			let site = Site { path, at, label, role, group, made, first: false, legacy, part, joins };
			level.legacy = self.visitor.enter(&site, dir, &mut level.retry)?;
		}
		let full = Fault::full(Limit::Depth, DEPTH + 1);
		self.buffers.levels.push(level).map_err(|_| full).at(format_args!("the image"))
	}

	/// Finds the group's place: below the group on top, or by the rule.
	fn place(&mut self, group: &Group<'a>, level: &mut Level) -> Result<(), Fault> {
		for component in components(group.name) {
			self.buffers.image_path.push(component)?;
			level.image_steps += 1;
		}
		let image_path = self.buffers.image_path.bytes();
		let role = match group.is_ancestor()? {
			_ if image_path.is_empty() => Role::Way,
			true => Role::Ancestor,
			false => Role::Part,
		};
		match self.buffers.levels.last().map(|above| &above.stand) {
			Some(Stand::Missing) => return Ok(()),
			Some(Stand::At(_)) => return self.walk(group, group.name, role, None, level),
			Some(Stand::Unplaced) | None => {}
		}
		let mut target = crate::remap::Path::new();
		self.target.rule.map_group(image_path, &mut target)?;
		let (base, known) = self.host.base(self.target.at).ok_or(Fault::Unfit(Why::NotMounted))?;
		let reached = match self.target.rule.place(image_path) {
			Place::Below(_) => self.host.locate(self.target.at, &target),
			Place::Above | Place::Beside => None,
		};
		let rest = match (reached, role) {
			(Some((_, rest)), _) => rest,
			(None, Role::Part) => {
				components(&target).try_for_each(|component| self.buffers.path.push(component))?; // for the message
				return Err(Fault::Unfit(Why::OutOfReach));
			}
			(None, _) => {
				level.stand = Stand::Unplaced;
				return Ok(());
			}
		};
		for component in components(known) {
			self.buffers.path.push(component)?;
		}
		self.walk(group, rest, role, Some(base.again()?), level)
	}

	/// Goes down by these components, from `start` or from the group on top; the last one is the group itself.
	fn walk(
		&mut self,
		group: &Group<'a>,
		rest: &[u8],
		own_role: Role,
		start: Option<Dir>,
		level: &mut Level,
	) -> Result<(), Fault> {
		let Buffers { levels, path, .. } = &mut *self.buffers;
		let Target { at, part, joins, .. } = *self.target;
		let label = &self.host.hierarchies[self.target.at].label;
		// The root's values are never written.
		let is_below_root = levels.last().is_some_and(|above| above.role == Role::Root);
		let (mut left, first) = (components(rest).count(), start.is_some() || is_below_root);
		let (mut current, mut name) = (start, Name::empty());
		level.role = if path.bytes().is_empty() { Role::Root } else { own_role };
		for component in components(rest) {
			name.set(component)?;
			path.push(component)?;
			left -= 1;
			level.role = if left == 0 { own_role } else { Role::Way };
			let above = match (&current, levels.last().map(|level| &level.stand)) {
				(Some(dir), _) | (None, Some(Stand::At(dir))) => dir,
				_ => return Ok(()),
			};
			let legacy =
				if first { Legacy::Unknown } else { levels.last().map_or(Legacy::Unknown, |above| above.legacy) };
			let (role, made) = (level.role, false);
			let site = Site { path, at, label, role, group, made, first, legacy, part, joins };
			let Some((dir, made)) = self.visitor.arrive(&site, above, &name)? else { return Ok(()) };
			(current, level.made) = (Some(dir), made);
		}
		level.stand = current.map_or(Stand::Missing, Stand::At);
		Ok(())
	}

	fn leave(&mut self, group: &Group<'a>) -> Result<(), Error> {
		let Some(level) = self.buffers.levels.pop() else { return Ok(()) };
		if let Stand::At(dir) = &level.stand {
			let label = &self.host.hierarchies[self.target.at].label;
			let Level { role, made, retry, .. } = level;
			let (path, legacy) = (&self.buffers.path, Legacy::Unknown);
			let Target { at, part, joins, .. } = *self.target;
			let site = Site { path, at, label, role, group, made, first: false, legacy, part, joins };
			self.visitor.leave(&site, dir, retry)?;
		}
		(0..level.steps).for_each(|_| self.buffers.path.pop());
		(0..level.image_steps).for_each(|_| self.buffers.image_path.pop());
		Ok(())
	}
}
