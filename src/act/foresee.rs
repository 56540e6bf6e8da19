//! The visitor of a dry run: what a file would show, and what would be written to it. See [`crate::act::dry`].
//!
//! A group that would be made is, as a directory, the nearest one above it that is there. Its files are those that other
//! groups of its hierarchy have: those of v1 that a group has that is there, on v2 those of controllers that would be
//! handed down. Where no group is there to look at, it has all of them.

use core::ffi::CStr;

use crate::act::dry::{Key, Spot, spot, tell};
use crate::act::groups::{CONTROL, LISTS};
use crate::act::journal::file_name;
use crate::act::offered::{Controllers, changed, lacks, others_have, read_words, words_of};
use crate::act::read;
use crate::act::tour::Site;
use crate::act::work::{Pass, Work};
use crate::difference::owner_text;
use crate::error::{Fault, Why, errno};
use crate::image::view::Perms;
use crate::kernel::dir::{Dir, FileSystem};
use crate::limits::FILE_BYTES;
use crate::name::Name;
use crate::plan;
use crate::property::changes::has_word;
use crate::property::{self, Fresh, Phase, Property, Unit, Version, Write};

/// Kinds of what would be changed.
pub(super) const VALUE: u8 = 0;
pub(super) const PERMS: u8 = 1;
pub(super) const ATTRIBUTE: u8 = 2;
pub(super) const NEW: u8 = 3;
pub(super) const MOVED: u8 = 4;

/// The file by which a new cpuset gets its lists from its parent.
const CLONE: &[u8] = b"cgroup.clone_children";

impl Work<'_> {
	/// Whether the group would be made.
	pub(super) fn is_new(&mut self, at: usize, path: &[u8]) -> bool {
		self.foreseen((at, path, NEW, b"")).is_some()
	}

	fn foreseen(&mut self, key: Key<'_>) -> Option<&[u8]> {
		self.cursor.forget_block(); // which was in the same buffer
		self.journal.foreseen(key, self.record)
	}

	/// Copies what would be there to the front of the value; its length.
	fn look(&mut self, key: Key<'_>) -> Option<usize> {
		self.cursor.forget_block();
		let found = self.journal.foreseen(key, self.record)?;
		Some(put(self.value, found))
	}

	/// Owner and mode as they would be.
	fn look_perms(&mut self, site: &Site<'_, '_>, kind: u8, file: &[u8]) -> Option<Perms> {
		let found = self.foreseen((site.at, site.path.bytes(), kind, file))?;
		let [mode, uid, gid] = found.as_chunks().0.first_chunk()?.map(u32::from_le_bytes);
		Some(Perms { mode, uid, gid })
	}

	/// The group, or what stands for one that would be made.
	pub(super) fn child(&mut self, site: &Site<'_, '_>, above: &Dir, name: &Name) -> Result<Dir, Fault> {
		let path = site.path.bytes();
		if self.is_new(site.at, path) {
			above.again()
		} else if self.is_new(site.at, parent(path)) {
			Err(Fault::Kernel(errno::ENOENT))
		} else {
			above.child(name.as_c_str())
		}
	}

	/// Tells that a group would be made.
	pub(super) fn foresee_group(&mut self, site: &Site<'_, '_>, above: &Dir, mode: u32) -> Result<(), Fault> {
		if !self.is_new(site.at, parent(site.path.bytes())) {
			above.may_write(c".")?;
		}
		self.journal.step(format_args!("mkdir {}", spot(site, b"")));
		self.foresee_perms(site, NEW, b"", Perms { mode, uid: self.own.0, gid: self.own.1 });
		Ok(())
	}

	fn foresee_perms(&mut self, site: &Site<'_, '_>, kind: u8, file: &[u8], Perms { mode, uid, gid }: Perms) {
		let numbers = [mode, uid, gid].map(u32::to_le_bytes);
		self.journal.foresee((site.at, site.path.bytes(), kind, file), numbers.as_flattened());
	}

	/// What a file has, or would have: the length of the value, which is in front of the buffer, and its owner and mode.
	pub(super) fn current(
		&mut self,
		site: &Site<'_, '_>,
		dir: &Dir,
		file: &CStr,
		known: &Property,
		with_perms: bool,
	) -> Result<(usize, Perms), Fault> {
		let (at, path, name) = (site.at, site.path.bytes(), file.to_bytes());
		let (is_dry, is_new) = (self.journal.is_dry(), self.is_new(at, path));
		let mut found = Err(Fault::Kernel(errno::ENOENT));
		if !is_new {
			let read = read::current(dir, file, known, self.value, with_perms || is_dry);
			found = read.map(|(text, perms)| (text.len(), perms));
		}
		if !is_dry {
			return found;
		}
		if found.is_err_and(|fault| read::is_absent(&fault)) && self.will_be_there(site, dir, file, known, is_new)? {
			let mode = if known.write == Write::Devices { 0o444 } else { 0o644 };
			found = Ok((self.fresh(site, dir, known), Perms { mode, uid: self.own.0, gid: self.own.1 }));
		}
		let (len, perms) = found?;
		let perms = self.look_perms(site, PERMS, name).unwrap_or(perms);
		Ok((self.look((at, path, VALUE, name)).unwrap_or(len), perms))
	}

	/// Whether a file that is not there would be by then.
	fn will_be_there(
		&mut self,
		site: &Site<'_, '_>,
		dir: &Dir,
		file: &CStr,
		known: &Property,
		is_new: bool,
	) -> Result<bool, Fault> {
		let (controller, is_v2) = (known.controller(), known.version == Version::V2);
		let is_handed = is_v2 && controller != b"cgroup";
		if is_handed && !has_word(&self.controllers(site.at, site.path.bytes(), dir, is_new)?, controller) {
			return Ok(false);
		}
		if !is_new {
			// Its controller would be handed down only now.
			return Ok(is_handed && lacks(dir, controller));
		}
		Ok(dir.file_system()? == FileSystem::Other || others_have(dir, file, is_v2, controller))
	}

	/// The value of a file of a new group, put in front of the buffer; its length.
	fn fresh(&mut self, site: &Site<'_, '_>, dir: &Dir, known: &Property) -> usize {
		let is_v1 = known.version == Version::V1;
		let text: &[u8] = match &known.fresh {
			Fresh::Is(text) => text.as_bytes(),
			Fresh::Unlimited if is_v1 && known.unit != Unit::Count => b"-1",
			Fresh::Unlimited => b"max",
			Fresh::Inherited(_) => return self.inherited(site, dir, known),
			Fresh::Empty | Fresh::Unknown => b"",
		};
		if is_v1
			&& known.unit == Unit::Numbers
			&& let Some(clone) = property::find(Version::V1, CLONE)
			&& let len = self.inherited(site, dir, clone)
			&& self.value.get(..len) == Some(b"1")
		{
			return self.inherited(site, dir, known);
		}
		put(self.value, text)
	}

	/// What the group's parent has when it is made: values of later phases are those of the nearest one that is there.
	pub(super) fn inherited(&mut self, site: &Site<'_, '_>, dir: &Dir, known: &Property) -> usize {
		let (at, mut path, file) = (site.at, parent(site.path.bytes()), known.file().as_bytes());
		loop {
			if known.phase == Phase::Create
				&& let Some(len) = self.look((at, path, VALUE, file))
			{
				return len;
			}
			if !self.is_new(at, path) {
				break;
			}
			path = parent(path);
		}
		let mut name = [0; FILE_BYTES + 1];
		let file = file_name(file, &mut name).unwrap_or(c"");
		if let Ok((text, _)) = read::current(dir, file, known, self.value, false) {
			return text.len();
		}
		put(self.value, if let Fresh::Inherited(base) = &known.fresh { base.as_bytes() } else { b"" })
	}

	/// The controllers that a group of v2 would have.
	fn controllers(&mut self, at: usize, path: &[u8], dir: &Dir, is_new: bool) -> Result<Controllers, Fault> {
		if !path.is_empty()
			&& let Some(found) = self.foreseen((at, parent(path), VALUE, CONTROL.to_bytes()))
		{
			return words_of(found);
		}
		match is_new {
			false => read_words(dir, c"cgroup.controllers"),
			true if self.is_new(at, parent(path)) => Ok(Controllers::new()),
			true => read_words(dir, CONTROL),
		}
	}

	/// What a group of v2 hands down, or would; the length of the text, which is in front of the buffer.
	pub(super) fn handed_down(&mut self, at: usize, path: &[u8], dir: &Dir) -> Result<usize, Fault> {
		match self.look((at, path, VALUE, CONTROL.to_bytes())) {
			Some(len) => Ok(len),
			None if self.is_new(at, path) => Ok(0),
			None => Ok(dir.read(CONTROL, self.value)?.0),
		}
	}

	/// Tells that a group of v2 would hand down something else.
	pub(super) fn foresee_controllers(
		&mut self,
		(at, label, path): (usize, &[u8], &[u8]),
		dir: &Dir,
		signs: &[u8],
	) -> Result<(), Fault> {
		let len = self.handed_down(at, path, dir)?;
		let enabled = words_of(self.value.get(..len).unwrap_or(&[]))?;
		let is_new = self.is_new(at, path);
		may_write(dir, is_new, CONTROL)?;
		let after = changed(&enabled, signs, &self.controllers(at, path, dir, is_new)?)?;
		let place = Spot(label, path, CONTROL.to_bytes());
		tell(&self.journal, "write", &place, enabled.trim_ascii_end(), signs);
		self.journal.foresee((at, path, VALUE, CONTROL.to_bytes()), &after);
		Ok(())
	}

	/// Tells the writes that would turn the current value, which is in the buffer, into this one.
	pub(super) fn foresee_value(
		&mut self,
		site: &Site<'_, '_>,
		dir: &Dir,
		file: &CStr,
		known: &Property,
		(text, len): (&[u8], usize),
	) -> Result<(), Fault> {
		let (at, path) = (site.at, site.path.bytes());
		let is_new = self.is_new(at, path);
		let current = self.value.get(..len).unwrap_or(&[]);
		if known.write == Write::Controllers {
			let enabled = words_of(current)?;
			plan::writes(known, text, &enabled, &mut |_, signs| {
				self.foresee_controllers((at, site.label.bytes(), path), dir, signs)
			})?;
		} else {
			let is_anew = known.write == Write::Devices && site.made && self.pass == Pass::Create;
			plan::writes(known, text, if is_anew { b"a" } else { current }, &mut |target, text| {
				let file = target.file(file);
				may_write(dir, is_new, file)?;
				tell(&self.journal, "write", &spot(site, file.to_bytes()), current, text);
				Ok(())
			})?;
			self.journal.foresee((at, path, VALUE, file.to_bytes()), text);
		}
		self.counts.written += 1;
		Ok(())
	}

	/// Tells that an owner or mode would be changed: that of a file or, without a name, of the group.
	pub(super) fn foresee_owner(
		&mut self,
		site: &Site<'_, '_>,
		file: &[u8],
		now: Perms,
		wanted: Perms,
	) -> Result<(), Fault> {
		let own = self.own.0;
		if own != 0 && (now.uid, wanted.uid) != (own, own) {
			return Err(Fault::Unfit(Why::NotOwner));
		}
		let (old, new) = (owner_text(now), owner_text(wanted));
		tell(&self.journal, "chown", &spot(site, file), old.as_bytes(), new.as_bytes());
		self.foresee_perms(site, PERMS, file, wanted);
		Ok(())
	}

	/// The group's own owner and mode, as they are or would be.
	pub(super) fn own_perms(&mut self, site: &Site<'_, '_>, dir: &Dir) -> Result<Perms, Fault> {
		let foreseen = self.look_perms(site, PERMS, b"").or_else(|| self.look_perms(site, NEW, b""));
		foreseen.map_or_else(|| Ok(dir.status()?.perms), Ok)
	}

	/// The value of an attribute, as it is or would be, put in front of the buffer.
	pub(super) fn attribute_now(
		&mut self,
		site: &Site<'_, '_>,
		dir: &Dir,
		name: &CStr,
	) -> Result<Option<usize>, Fault> {
		match self.look((site.at, site.path.bytes(), ATTRIBUTE, name.to_bytes())) {
			None if self.is_new(site.at, site.path.bytes()) => Ok(None),
			None => dir.attribute(name, self.value),
			found => Ok(found),
		}
	}

	/// Tells that an attribute would be set; what it has is in the buffer.
	pub(super) fn foresee_attribute(&mut self, site: &Site<'_, '_>, (name, value): (&[u8], &[u8]), len: Option<usize>) {
		let old = len.map_or(&b"none"[..], |len| self.value.get(..len).unwrap_or(&[]));
		tell(&self.journal, "attribute", &spot(site, name), old, value);
		self.journal.foresee((site.at, site.path.bytes(), ATTRIBUTE, name), value);
		self.counts.written += 1;
	}

	/// Tells that a new cpuset would get the lists of what it lies in.
	pub(super) fn foresee_lists(&mut self, site: &Site<'_, '_>, dir: &Dir) -> Result<(), Fault> {
		for list in LISTS {
			let Some(known) = property::find(Version::V1, list.to_bytes()) else { continue };
			if self.current(site, dir, list, known, false)?.0 == 0 {
				let len = self.inherited(site, dir, known);
				let text = self.value.get(..len).unwrap_or(&[]);
				tell(&self.journal, "write", &spot(site, list.to_bytes()), b"", text);
				self.journal.foresee((site.at, site.path.bytes(), VALUE, list.to_bytes()), text);
			}
		}
		Ok(())
	}
}

/// The path of what a group lies in.
fn parent(path: &[u8]) -> &[u8] {
	path.iter().rposition(|byte| *byte == b'/').and_then(|at| path.get(..at)).unwrap_or(b"")
}

fn put(value: &mut [u8], text: &[u8]) -> usize {
	value.get_mut(..text.len()).unwrap_or_default().copy_from_slice(text);
	text.len()
}

/// A new group is this process's own. Why else a file cannot be written is found out, unless it is not there.
fn may_write(dir: &Dir, is_new: bool, file: &CStr) -> Result<(), Fault> {
	match dir.may_write(file) {
		Err(fault) if !is_new && !read::is_absent(&fault) => Err(fault),
		_ => Ok(()),
	}
}
