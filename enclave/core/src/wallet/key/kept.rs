//! A wallet's key as its envelope keeps it.

use super::{Ed25519Key, ExtendedKey, HARDENED, InvalidPhrase, Mnemonic, Path, Seed, Underivable};
use crate::entropy::{Entropy, NoEntropy};
use crate::secret::SecretBytes;
use crate::wallet::bitcoin::{Account, Kind, Network};

/// The key of a wallet that signs here: a phrase, what protects it, and which of its accounts is meant.
///
/// Made here or brought by its owner; in the envelope it is a JSON object (`docs/spec/wallet.md` §1.1). It is never
/// copied, compared, shown or serialised but by [`Self::to_json`], into the envelope.
pub struct KeptKey {
    mnemonic: Mnemonic,
    passphrase: SecretBytes,
    seed: Seed,
    account: u32,
    addresses: Kind,
}

/// Why a key was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidKey {
    Phrase(InvalidPhrase),
    /// A passphrase with other letters than ASCII's visible ones and spaces, or of more than 256.
    Passphrase,
    /// Not a number below 1,000 in its one form: coins must not end where no wallet would look for them.
    Account,
}

/// Accounts from here on are none of a wallet's.
const MAX_ACCOUNT: u32 = 1000;

const MAX_PASSPHRASE: usize = 256;

impl KeptKey {
    /// A new wallet's first account: 24 fresh words without a passphrase.
    pub fn make(addresses: Kind, entropy: &mut dyn Entropy) -> Result<KeptKey, NoEntropy> {
        let mnemonic = Mnemonic::make(entropy)?;
        // An empty passphrase is ASCII.
        let seed = mnemonic.seed("").map_err(|_| NoEntropy)?;
        Ok(KeptKey { mnemonic, passphrase: SecretBytes::zeroed(0), seed, account: 0, addresses })
    }

    /// A wallet from its owner's phrase. Erasing the originals is their holder's part.
    pub fn import(
        phrase: &str,
        passphrase: &str,
        account: u32,
        addresses: Kind,
    ) -> Result<KeptKey, InvalidKey> {
        let is_plain = passphrase.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        if !is_plain || passphrase.len() > MAX_PASSPHRASE {
            return Err(InvalidKey::Passphrase);
        }
        if account >= MAX_ACCOUNT {
            return Err(InvalidKey::Account);
        }
        let mnemonic = Mnemonic::parse(phrase).map_err(InvalidKey::Phrase)?;
        let seed = mnemonic.seed(passphrase).map_err(|_| InvalidKey::Passphrase)?;
        let passphrase = SecretBytes::copied(passphrase.as_bytes());
        Ok(KeptKey { mnemonic, passphrase, seed, account, addresses })
    }

    /// The account `account` on chains of the Ethereum Virtual Machine: `m/44h/60h/0h/0/account`.
    pub fn evm(&self) -> Result<ExtendedKey, Underivable> {
        let steps = vec![44 | HARDENED, 60 | HARDENED, HARDENED, 0, self.account];
        ExtendedKey::master(&self.seed)?.derive(&Path::new(steps).map_err(|_| Underivable)?)
    }

    /// The account `account` on Bitcoin: `m/84h/…` or `m/86h/…`.
    pub fn bitcoin(&self, network: Network) -> Result<Account, Underivable> {
        Account::derive(&self.seed, self.addresses, network, self.account)
    }

    /// The account `account` on Solana: `m/44h/501h/ACCOUNTh/0h`.
    pub fn solana(&self) -> Result<Ed25519Key, Underivable> {
        let steps = [44, 501, self.account, 0].map(|step| step | HARDENED).to_vec();
        Ed25519Key::master(&self.seed).derive(&Path::new(steps).map_err(|_| Underivable)?)
    }

    /// The JSON object for the envelope: `phrase`, `passphrase`, `account`, `addresses`, all texts.
    pub fn to_json(&self) -> SecretBytes {
        let phrase = self.mnemonic.phrase();
        let account = self.account.to_string();
        let addresses = name_of(self.addresses);
        let parts: [&[u8]; 9] = [
            b"{\"phrase\":\"",
            phrase.expose(),
            b"\",\"passphrase\":\"",
            self.passphrase.expose(),
            b"\",\"account\":\"",
            account.as_bytes(),
            b"\",\"addresses\":\"",
            addresses.as_bytes(),
            b"\"}",
        ];
        written(&parts)
    }

    /// The words. For their owner, to be written down; nobody else.
    pub fn phrase(&self) -> SecretBytes {
        self.mnemonic.phrase()
    }
}

/// Joins the parts of a JSON object in a buffer of its final size. Every second part is a text, in which a backslash goes
/// before quotes and backslashes.
fn written(parts: &[&[u8]]) -> SecretBytes {
    let escaped = |at: usize, byte: u8| at % 2 == 1 && matches!(byte, b'"' | b'\\');
    let letters = || {
        parts.iter().enumerate().flat_map(move |(at, part)| {
            part.iter().flat_map(move |byte| {
                escaped(at, *byte).then_some(b'\\').into_iter().chain(core::iter::once(*byte))
            })
        })
    };
    let mut text = SecretBytes::zeroed(letters().count());
    for (to, from) in text.expose_mut().iter_mut().zip(letters()) {
        *to = from;
    }
    text
}

pub(super) fn name_of(addresses: Kind) -> &'static str {
    match addresses {
        Kind::Segwit => "segwit",
        Kind::Taproot => "taproot",
    }
}

impl core::fmt::Debug for KeptKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("KeptKey")
    }
}
