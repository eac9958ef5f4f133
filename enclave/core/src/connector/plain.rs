//! Texts that are there already: what most expressions yield is a part of the answer, of the connector or of an argument,
//! and is lent instead of built.

use super::evaluate::Row;
use super::expression::{Expression, Function, Path, Step};
use super::json::{Json, JsonError, Kind};
use super::value;

/// The row's name around a separator; both are empty where it has none.
#[derive(Clone, Copy)]
pub(super) struct Cut<'d> {
    separator: &'d str,
    before: &'d str,
    after: &'d str,
}

impl<'d> Row<'d, '_> {
    /// The value as text, empty where it is absent; nothing where it is not lent: what is computed, unescaped, refused, or
    /// no scalar. What this says, [`Row::evaluate`] says too.
    pub(super) fn plain<'r>(&'r self, expression: &'d Expression) -> Option<&'r str> {
        match expression {
            Expression::Path(path) => plain_of(self.at(path).ok()?),
            Expression::Key => self.plain_key(),
            Expression::Row => plain_of(Some(self.json)),
            Expression::Text(text) => Some(text),
            Expression::Argument(name) => {
                Some(value::find(self.arguments, name).map_or("", |value| value.text()))
            }
            Expression::First(parts) => {
                for part in parts {
                    let text = self.plain(part)?;
                    if !text.is_empty() {
                        return Some(text);
                    }
                }
                Some("")
            }
            Expression::Call(function, arguments) => self.plain_call(*function, arguments),
            Expression::Add(..)
            | Expression::Subtract(..)
            | Expression::Multiply(..)
            | Expression::Number(_) => None,
        }
    }

    fn plain_call<'r>(&'r self, function: Function, arguments: &'d [Expression]) -> Option<&'r str> {
        let first = arguments.first()?;
        let argument = |at: usize| self.plain(arguments.get(at)?);
        let text = match function {
            Function::At => return self.plain_at(first, arguments.get(1)?),
            Function::Before | Function::After if matches!(first, Expression::Key) => {
                return self.cut_key(arguments.get(1)?, function == Function::Before);
            }
            Function::Present
            | Function::Unless
            | Function::Before
            | Function::After
            | Function::Map
            | Function::Has
            | Function::Equal => self.plain(first)?,
            _ => return None,
        };
        match (function, text) {
            (Function::Present, text) => Some(flag(!text.is_empty())),
            (Function::Unless, "") => argument(1),
            (Function::Unless, _) | (_, "") => Some(""),
            (Function::Before | Function::After, text) => match argument(1)? {
                "" => None,
                separator => Some(part_of(text, separator, function == Function::Before).unwrap_or_default()),
            },
            (Function::Map, text) => Some(self.looked_up(text, argument(1)?)),
            (Function::Has, text) => Some(flag(text.contains(argument(1)?))),
            (_, text) => argument(if text == argument(1)? { 2 } else { 3 }),
        }
    }

    fn plain_at(&self, object: &'d Expression, name: &'d Expression) -> Option<&'d str> {
        let object = match object {
            Expression::Path(path) => self.at(path).ok()?,
            Expression::Row => Some(self.json),
            _ => return None,
        };
        let Some(object) = object.filter(|json| matches!(json.kind(), Kind::Object | Kind::Array)) else {
            return Some("");
        };
        match self.plain(name)? {
            "" => Some(""),
            name => plain_of(self.columns.borrow_mut().member(object, name).ok()?),
        }
    }

    /// A part of the row's name. Several fields want the same name's parts: it is searched once.
    fn cut_key(&self, separator: &'d Expression, before: bool) -> Option<&'d str> {
        let Expression::Text(separator) = separator else { return None };
        let cut = match self.cut.get().filter(|cut| is_same(cut.separator, separator)) {
            Some(cut) => cut,
            None => {
                let key = self.plain_key()?;
                if separator.is_empty() && !key.is_empty() {
                    return None;
                }
                let [before, after] = parts_of(key, separator).unwrap_or_default();
                Cut { separator, before, after }
            }
        };
        self.cut.set(Some(cut));
        Some(if before { cut.before } else { cut.after })
    }

    /// An empty name is a text all the same, and not lent: cex's main account has one.
    fn plain_key(&self) -> Option<&'d str> {
        self.key.map_or(Some(""), |name| name.borrowed().filter(|name| !name.is_empty()))
    }

    /// What a table of the connector has for a text; empty for nothing.
    pub(super) fn looked_up(&self, text: &str, table: &str) -> &str {
        let rows = self.connector.table(table).unwrap_or_default();
        let of = |wanted: &str| rows.iter().find(|(from, _)| *from == wanted);
        of(text).or_else(|| of("*")).map_or("", |(_, to)| to.as_str())
    }

    /// Where a path leads.
    pub(super) fn at(&self, path: &Path) -> Result<Option<Json<'d>>, JsonError> {
        let (mut at, steps) = match path.slot {
            Some(slot) => (
                self.slots.get(usize::from(slot)).copied().flatten(),
                path.steps.get(1..).unwrap_or_default(),
            ),
            None if path.up == 0 => (Some(self.json), &*path.steps),
            None => {
                let parent = self.parents.len().checked_sub(usize::from(path.up));
                (parent.and_then(|at| self.parents.get(at).copied()), &*path.steps)
            }
        };
        for step in steps {
            at = match (at, step) {
                (Some(json), Step::Member(name)) => json.member(name)?,
                (Some(json), Step::Index(index)) => json.elements().nth(*index),
                (Some(json), Step::Any) => json.members().next().map(|(_, value)| value),
                (None, _) => None,
            };
        }
        Ok(at)
    }
}

/// Separators are one character mostly, which takes less than the call that compares texts.
fn is_same(one: &str, other: &str) -> bool {
    match (one.as_bytes(), other.as_bytes()) {
        ([one], [other]) => one == other,
        _ => one == other,
    }
}

fn plain_of(json: Option<Json<'_>>) -> Option<&str> {
    json.map_or(Some(""), Json::lent)
}

pub(super) fn flag(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

/// The text before and after the first separator. Both are short: `str`'s own search takes longer to begin than this does.
pub(super) fn parts_of<'t>(text: &'t str, separator: &str) -> Option<[&'t str; 2]> {
    let (bytes, (first, others)) = (text.as_bytes(), separator.as_bytes().split_first()?);
    let mut at = 0;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| byte == first)?;
        let behind = bytes.get(at + 1..at + 1 + others.len())?;
        if behind.iter().zip(others).all(|(one, other)| one == other) {
            break;
        }
        at += 1;
    }
    Some([text.get(..at)?, text.get(at + separator.len()..)?])
}

pub(super) fn part_of<'t>(text: &'t str, separator: &str, before: bool) -> Option<&'t str> {
    parts_of(text, separator).map(|[front, back]| if before { front } else { back })
}

/// Appends the text in the case that `function` asks for.
pub(super) fn push_in_case(text: &str, function: Function, out: &mut String) {
    let from = out.len();
    match (text.is_ascii(), function) {
        (true, Function::Upper) => {
            out.push_str(text);
            out.get_mut(from..).unwrap_or_default().make_ascii_uppercase();
        }
        (true, _) => {
            out.push_str(text);
            out.get_mut(from..).unwrap_or_default().make_ascii_lowercase();
        }
        (false, Function::Upper) => out.push_str(&text.to_uppercase()),
        (false, _) => out.push_str(&text.to_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::connector::evaluate::Reader;
    use crate::connector::expression::{RowPath, Slots};
    use crate::connector::json::Document;
    use crate::connector::{Value, find};

    const EXPRESSIONS: &[&str] = &[
        "@key",
        "@row",
        "a",
        "a.b",
        "a.*",
        "@row.1",
        "^top",
        "^^top",
        "$given",
        "$empty",
        "$missing",
        "'text'",
        "''",
        "a ?? c ?? 'none'",
        "before(@key, '_') ?? c",
        "before(@key, '_')",
        "after(@key, '_b')",
        "after(c, 'x')",
        "before(c, '')",
        "upper(c)",
        "lower(@key)",
        "equal(c, 'x', a, @row)",
        "equal(missing, 'x', 'y', 'z')",
        "equal(c, missing, 'y', 'z')",
        "present(c)",
        "present(a)",
        "unless(c, @key)",
        "unless(missing, before(@key, '_'))",
        "map(c, 'accounts')",
        "map(missing, 'accounts')",
        "has(c, 'x')",
        "has(a, 'x')",
        "at(^index, @key)",
        "at(^index, c)",
        "at(c, @key)",
        "at(missing, @key)",
        "at(@row, 'c')",
        "c + a",
        "1",
    ];
    const ANSWER: &str = r#"{"top":"t","rows":{
        "x_b":{"a":"1","c":"x"}, "_b":{"a":{"b":true},"c":"wallet"}, "esc\u0061ped":{"a":null,"c":"q\"x"},
        "n":{"a":["x",2],"c":5.50}, "twice":{"a":{"b":1,"b":2},"c":""}, "é_É":{"c":"é"}, "list":["u","v"], "s":"scalar", "z":null, "":{"c":"x"},
        "index":{"x_b":"found","é_É":[1],"x":3,"q":1}
    },"index":{"x_b":"found","é_É":[1],"x":3,"q":1}}"#;

    #[test]
    fn what_is_lent_is_what_evaluation_gives() {
        let connector = find("coinbase").unwrap();
        let mut slots = Slots::default();
        let parsed: Vec<Expression> =
            EXPRESSIONS.iter().map(|text| Expression::parse(text, &mut slots).unwrap()).collect();
        let arguments = vec![("given".to_owned(), Value::from("g")), ("empty".to_owned(), Value::from(""))];
        let document = Document::parse(ANSWER.as_bytes()).unwrap();
        let reader = Reader { connector, arguments: &arguments, slots: &slots };
        let (mut lent, mut room) = (0, String::new());
        let path = RowPath::parse("rows.*").unwrap();
        reader
            .rows(document.root(), &path, &mut |row| {
                for (expression, text) in parsed.iter().zip(EXPRESSIONS) {
                    let evaluated = row.evaluate(expression).map(|out| (out.is_absent(), out.text()));
                    let place = format!("{text} of {:?}", row.key());
                    if let Some(plain) = row.plain(expression) {
                        lent += 1;
                        let told = evaluated.clone().map(|(absent, text)| (absent, text.unwrap_or_default()));
                        assert_eq!(told, Ok((plain.is_empty(), plain.into())), "{place}");
                    }
                    let told = evaluated.map(|(_, text)| text);
                    assert_eq!(row.text(expression), told, "{place}");
                    let built = row.text_in(expression, &mut room).map(|text| text.map(str::to_owned));
                    assert_eq!(built, told.map(|text| text.map(|text| text.into_owned())), "{place}");
                }
                Ok(())
            })
            .unwrap();
        assert!(lent > 200, "{lent}");
    }

    #[test]
    fn a_part_is_cut_at_the_first_separator() {
        for (text, separator, before, after) in [
            ("btc_balance", "_", Some("btc"), Some("balance")),
            ("a_b_c", "_", Some("a"), Some("b_c")),
            ("aab", "ab", Some("a"), Some("")),
            ("AVAIL_AVAILABLE_X", "AVAILABLE_", Some("AVAIL_"), Some("X")),
            ("é-ü", "-", Some("é"), Some("ü")),
            ("abc", "abcd", None, None),
            ("", "a", None, None),
            ("abc", "", None, None),
        ] {
            assert_eq!(part_of(text, separator, true), before, "{text} {separator}");
            assert_eq!(part_of(text, separator, false), after, "{text} {separator}");
        }
    }
}
