//! A group of the image in, its extended attributes out.

use crate::error::{Fault, Why};
use crate::image::schema;
use crate::image::view::{Last, Layout, View};
use crate::image::wire::{Field, Fields, Message};

/// One extended attribute of a group's directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute<'a> {
	/// Its name with what stands before the first dot, xattr(7).
	pub name: &'a [u8],
	/// Its value, any bytes.
	pub value: &'a [u8],
	/// Offset in the payload.
	pub at: usize,
}

impl<'a> View<'a> for Attribute<'a> {
	fn view(message: Message<'a>, _: Layout) -> Result<Self, Fault> {
		use schema::attribute::{NAME, VALUE};
		let mut fields = [None; 2];
		let last = Last::of(message, &[NAME, VALUE], &mut fields)?;
		let text = |index| last.text(index, Why::AttributeIncomplete);
		Ok(Attribute { name: text(0)?, value: text(1)?, at: message.at })
	}
}

/// The attributes of a group; none in an image of CRIU. After a fault it ends.
#[derive(Clone, Copy, Debug)]
pub struct Attributes<'a> {
	fields: Fields<'a>,
	layout: Layout,
}

impl<'a> Attributes<'a> {
	pub(super) fn new(group: Message<'a>, layout: Layout) -> Self {
		Attributes { fields: Fields::new(group), layout }
	}
}

impl<'a> Iterator for Attributes<'a> {
	type Item = Result<Attribute<'a>, Fault>;

	/// They stand before the owner and mode and before the first child: nothing behind those is looked at.
	fn next(&mut self) -> Option<Self::Item> {
		if self.layout == Layout::Rfc {
			return None;
		}
		for field in self.fields.by_ref() {
			match field {
				Err(fault) => return Some(Err(fault)),
				Ok(field) if field.number == schema::dir::ATTRIBUTES => {
					return Some(field.bytes().and_then(|message| Attribute::view(message, self.layout)));
				}
				Ok(Field { number: schema::dir::DIR_PERMS | schema::dir::CHILDREN, .. }) => return None,
				Ok(_) => {}
			}
		}
		None
	}
}
