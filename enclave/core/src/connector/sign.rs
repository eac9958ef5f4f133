//! From an endpoint and its parameters to a signed request, by the connector's rules.

use crate::entropy::Entropy;
use crate::wallet::evm::personal_hash;

use super::credential::Credential;
use super::encode;
use super::fault::{CallerFault, Fault, FaultCode};
use super::key::{self, Key};
use super::model::{Call, Connector, KeyKind, Listing, Method, Rule, Section, Setting, Work};
use super::request::Request;
use super::template::{Filter, Piece, Template, Token};
use super::time::iso8601;
use super::typed;
use super::value::{self, Encoding, Params, Value};
use super::wiped::Wiped;
use wire::Decimal;
use wire::decimal::Rounding;

/// What a signature is made with besides the request itself.
pub struct Signing<'s> {
    pub credential: Option<&'s Credential>,
    /// The provider's clock, Unix time in ms.
    pub now_ms: u64,
    pub nonce: u64,
    pub entropy: &'s mut dyn Entropy,
}

/// The rule for a call by this credential, if the connector has one.
pub fn rule<'c>(
    connector: &'c Connector,
    call: &Call,
    params: &Params,
    credential: Option<&Credential>,
) -> Option<&'c Rule> {
    connector.rules.iter().find(|rule| applies(rule, call, params, credential))
}

fn applies(rule: &Rule, call: &Call, params: &Params, credential: Option<&Credential>) -> bool {
    rule.sections.contains(&call.section)
        && (rule.methods.is_empty() || rule.methods.contains(&call.method))
        && (rule.paths.is_empty() || rule.paths.iter().any(|glob| glob.matches(&call.path)))
        && rule
            .when
            .iter()
            .all(|(name, glob)| value::find(params, name).is_some_and(|value| glob.matches(value.text())))
        && (params.is_empty() || !rule.empty)
        && holds_key(&rule.keys, credential)
}

/// Whether the credential's signing key is of one of the kinds; no kinds, no condition.
fn holds_key(kinds: &[KeyKind], credential: Option<&Credential>) -> bool {
    kinds.is_empty()
        || credential
            .is_some_and(|credential| signing_key(credential).is_some_and(|key| kinds.contains(&key.kind())))
}

/// The key that signs: the private key or MAC key among the fields; fields that are plain text come last.
fn signing_key(credential: &Credential) -> Option<&Key> {
    let private = credential.keys().find(|key| key.kind() != KeyKind::Text);
    private.or_else(|| credential.keys().last())
}

/// The parameters of a listing for these arguments; arguments without a value leave their parameter out.
pub fn params(
    connector: &Connector,
    listing: &Listing,
    arguments: Params,
    signing: &mut Signing<'_>,
) -> Result<Params, Fault> {
    let section = connector.section(&listing.call.section).ok_or(CallerFault::Unsupported)?;
    let (method, path) = (listing.call.method, String::new());
    let (apart, outputs) = (Params::new(), Vec::new());
    let mut writer = Writer { section, method, path, prefix: 0, params: arguments, apart, signing, outputs };
    let mut params = Params::with_capacity(listing.params.len());
    for (name, setting) in &listing.params {
        if writer.has_arguments(setting) {
            params.push((name.clone(), writer.value(setting)?));
        }
    }
    Ok(params)
}

/// Writes and signs a request.
pub fn build(
    connector: &Connector,
    call: &Call,
    params: Params,
    signing: &mut Signing<'_>,
) -> Result<Request, Fault> {
    let section = connector.section(&call.section).ok_or(CallerFault::Unsupported)?;
    let whole = call.path.contains('{').then(|| params.clone());
    let (path, prefix, rest) = implode(section, call, params)?;
    let rule = rule(connector, call, &rest, signing.credential).ok_or(CallerFault::Unsupported)?;
    let params = whole.filter(|_| rule.keeps_path).unwrap_or(rest);
    let is_apart = |(name, _): &(String, Value)| rule.apart.contains(name);
    let (apart, params) = params.into_iter().partition(is_apart);
    let (method, outputs) = (call.method, Vec::new());
    let mut writer = Writer { section, method, path, prefix, params, apart, signing, outputs };
    writer.settings(rule)?;
    let credential = writer.signing.credential;
    for step in rule.steps.iter().filter(|step| holds_key(&step.keys, credential)) {
        let output = writer.step(&step.work)?;
        let output = step.encode.iter().try_fold(output, |bytes, filter| apply(*filter, &bytes))?;
        writer.outputs.push((step.name.as_str(), output));
    }
    for (name, setting) in &rule.seal {
        let value = writer.value(setting)?;
        value::set(&mut writer.params, name, value);
    }
    writer.request(rule, call.cost)
}

/// The path with its parameters, which are taken from the list, and how long its prefix is. One without a value would make
/// another path, and so would a dot segment (RFC 3986 §5.2.4), which servers resolve before they route.
fn implode(
    section: &Section,
    call: &Call,
    mut params: Params,
) -> Result<(String, usize, Params), CallerFault> {
    let elsewhere =
        section.elsewhere.iter().find(|(method, path, _)| *method == call.method && *path == call.path);
    let mut path = elsewhere.map_or(&section.prefix, |(_, _, prefix)| prefix).clone();
    let prefix = path.len();
    let mut rest = call.path.as_str();
    while let Some((plain, (name, tail))) =
        rest.split_once('{').and_then(|(plain, place)| Some((plain, place.split_once('}')?)))
    {
        path.push_str(plain);
        let at = params.iter().position(|(known, _)| known == name).ok_or(CallerFault::Argument)?;
        let (_, value) = params.remove(at);
        if value == Value::Null || ["", ".", ".."].contains(&value.text()) {
            return Err(CallerFault::Argument);
        }
        let mut encoded = Vec::new();
        encode::percent(value.text().as_bytes(), &mut encoded);
        path.push_str(&String::from_utf8_lossy(&encoded));
        rest = tail;
    }
    path.push_str(rest);
    Ok((path, prefix, params))
}

struct Writer<'w, 's> {
    section: &'w Section,
    method: Method,
    path: String,
    /// How many bytes of the path are the section's prefix.
    prefix: usize,
    params: Params,
    /// Parameters of which only their names speak.
    apart: Params,
    signing: &'w mut Signing<'s>,
    outputs: Vec<(&'w str, Wiped)>,
}

impl Writer<'_, '_> {
    fn settings(&mut self, rule: &Rule) -> Result<(), Fault> {
        if !rule.first.is_empty() {
            let mut first = Vec::with_capacity(rule.first.len() + self.params.len() + 2);
            for (name, setting) in &rule.first {
                first.push((name.clone(), self.value(setting)?));
            }
            self.params.retain(|(name, _)| !rule.first.iter().any(|(ours, _)| ours == name));
            first.append(&mut self.params);
            self.params = first;
        }
        for (name, setting) in &rule.last {
            let value = self.value(setting)?;
            value::set(&mut self.params, name, value);
        }
        for (name, setting) in &rule.defaults {
            if value::find(&self.params, name).is_none() {
                let value = self.value(setting)?;
                self.params.push((name.clone(), value));
            }
        }
        Ok(())
    }

    fn step(&mut self, work: &Work) -> Result<Wiped, Fault> {
        match work {
            Work::Text(text) => self.text(text),
            Work::Json { members, params } => self.json(members, *params).map(Wiped::from),
            Work::Params { encoding, with } => self.extended(*encoding, with).map(Wiped::from),
            Work::Hash { hash, message } => Ok(key::digest(*hash, self.text(message)?.bytes()).into()),
            Work::Hmac { hash, key, message } => {
                let message = self.text(message)?;
                // A field that is the whole key is used where it lies.
                let mac = match key.whole() {
                    Some(Token::Field(place)) => key::mac(*hash, self.bytes(*place)?, message.bytes()),
                    _ => key::mac(*hash, self.text(key)?.bytes(), message.bytes()),
                };
                Ok(mac.into())
            }
            Work::Sign { field, message } => {
                let message = self.text(message)?;
                let signature = self.field(*field)?.sign(message.bytes());
                signature.map(Wiped::from).map_err(|_| CallerFault::NoCredential.into())
            }
            Work::Personal { field, message } => {
                let digest = personal_hash(self.text(message)?.bytes());
                let signature = self.field(*field)?.sign_digest(&digest);
                signature.map(Wiped::from).map_err(|_| CallerFault::NoCredential.into())
            }
            Work::Typed { field, structure } => {
                let texts: Vec<String> =
                    structure.templates().map(|template| self.utf8(template)).collect::<Result<_, _>>()?;
                let digest = typed::hash(structure, &texts).ok_or(CallerFault::Argument)?;
                let signature = self.field(*field)?.sign_digest(&digest);
                signature.map(Wiped::from).map_err(|_| CallerFault::NoCredential.into())
            }
            Work::Jwt { field, header, claims } => self.jwt(*field, header, claims).map(Wiped::from),
        }
    }

    fn json(&mut self, members: &[(String, Setting)], and_params: bool) -> Result<Vec<u8>, Fault> {
        let mut object = Params::with_capacity(members.len() + self.params.len());
        for (name, setting) in members {
            object.push((name.clone(), self.value(setting)?));
        }
        if and_params {
            object.extend(self.params.iter().cloned());
        }
        Ok(json_of(object))
    }

    /// The parameters with further ones, which are not sent.
    fn extended(&mut self, encoding: Encoding, with: &[(String, Setting)]) -> Result<Vec<u8>, Fault> {
        let mut all = self.params.clone();
        for (name, setting) in with {
            let value = self.value(setting)?;
            value::set(&mut all, name, value);
        }
        let mut out = Vec::with_capacity(128);
        value::encode(&all, encoding, &mut out);
        Ok(out)
    }

    /// `base64url(header).base64url(claims).base64url(signature)` (RFC 7515 §3.1).
    fn jwt(
        &mut self,
        field: usize,
        header: &[(String, Setting)],
        claims: &[(String, Setting)],
    ) -> Result<Vec<u8>, Fault> {
        let refused = |_| Fault::from(CallerFault::NoCredential);
        let algorithm = self.field(field)?.jwt_algorithm().map_err(refused)?;
        let mut head: Params = vec![("alg".to_owned(), algorithm.into()), ("typ".to_owned(), "JWT".into())];
        for (name, setting) in header {
            head.push((name.clone(), self.value(setting)?));
        }
        let mut body = Params::new();
        for (name, setting) in claims {
            body.push((name.clone(), self.value(setting)?));
        }
        let mut token = encode::base64url(&json_of(head));
        token.push(b'.');
        token.extend(encode::base64url(&json_of(body)));
        let signature = self.field(field)?.sign_jwt(&token).map_err(refused)?;
        token.push(b'.');
        token.extend(encode::base64url(&signature));
        Ok(token)
    }

    /// Whether every argument that the setting names has a value.
    fn has_arguments(&self, setting: &Setting) -> bool {
        let given = |name: &String| !matches!(value::find(&self.params, name), None | Some(Value::Null));
        match setting {
            Setting::Text(template) | Setting::Number(template) => {
                template.tokens().all(|token| match token {
                    Token::Param(name) => given(name),
                    _ => true,
                })
            }
            Setting::JsonText(name) | Setting::Joined(name) => given(name),
            Setting::Bool(_) | Setting::Params => true,
            Setting::List(items) => items.iter().all(|item| self.has_arguments(item)),
            Setting::First(items) => items.iter().any(|item| self.has_arguments(item)),
            Setting::Map(members) => members.iter().all(|(_, member)| self.has_arguments(member)),
        }
    }

    fn field(&self, place: usize) -> Result<&Key, Fault> {
        let credential = self.signing.credential.ok_or(CallerFault::NoCredential)?;
        credential.field(place).ok_or_else(|| CallerFault::NoCredential.into())
    }

    fn value(&mut self, setting: &Setting) -> Result<Value, Fault> {
        Ok(match setting {
            Setting::Text(template) => match template.whole() {
                Some(Token::Param(name)) => value::find(&self.params, name).cloned().unwrap_or(Value::Null),
                _ => Value::Text(self.utf8(template)?),
            },
            Setting::Number(template) => Value::Number(self.utf8(template)?),
            Setting::Bool(flag) => Value::Bool(*flag),
            Setting::Params => Value::Map(self.params.clone()),
            Setting::First(items) => match items.iter().find(|item| self.has_arguments(item)) {
                Some(item) => self.value(item)?,
                None => Value::Null,
            },
            Setting::List(items) => {
                Value::List(items.iter().map(|item| self.value(item)).collect::<Result<_, _>>()?)
            }
            Setting::Map(members) => {
                let member = |(name, setting): &(String, Setting)| Ok((name.clone(), self.value(setting)?));
                Value::Map(members.iter().map(member).collect::<Result<_, Fault>>()?)
            }
            Setting::JsonText(name) => {
                let mut text = Vec::new();
                match value::find(&self.params, name) {
                    Some(value @ (Value::List(_) | Value::Map(_))) => value::write_json(value, &mut text),
                    Some(value) => text.extend_from_slice(value.text().as_bytes()),
                    None => text.extend_from_slice(b"[]"),
                }
                Value::Text(String::from_utf8_lossy(&text).into_owned())
            }
            Setting::Joined(name) => match value::find(&self.params, name) {
                Some(Value::List(items)) => {
                    Value::Text(items.iter().map(Value::text).collect::<Vec<_>>().join(","))
                }
                Some(value) => value.clone(),
                None => Value::Null,
            },
        })
    }

    fn utf8(&mut self, template: &Template) -> Result<String, Fault> {
        self.text(template)?.into_text().ok_or_else(|| CallerFault::Argument.into())
    }

    fn text(&mut self, template: &Template) -> Result<Wiped, Fault> {
        let mut out = Wiped::with_capacity(64);
        for piece in &template.0 {
            match piece {
                Piece::Literal(text) => out.push(text.as_bytes()),
                Piece::Place { token, filters } if filters.is_empty() => self.token(token, &mut out)?,
                Piece::Place { token, filters } => {
                    let mut bytes = Wiped::default();
                    self.token(token, &mut bytes)?;
                    let bytes = filters.iter().try_fold(bytes, |bytes, filter| apply(*filter, &bytes))?;
                    out.push(bytes.bytes());
                }
            }
        }
        Ok(out)
    }

    fn token(&mut self, token: &Token, out: &mut Wiped) -> Result<(), Fault> {
        let now = self.signing.now_ms;
        match token {
            Token::Seconds(offset) => push_number(out, (now / 1000).saturating_add_signed(*offset)),
            Token::Millis(offset) => push_number(out, now.saturating_add_signed(*offset)),
            Token::Micros => push_number(out, now.saturating_mul(1000)),
            Token::Nanos => push_number(out, now.saturating_mul(1_000_000)),
            Token::Nonce => push_number(out, self.signing.nonce),
            Token::Iso => out.push(iso8601(now).as_bytes()),
            Token::IsoSeconds => {
                let whole = iso8601(now);
                out.push(whole.split('.').next().unwrap_or_default().as_bytes());
            }
            Token::Method => out.push(self.method.name().as_bytes()),
            Token::Host => out.push(self.section.host.as_bytes()),
            Token::Path => out.push(self.path.as_bytes()),
            Token::Endpoint => out.push(self.path.get(self.prefix..).unwrap_or_default().as_bytes()),
            Token::Params { encoding, lead } => {
                // Parameters are not erased, and hold no secret field: a test keeps every connector to that.
                let mut text = Vec::with_capacity(128);
                text.extend(lead.filter(|_| !self.params.is_empty()));
                value::encode(&self.params, *encoding, &mut text);
                out.push(&text);
            }
            Token::Param(name) => {
                let value = value::find(&self.params, name).or_else(|| value::find(&self.apart, name));
                out.push(value.map_or("", Value::text).as_bytes());
            }
            Token::Random(count) => {
                let mut bytes = vec![0; *count];
                self.signing.entropy.fill(&mut bytes).map_err(|_| FaultCode::Internal)?;
                out.push(&bytes);
            }
            Token::Uuid => {
                let mut bytes = [0; 16];
                self.signing.entropy.fill(&mut bytes).map_err(|_| FaultCode::Internal)?;
                out.push(&encode::uuid(bytes));
            }
            Token::Address(place) => {
                let address = self.field(*place)?.address().map_err(|_| CallerFault::NoCredential)?;
                out.push(address.to_string().to_ascii_lowercase().as_bytes());
            }
            Token::Session(name) => {
                let credential = self.signing.credential.ok_or(CallerFault::NoCredential)?;
                out.push(credential.session(name).ok_or(CallerFault::NoCredential)?);
            }
            Token::Field(place) => out.push(self.bytes(*place)?),
            Token::Step(name) => {
                let output = self.outputs.iter().rev().find(|(known, _)| known == name);
                out.push(output.ok_or(CallerFault::NoCredential)?.1.bytes());
            }
        }
        Ok(())
    }

    fn bytes(&self, place: usize) -> Result<&[u8], Fault> {
        self.field(place)?.bytes().map_err(|_| CallerFault::NoCredential.into())
    }

    fn request(mut self, rule: &Rule, cost: u32) -> Result<Request, Fault> {
        let mut request = Request {
            host: self.section.host.clone(),
            method: self.method,
            target: self.utf8(&rule.target)?,
            headers: Vec::with_capacity(rule.headers.len() + rule.body_headers.len()),
            body: match &rule.body {
                Some(body) => self.text(body)?.into_bytes(),
                None => Vec::new(),
            },
            cost,
        };
        let body_headers = if request.body.is_empty() { &[][..] } else { &rule.body_headers };
        for (name, template) in rule.headers.iter().chain(body_headers) {
            request.headers.push((name.clone(), self.utf8(template)?));
        }
        Ok(request)
    }
}

fn json_of(params: Params) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    value::write_json(&Value::Map(params), &mut out);
    out
}

fn push_number(out: &mut Wiped, number: u64) {
    let mut digits = [0u8; 20];
    let mut rest = number;
    let mut used = 0;
    for slot in digits.iter_mut().rev() {
        *slot = b'0' + (rest % 10) as u8;
        rest /= 10;
        used += 1;
        if rest == 0 {
            break;
        }
    }
    out.push(digits.get(20 - used..).unwrap_or_default());
}

fn apply(filter: Filter, bytes: &Wiped) -> Result<Wiped, Fault> {
    let bytes = bytes.bytes();
    let filtered = match filter {
        Filter::Hex => encode::hex(bytes),
        Filter::HexUpper => encode::hex_upper(bytes),
        Filter::Base64 => encode::base64(bytes),
        Filter::Base64Url => encode::base64url(bytes),
        Filter::Percent => {
            // Room for every byte encoded: growing would leave a copy behind.
            let mut out = Vec::with_capacity(bytes.len() * 3);
            encode::percent(bytes, &mut out);
            out
        }
        Filter::Base58 => encode::base58(bytes),
        Filter::Unrooted => bytes.strip_prefix(b"/").unwrap_or(bytes).to_vec(),
        Filter::Inner => inner(bytes).to_vec(),
        Filter::Upper => bytes.to_ascii_uppercase(),
        Filter::Lower => bytes.to_ascii_lowercase(),
        Filter::Plus => encode::plus(bytes),
        Filter::SecondsDecimal => decimal_seconds(bytes),
        Filter::Iso => iso(bytes),
        Filter::Seconds => return Ok(seconds(bytes, 0)),
        Filter::SecondsUp => return Ok(seconds(bytes, 999)),
        Filter::SecondsAfter => return Ok(seconds(bytes, 1000)),
        Filter::Next => changed(bytes, |number| number.saturating_add(1)),
        Filter::Previous => changed(bytes, |number| number.saturating_sub(1)),
        Filter::Scaled(digits) => scaled(bytes, digits).ok_or(CallerFault::Argument)?.into_bytes(),
    };
    Ok(filtered.into())
}

/// A decimal times 10ᴺ, if that is whole.
fn scaled(text: &[u8], digits: u8) -> Option<String> {
    let factor = Decimal::new(10_i128.pow(u32::from(digits)), 0).ok()?;
    let product = Decimal::parse(text).ok()?.checked_mul(factor).ok()?;
    let whole = product.rounded(0, Rounding::Down).ok()?;
    (whole == product).then(|| whole.to_string())
}

/// A path without its first segment: `/spot/api/v3/order` to `/api/v3/order`.
fn inner(path: &[u8]) -> &[u8] {
    let segment = path.iter().skip(1).position(|byte| *byte == b'/');
    segment.and_then(|length| path.get(length + 1..)).unwrap_or_default()
}

/// A text of milliseconds as a number, if it is one.
fn millis(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// A whole number changed; other text stays as it is.
fn changed(text: &[u8], change: impl Fn(u64) -> u64) -> Vec<u8> {
    millis(text).map_or_else(|| text.to_vec(), |number| change(number).to_string().into_bytes())
}

/// A text of milliseconds as ISO 8601; other text stays as it is.
fn iso(text: &[u8]) -> Vec<u8> {
    millis(text).map_or_else(|| text.to_vec(), |ms| iso8601(ms).into_bytes())
}

/// A text of milliseconds as seconds with three decimals; other text stays as it is.
fn decimal_seconds(text: &[u8]) -> Vec<u8> {
    millis(text).map_or_else(|| text.to_vec(), |ms| format!("{}.{:03}", ms / 1000, ms % 1000).into_bytes())
}

/// A text of milliseconds as whole seconds, after adding `more` of them; other text stays as it is.
fn seconds(text: &[u8], more: u64) -> Wiped {
    match millis(text) {
        Some(ms) => {
            let mut out = Wiped::default();
            push_number(&mut out, ms.saturating_add(more) / 1000);
            out
        }
        None => text.to_vec().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::all;

    /// The credential fields, by place, that a setting names.
    fn fields(setting: &Setting) -> Vec<usize> {
        match setting {
            Setting::Text(template) | Setting::Number(template) => {
                let field = |token: &Token| if let Token::Field(place) = token { Some(*place) } else { None };
                template.tokens().filter_map(field).collect()
            }
            Setting::List(items) | Setting::First(items) => items.iter().flat_map(fields).collect(),
            Setting::Map(members) => members.iter().flat_map(|(_, member)| fields(member)).collect(),
            Setting::Bool(_) | Setting::Params | Setting::JsonText(_) | Setting::Joined(_) => Vec::new(),
        }
    }

    #[test]
    fn m18_no_secret_field_of_a_credential_becomes_a_parameter_which_nobody_erases() {
        for connector in all() {
            for rule in &connector.rules {
                let claims = rule.steps.iter().flat_map(|step| match &step.work {
                    Work::Jwt { header, claims, .. } => header.iter().chain(claims).collect(),
                    Work::Json { members, .. } | Work::Params { with: members, .. } => {
                        members.iter().collect()
                    }
                    _ => Vec::new(),
                });
                let lists = [&rule.first, &rule.last, &rule.defaults, &rule.seal].into_iter().flatten();
                for (name, setting) in lists.chain(claims) {
                    let is_secret = |place: usize| connector.credential.get(place).is_none_or(|f| f.secret);
                    assert!(!fields(setting).into_iter().any(is_secret), "{}: {name}", connector.id);
                }
            }
        }
    }
}
