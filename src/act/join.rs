//! Tasks of the image in, tasks of the host moved into the groups of their sets.
//!
//! Which task of the host takes the place of one of the image is said by a map of processes, or, on the boot of the
//! dump, known by id and start time. A process is moved as a whole first, then those of its threads that were
//! elsewhere. A task that is where it belongs is not touched, and one that has exited is none that could be moved.

use heapless::Vec;

use crate::act::host::Host;
use crate::act::journal::{Change, Journal, Record};
use crate::act::namespace::{Lost, is_denied};
use crate::act::tour::Targets;
use crate::error::{At, Error, Fault, Why};
use crate::image::view::{Image, Set, Task};
use crate::kernel::dir::Dir;
use crate::kernel::proc::{Proc, digits, is_gone};
use crate::kernel::retry;
use crate::limits::{HIERARCHIES, LINE_BYTES, LIST_BYTES, Limit};
use crate::name::{Shown, ShownPath};
use crate::procfs::membership::{memberships, same_controllers};
use crate::procfs::{scan, stat};
use crate::property::Version;
use crate::remap::Path;

/// Bytes of /proc/PID/stat.
const STAT_BYTES: usize = 2048;
/// Tries of a move: after others have left a group, v2 may say EBUSY for a moment.
const TRIES: u32 = 21;
const PAUSE_MS: u32 = 1;

/// A process of the image and the running one that takes its place.
pub type Pair = (u32, u32);

/// Who is who.
#[derive(Clone, Copy, Debug)]
pub enum Who<'m> {
	/// By a map; tasks that are not in it are left alone.
	Mapped(&'m [Pair]),
	/// The host still runs the tasks of the image.
	SameBoot,
	/// There is no telling.
	Nobody,
}

/// The buffers of a join.
pub struct Buffers {
	pub(super) text: [u8; LINE_BYTES],
	list: [u8; LIST_BYTES],
	target: Path,
	old: Path,
}

impl Buffers {
	/// Empty ones.
	pub const fn new() -> Self {
		Buffers { text: [0; LINE_BYTES], list: [0; LIST_BYTES], target: Path::new(), old: Path::new() }
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
	/// Who is who.
	pub who: Who<'w>,
	/// /proc.
	pub proc: Proc,
	/// Its buffers.
	pub buffers: &'w mut Buffers,
	/// The set used last, and its groups as far as they are open.
	pub set: Option<(Set<'a>, Vec<Option<Dir>, HIERARCHIES>)>,
	/// The process whose threads come next.
	pub process: Option<Process>,
	/// The hierarchy that is worked on, for messages.
	pub at: usize,
	/// Tasks of the last pass that lost their cgroup namespace.
	pub lost: Lost,
}

/// A process of the image that was found.
#[derive(Clone, Copy)]
pub struct Process {
	old: u32,
	new: u32,
	/// Threads of the image met so far, its leader not counted.
	threads: usize,
}

impl<'a> Join<'_, 'a> {
	/// Moves every task that is not where it belongs; how many were moved.
	pub fn pass(&mut self, journal: &mut Journal<'_>) -> Result<u64, Error> {
		let mut moved = 0;
		self.lost = Lost::default();
		for task in self.image.tasks() {
			let task = task.at(format_args!("the image"))?;
			match self.task(&task, journal) {
				Ok(was_moved) => moved += u64::from(was_moved),
				Err(fault) if is_gone(&fault) => {}
				Err(fault) => {
					let (to, label) = (ShownPath(&self.buffers.target), self.host.hierarchies[self.at].label.shown());
					let (tid, comm, from) = (task.tid, Shown(task.comm), ShownPath(&self.buffers.old));
					let place = format_args!("task {tid} ({comm}) from group {from} to group {to} of {label}");
					return Err(Error::new(fault, place));
				}
			}
		}
		Ok(moved)
	}

	/// The running task that takes the place of this one: its process and itself.
	fn seek(&mut self, task: &Task<'_>) -> Result<Option<(u32, u32)>, Fault> {
		if task.tid != task.pid {
			return self.thread(task);
		}
		self.process = self.find(task)?.map(|new| Process { old: task.pid, new, threads: 0 });
		Ok(self.process.map(|process| (process.new, process.new)))
	}

	/// The running process that takes the place of this one.
	fn find(&self, task: &Task<'_>) -> Result<Option<u32>, Fault> {
		match self.who {
			Who::Mapped(pairs) => Ok(pairs.iter().find(|(old, _)| *old == task.pid).map(|(_, new)| *new)),
			Who::SameBoot if self.is_alive(task)? => Ok(Some(task.pid)),
			Who::SameBoot | Who::Nobody => Ok(None),
		}
	}

	fn thread(&mut self, task: &Task<'_>) -> Result<Option<(u32, u32)>, Fault> {
		match (self.who, &mut self.process) {
			(Who::SameBoot, _) => Ok(self.is_alive(task)?.then_some((task.pid, task.tid))),
			(Who::Mapped(_), Some(process)) if process.old == task.pid => {
				process.threads += 1;
				let (pid, wanted) = (process.new, process.threads);
				Ok(self.nth_thread(pid, wanted)?.map(|tid| (pid, tid)))
			}
			_ => Ok(None),
		}
	}

	fn is_alive(&self, task: &Task<'_>) -> Result<bool, Fault> {
		let mut text = [0; STAT_BYTES];
		match self.proc.thread(task.pid, task.tid).and_then(|dir| dir.read(c"stat", &mut text)) {
			Err(fault) if is_gone(&fault) => Ok(false),
			Err(fault) => Err(fault),
			Ok((len, _)) => {
				let stat = stat::parse(text.get(..len).unwrap_or(&[]))?;
				Ok(stat.start_time == task.start_time && !stat.is_dead())
			}
		}
	}

	/// The nth thread of a process besides its leader, in the order in which they were started.
	fn nth_thread(&mut self, pid: u32, wanted: usize) -> Result<Option<u32>, Fault> {
		let (mut count, mut found) = (0, None);
		let threads = self.proc.threads(pid)?;
		while threads.list(&mut self.buffers.list, &mut |name, _| {
			if let Some(tid) = scan::number32(name).filter(|tid| *tid != pid) {
				count += 1;
				found = if count == wanted { Some(tid) } else { found };
			}
			Ok(())
		})? {}
		Ok(found)
	}

	/// Puts one task where its set says; whether it had to be moved. One that is gone is a fault.
	fn task(&mut self, task: &Task<'_>, journal: &mut Journal<'_>) -> Result<bool, Fault> {
		let Some((pid, tid)) = self.seek(task)? else { return Ok(false) };
		self.take_set(task.set)?;
		let Some((set, _)) = &self.set else { return Ok(false) };
		let (mut moved, mut read) = (false, None);
		for (index, member) in set.members().enumerate() {
			let member = member?;
			let Some(at) = self.host.find(member.name) else { continue };
			self.at = at;
			self.aim(at, member.path.strip_prefix(b"/").unwrap_or(member.path))?;
			let len = match read {
				Some(len) => len,
				None => self.proc.thread(pid, tid)?.read(c"cgroup", &mut self.buffers.text)?.0,
			};
			read = Some(len);
			if !self.is_there(at, len)? {
				self.join(index, at, pid, tid, journal)?;
				(moved, read) = (true, None); // the text may now be that of another thread
			}
		}
		self.look_inside(pid, tid)?;
		Ok(moved)
	}

	/// Puts the group's path on the host into `target`.
	fn aim(&mut self, at: usize, path: &[u8]) -> Result<(), Fault> {
		let into = &mut self.buffers.target;
		match self.targets.iter().find(|target| target.at == Some(at)) {
			Some(target) => target.rule.map(path, into),
			None => {
				into.clear();
				into.extend_from_slice(path).map_err(|_| Fault::full(Limit::GroupPath, path.len()))
			}
		}
	}

	/// Makes the set with this number the current one; they come mostly in the order of the image.
	fn take_set(&mut self, id: u32) -> Result<(), Fault> {
		if self.set.as_ref().is_some_and(|(set, _)| set.id == id) {
			return Ok(());
		}
		self.set = None;
		for set in self.image.sets() {
			let set = set?;
			if set.id == id {
				let mut dirs = Vec::new();
				while dirs.push(None).is_ok() {}
				self.set = Some((set, dirs));
				return Ok(());
			}
		}
		Err(Fault::Unfit(Why::NoSet))
	}

	/// Whether the task whose `cgroup` is in the first `len` bytes of `text` is in the group that is in `target` already;
	/// its group until now is left in `old`.
	fn is_there(&mut self, at: usize, len: usize) -> Result<bool, Fault> {
		let Buffers { text, target, old, .. } = &mut *self.buffers;
		old.clear();
		for line in memberships(text.get(..len).unwrap_or(&[])) {
			let line = line?;
			if same_controllers(line.controllers, self.host.hierarchies[at].label.bytes()) {
				let path = line.path_if_deleted().unwrap_or(line.path);
				let _ = old.extend_from_slice(path.strip_prefix(b"/").unwrap_or(path)); // the kernel prints no longer ones
				if line.is_outside() {
					return Err(Fault::Unfit(Why::OutsideNamespace));
				}
				return Ok(line.path.strip_prefix(b"/") == Some(target));
			}
		}
		Ok(true)
	}

	fn join(&mut self, index: usize, at: usize, pid: u32, tid: u32, journal: &mut Journal<'_>) -> Result<(), Fault> {
		let whole = pid == tid;
		if whole {
			self.note_threads(at, pid, journal)?;
		}
		let version = self.host.hierarchies[at].label.version();
		let Some((_, dirs)) = &mut self.set else { return Ok(()) };
		let slot = dirs.get_mut(index).ok_or(Fault::Unfit(Why::NoSet))?;
		if slot.is_none() {
			*slot = self.host.open(at, &self.buffers.target)?;
		}
		let dir = slot.as_ref().ok_or(Fault::Unfit(Why::NoGroup))?;
		let mark = journal.len();
		journal.add(&Record { hierarchy: at, path: &self.buffers.old, change: Change::Moved { tid, whole } })?;
		let why = if version == Version::V1 { Why::MoveV1 } else { Why::MoveV2 };
		let moved = move_task(dir, version, tid, whole).inspect_err(|_| journal.drop_since(mark));
		moved.map_err(|fault| if is_denied(&fault) { Fault::Unfit(why) } else { fault })
	}

	/// Writes down the threads that are elsewhere than their leader: they come along when it is moved.
	fn note_threads(&mut self, at: usize, pid: u32, journal: &mut Journal<'_>) -> Result<(), Fault> {
		let Buffers { text, list, old, .. } = &mut *self.buffers;
		let threads = self.proc.threads(pid)?;
		while threads.list(list, &mut |name, _| {
			let Some(tid) = scan::number32(name).filter(|tid| *tid != pid) else { return Ok(()) };
			let read = threads.child(&digits(tid)).and_then(|dir| dir.read(c"cgroup", text));
			let Ok((len, _)) = read else { return Ok(()) };
			for line in memberships(text.get(..len).unwrap_or(&[])) {
				let line = line?;
				let path = line.path.strip_prefix(b"/").unwrap_or(line.path);
				if same_controllers(line.controllers, self.host.hierarchies[at].label.bytes()) && path != &old[..] {
					journal.add(&Record { hierarchy: at, path, change: Change::Moved { tid, whole: false } })?;
				}
			}
			Ok(())
		})? {}
		Ok(())
	}
}

/// Writes the id of a process, or of one thread, into the file that takes it.
pub fn move_task(dir: &Dir, version: Version, tid: u32, whole: bool) -> Result<(), Fault> {
	let file = match (whole, version) {
		(true, _) => c"cgroup.procs",
		(false, Version::V1) => c"tasks",
		(false, Version::V2) => c"cgroup.threads",
	};
	retry(TRIES, PAUSE_MS, &mut || dir.write(file, digits(tid).to_bytes()))
}
