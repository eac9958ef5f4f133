//! An answer with few assets, made one with many.

use connector_check::input::from_json;
use enclave::connector::{Json, Value};

/// The answer with whatever names one of `names` repeated for each of `others`: list items, and members whose name it is
/// part of. Nothing where there is no such place.
pub fn repeated(answer: Json<'_>, names: &[String], others: &[String]) -> Option<Value> {
    let name = names.iter().find(|name| !name.is_empty())?;
    expanded(&from_json(answer), name, others)
}

fn expanded(value: &Value, name: &str, others: &[String]) -> Option<Value> {
    match value {
        Value::List(items) => items.iter().enumerate().find_map(|(at, item)| {
            let inner = expanded(item, name, others);
            let copies = match inner {
                Some(inner) => vec![inner],
                None if mentions(item, name) => {
                    others.iter().map(|other| renamed(item, name, other)).collect()
                }
                None => return None,
            };
            let mut all = items.clone();
            all.splice(at..=at, copies);
            Some(Value::List(all))
        }),
        Value::Map(members) if members.iter().any(|(key, _)| is_named(key, name)) => {
            let (those, mut all): (Vec<_>, Vec<_>) =
                members.iter().cloned().partition(|(key, _)| is_named(key, name));
            for other in others {
                let copy = |(key, value): &(String, Value)| {
                    (replaced(key, name, other), renamed(value, name, other))
                };
                all.extend(those.iter().map(copy));
            }
            Some(Value::Map(all))
        }
        Value::Map(members) => {
            // Columns beside each other, such as what is free and what is held, all get the new names.
            let mut any = false;
            let all = members.iter().map(|(key, value)| {
                let inner = expanded(value, name, others);
                any |= inner.is_some();
                (key.clone(), inner.unwrap_or_else(|| value.clone()))
            });
            let all = all.collect();
            any.then_some(Value::Map(all))
        }
        _ => None,
    }
}

fn mentions(value: &Value, name: &str) -> bool {
    match value {
        Value::Text(text) => is_named(text, name),
        Value::List(items) => items.iter().any(|item| mentions(item, name)),
        Value::Map(members) => {
            members.iter().any(|(key, value)| is_named(key, name) || mentions(value, name))
        }
        _ => false,
    }
}

fn renamed(value: &Value, name: &str, other: &str) -> Value {
    match value {
        Value::Text(text) => Value::Text(replaced(text, name, other)),
        Value::List(items) => Value::List(items.iter().map(|item| renamed(item, name, other)).collect()),
        Value::Map(members) => {
            let member =
                |(key, value): &(String, Value)| (replaced(key, name, other), renamed(value, name, other));
            Value::Map(members.iter().map(member).collect())
        }
        other => other.clone(),
    }
}

/// Whether a text is the name, or has it as a word: `btc_balance`, `XBT.F`.
fn is_named(text: &str, name: &str) -> bool {
    text.eq_ignore_ascii_case(name)
        || text.split(|c: char| !c.is_alphanumeric()).any(|word| word.eq_ignore_ascii_case(name))
}

/// The text with the name replaced, in the case that it had.
fn replaced(text: &str, name: &str, other: &str) -> String {
    let cased = |word: &str| {
        let is_lower = word.chars().any(char::is_lowercase) && !word.chars().any(char::is_uppercase);
        if is_lower { other.to_ascii_lowercase() } else { other.to_owned() }
    };
    if text.eq_ignore_ascii_case(name) {
        return cased(text);
    }
    let words = text.split_inclusive(|c: char| !c.is_alphanumeric()).map(|word| {
        let bare = word.trim_end_matches(|c: char| !c.is_alphanumeric());
        if bare.eq_ignore_ascii_case(name) {
            cased(bare) + word.strip_prefix(bare).unwrap_or_default()
        } else {
            word.to_owned()
        }
    });
    words.collect()
}
