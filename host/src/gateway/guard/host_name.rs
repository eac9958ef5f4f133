//! Against DNS rebinding: a page whose name was made to resolve to this machine sends its own name as `Host`.

use axum::extract::Request;
use axum::http::header::HOST;
use axum::http::uri::Authority;

/// Whether the request names this machine itself, once, and names nothing else.
pub fn is_loopback(request: &Request) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    let only = hosts.next().filter(|_| hosts.next().is_none());
    let named = only.is_some_and(|host| host.to_str().is_ok_and(is_loopback_authority));
    // An absolute target (RFC 9112 §3.2.2) names a host as well.
    named && request.uri().authority().is_none_or(|authority| is_loopback_authority(authority.as_str()))
}

fn is_loopback_authority(text: &str) -> bool {
    let Ok(authority) = text.parse::<Authority>() else { return false };
    let without_user = !text.contains('@');
    without_user
        && ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| authority.host().eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machines_own_names_pass() {
        for host in ["localhost", "localhost:8080", "LOCALHOST:1", "127.0.0.1:8080", "[::1]:8080", "[::1]"] {
            assert!(is_loopback_authority(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "127.0.0.1.nip.io",
            "localhost:8080@evil.example",
            "user@localhost",
            "127.0.0.2",
            "0.0.0.0",
            "::1",
            "localhost.",
            "localhost, evil.example",
        ] {
            assert!(!is_loopback_authority(host), "{host}");
        }
    }
}
