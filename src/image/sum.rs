//! Bytes in, the checksum that an image of cgraft ends with out: CRC-32 as in RFC 1952, section 8.
//!
//! Four bytes a step, by tables that are made when they are needed: an image has megabytes, the program has little room.

/// The polynomial, its lowest power in the highest bit.
const POLYNOMIAL: u32 = 0xedb8_8320;

/// A sum on its way.
pub struct Sum {
	/// What a byte does to the sum with so many bytes of nothing behind it.
	tables: [[u32; 256]; 4],
	sum: u32,
}

impl Sum {
	/// That of no bytes.
	#[inline(never)]
	pub fn new() -> Self {
		let mut tables = [[0; 256]; 4];
		for (byte, sum) in (0..).zip(&mut tables[0]) {
			*sum = byte;
			(0..8).for_each(|_| *sum = (*sum >> 1) ^ ((*sum & 1) * POLYNOMIAL));
		}
		for behind in 1..4 {
			for byte in 0..256 {
				let sum: u32 = tables[behind - 1][byte];
				tables[behind][byte] = (sum >> 8) ^ tables[0][usize::from(sum as u8)];
			}
		}
		Sum { tables, sum: !0 }
	}

	/// Adds bytes.
	#[inline(never)]
	pub fn add(&mut self, bytes: &[u8]) {
		let (words, rest) = bytes.as_chunks();
		for word in words {
			let [alone, one, two, three] = &self.tables;
			let word = self.sum ^ u32::from_le_bytes(*word);
			let place = |bit: u32| usize::from((word >> bit) as u8);
			self.sum = three[place(0)] ^ two[place(8)] ^ one[place(16)] ^ alone[place(24)];
		}
		for byte in rest {
			self.sum = (self.sum >> 8) ^ self.tables[0][usize::from(self.sum as u8 ^ byte)];
		}
	}

	/// The sum of all bytes.
	pub fn end(&self) -> u32 {
		!self.sum
	}

	/// That of these bytes.
	pub fn of(bytes: &[u8]) -> u32 {
		let mut sum = Sum::new();
		sum.add(bytes);
		sum.end()
	}
}

impl Default for Sum {
	fn default() -> Self {
		Sum::new()
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::property::dice::Dice;
	extern crate std;
	use std::vec::Vec;

	#[test]
	fn it_is_the_sum_of_another_implementation() {
		let other = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
		assert_eq!(Sum::of(b"123456789"), 0xcbf4_3926); // the catalogue's check value
		let mut dice = Dice(7);
		for len in 0..300 {
			let bytes: Vec<u8> = (0..len).map(|_| dice.below(256) as u8).collect();
			let (left, right) = bytes.split_at(dice.below(len + 1));
			let mut sum = Sum::new();
			sum.add(left);
			sum.add(right);
			assert_eq!(sum.end(), other.checksum(&bytes), "{bytes:?}");
		}
	}
}
