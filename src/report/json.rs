//! Keys and values in, JSON out, in the two shapes that Python's json module prints.
//!
//! Text is ASCII only: what is not printable ASCII is written as `\uXXXX` (characters above U+FFFF as two surrogates), a
//! byte that is not UTF-8 as U+DC00 plus the byte, as Python's `surrogateescape` does.

use core::fmt::{Result, Write};

use heapless::Vec;

use crate::limits::DEPTH;

/// Levels of objects and lists: two for each level of groups and some around them.
const LEVELS: usize = 2 * DEPTH + 16;

/// Writes one JSON text.
pub struct Json<'w> {
	out: &'w mut dyn Write,
	pretty: bool,
	/// For each open object or list: its closing mark, and whether something is in it.
	open: Vec<(u8, bool), LEVELS>,
	after_key: bool,
}

impl<'w> Json<'w> {
	/// On one line, or indented by four.
	pub fn new(out: &'w mut dyn Write, pretty: bool) -> Self {
		Json { out, pretty, open: Vec::new(), after_key: false }
	}

	fn new_line(&mut self) -> Result {
		if self.pretty {
			self.out.write_char('\n')?;
			for _ in 0..self.open.len() {
				self.out.write_str("    ")?;
			}
		}
		Ok(())
	}

	/// What stands before a key or a list's value.
	fn separate(&mut self) -> Result {
		if core::mem::take(&mut self.after_key) {
			return Ok(());
		}
		match self.open.last_mut().map(|(_, some)| core::mem::replace(some, true)) {
			None => Ok(()),
			Some(true) if self.pretty => self.out.write_char(',').and_then(|()| self.new_line()),
			Some(true) => self.out.write_str(", "),
			Some(false) => self.new_line(),
		}
	}

	/// A key of the open object.
	pub fn key(&mut self, key: &str) -> Result {
		self.separate()?;
		self.quoted(key.as_bytes())?;
		self.after_key = true;
		self.out.write_str(": ")
	}

	fn start(&mut self, mark: char, end: u8) -> Result {
		self.separate()?;
		self.open.push((end, false)).map_err(|_| core::fmt::Error)?;
		self.out.write_char(mark)
	}

	/// Starts an object.
	pub fn object(&mut self) -> Result {
		self.start('{', b'}')
	}

	/// Starts a list.
	pub fn list(&mut self) -> Result {
		self.start('[', b']')
	}

	/// Ends the object or list that was started last.
	pub fn end(&mut self) -> Result {
		let Some((mark, some)) = self.open.pop() else { return Err(core::fmt::Error) };
		if some {
			self.new_line()?;
		}
		self.out.write_char(mark as char)
	}

	/// A text value.
	pub fn text(&mut self, text: &[u8]) -> Result {
		self.separate()?;
		self.quoted(text)
	}

	/// A number.
	pub fn number(&mut self, number: u64) -> Result {
		self.separate()?;
		write!(self.out, "{number}")
	}

	/// True or false.
	pub fn truth(&mut self, truth: bool) -> Result {
		self.separate()?;
		self.out.write_str(if truth { "true" } else { "false" })
	}

	/// A key and its text.
	pub fn text_of(&mut self, key: &str, text: &[u8]) -> Result {
		self.key(key)?;
		self.text(text)
	}

	/// A key and its number.
	pub fn number_of(&mut self, key: &str, number: u64) -> Result {
		self.key(key)?;
		self.number(number)
	}

	fn quoted(&mut self, text: &[u8]) -> Result {
		self.out.write_char('"')?;
		for chunk in text.utf8_chunks() {
			for letter in chunk.valid().chars() {
				self.letter(letter)?;
			}
			for byte in chunk.invalid() {
				write!(self.out, "\\udc{byte:02x}")?;
			}
		}
		self.out.write_char('"')
	}

	fn letter(&mut self, letter: char) -> Result {
		match letter {
			'"' => self.out.write_str("\\\""),
			'\\' => self.out.write_str("\\\\"),
			'\n' => self.out.write_str("\\n"),
			'\r' => self.out.write_str("\\r"),
			'\t' => self.out.write_str("\\t"),
			'\u{8}' => self.out.write_str("\\b"),
			'\u{c}' => self.out.write_str("\\f"),
			' '..='~' => self.out.write_char(letter),
			_ => {
				let mut units = [0; 2];
				for unit in letter.encode_utf16(&mut units) {
					write!(self.out, "\\u{unit:04x}")?;
				}
				Ok(())
			}
		}
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
		json.object().unwrap();
		json.text_of("a", "q\"\\\n\u{7f}ä😀".as_bytes()).unwrap();
		json.key("b").unwrap();
		json.list().unwrap();
		json.number(1).unwrap();
		json.truth(true).unwrap();
		json.end().unwrap();
		json.key("c").unwrap();
		json.object().unwrap();
		json.end().unwrap();
		json.text_of("d", b"\xff").unwrap();
		json.end().unwrap();
		out
	}

	#[test]
	fn both_shapes_are_pythons() {
		let text = "\"q\\\"\\\\\\n\\u007f\\u00e4\\ud83d\\ude00\"";
		let flat = std::format!("{{\"a\": {text}, \"b\": [1, true], \"c\": {{}}, \"d\": \"\\udcff\"}}");
		assert_eq!(sample(false), flat);
		let pretty = std::format!(
			"{{\n    \"a\": {text},\n    \"b\": [\n        1,\n        true\n    ],\n    \"c\": {{}},\n    \"d\": \"\\udcff\"\n}}"
		);
		assert_eq!(sample(true), pretty);
	}
}
