//! Tasks of the image in, tasks of the host moved into the groups of their sets.
//!
//! Which task of the host takes the place of one of the image is said by a map of processes, or known by its id: on the
//! boot of the dump with its start time, in a tree that CRIU restored with its name and parent. A process is moved as a
//! whole first, then those of its threads that were elsewhere. A task that is where it belongs is not touched, and one
//! that has exited is none that could be moved.

use heapless::Vec;

use crate::act::aim::{Targets, map_member};
use crate::act::follow::Strays;
use crate::act::halt::Halt;
use crate::act::host::Host;
use crate::act::journal::Journal;
use crate::act::moves::move_noted;
use crate::act::namespace::{Lost, denied};
use crate::act::numbers::Numbers;
use crate::act::pairs::{Pair, Pairs};
use crate::act::roster::threads_file;
use crate::act::seats::Seat;
use crate::act::seek::Process;
use crate::act::spots::{Spot, Spots};
use crate::act::tasks::{Dump, NO_SET, Tasks};
use crate::act::who::Who;
use crate::difference::Tell;
use crate::error::{Error, Fault, Why};
use crate::image::view::{Image, Task};
use crate::kernel::Handle;
use crate::kernel::proc::{Proc, is_gone};
use crate::limits::{LATE_TASKS, LINE_BYTES, LIST_BYTES};
use crate::procfs::membership::find;
use crate::remap::Path;

/// The buffers of a join.
pub struct Buffers {
	pub(super) text: [u8; LINE_BYTES],
	pub(super) list: [u8; LIST_BYTES],
	pub(super) target: Path,
	pub(super) old: Path,
	/// The frozen group.
	pub(super) frozen: Path,
	/// Processes that take the place of one of the image, and those that came along.
	pub(super) known: Numbers,
	/// Processes that were moved as a whole into all groups of their set: their threads of this set came along.
	pub(super) brought: Numbers,
	/// Processes that were forked since the dump, and their parents.
	pub(super) late: Vec<Pair, LATE_TASKS>,
	/// Threads of the current process, besides its leader, and their numbers in its pid namespace.
	pub(super) threads: Pairs,
	/// Where threads of the current process are: like their leader, and like another one.
	pub(super) seats: [Seat; 2],
	/// Where processes were that were moved of late.
	pub(super) origin: Seat,
	/// The tasks of a group.
	pub(super) others: Numbers,
}

impl Buffers {
	/// Empty ones.
	pub const fn new() -> Self {
		Buffers {
			text: [0; LINE_BYTES],
			list: [0; LIST_BYTES],
			target: Path::new(),
			old: Path::new(),
			frozen: Path::new(),
			known: Numbers::new(),
			brought: Numbers::new(),
			late: Vec::new(),
			threads: Pairs::new(),
			seats: [Seat::new(), Seat::new()],
			origin: Seat::new(),
			others: Numbers::new(),
		}
	}
}

impl Default for Buffers {
	fn default() -> Self {
		Buffers::new()
	}
}

/// The join of one restore.
pub struct Join<'w, 'a> {
	/// The image.
	pub image: Image<'a>,
	/// The host.
	pub host: &'w Host,
	/// Where hierarchies of the image belong.
	pub targets: &'w Targets,
	/// The dump that says who the tasks are, where the image is CRIU's.
	pub dump: Option<&'w Dump<'w>>,
	/// Who is who.
	pub who: Who<'w>,
	/// /proc.
	pub proc: Proc,
	/// Its buffers.
	pub buffers: &'w mut Buffers,
	/// The set used last, and the groups of its members.
	pub set: Option<Spots<'a>>,
	/// The process whose threads come next.
	pub process: Option<Process>,
	/// The hierarchy that is worked on, for messages.
	pub at: usize,
	/// How many tasks had been started when a look for forked ones began that found none.
	pub quiet: Option<u64>,
	/// Tasks of the image that were looked for, those of all passes.
	pub met: u32,
	/// Where tasks that are elsewhere are told, instead of being moved.
	pub tell: Option<Tell<'w>>,
	/// Memberships that were told.
	pub differences: u64,
	/// Tasks of the last pass that lost their cgroup namespace.
	pub lost: Lost,
	/// Tasks that were forked since the dump, sit elsewhere than their parents, and were left there.
	pub stray: Strays,
	/// How far the freezing is.
	pub halt: Halt,
	/// Tasks go into the groups in which their cgroup namespace begins.
	pub to_root: bool,
	/// Every thread is looked up after its process was moved.
	pub read_all: bool,
	/// Which of the seats is that of the current process's leader.
	pub(super) leader: usize,
}

impl<'a> Join<'_, 'a> {
	/// Moves every task that is not where it belongs; how many were moved.
	pub fn pass(&mut self, journal: &mut Journal<'_>) -> Result<u64, Error> {
		let mut moved = 0;
		self.lost = Lost::default();
		self.forget_lists();
		let mut tasks = Tasks::new(&self.image, self.dump)?;
		while let Some(task) = tasks.read()? {
			match self.task(&task, journal) {
				Ok(was_moved) => moved += u64::from(was_moved),
				Err(fault) if is_gone(&fault) => {}
				Err(fault) => return Err(self.refused(fault, &task)),
			}
		}
		Ok(moved)
	}

	/// Puts one task where its set says; whether it had to be moved. One that is gone is a fault.
	fn task(&mut self, task: &Task<'_>, journal: &mut Journal<'_>) -> Result<bool, Fault> {
		self.met = self.met.saturating_add(1);
		if task.tid == task.pid {
			self.forget_leader();
			if self.is_settled(task) {
				return Ok(false);
			}
		}
		let Some((pid, tid)) = self.seek(task)? else { return Ok(false) };
		if self.process.as_ref().is_none_or(|process| process.new != pid) {
			self.forget_leader();
		}
		if task.set == NO_SET {
			return Ok(false);
		}
		let moved = self.place(task, pid, tid, journal)?;
		self.look_inside(pid, tid)?;
		Ok(moved)
	}

	/// Puts a running task where the set of this one says; whether it had to be moved.
	pub(super) fn place(
		&mut self,
		task: &Task<'_>,
		pid: u32,
		tid: u32,
		journal: &mut Journal<'_>,
	) -> Result<bool, Fault> {
		let is_dry = journal.is_dry(); // then what is seen is not what would be
		if !is_dry && self.is_seated(tid, task.set) {
			return Ok(false);
		}
		let keeps_text = pid != tid || self.keeps_text(pid);
		let mut len = self.recall((pid, tid), task.set)?.map_or_else(|| self.read_cgroup(pid, tid), Ok)?;
		if !is_dry && self.is_known(task.set, len, (pid, tid))? {
			return Ok(false);
		}
		self.take_set(task.set)?;
		let Some(Spots { set, .. }) = self.set else { return Ok(false) };
		let (mut moved, mut all, mut stale, mut right, mut spot) = (false, true, false, true, 0);
		for (index, member) in set.members().enumerate() {
			let member = self.meant(member?);
			while let Some(at) = self.set.as_ref().and_then(|spots| spots.at(spot, index)) {
				if self.halt.leaves(at) {
					spot += 1;
					continue;
				}
				self.at = at;
				map_member(self.targets, at, &member, &mut self.buffers.target)?;
				if core::mem::take(&mut stale) {
					len = self.read_cgroup(pid, tid)?;
				}
				let is_there = self.is_there(at, len)?;
				all &= !is_there;
				let is_there = self.comes_along((pid, tid), is_there, journal);
				if let (Halt::Gather(at), false) = (self.halt, is_there) {
					return self.take_in(pid, at, journal);
				}
				if !is_there && self.tell.is_some() {
					self.differ(at, task);
					right = false;
				} else if !is_there {
					self.join(spot, (pid, tid), task, journal)?;
					moved = true;
					stale = !keeps_text; // the text may now be that of another thread
				}
				spot += 1;
			}
		}
		if is_dry || moved && pid == tid && keeps_text && self.is_like_others(task.set, len)? {
			return Ok(moved);
		}
		if moved && pid == tid {
			len = self.read_cgroup(pid, tid)?;
		}
		if right && (!moved || pid == tid) {
			self.learn(task.set, len, (pid, tid), moved && all && self.process.is_some());
		}
		Ok(moved)
	}

	/// Whether the text of a process is in its buffer still after it was moved: nobody comes along.
	fn keeps_text(&self, pid: u32) -> bool {
		self.halt == Halt::No && self.is_single(pid)
	}

	/// Makes the set with this number the current one; they come mostly in the order of the image.
	pub(super) fn take_set(&mut self, id: u32) -> Result<(), Fault> {
		if self.set.as_ref().is_none_or(|spots| spots.set.id != id) {
			self.set = None; // its groups are closed first
			self.set = Some(Spots::of(&self.image, self.host, id)?);
		}
		Ok(())
	}

	/// Whether the task whose `cgroup` is in the first `len` bytes of `text` is in the group that is in `target` already;
	/// its group until now is left in `old`.
	pub(super) fn is_there(&mut self, at: usize, len: usize) -> Result<bool, Fault> {
		let Buffers { text, target, old, .. } = &mut *self.buffers;
		old.clear();
		let Some(line) = find(text.get(..len).unwrap_or(&[]), self.host.hierarchies[at].label.bytes())? else {
			return Ok(true);
		};
		let path = line.path_if_deleted().unwrap_or(line.path);
		let _ = old.extend_from_slice(path.strip_prefix(b"/").unwrap_or(path)); // the kernel prints no longer ones
		if line.is_outside() {
			return Err(Fault::Unfit(Why::OutsideNamespace));
		}
		Ok(line.path.strip_prefix(b"/") == Some(target))
	}

	fn join(
		&mut self,
		spot: usize,
		(pid, tid): (u32, u32),
		task: &Task<'_>,
		journal: &mut Journal<'_>,
	) -> Result<(), Fault> {
		let (whole, at) = (pid == tid, self.at);
		if whole && self.halt == Halt::Last(at) {
			self.bring_family(pid, at, journal)?;
		}
		if whole && !self.is_single(pid) {
			self.note_threads(at, pid, journal)?;
			self.forget_lists();
		}
		let file = self.open_spot(spot, whole, journal)?;
		let version = self.host.hierarchies[at].label.version();
		let moved = move_noted(&file, version, (at, &self.buffers.old), tid, whole, journal);
		if let Some(Spot { files, .. }) = self.set.as_mut().and_then(|spots| spots.all.get_mut(spot)) {
			files[usize::from(whole)] = Some(file);
		}
		self.foresee_move(tid, whole, task, journal);
		moved
	}

	/// The file of a spot, whose path is in `target`, that takes processes or threads; the caller puts it back.
	fn open_spot(&mut self, spot: usize, whole: bool, journal: &mut Journal<'_>) -> Result<Handle, Fault> {
		let held = self.set.as_mut().and_then(|spots| spots.all.get_mut(spot));
		let (file, dir) = held.map_or((None, None), |held| (held.files[usize::from(whole)].take(), held.dir.take()));
		if let Some(file) = file {
			return Ok(file);
		}
		let dir = dir.map_or_else(|| self.open_target(journal), |dir| Ok(Some(dir)))?;
		let version = self.host.hierarchies[self.at].label.version();
		let name = if whole { c"cgroup.procs" } else { threads_file(version) };
		dir.ok_or(Fault::Unfit(Why::NoGroup))?.open_file(name).map_err(|fault| denied(version, fault))
	}
}
