//! The restore as a story: image bytes -> judged view -> remap -> create -> join -> limit -> freeze -> read back.

use crate::act::host::Host;
use crate::act::join::{self, Join, Pair, Who};
use crate::act::journal::MadeCursor;
use crate::act::manner::{Counts, Mode, Phases};
use crate::act::namespace::Lost;
use crate::act::tour::{self, Target, Targets, tour};
use crate::act::undo::undo;
use crate::act::work::{Pass, Space, Tell, Work};
use crate::error::{At, Error, Fault, Why};
use crate::hierarchy::{Label, split_selector};
use crate::image::schema::about;
use crate::image::view::{Hierarchy, Image};
use crate::kernel;
use crate::kernel::proc::{Proc, read_path};
use crate::limits::{JOURNAL_BYTES, LINE_BYTES, Limit, RECORD_BYTES, VALUE_BYTES};
use crate::log::{Level, Log};
use crate::name::Shown;
use crate::remap::{self, Path, Rule};
use crate::vet::vet;

/// Passes over all values, and over all tasks, before what still changes is an error.
const PASSES: u32 = 8;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
	/// How groups and values are treated.
	pub mode: Mode,
	/// What is done.
	pub phases: Phases,
	/// Where groups go, each `[CTRL:]PATH`.
	pub roots: &'a [&'a [u8]],
	/// Who takes whose place.
	pub pid_map: &'a [Pair],
	/// What this host does not have is left out and counted.
	pub skip_missing: bool,
	/// A failed restore is taken back.
	pub rollback: bool,
	/// Every value of every group is read back at the end.
	pub read_all: bool,
}

/// All buffers of a restore.
pub struct Workspace {
	host: Host,
	targets: Targets,
	tour: tour::Buffers,
	join: join::Buffers,
	line: [u8; LINE_BYTES],
	record: [u8; RECORD_BYTES],
	value: [u8; VALUE_BYTES],
	journal: [u8; JOURNAL_BYTES],
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
	let Workspace { host, targets, tour, join, line, record, value, journal } = space;
	host.discover(line)?;
	let mut counts = Counts::default();
	aim(image, host, request, targets, &mut counts, log)?;
	let proc = Proc::open().at(format_args!("open /proc"))?;
	let who = who(image, host, &proc, request, log)?;
	let space = Space { record, value, journal };
	let mut work = Work::new(space, log, request.mode, request.phases).at(format_args!("make the journal"))?;
	(work.skip_missing, work.trust, work.freezes, work.counts) = (request.skip_missing, true, freezes, counts);
	(work.ours, work.read_all) = (is_ours(image)?, request.read_all);
	let join = Join {
		image: *image,
		host,
		targets,
		who,
		proc,
		buffers: join,
		set: None,
		process: None,
		at: 0,
		lost: Lost::default(),
	};
	let mut story = Story { image: *image, host, targets, tour, join, work };
	match story.phases() {
		Ok(()) => Ok(Outcome { counts: story.work.counts, code: story.code() }),
		Err(error) if story.work.journal.is_empty() => Err(error),
		Err(error) => Ok(story.fail(&error, request.rollback)),
	}
}

/// Compares the host with the image and tells every difference; how many there are.
pub fn verify<'t>(
	image: &Image<'_>,
	roots: &[&[u8]],
	space: &'t mut Workspace,
	log: &'t mut dyn Log,
	tell: Tell<'t>,
) -> Result<u64, Error> {
	judge(image, false, log)?;
	kernel::raise_open_files();
	let Workspace { host, targets, tour, line, record, value, journal, .. } = space;
	host.discover(line)?;
	let phases = Phases { create: true, join: true, limit: true, freeze: true };
	let request =
		Request { mode: Mode::Full, phases, roots, pid_map: &[], skip_missing: false, rollback: false, read_all: true };
	let mut counts = Counts::default();
	aim(image, host, &request, targets, &mut counts, log)?;
	let space = Space { record, value, journal };
	let mut work = Work::new(space, log, Mode::Full, phases).at(format_args!("make the journal"))?;
	work.tell = Some(tell);
	work.ours = is_ours(image)?;
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

/// Finds the host's hierarchy for each of the image's, and how paths change.
fn aim(
	image: &Image<'_>,
	host: &Host,
	request: &Request<'_>,
	targets: &mut Targets,
	counts: &mut Counts,
	log: &mut dyn Log,
) -> Result<(), Error> {
	targets.clear();
	let mut label = Label::new(b"").at(format_args!("the image"))?;
	for hierarchy in image.hierarchies() {
		let full = Fault::full(Limit::Hierarchies, targets.len() + 1);
		targets.push(Target { at: None, rule: Rule::identity() }).map_err(|_| full).at(format_args!("the image"))?;
		let Some(target) = targets.last_mut() else { continue };
		let found = hierarchy.and_then(|hierarchy| find(&hierarchy, host, &mut label, &mut target.rule.old));
		target.at = match found {
			Err(Fault::Unfit(why @ (Why::NoHierarchy | Why::NotMounted))) if request.skip_missing => {
				counts.skipped += 1;
				log.warn(format_args!("hierarchy {}: skipped: {}", label.shown(), why.text()));
				None
			}
			found => found.at(format_args!("hierarchy {}", label.shown()))?,
		};
	}
	// A rule for one hierarchy wins over a rule for all.
	for is_general in [true, false] {
		for root in request.roots {
			turn(host, targets, root, is_general).at(format_args!("--cgroup-root {}", Shown(root)))?;
		}
	}
	Ok(())
}

/// The host's hierarchy with the same controllers, whose label is left in `label`; none where the image has no groups
/// for it.
fn find(hierarchy: &Hierarchy<'_>, host: &Host, label: &mut Label, common: &mut Path) -> Result<Option<usize>, Fault> {
	*label = Label::new(b"")?;
	for name in hierarchy.names() {
		label.add(name?)?;
	}
	if !remap::common(hierarchy, common)? {
		return Ok(None);
	}
	let at = host.find(label.bytes()).ok_or(Fault::Unfit(Why::NoHierarchy))?;
	match &host.hierarchies[at].mount {
		Some(mount) if !mount.read_only => Ok(Some(at)),
		Some(_) => Err(Fault::Unfit(Why::ReadOnly)),
		None => Err(Fault::Unfit(Why::NotMounted)),
	}
}

/// Turns the groups of the hierarchies that are meant towards a path.
fn turn(host: &Host, targets: &mut Targets, root: &[u8], is_general: bool) -> Result<(), Fault> {
	let (selector, path) = split_selector(root)?;
	if selector.is_none() != is_general {
		return Ok(());
	}
	let mut turned = false;
	for target in targets.iter_mut() {
		let Some(at) = target.at else { continue };
		if selector.is_none_or(|selector| host.hierarchies[at].label.is_meant_by(selector)) {
			remap::target(path, &mut target.rule.new)?;
			target.rule.moves = true;
			turned = true;
		}
	}
	if turned { Ok(()) } else { Err(Fault::Usage(Why::NothingToMove)) }
}

/// Who takes whose place; refuses what cannot be before anything is touched.
fn who<'m>(
	image: &Image<'_>,
	host: &Host,
	proc: &Proc,
	request: &Request<'m>,
	log: &mut dyn Log,
) -> Result<Who<'m>, Error> {
	for pair in request.pid_map {
		vet_pair(image, proc, *pair).at(format_args!("--pid-map {}:{}", pair.0, pair.1))?;
	}
	let mut boot_id = [0; 64];
	let len = read_path(c"/proc/sys/kernel/random", c"boot_id", &mut boot_id);
	let about = image.about().at(format_args!("the image"))?;
	let saved = about.map_or(Ok(&b""[..]), |about| about.text(about::BOOT_ID)).at(format_args!("the image"))?;
	if len == 0 && !saved.is_empty() && request.phases.join && request.pid_map.is_empty() {
		log.warn(format_args!(
			"no task is moved: the id of this boot cannot be read, so --pid-map has to say who is who"
		));
	}
	let who = match request.pid_map {
		_ if !request.phases.join => Who::Nobody,
		[] if len > 0 && saved == boot_id[..len].trim_ascii_end() => Who::SameBoot,
		[] => Who::Nobody,
		pairs => Who::Mapped(pairs),
	};
	if matches!(who, Who::Nobody) || request.skip_missing {
		return Ok(who);
	}
	for member in image.sets().flatten().flat_map(|set| set.members()).flatten() {
		let mounted = host.find(member.name).is_some_and(|at| host.hierarchies[at].mount.is_some());
		if !mounted && member.path != b"/" {
			let name = crate::hierarchy::ShownLabel(member.name);
			return Err(Error::new(Fault::Unfit(Why::NoHierarchy), format_args!("hierarchy {name}")));
		}
	}
	Ok(who)
}

/// The process is one of the image, and the other one runs.
fn vet_pair(image: &Image<'_>, proc: &Proc, (old, new): Pair) -> Result<(), Fault> {
	if !image.tasks().flatten().any(|task| task.pid == old) {
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
		self.work.pending = !create;
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

	fn code(&self) -> u8 {
		if self.work.skip_missing && self.work.counts.skipped > 0 { 6 } else { 0 }
	}

	/// Tells what failed and takes back what was done.
	fn fail(&mut self, error: &Error, rollback: bool) -> Outcome {
		let Work { journal, record, value, log, counts, .. } = &mut self.work;
		log.say(Level::Error, format_args!("{error}"));
		let left = match rollback {
			true => undo(journal, self.host, record, value, *log),
			false => 1,
		};
		match (rollback, left) {
			(true, 0) => log.warn(format_args!("everything was taken back: the host is as it was")),
			(true, left) => log.say(Level::Error, format_args!("taken back, but for {left} changes that are left")),
			(false, _) => log.say(Level::Error, format_args!("nothing was taken back (--no-rollback)")),
		}
		Outcome { counts: *counts, code: if left == 0 { 1 } else { 5 } }
	}
}
