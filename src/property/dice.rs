//! Random texts for tests, the same in every run.

extern crate std;
use std::vec::Vec;

/// Marsaglia's xorshift64: the same bytes in every run.
pub(crate) struct Dice(pub(crate) u64);

/// How often a test is repeated: Miri, which takes a hundred times as long, gets a few.
pub(crate) const fn rounds(all: usize) -> usize {
	if cfg!(miri) { all / 100 + 2 } else { all }
}

/// Of a long row of inputs each is a test's, and each so many-th Miri's.
pub(crate) const fn stride(in_miri: usize) -> usize {
	if cfg!(miri) { in_miri } else { 1 }
}

impl Dice {
	pub(crate) fn below(&mut self, end: usize) -> usize {
		self.0 ^= self.0 << 13;
		self.0 ^= self.0 >> 7;
		self.0 ^= self.0 << 17;
		(self.0 % end as u64) as usize
	}

	/// Text of pieces that mean something to some parser, with a few bytes that mean nothing.
	pub(crate) fn text(&mut self) -> Vec<u8> {
		let pieces = [
			"\n",
			"\n",
			" ",
			",",
			"-",
			"0",
			"1",
			"7",
			"-1",
			"max",
			"default",
			"100",
			"8:0",
			"8:16",
			"a *:* rwm",
			"c 1:3 rwm",
			"rbps=max wbps=max riops=max wiops=max",
			"0-3",
			"0,1,2-3",
			"9223372036854771712",
			"9223372036854775807",
			"99999999999999999999999",
			"threaded",
			"domain",
			"root invalid (x)",
			"oom_kill_disable 1",
			"+cpu",
			"cpu",
			"lo 0",
			"eth0 5",
			"FREEZING",
			"\u{202e}",
			"\0",
		];
		let mut text = Vec::new();
		for _ in 0..self.below(9) {
			match self.below(8) {
				0 => text.push(self.below(256) as u8),
				_ => text.extend_from_slice(pieces[self.below(pieces.len())].as_bytes()),
			}
		}
		text
	}
}
