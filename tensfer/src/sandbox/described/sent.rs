//! The parameters of a received request, as they were written, and the other ways in which an exchange signs them.

use super::json::{Json, Members};
use super::template::{percent, unpercent};

/// Parameters in the order in which they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// A form, and the encoding in which it was sent.
    Pairs(String, Vec<Pair>),
    Object(Members),
}

/// `name=value` of a query or form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    pub name: String,
    pub value: String,
    /// As it stood.
    raw: String,
}

impl Sent {
    /// Reads what a place `{params:ENCODING}` was written as.
    pub fn parse(encoding: &str, text: &str) -> Option<Self> {
        match style(encoding) {
            "json" | "object" if text.is_empty() => Some(Self::Object(Members::new())),
            "json" | "object" => match Json::parse(text)? {
                Json::Map(members) => Some(Self::Object(members)),
                _ => None,
            },
            style => {
                let pairs = text.split('&').filter(|pair| !pair.is_empty());
                let pairs = pairs.map(|raw| Pair::parse(style, raw)).collect::<Option<_>>()?;
                Some(Self::Pairs(encoding.to_owned(), pairs))
            }
        }
    }

    /// The text of the parameter of that name; lists and tables have none.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self {
            Self::Pairs(_, pairs) => {
                pairs.iter().find(|pair| pair.name == name).map(|pair| pair.value.as_str())
            }
            Self::Object(members) => members.iter().find(|(known, _)| known == name)?.1.text(),
        }
    }

    pub fn value(&self, name: &str) -> Option<Json> {
        match self {
            Self::Pairs(..) => self.text(name).map(|text| Json::Text(text.to_owned())),
            Self::Object(members) => {
                members.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
            }
        }
    }

    /// How many parameters bear the name.
    pub fn count(&self, name: &str) -> usize {
        self.names().filter(|known| *known == name).count()
    }

    /// Names as they stand: of a form's lists and tables with their brackets.
    pub fn names(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        match self {
            Self::Pairs(_, pairs) => Box::new(pairs.iter().map(|pair| pair.name.as_str())),
            Self::Object(members) => Box::new(members.iter().map(|(name, _)| name.as_str())),
        }
    }

    #[must_use]
    pub fn without(&self, names: &[&str]) -> Self {
        match self {
            Self::Pairs(encoding, pairs) => {
                let kept = pairs.iter().filter(|pair| !names.contains(&pair.name.as_str()));
                Self::Pairs(encoding.clone(), kept.cloned().collect())
            }
            Self::Object(members) => Self::Object(
                members.iter().filter(|(name, _)| !names.contains(&name.as_str())).cloned().collect(),
            ),
        }
    }

    /// With a parameter that is signed without being sent.
    pub fn push(&mut self, name: &str, value: &str) {
        match self {
            Self::Pairs(encoding, pairs) => {
                // What was sent is no longer all.
                encoding.clear();
                pairs.push(Pair::new(name, value));
            }
            Self::Object(members) => members.push((name.to_owned(), Json::Text(value.to_owned()))),
        }
    }

    /// The parameters in an encoding of `docs/spec/connector.md`. What was sent in it is given as it was sent.
    pub fn encoded(&self, encoding: &str) -> Option<String> {
        let sorted = encoding.split('.').any(|word| word == "sorted");
        match (style(encoding), self) {
            ("json", Self::Object(members)) if members.is_empty() => Some(String::new()),
            ("json" | "object", Self::Object(members)) => {
                let members = if sorted { in_order(members) } else { members.clone() };
                Some(Json::Map(members).write())
            }
            // A form has lost which of its values were numbers.
            ("json" | "object", Self::Pairs(..)) => None,
            (_, Self::Pairs(sent, pairs)) if sent == encoding => {
                Some(pairs.iter().map(|pair| pair.raw.as_str()).collect::<Vec<_>>().join("&"))
            }
            ("concat", Self::Object(members)) => {
                let members = if sorted { in_order(members) } else { members.clone() };
                Some(joint(&Json::Map(members)))
            }
            (style, _) => {
                let mut pairs = self.pairs(encoding);
                if sorted {
                    // A list's items keep their order.
                    pairs.sort_by(|left, right| base(&left.name).cmp(base(&right.name)));
                }
                let between = match style {
                    "commas" => ",",
                    "concat" => "",
                    _ => "&",
                };
                Some(pairs.iter().map(|pair| pair.written(style)).collect::<Vec<_>>().join(between))
            }
        }
    }

    fn pairs(&self, encoding: &str) -> Vec<Pair> {
        match self {
            Self::Pairs(_, pairs) => pairs.clone(),
            Self::Object(members) => {
                let sorted = encoding.split('.').any(|word| word == "sorted");
                let members = if sorted { in_order(members) } else { members.clone() };
                let mut pairs = Vec::new();
                members.iter().for_each(|(name, value)| flatten(name, value, encoding, &mut pairs));
                pairs
            }
        }
    }
}

impl Pair {
    fn new(name: &str, value: &str) -> Self {
        Self { name: name.to_owned(), value: value.to_owned(), raw: String::new() }
    }

    /// What is not written as the style writes it is another request.
    fn parse(style: &str, raw: &str) -> Option<Self> {
        let (name, value) = raw.split_once('=').unwrap_or((raw, ""));
        let decoded = |text: &str| String::from_utf8(unpercent(text)?).ok();
        let (name, value) = match style {
            "raw" => (name.to_owned(), value.to_owned()),
            _ => (decoded(name)?, decoded(value)?),
        };
        Some(Self { name, value, raw: raw.to_owned() })
    }

    fn written(&self, style: &str) -> String {
        let Self { name, value, raw } = self;
        let encoded = |text: &str| percent(text.as_bytes());
        match style {
            "raw" | "commas" => format!("{name}={value}"),
            "concat" => format!("{name}{value}"),
            _ if !raw.is_empty() => raw.clone(),
            "nested" => format!("{name}={}", encoded(value)),
            _ => format!("{}={}", encoded(name), encoded(value)),
        }
    }
}

/// The first word of an encoding.
fn style(encoding: &str) -> &str {
    encoding.split('.').next().unwrap_or_default()
}

/// A name without the brackets of a list's item.
fn base(name: &str) -> &str {
    name.split('[').next().unwrap_or_default()
}

fn in_order(members: &[(String, Json)]) -> Members {
    fn value(of: &Json) -> Json {
        match of {
            Json::Map(members) => Json::Map(in_order(members)),
            Json::List(items) => Json::List(items.iter().map(value).collect()),
            scalar => scalar.clone(),
        }
    }
    let mut ordered: Members = members.iter().map(|(name, of)| (name.clone(), value(of))).collect();
    ordered.sort_by(|left, right| left.0.cmp(&right.0));
    ordered
}

fn flatten(name: &str, value: &Json, encoding: &str, out: &mut Vec<Pair>) {
    let lists = encoding.split('.').find(|word| ["repeat", "brackets", "joined"].contains(word));
    match value {
        Json::List(items) if lists == Some("joined") => {
            let texts: Vec<&str> = items.iter().map(|item| item.text().unwrap_or_default()).collect();
            out.push(Pair::new(name, &texts.join(",")));
        }
        Json::List(items) => {
            for (index, item) in items.iter().enumerate() {
                let name = match lists {
                    Some("repeat") => name.to_owned(),
                    Some(_) => format!("{name}[]"),
                    None => format!("{name}[{index}]"),
                };
                flatten(&name, item, encoding, out);
            }
        }
        Json::Map(members) => {
            for (key, member) in members {
                flatten(&format!("{name}[{key}]"), member, encoding, out);
            }
        }
        scalar => out.push(Pair::new(name, scalar.text().unwrap_or_default())),
    }
}

/// Names and values without anything between.
fn joint(value: &Json) -> String {
    match value {
        Json::List(items) => items.iter().map(joint).collect(),
        Json::Map(members) => {
            members.iter().map(|(name, member)| format!("{name}{}", joint(member))).collect()
        }
        scalar => scalar.text().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_given_back_as_it_was_sent_and_in_other_encodings() {
        let sent = Sent::parse("form", "b=x%20y&a%5B0%5D=1&a%5B1%5D=2").unwrap();
        for (encoding, text) in [
            ("form", "b=x%20y&a%5B0%5D=1&a%5B1%5D=2"),
            ("form.sorted", "a%5B0%5D=1&a%5B1%5D=2&b=x%20y"),
            ("raw", "b=x y&a[0]=1&a[1]=2"),
            ("commas", "b=x y,a[0]=1,a[1]=2"),
        ] {
            assert_eq!(sent.encoded(encoding).unwrap(), text, "{encoding}");
        }
        assert_eq!(sent.without(&["b"]).encoded("form").unwrap(), "a%5B0%5D=1&a%5B1%5D=2");
        assert_eq!(sent.encoded("json"), None);
        assert_eq!(Sent::parse("form", "a=%2"), None);
    }

    #[test]
    fn an_object_is_flattened_as_the_encodings_say() {
        let sent = Sent::parse("object", r#"{"b":{"n":"1","m":true},"a":["x y",2]}"#).unwrap();
        for (encoding, text) in [
            ("object", r#"{"b":{"n":"1","m":true},"a":["x y",2]}"#),
            ("object.sorted", r#"{"a":["x y",2],"b":{"m":true,"n":"1"}}"#),
            ("form.sorted", "a%5B0%5D=x%20y&a%5B1%5D=2&b%5Bm%5D=true&b%5Bn%5D=1"),
            ("nested.brackets", "b[n]=1&b[m]=true&a[]=x%20y&a[]=2"),
            ("raw.joined", "b[n]=1&b[m]=true&a=x y,2"),
            ("raw.repeat", "b[n]=1&b[m]=true&a=x y&a=2"),
            ("concat.sorted", "ax y2bmtruen1"),
        ] {
            assert_eq!(sent.encoded(encoding).unwrap(), text, "{encoding}");
        }
        assert_eq!(Sent::parse("json", "").unwrap().encoded("json").unwrap(), "");
        assert_eq!(Sent::parse("json", "[]"), None);
    }
}
