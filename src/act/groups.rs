//! A group of the image in, the group on the host out: opened, or made with what has to be done at once.

use core::ffi::CStr;

use heapless::Vec;

use crate::act::dry::would_be;
use crate::act::foresee::VALUE;
use crate::act::journal::{Change, Record};
use crate::act::manner::Mode;
use crate::act::read;
use crate::act::tour::{Reached, Role, Site};
use crate::act::work::{Pass, Work};
use crate::error::{Fault, Why, errno};
use crate::kernel::dir::Dir;
use crate::limits::WRITE_BYTES;
use crate::name::Name;
use crate::plan::add_change;
use crate::procfs::membership::has_controller;
use crate::property::value::{self, controller_changes};
use crate::property::{self, Version, Write};

/// The mode of a group that the image knows nothing about.
pub(super) const PLAIN_MODE: u32 = 0o755;
/// What the owner may do in a group until it is done.
pub(super) const OPEN_MODE: u32 = 0o700;
/// The file that hands controllers down.
pub(super) const CONTROL: &CStr = c"cgroup.subtree_control";
/// The lists that v1 wants in a cpuset before a task may enter.
pub(super) const LISTS: [&CStr; 2] = [c"cpuset.cpus", c"cpuset.mems"];

impl<'w> Work<'w> {
	/// Opens the group `name` in `above`, or makes it where the mode and the phase allow.
	pub(super) fn reach(&mut self, site: &Site<'_, 'w>, above: &Dir, name: &Name) -> Result<Option<Reached>, Fault> {
		// Where a kill could leave it so, nothing is written down as made that is there.
		if self.eager && self.creates() && !self.journal.is_kept() {
			match self.make(site, above, name) {
				Err(Fault::Kernel(errno::EEXIST)) => {}
				result => return result,
			}
		}
		self.eager = false;
		let made = self.is_made(site)?;
		if made {
			match self.lack(site)? {
				Some(lack) if lack.needs == 0 => return Ok(None),
				Some(lack) if lack.is_near => {
					self.near_groups += 1;
					return Ok(Some((None, true)));
				}
				_ => {}
			}
		}
		match self.child(site, above, name) {
			Ok(_) if self.pass == Pass::Scout && self.mode == Mode::Strict && site.role == Role::Part => {
				Err(Fault::Unfit(Why::GroupThere))
			}
			Ok(dir) => {
				self.enable(site, above, name, false)?;
				let counts = (!made && self.creates()) || (self.pass == Pass::Scout && !self.mode.makes());
				self.counts.found += u64::from(counts && site.role != Role::Way);
				Ok(Some((Some(dir), made)))
			}
			Err(fault) if !read::is_absent(&fault) => Err(fault),
			Err(_) if self.creates() => self.make(site, above, name),
			Err(_) if self.may_miss(site) => Ok(None),
			Err(_) => Err(Fault::Unfit(Why::GroupMissing)),
		}
	}

	/// None where there is nothing more to do in the new group.
	fn make(&mut self, site: &Site<'_, 'w>, above: &Dir, name: &Name) -> Result<Option<Reached>, Fault> {
		let perms = if site.role == Role::Way { None } else { site.group.perms()? };
		// Who is not root must be able to go on in it; what the image says comes after its children.
		let mode = perms.map_or(PLAIN_MODE, |perms| perms.mode | OPEN_MODE);
		self.foresee_group(site, above, mode)?;
		let mark = self.journal.len();
		self.note(site, Change::Made)?;
		above.make(name.as_c_str(), mode).inspect_err(|_| self.journal.drop_since(mark))?;
		self.counts.created += 1;
		self.eager = !self.journal.is_dry();
		self.enable(site, above, name, true)?;
		let is_cpuset = has_controller(site.label.bytes(), b"cpuset");
		if !is_cpuset && self.lack(site)?.is_some_and(|lack| lack.needs == 0) {
			return Ok(None);
		}
		let dir = self.child(site, above, name)?;
		if is_cpuset && (self.fit.is_some() || !has_lists(site)) {
			self.fill(site, above, &dir)?;
		}
		Ok(Some((Some(dir), true)))
	}

	/// Gives a new cpuset the lists of what it lies in, as far as the kernel has not done it (cgroup.clone_children).
	fn fill(&mut self, site: &Site<'_, '_>, above: &Dir, dir: &Dir) -> Result<(), Fault> {
		for list in LISTS {
			let Some(known) = property::find(Version::V1, list.to_bytes()) else { continue };
			if self.current(site, dir, list, known, false).is_ok_and(|(len, _)| len == 0) {
				let len = self.inherited(site, above, known);
				let text = self.value.get(..len).unwrap_or(&[]);
				dir.write(list, text)?;
				would_be(&mut self.journal, ("write", VALUE), (site, list.to_bytes()), b"", text);
			}
		}
		Ok(())
	}

	/// On v2 the files of a group are there once what it lies in hands its controllers down. Groups of the image have
	/// that in their own values; ways to them do not. What the kernel refuses now is tried again after the tasks.
	fn enable(&mut self, site: &Site<'_, '_>, above: &Dir, name: &Name, made: bool) -> Result<(), Fault> {
		let is_wanted = site.first && site.label.version() == Version::V2 && self.mode.writes(made);
		if !is_wanted || !self.writes() {
			return Ok(());
		}
		let mut text = Vec::new();
		let path = site.path.bytes().strip_suffix(name.bytes()).unwrap_or(b"");
		let path = path.strip_suffix(b"/").unwrap_or(path);
		// What would be made has nobody; the root may have anybody.
		let may_wait = !path.is_empty() && !self.is_new(site.at, path);
		let len = self.handed_down(site.at, path, above)?;
		let enabled = self.value.get(..len).unwrap_or(&[]);
		missing(site, enabled, &mut text)?;
		if text.is_empty() || (may_wait && self.waits_for_tasks(above)) {
			return Ok(());
		}
		let mark = self.journal.len();
		let change = Change::Value { file: CONTROL.to_bytes(), old: enabled.trim_ascii_end(), new: None };
		self.journal.add(&Record { hierarchy: site.at, path, change })?;
		let foreseen = self.foresee_controllers((site.at, site.label.bytes(), path), above, &text);
		let written = foreseen.and_then(|()| above.write(CONTROL, &text));
		match written.inspect_err(|_| self.journal.drop_since(mark)) {
			Err(Fault::Kernel(errno::EBUSY | errno::ENOENT | errno::EOPNOTSUPP)) => Ok(()),
			result => result,
		}
	}
}

impl Work<'_> {
	/// Whether tasks that may leave are in the way of controllers that are to be handed down. Where all of these may be
	/// threaded the kernel does not refuse: it makes the group the root of a threaded tree, in which no child takes a
	/// process. cgroup-v2, "Threads"
	pub(super) fn waits_for_tasks(&self, dir: &Dir) -> bool {
		let is_before = self.pass == Pass::Create && self.phases.join;
		is_before
			&& !matches!(dir.read(c"cgroup.procs", &mut [0; 16]), Ok((0, _)) | Err(Fault::Kernel(errno::EOPNOTSUPP)))
	}
}

/// Whether the image has both lists for this group.
fn has_lists(site: &Site<'_, '_>) -> bool {
	let is_list = |property: &Result<crate::image::view::Property<'_>, Fault>| {
		property.as_ref().is_ok_and(|property| {
			matches!(property.name, b"cpuset.cpus" | b"cpuset.mems") && !property.value.bytes().is_empty()
		})
	};
	site.role != Role::Way && site.properties().filter(is_list).count() >= LISTS.len()
}

/// `+NAME` for each controller that the image's group needs and that is not handed down to it.
fn missing(site: &Site<'_, '_>, enabled: &[u8], text: &mut Vec<u8, WRITE_BYTES>) -> Result<(), Fault> {
	for saved in site.properties() {
		let saved = saved?;
		let Some(known) = property::find(Version::V2, saved.name) else { continue };
		// A default whose owner is not known asks for nothing: a translation made it.
		if saved.perms.is_none() && value::is_default(known, saved.value.bytes()) {
			continue;
		}
		let names = match known.write {
			Write::Controllers => saved.value.bytes(),
			Write::Program => b"", // no controller has it
			_ => known.controller(),
		};
		for (_, name) in controller_changes(names, enabled).filter(|(sign, _)| *sign == b'+') {
			add(name, text)?;
		}
	}
	Ok(())
}

fn add(name: &[u8], text: &mut Vec<u8, WRITE_BYTES>) -> Result<(), Fault> {
	let known = text.split(|byte| *byte == b' ').any(|word| word.get(1..) == Some(name));
	if known || name == b"cgroup" {
		return Ok(());
	}
	add_change(b'+', name, text)
}
