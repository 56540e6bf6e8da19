//! A group's extended attributes in, one line for people out: `attributes: user.a=1, user.b (4096 bytes)`.

use core::fmt::{Display, Write};

use crate::error::Fault;
use crate::image::view::Group;
use crate::name::Shown;
use crate::report::Put;

/// Bytes of a value that is shown; of a longer one only the length is.
const SHOWN_BYTES: usize = 64;

/// Writes the line, or nothing if there are none.
pub fn write(group: &Group<'_>, lead: &dyn Display, out: &mut dyn Write) -> Result<(), Fault> {
	let mut some = false;
	for attribute in group.attributes() {
		let attribute = attribute?;
		match core::mem::replace(&mut some, true) {
			false => out.put(format_args!("{lead}attributes: ")),
			true => out.put(format_args!(", ")),
		}
		out.put(format_args!("{}", Shown(attribute.name)));
		match attribute.value {
			value if value.len() > SHOWN_BYTES => out.put(format_args!(" ({} bytes)", value.len())),
			value => out.put(format_args!("={}", Shown(value))),
		}
	}
	if some {
		out.put(format_args!("\n"));
	}
	Ok(())
}
