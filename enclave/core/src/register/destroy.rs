//! The destruction of an epoch: on a statement of completion, with leave for whoever is still in it.

use super::{Leave, Register};
use crate::enclave::Enclave;
use crate::root::{MAX_EPOCHS, RootFault, Roots, Stepped};
use wire::evidence::Hash;
use wire::frame::Kind;
use wire::identity::WIRE_VERSION;
use wire::register::{Destroy, Destroyed, Destruction, Grounds};
use wire::rewrap::Bytes;
use wire::transcript::domain;
use wire::{Canonical, Refusal};

impl Enclave {
    /// Answers a `Destroy` frame: erases what is held of the oldest epoch, on a statement of completion of this start. For
    /// the program that holds roots and knows whose leave counts; the core has no frame that leads here.
    pub fn destroy_epoch(&mut self, stream: u32, body: &[u8], leave: &Leave) {
        // Of roots that operators released, no program gives leave by itself.
        let leave = if self.manifest().is_some() { &Leave::NONE } else { leave };
        let asked = Destroy::from_bytes(body).map_err(|_| Refusal::Malformed);
        let destroyed = asked.and_then(|asked| self.destroy(asked.epoch, leave));
        let outbox = &mut self.surroundings.outbox;
        match destroyed.map(|destroyed| outbox.frame(Kind::Destroyed, stream, &destroyed.to_bytes())) {
            Ok(Ok(())) => {}
            Ok(Err(_)) => outbox.refuse(stream, Refusal::Internal),
            Err(refusal) => outbox.refuse(stream, refusal),
        }
    }

    fn destroy(&mut self, epoch: u32, leave: &Leave) -> Result<Destroyed, Refusal> {
        if epoch == 0 {
            return Err(Refusal::Malformed);
        }
        let already = epoch < self.roots.oldest();
        if !already {
            self.roots.check_destroyable(epoch).map_err(|_| Refusal::EpochInUse)?;
            let grounds = self.register.grounds(epoch, leave, &self.roots)?;
            // First, so that no kept seal is of an epoch that is gone.
            self.sign_register_again()?;
            self.forget_root(epoch);
            let stepped = self.roots.destroy(epoch);
            debug_assert_eq!(stepped, Ok::<_, RootFault>(Stepped::Done), "it was checked");
            self.register.note_destroyed(epoch, grounds);
            self.say_epochs().map_err(|_| Refusal::Internal)?;
        }
        let destruction = Destruction {
            version: WIRE_VERSION,
            epoch,
            oldest: self.roots.oldest(),
            current: self.roots.current(),
            boot: self.signatory.boot,
            time: self.surroundings.clock.now(),
            destroyed: self.register.destroyed_on(epoch),
        };
        let statement = self.signatory.key.sign(domain::DESTRUCTION, &destruction.to_bytes());
        Ok(Destroyed { already, statement: Bytes(statement) })
    }
}

impl Register {
    /// What an epoch may be destroyed on: a statement of this start that still holds, and leave for who is absent.
    fn grounds(&self, epoch: u32, leave: &Leave, roots: &Roots) -> Result<Grounds, Refusal> {
        let concluded =
            self.concluded.filter(|concluded| epoch <= concluded.epoch).ok_or(Refusal::NotConcluded)?;
        if !leave.covers(concluded.absent) {
            return Err(Refusal::AbsenteesRemain);
        }
        let commitment = roots.commitment(epoch).ok_or(Refusal::UnknownEpoch)?;
        Ok(Grounds { statement: concluded.statement, absent: concluded.absent, commitment: Hash(commitment) })
    }

    /// Kept for whoever asks again: their first answer may be lost.
    fn note_destroyed(&mut self, epoch: u32, grounds: Grounds) {
        if self.destroyed.len() >= MAX_EPOCHS {
            self.destroyed.remove(0);
        }
        self.destroyed.push((epoch, grounds));
    }

    fn destroyed_on(&self, epoch: u32) -> Option<Grounds> {
        self.destroyed.iter().find(|(destroyed, _)| *destroyed == epoch).map(|(_, grounds)| *grounds)
    }
}
