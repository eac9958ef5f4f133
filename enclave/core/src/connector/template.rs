//! Templates of a connector file: text with `{token|filter}` places.

use super::value::Encoding;

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
    /// Unix time in whole seconds plus an offset: `{s}`, `{s+120}`.
    Seconds(i64),
    /// Unix time in milliseconds: `{ms}`.
    Millis,
    /// Unix time in microseconds: `{us}`.
    Micros,
    /// `2023-11-14T22:13:20.123Z`: `{iso}`.
    Iso,
    /// The next strictly increasing number of this credential: `{nonce}`.
    Nonce,
    /// `GET`: `{method}`.
    Method,
    /// The provider's host: `{host}`.
    Host,
    /// The path with its prefix, without query: `{path}`.
    Path,
    /// All parameters: `{params:form}`; with a leading `?` where there are any: `{?params:form}`.
    Params { encoding: Encoding, question: bool },
    /// One parameter or argument: `{param.name}`.
    Param(String),
    /// Random bytes, to be encoded by a filter: `{random.16|hex}`.
    Random(usize),
    /// A credential field, by its place in the connector: `{apiKey}`.
    Field(usize),
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
    Upper,
    Lower,
    /// Milliseconds to whole seconds, cut.
    Seconds,
    /// Milliseconds to whole seconds, up.
    SecondsUp,
}

/// Names that a template may use besides the built-in ones.
#[derive(Clone, Copy)]
pub struct Scope<'s> {
    pub fields: &'s [String],
    pub steps: &'s [String],
}

impl Template {
    /// Parses a template; every token must be built in, a credential field or an earlier step.
    pub fn parse(text: &str, scope: Scope<'_>) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let (literal, place) =
                (rest.get(..open).unwrap_or_default(), rest.get(open + 1..).unwrap_or_default());
            if !literal.is_empty() {
                pieces.push(Piece::Literal(literal.to_owned()));
            }
            let (inner, tail) = place.split_once('}').ok_or_else(|| format!("unclosed `{{` in `{text}`"))?;
            pieces.push(parse_place(inner, scope)?);
            rest = tail;
        }
        if rest.contains('}') {
            return Err(format!("stray `}}` in `{text}`"));
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.to_owned()));
        }
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
    if let Some(encoding) = name.strip_prefix("?params:") {
        return parse_encoding(encoding).map(|encoding| Token::Params { encoding, question: true });
    }
    if let Some(encoding) = name.strip_prefix("params:") {
        return parse_encoding(encoding).map(|encoding| Token::Params { encoding, question: false });
    }
    if let Some(param) = name.strip_prefix("param.") {
        return Ok(Token::Param(param.to_owned()));
    }
    if let Some(count) = name.strip_prefix("random.") {
        let count = count.parse().ok().filter(|count| (1..=64).contains(count));
        return count.map(Token::Random).ok_or_else(unknown);
    }
    if let Some(offset) = name.strip_prefix("s+") {
        return offset.parse().map(Token::Seconds).map_err(|_| unknown());
    }
    match name {
        "s" => Ok(Token::Seconds(0)),
        "ms" => Ok(Token::Millis),
        "us" => Ok(Token::Micros),
        "iso" => Ok(Token::Iso),
        "nonce" => Ok(Token::Nonce),
        "method" => Ok(Token::Method),
        "host" => Ok(Token::Host),
        "path" => Ok(Token::Path),
        _ if scope.steps.iter().any(|step| step == name) => Ok(Token::Step(name.to_owned())),
        _ => scope.fields.iter().position(|field| field == name).map(Token::Field).ok_or_else(unknown),
    }
}

pub fn parse_encoding(name: &str) -> Result<Encoding, String> {
    match name {
        "form" => Ok(Encoding::Form),
        "nested" => Ok(Encoding::Nested),
        "repeat" => Ok(Encoding::Repeat),
        "raw" => Ok(Encoding::Raw),
        "sorted" => Ok(Encoding::Sorted),
        "json" => Ok(Encoding::Json),
        "object" => Ok(Encoding::Object),
        _ => Err(format!("unknown encoding `{name}`")),
    }
}

pub fn parse_filter(name: &str) -> Result<Filter, String> {
    match name {
        "hex" => Ok(Filter::Hex),
        "HEX" => Ok(Filter::HexUpper),
        "base64" => Ok(Filter::Base64),
        "base64url" => Ok(Filter::Base64Url),
        "percent" => Ok(Filter::Percent),
        "upper" => Ok(Filter::Upper),
        "lower" => Ok(Filter::Lower),
        "seconds" => Ok(Filter::Seconds),
        "seconds-up" => Ok(Filter::SecondsUp),
        _ => Err(format!("unknown filter `{name}`")),
    }
}
