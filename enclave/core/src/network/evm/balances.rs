//! What an address holds: the coin, and the tokens that the network's file lists, all at one block.

use super::block::{self, Block};
use super::multicall;
use super::quantity::{bytes, number};
use crate::connector::{Answer, Balance, Fault, FaultCode, Status};
use crate::network::amount::{balance, decimal};
use crate::network::ask::{Answers, Ask};
use crate::network::model::{Evm, Network};
use crate::network::reading::{Reading, Turn, source};
use crate::wallet::evm::Address;
use crate::wallet::hex;
use wire::Decimal;

pub(in crate::network) struct Balances {
    network: &'static Network,
    chain: Evm,
    address: Address,
    block: Option<Block>,
}

impl Balances {
    pub(in crate::network) fn of(network: &'static Network, chain: Evm, address: Address) -> Balances {
        Balances { network, chain, address, block: None }
    }

    /// The coin, and every listed token by one call of Multicall3.
    fn asks(&self, block: Block) -> Vec<Ask> {
        let (address, tag) = (hex::encode(&self.address.0), block.tag());
        let mut asks = vec![Ask::rpc("eth_getBalance", format!(r#"["0x{address}","{tag}"]"#))];
        let tokens: Vec<[u8; 20]> = self.contracts();
        if !tokens.is_empty() {
            let to = hex::encode(&self.chain.multicall);
            let data = hex::encode(&multicall::balances_of(&self.address.0, &tokens));
            let call = format!(r#"[{{"to":"0x{to}","data":"0x{data}"}},"{tag}"]"#);
            asks.push(Ask::rpc("eth_call", call));
        }
        asks
    }

    fn contracts(&self) -> Vec<[u8; 20]> {
        // INVARIANT: a test reads every token's address; the loader has checked its form.
        let parsed = self.network.tokens.iter().filter_map(|token| token.address.parse::<Address>().ok());
        parsed.map(|address| address.0).collect()
    }

    fn coin(&self, answers: &Answers) -> Result<Balance, Fault> {
        let coin = &self.network.coin;
        let held = answers.result(0, |json| decimal(number(json)?, coin.decimals))?;
        Ok(balance("coin", &coin.symbol, &coin.asset, held, Decimal::ZERO))
    }

    /// What the tokens say. One that does not answer is left out, and said to be.
    fn tokens(&self, answers: &Answers) -> Result<(Vec<Balance>, Status), Fault> {
        let tokens = &self.network.tokens;
        let answered = answers.result(1, |json| multicall::read_balances(&bytes(json)?, tokens.len()))?;
        let mut held = Vec::new();
        let mut status = Status::Ok;
        for (token, units) in tokens.iter().zip(answered) {
            match units.and_then(|units| decimal(units, token.decimals)) {
                Some(amount) if amount.is_zero() => {}
                Some(amount) => {
                    held.push(balance("tokens", &token.symbol, &token.asset, amount, Decimal::ZERO));
                }
                None => status = Status::Partial(FaultCode::Malformed.into()),
            }
        }
        Ok((held, status))
    }
}

impl Reading for Balances {
    fn turn(&mut self, answers: &Answers, now_ms: u64) -> Result<Turn, Fault> {
        if answers.is_empty() {
            return Ok(Turn::Ask(block::asks()));
        }
        if self.block.is_none() {
            let block = Block::newest(answers, self.chain, now_ms)?;
            self.block = Some(block);
            return Ok(Turn::Ask(self.asks(block)));
        }
        let mut balances = vec![self.coin(answers)?];
        let mut coverage = vec![source("coin", Status::Ok)];
        if answers.count() > 1 {
            // The coin is known all the same.
            let (held, status) =
                self.tokens(answers).unwrap_or_else(|fault| (Vec::new(), Status::Failed(fault)));
            balances.extend(held);
            coverage.push(source("tokens", status));
        }
        Ok(Turn::done(Answer::Balances(balances), coverage))
    }
}
