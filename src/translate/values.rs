//! A saved value in, the files that the other version has for it out, into the image that is written.

use core::fmt;

use super::image::Ask;
use super::{Outcome, Saved, part, saved_in};
use crate::error::{At, Error, Fault, Why};
use crate::image::sink::Store;
use crate::image::view::{Group, Perms, Property};
use crate::image::writer::ImageWriter;
use crate::limits::{FILE_BYTES, TOLD, VALUE_BYTES};
use crate::log::Log;
use crate::name::{Shown, ShownPath};
use crate::property::{self, Phase, Version};
use crate::rewrite::{Placed, in_image};

/// Tells what is lost, a few of them one by one.
pub(super) struct Tell<'l> {
	pub log: &'l mut dyn Log,
	pub lost: u64,
}

impl Tell<'_> {
	#[inline(never)]
	fn lose(&mut self, why: Why, place: fmt::Arguments<'_>) {
		self.lost += 1;
		if self.lost <= TOLD {
			self.log.warn(format_args!("lost: {}", Error::new(Fault::Unfit(why), place)));
			in_image();
		}
	}

	/// Tells how many more there are; how many there are.
	pub fn finish(self) -> u64 {
		if let Some(more @ 1..) = self.lost.checked_sub(TOLD) {
			self.log.warn(format_args!("lost: {more} more values"));
		}
		self.lost
	}
}

/// Where values go.
pub(super) struct Values<'v, 's, 'l, S: Store> {
	pub writer: &'v mut ImageWriter<'s, S>,
	pub ask: &'v Ask<'v>,
	pub value: &'v mut [u8; FILE_BYTES + VALUE_BYTES],
	pub tell: Tell<'l>,
}

/// Which values of a group are written now.
pub(super) trait Taker {
	/// Whether this file of the other version is one of them; owner and mode are those of the file that it was.
	fn takes(&mut self, target: &'static property::Property, default: bool, perms: Option<Perms>) -> bool;

	/// Whether this is the time to tell what is lost.
	fn tells(&self) -> bool {
		true
	}

	/// Whether a group without this value has the same, from the group above.
	fn inherits(&self, _: &Property<'_>) -> bool {
		false
	}

	/// Whether the host has the controller of this file.
	fn is_here(&self, ask: &Ask<'_>, target: &property::Property) -> bool;
}

impl<S: Store> Values<'_, '_, '_, S> {
	/// Converts the values of a group of this version.
	pub fn group(
		&mut self,
		(version, group, path): (Version, &Group<'_>, &[u8]),
		taker: &mut dyn Taker,
	) -> Result<(), Error> {
		let mut hint = 0;
		for saved in group.properties() {
			let saved = saved.placed()?;
			match property::index_after(version, saved.name, hint) {
				Some(_) if taker.inherits(&saved) => self.writer.property(saved.name, b"", None).placed()?,
				Some(index) => {
					hint = index + 1;
					self.convert((version, index), (group, path), &saved, taker)?;
				}
				// What is not known is told by whoever judges the new image.
				None if taker.tells() => self.keep(&saved)?,
				None => {}
			}
		}
		Ok(())
	}

	/// Attributes, owner and mode of a group.
	#[inline(never)]
	pub fn own(&mut self, group: &Group<'_>) -> Result<(), Fault> {
		for attribute in group.attributes() {
			let attribute = attribute?;
			self.writer.attribute(attribute.name, attribute.value)?;
		}
		group.perms()?.map_or(Ok(()), |perms| self.writer.owner(perms))
	}

	/// A value as it is.
	pub fn keep(&mut self, saved: &Property<'_>) -> Result<(), Error> {
		self.writer.property(saved.name, saved.value.bytes(), saved.perms).placed()
	}

	#[inline(never)]
	fn convert(
		&mut self,
		(version, index): (Version, usize),
		(group, path): (&Group<'_>, &[u8]),
		saved: &Property<'_>,
		taker: &mut dyn Taker,
	) -> Result<(), Error> {
		let Values { writer, ask, value: space, tell } = self;
		let (file, value) = (saved.name, saved.value.bytes());
		// CRIU fills the owner and mode of freezer.state with whatever was in its memory.
		let perms = saved.perms.filter(|_| file != b"freezer.state");
		let others = |file: &str| saved_in(group.properties(), file);
		let asked = Saved { version, index, file, value };
		let place = format_args!("{} of group {}, {}", Shown(file), ShownPath(path), Shown(value));
		for number in 0.. {
			let Some(outcome) = part(&asked, number, &others, &ask.choices, &mut **space).at(place)? else { break };
			match outcome {
				Outcome::Lost(Why::DeviceProgram) if property::find(Version::V2, file).is_some() => {
					writer.property(file, value, perms).placed()?;
				}
				Outcome::Lost(why) if taker.tells() => tell.lose(why, place),
				Outcome::Lost(_) => {}
				Outcome::Value { property, default: false, .. } if !taker.is_here(ask, property) => {
					if !ask.skip_missing {
						return Err(Error::new(Fault::Unfit(Why::NoController), place));
					}
					if taker.tells() {
						tell.lose(Why::NoController, place);
					}
				}
				Outcome::Value { property, file, value, default } => {
					if taker.takes(property, default, perms) {
						// A default asks for no file.
						let perms = perms.filter(|_| !default || property.phase == Phase::Never);
						writer.property(file, value, perms).placed()?;
					}
				}
			}
		}
		Ok(())
	}
}
