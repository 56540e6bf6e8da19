//! Items of an image in, those that may have a certain key out, without reading all of them every time.
//!
//! The items are cut into at most 64 blocks of the same length. A key has two slots of [`INDEX_SLOTS`]; both know in which
//! blocks it is, as bits, among the blocks of other keys. Memory is fixed; with thousands of items a search reads more
//! of them, and never misses one. The caller compares what is found.

use heapless::Vec;

use crate::error::Fault;
use crate::image::view::Repeated;
use crate::image::wire::Message;
use crate::limits::INDEX_SLOTS;

/// Blocks: bits of a slot.
const BLOCKS: usize = u64::BITS as usize;

/// What is done with an item.
pub type Visit<'v, T> = &'v mut dyn FnMut(T) -> Result<(), Fault>;

/// See the module.
pub struct Index<'a> {
	/// Before the first item of each block.
	blocks: Vec<Repeated<'a, Message<'a>>, BLOCKS>,
	count: usize,
	slots: [u64; INDEX_SLOTS],
}

impl<'a> Index<'a> {
	/// Without items.
	pub const fn new() -> Self {
		Index { blocks: Vec::new(), count: 0, slots: [0; INDEX_SLOTS] }
	}

	/// Forgets everything and takes these items; one whose key is none is never found.
	pub fn fill(
		&mut self,
		mut items: Repeated<'a, Message<'a>>,
		key: &dyn Fn(Message<'a>) -> Result<Option<u32>, Fault>,
	) -> Result<(), Fault> {
		self.count = items.count();
		self.blocks.clear();
		self.slots.fill(0);
		for at in 0..self.count {
			let block = at / self.block_len();
			if block == self.blocks.len() {
				let _ = self.blocks.push(items); // block_len makes them fit
			}
			let Some(item) = items.next() else { break };
			if let Some(key) = key(item?)? {
				slots(key).into_iter().for_each(|slot| self.slots[slot] |= 1 << block);
			}
		}
		Ok(())
	}

	fn block_len(&self) -> usize {
		self.count.div_ceil(BLOCKS).max(1)
	}

	/// Items taken.
	pub fn count(&self) -> usize {
		self.count
	}

	/// The blocks that may hold a key, as bits.
	pub fn blocks(&self, key: u32) -> u64 {
		slots(key).into_iter().fold(u64::MAX, |blocks, slot| blocks & self.slots[slot])
	}

	/// Visits the items of these blocks, in the order of the bytes.
	pub fn visit(&self, blocks: u64, each: Visit<'_, Message<'a>>) -> Result<(), Fault> {
		for (at, block) in self.blocks.iter().enumerate() {
			if blocks >> at & 1 != 0 {
				block.take(self.block_len()).try_for_each(|item| each(item?))?;
			}
		}
		Ok(())
	}
}

/// Where a key is written down: keys that count up do not meet in the first place, and seldom twice in both.
fn slots(key: u32) -> [usize; 2] {
	let mixed = key.wrapping_mul(0x9e37_79b1) >> 16;
	[key as usize % INDEX_SLOTS, mixed as usize % INDEX_SLOTS]
}
