//! The short texts of the table, once each: a row holds a text's number, one byte instead of a pointer and a length.

macro_rules! texts {
	($($text:literal,)*) => {
		/// What a fresh group shows, and what takes a line back.
		const TEXTS: &[&str] = &[$($text,)*];
		/// The same for the program, without a table of where each begins and ends.
		static JOINED: &str = concat!($($text, "\n",)*);
	};
}

texts! {
	"",
	"0",
	"0.00",
	"1",
	"-1",
	"60",
	"100",
	"500",
	"1024",
	"100000",
	"1000000",
	"max",
	"max 100000",
	"default 100",
	"no-change",
	"THAWED",
	"member",
	"domain",
	"a *:* rwm",
	" 0",
	" max",
	" default",
	" target=max",
	" hca_handle=max hca_object=max",
	" rbps=max wbps=max riops=max wiops=max",
	" rbps=max wbps=max riops=max wiops=max idle=max latency=max",
}

/// One of the table's texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text(u8);

impl Text {
	/// The text's number. The compiler stops at a text that is not in the list.
	pub(super) const fn of(text: &str) -> Text {
		let mut index = 0;
		while !is_same(TEXTS[index], text) {
			index += 1;
		}
		Text(index as u8)
	}

	/// The text itself.
	pub fn as_str(self) -> &'static str {
		JOINED.split('\n').nth(self.0.into()).unwrap_or("")
	}

	/// Its bytes.
	pub fn as_bytes(self) -> &'static [u8] {
		self.as_str().as_bytes()
	}
}

/// `==` for the compiler.
pub(super) const fn is_same(a: &str, b: &str) -> bool {
	let (a, b) = (a.as_bytes(), b.as_bytes());
	let mut index = 0;
	while index < a.len() && index < b.len() && a[index] == b[index] {
		index += 1;
	}
	index == a.len() && index == b.len()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_text_is_its_number() {
		for (index, text) in TEXTS.iter().enumerate() {
			assert_eq!(Text::of(text), Text(index as u8), "{text:?} is there twice");
			assert_eq!(Text::of(text).as_str(), *text);
		}
		assert_eq!(Text(255).as_bytes(), b"");
		for (a, b) in [("", "a"), ("a", ""), ("ab", "ac"), ("ab", "abc")] {
			assert!(!is_same(a, b), "{a} {b}");
		}
	}
}
