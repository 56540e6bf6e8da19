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

use super::entry::v1;
use super::{Fresh, Host, Property, Read, Unit, Write};

/// The v1 part of [`super::TABLE`].
pub(super) const V1: &[Property] = &[
	// memory
	v1("memory.limit_in_bytes").most_bytes().criu().twin("memory.max"),
	v1("memory.memsw.limit_in_bytes").most_bytes().criu().twin("memory.swap.max"),
	v1("memory.swappiness").inherited(Unit::Count, "60").criu(),
	v1("memory.soft_limit_in_bytes").most_bytes().criu().twin("memory.low"),
	// A value above 0 is refused from 6.13 on.
	v1("memory.move_charge_at_immigrate").count("0").criu().advisory(),
	v1("memory.oom_control").inherited(Unit::Flag, "0").read(Read::OomFlag).criu(),
	// Since 5.11 always 1; before, inherited, and only changeable while there are no children.
	v1("memory.use_hierarchy").flag("1").create().criu().advisory(),
	// Refused from 5.16 to 6.5, taken without effect since.
	v1("memory.kmem.limit_in_bytes").most_bytes().criu().advisory(),
	v1("memory.kmem.tcp.limit_in_bytes").most_bytes().criu(),
	// cpu
	v1("cpu.shares").weight("1024").criu().twin("cpu.weight"),
	v1("cpu.idle").flag("0").since("5.15").twin("cpu.idle"),
	v1("cpu.cfs_period_us").micros("100000").criu().twin("cpu.max"),
	v1("cpu.cfs_quota_us").unit(Unit::Micros, Fresh::Unlimited).criu().twin("cpu.max"),
	v1("cpu.cfs_burst_us").micros("0").since("5.14").twin("cpu.max.burst"),
	v1("cpu.rt_period_us").micros("1000000").create().criu(),
	v1("cpu.rt_runtime_us").micros("0").create().criu(),
	v1("cpu.uclamp.min").percent("0.00").since("5.4").twin("cpu.uclamp.min"),
	v1("cpu.uclamp.max").percent("max").since("5.4").twin("cpu.uclamp.max"),
	// cpuset
	v1("cpuset.cpus").list(Host::Cpus).create().criu().twin("cpuset.cpus"),
	v1("cpuset.mems").list(Host::Nodes).create().criu().twin("cpuset.mems"),
	v1("cpuset.memory_migrate").flag("0").criu(),
	v1("cpuset.cpu_exclusive").flag("0").criu(),
	v1("cpuset.mem_exclusive").flag("0").criu(),
	v1("cpuset.mem_hardwall").flag("0").criu(),
	v1("cpuset.memory_spread_page").inherited(Unit::Flag, "0").criu(),
	// No allocator reads it since 6.8.
	v1("cpuset.memory_spread_slab").inherited(Unit::Flag, "0").criu().advisory(),
	v1("cpuset.sched_load_balance").flag("1").criu(),
	// The highest level depends on the host's CPU topology.
	v1("cpuset.sched_relax_domain_level").count("-1").criu(),
	// blkio: the first four are CFQ's and gone since 5.0.
	v1("blkio.weight").weight("500").criu().twin("io.weight"),
	v1("blkio.weight_device").lines(Unit::Weight, Host::Disks, " 0").twin("io.weight"),
	v1("blkio.leaf_weight").weight("500").advisory(),
	v1("blkio.leaf_weight_device").lines(Unit::Weight, Host::Disks, " 0").advisory(),
	v1("blkio.bfq.weight").weight("100").twin("io.bfq.weight"),
	v1("blkio.bfq.weight_device").disk_weights("default 100", " default").since("5.4").twin("io.bfq.weight"),
	v1("blkio.throttle.read_bps_device").lines(Unit::Bytes, Host::Disks, " 0").twin("io.max"),
	v1("blkio.throttle.write_bps_device").lines(Unit::Bytes, Host::Disks, " 0").twin("io.max"),
	v1("blkio.throttle.read_iops_device").lines(Unit::Count, Host::Disks, " 0").twin("io.max"),
	v1("blkio.throttle.write_iops_device").lines(Unit::Count, Host::Disks, " 0").twin("io.max"),
	v1("blkio.prio.class").text("no-change").since("5.14").twin("io.prio.class"),
	// devices: the kernel refuses to widen to all devices, and to deny all, once there are children.
	v1("devices.list").inherited(Unit::Text, "a *:* rwm").write(Write::Devices).host(Host::Devices).create().criu(),
	// net_cls and net_prio
	v1("net_cls.classid").inherited(Unit::Count, "0").host(Host::Classes).create().criu(),
	v1("net_prio.ifpriomap").lines(Unit::Count, Host::Interfaces, " 0").inherited(Unit::Count, "").create().criu(),
	// hugetlb
	v1("hugetlb.*.limit_in_bytes").most_bytes().host(Host::PageSize).twin("hugetlb.*.max"),
	v1("hugetlb.*.rsvd.limit_in_bytes").most_bytes().host(Host::PageSize).since("5.7").twin("hugetlb.*.rsvd.max"),
	// pids, rdma, misc, dmem
	v1("pids.max").most().criu().twin("pids.max"),
	v1("rdma.max").lines(Unit::Count, Host::Resources, " hca_handle=max hca_object=max").twin("rdma.max"),
	v1("misc.max").lines(Unit::Count, Host::Resources, " max").since("5.13").twin("misc.max"),
	v1("dmem.max").lines(Unit::Bytes, Host::Resources, " max").since("6.14").twin("dmem.max"),
	v1("dmem.min").lines(Unit::Bytes, Host::Resources, " 0").since("6.14").twin("dmem.min"),
	v1("dmem.low").lines(Unit::Bytes, Host::Resources, " 0").since("6.14").twin("dmem.low"),
	// freezer
	v1("freezer.state").text("THAWED").read(Read::Freezer).freeze().twin("cgroup.freeze"),
	// core
	v1("cgroup.clone_children").inherited(Unit::Flag, "0").create().criu(),
	v1("notify_on_release").inherited(Unit::Flag, "0").criu(),
	v1("cgroup.procs").owner().criu().twin("cgroup.procs"),
	v1("tasks").owner().criu().twin("cgroup.threads"),
];
