//! The image's file: written where nobody sees it and put in place when it is complete; and images read.
//!
//! A regular file is made without a name (O_TMPFILE) or, where the file system cannot, under a name of its own beside
//! the target; it is synced and takes the target's name at the end. A pipe, a terminal or a device gets the bytes of
//! a memory file (memfd_create(2)) when they are complete.

use core::ffi::CStr;

use heapless::CString;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{self, AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::dir::Dir;
use super::fenced::{self, Map};
use super::proc::{path_of, with_number};
use super::{Result, fault, stream};
use crate::error::{Fault, Why, errno, unless_short};
use crate::image::sink::Store;
use crate::limits::{Limit, PATH_BYTES, PIECE_BYTES};

/// Images hold names of users' groups and processes: like CRIU's, only the owner reads them.
const IMAGE_MODE: u32 = 0o600;

/// A file's name in its folder: `NAME_MAX` of limits.h and a NUL.
type FileName = CString<256>;

/// How the bytes get to the target.
#[derive(Debug)]
enum Way {
	/// Copied to standard output at the end.
	Pipe,
	/// Copied to this open device or named pipe at the end.
	Device(OwnedFd),
	/// Linked into `dir` at the end; it has no name yet.
	Nameless { dir: Dir, name: FileName },
	/// Renamed at the end; it has a temporary name.
	Named { dir: Dir, name: FileName },
}

/// An image's file that is being written.
#[derive(Debug)]
pub struct Output {
	file: OwnedFd,
	way: Way,
	done: bool,
}

impl Output {
	/// A memory file, for [`Self::map`], or that goes to standard output.
	pub fn in_memory() -> Result<Self> {
		Ok(Output { file: memory_file()?, way: Way::Pipe, done: false })
	}

	/// The file `path`; what is there stays there until [`Self::commit`].
	pub fn to_path(path: &[u8]) -> Result<Self> {
		let whole: CString<PATH_BYTES> = c_string(path)?;
		match fs::statat(fs::CWD, whole.as_c_str(), AtFlags::empty()) {
			Ok(stat) => match fs::FileType::from_raw_mode(stat.st_mode) {
				fs::FileType::RegularFile => {}
				fs::FileType::Directory => return Err(Fault::Kernel(errno::EISDIR)),
				_ => return Self::to_device(whole.as_c_str()),
			},
			Err(Errno::NOENT) => {}
			Err(errno) => return Err(fault(errno)),
		}
		let (folder, name) = split(path)?;
		let dir = Dir::open(folder.as_c_str())?;
		let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
		match fs::openat(dir.fd(), c".", flags, Mode::from_raw_mode(IMAGE_MODE)) {
			Ok(file) => Ok(Output { file, way: Way::Nameless { dir, name }, done: false }),
			Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::NOENT | Errno::INVAL | Errno::NOSYS) => {
				Self::to_temporary(dir, name)
			}
			Err(errno) => Err(fault(errno)),
		}
	}

	fn to_device(path: &CStr) -> Result<Self> {
		let flags = OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOCTTY;
		let device = fs::openat(fs::CWD, path, flags, Mode::empty()).map_err(fault)?;
		Ok(Output { file: memory_file()?, way: Way::Device(device), done: false })
	}

	fn to_temporary(dir: Dir, name: FileName) -> Result<Self> {
		let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
		let temporary = temporary_name();
		let file = fs::openat(dir.fd(), temporary.as_c_str(), flags, Mode::from_raw_mode(IMAGE_MODE)).map_err(fault)?;
		Ok(Output { file, way: Way::Named { dir, name }, done: false })
	}

	/// The file as it is, to be read.
	pub fn map(&self) -> Result<Map> {
		Map::new(&self.file, fs::fstat(&self.file).map_err(fault)?.st_size as usize)
	}

	/// Puts the complete file where it belongs.
	pub fn commit(mut self) -> Result<()> {
		match &self.way {
			Way::Pipe => copy(&self.file, fenced::stdout())?,
			Way::Device(device) => copy(&self.file, device.as_fd())?,
			Way::Nameless { dir, name } => {
				fs::fsync(&self.file).map_err(fault)?;
				link_over(&self.file, dir, name.as_c_str())?;
				sync_folder(dir)?;
			}
			Way::Named { dir, name } => {
				fs::fsync(&self.file).map_err(fault)?;
				fs::renameat(dir.fd(), temporary_name().as_c_str(), dir.fd(), name.as_c_str()).map_err(fault)?;
				sync_folder(dir)?;
			}
		}
		self.done = true;
		Ok(())
	}
}

impl Drop for Output {
	fn drop(&mut self) {
		if let (false, Way::Named { dir, .. }) = (self.done, &self.way) {
			let _ = fs::unlinkat(dir.fd(), temporary_name().as_c_str(), AtFlags::empty());
		}
	}
}

impl Store for Output {
	fn append(&mut self, bytes: &[u8]) -> Result<()> {
		stream::write_all(self.file.as_fd(), bytes)
	}

	fn patch(&mut self, at: u64, bytes: &[u8]) -> Result<()> {
		write_at(&self.file, at, bytes)
	}

	fn read_at(&mut self, at: u64, into: &mut [u8]) -> Result<usize> {
		rustix::io::retry_on_intr(|| rustix::io::pread(&self.file, &mut *into, at)).map_err(fault)
	}
}

/// The new name lasts as well. A folder that cannot be synced at all is none the worse.
fn sync_folder(dir: &Dir) -> Result<()> {
	unless_short(fs::fsync(dir.fd()).map_err(fault)).map(|_| ())
}

/// Writes all bytes at this offset of a file.
pub fn write_at(file: &OwnedFd, mut at: u64, mut bytes: &[u8]) -> Result<()> {
	while !bytes.is_empty() {
		let len = rustix::io::retry_on_intr(|| rustix::io::pwrite(file, bytes, at)).map_err(fault)?;
		bytes = &bytes[len..];
		at += len as u64;
	}
	Ok(())
}

/// Reads exactly as many bytes as there is room for, from this offset of a file.
pub fn read_at(file: &OwnedFd, at: u64, into: &mut [u8]) -> Result<()> {
	let mut read = 0;
	while read < into.len() {
		let rest = &mut into[read..];
		match rustix::io::retry_on_intr(|| rustix::io::pread(file, &mut *rest, at + read as u64)).map_err(fault)? {
			0 => return Err(Fault::Text(Why::OwnFile)),
			len => read += len,
		}
	}
	Ok(())
}

/// A file that lives in memory only.
pub fn memory_file() -> Result<OwnedFd> {
	fs::memfd_create(c"cgraft", fs::MemfdFlags::CLOEXEC).map_err(fault)
}

/// A file that outlives cgraft and is this process's alone for now, and its bytes; with `make` it need not be there.
pub fn kept_file(path: &[u8], make: bool) -> Result<(OwnedFd, u64)> {
	let mut flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
	flags.set(OFlags::CREATE, make);
	let path = c_string::<PATH_BYTES>(path)?;
	let file = fs::openat(fs::CWD, path.as_c_str(), flags, Mode::from_raw_mode(IMAGE_MODE)).map_err(fault)?;
	let stat = fs::fstat(&file).map_err(fault)?;
	if fs::FileType::from_raw_mode(stat.st_mode) != fs::FileType::RegularFile {
		return Err(Fault::Text(Why::RegularFile));
	}
	match fs::flock(&file, fs::FlockOperation::NonBlockingLockExclusive) {
		Err(Errno::WOULDBLOCK) => Err(Fault::Unfit(Why::JournalInUse)),
		result => result.map(|()| (file, stat.st_size as u64)).map_err(fault),
	}
}

/// Cuts a file off.
pub fn truncate(file: &OwnedFd, len: u64) -> Result<()> {
	fs::ftruncate(file, len).map_err(fault)
}

/// Unique among running programs of this pid namespace.
fn temporary_name() -> CString<32> {
	with_number(b".cgraft-", rustix::process::getpid().as_raw_pid().cast_unsigned(), b".tmp")
}

/// linkat(2) of a nameless file; an old file of this name is replaced in one step.
fn link_over(file: &OwnedFd, dir: &Dir, name: &CStr) -> Result<()> {
	let path = path_of(file);
	let link = |name: &CStr| fs::linkat(fs::CWD, path.as_c_str(), dir.fd(), name, AtFlags::SYMLINK_FOLLOW);
	match link(name) {
		Err(Errno::EXIST) => {
			let temporary = temporary_name();
			link(temporary.as_c_str()).map_err(fault)?;
			fs::renameat(dir.fd(), temporary.as_c_str(), dir.fd(), name).map_err(|errno| {
				let _ = fs::unlinkat(dir.fd(), temporary.as_c_str(), AtFlags::empty());
				fault(errno)
			})
		}
		result => result.map_err(fault),
	}
}

fn copy(from: &OwnedFd, to: BorrowedFd<'_>) -> Result<()> {
	let mut piece = [0; PIECE_BYTES];
	let mut at = 0;
	loop {
		match rustix::io::retry_on_intr(|| rustix::io::pread(from, &mut piece, at)).map_err(fault)? {
			0 => return Ok(()),
			len => stream::write_all(to, &piece[..len])?,
		}
		at += PIECE_BYTES as u64;
	}
}

/// A path for a system call.
pub fn c_string<const N: usize>(path: &[u8]) -> Result<CString<N>> {
	let mut text = CString::new();
	match text.extend_from_bytes(path) {
		Ok(()) => Ok(text),
		Err(_) if path.contains(&0) => Err(Fault::Usage(Why::NulInPath)),
		Err(_) => Err(Fault::full(Limit::Path, path.len())),
	}
}

fn split(path: &[u8]) -> Result<(CString<PATH_BYTES>, FileName)> {
	let (folder, name) = match path.iter().rposition(|byte| *byte == b'/') {
		Some(0) => (&b"/"[..], &path[1..]),
		Some(at) => (&path[..at], &path[at + 1..]),
		None => (&b"."[..], path),
	};
	if name.is_empty() {
		return Err(Fault::Kernel(errno::EISDIR));
	}
	let mut file = FileName::new();
	file.extend_from_bytes(name).map_err(|_| Fault::Kernel(errno::ENAMETOOLONG))?;
	Ok((c_string(folder)?, file))
}

/// An image that is read: a mapped file, or standard input through a memory file.
pub fn read_image(path: Option<&[u8]>) -> Result<Map> {
	let file = match path {
		Some(path) => {
			let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY;
			fs::openat(fs::CWD, c_string::<PATH_BYTES>(path)?.as_c_str(), flags, Mode::empty()).map_err(fault)?
		}
		None => spool(fenced::stdin())?,
	};
	let stat = fs::fstat(&file).map_err(fault)?;
	match fs::FileType::from_raw_mode(stat.st_mode) {
		fs::FileType::RegularFile => Map::new(&file, stat.st_size as usize),
		fs::FileType::Directory => Err(Fault::Kernel(errno::EISDIR)),
		_ => {
			let copy = spool(file.as_fd())?;
			Map::new(&copy, fs::fstat(&copy).map_err(fault)?.st_size as usize)
		}
	}
}

/// Copies everything from a pipe into a memory file.
fn spool(from: BorrowedFd<'_>) -> Result<OwnedFd> {
	let file = memory_file()?;
	let mut piece = [0; PIECE_BYTES];
	loop {
		match rustix::io::retry_on_intr(|| rustix::io::read(from, &mut piece)).map_err(fault)? {
			0 => return Ok(file),
			len => stream::write_all(file.as_fd(), &piece[..len])?,
		}
	}
}

/// Writes to a property's file, with one write(2).
pub fn write_to(file: &OwnedFd, text: &[u8]) -> Result<()> {
	if super::is_still() {
		return Ok(());
	}
	loop {
		match rustix::io::write(file, text) {
			Ok(len) if len == text.len() => return Ok(()),
			Ok(_) => return Err(Fault::Kernel(errno::E2BIG)),
			Err(Errno::INTR) => {}
			Err(errno) => return Err(fault(errno)),
		}
	}
}
