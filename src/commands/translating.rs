//! --translate and --primary: an image in, the image that this host can take out.

use std::sync::Mutex;

use cgraft::adapt::{Request, adapt};
use cgraft::error::{At, Error, Fault, Why};
use cgraft::image::view::Image;
use cgraft::kernel::fenced::Map;
use cgraft::log::Log;
use cgraft::name::Shown;
use cgraft::restore::Workspace;
use cgraft::translate::image::Space;
use cgraft::translate::{Choices, Shares, Soft, Weights};

use super::yard;
use crate::cli::Cli;

/// All buffers of a translation.
static TRANSLATE: Mutex<Space> = Mutex::new(Space::new());

/// An image in memory.
pub struct Translated {
	map: Map,
	/// Values that were lost.
	pub lost: u64,
}

impl Translated {
	/// The image.
	pub fn image(&self) -> Result<Image<'_>, Error> {
		Image::open_mapped(self.map.bytes(), &self.map).at(format_args!("the translated image"))
	}
}

/// The image that is worked with instead of this one, if it is another one.
#[inline(never)] // its buffers are no other command's
pub fn translated(
	cli: &Cli,
	image: &Image<'_>,
	space: &mut Workspace,
	messages: &mut dyn Log,
) -> Result<Option<Translated>, Error> {
	let how = cli.translate.map_or("off", |how| how.0);
	let place = format_args!("--translate {}", Shown(how.as_bytes()));
	let Some(choices) = choices(how).ok_or(Fault::Usage(Why::NoSuchChoice)).at(place)? else {
		return match cli.primary {
			Some(_) => Err(Fault::Usage(Why::PrimaryAlone)).at(format_args!("--primary")),
			None => Ok(None),
		};
	};
	let request = Request {
		choices,
		primary: cli.primary.map(|primary| primary.0.as_bytes()),
		yard: yard(cli),
		skip_missing: cli.skip_missing || cli.fit,
	};
	let mut own = TRANSLATE.try_lock().unwrap_or_else(|_| unreachable!());
	let made = adapt(image, &request, space, &mut own, messages)?;
	made.map(|(file, lost)| file.map().map(|map| Translated { map, lost })).transpose().at(place)
}

/// `off`, or `auto` and choices behind commas; nothing if it makes no sense.
fn choices(how: &str) -> Option<Option<Choices>> {
	let mut words = how.split(',');
	let mut choices = Choices::default();
	match words.next()? {
		"off" => return words.next().is_none().then_some(None),
		"auto" => {}
		_ => return None,
	}
	for word in words {
		match word {
			"linear-shares" => choices.shares = Shares::Linear,
			"proportional-shares" => choices.shares = Shares::Proportional,
			"range-weights" => choices.weights = Weights::Range,
			"soft-high" => choices.soft = Soft::High,
			_ => return None,
		}
	}
	Some(Some(choices))
}
