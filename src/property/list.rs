//! A list of CPUs or memory nodes in (`0-3,8`), the set of their numbers out.
//!
//! The format is cpuset(7)'s list format as the kernel prints it. What the kernel only takes, but never prints (`all`,
//! `0-7:1/2`), and numbers from [`NUMBERS`] on are refused: the caller then compares the text.

use crate::procfs::scan::number;

/// Numbers a set can hold, 0 to 16383. Kernels are built for at most 8192 CPUs and 1024 nodes. Takes 2 KiB of stack.
pub const NUMBERS: usize = 16 * 1024;

/// A set of CPU or node numbers.
#[derive(Clone, PartialEq, Eq)]
pub struct Numbers {
	words: [u64; NUMBERS / 64],
}

impl Numbers {
	/// No numbers.
	pub const fn new() -> Self {
		Numbers { words: [0; NUMBERS / 64] }
	}

	/// Reads a list in any order, with overlaps; blank text is the empty set.
	pub fn parse(text: &[u8]) -> Option<Self> {
		let mut numbers = Numbers::new();
		let text = text.trim_ascii();
		if text.is_empty() {
			return Some(numbers);
		}
		for range in text.split(|byte| *byte == b',') {
			let (first, last) = ends(range)?;
			numbers.insert(first, last)?;
		}
		Some(numbers)
	}

	/// Whether `number` is in the set.
	pub fn contains(&self, number: usize) -> bool {
		self.words.get(number / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
	}

	/// Whether every number of this set is in `other` as well.
	pub fn is_within(&self, other: &Numbers) -> bool {
		self.words.iter().zip(&other.words).all(|(mine, others)| mine & !others == 0)
	}

	/// Whether the set has no number.
	pub fn is_empty(&self) -> bool {
		self.words.iter().all(|word| *word == 0)
	}

	/// Puts the numbers from `first` to `last` in; none of it if one cannot be held.
	fn insert(&mut self, first: usize, last: usize) -> Option<()> {
		if first > last || last >= NUMBERS {
			return None;
		}
		for number in first..=last {
			self.words[number / 64] |= 1 << (number % 64);
		}
		Some(())
	}
}

impl Default for Numbers {
	fn default() -> Self {
		Numbers::new()
	}
}

/// `3-5` is (3, 5), `8` is (8, 8).
fn ends(range: &[u8]) -> Option<(usize, usize)> {
	let dash = range.iter().position(|byte| *byte == b'-').unwrap_or(range.len());
	let first = number(&range[..dash])?;
	let last = if dash < range.len() { number(&range[dash + 1..])? } else { first };
	Some((first.try_into().ok()?, last.try_into().ok()?))
}

#[cfg(test)]
mod tests {
	use super::*;
	extern crate std;
	use std::{format, vec::Vec};

	fn members(text: &str) -> Option<Vec<usize>> {
		let numbers = Numbers::parse(text.as_bytes())?;
		Some((0..NUMBERS).filter(|number| numbers.contains(*number)).collect())
	}

	#[test]
	fn a_list_is_the_set_of_its_numbers() {
		assert_eq!(members(""), Some(Vec::new()));
		assert_eq!(members("\n"), Some(Vec::new()));
		assert_eq!(members("0"), Some([0].to_vec()));
		assert_eq!(members("0-3,8"), Some([0, 1, 2, 3, 8].to_vec()));
		assert_eq!(members("8,2-3,0,3\n"), Some([0, 2, 3, 8].to_vec()));
		assert_eq!(members("16383"), Some([16383].to_vec()));
		assert_eq!(members("63-64"), Some([63, 64].to_vec()));
	}

	#[test]
	fn other_text_is_no_list() {
		for bad in
			["all", "0-7:1/2", "3-1", "-1", "1-", ",", "0,", "0,,1", "16384", "99999999999999999999", "0 1", "+1"]
		{
			assert!(members(bad).is_none(), "{bad}");
		}
	}

	#[test]
	fn within_is_the_subset() {
		let set = |text: &str| Numbers::parse(text.as_bytes()).unwrap();
		assert!(set("1,3").is_within(&set("0-3")));
		assert!(!set("1,4").is_within(&set("0-3")));
		assert!(set("").is_within(&set("")) && set("").is_empty() && !set("5").is_empty());
	}

	#[test]
	fn all_pairs_of_ends_agree_with_counting() {
		for first in [0, 1, 62, 63, 64, 65, 127, 128, 8191, 16320, 16383] {
			for last in [0, 1, 62, 63, 64, 65, 127, 128, 8191, 16320, 16383] {
				let expected = (first <= last).then(|| (first..=last).collect::<Vec<_>>());
				assert_eq!(members(&format!("{first}-{last}")), expected);
			}
		}
	}
}
