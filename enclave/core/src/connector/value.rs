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
pub enum Encoding {
    /// `a=1&b%5B0%5D=x`: names and values percent-encoded.
    Form,
    /// `a=1&b[0]=x`: values percent-encoded only.
    Nested,
    /// `a=1&b=x&b=y`: lists repeat their name; percent-encoded.
    Repeat,
    /// `a=1&b=x y`: as it is.
    Raw,
    /// Like `Raw`, sorted by name.
    Sorted,
    /// A JSON object; nothing at all when there are no parameters.
    Json,
    /// A JSON object, `{}` when there are no parameters.
    Object,
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
    match encoding {
        Encoding::Json if params.is_empty() => {}
        Encoding::Json | Encoding::Object => write_object(params, out),
        Encoding::Sorted => {
            let mut sorted: Vec<_> = params.iter().collect();
            sorted.sort_by(|left, right| left.0.cmp(&right.0));
            write_pairs(sorted.into_iter(), Encoding::Raw, out);
        }
        Encoding::Form | Encoding::Nested | Encoding::Repeat | Encoding::Raw => {
            write_pairs(params.iter(), encoding, out);
        }
    }
}

fn write_pairs<'p>(pairs: impl Iterator<Item = &'p (String, Value)>, encoding: Encoding, out: &mut Vec<u8>) {
    let start = out.len();
    for (name, value) in pairs {
        write_pair(name, value, encoding, start, out);
    }
}

fn write_pair(name: &str, value: &Value, encoding: Encoding, start: usize, out: &mut Vec<u8>) {
    match value {
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                if encoding == Encoding::Repeat {
                    write_pair(name, item, encoding, start, out);
                } else {
                    write_pair(&format!("{name}[{index}]"), item, encoding, start, out);
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
                out.push(b'&');
            }
            match encoding {
                Encoding::Form | Encoding::Repeat => percent(name.as_bytes(), out),
                _ => out.extend_from_slice(name.as_bytes()),
            }
            out.push(b'=');
            match encoding {
                Encoding::Raw => out.extend_from_slice(scalar.text().as_bytes()),
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
