//! restore and check: options in, a request to the library, and what came of it out.

use std::cell::RefCell;
use std::fmt::{self, Write};
use std::sync::Mutex;

use cgraft::act::dry::Steps;
use cgraft::act::manner::{Counts, Mode, Phases};
use cgraft::error::{At, Error, Fault, Why};
use cgraft::hash::{START, hash};
use cgraft::kernel::stream::{Target, Text};
use cgraft::log::{Level, Log};
use cgraft::name::Shown;
use cgraft::report::offered::Report;
use cgraft::restore::{Outcome, Request, restore};

use super::options::{PAIRS, pairs};
use super::rewriting::used;
use super::translating::{Translated, translated};
use super::{ImagePath, REPORT, RESTORE, SHIFTS, TEXTS, delivered, open, owners, pid, texts, yard};
use crate::cli::Cli;
use crate::messages::Messages;

pub fn run_restore(cli: &Cli, messages: &mut Messages) -> Result<u8, Error> {
	let mut buffer = REPORT.try_lock().unwrap_or_else(|_| unreachable!());
	let out = RefCell::new(Text::new(Target::Out, &mut *buffer));
	let steps = |line: fmt::Arguments<'_>| {
		let _ = out.try_borrow_mut().map(|mut out| writeln!(out, "{line}")); // the first fault is kept
	};
	let done = grow(cli, cli.dry_run.then_some(&steps), messages);
	delivered(out.into_inner().flush())?;
	let Outcome { counts, code } = done?;
	if code == 0 || code == 6 {
		let verb = if cli.dry_run { "would be restored" } else { "restored" };
		let Counts { created, found, written, right, skipped, joined } = counts;
		messages.sum_up(format_args!(
			"{verb}: groups created {created}, found {found}, values written {written}, already right {right}, \
			 skipped {skipped}, tasks joined {joined}"
		));
	}
	Ok(code)
}

/// A restore as the options say; with `steps` a dry one.
fn grow(cli: &Cli, steps: Option<Steps<'_>>, log: &mut dyn Log) -> Result<Outcome, Error> {
	let path = ImagePath::new(cli)?;
	let mode = cli.manage_cgroups.map_or("full", |mode| mode.0);
	let phases = cli.phase.map_or("create,join,limit,freeze", |phases| phases.0);
	let place = format_args!("--manage-cgroups {}", Shown(mode.as_bytes()));
	let [roots, ..] = &mut *TEXTS.try_lock().unwrap_or_else(|_| unreachable!());
	let shifts = &mut *SHIFTS.try_lock().unwrap_or_else(|_| unreachable!());
	let map = &mut *PAIRS.try_lock().unwrap_or_else(|_| unreachable!());
	let mut request = Request {
		mode: Mode::parse(mode).ok_or(Fault::Usage(Why::NoSuchChoice)).at(place)?,
		phases: Phases::parse(phases).at(format_args!("--phase {}", Shown(phases.as_bytes())))?,
		roots: texts(&cli.roots, roots)?,
		like: pid("--like", cli.like)?,
		yard: yard(cli),
		folder: cli.images_dir.map(|folder| folder.0.as_bytes()),
		owners: owners(cli, shifts)?,
		pid_map: pairs(cli, map)?,
		same_pids: cli.same_pids,
		pidns: pid("--pidns", cli.pidns)?,
		skip_missing: cli.skip_missing || cli.fit,
		lost: 0,
		fit: cli.fit,
		rollback: !cli.no_rollback,
		read_all: cli.read_all,
		freeze: cli.freeze,
		journal: cli.journal.map(|path| path.0.as_bytes()),
		steps,
	};
	let claims = [!request.pid_map.is_empty(), request.same_pids, request.pidns.is_some()];
	if claims.into_iter().filter(|given| *given).count() > 1 {
		return Err(Fault::Usage(Why::MapAndSpace)).at(format_args!("restore"));
	}
	let map = path.map()?;
	let mut other = None;
	let image = used(cli, open(&map, &path)?, &mut other, log)?;
	let mut space = RESTORE.try_lock().unwrap_or_else(|_| unreachable!());
	let changed = translated(cli, &image, &mut space, log)?;
	let image = changed.as_ref().map_or(Ok(image), Translated::image)?;
	request.lost = changed.as_ref().map_or(0, |changed| changed.lost);
	restore(&image, &request, &mut space, log)
}

/// Reasons that are remembered: what several passes find is told once.
type Told = heapless::Vec<u32, 4096>;
static TOLD: Mutex<Told> = Mutex::new(Told::new());

/// Notes the reasons why this host cannot take an image.
struct Reasons<'m, 'b> {
	messages: &'m mut Messages,
	out: &'m mut Report<'b>,
	told: &'m mut Told,
	count: u64,
}

impl Log for Reasons<'_, '_> {
	fn say(&mut self, level: Level, line: fmt::Arguments<'_>) {
		self.messages.say(level, line);
	}

	fn sum_up(&mut self, line: fmt::Arguments<'_>) {
		self.messages.sum_up(line);
	}

	fn unfit(&mut self, error: Error) -> Result<(), Error> {
		if matches!(error.exit_code(), 2 | 3) {
			return Err(error);
		}
		let mut sum = Sum(START);
		let _ = write!(sum, "{error}");
		if !self.told.contains(&sum.0) {
			let _ = self.told.push(sum.0); // with more of them some may be told again
			self.count += 1;
			self.out.reason(&error);
		}
		Ok(())
	}
}

/// The hash of a reason's place, without a value: what is told of a file before is not told once more by a later pass.
struct Sum(u32);

impl Write for Sum {
	fn write_str(&mut self, text: &str) -> fmt::Result {
		if self.0 == START {
			let place = text.as_bytes();
			let end = place.windows(7).position(|seven| seven == b", value").unwrap_or(place.len());
			self.0 = hash(START, place.get(..end).unwrap_or(place));
		}
		Ok(())
	}
}

/// Without an image what this host offers; else whether it could take the image, and every reason why not.
#[inline(never)] // its buffers are no other command's
pub fn run_check(cli: &Cli, messages: &mut Messages) -> Result<u8, Error> {
	let mut buffer = REPORT.try_lock().unwrap_or_else(|_| unreachable!());
	let mut out = Text::new(Target::Out, &mut *buffer);
	let mut report = Report::new(&mut out, cli.json);
	if cli.image.is_none() && cli.images_dir.is_none() {
		let mut space = RESTORE.try_lock().unwrap_or_else(|_| unreachable!());
		let (host, line) = space.look(yard(cli))?;
		report.host(host, line);
		return delivered(out.flush());
	}
	report.reasons();
	let told = &mut *TOLD.try_lock().unwrap_or_else(|_| unreachable!());
	let mut reasons = Reasons { messages, out: &mut report, told, count: 0 };
	let code = match grow(cli, Some(&|_| {}), &mut reasons).or_else(|error| {
		reasons.unfit(error)?;
		Ok(Outcome { counts: Counts::default(), code: 4 })
	})? {
		Outcome { code, .. } if reasons.count == 0 => code,
		_ => 4,
	};
	let count = reasons.count;
	report.finish(code);
	delivered(out.flush())?;
	if count == 0 {
		messages.sum_up(format_args!("fits{}", if code == 6 { ", but for what is skipped" } else { "" }));
	} else {
		messages.sum_up(format_args!("does not fit: reasons {count}"));
	}
	Ok(code)
}
