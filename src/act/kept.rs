//! A journal that outlives cgraft: its file, what is in front of the records, and the judgement of one that is read.
//!
//! In front stand MAGIC, the state, the version, the length of this part (u16 LE), the sum (u32 LE) of what follows the
//! next, the bytes of all records (u64 LE; 0 until they are complete), the id of this boot, the cgroup and the pid
//! namespace, and for each hierarchy of the host whether the restore made it, its label's length and its label: records
//! name hierarchies by their place here.
//!
//! Groups do not outlive a boot, so neither does a journal: that its bytes are in the kernel's cache is enough, and
//! nothing is synced. A record is in the file before its change is made, so a last one that is cut off was of no change.
//! Whoever may write a journal could have it write anything, so it is judged like an image: configuration files of groups
//! below the hierarchies and nothing else.

use crate::act::host::{Hierarchy, Host};
use crate::act::journal::{Change, Journal, Record, is_sound, parse};
use crate::error::{At, Error, Fault, Why, errno};
use crate::hash::{START, hash};
use crate::hierarchy::Label;
use crate::kernel::output::{kept_file, read_at, truncate, write_at};
use crate::kernel::proc::{self, own_namespaces};
use crate::limits::{ATTRIBUTE_BYTES, JOURNAL_BYTES, PATH_BYTES, PIDS, RECORD_BYTES};
use crate::name::{check, components};
use crate::property;
use crate::vet::{are_perms, is_attribute, is_value};

const MAGIC: [u8; 8] = *b"cgraft J";
/// Places in the front.
const STATE: usize = 8;
const LENGTH: usize = 10;
const SUM: usize = 12;
const END: usize = 16;
const BOOT: usize = 24;
const SPACES: usize = BOOT + BOOT_BYTES;
const LABELS: usize = SPACES + 16;
/// Bytes of `boot_id`, without its newline.
const BOOT_BYTES: usize = 36;

/// How far the restore came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
	/// It is on its way, or was killed.
	Open = b'o',
	/// It is done.
	Complete = b'c',
	/// It is taken back, or of another boot: there is nothing to take back.
	Void = b'v',
}

impl<'b> Journal<'b> {
	/// Goes on in a file: a new one, one that is void, or that of a restore that was killed.
	pub fn keep(&mut self, path: &[u8], host: &mut Host, record: &mut [u8; RECORD_BYTES]) -> Result<(), Fault> {
		let (file, size) = kept_file(path, true)?;
		self.file = file;
		if size != 0 {
			let state = self.front(size)?;
			if state != State::Void {
				if state != State::Open || !self.is_of(host)? {
					return Err(Fault::Unfit(Why::JournalThere));
				}
				let judged = self.scan(host, state, size, record);
				self.continued = judged.map_err(|error| error.fault)?;
				return truncate(&self.file, self.base + self.flushed);
			}
		}
		self.start(host)
	}

	/// The journal at this path, and its state.
	pub fn open(path: &[u8], buffer: &'b mut [u8; JOURNAL_BYTES]) -> Result<(Self, State, u64), Fault> {
		let (file, size) = kept_file(path, false)?;
		let mut journal = Journal::of(file, buffer);
		let state = journal.front(size)?;
		Ok((journal, state, size))
	}

	/// Refuses, for a dry run, a file that a restore would not begin anew; nothing is made.
	pub fn vet_place(path: &[u8], buffer: &'b mut [u8; JOURNAL_BYTES]) -> Result<(), Fault> {
		let (file, size) = match kept_file(path, false) {
			Err(Fault::Kernel(errno::ENOENT)) => return Ok(()),
			result => result?,
		};
		match size == 0 || Journal::of(file, buffer).front(size)? == State::Void {
			true => Ok(()),
			false => Err(Fault::Unfit(Why::JournalThere)),
		}
	}

	/// Says how far the restore came.
	pub fn mark(&mut self, state: State) -> Result<(), Fault> {
		if !self.is_kept() {
			return Ok(());
		}
		if state == State::Complete {
			write_at(&self.file, END as u64, &self.flushed.to_le_bytes())?;
		}
		write_at(&self.file, STATE as u64, &[state as u8])
	}

	/// Writes the front of an empty journal.
	fn start(&mut self, host: &Host) -> Result<(), Fault> {
		truncate(&self.file, 0)?;
		(self.base, self.flushed) = (0, 0);
		self.fill(0);
		self.put(&MAGIC)?;
		self.put(&[State::Open as u8, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])?;
		self.put(&boot_id()?)?;
		self.put(&spaces()?)?;
		for known in &host.hierarchies {
			let label = known.label.bytes();
			self.put(&[u8::from(known.brought), label.len() as u8])?; // a label is shorter
			self.put(label)?;
		}
		let front = self.pending();
		let len = (front.len() as u16).to_le_bytes(); // all labels are a quarter of the buffer
		front[LENGTH..SUM].copy_from_slice(&len);
		let sum = hash(START, &front[BOOT..]).to_le_bytes();
		front[SUM..END].copy_from_slice(&sum);
		self.flush()?;
		(self.base, self.flushed) = (self.flushed, 0);
		Ok(())
	}

	/// Reads the front into the buffer, where it stays until a record is added; the state.
	fn front(&mut self, size: u64) -> Result<State, Fault> {
		let none = Fault::Journal(Why::NoJournal, 0);
		let (file, all) = self.fill(size.min(JOURNAL_BYTES as u64) as usize);
		read_at(file, 0, all)?;
		let (MAGIC, Some(&[state, 1, low, high])) = (*all.first_chunk().ok_or(none)?, all[STATE..].first_chunk())
		else {
			return Err(none);
		};
		let len = usize::from(u16::from_le_bytes([low, high]));
		let front = all.get(..len).filter(|front| front.len() >= LABELS).ok_or(none)?;
		if hash(START, &front[BOOT..]).to_le_bytes() != front[SUM..END] {
			return Err(Fault::Journal(Why::JournalSum, 0));
		}
		let records = (size - len as u64).to_le_bytes();
		let is_now = front[BOOT..SPACES] == boot_id()?;
		let state = match state {
			b'v' => State::Void,
			b'o' | b'c' if !is_now => State::Void,
			b'o' => State::Open,
			b'c' if front[END..BOOT] == records => State::Complete,
			_ => return Err(Fault::Journal(Why::JournalSum, STATE as u32)),
		};
		self.fill(len);
		self.base = len as u64;
		Ok(state)
	}

	/// The label at a place of the front, and whether the restore made the hierarchy; none behind the last one.
	#[inline(never)]
	fn label(&mut self, place: usize) -> Option<(bool, &[u8])> {
		let mut rest = self.pending().get(LABELS..)?;
		for _ in 0..place {
			rest = rest.get(2 + usize::from(*rest.get(1)?)..)?;
		}
		let [brought, len, text @ ..] = rest else { return None };
		Some((*brought != 0, text.get(..usize::from(*len))?))
	}

	/// Paths and ids are those of these namespaces.
	fn is_here(&mut self) -> Result<bool, Fault> {
		Ok(self.pending()[SPACES..LABELS] == spaces()?)
	}

	/// Whether it is about exactly these hierarchies, in this order.
	fn is_of(&mut self, host: &mut Host) -> Result<bool, Fault> {
		for (at, known) in host.hierarchies.iter_mut().enumerate() {
			match self.label(at) {
				Some((brought, label)) if label == known.label.bytes() => known.brought |= brought,
				_ => return Ok(false),
			}
		}
		Ok(self.label(host.hierarchies.len()).is_none() && self.is_here()?)
	}

	/// Gives the host's hierarchies the places that records name; those that are not there any more are not mounted.
	pub fn arrange(&mut self, host: &mut Host) -> Result<(), Fault> {
		if !self.is_here()? {
			return Err(Fault::Unfit(Why::JournalPlace));
		}
		let mut at = 0;
		while let Some((brought, label)) = self.label(at) {
			let found = (at..host.hierarchies.len()).find(|from| host.hierarchies[*from].label.is_same(label));
			if found.is_none() {
				host.push(Hierarchy { label: Label::new(label)?, id: 0, mount: None, brought })?;
			}
			let last = host.hierarchies.len() - 1;
			host.hierarchies.swap(at, found.unwrap_or(last));
			host.hierarchies[at].brought = brought;
			at += 1;
		}
		Ok(())
	}

	/// Judges every record, and that the host has what it is about; whether there are any. A last one that is cut off is
	/// left out.
	pub fn scan(
		&mut self,
		host: &Host,
		state: State,
		size: u64,
		buffer: &mut [u8; RECORD_BYTES],
	) -> Result<bool, Error> {
		let end = size.saturating_sub(self.base);
		self.flushed = end;
		let mut at = 0;
		while at < end {
			match self.judge(at, end, buffer).at(format_args!("a record"))? {
				Some((record, len)) => {
					let label = host.hierarchies[record.hierarchy].label.shown();
					fits(&record, host).at(format_args!("hierarchy {label}"))?;
					at += len;
				}
				None if state == State::Open => break,
				None => return Err(self.damaged(at)).at(format_args!("a record")),
			}
		}
		self.flushed = at;
		self.fill(0);
		Ok(at != 0)
	}

	fn damaged(&self, at: u64) -> Fault {
		Fault::Journal(Why::JournalSum, u32::try_from(self.base + at).unwrap_or(u32::MAX))
	}

	/// The record that starts at `at` and its length; none if it is cut off.
	fn judge<'r>(&mut self, at: u64, end: u64, buffer: &'r mut [u8]) -> Result<Option<(Record<'r>, u64)>, Fault> {
		let sum = self.damaged(at);
		let part = (end - at).min(64) as usize;
		let bytes = buffer.get_mut(..part).ok_or(sum)?;
		self.read(at, bytes)?;
		let Some(len) = bytes.first_chunk().map(|len| u32::from_le_bytes(*len) as usize) else { return Ok(None) };
		if len > part {
			match is_sound(bytes, len) {
				Some(false) => return Err(sum),
				_ if len as u64 > end - at => return Ok(None),
				_ => self.read(at, buffer.get_mut(..len).ok_or(sum)?)?,
			}
		}
		let bytes = buffer.get(..len).ok_or(sum)?;
		if is_sound(bytes, len) != Some(true) {
			return Err(sum);
		}
		let record = parse(bytes).ok_or(sum)?;
		match self.label(record.hierarchy) {
			Some((_, label)) if may_be(&record, &Label::new(label)?) => Ok(Some((record, len as u64))),
			_ => Err(sum),
		}
	}
}

/// The cgroup and the pid namespace.
fn spaces() -> Result<[u8; 16], Fault> {
	let [cgroup, pid] = own_namespaces()?.map(u128::from);
	Ok((cgroup | pid << 64).to_le_bytes())
}

/// Where it cannot be read there is no telling whether a journal is void.
fn boot_id() -> Result<[u8; BOOT_BYTES], Fault> {
	proc::boot_id(&mut [0; 64])?.first_chunk().copied().ok_or(Fault::Unfit(Why::NoBootId))
}

/// The host has the hierarchy, and shows and gives the group to be written. One that the restore made may be gone, and
/// all groups with it.
fn fits(record: &Record<'_>, host: &Host) -> Result<(), Fault> {
	let known = &host.hierarchies[record.hierarchy];
	match &known.mount {
		None if known.brought => Ok(()),
		None => Err(Fault::Unfit(Why::NoHierarchy)), // or it is not mounted
		Some(place) if place.read_only => Err(Fault::Unfit(Why::ReadOnly)),
		Some(_) if host.locate(record.hierarchy, record.path).is_none() => Err(Fault::Unfit(Why::OutOfReach)),
		Some(_) => Ok(()),
	}
}

/// Whether a restore makes such a change.
fn may_be(record: &Record<'_>, label: &Label) -> bool {
	let path = record.path;
	let find = |file: &[u8]| property::find(label.version(), file).filter(|known| label.takes(known.controller()));
	let is_path =
		path.len() < PATH_BYTES && !path.starts_with(b"/") && components(path).all(|name| check(name).is_ok());
	is_path
		&& match record.change {
			Change::Made => !path.is_empty(),
			Change::Value { file, old, .. } => find(file).is_some_and(|known| is_value(known, old)),
			Change::Attribute { name, old } => is_attribute(name) && old.is_none_or(|old| old.len() <= ATTRIBUTE_BYTES),
			Change::Perms { file: b"", old } => are_perms(old, false),
			Change::Perms { file, old } => find(file).is_some() && are_perms(old, true),
			Change::Moved { tid, .. } => (1..=PIDS).contains(&tid),
		}
}
