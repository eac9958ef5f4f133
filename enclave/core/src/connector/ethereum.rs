//! Structures that Ethereum keys sign in signing rules (EIP-712), as connector files write them.

use super::json::Json;
use super::table::{LoadError, Table};
use super::template::{Scope, Template};

/// A flat structure to be signed: its domain, its type as `encodeType` writes it, and a template for each member.
#[derive(Debug)]
pub struct Structure {
    pub name: Option<String>,
    pub version: Option<String>,
    pub chain_id: Option<u64>,
    /// `0x` and 40 hexadecimal digits.
    pub contract: Option<String>,
    pub encoded_type: String,
    pub members: Vec<(Member, Template)>,
}

/// The type of a member, as far as exchanges use them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Member {
    Text,
    Bytes,
    /// `bytesN`.
    Fixed(usize),
    /// `uintN`.
    Number,
    Bool,
    Address,
}

impl Structure {
    /// Reads `domain`, `type` and `members` of a step.
    pub fn load(table: &mut Table<'_>, scope: Scope<'_>) -> Result<Self, LoadError> {
        let domain = table.take("domain").ok_or_else(|| table.fault("domain", "missing"))?;
        let encoded_type = table.text("type")?;
        let kinds = members(&encoded_type).map_err(|reason| table.fault("type", reason))?;
        let templates = table.texts("members")?;
        if kinds.len() != templates.len() {
            return Err(table.fault("members", "expected one for each of the type"));
        }
        let parse = |text: &String| Template::parse(text, scope);
        let templates: Vec<Template> = templates
            .iter()
            .map(parse)
            .collect::<Result<_, _>>()
            .map_err(|why| table.fault("members", why))?;
        let members = kinds.into_iter().zip(templates).collect();
        Self { encoded_type, members, name: None, version: None, chain_id: None, contract: None }
            .within(domain)
    }

    fn within(mut self, domain: Json<'_>) -> Result<Self, LoadError> {
        let mut table = Table::of(domain, "domain")?;
        self.name = table.optional_text("name")?;
        self.version = table.optional_text("version")?;
        self.chain_id = match table.number("chain_id", Some(0))? {
            0 => None,
            id => Some(id.into()),
        };
        let contract = table.optional_text("verifying_contract")?;
        if contract.as_ref().is_some_and(|text| !is_address(text)) {
            return Err(table.fault("verifying_contract", "expected `0x` and 40 digits of a single case"));
        }
        self.contract = contract;
        table.finish()?;
        Ok(self)
    }

    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        self.members.iter().map(|(_, template)| template)
    }
}

impl Member {
    fn parse(name: &str) -> Option<Self> {
        let size = |digits: &str, most: usize| digits.parse().ok().filter(|size| (1..=most).contains(size));
        match name {
            "string" => Some(Self::Text),
            "bytes" => Some(Self::Bytes),
            "bool" => Some(Self::Bool),
            "address" => Some(Self::Address),
            _ => match (name.strip_prefix("bytes"), name.strip_prefix("uint")) {
                (Some(digits), _) => size(digits, 32).map(Self::Fixed),
                (_, Some(digits)) => size(digits, 256).map(|_| Self::Number),
                _ => None,
            },
        }
    }
}

/// An address without a checksum.
fn is_address(text: &str) -> bool {
    let digits = text.strip_prefix("0x").unwrap_or_default();
    digits.len() == 40 && digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// The members of `Name(type name,…)`.
fn members(encoded_type: &str) -> Result<Vec<Member>, String> {
    let (name, rest) = encoded_type.split_once('(').ok_or("expected `Name(type name,…)`")?;
    let list = rest.strip_suffix(')').ok_or("expected `Name(type name,…)`")?;
    let word = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':')
    };
    if !word(name) {
        return Err(format!("`{name}` is no name"));
    }
    let member = |text: &str| {
        let (kind, _) = text.split_once(' ').filter(|(_, name)| word(name))?;
        Member::parse(kind)
    };
    list.split(',').map(|text| member(text).ok_or_else(|| format!("unknown member `{text}`"))).collect()
}
