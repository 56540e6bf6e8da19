//! A journal in, the groups that were made out: one after the other in the order in which they were, or by their path.

use heapless::Vec;

use crate::act::journal::{BROKEN, Change, Journal, Record, parse};
use crate::error::Fault;
use crate::limits::{JOURNAL_BLOCK_BYTES, PATH_BYTES};

/// Goes along the records of a journal; most are in the block that was read last.
#[derive(Debug, Default)]
pub struct Along {
	next: u64,
	/// Where the block starts that is in the caller's buffer, and its length.
	block: (u64, usize),
}

/// Goes along the groups that were made, in the order in which they were.
#[derive(Debug)]
pub struct MadeCursor {
	along: Along,
	hierarchy: usize,
	path: Vec<u8, PATH_BYTES>,
	ended: bool,
}

impl MadeCursor {
	/// Before the first one.
	pub fn new() -> Self {
		MadeCursor { along: Along::default(), hierarchy: usize::MAX, path: Vec::new(), ended: false }
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
		let mut made = false;
		// Twice, where an earlier restore was killed before it made the group.
		while !self.ended && self.hierarchy == hierarchy && self.path == path {
			made = true;
			self.advance(journal, buffer)?;
		}
		Ok(made)
	}

	fn advance(&mut self, journal: &Journal<'_>, buffer: &mut [u8]) -> Result<(), Fault> {
		while let Some((record, end)) = self.along.record(journal, buffer)? {
			self.along.next = end;
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

	/// The caller's buffer holds something else from now on.
	pub fn forget_block(&mut self) {
		self.along.block = (0, 0);
	}
}

impl Along {
	/// Whether the group was made; the search begins behind the group found last and goes round.
	pub fn find(
		&mut self,
		journal: &Journal<'_>,
		hierarchy: usize,
		path: &[u8],
		buffer: &mut [u8],
	) -> Result<bool, Fault> {
		self.block = (0, 0);
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

	/// The next record.
	fn record<'r>(&mut self, journal: &Journal<'_>, buffer: &'r mut [u8]) -> Result<Option<(Record<'r>, u64)>, Fault> {
		let mut at = self.next.wrapping_sub(self.block.0) as usize;
		if end_in(buffer, at, self.block.1).is_none() {
			let len = journal.flushed.saturating_sub(self.next).min(JOURNAL_BLOCK_BYTES as u64) as usize;
			journal.read(self.next, buffer.get_mut(..len).ok_or(BROKEN)?)?;
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

#[cfg(test)]
mod tests {
	use super::*;
	use crate::limits::JOURNAL_BYTES;
	extern crate std;
	use std::boxed::Box;

	const VALUE: Record<'_> =
		Record { hierarchy: 3, path: b"a/b", change: Change::Value { file: b"cpu.shares", old: b"1024", new: None } };

	fn of_three_groups(buffer: &mut [u8; JOURNAL_BYTES]) -> Journal<'_> {
		let mut journal = Journal::new(buffer).unwrap();
		for path in [&b"a"[..], b"a/b", b"c"] {
			journal.add(&Record { hierarchy: 1, path, change: Change::Made }).unwrap();
			journal.add(&VALUE).unwrap();
		}
		journal.flush().unwrap();
		journal
	}

	#[test]
	fn the_cursor_knows_what_was_made() {
		let mut buffer = Box::new([0xa5; JOURNAL_BYTES]);
		let journal = of_three_groups(&mut buffer);
		let (mut cursor, mut piece) = (MadeCursor::new(), [0; 512]);
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
		let journal = of_three_groups(&mut buffer);
		let (mut cursor, mut piece) = (Along::default(), [0; 512]);
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
