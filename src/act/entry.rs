//! A running process and a set of an image in, the process and all its threads in the groups of the set out.

use crate::act::aim::map_member;
use crate::act::join::Join;
use crate::act::journal::Journal;
use crate::error::{At, Error, Fault, Why};
use crate::image::view::Task;
use crate::kernel::proc::is_gone;
use crate::limits::{COMM_BYTES, SHORT_LIST_BYTES};
use crate::name::{Shown, ShownPath};
use crate::procfs::scan;

/// Passes over the threads of a process before those that still come elsewhere are an error.
const PASSES: u32 = 8;

impl Join<'_, '_> {
	/// Makes the set the current one and opens all its groups: one that is not there is an error before anybody is moved.
	pub fn open_groups(&mut self, id: u32) -> Result<(), Error> {
		self.set = None; // what is open, or known, may be the roots of its namespace
		self.forget();
		self.take_set(id).at(format_args!("set {id}"))?;
		let mut spot = 0;
		while let Some(spots) = self.set.as_ref()
			&& let Some(found) = spots.all.get(spot)
		{
			let (at, member) = (found.at(), spots.set.members().nth(found.member()).and_then(Result::ok));
			let Some(member) = member.map(|member| self.meant(member)) else { break };
			map_member(self.targets, at, &member, &mut self.buffers.target).at(format_args!("set {id}"))?;
			let (path, label) = (ShownPath(&self.buffers.target), self.host.hierarchies[at].label.shown());
			let opened = self.host.open(at, &self.buffers.target);
			let dir = opened.and_then(|dir| dir.ok_or(Fault::Unfit(Why::NoGroup)));
			let dir = dir.at(format_args!("group {path} of {label}"))?;
			if let Some(found) = self.set.as_mut().and_then(|spots| spots.all.get_mut(spot)) {
				found.dir = Some(dir);
			}
			spot += 1;
		}
		Ok(())
	}

	/// Whether tasks of the current set were in a cgroup namespace of their own.
	pub fn wants_namespace(&self) -> bool {
		self.set.as_ref().is_some_and(|spots| spots.has_namespace)
	}

	/// Moves a process into the groups of the set, and those of its threads that are elsewhere, until a pass finds none;
	/// how many were moved.
	pub fn bring(&mut self, pid: u32, set: u32, journal: &mut Journal<'_>) -> Result<u64, Error> {
		let mut moved = 0;
		for _ in 0..PASSES {
			match self.bring_once(pid, set, journal)? {
				0 => return Ok(moved),
				more => moved += more,
			}
		}
		Err(Fault::NotKept).at(format_args!("the groups of the threads of {pid}"))
	}

	fn bring_once(&mut self, pid: u32, set: u32, journal: &mut Journal<'_>) -> Result<u64, Error> {
		let place = format_args!("process {pid}");
		let (mut comm, mut list) = ([0; COMM_BYTES + 1], [0; SHORT_LIST_BYTES]);
		let mut len = 0;
		if let Ok(process) = self.proc.process(pid) {
			len = process.read_text(c"comm", &mut comm).unwrap_or(0);
		}
		let comm = comm[..len].trim_ascii_end();
		let leader = Task { pid, tid: pid, ns_tid: None, parent: None, start_time: 0, comm, set };
		let mut moved = u64::from(self.seat(&leader, journal)?);
		let mut refused = Ok(());
		let threads = match self.proc.threads(pid) {
			Err(fault) if is_gone(&fault) => return Ok(moved),
			threads => threads.at(place)?,
		};
		while threads
			.list(&mut list, &mut |name, _| {
				let Some(tid) = scan::number32(name).filter(|tid| *tid != pid) else { return Ok(()) };
				match self.seat(&Task { tid, ..leader }, journal) {
					Ok(was_moved) => moved += u64::from(was_moved),
					Err(error) => {
						refused = Err(error);
						return Err(error.fault);
					}
				}
				Ok(())
			})
			.map_err(|fault| refused.err().unwrap_or_else(|| Error::new(fault, place)))?
		{}
		Ok(moved)
	}

	/// One that has exited meanwhile is none that could be moved.
	fn seat(&mut self, task: &Task<'_>, journal: &mut Journal<'_>) -> Result<bool, Error> {
		match self.place(task, task.pid, task.tid, journal) {
			Err(fault) if is_gone(&fault) => Ok(false),
			result => result.map_err(|fault| self.refused(fault, task)),
		}
	}

	/// A move that was refused, with its place.
	pub(super) fn refused(&self, fault: Fault, task: &Task<'_>) -> Error {
		let (to, label) = (ShownPath(&self.buffers.target), self.host.hierarchies[self.at].label.shown());
		let (tid, comm, from) = (task.tid, Shown(task.comm), ShownPath(&self.buffers.old));
		Error::new(fault, format_args!("task {tid} ({comm}) from group {from} to group {to} of {label}"))
	}
}
