//! Whole images, as texts: a few hierarchies in, what the translated image has out.

extern crate std;
use std::fmt::Arguments;
use std::format;
use std::string::{String, ToString};
use std::sync::{Mutex, PoisonError};
use std::vec::Vec;

use super::controllers::Controllers;
use super::image::{Ask, Space, translate};
use super::samples::choices;
use crate::hierarchy::{Label, ShownLabel};
use crate::image::descent::{Descent, Turn};
use crate::image::sink::tests::dirty;
use crate::image::sink::{Mark, Sink};
use crate::image::view::{Image, Layout, Member, Perms, Task};
use crate::image::writer::ImageWriter;
use crate::log::{Level, Log};
use crate::name::components;
use crate::vet::vet;

/// What a user of `name` owns; root if there is none.
fn perms(uid: u32, mode: u32) -> Perms {
	Perms { mode, uid, gid: uid }
}

/// `LABEL:PATH` of a set.
fn member<'t>(word: &&'t str) -> Member<'t> {
	let (name, path) = word.split_once(':').unwrap();
	let name = if name == "unified" { "" } else { name };
	Member { name: name.as_bytes(), path: path.as_bytes(), cgns_prefix: None, at: 0 }
}

/// An image of lines: `hierarchy LABEL`, below it `group PATH [ancestor] [uid=N] [FILE=VALUE]...` in tree order, `set ID
/// LABEL:PATH...`, `task PID TID SET`. `unified` is v2, a `|` in a value a newline, a `_` a blank.
pub(super) fn image(text: &str) -> Vec<u8> {
	let (mut out, mut buffer) = (Vec::new(), dirty());
	let mut writer = ImageWriter::new(Sink::new(&mut out, &mut buffer), Layout::Criu).unwrap();
	let mut open: Vec<(String, Mark)> = Vec::new();
	for line in text.lines().map(str::trim).filter(|line| !line.is_empty()).chain(["end"]) {
		let words: Vec<&str> = line.split(' ').collect();
		let path = if words[0] == "group" { words[1].trim_start_matches('/') } else { "" };
		let keeps = |known: &str| match words[0] {
			"group" => known == "hierarchy" || known.is_empty() || path.starts_with(&format!("{known}/")),
			_ => false,
		};
		while let Some((_, mark)) = open.pop_if(|(known, _)| !keeps(known)) {
			writer.close(mark).unwrap();
		}
		match words[0] {
			"hierarchy" => {
				let label = words[1].replace("unified", "");
				open.push(("hierarchy".into(), writer.hierarchy(1, label.split(',').map(str::as_bytes)).unwrap()));
			}
			"group" => {
				let above = &open.last().unwrap().0;
				let head = above == "hierarchy";
				let name = if head || above.is_empty() { path } else { &path[above.len() + 1..] };
				let ancestor = words.contains(&"ancestor");
				let mark = writer.group(head, name.as_bytes(), b"", ancestor).unwrap();
				open.push((path.into(), mark));
				let uid = words.iter().find_map(|word| word.strip_prefix("uid=")).map_or(0, |uid| uid.parse().unwrap());
				writer.owner(perms(uid, 0o40755)).unwrap();
				for (file, value) in words[2..].iter().filter_map(|word| word.split_once('=')) {
					if file != "uid" {
						let value = value.replace('|', "\n").replace('_', " ");
						let perms = Some(perms(uid, 0o100_644));
						writer.property(file.as_bytes(), value.as_bytes(), perms).unwrap();
					}
				}
			}
			"set" => {
				writer.set(words[1].parse().unwrap(), words[2..].iter().map(member)).unwrap();
			}
			"task" => {
				let number = |at: usize| words[at].parse().unwrap();
				let (pid, tid, set) = (number(1), number(2), number(3));
				let task = Task { pid, tid, ns_tid: None, parent: None, start_time: 1, comm: b"t", set };
				writer.task(&task).unwrap();
			}
			"end" => {}
			_ => panic!("{line}"),
		}
	}
	writer.finish().unwrap();
	out
}

/// The same text of an image, without what is empty.
pub(super) fn told(bytes: &[u8]) -> String {
	let image = Image::open(bytes).unwrap();
	vet(&image).unwrap();
	let mut lines = Vec::new();
	for hierarchy in image.hierarchies().map(Result::unwrap) {
		lines.push(format!("hierarchy {}", Label::of(&hierarchy).unwrap().shown()));
		let (mut descent, mut path) = (Descent::new(&hierarchy), Vec::new());
		while let Some(turn) = descent.turn().unwrap() {
			let Turn::Enter(group) = turn else {
				if let Turn::Leave(group) = turn {
					components(group.name).for_each(|_| drop(path.pop()));
				}
				continue;
			};
			path.extend(components(group.name).map(|name| String::from_utf8(name.to_vec()).unwrap()));
			let mut line = format!("group /{}", path.join("/"));
			if group.is_ancestor().unwrap() {
				line += " ancestor";
			}
			if let Some(Perms { uid: uid @ 1.., .. }) = group.perms().unwrap() {
				line += &format!(" uid={uid}");
			}
			for saved in group.properties().map(Result::unwrap) {
				let text = String::from_utf8(saved.value.bytes().trim_ascii_end().to_vec()).unwrap();
				let owned = saved.perms.is_some_and(|perms| perms.uid != 0);
				if !text.is_empty() && text != "+" || owned {
					let file = String::from_utf8(saved.name.to_vec()).unwrap();
					line += &format!(" {file}={}", text.replace('\n', "|").replace(' ', "_"));
				}
				if owned && text.is_empty() | (text == "+") {
					line += "*";
				}
			}
			lines.push(line);
		}
	}
	for set in image.sets().map(Result::unwrap) {
		let mut line = format!("set {}", set.id);
		for member in set.members().map(Result::unwrap) {
			line += &format!(" {}:{}", ShownLabel(member.name), String::from_utf8(member.path.to_vec()).unwrap());
		}
		lines.push(line);
	}
	for task in image.tasks().map(Result::unwrap) {
		lines.push(format!("task {} {} {}", task.pid, task.tid, task.set));
	}
	lines.join("\n")
}

/// Too large for a stack.
static SPACE: Mutex<Space> = Mutex::new(Space::new());

/// Keeps messages.
struct Kept(Vec<String>);

impl Log for Kept {
	fn say(&mut self, _: Level, line: Arguments<'_>) {
		self.0.push(line.to_string());
	}

	fn sum_up(&mut self, line: Arguments<'_>) {
		self.0.push(line.to_string());
	}
}

/// The translated image as text, or nothing, or the error; and the messages. `host` has the labels of v1 hierarchies, and
/// `+NAME` for the controllers of v2; `how` the letters of choices, or `primary=CTRL`, or `skip`.
pub(super) fn translated(text: &str, host: &str, how: &str) -> (String, Vec<String>) {
	let v1: Vec<&[u8]> = host.split(' ').filter(|word| !word.starts_with('+')).map(str::as_bytes).collect();
	let v1 = if host.is_empty() { Vec::new() } else { v1 };
	let v2: Vec<&str> = host.split(' ').filter_map(|word| word.strip_prefix('+')).collect();
	let ask = Ask {
		v1: &v1,
		v2: (!v2.is_empty()).then(|| Controllers::of_text(v2.join(" ").as_bytes())),
		choices: choices(if how.chars().all(char::is_uppercase) { how } else { "" }),
		primary: how.strip_prefix("primary=").map(str::as_bytes),
		skip_missing: how == "skip",
	};
	translated_bytes(&image(text), &ask)
}

/// The same of an image's bytes.
fn translated_bytes(bytes: &[u8], ask: &Ask<'_>) -> (String, Vec<String>) {
	let mut out = Vec::new();
	match translate_into(&mut out, bytes, ask) {
		(Ok(None), said) => ("-".to_string(), said),
		(Ok(Some(lost)), said) => {
			let shown = said.iter().filter(|line| line.starts_with("lost: ")).count() as u64;
			assert!(lost == shown || lost > 20);
			(told(&out), said)
		}
		(Err(error), said) => (error, said),
	}
}

/// How many values are lost, none if the image stays as it is; and the messages.
fn translate_into(out: &mut Vec<u8>, bytes: &[u8], ask: &Ask<'_>) -> (Result<Option<u64>, String>, Vec<String>) {
	let image = Image::open(bytes).unwrap();
	vet(&image).unwrap();
	let mut log = Kept(Vec::new());
	let mut space = SPACE.lock().unwrap_or_else(PoisonError::into_inner);
	let made = translate(&image, out, ask, &mut space, &mut log);
	let made = made.map(|made| made.map(|(_, lost)| lost)).map_err(|error| error.to_string());
	drop(space); // what an error is about is shown as long as nobody else makes one
	(made, log.0)
}

/// All of v2.
const V2: &str = "+cpuset +cpu +io +memory +hugetlb +pids +rdma +misc";

/// For a host that has no hierarchy of v1.
fn for_v2() -> Ask<'static> {
	let v2 = Some(Controllers::of_text(V2.replace('+', "").as_bytes()));
	Ask { v1: &[], v2, choices: choices(""), primary: None, skip_missing: false }
}

/// The translated image is this, and nothing is said.
#[track_caller]
fn becomes(text: &str, host: &str, wanted: &str) {
	let plain = |text: &str| text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
	let (made, said) = translated(text, host, "");
	assert_eq!(made, plain(wanted), "{said:?}");
	assert!(said.is_empty(), "{said:?}");
}

#[test]
fn trees_of_several_hierarchies_become_one() {
	becomes(
		"hierarchy memory
		group /a ancestor memory.limit_in_bytes=8388608
		group /a/b memory.limit_in_bytes=4194304
		group /a/c
		hierarchy cpu,cpuacct
		group /a ancestor cpu.shares=1024
		group /a/d cpu.shares=512
		group /a/b cpu.shares=2048
		group /z/y cpu.shares=1024
		set 1 cpu,cpuacct:/a/b memory:/a/b
		set 2 cpu,cpuacct:/z/y memory:/
		task 10 10 1
		task 11 11 2",
		V2,
		"hierarchy unified
		group /a ancestor memory.max=8388608 cpu.weight=100 cgroup.subtree_control=+cpu_+memory
		group /a/b memory.max=4194304 cpu.weight=174
		group /a/c
		group /a/d cpu.weight=59
		group /z ancestor
		group /z/y cpu.weight=100
		set 1 unified:/a/b
		set 2 unified:/z/y
		task 10 10 1
		task 11 11 2",
	);
}

#[test]
fn nothing_to_translate() {
	let v1 = "hierarchy memory\ngroup /a memory.limit_in_bytes=8388608\nhierarchy name=systemd\ngroup /a";
	for host in ["memory cpu", "memory name=systemd +cpu", "memory", "", "cpu"] {
		assert_eq!(translated(v1, host, "").0, "-", "{host}");
	}
	assert_eq!(translated("hierarchy unified\ngroup /a cgroup.freeze=1", "freezer +cpu", "").0, "-");
	let v2 = "hierarchy unified\ngroup /a memory.max=8388608";
	for host in ["+memory", "+memory +io cpu", "cpu +io", ""] {
		assert_eq!(translated(v2, host, "").0, "-", "{host}");
	}
}

#[test]
fn what_the_host_has_in_v1_stays() {
	becomes(
		"hierarchy net_cls,net_prio
		group /a net_cls.classid=5
		hierarchy pids
		group /a pids.max=5
		set 7 net_cls,net_prio:/a pids:/a",
		"net_cls +pids",
		"hierarchy net_cls,net_prio
		group /a net_cls.classid=5
		hierarchy unified
		group /a pids.max=5
		set 7 unified:/a net_cls,net_prio:/a",
	);
}

#[test]
fn a_head_of_several_components_is_a_way_for_others() {
	becomes(
		"hierarchy pids
		group /a/b/c pids.max=5
		group /a/d pids.max=6
		hierarchy cpu
		group /a/b cpu.shares=512
		group /a/b/e cpu.shares=512
		group / cpu.shares=1024
		set 1 pids:/",
		V2,
		"hierarchy unified
		group /a ancestor cgroup.subtree_control=+cpu_+pids
		group /a/b cpu.weight=59 cgroup.subtree_control=+cpu_+pids
		group /a/b/c pids.max=5
		group /a/b/e cpu.weight=59
		group /a/d pids.max=6
		set 1 unified:/",
	);
}

#[test]
fn lists_of_a_cpuset_that_are_those_of_the_group_above_say_nothing() {
	becomes(
		"hierarchy cpuset
		group /a cpuset.cpus=0-3 cpuset.mems=0
		group /a/b cpuset.cpus=0,1,2,3 cpuset.mems=0
		group /a/b/c cpuset.cpus=1-3 cpuset.mems=0
		group /a/d cpuset.cpus=0-3 cpuset.mems=0
		hierarchy pids
		group /a/b/c pids.max=4",
		V2,
		"hierarchy unified
		group /a cpuset.cpus=0-3 cpuset.mems=0 cgroup.subtree_control=+cpuset_+pids
		group /a/b cgroup.subtree_control=+cpuset_+pids
		group /a/b/c cpuset.cpus=1-3 pids.max=4
		group /a/d",
	);
}

#[test]
fn what_a_group_of_v2_hands_down_without_need_stays() {
	becomes(
		"hierarchy cpu
		group /b cpu.shares=512
		hierarchy unified
		group /a cgroup.subtree_control=memory
		group /a/x",
		V2,
		"hierarchy unified
		group /b cpu.weight=59
		group /a cgroup.subtree_control=+memory
		group /a/x",
	);
	becomes(
		"hierarchy cpu
		group /b cpu.shares=512
		hierarchy unified
		group /a cgroup.subtree_control=memory",
		V2,
		"hierarchy unified
		group /b cpu.weight=59
		group /a cgroup.subtree_control=+memory",
	);
}

#[test]
fn a_root_with_its_tree_stays_a_root() {
	becomes(
		"hierarchy pids
		group / ancestor
		group /a pids.max=5
		hierarchy cpu
		group /
		group /b cpu.shares=512",
		V2,
		"hierarchy unified
		group /
		group /a pids.max=5
		group /b cpu.weight=59",
	);
}

#[test]
fn owners_are_those_of_the_first_hierarchy_and_of_what_takes_processes() {
	becomes(
		"hierarchy name=systemd
		group /a uid=3 cgroup.procs= tasks=
		hierarchy pids
		group /a uid=1 pids.max=5 notify_on_release=0 cgroup.procs= tasks=
		hierarchy cpu
		group /a uid=2 cpu.shares=512 cgroup.procs= tasks=",
		V2,
		"hierarchy unified
		group /a uid=1 pids.max=5 cgroup.procs=* cgroup.threads=* cpu.weight=59 cgroup.subtree_control=+*",
	);
}

#[test]
fn a_hierarchy_of_v2_comes_along() {
	becomes(
		"hierarchy unified
		group /a uid=4 cgroup.procs= cgroup.subtree_control=memory cgroup.freeze=1 cgroup.max.depth=7
		group /a/b memory.max=8388608 cgroup.freeze=0
		hierarchy freezer
		group /a freezer.state=THAWED
		hierarchy cpu
		group /a/c cpu.shares=512
		set 1 unified:/a/b cpu:/a freezer:/
		set 2 unified:/ cpu:/a/c",
		V2,
		"hierarchy unified
		group /a uid=4 cgroup.procs=* cgroup.freeze=1 cgroup.max.depth=7 cgroup.subtree_control=+cpu_+memory
		group /a/b memory.max=8388608
		group /a/c cpu.weight=59
		set 1 unified:/a/b
		set 2 unified:/a/c",
	);
}

/// The message or error has all of the words.
#[track_caller]
fn refuses(text: &str, how: &str, words: &[&str]) {
	let (made, said) = translated(text, V2, how);
	let all = format!("{}\n{made}", said.join("\n"));
	for word in words {
		assert!(all.contains(word), "{word}: {all}");
	}
}

const APART: &str = "hierarchy cpu
	group /a
	group /b
	hierarchy pids
	group /a pids.max=5
	group /a/x
	hierarchy name=systemd
	group /s
	set 1 cpu:/a name=systemd:/s pids:/a/x
	set 2 cpu:/b pids:/a
	set 3 cpu:/ name=systemd:/s pids:/
	task 5 5 1
	task 6 6 2
	task 6 7 2
	task 8 8 3";

#[test]
fn tasks_whose_paths_differ_are_listed() {
	refuses(APART, "", &["set 2, tasks 6 7: cpu:/b pids:/a", "sets of tasks: 1: ", "--primary"]);
	refuses(APART, "primary=memory", &["--primary memory: no hierarchy"]);
	for (primary, path) in [("cpu", "/b"), ("pids", "/a")] {
		let made = translated(APART, V2, &format!("primary={primary}")).0;
		let set = format!("set 2 unified:{path}\nset 3 unified:/s\n");
		assert!(made.contains(&set), "{made}");
		let first = if primary == "cpu" { "set 1 unified:/a\n" } else { "set 1 unified:/a/x\n" };
		assert!(made.contains(first), "{made}");
	}
	let many: String = (0..30).map(|set| format!("\nset 1{set} cpu:/b pids:/a\ntask 9{set} 9{set} 1{set}")).collect();
	let (error, said) = translated(&format!("{APART}{many}"), V2, "");
	assert_eq!(said.len(), 20);
	assert!(error.starts_with("sets of tasks: 31: "), "{error}");
	let many: String = (0..30).map(|task| format!("\ntask 9{task} 9{task} 2")).collect();
	refuses(&format!("{APART}{many}"), "", &["tasks 6 7 90 91 92 93 94 95 and 24 more: "]);
}

#[test]
fn threads_are_where_their_process_is() {
	let text = "hierarchy cpu
		group /a
		group /a/x
		hierarchy pids
		group /a pids.max=5
		set 1 cpu:/a pids:/a
		set 2 cpu:/ pids:/a
		set 3 cpu:/a/x pids:/a
		task 5 5 1
		task 5 6 2";
	assert!(translated(text, V2, "").0.ends_with("task 5 6 2"));
	refuses(&format!("{text}\ntask 5 7 3"), "", &["thread 7 (t) of 5 in /a: /a/x", "process: 1: threads of one"]);
}

#[test]
fn a_group_with_tasks_cannot_hand_down() {
	let text = |below: &str, sets: &str| {
		format!(
			"hierarchy memory\ngroup /a\ngroup /a/x {below}\nhierarchy cpu\ngroup /a\ngroup /a/x\nset 1 memory:/a\nset 2 memory:/\ntask 4 4 1\n{sets}"
		)
	};
	refuses(
		&text("memory.limit_in_bytes=4096", ""),
		"",
		&["group /a: set 1, tasks 4, and below it limits of memory", "groups with tasks: 1: on cgroup v2"],
	);
	// Controllers for threads only matter if there are tasks below, others than limits not at all.
	let threads = "hierarchy pids\ngroup /a\ngroup /a/x pids.max=5\nset 1 pids:/a\nset 2 pids:/";
	assert!(translated(threads, V2, "").0.contains("+pids"));
	refuses(&format!("{threads}\nset 3 pids:/a/x"), "", &["limits of pids"]);
	assert!(translated(&text("", "set 3 memory:/a/x"), V2, "").0.ends_with("set 3 unified:/a/x\ntask 4 4 1"));
}

#[test]
fn what_v2_does_not_have_is_told_and_counted() {
	let text = "hierarchy memory
		group /a memory.swappiness=10 memory.limit_in_bytes=8388608
		hierarchy net_cls
		group /a/b net_cls.classid=7 notify_on_release=1 what.is_this=5";
	let (made, said) = translated(text, V2, "");
	assert_eq!(made, "hierarchy unified\ngroup /a memory.max=8388608\ngroup /a/b what.is_this=5");
	assert_eq!(
		said,
		[
			"lost: memory.swappiness of group /a, 10: cgroup v2 has nothing like it",
			"lost: net_cls.classid of group /a/b, 7: cgroup v2 has network programs (BPF) for it",
			"lost: notify_on_release of group /a/b, 1: cgroup v2 has nothing like it",
		]
	);
	let many: String = (0..30).map(|name| format!("\ngroup /x{name} net_cls.classid=7")).collect();
	let (_, said) = translated(&format!("hierarchy net_cls{many}"), V2, "");
	assert_eq!((said.len(), said[20].as_str()), (21, "lost: 10 more values"));
}

#[test]
fn a_controller_that_the_host_has_nowhere() {
	let text = "hierarchy memory\ngroup /a memory.limit_in_bytes=8388608\nhierarchy pids\ngroup /a pids.max=5";
	let (error, _) = translated(text, "+pids", "");
	assert!(error.contains("memory.limit_in_bytes of group /a, 8388608: v2 has not the controller here"), "{error}");
	let (made, said) = translated(text, "+pids", "skip");
	assert_eq!((made.as_str(), said.len()), ("hierarchy unified\ngroup /a pids.max=5", 1));
}

#[test]
fn a_group_that_comes_twice_is_damage() {
	let text = "hierarchy pids\ngroup /a/b pids.max=5\ngroup /a\ngroup /a/b pids.max=6";
	refuses(text, "", &["a group comes twice"]);
	refuses("hierarchy pids\ngroup /a/b\ngroup /c\ngroup /a/b", "", &["a group comes twice"]);
}

#[test]
fn a_tree_of_v2_becomes_one_of_each_hierarchy() {
	let text = "hierarchy unified
		group /a ancestor uid=5 cgroup.procs= cgroup.threads= cgroup.subtree_control=cpu_memory memory.max=8388608 cpu.weight=100
		group /a/b memory.max=max memory.high=5 cpu.weight=59 cpuset.cpus= cpuset.mems=0 cgroup.freeze=1
		group /c/d cgroup.type=domain
		hierarchy name=x
		group /x
		set 1 unified:/a/b name=x:/x
		task 5 5 1";
	let (made, said) = translated(text, "cpu,cpuacct cpuset freezer memory pids", "");
	let wanted = "hierarchy name=x
group /x
hierarchy cpu,cpuacct
group /a ancestor uid=5 cgroup.procs=* tasks=* cpu.shares=1024
group /a/b cpu.shares=521
group /c/d
hierarchy cpuset
group /a ancestor uid=5 cgroup.procs=* tasks=*
group /a/b cpuset.mems=0
group /c/d
hierarchy freezer
group /a ancestor uid=5 cgroup.procs=* tasks=*
group /a/b freezer.state=FROZEN
group /c/d
hierarchy memory
group /a ancestor uid=5 cgroup.procs=* tasks=* memory.limit_in_bytes=8388608
group /a/b memory.limit_in_bytes=-1
group /c/d
set 1 cpu,cpuacct:/a/b cpuset:/a/b freezer:/a/b memory:/a/b name=x:/x
task 5 5 1";
	assert_eq!(made, wanted);
	assert_eq!(said, ["lost: memory.high of group /a/b, 5: cgroup v1 has nothing like it"]);
}

#[test]
fn images_of_criu_are_translated() {
	let (made, said) = translated_bytes(include_bytes!("../../tests/corpus/v1-ct/cgroup.img"), &for_v2());
	let wanted = "hierarchy unified
group /ct ancestor cgroup.subtree_control=+cpuset_+cpu_+pids
group /ct/web devices.list=c_1:3_rwm|c_1:5_rwm cpuset.cpus=0-1 cpuset.mems=0 cpu.weight=59
group /ct/db ancestor cgroup.subtree_control=+cpuset_+pids
group /ct/db/s1 pids.max=42 cpuset.cpus=0-1 cpuset.mems=0
set 2 unified:/ct/web
set 3 unified:/ct/db/s1";
	assert_eq!(made, wanted);
	assert_eq!(said, ["lost: memory.oom_control of group /ct/web, 1: cgroup v2 has nothing like it"]);
	let (error, said) = translated_bytes(include_bytes!("../../tests/corpus/v1-threads/cgroup.img"), &for_v2());
	assert!(error.starts_with("sets of tasks: 1: "), "{error}");
	assert!(said[0].contains(" cpu,cpuacct:/ct/db cpuset:/ct/web "), "{said:?}");
}

#[test]
fn the_owner_of_a_freezers_state_goes_nowhere() {
	let bytes = image(
		"hierarchy freezer
		group /a uid=4 freezer.state=FROZEN
		hierarchy pids
		group /a uid=4 pids.max=5",
	);
	let mut out = Vec::new();
	assert!(matches!(translate_into(&mut out, &bytes, &for_v2()), (Ok(Some(0)), _)));
	let image = Image::open(&out).unwrap();
	let mut descent = Descent::new(&image.hierarchies().next().unwrap().unwrap());
	let mut owners = Vec::new();
	while let Some(Turn::Enter(group)) = descent.turn().unwrap() {
		let values = group.properties().map(Result::unwrap).filter(|saved| !saved.value.bytes().is_empty());
		owners.extend(values.map(|saved| (saved.name, saved.perms.map(|perms| perms.uid))));
	}
	assert!(owners.contains(&(b"cgroup.freeze", None)), "{owners:?}");
	assert!(owners.contains(&(b"pids.max", Some(4))), "{owners:?}");
}
