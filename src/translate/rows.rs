//! The files that are converted by a rule of their own: their places in [`crate::property::TABLE`].

macro_rules! rows {
	($version:ident: $($name:ident = $file:literal,)*) => {
		$(pub(in crate::translate) const $name: u8 =
			crate::property::place(crate::property::Version::$version, $file) as u8;)*
	};
}

pub(super) mod v1 {
	rows! {
		V1:
		LIMIT = "memory.limit_in_bytes",
		MEMSW = "memory.memsw.limit_in_bytes",
		SOFT = "memory.soft_limit_in_bytes",
		USE_HIERARCHY = "memory.use_hierarchy",
		KMEM = "memory.kmem.limit_in_bytes",
		KMEM_TCP = "memory.kmem.tcp.limit_in_bytes",
		SHARES = "cpu.shares",
		IDLE = "cpu.idle",
		PERIOD = "cpu.cfs_period_us",
		QUOTA = "cpu.cfs_quota_us",
		MIGRATE = "cpuset.memory_migrate",
		EXCLUSIVE = "cpuset.cpu_exclusive",
		BALANCE = "cpuset.sched_load_balance",
		WEIGHT = "blkio.weight",
		WEIGHT_DEVICE = "blkio.weight_device",
		BFQ = "blkio.bfq.weight",
		BFQ_DEVICE = "blkio.bfq.weight_device",
		// These four are one behind the other in the table, too.
		READ_BYTES = "blkio.throttle.read_bps_device",
		WRITE_BYTES = "blkio.throttle.write_bps_device",
		READS = "blkio.throttle.read_iops_device",
		WRITES = "blkio.throttle.write_iops_device",
		DEVICES = "devices.list",
		CLASS = "net_cls.classid",
		PRIORITIES = "net_prio.ifpriomap",
		FREEZER = "freezer.state",
		CLONE = "cgroup.clone_children",
	}
}

pub(super) mod v2 {
	rows! {
		V2:
		WEIGHT = "cpu.weight",
		IDLE = "cpu.idle",
		BANDWIDTH = "cpu.max",
		LOW = "memory.low",
		HIGH = "memory.high",
		MAX = "memory.max",
		SWAP = "memory.swap.max",
		IO_WEIGHT = "io.weight",
		IO_BFQ = "io.bfq.weight",
		IO_MAX = "io.max",
		FREEZE = "cgroup.freeze",
		CONTROL = "cgroup.subtree_control",
		TYPE = "cgroup.type",
	}
}
