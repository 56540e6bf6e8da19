//! `--freeze`: processes that are to move in, all of them in one frozen group out, so that nobody forks while they move.
//!
//! The group is cgraft's own, at the top of what is mounted of the freezer's hierarchy or else of v2's (cgroup.freeze,
//! since Linux 5.2). Who is moved into it stops, whatever else is in the group that it comes from. It is looked for new
//! processes until one look that began when all had stopped finds none. Then all hierarchies but this one are joined,
//! this one after them, and who has no place in it goes back to where it was. All moves are in the journal.

use crate::act::dry::Spot;
use crate::act::groups::LISTS;
use crate::act::host::Host;
use crate::act::join::{Buffers, Join};
use crate::act::journal::{Change, Journal, Record};
use crate::error::{At, Error, Fault, Why, errno};
use crate::kernel::dir::Dir;
use crate::kernel::proc::with_number;
use crate::kernel::stream::Reader;
use crate::kernel::{self, proc};
use crate::limits::{FREEZE_MS, LOOKS, RECORD_BYTES};
use crate::log::Log;
use crate::name::Name;
use crate::procfs::membership::has_controller;
use crate::procfs::scan::{Lines, number32};
use crate::procfs::status;
use crate::property::Version;

/// How the groups are called, before the number of the process that made them.
const PREFIX: &[u8] = b"cgraft-frozen-";
/// Only for who makes it, and root.
const MODE: u32 = 0o700;

/// How far the freezing is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Halt {
	/// Nobody is frozen.
	#[default]
	No,
	/// Who is not at its place is moved into the frozen group, of this hierarchy.
	Gather(usize),
	/// Who is not at its place is moved there, in all hierarchies but this one.
	Wait(usize),
	/// In this one, too.
	Last(usize),
}

impl Halt {
	/// Whether a hierarchy is left for later.
	pub fn leaves(self, at: usize) -> bool {
		self == Halt::Wait(at)
	}

	pub(super) fn hierarchy(self) -> Option<usize> {
		match self {
			Halt::No => None,
			Halt::Gather(at) | Halt::Wait(at) | Halt::Last(at) => Some(at),
		}
	}
}

/// The hierarchy in which tasks can be frozen.
pub(super) fn freezer(host: &Host) -> Result<usize, Fault> {
	let is_mounted = |at: &usize| host.hierarchies[*at].mount.as_ref().is_some_and(|place| !place.read_only);
	let all = || (0..host.hierarchies.len()).filter(is_mounted);
	let mut v1 = all().filter(|at| has_controller(host.hierarchies[*at].label.bytes(), b"freezer"));
	let v2 = || all().find(|at| host.hierarchies[*at].label.version() == Version::V2);
	v1.next().or_else(v2).ok_or(Fault::Unfit(Why::NoFreezer))
}

/// Freezes a group or lets it go on; ENOENT where the kernel cannot.
pub(super) fn switch(dir: &Dir, version: Version, frozen: bool) -> Result<(), Fault> {
	match (version, frozen) {
		(Version::V1, true) => dir.write(c"freezer.state", b"FROZEN"),
		(Version::V1, false) => dir.write(c"freezer.state", b"THAWED"),
		(Version::V2, _) => dir.write(c"cgroup.freeze", if frozen { b"1" } else { b"0" }),
	}
}

/// Whether all tasks of a group, and of those below it, have stopped.
fn is_frozen(dir: &Dir, version: Version) -> Result<bool, Fault> {
	let mut text = [0; 256];
	let (file, state) = match version {
		Version::V1 => (c"freezer.state", &b"FROZEN"[..]),
		Version::V2 => (c"cgroup.events", &b"frozen 1"[..]),
	};
	let len = dir.read_text(file, &mut text)?;
	Ok(text.get(..len).unwrap_or(&[]).split(|byte| *byte == b'\n').any(|line| line == state))
}

/// Lets signals that would end this process wait, unless they are ignored: frozen tasks cannot help themselves.
fn hold_signals(text: &mut [u8]) {
	let read = proc::read_path(c"/proc/self", c"status", text);
	kernel::hold_signals(status::ignored_signals(text.get(..read.unwrap_or(0)).unwrap_or(&[])));
}

/// An error once a signal is there.
pub fn go_on() -> Result<(), Error> {
	let told = if kernel::has_signal() { Err(Fault::Kernel(errno::EINTR)) } else { Ok(()) };
	told.at(format_args!("stopped by a signal"))
}

/// Whether a path is that of such a group.
pub(super) fn is_own(path: &[u8]) -> bool {
	path.rsplit(|byte| *byte == b'/').next().is_some_and(|name| name.starts_with(PREFIX))
}

/// The group's name.
fn own_name() -> Result<Name, Fault> {
	Name::new(with_number(PREFIX, kernel::own_pid(), b"").to_bytes())
}

impl Join<'_, '_> {
	/// Freezes all processes that are to move, and those that they fork until they have stopped.
	#[inline(never)] // its names would widen the caller's frame
	pub fn halt(
		&mut self,
		journal: &mut Journal<'_>,
		record: &mut [u8; RECORD_BYTES],
		log: &mut dyn Log,
	) -> Result<(), Error> {
		let place = format_args!("--freeze");
		let at = freezer(self.host).at(place)?;
		if journal.is_dry() {
			let (label, name) = (self.host.hierarchies[at].label.bytes(), own_name().at(place)?);
			let group = Spot(label, name.bytes(), b"");
			journal.step(format_args!("freeze in {group} what is to move, until it is moved"));
			return Ok(());
		}
		hold_signals(&mut self.buffers.text);
		self.name_frozen(at).at(place)?;
		let (mut looks, mut stopped) = (0, true);
		for _ in 0..FREEZE_MS {
			go_on()?;
			self.halt = Halt::Gather(at);
			let found = self.pass(journal)? + self.follow(journal, record, log)?;
			self.halt = Halt::Wait(at);
			looks += u32::from(found > 0);
			if found == 0 && stopped {
				return self.adopt(at, journal, record).at(place);
			}
			if looks == LOOKS {
				return Err(Fault::Unfit(Why::KeepForking)).at(place);
			}
			stopped = self.has_stopped(at).at(place)?;
			kernel::sleep_ms(u32::from(!stopped));
		}
		Err(Fault::Unfit(Why::NotFrozen)).at(place)
	}

	/// Puts the path of the frozen group into its buffer.
	fn name_frozen(&mut self, at: usize) -> Result<(), Fault> {
		let frozen = &mut self.buffers.frozen;
		frozen.clear();
		let root = self.host.base(at).map_or(&b""[..], |(_, path)| path.strip_prefix(b"/").unwrap_or(path));
		for part in [root, if root.is_empty() { b"" } else { b"/" }, own_name()?.bytes()] {
			frozen.extend_from_slice(part).map_err(|_| Fault::Unfit(Why::NoFreezer))?;
		}
		Ok(())
	}

	/// Moves a process into the frozen group, unless it is there, or is cgraft; whether it was moved.
	pub(super) fn take_in(&mut self, pid: u32, at: usize, journal: &mut Journal<'_>) -> Result<bool, Fault> {
		let Buffers { target, frozen, .. } = &mut *self.buffers;
		target.clone_from(frozen);
		if pid == kernel::own_pid() || self.is_in_target(pid, at)? {
			return Ok(false);
		}
		if self.host.open(at, &self.buffers.frozen)?.is_none() {
			self.make_frozen(at, journal)?;
		}
		self.bring_process(pid, at, journal)?;
		Ok(true)
	}

	fn make_frozen(&mut self, at: usize, journal: &mut Journal<'_>) -> Result<(), Fault> {
		let Some((base, _)) = self.host.base(at) else { return Err(Fault::Unfit(Why::NoFreezer)) };
		let (name, mark, label) = (own_name()?, journal.len(), &self.host.hierarchies[at].label);
		journal.add(&Record { hierarchy: at, path: &self.buffers.frozen, change: Change::Made })?;
		base.make(name.as_c_str(), MODE).inspect_err(|_| journal.drop_since(mark))?;
		let dir = base.child(name.as_c_str())?;
		if label.version() == Version::V1 && has_controller(label.bytes(), b"cpuset") {
			for list in LISTS {
				let len = base.read_text(list, &mut self.buffers.text)?;
				dir.write(list, self.buffers.text.get(..len).unwrap_or(&[]))?;
			}
		}
		switch(&dir, label.version(), true).map_err(|fault| match fault {
			Fault::Kernel(errno::ENOENT) => Fault::Unfit(Why::NoFreezer),
			fault => fault,
		})
	}

	/// Whether all in the frozen group have stopped; where there is none, nobody had to.
	fn has_stopped(&self, at: usize) -> Result<bool, Fault> {
		let Some(dir) = self.host.open(at, &self.buffers.frozen)? else { return Ok(true) };
		is_frozen(&dir, self.host.hierarchies[at].label.version())
	}

	/// Writes down who was forked in the frozen group by one that has exited since: it goes where the first one came from.
	fn adopt(&mut self, at: usize, journal: &mut Journal<'_>, record: &mut [u8; RECORD_BYTES]) -> Result<(), Fault> {
		let Some(dir) = self.host.open(at, &self.buffers.frozen)? else { return Ok(()) };
		journal.flush()?;
		let (mut next, Buffers { known, text, .. }) = (0, &mut *self.buffers);
		while let Some((found, end)) = journal.at(next, record)? {
			next = end;
			if found.hierarchy != at || is_own(found.path) || !matches!(found.change, Change::Moved { .. }) {
				continue;
			}
			let mut lines = Lines::new(Reader::below(&dir, c"cgroup.procs")?, text);
			while let Some(line) = lines.next_line()? {
				if let Some(pid) = number32(line).filter(|pid| !known.has(*pid)) {
					journal.add_move(at, found.path, pid, true)?;
				}
			}
			break;
		}
		Ok(())
	}
}
