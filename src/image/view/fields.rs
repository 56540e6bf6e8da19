//! A message in, its fields out as views: those of one number one by one, or the last one of each number.

use core::marker::PhantomData;

use super::{Layout, Perms};
use crate::error::{Fault, Why};
use crate::image::wire::{Field, Fields, Message};

/// A view that is made from a message.
pub trait View<'a>: Sized {
	/// Reads what is required of the message; the fault names what is missing.
	fn view(message: Message<'a>, layout: Layout) -> Result<Self, Fault>;
}

/// All fields of one number in a message, as views. After a fault it ends.
#[derive(Clone, Copy, Debug)]
pub struct Repeated<'a, T> {
	fields: Fields<'a>,
	number: u32,
	layout: Layout,
	made: PhantomData<T>,
}

impl<'a, T: View<'a>> Repeated<'a, T> {
	pub(super) fn new(message: Message<'a>, number: u32, layout: Layout) -> Self {
		Repeated { fields: Fields::new(message), number, layout, made: PhantomData }
	}
}

impl<'a, T> Repeated<'a, T> {
	/// The same as messages, to be viewed later.
	pub fn messages(&self) -> Repeated<'a, Message<'a>> {
		Repeated { fields: self.fields, number: self.number, layout: self.layout, made: PhantomData }
	}

	/// Offset in the payload of what is not read yet.
	pub fn at(&self) -> usize {
		self.fields.rest().at
	}

	/// The same from this offset in the payload on, where a field begins; all of them if it is not in between.
	pub fn from(&self, at: usize) -> Self {
		let Message { bytes, at: start } = self.fields.rest();
		match at.checked_sub(start).and_then(|skipped| bytes.get(skipped..)) {
			Some(bytes) => Repeated { fields: Fields::new(Message { bytes, at }), ..*self },
			None => Repeated { fields: self.fields, ..*self },
		}
	}
}

impl<'a, T: View<'a>> Iterator for Repeated<'a, T> {
	type Item = Result<T, Fault>;

	fn next(&mut self) -> Option<Self::Item> {
		match next_message(&mut self.fields, self.number)? {
			Ok(message) => Some(T::view(message, self.layout)),
			Err(fault) => Some(Err(fault)),
		}
	}
}

/// The next field of this number, a message; one piece of code for all kinds of [`Repeated`].
#[inline(never)]
fn next_message<'a>(fields: &mut Fields<'a>, number: u32) -> Option<Result<Message<'a>, Fault>> {
	for field in fields {
		match field {
			Err(fault) => return Some(Err(fault)),
			Ok(field) if field.number == number => return Some(field.bytes()),
			Ok(_) => {}
		}
	}
	None
}

/// The message itself.
impl<'a> View<'a> for Message<'a> {
	fn view(message: Message<'a>, _: Layout) -> Result<Self, Fault> {
		Ok(message)
	}
}

/// Text of the image: `string` and `bytes` fields are both plain bytes here.
impl<'a> View<'a> for &'a [u8] {
	fn view(message: Message<'a>, _: Layout) -> Result<Self, Fault> {
		Ok(message.bytes)
	}
}

/// The last field of each number, as protobuf's rule for singular fields wants it. What it gives is small and is asked
/// for by a call, so that the many places that read a message stay small.
pub(in crate::image) struct Last<'f, 'a> {
	message: Message<'a>,
	fields: &'f [Option<Field<'a>>],
}

impl<'f, 'a> Last<'f, 'a> {
	pub(in crate::image) fn of<const N: usize>(
		message: Message<'a>,
		numbers: &[u32; N],
		fields: &'f mut [Option<Field<'a>>; N],
	) -> Result<Self, Fault> {
		find_last(message, numbers, fields)?;
		Ok(Last { message, fields })
	}

	pub(in crate::image) fn any(&self, index: usize) -> Option<&Field<'a>> {
		self.fields.get(index).and_then(Option::as_ref)
	}

	pub(super) fn required(&self, index: usize, missing: Why) -> Result<&Field<'a>, Fault> {
		self.any(index).ok_or(Fault::image(self.message.at, missing))
	}

	/// A text that has to be there; its place in the numbers.
	#[inline(never)]
	pub(in crate::image) fn text(&self, index: usize, missing: Why) -> Result<&'a [u8], Fault> {
		Ok(self.required(index, missing)?.bytes()?.bytes)
	}

	/// A number that has to be there.
	#[inline(never)]
	pub(in crate::image) fn number(&self, index: usize, missing: Why) -> Result<u32, Fault> {
		self.required(index, missing)?.u32()
	}

	/// A number, if it is there.
	#[inline(never)]
	pub(in crate::image) fn number_if_any(&self, index: usize) -> Result<Option<u32>, Fault> {
		self.any(index).map(Field::u32).transpose()
	}

	/// Owner and mode, if they are there.
	#[inline(never)]
	pub(super) fn perms_if_any(&self, index: usize) -> Result<Option<Perms>, Fault> {
		self.any(index).map(|field| Perms::view(field.bytes()?, Layout::Criu)).transpose()
	}
}

#[inline(never)]
fn find_last<'a>(message: Message<'a>, numbers: &[u32], found: &mut [Option<Field<'a>>]) -> Result<(), Fault> {
	let mut next = 0;
	for field in Fields::new(message) {
		let field = field?;
		// They come mostly in the order in which they are asked for.
		let is_next = numbers.get(next).is_some_and(|number| *number == field.number);
		let at = if is_next { Some(next) } else { numbers.iter().position(|number| *number == field.number) };
		if let Some(at) = at.filter(|at| *at < found.len()) {
			found[at] = Some(field);
			next = at + 1;
		}
	}
	Ok(())
}
