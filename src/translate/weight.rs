//! Shares and weights of one cgroup version in, those of the other out.
//!
//! Shares of CPU time go from 2 to 262144 with 1024 in a fresh group (MIN_SHARES and MAX_SHARES of kernel/sched), weights
//! of v2 from 1 to 10000 with 100. Only the ratio between siblings means anything, so a formula is good if it keeps the
//! ratios, or at least the order, and if a fresh group's value becomes a fresh group's value.
//!
//! Back, from weight to shares, goes the largest number of shares that gives this weight: so each weight comes back as
//! itself, and 100 is 1024 wherever 1024 is 100.
//!
//! No floating point: the library has no logarithm without the standard library. A test compares every number of
//! shares with the formula in floating point.

use super::{Miss, out::within};

/// Least and most shares, those of a fresh group.
const SHARES: (u64, u64) = (2, 262_144);
/// Least and most weight.
const WEIGHT: (u64, u64) = (1, 10_000);

/// How shares of CPU time become a weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shares {
	/// `ceil(10 ^ ((l^2 + 125 l) / 612 - 7 / 34))`, l = log2(shares): 2 is 1, 1024 is 100, 262144 is 10000.
	/// opencontainers/cgroups from 0.0.3 on (runc 1.3.2), crun from 1.23 on.
	Quadratic,
	/// `1 + (shares - 2) * 9999 / 262142`: 1024 is 39. The same tools before, Kubernetes. A fresh group's shares are
	/// converted as well, or 2048 (79) would be less than a fresh sibling.
	Linear,
	/// `shares * 100 / 1024`, rounded: the kernel's own, which keeps all ratios up to 102400 shares, where the weights end.
	/// systemd up to 257 rounds down.
	Proportional,
}

impl Shares {
	/// The weight for these shares; what is out of range is first brought into it, as the kernel does.
	pub fn weight(self, shares: u64) -> u64 {
		let shares = shares.clamp(SHARES.0, SHARES.1);
		match self {
			Shares::Quadratic => least(WEIGHT, |weight| curve(shares) <= line(weight)),
			Shares::Linear => 1 + (shares - 2) * 9999 / 262_142,
			Shares::Proportional => closest(shares * 100, 1024).clamp(WEIGHT.0, WEIGHT.1),
		}
	}

	/// The shares for this weight, which is first brought into its range.
	pub fn shares(self, weight: u64) -> u64 {
		let weight = weight.clamp(WEIGHT.0, WEIGHT.1);
		match self {
			Shares::Quadratic => least(SHARES, |shares| curve(shares + 1) > line(weight)),
			Shares::Linear => least(SHARES, |shares| 1 + (shares - 1) * 9999 / 262_142 > weight),
			Shares::Proportional => closest(weight * 1024, 100).clamp(SHARES.0, SHARES.1),
		}
	}
}

/// The least number of a range that `is_enough`, which holds from some number on; the last one if it is none.
fn least((mut low, mut high): (u64, u64), is_enough: impl Fn(u64) -> bool) -> u64 {
	while low < high {
		let middle = low.midpoint(high);
		if is_enough(middle) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	low
}

/// Bits behind the point of a logarithm. The curve passes no weight closer than 4 parts in 10^10 but those that it meets.
const POINT: u32 = 40;

/// log2(10), which belongs to the curve and not to the weights.
const LOG2_10: u64 = log2(10);

/// The formula without its powers: `10^e <= weight` is `log2(10) * 612 e <= 612 log2(weight)`, and 612 e is a polynomial
/// of log2(shares) with whole numbers.
fn curve(shares: u64) -> u128 {
	let log = u128::from(log2(shares));
	u128::from(LOG2_10) * (((log * log) >> POINT) + 125 * log).saturating_sub(126 << POINT)
}

/// The other side of the comparison.
fn line(weight: u64) -> u128 {
	(612 * u128::from(log2(weight))) << POINT
}

/// The binary logarithm of a number that is not 0: a square is a bit.
const fn log2(number: u64) -> u64 {
	let whole = number.ilog2();
	let (mut log, mut rest, mut bit) = (whole as u64, number << (63 - whole), 0);
	while bit < POINT {
		let square = (rest as u128 * rest as u128) >> 63;
		let carry = (square >> 64) as u64;
		log = log << 1 | carry;
		rest = (square >> carry) as u64;
		bit += 1;
	}
	log
}

/// A quotient, rounded to the closest whole number (the kernel's DIV_ROUND_CLOSEST).
const fn closest(number: u64, by: u64) -> u64 {
	(number + by / 2) / by
}

/// How weights of I/O become each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weights {
	/// In the proportion of what fresh groups have, 500 (CFQ) or 100 (BFQ, v2): ratios are kept until the range ends, and a
	/// fresh group stays one. systemd up to 257 (500 is 100), which rounds down.
	Proportional,
	/// `1 + (weight - 10) * 9999 / 990` between blkio and io.weight, and the same number between blkio and io.bfq.weight: runc
	/// and crun. Then 500 is 4950, for fresh groups as well, and ratios are not kept.
	Range,
}

/// A scale of weights: least, most, and a fresh group's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scale {
	least: u16,
	most: u16,
	fresh: u16,
}

/// blkio.weight (block/cfq-iosched.c, up to 4.20).
pub(super) const CFQ: Scale = Scale { least: 10, most: 1000, fresh: 500 };
/// blkio.bfq.weight and io.bfq.weight (block/bfq-iosched.h).
pub(super) const BFQ: Scale = Scale { least: 1, most: 1000, fresh: 100 };
/// io.weight (include/linux/cgroup.h: CGROUP_WEIGHT_MIN, CGROUP_WEIGHT_MAX).
pub(super) const IO: Scale = Scale { least: 1, most: 10_000, fresh: 100 };

impl Scale {
	/// A fresh group's weight.
	pub(super) fn fresh(self) -> u64 {
		self.fresh.into()
	}

	/// A weight of this scale.
	pub(super) fn read(self, text: &[u8]) -> Result<u64, Miss> {
		within(text, self.least.into(), self.most.into())
	}

	/// A weight of this scale on another one.
	#[inline(never)]
	pub(super) fn to(self, other: Scale, weights: Weights, weight: u64) -> u64 {
		let made = match weights {
			_ if self == other => weight,
			Weights::Proportional => closest(weight * other.fresh(), self.fresh()),
			Weights::Range if other == IO => 1 + weight.saturating_sub(10) * 9999 / 990,
			Weights::Range if self == IO => 10 + closest((weight - 1) * 990, 9999),
			Weights::Range => weight,
		};
		made.clamp(other.least.into(), other.most.into())
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::property::dice::stride;
	extern crate std;

	const FORMULAS: [Shares; 3] = [Shares::Quadratic, Shares::Linear, Shares::Proportional];

	/// The formula as opencontainers/cgroups and crun compute it.
	fn in_floating_point(shares: u64) -> u64 {
		let log = (shares as f64).log2();
		match shares {
			0..=2 => 1,
			262_144.. => 10_000,
			_ => 10f64.powf((log * log + 125.0 * log) / 612.0 - 7.0 / 34.0).ceil() as u64,
		}
	}

	#[test]
	fn the_curve_is_the_formula_for_all_shares_and_does_not_fall() {
		let mut last = 1;
		for shares in (2..=262_144).step_by(stride(997)) {
			let weight = Shares::Quadratic.weight(shares);
			assert_eq!(weight, in_floating_point(shares), "{shares}");
			assert!(weight >= last && weight <= 10_000);
			last = weight;
		}
	}

	#[test]
	fn weights_of_time_do_not_fall_and_stay_in_range() {
		for formula in FORMULAS {
			let mut last = 0;
			let step = if formula == Shares::Quadratic { 89 } else { 1 }; // see above
			for shares in (0..=262_550).step_by(if cfg!(miri) { 89 * 50 } else { step }) {
				let weight = formula.weight(shares);
				assert!(weight >= last.max(1) && weight <= 10_000, "{formula:?} {shares}");
				last = weight;
			}
			assert_eq!((formula.weight(u64::MAX), last), (10_000, 10_000));
		}
	}

	#[test]
	fn every_weight_comes_back_as_itself() {
		for formula in FORMULAS {
			let mut last = 0;
			for weight in (1..=10_000).step_by(stride(97)) {
				let shares = formula.shares(weight);
				assert_eq!(formula.weight(shares), weight, "{formula:?} {weight} {shares}");
				assert!((2..=262_144).contains(&shares) && shares > last);
				last = shares;
			}
			assert_eq!(formula.shares(0), formula.shares(1));
			assert_eq!(formula.shares(u64::MAX), formula.shares(10_000));
		}
	}

	#[test]
	fn a_fresh_group_stays_one() {
		for formula in [Shares::Quadratic, Shares::Proportional] {
			assert_eq!((formula.weight(1024), formula.shares(100)), (100, 1024), "{formula:?}");
		}
		assert_eq!((Shares::Linear.weight(1024), Shares::Linear.shares(39)), (39, 1024));
	}

	#[test]
	fn weights_of_io_are_in_order_and_in_range() {
		for rule in [Weights::Proportional, Weights::Range] {
			for (from, to) in [(CFQ, BFQ), (CFQ, IO), (BFQ, IO), (BFQ, CFQ), (IO, CFQ), (IO, BFQ), (BFQ, BFQ)] {
				let mut last = 0;
				for weight in from.least..=from.most {
					let weight = u64::from(weight);
					let made = from.to(to, rule, weight);
					assert!(
						made >= last && (u64::from(to.least)..=to.most.into()).contains(&made),
						"{rule:?} {from:?} {to:?} {weight}"
					);
					last = made;
				}
			}
		}
	}

	#[test]
	fn weights_of_io_that_come_back_as_themselves() {
		for weight in 10..=1000 {
			assert_eq!(IO.to(CFQ, Weights::Range, CFQ.to(IO, Weights::Range, weight)), weight);
			assert_eq!(BFQ.to(CFQ, Weights::Range, CFQ.to(BFQ, Weights::Range, weight)), weight);
		}
		for weight in 1..=1000 {
			assert_eq!(IO.to(BFQ, Weights::Proportional, BFQ.to(IO, Weights::Proportional, weight)), weight);
		}
		for weight in 2..=200 {
			assert_eq!(CFQ.to(IO, Weights::Proportional, IO.to(CFQ, Weights::Proportional, weight)), weight);
		}
	}
}
