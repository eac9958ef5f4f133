//! `begin`: where the owner goes to authorise this enclave, and the pending envelope that `finish` needs.
//!
//! The PKCE verifier is born here and leaves only inside that envelope: the code that comes back through the browser,
//! and that the host may see, is worth nothing without it.

use super::{Enclave, Exchanging, Incoming, Next, ask_server};
use crate::authorisation::{self, PENDING_MS, is_redirect};
use crate::calls::refusal_of;
use crate::connector::{self, Answer, Connector, Credential, Document, Grant, Granted, Outcome};
use crate::envelope::{self, Contents, Share, Subject};
use crate::nonces::Requester;
use crate::reply::Asker;
use crate::request::{Authorised, Consent};
use crate::secret::{Secret, SecretBytes};
use wire::authorisation::{Begin, Begun};
use wire::capability::Finding;
use wire::envelope::Purpose;
use wire::owner::OwnerKey;
use wire::{Canonical, Refusal, UnixMillis};
use zeroize::Zeroizing;

/// Members of the pending payload beside the client's fields.
pub(super) const VERIFIER: &str = "verifier";
pub(super) const STATE: &str = "state";
pub(super) const REDIRECT: &str = "redirect";

/// What is told once the provider has taken the pushed request.
pub(crate) struct Beginning {
    connector: &'static Connector,
    subject: Subject,
    owners: Vec<OwnerKey>,
    share: Share,
    /// The pending payload.
    pending: SecretBytes,
    state: String,
    client_id: String,
    created: UnixMillis,
    _authorised: Authorised,
}

impl Enclave {
    pub(super) fn begin_authorisation(
        &mut self,
        incoming: Incoming<'_, '_>,
        begin: &Begin<'_>,
        asker: &mut Asker,
    ) -> Result<Next, Refusal> {
        let Incoming { fresh, message, request, .. } = incoming;
        let share = Share::parse(request.share.ok_or(Refusal::Malformed)?)?;
        if request.envelope.is_some() || !is_redirect(begin.redirect) {
            return Err(Refusal::Malformed);
        }
        let consent = Consent::check_link(message, &begin.owners, &self.statement.relying_parties)?;
        let clock = &mut self.surroundings.clock;
        let authorised = Authorised::spend(consent, fresh, Requester::Newcomer, clock, &mut self.nonces)?;
        self.connections.check_new(begin.connection)?;
        asker.chain = Some((begin.connection, authorised.last_receipt));
        let connector = connector::find(begin.exchange).ok_or(Refusal::UnknownExchange)?;
        let oauth = connector.authorisation().ok_or(Refusal::NotOffered)?;
        Credential::check_client(connector, begin.client).map_err(|_| Refusal::CredentialMalformed)?;
        let client_id = client_id(begin.client).ok_or(Refusal::CredentialMalformed)?;
        let (state, verifier) = (self.random_text()?, self.random_text()?);
        let parameters =
            authorisation::parameters(oauth, &client_id, begin.redirect, &state, verifier.as_bytes());
        let set = [(VERIFIER, verifier.as_str()), (STATE, state.as_str()), (REDIRECT, begin.redirect)];
        let beginning = Beginning {
            connector,
            subject: Subject {
                organisation: begin.organisation,
                connection: begin.connection,
                purpose: Purpose::PendingAuthorisation,
                class: begin.class,
            },
            owners: begin.owners.clone(),
            share,
            pending: connector::changed(begin.client, &set, &[]).ok_or(Refusal::CredentialMalformed)?,
            state: state.to_string(),
            client_id,
            created: self.surroundings.clock.now(),
            _authorised: authorised,
        };
        if oauth.push.is_none() {
            let url = authorisation::url(oauth, &parameters);
            return self.begun(&beginning, url).map(Next::Done);
        }
        self.calls.check_room(begin.connection)?;
        let pushed = authorisation::pushed(oauth, parameters);
        let grant = Grant::push(connector, begin.client, &pushed).map_err(|fault| refusal_of(&fault))?;
        let name = self.credentials.name(&connector.id, begin.client);
        let holder = (begin.connection, name);
        Ok(ask_server(Exchanging::Begin(beginning), holder, connector, grant, false))
    }

    /// The provider has taken the request (RFC 9126 §2.2), or not.
    pub(super) fn pushed(
        &mut self,
        beginning: &Beginning,
        outcome: Result<Outcome, Refusal>,
    ) -> Result<Vec<u8>, Refusal> {
        let outcome = outcome?;
        let Answer::Granted(Granted::Reference(uri)) = &outcome.answer else {
            return Err(authorisation_failed(&outcome));
        };
        let oauth = beginning.connector.authorisation().ok_or(Refusal::Internal)?;
        let parameters =
            [("client_id".to_owned(), beginning.client_id.clone()), ("request_uri".to_owned(), uri.clone())];
        self.begun(beginning, authorisation::url(oauth, &parameters))
    }

    fn begun(&mut self, beginning: &Beginning, url: String) -> Result<Vec<u8>, Refusal> {
        let expires = beginning.created.plus(PENDING_MS);
        let exchange = beginning.connector.id.clone();
        let finding = Finding {
            connection: beginning.subject.connection,
            exchange: exchange.clone(),
            capabilities: Vec::new(),
            found: beginning.created,
            expires,
        };
        let contents =
            Contents { exchange, owners: beginning.owners.clone(), finding, created: beginning.created };
        let pending = envelope::seal(
            &beginning.subject,
            &contents,
            beginning.pending.expose(),
            &beginning.share,
            &self.roots,
            &mut *self.surroundings.entropy,
        )?;
        let pending = pending.to_bytes();
        Ok(Begun { pending, url, state: beginning.state.clone(), expires }.to_bytes())
    }

    /// 256 random bits in base64url: 43 characters, as RFC 7636 §4.1 recommends for a verifier.
    fn random_text(&mut self) -> Result<Zeroizing<String>, Refusal> {
        let bytes: Secret<32> =
            Secret::make(&mut *self.surroundings.entropy).map_err(|_| Refusal::Internal)?;
        Ok(Zeroizing::new(connector::to_base64url(bytes.expose())))
    }
}

fn client_id(client: &[u8]) -> Option<String> {
    let document = Document::parse(client).ok()?;
    let id = connector::text(&document, connector::oauth::CLIENT_ID)?;
    Some(id.0.as_ref().to_owned())
}

/// A refusal by the authorisation server, before there is anything that could be used.
pub(super) fn authorisation_failed(outcome: &Outcome) -> Refusal {
    match outcome.fault().map_or(Refusal::ProviderFailed, refusal_of) {
        Refusal::CredentialRefused | Refusal::PermissionMissing | Refusal::ProviderFailed => {
            Refusal::AuthorisationFailed
        }
        other => other,
    }
}
