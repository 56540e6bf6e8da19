//! The translation as a story: a judged image -> what this host has -> an image in memory that the host can take.

use heapless::Vec;

use crate::error::{At, Error};
use crate::image::view::Image;
use crate::kernel;
use crate::kernel::dir::Dir;
use crate::kernel::output::Output;
use crate::limits::{CONTROLLERS_BYTES, HIERARCHIES};
use crate::log::Log;
use crate::restore::Workspace;
use crate::translate::Choices;
use crate::translate::controllers::Controllers;
use crate::translate::image::{Ask, Space, translate};
use crate::vet::vet;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
	/// How values are converted; pages and schedulers are looked for here.
	pub choices: Choices,
	/// Whose groups count where those of a task differ.
	pub primary: Option<&'a [u8]>,
	/// A folder with the hierarchies to use; all that are mounted if none.
	pub yard: Option<&'a [u8]>,
	/// What this host does not have is left out and counted.
	pub skip_missing: bool,
}

/// Makes the image that this host can take, and tells what is lost; how many values. Nothing if it is the same image.
#[inline(never)]
pub fn adapt(
	image: &Image<'_>,
	request: &Request<'_>,
	workspace: &mut Workspace,
	space: &mut Space,
	log: &mut dyn Log,
) -> Result<Option<(Output, u64)>, Error> {
	vet(image).at(format_args!("the image"))?;
	let Workspace { host, line, .. } = workspace;
	host.discover(request.yard, line)?;
	let mut v1 = Vec::<&[u8], HIERARCHIES>::new();
	let mut v2 = None;
	for (at, known) in host.hierarchies.iter().enumerate() {
		if !known.label.bytes().is_empty() {
			let _ = v1.push(known.label.bytes()); // as many as there are
		} else if let Some((root, _)) = host.base(at) {
			let mut text = [0; CONTROLLERS_BYTES];
			let (len, _) = root.read(c"cgroup.controllers", &mut text).at(format_args!("read cgroup.controllers"))?;
			v2 = Some(Controllers::of_text(text.get(..len).unwrap_or(&[])));
		}
	}
	let bfq = Dir::open(c"/sys/module/bfq").is_ok();
	let choices = Choices { page_bytes: kernel::page_size().into(), bfq, ..request.choices };
	let Request { primary, skip_missing, .. } = *request;
	let ask = Ask { v1: &v1, v2, choices, primary, skip_missing };
	let store = Output::in_memory().at(format_args!("make a memory file"))?;
	translate(image, store, &ask, space, log)
}
