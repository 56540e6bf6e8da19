//! What is another message in the layout of 2014.

use super::ImageWriter;
use crate::error::Fault;
use crate::image::schema;
use crate::image::sink::{Mark, Store};
use crate::procfs::scan::number;

impl<S: Store> ImageWriter<'_, S> {
	pub(super) fn rfc_group(&mut self, head: bool, path: &[u8]) -> Result<Mark, Fault> {
		let mark = self.open(if head { schema::rfc_controller::DIRS } else { schema::rfc_dir::CHILDREN })?;
		self.message(schema::rfc_dir::PATH, path.len() + 1)?;
		self.sink.write(b"/")?;
		self.sink.write(path)?;
		Ok(mark)
	}

	pub(super) fn rfc_property(&mut self, name: &[u8], value: &[u8]) -> Result<(), Fault> {
		let field = match name {
			b"memory.limit_in_bytes" => Some(schema::rfc_dir::MEM_LIMIT),
			b"cpu.shares" => Some(schema::rfc_dir::CPU_SHARES),
			_ => None,
		};
		match field.zip(number(value)) {
			Some((field, number)) => self.number(field, number),
			None => {
				self.left_out += u64::from(!value.is_empty());
				Ok(())
			}
		}
	}
}
