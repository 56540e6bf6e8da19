//! Groups of v2 and names of controllers in, what is offered and handed down out; files that other groups have.

use core::ffi::CStr;

use heapless::Vec;

use crate::error::{Fault, errno};
use crate::kernel::dir::Dir;
use crate::kernel::output::c_string;
use crate::limits::{CONTROLLERS_BYTES, Limit, SHORT_LIST_BYTES};
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

/// What is handed down after a write; the kernel refuses one with a controller that is not offered.
pub fn changed(enabled: &[u8], signs: &[u8], offered: &[u8]) -> Result<Controllers, Fault> {
	let (mut after, blank) = (Controllers::new(), |byte: &u8| byte.is_ascii_whitespace());
	for word in enabled.split(blank).chain(signs.split(blank)).filter(|word| !word.starts_with(b"-")) {
		let name = word.strip_prefix(b"+").unwrap_or(word);
		if name.len() != word.len() && !has_word(offered, name) {
			return Err(Fault::Kernel(errno::ENOENT));
		}
		if !signs.split(blank).any(|sign| sign.strip_prefix(b"-") == Some(name)) {
			let full = Fault::full(Limit::Controllers, enabled.len() + signs.len());
			after.extend_from_slice(name).and_then(|()| after.extend_from_slice(b" ")).map_err(|_| full)?;
		}
	}
	Ok(after)
}

/// Whether a group is known to be without a controller.
pub fn lacks(dir: &Dir, controller: &[u8]) -> bool {
	read_words(dir, c"cgroup.controllers").is_ok_and(|all| !has_word(&all, controller))
}

/// Whether groups of this hierarchy have the file, by one that is there.
pub fn others_have(dir: &Dir, file: &CStr, is_v2: bool, controller: &[u8]) -> bool {
	let is_root = dir.status_of(if is_v2 { c"cgroup.type" } else { c"release_agent" }).is_ok() != is_v2;
	let other = if is_root { first_child(dir) } else { dir.again().ok() };
	let Some(other) = other else { return true };
	other.status_of(file).is_ok() || (is_v2 && controller != b"cgroup" && lacks(&other, controller))
}

/// One with a short name: there is little room.
#[inline(never)] // its buffer is not there when there is more to do
fn first_child(dir: &Dir) -> Option<Dir> {
	let (mut list, mut found) = ([0; SHORT_LIST_BYTES], None);
	let dir = dir.again().ok()?;
	let mut take = |name: &[u8], is_dir| {
		if is_dir && found.is_none() {
			found = c_string::<32>(name).ok().and_then(|name| dir.child(&name).ok());
		}
		Ok(())
	};
	while dir.list(&mut list, &mut take).ok()? {}
	found
}
