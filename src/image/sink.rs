//! Bytes of the image in, a file's bytes out: a fixed buffer in front of a store, with lengths filled in afterwards.
//!
//! A message that holds other messages carries its length in front, before it is known. Its length field is opened
//! with five bytes; when it closes, a short message that is still in the buffer is moved down so that its length
//! takes as few bytes as it needs, and a long one keeps five (protobuf allows over-long varints). `quick-protobuf`'s
//! writer writes through this buffer.

use quick_protobuf::{WriterBackend, sizeofs::sizeof_varint};

use crate::error::{Fault, Why};
use crate::limits::{Limit, SINK_BYTES};

/// Where the image's bytes go: a file, or a memory file that is copied to a pipe at the end.
pub trait Store {
	/// Adds bytes at the end.
	fn append(&mut self, bytes: &[u8]) -> Result<(), Fault>;
	/// Replaces bytes at this offset.
	fn patch(&mut self, at: u64, bytes: &[u8]) -> Result<(), Fault>;
	/// Reads bytes at this offset; returns how many.
	fn read_at(&mut self, at: u64, into: &mut [u8]) -> Result<usize, Fault>;
}

/// Bytes of an open length field: a varint of 35 bits, which holds the file's u32 size.
const LENGTH_BYTES: usize = 5;
/// A closed message up to this size is moved to give its length field the exact size.
const MOVED_BYTES: usize = 4096;

/// An open message: where its length field is.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Mark(u64);

/// The buffer in front of a store.
pub struct Sink<'s, S: Store> {
	store: S,
	buffer: &'s mut [u8; SINK_BYTES],
	used: usize,
	flushed: u64,
	fault: Option<Fault>,
}

impl<'s, S: Store> Sink<'s, S> {
	/// An empty file.
	pub fn new(store: S, buffer: &'s mut [u8; SINK_BYTES]) -> Self {
		Sink { store, buffer, used: 0, flushed: 0, fault: None }
	}

	/// Bytes written so far.
	pub fn total(&self) -> u64 {
		self.flushed + self.used as u64
	}

	/// Adds bytes.
	pub fn write(&mut self, mut bytes: &[u8]) -> Result<(), Fault> {
		while !bytes.is_empty() {
			if self.used == SINK_BYTES {
				self.flush()?;
			}
			let taken = bytes.len().min(SINK_BYTES - self.used);
			self.buffer[self.used..self.used + taken].copy_from_slice(&bytes[..taken]);
			self.used += taken;
			bytes = &bytes[taken..];
		}
		Ok(())
	}

	/// Makes sure that at least half of the buffer is free; the place from which [`Self::rewind`] can take back.
	pub fn reserve(&mut self) -> Result<u64, Fault> {
		if self.used > SINK_BYTES / 2 {
			self.flush()?;
		}
		Ok(self.total())
	}

	/// Takes back everything since `start`, if it is still in the buffer; whether it was.
	pub fn rewind(&mut self, start: u64) -> bool {
		match start.checked_sub(self.flushed) {
			Some(used) if used <= self.used as u64 => {
				self.used = used as usize;
				true
			}
			_ => false,
		}
	}

	/// Opens a length field of unknown value.
	pub fn open(&mut self) -> Result<Mark, Fault> {
		let mark = Mark(self.total());
		self.write(&[0; LENGTH_BYTES])?;
		Ok(mark)
	}

	/// Fills in the length of everything since `mark`.
	pub fn close(&mut self, mark: Mark) -> Result<(), Fault> {
		let start = mark.0 + LENGTH_BYTES as u64;
		let len = self.total() - start;
		match mark.0.checked_sub(self.flushed) {
			Some(at) if len <= MOVED_BYTES as u64 => self.close_moved(at as usize, len as usize),
			Some(at) => self.buffer[at as usize..at as usize + LENGTH_BYTES].copy_from_slice(&padded(len)?),
			None => self.patch(mark.0, &padded(len)?)?,
		}
		Ok(())
	}

	fn close_moved(&mut self, at: usize, len: usize) {
		let width = sizeof_varint(len as u64);
		let body = at + LENGTH_BYTES;
		self.buffer.copy_within(body..body + len, at + width);
		for (index, byte) in self.buffer[at..at + width].iter_mut().enumerate() {
			let more = if index + 1 < width { 0x80 } else { 0 };
			*byte = (len >> (7 * index)) as u8 & 0x7f | more;
		}
		self.used -= LENGTH_BYTES - width;
	}

	/// Replaces bytes that may be partly in the store and partly in the buffer.
	pub fn patch(&mut self, at: u64, bytes: &[u8]) -> Result<(), Fault> {
		let stored = bytes.len().min(self.flushed.saturating_sub(at) as usize);
		let (old, new) = bytes.split_at(stored);
		if !old.is_empty() {
			self.store.patch(at, old)?;
		}
		let from = (at + stored as u64).saturating_sub(self.flushed) as usize;
		self.buffer[from..from + new.len()].copy_from_slice(new);
		Ok(())
	}

	/// Gives the store everything that is buffered.
	pub fn flush(&mut self) -> Result<(), Fault> {
		self.store.append(&self.buffer[..self.used])?;
		self.flushed += self.used as u64;
		self.used = 0;
		match u32::try_from(self.flushed) {
			Ok(_) => Ok(()),
			Err(_) => Err(Fault::full(Limit::Image, self.flushed as usize)),
		}
	}

	/// Reads flushed bytes back in pieces, from `at` to the end.
	pub fn read_back(&mut self, mut at: u64, mut each: impl FnMut(&[u8])) -> Result<(), Fault> {
		self.flush()?;
		while at < self.flushed {
			match self.store.read_at(at, self.buffer)? {
				0 => return Err(Fault::Text(Why::ReadBack)),
				len => {
					let len = (self.flushed - at).min(len as u64) as usize;
					each(&self.buffer[..len]);
					at += len as u64;
				}
			}
		}
		Ok(())
	}

	/// The bytes `at..at + into.len()`, wherever they are by now; whether they are all there.
	pub fn read_at(&mut self, at: u64, into: &mut [u8]) -> Result<bool, Fault> {
		let stored = into.len().min(self.flushed.saturating_sub(at) as usize);
		let (old, new) = into.split_at_mut(stored);
		let mut read = 0;
		while read < old.len() {
			match self.store.read_at(at + read as u64, &mut old[read..])? {
				0 => return Ok(false),
				len => read += len,
			}
		}
		let from = (at + stored as u64).saturating_sub(self.flushed) as usize;
		match self.buffer[..self.used].get(from..from + new.len()) {
			Some(bytes) => new.copy_from_slice(bytes),
			None => return Ok(false),
		}
		Ok(true)
	}

	/// The store itself, when all is written.
	pub fn into_store(self) -> S {
		self.store
	}

	/// Turns the protobuf writer's error back into the store's fault.
	pub fn settle(&mut self, result: quick_protobuf::Result<()>) -> Result<(), Fault> {
		match result {
			Ok(()) => Ok(()),
			Err(_) => Err(self.fault.take().unwrap_or(Fault::full(Limit::Image, usize::MAX))),
		}
	}
}

/// The length as a varint of exactly five bytes.
fn padded(len: u64) -> Result<[u8; LENGTH_BYTES], Fault> {
	if len > u64::from(u32::MAX) {
		return Err(Fault::full(Limit::Image, len as usize));
	}
	let mut bytes = [0x80; LENGTH_BYTES];
	for (index, byte) in bytes.iter_mut().enumerate() {
		*byte |= (len >> (7 * index)) as u8 & 0x7f;
	}
	bytes[LENGTH_BYTES - 1] &= 0x7f;
	Ok(bytes)
}

impl<S: Store> WriterBackend for &mut Sink<'_, S> {
	fn pb_write_all(&mut self, bytes: &[u8]) -> quick_protobuf::Result<()> {
		self.write(bytes).map_err(|fault| {
			self.fault = Some(fault);
			quick_protobuf::Error::OutputBufferTooSmall
		})
	}

	/// Most of an image's bytes come one by one.
	fn pb_write_u8(&mut self, number: u8) -> quick_protobuf::Result<()> {
		match self.buffer.get_mut(self.used) {
			Some(byte) => {
				*byte = number;
				self.used += 1;
				Ok(())
			}
			None => self.pb_write_all(&[number]),
		}
	}

	fn pb_write_u32(&mut self, number: u32) -> quick_protobuf::Result<()> {
		self.pb_write_all(&number.to_le_bytes())
	}

	fn pb_write_i32(&mut self, number: i32) -> quick_protobuf::Result<()> {
		self.pb_write_all(&number.to_le_bytes())
	}

	fn pb_write_f32(&mut self, number: f32) -> quick_protobuf::Result<()> {
		self.pb_write_all(&number.to_le_bytes())
	}

	fn pb_write_u64(&mut self, number: u64) -> quick_protobuf::Result<()> {
		self.pb_write_all(&number.to_le_bytes())
	}

	fn pb_write_i64(&mut self, number: i64) -> quick_protobuf::Result<()> {
		self.pb_write_all(&number.to_le_bytes())
	}

	fn pb_write_f64(&mut self, number: f64) -> quick_protobuf::Result<()> {
		self.pb_write_all(&number.to_le_bytes())
	}
}

/// A store in memory, for the tests of others too.
#[cfg(test)]
pub mod tests {
	use super::*;
	extern crate std;
	use std::boxed::Box;
	use std::vec::Vec;

	/// A store in memory.
	impl Store for &mut Vec<u8> {
		fn append(&mut self, bytes: &[u8]) -> Result<(), Fault> {
			self.extend_from_slice(bytes);
			Ok(())
		}

		fn patch(&mut self, at: u64, bytes: &[u8]) -> Result<(), Fault> {
			self[at as usize..at as usize + bytes.len()].copy_from_slice(bytes);
			Ok(())
		}

		fn read_at(&mut self, at: u64, into: &mut [u8]) -> Result<usize, Fault> {
			let rest = self.get(at as usize..).unwrap_or(&[]);
			let len = rest.len().min(into.len());
			into[..len].copy_from_slice(&rest[..len]);
			Ok(len)
		}
	}

	/// A buffer that shows forgotten bytes.
	pub fn dirty() -> Box<[u8; SINK_BYTES]> {
		Box::new([0xa5; SINK_BYTES])
	}

	#[test]
	fn a_short_message_gets_an_exact_length() {
		let (mut out, mut buffer) = (Vec::new(), dirty());
		let mut sink = Sink::new(&mut out, &mut buffer);
		let mark = sink.open().unwrap();
		sink.write(&[7; 200]).unwrap();
		sink.close(mark).unwrap();
		sink.write(b"!").unwrap();
		sink.flush().unwrap();
		assert_eq!(out[..2], [0xc8, 0x01]);
		assert_eq!(out.len(), 2 + 200 + 1);
	}

	#[test]
	fn a_long_message_is_patched_wherever_its_length_is_by_then() {
		for before in [0, SINK_BYTES - 7, SINK_BYTES - 5, SINK_BYTES - 2, SINK_BYTES] {
			for body in [MOVED_BYTES + 1, SINK_BYTES, 3 * SINK_BYTES] {
				let (mut out, mut buffer) = (Vec::new(), dirty());
				let mut sink = Sink::new(&mut out, &mut buffer);
				sink.write(&std::vec![1; before]).unwrap();
				let mark = sink.open().unwrap();
				sink.write(&std::vec![2; body]).unwrap();
				sink.close(mark).unwrap();
				sink.flush().unwrap();
				assert_eq!(out[before..before + 5], padded(body as u64).unwrap());
				assert!(out[before + 5..].iter().all(|byte| *byte == 2));
				assert_eq!(out.len(), before + 5 + body);
			}
		}
	}

	#[test]
	fn bytes_are_read_back_from_both_sides_of_the_border() {
		let (mut out, mut buffer) = (Vec::new(), dirty());
		let mut sink = Sink::new(&mut out, &mut buffer);
		let bytes: Vec<u8> = (0..SINK_BYTES + 100).map(|number| number as u8).collect();
		sink.write(&bytes).unwrap();
		let mut piece = [0; 50];
		for at in [0, SINK_BYTES - 60, SINK_BYTES - 20, SINK_BYTES + 10] {
			assert!(sink.read_at(at as u64, &mut piece).unwrap());
			assert_eq!(piece, bytes[at..at + 50]);
		}
		assert!(!sink.read_at(SINK_BYTES as u64 + 60, &mut piece).unwrap());
	}
}
