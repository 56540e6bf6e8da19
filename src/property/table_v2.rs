//! The files of cgroup v2 that carry configuration.
//!
//! The order inside one controller is the order of writing:
//! - cpuset: exclusive when the group is made: it is refused once a sibling's whole cpus are in it, while cpus are taken at
//!   any time. A phase later cpus, then the partition that is made of all of them;
//! - cpu: idle before weight (an idle group refuses a weight, and leaving idle resets it); max before its burst;
//! - memory: protections, then swap, then high, then max, so that max finds its way out already open;
//! - io: weights first; a line `default N` comes before lines of single disks;
//! - the core files are in CRIU's order.
//!
//! A group below a threaded one refuses cgroup.subtree_control until its cgroup.type is written, and CRIU's images
//! have them the other way round: the writer's second pass does it.

use super::entry::{Row, v2};
use super::{Fresh, Host, Read, Unit, Write};

const DISK: &str = " rbps=max wbps=max riops=max wiops=max";
const DISK_LOW: &str = " rbps=max wbps=max riops=max wiops=max idle=max latency=max";

/// The v2 part of [`super::TABLE`].
pub(super) const V2: &[Row] = &[
	// cpuset
	v2("cpuset.cpus")
		.list(Host::Cpus)
		.join()
		.since("5.0")
		.twin("cpuset.cpus")
		.note("after cpuset.cpus.exclusive of all siblings, which refuses what a sibling has alone"),
	v2("cpuset.mems").list(Host::Nodes).create().since("5.0").twin("cpuset.mems"),
	v2("cpuset.cpus.exclusive")
		.list(Host::Cpus)
		.create()
		.since("6.7")
		.note("parents first: a remote partition needs them in every ancestor"),
	v2("cpuset.cpus.partition")
		.text("member")
		.read(Read::Partition)
		.join()
		.since("5.0")
		.note("after the lists of all siblings and ancestors; only the first word can be written; isolated since 6.1"),
	// cpu
	v2("cpu.idle")
		.flag("0")
		.since("5.15")
		.twin("cpu.idle")
		.note("1 refuses a weight, leaving it resets the weight: before cpu.weight"),
	v2("cpu.weight").weight("100").since("4.15").twin("cpu.shares").note("reads 0 or 1 while cpu.idle is 1"),
	v2("cpu.max").bandwidth("max 100000").since("4.15").twin("cpu.cfs_quota_us"),
	v2("cpu.max.burst").micros("0").since("5.14").twin("cpu.cfs_burst_us").note("at most the quota"),
	v2("cpu.uclamp.min").percent("0.00").since("5.4").twin("cpu.uclamp.min"),
	v2("cpu.uclamp.max").percent("max").since("5.4").twin("cpu.uclamp.max"),
	// io
	v2("io.weight")
		.disk_weights("default 100", " default")
		.twin("blkio.weight")
		.note("CFQ until 4.20, iocost since 5.4; the default before single disks; those only with iocost on them"),
	v2("io.bfq.weight")
		.disk_weights("default 100", " default")
		.twin("blkio.bfq.weight")
		.note("only while bfq is loaded; single disks since 5.4; the default before them"),
	v2("io.prio.class").text("no-change").since("5.14").twin("blkio.prio.class").note("promote-to-rt only since 6.5"),
	v2("io.max")
		.lines(Unit::Text, Host::Disks, DISK)
		.twin("blkio.throttle.read_bps_device")
		.note("a value of 1 only since 6.13"),
	v2("io.low").lines(Unit::Text, Host::Disks, DISK_LOW).advisory().note("gone since 6.10"),
	v2("io.latency").lines(Unit::Micros, Host::Disks, " target=max").since("4.19"),
	// memory
	v2("memory.min").bytes("0").since("4.18"),
	v2("memory.low").bytes("0").twin("memory.soft_limit_in_bytes"),
	v2("memory.oom.group").flag("0").since("4.19"),
	v2("memory.zswap.writeback").flag("1").since("6.8"),
	v2("memory.zswap.max").most_bytes().since("5.19"),
	v2("memory.swap.high").most_bytes().since("5.8"),
	v2("memory.swap.max").most_bytes().twin("memory.memsw.limit_in_bytes").note("swap alone, memsw less the limit"),
	v2("memory.high").most_bytes().note("after the tasks: below the usage the writer has to reclaim"),
	v2("memory.max").most_bytes().twin("memory.limit_in_bytes").note("after the tasks: below the usage it kills"),
	// hugetlb
	v2("hugetlb.*.max").most_bytes().host(Host::PageSize).since("5.6").twin("hugetlb.*.limit_in_bytes"),
	v2("hugetlb.*.rsvd.max").most_bytes().host(Host::PageSize).since("5.7").twin("hugetlb.*.rsvd.limit_in_bytes"),
	// pids, rdma, misc, dmem
	v2("pids.max").most().twin("pids.max"),
	v2("rdma.max").lines(Unit::Count, Host::Resources, " hca_handle=max hca_object=max").twin("rdma.max"),
	v2("misc.max").lines(Unit::Count, Host::Resources, " max").since("5.13").twin("misc.max"),
	v2("dmem.max")
		.lines(Unit::Bytes, Host::Resources, " max")
		.since("6.14")
		.twin("dmem.max")
		.note("below the usage it stays as it is and reports success"),
	v2("dmem.min").lines(Unit::Bytes, Host::Resources, " 0").since("6.14").twin("dmem.min"),
	v2("dmem.low").lines(Unit::Bytes, Host::Resources, " 0").since("6.14").twin("dmem.low"),
	// devices
	v2("devices.list")
		.text("a *:* rwm")
		.write(Write::Program)
		.host(Host::Devices)
		.since("4.15")
		.twin("devices.list")
		.note("no file, and not dumped: the lines of a v1 image; for groups that the restore makes; read back is only that there is a program"),
	// core
	v2("cgroup.subtree_control")
		.unit(Unit::Text, Fresh::Empty)
		.write(Write::Controllers)
		.host(Host::Controllers)
		.create()
		.criu()
		.note("parents first, before tasks enter; a group with tasks refuses most controllers: they leave first"),
	v2("cgroup.max.descendants").most().criu().note("after all groups: it blocks mkdir"),
	v2("cgroup.max.depth").most().criu().note("after all groups: it blocks mkdir"),
	v2("cgroup.freeze")
		.flag("0")
		.freeze()
		.criu()
		.since("5.2")
		.twin("freezer.state")
		.note("the group's own; takes a moment"),
	v2("cgroup.type")
		.text("domain")
		.write(Write::Type)
		.create()
		.criu()
		.note("only into threaded, before there are tasks"),
	v2("cgroup.pressure").flag("1").since("6.1").note("0 hides the group's *.pressure files; not with psi=0"),
	v2("cgroup.procs").owner().twin("cgroup.procs").note("members are in the image's sets"),
	v2("cgroup.threads").owner().twin("tasks").note("members are in the image's sets"),
];
