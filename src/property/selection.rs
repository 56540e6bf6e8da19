//! Which files of the table are meant, one bit each.

use super::{Property, TABLE, Version, all};

/// A set of the table's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selection(u128);

const _: () = assert!(TABLE.len() <= u128::BITS as usize);

impl Selection {
	/// Every file that carries configuration.
	pub const ALL: Self = Selection(u128::MAX);
	/// No file.
	pub const NONE: Self = Selection(0);

	/// Those that CRIU saves without being asked.
	pub fn criu() -> Self {
		Selection::of(&|property| property.criu)
	}

	/// Those of which this is true.
	pub(super) fn of(is_meant: &dyn Fn(&Property) -> bool) -> Self {
		let meant = TABLE.iter().enumerate().filter(|(_, property)| is_meant(property));
		Selection(meant.fold(0, |bits, (at, _)| bits | 1 << at))
	}

	/// The file at this place of its version's part of the table.
	pub(super) fn one(version: Version, index: usize) -> Self {
		Selection(1 << place(version, index))
	}

	/// Whether the file at this place of its version's part of the table is meant.
	pub fn has(self, version: Version, index: usize) -> bool {
		self.0 >> place(version, index) & 1 == 1
	}

	/// Those of either.
	pub(super) fn with(self, other: Self) -> Self {
		Selection(self.0 | other.0)
	}

	/// Those that are not in the other one.
	pub(super) fn without(self, other: Self) -> Self {
		Selection(self.0 & !other.0)
	}
}

fn place(version: Version, index: usize) -> usize {
	match version {
		Version::V1 => index,
		Version::V2 => all(Version::V1).len() + index,
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_bit_is_a_row_of_its_version() {
		for version in [Version::V1, Version::V2] {
			for (index, property) in all(version).iter().enumerate() {
				assert!(Selection::ALL.has(version, index) && !Selection::NONE.has(version, index));
				assert_eq!(Selection::criu().has(version, index), property.criu, "{}", property.file());
				let same = |other: &Property| other == property;
				assert_eq!(Selection::of(&same), Selection::one(version, index), "{}", property.file());
				assert!(!Selection::ALL.without(Selection::one(version, index)).has(version, index));
				assert_eq!(Selection::NONE.with(Selection::one(version, index)), Selection::one(version, index));
			}
		}
	}
}
