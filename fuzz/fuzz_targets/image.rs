//! The payload of cgroup.img: everything that reads an image, and what the image becomes when it is copied.
#![no_main]

use cgraft_fuzz::{file_of, judge, read_everything};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|payload: &[u8]| {
	let file = file_of(payload);
	read_everything(&file);
	judge(&file);
});
