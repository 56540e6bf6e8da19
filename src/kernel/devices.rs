//! Device programs of an open group of v2, bpf(2).

use super::Result;
use super::dir::Dir;
use super::fenced::{attach_device_program, device_programs, load_device_program};

impl Dir {
	/// Attaches a program to this group; [`crate::property::devices`] makes its code.
	pub fn attach_devices(&self, code: &[u8]) -> Result<()> {
		attach_device_program(self.fd(), &load_device_program(code)?)
	}

	/// Whether this group has programs of its own, as far as may be asked.
	pub fn has_device_programs(&self) -> bool {
		self.device_programs().is_ok_and(|count| count > 0)
	}

	/// How many programs this group has of its own.
	pub fn device_programs(&self) -> Result<u32> {
		device_programs(self.fd())
	}
}
