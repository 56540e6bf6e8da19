//! The command line as typed, and what it means: CRIU's names and meanings wherever CRIU has one.

use argh::FromArgs;

/// Checkpoints control groups into an image and grows them again on another host.
#[derive(FromArgs)]
pub struct Cli {
	/// print the version and exit
	#[argh(switch, short = 'V')]
	pub version: bool,
	/// messages: 0 none, 1 errors, 2 warnings (default), 3 information, 4 everything; -v, -vvv and -v4 work
	#[argh(option, default = "2")]
	pub verbosity: u8,
	/// write messages to this file instead of standard error
	#[argh(option, short = 'o', arg_name = "file")]
	pub log_file: Option<String>,
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
	pub pids: Vec<u32>,
	/// a group and everything below it, [CTRL:]PATH; may be repeated
	#[argh(option, long = "cgroup", arg_name = "group")]
	pub groups: Vec<String>,
	/// every group and task of this host
	#[argh(switch)]
	pub all: bool,
	/// folder of the image (FOLDER/cgroup.img)
	#[argh(option, short = 'D', arg_name = "folder")]
	pub images_dir: Option<String>,
	/// the image's file; - is standard output (default: ./cgroup.img)
	#[argh(option, short = 'i', arg_name = "file")]
	pub image: Option<String>,
	/// all (default), or criu: only what CRIU saves
	#[argh(option, default = "String::from(\"all\")", arg_name = "which")]
	pub properties: String,
	/// leave out the groups above those that are dumped
	#[argh(switch)]
	pub no_ancestors: bool,
	/// leave out the list of tasks
	#[argh(switch)]
	pub no_tasks: bool,
	/// criu (default), or rfc: the layout of CRIU's first cgroup patch, which knows two properties
	#[argh(option, default = "String::from(\"criu\")", arg_name = "layout")]
	pub layout: String,
}

/// Make the groups of an image, put tasks into them, set their limits, freeze them; then read everything back.
#[derive(FromArgs)]
#[argh(subcommand, name = "restore")]
pub struct Restore {
	/// folder of the image (FOLDER/cgroup.img)
	#[argh(option, short = 'D', arg_name = "folder")]
	pub images_dir: Option<String>,
	/// the image's file; - is standard input (default: ./cgroup.img)
	#[argh(option, short = 'i', arg_name = "file")]
	pub image: Option<String>,
	/// none, props, soft, full (default), strict or ignore, as in CRIU
	#[argh(option, default = "String::from(\"full\")", arg_name = "mode")]
	pub manage_cgroups: String,
	/// some of create,join,limit,freeze (default: all)
	#[argh(option, default = "String::from(\"create,join,limit,freeze\")", arg_name = "phases")]
	pub phase: String,
	/// put the groups of a hierarchy, or of all, below this group: [CTRL:]PATH; may be repeated
	#[argh(option, long = "cgroup-root", arg_name = "group")]
	pub roots: Vec<String>,
	/// a process of the image and the running one that takes its place, OLD:NEW; may be repeated
	#[argh(option, long = "pid-map", arg_name = "old:new")]
	pub pid_map: Vec<String>,
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
	pub images_dir: Option<String>,
	/// the image's file; - is standard input (default: ./cgroup.img)
	#[argh(option, short = 'i', arg_name = "file")]
	pub image: Option<String>,
	/// print JSON for programs
	#[argh(switch)]
	pub json: bool,
	/// print values that are defaults as well
	#[argh(switch)]
	pub all: bool,
	/// the image's file
	#[argh(positional)]
	pub file: Option<String>,
}

/// Print an image as crit does, in JSON.
#[derive(FromArgs)]
#[argh(subcommand, name = "decode")]
pub struct Decode {
	/// folder of the image (FOLDER/cgroup.img)
	#[argh(option, short = 'D', arg_name = "folder")]
	pub images_dir: Option<String>,
	/// the image's file; - is standard input (default: ./cgroup.img)
	#[argh(option, short = 'i', arg_name = "file")]
	pub image: Option<String>,
	/// indent by four, as crit's --pretty
	#[argh(switch)]
	pub pretty: bool,
	/// the image's file
	#[argh(positional)]
	pub file: Option<String>,
}

/// Compare an image with this host and print every difference.
#[derive(FromArgs)]
#[argh(subcommand, name = "verify")]
pub struct Verify {
	/// folder of the image (FOLDER/cgroup.img)
	#[argh(option, short = 'D', arg_name = "folder")]
	pub images_dir: Option<String>,
	/// the image's file; - is standard input (default: ./cgroup.img)
	#[argh(option, short = 'i', arg_name = "file")]
	pub image: Option<String>,
	/// compare with groups below this group: [CTRL:]PATH; may be repeated
	#[argh(option, long = "cgroup-root", arg_name = "group")]
	pub roots: Vec<String>,
}
