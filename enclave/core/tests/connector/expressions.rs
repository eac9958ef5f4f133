//! What expressions make of a row.

use enclave::connector::{Document, Params, Reply, load_leaked};

/// The value of one expression over one answer, as a read operation gives it; an error where it does not fit.
fn value(expression: &str, answer: &str) -> Result<Option<String>, ()> {
    let mut tree = super::files::small();
    tree["reads"] = serde_json::json!([{
        "operation": "things", "call": "GET private things", "fields": { "id": "'row'", "amount": expression },
    }]);
    let connector = load_leaked(tree.to_string().as_bytes()).unwrap();
    let document = Document::parse(answer.as_bytes()).unwrap();
    let reply = Reply { connector, arguments: &Params::new(), root: document.root() };
    let listing = &connector.reads.first().unwrap().listing;
    let records = reply.records(listing).map_err(|_| ())?;
    if records.damaged {
        return Err(());
    }
    Ok(records.rows.first().unwrap().field("amount").map(str::to_owned))
}

#[test]
fn a_member_is_found_by_the_name_that_another_value_gives() {
    let answer = r#"{"held":{"btc":"1.5"},"asset":"btc","other":"eth","list":[1]}"#;
    assert_eq!(value("at(held, asset)", answer), Ok(Some("1.5".to_owned())));
    assert_eq!(value("at(held, other)", answer), Ok(None));
    assert_eq!(value("at(held, missing)", answer), Ok(None));
    assert_eq!(value("at(asset, asset)", answer), Ok(None));
    assert_eq!(value("at(held, asset)", r#"{"held":{"btc":"1","btc":"2"},"asset":"btc"}"#), Err(()));
}

#[test]
fn rows_inside_of_a_named_member_know_its_name() {
    let mut tree = super::files::small();
    tree["reads"] = serde_json::json!([{
        "operation": "currencies", "call": "GET private things", "rows": ["map.*.networks[*]"],
        "fields": { "asset": "@key", "network": "id", "name": "^name" },
    }]);
    let connector = load_leaked(tree.to_string().as_bytes()).unwrap();
    let answer =
        br#"{"map":{"BTC":{"name":"Bitcoin","networks":[{"id":"a"},{"id":"b"}]},"ETH":{"networks":[{"id":"c"}]}}}"#;
    let document = Document::parse(answer).unwrap();
    let reply = Reply { connector, arguments: &Params::new(), root: document.root() };
    let records = reply.records(&connector.reads.first().unwrap().listing).unwrap();
    let read = |name| records.rows.iter().map(|row| row.field(name).unwrap_or("")).collect::<Vec<_>>();
    assert_eq!(read("asset"), ["BTC", "BTC", "ETH"]);
    assert_eq!((read("network"), read("name")), (vec!["a", "b", "c"], vec!["Bitcoin", "Bitcoin", ""]));
}

#[test]
fn digits_behind_the_point_are_a_step() {
    for (digits, step) in [("0", "1"), ("1", "0.1"), ("8", "0.00000001"), ("-2", "100")] {
        assert_eq!(value("tick(n)", &format!(r#"{{"n":"{digits}"}}"#)), Ok(Some(step.to_owned())));
    }
    for wrong in ["39", "-39", "x", "1.5", "1000"] {
        assert_eq!(value("tick(n)", &format!(r#"{{"n":"{wrong}"}}"#)), Err(()), "{wrong}");
    }
}

#[test]
fn a_row_that_is_a_list_is_read_by_its_places() {
    let answer = r#"["error",10100,{"a":["x"]}]"#;
    assert_eq!(value("@row.1", answer), Ok(Some("10100".to_owned())));
    assert_eq!(value("@row.2.a.0", answer), Ok(Some("x".to_owned())));
    assert_eq!(value("@row.7", answer), Ok(None));
    assert_eq!(value("equal(@row.0, 'error', @row.1, '')", answer), Ok(Some("10100".to_owned())));
}

#[test]
fn a_row_knows_the_member_that_it_lies_in() {
    let mut tree = super::files::small();
    tree["reads"] = serde_json::json!([{
        "operation": "currencies", "call": "GET private things", "rows": ["data.*.networks[*]"],
        "fields": { "asset": "@key", "network": "code" },
    }]);
    let connector = load_leaked(tree.to_string().as_bytes()).unwrap();
    let answer =
        r#"{"data":{"BTC":{"networks":[{"code":"B"},{"code":"L"}]},"ETH":{"networks":[{"code":"E"}]}}}"#;
    let document = Document::parse(answer.as_bytes()).unwrap();
    let reply = Reply { connector, arguments: &Params::new(), root: document.root() };
    let records = reply.records(&connector.reads.first().unwrap().listing).map_err(|_| ()).unwrap();
    let rows: Vec<_> =
        records.rows.iter().map(|row| (row.field("asset").unwrap(), row.field("network").unwrap())).collect();
    assert_eq!(rows, [("BTC", "B"), ("BTC", "L"), ("ETH", "E")]);
}

#[test]
fn a_part_that_is_empty_is_absent() {
    let answer = r#"{"name":"_balance","other":"x"}"#;
    assert_eq!(value("before(name, '_') ?? other", answer), Ok(Some("x".to_owned())));
    assert_eq!(value("present(before(name, '_'))", answer), Ok(Some("no".to_owned())));
}
