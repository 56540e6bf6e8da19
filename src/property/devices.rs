//! Rules of v1's devices.list in, the BPF program out that allows the same on v2.
//!
//! v2 has no file for devices: a program of the type BPF_PROG_TYPE_CGROUP_DEVICE is asked whenever a device is opened or
//! made (cgroup-v2, "Device controller"). It gets a `bpf_cgroup_dev_ctx`: `access << 16 | type`, major and minor number
//! (linux/bpf.h), and returns 1 to allow. As on v1 all of the access must be in one rule (`match_exception` of
//! security/device_cgroup.c), and what rules of the same device allow counts as one.

use super::changes::{allows_all, lines};
use crate::error::{Fault, errno};
use crate::limits::{DEVICE_PROGRAM_BYTES, Limit};
use crate::procfs::scan::{cut, number32, words};

/// Bytes of an instruction, `struct bpf_insn`: operation, registers, a distance of 16 bits, a number of 32.
pub const INSTRUCTION_BYTES: usize = 8;

// Operations, linux/bpf.h and Documentation/bpf/standardization/instruction-set.rst. Registers are target | source << 4.
const LOAD32: u8 = 0x61;
const MOVE: u8 = 0xbf;
const SET: u8 = 0xb7;
const AND: u8 = 0x57;
const SHIFT_RIGHT: u8 = 0x77;
const JUMP_UNEQUAL: u8 = 0x55;
const JUMP_IF_ANY: u8 = 0x45;
const EXIT: u8 = 0x95;

/// What a program returns, and then what it keeps: the type, the access, both numbers.
const RESULT: u8 = 0;
const CONTEXT: u8 = 1;
const TYPE: u8 = 2;
const ACCESS: u8 = 3;
const MAJOR: u8 = 4;
const MINOR: u8 = 5;

/// Any number, as v1 has it.
const ANY: u32 = u32::MAX;
/// BPF_DEVCG_ACC_MKNOD, BPF_DEVCG_ACC_READ and BPF_DEVCG_ACC_WRITE together.
const EVERYTHING: u8 = 7;

/// One line.
#[derive(Clone, Copy)]
struct Rule {
	/// BPF_DEVCG_DEV_BLOCK, BPF_DEVCG_DEV_CHAR; major and minor number.
	device: [u32; 3],
	access: u8,
}

impl Rule {
	#[inline(never)]
	/// `c 1:3 rwm`, `b 8:* r`; none if the line is no such rule.
	fn of(line: &[u8]) -> Option<Self> {
		let mut words = words(line);
		let kind = match words.next()? {
			b"b" => 1,
			b"c" => 2,
			_ => return None,
		};
		let (major, minor) = cut(words.next()?, b':')?;
		let access = words.next()?.iter().try_fold(0, |bits, letter| {
			let at = b"mrw".iter().position(|known| known == letter)?;
			Some(bits | 1 << at)
		})?;
		Some(Rule { device: [kind, device_number(major)?, device_number(minor)?], access })
	}
}

fn device_number(text: &[u8]) -> Option<u32> {
	if text == b"*" { Some(ANY) } else { number32(text) }
}

/// Puts the program that allows what the rules say, and nothing else, into `into`; its bytes' number.
pub fn program(rules: &[u8], into: &mut [u8; DEVICE_PROGRAM_BYTES]) -> Result<usize, Fault> {
	let mut out = Program { into, len: 0 };
	if allows_all(rules) {
		out.answer(1)?;
		return Ok(out.len);
	}
	out.put(LOAD32, TYPE | CONTEXT << 4, 0, 0)?;
	out.put(LOAD32, MAJOR | CONTEXT << 4, 4, 0)?;
	out.put(LOAD32, MINOR | CONTEXT << 4, 8, 0)?;
	out.put(MOVE, ACCESS | TYPE << 4, 0, 0)?;
	out.put(SHIFT_RIGHT, ACCESS, 0, 16)?;
	out.put(AND, TYPE, 0, 0xffff)?;
	for line in lines(rules) {
		let rule = Rule::of(line).ok_or(Fault::Kernel(errno::EINVAL))?;
		let others = lines(rules).filter_map(Rule::of).filter(|other| other.device == rule.device);
		out.rule(rule.device, others.fold(0, |access, other| access | other.access))?;
	}
	out.answer(0)?;
	Ok(out.len)
}

struct Program<'p> {
	into: &'p mut [u8; DEVICE_PROGRAM_BYTES],
	len: usize,
}

impl Program<'_> {
	#[inline(never)]
	fn put(&mut self, operation: u8, registers: u8, distance: u16, number: u32) -> Result<(), Fault> {
		let end = self.len + INSTRUCTION_BYTES;
		let room = self.into.get_mut(self.len..end).ok_or(Fault::full(Limit::DeviceProgram, end))?;
		let words = [u32::from_le_bytes([operation, registers, 0, 0]) | u32::from(distance) << 16, number];
		room.copy_from_slice(words.map(u32::to_le_bytes).as_flattened());
		self.len = end;
		Ok(())
	}

	fn answer(&mut self, answer: u32) -> Result<(), Fault> {
		self.put(SET, RESULT, 0, answer)?;
		self.put(EXIT, 0, 0, 0)
	}

	/// Allows, or jumps over the rest of the rule to the next one.
	fn rule(&mut self, device: [u32; 3], access: u8) -> Result<(), Fault> {
		let missing = EVERYTHING & !access;
		let tests = [
			(JUMP_UNEQUAL, TYPE, device[0], true),
			(JUMP_UNEQUAL, MAJOR, device[1], device[1] != ANY),
			(JUMP_UNEQUAL, MINOR, device[2], device[2] != ANY),
			(JUMP_IF_ANY, ACCESS, missing.into(), missing != 0),
		];
		let mut left = tests.iter().filter(|test| test.3).count() as u16;
		for (operation, register, number, _) in tests.into_iter().filter(|test| test.3) {
			left -= 1;
			self.put(operation, register, left + 2, number)?; // the answer takes two
		}
		self.answer(1)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::property::dice::{Dice, rounds, stride};
	extern crate std;
	use std::{format, string::String, vec::Vec};

	fn built(rules: &str) -> Result<Vec<u8>, Fault> {
		let mut into = [0; DEVICE_PROGRAM_BYTES];
		let len = program(rules.as_bytes(), &mut into)?;
		Ok(into[..len].to_vec())
	}

	/// Runs a program as the kernel would; no jump may lead back.
	fn run(code: &[u8], context: [u32; 3]) -> u64 {
		let (mut registers, mut at) = ([0_u64; 11], 0);
		loop {
			let code: [u8; 8] = code[at * 8..at * 8 + 8].try_into().unwrap();
			at += 1;
			let (target, source) = (usize::from(code[1] & 15), usize::from(code[1] >> 4));
			let distance = i16::from_le_bytes([code[2], code[3]]);
			let number = i64::from(i32::from_le_bytes([code[4], code[5], code[6], code[7]])) as u64;
			let jumps = match code[0] {
				0x61 => {
					assert_eq!((source, distance % 4), (1, 0));
					registers[target] = context[distance as usize / 4].into();
					false
				}
				0xbf => {
					registers[target] = registers[source];
					false
				}
				0xb7 => {
					registers[target] = number;
					false
				}
				0x57 => {
					registers[target] &= number;
					false
				}
				0x77 => {
					registers[target] >>= number;
					false
				}
				0x55 => registers[target] != number,
				0x45 => registers[target] & number != 0,
				0x95 => return registers[0],
				other => panic!("operation {other:#x}"),
			};
			assert!(distance >= 0 || code[0] == 0x61);
			at += if jumps { distance as usize } else { 0 };
		}
	}

	/// v1's rules the slow way: `dev_exception_add` makes one of what rules of one device allow, `match_exception` wants
	/// one exception with all of the access; `a` ends all others (security/device_cgroup.c).
	fn v1_allows(rules: &str, (kind, major, minor, access): (char, u32, u32, &str)) -> bool {
		let mut exceptions: Vec<(String, String, String, String)> = Vec::new();
		for line in rules.lines() {
			let words: Vec<&str> = line.split_whitespace().collect();
			if words[0] == "a" {
				return true;
			}
			let (major, minor) = words[1].split_once(':').unwrap();
			let key = (words[0].into(), major.into(), minor.into());
			match exceptions.iter_mut().find(|known| (known.0.clone(), known.1.clone(), known.2.clone()) == key) {
				Some(known) => known.3 += words[2],
				None => exceptions.push((key.0, key.1, key.2, words[2].into())),
			}
		}
		exceptions.iter().any(|(of, first, second, letters)| {
			*of == format!("{kind}")
				&& (first == "*" || *first == format!("{major}"))
				&& (second == "*" || *second == format!("{minor}"))
				&& access.chars().all(|letter| letters.contains(letter))
		})
	}

	/// Asks both about every access to some devices.
	fn agree(rules: &str) {
		let code = built(rules).unwrap();
		for (number, kind) in [(1, 'b'), (2, 'c')] {
			for (major, minor) in [(1, 3), (1, 5), (8, 0), (8, 3), (4095, 0xf_ffff), (0, 0)] {
				for access in (0..8_u32).step_by(stride(5)) {
					let letters: String =
						"mrw".char_indices().filter(|(bit, _)| access & 1 << bit != 0).map(|pair| pair.1).collect();
					let wanted = v1_allows(rules, (kind, major, minor, &letters));
					let found = run(&code, [access << 16 | number, major, minor]);
					assert_eq!(found, u64::from(wanted), "{rules:?}: {kind} {major}:{minor} {letters}");
				}
			}
		}
	}

	#[test]
	fn a_program_allows_what_v1_would() {
		for rules in [
			"",
			"a *:* rwm",
			"c 1:3 rwm\na *:* rwm",
			"c 1:3 rwm",
			"c 1:3 r\nc 1:3 w",
			"c 1:* r\nc 1:3 w",
			"c *:* m\nb *:* m\nc 1:3 rwm\nc 1:5 rwm\nb 8:* r\n",
			"b *:3 rw\nc *:* rwm\nb 4095:1048575 rwm",
		] {
			agree(rules);
		}
		let mut dice = Dice(3);
		for _ in 0..rounds(300) {
			let mut pick = |from: &[&str]| String::from(from[dice.below(from.len())]);
			let mut rules = String::new();
			for _ in 0..pick(&["1", "2", "5", "9"]).parse().unwrap() {
				let (kind, major) = (pick(&["b", "c"]), pick(&["*", "1", "8", "4095", "0"]));
				let (minor, access) = (pick(&["*", "0", "3", "5"]), pick(&["r", "w", "m", "rw", "rm", "wm", "rwm"]));
				rules += &format!("{kind} {major}:{minor} {access}\n");
			}
			agree(&rules);
		}
	}

	#[test]
	fn a_program_is_the_kernels_bytes() {
		// Worked out by hand from instruction-set.rst.
		let wanted: [u64; 12] = [
			0x0000_0000_0000_1261,
			0x0000_0000_0004_1461,
			0x0000_0000_0008_1561,
			0x0000_0000_0000_23bf,
			0x0000_0010_0000_0377,
			0x0000_ffff_0000_0257,
			0x0000_0002_0004_0255,
			0x0000_0001_0003_0455,
			0x0000_0006_0002_0345,
			0x0000_0001_0000_00b7,
			0x0000_0000_0000_0095,
			0x0000_0000_0000_00b7,
		];
		let code = built("c 1:* m").unwrap();
		assert_eq!(code[..96], *wanted.map(u64::to_le_bytes).as_flattened());
		assert_eq!(code[96..], 0x95_u64.to_le_bytes());
	}

	#[test]
	fn what_is_no_rule_is_refused() {
		for bad in
			["x 1:3 r", "c 1 r", "c 1:3", "c 1:3 x", "c -1:3 r", "c 1:4294967296 r", "c", "c :3 r", "b 1:3 rwm\nc"]
		{
			assert_eq!(built(bad), Err(Fault::Kernel(errno::EINVAL)), "{bad}");
		}
	}

	#[test]
	#[cfg_attr(miri, ignore = "takes minutes there")]
	fn what_is_too_much_is_refused() {
		let many: String = (0..680).map(|minor| format!("c 1:{minor} r\n")).collect();
		assert_eq!(built(&many).unwrap().len(), (6 + 680 * 6 + 2) * 8);
		let more = many + "c 2:1 r\nc 2:2 r\nc 2:3 r\n";
		assert_eq!(built(&more), Err(Fault::full(Limit::DeviceProgram, DEVICE_PROGRAM_BYTES + 8)));
	}
}
