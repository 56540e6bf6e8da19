//! The same for the layout of the first patch of 2014: what comes in is the rest of an image whose first hierarchy has it.
#![no_main]

use cgraft_fuzz::{file_of, judge, read_everything};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|rest: &[u8]| {
	// A hierarchy with the number 1 and the controller `cpu`.
	let file = file_of(&[b"\x12\x07\x08\x01\x12\x03cpu", rest].concat());
	read_everything(&file);
	judge(&file);
});
