//! The rules of `--map` in, new paths of groups and memberships out.
//!
//! A rule moves a group and everything below it: `/a=/b` is about `/a` and `/a/x`, never about `/ab`. Of the rules that fit
//! the one with the longest OLD counts; with the same OLD, one for a hierarchy before one for all. What a rule moves is a
//! part of the tree; so is what no rule moves. Parts are written in the order of their new paths' lengths, so that no
//! group comes before the one that it lies in.
//!
//! OLD = `/` is everything. The root itself has no values that could be set, so the group that takes its place gets none,
//! and memberships in a root stay there, as with `--cgroup-root`.
//!
//! Errors, before anything is written: a rule that moves nothing (also because another one has the same OLD), and two groups
//! that may fall together, which is judged by where a rule lands: there and below no group of another part may be.

use heapless::Vec;

use crate::error::{At, Error, Fault, Why};
use crate::hierarchy::{Label, is_meant, split_selector};
use crate::image::view::{Group, Hierarchy, Image, Member, Set};
use crate::limits::{HIERARCHIES, Limit, OPTIONS};
use crate::log::Log;
use crate::name::{Shown, ShownPath, check, components, is_below_or_same};
use crate::property::controller_of;
use crate::remap::{Path, append};
use crate::rewrite::{Change, Placed, PutMember, Spot, each_group, in_image};
use crate::translate::controllers::Controllers;

/// One rule; its paths have no first slash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move<'t> {
	typed: &'t [u8],
	selector: Option<&'t [u8]>,
	old: &'t [u8],
	new: &'t [u8],
}

impl<'t> Move<'t> {
	/// `[CTRL:]/OLD=/NEW`.
	pub fn parse(typed: &'t [u8]) -> Result<Self, Why> {
		let end = |text: &[u8]| text.windows(2).position(|pair| pair == b"=/");
		let (old, new) = typed.split_at(end(typed).ok_or(Why::BadMove)?);
		let new = new.get(1..).filter(|new| end(new).is_none()).ok_or(Why::BadMove)?;
		let (selector, old) = split_selector(old).map_err(|_| Why::BadMove)?;
		Ok(Move { typed, selector, old: proved(old)?, new: proved(new)? })
	}

	fn is_for(&self, label: &[u8]) -> bool {
		self.selector.is_none_or(|selector| is_meant(label, selector))
	}

	/// Whether a group with this path would lie where this rule puts its own.
	fn lands_on(&self, target: &[u8]) -> bool {
		self.new.is_empty() || is_below_or_same(target, self.new)
	}
}

/// The path without its first slash and one at its end.
fn proved(path: &[u8]) -> Result<&[u8], Why> {
	let path = path.strip_suffix(b"/").unwrap_or(path);
	components(path).try_for_each(check).map_err(|_| Why::BadPath)?;
	Ok(path.strip_prefix(b"/").unwrap_or(path))
}

/// What a rule moves in one hierarchy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
	groups: u32,
	members: u32,
}

/// The rules, and what they are about in an image.
pub struct Paths<'t> {
	/// In the order of their new paths' lengths.
	rules: Vec<Move<'t>, OPTIONS>,
	/// The hierarchies of the image.
	labels: Vec<Label, HIERARCHIES>,
	counts: [[Count; OPTIONS]; HIERARCHIES],
	/// The hierarchy that is being written.
	current: usize,
	/// What groups of v2 that a rule moves have to be given.
	needs: [Controllers; OPTIONS],
}

impl<'t> Paths<'t> {
	/// No rule.
	pub const fn new() -> Self {
		let counts = [[Count { groups: 0, members: 0 }; OPTIONS]; HIERARCHIES];
		Paths { rules: Vec::new(), labels: Vec::new(), counts, current: 0, needs: [Controllers::NONE; OPTIONS] }
	}

	/// One more rule; false where there is no room for it.
	pub fn add(&mut self, typed: &'t [u8]) -> Result<bool, Why> {
		let rule = Move::parse(typed)?;
		let at = self.rules.iter().take_while(|other| other.new.len() <= rule.new.len()).count();
		Ok(self.rules.insert(at, rule).is_ok())
	}

	/// Whether there is none.
	pub fn is_empty(&self) -> bool {
		self.rules.is_empty()
	}

	/// Judges the rules by the image, and tells what they are about.
	pub fn judge(&mut self, image: &Image<'_>, log: &mut dyn Log) -> Result<(), Error> {
		in_image();
		for hierarchy in image.hierarchies() {
			let hierarchy = hierarchy.placed()?;
			let at = self.known(Label::of(&hierarchy).placed()?.bytes()).placed()?;
			self.count_groups(&hierarchy, at)?;
			self.judge_groups(&hierarchy, at)?;
		}
		self.count_members(image).placed()?;
		for (at, rule) in self.rules.iter().enumerate() {
			let mut moved = 0;
			for (label, counts) in self.labels.iter().zip(&self.counts) {
				let Count { groups, members } = counts[at];
				moved += groups | members;
				if groups | members != 0 {
					let (label, old, new) = (label.shown(), ShownPath(rule.old), ShownPath(rule.new));
					log.info(format_args!("map {label}: {old} -> {new} ({groups} groups, {members} memberships)"));
				}
			}
			if moved == 0 {
				return Err(Fault::Unfit(Why::MovesNothing)).at(format_args!("--map {}", Shown(rule.typed)));
			}
		}
		Ok(())
	}

	/// The place of a hierarchy of the image, whatever the order of its controllers.
	fn known(&mut self, label: &[u8]) -> Result<usize, Fault> {
		if let Some(at) = self.labels.iter().position(|known| known.is_same(label)) {
			return Ok(at);
		}
		let full = Fault::full(Limit::ImageHierarchies, HIERARCHIES + 1);
		self.labels.push(Label::new(label)?).map_err(|_| full)?;
		Ok(self.labels.len() - 1)
	}

	/// The rule for a path of a hierarchy.
	fn rule(&self, label: &[u8], path: &[u8]) -> Option<usize> {
		let (mut best, mut most) = (None, 0);
		for (at, rule) in self.rules.iter().enumerate() {
			let weight = 2 * rule.old.len() + usize::from(rule.selector.is_some()) + 1;
			let fits = weight > most && (rule.old.is_empty() || is_below_or_same(path, rule.old));
			if fits && rule.is_for(label) {
				(best, most) = (Some(at), weight);
			}
		}
		best
	}

	/// The path that the rule makes of this one, put into `into`.
	fn map(&self, rule: Option<usize>, path: &[u8], into: &mut Path) -> Result<(), Fault> {
		into.clear();
		let Some(rule) = rule.and_then(|rule| self.rules.get(rule)) else { return append(into, path) };
		let rest = path.get(rule.old.len()..).unwrap_or(b"");
		append(into, rule.new).and_then(|()| append(into, rest.strip_prefix(b"/").unwrap_or(rest)))
	}

	fn count_groups(&mut self, hierarchy: &Hierarchy<'_>, at: usize) -> Result<(), Error> {
		let is_unified = hierarchy.is_unified();
		each_group(hierarchy, &mut |path, group| {
			let label = self.labels[at].bytes();
			let Some(rule) = self.rule(label, path).filter(|_| is_moved(path, group)) else { return Ok(()) };
			self.counts[at][rule].groups += 1;
			for saved in group.properties().filter(|_| is_unified) {
				let needs = Controllers::of(controller_of(saved.placed()?.name));
				self.needs[rule] = self.needs[rule].and(needs);
			}
			Ok(())
		})
	}

	/// Refuses groups that may fall together.
	fn judge_groups(&self, hierarchy: &Hierarchy<'_>, at: usize) -> Result<(), Error> {
		let label = &self.labels[at];
		let mut target = Path::new();
		each_group(hierarchy, &mut |path, group| {
			if !is_moved(path, group) {
				return Ok(());
			}
			let own = self.rule(label.bytes(), path);
			self.map(own, path, &mut target).placed()?;
			// Of two parts the one that lands deeper is looked at, or both.
			let least = own.map_or(0, |own| self.rules[own].new.len());
			let is_on = |rule: &Move<'_>| rule.new.len() >= least && rule.lands_on(&target);
			let mut others = self.rules.iter().enumerate().filter(|(rule, _)| Some(*rule) != own);
			match others.find(|(other, rule)| is_on(rule) && self.counts[at][*other].groups != 0) {
				None => Ok(()),
				Some((_, rule)) => {
					let (old, new) = (ShownPath(rule.old), ShownPath(rule.new));
					let (path, target, label) = (ShownPath(path), ShownPath(&target), label.shown());
					let place = format_args!("--map: {path} becomes {target} and {old} becomes {new} in {label}");
					Err(Fault::Unfit(Why::FallTogether)).at(place)
				}
			}
		})
	}

	fn count_members(&mut self, image: &Image<'_>) -> Result<(), Fault> {
		for set in image.sets() {
			for member in set?.members() {
				let member = member?;
				let at = self.known(member.name)?;
				if let Some(rule) = self.rule(member.name, inner(member.path)).filter(|_| member.path != b"/") {
					self.counts[at][rule].members += 1;
				}
			}
		}
		Ok(())
	}

	/// What a group of v2 has to hand down besides, because groups of other parts come to lie below it.
	pub fn hands_down(&self, spot: &Spot<'_>, text: &[u8]) -> Result<Controllers, Fault> {
		let mut target = Path::new();
		self.map(self.rule(spot.label.bytes(), spot.path), spot.path, &mut target)?;
		let is_below = |rule: &Move<'_>| is_below_or_same(rule.new, &target) && rule.new.len() > target.len();
		let below = self.rules.iter().zip(&self.needs).filter(|(rule, _)| is_below(rule));
		let all = below.fold(Controllers::NONE, |all, (_, needs)| all.and(*needs));
		Ok(all.without(Controllers::of_text(text)))
	}

	/// The new path of a membership, with its first slash; one in a root stays there.
	fn member(&self, label: &[u8], path: &[u8], into: &mut Path) -> Result<(), Fault> {
		let mut target = Path::new();
		let path = inner(path);
		let rule = self.rule(label, path).filter(|_| !path.is_empty());
		self.map(rule, path, &mut target)?;
		into.clear();
		let full = Fault::full(Limit::GroupPath, target.len() + 1);
		into.extend_from_slice(b"/").and_then(|()| into.extend_from_slice(&target)).map_err(|_| full)
	}
}

/// Whether the group is more than a root, and does not only lie above others.
fn is_moved(path: &[u8], group: &Group<'_>) -> bool {
	!path.is_empty() && !group.is_ancestor().unwrap_or(false) // the image was judged
}

fn inner(path: &[u8]) -> &[u8] {
	path.strip_prefix(b"/").unwrap_or(path)
}

impl Default for Paths<'_> {
	fn default() -> Self {
		Paths::new()
	}
}

impl Change for Paths<'_> {
	fn parts(&mut self, label: &Label) -> usize {
		self.current = self.labels.iter().position(|known| known.is_same(label.bytes())).unwrap_or(0);
		1 + self.rules.len()
	}

	fn has(&self, part: usize) -> bool {
		part.checked_sub(1).is_none_or(|rule| self.counts[self.current][rule].groups != 0)
	}

	fn place(&mut self, path: &[u8], into: &mut Path) -> Result<usize, Fault> {
		let label = self.labels.get(self.current).map_or(&b""[..], |label| label.bytes());
		let rule = self.rule(label, path);
		self.map(rule, path, into)?;
		Ok(rule.map_or(0, |rule| rule + 1))
	}

	/// Where a cgroup namespace begins is mapped as the group is; it is not known any more if it is not above then.
	fn members(&mut self, set: &Set<'_>, put: &mut PutMember<'_>) -> Result<(), Fault> {
		let (mut path, mut root) = (Path::new(), Path::new());
		for member in set.members() {
			let member = member?;
			self.member(member.name, member.path, &mut path)?;
			let mut prefix = None;
			if let Some(old) = member.cgns_prefix.and_then(|prefix| member.path.get(..prefix as usize)) {
				self.member(member.name, old, &mut root)?;
				let is_above = is_below_or_same(&path, &root);
				prefix = is_above.then_some(if root.len() == 1 { 0 } else { root.len() as u32 });
			}
			put(&Member { path: &path, cgns_prefix: prefix, ..member })?;
		}
		Ok(())
	}
}
