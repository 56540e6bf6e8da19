//! Commands as typed in, calls of the library out, and the exit code.

use std::fmt::Write;
use std::sync::Mutex;

use cgraft::act::files::Wanted;
use cgraft::act::join::Pair;
use cgraft::act::manner::{Counts, Mode, Phases};
use cgraft::act::walk::Choice;
use cgraft::checkpoint::{self, Request, checkpoint};
use cgraft::error::{At, Error, Fault, Why};
use cgraft::image::view::{Image, Layout};
use cgraft::kernel::fenced::Map;
use cgraft::kernel::output::{c_string, read_image};
use cgraft::kernel::stream::{self, Target};
use cgraft::limits::{Limit, OPTIONS, PATH_BYTES};
use cgraft::log::{Level, Log};
use cgraft::name::Shown;
use cgraft::procfs::scan::number32;
use cgraft::report::decode::{Stop, decode};
use cgraft::report::overview::overview;
use cgraft::report::tree::tree;
use cgraft::restore::{self, restore, verify};

use crate::cli::{self, Cli, Command, Decode, Dump, Restore, Show, Verify};
use crate::messages::Messages;

/// All buffers of all commands: one command runs in a process.
static DUMP: Mutex<checkpoint::Workspace> = Mutex::new(checkpoint::Workspace::new());
static RESTORE: Mutex<restore::Workspace> = Mutex::new(restore::Workspace::new());

/// Bytes of a report that are kept before they are written.
const REPORT_BYTES: usize = 4 * 1024;

/// Runs the command; the exit code.
pub fn run(cli: &Cli) -> u8 {
	let level = cli.verbosity.map_or(Level::Warning as u8, |digit| digit.as_bytes()[0] - b'0');
	let mut messages = Messages::new(level);
	if let Some(cli::Text(path)) = cli.log_file
		&& let Err(fault) = c_string(path.as_bytes()).and_then(|path| messages.go_to(&path))
	{
		return messages.error(&Error::new(fault, format_args!("-o {path}")));
	}
	let result = match &cli.command {
		None if cli.version => {
			report(|out| writeln!(out, "cgraft {}", env!("CARGO_PKG_VERSION")).map_err(|_| Stop::Out))
		}
		None => Err(Fault::Usage(Why::NoCommand)).at(format_args!("arguments")),
		Some(Command::Dump(dump)) => run_dump(dump, &mut messages),
		Some(Command::Decode(decode)) => run_decode(decode),
		Some(Command::Show(show)) => run_show(show),
		Some(Command::Restore(restore)) => run_restore(restore, &mut messages),
		Some(Command::Verify(verify)) => run_verify(verify, &mut messages),
	};
	match result {
		Ok(code) => code,
		Err(error) => messages.error(&error),
	}
}

/// `FOLDER/cgroup.img`, FILE, or nothing for standard input or output.
struct ImagePath {
	path: heapless::Vec<u8, PATH_BYTES>,
	standard: bool,
}

impl ImagePath {
	fn new(folder: Option<&str>, file: Option<&str>) -> Result<Self, Error> {
		let mut path = heapless::Vec::new();
		let mut add = |text: &[u8]| {
			let full = Fault::full(Limit::Path, PATH_BYTES + 1);
			path.extend_from_slice(text).map_err(|_| full).at(format_args!("the image's file"))
		};
		match (folder, file) {
			(Some(_), Some(_)) => {
				return Err(Fault::Usage(Why::FolderAndFile)).at(format_args!("the image's file"));
			}
			(Some(folder), None) => add(folder.as_bytes()).and_then(|()| add(b"/cgroup.img"))?,
			(None, file) => add(file.unwrap_or("cgroup.img").as_bytes())?,
		}
		Ok(ImagePath { standard: file == Some("-"), path })
	}

	fn path(&self) -> Option<&[u8]> {
		(!self.standard).then_some(&self.path)
	}

	fn map(&self) -> Result<Map, Error> {
		match self.path() {
			Some(path) => read_image(Some(path)).at(format_args!("read {}", Shown(path))),
			None => read_image(None).at(format_args!("read the image from standard input")),
		}
	}
}

fn open<'a>(map: &'a Map, path: &ImagePath) -> Result<Image<'a>, Error> {
	Image::open_mapped(map.bytes(), map).at(format_args!("{}", Shown(path.path().unwrap_or(b"standard input"))))
}

/// Text to standard output. Nobody reading it any more is no error.
fn report(write: impl FnOnce(&mut stream::Text<'_>) -> Result<(), Stop>) -> Result<u8, Error> {
	let mut buffer = [0; REPORT_BYTES];
	let mut out = stream::Text::new(Target::Out, &mut buffer);
	let place = format_args!("write to standard output");
	match write(&mut out) {
		Ok(()) => {}
		Err(Stop::Image(fault)) => return Err(fault).at(format_args!("the image")),
		Err(Stop::Out) => return Err(Fault::Text(Why::Writable)).at(place),
	}
	flushed(&mut out)
}

fn flushed(out: &mut stream::Text<'_>) -> Result<u8, Error> {
	match out.flush() {
		Err(Fault::Kernel(cgraft::error::errno::EPIPE)) | Ok(()) => Ok(0),
		Err(fault) => Err(fault).at(format_args!("write to standard output")),
	}
}

#[inline(never)]
fn run_decode(command: &Decode) -> Result<u8, Error> {
	let path = ImagePath::new(command.images_dir.as_deref(), command.image.as_deref().or(command.file.as_deref()))?;
	let map = path.map()?;
	let image = open(&map, &path)?;
	report(|out| decode(&image, command.pretty, out))
}

#[inline(never)]
fn run_show(command: &Show) -> Result<u8, Error> {
	let path = ImagePath::new(command.images_dir.as_deref(), command.image.as_deref().or(command.file.as_deref()))?;
	let map = path.map()?;
	let image = open(&map, &path)?;
	report(|out| if command.json { overview(&image, out) } else { tree(&image, command.all, out) })
}

fn one_of<T: Copy>(option: &str, given: &str, choices: &[(&str, T)]) -> Result<T, Error> {
	match choices.iter().find(|(name, _)| *name == given) {
		Some((_, choice)) => Ok(*choice),
		None => Err(Fault::Usage(Why::NoSuchChoice)).at(format_args!("{option} {}", Shown(given.as_bytes()))),
	}
}

/// The values of a repeated option, each as `each` reads it.
fn all<T>(
	option: &str,
	values: &[cli::Text],
	each: impl Fn(&'static str) -> Result<T, Why>,
) -> Result<heapless::Vec<T, OPTIONS>, Error> {
	let mut all = heapless::Vec::new();
	for cli::Text(value) in values {
		let place = format_args!("{option} {}", Shown(value.as_bytes()));
		let read = each(value).map_err(Fault::Usage).at(place)?;
		all.push(read).map_err(|_| Fault::full(Limit::Options, values.len())).at(place)?;
	}
	Ok(all)
}

fn pids(values: &[cli::Text]) -> Result<heapless::Vec<u32, OPTIONS>, Error> {
	all("-t", values, |value| number32(value.as_bytes()).ok_or(Why::NotAPid))
}

fn texts(values: &[cli::Text]) -> Result<heapless::Vec<&'static [u8], OPTIONS>, Error> {
	all("arguments:", values, |value| Ok(value.as_bytes()))
}

/// `OLD:NEW`.
fn pairs(values: &[cli::Text]) -> Result<heapless::Vec<Pair, OPTIONS>, Error> {
	let number = |text: &str| number32(text.as_bytes());
	all("--pid-map", values, |value| {
		let pair = value.split_once(':').and_then(|(old, new)| Some((number(old)?, number(new)?)));
		pair.ok_or(Why::BadPidMap)
	})
}

#[inline(never)]
fn run_restore(command: &Restore, messages: &mut Messages) -> Result<u8, Error> {
	let path = ImagePath::new(command.images_dir.as_deref(), command.image.as_deref())?;
	let mode = &command.manage_cgroups;
	let place = format_args!("--manage-cgroups {}", Shown(mode.as_bytes()));
	let request = restore::Request {
		mode: Mode::parse(mode).ok_or(Fault::Usage(Why::NoSuchChoice)).at(place)?,
		phases: Phases::parse(&command.phase).at(format_args!("--phase {}", Shown(command.phase.as_bytes())))?,
		roots: &texts(&command.roots)?,
		pid_map: &pairs(&command.pid_map)?,
		skip_missing: command.skip_missing,
		rollback: !command.no_rollback,
	};
	let map = path.map()?;
	let image = open(&map, &path)?;
	let mut space = RESTORE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
	let outcome = restore(&image, &request, &mut space, messages)?;
	let Counts { created, found, written, right, skipped, joined } = outcome.counts;
	if outcome.code == 0 || outcome.code == 6 {
		messages.sum_up(format_args!(
			"restored: groups created {created}, found {found}, values written {written}, already right {right}, \
			 skipped {skipped}, tasks joined {joined}"
		));
	}
	Ok(outcome.code)
}

#[inline(never)]
fn run_verify(command: &Verify, messages: &mut Messages) -> Result<u8, Error> {
	let path = ImagePath::new(command.images_dir.as_deref(), command.image.as_deref())?;
	let roots = texts(&command.roots)?;
	let map = path.map()?;
	let image = open(&map, &path)?;
	let mut space = RESTORE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
	let mut buffer = [0; REPORT_BYTES];
	let mut out = stream::Text::new(stream::Target::Out, &mut buffer);
	let mut tell = |place: std::fmt::Arguments<'_>, image: &[u8], host: &[u8]| {
		let _ = writeln!(out, "{place}: the image has {}, this host has {}", Shown(image), Shown(host));
	};
	let differences = verify(&image, &roots, &mut space, messages, &mut tell)?;
	flushed(&mut out)?;
	Ok(if differences == 0 { 0 } else { 6 })
}

#[inline(never)]
fn run_dump(command: &Dump, messages: &mut Messages) -> Result<u8, Error> {
	let path = ImagePath::new(command.images_dir.as_deref(), command.image.as_deref())?;
	let wanted = one_of("--properties", &command.properties, &[("all", Wanted::All), ("criu", Wanted::Criu)])?;
	let layout = one_of("--layout", &command.layout, &[("criu", Layout::Criu), ("rfc", Layout::Rfc)])?;
	let (pids, groups) = (pids(&command.pids)?, texts(&command.groups)?);
	let asked = [!pids.is_empty(), !groups.is_empty(), command.all].iter().filter(|asked| **asked).count();
	if asked != 1 {
		let why = Why::OneOfThree;
		return Err(Fault::Usage(why)).at(format_args!("dump"));
	}
	let request = Request {
		pids: &pids,
		groups: &groups,
		all: command.all,
		choice: Choice { wanted, ancestors: !command.no_ancestors },
		tasks: !command.no_tasks,
		layout,
		output: path.path(),
	};
	let mut space = DUMP.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
	let summary = checkpoint(&request, &mut space, messages)?;
	if summary.left_out > 0 {
		messages.warn(format_args!(
			"the rfc layout has no field for {} values and tasks: they are left out",
			summary.left_out
		));
	}
	let shown = Shown(path.path().unwrap_or(b"standard output"));
	messages.info(format_args!(
		"dumped: groups {}, tasks {}; {} bytes to {shown}",
		summary.groups, summary.tasks, summary.bytes
	));
	Ok(0)
}
