//! Memberships in, set numbers out: each distinct membership is written to the image once.
//!
//! The book keeps a hash and the place of each set in the image; equality is decided by the bytes there, never by the
//! hash. When the book is full, a set that is not in it is simply written again, under a number of its own.

use crate::error::{Fault, Why};
use crate::hash::{START, hash};
use crate::image::sink::Store;
use crate::image::view::{self, Member};
use crate::image::writer::ImageWriter;
use crate::kernel::dir::Dir;
use crate::limits::{KNOWN_SETS, Limit};
use crate::procfs::membership::memberships;

/// Slots of the hash table: twice the sets, so that searches are short.
const SLOTS: usize = 2 * KNOWN_SETS;
/// The dumper's own set, as in CRIU.
const OWN_ID: u32 = 1;

#[derive(Clone, Copy)]
struct Slot {
	hash: u32,
	id: u32,
	at: u64,
	len: u32,
}

const EMPTY: Slot = Slot { hash: 0, id: 0, at: 0, len: 0 };

/// The sets of an image that is being written.
pub struct Book {
	slots: [Slot; SLOTS],
	known: usize,
	/// Sets with a number of their own.
	counted: u32,
	/// More sets were met than the book holds.
	pub overflown: bool,
}

impl Book {
	/// No set yet.
	pub const fn new() -> Self {
		Book { slots: [EMPTY; SLOTS], known: 0, counted: 0, overflown: false }
	}

	/// Forgets everything.
	pub fn clear(&mut self) {
		if self.known != 0 {
			self.slots = [EMPTY; SLOTS];
		}
		(self.known, self.counted, self.overflown) = (0, 0, false);
	}

	/// The number of the set with these members, which are sorted by name; writes it if it is new.
	pub fn set<S: Store>(
		&mut self,
		writer: &mut ImageWriter<'_, S>,
		members: &[Member<'_>],
		scratch: &mut [u8],
	) -> Result<u32, Fault> {
		let hash = hash_of(members);
		let mut slot = hash as usize % SLOTS;
		while self.slots[slot].len != 0 {
			let known = self.slots[slot];
			if known.hash == hash && is_same(writer, known, members, scratch)? {
				return Ok(known.id);
			}
			slot = (slot + 1) % SLOTS;
		}
		let id = if is_own(members, scratch)? { OWN_ID } else { self.next_id()? };
		let (at, len) = writer.set(id, members.iter().copied())?;
		if self.known < KNOWN_SETS {
			self.slots[slot] = Slot { hash, id, at, len: len as u32 };
			self.known += 1;
		} else {
			self.overflown = true;
		}
		Ok(id)
	}

	fn next_id(&mut self) -> Result<u32, Fault> {
		let full = Fault::full(Limit::Sets, u32::MAX as usize + 1);
		self.counted = self.counted.checked_add(1).ok_or(full)?;
		self.counted.checked_add(OWN_ID).ok_or(full)
	}

	/// Gives every known set's path in the hierarchy called `name`.
	pub fn each_path<S: Store>(
		&self,
		writer: &mut ImageWriter<'_, S>,
		scratch: &mut [u8],
		mut each: impl FnMut(&Member<'_>),
	) -> Result<(), Fault> {
		for slot in self.slots.iter().filter(|slot| slot.len != 0) {
			let bytes = stored(writer, *slot, scratch)?;
			for member in view::members(bytes, writer.layout()) {
				each(&member?);
			}
		}
		Ok(())
	}
}

impl Default for Book {
	fn default() -> Self {
		Book::new()
	}
}

/// Over names and paths.
fn hash_of(members: &[Member<'_>]) -> u32 {
	let add = |sum, text: &[u8]| hash(hash(sum, text), b"\0");
	members.iter().fold(START, |sum, member| add(add(sum, member.name), member.path))
}

fn stored<'b, S: Store>(writer: &mut ImageWriter<'_, S>, slot: Slot, scratch: &'b mut [u8]) -> Result<&'b [u8], Fault> {
	let len = slot.len as usize;
	let bytes = scratch.get_mut(..len).ok_or(Fault::full(Limit::SetText, len))?;
	match writer.read_at(slot.at, bytes)? {
		true => Ok(bytes),
		false => Err(Fault::Text(Why::OldSet)),
	}
}

fn is_same<S: Store>(
	writer: &mut ImageWriter<'_, S>,
	slot: Slot,
	members: &[Member<'_>],
	scratch: &mut [u8],
) -> Result<bool, Fault> {
	let layout = writer.layout();
	let mut known = view::members(stored(writer, slot, scratch)?, layout);
	for member in members {
		match known.next().transpose()? {
			Some(other) if other.name == member.name && other.path == member.path => {}
			_ => return Ok(false),
		}
	}
	Ok(known.next().is_none())
}

/// Whether these are the memberships of cgraft itself.
fn is_own(members: &[Member<'_>], scratch: &mut [u8]) -> Result<bool, Fault> {
	let (len, _) = Dir::open(c"/proc/thread-self")?.read(c"cgroup", scratch)?;
	let mut own = 0;
	for line in memberships(scratch.get(..len).unwrap_or(&[])) {
		let line = line?;
		let same = |member: &Member<'_>| member.name == line.controllers && member.path == line.path;
		own += usize::from(members.iter().any(same));
	}
	Ok(own == members.len())
}
