//! Images as plain values: made at random, written by the library's writer, read by its views.

use cgraft::error::Fault;
use cgraft::image::descent::{Descent, Turn};
use cgraft::image::schema::about;
use cgraft::image::sink::Sink;
use cgraft::image::view::{self, Hierarchy as HierarchyView, Image, Layout, Perms};
use cgraft::image::writer::{Host, ImageWriter};
use cgraft::limits::SINK_BYTES;

use crate::dice::Dice;
use crate::memory::Memory;

pub type Bytes = Vec<u8>;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model {
	pub about: Option<About>,
	pub sets: Vec<Set>,
	pub tasks: Vec<Task>,
	pub hierarchies: Vec<Hierarchy>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct About {
	pub texts: [Bytes; 5],
	pub page_size: u32,
	pub mounts: Vec<(Bytes, Bytes)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Set {
	pub id: u32,
	pub members: Vec<(Bytes, Bytes, Option<u32>)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Task {
	pub pid: u32,
	pub tid: u32,
	pub ns_tid: Option<u32>,
	pub start_time: u64,
	pub comm: Bytes,
	pub set: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Hierarchy {
	pub id: u32,
	pub names: Vec<Bytes>,
	pub heads: Vec<Group>,
	pub threaded: Option<bool>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Group {
	pub name: Bytes,
	pub ancestor: bool,
	pub perms: Option<Perms>,
	pub attributes: Vec<(Bytes, Bytes)>,
	pub properties: Vec<(Bytes, Bytes, Option<Perms>)>,
	pub children: Vec<Group>,
}

/// Names that some program somewhere takes amiss.
const ODD: &[&[u8]] = &[
	b"a",
	b" ",
	b"...",
	b".hidden",
	b"x (deleted)",
	b"co:lon,comma",
	b"back\\slash",
	b"\"",
	b"tab\there",
	b"\x1b[2J",
	b"\xff\xfe",
	b"\x7f",
	b"name=x",
	b"cgroup.procs",
	b"\xe2\x80\xae",
	b"foo",
	b"foobar",
	b"\xc3",
	b"%s%n",
];

fn component(dice: &mut Dice) -> Bytes {
	match dice.below(20) {
		0 => vec![b'n'; 1 + dice.below(600)],
		_ => [dice.one(ODD).to_vec(), dice.below(1000).to_string().into_bytes()].concat(),
	}
}

pub fn path(dice: &mut Dice, most: usize) -> Bytes {
	(0..dice.below(most + 1)).map(|_| component(dice)).collect::<Vec<_>>().join(&b'/')
}

fn any_bytes(dice: &mut Dice) -> Bytes {
	let len = match dice.below(50) {
		0 => dice.below(200 * 1024),
		1..5 => dice.below(5000),
		_ => dice.below(40),
	};
	(0..len).map(|_| dice.below(256) as u8).collect()
}

fn perms(dice: &mut Dice) -> Perms {
	Perms { mode: dice.number() as u32, uid: dice.number() as u32, gid: dice.number() as u32 }
}

fn group(dice: &mut Dice, head: bool, depth: usize, room: &mut usize) -> Group {
	let property = |dice: &mut Dice| {
		let known: &[&[u8]] = &[b"memory.limit_in_bytes", b"cpu.shares", b"cgroup.procs", b"freezer.state"];
		let value = if dice.once_in(2) { dice.number().to_string().into_bytes() } else { any_bytes(dice) };
		(dice.one(known).to_vec(), value, Some(perms(dice)))
	};
	let name = if head { path(dice, 3) } else { component(dice) };
	let properties = (0..dice.below(6)).map(|_| property(dice)).collect();
	let count = if dice.once_in(4) { dice.below(5) } else { 0 };
	let attributes = (0..count).map(|_| (component(dice), any_bytes(dice))).collect();
	let mut children = Vec::new();
	let wanted = if dice.once_in(10) { dice.below(40) } else { dice.below(3) };
	while depth > 0 && *room > 0 && children.len() < wanted {
		*room -= 1;
		children.push(group(dice, false, depth - 1, room));
	}
	Group { name, ancestor: dice.once_in(5), perms: Some(perms(dice)), attributes, properties, children }
}

/// A group with one child with one child, and so on.
pub fn deep(dice: &mut Dice, levels: usize) -> Group {
	let mut inner = group(dice, levels == 1, 0, &mut 0);
	for level in 1..levels {
		let mut outer = group(dice, level + 1 == levels, 0, &mut 0);
		if level + 1 == levels {
			outer.name = component(dice);
		}
		outer.children.push(inner);
		inner = outer;
	}
	inner
}

fn hierarchy(dice: &mut Dice) -> Hierarchy {
	let names = match dice.below(4) {
		0 => vec![b"".to_vec()],
		1 => vec![b"name=systemd".to_vec()],
		_ => (0..1 + dice.below(3)).map(|_| component(dice)).collect(),
	};
	let mut room = dice.below(300);
	let depth = dice.below(12);
	let heads = (0..dice.below(4)).map(|_| group(dice, true, depth, &mut room)).collect();
	Hierarchy { id: dice.number() as u32, names, heads, threaded: Some(dice.once_in(2)) }
}

pub fn random(dice: &mut Dice) -> Model {
	let set = |dice: &mut Dice| {
		let member = |dice: &mut Dice| {
			let name = if dice.once_in(4) { Vec::new() } else { component(dice) };
			(name, [b"/".to_vec(), path(dice, 5)].concat(), dice.once_in(3).then(|| dice.number() as u32))
		};
		Set { id: dice.number() as u32, members: (0..dice.below(14)).map(|_| member(dice)).collect() }
	};
	let task = |dice: &mut Dice| Task {
		pid: dice.number() as u32,
		tid: dice.number() as u32,
		ns_tid: dice.once_in(2).then(|| dice.number() as u32),
		start_time: dice.number(),
		comm: component(dice),
		set: dice.number() as u32,
	};
	let about = |dice: &mut Dice| About {
		texts: std::array::from_fn(|_| component(dice)),
		page_size: dice.number() as u32,
		mounts: (0..dice.below(12)).map(|_| (component(dice), any_bytes(dice))).collect(),
	};
	Model {
		about: dice.once_in(2).then(|| about(dice)),
		sets: (0..dice.below(20)).map(|_| set(dice)).collect(),
		tasks: (0..dice.below(20)).map(|_| task(dice)).collect(),
		hierarchies: (0..dice.below(6)).map(|_| hierarchy(dice)).collect(),
	}
}

/// A small one, for tests that read it many times.
pub fn small(dice: &mut Dice) -> Model {
	fn shrink(group: &mut Group) {
		group.children.truncate(3);
		group.properties.iter_mut().for_each(|property| property.1.truncate(50));
		group.attributes.iter_mut().for_each(|attribute| attribute.1.truncate(50));
		group.children.iter_mut().for_each(shrink);
	}
	let mut model = random(dice);
	model.about.iter_mut().for_each(|about| about.mounts.clear());
	model.sets.truncate(3);
	model.tasks.truncate(3);
	model.hierarchies.truncate(2);
	for hierarchy in &mut model.hierarchies {
		hierarchy.heads.truncate(2);
		hierarchy.heads.iter_mut().for_each(shrink);
	}
	model
}

/// What the layout of 2014 keeps of it, and how many values and tasks it does not.
pub fn as_rfc(model: &Model) -> (Model, u64) {
	fn reduce(group: &mut Group, left_out: &mut u64) {
		*left_out += group.attributes.drain(..).count() as u64;
		(group.ancestor, group.perms) = (false, None);
		let before = group.properties.iter().filter(|(_, value, _)| !value.is_empty()).count();
		group.properties.retain(|(name, value, _)| {
			let digits = value.iter().all(u8::is_ascii_digit);
			let number = digits && std::str::from_utf8(value).is_ok_and(|text| text.parse::<u64>().is_ok());
			number && (name == b"memory.limit_in_bytes" || name == b"cpu.shares")
		});
		group.properties.iter_mut().for_each(|property| property.2 = None);
		*left_out += (before - group.properties.len()) as u64;
		group.children.iter_mut().for_each(|child| reduce(child, left_out));
	}
	let mut model = Model { about: None, ..model.clone() };
	let mut left_out = model.tasks.drain(..).count() as u64;
	for hierarchy in &mut model.hierarchies {
		hierarchy.threaded = None;
		hierarchy.heads.iter_mut().for_each(|head| reduce(head, &mut left_out));
	}
	(model, left_out)
}

type Writer<'s> = ImageWriter<'s, Memory>;

/// The image by the library's writer, and what it left out.
pub fn write(model: &Model, layout: Layout) -> Result<(Bytes, u64), Fault> {
	let mut buffer = Box::new([0xa5; SINK_BYTES]);
	let mut writer = ImageWriter::new(Sink::new(Memory::default(), &mut buffer), layout)?;
	if let (Layout::Criu, Some(about)) = (layout, &model.about) {
		write_about(&mut writer, about)?;
	}
	for set in &model.sets {
		let members = set.members.iter().map(|(name, path, cgns_prefix)| view::Member {
			name,
			path,
			cgns_prefix: *cgns_prefix,
			at: 0,
		});
		let (at, len) = writer.set(set.id, members)?;
		assert_eq!(writer.total(), at + len as u64, "a set's members take what was computed for them");
	}
	for Task { pid, tid, ns_tid, start_time, comm, set } in &model.tasks {
		let task = view::Task {
			pid: *pid,
			tid: *tid,
			ns_tid: *ns_tid,
			parent: None,
			start_time: *start_time,
			comm,
			set: *set,
		};
		writer.task(&task)?;
	}
	for hierarchy in &model.hierarchies {
		let mark = writer.hierarchy(hierarchy.id, hierarchy.names.iter().map(Vec::as_slice))?;
		for head in &hierarchy.heads {
			write_group(&mut writer, head, None)?;
		}
		writer.threaded(hierarchy.threaded.unwrap_or(false))?;
		writer.close(mark)?;
	}
	let (total, left_out) = (writer.total(), writer.left_out);
	let bytes = writer.finish()?.0;
	let sum = if layout == Layout::Criu { 6 } else { 0 };
	assert_eq!(bytes.len() as u64, total + sum, "the writer counts what it writes");
	Ok((bytes, left_out))
}

fn write_about(writer: &mut Writer<'_>, about: &About) -> Result<(), Fault> {
	let [version, release, boot_id, cpus, nodes] = &about.texts;
	let host = Host { version, release, boot_id, page_size: about.page_size, cpus, nodes };
	let mark = writer.about(&host)?;
	for (name, options) in &about.mounts {
		writer.mount(name, options)?;
	}
	writer.close(mark)
}

fn write_group(writer: &mut Writer<'_>, group: &Group, above: Option<&[u8]>) -> Result<(), Fault> {
	let path = join(above.unwrap_or(b""), &group.name);
	let mark = writer.group(above.is_none(), &group.name, &path, group.ancestor)?;
	for (name, value) in &group.attributes {
		writer.attribute(name, value)?;
	}
	if let Some(perms) = group.perms {
		writer.owner(perms)?;
	}
	for (name, value, perms) in &group.properties {
		writer.property(name, value, *perms)?;
	}
	for child in &group.children {
		write_group(writer, child, Some(&path))?;
	}
	writer.close(mark)
}

pub fn join(above: &[u8], name: &[u8]) -> Bytes {
	match (above, name) {
		(b"", only) | (only, b"") => only.to_vec(),
		_ => [above, b"/", name].concat(),
	}
}

/// The image by the library's views.
pub fn read(file: &[u8]) -> Result<(Model, Layout), Fault> {
	let image = Image::open(file)?;
	let mut model = Model { about: image.about()?.map(|about| read_about(&about)).transpose()?, ..Model::default() };
	for set in image.sets() {
		let set = set?;
		let members = set
			.members()
			.map(|member| member.map(|member| (member.name.to_vec(), member.path.to_vec(), member.cgns_prefix)));
		model.sets.push(Set { id: set.id, members: members.collect::<Result<_, _>>()? });
	}
	for task in image.tasks() {
		let view::Task { pid, tid, ns_tid, start_time, comm, set, .. } = task?;
		model.tasks.push(Task { pid, tid, ns_tid, start_time, comm: comm.to_vec(), set });
	}
	for hierarchy in image.hierarchies() {
		let hierarchy = hierarchy?;
		let names = hierarchy.names().map(|name| name.map(<[u8]>::to_vec)).collect::<Result<_, _>>()?;
		let heads = read_groups(&hierarchy, image.layout())?;
		model.hierarchies.push(Hierarchy { id: 0, names, heads, threaded: hierarchy.threaded });
	}
	Ok((model, image.layout()))
}

fn read_about(about: &view::About<'_>) -> Result<About, Fault> {
	let text = |number| about.text(number).map(<[u8]>::to_vec);
	Ok(About {
		texts: [
			text(about::VERSION)?,
			text(about::RELEASE)?,
			text(about::BOOT_ID)?,
			text(about::CPUS)?,
			text(about::NODES)?,
		],
		page_size: about.page_size()?,
		mounts: Vec::new(), // no view reads them yet
	})
}

fn read_groups(hierarchy: &HierarchyView<'_>, layout: Layout) -> Result<Vec<Group>, Fault> {
	let mut descent = Descent::new(hierarchy);
	let mut open: Vec<(Group, Bytes)> = Vec::new();
	let mut heads = Vec::new();
	while let Some(turn) = descent.turn()? {
		match turn {
			Turn::Enter(group) => {
				let above = open.last().map_or(Bytes::new(), |(_, path)| path.clone());
				let whole = if layout == Layout::Rfc { [&above[..], b"/"].concat() } else { b"/".to_vec() };
				let name = group.name.strip_prefix(&whole[..]).unwrap_or(group.name).to_vec();
				let properties = group.properties().map(|property| {
					property.map(|property| (property.name.to_vec(), property.value.bytes().to_vec(), property.perms))
				});
				let path = join(&above, &name);
				let properties = properties.collect::<Result<_, _>>()?;
				let (ancestor, perms) = (group.is_ancestor()?, group.perms()?);
				let attributes = group
					.attributes()
					.map(|attribute| attribute.map(|attribute| (attribute.name.to_vec(), attribute.value.to_vec())));
				let attributes = attributes.collect::<Result<_, _>>()?;
				open.push((Group { name, ancestor, perms, attributes, properties, children: Vec::new() }, path));
			}
			Turn::Leave(_) => {
				let (group, _) = open.pop().expect("what is left was entered");
				match open.last_mut() {
					Some((parent, _)) => parent.children.push(group),
					None => heads.push(group),
				}
			}
		}
	}
	assert!(open.is_empty(), "what is entered is left");
	Ok(heads)
}
