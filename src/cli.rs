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

/// What `--help` prints; its columns are set by tabs.
pub const HELP: &str = include_str!("help.txt");

/// One set of options for all commands, each once; [`Cli::misplaced`] knows which command has which.
#[derive(FromArgs)]
pub struct Cli {
	/// the command, and for show, decode and diff the files of images behind it
	#[argh(positional)]
	pub words: Vec<Text>,
	/// print the version and exit
	#[argh(switch, short = 'V')]
	pub version: bool,
	/// messages: 0 none, 1 errors, 2 warnings (default), 3 information, 4 everything; -v, -vvv and -v4 work
	#[argh(option)]
	pub verbosity: Option<Text>,
	/// write messages to this file instead of standard error
	#[argh(option, short = 'o')]
	pub log_file: Option<Text>,
	/// folder of the image (FOLDER/cgroup.img), for restore also of CRIU's dump with its tasks
	#[argh(option, short = 'D')]
	pub images_dir: Option<Text>,
	/// the image's file; - is standard input or output (default: ./cgroup.img)
	#[argh(option, short = 'i')]
	pub image: Option<Text>,
	/// use the hierarchies that are mounted in this folder, and no others
	#[argh(option, long = "cgroup-yard")]
	pub yard: Option<Text>,
	/// dump: root of a process tree; attach: a process; repeatable
	#[argh(option, short = 't', long = "tree")]
	pub pids: Vec<Text>,
	/// dump: a group and everything below it, [CTRL:]PATH; repeatable
	#[argh(option, long = "cgroup")]
	pub groups: Vec<Text>,
	/// dump: every group and task of this host; show: values that are defaults as well
	#[argh(switch)]
	pub all: bool,
	/// dump: all (default), or criu: only what CRIU saves
	#[argh(option)]
	pub properties: Option<Text>,
	/// dump: lists of properties to save, in CRIU's form; repeatable
	#[argh(option, long = "cgroup-props")]
	pub props: Vec<Text>,
	/// dump: the same from a file; repeatable
	#[argh(option, long = "cgroup-props-file")]
	pub props_files: Vec<Text>,
	/// dump: only this hierarchy; repeatable
	#[argh(option, long = "cgroup-dump-controller")]
	pub controllers: Vec<Text>,
	/// dump: leave out the groups above those that are dumped
	#[argh(switch)]
	pub no_ancestors: bool,
	/// dump: leave out the list of tasks
	#[argh(switch)]
	pub no_tasks: bool,
	/// dump: criu (default), or rfc: the layout of CRIU's first cgroup patch, which knows two properties
	#[argh(option)]
	pub layout: Option<Text>,
	/// restore: none, props, soft, full (default), strict or ignore, as in CRIU
	#[argh(option)]
	pub manage_cgroups: Option<Text>,
	/// restore: some of create,join,limit,freeze (default: all)
	#[argh(option)]
	pub phase: Option<Text>,
	/// restore, verify: the groups of a hierarchy, or of all, are below this group: [CTRL:]PATH; repeatable
	#[argh(option, long = "cgroup-root")]
	pub roots: Vec<Text>,
	/// restore, verify, attach, exec: a group and all below it have another path here, [CTRL:]OLD=NEW; repeatable
	#[argh(option, long = "map")]
	pub moves: Vec<Text>,
	/// restore, verify, attach, exec: the same for each hierarchy, from where this process is
	#[argh(option)]
	pub like: Option<Text>,
	/// restore: a process of the image and the running one that takes its place, OLD:NEW; repeatable
	#[argh(option, long = "pid-map")]
	pub pid_map: Vec<Text>,
	/// restore: the same from a file, one a line
	#[argh(option, long = "pid-map-file")]
	pub pid_map_file: Option<Text>,
	/// restore: tasks have the numbers of the image in the pid namespace of this process
	#[argh(option)]
	pub pidns: Option<Text>,
	/// restore, verify: who owns here what OLD owned, OLD=NEW or FIRST-LAST=NEW; repeatable
	#[argh(option, long = "uid-map")]
	pub uid_map: Vec<Text>,
	/// restore, verify: the same for groups of users; repeatable
	#[argh(option, long = "gid-map")]
	pub gid_map: Vec<Text>,
	/// restore, verify: other CPUs, OLD=NEW or FIRST-LAST=NEW; repeatable
	#[argh(option, long = "cpu-map")]
	pub cpu_map: Vec<Text>,
	/// restore, verify: the same for memory nodes; repeatable
	#[argh(option, long = "mem-map")]
	pub mem_map: Vec<Text>,
	/// restore, verify: another disk, MAJOR:MINOR=MAJOR:MINOR or MAJOR:MINOR=/dev/NAME; repeatable
	#[argh(option, long = "dev-map")]
	pub dev_map: Vec<Text>,
	/// restore, verify: another network interface, OLD=NEW; repeatable
	#[argh(option, long = "if-map")]
	pub if_map: Vec<Text>,
	/// restore, verify, attach, exec: hierarchies that are here in the other cgroup version: off (default), or auto and choices
	#[argh(option)]
	pub translate: Option<Text>,
	/// restore, verify, attach, exec: with --translate, whose groups count where those of a task differ
	#[argh(option)]
	pub primary: Option<Text>,
	/// attach, exec: the number of a set of the image (default: that of its first task, or the only one)
	#[argh(option)]
	pub set: Option<Text>,
	/// restore, attach, exec: leave out values, files and hierarchies that this host does not have, count them, and exit with 6
	#[argh(switch)]
	pub skip_missing: bool,
	/// restore: as --skip-missing, and cut lists of CPUs and memory nodes to what this host has
	#[argh(switch)]
	pub fit: bool,
	/// restore: tasks have the numbers of the image, and are the same if their names are
	#[argh(switch)]
	pub same_pids: bool,
	/// restore: leave what was done before a failure
	#[argh(switch)]
	pub no_rollback: bool,
	/// restore: read back every value, not one of each kind of new groups
	#[argh(switch)]
	pub read_all: bool,
	/// restore: freeze tasks while they are moved
	#[argh(switch)]
	pub freeze: bool,
	/// restore: keep what is changed in this file, for undo
	#[argh(option)]
	pub journal: Option<Text>,
	/// restore: change nothing, print the steps that would be made
	#[argh(switch)]
	pub dry_run: bool,
	/// show, verify, diff, check: print JSON for programs
	#[argh(switch)]
	pub json: bool,
	/// decode: indent by four, as crit's --pretty
	#[argh(switch)]
	pub pretty: bool,
}

/// Commands as bits.
pub const DUMP: u16 = 1;
pub const RESTORE: u16 = 2;
pub const SHOW: u16 = 4;
pub const DECODE: u16 = 8;
pub const VERIFY: u16 = 16;
pub const DIFF: u16 = 32;
pub const UNDO: u16 = 64;
pub const CHECK: u16 = 128;
pub const ATTACH: u16 = 256;
pub const EXEC: u16 = 512;

impl Cli {
	/// What was given and does not belong to the command.
	pub fn misplaced(&self, command: u16) -> Option<&str> {
		let words = match command {
			SHOW | DECODE | UNDO => 2,
			DIFF => 3,
			_ => 1,
		};
		if let Some(word) = self.words.get(words) {
			return Some(word);
		}
		let given = [
			self.yard.is_some(),
			!self.pids.is_empty(),
			!self.groups.is_empty(),
			self.all,
			self.properties.is_some(),
			!self.props.is_empty(),
			!self.props_files.is_empty(),
			!self.controllers.is_empty(),
			self.no_ancestors,
			self.no_tasks,
			self.layout.is_some(),
			self.manage_cgroups.is_some(),
			self.phase.is_some(),
			!self.roots.is_empty(),
			!self.moves.is_empty(),
			self.like.is_some(),
			!self.pid_map.is_empty(),
			self.pid_map_file.is_some(),
			self.pidns.is_some(),
			!self.uid_map.is_empty(),
			!self.gid_map.is_empty(),
			!self.cpu_map.is_empty(),
			!self.mem_map.is_empty(),
			!self.dev_map.is_empty(),
			!self.if_map.is_empty(),
			self.translate.is_some(),
			self.primary.is_some(),
			self.set.is_some(),
			self.skip_missing,
			self.fit,
			self.same_pids,
			self.no_rollback,
			self.read_all,
			self.freeze,
			self.journal.is_some(),
			self.dry_run,
			self.json,
			self.pretty,
			self.image.is_some() || self.images_dir.is_some(),
		];
		let misplaced = |((_, owners), given): &(&(&str, u16), bool)| *given && owners & command == 0;
		OWNERS.iter().zip(given).find(misplaced).map(|((name, _), _)| *name)
	}
}

/// Which commands have an option, in the order of [`Cli::misplaced`].
static OWNERS: [(&str, u16); 39] = [
	("--cgroup-yard", DUMP | RESTORE | VERIFY | ATTACH | EXEC | UNDO | CHECK),
	("-t", DUMP | ATTACH),
	("--cgroup", DUMP),
	("--all", DUMP | SHOW),
	("--properties", DUMP),
	("--cgroup-props", DUMP),
	("--cgroup-props-file", DUMP),
	("--cgroup-dump-controller", DUMP),
	("--no-ancestors", DUMP),
	("--no-tasks", DUMP),
	("--layout", DUMP),
	("--manage-cgroups", RESTORE | CHECK),
	("--phase", RESTORE | CHECK),
	("--cgroup-root", RESTORE | VERIFY | ATTACH | EXEC | CHECK),
	("--map", RESTORE | VERIFY | ATTACH | EXEC | CHECK),
	("--like", RESTORE | VERIFY | ATTACH | EXEC | CHECK),
	("--pid-map", RESTORE | CHECK),
	("--pid-map-file", RESTORE | CHECK),
	("--pidns", RESTORE | CHECK),
	("--uid-map", RESTORE | VERIFY | CHECK),
	("--gid-map", RESTORE | VERIFY | CHECK),
	("--cpu-map", RESTORE | VERIFY | CHECK),
	("--mem-map", RESTORE | VERIFY | CHECK),
	("--dev-map", RESTORE | VERIFY | CHECK),
	("--if-map", RESTORE | VERIFY | CHECK),
	("--translate", RESTORE | VERIFY | ATTACH | EXEC | CHECK),
	("--primary", RESTORE | VERIFY | ATTACH | EXEC | CHECK),
	("--set", ATTACH | EXEC),
	("--skip-missing", RESTORE | ATTACH | EXEC | CHECK),
	("--fit", RESTORE | CHECK),
	("--same-pids", RESTORE | CHECK),
	("--no-rollback", RESTORE),
	("--read-all", RESTORE),
	("--freeze", RESTORE | CHECK),
	("--journal", RESTORE),
	("--dry-run", RESTORE),
	("--json", SHOW | VERIFY | DIFF | CHECK),
	("--pretty", DECODE),
	("-i or -D", !(DIFF | UNDO)),
];

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn every_option_of_the_help_is_one() {
		let lines = HELP.split('\n').filter(|line| !line.starts_with("  $ ")); // tests/manual.sh runs the examples
		let words = lines.flat_map(|line| line.split([' ', ',', '\t']));
		let options: Vec<&str> = words.filter(|word| word.starts_with('-') && word.len() > 1).collect();
		assert!(options.len() > 25);
		for option in options.into_iter().filter(|option| !matches!(*option, "--help" | "-v" | "-vvv" | "-v4")) {
			let refused = ["", "1"].iter().all(|value| {
				let typed: Vec<&str> = [option, value].into_iter().filter(|word| !word.is_empty()).collect();
				Cli::from_args(&["cgraft"], &typed).is_err()
			});
			assert!(!refused, "{option}");
		}
	}
}
