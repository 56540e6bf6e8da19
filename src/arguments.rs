//! Arguments as CRIU takes them in, arguments as argh takes them out.
//!
//! CRIU knows `--name=value`, `-vvv`, `-v4`, `-t123`, and `--manage-cgroups` with or without a mode; argh knows none of
//! these.

use cgraft::error::Why;

/// Options of CRIU that concern cgroups and that cgraft does not have yet; lists are texts with blanks in between.
const NOT_YET: &str = "--freeze-cgroup --action-script --stream";

/// Options of CRIU about other things than cgroups.
const NOT_OURS: &str = "--leave-running --leave-stopped --shell-job --tcp-established --ext-unix-sk --file-locks \
	--restore-detached --restore-sibling --pidfile --work-dir --external --link-remap \
	--evasive-devices --track-mem --prev-images-dir --page-server --lazy-pages --timeout";

const MODES: &str = "none props soft full strict ignore";

/// What `--verbosity` of argh takes.
const LEVELS: &str = "01234";

fn has(list: &str, word: &str) -> bool {
	list.split(' ').any(|other| other == word)
}

/// An argument that makes no sense, and why.
pub type Refused = (&'static [u8], Why);

/// What argh is to see. Nothing is copied: every piece is a part of what was typed.
pub fn normalise(typed: &[&'static [u8]]) -> Result<Vec<&'static str>, Refused> {
	let mut seen = Seen { all: Vec::new(), level: None };
	let mut typed = typed.iter();
	let mut ended = false;
	while let Some(argument) = typed.next() {
		let argument = text(argument)?;
		ended |= argument == "--";
		match argument.split_once('=') {
			_ if ended => seen.all.push(argument),
			Some((name, value)) if name.starts_with("--") => seen.take(name, Some(value), &mut typed)?,
			_ => seen.take(argument, None, &mut typed)?,
		}
	}
	if let Some(level) = seen.level {
		seen.all.insert(0, LEVELS.get(level..=level).unwrap_or("4"));
		seen.all.insert(0, "--verbosity");
	}
	Ok(seen.all)
}

fn text(argument: &'static [u8]) -> Result<&'static str, Refused> {
	str::from_utf8(argument).map_err(|_| (argument, Why::NotUtf8))
}

/// What argh is to see so far.
struct Seen {
	all: Vec<&'static str>,
	level: Option<usize>,
}

impl Seen {
	/// One option or word; its value is behind an equals sign, or the next word.
	fn take(
		&mut self,
		name: &'static str,
		value: Option<&'static str>,
		typed: &mut core::slice::Iter<'_, &'static [u8]>,
	) -> Result<(), Refused> {
		refuse_foreign(name)?;
		match name {
			"--verbosity" => {
				let next = value.map(str::as_bytes).or_else(|| typed.next().copied());
				let value = text(next.ok_or((name.as_bytes(), Why::ValueMissing))?)?;
				self.level = Some(number(value).ok_or((name.as_bytes(), Why::BadLevel))?);
			}
			"--manage-cgroups" | "--manage-cgroups-mode" => {
				let next = typed.as_slice().first().and_then(|next| str::from_utf8(next).ok());
				let next = next.filter(|next| value.is_none() && has(MODES, next));
				if next.is_some() {
					typed.next();
				}
				self.all.extend(["--manage-cgroups", value.or(next).unwrap_or("soft")]);
			}
			"--translate" => {
				let next = typed.as_slice().first().and_then(|next| str::from_utf8(next).ok());
				let next = next.filter(|next| value.is_none() && has("off auto", next.split(',').next().unwrap_or("")));
				if next.is_some() {
					typed.next();
				}
				self.all.extend([name, value.or(next).unwrap_or("auto")]);
			}
			_ if is_verbosity(name) => {
				self.level = Some(number(&name[2..]).unwrap_or(self.level.unwrap_or(0) + name.len() - 1));
			}
			_ if has_short_value(name) => self.all.extend([&name[..2], &name[2..]]),
			_ => {
				self.all.push(if name == "--images-dir" { "-D" } else { name });
				self.all.extend(value);
			}
		}
		Ok(())
	}
}

/// A number that is as long as it has to be for a level.
fn number(text: &str) -> Option<usize> {
	match text.as_bytes() {
		[digit @ b'0'..=b'9'] => Some(usize::from(digit - b'0')),
		_ => None,
	}
}

fn refuse_foreign(name: &'static str) -> Result<(), Refused> {
	match name {
		_ if has(NOT_YET, name) => Err((name.as_bytes(), Why::NotYet)),
		_ if has(NOT_OURS, name) => Err((name.as_bytes(), Why::NotOurs)),
		_ => Ok(()),
	}
}

/// `-v`, `-vvv`, `-v4`.
fn is_verbosity(name: &str) -> bool {
	let Some(rest) = name.strip_prefix("-v") else { return false };
	rest.bytes().all(|byte| byte == b'v') || number(rest).is_some()
}

/// `-t123`, `-Dfolder`, `-ifile`, `-ofile`.
fn has_short_value(name: &str) -> bool {
	name.len() > 2 && name.is_char_boundary(2) && matches!(&name[..2], "-t" | "-D" | "-i" | "-o")
}

#[cfg(test)]
mod tests {
	use super::*;

	fn seen(typed: &'static str) -> Result<String, Refused> {
		let typed: Vec<&[u8]> = typed.split(' ').map(str::as_bytes).collect();
		normalise(&typed).map(|seen| seen.join(" "))
	}

	#[test]
	fn criu_spellings() {
		for (typed, wanted) in [
			("dump -t1 -Dx", "dump -t 1 -D x"),
			("dump --tree=5 --images-dir=a=b", "dump --tree 5 -D a=b"),
			("dump -vvv", "--verbosity 3 dump"),
			("dump -v4 -t 1", "--verbosity 4 dump -t 1"),
			("-v dump -v", "--verbosity 2 dump"),
			("restore --manage-cgroups", "restore --manage-cgroups soft"),
			("restore --manage-cgroups none -D x", "restore --manage-cgroups none -D x"),
			("restore --manage-cgroups=strict", "restore --manage-cgroups strict"),
			("restore --manage-cgroups-mode ignore", "restore --manage-cgroups ignore"),
			("restore -o log -i x", "restore -o log -i x"),
			("restore --translate", "restore --translate auto"),
			("restore --translate -i x", "restore --translate auto -i x"),
			("restore --translate auto,soft-high -i x", "restore --translate auto,soft-high -i x"),
			("restore --translate=off", "restore --translate off"),
			("verify --translate x.img", "verify --translate auto x.img"),
			("exec -- a --b=c -v4", "exec -- a --b=c -v4"),
		] {
			assert_eq!(seen(typed).as_deref(), Ok(wanted), "{typed}");
		}
	}

	#[test]
	fn an_option_that_criu_has_and_cgraft_not_is_named() {
		assert_eq!(seen("dump --freeze-cgroup=/a"), Err((&b"--freeze-cgroup"[..], Why::NotYet)));
		assert_eq!(seen("restore --shell-job"), Err((&b"--shell-job"[..], Why::NotOurs)));
		assert_eq!(seen("restore --verbosity"), Err((&b"--verbosity"[..], Why::ValueMissing)));
		assert_eq!(seen("dump --verbosity=x"), Err((&b"--verbosity"[..], Why::BadLevel)));
		assert_eq!(normalise(&[b"dump", b"\xff"]), Err((&b"\xff"[..], Why::NotUtf8)));
	}
}
