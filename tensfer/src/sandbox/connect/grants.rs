//! Codes and tokens (RFC 6749, RFC 7636). A code is good for one use; used again, it ends what came of it.

use crate::sandbox::call::{Call, form_field};
use crate::sandbox::dialect::Exchange;
use crate::sandbox::mac;
use crate::sandbox::seed::Account;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::HashMap;
use std::sync::Arc;

/// What the client asked a person for.
#[derive(Debug)]
pub struct Asked {
    pub redirect: String,
    pub state: String,
    challenge: String,
    scopes: Vec<String>,
}

impl Asked {
    /// Reads the query of the address that the person opened.
    pub fn read(query: &str, separator: char) -> Result<Asked, String> {
        let need = |name: &str| form_field(query, name).ok_or(format!("`{name}` is missing"));
        let must = |name: &str, value: &str| match need(name)? == value {
            true => Ok(()),
            false => Err(format!("`{name}` is wrong")),
        };
        must("response_type", "code")?;
        must("client_id", super::CLIENT)?;
        must("code_challenge_method", "S256")?;
        let scopes = need("scope")?.split(separator).map(str::to_owned).collect();
        let (redirect, state) = (need("redirect_uri")?, need("state")?);
        if !redirect.starts_with("http://127.0.0.1:") {
            return Err("`redirect_uri` is not registered".to_owned());
        }
        Ok(Asked { redirect, state, challenge: need("code_challenge")?, scopes })
    }
}

#[derive(Debug)]
struct Grant {
    account: Arc<Account>,
    redirect: String,
    challenge: String,
    scopes: Vec<String>,
    /// What the code was exchanged for.
    token: Option<String>,
    ended: bool,
}

#[derive(Debug, Default)]
pub struct Grants(HashMap<String, Grant>);

impl Grants {
    /// A new code for what the person allowed.
    pub fn add(&mut self, account: &Arc<Account>, asked: &Asked) -> String {
        let code = format!("{}{}", random(), self.0.len());
        let grant = Grant {
            account: Arc::clone(account),
            redirect: asked.redirect.clone(),
            challenge: asked.challenge.clone(),
            scopes: asked.scopes.clone(),
            token: None,
            ended: false,
        };
        self.0.insert(code.clone(), grant);
        code
    }

    /// Exchanges the code of a call for a token.
    pub fn exchange(&mut self, exchange: Exchange, call: &Call) -> Result<String, &'static str> {
        if call.field("grant_type").as_deref() != Some("authorization_code") {
            return Err("unsupported_grant_type");
        }
        let code = call.field("code").ok_or("invalid_request")?;
        let verifier = call.field("code_verifier").ok_or("invalid_request")?;
        let grant = self.0.get_mut(&code).filter(|grant| grant.account.exchange == exchange);
        let grant = grant.ok_or("invalid_grant")?;
        if grant.token.is_some() {
            grant.ended = true;
            return Err("invalid_grant");
        }
        let challenge = URL_SAFE_NO_PAD.encode(mac::sha256(&[verifier.as_bytes()]));
        if challenge != grant.challenge || call.field("redirect_uri").as_deref() != Some(&grant.redirect) {
            return Err("invalid_grant");
        }
        Ok(grant.token.insert(random()).clone())
    }

    /// Whose token it is, and for what.
    pub fn granted(&self, exchange: Exchange, token: &str) -> Option<(Arc<Account>, Vec<String>)> {
        let is_it = |grant: &&Grant| grant.token.as_deref() == Some(token) && !grant.ended;
        let grant = self.0.values().find(is_it).filter(|grant| grant.account.exchange == exchange)?;
        Some((Arc::clone(&grant.account), grant.scopes.clone()))
    }

    /// The token is good for nothing from now on.
    pub fn end(&mut self, token: &str) {
        let of_token = self.0.values_mut().filter(|grant| grant.token.as_deref() == Some(token));
        of_token.for_each(|grant| grant.ended = true);
    }
}

fn random() -> String {
    let mut bytes = [0; 24];
    // Without entropy the code is the same each time, and the second use of one is refused.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}
