//! What the holder of a grant asks for, while the owner is away (docs/spec/grants.md §5).

use super::{Admitted, Enclave, Incoming};
use crate::connections::Standing;
use crate::credentials::HolderName;
use crate::grant::{self, Unlocked};
use crate::nonces::Requester;
use crate::reply::{Asker, Granted};
use crate::request::{Authorised, Consent};
use wire::{ConnectionId, Refusal};

impl Enclave {
    /// Opens the grant and its envelope, checks the named key's signature, spends the request, then counts a use within what
    /// the owner allowed. Nobody is asked before a head was committed that has the count.
    pub(super) fn admit_granted(
        &mut self,
        incoming: Incoming<'_, '_>,
        grant: &[u8],
        asker: &mut Asker,
    ) -> Result<Admitted, Refusal> {
        let Incoming { fresh, message, request, .. } = incoming;
        let share = request.share.ok_or(Refusal::Malformed)?;
        let envelope = request.envelope.ok_or(Refusal::Malformed)?;
        if request.last_counter != 0 {
            // The chain of receipts is the owner's.
            return Err(Refusal::Malformed);
        }
        let unlocked = grant::open(grant, envelope, share, &self.roots, &mut *self.surroundings.entropy)?;
        let Unlocked { opened, share, body, epoch, renewed } = unlocked;
        let consent = Consent::check_granted(message, &body.terms.key)?;
        let exchange = &opened.contents().exchange;
        let name = opened.lend_credential(|credential| self.credentials.name(exchange, credential));
        // A quota of its own: no holder uses up the owner's.
        let requester = Requester::Holder(HolderName::of(ConnectionId(body.id.0), name));
        let clock = &mut self.surroundings.clock;
        let authorised = Authorised::spend(consent, fresh, requester, clock, &mut self.nonces)?;
        self.connections.check_granted(&body.header, body.id)?;
        if self.connections.admit(&body.header, name)? != Standing::Current {
            return Err(Refusal::GenerationPending);
        }
        let connection = body.header.connection;
        self.calls.check_room_beside_owner(connection)?;
        let used = self.connections.count_use(&body, request.op, epoch, self.surroundings.clock.now())?;
        asker.granted = Some(Granted { connection, grant: body.id, used, renewed });
        asker.admitted = Some(body.header);
        let standing = Standing::Current;
        let mut admitted = Admitted { opened, share, name, stored: name, standing, _authorised: authorised };
        if let Some((name, credential)) = self.held.replacement(name) {
            admitted.replace(name, credential);
        }
        Ok(admitted)
    }

    /// Whether who asked may still have the answer: a grant that was ended meanwhile gives nothing.
    pub(crate) fn is_still_granted(&self, asker: &Asker) -> bool {
        asker
            .granted
            .as_ref()
            .is_none_or(|granted| self.connections.has_grant(granted.connection, granted.grant))
    }
}
