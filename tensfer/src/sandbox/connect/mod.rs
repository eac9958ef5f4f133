//! Providers that make an API key for a client which their user authorises: Binance's Fast API and Kraken Connect.
//!
//! Their pages, token endpoints and the calls that make keys, written from their documentation and by nothing of the
//! enclave: the person's part is the control API's (`POST /v1/authorise`), which answers as the page would send the
//! browser back. A key that was made is valid here from then on, with exactly the permissions that were asked for.
//! Sources: <https://developers.binance.com/docs/binance_link/link-and-trade/fast-api>,
//! <https://docs.kraken.com/api/docs/oauth/kraken-connect>.

mod binance;
mod grants;
mod kraken;

use super::call::Call;
use super::dialect::{Exchange, Permission};
use super::reply::Reply;
use super::seed::{Account, Credentials};
use grants::{Asked, Grants};
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;

/// The client that is registered at each provider. Made up, and published here.
const CLIENT: &str = "tensfer-sandbox";
const SECRET: &str = "made-up-client-secret";

/// How a client proves itself at the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    Body,
    Header,
}

/// A provider: where its three parts are, and how it makes a key.
#[derive(Debug)]
pub struct Provider {
    pub exchange: Exchange,
    page: &'static str,
    token: (&'static str, &'static str),
    make: (&'static str, &'static str),
    proof: Proof,
    separator: char,
    /// Scopes without which no key is made.
    needed: &'static [&'static str],
    /// Reads what is asked for, and dresses what was made.
    form: fn(&Call, foreign: bool) -> Result<Wanted, Reply>,
    refuse: fn(&str) -> Reply,
}

/// Dresses what was made as its provider does; nothing where it cannot be sealed.
type Dress = Box<dyn FnOnce(&Credentials) -> Option<Reply>>;

/// What kind of key a call asks for.
pub struct Wanted {
    permissions: Vec<Permission>,
    make: fn(label: &str) -> Credentials,
    dress: Dress,
}

const PROVIDERS: [&Provider; 2] = [&binance::PROVIDER, &kraken::PROVIDER];

/// What part of which provider a call is for.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    pub provider: &'static Provider,
    makes: bool,
}

/// The part behind a host and path, if it is one.
pub fn part(call: &Call) -> Option<Part> {
    PROVIDERS.into_iter().find_map(|provider| {
        let is = |(host, path)| call.host == host && call.path == path && call.method == "POST";
        let makes = is(provider.make);
        (makes || is(provider.token)).then_some(Part { provider, makes })
    })
}

/// Everything that was authorised and made.
#[derive(Debug, Default)]
pub struct Connect {
    grants: Grants,
    made: HashMap<(Exchange, String), Arc<Account>>,
}

impl Connect {
    /// A key that was made here.
    pub fn holder(&self, exchange: Exchange, key: &str) -> Option<Arc<Account>> {
        self.made.get(&(exchange, key.to_owned())).cloned()
    }

    /// What a signed-in person's browser is sent back to, who allows it or not.
    ///
    /// # Errors
    /// A sentence, where the page would not have sent them anywhere.
    pub fn authorise(&mut self, url: &str, account: &Arc<Account>, allows: bool) -> Result<String, String> {
        let (page, query) = url.split_once('?').ok_or("the address has no query")?;
        let provider = PROVIDERS.into_iter().find(|provider| provider.page == page);
        let provider = provider.filter(|provider| provider.exchange == account.exchange);
        let provider = provider.ok_or("no page of this account's provider")?;
        let asked = Asked::read(query, provider.separator)?;
        let back = |parameters: String| format!("{}?{parameters}&state={}", asked.redirect, asked.state);
        if !allows {
            return Ok(back("error=access_denied".to_owned()));
        }
        Ok(back(format!("code={}", self.grants.add(account, &asked))))
    }

    /// Answers a call to the token endpoint, or one that makes a key. `foreign`: the answer is sealed to another key.
    pub fn answer(&mut self, part: Part, call: &Call, foreign: bool) -> Reply {
        let Part { provider, makes } = part;
        if !makes {
            return self.token(provider, call);
        }
        match self.make(provider, call, foreign) {
            Ok(reply) | Err(reply) => reply,
        }
    }

    fn token(&mut self, provider: &Provider, call: &Call) -> Reply {
        if !is_client(provider.proof, call) {
            return Reply::json(401, &json!({"error": "invalid_client"}));
        }
        match self.grants.exchange(provider.exchange, call) {
            Ok(token) => Reply::json(
                200,
                &json!({"access_token": token, "token_type": "bearer", "expires_in": 14_400, "refresh_token": format!("{token}-r")}),
            ),
            Err(error) => Reply::json(400, &json!({"error": error})),
        }
    }

    fn make(&mut self, provider: &Provider, call: &Call, foreign: bool) -> Result<Reply, Reply> {
        let bearer = call.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let refuse = |why| (provider.refuse)(why);
        let granted = bearer.and_then(|token| self.grants.granted(provider.exchange, token));
        let (account, scopes) = granted.ok_or_else(|| refuse("invalid token"))?;
        if !provider.needed.iter().all(|needed| scopes.iter().any(|scope| scope == needed)) {
            return Err(refuse("insufficient scope"));
        }
        let Wanted { permissions, make, dress } = (provider.form)(call, foreign)?;
        let number = self.made.values().filter(|made| made.exchange == provider.exchange).count();
        let credentials = make(&format!("tensfer sandbox key {number} of {}", account.name));
        let reply = dress(&credentials).ok_or_else(|| refuse("invalid public key"))?;
        // The token ends with the key that it made.
        self.grants.end(bearer.unwrap_or_default());
        let key = credentials.key.clone();
        let made = Account { credentials, permissions, ..Account::clone(&account) };
        self.made.insert((provider.exchange, key), Arc::new(made));
        Ok(reply)
    }
}

fn is_client(proof: Proof, call: &Call) -> bool {
    match proof {
        Proof::Body => {
            call.field("client_id").as_deref() == Some(CLIENT)
                && call.field("client_secret").as_deref() == Some(SECRET)
        }
        Proof::Header => {
            let given = call.header("authorization").and_then(|value| value.strip_prefix("Basic "));
            given.and_then(super::call::base64) == Some(format!("{CLIENT}:{SECRET}").into_bytes())
        }
    }
}
