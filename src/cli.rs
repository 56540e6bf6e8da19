//! The command line as typed, and what it means: CRIU's names and meanings wherever CRIU has one.

use core::convert::Infallible;
use core::ops::Deref;
use core::str::FromStr;

use argh::FromArgs;

/// What was typed for an option; it stays until the process ends. One type for all options: argh's code is made anew
/// for each type.
#[derive(Clone, Copy)]
pub struct Text(pub &'static str);

impl FromStr for Text {
	type Err = Infallible;

	fn from_str(typed: &str) -> Result<Self, Infallible> {
		Ok(Text(String::from(typed).leak()))
	}
}

impl Deref for Text {
	type Target = str;

	fn deref(&self) -> &str {
		self.0
	}
}

/// One set of options for all commands, each once; [`Cli::misplaced`] knows which command has which.
#[derive(FromArgs)]
#[argh(
	usage = "COMMAND [options] [file]",
	description = "Checkpoints control groups into an image and grows them again on another host.

Commands:
  dump     write an image of the groups of process trees (-t), of groups
           (--cgroup) or of the whole host (--all)
  restore  make the groups of an image, put tasks into them, set their limits,
           freeze them; then read everything back
  show     print an image as a tree: groups, limits that are set, members
  decode   print an image as crit does, in JSON
  verify   compare an image with this host and print every difference"
)]
pub struct Cli {
	/// the command, and for show and decode the image's file behind it
	#[argh(positional, arg_name = "command")]
	pub words: Vec<Text>,
	/// print the version and exit
	#[argh(switch, short = 'V')]
	pub version: bool,
	/// messages: 0 none, 1 errors, 2 warnings (default), 3 information, 4 everything; -v, -vvv and -v4 work
	#[argh(option)]
	pub verbosity: Option<Text>,
	/// write messages to this file instead of standard error
	#[argh(option, short = 'o', arg_name = "file")]
	pub log_file: Option<Text>,
	/// folder of the image (FOLDER/cgroup.img)
	#[argh(option, short = 'D', arg_name = "folder")]
	pub images_dir: Option<Text>,
	/// the image's file; - is standard input or output (default: ./cgroup.img)
	#[argh(option, short = 'i', arg_name = "file")]
	pub image: Option<Text>,
	/// dump: root of a process tree; may be repeated
	#[argh(option, short = 't', long = "tree", arg_name = "pid")]
	pub pids: Vec<Text>,
	/// dump: a group and everything below it, [CTRL:]PATH; may be repeated
	#[argh(option, long = "cgroup", arg_name = "group")]
	pub groups: Vec<Text>,
	/// dump: every group and task of this host; show: values that are defaults as well
	#[argh(switch)]
	pub all: bool,
	/// dump: all (default), or criu: only what CRIU saves
	#[argh(option, arg_name = "which")]
	pub properties: Option<Text>,
	/// dump: leave out the groups above those that are dumped
	#[argh(switch)]
	pub no_ancestors: bool,
	/// dump: leave out the list of tasks
	#[argh(switch)]
	pub no_tasks: bool,
	/// dump: criu (default), or rfc: the layout of CRIU's first cgroup patch, which knows two properties
	#[argh(option, arg_name = "layout")]
	pub layout: Option<Text>,
	/// restore: none, props, soft, full (default), strict or ignore, as in CRIU
	#[argh(option, arg_name = "mode")]
	pub manage_cgroups: Option<Text>,
	/// restore: some of create,join,limit,freeze (default: all)
	#[argh(option, arg_name = "phases")]
	pub phase: Option<Text>,
	/// restore, verify: the groups of a hierarchy, or of all, are below this group: [CTRL:]PATH; may be repeated
	#[argh(option, long = "cgroup-root", arg_name = "group")]
	pub roots: Vec<Text>,
	/// restore: a process of the image and the running one that takes its place, OLD:NEW; may be repeated
	#[argh(option, long = "pid-map", arg_name = "old:new")]
	pub pid_map: Vec<Text>,
	/// restore: leave out values, files and hierarchies that this host does not have, count them, and exit with 6
	#[argh(switch)]
	pub skip_missing: bool,
	/// restore: leave what was done before a failure
	#[argh(switch)]
	pub no_rollback: bool,
	/// restore: read back every value, not one of each kind of new groups
	#[argh(switch)]
	pub read_all: bool,
	/// show: print JSON for programs
	#[argh(switch)]
	pub json: bool,
	/// decode: indent by four, as crit's --pretty
	#[argh(switch)]
	pub pretty: bool,
}

impl Cli {
	/// What was given and does not belong to the command.
	pub fn misplaced(&self, command: &str) -> Option<&str> {
		let (dump, restore, show) = (command == "dump", command == "restore", command == "show");
		let (decode, verify) = (command == "decode", command == "verify");
		if let Some(word) = self.words.get(if show || decode { 2 } else { 1 }) {
			return Some(word);
		}
		let given = [
			(dump, !self.pids.is_empty(), "-t"),
			(dump, !self.groups.is_empty(), "--cgroup"),
			(dump || show, self.all, "--all"),
			(dump, self.properties.is_some(), "--properties"),
			(dump, self.no_ancestors, "--no-ancestors"),
			(dump, self.no_tasks, "--no-tasks"),
			(dump, self.layout.is_some(), "--layout"),
			(restore, self.manage_cgroups.is_some(), "--manage-cgroups"),
			(restore, self.phase.is_some(), "--phase"),
			(restore || verify, !self.roots.is_empty(), "--cgroup-root"),
			(restore, !self.pid_map.is_empty(), "--pid-map"),
			(restore, self.skip_missing, "--skip-missing"),
			(restore, self.no_rollback, "--no-rollback"),
			(restore, self.read_all, "--read-all"),
			(show, self.json, "--json"),
			(decode, self.pretty, "--pretty"),
		];
		given.into_iter().find(|(belongs, given, _)| *given && !belongs).map(|(_, _, name)| name)
	}
}
