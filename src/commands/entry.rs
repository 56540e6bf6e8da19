//! attach and exec.

use cgraft::enter::{Request, enter};
use cgraft::error::{At, Error, Fault, Why, errno};
use cgraft::log::Log;
use cgraft::name::Shown;
use cgraft::procfs::scan::number32;

use super::rewriting::used;
use super::translating::{Translated, translated};
use super::{ImagePath, RESTORE, TEXTS, open, pid, pids, texts, yard};
use crate::cli::{self, Cli};
use crate::messages::Messages;
use crate::start;

/// What shells exit with for a command that is not there, and for one that cannot be run.
const NOT_FOUND: u8 = 127;
const CANNOT_RUN: u8 = 126;

/// Running processes into the groups of a set.
pub fn run_attach(cli: &Cli, messages: &mut Messages) -> Result<u8, Error> {
	let pids = pids(&cli.pids)?;
	if pids.is_empty() {
		return Err(Fault::Usage(Why::NoProcess)).at(format_args!("attach"));
	}
	let (moved, code) = run_enter(cli, &pids, messages)?;
	if code == 0 {
		messages.sum_up(format_args!("attached: processes {}, tasks moved {moved}", pids.len()));
	}
	Ok(code)
}

/// This process into the groups of a set; then it becomes the command.
pub fn run_exec(cli: &Cli, messages: &mut Messages) -> Result<u8, Error> {
	let Some(command) = start::command() else {
		return Err(Fault::Usage(Why::NothingToRun)).at(format_args!("exec"));
	};
	let (_, code) = run_enter(cli, &[], messages)?;
	if code != 0 {
		return Ok(code);
	}
	let number = start::execute();
	messages.error(&Error::new(Fault::Kernel(number), format_args!("{}", Shown(command))));
	Ok(if number == errno::ENOENT { NOT_FOUND } else { CANNOT_RUN })
}

fn run_enter(cli: &Cli, pids: &[u32], messages: &mut Messages) -> Result<(u64, u8), Error> {
	let path = ImagePath::new(cli)?;
	let set = match cli.set {
		None => None,
		Some(cli::Text(set)) => {
			let number = number32(set.as_bytes()).ok_or(Fault::Usage(Why::NotASet));
			Some(number.at(format_args!("--set {}", Shown(set.as_bytes())))?)
		}
	};
	let [roots, ..] = &mut *TEXTS.try_lock().unwrap_or_else(|_| unreachable!());
	let request = Request {
		set,
		pids,
		roots: texts(&cli.roots, roots)?,
		like: pid("--like", cli.like)?,
		yard: yard(cli),
		folder: cli.images_dir.map(|folder| folder.0.as_bytes()),
		skip_missing: cli.skip_missing,
	};
	let map = path.map()?;
	let mut other = None;
	let image = used(cli, open(&map, &path)?, &mut other, messages)?;
	let mut space = RESTORE.try_lock().unwrap_or_else(|_| unreachable!());
	let changed = translated(cli, &image, &mut space, messages)?;
	let image = changed.as_ref().map_or(Ok(image), Translated::image)?;
	enter(&image, &request, &mut space, messages)
}
