//! The signature base (RFC 9421 §2.5): the very bytes that are signed.

use super::Refused;
use super::request::{Request, is_field_name};
use super::structured::{Bare, InnerList, Item};
use std::fmt::Write;

/// A covered component, of requests. `@query-param` and `@status` are refused as unknown: the first is a part of `@query`, the second
/// is of responses. So is each parameter of a component (`sf`, `key`, `bs`, `tr`, `req`, `name`): fields are covered as received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Component {
    Method,
    TargetUri,
    Authority,
    Scheme,
    RequestTarget,
    Path,
    Query,
    /// By its name in lower case.
    Field(String),
}

impl Component {
    pub fn parse(item: &Item) -> Result<Component, Refused> {
        let Bare::String(name) = &item.value else { return Err(Refused::SignatureMalformed) };
        if item.parameters.keys().len() > 0 {
            return Err(Refused::ComponentParameters);
        }
        Component::named(name)
    }

    pub fn named(name: &str) -> Result<Component, Refused> {
        match name {
            "@method" => Ok(Component::Method),
            "@target-uri" => Ok(Component::TargetUri),
            "@authority" => Ok(Component::Authority),
            "@scheme" => Ok(Component::Scheme),
            "@request-target" => Ok(Component::RequestTarget),
            "@path" => Ok(Component::Path),
            "@query" => Ok(Component::Query),
            _ if is_field_name(name) => Ok(Component::Field(name.to_owned())),
            _ => Err(Refused::ComponentUnknown),
        }
    }

    pub fn name(&self) -> &str {
        match self {
            Component::Method => "@method",
            Component::TargetUri => "@target-uri",
            Component::Authority => "@authority",
            Component::Scheme => "@scheme",
            Component::RequestTarget => "@request-target",
            Component::Path => "@path",
            Component::Query => "@query",
            Component::Field(name) => name,
        }
    }

    fn value(&self, request: &Request) -> Result<String, Refused> {
        let query = request.query();
        let target = || {
            let query = query.map(|query| format!("?{query}")).unwrap_or_default();
            format!("{}{query}", request.path())
        };
        let (scheme, authority) = (request.scheme().as_str(), request.authority().as_str());
        Ok(match self {
            Component::Method => request.method().to_owned(),
            Component::TargetUri => format!("{scheme}://{authority}{}", target()),
            Component::Authority => authority.to_owned(),
            Component::Scheme => scheme.to_owned(),
            Component::RequestTarget => target(),
            Component::Path => request.path().to_owned(),
            // Of no query, the question mark alone (§2.2.7).
            Component::Query => format!("?{}", query.unwrap_or_default()),
            Component::Field(name) => request.joined(name)?.ok_or(Refused::ComponentAbsent)?,
        })
    }
}

/// What a member of `Signature-Input` covers, each component once.
pub fn components(input: &InnerList) -> Result<Vec<Component>, Refused> {
    let mut components = Vec::with_capacity(input.items.len());
    for item in &input.items {
        let component = Component::parse(item)?;
        if components.contains(&component) {
            return Err(Refused::ComponentRepeated);
        }
        components.push(component);
    }
    Ok(components)
}

/// ASCII, a line for each component and one for the parameters, no line end after it. Nothing in a line is a line end, so that no
/// two requests have one base: methods, targets and fields were refused if they had one.
pub fn signature_base(request: &Request, input: &InnerList) -> Result<String, Refused> {
    let mut base = String::new();
    for component in components(input)? {
        let value = component.value(request)?;
        // Writing to a string does not fail.
        let _ = writeln!(base, "\"{}\": {value}", component.name());
    }
    let _ = write!(base, "\"@signature-params\": {input}");
    Ok(base)
}
