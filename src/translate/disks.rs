//! Weights and limits of I/O, which are lines with a disk each.

use super::Turn;
use super::out::{Made, Miss, ODD};
use super::rows::{v1, v2};
use super::weight::{BFQ, CFQ, IO, Scale};
use crate::error::Why;
use crate::procfs::scan::{cut, number, number32, words};
use crate::property::changes::{Finder, lines};
use crate::property::value::first_word;

/// Files of one scheduler: the group's weight, the weights for single disks (one file on v2), their scale.
#[derive(Clone, Copy)]
pub(super) struct Scheduler {
	single: u8,
	disks: u8,
	scale: Scale,
}

pub(super) const CFQ_V1: Scheduler = Scheduler { single: v1::WEIGHT, disks: v1::WEIGHT_DEVICE, scale: CFQ };
pub(super) const BFQ_V1: Scheduler = Scheduler { single: v1::BFQ, disks: v1::BFQ_DEVICE, scale: BFQ };
pub(super) const IO_V2: Scheduler = Scheduler { single: v2::IO_WEIGHT, disks: v2::IO_WEIGHT, scale: IO };
pub(super) const BFQ_V2: Scheduler = Scheduler { single: v2::IO_BFQ, disks: v2::IO_BFQ, scale: BFQ };

const _: () = assert!(v1::READ_BYTES + 1 == v1::WRITE_BYTES && v1::WRITE_BYTES + 1 == v1::READS);
const _: () = assert!(v1::READS + 1 == v1::WRITES);

/// The keys of io.max, in the order of the four files of v1.
const KEYS: [&[u8]; 4] = [b"rbps", b"wbps", b"riops", b"wiops"];
/// Operations a second are kept in 32 bits; all of them set is no limit (blk-throttle.c).
const MANY: u64 = u32::MAX as u64;

/// A host shows weights of two schedulers. Those of BFQ count if they are set, or if there are no others.
fn is_used(turn: &Turn<'_, '_, '_>, bfq: Scheduler, other: Scheduler) -> Result<(), Miss> {
	let set = turn.is_set(bfq.single) || turn.is_set(bfq.disks);
	let is_bfq = set || turn.other(other.single).or(turn.other(other.disks)).is_none();
	match is_bfq == (turn.index == bfq.single || turn.index == bfq.disks) {
		true => Ok(()),
		false => Err(turn.lost(Why::OtherScheduler).err().unwrap_or(Miss::Nothing)),
	}
}

/// Both files are told with the group's weight, with the disks' if they are alone.
pub(super) fn weights_to_v2(turn: &mut Turn<'_, '_, '_>, from: Scheduler) -> Made {
	is_used(turn, BFQ_V1, CFQ_V1)?;
	let to = if turn.choices.bfq { BFQ_V2 } else { IO_V2 };
	let (single, disks) = (turn.other(from.single), turn.other(from.disks));
	if turn.index == from.disks && single.is_some() {
		return Err(Miss::Nothing);
	}
	turn.out.put(b"default ")?;
	group_weight(turn, single.or(disks).unwrap_or(b""), from, to)?;
	disk_weights(turn, disks.unwrap_or(b""), from, to)?;
	Ok(to.single)
}

pub(super) fn weights_to_v1(turn: &mut Turn<'_, '_, '_>, from: Scheduler) -> Made {
	is_used(turn, BFQ_V2, IO_V2)?;
	let to = if turn.choices.bfq { BFQ_V1 } else { CFQ_V1 };
	match turn.part {
		0 => group_weight(turn, turn.value, from, to).map(|()| to.single),
		1 => {
			// A scheduler with both in the file for disks says there what is the group's as well.
			let both = to.disks == v1::BFQ_DEVICE;
			if both {
				turn.out.put(b"default ")?;
				group_weight(turn, turn.value, from, to)?;
			}
			let before = turn.out.len();
			disk_weights(turn, turn.value, from, to)?;
			if both && turn.out.len() == before { Err(Miss::Nothing) } else { Ok(to.disks) }
		}
		_ => Err(Miss::Nothing),
	}
}

/// The number of a line `default N`, or of a line that is only a number; a fresh group's if there is none.
#[inline(never)]
fn group_weight(turn: &mut Turn<'_, '_, '_>, text: &[u8], from: Scheduler, to: Scheduler) -> Result<(), Miss> {
	let mut weight = from.scale.fresh();
	for (key, rest) in lines(text).map(key_and_rest) {
		if rest.is_empty() {
			weight = from.scale.read(key)?;
		} else if key == b"default" {
			weight = from.scale.read(rest)?;
		}
	}
	turn.out.number(from.scale.to(to.scale, turn.choices.weights, weight))
}

/// Lines for single disks.
#[inline(never)]
fn disk_weights(turn: &mut Turn<'_, '_, '_>, text: &[u8], from: Scheduler, to: Scheduler) -> Result<(), Miss> {
	for (key, rest) in lines(text).map(key_and_rest) {
		if !rest.is_empty() && key != b"default" {
			let weight = from.scale.read(rest)?;
			put_disk(turn, key)?;
			turn.out.number(from.scale.to(to.scale, turn.choices.weights, weight))?;
		}
	}
	Ok(())
}

/// The four limits of a disk are one line, told with the first file that is saved. Disks come as the files have them.
pub(super) fn limits_to_v2(turn: &mut Turn<'_, '_, '_>) -> Made {
	if (v1::READ_BYTES..turn.index).any(|index| turn.other(index).is_some()) {
		return Err(Miss::Nothing);
	}
	let texts = [0, 1, 2, 3].map(|place| turn.other(v1::READ_BYTES + place).unwrap_or(b""));
	let mut finders = texts.map(Finder::new);
	for (place, text) in texts.iter().enumerate() {
		for (disk, _) in lines(text).map(key_and_rest) {
			if !finders.iter_mut().take(place).any(|finder| limit_of(finder, disk).is_some()) {
				limit_line(turn, disk, &mut finders)?;
			}
		}
	}
	Ok(v2::IO_MAX)
}

fn limit_line(turn: &mut Turn<'_, '_, '_>, disk: &[u8], finders: &mut [Finder<'_>; 4]) -> Result<(), Miss> {
	put_disk(turn, disk)?;
	for (place, finder) in finders.iter_mut().enumerate() {
		turn.out.put(if place == 0 { b"" } else { b" " })?;
		turn.out.put(KEYS[place])?;
		turn.out.put(b"=")?;
		let most = if place < 2 { u64::MAX } else { MANY };
		match limit_of(finder, disk).map_or(Some(0), number).ok_or(ODD)? {
			limit if limit == 0 || limit >= most => turn.out.put(b"max")?,
			limit => turn.out.number(limit)?,
		}
	}
	Ok(())
}

/// What stands behind the disk.
#[inline(never)]
fn limit_of<'t>(finder: &mut Finder<'t>, disk: &[u8]) -> Option<&'t [u8]> {
	finder.find(|line| first_word(line) == disk).map(|line| key_and_rest(line).1)
}

/// One of the four files; all of a line is looked at for each.
pub(super) fn limits_to_v1(turn: &mut Turn<'_, '_, '_>) -> Made {
	if turn.part >= KEYS.len() {
		return Err(Miss::Nothing);
	}
	for (disk, rest) in lines(turn.value).map(key_and_rest) {
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
	Ok(v1::READ_BYTES + turn.part as u8)
}

/// A line of its own that begins with this disk and a blank.
#[inline(never)]
fn put_disk(turn: &mut Turn<'_, '_, '_>, disk: &[u8]) -> Result<(), Miss> {
	is_disk(disk)?;
	turn.out.line()?;
	turn.out.put(disk)?;
	turn.out.put(b" ")
}

/// `MAJOR:MINOR`.
#[inline(never)]
fn is_disk(text: &[u8]) -> Result<(), Miss> {
	let (major, minor) = cut(text, b':').ok_or(ODD)?;
	let sound = text.len() <= 21 && number32(major).is_some() && number32(minor).is_some();
	if sound { Ok(()) } else { Err(ODD) }
}

#[inline(never)]
fn key_and_rest(line: &[u8]) -> (&[u8], &[u8]) {
	let key = first_word(line);
	(key, line.get(key.len()..).unwrap_or(b"").trim_ascii())
}
