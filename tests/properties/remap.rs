//! Paths of the target: compared with a model that works on lists of components.

use cgraft::image::view::{Image, Layout};
use cgraft::limits::PATH_BYTES;
use cgraft::name::check;
use cgraft::remap::{Path, Rule, common, target};

use crate::dice::Dice;
use crate::model::{Bytes, Group, Hierarchy, Model, join, random, write};

type Components = Vec<Bytes>;

fn parts(path: &[u8]) -> Components {
	path.split(|byte| *byte == b'/').filter(|part| !part.is_empty()).map(<[u8]>::to_vec).collect()
}

/// Few words, so that prefixes meet: whole, and as the beginning of longer ones.
fn words(dice: &mut Dice) -> Components {
	(0..dice.below(5)).map(|_| dice.one(&[&b"foo"[..], b"foobar", b"f", b"...", b"o o", b"\xff"]).to_vec()).collect()
}

fn moved(rule: &(Components, Components), path: &Components) -> Components {
	match path.strip_prefix(&rule.0[..]) {
		Some(rest) if !path.is_empty() || !rule.0.is_empty() => [&rule.1[..], rest].concat(),
		_ => path.clone(),
	}
}

fn proved(path: &[u8]) -> bool {
	path.is_empty() || path.split(|byte| *byte == b'/').all(|part| check(part).is_ok())
}

#[test]
fn a_rule_moves_whole_components_and_nothing_else() {
	let mut dice = Dice(0x3a9);
	let mut hits = 0;
	for _ in 0..20_000 {
		let rule = (words(&mut dice), words(&mut dice));
		let path = words(&mut dice);
		let real = Rule {
			old: Path::from_slice(&rule.0.join(&b'/')).unwrap(),
			new: Path::from_slice(&rule.1.join(&b'/')).unwrap(),
			moves: true,
		};
		let mut into = Path::from_slice(b"left over").unwrap();
		real.map(&path.join(&b'/'), &mut into).unwrap();
		assert_eq!(parts(&into), moved(&rule, &path), "{rule:?} {path:?}");
		assert!(proved(&into), "{into:?}");
		hits += usize::from(parts(&into) != path);
	}
	assert!(hits > 800, "rules matched {hits} times only");
}

#[test]
fn foo_never_matches_foobar() {
	let rule = Rule { old: Path::from_slice(b"foo").unwrap(), new: Path::from_slice(b"new").unwrap(), moves: true };
	for (from, to) in
		[(&b"foo"[..], &b"new"[..]), (b"foo/x", b"new/x"), (b"foobar", b"foobar"), (b"foobar/x", b"foobar/x")]
	{
		let mut into = Path::new();
		rule.map(from, &mut into).unwrap();
		assert_eq!(into, to);
	}
}

#[test]
fn a_path_that_gets_too_long_is_a_fault_and_not_cut() {
	let long = vec![b'n'; PATH_BYTES - 10];
	let rule = Rule { old: Path::from_slice(b"a").unwrap(), new: Path::from_slice(&long).unwrap(), moves: true };
	let mut into = Path::new();
	assert!(rule.map(b"a/123456789", &mut into).is_ok());
	assert_eq!(into.len(), PATH_BYTES);
	assert!(rule.map(b"a/1234567890", &mut into).is_err());
	assert!(rule.map(b"a/1/2/3/4/5/6", &mut into).is_err());
}

#[test]
fn a_target_is_proved_or_refused() {
	let mut dice = Dice(0x7a46e7);
	let (mut good, mut bad) = (0, 0);
	for _ in 0..20_000 {
		let pieces: &[&[u8]] = &[b"/", b"/", b"a", b"..", b".", b"\n", b"\0", b"b c", b"\xff"];
		let typed: Bytes = (0..1 + dice.below(7)).flat_map(|_| dice.one(pieces).to_vec()).collect();
		let mut path = Path::from_slice(b"left over").unwrap();
		match target(&typed, &mut path) {
			Ok(()) => {
				assert!(proved(&path), "{typed:?} became {path:?}");
				assert_eq!(parts(&path), parts(&typed));
				good += 1;
			}
			Err(_) => {
				let inner = typed.strip_suffix(b"/").unwrap_or(&typed);
				let inner = inner.strip_prefix(b"/").unwrap_or(inner);
				assert!(!proved(inner), "{typed:?} was refused");
				bad += 1;
			}
		}
	}
	assert!(good > 1000 && bad > 1000);
}

fn walked(group: &Group, above: &[u8], all: &mut Vec<Components>) {
	let path = join(above, &group.name);
	if !group.ancestor && !group.name.is_empty() {
		all.push(parts(&path));
	}
	group.children.iter().for_each(|child| walked(child, &path, all));
}

fn shared(all: &[Components]) -> Option<Components> {
	let (first, rest) = all.split_first()?;
	let len = |path: &Components| first.iter().zip(path).take_while(|(left, right)| left == right).count();
	Some(first[..rest.iter().map(len).min().unwrap_or(first.len())].to_vec())
}

#[test]
fn what_all_groups_have_in_common() {
	let mut dice = Dice(0xc0330);
	let mut some = 0;
	for _ in 0..150 {
		let mut heads = random(&mut dice).hierarchies.pop().map_or(Vec::new(), |hierarchy| hierarchy.heads);
		let above = words(&mut dice).join(&b'/');
		heads.iter_mut().for_each(|head| head.name = join(&above, &head.name));
		let hierarchy = Hierarchy { id: 0, names: vec![b"pids".to_vec()], heads, threaded: Some(true) };
		let mut all = Vec::new();
		hierarchy.heads.iter().for_each(|head| walked(head, b"", &mut all));
		let (file, _) = write(&Model { hierarchies: vec![hierarchy], ..Model::default() }, Layout::Criu).unwrap();
		let hierarchy = Image::open(&file).unwrap().hierarchies().next().unwrap().unwrap();
		let mut real = Path::from_slice(b"left over").unwrap();
		let found = common(&hierarchy, &mut real).unwrap();
		assert_eq!(found.then(|| parts(&real)), shared(&all));
		some += usize::from(shared(&all).is_some_and(|path| !path.is_empty()));
	}
	assert!(some > 15, "{some}");
}
