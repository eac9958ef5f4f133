//! `link`: a credential that its provider accepts becomes an envelope, with what the key may do.

use super::{Enclave, Incoming, Next, Work};
use crate::calls::{Call, refusal_of};
use crate::connector::{self, Answer, Credential, Operation, Outcome};
use crate::credentials::CredentialName;
use crate::envelope::{self, Contents, Share, Subject};
use crate::limits::FINDING_MS;
use crate::nonces::Requester;
use crate::reply::Asker;
use crate::request::{Authorised, Consent};
use crate::secret::SecretBytes;
use wire::capability::{Capability, Finding, Source, State};
use wire::envelope::Purpose;
use wire::operation::{Link, Linked};
use wire::owner::OwnerKey;
use wire::{Canonical, Refusal};

/// What is sealed once the provider has accepted the credential.
pub(crate) struct Linking {
    exchange: &'static str,
    subject: Subject,
    owners: Vec<OwnerKey>,
    share: Share,
    credential: SecretBytes,
    name: CredentialName,
    _authorised: Authorised,
}

impl Enclave {
    /// Checks the owners and the credential's form, then asks the provider.
    pub(super) fn link(
        &mut self,
        incoming: Incoming<'_, '_>,
        link: &Link<'_>,
        asker: &mut Asker,
    ) -> Result<Next, Refusal> {
        let Incoming { fresh, message, request, .. } = incoming;
        let share = Share::parse(request.share.ok_or(Refusal::Malformed)?)?;
        if request.envelope.is_some() {
            return Err(Refusal::Malformed);
        }
        let consent = Consent::check_link(message, &link.owners)?;
        let clock = &mut self.surroundings.clock;
        let authorised = Authorised::spend(consent, fresh, Requester::Newcomer, clock, &mut self.nonces)?;
        self.connections.check_new(link.connection)?;
        asker.chain = Some((link.connection, authorised.last_receipt));
        self.calls.check_room(link.connection)?;
        let connector = connector::find(link.exchange).ok_or(Refusal::UnknownExchange)?;
        let credential =
            Credential::from_json(connector, link.credential).map_err(|_| Refusal::CredentialMalformed)?;
        let name = self.credentials.name(&connector.id, link.credential);
        self.connections.check_link_room(name)?;
        let (nonce, skew_ms) = self.credentials.take(name);
        let subject = Subject {
            organisation: link.organisation,
            connection: link.connection,
            purpose: Purpose::ExchangeCredential,
        };
        let linking = Linking {
            exchange: &connector.id,
            subject,
            owners: link.owners.clone(),
            share,
            credential: SecretBytes::copied(link.credential),
            name,
            _authorised: authorised,
        };
        Ok(Next::Ask(Box::new(Call {
            work: Work::Link(Box::new(linking)),
            connection: link.connection,
            connector,
            operation: Operation::Capabilities,
            credential,
            name,
            nonce,
            skew_ms,
            wants_prices: false,
        })))
    }

    /// The provider has answered: seals the first generation, and signs what the key may do.
    pub(super) fn linked(
        &mut self,
        linking: Linking,
        outcome: Result<Outcome, Refusal>,
        asker: &mut Asker,
    ) -> Result<Vec<u8>, Refusal> {
        let skew_ms = outcome.as_ref().ok().and_then(|outcome| outcome.skew_ms);
        self.credentials.release(linking.name, skew_ms);
        let Subject { connection, organisation, .. } = linking.subject;
        let free = self.connections.check_new(connection);
        if free.is_err() {
            // Someone else came into use under this id meanwhile: their chain of receipts is not ours to move,
            // whatever the provider said.
            asker.chain = None;
        }
        let finding = self.finding(&linking, &outcome?)?;
        free?;
        let contents = Contents {
            exchange: linking.exchange.to_owned(),
            owners: linking.owners,
            created: finding.found,
            finding,
        };
        let envelope = envelope::seal(
            &linking.subject,
            &contents,
            linking.credential.expose(),
            &linking.share,
            &self.roots,
            &mut *self.surroundings.entropy,
        )?;
        self.connections.begin(connection, organisation, linking.name)?;
        let finding = self.signatory.key.sign_finding(&contents.finding);
        Ok(Linked { envelope: envelope.to_bytes(), finding }.to_bytes())
    }

    fn finding(&self, linking: &Linking, outcome: &Outcome) -> Result<Finding, Refusal> {
        let Answer::Capabilities(found) = &outcome.answer else {
            return Err(outcome.fault().map_or(Refusal::ProviderFailed, refusal_of));
        };
        let now = self.surroundings.clock.now();
        Ok(Finding {
            connection: linking.subject.connection,
            exchange: linking.exchange.to_owned(),
            capabilities: found.iter().map(capability).collect(),
            found: now,
            expires: now.plus(FINDING_MS),
        })
    }
}

fn capability(found: &connector::Finding) -> Capability {
    Capability {
        name: found.capability.to_owned(),
        state: match found.state {
            connector::State::Yes => State::Yes,
            connector::State::No => State::No,
            connector::State::Unknown => State::Unknown,
        },
        source: match found.source {
            connector::Source::Stated => Source::Stated,
            connector::Source::Documented => Source::Documented,
            connector::Source::Inferred => Source::Inferred,
        },
        endpoint: Some(found.endpoint.clone()).filter(|endpoint| !endpoint.is_empty()),
        response: found.response,
    }
}
