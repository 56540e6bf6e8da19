//! An image and the host in, each group of the image with its directory on the host out, in tree order.
//!
//! The tour keeps one open directory a level. What happens on arrival (opening or making), on entering and on leaving
//! a group is the visitor's business: the phases of a restore are visitors.

use heapless::Vec;

use crate::act::aim::{Target, Targets};
use crate::act::host::Host;
use crate::error::{At, Error, Fault, Why};
use crate::hierarchy::Label;
use crate::image::descent::{Descent, Turn};
use crate::image::view::{Group, Hierarchy, Image};
use crate::kernel::dir::Dir;
use crate::limits::{DEPTH, Limit};
use crate::name::{Name, Trail, components};
use crate::remap::Place;

pub use crate::act::site::{Legacy, Reached, Role, Site, Visit};

/// What a level of the image is on the host.
enum Stand {
	/// It has no place: it lies above what a rule moves.
	Unplaced,
	/// It is not there.
	Missing,
	/// The open group.
	At(Dir),
	/// It is there, and worked on from the open group above.
	Near,
}

struct Level {
	stand: Stand,
	role: Role,
	made: bool,
	/// Lengths of the host's and the image's path above it.
	above: [u16; 2],
	retry: u64,
	legacy: Legacy,
	/// See [`Site::kind`].
	kind: u32,
}

impl Level {
	/// From where the group is worked on; none where it is passed over.
	fn dir<'d>(&'d self, above: Option<&'d Level>) -> Option<&'d Dir> {
		match (&self.stand, above.map(|above| &above.stand)) {
			(Stand::At(dir), _) | (Stand::Near, Some(Stand::At(dir))) => Some(dir),
			_ => None,
		}
	}

	fn site<'s, 'a>(&self, target: &Target, label: &'s Label, path: &'s Trail, group: &'s Group<'a>) -> Site<'s, 'a> {
		let near = matches!(self.stand, Stand::Near);
		let (&Level { role, made, kind, .. }, &Target { at, part, joins, .. }) = (self, target);
		Site { path, at, label, role, group, made, first: false, legacy: Legacy::Unknown, part, joins, kind, near }
	}
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
				Turn::Enter(group) => self.enter(&group, descent.kind())?,
				Turn::Leave(group) => self.leave(&group)?,
			}
		}
		Ok(())
	}

	fn enter(&mut self, group: &Group<'a>, kind: u32) -> Result<(), Error> {
		let Buffers { path, image_path, .. } = &*self.buffers;
		let mut level = Level {
			stand: Stand::Missing,
			role: Role::Way,
			made: false,
			above: [path, image_path].map(|path| path.bytes().len() as u16), // a trail is no longer
			retry: 0,
			legacy: Legacy::Unknown,
			kind,
		};
		let placed = self.place(group, &mut level);
		let label = &self.host.hierarchies[self.target.at].label;
		placed.at(format_args!("group {} of {}", self.buffers.path.shown(), label.shown()))?;
		let mut retry = 0;
		let above = self.buffers.levels.last();
		if let Some(dir) = level.dir(above) {
			let legacy = above.map_or(Legacy::Unknown, |above| above.legacy);
			let site = Site { legacy, ..level.site(self.target, label, &self.buffers.path, group) };
			level.legacy = self.visitor.enter(&site, dir, &mut retry)?;
		}
		level.retry = retry;
		let full = Fault::full(Limit::Depth, DEPTH + 1);
		self.buffers.levels.push(level).map_err(|_| full).at(format_args!("the image"))
	}

	/// Finds the group's place: below the group on top, or by the rule.
	fn place(&mut self, group: &Group<'a>, level: &mut Level) -> Result<(), Fault> {
		for component in components(group.name) {
			self.buffers.image_path.push(component)?;
		}
		let image_path = self.buffers.image_path.bytes();
		let role = match group.is_ancestor()? {
			_ if image_path.is_empty() => Role::Way,
			true => Role::Ancestor,
			false => Role::Part,
		};
		match self.buffers.levels.last().map(|above| &above.stand) {
			Some(Stand::Missing | Stand::Near) => return Ok(()),
			Some(Stand::At(_)) => {
				return self.walk(group, group.name, role, None, level);
			}
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
		let label = &self.host.hierarchies[self.target.at].label;
		// The root's values are never written.
		let is_below_root = levels.last().is_some_and(|above| above.role == Role::Root);
		let (mut left, first) = (components(rest).count(), start.is_some() || is_below_root);
		let (mut current, mut name) = (start, Name::empty());
		level.kind = if first { 0 } else { level.kind };
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
			let site = Site { first, legacy, made: false, ..level.site(self.target, label, path, group) };
			match self.visitor.arrive(&site, above, &name)? {
				None => return Ok(()),
				Some((None, made)) => {
					(level.stand, level.made) = (Stand::Near, made);
					return Ok(());
				}
				Some((dir, made)) => (current, level.made) = (dir, made),
			}
		}
		level.stand = current.map_or(Stand::Missing, Stand::At);
		Ok(())
	}

	fn leave(&mut self, group: &Group<'a>) -> Result<(), Error> {
		let Some(level) = self.buffers.levels.pop() else { return Ok(()) };
		if let Some(dir) = level.dir(self.buffers.levels.last()) {
			let label = &self.host.hierarchies[self.target.at].label;
			let site = level.site(self.target, label, &self.buffers.path, group);
			self.visitor.leave(&site, dir, level.retry)?;
		}
		let [path, image_path] = level.above.map(usize::from);
		self.buffers.path.cut(path);
		self.buffers.image_path.cut(image_path);
		Ok(())
	}
}
