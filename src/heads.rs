//! Paths of groups in, heads out: the groups from which a hierarchy is walked.
//!
//! A head has no other head above it. Heads come in tree order (the order of a sorted walk: `/a`, `/a/b`, `/a-b`).
//! Only so many are kept at a time; when there are more, the smallest are kept and the caller offers everything once
//! more after it has used them ([`Heads::go_on`]). Memory is therefore fixed, and the number of heads is not.

use core::cmp::Ordering;

use heapless::Vec;

use crate::limits::{HEAD_BYTES, HEADS};
use crate::name::is_below_or_same;

/// The heads of one hierarchy.
pub struct Heads {
	text: Vec<u8, HEAD_BYTES>,
	spans: Vec<(u32, u32), HEADS>,
	last: Vec<u8, { crate::limits::PATH_BYTES }>,
	started: bool,
	more: bool,
}

/// Compares two paths as a sorted tree walk meets them: a slash sorts before every other byte.
pub fn tree_order(left: &[u8], right: &[u8]) -> Ordering {
	let rank = |byte: &u8| if *byte == b'/' { 0 } else { u16::from(*byte) + 1 };
	left.iter().map(rank).cmp(right.iter().map(rank))
}

impl Heads {
	/// No path offered yet.
	pub const fn new() -> Self {
		Heads { text: Vec::new(), spans: Vec::new(), last: Vec::new(), started: false, more: false }
	}

	/// Forgets everything, for another hierarchy.
	pub fn clear(&mut self) {
		self.forget();
		self.started = false;
	}

	fn forget(&mut self) {
		self.text.clear();
		self.spans.clear();
		self.more = false;
	}

	fn at(&self, (start, end): (u32, u32)) -> &[u8] {
		self.text.get(start as usize..end as usize).unwrap_or(&[])
	}

	/// The heads kept now, in tree order.
	pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
		self.spans.iter().map(|span| self.at(*span))
	}

	/// Offers a group's path.
	pub fn offer(&mut self, path: &[u8]) {
		if self.started && (is_below_or_same(path, &self.last) || tree_order(path, &self.last) == Ordering::Less) {
			return;
		}
		let at = self.spans.partition_point(|span| tree_order(self.at(*span), path) == Ordering::Less);
		let covered = at.checked_sub(1).is_some_and(|above| is_below_or_same(path, self.at(self.spans[above])));
		if covered || self.spans.get(at).is_some_and(|span| self.at(*span) == path) {
			return;
		}
		while self.spans.get(at).is_some_and(|span| is_below_or_same(self.at(*span), path)) {
			self.spans.remove(at);
		}
		self.insert(at, path);
	}

	fn insert(&mut self, at: usize, path: &[u8]) {
		while self.spans.is_full() || self.text.len() + path.len() > HEAD_BYTES {
			if self.tidy() && !self.spans.is_full() && self.text.len() + path.len() <= HEAD_BYTES {
				break;
			}
			self.more = true;
			if at >= self.spans.len() {
				return;
			}
			self.spans.pop();
		}
		let start = self.text.len() as u32;
		let fits = self.text.extend_from_slice(path).is_ok();
		if fits {
			let _ = self.spans.insert(at.min(self.spans.len()), (start, start + path.len() as u32));
		}
	}

	/// Moves the kept paths together; whether that made room.
	fn tidy(&mut self) -> bool {
		let before = self.text.len();
		let mut order: Vec<u16, HEADS> = (0..self.spans.len() as u16).collect();
		order.sort_unstable_by_key(|index| self.spans[*index as usize].0);
		let mut used = 0;
		for index in order {
			let (start, end) = self.spans[index as usize];
			self.text.copy_within(start as usize..end as usize, used);
			let len = (end - start) as usize;
			self.spans[index as usize] = (used as u32, (used + len) as u32);
			used += len;
		}
		self.text.truncate(used);
		used < before
	}

	/// After the kept heads were used: whether there are more, which the caller has to offer again.
	pub fn go_on(&mut self) -> bool {
		let Some(span) = self.spans.last().copied() else { return false };
		let more = self.more;
		self.last.clear();
		let text = self.text.get(span.0 as usize..span.1 as usize).unwrap_or(&[]);
		let _ = self.last.extend_from_slice(text); // both hold a path
		self.started = true;
		self.forget();
		more
	}
}

impl Default for Heads {
	fn default() -> Self {
		Heads::new()
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	extern crate std;
	use std::boxed::Box;
	use std::collections::BTreeSet;
	use std::format;
	use std::string::String;
	use std::vec::Vec as List;

	fn all(paths: &[String]) -> List<String> {
		let mut heads = Box::new(Heads::new());
		let mut found = List::new();
		loop {
			paths.iter().for_each(|path| heads.offer(path.as_bytes()));
			found.extend(heads.iter().map(|head| String::from_utf8(head.to_vec()).unwrap()));
			if !heads.go_on() {
				return found;
			}
		}
	}

	/// The slow model: every path that has no other one above it.
	fn model(paths: &[String]) -> List<String> {
		let set: BTreeSet<&String> = paths.iter().collect();
		let above = |a: &str, b: &str| a != b && is_below_or_same(b.as_bytes(), a.as_bytes());
		let mut heads: List<String> =
			set.iter().filter(|path| !set.iter().any(|other| above(other, path))).map(|path| (*path).clone()).collect();
		heads.sort_by(|a, b| tree_order(a.as_bytes(), b.as_bytes()));
		heads
	}

	#[test]
	fn heads_are_the_topmost_in_tree_order() {
		let paths = ["/foo/bar", "/foobar", "/foo", "/foo-bar", "/a/b/c", "/foo"].map(String::from);
		assert_eq!(all(&paths), ["/a/b/c", "/foo", "/foo-bar", "/foobar"]);
	}

	#[test]
	fn more_heads_than_are_kept_at_a_time() {
		let mut seed = 7_u32;
		for count in [10, HEADS - 1, HEADS, HEADS + 1, 5000].into_iter().take(if cfg!(miri) { 1 } else { 5 }) {
			let mut paths = List::new();
			for _ in 0..count {
				seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
				let (a, b) = (seed >> 24, seed >> 8 & 0xfff);
				paths.push(if a < 20 {
					format!("/g{b}")
				} else {
					format!("/g{b}/{}-{a}", "x".repeat(a as usize % 90))
				});
			}
			assert_eq!(all(&paths), model(&paths), "{count}");
		}
	}
}
