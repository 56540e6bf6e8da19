//! The second thread: the host's groups below a head in, what their files hold onto the ring.

use core::mem::replace;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};

use super::{Ahead, Buffers, Group, OVER};
use crate::act::files::FileCache;
use crate::act::host::{Hierarchy, Host};
use crate::act::levels::{Level, Levels};
use crate::act::read;
use crate::error::Fault;
use crate::hash::{START, hash};
use crate::kernel::dir::Dir;
use crate::kernel::{keep_off, sleep_ms};
use crate::limits::{AHEAD_GROUPS, VALUE_BYTES};
use crate::name::Name;
use crate::property::{Selection, Version};

impl Ahead {
	/// The second thread: does one job after the other.
	pub fn work(&self, host: &Host) {
		let (mut last, mut is_apart) = (0, false);
		loop {
			let turn = self.turn.load(SeqCst);
			if turn == OVER {
				return;
			}
			if turn.is_multiple_of(2) || turn == last {
				sleep_ms(1);
				continue;
			}
			self.busy.store(true, SeqCst);
			if self.turn.load(SeqCst) == turn {
				last = turn;
				if !replace(&mut is_apart, true) {
					keep_off(self.processor.load(Relaxed));
				}
				let _ = Reader { ahead: self, host, turn, met: 0, due: 0 }.read(); // what it leaves, the walk does
				let _ = self.buffers.lock().levels.restart(b""); // nothing stays open
			}
			self.busy.store(false, SeqCst);
		}
	}
}

/// One job being done.
struct Reader<'a> {
	ahead: &'a Ahead,
	host: &'a Host,
	turn: u32,
	/// Groups that were met.
	met: usize,
	/// What it owes to the next group, of [`WHOLE`].
	due: usize,
}

/// One group.
const WHOLE: usize = 2 * AHEAD_GROUPS;

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
		Ok(())
	}

	/// Every other group of those that the walk has not reached; the more, the more of them wait for the walk: it also writes.
	fn is_mine(&mut self) -> bool {
		if self.met <= self.ahead.passed.load(Acquire) + 1 {
			return false;
		}
		let waiting = self.ahead.claimed.load(Relaxed).saturating_sub(self.ahead.taken.load(Relaxed));
		self.due += AHEAD_GROUPS + waiting.min(AHEAD_GROUPS - 1);
		let is_mine = self.due >= WHOLE;
		self.due -= if is_mine { WHOLE } else { 0 };
		is_mine
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
		self.has_programs = self.whole && hierarchy.label.version() == Version::V2 && dir.has_device_programs();
	}
}
