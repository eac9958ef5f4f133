//! Parts of a URL, as far as vectors need them.

/// `https://host:port/path?query` to host with its port, path, query; no question mark, no query.
pub fn split(url: &str) -> (&str, &str, Option<&str>) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (host, target) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match target.split_once('?') {
        Some((path, query)) => (host, path, Some(query)),
        None => (host, target, None),
    }
}

/// What stands before `://`; nothing where nothing does.
pub fn scheme(url: &str) -> &str {
    url.split_once("://").map_or("", |(scheme, _)| scheme)
}

/// Whether the recording client spoke to a host for tests; those serve several of the hosts that serve customers.
pub fn is_for_tests(host: &str) -> bool {
    host.starts_with("test.")
        || ["testnet", "demo", "sandbox", "stage."].iter().any(|word| host.contains(word))
}

/// The pairs of a query or form, decoded and sorted, without those named.
pub fn pairs(query: &str, without: &[String]) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    });
    let mut kept: Vec<_> = pairs.filter(|(name, _)| !without.contains(name)).collect();
    kept.sort();
    kept
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut digits = rest.clone();
        let pair = (byte == b'%').then(|| {
            let high = digits.next().and_then(|digit| char::from(digit).to_digit(16))?;
            let low = digits.next().and_then(|digit| char::from(digit).to_digit(16))?;
            u8::try_from(high * 16 + low).ok()
        });
        match pair.flatten() {
            Some(decoded) => {
                bytes.push(decoded);
                rest = digits;
            }
            None => bytes.push(if byte == b'+' { b' ' } else { byte }),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
