//! Damaged images: whatever the bytes, nothing panics, and what the checksum covers is never believed when it changed.

use std::fmt::Write;

use cgraft::error::Fault;
use cgraft::image::schema::HEADER_BYTES;
use cgraft::image::view::{Image, Layout};
use cgraft::remap;
use cgraft::report::decode::decode;
use cgraft::report::overview::overview;
use cgraft::report::tree::tree;
use cgraft::vet::vet;

use crate::dice::Dice;
use crate::model::{read, small, write};
use crate::protobuf;

const CORPUS: &[&[u8]] = &[
	include_bytes!("../corpus/v1-ct/cgroup.img"),
	include_bytes!("../corpus/v1-threads/cgroup.img"),
	include_bytes!("../corpus/v2-web/cgroup.img"),
];

/// Takes text and proves that it cannot drive a terminal.
struct Terminal;

impl Write for Terminal {
	fn write_str(&mut self, text: &str) -> std::fmt::Result {
		assert!(!text.chars().any(|letter| letter.is_control() && letter != '\n'), "{text:?}");
		Ok(())
	}
}

/// Everything that reads an image.
fn read_everything(file: &[u8]) {
	let Ok(image) = Image::open(file) else { return };
	let mut json = String::new();
	let _ = decode(&image, false, &mut json);
	let _ = decode(&image, true, &mut Terminal);
	let _ = tree(&image, false, &mut Terminal);
	let _ = tree(&image, true, &mut Terminal);
	let _ = overview(&image, &mut Terminal);
	let _ = vet(&image);
	for hierarchy in image.hierarchies().flatten() {
		let _ = remap::common(&hierarchy, &mut remap::Path::new());
	}
	let _ = read(file);
}

/// One random change of the payload.
pub fn damage(payload: &mut Vec<u8>, dice: &mut Dice) {
	let at = dice.below(payload.len().max(1)).min(payload.len().saturating_sub(1));
	match dice.below(7) {
		_ if payload.is_empty() => payload.push(dice.below(256) as u8),
		0 => payload[at] ^= 1 << dice.below(8),
		1 => payload[at] = dice.one(&[0, 1, 0x7f, 0x80, 0xff]),
		2 => payload.truncate(at),
		3 => drop(payload.remove(at)),
		4 => payload.insert(at, dice.below(256) as u8),
		5 => {
			let piece = payload[at..(at + 1 + dice.below(30)).min(payload.len())].to_vec();
			let to = dice.below(payload.len());
			payload.splice(to..to, piece);
		}
		_ => {
			let end = (at + 11).min(payload.len());
			payload[at..end].fill(0xff);
		}
	}
}

#[test]
fn no_damage_makes_a_reader_panic() {
	let mut dice = Dice(0xdead);
	let mut opened = 0;
	for round in 0..1500 {
		let (mut payload, sum) = match round % 8 {
			0 => (dice.one(CORPUS)[HEADER_BYTES..].to_vec(), false),
			1..3 => (write(&small(&mut dice), Layout::Rfc).unwrap().0.split_off(HEADER_BYTES), false),
			_ => {
				let mut payload = write(&small(&mut dice), Layout::Criu).unwrap().0.split_off(HEADER_BYTES);
				payload.truncate(payload.len() - 6);
				(payload, true)
			}
		};
		for _ in 0..1 + dice.below(4) {
			damage(&mut payload, &mut dice);
		}
		// Header and checksum are right again, so that the damage itself is met.
		let file = protobuf::file(&payload, sum);
		opened += usize::from(Image::open(&file).is_ok());
		read_everything(&file);
	}
	assert!(opened > 200, "only {opened} of the images got past the first look");
}

#[test]
fn noise_is_never_more_than_a_fault() {
	let mut dice = Dice(0x5eed);
	for _ in 0..3000 {
		let payload: Vec<u8> = (0..dice.below(200)).map(|_| dice.below(256) as u8).collect();
		read_everything(&protobuf::file(&payload, dice.once_in(2)));
		let _ = Image::open(&payload);
	}
}

/// Every bit of an image of ours: either the change is seen, or it changed nothing that is read.
#[test]
fn each_changed_bit_is_a_fault_or_changes_nothing() {
	let mut dice = Dice(0xb17);
	let mut bits = 0;
	for _ in 0..60 {
		let model = small(&mut dice);
		let (file, _) = write(&model, Layout::Criu).unwrap();
		if model.about.is_none() || file.len() > 3_000 {
			continue;
		}
		let whole = read(&file).unwrap();
		for at in 0..file.len() {
			let mut changed = file.clone();
			changed[at] ^= 1 << dice.below(8);
			match read(&changed) {
				Err(Fault::Image(..)) => {}
				other => assert_eq!(other.as_ref(), Ok(&whole), "byte {at}"),
			}
		}
		bits += file.len();
	}
	assert!(bits > 5_000, "{bits}");
}

#[test]
fn each_shorter_image_is_damaged() {
	for file in CORPUS {
		for len in (0..file.len()).rev() {
			assert!(matches!(Image::open(&file[..len]), Err(Fault::Image(..))), "{len} bytes");
		}
		// The payload alone, with a size that fits: cut between fields it is an image, else a fault, never a panic.
		for len in (0..file.len() - HEADER_BYTES).step_by(13) {
			read_everything(&protobuf::file(&file[HEADER_BYTES..HEADER_BYTES + len], false));
		}
	}
}
