#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;

fn accepts(text: &str) -> bool {
    Document::parse(text.as_bytes()).is_ok()
}

#[test]
fn what_rfc_8259_allows_is_read() {
    for text in
        ["{}", "[]", " [ 1 , -0.5e+3 ] ", "\"\"", "null", "[true,false,null]", "{\"a\":{\"b\":[{}]}}", "0"]
    {
        assert!(accepts(text), "{text}");
    }
}

#[test]
fn what_rfc_8259_forbids_is_refused() {
    for text in [
        "",
        "{",
        "[1,]",
        "{\"a\"}",
        "{\"a\":1,}",
        "{a:1}",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "'a'",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"a\nb\"",
        "nul",
        "[1 2]",
        "{\"a\":1]",
        "[}",
        "NaN",
        "1 1",
        "\"",
        "\u{feff}{}",
    ] {
        assert!(!accepts(text), "{text:?}");
    }
    assert_eq!(Document::parse(b"\"\xff\"").err(), Some(JsonError::NotUtf8));
}

#[test]
fn numbers_keep_their_exact_text() {
    let document = Document::parse(b"[0.1000000000000000055511151231257827, 1e400]").unwrap();
    let texts: Vec<_> = document.root().elements().map(Json::raw).collect();
    assert_eq!(texts, ["0.1000000000000000055511151231257827", "1e400"]);
}

#[test]
fn strings_are_unescaped() {
    let document =
        Document::parse(br#"["a\"\\\/\n\u00e9\ud83d\ude00\ud800x", "0123456789abcdef\t"]"#).unwrap();
    let texts: Vec<_> = document.root().elements().filter_map(Json::string).collect();
    assert_eq!(texts, ["a\"\\/\né😀\u{fffd}x", "0123456789abcdef\t"]);
}

#[test]
fn a_duplicate_name_is_refused_where_it_is_asked_for() {
    let document = Document::parse(br#"{"free":"1","free":"2","used":"3","\u0075sed":"4"}"#).unwrap();
    assert_eq!(document.root().member("free").err(), Some(JsonError::Duplicate));
    assert_eq!(document.root().member("used").err(), Some(JsonError::Duplicate));
    assert!(document.root().member("total").unwrap().is_none());
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(accepts(&nested(MAX_DEPTH)));
    assert_eq!(Document::parse(nested(MAX_DEPTH + 1).as_bytes()).err(), Some(JsonError::TooDeep));
    assert_eq!(Document::parse("[".repeat(1 << 20).as_bytes()).err(), Some(JsonError::TooDeep));
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Into::into),
            proptest::collection::hash_map(any::<String>(), inner, 0..8)
                .prop_map(|members| members.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

fn rebuilt(json: Json<'_>) -> serde_json::Value {
    match json.kind() {
        Kind::Null => serde_json::Value::Null,
        Kind::True => true.into(),
        Kind::False => false.into(),
        Kind::Number => json.raw().parse::<i64>().unwrap().into(),
        Kind::String | Kind::Escaped => json.string().unwrap().into_owned().into(),
        Kind::Array => json.elements().map(rebuilt).collect::<Vec<_>>().into(),
        Kind::Object => {
            let members = json.members().map(|(name, value)| (name.text().into_owned(), rebuilt(value)));
            members.collect::<serde_json::Map<_, _>>().into()
        }
    }
}

proptest! {
    #[test]
    fn another_writer_is_understood(value in any_json()) {
        let text = value.to_string();
        let document = Document::parse(text.as_bytes()).unwrap();
        prop_assert_eq!(rebuilt(document.root()), value);
    }

    #[test]
    fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(document) = Document::parse(&bytes) {
            prop_assert!(document.nodes.len() <= bytes.len());
        }
    }

    #[test]
    fn nearly_json_agrees_with_another_reader(text in "[\\[\\]{}:,\"\\\\u0-9a-e.+ -]{0,24}") {
        let ours = Document::parse(text.as_bytes()).is_ok();
        let theirs = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
        prop_assert_eq!(ours, theirs, "{}", text);
    }
}
