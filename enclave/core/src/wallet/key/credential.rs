//! What the envelope of a wallet's connection holds.

use super::InvalidKey;
use super::kept::{KeptKey, name_of};
use crate::connector::{Document, FieldText};
use crate::wallet::bitcoin::Kind;
use core::fmt;

/// A wallet, as its owner linked it.
pub enum Credential {
    /// An address, an extended public key or a descriptor: nothing that signs.
    Watched(String),
    /// An address whose key has signed a text of this enclave's.
    Proven(String),
    /// A key that signs here.
    Kept(Box<KeptKey>),
}

/// Why a credential was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidCredential {
    /// Not a JSON object of texts with the fields of one kind of wallet, each once.
    Malformed,
    Key(InvalidKey),
}

/// Longer ones are refused unread: a descriptor has at most 512 letters, a phrase 215.
const MAX_BYTES: usize = 2048;

impl Credential {
    /// Whether a text asks for a wallet to be made: `{"make": "segwit"}`, or `taproot`: which addresses it has on
    /// Bitcoin.
    pub fn asks_for_a_key(json: &[u8]) -> Option<Kind> {
        let document = Document::parse(json).ok()?;
        let mut members = document.root().members();
        let (Some((name, value)), None) = (members.next(), members.next()) else { return None };
        kind_of(&value.string()?).filter(|_| name.is("make"))
    }

    /// Whether it holds a key that signs.
    pub fn is_kept(&self) -> bool {
        matches!(self, Credential::Kept(_))
    }

    /// Lends the words of a wallet that signs here, as they were written, without deriving a key from them; `None`: it has none.
    pub fn lend_words<R>(json: &[u8], to: impl FnOnce(&[u8]) -> R) -> Option<R> {
        let document = Document::parse(json).ok()?;
        let (_, value) = document.root().members().find(|(name, _)| name.is("phrase"))?;
        let words = value.string().map(FieldText)?;
        Some(to(words.0.as_bytes()))
    }

    /// Reads a JSON object of texts: `watch`, with `proven` (when) where that was done here; or `phrase`, and where they are not the first account's without a
    /// passphrase, `passphrase`, `account` and `addresses` (`segwit`, `taproot`).
    pub fn from_json(json: &[u8]) -> Result<Credential, InvalidCredential> {
        use InvalidCredential::Malformed;
        if json.len() > MAX_BYTES {
            return Err(Malformed);
        }
        let document = Document::parse(json).map_err(|_| Malformed)?;
        let mut fields = Fields::default();
        for (name, value) in document.root().members() {
            let place = fields.place(&name.text()).ok_or(Malformed)?;
            let text = value.string().map(FieldText).ok_or(Malformed)?;
            if place.replace(text).is_some() {
                return Err(Malformed);
            }
        }
        fields.credential()
    }
}

/// The texts of the object, as far as they are there.
#[derive(Default)]
struct Fields<'d> {
    watch: Option<FieldText<'d>>,
    proven: Option<FieldText<'d>>,
    phrase: Option<FieldText<'d>>,
    passphrase: Option<FieldText<'d>>,
    account: Option<FieldText<'d>>,
    addresses: Option<FieldText<'d>>,
}

impl<'d> Fields<'d> {
    fn place(&mut self, name: &str) -> Option<&mut Option<FieldText<'d>>> {
        match name {
            "watch" => Some(&mut self.watch),
            "proven" => Some(&mut self.proven),
            "phrase" => Some(&mut self.phrase),
            "passphrase" => Some(&mut self.passphrase),
            "account" => Some(&mut self.account),
            "addresses" => Some(&mut self.addresses),
            _ => None,
        }
    }

    fn credential(&self) -> Result<Credential, InvalidCredential> {
        let Fields { watch, proven, phrase, passphrase, account, addresses } = self;
        match (watch, phrase) {
            (Some(watch), None) if passphrase.is_none() && account.is_none() && addresses.is_none() => {
                let watch = watch.0.clone().into_owned();
                Ok(if proven.is_some() { Credential::Proven(watch) } else { Credential::Watched(watch) })
            }
            (None, Some(phrase)) if proven.is_none() => {
                let passphrase = passphrase.as_ref().map_or("", |text| &text.0);
                let account = account.as_ref().map_or(Some(0), |text| read_account(&text.0));
                let account = account.ok_or(InvalidCredential::Key(InvalidKey::Account))?;
                let addresses = addresses.as_ref().map_or(Some(Kind::Segwit), |text| kind_of(&text.0));
                let addresses = addresses.ok_or(InvalidCredential::Malformed)?;
                let key = KeptKey::import(&phrase.0, passphrase, account, addresses);
                key.map(|key| Credential::Kept(Box::new(key))).map_err(InvalidCredential::Key)
            }
            _ => Err(InvalidCredential::Malformed),
        }
    }
}

fn read_account(text: &str) -> Option<u32> {
    text.parse().ok().filter(|number: &u32| number.to_string() == text)
}

fn kind_of(text: &str) -> Option<Kind> {
    [Kind::Segwit, Kind::Taproot].into_iter().find(|kind| name_of(*kind) == text)
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Credential::Watched(_) => "Watched",
            Credential::Proven(_) => "Proven",
            Credential::Kept(_) => "Kept",
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::*;
    use crate::entropy::{Entropy, NoEntropy};
    use crate::wallet::bitcoin::{Branch, Network};
    use crate::wallet::evm;
    use crate::wallet::key::InvalidPhrase;
    use crate::wallet::vectors::read;

    const PHRASE: &str = "test test test test test test test test test test test junk";

    struct Counting(u8);

    impl Entropy for Counting {
        fn fill(&mut self, out: &mut [u8]) -> Result<(), NoEntropy> {
            for byte in out {
                self.0 = self.0.wrapping_add(1);
                *byte = self.0;
            }
            Ok(())
        }
    }

    fn kept(json: &str) -> KeptKey {
        match Credential::from_json(json.as_bytes()) {
            Ok(Credential::Kept(key)) => *key,
            other => panic!("{other:?}"),
        }
    }

    fn evm_address(key: &KeptKey) -> String {
        evm::Address::of(&key.evm().unwrap().signing_key().public_key()).to_string()
    }

    #[test]
    fn a_key_is_asked_for_by_one_member_alone() {
        let asks = |json: &str| Credential::asks_for_a_key(json.as_bytes());
        assert_eq!(asks(r#"{"make":"segwit"}"#), Some(Kind::Segwit));
        assert_eq!(asks(r#"{"make":"taproot"}"#), Some(Kind::Taproot));
        for other in
            [r#"{"make":"words"}"#, r#"{"make":1}"#, r#"{"make":"segwit","phrase":""}"#, "{}", "", "[]"]
        {
            assert_eq!(asks(other), None, "{other}");
            assert!(Credential::from_json(other.as_bytes()).is_err(), "{other}");
        }
    }

    #[test]
    fn a_phrase_has_the_accounts_that_other_wallets_show() {
        // The first two accounts of anvil, Hardhat and Ganache.
        for (account, address) in [
            ("0", "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"),
            ("1", "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"),
        ] {
            let key = kept(&format!(r#"{{"phrase":"{PHRASE}","account":"{account}"}}"#));
            assert_eq!(evm_address(&key), address);
        }
        let vectors = read(include_str!("../../../../../vectors/wallet/accounts.json"));
        let mut checked = 0;
        for case in vectors.list("cases") {
            let addresses = if case.number("purpose") == 84 { "segwit" } else { "taproot" };
            let json = format!(r#"{{"phrase":"{}","addresses":"{addresses}"}}"#, vectors.text("phrase"));
            if case.text("path").ends_with("h/0/0") {
                let account = kept(&json).bitcoin(Network::Main).unwrap();
                assert_eq!(account.address(Branch::Receive, 0).unwrap().to_string(), case.text("address"));
                checked += 1;
            }
        }
        assert_eq!(checked, 2);
    }

    #[test]
    fn a_made_key_is_read_from_its_envelope_as_it_was() {
        let made = KeptKey::make(Kind::Taproot, &mut Counting(0)).unwrap();
        let json = String::from_utf8(made.to_json().expose().to_vec()).unwrap();
        let read = kept(&json);
        assert_eq!(read.phrase().expose(), made.phrase().expose());
        assert_eq!(made.phrase().expose().split(|byte| *byte == b' ').count(), 24);
        assert_eq!(evm_address(&read), evm_address(&made));
        assert_eq!(read.solana().unwrap().public_key(), made.solana().unwrap().public_key());
        assert_eq!(read.bitcoin(Network::Main).unwrap().kind(), Kind::Taproot);
    }

    #[test]
    fn every_plain_passphrase_is_read_as_it_was_written() {
        let passphrase: String = (0x20_u8..0x7f).map(char::from).collect();
        let key = KeptKey::import(PHRASE, &passphrase, 7, Kind::Segwit).unwrap();
        let json = String::from_utf8(key.to_json().expose().to_vec()).unwrap();
        assert_eq!(evm_address(&kept(&json)), evm_address(&key));
        assert_ne!(
            evm_address(&key),
            evm_address(&kept(&format!(r#"{{"phrase":"{PHRASE}","account":"7"}}"#)))
        );
        assert_eq!(KeptKey::import(PHRASE, "naïve", 0, Kind::Segwit).err(), Some(InvalidKey::Passphrase));
        let long = "x".repeat(MAX_BYTES);
        assert_eq!(KeptKey::import(PHRASE, &long, 0, Kind::Segwit).err(), Some(InvalidKey::Passphrase));
    }

    #[test]
    fn words_are_lent_as_they_were_made_or_brought_and_what_is_watched_has_none() {
        let lent = |json: &[u8]| Credential::lend_words(json, |words| words.to_vec());
        assert_eq!(lent(format!(r#"{{"phrase":"{PHRASE}"}}"#).as_bytes()), Some(PHRASE.as_bytes().to_vec()));
        let made = KeptKey::make(Kind::Segwit, &mut Counting(0)).unwrap();
        assert_eq!(lent(made.to_json().expose()).as_deref(), Some(made.phrase().expose()));
        for other in [r#"{"watch":"a"}"#, r#"{"phrase":1}"#, "{}", ""] {
            assert_eq!(lent(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn what_is_watched_is_kept_as_text_and_signs_nothing() {
        let credential = Credential::from_json(br#"{"watch":"bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"}"#);
        assert!(matches!(credential, Ok(Credential::Watched(text)) if text.starts_with("bc1q")));
    }

    #[test]
    fn a_proof_stands_beside_an_address_alone() {
        let read = |json: &str| Credential::from_json(json.as_bytes());
        let proven = read(r#"{"watch":"a","proven":"2026-11-23T00:00:00.000Z"}"#);
        assert!(matches!(proven, Ok(Credential::Proven(text)) if text == "a"));
        for json in [
            r#"{"proven":"2026-11-23T00:00:00.000Z"}"#.to_owned(),
            format!(r#"{{"phrase":"{PHRASE}","proven":"2026-11-23T00:00:00.000Z"}}"#),
        ] {
            assert_eq!(read(&json).err(), Some(InvalidCredential::Malformed), "{json}");
        }
    }

    #[test]
    fn other_objects_are_refused() {
        let long = format!(r#"{{"watch":"{}"}}"#, "x".repeat(MAX_BYTES));
        for json in [
            "",
            "{}",
            "[]",
            r#"{"watch":1}"#,
            r#"{"watch":"a","watch":"a"}"#,
            r#"{"watch":"a","account":"0"}"#,
            r#"{"account":"0"}"#,
            r#"{"watch":"a","phrase":"b"}"#,
            r#"{"watch":"a","other":"b"}"#,
            &format!(r#"{{"phrase":"{PHRASE}","addresses":"legacy"}}"#),
            &long,
        ] {
            assert_eq!(
                Credential::from_json(json.as_bytes()).err(),
                Some(InvalidCredential::Malformed),
                "{json}"
            );
        }
        for account in ["", "00", "01", "+1", "-1", "1000", "4294967296", "x"] {
            let json = format!(r#"{{"phrase":"{PHRASE}","account":"{account}"}}"#);
            let refused = Credential::from_json(json.as_bytes()).err();
            assert_eq!(refused, Some(InvalidCredential::Key(InvalidKey::Account)), "{account}");
        }
        let refused = Credential::from_json(br#"{"phrase":"abandon"}"#).err();
        assert_eq!(refused, Some(InvalidCredential::Key(InvalidKey::Phrase(InvalidPhrase::Length))));
    }

    #[test]
    fn debug_of_a_wallet_prints_nothing_of_it() {
        let json = format!(r#"{{"phrase":"{PHRASE}"}}"#);
        assert_eq!(format!("{:?}", Credential::from_json(json.as_bytes()).unwrap()), "Kept");
        assert_eq!(format!("{:?}", kept(&json)), "KeptKey");
    }
}
