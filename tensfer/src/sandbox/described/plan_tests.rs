use super::FILES;
use super::account::{Account, KINDS};
use super::file::{File, Purpose};

#[test]
fn every_balance_source_says_something() {
    let mut silent = Vec::new();
    for (id, _, text) in FILES {
        let file = File::parse(text).unwrap();
        let (name, permissions) = KINDS[1];
        let held = Account::new(&file, name, permissions).holdings;
        for listing in &file.listings {
            if let Purpose::Balance { source, default: true, .. } = &listing.purpose
                && !held.iter().any(|holding| holding.source == *source)
            {
                silent.push(format!("{id}/{source}"));
            }
        }
    }
    assert!(silent.is_empty(), "{}: {silent:?}", silent.len());
}
