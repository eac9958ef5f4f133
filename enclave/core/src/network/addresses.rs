//! Where others send to: an address that is already known, without asking anybody.

use super::ask::Answers;
use super::model::Network;
use super::reading::{Reading, Turn, source};
use crate::connector::{Answer, Fault, Record, Status};

pub(super) struct Addresses {
    network: &'static Network,
    asset: Option<String>,
    address: String,
}

impl Addresses {
    /// `asset` is a symbol; what the network does not list is received nowhere.
    pub(super) fn of(network: &'static Network, asset: Option<&str>, address: String) -> Addresses {
        Addresses { network, asset: asset.map(str::to_ascii_uppercase), address }
    }
}

impl Reading for Addresses {
    fn turn(&mut self, _: &Answers, _: u64) -> Result<Turn, Fault> {
        Ok(done(self.network, self.asset.as_deref(), &self.address))
    }
}

/// One row for the asset, or for the coin.
pub(super) fn done(network: &Network, asset: Option<&str>, address: &str) -> Turn {
    let coin = (network.coin.symbol.as_str(), network.coin.asset.as_str());
    let tokens = network.tokens.iter().map(|token| (token.symbol.as_str(), token.asset.as_str()));
    let wanted = |symbol: &str| asset.is_none_or(|asset| symbol.eq_ignore_ascii_case(asset));
    let found = std::iter::once(coin).chain(tokens).find(|(symbol, _)| wanted(symbol));
    let row = |(symbol, id): (&str, &str)| {
        let fields = [
            ("asset", symbol),
            ("asset_id", id),
            ("address", address),
            ("network", &network.id),
            ("chain", &network.chain),
        ];
        Record(fields.map(|(name, text)| (name, text.to_owned())).to_vec())
    };
    Turn::done(Answer::Rows(found.map(row).into_iter().collect()), vec![source("addresses", Status::Ok)])
}
