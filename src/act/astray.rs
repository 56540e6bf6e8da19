//! A join that moves nobody: tasks that are elsewhere than the image says are told.

use crate::act::aim::Targets;
use crate::act::follow::Strays;
use crate::act::halt::Halt;
use crate::act::host::Host;
use crate::act::join::{Buffers, Join};
use crate::act::namespace::Lost;
use crate::act::tasks::{Dump, stranger};
use crate::act::who::Who;
use crate::difference::{Difference, What};
use crate::error::Fault;
use crate::image::view::{Image, Task};
use crate::kernel::dir::Dir;
use crate::kernel::proc::Proc;

impl<'w, 'a> Join<'w, 'a> {
	/// Before the first pass.
	pub fn new(
		image: Image<'a>,
		host: &'w Host,
		targets: &'w Targets,
		dump: Option<&'w Dump<'w>>,
		(who, proc): (Who<'w>, Proc),
		buffers: &'w mut Buffers,
	) -> Self {
		let (set, process, tell) = (None, None, None);
		buffers.known.clear();
		let mut join = Join {
			image,
			host,
			targets,
			dump,
			who,
			proc,
			buffers,
			set,
			process,
			at: 0,
			quiet: None,
			met: 0,
			tell,
			differences: 0,
			lost: Lost::default(),
			stray: Strays::default(),
			halt: Halt::No,
			to_root: false,
			read_all: false,
			leader: 0,
		};
		join.forget(); // what another join knew
		join
	}

	/// Whether the task of the image runs here with its numbers; it is one of these threads then.
	pub(super) fn is_alive(&self, threads: &Dir, task: &Task<'_>) -> Result<bool, Fault> {
		Ok(stranger(threads, &self.meant_task(task))?.is_none())
	}

	/// A task of the image as it would be here: with `--same-pids` only its name tells who it is.
	pub(super) fn meant_task<'t>(&self, task: &Task<'t>) -> Task<'t> {
		let parent = if matches!(self.who, Who::SameNumbers) { Some(0) } else { task.parent };
		Task { parent, ..*task }
	}

	/// Tells that a task is not in the group that is in `target`, but in the one in `old`.
	pub(super) fn differ(&mut self, at: usize, task: &Task<'_>) {
		let sides = [Some(&self.buffers.target[..]), Some(&self.buffers.old[..])];
		let hierarchy = self.host.hierarchies[at].label.bytes();
		self.differences += 1;
		if let Some(tell) = &mut self.tell {
			tell(&Difference { hierarchy, group: b"", what: What::Task(task.pid, task.tid), sides });
		}
	}
}
