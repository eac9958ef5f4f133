//! Parameters of a provider call: an ordered tree, and the ways providers want it written.

use super::encode::percent;

/// A parameter's value. Numbers are their exact text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Value>),
    Map(Params),
}

/// Named values in the order in which they are written.
pub type Params = Vec<(String, Value)>;

/// How parameters become text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding {
    pub style: Style,
    pub lists: Lists,
    /// In order of their names, at every level.
    pub sorted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `a=1&b%5B0%5D=x`: names and values percent-encoded.
    Form,
    /// `a=1&b[0]=x`: values percent-encoded only.
    Nested,
    /// `a=1&b=x y`: as it is.
    Raw,
    /// `a=1,b=x y`: as it is, with commas between.
    Commas,
    /// `a1bx y`: names and values without anything between, the members of lists and tables too.
    Concat,
    /// A JSON object; nothing at all when there are no parameters.
    Json,
    /// A JSON object, `{}` when there are no parameters.
    Object,
}

/// How a list is written in pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lists {
    /// `b[0]=x&b[1]=y`.
    Index,
    /// `b=x&b=y`.
    Repeat,
    /// `b[]=x&b[]=y`.
    Brackets,
    /// `b=x,y`.
    Joined,
}

/// Sets `name`, in its place when it exists.
pub fn set(params: &mut Params, name: &str, value: Value) {
    match params.iter_mut().find(|(known, _)| known == name) {
        Some((_, slot)) => *slot = value,
        None => params.push((name.to_owned(), value)),
    }
}

pub fn find<'p>(params: &'p Params, name: &str) -> Option<&'p Value> {
    params.iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

pub fn encode(params: &Params, encoding: Encoding, out: &mut Vec<u8>) {
    if encoding.sorted {
        return encode(&sorted(params), Encoding { sorted: false, ..encoding }, out);
    }
    match encoding.style {
        Style::Json if params.is_empty() => {}
        Style::Json | Style::Object => write_object(params, out),
        Style::Concat => params.iter().for_each(|(name, value)| write_joint(name, value, out)),
        Style::Form | Style::Nested | Style::Raw | Style::Commas => {
            let start = out.len();
            for (name, value) in params {
                write_pair(name, value, encoding, start, out);
            }
        }
    }
}

/// The same parameters in order of their names, at every level.
fn sorted(params: &Params) -> Params {
    fn value(of: &Value) -> Value {
        match of {
            Value::Map(members) => Value::Map(sorted(members)),
            Value::List(items) => Value::List(items.iter().map(value).collect()),
            scalar => scalar.clone(),
        }
    }
    let mut sorted: Params = params.iter().map(|(name, of)| (name.clone(), value(of))).collect();
    sorted.sort_by(|left, right| left.0.cmp(&right.0));
    sorted
}

fn write_joint(name: &str, value: &Value, out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    match value {
        Value::List(items) => items.iter().for_each(|item| write_joint("", item, out)),
        Value::Map(members) => members.iter().for_each(|(name, member)| write_joint(name, member, out)),
        scalar => out.extend_from_slice(scalar.text().as_bytes()),
    }
}

fn write_pair(name: &str, value: &Value, encoding: Encoding, start: usize, out: &mut Vec<u8>) {
    match value {
        Value::List(items) if encoding.lists == Lists::Joined => {
            let joined = items.iter().map(Value::text).collect::<Vec<_>>().join(",");
            write_pair(name, &Value::Text(joined), encoding, start, out);
        }
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                match encoding.lists {
                    Lists::Repeat => write_pair(name, item, encoding, start, out),
                    Lists::Brackets => write_pair(&format!("{name}[]"), item, encoding, start, out),
                    _ => write_pair(&format!("{name}[{index}]"), item, encoding, start, out),
                }
            }
        }
        Value::Map(members) => {
            for (key, member) in members {
                write_pair(&format!("{name}[{key}]"), member, encoding, start, out);
            }
        }
        scalar => {
            if out.len() > start {
                out.push(if encoding.style == Style::Commas { b',' } else { b'&' });
            }
            match encoding.style {
                Style::Form => percent(name.as_bytes(), out),
                _ => out.extend_from_slice(name.as_bytes()),
            }
            out.push(b'=');
            match encoding.style {
                Style::Raw | Style::Commas => out.extend_from_slice(scalar.text().as_bytes()),
                _ => percent(scalar.text().as_bytes(), out),
            }
        }
    }
}

impl Value {
    /// The value as JSON text.
    pub fn to_json(&self) -> String {
        let mut out = Vec::new();
        write_json(self, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    pub fn text(&self) -> &str {
        match self {
            Value::Null | Value::List(_) | Value::Map(_) => "",
            Value::Bool(true) => "true",
            Value::Bool(false) => "false",
            Value::Number(text) | Value::Text(text) => text,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

/// Writes a value as JSON, as ECMAScript's `JSON.stringify` does.
pub fn write_json(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(_) | Value::Number(_) => out.extend_from_slice(value.text().as_bytes()),
        Value::Text(text) => write_json_text(text, out),
        Value::List(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_json(item, out);
            }
            out.push(b']');
        }
        Value::Map(members) => write_object(members, out),
    }
}

fn write_object(members: &Params, out: &mut Vec<u8>) {
    out.push(b'{');
    for (index, (name, value)) in members.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_json_text(name, out);
        out.push(b':');
        write_json(value, out);
    }
    out.push(b'}');
}

/// A JSON string with its quotes.
pub fn write_json_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0C => out.extend_from_slice(b"\\f"),
            0..=0x1F => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::connector::template::parse_encoding;

    fn written(encoding: &str) -> String {
        let list = Value::List(vec!["x y".into(), Value::Number("2".to_owned())]);
        let map = Value::Map(vec![("n".to_owned(), "1".into()), ("m".to_owned(), Value::Bool(true))]);
        let params = vec![("c".to_owned(), map), ("b".to_owned(), list), ("a".to_owned(), "é".into())];
        let mut out = Vec::new();
        encode(&params, parse_encoding(encoding).unwrap(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_encoding_is_as_documented() {
        for (encoding, text) in [
            ("form", "c%5Bn%5D=1&c%5Bm%5D=true&b%5B0%5D=x%20y&b%5B1%5D=2&a=%C3%A9"),
            ("nested", "c[n]=1&c[m]=true&b[0]=x%20y&b[1]=2&a=%C3%A9"),
            ("raw.sorted", "a=é&b[0]=x y&b[1]=2&c[m]=true&c[n]=1"),
            ("form.repeat", "c%5Bn%5D=1&c%5Bm%5D=true&b=x%20y&b=2&a=%C3%A9"),
            ("nested.brackets.sorted", "a=%C3%A9&b[]=x%20y&b[]=2&c[m]=true&c[n]=1"),
            ("raw.joined", "c[n]=1&c[m]=true&b=x y,2&a=é"),
            ("commas.sorted", "a=é,b[0]=x y,b[1]=2,c[m]=true,c[n]=1"),
            ("concat.sorted", "aébx y2cmtruen1"),
            ("json.sorted", r#"{"a":"é","b":["x y",2],"c":{"m":true,"n":"1"}}"#),
        ] {
            assert_eq!(written(encoding), text, "{encoding}");
        }
        for unknown in ["", "sorted", "form.", "form.unsorted"] {
            assert!(parse_encoding(unknown).is_err(), "{unknown}");
        }
    }
}
