//! Texts that a wallet signed to show that an address is its own: BIP 322, and the older form with a recoverable signature
//! (BIP 137).

use super::address::{Address, Destination};
use super::bytes::{Reader, sized};
use super::sighash;
use super::transaction::{Input, OutPoint, Output, Transaction};
use crate::hash::sha256;
use crate::secp256k1::{PublicKey, Signature, XOnlyPublicKey, tagged_hash};

/// Longer texts are refused.
const MAX_TEXT: usize = 64 * 1024;

/// A witness of one signature and one key is far shorter.
const MAX_SIGNATURE: usize = 512;

/// Whether one signature can show whose an address is. What is behind a P2SH is not known before: it may be P2WPKH.
pub fn is_provable(destination: &Destination) -> bool {
    match destination {
        Destination::PublicKeyHash(_)
        | Destination::ScriptHash(_)
        | Destination::WitnessPublicKeyHash(_)
        | Destination::Taproot(_) => true,
        Destination::WitnessScriptHash(_) | Destination::Future { .. } => false,
    }
}

/// Whether the key of an address signed a text. The signature is what its Base64 says, without a prefix.
///
/// P2WPKH and P2TR by BIP 322 ("simple"), P2WPKH within P2SH by its "full" form; P2PKH and both of P2WPKH by the older
/// form. Others prove nothing here.
pub fn is_signed(address: &Address, text: &[u8], signature: &[u8]) -> bool {
    if text.len() > MAX_TEXT || signature.len() > MAX_SIGNATURE {
        return false;
    }
    let proven = match (<&[u8; 65]>::try_from(signature), &address.destination) {
        (Ok(signature), _) => older(address, text, signature),
        (Err(_), Destination::ScriptHash(_)) => full(address, text, signature),
        (Err(_), _) => simple(address, text, signature),
    };
    proven.is_some()
}

/// BIP 322: the signature is the witness of a transaction that can never happen.
fn simple(address: &Address, text: &[u8], signature: &[u8]) -> Option<()> {
    let mut reader = Reader::new(signature);
    let witness = reader.list(1, Reader::bytes).ok().filter(|_| reader.is_empty())?;
    let (to_sign, spent) = unspendable(address, text);
    match (&address.destination, witness.as_slice()) {
        (destination @ Destination::WitnessPublicKeyHash(_), [signature, key]) => {
            (own_key(&to_sign, signature, key)? == *destination).then_some(())
        }
        (Destination::Taproot(key), [signature]) => {
            let (signature, kind) = match signature.split_at_checked(64)? {
                (signature, []) => (signature, sighash::DEFAULT),
                (signature, [sighash::ALL]) => (signature, sighash::ALL),
                _ => return None,
            };
            let hash = sighash::taproot(&to_sign, 0, &[spent], kind)?;
            let key = XOnlyPublicKey::from_bytes(key).ok()?;
            key.verifies(&hash, signature.try_into().ok()?).then_some(())
        }
        _ => None,
    }
}

/// BIP 322 for P2WPKH within P2SH, whose script stands beside the witness: the whole transaction that can never happen.
fn full(address: &Address, text: &[u8], signature: &[u8]) -> Option<()> {
    let signed = Transaction::decode(signature).ok()?;
    let [Input { witness, .. }] = signed.inputs.as_slice() else { return None };
    let [of_key, key] = witness.as_slice() else { return None };
    let (mut to_sign, _) = unspendable(address, text);
    let inner = own_key(&to_sign, of_key, key)?;
    let input = to_sign.inputs.first_mut()?;
    sized(&mut input.script_sig, &inner.script());
    input.witness.clone_from(witness);
    (Destination::nested(&inner) == address.destination && signed == to_sign).then_some(())
}

/// The destination of the key that signed the only input as P2WPKH's are.
fn own_key(to_sign: &Transaction, signature: &[u8], key: &[u8]) -> Option<Destination> {
    let key = PublicKey::from_bytes(key).ok().filter(|_| key.len() == 33)?;
    let own = Destination::witness_public_key_hash(&key);
    let Destination::WitnessPublicKeyHash(hash) = &own else { return None };
    let (kind, der) = signature.split_last()?;
    let hash = sighash::witness_public_key_hash(to_sign, 0, hash, 0)?;
    let is_valid = *kind == sighash::ALL && key.verifies(&hash, &Signature::from_der(der)?);
    is_valid.then_some(own)
}

/// `to_sign`, and the output of `to_spend` that it spends.
fn unspendable(address: &Address, text: &[u8]) -> (Transaction, Output) {
    let input = |previous, script_sig| Input { previous, script_sig, sequence: 0, witness: Vec::new() };
    let transaction =
        |input, output| Transaction { version: 0, inputs: vec![input], outputs: vec![output], lock_time: 0 };
    let hash = tagged_hash("BIP0322-signed-message", &[text]);
    let nowhere = OutPoint { txid: [0; 32], index: u32::MAX };
    let spent = Output { value: 0, script: address.destination.script() };
    let to_spend = transaction(input(nowhere, [&[0, 32], hash.as_slice()].concat()), spent.clone());
    let previous = OutPoint { txid: to_spend.txid(), index: 0 };
    // OP_RETURN.
    (transaction(input(previous, Vec::new()), Output { value: 0, script: vec![0x6a] }), spent)
}

/// BIP 137: a header that says the kind of address and which of the keys, `r`, `s`. Older programs say 31 to 34 with every
/// kind; whose key it is follows from the address all the same.
fn older(address: &Address, text: &[u8], signature: &[u8; 65]) -> Option<()> {
    let ([header], rest) = signature.split_first_chunk::<1>()?;
    // 27 to 30 is the uncompressed key, which is no longer in use.
    let recovery = match (header, &address.destination) {
        (
            31..=34,
            Destination::PublicKeyHash(_) | Destination::ScriptHash(_) | Destination::WitnessPublicKeyHash(_),
        ) => header.checked_sub(31)?,
        (35..=38, Destination::ScriptHash(_)) => header.checked_sub(35)?,
        (39..=42, Destination::WitnessPublicKeyHash(_)) => header.checked_sub(39)?,
        _ => return None,
    };
    let mut prefixed = b"\x18Bitcoin Signed Message:\n".to_vec();
    sized(&mut prefixed, text);
    let signature = Signature::from_compact(rest.try_into().ok()?, recovery);
    let key = signature.recover(&sha256(&sha256(&prefixed))).ok()?;
    let own = match address.destination {
        Destination::PublicKeyHash(_) => Destination::public_key_hash(&key),
        Destination::ScriptHash(_) => Destination::nested(&Destination::witness_public_key_hash(&key)),
        _ => Destination::witness_public_key_hash(&key),
    };
    (own == address.destination).then_some(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::secp256k1::SigningKey;
    use crate::wallet::bitcoin::Network;
    use crate::wallet::vectors::{Case, read, unbase64};

    fn published() -> Case {
        read(include_str!("../../../../../vectors/wallet/bip322.json"))
    }

    fn signature(text: &str) -> Vec<u8> {
        unbase64(text.strip_prefix("smp").unwrap_or(text))
    }

    #[test]
    fn published_transactions_are_met() {
        for case in published().list("tx_hashes") {
            let address: Address = case.text("address").parse().unwrap();
            let (to_sign, _) = unspendable(&address, case.text("message").as_bytes());
            let name = |mut txid: [u8; 32]| {
                txid.reverse();
                txid.to_vec()
            };
            assert_eq!(name(to_sign.inputs[0].previous.txid), case.bytes("to_spend_tx_hash"));
            assert_eq!(name(to_sign.txid()), case.bytes("to_sign_tx_hash"));
        }
    }

    #[test]
    fn published_signatures_prove_their_address_and_no_other_text() {
        let mut proven = 0;
        for case in published().list("simple") {
            let address: Address = case.text("address").parse().unwrap();
            // Scripts of several keys prove nothing here.
            let is_known = matches!(case.text("type"), "p2wpkh" | "p2tr");
            for text in case.texts("bip322_signatures") {
                let signature = signature(&text);
                assert_eq!(
                    is_signed(&address, case.text("message").as_bytes(), &signature),
                    is_known,
                    "{text}"
                );
                assert!(!is_signed(&address, b"another text", &signature));
                proven += usize::from(is_known);
            }
        }
        assert!(proven >= 5, "{proven}");
    }

    #[test]
    fn published_errors_are_refused() {
        for case in published().list("error") {
            let address: Address = case.text("address").parse().unwrap();
            let signature = signature(case.text("signature"));
            let text = case.text("message").as_bytes();
            assert!(!is_signed(&address, text, &signature), "{}", case.text("description"));
        }
    }

    #[test]
    fn every_altered_byte_of_a_proof_is_refused() {
        let case = &published().list("simple")[0];
        let address: Address = case.text("address").parse().unwrap();
        let right = signature(&case.texts("bip322_signatures")[0]);
        for at in 0..right.len() {
            let mut altered = right.clone();
            altered[at] ^= 1;
            assert!(!is_signed(&address, case.text("message").as_bytes(), &altered), "byte {at}");
        }
    }

    #[test]
    fn the_older_form_proves_the_address_that_its_header_names_or_by_older_programs_any() {
        let key = SigningKey::from_bytes(&[7; 32]).unwrap();
        let mut prefixed = b"\x18Bitcoin Signed Message:\n".to_vec();
        sized(&mut prefixed, b"hello");
        let made = key.sign_recoverable(&sha256(&sha256(&prefixed)));
        let signature = |header: u8| [&[header + made.recovery], made.compact().as_slice()].concat();
        let public = key.public_key();
        let legacy = Address::new(Network::Main, Destination::public_key_hash(&public));
        let segwit = Address::new(Network::Main, Destination::witness_public_key_hash(&public));
        let inner = Destination::witness_public_key_hash(&public);
        let nested = Address::new(Network::Main, Destination::nested(&inner));
        for (address, headers) in [(&legacy, [31].as_slice()), (&nested, &[31, 35]), (&segwit, &[31, 39])] {
            for header in [27, 31, 35, 39, 43] {
                let proves = is_signed(address, b"hello", &signature(header));
                assert_eq!(proves, headers.contains(&header), "{header}");
            }
            assert!(!is_signed(address, b"hallo", &signature(headers[0])));
        }
        // A script that is something else has an address of the same form.
        let other = Address::new(Network::Main, Destination::ScriptHash([7; 20]));
        assert!(is_provable(&other.destination) && !is_signed(&other, b"hello", &signature(35)));
    }
}
