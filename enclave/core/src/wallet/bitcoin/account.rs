//! An account: all addresses of one kind that a wallet has on a network (BIP 44's levels).

use super::address::{Address, Destination, Network};
use super::descriptor::{self, Branch};
use super::psbt::Origin;
use crate::wallet::hex;
use crate::wallet::key::{ExtendedKey, Fingerprint, HARDENED, Path, Seed, Underivable};

/// Which kind of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// P2WPKH (BIP 84).
    Segwit,
    /// P2TR, spent by signature alone (BIP 86).
    Taproot,
}

/// The account's key and where it is from.
#[derive(Debug)]
pub struct Account {
    kind: Kind,
    network: Network,
    master: Fingerprint,
    path: Path,
    key: ExtendedKey,
}

/// Indices from here on are not this account's: coins must not end where no wallet would look for them.
pub const MAX_INDEX: u32 = 1 << 16;

impl Account {
    /// The account `number` of a wallet: `m/purpose'/coin'/number'`.
    pub fn derive(seed: &Seed, kind: Kind, network: Network, number: u32) -> Result<Account, Underivable> {
        let purpose = if kind == Kind::Segwit { 84 } else { 86 };
        let coin = if network == Network::Main { 0 } else { 1 };
        if number >= HARDENED {
            return Err(Underivable);
        }
        let steps = [purpose, coin, number].map(|step| step | HARDENED).to_vec();
        let path = Path::new(steps).map_err(|_| Underivable)?;
        let master = ExtendedKey::master(seed)?;
        let key = master.derive(&path)?;
        Ok(Account { kind, network, master: master.public(false).fingerprint(), path, key })
    }

    pub fn network(&self) -> Network {
        self.network
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The address at an index below [`MAX_INDEX`].
    pub fn address(&self, branch: Branch, index: u32) -> Result<Address, Underivable> {
        let destination = self.destination(&self.signing_key(branch, index)?)?;
        Ok(Address::new(self.network, destination))
    }

    /// What anyone may have who watches the account and spends nothing.
    pub fn descriptor(&self) -> String {
        let function = if self.kind == Kind::Segwit { "wpkh" } else { "tr" };
        let path = self.path.to_string();
        let path = path.strip_prefix('m').unwrap_or_default();
        let key = self.key.public(self.network != Network::Main);
        descriptor::with_checksum(&format!("{function}([{}{path}]{key}/<0;1>/*)", hex::encode(&self.master)))
    }

    /// The branch and index of a path from the master key, if it is one of this account's addresses.
    pub(super) fn place(&self, master: Fingerprint, path: &Path) -> Option<(Branch, u32)> {
        let rest = path.steps().strip_prefix(self.path.steps()).filter(|_| master == self.master)?;
        match *rest {
            [0, index] if index < MAX_INDEX => Some((Branch::Receive, index)),
            [1, index] if index < MAX_INDEX => Some((Branch::Change, index)),
            _ => None,
        }
    }

    /// Where the key of an address is, from the master key.
    pub(super) fn origin(&self, branch: Branch, index: u32) -> Result<Origin, Underivable> {
        let branch = if branch == Branch::Receive { 0 } else { 1 };
        let path = self.path.child(branch).and_then(|path| path.child(index)).map_err(|_| Underivable)?;
        Ok(Origin { fingerprint: self.master, path })
    }

    pub(super) fn signing_key(&self, branch: Branch, index: u32) -> Result<ExtendedKey, Underivable> {
        if index >= MAX_INDEX {
            return Err(Underivable);
        }
        let branch = if branch == Branch::Receive { 0 } else { 1 };
        self.key.derive(&Path::new(vec![branch, index]).map_err(|_| Underivable)?)
    }

    pub(super) fn destination(&self, key: &ExtendedKey) -> Result<Destination, Underivable> {
        let public = key.signing_key().public_key();
        match self.kind {
            Kind::Segwit => Ok(Destination::witness_public_key_hash(&public)),
            Kind::Taproot => Destination::taproot(&public.x_only()).ok_or(Underivable),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::wallet::bitcoin::Descriptor;
    use crate::wallet::key::Mnemonic;
    use crate::wallet::vectors::read;

    #[test]
    fn published_accounts_have_their_addresses_and_so_do_their_descriptors() {
        let vectors = read(include_str!("../../../../../vectors/wallet/accounts.json"));
        let seed = Mnemonic::parse(vectors.text("phrase")).unwrap().seed("").unwrap();
        for case in vectors.list("cases") {
            let kind = if case.number("purpose") == 84 { Kind::Segwit } else { Kind::Taproot };
            let account = Account::derive(&seed, kind, Network::Main, 0).unwrap();
            let path: Path = case.text("path").parse().unwrap();
            let (branch, index) = account.place(account.master, &path).unwrap();
            assert_eq!(account.address(branch, index).unwrap().to_string(), case.text("address"));
            let watched = Descriptor::parse(&account.descriptor()).unwrap();
            assert_eq!(
                watched.address(Network::Main, branch, index).unwrap().to_string(),
                case.text("address")
            );
            assert_eq!(watched.origin().unwrap().0, account.master);
        }
    }

    #[test]
    fn an_index_where_no_wallet_would_look_is_not_the_accounts() {
        let seed = Mnemonic::from_entropy(&[1; 16]).unwrap().seed("").unwrap();
        let account = Account::derive(&seed, Kind::Segwit, Network::Main, 0).unwrap();
        assert!(account.address(Branch::Receive, MAX_INDEX - 1).is_ok());
        assert_eq!(account.address(Branch::Receive, MAX_INDEX), Err(Underivable));
        for path in [
            "m/84h/0h/0h/0/65536",
            "m/84h/0h/1h/0/0",
            "m/84h/0h/0h/2/0",
            "m/84h/0h/0h/0",
            "m/84h/0h/0h/0/0/0",
            "m/84h/0h/0h/0/0h",
        ] {
            assert_eq!(account.place(account.master, &path.parse().unwrap()), None, "{path}");
        }
        assert_eq!(account.place([0; 4], &"m/84h/0h/0h/0/0".parse().unwrap()), None);
    }
}
