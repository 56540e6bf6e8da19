//! Numbers of disks in, names out: a number is only good until the next boot, so an image has the names as well.

use heapless::Vec;

use crate::error::{At, Error, Fault};
use crate::image::sink::Store;
use crate::image::view::Image;
use crate::image::writer::ImageWriter;
use crate::kernel::proc::{read_path, with_number};
use crate::limits::{DISKS, UEVENT_BYTES};
use crate::log::Log;
use crate::name::Shown;
use crate::property::changes::lines;
use crate::property::value::{first_word, is_default};
use crate::property::{Host, Property};
use crate::rewrite::values::{ShownDisk, disk, numbers_of};

/// Disks that values of a dump are about.
pub type Disks = Vec<u32, DISKS>;

/// Notes the disks of a value.
pub fn note(disks: &mut Disks, known: &Property, text: &[u8]) {
	if known.host != Host::Disks {
		return;
	}
	for number in lines(text).filter(|line| !is_default(known, line)).filter_map(|line| disk(first_word(line))) {
		if !disks.contains(&number) {
			let _ = disks.push(number); // more are nameless
		}
	}
}

/// Writes the names of those that have one.
pub fn save<S: Store>(disks: &Disks, writer: &mut ImageWriter<'_, S>) -> Result<(), Fault> {
	let mut room = [0; UEVENT_BYTES];
	disks.iter().try_for_each(|number| match name_of(*number, &mut room)? {
		b"" => Ok(()),
		name => writer.disk(*number, name),
	})
}

/// The name of a disk of this host, put into `room`; empty if it is not there.
fn name_of(number: u32, room: &mut [u8; UEVENT_BYTES]) -> Result<&[u8], Fault> {
	let (major, minor) = numbers_of(number);
	let path = with_number(with_number(b"/sys/dev/block/", major, b":").to_bytes(), minor, b"");
	let len = read_path(&path, c"uevent", room)?;
	let name = lines(room.get(..len).unwrap_or(b"")).find_map(|line| line.strip_prefix(b"DEVNAME="));
	Ok(name.unwrap_or(b""))
}

/// What a disk was called, if the image knows it.
pub fn name_then<'a>(image: &Image<'a>, number: Option<u32>) -> Option<&'a [u8]> {
	image.disks().flatten().find(|saved| number == Some(saved.number)).map(|saved| saved.name)
}

/// Tells disks that are others here.
pub fn tell(image: &Image<'_>, log: &mut dyn Log) -> Result<(), Error> {
	let mut room = [0; UEVENT_BYTES];
	for saved in image.disks() {
		let saved = saved.at(format_args!("the image"))?;
		let name = name_of(saved.number, &mut room).at(format_args!("disks"))?;
		if !name.is_empty() && name != saved.name {
			let (number, was, is) = (ShownDisk(saved.number), Shown(saved.name), Shown(name));
			log.warn(format_args!("disk {number} was {was}, here it is {is}: see --dev-map"));
		}
	}
	Ok(())
}
