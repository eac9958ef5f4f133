//! The reply: result or refusal, with its receipt, padded and sealed to whoever asked.

use crate::connections::{Connections, LastReceipt};
use crate::hash::sha256;
use crate::outbox::Outbox;
use crate::receipts::ReceiptKey;
use verify::bhttp::Response;
use verify::ohttp::ReplySealer;
use wire::envelope::Header;
use wire::frame::Kind;
use wire::freshness::Mark;
use wire::identity::WIRE_VERSION;
use wire::operation::Op;
use wire::receipt::Receipt;
use wire::reply::Reply;
use wire::{BootId, Canonical, ConnectionId, GrantId, Refusal, UnixMillis};
use zeroize::Zeroizing;

/// Who asked: the stream, the one key that seals the reply, and what its receipt will say of the request.
pub(crate) struct Asker {
    pub(crate) stream: u32,
    pub(crate) op: Option<Op>,
    /// SHA-256 of the signed request, or of the whole plaintext if there is none in it.
    pub(crate) request: Option<[u8; 32]>,
    /// Set once the owner has authorised the request: only then does it move the connection's chain of receipts.
    pub(crate) chain: Option<(ConnectionId, LastReceipt)>,
    /// The envelope that was admitted: what waits for a head looks again whether it still stands.
    pub(crate) admitted: Option<Header>,
    /// Set once the holder of a grant was let in, in the owner's place.
    pub(crate) granted: Option<Granted>,
    pub(crate) seal: ReplySealer,
}

/// By whose leave something is done: the owner is away.
pub(crate) struct Granted {
    pub(crate) connection: ConnectionId,
    pub(crate) grant: GrantId,
    /// The number of this use.
    pub(crate) used: u32,
    /// The grant, wrapped to the current epoch, if it came in another.
    pub(crate) renewed: Option<Vec<u8>>,
}

impl Asker {
    /// The connection whose state its reply says something of.
    pub(crate) fn subject(&self) -> Option<ConnectionId> {
        let granted = self.granted.as_ref().map(|granted| granted.connection);
        granted.or(self.chain.map(|(connection, _)| connection))
    }

    /// Nothing was recorded of what it asked for.
    pub(crate) fn unchain(&mut self) {
        (self.chain, self.granted) = (None, None);
    }
}

/// What every receipt of this start says and is signed with.
pub(crate) struct Signatory {
    pub(crate) key: ReceiptKey,
    pub(crate) boot: BootId,
}

/// A reply with its receipt, that nobody has yet.
pub(crate) struct Sealable(Reply);

impl Sealable {
    pub(crate) fn bytes(&self) -> usize {
        self.0.result.as_ref().map_or(0, Vec::len).saturating_add(self.0.receipt.len())
    }

    /// Whether it says that something was done.
    pub(crate) fn is_done(&self) -> bool {
        self.0.refusal.is_none()
    }
}

impl Signatory {
    /// Makes the reply, and moves the connection's chain of receipts.
    pub(crate) fn reply(
        &self,
        asker: &Asker,
        outcome: Result<Vec<u8>, Refusal>,
        time: UnixMillis,
        connections: &mut Connections,
    ) -> Sealable {
        let receipt = self.receipt(asker, &outcome, time, connections);
        let (refusal, result) = (outcome.as_ref().err().copied(), outcome.ok());
        let grant = asker.granted.as_ref().and_then(|granted| granted.renewed.clone());
        Sealable(Reply { version: WIRE_VERSION, result, refusal, receipt, mark: None, grant })
    }

    /// Writes the reply frame; `mark` is the head that holds what the reply says.
    pub(crate) fn send(&self, asker: Asker, reply: Sealable, mark: Option<Mark>, outbox: &mut Outbox) {
        let reply = Reply { mark, ..reply.0 };
        let stream = asker.stream;
        let sealed = seal(asker.seal, &reply);
        let written = sealed.map(|sealed| outbox.frame(Kind::Reply, stream, &sealed));
        if !matches!(written, Ok(Ok(()))) {
            outbox.refuse(stream, Refusal::Internal);
        }
    }

    fn receipt(
        &self,
        asker: &Asker,
        outcome: &Result<Vec<u8>, Refusal>,
        time: UnixMillis,
        connections: &mut Connections,
    ) -> Vec<u8> {
        let (counter, previous) = match (&asker.granted, asker.chain) {
            // The owner's chain is the owner's: who has a grant counts its uses.
            (Some(granted), _) => (u64::from(granted.used), None),
            (None, Some((id, last))) => connections.next_receipt(id, last),
            (None, None) => (0, None),
        };
        let receipt = Receipt {
            op: asker.op,
            connection: asker.subject(),
            boot: self.boot,
            counter,
            previous,
            request: asker.request.unwrap_or_default(),
            refusal: outcome.as_ref().err().copied(),
            time,
            position: None,
            result: outcome.as_ref().ok().map(|result| sha256(result)),
            grant: asker.granted.as_ref().map(|granted| granted.grant),
        };
        let (signed, hash) = self.key.sign_receipt(&receipt);
        if let (None, Some((id, _))) = (&asker.granted, asker.chain) {
            connections.note_receipt(id, counter, hash);
        }
        signed
    }
}

/// Binary HTTP 200 for refusals too: outside the seal they look alike.
fn seal(seal: ReplySealer, reply: &Reply) -> Result<Vec<u8>, Refusal> {
    let response = Response::new(200, Zeroizing::new(reply.to_bytes()));
    let padded = response.to_padded_bytes().map_err(|_| Refusal::Internal)?;
    seal.seal(&padded).map_err(|_| Refusal::Internal)
}
