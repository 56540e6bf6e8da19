//! Threads of one process in, where they are out: for many of them not one by one.
//!
//! A thread's /proc/PID/task/TID/cgroup costs several times what its move costs. So two texts are remembered as good
//! for a set, that of the leader and one more; and once many threads were read, the lists of their groups say who is
//! where: `tasks` on v1, `cgroup.threads` on v2 (cgroups(7)).

use crate::act::aim::map_member;
use crate::act::host::Host;
use crate::act::join::{Buffers, Join};
use crate::act::numbers::Numbers;
use crate::act::spots::Spots;
use crate::act::tasks::NO_SET;
use crate::error::Fault;
use crate::kernel::dir::Dir;
use crate::kernel::proc::with_number;
use crate::kernel::stream::Reader;
use crate::limits::LINE_BYTES;
use crate::procfs::scan::{Lines, number32};
use crate::property::Version;

/// Threads that are read one by one before a list is.
pub const FEW: u32 = 100;

/// What is known of the tasks of one set.
pub struct Seat {
	/// The set; none if nothing is known.
	pub(super) set: u32,
	/// What a task that is in all groups of the set has in its `cgroup`.
	text: [u8; LINE_BYTES],
	len: usize,
	/// Threads that were read.
	read: u32,
	/// The tasks that are in all groups of the set, once the lists were read.
	tasks: Numbers,
	listed: bool,
	/// The leader has just been moved into all of these groups, and its threads with it.
	pub(super) whole: bool,
}

impl Seat {
	/// Nothing known.
	pub const fn new() -> Self {
		Seat { set: NO_SET, text: [0; LINE_BYTES], len: 0, read: 0, tasks: Numbers::new(), listed: false, whole: false }
	}

	fn text(&self) -> &[u8] {
		self.text.get(..self.len).unwrap_or(&[])
	}

	fn has(&self, tid: u32) -> bool {
		self.whole || self.listed && self.tasks.has(tid)
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
		self.buffers.seats.iter_mut().for_each(|seat| (seat.set, seat.listed, seat.whole) = (NO_SET, false, false));
	}

	/// Another process comes: who is listed may be elsewhere by now. A text that is good stays good.
	pub(super) fn forget_lists(&mut self) {
		self.buffers.seats.iter_mut().for_each(|seat| (seat.read, seat.listed, seat.whole) = (0, false, false));
	}

	/// Whether a thread is known to be in all groups of the set.
	pub(super) fn is_seated(&self, tid: u32, set: u32) -> bool {
		self.buffers.seats.iter().any(|seat| seat.set == set && seat.has(tid))
	}

	/// Puts the task's `cgroup` into `text`; its length. A thread that is where its leader is has the same one.
	pub(super) fn read_cgroup(&mut self, pid: u32, tid: u32) -> Result<usize, Fault> {
		let Buffers { text, seats, .. } = &mut *self.buffers;
		let leader = &seats[self.leader];
		if leader.has(tid) {
			text.iter_mut().zip(leader.text()).for_each(|(to, from)| *to = *from);
			return Ok(leader.len);
		}
		let file = with_number(b"", tid, b"/cgroup");
		match &self.process {
			Some(process) if process.new == pid => process.threads.read_text(&file, text),
			_ => self.proc.threads(pid)?.read_text(&file, text),
		}
	}

	/// Whether the first bytes of `text` are those of a task that was where a task of this set belongs.
	pub(super) fn is_known(&mut self, set: u32, len: usize, is_leader: bool) -> Result<bool, Fault> {
		let Buffers { text, seats, .. } = &mut *self.buffers;
		let text = text.get(..len).unwrap_or(&[]);
		let Some(which) = seats.iter().position(|seat| seat.set != NO_SET && seat.text() == text) else {
			return Ok(false);
		};
		let seat = &mut seats[which];
		let is_its = seat.set == set;
		if is_leader {
			self.leader = if is_its { which } else { self.leader };
		} else if !seat.listed {
			seat.read += 1;
			if seat.read == FEW {
				let of = seat.set;
				self.read_lists(which, of)?;
			}
		}
		Ok(is_its)
	}

	/// The first bytes of `text` are those of a task that is where it belongs.
	pub(super) fn learn(&mut self, set: u32, len: usize, is_leader: bool) {
		let Buffers { text, seats, .. } = &mut *self.buffers;
		let seat = &mut seats[if is_leader { self.leader } else { 1 - self.leader }];
		let text = text.get(..len).unwrap_or(&[]);
		(seat.set, seat.listed, seat.whole, seat.read, seat.len) = (set, false, false, 0, len);
		seat.text.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
	}

	/// Reads who is in all groups of a set.
	fn read_lists(&mut self, which: usize, set: u32) -> Result<(), Fault> {
		self.take_set(set)?;
		let (mut spot, mut first) = (0, true);
		while let Some(Spots { set, all }) = self.set.as_ref()
			&& let Some(found) = all.get(spot)
			&& let Some(member) = set.members().nth(found.member)
		{
			let (at, member) = (found.at, self.meant(member?));
			spot += 1;
			if self.halt.leaves(at) {
				continue;
			}
			let Buffers { target, seats, others, .. } = &mut *self.buffers;
			let Seat { tasks, listed, .. } = &mut seats[which];
			map_member(self.targets, at, &member, target)?;
			list(self.host, at, target, others)?;
			if core::mem::take(&mut first) {
				tasks.copy(others);
			}
			tasks.keep(Some(others));
			*listed = true;
		}
		Ok(())
	}
}

/// Puts all tasks of a group into `tasks`; none if it is not there.
pub(super) fn list(host: &Host, at: usize, path: &[u8], tasks: &mut Numbers) -> Result<(), Fault> {
	tasks.clear();
	let Some(dir) = host.open(at, path)? else { return Ok(()) };
	read_list(&dir, host.hierarchies[at].label.version(), tasks)
}

fn read_list(dir: &Dir, version: Version, tasks: &mut Numbers) -> Result<(), Fault> {
	let mut line = [0; 1024];
	let mut lines = Lines::new(Reader::below(dir, threads_file(version))?, &mut line);
	while let Some(line) = lines.next_line()? {
		if let Some(tid) = number32(line) {
			tasks.add(tid);
		}
	}
	Ok(())
}

/// The file that lists threads and takes one.
pub(super) fn threads_file(version: Version) -> &'static core::ffi::CStr {
	if version == Version::V1 { c"tasks" } else { c"cgroup.threads" }
}
