//! Values of new groups that are to be read back in, whether all of them are right out: with the help of a second thread.
//!
//! The pass that reads back puts values onto a ring, the second thread reads them; where the ring is full the pass reads
//! itself. The second thread says no more than that one is not right, and makes no message: then all are compared again,
//! by one thread.

use core::ffi::CStr;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicBool, AtomicUsize};

use heapless::Vec;
use spin::Mutex;

use crate::act::read;
use crate::act::tour::Site;
use crate::act::values::is_right;
use crate::kernel::dir::Dir;
use crate::kernel::{give_way, keep_off, processor, sleep_ms};
use crate::limits::{BACK_BYTES, BACK_VALUES, NEAR_BYTES, SHORT_TEXT_BYTES};
use crate::property::Property;

/// Groups right below another one that are read back alone, before it is worth while to open that for the second thread.
const ALONE: u32 = 16;
/// How often the second thread looks for a value before it sleeps.
const PATIENCE: u32 = 500;

/// A value to be read.
struct Slot {
	/// From the group above.
	file: Vec<u8, NEAR_BYTES>,
	known: Option<&'static Property>,
	text: Vec<u8, BACK_BYTES>,
}

/// What the two threads share.
pub struct Back {
	/// There is a second thread.
	helped: AtomicBool,
	/// No value comes any more.
	over: AtomicBool,
	/// A value is not right.
	wrong: AtomicBool,
	/// On which the pass runs.
	processor: AtomicUsize,
	/// Values that were put on the ring, and that were read.
	put: AtomicUsize,
	read: AtomicUsize,
	ring: [Mutex<Slot>; BACK_VALUES],
	/// What the groups lie in.
	above: Mutex<Option<Dir>>,
}

impl Back {
	/// Nothing to read.
	pub const fn new() -> Self {
		Back {
			helped: AtomicBool::new(false),
			over: AtomicBool::new(false),
			wrong: AtomicBool::new(false),
			processor: AtomicUsize::new(0),
			put: AtomicUsize::new(0),
			read: AtomicUsize::new(0),
			ring: [const { Mutex::new(Slot { file: Vec::new(), known: None, text: Vec::new() }) }; BACK_VALUES],
			above: Mutex::new(None),
		}
	}

	/// Before a pass; `start` makes the second thread, and tells whether it is there.
	pub fn begin(&self, start: &dyn Fn() -> bool) {
		self.processor.store(processor(), Relaxed);
		self.helped.store(start(), Relaxed);
	}

	/// After the pass: the second thread ends when it has read all.
	pub fn end(&self) {
		self.over.store(true, Release);
	}

	/// Whether the second thread, which has ended, found all values right.
	pub fn is_right(&self) -> bool {
		*self.above.lock() = None;
		!self.wrong.load(Relaxed)
	}

	/// The second thread: reads one value after the other.
	pub fn work(&self, page: u64) {
		keep_off(self.processor.load(Relaxed));
		let mut idle = 0;
		loop {
			let (over, number) = (self.over.load(Acquire), self.read.load(Relaxed));
			if number != self.put.load(Acquire) {
				let is_right = self.ring[number % BACK_VALUES].lock().is_right(self.above.lock().as_ref(), page);
				self.wrong.fetch_or(!is_right, Relaxed);
				self.read.store(number + 1, Release);
				idle = 0;
			} else if over {
				return;
			} else if idle < PATIENCE {
				idle += 1;
				give_way();
			} else {
				sleep_ms(1);
			}
		}
	}

	/// The values that come lie below another group; false if it cannot be opened.
	fn turn_to(&self, above: &Dir) -> bool {
		while self.read.load(Acquire) != self.put.load(Relaxed) {
			give_way();
		}
		let dir = above.again().ok();
		let is_open = dir.is_some();
		*self.above.lock() = dir;
		is_open
	}

	/// Puts a value on the ring, if it has room.
	fn put(&self, file: &CStr, known: &'static Property, text: &[u8]) -> bool {
		let number = self.put.load(Relaxed);
		if number - self.read.load(Acquire) >= BACK_VALUES {
			return false;
		}
		let is_put = self.ring[number % BACK_VALUES].lock().set(file, known, text);
		self.put.store(number + usize::from(is_put), Release);
		is_put
	}
}

impl Default for Back {
	fn default() -> Self {
		Back::new()
	}
}

impl Slot {
	fn set(&mut self, file: &CStr, known: &'static Property, text: &[u8]) -> bool {
		self.known = Some(known);
		self.file.clear();
		self.text.clear();
		self.file.extend_from_slice(file.to_bytes_with_nul()).is_ok() && self.text.extend_from_slice(text).is_ok()
	}

	fn is_right(&self, above: Option<&Dir>, page: u64) -> bool {
		let (Some(above), Some(known)) = (above, self.known) else { return false };
		let Ok(file) = CStr::from_bytes_with_nul(&self.file) else { return false };
		let mut value = [0; SHORT_TEXT_BYTES];
		let read = read::current(above, file, known, &mut value, false);
		read.is_ok_and(|(current, _)| is_right(known, &self.text, current, page))
	}
}

/// The second thread as the pass knows it.
pub struct Share<'w> {
	back: &'w Back,
	/// The group that the last ones lay in, and how many these were.
	at: usize,
	above: Vec<u8, NEAR_BYTES>,
	met: u32,
}

impl<'w> Share<'w> {
	/// Before the first value.
	pub fn new(back: &'w Back) -> Self {
		Share { back, at: usize::MAX, above: Vec::new(), met: 0 }
	}

	/// Whether the second thread reads a value of a group that is worked on from the one above, `dir`.
	pub fn takes(
		&mut self,
		(site, dir): (&Site<'_, '_>, &Dir),
		file: &CStr,
		known: &'static Property,
		text: &[u8],
	) -> bool {
		if !self.back.helped.load(Relaxed) {
			return false;
		}
		let path = site.path.bytes();
		let above = path.iter().rposition(|byte| *byte == b'/').and_then(|at| path.get(..at)).unwrap_or(b"");
		if (self.at, &self.above[..]) != (site.at, above) {
			(self.at, self.met) = (site.at, 0);
			self.above.clear();
			let _ = self.above.extend_from_slice(above); // such a path is short
		}
		self.met += 1;
		if self.met < ALONE || (self.met == ALONE && !self.back.turn_to(dir)) {
			self.met %= ALONE;
			return false;
		}
		self.back.put(file, known, text)
	}
}
