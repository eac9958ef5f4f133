//! `clientDataJSON` (WebAuthn §5.8.1): read as JSON, never searched. A browser adds members, in any order and spelling that
//! JSON has; those that are read are there once, and nothing that is not read decides anything.

use super::Fault;
use crate::connector::{Document, Json, Kind};

/// Browsers write a few hundred bytes.
const MAX_BYTES: usize = 4096;

pub(super) struct Client {
    pub(super) kind: String,
    pub(super) challenge: String,
    pub(super) origin: String,
    pub(super) cross_origin: bool,
    pub(super) top_origin: Option<String>,
}

impl Client {
    pub(super) fn parse(bytes: &[u8]) -> Result<Client, Fault> {
        if bytes.len() > MAX_BYTES {
            return Err(Fault::Client);
        }
        // A byte order mark, which a browser may not write, is no JSON.
        let document = Document::parse(bytes).map_err(|_| Fault::Client)?;
        let root = document.root();
        if root.kind() != Kind::Object {
            return Err(Fault::Client);
        }
        let text = |name: &str| string(root, name)?.ok_or(Fault::Client);
        let cross_origin = match member(root, "crossOrigin")?.map(Json::kind) {
            None | Some(Kind::False) => false,
            Some(Kind::True) => true,
            Some(_) => return Err(Fault::Client),
        };
        Ok(Client {
            kind: text("type")?,
            challenge: text("challenge")?,
            origin: text("origin")?,
            cross_origin,
            top_origin: string(root, "topOrigin")?,
        })
    }
}

fn member<'d>(object: Json<'d>, name: &str) -> Result<Option<Json<'d>>, Fault> {
    object.member(name).map_err(|_| Fault::Client)
}

fn string(object: Json<'_>, name: &str) -> Result<Option<String>, Fault> {
    let Some(value) = member(object, name)? else { return Ok(None) };
    value.string().map(|text| Some(text.into_owned())).ok_or(Fault::Client)
}
