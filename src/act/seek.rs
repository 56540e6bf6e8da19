//! A task of the image in, the running one that takes its place out.
//!
//! A process is known first. Its directory is opened once one of its threads is looked for, and stays open: so they are
//! its own.

use heapless::CString;

use crate::act::join::{Buffers, Join};
use crate::act::pairs;
use crate::act::pidns::number_of;
use crate::act::tasks::{is_same, read_stat};
use crate::act::who::Who;
use crate::error::{Fault, errno};
use crate::image::view::Task;
use crate::kernel::dir::Dir;
use crate::kernel::proc::{Proc, with_number};
use crate::limits::STAT_BYTES;
use crate::procfs::scan;

/// A process of the image that was found.
pub struct Process {
	pub(super) old: u32,
	pub(super) new: u32,
	/// Threads of the image met so far, its leader not counted.
	pub(super) count: usize,
	/// How many it had when it was found; 0 if that is not known.
	pub(super) size: u32,
	/// When it was started; 0 if that does not matter.
	start: u64,
	/// The list of its threads, once it is open.
	threads: Option<Dir>,
	/// The place in that list of the first thread that is in the buffer; none if none was read.
	first: Option<usize>,
}

impl Process {
	/// One that takes the place of a process of the image.
	pub(super) fn new(task: &Task<'_>, new: u32) -> Self {
		Process { old: task.pid, new, count: 0, size: 0, start: 0, threads: None, first: None }
	}

	/// The list of its threads. Another process that has its number by now is not taken for it.
	pub(super) fn threads(&mut self, proc: &Proc) -> Result<&Dir, Fault> {
		let threads = match self.threads.take() {
			Some(threads) => threads,
			None => {
				let threads = proc.threads(self.new)?;
				if self.start != 0 && self.start != start_time(&threads, self.new)? {
					return Err(Fault::Kernel(errno::ESRCH));
				}
				threads
			}
		};
		Ok(self.threads.insert(threads))
	}
}

/// The file with the status of a process's first thread, below /proc: that of the process adds up the times of all threads.
fn leader_stat(pid: u32) -> CString<40> {
	let mut path = CString::new();
	for part in [&with_number(b"", pid, b"/task/"), &with_number(b"", pid, b"/stat")] {
		let _ = path.extend_from_bytes(part.to_bytes()); // neither of them has a NUL
	}
	path
}

#[inline(never)] // its text would widen the caller's frame
fn start_time(threads: &Dir, tid: u32) -> Result<u64, Fault> {
	Ok(read_stat(threads, &with_number(b"", tid, b"/stat"), &mut [0; STAT_BYTES])?.start_time)
}

impl Join<'_, '_> {
	/// The running task that takes the place of this one: its process and itself.
	pub(super) fn seek(&mut self, task: &Task<'_>) -> Result<Option<(u32, u32)>, Fault> {
		if task.tid != task.pid {
			return self.thread(task);
		}
		self.process = None;
		let Some(new) = self.number_of(task.pid) else { return Ok(None) };
		self.process = self.find(task, new)?;
		if self.process.is_some() {
			self.buffers.known.add(new);
		}
		Ok(self.process.as_ref().map(|_| (new, new)))
	}

	/// The process with this number, if it is the same as that of the image.
	#[inline(never)] // its text would widen the caller's frame
	fn find(&self, task: &Task<'_>, new: u32) -> Result<Option<Process>, Fault> {
		let mut text = [0; STAT_BYTES];
		let stat = read_stat(self.proc.list(), &leader_stat(new), &mut text)?;
		let is_told = matches!(self.who, Who::SameIds | Who::SameNumbers);
		let found = Process { size: stat.threads, start: stat.start_time, ..Process::new(task, new) };
		Ok(Some(found).filter(|_| !is_told || is_same(&stat, &self.meant_task(task))))
	}

	/// How many threads a process has now.
	#[inline(never)] // its text would widen the caller's frame
	pub(super) fn threads_of(&self, pid: u32) -> Result<u32, Fault> {
		Ok(read_stat(self.proc.list(), &leader_stat(pid), &mut [0; STAT_BYTES])?.threads)
	}

	/// How many threads the current process had when it was found; 0 if that is not known, or this is another one.
	pub(super) fn size_of(&self, pid: u32) -> u32 {
		self.process.as_ref().filter(|process| process.new == pid).map_or(0, |process| process.size)
	}

	/// Whether this is the current process, and has one thread.
	pub(super) fn is_single(&self, pid: u32) -> bool {
		self.size_of(pid) == 1
	}

	/// The number of the process that takes the place of one of the image, if it is the same.
	pub(super) fn number_of(&self, old: u32) -> Option<u32> {
		match self.who {
			Who::Mapped(pairs) | Who::Inside(pairs, _) => pairs::find(pairs, old),
			Who::SameIds | Who::SameNumbers => Some(old),
			Who::Nobody => None,
		}
	}

	fn thread(&mut self, task: &Task<'_>) -> Result<Option<(u32, u32)>, Fault> {
		let process = self.process.as_mut().filter(|process| process.old == task.pid);
		let found = match (self.who, process) {
			(Who::Nobody, _) => None,
			(Who::SameIds | Who::SameNumbers, Some(process)) => {
				process.count += 1;
				Some(task.tid)
			}
			// What a dump says of a thread is little: it counts if its leader is the same.
			(Who::SameIds | Who::SameNumbers, None) if task.parent.is_none() => {
				let threads = self.proc.threads(task.pid)?;
				return Ok(self.is_alive(&threads, task)?.then_some((task.pid, task.tid)));
			}
			(Who::Mapped(_), Some(process)) => {
				process.count += 1;
				let nth = process.count - 1;
				self.thread_where(nth, None, &|at, _| at == nth)?
			}
			(Who::Inside(_, depth), Some(process)) => {
				process.count += 1;
				let wanted = task.ns_tid.unwrap_or(task.tid);
				self.thread_where(0, Some(depth), &|_, number| number == wanted)?
			}
			(_, None) => None,
		};
		Ok(self.process.as_ref().and_then(|process| found.map(|tid| (process.new, tid))))
	}

	/// The thread besides the leader of which this is true: its place in the order in which they were started, and its
	/// number. It is looked for in the part of the list that is in the buffer, and then in the parts from `from` on.
	fn thread_where(
		&mut self,
		from: usize,
		depth: Option<usize>,
		is_it: &dyn Fn(usize, u32) -> bool,
	) -> Result<Option<u32>, Fault> {
		let Some(first) = self.process.as_ref().map(|process| process.first) else { return Ok(None) };
		let (mut start, mut again) = (first.unwrap_or(0), first.is_none());
		let mut next = from;
		loop {
			if again {
				start = next;
				self.read_threads(start, depth)?;
			}
			let threads = &self.buffers.threads;
			if let Some((_, (_, tid))) = threads.iter().enumerate().find(|(at, (number, _))| is_it(start + at, *number))
			{
				return Ok(Some(*tid));
			}
			// The part that was read last ends the list, or the one in the buffer is all of it from `from` on.
			if !threads.is_full() && (again || start <= from) {
				return Ok(None);
			}
			next = if again { start + threads.len() } else { from };
			again = true;
		}
	}

	/// Puts the threads from a place on into the buffer, as many as there is room for.
	fn read_threads(&mut self, start: usize, depth: Option<usize>) -> Result<(), Fault> {
		let Buffers { list, text, threads, .. } = &mut *self.buffers;
		let Some(process) = &mut self.process else { return Ok(()) };
		let (new, mut skipped) = (process.new, 0);
		process.first = Some(start);
		threads.clear();
		let dir = process.threads(&self.proc)?;
		dir.rewind()?;
		while dir.list(list, &mut |name, _| {
			let Some(tid) = scan::number32(name).filter(|tid| *tid != new) else { return Ok(()) };
			if skipped < start {
				skipped += 1;
			} else if !threads.is_full() {
				let number = depth.and_then(|depth| number_of(dir, tid, depth, text)).unwrap_or(0);
				let _ = threads.push((number, tid));
			}
			Ok(())
		})? {}
		Ok(())
	}
}
