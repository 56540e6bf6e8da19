//! Owners and modes in, words about those that the kernel does not make by itself out.

use core::fmt::{self, Display, Write};

use crate::error::Fault;
use crate::image::view::{Group, Perms};
use crate::name::Shown;
use crate::report::Put;

/// Modes the kernel gives to files of configuration: writable ones, devices.list.
const FILE: &[u32] = &[0o644, 0o444];
/// Modes of groups: mkdir with the usual umask, and a hierarchy's root.
const GROUP: &[u32] = &[0o755];
const ROOT: &[u32] = &[0o755, 0o555];

/// Owner and mode, each where it is worth a word, else 0.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ShownPerms {
	perms: Perms,
	has_owner: bool,
	has_mode: bool,
}

impl ShownPerms {
	fn new(perms: Option<Perms>, usual: &[u32], all: bool) -> Option<Self> {
		let mut perms = perms?;
		perms.mode &= 0o7777;
		let (has_owner, has_mode) = (all || perms.uid | perms.gid != 0, all || !usual.contains(&perms.mode));
		perms.mode *= u32::from(has_mode);
		(has_owner || has_mode).then_some(ShownPerms { perms, has_owner, has_mode })
	}

	/// Of a group's directory; none if they are as usual.
	pub fn of_group(group: &Group<'_>, all: bool) -> Result<Option<Self>, Fault> {
		let usual = if group.name.is_empty() { ROOT } else { GROUP };
		Ok(Self::new(group.perms()?, usual, all))
	}
}

impl Display for ShownPerms {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let Perms { mode, uid, gid } = self.perms;
		if self.has_owner {
			write!(f, "owner {uid}:{gid}{}", if self.has_mode { ", " } else { "" })?;
		}
		if self.has_mode { write!(f, "mode {mode:04o}") } else { Ok(()) }
	}
}

/// Whether [`write`] has nothing to say.
pub fn is_usual(group: &Group<'_>, all: bool) -> Result<bool, Fault> {
	for property in group.properties() {
		if ShownPerms::new(property?.perms, FILE, all).is_some() {
			return Ok(false);
		}
	}
	Ok(true)
}

/// Writes a line for each run of files that are unusual in the same way, one line if all files of the group are.
pub fn write(group: &Group<'_>, all: bool, lead: &dyn Display, out: &mut dyn Write) -> Result<(), Fault> {
	if let Some(perms) = common(group, all)? {
		out.put(format_args!("{lead}{perms}: all files\n"));
		return Ok(());
	}
	let mut run = None;
	for property in group.properties() {
		let property = property?;
		let Some(perms) = ShownPerms::new(property.perms, FILE, all) else { continue };
		match run.replace(perms) {
			Some(before) if before == perms => out.put(format_args!(", ")),
			Some(_) => out.put(format_args!("\n{lead}{perms}: ")),
			None => out.put(format_args!("{lead}{perms}: ")),
		}
		out.put(format_args!("{}", Shown(property.name)));
	}
	if run.is_some() {
		out.put(format_args!("\n"));
	}
	Ok(())
}

/// What is unusual about all files, if they are several and agree.
fn common(group: &Group<'_>, all: bool) -> Result<Option<ShownPerms>, Fault> {
	let (mut first, mut count) = (None, 0);
	for property in group.properties() {
		let perms = ShownPerms::new(property?.perms, FILE, all);
		if count > 0 && perms != first {
			return Ok(None);
		}
		(first, count) = (perms, count + 1);
	}
	Ok(first.filter(|_| count > 1))
}
