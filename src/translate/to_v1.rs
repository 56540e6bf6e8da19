//! A value of v2 in, the values of v1 out.

use super::out::{Made, Miss, ODD, within};
use super::rows::{v1, v2};
use super::{Soft, Turn, disks};
use crate::error::Why;
use crate::procfs::scan::cut;

pub(super) fn made(turn: &mut Turn<'_, '_, '_>) -> Made {
	match turn.index {
		v2::BANDWIDTH => bandwidth(turn),
		v2::IO_MAX => disks::limits_to_v1(turn),
		v2::IO_WEIGHT => disks::weights_to_v1(turn, disks::IO_V2),
		v2::IO_BFQ => disks::weights_to_v1(turn, disks::BFQ_V2),
		_ if turn.part != 0 => Err(Miss::Nothing),
		v2::WEIGHT => shares(turn),
		v2::SWAP => swap(turn),
		v2::LOW | v2::HIGH => soft(turn),
		v2::FREEZE => freeze(turn),
		// A v1 hierarchy gives its controllers to all groups, and threads may be anywhere.
		v2::CONTROL | v2::TYPE => Err(Miss::Nothing),
		_ => turn.plain(Why::NoTwinV1),
	}
}

/// An idle group shows 0 or 1.
fn shares(turn: &mut Turn<'_, '_, '_>) -> Made {
	if turn.is_set(v2::IDLE) {
		return Err(Miss::Nothing);
	}
	let weight = within(turn.value, 1, 10_000)?;
	turn.amount_in(v1::SHARES, Some(turn.choices.shares.shares(weight)))
}

/// The period first, as v1 wants it.
fn bandwidth(turn: &mut Turn<'_, '_, '_>) -> Made {
	let (quota, period) = cut(turn.value.trim_ascii(), b' ').ok_or(ODD)?;
	let period = within(period, 1000, 1_000_000)?;
	let quota = if quota == b"max" { None } else { Some(within(quota, 1000, u64::MAX)?) };
	match turn.part {
		0 => turn.amount_in(v1::PERIOD, Some(period)),
		1 => turn.amount_in(v1::QUOTA, quota),
		_ => Err(Miss::Nothing),
	}
}

/// v1 limits memory and swap together, and has no limit of swap where memory has none.
fn swap(turn: &mut Turn<'_, '_, '_>) -> Made {
	let mut both = turn.amount()?;
	if let Some(swap) = both {
		let max = turn.amount_of(v2::MAX).unwrap_or(Ok(None))?.ok_or(Miss::Lost(Why::SwapAlone))?;
		both = Some(swap.checked_add(max).ok_or(ODD)?);
	}
	turn.amount_in(v1::MEMSW, both)
}

/// No protection is no soft limit.
fn soft(turn: &mut Turn<'_, '_, '_>) -> Made {
	let is_low = turn.index == v2::LOW;
	if is_low != (turn.choices.soft == Soft::Low) {
		return turn.lost(Why::NoTwinV1);
	}
	let bytes = turn.amount()?.filter(|bytes| !is_low || *bytes != 0);
	turn.amount_in(v1::SOFT, bytes)
}

fn freeze(turn: &mut Turn<'_, '_, '_>) -> Made {
	turn.out.put(match turn.value {
		b"1" => b"FROZEN",
		b"0" => b"THAWED",
		_ => return Err(ODD),
	})?;
	Ok(v1::FREEZER)
}
