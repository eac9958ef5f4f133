//! `refresh`: new tokens for an owner, in a new generation of the envelope.
//!
//! Only here is a refresh token used, because it may be good for one use. What comes back is kept ([`crate::held`]) before
//! anything else; an owner whose reply was lost asks again and gets the same tokens, without the provider.

use super::{Admitted, Enclave, Exchanging, Next, ask_server};
use crate::calls::refusal_of;
use crate::connections::Standing;
use crate::connector::{self, Answer, Connector, Credential, Grant, Granted, Outcome, Tokens};
use crate::envelope::{self, Rotation};
use crate::held::Replaced;
use crate::limits::REFRESH_BEFORE_MS;
use wire::authorisation::Refreshed;
use wire::{Canonical, Refusal, UnixMillis};

/// What is kept while the provider is asked.
pub(crate) struct Refreshing {
    connector: &'static Connector,
    admitted: Admitted,
    asked_ms: u64,
}

impl Enclave {
    pub(super) fn refresh(&mut self, admitted: Admitted) -> Result<Next, Refusal> {
        let exchange = &admitted.opened.contents().exchange;
        let connector = connector::find(exchange).ok_or(Refusal::UnknownExchange)?;
        if connector.oauth.is_none() {
            return Err(Refusal::NotOffered);
        }
        let asked_ms = self.surroundings.clock.now().0;
        let credential = admitted.opened.lend_credential(|json| Credential::from_json(connector, json));
        let credential = credential.map_err(|_| Refusal::CredentialMalformed)?;
        if admitted.is_replaced() && !credential.is_over(asked_ms, REFRESH_BEFORE_MS) {
            return self.hand_out(&admitted, &credential).map(Next::Done);
        }
        let connection = admitted.opened.header().connection;
        self.calls.check_room(connection)?;
        let grant = admitted.opened.lend_credential(|json| Grant::refresh(connector, json));
        // Without a refresh token there is nothing left to ask with.
        let grant = grant.map_err(|_| Refusal::CredentialRefused)?;
        self.held.reserve(replaced(&admitted))?;
        let name = admitted.name;
        let refreshing = Refreshing { connector, admitted, asked_ms };
        Ok(ask_server(Exchanging::Refresh(refreshing), (connection, name), connector, grant, true))
    }

    /// The tokens have come, or not: they are kept first.
    pub(super) fn refreshed(
        &mut self,
        refreshing: Refreshing,
        outcome: Result<Outcome, Refusal>,
    ) -> Result<Vec<u8>, Refusal> {
        let Refreshing { connector, mut admitted, asked_ms } = refreshing;
        let replaced = replaced(&admitted);
        let credential = granted(outcome).and_then(|tokens| {
            let credential = admitted.opened.lend_credential(|json| tokens.credential(json, asked_ms));
            credential.ok_or(Refusal::Internal)
        });
        let credential = match credential {
            Ok(credential) => credential,
            Err(refusal) => {
                self.held.give_up(replaced);
                return Err(refusal);
            }
        };
        let name = self.credentials.name(&connector.id, credential.expose());
        self.held.put(replaced, name, &credential);
        let ready = Credential::from_json(connector, credential.expose());
        admitted.replace(name, credential);
        self.hand_out(&admitted, &ready.map_err(|_| Refusal::ProviderFailed)?)
    }

    /// The next generation, with a new data key: the envelope before it opens to nothing that is of use.
    fn hand_out(&mut self, admitted: &Admitted, credential: &Credential) -> Result<Vec<u8>, Refusal> {
        let Admitted { opened, share, .. } = admitted;
        let id = opened.header().connection;
        // While the provider answered, the owner may have taken another generation into use. This one has the owners and
        // the share of before: nothing is made of it, and what is kept serves the generation that is in use.
        if self.connections.standing(opened.header())? != Standing::Current {
            return Err(Refusal::GenerationPending);
        }
        let generation = self.connections.next_generation(id)?;
        let rotation = Rotation { data_key: true, generation: Some(generation), ..Rotation::default() };
        let envelope =
            envelope::rotate(opened, share, &rotation, &self.roots, &mut *self.surroundings.entropy)?;
        self.connections.set_pending(id, generation);
        let epoch = envelope.wrap.epoch;
        let expires = credential.expires_ms().map(UnixMillis);
        Ok(Refreshed { envelope: envelope.to_bytes(), generation, epoch, expires }.to_bytes())
    }
}

fn replaced(admitted: &Admitted) -> Replaced {
    Replaced::Credential { stored: admitted.stored, spent: admitted.name }
}

pub(super) fn granted(outcome: Result<Outcome, Refusal>) -> Result<Tokens, Refusal> {
    match outcome? {
        Outcome { answer: Answer::Granted(Granted::Tokens(tokens)), .. } => Ok(tokens),
        outcome => Err(outcome.fault().map_or(Refusal::ProviderFailed, refusal_of)),
    }
}
