//! The one fenced file with `unsafe` in it: an image's file as bytes, the standard streams, and device programs.
//!
//! What needs it: mmap(2) and its end, madvise(2), handing a byte buffer to getdents64(2), borrowing file descriptors 0
//! to 2, unshare(2), ioctl(2), and bpf(2), tgkill(2), signals and threads, which rustix does not have, or not for programs with a libc.
//! Assumptions: the file is mapped privately and read-only, so cgraft itself never changes the bytes. Another program
//! that truncates the image meanwhile ends cgraft with SIGBUS before the next step; nothing read from the bytes is
//! ever trusted for memory safety, every access is bounds-checked by the slice.
#![allow(unsafe_code)]

use core::cell::Cell;
use core::ffi::{c_int, c_long, c_ulong, c_void};
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};
use core::slice;

use rustix::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
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
	fn syscall(number: c_long, ...) -> c_long;
	fn __errno_location() -> *mut c_int;
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

// SAFETY: declared as in pthread.h; `pthread_t` is a number or an address, of this size in either case.
unsafe extern "C" {
	fn pthread_create(
		thread: *mut usize,
		attributes: *const c_void,
		start: extern "C" fn(*mut c_void) -> *mut c_void,
		argument: *mut c_void,
	) -> c_int;
	fn pthread_join(thread: usize, result: *mut *mut c_void) -> c_int;
}

/// What a second thread does.
type Work<'a> = &'a (dyn Fn() + Sync);

extern "C" fn run(work: *mut c_void) -> *mut c_void {
	// SAFETY: `Thread::start` gave it the address of its `work`, which outlives the thread.
	(unsafe { *work.cast::<Work<'_>>() })();
	ptr::null_mut()
}

/// A thread that is made when it is needed, and waited for when this goes out of scope.
struct Thread<'a> {
	work: Work<'a>,
	number: Cell<Option<usize>>,
	refused: Cell<bool>,
}

impl Thread<'_> {
	/// Whether it is there. pthread_create(3) makes its stack by mmap(2), not on the heap.
	fn start(&self) -> bool {
		if self.number.get().is_none() && !self.refused.get() {
			let mut number = 0;
			let argument = ptr::from_ref(&self.work).cast_mut().cast();
			// SAFETY: `drop` waits for the thread, so `work` and all that it borrows stay until it has ended.
			let made = super::has_room_for_two()
				&& unsafe { pthread_create(&raw mut number, ptr::null(), run, argument) } == 0;
			self.number.set(made.then_some(number));
			self.refused.set(!made);
		}
		self.number.get().is_some()
	}
}

impl Drop for Thread<'_> {
	fn drop(&mut self) {
		if let Some(number) = self.number.get() {
			// SAFETY: made by `start` and not joined before.
			unsafe { pthread_join(number, ptr::null_mut()) };
		}
	}
}

/// Runs `body`, which gets a function that makes a second thread for `work`, at the first time, and tells whether it is
/// there. `body` has to let `work` come to an end: it is waited for.
pub fn beside(work: Work<'_>, body: &mut dyn FnMut(&dyn Fn() -> bool)) {
	let thread = Thread { work, number: Cell::new(None), refused: Cell::new(false) };
	body(&|| thread.start());
}

/// syscalls(2): x86_64's numbers, and those of the architectures that share theirs.
const RT_SIGPROCMASK: c_long = if cfg!(target_arch = "x86_64") { 14 } else { 135 };
const RT_SIGPENDING: c_long = if cfg!(target_arch = "x86_64") { 127 } else { 136 };
/// sigprocmask(2)
const SIG_BLOCK: c_long = 0;

/// Lets signals, one bit each, wait for as long as this thread is there; those that waited before.
pub fn block_signals(signals: u64) -> u64 {
	let mut before = 0_u64;
	// SAFETY: the kernel reads and writes a set of eight bytes, as it is told.
	unsafe { syscall(RT_SIGPROCMASK, SIG_BLOCK, &raw const signals, &raw mut before, size_of::<u64>()) };
	before
}

/// The signals that wait for this thread or the process.
pub fn pending_signals() -> u64 {
	let mut pending = 0_u64;
	// SAFETY: the kernel writes a set of eight bytes, as it is told.
	unsafe { syscall(RT_SIGPENDING, &raw mut pending, size_of::<u64>()) };
	pending
}

const TGKILL: c_long = if cfg!(target_arch = "x86_64") { 234 } else { 131 };

/// Whether a process has a thread with this number: tgkill(2) sends no signal 0, but looks. No where it may not be asked.
pub fn has_thread(pid: u32, tid: u32) -> bool {
	// SAFETY: three numbers; with signal 0 nothing comes of it.
	unsafe { syscall(TGKILL, c_long::from(pid), c_long::from(tid), 0 as c_long) == 0 }
}

const BPF: c_long = if cfg!(target_arch = "x86_64") { 321 } else { 280 };
/// Commands of bpf(2), linux/bpf.h.
const BPF_PROG_LOAD: c_long = 5;
const BPF_PROG_ATTACH: c_long = 8;
const BPF_PROG_QUERY: c_long = 16;
/// Types of programs and of places to attach them to, and that others may be there.
const BPF_PROG_TYPE_CGROUP_DEVICE: u64 = 15;
const BPF_CGROUP_DEVICE: u64 = 6;
const BPF_F_ALLOW_MULTI: u64 = 2;

/// bpf(2). `union bpf_attr` in words of 64 bits, little endian: two fields of 32 bits are one.
fn bpf(command: c_long, attributes: &mut [u64; 8]) -> Result<c_int> {
	// SAFETY: private to this file: the addresses in `attributes` are of what the callers below hold meanwhile, and the
	// kernel writes into nothing but `attributes`, of which it is told the size.
	match unsafe { syscall(BPF, command, attributes.as_mut_ptr(), size_of_val(attributes)) } {
		// SAFETY: libc's place for this thread's number.
		-1 => Err(crate::error::Fault::Kernel(unsafe { *__errno_location() })),
		result => Ok(result as c_int),
	}
}

fn low(file: &OwnedFd) -> u64 {
	file.as_raw_fd() as u64
}

/// Loads a device program.
pub fn load_device_program(code: &[u8]) -> Result<OwnedFd> {
	let kind = BPF_PROG_TYPE_CGROUP_DEVICE | (code.len() as u64 / 8) << 32;
	let name = u64::from_le_bytes(*b"cgraft\0\0");
	let file = bpf(BPF_PROG_LOAD, &mut [kind, code.as_ptr() as u64, c"".as_ptr() as u64, 0, 0, 0, name, 0])?;
	// SAFETY: a new descriptor that nobody else has; it closes itself on execve(2).
	Ok(unsafe { OwnedFd::from_raw_fd(file) })
}

/// Attaches a device program to an open group, beside those that are there. It ends with the group.
pub fn attach_device_program(group: &OwnedFd, program: &OwnedFd) -> Result<()> {
	let (target, how) = (low(group) | low(program) << 32, BPF_CGROUP_DEVICE | BPF_F_ALLOW_MULTI << 32);
	bpf(BPF_PROG_ATTACH, &mut [target, how, 0, 0, 0, 0, 0, 0]).map(|_| ())
}

/// How many device programs an open group has; those of the groups above are not counted.
pub fn device_programs(group: &OwnedFd) -> Result<u32> {
	let mut attributes = [low(group) | BPF_CGROUP_DEVICE << 32, 0, 0, 0, 0, 0, 0, 0];
	bpf(BPF_PROG_QUERY, &mut attributes)?;
	Ok(attributes[3] as u32)
}
