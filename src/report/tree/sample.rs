//! An image with something of everything that a report can meet, for tests.

extern crate std;
use std::vec::Vec;

use crate::image::sink::Sink;
use crate::image::sink::tests::dirty;
use crate::image::sum::Sum;
use crate::image::view::{Layout, Member, Perms, Task};
use crate::image::writer::{Host, ImageWriter};

type Writer<'s, 'v> = ImageWriter<'s, &'v mut Vec<u8>>;

const DIR: Perms = Perms { mode: 0o40755, uid: 0, gid: 0 };
const FILE: Perms = Perms { mode: 0o100644, uid: 0, gid: 0 };
const OWN_DIR: Perms = Perms { mode: 0o40770, uid: 1000, gid: 100 };
const OWN_FILE: Perms = Perms { uid: 1000, gid: 100, ..FILE };

/// The image's bytes.
pub fn image(layout: Layout) -> Vec<u8> {
	let (mut out, mut buffer) = (Vec::new(), dirty());
	let mut writer = ImageWriter::new(Sink::new(&mut out, &mut buffer), layout).unwrap();
	if layout == Layout::Criu {
		about(&mut writer);
	}
	sets(&mut writer);
	cpu(&mut writer);
	unified(&mut writer);
	for label in [&b"misc"[..], b"name=systemd"] {
		let mark = writer.hierarchy(3, [label].into_iter()).unwrap();
		let root = Perms { mode: 0o40555, ..DIR };
		group(&mut writer, (true, "", "", false, root), &[("cgroup.procs", "", FILE)], |_| {});
		writer.threaded(true).unwrap();
		writer.close(mark).unwrap();
	}
	let mark = writer.hierarchy(4, [&b"freezer"[..]].into_iter()).unwrap();
	writer.close(mark).unwrap();
	writer.finish().unwrap();
	out
}

/// Corrects the checksum after the bytes before it were changed.
pub fn sum(bytes: &mut [u8]) {
	let end = bytes.len() - 6;
	let sum = Sum::of(&bytes[12..end]);
	bytes[end + 2..].copy_from_slice(&sum.to_le_bytes());
}

fn about(writer: &mut Writer<'_, '_>) {
	let host = Host {
		version: b"0.1.0",
		release: b"6.12.9",
		boot_id: b"1d8f0d9c-6a0c-4b8f-9d55-0a4a2a1f6d10",
		page_size: 4096,
		cpus: b"0-3",
		nodes: b"0",
	};
	let mark = writer.about(&host).unwrap();
	writer.close(mark).unwrap();
}

fn sets(writer: &mut Writer<'_, '_>) {
	let set = |writer: &mut Writer<'_, '_>, id, paths: [&'static str; 3]| {
		let names = ["", "cpuacct,cpu", "misc"];
		let member = |(name, path): (&'static str, &'static str)| Member {
			name: name.as_bytes(),
			path: path.as_bytes(),
			cgns_prefix: None,
			at: 0,
		};
		writer.set(id, names.into_iter().zip(paths).map(member)).unwrap();
	};
	let task = |writer: &mut Writer<'_, '_>, pid, tid, comm: &'static [u8], set| {
		let ns_tid = (pid == 200).then_some(1);
		writer.task(&Task { pid, tid, ns_tid, parent: None, start_time: 1000 + u64::from(tid), comm, set }).unwrap();
	};
	set(writer, 2, ["/shop/web", "/shop/web", "/"]);
	set(writer, 3, ["/shop/web", "/shop/db", "/"]);
	set(writer, 7, ["/jobs", "/jobs/a/b", "/"]);
	task(writer, 175, 175, b"nginx", 2);
	task(writer, 175, 176, b"nginx-w", 2);
	task(writer, 175, 177, b"nginx-w", 3);
	task(writer, 200, 200, b"a\x1b]0;b\x07", 3);
	for pid in 300..309 {
		task(writer, pid, pid, b"job", 7);
	}
}

/// Position (head, name, path, ancestor, perms) and properties (name, value, perms) of a group.
fn group(
	writer: &mut Writer<'_, '_>,
	(head, name, path, ancestor, perms): (bool, &str, &str, bool, Perms),
	properties: &[(&str, &str, Perms)],
	below: impl FnOnce(&mut Writer<'_, '_>),
) {
	let mark = writer.group(head, name.as_bytes(), path.as_bytes(), ancestor).unwrap();
	if name == "web" {
		writer.attribute(b"trusted.long", &[b'x'; 65]).unwrap();
		writer.attribute(b"user.delegate", b"1").unwrap();
		writer.attribute(b"user.odd\n\xff", b"\x1b[2J\xff\0").unwrap();
	}
	writer.owner(perms).unwrap();
	for (name, value, perms) in properties {
		writer.property(name.as_bytes(), value.as_bytes(), Some(*perms)).unwrap();
	}
	below(writer);
	writer.close(mark).unwrap();
}

fn cpu(writer: &mut Writer<'_, '_>) {
	let mark = writer.hierarchy(2, [&b"cpu"[..], b"cpuacct"].into_iter()).unwrap();
	let shop = [("cpu.shares", "2048", FILE), ("cpu.cfs_period_us", "100000", FILE), ("cpu.cfs_quota_us", "-1", FILE)];
	let web = [
		("cpu.cfs_period_us", "50000", FILE),
		("cpu.cfs_quota_us", "75000", FILE),
		("cgroup.procs", "", OWN_FILE),
		("tasks", "", OWN_FILE),
		("cpu.new_thing", "some\x1b[31mthing\nmore", Perms { mode: 0o100600, ..FILE }),
	];
	group(writer, (true, "shop", "shop", true, DIR), &shop, |writer| {
		group(writer, (false, "web", "shop/web", false, OWN_DIR), &web, |_| {});
		group(writer, (false, "db", "shop/db", false, DIR), &[("cpu.shares", "1024", FILE)], |_| {});
	});
	group(writer, (true, "jobs/a", "jobs/a", false, DIR), &[], |writer| {
		group(writer, (false, "b", "jobs/a/b", false, DIR), &[("cpu.shares", "10", FILE)], |writer| {
			group(writer, (false, "c \u{202e}\n", "jobs/a/b/c \u{202e}\n", false, DIR), &[], |_| {});
		});
	});
	writer.close(mark).unwrap();
}

fn unified(writer: &mut Writer<'_, '_>) {
	let mark = writer.hierarchy(0, [&b""[..]].into_iter()).unwrap();
	let shop = [("memory.max", "268435456", FILE), ("cgroup.subtree_control", "cpu io memory", FILE)];
	let web = [
		("cpu.max", "50000 100000", OWN_FILE),
		("io.weight", "default 100\n8:0 50\n8:16 200", OWN_FILE),
		("memory.max", "max", OWN_FILE),
		("cgroup.procs", "", OWN_FILE),
	];
	group(writer, (true, "shop", "shop", true, DIR), &shop, |writer| {
		group(writer, (false, "web", "shop/web", false, OWN_DIR), &web, |_| {});
	});
	group(writer, (true, "jobs", "jobs", false, DIR), &[("cgroup.freeze", "1", FILE)], |_| {});
	writer.threaded(false).unwrap();
	writer.close(mark).unwrap();
}
