//! What an account holds, over all its addresses.

use super::scan::Scan;
use super::{Scripts, chain};
use crate::connector::{Answer, Fault, FaultCode, Status};
use crate::network::amount::{balance, decimal};
use crate::network::ask::{Answers, malformed};
use crate::network::model::Network;
use crate::network::reading::{Reading, Turn, source};
use crate::wallet::bitcoin::MAX_MONEY;
use crate::wallet::u256::U256;

pub(in crate::network) struct Balances {
    network: &'static Network,
    scan: Scan,
    began: bool,
}

impl Balances {
    pub(in crate::network) fn of(network: &'static Network, scripts: &Scripts) -> Balances {
        Balances { network, scan: Scan::of(scripts), began: false }
    }

    /// Free is what lies in blocks and is not being spent; used, what is not in a block yet.
    fn done(&self) -> Result<Turn, Fault> {
        let coin = &self.network.coin;
        let (mut confirmed, mut total) = (0_u64, 0_u64);
        for used in &self.scan.used {
            let (in_blocks, all) = used.stats.left().ok_or_else(malformed)?;
            confirmed = confirmed.saturating_add(in_blocks);
            total = total.saturating_add(all);
        }
        if confirmed.max(total) > MAX_MONEY {
            return Err(malformed());
        }
        let free = confirmed.min(total);
        let amount = |satoshis: u64| decimal(U256::from(satoshis), coin.decimals).ok_or_else(malformed);
        let held = balance("coin", &coin.symbol, &coin.asset, amount(free)?, amount(total - free)?);
        let status = if self.scan.is_cut { Status::Partial(FaultCode::TooMany.into()) } else { Status::Ok };
        Ok(Turn::done(Answer::Balances(vec![held]), vec![source("coin", status)]))
    }
}

impl Reading for Balances {
    fn turn(&mut self, answers: &Answers, _: u64) -> Result<Turn, Fault> {
        let asks = chain::scan_on(self.network, &mut self.scan, &mut self.began, answers)?;
        if asks.is_empty() { self.done() } else { Ok(Turn::Ask(asks)) }
    }
}
