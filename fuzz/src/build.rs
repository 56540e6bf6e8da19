//! Bytes in, an image out: every length is right and most words are known ones, so that what is wrong is wrong in what it
//! means. Written by hand from proto/cgroup.proto; shares nothing with the writer.

use cgraft::property::TABLE;

use crate::file_of;

/// Reads the input byte by byte; nothing but zeros behind its end.
pub struct Take<'i>(pub &'i [u8]);

impl<'i> Take<'i> {
	/// The next byte.
	pub fn byte(&mut self) -> u8 {
		let Some((first, rest)) = self.0.split_first() else { return 0 };
		self.0 = rest;
		*first
	}

	/// A number below `end`.
	pub fn below(&mut self, end: usize) -> usize {
		usize::from(self.byte()) % end
	}

	/// One of these.
	pub fn one<'w>(&mut self, words: &[&'w [u8]]) -> &'w [u8] {
		words[self.below(words.len())]
	}

	/// Raw bytes, at most 15.
	pub fn raw(&mut self) -> &'i [u8] {
		let len = self.below(16).min(self.0.len());
		let (raw, rest) = self.0.split_at(len);
		self.0 = rest;
		raw
	}
}

fn varint(mut number: u64) -> Vec<u8> {
	let mut out = Vec::new();
	while number > 0x7f {
		out.push(number as u8 | 0x80);
		number >>= 7;
	}
	out.push(number as u8);
	out
}

fn number(field: u64, value: u64) -> Vec<u8> {
	[varint(field << 3), varint(value)].concat()
}

fn text(field: u64, value: &[u8]) -> Vec<u8> {
	[&varint(field << 3 | 2), &varint(value.len() as u64), value].concat()
}

/// Hierarchies, as members have them.
pub const LABELS: &[&[u8]] = &[
	b"",
	b"cpu,cpuacct",
	b"memory",
	b"cpuset",
	b"freezer",
	b"blkio",
	b"devices",
	b"pids",
	b"net_cls,net_prio",
	b"hugetlb",
	b"name=systemd",
	b"cpu",
	b"rdma",
	b"misc",
	b"name=",
	b"cpu/x",
];

const NAMES: &[&[u8]] = &[b"a", b"b", b"ab", b"c d", b"...", b"\xff", b"a.slice", b"x.service", b"n\\n"];
const BAD_NAMES: &[&[u8]] = &[b"..", b".", b"", b"a/b", b"/a", b"x\ny", b"x\0y", b"a/../b"];

const VALUES: &[&[u8]] = &[
	b"0",
	b"1",
	b"-1",
	b"max",
	b"1024",
	b"100",
	b"9223372036854771712",
	b"18446744073709551615",
	b"50000 100000",
	b"max 100000",
	b"0-3,8",
	b"",
	b"8:0 100",
	b"8:0 rbps=1 wbps=max riops=max wiops=max",
	b"default 100",
	b"c 1:3 rwm",
	b"a *:* rwm",
	b"b 8:* r\nc 1:5 rw",
	b"cpu io memory",
	b"cpuset cpu io memory pids",
	b"threaded",
	b"domain",
	b"FROZEN",
	b"THAWED",
	b"lo 5\neth0 7",
	b"eth0 1",
	b"root",
	b"member",
	b"isolated invalid (why)",
	b"8:0 Read 5\n8:16 Write 6",
	b"4096",
	b"2097152",
	b"8:0 target=5000",
];

fn name(take: &mut Take<'_>) -> Vec<u8> {
	match take.byte() {
		255 => take.one(BAD_NAMES).to_vec(),
		254 => take.raw().to_vec(),
		253 => vec![b'n'; 300],
		byte => NAMES[usize::from(byte) % NAMES.len()].to_vec(),
	}
}

/// A path of few components, without a first slash.
pub fn path(take: &mut Take<'_>) -> Vec<u8> {
	(0..take.below(4)).map(|_| name(take)).collect::<Vec<_>>().join(&b'/')
}

fn value(take: &mut Take<'_>) -> Vec<u8> {
	match take.byte() {
		byte @ 200.. => [take.one(VALUES), if byte & 1 == 0 { b"\n" } else { b" " }, take.raw()].concat(),
		byte => VALUES[usize::from(byte) % VALUES.len()].to_vec(),
	}
}

fn perms(take: &mut Take<'_>, field: u64, kind: u64) -> Vec<u8> {
	let how = take.byte();
	let mode = if how == 255 { u64::from(take.byte()) << 9 } else { kind | u64::from(how) };
	text(field, &[number(1, mode), number(2, u64::from(how & 3)), number(3, u64::from(how >> 6))].concat())
}

/// Mostly a file of this hierarchy's version, with or without owner and mode.
fn property(take: &mut Take<'_>) -> Vec<u8> {
	let at = take.byte();
	let file = match at {
		255 => take.raw().to_vec(),
		254 => take.one(&[b"release_agent", b"cgroup.kill", b"../x", b"memory.force_empty"]).to_vec(),
		_ => TABLE[usize::from(at) % TABLE.len()].file().replace('*', "2MB").into_bytes(),
	};
	let value = if file.ends_with(b"tasks") || file.starts_with(b"cgroup.proc") { Vec::new() } else { value(take) };
	let mut own = [text(1, &file), text(2, &value)].concat();
	if at & 1 == 0 {
		own.extend(perms(take, 3, 0o100_000));
	}
	text(3, &own)
}

fn group(take: &mut Take<'_>, head: bool, depth: usize) -> Vec<u8> {
	let mut own = text(1, &if head { path(take) } else { name(take) });
	let how = take.byte();
	if how & 0x70 == 0x10 {
		own.extend(number(1000, 1));
	}
	if how & 0x70 == 0x20 {
		own.extend(text(1001, &[text(1, &[b"user.", take.raw()].concat()), text(2, take.raw())].concat()));
	}
	if how & 0x80 == 0 {
		own.extend(perms(take, 4, 0o40_000));
	}
	(0..how & 3).for_each(|_| own.extend(property(take)));
	if depth > 0 {
		(0..how >> 2 & 3).for_each(|_| own.extend(group(take, false, depth - 1)));
	}
	text(2, &own)
}

fn hierarchy(take: &mut Take<'_>) -> Vec<u8> {
	let mut own: Vec<u8> = take.one(LABELS).split(|byte| *byte == b',').flat_map(|name| text(1, name)).collect();
	(0..take.below(3)).for_each(|_| own.extend(group(take, true, 3)));
	own.extend(number(3, u64::from(take.byte() & 1)));
	text(2, &own)
}

fn set(take: &mut Take<'_>, id: u64) -> Vec<u8> {
	let mut own = number(1, id);
	for _ in 0..take.below(4) {
		let (label, path) = (take.one(LABELS), [b"/", &path(take)[..]].concat());
		let prefix = take.byte();
		let prefix = if prefix < 32 { number(3, u64::from(prefix)) } else { Vec::new() };
		own.extend(text(2, &[text(1, label), text(2, &path), prefix].concat()));
	}
	text(1, &own)
}

fn task(take: &mut Take<'_>) -> Vec<u8> {
	let (pid, set) = (u64::from(take.byte()), take.below(4) as u64);
	let numbers =
		[number(1, pid), number(2, pid + u64::from(take.byte() & 1)), number(4, 7), text(5, b"t"), number(6, set)];
	text(1001, &numbers.concat())
}

/// An image.
pub fn image(take: &mut Take<'_>) -> Vec<u8> {
	let mut payload = Vec::new();
	let how = take.byte();
	(0..how & 3).for_each(|id| payload.extend(set(take, u64::from(id))));
	(0..how >> 2 & 3).for_each(|_| payload.extend(task(take)));
	if how & 0x40 != 0 {
		payload.extend(text(1003, &[number(1, 8 << 20), text(2, b"sda")].concat()));
	}
	(0..1 + (how >> 4 & 3)).for_each(|_| payload.extend(hierarchy(take)));
	file_of(&payload)
}
