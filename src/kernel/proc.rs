//! /proc: processes, their threads and their files, proc(5).
//!
//! A thread's directory is opened first and its files are read below it, so that all of them are of the same task:
//! when it exits, reads fail with ESRCH even if its number is taken again.

use core::ffi::CStr;
use core::fmt::Write;

use heapless::CString;

use super::Result;
use super::dir::Dir;
use crate::error::{Fault, errno};

/// The text of a decimal number for a path.
pub fn digits(number: u32) -> CString<16> {
	let mut text = heapless::String::<16>::new();
	let _ = write!(text, "{number}"); // at most 10 digits
	let mut name = CString::new();
	let _ = name.extend_from_bytes(text.as_bytes()); // digits have no NUL
	name
}

/// /proc itself.
#[derive(Debug)]
pub struct Proc {
	dir: Dir,
}

impl Proc {
	/// Opens /proc.
	pub fn open() -> Result<Self> {
		Ok(Proc { dir: Dir::open(c"/proc")? })
	}

	/// /proc/PID.
	pub fn process(&self, pid: u32) -> Result<Dir> {
		self.dir.child(&digits(pid))
	}

	/// /proc/PID/task/TID.
	pub fn thread(&self, pid: u32, tid: u32) -> Result<Dir> {
		self.process(pid)?.child(c"task")?.child(&digits(tid))
	}

	/// /proc/PID/task, the list of its threads.
	pub fn threads(&self, pid: u32) -> Result<Dir> {
		self.process(pid)?.child(c"task")
	}

	/// /proc as a list of processes.
	pub fn list(&self) -> &Dir {
		&self.dir
	}
}

/// Reads a small file by its path from `/`; empty where it cannot be read.
pub fn read_path(dir: &CStr, file: &CStr, into: &mut [u8]) -> usize {
	Dir::open(dir).and_then(|dir| dir.read(file, into)).map_or(0, |(len, _)| len)
}

/// Whether the fault says that the task is gone.
pub fn is_gone(fault: &Fault) -> bool {
	matches!(fault, Fault::Kernel(errno::ENOENT | errno::ESRCH))
}
