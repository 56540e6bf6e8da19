//! The values of the image in, the values of the host made the same: the visitor of all phases but the joining.
//!
//! Every value is compared first and written only where it differs. What the kernel refuses in one order may be taken
//! in another: a refused value is tried once more after the others of its group, once more after the group's children
//! (a parent's limit may only shrink after theirs), and then in further passes as long as one of them changes
//! anything. Only then is it an error.

use core::ffi::CStr;
use core::fmt;

use heapless::Vec;

use crate::act::fits::{Lists, cut_list};
use crate::act::foresee::{VALUE, foresee_write};
use crate::act::journal::{Change, Journal, Record, file_name};
use crate::act::made::{Along, MadeCursor};
use crate::act::manner::{Counts, Mode, Phases};
use crate::act::read;
use crate::act::tour::{Legacy, Role, Site, Visit};
use crate::difference::{Difference, HOST, Tell, What, owner_text, same_perms};
use crate::error::{At, Error, Fault, Why, errno};
use crate::image::view::{Perms, Property as Saved, Text};
use crate::kernel::dir::Dir;
use crate::kernel::own_ids;
use crate::limits::{FILE_BYTES, JOURNAL_BYTES, LIST_TEXT_BYTES, RECORD_BYTES, VALUE_BYTES};
use crate::log::Log;
use crate::name::{Name, Shown};
use crate::owners::Owners;
use crate::plan::{self, Target};
use crate::property::{self, Fresh, Phase, Property, value};

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
	/// See [`value::same_in_pages`].
	pub page: u64,
	/// Every value is read back, also of new groups that are as such groups are.
	pub read_all: bool,
	/// The kinds of new groups, by their hierarchy and files, of which one was read back lately.
	read_kinds: [u32; 8],
}

impl<'a> Visit<'a> for Work<'_> {
	fn arrive(&mut self, site: &Site<'_, 'a>, above: &Dir, name: &Name) -> Result<Option<(Dir, bool)>, Fault> {
		let reached = self.reach(site, above, name);
		reached.or_else(|fault| {
			// Whoever wants all reasons passes over what lies below.
			let noted = self.log.unfit(Error::new(fault, format_args!("{site}")));
			noted.map(|()| None).map_err(|error| error.fault)
		})
	}

	fn enter(&mut self, site: &Site<'_, 'a>, dir: &Dir, retry: &mut u128) -> Result<Legacy, Error> {
		let legacy = self.legacy(site, dir).at(format_args!("{site}"))?;
		if self.is_for(site) {
			*retry = self.values(site, dir, u128::MAX)?;
			if *retry != 0 && self.pass != Pass::Check {
				*retry = self.values(site, dir, *retry)?;
			}
		}
		Ok(legacy)
	}

	fn leave(&mut self, site: &Site<'_, 'a>, dir: &Dir, retry: u128) -> Result<(), Error> {
		if !self.is_for(site) {
			return Ok(());
		}
		if retry != 0 && self.pass != Pass::Check {
			let left = self.values(site, dir, retry)?;
			self.failed += u64::from(left.count_ones());
			self.pending |= left != 0;
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
			read_kinds: [0; 8],
		})
	}

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
	fn is_for(&self, site: &Site<'_, '_>) -> bool {
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

	/// Goes through the values whose bits are set; the bits of those that were refused. In the last passes a value that
	/// is refused again is an error.
	fn values(&mut self, site: &Site<'_, '_>, dir: &Dir, wanted: u128) -> Result<u128, Error> {
		let (mut refused, mut hint) = (0, 0);
		let insists = wanted != u128::MAX && self.pass >= Pass::Insist && !self.skip_missing;
		for saved in site.properties() {
			let mut list = Vec::<u8, LIST_TEXT_BYTES>::new();
			let mut saved = self.owned(saved).at(format_args!("the image"))?;
			let Some((known, bit)) = rank(site, &saved, &mut hint) else { continue };
			if self.fit.is_some_and(|lists| cut_list(lists, known, saved.value.bytes(), &mut list)) {
				self.tell_cut(site, &saved, &list);
				if list.is_empty() {
					continue; // it keeps what it has from its parent
				}
				saved.value = Text::Bytes(&list);
			}
			if self.pass == Pass::Create && !(site.made && self.is_as_made(site, known, &saved)) {
				self.pending = true;
			}
			if wanted & bit == 0 || !self.takes(known.phase) {
				continue;
			}
			match self.value(site, dir, known, &saved) {
				Ok(()) => {}
				Err(fault) if self.pass == Pass::Check => {
					self.log.warn(format_args!("read {} of {site}: {fault}", Shown(saved.name)));
					self.differ_value(site, known, &saved, None);
				}
				Err(fault @ Fault::Unfit(Why::NotOwner)) if insists => {
					let error = owner_error(format_args!("{}", Shown(saved.name)), site, Ok(saved.perms), fault);
					self.log.unfit(error)?;
				}
				Err(fault) if insists => {
					let (file, text) = (Shown(saved.name), Shown(saved.value.bytes()));
					self.log.unfit(Error::new(fault, format_args!("{file} of {site}, value {text}")))?;
				}
				Err(_) => refused |= bit,
			}
		}
		Ok(refused)
	}

	/// Tells that a list was cut, once: when it is read back.
	fn tell_cut(&mut self, site: &Site<'_, '_>, saved: &Saved<'_>, list: &[u8]) {
		if self.pass != Pass::Check || !self.is_for(site) {
			return;
		}
		self.counts.skipped += 1;
		self.seen += u64::from(!list.is_empty());
		let (file, text) = (Shown(saved.name), Shown(saved.value.bytes()));
		let has: &[u8] = if list.is_empty() { b"none of it" } else { list };
		self.log.warn(format_args!("{file} of {site}: the image has {text}, this host has {}", Shown(has)));
	}

	/// One value and its file's owner.
	fn value(&mut self, site: &Site<'_, '_>, dir: &Dir, known: &Property, saved: &Saved<'_>) -> Result<(), Fault> {
		let mut name = [0; FILE_BYTES + 1];
		let file = file_name(saved.name, &mut name).ok_or(Fault::Text(Why::NameWithoutNul))?;
		self.seen += u64::from(known.phase != Phase::Never);
		if self.trust && site.made && self.pass != Pass::Check && self.is_as_made(site, known, saved) {
			return Ok(());
		}
		if known.write == property::Write::Program {
			return self.devices(site, dir, known, saved);
		}
		let text = saved.value.bytes();
		// Who owns the files of a new group is known, unless it was changed.
		let with_perms =
			!(self.pass == Pass::Check && site.made && saved.perms.is_none_or(|perms| self.is_usual(known, perms)));
		if known.phase == Phase::Never && (!with_perms || self.keeps_entrance()) {
			return Ok(());
		}
		let (len, now) = match self.current(site, dir, file, known, with_perms) {
			Err(fault) if read::is_absent(&fault) => return self.absent(site, known, saved),
			result => result?,
		};
		let current = self.value.get(..len).unwrap_or(&[]);
		let now = saved.perms.filter(|_| !with_perms).unwrap_or(now);
		let same = value::same_in_pages(known, text, current, self.page) || value::is_healed(known, text, current);
		if self.pass == Pass::Check {
			self.check(site, known, saved, (!same).then_some(len), now);
			return Ok(());
		}
		if !same {
			match self.write(site, dir, file, known, text, len) {
				Err(_) if known.advisory => {}
				result => result?,
			}
		}
		match saved.perms {
			Some(wanted) if self.knows_owner(known) => self.own_file(site, dir, file, now, wanted),
			_ => Ok(()),
		}
	}

	/// CRIU fills the owner and mode of freezer.state with whatever was in its memory.
	fn knows_owner(&self, known: &Property) -> bool {
		self.ours || known.read != property::Read::Freezer
	}

	/// Whether tasks come still: only then those who may not move any more give the files away that take them.
	fn keeps_entrance(&self) -> bool {
		self.pass == Pass::Create && self.phases.join
	}

	/// Whether a file of a group that was just made has this owner and mode.
	fn is_usual(&self, known: &Property, perms: Perms) -> bool {
		let usual = if known.write == property::Write::Devices { 0o444 } else { 0o644 };
		(perms.uid, perms.gid, perms.mode & 0o7777) == (self.own.0, self.own.1, usual)
	}

	/// Whether a group that was just made has this value, and its file this owner and mode.
	fn is_as_made(&self, site: &Site<'_, '_>, known: &Property, saved: &Saved<'_>) -> bool {
		let is_usual = !self.knows_owner(known) || saved.perms.is_none_or(|perms| self.is_usual(known, perms));
		let text = saved.value.bytes();
		let is_fresh = match known.fresh {
			Fresh::Inherited(_) => site.legacy == Legacy::Rest && value::is_default(known, text),
			_ => value::is_fresh(known, text),
		};
		is_usual && (known.phase == Phase::Never || is_fresh)
	}

	/// The file is not there: on v2 perhaps only until controllers are handed down.
	fn absent(&mut self, site: &Site<'_, '_>, known: &Property, saved: &Saved<'_>) -> Result<(), Fault> {
		let text = saved.value.bytes();
		if value::is_default(known, text) || known.phase == Phase::Never {
			self.seen -= u64::from(known.phase != Phase::Never && self.pass == Pass::Check);
			return Ok(());
		}
		match self.pass {
			Pass::Check => {
				self.differ_value(site, known, saved, None);
				Ok(())
			}
			_ if known.advisory => Ok(()),
			_ => Err(Fault::Unfit(Why::NoFile)),
		}
	}

	/// Tells how the host's value, which is in the buffer, and the file's owner differ.
	fn check(&mut self, site: &Site<'_, '_>, known: &Property, saved: &Saved<'_>, len: Option<usize>, now: Perms) {
		if let Some(len) = len {
			let mut shown = [0; 256]; // for people
			let len = len.min(shown.len());
			shown[..len].copy_from_slice(&self.value[..len]);
			self.differ_value(site, known, saved, Some(&shown[..len]));
		}
		match saved.perms {
			Some(wanted) if self.knows_owner(known) && !same_perms(now, wanted) => {
				self.differ_perms(saved.name, site, wanted, now);
			}
			_ => {}
		}
	}

	/// Writes what turns the host's value, which is in the buffer, into the image's.
	fn write(
		&mut self,
		site: &Site<'_, '_>,
		dir: &Dir,
		file: &CStr,
		known: &Property,
		text: &[u8],
		len: usize,
	) -> Result<(), Fault> {
		let is_new = self.is_new(site.at, site.path.bytes());
		if known.write == property::Write::Controllers && !site.made && self.waits_for_tasks(dir) {
			return Err(Fault::Kernel(errno::EBUSY));
		}
		let mut handed = self.handed(site, dir, known, len)?;
		let current = self.value.get(..len).unwrap_or(&[]);
		let mark = self.journal.len();
		// Controllers that are handed down hold the group's own tasks and children fast: an undo takes them back first.
		if !site.made || known.write == property::Write::Controllers {
			let at_once = matches!(known.write, property::Write::Whole | property::Write::List);
			let change = Change::Value { file: file.to_bytes(), old: current, new: at_once.then_some(text) };
			self.journal.add(&Record { hierarchy: site.at, path: site.path.bytes(), change })?; // the value is borrowed
		}
		// Until it has children a new group can deny everything first: its rules are then in the image's order.
		let is_anew = known.write == property::Write::Devices && site.made && self.pass == Pass::Create;
		let mut count = 0;
		let journal = &self.journal;
		let result = write_all(dir, file, known, text, if is_anew { b"a" } else { current }, &mut |file, text| {
			foresee_write(journal, dir, is_new, (site, file), (current, text), &mut handed)?;
			count += 1;
			Ok(())
		});
		let after = if known.write == property::Write::Controllers { &handed.0 } else { text };
		if result.is_ok() || count != 0 {
			self.journal.foresee((site.at, site.path.bytes(), VALUE, file.to_bytes()), after);
		}
		if count == 0 && result.is_err() {
			self.journal.drop_since(mark);
		}
		self.counts.written += u64::from(result.is_ok());
		result
	}

	/// Owner and mode of a file or, without a name, of the group.
	fn own_file(
		&mut self,
		site: &Site<'_, '_>,
		dir: &Dir,
		file: &CStr,
		now: Perms,
		wanted: Perms,
	) -> Result<(), Fault> {
		if same_perms(now, wanted) {
			return Ok(());
		}
		self.note_perms(site, file.to_bytes(), now)?;
		self.foresee_owner(site, file.to_bytes(), now, wanted)?;
		let owned = if file.is_empty() { dir.own_self(now, wanted) } else { dir.own(file, now, wanted) };
		owned.map_err(not_owner)
	}

	/// The group's own owner and mode, after its children: whoever gives a group away may not make any more.
	fn owner(&mut self, site: &Site<'_, '_>, dir: &Dir) -> Result<(), Fault> {
		let Some(wanted) = self.perms(site)? else { return Ok(()) };
		let is_as_made = site.made && (wanted.uid, wanted.gid) == self.own && wanted.mode & 0o7700 == 0o700;
		if !self.takes(Phase::Never) || (is_as_made && (self.trust || self.pass == Pass::Check)) {
			return Ok(());
		}
		let now = self.own_perms(site, dir)?;
		if same_perms(now, wanted) {
			return Ok(());
		}
		if self.pass == Pass::Check {
			self.differ_perms(b"", site, wanted, now);
			return Ok(());
		}
		match self.own_file(site, dir, c"", now, wanted) {
			Err(Fault::Unfit(Why::NotOwner)) if self.skip_missing => Ok(()),
			result => result,
		}
	}

	/// A saved value with its file's owner as it is to be here.
	fn owned<'p>(&self, saved: Result<Saved<'p>, Fault>) -> Result<Saved<'p>, Fault> {
		saved.map(|saved| Saved { perms: saved.perms.map(|perms| self.owners.map(perms)), ..saved })
	}

	/// The group's own owner and mode, as they are to be here.
	fn perms(&self, site: &Site<'_, '_>) -> Result<Option<Perms>, Fault> {
		Ok(site.group.perms()?.map(|perms| self.owners.map(perms)))
	}

	fn note_perms(&mut self, site: &Site<'_, '_>, file: &[u8], old: Perms) -> Result<(), Fault> {
		if site.made { Ok(()) } else { self.note(site, Change::Perms { file, old }) }
	}

	/// What the group hands down to those that are made in it. Where the host's part of a new tree hands down something
	/// that the image does not say, no new group is trusted any more.
	fn legacy(&mut self, site: &Site<'_, '_>, dir: &Dir) -> Result<Legacy, Fault> {
		if !site.made || !self.is_for(site) {
			return Ok(Legacy::Unknown);
		}
		let mut hint = 0;
		for saved in site.properties() {
			let saved = saved?;
			let Some((known, _)) = rank(site, &saved, &mut hint) else { continue };
			if !matches!(known.fresh, Fresh::Inherited(_)) {
				continue;
			}
			if site.legacy == Legacy::Unrest || !value::is_default(known, saved.value.bytes()) {
				return Ok(Legacy::Unrest);
			}
			let mut name = [0; FILE_BYTES + 1];
			if let (Legacy::Unknown, Pass::Create, Some(file)) =
				(site.legacy, self.pass, file_name(saved.name, &mut name))
			{
				let current = self.current(site, dir, file, known, false);
				let text = current.ok().and_then(|(len, _)| self.value.get(..len));
				self.trust &= text.is_some_and(|text| value::is_default(known, text));
			}
		}
		Ok(Legacy::Rest)
	}

	/// Whether a new group needs not be read back: one like it was read, and nothing was written to it.
	pub(super) fn is_known(&mut self, site: &Site<'_, '_>) -> Result<bool, Fault> {
		let skips = self.pass == Pass::Check && !self.read_all && site.legacy == Legacy::Rest && self.mode.writes(true);
		let Some((kind, values)) = (if skips { self.plain(site)? } else { None }) else { return Ok(false) };
		let is_known = self.read_kinds.contains(&kind);
		if is_known {
			self.seen += values;
		} else {
			self.read_kinds.rotate_right(1);
			self.read_kinds[0] = kind;
		}
		Ok(is_known)
	}

	/// Where a group that is made is at once all that the image says, with nothing below it: its kind, by hierarchy and
	/// files, and the number of its values.
	pub(super) fn plain(&self, site: &Site<'_, '_>) -> Result<Option<(u32, u64)>, Fault> {
		let is_own = |perms: Perms| (perms.uid, perms.gid) == self.own && perms.mode & 0o7700 == 0o700;
		if !self.trust || site.group.attributes().next().is_some() || !self.perms(site)?.is_none_or(is_own) {
			return Ok(None);
		}
		let (mut kind, mut values, mut hint) = (site.at as u32, 0, 0);
		for saved in site.properties() {
			let saved = self.owned(saved)?;
			let Some((known, _)) = rank(site, &saved, &mut hint) else { return Ok(None) };
			if !self.is_as_made(site, known, &saved) {
				return Ok(None);
			}
			kind = (kind ^ hint as u32).wrapping_mul(0x0100_0193);
			values += u64::from(known.phase != Phase::Never);
		}
		Ok(Some((kind, values)).filter(|_| site.group.children().next().is_none()))
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

	fn differ_perms(&mut self, file: &[u8], site: &Site<'_, '_>, wanted: Perms, now: Perms) {
		let (wanted, now) = (owner_text(wanted), owner_text(now));
		let sides = [Some(wanted.as_bytes()), Some(now.as_bytes())];
		self.seen += u64::from(self.differ_kept(site, What::Owner(file), sides, false));
	}

	pub(super) fn differ_value(
		&mut self,
		site: &Site<'_, '_>,
		known: &Property,
		saved: &Saved<'_>,
		now: Option<&[u8]>,
	) {
		self.differ_kept(site, What::Value(saved.name), [Some(saved.value.bytes()), now], known.advisory);
	}

	/// Counts a difference: as skipped, where the mode or --skip-missing leaves it alone, or as one that there may not be.
	/// Whether it was skipped.
	pub(super) fn differ_kept(
		&mut self,
		site: &Site<'_, '_>,
		what: What<'_>,
		sides: [Option<&[u8]>; 2],
		advisory: bool,
	) -> bool {
		let left_alone = !self.mode.writes(site.made);
		if !left_alone && !advisory && !self.skip_missing {
			self.differ(site, what, sides);
			return false;
		}
		self.counts.skipped += 1;
		if !left_alone {
			self.log.warn(format_args!("skipped: {}", difference(site, what, sides).line(&HOST)));
		}
		true
	}

	fn differ(&mut self, site: &Site<'_, '_>, what: What<'_>, sides: [Option<&[u8]>; 2]) {
		self.differences += 1;
		let difference = difference(site, what, sides);
		match &mut self.tell {
			Some(tell) => tell(&difference),
			None if self.first.is_none() => {
				self.first = Some(Error::new(Fault::NotKept, format_args!("{}", difference.line(&HOST))));
			}
			None => {}
		}
	}
}

fn difference<'d>(site: &'d Site<'_, '_>, what: What<'d>, sides: [Option<&'d [u8]>; 2]) -> Difference<'d> {
	Difference { hierarchy: site.label.bytes(), group: site.path.bytes(), what, sides }
}

/// The property of a saved value and its bit.
fn rank(site: &Site<'_, '_>, saved: &Saved<'_>, hint: &mut usize) -> Option<(&'static Property, u128)> {
	let index = property::index_after(site.label.version(), saved.name, *hint)?;
	*hint = index + 1;
	Some((property::all(site.label.version()).get(index)?, 1 << index.min(127)))
}

/// A refusal to change owner or mode: the kernel's number for it says too little.
fn not_owner(fault: Fault) -> Fault {
	if fault == Fault::Kernel(errno::EPERM) { Fault::Unfit(Why::NotOwner) } else { fault }
}

fn owner_error(
	what: fmt::Arguments<'_>,
	site: &Site<'_, '_>,
	wanted: Result<Option<Perms>, Fault>,
	fault: Fault,
) -> Error {
	let text = wanted.ok().flatten().map(owner_text).unwrap_or_default();
	Error::new(fault, format_args!("owner of {what} of {site}, {text}"))
}

/// Takes a write that was made: file and text.
pub(super) type Took<'t> = &'t mut dyn FnMut(&CStr, &[u8]) -> Result<(), Fault>;

/// Makes the writes of the plan; each that was taken is told.
pub(super) fn write_all(
	dir: &Dir,
	file: &CStr,
	known: &Property,
	text: &[u8],
	current: &[u8],
	took: Took<'_>,
) -> Result<(), Fault> {
	plan::writes(known, text, current, &mut |target, text| {
		match dir.write(target.file(file), text) {
			Err(Fault::Kernel(errno::EINVAL)) if target != Target::Own && text == b"a" => {
				return Err(Fault::Unfit(Why::ChildrenThere));
			}
			result => result?,
		}
		took(target.file(file), text)
	})
}
