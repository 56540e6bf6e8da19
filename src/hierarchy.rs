//! What a hierarchy is called: by /proc, by the image and by people.
//!
//! A label is field 2 of /proc/PID/cgroup, cgroups(7): controllers joined by commas, `name=NAME` for a named v1
//! hierarchy, empty for v2. Controllers are compared as sets of whole names, in any order.

use core::fmt;

use heapless::Vec;

use crate::error::{Fault, Why};
use crate::image::view::Hierarchy;
use crate::limits::{LABEL_BYTES, Limit};
use crate::name::Shown;
use crate::procfs::membership::{has_controller, same_controllers};
use crate::property::Version;

/// A hierarchy's label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
	text: Vec<u8, LABEL_BYTES>,
}

impl Label {
	/// From field 2 of /proc/PID/cgroup.
	pub fn new(text: &[u8]) -> Result<Self, Fault> {
		let mut label = Label { text: Vec::new() };
		label.extend(text)?;
		Ok(label)
	}

	/// That of a hierarchy of an image.
	pub fn of(hierarchy: &Hierarchy<'_>) -> Result<Self, Fault> {
		let mut label = Label::empty();
		for name in hierarchy.names() {
			label.add(name?)?;
		}
		Ok(label)
	}

	/// That of v2, until something is added.
	pub const fn empty() -> Self {
		Label { text: Vec::new() }
	}

	/// Adds one more controller or `name=NAME`.
	pub fn add(&mut self, name: &[u8]) -> Result<(), Fault> {
		if !self.text.is_empty() {
			self.extend(b",")?;
		}
		self.extend(name)
	}

	fn extend(&mut self, text: &[u8]) -> Result<(), Fault> {
		let need = self.text.len() + text.len();
		self.text.extend_from_slice(text).map_err(|_| Fault::full(Limit::Label, need))
	}

	/// As /proc and the image write it.
	pub fn bytes(&self) -> &[u8] {
		&self.text
	}

	/// Its version: only v2 has no name.
	pub fn version(&self) -> Version {
		Version::of(self.text.is_empty())
	}

	/// Its controllers, or `name=NAME`; v2 has one empty name.
	pub fn names(&self) -> impl Iterator<Item = &[u8]> {
		self.text.split(|byte| *byte == b',')
	}

	/// Whether it has the same controllers.
	pub fn is_same(&self, other: &[u8]) -> bool {
		same_controllers(&self.text, other)
	}

	/// See [`has_name`].
	pub fn has_name(&self, name: &[u8]) -> bool {
		has_name(&self.text, name)
	}

	/// Whether it has one of the controllers of another label.
	pub fn shares(&self, other: &[u8]) -> bool {
		other.split(|byte| *byte == b',').any(|name| self.has_name(name))
	}

	/// Whether a group of it can have files of this controller; the core's files are everywhere.
	pub fn takes(&self, controller: &[u8]) -> bool {
		controller == b"cgroup" || self.text.is_empty() || has_controller(&self.text, controller)
	}

	/// Whether a CTRL of the command line means it, see [`is_meant`].
	pub fn is_meant_by(&self, selector: &[u8]) -> bool {
		is_meant(&self.text, selector)
	}

	/// For messages.
	pub fn shown(&self) -> ShownLabel<'_> {
		ShownLabel(&self.text)
	}
}

/// Whether a label has this controller, or is the named hierarchy `name=NAME`; the empty name is that of v2.
pub fn has_name(label: &[u8], name: &[u8]) -> bool {
	if name.is_empty() { label.is_empty() } else { has_controller(label, name) }
}

/// Whether a CTRL of the command line is v2 as a whole: `unified`, `cgroup2` or nothing.
pub fn is_unified(selector: &[u8]) -> bool {
	matches!(selector, b"" | b"unified" | b"cgroup2")
}

/// Whether a CTRL of the command line means the hierarchy with this label: any of its controllers, `name=NAME` or NAME,
/// or v2. Several names joined by commas must all be its own.
pub fn is_meant(label: &[u8], selector: &[u8]) -> bool {
	match is_unified(selector) {
		true => label.is_empty(),
		false => selector.split(|byte| *byte == b',').all(|name| has(label, name)),
	}
}

fn has(label: &[u8], name: &[u8]) -> bool {
	let is_named = |own: &[u8]| own.strip_prefix(b"name=") == Some(name);
	!name.is_empty() && (has_controller(label, name) || label.split(|byte| *byte == b',').any(is_named))
}

/// A label for people: v2 is called `unified`.
#[derive(Clone, Copy)]
pub struct ShownLabel<'a>(pub &'a [u8]);

impl fmt::Display for ShownLabel<'_> {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		if self.0.is_empty() { f.write_str("unified") } else { write!(f, "{}", Shown(self.0)) }
	}
}

/// `[CTRL:]PATH` of the command line, taken apart; the path starts with a slash.
pub fn split_selector(text: &[u8]) -> Result<(Option<&[u8]>, &[u8]), Fault> {
	if text.starts_with(b"/") {
		return Ok((None, text));
	}
	match text.windows(2).position(|pair| pair == b":/") {
		Some(at) => Ok((Some(&text[..at]), &text[at + 1..])),
		None => Err(Fault::Usage(Why::BadSelector)),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_selector_means_whole_names_in_any_order() {
		let label = Label::new(b"cpu,cpuacct").unwrap();
		for good in [&b"cpu"[..], b"cpuacct", b"cpu,cpuacct", b"cpuacct,cpu"] {
			assert!(label.is_meant_by(good), "{good:?}");
		}
		for bad in [&b"cp"[..], b"cpus", b"cpu,memory", b"unified", b"", b"name=cpu"] {
			assert!(!label.is_meant_by(bad), "{bad:?}");
		}
	}

	#[test]
	fn a_named_hierarchy_is_not_a_controller() {
		let label = Label::new(b"name=mycpu").unwrap();
		assert!(label.is_meant_by(b"name=mycpu"));
		assert!(label.is_meant_by(b"mycpu"));
		assert!(!label.is_meant_by(b"cpu"));
		assert!(Label::new(b"").unwrap().is_meant_by(b"unified"));
	}

	#[test]
	fn selectors_of_the_command_line() {
		assert_eq!(split_selector(b"/a:/b"), Ok((None, &b"/a:/b"[..])));
		assert_eq!(split_selector(b"cpu:/a"), Ok((Some(&b"cpu"[..]), &b"/a"[..])));
		assert_eq!(split_selector(b"name=x:/"), Ok((Some(&b"name=x"[..]), &b"/"[..])));
		assert_eq!(split_selector(b":/a"), Ok((Some(&b""[..]), &b"/a"[..])));
		assert!(split_selector(b"cpu").is_err());
	}
}
