//! Arguments as CRIU takes them in, arguments as argh takes them out.
//!
//! CRIU knows `--name=value`, `-vvv`, `-v4`, `-t123`, and `--manage-cgroups` with or without a mode; argh knows none of
//! these. Options for messages may stand anywhere in CRIU; argh wants them before the command.

/// Options of CRIU that concern cgroups and that cgraft does not have yet.
const NOT_YET: &[&str] = &[
	"--freeze-cgroup",
	"--cgroup-props",
	"--cgroup-props-file",
	"--cgroup-dump-controller",
	"--cgroup-yard",
	"--action-script",
	"--stream",
];

/// Options of CRIU about other things than cgroups.
const NOT_OURS: &[&str] = &[
	"--leave-running",
	"--leave-stopped",
	"--shell-job",
	"--tcp-established",
	"--ext-unix-sk",
	"--file-locks",
	"--restore-detached",
	"--restore-sibling",
	"--pidfile",
	"--work-dir",
	"--external",
	"--link-remap",
	"--evasive-devices",
	"--track-mem",
	"--prev-images-dir",
	"--page-server",
	"--lazy-pages",
	"--timeout",
];

const MODES: &[&str] = &["none", "props", "soft", "full", "strict", "ignore"];

/// What argh is to see; or why it makes no sense.
pub fn normalise(typed: impl Iterator<Item = String>) -> Result<Vec<String>, String> {
	let (mut front, mut rest) = (Vec::new(), Vec::new());
	let mut verbosity = None;
	let mut typed = typed.peekable();
	while let Some(argument) = typed.next() {
		let (name, value) = match argument.split_once('=') {
			Some((name, value)) if name.starts_with("--") => (name.to_string(), Some(value.to_string())),
			_ => (argument, None),
		};
		refuse_foreign(&name)?;
		match name.as_str() {
			"--" => {
				rest.push(name);
				rest.extend(typed.by_ref());
			}
			"-o" | "--log-file" => {
				let file = value.or_else(|| typed.next()).ok_or(format!("{name}: the file is missing"))?;
				front.extend(["--log-file".to_string(), file]);
			}
			"--verbosity" => {
				let level = value.or_else(|| typed.next()).and_then(|value| value.parse().ok());
				verbosity = Some(level.ok_or(format!("{name}: a number from 0 to 4 is missing"))?);
			}
			"--manage-cgroups" | "--manage-cgroups-mode" => {
				let given = value.or_else(|| typed.next_if(|next| MODES.contains(&next.as_str())));
				rest.extend(["--manage-cgroups".to_string(), given.unwrap_or("soft".to_string())]);
			}
			"--images-dir" => rest.extend(["-D".to_string()].into_iter().chain(value)),
			_ if is_verbosity(&name) => {
				let counted = name.len() - 1 + verbosity.unwrap_or(0_usize);
				verbosity = Some(name[2..].parse().unwrap_or(counted));
			}
			_ if has_short_value(&name) => rest.extend([name[..2].to_string(), name[2..].to_string()]),
			_ => rest.extend([name].into_iter().chain(value)),
		}
	}
	if let Some(level) = verbosity {
		front.extend(["--verbosity".to_string(), level.min(4).to_string()]);
	}
	front.extend(rest);
	Ok(front)
}

fn refuse_foreign(name: &str) -> Result<(), String> {
	if NOT_YET.contains(&name) {
		return Err(format!("{name}: CRIU has this option; this version of cgraft does not have it yet"));
	}
	if NOT_OURS.contains(&name) {
		return Err(format!("{name}: this option of CRIU is not about cgroups, which is all that cgraft handles"));
	}
	Ok(())
}

/// `-v`, `-vvv`, `-v4`.
fn is_verbosity(name: &str) -> bool {
	let Some(rest) = name.strip_prefix("-v") else { return false };
	rest.bytes().all(|byte| byte == b'v') || rest.len() == 1 && rest.as_bytes()[0].is_ascii_digit()
}

/// `-t123`, `-Dfolder`, `-ifile`.
fn has_short_value(name: &str) -> bool {
	name.len() > 2 && name.is_char_boundary(2) && matches!(&name[..2], "-t" | "-D" | "-i")
}

#[cfg(test)]
mod tests {
	use super::normalise;

	fn seen(typed: &str) -> Result<String, String> {
		normalise(typed.split(' ').map(String::from)).map(|seen| seen.join(" "))
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
			("restore -o log -i x", "--log-file log restore -i x"),
			("exec -- a --b=c -v4", "exec -- a --b=c -v4"),
		] {
			assert_eq!(seen(typed).as_deref(), Ok(wanted), "{typed}");
		}
	}

	#[test]
	fn an_option_that_criu_has_and_cgraft_not_is_named() {
		assert!(seen("dump --freeze-cgroup=/a").unwrap_err().contains("--freeze-cgroup"));
		assert!(seen("restore --shell-job").unwrap_err().contains("not about cgroups"));
		assert!(seen("restore -o").unwrap_err().contains("file is missing"));
	}
}
