//! A task and a group in, the task in the group out, with where it was before in the journal.

use crate::act::join::{Buffers, Join};
use crate::act::journal::Journal;
use crate::act::namespace::denied;
use crate::act::roster::{self, threads_file};
use crate::act::seats::FEW;
use crate::error::{Fault, Why};
use crate::kernel::dir::Dir;
use crate::kernel::fenced::has_thread;
use crate::kernel::output::write_to;
use crate::kernel::proc::{digits, with_number};
use crate::kernel::{Handle, retry};
use crate::procfs::membership::find;
use crate::procfs::scan;
use crate::property::Version;

/// Tries of a move: after others have left a group, v2 may say EBUSY for a moment.
const TRIES: u32 = 21;
const PAUSE_MS: u32 = 1;
/// Tasks of a group that are asked whose they are, for each thread of the process that is looked for.
const ALIENS: u32 = 4;

impl Join<'_, '_> {
	/// Writes down the threads that are elsewhere than their leader: they come along when it is moved.
	pub(super) fn note_threads(&mut self, at: usize, pid: u32, journal: &mut Journal<'_>) -> Result<(), Fault> {
		let few = if self.size_of(pid) > FEW { 0 } else { FEW };
		if few == 0 && self.is_together(at, pid)? {
			return Ok(());
		}
		let (threads, host, mut count) = (self.proc.threads(pid)?, self.host, 0);
		let Buffers { text, list, old, others, .. } = &mut *self.buffers;
		while threads.list(list, &mut |name, _| {
			let Some(tid) = scan::number32(name).filter(|tid| *tid != pid) else { return Ok(()) };
			count += 1;
			if count == few {
				roster::list(host, at, old, u32::MAX, others)?;
			}
			if count >= few && others.has(tid) {
				return Ok(());
			}
			let Ok(len) = threads.read_text(&with_number(b"", tid, b"/cgroup"), text) else { return Ok(()) };
			let line = find(text.get(..len).unwrap_or(&[]), host.hierarchies[at].label.bytes())?;
			match line.map(|line| line.path.strip_prefix(b"/").unwrap_or(line.path)) {
				Some(path) if path != &old[..] => journal.add_move(at, path, tid, false),
				_ => Ok(()),
			}
		})? {}
		Ok(())
	}

	/// Reads who is in the group that is in `old`, into `others`; whether all threads of the current process are: as many
	/// as it had when it was found, and has now. To ask for each is quicker than /proc's list of them.
	fn is_together(&mut self, at: usize, pid: u32) -> Result<bool, Fault> {
		let (size, mut listed, mut its) = (self.size_of(pid), 0, 0);
		let Buffers { old, others, .. } = &mut *self.buffers;
		roster::list(self.host, at, old, u32::MAX, others)?;
		let mut next = others.from(0);
		while let Some(tid) = next.filter(|_| listed < size.saturating_mul(ALIENS)) {
			listed += 1;
			its += u32::from(has_thread(pid, tid));
			next = others.from(tid + 1);
		}
		Ok(its == size && self.threads_of(pid)? == size)
	}
}

impl Join<'_, '_> {
	/// Moves a process from the group in `old` into the one in `target`.
	pub(super) fn bring_process(&mut self, pid: u32, at: usize, journal: &mut Journal<'_>) -> Result<(), Fault> {
		self.at = at;
		self.note_threads(at, pid, journal)?;
		self.bring_alone(pid, at, journal)
	}

	/// The same where all its threads are known to be in the same group.
	pub(super) fn bring_alone(&mut self, pid: u32, at: usize, journal: &mut Journal<'_>) -> Result<(), Fault> {
		let dir = self.open_target(journal)?.ok_or(Fault::Unfit(Why::NoGroup))?;
		let version = self.host.hierarchies[at].label.version();
		let file = dir.open_file(c"cgroup.procs").map_err(|fault| denied(version, fault))?;
		move_noted(&file, version, (at, &self.buffers.old), pid, true, journal)
	}
}

/// Moves a task, or a whole process, into the group of a file that takes it, and writes down where it was.
pub(super) fn move_noted(
	file: &Handle,
	version: Version,
	(at, old): (usize, &[u8]),
	tid: u32,
	whole: bool,
	journal: &mut Journal<'_>,
) -> Result<(), Fault> {
	let mark = journal.len();
	journal.add_move(at, old, tid, whole)?;
	let moved = retry(TRIES, PAUSE_MS, &mut || write_to(file, digits(tid).to_bytes()));
	moved.inspect_err(|_| journal.drop_since(mark)).map_err(|fault| denied(version, fault))
}

/// Writes the id of a process, or of one thread, into the file that takes it.
pub fn move_task(dir: &Dir, version: Version, tid: u32, whole: bool) -> Result<(), Fault> {
	let file = if whole { c"cgroup.procs" } else { threads_file(version) };
	retry(TRIES, PAUSE_MS, &mut || dir.write(file, digits(tid).to_bytes()))
}
