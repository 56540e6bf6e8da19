//! Whole images, as texts: a few hierarchies in, what the translated image has out.

extern crate std;
use std::boxed::Box;
use std::fmt::Arguments;
use std::format;
use std::string::{String, ToString};
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
				let member = |word: &&'static str| {
					let (name, path) = word.split_once(':').unwrap();
					let name = if name == "unified" { "" } else { name };
					Member { name: name.as_bytes(), path: path.as_bytes(), cgns_prefix: None, at: 0 }
				};
				// The texts of tests live as long as the test.
				let leaked: &'static str = Box::leak(line.to_string().into_boxed_str());
				let words: Vec<&'static str> = leaked.split(' ').collect();
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
	let bytes = image(text);
	let image = Image::open(&bytes).unwrap();
	vet(&image).unwrap();
	let (mut out, mut log) = (Vec::new(), Kept(Vec::new()));
	let mut space = Box::<Space>::default();
	let made = translate(&image, &mut out, &ask, &mut space, &mut log);
	match made {
		Ok(None) => ("-".to_string(), log.0),
		Ok(Some((_, lost))) => {
			let shown = log.0.iter().filter(|line| line.starts_with("lost: ")).count() as u64;
			assert!(lost == shown || lost > 20);
			(told(&out), log.0)
		}
		Err(error) => (error.to_string(), log.0),
	}
}

/// All of v2.
const V2: &str = "+cpuset +cpu +io +memory +hugetlb +pids +rdma +misc";

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
