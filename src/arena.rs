//! The program's only heap: a fixed piece of memory that is closed once the arguments are parsed.
//!
//! What is parsed lives until the process ends, so nothing is given back but the piece handed out last. After
//! [`close`] every request fails, and a request that fails ends the process: that is how it is known that a command
//! makes no heap allocation. Pages that are not touched take no memory.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::UnsafeCell;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use cgraft::limits::ARGUMENT_BYTES;

struct Arena {
	memory: UnsafeCell<[u8; ARGUMENT_BYTES]>,
	used: AtomicUsize,
}

// SAFETY: pieces are handed out by an atomic counter, so no two callers share one.
unsafe impl Sync for Arena {}

#[cfg_attr(not(test), global_allocator)]
static ARENA: Arena = Arena { memory: UnsafeCell::new([0; ARGUMENT_BYTES]), used: AtomicUsize::new(0) };

/// From here on every request for memory fails.
pub fn close() {
	ARENA.used.store(ARGUMENT_BYTES, Relaxed);
}

// SAFETY: a piece lies inside of the memory, is aligned as asked for, and is handed out once.
unsafe impl GlobalAlloc for Arena {
	unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
		let base = self.memory.get().cast::<u8>();
		let mut start = 0;
		let taken = self.used.fetch_update(Relaxed, Relaxed, |used| {
			start = used + (base as usize + used).wrapping_neg() % layout.align();
			start.checked_add(layout.size()).filter(|end| *end <= ARGUMENT_BYTES)
		});
		match taken {
			// SAFETY: the piece from `start` on lies inside of the memory.
			Ok(_) => unsafe { base.add(start) },
			Err(_) => ptr::null_mut(),
		}
	}

	unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
		let start = piece as usize - self.memory.get() as usize;
		// Only the piece handed out last is the end of what is used.
		let _ = self.used.compare_exchange(start + layout.size(), start, Relaxed, Relaxed);
	}
}
