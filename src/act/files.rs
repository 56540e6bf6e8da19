//! An open group in, the files of it that cgraft saves out, in the table's order.
//!
//! Which files a group has depends on its hierarchy alone (v1), or on its controllers (v2, `cgroup.controllers`), and
//! on the kernel. So a directory is listed once for each of these, and later groups of the kind use the same list. A
//! hierarchy's root has other files and is always listed.

use core::ffi::CStr;

use heapless::{CString, Vec};

use crate::error::Fault;
use crate::kernel::dir::Dir;
use crate::kernel::output::c_string;
use crate::limits::{CONTROLLERS_BYTES, FILE_BYTES, FILE_KINDS, FILES, Limit};
use crate::name::sort_few;
use crate::property::{self, Property, Selection, Version};

struct File {
	name: CString<FILE_BYTES>,
	rank: usize,
	property: &'static Property,
}

/// The files of one kind of group.
pub struct Files {
	key: Vec<u8, CONTROLLERS_BYTES>,
	list: Vec<File, FILES>,
}

impl Files {
	const fn new() -> Self {
		Files { key: Vec::new(), list: Vec::new() }
	}

	/// Each file's name and property.
	pub fn iter(&self) -> impl Iterator<Item = (&CStr, &'static Property)> {
		self.list.iter().map(|file| (file.name.as_c_str(), file.property))
	}

	fn fill(&mut self, dir: &Dir, version: Version, wanted: Selection, buffer: &mut [u8]) -> Result<(), Fault> {
		self.list.clear();
		dir.rewind()?;
		while dir.list(buffer, &mut |name, is_dir| if is_dir { Ok(()) } else { self.offer(name, version, wanted) })? {}
		dir.rewind()?;
		sort_few(&mut self.list, |left, right| (left.rank, &left.name) < (right.rank, &right.name));
		Ok(())
	}

	fn offer(&mut self, name: &[u8], version: Version, wanted: Selection) -> Result<(), Fault> {
		let Some(rank) = property::index_of(version, name) else { return Ok(()) };
		let Some(property) = property::find(version, name) else { return Ok(()) };
		if !wanted.has(version, rank) || name.len() >= FILE_BYTES {
			return Ok(());
		}
		let full = Fault::full(Limit::Files, self.list.len() + 1);
		self.list.push(File { name: c_string(name)?, rank, property }).map_err(|_| full)
	}
}

/// Files of the kinds of groups met last.
pub struct FileCache {
	kinds: [Files; FILE_KINDS],
	oldest: usize,
}

impl FileCache {
	/// Nothing known yet.
	pub const fn new() -> Self {
		FileCache { kinds: [const { Files::new() }; FILE_KINDS], oldest: 0 }
	}

	/// Forgets everything: another hierarchy comes.
	pub fn clear(&mut self) {
		for kind in &mut self.kinds {
			kind.key.clear();
			kind.list.clear();
		}
	}

	/// The files of the group `dir`; leaves its list rewound.
	pub fn of(
		&mut self,
		dir: &Dir,
		version: Version,
		is_root: bool,
		wanted: Selection,
		buffer: &mut [u8],
	) -> Result<&Files, Fault> {
		let mut key = Vec::<u8, CONTROLLERS_BYTES>::new();
		match (version, is_root) {
			(_, true) => {}
			(Version::V1, false) => key.push(b'1').unwrap_or(()),
			(Version::V2, false) => {
				let len = dir.read_text(c"cgroup.controllers", buffer)?;
				let full = Fault::full(Limit::Controllers, len + 1);
				let text = buffer.get(..len).unwrap_or(&[]);
				key.push(b'2').map_err(|_| full).and_then(|()| key.extend_from_slice(text).map_err(|_| full))?;
			}
		}
		if let Some(known) = self.kinds.iter().position(|kind| !key.is_empty() && kind.key == key) {
			return Ok(&self.kinds[known]);
		}
		let kind = &mut self.kinds[self.oldest];
		self.oldest = (self.oldest + 1) % FILE_KINDS;
		kind.key.clear();
		kind.fill(dir, version, wanted, buffer)?;
		kind.key = key;
		Ok(kind)
	}
}

impl Default for FileCache {
	fn default() -> Self {
		FileCache::new()
	}
}
