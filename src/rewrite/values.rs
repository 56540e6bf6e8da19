//! Values and the rules of `--cpu-map`, `--mem-map`, `--dev-map` and `--if-map` in, the values of another host out.
//!
//! Which file has numbers or names of a host in it is known by the property table. Lists of CPUs and memory nodes are sets:
//! two numbers may become one. Of files with a line for each disk or interface, lines that say what holds without them
//! are left out (the kernel shows one for every interface); two others may not become one: that is an error. In
//! devices.list rules for block devices are mapped, those for character devices and for whole majors are not.
//!
//! The first rule that fits counts, and nothing is mapped twice. A value that no rule changes keeps its text.

use core::cell::Cell;
use core::fmt::{self, Write};

use heapless::Vec;

use crate::error::{At, Error, Fault, Why};
use crate::hierarchy::Label;
use crate::image::view::{Group, Set};
use crate::limits::{LIST_NUMBERS, Limit, VALUE_BYTES};
use crate::name::Shown;
use crate::owners::{Shift, shifted};
use crate::procfs::scan::{cut, number32};
use crate::property::changes::lines;
use crate::property::list::{Numbers, write_list};
use crate::property::{self, Host as Tied, Property, value};
use crate::remap::Path;
use crate::rewrite::paths::Paths;
use crate::rewrite::{Change, Placed, PutMember, PutProperty, Spot};

/// An interface that is called otherwise.
#[derive(Clone, Debug)]
pub struct Rename<'t> {
	old: &'t [u8],
	new: &'t [u8],
	/// There was one.
	pub hit: Cell<bool>,
}

/// Bytes of an interface's name with its NUL (`IFNAMSIZ`, linux/if.h).
const NAME_BYTES: usize = 16;

impl<'t> Rename<'t> {
	/// `OLD=NEW`.
	pub fn parse(typed: &'t [u8]) -> Option<Self> {
		let (old, new) = cut(typed, b'=')?;
		let is_name = |name: &[u8]| {
			(1..NAME_BYTES).contains(&name.len()) && name.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'/')
		};
		(is_name(old) && is_name(new)).then_some(Rename { old, new, hit: Cell::new(false) })
	}
}

/// Bits of a minor number in the kernel's own `dev_t` (linux/kdev_t.h).
const MINOR_BITS: u32 = 20;

/// A disk as one number.
pub fn disk_of(major: u32, minor: u32) -> Option<u32> {
	(major < 1 << (32 - MINOR_BITS) && minor < 1 << MINOR_BITS).then_some(major << MINOR_BITS | minor)
}

/// Its major and its minor number.
pub fn numbers_of(disk: u32) -> (u32, u32) {
	(disk >> MINOR_BITS, disk & ((1 << MINOR_BITS) - 1))
}

/// A disk's number for people and for the kernel.
pub struct ShownDisk(pub u32);

impl fmt::Display for ShownDisk {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let (major, minor) = numbers_of(self.0);
		write!(f, "{major}:{minor}")
	}
}

/// `MAJOR:MINOR`.
pub fn disk(text: &[u8]) -> Option<u32> {
	let (major, minor) = cut(text, b':')?;
	disk_of(number32(major)?, number32(minor)?)
}

/// The rules.
pub struct Values<'m> {
	/// `--cpu-map`.
	pub cpus: &'m [Shift],
	/// `--mem-map`.
	pub nodes: &'m [Shift],
	/// `--dev-map`; numbers of [`disk`].
	pub disks: &'m [Shift],
	/// `--if-map`.
	pub interfaces: &'m [Rename<'m>],
}

/// Room for one value.
pub type Room = Vec<u8, VALUE_BYTES>;

impl Values<'_> {
	/// Whether there is no rule.
	pub fn is_empty(&self) -> bool {
		self.cpus.len() + self.nodes.len() + self.disks.len() + self.interfaces.len() == 0
	}

	/// Puts the value of the other host into `room`; false where it is the same.
	pub fn map(&self, known: &Property, text: &[u8], room: &mut Room) -> Result<bool, Fault> {
		room.clear();
		match known.host {
			Tied::Cpus => map_list(self.cpus, text, room),
			Tied::Nodes => map_list(self.nodes, text, room),
			Tied::Disks | Tied::Devices | Tied::Interfaces => self.map_lines(known, text, room),
			_ => Ok(false),
		}
	}

	fn map_lines(&self, known: &Property, text: &[u8], room: &mut Room) -> Result<bool, Fault> {
		let is_set = known.host == Tied::Devices;
		let (mut is_changed, mut key) = (false, Key::new());
		for line in lines(text).filter(|line| is_set || !value::is_default(known, line)) {
			let kind: &[u8] = if is_set { b"b " } else { b"" };
			let (kind, rest) = line.strip_prefix(kind).map_or((&b""[..], line), |rest| (kind, rest));
			let own = value::first_word(rest);
			let new = match self.key(known, own, &mut key) {
				true => &key,
				false => own,
			};
			is_changed |= new != own;
			put_all(room, &[kind, new, rest.get(own.len()..).unwrap_or(b""), b"\n"])?;
			let is_its = |line: &&[u8]| value::first_word(line) == new;
			if is_changed && !is_set && lines(room).filter(is_its).nth(1).is_some() {
				return Err(Fault::Unfit(Why::OneKey));
			}
		}
		room.pop(); // the last newline
		Ok(is_changed)
	}

	/// Puts the new key of a line into `into`; false if it keeps its own.
	fn key(&self, known: &Property, old: &[u8], into: &mut Key) -> bool {
		into.clear();
		if known.host == Tied::Interfaces {
			let Some(rule) = self.interfaces.iter().find(|rule| rule.old == old) else { return false };
			rule.hit.set(true);
			return into.extend_from_slice(rule.new).is_ok();
		}
		let Some(new) = disk(old).and_then(|old| shifted(self.disks, old)) else { return false };
		write!(into, "{}", ShownDisk(new)).is_ok()
	}
}

/// A disk's number or an interface's name.
type Key = Vec<u8, 24>;

fn put_all(room: &mut Room, pieces: &[&[u8]]) -> Result<(), Fault> {
	let full = Fault::full(Limit::Value, VALUE_BYTES + 1);
	pieces.iter().try_for_each(|piece| room.extend_from_slice(piece)).map_err(|_| full)
}

/// The list of what its numbers become; what is no list stays as it is.
fn map_list(rules: &[Shift], text: &[u8], room: &mut Room) -> Result<bool, Fault> {
	let Some(old) = Numbers::parse(text).filter(|_| !rules.is_empty()) else { return Ok(false) };
	let mut new = Numbers::new();
	for number in (0..LIST_NUMBERS).filter(|number| old.contains(*number)) {
		let number = shifted(rules, number as u32).map_or(number, |number| number as usize);
		new.insert(number, number).ok_or(Fault::Unfit(Why::NoNumbers))?;
	}
	write_list(&|number| new.contains(number), room).ok_or(Fault::full(Limit::Value, VALUE_BYTES + 1))?;
	Ok(new != old)
}

/// All rules of a rewriting.
pub struct Maps<'m, 't> {
	/// Where groups and memberships go.
	pub paths: &'m mut Paths<'t>,
	/// What values become.
	pub values: Values<'m>,
	/// Room for one of them.
	pub room: &'m mut Room,
}

impl Maps<'_, '_> {
	/// Puts the controllers that a group hands down, and those that groups which come to lie below it need, into the room.
	fn hand_down(&mut self, spot: &Spot<'_>, text: &[u8]) -> Result<bool, Fault> {
		let more = self.paths.hands_down(spot, text)?;
		self.room.clear();
		put_all(self.room, &[text])?;
		more.names().try_for_each(|name| put_all(self.room, &[b" ", name]))?;
		Ok(!more.is_empty())
	}
}

impl Change for Maps<'_, '_> {
	fn parts(&mut self, label: &Label) -> usize {
		self.paths.parts(label)
	}

	fn has(&self, part: usize) -> bool {
		self.paths.has(part)
	}

	fn place(&mut self, path: &[u8], into: &mut Path) -> Result<usize, Fault> {
		self.paths.place(path, into)
	}

	/// A number that is mapped, or that another one becomes, is not that of the host which the image is from.
	fn forgets(&self, number: u32) -> bool {
		self.values.disks.iter().any(|rule| rule.is_about(number))
	}

	fn members(&mut self, set: &Set<'_>, put: &mut PutMember<'_>) -> Result<(), Fault> {
		self.paths.members(set, put)
	}

	fn properties(&mut self, spot: &Spot<'_>, group: &Group<'_>, put: &mut PutProperty<'_>) -> Result<(), Error> {
		for saved in group.properties() {
			let saved = saved.placed()?;
			let (name, text) = (saved.name, saved.value.bytes());
			let mapped = match property::find(spot.label.version(), name).filter(|known| known.host != Tied::Nothing) {
				Some(known) if known.host == Tied::Controllers => self.hand_down(spot, text),
				Some(known) => self.values.map(known, text, self.room),
				None => Ok(false),
			};
			let mapped = mapped.at(format_args!("{} of {spot}", Shown(name)))?;
			put(name, if mapped { self.room } else { text }, saved.perms).placed()?;
		}
		Ok(())
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::property::{Version, find};
	extern crate std;
	use std::boxed::Box;
	use std::string::String;

	const V1: Version = Version::V1;
	const V2: Version = Version::V2;

	/// The value that rules of one kind make of it; `=` if they leave it alone, `!` if they cannot.
	fn mapped(version: Version, file: &str, rules: &[&str], text: &str) -> String {
		let known = find(version, file.as_bytes()).unwrap();
		let device = |text: &[u8]| disk(text);
		let (mut shifts, mut renames) = (std::vec::Vec::new(), std::vec::Vec::new());
		for rule in rules {
			match known.host {
				Tied::Interfaces => renames.push(Rename::parse(rule.as_bytes()).unwrap()),
				Tied::Disks | Tied::Devices => {
					let (old, new) = rule.split_once('=').unwrap();
					shifts.push(Shift::one(device(old.as_bytes()).unwrap(), device(new.as_bytes()).unwrap()));
				}
				_ => shifts.push(Shift::parse(rule.as_bytes()).unwrap()),
			}
		}
		let values = Values { cpus: &shifts, nodes: &shifts, disks: &shifts, interfaces: &renames };
		let mut room = Box::new(Room::new());
		match values.map(known, text.as_bytes(), &mut room) {
			Ok(true) => String::from_utf8(room.to_vec()).unwrap(),
			Ok(false) => String::from("="),
			Err(_) => String::from("!"),
		}
	}

	#[test]
	fn lists_are_sets_and_the_first_rule_counts_once() {
		for (rules, text, want) in [
			(&["0=4"][..], "0-3", "1-4"),
			(&["0-3=8"], "0-3,5", "5,8-11"),
			(&["0=1", "1=0"], "0", "1"),
			(&["0=1", "1=0"], "0-1", "="),
			(&["0=1"], "0-1", "1"),
			(&["1=5", "0-7=10"], "0-2", "5,10,12"),
			(&["9=1"], "0-3", "="),
			(&["0=1"], "", "="),
			(&["0=1"], "all", "="),
			(&["0=16384"], "0", "!"),
			(&[], "3,2", "="),
		] {
			assert_eq!(mapped(V1, "cpuset.cpus", rules, text), want, "{rules:?} {text}");
			assert_eq!(mapped(V2, "cpuset.cpus.exclusive", rules, text), want, "{rules:?} {text}");
			assert_eq!(mapped(V2, "cpuset.mems", rules, text), want, "{rules:?} {text}");
		}
	}

	#[test]
	fn disks_are_mapped_line_by_line() {
		let max = "rbps=1 wbps=max riops=max wiops=max";
		let line = |disk: &str| std::format!("{disk} {max}");
		assert_eq!(mapped(V2, "io.max", &["8:0=259:0"], &line("8:0")), line("259:0"));
		assert_eq!(mapped(V2, "io.max", &["8:0=259:0"], &line("8:00")), line("259:0"));
		for other in ["8:1", "18:0", "8:0:0", "8", "default"] {
			assert_eq!(mapped(V2, "io.max", &["8:0=259:0"], &line(other)), "=", "{other}");
		}
		let two = std::format!("{}\n{}", line("8:0"), line("8:16"));
		let swapped = std::format!("{}\n{}", line("8:16"), line("8:0"));
		assert_eq!(mapped(V2, "io.max", &["8:0=8:16", "8:16=8:0"], &two), swapped);
		for rules in [&["8:0=8:16"][..], &["8:16=8:0"], &["8:0=7:0", "8:16=7:0"]] {
			assert_eq!(mapped(V2, "io.max", rules, &two), "!", "{rules:?}");
		}
		assert_eq!(mapped(V2, "io.max", &["8:1=7:0"], &two), "=");
		assert_eq!(mapped(V2, "io.weight", &["8:0=7:0"], "default 50\n8:0 20"), "default 50\n7:0 20");
		assert_eq!(mapped(V2, "io.latency", &["8:0=7:0"], "8:0 target=5"), "7:0 target=5");
		assert_eq!(mapped(V1, "blkio.throttle.read_bps_device", &["8:0=4095:1048575"], "8:0 9"), "4095:1048575 9");
		// One that says nothing makes room.
		let idle = std::format!("{}\n8:16 rbps=max wbps=max riops=max wiops=max", line("8:0"));
		assert_eq!(mapped(V2, "io.max", &["8:0=8:16"], &idle), line("8:16"));
		assert!(disk(b"4096:0").is_none() && disk(b"0:1048576").is_none() && disk(b"8").is_none());
	}

	#[test]
	fn rules_for_devices_are_mapped_for_disks_alone() {
		let rules = ["8:0=259:3"];
		for (text, want) in [
			("a *:* rwm", "="),
			("c 8:0 rwm", "="),
			("b 8:* rwm\nb *:0 m", "="),
			("c 1:3 rwm\nb 8:0 rw\nb 8:16 r", "c 1:3 rwm\nb 259:3 rw\nb 8:16 r"),
			("b 8:0 r\nb 259:3 w", "b 259:3 r\nb 259:3 w"),
		] {
			assert_eq!(mapped(V1, "devices.list", &rules, text), want);
		}
	}

	#[test]
	fn interfaces_are_mapped_by_whole_names() {
		let rules = ["eth0=ens3"];
		for (text, want) in [
			("lo 0\neth0 5", "ens3 5"),
			("lo 0\neth0 0", "="),
			("eth01 5\nxeth0 4", "="),
			("ens3 0\neth0 5", "ens3 5"),
			("ens3 1\neth0 5", "!"),
			("eth0 5\nens3 1", "!"),
			("lo 1\neth0 5\nwlan0 0", "lo 1\nens3 5"),
			("", "="),
		] {
			assert_eq!(mapped(V1, "net_prio.ifpriomap", &rules, text), want, "{text}");
		}
		for bad in ["", "=", "a=", "=a", "a b=c", "a=b/c", "a=1234567890123456"] {
			assert!(Rename::parse(bad.as_bytes()).is_none(), "{bad}");
		}
	}
}
