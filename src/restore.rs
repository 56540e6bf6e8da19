//! The restore as a story: image bytes -> judged view -> remap -> create -> join -> limit -> freeze -> read back.

use crate::act::aim::{Aim, Targets, vet_sets};
use crate::act::disks;
use crate::act::fits;
use crate::act::host::Host;
use crate::act::join::{self, Join, Pair, Who};
use crate::act::journal::Journal;
use crate::act::kept::State;
use crate::act::made::MadeCursor;
use crate::act::manner::{Counts, Mode, Phases};
use crate::act::tasks::{self, Dump};
use crate::act::tour::{self, tour};
use crate::act::undo::roll_back;
use crate::act::work::{Pass, Space, Work};
use crate::difference::Tell;
use crate::error::{At, Error, Fault, Why};
use crate::image::schema::about;
use crate::image::view::{Image, Task};
use crate::kernel;
use crate::kernel::proc::{self, Proc};
use crate::limits::{JOURNAL_BYTES, LINE_BYTES, RECORD_BYTES, VALUE_BYTES};
use crate::log::{Level, Log};
use crate::name::Shown;
use crate::owners::Owners;
use crate::property::value::coarser;
use crate::vet::vet;

/// Passes over all values, and over all tasks, before what still changes is an error.
const PASSES: u32 = 8;

/// What is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
	/// How groups and values are treated.
	pub mode: Mode,
	/// What is done.
	pub phases: Phases,
	/// Where groups go, each `[CTRL:]PATH`.
	pub roots: &'a [&'a [u8]],
	/// A folder with the hierarchies to use; all that are mounted if none.
	pub yard: Option<&'a [u8]>,
	/// The image's folder: tasks of an image of CRIU are those of the dump in it.
	pub folder: Option<&'a [u8]>,
	/// How owners change.
	pub owners: Owners<'a>,
	/// Who takes whose place.
	pub pid_map: &'a [Pair],
	/// Tasks have the numbers of the image, though they were started anew.
	pub same_pids: bool,
	/// What this host does not have is left out and counted.
	pub skip_missing: bool,
	/// Values that a translation lost.
	pub lost: u64,
	/// Lists of CPUs and memory nodes are cut to what this host has.
	pub fit: bool,
	/// A failed restore is taken back.
	pub rollback: bool,
	/// Every value of every group is read back at the end.
	pub read_all: bool,
	/// The file of the journal.
	pub journal: Option<&'a [u8]>,
}

/// All buffers of a restore.
pub struct Workspace {
	pub(crate) host: Host,
	pub(crate) targets: Targets,
	pub(crate) tour: tour::Buffers,
	pub(crate) join: join::Buffers,
	pub(crate) line: [u8; LINE_BYTES],
	pub(crate) record: [u8; RECORD_BYTES],
	pub(crate) value: [u8; VALUE_BYTES],
	pub(crate) journal: [u8; JOURNAL_BYTES],
	lists: fits::Lists,
}

impl Workspace {
	/// Empty ones.
	pub const fn new() -> Self {
		Workspace {
			host: Host::new(),
			targets: Targets::new(),
			tour: tour::Buffers::new(),
			join: join::Buffers::new(),
			line: [0; LINE_BYTES],
			record: [0; RECORD_BYTES],
			value: [0; VALUE_BYTES],
			journal: [0; JOURNAL_BYTES],
			lists: [const { [const { None }; 2] }; 2],
		}
	}
}

impl Default for Workspace {
	fn default() -> Self {
		Workspace::new()
	}
}

/// How a restore ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
	/// What was done.
	pub counts: Counts,
	/// The process's exit code; what failed was told.
	pub code: u8,
}

/// Makes the host as the image says. An error means that nothing was changed.
pub fn restore<'a>(
	image: &Image<'a>,
	request: &Request<'_>,
	space: &mut Workspace,
	log: &mut dyn Log,
) -> Result<Outcome, Error> {
	let freezes = judge(image, request.skip_missing, log)?;
	if request.mode == Mode::Ignore {
		return Ok(Outcome { counts: Counts::default(), code: 0 });
	}
	kernel::raise_open_files();
	kernel::clear_umask();
	let Workspace { host, targets, tour, join, line, record, value, journal, lists } = space;
	host.discover(request.yard, line)?;
	let brings = request.phases.create && request.mode.makes();
	let mut aim = Aim { host, targets, skip_missing: request.skip_missing, brings, skipped: 0, log };
	aim.run(image, request.roots)?;
	let counts = Counts { skipped: aim.skipped, ..Counts::default() };
	disks::tell(image, log)?;
	if !request.skip_missing {
		fits::judge(image, host, targets, (request.mode, request.phases), line)?;
	}
	if request.fit {
		fits::read_lists(host, targets, line, lists);
	}
	let proc = Proc::open().at(format_args!("open /proc"))?;
	let dump = &Dump::beside(image, request.folder.filter(|_| request.phases.join))?;
	let who = who(image, dump.as_ref(), host, targets, &proc, request, log)?;
	let space = Space { record, value, journal };
	let mut work = Work::new(space, log, request.mode, request.phases).at(format_args!("make the journal"))?;
	(work.skip_missing, work.trust, work.freezes, work.counts) = (request.skip_missing, true, freezes, counts);
	(work.ours, work.page, work.read_all) = (is_ours(image)?, page(image)?, request.read_all);
	work.owners = request.owners;
	work.fit = request.fit.then_some(&*lists);
	if let Some(path) = request.journal {
		work.journal.keep(path, host, work.record).at(format_args!("--journal {}", Shown(path)))?;
		work.trust = !work.journal.is_continued();
	}
	let join = Join::new(*image, host, targets, dump.as_ref(), (who, proc), join);
	let mut story = Story { image: *image, host, targets, tour, join, work };
	let done = story.phases();
	let outcome = story.finish(done, request);
	if outcome.as_ref().is_ok_and(|outcome| outcome.code == 1) {
		drop(story); // it has groups open
		let_go(host, line, log)?;
	}
	outcome
}

/// Ends the hierarchies that the restore made.
pub(super) fn let_go(host: &mut Host, line: &mut [u8; LINE_BYTES], log: &mut dyn Log) -> Result<(), Error> {
	if !host.let_go(line).at(format_args!("hierarchies that were made"))? {
		log.warn(format_args!("a hierarchy that was made is left, without a group: mount and unmount it to end it"));
	}
	Ok(())
}

/// Compares the host with the image and tells every difference; how many there are.
pub fn verify<'t>(
	image: &Image<'_>,
	(roots, owners): (&[&[u8]], Owners<'_>),
	yard: Option<&[u8]>,
	space: &'t mut Workspace,
	log: &'t mut dyn Log,
	tell: Tell<'t>,
) -> Result<u64, Error> {
	judge(image, false, log)?;
	kernel::raise_open_files();
	let Workspace { host, targets, tour, join, line, record, value, journal, .. } = space;
	host.discover(yard, line)?;
	let request = Request { phases: Phases::ALL, skip_missing: true, ..Request::default() };
	Aim { host, targets, skip_missing: false, brings: false, skipped: 0, log }.run(image, roots)?;
	let groups =
		verify_groups(image, host, targets, owners, (tour, Space { record, value, journal }), &mut *log, &mut *tell)?;
	let proc = Proc::open().at(format_args!("open /proc"))?;
	let who = who(image, None, host, targets, &proc, &request, log)?;
	let mut join = Join::new(*image, host, targets, None, (who, proc), join);
	join.tell = Some(tell);
	join.pass(&mut Journal::new(journal).at(format_args!("make the journal"))?)?;
	Ok(groups + join.differences)
}

#[inline(never)] // its buffers are not there any more when tasks are looked at
fn verify_groups(
	image: &Image<'_>,
	host: &Host,
	targets: &Targets,
	owners: Owners<'_>,
	(tour, space): (&mut tour::Buffers, Space<'_>),
	log: &mut dyn Log,
	tell: Tell<'_>,
) -> Result<u64, Error> {
	let mut work = Work::new(space, log, Mode::Full, Phases::ALL).at(format_args!("make the journal"))?;
	work.tell = Some(tell);
	(work.ours, work.page, work.owners) = (is_ours(image)?, page(image)?, owners);
	tour::tour(image, host, targets, tour, &mut work)?;
	Ok(work.differences)
}

/// Judges every byte of the image; whether it has freezers. Values of files that this version does not know are an
/// error, or counted.
fn judge(image: &Image<'_>, skip_missing: bool, log: &mut dyn Log) -> Result<bool, Error> {
	let found = vet(image).at(format_args!("the image"))?;
	if let Some((group, file)) = found.first_unknown {
		let error =
			Error::new(Fault::Unfit(Why::UnknownFile), format_args!("{} of group {}", Shown(file), Shown(group)));
		if !skip_missing {
			return Err(error);
		}
		log.warn(format_args!("skipped, with {} more like it: {error}", found.unknown - 1));
	}
	Ok(found.freezes)
}

fn is_ours(image: &Image<'_>) -> Result<bool, Error> {
	Ok(image.about().at(format_args!("the image"))?.is_some())
}

/// Bytes of the larger page, where the image is from a host with others.
fn page(image: &Image<'_>) -> Result<u64, Error> {
	let about = image.about().at(format_args!("the image"))?;
	let saved = about.map_or(Ok(0), |about| about.page_size()).at(format_args!("the image"))?;
	Ok(coarser(saved, kernel::page_size()))
}

/// Who takes whose place; refuses what cannot be before anything is touched.
fn who<'m>(
	image: &Image<'_>,
	dump: Option<&Dump<'_>>,
	host: &Host,
	targets: &Targets,
	proc: &Proc,
	request: &Request<'m>,
	log: &mut dyn Log,
) -> Result<Who<'m>, Error> {
	for pair in request.pid_map {
		vet_pair(image, dump, proc, *pair).at(format_args!("--pid-map {}:{}", pair.0, pair.1))?;
	}
	let mut boot_id = [0; 64];
	let boot_id = proc::boot_id(&mut boot_id);
	let about = image.about().at(format_args!("the image"))?;
	let saved = about.map_or(Ok(&b""[..]), |about| about.text(about::BOOT_ID)).at(format_args!("the image"))?;
	if boot_id.is_empty()
		&& !request.same_pids
		&& !saved.is_empty()
		&& dump.is_none()
		&& request.phases.join
		&& request.pid_map.is_empty()
	{
		log.warn(format_args!(
			"no task is moved: the id of this boot cannot be read, so --pid-map has to say who is who"
		));
	}
	if let Some(dump) = dump {
		tasks::judge(image, dump, Some(proc).filter(|_| request.pid_map.is_empty()), log)?;
	}
	let who = match request.pid_map {
		_ if !request.phases.join => Who::Nobody,
		[] if dump.is_some() => Who::SameIds,
		[] if request.same_pids => {
			// Whose tree has other numbers has none of these tasks.
			if let Some(first) = image.tasks().next().transpose().at(format_args!("the image"))? {
				let first = Task { parent: Some(0), ..first };
				let place = format_args!("task {} ({})", first.pid, Shown(first.comm));
				if let Some(why) = tasks::stranger(proc, &first).at(place)? {
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
	if !request.skip_missing {
		vet_mounted(image, host)?;
	}
	Ok(who)
}

/// Refuses sets with groups in hierarchies that are not mounted.
pub(crate) fn vet_mounted(image: &Image<'_>, host: &Host) -> Result<(), Error> {
	for member in image.sets().flatten().flat_map(|set| set.members()).flatten() {
		let mounted = host.hierarchies.iter().any(|known| known.mount.is_some() && known.label.shares(member.name));
		if !mounted && member.path != b"/" {
			let name = crate::hierarchy::ShownLabel(member.name);
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

/// A restore on its way.
struct Story<'s, 'a> {
	image: Image<'a>,
	host: &'s Host,
	targets: &'s Targets,
	tour: &'s mut tour::Buffers,
	join: Join<'s, 'a>,
	work: Work<'s>,
}

impl Story<'_, '_> {
	fn phases(&mut self) -> Result<(), Error> {
		let Phases { create, join, limit, freeze } = self.work.phases;
		if !create || !matches!(self.work.mode, Mode::Full | Mode::Soft) {
			self.pass(Pass::Scout)?;
		}
		self.work.pending = !create || self.work.journal.is_continued();
		if create {
			self.pass(Pass::Create)?;
		}
		if join {
			self.join()?;
		}
		if (create || join || limit) && self.work.pending {
			self.settle()?;
		}
		if freeze && self.work.freezes {
			self.pass(Pass::Freeze)?;
		}
		self.read_back()?;
		if join {
			self.join()?;
			self.join.lost.tell(self.work.log);
		}
		Ok(())
	}

	fn pass(&mut self, pass: Pass) -> Result<(), Error> {
		let work = &mut self.work;
		work.journal.flush().at(format_args!("write the journal"))?;
		(work.pass, work.cursor) = (pass, MadeCursor::new());
		(work.failed, work.seen, work.differences, work.first) = (0, 0, 0, None);
		tour(&self.image, self.host, self.targets, self.tour, work)
	}

	/// Moves tasks until a pass finds none to move.
	fn join(&mut self) -> Result<(), Error> {
		for _ in 0..PASSES {
			match self.join.pass(&mut self.work.journal)? {
				0 => return Ok(()),
				moved => self.work.counts.joined += moved,
			}
		}
		Err(Fault::NotKept).at(format_args!("the tasks' groups"))
	}

	/// Writes values until nothing is refused, or nothing changes any more.
	fn settle(&mut self) -> Result<(), Error> {
		for _ in 0..PASSES {
			let before = self.work.counts.written;
			self.pass(Pass::Settle)?;
			if self.work.failed == 0 {
				return Ok(());
			}
			if self.work.counts.written == before {
				break;
			}
		}
		if self.work.skip_missing { Ok(()) } else { self.pass(Pass::Insist) }
	}

	/// Reads everything back. Where a new group is not as the property table says, everything is compared once more.
	fn read_back(&mut self) -> Result<(), Error> {
		let skipped = self.work.counts.skipped;
		self.pass(Pass::Check)?;
		if self.work.differences != 0 && self.work.trust {
			self.work.trust = false;
			self.settle()?;
			if self.work.phases.freeze {
				self.pass(Pass::Freeze)?;
			}
			self.work.counts.skipped = skipped;
			self.pass(Pass::Check)?;
		}
		let Work { counts, seen, first, .. } = &mut self.work;
		counts.right = seen.saturating_sub(counts.written + counts.skipped);
		first.map_or(Ok(()), Err)
	}

	fn code(&self, request: &Request<'_>) -> u8 {
		if (request.skip_missing || request.lost > 0) && self.work.counts.skipped > 0 { 6 } else { 0 }
	}

	/// What the journal says in the end, and the outcome.
	fn finish(&mut self, done: Result<(), Error>, request: &Request<'_>) -> Result<Outcome, Error> {
		let outcome = match done {
			Ok(()) => {
				self.work.counts.skipped += request.lost;
				Ok(Outcome { counts: self.work.counts, code: self.code(request) })
			}
			Err(error) if self.work.journal.is_empty() => Err(error),
			Err(error) => Ok(self.fail(&error, request.rollback)),
		};
		let code = outcome.as_ref().map_or(1, |outcome| outcome.code);
		if code != 5 {
			// An undo finds out as well that there is nothing to take back, or that all is done.
			let _ = self.work.journal.mark(if code == 1 { State::Void } else { State::Complete });
		} else if let Some(path) = request.journal {
			self.work
				.log
				.say(Level::Error, format_args!("what is left can be taken back: cgraft undo {}", Shown(path)));
		}
		outcome
	}

	/// Tells what failed and takes back what was done.
	fn fail(&mut self, error: &Error, rollback: bool) -> Outcome {
		let Work { journal, record, value, log, counts, .. } = &mut self.work;
		log.say(Level::Error, format_args!("{error}"));
		let code = if rollback {
			roll_back(journal, self.host, record, value, *log)
		} else {
			log.say(Level::Error, format_args!("nothing was taken back (--no-rollback)"));
			5
		};
		Outcome { counts: *counts, code }
	}
}
