//! The text of a value that is being made, and the ways in which none comes out.

use crate::error::Why;
use crate::procfs::scan::number;
use crate::property::{Property, value::is_unlimited};

/// The place of the other version's file whose value was made, or why none was. Fits a register.
pub(super) type Made = Result<u8, Miss>;

/// No value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Miss {
	/// There is nothing to say.
	Nothing,
	/// It is set and the other version cannot have it.
	Lost(Why),
	/// The text does not fit.
	Full,
}

/// Text that no kernel prints.
pub(super) const ODD: Miss = Miss::Lost(Why::OddValue);

/// A number of the kernel, or nothing for no limit.
#[inline(never)]
pub(super) fn amount(property: &Property, text: &[u8]) -> Result<Option<u64>, Miss> {
	let text = text.trim_ascii();
	if is_unlimited(property, text) { Ok(None) } else { number(text).map(Some).ok_or(ODD) }
}

/// A number within its range.
#[inline(never)]
pub(super) fn within(text: &[u8], least: u64, most: u64) -> Result<u64, Miss> {
	number(text.trim_ascii()).filter(|number| (least..=most).contains(number)).ok_or(ODD)
}

/// Text in a buffer that is lent.
pub(super) struct Out<'t> {
	buffer: &'t mut [u8],
	len: usize,
}

impl<'t> Out<'t> {
	pub(super) fn new(buffer: &'t mut [u8]) -> Self {
		Out { buffer, len: 0 }
	}

	#[inline(never)]
	pub(super) fn put(&mut self, text: &[u8]) -> Result<(), Miss> {
		let room = self.buffer.get_mut(self.len..).and_then(|rest| rest.get_mut(..text.len())).ok_or(Miss::Full)?;
		room.copy_from_slice(text);
		self.len += text.len();
		Ok(())
	}

	/// In decimal.
	#[inline(never)]
	pub(super) fn number(&mut self, mut number: u64) -> Result<(), Miss> {
		let mut digits = [0; 20];
		let mut start = digits.len();
		loop {
			start -= 1;
			digits[start] = b'0' + (number % 10) as u8;
			number /= 10;
			if number == 0 {
				return self.put(&digits[start..]);
			}
		}
	}

	/// A newline, unless it is the first line.
	pub(super) fn line(&mut self) -> Result<(), Miss> {
		if self.len == 0 { Ok(()) } else { self.put(b"\n") }
	}

	pub(super) fn len(&self) -> usize {
		self.len
	}

	pub(super) fn text(self) -> &'t [u8] {
		let Out { buffer, len } = self;
		buffer.get(..len).unwrap_or(b"")
	}
}
