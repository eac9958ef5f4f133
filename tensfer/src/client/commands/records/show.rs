//! Rows for people and for programs.

use crate::client::clock::rfc3339;
use crate::client::table::{Align, Table};
use serde_json::{Map, Value};
use wire::UnixMillis;
use wire::record::Row;

/// A row as JSON: every field a text, times RFC 3339 beside the milliseconds.
pub fn object(row: &Row) -> Map<String, Value> {
    let mut object = Map::new();
    for field in &row.fields {
        object.insert(field.name.clone(), Value::String(field.text.clone()));
        if field.name == "timestamp"
            && let Ok(ms) = field.text.parse()
        {
            object.insert("time".to_owned(), Value::String(rfc3339(UnixMillis(ms))));
        }
    }
    object
}

/// The columns that are worth a glance; JSON has the rest.
fn columns(kind: &str) -> [(&'static str, Align); 7] {
    use Align::{Left, Right};
    match kind {
        "trades" => [
            ("time", Left),
            ("market", Left),
            ("side", Left),
            ("amount", Right),
            ("price", Right),
            ("fee", Right),
            ("fee_asset", Left),
        ],
        "ledger" => [
            ("time", Left),
            ("asset", Left),
            ("direction", Left),
            ("amount", Right),
            ("fee", Right),
            ("type", Left),
            ("id", Left),
        ],
        "positions" => [
            ("market", Left),
            ("side", Left),
            ("contracts", Right),
            ("entry_price", Right),
            ("mark", Right),
            ("unrealized_profit", Right),
            ("leverage", Right),
        ],
        "addresses" => [
            ("asset", Left),
            ("network", Left),
            ("chain", Left),
            ("address", Left),
            ("tag", Left),
            ("name", Left),
            ("status", Left),
        ],
        "destinations" => [
            ("saved", Left),
            ("asset", Left),
            ("type", Left),
            ("name", Left),
            ("network", Left),
            ("address", Left),
            ("status", Left),
        ],
        "networks" => [
            ("asset", Left),
            ("network", Left),
            ("chain", Left),
            ("deposit", Left),
            ("withdraw", Left),
            ("fee", Right),
            ("minimum", Right),
        ],
        _ => [
            ("time", Left),
            ("asset", Left),
            ("amount", Right),
            ("fee", Right),
            ("status", Left),
            ("network", Left),
            ("txid", Left),
        ],
    }
}

pub fn table(kind: &str, rows: &[Map<String, Value>]) -> String {
    if rows.is_empty() {
        return format!("no {kind}\n");
    }
    let columns = columns(kind);
    let mut table = Table::new(columns.map(|(name, align)| (heading(name), align)));
    for row in rows {
        let cell = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        table.row(columns.map(|(name, _)| cell(name)));
    }
    table.to_string()
}

fn heading(name: &'static str) -> &'static str {
    match name {
        "fee_asset" => "in",
        "entry_price" => "entry",
        "unrealized_profit" => "profit",
        name => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::record::Field;

    fn row(fields: &[(&str, &str)]) -> Row {
        let field = |(name, text): &(&str, &str)| Field { name: (*name).into(), text: (*text).into() };
        Row { fields: fields.iter().map(field).collect() }
    }

    #[test]
    fn rows_are_shown_with_exact_amounts_and_times_for_people() {
        let rows = [
            object(&row(&[("timestamp", "1700000000123"), ("asset", "BTC"), ("amount", "0.10000001")])),
            object(&row(&[("asset", "ETH"), ("amount", "12"), ("status", "o\x1b[2Jk")])),
        ];
        let text = table("deposits", &rows);
        assert!(text.contains("2023-11-14T22:13:20Z") && text.contains("0.10000001"), "{text}");
        assert!(!text.contains('\x1b'), "text from outside does not steer the terminal");
        assert_eq!(table("deposits", &[]), "no deposits\n");
        assert_eq!(rows[0]["timestamp"], "1700000000123");
    }
}
