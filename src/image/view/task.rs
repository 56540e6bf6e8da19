//! Tasks of the image, disks that its values are about, and who wrote it.

use super::{Last, Layout, View};
use crate::error::{Fault, Why};
use crate::image::schema;
use crate::image::wire::Message;

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
