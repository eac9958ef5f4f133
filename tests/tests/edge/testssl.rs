//! What testssl.sh, which we did not write, finds at the gateway (P8.3). `make test-tls` runs it: it takes a minute.

use crate::gateway::Gateway;
use serde_json::Value;
use std::process::Command;

/// Of the certificate of a test: its authority is private and says nothing of revocation, it is over in two days, and the name
/// is in no public DNS.
const OF_THE_CERTIFICATE: [&str; 5] =
    ["cert_chain_of_trust", "cert_expirationStatus", "cert_notAfter", "cert_revocation", "DNS_CAArecord"];
/// Of the machine that tests: its OpenSSL knows no GOST.
const OF_THE_TESTER: &str = "engine_problem";

#[test]
#[ignore = "takes a minute, and testssl.sh: `make test-tls`"]
fn testssl_finds_tls_1_3_with_strong_groups_and_suites_alone() {
    let gateway = Gateway::start();
    let file = gateway.authority.folder.join("found.json");
    let output = Command::new("testssl")
        .args(["--quiet", "--color", "0", "--warnings", "off", "--ip", "127.0.0.1", "--jsonfile"])
        .arg(&file)
        .arg(format!("localhost:{}", gateway.port))
        .output()
        .expect("`scripts/deps tls` installs it");
    let said = String::from_utf8_lossy(&output.stdout);
    let found: Vec<Value> = serde_json::from_slice(&std::fs::read(&file).expect(&said)).expect(&said);
    let text = |finding: &Value, member: &str| finding[member].as_str().unwrap_or_default().to_owned();
    for finding in &found {
        let (id, severity) = (text(finding, "id"), text(finding, "severity"));
        let is_excused = OF_THE_CERTIFICATE.contains(&id.as_str()) || id == OF_THE_TESTER;
        assert!(is_excused || severity == "OK" || severity == "INFO", "{finding}");
    }
    let of = |id: &str| {
        let one = found.iter().find(|finding| finding["id"] == id);
        text(one.unwrap_or_else(|| panic!("{id} was not looked at: {said}")), "finding")
    };
    for old in ["SSLv2", "SSLv3", "TLS1", "TLS1_1", "TLS1_2"] {
        assert_eq!(of(old), "not offered", "{old}");
    }
    assert!(of("TLS1_3").starts_with("offered"));
    let suites = ["cipher_x1301", "cipher_x1302", "cipher_x1303"];
    let offered: Vec<String> =
        found.iter().map(|finding| text(finding, "id")).filter(|id| id.starts_with("cipher_x")).collect();
    assert!(offered.iter().all(|id| suites.contains(&id.as_str())) && !offered.is_empty(), "{offered:?}");
}
