//! The files of cgroup v1 that carry configuration.
//!
//! The order inside one controller is the order of writing, and CRIU's as far as CRIU knows the file:
//! - memory: limit before memsw, since limit <= memsw must hold all the time and both grow from a fresh group's no limit;
//! - cpu: shares before idle (an idle group refuses shares); period, quota, burst; rt period before rt runtime;
//! - cpuset: cpus and mems before everything; the exclusive flags come a phase later, when all siblings have theirs;
//! - weights before the weights of single disks;
//! - notify_on_release last, when no temporary task can leave any more.
//!
//! Where a pair has to be written the other way round (memory limits that grow), the writer's second pass does it.

use super::entry::{Row, v1};
use super::{Fresh, Host, Read, Unit, Write};

/// The v1 part of [`super::TABLE`].
pub(super) const V1: &[Row] = &[
	// memory
	v1("memory.limit_in_bytes").most_bytes().criu().twin("memory.max").note("never above memsw, so before it; to raise both, the other way round: second pass; EBUSY below the usage, nothing is killed"),
	v1("memory.memsw.limit_in_bytes").most_bytes().criu().twin("memory.swap.max").note("only with swap accounting"),
	v1("memory.swappiness").inherited(Unit::Count, "60").criu().note("above 100 only since 5.15"),
	v1("memory.soft_limit_in_bytes").most_bytes().criu().twin("memory.low").note("refused on PREEMPT_RT"),
	v1("memory.move_charge_at_immigrate").count("0").criu().advisory().note("above 0 refused since 6.13; after the tasks: earlier it moves their charges"),
	v1("memory.oom_control").inherited(Unit::Flag, "0").read(Read::OomFlag).criu().note("only the flag of its first line"),
	v1("memory.use_hierarchy").flag("1").create().criu().advisory().note("always 1 since 5.11; before, inherited, and fixed once there are children"),
	v1("memory.kmem.limit_in_bytes").most_bytes().criu().advisory().note("refused from 5.16 to 6.5, taken without effect since"),
	v1("memory.kmem.tcp.limit_in_bytes").most_bytes().criu().note("setting it once turns on accounting for good, so no limit is never written"),
	// cpu
	v1("cpu.shares").weight("1024").criu().twin("cpu.weight").note("reads 3 while cpu.idle is 1, which refuses it; leaving idle resets it: second pass"),
	v1("cpu.idle").flag("0").since("5.15").twin("cpu.idle"),
	v1("cpu.cfs_period_us").micros("100000").criu().twin("cpu.max"),
	v1("cpu.cfs_quota_us").unit(Unit::Micros, Fresh::Unlimited).criu().twin("cpu.max").note("a child's part of its period is at most its parent's: parents first"),
	v1("cpu.cfs_burst_us").micros("0").since("5.14").twin("cpu.max.burst").note("at most the quota"),
	v1("cpu.rt_period_us").micros("1000000").create().criu().note("only with RT_GROUP_SCHED"),
	v1("cpu.rt_runtime_us").micros("0").create().criu().note("parents first; a group with 0 refuses real-time tasks"),
	v1("cpu.uclamp.min").percent("0.00").since("5.4").twin("cpu.uclamp.min"),
	v1("cpu.uclamp.max").percent("max").since("5.4").twin("cpu.uclamp.max"),
	// cpuset
	v1("cpuset.cpus").list(Host::Cpus).create().criu().twin("cpuset.cpus").note("within the parent's; no task can enter while empty"),
	v1("cpuset.mems").list(Host::Nodes).create().criu().twin("cpuset.mems").note("within the parent's; no task can enter while empty"),
	v1("cpuset.memory_migrate").flag("0").criu().note("after the tasks: earlier it moves their pages"),
	v1("cpuset.cpu_exclusive").flag("0").criu().note("parents first, after all siblings have their CPUs"),
	v1("cpuset.mem_exclusive").flag("0").criu().note("parents first, after all siblings have their nodes"),
	v1("cpuset.mem_hardwall").flag("0").criu(),
	v1("cpuset.memory_spread_page").inherited(Unit::Flag, "0").criu(),
	v1("cpuset.memory_spread_slab").inherited(Unit::Flag, "0").criu().advisory().note("no allocator reads it since 6.8"),
	v1("cpuset.sched_load_balance").flag("1").criu(),
	v1("cpuset.sched_relax_domain_level").count("-1").criu().note("the highest level depends on the host's CPUs"),
	// blkio
	v1("blkio.weight").weight("500").criu().twin("io.weight").note("CFQ, gone since 5.0"),
	v1("blkio.weight_device").lines(Unit::Weight, Host::Disks, " 0").twin("io.bfq.weight").note("CFQ, gone since 5.0"),
	v1("blkio.leaf_weight").weight("500").advisory().note("CFQ, gone since 5.0"),
	v1("blkio.leaf_weight_device").lines(Unit::Weight, Host::Disks, " 0").advisory().note("CFQ, gone since 5.0"),
	v1("blkio.bfq.weight").weight("100").twin("io.bfq.weight").note("only while bfq is loaded"),
	v1("blkio.bfq.weight_device").disk_weights("default 100", " default").since("5.4").twin("io.bfq.weight").note("only for disks with bfq"),
	v1("blkio.throttle.read_bps_device").lines(Unit::Bytes, Host::Disks, " 0").twin("io.max"),
	v1("blkio.throttle.write_bps_device").lines(Unit::Bytes, Host::Disks, " 0").twin("io.max"),
	v1("blkio.throttle.read_iops_device").lines(Unit::Count, Host::Disks, " 0").twin("io.max").note("32 bits"),
	v1("blkio.throttle.write_iops_device").lines(Unit::Count, Host::Disks, " 0").twin("io.max").note("32 bits"),
	v1("blkio.prio.class").text("no-change").since("5.14").twin("io.prio.class").note("promote-to-rt only since 6.5"),
	// devices
	v1("devices.list").inherited(Unit::Text, "a *:* rwm").write(Write::Devices).host(Host::Devices).create().criu().note("before there are children: all cannot be allowed or denied later; does not show what was denied from all"),
	// net_cls and net_prio
	v1("net_cls.classid").inherited(Unit::Count, "0").host(Host::Classes).create().criu().note("32 bits"),
	v1("net_prio.ifpriomap").lines(Unit::Count, Host::Interfaces, " 0").inherited(Unit::Count, "").create().criu().note("interfaces of the first network namespace"),
	// hugetlb
	v1("hugetlb.*.limit_in_bytes").most_bytes().host(Host::PageSize).twin("hugetlb.*.max"),
	v1("hugetlb.*.rsvd.limit_in_bytes").most_bytes().host(Host::PageSize).since("5.7").twin("hugetlb.*.rsvd.max"),
	// pids, rdma, misc, dmem
	v1("pids.max").most().criu().twin("pids.max"),
	v1("rdma.max").lines(Unit::Count, Host::Resources, " hca_handle=max hca_object=max").twin("rdma.max"),
	v1("misc.max").lines(Unit::Count, Host::Resources, " max").since("5.13").twin("misc.max"),
	v1("dmem.max").lines(Unit::Bytes, Host::Resources, " max").since("6.14").twin("dmem.max").note("below the usage it stays as it is and reports success"),
	v1("dmem.min").lines(Unit::Bytes, Host::Resources, " 0").since("6.14").twin("dmem.min"),
	v1("dmem.low").lines(Unit::Bytes, Host::Resources, " 0").since("6.14").twin("dmem.low"),
	// freezer
	v1("freezer.state").text("THAWED").read(Read::Freezer).freeze().twin("cgroup.freeze").note("the group's own, from freezer.self_freezing: freezer.state also shows its ancestors'"),
	// core
	v1("cgroup.clone_children").inherited(Unit::Flag, "0").create().criu().note("1 makes mkdir copy the cpuset lists, which are then written over"),
	v1("notify_on_release").inherited(Unit::Flag, "0").criu().note("after the tasks: nobody may leave any more, or the host's release agent runs"),
	v1("cgroup.procs").owner().criu().twin("cgroup.procs").note("members are in the image's sets"),
	v1("tasks").owner().criu().twin("cgroup.threads").note("members are in the image's sets"),
];
