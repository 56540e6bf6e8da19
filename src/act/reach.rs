//! Hierarchies that the mounts here do not show: found in the mount namespace of process 1, or attached without a mount
//! point (see [`crate::kernel::attach`]); and those of a yard, CRIU's `--cgroup-yard`.

use core::ffi::CStr;

use heapless::Vec;

use crate::act::host::{Hierarchy, Host, Place, Span, read_own_lines};
use crate::error::{At, Error, Fault, Why, unless_short};
use crate::hierarchy::Label;
use crate::kernel::dir::{Dir, FileSystem};
use crate::kernel::output::c_string;
use crate::kernel::{attach, sleep_ms};
use crate::limits::{LABEL_BYTES, Limit, PATH_BYTES, SHORT_LIST_BYTES};
use crate::name::{Name, Shown};
use crate::procfs::membership::memberships;

/// Looks at whether a hierarchy is gone, and how many of them before it is attached and let go once more.
const TRIES: u32 = 400;
const TRIES_AN_ATTACHMENT: u32 = 8;
const PAUSE_MS: u32 = 5;
/// A folder that has never a folder in it: for a dry run the root of a hierarchy that would be made.
const NO_GROUPS: &CStr = c"/proc/self/map_files";

impl Host {
	/// Reaches what is active and not mounted here, or only from outside of this cgroup namespace, as far as that can be done.
	pub(super) fn reach(&mut self, line: &mut [u8]) -> Result<(), Fault> {
		if !(0..self.hierarchies.len()).all(|at| self.is_reached(at)) {
			// Where it may not be looked at, there is nothing to find.
			unless_short(self.read_mounts(c"/proc/1/mountinfo", b"/proc/1/root", None, line))?;
		}
		for at in 0..self.hierarchies.len() {
			if !self.is_reached(at) {
				self.attach(at)?;
			}
		}
		Ok(())
	}

	/// Whether a mount shows it, from this process's cgroup namespace down.
	fn is_reached(&self, at: usize) -> bool {
		self.base(at).is_some_and(|(_, root)| !root.starts_with(b"/.."))
	}

	fn attach(&mut self, at: usize) -> Result<(), Fault> {
		let options = self.hidden_options();
		let (dir, root) = match (&self.hierarchies[at].label, options) {
			(label, _) if !label.bytes().is_empty() => (attach::v1(&options_of(label)?), None),
			(_, Some(options)) => (attach::v2(options), None),
			(_, None) => (attach::v2_from_own_group(), Some(self.own_group)),
		};
		// What is not allowed, or not possible, stays as it is: not mounted.
		let Some(dir) = unless_short(dir)? else { return Ok(()) };
		self.hierarchies[at].mount = Some(self.place(dir, root)?);
		Ok(())
	}

	/// A mount of this process alone: of the group at `root`, or of the hierarchy's root.
	fn place(&mut self, dir: Dir, root: Option<Span>) -> Result<Place, Fault> {
		let root = root.map_or_else(|| self.keep(b"/"), Ok)?;
		Ok(Place { dir, root, options: (0, 0), read_only: false, public: false })
	}

	/// Makes a hierarchy that this host does not have: a v1 one whose controllers are nowhere, or v2 where nothing has been
	/// mounted yet. It stays as long as it has groups. A dry run only writes down that it is there.
	pub fn bring(&mut self, label: &Label, is_dry: bool) -> Result<usize, Fault> {
		let is_free = |name: &[u8]| name.starts_with(b"name=") || self.idle.has_name(name);
		let is_v2 = label.bytes().is_empty();
		let has_controllers = label.names().any(|name| !name.starts_with(b"name="));
		if (self.uses_v2() && has_controllers) || !(is_v2 || label.names().all(is_free)) {
			return Err(Fault::Unfit(Why::NoHierarchy));
		}
		let dir = match is_dry {
			true => Dir::open(NO_GROUPS)?,
			false if is_v2 => attach::v2_from_own_group()?,
			false => attach::v1(&options_of(label)?)?,
		};
		let place = self.place(dir, None)?;
		let at = self.hierarchies.len();
		self.push(Hierarchy { label: label.clone(), id: 0, mount: Some(place), brought: true })?;
		Ok(at)
	}

	/// Lets hierarchies go that were made and have no groups any more; false where one stays. The kernel keeps one whose
	/// groups it has not forgotten yet when its mount ends, so it may have to be attached once more.
	pub fn let_go(&mut self, line: &mut [u8]) -> Result<bool, Fault> {
		let mut all = true;
		for known in self.hierarchies.iter_mut().filter(|known| known.brought) {
			let options = options_of(&known.label)?;
			let mut gone = known.label.bytes().is_empty(); // v2 never goes
			known.mount = None;
			for turn in 1..=TRIES {
				let len = read_own_lines(line)?;
				let mut rest = memberships(line.get(..len).unwrap_or(&[])).flatten();
				gone |= !rest.any(|membership| known.label.is_same(membership.controllers));
				if gone {
					break;
				}
				sleep_ms(PAUSE_MS);
				if turn % TRIES_AN_ATTACHMENT == 0 {
					let _ = attach::v1(&options); // while it is going away there is nothing to attach
				}
			}
			all &= gone;
		}
		Ok(all)
	}

	/// Takes the hierarchies whose roots are right below a folder, as mounts or as links to mounts.
	#[inline(never)] // its buffers are no other's
	pub(super) fn read_yard(&mut self, yard: &[u8], line: &mut [u8]) -> Result<(), Error> {
		let place = format_args!("--cgroup-yard {}", Shown(yard));
		let path: heapless::CString<PATH_BYTES> = c_string(yard).at(place)?;
		let dir = Dir::open(path.as_c_str()).at(place)?;
		let mut list = [0; SHORT_LIST_BYTES];
		while dir.list(&mut list, &mut |name, _| self.add_entry(&dir, &Name::new(name)?, line)).at(place)? {}
		if self.hierarchies.is_empty() { Err(Fault::Unfit(Why::EmptyYard)).at(place) } else { Ok(()) }
	}

	fn add_entry(&mut self, yard: &Dir, name: &Name, line: &mut [u8]) -> Result<(), Fault> {
		let Ok(root) = yard.entry(name.as_c_str()) else { return Ok(()) };
		if root.file_system()? == FileSystem::Other {
			return Ok(());
		}
		let mut buffer = [0; PATH_BYTES];
		let len = root.path(&mut buffer)?;
		self.read_mounts(c"/proc/self/mountinfo", b"", buffer.get(..len), line)
	}
}

/// Mount options of a v1 hierarchy; one without controllers has to say so.
fn options_of(label: &Label) -> Result<Vec<u8, LABEL_BYTES>, Fault> {
	let mut options = Vec::new();
	let full = Fault::full(Limit::Label, label.bytes().len() + 5);
	let none: &[u8] = if label.names().all(|name| name.starts_with(b"name=")) { b"none," } else { b"" };
	options.extend_from_slice(none).and_then(|()| options.extend_from_slice(label.bytes())).map_err(|_| full)?;
	Ok(options)
}
