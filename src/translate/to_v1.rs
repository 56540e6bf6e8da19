//! A value of v2 in, the values of v1 out.

use super::disks;
use super::out::{Made, Miss, ODD, amount, within};
use super::{Soft, Turn};
use crate::error::Why;
use crate::procfs::scan::cut;
use crate::property::{Property, Version, all, place};

const fn v2(file: &str) -> usize {
	place(Version::V2, file)
}

const WEIGHT: usize = v2("cpu.weight");
const IDLE: usize = v2("cpu.idle");
const BANDWIDTH: usize = v2("cpu.max");
const LOW: usize = v2("memory.low");
const HIGH: usize = v2("memory.high");
const MAX: usize = v2("memory.max");
const SWAP: usize = v2("memory.swap.max");
const FREEZE: usize = v2("cgroup.freeze");
const CONTROL: usize = v2("cgroup.subtree_control");
const TYPE: usize = v2("cgroup.type");

/// A row of v1.
pub(super) fn v1(index: usize) -> &'static Property {
	&all(Version::V1)[index]
}

pub(super) fn made(turn: &mut Turn<'_, '_, '_>) -> Made {
	let index = turn.saved.index;
	if let Some(made) = disks::to_v1(turn) {
		return made;
	}
	match index {
		BANDWIDTH => bandwidth(turn),
		_ if turn.part != 0 => Err(Miss::Nothing),
		WEIGHT => shares(turn),
		SWAP => swap(turn),
		LOW | HIGH => soft(turn),
		FREEZE => freeze(turn),
		// A v1 hierarchy gives its controllers to all groups, and threads may be anywhere.
		CONTROL | TYPE => Err(Miss::Nothing),
		_ => turn.plain(Why::NoTwinV1),
	}
}

/// An idle group shows 0 or 1.
fn shares(turn: &mut Turn<'_, '_, '_>) -> Made {
	if turn.is_set(IDLE) {
		return Err(Miss::Nothing);
	}
	let weight = within(turn.saved.value, 1, 10_000)?;
	turn.out.number(turn.choices.shares.shares(weight))?;
	Ok(v1(place(Version::V1, "cpu.shares")))
}

/// The period first, as v1 wants it.
fn bandwidth(turn: &mut Turn<'_, '_, '_>) -> Made {
	let (quota, period) = cut(turn.saved.value.trim_ascii(), b' ').ok_or(ODD)?;
	let period = within(period, 1000, 1_000_000)?;
	let quota = if quota == b"max" { None } else { Some(within(quota, 1000, u64::MAX)?) };
	match turn.part {
		0 => turn.amount_in(v1(place(Version::V1, "cpu.cfs_period_us")), Some(period)),
		1 => turn.amount_in(v1(place(Version::V1, "cpu.cfs_quota_us")), quota),
		_ => Err(Miss::Nothing),
	}
}

/// v1 limits memory and swap together, and has no limit of swap where memory has none.
fn swap(turn: &mut Turn<'_, '_, '_>) -> Made {
	let max = turn.other(MAX).map_or(Ok(None), |max| amount(&all(Version::V2)[MAX], max))?;
	let both = match (amount(turn.property, turn.saved.value)?, max) {
		(None, _) => None,
		(Some(_), None) => return Err(Miss::Lost(Why::SwapAlone)),
		(Some(swap), Some(max)) => Some(swap.checked_add(max).ok_or(ODD)?),
	};
	turn.amount_in(v1(place(Version::V1, "memory.memsw.limit_in_bytes")), both)
}

/// No protection is no soft limit.
fn soft(turn: &mut Turn<'_, '_, '_>) -> Made {
	let bytes = match (turn.saved.index, turn.choices.soft) {
		(LOW, Soft::Low) => amount(turn.property, turn.saved.value)?.filter(|bytes| *bytes != 0),
		(HIGH, Soft::High) => amount(turn.property, turn.saved.value)?,
		_ => return turn.lost(Why::NoTwinV1),
	};
	turn.amount_in(v1(place(Version::V1, "memory.soft_limit_in_bytes")), bytes)
}

fn freeze(turn: &mut Turn<'_, '_, '_>) -> Made {
	turn.out.put(match turn.saved.value {
		b"1" => b"FROZEN",
		b"0" => b"THAWED",
		_ => return Err(ODD),
	})?;
	Ok(v1(place(Version::V1, "freezer.state")))
}
