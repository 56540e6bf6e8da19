//! Every sentence that says what is wrong, once: a fault carries its number, so that it fits a register.

macro_rules! reasons {
	($($name:ident = $text:literal,)*) => {
		/// A reason; its text is for people.
		#[derive(Clone, Copy, Debug, PartialEq, Eq)]
		#[repr(u8)]
		#[allow(missing_docs)] // the texts say it
		pub enum Why {
			$($name,)*
		}

		/// One text: a table of them would take as much again for where each begins and ends.
		static TEXTS: &str = concat!($($text, "\n",)*);
	};
}

impl Why {
	/// The sentence, without a full stop.
	pub fn text(self) -> &'static str {
		TEXTS.split('\n').nth(self as usize).unwrap_or("")
	}
}

reasons! {
	// What a text of /proc or of a file of our own should have been.
	ReadBack = "the whole image: it was changed meanwhile",
	ParentId = "the number of a parent mount in mountinfo",
	MountId = "the number of a mount in mountinfo",
	MountOptions = "source and options of a cgroup mount",
	MountFields = "six fields and a lone - in a line of mountinfo",
	ControllerLine = "name, hierarchy, groups and 0 or 1 in a line of /proc/cgroups",
	OwnFile = "more bytes in a file of our own",
	MountDevice = "major:minor in mountinfo",
	ChildId = "ids of tasks in /proc/PID/task/TID/children",
	MembershipLine = "id:controllers:/path in /proc/PID/cgroup",
	StatLine = "id (command) state and 19 numbers in /proc/PID/stat",
	JournalRecord = "a whole record of the journal",
	// Why a journal is none, or none for here.
	NoJournal = "it is no journal of this version",
	JournalSum = "no restore wrote this",
	NoBootId = "the id of this boot cannot be read",
	JournalInUse = "another cgraft is using the journal",
	JournalThere = "it is that of another restore: `cgraft undo` it, or remove the file",
	JournalPlace = "it is from another cgroup or pid namespace: run cgraft there",
	ChangedSince = "somebody changed it since",
	LyingSource = "a source that gives no more bytes than asked for",
	OldSet = "a set: the image was changed meanwhile",
	MountRoot = "a root that begins with / in mountinfo",
	RegularFile = "a regular file",
	NameWithoutNul = "a name without a NUL byte",
	MountPoint = "a mount point that begins with / in mountinfo",
	HierarchyName = "a hierarchy's name of at most 63 bytes",
	NameEmpty = "a group's name, found none",
	NameSlash = "a group's name, found a slash in it",
	NameNewline = "a group's name, found a newline in it",
	NameNul = "a group's name, found a NUL byte in it",
	NameDots = "a group's name, found . or ..",
	// What is wrong with an image.
	NotAnImage = "this is not a cgroup image",
	CutInHeader = "the file ends in its header",
	CutOff = "the file is cut off",
	BytesFollow = "bytes follow the end of the image",
	AfterChecksum = "something follows the checksum",
	BadChecksum = "the checksum does not match",
	NoChecksum = "the checksum at its end is missing",
	SetWithoutId = "a set has no id",
	MemberWithoutName = "a membership has no name",
	MemberWithoutPath = "a membership has no path",
	HierarchyWithoutName = "a hierarchy does not begin with its names",
	GroupWithoutName = "a group does not begin with its name",
	PropertyWithoutName = "a property has no name",
	PropertyWithoutValue = "a property has no value",
	AttributeIncomplete = "an extended attribute has no name or no value",
	PermsIncomplete = "an owner or mode is incomplete",
	TaskIncomplete = "a task is incomplete",
	NumberForText = "a number stands where text or a message belongs",
	TextForNumber = "text stands where a number belongs",
	NumberTooLarge = "a number is too large",
	FieldNumber = "a field has no valid number",
	WireType = "a field has an unknown wire type",
	NumberTooLong = "a number has more than 64 bits",
	NumberEndless = "a number has no end",
	FieldTooLong = "a field is longer than what holds it",
	FieldCut = "the bytes end in the middle of a field",
	NotThatFile = "this is not the file of a dump that its name says",
	NoDumpFile = "this file of a dump is not there, or is no regular file",
	UnknownVersion = "the dump has a version that this cgraft does not know",
	BadPid = "there can be no process with this number",
	NotItsThread = "a process is not among its own threads",
	TooManyTasks = "there are more tasks than Linux can have",
	CoreIncomplete = "state or name of a task is missing",
	CommTooLong = "a task's name has more than 15 bytes",
	BadHierarchyName = "a hierarchy's name is not one",
	BadMemberPath = "a membership's path is not a group's path",
	BadPrefix = "a cgroup namespace's prefix is longer than the path",
	TooManyNames = "a hierarchy has more names than one can have",
	BadGroupName = "a group's name is empty, `.`, `..`, or has a slash, NUL or newline",
	BadMode = "a mode is not that of a group or of its files",
	BadPropertyName = "a property's name is not the name of a file",
	NoConfiguration = "a property is no configuration and may not be written",
	OtherController = "a property belongs to another controller",
	BadValue = "a property's value is not one that its file can have",
	BadAttribute = "an extended attribute is not one that a group can have, or out of order",
	// Why this host cannot take it.
	NoHierarchy = "this host has no such hierarchy",
	TwoPaths = "what was in two hierarchies is one here, and a task cannot be in two groups of it",
	NoGroup = "there is no such group",
	NotMounted = "the hierarchy is not mounted",
	EmptyYard = "there is no mounted hierarchy in the folder",
	OutOfReach = "it lies outside of what is mounted here",
	ReadOnly = "the hierarchy is mounted read-only",
	UnknownFile = "this cgraft does not know the file (--skip-missing)",
	ChildrenThere = "the kernel denies and allows all devices only while a group has no children",
	NoFile = "this kernel's groups do not have the file",
	GroupMissing = "the group is not there, and this mode or phase makes none",
	GroupThere = "the group is there already, and mode strict wants none",
	NoTask = "the image has no such process",
	NoSet = "the image has no set with the number of this task",
	NotRunning = "there is no such process",
	OtherTask = "another task has its number",
	MoveV1 = "on v1 only root and the task's own user may move it, and cgroup.procs and tasks of the group must be theirs to write",
	MoveV2 = "whoever moves a task must be able to write cgroup.procs of its new group and of the nearest group above both: have root move it into the delegated group first",
	NotOwner = "only root may give it this owner, and only its owner another mode (--skip-missing)",
	OutsideNamespace = "a task is outside of this cgroup namespace: run cgraft in that of the host",
	// Why a value cannot be had in the other cgroup version.
	NoTwinV1 = "cgroup v1 has nothing like it",
	NoTwinV2 = "cgroup v2 has nothing like it",
	DeviceProgram = "cgroup v2 has device programs (BPF) for it",
	NetworkProgram = "cgroup v2 has network programs (BPF) for it",
	CountedTogether = "cgroup v2 counts it in memory.max",
	CountedAlways = "cgroup v2 always counts a group in the groups above",
	NoPartition = "a cpuset partition of cgroup v2 is not the same",
	NoMemoryLimit = "memory and swap together say nothing without memory.limit_in_bytes",
	SwapAlone = "cgroup v1 limits swap only where memory is limited",
	OtherScheduler = "the weights of the other I/O scheduler are used",
	OddValue = "the value is not one that the kernel shows",
	// Why the command line makes no sense.
	NoSuchChoice = "there is no such choice (see --help)",
	BadPidMap = "a process is mapped as OLD:NEW",
	NothingToMove = "no hierarchy of the image has a group that it could move",
	NotUtf8 = "the argument is not UTF-8",
	NotYet = "CRIU has this option; cgraft does not have it yet",
	NotOurs = "this option of CRIU is not about cgroups",
	ValueMissing = "the option's value is missing",
	BadLevel = "the level of messages is a number from 0 to 4",
	NotAPid = "it is not the number of a process",
	BadPath = "a path has an empty component, `.`, `..` or a newline",
	NulInPath = "a path has a NUL byte in it",
	BadSelector = "a group is given as /PATH or CTRL:/PATH",
	NoCommand = "a command is missing: dump, restore, undo, show, decode, verify or diff (cgraft --help)",
	OneJournal = "the file of a journal is needed: cgraft undo JOURNAL",
	OtherCommand = "the command does not have this (cgraft --help)",
	FolderAndFile = "-D and -i exclude each other",
	NotDumped = "--cgroup-dump-controller does not name its hierarchy",
	// What a list of properties should have been.
	ListKey = "expected the name of a controller",
	ListColon = "expected a colon",
	ListField = "expected strategy and properties, once each",
	ListStrategy = "expected merge or replace",
	ListOpen = "expected [ and names of files",
	ListFile = "expected the name of a file or ]",
	ListComma = "expected a comma or ]",
	ListBrace = "expected }",
	ListQuote = "expected the quote that ends this text",
	ListEnd = "expected nothing more",
	TwoImages = "two images are compared: cgraft diff A B",
	OneOfThree = "one of -t PID, --cgroup [CTRL:]PATH and --all is needed, and only one",
}
