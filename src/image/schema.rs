//! Field numbers of the image and of CRIU's dumps; the files in `proto` say what they mean, and a test compares.

/// First word of the file: an image of CRIU's common kind, little endian.
pub const MAGIC_COMMON: u32 = 0x5456_4319;
/// Second word of the file: cgroup.img, little endian.
pub const MAGIC_CGROUP: u32 = 0x5938_3330;
/// Second word of pstree.img: the processes of a dump.
pub const MAGIC_PSTREE: u32 = 0x5027_3030;
/// Second word of core-TID.img: one task of a dump.
pub const MAGIC_CORE: u32 = 0x5505_3847;
/// First word of inventory.img: what a dump consists of.
pub const MAGIC_INVENTORY: u32 = 0x5831_3116;
/// Bytes before the payload: two magics and the payload's size, u32 each.
pub const HEADER_BYTES: usize = 12;

macro_rules! fields {
	($(#[$doc:meta])* $module:ident { $($name:ident = $number:literal,)* }) => {
		$(#[$doc])*
		#[allow(missing_docs)]
		pub mod $module {
			$(pub const $name: u32 = $number;)*
			/// The fields as the .proto file names them.
			#[cfg(test)]
			pub const ALL: &[(&str, u32)] = &[$((stringify!($name), $number),)*];
		}
	};
}

fields! {
	/// `cgroup_entry`
	entry { SETS = 1, CONTROLLERS = 2, ABOUT = 1000, TASKS = 1001, CHECKSUM = 1002, DISKS = 1003, }
}
fields! {
	/// `cg_set_entry`
	set { ID = 1, CTLS = 2, }
}
fields! {
	/// `cg_member_entry`
	member { NAME = 1, PATH = 2, CGNS_PREFIX = 3, }
}
fields! {
	/// `cg_controller_entry`
	controller { CNAMES = 1, DIRS = 2, IS_THREADED = 3, }
}
fields! {
	/// `cgroup_dir_entry`
	dir { DIR_NAME = 1, CHILDREN = 2, PROPERTIES = 3, DIR_PERMS = 4, ANCESTOR = 1000, ATTRIBUTES = 1001, }
}
fields! {
	/// `cgraft_attribute`
	attribute { NAME = 1, VALUE = 2, }
}
fields! {
	/// `cgroup_prop_entry`
	property { NAME = 1, VALUE = 2, PERMS = 3, }
}
fields! {
	/// `cgroup_perms`
	perms { MODE = 1, UID = 2, GID = 3, }
}
fields! {
	/// `cgraft_task`
	task { PID = 1, TID = 2, NS_TID = 3, START_TIME = 4, COMM = 5, SET = 6, }
}
fields! {
	/// `cgraft_mount`
	mount { NAME = 1, SUPER_OPTIONS = 2, }
}
fields! {
	/// `cgraft_disk`
	disk { NUMBER = 1, NAME = 2, }
}
fields! {
	/// `cgraft_about`
	about { VERSION = 1, RELEASE = 2, BOOT_ID = 3, PAGE_SIZE = 4, CPUS = 5, NODES = 6, MOUNTS = 7, WHOLE_TREES = 8, }
}
fields! {
	/// `rfc_set_entry`
	rfc_set { ID = 1, CTLS = 3, }
}
fields! {
	/// `rfc_controller_entry`
	rfc_controller { ID = 1, CONTROLLERS = 2, DIRS = 3, }
}
fields! {
	/// `rfc_dir_entry`
	rfc_dir { PATH = 1, MEM_LIMIT = 2, CPU_SHARES = 3, CHILDREN = 4, }
}
fields! {
	/// `inventory_entry`
	inventory { IMG_VERSION = 1, ROOT_CG_SET = 5, }
}
fields! {
	/// `pstree_entry`
	pstree { PID = 1, PPID = 2, THREADS = 5, }
}
fields! {
	/// `core_entry`
	core_image { TC = 3, THREAD_CORE = 5, }
}
fields! {
	/// `task_core_entry`
	task_core { TASK_STATE = 1, COMM = 6, CG_SET = 9, }
}
fields! {
	/// `thread_core_entry`
	thread_core { COMM = 13, CG_SET = 16, }
}

#[cfg(test)]
mod tests {
	extern crate std;
	use std::string::{String, ToString};
	use std::vec::Vec;

	/// (message, field, number) of the .proto files, in their order.
	fn proto() -> Vec<(String, String, u32)> {
		let mut message = String::new();
		let mut all = Vec::new();
		let files = [include_str!("../../proto/cgroup.proto"), include_str!("../../proto/criu-dump.proto")];
		for line in files.into_iter().flat_map(str::lines) {
			let words: Vec<&str> = line.split("//").next().unwrap().split_whitespace().collect();
			match words[..] {
				["message", name, "{"] => message = name.to_string(),
				["required" | "optional" | "repeated", _, field, "=", number] => {
					all.push((message.clone(), field.to_string(), number.trim_end_matches(';').parse().unwrap()));
				}
				_ => {}
			}
		}
		all
	}

	#[test]
	fn the_numbers_are_those_of_the_proto_file() {
		let code = [
			("cgroup_perms", super::perms::ALL),
			("cgroup_prop_entry", super::property::ALL),
			("cgraft_attribute", super::attribute::ALL),
			("cgroup_dir_entry", super::dir::ALL),
			("cg_controller_entry", super::controller::ALL),
			("cg_member_entry", super::member::ALL),
			("cg_set_entry", super::set::ALL),
			("cgraft_task", super::task::ALL),
			("cgraft_mount", super::mount::ALL),
			("cgraft_about", super::about::ALL),
			("cgraft_disk", super::disk::ALL),
			("cgroup_entry", super::entry::ALL),
			("rfc_dir_entry", super::rfc_dir::ALL),
			("rfc_controller_entry", super::rfc_controller::ALL),
			("rfc_set_entry", super::rfc_set::ALL),
			("inventory_entry", super::inventory::ALL),
			("pstree_entry", super::pstree::ALL),
			("core_entry", super::core_image::ALL),
			("task_core_entry", super::task_core::ALL),
			("thread_core_entry", super::thread_core::ALL),
		];
		let mut ours = Vec::new();
		for (message, fields) in code {
			for (field, number) in fields {
				ours.push((message.to_string(), field.to_lowercase(), *number));
			}
		}
		let mut theirs: Vec<_> = proto().into_iter().filter(|(message, ..)| message != "rfc_entry").collect();
		ours.sort();
		theirs.sort();
		assert_eq!(ours, theirs);
	}
}
