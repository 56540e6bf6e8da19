//! Differences in, lines for people or JSON for programs out.
//!
//! The JSON is one object on one line, whose keys stay the same. The two sides are `a` and `b` of `diff`, `image` and
//! `host` of `verify`.
//!
//! | where | key | value |
//! |---|---|---|
//! | top | `differences` | list in the order in which they are found |
//! | | `count` | how many there are |
//! | difference | `kind` | `group`, `value`, `attribute`, `owner`, `file`, `hierarchy`, `task` or `set` |
//! | | `hierarchy` | controllers joined by commas, `name=NAME`, empty for v2; absent for a set and a task that is missing |
//! | | `group` | path of the group, for a group, a value, an attribute and an owner |
//! | | `file` | name of the file, for a value, an owner and a file, or of the attribute; absent for the owner of the group's directory |
//! | | `pid`, `tid` | process and thread, for a task |
//! | | `members` | for a set: object of paths by hierarchy |
//! | | the two sides | value, `UID:GID MODE`, or path of a task's group; absent where there is none |
//! | | `only_in` | instead of them: the one side that has it |
//!
//! A `file` is one that no group of the hierarchy has on one side, and that is set on the other; it is told once.

use core::fmt::Write;

use super::Put;
use super::json::Json;
use super::overview::write_members;
use crate::difference::{Difference, Sides, What};
use crate::error::Fault;

/// Writes differences as they come.
#[allow(clippy::large_enum_variant)] // there is one of them
pub enum Report<'w> {
	/// A line for each.
	Lines(&'w mut dyn Write, &'static Sides),
	/// One JSON text.
	Json(Json<'w>, &'static Sides),
}

impl<'w> Report<'w> {
	/// Before the first one.
	pub fn new(out: &'w mut dyn Write, json: bool, sides: &'static Sides) -> Self {
		if !json {
			return Report::Lines(out, sides);
		}
		let mut json = Json::new(out, false);
		json.object();
		json.list_of("differences");
		Report::Json(json, sides)
	}

	/// One more.
	pub fn tell(&mut self, difference: &Difference<'_>) -> Result<(), Fault> {
		match self {
			Report::Lines(out, sides) => {
				out.put(format_args!("{}\n", difference.line(sides)));
				Ok(())
			}
			Report::Json(json, sides) => write(json, sides, difference),
		}
	}

	/// After the last one.
	pub fn finish(self, count: u64) {
		if let Report::Json(mut json, _) = self {
			json.end();
			json.number_of("count", count);
			json.end();
			json.finish();
		}
	}
}

fn write(json: &mut Json<'_>, sides: &Sides, difference: &Difference<'_>) -> Result<(), Fault> {
	let Difference { hierarchy, group, what, sides: texts } = difference;
	let (kind, file) = match what {
		What::Group => ("group", None),
		What::Value(file) => ("value", Some(*file)),
		What::Attribute(name) => ("attribute", Some(*name)),
		What::Owner(file) => ("owner", Some(*file).filter(|file| !file.is_empty())),
		What::File(file) => ("file", Some(*file)),
		What::Hierarchy => ("hierarchy", None),
		What::Task(..) => ("task", None),
		What::Set(_) => ("set", None),
	};
	let only = difference.only();
	json.object();
	json.text_of("kind", kind.as_bytes());
	if !matches!((what, only), (What::Set(_), _) | (What::Task(..), Some(_))) {
		json.text_of("hierarchy", hierarchy);
	}
	if matches!(what, What::Group | What::Value(_) | What::Attribute(_) | What::Owner(_)) {
		json.path_of("group", group);
	}
	if let Some(file) = file {
		json.text_of("file", file);
	}
	match what {
		What::Task(pid, tid) => {
			json.number_of("pid", u64::from(*pid));
			json.number_of("tid", u64::from(*tid));
		}
		What::Set(set) => write_members(json, set)?,
		_ => {}
	}
	if let Some(only) = only {
		json.text_of("only_in", sides.keys[only].as_bytes());
	} else {
		for (key, text) in sides.keys.iter().zip(texts) {
			match text {
				Some(path) if matches!(what, What::Task(..)) => json.path_of(key, path),
				Some(text) => json.text_of(key, text),
				None => {}
			}
		}
	}
	json.end();
	Ok(())
}
