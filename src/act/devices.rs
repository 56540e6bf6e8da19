//! Rules for devices on v2: saved lines in, a program attached to the open group out.
//!
//! What a program does cannot be read back, only that there is one. A group that this restore made gets one, which ends
//! with the group, so an undo needs nothing else; a group that was there before is never touched.

use crate::act::dry::would_be;
use crate::act::foresee::VALUE;
use crate::act::tour::Site;
use crate::act::work::{Pass, Work};
use crate::error::{Fault, Why, errno};
use crate::image::view::Property as Saved;
use crate::kernel::dir::Dir;
use crate::property::changes::allows_all;
use crate::property::{Property, devices};

impl Work<'_> {
	/// Attaches the program, or tells that there is none.
	pub(super) fn devices(
		&mut self,
		site: &Site<'_, '_>,
		dir: &Dir,
		known: &Property,
		saved: &Saved<'_>,
	) -> Result<(), Fault> {
		let rules = saved.value.bytes();
		if self.journal.is_dry() && site.made {
			if self.foreseen((site.at, site.path.bytes(), VALUE, saved.name)).is_none() && !allows_all(rules) {
				would_be(&mut self.journal, ("program", VALUE), (site, saved.name), b"", rules);
				self.counts.written += 1;
			}
			return Ok(());
		}
		if allows_all(rules) || dir.device_programs().map_err(reason)? != 0 {
			return Ok(());
		}
		match self.pass {
			Pass::Check if site.made || self.tell.is_some() => {
				self.differ_value(site, known, saved, Some(b"a *:* rwm"))
			}
			_ if !site.made => return Err(Fault::Unfit(Why::DevicesThere)),
			_ => {
				let (room, _) = self.value.split_first_chunk_mut().ok_or(Fault::NotKept)?;
				let len = devices::program(rules, room)?;
				dir.attach_devices(room.get(..len).unwrap_or(&[])).map_err(reason)?;
				self.counts.written += 1;
			}
		}
		Ok(())
	}
}

/// What the kernel's numbers mean for bpf(2).
fn reason(fault: Fault) -> Fault {
	match fault {
		Fault::Kernel(errno::EPERM) => Fault::Unfit(Why::MayNotBpf),
		Fault::Kernel(errno::ENOSYS | errno::EINVAL) => Fault::Unfit(Why::NoDevicePrograms),
		other => other,
	}
}
