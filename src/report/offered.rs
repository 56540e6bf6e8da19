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
//! | | `place` | where it is mounted |
//! | | `root` | the group that is mounted there |
//! | | `options` | of the file system |
//! | | `writable` | `yes`, or why no group can be made at its top |
//! | | `controllers`, `handed_down` | of v2: what is offered there, and what its groups have |
//!
//! That of an image is `{"reasons": [TEXT...], "code": N}`; the code is the exit code.

use core::fmt::Write;

use super::Put;
use super::json::Json;
use crate::act::host::Host;
use crate::error::Error;
use crate::kernel::{self, own_ids, proc};
use crate::limits::PLACE_BYTES;
use crate::name::Shown;
use crate::property::Version;

/// Inode of the first cgroup namespace (PROC_CGROUP_INIT_INO, linux/proc_ns.h).
const INITIAL: u64 = 0xEFFF_FFFB;

/// Where reasons go.
#[allow(clippy::large_enum_variant)] // there is one of them
pub enum Reports<'w> {
	/// A line for each.
	Lines(&'w mut dyn Write),
	/// One JSON text.
	Json(Json<'w>),
}

impl<'w> Reports<'w> {
	/// Before the first one.
	pub fn new(out: &'w mut dyn Write, json: bool) -> Self {
		if !json {
			return Reports::Lines(out);
		}
		let mut json = Json::new(out, false);
		json.object();
		json.list_of("reasons");
		Reports::Json(json)
	}

	/// One more.
	pub fn reason(&mut self, error: &Error) {
		match self {
			Reports::Lines(out) => out.put(format_args!("{error}\n")),
			Reports::Json(json) => {
				let mut text = heapless::String::<{ 2 * PLACE_BYTES }>::new();
				let _ = write!(text, "{error}"); // a place and a sentence
				json.text(text.as_bytes());
			}
		}
	}

	/// After the last one.
	pub fn finish(self, code: u8) {
		if let Reports::Json(mut json) = self {
			json.end();
			json.number_of("code", u64::from(code));
			json.end();
			json.finish();
		}
	}
}

/// Writes what the host offers; `line` is room for a path.
pub fn offered(host: &Host, line: &mut [u8], json: bool, out: &mut dyn Write) {
	let (mut release, mut boot) = ([0; 128], [0; 64]);
	let release_len = kernel::release(&mut release);
	let [namespace, _] = proc::own_namespaces();
	let may_make = match own_ids().0 {
		0 if host.uses_v2() => "named",
		0 => "yes",
		_ => "no",
	};
	let mut fields = Fields::new(out, json);
	fields.put("kernel", &release[..release_len]);
	fields.put("boot", proc::boot_id(&mut boot));
	fields.put("namespace", if namespace == INITIAL { b"initial" } else { b"own" });
	fields.put("idle", host.idle.bytes());
	fields.put("new_hierarchies", may_make.as_bytes());
	if let Some(json) = &mut fields.json {
		json.list_of("hierarchies");
	}
	for at in 0..host.hierarchies.len() {
		fields.hierarchy(host, at, line);
	}
	if let Some(mut json) = fields.json {
		json.end();
		json.end();
		json.finish();
	}
}

/// Writes keys and texts: a line for each, or JSON.
struct Fields<'w> {
	json: Option<Json<'w>>,
	lines: Option<&'w mut dyn Write>,
	indent: &'static str,
}

impl<'w> Fields<'w> {
	fn new(out: &'w mut dyn Write, json: bool) -> Self {
		if !json {
			return Fields { json: None, lines: Some(out), indent: "" };
		}
		let mut json = Json::new(out, false);
		json.object();
		Fields { json: Some(json), lines: None, indent: "" }
	}

	fn put(&mut self, key: &str, text: &[u8]) {
		match (&mut self.json, &mut self.lines) {
			(Some(json), _) => json.text_of(key, text),
			(_, Some(out)) => out.put(format_args!("{}{key}: {}\n", self.indent, Shown(text))),
			_ => {}
		}
	}

	fn hierarchy(&mut self, host: &Host, at: usize, line: &mut [u8]) {
		let known = &host.hierarchies[at];
		let is_v2 = known.label.version() == Version::V2;
		if let Some(json) = &mut self.json {
			json.object();
		}
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
			if known.mount.as_ref().is_some_and(|mount| mount.public)
				&& let Ok(len) = dir.path(line)
			{
				self.put("place", &line[..len]);
			}
			self.put("root", root);
			self.put("options", host.options(at));
			let mut why = heapless::String::<128>::new();
			if let Err(fault) = dir.may_write(c".") {
				let _ = write!(why, "{fault}");
			}
			self.put("writable", if why.is_empty() { b"yes" } else { why.as_bytes() });
			let files = [("controllers", c"cgroup.controllers"), ("handed_down", c"cgroup.subtree_control")];
			for (key, file) in files.into_iter().filter(|_| is_v2) {
				let len = dir.read(file, line).map_or(0, |(len, _)| len);
				self.put(key, line[..len].trim_ascii_end());
			}
		}
		if let Some(json) = &mut self.json {
			json.end();
		}
	}
}
