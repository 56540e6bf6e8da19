//! The visitor of a dry run: owners and attributes, as they would be. See [`crate::act::dry`].

use core::ffi::CStr;

use crate::act::dry::{spot, tell};
use crate::act::foresee::{ATTRIBUTE, NEW, PERMS};
use crate::act::tour::Site;
use crate::act::work::Work;
use crate::difference::owner_text;
use crate::error::{Fault, Why};
use crate::image::view::Perms;
use crate::kernel::dir::Dir;

impl Work<'_> {
	/// Owner and mode as they would be.
	pub(super) fn look_perms(&mut self, site: &Site<'_, '_>, kind: u8, file: &[u8]) -> Option<Perms> {
		let found = self.foreseen((site.at, site.path.bytes(), kind, file))?;
		let [mode, uid, gid] = found.as_chunks().0.first_chunk()?.map(u32::from_le_bytes);
		Some(Perms { mode, uid, gid })
	}

	/// Writes down owner and mode.
	pub(super) fn foresee_perms(
		&mut self,
		site: &Site<'_, '_>,
		kind: u8,
		file: &[u8],
		Perms { mode, uid, gid }: Perms,
	) {
		let numbers = [mode, uid, gid].map(u32::to_le_bytes);
		self.journal.foresee((site.at, site.path.bytes(), kind, file), numbers.as_flattened());
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
		if self.journal.is_dry() && own != 0 && (now.uid, wanted.uid) != (own, own) {
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
}
