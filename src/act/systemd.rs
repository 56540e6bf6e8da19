//! An image and a host in, a warning for each unit of systemd in which groups of the image are and which it does not
//! delegate: systemd takes values there back and removes groups.

use core::ffi::CStr;

use heapless::Vec;

use crate::act::aim::{Targets, map_member};
use crate::act::host::Host;
use crate::act::spots::Spots;
use crate::error::{At, Error, Fault};
use crate::hash::{START, hash};
use crate::image::view::Image;
use crate::kernel::dir::Dir;
use crate::kernel::proc::read_path;
use crate::limits::UNITS_TOLD;
use crate::log::Log;
use crate::name::{Shown, ShownPath};
use crate::remap::{self, Path};
use crate::systemd::owner;

/// What systemd gives the group of a unit that is delegated; only CAP_SYS_ADMIN sees the first.
const DELEGATED: [&CStr; 2] = [c"trusted.delegate", c"user.delegate"];

/// Judges where the groups of the image will be, or those of one of its sets.
#[inline(never)] // one copy for all commands
pub fn warn(
	image: &Image<'_>,
	host: &Host,
	targets: &Targets,
	set: Option<&Spots<'_>>,
	log: &mut dyn Log,
) -> Result<(), Error> {
	if !is_running() {
		return Ok(());
	}
	let (mut watch, mut path) = (Watch { host, log, told: Vec::new() }, Path::new());
	let result = match set {
		None => watch.image(image, targets, &mut path),
		Some(set) => watch.set(set, targets, &mut path),
	};
	result.at(format_args!("the image"))
}

/// As sd_booted(3) finds it out; before systemd has made its folder it is process 1.
fn is_running() -> bool {
	let mut comm = [0; 16];
	let len = read_path(c"/proc/1", c"comm", &mut comm).unwrap_or(0);
	comm.get(..len) == Some(b"systemd\n") || Dir::open(c"/run/systemd/system").is_ok()
}

struct Watch<'w> {
	host: &'w Host,
	log: &'w mut dyn Log,
	/// Sums of the units that were told.
	told: Vec<u32, UNITS_TOLD>,
}

impl Watch<'_> {
	fn image(&mut self, image: &Image<'_>, targets: &Targets, path: &mut Path) -> Result<(), Fault> {
		for target in targets.iter() {
			let Some(hierarchy) = image.hierarchies().nth(target.from).transpose()? else { continue };
			remap::walked(&hierarchy, &mut |walked| {
				target.rule.map_group(walked, path)?;
				self.group(target.at, path);
				Ok(())
			})?;
		}
		Ok(())
	}

	fn set(&mut self, set: &Spots<'_>, targets: &Targets, path: &mut Path) -> Result<(), Fault> {
		for spot in &set.all {
			if let Some(member) = set.set.members().nth(spot.member()) {
				map_member(targets, spot.at(), &member?, path)?;
				self.group(spot.at(), path);
			}
		}
		Ok(())
	}

	fn group(&mut self, at: usize, path: &[u8]) {
		let host = self.host;
		let is_systemds = |other: usize| matches!(host.hierarchies[other].label.bytes(), b"" | b"name=systemd");
		let is_delegated = |group: &[u8]| {
			let mut asked = (0..host.hierarchies.len()).filter(|other| *other == at || is_systemds(*other));
			asked.any(|other| has_flag(host, other, group))
		};
		let Some(owner) = owner(path, &is_delegated) else { return };
		let sum = hash(START, owner.group);
		if self.told.contains(&sum) || self.told.push(sum).is_err() {
			return;
		}
		let is_ending = owner.ends_empty() && is_empty(host, at, owner.group);
		let ending = if is_ending { ", is empty and about to be removed" } else { "" };
		let (shown, label, unit) = (ShownPath(path), host.hierarchies[at].label.shown(), Shown(owner.unit));
		self.log.warn(format_args!(
			"group {shown} of {label}: systemd's unit {unit} is not delegated{ending}: it may take values back and remove \
			 groups; instead: {owner}"
		));
	}
}

fn has_flag(host: &Host, at: usize, group: &[u8]) -> bool {
	let mut value = [0; 2];
	let dir = host.open(at, group).ok().flatten();
	dir.is_some_and(|dir| {
		DELEGATED.iter().any(|name| dir.attribute(name, &mut value) == Ok(Some(1)) && value[0] == b'1')
	})
}

/// Whether the group is there, with no tasks in it and below; only v2 says so.
fn is_empty(host: &Host, at: usize, group: &[u8]) -> bool {
	let mut text = [0; 64];
	let dir = host.open(at, group).ok().flatten();
	dir.is_some_and(|dir| dir.read_text(c"cgroup.events", &mut text).is_ok()) && text.starts_with(b"populated 0")
}
