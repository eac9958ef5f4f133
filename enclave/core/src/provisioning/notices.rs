//! Notices that an epoch is to end with connections still in it: how long each has run, by the enclave's own counter and never
//! by the host's clock, and the leave that comes of it (docs/spec/provisioning.md §10).

use super::admission::refused;
use crate::enclave::Enclave;
use crate::register::{Grounded, Leave};
use wire::UnixMillis;
use wire::ceremony::{CeremonyFault, Refused};
use wire::consent::Class;
use wire::identity::Noticed;
use wire::manifest::{Manifest, Notice};

const HOUR_MS: u64 = 3_600_000;

/// The notices of the enclave's own manifest, and the leave that earlier ones came to.
#[derive(Default)]
pub(super) struct Notices {
    running: Vec<Running>,
    /// Of epochs that a manifest has ended: for whom it was ended.
    given: Vec<(Class, u32, Leave)>,
}

struct Running {
    class: Class,
    notice: Notice,
    /// By the enclave's counter, and by the host's claim.
    since: (u64, UnixMillis),
}

impl Notices {
    /// Those of a manifest that the enclave runs under from now on. One that it had before runs on; any other one, be it an
    /// older one that comes again, begins.
    pub(super) fn go_over(&mut self, own: &Manifest, now: (u64, UnixMillis)) {
        let before = core::mem::take(&mut self.running);
        let running = own.notices().iter().filter_map(|notice| {
            let known = before.iter().find(|running| running.notice == *notice);
            let since = known.map_or(now, |running| running.since);
            Some(Running { class: Class::parse(&notice.class)?, notice: notice.clone(), since })
        });
        self.running = running.collect();
    }

    /// What the identity says of them.
    pub(super) fn said(&self) -> Vec<Noticed> {
        let said = |running: &Running| Noticed {
            class: running.class,
            epoch: running.notice.epoch,
            since: running.since.1,
            hours: running.notice.hours,
        };
        self.running.iter().map(said).collect()
    }

    /// Leave to end an epoch of which this was stated: for nobody, or by a notice that has run.
    pub(super) fn leave(
        &self,
        class: Class,
        epoch: u32,
        stated: &Grounded,
        monotonic: u64,
    ) -> Result<Leave, CeremonyFault> {
        if stated.absent == 0 {
            return Ok(Leave::NONE);
        }
        let covers = |running: &&Running| running.class == class && epoch <= running.notice.epoch;
        let running = self.running.iter().find(covers).ok_or(CeremonyFault::NotConcluded)?;
        require(stated.absent <= running.notice.absent, CeremonyFault::NoticeDiffers)?;
        require(stated.without_backup == 0, CeremonyFault::BackupMissing)?;
        let ran = monotonic.saturating_sub(running.since.0);
        let wanted = u64::from(running.notice.hours).saturating_mul(HOUR_MS);
        require(ran >= wanted, CeremonyFault::NoticeRuns)?;
        Ok(Leave::after_notice(running.notice.absent))
    }

    /// Kept for an epoch that somebody came back into before it was destroyed: it is concluded again then, and asked for.
    pub(super) fn give(&mut self, class: Class, epoch: u32, leave: Leave) {
        if leave != Leave::NONE {
            self.given.retain(|(of, which, _)| (*of, *which) != (class, epoch));
            self.given.push((class, epoch, leave));
        }
    }

    fn given(&self, class: Class, epoch: u32) -> Leave {
        let mut given = self.given.iter();
        given.find(|(of, which, _)| (*of, *which) == (class, epoch)).map_or(Leave::NONE, |(.., leave)| *leave)
    }
}

impl Enclave {
    /// What a newer manifest's notices have to be: each that this enclave's own has not is of a statement of this start that
    /// still holds, and says what that counts.
    pub(super) fn check_notices(&self, own: &Manifest, next: &Manifest) -> Result<(), Refused> {
        let mut begun = next.notices().iter().filter(|notice| !own.notices().contains(notice));
        begun.try_for_each(|notice| self.check_notice(notice)).map_err(refused)
    }

    fn check_notice(&self, notice: &Notice) -> Result<(), CeremonyFault> {
        let class = Class::parse(&notice.class).ok_or(CeremonyFault::ClassUnknown)?;
        let stated = self.stated_of(class, notice.epoch).filter(|stated| stated.epoch == notice.epoch);
        let stated = stated.ok_or(CeremonyFault::NotConcluded)?;
        let is_it = (stated.statement, stated.absent) == (notice.statement, notice.absent);
        require(is_it, CeremonyFault::NoticeDiffers)?;
        require(stated.without_backup == 0, CeremonyFault::BackupMissing)
    }

    /// What a newer manifest ends of what is held, with leave for each: if all of it could be destroyed now.
    pub(super) fn check_endable(&self, next: &Manifest) -> Result<Vec<(Class, u32, Leave)>, Refused> {
        let monotonic = self.surroundings.clock.monotonic();
        let leave = |(class, epoch, stated): (Class, u32, Option<Grounded>)| -> Result<_, CeremonyFault> {
            let stated = stated.ok_or(CeremonyFault::NotConcluded)?;
            let legacy = self.legacy.as_ref().ok_or(CeremonyFault::NothingToHandOver)?;
            Ok((class, epoch, legacy.notices.leave(class, epoch, &stated, monotonic)?))
        };
        self.ended_by(next).into_iter().map(leave).collect::<Result<_, _>>().map_err(refused)
    }

    /// Runs under a manifest's notices from now on, and says so in the identity that is made next.
    pub(super) fn take_notice(&mut self, own: &Manifest) {
        let now = (self.surroundings.clock.monotonic(), self.surroundings.clock.now());
        if let Some(legacy) = &mut self.legacy {
            legacy.notices.go_over(own, now);
            self.statement.notices = legacy.notices.said();
        }
    }

    /// Leave for whoever is still in an epoch that a manifest has ended.
    pub(crate) fn leave_by_notice(&self, class: Class, epoch: u32) -> Leave {
        self.legacy.as_ref().map_or(Leave::NONE, |legacy| legacy.notices.given(class, epoch))
    }
}

fn require(holds: bool, fault: CeremonyFault) -> Result<(), CeremonyFault> {
    if holds { Ok(()) } else { Err(fault) }
}

#[cfg(test)]
#[path = "notices/tests.rs"]
mod tests;
