//! An image and a host in, the host's hierarchy for each controller of the image out, and how paths change.
//!
//! Matching is done controller by controller: what the image's host had mounted together may be apart here, or the
//! other way round. A hierarchy of the image then has several targets, each for the values of its own controllers, or
//! several hierarchies of the image have the same one.

use core::ops::{Deref, DerefMut};
use core::ptr;

use crate::act::dry::Steps;
use crate::act::host::Host;
use crate::error::{At, Error, Fault, Why};
use crate::hierarchy::{Label, ShownLabel, split_selector};
use crate::image::view::{Hierarchy, Image, Member};
use crate::limits::{HIERARCHIES, Limit};
use crate::log::Log;
use crate::name::Shown;
use crate::remap::{self, Path, Rule};
use crate::vet::first_set;

/// Where the groups of a hierarchy of the image belong.
#[derive(Debug)]
pub struct Target {
	/// The hierarchy's place in the image.
	pub from: usize,
	/// What it is called there.
	pub label: Label,
	/// The place of the host's hierarchy in the host's list.
	pub at: usize,
	/// How paths change.
	pub rule: Rule,
	/// The host's hierarchy has not all of the image's controllers: only values of those that it has are for it.
	pub part: bool,
	/// Another target before this one has the same hierarchy of the host.
	pub joins: bool,
}

impl Target {
	const NONE: Target =
		Target { from: 0, label: Label::empty(), at: 0, rule: Rule::identity(), part: false, joins: false };

	/// Rules for devices can only be put into groups without children, so they come before others of the hierarchy.
	pub fn is_early(&self) -> bool {
		self.label.has_name(b"devices")
	}
}

/// The targets of all hierarchies of the image that have groups. They are large, so each is made where it stays.
pub struct Targets {
	all: [Target; HIERARCHIES],
	len: usize,
}

impl Targets {
	/// None yet.
	pub const fn new() -> Self {
		Targets { all: [Target::NONE; HIERARCHIES], len: 0 }
	}

	/// In the order in which they are toured.
	pub fn in_order(&self) -> impl Iterator<Item = &Target> {
		let others = self.iter().filter(|target| !target.is_early());
		self.iter().filter(|target| target.is_early()).chain(others)
	}

	/// One more, which moves nothing; its `old` is already there.
	fn add(&mut self, from: usize, label: &Label, at: usize) -> Result<(), Fault> {
		let full = Fault::full(Limit::Hierarchies, self.len + 1);
		let target = self.all.get_mut(self.len).ok_or(full)?;
		(target.from, target.at, target.part, target.joins) = (from, at, false, false);
		target.label.clone_from(label);
		target.rule.moves = false;
		self.len += 1;
		Ok(())
	}
}

impl Default for Targets {
	fn default() -> Self {
		Targets::new()
	}
}

impl Deref for Targets {
	type Target = [Target];

	fn deref(&self) -> &[Target] {
		self.all.get(..self.len).unwrap_or(&[])
	}
}

impl DerefMut for Targets {
	fn deref_mut(&mut self) -> &mut [Target] {
		self.all.get_mut(..self.len).unwrap_or(&mut [])
	}
}

/// What has a part in aiming.
pub struct Aim<'w> {
	/// The host.
	pub host: &'w mut Host,
	/// What is found.
	pub targets: &'w mut Targets,
	/// What this host does not have is left out and counted.
	pub skip_missing: bool,
	/// The groups of each hierarchy belong where this process is.
	pub like: Option<u32>,
	/// Hierarchies that this host does not have are made, where nothing stands against it.
	pub brings: bool,
	/// Hierarchies and controllers that were left out.
	pub skipped: u64,
	/// Where messages go.
	pub log: &'w mut dyn Log,
	/// Where the steps of a dry run go: hierarchies are not made, but told.
	pub steps: Option<Steps<'w>>,
}

impl Aim<'_> {
	/// Finds the targets; `roots` are the values of `--cgroup-root`.
	pub fn run(&mut self, image: &Image<'_>, roots: &[&[u8]]) -> Result<(), Error> {
		self.targets.len = 0;
		for (from, hierarchy) in image.hierarchies().enumerate() {
			let place = format_args!("the image");
			let hierarchy = hierarchy.at(place)?;
			let label = Label::of(&hierarchy).at(place)?;
			let next = self.targets.len;
			let full = Fault::full(Limit::Hierarchies, next + 1);
			let common = self.targets.all.get_mut(next).ok_or(full).at(place)?;
			if remap::common(&hierarchy, &mut common.rule.old).at(place)? {
				self.hierarchy(from, &hierarchy, &label)?;
			}
		}
		for at in 0..self.targets.len() {
			let own = &self.targets[at];
			let joins =
				self.targets.in_order().take_while(|other| !ptr::eq(*other, own)).any(|other| other.at == own.at);
			self.targets[at].joins = joins;
		}
		if let Some(pid) = self.like {
			self.turn_like(pid).at(format_args!("--like {pid}"))?;
		}
		// A rule for one hierarchy wins over a rule for all.
		for is_general in [true, false] {
			for root in roots {
				self.turn(root, is_general).at(format_args!("--cgroup-root {}", Shown(root)))?;
			}
		}
		Ok(())
	}

	/// Finds the targets of one hierarchy of the image.
	fn hierarchy(&mut self, from: usize, hierarchy: &Hierarchy<'_>, label: &Label) -> Result<(), Error> {
		let (first, mut lost) = (self.targets.len(), None);
		if self.brings && !self.host.hierarchies.iter().any(|known| known.label.shares(label.bytes())) {
			self.bring(label);
		}
		for name in label.names() {
			match usable(self.host, name) {
				Ok(at) if self.targets[first..].iter().any(|known| known.at == at) => {}
				Ok(at) => {
					self.targets.add(from, label, at).at(format_args!("the image"))?;
					if let [.., before, own] = &mut **self.targets
						&& before.from == from
					{
						own.rule.old.clone_from(&before.rule.old);
					}
				}
				Err(why) => lost = lost.or(Some(why)),
			}
		}
		match lost {
			Some(why) if self.targets.len() == first => {
				let error = Error::new(Fault::Unfit(why), format_args!("hierarchy {}", label.shown()));
				self.leave_out(error, matches!(why, Why::NoHierarchy | Why::NotMounted))?;
			}
			Some(_) => self.judge_lost(hierarchy, label)?,
			None => {}
		}
		for target in &mut self.targets[first..] {
			target.part = label.names().any(|name| !self.host.hierarchies[target.at].label.has_name(name));
		}
		Ok(())
	}

	/// Makes the hierarchy, if that can be done; else it is missing, which is told later.
	fn bring(&mut self, label: &Label) {
		match self.host.bring(label, self.steps.is_some()) {
			Ok(_) if let Some(steps) = self.steps => steps(format_args!("make hierarchy {}", label.shown())),
			Ok(_) => self.log.warn(format_args!(
				"hierarchy {}: this host had none; it is made, is mounted nowhere, and stays as long as it has groups",
				label.shown()
			)),
			Err(fault) => self.log.info(format_args!("hierarchy {} cannot be made: {fault}", label.shown())),
		}
	}

	/// Controllers that this host does not have are no loss as long as nothing is set for them.
	fn judge_lost(&mut self, hierarchy: &Hierarchy<'_>, label: &Label) -> Result<(), Error> {
		for name in label.names() {
			let Err(why) = usable(self.host, name) else { continue };
			if let Some((group, file)) = first_set(hierarchy, name).at(format_args!("the image"))? {
				let (shown, name) = (label.shown(), ShownLabel(name));
				let place =
					format_args!("controller {name} of hierarchy {shown}, {} of group {}", Shown(file), Shown(group));
				let error = Error::new(Fault::Unfit(why), place);
				self.leave_out(error, true)?;
			}
		}
		Ok(())
	}

	fn leave_out(&mut self, error: Error, may_skip: bool) -> Result<(), Error> {
		if !(self.skip_missing && may_skip) {
			return self.log.unfit(error);
		}
		self.skipped += 1;
		self.log.warn(format_args!("skipped: {error}"));
		Ok(())
	}

	/// Turns the groups of the hierarchies that are meant towards a path.
	fn turn(&mut self, root: &[u8], is_general: bool) -> Result<(), Fault> {
		let (selector, path) = split_selector(root)?;
		if selector.is_none() != is_general {
			return Ok(());
		}
		let mut turned = false;
		for target in self.targets.iter_mut() {
			if selector.is_none_or(|selector| self.host.hierarchies[target.at].label.is_meant_by(selector)) {
				remap::target(path, &mut target.rule.new)?;
				target.rule.moves = true;
				turned = true;
			}
		}
		if turned { Ok(()) } else { Err(Fault::Usage(Why::NothingToMove)) }
	}
}

/// The host's hierarchy that has the controller, or the name.
fn usable(host: &Host, name: &[u8]) -> Result<usize, Why> {
	let at = host.hierarchies.iter().position(|known| known.label.has_name(name)).ok_or(Why::NoHierarchy)?;
	match &host.hierarchies[at].mount {
		Some(mount) if !mount.read_only => Ok(at),
		Some(_) => Err(Why::ReadOnly),
		None => Err(Why::NotMounted),
	}
}

/// The path on the host of a membership, put into `into`; `at` is one of the host's hierarchies that it belongs to.
pub fn map_member(targets: &Targets, at: usize, member: &Member<'_>, into: &mut Path) -> Result<(), Fault> {
	let path = member.path.strip_prefix(b"/").unwrap_or(member.path);
	match targets.iter().find(|target| target.at == at && target.label.shares(member.name)) {
		Some(target) => target.rule.map(path, into),
		None => {
			into.clear();
			into.extend_from_slice(path).map_err(|_| Fault::full(Limit::GroupPath, path.len()))
		}
	}
}

/// Refuses a task that would have to be in two groups of one hierarchy: they were in two hierarchies of the image.
pub fn vet_sets(image: &Image<'_>, host: &Host, targets: &Targets, log: &mut dyn Log) -> Result<(), Error> {
	let (mut one, mut other) = (Path::new(), Path::new());
	let joined = |(_, known): &(usize, &crate::act::host::Hierarchy)| known.label.names().nth(1).is_some();
	for (at, known) in host.hierarchies.iter().enumerate().filter(joined) {
		for set in image.sets() {
			let set = set.at(format_args!("the image"))?;
			let mut members =
				set.members().filter(|member| member.as_ref().map_or(true, |member| known.label.shares(member.name)));
			let Some(first) = members.next() else { continue };
			let first = first.at(format_args!("the image"))?;
			map_member(targets, at, &first, &mut one).at(format_args!("the image"))?;
			for member in members {
				let member = member.at(format_args!("the image"))?;
				map_member(targets, at, &member, &mut other).at(format_args!("the image"))?;
				if one != other {
					let (left, right) = (ShownLabel(first.name), ShownLabel(member.name));
					let place = format_args!(
						"tasks of set {}: {left}:{} and {right}:{} in hierarchy {}",
						set.id,
						Shown(first.path),
						Shown(member.path),
						known.label.shown()
					);
					log.unfit(Error::new(Fault::Unfit(Why::TwoPaths), place))?;
					break;
				}
			}
		}
	}
	Ok(())
}
