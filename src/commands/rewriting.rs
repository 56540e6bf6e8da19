//! The image that was given in, the one that a command uses out: with maps of paths and values another one, which is
//! rewritten in memory.

use std::sync::Mutex;

use cgraft::error::{At, Error, Why};
use cgraft::image::view::{Image, Layout};
use cgraft::kernel::disk_at;
use cgraft::kernel::fenced::Map;
use cgraft::kernel::output::Output;
use cgraft::limits::OPTIONS;
use cgraft::log::Log;
use cgraft::name::Shown;
use cgraft::owners::{Owners, Shift};
use cgraft::rewrite::paths::Paths;
use cgraft::rewrite::values::{Maps, Rename, Room, Values, disk, disk_of};
use cgraft::rewrite::{self, Change, IMAGE, each_perms};
use cgraft::vet::vet;

use super::options::{Shifts, each, numbers_of};
use crate::cli::{Cli, Text};

/// All buffers of a rewriting.
struct Buffers {
	space: rewrite::Space,
	paths: Paths<'static>,
	/// Of users, groups, CPUs, memory nodes and disks.
	shifts: [Shifts; 5],
	renames: heapless::Vec<Rename<'static>, OPTIONS>,
	room: Room,
}

static BUFFERS: Mutex<Buffers> = Mutex::new(Buffers {
	space: rewrite::Space::new(),
	paths: Paths::new(),
	shifts: [const { Shifts::new() }; 5],
	renames: heapless::Vec::new(),
	room: Room::new(),
});

/// The image as the options want it; `other` keeps its bytes if it is not the one that was given.
#[inline(never)] // its buffers are not there any more when the command begins
pub fn used<'m>(
	cli: &Cli,
	image: Image<'m>,
	other: &'m mut Option<Map>,
	messages: &mut dyn Log,
) -> Result<Image<'m>, Error> {
	let Buffers { space, paths, shifts, renames, room } = &mut *BUFFERS.try_lock().unwrap_or_else(|_| unreachable!());
	each("--map", &cli.moves, &mut |value| paths.add(value.as_bytes()))?;
	let typed = [
		("--uid-map", &cli.uid_map),
		("--gid-map", &cli.gid_map),
		("--cpu-map", &cli.cpu_map),
		("--mem-map", &cli.mem_map),
		("--dev-map", &cli.dev_map),
	];
	for ((option, values), into) in typed.iter().zip(&mut *shifts) {
		each(option, values, &mut |value| {
			let shift = if *option == "--dev-map" { disks_of(value)? } else { numbers_of(value)? };
			Ok(into.push(shift).is_ok())
		})?;
	}
	each("--if-map", &cli.if_map, &mut |value| {
		Ok(renames.push(Rename::parse(value.as_bytes()).ok_or(Why::BadRename)?).is_ok())
	})?;
	let [uids, gids, cpus, nodes, disks] = shifts;
	let values = Values { cpus, nodes, disks, interfaces: renames };
	// A translation wants CRIU's layout.
	let is_translated = cli.translate.is_some() && image.layout() == Layout::Rfc;
	let (is_same, owners) = (paths.is_empty() && values.is_empty() && !is_translated, Owners { uids, gids });
	if is_same && uids.is_empty() && gids.is_empty() {
		return Ok(image);
	}
	vet(&image).at(IMAGE)?; // damage is told as it is in the image that was given
	each_perms(&image, &mut |perms| {
		owners.map(perms);
	})?;
	if !is_same {
		paths.judge(&image, messages)?;
		other.replace(rewritten(&image, &mut Maps { paths, values, room }, space)?);
	}
	let mut tell = |option: &str, typed: &Text, is_hit: bool| {
		if !is_hit {
			messages.warn(format_args!("{option} {}: nothing in the image is changed by it", Shown(typed.as_bytes())));
		}
	};
	for ((option, values), rules) in typed.iter().zip([uids, gids, cpus, nodes, disks]) {
		values.iter().zip(rules).for_each(|(typed, rule)| tell(option, typed, rule.hit.get()));
	}
	cli.if_map.iter().zip(renames).for_each(|(typed, rule)| tell("--if-map", typed, rule.hit.get()));
	match other {
		Some(map) => Image::open_mapped(map.bytes(), map).at(IMAGE),
		None => Ok(image),
	}
}

/// Another image, in memory.
fn rewritten(image: &Image<'_>, change: &mut dyn Change, space: &mut rewrite::Space) -> Result<Map, Error> {
	let output = Output::in_memory().at(IMAGE)?;
	rewrite::rewrite(image, output, change, space)?.map().at(IMAGE)
}

/// `MAJOR:MINOR=MAJOR:MINOR`, or a block device of this host behind the equals sign.
fn disks_of(typed: &str) -> Result<Shift, Why> {
	let (old, new) = typed.split_once('=').ok_or(Why::BadDisk)?;
	let here = match new.starts_with('/') {
		true => disk_at(new.as_bytes()).and_then(|(major, minor)| disk_of(major, minor)).ok_or(Why::NoBlockDevice)?,
		false => disk(new.as_bytes()).ok_or(Why::BadDisk)?,
	};
	Ok(Shift::one(disk(old.as_bytes()).ok_or(Why::BadDisk)?, here))
}
