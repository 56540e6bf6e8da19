//! What stat(2) and statfs(2) say of files and directories.

use rustix::fd::OwnedFd;
use rustix::fs::{self, FileType};

use crate::image::view::Perms;
use crate::kernel::{Result, fault};

/// `f_type` of cgroup v1, statfs(2).
const CGROUP_MAGIC: u64 = 0x0027_e0eb;
/// `f_type` of cgroup v2, statfs(2).
const CGROUP2_MAGIC: u64 = 0x6367_7270;

/// What stat(2) says and cgraft uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
	/// Owner and mode with type bits.
	pub perms: Perms,
	/// Device number of the file system.
	pub device: u64,
	/// Links: a cgroupfs directory has two and one for each child.
	pub links: u64,
	/// Bytes.
	pub size: u64,
}

pub(super) fn status(stat: &fs::Stat) -> Status {
	Status {
		perms: Perms { mode: stat.st_mode, uid: stat.st_uid, gid: stat.st_gid },
		device: stat.st_dev as _,
		links: stat.st_nlink as _,
		size: stat.st_size as u64,
	}
}

impl Status {
	/// Whether it is a directory.
	pub fn is_dir(&self) -> bool {
		FileType::from_raw_mode(self.perms.mode) == FileType::Directory
	}

	/// Whether it is a regular file.
	pub fn is_file(&self) -> bool {
		FileType::from_raw_mode(self.perms.mode) == FileType::RegularFile
	}

	/// Major and minor number of the file system, as mountinfo prints them.
	pub fn device_numbers(&self) -> (u32, u32) {
		(fs::major(self.device as _), fs::minor(self.device as _))
	}
}

/// Which cgroup file system a directory is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileSystem {
	/// cgroup.
	V1,
	/// cgroup2.
	V2,
	/// Another one.
	Other,
}

/// Which one an open directory is on.
pub(super) fn file_system(dir: &OwnedFd) -> Result<FileSystem> {
	match fs::fstatfs(dir).map_err(fault)?.f_type as u64 {
		CGROUP_MAGIC => Ok(FileSystem::V1),
		CGROUP2_MAGIC => Ok(FileSystem::V2),
		_ => Ok(FileSystem::Other),
	}
}
