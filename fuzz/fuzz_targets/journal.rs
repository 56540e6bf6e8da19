//! The journal of a restore, as `undo` reads it: its front, the judgement of its records, and both ways through them. The first byte
//! says whether the rest is taken as it is, or its sums are made right.
#![no_main]

use std::cell::RefCell;
use std::fs::{self, File, OpenOptions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;

use cgraft::act::host::Host;
use cgraft::act::journal::{Change, Journal, Record};
use cgraft::act::kept::State;
use cgraft::limits::{JOURNAL_BYTES, RECORD_BYTES};
use cgraft::name::{check, components};
use cgraft::property::{Write, find};
use cgraft_fuzz::journal::{here, mend};
use libfuzzer_sys::fuzz_target;

/// What one run leaves for the next.
struct Room {
	file: File,
	path: String,
	here: Vec<u8>,
	host: Host,
	buffer: [u8; JOURNAL_BYTES],
	record: [u8; RECORD_BYTES],
}

thread_local! {
	static ROOM: RefCell<Box<Room>> = RefCell::new(room());
}

/// With a file that has no name and is in memory.
fn room() -> Box<Room> {
	let name = format!("/dev/shm/cgraft-fuzz-{}", std::process::id());
	let file = OpenOptions::new().read(true).write(true).create_new(true).open(&name).unwrap();
	fs::remove_file(name).unwrap();
	let path = format!("/proc/self/fd/{}", file.as_raw_fd());
	Box::new(Room {
		file,
		path,
		here: here(),
		host: Host::new(),
		buffer: [0; JOURNAL_BYTES],
		record: [0; RECORD_BYTES],
	})
}

fuzz_target!(|input: &[u8]| {
	let Some((how, journal)) = input.split_first() else { return };
	let mut journal = journal.to_vec();
	ROOM.with_borrow_mut(|room| {
		if *how != 0 {
			mend(&mut journal, &room.here);
		}
		room.file.set_len(0).unwrap();
		room.file.write_all_at(&journal, 0).unwrap();
		read(room, &journal);
	});
	assert!(journal.len() < JOURNAL_BYTES);
});

/// As `undo` does, up to where it would change something. The hierarchies are those that the restore says it made: all others are
/// not here.
fn read(room: &mut Room, bytes: &[u8]) {
	let Room { path, host, buffer, record, .. } = room;
	let Ok((mut journal, state, size)) = Journal::open(path.as_bytes(), buffer) else { return };
	assert_eq!(size, bytes.len() as u64);
	host.hierarchies.clear();
	if state == State::Void || journal.arrange(host).is_err() {
		return;
	}
	let Ok(any) = journal.scan(host, state, size, record) else { return };
	assert_eq!(any, !journal.is_empty());
	assert!(journal.len() < size && (state == State::Open || bytes[16..24] == journal.len().to_le_bytes()));
	both_ways(&journal, host, record);
}

/// The records are the same from both ends, and each was judged.
fn both_ways(journal: &Journal<'_>, host: &Host, buffer: &mut [u8; RECORD_BYTES]) {
	let (mut at, mut there) = (0, Vec::new());
	while let Some((record, end)) = journal.at(at, buffer).unwrap() {
		assert_proved(&record, host);
		there.push((format!("{record:?}"), at));
		at = end;
	}
	assert_eq!(at, journal.len());
	while let Some((record, start)) = journal.before(at, buffer).unwrap() {
		assert_eq!(there.pop(), Some((format!("{record:?}"), start)));
		at = start;
	}
	assert!(at == 0 && there.is_empty());
}

/// It leads nowhere else, and no other file than one of configuration is written.
fn assert_proved(record: &Record<'_>, host: &Host) {
	let label = &host.hierarchies[record.hierarchy].label;
	assert!(!record.path.starts_with(b"/") && components(record.path).all(|name| check(name).is_ok()), "{record:?}");
	let known = |file| find(label.version(), file).filter(|known| label.takes(known.controller())).unwrap();
	match record.change {
		Change::Made => assert!(!record.path.is_empty()),
		Change::Value { file, old, .. } => {
			let lines = matches!(known(file).write, Write::Lines { .. } | Write::Devices | Write::Program);
			assert!(
				!old.contains(&0) && (lines || !old.contains(&b'\n') || known(file).write == Write::Nothing),
				"{record:?}"
			);
		}
		Change::Attribute { name, .. } => {
			assert!((name.starts_with(b"user.") || name.starts_with(b"trusted.")) && !name.contains(&0), "{record:?}");
		}
		Change::Perms { file, old } => {
			assert!(old.mode & 0o4000 == 0 && (file.is_empty() || old.mode & 0o7000 == 0), "{record:?}");
			assert!(file.is_empty() || !known(file).file().contains('/'));
		}
		Change::Moved { tid, .. } => assert!((1..=1 << 22).contains(&tid), "{record:?}"),
	}
}
