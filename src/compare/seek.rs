//! A search among the items of one message that begins behind the item found last and goes round.
//!
//! Where both images have the same order, the next item is the one that is wanted. An item that is not there would cost
//! a look at all of them each time: after such a search the next [`ASKED`] items are asked for together, in one look.

use crate::error::Fault;
use crate::image::view::Repeated;
use crate::image::wire::Message;
use crate::limits::SEEK_SLOTS;

/// Items that are asked for together: bits of a number.
const ASKED: usize = u64::BITS as usize;

/// An image's items that are not viewed yet.
pub type Items<'a> = Repeated<'a, Message<'a>>;
/// What is found in an item: mostly itself.
pub type Look<'l, 'a> = &'l mut dyn FnMut(Message<'a>) -> Result<Option<Message<'a>>, Fault>;
/// A number that equal items have in common; true for an item that is looked at, false for one that is wanted.
pub type Key<'k> = &'k dyn Fn(bool, Message<'_>) -> Result<u32, Fault>;

/// Where a search goes on.
#[derive(Clone, Copy, Debug)]
pub struct Seek {
	/// Offset in the payload.
	next: u32,
	/// Which of the next items may be there, for `left` of them.
	may_be: u64,
	left: u8,
}

impl Seek {
	/// Before the first item.
	pub const fn new() -> Self {
		Seek { next: 0, may_be: 0, left: 0 }
	}

	/// What `look` finds in one of the items. Each item of the other image is looked for once, in their order; those that
	/// follow it are given by `wanted`.
	pub fn find<'a>(
		&mut self,
		items: Items<'a>,
		look: Look<'_, 'a>,
		wanted: Items<'_>,
		key: Key<'_>,
	) -> Result<Option<Message<'a>>, Fault> {
		if self.left > 0 {
			let may_be = self.may_be & 1;
			(self.may_be, self.left) = (self.may_be >> 1, self.left - 1);
			if may_be == 0 {
				return Ok(None);
			}
		}
		let found = self.search(items, look)?;
		if found.is_none() && self.left == 0 {
			self.may_be = among(wanted, items, key)?;
			self.left = ASKED as u8;
		}
		Ok(found)
	}

	/// The same without asking for those that follow.
	#[inline(never)]
	pub fn search<'a>(&mut self, items: Items<'a>, look: Look<'_, 'a>) -> Result<Option<Message<'a>>, Fault> {
		let middle = self.next as usize;
		for (mut left, end) in [(items.from(middle), usize::MAX), (items, middle)] {
			while let Some(item) = left.next().transpose()? {
				if item.at > end {
					break;
				}
				if let Some(found) = look(item)? {
					self.next = left.at() as u32; // the payload's size is a u32
					return Ok(Some(found));
				}
			}
		}
		Ok(None)
	}
}

/// Which of the first items of `wanted` may be among `items`, as bits.
pub(crate) fn among(wanted: Items<'_>, items: Items<'_>, key: Key<'_>) -> Result<u64, Fault> {
	let (mut keys, mut slots, mut found) = ([0; ASKED], [0_u64; SEEK_SLOTS], 0);
	for (at, item) in wanted.take(ASKED).enumerate() {
		keys[at] = key(false, item?)?;
		slots[keys[at] as usize % SEEK_SLOTS] |= 1 << at;
	}
	for item in items {
		let key = key(true, item?)?;
		let mut bits = slots[key as usize % SEEK_SLOTS];
		while bits != 0 {
			let at = bits.trailing_zeros() as usize;
			found |= u64::from(keys[at] == key) << at;
			bits &= bits - 1;
		}
	}
	Ok(found)
}
