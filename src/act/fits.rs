//! An image and a host in, the first value that this host can never take out, before anything is written.
//!
//! What is known for certain: CPUs and memory nodes (v1 takes those of its root group, v2 those that are possible, see
//! `cpuset_bind` of kernel/cgroup/cpuset.c), controllers of v2 (cgroup.controllers of what is mounted), disks (/sys/dev/block) and sizes of huge pages (/sys/kernel/mm/hugepages).
//! Where nothing can be known, without /sys, the kernel says it later.

use core::ffi::CStr;

use heapless::Vec;

use crate::act::aim::{Target, Targets};
use crate::act::disks::name_then;
use crate::act::groups::CONTROL;
use crate::act::host::Host;
use crate::act::manner::{Mode, Phases};
use crate::act::offered::{Controllers, read_words};
use crate::error::{At, Error, Fault, Why, errno};
use crate::image::descent::{Descent, Turn};
use crate::image::view::{Group, Image, Property as Saved};
use crate::kernel::dir::Dir;
use crate::kernel::output::c_string;
use crate::kernel::proc::{read_path, with_number};
use crate::log::Log;
use crate::name::{Shown, Trail, components};
use crate::procfs::scan::{cut, number32};
use crate::property::changes::{has_word, lines};
use crate::property::list::{Numbers, part_in};
use crate::property::{self, Host as Tied, Phase, Property, Version, value};
use crate::remap::Place;
use crate::rewrite::values::disk;

/// Files of other controllers are the same on all hosts.
const TIED: [&[u8]; 4] = [b"cpuset", b"blkio", b"io", b"hugetlb"];

/// Judges all values that the mode and the phases would write; `text` is room for one of the host's lists.
#[inline(never)] // its sets are not there any more when the host is changed
pub fn judge(
	image: &Image<'_>,
	host: &Host,
	targets: &Targets,
	(mode, phases): (Mode, Phases),
	(text, log): (&mut [u8], &mut dyn Log),
) -> Result<(), Error> {
	// Soft leaves groups alone that are there, which is not known yet.
	if !matches!(mode, Mode::Full | Mode::Props | Mode::Strict) {
		return Ok(());
	}
	// A hierarchy without any of these is not gone through.
	let is_tied = |target: &&Target| TIED.iter().any(|tied| host.hierarchies[target.at].label.takes(tied));
	for target in targets.iter().filter(is_tied) {
		let disks = Dir::open(c"/sys/dev/block").ok();
		let offered = offered(host, target.at);
		Fits { host, target, mode, phases, path: Trail::new(), lists: [None, None], disks, offered, text, log }
			.run(image)?;
	}
	Ok(())
}

fn offered(host: &Host, at: usize) -> Option<Controllers> {
	let (dir, _) = host.base(at).filter(|_| host.hierarchies[at].label.version() == Version::V2)?;
	read_words(dir, c"cgroup.controllers").ok()
}

/// What this host has: CPUs and memory nodes, for a hierarchy of v1 and for v2; none where that is not known.
pub type Lists = [[Option<Numbers>; 2]; 2];

/// Reads what this host has into `lists`, for values that are cut to it.
pub fn read_lists(host: &Host, targets: &Targets, text: &mut [u8], lists: &mut Lists) {
	for target in targets.iter().filter(|target| host.hierarchies[target.at].label.takes(b"cpuset")) {
		let version = host.hierarchies[target.at].label.version();
		for which in [0, 1] {
			let len = read_list(host, target.at, which, text);
			let known = text.get(..len).filter(|text| !text.trim_ascii().is_empty());
			lists[usize::from(version == Version::V2)][which] = known.and_then(Numbers::parse);
		}
	}
}

/// Reads one list of this host; how long it is, 0 where that is not known.
fn read_list(host: &Host, at: usize, which: usize, text: &mut [u8]) -> usize {
	let is_old = host.hierarchies[at].label.version() == Version::V1
		&& !host.options(at).split(|byte| *byte == b',').any(|word| word == b"cpuset_v2_mode");
	let (file, folder) = match which {
		0 => (c"cpuset.cpus", c"/sys/devices/system/cpu"),
		_ => (c"cpuset.mems", c"/sys/devices/system/node"),
	};
	let root = host.base(at).filter(|(_, path)| is_old && *path == b"/");
	match root.map(|(dir, _)| dir.read(file, text)) {
		Some(Ok((len, _))) => len,
		_ => read_path(folder, c"possible", text).unwrap_or(0),
	}
}

/// Cuts a list to what this host has, put into `into`; false where it has all of it, or nothing is known.
pub fn cut_list<const N: usize>(lists: &Lists, known: &Property, text: &[u8], into: &mut Vec<u8, N>) -> bool {
	let which = match known.host {
		Tied::Cpus => 0,
		Tied::Nodes => 1,
		_ => return false,
	};
	let Some(has) = &lists[usize::from(known.version == Version::V2)][which] else { return false };
	let is_cut = Numbers::parse(text).is_some_and(|wanted| !wanted.is_within(has));
	is_cut && part_in(text, has, into).is_some()
}

struct Fits<'f> {
	host: &'f Host,
	target: &'f Target,
	mode: Mode,
	phases: Phases,
	path: Trail,
	/// CPUs and memory nodes, once they are looked for; no set where they are not known.
	lists: [Option<Option<Numbers>>; 2],
	disks: Option<Dir>,
	/// Controllers that v2 has here; none where that is not known.
	offered: Option<Controllers>,
	text: &'f mut [u8],
	log: &'f mut dyn Log,
}

impl Fits<'_> {
	fn run(&mut self, image: &Image<'_>) -> Result<(), Error> {
		let place = format_args!("the image");
		let Some(hierarchy) = image.hierarchies().nth(self.target.from) else { return Ok(()) };
		let mut descent = Descent::new(&hierarchy.at(place)?);
		while let Some(turn) = descent.turn().at(place)? {
			match turn {
				Turn::Enter(group) => {
					components(group.name).try_for_each(|component| self.path.push(component)).at(place)?;
					if self.is_written(&group).at(place)? {
						group.properties().try_for_each(|saved| self.value(image, &saved.at(place)?))?;
					}
				}
				Turn::Leave(group) => components(group.name).for_each(|_| self.path.pop()),
			}
		}
		Ok(())
	}

	/// Whether values of the group are written: not those of a root, nor those above what moves.
	fn is_written(&self, group: &Group<'_>) -> Result<bool, Fault> {
		let path = self.path.bytes();
		let is_left = group.is_ancestor()? && (self.mode == Mode::Strict || self.target.rule.moves);
		Ok(!path.is_empty() && !is_left && matches!(self.target.rule.place(path), Place::Below(_)))
	}

	fn value(&mut self, image: &Image<'_>, saved: &Saved<'_>) -> Result<(), Error> {
		let controller = property::controller_of(saved.name);
		let label = &self.host.hierarchies[self.target.at].label;
		let names = if saved.name == CONTROL.to_bytes() { saved.value.bytes() } else { controller };
		let missing = self.offered.as_ref().and_then(|offered| {
			let names = names.split(u8::is_ascii_whitespace);
			let mut names = names.map(|name| name.strip_prefix(b"+").unwrap_or(name)); // of a translation
			names.find(|name| !matches!(*name, b"" | b"cgroup" | b"devices") && !has_word(offered, name))
		});
		if missing.is_none() && !TIED.contains(&controller) {
			return Ok(());
		}
		let Some(known) = property::find(label.version(), saved.name) else { return Ok(()) };
		let Phases { create, join, limit, .. } = self.phases;
		let is_meant = match known.phase {
			Phase::Create => create || limit,
			Phase::Join => join || limit,
			_ => limit,
		};
		let text = saved.value.bytes();
		if !is_meant || known.advisory || !label.takes(known.controller()) || value::is_default(known, text) {
			return Ok(());
		}
		let (lost, why) = match known.host {
			_ if missing == Some(controller) => (Some(text), Why::NoController),
			_ if missing.is_some() => (missing, Why::NoController),
			Tied::Cpus => (self.numbers(0, text), Why::NoNumbers),
			Tied::Nodes => (self.numbers(1, text), Why::NoNumbers),
			Tied::Disks => (self.disk(known, text), Why::NoDisk),
			Tied::PageSize => (has_no_pages(saved.name).then_some(text), Why::NoPageSize),
			_ => return Ok(()),
		};
		let Some(lost) = lost else { return Ok(()) };
		let has = match known.host {
			_ if missing.is_some() => 0,
			Tied::Cpus => self.read_host(0),
			Tied::Nodes => self.read_host(1),
			_ => 0,
		};
		let has = self.text.get(..has).unwrap_or(b"").trim_ascii();
		let (file, path, label) = (Shown(saved.name), self.path.shown(), label.shown());
		let place = format_args!("{file} of group {path} of {label}, value {}", Shown(lost));
		let place = match known.host {
			Tied::Cpus | Tied::Nodes if missing.is_none() => format_args!("{place}, this host has {}", Shown(has)),
			_ => place,
		};
		if let (Tied::Disks, Some(name)) = (known.host, name_then(image, disk(value::first_word(lost)))) {
			return self.log.unfit(Error::new(Fault::Unfit(why), format_args!("{place}, which was {}", Shown(name))));
		}
		self.log.unfit(Error::new(Fault::Unfit(why), place))
	}

	/// The list, if this host has not all of it.
	#[inline(never)] // nor are its own
	fn numbers<'t>(&mut self, which: usize, text: &'t [u8]) -> Option<&'t [u8]> {
		if self.lists[which].is_none() {
			let len = self.read_host(which);
			let known = self.text.get(..len).filter(|text| !text.trim_ascii().is_empty());
			self.lists[which] = Some(known.and_then(Numbers::parse));
		}
		let has = self.lists[which].as_ref()?.as_ref()?;
		Numbers::parse(text).filter(|wanted| !wanted.is_within(has)).map(|_| text)
	}

	/// Reads what this host has, as a list; how long it is, 0 where that is not known.
	fn read_host(&mut self, which: usize) -> usize {
		read_list(self.host, self.target.at, which, self.text)
	}

	/// The first line of a disk that is not there.
	fn disk<'t>(&self, known: &Property, text: &'t [u8]) -> Option<&'t [u8]> {
		let disks = self.disks.as_ref()?;
		lines(text).find(|line| {
			let key = value::first_word(line);
			let is_disk = cut(key, b':').is_some_and(|(one, other)| number32(one).and(number32(other)).is_some());
			is_disk && !value::is_default(known, line) && c_string::<32>(key).is_ok_and(|name| is_absent(disks, &name))
		})
	}
}

fn is_absent(folder: &Dir, name: &CStr) -> bool {
	matches!(folder.status_of(name), Err(Fault::Kernel(errno::ENOENT)))
}

/// Whether this host is known to have no pages of the size in a file's name: `hugetlb.2MB.max`.
fn has_no_pages(file: &[u8]) -> bool {
	let Some(kib) = file.split(|byte| *byte == b'.').nth(1).and_then(kib) else { return false };
	let Ok(sizes) = Dir::open(c"/sys/kernel/mm/hugepages") else { return false };
	matches!(sizes.status_of(&with_number(b"hugepages-", kib, b"kB")), Err(Fault::Kernel(errno::ENOENT)))
}

/// `2MB` in KiB.
fn kib(size: &[u8]) -> Option<u32> {
	let units: [(&[u8], u32); 3] = [(b"KB", 1), (b"MB", 1024), (b"GB", 1024 * 1024)];
	let (number, unit) = units.iter().find_map(|(name, unit)| Some((size.strip_suffix(*name)?, unit)))?;
	number32(number)?.checked_mul(*unit)
}

#[cfg(test)]
mod tests {
	use super::kib;

	#[test]
	fn sizes_of_pages_are_read() {
		assert_eq!((kib(b"64KB"), kib(b"2MB"), kib(b"16GB")), (Some(64), Some(2048), Some(16 * 1024 * 1024)));
		assert_eq!((kib(b"2"), kib(b"xMB"), kib(b"4294967295GB")), (None, None, None));
	}
}
