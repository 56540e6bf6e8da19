//! Image bytes in, sets, tasks, hierarchies and groups out: typed views that borrow and never copy.
//!
//! [`Image::open`] checks the file's header, the checksum and the whole structure once; reading on afterwards still
//! judges every byte it meets. What names and values mean is judged by [`crate::vet`].

mod fields;
mod file;
mod group;
mod hierarchy;
mod property;
mod set;
mod task;

use crate::error::Fault;
use crate::image::schema;
use crate::image::wire::{Field, Fields, Message};

pub(super) use self::fields::Last;
pub use self::fields::{Repeated, View};
use self::file::{check_sum, layout, payload};
pub use self::group::Group;
pub use self::hierarchy::Hierarchy;
pub use self::property::{Perms, Properties, Property, Text};
pub use self::set::{Member, Set, members};
pub use self::task::{About, Disk, Task};

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
		all.map(move |hierarchy| hierarchy.map(|hierarchy| hierarchy.on(pages)))
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
