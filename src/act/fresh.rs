//! A group of the image in, whether a group that was just made is already like it out.

use crate::act::journal::file_name;
use crate::act::tour::{Legacy, Site};
use crate::act::values::rank;
use crate::act::work::{Pass, Work};
use crate::error::Fault;
use crate::image::view::{Perms, Property as Saved, Text};
use crate::kernel::dir::Dir;
use crate::limits::{FILE_BYTES, NEAR_BYTES, READ_KINDS};
use crate::property::{Fresh, Phase, Property, Read, Write, value};

/// What a group that was just made lacks of what the image says.
#[derive(Clone, Copy)]
pub struct Lack {
	/// The values of this pass that it has not by itself, by their bits.
	pub(super) needs: u64,
	/// How many values of this pass it has.
	has: u64,
	/// Values of any pass may be missing.
	is_unsure: bool,
	/// By its hierarchy, its files and what is missing.
	kind: u32,
	/// It has its attributes, its owner and its mode.
	is_owned: bool,
	/// What is missing are texts, which are written and read from the group above.
	pub(super) is_near: bool,
	/// All that is missing is in [`Work::missing`].
	is_noted: bool,
}

/// A value that groups of a kind lack.
#[derive(Clone, Copy)]
pub struct Missing<'a> {
	pub(super) known: &'static Property,
	pub(super) bit: u64,
	name: &'a [u8],
	text: &'a [u8],
}

impl<'a> Missing<'a> {
	/// Without the owner and mode of the file, which has them by itself.
	pub(super) fn saved(&self) -> Saved<'a> {
		Saved { name: self.name, value: Text::Bytes(self.text), perms: None, at: 0 }
	}
}

impl<'w> Work<'w> {
	/// Whether a file of a group that was just made has this owner and mode.
	pub(super) fn is_usual(&self, known: &Property, perms: Perms) -> bool {
		let usual = if known.write == Write::Devices { 0o444 } else { 0o644 };
		(perms.uid, perms.gid, perms.mode & 0o7777) == (self.own.0, self.own.1, usual)
	}

	/// Whether a file of a group that was just made needs no other owner and mode.
	pub(super) fn is_own_file(&self, known: &Property, saved: &Saved<'_>) -> bool {
		!self.knows_owner(known) || saved.perms.is_none_or(|perms| self.is_usual(known, perms))
	}

	/// Whether a group that was just made has this value, and its file this owner and mode.
	pub(super) fn is_as_made(&self, site: &Site<'_, '_>, known: &Property, saved: &Saved<'_>) -> bool {
		let text = saved.value.bytes();
		let is_fresh = match known.fresh {
			Fresh::Inherited(_) => site.legacy == Legacy::Rest && value::is_default(known, text),
			_ => value::is_fresh(known, text),
		};
		self.is_own_file(known, saved) && (known.phase == Phase::Never || is_fresh)
	}

	/// What the group hands down to those that are made in it. Where the host's part of a new tree hands down something
	/// that the image does not say, no new group is trusted any more.
	pub(super) fn legacy(&mut self, site: &Site<'_, '_>, dir: &Dir) -> Result<Legacy, Fault> {
		if !site.made || site.kind != 0 || !self.is_for(site) {
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

	/// What a group that this restore made lacks, where that is all that matters: nothing is below it, and neither its
	/// attributes nor its owner are to be set. What it has is counted where nothing is needed; where it is made, whether
	/// something comes later.
	pub(super) fn lack(&mut self, site: &Site<'_, 'w>) -> Result<Option<Lack>, Fault> {
		if site.kind == 0 || !self.trust || !self.mode.writes(true) {
			return Ok(None);
		}
		let mut lack = self.lacks(site)?;
		lack.is_near &= site.path.bytes().len() + FILE_BYTES < NEAR_BYTES;
		if !lack.is_owned || !self.is_read(lack.kind) {
			return Ok(None);
		}
		if lack.needs == 0 {
			self.pending |= lack.is_unsure;
			self.seen += lack.has;
		}
		Ok(Some(lack))
	}

	/// The values that are to be looked at, by their bits: of a group that this restore made those that it has not by
	/// itself; of one of each kind all are read back.
	pub(super) fn wanted(&mut self, site: &Site<'_, 'w>) -> Result<u64, Fault> {
		if !site.made || !self.trust {
			self.pending = true; // only making groups asks
			return Ok(u64::MAX);
		}
		let lack = self.lacks(site)?;
		self.pending |= lack.is_unsure;
		if !self.is_read(lack.kind) {
			self.read_kinds[lack.kind as usize % READ_KINDS] = lack.kind;
			return Ok(u64::MAX);
		}
		self.seen += lack.has;
		Ok(lack.needs)
	}

	/// Whether a group of the kind needs not be read back as a whole.
	fn is_read(&self, kind: u32) -> bool {
		self.pass != Pass::Check || (!self.read_all && self.read_kinds[kind as usize % READ_KINDS] == kind)
	}

	/// What a new group lacks; of one like the one before that is known.
	fn lacks(&mut self, site: &Site<'_, 'w>) -> Result<Lack, Fault> {
		match self.judged {
			Some((key, lack)) if site.kind != 0 && key == (site.kind, site.at, site.legacy) => return Ok(lack),
			_ => {}
		}
		let is_own = |perms: Perms| (perms.uid, perms.gid) == self.own && perms.mode & 0o7700 == 0o700;
		let is_owned = site.group.attributes().next().is_none() && self.perms(site)?.is_none_or(is_own);
		let is_near = self.nears && self.fit.is_none();
		let mut lack =
			Lack { needs: 0, has: 0, is_unsure: false, kind: site.at as u32, is_owned, is_near, is_noted: true };
		self.missing.clear();
		let (mut hint, mut before) = (0, 0);
		for saved in site.properties() {
			let mut saved = saved?;
			saved.perms = saved.perms.map(|perms| self.owners.map(perms));
			if let Some((known, bit)) = rank(site, &saved, &mut hint) {
				lack.is_near &= bit > before; // none comes twice
				before = bit;
				let has = self.is_as_made(site, known, &saved);
				lack.kind = (lack.kind ^ hint as u32 ^ if has { 0 } else { 0x100 }).wrapping_mul(0x0100_0193);
				self.add_lack(&mut lack, site, (known, bit, &saved), has);
				if lack.needs & bit != 0 {
					lack.is_noted &= self.note_missing(known, bit, &saved);
				}
			}
		}
		self.judged = Some(((site.kind, site.at, site.legacy), lack));
		Ok(lack)
	}

	/// Whether there was room for it.
	fn note_missing(&mut self, known: &'static Property, bit: u64, saved: &Saved<'w>) -> bool {
		match saved.value {
			Text::Bytes(text) => self.missing.push(Missing { known, bit, name: saved.name, text }).is_ok(),
			Text::Number(_) => false,
		}
	}

	/// Whether all that a group lacks is in [`Work::missing`]; it is not open.
	pub(super) fn knows_missing(&self, site: &Site<'_, '_>) -> bool {
		site.near && self.judged.is_some_and(|((kind, ..), lack)| kind == site.kind && lack.is_noted)
	}

	fn add_lack(
		&self,
		lack: &mut Lack,
		site: &Site<'_, '_>,
		(known, bit, saved): (&Property, u64, &Saved<'_>),
		has: bool,
	) {
		let is_taken = self.takes(known.phase);
		if has {
			lack.has += u64::from(is_taken && known.phase != Phase::Never);
			return;
		}
		// What the host's part of a new tree hands down was looked at already.
		let is_seen = site.kind == 0 && site.legacy == Legacy::Unknown && matches!(known.fresh, Fresh::Inherited(_));
		lack.is_unsure |= !(is_seen && value::is_default(known, saved.value.bytes()));
		if is_taken {
			lack.needs |= bit;
			let is_text =
				matches!(known.write, Write::Whole | Write::List | Write::Lines { .. }) && known.read == Read::Plain;
			lack.is_near &= is_text && self.is_own_file(known, saved);
		}
	}
}
