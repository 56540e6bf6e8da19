//! What is written is what is read, in both layouts, and it is what another writer would have written.

use cgraft::error::Fault;
use cgraft::image::schema::HEADER_BYTES;
use cgraft::image::view::Layout;
use cgraft::limits::DEPTH;

use crate::dice::Dice;
use crate::model::{Hierarchy, Model, as_rfc, deep, random, read, write};
use crate::protobuf;

/// What the views can tell of a model: neither the numbers of hierarchies nor the mounts.
fn told(model: &Model) -> Model {
	let mut told = model.clone();
	told.hierarchies.iter_mut().for_each(|hierarchy| hierarchy.id = 0);
	told.about.iter_mut().for_each(|about| about.mounts.clear());
	told
}

/// Whether the layout of 2014 can be recognised: by a member or by a hierarchy's number.
fn is_recognised(model: &Model) -> bool {
	!model.hierarchies.is_empty() || model.sets.iter().any(|set| !set.members.is_empty())
}

#[test]
fn what_is_written_is_what_is_read() {
	let mut dice = Dice(0x00c0_ffee);
	for _ in 0..100 {
		let model = random(&mut dice);
		let (file, left_out) = write(&model, Layout::Criu).unwrap();
		assert_eq!(left_out, 0);
		assert_eq!(read(&file), Ok((told(&model), Layout::Criu)));
	}
}

#[test]
fn and_in_the_layout_of_2014_what_it_has_fields_for() {
	let mut dice = Dice(0x0201_4070);
	for _ in 0..100 {
		let model = random(&mut dice);
		let (kept, left_out) = as_rfc(&model);
		let (file, counted) = write(&model, Layout::Rfc).unwrap();
		assert_eq!(counted, left_out);
		let layout = if is_recognised(&kept) { Layout::Rfc } else { Layout::Criu };
		assert_eq!(read(&file), Ok((told(&kept), layout)));
	}
}

/// The oracle: the writer's bytes, with padded lengths made short, are those of a writer that builds every message first.
#[test]
fn another_writer_writes_the_same_bytes() {
	let mut dice = Dice(0xfeed);
	for _ in 0..60 {
		let model = random(&mut dice);
		let (file, _) = write(&model, Layout::Criu).unwrap();
		let payload = &file[HEADER_BYTES..file.len() - 6];
		assert_eq!(protobuf::file(payload, true), file, "header and checksum");
		assert!(protobuf::shortest("entry", payload) == protobuf::payload(&model));
		let (file, _) = write(&model, Layout::Rfc).unwrap();
		assert_eq!(protobuf::file(&file[HEADER_BYTES..], false), file, "header");
		assert!(protobuf::shortest("rfc", &file[HEADER_BYTES..]) == protobuf::rfc_payload(&as_rfc(&model).0));
	}
}

#[test]
fn an_image_of_the_other_writer_is_read_as_well() {
	let mut dice = Dice(0xbeef);
	for _ in 0..40 {
		let model = random(&mut dice);
		let file = protobuf::file(&protobuf::payload(&model), true);
		assert_eq!(read(&file), Ok((told(&model), Layout::Criu)));
	}
}

#[test]
fn the_deepest_tree_is_read_and_one_level_more_is_named() {
	let mut dice = Dice(512);
	let mut of = |levels| {
		let head = deep(&mut dice, levels);
		let names = vec![b"pids".to_vec()];
		Model {
			hierarchies: vec![Hierarchy { id: 0, names, heads: vec![head], threaded: Some(true) }],
			..Model::default()
		}
	};
	let model = of(DEPTH);
	assert_eq!(read(&write(&model, Layout::Criu).unwrap().0), Ok((model, Layout::Criu)));
	let file = write(&of(DEPTH + 1), Layout::Criu).unwrap().0;
	assert!(matches!(read(&file), Err(Fault::Full(_, need)) if need as usize == DEPTH + 1));
}

#[test]
fn the_same_state_gives_the_same_bytes() {
	let model = random(&mut Dice(99));
	assert!(write(&model, Layout::Criu) == write(&model, Layout::Criu));
}
