//! Groups below a head in, their files read before the walk asks for them: the work of a second thread.
//!
//! Both threads go through the same tree in the same order. The second one reads every other group that it reaches
//! before the walk does, and puts what it read on a ring; the walk takes from there what it finds under a group's path
//! and reads the rest itself. So nothing depends on the second thread: neither which groups are written nor in which
//! order, and a group that it could not read as a whole is read again by the walk, which tells why.
//!
//! The thread makes no [`crate::error::Error`], whose place is the process's only one, and no message.

use core::mem::replace;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize};

use heapless::Vec;
use spin::{Mutex, MutexGuard};

use crate::act::files::FileCache;
use crate::act::host::{Hierarchy, Host};
use crate::act::levels::{Level, Levels};
use crate::act::read;
use crate::error::Fault;
use crate::hash::{START, hash};
use crate::image::view::Perms;
use crate::kernel::dir::{Dir, Status};
use crate::kernel::{give_way, keep_off, processor, sleep_ms};
use crate::limits::{AHEAD_BYTES, AHEAD_GROUPS, FILES, Limit, PATH_BYTES, VALUE_BYTES};
use crate::name::Name;
use crate::property::{Property, Selection};

/// Groups of a head that are walked before it is worth while to read ahead.
pub const ALONE: u64 = 64;
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
	whole: bool,
}

impl Group {
	const fn new() -> Self {
		let status = Status { perms: Perms { mode: 0, uid: 0, gid: 0 }, device: 0, links: 0, size: 0 };
		Group { path: Vec::new(), status, files: Vec::new(), bytes: Vec::new(), whole: false }
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
		}
	}

	/// The walk asks for the groups below this one; it has passed `passed` of them.
	pub fn begin(&self, at: usize, path: &[u8], wanted: Selection, passed: u64) {
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
	pub fn end(&self) {
		if self.turn.load(Relaxed) % 2 == 1 {
			self.turn.fetch_add(1, SeqCst);
		}
	}

	/// No job comes any more: the second thread ends.
	pub fn quit(&self) {
		self.turn.store(OVER, SeqCst);
	}

	/// The walk reaches this group: what was read of it, if anything was.
	pub fn take(&self, path: &[u8]) -> Option<MutexGuard<'_, Group>> {
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

	/// The second thread: does one job after the other.
	pub fn work(&self, host: &Host) {
		let (mut last, mut is_apart) = (0, false);
		loop {
			let turn = self.turn.load(SeqCst);
			if turn == OVER {
				return;
			}
			if turn % 2 == 0 || turn == last {
				sleep_ms(1);
				continue;
			}
			self.busy.store(true, SeqCst);
			if self.turn.load(SeqCst) == turn {
				last = turn;
				if !replace(&mut is_apart, true) {
					keep_off(self.processor.load(Relaxed));
				}
				let _ = Reader { ahead: self, host, turn, met: 0 }.read(); // what it leaves, the walk does
			}
			self.busy.store(false, SeqCst);
		}
	}
}

impl Default for Ahead {
	fn default() -> Self {
		Ahead::new()
	}
}

/// One job being done.
struct Reader<'a> {
	ahead: &'a Ahead,
	host: &'a Host,
	turn: u32,
	/// Groups that were met.
	met: usize,
}

impl Reader<'_> {
	fn is_over(&self) -> bool {
		self.ahead.turn.load(Relaxed) != self.turn
	}

	fn read(&mut self) -> Result<(), Fault> {
		let (job, mut buffers) = (self.ahead.job.lock(), self.ahead.buffers.lock());
		let Buffers { levels, files, value } = &mut *buffers;
		files.clear();
		levels.restart(&job.path)?;
		let Some(dir) = self.host.open(job.at, &job.path)? else { return Ok(()) };
		levels.push(Level { dir, mark: None, more: true, named: false })?;
		let hierarchy = &self.host.hierarchies[job.at];
		let mut name = Name::empty();
		while !levels.is_empty() && !self.is_over() {
			if !levels.next_child(&mut name)? {
				levels.pop();
				continue;
			}
			levels.trail.push(name.bytes())?;
			self.met += 1;
			let below = if self.is_mine() {
				self.group(levels, &name, (files, job.wanted, value), hierarchy)
			} else {
				pass(levels, &name)
			};
			match below {
				Ok(Some(dir)) => levels.push(Level { dir, mark: None, more: true, named: true })?,
				Ok(None) => levels.trail.pop(),
				Err(fault) if read::is_absent(&fault) => levels.trail.pop(),
				Err(fault) => return Err(fault),
			}
		}
		levels.restart(b"")
	}

	/// Every other group, of those that the walk has not reached.
	fn is_mine(&self) -> bool {
		self.met % 2 == 0 && self.met > self.ahead.passed.load(Acquire) + 1
	}

	/// Reads a child of the group on top, the last one of the trail; the group itself where it has children.
	fn group(
		&self,
		levels: &mut Levels,
		name: &Name,
		(files, wanted, value): (&mut FileCache, Selection, &mut [u8; VALUE_BYTES]),
		hierarchy: &Hierarchy,
	) -> Result<Option<Dir>, Fault> {
		let ahead = self.ahead;
		let number = ahead.claimed.load(Relaxed);
		while number - ahead.taken.load(Acquire) >= AHEAD_GROUPS {
			if self.is_over() {
				return Ok(None);
			}
			sleep_ms(1);
		}
		let (top, path, list) = levels.parts();
		let mut group = ahead.ring[number % AHEAD_GROUPS].lock();
		ahead.hashes[number % AHEAD_GROUPS].store(hash(START, path), Relaxed);
		ahead.claimed.store(number + 1, Release);
		group.whole = false;
		group.path.clear();
		let mut read = || {
			let _ = group.path.extend_from_slice(path); // as long as a trail
			let dir = top.ok_or(Fault::NotKept)?.child(name.as_c_str())?;
			group.status = dir.status()?;
			group.fill(&dir, files, hierarchy, wanted, (list, value));
			Ok((group.status.links != 2).then_some(dir))
		};
		let below = read();
		drop(group);
		ahead.done.store(number + 1, Release);
		below
	}
}

/// A child of the group on top that is not read, where it has children.
fn pass(levels: &Levels, name: &Name) -> Result<Option<Dir>, Fault> {
	let Some(top) = levels.top() else { return Ok(None) };
	match top.status_of(name.as_c_str())?.links {
		2 => Ok(None),
		_ => top.child(name.as_c_str()).map(Some),
	}
}

impl Group {
	/// Reads everything that a walk would; one that has attributes or a file with a story of its own is left to the walk.
	fn fill(
		&mut self,
		dir: &Dir,
		files: &mut FileCache,
		hierarchy: &Hierarchy,
		wanted: Selection,
		(list, value): (&mut [u8], &mut [u8; VALUE_BYTES]),
	) {
		self.files.clear();
		self.bytes.clear();
		let mut read = || {
			if dir.attributes(value)? > 0 {
				return Err(Fault::NotKept);
			}
			for (name, property) in files.of(dir, hierarchy.label.version(), false, wanted, list)?.iter() {
				match read::current(dir, name, property, value, true) {
					Err(fault) if read::is_absent(&fault) && read::is_alive(dir) => {}
					read => {
						let (text, perms) = read?;
						self.add(name.to_bytes(), property, text, perms)?;
					}
				}
			}
			Ok(())
		};
		self.whole = read().is_ok();
	}
}
