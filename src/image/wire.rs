//! Protobuf bytes in, fields out: the bounded reader.
//!
//! Source: the protobuf encoding document (varints, tags, length-delimited fields). A field is cut out of its
//! parent's bytes, so a child cannot pass its parent's end. Over-long varints up to ten bytes are legal; groups
//! (wire types 3 and 4) are not used by the image and are refused. Required fields are judged in [`super::view`].

use crate::error::{Fault, Why};

/// The 32 bits at this offset of a file, little endian.
pub fn word(file: &[u8], at: usize) -> Option<u32> {
	file.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

/// The bytes of one message and their offset in the payload, for messages to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
	/// The message's bytes.
	pub bytes: &'a [u8],
	/// Offset of the first byte in the payload.
	pub at: usize,
}

/// A field's value as its wire type gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
	/// Wire type 0.
	Varint(u64),
	/// Wire type 2: a string, bytes or a message.
	Bytes(Message<'a>),
	/// Wire type 5.
	Fixed32(u32),
	/// Wire type 1.
	Fixed64(u64),
}

/// One field of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
	/// Field number, at least 1.
	pub number: u32,
	/// Offset of the field's tag in the payload.
	pub at: usize,
	/// Its value.
	pub value: Value<'a>,
}

impl<'a> Field<'a> {
	/// The bytes of a length-delimited field.
	pub fn bytes(&self) -> Result<Message<'a>, Fault> {
		match self.value {
			Value::Bytes(message) => Ok(message),
			_ => Err(Fault::image(self.at, Why::NumberForText)),
		}
	}

	/// A varint that must fit 64 bits.
	pub fn u64(&self) -> Result<u64, Fault> {
		match self.value {
			Value::Varint(number) => Ok(number),
			_ => Err(Fault::image(self.at, Why::TextForNumber)),
		}
	}

	/// A varint that must fit 32 bits.
	pub fn u32(&self) -> Result<u32, Fault> {
		u32::try_from(self.u64()?).map_err(|_| Fault::image(self.at, Why::NumberTooLarge))
	}
}

/// The fields of a message, in the order of its bytes. After a fault it ends.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
	rest: &'a [u8],
	at: usize,
}

impl<'a> Fields<'a> {
	/// Before the first field of `message`.
	pub fn new(message: Message<'a>) -> Self {
		Fields { rest: message.bytes, at: message.at }
	}

	/// What is not read yet, as a message of its own: to go on later.
	pub fn rest(&self) -> Message<'a> {
		Message { bytes: self.rest, at: self.at }
	}

	fn read(&mut self) -> Result<Field<'a>, Fault> {
		let at = self.at;
		let tag = self.varint()?;
		let number = u32::try_from(tag >> 3).unwrap_or(0);
		if number == 0 || number > 0x1fff_ffff {
			return Err(Fault::image(at, Why::FieldNumber));
		}
		let value = match tag & 7 {
			0 => Value::Varint(self.varint()?),
			1 => Value::Fixed64(u64::from_le_bytes(self.array()?)),
			2 => Value::Bytes(self.message()?),
			5 => Value::Fixed32(u32::from_le_bytes(self.array()?)),
			_ => return Err(Fault::image(at, Why::WireType)),
		};
		Ok(Field { number, at, value })
	}

	fn varint(&mut self) -> Result<u64, Fault> {
		if let [byte @ ..0x80, rest @ ..] = self.rest {
			(self.rest, self.at) = (rest, self.at + 1); // most are short
			return Ok(u64::from(*byte));
		}
		let mut number = 0_u64;
		for (count, byte) in (1..).zip(self.rest.iter().take(10)) {
			let bits = u64::from(byte & 0x7f);
			if count == 10 && bits > 1 {
				return Err(Fault::image(self.at, Why::NumberTooLong));
			}
			number |= bits << (7 * (count - 1));
			if byte & 0x80 == 0 {
				(self.rest, self.at) = (self.rest.get(count..).unwrap_or(&[]), self.at + count);
				return Ok(number);
			}
		}
		Err(match self.rest.get(9) {
			Some(_) => Fault::image(self.at, Why::NumberEndless),
			None => Fault::image(self.at + self.rest.len(), Why::FieldCut),
		})
	}

	fn message(&mut self) -> Result<Message<'a>, Fault> {
		let at = self.at;
		let len = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
		let start = self.at;
		match self.rest.split_at_checked(len) {
			Some((bytes, rest)) => {
				self.rest = rest;
				self.at += len;
				Ok(Message { bytes, at: start })
			}
			None => Err(Fault::image(at, Why::FieldTooLong)),
		}
	}

	fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
		match self.rest.split_first_chunk() {
			Some((bytes, rest)) => {
				self.rest = rest;
				self.at += N;
				Ok(*bytes)
			}
			None => Err(Fault::image(self.at, Why::FieldCut)),
		}
	}
}

impl<'a> Iterator for Fields<'a> {
	type Item = Result<Field<'a>, Fault>;

	fn next(&mut self) -> Option<Self::Item> {
		if self.rest.is_empty() {
			return None;
		}
		let field = self.read();
		if field.is_err() {
			self.rest = &[];
		}
		Some(field)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	extern crate std;
	use std::vec::Vec;

	fn all(bytes: &[u8]) -> Result<Vec<Field<'_>>, Fault> {
		Fields::new(Message { bytes, at: 0 }).collect()
	}

	#[test]
	fn fields_of_every_wire_type() {
		let bytes = [0x08, 0x96, 0x01, 0x12, 0x02, b'h', b'i', 0x1d, 1, 0, 0, 0, 0x21, 2, 0, 0, 0, 0, 0, 0, 0];
		let fields = all(&bytes).unwrap();
		assert_eq!(fields[0], Field { number: 1, at: 0, value: Value::Varint(150) });
		assert_eq!(fields[1].bytes().unwrap(), Message { bytes: b"hi", at: 5 });
		assert_eq!(fields[2].value, Value::Fixed32(1));
		assert_eq!(fields[3].value, Value::Fixed64(2));
	}

	#[test]
	fn a_padded_length_is_legal() {
		let bytes = [0x12, 0x82, 0x80, 0x80, 0x80, 0x00, b'h', b'i'];
		assert_eq!(all(&bytes).unwrap()[0].bytes().unwrap().bytes, b"hi");
	}

	#[test]
	fn a_child_cannot_pass_its_parents_end() {
		assert!(matches!(all(&[0x12, 0x03, b'h', b'i']), Err(Fault::Image(_, 1))));
		assert!(matches!(
			all(&[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
			Err(Fault::Image(..))
		));
	}

	#[test]
	fn what_is_no_protobuf_is_a_fault() {
		for bytes in [&[0x08][..], &[0x0b], &[0x00, 0x01], &[0xff; 11], &[0x0d, 1, 2], &[0x08, 0x80]] {
			assert!(all(bytes).is_err(), "{bytes:?}");
		}
	}

	#[test]
	fn fields_end_after_a_fault() {
		let mut fields = Fields::new(Message { bytes: &[0x0b, 0x08, 0x01], at: 0 });
		assert!(fields.next().unwrap().is_err());
		assert!(fields.next().is_none());
	}
}
