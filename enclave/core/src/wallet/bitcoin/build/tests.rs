#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::*;
use crate::wallet::bitcoin::{Kind, Network};
use crate::wallet::key::Mnemonic;
use crate::wallet::summary::{NotATransfer, Refused};
use crate::wallet::u256::U256;
use proptest::prelude::*;
use std::collections::BTreeMap;

const TO: &str = "bcrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqc8gma6";

fn account(kind: Kind) -> Account {
    let seed = Mnemonic::from_entropy(&[1; 16]).unwrap().seed("").unwrap();
    Account::derive(&seed, kind, Network::Regtest, 0).unwrap()
}

/// Coins of these values on the first addresses, and the transactions that made them.
fn coins(account: &Account, values: &[u64]) -> (Vec<Coin>, BTreeMap<[u8; 32], Transaction>) {
    let mut previous = BTreeMap::new();
    let coin = |(at, value): (usize, &u64)| {
        let index = u32::try_from(at).unwrap();
        let script = account.address(Branch::Receive, index).unwrap().destination.script();
        let input = Input {
            previous: OutPoint { txid: [7; 32], index },
            script_sig: vec![],
            sequence: 0,
            witness: vec![],
        };
        let made = Transaction {
            version: 2,
            inputs: vec![input],
            outputs: vec![Output { value: *value, script }],
            lock_time: 0,
        };
        let outpoint = OutPoint { txid: made.txid(), index: 0 };
        previous.insert(made.txid(), made);
        Coin { outpoint, value: *value, branch: Branch::Receive, index }
    };
    (values.iter().enumerate().map(coin).collect(), previous)
}

fn payment(amount: Amount, rate: u64) -> Payment {
    let rate = FeeRate::new(rate).unwrap();
    Payment { to: TO.parse().unwrap(), amount, rate, change: 3, height: 123 }
}

fn arriving(amount: u64) -> Amount {
    Amount::Arriving(U256::from(amount))
}

fn leaving(amount: u64) -> Amount {
    Amount::Leaving(U256::from(amount))
}

fn fee(draft: &Draft) -> u64 {
    let paid: u64 = draft.transaction.outputs.iter().map(|output| output.value).sum();
    total(&draft.coins).unwrap() - paid
}

#[test]
fn the_signer_takes_what_is_built_and_shows_what_was_asked() {
    for kind in [Kind::Segwit, Kind::Taproot] {
        let account = account(kind);
        let (coins, previous) = coins(&account, &[50_000, 70_000, 90_000]);
        let payment = payment(arriving(130_000), 2000);
        let draft = payment.build(&account, &coins).unwrap();
        let psbt = draft.psbt(&account, &previous).unwrap();
        let shown = psbt.summary(&account).unwrap();
        assert_eq!((shown.to.as_str(), shown.amount), (TO, U256::from(130_000_u64)));
        assert_eq!(shown.max_fee, U256::from(fee(&draft)));
        assert_eq!(draft.claimed_summary(&account).as_ref(), Ok(&shown));
        let signed = psbt.sign(&account, &shown, &[0; 32]).unwrap();
        assert_eq!(signed.txid(), draft.transaction.txid());
        assert_eq!((signed.lock_time, signed.inputs[0].sequence), (123, SEQUENCE));
        assert_eq!(draft.change, Some(3));
        let asked = payment.rate.fee(signed.weight() as u64);
        assert!(fee(&draft) >= asked && fee(&draft) * 100 <= asked * 101, "{} for {asked}", fee(&draft));
    }
}

#[test]
fn without_the_transactions_that_made_its_coins_nothing_is_signed() {
    let account = account(Kind::Segwit);
    let (coins, _) = coins(&account, &[50_000]);
    let draft = payment(arriving(20_000), 2000).build(&account, &coins).unwrap();
    let psbt = draft.psbt(&account, &BTreeMap::new()).unwrap();
    assert_eq!(psbt.summary(&account), Err(Refused::NotATransfer(NotATransfer::Fee)));
}

#[test]
fn a_coin_that_a_node_made_larger_is_not_signed_for() {
    let account = account(Kind::Segwit);
    let (mut coins, previous) = coins(&account, &[50_000]);
    coins[0].value = 60_000;
    let draft = payment(arriving(20_000), 2000).build(&account, &coins).unwrap();
    let psbt = draft.psbt(&account, &previous).unwrap();
    assert_eq!(psbt.summary(&account), Err(Refused::NotATransfer(NotATransfer::Fee)));
}

#[test]
fn everything_leaves_without_change_and_the_fee_is_taken_out() {
    for kind in [Kind::Segwit, Kind::Taproot] {
        let account = account(kind);
        // The last one costs more than it is worth.
        let (coins, previous) = coins(&account, &[50_000, 70_000, 90_000, 100]);
        let most = payment(leaving(0), 3000).most(&account, &coins).unwrap();
        assert_eq!(most, 210_000);
        let draft = payment(leaving(most), 3000).build(&account, &coins).unwrap();
        assert_eq!((draft.coins.len(), draft.change, draft.transaction.outputs.len()), (3, None, 1));
        let shown = draft.psbt(&account, &previous).unwrap().summary(&account).unwrap();
        assert_eq!(shown.amount.checked_add(shown.max_fee), Some(U256::from(most)));
        let part = payment(leaving(100_000), 3000).build(&account, &coins).unwrap();
        let change = part.transaction.outputs.iter().find(|output| output.value == 60_000);
        assert!(change.is_some() && part.change == Some(3));
    }
}

#[test]
fn what_takes_the_place_of_another_spends_the_same_coins_and_gives_more() {
    let account = account(Kind::Taproot);
    let (coins, _) = coins(&account, &[50_000, 70_000, 90_000]);
    for amount in [arriving(130_000), leaving(210_000)] {
        let former = payment(amount, 1000).build(&account, &coins).unwrap();
        let same_rate = payment(amount, 1000).replace(&account, &former).unwrap();
        let step = same_rate.transaction.weight().div_ceil(4) as u64;
        assert!(fee(&same_rate) >= fee(&former) + step);
        assert_eq!(same_rate.coins, former.coins);
        let dear = payment(amount, 20_000).replace(&account, &former).unwrap();
        assert!(fee(&dear) > 15 * fee(&former));
    }
    let former = payment(arriving(130_000), 1000).build(&account, &coins).unwrap();
    assert_eq!(payment(arriving(130_000), 9_000_000).replace(&account, &former), Err(Unbuildable::Funds));
}

#[test]
fn what_cannot_be_paid_is_refused() {
    let account = account(Kind::Segwit);
    let (coins, _) = coins(&account, &[50_000, 1000]);
    for (payment, reason) in [
        (payment(arriving(51_000), 1000), Unbuildable::Funds),
        (payment(leaving(51_001), 1000), Unbuildable::Funds),
        (payment(arriving(329), 1000), Unbuildable::Dust),
        (payment(leaving(400), 1000), Unbuildable::Dust),
        // What is left over would be.
        (payment(leaving(50_900), 1000), Unbuildable::Dust),
        (payment(Amount::Arriving(U256::from_be_bytes([0xff; 32])), 1000), Unbuildable::Funds),
        (
            Payment {
                to: "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu".parse().unwrap(),
                ..payment(arriving(20_000), 1000)
            },
            Unbuildable::Recipient,
        ),
        (Payment { height: MAX_HEIGHT, ..payment(arriving(20_000), 1000) }, Unbuildable::Recipient),
        (Payment { change: 1 << 16, ..payment(arriving(20_000), 1000) }, Unbuildable::Pieces),
    ] {
        assert_eq!(payment.build(&account, &coins), Err(reason), "{payment:?}");
    }
    let lie = Coin { value: MAX_MONEY, ..coins[0] };
    assert_eq!(payment(leaving(5), 1000).build(&account, &[lie, coins[1]]), Err(Unbuildable::Fee));
    let crumbs = vec![Coin { value: 500, ..coins[0] }; 300];
    assert!(payment(arriving(100_000), 1000).build(&account, &crumbs) == Err(Unbuildable::Pieces));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn inputs_are_outputs_and_fee_and_nothing_is_dust(values in proptest::collection::vec(200_u64..1_000_000, 1..12), asked in 300_u64..3_000_000, rate in 1000_u64..100_000, takes_fee: bool, is_segwit: bool) {
        let account = account(if is_segwit { Kind::Segwit } else { Kind::Taproot });
        let (coins, previous) = coins(&account, &values);
        let amount = if takes_fee { leaving(asked) } else { arriving(asked) };
        let payment = payment(amount, rate);
        let Ok(draft) = payment.build(&account, &coins) else { return Ok(()) };
        let psbt = draft.psbt(&account, &previous).unwrap();
        let shown = psbt.summary(&account).unwrap();
        prop_assert_eq!(shown.max_fee, U256::from(fee(&draft)));
        prop_assert_eq!(&shown.to, TO);
        for output in &draft.transaction.outputs {
            prop_assert!(output.value >= dust(&output.script));
        }
        let signed = psbt.sign(&account, &shown, &[0; 32]).unwrap();
        let least = payment.rate.fee(signed.weight() as u64);
        prop_assert!(fee(&draft) >= least);
        // Without change, what is over is less than change and its spending cost, or is too little to be an output.
        let change_cost = payment.rate.fee(output_weight(&[0; 34]) + input_weight(Kind::Segwit)) + 330;
        let over = if draft.change.is_none() && !takes_fee { change_cost } else { 0 };
        prop_assert!(fee(&draft) <= least * 101 / 100 + 2 + over);
        match amount {
            Amount::Arriving(amount) => prop_assert_eq!(shown.amount, amount),
            Amount::Leaving(all) => prop_assert_eq!(shown.amount.checked_add(shown.max_fee), Some(all)),
        }
    }
}
