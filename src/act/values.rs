//! The saved values of a group in, the host's made the same, or compared.

use core::ffi::CStr;

use heapless::Vec;

use crate::act::fits::cut_list;
use crate::act::foresee::{VALUE, foresee_write};
use crate::act::fresh::Missing;
use crate::act::give::owner_error;
use crate::act::journal::{Change, Record, file_name};
use crate::act::read;
use crate::act::tour::Site;
use crate::act::work::{Pass, Work};
use crate::difference::same_perms;
use crate::error::{At, Error, Fault, Why, errno};
use crate::image::view::{Perms, Property as Saved, Text};
use crate::kernel::dir::Dir;
use crate::limits::{LIST_TEXT_BYTES, NEAR_BYTES};
use crate::name::{Shown, components};
use crate::plan::{self, Target};
use crate::property::{self, Fresh, Phase, Property, Read, Unit, Write, value};

impl Work<'_> {
	/// Goes through the values whose bits are set; the bits of those that were refused. In the last passes a value that
	/// is refused again is an error.
	pub(super) fn values(&mut self, site: &Site<'_, '_>, dir: &Dir, wanted: u64, again: bool) -> Result<u64, Error> {
		if self.knows_missing(site) {
			return self.missing_values(site, dir, wanted, again);
		}
		let (mut refused, mut hint, mut left) = (0, 0, wanted);
		for saved in site.properties() {
			if site.near && left == 0 {
				break; // no file comes twice in such a group
			}
			let mut saved = saved.at(format_args!("the image"))?;
			let Some((known, bit)) = rank(site, &saved, &mut hint) else { continue };
			if wanted & bit == 0 || !self.takes(known.phase) {
				continue;
			}
			left &= !bit;
			let mut list = Vec::<u8, LIST_TEXT_BYTES>::new();
			saved.perms = saved.perms.map(|perms| self.owners.map(perms));
			if self.fit.is_some_and(|lists| cut_list(lists, known, saved.value.bytes(), &mut list)) {
				self.tell_cut(site, &saved, &list);
				if list.is_empty() {
					continue; // it keeps what it has from its parent
				}
				saved.value = Text::Bytes(&list);
			}
			refused |= if self.is_refused((site, dir), known, &saved, again)? { bit } else { 0 };
		}
		Ok(refused)
	}

	/// The same for a group like the one before, of which is known what is missing.
	fn missing_values(&mut self, site: &Site<'_, '_>, dir: &Dir, wanted: u64, again: bool) -> Result<u64, Error> {
		let mut refused = 0;
		for index in 0..self.missing.len() {
			let Some(missing @ &Missing { known, bit, .. }) = self.missing.get(index) else { break };
			let saved = missing.saved();
			if wanted & bit != 0 && self.is_refused((site, dir), known, &saved, again)? {
				refused |= bit;
			}
		}
		Ok(refused)
	}

	/// One value; whether it was refused.
	fn is_refused(
		&mut self,
		(site, dir): (&Site<'_, '_>, &Dir),
		known: &'static Property,
		saved: &Saved<'_>,
		again: bool,
	) -> Result<bool, Error> {
		let insists = again && self.pass >= Pass::Insist && !self.skip_missing;
		match self.value(site, dir, known, saved) {
			Ok(()) => {}
			Err(fault) if self.pass == Pass::Check => {
				self.log.warn(format_args!("read {} of {site}: {fault}", Shown(saved.name)));
				self.differ_value(site, known, saved, None);
			}
			Err(fault @ Fault::Unfit(Why::NotOwner)) if insists => {
				let error = owner_error(format_args!("{}", Shown(saved.name)), site, Ok(saved.perms), fault);
				self.log.unfit(error)?;
			}
			Err(fault) if insists => {
				let (file, text) = (Shown(saved.name), Shown(saved.value.bytes()));
				self.log.unfit(Error::new(fault, format_args!("{file} of {site}, value {text}")))?;
			}
			Err(_) => return Ok(true),
		}
		Ok(false)
	}

	/// Tells that a list was cut, once: when it is read back.
	pub(super) fn tell_cut(&mut self, site: &Site<'_, '_>, saved: &Saved<'_>, list: &[u8]) {
		if self.pass != Pass::Check {
			return;
		}
		self.counts.skipped += 1;
		self.seen += u64::from(!list.is_empty());
		let (file, text) = (Shown(saved.name), Shown(saved.value.bytes()));
		let has: &[u8] = if list.is_empty() { b"none of it" } else { list };
		self.log.warn(format_args!("{file} of {site}: the image has {text}, this host has {}", Shown(has)));
	}

	/// One value and its file's owner.
	pub(super) fn value(
		&mut self,
		site: &Site<'_, '_>,
		dir: &Dir,
		known: &'static Property,
		saved: &Saved<'_>,
	) -> Result<(), Fault> {
		let mut name = [0; NEAR_BYTES];
		let file = file_of(site, saved.name, &mut name).ok_or(Fault::Text(Why::NameWithoutNul))?;
		self.seen += u64::from(known.phase != Phase::Never);
		if known.write == Write::Program {
			return self.devices(site, dir, known, saved);
		}
		let text = saved.value.bytes();
		// Who owns the files of a new group is known, unless it was changed.
		let is_known = site.made && (self.trust || self.pass == Pass::Check) && self.is_own_file(known, saved);
		let with_perms = !is_known;
		if known.phase == Phase::Never && (!with_perms || self.keeps_entrance()) {
			return Ok(());
		}
		if let (true, Some(share)) = (site.near && self.pass == Pass::Check && is_known, &mut self.share)
			&& share.takes((site, dir), file, known, text)
		{
			return Ok(());
		}
		if is_known && self.is_fresh_text(known) && self.write(site, dir, file, known, text, 0).is_ok() {
			return Ok(());
		}
		let (len, now) = match self.current(site, dir, file, known, with_perms) {
			Err(fault) if read::is_absent(&fault) => return self.absent(site, known, saved),
			result => result?,
		};
		let current = self.value.get(..len).unwrap_or(&[]);
		let now = saved.perms.filter(|_| !with_perms).unwrap_or(now);
		let same = is_right(known, text, current, self.page);
		if self.pass == Pass::Check {
			self.check(site, known, saved, (!same).then_some(len), now);
			return Ok(());
		}
		if !same {
			match self.write(site, dir, file, known, text, len) {
				Err(_) if known.advisory => {}
				result => result?,
			}
		}
		match saved.perms {
			Some(wanted) if self.knows_owner(known) => self.own_file(site, dir, file, now, wanted),
			_ => Ok(()),
		}
	}

	/// Whether a new group has the value that the table says, which is another one: it is written unread. What is refused
	/// is looked at.
	fn is_fresh_text(&self, known: &Property) -> bool {
		let is_first = self.untouched && (known.phase == Phase::Create) == (self.pass == Pass::Create);
		let is_text = known.write == Write::Whole && known.read == Read::Plain && known.unit != Unit::Numbers;
		is_first && is_text && !self.journal.is_dry() && !matches!(known.fresh, Fresh::Inherited(_) | Fresh::Unknown)
	}

	/// The file is not there: on v2 perhaps only until controllers are handed down.
	pub(super) fn absent(&mut self, site: &Site<'_, '_>, known: &Property, saved: &Saved<'_>) -> Result<(), Fault> {
		let text = saved.value.bytes();
		if value::is_default(known, text) || known.phase == Phase::Never {
			self.seen -= u64::from(known.phase != Phase::Never && self.pass == Pass::Check);
			return Ok(());
		}
		match self.pass {
			Pass::Check => {
				self.differ_value(site, known, saved, None);
				Ok(())
			}
			_ if known.advisory => Ok(()),
			_ => Err(Fault::Unfit(Why::NoFile)),
		}
	}

	/// Tells how the host's value, which is in the buffer, and the file's owner differ.
	pub(super) fn check(
		&mut self,
		site: &Site<'_, '_>,
		known: &Property,
		saved: &Saved<'_>,
		len: Option<usize>,
		now: Perms,
	) {
		if let Some(len) = len {
			let mut shown = [0; 256]; // for people
			let len = len.min(shown.len());
			shown[..len].copy_from_slice(&self.value[..len]);
			self.differ_value(site, known, saved, Some(&shown[..len]));
		}
		match saved.perms {
			Some(wanted) if self.knows_owner(known) && !same_perms(now, wanted) => {
				self.differ_perms(saved.name, site, wanted, now);
			}
			_ => {}
		}
	}

	/// Writes what turns the host's value, which is in the buffer, into the image's.
	pub(super) fn write(
		&mut self,
		site: &Site<'_, '_>,
		dir: &Dir,
		file: &CStr,
		known: &Property,
		text: &[u8],
		len: usize,
	) -> Result<(), Fault> {
		let is_new = self.is_new(site.at, site.path.bytes());
		if known.write == Write::Controllers && !site.made && self.waits_for_tasks(dir) {
			return Err(Fault::Kernel(errno::EBUSY));
		}
		let mut handed = self.handed(site, dir, known, len)?;
		let current = self.value.get(..len).unwrap_or(&[]);
		let mark = self.journal.len();
		// Controllers that are handed down hold the group's own tasks and children fast: an undo takes them back first.
		if !site.made || known.write == Write::Controllers {
			let at_once = matches!(known.write, Write::Whole | Write::List);
			let change = Change::Value { file: file.to_bytes(), old: current, new: at_once.then_some(text) };
			self.journal.add(&Record { hierarchy: site.at, path: site.path.bytes(), change })?; // the value is borrowed
		}
		// Until it has children a new group can deny everything first: its rules are then in the image's order.
		let is_anew = known.write == Write::Devices && site.made && self.pass == Pass::Create;
		let mut count = 0;
		let journal = &self.journal;
		let result = write_all(dir, file, known, text, if is_anew { b"a" } else { current }, &mut |file, text| {
			foresee_write(journal, dir, is_new, (site, file), (current, text), &mut handed)?;
			count += 1;
			Ok(())
		});
		let after = if known.write == Write::Controllers { &handed.0 } else { text };
		if result.is_ok() || count != 0 {
			self.journal.foresee((site.at, site.path.bytes(), VALUE, file.to_bytes()), after);
		}
		if count == 0 && result.is_err() {
			self.journal.drop_since(mark);
		}
		self.counts.written += u64::from(result.is_ok());
		result
	}
}

/// Whether the host's value is as the image says.
pub(super) fn is_right(known: &Property, text: &[u8], current: &[u8], page: u64) -> bool {
	value::same_in_pages(known, text, current, page) || value::is_healed(known, text, current)
}

/// A file's name, or its path from the group above.
fn file_of<'f>(site: &Site<'_, '_>, file: &[u8], buffer: &'f mut [u8]) -> Option<&'f CStr> {
	let mut len = 0;
	if site.near {
		let group = components(site.path.bytes()).last()?;
		len = group.len() + 1;
		buffer.get_mut(..group.len())?.copy_from_slice(group);
		*buffer.get_mut(group.len())? = b'/';
	}
	file_name(file, buffer.get_mut(len..)?)?;
	CStr::from_bytes_until_nul(buffer).ok()
}

/// The property of a saved value and its bit.
pub(super) fn rank(site: &Site<'_, '_>, saved: &Saved<'_>, hint: &mut usize) -> Option<(&'static Property, u64)> {
	let index = property::index_after(site.label.version(), saved.name, *hint)?;
	*hint = index + 1;
	Some((property::all(site.label.version()).get(index)?, 1 << index.min(63)))
}

/// Takes a write that was made: file and text.
pub(super) type Took<'t> = &'t mut dyn FnMut(&CStr, &[u8]) -> Result<(), Fault>;

/// Makes the writes of the plan; each that was taken is told.
pub(super) fn write_all(
	dir: &Dir,
	file: &CStr,
	known: &Property,
	text: &[u8],
	current: &[u8],
	took: Took<'_>,
) -> Result<(), Fault> {
	plan::writes(known, text, current, &mut |target, text| {
		match dir.write(target.file(file), text) {
			Err(Fault::Kernel(errno::EINVAL)) if target != Target::Own && text == b"a" => {
				return Err(Fault::Unfit(Why::ChildrenThere));
			}
			result => result?,
		}
		took(target.file(file), text)
	})
}
