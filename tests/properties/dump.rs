//! Damaged files of CRIU's dumps: whatever the bytes, nothing panics and every reading ends.

use cgraft::error::Fault;
use cgraft::image::dump::{Core, Entries, Process, root_set};

use crate::dice::Dice;
use crate::mutate::damage;

const TREES: &[&[u8]] = &[
	include_bytes!("../corpus/v1-ct/pstree.img"),
	include_bytes!("../corpus/v1-threads/pstree.img"),
	include_bytes!("../corpus/zombies/pstree.img"),
];
const CORES: &[&[u8]] = &[
	include_bytes!("../corpus/v1-ct/core-175.img"),
	include_bytes!("../corpus/v1-threads/core-208.img"),
	include_bytes!("../corpus/zombies/core-9.img"),
];
const INVENTORY: &[u8] = include_bytes!("../corpus/v2-web/inventory.img");

/// Reads a file as each of the three; how many tasks and files were read without a fault.
fn read_everything(file: &[u8]) -> usize {
	let mut good = usize::from(root_set(file).is_ok());
	good += [false, true].into_iter().filter(|leader| Core::read(file, *leader).is_ok()).count();
	let Ok(entries) = Entries::of_pstree(file) else { return good };
	for process in entries.map(|entry| Process::read(entry?)) {
		let Ok(mut process) = process else { continue };
		let mut threads = 0;
		while let Ok(Some(_)) = process.thread() {
			threads += 1;
		}
		assert!(threads <= file.len());
		good += 1;
	}
	good
}

#[test]
fn no_damage_makes_a_reader_panic() {
	let mut dice = Dice(0xd0d0);
	let (mut good, mut bad) = (0, 0);
	for round in 0..4000 {
		let mut file = match round % 3 {
			0 => dice.one(TREES),
			1 => dice.one(CORES),
			_ => INVENTORY,
		}
		.to_vec();
		assert!(read_everything(&file) > 0);
		for _ in 0..1 + dice.below(3) {
			damage(&mut file, &mut dice);
		}
		match read_everything(&file) {
			0 => bad += 1,
			_ => good += 1,
		}
	}
	assert!(good > 400 && bad > 400, "{good} read, {bad} refused");
}

#[test]
fn each_shorter_file_is_damaged() {
	for file in CORES.iter().chain([&INVENTORY]) {
		for len in 0..file.len() {
			for leader in [true, false] {
				assert!(matches!(Core::read(&file[..len], leader), Err(Fault::Image(..))), "{len} bytes");
			}
			assert!(matches!(root_set(&file[..len]), Err(Fault::Image(..))), "{len} bytes");
		}
	}
}

#[test]
fn a_tree_that_is_cut_between_two_processes_is_shorter_and_anywhere_else_damaged() {
	for file in TREES {
		let whole = Entries::of_pstree(file).unwrap().count();
		let cuts = (8..file.len()).filter(|len| Entries::of_pstree(&file[..*len]).unwrap().all(|entry| entry.is_ok()));
		assert_eq!(cuts.count(), whole, "one before each process");
	}
}

#[test]
fn noise_is_never_more_than_a_fault() {
	let mut dice = Dice(0x5eed);
	for _ in 0..3000 {
		let mut file = dice.one(TREES)[..8].to_vec();
		file.extend((0..dice.below(200)).map(|_| dice.below(256) as u8));
		read_everything(&file);
		read_everything(&file[dice.below(9)..]);
	}
}
