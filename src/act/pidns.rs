//! A process in, the numbers of all processes of its pid namespace out.
//!
//! Source: the line NSpid of /proc/PID/status (proc_pid_status(5), since Linux 4.1) has a number for each pid namespace
//! that the task is in, from that of /proc inwards (pid_namespaces(7)); /proc/PID/ns/pid says which the innermost is.

use crate::act::pairs::{Pairs, insert};
use crate::error::Fault;
use crate::kernel::dir::Dir;
use crate::kernel::proc::{PidNamespace, Proc, is_gone, with_number};
use crate::limits::LIST_BYTES;
use crate::procfs::{scan, status};

/// What `--pidns` keeps.
pub struct Room {
	/// Numbers in the namespace, and those of the same processes here.
	pub(super) inside: Pairs,
	/// Processes of the image, and those that take their place.
	pub(super) pairs: Pairs,
}

impl Room {
	/// Empty ones.
	pub const fn new() -> Self {
		Room { inside: Pairs::new(), pairs: Pairs::new() }
	}
}

impl Default for Room {
	fn default() -> Self {
		Room::new()
	}
}

/// The number of a task of this list in the namespace at a depth of those of /proc, 0 for its own.
pub fn number_of(threads: &Dir, tid: u32, depth: usize, text: &mut [u8]) -> Option<u32> {
	let len = threads.read_text(&with_number(b"", tid, b"/status"), text).ok()?;
	status::ids(text.get(..len)?).nth(depth).and_then(scan::number32)
}

/// Puts the processes of the namespace into `inside`; its depth. A task whose files may not be read is in none.
pub fn find_all(
	proc: &Proc,
	pid: u32,
	list: &mut [u8; LIST_BYTES],
	text: &mut [u8],
	inside: &mut Pairs,
) -> Result<usize, Fault> {
	inside.clear();
	let process = proc.process(pid)?;
	let len = process.read_text(c"status", text)?;
	let depth = status::ids(text.get(..len).unwrap_or(&[])).count().saturating_sub(1);
	// All that /proc has are in its own one.
	let wanted = if depth == 0 { None } else { Some(PidNamespace::of(&process)?) };
	let processes = proc.list().again()?;
	while processes.list(list, &mut |name, _| match scan::number32(name) {
		Some(pid) => match add(&processes, pid, (depth, wanted.as_ref()), text, inside) {
			Err(fault) if !is_gone(&fault) => Err(fault),
			_ => Ok(()),
		},
		None => Ok(()),
	})? {}
	Ok(depth)
}

/// Adds a process if it is in the namespace, or in one below.
fn add(
	processes: &Dir,
	pid: u32,
	(depth, wanted): (usize, Option<&PidNamespace>),
	text: &mut [u8],
	inside: &mut Pairs,
) -> Result<(), Fault> {
	let Ok(len) = processes.read_text(&with_number(b"", pid, b"/status"), text) else { return Ok(()) };
	let ids = status::ids(text.get(..len).unwrap_or(&[]));
	let Some(number) = ids.clone().nth(depth).and_then(scan::number32) else { return Ok(()) };
	if let Some(wanted) = wanted {
		let task = processes.child(&with_number(b"", pid, b""))?;
		if PidNamespace::above(&task, ids.count() - 1 - depth).as_ref() != Ok(wanted) {
			return Ok(());
		}
	}
	insert(inside, (number, pid))
}
