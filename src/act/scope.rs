//! One task's memberships: those that are asked for, and where its cgroup namespace begins.
//!
//! Source: /proc/PID/task/TID/cgroup, read from cgraft's own cgroup namespace and from the task's (cgroup_namespaces(7)).

use heapless::Vec;

use crate::error::{Fault, Why};
use crate::hierarchy::{Label, is_meant};
use crate::image::view::Member;
use crate::kernel::dir::Dir;
use crate::kernel::proc::Proc;
use crate::limits::{HIERARCHIES, Limit};
use crate::name::{is_below_or_same, sort_few};
use crate::procfs::membership::{Memberships, memberships};

/// One group that was asked for: its hierarchy's label and its path.
pub type Selected<'a> = (&'a Label, &'a [u8]);

/// Which tasks and memberships are written.
#[derive(Clone, Copy)]
pub enum Scope<'a> {
	/// Every task that is met, with its memberships in the hierarchies that these names mean; all, without a name.
	Tree(&'a [&'a [u8]]),
	/// Tasks below these groups, with their memberships in these hierarchies.
	Groups(&'a [Selected<'a>]),
	/// The same of every task, but kernel threads that sit in the root of every hierarchy.
	Host(&'a [&'a [u8]]),
}

impl Scope<'_> {
	/// Whether memberships in this hierarchy are written.
	fn has(self, label: &[u8]) -> bool {
		match self {
			Scope::Groups(selected) => selected.iter().any(|(of, _)| of.is_same(label)),
			Scope::Tree(names) | Scope::Host(names) => {
				names.is_empty() || names.iter().any(|name| is_meant(label, name))
			}
		}
	}
}

/// The memberships that are in scope, sorted by name; whether all are in a root.
pub fn collect<'a>(
	lines: Memberships<'a>,
	scope: Scope<'_>,
	members: &mut Vec<Member<'a>, HIERARCHIES>,
) -> Result<bool, Fault> {
	let mut at_root = true;
	for line in lines {
		let line = line?;
		if line.is_outside() {
			return Err(Fault::Unfit(Why::OutsideNamespace));
		}
		at_root &= line.path == b"/";
		if !scope.has(line.controllers) {
			continue;
		}
		let member = Member { name: line.controllers, path: line.path, cgns_prefix: None, at: 0 };
		let full = Fault::full(Limit::TaskHierarchies, HIERARCHIES + 1);
		members.push(member).map_err(|_| full)?;
	}
	sort_few(members, |left, right| left.name < right.name);
	Ok(at_root)
}

/// Whether the task is in one of the groups that were asked for.
pub fn is_selected(members: &[Member<'_>], scope: Scope<'_>) -> bool {
	let Scope::Groups(selected) = scope else { return true };
	selected.iter().any(|(label, path)| {
		members.iter().any(|member| label.is_same(member.name) && is_below_or_same(member.path, path))
	})
}

/// Writes down where the roots of the task's cgroup namespace are, if that is another one than ours.
pub fn inside(
	proc: &Proc,
	dir: &Dir,
	members: &mut Vec<Member<'_>, HIERARCHIES>,
	scratch: &mut [u8],
) -> Result<(), Fault> {
	if !proc.is_elsewhere(dir)? {
		return Ok(());
	}
	let len = proc.read_from_inside(dir, scratch)?;
	for line in memberships(scratch.get(..len).unwrap_or(&[])) {
		let line = line?;
		for member in members.iter_mut().filter(|member| member.name == line.controllers) {
			member.cgns_prefix = namespace_root(member.path, line.path);
		}
	}
	Ok(())
}

/// How much of a group's path lies above the root of a cgroup namespace that calls the group `inner`; none if the group
/// is outside of it. As in CRIU, but for a namespace at the hierarchy's root, which CRIU 4.2 forgets: it has 0.
fn namespace_root(path: &[u8], inner: &[u8]) -> Option<u32> {
	let above = match (path, inner) {
		(b"/", b"/") => b"",
		(_, b"/") => path,
		_ => path.strip_suffix(inner)?,
	};
	u32::try_from(above.len()).ok()
}

#[cfg(test)]
mod tests {
	use super::namespace_root;

	#[test]
	fn a_namespace_begins_where_the_inner_path_does() {
		assert_eq!(namespace_root(b"/web", b"/"), Some(4));
		assert_eq!(namespace_root(b"/web/sub", b"/sub"), Some(4));
		assert_eq!(namespace_root(b"/", b"/"), Some(0));
		assert_eq!(namespace_root(b"/a", b"/a"), Some(0));
		assert_eq!(namespace_root(b"/other", b"/../other"), None);
		assert_eq!(namespace_root(b"/", b"/.."), None);
	}
}
