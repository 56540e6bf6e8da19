//! Bytes of a /proc file in pieces of any size in, whole lines, words and numbers out.
//!
//! Source: proc(5); mountinfo's octal escapes are `mangle_path` and `seq_escape` of fs/seq_file.c.
//! Bounds: [`Lines`] keeps one line in a buffer that the caller lends; nothing else keeps anything.
//! Errors: [`Fault::Full`] for a line (or an unescaped text) that does not fit; faults of the source pass unchanged.
//! Not done here: opening files, repeating interrupted reads, and any meaning of a line.

use heapless::Vec;

use crate::error::{Fault, Why};
use crate::limits::Limit;

/// Where bytes come from: an open file or, in tests, a slice.
pub trait Source {
	/// Puts the next bytes at the front of `into` and returns their number, at most `into.len()`; 0 is the end.
	fn read(&mut self, into: &mut [u8]) -> Result<usize, Fault>;
}

impl Source for &[u8] {
	fn read(&mut self, into: &mut [u8]) -> Result<usize, Fault> {
		let (taken, rest) = self.split_at_checked(into.len()).unwrap_or((self, b""));
		into.iter_mut().zip(taken).for_each(|(to, from)| *to = *from);
		*self = rest;
		Ok(taken.len())
	}
}

impl<S: Source + ?Sized> Source for &mut S {
	fn read(&mut self, into: &mut [u8]) -> Result<usize, Fault> {
		(**self).read(into)
	}
}

/// The lines of a source, one at a time. A line may be as long as the whole buffer; its newline needs no room.
pub struct Lines<'b, S> {
	source: S,
	buffer: &'b mut [u8],
	mark: u8,
	/// Bytes that are read and not yet given away lie in `start..end`.
	start: usize,
	end: usize,
	ended: bool,
	fault: Option<Fault>,
}

impl<'b, S: Source> Lines<'b, S> {
	/// Lines of `source`, each at most `buffer.len()` bytes without its newline.
	pub fn new(source: S, buffer: &'b mut [u8]) -> Self {
		Self::ended_by(b'\n', source, buffer)
	}

	/// The same with another byte at the end of each line: a space for `children`, which is one line of any length.
	pub fn ended_by(mark: u8, source: S, buffer: &'b mut [u8]) -> Self {
		Lines { source, buffer, mark, start: 0, end: 0, ended: false, fault: None }
	}

	/// The next line without its newline, which the last one may lack. After a fault the same fault comes again.
	pub fn next_line(&mut self) -> Result<Option<&[u8]>, Fault> {
		if let Some(fault) = self.fault {
			return Err(fault);
		}
		match self.find_line() {
			Ok(true) => {}
			Ok(false) => return Ok(None),
			Err(fault) => {
				self.fault = Some(fault);
				return Err(fault);
			}
		}
		let line = self.buffer.get(self.start..self.end).unwrap_or_default();
		let len = line.iter().position(|byte| *byte == self.mark).unwrap_or(line.len());
		self.start = self.end.min(self.start.saturating_add(len).saturating_add(1));
		Ok(line.get(..len))
	}

	/// Reads until a whole line lies in `start..end`; false where nothing is left.
	fn find_line(&mut self) -> Result<bool, Fault> {
		let mut seen = self.start;
		loop {
			if self.buffer.get(seen..self.end).unwrap_or_default().contains(&self.mark) {
				return Ok(true);
			}
			if self.ended {
				return Ok(self.start < self.end);
			}
			self.move_to_front();
			seen = self.end;
			if self.end == self.buffer.len() {
				return self.end_of_full_buffer();
			}
			self.fill()?;
		}
	}

	fn move_to_front(&mut self) {
		if self.start > 0 {
			self.buffer.copy_within(self.start..self.end, 0);
			self.end -= self.start;
			self.start = 0;
		}
	}

	fn fill(&mut self) -> Result<(), Fault> {
		let room = self.buffer.get_mut(self.end..).unwrap_or_default();
		let count = self.source.read(room)?;
		if count > room.len() {
			return Err(Fault::Text(Why::LyingSource));
		}
		self.ended = count == 0;
		self.end += count;
		Ok(())
	}

	/// The buffer is one line without its end: whether it ends there is seen by one byte more.
	fn end_of_full_buffer(&mut self) -> Result<bool, Fault> {
		let mut probe = [0];
		let count = self.source.read(&mut probe)?;
		self.ended = count == 0;
		if count != 0 && probe != [self.mark] {
			let cap = self.buffer.len();
			return Err(Fault::full(Limit::Line, cap.saturating_add(1)));
		}
		Ok(count != 0 || self.start < self.end)
	}
}

/// A number of decimal digits and nothing else.
#[inline(never)]
pub fn number(text: &[u8]) -> Option<u64> {
	if text.is_empty() {
		return None;
	}
	text.iter().try_fold(0u64, |sum, byte| {
		let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
		sum.checked_mul(10)?.checked_add(u64::from(digit))
	})
}

/// [`number`] for what the kernel keeps in 32 bits: ids of tasks, mounts, devices and hierarchies.
#[inline(never)]
pub fn number32(text: &[u8]) -> Option<u32> {
	number(text).and_then(|number| u32::try_from(number).ok())
}

/// What lies between spaces, empty pieces left out.
pub fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
	text.split(|byte| *byte == b' ').filter(|word| !word.is_empty())
}

/// What lies before the first `mark` and what lies behind it.
#[inline(never)]
pub fn cut(text: &[u8], mark: u8) -> Option<(&[u8], &[u8])> {
	let at = text.iter().position(|byte| *byte == mark)?;
	Some((text.get(..at)?, text.get(at.checked_add(1)?..)?))
}

/// Appends `text` with mountinfo's `\ooo` resolved; backslashes of any other form stay. All or nothing.
pub fn unescape<const N: usize>(text: &[u8], out: &mut Vec<u8, N>) -> Result<(), Fault> {
	let need = out.len().saturating_add(Unescaped(text).count());
	if need > N {
		return Err(Fault::full(Limit::Unescaped, need));
	}
	out.extend(Unescaped(text));
	Ok(())
}

/// The bytes of a text as they were before the kernel escaped them.
#[derive(Clone, Copy)]
pub struct Unescaped<'a>(pub &'a [u8]);

impl Iterator for Unescaped<'_> {
	type Item = u8;

	fn next(&mut self) -> Option<u8> {
		let (byte, rest) = match self.0 {
			[b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', rest @ ..] => {
				((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'), rest)
			}
			[byte, rest @ ..] => (*byte, rest),
			[] => return None,
		};
		self.0 = rest;
		Some(byte)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	extern crate std;
	use std::vec;

	#[test]
	fn the_last_line_may_lack_its_newline_and_empty_lines_count() {
		let mut buffer = [0xa5; 8];
		let mut lines = Lines::new(&b"one\n\ntwo"[..], &mut buffer);
		for expected in [Some(&b"one"[..]), Some(b""), Some(b"two"), None, None] {
			assert_eq!(lines.next_line(), Ok(expected));
		}
		assert_eq!(Lines::new(&b""[..], &mut []).next_line(), Ok(None));
		assert_eq!(Lines::new(&b"\n"[..], &mut []).next_line(), Ok(Some(&b""[..])));
	}

	#[test]
	fn a_line_fills_the_buffer_exactly_or_is_full_and_stays_so() {
		let long = vec![b'x'; 5000];
		let text = [&b"a\n"[..], &long, b"\nb"].concat();
		let mut buffer = vec![0xa5; 5000];
		let mut lines = Lines::new(&text[..], &mut buffer);
		for expected in [&b"a"[..], &long, b"b"] {
			assert_eq!(lines.next_line(), Ok(Some(expected)));
		}
		let mut lines = Lines::new(&text[..], &mut buffer[..4999]);
		assert_eq!(lines.next_line(), Ok(Some(&b"a"[..])));
		let full = Fault::full(Limit::Line, 5000);
		assert_eq!(lines.next_line(), Err(full));
		assert_eq!(lines.next_line(), Err(full));
	}

	struct Broken(usize);

	impl Source for Broken {
		fn read(&mut self, into: &mut [u8]) -> Result<usize, Fault> {
			match self.0 {
				0 => Err(Fault::Kernel(3)),
				1 => Ok(into.len() + 1),
				_ => {
					self.0 = 0;
					into[..2].copy_from_slice(b"x\n");
					Ok(2)
				}
			}
		}
	}

	#[test]
	fn faults_of_the_source_pass_and_a_lying_source_is_one() {
		let mut buffer = [0; 8];
		let mut lines = Lines::new(Broken(2), &mut buffer);
		assert_eq!(lines.next_line(), Ok(Some(&b"x"[..])));
		assert_eq!(lines.next_line(), Err(Fault::Kernel(3)));
		assert!(matches!(Lines::new(Broken(1), &mut buffer).next_line(), Err(Fault::Text(_))));
	}

	#[test]
	fn words_can_end_lines_instead() {
		let mut buffer = [0; 3];
		let mut source = &b"115 116 "[..];
		let mut lines = Lines::ended_by(b' ', &mut source, &mut buffer);
		for expected in [Some(&b"115"[..]), Some(b"116"), None] {
			assert_eq!(lines.next_line(), Ok(expected));
		}
	}

	#[test]
	fn numbers_are_digits_and_do_not_overflow() {
		assert_eq!(number(b"18446744073709551615"), Some(u64::MAX));
		assert_eq!(number(b"007"), Some(7));
		for bad in
			[&b""[..], b"18446744073709551616", b"99999999999999999999", b"-1", b"+1", b" 1", b"1 ", b"0x1", b":"]
		{
			assert_eq!(number(bad), None, "{bad:?}");
		}
		assert_eq!((number32(b"4294967295"), number32(b"4294967296")), (Some(u32::MAX), None));
	}

	#[test]
	fn words_leave_out_what_is_empty() {
		assert!(words(b"  a\tb  c ").eq([&b"a\tb"[..], b"c"]));
		assert_eq!(words(b"").count(), 0);
		assert_eq!(cut(b"a:b:c", b':'), Some((&b"a"[..], &b"b:c"[..])));
		assert_eq!(cut(b"a", b':'), None);
	}

	#[test]
	fn only_octal_escapes_of_one_byte_are_resolved() {
		let mut out = Vec::<u8, 64>::new();
		unescape(b"\\040a\\134040\\377 \\400\\08\\04x\\\\040\\", &mut out).unwrap();
		assert_eq!(out, b" a\\040\xff \\400\\08\\04x\\ \\");
	}

	#[test]
	fn unescaping_appends_all_or_nothing() {
		let mut out = Vec::<u8, 4>::from_slice(b"ab").unwrap();
		assert!(matches!(unescape(b"c\\040e", &mut out), Err(Fault::Full(_, 5))));
		assert_eq!(out, b"ab");
		unescape(b"\\011\\012", &mut out).unwrap();
		assert_eq!(out, b"ab\t\n");
	}
}
