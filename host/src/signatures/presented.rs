//! From a signature that somebody presents to a request that is verified: a type for each step, made by the step before it alone.

use super::base::{Component, components, signature_base};
use super::key::{Algorithm, PublicKey};
use super::nonces::{Nonces, Used};
use super::request::{Authority, Request};
use super::structured::{Bare, Dictionary, InnerList, Item, Member, Parameters};
use super::{LEEWAY_MS, LONGEST_LIFETIME, Refused, TAG, digest};
use aws_lc_rs::digest::{SHA256, digest as sha256};
use core::fmt::{self, Debug, Formatter};
use wire::UnixMillis;

/// What every signature covers.
const ALWAYS: [Component; 4] = [Component::Method, Component::Authority, Component::Path, Component::Query];
/// Fields about the body: covered if they are there, and there if there is a body.
const OF_BODY: [&str; 2] = ["content-type", "content-digest"];

/// A signature that has the form of our profile. Nobody has verified it.
pub struct Presented<'r> {
    request: &'r Request<'r>,
    covered: Vec<Component>,
    statement: Statement,
    base: String,
    signature: Vec<u8>,
}

/// What a signature says about itself.
#[derive(Debug)]
struct Statement {
    keyid: String,
    nonce: String,
    /// Its name as presented.
    algorithm: Option<String>,
    created: UnixMillis,
    expires: UnixMillis,
}

/// A signature by the key, within its time. Its nonce may have been used.
#[derive(Debug)]
pub struct Signed<'r> {
    presented: Presented<'r>,
    algorithm: Algorithm,
}

/// A signature that counts. Its body was not seen yet.
#[derive(Debug)]
pub struct Once<'r>(Signed<'r>);

/// A request that the owner of a key signed, for us, now, and that was not here before.
pub struct Verified<'r> {
    signed: Signed<'r>,
    body: &'r [u8],
}

impl<'r> Presented<'r> {
    /// The one signature with our tag. `here`: the names that we answer to.
    pub fn read(request: &'r Request<'r>, here: &[Authority]) -> Result<Presented<'r>, Refused> {
        if !here.contains(request.authority()) {
            return Err(Refused::OtherAuthority);
        }
        // The digest is of the content as sent: whoever decodes it has other content.
        if request.has("content-encoding") {
            return Err(Refused::ContentEncoded);
        }
        let (input, signature) = find(request)?;
        let covered = components(&input)?;
        check_coverage(request, &covered)?;
        let statement = Statement::read(&input.parameters)?;
        let base = signature_base(request, &input)?;
        Ok(Presented { request, covered, statement, base, signature })
    }

    /// Whose key to look up. Nobody has proven to be it.
    pub fn claimed_keyid(&self) -> &str {
        &self.statement.keyid
    }

    /// `key` is the one of [`Presented::claimed_keyid`]; `None`, if there is none, is refused as a wrong signature is.
    pub fn signed_by(self, key: Option<&PublicKey>, now: UnixMillis) -> Result<Signed<'r>, Refused> {
        self.statement.check_time(now)?;
        let key = key.ok_or(Refused::NotSigned)?;
        if !key.verifies(self.base.as_bytes(), &self.signature) {
            return Err(Refused::NotSigned);
        }
        // Only who has the key learns that there is one, and of what algorithm.
        let algorithm = key.algorithm();
        if self.statement.algorithm.as_ref().is_some_and(|name| name != algorithm.name()) {
            return Err(Refused::OtherAlgorithm);
        }
        Ok(Signed { presented: self, algorithm })
    }
}

impl<'r> Presented<'r> {
    /// The value of a field that is covered.
    fn covered(&self, name: &str) -> Option<&'r str> {
        let is_covered = self.covered.iter().any(|component| is_field(component, name));
        if is_covered { self.request.single(name).ok().flatten() } else { None }
    }
}

impl<'r> Signed<'r> {
    /// A field that is not covered: what is in it has to show by itself what it is.
    pub fn dangerous_uncovered(&self, name: &str) -> Result<Option<&'r str>, Refused> {
        self.presented.request.single(name)
    }

    /// SHA-256 of what was signed: of this very request, its body's digest, nonce and time.
    pub fn base_hash(&self) -> [u8; 32] {
        let mut hash = [0; 32];
        let bytes = sha256(&SHA256, self.presented.base.as_bytes());
        hash.iter_mut().zip(bytes.as_ref()).for_each(|(to, from)| *to = *from);
        hash
    }

    /// Uses the nonce up: also if the body does not come, or is another.
    pub fn once(self, nonces: &mut Nonces, now: UnixMillis) -> Result<Once<'r>, Refused> {
        let statement = &self.presented.statement;
        // Looking the key up may have taken its time.
        statement.check_time(now)?;
        let Statement { keyid, nonce, created, expires, .. } = statement;
        nonces.take(Used { keyid, nonce, created: *created, expires: *expires }, now)?;
        Ok(Once(self))
    }
}

impl<'r> Once<'r> {
    pub fn method(&self) -> &'r str {
        self.0.presented.request.method()
    }

    /// Percent-encoded, as signed.
    pub fn path(&self) -> &'r str {
        self.0.presented.request.path()
    }

    /// As signed, without its `?`.
    pub fn query(&self) -> Option<&'r str> {
        self.0.presented.request.query()
    }

    /// As [`Verified::field`]: nothing that was not signed.
    pub fn field(&self, name: &str) -> Option<&'r str> {
        self.0.presented.covered(name)
    }

    /// `body`: all content as received, empty if there is none.
    pub fn with_body(self, body: &'r [u8]) -> Result<Verified<'r>, Refused> {
        let request = self.0.presented.request;
        // What is there is covered: [`check_coverage`].
        match request.single("content-digest")? {
            Some(field) => digest::check(field, body)?,
            None if body.is_empty() => {}
            None => return Err(Refused::DigestMissing),
        }
        if !body.is_empty() && !request.has("content-type") {
            return Err(Refused::BodyUntyped);
        }
        Ok(Verified { signed: self.0, body })
    }
}

impl<'r> Verified<'r> {
    pub fn keyid(&self) -> &str {
        &self.signed.presented.statement.keyid
    }

    pub fn algorithm(&self) -> Algorithm {
        self.signed.algorithm
    }

    pub fn created(&self) -> UnixMillis {
        self.signed.presented.statement.created
    }

    pub fn method(&self) -> &'r str {
        self.signed.presented.request.method()
    }

    pub fn authority(&self) -> &'r Authority {
        self.signed.presented.request.authority()
    }

    /// Percent-encoded, as signed.
    pub fn path(&self) -> &'r str {
        self.signed.presented.request.path()
    }

    /// Percent-encoded, as signed. `None` and never empty.
    pub fn query(&self) -> Option<&'r str> {
        self.signed.presented.request.query()
    }

    pub fn body(&self) -> &'r [u8] {
        self.body
    }

    /// A field, by its name in lower case, if it was signed. Others are not seen here.
    pub fn field(&self, name: &str) -> Option<&'r str> {
        self.signed.presented.covered(name)
    }
}

/// No fields and no body: what is printed may be kept.
impl Debug for Presented<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Presented").field(&self.statement.keyid).field(self.request).finish()
    }
}

impl Debug for Verified<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Verified").field(&self.keyid()).field(self.signed.presented.request).finish()
    }
}

/// Both halves of the one signature with our tag. Others may be there, whole.
fn find(request: &Request) -> Result<(InnerList, Vec<u8>), Refused> {
    let inputs = request.single("signature-input")?.ok_or(Refused::SignatureMissing)?;
    let signatures = request.single("signature")?.ok_or(Refused::SignatureMissing)?;
    let parse = |text: &str| Dictionary::parse(text).map_err(|_| Refused::SignatureMalformed);
    let (inputs, signatures) = (parse(inputs)?, parse(signatures)?);
    if inputs.members().len() != signatures.members().len() {
        return Err(Refused::SignatureMalformed);
    }
    let mut found = None;
    for (label, member) in inputs.members() {
        let (Member::List(input), Some(signature)) = (member, signatures.find(label)) else {
            return Err(Refused::SignatureMalformed);
        };
        let Member::Item(Item { value: Bare::Bytes(signature), .. }) = signature else {
            return Err(Refused::SignatureMalformed);
        };
        let is_ours = matches!(input.parameters.find("tag"), Some(Bare::String(tag)) if tag == TAG);
        if is_ours && found.replace((input.clone(), signature.clone())).is_some() {
            return Err(Refused::SignatureRepeated);
        }
    }
    found.ok_or(Refused::SignatureMissing)
}

fn check_coverage(request: &Request, covered: &[Component]) -> Result<(), Refused> {
    let covers_body = OF_BODY
        .iter()
        .all(|name| !request.has(name) || covered.iter().any(|component| is_field(component, name)));
    if !covers_body || !ALWAYS.iter().all(|component| covered.contains(component)) {
        return Err(Refused::NotCovered);
    }
    for component in covered {
        if let Component::Field(name) = component {
            // One line: two that are joined on their way have the same base as one.
            request.single(name)?.ok_or(Refused::ComponentAbsent)?;
        }
    }
    Ok(())
}

fn is_field(component: &Component, name: &str) -> bool {
    matches!(component, Component::Field(field) if field == name)
}

impl Statement {
    fn read(parameters: &Parameters) -> Result<Statement, Refused> {
        const KNOWN: [&str; 6] = ["created", "expires", "nonce", "alg", "keyid", "tag"];
        if parameters.keys().any(|key| !KNOWN.contains(&key)) {
            return Err(Refused::ParameterUnknown);
        }
        let statement = Statement {
            keyid: text(parameters, "keyid")?.ok_or(Refused::ParameterMissing)?,
            nonce: text(parameters, "nonce")?.ok_or(Refused::ParameterMissing)?,
            algorithm: text(parameters, "alg")?,
            created: time(parameters, "created")?,
            expires: time(parameters, "expires")?,
        };
        let is_plain = |text: &str, also: &[u8]| {
            text.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte) || also.contains(&byte))
        };
        let is_keyid = (1..=64).contains(&statement.keyid.len()) && is_plain(&statement.keyid, b".:");
        let is_nonce = (22..=64).contains(&statement.nonce.len()) && is_plain(&statement.nonce, b"");
        if !is_keyid || !is_nonce || statement.expires <= statement.created {
            return Err(Refused::ParameterMalformed);
        }
        if statement.expires.distance(statement.created) > 1000 * LONGEST_LIFETIME {
            return Err(Refused::LifetimeTooLong);
        }
        Ok(statement)
    }

    fn check_time(&self, now: UnixMillis) -> Result<(), Refused> {
        if self.created > now.plus(LEEWAY_MS) {
            return Err(Refused::NotYet);
        }
        if self.expires <= now { Err(Refused::Expired) } else { Ok(()) }
    }
}

fn text(parameters: &Parameters, key: &str) -> Result<Option<String>, Refused> {
    match parameters.find(key) {
        None => Ok(None),
        Some(Bare::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Refused::ParameterMalformed),
    }
}

/// Seconds since 1970 there, milliseconds here; a structured field's integer has 15 digits, so it fits.
fn time(parameters: &Parameters, key: &str) -> Result<UnixMillis, Refused> {
    match parameters.find(key) {
        None => Err(Refused::ParameterMissing),
        Some(Bare::Integer(seconds)) => {
            let seconds = u64::try_from(*seconds).map_err(|_| Refused::ParameterMalformed)?;
            Ok(UnixMillis(seconds.saturating_mul(1000)))
        }
        Some(_) => Err(Refused::ParameterMalformed),
    }
}
