//! A group's path in, the sets and tasks of the image that are in this group out.

use heapless::Vec;

use super::index::{Index, Visit};
use crate::error::Fault;
use crate::hash::{START, hash};
use crate::hierarchy::Label;
use crate::image::view::{Hierarchy, Image, Set, Task, View};
use crate::limits::SET_RANGES;
use crate::procfs::membership::same_controllers;

/// The sets and tasks of an image, as members of the groups of one hierarchy at a time.
pub struct Members<'a> {
	image: Image<'a>,
	/// By path in the current hierarchy.
	sets: Index<'a>,
	/// By set.
	tasks: Index<'a>,
	/// Of the current hierarchy.
	label: Option<Label>,
}

impl<'a> Members<'a> {
	/// Not ready yet: [`Self::start`], then [`Self::enter`].
	pub fn new(image: &Image<'a>) -> Self {
		Members { image: *image, sets: Index::new(), tasks: Index::new(), label: None }
	}

	/// Takes the tasks.
	pub fn start(&mut self) -> Result<(), Fault> {
		let layout = self.image.layout();
		self.tasks.fill(self.image.tasks().messages(), &|task| Ok(Some(Task::view(task, layout)?.set)))
	}

	/// Goes on with this hierarchy.
	pub fn enter(&mut self, hierarchy: &Hierarchy<'a>) -> Result<(), Fault> {
		let mut label = Label::new(b"")?;
		for name in hierarchy.names() {
			label.add(name?)?;
		}
		let layout = self.image.layout();
		let label = self.label.insert(label).bytes();
		self.sets.fill(self.image.sets().messages(), &|set| {
			Ok(path_in(&Set::view(set, layout)?, label)?.map(|path| hash(START, path)))
		})
	}

	/// The current hierarchy's controllers joined by commas.
	pub fn label(&self) -> &[u8] {
		self.label.as_ref().map_or(b"", Label::bytes)
	}

	/// Tasks of the image.
	pub fn task_count(&self) -> usize {
		self.tasks.count()
	}

	/// Visits the sets whose group in the current hierarchy has this path.
	pub fn sets_in(&self, path: &[u8], each: Visit<'_, Set<'a>>) -> Result<(), Fault> {
		self.sets.visit(self.sets.blocks(hash(START, path)), &mut |set| {
			let set = Set::view(set, self.image.layout())?;
			if path_in(&set, self.label())? == Some(path) { each(set) } else { Ok(()) }
		})
	}

	/// Visits the tasks of this group: those of some of its sets in the order of the image, then those of others.
	pub fn tasks_in(&self, path: &[u8], each: Visit<'_, Task<'a>>) -> Result<(), Fault> {
		let mut ids = Ids::default();
		self.sets_in(path, &mut |set| {
			if ids.ranges.is_full() {
				self.tasks_of(&ids, each)?;
				ids.ranges.clear();
			}
			ids.add(set.id);
			Ok(())
		})?;
		self.tasks_of(&ids, each)
	}

	fn tasks_of(&self, sets: &Ids, each: Visit<'_, Task<'a>>) -> Result<(), Fault> {
		let ids = sets.ranges.iter().flat_map(|(first, last)| *first..=*last);
		let blocks = ids.fold(0, |blocks, id| blocks | self.tasks.blocks(id));
		self.tasks.visit(blocks, &mut |task| {
			let task = Task::view(task, self.image.layout())?;
			if sets.has(task.set) { each(task) } else { Ok(()) }
		})
	}
}

/// The group of a set in a hierarchy.
fn path_in<'a>(set: &Set<'a>, label: &[u8]) -> Result<Option<&'a [u8]>, Fault> {
	for member in set.members() {
		let member = member?;
		if member.name.len() == label.len() && same_controllers(member.name, label) {
			return Ok(Some(member.path));
		}
	}
	Ok(None)
}

/// Numbers of sets. A dump counts them up, so they are kept as ranges, both ends included.
#[derive(Default)]
struct Ids {
	ranges: Vec<(u32, u32), SET_RANGES>,
}

impl Ids {
	fn add(&mut self, id: u32) {
		match self.ranges.last_mut() {
			Some((_, last)) if last.checked_add(1) == Some(id) => *last = id,
			_ => {
				let _ = self.ranges.push((id, id)); // take looks for room
			}
		}
	}

	fn has(&self, id: u32) -> bool {
		self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&id))
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	extern crate std;
	use crate::image::sink::Sink;
	use crate::image::sink::tests::dirty;
	use crate::image::view::{Layout, Member};
	use crate::image::writer::ImageWriter;
	use std::format;
	use std::vec::Vec;

	/// Number `id` is in group `/g{id % groups}` of cpu and has one task.
	fn image(sets: u32, groups: u32) -> Vec<u8> {
		let (mut out, mut buffer) = (Vec::new(), dirty());
		let mut writer = ImageWriter::new(Sink::new(&mut out, &mut buffer), Layout::Criu).unwrap();
		for id in 2..sets + 2 {
			let path = format!("/g{}", id % groups);
			let member = |name, path| Member { name, path, cgns_prefix: None, at: 0 };
			writer.set(id, [member(b"blkio", b"/x"), member(b"cpuacct,cpu", path.as_bytes())].into_iter()).unwrap();
			let task = Task { pid: id, tid: id, ns_tid: None, parent: None, start_time: 0, comm: b"c", set: id };
			writer.task(&task).unwrap();
		}
		let mark = writer.hierarchy(1, [&b"cpu"[..], b"cpuacct"].into_iter()).unwrap();
		writer.close(mark).unwrap();
		writer.finish().unwrap();
		out
	}

	#[test]
	fn what_is_found_is_what_a_search_of_everything_finds() {
		for (sets, groups) in [(0, 1), (1, 1), (7, 3), (64, 64), (65, 2), (1000, 7), (1500, 1500), (300, 2)] {
			let bytes = image(sets, groups);
			let image = Image::open(&bytes).unwrap();
			let mut members = Members::new(&image);
			members.start().unwrap();
			members.enter(&image.hierarchies().next().unwrap().unwrap()).unwrap();
			assert_eq!(members.task_count(), sets as usize);
			for group in 0..groups.min(9) {
				let path = format!("/g{group}");
				let expected: Vec<u32> = (2..sets + 2).filter(|id| id % groups == group).collect();
				let (mut found, mut tasks) = (Vec::new(), Vec::new());
				members
					.sets_in(path.as_bytes(), &mut |set| {
						found.push(set.id);
						Ok(())
					})
					.unwrap();
				assert_eq!(found, expected);
				members
					.tasks_in(path.as_bytes(), &mut |task| {
						tasks.push(task.tid);
						Ok(())
					})
					.unwrap();
				assert_eq!(tasks, expected);
			}
			members.sets_in(b"/g", &mut |set| panic!("{set:?}")).unwrap();
		}
	}
}
