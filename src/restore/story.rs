//! The phases of a restore in their order, and its end: done, failed and taken back, or left.

use crate::act::ahead::back::Back;
use crate::act::aim::Targets;
use crate::act::halt::{Halt, go_on};
use crate::act::host::Host;
use crate::act::join::Join;
use crate::act::kept::State;
use crate::act::made::MadeCursor;
use crate::act::manner::{Mode, Phases};
use crate::act::tour::{self, tour};
use crate::act::undo::roll_back;
use crate::act::work::{Pass, Work};
use crate::error::{At, Error, Fault, Why};
use crate::image::view::Image;
use crate::kernel::fenced;
use crate::limits::{LOOKS, PASSES};
use crate::log::Level;
use crate::name::Shown;
use crate::restore::{Outcome, Request};

/// Groups whose values one thread reads back.
const FEW: u64 = 256;

/// A restore on its way.
pub(super) struct Story<'s, 'a> {
	pub(super) image: Image<'a>,
	pub(super) host: &'s Host,
	pub(super) targets: &'s Targets,
	pub(super) tour: &'s mut tour::Buffers,
	pub(super) join: Join<'s, 'a>,
	pub(super) work: Work<'s>,
	pub(super) back: &'s Back,
	/// Values were written to groups that are there.
	pub(super) settled: bool,
	/// Tasks are frozen while they move.
	pub(super) freeze: bool,
}

impl<'s, 'a: 's> Story<'s, 'a> {
	pub(super) fn phases(&mut self) -> Result<(), Error> {
		let Phases { create, join, limit, freeze } = self.work.phases;
		if !create || !matches!(self.work.mode, Mode::Full | Mode::Soft) {
			self.pass(Pass::Scout)?;
		}
		self.work.pending = !create || self.work.journal.is_continued();
		if create {
			self.pass(Pass::Create)?;
		}
		if join {
			self.join.read_all = self.work.read_all;
			self.join_all().or_else(|error| self.work.log.unfit(error))?;
		}
		if (create || join || limit) && self.work.pending {
			self.settle()?;
		}
		if freeze && self.work.freezes {
			self.pass(Pass::Freeze)?;
		}
		self.read_back()?;
		if join && !self.work.journal.is_dry() {
			self.join(true)?;
		}
		if join {
			self.join.lost.tell(self.work.log);
			self.join.stray.tell(self.work.log);
		}
		Ok(())
	}

	fn pass(&mut self, pass: Pass) -> Result<(), Error> {
		go_on()?;
		let work = &mut self.work;
		work.journal.is_whole().and(work.journal.flush()).at(format_args!("write the journal"))?;
		(work.pass, work.cursor) = (pass, MadeCursor::new());
		(work.judged, work.untouched) = (None, pass == Pass::Create || (pass == Pass::Settle && !self.settled));
		self.settled |= pass == Pass::Settle;
		(work.failed, work.seen, work.differences, work.first) = (0, 0, 0, None);
		tour(&self.image, self.host, self.targets, self.tour, work)
	}

	/// Moves tasks; with `--freeze` while none of them runs.
	fn join_all(&mut self) -> Result<(), Error> {
		if self.freeze {
			let Work { journal, record, log, .. } = &mut self.work;
			self.join.halt(journal, record, *log)?;
		}
		let mut twice = 0;
		if let Halt::Wait(at) = self.join.halt {
			self.join.go_to(Halt::Wait(at))?;
			self.join(false)?;
			twice = core::mem::take(&mut self.work.counts.joined);
			go_on()?;
			self.join.go_to(Halt::Last(at))?;
		}
		self.join(false)?;
		self.work.counts.joined = self.work.counts.joined.max(twice); // a task counts once
		let Work { journal, record, .. } = &mut self.work;
		self.join.release(journal, record).at(format_args!("let frozen tasks go on"))
	}

	/// Moves tasks, and those that they forked since the dump, until a pass finds none of these, or none at all.
	fn join(&mut self, is_last: bool) -> Result<(), Error> {
		for _ in 0..LOOKS {
			let Work { journal, record, log, .. } = &mut self.work;
			let moved = self.join.pass(journal)?;
			let late = self.join.follow(journal, record, *log)?;
			self.work.counts.joined += moved + late;
			if late == 0 && !(is_last && moved != 0) {
				return Ok(());
			}
			if self.work.journal.is_dry() {
				return Ok(()); // nobody is elsewhere now
			}
		}
		Err(Fault::Unfit(Why::KeepForking)).at(format_args!("the tasks' groups"))
	}

	/// Writes values until nothing is refused, or nothing changes any more.
	fn settle(&mut self) -> Result<(), Error> {
		for _ in 0..PASSES {
			let before = self.work.counts.written;
			self.pass(Pass::Settle)?;
			if self.work.failed == 0 {
				return Ok(());
			}
			if self.work.counts.written == before {
				break;
			}
		}
		if self.work.skip_missing { Ok(()) } else { self.pass(Pass::Insist) }
	}

	/// Reads everything back, with a second thread where there are many values of new groups: it tells nothing, and what
	/// it finds is found once more.
	fn check(&mut self) -> Result<(), Error> {
		let (back, page, mut done) = (self.back, self.work.page, Ok(()));
		fenced::beside(&|| back.work(page), &mut |start| {
			if self.work.share.is_some() && self.work.near_groups > FEW {
				back.begin(start);
			}
			done = self.pass(Pass::Check);
			back.end();
		});
		self.work.differences += u64::from(!back.is_right());
		self.work.share = None;
		done
	}

	/// Reads everything back. Where a new group is not as the property table says, everything is compared once more.
	fn read_back(&mut self) -> Result<(), Error> {
		let skipped = self.work.counts.skipped;
		self.check()?;
		if self.work.differences != 0 && self.work.trust && !self.work.journal.is_dry() {
			self.work.trust = false;
			self.settle()?;
			if self.work.phases.freeze {
				self.pass(Pass::Freeze)?;
			}
			self.work.counts.skipped = skipped;
			self.pass(Pass::Check)?;
		}
		let Work { counts, seen, first, journal, .. } = &mut self.work;
		counts.right = seen.saturating_sub(counts.written + counts.skipped);
		// What a dry run did not tell it could not foresee.
		first.filter(|_| !journal.is_dry()).map_or(Ok(()), Err)
	}

	fn code(&self, request: &Request<'_>) -> u8 {
		if (request.skip_missing || request.lost > 0) && self.work.counts.skipped > 0 { 6 } else { 0 }
	}

	/// What the journal says in the end, and the outcome.
	pub(super) fn finish(&mut self, done: Result<(), Error>, request: &Request<'_>) -> Result<Outcome, Error> {
		let outcome = match done {
			Ok(()) => {
				self.work.counts.skipped += request.lost;
				Ok(Outcome { counts: self.work.counts, code: self.code(request) })
			}
			Err(error) if self.work.journal.is_empty() => Err(error),
			Err(error) => Ok(self.fail(&error, request.rollback)),
		};
		let code = outcome.as_ref().map_or(1, |outcome| outcome.code);
		if code != 5 {
			// An undo finds out as well that there is nothing to take back, or that all is done.
			let _ = self.work.journal.mark(if code == 1 { State::Void } else { State::Complete });
		} else if let Some(path) = request.journal {
			self.work
				.log
				.say(Level::Error, format_args!("what is left can be taken back: cgraft undo {}", Shown(path)));
		}
		outcome
	}

	/// Tells what failed and takes back what was done.
	fn fail(&mut self, error: &Error, rollback: bool) -> Outcome {
		let Work { journal, record, value, log, counts, .. } = &mut self.work;
		let _ = self.join.release(journal, record); // what is left is told below
		if let Err(error) = log.unfit(*error) {
			log.say(Level::Error, format_args!("{error}"));
		}
		let code = if rollback && journal.is_dry() {
			1
		} else if rollback {
			roll_back(journal, self.host, record, value, *log)
		} else {
			log.say(Level::Error, format_args!("nothing was taken back (--no-rollback)"));
			5
		};
		Outcome { counts: *counts, code }
	}
}
