//! What is found different, between two images or between an image and the host: one difference at a time, as a value
//! and as a line for people.

use core::fmt::{self, Write};

use heapless::String;

use crate::hierarchy::ShownLabel;
use crate::image::view::{Perms, Set};
use crate::name::{Shown, ShownPath};

/// What a difference is about.
#[derive(Clone, Copy, Debug)]
pub enum What<'d> {
	/// The group itself: one side does not have it.
	Group,
	/// The value of this file.
	Value(&'d [u8]),
	/// The value of this extended attribute.
	Attribute(&'d [u8]),
	/// Owner and mode of this file, of the directory if it has no name.
	Owner(&'d [u8]),
	/// This file, which no group of the hierarchy has on one side, and which is set on the other.
	File(&'d [u8]),
	/// The hierarchy: one side does not have it.
	Hierarchy,
	/// The group of a task: its process, and itself. One side may not have the task.
	Task(u32, u32),
	/// Tasks with these memberships: one side has none.
	Set(Set<'d>),
}

/// One difference.
#[derive(Clone, Copy, Debug)]
pub struct Difference<'d> {
	/// The hierarchy's controllers joined by commas, `name=NAME`, empty for v2; empty too where none is meant.
	pub hierarchy: &'d [u8],
	/// The group's path, with or without its first slash.
	pub group: &'d [u8],
	/// What differs.
	pub what: What<'d>,
	/// What each side has; none where it has nothing. A task has its group's path, with or without its first slash.
	pub sides: [Option<&'d [u8]>; 2],
}

/// Takes differences as they are found.
pub type Tell<'t> = &'t mut dyn FnMut(&Difference<'_>);

/// What the two sides are called.
#[derive(Clone, Copy, Debug)]
pub struct Sides {
	/// For people.
	pub shown: [&'static str; 2],
	/// For programs.
	pub keys: [&'static str; 2],
}

/// Two images.
pub static IMAGES: Sides = Sides { shown: ["A", "B"], keys: ["a", "b"] };
/// An image and the host.
pub static HOST: Sides = Sides { shown: ["the image", "this host"], keys: ["image", "host"] };

impl<'d> Difference<'d> {
	/// The side that has what the other one does not, where only that is told.
	pub fn only(&self) -> Option<usize> {
		match (self.what, self.sides) {
			(What::Value(_) | What::Attribute(_), _) => None,
			(_, [Some(_), None]) => Some(0),
			(_, [None, Some(_)]) => Some(1),
			_ => None,
		}
	}

	/// As a line for people.
	pub fn line(&'d self, sides: &'static Sides) -> Line<'d> {
		Line { difference: self, names: &sides.shown }
	}
}

/// Owner and mode as text: `1000:100 0640`.
pub fn owner_text(perms: Perms) -> String<40> {
	let Perms { mode, uid, gid } = perms;
	let mut text = String::new();
	let _ = write!(text, "{uid}:{gid} {:04o}", mode & 0o7777); // at most 26 bytes
	text
}

/// Whether owner and mode are the same; a mode's type is not looked at.
pub fn same_perms(one: Perms, other: Perms) -> bool {
	(one.uid, one.gid, one.mode & 0o7777) == (other.uid, other.gid, other.mode & 0o7777)
}

/// See [`Difference::line`].
#[derive(Clone, Copy)]
pub struct Line<'d> {
	difference: &'d Difference<'d>,
	names: &'static [&'static str; 2],
}

impl fmt::Display for Line<'_> {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let Difference { hierarchy, group, what, sides } = self.difference;
		let [a, b] = self.names;
		let label = ShownLabel(hierarchy);
		match what {
			What::Hierarchy | What::File(_) => write!(f, "hierarchy {label}: ")?,
			What::Task(_, tid) => write!(f, "task {tid}")?,
			What::Set(set) => show_set(set, f)?,
			_ => write!(f, "group {} of {label}: ", ShownPath(group))?,
		}
		match (what, self.difference.only()) {
			(What::File(file), Some(only)) => {
				return write!(f, "{} does not save {}", self.names[1 - only], Shown(file));
			}
			(What::Task(..) | What::Set(_), Some(only)) => return write!(f, ": only in {}", self.names[only]),
			(_, Some(only)) => return write!(f, "only in {}", self.names[only]),
			(What::Owner(b""), None) => f.write_str("owner: ")?,
			(What::Owner(file), None) => write!(f, "owner of {}: ", Shown(file))?,
			(What::Value(file), None) => write!(f, "{}: ", Shown(file))?,
			(What::Attribute(name), None) => write!(f, "attribute {}: ", Shown(name))?,
			(What::Task(..), None) => {
				let [left, right] = sides.map(|side| ShownPath(side.unwrap_or(b"")));
				return write!(f, " of {label}: {a} has {left}, {b} has {right}");
			}
			(_, None) => {}
		}
		let [left, right] = sides.map(|side| Short(side.unwrap_or(b"none")));
		write!(f, "{a} has {left}, {b} has {right}")
	}
}

/// Bytes of a value that a line for people shows.
const SHOWN_BYTES: usize = 256;

/// A value for people: of a long one the beginning, and how long it is.
struct Short<'a>(&'a [u8]);

impl fmt::Display for Short<'_> {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self.0.get(..SHOWN_BYTES) {
			Some(start) if start.len() < self.0.len() => write!(f, "{}... ({} bytes)", Shown(start), self.0.len()),
			_ => write!(f, "{}", Shown(self.0)),
		}
	}
}

/// `tasks in cpu:/a pids:/b`, without the roots of hierarchies.
fn show_set(set: &Set<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
	f.write_str("tasks in")?;
	let mut below = false;
	for member in set.members().flatten().filter(|member| member.path != b"/") {
		below = true;
		write!(f, " {}:{}", ShownLabel(member.name), ShownPath(member.path))?;
	}
	if below { Ok(()) } else { f.write_str(" /") }
}
