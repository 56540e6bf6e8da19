//! The table in, docs/properties.md out; a test fails when the page is not what the table says.

extern crate std;
use std::format;
use std::string::{String, ToString};

use super::{Fresh, Host, Phase, Property, Read, Unit, Version, Write, all, refused};

const HEAD: &str = "\
# Configuration files

Made from the tables in `src/property`; do not edit. After a change there: `CGRAFT_WRITE_DOCS=1 cargo test properties_page`

What is in a table here is saved and restored, in this order inside one group. What is on the list at the end is left
alone for the reason given there. A file that is in neither is unknown: it is not read and not written. `*` stands for a
huge page size, as in `hugetlb.2MB.max`. A cpuset hierarchy mounted with the option `noprefix` has other file names, so
its files are unknown.

Since
: the first kernel that has the file; `<=4.14` is older than what was looked at. cgraft asks the file system, not the
  version.

Fresh
: what a group shows that was just made. `unlimited` is any spelling of no limit: it differs with version, page size and
  huge page size. `inherited` is the parent's value at mkdir, behind it what the root of a new host has.

Write
: `whole`: one write, never an empty one. `list`: the same, and an empty list as a newline, which clears it. `lines`: a
  write for each line that differs; behind it what takes a line back. Whatever the kernel refuses is tried once more
  after the group's other files, since some pairs have to be written the other way round.

When
: `create`: right after mkdir, before the group has children or tasks, parents first. `join`: when all groups
  have theirs; tasks may be inside. `limit`: after every task is inside. `freeze`: the last write of all. `never`: only owner and
  mode are kept.

Host
: what of the value makes sense on its own host only.

Twin
: the other version's file that means nearly the same; how values become each other is in [translation.md](translation.md).

CRIU
: CRIU 4.2 saves the file without being asked.

A file marked (advisory) loses nothing when it is lost: where a kernel refuses or ignores it, a warning is enough.
";

const COLUMNS: &str = "\
| File | Controller | Since | Fresh | Read | Write | When | Host | Twin | CRIU | Note |
|---|---|---|---|---|---|---|---|---|---|---|
";

/// The whole page.
fn page() -> String {
	let mut page = HEAD.to_string();
	for (version, title) in [(Version::V1, "cgroup v1"), (Version::V2, "cgroup v2")] {
		page += &format!("\n## {title}\n\n{COLUMNS}");
		all(version).iter().for_each(|property| page += &row(property));
	}
	for (version, title) in [(Version::V1, "cgroup v1"), (Version::V2, "cgroup v2")] {
		page += &format!("\n## Never saved, never written: {title}\n\n| File | Reason |\n|---|---|\n");
		let reasons = refused::every().filter(|(of, ..)| *of == version);
		reasons.for_each(|(_, file, reason)| page += &format!("| `{file}` | {reason} |\n"));
	}
	page
}

fn row(property: &Property) -> String {
	let controller = core::str::from_utf8(property.controller()).unwrap();
	let criu = if property.criu { "yes" } else { "" };
	let advisory = if property.advisory { "(advisory) " } else { "" };
	let (file, since, twin) = (property.file(), property.since, code(property.twin.as_str()));
	let (fresh, read, write) = (fresh(property), read(property.read), write(property.write));
	let (when, host, note) = (when(property.phase), host(property.host), property.note);
	let controller = if controller == "cgroup" { "core" } else { controller };
	let row = format!(
		"| `{file}` | {controller} | {since} | {fresh} | {read} | {write} | {when} | {host} | {twin} | {criu} | {advisory}{note}"
	);
	format!("{} |\n", row.trim_end())
}

fn code(text: &str) -> String {
	if text.is_empty() { String::new() } else { format!("`{text}`") }
}

fn fresh(property: &Property) -> String {
	match property.fresh {
		Fresh::Is(text) => code(text.as_str()),
		Fresh::Inherited(text) if text.as_str().is_empty() => "inherited".to_string(),
		Fresh::Inherited(text) => format!("inherited, {}", code(text.as_str())),
		Fresh::Unlimited if property.unit == Unit::Micros => "unlimited, `-1`".to_string(),
		Fresh::Unlimited => "unlimited".to_string(),
		Fresh::Empty => "empty".to_string(),
		Fresh::Unknown => "unknown".to_string(),
	}
}

fn read(rule: Read) -> &'static str {
	match rule {
		Read::Plain => "plain",
		Read::OomFlag => "flag",
		Read::Partition => "first word",
		Read::Freezer => "own state",
		Read::Owner => "not",
	}
}

fn write(rule: Write) -> String {
	match rule {
		Write::Whole => "whole".to_string(),
		Write::List => "list".to_string(),
		Write::Lines { reset } => format!("lines, `{}`", reset.as_str().trim_start()),
		Write::Devices => "to devices.deny, then devices.allow".to_string(),
		Write::Program => "a BPF program".to_string(),
		Write::Controllers => "names with signs".to_string(),
		Write::Type => "`threaded` only".to_string(),
		Write::Nothing => "nothing".to_string(),
	}
}

fn when(phase: Phase) -> &'static str {
	match phase {
		Phase::Create => "create",
		Phase::Join => "join",
		Phase::Limit => "limit",
		Phase::Freeze => "freeze",
		Phase::Never => "never",
	}
}

fn host(content: Host) -> &'static str {
	match content {
		Host::Nothing => "",
		Host::Cpus => "CPUs",
		Host::Nodes => "memory nodes",
		Host::Disks => "disks",
		Host::Devices => "devices",
		Host::Interfaces => "network interfaces",
		Host::Resources => "resources",
		Host::PageSize => "huge page size",
		Host::Classes => "traffic classes",
		Host::Controllers => "controllers",
	}
}

#[test]
fn properties_page() {
	assert_written("docs/properties.md", "properties_page", &page());
}

/// The file that is made from the code is as the code makes it; `test` makes it anew.
pub(crate) fn assert_written(file: &str, test: &str, wanted: &str) {
	let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
	if std::env::var_os("CGRAFT_WRITE_DOCS").is_some() {
		std::fs::create_dir_all(path.parent().unwrap()).unwrap();
		std::fs::write(&path, wanted).unwrap();
	}
	let found = std::fs::read_to_string(path).unwrap_or_default();
	let stale = wanted.lines().zip(found.lines()).find(|(new, old)| new != old);
	assert!(
		wanted == found,
		"{file} is stale, run: CGRAFT_WRITE_DOCS=1 cargo test {test}\nfirst line that differs: {stale:?}"
	);
}
