//! Processes in, tasks and sets of the image out.
//!
//! Sources: /proc/PID/task (threads), /proc/PID/task/TID/children (the tree, since Linux 3.5 with
//! CONFIG_PROC_CHILDREN; without it every process of /proc is asked for its parents), .../cgroup, .../stat. Each
//! distinct membership becomes one set, numbered in the order of discovery: a process's threads, its leader first, then
//! its children. As in CRIU the dumper's own set has number 1, the others count from 2. Tasks that exit meanwhile and
//! zombies are left out.

use heapless::Vec;

use crate::act::namespace::is_denied;
use crate::act::scope::{Scope, collect, inside, is_selected};
use crate::act::sets::Book;
use crate::error::{At, Error, Fault, errno};
use crate::image::sink::Store;
use crate::image::view::{Layout, Task};
use crate::image::writer::ImageWriter;
use crate::kernel::dir::{Dir, Each};
use crate::kernel::proc::{Proc, digits, is_gone, unless_gone};
use crate::kernel::stream::Reader;
use crate::limits::{LIST_BYTES, Limit, PENDING_PIDS, STAT_BYTES};
use crate::procfs::membership::memberships;
use crate::procfs::scan::Lines;
use crate::procfs::{children, scan, stat, status};

/// Bytes of a command name with room to spare (TASK_COMM_LEN is 16; kernel threads' names may be longer).
const COMM_BYTES: usize = 64;

/// What stays between tasks.
pub struct Buffers {
	/// The sets written so far.
	pub book: Book,
	waiting: Vec<u32, PENDING_PIDS>,
	list: [u8; LIST_BYTES],
	inner_list: [u8; LIST_BYTES],
}

impl Buffers {
	/// Empty ones.
	pub const fn new() -> Self {
		Buffers { book: Book::new(), waiting: Vec::new(), list: [0; LIST_BYTES], inner_list: [0; LIST_BYTES] }
	}
}

impl Default for Buffers {
	fn default() -> Self {
		Buffers::new()
	}
}

/// A census that goes on.
pub struct Census<'w, 's, S: Store> {
	/// Where sets and tasks go.
	pub writer: &'w mut ImageWriter<'s, S>,
	proc: Proc,
	scope: Scope<'w>,
	write_tasks: bool,
	book: &'w mut Book,
	pub(super) waiting: &'w mut Vec<u32, PENDING_PIDS>,
	/// Room for the lists of processes and of threads, while it is not in use.
	list: Option<&'w mut [u8; LIST_BYTES]>,
	inner_list: Option<&'w mut [u8; LIST_BYTES]>,
	text: &'w mut [u8],
	scratch: &'w mut [u8],
	/// Tasks counted.
	pub tasks: u64,
	/// Tasks whose cgroup namespace may not be looked at: where its roots are is not written.
	pub hidden: u64,
}

impl<'w, 's, S: Store> Census<'w, 's, S> {
	/// Before the first process; `text` and `scratch` hold one /proc/PID/cgroup each.
	pub fn new(
		writer: &'w mut ImageWriter<'s, S>,
		scope: Scope<'w>,
		write_tasks: bool,
		buffers: &'w mut Buffers,
		text: &'w mut [u8],
		scratch: &'w mut [u8],
	) -> Result<Self, Error> {
		let proc = Proc::open().at(format_args!("open /proc"))?;
		let Buffers { book, waiting, list, inner_list } = buffers;
		book.clear();
		let (list, inner_list) = (Some(list), Some(inner_list));
		Ok(Census {
			writer,
			proc,
			scope,
			write_tasks,
			book,
			waiting,
			list,
			inner_list,
			text,
			scratch,
			tasks: 0,
			hidden: 0,
		})
	}

	/// The process trees below `roots`.
	pub fn trees(&mut self, roots: &[u32]) -> Result<(), Error> {
		for (index, root) in roots.iter().enumerate() {
			let earlier = roots.get(..index).unwrap_or(&[]);
			let place = format_args!("read the tasks below process {root}");
			if self.has_parent_in(*root, earlier).at(place)? || earlier.contains(root) {
				continue;
			}
			match self.tree(*root, earlier) {
				Err(Fault::Kernel(errno::ENOENT)) => self.slow_tree(*root, earlier).at(place)?,
				result => result.at(place)?,
			}
		}
		Ok(())
	}

	/// One tree by `children` files. ENOENT before anything was written means that the kernel has none.
	fn tree(&mut self, root: u32, pruned: &[u32]) -> Result<(), Fault> {
		self.proc.thread(root, root)?.status_of(c"children")?;
		self.waiting.clear();
		self.wait(root)?;
		while let Some(pid) = self.waiting.pop() {
			if pruned.contains(&pid) {
				continue;
			}
			let first = self.waiting.len();
			unless_gone(self.process(pid, true))?;
			self.waiting.get_mut(first..).unwrap_or(&mut []).reverse();
		}
		Ok(())
	}

	fn wait(&mut self, pid: u32) -> Result<(), Fault> {
		let need = self.waiting.len() + 1;
		self.waiting.push(pid).map_err(|_| Fault::full(Limit::Waiting, need))
	}

	/// One tree by asking every process of /proc for its parents.
	fn slow_tree(&mut self, root: u32, pruned: &[u32]) -> Result<(), Fault> {
		self.proc.process(root)?;
		self.each_process(&mut |census, pid| {
			let below = pid == root || census.has_parent_in(pid, &[root])?;
			if below && !pruned.contains(&pid) && !census.has_parent_in(pid, pruned)? {
				return census.process(pid, false);
			}
			Ok(())
		})
	}

	/// Every process of /proc.
	pub fn everything(&mut self) -> Result<(), Error> {
		self.each_process(&mut |census, pid| census.process(pid, false)).at(format_args!("read the tasks of /proc"))
	}

	fn each_process(&mut self, each: &mut dyn FnMut(&mut Self, u32) -> Result<(), Fault>) -> Result<(), Fault> {
		let processes = self.proc.list().again()?;
		let Some(list) = self.list.take() else { return Ok(()) };
		let mut visit = |name: &[u8], _| match scan::number32(name).map(|pid| each(self, pid)) {
			Some(Err(fault)) if !is_gone(&fault) => Err(fault),
			_ => Ok(()),
		};
		let result = list_all(&processes, list, &mut visit);
		self.list = Some(list);
		result
	}

	/// Whether one of the parents of `pid` is in `roots`.
	fn has_parent_in(&self, pid: u32, roots: &[u32]) -> Result<bool, Fault> {
		let mut pid = pid;
		while !roots.is_empty() && pid > 1 {
			let mut text = [0; STAT_BYTES];
			let (len, _) = match self.proc.process(pid).and_then(|dir| dir.read(c"stat", &mut text)) {
				Err(fault) if is_gone(&fault) => return Ok(false),
				result => result?,
			};
			pid = stat::parse(&text[..len])?.parent;
			if roots.contains(&pid) {
				return Ok(true);
			}
		}
		Ok(false)
	}

	/// All threads of a process, its leader first; with `below`, its children begin to wait.
	pub(super) fn process(&mut self, pid: u32, below: bool) -> Result<(), Fault> {
		let threads = self.proc.threads(pid)?;
		let mut in_namespace = true;
		self.thread(&threads, pid, pid, below, &mut in_namespace)?;
		let Some(list) = self.inner_list.take() else { return Ok(()) };
		let result = list_all(&threads, list, &mut |name, _| match scan::number32(name) {
			Some(tid) if tid != pid => self.thread(&threads, pid, tid, below, &mut in_namespace),
			_ => Ok(()),
		});
		self.inner_list = Some(list);
		result
	}

	/// One thread; `in_namespace` says whether its process may have other numbers in a pid namespace of its own.
	fn thread(&mut self, threads: &Dir, pid: u32, tid: u32, below: bool, in_namespace: &mut bool) -> Result<(), Fault> {
		let dir = match threads.child(&digits(tid)) {
			Err(fault) if is_gone(&fault) => return Ok(()),
			result => result?,
		};
		unless_gone(self.record(&dir, pid, tid, in_namespace))?;
		match below {
			true => self.children(&dir),
			false => Ok(()),
		}
	}

	fn children(&mut self, dir: &Dir) -> Result<(), Fault> {
		let reader = match Reader::below(dir, c"children") {
			Err(fault) if is_gone(&fault) => return Ok(()),
			result => result?,
		};
		let mut line = [0; 64];
		let mut words = Lines::ended_by(b' ', reader, &mut line);
		loop {
			match words.next_line() {
				Ok(None) => return Ok(()),
				Ok(Some(word)) => {
					let pid = children::parse_id(word)?;
					self.wait(pid)?;
				}
				Err(fault) if is_gone(&fault) => return Ok(()),
				Err(fault) => return Err(fault),
			}
		}
	}

	/// Writes a task and, if it is new, its set.
	fn record(&mut self, dir: &Dir, pid: u32, tid: u32, in_namespace: &mut bool) -> Result<(), Fault> {
		let (len, _) = dir.read(c"cgroup", self.text)?;
		let text = self.text.get(..len).unwrap_or(&[]);
		let mut members = Vec::new();
		let at_root = collect(memberships(text), self.scope, &mut members)?;
		if members.is_empty() || !is_selected(&members, self.scope) {
			return Ok(());
		}
		let mut stat_text = [0; STAT_BYTES];
		let (len, _) = dir.read(c"stat", &mut stat_text)?;
		let stat = stat::parse(&stat_text[..len])?;
		if stat.is_dead() || matches!(self.scope, Scope::Host(_)) && at_root && stat.is_kernel_thread() {
			return Ok(());
		}
		if self.writer.layout() == Layout::Criu {
			match inside(&self.proc, dir, &mut members, self.scratch) {
				Err(fault) if is_denied(&fault) => self.hidden += 1,
				result => result?,
			}
		}
		let set = self.book.set(self.writer, &members, self.scratch)?;
		let ns_tid = if *in_namespace { namespace_id(dir, tid, self.scratch) } else { None };
		*in_namespace &= tid != pid || ns_tid.is_some();
		self.tasks += 1;
		if !self.write_tasks {
			return Ok(());
		}
		let comm = stat.comm.get(..stat.comm.len().min(COMM_BYTES)).unwrap_or(&[]);
		self.writer.task(&Task { pid, tid, ns_tid, parent: None, start_time: stat.start_time, comm, set })
	}
}

/// A whole list.
fn list_all(dir: &Dir, list: &mut [u8], each: Each<'_>) -> Result<(), Fault> {
	while dir.list(list, each)? {}
	Ok(())
}

/// The task's number in its own pid namespace, where that differs.
fn namespace_id(dir: &Dir, tid: u32, scratch: &mut [u8]) -> Option<u32> {
	let (len, _) = dir.read(c"status", scratch).ok()?;
	status::namespace_id(scratch.get(..len)?).filter(|ns_tid| *ns_tid != tid)
}
