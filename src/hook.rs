//! `cgraft hook`, for `criu --action-script`: the stage that CRIU is at in, the command line that belongs to it out.
//!
//! Tried with CRIU 4.2: at post-dump the tree is stopped and still there; at pre-restore it is not there yet, at
//! post-restore it is, and its tasks still wait, at pre-resume for the last time. At post-resume CRIU has closed its folder.
//! The image is cgraft.img in CRIU's folder, beside CRIU's own.

use cgraft::kernel::dir::Dir;
use cgraft::kernel::output::c_string;
use cgraft::limits::PATH_BYTES;

use crate::start::variable;

/// What the stage asks for, with the rest of what was typed; nothing where there is nothing to do.
pub fn expand(typed: &[&'static [u8]]) -> Option<Vec<&'static [u8]>> {
	let folder = variable(c"CRTOOLS_IMAGE_DIR")?;
	let (command, options): (&[u8], [&[u8]; 3]) = match variable(c"CRTOOLS_SCRIPT_ACTION")? {
		b"post-dump" => (b"dump", [b"-t", variable(c"CRTOOLS_INIT_PID")?, b"-v1"]),
		b"pre-restore" => (b"restore", [b"--phase", b"create", b"-v1"]),
		b"post-restore" => (b"restore", [b"--phase", b"join,limit", b"--same-pids"]),
		b"pre-resume" => (b"restore", [b"--phase", b"freeze", b"-v1"]),
		_ => return None,
	};
	if command == b"restore" {
		let there = c_string::<PATH_BYTES>(folder).and_then(|folder| Dir::open(&folder)?.status_of(c"cgraft.img"));
		there.ok()?;
	}
	let mut all = vec![command, b"-i", [folder, b"/cgraft.img"].concat().leak()];
	all.extend(options);
	all.extend(typed.iter().filter(|word| **word != b"hook"));
	Some(all)
}
