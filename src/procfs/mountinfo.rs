//! One line of /proc/PID/mountinfo in, one mounted cgroup hierarchy out.
//!
//! Source: proc_pid_mountinfo(5); `show_mountinfo` of fs/proc_namespace.c, `cgroup_show_path` and the two
//! `show_options` of kernel/cgroup.
//! Bounds: none; everything is borrowed from the line. A line is as long as two escaped paths and two option lists.
//! Errors: [`Fault::Text`] for a line that is not of this form. Lines of other file systems are not judged further
//! than to their type.
//! Not done here: unescaping ([`unescape`](super::scan::unescape)), and which mounts show the same hierarchy.

use crate::error::{Fault, Why};

use super::scan::{cut, number32};

/// Which of the two kinds of control groups a mount shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
	/// File system `cgroup`: a hierarchy with the controllers or the name of its super options.
	V1,
	/// File system `cgroup2`: the unified hierarchy.
	V2,
}

/// A mount of a cgroup file system; texts are escaped as the kernel prints them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mount<'a> {
	/// The mount's id, unique in this mount namespace.
	pub id: u32,
	/// The id of the mount it lies on.
	pub parent: u32,
	/// Major and minor number; equal ones are the same hierarchy.
	pub device: (u32, u32),
	/// The group that is seen at the mount point, from the reader's cgroup namespace: `/`, `/ct`, `/../..`.
	pub root: &'a [u8],
	/// The mount point, from the reader's root directory; a removed one ends in `//deleted`.
	pub point: &'a [u8],
	/// Options of this mount.
	pub options: &'a [u8],
	/// v1 or v2.
	pub kind: Kind,
	/// Options of the hierarchy, the same for all of its mounts.
	pub super_options: &'a [u8],
}

/// One of a hierarchy's options, still escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuperWord<'a> {
	/// A controller of a v1 hierarchy.
	Controller(&'a [u8]),
	/// The name of a v1 hierarchy, without `name=`.
	Named(&'a [u8]),
	/// Anything else.
	Flag(&'a [u8]),
}

/// Options without a value that are not controllers: of v1 (cgroup-v1.c), of v2 (cgroup.c) and of every super block.
const FLAGS: [&[u8]; 22] = [
	b"rw",
	b"ro",
	b"sync",
	b"dirsync",
	b"mand",
	b"lazytime",
	b"seclabel",
	b"all",
	b"none",
	b"xattr",
	b"noprefix",
	b"clone_children",
	b"cpuset_v2_mode",
	b"sane_behavior",
	b"__DEVEL__sane_behavior",
	b"favordynmods",
	b"nofavordynmods",
	b"nsdelegate",
	b"memory_localevents",
	b"memory_recursiveprot",
	b"memory_hugetlb_accounting",
	b"pids_localevents",
];

/// The mount that `line` (without its newline) describes, or None for another file system.
pub fn parse_line(line: &[u8]) -> Result<Option<Mount<'_>>, Fault> {
	let (fields, behind) = fields(line).ok_or(Fault::Text(Why::MountFields))?;
	let (kind, rest) = cut(behind, b' ').unwrap_or((behind, b""));
	let kind = match kind {
		b"cgroup" => Kind::V1,
		b"cgroup2" => Kind::V2,
		_ => return Ok(None),
	};
	let [id, parent, device, root, point, options] = fields;
	let (_source, super_options) = cut(rest, b' ').ok_or(Fault::Text(Why::MountOptions))?;
	Ok(Some(Mount {
		id: number32(id).ok_or(Fault::Text(Why::MountId))?,
		parent: number32(parent).ok_or(Fault::Text(Why::ParentId))?,
		device: device_numbers(device).ok_or(Fault::Text(Why::MountDevice))?,
		root: absolute(root).ok_or(Fault::Text(Why::MountRoot))?,
		point: absolute(point).ok_or(Fault::Text(Why::MountPoint))?,
		options,
		kind,
		super_options,
	}))
}

/// The first six fields, and what follows the separator. Any number of optional fields lies between them. Fields are
/// divided by exactly one space: an empty one (a mount without a source) is a field too.
fn fields(line: &[u8]) -> Option<([&[u8]; 6], &[u8])> {
	let mut fields: [&[u8]; 6] = [b""; 6];
	let mut rest = line;
	for field in &mut fields {
		(*field, rest) = cut(rest, b' ')?;
	}
	loop {
		let (word, behind) = cut(rest, b' ')?;
		if word == b"-" {
			return Some((fields, behind));
		}
		rest = behind;
	}
}

fn device_numbers(text: &[u8]) -> Option<(u32, u32)> {
	let (major, minor) = cut(text, b':')?;
	Some((number32(major)?, number32(minor)?))
}

fn absolute(path: &[u8]) -> Option<&[u8]> {
	path.starts_with(b"/").then_some(path)
}

/// Whether an option list (of a mount, or of a hierarchy) forbids writing.
pub fn is_read_only(options: &[u8]) -> bool {
	options.split(|byte| *byte == b',').any(|word| word == b"ro")
}

impl<'a> Mount<'a> {
	/// What the options of the hierarchy mean, in their order.
	pub fn super_words(&self) -> impl Iterator<Item = SuperWord<'a>> + use<'a> {
		let kind = self.kind;
		let mut rest = self.super_options;
		core::iter::from_fn(move || next_option(&mut rest)).map(move |word| judge(kind, word))
	}
}

fn judge(kind: Kind, word: &[u8]) -> SuperWord<'_> {
	if let Some(name) = word.strip_prefix(b"name=") {
		SuperWord::Named(name)
	} else if kind == Kind::V2 || word.contains(&b'=') || FLAGS.contains(&word) {
		SuperWord::Flag(word)
	} else {
		SuperWord::Controller(word)
	}
}

/// The next option that is not empty. Commas in values are escaped, but SELinux puts its contexts in quotes instead.
fn next_option<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
	while let Some(byte) = rest.first() {
		let len = if *byte == b',' { 0 } else { option_len(rest) };
		let (word, behind) = rest.split_at_checked(len)?;
		*rest = behind.strip_prefix(b",").unwrap_or(behind);
		if !word.is_empty() {
			return Some(word);
		}
	}
	None
}

fn option_len(text: &[u8]) -> usize {
	quoted_context_len(text).or_else(|| text.iter().position(|byte| *byte == b',')).unwrap_or(text.len())
}

/// Bytes of `context="a,b"` (also fscontext, defcontext, rootcontext) where the text begins with one.
fn quoted_context_len(text: &[u8]) -> Option<usize> {
	let (key, value) = cut(text, b'=')?;
	if !key.ends_with(b"context") || key.contains(&b',') {
		return None;
	}
	let (_, behind) = cut(value.strip_prefix(b"\"")?, b'"')?;
	(behind.is_empty() || behind.starts_with(b",")).then(|| text.len().checked_sub(behind.len()))?
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::procfs::fixtures::{MOUNTINFOS, text};
	use crate::procfs::scan::unescape;
	use SuperWord::{Controller, Flag, Named};
	extern crate std;
	use std::vec::Vec;

	fn mounts(name: &str) -> Vec<Mount<'static>> {
		let lines = text(name).split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
		lines.filter_map(|line| parse_line(line).unwrap()).collect()
	}

	fn words(name: &str, point: &[u8]) -> Vec<SuperWord<'static>> {
		mounts(name).iter().find(|mount| mount.point == point).unwrap().super_words().collect()
	}

	#[test]
	fn every_fixture_has_its_number_of_cgroup_mounts() {
		let counts = MOUNTINFOS.iter().map(|(name, _)| mounts(name).len());
		assert!(counts.eq([14, 14, 1, 10, 15, 17, 1, 2, 13, 4, 4, 1, 5, 2]));
	}

	#[test]
	fn a_co_mounted_hierarchy_of_criu_v1() {
		let expected = Mount {
			id: 29,
			parent: 28,
			device: (0, 26),
			root: b"/",
			point: b"/sys/fs/cgroup/cpu,cpuacct",
			options: b"rw,relatime",
			kind: Kind::V1,
			super_options: b"rw,cpu,cpuacct",
		};
		let all = mounts("criu-v1-ct/mountinfo");
		assert_eq!(all[0], expected);
		assert!(all[0].super_words().eq([Flag(b"rw"), Controller(b"cpu"), Controller(b"cpuacct")]));
		assert_eq!(all[13].kind, Kind::V2);
	}

	#[test]
	fn bind_mounts_of_an_odd_subtree_and_second_mounts() {
		let all = mounts("live-odd-mounts/mountinfo");
		let at = |point: &[u8]| *all.iter().find(|mount| mount.point == point).unwrap();
		let bind = at(b"/tmp/cgraft-proc-live/sub\\040tree");
		let mut root = heapless::Vec::<u8, 128>::new();
		unescape(bind.root, &mut root).unwrap();
		assert_eq!(root, b"/cgraft-proc-x/cgraft-proc a b\tc\\d:e,f\xff (deleted)");
		assert_eq!(at(b"/tmp/cgraft-proc-live/again").device, bind.device);
		assert_eq!(at(b"/sys/fs/cgroup/cpu").device, bind.device);
		assert!(is_read_only(at(b"/tmp/cgraft-proc-live/ro#").options) && !is_read_only(bind.options));
		let without_source = at(b"/tmp/cgraft-proc-live/two");
		assert_eq!((without_source.kind, without_source.super_options), (Kind::V2, &b"rw"[..]));
	}

	#[test]
	fn roots_outside_of_the_cgroup_namespace() {
		let all = mounts("live-nested-cgns/mountinfo");
		assert!(all.iter().any(|mount| mount.root == b"/../.." && mount.point == b"/sys/fs/cgroup/cpu"));
		assert!(all.iter().any(|mount| mount.root == b"/..") && all.iter().any(|mount| mount.root == b"/"));
		assert!(mounts("lxc-v1/mountinfo").iter().any(|mount| mount.root == b"/../../lxc.monitor.web"));
	}

	#[test]
	fn names_that_look_like_controllers() {
		assert_eq!(words("lxc-v1/mountinfo", b"/sys/fs/cgroup/mycpu"), [Flag(b"rw"), Named(b"mycpu")]);
		assert_eq!(words("lxc-v1/mountinfo", b"/sys/fs/cgroup/named-cpu"), [Flag(b"rw"), Named(b"cpu")]);
		let both = words("lxc-v1/mountinfo", b"/sys/fs/cgroup/both");
		assert_eq!(both[1..3], [Controller(b"cpu"), Controller(b"cpuacct")]);
		assert!(both[3..7].iter().all(|word| matches!(word, Flag(_))));
		assert_eq!(both[7], Named(b"lxc.both"));
	}

	#[test]
	fn flags_with_values_escapes_and_quotes() {
		let agent = b"release_agent=/run/cgmanager/agents/cgm\\054agent\\040x.memory";
		let memory = words("ubuntu-14.04-v1/mountinfo", b"/sys/fs/cgroup/memory");
		assert_eq!(memory, [Flag(b"rw"), Controller(b"memory"), Flag(agent)]);
		let podman = words("fedora-41-v2/mountinfo", b"/sys/fs/cgroup")[1];
		assert_eq!(podman, Flag(b"seclabel"));
		let mut mount = mounts("fedora-41-v2/mountinfo")[1];
		mount.kind = Kind::V1;
		let context = b"context=\"system_u:object_r:container_file_t:s0:c127,c456\"";
		assert_eq!(mount.super_words().nth(1), Some(Flag(context)));
		mount.super_options = b",,context=\"a,cpu,,name=x=y,future=1,context=\"b\"c,dmem,";
		let expected = [Flag(b"context=\"a"), Controller(b"cpu"), Named(b"x=y"), Flag(b"future=1")];
		assert!(mount.super_words().take(4).eq(expected));
		assert!(mount.super_words().skip(4).eq([Flag(b"context=\"b\"c"), Controller(b"dmem")]));
		mount.kind = Kind::V2;
		assert_eq!(mount.super_words().last(), Some(Flag(b"dmem")));
	}

	#[test]
	fn dashes_and_optional_fields_do_not_divide() {
		let odd = mounts("odd/mountinfo");
		assert_eq!((odd[0].root, odd[0].point), (&b"/a\\040-\\040b"[..], &b"/mnt/-\\040-"[..]));
		assert_eq!(odd[0].super_options, b"rw,- - x");
		assert_eq!(odd[1].point, b"/mnt/gone//deleted");
		let dashed = parse_line(b"1 2 0:3 /- /- - - - cgroup none ro").unwrap();
		assert_eq!(dashed, None, "the first lone dash behind field 6 divides, and `-` is no type of ours");
		let read_only = parse_line(b"1 2 0:3 /- /- - -- - cgroup none ro").unwrap().unwrap();
		assert_eq!((read_only.options, is_read_only(read_only.super_options)), (&b"-"[..], true));
	}

	#[test]
	fn other_file_systems_are_not_judged() {
		for line in
			[&b"x y z a b c - ext4"[..], b"      - ", b"1 1 0:1 / / rw - fuse.cgroup", b"1 1 1 1 1 1 - cgroup3 x"]
		{
			assert_eq!(parse_line(line), Ok(None), "{line:?}");
		}
	}

	#[test]
	fn malformed_lines_are_faults() {
		let cases: [&[u8]; 11] = [
			b"",
			b"1 2 0:3 / / rw",
			b"1 2 0:3 / / rw shared:1 cgroup cgroup rw",
			b"1 2 0:3 / / - cgroup cgroup rw",
			b"1 2 0:3 / / rw - cgroup",
			b"1 2 0:3 / / rw - cgroup none",
			b"4294967296 2 0:3 / / rw - cgroup none rw",
			b"1 -2 0:3 / / rw - cgroup none rw",
			b"1 2 3 / / rw - cgroup none rw",
			b"1 2 0:4294967296 / / rw - cgroup none rw",
			b"1 2 0:3 ct / rw - cgroup none rw",
		];
		for line in cases {
			assert!(matches!(parse_line(line), Err(Fault::Text(_))), "{line:?}");
		}
	}

	#[test]
	fn lines_have_no_limit_here() {
		let path = "/\\040".repeat(4000);
		let line = std::format!("1 2 0:3 {path} {path} rw {}- cgroup none rw,cpu", "shared:1 ".repeat(3000));
		let mount = parse_line(line.as_bytes()).unwrap().unwrap();
		assert_eq!((mount.root.len(), mount.point.len(), mount.super_options), (20_000, 20_000, &b"rw,cpu"[..]));
	}
}
