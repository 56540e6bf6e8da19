//! The visitor of a dry run: what a file would show, and what would be written to it. See [`crate::act::dry`].
//!
//! A group that would be made is, as a directory, the nearest one above it that is there. Its files are those that other
//! groups of its hierarchy have: those of v1 that a group has that is there, on v2 those of controllers that would be
//! handed down. Where no group is there to look at, it has all of them.

use core::ffi::CStr;

use crate::act::dry::{Spot, spot, tell, tell_owner};
use crate::act::groups::{CONTROL, LISTS};
use crate::act::journal::file_name;
use crate::act::offered::{Controllers, changed, others_have, read_words, words_of};
use crate::act::read;
use crate::act::tour::Site;
use crate::act::work::{Pass, Work};
use crate::error::{Fault, Why, errno};
use crate::image::view::Perms;
use crate::kernel::dir::{Dir, FileSystem};
use crate::limits::FILE_BYTES;
use crate::name::Name;
use crate::plan::{self, Target};
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
	pub(super) fn is_new(&mut self, at: usize, path: &[u8]) -> Result<bool, Fault> {
		self.cursor.forget_block();
		Ok(self.journal.foreseen((at, path, NEW, b""), self.record)?.is_some())
	}

	/// Copies what would be there to the front of the value; its length.
	fn look(&mut self, at: usize, path: &[u8], kind: u8, name: &[u8]) -> Result<Option<usize>, Fault> {
		self.cursor.forget_block();
		let Some(found) = self.journal.foreseen((at, path, kind, name), self.record)? else { return Ok(None) };
		self.value.get_mut(..found.len()).unwrap_or_default().copy_from_slice(found);
		Ok(Some(found.len()))
	}

	/// Owner and mode as they would be.
	fn look_perms(&mut self, site: &Site<'_, '_>, kind: u8, file: &[u8]) -> Result<Option<Perms>, Fault> {
		self.cursor.forget_block();
		let found = self.journal.foreseen((site.at, site.path.bytes(), kind, file), self.record)?;
		Ok(found.and_then(|bytes| bytes.as_chunks().0.first_chunk()).map(|numbers| {
			let [mode, uid, gid] = numbers.map(u32::from_le_bytes);
			Perms { mode, uid, gid }
		}))
	}

	/// The group, or what stands for one that would be made.
	pub(super) fn child(&mut self, site: &Site<'_, '_>, above: &Dir, name: &Name) -> Result<Dir, Fault> {
		let path = site.path.bytes();
		if self.journal.is_dry() && self.is_new(site.at, path)? {
			return above.again();
		}
		if self.journal.is_dry() && self.is_new(site.at, parent(path))? {
			return Err(Fault::Kernel(errno::ENOENT));
		}
		above.child(name.as_c_str())
	}

	/// Tells that a group would be made.
	pub(super) fn foresee_group(&mut self, site: &Site<'_, '_>, above: &Dir, mode: u32) -> Result<(), Fault> {
		if !self.is_new(site.at, parent(site.path.bytes()))? {
			above.may_write(c".")?;
		}
		self.journal.step(format_args!("mkdir {}", spot(site, b"")));
		let perms = Perms { mode, uid: self.own.0, gid: self.own.1 };
		self.journal.foresee((site.at, site.path.bytes(), NEW, b""), bytes_of(perms).as_flattened())
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
		if !self.journal.is_dry() {
			return read::current(dir, file, known, self.value, with_perms).map(|(text, perms)| (text.len(), perms));
		}
		let (at, path, name) = (site.at, site.path.bytes(), file.to_bytes());
		let is_new = self.is_new(at, path)?;
		let mut found = Err(Fault::Kernel(errno::ENOENT));
		if !is_new {
			found = read::current(dir, file, known, self.value, true).map(|(text, perms)| (text.len(), perms));
		}
		if found.is_err_and(|fault| read::is_absent(&fault)) && self.will_be_there(site, dir, file, known, is_new)? {
			let mode = if known.write == Write::Devices { 0o444 } else { 0o644 };
			found = Ok((self.fresh(site, dir, known)?, Perms { mode, uid: self.own.0, gid: self.own.1 }));
		}
		let (len, perms) = found?;
		let perms = self.look_perms(site, PERMS, name)?.unwrap_or(perms);
		Ok((self.look(at, path, VALUE, name)?.unwrap_or(len), perms))
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
		let controller = known.controller();
		let is_handed = known.version == Version::V2 && controller != b"cgroup";
		if is_handed && !has_word(&self.controllers(site.at, site.path.bytes(), dir, is_new)?, controller) {
			return Ok(false);
		}
		if !is_new {
			// Its controller would be handed down only now.
			return Ok(is_handed && !has_word(&read_words(dir, c"cgroup.controllers")?, controller));
		}
		Ok(dir.file_system()? == FileSystem::Other || others_have(dir, file, known.version, controller))
	}

	/// The value of a file of a new group, put in front of the buffer; its length.
	fn fresh(&mut self, site: &Site<'_, '_>, dir: &Dir, known: &Property) -> Result<usize, Fault> {
		let text: &[u8] = match &known.fresh {
			Fresh::Is(text) => text.as_bytes(),
			Fresh::Unlimited if known.version == Version::V1 && known.unit != Unit::Count => b"-1",
			Fresh::Unlimited => b"max",
			Fresh::Inherited(base) => return self.inherited(site, dir, known, base.as_bytes()),
			Fresh::Empty | Fresh::Unknown => b"",
		};
		let is_list = LISTS.iter().any(|list| list.to_bytes() == known.file().as_bytes());
		if is_list
			&& known.version == Version::V1
			&& let Some(clone) = property::find(Version::V1, CLONE)
			&& let len = self.inherited(site, dir, clone, b"0")?
			&& self.value.get(..len) == Some(b"1")
		{
			return self.inherited(site, dir, known, b"");
		}
		Ok(self.put(text))
	}

	fn put(&mut self, text: &[u8]) -> usize {
		self.value.get_mut(..text.len()).unwrap_or_default().copy_from_slice(text);
		text.len()
	}

	/// What the group's parent has when it is made: values of later phases are those of the nearest one that is there.
	pub(super) fn inherited(
		&mut self,
		site: &Site<'_, '_>,
		dir: &Dir,
		known: &Property,
		base: &[u8],
	) -> Result<usize, Fault> {
		let (at, mut path) = (site.at, parent(site.path.bytes()));
		loop {
			if known.phase == Phase::Create
				&& let Some(len) = self.look(at, path, VALUE, known.file().as_bytes())?
			{
				return Ok(len);
			}
			if !self.is_new(at, path)? {
				break;
			}
			path = parent(path);
		}
		let mut name = [0; FILE_BYTES + 1];
		let file = file_name(known.file().as_bytes(), &mut name).unwrap_or(c"");
		if let Ok((text, _)) = read::current(dir, file, known, self.value, false) {
			return Ok(text.len());
		}
		Ok(self.put(base))
	}

	/// The controllers that a group of v2 would have.
	fn controllers(&mut self, at: usize, path: &[u8], dir: &Dir, is_new: bool) -> Result<Controllers, Fault> {
		if !path.is_empty()
			&& let Some(len) = self.look(at, parent(path), VALUE, CONTROL.to_bytes())?
		{
			return words_of(self.value.get(..len).unwrap_or(&[]));
		}
		match is_new {
			false => read_words(dir, c"cgroup.controllers"),
			true if self.is_new(at, parent(path))? => Ok(Controllers::new()),
			true => read_words(dir, CONTROL),
		}
	}

	/// What a group of v2 hands down, or would; the length of the text, which is in front of the buffer.
	pub(super) fn handed_down(&mut self, at: usize, path: &[u8], dir: &Dir) -> Result<usize, Fault> {
		match self.look(at, path, VALUE, CONTROL.to_bytes())? {
			Some(len) => Ok(len),
			None if self.is_new(at, path)? => Ok(0),
			None => Ok(dir.read(CONTROL, self.value)?.0),
		}
	}

	/// Tells that a group of v2, which hands down what is in front of the buffer, would hand down something else as well.
	pub(super) fn foresee_controllers(
		&mut self,
		(at, label, path): (usize, &[u8], &[u8]),
		dir: &Dir,
		(len, signs): (usize, &[u8]),
	) -> Result<(), Fault> {
		let enabled = words_of(self.value.get(..len).unwrap_or(&[]))?;
		let is_new = self.is_new(at, path)?;
		let offered = self.controllers(at, path, dir, is_new)?;
		may_write(dir, is_new, CONTROL)?;
		let Some(after) = changed(&enabled, signs, &offered)? else { return Err(Fault::Kernel(errno::ENOENT)) };
		tell(&self.journal, "write", &Spot(label, path, CONTROL.to_bytes()), enabled.trim_ascii_end(), signs);
		self.journal.foresee((at, path, VALUE, CONTROL.to_bytes()), &after)
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
		let is_new = self.is_new(at, path)?;
		let mut offered = Controllers::new();
		if known.write == Write::Controllers {
			let enabled = words_of(self.value.get(..len).unwrap_or(&[]))?;
			offered = self.controllers(at, path, dir, is_new)?;
			self.put(&enabled);
		}
		let journal = &mut self.journal;
		let current = self.value.get(..len).unwrap_or(&[]);
		let mut enabled = Controllers::from_slice(current).unwrap_or_default();
		let is_anew = known.write == Write::Devices && site.made && self.pass == Pass::Create;
		let result = plan::writes(known, text, if is_anew { b"a" } else { current }, &mut |target, text| {
			let file = match target {
				Target::Own => file,
				Target::Allow => c"devices.allow",
				Target::Deny => c"devices.deny",
			};
			may_write(dir, is_new, file)?;
			if known.write == Write::Controllers {
				enabled = changed(&enabled, text, &offered)?.ok_or(Fault::Kernel(errno::ENOENT))?;
			}
			tell(journal, "write", &spot(site, file.to_bytes()), current, text);
			Ok(())
		});
		let after = if known.write == Write::Controllers { &enabled } else { text };
		if result.is_ok() || known.write == Write::Controllers {
			self.journal.foresee((at, path, VALUE, file.to_bytes()), after)?;
		}
		self.counts.written += u64::from(result.is_ok());
		result
	}

	/// Tells that an owner or mode would be changed: that of a file or, without a name, of the group.
	pub(super) fn foresee_owner(
		&mut self,
		site: &Site<'_, '_>,
		file: &[u8],
		now: Perms,
		wanted: Perms,
	) -> Result<(), Fault> {
		let is_other = (now.uid, now.gid) != (wanted.uid, wanted.gid);
		if self.own.0 != 0 && (now.uid != self.own.0 || (is_other && wanted.uid != self.own.0)) {
			return Err(Fault::Unfit(Why::NotOwner));
		}
		tell_owner(&self.journal, &spot(site, file), now, wanted);
		self.journal.foresee((site.at, site.path.bytes(), PERMS, file), bytes_of(wanted).as_flattened())
	}

	/// The group's own owner and mode, as they are or would be.
	pub(super) fn own_perms(&mut self, site: &Site<'_, '_>, dir: &Dir) -> Result<Perms, Fault> {
		for kind in [PERMS, NEW] {
			if let Some(perms) = self.look_perms(site, kind, b"")? {
				return Ok(perms);
			}
		}
		Ok(dir.status()?.perms)
	}

	/// The value of an attribute, as it is or would be, put in front of the buffer.
	pub(super) fn attribute_now(
		&mut self,
		site: &Site<'_, '_>,
		dir: &Dir,
		name: &CStr,
	) -> Result<Option<usize>, Fault> {
		match self.look(site.at, site.path.bytes(), ATTRIBUTE, name.to_bytes())? {
			None if self.is_new(site.at, site.path.bytes())? => Ok(None),
			None => dir.attribute(name, self.value),
			found => Ok(found),
		}
	}

	/// Tells that an attribute would be set; what it has is in the buffer.
	pub(super) fn foresee_attribute(
		&mut self,
		site: &Site<'_, '_>,
		(name, value): (&[u8], &[u8]),
		len: Option<usize>,
	) -> Result<(), Fault> {
		let old = len.map_or(&b"none"[..], |len| self.value.get(..len).unwrap_or(&[]));
		tell(&self.journal, "attribute", &spot(site, name), old, value);
		self.counts.written += 1;
		self.journal.foresee((site.at, site.path.bytes(), ATTRIBUTE, name), value)
	}

	/// Tells that a new cpuset would get the lists of what it lies in.
	pub(super) fn foresee_lists(&mut self, site: &Site<'_, '_>, dir: &Dir) -> Result<(), Fault> {
		for list in LISTS {
			let Some(known) = property::find(Version::V1, list.to_bytes()) else { continue };
			if self.current(site, dir, list, known, false)?.0 == 0 {
				let len = self.inherited(site, dir, known, b"")?;
				let text = self.value.get(..len).unwrap_or(&[]);
				tell(&self.journal, "write", &spot(site, list.to_bytes()), b"", text);
				self.journal.foresee((site.at, site.path.bytes(), VALUE, list.to_bytes()), text)?;
			}
		}
		Ok(())
	}
}

/// The path of what a group lies in.
fn parent(path: &[u8]) -> &[u8] {
	path.iter().rposition(|byte| *byte == b'/').and_then(|at| path.get(..at)).unwrap_or(b"")
}

fn bytes_of(Perms { mode, uid, gid }: Perms) -> [[u8; 4]; 3] {
	[mode, uid, gid].map(u32::to_le_bytes)
}

fn may_write(dir: &Dir, is_new: bool, file: &CStr) -> Result<(), Fault> {
	match dir.may_write(file) {
		Err(fault) if !is_new && !read::is_absent(&fault) => Err(fault),
		_ => Ok(()),
	}
}
