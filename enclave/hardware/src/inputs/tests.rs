#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
use super::*;
use enclave::egress::Environment;
use rcgen::{
    BasicConstraints, CertificateParams, GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose, NameConstraints,
};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder of inputs, gone with its handle.
struct Measured(PathBuf);

impl Measured {
    fn with(inputs: &[(&str, &[u8])]) -> Measured {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("tensfer-measured-{}-{number}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        inputs.iter().for_each(|(name, bytes)| std::fs::write(path.join(name), bytes).unwrap());
        Measured(path)
    }

    fn read(&self) -> Result<Inputs, BadInput> {
        Inputs::read(&self.0)
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A root as a sandbox makes it.
fn root(domain: &str) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName(domain.to_owned())],
        excluded_subtrees: Vec::new(),
    });
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
}

#[test]
fn without_inputs_the_environment_is_live_and_nobody_but_vendors_vouches_for_a_peer() {
    let inputs = Measured::with(&[]).read().unwrap();
    assert!(matches!(inputs.trust.environment(), Environment::Live));
    assert_eq!(inputs.peers, None);
    let absent = Inputs::read(Path::new("/nonexistent/measured")).unwrap();
    assert!(matches!(absent.trust.environment(), Environment::Live));
}

#[test]
fn a_sandbox_may_name_whom_it_believes_to_vouch_for_emulated_peers() {
    let (sandbox, peers) = (root("sandbox.test"), root("anything.test"));
    let inputs = Measured::with(&[(SANDBOX_ROOT, &sandbox)]).read().unwrap();
    assert!(matches!(inputs.trust.environment(), Environment::Sandbox { .. }));
    assert_eq!(inputs.peers, None);
    let inputs = Measured::with(&[(SANDBOX_ROOT, &sandbox), (PEERS_ROOT, &peers)]).read().unwrap();
    assert!(matches!(inputs.trust.environment(), Environment::Sandbox { .. }));
    assert_eq!(inputs.peers.unwrap().der(), peers);
}

#[test]
fn m17_among_the_real_exchanges_no_input_makes_an_emulated_machine_a_peer() {
    let peers = root("anything.test");
    assert_eq!(Measured::with(&[(PEERS_ROOT, &peers)]).read().unwrap_err(), BadInput(PEERS_ROOT));
}

#[test]
fn m14_an_input_that_is_there_and_is_none_never_counts_as_missing() {
    let sandbox = root("sandbox.test");
    for bad in [&b""[..], b"-----BEGIN CERTIFICATE-----\n", &root("example.com")] {
        let refused = Measured::with(&[(SANDBOX_ROOT, bad)]).read().unwrap_err();
        assert_eq!(refused, BadInput(SANDBOX_ROOT));
    }
    for bad in [&b""[..], b"-----BEGIN CERTIFICATE-----\n"] {
        let refused = Measured::with(&[(SANDBOX_ROOT, &sandbox), (PEERS_ROOT, bad)]).read().unwrap_err();
        assert_eq!(refused, BadInput(PEERS_ROOT));
    }
    // A folder in a file's place cannot be read, and is there.
    for name in [SANDBOX_ROOT, PEERS_ROOT] {
        let measured = Measured::with(&[]);
        std::fs::create_dir(measured.0.join(name)).unwrap();
        assert_eq!(measured.read().unwrap_err(), BadInput(name));
    }
}
