//! The memberships of two images in, their differences out.
//!
//! Where both images have tasks, each is compared with the one of the same process and thread number; else the sets are
//! compared, each as a whole. Only hierarchies that both images know count.

use heapless::Vec;

use super::seek::{Items, Key, Seek};
use super::{only, shared};
use crate::difference::{Difference, Tell, What};
use crate::error::{Fault, Why};
use crate::hash::{START, hash};
use crate::hierarchy::has_name;
use crate::image::view::{Image, Layout, Set, Task, View};
use crate::image::wire::Message;
use crate::limits::{HIERARCHIES, Limit};

/// The set of whoever dumped; CRIU's number for it.
const OWN_SET: u32 = 1;
/// Items between two releases of the images' pages.
const RELEASE_EVERY: usize = 512;

/// Names of hierarchies.
type Names<'a> = Vec<&'a [u8], HIERARCHIES>;
/// Takes an item of one image and its like in the other.
type Each<'e, 'a> = &'e mut dyn FnMut(Message<'a>, Option<Message<'a>>) -> Result<(), Fault>;

/// Tells every difference.
pub fn compare(images: [&Image<'_>; 2], tell: Tell<'_>) -> Result<(), Fault> {
	let both_have_tasks = images.iter().all(|image| image.tasks().next().is_some());
	for side in [0, 1] {
		match both_have_tasks {
			true => tasks(images, side, tell)?,
			false => sets(images, side, tell)?,
		}
	}
	Ok(())
}

/// Looks for each item of one image in the other.
fn each<'a>(
	images: [&Image<'a>; 2],
	items: [Items<'a>; 2],
	key: Key<'_>,
	is_it: &dyn Fn(Message<'a>, Message<'a>) -> Result<bool, Fault>,
	each: Each<'_, 'a>,
) -> Result<(), Fault> {
	let [mut own, other] = items;
	let (mut seek, mut count) = (Seek::new(), 0);
	while let Some(item) = own.next().transpose()? {
		let mut look = |message| Ok(is_it(item, message)?.then_some(message));
		let found = seek.find(other, &mut look, own, key)?;
		each(item, found)?;
		count += 1;
		if count % RELEASE_EVERY == 0 {
			images.iter().for_each(|image| image.release());
		}
	}
	Ok(())
}

/// Compares the tasks of one image with those of the other; in the second turn those that the other has not are told.
fn tasks<'a>(images: [&Image<'a>; 2], side: usize, tell: Tell<'_>) -> Result<(), Fault> {
	let view = |message| Task::view(message, Layout::Criu);
	let is_it = |one, other| {
		let (one, other) = (view(one)?, view(other)?);
		Ok((one.pid, one.tid) == (other.pid, other.tid))
	};
	let key = |_: bool, message: Message<'_>| {
		let task = Task::view(message, Layout::Criu)?;
		Ok(task.tid ^ task.pid.rotate_left(16))
	};
	let mut sets = Sets { images, seeks: [Seek::new(); 2], same: None };
	let items = [images[side].tasks().messages(), images[1 - side].tasks().messages()];
	each(images, items, &key, &is_it, &mut |task, other| {
		let task = view(task)?;
		match other {
			Some(other) if side == 0 => sets.compare(&task, &view(other)?, tell),
			Some(_) => Ok(()),
			None => {
				let what = What::Task(task.pid, task.tid);
				tell(&Difference { hierarchy: b"", group: b"", what, sides: only(side) });
				Ok(())
			}
		}
	})
}

/// The sets of both images by their numbers.
struct Sets<'s, 'a> {
	images: [&'s Image<'a>; 2],
	seeks: [Seek; 2],
	/// The two that were compared last, if they are the same.
	same: Option<(u32, u32)>,
}

impl<'a> Sets<'_, 'a> {
	/// Tells where a task sits elsewhere.
	fn compare(&mut self, left: &Task<'_>, right: &Task<'_>, tell: Tell<'_>) -> Result<(), Fault> {
		if self.same == Some((left.set, right.set)) {
			return Ok(());
		}
		let (one, other) = (self.find(0, left.set)?, self.find(1, right.set)?);
		let mut same = true;
		for member in one.members() {
			let member = member?;
			for like in other.members() {
				let like = like?;
				if member.path == like.path {
					continue;
				}
				let (label, bits) = shared(member.name, like.name)?;
				if bits == 0 {
					continue;
				}
				let (hierarchy, what) = (label.bytes(), What::Task(left.pid, left.tid));
				tell(&Difference { hierarchy, group: b"", what, sides: [Some(member.path), Some(like.path)] });
				same = false;
			}
		}
		self.same = same.then_some((left.set, right.set));
		Ok(())
	}

	fn find(&mut self, side: usize, id: u32) -> Result<Set<'a>, Fault> {
		let image = self.images[side];
		let mut look = |message| {
			let set = Set::view(message, image.layout())?;
			Ok((set.id == id).then_some(message))
		};
		match self.seeks[side].search(image.sets().messages(), &mut look)? {
			Some(set) => Set::view(set, image.layout()),
			None => Err(Fault::image(0, Why::NoSet)),
		}
	}
}

/// Tells the sets that only one image has.
fn sets<'a>(images: [&Image<'a>; 2], side: usize, tell: Tell<'_>) -> Result<(), Fault> {
	let names = names(images)?;
	if names.is_empty() {
		return Ok(());
	}
	let layouts = [images[side].layout(), images[1 - side].layout()];
	let is_it = |one, other| {
		let (one, other) = (Set::view(one, layouts[0])?, Set::view(other, layouts[1])?);
		for name in &names {
			if path_in(&one, name)? != path_in(&other, name)? {
				return Ok(false);
			}
		}
		Ok(true)
	};
	let key = |other: bool, message: Message<'_>| {
		let set = Set::view(message, layouts[usize::from(other)])?;
		names.iter().try_fold(START, |key, name| Ok(hash(key, path_in(&set, name)?.unwrap_or(b""))))
	};
	let items = [images[side].sets().messages(), images[1 - side].sets().messages()];
	each(images, items, &key, &is_it, &mut |set, other| {
		let set = Set::view(set, layouts[0])?;
		if other.is_none() && set.id != OWN_SET {
			tell(&Difference { hierarchy: b"", group: b"", what: What::Set(set), sides: only(side) });
		}
		Ok(())
	})
}

/// The controllers, and other names of hierarchies, that the first sets of both images have: all sets have the same.
fn names<'a>(images: [&Image<'a>; 2]) -> Result<Names<'a>, Fault> {
	let mut names = Names::new();
	let [Some(one), Some(other)] = images.map(|image| image.sets().next()) else { return Ok(names) };
	let (one, other) = (one?, other?);
	for member in one.members() {
		for name in member?.name.split(|byte| *byte == b',') {
			if path_in(&other, name)?.is_some() {
				let full = Fault::full(Limit::TaskHierarchies, names.len() + 1);
				names.push(name).map_err(|_| full)?;
			}
		}
	}
	Ok(names)
}

/// The group of a set in the hierarchy with this name.
fn path_in<'a>(set: &Set<'a>, name: &[u8]) -> Result<Option<&'a [u8]>, Fault> {
	for member in set.members() {
		let member = member?;
		if has_name(member.name, name) {
			return Ok(Some(member.path));
		}
	}
	Ok(None)
}
