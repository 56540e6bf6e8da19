//! /proc in, the host's hierarchies out: what they are called, where they are mounted, an open directory of each.
//!
//! Sources: /proc/self/mountinfo (proc_pid_mountinfo(5)), /proc/cgroups and /proc/self/cgroup (cgroups(7)). A mount is
//! only believed when the directory at its place is on that very file system, so one hidden by another mount is passed
//! over. Nothing is mounted here.

use core::ffi::CStr;

use heapless::{CString, Vec};

use crate::act::read::is_absent;
use crate::error::{At, Error, Fault, Why};
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
}

/// One believed mount.
#[derive(Debug)]
pub struct Place {
	/// The mount point, open.
	pub dir: Dir,
	/// The group that is mounted there: `/`, or a subtree's path.
	root: (usize, usize),
	/// The file system's options, as in mountinfo.
	options: (usize, usize),
	/// Mounted read-only.
	pub read_only: bool,
}

/// All hierarchies of the host.
#[derive(Debug)]
pub struct Host {
	/// In the order of mountinfo; those that are not mounted come last.
	pub hierarchies: Vec<Hierarchy, HIERARCHIES>,
	text: Vec<u8, MOUNT_BYTES>,
}

impl Host {
	/// Nothing known yet.
	pub const fn new() -> Self {
		Host { hierarchies: Vec::new(), text: Vec::new() }
	}

	/// Learns everything anew.
	pub fn discover(&mut self, line: &mut [u8]) -> Result<(), Error> {
		self.hierarchies.clear();
		self.text.clear();
		let mountinfo = Reader::open(c"/proc/self/mountinfo").at(format_args!("open /proc/self/mountinfo"))?;
		let mut lines = Lines::new(mountinfo, &mut *line);
		while let Some(text) = lines.next_line().at(format_args!("read /proc/self/mountinfo"))? {
			if let Some(mount) = parse_line(text).at(format_args!("read /proc/self/mountinfo"))? {
				self.add_mount(&mount).at(format_args!("read /proc/self/mountinfo"))?;
			}
		}
		self.add_own_lines(line)?;
		self.add_numbers(line)
	}

	fn add_mount(&mut self, mount: &Mount<'_>) -> Result<(), Fault> {
		let label = label_of(mount)?;
		let mut path = Vec::<u8, PATH_BYTES>::new();
		unescape(mount.point, &mut path)?;
		let Some(dir) = believed(mount, &path) else { return Ok(()) };
		let read_only = is_read_only(mount.options) || is_read_only(mount.super_options);
		path.clear();
		unescape(mount.root, &mut path)?;
		let known = self.hierarchies.iter().position(|known| known.label.is_same(label.bytes()));
		if let Some(known) = known.and_then(|at| self.hierarchies[at].mount.as_ref()) {
			let better = (path == b"/" && self.text_at(known.root) != b"/") || (known.read_only && !read_only);
			if !better {
				return Ok(());
			}
		}
		let place = Place { dir, root: self.keep(&path)?, options: self.keep(mount.super_options)?, read_only };
		match known {
			Some(at) => self.hierarchies[at].mount = Some(place),
			None => self.push(Hierarchy { label, id: 0, mount: Some(place) })?,
		}
		Ok(())
	}

	fn push(&mut self, hierarchy: Hierarchy) -> Result<(), Fault> {
		let need = self.hierarchies.len() + 1;
		self.hierarchies.push(hierarchy).map_err(|_| Fault::full(Limit::Hierarchies, need))
	}

	fn keep(&mut self, text: &[u8]) -> Result<(usize, usize), Fault> {
		let start = self.text.len();
		let need = start + text.len();
		self.text.extend_from_slice(text).map_err(|_| Fault::full(Limit::MountText, need))?;
		Ok((start, need))
	}

	fn text_at(&self, (start, end): (usize, usize)) -> &[u8] {
		self.text.get(start..end).unwrap_or(&[])
	}

	/// Numbers of all hierarchies, and those that no mount shows, from our own lines.
	fn add_own_lines(&mut self, line: &mut [u8]) -> Result<(), Error> {
		let place = format_args!("read /proc/self/cgroup");
		let own = Dir::open(c"/proc/self").at(place)?;
		let (len, _) = own.read(c"cgroup", line).at(place)?;
		for membership in memberships(&line[..len]) {
			let membership = membership.at(place)?;
			match self.hierarchies.iter_mut().find(|known| known.label.is_same(membership.controllers)) {
				Some(known) => known.id = membership.id,
				None => {
					let label = Label::new(membership.controllers).at(place)?;
					self.push(Hierarchy { label, id: membership.id, mount: None }).at(place)?;
				}
			}
		}
		Ok(())
	}

	/// Labels in the kernel's order: /proc/cgroups lists controllers as /proc/PID/cgroup joins them.
	fn add_numbers(&mut self, line: &mut [u8]) -> Result<(), Error> {
		let Ok(reader) = Reader::open(c"/proc/cgroups") else { return Ok(()) };
		let place = format_args!("read /proc/cgroups");
		let mut lines = Lines::new(reader, line);
		while let Some(text) = lines.next_line().at(place)? {
			let Some(controller) = controllers::parse_line(text).at(place)? else { continue };
			let known = self.hierarchies.iter_mut().find(|known| known.label.is_meant_by(controller.name));
			if let (Some(known), true) = (known, controller.hierarchy != 0) {
				known.id = controller.hierarchy;
			}
		}
		Ok(())
	}

	/// The hierarchy with exactly these controllers.
	pub fn find(&self, label: &[u8]) -> Option<usize> {
		self.hierarchies.iter().position(|known| known.label.is_same(label))
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
		let mut dir = base.again()?;
		for component in components(rest) {
			dir = match dir.child(Name::new(component)?.as_c_str()) {
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

/// The directory at the mount's place, if it is this mount and not one above it.
fn believed(mount: &Mount<'_>, path: &[u8]) -> Option<Dir> {
	let path: CString<PATH_BYTES> = crate::kernel::output::c_string(path).ok()?;
	let dir = Dir::open(path.as_c_str() as &CStr).ok()?;
	let wanted = if mount.kind == Kind::V2 { FileSystem::V2 } else { FileSystem::V1 };
	let right = dir.status().ok()?.device_numbers() == mount.device && dir.file_system().ok()? == wanted;
	right.then_some(dir)
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
