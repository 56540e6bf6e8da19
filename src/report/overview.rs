//! An image in, JSON for programs out: one object on one line, whose keys stay the same.
//!
//! | where | key | value |
//! |---|---|---|
//! | top | `layout` | `"criu"` or `"rfc"`: the field numbers of the image |
//! | | `about` | who wrote it and where; absent in an image that is not cgraft's |
//! | | `hierarchies`, `sets`, `tasks` | lists in the order of the image |
//! | `about` | `version` | of cgraft |
//! | | `release`, `boot_id`, `page_size`, `cpus`, `nodes` | of its host: page size in bytes, CPUs and nodes as `0-3,8` |
//! | hierarchy | `controllers` | list of names; `name=NAME` for a named hierarchy, one empty name for v2 |
//! | | `groups` | flat list, each group behind the one it lies in |
//! | group | `path` | from the hierarchy's root, `/` or `/a/b` |
//! | | `ancestor` | true if it lies above the groups that were dumped |
//! | | `mode`, `uid`, `gid` | of its directory, the mode as st_mode of stat(2); absent in the rfc layout |
//! | | `attributes` | list of its extended attributes, each with `name` and `value`; absent if there are none |
//! | | `properties` | object of its files by name |
//! | | `sets` | ids of the sets whose tasks are in this group |
//! | property | `value` | as the kernel prints it, without the last newline |
//! | | `mode`, `uid`, `gid` | of the file; absent where the image has none |
//! | | `default` | true if nobody has set it; false for a file that cgraft does not know |
//! | set | `id`, `members` | its number, and an object of paths by hierarchy (controllers joined by commas) |
//! | task | `pid`, `tid` | a thread's process, and itself |
//! | | `start_time`, `comm`, `set` | clock ticks since boot, command name, id of its set |
//! | | `ns_tid` | its id in its own pid namespace; absent where that is the same |
//!
//! Bytes that are not UTF-8 are written as [`super::json`] says; in a key they are escaped as `\xNN`.

use core::fmt::Write;

use heapless::String;

use super::decode::write_perms_keys;
use super::json::Json;
use super::tree::members::Members;
use super::tree::path::Path;
use crate::error::Fault;
use crate::image::descent::{Descent, Turn};
use crate::image::schema::about;
use crate::image::view::{About, Group, Hierarchy, Image, Layout, Perms, Property, Set, Task};
use crate::limits::{FILE_BYTES, LABEL_BYTES, Limit};
use crate::name::Shown;
use crate::property::value::is_default;
use crate::property::{self, Version};

/// Bytes of a key that is not UTF-8, four for each of its own.
const KEY_BYTES: usize = 4 * if FILE_BYTES > LABEL_BYTES { FILE_BYTES } else { LABEL_BYTES };

/// Writes the whole image and a newline.
#[inline(never)] // its buffers are no other report's
pub fn overview(image: &Image<'_>, out: &mut dyn Write) -> Result<(), Fault> {
	let mut json = Json::new(out, false);
	json.object();
	json.text_of("layout", if image.layout() == Layout::Rfc { b"rfc" } else { b"criu" });
	if let Some(about) = image.about()? {
		write_about(&mut json, &about)?;
	}
	write_hierarchies(&mut json, image)?;
	json.list_of("sets");
	for set in image.sets() {
		write_set(&mut json, &set?)?;
	}
	json.end();
	json.list_of("tasks");
	for task in image.tasks() {
		write_task(&mut json, &task?);
	}
	json.end();
	json.end();
	json.finish();
	Ok(())
}

fn write_about(json: &mut Json<'_>, about: &About<'_>) -> Result<(), Fault> {
	json.key("about");
	json.object();
	for (key, number) in [("version", about::VERSION), ("release", about::RELEASE), ("boot_id", about::BOOT_ID)] {
		json.text_of(key, about.text(number)?);
	}
	json.number_of("page_size", u64::from(about.page_size()?));
	for (key, number) in [("cpus", about::CPUS), ("nodes", about::NODES)] {
		json.text_of(key, about.text(number)?);
	}
	json.end();
	Ok(())
}

fn write_hierarchies(json: &mut Json<'_>, image: &Image<'_>) -> Result<(), Fault> {
	let mut members = Members::new(image);
	members.start()?;
	let mut path = Path::new();
	json.list_of("hierarchies");
	for hierarchy in image.hierarchies() {
		let hierarchy = hierarchy?;
		members.enter(&hierarchy)?;
		json.object();
		json.list_of("controllers");
		for name in hierarchy.names() {
			json.text(name?);
		}
		json.end();
		json.list_of("groups");
		write_groups(json, &hierarchy, &members, &mut path)?;
		json.end();
		json.end();
	}
	json.end();
	Ok(())
}

fn write_groups<'a>(
	json: &mut Json<'_>,
	hierarchy: &Hierarchy<'a>,
	members: &Members<'a>,
	path: &mut Path,
) -> Result<(), Fault> {
	let version = Version::of(hierarchy.is_unified());
	let mut descent = Descent::new(hierarchy);
	while let Some(turn) = descent.turn()? {
		match turn {
			Turn::Leave(_) => path.leave(),
			Turn::Enter(group) => {
				path.enter(group.name)?;
				json.object();
				write_group(json, &group, version, path.bytes())?;
				json.list_of("sets");
				members.sets_in(path.bytes(), &mut |set| {
					json.number(u64::from(set.id));
					Ok(())
				})?;
				json.end();
				json.end();
			}
		}
	}
	Ok(())
}

fn write_group(json: &mut Json<'_>, group: &Group<'_>, version: Version, path: &[u8]) -> Result<(), Fault> {
	json.text_of("path", path);
	json.truth_of("ancestor", group.is_ancestor()?);
	write_perms(json, group.perms()?);
	write_attributes(json, group)?;
	json.key("properties");
	json.object();
	for property in group.properties() {
		write_property(json, &property?, version)?;
	}
	json.end();
	Ok(())
}

fn write_attributes(json: &mut Json<'_>, group: &Group<'_>) -> Result<(), Fault> {
	json.list_if_any("attributes");
	for attribute in group.attributes() {
		let attribute = attribute?;
		json.object();
		json.text_of("name", attribute.name);
		json.text_of("value", attribute.value);
		json.end();
	}
	json.end();
	Ok(())
}

fn write_property(json: &mut Json<'_>, property: &Property<'_>, version: Version) -> Result<(), Fault> {
	let value = property.value.bytes();
	let known = property::find(version, property.name);
	key(json, property.name)?;
	json.object();
	json.text_of("value", value);
	write_perms(json, property.perms);
	json.truth_of("default", known.is_some_and(|known| is_default(known, value)));
	json.end();
	Ok(())
}

fn write_perms(json: &mut Json<'_>, perms: Option<Perms>) {
	if let Some(perms) = perms {
		write_perms_keys(json, perms);
	}
}

fn write_set(json: &mut Json<'_>, set: &Set<'_>) -> Result<(), Fault> {
	json.object();
	json.number_of("id", u64::from(set.id));
	write_members(json, set)?;
	json.end();
	Ok(())
}

/// The paths of a set by hierarchy.
pub(super) fn write_members(json: &mut Json<'_>, set: &Set<'_>) -> Result<(), Fault> {
	json.key("members");
	json.object();
	for member in set.members() {
		let member = member?;
		key(json, member.name)?;
		json.text(member.path);
	}
	json.end();
	Ok(())
}

fn write_task(json: &mut Json<'_>, task: &Task<'_>) {
	json.object();
	json.number_of("pid", u64::from(task.pid));
	json.number_of("tid", u64::from(task.tid));
	if let Some(ns_tid) = task.ns_tid {
		json.number_of("ns_tid", u64::from(ns_tid));
	}
	json.number_of("start_time", task.start_time);
	json.text_of("comm", task.comm);
	json.number_of("set", u64::from(task.set));
	json.end();
}

/// A key from the image.
fn key(json: &mut Json<'_>, name: &[u8]) -> Result<(), Fault> {
	if let Ok(name) = core::str::from_utf8(name) {
		json.key(name);
		return Ok(());
	}
	let mut shown = String::<KEY_BYTES>::new();
	let full = Fault::full(Limit::OddName, name.len());
	write!(shown, "{}", Shown(name)).map_err(|_| full)?;
	json.key(&shown);
	Ok(())
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::report::tree::sample;
	extern crate std;

	#[test]
	fn an_image_of_everything() {
		for (layout, text) in [
			(Layout::Criu, include_str!("../../tests/fixtures/show/sample.json")),
			(Layout::Rfc, include_str!("../../tests/fixtures/show/sample-rfc.json")),
		] {
			let bytes = sample::image(layout);
			let mut json = std::string::String::new();
			overview(&Image::open(&bytes).unwrap(), &mut json).unwrap();
			assert_eq!(json, text);
		}
	}
}
