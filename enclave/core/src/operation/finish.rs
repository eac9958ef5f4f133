//! `finish`: what the provider answered an authorisation with becomes an envelope, as `link` makes one: its tokens, or the
//! key that it makes for them.
//!
//! A code is good for one use. So the tokens are kept ([`crate::held`]) before the provider is asked what they may do:
//! whoever loses the reply finishes again, with the same pending envelope, and no code is exchanged twice.

use super::begin::{REDIRECT, STATE, VERIFIER, authorisation_failed};
use super::link::Linking;
use super::{Enclave, Exchanging, Incoming, Next, ask_server};
use crate::authorisation::{Expected, PENDING_MS};
use crate::calls::refusal_of;
use crate::connector::{self, Answer, Connector, Document, Grant, Granted, Outcome, Signing, Tokens};
use crate::credentials::CredentialName;
use crate::envelope::{self, Opened, Share, Subject};
use crate::held::Replaced;
use crate::nonces::Requester;
use crate::reply::Asker;
use crate::request::{Authorised, Consent, Danger, Factors};
use crate::secret::SecretBytes;
use wire::Refusal;
use wire::authorisation::Finish;
use wire::envelope::Purpose;

/// What is kept while the code is exchanged.
pub(crate) struct Finishing {
    connector: &'static Connector,
    opened: Opened,
    share: Share,
    /// Of the pending payload: under it the tokens are kept.
    pending: CredentialName,
    asked_ms: u64,
    authorised: Authorised,
}

impl Enclave {
    pub(super) fn finish_authorisation(
        &mut self,
        incoming: Incoming<'_, '_>,
        finish: &Finish<'_>,
        asker: &mut Asker,
    ) -> Result<Next, Refusal> {
        let Incoming { fresh, message, request, .. } = incoming;
        let share = Share::parse(request.share.ok_or(Refusal::Malformed)?)?;
        let opened = envelope::open(request.envelope.ok_or(Refusal::Malformed)?, &share, &self.roots)?;
        if opened.header().purpose != Purpose::PendingAuthorisation {
            return Err(Refusal::EnvelopeRefused);
        }
        let owners = &opened.contents().owners;
        let consent = Consent::check(
            message,
            Factors::of(request.op, Danger::None, opened.header().class),
            owners,
            None,
            &self.statement.relying_parties,
        )?;
        let clock = &mut self.surroundings.clock;
        // A pending envelope costs nothing to get: whoever holds one is a newcomer still.
        let authorised = Authorised::spend(consent, fresh, Requester::Newcomer, clock, &mut self.nonces)?;
        let (connection, exchange) = (opened.header().connection, &opened.contents().exchange);
        let pending = opened.lend_credential(|pending| self.credentials.name(exchange, pending));
        let connector = connector::find(exchange).ok_or(Refusal::UnknownExchange)?;
        let kept = self.held.replacement(pending);
        // Once it is linked, only what was kept for this very envelope is given out under its id again.
        match self.connections.check_new(connection) {
            Err(Refusal::Replayed) if kept.is_some() => {}
            checked => checked?,
        }
        asker.chain = Some((connection, authorised.last_receipt));
        asker.admitted = Some(opened.header().clone());
        self.calls.check_room(connection)?;
        let asked_ms = self.surroundings.clock.now().0;
        let finishing = Finishing { connector, opened, share, pending, asked_ms, authorised };
        match kept {
            Some((name, credential)) => self.ask_what_it_may(finishing, name, credential),
            None => self.exchange(finishing, finish.answer),
        }
    }

    /// Checks the answer, then takes the code to the provider: once.
    fn exchange(&mut self, finishing: Finishing, answer: &str) -> Result<Next, Refusal> {
        let Finishing { connector, opened, .. } = &finishing;
        let (connector, connection) = (*connector, opened.header().connection);
        let oauth = connector.authorisation().ok_or(Refusal::NotOffered)?;
        if opened.contents().created.plus(PENDING_MS).0 <= finishing.asked_ms {
            return Err(Refusal::AnswerRefused);
        }
        let grant = opened.lend_credential(|pending| {
            let document = Document::parse(pending).map_err(|_| Refusal::Internal)?;
            let member = |name| connector::text(&document, name).ok_or(Refusal::Internal);
            let (state, verifier, redirect) = (member(STATE)?, member(VERIFIER)?, member(REDIRECT)?);
            let code = Expected { oauth, state: &state.0 }.code(answer)?;
            Grant::exchange(connector, pending, &code, &redirect.0, &verifier.0)
                .map_err(|fault| refusal_of(&fault))
        })?;
        let name = finishing.pending;
        self.held.reserve(Replaced::Pending(name))?;
        Ok(ask_server(Exchanging::Finish(finishing), (connection, name), connector, grant, true))
    }

    /// The tokens have come, or not. What came of the code is kept before anything else is done.
    pub(super) fn finished(
        &mut self,
        finishing: Finishing,
        outcome: Result<Outcome, Refusal>,
    ) -> Result<Next, Refusal> {
        self.or_give_up(finishing.pending, |enclave| {
            let tokens = granted(outcome)?;
            if finishing.connector.new_key.is_some() {
                return enclave.make_key(finishing, &tokens);
            }
            let credential = finishing.credential(&tokens)?;
            enclave.keep(finishing, credential)
        })
    }

    /// Has the provider make a key, once. The tokens are for this call alone, and are kept nowhere.
    fn make_key(&mut self, finishing: Finishing, tokens: &Tokens) -> Result<Next, Refusal> {
        let connector = finishing.connector;
        let now_ms = self.surroundings.clock.now().0;
        let entropy = &mut *self.surroundings.entropy;
        let mut signing = Signing { credential: None, now_ms, nonce: 0, entropy };
        let grant = Grant::make_key(connector, tokens, &mut signing).map_err(|fault| refusal_of(&fault))?;
        let holder = (finishing.opened.header().connection, finishing.pending);
        Ok(ask_server(Exchanging::Make(finishing), holder, connector, grant, true))
    }

    /// The key has come and opens, or not.
    pub(super) fn made(
        &mut self,
        finishing: Finishing,
        outcome: Result<Outcome, Refusal>,
    ) -> Result<Next, Refusal> {
        self.or_give_up(finishing.pending, |enclave| match outcome? {
            Outcome { answer: Answer::Granted(Granted::Key(credential)), .. } => {
                enclave.keep(finishing, credential)
            }
            outcome => Err(authorisation_failed(&outcome)),
        })
    }

    /// Ends the exclusive use of a pending authorisation where nothing came of it.
    fn or_give_up(
        &mut self,
        pending: CredentialName,
        work: impl FnOnce(&mut Enclave) -> Result<Next, Refusal>,
    ) -> Result<Next, Refusal> {
        let next = work(self);
        if next.is_err() {
            self.held.give_up(Replaced::Pending(pending));
        }
        next
    }

    fn keep(&mut self, finishing: Finishing, credential: SecretBytes) -> Result<Next, Refusal> {
        let name = self.credentials.name(&finishing.connector.id, credential.expose());
        self.held.put(Replaced::Pending(finishing.pending), name, &credential);
        self.ask_what_it_may(finishing, name, credential)
    }

    fn ask_what_it_may(
        &mut self,
        finishing: Finishing,
        name: CredentialName,
        credential: SecretBytes,
    ) -> Result<Next, Refusal> {
        let Finishing { connector, opened, share, authorised, .. } = finishing;
        let header = opened.header();
        let subject = Subject {
            organisation: header.organisation,
            connection: header.connection,
            purpose: Purpose::ExchangeCredential,
            class: header.class,
        };
        let owners = opened.contents().owners.clone();
        let again = self.connections.check_new(header.connection) == Err(Refusal::Replayed);
        let linking = Linking {
            exchange: &connector.id,
            subject,
            owners,
            share,
            credential,
            name,
            again,
            _authorised: authorised,
        };
        self.ask_exchange(connector, linking)
    }
}

impl Finishing {
    /// The client's fields and the tokens; what was for the authorisation alone ends here.
    fn credential(&self, tokens: &Tokens) -> Result<SecretBytes, Refusal> {
        let credential = self.opened.lend_credential(|pending| {
            let client = connector::changed(pending, &[], &[VERIFIER, STATE, REDIRECT])?;
            tokens.credential(client.expose(), self.asked_ms)
        });
        credential.ok_or(Refusal::Internal)
    }
}

fn granted(outcome: Result<Outcome, Refusal>) -> Result<Tokens, Refusal> {
    match outcome? {
        Outcome { answer: Answer::Granted(Granted::Tokens(tokens)), .. } => Ok(tokens),
        outcome => Err(authorisation_failed(&outcome)),
    }
}
