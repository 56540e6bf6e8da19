//! An image and the host in, each group of the image with its directory on the host out, in tree order.
//!
//! The tour keeps one open directory a level. What happens on arrival (opening or making), on entering and on leaving
//! a group is the visitor's business: the phases of a restore are visitors.

use heapless::Vec;

use crate::act::host::Host;
use crate::act::journal::{Journal, MadeCursor};
use crate::error::{At, Error, Fault, Why};
use crate::hierarchy::Label;
use crate::image::descent::{Descent, Turn};
use crate::image::view::{Group, Hierarchy, Image};
use crate::kernel::dir::Dir;
use crate::limits::{DEPTH, HIERARCHIES, Limit};
use crate::name::{Name, Trail, components};
use crate::remap::{Place, Rule};

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

/// Where a hierarchy of the image belongs.
#[derive(Debug)]
pub struct Target {
	/// Its place in the host's list; none where it is skipped.
	pub at: Option<usize>,
	/// How paths change.
	pub rule: Rule,
}

/// The targets of all hierarchies of the image, in their order.
pub type Targets = Vec<Target, HIERARCHIES>;

/// A group on the host and in the image.
pub struct Spot<'s, 'a> {
	/// The open directory.
	pub dir: &'s Dir,
	/// The group above; none for the root.
	pub above: Option<&'s Dir>,
	/// What it is to the image.
	pub role: Role,
	/// This restore made it.
	pub made: bool,
	/// Its path on the host, without the first slash.
	pub path: &'s Trail,
	/// Its hierarchy's place in the host's list.
	pub at: usize,
	/// Its hierarchy's name.
	pub label: &'s Label,
	/// The image's group; for a way, the one it leads to.
	pub group: &'s Group<'a>,
}

/// What a visitor finds on arrival.
pub enum Arrival {
	/// The group, and whether this restore made it.
	At(Dir, bool),
	/// There is no such group; what is below is passed over.
	Nowhere,
}

/// What is done on a tour.
pub trait Visit<'a> {
	/// Opens, or makes, the group `name` below `above`; `path` names it already.
	fn arrive(&mut self, above: &Dir, name: &Name, way: &Way<'_, 'a>) -> Result<Arrival, Error>;

	/// The group is entered, before its children.
	fn enter(&mut self, spot: &Spot<'_, 'a>, retry: &mut u128) -> Result<(), Error>;

	/// The group is left, after its children; `retry` is what entering left there.
	fn leave(&mut self, spot: &Spot<'_, 'a>, retry: u128) -> Result<(), Error>;
}

/// An arrival that is asked for.
pub struct Way<'s, 'a> {
	/// The group's path on the host, its name included.
	pub path: &'s Trail,
	/// Its hierarchy's place in the host's list.
	pub at: usize,
	/// Its hierarchy's name.
	pub label: &'s Label,
	/// What it is to the image.
	pub role: Role,
	/// The image's group that it is or leads to.
	pub group: &'s Group<'a>,
}

struct Level {
	dir: Option<Dir>,
	/// Directory of the last way before it, which is kept as the group above.
	way: Option<Dir>,
	role: Role,
	made: bool,
	/// Components of the target's path to leave with it.
	steps: u16,
	/// Components of the image's path to leave with it.
	image_steps: u16,
	retry: u128,
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

/// Visits every group of every hierarchy that has a target. `release` is called now and then: the image's pages that
/// were read may be given back.
pub fn tour<'a>(
	image: &Image<'a>,
	host: &Host,
	targets: &Targets,
	buffers: &mut Buffers,
	release: &dyn Fn(),
	visitor: &mut dyn Visit<'a>,
) -> Result<(), Error> {
	for (hierarchy, target) in image.hierarchies().zip(targets) {
		let hierarchy = hierarchy.at(format_args!("the image"))?;
		if let Some(at) = target.at {
			Tour::new(host, at, &target.rule, buffers).run(&hierarchy, release, visitor)?;
		}
	}
	Ok(())
}

/// Groups between two releases of the image's pages.
const RELEASE_EVERY: u32 = 512;

struct Tour<'t> {
	host: &'t Host,
	at: usize,
	rule: &'t Rule,
	buffers: &'t mut Buffers,
}

impl<'t> Tour<'t> {
	fn new(host: &'t Host, at: usize, rule: &'t Rule, buffers: &'t mut Buffers) -> Self {
		buffers.levels.clear();
		buffers.path.clear();
		buffers.image_path.clear();
		Tour { host, at, rule, buffers }
	}

	fn label(&self) -> &'t Label {
		&self.host.hierarchies[self.at].label
	}

	fn run<'a>(
		&mut self,
		hierarchy: &Hierarchy<'a>,
		release: &dyn Fn(),
		visitor: &mut dyn Visit<'a>,
	) -> Result<(), Error> {
		let mut descent = Descent::new(hierarchy);
		let mut since = 0;
		while let Some(turn) = descent.turn().at(format_args!("the image"))? {
			match turn {
				Turn::Enter(group) => {
					self.enter(&group, visitor)?;
					since += 1;
				}
				Turn::Leave(group) => self.leave(&group, visitor)?,
			}
			if since == RELEASE_EVERY {
				release();
				since = 0;
			}
		}
		Ok(())
	}

	fn enter<'a>(&mut self, group: &Group<'a>, visitor: &mut dyn Visit<'a>) -> Result<(), Error> {
		let image_place = format_args!("the image");
		for component in components(group.name) {
			self.buffers.image_path.push(component).at(image_place)?;
		}
		let image_steps = components(group.name).count() as u16;
		let (steps, arrival) = self.arrive(group, visitor)?;
		let (dir, way, made, role) = match arrival {
			Some((dir, way, made, role)) => (Some(dir), way, made, role),
			None => (None, None, false, Role::Way),
		};
		let level = Level { dir, way, role, made, steps, image_steps, retry: 0 };
		let full = Fault::full(Limit::Depth, DEPTH + 1);
		self.buffers.levels.push(level).map_err(|_| full).at(image_place)?;
		let mut retry = 0;
		if let Some(spot) = self.spot(group) {
			visitor.enter(&spot, &mut retry)?;
		}
		if let Some(level) = self.buffers.levels.last_mut() {
			level.retry = retry;
		}
		Ok(())
	}

	/// Opens the way to the group and the group; how many components of the target's path that were.
	#[allow(clippy::type_complete)]
	fn arrive<'a>(
		&mut self,
		group: &Group<'a>,
		visitor: &mut dyn Visit<'a>,
	) -> Result<(u16, Option<(Dir, Option<Dir>, bool, Role)>), Error> {
		let place = format_args!("the image");
		let Buffers { levels, path, image_path } = &mut *self.buffers;
		let rest = match self.rule.place(image_path.bytes()) {
			Place::Below(rest) => rest,
			Place::Above | Place::Beside => return Ok((0, None)),
		};
		let own_role = match group.is_ancestor().at(place)? {
			_ if image_path.bytes().is_empty() => Role::Way,
			true => Role::Ancestor,
			false => Role::Part,
		};
		let parent = levels.last().filter(|level| level.dir.is_some() || level.steps > 0);
		if parent.is_some_and(|parent| parent.dir.is_none()) {
			return Ok((0, None)); // its group is not there
		}
		let mut start = None;
		let mut at_root = false;
		if parent.is_none() {
			let (base, known) = self.host.base(self.at).ok_or(Fault::Unfit(Why::NotMounted)).at(place)?;
			for component in components(known) {
				path.push(component).at(place)?;
			}
			start = Some(
				base.again().at(format_args!("open the root of {}", self.host.hierarchies[self.at].label.shown()))?,
			);
			at_root = path.bytes().is_empty();
		}
		let known = components(path.bytes()).count();
		let whole = components(&self.rule.new).chain(components(rest));
		let mut steps = if parent.is_none() { known as u16 } else { 0 };
		let total = components(&self.rule.new).count() + components(rest).count();
		let mut current: Option<(Dir, bool)> = None;
		let mut way: Option<Dir> = None;
		for (index, component) in whole.enumerate().skip(known) {
			let role = if index + 1 == total { own_role } else { Role::Way };
			let name = Name::new(component).at(place)?;
			path.push(component).at(place)?;
			steps += 1;
			at_root = false;
			let above = match (&current, &start, levels.last().and_then(|level| level.dir.as_ref())) {
				(Some((dir, _)), ..) | (None, Some(dir), _) | (None, None, Some(dir)) => dir,
				(None, None, None) => return Ok((steps, None)),
			};
			let label = &self.host.hierarchies[self.at].label;
			let asked = Way { path, at: self.at, label, role, group };
			match visitor.arrive(above, &name, &asked)? {
				Arrival::At(dir, made) => way = current.replace((dir, made)).map(|(dir, _)| dir).or(start.take()),
				Arrival::Nowhere => return Ok((steps, None)),
			}
		}
		Ok(match (current, start) {
			(Some((dir, made)), _) => (steps, Some((dir, way, made, own_role))),
			(None, Some(dir)) => {
				let role = if at_root { Role::Root } else { own_role };
				(steps, Some((dir, None, false, role)))
			}
			(None, None) => (steps, None),
		})
	}

	/// The group on top, if it is there.
	fn spot<'s, 'a>(&'s self, group: &'s Group<'a>) -> Option<Spot<'s, 'a>> {
		let (level, below) = self.buffers.levels.split_last()?;
		let above = level.way.as_ref().or(below.last().and_then(|level| level.dir.as_ref()));
		Some(Spot {
			dir: level.dir.as_ref()?,
			above,
			role: level.role,
			made: level.made,
			path: &self.buffers.path,
			at: self.at,
			label: self.label(),
			group,
		})
	}

	fn leave<'a>(&mut self, group: &Group<'a>, visitor: &mut dyn Visit<'a>) -> Result<(), Error> {
		if let Some(spot) = self.spot(group) {
			let retry = self.buffers.levels.last().map_or(0, |level| level.retry);
			visitor.leave(&spot, retry)?;
		}
		if let Some(level) = self.buffers.levels.pop() {
			(0..level.steps).for_each(|_| self.buffers.path.pop());
			(0..level.image_steps).for_each(|_| self.buffers.image_path.pop());
		}
		Ok(())
	}
}

/// Opens a group that has to be there already; whether this restore made it is in its journal.
pub fn find_made(
	above: &Dir,
	name: &Name,
	way: &Way<'_, '_>,
	journal: &Journal<'_>,
	cursor: &mut MadeCursor,
	buffer: &mut [u8],
) -> Result<Arrival, Error> {
	let place = format_args!("open group {} of {}", way.path.shown(), way.label.shown());
	match above.child(name.as_c_str()) {
		Err(fault) if crate::act::read::is_absent(&fault) => Ok(Arrival::Nowhere),
		result => {
			let dir = result.at(place)?;
			let made = cursor.is_made(journal, way.at, way.path.bytes(), buffer).at(place)?;
			Ok(Arrival::At(dir, made))
		}
	}
}
