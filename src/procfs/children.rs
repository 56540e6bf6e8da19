//! The text of /proc/PID/task/TID/children in, the ids of the task's children out.
//!
//! Source: proc_pid_children(5); `children_seq_show` of fs/proc/array.c: each id with a space behind it, no newline.
//! Bounds: none here; a long text is read with [`Lines::ended_by`](super::scan::Lines::ended_by) a space and
//! [`parse_id`].
//! Errors: [`Fault::Text`] for a word that is not an id; the words behind it are still read.
//! Not done here: children that come or go while the kernel prints. It may leave out others then (proc(5)).

use crate::error::{Fault, Why};

use super::scan::number32;

/// The children's ids, in the order of their births.
pub fn children(text: &[u8]) -> impl Iterator<Item = Result<u32, Fault>> {
	text.split(|byte| matches!(byte, b' ' | b'\n')).filter(|word| !word.is_empty()).map(parse_id)
}

/// One of the ids.
pub fn parse_id(word: &[u8]) -> Result<u32, Fault> {
	number32(word).ok_or(Fault::Text(Why::ChildId))
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::procfs::fixtures::text;

	#[test]
	fn ids_with_a_space_behind_each() {
		assert!(children(text("odd/children")).eq([Ok(115), Ok(116), Ok(4_194_304)]));
		assert_eq!(children(b"").count(), 0);
		assert_eq!(children(b" \n").count(), 0);
	}

	#[test]
	fn a_word_that_is_no_id_is_a_fault() {
		let mut ids = children(b"1 x 4294967296 2");
		assert_eq!(ids.next(), Some(Ok(1)));
		assert!(ids.next().unwrap().is_err() && ids.next().unwrap().is_err());
		assert_eq!(ids.next(), Some(Ok(2)));
	}
}
