//! A group of the image in, whether a group that was just made is already like it out.

use crate::act::journal::file_name;
use crate::act::tour::{Legacy, Site};
use crate::act::values::rank;
use crate::act::work::{Pass, Work};
use crate::error::Fault;
use crate::image::view::{Perms, Property as Saved};
use crate::kernel::dir::Dir;
use crate::limits::FILE_BYTES;
use crate::property::{self, Fresh, Phase, Property, value};

impl Work<'_> {
	/// Whether a file of a group that was just made has this owner and mode.
	pub(super) fn is_usual(&self, known: &Property, perms: Perms) -> bool {
		let usual = if known.write == property::Write::Devices { 0o444 } else { 0o644 };
		(perms.uid, perms.gid, perms.mode & 0o7777) == (self.own.0, self.own.1, usual)
	}

	/// Whether a group that was just made has this value, and its file this owner and mode.
	pub(super) fn is_as_made(&self, site: &Site<'_, '_>, known: &Property, saved: &Saved<'_>) -> bool {
		let is_usual = !self.knows_owner(known) || saved.perms.is_none_or(|perms| self.is_usual(known, perms));
		let text = saved.value.bytes();
		let is_fresh = match known.fresh {
			Fresh::Inherited(_) => site.legacy == Legacy::Rest && value::is_default(known, text),
			_ => value::is_fresh(known, text),
		};
		is_usual && (known.phase == Phase::Never || is_fresh)
	}

	/// What the group hands down to those that are made in it. Where the host's part of a new tree hands down something
	/// that the image does not say, no new group is trusted any more.
	pub(super) fn legacy(&mut self, site: &Site<'_, '_>, dir: &Dir) -> Result<Legacy, Fault> {
		if !site.made || !self.is_for(site) {
			return Ok(Legacy::Unknown);
		}
		let mut hint = 0;
		for saved in site.properties() {
			let saved = saved?;
			let Some((known, _)) = rank(site, &saved, &mut hint) else { continue };
			if !matches!(known.fresh, Fresh::Inherited(_)) {
				continue;
			}
			if site.legacy == Legacy::Unrest || !value::is_default(known, saved.value.bytes()) {
				return Ok(Legacy::Unrest);
			}
			let mut name = [0; FILE_BYTES + 1];
			if let (Legacy::Unknown, Pass::Create, Some(file)) =
				(site.legacy, self.pass, file_name(saved.name, &mut name))
			{
				let current = self.current(site, dir, file, known, false);
				let text = current.ok().and_then(|(len, _)| self.value.get(..len));
				self.trust &= text.is_some_and(|text| value::is_default(known, text));
			}
		}
		Ok(Legacy::Rest)
	}

	/// Whether a new group needs not be read back: one like it was read, and nothing was written to it.
	pub(super) fn is_known(&mut self, site: &Site<'_, '_>) -> Result<bool, Fault> {
		let skips = self.pass == Pass::Check && !self.read_all && site.legacy == Legacy::Rest && self.mode.writes(true);
		let Some((kind, values)) = (if skips { self.plain(site)? } else { None }) else { return Ok(false) };
		let is_known = self.read_kinds.contains(&kind);
		if is_known {
			self.seen += values;
		} else {
			self.read_kinds.rotate_right(1);
			self.read_kinds[0] = kind;
		}
		Ok(is_known)
	}

	/// Where a group that is made is at once all that the image says, with nothing below it: its kind, by hierarchy and
	/// files, and the number of its values.
	pub(super) fn plain(&self, site: &Site<'_, '_>) -> Result<Option<(u32, u64)>, Fault> {
		let is_own = |perms: Perms| (perms.uid, perms.gid) == self.own && perms.mode & 0o7700 == 0o700;
		if !self.trust || site.group.attributes().next().is_some() || !self.perms(site)?.is_none_or(is_own) {
			return Ok(None);
		}
		let (mut kind, mut values, mut hint) = (site.at as u32, 0, 0);
		for saved in site.properties() {
			let saved = self.owned(saved)?;
			let Some((known, _)) = rank(site, &saved, &mut hint) else { return Ok(None) };
			if !self.is_as_made(site, known, &saved) {
				return Ok(None);
			}
			kind = (kind ^ hint as u32).wrapping_mul(0x0100_0193);
			values += u64::from(known.phase != Phase::Never);
		}
		Ok(Some((kind, values)).filter(|_| site.group.children().next().is_none()))
	}
}
