//! The part of the loader that reads signing rules.

use super::ethereum::Structure;
use super::json::{Json, Kind};
use super::load::key_kind;
use super::model::*;
use super::table::{LoadError, Table};
use super::template::{Filter, Scope, Template, parse_encoding, parse_filter};

pub fn rules(top: &mut Table<'_>, fields: &[CredentialField]) -> Result<Vec<Rule>, LoadError> {
    let names: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
    let listed = top.tables("signing")?;
    let mut rules = Vec::with_capacity(listed.len());
    for table in listed {
        rules.push(rule(table, &names)?);
    }
    Ok(rules)
}

fn rule(mut table: Table<'_>, fields: &[String]) -> Result<Rule, LoadError> {
    let before = Scope { fields, steps: &[] };
    let first = settings(&mut table, "first", before)?;
    let last = settings(&mut table, "last", before)?;
    let defaults = settings(&mut table, "defaults", before)?;
    let (steps, names) = steps(&mut table, fields)?;
    let after = Scope { fields, steps: &names };
    let globs = |texts: Vec<String>| texts.into_iter().map(Glob).collect();
    let methods = table.texts("methods")?;
    let rule = Rule {
        sections: table.texts("sections")?,
        methods: methods.iter().map(|name| Method::parse(name)).collect::<Result<_, _>>()?,
        paths: globs(table.texts("paths")?),
        when: table.pairs("when")?.into_iter().map(|(name, glob)| (name, Glob(glob))).collect(),
        empty: table.flag("empty", false)?,
        keys: kinds(&mut table, "keys")?,
        keeps_path: table.flag("keeps_path", false)?,
        apart: table.texts("apart")?,
        first,
        last,
        defaults,
        seal: settings(&mut table, "seal", after)?,
        target: template(&mut table, "target", after)?.ok_or_else(|| table.fault("target", "missing"))?,
        body: template(&mut table, "body", after)?,
        headers: headers(&mut table, "headers", after)?,
        body_headers: headers(&mut table, "body_headers", after)?,
        steps,
    };
    table.finish()?;
    Ok(rule)
}

fn kinds(table: &mut Table<'_>, name: &str) -> Result<Vec<KeyKind>, LoadError> {
    table.texts(name)?.iter().map(|kind| key_kind(kind)).collect()
}

fn template(table: &mut Table<'_>, name: &str, scope: Scope<'_>) -> Result<Option<Template>, LoadError> {
    let text = table.optional_text(name)?;
    text.map(|text| Template::parse(&text, scope).map_err(|reason| table.fault(name, reason))).transpose()
}

fn headers(
    table: &mut Table<'_>,
    name: &str,
    scope: Scope<'_>,
) -> Result<Vec<(String, Template)>, LoadError> {
    let listed = table.pairs(name)?;
    let mut headers = Vec::with_capacity(listed.len());
    for (header, text) in listed {
        headers.push((header, Template::parse(&text, scope).map_err(|reason| table.fault(name, reason))?));
    }
    Ok(headers)
}

/// The steps of a rule, and the names they define. Steps of one name are alternatives by kind of key.
fn steps(table: &mut Table<'_>, fields: &[String]) -> Result<(Vec<Step>, Vec<String>), LoadError> {
    let listed = table.tables("steps")?;
    let mut steps = Vec::with_capacity(listed.len());
    let mut names: Vec<String> = Vec::with_capacity(listed.len());
    for inner in listed {
        let step = step(inner, Scope { fields, steps: &names })?;
        if !names.contains(&step.name) {
            names.push(step.name.clone());
        }
        steps.push(step);
    }
    Ok((steps, names))
}

fn step(mut table: Table<'_>, scope: Scope<'_>) -> Result<Step, LoadError> {
    let json = settings(&mut table, "json", scope)?;
    let work = if !json.is_empty() {
        Work::Json { members: json, params: table.flag("params", false)? }
    } else if let Some(text) = template(&mut table, "text", scope)? {
        Work::Text(text)
    } else if let Some(encoding) = table.optional_text("params")? {
        Work::Params { encoding: parse_encoding(&encoding)?, with: settings(&mut table, "with", scope)? }
    } else if let Some(name) = table.optional_text("hash")? {
        Work::Hash { hash: hash(&name)?, message: message(&mut table, scope)? }
    } else if let Some(name) = table.optional_text("hmac")? {
        let key = template(&mut table, "key", scope)?.ok_or_else(|| table.fault("key", "missing"))?;
        Work::Hmac { hash: mac_hash(&name)?, key, message: message(&mut table, scope)? }
    } else if let Some(name) = table.optional_text("sign")? {
        Work::Sign { field: field(&table, &name, scope)?, message: message(&mut table, scope)? }
    } else if let Some(name) = table.optional_text("personal")? {
        Work::Personal { field: field(&table, &name, scope)?, message: message(&mut table, scope)? }
    } else if let Some(name) = table.optional_text("typed")? {
        let field = field(&table, &name, scope)?;
        Work::Typed { field, structure: Box::new(Structure::load(&mut table, scope)?) }
    } else if let Some(name) = table.optional_text("jwt")? {
        let field = field(&table, &name, scope)?;
        let (header, claims) =
            (settings(&mut table, "header", scope)?, settings(&mut table, "claims", scope)?);
        Work::Jwt { field, header, claims }
    } else {
        return Err(table.fault("", "expected text, json, params, hash, hmac, sign, personal, typed or jwt"));
    };
    let filters = table.optional_text("encode")?.unwrap_or_default();
    let encode: Vec<Filter> =
        filters.split('|').filter(|name| !name.is_empty()).map(parse_filter).collect::<Result<_, _>>()?;
    let step = Step { name: table.text("name")?, keys: kinds(&mut table, "keys")?, work, encode };
    table.finish()?;
    Ok(step)
}

fn message(table: &mut Table<'_>, scope: Scope<'_>) -> Result<Template, LoadError> {
    template(table, "message", scope)?.ok_or_else(|| table.fault("message", "missing"))
}

fn field(table: &Table<'_>, name: &str, scope: Scope<'_>) -> Result<usize, LoadError> {
    let found = scope.fields.iter().position(|field| field == name);
    found.ok_or_else(|| table.fault(name, "no such credential field"))
}

/// A hash under HMAC: no exchange asks for MD5 or Keccak there.
fn mac_hash(name: &str) -> Result<Hash, LoadError> {
    match hash(name)? {
        Hash::Md5 | Hash::Keccak256 => Err(format!("HMAC with `{name}` is not used")),
        hash => Ok(hash),
    }
}

fn hash(name: &str) -> Result<Hash, LoadError> {
    match name {
        "md5" => Ok(Hash::Md5),
        "sha256" => Ok(Hash::Sha256),
        "sha384" => Ok(Hash::Sha384),
        "sha512" => Ok(Hash::Sha512),
        "keccak256" => Ok(Hash::Keccak256),
        _ => Err(format!("unknown hash `{name}`")),
    }
}

fn settings(
    table: &mut Table<'_>,
    name: &str,
    scope: Scope<'_>,
) -> Result<Vec<(String, Setting)>, LoadError> {
    let listed = table.entries(name)?;
    let mut settings = Vec::with_capacity(listed.len());
    for (key, json) in listed {
        settings.push((key, setting(json, scope).map_err(|reason| table.fault(name, reason))?));
    }
    Ok(settings)
}

/// A value with templates: text; number; boolean; list; `{ number = "…" }`; `{ json = "parameter" }`; `{ first = […] }`; a table.
pub fn setting(json: Json<'_>, scope: Scope<'_>) -> Result<Setting, LoadError> {
    Ok(match json.kind() {
        Kind::String | Kind::Escaped => {
            Setting::Text(Template::parse(&json.string().unwrap_or_default(), scope)?)
        }
        Kind::Number => Setting::Number(Template::parse(json.raw(), scope)?),
        Kind::True => Setting::Bool(true),
        Kind::False => Setting::Bool(false),
        Kind::Array => {
            Setting::List(json.elements().map(|item| setting(item, scope)).collect::<Result<_, _>>()?)
        }
        Kind::Object => object(json, scope)?,
        Kind::Null => return Err("null is no value".to_owned()),
    })
}

fn object(json: Json<'_>, scope: Scope<'_>) -> Result<Setting, LoadError> {
    let members = Table::of(json, "value")?.into_members();
    if let [(name, value)] = members.as_slice() {
        let text = value.string().unwrap_or_default();
        match name.as_str() {
            "number" => return Template::parse(&text, scope).map(Setting::Number),
            "json" => return Ok(Setting::JsonText(text.into_owned())),
            "joined" => return Ok(Setting::Joined(text.into_owned())),
            "params" if text == "all" => return Ok(Setting::Params),
            "first" if value.kind() == Kind::Array => {
                let items = value.elements().map(|item| setting(item, scope)).collect::<Result<_, _>>()?;
                return Ok(Setting::First(items));
            }
            _ => {}
        }
    }
    let mut settings = Vec::with_capacity(members.len());
    for (name, value) in members {
        settings.push((name, setting(value, scope)?));
    }
    Ok(Setting::Map(settings))
}
