//! The values of the image in, the values of the host made the same: the visitor of all phases but the joining.
//!
//! Every value is compared first and written only where it differs. What the kernel refuses in one order may be taken
//! in another: a refused value is tried once more after the others of its group, once more after the group's children
//! (a parent's limit may only shrink after theirs), and then in further passes as long as one of them changes
//! anything. Only then is it an error.

use heapless::Vec;

use crate::act::ahead::back::Share;
use crate::act::ahead::guest::Guest;
use crate::act::fits::Lists;
use crate::act::fresh::{Lack, Missing};
use crate::act::give::owner_error;
use crate::act::journal::{Change, Journal, Record};
use crate::act::made::{Along, MadeCursor};
use crate::act::manner::{Counts, Mode, Phases};
use crate::act::tour::{Legacy, Reached, Role, Site, Visit};
use crate::difference::{Tell, What};
use crate::error::{At, Error, Fault};
use crate::kernel::dir::Dir;
use crate::kernel::own_ids;
use crate::limits::{JOURNAL_BYTES, MISSING, READ_KINDS, RECORD_BYTES, VALUE_BYTES};
use crate::log::Log;
use crate::name::Name;
use crate::owners::Owners;
use crate::property::Phase;

/// What a tour is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pass {
	/// To see whether the mode agrees with the groups that are there; nothing is written.
	Scout,
	/// To make groups, and to write what belongs before tasks and children.
	Create,
	/// To write everything that is not right yet.
	Settle,
	/// The same, but what is refused is an error.
	Insist,
	/// To write the freezer's state.
	Freeze,
	/// To read everything back.
	Check,
}

/// The buffers of a visitor.
pub struct Space<'w> {
	/// One record of the journal.
	pub record: &'w mut [u8; RECORD_BYTES],
	/// One value of the host.
	pub value: &'w mut [u8; VALUE_BYTES],
	/// The journal's end.
	pub journal: &'w mut [u8; JOURNAL_BYTES],
}

/// The visitor.
pub struct Work<'w> {
	/// What the tour is for.
	pub pass: Pass,
	/// How groups and values are treated.
	pub mode: Mode,
	/// Which phases are done.
	pub phases: Phases,
	/// What this host does not have, or refuses, is left out and counted.
	pub skip_missing: bool,
	/// New groups are taken to have the values that the property table says.
	pub trust: bool,
	/// User and group of this process: who owns new groups.
	pub own: (u32, u32),
	/// What was changed.
	pub journal: Journal<'w>,
	/// Along the groups that were made.
	pub cursor: MadeCursor,
	/// Lists of CPUs and memory nodes are cut to these.
	pub fit: Option<&'w Lists>,
	/// The same, where groups do not come in that order.
	pub search: Along,
	/// One record of the journal.
	pub record: &'w mut [u8; RECORD_BYTES],
	/// One value of the host.
	pub value: &'w mut [u8; VALUE_BYTES],
	/// Where messages go.
	pub log: &'w mut dyn Log,
	/// Where differences go; without it they are only counted.
	pub tell: Option<Tell<'w>>,
	/// What a second thread read ahead.
	pub guest: Option<Guest<'w>>,
	/// A second thread that reads back; not where values may be skipped, which is told at once.
	pub share: Option<Share<'w>>,
	/// Groups that were worked on from those above.
	pub near_groups: u64,
	/// For the line at the end.
	pub counts: Counts,
	/// Values that were refused in this pass.
	pub failed: u64,
	/// Values that were looked at in this pass.
	pub seen: u64,
	/// Values, owners and groups that were found different in this pass.
	pub differences: u64,
	/// The first of them.
	pub first: Option<Error>,
	/// Making the groups left something for later: values that are not those of a new group.
	pub pending: bool,
	/// The last group was made: its sibling is probably not there either.
	pub eager: bool,
	/// The image says which groups are frozen.
	pub freezes: bool,
	/// The image was written by cgraft.
	pub ours: bool,
	/// How owners change.
	pub owners: Owners<'w>,
	/// See [`crate::property::value::same_in_pages`].
	pub page: u64,
	/// Every value is read back, also of new groups that are as such groups are.
	pub read_all: bool,
	/// The group before: its kind, its hierarchy, what it takes over, and what it lacks.
	pub judged: Option<((u32, usize, Legacy), Lack)>,
	/// What groups of that kind lack, as far as there is room for it.
	pub(super) missing: Vec<Missing<'w>, MISSING>,
	/// Files of groups that are not open may be reached from the group above.
	pub nears: bool,
	/// No value of this pass was written before: those of new groups are as the property table says.
	pub untouched: bool,
	/// The kinds of new groups, by their hierarchy, files and what they lack, of which one was read back lately.
	pub(super) read_kinds: [u32; READ_KINDS],
}

impl<'a: 'w, 'w> Visit<'a> for Work<'w> {
	fn arrive(&mut self, site: &Site<'_, 'a>, above: &Dir, name: &Name) -> Result<Option<Reached>, Fault> {
		let reached = self.reach(site, above, name);
		reached.or_else(|fault| {
			// Whoever wants all reasons passes over what lies below.
			let noted = self.log.unfit(Error::new(fault, format_args!("{site}")));
			noted.map(|()| None).map_err(|error| error.fault)
		})
	}

	fn enter(&mut self, site: &Site<'_, 'a>, dir: &Dir, retry: &mut u64) -> Result<Legacy, Error> {
		if let Some(guest) = &mut self.guest {
			guest.enter(site.at, site.path.bytes());
		}
		let legacy = self.legacy(site, dir).at(format_args!("{site}"))?;
		if self.is_for(site) {
			let wanted = self.wanted(site).at(format_args!("the image"))?;
			*retry = self.values(site, dir, wanted, false)?;
			if *retry != 0 && self.pass != Pass::Check {
				*retry = self.values(site, dir, *retry, true)?;
			}
		}
		Ok(legacy)
	}

	fn leave(&mut self, site: &Site<'_, 'a>, dir: &Dir, retry: u64) -> Result<(), Error> {
		if !self.is_for(site) {
			return Ok(());
		}
		if retry != 0 && self.pass != Pass::Check {
			let left = self.values(site, dir, retry, true)?;
			self.failed += u64::from(left.count_ones());
			self.pending |= left != 0;
		}
		if site.near {
			return Ok(()); // it has its attributes and its owner
		}
		self.attributes(site, dir)?;
		self.owner(site, dir)
			.or_else(|fault| self.log.unfit(owner_error(format_args!("the directory"), site, self.perms(site), fault)))
	}
}

impl<'w> Work<'w> {
	/// Before the first pass.
	pub fn new(space: Space<'w>, log: &'w mut dyn Log, mode: Mode, phases: Phases) -> Result<Self, Fault> {
		let Space { record, value, journal } = space;
		Ok(Work {
			pass: Pass::Check,
			mode,
			phases,
			skip_missing: false,
			trust: false,
			own: own_ids(),
			journal: Journal::new(journal)?,
			cursor: MadeCursor::new(),
			fit: None,
			search: Along::default(),
			record,
			value,
			log,
			tell: None,
			guest: None,
			share: None,
			near_groups: 0,
			counts: Counts::default(),
			failed: 0,
			seen: 0,
			differences: 0,
			first: None,
			pending: false,
			eager: false,
			freezes: false,
			ours: true,
			owners: Owners::default(),
			page: 0,
			read_all: false,
			judged: None,
			missing: Vec::new(),
			nears: false,
			untouched: false,
			read_kinds: [0; READ_KINDS],
		})
	}
}

impl Work<'_> {
	/// Whether this pass makes groups.
	pub(super) fn creates(&self) -> bool {
		self.pass == Pass::Create && self.mode.makes()
	}

	/// Whether this pass may write.
	pub(super) fn writes(&self) -> bool {
		!matches!(self.pass, Pass::Scout | Pass::Check)
	}

	/// Whether a group that is not there is none of this pass's business.
	pub(super) fn may_miss(&mut self, site: &Site<'_, '_>) -> bool {
		match self.pass {
			Pass::Scout => self.mode.makes() && self.phases.create,
			Pass::Check => {
				self.differ(site, What::Group, [Some(b""), None]);
				true
			}
			_ => false,
		}
	}

	/// Whether the image's values belong into the group.
	pub(super) fn is_for(&self, site: &Site<'_, '_>) -> bool {
		let is_saved = matches!(site.role, Role::Part | Role::Ancestor);
		let left_alone = self.mode != Mode::Ignore && self.pass == Pass::Check; // to count what is skipped
		is_saved && self.pass != Pass::Scout && (self.mode.writes(site.made) || left_alone)
	}

	/// Whether this pass is about values of the phase.
	pub(super) fn takes(&self, phase: Phase) -> bool {
		let Phases { create, join, limit, freeze } = self.phases;
		match (self.pass, phase) {
			(Pass::Scout, _) => false,
			(Pass::Create, _) => matches!(phase, Phase::Create | Phase::Never),
			(Pass::Freeze, _) => phase == Phase::Freeze,
			(_, Phase::Create) => create || limit,
			(_, Phase::Never) => create || limit,
			(_, Phase::Join) => join || limit,
			(_, Phase::Limit) => limit,
			(_, Phase::Freeze) => freeze && self.pass == Pass::Check,
		}
	}

	pub(super) fn note(&mut self, site: &Site<'_, '_>, change: Change<'_>) -> Result<(), Fault> {
		self.journal.add(&Record { hierarchy: site.at, path: site.path.bytes(), change })
	}

	/// Whether this restore made the group. Groups come in the order in which they were made, but for those that another
	/// hierarchy of the image has as well.
	pub(super) fn is_made(&mut self, site: &Site<'_, '_>) -> Result<bool, Fault> {
		let (at, path) = (site.at, site.path.bytes());
		let is_next = match self.pass {
			Pass::Scout | Pass::Create => false,
			_ => self.cursor.is_made(&self.journal, at, path, self.record)?,
		};
		if is_next || !site.joins {
			return Ok(is_next);
		}
		self.journal.flush()?;
		self.cursor.forget_block();
		self.search.find(&self.journal, at, path, self.record)
	}
}
