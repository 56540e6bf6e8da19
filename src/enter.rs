//! An image and one of its sets in, this process or running ones in the groups of the set out: `exec` and `attach`.
//!
//! The groups have to be there. All of them are opened first; if a later one refuses, who was moved is moved back.

use crate::act::aim::{Aim, vet_sets};
use crate::act::join::Join;
use crate::act::journal::Journal;
use crate::act::systemd;
use crate::act::tasks::{Dump, NO_SET, Tasks};
use crate::act::undo::roll_back;
use crate::act::who::{Who, vet_mounted};
use crate::error::{At, Error, Fault, Why};
use crate::image::view::Image;
use crate::kernel;
use crate::kernel::proc::{Proc, enter_namespace, make_namespace};
use crate::log::{Level, Log};
use crate::restore::Workspace;
use crate::vet::vet;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
	/// The set; none is that of the first task, or the only one.
	pub set: Option<u32>,
	/// The processes; none means this one, which gets a cgroup namespace where the set has one.
	pub pids: &'a [u32],
	/// Where groups are, each `[CTRL:]PATH`.
	pub roots: &'a [&'a [u8]],
	/// The groups of each hierarchy are where this process is.
	pub like: Option<u32>,
	/// A folder with the hierarchies to use; all that are mounted if none.
	pub yard: Option<&'a [u8]>,
	/// The image's folder: the first task of an image of CRIU is that of the dump in it.
	pub folder: Option<&'a [u8]>,
	/// Hierarchies that this host does not have are left out.
	pub skip_missing: bool,
}

/// Puts the processes into the groups; how many tasks were moved, and the exit code. An error means that nobody was.
pub fn enter(
	image: &Image<'_>,
	request: &Request<'_>,
	space: &mut Workspace,
	log: &mut dyn Log,
) -> Result<(u64, u8), Error> {
	vet(image).at(format_args!("the image"))?;
	let Workspace { host, targets, join, line, record, value, journal, .. } = space;
	host.discover(request.yard, line)?;
	let skip_missing = request.skip_missing;
	Aim { host, targets, skip_missing, like: request.like, brings: false, skipped: 0, log, steps: None }
		.run(image, request.roots)?;
	let set = choose(image, request)?;
	vet_sets(image, host, targets, log)?;
	if !skip_missing {
		vet_mounted(image, host, log)?;
	}
	let proc = Proc::open().at(format_args!("open /proc"))?;
	for pid in request.pids {
		proc.process(*pid).map_err(|_| Fault::Unfit(Why::NotRunning)).at(format_args!("-t {pid}"))?;
	}
	let mut journal = Journal::new(journal).at(format_args!("make the journal"))?;
	let mut join = Join::new(*image, host, targets, None, (Who::Nobody, proc), join);
	join.open_groups(set)?;
	systemd::warn(image, host, targets, join.set.as_ref(), log)?;
	let moved = match request.pids {
		[] => enter_myself(&mut join, set, &mut journal),
		pids => attach(&mut join, pids, set, &mut journal, log),
	};
	match moved {
		Ok(moved) => Ok((moved, 0)),
		Err(error) if journal.is_empty() => Err(error),
		Err(error) => {
			log.say(Level::Error, format_args!("{error}"));
			drop(join); // it has groups open
			Ok((0, roll_back(&mut journal, host, record, value, log)))
		}
	}
}

/// The set that is meant.
fn choose(image: &Image<'_>, request: &Request<'_>) -> Result<u32, Error> {
	let place = format_args!("the image");
	if let Some(set) = request.set {
		return Ok(set);
	}
	let dump = Dump::beside(image, request.folder)?;
	let mut tasks = Tasks::new(image, dump.as_ref())?;
	while let Some(task) = tasks.read()? {
		if task.set != NO_SET {
			return Ok(task.set);
		}
	}
	let mut sets = image.sets();
	match (sets.next().transpose().at(place)?, sets.next()) {
		(Some(only), None) => Ok(only.id),
		_ => Err(Fault::Usage(Why::SetWanted)).at(place),
	}
}

/// A cgroup namespace begins where its maker is, so this process goes there first. It enters the namespace last: until
/// then /proc shows whole paths.
fn enter_myself(join: &mut Join<'_, '_>, set: u32, journal: &mut Journal<'_>) -> Result<u64, Error> {
	let (own, mut made) = (kernel::own_pid(), None);
	if join.wants_namespace() {
		join.to_root = true;
		join.open_groups(set)?;
		join.bring(own, set, journal)?;
		made = Some(make_namespace().at(format_args!("make a cgroup namespace"))?);
		join.to_root = false;
		join.open_groups(set)?;
	}
	let moved = join.bring(own, set, journal)?;
	if let Some(made) = &made {
		enter_namespace(made).at(format_args!("enter the cgroup namespace"))?;
	}
	Ok(moved)
}

/// Only these processes: children that they have stay where they are.
fn attach(
	join: &mut Join<'_, '_>,
	pids: &[u32],
	set: u32,
	journal: &mut Journal<'_>,
	log: &mut dyn Log,
) -> Result<u64, Error> {
	let mut moved = 0;
	for pid in pids {
		moved += join.bring(*pid, set, journal)?;
		let _ = join.look_inside(*pid, *pid); // it may have exited
	}
	join.lost.tell(log);
	Ok(moved)
}
