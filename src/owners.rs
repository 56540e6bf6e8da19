//! An owner in, the owner that the user's rules make of it out. CPUs, memory nodes and disks have rules of the same kind.

use core::cell::Cell;

use crate::image::view::Perms;
use crate::procfs::scan::{cut, number32};

/// So many numbers from `old` on become those from `new` on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
	old: u32,
	new: u32,
	/// The last one of them, less `old`.
	more: u32,
	/// There was one.
	pub hit: Cell<bool>,
}

impl Shift {
	/// `OLD=NEW`, or `FIRST-LAST=NEW`; 4294967295 is no user and no group.
	pub fn parse(text: &[u8]) -> Option<Self> {
		let (old, new) = cut(text, b'=')?;
		let (first, last) = cut(old, b'-').unwrap_or((old, old));
		let (old, new, last) = (number32(first)?, number32(new)?, number32(last)?);
		let more = last.checked_sub(old)?;
		let is_sound = last != u32::MAX && new.checked_add(more)? != u32::MAX;
		is_sound.then_some(Shift { old, new, more, hit: Cell::new(false) })
	}

	/// One number alone.
	pub fn one(old: u32, new: u32) -> Self {
		Shift { old, new, more: 0, hit: Cell::new(false) }
	}

	/// Whether a number is one of those that it is about, on either side.
	pub fn is_about(&self, number: u32) -> bool {
		[self.old, self.new].iter().any(|first| number.checked_sub(*first).is_some_and(|offset| offset <= self.more))
	}

	fn map(&self, number: u32) -> Option<u32> {
		let offset = number.checked_sub(self.old).filter(|offset| *offset <= self.more)?;
		self.hit.set(true);
		Some(self.new + offset)
	}
}

/// What the first rule that fits makes of a number.
pub fn shifted(rules: &[Shift], number: u32) -> Option<u32> {
	rules.iter().find_map(|rule| rule.map(number))
}

/// The rules for users and for groups; the first that matches counts, and nothing is mapped twice.
#[derive(Clone, Copy, Debug, Default)]
pub struct Owners<'m> {
	/// `--uid-map`.
	pub uids: &'m [Shift],
	/// `--gid-map`.
	pub gids: &'m [Shift],
}

impl Owners<'_> {
	/// The same mode with the owner of this host.
	pub fn map(&self, perms: Perms) -> Perms {
		let new = |rules, old| shifted(rules, old).unwrap_or(old);
		Perms { uid: new(self.uids, perms.uid), gid: new(self.gids, perms.gid), ..perms }
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn owners_shift_once_and_by_the_first_rule() {
		let parse = |text: &str| Shift::parse(text.as_bytes());
		let rules = ["5=6", "6=7", "0-65535=100000"].map(|text| parse(text).unwrap());
		let owners = Owners { uids: &rules, gids: &[] };
		for (old, new) in [(5, 6), (6, 7), (0, 100_000), (65535, 165_535), (65536, 65536)] {
			let mapped = owners.map(Perms { mode: 0o755, uid: old, gid: old });
			assert_eq!((mapped.uid, mapped.gid, mapped.mode), (new, old, 0o755), "{old}");
		}
		for bad in ["", "5", "5=", "=5", "6-5=1", "1-2-3=4", "4294967295=0", "0=4294967295", "0-9=4294967290", "a=b"] {
			assert_eq!(parse(bad), None, "{bad}");
		}
		assert!(parse("0-4294967294=0").is_some());
	}
}
