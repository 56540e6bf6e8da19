//! Two values of one file: what they mean, what is written to turn one into the other, what the other version has for them.
#![no_main]

use cgraft::error::Fault;
use cgraft::limits::{DEVICE_PROGRAM_BYTES, FILE_BYTES};
use cgraft::plan::writes;
use cgraft::property::list::{Numbers, write_list};
use cgraft::property::{Property, TABLE, Write, all, devices, human, value};
use cgraft::translate::{Choices, Outcome, Saved, Shares, Soft, Weights, part};
use cgraft::vet::is_value;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
	let [row, how, texts @ ..] = input else { return };
	let known = &TABLE[usize::from(*row) % TABLE.len()];
	let middle = texts.iter().position(|byte| *byte == 0).unwrap_or(texts.len());
	let (one, other) = (&texts[..middle], texts.get(middle + 1..).unwrap_or(b""));
	means(known, one, other);
	if is_value(known, one) {
		planned(known, one, other);
		translated(known, one, other, *how);
	}
	listed(one);
	let mut program = [0; DEVICE_PROGRAM_BYTES];
	if let Ok(len) = devices::program(one, &mut program) {
		assert!(len <= program.len() && len.is_multiple_of(devices::INSTRUCTION_BYTES));
	}
});

fn means(known: &Property, one: &[u8], other: &[u8]) {
	assert!(value::same(known, one, one));
	assert_eq!(value::same(known, one, other), value::same(known, other, one));
	assert_eq!(value::same_in_pages(known, one, other, 65536), value::same_in_pages(known, other, one, 65536));
	assert!(value::normalise(known, one).len() <= one.len().max(8));
	let mut shown = String::new();
	let _ = human::human(known, one, &mut shown);
	assert!(!shown.chars().any(char::is_control), "{shown:?}");
	let _ = (value::is_fresh(known, one), value::is_default(known, one), value::is_unlimited(known, one));
	let _ = value::is_healed(known, one, other);
}

/// What is emitted are lines that one write can take, of one of the three files.
fn planned(known: &Property, saved: &[u8], current: &[u8]) {
	let mut last = None;
	let result = writes(known, saved, current, &mut |_, text| {
		let many = matches!(known.write, Write::Program);
		assert!(many || text == b"\n" || !text.contains(&b'\n'), "{} {text:?}", known.file());
		assert!(!text.contains(&0) || saved.contains(&0) || current.contains(&0));
		last = Some(text.to_vec());
		Ok(())
	});
	let _ = writes(known, saved, current, &mut |_, _| Err(Fault::Kernel(22)));
	if value::same(known, saved, current) {
		assert_eq!((result, last), (Ok(()), None));
	} else if let (Write::Whole, Some(text)) = (known.write, last) {
		assert!(text == saved || saved.starts_with(&text));
	}
}

fn translated(known: &Property, one: &[u8], other: &[u8], how: u8) {
	let version = known.version;
	let index = all(version).iter().position(|own| std::ptr::eq(own, known)).unwrap();
	let choices = Choices {
		shares: [Shares::Quadratic, Shares::Linear, Shares::Proportional, Shares::Linear][usize::from(how & 3)],
		weights: if how & 4 == 0 { Weights::Proportional } else { Weights::Range },
		soft: if how & 8 == 0 { Soft::Low } else { Soft::High },
		bfq: how & 16 != 0,
		page_bytes: if how & 32 == 0 { 4096 } else { 65536 },
	};
	let file = known.file().replace('*', "2MB");
	let saved = Saved { version, index, file: file.as_bytes(), value: one };
	let others = |_: &str| (how & 64 != 0).then_some(other);
	let mut space = [0xa5; FILE_BYTES + 2048];
	for number in 0..64 {
		match part(&saved, number, &others, &choices, &mut space) {
			Ok(Some(Outcome::Value { property, file, value, .. })) => {
				assert_ne!(property.version, version);
				assert!(!file.contains(&b'*') && !file.contains(&b'/'));
				// A value with a NUL was no value: the vet refused it before. What is made of a good one is a good one.
				assert!(other.contains(&0) || is_value(property, value), "{} {value:?}", property.file());
			}
			Ok(Some(Outcome::Lost(_))) => assert_eq!(number, 0),
			Ok(None) | Err(_) => break,
		}
	}
}

/// A list that is read and printed is the same list.
fn listed(text: &[u8]) {
	let Some(numbers) = Numbers::parse(text) else { return };
	let mut printed = String::new();
	write_list(&|number| numbers.contains(number), &mut printed).unwrap();
	let again = Numbers::parse(printed.as_bytes()).unwrap();
	assert!(again.is_within(&numbers) && numbers.is_within(&again));
}
