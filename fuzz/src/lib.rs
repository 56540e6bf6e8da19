//! What the fuzz targets share: files of payloads, everything that reads an image, and what has to hold for one that was judged
//! to be good.

pub mod build;
pub mod journal;
#[path = "../../tests/properties/memory.rs"]
mod memory;

use std::cell::RefCell;
use std::fmt::{self, Write};

use cgraft::compare::{Workspace, compare};
use cgraft::difference::IMAGES;
use cgraft::error::{Error, Fault};
use cgraft::image::schema::{MAGIC_CGROUP, MAGIC_COMMON};
use cgraft::image::sum::Sum;
use cgraft::image::view::Image;
use cgraft::log::{Level, Log};
use cgraft::name::{check, components};
use cgraft::procfs::scan::Lines;
use cgraft::remap;
use cgraft::report::{decode::decode, overview::overview, tree::tree};
use cgraft::rewrite::{Change, Space, each_group, rewrite};
use cgraft::vet::{Counts, vet};

pub use self::memory::Memory;

/// Whether a text lies in another one: nothing is made up, and nothing reaches beyond.
pub fn is_part(part: &[u8], whole: &[u8]) -> bool {
	let (part, whole) = (part.as_ptr_range(), whole.as_ptr_range());
	part.is_empty() || whole.start <= part.start && part.end <= whole.end
}

/// The lines of a text, as cgraft reads them; they are the same ones that a plain splitter finds.
pub fn each_line(text: &[u8], each: &mut dyn FnMut(&[u8])) {
	let mut plain = text.split(|byte| *byte == b'\n');
	let mut buffer = vec![0xa5; text.len()];
	let mut lines = Lines::new(text, &mut buffer);
	while let Some(line) = lines.next_line().unwrap() {
		assert_eq!(Some(line), plain.next());
		each(line);
	}
	assert!(plain.all(<[u8]>::is_empty));
}

/// The file of a payload. A checksum at its end is made right, so that what lies behind is met.
pub fn file_of(payload: &[u8]) -> Vec<u8> {
	let mut file = Vec::new();
	file.extend(MAGIC_COMMON.to_le_bytes());
	file.extend(MAGIC_CGROUP.to_le_bytes());
	file.extend((payload.len() as u32).to_le_bytes());
	file.extend(payload);
	if let Some((before, [0xd5, 0x3e, ..])) = payload.split_last_chunk::<6>() {
		let end = file.len() - 4;
		let mut sum = Sum::new();
		sum.add(before);
		file[end..].copy_from_slice(&sum.end().to_le_bytes());
	}
	file
}

/// Takes text and proves that it cannot drive a terminal.
pub struct Terminal;

impl Write for Terminal {
	fn write_str(&mut self, text: &str) -> fmt::Result {
		assert!(!text.chars().any(|letter| letter.is_control() && letter != '\n'), "{text:?}");
		Ok(())
	}
}

/// The same for messages.
impl Log for Terminal {
	fn say(&mut self, _: Level, line: fmt::Arguments<'_>) {
		let line = line.to_string();
		assert!(!line.contains('\n'), "{line:?}");
		let _ = self.write_str(&line);
	}

	fn sum_up(&mut self, line: fmt::Arguments<'_>) {
		self.say(Level::Info, line);
	}
}

/// Everything that reads an image before anybody judged it.
pub fn read_everything(file: &[u8]) {
	let Ok(image) = Image::open(file) else { return };
	let _ = decode(&image, false, &mut Terminal);
	let _ = tree(&image, true, &mut Terminal);
	let _ = overview(&image, &mut Terminal);
	for hierarchy in image.hierarchies().flatten() {
		let _ = remap::common(&hierarchy, &mut remap::Path::new());
	}
	let mut space = Box::new(Workspace::new());
	let _ = compare([&image, &image], &mut space, &mut |difference| {
		let _ = write!(Terminal, "{}", difference.line(&IMAGES));
	});
}

struct Nothing;
impl Change for Nothing {}

/// A copy of the image by the writer of dumps.
pub fn rewritten(image: &Image<'_>, change: &mut dyn Change) -> Result<Vec<u8>, Error> {
	// It is large; one that was left in the middle of an image is not used again.
	let mut space = SPACE.take().unwrap_or_else(|| Box::new(Space::new()));
	let memory = rewrite(image, Memory::default(), change, &mut space)?;
	SPACE.set(Some(space));
	Ok(memory.0)
}

thread_local! {
	static SPACE: RefCell<Option<Box<Space>>> = const { RefCell::new(None) };
}

/// What holds of every image that was judged to be good: no name that leads elsewhere, and a copy of it is as good, is told
/// the same, and is the copy of itself.
pub fn judge(file: &[u8]) -> Option<Counts<'_>> {
	let image = Image::open(file).ok()?;
	let counts = vet(&image).ok()?;
	assert_proved(&image);
	let copy = match rewritten(&image, &mut Nothing) {
		Ok(copy) => copy,
		Err(error) => {
			assert!(matches!(error.fault, Fault::Full(..)), "{error}");
			return Some(counts);
		}
	};
	let copied = judged(&copy);
	assert_eq!((counts.sets, counts.tasks), (copied.sets, copied.tasks));
	assert!(copied.groups <= counts.groups);
	assert!(rewritten(&Image::open(&copy).unwrap(), &mut Nothing).unwrap() == copy);
	Some(counts)
}

/// An image that cgraft made of a good one is good.
pub fn judged(file: &[u8]) -> Counts<'_> {
	let image = Image::open(file).unwrap();
	assert_proved(&image);
	vet(&image).unwrap()
}

fn assert_proved(image: &Image<'_>) {
	for hierarchy in image.hierarchies() {
		each_group(&hierarchy.unwrap(), &mut |path, group| {
			assert!(path.is_empty() || path.split(|byte| *byte == b'/').all(|name| check(name).is_ok()), "{path:?}");
			for saved in group.properties() {
				let name = saved.unwrap().name;
				assert!(
					!name.is_empty() && !name.starts_with(b".") && !name.iter().any(|byte| b"/\0\n".contains(byte))
				);
			}
			Ok(())
		})
		.unwrap();
	}
	for set in image.sets() {
		for member in set.unwrap().members() {
			let member = member.unwrap();
			assert!(member.path.starts_with(b"/") && components(member.path).all(|name| check(name).is_ok()));
			assert!(member.cgns_prefix.is_none_or(|prefix| prefix as usize <= member.path.len()));
		}
	}
}
