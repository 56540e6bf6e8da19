//! Where the kernel and libc hand over: the arguments, which live as long as the process, and the exit code.
//!
//! The standard library's own entry is not linked in (it registers handlers and keeps buffered streams that cgraft does
//! not use). Two things that it does are needed here as well: the standard descriptors are open, so that no file takes
//! the number of one of them, and a closed pipe is an error of write(2) rather than a signal.
#![cfg(not(test))]

use std::ffi::{CStr, c_char, c_int, c_long};
use std::ptr;

/// signal(7): the same number on every architecture of Linux.
const SIGPIPE: c_long = 13;
/// signal(2).
const SIG_IGN: usize = 1;
/// syscalls(2): x86_64's number, and that of all newer architectures.
const RT_SIGACTION: c_long = if cfg!(target_arch = "x86_64") { 13 } else { 134 };

// SAFETY: declared as in C's unistd.h.
unsafe extern "C" {
	fn syscall(number: c_long, ...) -> c_long;
}

/// By the kernel's call: libc's function brings along what handlers need, and there is none.
fn ignore_closed_pipes() {
	let action = [SIG_IGN, 0, 0, 0]; // handler, flags, restorer, mask
	// SAFETY: reads an action of the kernel's layout, with a mask of eight bytes; none is written back.
	unsafe { syscall(RT_SIGACTION, SIGPIPE, action.as_ptr(), ptr::null_mut::<usize>(), size_of::<usize>()) };
}

// SAFETY: the only definition of `main`; libc calls it once, with the strings of execve(2).
#[unsafe(no_mangle)]
extern "C" fn main(count: c_int, strings: *const *const c_char) -> c_int {
	let _ = cgraft::kernel::open_standard_streams();
	ignore_closed_pipes();
	let mut typed = Vec::new();
	for index in 1..usize::try_from(count).unwrap_or(0) {
		// SAFETY: `strings` has `count` pointers to strings that end in NUL and stay until the process ends.
		let argument = unsafe { CStr::from_ptr(*strings.add(index)) };
		typed.push(argument.to_bytes());
	}
	c_int::from(crate::run(&typed))
}
