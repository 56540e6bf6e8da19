//! Tests only: counts heap allocations after the arguments are parsed, and fails the program if there was one.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

struct Counting;

static STARTED: AtomicBool = AtomicBool::new(false);
static COUNT: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
	unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
		if STARTED.load(Ordering::Relaxed) {
			COUNT.fetch_add(1, Ordering::Relaxed);
		}
		// SAFETY: the caller's promises are those of `System`.
		unsafe { System.alloc(layout) }
	}

	unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
		// SAFETY: the pointer came from `System`.
		unsafe { System.dealloc(pointer, layout) }
	}
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// From here on allocations count.
pub fn start() {
	STARTED.store(true, Ordering::Relaxed);
}

/// Says how many there were; 99 instead of `code` if there was one.
pub fn judge(code: u8) -> u8 {
	STARTED.store(false, Ordering::Relaxed);
	let count = COUNT.load(Ordering::Relaxed);
	eprintln!("count-alloc: {count} heap allocations after the arguments were parsed");
	if count == 0 { code } else { 99 }
}
