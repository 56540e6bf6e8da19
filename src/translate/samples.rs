//! Values for tests: a text of saved values in, what becomes of the first one out.

extern crate std;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::{Choices, Outcome, Saved, Shares, Soft, Weights, part};
use crate::error::Fault;
use crate::property::{Version, index_of};

/// Choices by letters: L and P formulas of shares, R weights of I/O by their range, H memory.high, B bfq, K pages of 64 KiB.
pub(super) fn choices(letters: &str) -> Choices {
	let mut choices = Choices::default();
	for letter in letters.chars() {
		match letter {
			'L' => choices.shares = Shares::Linear,
			'P' => choices.shares = Shares::Proportional,
			'R' => choices.weights = Weights::Range,
			'H' => choices.soft = Soft::High,
			'B' => choices.bfq = true,
			'K' => choices.page_bytes = 65536,
			_ => panic!("{letter}"),
		}
	}
	choices
}

/// `file=value` pairs with `; ` between; a `|` in a value is a newline.
pub(super) fn pairs(text: &str) -> Vec<(String, String)> {
	let pair = |pair: &str| {
		let (file, value) = pair.split_once('=').unwrap_or_else(|| panic!("{pair}"));
		(file.to_string(), value.replace('|', "\n"))
	};
	text.split("; ").map(pair).collect()
}

/// All parts of a value: (file, value, whether it is a default), or why it is lost.
pub(super) type Parts = Vec<Result<(String, Vec<u8>, bool), String>>;

/// What becomes of the pair at `place`; the others are its siblings.
pub(super) fn translate(version: Version, saved: &[(String, Vec<u8>)], place: usize, choices: &Choices) -> Parts {
	translate_in(version, saved, place, choices, &mut [0xa5; 16 * 1024]).unwrap()
}

/// The same in this space.
pub(super) fn translate_in(
	version: Version,
	saved: &[(String, Vec<u8>)],
	place: usize,
	choices: &Choices,
	space: &mut [u8],
) -> Result<Parts, Fault> {
	let others =
		|file: &str| saved.iter().find(|(name, _)| name == file && !name.contains('*')).map(|(_, value)| &value[..]);
	let (file, value) = &saved[place];
	let index = index_of(version, file.as_bytes()).unwrap_or_else(|| panic!("{file}"));
	let asked = Saved { version, index, file: file.as_bytes(), value };
	let mut parts = Parts::new();
	while let Some(outcome) = part(&asked, parts.len(), &others, choices, space)? {
		parts.push(match outcome {
			Outcome::Value { file, value, default, .. } => {
				Ok((String::from_utf8(file.to_vec()).unwrap(), value.to_vec(), default))
			}
			Outcome::Lost(why) => Err(why.text().to_string()),
		});
	}
	Ok(parts)
}

/// A whole group: all values that the other version gets.
pub(super) fn group(version: Version, saved: &[(String, Vec<u8>)], choices: &Choices) -> Vec<(String, Vec<u8>)> {
	let parts = (0..saved.len()).flat_map(|place| translate(version, saved, place, choices));
	parts.filter_map(|part| part.ok().map(|(file, value, _)| (file, value))).collect()
}

/// What becomes of the first pair, as text: a star behind a default, `-` for nothing, `lost: ` before a reason.
pub(super) fn first(version: Version, saved: &str, letters: &str) -> String {
	let saved: Vec<_> = pairs(saved).into_iter().map(|(file, value)| (file, value.into_bytes())).collect();
	let shown = |part| match part {
		Ok((file, value, default)) => {
			let value = String::from_utf8(value).unwrap().replace('\n', "|");
			format!("{file}={value}{}", if default { "*" } else { "" })
		}
		Err(why) => format!("lost: {why}"),
	};
	let parts = translate(version, &saved, 0, &choices(letters));
	if parts.is_empty() { "-".to_string() } else { parts.into_iter().map(shown).collect::<Vec<_>>().join("; ") }
}
