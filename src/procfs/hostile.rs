//! Damaged fixtures in, every parser run on them: none panics, and what it gives back keeps its promises.

extern crate std;

use std::vec::Vec;

use super::fixtures::all;
use super::mountinfo::SuperWord;
use super::scan::{Lines, Source, cut, number32, unescape};
use super::{children, controllers, membership, mountinfo, stat, status};
use crate::error::Fault;
use crate::limits::Limit;
use crate::property::dice::{Dice, rounds, stride};

/// A source that gives a random part of what is asked for.
struct Crumbs<'a> {
	rest: &'a [u8],
	dice: Dice,
}

impl Source for Crumbs<'_> {
	fn read(&mut self, into: &mut [u8]) -> Result<usize, Fault> {
		let size = 1 + self.dice.below(into.len().min(7));
		let len = into.len().min(size);
		self.rest.read(&mut into[..len])
	}
}

/// Slow and plainly right.
fn model_lines(text: &[u8]) -> Vec<Vec<u8>> {
	let mut lines: Vec<Vec<u8>> = text.split(|byte| *byte == b'\n').map(Vec::from).collect();
	if lines.last().is_some_and(Vec::is_empty) {
		lines.pop();
	}
	lines
}

fn read_lines(source: impl Source, cap: usize) -> Result<Vec<Vec<u8>>, Fault> {
	let mut buffer = std::vec![0xa5; cap];
	let mut lines = Lines::new(source, &mut buffer);
	let mut all = Vec::new();
	while let Some(line) = lines.next_line()? {
		all.push(line.to_vec());
	}
	assert_eq!(lines.next_line(), Ok(None));
	Ok(all)
}

fn check_lines(text: &[u8], dice: &mut Dice) {
	let model = model_lines(text);
	let longest = model.iter().map(Vec::len).max().unwrap_or(0);
	let crumbs = |dice: &mut Dice| Crumbs { rest: text, dice: Dice(1 + dice.below(usize::MAX) as u64) };
	for cap in [longest, longest + 1, longest + dice.below(300)] {
		assert_eq!(read_lines(text, cap).as_ref(), Ok(&model));
		assert_eq!(read_lines(crumbs(dice), cap).as_ref(), Ok(&model));
	}
	if longest > 0 {
		let full = Fault::full(Limit::Line, longest);
		assert_eq!(read_lines(crumbs(dice), longest - 1), Err(full));
	}
}

fn check_parsers(text: &[u8]) {
	for line in text.split(|byte| *byte == b'\n') {
		check_mount(line);
		let _ = controllers::parse_line(line);
		let _ = (status::ids(line).count(), status::process(line));
	}
	let _ = controllers::parse_line(text);
	check_mount(text);
	check_memberships(text);
	if let Ok(task) = stat::parse(text) {
		assert!(cut(text, b'(').unwrap().1.starts_with(task.comm));
		let _ = (task.is_dead(), task.is_kernel_thread());
	}
	let _ = status::namespace_id(text);
	let _ = children::children(text).count();
}

fn check_mount(line: &[u8]) {
	let Ok(Some(mount)) = mountinfo::parse_line(line) else { return };
	let size = mount.super_words().map(|word| match word {
		SuperWord::Named(name) => name.len() + 6,
		SuperWord::Controller(word) | SuperWord::Flag(word) => word.len() + 1,
	});
	assert!(size.sum::<usize>() <= mount.super_options.len() + 1);
	let mut small = heapless::Vec::<u8, 24>::new();
	match unescape(mount.point, &mut small) {
		Ok(()) => assert!(small.len() <= mount.point.len()),
		Err(_) => assert!(small.is_empty()),
	}
	let _ = mountinfo::is_read_only(mount.options);
}

/// Each membership is the next part of the text, up to the end or to what the fault is about.
fn check_memberships(text: &[u8]) {
	let mut rest = text;
	for found in membership::memberships(text) {
		let Ok(found) = found else { return };
		let (id, behind) = cut(rest, b':').unwrap();
		assert_eq!(number32(id), Some(found.id));
		let behind = behind.strip_prefix(found.controllers).unwrap().strip_prefix(b":").unwrap();
		let behind = behind.strip_prefix(found.path).unwrap();
		rest = behind.strip_prefix(b"\n").unwrap_or(behind);
		assert!(behind.is_empty() || rest.len() < behind.len());
		assert!(found.path.starts_with(b"/"));
		assert_eq!(found.deleted, found.path_if_deleted().is_some());
		assert!(membership::same_controllers(found.controllers, found.controllers));
	}
	assert_eq!(rest, b"");
}

const SPICE: &[&[u8]] = &[
	b" ",
	b"  ",
	b" - ",
	b"-",
	b"\n",
	b"\n\n",
	b":",
	b",",
	b"\t",
	b"/",
	b"\\",
	b"\\040",
	b"\\777",
	b")",
	b"(",
	b"\"",
	b"=",
	b"name=",
	b"context=\"",
	b"cgroup",
	b"0::/",
	b"\n3:cpu:/",
	b" (deleted)",
	b"4294967296",
	b"18446744073709551616",
	b"\0",
	b"\xff",
	b"NSpid:",
	b"#",
];

fn damage(text: &mut Vec<u8>, dice: &mut Dice) {
	let at = dice.below(text.len() + 1);
	let end = (at + dice.below(12)).min(text.len());
	match dice.below(6) {
		0 => text.truncate(at),
		1 => drop(text.drain(at..end)),
		2 => drop(text.splice(at..end, SPICE[dice.below(SPICE.len())].iter().copied())),
		3 => text.splice(at..at, SPICE[dice.below(SPICE.len())].iter().copied()).for_each(drop),
		4 => text[at..end].iter_mut().for_each(|byte| *byte = dice.below(256) as u8),
		_ => {
			let copy = text[at..end].to_vec();
			let to = dice.below(text.len() + 1);
			text.splice(to..to, copy).for_each(drop);
		}
	}
}

#[test]
fn damaged_texts_never_panic_and_lines_do_not_depend_on_chunks() {
	let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
	for (_, text) in all().step_by(stride(7)) {
		check_parsers(text);
		check_lines(text, &mut dice);
		for _ in 0..rounds(150) {
			let mut bytes = text.to_vec();
			for _ in 0..1 + dice.below(4) {
				damage(&mut bytes, &mut dice);
			}
			check_parsers(&bytes);
			check_lines(&bytes, &mut dice);
		}
	}
}

#[test]
fn every_prefix_and_suffix_of_a_fixture_is_harmless() {
	for (_, text) in all() {
		let line = text.split(|byte| *byte == b'\n').max_by_key(|line| line.len()).unwrap_or_default();
		for at in (0..=line.len()).step_by(stride(97)) {
			check_parsers(&line[..at]);
			check_parsers(&line[at..]);
		}
	}
}
