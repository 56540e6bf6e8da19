//! Where the kernel and libc hand over: the arguments, which live as long as the process, and the exit code.
//!
//! The standard library's own entry is not linked in (it registers handlers and keeps buffered streams that cgraft does
//! not use). Two things that it does are needed here as well: the standard descriptors are open, so that no file takes
//! the number of one of them, and a closed pipe is an error of write(2) rather than a signal. So is a file that may not grow
//! (RLIMIT_FSIZE), so that a restore whose journal may not is taken back.
use std::ffi::{CStr, c_char, c_int, c_long};
use std::io;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::Relaxed};

/// signal(7): the same number on every architecture of Linux.
const SIGPIPE: c_long = 13;
/// The same.
const SIGXFSZ: c_long = 25;
/// signal(2).
const SIG_IGN: usize = 1;
/// syscalls(2): x86_64's number, and that of all newer architectures.
const RT_SIGACTION: c_long = if cfg!(target_arch = "x86_64") { 13 } else { 134 };

// SAFETY: declared as in C's unistd.h.
unsafe extern "C" {
	fn syscall(number: c_long, ...) -> c_long;
	fn getenv(name: *const c_char) -> *const c_char;
	fn execvp(file: *const c_char, strings: *const *const c_char) -> c_int;
}

/// What is behind `--`: the rest of the strings of execve(2), with the null pointer at their end. Null without it.
static COMMAND: AtomicPtr<*const c_char> = AtomicPtr::new(ptr::null_mut());
/// What both did before.
static BEFORE: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];

/// The name of the command behind `--`.
pub fn command() -> Option<&'static [u8]> {
	let strings = COMMAND.load(Relaxed);
	// SAFETY: `main` left null or a place in the strings, whose last one is null; they stay until the process ends.
	let name = unsafe { strings.as_ref() }.filter(|name| !name.is_null())?;
	// SAFETY: as before; it ends in NUL.
	Some(unsafe { CStr::from_ptr(*name) }.to_bytes())
}

/// Becomes the command behind `--`, found as execvp(3) does, with the environment and streams that cgraft was given;
/// returns only with the kernel's number if that cannot be.
pub fn execute() -> i32 {
	handle([BEFORE[0].load(Relaxed), BEFORE[1].load(Relaxed)]);
	let strings = COMMAND.load(Relaxed);
	if command().is_some() {
		// SAFETY: the first string is there, and a null pointer is at their end.
		unsafe { execvp(*strings, strings) };
	}
	io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// A variable of the environment.
pub fn variable(name: &CStr) -> Option<&'static [u8]> {
	// SAFETY: reads the environment, which nobody changes; it stays until the process ends.
	let value = unsafe { getenv(name.as_ptr()) };
	// SAFETY: it is null or ends in NUL.
	(!value.is_null()).then(|| unsafe { CStr::from_ptr(value) }.to_bytes())
}

/// By the kernel's call: libc's function brings along what handlers need, and there is none.
fn handle(how: [usize; 2]) {
	for ((signal, how), kept) in [SIGPIPE, SIGXFSZ].into_iter().zip(how).zip(&BEFORE) {
		let (action, mut before) = ([how, 0, 0, 0], [0_usize; 4]); // handler, flags, restorer, mask
		// SAFETY: reads and writes an action of the kernel's layout, with a mask of eight bytes.
		unsafe { syscall(RT_SIGACTION, signal, action.as_ptr(), before.as_mut_ptr(), size_of::<usize>()) };
		kept.store(before[0], Relaxed);
	}
}

// SAFETY: the only definition of `main`; libc calls it once, with the strings of execve(2).
#[cfg(not(test))]
#[unsafe(no_mangle)]
extern "C" fn main(count: c_int, strings: *const *const c_char) -> c_int {
	let _ = cgraft::kernel::open_standard_streams();
	handle([SIG_IGN; 2]);
	let mut typed = Vec::new();
	// SAFETY: as below.
	if count == 1 && unsafe { CStr::from_ptr(*strings) }.to_bytes().ends_with(b"hook") {
		typed.push(&b"hook"[..]); // CRIU takes the name of a program, and no arguments
	}
	for index in 1..usize::try_from(count).unwrap_or(0) {
		// SAFETY: `strings` has `count` pointers to strings that end in NUL and stay until the process ends.
		let argument = unsafe { CStr::from_ptr(*strings.add(index)) };
		if argument == c"--" && typed.contains(&&b"exec"[..]) {
			// SAFETY: behind the last string is a null pointer, so this is one of them or that one.
			COMMAND.store(unsafe { strings.add(index + 1) }.cast_mut(), Relaxed);
			break;
		}
		typed.push(argument.to_bytes());
	}
	c_int::from(crate::run(&typed))
}
