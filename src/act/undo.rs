//! The journal of a failed restore in, the host as it was before out: every change taken back, the last one first.
//!
//! Each is taken back whether it was made or not, and any number of times: a value that is as it was is not written, a
//! group that is not there needs not be removed, a task that is gone needs not be moved.

use crate::act::groups::OPEN_MODE;
use crate::act::halt::is_own;
use crate::act::host::Host;
use crate::act::journal::{Change, Journal, Record, file_name};
use crate::act::moves::move_task;
use crate::act::read;
use crate::act::tasks::start_of;
use crate::act::thaw::evacuate;
use crate::act::values::write_all;
use crate::error::{Fault, Why, errno};
use crate::image::view::Perms;
use crate::kernel::{self, dir::Dir, proc::Proc};
use crate::limits::{ATTRIBUTE_NAME_BYTES, FILE_BYTES, RECORD_BYTES, VALUE_BYTES};
use crate::log::{Level, Log};
use crate::name::{Name, Shown, ShownPath};
use crate::property::{self, Property, value};

/// Tries of a removal: tasks that have just left or died are gone from a group only after a moment.
const TRIES: u32 = 50;
const PAUSE_MS: u32 = 10;

/// Goes over the journal before what is still refused is left: a parent's value may wait for a child's, and for the
/// kernel to forget removed children, which takes some milliseconds.
const PASSES: u32 = 40;

/// Takes a failed run back, and tells whether that was done; the exit code.
pub fn roll_back(
	journal: &mut Journal<'_>,
	host: &Host,
	record: &mut [u8; RECORD_BYTES],
	value: &mut [u8; VALUE_BYTES],
	log: &mut dyn Log,
) -> u8 {
	match undo(journal, host, record, value, log, false) {
		0 => {
			log.warn(format_args!("everything was taken back: the host is as it was"));
			1
		}
		left => tell_left(left, log),
	}
}

/// Tells that changes are left; the exit code.
pub fn tell_left(left: u64, log: &mut dyn Log) -> u8 {
	log.say(Level::Error, format_args!("taken back, but for {left} changes that are left"));
	5
}

/// Takes everything back; how many changes could not be, each of which is told.
pub fn undo(
	journal: &mut Journal<'_>,
	host: &Host,
	record: &mut [u8; RECORD_BYTES],
	value: &mut [u8; VALUE_BYTES],
	log: &mut dyn Log,
	is_done: bool,
) -> u64 {
	if journal.flush().is_err() {
		return 1;
	}
	let (mut kept, mut tries) = (0, 1);
	for pass in 0..=PASSES {
		kernel::sleep_ms(if pass == 0 { 0 } else { PAUSE_MS });
		let (mut left, mut end) = (kept, journal.len());
		let is_first = pass == 0;
		if pass == 1 {
			tries = TRIES;
		}
		while let Ok(Some((change, start))) = journal.before(end, record) {
			let how = How { is_first, is_done, is_kept: journal.is_kept(), tries };
			if let Err(fault) = take_back(&change, host, value, how) {
				let is_final = matches!(fault, Fault::Unfit(Why::ChangedSince));
				kept += u64::from(is_final);
				left += 1;
				if change.change == Change::Made {
					tries = 1; // all others had this time as well
				}
				if is_final || pass == PASSES {
					let label = host.hierarchies[change.hierarchy].label.shown();
					let (what, path) = (What(&change.change), ShownPath(change.path));
					log.warn(format_args!("left as it is: {what} of group {path} of {label}: {fault}"));
				}
			}
			end = start;
		}
		left += u64::from(end != 0);
		if left == kept || pass == PASSES {
			return left;
		}
	}
	0
}

/// How a change is taken back.
#[derive(Clone, Copy)]
struct How {
	/// For the first time: what others changed is told.
	is_first: bool,
	/// The restore came to its end, so a value is what it was to be, or somebody else's.
	is_done: bool,
	/// Tries of a removal.
	tries: u32,
	/// The journal is a file: others may have changed anything, and have the numbers of tasks that are gone.
	is_kept: bool,
}

/// What a change was, for people.
struct What<'c>(&'c Change<'c>);

impl core::fmt::Display for What<'_> {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		match self.0 {
			Change::Made => f.write_str("the making"),
			Change::Value { file, .. } | Change::Perms { file, .. } => write!(f, "{}", Shown(file)),
			Change::Attribute { name, .. } => write!(f, "attribute {}", Shown(name)),
			Change::Moved { tid, .. } => write!(f, "task {tid} out"),
		}
	}
}

/// Bytes of the longer one of a file's and an attribute's name, and a NUL.
const NAME_BYTES: usize = 1 + if FILE_BYTES > ATTRIBUTE_NAME_BYTES { FILE_BYTES } else { ATTRIBUTE_NAME_BYTES };

fn take_back(change: &Record<'_>, host: &Host, text: &mut [u8], how: How) -> Result<(), Fault> {
	let at = change.hierarchy;
	if change.change == Change::Made {
		return unmake(at, change.path, host, text, how.tries);
	}
	// A group that the restore made is gone by now, and with it all that was done in it.
	let Some(dir) = host.open(at, change.path)? else { return Ok(()) };
	let mut name = [0; NAME_BYTES];
	match change.change {
		Change::Made => Ok(()),
		Change::Moved { tid, start, .. } if how.is_kept && start_of(tid)? != start => Ok(()),
		Change::Moved { tid, whole, .. } => match move_task(&dir, host.hierarchies[at].label.version(), tid, whole) {
			Err(Fault::Kernel(errno::ESRCH)) => Ok(()),
			result => result,
		},
		Change::Attribute { name: attribute, old } => {
			let name = file_name(attribute, &mut name).ok_or(Fault::Text(Why::NameWithoutNul))?;
			dir.set_attribute(name, old)
		}
		Change::Perms { file: b"", old } => dir.own_self(dir.status()?.perms, old),
		Change::Perms { file, old } => {
			let file = file_name(file, &mut name).ok_or(Fault::Text(Why::NameWithoutNul))?;
			match dir.status_of(file) {
				Err(fault) if read::is_absent(&fault) => Ok(()),
				status => dir.own(file, status?.perms, old),
			}
		}
		Change::Value { file, old, new } => {
			let known = property::find(host.hierarchies[at].label.version(), file).ok_or(Fault::Unfit(Why::NoFile))?;
			let file = file_name(file, &mut name).ok_or(Fault::Text(Why::NameWithoutNul))?;
			match read::current(&dir, file, known, text, true) {
				// Its controller was handed down by the restore, and is not any more.
				Err(fault) if read::is_absent(&fault) => Ok(()),
				Err(fault) => Err(fault),
				Ok((current, _))
					if how.is_done
						&& !value::same(known, current, old)
						&& new.is_some_and(|new| !is_ours(known, new, current)) =>
				{
					if how.is_first {
						Err(Fault::Unfit(Why::ChangedSince))
					} else {
						Ok(())
					}
				}
				Ok((current, _)) => write_all(&dir, file, known, old, current, &mut |_, _| Ok(())),
			}
		}
	}
}

/// Removes a group that was made; a frozen one may have children of those that were put back since.
fn unmake(at: usize, path: &[u8], host: &Host, text: &mut [u8], tries: u32) -> Result<(), Fault> {
	let cut = path.iter().rposition(|byte| *byte == b'/');
	let (above, name) = path.split_at(cut.unwrap_or(0));
	let name = Name::new(name.strip_prefix(b"/").unwrap_or(name))?;
	let Some(above) = host.open(at, above)? else { return Ok(()) };
	if is_own(path)
		&& let Some(dir) = host.open(at, path)?
	{
		evacuate(host, at, &dir, Proc::open()?.list(), text)?;
	}
	remove(&above, &name, tries)
}

/// Whether the value is what the restore wrote, as the kernel shows it.
fn is_ours(known: &Property, new: &[u8], current: &[u8]) -> bool {
	let page = u64::from(kernel::page_size());
	known.advisory || value::same_in_pages(known, new, current, page) || value::is_healed(known, new, current)
}

/// Removes a group that should be empty, or soon is; one that is not there is no error.
pub(super) fn remove(above: &Dir, name: &Name, tries: u32) -> Result<(), Fault> {
	match kernel::retry(tries, PAUSE_MS, &mut || above.remove(name.as_c_str())) {
		Err(fault) if read::is_absent(&fault) => Ok(()),
		// It lies in a group that the restore made and closed: only there may who is not root do the one and not the other.
		Err(Fault::Kernel(errno::EACCES)) => {
			let now = above.status()?.perms;
			above.own_self(now, Perms { mode: now.mode | OPEN_MODE, ..now })?;
			above.remove(name.as_c_str())
		}
		result => result,
	}
}
