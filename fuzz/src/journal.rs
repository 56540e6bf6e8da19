//! Bytes in, a journal out that is of this boot and of here, and whose sums are right, so that what lies behind them is met. Written by
//! hand from what docs and `src/act/kept.rs` say of the format; shares nothing with the writer.

use std::fs;
use std::os::unix::fs::MetadataExt;

/// Bytes of a front before its labels, and of a record besides its texts.
const FRONT: usize = 76;
const RECORD: usize = 35;

/// FNV-1a.
fn sum(bytes: &[u8]) -> [u8; 4] {
	bytes.iter().fold(0x811c_9dc5_u32, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193)).to_le_bytes()
}

/// The boot and the namespaces, as a front has them.
pub fn here() -> Vec<u8> {
	let boot = fs::read("/proc/sys/kernel/random/boot_id").unwrap();
	let spaces =
		["cgroup", "pid"].map(|name| fs::metadata(format!("/proc/self/ns/{name}")).unwrap().ino().to_le_bytes());
	[&boot[..36], &spaces[0], &spaces[1]].concat()
}

/// Makes the front's boot, namespaces and sum right, and lengths and sums of as many records as follow each other.
pub fn mend(file: &mut [u8], here: &[u8]) {
	let Some(&[low, high]) = file.get(10..12) else { return };
	let front = usize::from(u16::from_le_bytes([low, high]));
	if front < FRONT || front > file.len() {
		return;
	}
	file[24..FRONT].copy_from_slice(here);
	let right = sum(&file[24..front]);
	file[12..16].copy_from_slice(&right);
	if file[8] == b'c' {
		let records = (file.len() - front) as u64;
		file[16..24].copy_from_slice(&records.to_le_bytes());
	}
	let mut rest = &mut file[front..];
	while let Some(len) = length(rest) {
		let (record, behind) = rest.split_at_mut(len);
		record[..4].copy_from_slice(&(len as u32).to_le_bytes());
		let right = sum(&record[..len - 8]);
		record[len - 8..len - 4].copy_from_slice(&right);
		record[len - 4..].copy_from_slice(&(len as u32).to_le_bytes());
		rest = behind;
	}
}

/// What a record takes by the lengths of its texts, where there are that many bytes.
fn length(bytes: &[u8]) -> Option<usize> {
	let number = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?) as usize);
	let new = if *bytes.get(4)? == 1 { number(15)?.saturating_sub(1) } else { 0 };
	let len = RECORD
		.checked_add(number(7)?)?
		.checked_add(usize::from(bytes[6]))?
		.checked_add(number(11)?)?
		.checked_add(new)?;
	(len <= bytes.len()).then_some(len)
}
