//! A value of v1 in, the value of v2 out.

use super::disks;
use super::out::{Made, Miss, ODD, amount, within};
use super::{Soft, Turn};
use crate::error::Why;
use crate::procfs::scan::number;
use crate::property::value::{allows_all, is_unlimited, normalise};
use crate::property::{Property, Version, all, place};

const fn v1(file: &str) -> usize {
	place(Version::V1, file)
}

const LIMIT: usize = v1("memory.limit_in_bytes");
const MEMSW: usize = v1("memory.memsw.limit_in_bytes");
const SOFT: usize = v1("memory.soft_limit_in_bytes");
const USE_HIERARCHY: usize = v1("memory.use_hierarchy");
const KMEM: usize = v1("memory.kmem.limit_in_bytes");
const TCP: usize = v1("memory.kmem.tcp.limit_in_bytes");
const SHARES: usize = v1("cpu.shares");
const IDLE: usize = v1("cpu.idle");
const PERIOD: usize = v1("cpu.cfs_period_us");
const QUOTA: usize = v1("cpu.cfs_quota_us");
const MIGRATE: usize = v1("cpuset.memory_migrate");
const EXCLUSIVE: usize = v1("cpuset.cpu_exclusive");
const BALANCE: usize = v1("cpuset.sched_load_balance");
const DEVICES: usize = v1("devices.list");
const CLASS: usize = v1("net_cls.classid");
const PRIORITIES: usize = v1("net_prio.ifpriomap");
const FREEZER: usize = v1("freezer.state");
const CLONE: usize = v1("cgroup.clone_children");

/// A row of v2.
pub(super) fn v2(index: usize) -> &'static Property {
	&all(Version::V2)[index]
}

pub(super) fn made(turn: &mut Turn<'_, '_, '_>) -> Made {
	let index = turn.saved.index;
	if let Some(made) = disks::to_v2(turn) {
		return made;
	}
	match index {
		SHARES => weight(turn),
		PERIOD | QUOTA => bandwidth(turn),
		MEMSW => swap(turn),
		SOFT => soft(turn),
		FREEZER => freeze(turn),
		// v2 always does what these ask for: pages move, and a new group has its parent's CPUs.
		MIGRATE | CLONE => Err(Miss::Nothing),
		DEVICES if allows_all(turn.saved.value) => Err(Miss::Nothing),
		_ => turn.plain(reason(index)),
	}
}

/// Why a file without a twin has none.
fn reason(index: usize) -> Why {
	match index {
		DEVICES => Why::DeviceProgram,
		CLASS | PRIORITIES => Why::NetworkProgram,
		KMEM | TCP => Why::CountedTogether,
		USE_HIERARCHY => Why::CountedAlways,
		EXCLUSIVE | BALANCE => Why::NoPartition,
		_ => Why::NoTwinV2,
	}
}

/// An idle group shows 3 shares and its weight cannot be written.
fn weight(turn: &mut Turn<'_, '_, '_>) -> Made {
	if turn.is_set(IDLE) {
		return Err(Miss::Nothing);
	}
	let shares = number(turn.saved.value.trim_ascii()).ok_or(ODD)?;
	turn.out.number(turn.choices.shares.weight(shares))?;
	Ok(v2(place(Version::V2, "cpu.weight")))
}

/// Both are told with the quota, with the period if it is alone.
fn bandwidth(turn: &mut Turn<'_, '_, '_>) -> Made {
	let (quota, period) = (turn.other(QUOTA), turn.other(PERIOD));
	if turn.saved.index == PERIOD && quota.is_some() {
		return Err(Miss::Nothing);
	}
	match quota.filter(|quota| !is_unlimited(&all(Version::V1)[QUOTA], quota)) {
		Some(quota) => turn.out.number(within(quota, 1000, u64::MAX)?)?,
		None => turn.out.put(b"max")?,
	}
	turn.out.put(b" ")?;
	turn.out.number(within(period.unwrap_or(b"100000"), 1000, 1_000_000)?)?;
	Ok(v2(place(Version::V2, "cpu.max")))
}

/// v1 limits memory and swap together. The kernel keeps that at least as large as the limit of memory; without one,
/// runc takes it for swap alone.
fn swap(turn: &mut Turn<'_, '_, '_>) -> Made {
	let swap = match amount(turn.property, turn.saved.value)? {
		None => None,
		Some(both) => {
			let limit = turn.other(LIMIT).ok_or(Miss::Lost(Why::NoMemoryLimit))?;
			let limit = amount(&all(Version::V1)[LIMIT], limit)?.unwrap_or(0);
			Some(both.checked_sub(limit).ok_or(ODD)?)
		}
	};
	turn.amount_in(v2(place(Version::V2, "memory.swap.max")), swap)
}

/// No soft limit is no protection.
fn soft(turn: &mut Turn<'_, '_, '_>) -> Made {
	let bytes = amount(turn.property, turn.saved.value)?;
	match turn.choices.soft {
		Soft::Low => turn.amount_in(v2(place(Version::V2, "memory.low")), Some(bytes.unwrap_or(0))),
		Soft::High => turn.amount_in(v2(place(Version::V2, "memory.high")), bytes),
	}
}

fn freeze(turn: &mut Turn<'_, '_, '_>) -> Made {
	turn.out.put(match normalise(turn.property, turn.saved.value) {
		b"FROZEN" => b"1",
		b"THAWED" => b"0",
		_ => return Err(ODD),
	})?;
	Ok(v2(place(Version::V2, "cgroup.freeze")))
}
