//! Heads of a hierarchy in, groups of the image out: a walk that keeps one open directory a level.
//!
//! Every group below a head becomes a group of the image with its properties; the groups above it are written too,
//! marked as ancestors and without their other children. Groups that vanish meanwhile are left out as if they had
//! never been there; a group or file that cannot be read is an error with its name.

mod group;

use crate::act::ahead::Second;
use crate::act::disks::Disks;
use crate::act::files::FileCache;
use crate::act::host::Hierarchy;
use crate::act::levels::{Level, Levels};
use crate::act::read;
use crate::error::{At, Error, Fault};
use crate::image::sink::Store;
use crate::image::view::Layout;
use crate::image::writer::ImageWriter;
use crate::kernel::dir::Dir;
use crate::limits::VALUE_BYTES;
use crate::log::Log;
use crate::name::{Name, components, is_below_or_same};
use crate::property::{Selection, Version};

/// What is walked and written.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
	/// Which properties.
	pub wanted: Selection,
	/// Groups above the heads as well.
	pub ancestors: bool,
}

/// The buffers of a walk.
pub struct Buffers {
	/// Groups on the way.
	pub levels: Levels,
	files: FileCache,
	/// One value.
	pub value: [u8; VALUE_BYTES],
	/// What values are about.
	pub disks: Disks,
}

impl Buffers {
	/// Empty ones.
	pub const fn new() -> Self {
		Buffers { levels: Levels::new(), files: FileCache::new(), value: [0; VALUE_BYTES], disks: Disks::new() }
	}

	/// Closes what an error has left open.
	pub fn close(&mut self) {
		let _ = self.levels.restart(b"");
	}
}

impl Default for Buffers {
	fn default() -> Self {
		Buffers::new()
	}
}

/// What became of an attempt to write a group.
#[derive(PartialEq, Eq)]
enum Entered {
	Yes,
	Vanished,
}

/// How a group is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
	/// Not at all: it only leads to a head.
	Way,
	/// For its limits, without its other children.
	Ancestor,
	/// As a membership of a task in the hierarchy's root, without children.
	Root,
	/// With everything below it.
	Walked,
}

/// A walk through one hierarchy.
pub struct Walk<'w, 's, S: Store> {
	writer: &'w mut ImageWriter<'s, S>,
	log: &'w mut dyn Log,
	hierarchy: &'w Hierarchy,
	base: &'w Dir,
	buffers: &'w mut Buffers,
	choice: Choice,
	second: Second<'w>,
	/// Groups written, ancestors included.
	pub groups: u64,
	/// Groups written that have device programs, which the kernel does not give away.
	programs: u64,
	/// A group's `cgroup.type` was `threaded`.
	pub threaded: bool,
}

impl<'w, 's, S: Store> Walk<'w, 's, S> {
	/// Before the first head. `base` is the open group with the path `base_path`, below which the heads lie.
	pub fn new(
		writer: &'w mut ImageWriter<'s, S>,
		log: &'w mut dyn Log,
		hierarchy: &'w Hierarchy,
		(base, base_path): (&'w Dir, &[u8]),
		buffers: &'w mut Buffers,
		choice: Choice,
		second: Second<'w>,
	) -> Result<Self, Fault> {
		buffers.files.clear();
		buffers.levels.restart(base_path)?;
		let ancestors = choice.ancestors && writer.layout() == Layout::Criu;
		let choice = Choice { ancestors, ..choice };
		Ok(Walk { writer, log, hierarchy, base, buffers, choice, second, groups: 0, programs: 0, threaded: false })
	}

	/// The hierarchy's root as a membership: its own properties, not its children.
	pub fn root(&mut self) -> Result<(), Error> {
		self.leave_to(0)?;
		let base = self.again()?;
		if self.enter(base, b"", false, Role::Root)? == Entered::Yes {
			self.leave()?;
		}
		Ok(())
	}

	/// One head and everything below it, by its group's whole path. Heads come in tree order, below the base.
	pub fn head(&mut self, path: &[u8]) -> Result<(), Error> {
		let path = path.strip_prefix(b"/").unwrap_or(path);
		while !self.buffers.levels.is_empty() && !is_below_or_same(path, self.buffers.levels.trail.bytes()) {
			self.leave()?;
		}
		if path == self.buffers.levels.trail.bytes() {
			let base = self.again()?;
			let name = components(path).last().unwrap_or(b"");
			return match self.enter(base, name, false, Role::Walked)? {
				Entered::Yes => self.below(path),
				Entered::Vanished => Ok(()),
			};
		}
		let known = components(self.buffers.levels.trail.bytes()).count();
		let last = components(path).count() - 1;
		let mut name = Name::empty();
		for (index, component) in components(path).enumerate().skip(known) {
			let above = if self.choice.ancestors { Role::Ancestor } else { Role::Way };
			let role = if index < last { above } else { Role::Walked };
			self.placed(name.set(component))?;
			if self.step(&name, role, None)? == Entered::Vanished {
				let (above, label) = (self.buffers.levels.trail.shown(), self.hierarchy.label.shown());
				self.log.warn(format_args!("a group below {above} of {label} vanished before it was read"));
				return Ok(());
			}
		}
		self.below(path)
	}

	/// A head that the hierarchy's mount does not show.
	pub fn out_of_reach(&mut self, path: &[u8]) {
		let (path, label) = (crate::name::ShownPath(path), self.hierarchy.label.shown());
		self.log.warn(format_args!("group {path} of {label} is outside of what is mounted here: it is not saved"));
	}

	/// After the last head.
	pub fn finish(&mut self) -> Result<(), Error> {
		if self.programs > 0 {
			self.log.warn(format_args!(
				"groups with device programs (BPF): {}; these are not saved, so a group that is made anew has none (-v3 names them)",
				self.programs
			));
		}
		self.leave_to(0)
	}

	fn again(&self) -> Result<Dir, Error> {
		self.base.again().at(format_args!("open the root of hierarchy {}", self.hierarchy.label.shown()))
	}

	fn leave_to(&mut self, levels: usize) -> Result<(), Error> {
		while self.buffers.levels.len() > levels {
			self.leave()?;
		}
		Ok(())
	}

	/// Walks everything below the group on top, and leaves it. It is the head `path`.
	fn below(&mut self, path: &[u8]) -> Result<(), Error> {
		let floor = self.buffers.levels.len();
		let mut name = Name::empty();
		let head = (self.writer.layout() == Layout::Criu).then_some(path);
		while self.buffers.levels.len() >= floor {
			let next = self.buffers.levels.next_child(&mut name);
			if self.placed(next)? {
				self.step(&name, Role::Walked, head)?;
			} else {
				self.leave()?;
			}
		}
		self.second.end();
		Ok(())
	}

	/// The fault's place is the group on top.
	fn placed<T>(&self, result: Result<T, Fault>) -> Result<T, Error> {
		result.map_err(|fault| self.lost(fault))
	}

	#[cold]
	#[inline(never)] // one piece of code for all kinds of results
	fn lost(&self, fault: Fault) -> Error {
		let (group, label) = (self.buffers.levels.trail.shown(), self.hierarchy.label.shown());
		Error::new(fault, format_args!("read group {group} of {label}"))
	}

	/// Opens a child of the group on top and writes it as its role wants; below `head` it may have been read ahead.
	fn step(&mut self, name: &Name, role: Role, head: Option<&[u8]>) -> Result<Entered, Error> {
		let component = name.bytes();
		let pushed = self.buffers.levels.trail.push(component);
		self.placed(pushed)?;
		let path = self.buffers.levels.trail.bytes();
		let read = head.and_then(|head| self.second.reach(head, self.choice.wanted, path));
		let entered = match read {
			Some(group) => self.enter_read(name, &group)?,
			None => match self.child(name) {
				Err(fault) if read::is_absent(&fault) => Entered::Vanished,
				dir => {
					let dir = self.placed(dir)?;
					self.enter(dir, component, true, role)?
				}
			},
		};
		if entered == Entered::Vanished {
			self.buffers.levels.trail.pop();
		}
		Ok(entered)
	}

	fn child(&self, name: &Name) -> Result<Dir, Fault> {
		self.buffers.levels.top().unwrap_or(self.base).child(name.as_c_str())
	}

	/// Makes an open group the one on top and writes it; the trail names it already.
	fn enter(&mut self, dir: Dir, name: &[u8], named: bool, role: Role) -> Result<Entered, Error> {
		let status = self.placed(dir.status())?;
		let mut mark = None;
		if role != Role::Way {
			let reserved = self.writer.reserve();
			let start = self.placed(reserved)?;
			let opened = self.open(Some(&dir), name, role, status.perms);
			mark = Some(self.placed(opened)?);
			if self.properties(&dir)? == Entered::Vanished && self.writer.rewind(start) {
				return Ok(Entered::Vanished);
			}
			self.groups += 1;
			if self.hierarchy.label.version() == Version::V2 {
				self.note_programs(dir.has_device_programs());
			}
		}
		let more = role == Role::Walked && status.links != 2;
		let pushed = self.buffers.levels.push(Level { dir, mark, more, named });
		self.placed(pushed)?;
		Ok(Entered::Yes)
	}

	fn leave(&mut self) -> Result<(), Error> {
		let Some(mark) = self.buffers.levels.top_mark() else { return Ok(()) };
		let closed = mark.map_or(Ok(()), |mark| self.writer.close(mark));
		self.placed(closed)?;
		self.buffers.levels.pop();
		Ok(())
	}
}
