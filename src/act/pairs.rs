//! `OLD:NEW`, from the command line or a file, in; a table of processes, sorted by the first number, out.
//!
//! Bounds: `PAIRS` of them; a line of the file has at most `PAIR_LINE_BYTES`.

use heapless::Vec;

use crate::error::{At, Error, Fault, Why};
use crate::kernel::output::c_string;
use crate::kernel::stream::Reader;
use crate::limits::{Limit, PAIR_LINE_BYTES, PAIRS, PATH_BYTES};
use crate::name::Shown;
use crate::procfs::scan::{Lines, number32};
use crate::property::lists::Spot;

/// A process of the image and the running one that takes its place.
pub type Pair = (u32, u32);

/// Pairs, sorted by their first number, each of which is there once.
pub type Pairs = Vec<Pair, PAIRS>;

/// Adds one; an error where the first number has another second one.
pub fn insert(pairs: &mut Pairs, pair: Pair) -> Result<(), Fault> {
	let at = pairs.partition_point(|known| known.0 < pair.0);
	match pairs.get(at) {
		Some(known) if *known == pair => Ok(()),
		Some(known) if known.0 == pair.0 => Err(Fault::Usage(Why::OldTwice)),
		_ => pairs.insert(at, pair).map_err(|_| Fault::full(Limit::Pairs, PAIRS + 1)),
	}
}

/// The second number of the pair with this first one.
pub fn find(pairs: &[Pair], old: u32) -> Option<u32> {
	let at = pairs.partition_point(|known| known.0 < old);
	pairs.get(at).filter(|known| known.0 == old).map(|known| known.1)
}

/// `OLD:NEW` between blanks, with a comment behind it; none without. Where it goes wrong is left in `column`.
pub fn parse(line: &[u8], column: &mut usize) -> Result<Option<Pair>, Fault> {
	let text = line.split(|byte| *byte == b'#').next().unwrap_or(line).trim_ascii_end();
	let start = text.len() - text.trim_ascii_start().len();
	let digits = text.iter().skip(start).take_while(|byte| byte.is_ascii_digit()).count();
	*column = start + 1;
	if text.is_empty() {
		return Ok(None);
	}
	let bad = Fault::Usage(Why::BadPidMap);
	let (old, rest) = text.get(start..).unwrap_or(b"").split_at_checked(digits).ok_or(bad)?;
	let old = number32(old).ok_or(bad)?;
	*column += digits;
	let new = rest.strip_prefix(b":").ok_or(bad)?;
	*column += 1;
	let new = number32(new).ok_or(bad)?;
	*column = start + 1;
	Ok(Some((old, new)))
}

/// Adds the pairs of a file of `--pid-map-file`.
pub fn read(path: &[u8], into: &mut Pairs) -> Result<(), Error> {
	let shown = Shown(path);
	let reader = c_string::<PATH_BYTES>(path).and_then(|path| Reader::open(&path));
	let mut buffer = [0; PAIR_LINE_BYTES];
	let mut lines = Lines::new(reader.at(format_args!("--pid-map-file {shown}"))?, &mut buffer);
	let mut spot = Spot { line: 0, column: 1 };
	loop {
		spot.line += 1;
		match one(&mut lines, &mut spot.column, into) {
			Ok(true) => {}
			Ok(false) => return Ok(()),
			Err(fault) => return Err(Error::new(fault, format_args!("--pid-map-file {shown}: {spot}"))),
		}
	}
}

/// The next line; whether there was one.
fn one(lines: &mut Lines<'_, Reader>, column: &mut usize, into: &mut Pairs) -> Result<bool, Fault> {
	*column = 1;
	let Some(line) = lines.next_line()? else { return Ok(false) };
	parse(line, column)?.map_or(Ok(()), |pair| insert(into, pair))?;
	Ok(true)
}

#[cfg(test)]
mod tests {
	use super::*;
	extern crate std;
	use std::boxed::Box;

	#[test]
	fn a_line_is_a_pair_or_nothing() {
		for (line, pair) in [
			("5:6", Some((5, 6))),
			(" \t5:6\t# five", Some((5, 6))),
			("5:6#", Some((5, 6))),
			("", None),
			(" ", None),
			("# 5:6", None),
			("\r", None),
			("5:6\r", Some((5, 6))),
		] {
			assert_eq!(parse(line.as_bytes(), &mut 0), Ok(pair), "{line:?}");
		}
		for (line, at) in [
			("x", 1),
			(" x:1", 2),
			("5", 2),
			("5 :6", 2),
			("5:", 3),
			(" 55:x", 5),
			("5:6:7", 3),
			("4294967296:1", 1),
			(":", 1),
		] {
			let mut column = 0;
			assert_eq!(parse(line.as_bytes(), &mut column), Err(Fault::Usage(Why::BadPidMap)), "{line:?}");
			assert_eq!(column, at, "{line:?}");
		}
	}

	#[test]
	fn a_table_is_sorted_has_each_once_and_may_be_full() {
		let mut pairs = Box::new(Pairs::new());
		for old in (0..PAIRS as u32).rev() {
			insert(&mut pairs, (old * 2, old)).unwrap();
		}
		assert_eq!(insert(&mut pairs, (4, 2)), Ok(()));
		assert_eq!(insert(&mut pairs, (4, 3)), Err(Fault::Usage(Why::OldTwice)));
		assert!(matches!(insert(&mut pairs, (5, 3)), Err(Fault::Full(Limit::Pairs, _))));
		assert!(pairs.is_sorted() && find(&pairs, 4) == Some(2) && find(&pairs, 5).is_none());
		assert!(find(&pairs, u32::MAX).is_none() && find(&[], 0).is_none());
	}
}
