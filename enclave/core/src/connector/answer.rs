//! From a provider's answer to what it means: a fault, or rows.

use std::collections::BTreeSet;

use wire::Decimal;

use super::balance::Mapping;
use super::cookie::Cookie;
use super::credential::FieldText;
use super::evaluate::{Mismatch, Reader, Row};
use super::expression::{Expression, Path, RowPath, Slots};
use super::fault::{Fault, FaultCode, FaultKind};
use super::grant::is_token;
use super::json::{Document, Json};
use super::model::{BalanceSource, Connector, Listing, Steps};
use super::nonce::{SESSION_MARGIN_MS, SessionValues};
use super::outcome::{Balance, Record};
use super::page::Seen;
use super::session::{ENDS, Session};
use super::value::Params;

/// A parsed answer of one listing.
pub struct Reply<'d> {
    pub connector: &'static Connector,
    pub arguments: &'d Params,
    pub root: Json<'d>,
}

/// Rows that were read, and whether some could not be.
pub struct Read<T> {
    pub rows: Vec<T>,
    pub damaged: bool,
    /// What all rows tell of the page behind them; the cursor only where it is theirs.
    pub seen: Seen,
}

/// Whether the provider refused, and why. Codes of the body count before the status.
pub fn refusal(connector: &Connector, status: u16, document: Option<&Document<'_>>) -> Option<Fault> {
    let Said { code, message, original } =
        document.map_or_else(Said::default, |document| said(connector, document.root()));
    let success = (200..300).contains(&status);
    let denied = code.as_ref().is_some_and(|code| !connector.errors.success.contains(code));
    if success && !denied {
        return None;
    }
    let kind =
        kind_of(connector, code.as_deref(), message.as_deref()).unwrap_or_else(|| kind_of_status(status));
    let provider_code = code.filter(|_| denied).map(|code| printable(&code));
    let original = original.map(|id| printable(&id)).filter(|id| !id.is_empty());
    Some(Fault { code: FaultCode::Provider(kind), provider_code, status: Some(status), original })
}

/// What an answer says of a failure, by the connector's `errors`.
#[derive(Debug, Default)]
pub struct Said {
    pub code: Option<String>,
    pub message: Option<String>,
    /// The id of what an earlier request with the same reference made.
    pub original: Option<String>,
}

/// Reads what an answer says of a failure; nothing of one that says nothing.
pub fn said<'d>(connector: &'d Connector, root: Json<'d>) -> Said {
    let arguments = Params::new();
    let reader = Reader { connector, arguments: &arguments, slots: &connector.errors.slots };
    let mut said = Said::default();
    fn text<'d>(row: &Row<'d, '_>, expression: &'d Option<Expression>) -> Option<String> {
        let out = expression.as_ref().and_then(|expression| row.text(expression).ok().flatten());
        out.map(|text| text.into_owned())
    }
    // An answer that is no object has none of them.
    let _ = reader.rows(root, &RowPath::default(), &mut |row| {
        said.code = text(row, &connector.errors.code);
        said.message = text(row, &connector.errors.message);
        said.original = text(row, &connector.errors.original);
        Ok(())
    });
    said
}

fn kind_of(connector: &Connector, code: Option<&str>, message: Option<&str>) -> Option<FaultKind> {
    let errors = &connector.errors;
    let exact = errors
        .exact
        .iter()
        .find(|(known, _)| Some(known.as_str()) == code || Some(known.as_str()) == message);
    let within = |text: Option<&str>, part: &str| text.is_some_and(|text| text.contains(part));
    let found = exact
        .or_else(|| errors.contains.iter().find(|(part, _)| within(code, part) || within(message, part)));
    found.map(|(_, kind)| *kind)
}

fn kind_of_status(status: u16) -> FaultKind {
    match status {
        401 => FaultKind::Credential,
        403 => FaultKind::Permission,
        418 | 429 => FaultKind::RateLimit,
        451 => FaultKind::Region,
        408 | 500..=599 => FaultKind::Maintenance,
        _ => FaultKind::Unknown,
    }
}

/// A provider's own code as it may be shown: at most 64 visible ASCII characters.
fn printable(code: &str) -> String {
    code.chars().filter(|c| (' '..='~').contains(c)).take(64).collect()
}

impl<'d> Reply<'d> {
    /// The balances of one source. Rows that cannot be read are left out and counted as damage.
    pub fn balances(&self, source: &'static BalanceSource) -> Result<Read<Balance>, Mismatch> {
        let mut mapping = Mapping::new(source);
        // A row of two members takes six nodes, with its own name where it has one.
        let expected = (self.root.size() / 6).min(1024);
        let (mut rows, mut damaged) = (Vec::with_capacity(expected), false);
        let seen = self.rows(&source.listing, &mut |row| {
            damaged |= mapping.read(row, &mut rows).is_err();
            Ok(())
        })?;
        Ok(Read { rows, damaged, seen })
    }

    /// The rows of a listing as records, with the fields that it names.
    pub fn records(&self, listing: &'static Listing) -> Result<Read<Record>, Mismatch> {
        let (mut rows, mut damaged) = (Vec::new(), false);
        let seen = self.rows(listing, &mut |row| {
            match record(listing, row) {
                Ok(record) => rows.push(record),
                Err(Mismatch) => damaged = true,
            }
            Ok(())
        })?;
        if listing.distinct {
            let mut told = BTreeSet::new();
            rows.retain(|row| told.insert(row.0.clone()));
        }
        Ok(Read { rows, damaged, seen })
    }

    /// The value of a cursor in the answer.
    pub fn cursor(&self, next: &Path) -> Option<String> {
        let slots = Slots::default();
        let mut cursor = None;
        // The path starts at the root itself: no slot of the listing's rows.
        let path = Expression::Path(Path { up: 0, slot: None, steps: next.steps.clone() });
        let reader = Reader { connector: self.connector, arguments: self.arguments, slots: &slots };
        let _ = reader.rows(self.root, &RowPath::default(), &mut |row| {
            cursor = row.text(&path)?.map(|text| text.into_owned());
            Ok(())
        });
        cursor
    }

    /// A field of the first row as Unix time in ms.
    pub fn instant(&self, listing: &'static Listing, field: &str) -> Option<u64> {
        let expression = listing.field(field)?;
        let mut found: Option<Decimal> = None;
        let _ = self.rows(listing, &mut |row| {
            found = found.or(row.decimal(expression)?);
            Ok(())
        });
        u64::try_from(found?.rounded(0, wire::decimal::Rounding::Down).ok()?.mantissa()).ok()
    }

    /// The fields of the first row, without leaving a copy behind: all of them but those that may be missing.
    pub fn texts(
        &self,
        listing: &'static Listing,
        optional: &[&str],
    ) -> Option<Vec<(&'static str, FieldText<'d>)>> {
        let mut found = None;
        self.rows(listing, &mut |row| {
            let mut fields = Vec::with_capacity(listing.fields.len());
            for (name, expression) in &listing.fields {
                match row.evaluate(expression)?.text().map(FieldText) {
                    Some(text) => fields.push((name.as_str(), text)),
                    None if optional.contains(&name.as_str()) => {}
                    None => return Err(Mismatch),
                }
            }
            found.get_or_insert(fields);
            Ok(())
        })
        .ok()?;
        found
    }

    /// What a login yielded, and until when it may be used. Nothing unless all of it is there.
    pub fn session(
        &self,
        session: &'static Session,
        headers: &[(String, String)],
        now_ms: u64,
    ) -> Option<(SessionValues, u64)> {
        let (mut values, mut ends_ms) =
            (SessionValues::default(), now_ms.saturating_add(session.lifetime_ms));
        for (name, text) in self.texts(&session.listing, &ENDS)? {
            match name {
                // A number that makes no sense says nothing: the connector bounds how long it is used.
                "expires_in" => {
                    let stated = whole(&text.0).map(|s| now_ms.saturating_add(s.saturating_mul(1000)));
                    ends_ms = ends_ms.min(stated.unwrap_or(u64::MAX));
                }
                "expires" => ends_ms = ends_ms.min(whole(&text.0).unwrap_or(u64::MAX)),
                _ => values.add(name, Some(&*text.0).filter(|text| is_token(text))?),
            }
        }
        for (name, header) in &session.headers {
            let (_, text) = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(header))?;
            values.add(name, Some(text.as_str()).filter(|text| is_token(text))?);
        }
        for (name, cookie) in &session.cookies {
            let cookie = Cookie::find(headers, cookie)?;
            values.add(name, Some(cookie.pair).filter(|text| is_token(text) && !text.ends_with('='))?);
            ends_ms = ends_ms.min(cookie.ends_ms(now_ms).unwrap_or(u64::MAX));
        }
        // What ends sooner is used all the same: what comes of it is the provider's to say.
        Some((values, ends_ms.max(now_ms.saturating_add(2 * SESSION_MARGIN_MS))))
    }

    /// Calls `visit` for each row that `only` lets through. What is behind the page depends on all of them.
    fn rows(
        &self,
        listing: &'static Listing,
        visit: &mut dyn FnMut(&Row<'d, '_>) -> Result<(), Mismatch>,
    ) -> Result<Seen, Mismatch> {
        let reader = Reader { connector: self.connector, arguments: self.arguments, slots: &listing.slots };
        let mut seen = Seen::default();
        for path in &listing.rows {
            let mut count = 0;
            reader.rows(self.root, path, &mut |row| {
                count += 1;
                see(listing, row, &mut seen);
                if wanted(listing, row)? { visit(row) } else { Ok(()) }
            })?;
            if let (Some(outer), Some(_)) = (path.outer(), &listing.page) {
                count = 0;
                let slots = Slots::default();
                let reader = Reader { connector: self.connector, arguments: self.arguments, slots: &slots };
                reader.rows(self.root, &outer, &mut |_| {
                    count += 1;
                    Ok(())
                })?;
            }
            seen.rows += count;
        }
        Ok(seen)
    }
}

/// The whole part of a number that is not negative.
fn whole(text: &str) -> Option<u64> {
    let number = text.parse::<Decimal>().ok()?.rounded(0, wire::decimal::Rounding::Down).ok()?;
    u64::try_from(number.mantissa()).ok()
}

/// Notes what a row tells of the page behind it. A time or cursor that cannot be read is none.
fn see(listing: &'static Listing, row: &Row<'_, '_>, seen: &mut Seen) {
    let text_of = |field| row.text(listing.field(field)?).ok().flatten();
    match listing.page.as_ref().map(|paging| &paging.steps) {
        Some(Steps::Last { field, .. }) => seen.cursor = text_of(field).map(|text| text.into_owned()),
        Some(Steps::Window { .. }) => {
            let time = text_of("timestamp").and_then(|text| text.parse::<u64>().ok());
            seen.earliest = seen.earliest.into_iter().chain(time).min();
            seen.latest = seen.latest.max(time);
        }
        _ => {}
    }
}

fn wanted(listing: &'static Listing, row: &Row<'_, '_>) -> Result<bool, Mismatch> {
    for (expression, allowed) in &listing.only {
        let text = row.text(expression)?;
        if !text.is_some_and(|text| allowed.iter().any(|known| known.as_str() == text)) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn record(listing: &'static Listing, row: &Row<'_, '_>) -> Result<Record, Mismatch> {
    let mut fields = Vec::with_capacity(listing.fields.len());
    for (name, expression) in &listing.fields {
        if let Some(text) = row.text(expression)? {
            fields.push((name.as_str(), text.into_owned()));
        }
    }
    Ok(Record(fields))
}
