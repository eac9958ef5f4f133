//! Where others send to: the first address of the account that nobody has paid to yet.

use super::scan::Scan;
use super::{Scripts, chain};
use crate::connector::Fault;
use crate::network::addresses;
use crate::network::ask::{Answers, malformed};
use crate::network::model::Network;
use crate::network::reading::{Reading, Turn};

pub(in crate::network) struct Addresses {
    network: &'static Network,
    asset: Option<String>,
    scan: Scan,
    began: bool,
}

impl Addresses {
    pub(in crate::network) fn of(
        network: &'static Network,
        asset: Option<&str>,
        scripts: &Scripts,
    ) -> Addresses {
        Addresses { network, asset: asset.map(str::to_owned), scan: Scan::of(scripts), began: false }
    }
}

impl Reading for Addresses {
    fn turn(&mut self, answers: &Answers, _: u64) -> Result<Turn, Fault> {
        let asks = chain::scan_on(self.network, &mut self.scan, &mut self.began, answers)?;
        if !asks.is_empty() {
            return Ok(Turn::Ask(asks));
        }
        let fresh = self.scan.fresh().ok_or_else(malformed)?.to_string();
        Ok(addresses::done(self.network, self.asset.as_deref(), &fresh))
    }
}
