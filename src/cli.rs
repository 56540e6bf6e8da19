//! The command line as typed, and what it means: CRIU's names and meanings wherever CRIU has one.

use core::cell::RefCell;
use core::ops::Deref;

/// What was typed for an option; it stays until the process ends. One type for all options: argh's code is made anew
/// for each type.
#[derive(Clone, Copy)]
pub struct Text(pub &'static str);

impl Deref for Text {
	type Target = str;

	fn deref(&self) -> &str {
		self.0
	}
}

/// What `--help` prints; its columns are set by tabs.
pub const HELP: &str = include_str!("help.txt");

/// One set of options for all commands, each once; the table below has their names and which command has which.
#[derive(Default)]
pub struct Cli {
	/// the command, and for show, decode and diff the files of images behind it
	pub words: Vec<Text>,
	/// print the version and exit
	pub version: bool,
	/// messages: 0 none, 1 errors, 2 warnings (default), 3 information, 4 everything; -v, -vvv and -v4 work
	pub verbosity: Option<Text>,
	/// write messages to this file instead of standard error
	pub log_file: Option<Text>,
	/// folder of the image (FOLDER/cgroup.img), for restore also of CRIU's dump with its tasks
	pub images_dir: Option<Text>,
	/// the image's file; - is standard input or output (default: ./cgroup.img)
	pub image: Option<Text>,
	/// use the hierarchies that are mounted in this folder, and no others
	pub yard: Option<Text>,
	/// dump: root of a process tree; attach: a process; repeatable
	pub pids: Vec<Text>,
	/// dump: a group and everything below it, [CTRL:]PATH; repeatable
	pub groups: Vec<Text>,
	/// dump: every group and task of this host; show: values that are defaults as well
	pub all: bool,
	/// dump: all (default), or criu: only what CRIU saves
	pub properties: Option<Text>,
	/// dump: lists of properties to save, in CRIU's form; repeatable
	pub props: Vec<Text>,
	/// dump: the same from a file; repeatable
	pub props_files: Vec<Text>,
	/// dump: only this hierarchy; repeatable
	pub controllers: Vec<Text>,
	/// dump: leave out the groups above those that are dumped
	pub no_ancestors: bool,
	/// dump: leave out the list of tasks
	pub no_tasks: bool,
	/// dump: criu (default), or rfc: the layout of CRIU's first cgroup patch, which knows two properties
	pub layout: Option<Text>,
	/// restore: none, props, soft, full (default), strict or ignore, as in CRIU
	pub manage_cgroups: Option<Text>,
	/// restore: some of create,join,limit,freeze (default: all)
	pub phase: Option<Text>,
	/// restore, verify: the groups of a hierarchy, or of all, are below this group: [CTRL:]PATH; repeatable
	pub roots: Vec<Text>,
	/// restore, verify, attach, exec: the same for each hierarchy, from where this process is
	pub like: Option<Text>,
	/// restore: a process of the image and the running one that takes its place, OLD:NEW; repeatable
	pub pid_map: Vec<Text>,
	/// restore: the same from a file, one a line
	pub pid_map_file: Option<Text>,
	/// restore: tasks have the numbers of the image in the pid namespace of this process
	pub pidns: Option<Text>,
	/// restore, verify: who owns here what OLD owned, OLD=NEW or FIRST-LAST=NEW; repeatable
	pub uid_map: Vec<Text>,
	/// restore, verify: the same for groups of users; repeatable
	pub gid_map: Vec<Text>,
	/// attach, exec: the number of a set of the image (default: that of its first task, or the only one)
	pub set: Option<Text>,
	/// restore, attach, exec: leave out values, files and hierarchies that this host does not have, count them, and exit with 6
	pub skip_missing: bool,
	/// restore: as --skip-missing, and cut lists of CPUs and memory nodes to what this host has
	pub fit: bool,
	/// restore: tasks have the numbers of the image, and are the same if their names are
	pub same_pids: bool,
	/// restore: leave what was done before a failure
	pub no_rollback: bool,
	/// restore: read back every value, not one of each kind of new groups
	pub read_all: bool,
	/// restore: keep what is changed in this file, for undo
	pub journal: Option<Text>,
	/// restore: change nothing, print the steps that would be made
	pub dry_run: bool,
	/// show, verify, diff, check: print JSON for programs
	pub json: bool,
	/// decode: indent by four, as crit's --pretty
	pub pretty: bool,
	/// Rows of the table that were typed.
	given: Vec<usize>,
}

/// Commands as bits.
const ANY: u16 = !0;
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
		let row = (0..ROWS.len()).find(|row| ROWS[*row].1 & command == 0 && self.given.contains(row))?;
		Some(if matches!(NAMES[row].0, "-i" | "--image" | "-D" | "--images-dir") { "-i or -D" } else { NAMES[row].0 })
	}
}

/// Where the value of an option goes.
enum Slot<'c> {
	One(&'c mut Option<Text>),
	Many(&'c mut Vec<Text>),
	Flag(&'c mut bool),
}

/// What argh has to know of a [`Slot`]: whether a value follows. Its places of [`Filled`].
enum Kind {
	One,
	Many,
	Flag,
}

macro_rules! options {
	($($name:literal $slot:ident $field:ident: $owners:expr;)*) => {
		/// All names, as argh takes them.
		static NAMES: &[(&str, usize)] = &[$(($name, Kind::$slot as usize)),*];
		/// The field of each, and the commands that have it.
		static ROWS: &[(fn(&mut Cli) -> Slot<'_>, u16)] = &[$((|cli| Slot::$slot(&mut cli.$field), $owners)),*];
	};
}

options! {
	"-V" Flag version: ANY;
	"--version" Flag version: ANY;
	"--verbosity" One verbosity: ANY;
	"-o" One log_file: ANY;
	"--log-file" One log_file: ANY;
	"--cgroup-yard" One yard: DUMP | RESTORE | VERIFY | ATTACH | EXEC | UNDO | CHECK;
	"-t" Many pids: DUMP | ATTACH;
	"--tree" Many pids: DUMP | ATTACH;
	"--cgroup" Many groups: DUMP;
	"--all" Flag all: DUMP | SHOW;
	"--properties" One properties: DUMP;
	"--cgroup-props" Many props: DUMP;
	"--cgroup-props-file" Many props_files: DUMP;
	"--cgroup-dump-controller" Many controllers: DUMP;
	"--no-ancestors" Flag no_ancestors: DUMP;
	"--no-tasks" Flag no_tasks: DUMP;
	"--layout" One layout: DUMP;
	"--manage-cgroups" One manage_cgroups: RESTORE | CHECK;
	"--phase" One phase: RESTORE | CHECK;
	"--cgroup-root" Many roots: RESTORE | VERIFY | ATTACH | EXEC | CHECK;
	"--like" One like: RESTORE | VERIFY | ATTACH | EXEC | CHECK;
	"--pid-map" Many pid_map: RESTORE | CHECK;
	"--pid-map-file" One pid_map_file: RESTORE | CHECK;
	"--pidns" One pidns: RESTORE | CHECK;
	"--uid-map" Many uid_map: RESTORE | VERIFY | CHECK;
	"--gid-map" Many gid_map: RESTORE | VERIFY | CHECK;
	"--set" One set: ATTACH | EXEC;
	"--skip-missing" Flag skip_missing: RESTORE | ATTACH | EXEC | CHECK;
	"--fit" Flag fit: RESTORE | CHECK;
	"--same-pids" Flag same_pids: RESTORE | CHECK;
	"--no-rollback" Flag no_rollback: RESTORE;
	"--read-all" Flag read_all: RESTORE;
	"--journal" One journal: RESTORE;
	"--dry-run" Flag dry_run: RESTORE;
	"--json" Flag json: SHOW | VERIFY | DIFF | CHECK;
	"--pretty" Flag pretty: DECODE;
	"-D" One images_dir: !(DIFF | UNDO);
	"--images-dir" One images_dir: !(DIFF | UNDO);
	"-i" One image: !(DIFF | UNDO);
	"--image" One image: !(DIFF | UNDO);
}

/// What argh fills, by name.
#[derive(Clone, Copy)]
struct Filled<'c>(&'c RefCell<Cli>);

impl Filled<'_> {
	fn put(self, name: &str, value: &str) -> Result<(), String> {
		let cli = &mut *self.0.borrow_mut();
		let row = NAMES.iter().position(|(known, _)| *known == name);
		cli.given.extend(row);
		let slot = match row {
			Some(row) => (ROWS[row].0)(cli),
			None => Slot::Many(&mut cli.words),
		};
		match slot {
			Slot::Flag(flag) => *flag = true,
			Slot::One(Some(_)) => return Err("duplicate values provided".into()),
			Slot::One(slot) => *slot = Some(Text(String::from(value).leak())),
			Slot::Many(slot) => slot.push(Text(String::from(value).leak())),
		}
		Ok(())
	}
}

impl argh::ParseValueSlot for Filled<'_> {
	fn fill_slot(&mut self, name: &str, value: &str) -> Result<(), String> {
		self.put(name, value)
	}
}

impl argh::ParseFlag for Filled<'_> {
	fn set_flag(&mut self, name: &str) {
		let _ = self.put(name, ""); // a flag may be there twice
	}
}

impl argh::FromArgs for Cli {
	/// As argh's derive would have it, but all fields share their code.
	fn from_args(command: &[&str], typed: &[&str]) -> Result<Self, argh::EarlyExit> {
		let cli = RefCell::new(Cli::default());
		let [mut one, mut many, mut flag, mut words] = [Filled(&cli); 4];
		let result = argh::parse_struct_args(
			command,
			typed,
			argh::ParseStructOptions {
				arg_to_slot: NAMES,
				slots: &mut [
					argh::ParseStructOption::Value(&mut one),
					argh::ParseStructOption::Value(&mut many),
					argh::ParseStructOption::Flag(&mut flag),
				],
				help_triggers: &["--help", "help"],
			},
			argh::ParseStructPositionals {
				positionals: &mut [argh::ParseStructPositional { name: "words", slot: &mut words }],
				last_is_repeating: true,
				last_is_greedy: false,
			},
			None,
			&String::new,
		);
		let cli = cli.into_inner();
		match result {
			Ok(()) => Ok(cli),
			Err(exit) => {
				std::mem::forget(cli); // the process ends
				Err(exit)
			}
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use argh::FromArgs;

	#[test]
	fn every_option_of_the_help_is_one() {
		let options: Vec<&str> =
			HELP.split([' ', ',', '\n', '\t']).filter(|word| word.starts_with('-') && word.len() > 1).collect();
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
