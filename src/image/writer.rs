//! Sets, tasks, hierarchies and groups in, image bytes out, in one pass and in the order they are met.
//!
//! Messages without groups in them are written with their exact length, computed from the same values first; groups
//! and hierarchies are opened and closed ([`super::sink`]). Inside a group everything of its own comes before its
//! children, so that a reader need not skip them.

mod perms;
mod rfc;

use quick_protobuf::Writer;

use self::perms::Last;
use crate::error::Fault;
use crate::image::schema::{self, HEADER_BYTES, MAGIC_CGROUP, MAGIC_COMMON};
use crate::image::sink::{Mark, Sink, Store};
use crate::image::size::{member_size, number_size, number_tag, task_size, text_size, text_tag};
use crate::image::sum::Sum;
use crate::image::view::{Layout, Member, Perms, Task};

/// Writes one image.
pub struct ImageWriter<'s, S: Store> {
	sink: Sink<'s, S>,
	layout: Layout,
	last: Option<Last>,
	/// Values, attributes and tasks that the layout has no field for.
	pub left_out: u64,
}

/// What is written about the host.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Host<'a> {
	pub version: &'a [u8],
	pub release: &'a [u8],
	pub boot_id: &'a [u8],
	pub page_size: u32,
	pub cpus: &'a [u8],
	pub nodes: &'a [u8],
}

impl<'s, S: Store> ImageWriter<'s, S> {
	/// Starts the file.
	pub fn new(mut sink: Sink<'s, S>, layout: Layout) -> Result<Self, Fault> {
		sink.write(&MAGIC_COMMON.to_le_bytes())?;
		sink.write(&MAGIC_CGROUP.to_le_bytes())?;
		sink.write(&[0; 4])?;
		Ok(ImageWriter { sink, layout, last: None, left_out: 0 })
	}

	/// The layout that is written.
	pub fn layout(&self) -> Layout {
		self.layout
	}

	/// A text, or a message whose bytes are known.
	pub fn text(&mut self, number: u32, text: &[u8]) -> Result<(), Fault> {
		let result = Writer::new(&mut self.sink).write_with_tag(text_tag(number), |writer| writer.write_bytes(text));
		self.sink.settle(result)
	}

	fn number(&mut self, number: u32, value: u64) -> Result<(), Fault> {
		let result =
			Writer::new(&mut self.sink).write_with_tag(number_tag(number), |writer| writer.write_varint(value));
		self.sink.settle(result)
	}

	/// The tag and length of a message whose bytes follow at once.
	fn message(&mut self, number: u32, len: usize) -> Result<(), Fault> {
		let result =
			Writer::new(&mut self.sink).write_with_tag(text_tag(number), |writer| writer.write_varint(len as u64));
		self.sink.settle(result)
	}

	fn open(&mut self, number: u32) -> Result<Mark, Fault> {
		let result = Writer::new(&mut self.sink).write_tag(text_tag(number));
		self.sink.settle(result)?;
		self.sink.open()
	}

	/// Closes a hierarchy, a group or a set.
	pub fn close(&mut self, mark: Mark) -> Result<(), Fault> {
		self.sink.close(mark)
	}

	/// Opens what is known about the host; mounts may follow before it is closed.
	pub fn about(&mut self, host: &Host<'_>) -> Result<Mark, Fault> {
		let mark = self.open(schema::entry::ABOUT)?;
		self.text(schema::about::VERSION, host.version)?;
		self.text(schema::about::RELEASE, host.release)?;
		self.text(schema::about::BOOT_ID, host.boot_id)?;
		self.number(schema::about::PAGE_SIZE, u64::from(host.page_size))?;
		self.text(schema::about::CPUS, host.cpus)?;
		self.text(schema::about::NODES, host.nodes)?;
		Ok(mark)
	}

	/// Whoever descends from a task of the image is one as well; inside [`Self::about`].
	pub fn whole_trees(&mut self) -> Result<(), Fault> {
		self.number(schema::about::WHOLE_TREES, 1)
	}

	/// One hierarchy's mount, inside [`Self::about`].
	pub fn mount(&mut self, name: &[u8], super_options: &[u8]) -> Result<(), Fault> {
		let len =
			text_size(schema::mount::NAME, name.len()) + text_size(schema::mount::SUPER_OPTIONS, super_options.len());
		self.message(schema::about::MOUNTS, len)?;
		self.text(schema::mount::NAME, name)?;
		self.text(schema::mount::SUPER_OPTIONS, super_options)
	}

	/// One set; `members` in the order they are to be written. Returns the offset and length of its members' bytes.
	pub fn set<'m>(
		&mut self,
		id: u32,
		members: impl Iterator<Item = Member<'m>> + Clone,
	) -> Result<(u64, usize), Fault> {
		let number = self.members();
		let len: usize = members.clone().map(|member| text_size(number, member_size(&member))).sum();
		self.message(schema::entry::SETS, number_size(schema::set::ID, u64::from(id)) + len)?;
		self.number(schema::set::ID, u64::from(id))?;
		let at = self.sink.total();
		for member in members {
			self.member(&member)?;
		}
		Ok((at, len))
	}

	/// Opens a set whose members are not counted yet.
	pub fn open_set(&mut self, id: u32) -> Result<Mark, Fault> {
		let mark = self.open(schema::entry::SETS)?;
		self.number(schema::set::ID, u64::from(id))?;
		Ok(mark)
	}

	/// One member of the open set.
	pub fn member(&mut self, member: &Member<'_>) -> Result<(), Fault> {
		self.message(self.members(), member_size(member))?;
		self.text(schema::member::NAME, member.name)?;
		self.text(schema::member::PATH, member.path)?;
		member.cgns_prefix.map_or(Ok(()), |prefix| self.number(schema::member::CGNS_PREFIX, u64::from(prefix)))
	}

	fn members(&self) -> u32 {
		if self.layout == Layout::Rfc { schema::rfc_set::CTLS } else { schema::set::CTLS }
	}

	/// Bytes that were written already; whether they are there.
	pub fn read_at(&mut self, at: u64, into: &mut [u8]) -> Result<bool, Fault> {
		self.sink.read_at(at, into)
	}

	/// Room for one group, and the place to [`Self::rewind`] to.
	pub fn reserve(&mut self) -> Result<u64, Fault> {
		self.sink.reserve()
	}

	/// Takes back what was written since `start`, if that is still possible.
	pub fn rewind(&mut self, start: u64) -> bool {
		self.sink.rewind(start)
	}

	/// Bytes written so far.
	pub fn total(&self) -> u64 {
		self.sink.total()
	}

	/// One task.
	pub fn task(&mut self, task: &Task<'_>) -> Result<(), Fault> {
		if self.layout == Layout::Rfc {
			self.left_out += 1;
			return Ok(());
		}
		self.message(schema::entry::TASKS, task_size(task))?;
		self.number(schema::task::PID, u64::from(task.pid))?;
		self.number(schema::task::TID, u64::from(task.tid))?;
		if let Some(ns_tid) = task.ns_tid {
			self.number(schema::task::NS_TID, u64::from(ns_tid))?;
		}
		self.number(schema::task::START_TIME, task.start_time)?;
		self.text(schema::task::COMM, task.comm)?;
		self.number(schema::task::SET, u64::from(task.set))
	}

	/// A disk's name; the number is that of [`schema::disk`].
	pub fn disk(&mut self, number: u32, name: &[u8]) -> Result<(), Fault> {
		if self.layout == Layout::Rfc {
			return Ok(());
		}
		let len = number_size(schema::disk::NUMBER, u64::from(number)) + text_size(schema::disk::NAME, name.len());
		self.message(schema::entry::DISKS, len)?;
		self.number(schema::disk::NUMBER, u64::from(number))?;
		self.text(schema::disk::NAME, name)
	}

	/// Opens a hierarchy; `id` is its number in /proc/cgroups, which only the RFC layout keeps.
	pub fn hierarchy<'n>(&mut self, id: u32, controllers: impl Iterator<Item = &'n [u8]>) -> Result<Mark, Fault> {
		let mark = self.open(schema::entry::CONTROLLERS)?;
		let rfc = self.layout == Layout::Rfc;
		if rfc {
			self.number(schema::rfc_controller::ID, u64::from(id))?;
		}
		for name in controllers {
			self.text(if rfc { schema::rfc_controller::CONTROLLERS } else { schema::controller::CNAMES }, name)?;
		}
		Ok(mark)
	}

	/// Whether tasks of the open hierarchy sit in threaded groups (CRIU's flag).
	pub fn threaded(&mut self, threaded: bool) -> Result<(), Fault> {
		match self.layout {
			Layout::Rfc => Ok(()),
			Layout::Criu => self.number(schema::controller::IS_THREADED, u64::from(threaded)),
		}
	}

	/// Opens a group right below a hierarchy (`head`) or below the open group. The RFC layout wants `path`, its whole
	/// path without the first slash; the other one `name`.
	pub fn group(&mut self, head: bool, name: &[u8], path: &[u8], ancestor: bool) -> Result<Mark, Fault> {
		if self.layout == Layout::Rfc {
			return self.rfc_group(head, path);
		}
		let mark = self.open(if head { schema::controller::DIRS } else { schema::dir::CHILDREN })?;
		self.text(schema::dir::DIR_NAME, name)?;
		if ancestor {
			self.number(schema::dir::ANCESTOR, 1)?;
		}
		Ok(mark)
	}

	/// One extended attribute of the open group, before [`Self::owner`]; sorted by name.
	pub fn attribute(&mut self, name: &[u8], value: &[u8]) -> Result<(), Fault> {
		if self.layout == Layout::Rfc {
			self.left_out += 1;
			return Ok(());
		}
		let len = text_size(schema::attribute::NAME, name.len()) + text_size(schema::attribute::VALUE, value.len());
		self.message(schema::dir::ATTRIBUTES, len)?;
		self.text(schema::attribute::NAME, name)?;
		self.text(schema::attribute::VALUE, value)
	}

	/// Owner and mode of the open group, before its properties.
	pub fn owner(&mut self, perms: Perms) -> Result<(), Fault> {
		match self.layout {
			Layout::Rfc => Ok(()),
			Layout::Criu => self.perms(schema::dir::DIR_PERMS, perms),
		}
	}

	/// One property of the open group.
	pub fn property(&mut self, name: &[u8], value: &[u8], perms: Option<Perms>) -> Result<(), Fault> {
		if self.layout == Layout::Rfc {
			return self.rfc_property(name, value);
		}
		self.value(name, value, perms).map(|_| ())
	}

	/// The same in CRIU's layout, with a value that [`Self::patch`] replaces before the group is closed: where it is.
	pub fn value(&mut self, name: &[u8], value: &[u8], perms: Option<Perms>) -> Result<u64, Fault> {
		let len = text_size(schema::property::NAME, name.len())
			+ text_size(schema::property::VALUE, value.len())
			+ perms.map_or(0, |perms| text_size(schema::property::PERMS, self.perms_size(perms)));
		self.message(schema::dir::PROPERTIES, len)?;
		self.text(schema::property::NAME, name)?;
		self.text(schema::property::VALUE, value)?;
		let at = self.sink.total() - value.len() as u64;
		perms.map_or(Ok(at), |perms| self.perms(schema::property::PERMS, perms).map(|()| at))
	}

	/// Replaces bytes of a value.
	pub fn patch(&mut self, at: u64, bytes: &[u8]) -> Result<(), Fault> {
		self.sink.patch(at, bytes)
	}

	/// Writes the checksum and the size, and gives the store back.
	pub fn finish(mut self) -> Result<S, Fault> {
		if self.layout == Layout::Criu {
			let mut digest = Sum::new();
			self.sink.read_back(HEADER_BYTES as u64, |bytes| digest.add(bytes))?;
			let sum = digest.end();
			let tag = schema::entry::CHECKSUM << 3 | 5;
			let result = Writer::new(&mut self.sink).write_with_tag(tag, |writer| writer.write_fixed32(sum));
			self.sink.settle(result)?;
		}
		self.sink.flush()?;
		let size = (self.sink.total() - HEADER_BYTES as u64) as u32;
		self.sink.patch(HEADER_BYTES as u64 - 4, &size.to_le_bytes())?;
		Ok(self.sink.into_store())
	}
}
