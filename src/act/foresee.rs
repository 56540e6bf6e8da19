//! The visitor of a dry run: what a file would show, and what would be written to it. See [`crate::act::dry`].
//!
//! A group that would be made is, as a directory, the nearest one above it that is there. Its files are those that other
//! groups of its hierarchy have: those of v1 that a group has that is there, on v2 those of controllers that would be
//! handed down. Where no group is there to look at, it has all of them.

use core::ffi::CStr;

use crate::act::dry::{Key, Spot, spot, tell};
use crate::act::groups::CONTROL;
use crate::act::journal::{Journal, file_name};
use crate::act::offered::{Controllers, changed, lacks, others_have, read_words, words_of};
use crate::act::read;
use crate::act::tour::Site;
use crate::act::work::Work;
use crate::error::{Fault, errno};
use crate::image::view::Perms;
use crate::kernel::dir::{Dir, FileSystem};
use crate::limits::FILE_BYTES;
use crate::name::Name;
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

	pub(super) fn foreseen(&mut self, key: Key<'_>) -> Option<&[u8]> {
		self.journal.plan.as_ref()?; // nothing is foreseen in a real run
		self.cursor.forget_block(); // which was in the same buffer
		self.journal.foreseen(key, self.record)
	}

	/// Copies what would be there to the front of the value; its length.
	pub(super) fn look(&mut self, key: Key<'_>) -> Option<usize> {
		self.journal.plan.as_ref()?;
		self.cursor.forget_block();
		let found = self.journal.foreseen(key, self.record)?;
		Some(put(self.value, found))
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
		if !self.journal.is_dry() {
			return Ok(());
		}
		if !self.is_new(site.at, parent(site.path.bytes())) {
			above.may_write(c".")?;
		}
		self.journal.step(format_args!("mkdir {}", spot(site, b"")));
		self.foresee_perms(site, NEW, b"", Perms { mode, uid: self.own.0, gid: self.own.1 });
		Ok(())
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
		if let Some(read) = self.guest.as_ref().and_then(|guest| guest.find(path, name, self.value)) {
			found = Ok(read);
		} else if !is_new {
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

	/// What a group of v2 hands down, and what it could, for a write to that file in a dry run.
	pub(super) fn handed(
		&mut self,
		site: &Site<'_, '_>,
		dir: &Dir,
		known: &Property,
		len: usize,
	) -> Result<(Controllers, Controllers), Fault> {
		if !self.journal.is_dry() || known.write != Write::Controllers {
			return Ok((Controllers::new(), Controllers::new()));
		}
		let path = site.path.bytes();
		let is_new = self.is_new(site.at, path);
		let (enabled, offered) =
			(words_of(self.value.get(..len).unwrap_or(&[]))?, self.controllers(site.at, path, dir, is_new)?);
		Ok((enabled, offered))
	}

	/// Tells that a group of v2 would hand down more.
	pub(super) fn foresee_controllers(
		&mut self,
		(at, label, path): (usize, &[u8], &[u8]),
		dir: &Dir,
		signs: &[u8],
	) -> Result<(), Fault> {
		if !self.journal.is_dry() {
			return Ok(());
		}
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
}

/// Tells a write of a dry run, unless it would be refused; `handed` is what [`Work::handed`] said, and then what is
/// handed down behind it.
pub(super) fn foresee_write(
	journal: &Journal<'_>,
	dir: &Dir,
	is_new: bool,
	(site, file): (&Site<'_, '_>, &CStr),
	(current, text): (&[u8], &[u8]),
	(enabled, offered): &mut (Controllers, Controllers),
) -> Result<(), Fault> {
	if !journal.is_dry() {
		return Ok(());
	}
	may_write(dir, is_new, file)?;
	if file == CONTROL {
		*enabled = changed(enabled, text, offered)?;
	}
	tell(journal, "write", &spot(site, file.to_bytes()), current, text);
	Ok(())
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
