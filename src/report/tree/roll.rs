//! The members of one group in, one line for people out: `members: 175 web, 177 db (3 threads)`.

use core::fmt::{self, Display, Write};

use super::members::Members;
use crate::error::Fault;
use crate::image::view::Task;
use crate::name::Shown;
use crate::report::Put;

/// Members that are named; the others are only counted.
const NAMED: u64 = 6;

/// Writes the members of the group at `path` behind `lead`, or nothing if there are none; whether there were some. In
/// an image without tasks these are its sets.
pub fn members(
	members: &Members<'_>,
	path: &[u8],
	all: bool,
	lead: &dyn Display,
	out: &mut dyn Write,
) -> Result<bool, Fault> {
	let mut list = List { out, lead, most: if all { u64::MAX } else { NAMED }, count: 0 };
	if members.task_count() == 0 {
		members.sets_in(path, &mut |set| {
			list.item(&format_args!("set {}", set.id));
			Ok(())
		})?;
		return Ok(list.end());
	}
	let mut run: Option<Run> = None;
	members.tasks_in(path, &mut |task| {
		match &mut run {
			Some(run) if run.first.pid == task.pid => run.tasks += 1,
			_ => list.run(run.replace(Run { first: task, tasks: 1 })),
		}
		Ok(())
	})?;
	list.run(run);
	Ok(list.end())
}

/// Tasks of one process that follow each other, its leader first if it is among them.
struct Run<'a> {
	first: Task<'a>,
	tasks: u64,
}

impl Display for Run<'_> {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let Task { pid, tid, comm, .. } = self.first;
		write!(f, "{tid} {}", Shown(comm))?;
		match (tid == pid, self.tasks) {
			(true, 1) => Ok(()),
			(true, tasks) => write!(f, " ({tasks} threads)"),
			(false, 1) => write!(f, " (a thread of {pid})"),
			(false, tasks) => write!(f, " ({tasks} threads of {pid})"),
		}
	}
}

/// A list whose beginning is named.
struct List<'w> {
	out: &'w mut dyn Write,
	lead: &'w dyn Display,
	most: u64,
	count: u64,
}

impl List<'_> {
	fn run(&mut self, run: Option<Run<'_>>) {
		if let Some(run) = run {
			self.item(&run);
		}
	}

	fn item(&mut self, item: &dyn Display) {
		self.count += 1;
		match self.count {
			1 => self.out.put(format_args!("{}members: {item}", self.lead)),
			count if count <= self.most => self.out.put(format_args!(", {item}")),
			_ => {}
		}
	}

	fn end(self) -> bool {
		if let Some(more @ 1..) = self.count.checked_sub(self.most) {
			self.out.put(format_args!(" and {more} more"));
		}
		self.count > 0
	}
}
