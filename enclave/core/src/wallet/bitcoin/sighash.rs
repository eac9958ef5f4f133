//! What a signature signs: every input and output (`SIGHASH_ALL`), by the rules of each kind of output.

use super::bytes::size;
use super::transaction::{Output, Transaction};
use crate::hash::sha256;
use crate::secp256k1::tagged_hash;

/// Everything, said in a byte behind the signature.
pub(super) const ALL: u8 = 1;

/// Everything, where Taproot says it by saying nothing.
pub(super) const DEFAULT: u8 = 0;

/// The hash that a P2WPKH input signs (BIP 143), of type [`ALL`]. It holds the amount of this input and no other's.
pub(super) fn witness_public_key_hash(
    transaction: &Transaction,
    at: usize,
    public_key_hash: &[u8; 20],
    value: u64,
) -> Option<[u8; 32]> {
    let input = transaction.inputs.get(at)?;
    let mut text = transaction.version.to_le_bytes().to_vec();
    text.extend(sha256(&sha256(&previous(transaction))));
    text.extend(sha256(&sha256(&sequences(transaction))));
    input.previous.write(&mut text);
    // The script code: P2PKH of the same hash, behind its length.
    text.extend([25, 0x76, 0xa9, 20]);
    text.extend(public_key_hash);
    text.extend([0x88, 0xac]);
    text.extend(value.to_le_bytes());
    text.extend(input.sequence.to_le_bytes());
    text.extend(sha256(&sha256(&outputs(transaction))));
    text.extend(transaction.lock_time.to_le_bytes());
    text.extend(u32::from(ALL).to_le_bytes());
    Some(sha256(&sha256(&text)))
}

/// The hash that a P2TR input signs with its key (BIP 341), of type [`DEFAULT`] or [`ALL`]. It holds all amounts and
/// scripts that are spent, which are given in the order of the inputs.
pub(super) fn taproot(transaction: &Transaction, at: usize, spent: &[Output], kind: u8) -> Option<[u8; 32]> {
    if spent.len() != transaction.inputs.len() {
        return None;
    }
    let (mut amounts, mut scripts) = (Vec::new(), Vec::new());
    for output in spent {
        amounts.extend(output.value.to_le_bytes());
        size(&mut scripts, output.script.len());
        scripts.extend_from_slice(&output.script);
    }
    let mut text = vec![0, kind];
    text.extend(transaction.version.to_le_bytes());
    text.extend(transaction.lock_time.to_le_bytes());
    for part in [previous(transaction), amounts, scripts, sequences(transaction), outputs(transaction)] {
        text.extend(sha256(&part));
    }
    // No annex, no script path.
    text.push(0);
    text.extend(u32::try_from(at).ok()?.to_le_bytes());
    Some(tagged_hash("TapSighash", &[&text]))
}

fn previous(transaction: &Transaction) -> Vec<u8> {
    let mut text = Vec::new();
    transaction.inputs.iter().for_each(|input| input.previous.write(&mut text));
    text
}

fn sequences(transaction: &Transaction) -> Vec<u8> {
    transaction.inputs.iter().flat_map(|input| input.sequence.to_le_bytes()).collect()
}

fn outputs(transaction: &Transaction) -> Vec<u8> {
    let mut text = Vec::new();
    transaction.outputs.iter().for_each(|output| output.write(&mut text));
    text
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]
mod tests {
    use super::*;
    use crate::secp256k1::SigningKey;
    use crate::wallet::bitcoin::Destination;
    use crate::wallet::hex;
    use crate::wallet::vectors::read;

    #[test]
    fn the_published_taproot_hash_and_signature_are_met() {
        let vectors = read(include_str!("../../../../../vectors/wallet/bip341.json"));
        let spending = &vectors.list("keyPathSpending")[0];
        let given = spending.object("given");
        let transaction = Transaction::decode(&given.bytes("rawUnsignedTx")).unwrap();
        let spent = given.list("utxosSpent");
        let spent: Vec<Output> = spent
            .iter()
            .map(|output| Output { value: output.number("amountSats"), script: output.bytes("scriptPubKey") })
            .collect();
        let mut checked = 0;
        for case in spending.list("inputSpending") {
            let given = case.object("given");
            // The other types are never signed here; the other outputs have scripts, which are never spent here.
            if given.number("hashType") != 0 {
                continue;
            }
            checked += 1;
            let at = usize::try_from(given.number("txinIndex")).unwrap();
            let hash = taproot(&transaction, at, &spent, DEFAULT).unwrap();
            assert_eq!(hash.to_vec(), case.object("intermediary").bytes("sigHash"));
        }
        assert_eq!(checked, 1);
    }

    #[test]
    fn published_taproot_outputs_without_scripts_are_met() {
        let vectors = read(include_str!("../../../../../vectors/wallet/bip341.json"));
        let case = &vectors.list("scriptPubKey")[0];
        let internal = case.object("given").array("internalPubkey");
        let internal = crate::secp256k1::XOnlyPublicKey::from_bytes(&internal).unwrap();
        let script = Destination::taproot(&internal).unwrap().script();
        assert_eq!(script, case.object("expected").bytes("scriptPubKey"));
    }

    /// BIP 143, "Native P2WPKH".
    #[test]
    fn the_published_witness_hash_is_met() {
        let unsigned = "0100000002fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f0000000000eeffffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff02202cb206000000001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac11000000";
        let transaction = Transaction::decode(&hex::decode(unsigned).unwrap()).unwrap();
        let key = hex::decode("619c335025c7f4012e556c2a58b2506e30b8511b53ade95ea316fd8c3286feb9").unwrap();
        let key = SigningKey::from_bytes(&key.try_into().unwrap()).unwrap();
        let Destination::WitnessPublicKeyHash(public_key_hash) =
            Destination::witness_public_key_hash(&key.public_key())
        else {
            panic!()
        };
        let hash = witness_public_key_hash(&transaction, 1, &public_key_hash, 600_000_000).unwrap();
        assert_eq!(hex::encode(&hash), "c37af31116d1b27caf68aae9e3ac82f1477929014d5b917657d0eb49478cb670");
    }
}
