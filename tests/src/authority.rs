//! An authority of somebody else's, which keeps certificates of roles in folders (docs/spec/processes.md §3): what an agent
//! does for roles on several machines, and what a host that lies would like to be.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime};

const LIFE: Duration = Duration::from_secs(3600);

pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    bundle: String,
}

impl Authority {
    #[expect(clippy::new_without_default, reason = "each one is another")]
    pub fn new() -> Authority {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "an authority of a test");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().expect("a key");
        let bundle = params.self_signed(&key).expect("a certificate").pem();
        Authority { issuer: Issuer::new(params, key), bundle }
    }

    /// Makes the folder `into` with certificate and key of this role.
    pub fn certify(&self, role: &str, into: &Path) {
        let mut params = CertificateParams::default();
        let name = format!("spiffe://tensfer.internal/role/{role}");
        params.subject_alt_names = vec![SanType::URI(name.as_str().try_into().expect("a name"))];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let now = SystemTime::UNIX_EPOCH.elapsed().expect("a clock");
        params.not_before = date_time_ymd(1970, 1, 1) + now.saturating_sub(LIFE);
        params.not_after = date_time_ymd(1970, 1, 1) + now + LIFE;
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        std::fs::DirBuilder::new().mode(0o700).create(into).expect("a new folder");
        write(&into.join("svid_bundle.pem"), &self.bundle);
        write(&into.join("svid_key.pem"), &key.serialize_pem());
        write(&into.join("svid.pem"), &certificate.pem());
    }
}

fn write(path: &Path, text: &str) {
    let file = std::fs::OpenOptions::new().mode(0o600).create_new(true).write(true).open(path);
    std::io::Write::write_all(&mut file.expect("a new file"), text.as_bytes()).expect("room");
}
