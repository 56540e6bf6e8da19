//! An image in, crit's JSON out, key for key and byte for byte (`crit decode`, with or without `--pretty`).
//!
//! Fields that CRIU does not know are left out, as crit leaves them out.

use core::fmt::Write;

use crate::error::Fault;
use crate::image::descent::{Descent, Turn};
use crate::image::view::{Group, Hierarchy, Image, Perms, Set};
use crate::report::json::Json;

/// Writes the whole image and a newline.
#[inline(never)] // its buffers are no other report's
pub fn decode(image: &Image<'_>, pretty: bool, out: &mut dyn Write) -> Result<(), Fault> {
	let mut json = Json::new(out, pretty);
	json.object();
	json.text_of("magic", b"CGROUP");
	json.list_of("entries");
	json.object();
	json.list_if_any("sets");
	for set in image.sets() {
		write_set(&mut json, &set?)?;
	}
	json.end();
	json.list_if_any("controllers");
	for hierarchy in image.hierarchies() {
		write_hierarchy(&mut json, &hierarchy?)?;
	}
	json.end();
	json.end();
	json.end();
	json.end();
	json.finish();
	Ok(())
}

fn write_set(json: &mut Json<'_>, set: &Set<'_>) -> Result<(), Fault> {
	json.object();
	json.number_of("id", u64::from(set.id));
	json.list_if_any("ctls");
	for member in set.members() {
		let member = member?;
		json.object();
		json.text_of("name", member.name);
		json.text_of("path", member.path);
		if let Some(prefix) = member.cgns_prefix {
			json.number_of("cgns_prefix", u64::from(prefix));
		}
		json.end();
	}
	json.end();
	json.end();
	Ok(())
}

fn write_hierarchy(json: &mut Json<'_>, hierarchy: &Hierarchy<'_>) -> Result<(), Fault> {
	json.object();
	json.list_of("cnames");
	for name in hierarchy.names() {
		json.text(name?);
	}
	json.end();
	json.list_if_any("dirs");
	write_groups(json, hierarchy)?;
	json.end();
	if let Some(threaded) = hierarchy.threaded {
		json.truth_of("is_threaded", threaded);
	}
	json.end();
	Ok(())
}

fn write_groups(json: &mut Json<'_>, hierarchy: &Hierarchy<'_>) -> Result<(), Fault> {
	let mut descent = Descent::new(hierarchy);
	while let Some(turn) = descent.turn()? {
		match turn {
			Turn::Enter(group) => {
				json.object();
				json.text_of("dir_name", group.name);
				json.list_if_any("children");
			}
			Turn::Leave(group) => {
				json.end();
				write_own(json, &group)?;
				json.end();
			}
		}
	}
	Ok(())
}

fn write_own(json: &mut Json<'_>, group: &Group<'_>) -> Result<(), Fault> {
	json.list_if_any("properties");
	for property in group.properties() {
		let property = property?;
		json.object();
		json.text_of("name", property.name);
		json.text_of("value", property.value.bytes());
		write_perms(json, "perms", property.perms);
		json.end();
	}
	json.end();
	write_perms(json, "dir_perms", group.perms()?);
	Ok(())
}

fn write_perms(json: &mut Json<'_>, key: &str, perms: Option<Perms>) {
	let Some(perms) = perms else { return };
	json.key(key);
	json.object();
	write_perms_keys(json, perms);
	json.end();
}

pub(super) fn write_perms_keys(json: &mut Json<'_>, perms: Perms) {
	for (key, number) in [("mode", perms.mode), ("uid", perms.uid), ("gid", perms.gid)] {
		json.number_of(key, u64::from(number));
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	extern crate std;
	use std::string::String;

	macro_rules! corpus {
		($($name:ident: $folder:literal,)*) => {
			$(#[test]
			fn $name() {
				let image = Image::open(include_bytes!(concat!("../../tests/corpus/", $folder, "/cgroup.img"))).unwrap();
				let mut json = String::new();
				decode(&image, true, &mut json).unwrap();
				assert_eq!(json, include_str!(concat!("../../tests/corpus/", $folder, "/cgroup.json")));
			})*
		};
	}

	corpus! {
		criu_image_of_a_container_on_v1: "v1-ct",
		criu_image_of_threads_on_v1: "v1-threads",
		criu_image_of_a_slice_on_v2: "v2-web",
	}
}
