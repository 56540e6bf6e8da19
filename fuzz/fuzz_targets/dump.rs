//! The other files of a dump of CRIU: inventory.img, pstree.img, core-TID.img, with and without the magic of version 2.
#![no_main]

use cgraft::image::dump::{Core, Entries, Process, root_set};
use cgraft::image::schema::{MAGIC_COMMON, MAGIC_CORE, MAGIC_INVENTORY, MAGIC_PSTREE};
use cgraft::limits::{COMM_BYTES, PIDS};
use cgraft_fuzz::is_part;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
	let Some((kind, rest)) = input.split_first() else { return };
	let magic = [MAGIC_INVENTORY, MAGIC_PSTREE, MAGIC_CORE, MAGIC_CORE][usize::from(kind & 3)];
	let mut file = Vec::new();
	if kind & 4 != 0 {
		file.extend(MAGIC_COMMON.to_le_bytes());
	}
	file.extend(magic.to_le_bytes());
	// The size of a single entry is right, so that it is met.
	if kind & 8 != 0 {
		file.extend((rest.len() as u32).to_le_bytes());
	}
	file.extend(rest);
	match kind & 3 {
		0 => drop(root_set(&file)),
		1 => pstree(&file),
		_ => {
			for is_leader in [true, false] {
				let Ok(core) = Core::read(&file, is_leader) else { continue };
				assert!(core.comm.len() <= COMM_BYTES && is_part(core.comm, &file));
			}
		}
	}
});

fn pstree(file: &[u8]) {
	let Ok(entries) = Entries::of_pstree(file) else { return };
	let mut count = 0;
	for entry in entries {
		let Ok(mut process) = entry.and_then(Process::read) else { return };
		assert!((1..PIDS).contains(&process.pid));
		while let Ok(Some(tid)) = process.thread() {
			assert!((1..PIDS).contains(&tid) && tid != process.pid);
			count += 1;
		}
	}
	assert!(count <= file.len());
}
