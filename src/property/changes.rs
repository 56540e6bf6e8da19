//! A saved and a current value in, the writes that turn one into the other out.
//!
//! For files that are not written whole: lines with a key each, device rules, signed controller names. The iterators
//! borrow both texts and keep nothing. Where the lines of both come in the same order, as the kernel prints them, one
//! pass is enough.

use super::value::first_word;
use super::{Fresh, Property, Write};

/// One write to a file of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineChange<'a> {
	/// The line's first word: a disk, an interface, a resource, or `default`.
	pub key: &'a [u8],
	/// The whole line to write; nothing means to write the key and then the property's reset text.
	pub line: Option<&'a [u8]>,
}

/// One write to devices.deny or devices.allow: a line of devices.list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceChange<'a> {
	/// For devices.deny.
	Deny(&'a [u8]),
	/// For devices.allow.
	Allow(&'a [u8]),
}

/// The lines to write so that `current` becomes `saved`: first saved lines that differ from the current line of the
/// same key, then current lines whose key is not saved. A line that says what holds without it counts as absent.
pub fn line_changes<'a>(property: &Property, saved: &'a [u8], current: &'a [u8]) -> LineChanges<'a> {
	LineChanges {
		rule: Rule::of(property),
		saved_left: saved,
		current_left: current,
		in_saved: Finder::new(saved),
		in_current: Finder::new(current),
	}
}

/// See [`line_changes`].
pub struct LineChanges<'a> {
	rule: Rule,
	saved_left: &'a [u8],
	current_left: &'a [u8],
	in_saved: Finder<'a>,
	in_current: Finder<'a>,
}

impl<'a> LineChanges<'a> {
	fn put(&mut self, line: &'a [u8]) -> Option<LineChange<'a>> {
		let (rule, saved) = (self.rule, self.rule.split(line));
		let differs = match self.in_current.find(|other| rule.split(other).key == saved.key) {
			Some(other) => rule.split(other).rest != saved.rest,
			None => !rule.is_at_rest(saved),
		};
		differs.then_some(LineChange { key: saved.key, line: Some(line) })
	}

	fn take_back(&mut self, line: &'a [u8]) -> Option<LineChange<'a>> {
		let (rule, current) = (self.rule, self.rule.split(line));
		let is_saved = self.in_saved.find(|other| rule.split(other).key == current.key).is_some();
		let key = current.key;
		let line = rule.is_default(key).then_some(rule.default.as_bytes());
		(!is_saved && !rule.is_at_rest(current)).then_some(LineChange { key, line })
	}
}

impl<'a> Iterator for LineChanges<'a> {
	type Item = LineChange<'a>;

	fn next(&mut self) -> Option<LineChange<'a>> {
		while let Some(line) = next_line(&mut self.saved_left) {
			if let Some(change) = self.put(line) {
				return Some(change);
			}
		}
		while let Some(line) = next_line(&mut self.current_left) {
			if let Some(change) = self.take_back(line) {
				return Some(change);
			}
		}
		None
	}
}

/// The names to enable (`+`) and to disable (`-`) so that cgroup.subtree_control becomes `saved`; `+NAME +NAME`, or `+`
/// alone, are at least those.
pub fn controller_changes<'a>(saved: &'a [u8], current: &'a [u8]) -> impl Iterator<Item = (u8, &'a [u8])> {
	let exact = !saved.starts_with(b"+");
	let more = controllers(saved).filter(move |name| !has_word(current, name)).map(|name| (b'+', name));
	let less = words(current).filter(move |name| exact && !has_word(saved, name)).map(|name| (b'-', name));
	more.chain(less)
}

/// The rules to deny, then the rules to allow, so that devices.list becomes `saved`.
///
/// `a *:* rwm` stands for everything: allowing it ends all other rules, denying it (the only line of a group that may
/// use all devices) leaves none. The kernel takes both only while the group has no children (EINVAL), and a deny takes
/// the rule from the children too. Rules denied from a group that may use all others are not in the text at all.
pub fn device_changes<'a>(saved: &'a [u8], current: &'a [u8]) -> impl Iterator<Item = DeviceChange<'a>> {
	let widens = allows_all(saved);
	let gone = lines(current).filter(move |line| !widens && !has_line(saved, line)).map(DeviceChange::Deny);
	let added = lines(saved).filter(move |line| !has_line(current, line)).map(DeviceChange::Allow);
	gone.chain(added)
}

/// Whether a text of devices.list allows every device (`a *:* rwm`).
pub fn allows_all(text: &[u8]) -> bool {
	lines(text).any(|line| first_word(line) == b"a")
}

/// Whether both texts have the same lines in any order; lines that say what holds without them are not looked at.
pub(super) fn same_lines(property: &Property, a: &[u8], b: &[u8]) -> bool {
	let rule = Rule::of(property);
	rule.has_all(a, b) && rule.has_all(b, a)
}

/// Whether both texts have the same controllers in any order, or one has at least those that the other asks for.
pub(super) fn same_controllers(a: &[u8], b: &[u8]) -> bool {
	let has = |text: &[u8], of: &[u8]| {
		of.starts_with(b"+") || controllers(text).all(|word| controllers(of).any(|name| name == word))
	};
	has(a, b) && has(b, a)
}

/// The names of a text of controllers.
fn controllers(text: &[u8]) -> impl Iterator<Item = &[u8]> {
	words(text).map(|word| word.strip_prefix(b"+").unwrap_or(word)).filter(|name| !name.is_empty())
}

/// The lines of a text without blanks around them; empty ones are left out.
pub(crate) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
	text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty())
}

fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
	text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

pub(crate) fn has_word(text: &[u8], word: &[u8]) -> bool {
	words(text).any(|other| other == word)
}

fn has_line(text: &[u8], line: &[u8]) -> bool {
	lines(text).any(|other| other == line)
}

/// Cuts the next line off the front of `left`.
fn next_line<'a>(left: &mut &'a [u8]) -> Option<&'a [u8]> {
	loop {
		if left.is_empty() {
			return None;
		}
		let end = left.iter().position(|byte| *byte == b'\n').unwrap_or(left.len());
		let line = left[..end].trim_ascii();
		*left = left.get(end + 1..).unwrap_or_default();
		if !line.is_empty() {
			return Some(line);
		}
	}
}

/// A line cut at its first blank.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Line<'a> {
	key: &'a [u8],
	rest: &'a [u8],
}

/// How the lines of one property are cut and which of them say nothing.
#[derive(Clone, Copy)]
struct Rule {
	/// What stands behind a key when nothing is set for it; empty if there is no such text.
	reset: &'static str,
	/// The fresh line `default N`, or empty.
	default: &'static str,
}

impl Rule {
	fn of(property: &Property) -> Rule {
		match (property.write, property.fresh) {
			(Write::Lines { reset }, Fresh::Is(default)) => Rule { reset: reset.as_str(), default: default.as_str() },
			(Write::Lines { reset }, _) => Rule { reset: reset.as_str(), default: "" },
			_ => Rule { reset: "", default: "" },
		}
	}

	/// A lone number is the default weight: kernels up to 5.3 print it so, all take it so.
	fn split<'a>(&self, line: &'a [u8]) -> Line<'a> {
		let key = first_word(line);
		let rest = line[key.len()..].trim_ascii();
		if rest.is_empty() && !self.default.is_empty() {
			Line { key: b"default", rest: key }
		} else {
			Line { key, rest }
		}
	}

	fn is_default(&self, key: &[u8]) -> bool {
		!self.default.is_empty() && key == b"default"
	}

	fn is_at_rest(&self, line: Line<'_>) -> bool {
		if self.is_default(line.key) {
			return line == self.split(self.default.as_bytes());
		}
		!self.reset.is_empty() && line.rest == self.reset.as_bytes().trim_ascii()
	}

	/// Whether every line of `part` that says something is in `whole`.
	fn has_all(&self, part: &[u8], whole: &[u8]) -> bool {
		let mut finder = Finder::new(whole);
		let mut said = lines(part).map(|line| self.split(line)).filter(|line| !self.is_at_rest(*line));
		said.all(|line| finder.find(|other| self.split(other) == line).is_some())
	}
}

/// Finds lines in a text, beginning behind the last one found and going round.
pub(crate) struct Finder<'a> {
	text: &'a [u8],
	/// Where a line begins, or the end of the text.
	start: usize,
}

impl<'a> Finder<'a> {
	/// In this text.
	pub(crate) fn new(text: &'a [u8]) -> Self {
		Finder { text, start: 0 }
	}

	/// The next line that is wanted.
	pub(crate) fn find(&mut self, wanted: impl Fn(&[u8]) -> bool) -> Option<&'a [u8]> {
		let (before, after) = self.text.split_at(self.start);
		for (part, end) in [(after, self.text.len()), (before, before.len())] {
			let mut left = part;
			while let Some(line) = next_line(&mut left) {
				if wanted(line) {
					self.start = end - left.len();
					return Some(line);
				}
			}
		}
		None
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::property::dice::{Dice, rounds};
	use crate::property::{TABLE, Version, find, value};
	extern crate std;
	use std::{format, string::String, vec::Vec};

	/// `+LINE` for a line to write, `-KEY` for a key to take back, joined by `;`.
	fn changes(version: Version, file: &str, saved: &str, current: &str) -> String {
		let property = find(version, file.as_bytes()).unwrap();
		let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
		let shown = line_changes(property, saved.as_bytes(), current.as_bytes()).map(|change| match change.line {
			Some(line) => format!("+{}", text(line)),
			None => format!("-{}", text(change.key)),
		});
		shown.collect::<Vec<_>>().join(";")
	}

	#[test]
	fn only_lines_that_differ_are_written() {
		let map = |saved, current| changes(Version::V1, "net_prio.ifpriomap", saved, current);
		assert_eq!(map("lo 0\neth0 5\neth1 2", "lo 0\neth0 1\neth1 2\n"), "+eth0 5");
		assert_eq!(map("lo 0\neth0 5", "lo 0\neth1 7"), "+eth0 5;-eth1");
		assert_eq!(map("lo 0", "lo 3"), "+lo 0");
		assert_eq!(map("lo 0\ngone0 0", "lo 0"), "");
		assert_eq!(map("", "lo 0\neth0 4"), "-eth0");
		assert_eq!(map("eth0 1\neth1 2", "eth1 1\neth0 1"), "+eth1 2");
		let disks = |saved, current| changes(Version::V2, "io.max", saved, current);
		let limit = "8:0 rbps=1048576 wbps=max riops=max wiops=max";
		assert_eq!(disks(limit, ""), format!("+{limit}"));
		assert_eq!(disks("", limit), "-8:0");
		assert_eq!(disks(limit, limit), "");
		assert_eq!(
			changes(Version::V2, "rdma.max", "a hca_handle=2 hca_object=max \n", "a hca_handle=2 hca_object=max"),
			""
		);
	}

	#[test]
	fn the_default_weight_has_no_key_to_take_back() {
		let weight = |saved, current| changes(Version::V2, "io.weight", saved, current);
		assert_eq!(weight("default 200\n8:0 50", "default 100"), "+default 200;+8:0 50");
		assert_eq!(weight("", "default 200\n8:0 50\n"), "+default 100;-8:0");
		assert_eq!(weight("200", "default 200"), "");
		assert_eq!(weight("200", "default 100"), "+200");
		assert_eq!(weight("default 100", ""), "");
	}

	#[test]
	fn after_the_writes_nothing_is_left_to_write() {
		let mut dice = Dice(7);
		for _ in 0..rounds(400) {
			let (saved, current): (Vec<u8>, Vec<u8>) = (dice.text(), dice.text());
			for property in TABLE.iter().filter(|property| matches!(property.write, Write::Lines { .. })) {
				let after = applied(property, &saved, &current);
				let all: Vec<_> = line_changes(property, &saved, &after).collect();
				assert!(
					all.is_empty() || has_twice(property, &saved),
					"{} {saved:?} {current:?} {all:?}",
					property.file()
				);
				if !has_twice(property, &saved) {
					assert!(value::same(property, &saved, &after), "{} {saved:?} {after:?}", property.file());
				}
				let _ = device_changes(&saved, &current).count() + controller_changes(&saved, &current).count();
			}
		}
	}

	/// What a kernel with one line a key shows after the changes: the slow and plain way.
	fn applied(property: &Property, saved: &[u8], current: &[u8]) -> Vec<u8> {
		let rule = Rule::of(property);
		let Write::Lines { reset } = property.write else { unreachable!() };
		let mut kept: Vec<Vec<u8>> = Vec::new();
		let mut set = |line: &[u8]| {
			let key = rule.split(line).key.to_vec();
			kept.retain(|other| rule.split(other).key != key);
			kept.push(line.to_vec());
		};
		lines(current).for_each(&mut set);
		for change in line_changes(property, saved, current) {
			match change.line {
				Some(line) => set(line),
				None => set(&[change.key, reset.as_bytes()].concat()),
			}
		}
		kept.join(&b'\n')
	}

	fn has_twice(property: &Property, text: &[u8]) -> bool {
		let rule = Rule::of(property);
		let keys: Vec<_> = lines(text).map(|line| rule.split(line).key).collect();
		(1..keys.len()).any(|index| keys[..index].contains(&keys[index]))
	}

	#[test]
	fn a_finder_goes_round() {
		let mut finder = Finder::new(b"a 1\n\nb 2\nc 3");
		assert_eq!(finder.find(|line| line == b"b 2"), Some(&b"b 2"[..]));
		assert_eq!(finder.find(|line| line == b"c 3"), Some(&b"c 3"[..]));
		assert_eq!(finder.start, 12);
		assert_eq!(finder.find(|line| line == b"a 1"), Some(&b"a 1"[..]));
		assert_eq!(finder.start, 4);
		assert_eq!(finder.find(|line| line == b"x"), None);
		assert_eq!(finder.find(|line| line == b"a 1"), Some(&b"a 1"[..]));
	}

	#[test]
	fn a_long_map_in_the_same_order_takes_one_pass() {
		let map = |step: u32| {
			(0..rounds(20_000) as u32).map(|index| format!("veth{index} {}\n", index % step)).collect::<String>()
		};
		let property = find(Version::V1, b"net_prio.ifpriomap").unwrap();
		let (saved, current) = (map(7), map(5));
		let differ = (0..rounds(20_000) as u32).filter(|index| index % 7 != index % 5).count();
		assert_eq!(line_changes(property, saved.as_bytes(), current.as_bytes()).count(), differ);
	}

	#[test]
	fn controllers_come_with_their_sign() {
		let list =
			|saved: &'static [u8], current: &'static [u8]| controller_changes(saved, current).collect::<Vec<_>>();
		assert_eq!(list(b"cpu memory", b"cpu pids\n"), [(b'+', &b"memory"[..]), (b'-', b"pids")]);
		assert_eq!(list(b"", b"\n"), []);
		assert_eq!(list(b"cpuset", b"cpu"), [(b'+', &b"cpuset"[..]), (b'-', b"cpu")]);
		assert_eq!(list(b"+cpuset +cpu   ", b"cpu io"), [(b'+', &b"cpuset"[..])]);
		assert_eq!(list(b"+", b"cpu io"), []);
		for (a, b, same) in [
			("+cpu", "io cpu", true),
			("+cpu +io", "cpu", false),
			("+", "", true),
			("+", "cpu", true),
			("+cpu", "", false),
			("cpu", "cpu io", false),
		] {
			assert_eq!(
				(same_controllers(a.as_bytes(), b.as_bytes()), same_controllers(b.as_bytes(), a.as_bytes())),
				(same, same),
				"{a} {b}"
			);
		}
	}

	#[test]
	fn device_rules_are_denied_first() {
		use DeviceChange::{Allow, Deny};
		let list = |saved: &'static [u8], current: &'static [u8]| device_changes(saved, current).collect::<Vec<_>>();
		assert_eq!(list(b"c 1:3 rwm\nc 1:5 r", b"c 1:3 rwm\nb 8:0 r\n"), [Deny(b"b 8:0 r"), Allow(b"c 1:5 r")]);
		assert_eq!(list(b"c 1:3 rwm", b"a *:* rwm\n"), [Deny(b"a *:* rwm"), Allow(b"c 1:3 rwm")]);
		assert_eq!(list(b"a *:* rwm", b"c 1:3 rwm\n"), [Allow(b"a *:* rwm")]);
		assert_eq!(list(b"a *:* rwm", b"a *:* rwm\n"), []);
		assert_eq!(list(b"", b"a *:* rwm\n"), [Deny(b"a *:* rwm")]);
		assert!(allows_all(b"a *:* rwm\n") && !allows_all(b"") && !allows_all(b"c 1:3 a"));
	}
}
