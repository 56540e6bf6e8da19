//! The texts of /proc/PID/cgroup and /proc/cgroups.
#![no_main]

use cgraft::procfs::controllers;
use cgraft::procfs::membership::{find, has_controller, memberships, same_controllers};
use cgraft::procfs::scan::{cut, number32};
use cgraft_fuzz::{each_line, is_part};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
	whole(text);
	each_line(text, &mut |line| {
		if let Ok(Some(found)) = controllers::parse_line(line) {
			assert!(is_part(found.name, line));
		}
	});
});

/// Each membership is the next part of the text, up to the end or to what the fault is about.
fn whole(text: &[u8]) {
	let mut rest = text;
	for found in memberships(text) {
		let Ok(found) = found else { return };
		let (id, behind) = cut(rest, b':').unwrap();
		assert_eq!(number32(id), Some(found.id));
		let behind = behind.strip_prefix(found.controllers).unwrap().strip_prefix(b":").unwrap();
		let behind = behind.strip_prefix(found.path).unwrap();
		rest = behind.strip_prefix(b"\n").unwrap_or(behind);
		assert!(behind.is_empty() || rest.len() < behind.len());
		assert!(found.path.starts_with(b"/"));
		assert_eq!(found.deleted, found.path_if_deleted().is_some());
		assert!(same_controllers(found.controllers, found.controllers));
		if let Ok(Some(first)) = find(text, found.controllers) {
			assert!(same_controllers(first.controllers, found.controllers));
		}
		let _ = (found.is_outside(), has_controller(found.controllers, b"cpu"));
	}
	assert_eq!(rest, b"");
}
