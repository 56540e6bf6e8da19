//! /proc in, the host's hierarchies out: what they are called, where they are mounted, an open directory of each.
//!
//! Sources: /proc/self/mountinfo (proc_pid_mountinfo(5)), /proc/cgroups and /proc/self/cgroup (cgroups(7)). A mount is
//! only believed when the directory at its place is on that very file system, so one hidden by another mount is passed
//! over.

use core::ffi::CStr;

use heapless::Vec;

use crate::act::read::is_absent;
use crate::error::{At, Error, Fault, Why, unless_short};
use crate::hierarchy::Label;
use crate::kernel::dir::{Dir, FileSystem};
use crate::kernel::stream::Reader;
use crate::limits::{HIERARCHIES, LABEL_BYTES, Limit, MOUNT_BYTES, PATH_BYTES};
use crate::name::{Name, components, is_below_or_same};
use crate::procfs::controllers;
use crate::procfs::membership::memberships;
use crate::procfs::mountinfo::{Kind, Mount, SuperWord, is_read_only, parse_line};
use crate::procfs::scan::{Lines, unescape};

/// One hierarchy of the host.
#[derive(Debug)]
pub struct Hierarchy {
	/// What it is called.
	pub label: Label,
	/// Its number in /proc/PID/cgroup; 0 for v2.
	pub id: u32,
	/// Where it is mounted, if it is.
	pub mount: Option<Place>,
	/// It was not there before.
	pub(super) brought: bool,
}

/// Start and end in the text that is kept.
pub(super) type Span = (usize, usize);

/// One believed mount.
#[derive(Debug)]
pub struct Place {
	/// The mount point, open.
	pub dir: Dir,
	/// The group that is mounted there: `/`, or a subtree's path.
	pub(super) root: Span,
	/// The file system's options, as in mountinfo.
	pub(super) options: Span,
	/// Mounted read-only.
	pub read_only: bool,
	/// A mount that others see; else one of this process alone.
	pub public: bool,
}

/// All hierarchies of the host.
#[derive(Debug)]
pub struct Host {
	/// In the order of mountinfo; those that are not mounted come last.
	pub hierarchies: Vec<Hierarchy, HIERARCHIES>,
	/// v1 controllers that are on no hierarchy.
	pub idle: Label,
	/// The group of this process in v2.
	pub(super) own_group: Span,
	/// Options of a mount of v2 that is hidden by another mount.
	hidden: Option<Span>,
	text: Vec<u8, MOUNT_BYTES>,
}

impl Host {
	/// Nothing known yet.
	pub const fn new() -> Self {
		let idle = Label::empty();
		Host { hierarchies: Vec::new(), idle, own_group: (0, 0), hidden: None, text: Vec::new() }
	}

	/// Learns everything anew: from all mounts, or from those of a yard.
	pub fn discover(&mut self, yard: Option<&[u8]>, line: &mut [u8]) -> Result<(), Error> {
		self.hierarchies.clear();
		self.text.clear();
		(self.idle, self.own_group, self.hidden) = (Label::empty(), (0, 0), None);
		let place = format_args!("read /proc/self/mountinfo");
		match yard {
			None => self.read_mounts(c"/proc/self/mountinfo", b"", None, line).at(place)?,
			Some(yard) => self.read_yard(yard, line)?,
		}
		self.add_own_lines(line)?;
		self.add_numbers(line)?;
		if yard.is_none() { self.reach(line).at(format_args!("hierarchies that are not mounted")) } else { Ok(()) }
	}

	/// Reads the mounts of a process, whose root directory is at `prefix`; only the one at `point` if that is given.
	pub(super) fn read_mounts(
		&mut self,
		file: &CStr,
		prefix: &[u8],
		point: Option<&[u8]>,
		line: &mut [u8],
	) -> Result<(), Fault> {
		let mut lines = Lines::new(Reader::open(file)?, line);
		while let Some(text) = lines.next_line()? {
			if let Some(mount) = parse_line(text)? {
				self.add_mount(&mount, prefix, point)?;
			}
		}
		Ok(())
	}

	fn add_mount(&mut self, mount: &Mount<'_>, prefix: &[u8], point: Option<&[u8]>) -> Result<(), Fault> {
		let label = label_of(mount)?;
		let mut path = Vec::<u8, PATH_BYTES>::new();
		let full = Fault::full(Limit::Unescaped, prefix.len() + mount.point.len());
		path.extend_from_slice(prefix).map_err(|_| full)?;
		unescape(mount.point, &mut path)?;
		if point.is_some_and(|point| point != path) {
			return Ok(());
		}
		let Some(dir) = unless_short(believed(mount, &mut path))?.flatten() else {
			if mount.kind == Kind::V2 && self.hidden.is_none() {
				self.hidden = Some(self.keep(mount.super_options)?);
			}
			return Ok(());
		};
		let read_only = is_read_only(mount.options) || is_read_only(mount.super_options);
		path.clear();
		unescape(mount.root, &mut path)?;
		let known = self.hierarchies.iter().position(|known| known.label.is_same(label.bytes()));
		if let Some(known) = known.and_then(|at| self.hierarchies[at].mount.as_ref()) {
			let is_outside = self.text_at(known.root).starts_with(b"/..");
			let better = (path == b"/" && self.text_at(known.root) != b"/")
				|| (known.read_only && !read_only)
				|| (is_outside && !path.starts_with(b"/.."));
			if !better {
				return Ok(());
			}
		}
		let place =
			Place { dir, root: self.keep(&path)?, options: self.keep(mount.super_options)?, read_only, public: true };
		match known {
			Some(at) => self.hierarchies[at].mount = Some(place),
			None => self.push(Hierarchy { label, id: 0, mount: Some(place), brought: false })?,
		}
		Ok(())
	}

	/// What a mount of v2 that cannot be reached says about its options, as far as they can be set.
	pub(super) fn hidden_options(&self) -> Option<&[u8]> {
		let text = self.text_at(self.hidden?);
		Some(text.strip_prefix(b"rw").map_or(text, |rest| rest.strip_prefix(b",").unwrap_or(rest)))
	}

	/// Whether v2 is mounted somewhere, seen or hidden.
	pub fn uses_v2(&self) -> bool {
		let is_public = |known: &Hierarchy| known.mount.as_ref().is_some_and(|place| place.public);
		self.hidden.is_some() || self.hierarchies.iter().any(|known| known.label.bytes().is_empty() && is_public(known))
	}

	pub(super) fn push(&mut self, hierarchy: Hierarchy) -> Result<(), Fault> {
		let need = self.hierarchies.len() + 1;
		self.hierarchies.push(hierarchy).map_err(|_| Fault::full(Limit::Hierarchies, need))
	}

	pub(super) fn keep(&mut self, text: &[u8]) -> Result<Span, Fault> {
		let start = self.text.len();
		let need = start + text.len();
		self.text.extend_from_slice(text).map_err(|_| Fault::full(Limit::MountText, need))?;
		Ok((start, need))
	}

	fn text_at(&self, (start, end): Span) -> &[u8] {
		self.text.get(start..end).unwrap_or(&[])
	}

	/// Numbers of all hierarchies, and those that no mount shows, from our own lines.
	fn add_own_lines(&mut self, line: &mut [u8]) -> Result<(), Error> {
		let place = format_args!("read /proc/self/cgroup");
		let len = read_own_lines(line).at(place)?;
		for membership in memberships(&line[..len]) {
			let membership = membership.at(place)?;
			if membership.controllers.is_empty() {
				self.own_group = self.keep(membership.path).at(place)?;
			}
			match self.hierarchies.iter_mut().find(|known| known.label.is_same(membership.controllers)) {
				Some(known) => known.id = membership.id,
				None => {
					let label = Label::new(membership.controllers).at(place)?;
					self.push(Hierarchy { label, id: membership.id, mount: None, brought: false }).at(place)?;
				}
			}
		}
		Ok(())
	}

	/// Labels in the kernel's order: /proc/cgroups lists controllers as /proc/PID/cgroup joins them.
	fn add_numbers(&mut self, line: &mut [u8]) -> Result<(), Error> {
		let place = format_args!("read /proc/cgroups");
		let Some(reader) = unless_short(Reader::open(c"/proc/cgroups")).at(place)? else { return Ok(()) };
		let mut lines = Lines::new(reader, line);
		while let Some(text) = lines.next_line().at(place)? {
			let Some(controller) = controllers::parse_line(text).at(place)? else { continue };
			let known = self.hierarchies.iter_mut().find(|known| known.label.is_meant_by(controller.name));
			match known {
				Some(known) if controller.hierarchy != 0 => known.id = controller.hierarchy,
				None if controller.hierarchy == 0 && controller.enabled => self.idle.add(controller.name).at(place)?,
				_ => {}
			}
		}
		Ok(())
	}

	/// The file system's options of a mounted hierarchy.
	pub fn options(&self, at: usize) -> &[u8] {
		self.hierarchies[at].mount.as_ref().map_or(&[], |place| self.text_at(place.options))
	}

	/// The mounted directory and the path of the group that it is.
	pub fn base(&self, at: usize) -> Option<(&Dir, &[u8])> {
		let place = self.hierarchies.get(at)?.mount.as_ref()?;
		Some((&place.dir, self.text_at(place.root)))
	}

	/// Opens a group by its whole path; none where there is no such group, or the mount does not show it.
	pub fn open(&self, at: usize, path: &[u8]) -> Result<Option<Dir>, Fault> {
		let Some((base, rest)) = self.locate(at, path) else { return Ok(None) };
		let (mut dir, mut name) = (base.again()?, Name::empty());
		for component in components(rest) {
			name.set(component)?;
			dir = match dir.child(name.as_c_str()) {
				Err(fault) if is_absent(&fault) => return Ok(None),
				result => result?,
			};
		}
		Ok(Some(dir))
	}

	/// The mounted directory and the rest of the group's path below it, with or without its first slash; none where the
	/// mount does not show the group.
	pub fn locate<'p>(&self, at: usize, path: &'p [u8]) -> Option<(&Dir, &'p [u8])> {
		let place = self.hierarchies[at].mount.as_ref()?;
		let root = self.text_at(place.root);
		let (root, path) = (root.strip_prefix(b"/").unwrap_or(root), path.strip_prefix(b"/").unwrap_or(path));
		if !root.is_empty() && !is_below_or_same(path, root) {
			return None;
		}
		let rest = path.get(root.len()..)?;
		Some((&place.dir, rest.strip_prefix(b"/").unwrap_or(rest)))
	}
}

impl Default for Host {
	fn default() -> Self {
		Host::new()
	}
}

/// Reads this process's memberships; their length.
pub(super) fn read_own_lines(line: &mut [u8]) -> Result<usize, Fault> {
	Ok(Dir::open(c"/proc/self")?.read(c"cgroup", line)?.0)
}

/// The directory at the mount's place, if it is this mount and not one above it.
fn believed(mount: &Mount<'_>, path: &mut Vec<u8, PATH_BYTES>) -> Result<Option<Dir>, Fault> {
	let full = Fault::full(Limit::Path, path.len() + 1);
	path.push(0).map_err(|_| full)?;
	let Ok(path) = CStr::from_bytes_with_nul(path) else { return Ok(None) };
	let dir = Dir::open(path)?;
	let wanted = if mount.kind == Kind::V2 { FileSystem::V2 } else { FileSystem::V1 };
	let right = dir.status()?.device_numbers() == mount.device && dir.file_system()? == wanted;
	Ok(right.then_some(dir))
}

fn label_of(mount: &Mount<'_>) -> Result<Label, Fault> {
	let mut label = Label::new(b"")?;
	if mount.kind == Kind::V2 {
		return Ok(label);
	}
	let mut name = Vec::<u8, LABEL_BYTES>::new();
	for word in mount.super_words() {
		match word {
			SuperWord::Controller(controller) => label.add(controller)?,
			SuperWord::Named(named) => {
				let _ = name.extend_from_slice(b"name=");
				name.extend_from_slice(named).map_err(|_| Fault::Text(Why::HierarchyName))?;
			}
			SuperWord::Flag(_) => {}
		}
	}
	if !name.is_empty() {
		label.add(&name)?;
	}
	Ok(label)
}
