//! Where the library's messages go: the shell decides what is shown and how.

use core::fmt;

use crate::error::Error;

/// How important a message is; CRIU's numbers of `-v`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
	/// Why the command failed.
	Error = 1,
	/// Something the user has to know; shown by default, as the summary is.
	Warning = 2,
	/// What was done, group by group.
	Info = 3,
	/// Why it was done.
	Debug = 4,
}

/// Takes messages.
pub trait Log {
	/// One line.
	fn say(&mut self, level: Level, line: fmt::Arguments<'_>);

	/// What a command has to say in the end, as a line of its own without a prefix.
	fn sum_up(&mut self, line: fmt::Arguments<'_>);

	/// A reason why this host cannot take the image. Whoever wants all reasons notes it and lets the command go on.
	fn unfit(&mut self, error: Error) -> Result<(), Error> {
		Err(error)
	}

	/// A warning.
	fn warn(&mut self, line: fmt::Arguments<'_>) {
		self.say(Level::Warning, line);
	}

	/// What was done.
	fn info(&mut self, line: fmt::Arguments<'_>) {
		self.say(Level::Info, line);
	}
}
