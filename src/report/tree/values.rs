//! A group's properties in, lines with the values that somebody set out, in words for people and in two columns.

use core::fmt::{self, Display, Write};

use heapless::Vec;

use crate::error::Fault;
use crate::image::view::{Group, Property};
use crate::name::Shown;
use crate::property::value::{human, is_default, same};
use crate::property::{self, Fresh, Read, Unit, Version};
use crate::report::Put;

/// Letters that the column of names has at most; a longer name pushes its value to the right.
const WIDEST: usize = 36;

type Known = Option<&'static property::Property>;

/// Whether there is something to say about a value.
fn is_worth_a_line(property: &Property<'_>, known: Known, all: bool) -> bool {
	match known {
		None => true,
		Some(known) if known.read == Read::Owner => false,
		Some(known) => all || !is_default(known, property.value.bytes()),
	}
}

/// The properties that get a line, each with the one before it.
fn worthy<'a>(
	group: &Group<'a>,
	version: Version,
	all: bool,
) -> impl Iterator<Item = Result<(Property<'a>, Known, Option<Property<'a>>), Fault>> {
	let mut before = None;
	group.properties().filter_map(move |property| {
		let property = match property {
			Err(fault) => return Some(Err(fault)),
			Ok(property) => property,
		};
		let known = property::find(version, property.name);
		let before = before.replace(property.clone());
		is_worth_a_line(&property, known, all).then_some(Ok((property, known, before)))
	})
}

/// Whether [`write`] has nothing to say.
pub fn is_empty(group: &Group<'_>, version: Version, all: bool) -> Result<bool, Fault> {
	Ok(worthy(group, version, all).next().transpose()?.is_none())
}

/// Writes a line for each value that is no default; with `all`, for each value.
pub fn write(
	group: &Group<'_>,
	version: Version,
	all: bool,
	lead: &dyn Display,
	out: &mut dyn Write,
) -> Result<(), Fault> {
	let mut widest = 0;
	for property in worthy(group, version, all) {
		widest = widest.max(letters(property?.0.name).min(WIDEST));
	}
	for property in worthy(group, version, all) {
		let (property, known, before) = property?;
		let mut rows = Rows { lead, name: Some(property.name), widest, out };
		match known {
			None => rows.row(&Shown(property.value.bytes())),
			Some(known) => write_known(&property, known, before, all, &mut rows),
		}
	}
	Ok(())
}

/// A row for each line that says something.
fn write_known(
	property: &Property<'_>,
	known: &'static property::Property,
	before: Option<Property<'_>>,
	all: bool,
	rows: &mut Rows<'_>,
) {
	let value = property.value.bytes();
	if let Some((quota, text)) = bandwidth(known, value, before) {
		return rows.row(&Human(quota, &text));
	}
	if !matches!(known.write, property::Write::Lines { .. } | property::Write::Devices | property::Write::Program) {
		return rows.row(&Human(known, value));
	}
	let lines = value.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
	for line in lines.filter(|line| all || !same(known, line, b"")) {
		rows.row(&Human(known, line));
	}
	if rows.name.is_some() {
		rows.row(&"empty");
	}
}

/// cgroup v1 has a quota in one file and its period in the file before it; both are shown as v2 has them, in one.
fn bandwidth(
	known: &property::Property,
	value: &[u8],
	before: Option<Property<'_>>,
) -> Option<(&'static property::Property, Vec<u8, 64>)> {
	let joined = property::find(Version::V2, known.twin.as_bytes()).filter(|twin| twin.unit == Unit::Bandwidth)?;
	let period = property::find(Version::V1, before.as_ref()?.name).filter(|period| period.twin == known.twin)?;
	if known.fresh != Fresh::Unlimited || period.file() == known.file() || is_default(known, value) {
		return None;
	}
	let mut text = Vec::new();
	for piece in [value, b" ", before.as_ref()?.value.bytes()] {
		text.extend_from_slice(piece).ok()?;
	}
	Some((joined, text))
}

/// A value in words.
struct Human<'v>(&'static property::Property, &'v [u8]);

impl Display for Human<'_> {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		human(self.0, self.1, f)
	}
}

/// The rows of one property; the first takes its name.
struct Rows<'w> {
	lead: &'w dyn Display,
	name: Option<&'w [u8]>,
	widest: usize,
	out: &'w mut dyn Write,
}

impl Rows<'_> {
	fn row(&mut self, value: &dyn Display) {
		let name = self.name.take().unwrap_or(b"");
		let pad = self.widest.saturating_sub(letters(name)) + 2;
		self.out.put(format_args!("{}{}{:pad$}{value}\n", self.lead, Shown(name), ""));
	}
}

/// Letters of a name as it is shown.
fn letters(name: &[u8]) -> usize {
	let mut count = Letters(0);
	let _ = write!(count, "{}", Shown(name)); // counting never fails
	count.0
}

struct Letters(usize);

impl Write for Letters {
	fn write_str(&mut self, text: &str) -> fmt::Result {
		self.0 += text.chars().count();
		Ok(())
	}
}
