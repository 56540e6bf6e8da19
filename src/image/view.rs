//! Image bytes in, sets, tasks, hierarchies and groups out: typed views that borrow and never copy.
//!
//! [`Image::open`] checks the file's header, the checksum and the whole structure once; reading on afterwards still
//! judges every byte it meets. What names and values mean is judged by [`crate::vet`].

use core::fmt::Write;
use core::marker::PhantomData;

use heapless::String;

use crate::error::{Fault, Why};
use crate::image::attribute::Attributes;
use crate::image::schema::{self, HEADER_BYTES, MAGIC_CGROUP, MAGIC_COMMON};
use crate::image::sum::Sum;
use crate::image::wire::{Field, Fields, Message, Value, word};

/// Which field numbers the image uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
	/// CRIU's, with our extensions.
	Criu,
	/// The first patch's of 2014.
	Rfc,
}

/// What holds the image's bytes.
pub trait Pages {
	/// Gives what was read back to the system, so that memory in use does not grow with the image.
	fn release(&self);
}

/// Bytes that stay in memory.
impl Pages for () {
	fn release(&self) {}
}

/// A whole image.
#[derive(Clone, Copy)]
pub struct Image<'a> {
	payload: Message<'a>,
	layout: Layout,
	pages: &'a dyn Pages,
}

impl<'a> Image<'a> {
	/// Checks header, size and checksum and finds the layout.
	pub fn open(file: &'a [u8]) -> Result<Self, Fault> {
		Self::open_mapped(file, &())
	}

	/// The same for bytes that are mapped.
	pub fn open_mapped(file: &'a [u8], pages: &'a dyn Pages) -> Result<Self, Fault> {
		let payload = Message { bytes: payload(file)?, at: 0 };
		check_sum(payload, pages)?;
		Ok(Image { payload, layout: layout(payload)?, pages })
	}

	/// Gives what was read back to the system, see [`Pages`].
	pub fn release(&self) {
		self.pages.release();
	}

	/// The layout that was found.
	pub fn layout(&self) -> Layout {
		self.layout
	}

	/// The sets in the order of the bytes.
	pub fn sets(&self) -> Repeated<'a, Set<'a>> {
		Repeated::new(self.payload, schema::entry::SETS, self.layout)
	}

	/// All there is, in the order of the bytes.
	pub fn fields(&self) -> Fields<'a> {
		Fields::new(self.payload)
	}

	/// The set of a field.
	pub fn set(&self, field: &Field<'a>) -> Result<Set<'a>, Fault> {
		Set::view(field.bytes()?, self.layout)
	}

	/// The hierarchies in the order of the bytes.
	pub fn hierarchies(&self) -> impl Iterator<Item = Result<Hierarchy<'a>, Fault>> + use<'a> {
		let pages = self.pages;
		let all = Repeated::<Hierarchy<'a>>::new(self.payload, schema::entry::CONTROLLERS, self.layout);
		all.map(move |hierarchy| hierarchy.map(|hierarchy| Hierarchy { pages, ..hierarchy }))
	}

	/// The tasks in the order of the bytes; none in an image of CRIU.
	pub fn tasks(&self) -> Repeated<'a, Task<'a>> {
		Repeated::new(self.payload, schema::entry::TASKS, self.layout)
	}

	/// Disks that its values are about.
	pub fn disks(&self) -> Repeated<'a, Disk<'a>> {
		Repeated::new(self.payload, schema::entry::DISKS, self.layout)
	}

	/// Who wrote it and where; none in an image of CRIU.
	pub fn about(&self) -> Result<Option<About<'a>>, Fault> {
		Repeated::new(self.payload, schema::entry::ABOUT, self.layout).next().transpose()
	}
}

fn payload(file: &[u8]) -> Result<&[u8], Fault> {
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

fn check_sum(payload: Message<'_>, pages: &dyn Pages) -> Result<(), Fault> {
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
fn layout(payload: Message<'_>) -> Result<Layout, Fault> {
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
	fn new(message: Message<'a>, number: u32, layout: Layout) -> Self {
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
pub(super) struct Last<'f, 'a> {
	message: Message<'a>,
	fields: &'f [Option<Field<'a>>],
}

impl<'f, 'a> Last<'f, 'a> {
	pub(super) fn of<const N: usize>(
		message: Message<'a>,
		numbers: &[u32; N],
		fields: &'f mut [Option<Field<'a>>; N],
	) -> Result<Self, Fault> {
		find_last(message, numbers, fields)?;
		Ok(Last { message, fields })
	}

	pub(super) fn any(&self, index: usize) -> Option<&Field<'a>> {
		self.fields.get(index).and_then(Option::as_ref)
	}

	fn required(&self, index: usize, missing: Why) -> Result<&Field<'a>, Fault> {
		self.any(index).ok_or(Fault::image(self.message.at, missing))
	}

	/// A text that has to be there; its place in the numbers.
	#[inline(never)]
	pub(super) fn text(&self, index: usize, missing: Why) -> Result<&'a [u8], Fault> {
		Ok(self.required(index, missing)?.bytes()?.bytes)
	}

	/// A number that has to be there.
	#[inline(never)]
	pub(super) fn number(&self, index: usize, missing: Why) -> Result<u32, Fault> {
		self.required(index, missing)?.u32()
	}

	/// A number, if it is there.
	#[inline(never)]
	pub(super) fn number_if_any(&self, index: usize) -> Result<Option<u32>, Fault> {
		self.any(index).map(Field::u32).transpose()
	}

	/// Owner and mode, if they are there.
	#[inline(never)]
	fn perms_if_any(&self, index: usize) -> Result<Option<Perms>, Fault> {
		self.any(index).map(|field| Perms::view(field.bytes()?, Layout::Criu)).transpose()
	}
}

#[inline(never)]
fn find_last<'a>(message: Message<'a>, numbers: &[u32], found: &mut [Option<Field<'a>>]) -> Result<(), Fault> {
	for field in Fields::new(message) {
		let field = field?;
		for (_, found) in numbers.iter().zip(&mut *found).filter(|(number, _)| **number == field.number) {
			*found = Some(field);
		}
	}
	Ok(())
}

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
		self.children_in(self.message)
	}

	/// The groups right below among a part of its fields.
	pub fn children_in(&self, message: Message<'a>) -> Repeated<'a, Group<'a>> {
		let number = if self.layout == Layout::Rfc { schema::rfc_dir::CHILDREN } else { schema::dir::CHILDREN };
		Repeated::new(message, number, self.layout)
	}

	/// The fields of its own, and children on the way to them.
	fn own(&self) -> Own<'a> {
		let rfc = self.layout == Layout::Rfc;
		let child = if rfc { schema::rfc_dir::CHILDREN } else { schema::dir::CHILDREN };
		Own { fields: Fields::new(self.message), child, ended: rfc }
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
		Properties { fields: self.own(), layout: self.layout }
	}
}

/// The fields of a group up to its first child, if its owner and mode stand before that: cgraft writes everything of a
/// group before its children, so that nobody has to look at all of them; CRIU writes the owner and mode last of all.
#[derive(Clone, Copy, Debug)]
struct Own<'a> {
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

/// The properties of a group. After a fault it ends.
#[derive(Clone, Copy, Debug)]
pub struct Properties<'a> {
	fields: Own<'a>,
	layout: Layout,
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

/// One task (a thread).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task<'a> {
	/// Its process.
	pub pid: u32,
	/// Itself.
	pub tid: u32,
	/// Its id in its own pid namespace, where that differs.
	pub ns_tid: Option<u32>,
	/// Its process's parent, 0 for the root of a tree; only CRIU's own dumps have it, and they have no start time.
	pub parent: Option<u32>,
	/// Clock ticks since boot, proc(5).
	pub start_time: u64,
	/// Its command name.
	pub comm: &'a [u8],
	/// Id of its set.
	pub set: u32,
}

impl<'a> View<'a> for Task<'a> {
	fn view(message: Message<'a>, _: Layout) -> Result<Self, Fault> {
		use schema::task::{COMM, NS_TID, PID, SET, START_TIME, TID};
		let missing = Why::TaskIncomplete;
		let mut fields = [None; 6];
		let last = Last::of(message, &[PID, TID, NS_TID, START_TIME, COMM, SET], &mut fields)?;
		Ok(Task {
			pid: last.number(0, missing)?,
			tid: last.number(1, missing)?,
			ns_tid: last.number_if_any(2)?,
			parent: None,
			start_time: last.required(3, missing)?.u64()?,
			comm: last.text(4, missing)?,
			set: last.number(5, missing)?,
		})
	}
}

/// A disk on the host of the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk<'a> {
	/// Its major number from bit 20 on, and its minor number.
	pub number: u32,
	/// Its name.
	pub name: &'a [u8],
}

impl<'a> View<'a> for Disk<'a> {
	fn view(message: Message<'a>, _: Layout) -> Result<Self, Fault> {
		let mut fields = [None; 2];
		let last = Last::of(message, &[schema::disk::NUMBER, schema::disk::NAME], &mut fields)?;
		Ok(Disk { number: last.number(0, Why::DiskIncomplete)?, name: last.text(1, Why::DiskIncomplete)? })
	}
}

/// Who wrote the image, and where.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
	message: Message<'a>,
}

impl<'a> About<'a> {
	/// A text field of `schema::about`; empty where it is missing.
	pub fn text(&self, number: u32) -> Result<&'a [u8], Fault> {
		let mut fields = [None];
		let last = Last::of(self.message, &[number], &mut fields)?;
		last.any(0).map_or(Ok(&[]), |field| Ok(field.bytes()?.bytes))
	}

	/// Bytes of a memory page.
	pub fn page_size(&self) -> Result<u32, Fault> {
		self.number(schema::about::PAGE_SIZE)
	}

	/// Whoever descends from a task of the image is one as well.
	pub fn has_whole_trees(&self) -> Result<bool, Fault> {
		Ok(self.number(schema::about::WHOLE_TREES)? != 0)
	}

	fn number(&self, field: u32) -> Result<u32, Fault> {
		Ok(Last::of(self.message, &[field], &mut [None])?.number_if_any(0)?.unwrap_or(0))
	}
}

impl<'a> View<'a> for About<'a> {
	fn view(message: Message<'a>, _: Layout) -> Result<Self, Fault> {
		Ok(About { message })
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
