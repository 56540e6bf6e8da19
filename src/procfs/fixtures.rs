//! The texts of tests/fixtures/proc (see its README), and random numbers for tests.

macro_rules! texts {
	($($file:literal),* $(,)?) => {
		&[$(($file, include_bytes!(concat!("../../tests/fixtures/proc/", $file)) as &[u8])),*]
	};
}

pub(super) type Text = (&'static str, &'static [u8]);

pub(super) const MOUNTINFOS: &[Text] = texts![
	"criu-v1-ct/mountinfo",
	"criu-v1-threads/mountinfo",
	"criu-v2-web/mountinfo",
	"live-v1-split/mountinfo",
	"live-odd-mounts/mountinfo",
	"live-nested-cgns/mountinfo",
	"debian-12-v2/mountinfo",
	"fedora-41-v2/mountinfo",
	"ubuntu-20.04-hybrid/mountinfo",
	"ubuntu-14.04-v1/mountinfo",
	"docker-v1/mountinfo",
	"docker-v2/mountinfo",
	"lxc-v1/mountinfo",
	"odd/mountinfo",
];

pub(super) const CONTROLLERS: &[Text] = texts![
	"criu-v1-ct/cgroups",
	"criu-v1-threads/cgroups",
	"criu-v2-web/cgroups",
	"live-v1-split/cgroups",
	"live-odd-mounts/cgroups",
	"debian-12-v2/cgroups",
	"fedora-41-v2/cgroups",
	"ubuntu-20.04-hybrid/cgroups",
	"ubuntu-14.04-v1/cgroups",
	"docker-v1/cgroups",
	"docker-v2/cgroups",
	"lxc-v1/cgroups",
];

pub(super) const MEMBERSHIPS: &[Text] = texts![
	"criu-v1-ct/task.cgroup",
	"criu-v1-threads/task.cgroup",
	"criu-v1-threads/thread.cgroup",
	"criu-v2-web/task.cgroup",
	"live-v1-split/task.cgroup",
	"live-odd-mounts/task.cgroup",
	"live-odd-mounts/zombie.cgroup",
	"live-nested-cgns/task.cgroup",
	"live-nested-cgns/init.cgroup",
	"debian-12-v2/task.cgroup",
	"fedora-41-v2/task.cgroup",
	"ubuntu-20.04-hybrid/task.cgroup",
	"ubuntu-14.04-v1/task.cgroup",
	"docker-v1/task.cgroup",
	"docker-v2/task.cgroup",
	"lxc-v1/task.cgroup",
	"odd/task.cgroup",
];

pub(super) const TASKS: &[Text] = texts![
	"live-odd-mounts/zombie.stat",
	"live-nested-cgns/task.stat",
	"live-v1-split/kthreadd.stat",
	"odd/paren.stat",
	"live-odd-mounts/zombie.status",
	"live-nested-cgns/task.status",
	"live-v1-split/kthreadd.status",
	"odd/children",
];

/// The text of the fixture called `name`.
pub(super) fn text(name: &str) -> &'static [u8] {
	all().find(|(file, _)| *file == name).expect("a fixture of this list").1
}

pub(super) fn all() -> impl Iterator<Item = &'static Text> {
	MOUNTINFOS.iter().chain(CONTROLLERS).chain(MEMBERSHIPS).chain(TASKS)
}
