//! Hierarchies of one image in, the groups that one of them or several have out, each path once, in tree order.
//!
//! Groups that are not there, but lead to one, count as well: a head of CRIU may have several components in its name, and
//! hierarchies may begin at other heads. Memory is sixteen bytes a level and hierarchy. A child is looked for behind the
//! one that was found last and round: hierarchies of one host have their groups in the same order. The image has CRIU's
//! layout.

use crate::compare::seek::among;
use crate::compare::walk::name_of;
use crate::error::{Fault, Why};
use crate::hash::{START, hash};
use crate::image::view::{Group, Hierarchy};
use crate::image::wire::Message;
use crate::limits::{DEPTH, HIERARCHIES, Limit};
use crate::name::Trail;

/// What a hierarchy has at a path: offsets in the payload.
#[derive(Clone, Copy)]
struct Node {
	/// Its group; there is none if it has no bytes.
	start: u32,
	end: u32,
	/// Behind the child that was found last.
	next: u32,
	/// Which of the children that another hierarchy lists may be here, from this number on; 0 if nothing was asked.
	may_be: u64,
	asked: u32,
	/// Heads lie below the path.
	heads: bool,
}

impl Node {
	const NONE: Node = Node { start: 0, end: 0, next: 0, may_be: 0, asked: 0, heads: false };

	fn is_group(&self) -> bool {
		self.end > self.start
	}
}

/// Where the list of children is at.
#[derive(Clone, Copy)]
struct Level {
	/// The hierarchy whose children come.
	turn: u8,
	/// They are heads.
	in_heads: bool,
	/// What of them is not read yet.
	next: u32,
	/// Children that were read, of all hierarchies.
	count: u32,
}

impl Level {
	const FIRST: Level = Level { turn: 0, in_heads: false, next: 0, count: 0 };
}

/// The buffers of a union: the root and all levels below it.
pub struct Buffers {
	nodes: [[Node; HIERARCHIES]; DEPTH + 1],
	levels: [Level; DEPTH + 1],
	path: Trail,
}

impl Buffers {
	/// Empty ones.
	pub const fn new() -> Self {
		Buffers { nodes: [[Node::NONE; HIERARCHIES]; DEPTH + 1], levels: [Level::FIRST; DEPTH + 1], path: Trail::new() }
	}
}

/// One turn of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
	/// A group is entered.
	Enter,
	/// The group entered last and not left yet is left.
	Leave,
}

/// The union of hierarchies, which is in its root at first.
pub struct Union<'u, 'a> {
	sources: &'u [Hierarchy<'a>],
	buffers: &'u mut Buffers,
	depth: usize,
	/// The group that it is in was left.
	left: bool,
}

impl<'u, 'a> Union<'u, 'a> {
	/// In the root.
	pub fn new(sources: &'u [Hierarchy<'a>], buffers: &'u mut Buffers) -> Result<Self, Fault> {
		buffers.path.clear();
		buffers.levels[0] = Level::FIRST;
		let union = Union { sources, buffers, depth: 0, left: false };
		for at in union.sources() {
			let node = union.with_heads(at, Node::NONE)?;
			union.buffers.nodes[0][at] = node;
		}
		Ok(union)
	}

	/// Levels below the root.
	pub fn depth(&self) -> usize {
		self.depth
	}

	/// The path of the group that it is in, without the first slash.
	pub fn path(&self) -> &[u8] {
		self.buffers.path.bytes()
	}

	/// How many hierarchies it is of.
	pub fn sources(&self) -> core::ops::Range<usize> {
		0..self.sources.len()
	}

	/// Whether one of them has groups below.
	pub fn leads_on(&self, at: usize) -> Result<bool, Fault> {
		let is_way = self.buffers.nodes[self.depth][at].heads && self.depth > 0;
		Ok(is_way || self.group(at)?.is_some_and(|group| group.children().next().is_some()))
	}

	/// The group that one of them has here; none if it only leads to some.
	pub fn group(&self, at: usize) -> Result<Option<Group<'a>>, Fault> {
		self.group_of(self.depth, at)
	}

	#[inline(never)]
	fn group_of(&self, depth: usize, at: usize) -> Result<Option<Group<'a>>, Fault> {
		let Node { start, end, .. } = self.buffers.nodes[depth][at];
		let source = &self.sources[at];
		if start < end { source.group(source.bytes(start, end)).map(Some) } else { Ok(None) }
	}

	/// The group that one of them has above.
	pub fn above(&self, at: usize) -> Result<Option<Group<'a>>, Fault> {
		self.depth.checked_sub(1).map_or(Ok(None), |depth| self.group_of(depth, at))
	}

	/// Enters the next child, or leaves the group where there is none; nothing at the end. It is in a group that is left
	/// until the next turn.
	#[inline(never)]
	pub fn turn(&mut self) -> Result<Option<Turn>, Fault> {
		if core::mem::take(&mut self.left) {
			self.depth -= 1;
			self.buffers.path.pop();
		}
		while let Some(source) = self.sources.get(usize::from(self.buffers.levels[self.depth].turn)) {
			if let Some(name) = self.next_name(source)? {
				self.enter(name)?;
				return Ok(Some(Turn::Enter));
			}
			let level = &mut self.buffers.levels[self.depth];
			level.turn += u8::from(level.in_heads);
			level.count += u64::BITS; // nothing was asked for what comes now
			(level.in_heads, level.next) = (!level.in_heads, 0);
		}
		self.left = self.depth > 0;
		Ok(self.left.then_some(Turn::Leave))
	}

	/// The name of the next child of the hierarchy whose turn it is that was not there before.
	#[inline(never)]
	fn next_name(&mut self, source: &Hierarchy<'a>) -> Result<Option<&'a [u8]>, Fault> {
		let Level { turn, in_heads, next, .. } = self.buffers.levels[self.depth];
		let at = usize::from(turn);
		let node = self.buffers.nodes[self.depth][at];
		let mut left = match (in_heads, self.group(at)?) {
			(true, _) if node.heads => source.heads(),
			(false, Some(group)) => group.children(),
			_ => return Ok(None),
		};
		left = left.from(next as usize);
		while let Some(group) = left.next().transpose()? {
			let level = &mut self.buffers.levels[self.depth];
			(level.next, level.count) = (left.at() as u32, level.count + 1); // the payload's size is a u32
			let name = match in_heads {
				false => Some(group.name),
				true => first_below(group.name, self.path()),
			};
			let Some(name) = name else { continue };
			let mut known = false;
			for earlier in 0..at {
				known = known || self.has(earlier, name)?;
			}
			if in_heads && !known {
				known = self.child(at, name)?.is_some() || self.has_head(at, name, group.at());
			}
			if !known {
				return Ok(Some(name));
			}
		}
		Ok(None)
	}

	/// Whether a hierarchy has a child of this name, or heads below there.
	fn has(&mut self, at: usize, name: &[u8]) -> Result<bool, Fault> {
		Ok(self.child(at, name)?.is_some() || self.has_head(at, name, usize::MAX))
	}

	/// Whether one of its heads in front of this offset is a child of this name, or lies below it.
	fn has_head(&self, at: usize, name: &[u8], end: usize) -> bool {
		let mut heads = self.sources[at].heads().flatten().take_while(|group| group.at() < end);
		self.buffers.nodes[self.depth][at].heads
			&& heads.any(|group| first_below(group.name, self.path()) == Some(name))
	}

	/// The child of this name of the group that a hierarchy has here.
	fn child(&mut self, at: usize, name: &[u8]) -> Result<Option<Group<'a>>, Fault> {
		let Node { next, may_be, asked, .. } = self.buffers.nodes[self.depth][at];
		let Level { turn, in_heads, next: listed, count } = self.buffers.levels[self.depth];
		let Some(group) = self.group(at)? else { return Ok(None) };
		let place = count.wrapping_sub(asked);
		if asked != 0 && place < u64::BITS && may_be >> place & 1 == 0 {
			return Ok(None);
		}
		let all = group.children();
		for (mut left, stop) in [(all.from(next as usize), usize::MAX), (all, next as usize)] {
			while let Some(group) = left.next().transpose()? {
				if group.at() > stop {
					break;
				}
				if group.name == name {
					self.buffers.nodes[self.depth][at].next = left.at() as u32;
					return Ok(Some(group));
				}
			}
		}
		// Those that come next are asked for together.
		if let (false, Some(other)) = (in_heads, self.group(usize::from(turn))?) {
			let key = |_: bool, message: Message<'_>| Ok(hash(START, name_of(message)?));
			let wanted = other.children().from(listed as usize);
			let may_be = among(wanted.messages(), all.messages(), &key)?;
			let node = &mut self.buffers.nodes[self.depth][at];
			(node.may_be, node.asked) = (may_be, count + 1);
		}
		Ok(None)
	}

	/// What a hierarchy has at the path, where its heads are looked at too.
	fn with_heads(&self, at: usize, mut node: Node) -> Result<Node, Fault> {
		for head in self.sources[at].heads() {
			let head = head?;
			if head.name != self.path() {
				node.heads |= first_below(head.name, self.path()).is_some();
			} else if node.is_group() {
				return Err(Fault::image(head.at(), Why::GroupTwice));
			} else {
				node = Node { heads: node.heads, ..node_of(&head) };
			}
		}
		Ok(node)
	}

	#[inline(never)]
	fn enter(&mut self, name: &[u8]) -> Result<(), Fault> {
		let depth = self.depth + 1;
		if depth > DEPTH {
			return Err(Fault::full(Limit::Depth, depth));
		}
		for at in self.sources() {
			let node = self.child(at, name)?.map_or(Node::NONE, |group| node_of(&group));
			self.buffers.nodes[depth][at] = node;
		}
		self.buffers.path.push(name)?;
		for at in self.sources() {
			if self.buffers.nodes[self.depth][at].heads {
				let node = self.with_heads(at, self.buffers.nodes[depth][at])?;
				self.buffers.nodes[depth][at] = node;
			}
		}
		self.depth = depth;
		self.buffers.levels[depth] = Level::FIRST;
		Ok(())
	}
}

fn node_of(group: &Group<'_>) -> Node {
	let message = group.message();
	let (start, end) = (message.at as u32, (message.at + message.bytes.len()) as u32);
	Node { start, end, ..Node::NONE }
}

/// The first component of what of a path lies below another one; nothing if it is that one itself.
fn first_below<'p>(path: &'p [u8], above: &[u8]) -> Option<&'p [u8]> {
	let rest = path.strip_prefix(above)?;
	let rest = if above.is_empty() { rest } else { rest.strip_prefix(b"/")? };
	rest.split(|byte| *byte == b'/').next().filter(|first| !first.is_empty())
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::image::descent::{self, Descent};
	use crate::image::view::Image;
	use crate::name::components;
	use crate::property::dice::{Dice, rounds};
	use crate::translate::whole::image;
	extern crate std;
	use std::collections::{BTreeMap, BTreeSet};
	use std::format;
	use std::string::String;
	use std::sync::{Mutex, PoisonError};
	use std::vec::Vec;

	static BUFFERS: Mutex<Buffers> = Mutex::new(Buffers::new());

	/// The slow model: every path that is a group, or leads to one, and which hierarchies have a group there.
	fn model(sources: &[Hierarchy<'_>]) -> BTreeMap<String, BTreeSet<usize>> {
		let mut all = BTreeMap::<String, BTreeSet<usize>>::new();
		for (at, source) in sources.iter().enumerate() {
			let (mut descent, mut path) = (Descent::new(source), Vec::new());
			while let Some(turn) = descent.turn().unwrap() {
				match turn {
					descent::Turn::Enter(group) => {
						for name in components(group.name) {
							path.push(String::from_utf8(name.to_vec()).unwrap());
							all.entry(path.join("/")).or_default();
						}
						all.entry(path.join("/")).or_default().insert(at);
					}
					descent::Turn::Leave(group) => components(group.name).for_each(|_| drop(path.pop())),
				}
			}
		}
		all.remove("");
		all
	}

	/// The union has every path of the model once, below its own parent, with the same groups.
	fn check(text: &str) -> usize {
		let bytes = image(text);
		let image = Image::open(&bytes).unwrap();
		let sources: Vec<Hierarchy<'_>> = image.hierarchies().map(Result::unwrap).collect();
		let mut wanted = model(&sources);
		let count = wanted.len();
		let mut buffers = BUFFERS.lock().unwrap_or_else(PoisonError::into_inner);
		let mut union = Union::new(&sources, &mut buffers).unwrap();
		let mut open: Vec<String> = Vec::new();
		while let Some(turn) = union.turn().unwrap() {
			let path = String::from_utf8(union.path().to_vec()).unwrap();
			if turn == Turn::Leave {
				assert_eq!(open.pop().as_ref(), Some(&path), "{text}");
				continue;
			}
			let above = path.rsplit_once('/').map(|(above, _)| above);
			assert_eq!(open.last().map(String::as_str), above, "{text}");
			let here: BTreeSet<usize> = union.sources().filter(|at| union.group(*at).unwrap().is_some()).collect();
			assert_eq!(wanted.remove(&path), Some(here), "{path}: {text}");
			open.push(path);
			assert_eq!(union.depth(), open.len());
		}
		assert!(wanted.is_empty() && open.is_empty(), "{wanted:?} {text}");
		count
	}

	/// Groups below a path, as lines.
	fn grow(dice: &mut Dice, path: &str, levels: u32, text: &mut String) {
		*text += &format!("group {path}\n");
		let mut names = ["a", "b", "c", "d"];
		names.rotate_left(dice.below(4));
		for name in names.into_iter().filter(|_| levels > 0) {
			if dice.below(3) == 0 {
				grow(dice, &format!("{}/{name}", path.trim_end_matches('/')), levels - 1, text);
			}
		}
	}

	#[test]
	fn random_hierarchies_are_united_as_by_a_slow_model() {
		let mut dice = Dice(11);
		let mut groups = 0;
		for _ in 0..rounds(2000) {
			let mut text = String::new();
			for label in ["cpu", "memory", "pids", "blkio"] {
				text += &format!("hierarchy {label}\n");
				if dice.below(3) == 0 {
					grow(&mut dice, "/", 4, &mut text);
					continue;
				}
				// No head lies above another one.
				let sets: [&[&str]; 3] = [&["/a", "/b/a", "/c/d/a"], &["/b", "/a/c", "/a/b/c", "/d"], &["/a/b", "/c"]];
				let heads = sets[dice.below(3)];
				for head in heads {
					if dice.below(3) != 0 {
						grow(&mut dice, head, 2, &mut text);
					}
				}
			}
			groups += check(&text);
		}
		assert!(groups > 10_000);
	}

	#[test]
	fn more_children_than_are_looked_for_together() {
		let list = |range: std::ops::Range<u32>, step: usize, letter: char| {
			let names = range.step_by(step).map(|number| format!("group /x/{letter}{number}\n"));
			names.collect::<String>()
		};
		let back: String = (0..150).rev().map(|number| format!("group /x/g{number}\ngroup /x/h{number}\n")).collect();
		for other in [list(0..300, 3, 'g'), list(0..200, 1, 'h'), list(100..200, 1, 'g') + &list(0..99, 1, 'h'), back] {
			let first = list(0..300, 1, 'g');
			check(&format!(
				"hierarchy cpu\ngroup /x\n{first}hierarchy memory\ngroup /x\n{other}hierarchy pids\n{other}"
			));
			check(&format!(
				"hierarchy cpu\n{other}hierarchy memory\ngroup /x\n{first}hierarchy pids\ngroup /x\n{other}"
			));
		}
	}
}
