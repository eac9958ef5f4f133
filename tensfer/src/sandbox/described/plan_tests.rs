//! What every described exchange can say of its accounts.

use super::super::dialect::{Exchange, Permission};
use super::FILES;
use super::account::Holding;
use super::file::{File, Purpose};
use super::find;
use super::plan::says;

/// Balance sources for which the sandbox has no holdings, with the reason. A line that excuses nothing fails the test.
const SILENT: &[(&str, &str)] = &[
    ("gate/unified", "the accounts are classic ones, and an account is of one kind"),
    ("gateeu/unified", "the accounts are classic ones, and an account is of one kind"),
    ("hashkey/custody", "an account of this kind is not made up yet"),
    ("hashkey/fiat", "an account of this kind is not made up yet"),
];

#[test]
fn every_balance_source_of_every_exchange_says_something_or_is_listed_with_its_reason() {
    let mut silent = Vec::new();
    for (id, _, text) in FILES {
        let file = File::parse(text).unwrap();
        let exchange = find(id).unwrap_or_else(|| panic!("{id} is not understood"));
        let full = exchange.accounts().find(|account| account.may(Permission::Withdraw)).unwrap();
        for listing in &file.listings {
            if let Purpose::Balance { source, default: true, .. } = &listing.purpose
                && !full.holdings.iter().any(|holding| holding.source == *source)
            {
                silent.push(format!("{id}/{source}"));
            }
        }
    }
    assert_eq!(silent, SILENT.iter().map(|(source, _)| *source).collect::<Vec<_>>());
}

#[test]
fn every_exchange_has_a_reader_and_a_full_account_with_keys_in_its_formats() {
    for (id, ..) in FILES {
        let accounts: Vec<_> = find(id).unwrap().accounts().collect();
        let reads = accounts.iter().any(|account| account.permissions == [Permission::Read]);
        assert!(reads || Exchange::is_written(id), "{id}");
        assert!(accounts.iter().any(|account| account.may(Permission::Withdraw)), "{id}");
        let keys: std::collections::BTreeSet<_> =
            accounts.iter().map(|account| &account.credentials).collect();
        assert_eq!(keys.len(), accounts.len(), "{id}: every account has its own key");
    }
}

#[test]
fn a_source_of_several_accounts_tells_of_an_asset_that_lies_in_two_of_them() {
    let exchange = find("bitfinex").unwrap();
    let account = exchange.accounts().find(|account| account.may(Permission::Withdraw)).unwrap();
    let [first, .., last] = account.holdings.as_slice() else { panic!("{:?}", account.holdings) };
    assert_ne!(first.account, last.account, "the accounts of one source");
    let both = [first.clone(), Holding { asset: first.asset.clone(), ..last.clone() }];
    assert!(says(&exchange.file, &[first.listing], &both, 0, &[]));
}
