//! Every capacity of cgraft: its unit, where the number comes from, and what the user sees when it is passed.
//!
//! Nothing is ever cut to fit. Passing a limit is [`crate::error::Fault::Full`], which names the limit, what was
//! needed and what to do. The number of groups, tasks and sets has no limit.

use core::fmt;

/// Bytes of one path component. kernfs takes names far above `NAME_MAX`; a path has at most `PATH_MAX` bytes.
pub const NAME_BYTES: usize = 4096;
/// Bytes of a group's path below its hierarchy's root (`PATH_MAX`, limits.h; /proc/PID/cgroup cannot print more).
pub const PATH_BYTES: usize = 4096;
/// Levels of groups below a hierarchy's root. One directory stays open for each of them.
pub const DEPTH: usize = 512;
/// Bytes of one property's value. The longest in the field is an ifpriomap with thousands of interfaces.
pub const VALUE_BYTES: usize = 256 * 1024;
/// Bytes of one line of a /proc file. A mountinfo line holds two octal-escaped paths and two option lists.
pub const LINE_BYTES: usize = 64 * 1024;
/// Hierarchies of a host: the kernel has at most 16 controllers; the rest are named hierarchies.
pub const HIERARCHIES: usize = 48;
/// Bytes of a hierarchy's label: its controllers joined by commas, or `name=` and at most 63 bytes (cgroup-v1).
pub const LABEL_BYTES: usize = 192;
/// Bytes of the mount points and roots of all hierarchies together.
pub const MOUNT_BYTES: usize = 32 * 1024;
/// Files that one group can have and cgraft knows, huge page sizes counted one by one.
pub const FILES: usize = 160;
/// Bytes of `cgroup.controllers`; the kernel has at most 16 controllers.
pub const CONTROLLERS_BYTES: usize = 256;
/// Bytes of one write: kernfs takes at most a page less one byte.
pub const WRITE_BYTES: usize = 4096;
/// Bytes of the name of an extended attribute (`XATTR_NAME_MAX`, limits.h).
pub const ATTRIBUTE_NAME_BYTES: usize = 255;
/// Bytes of the value of an extended attribute (`XATTR_SIZE_MAX`, limits.h).
pub const ATTRIBUTE_BYTES: usize = 64 * 1024;
/// Bytes of the names of all attributes of a group, each with its NUL (`XATTR_LIST_MAX`, limits.h).
pub const ATTRIBUTE_NAMES_BYTES: usize = 64 * 1024;
/// Bytes of a device program: 4096 instructions (`BPF_MAXINSNS` of linux/bpf_common.h) of eight bytes.
pub const DEVICE_PROGRAM_BYTES: usize = 4096 * 8;
/// Bytes of a list of CPUs or memory nodes that was cut to what this host has; a longer one stays as it is.
pub const LIST_TEXT_BYTES: usize = 1024;
/// Disks whose names are kept; more are nameless.
pub const DISKS: usize = 64;
/// Kinds of groups whose files are remembered.
pub const FILE_KINDS: usize = 4;
/// Bytes of the longest text that a normalised value is instead of what was read.
pub const SHORT_BYTES: usize = 8;
/// Bytes of /proc/PID/stat: 52 numbers and a name.
pub const STAT_BYTES: usize = 2048;
/// Bytes of one property's file name.
pub const FILE_BYTES: usize = 128;
/// Bytes that the image writer keeps before it writes them out; a length is patched here while it is still here.
pub const SINK_BYTES: usize = 64 * 1024;
/// Bytes of directory entries read at once; one entry is at most [`NAME_BYTES`] and a header.
pub const LIST_BYTES: usize = 8 * 1024;
/// Bytes of child names that wait to be visited, all levels together.
pub const PENDING_BYTES: usize = 128 * 1024;
/// Values that groups of a kind lack and that are remembered from one of them to the next.
pub const MISSING: usize = 4;
/// Groups that a second thread may have read ahead.
pub const AHEAD_GROUPS: usize = 32;
/// Bytes of the names and values of such a group; one with more is not read ahead.
pub const AHEAD_BYTES: usize = 8 * 1024;
/// Values that a second thread may have to read back.
pub const BACK_VALUES: usize = 64;
/// Bytes of such a value; a longer one is read by the first.
pub const BACK_BYTES: usize = 64;
/// Bytes that a file with such a value may show.
pub const SHORT_TEXT_BYTES: usize = 512;
/// Bytes of the heads of one hierarchy that are kept at a time (more are found by a further pass).
pub const HEAD_BYTES: usize = 64 * 1024;
/// Heads of one hierarchy that are kept at a time.
pub const HEADS: usize = 1024;
/// Sets whose place in the image is remembered; with more, equal sets may be written twice, which is harmless.
pub const KNOWN_SETS: usize = 4096;
/// Processes that wait to be visited.
pub const PENDING_PIDS: usize = 32768;
/// Numbers of processes are below this (`PID_MAX_LIMIT` of linux/threads.h), so there are fewer tasks.
pub const PIDS: u32 = 4 * 1024 * 1024;
/// Bytes of a task's name (`TASK_COMM_LEN` of linux/sched.h without its NUL).
pub const COMM_BYTES: usize = 15;
/// Bytes of a file of `--cgroup-props-file`; the whole text of all files that cgraft knows takes 3 KiB.
pub const PROPS_BYTES: usize = LINE_BYTES - 1;
/// Values of one repeated option (`-t`, `--cgroup`, `--cgroup-root`, `--pid-map`, ...).
pub const OPTIONS: usize = 256;
/// Processes of `--pid-map` and `--pid-map-file`, or of the pid namespace of `--pidns`: 128 KiB; the usual limit of a host
/// is 32768 tasks.
pub const PAIRS: usize = 16 * 1024;
/// Bytes of a line of `--pid-map-file`, most of which would be a comment.
pub const PAIR_LINE_BYTES: usize = 1024;
/// Tasks that were forked since the dump and are looked at together; more take another pass over /proc.
pub const LATE_TASKS: usize = 1024;
/// Bytes of a place in a message (a group and a file); longer ones lose their middle, marked by dots.
pub const PLACE_BYTES: usize = 512;
/// Values that a translation loses, sets and groups that it refuses, that are told one by one; of others the number.
pub const TOLD: u64 = 20;
/// Tasks of a set that are named in a message.
pub const TASKS_TOLD: usize = 8;
/// Bits that say which groups may have tasks, by a hash of their paths.
pub const SPOT_BITS: usize = 512 * 1024;
/// Bytes of the journal that are kept before they are written to its file.
pub const JOURNAL_BYTES: usize = 16 * 1024;
/// Bytes that a record of the journal may take: a path, a file name, an old value and one that is written at once.
pub const RECORD_BYTES: usize = PATH_BYTES + FILE_BYTES + VALUE_BYTES + WRITE_BYTES + 64;
/// Kinds of new groups of which one was read back lately, so that others like it need not be; of more kinds more are read.
pub const READ_KINDS: usize = 8;
/// Bytes of the path of a file from the group above its own; a group whose path is longer is opened.
pub const NEAR_BYTES: usize = 256 + FILE_BYTES;
/// Bytes of the journal that are read at once, to see which groups were made.
pub const JOURNAL_BLOCK_BYTES: usize = 4096;
/// Passes over all values before what still changes is an error.
pub const PASSES: u32 = 8;
/// Looks for processes that were forked meanwhile which find some, before that is an error.
pub const LOOKS: u32 = 64;
/// Milliseconds that tasks have to stop after they were told to.
pub const FREEZE_MS: u32 = 10_000;
/// Hashes by which a dry run finds what it would have changed; more changes than that take it longer.
pub const PLAN_HEADS: usize = 16 * 1024;
/// Bytes of a line of messages that are kept before they are written; longer lines take several writes.
pub const MESSAGE_BYTES: usize = 1024;
/// Bytes copied at once to a pipe, or read at once from one.
pub const PIECE_BYTES: usize = 4 * 1024;
/// Bytes of directory entries read at once where few are expected: of a yard, of threads, of groups up to the first.
pub const SHORT_LIST_BYTES: usize = 1024;
/// Bytes of a disk's uevent file.
pub const UEVENT_BYTES: usize = 512;
/// Bytes of the longest value of cgroup.subtree_control that a translation makes.
pub const SUBTREE_CONTROL_BYTES: usize = 64;
/// Units of systemd that are told; with more, the user has been warned.
pub const UNITS_TOLD: usize = 8;
/// Ranges of set numbers that a report looks for at a time.
pub const SET_RANGES: usize = 128;
/// Slots of the index of a report: 4 KiB.
pub const INDEX_SLOTS: usize = 512;
/// Slots of the keys that a comparison asks for together.
pub const SEEK_SLOTS: usize = 256;
/// Numbers of a list of CPUs or memory nodes, 0 to 16383: kernels are built for at most 8192 CPUs and 1024 nodes. Takes
/// 2 KiB of stack.
pub const LIST_NUMBERS: usize = 16 * 1024;
/// Bytes of arguments, which are copied a few times. They have 2 MiB with the usual stack limit (execve(2)).
pub const ARGUMENT_BYTES: usize = 8 * 1024 * 1024;

// One of an attribute is no longer, and a walk reads names and one value into the buffer of a value.
const _: () = assert!(FILE_BYTES + VALUE_BYTES >= ATTRIBUTE_NAME_BYTES + ATTRIBUTE_BYTES);
const _: () = assert!(VALUE_BYTES >= ATTRIBUTE_NAMES_BYTES + ATTRIBUTE_BYTES);

macro_rules! limits {
	($($name:ident = $text:literal, $number:expr;)*) => {
		/// A capacity that can be passed, for [`crate::error::Fault::Full`].
		#[derive(Clone, Copy, Debug, PartialEq, Eq)]
		#[repr(u8)]
		#[allow(missing_docs)] // the texts say it
		pub enum Limit {
			$($name,)*
		}

		static TEXTS: &str = concat!($($text, "\n",)*);
		static NUMBERS: &[u32] = &[$($number,)*];
	};
}

// What a capacity counts and, where there is any, what to do about it. Where buffers of several sizes are used the
// number is 0: what was needed is then one more than the limit.
limits! {
	Path = "bytes of a path", PATH_BYTES as u32 - 1;
	Options = "values of one option", OPTIONS as u32;
	Pairs = "processes of --pid-map, --pid-map-file or --pidns", PAIRS as u32;
	Depth = "levels of groups", DEPTH as u32;
	GroupPath = "bytes of a group's path", PATH_BYTES as u32;
	GroupName = "bytes of a group's name", NAME_BYTES as u32 - 1;
	OddName = "bytes of a name that is not UTF-8", 0;
	Label = "bytes of a hierarchy's name", LABEL_BYTES as u32;
	FileText = "bytes of one file's text", 0;
	Sets = "sets of an image", u32::MAX;
	SetText = "bytes of one set", LINE_BYTES as u32;
	Record = "bytes of one record of the journal", RECORD_BYTES as u32;
	Waiting = "processes that wait to be visited (dump by --cgroup or --all instead)", PENDING_PIDS as u32;
	TaskHierarchies = "hierarchies of one task", HIERARCHIES as u32;
	Hierarchies = "hierarchies of this host", HIERARCHIES as u32;
	ImageHierarchies = "hierarchies of an image", HIERARCHIES as u32;
	MountText = "bytes of mount roots and options", MOUNT_BYTES as u32;
	Files = "files of one group", FILES as u32;
	Controllers = "bytes of cgroup.controllers", CONTROLLERS_BYTES as u32;
	Pending = "bytes of names of groups that wait", PENDING_BYTES as u32;
	Line = "bytes of one line of a /proc file", 0;
	Unescaped = "bytes of unescaped paths of mountinfo", PATH_BYTES as u32;
	TreeSets = "distinct sets of one dump by -t (use --cgroup or --all)", KNOWN_SETS as u32;
	Chosen = "groups of --cgroup in all hierarchies", OPTIONS as u32;
	Props = "bytes of a file of property lists", PROPS_BYTES as u32;
	Write = "bytes of one write", WRITE_BYTES as u32;
	Value = "bytes of one value", VALUE_BYTES as u32;
	DeviceProgram = "bytes of a device program", DEVICE_PROGRAM_BYTES as u32;
	AttributeNames = "bytes of the names of one group's attributes", ATTRIBUTE_NAMES_BYTES as u32;
	Image = "bytes of an image (its size is a 32-bit number; dump parts of the tree with --cgroup)", u32::MAX;
}

impl Limit {
	/// What it counts, its number, and what was needed.
	pub fn show(self, need: u32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let text = TEXTS.split('\n').nth(self as usize).unwrap_or("");
		let number = NUMBERS[self as usize];
		let number = if number == 0 { need.saturating_sub(1) } else { number };
		write!(f, "{text}: limit {number}, needed {}", need.max(number.saturating_add(1)))
	}
}
