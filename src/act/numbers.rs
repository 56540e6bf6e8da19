//! Numbers of tasks in, whether a number is among them out: one bit for each number that there can be.

use crate::limits::PIDS;

const WORDS: usize = PIDS as usize / 64;

/// A set of numbers of tasks. What is never set takes no memory.
pub struct Numbers([u64; WORDS]);

impl Numbers {
	/// An empty set.
	pub const fn new() -> Self {
		Numbers([0; WORDS])
	}

	/// Whether it is among them.
	pub fn has(&self, number: u32) -> bool {
		self.0.get(number as usize / 64).is_some_and(|word| word >> (number % 64) & 1 != 0)
	}

	/// Adds one; there is no task with a number that has no place.
	pub fn add(&mut self, number: u32) {
		if let Some(word) = self.0.get_mut(number as usize / 64) {
			*word |= 1 << (number % 64);
		}
	}

	/// The first one from this number on.
	pub fn from(&self, number: u32) -> Option<u32> {
		let mut at = number as usize / 64;
		let mut word = self.0.get(at)? & (u64::MAX << (number % 64));
		while word == 0 {
			at += 1;
			word = *self.0.get(at)?;
		}
		Some(at as u32 * 64 + word.trailing_zeros())
	}

	/// Becomes the same as the others.
	pub fn copy(&mut self, others: &Numbers) {
		for (word, other) in self.0.iter_mut().zip(&others.0).filter(|(word, other)| word != other) {
			*word = *other;
		}
	}

	/// Takes out all but those that are among the others as well.
	pub fn keep(&mut self, others: Option<&Numbers>) {
		for (at, word) in self.0.iter_mut().enumerate().filter(|(_, word)| **word != 0) {
			*word &= others.map_or(0, |others| others.0[at]);
		}
	}

	/// Takes out all.
	pub fn clear(&mut self) {
		self.keep(None);
	}
}

impl Default for Numbers {
	fn default() -> Self {
		Numbers::new()
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	extern crate std;
	use std::boxed::Box;

	fn all(numbers: &Numbers) -> impl Iterator<Item = u32> {
		core::iter::successors(numbers.from(0), |last| numbers.from(last + 1))
	}

	#[test]
	fn numbers_are_among_them_or_not() {
		let (mut one, mut other) = (Box::new(Numbers::new()), Box::new(Numbers::new()));
		for number in [0, 1, 63, 64, PIDS - 1, PIDS, u32::MAX] {
			one.add(number);
			assert_eq!(one.has(number), number < PIDS, "{number}");
		}
		assert!(!one.has(2) && !one.has(65));
		[1, 2, 64].iter().for_each(|number| other.add(*number));
		assert!(all(&one).eq([0, 1, 63, 64, PIDS - 1]));
		one.keep(Some(&other));
		assert!(all(&one).eq([1, 64]) && one.from(65).is_none() && one.from(u32::MAX).is_none());
		assert!([1, 64].iter().all(|number| one.has(*number)));
		assert!([0, 2, 63, PIDS - 1].iter().all(|number| !one.has(*number)));
		one.clear();
		assert!(!one.has(1) && !one.has(64));
	}
}
