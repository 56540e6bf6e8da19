//! The one fenced file with `unsafe` in it: an image's file as bytes, and the standard streams.
//!
//! What needs it: mmap(2) and its end, madvise(2), handing a byte buffer to getdents64(2), borrowing file descriptors 0
//! to 2, unshare(2), and ioctl(2).
//! Assumptions: the file is mapped privately and read-only, so cgraft itself never changes the bytes. Another program
//! that truncates the image meanwhile ends cgraft with SIGBUS before the next step; nothing read from the bytes is
//! ever trusted for memory safety, every access is bounds-checked by the slice.
#![allow(unsafe_code)]

use core::ffi::{c_ulong, c_void};
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};
use core::slice;

use rustix::fd::{BorrowedFd, FromRawFd, OwnedFd};
use rustix::ioctl;
use rustix::mm::{self, Advice, MapFlags, ProtFlags};
use rustix::thread::UnshareFlags;

use super::{Result, fault};
use crate::image::view::Pages;

/// A mapped file; empty files have no mapping.
#[derive(Debug)]
pub struct Map {
	start: Option<NonNull<u8>>,
	len: usize,
}

impl Map {
	/// Maps the first `len` bytes of a file.
	pub fn new(file: &OwnedFd, len: usize) -> Result<Self> {
		if len == 0 {
			return Ok(Map { start: None, len });
		}
		// SAFETY: a fresh private read-only mapping at an address of the kernel's choice aliases nothing.
		let start = unsafe { mm::mmap(ptr::null_mut(), len, ProtFlags::READ, MapFlags::PRIVATE, file, 0) };
		Ok(Map { start: NonNull::new(start.map_err(fault)?.cast()), len })
	}

	/// The bytes.
	pub fn bytes(&self) -> &[u8] {
		match self.start {
			// SAFETY: the mapping has `len` readable bytes and lives as long as `self`.
			Some(start) => unsafe { slice::from_raw_parts(start.as_ptr(), self.len) },
			None => &[],
		}
	}
}

impl Pages for Map {
	/// The page cache keeps them; they come back when they are looked at again.
	fn release(&self) {
		if let Some(start) = self.start {
			// SAFETY: dropping clean pages of a read-only file mapping changes no byte that a later read sees.
			let _ = unsafe { mm::madvise(start.as_ptr().cast(), self.len, Advice::LinuxDontNeed) };
		}
	}
}

impl Drop for Map {
	fn drop(&mut self) {
		if let Some(start) = self.start {
			// SAFETY: the mapping was made by `new` and no slice of it outlives `self`.
			let _ = unsafe { mm::munmap(start.as_ptr().cast(), self.len) };
		}
	}
}

// SAFETY: declared as in sys/auxv.h; it only reads what the kernel gave the process at its start. libc is linked by the
// standard library of the program and of the tests.
unsafe extern "C" {
	/// A value of the auxiliary vector, getauxval(3).
	pub safe fn getauxval(kind: c_ulong) -> c_ulong;
}

/// Standard input.
pub fn stdin() -> BorrowedFd<'static> {
	// SAFETY: cgraft never closes descriptors 0 to 2; one that was closed from the start gives EBADF.
	unsafe { rustix::stdio::stdin() }
}

/// Standard output.
pub fn stdout() -> BorrowedFd<'static> {
	// SAFETY: as for `stdin`.
	unsafe { rustix::stdio::stdout() }
}

/// Standard error.
pub fn stderr() -> BorrowedFd<'static> {
	// SAFETY: as for `stdin`.
	unsafe { rustix::stdio::stderr() }
}

/// The buffer as memory that a system call may write into.
pub fn as_uninit(buffer: &mut [u8]) -> &mut [MaybeUninit<u8>] {
	// SAFETY: same layout; rustix's RawDir only stores bytes that getdents64(2) wrote, so the buffer stays initialised.
	unsafe { &mut *(ptr::from_mut(buffer) as *mut [MaybeUninit<u8>]) }
}

/// NS_GET_PARENT, ioctl_nsfs(2): no argument in, a descriptor out.
struct GetParent;

// SAFETY: the opcode is that of linux/nsfs.h; the kernel reads no argument and returns a new descriptor, whose only owner
// is made here.
unsafe impl ioctl::Ioctl for GetParent {
	type Output = OwnedFd;
	const IS_MUTATING: bool = false;

	fn opcode(&self) -> ioctl::Opcode {
		ioctl::opcode::none(0xb7, 2)
	}

	fn as_ptr(&mut self) -> *mut c_void {
		ptr::null_mut()
	}

	unsafe fn output_from_ptr(out: ioctl::IoctlOutput, _: *mut c_void) -> rustix::io::Result<OwnedFd> {
		// SAFETY: as above.
		Ok(unsafe { OwnedFd::from_raw_fd(out) })
	}
}

/// The namespace in which this one was made.
pub fn parent_namespace(namespace: &OwnedFd) -> Result<OwnedFd> {
	// SAFETY: see `GetParent`; for a file that is no namespace the kernel says ENOTTY.
	unsafe { ioctl::ioctl(namespace, GetParent) }.map_err(fault)
}

/// Gives this process, which has one thread, a namespace of its own; only NEWNS and NEWCGROUP.
pub fn unshare(flags: UnshareFlags) -> Result<()> {
	debug_assert!(UnshareFlags::NEWNS.union(UnshareFlags::NEWCGROUP).contains(flags));
	// SAFETY: descriptors stay shared as they are; with one thread nobody else relies on the old namespace.
	unsafe { rustix::thread::unshare_unsafe(flags) }.map_err(fault)
}
