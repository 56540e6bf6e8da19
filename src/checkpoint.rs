//! The dump as a story: /proc text -> hierarchies, sets, heads -> walk -> scheduled writer -> image bytes.

use heapless::Vec;

use crate::act::ahead::{Ahead, Second};
use crate::act::census::{self, Census};
use crate::act::disks;
use crate::act::host::Host;
use crate::act::scope::{Scope, Selected};
use crate::act::walk::{self, Choice, Walk};
use crate::act::wanted::{Lists, keep_named};
use crate::error::{At, Error, Fault, Why, errno};
use crate::heads::Heads;
use crate::hierarchy::split_selector;
use crate::image::sink::{Sink, Store};
use crate::image::view::Layout;
use crate::image::writer::{self, ImageWriter};
use crate::kernel;
use crate::kernel::fenced;
use crate::kernel::output::Output;
use crate::kernel::proc::{Proc, boot_id as boot_id_of, is_gone, read_path};
use crate::limits::{LINE_BYTES, Limit, OPTIONS, SINK_BYTES};
use crate::log::Log;
use crate::name::{Shown, check, components, is_below_or_same};

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
	/// Roots of process trees.
	pub pids: &'a [u32],
	/// Groups, each `[CTRL:]PATH`.
	pub groups: &'a [&'a [u8]],
	/// The whole host.
	pub all: bool,
	/// Which groups and properties are written.
	pub choice: Choice,
	/// What the user wants to be written of properties instead.
	pub lists: Lists<'a>,
	/// The only hierarchies that are written, each by a name; all, without one.
	pub hierarchies: &'a [&'a [u8]],
	/// Tasks as well as their sets.
	pub tasks: bool,
	/// Field numbers.
	pub layout: Layout,
	/// A folder with the hierarchies to use; all that are mounted if none.
	pub yard: Option<&'a [u8]>,
	/// The image's file; standard output if none.
	pub output: Option<&'a [u8]>,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Summary {
	pub groups: u64,
	pub tasks: u64,
	pub bytes: u64,
	pub left_out: u64,
}

/// All buffers of a dump.
pub struct Workspace {
	/// The host's hierarchies.
	pub host: Host,
	walk: walk::Buffers,
	ahead: Ahead,
	census: census::Buffers,
	heads: Heads,
	line: [u8; LINE_BYTES],
	sink: [u8; SINK_BYTES],
}

impl Workspace {
	/// Empty ones.
	pub const fn new() -> Self {
		Workspace {
			host: Host::new(),
			walk: walk::Buffers::new(),
			ahead: Ahead::new(),
			census: census::Buffers::new(),
			heads: Heads::new(),
			line: [0; LINE_BYTES],
			sink: [0; SINK_BYTES],
		}
	}
}

impl Default for Workspace {
	fn default() -> Self {
		Workspace::new()
	}
}

type Chosen<'a> = Vec<Selected<'a>, OPTIONS>;

/// Writes an image of what is asked for. Nothing is left behind when it fails.
pub fn checkpoint(request: &Request<'_>, space: &mut Workspace, log: &mut dyn Log) -> Result<Summary, Error> {
	kernel::raise_open_files();
	let Workspace { host, walk, ahead, census, heads, line, sink } = space;
	let wanted = request.lists.select(request.choice.wanted, line, log)?;
	host.discover(request.yard, line)?;
	keep_named(host, request.hierarchies)?;
	let mut chosen = Chosen::new();
	choose(request, host, &mut chosen)?;
	let shown = Shown(request.output.unwrap_or(b"standard output"));
	let output = match request.output {
		Some(path) => Output::to_path(path).at(format_args!("create {shown}"))?,
		None => Output::in_memory().at(format_args!("create a memory file for {shown}"))?,
	};
	let place = format_args!("write the image to {shown}");
	let mut writer = ImageWriter::new(Sink::new(output, sink), request.layout).at(place)?;
	about(&mut writer, host, request.groups.is_empty()).at(place)?;
	let scope = match (request.all, request.groups.is_empty()) {
		(true, _) => Scope::Host(request.hierarchies),
		(false, false) => Scope::Groups(&chosen),
		(false, true) => Scope::Tree(request.hierarchies),
	};
	let mut count = Census::new(&mut writer, scope, request.tasks, census, &mut walk.value, line)?;
	match scope {
		Scope::Groups(chosen) => count.members(host, chosen, &mut walk.levels)?,
		Scope::Host(_) => count.everything()?,
		Scope::Tree(_) => count.trees(request.pids)?,
	}
	let (mut summary, hidden) = (Summary { tasks: count.tasks, ..Summary::default() }, count.hidden);
	if census.book.overflown && matches!(scope, Scope::Tree(_)) {
		let full = Fault::full(Limit::TreeSets, 0);
		return Err(full).at(place);
	}
	let choice = Choice { wanted, ..request.choice };
	let mut groups = Ok(0);
	let (host, ahead) = (&*host, &*ahead);
	fenced::beside(&|| ahead.work(host), &mut |start| {
		let mut trees = Trees { writer: &mut writer, host, walk, heads, line, choice, log, ahead, start };
		groups = trees.all(scope, &census.book).inspect_err(|_| trees.walk.close());
		ahead.quit();
	});
	summary.groups = groups?;
	disks::save(&walk.disks, &mut writer).at(place)?;
	summary.left_out = writer.left_out;
	summary.bytes = writer.total();
	let output = writer.finish().at(place)?;
	output.commit().at(place)?;
	if hidden > 0 {
		log.warn(format_args!(
			"tasks whose cgroup namespace may not be looked at: {hidden}; where it begins is not in the image"
		));
	}
	Ok(summary)
}

/// The groups of the command line, each with its hierarchies; or a look at the processes that are asked for.
fn choose<'a>(request: &Request<'a>, host: &'a Host, chosen: &mut Chosen<'a>) -> Result<(), Error> {
	let proc = Proc::open().at(format_args!("open /proc"))?;
	for pid in request.pids {
		let gone = |fault: Fault| if is_gone(&fault) { Fault::Kernel(errno::ESRCH) } else { fault };
		proc.process(*pid).map_err(gone).at(format_args!("process {pid}"))?;
	}
	for group in request.groups {
		let place = format_args!("--cgroup {}", Shown(group));
		let (selector, path) = split_selector(group).at(place)?;
		let path = path.strip_suffix(b"/").filter(|path| !path.is_empty()).unwrap_or(path);
		components(path).try_for_each(check).map_err(|_| Fault::Usage(Why::BadPath)).at(place)?;
		let (mut meant, mut found, mut why) = (false, false, Why::NotMounted);
		for (at, hierarchy) in host.hierarchies.iter().enumerate() {
			if !selector.is_none_or(|selector| hierarchy.label.is_meant_by(selector)) {
				continue;
			}
			meant = true;
			why = match (&hierarchy.mount, host.locate(at, path)) {
				(None, _) => why,
				(Some(_), None) => Why::OutOfReach,
				(Some(_), Some(_)) => Why::NoGroup,
			};
			if host.open(at, path).at(place)?.is_some() {
				found = true;
				let full = Fault::full(Limit::Chosen, chosen.len() + 1);
				chosen.push((&hierarchy.label, path)).map_err(|_| full).at(place)?;
			}
		}
		match (meant, found) {
			(_, true) => {}
			(true, false) => return Err(Fault::Unfit(why)).at(place),
			(false, false) if !request.hierarchies.is_empty() => return Err(Fault::Unfit(Why::NotDumped)).at(place),
			(false, false) => return Err(Fault::Unfit(Why::NoHierarchy)).at(place),
		}
	}
	Ok(())
}

#[inline(never)] // its buffers would widen the caller's frame, and every access to it
fn about<S: Store>(writer: &mut ImageWriter<'_, S>, host: &Host, is_whole: bool) -> Result<(), Fault> {
	if writer.layout() == Layout::Rfc {
		return Ok(());
	}
	let (mut release, mut boot_id, mut cpus, mut nodes) = ([0; 128], [0; 64], [0; 1024], [0; 1024]);
	let release_len = kernel::release(&mut release);
	let cpus_len = read_path(c"/sys/devices/system/cpu", c"online", &mut cpus)?;
	let nodes_len = read_path(c"/sys/devices/system/node", c"online", &mut nodes)?;
	let mark = writer.about(&writer::Host {
		version: env!("CARGO_PKG_VERSION").as_bytes(),
		release: &release[..release_len],
		boot_id: boot_id_of(&mut boot_id)?,
		page_size: kernel::page_size(),
		cpus: cpus[..cpus_len].trim_ascii_end(),
		nodes: nodes[..nodes_len].trim_ascii_end(),
	})?;
	for (at, hierarchy) in host.hierarchies.iter().enumerate().filter(|(_, hierarchy)| hierarchy.mount.is_some()) {
		writer.mount(hierarchy.label.bytes(), host.options(at))?;
	}
	if is_whole {
		writer.whole_trees()?;
	}
	writer.close(mark)
}

/// The walks of a dump.
struct Trees<'w, 's, S: Store> {
	writer: &'w mut ImageWriter<'s, S>,
	host: &'w Host,
	walk: &'w mut walk::Buffers,
	heads: &'w mut Heads,
	line: &'w mut [u8; LINE_BYTES],
	choice: Choice,
	log: &'w mut dyn Log,
	ahead: &'w Ahead,
	start: &'w dyn Fn() -> bool,
}

impl<S: Store> Trees<'_, '_, S> {
	/// Walks all hierarchies; how many groups.
	fn all(&mut self, scope: Scope<'_>, book: &crate::act::sets::Book) -> Result<u64, Error> {
		(0..self.host.hierarchies.len()).try_fold(0, |groups, at| Ok(groups + self.hierarchy(at, scope, book)?))
	}

	/// Walks one hierarchy from its heads; how many groups.
	fn hierarchy(&mut self, at: usize, scope: Scope<'_>, book: &crate::act::sets::Book) -> Result<u64, Error> {
		let hierarchy = &self.host.hierarchies[at];
		let place = format_args!("write hierarchy {}", hierarchy.label.shown());
		self.heads.clear();
		let mut at_root = self.offer(at, scope, book).at(place)?;
		if !at_root && self.heads.iter().next().is_none() {
			return Ok(0);
		}
		let Some((base, base_path)) = self.host.base(at) else {
			if self.heads.iter().next().is_some() {
				let label = hierarchy.label.shown();
				self.log.warn(format_args!(
					"hierarchy {label} is not mounted: its memberships are saved, its groups are not"
				));
			}
			return Ok(0);
		};
		let mark = self.writer.hierarchy(hierarchy.id, hierarchy.label.names()).at(place)?;
		let (mut groups, mut threaded) = (0, !hierarchy.label.bytes().is_empty());
		loop {
			let second = Second::new(self.ahead, at, self.start);
			let base = (base, base_path);
			let mut walk =
				Walk::new(self.writer, self.log, hierarchy, base, self.walk, self.choice, second).at(place)?;
			if core::mem::take(&mut at_root) && base_path == b"/" {
				walk.root()?;
			}
			for head in self.heads.iter() {
				match is_below_or_same(head, base_path) {
					true => walk.head(head)?,
					false => walk.out_of_reach(head),
				}
			}
			walk.finish()?;
			groups += walk.groups;
			threaded |= walk.threaded;
			if !self.heads.go_on() {
				break;
			}
			self.offer(at, scope, book).at(place)?;
		}
		self.writer.threaded(threaded).at(place)?;
		self.writer.close(mark).at(place)?;
		Ok(groups)
	}

	/// Offers every path that is to be a head of this hierarchy; whether a task sits in its root.
	fn offer(&mut self, at: usize, scope: Scope<'_>, book: &crate::act::sets::Book) -> Result<bool, Fault> {
		let label = &self.host.hierarchies[at].label;
		let mut at_root = false;
		match scope {
			Scope::Host(_) => self.heads.offer(b"/"),
			Scope::Groups(chosen) => {
				chosen.iter().filter(|(of, _)| *of == label).for_each(|(_, path)| self.heads.offer(path));
			}
			Scope::Tree(_) => book.each_path(self.writer, self.line, |member| match member.path {
				_ if !label.is_same(member.name) => {}
				b"/" => at_root = true,
				path => self.heads.offer(path),
			})?,
		}
		Ok(at_root)
	}
}
