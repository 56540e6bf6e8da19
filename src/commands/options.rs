//! Values of options in, what the library takes out.

use std::sync::Mutex;

use cgraft::act::pairs::{Pair, Pairs, insert, parse, read};
use cgraft::error::{At, Error, Fault, Why};
use cgraft::limits::{Limit, OPTIONS};
use cgraft::name::Shown;
use cgraft::owners::{Owners, Shift};
use cgraft::procfs::scan::number32;

use crate::cli::{self, Cli};

/// The values of repeated options.
pub type Texts = heapless::Vec<&'static [u8], OPTIONS>;
pub static TEXTS: Mutex<[Texts; 4]> = Mutex::new([const { Texts::new() }; 4]);

/// Of `--pid-map` and `--pid-map-file`.
pub static PAIRS: Mutex<Pairs> = Mutex::new(Pairs::new());

/// Of `--uid-map` and `--gid-map`.
pub type Shifts = heapless::Vec<Shift, OPTIONS>;
pub static SHIFTS: Mutex<[Shifts; 2]> = Mutex::new([const { Shifts::new() }; 2]);

/// Which of two choices was made; without a choice it is the first. True for the second.
pub fn is_second(option: &str, given: Option<cli::Text>, choices: [&str; 2]) -> Result<bool, Error> {
	let given = given.map_or(choices[0], |given| given.0);
	match choices.iter().position(|choice| *choice == given) {
		Some(at) => Ok(at == 1),
		None => Err(Fault::Usage(Why::NoSuchChoice)).at(format_args!("{option} {}", Shown(given.as_bytes()))),
	}
}

/// Reads the values of a repeated option; `take` says whether there was room for one.
pub fn each(
	option: &str,
	values: &[cli::Text],
	take: &mut dyn FnMut(&'static str) -> Result<bool, Why>,
) -> Result<(), Error> {
	for cli::Text(value) in values {
		let fault = match take(value) {
			Ok(true) => continue,
			Ok(false) => Fault::full(Limit::Options, values.len()),
			Err(why) => Fault::Usage(why),
		};
		return Err(fault).at(format_args!("{option} {}", Shown(value.as_bytes())));
	}
	Ok(())
}

pub fn pids(values: &[cli::Text]) -> Result<heapless::Vec<u32, OPTIONS>, Error> {
	let mut pids = heapless::Vec::new();
	each("-t", values, &mut |value| Ok(pids.push(number32(value.as_bytes()).ok_or(Why::NotAPid)?).is_ok()))?;
	Ok(pids)
}

pub fn texts<'t>(values: &[cli::Text], into: &'t mut Texts) -> Result<&'t [&'static [u8]], Error> {
	each("arguments:", values, &mut |value| Ok(into.push(value.as_bytes()).is_ok()))?;
	Ok(into)
}

pub fn yard(cli: &Cli) -> Option<&'static [u8]> {
	cli.yard.map(|yard| yard.0.as_bytes())
}

/// Reads `--pid-map` and `--pid-map-file`.
pub fn pairs<'t>(cli: &Cli, into: &'t mut Pairs) -> Result<&'t [Pair], Error> {
	for cli::Text(value) in &cli.pid_map {
		let pair = parse(value.as_bytes(), &mut 0).and_then(|pair| pair.ok_or(Fault::Usage(Why::BadPidMap)));
		pair.and_then(|pair| insert(into, pair)).at(format_args!("--pid-map {}", Shown(value.as_bytes())))?;
	}
	if let Some(cli::Text(path)) = cli.pid_map_file {
		read(path.as_bytes(), into)?;
	}
	Ok(into)
}

/// The number of a process, if the option was given.
pub fn pid(option: &str, given: Option<cli::Text>) -> Result<Option<u32>, Error> {
	let Some(cli::Text(value)) = given else { return Ok(None) };
	let number = number32(value.as_bytes()).ok_or(Fault::Usage(Why::NotAPid));
	number.map(Some).at(format_args!("{option} {}", Shown(value.as_bytes())))
}

/// `OLD=NEW` or `FIRST-LAST=NEW`.
pub fn numbers_of(value: &str) -> Result<Shift, Why> {
	Shift::parse(value.as_bytes()).ok_or(Why::BadShift)
}

/// Reads `--uid-map` and `--gid-map`.
pub fn owners<'t>(cli: &Cli, [uids, gids]: &'t mut [Shifts; 2]) -> Result<Owners<'t>, Error> {
	for (option, values, into) in [("--uid-map", &cli.uid_map, &mut *uids), ("--gid-map", &cli.gid_map, &mut *gids)] {
		each(option, values, &mut |value| Ok(into.push(numbers_of(value)?).is_ok()))?;
	}
	Ok(Owners { uids, gids })
}
