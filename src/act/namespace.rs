//! Tasks that were moved in, those that lost their cgroup namespace out.
//!
//! Where a namespace begins is fixed when a task makes it (cgroup_namespaces(7)), so a running task cannot be given one:
//! it has it still, or that is told.

use crate::act::join::Join;
use crate::act::spots::Spots;
use crate::error::{Fault, Why, errno};
use crate::image::view::{Member, Set};
use crate::kernel::proc::Proc;
use crate::log::Log;
use crate::procfs::membership::{Membership, memberships, same_controllers};
use crate::property::Version;

/// Tasks that are not in the cgroup namespace that the image says, or of which that cannot be seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
	count: u64,
	first: u32,
}

impl Lost {
	/// One line, if there are any.
	pub fn tell(&self, log: &mut dyn Log) {
		let Lost { count, first } = self;
		if *count > 0 {
			log.warn(format_args!(
				"tasks that are not in a cgroup namespace as in the image: {count}, the first is {first}; a running task cannot be given one"
			));
		}
	}
}

impl Join<'_, '_> {
	/// The membership that is worked on: this one, or that of the group in which its cgroup namespace begins.
	pub(super) fn meant<'m>(&self, member: Member<'m>) -> Member<'m> {
		let root = member.cgns_prefix.filter(|_| self.to_root).and_then(|prefix| member.path.get(..prefix as usize));
		match root {
			Some(b"") => Member { path: b"/", ..member },
			root => Member { path: root.unwrap_or(member.path), ..member },
		}
	}

	/// Looks at a task of the current set that is where it belongs.
	pub fn look_inside(&mut self, pid: u32, tid: u32) -> Result<(), Fault> {
		let Some(Spots { set, has_namespace: true, .. }) = self.set else { return Ok(()) };
		match has_namespace(&self.proc, &set, pid, tid, &mut self.buffers.text) {
			Ok(true) => return Ok(()),
			Err(fault) if !is_denied(&fault) => return Err(fault),
			_ => {}
		}
		if self.lost.count == 0 {
			self.lost.first = tid;
		}
		self.lost.count += 1;
		Ok(())
	}
}

/// Whether the task sees its groups as the image says.
fn has_namespace(proc: &Proc, set: &Set<'_>, pid: u32, tid: u32, text: &mut [u8]) -> Result<bool, Fault> {
	let dir = proc.thread(pid, tid)?;
	if !proc.is_elsewhere(&dir)? {
		return Ok(false);
	}
	let len = proc.read_from_inside(&dir, text)?;
	for member in set.members().flatten() {
		let Some(inner) = member.cgns_prefix.and_then(|prefix| member.path.get(prefix as usize..)) else { continue };
		let inner = if inner.is_empty() { b"/" } else { inner };
		let is_other = |line: Membership<'_>| same_controllers(line.controllers, member.name) && line.path != inner;
		if memberships(text.get(..len).unwrap_or(&[])).flatten().any(is_other) {
			return Ok(false);
		}
	}
	Ok(true)
}

/// Whether the kernel says that only somebody else may do it.
pub(super) fn is_denied(fault: &Fault) -> bool {
	matches!(fault, Fault::Kernel(errno::EACCES | errno::EPERM))
}

/// What the kernel's refusal of a move means.
pub(super) fn denied(version: Version, fault: Fault) -> Fault {
	let why = if version == Version::V1 { Why::MoveV1 } else { Why::MoveV2 };
	if is_denied(&fault) { Fault::Unfit(why) } else { fault }
}
