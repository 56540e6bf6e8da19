//! What a restore changed, in order: so that a failed one can be taken back, and later phases know which groups are new.
//!
//! Records are appended to a memory file before the change they describe and dropped again if it did not happen; those of
//! a file that is to outlive cgraft ([`crate::act::kept`]) are in the file before the change is made.
//! A record is its length (u32 LE), a kind, the hierarchy, lengths of file, path and value, three numbers, the bytes of
//! path, file and values, a sum of all this, and its length once more, so that it can be read from both ends.

use core::ffi::CStr;

use crate::kernel::Handle;

use crate::act::dry::Plan;
use crate::act::tasks::start_of;
use crate::error::{Fault, Why};
use crate::hash::{START, hash};
use crate::image::view::Perms;
use crate::kernel::output::{memory_file, read_at, truncate, write_at};
use crate::limits::{JOURNAL_BYTES, Limit};

/// What was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'a> {
	/// The group at this path was made.
	Made,
	/// A file's value; it was this before.
	Value {
		/// The file's name.
		file: &'a [u8],
		/// Its value before.
		old: &'a [u8],
		/// What it was to be, where one write says it all.
		new: Option<&'a [u8]>,
	},
	/// An extended attribute of the group; it was this before, or was not there.
	Attribute {
		/// Its name.
		name: &'a [u8],
		/// Its value before.
		old: Option<&'a [u8]>,
	},
	/// Owner or mode of a file, or of the group itself if the name is empty; they were these before.
	Perms {
		/// The file's name.
		file: &'a [u8],
		/// Owner and mode before.
		old: Perms,
	},
	/// A task was moved; it was in the group at this path before.
	Moved {
		/// Thread or, with `whole`, process.
		tid: u32,
		/// All threads of the process.
		whole: bool,
		/// The last 32 bits of its start time, so that no other task is taken for it; 0 in memory.
		start: u32,
	},
}

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
	/// Place of the hierarchy in the host's list.
	pub hierarchy: usize,
	/// The group's path, without its first slash.
	pub path: &'a [u8],
	/// What was changed.
	pub change: Change<'a>,
}

/// Bytes of a record before its path: length, kind, hierarchy and file name's length, five numbers of four bytes.
const HEAD: usize = 4 + 3 + 20;
/// Bytes of a record besides path, file and values.
const FIXED: usize = HEAD + 8;

/// The journal of one restore.
pub struct Journal<'b> {
	pub(super) file: Handle,
	buffer: &'b mut [u8; JOURNAL_BYTES],
	pub(super) used: usize,
	pub(super) flushed: u64,
	/// Bytes of the file before the first record; only a file that outlives cgraft has some.
	pub(super) base: u64,
	/// Records of an earlier restore come first, which this one goes on with.
	pub(super) continued: bool,
	/// Whether it ends where its last record does.
	pub(super) cut: Result<(), Fault>,
	/// Changes are only told.
	pub plan: Option<Plan<'b>>,
}

impl<'b> Journal<'b> {
	/// An empty one in memory.
	pub fn new(buffer: &'b mut [u8; JOURNAL_BYTES]) -> Result<Self, Fault> {
		Ok(Journal::of(memory_file()?, buffer))
	}

	pub(super) fn of(file: Handle, buffer: &'b mut [u8; JOURNAL_BYTES]) -> Self {
		Journal { file, buffer, used: 0, flushed: 0, base: 0, continued: false, cut: Ok(()), plan: None }
	}

	/// Whether its file outlives cgraft.
	pub fn is_kept(&self) -> bool {
		self.base != 0
	}

	/// Whether it goes on with an earlier one.
	pub fn is_continued(&self) -> bool {
		self.continued
	}

	/// Its length in bytes: a place to go back to.
	pub fn len(&self) -> u64 {
		self.flushed + self.used as u64
	}

	/// Whether nothing was changed.
	pub fn is_empty(&self) -> bool {
		self.len() == 0
	}

	/// Whether it has all that was put into it.
	pub fn is_whole(&self) -> Result<(), Fault> {
		self.cut
	}

	/// Adds a record.
	pub fn add(&mut self, record: &Record<'_>) -> Result<(), Fault> {
		self.cut?;
		let empty = Perms { mode: 0, uid: 0, gid: 0 };
		let mut new: &[u8] = b"";
		let (kind, file, value, numbers): (u8, &[u8], &[u8], Perms) = match record.change {
			Change::Made => (0, b"", b"", empty),
			Change::Value { file, old, new: wanted } => {
				new = wanted.unwrap_or(b"");
				(1, file, old, Perms { mode: wanted.map_or(0, |new| 1 + new.len() as u32), ..empty })
			}
			Change::Perms { file, old } => (2, file, b"", old),
			Change::Attribute { name, old } => {
				(4, name, old.unwrap_or(b""), Perms { mode: u32::from(old.is_some()), ..empty })
			}
			Change::Moved { tid, whole, start } => {
				(3, b"", b"", Perms { mode: tid, uid: u32::from(whole), gid: start })
			}
		};
		let len = ((FIXED + record.path.len() + file.len() + value.len() + new.len()) as u32).to_le_bytes();
		let mut head = [0; HEAD];
		head[..4].copy_from_slice(&len);
		(head[4], head[5], head[6]) = (kind, record.hierarchy as u8, file.len() as u8);
		let lens = [record.path.len() as u32, value.len() as u32, numbers.mode, numbers.uid, numbers.gid];
		for (bytes, number) in head[7..].chunks_exact_mut(4).zip(lens) {
			bytes.copy_from_slice(&number.to_le_bytes());
		}
		let (start, added) = (self.flushed, self.put_all(&[&head, record.path, file, value, new]));
		if !self.is_kept() {
			return added;
		}
		let kept = added.and_then(|()| self.flush());
		if kept.is_err() {
			self.drop_since(start);
		}
		kept
	}

	/// Adds that a task was in this group; in a file also since when it runs.
	pub fn add_move(&mut self, hierarchy: usize, path: &[u8], tid: u32, whole: bool) -> Result<(), Fault> {
		let start = if self.is_kept() { start_of(tid)? } else { 0 };
		self.add(&Record { hierarchy, path, change: Change::Moved { tid, whole, start } })
	}

	/// Puts texts that begin with their length, their sum and once more their length.
	fn put_all(&mut self, texts: &[&[u8]; 5]) -> Result<(), Fault> {
		let mut sum = START;
		for text in texts {
			sum = hash(sum, text);
			self.put(text)?;
		}
		self.put(&sum.to_le_bytes())?;
		self.put(&texts[0][..4])
	}

	pub(super) fn put(&mut self, mut bytes: &[u8]) -> Result<(), Fault> {
		while !bytes.is_empty() {
			if self.used == JOURNAL_BYTES {
				self.flush()?;
			}
			let taken = bytes.len().min(JOURNAL_BYTES - self.used);
			self.buffer[self.used..self.used + taken].copy_from_slice(&bytes[..taken]);
			self.used += taken;
			bytes = &bytes[taken..];
		}
		Ok(())
	}

	/// Writes out what is buffered; needed before it is read.
	pub fn flush(&mut self) -> Result<(), Fault> {
		write_at(&self.file, self.base + self.flushed, &self.buffer[..self.used])?;
		self.flushed += self.used as u64;
		self.used = 0;
		Ok(())
	}

	/// Forgets everything since `len`: it did not happen. A file that cannot be cut there takes no more.
	pub fn drop_since(&mut self, len: u64) {
		if self.is_kept() {
			(self.flushed, self.used) = (len, 0);
			self.cut = self.cut.and(truncate(&self.file, self.base + len));
			return;
		}
		match len.checked_sub(self.flushed) {
			Some(used) => self.used = used as usize,
			None => (self.flushed, self.used) = (len, 0),
		}
	}

	/// The record that ends at `end`, and where it starts; `buffer` holds it. Flushed journals only.
	pub fn before<'r>(&self, end: u64, buffer: &'r mut [u8]) -> Result<Option<(Record<'r>, u64)>, Fault> {
		let Some(at) = end.checked_sub(4) else { return Ok(None) };
		let mut word = [0; 4];
		self.read(at, &mut word)?;
		let start = end.checked_sub(u64::from(u32::from_le_bytes(word))).ok_or(BROKEN)?;
		Ok(self.at(start, buffer)?.map(|(record, _)| (record, start)))
	}

	/// The record that starts at `start`, and where it ends. Flushed journals only.
	pub fn at<'r>(&self, start: u64, buffer: &'r mut [u8]) -> Result<Option<(Record<'r>, u64)>, Fault> {
		if start >= self.flushed {
			return Ok(None);
		}
		let mut word = [0; 4];
		self.read(start, &mut word)?;
		let len = u32::from_le_bytes(word) as usize;
		let bytes = buffer.get_mut(..len).ok_or(Fault::full(Limit::Record, len))?;
		self.read(start, bytes)?;
		let record = parse(bytes).ok_or(BROKEN)?;
		Ok(Some((record, start + len as u64)))
	}

	/// Bytes of flushed records.
	pub(super) fn read(&self, at: u64, into: &mut [u8]) -> Result<(), Fault> {
		read_at(&self.file, self.base + at, into)
	}

	/// Bytes that were put and not written out yet, or read.
	pub(super) fn pending(&mut self) -> &mut [u8] {
		&mut self.buffer[..self.used]
	}

	/// So many bytes of the buffer, and the file they come from.
	pub(super) fn fill(&mut self, len: usize) -> (&Handle, &mut [u8]) {
		self.used = len;
		(&self.file, &mut self.buffer[..len])
	}
}

pub(super) const BROKEN: Fault = Fault::Text(Why::JournalRecord);

pub(super) fn parse(bytes: &[u8]) -> Option<Record<'_>> {
	let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
	let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
	let (path, rest) = rest.split_at_checked(number(7) as usize)?;
	let (file, rest) = rest.split_at_checked(usize::from(head[6]))?;
	let (old, rest) = rest.split_at_checked(number(11) as usize)?;
	let numbers = Perms { mode: number(15), uid: number(19), gid: number(23) };
	let change = match head[4] {
		0 => Change::Made,
		1 => Change::Value { file, old, new: numbers.mode.checked_sub(1).and_then(|len| rest.get(..len as usize)) },
		2 => Change::Perms { file, old: numbers },
		4 => Change::Attribute { name: file, old: (numbers.mode != 0).then_some(old) },
		3 => Change::Moved { tid: numbers.mode, whole: numbers.uid != 0, start: numbers.gid },
		_ => return None,
	};
	Some(Record { hierarchy: usize::from(head[5]), path, change })
}

/// Whether a record is whole and as it was written: its length is what its texts take, at both ends, and so is its sum.
/// None for the beginning of one.
pub(super) fn is_sound(bytes: &[u8], len: usize) -> Option<bool> {
	let (head, _) = bytes.split_first_chunk::<HEAD>()?;
	let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]) as usize;
	let new = if head[4] == 1 { number(15).saturating_sub(1) } else { 0 };
	let texts = [number(7), usize::from(head[6]), number(11), new];
	if texts.iter().try_fold(FIXED, |sum, text| sum.checked_add(*text)) != Some(len) {
		return Some(false);
	}
	let (texts, end) = bytes.get(..len)?.split_at_checked(len - 8)?;
	let [sum, last] = [hash(START, texts), len as u32].map(u32::to_le_bytes);
	Some(end[..4] == sum && end[4..] == last)
}

/// The name of a file or attribute of a record, for a system call; the buffer has room for it and a NUL.
pub fn file_name<'f>(file: &[u8], buffer: &'f mut [u8]) -> Option<&'f CStr> {
	buffer.get_mut(..file.len())?.copy_from_slice(file);
	*buffer.get_mut(file.len())? = 0;
	CStr::from_bytes_until_nul(buffer).ok()
}

#[cfg(test)]
mod tests {
	use super::*;
	extern crate std;
	use std::boxed::Box;

	const PERMS: Perms = Perms { mode: 0o644, uid: 1000, gid: 7 };

	fn records() -> [Record<'static>; 6] {
		let record = |path, change| Record { hierarchy: 3, path, change };
		[
			record(&b"a"[..], Change::Made),
			record(b"a/b", Change::Value { file: b"cpu.shares", old: b"1024", new: Some(b"") }),
			record(b"a/b", Change::Perms { file: b"", old: PERMS }),
			record(b"a/b", Change::Attribute { name: b"user.a", old: Some(b"") }),
			record(b"a/b", Change::Attribute { name: b"trusted.b", old: None }),
			record(b"", Change::Moved { tid: 77, whole: true, start: 9 }),
		]
	}

	#[test]
	fn records_come_back_from_both_ends() {
		let mut buffer = Box::new([0xa5; JOURNAL_BYTES]);
		let mut journal = Journal::new(&mut buffer).unwrap();
		for _ in 0..1000 {
			records().iter().for_each(|record| journal.add(record).unwrap());
		}
		journal.flush().unwrap();
		let (mut piece, mut at, mut count) = ([0; 256], 0, 0);
		while let Some((record, end)) = journal.at(at, &mut piece).unwrap() {
			assert_eq!(record, records()[count % 6]);
			(at, count) = (end, count + 1);
		}
		assert_eq!((at, count), (journal.len(), 6000));
		while let Some((record, start)) = journal.before(at, &mut piece).unwrap() {
			count -= 1;
			assert_eq!(record, records()[count % 6]);
			at = start;
		}
		assert_eq!(count, 0);
	}

	#[test]
	fn a_change_that_did_not_happen_is_dropped() {
		let mut buffer = Box::new([0xa5; JOURNAL_BYTES]);
		let mut journal = Journal::new(&mut buffer).unwrap();
		journal.add(&records()[0]).unwrap();
		let len = journal.len();
		journal.add(&records()[1]).unwrap();
		journal.flush().unwrap();
		journal.drop_since(len);
		journal.add(&records()[2]).unwrap();
		journal.flush().unwrap();
		let mut piece = [0; 256];
		let (last, start) = journal.before(journal.len(), &mut piece).unwrap().unwrap();
		assert_eq!((last, start), (records()[2], len));
	}
}
