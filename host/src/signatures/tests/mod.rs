//! What the standard and our profile say, and what nobody can change.

mod altered;
mod corpus;
mod profile;
mod standard;

use super::structured::{Dictionary, InnerList, Member};
use super::*;
use serde::Deserialize;
use std::path::PathBuf;
use wire::UnixMillis;

const ROOM: Room = Room { of_all: 64, of_one: 32 };

/// A request of a file of vectors. Text is of bytes 0 to 255.
#[derive(Deserialize)]
struct Written {
    scheme: String,
    method: String,
    authority: String,
    target: String,
    fields: Vec<(String, String)>,
    #[serde(default)]
    body: String,
}

/// The same with its values as bytes, which requests borrow.
struct Received {
    written: Written,
    values: Vec<Vec<u8>>,
    body: Vec<u8>,
}

impl From<Written> for Received {
    fn from(written: Written) -> Received {
        let byte = |character: char| u8::try_from(u32::from(character)).unwrap();
        let values = written.fields.iter().map(|(_, value)| value.chars().map(byte).collect()).collect();
        Received { values, body: bytes(&written.body), written }
    }
}

impl Received {
    fn request(&self) -> Result<Request<'_>, Refused> {
        let names = self.written.fields.iter().map(|(name, _)| name.as_str());
        let fields = names.zip(self.values.iter().map(Vec::as_slice));
        let Written { method, authority, target, .. } = &self.written;
        Request::new(scheme(&self.written.scheme), method, authority, target, fields)
    }
}

fn scheme(name: &str) -> Scheme {
    [Scheme::Http, Scheme::Https].into_iter().find(|scheme| scheme.as_str() == name).unwrap()
}

fn algorithm(name: &str) -> Option<Algorithm> {
    Algorithm::ALL.into_iter().find(|algorithm| algorithm.name() == name)
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn vectors<T: for<'de> Deserialize<'de>>(name: &str) -> T {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../vectors/http-signatures");
    serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
}

/// The only member of a field.
fn only(field: &str) -> InnerList {
    let dictionary = Dictionary::parse(field).unwrap();
    let mut members = dictionary.members();
    match (members.next(), members.next()) {
        (Some((_, Member::List(list))), None) => list.clone(),
        _ => panic!("{field}"),
    }
}

/// Through all steps.
fn verify<'r>(
    request: &'r Request<'r>,
    body: &'r [u8],
    key: Option<&PublicKey>,
    nonces: &mut Nonces,
    now: UnixMillis,
) -> Result<Verified<'r>, Refused> {
    let here = [request.authority().clone()];
    Presented::read(request, &here)?.signed_by(key, now)?.once(nonces, now)?.with_body(body)
}
