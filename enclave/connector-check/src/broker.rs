//! The broker and referral ids that the recording client adds of its own, and that a user's request must not carry.

/// A header by which a library earns a commission, or with which the recording client names itself.
pub fn is_header(name: &str, value: &str) -> bool {
    const NAMES: [&str; 11] = [
        "appid",
        "partner-id",
        "x-channel-api-code",
        "kc-broker-name",
        "referer",
        "referrer",
        "x-broker-id",
        "x-bb-api-platform",
        "input-source",
        "broker_sign",
        "x-fb-client-version",
    ];
    let name = name.to_ascii_lowercase();
    NAMES.contains(&name.as_str())
        || name.starts_with("kc-api-partner")
        || name.ends_with("-tag")
        || value.to_ascii_lowercase().contains("ccxt")
}

/// A parameter that carries such an id: order ids with the client's prefix, and the tag beside them.
pub fn is_parameter(name: &str, value: &str) -> bool {
    const PREFIXES: [&str; 11] = [
        "b-WEEX111125",
        "AA03022abc",
        "x-TKT5PX2F",
        "x-xcKtGhcu",
        "x-cvBPrNm9",
        "x-167673045",
        "6b9ad766b55dBCDE",
        "bc830de7-50f3-460b",
        "nfqkvdjp",
        "ccxt",
        "CCXT",
    ];
    const NAMES: [&str; 16] = [
        "client-order-id",
        "clOrdID",
        "client_id",
        "media",
        "clientMedia",
        "broker_id",
        "order_tag",
        "clientOrderId",
        "newClientOrderId",
        "clOrdId",
        "tag",
        "clientOid",
        "brokerId",
        "client_order_id",
        "orderLinkId",
        "newClientStrategyId",
    ];
    NAMES.contains(&name) && PREFIXES.iter().any(|prefix| value.starts_with(prefix))
}

/// Takes such parameters out of a query or form, whose pairs keep their order.
pub fn strip(query: &str) -> String {
    let kept = query.split('&').filter(|pair| match pair.split_once('=') {
        Some((name, value)) => !is_parameter(name, value),
        None => true,
    });
    kept.collect::<Vec<_>>().join("&")
}

/// Takes such members out of JSON inside a text, and such pairs out of a query inside it.
pub fn strip_signed(text: &str) -> String {
    let mut out = strip(text);
    let mut from = 0;
    while let Some((start, end)) = member(&out, from) {
        let (name, value) = (out.get(start..end).unwrap_or_default()).split_once(':').unwrap_or_default();
        if !is_parameter(name.trim_matches('"'), value.trim_matches('"')) {
            from = end;
            continue;
        }
        let (before, after) = (out.get(..start).unwrap_or_default(), out.get(end..).unwrap_or_default());
        out = match before.strip_suffix(',') {
            Some(before) => format!("{before}{after}"),
            None => format!("{before}{}", after.strip_prefix(',').unwrap_or(after)),
        };
    }
    out
}

/// Where the next `"name":"value"` stands, from a place on.
fn member(text: &str, from: usize) -> Option<(usize, usize)> {
    let middle = from + text.get(from..)?.find("\":\"")?;
    let start = text.get(..middle)?.rfind('"')?;
    let value = middle + 3;
    let end = value + text.get(value..)?.find('"')? + 1;
    Some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_taken_out_of_json_and_out_of_queries() {
        for (signed, stripped) in [
            (r#"POST#/order#{"media":"CCXT"}"#, "POST#/order#{}"),
            (r#"1{"a":"b","media":"CCXT"}"#, r#"1{"a":"b"}"#),
            (r#"{"media":"CCXT","a":"b"}"#, r#"{"a":"b"}"#),
            (r#"{"media":"mine","a":"ccxt"}"#, r#"{"media":"mine","a":"ccxt"}"#),
            ("timestamp=1&newClientOrderId=x-TKT5PX2F1&a=2", "timestamp=1&a=2"),
        ] {
            assert_eq!(strip_signed(signed), stripped);
        }
    }

    #[test]
    fn a_header_that_names_the_recording_client_is_its_own() {
        assert!(is_header("source", "CCXT") && is_header("X-Broker-Id", "1"));
        assert!(!is_header("source", "web") && !is_header("Content-Type", "application/json"));
    }
}
