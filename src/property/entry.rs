//! The words the tables are written in: each takes a property and gives it back with one thing said about it.
//!
//! A property begins as: read as it is, written whole, in the limit phase, of an unknown fresh value. All of this runs
//! in the compiler.

use super::{File, Fresh, Host, Phase, Property, Read, Text, Twin, Unit, Version, Write};

/// A property while it is written down: with its own name and its twin's.
#[derive(Clone, Copy)]
pub(super) struct Row {
	pub(super) property: Property,
	pub(super) file: &'static str,
	pub(super) twin: &'static str,
}

/// A file of cgroup v1.
pub(super) const fn v1(file: &'static str) -> Row {
	entry(Version::V1, file)
}

/// A file of cgroup v2.
pub(super) const fn v2(file: &'static str) -> Row {
	entry(Version::V2, file)
}

const fn entry(version: Version, file: &'static str) -> Row {
	let property = Property {
		file: File::NONE,
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
		#[cfg(test)]
		note: "",
		twin: Twin::NONE,
	};
	Row { property, file, twin: "" }
}

impl Row {
	const fn with(self, property: Property) -> Self {
		Row { property, ..self }
	}
}

// What the value is.
impl Row {
	pub(super) const fn unit(self, unit: Unit, fresh: Fresh) -> Self {
		self.with(Property { unit, fresh, ..self.property })
	}

	/// A most number of bytes; a fresh group has none.
	pub(super) const fn most_bytes(self) -> Self {
		self.unit(Unit::Bytes, Fresh::Unlimited)
	}

	pub(super) const fn bytes(self, fresh: &'static str) -> Self {
		self.unit(Unit::Bytes, Fresh::Is(Text::of(fresh)))
	}

	pub(super) const fn micros(self, fresh: &'static str) -> Self {
		self.unit(Unit::Micros, Fresh::Is(Text::of(fresh)))
	}

	/// A most number of things; a fresh group has none.
	pub(super) const fn most(self) -> Self {
		self.unit(Unit::Count, Fresh::Unlimited)
	}

	pub(super) const fn count(self, fresh: &'static str) -> Self {
		self.unit(Unit::Count, Fresh::Is(Text::of(fresh)))
	}

	/// `QUOTA PERIOD`.
	pub(super) const fn bandwidth(self, fresh: &'static str) -> Self {
		self.unit(Unit::Bandwidth, Fresh::Is(Text::of(fresh)))
	}

	pub(super) const fn weight(self, fresh: &'static str) -> Self {
		self.unit(Unit::Weight, Fresh::Is(Text::of(fresh)))
	}

	pub(super) const fn percent(self, fresh: &'static str) -> Self {
		self.unit(Unit::Percent, Fresh::Is(Text::of(fresh)))
	}

	pub(super) const fn flag(self, fresh: &'static str) -> Self {
		self.unit(Unit::Flag, Fresh::Is(Text::of(fresh)))
	}

	pub(super) const fn text(self, fresh: &'static str) -> Self {
		self.unit(Unit::Text, Fresh::Is(Text::of(fresh)))
	}

	/// mkdir copies the parent's value; the root of a fresh host has `base`.
	pub(super) const fn inherited(self, unit: Unit, base: &'static str) -> Self {
		self.with(Property { unit, fresh: Fresh::Inherited(Text::of(base)), ..self.property })
	}
}

// How it is read and written.
impl Row {
	/// A list of numbers, empty in a fresh group.
	pub(super) const fn list(self, host: Host) -> Self {
		self.with(Property { write: Write::List, unit: Unit::Numbers, fresh: Fresh::Empty, host, ..self.property })
	}

	/// Lines with a key each, none in a fresh group; `reset` behind the key takes a line back.
	pub(super) const fn lines(self, unit: Unit, host: Host, reset: &'static str) -> Self {
		self.with(Property {
			write: Write::Lines { reset: Text::of(reset) },
			unit,
			fresh: Fresh::Empty,
			host,
			..self.property
		})
	}

	/// A line `default N` and lines for single disks.
	pub(super) const fn disk_weights(self, fresh: &'static str, reset: &'static str) -> Self {
		self.lines(Unit::Weight, Host::Disks, reset).unit(Unit::Weight, Fresh::Is(Text::of(fresh)))
	}

	pub(super) const fn read(self, read: Read) -> Self {
		self.with(Property { read, ..self.property })
	}

	pub(super) const fn write(self, write: Write) -> Self {
		self.with(Property { write, ..self.property })
	}

	/// Kept for its owner and mode; its text is a list of tasks, not configuration.
	pub(super) const fn owner(self) -> Self {
		let never =
			self.with(Property { read: Read::Owner, write: Write::Nothing, phase: Phase::Never, ..self.property });
		never.unit(Unit::Text, Fresh::Empty)
	}

	pub(super) const fn host(self, host: Host) -> Self {
		self.with(Property { host, ..self.property })
	}
}

// When, where from, what else.
impl Row {
	pub(super) const fn create(self) -> Self {
		self.with(Property { phase: Phase::Create, ..self.property })
	}

	pub(super) const fn join(self) -> Self {
		self.with(Property { phase: Phase::Join, ..self.property })
	}

	pub(super) const fn freeze(self) -> Self {
		self.with(Property { phase: Phase::Freeze, ..self.property })
	}

	pub(super) const fn criu(self) -> Self {
		self.with(Property { criu: true, ..self.property })
	}

	pub(super) const fn advisory(self) -> Self {
		self.with(Property { advisory: true, ..self.property })
	}

	#[allow(unused_variables)] // only tests and the documents they make look at it
	pub(super) const fn since(self, since: &'static str) -> Self {
		self.with(Property {
			#[cfg(test)]
			since,
			..self.property
		})
	}

	#[allow(unused_variables)] // as above
	pub(super) const fn note(self, note: &'static str) -> Self {
		self.with(Property {
			#[cfg(test)]
			note,
			..self.property
		})
	}

	pub(super) const fn twin(self, twin: &'static str) -> Self {
		Row { twin, ..self }
	}
}
