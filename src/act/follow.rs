//! Tasks that were moved in, those that they forked since the dump out: they go along.
//!
//! A fork is wholly before or wholly after a move (`cgroup_threadgroup_rwsem` of kernel/cgroup/cgroup.c), so whoever was
//! forked before is in /proc once the move is done, and whoever is forked later is in the new group. So /proc is looked
//! through after the moves for tasks that are not of the image and have a parent that is, or that came along itself; who
//! still is where the parent was, as the journal knows, is moved as well. That is done again until nobody is found: each
//! task that is found may have forked others before it was moved. Who sits elsewhere was put there by somebody, and
//! stays. A task whose parent has exited counts as forked by the one that inherited it.

use crate::act::halt::Halt;
use crate::act::join::{Buffers, Join};
use crate::act::journal::{Change, Journal};
use crate::error::{At, Error, Fault, Why};
use crate::image::view::Task;
use crate::kernel;
use crate::kernel::dir::Dir;
use crate::kernel::proc::{is_gone, with_number};
use crate::kernel::stream::Reader;
use crate::limits::{COMM_BYTES, RECORD_BYTES, STAT_BYTES};
use crate::log::Log;
use crate::name::{ShownPath, is_below_or_same};
use crate::procfs::membership::find;
use crate::procfs::scan::Lines;
use crate::procfs::{scan, stat, status};

/// Tasks that were forked since the dump, and sit outside of all groups of the image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strays {
	count: u64,
	first: u32,
}

impl Strays {
	/// One line, if there are any.
	pub fn tell(&self, log: &mut dyn Log) {
		let Strays { count, first } = self;
		if *count > 0 {
			log.warn(format_args!(
				"tasks that were forked since the dump and sit outside of its groups: {count}, the first is {first}; somebody put them there, so they stay"
			));
		}
	}
}

/// How many tasks were started since boot: `processes` of /proc/stat, proc_stat(5). None if that cannot be known.
fn started_tasks(line: &mut [u8]) -> Option<u64> {
	let mut lines = Lines::new(Reader::open(c"/proc/stat").ok()?, line);
	while let Some(line) = lines.next_line().ok()? {
		if let Some(count) = line.strip_prefix(b"processes ") {
			return scan::number(count).filter(|count| *count != 0);
		}
	}
	None
}

impl Join<'_, '_> {
	/// Moves who was forked since the dump and is where its parent was; how many.
	pub fn follow(
		&mut self,
		journal: &mut Journal<'_>,
		record: &mut [u8; RECORD_BYTES],
		log: &mut dyn Log,
	) -> Result<u64, Error> {
		let place = format_args!("tasks that were forked since the dump");
		let (mut moved, mut after) = (0, 0);
		self.stray = Strays::default();
		// Of a dump of groups nobody knows who was there, and elsewhere.
		let about = self.image.about().at(place)?;
		if !about.map_or(Ok(true), |about| about.has_whole_trees()).at(place)? {
			return Ok(0);
		}
		let started = started_tasks(&mut self.buffers.text);
		if started.is_some() && started == self.quiet {
			return Ok(0); // nobody forked since the last look
		}
		self.quiet = None;
		loop {
			self.buffers.late.clear();
			self.find_late(after).at(place)?;
			if self.buffers.late.is_empty() {
				self.quiet = started.filter(|_| after == 0);
				return Ok(moved);
			}
			journal.flush().at(format_args!("write the journal"))?;
			let mut at = 0;
			while let Some((found, end)) = journal.at(at, record).at(format_args!("read the journal"))? {
				at = end;
				if let Change::Moved { tid, whole, .. } = found.change {
					moved += self.bring_late((tid, whole), found.hierarchy, found.path, journal)?;
				}
			}
			for index in 0..self.buffers.late.len() {
				self.judge_late(index, log).at(place)?;
			}
			if !self.buffers.late.is_full() {
				return Ok(moved); // who was forked since then has a parent who is at its place, or was counted
			}
			after = self.buffers.late.last().map_or(u32::MAX, |(pid, _)| *pid);
		}
	}

	/// Adds to the list the processes with numbers above `after`, which /proc gives in their order, that are not of the image
	/// and whose parents are.
	pub(super) fn find_late(&mut self, after: u32) -> Result<(), Fault> {
		let Buffers { list, known, late, .. } = &mut *self.buffers;
		let (processes, own) = (self.proc.list().again()?, kernel::own_pid());
		while processes.list(list, &mut |name, _| {
			let Some(pid) = scan::number32(name).filter(|pid| *pid > after && *pid != own && !known.has(*pid)) else {
				return Ok(());
			};
			if let Some(parent) = parent_of(&processes, pid)?.filter(|parent| known.has(*parent)) {
				let _ = late.push((pid, parent)); // who does not fit is found by the next pass
			}
			Ok(())
		})? {}
		Ok(())
	}

	/// Moves those of the list whose parent, or one of its threads, was moved out of a group in which they still are.
	fn bring_late(
		&mut self,
		(tid, whole): (u32, bool),
		at: usize,
		from: &[u8],
		journal: &mut Journal<'_>,
	) -> Result<u64, Error> {
		let (mut moved, mut parent) = (0, Some(tid).filter(|_| whole));
		for index in 0..self.buffers.late.len() {
			let (pid, of) = self.buffers.late[index];
			if parent.is_none() {
				parent = Some(self.process_of(tid));
			}
			if parent != Some(of) {
				continue;
			}
			match self.bring_one(pid, tid, at, from, journal) {
				Err(fault) if is_gone(&fault) => {}
				result => {
					moved += u64::from(result.map_err(|fault| self.refused(fault, &late_task(pid, b"")))?);
				}
			}
		}
		Ok(moved)
	}

	/// The process of a thread; 0 if it is gone.
	fn process_of(&mut self, tid: u32) -> u32 {
		let text = &mut self.buffers.text;
		let read = self.proc.list().read_text(&with_number(b"", tid, b"/status"), text);
		read.ok().and_then(|len| status::process(text.get(..len)?)).unwrap_or(0)
	}

	/// Moves a process that is in the group `from` to where its parent is now; whether it was there.
	fn bring_one(
		&mut self,
		pid: u32,
		parent: u32,
		at: usize,
		from: &[u8],
		journal: &mut Journal<'_>,
	) -> Result<bool, Fault> {
		if !self.is_in(pid, at, from)? {
			return Ok(false);
		}
		if self.is_in(parent, at, from)? {
			let Some(place) = self.foreseen_place(parent, at, journal) else { return Ok(false) };
			self.buffers.old = place;
		}
		let Buffers { target, old, .. } = &mut *self.buffers;
		core::mem::swap(target, old); // where the parent is, or would be; where the child is
		match self.bring_process(pid, at, journal) {
			Err(fault) if is_gone(&fault) => return Ok(true), // it may have forked before: it is looked for once more
			result => result?,
		}
		self.buffers.known.add(pid);
		if journal.is_dry() {
			let mut name = [0; COMM_BYTES + 1];
			let read = self.proc.list().read_text(&with_number(b"", pid, b"/comm"), &mut name);
			let comm = name.get(..read.unwrap_or(0)).unwrap_or(b"").trim_ascii_end();
			self.foresee_move(pid, true, &late_task(pid, comm), journal);
		}
		Ok(true)
	}

	/// Whether a task is in this group, which is left in `target`; its group is left in `old`.
	fn is_in(&mut self, tid: u32, at: usize, group: &[u8]) -> Result<bool, Fault> {
		self.buffers.target.clear();
		let _ = self.buffers.target.extend_from_slice(group); // it comes from such a buffer
		self.is_in_target(tid, at)
	}

	/// The same for the group that is in `target` already.
	pub(super) fn is_in_target(&mut self, tid: u32, at: usize) -> Result<bool, Fault> {
		let text = &mut self.buffers.text;
		let len = self.proc.list().read_text(&with_number(b"", tid, b"/cgroup"), text)?;
		match self.is_there(at, len) {
			Err(Fault::Unfit(Why::OutsideNamespace)) => Ok(false),
			is_there => is_there,
		}
	}

	/// Tells where a process of the list is that stays; one outside of all groups of the image is counted.
	fn judge_late(&mut self, index: usize, log: &mut dyn Log) -> Result<(), Fault> {
		let Buffers { text, known, late, .. } = &mut *self.buffers;
		let (pid, parent) = late[index];
		if self.halt != Halt::No {
			return Ok(()); // nobody is where he is going to stay
		}
		let read = self.proc.list().read_text(&with_number(b"", pid, b"/cgroup"), text);
		let Ok(len) = read else { return Ok(()) };
		if known.has(pid) || parent_of(self.proc.list(), pid)?.is_none() {
			return Ok(()); // one that has exited is shown in the root
		}
		let text = text.get(..len).unwrap_or(&[]);
		let label = |at: usize| self.host.hierarchies[at].label.bytes();
		for target in self.targets.iter() {
			let Some(line) = find(text, label(target.at))? else { continue };
			let path = line.path.strip_prefix(b"/").unwrap_or(line.path);
			let mut same = self.targets.iter().filter(|other| other.at == target.at);
			if same.any(|other| is_in_tree(path, other.rule.top())) {
				continue;
			}
			log.info(format_args!("task {pid}, forked since the dump by {parent}, stays in group {}", ShownPath(path)));
			self.stray.first = if self.stray.count == 0 { pid } else { self.stray.first };
			self.stray.count += 1;
			break;
		}
		Ok(())
	}
}

/// The parent of a process, unless it has exited.
pub(super) fn parent_of(processes: &Dir, pid: u32) -> Result<Option<u32>, Fault> {
	let mut text = [0; STAT_BYTES];
	let Ok(len) = processes.read_text(&with_number(b"", pid, b"/stat"), &mut text) else { return Ok(None) };
	let stat = stat::parse(text.get(..len).unwrap_or(&[]))?;
	Ok(Some(stat.parent).filter(|_| !stat.is_dead()))
}

/// A process that is not of the image, for messages.
fn late_task(pid: u32, comm: &[u8]) -> Task<'_> {
	Task { pid, tid: pid, ns_tid: None, parent: None, start_time: 0, comm, set: 0 }
}

/// Whether a group is this one or below it; all are below the root, whose path is empty.
fn is_in_tree(path: &[u8], top: &[u8]) -> bool {
	top.is_empty() || is_below_or_same(path, top)
}
