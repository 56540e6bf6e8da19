//! The texts of /proc/PID/task/TID/stat, status and children.
#![no_main]

use cgraft::procfs::scan::Lines;
use cgraft::procfs::{children, stat, status};
use cgraft_fuzz::{each_line, is_part};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
	if let Ok(task) = stat::parse(text) {
		assert!(is_part(task.comm, text));
		let _ = (task.is_dead(), task.is_kernel_thread());
	}
	let _ = (status::namespace_id(text), status::process(text));
	each_line(text, &mut |line| assert!(status::ids(line).all(|id| is_part(id, line))));
	let mut buffer = vec![0xa5; text.len()];
	let mut words = Lines::ended_by(b' ', text, &mut buffer);
	while let Some(word) = words.next_line().unwrap() {
		if let Ok(id) = children::parse_id(word) {
			assert!(word.ends_with(id.to_string().as_bytes()));
		}
	}
	assert!(children::children(text).count() <= text.len());
});
