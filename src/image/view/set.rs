//! A set of the image and its members.

use super::{Last, Layout, Repeated, View};
use crate::error::{Fault, Why};
use crate::image::schema;
use crate::image::wire::Message;

/// One set.
#[derive(Clone, Copy, Debug)]
pub struct Set<'a> {
	message: Message<'a>,
	layout: Layout,
	/// Its id; tasks and CRIU's core images refer to it.
	pub id: u32,
}

impl<'a> Set<'a> {
	/// Its members, sorted by name.
	pub fn members(&self) -> Repeated<'a, Member<'a>> {
		members_of(self.message, self.layout)
	}

	/// Offset in the payload.
	pub fn at(&self) -> usize {
		self.message.at
	}
}

impl<'a> View<'a> for Set<'a> {
	fn view(message: Message<'a>, layout: Layout) -> Result<Self, Fault> {
		let id = Last::of(message, &[schema::set::ID], &mut [None])?.number(0, Why::SetWithoutId)?;
		Ok(Set { message, layout, id })
	}
}

/// One membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member<'a> {
	/// The hierarchy: controllers joined by commas, `name=NAME`, empty for v2.
	pub name: &'a [u8],
	/// The group's path, with its first slash.
	pub path: &'a [u8],
	/// Bytes of `path` above the root of the task's cgroup namespace.
	pub cgns_prefix: Option<u32>,
	/// Offset in the payload.
	pub at: usize,
}

impl<'a> View<'a> for Member<'a> {
	fn view(message: Message<'a>, _: Layout) -> Result<Self, Fault> {
		let mut fields = [None; 3];
		let last =
			Last::of(message, &[schema::member::NAME, schema::member::PATH, schema::member::CGNS_PREFIX], &mut fields)?;
		let (name, path) = (last.text(0, Why::MemberWithoutName)?, last.text(1, Why::MemberWithoutPath)?);
		Ok(Member { name, path, cgns_prefix: last.number_if_any(2)?, at: message.at })
	}
}

/// The members in the bytes of a set that was written before.
pub fn members(bytes: &[u8], layout: Layout) -> Repeated<'_, Member<'_>> {
	members_of(Message { bytes, at: 0 }, layout)
}

fn members_of(message: Message<'_>, layout: Layout) -> Repeated<'_, Member<'_>> {
	let number = if layout == Layout::Rfc { schema::rfc_set::CTLS } else { schema::set::CTLS };
	Repeated::new(message, number, layout)
}
