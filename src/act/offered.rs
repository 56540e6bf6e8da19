//! Groups of v2 and names of controllers in, what is offered and handed down out; files that other groups have.

use core::ffi::CStr;

use heapless::Vec;

use crate::error::Fault;
use crate::kernel::dir::Dir;
use crate::limits::{CONTROLLERS_BYTES, LIST_BYTES, Limit};
use crate::name::Name;
use crate::property::Version;
use crate::property::changes::has_word;

/// Names of controllers.
pub type Controllers = Vec<u8, CONTROLLERS_BYTES>;

/// A text as names of controllers.
pub fn words_of(text: &[u8]) -> Result<Controllers, Fault> {
	Controllers::from_slice(text).map_err(|_| Fault::full(Limit::Controllers, text.len()))
}

/// A file's text.
pub fn read_words(dir: &Dir, file: &CStr) -> Result<Controllers, Fault> {
	let mut text = [0; CONTROLLERS_BYTES];
	let (len, _) = dir.read(file, &mut text)?;
	words_of(text.get(..len).unwrap_or(&[]))
}

/// What is handed down after a write; none where a controller is not offered, which the kernel refuses.
pub fn changed(enabled: &[u8], signs: &[u8], offered: &[u8]) -> Result<Option<Controllers>, Fault> {
	let (mut after, blank) = (Controllers::new(), |byte: &u8| byte.is_ascii_whitespace());
	let sign_of = |name: &[u8]| signs.split(blank).find(|word| word.get(1..) == Some(name)).map(|word| word[0]);
	let full = Fault::full(Limit::Controllers, enabled.len() + signs.len());
	let mut add =
		|name: &[u8]| after.extend_from_slice(name).and_then(|()| after.extend_from_slice(b" ")).map_err(|_| full);
	for name in enabled.split(blank).filter(|name| !name.is_empty() && sign_of(name).is_none()) {
		add(name)?;
	}
	for name in signs.split(blank).filter_map(|word| word.strip_prefix(b"+")) {
		if !has_word(offered, name) {
			return Ok(None);
		}
		add(name)?;
	}
	Ok(Some(after))
}

/// Whether groups of this hierarchy have the file, by one that is there.
pub fn others_have(dir: &Dir, file: &CStr, version: Version, controller: &[u8]) -> bool {
	let is_root = match version {
		Version::V1 => dir.status_of(c"release_agent").is_ok(),
		Version::V2 => dir.status_of(c"cgroup.type").is_err(),
	};
	let other = if is_root { first_child(dir) } else { dir.again().ok() };
	let Some(other) = other else { return true };
	let is_without =
		|controller| read_words(&other, c"cgroup.controllers").is_ok_and(|all| !has_word(&all, controller));
	other.status_of(file).is_ok() || (version == Version::V2 && controller != b"cgroup" && is_without(controller))
}

fn first_child(dir: &Dir) -> Option<Dir> {
	let (mut list, mut found) = ([0; LIST_BYTES], None);
	let dir = dir.again().ok()?;
	while found.is_none()
		&& dir
			.list(&mut list, &mut |name, is_dir| {
				if is_dir && found.is_none() {
					found = dir.child(Name::new(name)?.as_c_str()).ok();
				}
				Ok(())
			})
			.ok()?
	{}
	found
}
