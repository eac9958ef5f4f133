use super::FILES;
use super::account::{Account, KINDS, credentials};
use super::file::{File, Purpose};
use super::plan::holdings;

#[test]
fn every_balance_source_says_something() {
    let mut silent = Vec::new();
    for (id, _, text) in FILES {
        let file = File::parse(text).unwrap();
        let (name, permissions) = KINDS[1];
        let account = Account { name, permissions, credentials: credentials(&file, name), holdings: Vec::new() };
        let held = holdings(&file, &account);
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
