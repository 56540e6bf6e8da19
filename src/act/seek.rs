//! A task of the image in, the running one that takes its place out.
//!
//! A process is known first, and its directory stays open: its threads are looked for there, so they are its own.

use crate::act::join::{Buffers, Join};
use crate::act::pairs::find;
use crate::act::pidns::number_of;
use crate::act::who::Who;
use crate::error::Fault;
use crate::image::view::Task;
use crate::kernel::dir::Dir;
use crate::procfs::scan;

/// A process of the image that was found.
pub struct Process {
	pub(super) old: u32,
	pub(super) new: u32,
	/// Threads of the image met so far, its leader not counted.
	pub(super) count: usize,
	/// The list of its threads.
	pub(super) threads: Dir,
	/// The place in that list of the first thread that is in the buffer; none if none was read.
	first: Option<usize>,
}

impl Join<'_, '_> {
	/// The running task that takes the place of this one: its process and itself.
	pub(super) fn seek(&mut self, task: &Task<'_>) -> Result<Option<(u32, u32)>, Fault> {
		if task.tid != task.pid {
			return self.thread(task);
		}
		self.process = None;
		let Some(new) = self.number_of(task.pid) else { return Ok(None) };
		let threads = self.proc.threads(new)?;
		if matches!(self.who, Who::SameIds | Who::SameNumbers) && !self.is_alive(&threads, task)? {
			return Ok(None);
		}
		self.buffers.known.add(new);
		self.process = Some(Process { old: task.pid, new, count: 0, threads, first: None });
		Ok(Some((new, new)))
	}

	/// The number of the process that takes the place of one of the image, if it is the same.
	pub(super) fn number_of(&self, old: u32) -> Option<u32> {
		match self.who {
			Who::Mapped(pairs) | Who::Inside(pairs, _) => find(pairs, old),
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
		let Some(Process { new, threads: dir, first, .. }) = &mut self.process else { return Ok(()) };
		let mut skipped = 0;
		*first = Some(start);
		threads.clear();
		dir.rewind()?;
		while dir.list(list, &mut |name, _| {
			let Some(tid) = scan::number32(name).filter(|tid| tid != new) else { return Ok(()) };
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
