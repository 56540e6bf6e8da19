//! The text of /proc/PID/mountinfo, line by line as cgraft reads it.
#![no_main]

use cgraft::procfs::mountinfo::{SuperWord, is_read_only, parse_line};
use cgraft::procfs::scan::Unescaped;
use cgraft_fuzz::{each_line, is_part};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
	each_line(text, &mut |line| {
		let Ok(Some(mount)) = parse_line(line) else { return };
		for part in [mount.root, mount.point, mount.options, mount.super_options] {
			assert!(is_part(part, line));
		}
		let words = mount.super_words().map(|word| match word {
			SuperWord::Named(name) => name.len() + 6,
			SuperWord::Controller(word) | SuperWord::Flag(word) => word.len() + 1,
		});
		assert!(words.sum::<usize>() <= mount.super_options.len() + 1);
		assert!(Unescaped(mount.point).count() <= mount.point.len());
		let _ = (is_read_only(mount.options), is_read_only(mount.super_options));
	});
});
