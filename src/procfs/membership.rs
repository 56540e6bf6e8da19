//! The text of /proc/PID/cgroup or /proc/PID/task/TID/cgroup in, the task's group in each hierarchy out.
//!
//! Source: cgroups(7), "/proc files"; `proc_cgroup_show` of kernel/cgroup/cgroup.c. Nothing in it is escaped.
//! Bounds: none; everything is borrowed from the text, at most one line of `PATH_MAX` bytes for each hierarchy.
//! Errors: [`Fault::Text`] where the text does not begin with `id:controllers:/path`, then nothing more.
//! Not done here: whether a group is really removed, and what a path that leaves the namespace (`/../..`) means.

use crate::error::{Fault, Why};

use super::scan::{cut, number32};

const DELETED: &[u8] = b" (deleted)";

/// Where a task is in one hierarchy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership<'a> {
	/// The hierarchy's number; 0 is v2.
	pub id: u32,
	/// `cpu,cpuacct`, `name=systemd`, `cpu,name=x`, or nothing for v2.
	pub controllers: &'a [u8],
	/// The group, from the root of the reader's cgroup namespace; raw bytes.
	pub path: &'a [u8],
	/// Whether this is v2 and the path ends in ` (deleted)`: the group is removed, or is called so.
	pub deleted: bool,
}

impl<'a> Membership<'a> {
	/// The path that a removed group had, where `deleted` is set. Only if no group is called [`Membership::path`].
	pub fn path_if_deleted(&self) -> Option<&'a [u8]> {
		self.path.strip_suffix(DELETED).filter(|_| self.deleted)
	}

	/// Whether the group lies outside of the reader's cgroup namespace.
	pub fn is_outside(&self) -> bool {
		self.path.strip_prefix(b"/..").is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
	}
}

/// The memberships of a text, in the kernel's order. A line that does not begin as a membership does belongs to the
/// path before it: no kernel makes a group with a newline in its name, but the text is not trusted.
pub fn memberships(text: &[u8]) -> Memberships<'_> {
	Memberships { rest: text }
}

/// The first of them whose hierarchy has these controllers, all of them and no others.
#[inline(never)]
pub fn find<'t>(text: &'t [u8], controllers: &[u8]) -> Result<Option<Membership<'t>>, Fault> {
	for line in memberships(text) {
		let line = line?;
		if same_controllers(line.controllers, controllers) {
			return Ok(Some(line));
		}
	}
	Ok(None)
}

/// See [`memberships`].
#[derive(Clone, Debug)]
pub struct Memberships<'a> {
	rest: &'a [u8],
}

impl<'a> Iterator for Memberships<'a> {
	type Item = Result<Membership<'a>, Fault>;

	fn next(&mut self) -> Option<Self::Item> {
		if self.rest.is_empty() {
			return None;
		}
		let (entry, behind) = self.rest.split_at_checked(entry_len(self.rest)).unwrap_or((self.rest, b""));
		let parsed = parse(entry.strip_suffix(b"\n").unwrap_or(entry));
		self.rest = if parsed.is_some() { behind } else { b"" };
		Some(parsed.ok_or(Fault::Text(Why::MembershipLine)))
	}
}

/// Bytes up to the next line that begins a membership, newlines included.
fn entry_len(text: &[u8]) -> usize {
	let mut len = 0usize;
	for line in text.split_inclusive(|byte| *byte == b'\n') {
		if len > 0 && split(line).is_some() {
			break;
		}
		len = len.saturating_add(line.len());
	}
	len
}

fn parse(entry: &[u8]) -> Option<Membership<'_>> {
	let (id, controllers, path) = split(entry)?;
	let id = number32(id)?;
	let deleted = id == 0 && controllers.is_empty() && path.ends_with(DELETED);
	Some(Membership { id, controllers, path, deleted })
}

/// The three parts of `digits:controllers:/path`. Only the first two colons divide.
fn split(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
	let (id, rest) = cut(text, b':')?;
	let (controllers, path) = cut(rest, b':')?;
	let is_start = !id.is_empty()
		&& id.iter().all(u8::is_ascii_digit)
		&& controllers.iter().all(|byte| is_label_byte(*byte))
		&& path.starts_with(b"/");
	is_start.then_some((id, controllers, path))
}

/// Letters of a hierarchy's name; the kernel's `isalnum` takes Latin-1 too.
pub fn is_label_byte(byte: u8) -> bool {
	!byte.is_ascii_control() && byte != b' ' && byte != b'/'
}

/// Whether `name` (`cpu`, `name=systemd`) is one of a comma list, as a whole.
pub fn has_controller(list: &[u8], name: &[u8]) -> bool {
	!name.is_empty() && list.split(|byte| *byte == b',').any(|word| word == name)
}

/// Whether two comma lists name the same controllers, in any order.
pub fn same_controllers(a: &[u8], b: &[u8]) -> bool {
	has_all(a, b) && has_all(b, a)
}

fn has_all(list: &[u8], wanted: &[u8]) -> bool {
	wanted.split(|byte| *byte == b',').all(|word| word.is_empty() || has_controller(list, word))
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::procfs::fixtures::{MEMBERSHIPS, text};
	extern crate std;
	use std::vec::Vec;

	fn all(text: &[u8]) -> Vec<Membership<'_>> {
		memberships(text).map(Result::unwrap).collect()
	}

	#[test]
	fn every_fixture_has_its_number_of_memberships() {
		let counts = MEMBERSHIPS.iter().map(|(_, text)| all(text).len());
		assert!(counts.eq([14, 14, 14, 1, 10, 10, 10, 10, 10, 1, 1, 13, 4, 6, 1, 6, 4]));
	}

	#[test]
	fn a_thread_of_criu_is_elsewhere_in_one_hierarchy() {
		let leader = all(text("criu-v1-threads/task.cgroup"));
		let thread = all(text("criu-v1-threads/thread.cgroup"));
		let different: Vec<_> = leader.iter().zip(&thread).filter(|(a, b)| a != b).collect();
		let expected = Membership { id: 1, controllers: b"cpu,cpuacct", path: b"/ct/db", deleted: false };
		assert_eq!(different.len(), 1);
		assert_eq!(*different[0].1, expected);
		assert_eq!(leader[13], Membership { id: 0, controllers: b"", path: b"/ct/web", deleted: false });
	}

	#[test]
	fn raw_bytes_and_an_end_that_looks_deleted() {
		let task = all(text("live-odd-mounts/task.cgroup"));
		let path = b"/cgraft-proc-x/cgraft-proc a b\tc\\d:e,f\xff (deleted)";
		assert_eq!((task[8].path, task[8].deleted), (&path[..], false));
		assert_eq!((task[9].path, task[9].deleted), (&path[..], true));
		assert_eq!(task[9].path_if_deleted(), path.strip_suffix(b" (deleted)"));
		assert_eq!(task[8].path_if_deleted(), None);
		let zombie = all(text("live-odd-mounts/zombie.cgroup"));
		assert_eq!(zombie[9].path_if_deleted(), Some(&b"/cgraft-proc-x/gone"[..]));
		assert_eq!(all(text("live-nested-cgns/init.cgroup"))[9].path, b"/../..");
	}

	#[test]
	fn a_path_that_leaves_the_namespace_is_outside_of_it() {
		for (text, outside) in
			[(&b"1:cpu:/.."[..], true), (b"1:cpu:/../a", true), (b"1:cpu:/..a", false), (b"1:cpu:/", false)]
		{
			assert_eq!(all(text)[0].is_outside(), outside, "{text:?}");
		}
		assert!(all(text("live-nested-cgns/init.cgroup"))[9].is_outside());
	}

	#[test]
	fn newlines_in_paths_belong_to_them() {
		let odd = all(text("odd/task.cgroup"));
		assert_eq!(odd[0].path, b"/a:b:c,d e");
		assert_eq!(odd[1].path, b"/line\nbreak\n12:not a membership:/\n7:pids:relative");
		assert_eq!(odd[2].path, b"/\xff\xfe\\012\t\"");
		assert_eq!(odd[3].path_if_deleted(), Some(&b"/x (deleted)"[..]));
		assert_eq!(all(b"1:cpu:/a\n\n")[0].path, b"/a\n");
		assert_eq!(all(b"1:cpu:/a")[0].path, b"/a");
	}

	#[test]
	fn malformed_texts_end_with_a_fault() {
		for text in
			[&b"\n"[..], b"1:cpu", b"1:cpu:", b"1:cpu:a", b":cpu:/", b"-1:cpu:/", b"x\n1:cpu:/", b"1:c p:/", b"1::\n/"]
		{
			let found: Vec<_> = memberships(text).collect();
			assert!(matches!(found[..], [Err(Fault::Text(_))]), "{text:?}");
		}
		let found: Vec<_> = memberships(b"2:cpu:/\n4294967296:pids:/\n1:x:/\n").collect();
		assert!(matches!(found[..], [Ok(_), Err(Fault::Text(_))]));
		assert_eq!(memberships(b"").count(), 0);
	}

	#[test]
	fn long_paths_are_whole() {
		let path = "/name".repeat(2000);
		let text = std::format!("0::{path}\n");
		assert_eq!(all(text.as_bytes())[0].path, path.as_bytes());
	}

	#[test]
	fn controllers_are_compared_as_whole_names() {
		assert!(has_controller(b"cpu,cpuacct", b"cpuacct") && !has_controller(b"cpuacct,cpuset", b"cpu"));
		assert!(!has_controller(b"name=mycpu", b"cpu") && !has_controller(b"name=cpu", b"cpu"));
		assert!(has_controller(b"cpu,name=x", b"name=x") && !has_controller(b"name=xy", b"name=x"));
		assert!(!has_controller(b"", b"") && !has_controller(b"cpu,,x", b""));
		assert!(same_controllers(b"cpu,cpuacct", b"cpuacct,cpu") && same_controllers(b"", b""));
		assert!(!same_controllers(b"cpu", b"cpu,cpuacct") && !same_controllers(b"cpu,cpuacct", b"cpu"));
		assert!(!same_controllers(b"", b"cpu") && !same_controllers(b"name=cpu", b"cpu"));
	}
}
