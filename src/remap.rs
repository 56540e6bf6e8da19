//! Paths of the image in, paths of the target out, component by component.
//!
//! A rule replaces a path and everything below it: `/old` matches `/old` and `/old/x`, never `/older`. What a rule of
//! `--cgroup-root` replaces is the deepest group that all walked groups of the hierarchy have in common; with one
//! head that is the head itself, as in CRIU. Groups above it are not part of the target. Memberships in a hierarchy's
//! root stay there.

use heapless::Vec;

use crate::error::{Fault, Why};
use crate::image::descent::{Descent, Turn};
use crate::image::view::Hierarchy;
use crate::limits::{Limit, PATH_BYTES};
use crate::name::{Trail, check, components, is_below_or_same};

/// A path without its first slash.
pub type Path = Vec<u8, PATH_BYTES>;

/// One rule of one hierarchy; the empty path is the hierarchy's root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
	/// What is replaced.
	pub old: Path,
	/// What replaces it.
	pub new: Path,
	/// Paths change; if not, `old` is only known.
	pub moves: bool,
}

/// Where a path of the image belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place<'p> {
	/// Below the rule's new path, by these components.
	Below(&'p [u8]),
	/// Above what the rule replaces: it has no place on the target.
	Above,
	/// Beside what the rule replaces: it keeps its path.
	Beside,
}

impl Rule {
	/// Everything keeps its path.
	pub const fn identity() -> Self {
		Rule { old: Vec::new(), new: Vec::new(), moves: false }
	}

	/// The group on the target that is or contains all groups but ancestors.
	pub fn top(&self) -> &[u8] {
		if self.moves { &self.new } else { &self.old }
	}

	/// Where `path` (without its first slash) belongs.
	pub fn place<'p>(&self, path: &'p [u8]) -> Place<'p> {
		if !self.moves || self.old.is_empty() {
			return Place::Below(path);
		}
		match is_below_or_same(path, &self.old) {
			true => {
				let rest = path.get(self.old.len()..).unwrap_or(b"");
				Place::Below(rest.strip_prefix(b"/").unwrap_or(rest))
			}
			false if is_below_or_same(&self.old, path) || path.is_empty() => Place::Above,
			false => Place::Beside,
		}
	}

	/// The target of a membership's path (without its first slash), put into `into`. One in the hierarchy's root stays.
	pub fn map(&self, path: &[u8], into: &mut Path) -> Result<(), Fault> {
		match path.is_empty() && self.old.is_empty() {
			true => into.clear(),
			false => self.map_group(path, into)?,
		}
		Ok(())
	}

	/// The target of a group's path (without its first slash), put into `into`; the hierarchy's root moves as well.
	pub fn map_group(&self, path: &[u8], into: &mut Path) -> Result<(), Fault> {
		into.clear();
		match self.place(path) {
			Place::Below(rest) if self.moves => append(into, &self.new).and_then(|()| append(into, rest)),
			_ => append(into, path),
		}
	}
}

/// Adds components to a path.
fn append(path: &mut Path, rest: &[u8]) -> Result<(), Fault> {
	let need = path.len() + rest.len() + 1;
	let slash: &[u8] = if path.is_empty() || rest.is_empty() { b"" } else { b"/" };
	let full = Fault::full(Limit::GroupPath, need);
	path.extend_from_slice(slash).and_then(|()| path.extend_from_slice(rest)).map_err(|_| full)
}

/// Puts the path of `--cgroup-root`, proved component by component and without slashes at its ends, into `into`.
pub fn target(path: &[u8], into: &mut Path) -> Result<(), Fault> {
	into.clear();
	for component in components(path.strip_suffix(b"/").unwrap_or(path)) {
		check(component).map_err(|_| Fault::Usage(Why::BadPath))?;
		append(into, component)?;
	}
	Ok(())
}

/// Puts the deepest group that all groups of the hierarchy but its ancestors have in common into `common`; whether there
/// is any such group. A root without a tree, which is only a membership, is none.
pub fn common(hierarchy: &Hierarchy<'_>, common: &mut Path) -> Result<bool, Fault> {
	let mut found = false;
	walked(hierarchy, &mut |path| meet(core::mem::replace(&mut found, true), common, path))?;
	Ok(found)
}

/// Gives the path of each group that was asked for: the highest ones that are no ancestors, and what is right below the
/// root if that is one. A root without a tree, which is only a membership, is none.
pub fn walked(hierarchy: &Hierarchy<'_>, each: &mut dyn FnMut(&[u8]) -> Result<(), Fault>) -> Result<(), Fault> {
	let mut descent = Descent::new(hierarchy);
	let mut trail = Trail::new();
	// Below a walked group everything has that group in common already.
	let mut walked_at = usize::MAX;
	while let Some(turn) = descent.turn()? {
		match turn {
			Turn::Enter(group) => {
				for component in components(group.name) {
					trail.push(component)?;
				}
				// A root with its tree is what all have in common; one without is a membership.
				let is_group = !group.name.is_empty() || group.children().next().is_some();
				if walked_at == usize::MAX && is_group && !group.is_ancestor()? {
					walked_at = if group.name.is_empty() { walked_at } else { descent.depth() };
					each(trail.bytes())?;
				}
			}
			Turn::Leave(group) => {
				components(group.name).for_each(|_| trail.pop());
				if descent.depth() < walked_at {
					walked_at = usize::MAX;
				}
			}
		}
	}
	Ok(())
}

/// Shortens the common path, if it is known, to what it shares with `path`.
fn meet(known: bool, common: &mut Path, path: &[u8]) -> Result<(), Fault> {
	if !known {
		common.clear();
		return append(common, path);
	}
	let shared = components(common).zip(components(path)).take_while(|(left, right)| left == right);
	let len: usize = shared.map(|(component, _)| component.len() + 1).sum();
	common.truncate(len.saturating_sub(1));
	Ok(())
}

#[cfg(test)]
mod tests {
	use super::*;

	fn path(text: &[u8]) -> Path {
		Path::from_slice(text).unwrap()
	}

	#[test]
	fn a_rule_moves_whole_components() {
		let rule = Rule { old: path(b"ct/web"), new: path(b"new/root"), moves: true };
		let mut into = Path::new();
		for (from, to) in [
			(&b"ct/web"[..], &b"new/root"[..]),
			(b"ct/web/a", b"new/root/a"),
			(b"ct/webber", b"ct/webber"),
			(b"", b""),
			(b"ct", b"ct"),
		] {
			rule.map(from, &mut into).unwrap();
			assert_eq!(into, to, "{from:?}");
		}
		assert_eq!(rule.place(b"ct"), Place::Above);
		assert_eq!(rule.place(b"ct/webber"), Place::Beside);
	}

	#[test]
	fn a_root_keeps_its_slash() {
		let rule = Rule { old: path(b""), new: path(b"new"), moves: true };
		let mut into = Path::new();
		rule.map(b"a", &mut into).unwrap();
		assert_eq!(into, b"new/a");
		rule.map(b"", &mut into).unwrap();
		assert_eq!(into, b"");
		let rule = Rule { old: path(b"a"), new: path(b""), moves: true };
		rule.map(b"a/b", &mut into).unwrap();
		assert_eq!(into, b"b");
	}

	#[test]
	fn the_common_group_shrinks_by_components() {
		let mut common = path(b"dirty");
		meet(false, &mut common, b"ct/web").unwrap();
		assert_eq!(common, b"ct/web");
		meet(true, &mut common, b"ct/webber/x").unwrap();
		assert_eq!(common, b"ct");
		meet(true, &mut common, b"other").unwrap();
		assert_eq!(common, b"");
	}

	#[test]
	fn a_target_is_proved() {
		let mut into = path(b"dirty");
		target(b"/a/b/", &mut into).unwrap();
		assert_eq!(into, b"a/b");
		target(b"/", &mut into).unwrap();
		assert_eq!(into, b"");
		for bad in [&b"/a//b"[..], b"/../a", b"/a/./b"] {
			assert!(target(bad, &mut into).is_err(), "{bad:?}");
		}
	}
}
