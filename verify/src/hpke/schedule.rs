//! The key schedule of RFC 9180 §5.1, base mode. What does not depend on the message is computed once, in [`Info`].

use super::kdf::{Secret, expand, extract};
use super::{Error, KEY_BYTES, NONCE_BYTES, SharedSecret, aead_key};
use aws_lc_rs::aead::LessSafeKey;
use wire::identity::Suite;
use zeroize::Zeroizing;

const VERSION_LABEL: &[u8] = b"HPKE-v1";
const MODE_BASE: u8 = 0x00;

/// The application's `info` string for one suite, hashed: reused for every message with the same `info`.
#[derive(Clone, Debug)]
pub struct Info {
    suite: Suite,
    suite_id: [u8; 10],
    /// `key_schedule_context = mode ‖ psk_id_hash ‖ info_hash`
    context: [u8; 65],
}

/// What the schedule yields, with the AEAD key ready for use.
pub(super) struct Keys {
    pub(super) aead: LessSafeKey,
    pub(super) base_nonce: Zeroizing<[u8; NONCE_BYTES]>,
    pub(super) exporter: Exporter,
}

/// What the schedule yields: AEAD key, base nonce, exporter secret.
pub(super) struct Secrets {
    pub(super) key: Zeroizing<[u8; KEY_BYTES]>,
    pub(super) base_nonce: Zeroizing<[u8; NONCE_BYTES]>,
    pub(super) exporter: Exporter,
}

/// The exporter secret with the suite that labels its outputs (RFC 9180 §5.3).
pub(super) struct Exporter {
    secret: Secret,
    suite_id: [u8; 10],
}

impl Info {
    pub fn new(suite: Suite, info: &[u8]) -> Result<Info, Error> {
        let suite_id = suite_id(suite);
        let psk_id_hash = labeled_extract(&suite_id, b"", b"psk_id_hash", b"")?;
        let info_hash = labeled_extract(&suite_id, b"", b"info_hash", info)?;
        let mut context = [MODE_BASE; 65];
        let hashes = psk_id_hash.iter().chain(info_hash.iter());
        context.iter_mut().skip(1).zip(hashes).for_each(|(to, from)| *to = *from);
        Ok(Info { suite, suite_id, context })
    }

    pub(super) fn check_suite(&self, suite: Suite) -> Result<(), Error> {
        if self.suite == suite { Ok(()) } else { Err(Error::PublicKey) }
    }

    pub(super) fn derive_keys(&self, shared: &SharedSecret) -> Result<Keys, Error> {
        let Secrets { key, base_nonce, exporter } = self.derive_secrets(shared)?;
        Ok(Keys { aead: aead_key(self.suite, &key)?, base_nonce, exporter })
    }

    /// `KeySchedule` with an empty PSK.
    pub(super) fn derive_secrets(&self, shared: &SharedSecret) -> Result<Secrets, Error> {
        let secret = labeled_extract(&self.suite_id, shared.as_slice(), b"secret", b"")?;
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        let mut base_nonce = Zeroizing::new([0; NONCE_BYTES]);
        let mut exporter = Secret::default();
        labeled_expand(&self.suite_id, &secret, b"key", &self.context, key.as_mut_slice())?;
        labeled_expand(&self.suite_id, &secret, b"base_nonce", &self.context, base_nonce.as_mut_slice())?;
        labeled_expand(&self.suite_id, &secret, b"exp", &self.context, exporter.as_mut_slice())?;
        let exporter = Exporter { secret: exporter, suite_id: self.suite_id };
        Ok(Secrets { key, base_nonce, exporter })
    }
}

impl Exporter {
    /// `Context.Export(context, out.len())`.
    pub(super) fn export(&self, context: &[u8], out: &mut [u8]) -> Result<(), Error> {
        labeled_expand(&self.suite_id, &self.secret, b"sec", context, out)
    }
}

/// `suite_id = "HPKE" ‖ I2OSP(kem_id, 2) ‖ I2OSP(kdf_id, 2) ‖ I2OSP(aead_id, 2)`.
fn suite_id(suite: Suite) -> [u8; 10] {
    let [kem_high, kem_low] = suite.kem.to_be_bytes();
    let [kdf_high, kdf_low] = suite.kdf.to_be_bytes();
    let [aead_high, aead_low] = suite.aead.to_be_bytes();
    [b'H', b'P', b'K', b'E', kem_high, kem_low, kdf_high, kdf_low, aead_high, aead_low]
}

/// `LabeledExtract(salt, label, ikm)` (RFC 9180 §4). Labels carry no length prefix: the RFC's own format.
pub(super) fn labeled_extract(
    suite_id: &[u8],
    salt: &[u8],
    label: &[u8],
    ikm: &[u8],
) -> Result<Secret, Error> {
    let labeled = Zeroizing::new([VERSION_LABEL, suite_id, label, ikm].concat());
    extract(salt, &labeled)
}

/// `LabeledExpand(prk, label, info, out.len())` (RFC 9180 §4).
pub(super) fn labeled_expand(
    suite_id: &[u8],
    prk: &Secret,
    label: &[u8],
    info: &[u8],
    out: &mut [u8],
) -> Result<(), Error> {
    let length = u16::try_from(out.len()).map_err(|_| Error::ExportLength)?.to_be_bytes();
    expand(prk, &[&length, VERSION_LABEL, suite_id, label, info], out)
}
