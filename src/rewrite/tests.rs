//! Copies of real images, and of one with everything in it.

use super::*;
extern crate std;
use std::boxed::Box;
use std::string::String;
use std::vec::Vec as List;

use crate::limits::DEPTH;
use crate::property::dice::stride;
use crate::report::decode::decode;
use crate::report::tree::sample;
use crate::vet::vet;

/// Changes nothing.
struct Nothing;
impl Change for Nothing {}

pub(super) const CORPUS: [&[u8]; 3] = [
	include_bytes!("../../tests/corpus/v1-ct/cgroup.img"),
	include_bytes!("../../tests/corpus/v1-threads/cgroup.img"),
	include_bytes!("../../tests/corpus/v2-web/cgroup.img"),
];

pub(super) fn rewritten(bytes: &[u8], change: &mut dyn Change) -> Result<List<u8>, Error> {
	let (mut out, mut space) = (List::new(), Box::new(Space::new()));
	rewrite(&Image::open(bytes).unwrap(), &mut out, change, &mut space)?;
	Ok(out)
}

pub(super) fn decoded(bytes: &[u8]) -> String {
	let mut json = String::new();
	decode(&Image::open(bytes).unwrap(), true, &mut json).unwrap();
	json
}

#[test]
fn a_copy_of_an_image_of_cgraft_has_the_same_bytes() {
	let bytes = sample::image(Layout::Criu);
	assert!(rewritten(&bytes, &mut Nothing).unwrap() == bytes);
}

#[test]
fn a_copy_of_an_image_of_criu_says_the_same() {
	for bytes in CORPUS.into_iter().step_by(stride(CORPUS.len())) {
		let copy = rewritten(bytes, &mut Nothing).unwrap();
		assert_eq!(decoded(&copy), decoded(bytes));
		let image = Image::open(&copy).unwrap();
		assert!(image.about().unwrap().is_none() && image.tasks().next().is_none());
		assert_eq!(vet(&image).unwrap(), vet(&Image::open(bytes).unwrap()).unwrap());
		assert!(rewritten(&copy, &mut Nothing).unwrap() == copy);
	}
}

#[test]
fn a_copy_of_the_layout_of_2014_is_in_the_layout_of_criu() {
	let bytes = sample::image(Layout::Rfc);
	let copy = rewritten(&bytes, &mut Nothing).unwrap();
	assert_eq!(Image::open(&copy).unwrap().layout(), Layout::Criu);
	let plain = |bytes| decoded(bytes).replace("\"dir_name\": \"/", "\"dir_name\": \"");
	assert_eq!(plain(&copy), plain(&bytes));
}

#[test]
fn long_sets_and_deep_trees_are_copied() {
	let name = "n".repeat(200);
	let mut bytes = List::new();
	let mut buffer = crate::image::sink::tests::dirty();
	let mut writer = ImageWriter::new(Sink::new(&mut bytes, &mut buffer), Layout::Criu).unwrap();
	let labels: List<_> = (0..40).step_by(stride(13)).map(|number| std::format!("name=h{number}")).collect();
	let path = std::format!("/{name}").repeat(20);
	let member = |label: &'_ String| Member {
		name: label.clone().leak().as_bytes(),
		path: path.clone().leak().as_bytes(),
		cgns_prefix: Some(1),
		at: 0,
	};
	writer.set(2, labels.iter().map(member)).unwrap();
	let top = writer.hierarchy(0, [&b"cpu"[..]].into_iter()).unwrap();
	let marks: List<_> = (0..DEPTH).map(|depth| writer.group(depth == 0, b"g", b"", false).unwrap()).collect();
	marks.into_iter().rev().for_each(|mark| writer.close(mark).unwrap());
	writer.close(top).unwrap();
	writer.finish().unwrap();
	assert_eq!(decoded(&rewritten(&bytes, &mut Nothing).unwrap()), decoded(&bytes));
}
