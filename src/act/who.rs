//! An image, and what the user says of its tasks, in; who is who out. What cannot be is refused before anything is touched.

use crate::act::aim::{Targets, vet_sets};
use crate::act::host::Host;
use crate::act::tasks::{Dump, judge, stranger};
use crate::error::{At, Error, Fault, Why};
use crate::hierarchy::ShownLabel;
use crate::image::schema::about;
use crate::image::view::{Image, Task};
use crate::kernel::proc::{self, Proc};
use crate::log::Log;
use crate::name::Shown;

/// A process of the image and the running one that takes its place.
pub type Pair = (u32, u32);

/// Who is who.
#[derive(Clone, Copy, Debug)]
pub enum Who<'m> {
	/// By a map; tasks that are not in it are left alone.
	Mapped(&'m [Pair]),
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
	log: &mut dyn Log,
) -> Result<Who<'m>, Error> {
	for pair in claim.pairs {
		vet_pair(image, dump, proc, *pair).at(format_args!("--pid-map {}:{}", pair.0, pair.1))?;
	}
	let mut boot_id = [0; 64];
	let boot_id = proc::boot_id(&mut boot_id);
	let about = image.about().at(format_args!("the image"))?;
	let saved = about.map_or(Ok(&b""[..]), |about| about.text(about::BOOT_ID)).at(format_args!("the image"))?;
	if boot_id.is_empty() && !claim.same_pids && !saved.is_empty() && dump.is_none() && claim.pairs.is_empty() {
		log.warn(format_args!(
			"no task is moved: the id of this boot cannot be read, so --pid-map has to say who is who"
		));
	}
	if let Some(dump) = dump {
		judge(image, dump, Some(proc).filter(|_| claim.pairs.is_empty()), log)?;
	}
	let who = match claim.pairs {
		[] if dump.is_some() => Who::SameIds,
		[] if claim.same_pids => {
			// Whose tree has other numbers has none of these tasks.
			if let Some(first) = image.tasks().next().transpose().at(format_args!("the image"))? {
				let first = Task { parent: Some(0), ..first };
				let place = format_args!("task {} ({})", first.pid, Shown(first.comm));
				if let Some(why) = stranger(proc, &first).at(place)? {
					return Err(Error::new(Fault::Unfit(why), place));
				}
			}
			Who::SameNumbers
		}
		[] if !boot_id.is_empty() && saved == boot_id => Who::SameIds,
		[] => Who::Nobody,
		pairs => Who::Mapped(pairs),
	};
	if matches!(who, Who::Nobody) {
		return Ok(who);
	}
	vet_sets(image, host, targets)?;
	if !claim.skip_missing {
		vet_mounted(image, host)?;
	}
	Ok(who)
}

/// Refuses sets with groups in hierarchies that are not mounted.
pub fn vet_mounted(image: &Image<'_>, host: &Host) -> Result<(), Error> {
	for member in image.sets().flatten().flat_map(|set| set.members()).flatten() {
		let mounted = host.hierarchies.iter().any(|known| known.mount.is_some() && known.label.shares(member.name));
		if !mounted && member.path != b"/" {
			let name = ShownLabel(member.name);
			return Err(Error::new(Fault::Unfit(Why::NoHierarchy), format_args!("hierarchy {name}")));
		}
	}
	Ok(())
}

/// The process is one of the image, and the other one runs.
fn vet_pair(image: &Image<'_>, dump: Option<&Dump<'_>>, proc: &Proc, (old, new): Pair) -> Result<(), Fault> {
	let is_there = match dump {
		Some(dump) => dump.has(old)?,
		None => image.tasks().flatten().any(|task| task.pid == old),
	};
	if !is_there {
		return Err(Fault::Unfit(Why::NoTask));
	}
	proc.process(new).map(|_| ()).map_err(|_| Fault::Unfit(Why::NotRunning))
}
