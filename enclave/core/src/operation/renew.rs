//! Access tokens that are over, where the provider says that its refresh tokens stay the same: a new one is fetched on the way
//! of the operation that needs it, and kept in memory. The owner has nothing to store, and nothing can be lost.
//!
//! A provider that gives another refresh token all the same is taken at its deed: what it gave is held like a rotated one
//! ([`crate::held`]), serves from then on, and goes to its owner with their next `refresh`.

use super::refresh::granted;
use super::{Admitted, Enclave, Exchanging, Next, ask_server};
use crate::connector::{self, Connector, Credential, Grant, Outcome};
use crate::held::Replaced;
use crate::limits::REFRESH_BEFORE_MS;
use wire::Refusal;
use wire::operation::Op;

/// An operation that waits for a new access token.
pub(crate) struct Renewing {
    connector: &'static Connector,
    admitted: Admitted,
    asked_ms: u64,
    op: Op,
    args: Vec<u8>,
}

impl Enclave {
    /// Carries out an operation that asks the provider, if need be with a new access token.
    pub(super) fn perform(&mut self, admitted: Admitted, op: Op, args: &[u8]) -> Result<Next, Refusal> {
        let connector = connector::find(&admitted.opened.contents().exchange);
        let stays = |connector: &&Connector| connector.oauth.as_ref().is_some_and(|oauth| !oauth.rotates);
        let Some(connector) = connector.filter(stays) else { return self.dispatch(&admitted, op, args) };
        let asked_ms = self.surroundings.clock.now().0;
        let credential = admitted.opened.lend_credential(|json| Credential::from_json(connector, json));
        let credential = credential.map_err(|_| Refusal::CredentialMalformed)?;
        if !credential.is_over(asked_ms, REFRESH_BEFORE_MS) {
            return self.dispatch(&admitted, op, args);
        }
        let connection = admitted.opened.header().connection;
        self.calls.check_room(connection)?;
        let grant = admitted.opened.lend_credential(|json| Grant::refresh(connector, json));
        // Without a refresh token there is nothing left to ask with.
        let grant = grant.map_err(|_| Refusal::CredentialRefused)?;
        let name = admitted.name;
        let renewing = Renewing { connector, admitted, asked_ms, op, args: args.to_vec() };
        let exchanging = Exchanging::Renew(Box::new(renewing));
        Ok(ask_server(exchanging, (connection, name), connector, grant, true))
    }

    /// The token has come, or not: the operation goes on with it.
    pub(super) fn renewed(
        &mut self,
        renewing: Renewing,
        outcome: Result<Outcome, Refusal>,
    ) -> Result<Next, Refusal> {
        let Renewing { connector, mut admitted, asked_ms, op, args } = renewing;
        let tokens = granted(outcome)?;
        let renewed = admitted.opened.lend_credential(|json| {
            let credential = tokens.credential(json, asked_ms)?;
            Some((credential, tokens.keep_refresh_token_of(json)))
        });
        let (credential, stays) = renewed.ok_or(Refusal::Internal)?;
        let name = self.credentials.name(&connector.id, credential.expose());
        if stays {
            self.held.renew(admitted.stored, name, &credential);
        } else {
            let replaced = Replaced::Credential { stored: admitted.stored, spent: admitted.name };
            self.held.put(replaced, name, &credential);
        }
        admitted.replace(name, credential);
        self.dispatch(&admitted, op, &args)
    }
}
