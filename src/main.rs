//! The program `cgraft`: arguments in, a command of the library, a line for people and an exit code out.
//!
//! Between the parsing of the arguments and the exit nothing is allocated on the heap; all buffers are one static
//! workspace.

mod arena;
mod arguments;
mod cli;
mod commands;
mod messages;

use std::process::ExitCode;

use argh::FromArgs;
use cgraft::name::Shown;

use crate::cli::Cli;

fn main() -> ExitCode {
	let cli = match parse() {
		Ok(cli) => cli,
		Err(code) => return ExitCode::from(code),
	};
	arena::close();
	let code = commands::run(&cli);
	// What was parsed is not given back piece by piece: the process ends here.
	std::mem::forget(cli);
	ExitCode::from(code)
}

/// Usage errors exit with 2, a request for help or the version with 0.
fn parse() -> Result<Cli, u8> {
	let mut typed = Vec::new();
	for argument in std::env::args_os().skip(1) {
		typed.push(argument.into_string().map_err(|argument| {
			eprintln!("cgraft: an argument is not UTF-8: {}", Shown(argument.as_encoded_bytes()));
			2
		})?);
	}
	let seen = arguments::normalise(typed.into_iter()).map_err(|why| {
		eprintln!("cgraft: {why}");
		2
	})?;
	let seen: Vec<&str> = seen.iter().map(String::as_str).collect();
	Cli::from_args(&["cgraft"], &seen).map_err(|exit| match exit.status {
		Ok(()) => {
			print!("{}", exit.output);
			0
		}
		Err(()) => {
			eprintln!("cgraft: {}", Shown(exit.output.trim_end().replace('\n', " ").as_bytes()));
			2
		}
	})
}
