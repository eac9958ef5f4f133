//! The seeded accounts: constants made for the sandbox, the same on every run, and worth nothing anywhere else.

use super::amount::Amount;
use super::dialect::{Exchange, Permission};
use super::mac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

const ACCOUNTS: &str = include_str!("seed/accounts.json");

/// One account at one exchange, with the one key that reaches it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    pub exchange: Exchange,
    pub name: String,
    pub credentials: Credentials,
    pub permissions: Vec<Permission>,
    /// The addresses that the key is bound to; empty means any.
    pub ips: Vec<IpAddr>,
    /// By wallet, then by the asset's common symbol.
    pub balances: BTreeMap<String, Wallet>,
}

/// Holdings by the asset's common symbol.
pub type Wallet = BTreeMap<String, Holding>;

/// Made up for the sandbox: these are published, so they are no secrets. Fields are named as ccxt names them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    #[serde(rename = "apiKey")]
    pub key: String,
    pub secret: String,
    /// The passphrase, at exchanges that have one.
    #[serde(default, rename = "password", skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<String>,
}

/// Decimal strings; `total` is `free` + `used`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holding {
    pub free: String,
    pub used: String,
    pub total: String,
}

impl Account {
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }

    pub fn admits(&self, peer: IpAddr) -> bool {
        self.ips.is_empty() || self.ips.contains(&peer)
    }

    /// What lies in a wallet; nothing when the account does not have that wallet.
    pub fn holdings(&self, wallet: &str) -> impl Iterator<Item = (&str, &Holding)> {
        self.balances.get(wallet).into_iter().flatten().map(|(symbol, holding)| (symbol.as_str(), holding))
    }

    /// The same number on every run, for the fields that want a user id.
    pub fn uid(&self) -> u64 {
        let digest = mac::sha256(&[format!("{}/{}", self.exchange, self.name).as_bytes()]);
        digest.as_ref()[..4].iter().fold(10_000_000, |uid, &byte| uid * 3 + u64::from(byte))
    }

    /// A UUID that is the same on every run, for things that belong to the account.
    pub fn uuid(&self, of: &str) -> String {
        let digest = mac::sha256(&[format!("{}/{}/{of}", self.exchange, self.name).as_bytes()]);
        let hex: String = digest.as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}-{}-5{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
    }
}

impl Holding {
    fn of(free: &str, used: &str) -> anyhow::Result<Self> {
        let total = parsed(free)?.plus(parsed(used)?).to_string();
        Ok(Self { free: free.to_owned(), used: used.to_owned(), total })
    }

    pub fn nothing() -> Self {
        let nothing = || "0".to_owned();
        Self { free: nothing(), used: nothing(), total: nothing() }
    }

    /// An amount that is free whole.
    ///
    /// # Errors
    /// When it is not a decimal with at most 18 places.
    pub fn free(amount: &str) -> anyhow::Result<Self> {
        Self::of(amount, "0")
    }
}

/// Every account that this sandbox knows, by exchange and key.
#[derive(Debug)]
pub struct Accounts(HashMap<Exchange, HashMap<String, Arc<Account>>>);

impl Accounts {
    pub fn of(accounts: Vec<Account>) -> Self {
        let mut by_key: HashMap<Exchange, HashMap<String, Arc<Account>>> = HashMap::new();
        for account in accounts {
            let key = account.credentials.key.clone();
            by_key.entry(account.exchange).or_default().insert(key, Arc::new(account));
        }
        Self(by_key)
    }

    /// The account of that name, with its seeded key.
    pub fn named(&self, exchange: Exchange, name: &str) -> Option<Arc<Account>> {
        self.0.get(&exchange)?.values().find(|account| account.name == name).cloned()
    }

    pub fn holder(&self, exchange: Exchange, key: &str) -> Option<Arc<Account>> {
        self.0.get(&exchange)?.get(key).cloned()
    }
}

/// The seeded accounts, then `load` generated kraken accounts for benches.
///
/// # Errors
/// When the data file is broken; a test holds that it is not.
pub fn accounts(load: u32) -> anyhow::Result<Vec<Account>> {
    let mut accounts: Vec<Account> = serde_json::from_str(ACCOUNTS)?;
    for index in 0..load {
        accounts.push(load_account(index)?);
    }
    Ok(accounts)
}

/// Kraken account `load-NNNN`: key, secret and balances follow from the index alone.
///
/// The secret is base64(SHA-256(label ‖ name) ‖ SHA-256(name ‖ label)), 64 bytes as kraken's are.
fn load_account(index: u32) -> anyhow::Result<Account> {
    const LABEL: &str = "tensfer sandbox load account";
    let name = format!("load-{index:04}");
    let halves = [
        mac::sha256(&[LABEL.as_bytes(), name.as_bytes()]),
        mac::sha256(&[name.as_bytes(), LABEL.as_bytes()]),
    ];
    let secret = STANDARD.encode([halves[0].as_ref(), halves[1].as_ref()].concat());
    let spot = [
        ("BTC", 5, index + 1),
        ("ETH", 3, index + 10),
        ("SOL", 2, 3 * index + 1),
        ("USD", 2, 100 * index + 25),
    ];
    let spot = spot.into_iter().map(|(symbol, places, units)| {
        let free = Amount::scaled(i128::from(units), places).to_string();
        Ok((symbol.to_owned(), Holding::free(&free)?))
    });
    Ok(Account {
        exchange: Exchange::Kraken,
        credentials: Credentials { key: format!("SANDBOX/kraken/{name:0<41}"), secret, passphrase: None },
        permissions: vec![Permission::Read],
        ips: Vec::new(),
        balances: BTreeMap::from([("spot".to_owned(), spot.collect::<anyhow::Result<Wallet>>()?)]),
        name,
    })
}

fn parsed(amount: &str) -> anyhow::Result<Amount> {
    amount.parse().map_err(anyhow::Error::msg)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_exchange_has_a_reader_and_a_key_that_may_withdraw() {
        let accounts = accounts(0).unwrap();
        for exchange in Exchange::WRITTEN {
            let of: Vec<_> = accounts.iter().filter(|account| account.exchange == exchange).collect();
            assert!(of.iter().any(|account| account.permissions == [Permission::Read]), "{exchange}");
            assert!(of.iter().any(|account| account.may(Permission::Withdraw)), "{exchange}");
            assert!(of.iter().any(|account| !account.ips.is_empty()), "{exchange}");
        }
    }

    #[test]
    fn totals_add_up_and_keys_are_unique() {
        let mut keys = HashSet::new();
        for account in accounts(1000).unwrap() {
            assert!(keys.insert(account.credentials.key.clone()), "{}", account.name);
            for holding in account.balances.values().flat_map(|wallet| wallet.values()) {
                let sum = parsed(&holding.free).unwrap().plus(parsed(&holding.used).unwrap());
                assert_eq!(sum.to_string(), holding.total, "{} {}", account.exchange, account.name);
            }
        }
    }

    #[test]
    fn load_accounts_follow_from_their_index() {
        let (first, again) = (load_account(7).unwrap(), load_account(7).unwrap());
        assert_eq!(first.credentials.key, again.credentials.key);
        assert_eq!(first.credentials.secret, again.credentials.secret);
        assert_eq!(first.credentials.key.len(), 56);
        assert_ne!(first.credentials.secret, load_account(8).unwrap().credentials.secret);
        assert_eq!(first.balances["spot"]["BTC"].total, "0.00008");
    }
}
