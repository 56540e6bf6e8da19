//! verify and diff: what is different goes to standard output, and 6 is the exit code.

use std::sync::Mutex;

use cgraft::compare::{self, compare};
use cgraft::difference::{HOST, IMAGES, Sides, Tell};
use cgraft::error::{At, Error, Fault, Why};
use cgraft::kernel::stream::{Target, Text};
use cgraft::report::differences::Report;
use cgraft::restore::verify;
use cgraft::vet::vet;

use super::rewriting::used;
use super::translating::{Translated, translated};
use super::{ImagePath, REPORT, RESTORE, SHIFTS, TEXTS, delivered, open, owners, pid, texts, yard};
use crate::cli::Cli;
use crate::messages::Messages;

/// All buffers of a comparison.
static COMPARE: Mutex<compare::Workspace> = Mutex::new(compare::Workspace::new());

#[inline(never)] // its buffers are no other command's
pub fn run_verify(cli: &Cli, messages: &mut Messages) -> Result<u8, Error> {
	let path = ImagePath::new(cli)?;
	let [roots, ..] = &mut *TEXTS.try_lock().unwrap_or_else(|_| unreachable!());
	let roots = texts(&cli.roots, roots)?;
	let shifts = &mut *SHIFTS.try_lock().unwrap_or_else(|_| unreachable!());
	let (owners, like) = (owners(cli, shifts)?, pid("--like", cli.like)?);
	let map = path.map()?;
	let mut other = None;
	let image = used(cli, open(&map, &path)?, &mut other, messages)?;
	let mut space = RESTORE.try_lock().unwrap_or_else(|_| unreachable!());
	let changed = translated(cli, &image, &mut space, messages)?;
	let image = changed.as_ref().map_or(Ok(image), Translated::image)?;
	print_differences(cli, &HOST, &mut |tell| {
		verify(&image, (roots, like, owners), yard(cli), &mut space, messages, tell)
	})
}

/// Prints the differences that `find` tells; the exit code.
fn print_differences(
	cli: &Cli,
	sides: &'static Sides,
	find: &mut dyn FnMut(Tell<'_>) -> Result<u64, Error>,
) -> Result<u8, Error> {
	let mut buffer = REPORT.try_lock().unwrap_or_else(|_| unreachable!());
	let mut out = Text::new(Target::Out, &mut *buffer);
	let mut report = Report::new(&mut out, cli.json, sides);
	let mut written = Ok(());
	let count = find(&mut |difference| {
		if let Err(fault) = report.tell(difference) {
			written = Err(fault);
		}
	})?;
	report.finish(count);
	written.at(format_args!("the image"))?;
	delivered(out.flush())?;
	Ok(if count == 0 { 0 } else { 6 })
}

#[inline(never)] // its buffers are no other command's
pub fn run_diff(cli: &Cli, _: &mut Messages) -> Result<u8, Error> {
	let [_, one, other] = cli.words[..] else {
		return Err(Fault::Usage(Why::TwoImages)).at(format_args!("diff"));
	};
	let (one, other) = (ImagePath::of(None, Some(one))?, ImagePath::of(None, Some(other))?);
	let maps = (one.map()?, other.map()?);
	let images = (open(&maps.0, &one)?, open(&maps.1, &other)?);
	vet(&images.0).at(format_args!("{}", one.shown()))?;
	vet(&images.1).at(format_args!("{}", other.shown()))?;
	let mut space = COMPARE.try_lock().unwrap_or_else(|_| unreachable!());
	print_differences(cli, &IMAGES, &mut |tell| {
		compare([&images.0, &images.1], &mut space, tell).at(format_args!("the images"))
	})
}
