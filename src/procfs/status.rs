//! The text of /proc/PID/task/TID/status in, the task's id in its own PID namespace out.
//!
//! Source: proc_pid_status(5); `task_state` of fs/proc/array.c. The command in `Name:` is chosen by the task, but a
//! newline in it is printed as `\n`, so it cannot fake a line.
//! Bounds: none. The `Groups:` line alone can have 700 KiB: read by lines where that matters.
//! Errors: none; no such line (kernels without PID namespaces) and a malformed one are both None.
//! Not done here: everything else in the file.

use super::scan::number32;

/// The innermost id of the task.
pub fn namespace_id(text: &[u8]) -> Option<u32> {
	ids(text).last().and_then(number32)
}

/// The ids of the task, from the namespace of /proc inwards; none without the line.
pub fn ids(text: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
	field(text, b"NSpid:").split(|byte| matches!(byte, b'\t' | b' ')).filter(|id| !id.is_empty())
}

/// The id of the process of the task.
pub fn process(text: &[u8]) -> Option<u32> {
	number32(field(text, b"Tgid:").trim_ascii_start())
}

/// The signals that the process ignores, one bit each, the first one the lowest; 0 without the line.
pub fn ignored_signals(text: &[u8]) -> u64 {
	let digits = field(text, b"SigIgn:").trim_ascii_start();
	core::str::from_utf8(digits).ok().and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or(0)
}

/// What a line has behind its name.
fn field<'t>(text: &'t [u8], name: &[u8]) -> &'t [u8] {
	text.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(name)).unwrap_or(&[])
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::procfs::fixtures::text;

	#[test]
	fn the_innermost_id_is_the_last() {
		assert_eq!(namespace_id(text("live-nested-cgns/task.status")), Some(8));
		assert_eq!(namespace_id(text("live-odd-mounts/zombie.status")), Some(4051));
		assert_eq!(namespace_id(text("live-v1-split/kthreadd.status")), Some(2));
		assert_eq!(namespace_id(b"Name:\tNSpid:\t7\\nNSpid:\t8\nNSpid:\t12345\t77\t1\nNSpid:\t5\n"), Some(1));
	}

	#[test]
	fn missing_or_malformed_is_none() {
		for text in
			[&b""[..], b"Name:\tNSpid:\t7\n", b"NSpid:\n", b"NSpid:\t1\tx\n", b"NSpid:\t4294967296", b" NSpid:\t1"]
		{
			assert_eq!(namespace_id(text), None, "{text:?}");
		}
		assert!(ids(b"Name:\tx\nNSpid:\t9\t2\n").eq([b"9", b"2"]));
		assert_eq!(ids(b"NStgid:\t9\t2").count(), 0);
		assert_eq!((process(b"Name:\tTgid:\t1\nTgid:\t77\nPid:\t78\n"), process(b"Pid:\t78\n")), (Some(77), None));
	}
}
