//! Images in, text for people and programs out.

pub mod decode;
pub mod differences;
pub mod json;
pub mod offered;
pub mod overview;
pub mod tree;

use core::fmt::{self, Write};

/// Writes the text of a report. A failed write is not looked at here: what is behind the writer keeps the first fault,
/// as `kernel::stream::Text` does, and is asked for it at the end.
trait Put {
	fn put(&mut self, text: fmt::Arguments<'_>);
}

impl Put for dyn Write + '_ {
	fn put(&mut self, text: fmt::Arguments<'_>) {
		let _ = self.write_fmt(text);
	}
}
