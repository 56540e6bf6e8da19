//! An image in, a judgement out: nothing in it may lead out of a hierarchy, or write what is not configuration.
//!
//! Reads every byte once, before the host is touched. A name that could escape, a mode with setuid bits, a file that is
//! never configuration, a value with a newline where one line belongs: [`Fault::Image`]. Files that this version does
//! not know are only counted: the caller decides.

use crate::error::{Fault, Why};
use crate::image::attribute::Attribute;
use crate::image::descent::{Descent, Turn};
use crate::image::view::{Group, Hierarchy, Image, Member, Perms, Property};
use crate::limits::{ATTRIBUTE_BYTES, ATTRIBUTE_NAME_BYTES, FILE_BYTES, LABEL_BYTES, Limit, PATH_BYTES, VALUE_BYTES};
use crate::name::{check, components};
use crate::property::{self, Phase, Version, Write, value};

/// What an image holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Counts<'a> {
	pub sets: u64,
	pub tasks: u64,
	pub groups: u64,
	/// Values of files that this version does not know.
	pub unknown: u64,
	/// The first of them: its group and its file.
	pub first_unknown: Option<FileOf<'a>>,
	/// It says which groups are frozen.
	pub freezes: bool,
}

/// Judges the whole image.
pub fn vet<'a>(image: &Image<'a>) -> Result<Counts<'a>, Fault> {
	let mut counts = Counts::default();
	for set in image.sets() {
		for member in set?.members() {
			vet_member(&member?)?;
		}
		counts.sets += 1;
	}
	for task in image.tasks() {
		task?;
		counts.tasks += 1;
	}
	for disk in image.disks() {
		disk?;
	}
	if let Some(about) = image.about()? {
		about.page_size()?;
	}
	for hierarchy in image.hierarchies() {
		vet_hierarchy(&hierarchy?, &mut counts)?;
	}
	Ok(counts)
}

/// A group's name and a file of it.
pub type FileOf<'a> = (&'a [u8], &'a [u8]);

/// The first group and file of the hierarchy in which a value of the controller is set, defaults aside.
pub fn first_set<'a>(hierarchy: &Hierarchy<'a>, controller: &[u8]) -> Result<Option<FileOf<'a>>, Fault> {
	let version = Version::of(hierarchy.is_unified());
	let mut descent = Descent::new(hierarchy);
	while let Some(turn) = descent.turn()? {
		let Turn::Enter(group) = turn else { continue };
		for saved in group.properties() {
			let saved = saved?;
			let Some(known) = property::find(version, saved.name) else { continue };
			let is_set = known.phase != Phase::Never && !value::is_default(known, saved.value.bytes());
			if is_set && known.controller() == controller {
				return Ok(Some((group.name, saved.name)));
			}
		}
	}
	Ok(None)
}

fn vet_label(name: &[u8], at: usize) -> Result<(), Fault> {
	let odd = |byte: &u8| matches!(*byte, b'/' | b':' | 0..=b' ' | 0x7f);
	match name.len() < LABEL_BYTES && !name.iter().any(odd) {
		true => Ok(()),
		false => Err(Fault::image(at, Why::BadHierarchyName)),
	}
}

fn vet_member(member: &Member<'_>) -> Result<(), Fault> {
	vet_label(member.name, member.at)?;
	let bad = || Fault::image(member.at, Why::BadMemberPath);
	if !member.path.starts_with(b"/") || member.path.len() > PATH_BYTES {
		return Err(bad());
	}
	// It ends where a component does.
	let inner = member.path.get(member.cgns_prefix.unwrap_or(0) as usize..);
	if !matches!(inner, Some([] | [b'/', ..])) {
		return Err(Fault::image(member.at, Why::BadPrefix));
	}
	components(member.path).try_for_each(check).map_err(|_| bad())
}

fn vet_hierarchy<'a>(hierarchy: &Hierarchy<'a>, counts: &mut Counts<'a>) -> Result<(), Fault> {
	let (mut names, mut bytes, mut is_unified) = (0, 0, false);
	for name in hierarchy.names() {
		let name = name?;
		vet_label(name, hierarchy.at())?;
		// A member's name is a list of controllers, a hierarchy's is one of them.
		if name.contains(&b',') {
			return Err(Fault::image(hierarchy.at(), Why::BadHierarchyName));
		}
		names += 1;
		bytes += name.len() + 1;
		is_unified |= name.is_empty();
	}
	if bytes > LABEL_BYTES || names > 1 && is_unified {
		return Err(Fault::image(hierarchy.at(), Why::TooManyNames));
	}
	let mut descent = Descent::new(hierarchy);
	let mut sound = 0;
	while let Some(turn) = descent.turn()? {
		let Turn::Enter(group) = turn else { continue };
		vet_group_name(&group, descent.depth() == 1)?;
		counts.groups += 1;
		if sound == 0 || sound != descent.kind() {
			let unknown = counts.unknown;
			vet_group(&group)?;
			vet_attributes(&group)?;
			vet_properties(hierarchy, &group, counts)?;
			sound = if counts.unknown == unknown { descent.kind() } else { 0 };
		}
	}
	Ok(())
}

fn vet_group_name(group: &Group<'_>, head: bool) -> Result<(), Fault> {
	let bad = |_| Fault::image(group.at(), Why::BadGroupName);
	match head {
		true if group.name.starts_with(b"/") => Err(bad(Fault::NotKept)),
		true => components(group.name).try_for_each(check).map_err(bad),
		false => check(group.name).map_err(bad),
	}
}

fn vet_group(group: &Group<'_>) -> Result<(), Fault> {
	if let Some(perms) = group.perms()? {
		vet_perms(perms, DIRECTORY, group.at())?;
	}
	group.is_ancestor().map(|_| ())
}

/// Whether cgraft saves and restores extended attributes of this name: `security.*` is the host's policy, and groups
/// have no others.
pub fn is_attribute(name: &[u8]) -> bool {
	let own = name.strip_prefix(b"user.").or(name.strip_prefix(b"trusted."));
	own.is_some_and(|own| !own.is_empty() && !own.contains(&0)) && name.len() <= ATTRIBUTE_NAME_BYTES
}

/// Sorted as they are written, no name comes twice.
fn vet_attributes(group: &Group<'_>) -> Result<(), Fault> {
	let mut before: &[u8] = b"";
	for attribute in group.attributes() {
		let Attribute { name, value, at } = attribute?;
		if !is_attribute(name) || name <= before || value.len() > ATTRIBUTE_BYTES {
			return Err(Fault::image(at, Why::BadAttribute));
		}
		before = name;
	}
	Ok(())
}

fn vet_properties<'a>(hierarchy: &Hierarchy<'a>, group: &Group<'a>, counts: &mut Counts<'a>) -> Result<(), Fault> {
	let mut hint = 0;
	for property in group.properties() {
		let property = property?;
		counts.freezes |= matches!(property.name, b"freezer.state" | b"cgroup.freeze");
		if !vet_property(hierarchy, &property, &mut hint)? {
			counts.unknown += 1;
			counts.first_unknown = counts.first_unknown.or(Some((group.name, property.name)));
		}
	}
	Ok(())
}

/// Type bits of `st_mode`, inode(7).
const DIRECTORY: u32 = 0o040_000;
const REGULAR: u32 = 0o100_000;
const TYPE: u32 = 0o170_000;

/// A directory may keep its setgid and sticky bits, a file may not; neither may be setuid.
fn vet_perms(perms: Perms, kind: u32, at: usize) -> Result<(), Fault> {
	let refused = if kind == DIRECTORY { 0o4000 } else { 0o7000 };
	let known = perms.mode & TYPE == kind || perms.mode & TYPE == 0;
	match known && perms.mode & refused == 0 && perms.mode >> 16 == 0 {
		true => Ok(()),
		false => Err(Fault::image(at, Why::BadMode)),
	}
}

/// Whether owner and mode are those of a file of a group, or of the group itself.
pub fn are_perms(perms: Perms, of_file: bool) -> bool {
	vet_perms(perms, if of_file { REGULAR } else { DIRECTORY }, 0).is_ok()
}

/// Whether the text can be a value of the property.
pub fn is_value(known: &property::Property, text: &[u8]) -> bool {
	let one_line = matches!(known.write, Write::Whole | Write::List | Write::Controllers | Write::Type);
	!(text.contains(&0) || one_line && text.contains(&b'\n') || known.phase == Phase::Never && !text.is_empty())
}

/// Whether the property is known. CRIU fills the owner and mode of freezer.state with whatever was in its memory, so
/// they are not judged, and never used.
fn vet_property(hierarchy: &Hierarchy<'_>, property: &Property<'_>, hint: &mut usize) -> Result<bool, Fault> {
	let (name, text, at) = (property.name, property.value.bytes(), property.at);
	let version = Version::of(hierarchy.is_unified());
	let sound = name.len() < FILE_BYTES && name.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'/');
	if !sound || name.is_empty() || name.starts_with(b".") {
		return Err(Fault::image(at, Why::BadPropertyName));
	}
	if let (Some(perms), true) = (property.perms, name != b"freezer.state") {
		vet_perms(perms, REGULAR, at)?;
	}
	let Some(index) = property::index_after(version, name, *hint) else {
		return match property::refused(version, name) {
			Some(_) => Err(Fault::image(at, Why::NoConfiguration)),
			None => Ok(false),
		};
	};
	*hint = index + 1;
	let known = &property::all(version)[index];
	if version == Version::V1 && !belongs(hierarchy, known.controller())? {
		return Err(Fault::image(at, Why::OtherController));
	}
	if text.len() > VALUE_BYTES {
		return Err(Fault::full(Limit::Value, text.len()));
	}
	if is_value(known, text) { Ok(true) } else { Err(Fault::image(at, Why::BadValue)) }
}

fn belongs(hierarchy: &Hierarchy<'_>, controller: &[u8]) -> Result<bool, Fault> {
	if controller == b"cgroup" {
		return Ok(true);
	}
	for name in hierarchy.names() {
		if name? == controller {
			return Ok(true);
		}
	}
	Ok(false)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::image::schema::{HEADER_BYTES, MAGIC_CGROUP, MAGIC_COMMON};
	extern crate std;
	use std::vec::Vec;

	/// The judgement of an image with one hierarchy that has these names.
	fn named(names: &[&[u8]]) -> Result<u64, Fault> {
		let text = |field: u8, value: &[u8]| [&[field << 3 | 2, value.len() as u8], value].concat();
		let names: Vec<u8> = names.iter().flat_map(|name| text(1, name)).collect();
		let hierarchy = text(2, &[names, text(2, &text(1, b"a"))].concat());
		let words = [MAGIC_COMMON, MAGIC_CGROUP, hierarchy.len() as u32];
		let mut file: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
		assert_eq!(file.len(), HEADER_BYTES);
		file.extend(hierarchy);
		vet(&Image::open(&file)?).map(|counts| counts.groups)
	}

	#[test]
	fn a_namespace_begins_at_a_group() {
		let prefixed =
			|path: &'static [u8], cgns_prefix| vet_member(&Member { name: b"cpu", path, cgns_prefix, at: 0 });
		for (path, good) in [(&b"/a/b"[..], &[0, 2, 4][..]), (b"/", &[0, 1])] {
			for prefix in 0..6 {
				assert_eq!(prefixed(path, Some(prefix)).is_ok(), good.contains(&prefix), "{path:?} {prefix}");
			}
			assert_eq!(prefixed(path, None), Ok(()));
		}
		assert!(prefixed(b"/", Some(u32::MAX)).is_err());
	}

	#[test]
	fn a_name_of_a_hierarchy_is_one_controller_or_v2_alone() {
		for good in [&[&b"cpu"[..]][..], &[b"cpu", b"cpuacct"], &[b"name=x"], &[b"cpu", b"name=x"], &[b""]] {
			assert_eq!(named(good), Ok(1), "{good:?}");
		}
		// What is written again is divided at commas: another hierarchy than the one that was judged.
		for bad in [&[&b"cpu,cpuacct"[..]][..], &[b",", b"c"], &[b"cpu", b"a,b"], &[b"cpu:"], &[b"a/b"]] {
			assert!(matches!(named(bad), Err(Fault::Image(Why::BadHierarchyName, _))), "{bad:?}");
		}
		for bad in [&[&b""[..], b"cpu"][..], &[b"cpu", b""], &[b"", b""]] {
			assert!(matches!(named(bad), Err(Fault::Image(Why::TooManyNames, _))), "{bad:?}");
		}
	}
}
