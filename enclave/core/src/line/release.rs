//! What leaves when a head was committed, and what is said instead when it was not.

use crate::calls::{Call, Finished};
use crate::enclave::Enclave;
use crate::operation::Work;
use crate::register::Leave;
use crate::reply::{Asker, Sealable};
use wire::consent::Class;
use wire::frame::Kind;
use wire::operation::Op;
use wire::register::Destroy;
use wire::{ConnectionId, Refusal};

/// Something that waits for a head.
pub(crate) enum Release {
    /// To an owner.
    Reply(Box<(Asker, Sealable)>),
    /// To the host.
    Frame { kind: Kind, stream: u32, body: Vec<u8> },
    /// A provider is asked: what it does, nobody takes back.
    Call(Box<(Asker, Call<Work>)>),
    /// An epoch is destroyed: no head is sealed under it any more.
    Destroy { stream: u32, asked: Destroy, leave: Leave },
    /// The same, by the approvers' word: nobody waits for an answer.
    End { class: Class, epoch: u32, leave: Leave },
    /// Nobody waits.
    Nothing,
}

impl Release {
    /// What it takes while it waits, about.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Release::Frame { body, .. } => body.len(),
            Release::Reply(reply) => reply.1.bytes(),
            Release::Call(_) | Release::Destroy { .. } | Release::End { .. } | Release::Nothing => 0,
        }
    }
}

impl Enclave {
    /// Holds back what concerns no connection, until the next head is committed.
    pub(crate) fn release(&mut self, release: Release) {
        self.release_of(release, None);
    }

    /// Holds back what changed a connection.
    pub(crate) fn release_of(&mut self, release: Release, connection: Option<ConnectionId>) {
        let held = self.line.check_held();
        match held.and(if self.line.is_full() { Err(Refusal::Overloaded) } else { Ok(()) }) {
            Ok(()) => self.line.room_for(0, &self.register).hold(release, connection),
            Err(refusal) => self.refuse(release, refusal),
        }
    }

    /// Whether the host is so far behind that no new work is taken on.
    pub(crate) fn is_behind(&self) -> bool {
        self.surroundings.outbox.is_full() || self.line.is_full()
    }

    /// Its head was committed.
    pub(super) fn let_go(&mut self, release: Release) {
        match release {
            Release::Reply(reply) => {
                let (asker, reply) = *reply;
                self.signatory.send(asker, reply, self.line.mark(), &mut self.surroundings.outbox);
            }
            Release::Frame { kind, stream, body } => self.surroundings.outbox.answer(kind, stream, &body),
            Release::Call(call) => {
                let (asker, call) = *call;
                // Its owner may have given the connection up meanwhile, or gone on to another generation.
                let admitted = asker.admitted.as_ref().map(|header| self.connections.standing(header));
                let admitted =
                    if self.is_still_granted(&asker) { admitted } else { Some(Err(Refusal::GrantOver)) };
                match admitted {
                    Some(Err(refusal)) => self.never_begin(asker, call, refusal),
                    Some(Ok(_)) | None => {
                        self.calls.give_back(call.connection);
                        self.calls.start(asker, call, &mut self.surroundings);
                    }
                }
            }
            Release::Destroy { stream, asked, leave } => self.destroy_now(stream, &asked, leave),
            Release::End { class, epoch, leave } => self.end_epoch(class, epoch, leave),
            Release::Nothing => {}
        }
    }

    /// Its head was not committed, or not in time.
    pub(super) fn refuse(&mut self, release: Release, refusal: Refusal) {
        match release {
            // What an exchange was told is not undone: a refusal under the seal would say that nothing was moved.
            Release::Reply(reply) if reply.0.op == Some(Op::Act) && reply.1.is_done() => {
                self.surroundings.outbox.refuse(reply.0.stream, refusal);
            }
            Release::Reply(reply) => self.refuse_unchained(reply.0, refusal),
            Release::Frame { stream, .. } | Release::Destroy { stream, .. } => {
                self.surroundings.outbox.refuse(stream, refusal);
            }
            Release::Call(call) => {
                let (mut asker, call) = *call;
                asker.unchain();
                self.never_begin(asker, call, refusal);
            }
            // It stays as it is: whoever wants it gone concludes and asks again.
            Release::End { .. } | Release::Nothing => {}
        }
    }

    /// Ends a call of which its provider has heard nothing.
    fn never_begin(&mut self, asker: Asker, call: Call<Work>, refusal: Refusal) {
        self.calls.give_back(call.connection);
        let Call { work, .. } = call;
        self.finish(Finished { asker, work, outcome: Err(refusal), doubtful: false, prices: None });
    }
}
