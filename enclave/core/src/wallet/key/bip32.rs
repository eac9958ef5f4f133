//! Hierarchical keys over secp256k1 (BIP 32), and what wallets write before them (SLIP-132).

use super::{HARDENED, Path, Seed, hmac_halves};
use crate::secp256k1::{PublicKey, SigningKey};
use crate::secret::Secret;
use crate::wallet::base58;
use crate::wallet::ripemd160::hash160;
use core::fmt;
use core::str::FromStr;

/// A signing key with its chain code.
pub struct ExtendedKey {
    key: SigningKey,
    chain_code: Secret<32>,
    place: Place,
}

/// A public key with its chain code: it shows every address of a wallet and spends from none.
#[derive(Clone, PartialEq, Eq)]
pub struct ExtendedPublicKey {
    key: PublicKey,
    chain_code: [u8; 32],
    place: Place,
    /// Whether it is of a test network.
    pub is_test: bool,
    /// Which addresses it is meant for.
    pub hint: Hint,
}

/// The first four bytes of a key's `hash160`.
pub type Fingerprint = [u8; 4];

/// What the letters before an extended key say of its addresses (SLIP-132).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// `xpub`, `tpub`: nothing. A descriptor says it, or the owner.
    None,
    /// `ypub`, `upub`: P2WPKH in P2SH (BIP 49).
    Nested,
    /// `zpub`, `vpub`: P2WPKH (BIP 84).
    Native,
}

/// Why a text is no extended public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidExtendedKey {
    /// It is a private one. Its owner should be told so, and should regard it as seen.
    Private,
    /// Anything else.
    Malformed,
}

/// The step does not exist: a hardened one from a public key, one that is not hardened for Ed25519, one beyond the
/// depth that can be said, or one in 2^127 that has no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Underivable;

/// Where in the tree a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    depth: u8,
    parent: Fingerprint,
    index: u32,
}

impl ExtendedKey {
    /// The master key of a wallet's seed.
    pub fn master(seed: &Seed) -> Result<ExtendedKey, Underivable> {
        let (key, chain_code) = hmac_halves(b"Bitcoin seed", &[seed.0.expose()]);
        let key = SigningKey::from_bytes(key.expose()).map_err(|_| Underivable)?;
        Ok(ExtendedKey { key, chain_code, place: Place { depth: 0, parent: [0; 4], index: 0 } })
    }

    /// The key at a path from this one.
    pub fn derive(&self, path: &Path) -> Result<ExtendedKey, Underivable> {
        let start = ExtendedKey {
            key: SigningKey::from_bytes(self.key.expose()).map_err(|_| Underivable)?,
            chain_code: Secret::copied(self.chain_code.expose()),
            place: self.place,
        };
        path.steps().iter().try_fold(start, |key, step| key.child(*step))
    }

    /// `CKDpriv`.
    fn child(&self, step: u32) -> Result<ExtendedKey, Underivable> {
        let public = self.key.public_key();
        let place = self.place.child(&public, step)?;
        let (number, chain_code) = match step & HARDENED {
            0 => hmac_halves(self.chain_code.expose(), &[&public.compressed(), &step.to_be_bytes()]),
            _ => hmac_halves(self.chain_code.expose(), &[&[0], self.key.expose(), &step.to_be_bytes()]),
        };
        let key = self.key.plus(number.expose()).map_err(|_| Underivable)?;
        Ok(ExtendedKey { key, chain_code, place })
    }

    pub fn signing_key(&self) -> &SigningKey {
        &self.key
    }

    /// The public half, written as `xpub` or `tpub`.
    pub fn public(&self, is_test: bool) -> ExtendedPublicKey {
        let (key, chain_code) = (self.key.public_key(), *self.chain_code.expose());
        ExtendedPublicKey { key, chain_code, place: self.place, is_test, hint: Hint::None }
    }
}

impl fmt::Debug for ExtendedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExtendedKey")
    }
}

impl ExtendedPublicKey {
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    pub fn fingerprint(&self) -> Fingerprint {
        fingerprint(&self.key)
    }

    /// The key at a path from this one. No step may be hardened.
    pub fn derive(&self, path: &Path) -> Result<ExtendedPublicKey, Underivable> {
        path.steps().iter().try_fold(self.clone(), |key, step| key.child(*step))
    }

    /// `CKDpub`.
    fn child(&self, step: u32) -> Result<ExtendedPublicKey, Underivable> {
        if step & HARDENED != 0 {
            return Err(Underivable);
        }
        let place = self.place.child(&self.key, step)?;
        let (number, chain_code) =
            hmac_halves(&self.chain_code, &[&self.key.compressed(), &step.to_be_bytes()]);
        let key = self.key.plus(number.expose()).map_err(|_| Underivable)?;
        Ok(ExtendedPublicKey { key, chain_code: *chain_code.expose(), place, ..*self })
    }
}

impl Place {
    fn child(&self, parent: &PublicKey, index: u32) -> Result<Place, Underivable> {
        let depth = self.depth.checked_add(1).ok_or(Underivable)?;
        Ok(Place { depth, parent: fingerprint(parent), index })
    }
}

fn fingerprint(key: &PublicKey) -> Fingerprint {
    let [a, b, c, d, ..] = hash160(&key.compressed());
    [a, b, c, d]
}

/// The first four bytes of a serialised public key, whether it is of a test network, and the hint.
const VERSIONS: [([u8; 4], bool, Hint); 6] = [
    ([0x04, 0x88, 0xb2, 0x1e], false, Hint::None),
    ([0x04, 0x9d, 0x7c, 0xb2], false, Hint::Nested),
    ([0x04, 0xb2, 0x47, 0x46], false, Hint::Native),
    ([0x04, 0x35, 0x87, 0xcf], true, Hint::None),
    ([0x04, 0x4a, 0x52, 0x62], true, Hint::Nested),
    ([0x04, 0x5f, 0x1c, 0xf6], true, Hint::Native),
];

/// `xprv`, `yprv`, `zprv`, `tprv`, `uprv`, `vprv`.
const PRIVATE_VERSIONS: [[u8; 4]; 6] = [
    [0x04, 0x88, 0xad, 0xe4],
    [0x04, 0x9d, 0x78, 0x78],
    [0x04, 0xb2, 0x43, 0x0c],
    [0x04, 0x35, 0x83, 0x94],
    [0x04, 0x4a, 0x4e, 0x28],
    [0x04, 0x5f, 0x18, 0xbc],
];

/// Base58Check of `version (4) ‖ depth (1) ‖ parent (4) ‖ index (4) ‖ chain code (32) ‖ key (33)`.
impl fmt::Display for ExtendedPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said =
            |(_, is_test, hint): &&([u8; 4], bool, Hint)| (*is_test, *hint) == (self.is_test, self.hint);
        let version = VERSIONS.iter().find(said).map(|(version, _, _)| *version).unwrap_or_default();
        let Place { depth, parent, index } = self.place;
        let parts: [&[u8]; 6] =
            [&version, &[depth], &parent, &index.to_be_bytes(), &self.chain_code, &self.key.compressed()];
        f.write_str(&base58::encode_check(&parts.concat()))
    }
}

impl fmt::Debug for ExtendedPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ExtendedPublicKey {
    type Err = InvalidExtendedKey;

    fn from_str(text: &str) -> Result<ExtendedPublicKey, InvalidExtendedKey> {
        let bytes = base58::decode_check(text).map_err(|_| InvalidExtendedKey::Malformed)?;
        let bytes: &[u8; 78] = bytes.as_slice().try_into().map_err(|_| InvalidExtendedKey::Malformed)?;
        parse(bytes)
    }
}

fn parse(bytes: &[u8; 78]) -> Result<ExtendedPublicKey, InvalidExtendedKey> {
    use InvalidExtendedKey::{Malformed, Private};
    let (version, rest) = bytes.split_first_chunk::<4>().ok_or(Malformed)?;
    if PRIVATE_VERSIONS.contains(version) {
        return Err(Private);
    }
    let (_, is_test, hint) = *VERSIONS.iter().find(|(known, _, _)| known == version).ok_or(Malformed)?;
    let ([depth], rest) = rest.split_first_chunk::<1>().ok_or(Malformed)?;
    let (parent, rest) = rest.split_first_chunk::<4>().ok_or(Malformed)?;
    let (index, rest) = rest.split_first_chunk::<4>().ok_or(Malformed)?;
    let (chain_code, key) = rest.split_first_chunk::<32>().ok_or(Malformed)?;
    let place = Place { depth: *depth, parent: *parent, index: u32::from_be_bytes(*index) };
    if place.depth == 0 && (place.parent != [0; 4] || place.index != 0) {
        return Err(Malformed);
    }
    let key = PublicKey::from_bytes(key).map_err(|_| Malformed)?;
    Ok(ExtendedPublicKey { key, chain_code: *chain_code, place, is_test, hint })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::secret::SecretBytes;
    use crate::wallet::key::Mnemonic;
    use crate::wallet::vectors::read;

    #[test]
    fn published_keys_are_met() {
        let vectors = read(include_str!("../../../../../vectors/wallet/bip32.json"));
        for case in vectors.list("cases") {
            let master = ExtendedKey::master(&Seed(SecretBytes::copied(&case.bytes("seed")))).unwrap();
            let key = master.derive(&case.text("path").parse().unwrap()).unwrap();
            assert_eq!(key.public(false).to_string(), case.text("pub"));
            assert_eq!(case.text("pub").parse(), Ok(key.public(false)));
            let private = base58::decode_check(case.text("prv")).unwrap();
            assert_eq!(private[46..], *key.signing_key().expose());
            assert_eq!(case.text("prv").parse::<ExtendedPublicKey>(), Err(InvalidExtendedKey::Private));
        }
    }

    #[test]
    fn a_public_step_leads_where_the_private_one_does() {
        let master = ExtendedKey::master(&Seed(SecretBytes::copied(&[7; 64]))).unwrap();
        let account = master.derive(&"m/84h/0h/0h".parse().unwrap()).unwrap();
        for path in ["m/0/0", "m/1/17", "m/0/2147483647"] {
            let path = path.parse().unwrap();
            let expected = account.derive(&path).unwrap().public(false);
            assert_eq!(account.public(false).derive(&path), Ok(expected));
        }
        assert_eq!(account.public(false).derive(&"m/0h".parse().unwrap()), Err(Underivable));
    }

    #[test]
    fn published_accounts_are_met_with_their_hints() {
        let vectors = read(include_str!("../../../../../vectors/wallet/accounts.json"));
        let seed = Mnemonic::parse(vectors.text("phrase")).unwrap().seed("").unwrap();
        for case in vectors.list("cases") {
            let purpose = case.number("purpose");
            let account: ExtendedPublicKey = case.text("account").parse().unwrap();
            assert_eq!(account.hint, if purpose == 84 { Hint::Native } else { Hint::None });
            assert_eq!(account.to_string(), case.text("account"));
            let path: Path = case.text("path").parse().unwrap();
            let key = ExtendedKey::master(&seed).unwrap().derive(&path).unwrap();
            let last = Path::new(path.steps()[3..].to_vec()).unwrap();
            assert_eq!(account.derive(&last).unwrap().key(), key.public(false).key());
            let compressed = key.public(false).key().compressed();
            assert!(compressed.ends_with(&case.bytes("key")));
        }
    }

    #[test]
    fn published_broken_keys_are_refused() {
        let vectors = read(include_str!("../../../../../vectors/wallet/bip32.json"));
        for case in vectors.list("invalid") {
            assert!(case.text("key").parse::<ExtendedPublicKey>().is_err(), "{}", case.text("reason"));
        }
    }

    #[test]
    fn keys_below_the_greatest_depth_are_refused() {
        let master = ExtendedKey::master(&Seed(SecretBytes::copied(&[7; 64]))).unwrap();
        let mut key = master.public(false);
        key.place.depth = 255;
        assert_eq!(key.derive(&"m/0".parse().unwrap()), Err(Underivable));
    }
}
