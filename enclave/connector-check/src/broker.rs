//! The broker and referral ids that the recording client adds of its own, and that a user's request must not carry.

/// A header by which a library earns a commission.
pub fn is_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with("kc-api-partner")
        || name == "kc-broker-name"
        || name == "referer"
        || name == "referrer"
        || name == "x-broker-id"
        || name.ends_with("-tag")
}

/// A parameter that carries such an id: order ids with the client's prefix, and the tag beside them.
pub fn is_parameter(name: &str, value: &str) -> bool {
    const PREFIXES: [&str; 6] =
        ["x-TKT5PX2F", "x-xcKtGhcu", "x-cvBPrNm9", "6b9ad766b55dBCDE", "ccxt", "CCXT"];
    const NAMES: [&str; 8] = [
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
