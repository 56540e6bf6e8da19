//! Random choices, the same in every run.

/// Marsaglia's xorshift64.
pub struct Dice(pub u64);

impl Dice {
	/// A number from 0 to `end` - 1.
	pub fn below(&mut self, end: usize) -> usize {
		self.0 ^= self.0 << 13;
		self.0 ^= self.0 >> 7;
		self.0 ^= self.0 << 17;
		(self.0 % end as u64) as usize
	}

	/// True once in `times`.
	pub fn once_in(&mut self, times: usize) -> bool {
		self.below(times) == 0
	}

	/// One of these.
	pub fn one<T: Clone>(&mut self, of: &[T]) -> T {
		of[self.below(of.len())].clone()
	}

	/// Any number; small and large ones are as likely as each other.
	pub fn number(&mut self) -> u64 {
		let bits = self.below(64);
		self.below(usize::MAX) as u64 >> bits
	}
}
