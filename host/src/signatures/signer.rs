//! Signing a request of our own: what [`super::Presented::read`] takes, and nothing else.

use super::base::{Component, signature_base};
use super::digest::content_digest;
use super::key::SigningKey;
use super::presented::Presented;
use super::request::Request;
use super::structured::{Bare, Dictionary, InnerList, Item, Malformed, Member, Parameters};
use super::{Refused, TAG};
use core::fmt::{self, Display, Formatter};
use wire::UnixMillis;

/// The label of our signatures. It says nothing: signatures are found by their tag.
const LABEL: &str = "tensfer";

/// Whose signature it is.
#[derive(Clone, Copy, Debug)]
pub struct Signer<'s> {
    pub key: &'s SigningKey,
    pub keyid: &'s str,
}

/// What makes each signature another: a time, for how many seconds it holds, and at least 128 random bits as text.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'s> {
    pub created: UnixMillis,
    pub lifetime: u64,
    pub nonce: &'s str,
}

/// Why there is no signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsigned {
    /// Whoever got it would refuse it.
    Refused(Refused),
    /// The cryptographic library failed.
    Failed,
}

/// The fields to add to the request. `also` names fields that are to be covered, besides those about the body.
pub fn sign(
    request: &Request,
    body: &[u8],
    also: &[&str],
    signer: Signer,
    stamp: Stamp,
) -> Result<Vec<(&'static str, String)>, Unsigned> {
    let digest = (!body.is_empty()).then(|| content_digest(body));
    if digest.is_some() && !request.has("content-type") {
        return Err(Unsigned::Refused(Refused::BodyUntyped));
    }
    let mut request = request.clone();
    if let Some(digest) = &digest {
        request = request.with(("content-digest", digest.as_bytes()));
    }
    let input = input(&request, also, signer.keyid, stamp)?;
    let base = signature_base(&request, &input).map_err(Unsigned::Refused)?;
    let signature = signer.key.sign(base.as_bytes()).ok_or(Unsigned::Failed)?;
    let inputs = alone(Member::List(input))?.to_string();
    let signatures = alone(Member::Item(Item::bytes(&signature)))?.to_string();

    let signed =
        request.with(("signature-input", inputs.as_bytes())).with(("signature", signatures.as_bytes()));
    let here = [signed.authority().clone()];
    Presented::read(&signed, &here).map_err(Unsigned::Refused)?;

    let digest = digest.map(|digest| ("content-digest", digest));
    Ok(digest.into_iter().chain([("signature-input", inputs), ("signature", signatures)]).collect())
}

fn input(request: &Request, also: &[&str], keyid: &str, stamp: Stamp) -> Result<InnerList, Unsigned> {
    let always = [Component::Method, Component::Authority, Component::Path, Component::Query];
    let of_body = ["content-type", "content-digest"].into_iter().filter(|name| request.has(name));
    let names = always.iter().map(Component::name).chain(of_body).chain(also.iter().copied());
    let items = names.map(Item::string).collect();
    let created = stamp.created.0 / 1000;
    let text = |text: &str| Bare::String(text.to_owned());
    let mut parameters = Parameters::default();
    for (key, value) in [
        ("created", integer(created)?),
        ("expires", integer(created.saturating_add(stamp.lifetime))?),
        ("nonce", text(stamp.nonce)),
        ("keyid", text(keyid)),
        ("tag", text(TAG)),
    ] {
        parameters.insert(key, value)?;
    }
    Ok(InnerList { items, parameters })
}

fn integer(number: u64) -> Result<Bare, Unsigned> {
    let number = i64::try_from(number).map_err(|_| Unsigned::Refused(Refused::ParameterMalformed))?;
    Ok(Bare::Integer(number))
}

fn alone(member: Member) -> Result<Dictionary, Unsigned> {
    let mut dictionary = Dictionary::default();
    dictionary.insert(LABEL.to_owned(), member)?;
    Ok(dictionary)
}

impl From<Malformed> for Unsigned {
    fn from(_: Malformed) -> Unsigned {
        Unsigned::Refused(Refused::SignatureMalformed)
    }
}

impl Display for Unsigned {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Unsigned::Refused(refused) => write!(f, "this request cannot be signed: {refused}"),
            Unsigned::Failed => f.write_str("the cryptographic library failed"),
        }
    }
}

impl core::error::Error for Unsigned {}
