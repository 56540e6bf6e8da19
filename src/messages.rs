//! Messages to standard error or to the file of `-o`, one line each, without the heap.

use std::ffi::CStr;
use std::fmt::{self, Write};

use cgraft::error::{Error, Fault};
use cgraft::kernel::stream::{Target, Text, log_file};
use cgraft::log::{Level, Log};

use cgraft::limits::MESSAGE_BYTES;

/// Where messages go, and which.
pub struct Messages {
	target: Option<Target>,
	level: u8,
}

impl Messages {
	/// To standard error.
	pub fn new(level: u8) -> Self {
		Messages { target: Some(Target::Err), level }
	}

	/// From now on to a file.
	pub fn go_to(&mut self, path: &CStr) -> Result<(), Fault> {
		self.target = Some(log_file(path)?);
		Ok(())
	}

	/// Tells an error; the exit code.
	pub fn error(&mut self, error: &Error) -> u8 {
		self.say(Level::Error, format_args!("{error}"));
		error.exit_code()
	}
}

impl Messages {
	fn write(&mut self, level: Level, prefix: &str, line: fmt::Arguments<'_>) {
		if level as u8 > self.level {
			return;
		}
		let mut buffer = [0; MESSAGE_BYTES];
		let Some(target) = self.target.take() else { return };
		let mut text = Text::new(target, &mut buffer);
		let _ = writeln!(text, "{prefix}{line}"); // a message that cannot be written has nowhere else to go
		self.target = Some(text.into_target());
	}
}

impl Log for Messages {
	fn say(&mut self, level: Level, line: fmt::Arguments<'_>) {
		self.write(level, "cgraft: ", line);
	}

	fn sum_up(&mut self, line: fmt::Arguments<'_>) {
		self.write(Level::Warning, "", line);
	}
}
