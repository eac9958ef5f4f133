//! What the enclave says of itself.

use crate::egress;
use crate::hash::sha256;
use wire::freshness::Freshness;
use wire::identity::{
    Announced, Build, ClassEpochs, Environment, Epochs, HpkeKey, Identity, Noticed, RelyingParty, SUITE,
    TeeKind, WIRE_VERSION,
};
use wire::transcript::{Transcript, domain};
use wire::{BootId, UnixMillis};

/// The part of the identity that holds for one start; epochs change when one is added or noticed to end, and successors are
/// announced.
pub(crate) struct Statement {
    pub(crate) receipt_key: [u8; 32],
    pub(crate) boot: BootId,
    pub(crate) epochs: Epochs,
    pub(crate) classes: Vec<ClassEpochs>,
    pub(crate) announced: Vec<Announced>,
    pub(crate) notices: Vec<Noticed>,
    pub(crate) manifest: Option<[u8; 32]>,
    pub(crate) connectors: [u8; 32],
    pub(crate) relying_parties: Vec<RelyingParty>,
    pub(crate) tee: TeeKind,
    pub(crate) environment: Environment,
    pub(crate) build: Build,
    pub(crate) freshness: Option<Freshness>,
}

impl Statement {
    /// The document over these sealing keys, the one to seal to first.
    pub(crate) fn identity(&self, keys: Vec<HpkeKey>, issued: UnixMillis, expires: UnixMillis) -> Identity {
        Identity {
            version: WIRE_VERSION,
            hpke_keys: keys,
            receipt_key: self.receipt_key,
            boot: self.boot,
            epochs: self.epochs.clone(),
            manifest: self.manifest,
            connectors: self.connectors,
            relying_parties: self.relying_parties.clone(),
            tee: self.tee,
            environment: self.environment,
            log: None,
            build: self.build.clone(),
            issued,
            expires,
            freshness: self.freshness.clone(),
            classes: self.classes.clone(),
            announced: self.announced.clone(),
            notices: self.notices.clone(),
        }
    }
}

/// What the identity says of the providers that `trust` reaches. Derived, so that the two cannot disagree.
pub(crate) fn environment(trust: &egress::Trust) -> Environment {
    match trust.environment() {
        egress::Environment::Live => Environment::Live,
        egress::Environment::Sandbox { root_der } => {
            let transcript =
                Transcript::new(domain::SANDBOX).field(root_der).field(egress::SANDBOX_DOMAIN.as_bytes());
            Environment::Sandbox(sha256(&transcript.bytes()))
        }
    }
}

/// A sealing key as the identity lists it.
pub(crate) fn hpke_key(recipient: &verify::ohttp::Recipient, not_after: UnixMillis) -> HpkeKey {
    HpkeKey { id: recipient.id(), suite: SUITE, public: recipient.public_key().bytes().to_vec(), not_after }
}
