//! What a dump leaves out on request: files by the user's lists, hierarchies by their names.

use core::fmt;

use crate::act::host::{Hierarchy, Host};
use crate::error::{At, Error, Fault, Why};
use crate::kernel::output::c_string;
use crate::kernel::stream::Reader;
use crate::limits::{Limit, PROPS_BYTES};
use crate::log::Log;
use crate::name::Shown;
use crate::procfs::scan::Source;
use crate::property::Selection;
use crate::property::lists::{Spot, apply};

/// The user's lists of properties, in CRIU's order: first the texts, then the files.
#[derive(Clone, Copy, Debug)]
pub struct Lists<'a> {
	/// Of `--cgroup-props`.
	pub texts: &'a [&'a [u8]],
	/// Paths of `--cgroup-props-file`.
	pub files: &'a [&'a [u8]],
}

impl Lists<'_> {
	/// What is saved of `base`, and besides. `buffer` holds one file.
	pub fn select(&self, base: Selection, buffer: &mut [u8], log: &mut dyn Log) -> Result<Selection, Error> {
		let mut selection = base;
		for text in self.texts {
			selection = one(format_args!("--cgroup-props"), text, selection, log)?;
		}
		for file in self.files {
			let source = format_args!("{}", Shown(file));
			let len = read(file, buffer).at(format_args!("read {source}"))?;
			selection = one(source, buffer.get(..len).unwrap_or(&[]), selection, log)?;
		}
		Ok(selection)
	}
}

/// One text; what is wrong with it is told with line and column.
fn one(source: fmt::Arguments<'_>, text: &[u8], base: Selection, log: &mut dyn Log) -> Result<Selection, Error> {
	let mut tell = |at: usize, file: &[u8], why: &str| {
		let spot = Spot::of(text, at);
		log.warn(format_args!("{source}: {spot}: {} is never saved: {why}", Shown(file)));
	};
	apply(text, base, &mut tell).or_else(|refused| {
		let (spot, found) = (Spot::of(text, refused.at), refused.found);
		let before = if found.is_empty() { "" } else { ": " };
		Err(Fault::Usage(refused.why)).at(format_args!("{source}: {spot}{before}{}", Shown(found)))
	})
}

/// A whole file; its length.
fn read(path: &[u8], buffer: &mut [u8]) -> Result<usize, Fault> {
	let mut reader = Reader::open(&c_string::<{ crate::limits::PATH_BYTES }>(path)?)?;
	let mut used = 0;
	loop {
		let room = buffer.get_mut(used..=PROPS_BYTES).unwrap_or(&mut []);
		if room.is_empty() {
			return Err(Fault::full(Limit::Props, used));
		}
		match reader.read(room)? {
			0 => return Ok(used),
			len => used += len,
		}
	}
}

/// Leaves of the host's hierarchies those that the names of `--cgroup-dump-controller` mean; all, without a name.
pub fn keep_named(host: &mut Host, names: &[&[u8]]) -> Result<(), Error> {
	for name in names {
		if !host.hierarchies.iter().any(|hierarchy| hierarchy.label.is_meant_by(name)) {
			return Err(Fault::Unfit(Why::NoHierarchy)).at(format_args!("--cgroup-dump-controller {}", Shown(name)));
		}
	}
	let is_named = |of: &Hierarchy| names.iter().any(|name| of.label.is_meant_by(name));
	host.hierarchies.retain(|of| names.is_empty() || is_named(of));
	Ok(())
}
