//! Keys and values in, JSON out, in the two shapes that Python's json module prints.
//!
//! Text is ASCII only: what is not printable ASCII is written as `\uXXXX` (characters above U+FFFF as two surrogates), a
//! byte that is not UTF-8 as U+DC00 plus the byte, as Python's `surrogateescape` does.

use core::fmt::Write;

use heapless::Vec;

use super::Put;
use crate::limits::DEPTH;

/// Levels of objects and lists: two for each level of groups and some around them.
const LEVELS: usize = 2 * DEPTH + 16;

/// A bit that no mark has.
const SOME: u8 = 0x80;

/// Writes one JSON text.
pub struct Json<'w> {
	out: &'w mut dyn Write,
	pretty: bool,
	/// For each open object or list its closing mark, with [`SOME`] if something is in it.
	open: Vec<u8, LEVELS>,
	after_key: bool,
	/// The key of a list that is not written before something is in it; empty if there is none.
	waiting: &'static str,
}

impl<'w> Json<'w> {
	/// On one line, or indented by four.
	pub fn new(out: &'w mut dyn Write, pretty: bool) -> Self {
		Json { out, pretty, open: Vec::new(), after_key: false, waiting: "" }
	}

	/// Ends the text with a newline.
	pub fn finish(&mut self) {
		self.write("\n");
	}

	fn write(&mut self, text: &str) {
		let _ = self.out.write_str(text);
	}

	fn write_mark(&mut self, mark: u8) {
		let _ = self.out.write_char(mark as char);
	}

	fn new_line(&mut self) {
		if self.pretty {
			self.write("\n");
			for _ in 0..self.open.len() {
				self.write("    ");
			}
		}
	}

	/// What stands before a key or a list's value.
	fn separate(&mut self) {
		let waiting = core::mem::take(&mut self.waiting);
		if !waiting.is_empty() {
			self.list_of(waiting);
		}
		if core::mem::take(&mut self.after_key) {
			return;
		}
		let Some(open) = self.open.last_mut() else { return };
		if core::mem::replace(open, *open | SOME) & SOME != 0 {
			self.write(if self.pretty { "," } else { ", " });
		}
		self.new_line();
	}

	/// A key of the open object.
	pub fn key(&mut self, key: &str) {
		self.text(key.as_bytes());
		self.write(": ");
		self.after_key = true;
	}

	fn start(&mut self, mark: u8, end: u8) {
		self.separate();
		let _ = self.open.push(end); // the descent is no deeper
		self.write_mark(mark);
	}

	/// Starts an object.
	pub fn object(&mut self) {
		self.start(b'{', b'}');
	}

	/// Starts a list.
	pub fn list(&mut self) {
		self.start(b'[', b']');
	}

	/// A key and the list behind it.
	pub fn list_of(&mut self, key: &str) {
		self.key(key);
		self.list();
	}

	/// The same, but nothing if nothing comes before its end.
	pub fn list_if_any(&mut self, key: &'static str) {
		self.waiting = key;
	}

	/// Ends the object or list that was started last.
	pub fn end(&mut self) {
		if !core::mem::take(&mut self.waiting).is_empty() {
			return;
		}
		let open = self.open.pop().unwrap_or(b' ');
		if open & SOME != 0 {
			self.new_line();
		}
		self.write_mark(open & !SOME);
	}

	/// A number.
	pub fn number(&mut self, number: u64) {
		self.separate();
		self.out.put(format_args!("{number}"));
	}

	/// A key and whether it is true.
	pub fn truth_of(&mut self, key: &str, truth: bool) {
		self.key(key);
		self.separate();
		self.write(if truth { "true" } else { "false" });
	}

	/// A key and its text.
	pub fn text_of(&mut self, key: &str, text: &[u8]) {
		self.key(key);
		self.text(text);
	}

	/// A key and its number.
	pub fn number_of(&mut self, key: &str, number: u64) {
		self.key(key);
		self.number(number);
	}

	/// A key and a group's path, with its first slash.
	pub fn path_of(&mut self, key: &str, path: &[u8]) {
		self.key(key);
		self.text_after("/", path.strip_prefix(b"/").unwrap_or(path));
	}

	/// A text value.
	pub fn text(&mut self, text: &[u8]) {
		self.text_after("", text);
	}

	fn text_after(&mut self, start: &str, text: &[u8]) {
		self.separate();
		self.write_mark(b'"');
		self.write(start);
		for chunk in text.utf8_chunks() {
			for letter in chunk.valid().chars() {
				self.letter(letter);
			}
			for byte in chunk.invalid() {
				self.unit(0xdc00 | u16::from(*byte));
			}
		}
		self.write_mark(b'"');
	}

	fn letter(&mut self, letter: char) {
		match letter {
			'"' => self.write("\\\""),
			'\\' => self.write("\\\\"),
			'\n' => self.write("\\n"),
			'\r' => self.write("\\r"),
			'\t' => self.write("\\t"),
			'\u{8}' => self.write("\\b"),
			'\u{c}' => self.write("\\f"),
			' '..='~' => self.write_mark(letter as u8),
			_ => {
				for unit in letter.encode_utf16(&mut [0; 2]) {
					self.unit(*unit);
				}
			}
		}
	}

	fn unit(&mut self, unit: u16) {
		self.out.put(format_args!("\\u{unit:04x}"));
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	extern crate std;
	use std::string::String;

	fn sample(pretty: bool) -> String {
		let mut out = String::new();
		let mut json = Json::new(&mut out, pretty);
		json.object();
		json.text_of("a", "q\"\\\n\u{7f}ä😀".as_bytes());
		json.key("b");
		json.list();
		json.number(1);
		json.number(2);
		json.end();
		json.key("c");
		json.object();
		json.end();
		json.text_of("d", b"\xff");
		json.truth_of("e", true);
		json.end();
		json.finish();
		out
	}

	#[test]
	fn both_shapes_are_pythons() {
		let text = "\"q\\\"\\\\\\n\\u007f\\u00e4\\ud83d\\ude00\"";
		let flat = std::format!("{{\"a\": {text}, \"b\": [1, 2], \"c\": {{}}, \"d\": \"\\udcff\", \"e\": true}}\n");
		assert_eq!(sample(false), flat);
		let pretty = std::format!(
			"{{\n    \"a\": {text},\n    \"b\": [\n        1,\n        2\n    ],\n    \"c\": {{}},\n    \"d\": \"\\udcff\",\n    \"e\": true\n}}\n"
		);
		assert_eq!(sample(true), pretty);
	}
}
