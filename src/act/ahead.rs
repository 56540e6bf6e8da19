//! Groups below a head in, their files read before the walk asks for them: the work of a second thread.
//!
//! Both threads go through the same tree in the same order. The second one reads every other group that it reaches
//! before the walk does, and puts what it read on a ring; the walk takes from there what it finds under a group's path
//! and reads the rest itself. So nothing depends on the second thread: neither which groups are written nor in which
//! order, and a group that it could not read as a whole is read again by the walk, which tells why.
//!
//! The thread makes no [`crate::error::Error`], whose place is the process's only one, and no message.

pub mod back;
pub mod guest;
mod reader;

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize};

use heapless::Vec;
use spin::{Mutex, MutexGuard};

use crate::act::files::FileCache;
use crate::act::levels::Levels;
use crate::error::Fault;
use crate::hash::{START, hash};
use crate::image::view::Perms;
use crate::kernel::dir::Status;
use crate::kernel::{give_way, processor};
use crate::limits::{AHEAD_BYTES, AHEAD_GROUPS, FILES, Limit, PATH_BYTES, VALUE_BYTES};
use crate::property::{Property, Selection};

/// Groups of a head that are walked before it is worth while to read ahead.
const ALONE: u64 = 32;
/// Groups of the ring, from the oldest on, that are looked at for a path: those before it are of groups that vanished.
const LOOKED_AT: usize = 4;

/// How often the walk lets the second thread run before it reads a group itself; longer than a group takes.
const PATIENCE: usize = 200;

/// One file as it was read: its name and its text are the next bytes of the group.
struct File {
	property: &'static Property,
	perms: Perms,
	name: usize,
	text: usize,
}

/// One group as it was read.
pub struct Group {
	path: Vec<u8, PATH_BYTES>,
	/// The directory's own status.
	pub status: Status,
	files: Vec<File, FILES>,
	bytes: Vec<u8, AHEAD_BYTES>,
	/// It has device programs.
	pub has_programs: bool,
	whole: bool,
}

impl Group {
	const fn new() -> Self {
		let status = Status { perms: Perms { mode: 0, uid: 0, gid: 0 }, device: 0, links: 0, size: 0 };
		Group { path: Vec::new(), status, files: Vec::new(), bytes: Vec::new(), has_programs: false, whole: false }
	}

	/// Each file: name, property, value, owner and mode; in the order of the table.
	pub fn files(&self) -> impl Iterator<Item = (&[u8], &'static Property, &[u8], Perms)> {
		let mut rest = &self.bytes[..];
		self.files.iter().map_while(move |file| {
			let (name, behind) = rest.split_at_checked(file.name)?;
			let (text, behind) = behind.split_at_checked(file.text)?;
			rest = behind;
			Some((name, file.property, text, file.perms))
		})
	}

	fn add(&mut self, name: &[u8], property: &'static Property, text: &[u8], perms: Perms) -> Result<(), Fault> {
		let full = Fault::full(Limit::Value, text.len());
		self.bytes.extend_from_slice(name).and_then(|()| self.bytes.extend_from_slice(text)).map_err(|_| full)?;
		self.files.push(File { property, perms, name: name.len(), text: text.len() }).map_err(|_| full)
	}
}

/// Below which group to read.
struct Job {
	at: usize,
	wanted: Selection,
	path: Vec<u8, PATH_BYTES>,
}

/// The second thread's buffers.
struct Buffers {
	levels: Levels,
	files: FileCache,
	value: [u8; VALUE_BYTES],
}

/// What the two threads share.
pub struct Ahead {
	/// Odd while there is a job; the last one is [`OVER`].
	turn: AtomicU32,
	busy: AtomicBool,
	job: Mutex<Job>,
	/// On which the walk runs.
	processor: AtomicUsize,
	/// Groups below the head that the walk has reached.
	passed: AtomicUsize,
	/// How many groups were looked for in vain since one was found.
	missed: AtomicUsize,
	/// Groups that were put on the ring, begun and done, and those that the walk has behind it.
	claimed: AtomicUsize,
	done: AtomicUsize,
	taken: AtomicUsize,
	hashes: [AtomicU32; AHEAD_GROUPS],
	ring: [Mutex<Group>; AHEAD_GROUPS],
	buffers: Mutex<Buffers>,
	/// The head of a comparison.
	head: Mutex<Vec<u8, PATH_BYTES>>,
}

const OVER: u32 = u32::MAX;

impl Ahead {
	/// Nothing to do.
	pub const fn new() -> Self {
		let buffers = Buffers { levels: Levels::new(), files: FileCache::new(), value: [0; VALUE_BYTES] };
		Ahead {
			turn: AtomicU32::new(0),
			busy: AtomicBool::new(false),
			job: Mutex::new(Job { at: 0, wanted: Selection::NONE, path: Vec::new() }),
			processor: AtomicUsize::new(0),
			passed: AtomicUsize::new(0),
			missed: AtomicUsize::new(0),
			claimed: AtomicUsize::new(0),
			done: AtomicUsize::new(0),
			taken: AtomicUsize::new(0),
			hashes: [const { AtomicU32::new(0) }; AHEAD_GROUPS],
			ring: [const { Mutex::new(Group::new()) }; AHEAD_GROUPS],
			buffers: Mutex::new(buffers),
			head: Mutex::new(Vec::new()),
		}
	}

	/// The walk asks for the groups below this one; it has passed `passed` of them.
	fn begin(&self, at: usize, path: &[u8], wanted: Selection, passed: u64) {
		while self.busy.load(SeqCst) {
			give_way();
		}
		let mut job = self.job.lock();
		(job.at, job.wanted) = (at, wanted);
		job.path.clear();
		if job.path.extend_from_slice(path).is_err() {
			return;
		}
		self.passed.store(passed as usize, Relaxed);
		self.processor.store(processor(), Relaxed);
		for count in [&self.missed, &self.claimed, &self.done, &self.taken] {
			count.store(0, Relaxed);
		}
		self.turn.fetch_add(1, SeqCst);
	}

	/// The walk is through with them.
	fn end(&self) {
		if !self.turn.load(Relaxed).is_multiple_of(2) {
			self.turn.fetch_add(1, SeqCst);
		}
	}

	/// No job comes any more: the second thread ends.
	pub fn quit(&self) {
		self.turn.store(OVER, SeqCst);
	}

	/// The walk reaches this group: what was read of it, if anything was.
	fn take(&self, path: &[u8]) -> Option<MutexGuard<'_, Group>> {
		self.passed.fetch_add(1, Release);
		let (first, behind) = (self.taken.load(Relaxed), self.claimed.load(Acquire));
		let hash = hash(START, path);
		for number in first..behind.min(first + LOOKED_AT) {
			if self.hashes[number % AHEAD_GROUPS].load(Relaxed) != hash {
				continue;
			}
			self.missed.store(0, Relaxed);
			if !self.waits_for(number) {
				self.taken.store(number + 1, Release);
				return None;
			}
			let group = self.ring[number % AHEAD_GROUPS].lock();
			self.taken.store(number + 1, Release);
			return (group.whole && group.path == path).then_some(group);
		}
		// The ring holds what lies ahead by at most twice its length, unless the tree has changed.
		if self.missed.fetch_add(1, Relaxed) > 4 * AHEAD_GROUPS {
			self.taken.store(behind, Release);
			self.missed.store(0, Relaxed);
		}
		None
	}

	/// Lets the second thread bring to an end what it has begun; false if it does not get there.
	fn waits_for(&self, number: usize) -> bool {
		(0..PATIENCE).any(|_| {
			let is_done = self.done.load(Acquire) > number;
			if !is_done {
				give_way();
			}
			is_done
		})
	}
}

/// The second thread as the one that walks knows it.
pub struct Second<'w> {
	ahead: &'w Ahead,
	/// The hierarchy's place in the host.
	at: usize,
	/// Makes it, if it is not there yet; whether it is there.
	start: &'w dyn Fn() -> bool,
	/// It reads below the head that is walked.
	helped: bool,
	/// Groups below the head that were reached.
	met: u64,
}

impl<'w> Second<'w> {
	/// Before the first head.
	pub fn new(ahead: &'w Ahead, at: usize, start: &'w dyn Fn() -> bool) -> Self {
		Second { ahead, at, start, helped: false, met: 0 }
	}

	/// A group below the head is reached: what was read of it, if anything was. In a large tree it begins to read ahead.
	pub fn reach(&mut self, head: &[u8], wanted: Selection, path: &[u8]) -> Option<MutexGuard<'w, Group>> {
		if self.met == ALONE && (self.start)() {
			self.helped = true;
			self.ahead.begin(self.at, head, wanted, self.met);
		}
		self.met += 1;
		if self.helped { self.ahead.take(path) } else { None }
	}

	/// After the last group of a head.
	pub fn end(&mut self) {
		(self.helped, self.met) = (false, 0);
		self.ahead.end();
	}
}

impl Default for Ahead {
	fn default() -> Self {
		Ahead::new()
	}
}
