//! The undo as a story: a journal's file -> judged records -> the host as it was before the restore.

use crate::act::journal::Journal;
use crate::act::kept::State;
use crate::act::undo::{tell_left, undo};
use crate::error::{At, Error};
use crate::kernel;
use crate::log::Log;
use crate::name::Shown;
use crate::restore::{Workspace, let_go};

/// Takes back what the restore of this journal did; the exit code. An error means that nothing was changed.
pub fn take_back(path: &[u8], yard: Option<&[u8]>, space: &mut Workspace, log: &mut dyn Log) -> Result<u8, Error> {
	let place = format_args!("journal {}", Shown(path));
	let Workspace { host, line, record, value, journal, .. } = space;
	let (mut journal, state, size) = Journal::open(path, journal).at(place)?;
	if state == State::Void {
		log.warn(format_args!("nothing to take back: the journal is void, or from before the last boot"));
		let _ = journal.mark(State::Void); // it says so anyway
		return Ok(0);
	}
	kernel::raise_open_files();
	host.discover(yard, line)?;
	journal.arrange(host).at(place)?;
	journal.scan(host, state, size, record)?;
	let left = undo(&mut journal, host, record, value, log, state == State::Complete);
	if left != 0 {
		return Ok(tell_left(left, log));
	}
	journal.mark(State::Void).at(place)?;
	let_go(host, line, log)?;
	log.sum_up(format_args!("taken back: the host is as it was before the restore"));
	Ok(0)
}
