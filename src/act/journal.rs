//! What a restore changed, in order: so that a failed one can be taken back, and later phases know which groups are new.
//!
//! Records are appended to a memory file before the change they describe and dropped again if it did not happen.
//! A record is its length (u32 LE), a kind, the hierarchy, lengths of file, path and value, three numbers, the bytes of
//! path, file and value, and its length once more, so that it can be read from both ends.

use core::ffi::CStr;

use crate::kernel::Handle;
use heapless::Vec;

use crate::error::{Fault, Why};
use crate::image::view::Perms;
use crate::kernel::output::{memory_file, read_at, write_at};
use crate::limits::{JOURNAL_BYTES, Limit, PATH_BYTES};

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
/// Bytes of a record besides path, file and value.
const FIXED: usize = HEAD + 4;

/// The journal of one restore.
#[derive(Debug)]
pub struct Journal<'b> {
	file: Handle,
	buffer: &'b mut [u8; JOURNAL_BYTES],
	used: usize,
	flushed: u64,
}

impl<'b> Journal<'b> {
	/// An empty one in memory.
	pub fn new(buffer: &'b mut [u8; JOURNAL_BYTES]) -> Result<Self, Fault> {
		Ok(Journal { file: memory_file()?, buffer, used: 0, flushed: 0 })
	}

	/// Its length in bytes: a place to go back to.
	pub fn len(&self) -> u64 {
		self.flushed + self.used as u64
	}

	/// Whether nothing was changed.
	pub fn is_empty(&self) -> bool {
		self.len() == 0
	}

	/// Adds a record.
	pub fn add(&mut self, record: &Record<'_>) -> Result<(), Fault> {
		let empty = Perms { mode: 0, uid: 0, gid: 0 };
		let (kind, file, value, numbers): (u8, &[u8], &[u8], Perms) = match record.change {
			Change::Made => (0, b"", b"", empty),
			Change::Value { file, old } => (1, file, old, empty),
			Change::Perms { file, old } => (2, file, b"", old),
			Change::Attribute { name, old } => {
				(4, name, old.unwrap_or(b""), Perms { mode: u32::from(old.is_some()), ..empty })
			}
			Change::Moved { tid, whole } => (3, b"", b"", Perms { mode: tid, uid: u32::from(whole), gid: 0 }),
		};
		let len = ((FIXED + record.path.len() + file.len() + value.len()) as u32).to_le_bytes();
		let mut head = [0; HEAD];
		head[..4].copy_from_slice(&len);
		(head[4], head[5], head[6]) = (kind, record.hierarchy as u8, file.len() as u8);
		let lens = [record.path.len() as u32, value.len() as u32, numbers.mode, numbers.uid, numbers.gid];
		for (bytes, number) in head[7..].chunks_exact_mut(4).zip(lens) {
			bytes.copy_from_slice(&number.to_le_bytes());
		}
		[&head[..], record.path, file, value, &len].into_iter().try_for_each(|bytes| self.put(bytes))
	}

	fn put(&mut self, mut bytes: &[u8]) -> Result<(), Fault> {
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
		write_at(&self.file, self.flushed, &self.buffer[..self.used])?;
		self.flushed += self.used as u64;
		self.used = 0;
		Ok(())
	}

	/// Forgets everything since `len`: it did not happen.
	pub fn drop_since(&mut self, len: u64) {
		match len.checked_sub(self.flushed) {
			Some(used) => self.used = used as usize,
			None => (self.flushed, self.used) = (len, 0),
		}
	}

	/// The record that ends at `end`, and where it starts; `buffer` holds it. Flushed journals only.
	pub fn before<'r>(&self, end: u64, buffer: &'r mut [u8]) -> Result<Option<(Record<'r>, u64)>, Fault> {
		let Some(at) = end.checked_sub(4) else { return Ok(None) };
		let mut word = [0; 4];
		read_at(&self.file, at, &mut word)?;
		let start = end.checked_sub(u64::from(u32::from_le_bytes(word))).ok_or(BROKEN)?;
		Ok(self.at(start, buffer)?.map(|(record, _)| (record, start)))
	}

	/// The record that starts at `start`, and where it ends. Flushed journals only.
	pub fn at<'r>(&self, start: u64, buffer: &'r mut [u8]) -> Result<Option<(Record<'r>, u64)>, Fault> {
		if start >= self.flushed {
			return Ok(None);
		}
		let mut word = [0; 4];
		read_at(&self.file, start, &mut word)?;
		let len = u32::from_le_bytes(word) as usize;
		let bytes = buffer.get_mut(..len).ok_or(Fault::full(Limit::Record, len))?;
		read_at(&self.file, start, bytes)?;
		let record = parse(bytes).ok_or(BROKEN)?;
		Ok(Some((record, start + len as u64)))
	}
}

const BROKEN: Fault = Fault::Text(Why::JournalRecord);

fn parse(bytes: &[u8]) -> Option<Record<'_>> {
	let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
	let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
	let (path, rest) = rest.split_at_checked(number(7) as usize)?;
	let (file, rest) = rest.split_at_checked(usize::from(head[6]))?;
	let old = rest.get(..number(11) as usize)?;
	let numbers = Perms { mode: number(15), uid: number(19), gid: number(23) };
	let change = match head[4] {
		0 => Change::Made,
		1 => Change::Value { file, old },
		2 => Change::Perms { file, old: numbers },
		4 => Change::Attribute { name: file, old: (numbers.mode != 0).then_some(old) },
		3 => Change::Moved { tid: numbers.mode, whole: numbers.uid != 0 },
		_ => return None,
	};
	Some(Record { hierarchy: usize::from(head[5]), path, change })
}

/// Bytes of the journal that the cursor reads at once.
const BLOCK_BYTES: usize = 4096;

/// Goes along the groups that were made, in the order in which they were.
#[derive(Debug)]
pub struct MadeCursor {
	next: u64,
	/// Where the block starts that is in the caller's buffer, and its length.
	block: (u64, usize),
	hierarchy: usize,
	path: Vec<u8, PATH_BYTES>,
	ended: bool,
}

impl MadeCursor {
	/// Before the first one.
	pub fn new() -> Self {
		MadeCursor { next: 0, block: (0, 0), hierarchy: usize::MAX, path: Vec::new(), ended: false }
	}

	/// Whether the group was made; groups have to be asked for in the order in which they were made.
	pub fn is_made(
		&mut self,
		journal: &Journal<'_>,
		hierarchy: usize,
		path: &[u8],
		buffer: &mut [u8],
	) -> Result<bool, Fault> {
		if self.hierarchy == usize::MAX && !self.ended {
			self.advance(journal, buffer)?;
		}
		let made = !self.ended && self.hierarchy == hierarchy && self.path == path;
		if made {
			self.advance(journal, buffer)?;
		}
		Ok(made)
	}

	fn advance(&mut self, journal: &Journal<'_>, buffer: &mut [u8]) -> Result<(), Fault> {
		while let Some((record, end)) = self.record(journal, buffer)? {
			self.next = end;
			if record.change == Change::Made {
				self.hierarchy = record.hierarchy;
				self.path.clear();
				let _ = self.path.extend_from_slice(record.path); // a trail, which holds no more
				return Ok(());
			}
		}
		self.ended = true;
		Ok(())
	}
}

impl MadeCursor {
	/// Whether the group was made; the search begins behind the group found last and goes round.
	pub fn find(
		&mut self,
		journal: &Journal<'_>,
		hierarchy: usize,
		path: &[u8],
		buffer: &mut [u8],
	) -> Result<bool, Fault> {
		self.forget_block();
		for (start, end) in [(self.next, u64::MAX), (0, self.next)] {
			self.next = start;
			while self.next < end
				&& let Some((record, behind)) = self.record(journal, buffer)?
			{
				let found = record.change == Change::Made && record.hierarchy == hierarchy && record.path == path;
				self.next = behind;
				if found {
					return Ok(true);
				}
			}
		}
		Ok(false)
	}

	/// The caller's buffer holds something else from now on.
	pub fn forget_block(&mut self) {
		self.block = (0, 0);
	}

	/// The next record; most are in the block that was read last.
	fn record<'r>(&mut self, journal: &Journal<'_>, buffer: &'r mut [u8]) -> Result<Option<(Record<'r>, u64)>, Fault> {
		let mut at = self.next.wrapping_sub(self.block.0) as usize;
		if end_in(buffer, at, self.block.1).is_none() {
			let len = journal.flushed.saturating_sub(self.next).min(BLOCK_BYTES as u64) as usize;
			read_at(&journal.file, self.next, buffer.get_mut(..len).ok_or(BROKEN)?)?;
			(at, self.block) = (0, (self.next, len));
		}
		match end_in(buffer, at, self.block.1) {
			Some(end) => {
				let record = parse(buffer.get(at..end).unwrap_or(&[])).ok_or(BROKEN)?;
				Ok(Some((record, self.block.0 + end as u64)))
			}
			None => {
				self.block = (0, 0); // a record that is longer than a block, or the end
				journal.at(self.next, buffer)
			}
		}
	}
}

/// Where the record that starts at `at` ends, if the first `len` bytes hold it.
fn end_in(bytes: &[u8], at: usize, len: usize) -> Option<usize> {
	let word = bytes.get(..len)?.get(at..)?.first_chunk()?;
	at.checked_add(u32::from_le_bytes(*word) as usize).filter(|end| *end <= len)
}

impl Default for MadeCursor {
	fn default() -> Self {
		MadeCursor::new()
	}
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
			record(b"a/b", Change::Value { file: b"cpu.shares", old: b"1024" }),
			record(b"a/b", Change::Perms { file: b"", old: PERMS }),
			record(b"a/b", Change::Attribute { name: b"user.a", old: Some(b"") }),
			record(b"a/b", Change::Attribute { name: b"trusted.b", old: None }),
			record(b"", Change::Moved { tid: 77, whole: true }),
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

	#[test]
	fn the_cursor_knows_what_was_made() {
		let mut buffer = Box::new([0xa5; JOURNAL_BYTES]);
		let mut journal = Journal::new(&mut buffer).unwrap();
		for path in [&b"a"[..], b"a/b", b"c"] {
			journal.add(&Record { hierarchy: 1, path, change: Change::Made }).unwrap();
			journal.add(&records()[1]).unwrap();
		}
		journal.flush().unwrap();
		let (mut cursor, mut piece) = (MadeCursor::new(), [0; 256]);
		let mut ask = |path: &[u8]| cursor.is_made(&journal, 1, path, &mut piece).unwrap();
		assert!(ask(b"a"));
		assert!(!ask(b"a/a"));
		assert!(ask(b"a/b"));
		assert!(!ask(b"b"));
		assert!(ask(b"c"));
		assert!(!ask(b"c/d"));
	}

	#[test]
	fn a_search_goes_round() {
		let mut buffer = Box::new([0xa5; JOURNAL_BYTES]);
		let mut journal = Journal::new(&mut buffer).unwrap();
		for path in [&b"a"[..], b"a/b", b"c"] {
			journal.add(&Record { hierarchy: 1, path, change: Change::Made }).unwrap();
			journal.add(&records()[1]).unwrap();
		}
		journal.flush().unwrap();
		let (mut cursor, mut piece) = (MadeCursor::new(), [0; 256]);
		for (hierarchy, path, made) in [
			(1, &b"c"[..], true),
			(1, b"a", true),
			(0, b"a", false),
			(1, b"b", false),
			(1, b"a", true),
			(1, b"a/b", true),
		] {
			assert_eq!(cursor.find(&journal, hierarchy, path, &mut piece), Ok(made), "{path:?}");
		}
	}
}
