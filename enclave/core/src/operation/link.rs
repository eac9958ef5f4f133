//! `link`: a credential that its provider accepts becomes an envelope, with what the key may do.

use super::{Enclave, Incoming, Next, Work};
use crate::calls::{Call, refusal_of};
use crate::connector::{self, Answer, Connector, Operation, Outcome};
use crate::credentials::CredentialName;
use crate::envelope::{self, Contents, Share, Subject};
use crate::limits::FINDING_MS;
use crate::network::{Account, AccountError, Network};
use crate::nonces::Requester;
use crate::provider::Provider;
use crate::reply::Asker;
use crate::request::{Authorised, Consent};
use crate::secret::SecretBytes;
use crate::wallet::key::{Credential, KeptKey};
use wire::capability::{self, Capability, Finding, Source};
use wire::envelope::Purpose;
use wire::operation::{Link, Linked};
use wire::owner::OwnerKey;
use wire::register::{Backup, State};
use wire::{Canonical, Refusal};

/// What is sealed once the provider has accepted the credential.
pub(crate) struct Linking {
    pub(super) exchange: &'static str,
    pub(super) subject: Subject,
    pub(super) owners: Vec<OwnerKey>,
    pub(super) share: Share,
    pub(super) credential: SecretBytes,
    pub(super) name: CredentialName,
    /// It was linked before, and its owner lost the reply.
    pub(super) again: bool,
    pub(super) _authorised: Authorised,
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
        let consent = Consent::check_link(message, &link.owners, &self.statement.relying_parties)?;
        let clock = &mut self.surroundings.clock;
        let authorised = Authorised::spend(consent, fresh, Requester::Newcomer, clock, &mut self.nonces)?;
        self.connections.check_new(link.connection)?;
        asker.chain = Some((link.connection, authorised.last_receipt));
        self.calls.check_room(link.connection)?;
        let provider = Provider::find(link.exchange).ok_or(Refusal::UnknownExchange)?;
        let name = self.credentials.name(provider.id(), link.credential);
        let subject = Subject {
            organisation: link.organisation,
            connection: link.connection,
            purpose: Purpose::ExchangeCredential,
            class: link.class,
        };
        let linking = Linking {
            exchange: provider.id(),
            subject,
            owners: link.owners.clone(),
            share,
            credential: SecretBytes::copied(link.credential),
            name,
            again: false,
            _authorised: authorised,
        };
        match provider {
            Provider::Exchange(connector) => self.ask_exchange(connector, linking),
            Provider::Network(network) => self.link_wallet(network, linking).map(Next::Done),
        }
    }

    /// Asks the exchange what the key may do.
    pub(super) fn ask_exchange(
        &mut self,
        connector: &'static Connector,
        linking: Linking,
    ) -> Result<Next, Refusal> {
        let credential = connector::Credential::from_json(connector, linking.credential.expose());
        let credential = credential.map_err(|_| Refusal::CredentialMalformed)?;
        if !linking.again {
            self.connections.check_link_room(linking.name)?;
        }
        let (connection, name) = (linking.subject.connection, linking.name);
        let run = self.begin(connector, Operation::Capabilities, credential, name)?;
        let (work, tls12) = (Work::Link(Box::new(linking)), connector.tls12);
        Ok(Next::Ask(Box::new(Call { work, connection, name, run, tls12, prices: None, must_end: false })))
    }

    /// Nobody is asked: what a wallet may do follows from what its owner gave. No node learns of it before its owner
    /// wants to see it.
    fn link_wallet(&mut self, network: &'static Network, mut linking: Linking) -> Result<Vec<u8>, Refusal> {
        let asked = Credential::asks_for_a_key(linking.credential.expose());
        let is_made = asked.is_some();
        if let Some(addresses) = asked {
            let key = KeptKey::make(addresses, &mut *self.surroundings.entropy);
            linking.credential = key.map_err(|_| Refusal::Internal)?.to_json();
            linking.name = self.credentials.name(linking.exchange, linking.credential.expose());
        }
        // That an address was proven is said by `prove` alone.
        let has_key = match Credential::from_json(linking.credential.expose()) {
            Ok(Credential::Proven(_)) | Err(_) => return Err(Refusal::CredentialMalformed),
            Ok(given) => given.is_kept(),
        };
        Account::from_json(network, linking.credential.expose()).map_err(refused_account)?;
        let backup = match (has_key, is_made) {
            (false, _) => Backup::Unsaid,
            (true, true) => Backup::Missing,
            // Whoever brings words has them.
            (true, false) => Backup::Confirmed,
        };
        self.seal_wallet(linking, of_wallet(has_key), backup)
    }

    /// What a wallet may do needs no answer of anybody's.
    pub(super) fn seal_wallet(
        &mut self,
        linking: Linking,
        capabilities: Vec<Capability>,
        backup: Backup,
    ) -> Result<Vec<u8>, Refusal> {
        self.connections.check_link_room(linking.name)?;
        let finding = self.finding(&linking, capabilities);
        self.seal_link(linking, finding, backup)
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
        let connection = linking.subject.connection;
        let free = if linking.again { Ok(()) } else { self.connections.check_new(connection) };
        if free.is_err() {
            // Someone else came into use under this id meanwhile: their chain of receipts is not ours to move,
            // whatever the provider said.
            asker.chain = None;
        }
        let capabilities = capabilities(&outcome?)?;
        let finding = self.finding(&linking, capabilities);
        free?;
        self.seal_link(linking, finding, Backup::Unsaid)
    }

    /// The first generation, and the finding signed.
    fn seal_link(&mut self, linking: Linking, finding: Finding, backup: Backup) -> Result<Vec<u8>, Refusal> {
        let Subject { connection, organisation, .. } = linking.subject;
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
        if !linking.again {
            self.connections.begin(connection, organisation, linking.name)?;
        }
        self.record(&envelope, State::Held, backup)?;
        let finding = self.signatory.key.sign_finding(&contents.finding);
        Ok(Linked { envelope: envelope.to_bytes(), finding }.to_bytes())
    }

    fn finding(&self, linking: &Linking, capabilities: Vec<Capability>) -> Finding {
        let now = self.surroundings.clock.now();
        Finding {
            connection: linking.subject.connection,
            exchange: linking.exchange.to_owned(),
            capabilities,
            found: now,
            expires: now.plus(FINDING_MS),
        }
    }
}

/// What the provider said of the key.
pub(super) fn capabilities(outcome: &Outcome) -> Result<Vec<Capability>, Refusal> {
    match &outcome.answer {
        Answer::Capabilities(found) => Ok(found.iter().map(capability).collect()),
        _ => Err(outcome.fault().map_or(Refusal::ProviderFailed, refusal_of)),
    }
}

pub(super) fn refused_account(error: AccountError) -> Refusal {
    match error {
        AccountError::Malformed => Refusal::CredentialMalformed,
        AccountError::Address => Refusal::AddressMalformed,
        AccountError::Private => Refusal::PrivateKey,
        AccountError::Keyless => Refusal::AddressNotProvable,
    }
}

/// What may be done with a wallet: everyone may read what it holds, and with its key alone it is moved.
fn of_wallet(has_key: bool) -> Vec<Capability> {
    let moves = if has_key { capability::State::Yes } else { capability::State::No };
    vec![
        inferred("read", capability::State::Yes),
        inferred("trade", capability::State::No),
        inferred("withdraw", moves),
        inferred("transfer", capability::State::No),
    ]
}

/// The same of an address that its owner has proven.
pub(super) fn of_proven() -> Vec<Capability> {
    of_wallet(false).into_iter().chain([inferred("proven", capability::State::Yes)]).collect()
}

fn inferred(name: &str, state: capability::State) -> Capability {
    Capability { name: name.to_owned(), state, source: Source::Inferred, endpoint: None, response: None }
}

fn capability(found: &connector::Finding) -> Capability {
    Capability {
        name: found.capability.to_owned(),
        state: match found.state {
            connector::State::Yes => capability::State::Yes,
            connector::State::No => capability::State::No,
            connector::State::Unknown => capability::State::Unknown,
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
