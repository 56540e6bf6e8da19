//! Images that are rewritten: compared with a model that makes a list of all groups and maps their paths by components.

use std::collections::BTreeMap;
use std::fmt;

use cgraft::error::Error;
use cgraft::image::view::{Image, Layout};
use cgraft::log::{Level, Log};
use cgraft::name::check;
use cgraft::rewrite::paths::Paths;
use cgraft::rewrite::{Change, Space, rewrite};

use crate::dice::Dice;
use crate::memory::Memory;
use crate::model::{Bytes, Group, Hierarchy, Model, Set, join, random, read, write};

struct Nothing;
impl Change for Nothing {}

struct Quiet;
impl Log for Quiet {
	fn say(&mut self, _: Level, _: fmt::Arguments<'_>) {}
	fn sum_up(&mut self, _: fmt::Arguments<'_>) {}
}

fn rewritten(file: &[u8], change: &mut dyn Change) -> Result<Bytes, Error> {
	let mut space = Box::new(Space::new());
	Ok(rewrite(&Image::open(file).unwrap(), Memory::default(), change, &mut space)?.0)
}

/// Whether the group or one below is more than a way.
fn has_walked(group: &Group) -> bool {
	!group.ancestor || group.children.iter().any(has_walked)
}

fn prune(groups: &mut Vec<Group>) {
	groups.retain(has_walked);
	groups.iter_mut().for_each(|group| prune(&mut group.children));
}

#[test]
fn a_copy_is_the_same_but_for_ways_that_lead_nowhere() {
	let mut dice = Dice(0x00c0_97e5);
	for _ in 0..40 {
		let mut model = random(&mut dice);
		for (at, hierarchy) in model.hierarchies.iter_mut().enumerate() {
			hierarchy.id = 0;
			hierarchy.names = vec![format!("c{at}").into_bytes()];
		}
		let (file, _) = write(&model, Layout::Criu).unwrap();
		let copy = rewritten(&file, &mut Nothing).unwrap();
		model.hierarchies.iter_mut().for_each(|hierarchy| prune(&mut hierarchy.heads));
		model.about.iter_mut().for_each(|about| about.mounts.clear());
		assert_eq!(read(&copy), Ok((model.clone(), Layout::Criu)));
		assert_eq!(rewritten(&copy, &mut Nothing).unwrap(), copy);
	}
}

type Components = Vec<Bytes>;

fn parts(path: &[u8]) -> Components {
	path.split(|byte| *byte == b'/').filter(|part| !part.is_empty()).map(<[u8]>::to_vec).collect()
}

fn shown(path: &Components) -> Bytes {
	[b"/", &path.join(&b'/')[..]].concat()
}

const WORDS: &[&[u8]] = &[b"foo", b"foobar", b"f", b"..."];
/// Hierarchies: as the image calls them, as memberships do, and as rules do.
const LABELS: &[&[u8]] = &[b"cpu,cpuacct", b"pids", b""];
const MEMBERS: &[&[u8]] = &[b"cpuacct,cpu", b"pids", b""];
const SELECTORS: &[&[u8]] = &[b"cpuacct", b"pids", b"unified"];

fn words(dice: &mut Dice, most: usize) -> Components {
	(0..dice.below(most + 1)).map(|_| dice.one(WORDS).to_vec()).collect()
}

/// A few groups with names from few words; what is an ancestor lies above something.
fn some_groups(dice: &mut Dice, depth: usize) -> Vec<Group> {
	let mut names: Vec<&[u8]> = WORDS.iter().copied().filter(|_| dice.once_in(2)).collect();
	let groups = names.drain(..).map(|name| {
		let children = if depth > 0 { some_groups(dice, depth - 1) } else { Vec::new() };
		let ancestor = !children.is_empty() && dice.once_in(3);
		let properties = vec![(b"notify_on_release".to_vec(), dice.below(100).to_string().into_bytes(), None)];
		Group { name: name.to_vec(), ancestor, perms: None, attributes: Vec::new(), properties, children }
	});
	groups.collect()
}

fn some_image(dice: &mut Dice) -> Model {
	let hierarchies = LABELS.iter().map(|label| Hierarchy {
		id: 0,
		names: label.split(|byte| *byte == b',').map(<[u8]>::to_vec).collect(),
		heads: some_groups(dice, 2),
		threaded: Some(true),
	});
	let hierarchies = hierarchies.collect();
	let member = |label: &&[u8], dice: &mut Dice| {
		let path = words(dice, 3);
		let prefix = shown(&path[..dice.below(path.len() + 1)].to_vec()).len() as u32;
		(label.to_vec(), shown(&path), dice.once_in(2).then_some(if prefix == 1 { 0 } else { prefix }))
	};
	let sets =
		(0..3).map(|id| Set { id, members: MEMBERS.iter().map(|label| member(label, dice)).collect() }).collect();
	Model { sets, hierarchies, ..Model::default() }
}

struct Rule {
	label: Option<&'static [u8]>,
	old: Components,
	new: Components,
}

impl Rule {
	fn random(dice: &mut Dice) -> Self {
		let label = dice.once_in(3).then(|| dice.one(LABELS));
		Rule { label, old: words(dice, 2), new: words(dice, 3) }
	}

	fn typed(&self) -> Bytes {
		let place = LABELS.iter().position(|label| self.label == Some(label));
		let label = place.map_or(Bytes::new(), |at| [SELECTORS[at], b":"].concat());
		[&label[..], &shown(&self.old), b"=", &shown(&self.new)].concat()
	}
}

/// The rule for a path: every one is tried.
fn rule_for<'r>(rules: &'r [Rule], label: &[u8], path: &Components) -> Option<&'r Rule> {
	let mut best: Option<&Rule> = None;
	for rule in rules.iter().filter(|rule| rule.label.is_none_or(|own| own == label) && path.starts_with(&rule.old)) {
		let is_better = best.is_none_or(|best| {
			rule.old.len() > best.old.len() || rule.old.len() == best.old.len() && rule.label.is_some()
		});
		if is_better {
			best = Some(rule);
		}
	}
	best
}

fn mapped(rules: &[Rule], label: &[u8], path: &Components) -> Components {
	match rule_for(rules, label, path) {
		Some(rule) => [&rule.new[..], &path[rule.old.len()..]].concat(),
		None => path.clone(),
	}
}

/// Every group with its path.
fn each(groups: &[Group], above: &[u8], all: &mut Vec<(Bytes, Group)>) {
	for group in groups {
		let path = join(above, &group.name);
		each(&group.children, &path, all);
		all.push((path, Group { name: Bytes::new(), children: Vec::new(), ..group.clone() }));
	}
}

/// What has to come out of a hierarchy; none where two groups fall together.
fn model_of(rules: &[Rule], label: &[u8], heads: &[Group]) -> Option<BTreeMap<Bytes, Group>> {
	let (mut all, mut wanted) = (Vec::new(), BTreeMap::new());
	each(heads, b"", &mut all);
	let rule = |path: &Components| rule_for(rules, label, path).map(|rule| rule.typed());
	for (path, group) in &all {
		let path = parts(path);
		let below = |(other, group): &&(Bytes, Group)| {
			let other = parts(other);
			!group.ancestor && other.starts_with(&path) && rule(&other) == rule(&path)
		};
		// An ancestor is there for the groups that go with it.
		if group.ancestor && !all.iter().any(|other| below(&other)) {
			continue;
		}
		if wanted.insert(mapped(rules, label, &path).join(&b'/'), group.clone()).is_some() {
			return None;
		}
	}
	Some(wanted)
}

fn judge_maps(model: &Model, rules: &[Rule]) -> Option<bool> {
	let (file, _) = write(model, Layout::Criu).unwrap();
	let typed: Vec<Bytes> = rules.iter().map(Rule::typed).collect();
	let mut paths = Box::new(Paths::new());
	typed.iter().for_each(|rule| assert_eq!(paths.add(rule), Ok(true)));
	let wanted: Vec<_> =
		model.hierarchies.iter().zip(LABELS).map(|(own, label)| model_of(rules, label, &own.heads)).collect();
	if paths.judge(&Image::open(&file).unwrap(), &mut Quiet).is_err() {
		return wanted.iter().any(Option::is_none).then_some(false);
	}
	let (result, _) = read(&rewritten(&file, &mut *paths).unwrap()).unwrap();
	for (hierarchy, wanted) in result.hierarchies.iter().zip(wanted) {
		let mut all = Vec::new();
		each(&hierarchy.heads, b"", &mut all);
		let mut seen: Vec<&Bytes> = Vec::new();
		// In the order of the image a group never comes before the one that it lies in.
		let mut order = Vec::new();
		hierarchy.heads.iter().for_each(|head| in_order(head, b"", &mut order));
		for path in &order {
			assert!(path.split(|byte| *byte == b'/').all(|part| check(part).is_ok()) || path.is_empty());
			assert!(!seen.iter().any(|before| before.starts_with(&[path, &b"/"[..]].concat())), "{order:?}");
			seen.push(path);
		}
		let count = all.len();
		let all: BTreeMap<_, _> = all.into_iter().collect();
		assert_eq!(all.len(), count, "no path comes twice");
		assert_eq!(Some(all), wanted, "{typed:?}");
	}
	for (before, after) in model.sets.iter().zip(&result.sets) {
		let both = before.members.iter().zip(&after.members).zip(LABELS);
		for (((_, path, prefix), (_, new, new_prefix)), label) in both {
			let map = |path: &Components| if path.is_empty() { path.clone() } else { mapped(rules, label, path) };
			assert_eq!(parts(new), map(&parts(path)), "{typed:?}");
			assert_eq!(*new, shown(&parts(new)));
			let root = prefix.map(|prefix| map(&parts(&path[..prefix as usize])));
			let root = root.filter(|root| parts(new).starts_with(root));
			assert_eq!(new_prefix.map(|prefix| parts(&new[..prefix as usize])), root, "{typed:?} {path:?}");
		}
	}
	Some(true)
}

fn in_order(group: &Group, above: &[u8], all: &mut Vec<Bytes>) {
	let path = join(above, &group.name);
	all.push(path.clone());
	group.children.iter().for_each(|child| in_order(child, &path, all));
}

#[test]
fn groups_and_memberships_go_where_the_rules_say_or_nothing_goes() {
	let mut dice = Dice(0x0a75);
	let (mut taken, mut refused, mut careful) = (0, 0, 0);
	for _ in 0..2_000 {
		let model = some_image(&mut dice);
		let rules: Vec<Rule> = (0..1 + dice.below(3)).map(|_| Rule::random(&mut dice)).collect();
		match judge_maps(&model, &rules) {
			Some(true) => taken += 1,
			Some(false) => refused += 1,
			None => careful += 1, // nothing to move, a path twice, or groups that only might fall together
		}
	}
	assert!(taken > 200 && refused > 200, "{taken} {refused} {careful}");
}
