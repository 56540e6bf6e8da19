//! A saved value of one cgroup version in, what the other version has for it out: file, value, or why there is none.
//!
//! [`part`] is asked for each saved value of a group by itself. Values that are only together one of the other version
//! (quota and period, memory and swap, the four throttles of a disk) are given with the first of them that is saved;
//! asked for the others, it says nothing. All that belong together are of one v1 controller and one group, so nothing is
//! remembered from group to group, and the v1 hierarchies of an image can be gone through one by one. One value may
//! become several files (cpu.max, io.max): parts.
//!
//! Sources: the kernel's cgroup-v1 and cgroup-v2 documents and its sched/core.c; opencontainers/cgroups 0.0.3 (runc),
//! crun 1.23 and systemd 257 for the formulas. Which tool does what, and what is lost: docs/translation.md.
//!
//! Pure: nothing here looks at a host. Values are of an image that [`crate::vet`] judged; text that no kernel prints is
//! [`Why::OddValue`], never a guess.

mod disks;
mod out;
#[cfg(test)]
mod page;
mod rows;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
mod to_v1;
mod to_v2;

pub mod controllers;
pub mod image;
mod members;
mod merge;
mod split;
mod union;
mod values;
pub mod weight;
#[cfg(test)]
mod whole;

use crate::error::{Fault, Why};
use crate::image::view::{Properties, Text};
use crate::limits::{FILE_BYTES, Limit, WRITE_BYTES};
use crate::procfs::scan::cut;
use crate::property::changes::lines;
use crate::property::{Property, TABLE, Unit, Version, Write, all, value};
use out::{Made, Miss, ODD, Out, amount};
pub use weight::{Shares, Weights};

/// How values are converted where there is a choice. The default is what cgraft does if nothing else is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choices {
	/// Between cpu.shares and cpu.weight.
	pub shares: Shares,
	/// Between weights of I/O.
	pub weights: Weights,
	/// What memory.soft_limit_in_bytes is.
	pub soft: Soft,
	/// Groups of the target have the files of the scheduler BFQ: io.bfq.weight on v2, blkio.bfq.weight on v1.
	pub bfq: bool,
	/// Bytes of a page of the target. The kernel rounds an amount of memory down to pages; so is done here, but never
	/// down to nothing.
	pub page_bytes: u64,
}

impl Default for Choices {
	fn default() -> Self {
		Choices {
			shares: Shares::Quadratic,
			weights: Weights::Proportional,
			soft: Soft::Low,
			bfq: false,
			page_bytes: 4096,
		}
	}
}

/// The v2 file for memory.soft_limit_in_bytes. Neither is the same: v1 reclaims from groups above their soft limit first
/// when the host is short of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Soft {
	/// memory.low, a protection from reclaim: runc, crun and the OCI runtime specification.
	Low,
	/// memory.high, where reclaim begins at once: libcgroup.
	High,
}

/// A value of an image.
#[derive(Clone, Copy, Debug)]
pub struct Saved<'a> {
	/// The version of its hierarchy.
	pub version: Version,
	/// Its place in [`all`]`(version)`, see [`crate::property::index_of`].
	pub index: usize,
	/// The file's name.
	pub file: &'a [u8],
	/// Its value.
	pub value: &'a [u8],
}

/// Finds the value that the same group has saved for another file of the same controller.
pub type Others<'f, 'a> = &'f dyn Fn(&str) -> Option<&'a [u8]>;

/// What becomes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'t> {
	/// The other version has it.
	Value {
		/// The other version's file: its rules. Its controller is what the group has to be given.
		property: &'static Property,
		/// The file's name; not the pattern.
		file: &'t [u8],
		/// The value, as the image would have it.
		value: &'t [u8],
		/// A fresh group has it: nothing has to be written, and the file need not be there.
		default: bool,
	},
	/// It is set, and this is why the other version cannot have it.
	Lost(Why),
}

/// What becomes of a saved value: its part with this number, from 0 on until there is nothing. Nothing at 0: it is a
/// default that the other version does not have, or told with another file.
///
/// `space` takes the file's name and the value; longer ones than it holds are [`Limit::Value`].
pub fn part<'a, 't>(
	saved: &Saved<'a>,
	part: usize,
	others: Others<'_, 'a>,
	choices: &Choices,
	space: &'t mut [u8],
) -> Result<Option<Outcome<'t>>, Fault> {
	let full = Fault::full(Limit::Value, space.len().saturating_add(1));
	let index = saved.index + if saved.version == Version::V1 { 0 } else { all(Version::V1).len() };
	let Some(property) = TABLE.get(index) else { return Ok(None) };
	let (name, text) = space.split_at_mut_checked(FILE_BYTES).ok_or(full)?;
	let mut turn = Turn { index: index as u8, value: saved.value, part, others, choices, out: Out::new(text) };
	let made = match saved.version {
		Version::V1 if part == 0 => to_v2::made(&mut turn),
		Version::V1 => Err(Miss::Nothing),
		Version::V2 => to_v1::made(&mut turn),
	};
	match made {
		Ok(target) => {
			let target = row(target);
			let value = turn.out.text();
			let file = name_of(target, property, saved.file, name).ok_or(full)?;
			Ok(Some(Outcome::Value { property: target, file, value, default: value::is_fresh(target, value) }))
		}
		Err(Miss::Lost(why)) if part == 0 => Ok(Some(Outcome::Lost(why))),
		Err(Miss::Full) => Err(full),
		Err(_) => Ok(None),
	}
}

/// [`Others`] of a group of an image. Damage is not told here: who goes through the same properties meets it.
pub fn saved_in<'a>(mut properties: Properties<'a>, file: &str) -> Option<&'a [u8]> {
	properties.find_map(|property| match property {
		Ok(property) if property.name == file.as_bytes() => match property.value {
			Text::Bytes(bytes) => Some(bytes),
			Text::Number(_) => None,
		},
		_ => None,
	})
}

/// The target's name: what stands for the star in the source's stands for it there.
fn name_of<'n>(target: &Property, source: &Property, file: &[u8], name: &'n mut [u8]) -> Option<&'n [u8]> {
	let (target, source) = (target.file().as_bytes(), source.file().as_bytes());
	let mut out = Out::new(name);
	match (cut(target, b'*'), cut(source, b'*')) {
		(Some((before, after)), Some((left, right))) => {
			out.put(before).ok()?;
			out.put(file.get(left.len()..file.len().checked_sub(right.len())?)?).ok()?;
			out.put(after).ok()?;
		}
		_ => out.put(target).ok()?,
	}
	Some(out.text())
}

/// A file of either version by its place in [`TABLE`].
fn row(index: u8) -> &'static Property {
	&TABLE[usize::from(index)]
}

/// One saved value that is being converted.
struct Turn<'s, 'a, 't> {
	/// Its file.
	index: u8,
	value: &'a [u8],
	part: usize,
	others: Others<'s, 'a>,
	choices: &'s Choices,
	out: Out<'t>,
}

impl<'a> Turn<'_, 'a, '_> {
	/// The value that is saved for a file of the same version; files with a star have none.
	#[inline(never)]
	fn other(&self, index: u8) -> Option<&'a [u8]> {
		if index == self.index { Some(self.value) } else { (self.others)(row(index).file()) }
	}

	/// Whether a file of the same version is saved and not as in a fresh group.
	#[inline(never)]
	fn is_set(&self, index: u8) -> bool {
		self.other(index).is_some_and(|text| !value::is_default(row(index), text))
	}

	/// The saved value as an amount, or no limit.
	fn amount(&self) -> Result<Option<u64>, Miss> {
		amount(row(self.index), self.value)
	}

	/// The same of another file, if it is saved.
	fn amount_of(&self, index: u8) -> Option<Result<Option<u64>, Miss>> {
		self.other(index).map(|text| amount(row(index), text))
	}

	/// What has no twin is lost if it is set.
	#[inline(never)]
	fn lost(&self, why: Why) -> Made {
		Err(if self.is_set(self.index) { Miss::Lost(why) } else { Miss::Nothing })
	}

	/// The same value in its twin, where it means the same, amounts in the other version's spelling; `why` if it has no
	/// twin.
	fn plain(&mut self, why: Why) -> Made {
		let Some(target) = row(self.index).twin.index() else { return self.lost(why) };
		let text = self.value.trim_ascii();
		let property = row(target);
		match (property.write, property.unit) {
			(Write::Whole, Unit::Bytes | Unit::Micros | Unit::Count | Unit::Flag) => {
				return self.amount_in(target, self.amount()?);
			}
			(Write::Whole, _) if !is_word(text) => return Err(ODD),
			(Write::Lines { .. }, _) if lines(text).any(|line| line.len() >= WRITE_BYTES) => return Err(ODD),
			_ => self.out.put(text)?,
		}
		Ok(target)
	}

	/// An amount, or no limit.
	#[inline(never)]
	fn amount_in(&mut self, target: u8, amount: Option<u64>) -> Made {
		let Property { version, unit, .. } = *row(target);
		match amount {
			Some(bytes) if unit == Unit::Bytes => self.out.number(in_pages(bytes, self.choices.page_bytes))?,
			Some(amount) => self.out.number(amount)?,
			None if version == Version::V1 && unit != Unit::Count => self.out.put(b"-1")?,
			None => self.out.put(b"max")?,
		}
		Ok(target)
	}
}

/// One word, short enough for one write.
fn is_word(text: &[u8]) -> bool {
	!text.is_empty() && text.len() < WRITE_BYTES && text.iter().all(u8::is_ascii_graphic)
}

/// Down to whole pages, but not to nothing: a limit of nothing kills.
fn in_pages(bytes: u64, page_bytes: u64) -> u64 {
	let page_bytes = page_bytes.max(1);
	if bytes == 0 { 0 } else { (bytes / page_bytes * page_bytes).max(page_bytes) }
}
