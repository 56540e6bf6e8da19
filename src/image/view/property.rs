//! The properties of a group of the image, with their values, owners and modes.

use core::fmt::Write;

use heapless::String;

use super::group::Own;
use super::{Last, Layout, View};
use crate::error::{Fault, Why};
use crate::image::schema;
use crate::image::wire::{Field, Message};

/// The properties of a group. After a fault it ends.
#[derive(Clone, Copy, Debug)]
pub struct Properties<'a> {
	fields: Own<'a>,
	layout: Layout,
}

impl<'a> Properties<'a> {
	pub(super) fn new(fields: Own<'a>, layout: Layout) -> Self {
		Properties { fields, layout }
	}
}

impl<'a> Iterator for Properties<'a> {
	type Item = Result<Property<'a>, Fault>;

	fn next(&mut self) -> Option<Self::Item> {
		for field in self.fields.by_ref() {
			let property = field.and_then(|field| match (self.layout, field.number) {
				(Layout::Criu, schema::dir::PROPERTIES) => Property::view(field.bytes()?, Layout::Criu).map(Some),
				(Layout::Rfc, schema::rfc_dir::MEM_LIMIT) => {
					Property::number(b"memory.limit_in_bytes", &field).map(Some)
				}
				(Layout::Rfc, schema::rfc_dir::CPU_SHARES) => Property::number(b"cpu.shares", &field).map(Some),
				_ => Ok(None),
			});
			if let Some(property) = property.transpose() {
				return Some(property);
			}
		}
		None
	}
}

/// A property's value: text of the image, or a number of the RFC layout as text.
#[derive(Clone, Debug)]
pub enum Text<'a> {
	/// Bytes of the image.
	Bytes(&'a [u8]),
	/// A number in decimal.
	Number(String<20>),
}

impl Text<'_> {
	/// The value's bytes.
	pub fn bytes(&self) -> &[u8] {
		match self {
			Text::Bytes(bytes) => bytes,
			Text::Number(digits) => digits.as_bytes(),
		}
	}
}

/// One property.
#[derive(Clone, Debug)]
pub struct Property<'a> {
	/// The file's name.
	pub name: &'a [u8],
	/// Its value, without the last newline.
	pub value: Text<'a>,
	/// The file's owner and mode.
	pub perms: Option<Perms>,
	/// Offset in the payload.
	pub at: usize,
}

impl<'a> Property<'a> {
	fn number(name: &'static [u8], field: &Field<'a>) -> Result<Self, Fault> {
		let mut digits = String::new();
		let _ = write!(digits, "{}", field.u64()?); // 20 digits hold every u64
		Ok(Property { name, value: Text::Number(digits), perms: None, at: field.at })
	}
}

impl<'a> View<'a> for Property<'a> {
	fn view(message: Message<'a>, _: Layout) -> Result<Self, Fault> {
		let mut fields = [None; 3];
		let last = Last::of(
			message,
			&[schema::property::NAME, schema::property::VALUE, schema::property::PERMS],
			&mut fields,
		)?;
		let name = last.text(0, Why::PropertyWithoutName)?;
		let value = Text::Bytes(last.text(1, Why::PropertyWithoutValue)?);
		Ok(Property { name, value, perms: last.perms_if_any(2)?, at: message.at })
	}
}

/// Owner and mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Perms {
	/// `st_mode` with its type bits, inode(7).
	pub mode: u32,
	/// User.
	pub uid: u32,
	/// Group.
	pub gid: u32,
}

impl<'a> View<'a> for Perms {
	fn view(message: Message<'a>, _: Layout) -> Result<Self, Fault> {
		let mut fields = [None; 3];
		let last = Last::of(message, &[schema::perms::MODE, schema::perms::UID, schema::perms::GID], &mut fields)?;
		let number = |index| last.number(index, Why::PermsIncomplete);
		Ok(Perms { mode: number(0)?, uid: number(1)?, gid: number(2)? })
	}
}
