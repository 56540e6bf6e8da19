//! Two images compared: the same differences as a slow model finds that keeps everything in maps.

use std::collections::{BTreeMap, BTreeSet};

use cgraft::compare::{Workspace, compare};
use cgraft::difference::IMAGES;
use cgraft::image::view::{Image, Layout, Perms};

use crate::dice::Dice;
use crate::model::{About, Bytes, Group, Hierarchy, Model, Set, Task, as_rfc, join, write};
use crate::protobuf;

/// Files with values, the default first; the letter in front says which values mean the same. `p` stands for two that
/// do so in pages of 64 KiB only.
const FILES: &[(&str, &str, &[&str])] = &[
	("cpu", "cpu.shares", &["a1024", "a1024", "b512", "b512 ", "c2"]),
	(
		"memory",
		"memory.limit_in_bytes",
		&["a9223372036854771712", "a-1", "a9223372036854710272", "p65536", "p69632", "b131072"],
	),
	("cpuset", "cpuset.cpus", &["a", "b0-1", "b0,1", "b1,0", "c0"]),
	("freezer", "freezer.state", &["aTHAWED", "bFROZEN"]),
	("", "notify_on_release", &["a0", "b1"]),
	("", "cgroup.procs", &["a"]),
	("cpu", "cpu.mystery", &["?0", "?1"]),
];
const UNIFIED: &[(&str, &str, &[&str])] = &[
	("", "cgroup.procs", &["a"]),
	("", "cpu.max", &["amax 100000", "b50000 100000"]),
	("", "memory.max", &["amax", "b131072", "c262144"]),
	("", "cgroup.subtree_control", &["a", "bcpu io", "bio cpu", "cio"]),
];

fn perms(dice: &mut Dice) -> Perms {
	Perms { mode: dice.one(&[0o100644, 0o100644, 0o100644, 0o100600]), uid: u32::from(dice.once_in(9)), gid: 0 }
}

fn properties(dice: &mut Dice, names: &[Bytes]) -> Vec<(Bytes, Bytes, Option<Perms>)> {
	let files = if names == [b"".to_vec()] { UNIFIED } else { FILES };
	let mut all = Vec::new();
	for (controller, file, values) in files {
		let is_here = controller.is_empty() || names.iter().any(|name| name == controller.as_bytes());
		if is_here && !dice.once_in(6) {
			let value = if dice.once_in(2) { values[0] } else { dice.one(values) };
			all.push((file.as_bytes().to_vec(), value.as_bytes()[1..].to_vec(), Some(perms(dice))));
		}
	}
	all
}

/// Gives every group whose path is new.
fn group(dice: &mut Dice, name: &str, above: &[u8], names: &[Bytes], seen: &mut BTreeSet<Bytes>) -> Option<Group> {
	let path = join(above, name.as_bytes());
	if !seen.insert(path.clone()) {
		return None;
	}
	let ancestor = above.split(|byte| *byte == b'/').count() < 2 && dice.once_in(3);
	let mut made = Group {
		name: name.into(),
		ancestor,
		perms: Some(perms(dice)),
		attributes: vec![],
		properties: properties(dice, names),
		children: vec![],
	};
	let most = if above.len() < 8 { 4 } else { 0 };
	for _ in 0..dice.below(most + 1) {
		let word = dice.one(&["a", "b", "ab", "c d"]);
		made.children.extend(group(dice, word, &path, names, seen));
	}
	Some(made)
}

fn model(dice: &mut Dice) -> Model {
	let about = |dice: &mut Dice| About {
		texts: std::array::from_fn(|_| b"x".to_vec()),
		page_size: dice.one(&[4096, 4096, 65536, 0]),
		mounts: Vec::new(),
	};
	let mut model = Model { about: (!dice.once_in(4)).then(|| about(dice)), ..Model::default() };
	for names in [&["cpu", "memory"][..], &["cpuset"], &["freezer"], &["name=x"], &[""]] {
		if dice.once_in(5) {
			continue;
		}
		let names: Vec<Bytes> = names.iter().map(|name| name.as_bytes().to_vec()).collect();
		let mut seen = BTreeSet::new();
		let mut heads = Vec::new();
		for head in ["a", "a/b/c", "", "b/a", "ab", "a/b"] {
			if dice.once_in(3) {
				heads.extend(group(dice, head, b"", &names, &mut seen));
			}
		}
		model.hierarchies.push(Hierarchy { id: 1, names, heads, threaded: Some(false) });
	}
	for id in 1..2 + dice.below(6) as u32 {
		let path = |dice: &mut Dice| dice.one(&["/", "/a", "/a/b", "/ab"]).as_bytes().to_vec();
		let members = ["", "cpu,memory", "name=x"].iter().map(|name| (name.as_bytes().to_vec(), path(dice), None));
		model.sets.push(Set { id, members: members.collect() });
	}
	for pid in 0..dice.below(5) as u32 {
		let set = 1 + dice.below(model.sets.len()) as u32;
		model.tasks.push(Task { pid, tid: pid + pid % 2, ns_tid: None, start_time: 0, comm: b"c".to_vec(), set });
	}
	model
}

fn shuffle<T>(dice: &mut Dice, items: &mut [T]) {
	for at in 1..items.len() {
		items.swap(at, dice.below(at + 1));
	}
}

/// The same group with a few things changed.
fn disturb(dice: &mut Dice, group: &mut Group, names: &[Bytes], turns: bool) {
	if dice.once_in(6) {
		let files = properties(dice, names);
		for new in files {
			if dice.once_in(2) {
				group.properties.retain(|old| old.0 != new.0);
				group.properties.push(new);
			}
		}
	}
	if dice.once_in(8) {
		group.perms = Some(perms(dice));
	}
	if dice.once_in(8) {
		group.properties.pop();
	}
	group.children.retain(|_| !dice.once_in(9));
	if turns {
		shuffle(dice, &mut group.children);
		shuffle(dice, &mut group.properties);
	}
	if dice.once_in(8) {
		let new = Group { name: b"new".to_vec(), ancestor: dice.once_in(3), children: vec![], ..group.clone() };
		group.children.insert(0, new);
	}
	for child in &mut group.children {
		disturb(dice, child, names, turns);
	}
}

/// Heads that are ancestors give way to their children.
fn without_ancestors(heads: Vec<Group>) -> Vec<Group> {
	let mut all = Vec::new();
	for head in heads {
		if head.ancestor {
			let renamed = head.children.into_iter().map(|child| Group { name: join(&head.name, &child.name), ..child });
			all.extend(without_ancestors(renamed.collect()));
		} else {
			all.push(head);
		}
	}
	all
}

/// Each controller in a hierarchy of its own.
fn split(model: &mut Model) {
	fn keep(group: &mut Group, name: &[u8]) {
		let of = |file: &[u8]| FILES.iter().find(|known| known.1.as_bytes() == file).map_or("", |known| known.0);
		group.properties.retain(|(file, ..)| of(file).is_empty() || of(file).as_bytes() == name);
		group.children.iter_mut().for_each(|child| keep(child, name));
	}
	model.hierarchies = (model.hierarchies.drain(..).flat_map(|hierarchy| {
		let parts = hierarchy.names.clone().into_iter().map(move |name| {
			let mut part = Hierarchy { names: vec![name.clone()], ..hierarchy.clone() };
			if hierarchy.names.len() > 1 {
				part.heads.iter_mut().for_each(|head| keep(head, &name));
			}
			part
		});
		parts.collect::<Vec<_>>()
	}))
	.collect();
	for set in &mut model.sets {
		set.members = (set.members.iter().flat_map(|(name, path, _)| {
			name.split(|byte| *byte == b',').map(|name| (name.to_vec(), path.clone(), None)).collect::<Vec<_>>()
		}))
		.collect();
	}
}

fn changed(dice: &mut Dice, of: &Model) -> Model {
	let mut model = of.clone();
	let turns = dice.once_in(2);
	for hierarchy in &mut model.hierarchies {
		for head in &mut hierarchy.heads {
			disturb(dice, head, &hierarchy.names, turns);
		}
		if dice.once_in(3) {
			hierarchy.heads = without_ancestors(hierarchy.heads.drain(..).collect());
			let mut seen = BTreeSet::new();
			hierarchy.heads.retain(|head| paths(head, b"").into_iter().all(|path| seen.insert(path)));
		}
		if turns {
			shuffle(dice, &mut hierarchy.heads);
			hierarchy.names.reverse();
		}
	}
	model.hierarchies.retain(|_| !dice.once_in(9));
	model.sets.iter_mut().for_each(|set| {
		if dice.once_in(4) {
			set.members[0].1 = b"/elsewhere".to_vec();
		}
	});
	model.tasks.retain(|_| !dice.once_in(5));
	for task in &mut model.tasks {
		if dice.once_in(4) {
			task.set = 1 + dice.below(model.sets.len()) as u32;
		}
	}
	if turns {
		shuffle(dice, &mut model.tasks);
		shuffle(dice, &mut model.sets);
	}
	if dice.once_in(3) {
		split(&mut model);
	}
	match dice.below(4) {
		0 => model.tasks.clear(),
		1 => model.about = None,
		2 => model.about.iter_mut().for_each(|about| about.page_size = 65536),
		_ => {}
	}
	model
}

fn paths(group: &Group, above: &[u8]) -> Vec<Bytes> {
	let path = join(above, &group.name);
	let below = group.children.iter().flat_map(|child| paths(child, &path)).collect::<Vec<_>>();
	[vec![path], below].concat()
}

// The model of the comparison.

/// By path: the group, and whether what lies above it hides it where the other image does not have it.
type Tree<'m> = BTreeMap<Bytes, (&'m Group, Option<Bytes>)>;

fn tree<'m>(group: &'m Group, above: Option<&[u8]>, all: &mut Tree<'m>) {
	let path = join(above.unwrap_or(b""), &group.name);
	all.insert(path.clone(), (group, above.map(<[u8]>::to_vec)));
	group.children.iter().for_each(|child| tree(child, Some(&path), all));
}

fn trees(hierarchy: &Hierarchy) -> Tree<'_> {
	let mut all = Tree::new();
	hierarchy.heads.iter().for_each(|head| tree(head, None, &mut all));
	all
}

fn text(bytes: &[u8]) -> String {
	String::from_utf8(bytes.to_vec()).unwrap()
}

fn label(names: &[Bytes]) -> String {
	let label = text(&names.join(&b','));
	if label.is_empty() { "unified".to_string() } else { label }
}

/// What a value means: its letter, or itself.
fn meaning(file: &[u8], value: &[u8], coarse: bool) -> (char, Bytes) {
	let known = FILES.iter().chain(UNIFIED).find(|known| known.1.as_bytes() == file).unwrap();
	let found = known.2.iter().find(|spelling| spelling.as_bytes()[1..] == *value);
	match found.map(|spelling| spelling.chars().next().unwrap()) {
		Some(letter) if letter != '?' && (letter != 'p' || coarse) => (letter, Bytes::new()),
		_ => ('?', value.to_vec()),
	}
}

struct Slow<'m> {
	sides: [&'m Model; 2],
	lines: Vec<String>,
}

impl Slow<'_> {
	fn say(&mut self, line: String) {
		self.lines.push(line);
	}

	fn all(&mut self) {
		let [one, other] = self.sides;
		for a in &one.hierarchies {
			for b in &other.hierarchies {
				let shared: Vec<Bytes> = a.names.iter().filter(|name| b.names.contains(name)).cloned().collect();
				if !shared.is_empty() {
					self.pair(a, b, &shared);
				}
			}
		}
		for (side, name) in ["A", "B"].iter().enumerate() {
			for hierarchy in &self.sides[side].hierarchies {
				let other: Vec<_> = self.sides[1 - side].hierarchies.iter().flat_map(|other| &other.names).collect();
				let left: Vec<_> = hierarchy.names.iter().filter(|name| !other.contains(name)).cloned().collect();
				if !left.is_empty() && !hierarchy.heads.is_empty() {
					self.say(format!("hierarchy {}: only in {name}", label(&left)));
				}
			}
		}
		if one.tasks.is_empty() || other.tasks.is_empty() { self.sets() } else { self.tasks() }
	}

	fn pair(&mut self, a: &Hierarchy, b: &Hierarchy, shared: &[Bytes]) {
		let (label, both) = (label(shared), [trees(a), trees(b)]);
		let mut unsaved = BTreeSet::new();
		for (side, name) in ["A", "B"].iter().enumerate() {
			let (own, other) = (&both[side], &both[1 - side]);
			for (path, (group, above)) in own {
				let place = format!("group /{} of {label}", text(path));
				if let Some((like, _)) = other.get(path) {
					self.files(&place, [group, like], side, shared, &both, &label, &mut unsaved);
					continue;
				}
				let hides = |above: &Bytes| !other.contains_key(above) && !own[above].0.ancestor;
				if !above.as_ref().is_some_and(hides) {
					self.say(format!("{place}: only in {name}"));
				}
			}
		}
		self.lines.extend(unsaved);
	}

	#[allow(clippy::too_many_arguments)]
	fn files(
		&mut self,
		place: &str,
		[own, other]: [&Group; 2],
		side: usize,
		shared: &[Bytes],
		both: &[Tree<'_>; 2],
		label: &str,
		unsaved: &mut BTreeSet<String>,
	) {
		let about = self.sides.map(|side| side.about.as_ref());
		let sizes = about.map(|about| about.map_or(0, |about| about.page_size));
		let coarse = sizes[0] != sizes[1] && !sizes.contains(&0);
		for (file, value, perms) in &own.properties {
			let core = matches!(&file[..], b"notify_on_release" | b"cgroup.procs") || shared == [b"".to_vec()];
			let controller = file.split(|byte| *byte == b'.').next().unwrap();
			if !core && !shared.iter().any(|name| name == controller) {
				continue;
			}
			let name = text(file);
			match other.properties.iter().find(|like| like.0 == *file) {
				Some((_, like, other_perms)) if side == 0 => {
					if meaning(file, value, coarse) != meaning(file, like, coarse) {
						self.say(format!("{place}: {name}: A has {}, B has {}", text(value), text(like)));
					}
					if file != b"freezer.state" || about.iter().all(|about| about.is_some()) {
						self.owner(&format!("{place}: owner of {name}"), *perms, *other_perms);
					}
				}
				Some(_) => {}
				None if meaning(file, value, coarse).0 == 'a' => {}
				None => {
					let has = |group: &Group| group.properties.iter().any(|property| property.0 == *file);
					let saved = both[1 - side].values().any(|(group, _)| has(group));
					let mut shown = ["none".to_string(), "none".to_string()];
					shown[side] = text(value);
					if saved || file == b"cpu.mystery" {
						self.say(format!("{place}: {name}: A has {}, B has {}", shown[0], shown[1]));
					} else {
						unsaved.insert(format!("hierarchy {label}: {} does not save {name}", ["B", "A"][side]));
					}
				}
			}
		}
		if side == 0 {
			self.owner(&format!("{place}: owner"), own.perms, other.perms);
		}
	}

	fn owner(&mut self, place: &str, one: Option<Perms>, other: Option<Perms>) {
		let shown = |perms: Perms| format!("{}:{} {:04o}", perms.uid, perms.gid, perms.mode & 0o7777);
		if let (Some(one), Some(other)) = (one, other)
			&& shown(one) != shown(other)
		{
			self.say(format!("{place}: A has {}, B has {}", shown(one), shown(other)));
		}
	}

	fn set(&self, side: usize, id: u32) -> &Set {
		self.sides[side].sets.iter().find(|set| set.id == id).unwrap()
	}

	fn tasks(&mut self) {
		let [one, other] = self.sides;
		for (tasks, others, name) in [(&one.tasks, &other.tasks, "A"), (&other.tasks, &one.tasks, "B")] {
			for task in tasks {
				let like = others.iter().find(|like| (like.pid, like.tid) == (task.pid, task.tid));
				match like {
					None => self.lines.push(format!("task {}: only in {name}", task.tid)),
					Some(like) if name == "A" => {
						let (left, right) = (self.set(0, task.set).clone(), self.set(1, like.set).clone());
						self.memberships(task.tid, &left, &right);
					}
					Some(_) => {}
				}
			}
		}
	}

	fn memberships(&mut self, tid: u32, left: &Set, right: &Set) {
		for (name, path, _) in &left.members {
			for (like, other, _) in &right.members {
				let names = |text: &Bytes| text.split(|byte| *byte == b',').map(<[u8]>::to_vec).collect::<Vec<_>>();
				let shared: Vec<_> = names(name).into_iter().filter(|name| names(like).contains(name)).collect();
				if !shared.is_empty() && path != other {
					let (path, other) = (text(path), text(other));
					self.say(format!("task {tid} of {}: A has {path}, B has {other}", label(&shared)));
				}
			}
		}
	}

	fn sets(&mut self) {
		let by_name = |set: &Set| {
			let mut all = BTreeMap::new();
			for (name, path, _) in &set.members {
				all.extend(name.split(|byte| *byte == b',').map(|name| (name.to_vec(), path.clone())));
			}
			all
		};
		for (side, name) in ["A", "B"].iter().enumerate() {
			let others: Vec<_> = self.sides[1 - side].sets.iter().map(by_name).collect();
			for set in self.sides[side].sets.iter().filter(|set| set.id != 1) {
				if others.contains(&by_name(set)) {
					continue;
				}
				let shown = set.members.iter().filter(|member| member.1 != b"/");
				let shown =
					shown.map(|(name, path, _)| format!(" {}:{}", label(std::slice::from_ref(name)), text(path)));
				let shown = shown.collect::<String>();
				let shown = if shown.is_empty() { " /".to_string() } else { shown };
				self.say(format!("tasks in{shown}: only in {name}"));
			}
		}
	}
}

fn slow(sides: [&Model; 2]) -> Vec<String> {
	let mut slow = Slow { sides, lines: Vec::new() };
	slow.all();
	slow.lines.sort();
	slow.lines
}

fn fast(files: [&[u8]; 2]) -> Vec<String> {
	let [one, other] = files.map(|file| Image::open(file).unwrap());
	let mut lines = Vec::new();
	let mut space = Box::new(Workspace::new());
	let count = compare([&one, &other], &mut space, &mut |difference| lines.push(difference.line(&IMAGES).to_string()));
	assert_eq!(count, Ok(lines.len() as u64));
	lines.sort();
	lines
}

/// One of the ways to write it, and what that keeps.
fn written(dice: &mut Dice, model: Model) -> (Bytes, Model) {
	match dice.below(5) {
		0 if model.hierarchies.iter().all(|hierarchy| !hierarchy.names[0].is_empty())
			&& !model.hierarchies.is_empty() =>
		{
			let kept = as_rfc(&model).0;
			(write(&model, Layout::Rfc).unwrap().0, kept)
		}
		1 => (protobuf::file(&protobuf::payload(&model), true), model),
		_ => (write(&model, Layout::Criu).unwrap().0, model),
	}
}

#[test]
fn the_differences_are_those_of_a_slow_model() {
	let mut dice = Dice(0xd1ff);
	let (mut kinds, mut total) = (BTreeMap::<String, u32>::new(), 0);
	for turn in 0..300 {
		let one = model(&mut dice);
		let other = if dice.once_in(8) { model(&mut dice) } else { changed(&mut dice, &one) };
		let (mut one, mut other) = (written(&mut dice, one), written(&mut dice, other));
		if dice.once_in(2) {
			(one, other) = (other, one);
		}
		let expected = slow([&one.1, &other.1]);
		let found = fast([&one.0, &other.0]);
		let [more, less] = [(&found, &expected), (&expected, &found)]
			.map(|(of, without)| of.iter().filter(|line| !without.contains(line)).collect::<Vec<_>>());
		assert!(found == expected, "turn {turn}: told {more:#?}, not told {less:#?}");
		assert_eq!(fast([&one.0, &one.0]), Vec::<String>::new(), "turn {turn}");
		total += expected.len();
		for line in expected {
			let kind = line.split(' ').next().unwrap().to_string();
			let what =
				["only in", "does not save", "owner", "has none", "mystery"].iter().find(|what| line.contains(**what));
			*kinds.entry(format!("{kind} {}", what.unwrap_or(&"has"))).or_default() += 1;
		}
	}
	for kind in
		["group only in", "group has", "group owner", "group has none", "hierarchy only in", "hierarchy does not save"]
	{
		assert!(kinds.get(kind).is_some_and(|count| *count > 10), "{kind}: {kinds:?}");
	}
	for kind in ["task only in", "task has", "tasks only in", "group mystery"] {
		assert!(kinds.get(kind).is_some_and(|count| *count > 4), "{kind}: {kinds:?}");
	}
	assert!(total > 1000);
}

/// Many siblings: none in common, the same ones the other way round, every second one.
#[test]
fn many_siblings_in_any_order() {
	let child = |name: String| Group {
		name: name.into_bytes(),
		ancestor: false,
		perms: Some(Perms { mode: 0o40755, uid: 0, gid: 0 }),
		attributes: Vec::new(),
		properties: Vec::new(),
		children: Vec::new(),
	};
	let image = |names: Vec<String>| {
		let head = Group { children: names.into_iter().map(child).collect(), ..child("top".to_string()) };
		let hierarchy = Hierarchy { id: 1, names: vec![b"cpu".to_vec()], heads: vec![head], threaded: None };
		write(&Model { hierarchies: vec![hierarchy], ..Model::default() }, Layout::Criu).unwrap().0
	};
	let named =
		|prefix: &str, step: usize| (0..1000).step_by(step).map(|at| format!("{prefix}{at}")).collect::<Vec<_>>();
	let (all, others, half) = (named("a", 1), named("b", 1), named("a", 2));
	let reversed: Vec<String> = all.iter().rev().cloned().collect();
	let all = image(all);
	assert_eq!(fast([&all, &image(others)]).len(), 2000);
	assert_eq!(fast([&all, &image(reversed)]).len(), 0);
	assert_eq!(fast([&all, &image(half)]).len(), 500);
}
