//! A group in, the numbers of its tasks out.

use crate::act::host::Host;
use crate::act::numbers::Numbers;
use crate::error::Fault;
use crate::kernel::dir::Dir;
use crate::kernel::stream::Reader;
use crate::procfs::scan::{Lines, number32};
use crate::property::Version;

/// Puts all tasks of a group into `tasks`, none if it is not there; false if there are more than `most`.
pub(super) fn list(host: &Host, at: usize, path: &[u8], most: u32, tasks: &mut Numbers) -> Result<bool, Fault> {
	tasks.clear();
	let Some(dir) = host.open(at, path)? else { return Ok(true) };
	read_list(&dir, host.hierarchies[at].label.version(), most, tasks)
}

fn read_list(dir: &Dir, version: Version, most: u32, tasks: &mut Numbers) -> Result<bool, Fault> {
	let (mut line, mut count) = ([0; 1024], 0);
	let mut lines = Lines::new(Reader::below(dir, threads_file(version))?, &mut line);
	while let Some(line) = lines.next_line()? {
		if count == most {
			return Ok(false);
		}
		count += 1;
		if let Some(tid) = number32(line) {
			tasks.add(tid);
		}
	}
	Ok(true)
}

/// The file that lists threads and takes one.
pub(super) fn threads_file(version: Version) -> &'static core::ffi::CStr {
	if version == Version::V1 { c"tasks" } else { c"cgroup.threads" }
}
