//! An owner in, the owner that the user's rules make of it out.

use crate::image::view::Perms;
use crate::procfs::scan::{cut, number32};

/// So many numbers from `old` on become those from `new` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shift {
	old: u32,
	new: u32,
	/// The last one of them, less `old`.
	more: u32,
}

impl Shift {
	/// `OLD=NEW`, or `FIRST-LAST=NEW`; 4294967295 is no user and no group.
	pub fn parse(text: &[u8]) -> Option<Self> {
		let (old, new) = cut(text, b'=')?;
		let (first, last) = cut(old, b'-').unwrap_or((old, old));
		let (old, new, last) = (number32(first)?, number32(new)?, number32(last)?);
		let more = last.checked_sub(old)?;
		(last != u32::MAX && new.checked_add(more)? != u32::MAX).then_some(Shift { old, new, more })
	}

	fn map(&self, number: u32) -> Option<u32> {
		number.checked_sub(self.old).filter(|offset| *offset <= self.more).map(|offset| self.new + offset)
	}
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
		let new = |rules: &[Shift], old| rules.iter().find_map(|rule| rule.map(old)).unwrap_or(old);
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
