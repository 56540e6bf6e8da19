//! How a restore treats groups and values: CRIU's modes of `--manage-cgroups`, and the phases.

use crate::error::{Fault, Why};

/// What may be made and written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
	/// Groups must be there; no values.
	None,
	/// Groups must be there; values are written.
	Props,
	/// Groups are made; values only in those that were made.
	Soft,
	/// Groups are made; values are written everywhere.
	#[default]
	Full,
	/// No group of the image may be there; values are written.
	Strict,
	/// Nothing is touched.
	Ignore,
}

impl Mode {
	/// CRIU's name of the mode.
	pub fn parse(text: &str) -> Option<Self> {
		MODES.iter().find(|(name, _)| *name == text).map(|(_, mode)| *mode)
	}

	/// Whether groups that are not there are made.
	pub fn makes(self) -> bool {
		matches!(self, Mode::Soft | Mode::Full | Mode::Strict)
	}

	/// Whether values are written into a group.
	pub fn writes(self, made: bool) -> bool {
		match self {
			Mode::Props | Mode::Full => true,
			Mode::Soft | Mode::Strict => made,
			Mode::None | Mode::Ignore => false,
		}
	}
}

const MODES: [(&str, Mode); 6] = [
	("none", Mode::None),
	("props", Mode::Props),
	("soft", Mode::Soft),
	("full", Mode::Full),
	("strict", Mode::Strict),
	("ignore", Mode::Ignore),
];

/// Which phases are done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phases {
	/// Groups are made, with what the kernel wants before there are tasks or children.
	pub create: bool,
	/// Tasks are moved.
	pub join: bool,
	/// All other values.
	pub limit: bool,
	/// The freezer.
	pub freeze: bool,
}

impl Phases {
	/// Everything.
	pub const ALL: Phases = Phases { create: true, join: true, limit: true, freeze: true };

	/// A list such as `create,limit`, in any order.
	pub fn parse(text: &str) -> Result<Self, Fault> {
		let mut phases = Phases::default();
		for word in text.as_bytes().split(|byte| *byte == b',') {
			let Phases { create, join, limit, freeze } = &mut phases;
			let all: [(&[u8], &mut bool); 4] =
				[(b"create", create), (b"join", join), (b"limit", limit), (b"freeze", freeze)];
			match all.into_iter().find(|(name, _)| *name == word) {
				Some((_, phase)) => *phase = true,
				None => return Err(Fault::Usage(Why::NoSuchChoice)),
			}
		}
		Ok(phases)
	}
}

/// What was done, for the line at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Counts {
	pub created: u64,
	pub found: u64,
	pub written: u64,
	pub right: u64,
	pub skipped: u64,
	pub joined: u64,
}
