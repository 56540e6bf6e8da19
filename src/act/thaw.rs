//! Frozen tasks in, the same at their places or where they came from out, and the frozen groups gone.
//!
//! Whoever leaves a frozen group runs at once, and may exit; then nobody knows any more whose children those are that it
//! forked since the dump. So these are written down while all are frozen, and leave before it, the youngest first.

use crate::act::follow::parent_of;
use crate::act::halt::{Halt, freezer, is_own, switch};
use crate::act::host::Host;
use crate::act::join::{Buffers, Join};
use crate::act::journal::{Change, Journal};
use crate::act::moves::move_task;
use crate::act::tasks::{Tasks, start_of};
use crate::act::undo::remove;
use crate::error::{At, Error, Fault};
use crate::kernel::dir::Dir;
use crate::kernel::proc::{unless_gone, with_number};
use crate::kernel::stream::Reader;
use crate::limits::{RECORD_BYTES, SHORT_LIST_BYTES};
use crate::name::Name;
use crate::procfs::membership::find;
use crate::procfs::scan::{Lines, number32};

/// Tries of a removal: a task leaves its group a moment after its end.
const REMOVALS: u32 = 50;
/// Looks at who is left in a group: parents leave it first.
const LOOKS: u32 = 16;

impl Join<'_, '_> {
	/// Goes to another part of the freezing: who came along in the one before has to once more, and who was at its place.
	pub fn go_to(&mut self, halt: Halt) -> Result<(), Error> {
		(self.halt, self.quiet) = (halt, None);
		self.forget();
		self.buffers.known.clear();
		if matches!(halt, Halt::Last(_)) { self.list_families().at(format_args!("--freeze")) } else { Ok(()) }
	}

	/// Lists who was forked since the dump, parents before their children.
	fn list_families(&mut self) -> Result<(), Fault> {
		let mut tasks = Tasks::new(&self.image, self.dump).map_err(|error| error.fault)?;
		while let Some(task) = tasks.read().map_err(|error| error.fault)? {
			if let Some(pid) = self.number_of(task.pid) {
				self.buffers.known.add(pid);
			}
		}
		self.buffers.late.clear();
		let mut before = None;
		while before != Some(self.buffers.late.len()) {
			before = Some(self.buffers.late.len());
			self.find_late(0)?;
			let Buffers { late, known, .. } = &mut *self.buffers;
			late.iter().for_each(|(pid, _)| known.add(*pid));
		}
		Ok(())
	}

	/// Moves who was forked below a process since the dump, and is frozen, into the group that is in `target`.
	pub(super) fn bring_family(&mut self, pid: u32, at: usize, journal: &mut Journal<'_>) -> Result<(), Fault> {
		if self.buffers.late.is_empty() {
			return Ok(());
		}
		let Buffers { late, others, .. } = &mut *self.buffers;
		others.clear();
		others.add(pid);
		for (child, parent) in late.iter() {
			if others.has(*parent) {
				others.add(*child);
			}
		}
		for index in (0..self.buffers.late.len()).rev() {
			let (child, _) = self.buffers.late[index];
			if self.buffers.others.has(child) && self.is_held(child, at) {
				unless_gone(self.is_in_target(child, at).and_then(|_| self.bring_alone(child, at, journal)))?;
			}
		}
		self.is_in_target(pid, at).map(|_| ()) // leaves its group in `old`
	}

	/// Lets all go that are still in a frozen group, of this run or of one that this one goes on with: back to where they
	/// were. Then the group goes. Records of moves into it come after that of its making, those of threads before that of
	/// their process.
	#[inline(never)]
	pub fn release(&mut self, journal: &mut Journal<'_>, record: &mut [u8; RECORD_BYTES]) -> Result<(), Fault> {
		let known = self.halt.hierarchy();
		let Some(at) = known.or_else(|| freezer(self.host).ok().filter(|_| journal.is_continued())) else {
			return Ok(());
		};
		let version = self.host.hierarchies[at].label.version();
		journal.flush()?;
		let (mut end, mut comes, mut first) = (journal.len(), false, Ok(()));
		while let Some((found, start)) = journal.before(end, record)? {
			end = start;
			let done = match found.change {
				_ if found.hierarchy != at => Ok(()),
				Change::Made if is_own(found.path) => self.dissolve(at, found.path),
				Change::Moved { tid, whole, start } if !is_own(found.path) => {
					if whole {
						comes = self.is_held(tid, at) && (!journal.is_kept() || start_of(tid)? == start);
					}
					match self.host.open(at, found.path)?.filter(|_| comes) {
						Some(dir) => move_task(&dir, version, tid, whole),
						None => Ok(()),
					}
				}
				_ => Ok(()),
			};
			first = first.and(unless_gone(done));
		}
		self.halt = Halt::No;
		first
	}

	/// Whether a process is in a frozen group.
	fn is_held(&mut self, pid: u32, at: usize) -> bool {
		group_of(self.host, at, self.proc.list(), pid, &mut self.buffers.text).is_some_and(is_own)
	}

	/// Removes a frozen group.
	fn dissolve(&mut self, at: usize, path: &[u8]) -> Result<(), Fault> {
		let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
		let (Some((base, _)), Some(dir)) = (self.host.base(at), self.host.open(at, path)?) else { return Ok(()) };
		evacuate(self.host, at, &dir, self.proc.list(), &mut self.buffers.text)?;
		remove(base, &Name::new(name)?, REMOVALS)
	}
}

/// Moves who is left in a frozen group, of whom nobody wrote down where they were, to where their parents are.
pub(super) fn evacuate(host: &Host, at: usize, dir: &Dir, processes: &Dir, text: &mut [u8]) -> Result<(), Fault> {
	for _ in 0..LOOKS {
		let (mut list, mut some) = ([0; SHORT_LIST_BYTES], false);
		let mut lines = Lines::new(Reader::below(dir, c"cgroup.procs")?, &mut list);
		while let Some(line) = lines.next_line()? {
			some = true;
			let Some(pid) = number32(line) else { continue };
			let Some(parent) = parent_of(processes, pid)? else { continue };
			let group = group_of(host, at, processes, parent, text).filter(|group| !is_own(group));
			if let Some(group) = group.map_or(Ok(None), |group| host.open(at, group))? {
				unless_gone(move_task(&group, host.hierarchies[at].label.version(), pid, true))?;
			}
		}
		if !some {
			return Ok(());
		}
	}
	switch(dir, host.hierarchies[at].label.version(), false) // let them run at least
}

/// A process's group in a hierarchy.
fn group_of<'t>(host: &Host, at: usize, processes: &Dir, pid: u32, text: &'t mut [u8]) -> Option<&'t [u8]> {
	let read = processes.read_text(&with_number(b"", pid, b"/cgroup"), text);
	let line = find(text.get(..read.ok()?)?, host.hierarchies[at].label.bytes()).ok().flatten()?;
	Some(line.path)
}
