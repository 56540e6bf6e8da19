//! The text of --cgroup-props and of the files of --cgroup-props-file.
#![no_main]

use cgraft::property::lists::{Spot, apply};
use cgraft::property::{Selection, Version, all};
use cgraft_fuzz::is_part;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
	let mut told = 0;
	let result = apply(text, Selection::criu(), &mut |at, file, why| {
		assert!(text[at..].starts_with(file) || text[at + 1..].starts_with(file));
		assert!(!why.is_empty());
		told += 1;
	});
	match result {
		Err(refused) => {
			assert!(refused.at <= text.len() && is_part(refused.found, text));
			let spot = Spot::of(text, refused.at);
			assert!(spot.line > 0 && spot.column > 0);
		}
		Ok(selection) => {
			// Once more changes nothing, and says the same.
			let mut again = 0;
			let other = apply(text, selection, &mut |_, _, _| again += 1).ok().unwrap();
			assert_eq!(again, told);
			for version in [Version::V1, Version::V2] {
				for index in 0..all(version).len() {
					assert_eq!(selection.has(version, index), other.has(version, index));
				}
			}
		}
	}
});
