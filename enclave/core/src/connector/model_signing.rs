//! How requests are written and signed, as loaded from a connector's file.

use super::ethereum::Structure;
use super::model::{KeyKind, Method};
use super::template::{Filter, Template, Token};
use super::value::Encoding;

/// How requests to some endpoints are written and signed. The first rule that applies is taken.
#[derive(Debug)]
pub struct Rule {
    pub sections: Vec<String>,
    pub methods: Vec<Method>,
    pub paths: Vec<Glob>,
    /// Parameters that must match.
    pub when: Vec<(String, Glob)>,
    /// Only for requests without parameters (besides those in the path).
    pub empty: bool,
    /// Kinds that the credential's signing key must have.
    pub keys: Vec<KeyKind>,
    /// Path parameters stay among the others.
    pub keeps_path: bool,
    /// Parameters that are none of those which target and body list: headers name them one by one.
    pub apart: Vec<String>,
    /// Parameters put in front.
    pub first: Vec<(String, Setting)>,
    /// Parameters set at the end.
    pub last: Vec<(String, Setting)>,
    /// Parameters set at the end where the caller did not set them.
    pub defaults: Vec<(String, Setting)>,
    pub steps: Vec<Step>,
    /// Parameters set after the steps, before target and body are written.
    pub seal: Vec<(String, Setting)>,
    pub target: Template,
    pub body: Option<Template>,
    pub headers: Vec<(String, Template)>,
    /// Headers that are sent only along with a body.
    pub body_headers: Vec<(String, Template)>,
}

impl Rule {
    /// Whether requests by this rule carry something of the credential.
    pub fn authenticates(&self) -> bool {
        let headers = self.headers.iter().map(|(_, template)| template);
        !self.steps.is_empty() || headers.chain(&self.body).chain([&self.target]).any(Template::uses_field)
    }
}

impl Template {
    pub fn uses_field(&self) -> bool {
        self.tokens().any(|token| matches!(token, Token::Field(_) | Token::Address(_) | Token::Session(_)))
    }
}

/// A value made from templates.
#[derive(Clone, Debug)]
pub enum Setting {
    Text(Template),
    Number(Template),
    Bool(bool),
    List(Vec<Setting>),
    Map(Vec<(String, Setting)>),
    /// The JSON text of the parameter of that name, `[]` where it is missing.
    JsonText(String),
    /// The items of the list of that name with commas between.
    Joined(String),
    /// All parameters, as a table.
    Params,
    /// The first of these whose arguments all have a value.
    First(Vec<Setting>),
}

impl Setting {
    pub(super) fn uses_field(&self) -> bool {
        match self {
            Self::Text(template) | Self::Number(template) => template.uses_field(),
            Self::List(items) | Self::First(items) => items.iter().any(Self::uses_field),
            Self::Map(members) => members.iter().any(|(_, member)| member.uses_field()),
            Self::Bool(_) | Self::JsonText(_) | Self::Joined(_) | Self::Params => false,
        }
    }

    pub(super) fn arguments(&self, names: &mut Vec<String>) {
        match self {
            Self::Text(template) | Self::Number(template) => names.extend(template.params()),
            Self::JsonText(name) | Self::Joined(name) => names.push(name.clone()),
            Self::Bool(_) | Self::Params => {}
            Self::List(items) | Self::First(items) => items.iter().for_each(|item| item.arguments(names)),
            Self::Map(members) => members.iter().for_each(|(_, member)| member.arguments(names)),
        }
    }
}

/// One computation of a signing rule; its output is a token of that name.
#[derive(Debug)]
pub struct Step {
    pub name: String,
    /// Kinds of the signing key for which the step applies; all when empty.
    pub keys: Vec<KeyKind>,
    pub work: Work,
    pub encode: Vec<Filter>,
}

#[derive(Debug)]
pub enum Work {
    Text(Template),
    /// A JSON object of these settings, with the parameters behind them where `params` says so.
    Json {
        members: Vec<(String, Setting)>,
        params: bool,
    },
    /// The parameters, and further ones that are signed without being sent.
    Params {
        encoding: Encoding,
        with: Vec<(String, Setting)>,
    },
    Hash {
        hash: Hash,
        message: Template,
    },
    Hmac {
        hash: Hash,
        key: Template,
        message: Template,
    },
    /// A signature by the key in a credential field; the algorithm follows from the key.
    Sign {
        field: usize,
        message: Template,
    },
    /// A text signed by an Ethereum key as `personal_sign` does (EIP-191): r ‖ s ‖ 27 or 28.
    Personal {
        field: usize,
        message: Template,
    },
    /// A structure signed by an Ethereum key (EIP-712): r ‖ s ‖ 27 or 28.
    Typed {
        field: usize,
        structure: Box<Structure>,
    },
    /// A JWT (RFC 7519) by the key in a credential field; `alg` follows from the key.
    Jwt {
        field: usize,
        header: Vec<(String, Setting)>,
        claims: Vec<(String, Setting)>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// RFC 1321: broken against collisions, and what some exchanges still ask for.
    Md5,
    Sha256,
    Sha384,
    Sha512,
    /// As Ethereum uses it, which is not SHA-3.
    Keccak256,
}

/// A pattern with `*` for any text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(pub String);

impl Glob {
    pub fn matches(&self, text: &str) -> bool {
        is_like(text, &self.0)
    }
}

/// Whether a text is what the pattern says, in which `*` stands for any text.
pub fn is_like(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|start| text.strip_prefix(start)) else { return false };
    let Some(end) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(end)
}
