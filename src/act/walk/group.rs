//! One group in, open or read ahead, its message of the image out.

use super::{Buffers, Entered, Role, Walk};
use crate::act::ahead::Group;
use crate::act::attributes;
use crate::act::disks::{Disks, note};
use crate::act::levels::{Level, Levels};
use crate::act::read;
use crate::error::{At, Error, Fault, errno};
use crate::image::sink::{Mark, Store};
use crate::image::view::Perms;
use crate::image::writer::ImageWriter;
use crate::kernel::dir::Dir;
use crate::name::Name;
use crate::property::{Property, Write};

impl<S: Store> Walk<'_, '_, S> {
	/// Makes a group that was read ahead the one on top and writes it; without children it need not be opened.
	pub(super) fn enter_read(&mut self, name: &Name, group: &Group) -> Result<Entered, Error> {
		let dir = match (group.status.links != 2).then(|| self.child(name)).transpose() {
			Err(fault) if read::is_absent(&fault) => return Ok(Entered::Vanished),
			dir => self.placed(dir)?,
		};
		let reserved = self.writer.reserve(); // as in the other case: how many bytes a length takes depends on it
		self.placed(reserved)?;
		let opened = self.open(None, name.bytes(), Role::Walked, group.status.perms);
		let mark = self.placed(opened)?;
		for file in group.files() {
			self.threaded |= is_threaded(file.1, file.2);
			save(self.writer, &mut self.buffers.disks, file)?;
		}
		self.groups += 1;
		self.note_programs(group.has_programs);
		match dir {
			Some(dir) => {
				let pushed = self.buffers.levels.push(Level { dir, mark: Some(mark), more: true, named: true });
				self.placed(pushed)?;
			}
			None => {
				let closed = self.writer.close(mark);
				self.placed(closed)?;
				self.buffers.levels.trail.pop();
			}
		}
		Ok(Entered::Yes)
	}

	/// Counts the group on top if it has device programs.
	pub(super) fn note_programs(&mut self, has_programs: bool) {
		if has_programs {
			self.programs += 1;
			self.log.info(format_args!("group {} has device programs", self.buffers.levels.trail.shown()));
		}
	}

	/// Opens the group's message. What stands right below the hierarchy carries its whole path as its name.
	pub(super) fn open(&mut self, dir: Option<&Dir>, name: &[u8], role: Role, perms: Perms) -> Result<Mark, Fault> {
		let head = self.buffers.levels.is_unwritten();
		let path = self.buffers.levels.trail.bytes();
		let mark = self.writer.group(head, if head { path } else { name }, path, role == Role::Ancestor)?;
		if let Some(dir) = dir {
			attributes::save(dir, self.writer, &mut self.buffers.value)?;
		}
		self.writer.owner(perms)?;
		Ok(mark)
	}

	/// Writes the properties of an open group.
	pub(super) fn properties(&mut self, dir: &Dir) -> Result<Entered, Error> {
		let Buffers { files, levels: Levels { list, trail, .. }, value, disks } = &mut *self.buffers;
		let label = &self.hierarchy.label;
		let is_root = trail.bytes().is_empty();
		let files = match files.of(dir, label.version(), is_root, self.choice.wanted, list) {
			Err(fault) if read::is_absent(&fault) && !read::is_alive(dir) => return Ok(Entered::Vanished),
			result => result.at(format_args!("list group {} of {}", trail.shown(), label.shown()))?,
		};
		for (file, property) in files.iter() {
			match read::current(dir, file, property, value, true) {
				Ok((text, perms)) => {
					self.threaded |= is_threaded(property, text);
					save(self.writer, disks, (file.to_bytes(), property, text, perms))?;
				}
				Err(fault) if read::is_absent(&fault) && !read::is_alive(dir) => return Ok(Entered::Vanished),
				Err(fault) if read::is_absent(&fault) => {}
				Err(fault @ Fault::Kernel(errno::EOPNOTSUPP | errno::EINVAL)) => {
					let name = property.file();
					self.log.warn(format_args!("{} of {}: {name} is left out: {fault}", trail.shown(), label.shown()));
				}
				Err(fault) => {
					let place =
						format_args!("read {} of group {} of {}", property.file(), trail.shown(), label.shown());
					return Err(fault).at(place);
				}
			}
		}
		Ok(Entered::Yes)
	}
}

/// Whether the value says that its group is threaded.
fn is_threaded(property: &Property, text: &[u8]) -> bool {
	property.write == Write::Type && text == b"threaded"
}

/// Writes one property: name, property, value, owner and mode.
fn save<S: Store>(
	writer: &mut ImageWriter<'_, S>,
	disks: &mut Disks,
	(file, property, text, perms): (&[u8], &Property, &[u8], Perms),
) -> Result<(), Error> {
	note(disks, property, text);
	writer.property(file, text, Some(perms)).at(format_args!("write the image"))
}
