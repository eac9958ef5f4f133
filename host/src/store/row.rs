//! Reading rows: what is not as this program writes it is damaged, and nothing goes on with a guess.

use super::Failed;
use sqlx::Row;
use sqlx::any::AnyRow;
use wire::UnixMillis;

pub fn text(row: &AnyRow, column: &'static str) -> Result<String, Failed> {
    Ok(row.try_get::<String, _>(column)?)
}

pub fn parsed<T>(row: &AnyRow, column: &'static str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Failed> {
    parse(&text(row, column)?).ok_or(Failed::Damaged(column))
}

pub fn parsed_if_any<T>(
    row: &AnyRow,
    column: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Failed> {
    match row.try_get::<Option<String>, _>(column)? {
        Some(text) => parse(&text).map(Some).ok_or(Failed::Damaged(column)),
        None => Ok(None),
    }
}

pub fn time(row: &AnyRow, column: &'static str) -> Result<UnixMillis, Failed> {
    let millis = u64::try_from(row.try_get::<i64, _>(column)?);
    millis.map(UnixMillis).map_err(|_| Failed::Damaged(column))
}

pub fn time_if_any(row: &AnyRow, column: &'static str) -> Result<Option<UnixMillis>, Failed> {
    let Some(millis) = row.try_get::<Option<i64>, _>(column)? else { return Ok(None) };
    u64::try_from(millis).map(|millis| Some(UnixMillis(millis))).map_err(|_| Failed::Damaged(column))
}

pub fn number<T>(row: &AnyRow, column: &'static str, read: impl Fn(i64) -> Option<T>) -> Result<T, Failed> {
    read(row.try_get::<i64, _>(column)?).ok_or(Failed::Damaged(column))
}

/// Every time of this program is below 2^63.
pub fn millis(time: UnixMillis) -> i64 {
    i64::try_from(time.0).unwrap_or(i64::MAX)
}
