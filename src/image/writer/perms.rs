//! Owner and mode in, their message out; mostly they are those of the file before.

use crate::error::Fault;
use crate::image::schema;
use crate::image::sink::Store;
use crate::image::size::perms_size;
use crate::image::view::Perms;
use crate::image::writer::ImageWriter;

/// Three numbers of 32 bits and their tags.
const PERMS_BYTES: usize = 18;

/// What was written last, and its bytes.
#[derive(Clone, Copy)]
pub(super) struct Last {
	perms: Perms,
	bytes: [u8; PERMS_BYTES],
	len: usize,
}

impl<S: Store> ImageWriter<'_, S> {
	/// Bytes of the message, its tag and length not counted.
	pub(super) fn perms_size(&self, perms: Perms) -> usize {
		self.known(perms).map_or_else(|| perms_size(perms), |last| last.len)
	}

	pub(super) fn perms(&mut self, number: u32, perms: Perms) -> Result<(), Fault> {
		if let Some(last) = self.known(perms) {
			return self.text(number, last.bytes.get(..last.len).unwrap_or(&[]));
		}
		let (mut bytes, len) = ([0; PERMS_BYTES], perms_size(perms));
		self.message(number, len)?;
		let at = self.sink.total();
		self.number(schema::perms::MODE, u64::from(perms.mode))?;
		self.number(schema::perms::UID, u64::from(perms.uid))?;
		self.number(schema::perms::GID, u64::from(perms.gid))?;
		let is_read = self.sink.read_at(at, bytes.get_mut(..len).unwrap_or(&mut []))?;
		self.last = is_read.then_some(Last { perms, bytes, len });
		Ok(())
	}

	fn known(&self, perms: Perms) -> Option<Last> {
		self.last.filter(|last| last.perms == perms)
	}
}
