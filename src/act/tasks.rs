//! The tasks of a restore: those of the image or, where CRIU wrote it, those of the dump in its folder.
//!
//! A dump is read task by task: pstree.img says which there are, core-TID.img of each which set it is in. One file is
//! mapped at a time, so memory does not grow with the tasks. What CRIU does with a set's number counts here too: that of
//! a thread that has none is its leader's, zombies have none, and CRIU's own set is in no image.

use core::ffi::CStr;

use heapless::Vec;

use crate::error::{At, Error, Fault, Why, errno};
use crate::image::dump::{Core, Entries, Process, root_set};
use crate::image::view::{Image, Pages, Repeated, Set, Task};
use crate::kernel::dir::Dir;
use crate::kernel::fenced::Map;
use crate::kernel::output::c_string;
use crate::kernel::proc::{Proc, is_gone, read_path, with_number};
use crate::limits::{COMM_BYTES, PIDS, STAT_BYTES};
use crate::log::Log;
use crate::name::Shown;
use crate::procfs::stat::{self, Stat};

/// The number of no set: such a task stays where it is.
pub const NO_SET: u32 = 0;

/// Tasks between two releases of what was read of pstree.img.
const RELEASED: u32 = 4096;
/// Tasks that are told one by one; the others are counted.
const TOLD: u64 = 8;

/// CRIU's dump in a folder.
pub struct Dump<'p> {
	path: &'p [u8],
	dir: Dir,
	pstree: Map,
	/// The number of CRIU's own set, if it is none of the image.
	own_set: u32,
}

impl<'p> Dump<'p> {
	/// The dump beside an image of CRIU, whose numbers of sets are its own; none beside one of cgraft.
	pub fn beside(image: &Image<'_>, folder: Option<&'p [u8]>) -> Result<Option<Self>, Error> {
		match folder {
			Some(folder) if image.about().at(format_args!("the image"))?.is_none() => Dump::open(folder, image),
			_ => Ok(None),
		}
	}

	/// Opens the dump that is in the folder of an image; none where there is no inventory.img.
	pub fn open(path: &'p [u8], image: &Image<'_>) -> Result<Option<Self>, Error> {
		let dir = c_string::<{ crate::limits::PATH_BYTES }>(path)
			.and_then(|path| Dir::open(&path))
			.at(format_args!("open {}", Shown(path)))?;
		let inventory = match dir.map(c"inventory.img") {
			Err(Fault::Kernel(errno::ENOENT)) => return Ok(None),
			map => map.map_err(missing).and_then(|map| root_set(map.bytes())),
		};
		let own_set = inventory.map_err(|fault| error(fault, path, b"inventory.img"))?;
		let own_set = if Sets::new(image).has(own_set)? { NO_SET } else { own_set };
		let pstree = dir.map(c"pstree.img").map_err(|fault| error(missing(fault), path, PSTREE))?;
		Ok(Some(Dump { path, dir, pstree, own_set }))
	}
}

const PSTREE: &[u8] = b"pstree.img";

fn error(fault: Fault, path: &[u8], file: &[u8]) -> Error {
	Error::new(fault, format_args!("{}/{}", Shown(path), Shown(file)))
}

/// What is not there, or is something else than a file, is a damage of the dump.
fn missing(fault: Fault) -> Fault {
	match fault {
		Fault::Kernel(errno::ENOENT | errno::ELOOP | errno::EXDEV) | Fault::Text(Why::RegularFile) => {
			Fault::image(0, Why::NoDumpFile)
		}
		fault => fault,
	}
}

/// Tasks one after the other, the leader of a process first.
pub enum Tasks<'d, 'a> {
	/// Of the image.
	Image(Repeated<'a, Task<'a>>),
	/// Of a dump.
	Dump(Walk<'d>),
}

impl<'d, 'a> Tasks<'d, 'a> {
	/// Before the first task.
	pub fn new(image: &Image<'a>, dump: Option<&'d Dump<'d>>) -> Result<Self, Error> {
		match dump {
			None => Ok(Tasks::Image(image.tasks())),
			Some(dump) => Walk::new(dump).map(Tasks::Dump),
		}
	}

	/// The next task.
	pub fn read(&mut self) -> Result<Option<Task<'_>>, Error> {
		match self {
			Tasks::Image(tasks) => tasks.next().transpose().at(format_args!("the image")),
			Tasks::Dump(walk) => walk.read(),
		}
	}
}

/// A way through the tasks of a dump.
pub struct Walk<'d> {
	dump: &'d Dump<'d>,
	entries: Entries<'d>,
	process: Option<Process<'d>>,
	/// What the core image of its leader says.
	set: u32,
	/// The name of the task that was read last.
	comm: Vec<u8, COMM_BYTES>,
	count: u32,
	/// Tasks without a set that are no zombies.
	without: u32,
}

impl<'d> Walk<'d> {
	fn new(dump: &'d Dump<'d>) -> Result<Self, Error> {
		let entries = Entries::of_pstree(dump.pstree.bytes()).map_err(|fault| error(fault, dump.path, PSTREE))?;
		Ok(Walk { dump, entries, process: None, set: NO_SET, comm: Vec::new(), count: 0, without: 0 })
	}

	fn read(&mut self) -> Result<Option<Task<'_>>, Error> {
		let step = self.step().map_err(|fault| error(fault, self.dump.path, PSTREE))?;
		let Some((pid, parent, tid)) = step else { return Ok(None) };
		let name = with_number(b"core-", tid, b".img");
		let map = self.dump.dir.map(&name).map_err(missing);
		let set = map.and_then(|map| self.set_of(&Core::read(map.bytes(), tid == pid)?, tid == pid));
		let set = set.map_err(|fault| error(fault, self.dump.path, name.to_bytes()))?;
		Ok(Some(Task { pid, tid, ns_tid: None, parent: Some(parent), start_time: 0, comm: &self.comm, set }))
	}

	/// Process, parent and thread of the next task.
	fn step(&mut self) -> Result<Option<(u32, u32, u32)>, Fault> {
		if self.count.is_multiple_of(RELEASED) {
			self.dump.pstree.release();
		}
		self.count += 1;
		if let Some(process) = &mut self.process {
			if self.count > PIDS {
				return Err(Fault::image(process.at, Why::TooManyTasks));
			}
			if let Some(tid) = process.thread()? {
				return Ok(Some((process.pid, process.parent, tid)));
			}
		}
		let Some(entry) = self.entries.next() else { return Ok(None) };
		let process = self.process.insert(Process::read(entry?)?);
		Ok(Some((process.pid, process.parent, process.pid)))
	}

	/// Takes the name of a task; its set, and of a leader what its threads are to know.
	fn set_of(&mut self, core: &Core<'_>, is_leader: bool) -> Result<u32, Fault> {
		self.comm.clear();
		let _ = self.comm.extend_from_slice(core.comm); // it has no more bytes
		let own = core.set.filter(|set| *set != NO_SET && !core.is_dead);
		if is_leader {
			self.set = own.unwrap_or(NO_SET);
		}
		if core.is_dead {
			self.process = None; // the list of its threads is undefined
			return Ok(NO_SET);
		}
		let set = own.unwrap_or(self.set);
		let set = if set == self.dump.own_set { NO_SET } else { set };
		self.without += u32::from(set == NO_SET);
		Ok(set)
	}
}

/// Judges a dump before anything is touched. Tasks that stay where they are are told; with `proc` also those that are
/// not running here.
pub fn judge(image: &Image<'_>, dump: &Dump<'_>, proc: Option<&Proc>, log: &mut dyn Log) -> Result<(), Error> {
	let (mut walk, mut sets) = (Walk::new(dump)?, Sets::new(image));
	let (mut strangers, mut strange) = (0, 0);
	while let Some(task) = walk.read()? {
		if task.set == NO_SET || task.pid == strange {
			continue;
		}
		if !sets.has(task.set)? {
			return Err(error(
				Fault::image(0, Why::NoSet),
				dump.path,
				with_number(b"core-", task.tid, b".img").to_bytes(),
			));
		}
		let place = format_args!("task {} ({})", task.tid, Shown(task.comm));
		let why = proc.map_or(Ok(None), |proc| stranger_of(proc, &task)).at(place)?;
		if let Some(why) = why {
			strange = if task.tid == task.pid { task.pid } else { strange };
			strangers += 1;
			if strangers <= TOLD {
				log.warn(format_args!("{place} stays where it is: {}", why.text()));
			}
		}
	}
	if strangers > TOLD {
		log.warn(format_args!("{} tasks more stay where they are", strangers - TOLD));
	}
	if walk.without > 0 {
		log.warn(format_args!("{} tasks stay where they are: they were in CRIU's own groups", walk.without));
	}
	Ok(())
}

/// Why the running task with the number of this one is not the same; none if it is, as far as can be told. `threads` is
/// the list of its process's threads.
pub fn stranger(threads: &Dir, task: &Task<'_>) -> Result<Option<Why>, Fault> {
	match read_stat(threads, &with_number(b"", task.tid, b"/stat"), &mut [0; STAT_BYTES]) {
		Err(fault) if is_gone(&fault) => Ok(Some(Why::NotRunning)),
		stat => Ok(if is_same(&stat?, task) { None } else { Some(Why::OtherTask) }),
	}
}

/// Reads a task's status below an open directory of /proc.
pub(super) fn read_stat<'t>(dir: &Dir, file: &CStr, text: &'t mut [u8; STAT_BYTES]) -> Result<Stat<'t>, Fault> {
	let len = dir.read_text(file, text)?;
	stat::parse(text.get(..len).unwrap_or(&[]))
}

/// Whether a running task is the same as this one, as far as can be told, and can be moved.
pub fn is_same(stat: &Stat<'_>, task: &Task<'_>) -> bool {
	let is_same = match task.parent {
		None => stat.start_time == task.start_time,
		Some(parent) => [stat.comm, b""].contains(&task.comm) && [stat.parent, 0].contains(&parent),
	};
	is_same && !stat.is_dead()
}

/// The same by the numbers of this host.
pub fn stranger_of(proc: &Proc, task: &Task<'_>) -> Result<Option<Why>, Fault> {
	match proc.threads(task.pid) {
		Err(fault) if is_gone(&fault) => Ok(Some(Why::NotRunning)),
		threads => stranger(&threads?, task),
	}
}

/// The last 32 bits of when the task was started, which are not 0; 0 if there is no such task.
pub fn start_of(tid: u32) -> Result<u32, Fault> {
	let mut text = [0; STAT_BYTES];
	let len = read_path(with_number(b"/proc/", tid, b"").as_c_str(), c"stat", &mut text)?;
	Ok(stat::parse(text.get(..len).unwrap_or(&[])).map_or(0, |stat| (stat.start_time as u32).max(1)))
}

/// The sets of an image; asking for them in their order takes one pass.
struct Sets<'i, 'a> {
	image: &'i Image<'a>,
	rest: Repeated<'a, Set<'a>>,
	last: u32,
}

impl<'i, 'a> Sets<'i, 'a> {
	fn new(image: &'i Image<'a>) -> Self {
		Sets { image, rest: image.sets(), last: NO_SET }
	}

	/// Whether there is a set with this number.
	fn has(&mut self, id: u32) -> Result<bool, Error> {
		for _ in 0..2 {
			if self.last == id {
				return Ok(true);
			}
			while let Some(set) = self.rest.next().transpose().at(format_args!("the image"))? {
				self.last = set.id;
				if set.id == id {
					return Ok(true);
				}
			}
			self.rest = self.image.sets();
		}
		Ok(false)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	extern crate std;
	use std::format;
	use std::string::{String, ToString};
	use std::vec::Vec;

	const IMAGE: &[u8] = include_bytes!("../../tests/corpus/v1-threads/cgroup.img");

	/// The tasks of a folder as lines of `tests/peers/tasks.sh`, without the state.
	fn tasks(folder: &str) -> Result<String, Error> {
		let image = Image::open(IMAGE).unwrap();
		let dump = Dump::open(folder.as_bytes(), &image)?.unwrap();
		let mut tasks = Tasks::new(&image, Some(&dump))?;
		let mut lines = String::new();
		while let Some(Task { pid, tid, parent, comm, set, .. }) = tasks.read()? {
			let (parent, comm) = (parent.unwrap(), std::str::from_utf8(comm).unwrap());
			lines += &format!("{pid}\t{parent}\t{tid}\t{set}\t{comm}\n");
		}
		Ok(lines)
	}

	/// What crit reads: the state cut out, and CRIU's own set, which is 1 in these dumps, is none.
	fn expected(tsv: &str) -> String {
		let line = |line: &str| {
			let fields: Vec<&str> = line.split('\t').collect();
			let set = if fields[4] == "1" { "0" } else { fields[4] };
			format!("{}\t{}\t{}\t{set}\t{}\n", fields[0], fields[1], fields[2], fields[5])
		};
		tsv.lines().map(line).collect()
	}

	#[test]
	fn dumps_of_criu_as_crit_reads_them() {
		for (folder, tsv) in [
			("v1-ct", include_str!("../../tests/corpus/v1-ct/tasks.tsv")),
			("v1-threads", include_str!("../../tests/corpus/v1-threads/tasks.tsv")),
			("v2-web", include_str!("../../tests/corpus/v2-web/tasks.tsv")),
			("zombies", include_str!("../../tests/corpus/zombies/tasks.tsv")),
		] {
			let read = tasks(&format!("tests/corpus/{folder}")).unwrap();
			assert!(!read.is_empty());
			assert_eq!(read, expected(tsv), "{folder}");
		}
	}

	#[test]
	fn a_folder_without_a_dump_has_none() {
		let image = Image::open(IMAGE).unwrap();
		assert!(Dump::open(b"tests/corpus", &image).unwrap().is_none());
		assert!(matches!(Dump::open(b"tests/none", &image), Err(Error { fault: Fault::Kernel(errno::ENOENT) })));
	}

	#[test]
	fn the_name_and_the_parent_tell_who_is_who() {
		let proc = Proc::open().unwrap();
		let pid = std::process::id();
		let parent = std::os::unix::process::parent_id();
		let comm = std::fs::read_to_string("/proc/self/comm").unwrap();
		let own = Task {
			pid,
			tid: pid,
			ns_tid: None,
			parent: Some(parent),
			start_time: 0,
			comm: comm.trim_end().as_bytes(),
			set: 2,
		};
		let look = |task| stranger_of(&proc, &task).unwrap();
		assert_eq!(look(own), None);
		assert_eq!(look(Task { parent: Some(0), ..own }), None);
		assert_eq!(look(Task { comm: b"", ..own }), None);
		assert_eq!(look(Task { parent: Some(pid), ..own }), Some(Why::OtherTask));
		assert_eq!(look(Task { comm: b"other", ..own }), Some(Why::OtherTask));
		assert_eq!(look(Task { parent: None, ..own }), Some(Why::OtherTask));
		assert_eq!(look(Task { pid: PIDS, tid: PIDS, ..own }), Some(Why::NotRunning));
		assert_eq!(Why::OtherTask.text().to_string(), "another task has its number");
	}
}
