//! Files of CRIU's dumps in, who the tasks are and which sets they are in out: inventory.img, pstree.img, core-TID.img.
//!
//! Source: `proto/criu-dump.proto`, and images that CRIU 4.2 wrote.
//! Bounds: none; everything is borrowed from the file. Every size is cut out of what holds it.
//! Errors: [`Fault::Image`] with the offset in the file.
//! Not done here: whether a set is one of cgroup.img.

use crate::error::{Fault, Why};
use crate::image::schema::{
	MAGIC_COMMON, MAGIC_CORE, MAGIC_INVENTORY, MAGIC_PSTREE, core_image, inventory, pstree, task_core, thread_core,
};
use crate::image::view::Last;
use crate::image::wire::{Fields, Message, word};
use crate::limits::{COMM_BYTES, PIDS};

/// `task_state` of a zombie.
const DEAD: u32 = 2;
/// Versions of dumps: in the first, files have their own magic alone.
const VERSIONS: core::ops::RangeInclusive<u32> = 1..=2;

/// The entries of a file, in its order. After a fault it ends.
#[derive(Clone, Copy, Debug)]
pub struct Entries<'a> {
	file: &'a [u8],
	at: usize,
}

impl<'a> Entries<'a> {
	fn new(file: &'a [u8], magic: u32) -> Result<Self, Fault> {
		let own = if word(file, 0) == Some(MAGIC_COMMON) { 4 } else { 0 };
		match word(file, own) == Some(magic) {
			true => Ok(Entries { file, at: own + 4 }),
			false => Err(Fault::image(own, Why::NotThatFile)),
		}
	}

	/// The processes of pstree.img.
	pub fn of_pstree(file: &'a [u8]) -> Result<Self, Fault> {
		Self::new(file, MAGIC_PSTREE)
	}

	/// The only entry.
	fn only(mut self) -> Result<Message<'a>, Fault> {
		let entry = self.entry()?;
		match self.at == self.file.len() {
			true => Ok(entry),
			false => Err(Fault::image(self.at, Why::BytesFollow)),
		}
	}

	fn entry(&mut self) -> Result<Message<'a>, Fault> {
		let cut = Fault::image(self.file.len(), Why::CutOff);
		let size = word(self.file, self.at).ok_or(cut)? as usize;
		let start = self.at + 4;
		let bytes = self.file.get(start..).and_then(|rest| rest.get(..size)).ok_or(cut)?;
		self.at = start + size;
		Ok(Message { bytes, at: start })
	}
}

impl<'a> Iterator for Entries<'a> {
	type Item = Result<Message<'a>, Fault>;

	fn next(&mut self) -> Option<Self::Item> {
		if self.at >= self.file.len() {
			return None;
		}
		let entry = self.entry();
		if entry.is_err() {
			self.at = self.file.len();
		}
		Some(entry)
	}
}

/// The number of CRIU's own set, from inventory.img; 0 without one.
pub fn root_set(file: &[u8]) -> Result<u32, Fault> {
	let entry = Entries::new(file, MAGIC_INVENTORY)?.only()?;
	let mut fields = [None; 2];
	let last = Last::of(entry, &[inventory::IMG_VERSION, inventory::ROOT_CG_SET], &mut fields)?;
	if !VERSIONS.contains(&last.number(0, Why::UnknownVersion)?) {
		return Err(Fault::image(entry.at, Why::UnknownVersion));
	}
	Ok(last.number_if_any(1)?.unwrap_or(0))
}

/// A process, and its threads one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Process<'a> {
	/// Its number in the pid namespace of the dump.
	pub pid: u32,
	/// Its parent's; 0 for the root.
	pub parent: u32,
	/// Offset in the file.
	pub at: usize,
	threads: Fields<'a>,
	/// Whether the leader was met among the threads; nothing was met yet without it.
	met_leader: Option<bool>,
}

impl<'a> Process<'a> {
	/// Reads an entry of pstree.img; the threads are not judged yet.
	pub fn read(entry: Message<'a>) -> Result<Self, Fault> {
		let mut fields = [None; 2];
		let last = Last::of(entry, &[pstree::PID, pstree::PPID], &mut fields)?;
		let number = |index| last.number(index, Why::BadPid);
		let (pid, parent) = (pid(number(0)?, entry.at)?, number(1)?);
		Ok(Process { pid, parent, at: entry.at, threads: Fields::new(entry), met_leader: None })
	}

	/// The next thread besides the leader. At the end it is judged whether the leader was among them.
	pub fn thread(&mut self) -> Result<Option<u32>, Fault> {
		for field in &mut self.threads {
			let field = field?;
			if field.number == pstree::THREADS {
				let tid = pid(field.u32()?, field.at)?;
				let is_leader = tid == self.pid;
				self.met_leader = Some(is_leader || self.met_leader == Some(true));
				if !is_leader {
					return Ok(Some(tid));
				}
			}
		}
		match self.met_leader {
			Some(false) => Err(Fault::image(self.at, Why::NotItsThread)),
			_ => Ok(None),
		}
	}
}

fn pid(number: u32, at: usize) -> Result<u32, Fault> {
	if (1..PIDS).contains(&number) { Ok(number) } else { Err(Fault::image(at, Why::BadPid)) }
}

/// What core-TID.img says about one task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Core<'a> {
	/// The name; empty where the image of a thread has none.
	pub comm: &'a [u8],
	/// The number of the set; none, or 0 in old images, if it has none of its own.
	pub set: Option<u32>,
	/// It is a zombie.
	pub is_dead: bool,
}

impl<'a> Core<'a> {
	/// The task of this file; a leader's says more than that of another thread.
	pub fn read(file: &'a [u8], is_leader: bool) -> Result<Self, Fault> {
		let entry = Entries::new(file, MAGIC_CORE)?.only()?;
		let mut fields = [None; 2];
		let last = Last::of(entry, &[core_image::TC, core_image::THREAD_CORE], &mut fields)?;
		let part = |index: usize| last.any(index).map(super::wire::Field::bytes).transpose();
		let (process, thread) = (part(0)?, part(1)?);
		let mut task = Core { comm: &[], set: None, is_dead: false };
		if is_leader {
			task.read_process(process.ok_or(Fault::image(entry.at, Why::CoreIncomplete))?)?;
		}
		if let Some(thread) = thread {
			task.read_thread(thread, is_leader)?;
		}
		match task.comm.len() > COMM_BYTES {
			true => Err(Fault::image(entry.at, Why::CommTooLong)),
			false => Ok(task),
		}
	}

	fn read_process(&mut self, part: Message<'a>) -> Result<(), Fault> {
		let mut fields = [None; 3];
		let last = Last::of(part, &[task_core::TASK_STATE, task_core::COMM, task_core::CG_SET], &mut fields)?;
		self.is_dead = last.number(0, Why::CoreIncomplete)? == DEAD;
		self.comm = last.text(1, Why::CoreIncomplete)?;
		self.set = last.number_if_any(2)?;
		Ok(())
	}

	fn read_thread(&mut self, part: Message<'a>, is_leader: bool) -> Result<(), Fault> {
		let mut fields = [None; 2];
		let last = Last::of(part, &[thread_core::COMM, thread_core::CG_SET], &mut fields)?;
		if !is_leader && last.any(0).is_some() {
			self.comm = last.text(0, Why::CoreIncomplete)?;
		}
		self.set = last.number_if_any(1)?.or(self.set);
		Ok(())
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	extern crate std;
	use std::vec::Vec;

	/// A file with these entries.
	fn file(magics: &[u32], entries: &[&[u8]]) -> Vec<u8> {
		let mut file: Vec<u8> = magics.iter().flat_map(|magic| magic.to_le_bytes()).collect();
		for entry in entries {
			file.extend((entry.len() as u32).to_le_bytes());
			file.extend(*entry);
		}
		file
	}

	fn pids(file: &[u8]) -> Result<Vec<u32>, Fault> {
		let mut pids = Vec::new();
		for entry in Entries::of_pstree(file)? {
			let mut process = Process::read(entry?)?;
			pids.push(process.pid);
			while let Some(tid) = process.thread()? {
				pids.push(tid);
			}
		}
		Ok(pids)
	}

	const TREE: [u32; 2] = [MAGIC_COMMON, MAGIC_PSTREE];
	const CORE: [u32; 2] = [MAGIC_COMMON, MAGIC_CORE];

	#[test]
	fn processes_in_order_with_the_leader_first() {
		let entries: [&[u8]; 3] = [&[8, 7, 16, 0, 40, 8, 40, 7, 40, 9], &[8, 3, 16, 7, 40, 3], &[8, 4, 16, 7]];
		for magics in [&TREE[..], &[MAGIC_PSTREE]] {
			assert_eq!(pids(&file(magics, &entries)), Ok(std::vec![7, 8, 9, 3, 4]));
		}
		assert_eq!(pids(&file(&TREE, &[])), Ok(Vec::new()));
	}

	#[test]
	fn what_is_wrong_is_said_with_its_place() {
		let fault = |bytes: &[u8]| pids(bytes).unwrap_err();
		assert_eq!(fault(b""), Fault::image(0, Why::NotThatFile));
		assert_eq!(fault(&file(&CORE, &[])), Fault::image(4, Why::NotThatFile));
		assert_eq!(fault(&file(&TREE, &[&[8, 7]])), Fault::image(12, Why::BadPid));
		assert_eq!(fault(&file(&TREE, &[&[8, 0, 16, 0]])), Fault::image(12, Why::BadPid));
		assert_eq!(fault(&file(&TREE, &[&[8, 7, 16, 0, 40, 8]])), Fault::image(12, Why::NotItsThread));
		assert_eq!(fault(&file(&TREE, &[&[8, 7, 16, 0, 40, 0x80, 0x80, 0x80, 2]])), Fault::image(16, Why::BadPid));
		assert_eq!(fault(&file(&TREE, &[&[8, 7, 16, 0, 42, 1, 7]])), Fault::image(16, Why::TextForNumber));
		let mut cut = file(&TREE, &[&[8, 7, 16, 0]]);
		cut.pop();
		assert_eq!(fault(&cut), Fault::image(15, Why::CutOff));
		cut[8..12].fill(0xff);
		assert_eq!(fault(&cut), Fault::image(15, Why::CutOff));
		cut.truncate(10);
		assert_eq!(fault(&cut), Fault::image(10, Why::CutOff));
	}

	#[test]
	fn the_set_of_a_thread_wins_over_the_old_one_of_the_process() {
		let process: &[u8] = &[26, 7, 8, 1, 50, 1, b'a', 72, 5];
		let both = [process, &[42, 6, 106, 1, b'b', 128, 1, 6]].concat();
		let dead = [&[26, 5, 8, 2, 50, 1, b'z'][..]].concat();
		let read = |entry: &[u8], is_leader| {
			let file = file(&CORE, &[entry]);
			Core::read(&file, is_leader).map(|core| (core.comm.to_vec(), core.set, core.is_dead))
		};
		assert_eq!(read(process, true), Ok((b"a".to_vec(), Some(5), false)));
		assert_eq!(read(&both, true), Ok((b"a".to_vec(), Some(6), false)));
		assert_eq!(read(&both, false), Ok((b"b".to_vec(), Some(6), false)));
		assert_eq!(read(&dead, true), Ok((b"z".to_vec(), None, true)));
		assert_eq!(read(&[42, 0], false), Ok((Vec::new(), None, false)));
		assert_eq!(read(&[42, 0], true), Err(Fault::image(12, Why::CoreIncomplete)));
		let long = [&[42, 18, 106, 16][..], &[b'c'; 16]].concat();
		assert_eq!(read(&long, false), Err(Fault::image(12, Why::CommTooLong)));
		assert_eq!(Core::read(&file(&CORE, &[process, process]), true), Err(Fault::image(21, Why::BytesFollow)));
	}

	#[test]
	fn the_own_set_of_criu_and_the_version() {
		let read = |entry: &[u8]| root_set(&file(&[MAGIC_INVENTORY], &[entry]));
		assert_eq!(read(&[8, 2, 40, 1]), Ok(1));
		assert_eq!(read(&[8, 1]), Ok(0));
		assert_eq!(read(&[8, 3, 40, 1]), Err(Fault::image(8, Why::UnknownVersion)));
		assert_eq!(read(&[40, 1]), Err(Fault::image(8, Why::UnknownVersion)));
		assert_eq!(root_set(b"cgroup.img"), Err(Fault::image(0, Why::NotThatFile)));
	}
}
