//! An image and the host in, every difference out.

use crate::act::ahead::Second;
use crate::act::ahead::guest::Guest;
use crate::act::aim::{Aim, Targets};
use crate::act::host::Host;
use crate::act::join::Join;
use crate::act::journal::Journal;
use crate::act::manner::{Mode, Phases};
use crate::act::tour;
use crate::act::who::{Claim, who};
use crate::act::work::{Space, Work};
use crate::difference::{Difference, Tell};
use crate::error::{At, Error};
use crate::image::view::Image;
use crate::kernel::proc::Proc;
use crate::kernel::{self, fenced};
use crate::log::Log;
use crate::owners::Owners;
use crate::restore::{Workspace, is_ours, judge, page};

/// Compares the host with the image and tells every difference; how many there are.
pub fn verify<'t>(
	image: &Image<'_>,
	(roots, like, owners): (&[&[u8]], Option<u32>, Owners<'_>),
	yard: Option<&[u8]>,
	space: &'t mut Workspace,
	log: &'t mut dyn Log,
	tell: Tell<'t>,
) -> Result<u64, Error> {
	judge(image, false, log)?;
	kernel::raise_open_files();
	let Workspace { host, targets, tour, join, room, line, record, value, journal, ahead, .. } = space;
	host.discover(yard, line)?;
	Aim { host, targets, skip_missing: false, like, brings: false, skipped: 0, log, steps: None }.run(image, roots)?;
	let (host, ahead, mut groups) = (&*host, &*ahead, Ok(0));
	let mut space = (tour, Space { record, value, journal });
	fenced::beside(&|| ahead.work(host), &mut |start| {
		let second = Second::new(ahead, usize::MAX, start);
		groups = verify_groups(image, host, targets, owners, (&mut space, second), &mut *log, &mut *tell);
		ahead.quit();
	});
	let (_, Space { journal, .. }) = space;
	let groups = groups?;
	let proc = Proc::open().at(format_args!("open /proc"))?;
	let claim = Claim { skip_missing: true, ..Claim::default() };
	let who = who(image, None, (host, targets), &proc, claim, (join, room), log)?;
	let mut join = Join::new(*image, host, targets, None, (who, proc), join);
	join.tell = Some(tell);
	join.pass(&mut Journal::new(journal).at(format_args!("make the journal"))?)?;
	Ok(groups + join.differences)
}

#[inline(never)] // its buffers are not there any more when tasks are looked at
fn verify_groups(
	image: &Image<'_>,
	host: &Host,
	targets: &Targets,
	owners: Owners<'_>,
	((tour, space), second): (&mut (&mut tour::Buffers, Space<'_>), Second<'_>),
	log: &mut dyn Log,
	tell: Tell<'_>,
) -> Result<u64, Error> {
	let mut told = |difference: &Difference<'_>| tell(difference);
	let space = Space { record: space.record, value: space.value, journal: space.journal };
	let mut work = Work::new(space, log, Mode::Full, Phases::ALL).at(format_args!("make the journal"))?;
	work.tell = Some(&mut told);
	work.guest = Some(Guest::new(second));
	(work.ours, work.page, work.owners) = (is_ours(image)?, page(image)?, owners);
	tour::tour(image, host, targets, tour, &mut work)?;
	Ok(work.differences)
}
