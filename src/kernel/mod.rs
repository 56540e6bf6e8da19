//! The only place that names rustix: directories and files below an open directory, /proc, mapped images, output.
//!
//! Every function returns the kernel's errno unchanged as [`Fault::Kernel`]. Groups are reached one component at a
//! time below an open directory; nothing here joins a path.

pub mod attach;
mod attributes;
mod devices;
pub mod dir;
pub mod fenced;
pub mod output;
pub mod proc;
pub mod stream;

use core::ffi::c_ulong;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use rustix::fd::IntoRawFd;
use rustix::io::Errno;

use crate::error::{Fault, errno};
use crate::limits::STAT_BYTES;
use crate::procfs::stat;

/// A result with the kernel's number as fault.
pub type Result<T> = core::result::Result<T, Fault>;

/// An open file whose kind does not matter to its owner.
pub type Handle = rustix::fd::OwnedFd;

fn fault(errno: Errno) -> Fault {
	Fault::Kernel(errno.raw_os_error())
}

/// Set once, by a dry run.
static STILL: AtomicBool = AtomicBool::new(false);

/// From now on nothing is changed: calls that would change a group do nothing and succeed.
pub fn hold_still() {
	STILL.store(true, Relaxed);
}

fn is_still() -> bool {
	STILL.load(Relaxed)
}

/// Raises the soft limit of open files to the hard one: a walk keeps one directory open a level.
pub fn raise_open_files() {
	let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
	let raised = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
	let _ = rustix::process::setrlimit(rustix::process::Resource::Nofile, raised);
}

/// Gives descriptors 0 to 2 that were closed from the start to /dev/null, lest a file of ours takes their numbers.
pub fn open_standard_streams() -> Result<()> {
	for stream in [fenced::stdin(), fenced::stdout(), fenced::stderr()] {
		if rustix::io::fcntl_getfd(stream).is_err() {
			let null = rustix::fs::open(
				c"/dev/null",
				rustix::fs::OFlags::RDWR | rustix::fs::OFlags::CLOEXEC,
				rustix::fs::Mode::empty(),
			);
			let _ = null.map_err(fault)?.into_raw_fd(); // the lowest free number, which is this one; it stays open until execve(2)
		}
	}
	Ok(())
}

/// Lets modes of new directories and files be exactly those that are asked for.
pub fn clear_umask() {
	rustix::process::umask(rustix::fs::Mode::empty());
}

/// Waits; used between tries of a removal that the kernel finishes in the background.
pub fn sleep_ms(milliseconds: u32) {
	let time = rustix::thread::Timespec { tv_sec: 0, tv_nsec: i64::from(milliseconds) * 1_000_000 };
	let _ = rustix::thread::nanosleep(&time);
}

/// Signals that end a process, HUP, INT, QUIT and TERM of signal(7), one bit each.
const ENDING: u64 = 1 | 1 << 1 | 1 << 2 | 1 << 14;
/// Those of them that wait because cgraft wants them to.
static HELD: AtomicU32 = AtomicU32::new(0);

/// From now on signals that end a process wait, but for those that are ignored, until [`has_signal`] finds them.
pub fn hold_signals(ignored: u64) {
	let wanted = ENDING & !ignored;
	let before = fenced::block_signals(wanted);
	HELD.fetch_or((wanted & !before) as u32, Relaxed);
}

/// Whether a signal came that was to end this process.
pub fn has_signal() -> bool {
	let held = u64::from(HELD.load(Relaxed));
	held != 0 && fenced::pending_signals() & held != 0
}

/// Lets another thread run, if one waits.
pub fn give_way() {
	rustix::thread::sched_yield();
}

/// Whether a second thread helps: there is a processor for it, and room for its open files beside ours.
fn has_room_for_two() -> bool {
	let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
	let processors = rustix::thread::sched_getaffinity(None).map_or(1, |set| set.count());
	processors > 1 && files.is_none_or(|files| files > 3 * crate::limits::DEPTH as u64)
}

/// The processor on which this thread runs, as its file of /proc says; one that no host has if that cannot be known.
#[inline(never)] // its text would widen the caller's frame
pub fn processor() -> usize {
	let mut text = [0; STAT_BYTES];
	let len = proc::read_path(c"/proc/thread-self", c"stat", &mut text).unwrap_or(0);
	stat::processor(text.get(..len).unwrap_or(&[])).unwrap_or(usize::MAX)
}

/// Keeps this thread away from a processor on which another one works: where processors share no cache the kernel lets
/// two threads wait for one of them for long while the other one is idle.
pub fn keep_off(processor: usize) {
	if let Ok(mut set) = rustix::thread::sched_getaffinity(None) {
		if processor < rustix::thread::CpuSet::MAX_CPU {
			set.unset(processor);
		}
		let _ = rustix::thread::sched_setaffinity(None, &set); // with no other one it stays as it is
	}
}

/// Makes the call up to `tries` times, with pauses, as long as the kernel says EBUSY or EAGAIN; what the last one said.
pub fn retry(tries: u32, pause_ms: u32, call: &mut dyn FnMut() -> Result<()>) -> Result<()> {
	for _ in 1..tries {
		match call() {
			Err(Fault::Kernel(errno::EBUSY | errno::EAGAIN)) => sleep_ms(pause_ms),
			result => return result,
		}
	}
	call()
}

/// The kernel's release, uname(2), copied into `into`; its length.
pub fn release(into: &mut [u8]) -> usize {
	let uname = rustix::system::uname();
	let text = uname.release().to_bytes();
	let len = text.len().min(into.len());
	into[..len].copy_from_slice(&text[..len]);
	len
}

/// getauxval(3): the size of a page.
const AT_PAGESZ: c_ulong = 6;

/// Major and minor number of a block device, if there is one.
pub fn disk_at(path: &[u8]) -> Option<(u32, u32)> {
	let path = output::c_string::<{ crate::limits::PATH_BYTES }>(path).ok()?;
	let stat = rustix::fs::statat(rustix::fs::CWD, path.as_c_str(), rustix::fs::AtFlags::empty()).ok()?;
	let is_disk = rustix::fs::FileType::from_raw_mode(stat.st_mode) == rustix::fs::FileType::BlockDevice;
	is_disk.then_some((rustix::fs::major(stat.st_rdev), rustix::fs::minor(stat.st_rdev)))
}

/// Bytes of a memory page.
pub fn page_size() -> u32 {
	fenced::getauxval(AT_PAGESZ) as u32
}

/// The number of this process.
pub fn own_pid() -> u32 {
	rustix::process::getpid().as_raw_nonzero().get().cast_unsigned()
}

/// The effective user and group of this process: who owns what it makes.
pub fn own_ids() -> (u32, u32) {
	(rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw())
}
