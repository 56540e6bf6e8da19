//! Hierarchies that no mount shows: reached by a mount that nobody else sees and that ends with the process.
//!
//! fsopen(2) and fsmount(2), since Linux 5.2, make a mount that is in no mount namespace. Before that it is made in a
//! mount namespace of its own, which is left again at once. No mount of the host is changed: /proc/PID/mountinfo is the
//! same before and after.

use core::ffi::CStr;

use rustix::mount::{self, FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MountPropagationFlags};
use rustix::process::{chroot, fchdir};
use rustix::thread::{LinkNameSpaceType, UnshareFlags};

use super::dir::Dir;
use super::proc::{enter, in_new_namespace, own_namespace};
use super::{Result, fault, fenced};
use crate::error::{Fault, errno};
use crate::kernel::output::c_string;
use crate::limits::LABEL_BYTES;
use crate::procfs::scan::cut;

/// mount(8)'s name of the file system.
const V1: &CStr = c"cgroup";
/// The same for v2.
const V2: &CStr = c"cgroup2";
/// A folder that is there, as a place for a mount in a namespace of its own.
const PLACE: &CStr = c"/proc";

/// The root of a v1 hierarchy with these options, `cpu,cpuacct` or `none,name=x`: the one that is active, or a new one.
pub fn v1(options: &[u8]) -> Result<Dir> {
	attach(V1, options)
}

/// The root of v2, whose options become these: they must be those that it has.
pub fn v2(options: &[u8]) -> Result<Dir> {
	attach(V2, options)
}

/// The part of v2 from this process's own group down. Its options stay as they are: mounts that are made inside of a
/// cgroup namespace do not change them (`apply_cgroup_root_flags` of kernel/cgroup/cgroup.c).
pub fn v2_from_own_group() -> Result<Dir> {
	in_new_namespace(|| attach(V2, b""))
}

fn attach(kind: &CStr, options: &[u8]) -> Result<Dir> {
	match detached(kind, options) {
		Err(Fault::Kernel(errno::ENOSYS)) => private(kind, options),
		result => result,
	}
}

fn detached(kind: &CStr, options: &[u8]) -> Result<Dir> {
	let context = mount::fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC).map_err(fault)?;
	for option in options.split(|byte| *byte == b',').filter(|option| !option.is_empty()) {
		let (name, value) = cut(option, b'=').map_or((option, None), |(name, value)| (name, Some(value)));
		let name = c_string::<LABEL_BYTES>(name)?;
		match value {
			None => mount::fsconfig_set_flag(&context, name.as_c_str()),
			Some(value) => {
				let value = c_string::<LABEL_BYTES>(value)?;
				mount::fsconfig_set_string(&context, name.as_c_str(), value.as_c_str())
			}
		}
		.map_err(fault)?;
	}
	mount::fsconfig_create(&context).map_err(fault)?;
	let attributes =
		MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV | MountAttrFlags::MOUNT_ATTR_NOEXEC;
	let made = mount::fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes).map_err(fault)?;
	Dir::of(&made)
}

/// The same in a mount namespace of its own. What it is left for has another root and working directory at first.
fn private(kind: &CStr, options: &[u8]) -> Result<Dir> {
	let options = c_string::<LABEL_BYTES>(options)?;
	let here = own_namespace(c"ns/mnt")?;
	let (root, working) = (Dir::open(c"/")?, Dir::open(c".")?);
	fenced::unshare(UnshareFlags::NEWNS)?;
	let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
	let made = mount::mount_change(c"/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
		.and_then(|()| mount::mount(kind, PLACE, kind, flags, options.as_c_str()))
		.map_err(fault)
		.and_then(|()| Dir::open(PLACE));
	enter(&here, LinkNameSpaceType::Mount)?;
	fchdir(root.fd()).and_then(|()| chroot(c".")).and_then(|()| fchdir(working.fd())).map_err(fault)?;
	made
}
