//! A host in, what it offers for a restore out; and the reasons why it cannot take an image. Lines for people or JSON for
//! programs.
//!
//! The JSON of a host is one object; all values are texts.
//!
//! | where | key | value |
//! |---|---|---|
//! | top | `kernel` | its release |
//! | | `boot` | id of this boot, by which tasks are known again; empty without one |
//! | | `namespace` | `initial` or `own`: the cgroup namespace, which is where paths begin |
//! | | `idle` | v1 controllers that are in no hierarchy, joined by commas |
//! | | `new_hierarchies` | `yes`: missing ones are made; `named`: only those without controllers, as v2 is in use; `no`: not by this user |
//! | | `hierarchies` | list of objects |
//! | hierarchy | `hierarchy` | controllers joined by commas, `name=NAME`, `unified` for v2 |
//! | | `version` | `1` or `2` |
//! | | `reached` | `mount`, `read-only mount`, `own mount` (attached nowhere, ends with cgraft) or `no` |
//! | | `place` | where it is mounted; `/` for an own mount |
//! | | `root` | the group that is mounted there |
//! | | `options` | of the file system |
//! | | `writable` | `yes`, or `no` and why no group can be made at its top |
//! | | `controllers`, `handed_down` | of v2: what is offered there, and what its groups have |
//!
//! That of an image is `{"reasons": [TEXT...], "code": N}`; the code is the exit code.

use core::fmt::Write;

use super::Put;
use super::json::Json;
use crate::act::host::Host;
use crate::error::{At, Error};
use crate::kernel::{self, own_ids, proc};
use crate::limits::PLACE_BYTES;
use crate::name::Shown;
use crate::property::Version;

/// Inode of the first cgroup namespace (PROC_CGROUP_INIT_INO, linux/proc_ns.h).
const INITIAL: u64 = 0xEFFF_FFFB;

/// Writes keys and texts: a line for each, or JSON.
pub struct Report<'w> {
	out: Result<Json<'w>, &'w mut dyn Write>,
	indent: &'static str,
}

impl<'w> Report<'w> {
	/// Before the first one.
	pub fn new(out: &'w mut dyn Write, json: bool) -> Self {
		let out = if json { Ok(Json::new(out, false)) } else { Err(out) };
		let mut report = Report { out, indent: "" };
		report.shape(Json::object);
		report
	}

	/// Where a list or object begins or ends, which lines do not show.
	fn shape(&mut self, with: fn(&mut Json<'w>)) {
		if let Ok(json) = &mut self.out {
			with(json);
		}
	}

	/// Reasons follow.
	pub fn reasons(&mut self) {
		self.shape(|json| json.list_of("reasons"));
	}

	/// One more.
	pub fn reason(&mut self, error: &Error) {
		match &mut self.out {
			Err(out) => out.put(format_args!("{error}\n")),
			Ok(json) => json.text(shown(error).as_bytes()),
		}
	}

	/// After the last one.
	pub fn finish(&mut self, code: u8) {
		if let Ok(json) = &mut self.out {
			json.end();
			json.number_of("code", u64::from(code));
		}
		self.end();
	}

	fn end(&mut self) {
		self.shape(Json::end);
		self.shape(Json::finish);
	}

	fn put(&mut self, key: &str, text: &[u8]) {
		match &mut self.out {
			Ok(json) => json.text_of(key, text),
			Err(out) => out.put(format_args!("{}{key}: {}\n", self.indent, Shown(text))),
		}
	}

	/// Writes what the host offers; `line` is room for a path.
	pub fn host(&mut self, host: &Host, line: &mut [u8]) {
		let (mut release, mut boot) = ([0; 128], [0; 64]);
		let release_len = kernel::release(&mut release);
		let may_make: &[u8] = match own_ids().0 {
			0 if host.uses_v2() => b"named",
			0 => b"yes",
			_ => b"no",
		};
		self.put("kernel", &release[..release_len]);
		self.put("boot", proc::boot_id(&mut boot).unwrap_or(b""));
		self.put(
			"namespace",
			if proc::own_namespaces().is_ok_and(|spaces| spaces[0] == INITIAL) { b"initial" } else { b"own" },
		);
		self.put("idle", host.idle.bytes());
		self.put("new_hierarchies", may_make);
		self.shape(|json| json.list_of("hierarchies"));
		for at in 0..host.hierarchies.len() {
			self.hierarchy(host, at, line);
		}
		self.shape(Json::end);
		self.end();
	}

	fn hierarchy(&mut self, host: &Host, at: usize, line: &mut [u8]) {
		let known = &host.hierarchies[at];
		let is_v2 = known.label.version() == Version::V2;
		self.shape(Json::object);
		self.indent = "";
		self.put("hierarchy", if is_v2 { b"unified" } else { known.label.bytes() });
		self.indent = "  ";
		self.put("version", if is_v2 { b"2" } else { b"1" });
		let reached: &[u8] = match &known.mount {
			None => b"no",
			Some(mount) if !mount.public => b"own mount",
			Some(mount) if mount.read_only => b"read-only mount",
			Some(_) => b"mount",
		};
		self.put("reached", reached);
		if let Some((dir, root)) = host.base(at) {
			let len = dir.path(line).unwrap_or(0);
			self.put("place", &line[..len]);
			self.put("root", root);
			self.put("options", host.options(at));
			match dir.may_write(c".").at(format_args!("no")) {
				Ok(()) => self.put("writable", b"yes"),
				Err(error) => self.put("writable", shown(&error).as_bytes()),
			}
			let files = [("controllers", c"cgroup.controllers"), ("handed_down", c"cgroup.subtree_control")];
			for (key, file) in files.into_iter().filter(|_| is_v2) {
				let len = dir.read(file, line).map_or(0, |(len, _)| len);
				self.put(key, line[..len].trim_ascii_end());
			}
		}
		self.shape(Json::end);
	}
}

fn shown(error: &Error) -> heapless::String<{ PLACE_BYTES + 128 }> {
	let mut text = heapless::String::new();
	let _ = write!(text, "{error}"); // a place and a sentence
	text
}
