//! The operations, and how a sealed request reaches one.

mod acknowledge;
mod export;
mod forget;
mod inspect;
mod rewrap;
mod rotate;

use crate::connections::Standing;
use crate::enclave::Enclave;
use crate::envelope::{self, Share};
use crate::hash::sha256;
use crate::reply::Asker;
use crate::request::{Authorised, Factors, Fresh, Opened, SealedTo, body};
use minicbor::bytes::ByteSlice;
use wire::operation::{Op, Rotate};
use wire::request::{self, SignedRequest};
use wire::{Canonical, Refusal};

/// An envelope whose owner authorised this very operation on it, and that this start lets be used.
struct Admitted {
    opened: envelope::Opened,
    share: Share,
    standing: Standing,
    _authorised: Authorised,
}

impl Enclave {
    /// Takes a sealed request. What cannot be opened is refused by number; everything else gets a sealed reply.
    pub(crate) fn request(&mut self, stream: u32, bytes: &[u8]) {
        if self.outbox.is_full() {
            return self.outbox.refuse(stream, Refusal::Overloaded);
        }
        let opened = match Opened::open(&self.keys, bytes) {
            Ok(opened) => opened,
            Err(refusal) => return self.outbox.refuse(stream, refusal),
        };
        let Opened { plaintext, sealed_to, reply } = opened;
        let mut asker = Asker { stream, op: None, request: sha256(&plaintext), chain: None, seal: reply };
        let outcome = self.read(&plaintext, &sealed_to, &mut asker);
        self.reply(asker, outcome);
    }

    fn read(
        &mut self,
        plaintext: &[u8],
        sealed_to: &SealedTo,
        asker: &mut Asker,
    ) -> Result<Vec<u8>, Refusal> {
        let content = body(plaintext)?;
        let message = request::Authorised::from_bytes(&content).map_err(|_| Refusal::Malformed)?;
        asker.request = sha256(message.request);
        let request = SignedRequest::from_bytes(message.request).map_err(|_| Refusal::Malformed)?;
        asker.op = Some(request.op);
        let fresh = Fresh::check(&request, sealed_to, &self.clock, &self.nonces)?;
        self.run(fresh, &message, &request, asker)
    }

    fn run(
        &mut self,
        fresh: Fresh,
        message: &request::Authorised<'_>,
        request: &SignedRequest<'_>,
        asker: &mut Asker,
    ) -> Result<Vec<u8>, Refusal> {
        match request.op {
            Op::Link | Op::Balances => Err(Refusal::Internal),
            Op::Rotate => {
                let change: Rotate<'_> = parse(request.args)?;
                let change = rotate::read(&change)?;
                let factors = Factors::of(request.op, change.owners.is_some());
                let owners = change.owners.as_deref();
                let admitted = self.admit(fresh, message, request, factors, owners, asker)?;
                self.rotate(&admitted, change)
            }
            Op::Acknowledge => {
                let admitted = self.admit_simply(fresh, message, request, asker)?;
                self.acknowledge(&admitted)
            }
            Op::Inspect => {
                let admitted = self.admit_simply(fresh, message, request, asker)?;
                inspect::inspect(&admitted)
            }
            Op::Export => {
                let export = parse(request.args)?;
                let admitted =
                    self.admit(fresh, message, request, Factors::of(request.op, false), None, asker)?;
                export::export(&admitted, &export, &asker.request)
            }
            Op::Forget => {
                let admitted = self.admit_simply(fresh, message, request, asker)?;
                self.forget(&admitted)
            }
        }
    }

    /// For the operations without arguments.
    fn admit_simply(
        &mut self,
        fresh: Fresh,
        message: &request::Authorised<'_>,
        request: &SignedRequest<'_>,
        asker: &mut Asker,
    ) -> Result<Admitted, Refusal> {
        let _: wire::operation::Nothing = parse(request.args)?;
        self.admit(fresh, message, request, Factors::of(request.op, false), None, asker)
    }

    /// Opens the envelope, checks its owner's signatures, then whether its generation may be used.
    fn admit(
        &mut self,
        fresh: Fresh,
        message: &request::Authorised<'_>,
        request: &SignedRequest<'_>,
        factors: Factors,
        new_owners: Option<&[wire::owner::OwnerKey]>,
        asker: &mut Asker,
    ) -> Result<Admitted, Refusal> {
        let share = Share::parse(request.share.ok_or(Refusal::Malformed)?)?;
        let opened = envelope::open(request.envelope.ok_or(Refusal::Malformed)?, &share, &self.roots)?;
        let owners = &opened.contents().owners;
        let (clock, nonces) = (&mut self.clock, &mut self.nonces);
        let authorised = Authorised::check(fresh, message, factors, owners, new_owners, clock, nonces)?;
        let standing = self.connections.admit(opened.header())?;
        asker.chain = Some((opened.header().connection, authorised.last_receipt));
        if standing == Standing::Pending && !matches!(request.op, Op::Inspect | Op::Acknowledge) {
            return Err(Refusal::GenerationPending);
        }
        Ok(Admitted { opened, share, standing, _authorised: authorised })
    }
}

/// An operation's arguments: canonical, or refused.
fn parse<'b, T: Canonical<'b>>(args: &'b ByteSlice) -> Result<T, Refusal> {
    T::from_bytes(args).map_err(|_| Refusal::Malformed)
}
