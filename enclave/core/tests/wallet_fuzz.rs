//! Fuzz targets of what wallets are asked to read, as plain functions, run over their corpus and over mutations of it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use enclave::wallet::bitcoin::{self, Branch, Descriptor, Network, Psbt};
use enclave::wallet::evm::{self, Call};
use enclave::wallet::key::{ExtendedPublicKey, Mnemonic, Path, Seed};
use enclave::wallet::solana;
use proptest::prelude::*;
use std::path::PathBuf;
use std::sync::OnceLock;

/// Bytes as each kind of transaction: refused, or of one form and said or refused as a transfer; never a panic.
pub fn fuzz_wallet_transaction(data: &[u8]) {
    if let Ok(transaction) = evm::Transaction::decode(data) {
        assert_eq!(transaction.encode(), data);
        let _ = transaction.summary().is_ok();
    }
    if let Ok(signed) = evm::Signed::decode(data) {
        assert_eq!(signed.encode(), data);
        let _ = signed.sender();
    }
    if let Some(call) = Call::decode(data) {
        assert_eq!(call.encode(), data);
    }
    if let Ok(transaction) = bitcoin::Transaction::decode(data) {
        assert_eq!(transaction.encode(), data);
        let _ = (transaction.txid(), transaction.weight());
    }
    if let Ok(psbt) = Psbt::decode(data) {
        accounts().iter().for_each(|account| {
            let _ = psbt.summary(account).is_ok();
        });
    }
    if let Ok(message) = solana::Message::decode(data) {
        assert_eq!(message.encode(), data);
        let wallet = message.payer().copied().unwrap_or(solana::Address::SYSTEM);
        let _ = message.summary(solana::Cluster::Main, &wallet, Some(&wallet)).is_ok();
    }
}

/// Text as everything that a person may paste.
pub fn fuzz_wallet_text(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let _ = Mnemonic::parse(&text).is_ok();
    let _ = text.parse::<Path>().is_ok_and(|path| path.to_string().parse() == Ok(path));
    if let Ok(address) = text.parse::<evm::Address>() {
        assert_eq!(address.to_string().to_lowercase(), text.to_lowercase());
    }
    if let Ok(address) = text.parse::<bitcoin::Address>() {
        assert_eq!(address.to_string().to_lowercase(), text.to_lowercase());
    }
    if let Ok(address) = text.parse::<solana::Address>() {
        assert_eq!(address.to_string(), text);
    }
    if let Ok(key) = text.parse::<ExtendedPublicKey>() {
        assert_eq!(key.to_string(), text);
    }
    if let Ok(descriptor) = Descriptor::parse(&text) {
        let _ = descriptor.address(Network::Main, Branch::Change, 7).is_ok();
    }
}

fn accounts() -> &'static [bitcoin::Account] {
    static ACCOUNTS: OnceLock<Vec<bitcoin::Account>> = OnceLock::new();
    ACCOUNTS.get_or_init(|| {
        let phrase = "legal winner thank year wave sausage worth useful legal winner thank yellow";
        let seed: Seed = Mnemonic::parse(phrase).unwrap().seed("").unwrap();
        [bitcoin::Kind::Segwit, bitcoin::Kind::Taproot]
            .map(|kind| bitcoin::Account::derive(&seed, kind, Network::Regtest, 0).unwrap())
            .into()
    })
}

/// `TENSFER_SOAK=1` (`make soak`): a hundred times as many.
fn effort(cases: u32) -> u32 {
    if std::env::var_os("TENSFER_SOAK").is_some() { cases * 100 } else { cases }
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// Overwrites, cuts out and repeats pieces of a seed.
fn mutated(mut seed: Vec<u8>, edits: &[(u16, u8, u8)]) -> Vec<u8> {
    for (place, kind, value) in edits {
        let at = usize::from(*place) % (seed.len() + 1);
        let end = (at + usize::from(*value % 40)).min(seed.len());
        match kind % 4 {
            0 if at < seed.len() => seed[at] = *value,
            1 => {
                let part = seed[at..end].to_vec();
                seed.splice(at..at, part);
            }
            2 => drop(seed.drain(at..end)),
            _ => seed.insert(at, *value),
        }
    }
    seed
}

#[test]
fn the_corpus_of_transactions_is_harmless() {
    corpus("wallet_transaction").iter().for_each(|data| fuzz_wallet_transaction(data));
}

#[test]
fn the_corpus_of_wallet_texts_is_harmless() {
    corpus("wallet_text").iter().for_each(|data| fuzz_wallet_text(data));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(effort(512)))]

    #[test]
    fn mutated_transactions_never_panic(pick: usize, edits in proptest::collection::vec(any::<(u16, u8, u8)>(), 0..6)) {
        let seeds = corpus("wallet_transaction");
        fuzz_wallet_transaction(&mutated(seeds[pick % seeds.len()].clone(), &edits));
    }

    #[test]
    fn mutated_wallet_texts_never_panic(pick: usize, edits in proptest::collection::vec(any::<(u16, u8, u8)>(), 0..6)) {
        let seeds = corpus("wallet_text");
        fuzz_wallet_text(&mutated(seeds[pick % seeds.len()].clone(), &edits));
    }
}
