//! Whom an operation asks: an exchange, as its connector describes it, or a chain, by its nodes.

use crate::asset;
use crate::connector::{self, CallId, Connector, Grant, Step, TransportFault};
use crate::entropy::Entropy;
use crate::network::{self, Network};

/// What a connection is linked to.
#[derive(Clone, Copy)]
pub(crate) enum Provider {
    Exchange(&'static Connector),
    Network(&'static Network),
}

/// An operation at a provider, in progress.
pub(crate) enum Run {
    Exchange(Box<connector::Run>),
    Network(Box<network::Run>),
    /// One request to the authorisation server of an exchange.
    Grant(Box<Grant>),
}

impl Provider {
    pub(crate) fn find(id: &str) -> Option<Provider> {
        let exchange = connector::find(id).map(Provider::Exchange);
        exchange.or_else(|| network::find(id).map(Provider::Network))
    }

    pub(crate) fn id(self) -> &'static str {
        match self {
            Provider::Exchange(connector) => &connector.id,
            Provider::Network(network) => &network.id,
        }
    }

    /// The id of an asset by the unified code and the provider's own. A chain's own code is the id.
    pub(crate) fn identify(self, code: &str, symbol: &str) -> String {
        match self {
            Provider::Exchange(connector) => asset::identify(&connector.id, code, symbol),
            Provider::Network(_) => symbol.to_owned(),
        }
    }

    /// What the price table calls an asset; nothing where it has no price, whatever it is called.
    pub(crate) fn price_code<'a>(self, code: &'a str, symbol: &str) -> Option<&'a str>
    where
        'static: 'a,
    {
        match self {
            Provider::Exchange(_) => Some(code),
            Provider::Network(network) => network.price_code(symbol),
        }
    }

    /// The exchange whose prices value what is held here.
    pub(crate) fn priced_by(self) -> Option<&'static Connector> {
        match self {
            // A payment provider keeps money, and tells no prices.
            Provider::Exchange(connector) => Some(connector).filter(|connector| connector.prices.is_some()),
            Provider::Network(network) => connector::find(network.prices.as_deref()?),
        }
    }
}

impl Run {
    /// Whether its answers hold tokens.
    pub(crate) fn is_answered_with_secrets(&self) -> bool {
        match self {
            Run::Grant(_) => true,
            Run::Exchange(run) => run.has_session(),
            Run::Network(_) => false,
        }
    }

    /// What to do now. `now_ms` is our clock.
    pub(crate) fn next(&mut self, now_ms: u64, entropy: &mut dyn Entropy) -> Step {
        match self {
            Run::Exchange(run) => run.next(now_ms, entropy),
            Run::Network(run) => run.next(now_ms),
            Run::Grant(grant) => grant.step(),
        }
    }

    /// The provider's answer to a call.
    pub(crate) fn answer(
        &mut self,
        call: CallId,
        now_ms: u64,
        status: u16,
        headers: &[(String, String)],
        body: &[u8],
    ) {
        match self {
            Run::Exchange(run) => run.answer(call, now_ms, status, headers, body),
            Run::Network(run) => run.answer(call, now_ms, status, headers, body),
            Run::Grant(grant) => grant.answer(status, body),
        }
    }

    /// A call that never got its answer.
    pub(crate) fn failed(&mut self, call: CallId, now_ms: u64, fault: TransportFault) {
        match self {
            Run::Exchange(run) => run.failed(call, now_ms, fault),
            Run::Network(run) => run.failed(call, now_ms, fault),
            Run::Grant(grant) => grant.failed(fault),
        }
    }

    /// A call of which not a byte left.
    pub(crate) fn unsent(&mut self, call: CallId, now_ms: u64, fault: TransportFault) {
        match self {
            Run::Exchange(run) => run.unsent(call, now_ms, fault),
            // A network's run moves nothing.
            Run::Network(run) => run.failed(call, now_ms, fault),
            Run::Grant(grant) => grant.failed(fault),
        }
    }

    /// Whether something may have been moved.
    pub(crate) fn may_have_acted(&self) -> bool {
        match self {
            Run::Exchange(run) => run.may_have_acted(),
            Run::Network(_) | Run::Grant(_) => false,
        }
    }
}
