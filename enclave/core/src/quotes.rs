//! Answers clients' nonces by evidence: those that arrive together share one quote.

use crate::attester::Attester;
use crate::limits::{MAX_QUOTE_NONCES, QUOTE_WINDOW_MS};
use crate::outbox::Outbox;
use minicbor::bytes::ByteVec;
use verify::merkle::Tree;
use wire::evidence::Evidence;
use wire::frame::Kind;
use wire::identity::WIRE_VERSION;
use wire::{Canonical, Refusal, UnixMillis};

/// Nonces that wait for the next quote.
#[derive(Default)]
pub(crate) struct Quotes {
    waiting: Vec<(u32, [u8; 32])>,
    due: Option<u64>,
}

impl Quotes {
    /// Takes a nonce; returns whether the batch is full and must be answered now.
    pub(crate) fn ask(&mut self, stream: u32, nonce: [u8; 32], monotonic: u64) -> bool {
        self.due.get_or_insert(monotonic.saturating_add(QUOTE_WINDOW_MS));
        self.waiting.push((stream, nonce));
        self.waiting.len() >= MAX_QUOTE_NONCES
    }

    /// Nobody waits for this stream's evidence any more.
    pub(crate) fn cancel(&mut self, stream: u32) {
        self.waiting.retain(|(waiting, _)| *waiting != stream);
        if self.waiting.is_empty() {
            self.due = None;
        }
    }

    /// Nobody waits any more.
    pub(crate) fn host_gone(&mut self) {
        *self = Quotes::default();
    }

    pub(crate) fn due(&self) -> Option<u64> {
        self.due
    }

    /// One quote, and each client's answer with the inclusion proof of its nonce.
    pub(crate) fn answer(
        &mut self,
        identity: &[u8],
        attester: &mut dyn Attester,
        now: UnixMillis,
        outbox: &mut Outbox,
    ) {
        self.due = None;
        let waiting = core::mem::take(&mut self.waiting);
        let Some(tree) = Tree::new(waiting.iter().map(|(_, nonce)| nonce)) else { return };
        let attestation = attester.attest(&verify::binding::report_data(&tree.root(), identity), now).ok();
        for (index, (stream, _)) in waiting.iter().enumerate() {
            let answer = attestation.as_ref().zip(tree.inclusion(index)).map(|(attestation, inclusion)| {
                let certificates = attestation.certificates.iter().cloned().map(ByteVec::from);
                Evidence {
                    version: WIRE_VERSION,
                    identity: identity.to_vec(),
                    document: attestation.document.clone(),
                    inclusion,
                    form: attestation.form,
                    certificates: certificates.collect(),
                    collateral: None,
                }
            });
            let written = answer.map(|evidence| outbox.frame(Kind::Evidence, *stream, &evidence.to_bytes()));
            if !matches!(written, Some(Ok(()))) {
                outbox.refuse(*stream, Refusal::Internal);
            }
        }
    }
}
