//! Two images in, every difference between them out: groups, values, owners, memberships.
//!
//! Both are read where they are mapped. Hierarchies are matched controller by controller: one that is co-mounted in one
//! image and split in the other is compared with each of its parts. Groups are matched by their path; a group that only
//! one image has is told, what lies below it is not, unless it is an ancestor. Memory is a few bytes a level, and the
//! work is that of reading both images twice where both have the same order, as those of one kernel do.

pub(crate) mod seek;
mod tasks;
mod values;
pub(crate) mod walk;

use crate::difference::{Difference, Tell, What};
use crate::error::Fault;
use crate::hierarchy::{Label, has_name};
use crate::image::view::{Hierarchy, Image};
use crate::limits::{HIERARCHIES, Limit};
use crate::property::value::coarser;

pub use self::walk::Buffers as Workspace;
use self::walk::Pair;

/// Tells every difference between two images; how many there are.
pub fn compare<'a>(
	images: [&Image<'a>; 2],
	space: &mut Workspace,
	tell: &mut dyn FnMut(&Difference<'_>),
) -> Result<u64, Fault> {
	let mut count = 0;
	let mut tell = |difference: &Difference<'_>| {
		count += 1;
		tell(difference);
	};
	for image in images {
		match image.hierarchies().count() {
			0..=HIERARCHIES => {}
			count => return Err(Fault::full(Limit::ImageHierarchies, count)),
		}
	}
	pairs(images, space, &mut tell)?;
	tasks::compare(images, &mut tell)?;
	Ok(count)
}

/// Compares the hierarchies that have a controller in common, and tells those that have none.
fn pairs<'a>(images: [&Image<'a>; 2], space: &mut Workspace, tell: Tell<'_>) -> Result<(), Fault> {
	let mut pages = [0; 2];
	let mut ours = true;
	for (page, image) in pages.iter_mut().zip(images) {
		let about = image.about()?;
		ours &= about.is_some();
		*page = about.map_or(Ok(0), |about| about.page_size())?;
	}
	let page = coarser(pages[0], pages[1]);
	for side in [0, 1] {
		for own in images[side].hierarchies() {
			let own = own?;
			let (label, mut known) = (Label::of(&own)?, 0);
			for other in images[1 - side].hierarchies() {
				let other = other?;
				let (common, bits) = shared(label.bytes(), Label::of(&other)?.bytes())?;
				known |= bits;
				if bits != 0 && side == 0 {
					Pair::new([own, other], &common, (page, ours), space, tell)?.compare()?;
				}
			}
			alone(&own, &label, known, side, tell)?;
		}
	}
	Ok(())
}

/// Tells the controllers of a hierarchy with groups that the other image has in none.
fn alone(hierarchy: &Hierarchy<'_>, own: &Label, known: u128, side: usize, tell: Tell<'_>) -> Result<(), Fault> {
	let mut label = Label::new(b"")?;
	let left = own.names().enumerate().filter(|(at, _)| known >> (*at).min(127) & 1 == 0);
	let mut some = false;
	for (_, name) in left {
		label.add(name)?;
		some = true;
	}
	if some && hierarchy.heads().next().is_some() {
		tell(&Difference { hierarchy: label.bytes(), group: b"", what: What::Hierarchy, sides: only(side) });
	}
	Ok(())
}

/// Something that only this side has.
fn only(side: usize) -> [Option<&'static [u8]>; 2] {
	let mut sides = [None; 2];
	sides[side] = Some(&b""[..]);
	sides
}

/// The controllers that both labels have, in the order of the first, and their places in it as bits. Real names are fewer
/// than bits.
fn shared(one: &[u8], other: &[u8]) -> Result<(Label, u128), Fault> {
	let (mut label, mut bits) = (Label::new(b"")?, 0);
	for (at, name) in one.split(|byte| *byte == b',').enumerate() {
		if has_name(other, name) {
			label.add(name)?;
			bits |= 1 << at.min(127);
		}
	}
	Ok((label, bits))
}
