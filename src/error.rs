//! What went wrong, whose fault it is, and where: one error type for all layers.
//!
//! Low layers return a [`Fault`] (what); a layer that knows where it happened turns it into an [`Error`] with
//! [`At::at`]. Nothing here allocates, and the kernel's number is kept unchanged.

use core::fmt;
use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering::Relaxed};

use crate::limits::{Limit, PLACE_BYTES};
pub use crate::why::Why;

/// What went wrong. The variant decides the exit code (see [`Error::exit_code`]). Eight bytes: it travels in a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
	/// The kernel refused a call with this errno, see errno(3).
	Kernel(i32),
	/// Text of /proc or cgroupfs does not have the form that its man page gives; what was expected.
	Text(Why),
	/// The image is damaged, cut off or hostile: what is wrong, payload offset in bytes.
	Image(Why, u32),
	/// The same of a journal.
	Journal(Why, u32),
	/// A capacity of [`crate::limits`] is passed; what was needed.
	Full(Limit, u32),
	/// The target host cannot take this image and nothing was tried; why.
	Unfit(Why),
	/// The kernel took a value and shows another one.
	NotKept,
	/// The command line asks for something that makes no sense; why.
	Usage(Why),
}

const _: () = assert!(size_of::<Fault>() == 8 && size_of::<Result<(), Error>>() == 8);

impl Fault {
	/// A fault of the image at this offset.
	pub fn image(at: usize, why: Why) -> Self {
		Fault::Image(why, at as u32) // the payload's size is a u32
	}

	/// Whether the kernel could not do what it was asked, for want of something or a broken device: it says nothing about
	/// whether what was asked for is there.
	pub fn is_shortage(&self) -> bool {
		matches!(self, Fault::Kernel(errno::EIO | errno::ENOMEM | errno::EMFILE | errno::ENFILE))
	}

	/// A capacity that is passed.
	pub fn full(limit: Limit, need: usize) -> Self {
		Fault::Full(limit, u32::try_from(need).unwrap_or(u32::MAX))
	}
}

/// Where the last error happened, as text for people: what was being done, and the group or file; escaped, so that it
/// can go to a terminal. It is to errors what errno is to failed calls, so that they stay as small as faults: an error
/// is told before another one is made.
static LAST_PLACE: [AtomicU8; PLACE_BYTES] = [const { AtomicU8::new(0) }; PLACE_BYTES];
static LAST_LEN: AtomicUsize = AtomicUsize::new(0);

/// Writes the last place. Text that does not fit ends in three dots: a place only helps to find the spot.
struct LastPlace;

impl LastPlace {
	fn put(text: &str) {
		let len = LAST_LEN.load(Relaxed);
		for (slot, byte) in LAST_PLACE.iter().skip(len).zip(text.bytes()) {
			slot.store(byte, Relaxed);
		}
		LAST_LEN.store(len + text.len(), Relaxed);
	}
}

impl fmt::Write for LastPlace {
	fn write_str(&mut self, piece: &str) -> fmt::Result {
		let mut len = (PLACE_BYTES - 3).saturating_sub(LAST_LEN.load(Relaxed));
		if let Some(piece) = piece.get(..piece.len()).filter(|piece| piece.len() <= len) {
			Self::put(piece);
			return Ok(());
		}
		while !piece.is_char_boundary(len) {
			len -= 1;
		}
		Self::put(piece.get(..len).unwrap_or(""));
		Self::put("...");
		Err(fmt::Error)
	}
}

/// A fault whose place was written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
	/// What went wrong.
	pub fault: Fault,
}

impl Error {
	/// A fault that happened there.
	#[cold]
	#[inline(never)]
	pub fn new(fault: Fault, place: fmt::Arguments<'_>) -> Self {
		LAST_LEN.store(0, Relaxed);
		let _ = fmt::write(&mut LastPlace, place); // what does not fit is marked
		Error { fault }
	}

	/// The process's exit code for this error before the host was touched (design: exit codes 1 to 4).
	pub fn exit_code(&self) -> u8 {
		match self.fault {
			Fault::Kernel(_) | Fault::Text(_) | Fault::Full(..) | Fault::NotKept => 1,
			Fault::Usage(_) => 2,
			Fault::Image(..) | Fault::Journal(..) => 3,
			Fault::Unfit(_) => 4,
		}
	}
}

impl fmt::Display for Error {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let mut text = [0; PLACE_BYTES];
		text.iter_mut().zip(&LAST_PLACE).for_each(|(byte, slot)| *byte = slot.load(Relaxed));
		let place = text.get(..LAST_LEN.load(Relaxed)).and_then(|text| str::from_utf8(text).ok());
		write!(f, "{}: {}", place.unwrap_or("?"), self.fault)
	}
}

/// None where something is not there, or may not be looked at; a shortage is an error, lest a run with too few open files
/// takes a host for one that has less.
pub fn unless_short<T>(result: Result<T, Fault>) -> Result<Option<T>, Fault> {
	match result {
		Err(fault) if fault.is_shortage() => Err(fault),
		result => Ok(result.ok()),
	}
}

/// Attaches the place to a fault: `dir.read(..).at(format_args!("read {file}"))?`.
pub trait At<T> {
	/// The same result with the place where it happened.
	fn at(self, place: fmt::Arguments<'_>) -> Result<T, Error>;
}

impl<T> At<T> for Result<T, Fault> {
	#[inline]
	fn at(self, place: fmt::Arguments<'_>) -> Result<T, Error> {
		match self {
			Ok(value) => Ok(value),
			Err(fault) => Err(Error::new(fault, place)),
		}
	}
}

impl fmt::Display for Fault {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Fault::Kernel(number) => match errno_words(*number) {
				Some(words) => f.write_str(words),
				None => write!(f, "error {number} of the kernel"),
			},
			Fault::Text(expected) => write!(f, "unexpected text, not {}", expected.text()),
			Fault::Image(why, at) => write!(f, "the image is damaged at byte {at}: {}", why.text()),
			Fault::Journal(why, at) => write!(f, "the journal is damaged at byte {at}: {}", why.text()),
			Fault::Full(limit, need) => limit.show(*need, f),
			Fault::Unfit(why) | Fault::Usage(why) => f.write_str(why.text()),
			Fault::NotKept => f.write_str("the kernel took the value but shows another one"),
		}
	}
}

macro_rules! numbers {
	($($name:ident = $number:literal, $words:literal;)*) => {
		/// The errno numbers that cgraft looks at (asm-generic/errno-base.h, errno.h; the same on all its architectures).
		#[allow(missing_docs)]
		pub mod errno {
			$(pub const $name: i32 = $number;)*
			pub(super) static ALL: &[u8] = &[$($number,)*];
			/// In the order of the numbers.
			pub(super) static WORDS: &str = concat!($($words, " (", stringify!($name), ")\n",)*);
		}
	};
}

numbers! {
	EPERM = 1, "operation not permitted";
	ENOENT = 2, "no such file or group";
	ESRCH = 3, "no such task";
	EINTR = 4, "interrupted";
	EIO = 5, "input/output error";
	E2BIG = 7, "too long for one write";
	EBADF = 9, "not open for this";
	EAGAIN = 11, "refused for now: a limit on groups or tasks is reached";
	ENOMEM = 12, "out of memory";
	EACCES = 13, "permission denied";
	EBUSY = 16, "busy: in use, or usage is above the new value";
	EEXIST = 17, "exists already";
	EXDEV = 18, "another file system is mounted there";
	ENODEV = 19, "no such device on this host";
	ENOTDIR = 20, "not a directory";
	EISDIR = 21, "is a directory";
	EINVAL = 22, "the kernel does not take this value here";
	ENFILE = 23, "too many open files: raise `ulimit -n`";
	EMFILE = 24, "too many open files: raise `ulimit -n`";
	EFBIG = 27, "file too large";
	ENOSPC = 28, "no room: the disk is full, or a cpuset has no CPUs or memory nodes";
	ESPIPE = 29, "cannot be read at a place";
	EROFS = 30, "read-only file system";
	EMLINK = 31, "too many links";
	EPIPE = 32, "nobody reads the pipe any more";
	ERANGE = 34, "out of range";
	ENAMETOOLONG = 36, "name too long";
	ENOSYS = 38, "this kernel does not have the call";
	ENOTEMPTY = 39, "not empty";
	ELOOP = 40, "a symbolic link where none may be";
	EOPNOTSUPP = 95, "not supported by this kernel or group";
	EDQUOT = 122, "quota exceeded";
}

fn errno_words(number: i32) -> Option<&'static str> {
	let at = errno::ALL.iter().position(|known| i32::from(*known) == number)?;
	errno::WORDS.split('\n').nth(at)
}

#[cfg(test)]
mod tests {
	use super::*;
	extern crate std;
	use std::string::ToString;

	#[test]
	fn an_error_names_place_and_reason_and_a_long_place_ends_in_dots() {
		let error = Err::<(), _>(Fault::Kernel(errno::EROFS)).at(format_args!("create /{}", "a")).unwrap_err();
		assert_eq!(error.to_string(), "create /a: read-only file system (EROFS)");
		assert_eq!(error.exit_code(), 1);
		for start in ["", "x"] {
			let text = Error::new(Fault::NotKept, format_args!("{start}{}", "ä".repeat(PLACE_BYTES))).to_string();
			let (place, _) = text.split_once(": ").unwrap();
			assert!(place.ends_with("ä...") && place.len() > PLACE_BYTES - 3 && place.len() <= PLACE_BYTES, "{place}");
		}
	}

	#[test]
	fn a_full_capacity_names_limit_and_need() {
		assert_eq!(Fault::full(Limit::Depth, 513).to_string(), "levels of groups: limit 512, needed 513");
	}
}
