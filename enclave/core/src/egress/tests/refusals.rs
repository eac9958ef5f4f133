//! What is refused before anything is written: requests, sandbox roots, and words that would tell secrets.

use rcgen::{CustomExtension, GeneralSubtree, IsCa, NameConstraints};

use super::super::{Blame, RequestFault, TrustError};
use super::*;

fn refusal(request: &Request<'_>) -> RequestFault {
    let mut pair = Pair::established();
    pair.send(1, request);
    assert_eq!(pair.provider.request(), "", "nothing may be written");
    assert!(pair.client.is_idle(), "the connection is as good as before");
    match pair.events()[..] {
        [Event::Failed { exchange: Some(ExchangeId(1)), fault: Fault::BadRequest(fault), sent: false }] => {
            fault
        }
        ref other => panic!("{other:?}"),
    }
}

fn header_refusal(name: &str, value: &str) -> RequestFault {
    refusal(&Request { headers: &[(name, value)], ..get("/") })
}

#[test]
fn header_injection_is_refused() {
    for value in ["a\r\nX: y", "a\nb", "a\rb", "a\0b", "\u{7f}", "ü", " a", "a ", "a\t", "\u{b}"] {
        assert_eq!(header_refusal("x-key", value), RequestFault::HeaderValue, "{value:?}");
    }
    for name in ["", "a b", "a:", "a\r\nb", "a\0", "ü", "a(b)", "a/b", " a"] {
        assert_eq!(header_refusal(name, "v"), RequestFault::HeaderName, "{name:?}");
    }
}

#[test]
fn headers_that_change_framing_or_routing_are_refused() {
    for name in
        ["Host", "content-length", "Transfer-Encoding", "CONNECTION", "upgrade", "expect", "accept-encoding"]
    {
        assert_eq!(header_refusal(name, "x"), RequestFault::ReservedHeader, "{name}");
    }
    let twice = Request { headers: &[("x-key", "a"), ("X-Key", "b")], ..get("/") };
    assert_eq!(refusal(&twice), RequestFault::DuplicateHeader);
}

#[test]
fn bad_targets_are_refused() {
    let long = format!("/{}", "x".repeat(20_000));
    for target in
        ["", "x", "*", "https://evil.test/", "/a b", "/a\r\nb", "/a\0", "/a#b", "/ü", "/\u{7f}", &long]
    {
        assert_eq!(refusal(&get(target)), RequestFault::Target, "{target:.40?}");
    }
}

#[test]
fn oversized_and_misplaced_bodies_are_refused() {
    let body = vec![0; 2 << 20];
    assert_eq!(refusal(&Request { method: Method::Post, body: &body, ..get("/") }), RequestFault::TooLarge);
    assert_eq!(refusal(&Request { body: b"x", ..get("/") }), RequestFault::UnexpectedBody);
    let names: Vec<String> = (0..65).map(|at| format!("x-{at}")).collect();
    let headers: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "v")).collect();
    assert_eq!(refusal(&Request { headers: &headers, ..get("/") }), RequestFault::TooLarge);
}

#[test]
fn a_full_queue_refuses() {
    let mut pair = Pair::new();
    for id in 0..=Limits::default().max_queue as u64 {
        pair.client.send(ExchangeId(id), &get("/"));
    }
    assert_eq!(pair.events(), [unsent(16, Fault::QueueFull)]);
}

fn sandbox_refusal(authority: &Authority) -> Option<TrustError> {
    Trust::sandbox(authority.der()).err()
}

#[test]
fn a_sandbox_root_without_the_constraint_is_refused() {
    assert_eq!(sandbox_refusal(&Authority::sandbox()), None);
    for domains in
        [&[][..], &["kraken.com"], &["test"], &[""], &["sandbox.test", "kraken.com"], &[".sandbox.test"]]
    {
        let refusal = sandbox_refusal(&Authority::constrained_to(domains));
        assert_eq!(refusal, Some(TrustError::Unconstrained), "{domains:?}");
    }
}

#[test]
fn a_sandbox_root_that_only_excludes_names_is_refused() {
    let authority = Authority::with(|params| {
        let excluded_subtrees = vec![GeneralSubtree::DnsName("kraken.com".to_owned())];
        params.name_constraints = Some(NameConstraints { permitted_subtrees: Vec::new(), excluded_subtrees });
    });
    assert_eq!(sandbox_refusal(&authority), Some(TrustError::Unconstrained));
}

#[test]
fn a_sandbox_root_whose_constraint_is_not_critical_is_refused() {
    let content = b"\x30\x12\xa0\x10\x30\x0e\x82\x0csandbox.test".to_vec();
    let with = |critical: bool, times: usize| {
        let mut extension = CustomExtension::from_oid_content(&[2, 5, 29, 30], content.clone());
        extension.set_criticality(critical);
        Authority::with(|params| params.custom_extensions = vec![extension; times])
    };
    assert_eq!(sandbox_refusal(&with(true, 1)), None);
    assert_eq!(sandbox_refusal(&with(false, 1)), Some(TrustError::Unconstrained));
    assert_eq!(sandbox_refusal(&with(true, 2)), Some(TrustError::Unconstrained));
}

#[test]
fn m03_a_sandbox_root_that_is_no_authority_is_refused() {
    for is_ca in [IsCa::NoCa, IsCa::ExplicitNoCa] {
        let permitted_subtrees = vec![GeneralSubtree::DnsName("sandbox.test".to_owned())];
        let constraints = NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() };
        // rcgen writes name constraints for authorities only, so these are written by hand.
        let mut extension = CustomExtension::from_oid_content(
            &[2, 5, 29, 30],
            b"\x30\x12\xa0\x10\x30\x0e\x82\x0csandbox.test".to_vec(),
        );
        extension.set_criticality(true);
        let authority = Authority::with(|params| {
            params.is_ca = is_ca;
            params.name_constraints = Some(constraints);
            params.custom_extensions = vec![extension];
        });
        assert_eq!(sandbox_refusal(&authority), Some(TrustError::NotAnAuthority));
    }
}

#[test]
fn a_sandbox_root_that_is_not_one_certificate_is_refused() {
    let root = Authority::sandbox().der().to_vec();
    let trailing = [root.as_slice(), b"\0"].concat();
    for der in [&b""[..], &root[..root.len() - 1], &trailing, b"\x30\x80\0\0", &[0x30; 64]] {
        assert_eq!(Trust::sandbox(der).err(), Some(TrustError::Encoding));
    }
}

#[test]
fn m18_debug_output_shows_no_secret() {
    let headers = [("x-key", "canary"), ("canary-name", "v")];
    let request = Request { method: Method::Post, target: "/canary", headers: &headers, body: b"canary" };
    assert_eq!(
        format!("{request:?}"),
        "Request { method: Post, target_bytes: 7, headers: 2, body_bytes: 6 }"
    );
    let mut pair = Pair::established();
    pair.send(1, &get("/"));
    pair.respond(b"HTTP/1.1 200 OK\r\nSet-Cookie: canary\r\nContent-Length: 6\r\n\r\ncanary");
    let event = pair.client.next_event().unwrap();
    assert_eq!(
        format!("{event:?}"),
        r#"Response { exchange: ExchangeId(1), status: 200, headers: ["set-cookie", "content-length"], body_bytes: 6 }"#
    );
}

#[test]
fn a_fault_names_whose_it_is() {
    assert_eq!(Fault::BadRequest(RequestFault::Target).blame(), Blame::Us);
    assert_eq!(Fault::Truncated.blame(), Blame::Host);
    assert_eq!(Fault::TooLarge.blame(), Blame::Provider);
}
