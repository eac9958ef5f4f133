//! Whom a request may be for. Against DNS rebinding: a page whose name was made to resolve here sends its own name; and
//! against one name's connection being used for another's requests.

use super::Arrival;
use axum::extract::Request;
use axum::http::Version;
use axum::http::header::HOST;
use axum::http::uri::Authority;
use rustls::pki_types::ServerName;

/// What this gateway is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Names {
    /// This machine itself, in plain HTTP.
    Localhost,
    /// These names and addresses, over TLS.
    These(Vec<ServerName<'static>>),
}

impl Names {
    /// Whether every name that the request gives is one of ours, and the one that its connection was made to.
    pub fn admit(&self, request: &Request, arrival: &Arrival) -> bool {
        let mut hosts = request.headers().get_all(HOST).iter();
        let host = hosts.next();
        // HTTP/2 has its `:authority` in the target, and `Host` at most besides (RFC 9113 §8.3.1). An absolute target of
        // HTTP/1.1 names a host as well (RFC 9112 §3.2.2).
        let target = request.uri().authority().map(Authority::as_str);
        let is_named = host.is_some() || (request.version() == Version::HTTP_2 && target.is_some());
        let allowed = |text: &str| self.allow(text, arrival.server_name.as_deref());
        is_named
            && hosts.next().is_none()
            && host.is_none_or(|host| host.to_str().is_ok_and(allowed))
            && target.is_none_or(allowed)
    }

    /// Whether TLS may be spoken under that name (RFC 6066 §3); addresses are never given.
    pub fn serve(&self, server_name: Option<&str>) -> bool {
        let Some(asked) = server_name else { return true };
        ServerName::try_from(asked).is_ok_and(|asked| self.list(&asked))
    }

    fn allow(&self, text: &str, server_name: Option<&str>) -> bool {
        let Ok(authority) = text.parse::<Authority>() else { return false };
        if text.contains('@') {
            return false;
        }
        let host = authority.host();
        match self {
            Names::Localhost => {
                ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| host.eq_ignore_ascii_case(name))
            }
            Names::These(_) => {
                let host = host.trim_start_matches('[').trim_end_matches(']');
                let Ok(asked) = ServerName::try_from(host) else { return false };
                self.list(&asked) && agree(&asked, server_name)
            }
        }
    }

    fn list(&self, asked: &ServerName<'_>) -> bool {
        match self {
            Names::Localhost => false,
            Names::These(names) => names.iter().any(|name| same(name, asked)),
        }
    }
}

/// A connection that was made to a name is for that name; one without is to an address.
fn agree(asked: &ServerName<'_>, server_name: Option<&str>) -> bool {
    match server_name.map(ServerName::try_from) {
        Some(Ok(made_to)) => same(&made_to, asked),
        Some(Err(_)) => false,
        None => matches!(asked, ServerName::IpAddress(_)),
    }
}

fn same(one: &ServerName<'_>, other: &ServerName<'_>) -> bool {
    one.to_str().eq_ignore_ascii_case(&other.to_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn is_loopback(text: &str) -> bool {
        Names::Localhost.allow(text, None)
    }

    fn names() -> Names {
        Names::These(
            ["vault.example", "192.0.2.7", "2001:db8::7"].map(|name| name.try_into().unwrap()).into(),
        )
    }

    #[test]
    fn only_this_machines_own_names_pass() {
        for host in ["localhost", "localhost:8080", "LOCALHOST:1", "127.0.0.1:8080", "[::1]:8080", "[::1]"] {
            assert!(is_loopback(host), "{host}");
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
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn over_tls_only_the_given_names_pass_and_only_over_a_connection_that_was_made_to_them() {
        let names = names();
        let vault = Some("vault.example");
        for (host, server_name) in [
            ("vault.example", vault),
            ("vault.example:8443", vault),
            ("VAULT.example", Some("Vault.Example")),
            ("vault.example.", vault),
            ("192.0.2.7:8443", None),
            ("[2001:db8::7]:8443", None),
            ("[2001:DB8:0::7]", None),
        ] {
            assert!(names.allow(host, server_name), "{host} {server_name:?}");
        }
        for (host, server_name) in [
            ("vault.example", None),
            ("192.0.2.7", vault),
            ("192.0.2.8", None),
            ("localhost", vault),
            ("localhost", None),
            ("evil.example", vault),
            ("evil.example", Some("evil.example")),
            ("a.vault.example", vault),
            ("vault.example@evil.example", vault),
            ("", vault),
        ] {
            assert!(!names.allow(host, server_name), "{host} {server_name:?}");
        }
        assert!(names.serve(None) && names.serve(Some("vault.EXAMPLE")));
        assert!(!names.serve(Some("evil.example")) && !names.serve(Some("")));
    }

    #[test]
    fn a_request_names_its_host_once_and_nowhere_another() {
        let arrival = Arrival { peer: ([127, 0, 0, 1], 1).into(), server_name: Some("vault.example".into()) };
        let admitted = |version, target: &str, hosts: &[&str]| {
            let request = Request::builder().version(version).uri(target);
            let request = hosts.iter().fold(request, |request, host| request.header(HOST, *host));
            names().admit(&request.body(Body::empty()).unwrap(), &arrival)
        };
        let (one, two) = (Version::HTTP_11, Version::HTTP_2);
        let (ours, others) = ("https://vault.example/", "https://evil.example/");
        assert!(admitted(one, "/", &["vault.example"]) && admitted(one, ours, &["vault.example"]));
        assert!(admitted(two, ours, &[]) && admitted(two, ours, &["vault.example"]));
        for (version, target, hosts) in [
            (one, "/", &[][..]),
            (one, ours, &[]),
            (one, "/", &["vault.example", "vault.example"]),
            (one, others, &["vault.example"]),
            (one, ours, &["evil.example"]),
            (two, "/", &[]),
            (two, others, &[]),
            (two, ours, &["evil.example"]),
            (two, others, &["vault.example"]),
            (two, ours, &["vault.example", "vault.example"]),
        ] {
            assert!(!admitted(version, target, hosts), "{version:?} {target} {hosts:?}");
        }
    }
}
