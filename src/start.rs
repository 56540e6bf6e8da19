//! Where the kernel and libc hand over: the arguments, which live as long as the process, and the exit code.
//!
//! The standard library's own entry is not linked in (it registers handlers and keeps buffered streams that cgraft does
//! not use). Two things that it does are needed here as well: the standard descriptors are open, so that no file takes
//! the number of one of them, and a closed pipe is an error of write(2) rather than a signal.
#![cfg(not(test))]

use std::ffi::{CStr, c_char, c_int};

/// signal(7): the same number on every architecture of Linux.
const SIGPIPE: c_int = 13;
/// signal(2).
const SIG_IGN: usize = 1;

// SAFETY: declared as in C's signal.h; ignoring a signal has no precondition.
unsafe extern "C" {
	safe fn signal(number: c_int, handler: usize) -> usize;
}

// SAFETY: the only definition of `main`; libc calls it once, with the strings of execve(2).
#[unsafe(no_mangle)]
extern "C" fn main(count: c_int, strings: *const *const c_char) -> c_int {
	let _ = cgraft::kernel::open_standard_streams();
	signal(SIGPIPE, SIG_IGN);
	let mut typed = Vec::new();
	for index in 1..usize::try_from(count).unwrap_or(0) {
		// SAFETY: `strings` has `count` pointers to strings that end in NUL and stay until the process ends.
		let argument = unsafe { CStr::from_ptr(*strings.add(index)) };
		typed.push(argument.to_bytes());
	}
	c_int::from(crate::run(&typed))
}
