//! A group's path in, the sets and tasks of the image that are in this group out.

use heapless::Vec;

use super::index::Index;
use crate::error::Fault;
use crate::hierarchy::Label;
use crate::image::view::{Hierarchy, Image, Set, Task};
use crate::procfs::membership::same_controllers;

/// Ranges of set numbers that are looked for at a time.
const RANGES: usize = 128;

/// The sets and tasks of an image, as members of the groups of one hierarchy at a time.
pub struct Members<'a> {
	image: Image<'a>,
	/// By path in the current hierarchy.
	sets: Index<'a, Set<'a>>,
	/// By set.
	tasks: Index<'a, Task<'a>>,
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
		self.tasks.fill(&self.image.tasks(), &|task| Ok(Some(task.set)))
	}

	/// Goes on with this hierarchy.
	pub fn enter(&mut self, hierarchy: &Hierarchy<'a>) -> Result<(), Fault> {
		let mut label = Label::new(b"")?;
		for name in hierarchy.names() {
			label.add(name?)?;
		}
		let label = self.label.insert(label).bytes();
		self.sets.fill(&self.image.sets(), &|set| Ok(path_in(set, label)?.map(hash)))
	}

	/// The current hierarchy's controllers joined by commas.
	pub fn label(&self) -> &[u8] {
		self.label.as_ref().map_or(b"", Label::bytes)
	}

	/// Tasks of the image.
	pub fn task_count(&self) -> usize {
		self.tasks.count()
	}

	/// The sets whose group in the current hierarchy has this path.
	pub fn sets_in<'s>(&'s self, path: &'s [u8]) -> impl Iterator<Item = Result<Set<'a>, Fault>> + 's {
		self.sets.items(self.sets.blocks(hash(path))).filter(move |set| match set {
			Ok(set) => path_in(set, self.label()) == Ok(Some(path)),
			Err(_) => true,
		})
	}

	/// The tasks of these sets, in the order of the image.
	pub fn tasks_of(&self, sets: &Ids) -> impl Iterator<Item = Result<Task<'a>, Fault>> {
		let blocks = sets.iter().fold(0, |blocks, id| blocks | self.tasks.blocks(id));
		self.tasks.items(blocks).filter(|task| task.as_ref().map_or(true, |task| sets.has(task.set)))
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

/// FNV-1a.
fn hash(path: &[u8]) -> u32 {
	path.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// Numbers of sets. A dump counts them up, so they are kept as ranges, both ends included.
#[derive(Default)]
pub struct Ids {
	ranges: Vec<(u32, u32), RANGES>,
}

impl Ids {
	/// Takes sets until there are no more, or no more are sure to fit; none if there were none.
	pub fn take<'a>(sets: &mut dyn Iterator<Item = Result<Set<'a>, Fault>>) -> Result<Option<Self>, Fault> {
		let mut ids = Ids::default();
		while !ids.ranges.is_full() {
			let Some(set) = sets.next().transpose()? else { break };
			ids.add(set.id);
		}
		Ok(Some(ids).filter(|ids| !ids.ranges.is_empty()))
	}

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

	fn iter(&self) -> impl Iterator<Item = u32> {
		self.ranges.iter().flat_map(|(first, last)| *first..=*last)
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
			let task = Task { pid: id, tid: id, ns_tid: None, start_time: 0, comm: b"c", set: id };
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
				let found: Vec<u32> = members.sets_in(path.as_bytes()).map(|set| set.unwrap().id).collect();
				assert_eq!(found, expected);
				let mut tasks = Vec::new();
				let mut sets = members.sets_in(path.as_bytes());
				while let Some(ids) = Ids::take(&mut sets).unwrap() {
					tasks.extend(members.tasks_of(&ids).map(|task| task.unwrap().tid));
				}
				assert_eq!(tasks, expected);
			}
			assert_eq!(members.sets_in(b"/g").count(), 0);
		}
	}
}
