//! A list of CPUs or memory nodes in (`0-3,8`), the set of their numbers out.
//!
//! The format is cpuset(7)'s list format as the kernel prints it. What the kernel only takes, but never prints (`all`,
//! `0-7:1/2`), and numbers from [`LIST_NUMBERS`] on are refused: the caller then compares the text.

use core::fmt::Write;

use crate::limits::LIST_NUMBERS;
use crate::procfs::scan::number;

/// A set of CPU or node numbers.
#[derive(Clone, PartialEq, Eq)]
pub struct Numbers {
	words: [u64; LIST_NUMBERS / 64],
}

impl Numbers {
	/// No numbers.
	pub const fn new() -> Self {
		Numbers { words: [0; LIST_NUMBERS / 64] }
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
	pub fn insert(&mut self, first: usize, last: usize) -> Option<()> {
		if first > last || last >= LIST_NUMBERS {
			return None;
		}
		for number in first..=last {
			self.words[number / 64] |= 1 << (number % 64);
		}
		Some(())
	}
}

/// The part of a list that is in `has`, as a list, put into `into`, which is empty; none where the text is no list, or the
/// part is longer than `into`.
pub fn part_in(text: &[u8], has: &Numbers, into: &mut dyn Write) -> Option<()> {
	let wanted = Numbers::parse(text)?;
	write_list(&|number| wanted.contains(number) && has.contains(number), into)
}

/// Writes the numbers that are in a set as a list; none where there is no room for it.
pub fn write_list(is_in: &dyn Fn(usize) -> bool, into: &mut dyn Write) -> Option<()> {
	let (mut next, mut comma) = (0, "");
	while let Some(first) = (next..LIST_NUMBERS).find(|number| is_in(*number)) {
		let last = (first..LIST_NUMBERS).find(|number| !is_in(*number)).unwrap_or(LIST_NUMBERS) - 1;
		match first == last {
			true => write!(into, "{comma}{first}"),
			false => write!(into, "{comma}{first}-{last}"),
		}
		.ok()?;
		(next, comma) = (last + 1, ",");
	}
	Some(())
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
	use crate::property::dice::stride;
	extern crate std;
	use heapless::Vec;
	use std::{format, vec::Vec as List};

	fn members(text: &str) -> Option<List<usize>> {
		let numbers = Numbers::parse(text.as_bytes())?;
		Some((0..LIST_NUMBERS).filter(|number| numbers.contains(*number)).collect())
	}

	#[test]
	fn a_part_is_what_both_lists_have() {
		for (text, has, part) in [
			("0-127", "0-1", "0-1"),
			("0-3,8,10-11", "1-2,8-10", "1-2,8,10"),
			("4-7", "0-3", ""),
			("", "0-3", ""),
			("16383", "0-16383", "16383"),
		] {
			let mut into = Vec::<u8, 64>::new();
			part_in(text.as_bytes(), &Numbers::parse(has.as_bytes()).unwrap(), &mut into).unwrap();
			assert_eq!(into, part.as_bytes(), "{text} {has}");
		}
		let mut small = Vec::<u8, 4>::new();
		assert_eq!(part_in(b"0,2,4", &Numbers::parse(b"0-9").unwrap(), &mut small), None);
		assert_eq!(part_in(b"all", &Numbers::new(), &mut small), None);
	}

	#[test]
	fn a_list_is_the_set_of_its_numbers() {
		assert_eq!(members(""), Some(List::new()));
		assert_eq!(members("\n"), Some(List::new()));
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
		let ends = || [0, 1, 62, 63, 64, 65, 127, 128, 8191, 16320, 16383].into_iter().step_by(stride(4));
		for first in ends() {
			for last in ends() {
				let expected = (first <= last).then(|| (first..=last).collect::<List<_>>());
				assert_eq!(members(&format!("{first}-{last}")), expected);
			}
		}
	}
}
