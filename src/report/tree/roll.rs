//! The members of one group in, one line for people out: `members: 175 web, 177 db (3 threads)`.

use core::fmt::{self, Display, Write};

use super::members::{Ids, Members};
use crate::image::view::Task;
use crate::name::Shown;
use crate::report::decode::Stop;

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
) -> Result<bool, Stop> {
	let mut list = List { out, lead, most: if all { u64::MAX } else { NAMED }, count: 0 };
	let mut sets = members.sets_in(path);
	if members.task_count() == 0 {
		for set in sets {
			list.item(format_args!("set {}", set?.id))?;
		}
		return Ok(list.end()?);
	}
	while let Some(ids) = Ids::take(&mut sets)? {
		let mut run: Option<Run> = None;
		for task in members.tasks_of(&ids) {
			let task = task?;
			match &mut run {
				Some(run) if run.first.pid == task.pid => run.tasks += 1,
				_ => list.run(run.replace(Run { first: task, tasks: 1 }))?,
			}
		}
		list.run(run)?;
	}
	Ok(list.end()?)
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
	fn run(&mut self, run: Option<Run<'_>>) -> fmt::Result {
		run.map_or(Ok(()), |run| self.item(format_args!("{run}")))
	}

	fn item(&mut self, item: fmt::Arguments<'_>) -> fmt::Result {
		self.count += 1;
		match self.count {
			1 => write!(self.out, "{}members: {item}", self.lead),
			count if count <= self.most => write!(self.out, ", {item}"),
			_ => Ok(()),
		}
	}

	fn end(self) -> Result<bool, fmt::Error> {
		if let Some(more @ 1..) = self.count.checked_sub(self.most) {
			write!(self.out, " and {more} more")?;
		}
		Ok(self.count > 0)
	}
}
