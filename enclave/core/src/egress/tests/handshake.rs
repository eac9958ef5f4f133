//! Who is believed to be the provider.

use rcgen::{ExtendedKeyUsagePurpose, date_time_ymd};
use rustls::{NamedGroup, ProtocolVersion};

use super::super::CertificateFault;
use super::*;

#[test]
fn a_right_certificate_makes_the_connection_ready() {
    let mut pair = Pair::established();
    assert!(pair.client.is_idle());
    assert_eq!(pair.provider.tls().protocol_version(), Some(ProtocolVersion::TLSv1_3));
    assert_eq!(pair.events(), []);
}

#[test]
fn the_key_exchange_is_post_quantum_hybrid_when_the_provider_has_it() {
    let pair = Pair::established();
    let group = pair.provider.tls().negotiated_key_exchange_group().unwrap().name();
    assert_eq!(group, NamedGroup::X25519MLKEM768);
}

#[test]
fn http_1_1_is_what_is_negotiated() {
    assert_eq!(Pair::established().provider.tls().alpn_protocol(), Some(b"http/1.1".as_slice()));
}

#[test]
fn a_sandbox_provider_is_dialled_by_its_mapped_name_everywhere() {
    let mut pair = Pair::established();
    assert_eq!(pair.provider.server_name(), Some(DIALLED));
    assert_eq!(pair.client.transport_host(), DIALLED);
    pair.send(1, &get("/"));
    assert!(pair.provider.request().contains(&format!("\r\nhost: {DIALLED}\r\n")));
}

#[test]
fn a_live_provider_is_dialled_by_its_own_name() {
    assert_eq!(Trust::live().transport_host(HOST), HOST);
    let mut client = Connection::open(&Trust::live(), HOST, true, Limits::default(), NOW).unwrap();
    let hello = client.take_output().unwrap();
    assert!(hello.windows(HOST.len()).any(|window| window == HOST.as_bytes()));
}

fn refused_with(trust: &Trust, identity: &Identity, now: UnixMillis) -> Fault {
    let mut pair = Pair::meeting(trust, identity, now);
    pair.client.send(ExchangeId(7), &get("/secret"));
    pair.settle(now);
    assert_eq!(pair.provider.request(), "", "nothing may be sent to whoever this is");
    match pair.events()[..] {
        [Event::Failed { exchange: Some(ExchangeId(7)), fault, sent: false }, Event::Closed] => fault,
        ref other => panic!("{other:?}"),
    }
}

fn certificate_refused_with(trust: &Trust, identity: &Identity, now: UnixMillis) -> CertificateFault {
    match refused_with(trust, identity, now) {
        Fault::Certificate(fault) => fault,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_host_that_answers_itself_under_another_root_is_refused() {
    let (ours, theirs) = (
        Authority::sandbox(),
        Authority::with(|params| {
            params.distinguished_name.push(rcgen::DnType::CommonName, "Another root");
        }),
    );
    let trust = Trust::sandbox(ours.der()).unwrap();
    let fault = certificate_refused_with(&trust, &theirs.issue(&[DIALLED]), NOW);
    assert_eq!(fault, CertificateFault::UnknownIssuer);
}

#[test]
fn a_host_that_imitates_the_roots_name_is_refused() {
    let (ours, theirs) = (Authority::sandbox(), Authority::sandbox());
    let trust = Trust::sandbox(ours.der()).unwrap();
    let fault = certificate_refused_with(&trust, &theirs.issue(&[DIALLED]), NOW);
    assert!(matches!(fault, CertificateFault::BadSignature | CertificateFault::UnknownIssuer), "{fault:?}");
}

#[test]
fn a_self_signed_certificate_is_refused() {
    let trust = Trust::sandbox(Authority::sandbox().der()).unwrap();
    let fault = certificate_refused_with(&trust, &Identity::self_signed(&[DIALLED]), NOW);
    assert_eq!(fault, CertificateFault::UnknownIssuer);
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let authority = Authority::sandbox();
    let trust = Trust::sandbox(authority.der()).unwrap();
    for name in
        ["api.binance.com.sandbox.test", "kraken.com.sandbox.test", "*.kraken.com.sandbox.test.sandbox.test"]
    {
        let fault = certificate_refused_with(&trust, &authority.issue(&[name]), NOW);
        assert_eq!(fault, CertificateFault::WrongName, "{name}");
    }
}

#[test]
fn the_passed_in_time_decides_whether_a_certificate_has_expired() {
    let authority = Authority::sandbox();
    let trust = Trust::sandbox(authority.der()).unwrap();
    let identity = authority.issue_with(&[DIALLED], |params| {
        params.not_before = date_time_ymd(2026, 11, 20);
        params.not_after = date_time_ymd(2026, 11, 24);
    });
    let days = |count: i64| UnixMillis(NOW.0.checked_add_signed(count * 86_400_000).unwrap());
    assert_eq!(certificate_refused_with(&trust, &identity, days(5)), CertificateFault::Expired);
    assert_eq!(certificate_refused_with(&trust, &identity, days(-5)), CertificateFault::NotYetValid);
    assert_eq!(certificate_refused_with(&trust, &identity, UnixMillis(0)), CertificateFault::NotYetValid);
    let mut pair = Pair::meeting(&trust, &identity, NOW);
    pair.settle(NOW);
    assert_eq!(pair.events(), [Event::Ready]);
}

#[test]
fn a_certificate_is_judged_when_it_arrives_not_when_the_connection_was_opened() {
    let authority = Authority::sandbox();
    let trust = Trust::sandbox(authority.der()).unwrap();
    let identity = authority.issue_with(&[DIALLED], |params| params.not_after = date_time_ymd(2026, 11, 23));
    let limits = Limits { connect_ms: u64::MAX, handshake_ms: u64::MAX, ..Limits::default() };
    let client = Connection::open(&trust, HOST, false, limits, NOW).unwrap();
    let mut pair = Pair { client, provider: Provider::new(&identity, BOTH) };
    pair.settle(later(2 * 86_400_000));
    assert_eq!(pair.events(), [broken(Fault::Certificate(CertificateFault::Expired)), Event::Closed]);
}

#[test]
fn a_clock_that_goes_back_does_not_revive_a_certificate() {
    let authority = Authority::sandbox();
    let trust = Trust::sandbox(authority.der()).unwrap();
    let identity = authority.issue_with(&[DIALLED], |params| params.not_after = date_time_ymd(2026, 11, 20));
    let mut pair = Pair::meeting(&trust, &identity, NOW);
    pair.settle(UnixMillis(NOW.0 - 10 * 86_400_000));
    let expired = Fault::Certificate(CertificateFault::Expired);
    assert_eq!(pair.events(), [broken(expired), Event::Closed]);
}

#[test]
fn m15_a_certificate_for_another_use_is_refused() {
    let authority = Authority::sandbox();
    let trust = Trust::sandbox(authority.der()).unwrap();
    let client_only = authority.issue_with(&[DIALLED], |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    assert_eq!(certificate_refused_with(&trust, &client_only, NOW), CertificateFault::WrongPurpose);
}

#[test]
fn a_sandbox_certificate_is_worth_nothing_to_a_live_enclave() {
    let authority = Authority::sandbox();
    for identity in [authority.issue(&[HOST]), authority.issue(&[HOST, DIALLED])] {
        let fault = certificate_refused_with(&Trust::live(), &identity, NOW);
        assert_eq!(fault, CertificateFault::UnknownIssuer);
    }
}

#[test]
fn name_constraints_are_enforced_on_every_name_of_a_leaf() {
    let authority = Authority::sandbox();
    let trust = Trust::sandbox(authority.der()).unwrap();
    // The dialled name matches; the real provider's name beside it is what the root may not vouch for.
    let fault = certificate_refused_with(&trust, &authority.issue(&[DIALLED, HOST]), NOW);
    assert_eq!(fault, CertificateFault::Invalid);
}

#[test]
fn a_leaf_for_a_real_provider_under_the_sandbox_root_is_refused() {
    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::ServerCertVerifier;
    use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

    // The path validation alone, asked for the real name, with nothing of this module around it.
    let constrained = Authority::sandbox();
    let unconstrained = Authority::constrained_to(&[]);
    let verdict = |authority: &Authority| {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from(authority.der().to_vec())).unwrap();
        let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider).build().unwrap();
        let leaf = authority.issue(&[HOST]);
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_millis(NOW.0));
        verifier.verify_server_cert(leaf.leaf(), &[], &ServerName::try_from(HOST).unwrap(), &[], now)
    };
    let refusal = format!("{:?}", verdict(&constrained).unwrap_err());
    assert!(refusal.contains("NameConstraintViolation"), "{refusal}");
    assert!(verdict(&unconstrained).is_ok(), "only the constraint may be what refuses it");
}

#[test]
fn a_tls_1_2_provider_is_refused_unless_its_connector_declares_it() {
    let authority = Authority::sandbox();
    let trust = Trust::sandbox(authority.der()).unwrap();
    let identity = authority.issue(&[DIALLED]);
    for (declared, expected) in [(false, None), (true, Some(ProtocolVersion::TLSv1_2))] {
        let client = Connection::open(&trust, HOST, declared, Limits::default(), NOW).unwrap();
        let mut pair = Pair { client, provider: Provider::new(&identity, &[&TLS12]) };
        pair.settle(NOW);
        if expected.is_some() {
            assert_eq!(pair.events(), [Event::Ready]);
            pair.send(1, &get("/"));
            pair.respond(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            assert_eq!(response(&pair.events()[0]), (1, 200, b"ok".as_slice()));
            assert_eq!(pair.provider.tls().protocol_version(), expected);
        } else {
            assert_eq!(pair.events(), [broken(Fault::TlsUnsupported), Event::Closed]);
        }
    }
}

#[test]
fn tls_1_3_is_preferred_also_when_tls_1_2_is_declared() {
    let authority = Authority::sandbox();
    let trust = Trust::sandbox(authority.der()).unwrap();
    let client = Connection::open(&trust, HOST, true, Limits::default(), NOW).unwrap();
    let mut pair = Pair { client, provider: Provider::new(&authority.issue(&[DIALLED]), BOTH) };
    pair.settle(NOW);
    assert_eq!(pair.provider.tls().protocol_version(), Some(ProtocolVersion::TLSv1_3));
}

#[test]
fn no_session_is_resumed_between_connections() {
    let authority = Authority::sandbox();
    let trust = Trust::sandbox(authority.der()).unwrap();
    let config = Provider::config(&authority.issue(&[DIALLED]), BOTH);
    for _ in 0..2 {
        let client = Connection::open(&trust, HOST, true, Limits::default(), NOW).unwrap();
        let mut pair = Pair { client, provider: Provider::accept(config.clone()) };
        pair.settle(NOW);
        assert_eq!(pair.provider.tls().handshake_kind(), Some(rustls::HandshakeKind::Full));
    }
}

#[test]
fn only_dns_names_can_be_provider_hosts() {
    for trust in [Trust::live(), Trust::sandbox(Authority::sandbox().der()).unwrap()] {
        for host in
            ["", ".", "a b.com", "api.kraken.com:443", "API.kraken.com", "api.kraken.com/x", "[::1]", "-"]
        {
            let fault = Connection::open(&trust, host, false, Limits::default(), NOW).err();
            assert_eq!(fault, Some(Fault::BadHost), "{host}");
        }
    }
    for host in ["127.0.0.1", "localhost", "api.kraken.com."] {
        let fault = Connection::open(&Trust::live(), host, false, Limits::default(), NOW).err();
        assert_eq!(fault, Some(Fault::BadHost), "{host}");
    }
}
