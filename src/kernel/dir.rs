//! Open directories and the files right below them.
//!
//! Directories are opened with openat2(2) and RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS and RESOLVE_NO_XDEV, so that
//! neither a link nor a mount in the tree can lead away; where the kernel has no openat2 (before 5.6), with
//! O_NOFOLLOW and a comparison of device numbers. A property's file must be a regular file of the same file system.

mod status;

use core::ffi::CStr;
use core::mem::MaybeUninit;

use rustix::fd::OwnedFd;
use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, RawDir, ResolveFlags};
use rustix::io::Errno;

use self::status::status;
pub use self::status::{FileSystem, Status};
use super::fenced::Map;
use super::{Result, fault, is_still};
use crate::error::{Fault, Why};
use crate::image::view::Perms;
use crate::limits::Limit;

/// Takes a name of a list and whether it is that of a directory.
pub type Each<'e> = &'e mut dyn FnMut(&[u8], bool) -> Result<()>;

/// An open directory.
#[derive(Debug)]
pub struct Dir {
	fd: OwnedFd,
}

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
const BENEATH: ResolveFlags = ResolveFlags::BENEATH
	.union(ResolveFlags::NO_SYMLINKS)
	.union(ResolveFlags::NO_XDEV)
	.union(ResolveFlags::NO_MAGICLINKS);

impl Dir {
	/// A mount point or another path that this host, not an image, names.
	pub fn open(path: &CStr) -> Result<Self> {
		let fd = fs::openat(fs::CWD, path, DIRECTORY, Mode::empty()).map_err(fault)?;
		Ok(Dir { fd })
	}

	/// The group `name` right below.
	pub fn child(&self, name: &CStr) -> Result<Self> {
		let fd = open_beneath(&self.fd, name, DIRECTORY).map_err(fault)?;
		Ok(Dir { fd })
	}

	/// The same directory, opened once more: its list starts anew.
	pub fn again(&self) -> Result<Self> {
		Dir::of(&self.fd)
	}

	/// The directory of a descriptor that may be good for nothing but a path, such as that of a mount.
	pub(super) fn of(file: &OwnedFd) -> Result<Self> {
		let fd = fs::openat(file, c".", DIRECTORY, Mode::empty()).map_err(fault)?;
		Ok(Dir { fd })
	}

	/// A directory right below, or what a link or a mount there leads to: for folders that the user names.
	pub fn entry(&self, name: &CStr) -> Result<Self> {
		let fd = fs::openat(&self.fd, name, DIRECTORY, Mode::empty()).map_err(fault)?;
		Ok(Dir { fd })
	}

	/// Its path, as the kernel knows it (proc_pid_fd(5)), put into `into`; its length.
	pub fn path(&self, into: &mut [u8]) -> Result<usize> {
		let link = super::proc::path_of(&self.fd);
		let (path, rest) = fs::readlinkat_raw(fs::CWD, link.as_c_str(), uninit(into)).map_err(fault)?;
		let len = path.len();
		if rest.is_empty() { Err(Fault::full(Limit::Path, len + 1)) } else { Ok(len) }
	}

	/// Makes the group `name` right below.
	pub fn make(&self, name: &CStr, mode: u32) -> Result<()> {
		if is_still() {
			return Ok(());
		}
		fs::mkdirat(&self.fd, name, Mode::from_raw_mode(mode & 0o7777)).map_err(fault)
	}

	/// Removes the group `name` right below; it must be empty.
	pub fn remove(&self, name: &CStr) -> Result<()> {
		fs::unlinkat(&self.fd, name, AtFlags::REMOVEDIR).map_err(fault)
	}

	/// The directory's own status.
	pub fn status(&self) -> Result<Status> {
		Ok(status(&fs::fstat(&self.fd).map_err(fault)?))
	}

	/// Which file system it is on.
	pub fn file_system(&self) -> Result<FileSystem> {
		status::file_system(&self.fd)
	}

	/// The status of a file right below, links not followed.
	pub fn status_of(&self, file: &CStr) -> Result<Status> {
		Ok(status(&fs::statat(&self.fd, file, AtFlags::SYMLINK_NOFOLLOW).map_err(fault)?))
	}

	/// Reads a file right below to its end; returns its bytes' number and its status. The value must fit.
	pub fn read(&self, file: &CStr, into: &mut [u8]) -> Result<(usize, Status)> {
		let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NOCTTY;
		let fd = fs::openat(&self.fd, file, flags, Mode::empty()).map_err(fault)?;
		let stat = status(&fs::fstat(&fd).map_err(fault)?);
		if !stat.is_file() {
			return Err(Fault::Text(Why::RegularFile));
		}
		Ok((read_to_end(&fd, into)?, stat))
	}

	/// The same for a file that is known to be regular, without its status; also one of a group right below, where [`keeps_beneath`].
	pub fn read_text(&self, file: &CStr, into: &mut [u8]) -> Result<usize> {
		let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY;
		read_to_end(&open_beneath(&self.fd, file, flags).map_err(fault)?, into)
	}

	/// Maps a regular file right below, whatever else has its name; a pipe does not block.
	pub fn map(&self, file: &CStr) -> Result<Map> {
		let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
		let fd = open_beneath(&self.fd, file, flags).map_err(fault)?;
		let stat = status(&fs::fstat(&fd).map_err(fault)?);
		if stat.is_file() { Map::new(&fd, stat.size as usize) } else { Err(Fault::Text(Why::RegularFile)) }
	}

	/// Writes a property's file right below, with one write(2).
	pub fn write(&self, file: &CStr, text: &[u8]) -> Result<()> {
		if is_still() {
			return Ok(());
		}
		super::output::write_to(&self.open_file(file)?, text)
	}

	/// Opens a file right below to be written; in a dry run only to see that it is there.
	pub fn open_file(&self, file: &CStr) -> Result<OwnedFd> {
		let how = if is_still() { OFlags::RDONLY } else { OFlags::WRONLY };
		open_beneath(&self.fd, file, how | OFlags::CLOEXEC | OFlags::NOCTTY).map_err(fault)
	}

	/// Sets owner and mode of a file right below where they differ from `now`.
	pub fn own(&self, file: &CStr, now: Perms, wanted: Perms) -> Result<()> {
		if is_still() {
			return Ok(());
		}
		let fd = open_beneath(&self.fd, file, OFlags::PATH | OFlags::CLOEXEC).map_err(fault)?;
		set_perms(&fd, now, wanted)
	}

	/// Sets the directory's own owner and mode where they differ from `now`.
	pub fn own_self(&self, now: Perms, wanted: Perms) -> Result<()> {
		set_perms(&self.fd, now, wanted)
	}

	/// Starts its list again, or for the first time.
	pub fn rewind(&self) -> Result<()> {
		fs::seek(&self.fd, fs::SeekFrom::Start(0)).map(|_| ()).map_err(fault)
	}

	/// Reads the next part of its list and gives each name and whether it is a directory; false at the end.
	pub fn list(&self, buffer: &mut [u8], each: Each<'_>) -> Result<bool> {
		let mut raw = RawDir::new(&self.fd, uninit(buffer));
		let mut some = false;
		while let Some(entry) = raw.next() {
			let entry = entry.map_err(fault)?;
			some = true;
			let name = entry.file_name().to_bytes();
			if name != b"." && name != b".." {
				each(name, entry.file_type() == FileType::Directory)?;
			}
			if raw.is_buffer_empty() {
				break;
			}
		}
		Ok(some)
	}

	pub(super) fn fd(&self) -> &OwnedFd {
		&self.fd
	}
}

/// A buffer of plain bytes may be overwritten by the kernel.
fn uninit(buffer: &mut [u8]) -> &mut [MaybeUninit<u8>] {
	super::fenced::as_uninit(buffer)
}

fn open_beneath(dir: &OwnedFd, name: &CStr, flags: OFlags) -> rustix::io::Result<OwnedFd> {
	match fs::openat2(dir, name, flags, Mode::empty(), BENEATH) {
		Err(Errno::NOSYS) => open_same_device(dir, name, flags),
		result => result,
	}
}

/// Whether the kernel keeps a path of several components below a directory.
pub fn keeps_beneath() -> bool {
	!matches!(fs::openat2(fs::CWD, c".", DIRECTORY, Mode::empty(), BENEATH), Err(Errno::NOSYS))
}

/// Before Linux 5.6: without links, and on the same device.
fn open_same_device(dir: &OwnedFd, name: &CStr, flags: OFlags) -> rustix::io::Result<OwnedFd> {
	let fd = fs::openat(dir, name, flags | OFlags::NOFOLLOW, Mode::empty())?;
	match fs::fstat(&fd)?.st_dev == fs::fstat(dir)?.st_dev {
		true => Ok(fd),
		false => Err(Errno::XDEV),
	}
}

/// Reads until a read returns nothing. A property's file shows its whole value to the first read that has room for it
/// (seq_file of the kernel, one record), so a short read ends it, unless it ends at a page's border.
fn read_to_end(fd: &OwnedFd, into: &mut [u8]) -> Result<usize> {
	let mut used = 0;
	loop {
		match rustix::io::read(fd, &mut into[used..]) {
			Ok(0) if used == into.len() => {
				return Err(Fault::full(Limit::FileText, used + 1));
			}
			Ok(0) => return Ok(used),
			Ok(len) => {
				used += len;
				if used < into.len() && !used.is_multiple_of(4096) {
					return Ok(used);
				}
			}
			Err(Errno::INTR) => {}
			Err(errno) => return Err(fault(errno)),
		}
	}
}

/// The mode is set even where the owner may not be.
fn set_perms(fd: &OwnedFd, now: Perms, wanted: Perms) -> Result<()> {
	if is_still() {
		return Ok(());
	}
	let mut owned = Ok(());
	if (now.uid, now.gid) != (wanted.uid, wanted.gid) {
		let (owner, group) = (fs::Uid::from_raw(wanted.uid), fs::Gid::from_raw(wanted.gid));
		owned = fs::chownat(fd, c"", Some(owner), Some(group), AtFlags::EMPTY_PATH).map_err(fault);
	}
	if now.mode & 0o7777 != wanted.mode & 0o7777 {
		set_mode(fd, Mode::from_raw_mode(wanted.mode & 0o7777))?;
	}
	owned
}

/// chmod of an open file; one that was opened for its path only (O_PATH) is reached through /proc/self/fd.
fn set_mode(fd: &OwnedFd, mode: Mode) -> Result<()> {
	match fs::fchmod(fd, mode) {
		Err(Errno::BADF) => {
			fs::chmodat(fs::CWD, super::proc::path_of(fd).as_c_str(), mode, AtFlags::empty()).map_err(fault)
		}
		result => result.map_err(fault),
	}
}
