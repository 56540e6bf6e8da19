//! Extended attributes of groups: from an open group into the image, and from the image into an open group.
//!
//! `user.*` (Linux 5.7, at most 128 and 128 KiB a group) and `trusted.*` (seen and set with CAP_SYS_ADMIN only),
//! xattr(7). Attributes that a group has and the image has not are left alone.

use core::ffi::CStr;

use crate::act::dry::would_be;
use crate::act::foresee::ATTRIBUTE;
use crate::act::journal::{Change, Record, file_name};
use crate::act::tour::Site;
use crate::act::work::{Pass, Work};
use crate::difference::What;
use crate::error::{At, Error, Fault, Why};
use crate::image::attribute::Attribute;
use crate::image::sink::Store;
use crate::image::writer::ImageWriter;
use crate::kernel::dir::Dir;
use crate::limits::{ATTRIBUTE_NAME_BYTES, ATTRIBUTE_NAMES_BYTES, VALUE_BYTES};
use crate::name::Shown;
use crate::property::Phase;
use crate::vet::is_attribute;

/// Writes the attributes of a group into its open message, sorted by name. One that vanishes meanwhile is left out.
pub fn save<S: Store>(dir: &Dir, writer: &mut ImageWriter<'_, S>, buffer: &mut [u8; VALUE_BYTES]) -> Result<(), Fault> {
	let (names, value) = buffer.split_at_mut(ATTRIBUTE_NAMES_BYTES);
	let len = dir.attributes(names)?;
	let mut last = c"";
	while let Some(name) = next(names.get(..len).unwrap_or(&[]), last) {
		if let Some(len) = dir.attribute(name, value)? {
			writer.attribute(name.to_bytes(), value.get(..len).unwrap_or(&[]))?;
		}
		last = name;
	}
	Ok(())
}

/// The first name behind `last`.
fn next<'n>(names: &'n [u8], last: &CStr) -> Option<&'n CStr> {
	let names = names.split_inclusive(|byte| *byte == 0).flat_map(CStr::from_bytes_with_nul);
	names.filter(|name| *name > last && is_attribute(name.to_bytes())).min()
}

impl Work<'_> {
	/// Sets the group's attributes that differ, or tells them; before its owner changes, who may be no other.
	pub(super) fn attributes(&mut self, site: &Site<'_, '_>, dir: &Dir) -> Result<(), Error> {
		if !self.takes(Phase::Never) {
			return Ok(());
		}
		for saved in site.group.attributes() {
			let saved = saved.at(format_args!("the image"))?;
			self.seen += 1;
			let done = self.attribute(site, dir, &saved).at(format_args!("attribute {} of {site}", Shown(saved.name)));
			done.or_else(|error| self.log.unfit(error))?;
		}
		Ok(())
	}

	fn attribute(&mut self, site: &Site<'_, '_>, dir: &Dir, saved: &Attribute<'_>) -> Result<(), Fault> {
		let mut name = [0; ATTRIBUTE_NAME_BYTES + 1];
		let name = file_name(saved.name, &mut name).ok_or(Fault::Text(Why::NameWithoutNul))?;
		let len = self.attribute_now(site, dir, name)?;
		let old = len.and_then(|len| self.value.get(..len));
		if old == Some(saved.value) {
			return Ok(());
		}
		if self.pass == Pass::Check {
			self.differ_attribute(site, saved, len);
			return Ok(());
		}
		let mark = self.journal.len();
		if !site.made {
			let change = Change::Attribute { name: saved.name, old };
			self.journal.add(&Record { hierarchy: site.at, path: site.path.bytes(), change })?; // the value is borrowed
		}
		match dir.set_attribute(name, Some(saved.value)) {
			Ok(()) => {
				self.counts.written += 1;
				let old = len.map_or(&b"none"[..], |len| self.value.get(..len).unwrap_or(&[]));
				let place = (site, saved.name);
				would_be(&mut self.journal, ("attribute", ATTRIBUTE), place, old, saved.value);
			}
			Err(fault) => {
				self.journal.drop_since(mark);
				// What is left out is counted when everything is read back.
				return if self.skip_missing { Ok(()) } else { Err(fault) };
			}
		}
		Ok(())
	}

	/// Tells how the host's value, which is in the buffer, differs.
	fn differ_attribute(&mut self, site: &Site<'_, '_>, saved: &Attribute<'_>, len: Option<usize>) {
		let mut shown = [0; 256]; // for people
		let now = len.map(|len| {
			let len = len.min(shown.len());
			shown[..len].copy_from_slice(&self.value[..len]);
			&shown[..len]
		});
		self.differ_kept(site, What::Attribute(saved.name), [Some(saved.value), now], false);
	}
}
