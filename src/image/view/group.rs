//! A group of the image: its name, its children, and what is its own.

use super::{Layout, Perms, Properties, Repeated, View};
use crate::error::{Fault, Why};
use crate::image::attribute::Attributes;
use crate::image::schema;
use crate::image::wire::{Field, Fields, Message};

/// One group.
#[derive(Clone, Copy, Debug)]
pub struct Group<'a> {
	message: Message<'a>,
	layout: Layout,
	/// One component for a child; for a head its path without the first slash, empty for the root.
	pub name: &'a [u8],
}

impl<'a> View<'a> for Group<'a> {
	/// The name is the first field, as every writer of protobuf puts it: a group is looked at once for each of its
	/// children, and must not be searched each time.
	fn view(message: Message<'a>, layout: Layout) -> Result<Self, Fault> {
		match Fields::new(message).next().transpose()? {
			Some(field) if field.number == schema::dir::DIR_NAME => {
				let name = field.bytes()?.bytes;
				let name = if layout == Layout::Rfc { name.strip_prefix(b"/").unwrap_or(name) } else { name };
				Ok(Group { message, layout, name })
			}
			_ => Err(Fault::image(message.at, Why::GroupWithoutName)),
		}
	}
}

impl<'a> Group<'a> {
	/// Offset in the payload.
	pub fn at(&self) -> usize {
		self.message.at
	}

	/// Its bytes.
	pub fn message(&self) -> Message<'a> {
		self.message
	}

	/// Everything but its name, which a sibling may have as well, byte for byte.
	pub fn body(&self) -> &'a [u8] {
		let mut fields = Fields::new(self.message);
		let _ = fields.next(); // the name
		fields.rest().bytes
	}

	/// Whether its name is its whole path, as in the rfc layout.
	pub fn has_whole_path(&self) -> bool {
		self.layout == Layout::Rfc
	}

	/// The groups right below.
	pub fn children(&self) -> Repeated<'a, Group<'a>> {
		Repeated::new(self.message, child(self.layout), self.layout)
	}

	/// The fields of its own, and children on the way to them.
	fn own(&self) -> Own<'a> {
		let rfc = self.layout == Layout::Rfc;
		Own { fields: Fields::new(self.message), child: child(self.layout), ended: rfc }
	}

	/// The first one of its own fields with this number. What cgraft adds stands before the owner and mode.
	fn own_field(&self, number: u32) -> Result<Option<Field<'a>>, Fault> {
		for field in self.own() {
			match field? {
				_ if self.layout == Layout::Rfc => {}
				field if field.number == number => return Ok(Some(field)),
				Field { number: schema::dir::DIR_PERMS, .. } => return Ok(None),
				_ => {}
			}
		}
		Ok(None)
	}

	/// Owner and mode of the directory.
	pub fn perms(&self) -> Result<Option<Perms>, Fault> {
		let field = self.own_field(schema::dir::DIR_PERMS)?;
		field.map(|field| Perms::view(field.bytes()?, self.layout)).transpose()
	}

	/// Whether it lies above the heads and is only written down for its limits.
	pub fn is_ancestor(&self) -> Result<bool, Fault> {
		let flag = self.own_field(schema::dir::ANCESTOR)?.map(|field| field.u64()).transpose()?;
		Ok(flag.is_some_and(|flag| flag != 0))
	}

	/// Its extended attributes in the order of the bytes.
	pub fn attributes(&self) -> Attributes<'a> {
		Attributes::new(self.message, self.layout)
	}

	/// Its properties in the order of the bytes.
	pub fn properties(&self) -> Properties<'a> {
		Properties::new(self.own(), self.layout)
	}
}

/// The number of a group's fields that are groups.
pub(super) fn child(layout: Layout) -> u32 {
	if layout == Layout::Rfc { schema::rfc_dir::CHILDREN } else { schema::dir::CHILDREN }
}

/// The fields of a group up to its first child, if its owner and mode stand before that: cgraft writes everything of a
/// group before its children, so that nobody has to look at all of them; CRIU writes the owner and mode last of all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Own<'a> {
	fields: Fields<'a>,
	child: u32,
	/// The next child ends it.
	ended: bool,
}

impl<'a> Iterator for Own<'a> {
	type Item = Result<Field<'a>, Fault>;

	fn next(&mut self) -> Option<Self::Item> {
		let field = self.fields.next()?;
		if let Ok(Field { number, .. }) = field {
			if self.ended && number == self.child {
				return None;
			}
			self.ended |= number == schema::dir::DIR_PERMS;
		}
		Some(field)
	}
}
