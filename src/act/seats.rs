//! Tasks in, where they are out: for many of them not one by one.
//!
//! A task's /proc/PID/task/TID/cgroup costs several times what its move costs. So the texts of two sets are remembered,
//! as a task has them that is where it belongs, and that of where processes came from; and once many tasks had one of
//! them, the lists of its groups say who else has: `tasks` on v1, `cgroup.threads` on v2 (cgroups(7)).

use crate::act::join::{Buffers, Join};
use crate::act::numbers::Numbers;
use crate::act::roster;
use crate::act::seek::Process;
use crate::act::spots::Spots;
use crate::act::tasks::NO_SET;
use crate::error::Fault;
use crate::image::view::Task;
use crate::kernel::proc::with_number;
use crate::limits::LINE_BYTES;
use crate::procfs::membership::find;

/// Tasks that are read one by one before a list is; four times as many before the next try, and so on.
pub const FEW: u32 = 64;
/// Tasks that lists may have for each that was read: so much longer does it take to read a task's `cgroup`.
const SHARE: u32 = 128;

/// What is known of the tasks in the same groups.
pub struct Seat {
	/// Their set, or the one to which they went; none if nothing is known.
	pub(super) set: u32,
	/// What they have in their `cgroup`.
	text: [u8; LINE_BYTES],
	len: usize,
	/// Tasks with this text that were read.
	read: u32,
	/// Tasks with another text that came in between.
	missed: u32,
	/// The tasks that are in all these groups, in hierarchies of the set, once the lists were read.
	tasks: Numbers,
	listed: bool,
	/// The hierarchies of which lists were read, one bit each.
	covers: u64,
	/// Its tasks were in a cgroup namespace of their own.
	has_namespace: bool,
	/// The leader has just been moved into all of these groups, and its threads with it.
	whole: bool,
	/// The same in an earlier pass, and the leader is there: so are its threads of this set.
	brought: bool,
}

impl Seat {
	/// Nothing known.
	pub const fn new() -> Self {
		Seat {
			set: NO_SET,
			text: [0; LINE_BYTES],
			len: 0,
			read: 0,
			missed: 0,
			tasks: Numbers::new(),
			listed: false,
			covers: 0,
			has_namespace: false,
			whole: false,
			brought: false,
		}
	}

	fn text(&self) -> &[u8] {
		self.text.get(..self.len).unwrap_or(&[])
	}

	fn has(&self, tid: u32) -> bool {
		self.whole || self.lists(tid)
	}

	fn lists(&self, tid: u32) -> bool {
		self.listed && self.tasks.has(tid)
	}

	/// Counts a task that was read; whether it is time to read lists.
	fn count(&mut self) -> bool {
		self.read = self.read.saturating_add(1);
		let quarters = self.read / FEW;
		!self.listed && self.read.is_multiple_of(FEW) && quarters.is_power_of_two() && quarters & 0x5555_5555 != 0
	}

	/// Becomes that of tasks with this text.
	fn take(&mut self, set: u32, text: &[u8]) {
		self.forget_list();
		(self.set, self.len) = (set, text.len());
		self.text.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
	}

	/// Copies its text; the length.
	fn copy_text(&self, into: &mut [u8]) -> usize {
		into.iter_mut().zip(self.text()).for_each(|(to, from)| *to = *from);
		self.len
	}

	fn forget_list(&mut self) {
		(self.read, self.missed, self.listed) = (0, 0, false);
		self.forget_leader();
	}

	fn forget_leader(&mut self) {
		(self.whole, self.brought) = (false, false);
	}
}

impl Default for Seat {
	fn default() -> Self {
		Seat::new()
	}
}

impl Join<'_, '_> {
	/// Forgets everything.
	pub(super) fn forget(&mut self) {
		self.forget_lists();
		self.buffers.seats.iter_mut().for_each(|seat| seat.set = NO_SET);
		self.buffers.origin.set = NO_SET;
		self.buffers.brought.clear();
	}

	/// Who is listed may be elsewhere by now. A text that is good stays good.
	pub(super) fn forget_lists(&mut self) {
		self.buffers.seats.iter_mut().for_each(Seat::forget_list);
		self.buffers.origin.forget_list();
	}

	/// Another process comes.
	pub(super) fn forget_leader(&mut self) {
		self.buffers.seats.iter_mut().for_each(Seat::forget_leader);
	}

	/// Whether a task is known to be in all groups of the set.
	pub(super) fn is_seated(&self, tid: u32, set: u32) -> bool {
		self.buffers.seats.iter().any(|seat| seat.set == set && (seat.brought || seat.has(tid)))
	}

	/// Whether the process that takes the place of this one was found before, and is listed where it belongs; it becomes
	/// the current one.
	pub(super) fn is_settled(&mut self, task: &Task<'_>) -> bool {
		let known = self.number_of(task.pid).filter(|pid| self.buffers.known.has(*pid));
		let is_its = |seat: &Seat, pid| seat.set == task.set && !seat.has_namespace && seat.lists(pid);
		let settled = known.filter(|pid| self.buffers.seats.iter().any(|seat| is_its(seat, *pid)));
		if let Some(new) = settled {
			self.process = Some(Process::new(task, new));
		}
		settled.is_some()
	}

	/// Puts the task's `cgroup` into `text`; its length. A thread that is where its leader is has the same one. That of a
	/// leader is read in any case: it may have been moved since it was listed.
	pub(super) fn read_cgroup(&mut self, pid: u32, tid: u32) -> Result<usize, Fault> {
		if pid == tid {
			return self.proc.list().read_text(&with_number(b"", pid, b"/cgroup"), &mut self.buffers.text);
		}
		let leader = &self.buffers.seats[self.leader];
		if leader.has(tid) {
			return Ok(leader.copy_text(&mut self.buffers.text));
		}
		let file = with_number(b"", tid, b"/cgroup");
		match &mut self.process {
			Some(process) if process.new == pid => {
				process.threads(&self.proc)?.read_text(&file, &mut self.buffers.text)
			}
			_ => self.proc.threads(pid)?.read_text(&file, &mut self.buffers.text),
		}
	}

	/// Whether the first bytes of `text` are those of a task that was where a task of this set belongs.
	pub(super) fn is_known(&mut self, set: u32, len: usize, (pid, tid): (u32, u32)) -> Result<bool, Fault> {
		let Buffers { text, seats, brought, .. } = &mut *self.buffers;
		let text = text.get(..len).unwrap_or(&[]);
		let Some(which) = seats.iter().position(|seat| seat.set != NO_SET && seat.text() == text) else {
			return Ok(false);
		};
		let seat = &mut seats[which];
		let is_its = seat.set == set;
		if pid == tid && is_its {
			self.leader = which;
			seat.brought = !self.read_all && brought.has(pid);
		}
		if !seat.whole && seat.count() {
			let of = seat.set;
			self.take_set(of)?;
			self.read_lists(which)?;
		}
		Ok(is_its)
	}

	/// The first bytes of `text` are those of a task that is where it belongs; a process that came whole was moved into all
	/// groups of the set.
	pub(super) fn learn(&mut self, set: u32, len: usize, (pid, tid): (u32, u32), came_whole: bool) {
		let has_namespace = self.set.as_ref().is_some_and(|spots| spots.has_namespace);
		let (is_leader, Buffers { text, seats, brought, .. }) = (pid == tid, &mut *self.buffers);
		let its = seats.iter().position(|seat| seat.set == set).filter(|which| is_leader || *which != self.leader);
		let which = its.unwrap_or(1 - self.leader);
		if is_leader {
			self.leader = which;
		}
		seats[which].take(set, text.get(..len).unwrap_or(&[]));
		(seats[which].has_namespace, seats[which].whole) = (has_namespace, came_whole);
		if came_whole {
			brought.add(pid);
		}
	}

	/// The text of a process, of one thread, that is where others came from that were moved for this set; its length.
	pub(super) fn recall(&mut self, (pid, tid): (u32, u32), set: u32) -> Result<Option<usize>, Fault> {
		if pid != tid || !self.is_single(pid) || !self.buffers.origin.lists(pid) {
			return Ok(None);
		}
		if self.buffers.origin.set != set {
			self.take_set(set)?; // another one that may be about the same hierarchies
		}
		let Buffers { text, origin, .. } = &mut *self.buffers;
		let mut all = self.set.iter().flat_map(|spots| &spots.all);
		if origin.set != set && all.any(|spot| origin.covers >> spot.at() & 1 == 0) {
			return Ok(None);
		}
		origin.set = set;
		Ok(Some(origin.copy_text(text)))
	}

	/// A process of one thread was moved into all groups of the set; the first bytes of `text` are those that it had before.
	/// Whether nothing is to be learnt of it, as others are where it is now.
	pub(super) fn is_like_others(&mut self, set: u32, len: usize) -> Result<bool, Fault> {
		let Buffers { text, origin, seats, .. } = &mut *self.buffers;
		let text = text.get(..len).unwrap_or(&[]);
		let known = seats.iter().position(|seat| seat.set == set);
		let is_odd = origin.set != NO_SET && origin.text() != text;
		origin.missed += u32::from(is_odd);
		if origin.set == NO_SET || origin.missed > origin.read {
			origin.take(set, text);
		}
		if !is_odd {
			origin.set = set;
			if origin.count() {
				self.read_lists(ORIGIN)?;
			}
		}
		self.leader = known.unwrap_or(self.leader);
		Ok(known.is_some())
	}

	/// Reads who is in all groups of a seat, in hierarchies of the current set.
	fn read_lists(&mut self, which: usize) -> Result<(), Fault> {
		let threads = self.process.as_ref().map_or(0, |process| process.size).max(self.met);
		let Some(Spots { all, .. }) = &self.set else { return Ok(()) };
		let Buffers { seats, origin, others, .. } = &mut *self.buffers;
		let seat = seats.get_mut(which).unwrap_or(origin);
		let most = seat.read.saturating_mul(SHARE).max(threads.saturating_mul(4));
		let mut first = true;
		seat.covers = 0;
		for spot in all.iter().filter(|spot| !self.halt.leaves(spot.at())) {
			let text = seat.text.get(..seat.len).unwrap_or(&[]);
			let Some(line) = find(text, self.host.hierarchies[spot.at()].label.bytes())? else { continue };
			let path = line.path.strip_prefix(b"/").unwrap_or(line.path);
			if !roster::list(self.host, spot.at(), path, most, others)? {
				return Ok(());
			}
			if core::mem::take(&mut first) {
				seat.tasks.copy(others);
			}
			seat.tasks.keep(Some(others));
			seat.covers |= 1 << spot.at();
		}
		seat.listed = !first;
		Ok(())
	}
}

/// The place of the origin behind those of the seats.
const ORIGIN: usize = 2;
