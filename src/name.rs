//! Proved names: one path component, a group's path, and bytes shown to people.
//!
//! Bytes from an image or from /proc become names only here; whoever holds a [`Name`] knows that it is one component
//! and cannot leave the directory it is used in.

use core::ffi::CStr;
use core::fmt;

use heapless::Vec;

use crate::error::{Fault, Why};
use crate::limits::{Limit, NAME_BYTES, PATH_BYTES};

/// One component of a group's path: not empty, not `.` or `..`, without `/`, NUL and newline (mkdir of cgroupfs
/// refuses a newline with EINVAL), at most [`NAME_BYTES`] - 1 bytes.
#[derive(Clone)]
pub struct Name {
	/// With the final NUL; empty before there is a name.
	text: Vec<u8, NAME_BYTES>,
}

impl Name {
	/// Proves `bytes`; the fault names the rule that is broken.
	pub fn new(bytes: &[u8]) -> Result<Self, Fault> {
		let mut name = Name::empty();
		name.set(bytes).map(|()| name)
	}

	/// Room for a name.
	pub fn empty() -> Self {
		Name { text: Vec::new() }
	}

	/// The same as [`Name::new`] in the room of another one.
	pub fn set(&mut self, bytes: &[u8]) -> Result<(), Fault> {
		check(bytes)?;
		let full = Fault::full(Limit::GroupName, bytes.len());
		self.text.clear();
		self.text.extend_from_slice(bytes).and_then(|()| self.text.extend_from_slice(b"\0")).map_err(|_| full)
	}

	/// For a system call.
	pub fn as_c_str(&self) -> &CStr {
		CStr::from_bytes_with_nul(&self.text).unwrap_or_default()
	}

	/// The bytes without the final NUL.
	pub fn bytes(&self) -> &[u8] {
		self.text.strip_suffix(b"\0").unwrap_or(&self.text)
	}
}

/// Whether `bytes` may be one component of a group's path (see [`Name`]).
pub fn check(bytes: &[u8]) -> Result<(), Fault> {
	match bytes {
		b"" => Err(Fault::Text(Why::NameEmpty)),
		b"." | b".." => Err(Fault::Text(Why::NameDots)),
		_ if bytes.contains(&b'/') => Err(Fault::Text(Why::NameSlash)),
		_ if bytes.contains(&0) => Err(Fault::Text(Why::NameNul)),
		_ if bytes.contains(&b'\n') => Err(Fault::Text(Why::NameNewline)),
		_ => Ok(()),
	}
}

/// The components of a path; a leading slash, and nothing else, is left out. `/` has none.
pub fn components(path: &[u8]) -> impl Iterator<Item = &[u8]> {
	let inner = path.strip_prefix(b"/").unwrap_or(path);
	inner.split(|byte| *byte == b'/').filter(move |_| !inner.is_empty())
}

/// Whether `path` is `above` itself or lies below it, by whole components: `/foo` is not above `/foobar`.
pub fn is_below_or_same(path: &[u8], above: &[u8]) -> bool {
	match path.strip_prefix(above.strip_suffix(b"/").unwrap_or(above)) {
		Some(rest) => rest.is_empty() || rest[0] == b'/',
		None => false,
	}
}

/// A group's path below its hierarchy's root as it grows and shrinks during a walk: empty for the root itself, else
/// components joined by `/`, with no slash at either end.
pub struct Trail {
	bytes: Vec<u8, PATH_BYTES>,
}

impl Trail {
	/// The root.
	pub const fn new() -> Self {
		Trail { bytes: Vec::new() }
	}

	/// Goes one component down.
	pub fn push(&mut self, name: &[u8]) -> Result<(), Fault> {
		let need = self.bytes.len() + name.len() + 1;
		if need > PATH_BYTES {
			return Err(Fault::full(Limit::GroupPath, need));
		}
		if !self.bytes.is_empty() {
			let _ = self.bytes.push(b'/');
		}
		let _ = self.bytes.extend_from_slice(name);
		Ok(())
	}

	/// Goes one component up; the root stays the root.
	pub fn pop(&mut self) {
		let end = self.bytes.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
		self.bytes.truncate(end);
	}

	/// Back to where it had this length.
	pub fn cut(&mut self, len: usize) {
		self.bytes.truncate(len);
	}

	/// Back to the root.
	pub fn clear(&mut self) {
		self.bytes.clear();
	}

	/// Without a leading slash.
	pub fn bytes(&self) -> &[u8] {
		&self.bytes
	}

	/// The text for messages, with the leading slash.
	pub fn shown(&self) -> ShownPath<'_> {
		ShownPath(&self.bytes)
	}
}

impl Default for Trail {
	fn default() -> Self {
		Trail::new()
	}
}

/// Bytes for people: printable UTF-8 stays, everything else becomes `\xNN`, a backslash becomes two.
#[derive(Clone, Copy)]
pub struct Shown<'a>(pub &'a [u8]);

impl fmt::Display for Shown<'_> {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		for chunk in self.0.utf8_chunks() {
			for letter in chunk.valid().chars() {
				show_letter(f, letter)?;
			}
			for byte in chunk.invalid() {
				write!(f, "\\x{byte:02x}")?;
			}
		}
		Ok(())
	}
}

fn show_letter(f: &mut fmt::Formatter<'_>, letter: char) -> fmt::Result {
	use core::fmt::Write;
	match letter {
		'\n' => f.write_str("\\n"),
		'\t' => f.write_str("\\t"),
		'\\' => f.write_str("\\\\"),
		_ if is_unsafe_to_show(letter) => write!(f, "\\u{{{:x}}}", letter as u32),
		_ => f.write_char(letter),
	}
}

/// Controls, and the marks that turn or hide text (bidirectional overrides, zero width, byte order mark).
fn is_unsafe_to_show(letter: char) -> bool {
	letter.is_control()
		|| matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A group's path for people: with a leading slash, escaped as [`Shown`].
#[derive(Clone, Copy)]
pub struct ShownPath<'a>(pub &'a [u8]);

impl fmt::Display for ShownPath<'_> {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "/{}", Shown(self.0.strip_prefix(b"/").unwrap_or(self.0)))
	}
}

/// Sorts a few items by insertion: the library's sort is made anew, at half a KiB, for each kind of item.
pub fn sort_few<T>(items: &mut [T], is_before: impl Fn(&T, &T) -> bool) {
	for end in 1..items.len() {
		let mut at = end;
		while at > 0 && is_before(&items[at], &items[at - 1]) {
			items.swap(at, at - 1);
			at -= 1;
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	extern crate std;
	use std::string::ToString;

	#[test]
	fn a_name_is_one_component() {
		for bad in [&b""[..], b".", b"..", b"a/b", b"/", b"a\0", b"a\nb"] {
			assert!(Name::new(bad).is_err(), "{bad:?}");
		}
		for good in [&b"a"[..], b"...", b".hidden", b" a b ", b"\xff\xfe", b"x (deleted)", &[b'n'; 4095]] {
			assert_eq!(Name::new(good).unwrap().bytes(), good);
		}
		assert!(matches!(Name::new(&[b'n'; 4096]), Err(Fault::Full(_, 4096))));
	}

	#[test]
	fn foo_is_not_above_foobar() {
		assert!(is_below_or_same(b"/foo/bar", b"/foo"));
		assert!(is_below_or_same(b"/foo", b"/foo"));
		assert!(!is_below_or_same(b"/foobar", b"/foo"));
		assert!(is_below_or_same(b"/foobar", b"/"));
		assert!(!is_below_or_same(b"/", b"/foo"));
	}

	#[test]
	fn a_trail_goes_down_and_up() {
		let mut trail = Trail::new();
		trail.push(b"a").unwrap();
		trail.push(b"b c").unwrap();
		assert_eq!(trail.bytes(), b"a/b c");
		trail.pop();
		trail.pop();
		trail.pop();
		assert_eq!(trail.shown().to_string(), "/");
		let full = [b'x'; PATH_BYTES - 1];
		trail.push(&full).unwrap();
		assert!(trail.push(b"y").is_err());
		assert_eq!(trail.bytes(), full);
	}

	#[test]
	fn what_is_shown_cannot_drive_a_terminal() {
		assert_eq!(Shown(b"a\x1b[2J\xff\n\\").to_string(), "a\\u{1b}[2J\\xff\\n\\\\");
		assert_eq!(Shown("größe \u{202e}".as_bytes()).to_string(), "größe \\u{202e}");
	}

	#[test]
	fn a_few_items_are_sorted_and_equal_ones_stay_in_order() {
		let mut items = [(3, 'a'), (1, 'b'), (3, 'c'), (2, 'd'), (1, 'e')];
		sort_few(&mut items, |left, right| left.0 < right.0);
		assert_eq!(items, [(1, 'b'), (1, 'e'), (2, 'd'), (3, 'a'), (3, 'c')]);
	}

	#[test]
	fn components_of_odd_paths() {
		let list = |path: &'static [u8]| components(path).collect::<std::vec::Vec<_>>();
		assert!(list(b"/").is_empty());
		assert!(list(b"").is_empty());
		assert_eq!(list(b"/a/b"), [b"a", b"b"]);
		assert_eq!(list(b"a//b"), [&b"a"[..], b"", b"b"]);
	}
}
