//! Groups in the order of an image in, what the second thread read of them out: for a comparison, which goes its own way.

use spin::MutexGuard;

use super::{Group, Second};
use crate::image::view::Perms;
use crate::name::is_below_or_same;
use crate::property::Selection;

/// The second thread's help for one comparison. Groups of an image come mostly in the order in which they are listed.
pub struct Guest<'w> {
	second: Second<'w>,
	/// The group that is compared.
	group: Option<MutexGuard<'w, Group>>,
}

impl<'w> Guest<'w> {
	/// Before the first group.
	pub fn new(second: Second<'w>) -> Self {
		second.ahead.head.lock().clear();
		Guest { second, group: None }
	}

	/// A group comes; one that lies beside the ones before is a head.
	#[inline(never)] // a restore, whose stack is deep, does without it
	pub fn enter(&mut self, at: usize, path: &[u8]) {
		self.group = None;
		let mut head = self.second.ahead.head.lock();
		if at != self.second.at || head.is_empty() || !is_below_or_same(path, &head) {
			self.second.end();
			self.second.at = at;
			head.clear();
			let _ = head.extend_from_slice(path); // a path fits
			return;
		}
		self.group = self.second.reach(&head, Selection::ALL, path);
	}

	/// The value of a file of the group, put into `into`, and its owner and mode, if they were read ahead.
	pub fn find(&self, path: &[u8], name: &[u8], into: &mut [u8]) -> Option<(usize, Perms)> {
		let group = self.group.as_ref().filter(|group| group.path == path)?;
		let (_, _, text, perms) = group.files().find(|file| file.0 == name)?;
		into.get_mut(..text.len())?.copy_from_slice(text);
		Some((text.len(), perms))
	}
}
