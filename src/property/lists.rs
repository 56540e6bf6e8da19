//! The text of `--cgroup-props` in, the files that are to be saved out.
//!
//! CRIU 4.2 takes exactly this form, in which each quote, blank and newline counts (criu(8)):
//!
//! ```text
//! "cpu":
//!  - "strategy": "replace"
//!  - "properties": ["cpu.shares", "cpu.cfs_period_us"]
//! ```
//!
//! All of that is taken, and what can mean nothing else: white space and `#` comments between words, no quotes or
//! single ones, the two lines in either order, braces as in JSON, a comma behind the last file, and the letters `\n`
//! for a newline, as criu(8) prints them. There are no escapes inside of quotes.
//!
//! Bounds: none; nothing is kept but a set of rows. Every step takes at least one byte of the text, so it ends.
//! Errors: the first place that is not of the form ([`Refused`]), and then nothing is selected.
//! Not done here: reading the file, and telling people.

use core::fmt;

use super::{Phase, Property, Selection, Version, controller_of, index_of, refused};
use crate::error::Why;
use crate::hierarchy::is_unified;
use crate::procfs::membership::{has_controller, is_label_byte};

/// What is wrong with a text, and where.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused<'a> {
	/// What was expected.
	pub why: Why,
	/// The byte where it was expected.
	pub at: usize,
	/// The word or mark that stands there; nothing at the end.
	pub found: &'a [u8],
}

/// A place in a text for people: both count from 1, columns in letters, a tab as one.
#[derive(Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Spot {
	pub line: usize,
	pub column: usize,
}

impl Spot {
	/// The place of a byte.
	pub fn of(text: &[u8], at: usize) -> Self {
		let before = text.get(..at).unwrap_or(text);
		let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
		let is_first = |byte: &&u8| **byte & 0xc0 != 0x80; // of a letter in UTF-8
		let count = |bytes: &[u8], is_it: &dyn Fn(&&u8) -> bool| 1 + bytes.iter().filter(is_it).count();
		Spot { line: count(before, &|byte| **byte == b'\n'), column: count(&before[start..], &is_first) }
	}
}

impl fmt::Display for Spot {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "line {}, column {}", self.line, self.column)
	}
}

/// Told about a file that is listed and never saved: the byte where it is, its name, why.
pub type Tell<'t> = &'t mut dyn FnMut(usize, &[u8], &'static str);

/// Changes `base` as the lists of a text want, one after the other: `replace` leaves of the controller's files only
/// those listed, `merge` adds those listed.
pub fn apply<'a>(text: &'a [u8], base: Selection, tell: Tell<'_>) -> Result<Selection, Refused<'a>> {
	let mut reader = Reader { text, at: 0, kind: END, start: 0, word: b"", selection: base, tell };
	match reader.lists() {
		Ok(()) => Ok(reader.selection),
		Err(why) => Err(Refused { why, at: reader.start, found: reader.word }),
	}
}

/// A token that is no mark of its own: a word, and what comes behind the last one. A mark is its own byte.
const WORD: u8 = b'w';
const END: u8 = 0;

/// Reads token by token; a fault is about the token read last.
struct Reader<'a, 't> {
	text: &'a [u8],
	/// Where the next token may begin.
	at: usize,
	/// The token read last: its kind, its first byte, its text without quotes.
	kind: u8,
	start: usize,
	word: &'a [u8],
	selection: Selection,
	tell: Tell<'t>,
}

impl<'a> Reader<'a, '_> {
	fn rest(&self) -> &'a [u8] {
		self.text.get(self.at..).unwrap_or(&[])
	}

	/// Passes over white space and comments.
	fn skip(&mut self) {
		loop {
			self.at += match self.rest() {
				[b' ' | b'\t' | b'\r' | b'\n', ..] => 1,
				[b'\\', b'n', ..] => 2,
				[b'#', rest @ ..] => 1 + position(rest, &|byte| byte == b'\n'),
				_ => return,
			};
		}
	}

	/// Reads a token.
	fn step(&mut self) -> Result<(), Why> {
		self.skip();
		self.start = self.at;
		let rest = self.rest();
		let (kind, len, from, to) = match rest {
			[] => (END, 0, 0, 0),
			[quote @ (b'"' | b'\''), quoted @ ..] => {
				let len = position(quoted, &|byte| byte == *quote);
				(WORD, len + 2, 1, len + 1)
			}
			[mark, ..] if is_mark(*mark) || *mark == b'-' => (*mark, 1, 0, 1),
			_ => {
				let len = position(rest, &is_mark);
				(WORD, len, 0, len)
			}
		};
		self.at += len;
		self.kind = kind;
		self.word = rest.get(from..to).unwrap_or(&[]);
		if self.at > self.text.len() {
			self.word = b"";
			return Err(Why::ListQuote);
		}
		Ok(())
	}

	/// Takes this mark, if it comes next.
	fn eats(&mut self, mark: u8) -> bool {
		let before = self.at;
		let found = self.step().is_ok() && self.kind == mark;
		if !found {
			self.at = before;
		}
		found
	}

	fn expect(&mut self, kind: u8, why: Why) -> Result<(), Why> {
		self.step()?;
		if self.kind == kind { Ok(()) } else { Err(why) }
	}

	fn lists(&mut self) -> Result<(), Why> {
		let braced = self.eats(b'{');
		loop {
			self.step()?;
			match self.kind {
				WORD => self.list()?,
				END if !braced => return Ok(()),
				b'}' if braced => return self.expect(END, Why::ListEnd),
				_ => return Err(Why::ListKey),
			}
			if braced {
				self.eats(b',');
			}
		}
	}

	/// What follows a controller's name.
	fn list(&mut self) -> Result<(), Why> {
		let key = self.word;
		if !key.iter().all(|byte| is_label_byte(*byte)) {
			return Err(Why::ListKey);
		}
		self.expect(b':', Why::ListColon)?;
		let braced = self.eats(b'{');
		let mut files = Selection::NONE;
		let mut first: &[u8] = b"";
		for _ in 0..2 {
			self.eats(if braced { b',' } else { b'-' });
			self.expect(WORD, Why::ListField)?;
			let field = self.word;
			if field == first || !matches!(field, b"strategy" | b"properties") {
				return Err(Why::ListField);
			}
			first = field;
			self.expect(b':', Why::ListColon)?;
			if field == b"strategy" { self.strategy(key)? } else { self.files(key, &mut files)? }
		}
		if braced {
			self.eats(b',');
			self.expect(b'}', Why::ListBrace)?;
		}
		self.selection = self.selection.with(files);
		Ok(())
	}

	/// `replace` takes the controller's files out, before those listed are put in.
	fn strategy(&mut self, key: &[u8]) -> Result<(), Why> {
		self.expect(WORD, Why::ListStrategy)?;
		match self.word {
			b"merge" => Ok(()),
			b"replace" => {
				self.selection = self.selection.without(Selection::of(&|property| is_replaced(key, property)));
				Ok(())
			}
			_ => Err(Why::ListStrategy),
		}
	}

	fn files(&mut self, key: &[u8], files: &mut Selection) -> Result<(), Why> {
		self.expect(b'[', Why::ListOpen)?;
		loop {
			self.step()?;
			match self.kind {
				WORD if !self.word.is_empty() => self.file(key, files)?,
				b']' => return Ok(()),
				_ => return Err(Why::ListFile),
			}
			self.step()?;
			match self.kind {
				b',' => {}
				b']' => return Ok(()),
				_ => return Err(Why::ListComma),
			}
		}
	}

	/// A listed file: that of both versions, if both have one of its name.
	fn file(&mut self, key: &[u8], files: &mut Selection) -> Result<(), Why> {
		let (mut is_known, mut is_other) = (false, false);
		for version in [Version::V1, Version::V2] {
			let Some(index) = index_of(version, self.word) else { continue };
			if is_meant(key, version, self.word) {
				*files = files.with(Selection::one(version, index));
				is_known = true;
			}
			is_other |= !is_known;
		}
		if is_known {
			return Ok(());
		}
		if is_other {
			return Err(Why::OtherController);
		}
		let reason = refused(Version::V1, self.word).or_else(|| refused(Version::V2, self.word));
		(self.tell)(self.start, self.word, reason.unwrap_or(UNKNOWN));
		Ok(())
	}
}

/// Where the first such byte is; the length without one.
fn position(text: &[u8], is_it: &dyn Fn(u8) -> bool) -> usize {
	text.iter().position(|byte| is_it(*byte)).unwrap_or(text.len())
}

/// Why a file is left out that is neither in the table nor refused.
const UNKNOWN: &str = "cgraft does not know it";

/// What ends a word without quotes.
fn is_mark(byte: u8) -> bool {
	byte.is_ascii_whitespace() || b"{}[]:,\"'#\\".contains(&byte)
}

/// Whether a file may stand in the list of this key. Core files may be in any: each hierarchy has them.
fn is_meant(key: &[u8], version: Version, file: &[u8]) -> bool {
	let controller = controller_of(file);
	match is_unified(key) {
		true => version == Version::V2,
		false => controller == b"cgroup" || has_controller(key, controller),
	}
}

/// Whether `replace` takes the file out. Owners and modes of the lists of tasks stay, and so do core files, as in CRIU,
/// but for the key `cgroup`.
fn is_replaced(key: &[u8], property: &Property) -> bool {
	let controller = property.controller();
	let is_meant = match is_unified(key) {
		true => property.version == Version::V2 && controller != b"cgroup",
		false => has_controller(key, controller),
	};
	is_meant && property.phase != Phase::Never
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::property::all;
	use crate::property::dice::{Dice, rounds};
	extern crate std;
	use std::collections::BTreeSet;
	use std::format;
	use std::string::{String, ToString};
	use std::vec::Vec;

	/// Files of a selection, those of v2 with `v2:` before them.
	fn files(selection: Selection) -> BTreeSet<String> {
		let mut files = BTreeSet::new();
		for (version, prefix) in [(Version::V1, ""), (Version::V2, "v2:")] {
			for (index, property) in all(version).iter().enumerate().filter(|(index, _)| selection.has(version, *index))
			{
				assert_eq!(index_of(version, property.file().as_bytes()), Some(index));
				files.insert(format!("{prefix}{}", property.file()));
			}
		}
		files
	}

	fn is_of(file: &str, controller: &str) -> bool {
		controller_of(file.trim_start_matches("v2:").as_bytes()) == controller.as_bytes()
	}

	/// What a text selects of nothing, and the files that it tells of.
	fn alone(text: &str) -> (String, String) {
		let mut told = Vec::new();
		let tell = &mut |at: usize, file: &[u8], why: &str| {
			assert!(text.as_bytes()[at..].starts_with(file) || text.as_bytes()[at + 1..].starts_with(file));
			told.push(format!("{} {}: {why}", Spot::of(text.as_bytes(), at), std::str::from_utf8(file).unwrap()));
		};
		let selection = apply(text.as_bytes(), Selection::NONE, tell).unwrap();
		(files(selection).into_iter().collect::<Vec<_>>().join(" "), told.join("; "))
	}

	/// What a text selects of what CRIU saves.
	fn beside_criu(text: &str) -> BTreeSet<String> {
		files(apply(text.as_bytes(), Selection::criu(), &mut |_, _, _| panic!("{text}")).unwrap())
	}

	const CRIU: &str =
		"\"cpu\":\n - \"strategy\": \"replace\"\n - \"properties\": [\"cpu.shares\", \"cpu.cfs_period_us\"]\n";

	#[test]
	fn all_that_criu_takes_and_more_spellings_of_the_same() {
		for text in [
			CRIU,
			CRIU.trim_end(),
			&format!("{CRIU}{}", "\"pids\":\n - \"strategy\": \"merge\"\n - \"properties\": []\n"),
			"\"cpu\"  :\n -    \"strategy\":\"replace\"   \n -   \"properties\":[\"cpu.shares\"  ,  \"cpu.cfs_period_us\"   ]  \n",
			&CRIU.replace('\n', "\\n"),
			&CRIU.replace('\n', "\r\n"),
			&CRIU.replace(' ', "\t"),
			&CRIU.replace('"', "'"),
			&CRIU.replace('"', ""),
			&format!("\n # cpu: [\n {}# the \"end", CRIU.replace('\n', "  # {\n")),
			"cpu:\n - properties: [cpu.cfs_period_us, cpu.shares, cpu.shares,]\n - strategy: merge",
			"cpu: {strategy: replace, properties: [cpu.shares, cpu.cfs_period_us]}",
			"{\"cpu\": {\"properties\": [\"cpu.shares\",\"cpu.cfs_period_us\"], \"strategy\": \"replace\"}}\n",
			"{ cpu: {strategy: merge, properties: [cpu.shares],}, \"cpu\": {strategy: merge properties: [cpu.cfs_period_us]}, }",
		] {
			assert_eq!(alone(text), ("cpu.cfs_period_us cpu.shares".to_string(), String::new()), "{text}");
		}
		for text in ["", "\n", "# nothing", "{}", " { } ", "\\n"] {
			assert_eq!(alone(text).0, "", "{text}");
		}
	}

	#[test]
	fn replace_leaves_those_listed_and_merge_adds_them() {
		let criu = files(Selection::criu());
		let others =
			|controller: &str| criu.iter().filter(|file| !is_of(file, controller)).cloned().collect::<BTreeSet<_>>();
		let mut wanted = others("cpu");
		wanted.extend(["cpu.shares", "cpu.cfs_period_us"].map(String::from));
		assert_eq!(beside_criu(CRIU), wanted);
		assert_eq!(beside_criu(&CRIU.replace("replace", "merge")), criu);
		assert_eq!(beside_criu("cpu:\n- strategy: replace\n- properties: []"), others("cpu"));
		// Lists are taken one after the other.
		assert_eq!(beside_criu(&format!("{CRIU}{}", CRIU.replace("cpu.shares", "cpu.idle"))), {
			let mut wanted = others("cpu");
			wanted.extend(["cpu.idle", "v2:cpu.idle", "cpu.cfs_period_us"].map(String::from));
			wanted
		});
		let mut wanted = criu.clone();
		wanted.extend(["cpu.cfs_burst_us", "freezer.state"].map(String::from));
		assert_eq!(
			beside_criu(
				"cpu: {strategy: merge, properties: [cpu.cfs_burst_us]} freezer: {strategy: merge, properties: [freezer.state]}"
			),
			wanted
		);
	}

	#[test]
	fn what_a_key_means() {
		let merge = |key: &str, files: &str| alone(&format!("{key}:\n - strategy: merge\n - properties: [{files}]")).0;
		assert_eq!(merge("memory", "memory.max, memory.limit_in_bytes"), "memory.limit_in_bytes v2:memory.max");
		assert_eq!(merge("cpuset", "cpuset.cpus"), "cpuset.cpus v2:cpuset.cpus");
		assert_eq!(merge("'cpu,cpuset'", "cpuset.cpus.exclusive, cpu.max"), "v2:cpu.max v2:cpuset.cpus.exclusive");
		for key in ["''", "unified", "cgroup2"] {
			assert_eq!(merge(key, "cpuset.cpus, io.max, cgroup.freeze"), "v2:cgroup.freeze v2:cpuset.cpus v2:io.max");
		}
		assert_eq!(merge("hugetlb", "hugetlb.2MB.max"), "v2:hugetlb.*.max");
		assert_eq!(merge("cgroup", "cgroup.freeze, notify_on_release"), "notify_on_release v2:cgroup.freeze");
		assert_eq!(merge("name=systemd", "notify_on_release, tasks"), "notify_on_release tasks");

		let replace = |key: &str| {
			let text = format!("{key}:\n - strategy: replace\n - properties: []");
			let left = files(apply(text.as_bytes(), Selection::ALL, &mut |_, _, _| {}).unwrap());
			files(Selection::ALL).difference(&left).cloned().collect::<Vec<_>>()
		};
		assert_eq!(replace("pids"), ["pids.max", "v2:pids.max"]);
		assert_eq!(replace("freezer"), ["freezer.state"]);
		assert!(replace("cpuset").iter().all(|file| is_of(file, "cpuset")) && replace("cpuset").len() == 14);
		assert_eq!(replace("'pids,freezer'").len(), 3);
		assert!(replace("beancounter").is_empty() && replace("name=x").is_empty());
		// Of v2 as a whole the core files stay; of the core files those that carry owner and mode.
		let v2: Vec<_> = files(Selection::ALL)
			.into_iter()
			.filter(|file| file.starts_with("v2:") && !is_of(file, "cgroup"))
			.collect();
		assert_eq!(replace("unified"), v2);
		let core = replace("cgroup");
		assert!(
			core.len() == 8 && core.iter().all(|file| is_of(file, "cgroup") && !file.ends_with("procs")),
			"{core:?}"
		);
	}

	#[test]
	fn files_that_are_never_saved_are_told() {
		let (saved, told) = alone(
			"\"name=systemd\":\n - \"strategy\": \"merge\"\n - \"properties\": [\"release_agent\"]\n\
			 ve: {strategy: merge, properties: [ve.state, ../../x, cpuacct.usage, cgroup.kill]}\n",
		);
		assert_eq!(saved, "");
		let wanted = "line 3, column 19 release_agent: names a program that the kernel runs as root of the host; \
			line 4, column 36 ve.state: cgraft does not know it; line 4, column 46 ../../x: cgraft does not know it; \
			line 4, column 55 cpuacct.usage: a counter: a write resets it, its number cannot be put back; \
			line 4, column 70 cgroup.kill: an action, not a setting";
		assert_eq!(told, wanted);
	}

	#[test]
	fn an_error_has_its_place_and_what_stands_there() {
		let criu = |from: &str, to: &str| CRIU.replacen(from, to, 1);
		for (text, why, spot, found) in [
			("cpu".to_string(), Why::ListColon, (1, 4), ""),
			("\n\n  ]".to_string(), Why::ListKey, (3, 3), "]"),
			("a/b: {".to_string(), Why::ListKey, (1, 1), "a/b"),
			("\"a b\":".to_string(), Why::ListKey, (1, 1), "a b"),
			(criu("cpu\"", "cpu"), Why::ListKey, (1, 1), "cpu:\n - "),
			("cpu: \"x".to_string(), Why::ListQuote, (1, 6), ""),
			(criu("\"]", "]"), Why::ListQuote, (3, 33), ""),
			(criu("strategy", "strat"), Why::ListField, (2, 4), "strat"),
			(criu("properties", "strategy"), Why::ListField, (3, 4), "strategy"),
			(criu("replace", "append"), Why::ListStrategy, (2, 16), "append"),
			(criu("\"replace\"", "[]"), Why::ListStrategy, (2, 16), "["),
			(criu("[", ""), Why::ListOpen, (3, 18), "cpu.shares"),
			(criu("\"cpu.shares\"", "\"\""), Why::ListFile, (3, 19), ""),
			(criu("\", \"", "\" \""), Why::ListComma, (3, 32), "cpu.cfs_period_us"),
			(criu("]", ""), Why::ListComma, (4, 1), ""),
			(criu("cpu.shares", "memory.max"), Why::OtherController, (3, 19), "memory.max"),
			(criu("cpu\"", "unified\""), Why::OtherController, (3, 19), "cpu.shares"),
			(criu("cpu\"", "name=cpu\""), Why::OtherController, (3, 19), "cpu.shares"),
			(format!("{CRIU}]"), Why::ListKey, (4, 1), "]"),
			(format!("# größer\n {{{CRIU}"), Why::ListKey, (5, 1), ""),
			(format!("{{{CRIU}}} ö x"), Why::ListEnd, (4, 3), "ö"),
			("ö: {strategy: merge, properties: [] x".to_string(), Why::ListBrace, (1, 37), "x"),
			("cpu: {strategy: merge}".to_string(), Why::ListField, (1, 22), "}"),
			("\\".to_string(), Why::ListKey, (1, 1), "\\"),
			("x: - - strategy".to_string(), Why::ListField, (1, 6), "-"),
		] {
			let refused = apply(text.as_bytes(), Selection::ALL, &mut |_, _, _| {}).expect_err(&text);
			let (line, column) = spot;
			assert_eq!((refused.why, Spot::of(text.as_bytes(), refused.at)), (why, Spot { line, column }), "{text}");
			assert_eq!(refused.found, found.as_bytes(), "{text}");
		}
	}

	#[test]
	fn random_lists_agree_with_a_slow_model_in_any_spelling() {
		let mut dice = Dice(11);
		let controllers = ["cpu", "memory", "cpuset", "pids", "io", "cgroup", "hugetlb"];
		for _ in 0..rounds(400) {
			let mut model = files(Selection::criu());
			let mut text = String::new();
			for _ in 0..dice.below(5) {
				let key = controllers[dice.below(controllers.len())];
				let own: Vec<String> = files(Selection::ALL).into_iter().filter(|file| is_of(file, key)).collect();
				let replace = dice.below(2) == 0;
				if replace {
					model.retain(|file| {
						!own.contains(file)
							|| file.ends_with("procs")
							|| file.ends_with("tasks")
							|| file.ends_with("threads")
					});
				}
				let listed: Vec<String> =
					(0..dice.below(6)).map(|_| own[dice.below(own.len())].replace("v2:", "")).collect();
				for name in &listed {
					model.extend(own.iter().filter(|file| file.trim_start_matches("v2:") == name).cloned());
				}
				let quoted: Vec<String> =
					listed.iter().map(|name| format!("\"{}\"", name.replace('*', "2MB"))).collect();
				let strategy = if replace { "replace" } else { "merge" };
				let names = quoted.join(", ");
				text += &match dice.below(3) {
					0 => format!("\"{key}\":\n - \"strategy\": \"{strategy}\"\n - \"properties\": [{names}]\n"),
					1 => format!("{key}: {{ strategy: '{strategy}', properties: [ {names} ] }} # {key}\n"),
					_ => format!("'{key}' :\n- properties:\n   [{names}\n]\n- strategy : {strategy} "),
				};
			}
			assert_eq!(beside_criu(&text), model, "{text}");
		}
	}

	#[test]
	fn any_bytes_end_and_a_refusal_points_into_the_text() {
		let pieces = [
			"{",
			"}",
			"[",
			"]",
			":",
			",",
			"-",
			"\"",
			"'",
			"\n",
			" ",
			"#",
			"\\n",
			"\\",
			"cpu",
			"\"cpu.shares\"",
			"strategy",
			"merge",
			"replace",
			"properties",
			"\u{fc}",
			"\0",
		];
		let mut dice = Dice(5);
		let (mut taken, mut refused) = (0, 0);
		for round in 0..rounds(60_000) {
			let mut text = if round % 2 == 0 { Vec::new() } else { CRIU.as_bytes().to_vec() };
			for _ in 0..1 + dice.below(6) {
				let piece = pieces[dice.below(pieces.len())].as_bytes();
				let at = dice.below(text.len() + 1);
				match dice.below(4) {
					0 if at < text.len() => text[at] = dice.below(256) as u8,
					1 if at < text.len() => drop(text.drain(at..text.len().min(at + 1 + dice.below(9)))),
					_ => drop(text.splice(at..at, piece.iter().copied())),
				}
			}
			match apply(&text, Selection::criu(), &mut |at, file, _| assert!(at + file.len() <= text.len())) {
				Ok(_) => taken += 1,
				Err(Refused { at, found, .. }) => {
					refused += 1;
					assert!(
						at <= text.len()
							&& (found.is_empty() || text[at..].starts_with(found) || text[at + 1..].starts_with(found))
					);
					let Spot { line, column } = Spot::of(&text, at);
					assert!((1..=text.len() + 1).contains(&line) && (1..=text.len() + 1).contains(&column));
				}
			}
		}
		let all = rounds(60_000);
		assert!(taken > all / 60 && refused > all / 6, "{taken} {refused}");
	}
}
