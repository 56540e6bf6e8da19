//! Everything between an image and a host, with a host that is made up: the image is judged, its paths and values are mapped, it
//! is translated for the hierarchies that this host has, its groups get their places, and what would be written is written
//! into files in memory.
#![no_main]

use std::cell::RefCell;
use std::collections::BTreeMap;

use cgraft::error::Fault;
use cgraft::hierarchy::Label;
use cgraft::image::view::Image;
use cgraft::name::check;
use cgraft::owners::Shift;
use cgraft::plan::{Target, writes};
use cgraft::property::{Version, Write, find, value};
use cgraft::remap::{Path, Place, Rule, common, target};
use cgraft::rewrite::each_group;
use cgraft::rewrite::paths::Paths;
use cgraft::rewrite::values::{Maps, Rename, Room, Values};
use cgraft::translate::Choices;
use cgraft::translate::controllers::Controllers;
use cgraft::translate::image::{Ask, Space, translate};
use cgraft::vet::vet;
use cgraft_fuzz::build::{LABELS, Take, image, path};
use cgraft_fuzz::{Memory, Terminal, judge, judged, rewritten};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
	let take = &mut Take(input);
	let host = Host { how: take.byte(), primary: take.byte() };
	let rules = (0..take.below(3)).map(|_| rule(take)).collect::<Vec<_>>();
	let root = path(take);
	let mut file = image(take);
	let Some(counts) = judge(&file).map(|counts| (counts.sets, counts.tasks, counts.unknown)) else { return };
	let (counts, unknown) = ((counts.0, counts.1), counts.2);
	if let Some(mapped) = mapped(&file, &rules, counts) {
		file = mapped;
	}
	if let Some(translated) = host.translated(&file, unknown == 0, counts) {
		file = translated;
	}
	grown(&file, &root);
});

fn rule(take: &mut Take<'_>) -> Vec<u8> {
	let selector: &[u8] = match take.byte() {
		0..200 => b"",
		200..220 => b"unified:",
		220..240 => b"memory:",
		_ => b"cpu:",
	};
	[selector, b"/", &path(take), b"=/", &path(take)].concat()
}

/// What rules make of a good image: another good one, or the rules are refused.
fn mapped(file: &[u8], rules: &[Vec<u8>], counts: (u64, u64)) -> Option<Vec<u8>> {
	let mut paths = Box::new(Paths::new());
	for rule in rules {
		assert!(paths.add(rule).ok()?);
	}
	let image = Image::open(file).unwrap();
	paths.judge(&image, &mut Terminal).ok()?;
	let values = Values {
		cpus: &[Shift::one(0, 4), Shift::parse(b"1-3=8").unwrap()],
		nodes: &[Shift::one(0, 1)],
		disks: &[Shift::one(8 << 20, 8 << 20 | 16)],
		interfaces: &[Rename::parse(b"eth0=eth1").unwrap()],
	};
	let mut room = Box::new(Room::new());
	let new = rewritten(&image, &mut Maps { paths: &mut paths, values, room: &mut room }).ok()?;
	assert_good(&new, counts);
	Some(new)
}

/// A new image is good, and has the sets and tasks of the one that it was made of.
fn assert_good(new: &[u8], counts: (u64, u64)) {
	let after = judged(new);
	assert_eq!(counts, (after.sets, after.tasks));
}

/// The hierarchies of a made-up host.
struct Host {
	how: u8,
	primary: u8,
}

thread_local! {
	static SPACE: RefCell<Option<Box<Space>>> = const { RefCell::new(None) };
}

impl Host {
	/// The image that this host can take: a good one. A file that its version
	/// does not have, and the other one has, is refused by whoever judges the new image, as a restore does.
	fn translated(&self, file: &[u8], all_known: bool, counts: (u64, u64)) -> Option<Vec<u8>> {
		let (new, _) = self.asked(file)?;
		if !all_known {
			vet(&Image::open(&new).unwrap()).ok()?;
		}
		assert_good(&new, counts);
		Some(new)
	}

	fn asked(&self, file: &[u8]) -> Option<(Vec<u8>, u64)> {
		let v1: Vec<&[u8]> = match self.how & 3 {
			0 => LABELS[1..11].to_vec(),
			1 => Vec::new(),
			2 => vec![b"name=systemd"],
			_ => vec![b"freezer", b"net_cls,net_prio", b"devices", b"memory"],
		};
		let v2 = match self.how >> 2 & 3 {
			0 => None,
			1 => Some(Controllers::NONE),
			2 => Some(Controllers::of_text(b"cpuset cpu io memory hugetlb pids rdma misc\n")),
			_ => Some(Controllers::of_text(b"cpu io pids")),
		};
		let primary = [None, None, Some(&b"memory"[..]), Some(&b"cpu"[..])][usize::from(self.primary & 3)];
		let choices = Choices { bfq: self.how & 16 != 0, ..Choices::default() };
		let ask = Ask { v1: &v1, v2, choices, primary, skip_missing: self.how & 32 != 0 };
		let mut space = SPACE.take().unwrap_or_else(|| Box::new(Space::new()));
		let made = translate(&Image::open(file).unwrap(), Memory::default(), &ask, &mut space, &mut Terminal).ok()?;
		SPACE.set(Some(space));
		made.map(|(memory, lost)| (memory.0, lost))
	}
}

/// Groups with their files; a group is made only where the one above it is.
#[derive(Default)]
struct Kernel(BTreeMap<Vec<u8>, BTreeMap<Vec<u8>, Vec<u8>>>);

impl Kernel {
	fn make(&mut self, path: &[u8]) {
		for (at, _) in path.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
			self.0.entry(path[..at].to_vec()).or_default();
		}
		self.0.entry(path.to_vec()).or_default();
	}
}

/// The restore of a good image below `root`: nothing is made or written outside of it, and what is read back is what was saved.
fn grown(file: &[u8], root: &[u8]) {
	let mut new = Path::new();
	if target(root, &mut new).is_err() {
		return;
	}
	for hierarchy in Image::open(file).unwrap().hierarchies() {
		let hierarchy = hierarchy.unwrap();
		let Ok(label) = Label::of(&hierarchy) else { continue };
		let mut rule = Rule { new: new.clone(), moves: true, ..Rule::identity() };
		if !matches!(common(&hierarchy, &mut rule.old), Ok(true)) {
			continue;
		}
		let mut kernel = Kernel::default();
		each_group(&hierarchy, &mut |path, group| {
			let mut place = Path::new();
			let is_above = rule.place(path) == Place::Above;
			if is_above || rule.map_group(path, &mut place).is_err() {
				return Ok(());
			}
			assert!(place.is_empty() || place.split(|byte| *byte == b'/').all(|name| check(name).is_ok()), "{place:?}");
			assert!(new.is_empty() || rule.place(path) == Place::Beside || place.starts_with(&new));
			kernel.make(&place);
			let files = kernel.0.get_mut(&place[..]).unwrap();
			for saved in group.properties() {
				let saved = saved.unwrap();
				written(label.version(), saved.name, saved.value.bytes(), files);
			}
			Ok(())
		})
		.unwrap();
	}
}

fn written(version: Version, name: &[u8], saved: &[u8], files: &mut BTreeMap<Vec<u8>, Vec<u8>>) {
	let Some(known) = find(version, name) else { return };
	let current = files.get(name).cloned().unwrap_or_default();
	let result = writes(known, saved, &current, &mut |target, text| {
		assert!(!text.contains(&0));
		assert!(known.write == Write::Program || text == b"\n" || !text.contains(&b'\n'), "{} {text:?}", known.file());
		let file = match target {
			Target::Own => name,
			Target::Allow => b"devices.allow",
			Target::Deny => b"devices.deny",
		};
		files.insert(file.to_vec(), text.to_vec());
		Ok(())
	});
	if matches!(known.write, Write::Whole | Write::List) && !saved.is_empty() {
		let is_healed = saved.ends_with(b" invalid");
		let read = files.get(name).map_or(&b""[..], |text| text);
		assert!(is_healed || value::same(known, saved, read), "{} {saved:?} {read:?}", known.file());
	}
	assert!(!matches!(result, Err(Fault::Image(..))));
}
