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

/// Checkpoints control groups into an image and grows them again on another host.
#[derive(FromArgs)]
pub struct Cli {
	/// print the version and exit
	#[argh(switch, short = 'V')]
	pub version: bool,
	/// messages: 0 none, 1 errors, 2 warnings (default), 3 information, 4 everything; -v, -vvv and -v4 work
	#[argh(option)]
	pub verbosity: Option<Text>,
	/// write messages to this file instead of standard error
	#[argh(option, short = 'o', arg_name = "file")]
	pub log_file: Option<Text>,
	#[argh(subcommand)]
	pub command: Option<Command>,
}

#[derive(FromArgs)]
#[argh(subcommand)]
pub enum Command {
	Dump(Dump),
	Restore(Restore),
	Show(Show),
	Decode(Decode),
	Verify(Verify),
}

/// Write an image of the groups of process trees (-t), of groups (--cgroup) or of the whole host (--all).
#[derive(FromArgs)]
#[argh(subcommand, name = "dump")]
pub struct Dump {
	/// root of a process tree; may be repeated
	#[argh(option, short = 't', long = "tree", arg_name = "pid")]
	pub pids: Vec<Text>,
	/// a group and everything below it, [CTRL:]PATH; may be repeated
	#[argh(option, long = "cgroup", arg_name = "group")]
	pub groups: Vec<Text>,
	/// every group and task of this host
	#[argh(switch)]
	pub all: bool,
	/// folder of the image (FOLDER/cgroup.img)
	#[argh(option, short = 'D', arg_name = "folder")]
	pub images_dir: Option<Text>,
	/// the image's file; - is standard output (default: ./cgroup.img)
	#[argh(option, short = 'i', arg_name = "file")]
	pub image: Option<Text>,
	/// all (default), or criu: only what CRIU saves
	#[argh(option, default = "Text(\"all\")", arg_name = "which")]
	pub properties: Text,
	/// leave out the groups above those that are dumped
	#[argh(switch)]
	pub no_ancestors: bool,
	/// leave out the list of tasks
	#[argh(switch)]
	pub no_tasks: bool,
	/// criu (default), or rfc: the layout of CRIU's first cgroup patch, which knows two properties
	#[argh(option, default = "Text(\"criu\")", arg_name = "layout")]
	pub layout: Text,
}

/// Make the groups of an image, put tasks into them, set their limits, freeze them; then read everything back.
#[derive(FromArgs)]
#[argh(subcommand, name = "restore")]
pub struct Restore {
	/// folder of the image (FOLDER/cgroup.img)
	#[argh(option, short = 'D', arg_name = "folder")]
	pub images_dir: Option<Text>,
	/// the image's file; - is standard input (default: ./cgroup.img)
	#[argh(option, short = 'i', arg_name = "file")]
	pub image: Option<Text>,
	/// none, props, soft, full (default), strict or ignore, as in CRIU
	#[argh(option, default = "Text(\"full\")", arg_name = "mode")]
	pub manage_cgroups: Text,
	/// some of create,join,limit,freeze (default: all)
	#[argh(option, default = "Text(\"create,join,limit,freeze\")", arg_name = "phases")]
	pub phase: Text,
	/// put the groups of a hierarchy, or of all, below this group: [CTRL:]PATH; may be repeated
	#[argh(option, long = "cgroup-root", arg_name = "group")]
	pub roots: Vec<Text>,
	/// a process of the image and the running one that takes its place, OLD:NEW; may be repeated
	#[argh(option, long = "pid-map", arg_name = "old:new")]
	pub pid_map: Vec<Text>,
	/// leave out values, files and hierarchies that this host does not have, count them, and exit with 6
	#[argh(switch)]
	pub skip_missing: bool,
	/// leave what was done before a failure
	#[argh(switch)]
	pub no_rollback: bool,
}

/// Print an image as a tree: groups, limits that are set, members.
#[derive(FromArgs)]
#[argh(subcommand, name = "show")]
pub struct Show {
	/// folder of the image (FOLDER/cgroup.img)
	#[argh(option, short = 'D', arg_name = "folder")]
	pub images_dir: Option<Text>,
	/// the image's file; - is standard input (default: ./cgroup.img)
	#[argh(option, short = 'i', arg_name = "file")]
	pub image: Option<Text>,
	/// print JSON for programs
	#[argh(switch)]
	pub json: bool,
	/// print values that are defaults as well
	#[argh(switch)]
	pub all: bool,
	/// the image's file
	#[argh(positional)]
	pub file: Option<Text>,
}

/// Print an image as crit does, in JSON.
#[derive(FromArgs)]
#[argh(subcommand, name = "decode")]
pub struct Decode {
	/// folder of the image (FOLDER/cgroup.img)
	#[argh(option, short = 'D', arg_name = "folder")]
	pub images_dir: Option<Text>,
	/// the image's file; - is standard input (default: ./cgroup.img)
	#[argh(option, short = 'i', arg_name = "file")]
	pub image: Option<Text>,
	/// indent by four, as crit's --pretty
	#[argh(switch)]
	pub pretty: bool,
	/// the image's file
	#[argh(positional)]
	pub file: Option<Text>,
}

/// Compare an image with this host and print every difference.
#[derive(FromArgs)]
#[argh(subcommand, name = "verify")]
pub struct Verify {
	/// folder of the image (FOLDER/cgroup.img)
	#[argh(option, short = 'D', arg_name = "folder")]
	pub images_dir: Option<Text>,
	/// the image's file; - is standard input (default: ./cgroup.img)
	#[argh(option, short = 'i', arg_name = "file")]
	pub image: Option<Text>,
	/// compare with groups below this group: [CTRL:]PATH; may be repeated
	#[argh(option, long = "cgroup-root", arg_name = "group")]
	pub roots: Vec<Text>,
}
