//! Weights and limits of I/O, which are lines with a disk each.

use super::Turn;
use super::out::{Made, Miss, ODD};
use super::to_v1::v1;
use super::to_v2::v2;
use super::weight::{BFQ, CFQ, IO, Scale};
use crate::error::Why;
use crate::procfs::scan::{cut, number, number32, words};
use crate::property::changes::{Finder, lines};
use crate::property::value::first_word;
use crate::property::{Version, place};

/// Rows of one scheduler: the group's weight, the weights for single disks, their scale.
#[derive(Clone, Copy)]
struct Scheduler {
	single: usize,
	disks: usize,
	scale: Scale,
}

const CFQ_V1: Scheduler = Scheduler {
	single: place(Version::V1, "blkio.weight"),
	disks: place(Version::V1, "blkio.weight_device"),
	scale: CFQ,
};
const BFQ_V1: Scheduler = Scheduler {
	single: place(Version::V1, "blkio.bfq.weight"),
	disks: place(Version::V1, "blkio.bfq.weight_device"),
	scale: BFQ,
};
/// v2 has one file for both.
const IO_V2: Scheduler = one_file("io.weight", IO);
const BFQ_V2: Scheduler = one_file("io.bfq.weight", BFQ);

const fn one_file(file: &str, scale: Scale) -> Scheduler {
	Scheduler { single: place(Version::V2, file), disks: place(Version::V2, file), scale }
}

/// The rows of v1 that io.max has in one line, and its keys.
const THROTTLES: [usize; 4] = [
	place(Version::V1, "blkio.throttle.read_bps_device"),
	place(Version::V1, "blkio.throttle.write_bps_device"),
	place(Version::V1, "blkio.throttle.read_iops_device"),
	place(Version::V1, "blkio.throttle.write_iops_device"),
];
const KEYS: [&[u8]; 4] = [b"rbps", b"wbps", b"riops", b"wiops"];
const MAX: usize = place(Version::V2, "io.max");

/// Operations a second are kept in 32 bits; all of them set is no limit (blk-throttle.c).
const MANY: u64 = u32::MAX as u64;

/// A value of a v1 file of I/O; nothing for other files.
pub(super) fn to_v2(turn: &mut Turn<'_, '_, '_>) -> Option<Made> {
	let index = turn.saved.index;
	if THROTTLES.contains(&index) {
		return Some(limits_to_v2(turn));
	}
	let scheduler = [CFQ_V1, BFQ_V1].into_iter().find(|of| index == of.single || index == of.disks)?;
	let target = if turn.choices.bfq { BFQ_V2 } else { IO_V2 };
	Some(weights_to_v2(turn, scheduler, target))
}

/// A value of a v2 file of I/O; nothing for other files.
pub(super) fn to_v1(turn: &mut Turn<'_, '_, '_>) -> Option<Made> {
	let index = turn.saved.index;
	if index == MAX {
		return Some(limits_to_v1(turn));
	}
	let scheduler = [IO_V2, BFQ_V2].into_iter().find(|of| index == of.single)?;
	let target = if turn.choices.bfq { BFQ_V1 } else { CFQ_V1 };
	Some(weights_to_v1(turn, scheduler, target))
}

/// A host shows weights of two schedulers. Those of BFQ count if they are set, or if there are no others.
fn is_used(turn: &Turn<'_, '_, '_>, scheduler: Scheduler, bfq: Scheduler, other: Scheduler) -> Result<(), Miss> {
	let set = |of: Scheduler| turn.is_set(of.single) || turn.is_set(of.disks);
	let is_bfq = set(bfq) || turn.other(other.single).or(turn.other(other.disks)).is_none();
	match is_bfq == (scheduler.single == bfq.single) {
		true => Ok(()),
		false if turn.is_set(turn.saved.index) => Err(Miss::Lost(Why::OtherScheduler)),
		false => Err(Miss::Nothing),
	}
}

/// Both files are told with the group's weight, with the disks' if they are alone.
fn weights_to_v2(turn: &mut Turn<'_, '_, '_>, from: Scheduler, to: Scheduler) -> Made {
	is_used(turn, from, BFQ_V1, CFQ_V1)?;
	let (single, disks) = (turn.other(from.single), turn.other(from.disks));
	if turn.saved.index == from.disks && single.is_some() {
		return Err(Miss::Nothing);
	}
	let weight = match single.or(group_weight(disks.unwrap_or(b""))) {
		Some(text) => from.scale.read(text)?,
		None => from.scale.fresh,
	};
	turn.out.put(b"default ")?;
	turn.out.number(from.scale.to(to.scale, turn.choices.weights, weight))?;
	disk_weights(turn, disks.unwrap_or(b""), from, to)?;
	Ok(v2(to.single))
}

fn weights_to_v1(turn: &mut Turn<'_, '_, '_>, from: Scheduler, to: Scheduler) -> Made {
	is_used(turn, from, BFQ_V2, IO_V2)?;
	let text = turn.saved.value;
	let weight = group_weight(text).map_or(Ok(from.scale.fresh), |weight| from.scale.read(weight))?;
	match turn.part {
		0 => {
			turn.out.number(from.scale.to(to.scale, turn.choices.weights, weight))?;
			Ok(v1(to.single))
		}
		1 => {
			disk_weights(turn, text, from, to)?;
			Ok(v1(to.disks))
		}
		_ => Err(Miss::Nothing),
	}
}

/// The number of a line `default N`, or of a line that is only a number.
fn group_weight(text: &[u8]) -> Option<&[u8]> {
	lines(text).find_map(|line| match key_and_rest(line) {
		(b"default", weight) => Some(weight),
		(weight, b"") => Some(weight),
		_ => None,
	})
}

/// Lines for single disks.
fn disk_weights(turn: &mut Turn<'_, '_, '_>, text: &[u8], from: Scheduler, to: Scheduler) -> Result<(), Miss> {
	for (disk, weight) in lines(text).map(key_and_rest).filter(|(key, rest)| *key != b"default" && !rest.is_empty()) {
		let weight = from.scale.read(weight)?;
		put_disk(turn, disk)?;
		turn.out.number(from.scale.to(to.scale, turn.choices.weights, weight))?;
	}
	Ok(())
}

/// The four limits of a disk are one line, told with the first file that is saved. Disks come as the files have them.
fn limits_to_v2(turn: &mut Turn<'_, '_, '_>) -> Made {
	let saved = THROTTLES.map(|index| turn.other(index));
	let leader = THROTTLES.iter().zip(saved).find(|(_, text)| text.is_some()).map(|(index, _)| *index);
	if leader != Some(turn.saved.index) {
		return Err(Miss::Nothing);
	}
	let texts = saved.map(|text| text.unwrap_or(b""));
	let mut finders = texts.map(Finder::new);
	for (place, text) in texts.iter().enumerate() {
		for line in lines(text) {
			let (disk, _) = key_and_rest(line);
			let mut found = [None; 4];
			for (found, finder) in found.iter_mut().zip(&mut finders) {
				*found = finder.find(|other| key_and_rest(other).0 == disk);
			}
			if found.iter().take(place).all(Option::is_none) {
				limit_line(turn, disk, &found)?;
			}
		}
	}
	Ok(v2(MAX))
}

fn limit_line(turn: &mut Turn<'_, '_, '_>, disk: &[u8], found: &[Option<&[u8]>; 4]) -> Result<(), Miss> {
	put_disk(turn, disk)?;
	for (place, (key, line)) in KEYS.iter().zip(found).enumerate() {
		turn.out.put(if place == 0 { b"" } else { b" " })?;
		turn.out.put(key)?;
		let most = if place < 2 { u64::MAX } else { MANY };
		match line.map_or(Ok(0), |line| number(key_and_rest(line).1).ok_or(ODD))? {
			limit if limit == 0 || limit >= most => turn.out.put(b"=max")?,
			limit => {
				turn.out.put(b"=")?;
				turn.out.number(limit)?;
			}
		}
	}
	Ok(())
}

/// One of the four files; all of a line is looked at for each.
fn limits_to_v1(turn: &mut Turn<'_, '_, '_>) -> Made {
	let target = *THROTTLES.get(turn.part).ok_or(Miss::Nothing)?;
	for line in lines(turn.saved.value) {
		let (disk, rest) = key_and_rest(line);
		is_disk(disk)?;
		for word in words(rest) {
			let (key, limit) = cut(word, b'=').ok_or(ODD)?;
			let place = KEYS.iter().position(|known| *known == key).ok_or(ODD)?;
			if limit == b"max" {
				continue;
			}
			let limit = number(limit).filter(|limit| *limit != 0).ok_or(ODD)?;
			if place == turn.part {
				put_disk(turn, disk)?;
				turn.out.number(limit)?;
			}
		}
	}
	Ok(v1(target))
}

/// A line of its own that begins with this disk and a blank.
fn put_disk(turn: &mut Turn<'_, '_, '_>, disk: &[u8]) -> Result<(), Miss> {
	is_disk(disk)?;
	turn.out.line()?;
	turn.out.put(disk)?;
	turn.out.put(b" ")
}

/// `MAJOR:MINOR`.
fn is_disk(text: &[u8]) -> Result<(), Miss> {
	let (major, minor) = cut(text, b':').ok_or(ODD)?;
	let is_number = |text: &[u8]| text.len() <= 10 && number32(text).is_some();
	if is_number(major) && is_number(minor) { Ok(()) } else { Err(ODD) }
}

fn key_and_rest(line: &[u8]) -> (&[u8], &[u8]) {
	let key = first_word(line);
	(key, line.get(key.len()..).unwrap_or(b"").trim_ascii())
}
