//! The text of /proc/PID/task/TID/stat in, what tells one task from another out.
//!
//! Source: proc_pid_stat(5); `do_task_stat` of fs/proc/array.c; `PF_KTHREAD` of linux/sched.h.
//! Bounds: none; the command is borrowed from the text.
//! Errors: [`Fault::Text`] for a text that is not of this form or ends before field 22.
//! Not done here: the command's meaning. It is raw and chosen by the task, `) R 1 (` and newlines included.

use crate::error::{Fault, Why};

use super::scan::{cut, number, number32, words};

const KERNEL_THREAD: u32 = 0x0020_0000;

/// One task. Id and start time together are never used again during a boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat<'a> {
	/// The task's id in the PID namespace of the mounted /proc.
	pub id: u32,
	/// The command, raw.
	pub comm: &'a [u8],
	/// The state's letter: `R`, `S`, `Z`.
	pub state: u8,
	/// The id of the parent process; 0 for none, or one outside the namespace.
	pub parent: u32,
	/// The kernel's `PF_` flags.
	pub flags: u32,
	/// Threads of its process, this one included; 0 if it has ended.
	pub threads: u32,
	/// Clock ticks from boot to the start of the task.
	pub start_time: u64,
}

impl Stat<'_> {
	/// Whether this is a thread of the kernel.
	pub fn is_kernel_thread(&self) -> bool {
		self.flags & KERNEL_THREAD != 0
	}

	/// Whether the task has ended and only waits to be reaped: it can be moved no more.
	pub fn is_dead(&self) -> bool {
		matches!(self.state, b'Z' | b'X' | b'x')
	}
}

/// The task that `text` describes.
pub fn parse(text: &[u8]) -> Result<Stat<'_>, Fault> {
	split(text).ok_or(Fault::Text(Why::StatLine))
}

/// The processor on which the task ran last: field 39.
pub fn processor(text: &[u8]) -> Option<usize> {
	let (_, _, fields) = parts(text)?;
	words(fields).nth(36).and_then(number32).map(|number| number as usize)
}

/// The id, the command, and the fields from the third one on.
fn parts(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
	let (id, rest) = cut(text, b' ')?;
	let rest = rest.strip_prefix(b"(")?;
	let (comm, fields) = rest.split_at_checked(rest.iter().rposition(|byte| *byte == b')')?)?;
	let fields = fields.strip_prefix(b") ")?;
	Some((id, comm, fields.strip_suffix(b"\n").unwrap_or(fields)))
}

fn split(text: &[u8]) -> Option<Stat<'_>> {
	let (id, comm, fields) = parts(text)?;
	let mut fields = words(fields);
	let [state] = fields.next()? else { return None };
	Some(Stat {
		id: number32(id)?,
		comm,
		state: *state,
		parent: number32(fields.next()?)?,
		// Fields 5 to 8 are skipped, then 10 to 19, then 21.
		flags: number32(fields.nth(4)?)?,
		threads: number32(fields.nth(10)?)?,
		start_time: number(fields.nth(1)?)?,
	})
}

#[cfg(test)]
mod tests {
	extern crate std;

	use super::*;
	use crate::procfs::fixtures::text;

	#[test]
	fn a_zombie_whose_name_is_a_stat_line() {
		let zombie = parse(text("live-odd-mounts/zombie.stat")).unwrap();
		let expected = Stat {
			id: 4051,
			comm: b") R 1 (\n:)\xff",
			state: b'Z',
			parent: 4010,
			flags: 4_227_148,
			threads: 1,
			start_time: 192_791,
		};
		assert_eq!(zombie, expected);
		assert!(zombie.is_dead() && !zombie.is_kernel_thread());
	}

	#[test]
	fn a_thread_of_the_kernel_and_a_task() {
		let thread = parse(text("live-v1-split/kthreadd.stat")).unwrap();
		assert!(thread.is_kernel_thread() && !thread.is_dead() && thread.parent == 0);
		let task = parse(text("live-nested-cgns/task.stat")).unwrap();
		assert_eq!(
			(task.id, task.comm, task.state, task.threads, task.start_time),
			(4062, &b"cat"[..], b'R', 1, 192_824)
		);
	}

	#[test]
	fn the_last_parenthesis_decides_and_fields_may_end_at_22() {
		let odd = parse(text("odd/paren.stat")).unwrap();
		assert_eq!((odd.comm, odd.parent, odd.start_time), (&b"a (b) R 1 2"[..], 7, u64::MAX));
		assert!(parse(b"1 () S 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 9").is_ok_and(|stat| stat.comm.is_empty()));
	}

	#[test]
	fn a_task_ran_on_a_processor() {
		let text = b"7 (a) b) R 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 9 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 3 0\n";
		assert_eq!(processor(text), Some(3));
		assert_eq!(processor(b"1 (a) S 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 9"), None);
		assert!(processor(&std::fs::read("/proc/thread-self/stat").unwrap()).is_some());
	}

	#[test]
	fn malformed_texts_are_faults() {
		let cases: [&[u8]; 8] = [
			b"",
			b"1",
			b"1 (a",
			b"1 (a)",
			b"1 (a) S 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
			b"1 (a) SS 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 9",
			b"4294967296 (a) S 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 9",
			b"1 (a) S 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 18446744073709551616",
		];
		for text in cases {
			assert!(matches!(parse(text), Err(Fault::Text(_))), "{text:?}");
		}
	}
}
