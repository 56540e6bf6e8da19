//! The program `cgraft`: arguments in, a command of the library, a line for people and an exit code out.
//!
//! Between the parsing of the arguments and the exit nothing is allocated on the heap; all buffers are one static
//! workspace.

// The entry is C's: what the standard library does before and after `main` is more than cgraft needs (see `start`).
#![cfg_attr(not(test), no_main)]
#![cfg_attr(test, allow(dead_code))] // the entry is not part of the unit tests

mod arena;
mod arguments;
mod cli;
mod commands;
mod hook;
mod messages;
mod start;

use argh::FromArgs;
use cgraft::error::{Error, Fault};
use cgraft::kernel::{fenced, stream};
use cgraft::log::{Level, Log};
use cgraft::name::Shown;

use crate::cli::{Cli, HELP};
use crate::messages::Messages;

/// Runs what the arguments ask for; the exit code.
fn run(typed: &[&'static [u8]]) -> u8 {
	let expanded;
	let (is_hook, mut typed) = (typed.contains(&&b"hook"[..]), typed);
	if is_hook {
		let Some(all) = hook::expand(typed) else { return 0 };
		expanded = all;
		typed = &expanded;
	}
	let cli = match parse(typed) {
		Ok(cli) => cli,
		Err(code) => return code,
	};
	arena::close();
	#[cfg(feature = "allocate-late")]
	drop(std::hint::black_box(Box::new(0)));
	let code = commands::run(&cli);
	// What was parsed is not given back piece by piece: the process ends here.
	std::mem::forget(cli);
	if is_hook { code.min(1) } else { code }
}

/// Usage errors exit with 2, a request for help with 0.
fn parse(typed: &[&'static [u8]]) -> Result<Cli, u8> {
	let seen = arguments::normalise(typed).map_err(|(argument, why)| {
		let error = Error::new(Fault::Usage(why), format_args!("{}", Shown(argument)));
		Messages::new(1).error(&error)
	})?;
	Cli::from_args(&["cgraft"], &seen).map_err(|exit| {
		if exit.status.is_ok() {
			let _ = stream::write_all(fenced::stdout(), HELP.as_bytes()); // help that nobody reads
			return 0;
		}
		Messages::new(1).say(Level::Error, format_args!("{}", Shown(exit.output.as_bytes().trim_ascii_end())));
		2
	})
}
