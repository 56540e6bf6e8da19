//! A value of v1 in, the value of v2 out.

use super::out::{Made, Miss, ODD, within};
use super::rows::{v1, v2};
use super::{Soft, Turn, disks, row};
use crate::error::Why;
use crate::procfs::scan::number;
use crate::property::value::{allows_all, is_unlimited, normalise};

pub(super) fn made(turn: &mut Turn<'_, '_, '_>) -> Made {
	match turn.index {
		v1::SHARES => weight(turn),
		v1::PERIOD | v1::QUOTA => bandwidth(turn),
		v1::MEMSW => swap(turn),
		v1::SOFT => soft(turn),
		v1::FREEZER => freeze(turn),
		v1::WEIGHT | v1::WEIGHT_DEVICE => disks::weights_to_v2(turn, disks::CFQ_V1),
		v1::BFQ | v1::BFQ_DEVICE => disks::weights_to_v2(turn, disks::BFQ_V1),
		v1::READ_BYTES..=v1::WRITES => disks::limits_to_v2(turn),
		// v2 always does what these ask for: pages move, and a new group has its parent's CPUs.
		v1::MIGRATE | v1::CLONE => Err(Miss::Nothing),
		v1::DEVICES if allows_all(turn.value) => Err(Miss::Nothing),
		index => turn.plain(reason(index)),
	}
}

/// Why a file without a twin has none.
fn reason(index: u8) -> Why {
	match index {
		v1::DEVICES => Why::DeviceProgram,
		v1::CLASS | v1::PRIORITIES => Why::NetworkProgram,
		v1::KMEM | v1::KMEM_TCP => Why::CountedTogether,
		v1::USE_HIERARCHY => Why::CountedAlways,
		v1::EXCLUSIVE | v1::BALANCE => Why::NoPartition,
		_ => Why::NoTwinV2,
	}
}

/// An idle group shows 3 shares and its weight cannot be written.
fn weight(turn: &mut Turn<'_, '_, '_>) -> Made {
	if turn.is_set(v1::IDLE) {
		return Err(Miss::Nothing);
	}
	let shares = number(turn.value.trim_ascii()).ok_or(ODD)?;
	turn.amount_in(v2::WEIGHT, Some(turn.choices.shares.weight(shares)))
}

/// Both are told with the quota, with the period if it is alone.
fn bandwidth(turn: &mut Turn<'_, '_, '_>) -> Made {
	let (quota, period) = (turn.other(v1::QUOTA), turn.other(v1::PERIOD));
	if turn.index == v1::PERIOD && quota.is_some() {
		return Err(Miss::Nothing);
	}
	let quota = quota.filter(|quota| !is_unlimited(row(v1::QUOTA), quota));
	let quota = quota.map(|quota| within(quota, 1000, u64::MAX)).transpose()?;
	turn.amount_in(v2::BANDWIDTH, quota)?;
	turn.out.put(b" ")?;
	turn.out.number(within(period.unwrap_or(b"100000"), 1000, 1_000_000)?)?;
	Ok(v2::BANDWIDTH)
}

/// v1 limits memory and swap together. The kernel keeps that at least as large as the limit of memory; without one,
/// runc takes it for swap alone.
fn swap(turn: &mut Turn<'_, '_, '_>) -> Made {
	let mut swap = turn.amount()?;
	if let Some(both) = swap {
		let limit = turn.amount_of(v1::LIMIT).ok_or(Miss::Lost(Why::NoMemoryLimit))??;
		swap = Some(both.checked_sub(limit.unwrap_or(0)).ok_or(ODD)?);
	}
	turn.amount_in(v2::SWAP, swap)
}

/// No soft limit is no protection.
fn soft(turn: &mut Turn<'_, '_, '_>) -> Made {
	let bytes = turn.amount()?;
	match turn.choices.soft {
		Soft::Low => turn.amount_in(v2::LOW, Some(bytes.unwrap_or(0))),
		Soft::High => turn.amount_in(v2::HIGH, bytes),
	}
}

fn freeze(turn: &mut Turn<'_, '_, '_>) -> Made {
	turn.out.put(match normalise(row(v1::FREEZER), turn.value) {
		b"FROZEN" => b"1",
		b"THAWED" => b"0",
		_ => return Err(ODD),
	})?;
	Ok(v2::FREEZE)
}
