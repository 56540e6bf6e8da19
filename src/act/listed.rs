//! Chosen groups in, the tasks of the processes that they list out: of a few groups that takes less than asking every
//! process of /proc where it is.
//!
//! Source: cgroup.procs, cgroups(7). On v1 it has the processes of all tasks of a group; on v2 it cannot be read in a
//! threaded group, and then /proc is asked. Processes come in the order of /proc, so the image is the same.

use crate::act::census::Census;
use crate::act::host::Host;
use crate::act::levels::{Level, Levels};
use crate::act::scope::Selected;
use crate::error::{At, Error, Fault, errno};
use crate::image::sink::Store;
use crate::kernel::dir::Dir;
use crate::kernel::proc::{is_gone, read_path, unless_gone};
use crate::kernel::stream::Reader;
use crate::name::Name;
use crate::procfs::scan::{Lines, number32, words};

/// Tasks of the host for each group whose list is read: so much longer does it take to look at a process.
const SHARE: u32 = 4;
/// Groups whose lists are read on any host.
const FEW: u32 = 16;

impl<S: Store> Census<'_, '_, S> {
	/// Every process in the groups, or below them.
	pub fn members(&mut self, host: &Host, chosen: &[Selected<'_>], levels: &mut Levels) -> Result<(), Error> {
		let mut most = tasks_of_host() / SHARE + FEW;
		self.waiting.clear();
		let is_listed = chosen.iter().all(|group| self.list(host, *group, levels, &mut most).is_ok());
		let _ = levels.restart(b""); // nothing stays open
		if !is_listed {
			return self.everything();
		}
		for index in 0..self.waiting.len() {
			unless_gone(self.process(self.waiting[index], false)).at(format_args!("read the tasks of the groups"))?;
		}
		Ok(())
	}

	/// Adds the processes of a group and of those below it; a fault if there are too many, or they cannot be read.
	fn list(
		&mut self,
		host: &Host,
		(label, path): Selected<'_>,
		levels: &mut Levels,
		most: &mut u32,
	) -> Result<(), Fault> {
		let at = host.hierarchies.iter().position(|hierarchy| hierarchy.label.is_same(label.bytes()));
		let mut next = at.map_or(Ok(None), |at| host.open(at, path))?;
		let mut name = Name::empty();
		levels.restart(b"")?;
		loop {
			if let Some(dir) = next.take() {
				*most = most.checked_sub(1).ok_or(Fault::NotKept)?;
				self.add(&dir)?;
				levels.push(Level { dir, mark: None, more: true, named: false })?;
			}
			if levels.is_empty() {
				return Ok(());
			}
			if !levels.next_child(&mut name)? {
				levels.pop();
				continue;
			}
			next = match levels.top().map(|top| top.child(name.as_c_str())) {
				Some(Err(fault)) if is_gone(&fault) => None,
				child => child.transpose()?,
			};
		}
	}

	fn add(&mut self, dir: &Dir) -> Result<(), Fault> {
		let mut line = [0; 64];
		let mut lines = Lines::new(Reader::below(dir, c"cgroup.procs")?, &mut line);
		loop {
			let pid = match lines.next_line() {
				Err(Fault::Kernel(errno::ENODEV)) | Ok(None) => return Ok(()), // the group is gone
				line => line?.and_then(number32).filter(|pid| *pid != 0).ok_or(Fault::NotKept)?,
			};
			let at = self.waiting.partition_point(|known| *known < pid);
			if self.waiting.get(at) != Some(&pid) {
				self.waiting.insert(at, pid).map_err(|_| Fault::NotKept)?;
			}
		}
	}
}

/// Threads of the whole host: the fourth field of /proc/loadavg, behind its slash, proc_loadavg(5). 0 if that cannot be known.
fn tasks_of_host() -> u32 {
	let mut text = [0; 128];
	let len = read_path(c"/proc", c"loadavg", &mut text).unwrap_or(0);
	let count = words(text.get(..len).unwrap_or(&[])).nth(3).and_then(|field| field.split(|byte| *byte == b'/').nth(1));
	count.and_then(number32).unwrap_or(0)
}
