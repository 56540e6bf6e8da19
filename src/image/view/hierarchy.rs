//! A hierarchy of the image: its names and its topmost groups.

use super::group::child;
use super::{Group, Layout, Pages, Repeated, View};
use crate::error::{Fault, Why};
use crate::image::schema;
use crate::image::wire::{Fields, Message};

/// One hierarchy and its groups.
#[derive(Clone, Copy)]
pub struct Hierarchy<'a> {
	message: Message<'a>,
	layout: Layout,
	/// See [`Pages`].
	pub pages: &'a dyn Pages,
	/// Whether one of its tasks sat in a threaded group; v1 hierarchies always say true.
	pub threaded: Option<bool>,
}

impl<'a> Hierarchy<'a> {
	pub(super) fn on(self, pages: &'a dyn Pages) -> Self {
		Hierarchy { pages, ..self }
	}

	/// Its controllers; v2 has one empty name, a named hierarchy `name=NAME`.
	pub fn names(&self) -> Repeated<'a, &'a [u8]> {
		let rfc = self.layout == Layout::Rfc;
		let number = if rfc { schema::rfc_controller::CONTROLLERS } else { schema::controller::CNAMES };
		Repeated::new(self.message, number, self.layout)
	}

	/// Its topmost groups. Their names may have several components, or none for the hierarchy's root.
	pub fn heads(&self) -> Repeated<'a, Group<'a>> {
		let number = if self.layout == Layout::Rfc { schema::rfc_controller::DIRS } else { schema::controller::DIRS };
		Repeated::new(self.message, number, self.layout)
	}

	/// Its bytes.
	pub fn message(&self) -> Message<'a> {
		self.message
	}

	/// A part of its bytes, by offsets in the payload.
	pub fn bytes(&self, start: u32, end: u32) -> Message<'a> {
		let base = self.message;
		let (from, to) = ((start as usize).saturating_sub(base.at), (end as usize).saturating_sub(base.at));
		Message { bytes: base.bytes.get(from..to).unwrap_or(&[]), at: start as usize }
	}

	/// A group of it by its bytes.
	pub fn group(&self, message: Message<'a>) -> Result<Group<'a>, Fault> {
		Group::view(message, self.layout)
	}

	/// The groups right below a group of it among a part of that group's fields.
	pub fn groups_in(&self, message: Message<'a>) -> Repeated<'a, Group<'a>> {
		Repeated::new(message, child(self.layout), self.layout)
	}

	/// Whether it is v2: its only name is empty.
	pub fn is_unified(&self) -> bool {
		matches!(self.names().next(), Some(Ok(b"")))
	}

	/// Offset in the payload.
	pub fn at(&self) -> usize {
		self.message.at
	}
}

impl<'a> View<'a> for Hierarchy<'a> {
	/// Its names are its first fields, as every writer of protobuf puts them (the RFC layout has its number before
	/// them): they are looked at for each property, and must not be searched behind the groups.
	fn view(message: Message<'a>, layout: Layout) -> Result<Self, Fault> {
		let rfc = layout == Layout::Rfc;
		let names = if rfc { schema::rfc_controller::CONTROLLERS } else { schema::controller::CNAMES };
		let wrong = Fault::image(message.at, Why::HierarchyWithoutName);
		let (mut named, mut over, mut threaded) = (false, false, None);
		for (at, field) in Fields::new(message).enumerate() {
			let field = field?;
			match field.number {
				number if number == names && over => return Err(wrong),
				number if number == names => named = true,
				_ if rfc && at == 0 => {}
				number => {
					over = true;
					if !rfc && number == schema::controller::IS_THREADED {
						threaded = Some(field.u64()? != 0);
					}
				}
			}
		}
		if named { Ok(Hierarchy { message, layout, pages: &(), threaded }) } else { Err(wrong) }
	}
}
