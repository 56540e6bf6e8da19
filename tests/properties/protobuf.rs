//! A slow and plainly right writer of images, and the shortest form of what another one wrote. Shares nothing with the
//! library: the numbers are those of proto/cgroup.proto, read by eye.

use crate::model::{Bytes, Group, Model, join};
use cgraft::image::view::Perms;

fn varint(mut number: u64) -> Bytes {
	let mut bytes = Bytes::new();
	while number >= 0x80 {
		bytes.push(number as u8 | 0x80);
		number >>= 7;
	}
	bytes.push(number as u8);
	bytes
}

fn number(field: u64, value: u64) -> Bytes {
	[varint(field << 3), varint(value)].concat()
}

fn text(field: u64, value: &[u8]) -> Bytes {
	[&varint(field << 3 | 2)[..], &varint(value.len() as u64), value].concat()
}

fn perms(field: u64, perms: Option<Perms>) -> Bytes {
	let message = |perms: Perms| {
		let parts = [number(1, perms.mode.into()), number(2, perms.uid.into()), number(3, perms.gid.into())];
		text(field, &parts.concat())
	};
	perms.map_or(Bytes::new(), message)
}

fn group(field: u64, group_: &Group) -> Bytes {
	let mut bytes = text(1, &group_.name);
	if group_.ancestor {
		bytes.extend(number(1000, 1));
	}
	for (name, value) in &group_.attributes {
		bytes.extend(text(1001, &[text(1, name), text(2, value)].concat()));
	}
	bytes.extend(perms(4, group_.perms));
	for (name, value, owner) in &group_.properties {
		bytes.extend(text(3, &[text(1, name), text(2, value), perms(3, *owner)].concat()));
	}
	for child in &group_.children {
		bytes.extend(group(2, child));
	}
	text(field, &bytes)
}

fn rfc_group(field: u64, of: &Group, above: &[u8]) -> Bytes {
	let path = join(above, &of.name);
	let mut bytes = text(1, &[b"/", &path[..]].concat());
	for (name, value, _) in &of.properties {
		let value = std::str::from_utf8(value).unwrap().parse().unwrap();
		bytes.extend(number(if name == b"cpu.shares" { 3 } else { 2 }, value));
	}
	for child in &of.children {
		bytes.extend(rfc_group(4, child, &path));
	}
	text(field, &bytes)
}

fn sets(model: &Model, member_field: u64) -> Bytes {
	let mut payload = Bytes::new();
	for set in &model.sets {
		let mut bytes = number(1, set.id.into());
		for (name, path, prefix) in &set.members {
			let prefix = prefix.map_or(Bytes::new(), |prefix| number(3, prefix.into()));
			bytes.extend(text(member_field, &[text(1, name), text(2, path), prefix].concat()));
		}
		payload.extend(text(1, &bytes));
	}
	payload
}

/// The payload of CRIU's layout without the checksum, every length as short as it can be.
pub fn payload(model: &Model) -> Bytes {
	let mut payload = Bytes::new();
	if let Some(about) = &model.about {
		let [version, release, boot_id, cpus, nodes] = &about.texts;
		let mut bytes = [text(1, version), text(2, release), text(3, boot_id)].concat();
		bytes.extend([number(4, about.page_size.into()), text(5, cpus), text(6, nodes)].concat());
		for (name, options) in &about.mounts {
			bytes.extend(text(7, &[text(1, name), text(2, options)].concat()));
		}
		payload.extend(text(1000, &bytes));
	}
	payload.extend(sets(model, 2));
	for task in &model.tasks {
		let ns_tid = task.ns_tid.map_or(Bytes::new(), |ns_tid| number(3, ns_tid.into()));
		let parts = [
			number(1, task.pid.into()),
			number(2, task.tid.into()),
			ns_tid,
			number(4, task.start_time),
			text(5, &task.comm),
			number(6, task.set.into()),
		];
		payload.extend(text(1001, &parts.concat()));
	}
	for hierarchy in &model.hierarchies {
		let mut bytes: Bytes = hierarchy.names.iter().flat_map(|name| text(1, name)).collect();
		hierarchy.heads.iter().for_each(|head| bytes.extend(group(2, head)));
		bytes.extend(number(3, hierarchy.threaded.unwrap().into()));
		payload.extend(text(2, &bytes));
	}
	payload
}

/// The payload of the layout of 2014; the model is one that it can hold.
pub fn rfc_payload(model: &Model) -> Bytes {
	let mut payload = sets(model, 3);
	for hierarchy in &model.hierarchies {
		let mut bytes = number(1, hierarchy.id.into());
		bytes.extend(hierarchy.names.iter().flat_map(|name| text(2, name)));
		hierarchy.heads.iter().for_each(|head| bytes.extend(rfc_group(3, head, b"")));
		payload.extend(text(2, &bytes));
	}
	payload
}

/// Header, payload and, in CRIU's layout, the checksum: the file of a payload.
pub fn file(payload: &[u8], sum: bool) -> Bytes {
	let mut payload = payload.to_vec();
	if sum {
		let sum = crc32(&payload);
		payload.extend(varint(1002 << 3 | 5));
		payload.extend(sum.to_le_bytes());
	}
	let words = [0x5456_4319_u32, 0x5938_3330, payload.len() as u32].map(u32::to_le_bytes);
	[words.concat(), payload].concat()
}

/// Bit by bit, as ISO 3309 describes it.
pub fn crc32(bytes: &[u8]) -> u32 {
	let mut sum = u32::MAX;
	for byte in bytes {
		sum ^= u32::from(*byte);
		for _ in 0..8 {
			sum = if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
		}
	}
	!sum
}

/// Which fields of a message are messages that the writer opens before it knows their length, and what is in them.
fn opened(message: &'static str, field: u64) -> Option<&'static str> {
	match (message, field) {
		("entry", 1000) => Some("about"),
		("entry", 2) => Some("controller"),
		("controller", 2) | ("dir", 2) => Some("dir"),
		("rfc", 2) => Some("rfc_controller"),
		("rfc_controller", 3) | ("rfc_dir", 4) => Some("rfc_dir"),
		_ => None,
	}
}

/// The same payload with every length as short as it can be; the message is "entry" or "rfc".
pub fn shortest(message: &'static str, bytes: &[u8]) -> Bytes {
	let (mut at, mut out) = (0, Bytes::new());
	let read = |at: &mut usize| {
		let (mut value, mut shift) = (0_u64, 0);
		loop {
			let byte = bytes[*at];
			*at += 1;
			value |= u64::from(byte & 0x7f) << shift;
			shift += 7;
			if byte < 0x80 {
				return value;
			}
		}
	};
	while at < bytes.len() {
		let start = at;
		let tag = read(&mut at);
		match tag & 7 {
			0 => {
				read(&mut at);
				out.extend(&bytes[start..at]);
			}
			2 => {
				let before = at;
				let len = read(&mut at) as usize;
				let body = &bytes[at..at + len];
				at += len;
				match opened(message, tag >> 3) {
					Some(inner) => out.extend(text(tag >> 3, &shortest(inner, body))),
					None => {
						assert_eq!(at - before - len, varint(len as u64).len(), "a known length is exact");
						out.extend(&bytes[start..at]);
					}
				}
			}
			_ => {
				at += 4;
				out.extend(&bytes[start..at]);
			}
		}
	}
	out
}
