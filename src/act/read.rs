//! One file of an open group in, its value as the image keeps it out.

use core::ffi::CStr;

use crate::error::{Fault, errno};
use crate::image::view::Perms;
use crate::kernel::dir::Dir;
use crate::limits::SHORT_BYTES;
use crate::property::{Property, Read, value};

/// The value (normalised, without the last newline; it is in front of the buffer), owner and mode of a property; without
/// `with_perms` the latter are only asked for where no value is.
pub fn current<'b>(
	dir: &Dir,
	file: &CStr,
	property: &Property,
	buffer: &'b mut [u8],
	with_perms: bool,
) -> Result<(&'b [u8], Perms), Fault> {
	match property.read {
		Read::Owner => Ok((b"", dir.status_of(file)?.perms)),
		Read::Freezer => {
			let state = own_freezer_state(dir, file, buffer)?;
			buffer.get_mut(..state.len()).unwrap_or_default().copy_from_slice(state);
			Ok((state, dir.status_of(file)?.perms))
		}
		Read::Plain | Read::OomFlag | Read::Partition => {
			let (len, perms) = match with_perms {
				true => dir.read(file, buffer).map(|(len, status)| (len, status.perms))?,
				false => (dir.read_text(file, buffer)?, Perms { mode: 0, uid: 0, gid: 0 }),
			};
			let text = value::normalise(property, buffer.get(..len).unwrap_or(&[]));
			// What is not in front is a short word or number.
			let (mut short, len) = ([0; SHORT_BYTES], text.len());
			if let Some(room) = short.get_mut(..len) {
				room.copy_from_slice(text);
				buffer.get_mut(..len).unwrap_or_default().copy_from_slice(room);
			}
			Ok((buffer.get(..len).unwrap_or(&[]), perms))
		}
	}
}

/// `freezer.state` also shows a frozen ancestor; the group's own state is in `freezer.self_freezing` (freezer-subsystem
/// document of the kernel, since 3.8).
fn own_freezer_state(dir: &Dir, file: &CStr, buffer: &mut [u8]) -> Result<&'static [u8], Fault> {
	let (own, text) = match dir.read(c"freezer.self_freezing", buffer) {
		Err(Fault::Kernel(errno::ENOENT)) => (false, dir.read(file, buffer)?.0),
		result => (true, result?.0),
	};
	let frozen = match buffer.get(..text) {
		Some(text) if own => text.starts_with(b"1"),
		text => text.is_some_and(|text| text.starts_with(b"FR")),
	};
	Ok(if frozen { b"FROZEN" } else { b"THAWED" })
}

/// Whether a fault says that the file, or its group, is not there.
pub fn is_absent(fault: &Fault) -> bool {
	matches!(fault, Fault::Kernel(errno::ENOENT | errno::ENODEV))
}

/// Whether the group still exists: a removed one has no files.
pub fn is_alive(dir: &Dir) -> bool {
	dir.status_of(c"cgroup.procs").err().is_none_or(|fault| !is_absent(&fault))
}
