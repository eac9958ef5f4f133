//! What a grant says, as programs and people read it.

use crate::client::clock::rfc3339;
use crate::client::encode::hex;
use crate::client::failure::{Failure, Result};
use crate::client::home::grants::{GrantFile, Read};
use crate::client::home::keys::sha256;
use crate::client::terminal::printable;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = GrantTerms)]
pub struct Shown {
    /// `grant_…`
    pub grant: String,
    connection: String,
    exchange: String,
    realm: &'static str,
    /// `live` or `sandbox`.
    environment: &'static str,
    /// Where it was made.
    server: String,
    /// The name of the key that may use it, in hexadecimal.
    pub key: String,
    /// `balances`, `read`, `status`.
    operations: Vec<&'static str>,
    from: String,
    pub expires: String,
    /// In all.
    pub uses: u32,
    /// In a span of time; `null`: as many as it has.
    rate: Option<Rate>,
    generation: u64,
    epoch: u32,
}

#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = GrantRate)]
struct Rate {
    uses: u32,
    seconds: u64,
}

impl Shown {
    pub fn of(file: &GrantFile, read: &Read) -> Shown {
        let (body, terms) = (&read.body, &read.body.terms);
        Shown {
            grant: body.id.to_string(),
            connection: body.header.connection.to_string(),
            exchange: file.exchange.clone(),
            realm: file.realm.name(),
            environment: file.environment.name(),
            server: file.server.clone(),
            key: hex(&sha256(&terms.key.transcript())),
            operations: terms.ops.iter().map(|op| op.name()).collect(),
            from: rfc3339(terms.from),
            expires: rfc3339(terms.expires),
            uses: terms.uses,
            rate: terms.rate.map(|rate| Rate { uses: rate.uses, seconds: rate.period / 1000 }),
            generation: body.header.generation,
            epoch: read.grant.wrap.epoch,
        }
    }

    /// Of a file that was parsed, and so has a grant of form in it.
    pub fn of_file(file: &GrantFile) -> Result<Shown> {
        let read =
            file.read().ok_or_else(|| Failure::internal("a grant that was read is not one any more"))?;
        Ok(Shown::of(file, &read))
    }

    /// What may be asked, and how often.
    pub fn allowed(&self) -> String {
        let rate = match self.rate {
            Some(Rate { uses, seconds: 86_400 }) => format!(", {uses} a day at most"),
            Some(Rate { uses, seconds: 3_600 }) => format!(", {uses} an hour at most"),
            Some(Rate { uses, seconds }) => format!(", {uses} in {seconds} s at most"),
            None => String::new(),
        };
        format!("{}, {} times{rate}", self.operations.join(", "), self.uses)
    }

    pub fn text(&self) -> String {
        format!(
            "grant   {}\nof      {} ({}, {})\nat      {}\nto      key {}\nmay     {}\nfrom    {}\nuntil   {}\n",
            self.grant,
            self.connection,
            self.exchange,
            self.environment,
            printable(&self.server),
            self.key,
            self.allowed(),
            self.from,
            self.expires,
        )
    }
}
