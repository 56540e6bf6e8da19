//! Items of an image in, those that may have a certain key out, without reading all of them every time.
//!
//! The items are cut into at most 64 blocks of the same length. A key has two slots of [`SLOTS`]; both know in which
//! blocks it is, as bits, among the blocks of other keys. Memory is fixed; with thousands of items a search reads more
//! of them, and never misses one. The caller compares what is found.

use heapless::Vec;

use crate::error::Fault;
use crate::image::view::{Repeated, View};

/// Blocks: bits of a slot.
const BLOCKS: usize = u64::BITS as usize;
/// Slots of the table: 4 KiB.
const SLOTS: usize = 512;

/// See the module.
pub struct Index<'a, T> {
	/// Before the first item of each block.
	blocks: Vec<Repeated<'a, T>, BLOCKS>,
	count: usize,
	slots: [u64; SLOTS],
}

impl<'a, T: View<'a> + Clone> Index<'a, T> {
	/// Without items.
	pub const fn new() -> Self {
		Index { blocks: Vec::new(), count: 0, slots: [0; SLOTS] }
	}

	/// Forgets everything and takes these items; one whose key is none is never found.
	pub fn fill(
		&mut self,
		items: &Repeated<'a, T>,
		key: &dyn Fn(&T) -> Result<Option<u32>, Fault>,
	) -> Result<(), Fault> {
		self.count = items.clone().count();
		self.blocks.clear();
		self.slots.fill(0);
		let mut items = items.clone();
		for at in 0..self.count {
			let block = at / self.block_len();
			if block == self.blocks.len() {
				let _ = self.blocks.push(items.clone()); // block_len makes them fit
			}
			let Some(item) = items.next().transpose()? else { break };
			if let Some(key) = key(&item)? {
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

	/// The items of these blocks, in the order of the bytes.
	pub fn items(&self, blocks: u64) -> impl Iterator<Item = Result<T, Fault>> {
		let wanted = self.blocks.iter().enumerate().filter(move |(at, _)| blocks >> at & 1 != 0);
		wanted.flat_map(|(at, block)| {
			let left = self.count.saturating_sub(at * self.block_len());
			block.clone().take(left.min(self.block_len()))
		})
	}
}

/// Where a key is written down: keys that count up do not meet in the first place, and seldom twice in both.
fn slots(key: u32) -> [usize; 2] {
	let mixed = key.wrapping_mul(0x9e37_79b1) >> 16;
	[key as usize % SLOTS, mixed as usize % SLOTS]
}
