//! `challenge` and `prove`: a wallet that is elsewhere shows that an address is its owner's, and is linked as such.
//!
//! The text is written here and never taken from who presents the signature. Its nonce is born here and lies in the
//! pending envelope; a connection is linked once, so that a text is used once.

use super::link::{Linking, of_proven, refused_account};
use super::{Enclave, Incoming};
use crate::envelope::{self, Contents, Share, Subject};
use crate::network::Network;
use crate::network::proof::Claim;
use crate::nonces::Requester;
use crate::provider::Provider;
use crate::reply::Asker;
use crate::request::{Authorised, Consent, Danger, Factors};
use crate::secret::SecretBytes;
use wire::capability::Finding;
use wire::envelope::{Header, Purpose};
use wire::proof::{Challenge, Challenged, MAX_SIGNATURE, Prove};
use wire::register::Backup;
use wire::{Canonical, Refusal};

impl Enclave {
    /// Writes the text, and the pending envelope that `prove` needs.
    pub(super) fn challenge(
        &mut self,
        incoming: Incoming<'_, '_>,
        challenge: &Challenge<'_>,
        asker: &mut Asker,
    ) -> Result<Vec<u8>, Refusal> {
        let Incoming { fresh, message, request, .. } = incoming;
        let share = Share::parse(request.share.ok_or(Refusal::Malformed)?)?;
        if request.envelope.is_some() {
            return Err(Refusal::Malformed);
        }
        let consent = Consent::check_link(message, &challenge.owners, &self.statement.relying_parties)?;
        let clock = &mut self.surroundings.clock;
        let authorised = Authorised::spend(consent, fresh, Requester::Newcomer, clock, &mut self.nonces)?;
        self.connections.check_new(challenge.connection)?;
        asker.chain = Some((challenge.connection, authorised.last_receipt));
        let (network, now) = (network(challenge.network)?, self.surroundings.clock.now());
        let random = self.surroundings.entropy.make_bytes().map_err(|_| Refusal::Internal)?;
        let claim = Claim::new(network, challenge.connection, now, challenge.address, random);
        let claim = claim.map_err(refused_account)?;
        let text = claim.text().ok_or(Refusal::Internal)?;
        let subject = Subject {
            organisation: challenge.organisation,
            connection: challenge.connection,
            purpose: Purpose::PendingProof,
            class: challenge.class,
        };
        let finding = Finding {
            connection: challenge.connection,
            exchange: network.id.clone(),
            capabilities: Vec::new(),
            found: now,
            expires: claim.expires(),
        };
        let (exchange, owners) = (network.id.clone(), challenge.owners.clone());
        let contents = Contents { exchange, owners, finding, created: now };
        let (pending, entropy) = (claim.pending(), &mut *self.surroundings.entropy);
        let pending = envelope::seal(&subject, &contents, pending.as_bytes(), &share, &self.roots, entropy)?;
        Ok(Challenged { pending: pending.to_bytes(), text, expires: claim.expires() }.to_bytes())
    }

    /// Checks the signature over the text of the pending envelope, and links the address as its owner's.
    pub(super) fn prove(
        &mut self,
        incoming: Incoming<'_, '_>,
        proof: &Prove<'_>,
        asker: &mut Asker,
    ) -> Result<Vec<u8>, Refusal> {
        let Incoming { fresh, message, request, .. } = incoming;
        let share = Share::parse(request.share.ok_or(Refusal::Malformed)?)?;
        if proof.signature.len() > MAX_SIGNATURE {
            return Err(Refusal::Malformed);
        }
        let opened = envelope::open(request.envelope.ok_or(Refusal::Malformed)?, &share, &self.roots)?;
        if opened.header().purpose != Purpose::PendingProof {
            return Err(Refusal::EnvelopeRefused);
        }
        let owners = opened.contents().owners.clone();
        let consent = Consent::check(
            message,
            Factors::of(request.op, Danger::None, opened.header().class),
            &owners,
            None,
            &self.statement.relying_parties,
        )?;
        let clock = &mut self.surroundings.clock;
        // A pending envelope costs nothing to get: whoever holds one is a newcomer still.
        let authorised = Authorised::spend(consent, fresh, Requester::Newcomer, clock, &mut self.nonces)?;
        let (connection, created) = (opened.header().connection, opened.contents().created);
        self.connections.check_new(connection)?;
        asker.chain = Some((connection, authorised.last_receipt));
        let (network, now) = (network(&opened.contents().exchange)?, self.surroundings.clock.now());
        let claim = opened.lend_credential(|pending| Claim::read(network, connection, created, pending));
        let claim = claim.ok_or(Refusal::Internal)?;
        if claim.expires() <= now {
            return Err(Refusal::ChallengeOver);
        }
        if !claim.is_signed(proof.signature) {
            return Err(Refusal::SignatureRefused);
        }
        let credential = SecretBytes::copied(claim.proven(now).as_bytes());
        let Header { organisation, class, .. } = *opened.header();
        let linking = Linking {
            exchange: &network.id,
            subject: Subject { organisation, connection, purpose: Purpose::ExchangeCredential, class },
            owners,
            share,
            name: self.credentials.name(&network.id, credential.expose()),
            credential,
            again: false,
            _authorised: authorised,
        };
        self.seal_wallet(linking, of_proven(), Backup::Unsaid)
    }
}

/// A chain. At an exchange, nothing is proven by a signed text.
fn network(id: &str) -> Result<&'static Network, Refusal> {
    match Provider::find(id).ok_or(Refusal::UnknownExchange)? {
        Provider::Network(network) => Ok(network),
        Provider::Exchange(_) => Err(Refusal::NotOffered),
    }
}
