//! What may be written in an open directory; and its extended attributes, xattr(7): kernfs has `user.*` (since Linux 5.7) and `trusted.*`.

use core::ffi::CStr;

use rustix::fs;
use rustix::io::Errno;

use super::dir::Dir;
use super::{Result, fault, is_still};
use crate::error::Fault;
use crate::limits::{ATTRIBUTE_NAMES_BYTES, Limit};

impl Dir {
	/// Whether this process may write a file right below, or make groups with `.`; nothing is tried. faccessat2(2)
	pub fn may_write(&self, file: &CStr) -> Result<()> {
		fs::accessat(self.fd(), file, fs::Access::WRITE_OK, fs::AtFlags::EACCESS).map_err(fault)
	}

	/// The names of its extended attributes, each with a NUL behind it; their bytes' number. `trusted.*` is listed for
	/// CAP_SYS_ADMIN only. None where the kernel has no attributes here. flistxattr(2)
	pub fn attributes(&self, into: &mut [u8]) -> Result<usize> {
		// Asked without a buffer first, for which the kernel would make one of its own.
		match fs::flistxattr_query(self.fd()) {
			Ok(0) | Err(Errno::OPNOTSUPP | Errno::PERM | Errno::NOSYS) => Ok(0),
			Ok(_) => match fs::flistxattr(self.fd(), into) {
				Err(Errno::TOOBIG) => Err(Fault::full(Limit::AttributeNames, ATTRIBUTE_NAMES_BYTES + 1)),
				result => result.map_err(fault),
			},
			Err(errno) => Err(fault(errno)),
		}
	}

	/// The value of one of them; its bytes' number, none where there is no such attribute. fgetxattr(2)
	pub fn attribute(&self, name: &CStr, into: &mut [u8]) -> Result<Option<usize>> {
		match fs::fgetxattr(self.fd(), name, into) {
			Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(None),
			result => result.map(Some).map_err(fault),
		}
	}

	/// Gives one of them a value, or takes it away. fsetxattr(2), fremovexattr(2)
	pub fn set_attribute(&self, name: &CStr, value: Option<&[u8]>) -> Result<()> {
		if is_still() {
			return Ok(());
		}
		let result = match value {
			Some(value) => fs::fsetxattr(self.fd(), name, value, fs::XattrFlags::empty()),
			None => fs::fremovexattr(self.fd(), name),
		};
		match result {
			Err(Errno::NODATA) if value.is_none() => Ok(()),
			result => result.map_err(fault),
		}
	}
}
