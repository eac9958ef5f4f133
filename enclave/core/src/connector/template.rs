//! Templates of a connector file: text with `{token|filter}` places.

use super::value::{Encoding, Lists, Style};

/// A parsed template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template(pub Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Literal(String),
    Place { token: Token, filters: Vec<Filter> },
}

/// What a place stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// Unix time in whole seconds plus an offset: `{s}`, `{s+120}`, `{s-1}`.
    Seconds(i64),
    /// Unix time in milliseconds plus an offset: `{ms}`, `{ms-100}`.
    Millis(i64),
    /// Unix time in microseconds: `{us}`.
    Micros,
    /// Unix time in nanoseconds: `{ns}`.
    Nanos,
    /// `2023-11-14T22:13:20.123Z`: `{iso}`.
    Iso,
    /// `2023-11-14T22:13:20`: `{iso-seconds}`.
    IsoSeconds,
    /// The next strictly increasing number of this credential: `{nonce}`.
    Nonce,
    /// `GET`: `{method}`.
    Method,
    /// The provider's host: `{host}`.
    Host,
    /// The path with its prefix, without query: `{path}`.
    Path,
    /// The path as the connector names it, without prefix and query: `{endpoint}`.
    Endpoint,
    /// All parameters: `{params:form}`; with a leading character where there are any: `{?params:form}`.
    Params { encoding: Encoding, lead: Option<u8> },
    /// One parameter or argument: `{param.name}`.
    Param(String),
    /// Random bytes, to be encoded by a filter: `{random.16|hex}`.
    Random(usize),
    /// A random UUID (RFC 9562 §5.4): `{uuid}`.
    Uuid,
    /// A credential field, by its place in the connector: `{apiKey}`.
    Field(usize),
    /// The Ethereum address of the key in a credential field, lower case: `{address.privateKey}`.
    Address(usize),
    /// What the login yielded, by name: `{session}` for `token`, `{session.account}`.
    Session(String),
    /// The output of an earlier step, by its name: `{signature}`.
    Step(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    Hex,
    HexUpper,
    Base64,
    Base64Url,
    Percent,
    Base58,
    /// Without a leading slash.
    Unrooted,
    /// A path without its first segment.
    Inner,
    Upper,
    Lower,
    /// Percent-encoded spaces as `+`.
    Plus,
    /// Milliseconds to whole seconds, cut.
    Seconds,
    /// Milliseconds to whole seconds, up.
    SecondsUp,
    /// Milliseconds to seconds with three decimals.
    SecondsDecimal,
    /// Milliseconds to `2023-11-14T22:13:20.123Z`.
    Iso,
    /// Milliseconds to the first whole second behind them.
    SecondsAfter,
    /// One more, and one less: of a whole number, for bounds that an exchange excludes.
    Next,
    Previous,
    /// Times 10ᴺ, for exchanges that count in integers; what is not whole then is not sent.
    Scaled(u8),
}

/// Names that a template may use besides the built-in ones.
#[derive(Clone, Copy)]
pub struct Scope<'s> {
    pub fields: &'s [String],
    pub steps: &'s [String],
}

impl Template {
    /// Parses a template; every token must be built in, a credential field or an earlier step. `{{` and `}}` stand for
    /// braces.
    pub fn parse(text: &str, scope: Scope<'_>) -> Result<Self, String> {
        // Most are one piece.
        let mut pieces = Vec::with_capacity(1);
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (plain, tail) = (rest.get(..at).unwrap_or_default(), rest.get(at..).unwrap_or_default());
            literal.push_str(plain);
            if let Some(behind) = tail.strip_prefix("{{") {
                literal.push('{');
                rest = behind;
            } else if let Some(behind) = tail.strip_prefix("}}") {
                literal.push('}');
                rest = behind;
            } else {
                let place = tail.strip_prefix('{').ok_or_else(|| format!("stray `}}` in `{text}`"))?;
                let (inner, behind) =
                    place.split_once('}').ok_or_else(|| format!("unclosed `{{` in `{text}`"))?;
                if !literal.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                }
                pieces.push(parse_place(inner, scope)?);
                rest = behind;
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        pieces.shrink_to_fit();
        Ok(Self(pieces))
    }

    /// The one token that is the whole template, without filters.
    pub fn whole(&self) -> Option<&Token> {
        match self.0.as_slice() {
            [Piece::Place { token, filters }] if filters.is_empty() => Some(token),
            _ => None,
        }
    }

    /// Names of the parameters and arguments that the template mentions.
    pub fn params(&self) -> impl Iterator<Item = String> {
        self.tokens().filter_map(|token| match token {
            Token::Param(name) => Some(name.clone()),
            _ => None,
        })
    }

    pub fn tokens(&self) -> impl Iterator<Item = &Token> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Place { token, .. } => Some(token),
            Piece::Literal(_) => None,
        })
    }
}

fn parse_place(inner: &str, scope: Scope<'_>) -> Result<Piece, String> {
    let mut parts = inner.split('|');
    let token = parse_token(parts.next().unwrap_or_default(), scope)?;
    let filters = parts.map(parse_filter).collect::<Result<_, _>>()?;
    Ok(Piece::Place { token, filters })
}

fn parse_token(name: &str, scope: Scope<'_>) -> Result<Token, String> {
    let unknown = || format!("unknown token `{{{name}}}`");
    if let Some((lead, encoding)) = name.split_once("params:") {
        let lead = match lead.as_bytes() {
            [] => None,
            [lead @ (b'?' | b'&' | b',' | b'#')] => Some(*lead),
            _ => return Err(unknown()),
        };
        return parse_encoding(encoding).map(|encoding| Token::Params { encoding, lead });
    }
    if let Some(param) = name.strip_prefix("param.") {
        return Ok(Token::Param(param.to_owned()));
    }
    if let Some(value) = name.strip_prefix("session.") {
        return Ok(Token::Session(value.to_owned()));
    }
    if let Some(field) = name.strip_prefix("address.") {
        return scope.fields.iter().position(|known| known == field).map(Token::Address).ok_or_else(unknown);
    }
    if let Some(count) = name.strip_prefix("random.") {
        let count = count.parse().ok().filter(|count| (1..=64).contains(count));
        return count.map(Token::Random).ok_or_else(unknown);
    }
    for (unit, token) in [("s", Token::Seconds as fn(i64) -> Token), ("ms", Token::Millis)] {
        let offset = name.strip_prefix(unit).filter(|offset| offset.starts_with(['+', '-']));
        if let Some(offset) = offset {
            return offset.parse().map(token).map_err(|_| unknown());
        }
    }
    match name {
        "s" => Ok(Token::Seconds(0)),
        "ms" => Ok(Token::Millis(0)),
        "us" => Ok(Token::Micros),
        "ns" => Ok(Token::Nanos),
        "iso" => Ok(Token::Iso),
        "iso-seconds" => Ok(Token::IsoSeconds),
        "uuid" => Ok(Token::Uuid),
        "session" => Ok(Token::Session("token".to_owned())),
        "endpoint" => Ok(Token::Endpoint),
        "nonce" => Ok(Token::Nonce),
        "method" => Ok(Token::Method),
        "host" => Ok(Token::Host),
        "path" => Ok(Token::Path),
        _ if scope.steps.iter().any(|step| step == name) => Ok(Token::Step(name.to_owned())),
        _ => scope.fields.iter().position(|field| field == name).map(Token::Field).ok_or_else(unknown),
    }
}

pub fn parse_encoding(name: &str) -> Result<Encoding, String> {
    let mut words = name.split('.');
    let style = match words.next().unwrap_or_default() {
        "form" => Style::Form,
        "nested" => Style::Nested,
        "raw" => Style::Raw,
        "commas" => Style::Commas,
        "concat" => Style::Concat,
        "json" => Style::Json,
        "object" => Style::Object,
        _ => return Err(format!("unknown encoding `{name}`")),
    };
    let mut encoding = Encoding { style, lists: Lists::Index, sorted: false };
    for word in words {
        match word {
            "sorted" => encoding.sorted = true,
            "repeat" => encoding.lists = Lists::Repeat,
            "brackets" => encoding.lists = Lists::Brackets,
            "joined" => encoding.lists = Lists::Joined,
            _ => return Err(format!("unknown encoding `{name}`")),
        }
    }
    Ok(encoding)
}

pub fn parse_filter(name: &str) -> Result<Filter, String> {
    match name {
        "hex" => Ok(Filter::Hex),
        "HEX" => Ok(Filter::HexUpper),
        "base64" => Ok(Filter::Base64),
        "base64url" => Ok(Filter::Base64Url),
        "percent" => Ok(Filter::Percent),
        "base58" => Ok(Filter::Base58),
        "unrooted" => Ok(Filter::Unrooted),
        "inner" => Ok(Filter::Inner),
        "upper" => Ok(Filter::Upper),
        "lower" => Ok(Filter::Lower),
        "plus" => Ok(Filter::Plus),
        "seconds" => Ok(Filter::Seconds),
        "iso" => Ok(Filter::Iso),
        "seconds-up" => Ok(Filter::SecondsUp),
        "seconds-decimal" => Ok(Filter::SecondsDecimal),
        "seconds-after" => Ok(Filter::SecondsAfter),
        "next" => Ok(Filter::Next),
        "previous" => Ok(Filter::Previous),
        _ => {
            let digits = name.strip_prefix("scaled-").and_then(|digits| digits.parse().ok());
            let digits = digits.filter(|digits| (1..=18).contains(digits));
            digits.map(Filter::Scaled).ok_or_else(|| format!("unknown filter `{name}`"))
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn braces_are_written_twice_and_everything_else_in_them_is_a_place() {
        let scope = Scope { fields: &["key".to_owned()], steps: &[] };
        let literal = |text: &str| Piece::Literal(text.to_owned());
        let place = |token| Piece::Place { token, filters: Vec::new() };
        for (text, pieces) in [
            (r#"{{"k":"{key}"}}"#, vec![literal(r#"{"k":""#), place(Token::Field(0)), literal(r#""}"#)]),
            ("{key}}}", vec![place(Token::Field(0)), literal("}")]),
            ("{{key}}", vec![literal("{key}")]),
            (
                "{session}{session.key}",
                vec![place(Token::Session("token".to_owned())), place(Token::Session("key".to_owned()))],
            ),
            ("", Vec::new()),
        ] {
            assert_eq!(Template::parse(text, scope).unwrap().0, pieces, "{text}");
        }
        for wrong in ["{key", "key}", "{}", "{{{key", "}{key}"] {
            assert!(Template::parse(wrong, scope).is_err(), "{wrong}");
        }
    }
}
