//! The restore as a story: image bytes -> judged view -> remap -> create -> join -> limit -> freeze -> read back.

mod story;
mod verify;

use crate::act::ahead::Ahead;
use crate::act::ahead::back::{Back, Share};
use crate::act::aim::{Aim, Targets};
use crate::act::disks;
use crate::act::dry::{Heads, Plan, Steps};
use crate::act::fits;
use crate::act::host::Host;
use crate::act::join::{self, Join};
use crate::act::journal::Journal;
use crate::act::manner::{Counts, Mode, Phases};
use crate::act::pairs::Pair;
use crate::act::pidns::Room;
use crate::act::systemd;
use crate::act::tasks::Dump;
use crate::act::tour;
use crate::act::who::{Claim, Who, who};
use crate::act::work::{Space, Work};
use crate::error::{At, Error, Fault, Why};
use crate::image::view::Image;
use crate::kernel;
use crate::kernel::dir::keeps_beneath;
use crate::kernel::proc::Proc;
use crate::limits::{JOURNAL_BYTES, LINE_BYTES, PLAN_HEADS, RECORD_BYTES, VALUE_BYTES};
use crate::log::Log;
use crate::name::Shown;
use crate::owners::Owners;
use crate::property::value::coarser;
use crate::vet::vet;

use self::story::Story;

pub use self::verify::verify;

/// What is asked for.
#[derive(Clone, Copy, Default)]
pub struct Request<'a> {
	/// How groups and values are treated.
	pub mode: Mode,
	/// What is done.
	pub phases: Phases,
	/// Where groups go, each `[CTRL:]PATH`.
	pub roots: &'a [&'a [u8]],
	/// The groups of each hierarchy belong where this process is.
	pub like: Option<u32>,
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
	/// Tasks have their numbers in the pid namespace of this process.
	pub pidns: Option<u32>,
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
	/// Tasks are frozen while they move.
	pub freeze: bool,
	/// The file of the journal.
	pub journal: Option<&'a [u8]>,
	/// Nothing is changed; what would be goes there.
	pub steps: Option<Steps<'a>>,
}

/// All buffers of a restore.
pub struct Workspace {
	pub(crate) host: Host,
	pub(crate) targets: Targets,
	pub(crate) tour: tour::Buffers,
	pub(crate) join: join::Buffers,
	room: Room,
	pub(crate) line: [u8; LINE_BYTES],
	pub(crate) record: [u8; RECORD_BYTES],
	pub(crate) value: [u8; VALUE_BYTES],
	pub(crate) journal: [u8; JOURNAL_BYTES],
	heads: Heads,
	lists: fits::Lists,
	pub(crate) ahead: Ahead,
	back: Back,
}

impl Workspace {
	/// Empty ones.
	pub const fn new() -> Self {
		Workspace {
			host: Host::new(),
			targets: Targets::new(),
			tour: tour::Buffers::new(),
			join: join::Buffers::new(),
			room: Room::new(),
			line: [0; LINE_BYTES],
			record: [0; RECORD_BYTES],
			value: [0; VALUE_BYTES],
			journal: [0; JOURNAL_BYTES],
			heads: [0; PLAN_HEADS],
			lists: [const { [const { None }; 2] }; 2],
			ahead: Ahead::new(),
			back: Back::new(),
		}
	}
}

impl Workspace {
	/// The hierarchies of this host, and room for a value.
	pub fn look(&mut self, yard: Option<&[u8]>) -> Result<(&mut Host, &mut [u8]), Error> {
		self.host.discover(yard, &mut self.line)?;
		Ok((&mut self.host, &mut self.line))
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
	let Workspace { host, targets, tour, join, room, line, record, value, journal, heads, lists, back, .. } = space;
	host.discover(request.yard, line)?;
	let brings = request.phases.create && request.mode.makes();
	let Request { pid_map: pairs, same_pids, pidns, skip_missing, like, steps, freeze, .. } = *request;
	let mut aim = Aim { host, targets, skip_missing, like, brings, skipped: 0, log, steps };
	aim.run(image, request.roots)?;
	let counts = Counts { skipped: aim.skipped, ..Counts::default() };
	systemd::warn(image, host, targets, None, log)?;
	disks::tell(image, log)?;
	if !request.skip_missing {
		fits::judge(image, host, targets, (request.mode, request.phases), (line, log))?;
	}
	if request.fit {
		fits::read_lists(host, targets, line, lists);
	}
	let (back, proc) = (&*back, Proc::open().at(format_args!("open /proc"))?);
	let dump = &Dump::beside(image, request.folder.filter(|_| request.phases.join))?;
	let claim = Claim { pairs, same_pids, pidns, skip_missing };
	let who = match request.phases.join {
		true => who(image, dump.as_ref(), (host, targets), &proc, claim, (join, room), log)?,
		false => Who::Nobody,
	};
	if let (Some(path), true) = (request.journal, request.steps.is_some()) {
		Journal::vet_place(path, journal).at(format_args!("--journal {}", Shown(path)))?;
	}
	let space = Space { record, value, journal };
	let mut work = Work::new(space, log, request.mode, request.phases).at(format_args!("make the journal"))?;
	(work.skip_missing, work.trust, work.freezes, work.counts) = (request.skip_missing, true, freezes, counts);
	(work.ours, work.page, work.read_all) = (is_ours(image)?, page(image)?, request.read_all);
	(work.owners, work.nears) = (request.owners, request.steps.is_none() && keeps_beneath());
	(work.fit, work.share) = (request.fit.then_some(&*lists), (!skip_missing).then(|| Share::new(back)));
	if let Some(steps) = request.steps {
		kernel::hold_still();
		work.journal.plan = Some(Plan { steps, heads });
	} else if let Some(path) = request.journal {
		work.journal.keep(path, host, work.record).at(format_args!("--journal {}", Shown(path)))?;
		work.trust = !work.journal.is_continued();
	}
	let join = Join::new(*image, host, targets, dump.as_ref(), (who, proc), join);
	let mut story = Story { image: *image, host, targets, tour, join, work, back, settled: false, freeze };
	let done = story.phases();
	let outcome = story.finish(done, request);
	if request.steps.is_none() && outcome.as_ref().is_ok_and(|outcome| outcome.code == 1) {
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

/// Judges every byte of the image; whether it has freezers. Values of files that this version does not know are an
/// error, or counted.
fn judge(image: &Image<'_>, skip_missing: bool, log: &mut dyn Log) -> Result<bool, Error> {
	let found = vet(image).at(format_args!("the image"))?;
	if let Some((group, file)) = found.first_unknown {
		let error =
			Error::new(Fault::Unfit(Why::UnknownFile), format_args!("{} of group {}", Shown(file), Shown(group)));
		if !skip_missing {
			log.unfit(error)?;
			return Ok(found.freezes);
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
