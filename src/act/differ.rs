//! What was found different in, counted and told.

use crate::act::tour::Site;
use crate::act::work::Work;
use crate::difference::{Difference, HOST, What, owner_text};
use crate::error::{Error, Fault};
use crate::image::view::{Perms, Property as Saved};
use crate::property::Property;

impl Work<'_> {
	pub(super) fn differ_perms(&mut self, file: &[u8], site: &Site<'_, '_>, wanted: Perms, now: Perms) {
		let (wanted, now) = (owner_text(wanted), owner_text(now));
		let sides = [Some(wanted.as_bytes()), Some(now.as_bytes())];
		self.seen += u64::from(self.differ_kept(site, What::Owner(file), sides, false));
	}

	pub(super) fn differ_value(
		&mut self,
		site: &Site<'_, '_>,
		known: &Property,
		saved: &Saved<'_>,
		now: Option<&[u8]>,
	) {
		self.differ_kept(site, What::Value(saved.name), [Some(saved.value.bytes()), now], known.advisory);
	}

	/// Counts a difference: as skipped, where the mode or --skip-missing leaves it alone, or as one that there may not be.
	/// Whether it was skipped.
	pub(super) fn differ_kept(
		&mut self,
		site: &Site<'_, '_>,
		what: What<'_>,
		sides: [Option<&[u8]>; 2],
		advisory: bool,
	) -> bool {
		let left_alone = !self.mode.writes(site.made);
		if !left_alone && !advisory && !self.skip_missing {
			self.differ(site, what, sides);
			return false;
		}
		self.counts.skipped += 1;
		if !left_alone {
			self.log.warn(format_args!("skipped: {}", difference(site, what, sides).line(&HOST)));
		}
		true
	}

	pub(super) fn differ(&mut self, site: &Site<'_, '_>, what: What<'_>, sides: [Option<&[u8]>; 2]) {
		self.differences += 1;
		let difference = difference(site, what, sides);
		match &mut self.tell {
			Some(tell) => tell(&difference),
			None if self.first.is_none() => {
				self.first = Some(Error::new(Fault::NotKept, format_args!("{}", difference.line(&HOST))));
			}
			None => {}
		}
	}
}

pub(super) fn difference<'d>(site: &'d Site<'_, '_>, what: What<'d>, sides: [Option<&'d [u8]>; 2]) -> Difference<'d> {
	Difference { hierarchy: site.label.bytes(), group: site.path.bytes(), what, sides }
}
