//! Commands as typed in, calls of the library out, and the exit code.

mod differences;
mod entry;
mod grow;
mod options;
mod rewriting;
mod translating;

use std::sync::{Mutex, MutexGuard};

use cgraft::act::walk::Choice;
use cgraft::act::wanted::Lists;
use cgraft::checkpoint::{self, Request, checkpoint};
use cgraft::error::{At, Error, Fault, Why};
use cgraft::image::view::{Image, Layout};
use cgraft::kernel::fenced::{self, Map};
use cgraft::kernel::output::{c_string, read_image};
use cgraft::kernel::stream::{self, Target};
use cgraft::limits::{Limit, PATH_BYTES};
use cgraft::log::{Level, Log};
use cgraft::name::Shown;
use cgraft::property::Selection;
use cgraft::report::decode::decode;
use cgraft::report::overview::overview;
use cgraft::report::tree::tree;
use cgraft::restore;
use cgraft::undo::take_back;

use self::differences::{run_diff, run_verify};
use self::entry::{run_attach, run_exec};
use self::grow::{run_check, run_restore};
use self::options::{SHIFTS, TEXTS, is_second, owners, pid, pids, texts, yard};
use crate::cli::{self, Cli};
use crate::messages::Messages;
use crate::start;

/// All buffers of all commands: one command runs in a process, so nobody else has them.
static DUMP: Mutex<checkpoint::Workspace> = Mutex::new(checkpoint::Workspace::new());
static RESTORE: Mutex<restore::Workspace> = Mutex::new(restore::Workspace::new());

/// The end of a report, which is kept before it is written.
static REPORT: Mutex<[u8; 4 * 1024]> = Mutex::new([0; 4 * 1024]);

/// A command of the library.
type Run = fn(&Cli, &mut Messages) -> Result<u8, Error>;

/// Runs the command; the exit code.
pub fn run(cli: &Cli) -> u8 {
	let level = cli.verbosity.map_or(Level::Warning as u8, |digit| digit.as_bytes()[0] - b'0');
	let mut messages = Messages::new(level);
	if let Some(cli::Text(path)) = cli.log_file
		&& let Err(fault) = c_string::<PATH_BYTES>(path.as_bytes()).and_then(|path| messages.go_to(&path))
	{
		return messages.error(&Error::new(fault, format_args!("-o {path}")));
	}
	match run_command(cli, &mut messages) {
		Ok(code) => code,
		Err(error) => messages.error(&error),
	}
}

fn run_command(cli: &Cli, messages: &mut Messages) -> Result<u8, Error> {
	let Some(cli::Text(command)) = cli.words.first() else {
		return if cli.version {
			print_version()
		} else {
			Err(Fault::Usage(Why::NoCommand)).at(format_args!("arguments"))
		};
	};
	let (bit, run): (u16, Run) = match *command {
		"dump" => (cli::DUMP, run_dump),
		"restore" => (cli::RESTORE, run_restore),
		"check" => (cli::CHECK, run_check),
		"verify" => (cli::VERIFY, run_verify),
		"diff" => (cli::DIFF, run_diff),
		"attach" => (cli::ATTACH, run_attach),
		"exec" => (cli::EXEC, run_exec),
		"undo" => (cli::UNDO, run_undo),
		"show" => (cli::SHOW, run_report),
		"decode" => (cli::DECODE, run_report),
		_ => return Err(Fault::Usage(Why::NoSuchChoice)).at(format_args!("command {}", Shown(command.as_bytes()))),
	};
	let command_there = start::command().filter(|_| bit != cli::EXEC).map(|_| "--");
	if let Some(name) = cli.misplaced(bit).or(command_there) {
		return Err(Fault::Usage(Why::OtherCommand)).at(format_args!("{command} {}", Shown(name.as_bytes())));
	}
	run(cli, messages)
}

fn print_version() -> Result<u8, Error> {
	delivered(stream::write_all(fenced::stdout(), concat!("cgraft ", env!("CARGO_PKG_VERSION"), "\n").as_bytes()))
}

/// The image's file in the folder of `-D`.
static IN_FOLDER: Mutex<heapless::Vec<u8, PATH_BYTES>> = Mutex::new(heapless::Vec::new());

/// `FOLDER/cgroup.img`, FILE, or nothing for standard input or output. Small: it is there as long as its command.
struct ImagePath {
	in_folder: Option<MutexGuard<'static, heapless::Vec<u8, PATH_BYTES>>>,
	file: &'static str,
}

impl ImagePath {
	fn new(cli: &Cli) -> Result<Self, Error> {
		Self::of(cli.images_dir, cli.image.or(cli.words.get(1).copied()))
	}

	fn of(folder: Option<cli::Text>, file: Option<cli::Text>) -> Result<Self, Error> {
		let file_name = file.map_or("cgroup.img", |file| file.0);
		let made = match folder {
			Some(_) if file.is_some() => Err(Fault::Usage(Why::FolderAndFile)),
			Some(cli::Text(folder)) => Self::below(folder),
			None if file_name.len() > PATH_BYTES => Err(Fault::full(Limit::Path, PATH_BYTES + 1)),
			None => Ok(ImagePath { in_folder: None, file: file_name }),
		};
		made.at(format_args!("the image's file"))
	}

	fn below(folder: &str) -> Result<Self, Fault> {
		let mut path = IN_FOLDER.try_lock().unwrap_or_else(|_| unreachable!());
		for piece in [folder, "/cgroup.img"] {
			path.extend_from_slice(piece.as_bytes()).map_err(|_| Fault::full(Limit::Path, PATH_BYTES + 1))?;
		}
		Ok(ImagePath { in_folder: Some(path), file: "" })
	}

	fn path(&self) -> Option<&[u8]> {
		match &self.in_folder {
			Some(path) => Some(path),
			None => (self.file != "-").then_some(self.file.as_bytes()),
		}
	}

	fn shown(&self) -> Shown<'_> {
		Shown(self.path().unwrap_or(b"standard input"))
	}

	#[inline(never)] // its buffer is not there any more when the command begins
	fn map(&self) -> Result<Map, Error> {
		let path = self.path();
		read_image(path).at(format_args!("read {}", Shown(path.unwrap_or(b"the image from standard input"))))
	}
}

fn open<'a>(map: &'a Map, path: &ImagePath) -> Result<Image<'a>, Error> {
	Image::open_mapped(map.bytes(), map).at(format_args!("{}", path.shown()))
}

/// Nobody reading standard output any more is no error.
fn delivered(result: Result<(), Fault>) -> Result<u8, Error> {
	match result {
		Err(Fault::Kernel(cgraft::error::errno::EPIPE)) | Ok(()) => Ok(0),
		Err(fault) => Err(fault).at(format_args!("write to standard output")),
	}
}

/// show and decode.
fn run_report(cli: &Cli, _: &mut Messages) -> Result<u8, Error> {
	let path = ImagePath::new(cli)?;
	let map = path.map()?;
	let image = open(&map, &path)?;
	let mut buffer = REPORT.try_lock().unwrap_or_else(|_| unreachable!());
	let mut out = stream::Text::new(Target::Out, &mut *buffer);
	let written = match cli.words.first().map(|word| word.0) {
		Some("decode") => decode(&image, cli.pretty, &mut out),
		_ if cli.json => overview(&image, &mut out),
		_ => tree(&image, cli.all, &mut out),
	};
	written.at(format_args!("the image"))?;
	delivered(out.flush())
}

fn run_undo(cli: &Cli, messages: &mut Messages) -> Result<u8, Error> {
	let [_, journal] = cli.words[..] else { return Err(Fault::Usage(Why::OneJournal)).at(format_args!("undo")) };
	let mut space = RESTORE.try_lock().unwrap_or_else(|_| unreachable!());
	take_back(journal.0.as_bytes(), yard(cli), &mut space, messages)
}

#[inline(never)] // its buffers are no other command's
fn run_dump(cli: &Cli, messages: &mut Messages) -> Result<u8, Error> {
	let path = ImagePath::new(cli)?;
	let as_criu = is_second("--properties", cli.properties, ["all", "criu"])?;
	let wanted = if as_criu { Selection::criu() } else { Selection::ALL };
	let layout = if is_second("--layout", cli.layout, ["criu", "rfc"])? { Layout::Rfc } else { Layout::Criu };
	let [groups, props, props_files, controllers] = &mut *TEXTS.try_lock().unwrap_or_else(|_| unreachable!());
	let (pids, groups) = (pids(&cli.pids)?, texts(&cli.groups, groups)?);
	if u8::from(!pids.is_empty()) + u8::from(!groups.is_empty()) + u8::from(cli.all) != 1 {
		return Err(Fault::Usage(Why::OneOfThree)).at(format_args!("dump"));
	}
	let request = Request {
		pids: &pids,
		groups,
		all: cli.all,
		choice: Choice { wanted, ancestors: !cli.no_ancestors },
		lists: Lists { texts: texts(&cli.props, props)?, files: texts(&cli.props_files, props_files)? },
		hierarchies: texts(&cli.controllers, controllers)?,
		tasks: !cli.no_tasks,
		layout,
		yard: yard(cli),
		output: path.path(),
	};
	let mut space = DUMP.try_lock().unwrap_or_else(|_| unreachable!());
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
