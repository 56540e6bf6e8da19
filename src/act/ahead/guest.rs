//! Groups in the order of an image in, what the second thread read of them out: for a comparison, which goes its own way.

use spin::MutexGuard;

use super::{ALONE, Group, Second};
use crate::image::view::Perms;
use crate::name::is_below_or_same;
use crate::property::Selection;

/// The second thread's help for one comparison. Groups of an image come mostly in the order in which they are listed.
pub struct Guest<'w> {
	second: Second<'w>,
	/// The second thread reads below the head.
	helped: bool,
	/// Groups below the head that were met.
	met: u64,
	/// The group that is compared.
	group: Option<MutexGuard<'w, Group>>,
}

impl<'w> Guest<'w> {
	/// Before the first group.
	pub fn new(second: Second<'w>) -> Self {
		second.ahead.head.lock().clear();
		Guest { second, helped: false, met: 0, group: None }
	}

	/// A group comes; one that lies beside the ones before is a head.
	#[inline(never)] // a restore, whose stack is deep, does without it
	pub fn enter(&mut self, at: usize, path: &[u8]) {
		self.group = None;
		let ahead = self.second.ahead;
		let mut head = ahead.head.lock();
		if at != self.second.at || head.is_empty() || !is_below_or_same(path, &head) {
			self.end();
			(self.second.at, self.met) = (at, 0);
			head.clear();
			let _ = head.extend_from_slice(path); // a path fits
			return;
		}
		if self.met == ALONE {
			self.helped = self.second.begin(&head, Selection::ALL, self.met);
		}
		self.met += 1;
		if self.helped {
			self.group = ahead.take(path);
		}
	}

	/// The value of a file of the group, put into `into`, and its owner and mode, if they were read ahead.
	pub fn find(&self, path: &[u8], name: &[u8], into: &mut [u8]) -> Option<(usize, Perms)> {
		let group = self.group.as_ref().filter(|group| group.path == path)?;
		let (_, _, text, perms) = group.files().find(|file| file.0 == name)?;
		into.get_mut(..text.len())?.copy_from_slice(text);
		Some((text.len(), perms))
	}

	/// After the last group of a head.
	pub fn end(&mut self) {
		self.helped = false;
		self.second.ahead.end();
	}
}
