//! From the field `page` of a listing to a [`Paging`].

use super::expression::{Expression, Path, Slots};
use super::json::Json;
use super::model::{Paging, Steps, Unpaged};
use super::table::{LoadError, Table};
use super::time::from_iso8601;

const DAY_MS: u64 = 86_400_000;
/// A century: more is a mistake.
const MAX_DAYS: u32 = 36_500;

/// `{ param, next or last or first, step and end, size, limit, with, kept, max }`, or a window: `{ days, size, order, … }`.
pub fn paging(json: Json<'_>) -> Result<Paging, LoadError> {
    let mut table = Table::of(json, "page")?;
    let size = match table.number("size", Some(0))? {
        0 => None,
        size => Some(size),
    };
    let (limit, max) = (table.optional_text("limit")?, table.number("max", Some(20))?);
    let with = table.pairs("with")?;
    let (days, kept) = (table.number("days", Some(0))?, table.number("kept", Some(0))?);
    if days > MAX_DAYS || kept > MAX_DAYS {
        return Err(table.fault("days", "expected at most 36500"));
    }
    let kept_rows = Some(table.number("kept_rows", Some(0))?).filter(|rows| *rows != 0);
    let kept_ms = (kept != 0).then(|| u64::from(kept) * DAY_MS);
    let steps = if days == 0 { numbered_or_linked(&mut table)? } else { window(&mut table, days)? };
    let sized = matches!(steps, Steps::Number { .. } | Steps::Window { .. }) || limit.is_some();
    if sized && size.is_none() {
        return Err(table.fault("size", "missing"));
    }
    table.finish()?;
    Ok(Paging { steps, size, limit, with, kept_ms, kept_rows, max })
}

fn numbered_or_linked(table: &mut Table<'_>) -> Result<Steps, LoadError> {
    let param = table.text("param")?;
    if let Some(next) = table.optional_text("next")? {
        return Ok(Steps::Cursor { param, next: path(&next, table)? });
    }
    if let Some(field) = table.optional_text("last")? {
        return Ok(Steps::Last { param, field });
    }
    let (first, step) = (table.number("first", Some(1))?, table.number("step", Some(1))?);
    Ok(Steps::Number { param, first, step, end: table.optional_text("end")? })
}

/// `unpaged = { whole = "why this is all" }` or `{ latest = "why there is no more" }`.
pub fn unpaged(table: &mut Table<'_>) -> Result<Option<Unpaged>, LoadError> {
    let Some(json) = table.take("unpaged") else { return Ok(None) };
    let mut inner = Table::of(json, "unpaged")?;
    let (whole, latest) = (inner.optional_text("whole")?, inner.optional_text("latest")?);
    inner.finish()?;
    match (whole.as_deref(), latest.as_deref()) {
        (Some(reason), None) if !reason.is_empty() => Ok(Some(Unpaged::Whole)),
        (None, Some(reason)) if !reason.is_empty() => Ok(Some(Unpaged::Latest)),
        _ => Err(table.fault("unpaged", "expected the reason, as `whole` or as `latest`")),
    }
}

fn path(text: &str, table: &Table<'_>) -> Result<Path, LoadError> {
    match Expression::parse(text, &mut Slots::default())? {
        Expression::Path(path) => Ok(path),
        _ => Err(table.fault("next", "expected a path")),
    }
}

/// `{ days, order = "newest" or "oldest", earliest = "2017-07-01" }`.
fn window(table: &mut Table<'_>, days: u32) -> Result<Steps, LoadError> {
    let newest = match table.text("order")?.as_str() {
        "newest" => true,
        "oldest" => false,
        _ => return Err(table.fault("order", "expected `newest` or `oldest`")),
    };
    let earliest = table.optional_text("earliest")?.unwrap_or_else(|| "2017-01-01".to_owned());
    let earliest_ms = from_iso8601(&earliest).ok_or_else(|| table.fault("earliest", "expected a date"))?;
    Ok(Steps::Window { span_ms: u64::from(days) * DAY_MS - 1, newest, earliest_ms })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::connector::json::Document;

    fn read(text: &str) -> Result<Paging, LoadError> {
        paging(Document::parse(text.as_bytes()).unwrap().root())
    }

    #[test]
    fn a_page_says_how_it_ends_and_never_two_things_at_once() {
        let last = read(r#"{"param":"after","last":"id","size":100,"limit":"limit"}"#).unwrap();
        assert!(last.is_full(100) && !last.is_full(99));
        let endless = read(r#"{"param":"after","last":"id"}"#).unwrap();
        assert!(endless.is_full(1) && !endless.is_full(0));
        for wrong in [
            r#"{"param":"page"}"#,
            r#"{"param":"after","last":"id","limit":"limit"}"#,
            r#"{"days":30,"order":"newest"}"#,
            r#"{"days":36501,"size":9,"order":"newest"}"#,
            r#"{"days":30,"size":9,"order":"newest","kept":36501}"#,
            r#"{"days":30,"size":9,"order":"newest","param":"page"}"#,
            r#"{"param":"c","next":"c","last":"id"}"#,
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
