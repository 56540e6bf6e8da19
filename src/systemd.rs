//! A group's path in, the unit of systemd that it belongs to out, and the command that does it properly.
//!
//! systemd has a group for each unit and is the only one that may write to it; below a unit with `Delegate=yes` it
//! touches nothing ("Control Group APIs and Delegation" of systemd's documents). Slices cannot be delegated. Groups that
//! are not below a unit are none of its business.
//!
//! Pure: whether a unit is delegated is asked of the caller.

use core::fmt;

use crate::name::{Shown, components};

/// Units that have groups (systemd.unit(5)).
const KINDS: [&[u8]; 6] = [b".service", b".scope", SLICE, b".socket", b".mount", b".swap"];
const SLICE: &[u8] = b".slice";
/// What is not in a slice is in this one, which has the hierarchy's root.
const ROOT_SLICE: &[u8] = b"-.slice";
/// The service of a user's own systemd, which has units in it.
const USER_MANAGER: &[u8] = b"user@";

/// A unit that is not delegated, with a group that is meant in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner<'p> {
	/// The unit's group, the path up to its end.
	pub group: &'p [u8],
	/// The unit's name.
	pub unit: &'p [u8],
	/// The unit is meant itself, not what lies in it.
	is_meant: bool,
	/// The slice that it is, or is in.
	slice: &'p [u8],
	/// It is a unit of a user's systemd.
	is_users: bool,
}

impl Owner<'_> {
	/// Whether systemd removes the unit's group once it is empty.
	pub fn ends_empty(&self) -> bool {
		self.slice != self.unit
	}
}

/// The unit that a path (without its first slash) belongs to; none where systemd leaves it alone.
pub fn owner<'p>(path: &'p [u8], is_delegated: &dyn Fn(&[u8]) -> bool) -> Option<Owner<'p>> {
	let (mut found, mut end, mut slice, mut is_users) = (None, 0, ROOT_SLICE, false);
	for component in components(path) {
		end += component.len();
		let Some(unit) = unit_of(component) else { break };
		let group = path.get(..end)?;
		if is_delegated(group) {
			// Below it is whatever its owner likes; a user's systemd has units there.
			if !unit.starts_with(USER_MANAGER) {
				return None;
			}
			(found, slice, is_users) = (None, ROOT_SLICE, true);
		} else {
			let is_slice = unit.ends_with(SLICE);
			slice = if is_slice { unit } else { slice };
			found = Some(Owner { group, unit, is_meant: end == path.len(), slice, is_users });
			if !is_slice {
				break;
			}
		}
		end += 1;
	}
	found
}

/// The name of the unit whose group is called so: names that the kernel could have for a file get a `_` in front
/// (`cg_escape` of systemd's cgroup-util.c).
fn unit_of(component: &[u8]) -> Option<&[u8]> {
	let unit = component.strip_prefix(b"_").unwrap_or(component);
	let is_unit = KINDS.iter().any(|kind| unit.len() > kind.len() && unit.ends_with(kind));
	let is_legal = |byte: &u8| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(byte);
	(is_unit && unit.iter().all(is_legal)).then_some(unit)
}

/// The command that does what is meant. A backslash is shown as two, as shells want it.
impl fmt::Display for Owner<'_> {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let user = if self.is_users { "--user " } else { "" };
		match self.is_meant {
			true => write!(f, "systemctl {user}set-property {} NAME=VALUE...", Shown(self.unit)),
			false => write!(f, "systemd-run {user}--scope -p Delegate=yes --slice={} COMMAND...", Shown(self.slice)),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	extern crate std;
	use std::string::{String, ToString};

	/// The unit and the command, for a host where these groups are delegated.
	fn told(path: &str, delegated: &[&str]) -> String {
		let is_delegated = |group: &[u8]| delegated.iter().any(|known| known.as_bytes() == group);
		match owner(path.as_bytes(), &is_delegated) {
			None => String::new(),
			Some(owner) => {
				assert!(path.as_bytes().starts_with(owner.group));
				std::format!("{}: {owner}", Shown(owner.group))
			}
		}
	}

	const BELOW: &str = "systemd-run --scope -p Delegate=yes --slice=";

	#[test]
	fn what_is_in_no_unit_is_nobodys() {
		for path in
			["", "web", "web/a.b", "lxc/web.service/x", ".service", "a b.service", "web.servic", "init", "x.timer"]
		{
			assert_eq!(told(path, &[]), "", "{path}");
		}
	}

	#[test]
	fn a_unit_that_is_meant_itself_is_set_by_systemctl() {
		for (path, unit) in [
			("system.slice/web.service", "web.service"),
			("system.slice", "system.slice"),
			("a.slice/a-b.slice", "a-b.slice"),
			("init.scope", "init.scope"),
			("system.slice/dev-hugepages.mount", "dev-hugepages.mount"),
			("system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service"),
			// Names that the kernel could have for a file.
			("system.slice/_cpu.service", "cpu.service"),
			("system.slice/_memory.max.service", "memory.max.service"),
			("system.slice/__x.service", "_x.service"),
			(r"system.slice/dev-disk\x2d1.swap", r"dev-disk\\x2d1.swap"),
		] {
			let group = Shown(path.as_bytes());
			assert_eq!(told(path, &[]), std::format!("{group}: systemctl set-property {unit} NAME=VALUE..."), "{path}");
		}
	}

	#[test]
	fn what_lies_in_a_unit_wants_a_scope_that_is_delegated() {
		for (path, group, slice) in [
			("system.slice/web.service/a", "system.slice/web.service", "system.slice"),
			("system.slice/web.service/a/b.scope", "system.slice/web.service", "system.slice"),
			("a.slice/a-b.slice/x", "a.slice/a-b.slice", "a-b.slice"),
			("system.slice/x/y.service", "system.slice", "system.slice"),
			("init.scope/a", "init.scope", "-.slice"),
		] {
			assert_eq!(told(path, &[]), std::format!("{group}: {BELOW}{slice} COMMAND..."), "{path}");
		}
	}

	#[test]
	fn what_is_delegated_is_its_owners() {
		let delegated = ["system.slice/web.service", "machine.slice/c.scope", "user.slice/user@7.service"];
		for path in [
			"system.slice/web.service",
			"system.slice/web.service/a",
			"machine.slice/c.scope/system.slice/x.service/y",
			"user.slice/user@7.service",
			"user.slice/user@7.service/own",
		] {
			assert_eq!(told(path, &delegated), "", "{path}");
		}
		assert!(!told("system.slice/web.services.service", &delegated).is_empty());
		// A user's systemd has units in what was delegated to it.
		for (path, wanted) in [
			(
				"user.slice/user@7.service/app.slice/a.scope",
				"user.slice/user@7.service/app.slice/a.scope: systemctl --user set-property a.scope NAME=VALUE...",
			),
			(
				"user.slice/user@7.service/app.slice/x",
				"user.slice/user@7.service/app.slice: systemd-run --user --scope -p Delegate=yes --slice=app.slice COMMAND...",
			),
		] {
			assert_eq!(told(path, &delegated), wanted, "{path}");
		}
		let own = [&delegated[..], &["user.slice/user@7.service/app.slice/a.scope"]].concat();
		assert_eq!(told("user.slice/user@7.service/app.slice/a.scope/x", &own), "");
	}

	#[test]
	fn slices_stay_when_they_are_empty() {
		let ends = |path: &'static str| owner(path.as_bytes(), &|_| false).unwrap().ends_empty();
		assert!(ends("system.slice/web.service") && ends("a.scope/x"));
		assert!(!ends("system.slice/x") && !ends("a.slice"));
		assert_eq!(owner(b"a.scope", &|_| false).unwrap().to_string(), "systemctl set-property a.scope NAME=VALUE...");
	}
}
