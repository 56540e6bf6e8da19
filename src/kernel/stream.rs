//! Text out to standard output or standard error, and text in from files of /proc.

use core::ffi::CStr;
use core::fmt;

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{self, Mode, OFlags};
use rustix::io::Errno;

use super::dir::Dir;
use super::{Result, fault, fenced};
use crate::error::Fault;
use crate::procfs::scan::Source;

/// Where text goes.
#[derive(Debug)]
pub enum Target {
	/// Standard output.
	Out,
	/// Standard error.
	Err,
	/// The file of `-o`.
	File(OwnedFd),
}

/// Buffered text; the first fault is kept and everything after it is dropped.
pub struct Text<'b> {
	target: Target,
	buffer: &'b mut [u8],
	used: usize,
	fault: Option<Fault>,
}

impl<'b> Text<'b> {
	/// Nothing written yet.
	pub fn new(target: Target, buffer: &'b mut [u8]) -> Self {
		Text { target, buffer, used: 0, fault: None }
	}

	fn fd(&self) -> BorrowedFd<'_> {
		match &self.target {
			Target::Out => fenced::stdout(),
			Target::Err => fenced::stderr(),
			Target::File(file) => file.as_fd(),
		}
	}

	/// Adds bytes.
	pub fn write(&mut self, mut bytes: &[u8]) {
		while !bytes.is_empty() && self.fault.is_none() {
			let taken = bytes.len().min(self.buffer.len() - self.used);
			self.buffer[self.used..self.used + taken].copy_from_slice(&bytes[..taken]);
			self.used += taken;
			bytes = &bytes[taken..];
			if self.used == self.buffer.len() {
				self.push();
			}
		}
	}

	fn push(&mut self) {
		let result = write_all(self.fd(), &self.buffer[..self.used]);
		self.used = 0;
		self.fault = self.fault.or(result.err());
	}

	/// Writes out what is buffered and gives the target back.
	pub fn into_target(mut self) -> Target {
		self.push();
		self.target
	}

	/// Writes out what is buffered; the first fault since the start.
	pub fn flush(&mut self) -> Result<()> {
		self.push();
		self.fault.map_or(Ok(()), Err)
	}
}

impl fmt::Write for Text<'_> {
	fn write_str(&mut self, text: &str) -> fmt::Result {
		self.write(text.as_bytes());
		Ok(())
	}
}

/// Opens the file of `-o` for messages.
pub fn log_file(path: &CStr) -> Result<Target> {
	let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC | OFlags::NOCTTY;
	fs::openat(fs::CWD, path, flags, Mode::from_raw_mode(0o600)).map(Target::File).map_err(fault)
}

/// Writes everything, with as many calls as it takes.
pub fn write_all(fd: BorrowedFd<'_>, mut bytes: &[u8]) -> Result<()> {
	while !bytes.is_empty() {
		match rustix::io::write(fd, bytes) {
			Ok(len) => bytes = &bytes[len..],
			Err(Errno::INTR) => {}
			Err(errno) => return Err(fault(errno)),
		}
	}
	Ok(())
}

/// An open file of /proc, read in pieces.
#[derive(Debug)]
pub struct Reader {
	fd: OwnedFd,
}

impl Reader {
	/// Opens `path`, from `/`.
	pub fn open(path: &CStr) -> Result<Self> {
		let fd = fs::openat(fs::CWD, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).map_err(fault)?;
		Ok(Reader { fd })
	}

	/// Opens a file right below an open directory.
	pub fn below(dir: &Dir, file: &CStr) -> Result<Self> {
		let fd = fs::openat(dir.fd(), file, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).map_err(fault)?;
		Ok(Reader { fd })
	}
}

impl Source for Reader {
	fn read(&mut self, into: &mut [u8]) -> Result<usize> {
		rustix::io::retry_on_intr(|| rustix::io::read(&self.fd, &mut *into)).map_err(fault)
	}
}
