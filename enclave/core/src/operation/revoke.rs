//! `revoke`: the provider ends the authorisation (RFC 7009), then the connection is forgotten.

use super::{Admitted, Enclave, Exchanging, Next, ask_server};
use crate::calls::refusal_of;
use crate::connector::{self, Answer, Grant, Granted, Outcome};
use wire::Refusal;

impl Enclave {
    pub(super) fn revoke(&mut self, admitted: Admitted) -> Result<Next, Refusal> {
        let exchange = &admitted.opened.contents().exchange;
        let connector = connector::find(exchange).ok_or(Refusal::UnknownExchange)?;
        if connector.oauth.as_ref().is_none_or(|oauth| oauth.revoke.is_none()) {
            return Err(Refusal::NotOffered);
        }
        let connection = admitted.opened.header().connection;
        self.calls.check_room(connection)?;
        let grant = admitted.opened.lend_credential(|json| Grant::revoke(connector, json));
        let grant = grant.map_err(|fault| refusal_of(&fault))?;
        let name = admitted.name;
        Ok(ask_server(Exchanging::Revoke(admitted), (connection, name), connector, grant, false))
    }

    pub(super) fn revoked(
        &mut self,
        admitted: &Admitted,
        outcome: Result<Outcome, Refusal>,
    ) -> Result<Vec<u8>, Refusal> {
        let outcome = outcome?;
        let Answer::Granted(Granted::Revoked) = &outcome.answer else {
            return Err(outcome.fault().map_or(Refusal::ProviderFailed, refusal_of));
        };
        self.held.revoked(admitted.stored, admitted.name);
        self.forget(admitted)
    }
}
