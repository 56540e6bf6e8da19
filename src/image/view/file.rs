//! A file's bytes in, the image's payload and its layout out, once header, size and checksum are right.

use super::{Layout, Pages};
use crate::error::{Fault, Why};
use crate::image::schema::{self, HEADER_BYTES, MAGIC_CGROUP, MAGIC_COMMON};
use crate::image::sum::Sum;
use crate::image::wire::{Fields, Message, Value, word};

pub(super) fn payload(file: &[u8]) -> Result<&[u8], Fault> {
	let word = |at| word(file, at);
	if (word(0), word(4)) != (Some(MAGIC_COMMON), Some(MAGIC_CGROUP)) {
		return Err(Fault::image(0, Why::NotAnImage));
	}
	let size = word(8).ok_or(Fault::image(0, Why::CutInHeader))? as usize;
	let payload = file.get(HEADER_BYTES..).unwrap_or(&[]);
	match payload.len() {
		len if len < size => Err(Fault::image(len, Why::CutOff)),
		len if len > size => Err(Fault::image(size, Why::BytesFollow)),
		_ => Ok(payload),
	}
}

/// Bytes that are summed between two releases.
const SUMMED_BYTES: usize = 256 * 1024;

pub(super) fn check_sum(payload: Message<'_>, pages: &dyn Pages) -> Result<(), Fault> {
	let (mut ours, mut summed) = (false, false);
	for field in Fields::new(payload) {
		let field = field?;
		if summed {
			return Err(Fault::image(field.at, Why::AfterChecksum));
		}
		match (field.number, field.value) {
			(schema::entry::CHECKSUM, Value::Fixed32(sum)) => {
				let mut digest = Sum::new();
				for bytes in payload.bytes.get(..field.at).unwrap_or(&[]).chunks(SUMMED_BYTES) {
					digest.add(bytes);
					pages.release();
				}
				if digest.end() != sum {
					return Err(Fault::image(field.at, Why::BadChecksum));
				}
				summed = true;
			}
			(schema::entry::ABOUT, _) => ours = true,
			_ => {}
		}
	}
	if ours && !summed {
		return Err(Fault::image(payload.bytes.len(), Why::NoChecksum));
	}
	Ok(())
}

/// The layouts differ in the first field of a hierarchy (name or number) and in the number of a set's members.
pub(super) fn layout(payload: Message<'_>) -> Result<Layout, Fault> {
	for field in Fields::new(payload) {
		let field = field?;
		let inner = match field.number {
			schema::entry::SETS | schema::entry::CONTROLLERS => Fields::new(field.bytes()?),
			_ => continue,
		};
		for part in inner {
			let part = part?;
			match (field.number, part.number, part.value) {
				(schema::entry::SETS, schema::rfc_set::CTLS, _) => return Ok(Layout::Rfc),
				(schema::entry::SETS, schema::set::CTLS, _) => return Ok(Layout::Criu),
				(schema::entry::CONTROLLERS, schema::rfc_controller::ID, Value::Varint(_)) => return Ok(Layout::Rfc),
				(schema::entry::CONTROLLERS, schema::controller::CNAMES, _) => return Ok(Layout::Criu),
				_ => {}
			}
		}
	}
	Ok(Layout::Criu)
}
