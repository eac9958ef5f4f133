#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::*;
use crate::wallet::bitcoin::transaction::OutPoint;
use crate::wallet::key::{Mnemonic, Path};
use crate::wallet::summary::Differs;
use crate::wallet::vectors::{Case, read};
use proptest::prelude::*;

fn transfers() -> Vec<Case> {
    read(include_str!("../../../../../../vectors/wallet/bitcoin.json")).list("transfers")
}

fn account(case: &Case) -> Account {
    let seed = Mnemonic::parse(case.text("phrase")).unwrap().seed("").unwrap();
    let kind = if case.text("kind") == "segwit" { Kind::Segwit } else { Kind::Taproot };
    let network = if case.text("network") == "main" { Network::Main } else { Network::Regtest };
    Account::derive(&seed, kind, network, 0).unwrap()
}

/// The first transfer of a kind, its account and its summary.
fn first(kind: &str) -> (Psbt, Account, Summary) {
    let case = transfers().into_iter().find(|case| case.text("kind") == kind).unwrap();
    let (psbt, account) = (Psbt::decode(&case.bytes("psbt")).unwrap(), account(&case));
    let shown = psbt.summary(&account).unwrap();
    (psbt, account, shown)
}

fn changed(psbt: &Psbt, change: impl FnOnce(&mut Psbt)) -> Psbt {
    let mut other = psbt.clone();
    change(&mut other);
    other
}

#[test]
fn an_independent_wallet_signs_the_same_bytes() {
    for case in transfers() {
        let psbt = Psbt::decode(&case.bytes("psbt")).unwrap();
        let shown = psbt.summary(&account(&case)).unwrap();
        let signed = psbt.sign(&account(&case), &shown, &[0; 32]).unwrap();
        assert_eq!(signed.encode(), case.bytes("signed"));
    }
}

#[test]
fn a_summary_says_what_the_transaction_does() {
    for case in transfers() {
        let shown = Psbt::decode(&case.bytes("psbt")).unwrap().summary(&account(&case)).unwrap();
        assert_eq!(shown.to, case.text("to"));
        assert_eq!(shown.amount, U256::from(case.number("amount")));
        assert_eq!(shown.max_fee, U256::from(case.number("fee")));
        assert_eq!(shown.chain, account(&case).network().chain());
        assert_eq!(shown.asset, shown.fee_asset);
    }
}

/// Every bit of the file turned: what is left is no file, is refused, or signs the very same transaction, because the
/// bit was of a note that nothing is taken from.
#[test]
fn every_altered_byte_is_refused_or_changes_nothing_that_was_shown() {
    for kind in ["segwit", "taproot"] {
        let case = transfers().into_iter().find(|case| case.text("kind") == kind).unwrap();
        let account = account(&case);
        let file = case.bytes("psbt");
        let original = Psbt::decode(&file).unwrap();
        let shown = original.summary(&account).unwrap();
        let mut refused = 0;
        for at in 0..file.len() {
            let mut altered = file.clone();
            altered[at] ^= 1 << (at % 8);
            match Psbt::decode(&altered).map(|psbt| (psbt.sign(&account, &shown, &[0; 32]), psbt)) {
                Ok((Ok(signed), psbt)) => assert!(is_as_shown(&signed, &psbt, &original), "byte {at}"),
                _ => refused += 1,
            }
        }
        assert!(refused * 10 > file.len() * 5, "{refused} of {}", file.len());
    }
}

/// Whether a transaction pays the same outputs from the same inputs. The other fields say when it is valid.
fn is_as_shown(signed: &Transaction, psbt: &Psbt, original: &Psbt) -> bool {
    let inputs = |transaction: &Transaction| -> Vec<OutPoint> {
        transaction.inputs.iter().map(|input| input.previous).collect()
    };
    signed.outputs == original.transaction.outputs
        && inputs(signed) == inputs(&original.transaction)
        && signed.outputs == psbt.transaction.outputs
}

#[test]
fn each_part_that_differs_is_named() {
    let (psbt, account, shown) = first("taproot");
    let one = U256::from(1_u64);
    for (other, differs) in [
        (Summary { chain: Network::Main.chain().into(), ..shown.clone() }, Differs::Chain),
        (Summary { to: "bcrt1q".into(), ..shown.clone() }, Differs::To),
        (Summary { asset: "x".into(), ..shown.clone() }, Differs::Asset),
        (Summary { amount: shown.amount.checked_add(one).unwrap(), ..shown.clone() }, Differs::Amount),
        (Summary { max_fee: shown.max_fee.checked_add(one).unwrap(), ..shown.clone() }, Differs::Fee),
        (Summary { nonce: Some(0), ..shown.clone() }, Differs::Nonce),
    ] {
        assert_eq!(psbt.sign(&account, &other, &[0; 32]).err(), Some(Refused::Differs(differs)));
    }
}

#[test]
fn an_amount_that_is_only_claimed_is_refused_where_a_signature_would_not_hold_it() {
    let (psbt, account, _) = first("segwit");
    let without = changed(&psbt, |psbt| psbt.inputs[0].previous = None);
    assert!(without.inputs[0].claimed_spent.is_some());
    assert_eq!(without.summary(&account), Err(NotATransfer::Fee.into()));
    let lie = changed(&psbt, |psbt| psbt.inputs[0].claimed_spent.as_mut().unwrap().value += 1);
    assert_eq!(lie.summary(&account), Err(NotATransfer::Fee.into()));
    let other = changed(&psbt, |psbt| psbt.inputs[0].previous.as_mut().unwrap().outputs[0].value += 1);
    assert_eq!(other.summary(&account), Err(NotATransfer::Fee.into()));
}

#[test]
fn a_lie_about_a_taproot_amount_changes_what_is_shown_and_breaks_the_signature() {
    let (psbt, account, shown) = first("taproot");
    let lie = changed(&psbt, |psbt| {
        psbt.inputs[0].previous = None;
        psbt.inputs[0].claimed_spent.as_mut().unwrap().value += 1;
    });
    assert_eq!(lie.sign(&account, &shown, &[0; 32]).err(), Some(Refused::Differs(Differs::Fee)));
    let agreed = lie.summary(&account).unwrap();
    let (signed, right) =
        (lie.sign(&account, &agreed, &[0; 32]).unwrap(), psbt.sign(&account, &shown, &[0; 32]).unwrap());
    assert_ne!(signed.inputs[0].witness, right.inputs[0].witness);
    assert_ne!(signed.inputs.last().unwrap().witness, right.inputs.last().unwrap().witness);
}

#[test]
fn change_that_is_not_the_accounts_is_a_second_recipient() {
    for kind in ["segwit", "taproot"] {
        let (psbt, account, _) = first(kind);
        let change = psbt.outputs.iter().position(|note| !note.origins.is_empty()).unwrap();
        let unsaid = changed(&psbt, |psbt| psbt.outputs[change].origins.clear());
        assert_eq!(unsaid.summary(&account), Err(NotATransfer::Recipient.into()));
        let stolen = changed(&psbt, |psbt| psbt.transaction.outputs[change].script[5] ^= 1);
        assert_eq!(stolen.summary(&account), Err(NotATransfer::Recipient.into()));
        let far = changed(&psbt, |psbt| {
            psbt.outputs[change].origins[0].path = "m/84h/1h/0h/1/65536".parse().unwrap();
        });
        assert_eq!(far.summary(&account), Err(NotATransfer::Recipient.into()));
    }
}

#[test]
fn inputs_of_others_and_inputs_twice_are_refused() {
    for kind in ["segwit", "taproot"] {
        let (psbt, account, _) = first(kind);
        let unsaid = changed(&psbt, |psbt| psbt.inputs[0].origins.clear());
        assert_eq!(unsaid.summary(&account), Err(Refused::Key));
        let other = changed(&psbt, |psbt| {
            let steps = psbt.inputs[0].origins[0].path.steps()[..3].iter().copied().chain([0, 999]);
            psbt.inputs[0].origins[0].path = Path::new(steps.collect()).unwrap();
        });
        assert_eq!(other.summary(&account), Err(Refused::Key));
        let twice = changed(&psbt, |psbt| {
            psbt.transaction.inputs.push(psbt.transaction.inputs[0].clone());
            psbt.inputs.push(psbt.inputs[0].clone());
        });
        assert_eq!(twice.summary(&account), Err(NotATransfer::Call.into()));
    }
}

#[test]
fn other_hash_types_and_scripts_are_refused() {
    for (kind, allowed) in [("segwit", 1), ("taproot", 0)] {
        let (psbt, account, _) = first(kind);
        for hash_type in [0, 1, 2, 3, 0x81, 0x101] {
            let asked = changed(&psbt, |psbt| psbt.inputs[0].hash_type = Some(hash_type));
            assert_eq!(asked.summary(&account).is_ok(), hash_type == allowed, "{kind} {hash_type}");
        }
        let scripts = changed(&psbt, |psbt| psbt.inputs[0].has_scripts = true);
        assert_eq!(scripts.summary(&account), Err(NotATransfer::Call.into()));
        let version = changed(&psbt, |psbt| psbt.transaction.version = 3);
        assert_eq!(version.summary(&account), Err(NotATransfer::Call.into()));
    }
}

#[test]
fn outputs_that_nobody_or_everybody_can_spend_are_refused() {
    let (psbt, account, _) = first("segwit");
    let recipient = psbt.outputs.iter().position(|note| note.origins.is_empty()).unwrap();
    // An x that is no point of the curve (BIP 340's fifth vector), a later version, data, nothing.
    let no_point =
        crate::wallet::hex::decode("eefdea4cdb677750a420fee807eacf21eb9898ae79b9768766e4faa04a2d4a34")
            .unwrap();
    for script in [[&[0x51, 32], no_point.as_slice()].concat(), vec![0x52, 2, 1, 1], vec![0x6a, 1, 1], vec![]]
    {
        let other = changed(&psbt, |psbt| psbt.transaction.outputs[recipient].script = script);
        assert_eq!(other.summary(&account), Err(NotATransfer::Recipient.into()));
    }
}

#[test]
fn more_out_than_in_and_more_than_there_is_are_refused() {
    let (psbt, account, _) = first("taproot");
    let recipient = psbt.outputs.iter().position(|note| note.origins.is_empty()).unwrap();
    for value in [u64::MAX, MAX_MONEY + 1, MAX_MONEY] {
        let other = changed(&psbt, |psbt| psbt.transaction.outputs[recipient].value = value);
        assert_eq!(other.summary(&account), Err(NotATransfer::Fee.into()));
    }
}

#[test]
fn another_wallets_account_signs_nothing() {
    let (psbt, _, shown) = first("segwit");
    let seed = Mnemonic::from_entropy(&[9; 32]).unwrap().seed("").unwrap();
    let other = Account::derive(&seed, Kind::Segwit, Network::Regtest, 0).unwrap();
    assert_eq!(psbt.sign(&other, &shown, &[0; 32]).err(), Some(Refused::Key));
}

#[test]
fn files_of_another_form_are_refused() {
    let file = transfers()[0].bytes("psbt");
    for end in 0..file.len() {
        assert!(Psbt::decode(&file[..end]).is_err(), "{end}");
    }
    assert!(Psbt::decode(&[file.as_slice(), &[0]].concat()).is_err());
    let unsigned = transfers()[0].bytes("unsigned");
    let field = |key: &[u8], value: &[u8]| {
        let mut bytes = Vec::new();
        super::super::bytes::sized(&mut bytes, key);
        super::super::bytes::sized(&mut bytes, value);
        bytes
    };
    let transaction = Transaction::decode(&unsigned).unwrap();
    let maps = vec![0; 1 + transaction.inputs.len() + transaction.outputs.len()];
    let built = |fields: &[Vec<u8>]| [b"psbt\xff".as_slice(), &fields.concat(), &maps].concat();
    assert!(Psbt::decode(&built(&[field(&[0], &unsigned)])).is_ok());
    let signed = transfers()[0].bytes("signed");
    for fields in [
        vec![],
        vec![field(&[0], &unsigned), field(&[0], &unsigned)],
        vec![field(&[0, 1], &unsigned)],
        vec![field(&[0], &unsigned), field(&[0xfb], &[2, 0, 0, 0])],
        vec![field(&[0], &signed)],
    ] {
        assert!(Psbt::decode(&built(&fields)).is_err());
    }
}

proptest! {
    #[test]
    fn arbitrary_files_are_read_or_refused(at in 0_usize..2000, bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        let (_, account, _) = first("segwit");
        let mut file = transfers()[0].bytes("psbt");
        let at = at % file.len();
        file.splice(at..at, bytes);
        if let Ok(psbt) = Psbt::decode(&file) {
            let _ = psbt.summary(&account).is_ok();
        }
    }
}
