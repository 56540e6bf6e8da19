//! /proc: processes, their threads and their files, proc(5).
//!
//! A thread's directory is opened first and its files are read below it, so that all of them are of the same task:
//! when it exits, reads fail with ESRCH even if its number is taken again.

use core::ffi::CStr;

use heapless::CString;
use rustix::fd::{AsFd, AsRawFd};
use rustix::fs::{self, AtFlags, Mode, OFlags};
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space};

use super::dir::Dir;
use super::{Handle, Result};
use crate::error::{Fault, errno, unless_short};

/// The text of a decimal number for a path.
pub fn digits(number: u32) -> CString<32> {
	with_number(b"", number, b"")
}

/// The text of a number between two others, for a path; `before` and `after` leave room for its digits.
#[inline(never)]
pub fn with_number(before: &[u8], number: u32, after: &[u8]) -> CString<32> {
	let (mut digits, mut start, mut rest) = ([0; 10], 10, number); // u32::MAX has ten digits
	while start == 10 || rest > 0 {
		start -= 1;
		digits[start] = b'0' + (rest % 10) as u8;
		rest /= 10;
	}
	let mut name = CString::new();
	for part in [before, &digits[start..], after] {
		let _ = name.extend_from_bytes(part); // neither of them has a NUL
	}
	name
}

/// The path of an open file, for calls that take no descriptor.
pub(super) fn path_of(file: &Handle) -> CString<32> {
	with_number(b"/proc/self/fd/", file.as_raw_fd().cast_unsigned(), b"")
}

/// /proc itself, and the cgroup namespace that cgraft is in.
#[derive(Debug)]
pub struct Proc {
	dir: Dir,
	own: Option<Handle>,
}

/// A task's cgroup namespace, below its directory (cgroup_namespaces(7), since Linux 4.6).
const NAMESPACE: &CStr = c"ns/cgroup";

impl Proc {
	/// Opens /proc.
	pub fn open() -> Result<Self> {
		let dir = Dir::open(c"/proc")?;
		let own = unless_short(own_namespace(NAMESPACE))?;
		Ok(Proc { dir, own })
	}

	/// Whether a task is in another cgroup namespace than cgraft.
	pub fn is_elsewhere(&self, task: &Dir) -> Result<bool> {
		let Some(own) = &self.own else { return Ok(false) };
		let own = fs::fstat(own).map_err(super::fault)?;
		let other = fs::statat(task.fd(), NAMESPACE, AtFlags::empty()).map_err(super::fault)?;
		Ok((own.st_dev, own.st_ino) != (other.st_dev, other.st_ino))
	}

	/// Reads a task's `cgroup` as its own cgroup namespace shows it: paths in it begin at the namespace's roots. The
	/// text is written for whoever reads it, so cgraft enters the namespace for a moment.
	pub fn read_from_inside(&self, task: &Dir, into: &mut [u8]) -> Result<usize> {
		let Some(own) = &self.own else { return Err(Fault::Kernel(errno::ENOENT)) };
		enter_namespace(&open_namespace(task, NAMESPACE)?)?;
		let read = task.read(c"cgroup", into);
		enter_namespace(own)?;
		read.map(|(len, _)| len)
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

/// A pid namespace, by its place in the file system of namespaces (pid_namespaces(7)).
#[derive(Debug, PartialEq, Eq)]
pub struct PidNamespace(u64, u64);

impl PidNamespace {
	/// That of a task, by its directory.
	pub fn of(task: &Dir) -> Result<Self> {
		Self::above(task, 0)
	}

	/// So many above that of a task: NS_GET_PARENT of ioctl_nsfs(2), since Linux 4.9.
	pub fn above(task: &Dir, up: usize) -> Result<Self> {
		let mut namespace = open_namespace(task, c"ns/pid")?;
		for _ in 0..up {
			namespace = super::fenced::parent_namespace(&namespace)?;
		}
		let stat = fs::fstat(&namespace).map_err(super::fault)?;
		Ok(PidNamespace(stat.st_dev as _, stat.st_ino as _))
	}
}

fn open_namespace(task: &Dir, which: &CStr) -> Result<Handle> {
	fs::openat(task.fd(), which, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).map_err(super::fault)
}

/// A namespace of this process, by its place below its directory.
pub(super) fn own_namespace(which: &CStr) -> Result<Handle> {
	open_namespace(&Dir::open(c"/proc/thread-self")?, which)
}

/// Makes a cgroup namespace whose roots are the groups that this process is in now. It is in the old one still.
pub fn make_namespace() -> Result<Handle> {
	in_new_namespace(|| own_namespace(NAMESPACE))
}

/// Does something in a cgroup namespace whose roots are the groups that this process is in, and goes back.
pub(super) fn in_new_namespace<T>(act: impl FnOnce() -> Result<T>) -> Result<T> {
	let old = own_namespace(NAMESPACE)?;
	super::fenced::unshare(UnshareFlags::NEWCGROUP)?;
	let done = act();
	enter_namespace(&old)?;
	done
}

/// Goes into a cgroup namespace.
pub fn enter_namespace(namespace: &Handle) -> Result<()> {
	enter(namespace, LinkNameSpaceType::ControlGroup)
}

/// Goes into a namespace of this kind, setns(2).
pub(super) fn enter(namespace: &Handle, kind: LinkNameSpaceType) -> Result<()> {
	move_into_link_name_space(namespace.as_fd(), Some(kind)).map_err(super::fault)
}

/// Reads a small file by its path from `/`; empty where it is not there, or may not be read.
pub fn read_path(dir: &CStr, file: &CStr, into: &mut [u8]) -> Result<usize> {
	let read = Dir::open(dir).and_then(|dir| dir.read(file, into));
	Ok(unless_short(read)?.map_or(0, |(len, _)| len))
}

/// The id of this boot without its newline (random(4)), put into `into`; empty as in [`read_path`].
pub fn boot_id(into: &mut [u8; 64]) -> Result<&[u8]> {
	let len = read_path(c"/proc/sys/kernel/random", c"boot_id", into)?;
	Ok(into[..len].trim_ascii_end())
}

/// The cgroup and the pid namespace of this process, which paths and ids are those of; 0 where the kernel has none.
pub fn own_namespaces() -> Result<[u64; 2]> {
	let number = |path: &CStr| match fs::statat(fs::CWD, path, AtFlags::empty()).map_err(super::fault) {
		Err(fault) if fault.is_shortage() => Err(fault),
		stat => Ok(stat.map_or(0, |stat| stat.st_ino)),
	};
	Ok([number(c"/proc/self/ns/cgroup")?, number(c"/proc/self/ns/pid")?])
}

/// A task that is gone is no fault.
pub fn unless_gone(result: Result<()>) -> Result<()> {
	result.or_else(|fault| if is_gone(&fault) { Ok(()) } else { Err(fault) })
}

/// Whether the fault says that the task is gone.
pub fn is_gone(fault: &Fault) -> bool {
	matches!(fault, Fault::Kernel(errno::ENOENT | errno::ESRCH))
}

#[cfg(test)]
mod tests {
	use super::digits;

	#[test]
	fn numbers_are_decimal() {
		for (number, text) in [(0, c"0"), (7, c"7"), (10, c"10"), (32768, c"32768"), (u32::MAX, c"4294967295")] {
			assert_eq!(digits(number).as_c_str(), text);
		}
	}
}
