//! The words the tables are written in: each takes a property and gives it back with one thing said about it.
//!
//! A property begins as: read as it is, written whole, in the limit phase, of an unknown fresh value. All of this runs
//! in the compiler.

use super::{Fresh, Host, Phase, Property, Read, Unit, Version, Write};

/// A file of cgroup v1.
pub(super) const fn v1(file: &'static str) -> Property {
	entry(Version::V1, file)
}

/// A file of cgroup v2.
pub(super) const fn v2(file: &'static str) -> Property {
	entry(Version::V2, file)
}

const fn entry(version: Version, file: &'static str) -> Property {
	Property {
		file,
		version,
		read: Read::Plain,
		write: Write::Whole,
		phase: Phase::Limit,
		fresh: Fresh::Unknown,
		unit: Unit::Text,
		host: Host::Nothing,
		criu: false,
		advisory: false,
		#[cfg(test)]
		since: "<=4.14",
		twin: "",
	}
}

// What the value is.
impl Property {
	pub(super) const fn unit(self, unit: Unit, fresh: Fresh) -> Self {
		Property { unit, fresh, ..self }
	}

	/// A most number of bytes; a fresh group has none.
	pub(super) const fn most_bytes(self) -> Self {
		self.unit(Unit::Bytes, Fresh::Unlimited)
	}

	pub(super) const fn bytes(self, fresh: &'static str) -> Self {
		self.unit(Unit::Bytes, Fresh::Is(fresh))
	}

	pub(super) const fn micros(self, fresh: &'static str) -> Self {
		self.unit(Unit::Micros, Fresh::Is(fresh))
	}

	/// A most number of things; a fresh group has none.
	pub(super) const fn most(self) -> Self {
		self.unit(Unit::Count, Fresh::Unlimited)
	}

	pub(super) const fn count(self, fresh: &'static str) -> Self {
		self.unit(Unit::Count, Fresh::Is(fresh))
	}

	pub(super) const fn weight(self, fresh: &'static str) -> Self {
		self.unit(Unit::Weight, Fresh::Is(fresh))
	}

	pub(super) const fn percent(self, fresh: &'static str) -> Self {
		self.unit(Unit::Percent, Fresh::Is(fresh))
	}

	pub(super) const fn flag(self, fresh: &'static str) -> Self {
		self.unit(Unit::Flag, Fresh::Is(fresh))
	}

	pub(super) const fn text(self, fresh: &'static str) -> Self {
		self.unit(Unit::Text, Fresh::Is(fresh))
	}

	/// mkdir copies the parent's value; the root of a fresh host has `base`.
	pub(super) const fn inherited(self, unit: Unit, base: &'static str) -> Self {
		Property { unit, fresh: Fresh::Inherited(base), ..self }
	}
}

// How it is read and written.
impl Property {
	/// A list of numbers, empty in a fresh group.
	pub(super) const fn list(self, host: Host) -> Self {
		Property { write: Write::List, unit: Unit::Numbers, fresh: Fresh::Empty, host, ..self }
	}

	/// Lines with a key each, none in a fresh group; `reset` behind the key takes a line back.
	pub(super) const fn lines(self, unit: Unit, host: Host, reset: &'static str) -> Self {
		Property { write: Write::Lines { reset }, unit, fresh: Fresh::Empty, host, ..self }
	}

	/// A line `default N` and lines for single disks.
	pub(super) const fn disk_weights(self, fresh: &'static str, reset: &'static str) -> Self {
		let lines = self.lines(Unit::Weight, Host::Disks, reset);
		Property { fresh: Fresh::Is(fresh), ..lines }
	}

	pub(super) const fn read(self, read: Read) -> Self {
		Property { read, ..self }
	}

	pub(super) const fn write(self, write: Write) -> Self {
		Property { write, ..self }
	}

	/// Kept for its owner and mode; its text is a list of tasks, not configuration.
	pub(super) const fn owner(self) -> Self {
		let never = Property { read: Read::Owner, write: Write::Nothing, phase: Phase::Never, ..self };
		never.unit(Unit::Text, Fresh::Empty)
	}

	pub(super) const fn host(self, host: Host) -> Self {
		Property { host, ..self }
	}
}

// When, where from, what else.
impl Property {
	pub(super) const fn create(self) -> Self {
		Property { phase: Phase::Create, ..self }
	}

	pub(super) const fn freeze(self) -> Self {
		Property { phase: Phase::Freeze, ..self }
	}

	pub(super) const fn criu(self) -> Self {
		Property { criu: true, ..self }
	}

	pub(super) const fn advisory(self) -> Self {
		Property { advisory: true, ..self }
	}

	#[allow(unused_variables)] // only tests and the documents they make look at it
	pub(super) const fn since(self, since: &'static str) -> Self {
		Property {
			#[cfg(test)]
			since,
			..self
		}
	}

	pub(super) const fn twin(self, twin: &'static str) -> Self {
		Property { twin, ..self }
	}
}
