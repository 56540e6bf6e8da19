//! Groups entered and left in, the path of the group out.

use heapless::Vec;

use crate::error::Fault;
use crate::limits::{DEPTH, Limit, PATH_BYTES};
use crate::name::components;

/// The path of the group that was entered last, as memberships write it: `/` or `/a/b`.
pub struct Path {
	bytes: Vec<u8, PATH_BYTES>,
	/// Bytes before each group that was entered.
	lens: Vec<u16, DEPTH>,
}

impl Path {
	/// Before the first group.
	pub const fn new() -> Self {
		Path { bytes: Vec::new(), lens: Vec::new() }
	}

	/// The path.
	pub fn bytes(&self) -> &[u8] {
		if self.bytes.is_empty() { b"/" } else { &self.bytes }
	}

	/// Goes down; `name` is the group's in the image.
	pub fn enter(&mut self, name: &[u8]) -> Result<(), Fault> {
		let len = u16::try_from(self.bytes.len()).unwrap_or(u16::MAX); // PATH_BYTES fits
		self.lens.push(len).map_err(|_| Fault::full(Limit::Depth, DEPTH + 1))?;
		components(name).try_for_each(|component| push(&mut self.bytes, component))
	}

	/// Goes up again.
	pub fn leave(&mut self) {
		self.bytes.truncate(self.lens.pop().unwrap_or(0).into());
	}

	/// What entering the group added: the whole path of a head, one component of another group.
	pub fn own(&self) -> &[u8] {
		match self.lens.as_slice() {
			[_, .., len] => self.bytes.get(usize::from(*len) + 1..).unwrap_or(b""),
			_ => self.bytes(),
		}
	}
}

fn push(bytes: &mut Vec<u8, PATH_BYTES>, component: &[u8]) -> Result<(), Fault> {
	let full = Fault::full(Limit::GroupPath, bytes.len() + 1 + component.len());
	bytes.push(b'/').map_err(|_| full)?;
	bytes.extend_from_slice(component).map_err(|_| full)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn down_and_up() {
		let mut path = Path::new();
		assert_eq!(path.bytes(), b"/");
		path.enter(b"").unwrap();
		assert_eq!((path.bytes(), path.own()), (&b"/"[..], &b"/"[..]));
		path.enter(b"a").unwrap();
		assert_eq!((path.bytes(), path.own()), (&b"/a"[..], &b"a"[..]));
		path.leave();
		path.leave();
		path.enter(b"a/b").unwrap();
		assert_eq!((path.bytes(), path.own()), (&b"/a/b"[..], &b"/a/b"[..]));
		path.enter(b"c").unwrap();
		assert_eq!((path.bytes(), path.own()), (&b"/a/b/c"[..], &b"c"[..]));
		path.leave();
		path.leave();
		assert_eq!(path.bytes(), b"/");
	}

	#[test]
	fn a_path_that_is_too_long_is_a_fault() {
		let mut path = Path::new();
		path.enter(&[b'x'; PATH_BYTES - 1]).unwrap();
		assert!(matches!(path.enter(b"y"), Err(Fault::Full(..))));
	}
}
