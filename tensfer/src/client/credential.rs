//! A credential on its way in: from hidden prompts, a file, standard input or a file descriptor; never from arguments.

use crate::client::failure::{Failure, Result};
use crate::client::home::files;
use crate::client::terminal::{self, say};
use host::catalogue::{Exchange, Field};
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::path::Path;
use zeroize::Zeroizing;

/// A JSON object of the fields that the connector declares.
pub type Credential = Zeroizing<Vec<u8>>;

/// No credential is longer: RSA keys in PEM are below 4 KiB.
const MAX_BYTES: usize = 16 << 10;

/// Reads the JSON object from a file, or from standard input for `-`.
pub fn read(path: &Path, exchange: &Exchange) -> Result<Credential> {
    let bytes = files::read_secret(path, "credential file")?;
    let trimmed = bytes.trim_ascii();
    check(trimmed, exchange)?;
    Ok(Zeroizing::new(trimmed.to_vec()))
}

/// Asks for each field that the catalogue declares; says before how to make a key that can only read.
pub fn ask(exchange: &Exchange) -> Result<Credential> {
    if exchange.chain.is_some() {
        return Err(Failure::usage(format!("you did not say which wallet on {}", exchange.name))
            .hint(format!("name it with `--address`. {}", exchange.guide.steps.trim())));
    }
    if !terminal::can_ask() {
        return Err(Failure::usage("there is no terminal to ask for the credential")
            .hint("give it as JSON: `--credentials FILE`, or `--credentials -` for standard input"));
    }
    say(format!("{}: {}\n{}\n", exchange.name, exchange.guide.url, exchange.guide.steps.trim()));
    let mut fields = BTreeMap::new();
    for field in &exchange.credential {
        fields.insert(field.name.as_str(), ask_field(field)?);
    }
    to_json(&fields)
}

/// One line that is a secret.
pub fn ask_secret(what: &str) -> Result<Zeroizing<String>> {
    if !terminal::can_ask() {
        return Err(Failure::usage("there is no terminal to ask at").hint("give it in a file"));
    }
    let value = terminal::ask_hidden(what)?;
    Ok(Zeroizing::new(value.trim().to_owned()))
}

/// One line, or a PEM text to its end; keys are pasted both ways, also with `\n` for the line breaks.
fn ask_field(field: &Field) -> Result<Zeroizing<String>> {
    let mut value = terminal::ask_hidden(&format!("{} (not shown)", field.label))?;
    if value.trim_start().starts_with("-----BEGIN") {
        while !value.contains("-----END") {
            let line = terminal::ask_hidden("")?;
            let mut longer = Zeroizing::new(String::with_capacity(value.len() + line.len() + 1));
            longer.push_str(&value);
            longer.push('\n');
            longer.push_str(&line);
            if longer.len() > MAX_BYTES {
                return Err(too_long());
            }
            value = longer;
        }
        return Ok(Zeroizing::new(value.replace("\\n", "\n")));
    }
    let trimmed = value.trim();
    if trimmed.is_empty() {
        return Err(Failure::usage(format!("you left `{}` empty", field.label)));
    }
    Ok(Zeroizing::new(trimmed.to_owned()))
}

fn to_json(fields: &BTreeMap<&str, Zeroizing<String>>) -> Result<Credential> {
    // Room for every byte escaped as \u00XX: growing would leave copies behind.
    let room = fields.iter().map(|(name, value)| 6 * (name.len() + value.len()) + 8).sum::<usize>() + 2;
    let mut json = Zeroizing::new(Vec::with_capacity(room));
    let plain: BTreeMap<&str, &str> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    serde_json::to_writer(&mut *json, &plain)
        .map_err(|_| Failure::internal("this program could not encode the credential"))?;
    if json.len() > MAX_BYTES { Err(too_long()) } else { Ok(json) }
}

/// An object with every declared field. Values are looked at inside the enclave only.
pub fn check(json: &[u8], exchange: &Exchange) -> Result<()> {
    if json.len() > MAX_BYTES {
        return Err(too_long());
    }
    let names: Names = serde_json::from_slice(json).map_err(|_| {
        Failure::usage("your credential is not a JSON object").hint(format!("write it as {}", form(exchange)))
    })?;
    // Of a network exactly one is wanted, and which, the enclave says.
    let missing = exchange.credential.iter().find(|field| !names.0.contains(&field.name));
    match missing.filter(|_| exchange.chain.is_none()) {
        Some(field) => Err(Failure::usage(format!("your credential has no field `{}`", field.name))
            .hint(format!("write it as {}", form(exchange)))),
        None => Ok(()),
    }
}

fn form(exchange: &Exchange) -> String {
    let fields: Vec<String> =
        exchange.credential.iter().map(|field| format!("\"{}\": \"…\"", field.name)).collect();
    format!("{{{}}}", fields.join(", "))
}

fn too_long() -> Failure {
    Failure::usage(format!("your credential is longer than {MAX_BYTES} bytes"))
}

/// The keys of a JSON object; values are passed over without a copy.
struct Names(Vec<String>);

impl<'d> Deserialize<'d> for Names {
    fn deserialize<D: Deserializer<'d>>(deserializer: D) -> std::result::Result<Names, D::Error> {
        struct Object;

        impl<'d> Visitor<'d> for Object {
            type Value = Names;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'d>>(self, mut map: A) -> std::result::Result<Names, A::Error> {
                let mut names = Vec::new();
                while let Some((name, IgnoredAny)) = map.next_entry()? {
                    names.push(name);
                }
                Ok(Names(names))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use host::catalogue::Guide;

    fn exchange() -> Exchange {
        let field = |name: &str| Field {
            name: name.into(),
            label: name.into(),
            secret: true,
            kinds: vec!["text".into()],
        };
        Exchange {
            id: "example".into(),
            name: "Example".into(),
            guide: Guide { url: "https://example.com".into(), steps: "Make one.".into() },
            credential: vec![field("apiKey"), field("secret")],
            hosts: Vec::new(),
            chain: None,
            oauth: false,
            new_key: None,
        }
    }

    #[test]
    fn a_credential_is_an_object_with_every_declared_field() {
        let exchange = exchange();
        assert!(
            check(br#"{"apiKey": "a", "secret": "-----BEGIN\nb", "other": {"x": 1}}"#, &exchange).is_ok()
        );
        for (json, named) in
            [(r#"{"apiKey": "a"}"#, "`secret`"), (r#"["a"]"#, "object"), ("", "object"), ("{", "object")]
        {
            let failure = check(json.as_bytes(), &exchange).unwrap_err();
            assert!(failure.sentence.contains(named), "{failure}");
        }
        assert!(check(&vec![b' '; MAX_BYTES + 1], &exchange).is_err());
    }

    #[test]
    fn m18_an_error_about_a_credential_never_shows_it() {
        for json in [r#"{"apiKey": "CANARY"}"#, r#"{"apiKey": "CANARY", "secret": "CANARY"#, r#""CANARY""#] {
            let failure = check(json.as_bytes(), &exchange()).unwrap_err();
            assert!(!failure.to_string().contains("CANARY"), "{failure}");
        }
    }

    #[test]
    fn fields_become_json_whatever_is_in_them() {
        let value = "-----BEGIN\n\"quoted\\\"\u{1}";
        let fields = BTreeMap::from([("secret", Zeroizing::new(value.to_owned()))]);
        let json = to_json(&fields).unwrap();
        let read: BTreeMap<String, String> = serde_json::from_slice(&json).unwrap();
        assert_eq!(read["secret"], value);
    }
}
