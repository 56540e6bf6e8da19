//! The image that was given in, the one that a command uses out: with `--map` another one, which is rewritten in memory.

use std::sync::Mutex;

use cgraft::error::{At, Error};
use cgraft::image::view::Image;
use cgraft::kernel::fenced::Map;
use cgraft::kernel::output::Output;
use cgraft::rewrite::paths::Paths;
use cgraft::rewrite::{self, Change, IMAGE};
use cgraft::vet::vet;

use super::options::each;
use crate::cli::Cli;
use crate::messages::Messages;

/// All buffers of a rewriting.
static SPACE: Mutex<rewrite::Space> = Mutex::new(rewrite::Space::new());
static PATHS: Mutex<Paths<'static>> = Mutex::new(Paths::new());

/// The image as the options want it; `other` keeps its bytes if it is not the one that was given.
#[inline(never)] // its buffers are not there any more when the command begins
pub fn used<'m>(
	cli: &Cli,
	image: Image<'m>,
	other: &'m mut Option<Map>,
	messages: &mut Messages,
) -> Result<Image<'m>, Error> {
	let paths = &mut *PATHS.try_lock().unwrap_or_else(|_| unreachable!());
	each("--map", &cli.moves, &mut |value| paths.add(value.as_bytes()))?;
	if paths.is_empty() {
		return Ok(image);
	}
	vet(&image).at(IMAGE)?; // damage is told as it is in the image that was given
	paths.judge(&image, messages)?;
	let map = other.insert(rewritten(&image, paths)?);
	Image::open_mapped(map.bytes(), map).at(IMAGE)
}

/// Another image, in memory.
fn rewritten(image: &Image<'_>, change: &mut dyn Change) -> Result<Map, Error> {
	let space = &mut *SPACE.try_lock().unwrap_or_else(|_| unreachable!());
	let output = Output::in_memory().at(IMAGE)?;
	rewrite::rewrite(image, output, change, space)?.map().at(IMAGE)
}
