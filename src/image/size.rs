//! Messages that hold no groups in, the bytes they take out: their lengths are written before them.

use quick_protobuf::sizeofs::{sizeof_len, sizeof_varint};

use crate::image::schema;
use crate::image::view::{Member, Perms, Task};

pub(super) const fn text_tag(number: u32) -> u32 {
	number << 3 | 2
}

pub(super) const fn number_tag(number: u32) -> u32 {
	number << 3
}

pub(super) fn text_size(number: u32, len: usize) -> usize {
	sizeof_varint(u64::from(text_tag(number))) + sizeof_len(len)
}

pub(super) fn number_size(number: u32, value: u64) -> usize {
	sizeof_varint(u64::from(number_tag(number))) + sizeof_varint(value)
}

pub(super) fn member_size(member: &Member<'_>) -> usize {
	text_size(schema::member::NAME, member.name.len())
		+ text_size(schema::member::PATH, member.path.len())
		+ member.cgns_prefix.map_or(0, |prefix| number_size(schema::member::CGNS_PREFIX, u64::from(prefix)))
}

pub(super) fn perms_size(perms: Perms) -> usize {
	number_size(schema::perms::MODE, u64::from(perms.mode))
		+ number_size(schema::perms::UID, u64::from(perms.uid))
		+ number_size(schema::perms::GID, u64::from(perms.gid))
}

pub(super) fn task_size(task: &Task<'_>) -> usize {
	number_size(schema::task::PID, u64::from(task.pid))
		+ number_size(schema::task::TID, u64::from(task.tid))
		+ task.ns_tid.map_or(0, |ns_tid| number_size(schema::task::NS_TID, u64::from(ns_tid)))
		+ number_size(schema::task::START_TIME, task.start_time)
		+ text_size(schema::task::COMM, task.comm.len())
		+ number_size(schema::task::SET, u64::from(task.set))
}
