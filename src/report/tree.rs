//! An image in, a tree for people out: groups, the limits that are not defaults, members.
//!
//! ```text
//! Written by cgraft 0.1.0 on Linux 6.12.9, CPUs 0-3
//!
//! memory
//! └─ /shop (above)
//!    │  memory.limit_in_bytes  256 MiB
//!    └─ web (owner 1000:1000)
//!          memory.limit_in_bytes  64 MiB
//!          owner 1000:1000: cgroup.procs, tasks
//!          members: 175 nginx (4 threads), 177 sh
//!
//! misc  /  members: 175 nginx (4 threads), 177 sh
//!
//! 3 groups, 1 set, 5 tasks
//! ```
//!
//! `(above)` marks groups that lie above those that were dumped: the image has their limits only. Owner and mode are
//! said where they are not what the kernel makes. A property that cgraft does not know is shown as it is. Nothing of
//! the image reaches the terminal unescaped. Memory is a few bytes a level of groups.

mod attributes;
mod index;
pub(super) mod members;
pub(super) mod path;
mod perms;
mod roll;
#[cfg(test)]
pub(crate) mod sample;
mod values;

use core::fmt::{self, Display, Write};

use heapless::Vec;

use self::members::Members;
use self::path::Path;
use self::perms::ShownPerms;
use crate::error::Fault;
use crate::hierarchy::ShownLabel;
use crate::image::descent::{Descent, Turn};
use crate::image::schema::about;
use crate::image::view::{Group, Hierarchy, Image, Layout};
use crate::limits::DEPTH;
use crate::name::Shown;
use crate::property::Version;
use crate::report::Put;

/// Writes the whole image; with `all`, defaults and every owner and mode as well.
#[inline(never)] // its buffers are no other report's
pub fn tree(image: &Image<'_>, all: bool, out: &mut dyn Write) -> Result<(), Fault> {
	write_origin(image, out)?;
	let mut tree = Tree {
		out,
		all,
		members: Members::new(image),
		version: Version::V1,
		path: Path::new(),
		bars: Vec::new(),
		groups: 0,
		after_tree: true,
	};
	tree.members.start()?;
	for hierarchy in image.hierarchies() {
		tree.hierarchy(&hierarchy?)?;
	}
	let (groups, tasks) = (tree.groups, tree.members.task_count() as u64);
	let sets = image.sets().count() as u64;
	out.put(format_args!("\n{}, {}, {}\n", Count(groups, "group"), Count(sets, "set"), Count(tasks, "task")));
	Ok(())
}

fn write_origin(image: &Image<'_>, out: &mut dyn Write) -> Result<(), Fault> {
	let Some(about) = image.about()? else {
		out.put(match image.layout() {
			Layout::Criu => format_args!("Written by CRIU\n"),
			Layout::Rfc => format_args!("In the rfc layout, that of the first patch for CRIU (2014)\n"),
		});
		return Ok(());
	};
	let text = |number| about.text(number).map(Shown);
	let (version, release, cpus) = (text(about::VERSION)?, text(about::RELEASE)?, text(about::CPUS)?);
	out.put(format_args!("Written by cgraft {version} on Linux {release}, CPUs {cpus}\n"));
	Ok(())
}

/// A number of things.
struct Count(u64, &'static str);

impl Display for Count {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let Count(number, thing) = self;
		write!(f, "{number} {thing}{}", if *number == 1 { "" } else { "s" })
	}
}

/// The lines that lead from level to level; for each group that was entered, whether a sibling follows it.
type Bars = Vec<bool, DEPTH>;

struct Tree<'a, 'w> {
	out: &'w mut dyn Write,
	all: bool,
	members: Members<'a>,
	version: Version,
	path: Path,
	bars: Bars,
	groups: u64,
	/// What was written last took more than a line.
	after_tree: bool,
}

impl<'a> Tree<'a, '_> {
	fn hierarchy(&mut self, hierarchy: &Hierarchy<'a>) -> Result<(), Fault> {
		self.members.enter(hierarchy)?;
		self.version = Version::of(hierarchy.is_unified());
		let only = self.only_root(hierarchy)?;
		let is_tree = only.is_none() && hierarchy.heads().next().is_some();
		if core::mem::replace(&mut self.after_tree, is_tree) || is_tree {
			self.out.put(format_args!("\n"));
		}
		self.out.put(format_args!("{}", ShownLabel(self.members.label())));
		match only {
			Some(root) => self.root(&root),
			None if is_tree => self.groups(hierarchy),
			None => {
				self.out.put(format_args!("  no groups\n"));
				Ok(())
			}
		}
	}

	/// The hierarchy's root, if it is the only group and there is nothing to say about it but its members.
	fn only_root(&self, hierarchy: &Hierarchy<'a>) -> Result<Option<Group<'a>>, Fault> {
		let mut heads = hierarchy.heads();
		let Some(root) = heads.next().transpose()? else { return Ok(None) };
		let alone = root.name.is_empty() && heads.next().is_none() && root.children().next().is_none();
		let silent = alone && values::is_empty(&root, self.version, self.all)? && perms::is_usual(&root, self.all)?;
		let silent = silent && root.attributes().next().is_none();
		Ok(silent.then_some(root))
	}

	fn root(&mut self, root: &Group<'a>) -> Result<(), Fault> {
		self.groups += 1;
		self.out.put(format_args!("  "));
		self.title(root)?;
		roll::members(&self.members, b"/", self.all, &"  ", self.out)?;
		self.out.put(format_args!("\n"));
		Ok(())
	}

	fn groups(&mut self, hierarchy: &Hierarchy<'a>) -> Result<(), Fault> {
		self.out.put(format_args!("\n"));
		let mut descent = Descent::new(hierarchy);
		while let Some(turn) = descent.turn()? {
			match turn {
				Turn::Enter(group) => self.enter(&group, descent.has_next_sibling()?)?,
				Turn::Leave(_) => {
					self.path.leave();
					self.bars.pop();
				}
			}
		}
		Ok(())
	}

	fn enter(&mut self, group: &Group<'a>, more: bool) -> Result<(), Fault> {
		self.groups += 1;
		self.path.enter(group.name)?;
		let corner = if more { "├─ " } else { "└─ " };
		self.out.put(format_args!("{}", Lead(&self.bars, corner)));
		self.title(group)?;
		self.out.put(format_args!("\n"));
		let _ = self.bars.push(more); // the descent is no deeper
		self.details(group)
	}

	/// The group's name and what is unusual about its directory.
	fn title(&mut self, group: &Group<'a>) -> Result<(), Fault> {
		let above = if group.is_ancestor()? { "above" } else { "" };
		let perms = ShownPerms::of_group(group, self.all)?;
		let (open, comma, close) = match (above, &perms) {
			("", None) => ("", "", ""),
			("", _) | (_, None) => (" (", "", ")"),
			_ => (" (", ", ", ")"),
		};
		self.out.put(format_args!("{}{open}{above}{comma}", Shown(self.path.own())));
		if let Some(perms) = perms {
			self.out.put(format_args!("{perms}"));
		}
		self.out.put(format_args!("{close}"));
		Ok(())
	}

	fn details(&mut self, group: &Group<'a>) -> Result<(), Fault> {
		let lead = Lead(&self.bars, if group.children().next().is_some() { "│  " } else { "   " });
		values::write(group, self.version, self.all, &lead, self.out)?;
		perms::write(group, self.all, &lead, self.out)?;
		attributes::write(group, &lead, self.out)?;
		if roll::members(&self.members, self.path.bytes(), self.all, &lead, self.out)? {
			self.out.put(format_args!("\n"));
		}
		Ok(())
	}
}

/// What stands in front of a line: a bar for each level with more to come, then the line's own part.
struct Lead<'b>(&'b Bars, &'static str);

impl Display for Lead<'_> {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		for more in self.0 {
			f.write_str(if *more { "│  " } else { "   " })?;
		}
		f.write_str(self.1)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	extern crate std;
	use crate::property::dice::{Dice, rounds, stride};
	use crate::report::overview::overview;
	use std::string::String;
	use std::vec::Vec;

	fn shown(bytes: &[u8], all: bool) -> String {
		let mut text = String::new();
		tree(&Image::open(bytes).unwrap(), all, &mut text).unwrap();
		text
	}

	macro_rules! corpus {
		($($name:literal,)*) => {
			[$((
				include_bytes!(concat!("../../tests/corpus/", $name, "/cgroup.img")),
				include_str!(concat!("../../tests/fixtures/show/", $name, ".txt")),
			),)*]
		};
	}

	const CORPUS: [(&[u8], &str); 3] = corpus!["v1-ct", "v1-threads", "v2-web",];

	#[test]
	fn images_of_criu() {
		for (bytes, text) in CORPUS {
			assert_eq!(shown(bytes, false), text);
		}
	}

	#[test]
	fn an_image_of_everything() {
		let bytes = sample::image(Layout::Criu);
		assert_eq!(shown(&bytes, false), include_str!("../../tests/fixtures/show/sample.txt"));
		assert_eq!(shown(&bytes, true), include_str!("../../tests/fixtures/show/sample-all.txt"));
	}

	#[test]
	fn the_rfc_layout() {
		let bytes = sample::image(Layout::Rfc);
		assert_eq!(shown(&bytes, false), include_str!("../../tests/fixtures/show/sample-rfc.txt"));
	}

	/// Neither a panic nor a byte that drives a terminal, whatever the image holds.
	fn survive(bytes: &[u8]) -> bool {
		let Ok(image) = Image::open(bytes) else { return false };
		let (mut text, mut json) = (String::new(), String::new());
		let results = [tree(&image, false, &mut text), tree(&image, true, &mut text), overview(&image, &mut json)];
		assert!(!text.contains(|letter: char| letter.is_control() && letter != '\n'), "{text:?}");
		assert!(json.trim_end_matches('\n').bytes().all(|byte| matches!(byte, b' '..=b'~')), "{json:?}");
		results.iter().all(Result::is_ok)
	}

	#[test]
	fn damaged_images_do_no_harm() {
		let ours = sample::image(Layout::Criu);
		let rfc = sample::image(Layout::Rfc);
		let mut dice = Dice(0x2545_f491_4f6c_dd1d);
		let images = CORPUS.iter().map(|(bytes, _)| *bytes).chain([&ours[..], &rfc[..]]);
		for (at, original) in images.enumerate().step_by(stride(3)) {
			let mut good = 0;
			for _ in 0..rounds(400) {
				let mut bytes = Vec::from(original);
				for _ in 0..=dice.below(4) {
					let place = 12 + dice.below(bytes.len() - 12 - 6);
					bytes[place] = [0, 1, 0x0a, 0x12, 0x7f, 0x80, 0xff, dice.below(256) as u8][dice.below(8)];
				}
				if at == 3 {
					sample::sum(&mut bytes);
				}
				good += u32::from(survive(&bytes));
			}
			assert!(cfg!(miri) || good > 20 && good < 400, "{good} of 400");
		}
	}
}
