//! A process in, its groups as the places of an image's groups out: `--like`.
//!
//! Source: /proc/PID/cgroup, cgroups(7), read line by line.

use crate::act::aim::Aim;
use crate::error::{Fault, Why};
use crate::kernel::proc::{is_gone, with_number};
use crate::kernel::stream::Reader;
use crate::limits::{LABEL_BYTES, PATH_BYTES};
use crate::procfs::membership::{memberships, same_controllers};
use crate::procfs::scan::Lines;
use crate::remap;

impl Aim<'_> {
	/// Turns the groups of each hierarchy towards the group of a process. They are below a root already.
	pub(super) fn turn_like(&mut self, pid: u32) -> Result<(), Fault> {
		let file = with_number(b"/proc/", pid, b"/cgroup");
		let (reader, mut line) = (Reader::open(&file), [0; PATH_BYTES + LABEL_BYTES + 16]);
		let mut lines = Lines::new(reader.map_err(not_running)?, &mut line);
		while let Some(line) = lines.next_line().map_err(not_running)? {
			let Some(group) = memberships(line).next().transpose()? else { continue };
			let path = group.path_if_deleted().unwrap_or(group.path);
			for target in self.targets.iter_mut().filter(|_| path != b"/") {
				if same_controllers(group.controllers, self.host.hierarchies[target.at].label.bytes()) {
					if group.is_outside() {
						return Err(Fault::Unfit(Why::OutsideNamespace));
					}
					remap::target(path, &mut target.rule.new)?;
					target.rule.moves = true;
				}
			}
		}
		Ok(())
	}
}

/// What /proc says of a process that is not there.
pub(super) fn not_running(fault: Fault) -> Fault {
	if is_gone(&fault) { Fault::Unfit(Why::NotRunning) } else { fault }
}
