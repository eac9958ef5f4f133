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

/// Rows as lists hold them: few names, values that differ in size.
fn any_rows() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("1".to_owned()),
        Just("\"a\"".to_owned()),
        Just("[]".to_owned()),
        Just("[{\"b\":2},{\"b\":{}}]".to_owned()),
    ];
    let object = |value: BoxedStrategy<String>| {
        let name = prop_oneof![Just("a"), Just("b"), Just("a longer name"), Just("\\u0061")];
        proptest::collection::vec((name, value), 0..4).prop_map(|members| {
            let members: Vec<_> =
                members.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            format!("{{{}}}", members.join(","))
        })
    };
    let row = object(prop_oneof![leaf.clone(), object(leaf.boxed())].boxed());
    (proptest::collection::vec((row, 1usize..3), 1..6), any::<bool>()).prop_map(|(rows, listed)| {
        let rows: Vec<_> = rows.into_iter().flat_map(|(row, times)| vec![row; times]).collect();
        if listed {
            return format!("[{}]        ", rows.join(","));
        }
        let rows: Vec<_> = rows.iter().map(|row| format!("\"a\":{row}")).collect();
        format!("{{{}}}        ", rows.join(","))
    })
}

fn objects(json: Json<'_>) -> Vec<Json<'_>> {
    let inner = json.members().map(|(_, value)| value).chain(json.elements()).flat_map(objects);
    (json.kind() == Kind::Object).then_some(json).into_iter().chain(inner).collect()
}

fn names(json: Json<'_>) -> Vec<String> {
    json.members().map(|(name, _)| name.text().into_owned()).collect()
}

proptest! {
    #[test]
    fn an_object_repeats_only_what_has_its_names_at_the_same_distances(text in any_rows()) {
        let document = Document::parse(text.as_bytes()).unwrap();
        let objects = objects(document.root());
        for elder in &objects {
            for json in objects.iter().filter(|json| json.repeats(*elder)) {
                prop_assert_eq!(names(*json), names(*elder));
                for ((_, ours), (_, theirs)) in json.members().zip(elder.members()) {
                    prop_assert_eq!(json.counterpart(*elder, theirs).index, ours.index);
                }
            }
        }
    }

    #[test]
    fn rows_alike_are_read_like_any(text in any_rows()) {
        let document = Document::parse(text.as_bytes()).unwrap();
        let theirs: serde_json::Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(rebuilt(document.root()), theirs);
    }
}

/// Rows that begin like the one before and go on differently, in every kind of place; sometimes with white space.
fn any_like_rows() -> impl Strategy<Value = String> {
    let text = "(x|xy|long text long text|\\\\\"|\\\\u0061|é){0,3}";
    let scalar = prop_oneof![
        text.prop_map(|text| format!("\"{text}\"")),
        "(0|1|12|12)(\\.5|)".prop_map(|number| number),
        prop_oneof![Just("true"), Just("null")].prop_map(str::to_owned),
    ];
    let value = prop_oneof![
        4 => scalar.clone(),
        1 => scalar.prop_map(|inner| format!("{{\"i\":{inner},\"ii\":[{inner}]}}")),
    ];
    let name = prop_oneof![8 => Just(""), 1 => Just("x"), 1 => Just("\\u0061")];
    let row = (proptest::collection::vec((name, value), 1..6), prop_oneof![3 => Just(""), 1 => Just(" ")]);
    let written = row.prop_map(|(members, space)| {
        let member =
            |(at, (name, value)): (usize, &(&str, String))| format!("\"m{at}{name}\"{space}:{value}{space}");
        format!("{{{}}}", members.iter().enumerate().map(member).collect::<Vec<_>>().join(","))
    });
    proptest::collection::vec(written, 2..8).prop_map(|rows| format!("[{}]        ", rows.join(",")))
}

proptest! {
    #[test]
    fn rows_that_begin_alike_are_read_like_any(text in any_like_rows()) {
        let document = Document::parse(text.as_bytes()).unwrap();
        let theirs: serde_json::Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(described(document.root()), theirs.to_string());
    }

    #[test]
    fn one_wrong_byte_in_rows_alike_is_refused_as_anywhere(
        text in any_like_rows(),
        at in any::<proptest::sample::Index>(),
        byte in proptest::sample::select(b"\"\\{}[],: x0\n".to_vec()),
    ) {
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        *bytes.get_mut(at).unwrap() = byte;
        let ours = Document::parse(&bytes).is_ok();
        let theirs = serde_json::from_slice::<&serde_json::value::RawValue>(&bytes).is_ok();
        prop_assert_eq!(ours, theirs, "{:?}", String::from_utf8_lossy(&bytes));
    }
}

/// As another writer would write it again.
fn described(json: Json<'_>) -> String {
    fn value(json: Json<'_>) -> serde_json::Value {
        match json.kind() {
            Kind::Number => serde_json::from_str(json.raw()).unwrap(),
            Kind::Array => json.elements().map(value).collect::<Vec<_>>().into(),
            Kind::Object => {
                let members = json.members().map(|(name, inner)| (name.text().into_owned(), value(inner)));
                members.collect::<serde_json::Map<_, _>>().into()
            }
            _ => rebuilt(json),
        }
    }
    value(json).to_string()
}

#[test]
fn a_row_with_the_names_of_the_one_before_repeats_it() {
    let text = r#"[{"a":"1","b":{"c":2}},{"a":"22","b":{"c":[]}},{"a":3,"c":4},{"a":5,"c":[6]},{"a":7,"c":8},{}]     "#;
    let document = Document::parse(text.as_bytes()).unwrap();
    let rows: Vec<_> = document.root().elements().collect();
    let repeats: Vec<_> = rows.iter().skip(1).zip(&rows).map(|(row, elder)| row.repeats(*elder)).collect();
    assert_eq!(repeats, [true, false, false, false, false]);
}
