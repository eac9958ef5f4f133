//! Output descriptors (BIP 380) of one public key, as a wallet exports them to be watched.
//!
//! The subset: `wpkh(K)`, `tr(K)`, `pkh(K)`, `sh(wpkh(K))`, with or without a checksum, where K is
//! `[fingerprint/path]` or nothing, an extended or plain public key, and behind an extended one steps that are not
//! hardened, at most one pair `<0;1>` of them (BIP 389), and at most one `*` at the end.

use super::address::{Address, Destination, Network};
use crate::secp256k1::{PublicKey, XOnlyPublicKey};
use crate::wallet::hex;
use crate::wallet::key::{ExtendedPublicKey, Fingerprint, HARDENED, InvalidExtendedKey, Path, Underivable};

/// Longer texts are refused unread.
const MAX_TEXT: usize = 512;

/// Where the addresses of a wallet come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    kind: Kind,
    origin: Option<(Fingerprint, Path)>,
    key: Key,
}

/// Which of a wallet's two lines of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Branch {
    /// For others to pay to.
    Receive,
    /// For what a payment leaves over.
    Change,
}

/// Why a descriptor was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidDescriptor {
    /// It holds a private key. Its owner should be told so, and should regard it as seen.
    Private,
    /// The checksum is not the text's: a letter is wrong.
    Checksum,
    /// Of another form than the subset.
    Unsupported,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    PublicKeyHash,
    WitnessPublicKeyHash,
    Nested,
    Taproot,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Key {
    Plain(PublicKey),
    XOnly(XOnlyPublicKey),
    Extended { key: ExtendedPublicKey, steps: [Path; 2], is_ranged: bool },
}

impl Descriptor {
    /// Reads a descriptor.
    pub fn parse(text: &str) -> Result<Descriptor, InvalidDescriptor> {
        if text.len() > MAX_TEXT {
            return Err(InvalidDescriptor::Unsupported);
        }
        let body = match text.split_once('#') {
            Some((body, claimed)) if checksum(body).as_deref() == Some(claimed) => body,
            Some(_) => return Err(InvalidDescriptor::Checksum),
            None => text,
        };
        let (kind, key) = expression(body).ok_or(InvalidDescriptor::Unsupported)?;
        let (origin, key) = origin(key).ok_or(InvalidDescriptor::Unsupported)?;
        let key = parse_key(key, kind)?;
        Ok(Descriptor { kind, origin, key })
    }

    /// Whether it has a whole line of addresses, or one.
    pub fn is_ranged(&self) -> bool {
        matches!(self.key, Key::Extended { is_ranged: true, .. })
    }

    /// The master key's fingerprint and the path from it, where the descriptor says them.
    pub fn origin(&self) -> Option<&(Fingerprint, Path)> {
        self.origin.as_ref()
    }

    /// The address at an index. Where there is no `*`, every index has the same one; where there is no `<0;1>`, both
    /// branches have.
    pub fn address(&self, network: Network, branch: Branch, index: u32) -> Result<Address, Underivable> {
        let destination = match (self.kind, self.public_key(network, branch, index)?) {
            (Kind::Taproot, Derived::XOnly(key)) => Destination::taproot(&key).ok_or(Underivable)?,
            (Kind::Taproot, Derived::Full(key)) => Destination::taproot(&key.x_only()).ok_or(Underivable)?,
            (Kind::PublicKeyHash, Derived::Full(key)) => Destination::public_key_hash(&key),
            (Kind::WitnessPublicKeyHash, Derived::Full(key)) => Destination::witness_public_key_hash(&key),
            (Kind::Nested, Derived::Full(key)) => {
                Destination::nested(&Destination::witness_public_key_hash(&key))
            }
            (_, Derived::XOnly(_)) => return Err(Underivable),
        };
        Ok(Address::new(network, destination))
    }

    fn public_key(&self, network: Network, branch: Branch, index: u32) -> Result<Derived, Underivable> {
        match &self.key {
            Key::Plain(key) => Ok(Derived::Full(*key)),
            Key::XOnly(key) => Ok(Derived::XOnly(*key)),
            Key::Extended { key, .. } if key.is_test != (network != Network::Main) => Err(Underivable),
            Key::Extended { key, steps: [receive, change], is_ranged } => {
                let steps = if branch == Branch::Receive { receive } else { change };
                let derived = key.derive(steps)?;
                let last =
                    Path::new(if *is_ranged { vec![index] } else { vec![] }).map_err(|_| Underivable)?;
                Ok(Derived::Full(*derived.derive(&last)?.key()))
            }
        }
    }
}

enum Derived {
    Full(PublicKey),
    XOnly(XOnlyPublicKey),
}

/// The kind of output, and the key expression inside.
fn expression(body: &str) -> Option<(Kind, &str)> {
    let kinds = [
        ("pkh(", ")", Kind::PublicKeyHash),
        ("wpkh(", ")", Kind::WitnessPublicKeyHash),
        ("sh(wpkh(", "))", Kind::Nested),
        ("tr(", ")", Kind::Taproot),
    ];
    kinds.into_iter().find_map(|(open, close, kind)| {
        Some((kind, body.strip_prefix(open)?.strip_suffix(close)?))
            .filter(|(_, key)| !key.contains(['(', ')']))
    })
}

/// The origin before a key, and the key.
fn origin(text: &str) -> Option<(Option<(Fingerprint, Path)>, &str)> {
    let Some(rest) = text.strip_prefix('[') else { return Some((None, text)) };
    let (origin, key) = rest.split_once(']')?;
    let (fingerprint, path) =
        origin.split_once('/').map_or((origin, None), |(first, path)| (first, Some(path)));
    let fingerprint = hex::decode(fingerprint)?.try_into().ok()?;
    let path = match path {
        None => Path::default(),
        Some(path) if path.starts_with('m') => return None,
        Some(path) => path.parse().ok()?,
    };
    Some((Some((fingerprint, path)), key))
}

fn parse_key(text: &str, kind: Kind) -> Result<Key, InvalidDescriptor> {
    use InvalidDescriptor::{Private, Unsupported};
    let (first, rest) = text.split_once('/').map_or((text, None), |(first, rest)| (first, Some(rest)));
    let extended = match first.parse::<ExtendedPublicKey>() {
        Ok(key) => key,
        Err(InvalidExtendedKey::Private) => return Err(Private),
        Err(InvalidExtendedKey::Malformed) if rest.is_none() => return plain_key(first, kind),
        Err(InvalidExtendedKey::Malformed) => return Err(Unsupported),
    };
    let (steps, is_ranged) = steps(rest).ok_or(Unsupported)?;
    Ok(Key::Extended { key: extended, steps, is_ranged })
}

fn plain_key(text: &str, kind: Kind) -> Result<Key, InvalidDescriptor> {
    use InvalidDescriptor::{Private, Unsupported};
    if is_private(text) {
        return Err(Private);
    }
    let bytes = hex::decode(text).ok_or(Unsupported)?;
    match (<[u8; 32]>::try_from(bytes.as_slice()), bytes.len()) {
        (Ok(x), _) if kind == Kind::Taproot => {
            XOnlyPublicKey::from_bytes(&x).map(Key::XOnly).map_err(|_| Unsupported)
        }
        (_, 33) => PublicKey::from_bytes(&bytes).map(Key::Plain).map_err(|_| Unsupported),
        _ => Err(Unsupported),
    }
}

/// Whether a text is a private key in wallet import format.
fn is_private(text: &str) -> bool {
    let bytes = crate::wallet::base58::decode_check(text).unwrap_or_default();
    matches!((bytes.first(), bytes.len()), (Some(0x80 | 0xef), 33 | 34))
}

/// The steps of both branches, and whether a `*` follows.
fn steps(text: Option<&str>) -> Option<([Path; 2], bool)> {
    let Some(text) = text else { return Some((Default::default(), false)) };
    let (fixed, is_ranged) = match text.strip_suffix('*') {
        Some("") => return Some((Default::default(), true)),
        Some(fixed) => (fixed.strip_suffix('/')?, true),
        None => (text, false),
    };
    let branches = match fixed.split_once('<') {
        None => [fixed.to_owned(), fixed.to_owned()],
        Some((before, rest)) => {
            let (pair, after) = rest.split_once('>')?;
            let (receive, change) = pair.split_once(';')?;
            [receive, change].map(|step| format!("{before}{step}{after}"))
        }
    };
    let [receive, change] = branches.map(|branch| {
        let path = branch.parse::<Path>().ok().filter(|_| !branch.starts_with('m'))?;
        Some(path).filter(|path| path.steps().iter().all(|step| step & HARDENED == 0))
    });
    Some(([receive?, change?], is_ranged))
}

/// A descriptor with its checksum behind it.
pub(super) fn with_checksum(body: &str) -> String {
    checksum(body).map_or_else(|| body.to_owned(), |sum| format!("{body}#{sum}"))
}

/// The checksum of a descriptor (BIP 380), if all its letters may be in one.
fn checksum(body: &str) -> Option<String> {
    const LETTERS: &str =
        "0123456789()[],'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~ijklmnopqrstuvwxyzABCDEFGH`#\"\\ ";
    const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let (mut sum, mut class, mut count) = (1_u64, 0_u64, 0);
    for letter in body.chars() {
        let place = u64::try_from(LETTERS.find(letter)?).ok()?;
        sum = polymod(sum, place & 31);
        class = class * 3 + (place >> 5);
        count += 1;
        if count == 3 {
            sum = polymod(sum, class);
            (class, count) = (0, 0);
        }
    }
    if count > 0 {
        sum = polymod(sum, class);
    }
    sum = (0..8).fold(sum, |sum, _| polymod(sum, 0)) ^ 1;
    let letter =
        |at: u32| ALPHABET.get(usize::try_from(sum >> (5 * (7 - at)) & 31).ok()?).copied().map(char::from);
    (0..8).map(letter).collect()
}

fn polymod(sum: u64, value: u64) -> u64 {
    const GENERATOR: [u64; 5] =
        [0xf5_dee5_1989, 0xa9_fdca_3312, 0x1b_ab10_e32d, 0x37_06b1_677a, 0x64_4d62_6ffd];
    let top = sum >> 35;
    let next = (sum & 0x7_ffff_ffff) << 5 ^ value;
    let terms = GENERATOR.iter().enumerate().filter(|(bit, _)| top >> bit & 1 == 1);
    terms.fold(next, |sum, (_, term)| sum ^ term)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::wallet::vectors::{Case, read};
    use proptest::prelude::*;

    const XPUB: &str = "xpub6BgBgsespWvERF3LHQu6CnqdvfEvtMcQjYrcRzx53QJjSxarj2afYWcLteoGVky7D3UKDP9QyrLprQ3VCECoY49yfdDEHGCtMMj92pReUsQ";

    fn published() -> Case {
        read(include_str!("../../../../../vectors/wallet/descriptors.json"))
    }

    #[test]
    fn published_checksums_are_met_and_broken_ones_refused() {
        assert_eq!(checksum("raw(deadbeef)").as_deref(), Some("89f8spxm"));
        for case in published().list("checksums") {
            let (body, claimed) = match case.text("text").split_once('#') {
                Some((body, claimed)) => (body, claimed),
                None => continue,
            };
            let holds = checksum(body).as_deref() == Some(claimed);
            assert_eq!(holds, case.text("what") == "Valid checksum", "{}", case.text("what"));
        }
    }

    #[test]
    fn published_key_expressions_are_read_private_or_outside_of_the_subset() {
        for case in published().list("keys") {
            let (what, text) = (case.text("what"), case.text("text"));
            let expected = match what {
                _ if text.contains("xprv") || what.starts_with("WIF") => Err(InvalidDescriptor::Private),
                _ if what.contains("hardened derivation") || text.starts_with("04") => {
                    Err(InvalidDescriptor::Unsupported)
                }
                _ => Ok(()),
            };
            assert_eq!(Descriptor::parse(&format!("wpkh({text})")).map(|_| ()), expected, "{what}");
        }
    }

    #[test]
    fn published_broken_key_expressions_are_refused() {
        for case in published().list("invalid_keys") {
            for kind in ["wpkh", "tr", "pkh"] {
                let text = format!("{kind}({})", case.text("text"));
                assert!(Descriptor::parse(&text).is_err(), "{}", case.text("what"));
            }
        }
    }

    #[test]
    fn published_accounts_have_their_addresses() {
        let vectors = read(include_str!("../../../../../vectors/wallet/accounts.json"));
        for case in vectors.list("cases") {
            let kind = if case.number("purpose") == 84 { "wpkh" } else { "tr" };
            let descriptor = Descriptor::parse(&format!("{kind}({}/<0;1>/*)", case.text("account"))).unwrap();
            let path: Path = case.text("path").parse().unwrap();
            let branch = if path.steps()[3] == 0 { Branch::Receive } else { Branch::Change };
            let address = descriptor.address(Network::Main, branch, path.steps()[4]).unwrap();
            assert_eq!(address.to_string(), case.text("address"));
        }
    }

    #[test]
    fn a_key_of_the_main_network_has_no_address_on_another() {
        let descriptor = Descriptor::parse(&format!("wpkh({XPUB}/0/*)")).unwrap();
        assert_eq!(descriptor.address(Network::Regtest, Branch::Receive, 0), Err(Underivable));
        assert_eq!(descriptor.address(Network::Main, Branch::Receive, HARDENED), Err(Underivable));
    }

    #[test]
    fn what_is_outside_of_the_subset_is_refused() {
        for body in [
            "",
            "wpkh()",
            "wsh(pk(K))",
            "wpkh(K/*/*)",
            "wpkh(K/*/0)",
            "wpkh(K/<0;1;2>/*)",
            "wpkh(K/<0;1>/<0;1>/*)",
            "wpkh(K/)",
            "wpkh(K//*)",
            "wpkh(K/m/0)",
            "wpkh(K/0*)",
            "tr(K,{pk(K)})",
            "wpkh(K) ",
            "sh(wpkh(K)",
            "wpkh(K/*h)",
            "wpkh([00000000/m/0]K)",
            "wpkh(K/<0;1h>/*)",
            "multi(1,K)",
        ] {
            let text = body.replace('K', XPUB);
            assert_eq!(Descriptor::parse(&text), Err(InvalidDescriptor::Unsupported), "{body}");
        }
        let long = format!("wpkh({XPUB}{})", "/0".repeat(300));
        assert_eq!(Descriptor::parse(&long), Err(InvalidDescriptor::Unsupported));
    }

    #[test]
    fn every_altered_letter_is_refused() {
        let body = format!("wpkh([deadbeef/84h/0h/0h]{XPUB}/<0;1>/*)");
        let text = format!("{body}#{}", checksum(&body).unwrap());
        assert!(Descriptor::parse(&text).unwrap().is_ranged());
        for at in 0..text.len() {
            for letter in ["0", "z", "#", "/"] {
                let mut other = text.clone();
                other.replace_range(at..=at, letter);
                // Without its mark a checksum is part of the body, which is then of another form.
                assert!(other == text || Descriptor::parse(&other).is_err(), "{other}");
            }
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_is_read_or_refused(text in "(wpkh|tr|sh\\(wpkh)\\((\\[[0-9a-f/h]{0,20}\\])?[0-9a-f]{0,70}[/0-9*<>;h']{0,12}\\)(#[a-z0-9]{8})?") {
            let _ = Descriptor::parse(&text).is_ok();
        }
    }
}
