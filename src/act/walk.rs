//! Heads of a hierarchy in, groups of the image out: a walk that keeps one open directory a level.
//!
//! Every group below a head becomes a group of the image with its properties; the groups above it are written too,
//! marked as ancestors and without their other children. Groups that vanish meanwhile are left out as if they had
//! never been there; a group or file that cannot be read is an error with its name.

use heapless::Vec;

use crate::act::attributes;
use crate::act::disks::{Disks, note};
use crate::act::files::FileCache;
use crate::act::host::Hierarchy;
use crate::act::read;
use crate::error::{At, Error, Fault, errno};
use crate::image::sink::{Mark, Store};
use crate::image::view::{Layout, Perms};
use crate::image::writer::ImageWriter;
use crate::kernel::dir::Dir;
use crate::limits::{DEPTH, LIST_BYTES, Limit, PENDING_BYTES, VALUE_BYTES};
use crate::log::Log;
use crate::name::{Name, Trail, components, is_below_or_same};
use crate::property::{Selection, Write};

/// What is walked and written.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
	/// Which properties.
	pub wanted: Selection,
	/// Groups above the heads as well.
	pub ancestors: bool,
}

/// One open group.
struct Level {
	dir: Dir,
	/// Its message of the image, if it is written.
	mark: Option<Mark>,
	/// Names of children that wait begin at `start` of the pending bytes; the next one is at `next`.
	start: usize,
	next: usize,
	/// The directory's list may have more.
	more: bool,
	/// Its name is the last one of the trail; the base's is not.
	named: bool,
}

/// The buffers of a walk.
pub struct Buffers {
	levels: Vec<Level, DEPTH>,
	pending: Vec<u8, PENDING_BYTES>,
	files: FileCache,
	list: [u8; LIST_BYTES],
	/// One value.
	pub value: [u8; VALUE_BYTES],
	trail: Trail,
	/// What values are about.
	pub disks: Disks,
}

impl Buffers {
	/// Empty ones.
	pub const fn new() -> Self {
		Buffers {
			levels: Vec::new(),
			pending: Vec::new(),
			files: FileCache::new(),
			list: [0; LIST_BYTES],
			value: [0; VALUE_BYTES],
			trail: Trail::new(),
			disks: Disks::new(),
		}
	}

	/// Closes what an error has left open.
	pub fn close(&mut self) {
		self.levels.clear();
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
	/// Groups written, ancestors included.
	pub groups: u64,
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
	) -> Result<Self, Fault> {
		buffers.files.clear();
		buffers.levels.clear();
		buffers.pending.clear();
		buffers.trail.clear();
		for component in components(base_path) {
			buffers.trail.push(component)?;
		}
		let ancestors = choice.ancestors && writer.layout() == Layout::Criu;
		let choice = Choice { ancestors, ..choice };
		Ok(Walk { writer, log, hierarchy, base, buffers, choice, groups: 0, threaded: false })
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
		while !self.buffers.levels.is_empty() && !is_below_or_same(path, self.buffers.trail.bytes()) {
			self.leave()?;
		}
		if path == self.buffers.trail.bytes() {
			let base = self.again()?;
			let name = components(path).last().unwrap_or(b"");
			return match self.enter(base, name, false, Role::Walked)? {
				Entered::Yes => self.below(),
				Entered::Vanished => Ok(()),
			};
		}
		let known = components(self.buffers.trail.bytes()).count();
		let last = components(path).count() - 1;
		let mut name = Name::empty();
		for (index, component) in components(path).enumerate().skip(known) {
			let above = if self.choice.ancestors { Role::Ancestor } else { Role::Way };
			let role = if index < last { above } else { Role::Walked };
			self.placed(name.set(component))?;
			if self.step(&name, role)? == Entered::Vanished {
				let (above, label) = (self.buffers.trail.shown(), self.hierarchy.label.shown());
				self.log.warn(format_args!("a group below {above} of {label} vanished before it was read"));
				return Ok(());
			}
		}
		self.below()
	}

	/// A head that the hierarchy's mount does not show.
	pub fn out_of_reach(&mut self, path: &[u8]) {
		let (path, label) = (crate::name::ShownPath(path), self.hierarchy.label.shown());
		self.log.warn(format_args!("group {path} of {label} is outside of what is mounted here: it is not saved"));
	}

	/// After the last head.
	pub fn finish(&mut self) -> Result<(), Error> {
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

	/// Walks everything below the group on top, and leaves it.
	fn below(&mut self) -> Result<(), Error> {
		let floor = self.buffers.levels.len();
		let mut name = Name::empty();
		while self.buffers.levels.len() >= floor {
			let next = self.next_child(&mut name);
			match self.placed(next)? {
				true => {
					self.step(&name, Role::Walked)?;
				}
				false => self.leave()?,
			}
		}
		Ok(())
	}

	/// The fault's place is the group on top.
	fn placed<T>(&self, result: Result<T, Fault>) -> Result<T, Error> {
		result.map_err(|fault| self.lost(fault))
	}

	#[cold]
	#[inline(never)] // one piece of code for all kinds of results
	fn lost(&self, fault: Fault) -> Error {
		let (group, label) = (self.buffers.trail.shown(), self.hierarchy.label.shown());
		Error::new(fault, format_args!("read group {group} of {label}"))
	}

	/// Finds the next child of the group on top whose turn it is; false after the last one.
	fn next_child(&mut self, name: &mut Name) -> Result<bool, Fault> {
		let Buffers { levels, pending, list, .. } = &mut *self.buffers;
		let Some(level) = levels.last_mut() else { return Ok(false) };
		loop {
			if let Some([low, high, rest @ ..]) = pending.get(level.next..) {
				let len = usize::from(u16::from_le_bytes([*low, *high]));
				level.next += 2 + len;
				return name.set(rest.get(..len).unwrap_or(&[])).map(|()| true);
			}
			pending.truncate(level.start);
			level.next = level.start;
			if !level.more {
				return Ok(false);
			}
			let listed = level.dir.list(list, &mut |name, is_dir| if is_dir { wait(pending, name) } else { Ok(()) });
			level.more = match listed {
				Err(fault) if read::is_absent(&fault) => false, // the group vanished after it was written
				result => result?,
			};
		}
	}

	/// Opens a child of the group on top and writes it as its role wants.
	fn step(&mut self, name: &Name, role: Role) -> Result<Entered, Error> {
		let component = name.bytes();
		let above = self.buffers.levels.last().map_or(self.base, |level| &level.dir);
		let dir = match above.child(name.as_c_str()) {
			Err(fault) if read::is_absent(&fault) => return Ok(Entered::Vanished),
			result => result,
		};
		let pushed = self.buffers.trail.push(component);
		self.placed(pushed)?;
		let dir = self.placed(dir)?;
		let entered = self.enter(dir, component, true, role)?;
		if entered == Entered::Vanished {
			self.buffers.trail.pop();
		}
		Ok(entered)
	}

	/// Makes an open group the one on top and writes it; the trail names it already.
	fn enter(&mut self, dir: Dir, name: &[u8], named: bool, role: Role) -> Result<Entered, Error> {
		let status = self.placed(dir.status())?;
		let mut mark = None;
		if role != Role::Way {
			let reserved = self.writer.reserve();
			let start = self.placed(reserved)?;
			let opened = self.open(&dir, name, role, status.perms);
			mark = Some(self.placed(opened)?);
			if self.properties(&dir)? == Entered::Vanished && self.writer.rewind(start) {
				return Ok(Entered::Vanished);
			}
			self.groups += 1;
		}
		let start = self.buffers.pending.len();
		let more = role == Role::Walked && status.links != 2;
		let level = Level { dir, mark, start, next: start, more, named };
		let full = Fault::full(Limit::Depth, DEPTH + 1);
		let pushed = self.buffers.levels.push(level).map_err(|_| full);
		self.placed(pushed)?;
		Ok(Entered::Yes)
	}

	/// Opens the group's message. What stands right below the hierarchy carries its whole path as its name.
	fn open(&mut self, dir: &Dir, name: &[u8], role: Role, perms: Perms) -> Result<Mark, Fault> {
		let head = self.buffers.levels.iter().all(|level| level.mark.is_none());
		let path = self.buffers.trail.bytes();
		let mark = self.writer.group(head, if head { path } else { name }, path, role == Role::Ancestor)?;
		attributes::save(dir, self.writer, &mut self.buffers.value)?;
		self.writer.owner(perms)?;
		Ok(mark)
	}

	fn leave(&mut self) -> Result<(), Error> {
		let Some(level) = self.buffers.levels.pop() else { return Ok(()) };
		self.buffers.pending.truncate(level.start);
		if let Some(mark) = level.mark {
			let closed = self.writer.close(mark);
			self.placed(closed)?;
		}
		if level.named {
			self.buffers.trail.pop();
		}
		Ok(())
	}

	/// Writes the properties of an open group.
	fn properties(&mut self, dir: &Dir) -> Result<Entered, Error> {
		let Buffers { files, list, value, trail, disks, .. } = &mut *self.buffers;
		let label = &self.hierarchy.label;
		let is_root = trail.bytes().is_empty();
		let files = match files.of(dir, label.version(), is_root, self.choice.wanted, list) {
			Err(fault) if read::is_absent(&fault) && !read::is_alive(dir) => return Ok(Entered::Vanished),
			result => result.at(format_args!("list group {} of {}", trail.shown(), label.shown()))?,
		};
		for (file, property) in files.iter() {
			match read::current(dir, file, property, value, true) {
				Ok((text, perms)) => {
					self.threaded |= property.write == Write::Type && text == b"threaded";
					note(disks, property, text);
					let written = self.writer.property(file.to_bytes(), text, Some(perms));
					written.at(format_args!("write the image"))?;
				}
				Err(fault) if read::is_absent(&fault) && !read::is_alive(dir) => return Ok(Entered::Vanished),
				Err(fault) if read::is_absent(&fault) => {}
				Err(fault @ Fault::Kernel(errno::EOPNOTSUPP | errno::EINVAL)) => {
					let name = property.file();
					self.log.warn(format_args!("{} of {}: {name} is left out: {fault}", trail.shown(), label.shown()));
				}
				Err(fault) => {
					let place =
						format_args!("read {} of group {} of {}", property.file(), trail.shown(), label.shown());
					return Err(fault).at(place);
				}
			}
		}
		Ok(Entered::Yes)
	}
}

/// Adds a child's name to those that wait.
fn wait(pending: &mut Vec<u8, PENDING_BYTES>, name: &[u8]) -> Result<(), Fault> {
	let len = u16::try_from(name.len()).unwrap_or(u16::MAX);
	let full = Fault::full(Limit::Pending, pending.len() + name.len() + 2);
	pending.extend_from_slice(&len.to_le_bytes()).and_then(|()| pending.extend_from_slice(name)).map_err(|_| full)
}
