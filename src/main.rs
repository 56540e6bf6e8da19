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
use cgraft::error::{Error, Fault, Why};
use cgraft::kernel::{fenced, stream};
use cgraft::log::{Level, Log};
use cgraft::name::Shown;

use crate::cli::{Cli, HELP};
use crate::messages::Messages;

/// Runs what the arguments ask for; the exit code.
fn run(typed: &[&'static [u8]]) -> u8 {
	let expanded;
	let mut typed = typed;
	let is_hook = typed.contains(&&b"hook"[..]) && !typed.iter().any(|word| word.ends_with(b"help"));
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
			return help(seen.iter().find(|word| **word != "help" && !word.starts_with('-')));
		}
		Messages::new(1).say(Level::Error, format_args!("{}", Shown(exit.output.as_bytes().trim_ascii_end())));
		2
	})
}

/// Prints all of the help, or what is about this command and what is about all of them; the exit code.
fn help(command: Option<&&str>) -> u8 {
	let Some(command) = command else { return print(HELP.as_bytes()) };
	match part_of_help(command) {
		Some(part) => print(part) | print(b"\n") | print(part_of_help("  -i").unwrap_or(b"")),
		None => {
			let place = format_args!("command {}", Shown(command.as_bytes()));
			Messages::new(1).error(&Error::new(Fault::Usage(Why::NoSuchChoice), place))
		}
	}
}

fn print(text: &[u8]) -> u8 {
	let _ = stream::write_all(fenced::stdout(), text); // help that nobody reads
	0
}

/// The paragraph of the help that begins with this word.
fn part_of_help(word: &str) -> Option<&'static [u8]> {
	let mut rest = HELP.as_bytes();
	loop {
		let len = rest.windows(2).position(|pair| pair == b"\n\n").map_or(rest.len(), |at| at + 1);
		let (part, behind) = rest.split_at(len);
		if part.strip_prefix(word.as_bytes()).is_some_and(|text| matches!(text.first(), Some(b':' | b',' | b' '))) {
			return Some(part);
		}
		rest = behind.strip_prefix(b"\n")?;
	}
}
