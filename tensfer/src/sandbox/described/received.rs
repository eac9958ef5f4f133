//! What a received request says, read backwards through a signing rule: which text stands for which token.
//!
//! Nothing here knows a secret, and nothing is believed: `signature.rs` computes what the secret would have made of it.

use super::super::call::Call;
use super::super::clock;
use super::file::{File, Rule, Section, Step, is_session, matches_glob};
use super::json::Json;
use super::pattern::{Class, Part, find};
use super::sent::Sent;
use super::template::{Piece, filtered, pieces, unfiltered};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::BTreeMap;

/// An endpoint as a listing calls it.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint<'e> {
    pub method: &'e str,
    pub section: &'e Section,
    /// With `{name}` where a parameter stands.
    pub path: &'e str,
}

/// A request read through a rule.
#[derive(Debug, Clone)]
pub struct Received<'r> {
    pub file: &'r File,
    pub rule: &'r Rule,
    endpoint: Endpoint<'r>,
    /// Text by token: credential fields, numbers, steps whose output was sent.
    texts: BTreeMap<String, Vec<u8>>,
    /// Parameters that stand in the path.
    pub in_path: Vec<(String, String)>,
    /// By encoding; the first that was found tells what the others may be computed from.
    sent: Vec<(String, Sent)>,
    pub clock: Time,
}

/// The time that a request claims, as precise as it says it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Time {
    pub ms: Option<u64>,
    pub s: Option<u64>,
}

impl<'r> Received<'r> {
    /// Reads a call through a rule. `None`: it was not written by this rule.
    pub fn read(file: &'r File, rule: &'r Rule, endpoint: Endpoint<'r>, call: &Call) -> Option<Self> {
        if endpoint.method != call.method || endpoint.section.host != call.host {
            return None;
        }
        let mut this = Self {
            file,
            rule,
            endpoint,
            texts: BTreeMap::new(),
            in_path: Vec::new(),
            sent: Vec::new(),
            clock: Time::default(),
        };
        let target = call.target();
        // A question mark with nothing behind it may have been sent, or not.
        let written = this.template(&rule.target, &target);
        written.or_else(|| {
            this.template(&rule.target, &format!("{target}?")).filter(|()| call.query.is_empty())
        })?;
        match &rule.body {
            Some(body) => this.template(body, std::str::from_utf8(call.body).ok()?)?,
            None if !call.body.is_empty() => return None,
            None => {}
        }
        let body_headers = if call.body.is_empty() { &[][..] } else { &rule.body_headers };
        for (name, template) in rule.headers.iter().chain(body_headers) {
            // What a header without a place says is not the signature's matter.
            if template.contains('{') {
                this.template(template, call.header(name)?)?;
            }
        }
        this.settings()?;
        this.applies().then_some(this)
    }

    /// The raw output of a step, or the text of another token, that the request itself carries.
    pub fn claimed(&self, token: &str) -> Option<&[u8]> {
        self.texts.get(token).map(Vec::as_slice)
    }

    /// The credential fields that the request names, with their texts.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let is_field =
            |name: &str| is_session(name) || self.file.credential.iter().any(|field| field.name == name);
        self.texts
            .iter()
            .filter(move |(name, _)| is_field(name))
            .map(|(name, text)| (name.as_str(), text.as_slice()))
    }

    /// The text of the parameter of that name, wherever it was sent.
    pub fn param(&self, name: &str) -> Option<&str> {
        let in_path = self.in_path.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str());
        in_path.or_else(|| self.sent.iter().find_map(|(_, sent)| sent.text(name)))
    }

    pub fn value(&self, name: &str) -> Option<Json> {
        let in_path = self.in_path.iter().find(|(known, _)| known == name);
        in_path
            .map(|(_, text)| Json::Text(text.clone()))
            .or_else(|| self.sent.iter().find_map(|(_, sent)| sent.value(name)))
    }

    /// Names of the parameters that the caller chose: those of the rule are left out.
    pub fn chosen(&self) -> impl Iterator<Item = &str> {
        let rule = self.rule;
        let with = rule.steps.iter().filter_map(|step| step.work.member("with")).flat_map(Json::members);
        let settings =
            [&rule.first, &rule.last, &rule.defaults, &rule.seal].into_iter().flatten().chain(with);
        let ours: Vec<&str> = settings.map(|(name, _)| name.as_str()).collect();
        self.sent.iter().flat_map(|(_, sent)| sent.names()).filter(move |name| !ours.contains(name))
    }

    /// The number that must grow, where the rule has one.
    pub fn nonce(&self) -> Option<u64> {
        std::str::from_utf8(self.claimed("nonce")?).ok()?.parse().ok()
    }

    /// The text of a token that the request itself tells.
    pub fn token(&self, token: &str) -> Option<Vec<u8>> {
        if let Some((lead, encoding)) = token.split_once("params:") {
            let text = self.params(encoding)?;
            return Some(if text.is_empty() { Vec::new() } else { format!("{lead}{text}").into_bytes() });
        }
        if let Some(name) = token.strip_prefix("param.") {
            return self.param(name).map(|text| text.as_bytes().to_vec());
        }
        let number = |number: u64| number.to_string().into_bytes();
        Some(match token {
            "method" => self.endpoint.method.as_bytes().to_vec(),
            "host" => self.endpoint.section.host.as_bytes().to_vec(),
            "path" => self.path(true).into_bytes(),
            "endpoint" => self.path(false).into_bytes(),
            "us" => number(self.clock.ms?.checked_mul(1_000)?),
            "ns" => number(self.clock.ms?.checked_mul(1_000_000)?),
            "iso" => clock::iso(self.clock.ms?).into_bytes(),
            "iso-seconds" => clock::iso(self.clock.seconds()? * 1000).split('.').next()?.as_bytes().to_vec(),
            _ => match time_offset(token) {
                Some(("s", offset)) => number(self.clock.seconds()?.checked_add_signed(offset)?),
                Some((_, offset)) => number(self.clock.ms?.checked_add_signed(offset)?),
                None => self.claimed(token)?.to_vec(),
            },
        })
    }

    /// The parameters without those that were set after the signature.
    pub fn unsealed(&self) -> Option<Sent> {
        let sealed: Vec<&str> = self.rule.seal.iter().map(|(name, _)| name.as_str()).collect();
        Some(self.sent.first()?.1.without(&sealed))
    }

    fn params(&self, encoding: &str) -> Option<String> {
        let sealed: Vec<&str> = self.rule.seal.iter().map(|(name, _)| name.as_str()).collect();
        let same = self.sent.iter().find(|(known, _)| known == encoding);
        match same.or_else(|| self.sent.first()) {
            Some((_, sent)) => sent.without(&sealed).encoded(encoding),
            // A rule that sends none.
            None => Some(if encoding.starts_with("object") { "{}".to_owned() } else { String::new() }),
        }
    }

    fn path(&self, whole: bool) -> String {
        let prefix = self.endpoint.section.prefix(self.endpoint.method, self.endpoint.path);
        let mut path = if whole { prefix.to_owned() } else { String::new() };
        for piece in pieces(self.endpoint.path) {
            match piece {
                Piece::Literal(text) => path.push_str(text),
                Piece::Place { token, .. } => path.push_str(&String::from_utf8_lossy(
                    self.claimed(&format!("path.{token}")).unwrap_or_default(),
                )),
            }
        }
        path
    }

    /// Whether the conditions of the rule hold for the parameters that came.
    fn applies(&self) -> bool {
        let fits =
            |(name, glob): &(String, String)| self.param(name).is_some_and(|text| matches_glob(glob, text));
        self.rule.when.iter().all(fits) && (!self.rule.empty || self.chosen().next().is_none())
    }

    /// Matches a text against a template, and keeps what stood for its places.
    fn template(&mut self, template: &str, text: &str) -> Option<()> {
        let mut parts = Vec::new();
        self.parts(template, &mut parts)?;
        for (name, text) in find(&parts, text)? {
            self.keep(&name, text.as_bytes())?;
        }
        Some(())
    }

    /// The pattern of a template. The name of a place is its token with its filters.
    fn parts(&self, template: &str, parts: &mut Vec<Part>) -> Option<()> {
        for piece in pieces(template) {
            match piece {
                Piece::Literal(text) => parts.push(Part::Literal(text.to_owned())),
                Piece::Place { token, filters } => self.place(token, &filters, parts)?,
            }
        }
        Some(())
    }

    fn place(&self, token: &str, filters: &[&str], parts: &mut Vec<Part>) -> Option<()> {
        let name = [&[token], filters].concat().join("|");
        match token {
            "method" | "host" => {
                let text =
                    filters.iter().try_fold(self.token(token)?, |text, filter| filtered(filter, &text))?;
                parts.push(Part::Literal(String::from_utf8(text).ok()?));
                return Some(());
            }
            "path" | "endpoint" if filters.is_empty() => {
                self.path_parts(token == "path", parts);
                return Some(());
            }
            _ => {}
        }
        if let (Some((lead, _)), []) = (token.split_once("params:"), filters)
            && let Some(lead) = lead.chars().next()
        {
            parts.push(Part::Optional(lead, token.trim_start_matches(lead).to_owned()));
            return Some(());
        }
        if let (Some(step), []) = (self.step(token), filters)
            && step.encode.is_empty()
            && let Some(text) = step.work.field("text")
        {
            return self.parts(text, parts);
        }
        parts.push(Part::Place(name, self.class(token, filters)));
        Some(())
    }

    fn path_parts(&self, whole: bool, parts: &mut Vec<Part>) {
        if whole {
            let prefix = self.endpoint.section.prefix(self.endpoint.method, self.endpoint.path);
            parts.push(Part::Literal(prefix.to_owned()));
        }
        for piece in pieces(self.endpoint.path) {
            parts.push(match piece {
                Piece::Literal(text) => Part::Literal(text.to_owned()),
                Piece::Place { token, .. } => Part::Place(format!("path.{token}"), Class::Segment),
            });
        }
    }

    /// What a place may be filled with.
    fn class(&self, token: &str, filters: &[&str]) -> Class {
        // Steps of one name are alternatives: base64 includes hexadecimal, and what is percent-encoded includes both.
        const WIDTH: [&str; 5] = ["HEX", "hex", "base64url", "base64", "percent"];
        let steps = self.rule.steps.iter().filter(|step| step.name == token);
        let encoded = steps.filter_map(|step| step.encode.last().map(String::as_str));
        let widest = encoded.max_by_key(|filter| WIDTH.iter().position(|known| known == filter));
        let last = filters.last().copied().or(widest);
        match (token, last) {
            (_, Some("hex" | "HEX")) => Class::Hex,
            (_, Some("base64" | "base64url")) => Class::Base64,
            (_, Some("percent")) => Class::Percent,
            (_, Some("seconds-decimal")) => Class::Decimal,
            ("nonce" | "us" | "ns", None) => Class::Digits,
            ("iso" | "iso-seconds" | "uuid", None) => Class::Word,
            (token, None) if time_offset(token).is_some() => Class::Digits,
            (token, _) if self.step(token).is_some_and(|step| step.work.member("jwt").is_some()) => {
                Class::Jwt
            }
            _ => Class::Any,
        }
    }

    /// The step of that name; none where several are alternatives by the key, which is not known here.
    fn step(&self, name: &str) -> Option<&'r Step> {
        let mut named = self.rule.steps.iter().filter(|step| step.name == name);
        named.next().filter(|_| named.next().is_none())
    }

    /// Keeps a text under its token, after undoing the filters. Two texts for one token are no request.
    fn keep(&mut self, name: &str, text: &[u8]) -> Option<()> {
        let mut parts = name.split('|');
        let token = parts.next()?;
        let filters: Vec<&str> = parts.collect();
        let text = filters.iter().rev().try_fold(text.to_vec(), |text, filter| unfiltered(filter, &text))?;
        if let Some(encoding) = token.strip_prefix("params:") {
            return self.keep_params(encoding, std::str::from_utf8(&text).ok()?);
        }
        if self.keep_time(token, &text)? {
            return Some(());
        }
        if let Some(known) = self.texts.insert(token.to_owned(), text.clone()) {
            return (known == text).then_some(());
        }
        if let Some(param) = token.strip_prefix("path.") {
            let decoded =
                String::from_utf8(super::template::unpercent(std::str::from_utf8(&text).ok()?)?).ok()?;
            self.in_path.push((param.to_owned(), decoded));
        }
        match self.step(token) {
            Some(step) => self.open(step, &text),
            None => Some(()),
        }
    }

    fn keep_params(&mut self, encoding: &str, text: &str) -> Option<()> {
        let sent = Sent::parse(encoding, text)?;
        self.sent.push((encoding.to_owned(), sent));
        Some(())
    }

    /// Whether the token was a time. Two times that differ are no request.
    fn keep_time(&mut self, token: &str, text: &[u8]) -> Option<bool> {
        let number = || std::str::from_utf8(text).ok()?.parse::<u64>().ok();
        let (ms, s) = match token {
            "us" => (Some(number()? / 1_000), None),
            "ns" => (Some(number()? / 1_000_000), None),
            "iso" => (Some(clock::parse_iso(std::str::from_utf8(text).ok()?)?), None),
            "iso-seconds" => {
                let ms = clock::parse_iso(&format!("{}.000Z", std::str::from_utf8(text).ok()?))?;
                (None, Some(ms / 1000))
            }
            _ => match time_offset(token) {
                Some(("s", offset)) => (None, Some(number()?.checked_add_signed(-offset)?)),
                Some((_, offset)) => (Some(number()?.checked_add_signed(-offset)?), None),
                None => return Some(false),
            },
        };
        self.clock.agree(ms, s).then_some(true)
    }

    /// Looks into a step's output that was sent, where it can be looked into.
    fn open(&mut self, step: &'r Step, text: &[u8]) -> Option<()> {
        let inner = || {
            let undone =
                step.encode.iter().rev().try_fold(text.to_vec(), |text, filter| unfiltered(filter, &text))?;
            String::from_utf8(undone).ok()
        };
        if let Some(template) = step.work.field("text") {
            return self.template(template, &inner()?);
        }
        if let Some(Json::Map(members)) = step.work.member("json") {
            return self.object(members, step.work.field("params") == Some("true"), &inner()?);
        }
        if let Some(encoding) = step.work.field("params") {
            self.keep_params(encoding, &inner()?)?;
            let with = step.work.member("with").map(Json::members).unwrap_or_default();
            return self.taken_off(with);
        }
        if step.work.member("jwt").is_some() {
            return self.token_parts(step, &inner()?);
        }
        Some(())
    }

    /// A JSON object of settings, and the parameters behind them.
    fn object(&mut self, settings: &[(String, Json)], and_params: bool, text: &str) -> Option<()> {
        let Json::Map(members) = Json::parse(text)? else { return None };
        for (name, setting) in settings {
            let given = members.iter().filter(|(known, _)| known == name).collect::<Vec<_>>();
            let [(_, value)] = given.as_slice() else { return None };
            self.setting(setting, value)?;
        }
        let rest: Vec<_> =
            members.into_iter().filter(|(name, _)| !settings.iter().any(|(ours, _)| ours == name)).collect();
        if and_params {
            self.sent.insert(0, ("object".to_owned(), Sent::Object(rest)));
            return Some(());
        }
        rest.is_empty().then_some(())
    }

    /// Header and claims of a JWT; `alg` is the signature's matter.
    fn token_parts(&mut self, step: &Step, token: &str) -> Option<()> {
        let part = |part: &str| Json::parse(&String::from_utf8(URL_SAFE_NO_PAD.decode(part).ok()?).ok()?);
        let mut parts = token.split('.');
        let (header, claims) = (part(parts.next()?)?, part(parts.next()?)?);
        let settings = |name: &str| step.work.member(name).map(Json::members).unwrap_or_default();
        for (settings, given) in [(settings("header"), &header), (settings("claims"), &claims)] {
            for (name, setting) in settings {
                self.setting(setting, given.member(name)?)?;
            }
        }
        // A claim that the rule does not know is none of the exchange's.
        let known = |(name, _): &(String, Json)| settings("claims").iter().any(|(ours, _)| ours == name);
        claims.members().iter().all(known).then_some(())
    }

    /// Settings that the rule itself put among the parameters: each must be there once.
    fn settings(&mut self) -> Option<()> {
        let rule = self.rule;
        for (name, setting) in rule.first.iter().chain(&rule.last).chain(&rule.seal) {
            let value = self.value(name)?;
            if self.sent.iter().any(|(_, sent)| sent.count(name) > 1) {
                return None;
            }
            self.setting(setting, &value)?;
        }
        // Where a parameter stands in the path and among the others, both say the same.
        let differs = |(name, text): &(String, String)| {
            self.sent.iter().any(|(_, sent)| sent.text(name).is_some_and(|sent| sent != text))
        };
        if rule.keeps_path && self.in_path.iter().any(differs) {
            return None;
        }
        for (name, setting) in &rule.defaults {
            // The caller may have said something else.
            if let Some(value) = self.value(name)
                && setting.text().is_some_and(|template| template.contains('{'))
            {
                self.setting(setting, &value)?;
            }
        }
        Some(())
    }

    /// Takes parameters off that are only signed, or only sent.
    fn taken_off(&mut self, settings: &[(String, Json)]) -> Option<()> {
        for (name, setting) in settings {
            let value = self.value(name)?;
            self.setting(setting, &value)?;
        }
        Some(())
    }

    /// Matches a value against the setting that it was made from.
    fn setting(&mut self, setting: &Json, value: &Json) -> Option<()> {
        match setting {
            Json::Text(template) => match (template.strip_prefix("{param."), value.text()) {
                (Some(_), _) => Some(()),
                (None, Some(text)) => self.template(template, text),
                (None, None) => template.is_empty().then_some(()),
            },
            Json::List(items) => {
                let same = items.len() == value.items().len();
                same.then_some(())?;
                items.iter().zip(value.items()).try_for_each(|(item, value)| self.setting(item, value))
            }
            Json::Map(members) => match members.as_slice() {
                [(word, Json::Text(template))] if word == "number" => self.template(template, value.text()?),
                [(word, _)] if word == "json" || word == "joined" => Some(()),
                [(word, _)] if word == "params" => {
                    let Json::Map(members) = value else { return None };
                    self.sent.insert(0, ("object".to_owned(), Sent::Object(members.clone())));
                    Some(())
                }
                members => {
                    members.iter().try_for_each(|(name, setting)| self.setting(setting, value.member(name)?))
                }
            },
            constant => (constant.text() == value.text()).then_some(()),
        }
    }
}

impl Time {
    /// Takes another statement of the time; false where it contradicts.
    fn agree(&mut self, ms: Option<u64>, s: Option<u64>) -> bool {
        let same = |known: Option<u64>, new: Option<u64>| known.is_none() || new.is_none() || known == new;
        let agrees = same(self.ms, ms) && same(self.s, s);
        *self = Self { ms: self.ms.or(ms), s: self.s.or(s) };
        agrees && same(self.ms.map(|ms| ms / 1000), self.s)
    }

    pub fn seconds(self) -> Option<u64> {
        self.s.or(self.ms.map(|ms| ms / 1000))
    }

    /// Unix ms, as precise as was said.
    pub fn millis(self) -> Option<u64> {
        self.ms.or(self.s.map(|s| s * 1000))
    }
}

/// `s`, `ms`, `s+60`, `ms-100`: the unit and the offset in it.
fn time_offset(token: &str) -> Option<(&str, i64)> {
    let (unit, offset) = token.split_at(token.find(['+', '-']).unwrap_or(token.len()));
    let is_unit = unit == "s" || unit == "ms";
    is_unit.then(|| Some((unit, if offset.is_empty() { 0 } else { offset.parse().ok()? })))?
}
