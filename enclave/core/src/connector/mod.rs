//! Connectors: one engine, and one data file for each exchange.
//!
//! `connectors/*.toml` says what an exchange is: hosts, credential fields, how requests are written and signed,
//! what is asked and how answers are read. The build checks the files and embeds them as compact JSON; this module
//! loads, interprets and hashes exactly what is embedded. No I/O: [`Run`] takes time, entropy and answers, and gives
//! requests. Money is [`wire::Decimal`]; nothing here touches a float.

mod action;
mod answer;
pub mod api_keys;
mod asked;
mod balance;
mod budget;
mod catalogue;
pub(crate) mod check;
mod columns;
mod cookie;
mod credential;
mod each;
pub(crate) mod encode;
mod ethereum;
mod evaluate;
mod expression;
mod fault;
mod fields;
mod grant;
mod hash;
pub(crate) mod json;
mod key;
mod key_call;
mod load;
mod load_action;
mod load_page;
mod load_signing;
mod making;
mod market;
mod model;
mod model_action;
mod model_listing;
mod model_signing;
mod new_key;
mod nonce;
pub mod oauth;
mod outcome;
mod page;
mod parse;
mod places;
mod plain;
mod price;
mod repeat;
mod request;
mod result;
mod run;
mod scan;
mod session;
mod sign;
pub(crate) mod table;
mod task;
mod template;
mod time;
mod typed;
mod value;
mod wiped;

pub use action::{accounts, action, taken_once};
pub use answer::{Read, Reply, Said, refusal, said};
pub use api_keys::ApiKeys;
pub use asked::Asked;
pub use balance::merged;
pub use catalogue::{all, dangerous_add, digest, find, load_leaked};
pub use credential::{Credential, CredentialError, FieldText};
pub use encode::{from_base64, percent_text as percent, to_base64, to_base64url};
pub use evaluate::Mismatch;
pub use fault::{CallerFault, Fault, FaultCode, FaultKind, TransportFault};
pub use fields::{changed, text};
pub use grant::{Grant, Granted, Tokens};
pub use json::{Document, Json, JsonError, Kind};
pub use key_call::{KeyQuestion, KeyRow, MadeKey};
pub use load::load;
pub use market::Market;
pub use model::{
    BalanceSource, Call, Connector, CredentialField, KeyKind, Listing, Method, Paging, Steps, Unpaged,
};
pub use model_action::{Action, Counted, Deed, Once};
pub use nonce::NonceState;
pub use outcome::{Answer, Balance, Coverage, Finding, Operation, Outcome, Record, Source, State, Status};
pub use page::Position;
pub use places::listings;
pub use price::PriceTable;
pub use request::Request;
pub use result::{check_read, route};
pub use run::{CallId, Run, Step};
pub use sign::{Signing, build, params};
pub use time::iso8601;
pub use value::{Params, Value, find as find_value};
