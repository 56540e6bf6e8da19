//! Saved owners and modes in, those of groups and files made the same.

use core::ffi::CStr;
use core::fmt;

use crate::act::journal::Change;
use crate::act::tour::Site;
use crate::act::work::{Pass, Work};
use crate::difference::{owner_text, same_perms};
use crate::error::{Error, Fault, Why, errno};
use crate::image::view::Perms;
use crate::kernel::dir::Dir;
use crate::property::{self, Phase, Property};

impl Work<'_> {
	/// The group's own owner and mode, as they are to be here.
	pub(super) fn perms(&self, site: &Site<'_, '_>) -> Result<Option<Perms>, Fault> {
		Ok(site.group.perms()?.map(|perms| self.owners.map(perms)))
	}

	/// CRIU fills the owner and mode of freezer.state with whatever was in its memory.
	pub(super) fn knows_owner(&self, known: &Property) -> bool {
		self.ours || known.read != property::Read::Freezer
	}

	/// Whether tasks come still: only then those who may not move any more give the files away that take them.
	pub(super) fn keeps_entrance(&self) -> bool {
		self.pass == Pass::Create && self.phases.join
	}

	/// The group's own owner and mode, after its children: whoever gives a group away may not make any more.
	pub(super) fn owner(&mut self, site: &Site<'_, '_>, dir: &Dir) -> Result<(), Fault> {
		let Some(wanted) = self.perms(site)? else { return Ok(()) };
		let is_as_made = site.made && (wanted.uid, wanted.gid) == self.own && wanted.mode & 0o7700 == 0o700;
		if !self.takes(Phase::Never) || (is_as_made && (self.trust || self.pass == Pass::Check)) {
			return Ok(());
		}
		let now = self.own_perms(site, dir)?;
		if same_perms(now, wanted) {
			return Ok(());
		}
		if self.pass == Pass::Check {
			self.differ_perms(b"", site, wanted, now);
			return Ok(());
		}
		match self.own_file(site, dir, c"", now, wanted) {
			Err(Fault::Unfit(Why::NotOwner)) if self.skip_missing => Ok(()),
			result => result,
		}
	}

	/// Owner and mode of a file or, without a name, of the group.
	pub(super) fn own_file(
		&mut self,
		site: &Site<'_, '_>,
		dir: &Dir,
		file: &CStr,
		now: Perms,
		wanted: Perms,
	) -> Result<(), Fault> {
		if same_perms(now, wanted) {
			return Ok(());
		}
		self.note_perms(site, file.to_bytes(), now)?;
		self.foresee_owner(site, file.to_bytes(), now, wanted)?;
		let owned = if file.is_empty() { dir.own_self(now, wanted) } else { dir.own(file, now, wanted) };
		owned.map_err(not_owner)
	}

	pub(super) fn note_perms(&mut self, site: &Site<'_, '_>, file: &[u8], old: Perms) -> Result<(), Fault> {
		if site.made { Ok(()) } else { self.note(site, Change::Perms { file, old }) }
	}
}

/// A refusal to change owner or mode: the kernel's number for it says too little.
pub(super) fn not_owner(fault: Fault) -> Fault {
	if fault == Fault::Kernel(errno::EPERM) { Fault::Unfit(Why::NotOwner) } else { fault }
}

pub(super) fn owner_error(
	what: fmt::Arguments<'_>,
	site: &Site<'_, '_>,
	wanted: Result<Option<Perms>, Fault>,
	fault: Fault,
) -> Error {
	let text = wanted.ok().flatten().map(owner_text).unwrap_or_default();
	Error::new(fault, format_args!("owner of {what} of {site}, {text}"))
}
