//! Values of options in, what the library takes out.

use std::sync::Mutex;

use cgraft::act::join::Pair;
use cgraft::error::{At, Error, Fault, Why};
use cgraft::limits::{Limit, OPTIONS};
use cgraft::name::Shown;
use cgraft::owners::{Owners, Shift};
use cgraft::procfs::scan::number32;

use crate::cli::{self, Cli};

/// The values of repeated options.
pub type Texts = heapless::Vec<&'static [u8], OPTIONS>;
pub static TEXTS: Mutex<[Texts; 4]> = Mutex::new([const { Texts::new() }; 4]);

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

/// `OLD:NEW`.
pub fn pairs(values: &[cli::Text]) -> Result<heapless::Vec<Pair, OPTIONS>, Error> {
	let mut pairs = heapless::Vec::new();
	let number = |text: &str| number32(text.as_bytes());
	each("--pid-map", values, &mut |value| {
		let pair = value.split_once(':').and_then(|(old, new)| Some((number(old)?, number(new)?)));
		Ok(pairs.push(pair.ok_or(Why::BadPidMap)?).is_ok())
	})?;
	Ok(pairs)
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
