//! A store in memory, for the property tests and the fuzz targets.

use cgraft::error::Fault;
use cgraft::image::sink::Store;

/// A file in memory.
#[derive(Default)]
pub struct Memory(pub Vec<u8>);

impl Store for Memory {
	fn append(&mut self, bytes: &[u8]) -> Result<(), Fault> {
		self.0.extend_from_slice(bytes);
		Ok(())
	}

	fn patch(&mut self, at: u64, bytes: &[u8]) -> Result<(), Fault> {
		self.0[at as usize..at as usize + bytes.len()].copy_from_slice(bytes);
		Ok(())
	}

	fn read_at(&mut self, at: u64, into: &mut [u8]) -> Result<usize, Fault> {
		let rest = &self.0[at as usize..];
		let len = rest.len().min(into.len());
		into[..len].copy_from_slice(&rest[..len]);
		Ok(len)
	}
}
