//! An image, and what the user says of its tasks, in; who is who out. What cannot be is refused before anything is touched.

use crate::act::aim::{Targets, vet_sets};
use crate::act::host::Host;
use crate::act::join::Buffers;
use crate::act::like::not_running;
use crate::act::numbers::Numbers;
use crate::act::pairs::{Pair, find, insert};
use crate::act::pidns::{Room, find_all};
use crate::act::tasks::{Dump, Tasks, judge, stranger_of};
use crate::error::{At, Error, Fault, Why};
use crate::hierarchy::ShownLabel;
use crate::image::schema::about;
use crate::image::view::{Image, Task};
use crate::kernel::proc::{self, Proc, digits};
use crate::log::Log;
use crate::name::Shown;

/// Who is who.
#[derive(Clone, Copy, Debug)]
pub enum Who<'m> {
	/// By a map; tasks that are not in it are left alone.
	Mapped(&'m [Pair]),
	/// The same by their numbers in a pid namespace, which is so deep below that of /proc.
	Inside(&'m [Pair], usize),
	/// Tasks have the numbers that they have in the image, if they are the same.
	SameIds,
	/// Tasks of an image of cgraft have its numbers, and are the same if their names are.
	SameNumbers,
	/// There is no telling.
	Nobody,
}

/// What the user says of the tasks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Claim<'m> {
	/// Who takes whose place.
	pub pairs: &'m [Pair],
	/// Tasks have the numbers of the image, though they were started anew.
	pub same_pids: bool,
	/// The same in the pid namespace of this process.
	pub pidns: Option<u32>,
	/// Sets with groups in hierarchies that are not mounted are no fault.
	pub skip_missing: bool,
}

/// Who takes whose place; refuses what cannot be before anything is touched.
pub fn who<'m>(
	image: &Image<'_>,
	dump: Option<&Dump<'_>>,
	(host, targets): (&Host, &Targets),
	proc: &Proc,
	claim: Claim<'m>,
	(buffers, room): (&mut Buffers, &'m mut Room),
	log: &mut dyn Log,
) -> Result<Who<'m>, Error> {
	vet_pairs(image, dump, proc, claim.pairs, &mut buffers.known, log)?;
	let is_claimed = claim.same_pids || claim.pidns.is_some() || !claim.pairs.is_empty();
	let is_same_boot = is_same_boot(image, dump.is_some() || is_claimed, log)?;
	if let Some(dump) = dump {
		judge(image, dump, Some(proc).filter(|_| claim.pairs.is_empty() && claim.pidns.is_none()), log)?;
	}
	let who = match claim.pairs {
		[] => match claim.pidns {
			Some(pid) => inside(image, dump, proc, (pid, is_same_boot), (buffers, room), log)?,
			None if dump.is_some() => Who::SameIds,
			None if claim.same_pids => {
				vet_first(image, proc)?.map_or(Ok(()), |error| log.unfit(error))?;
				Who::SameNumbers
			}
			None if is_same_boot => Who::SameIds,
			None => Who::Nobody,
		},
		pairs => Who::Mapped(pairs),
	};
	if matches!(who, Who::Nobody) {
		return Ok(who);
	}
	vet_sets(image, host, targets, log)?;
	if !claim.skip_missing {
		vet_mounted(image, host, log)?;
	}
	Ok(who)
}

/// Whether the image is of this boot; warns if that decides who is who, and cannot be known.
fn is_same_boot(image: &Image<'_>, is_claimed: bool, log: &mut dyn Log) -> Result<bool, Error> {
	let mut boot_id = [0; 64];
	let boot_id = proc::boot_id(&mut boot_id).at(format_args!("read the id of this boot"))?;
	let about = image.about().at(format_args!("the image"))?;
	let saved = about.map_or(Ok(&b""[..]), |about| about.text(about::BOOT_ID)).at(format_args!("the image"))?;
	if boot_id.is_empty() && !saved.is_empty() && !is_claimed {
		log.warn(format_args!(
			"no task is moved: the id of this boot cannot be read, so --pid-map has to say who is who"
		));
	}
	Ok(!boot_id.is_empty() && saved == boot_id)
}

/// Whose tree has other numbers has none of these tasks.
fn vet_first(image: &Image<'_>, proc: &Proc) -> Result<Option<Error>, Error> {
	let Some(first) = image.tasks().next().transpose().at(format_args!("the image"))? else { return Ok(None) };
	let first = Task { parent: Some(0), ..first };
	let place = format_args!("task {} ({})", first.pid, Shown(first.comm));
	Ok(stranger_of(proc, &first).at(place)?.map(|why| Error::new(Fault::Unfit(why), place)))
}

/// Finds the processes of the image by their numbers in the pid namespace of a process. The same is who was started at
/// the same time of the same boot or, as a restorer starts it anew, has the same name. Numbers of the image are those in
/// a task's own namespace; one that two of its tasks have is that of the first, since a namespace is made from outside.
fn inside<'m>(
	image: &Image<'_>,
	dump: Option<&Dump<'_>>,
	proc: &Proc,
	(pid, is_same_boot): (u32, bool),
	(buffers, room): (&mut Buffers, &'m mut Room),
	log: &mut dyn Log,
) -> Result<Who<'m>, Error> {
	let place = format_args!("--pidns {pid}");
	let Room { inside, pairs } = room;
	let found = find_all(proc, pid, &mut buffers.list, &mut buffers.text, inside);
	let depth = found.map_err(not_running).at(place)?;
	pairs.clear();
	buffers.known.clear();
	let (mut tasks, mut lost) = (Tasks::new(image, dump)?, 0);
	while let Some(task) = tasks.read()? {
		if task.tid != task.pid {
			continue;
		}
		let place = format_args!("task {} ({})", task.pid, Shown(task.comm));
		let new = find(inside, task.ns_tid.unwrap_or(task.pid)).filter(|new| !buffers.known.has(*new));
		let same = |parent| match new {
			Some(new) => stranger_of(proc, &Task { pid: new, tid: new, parent, ..task }),
			None => Ok(Some(Why::NotRunning)),
		};
		let mut why = same(Some(0)).at(place)?;
		if why.is_some() && is_same_boot && task.parent.is_none() {
			why = same(None).at(place)?.and(why);
		}
		match (why, new) {
			(None, Some(new)) => {
				buffers.known.add(new);
				insert(pairs, (task.pid, new)).at(place)?;
			}
			(Some(why), _) if pairs.is_empty() => return Err(Error::new(Fault::Unfit(why), place)),
			_ => lost += 1,
		}
	}
	if lost > 0 {
		log.warn(format_args!("{lost} processes of the image are not in the pid namespace, or are others there"));
	}
	Ok(Who::Inside(pairs, depth))
}

/// Refuses sets with groups in hierarchies that are not mounted.
pub fn vet_mounted(image: &Image<'_>, host: &Host, log: &mut dyn Log) -> Result<(), Error> {
	for member in image.sets().flatten().flat_map(|set| set.members()).flatten() {
		let mounted = host.hierarchies.iter().any(|known| known.mount.is_some() && known.label.shares(member.name));
		if !mounted && member.path != b"/" {
			let name = ShownLabel(member.name);
			log.unfit(Error::new(Fault::Unfit(Why::NoHierarchy), format_args!("hierarchy {name}")))?;
		}
	}
	Ok(())
}

/// The processes are of the image, the others run, and none of them takes two places.
fn vet_pairs(
	image: &Image<'_>,
	dump: Option<&Dump<'_>>,
	proc: &Proc,
	pairs: &[Pair],
	known: &mut Numbers,
	log: &mut dyn Log,
) -> Result<(), Error> {
	if pairs.is_empty() {
		return Ok(());
	}
	known.clear();
	let mut tasks = Tasks::new(image, dump)?;
	while let Some(task) = tasks.read()? {
		known.add(task.pid);
	}
	let mut tell = |why, pair: &Pair| log.unfit(Error::new(why, format_args!("--pid-map {}:{}", pair.0, pair.1)));
	for pair in pairs {
		let is_running = proc.list().status_of(&digits(pair.1)).is_ok();
		if !(known.has(pair.0) && is_running) {
			tell(Fault::Unfit(if is_running { Why::NoTask } else { Why::NotRunning }), pair)?;
		}
	}
	known.clear();
	for pair in pairs {
		if known.has(pair.1) {
			tell(Fault::Usage(Why::NewTwice), pair)?;
		}
		known.add(pair.1);
	}
	Ok(())
}
