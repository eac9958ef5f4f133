//! On what terms a payment can be made: fees, the account's count, what it holds, and what gas it takes.

use super::super::order::Recipient;
use super::super::plan::Plan;
use super::super::report::Quote;
use super::super::{Answered, Task, Want, done, refusal_of};
use crate::connector::{Fault, FaultCode, Json};
use crate::network::ask::{Answers, Ask, malformed};
use crate::network::evm::block::{self, Block};
use crate::network::evm::quantity::{bytes, number, small};
use crate::network::model::Evm;
use crate::network::reading::{Reading, Turn};
use crate::wallet::evm::{Address, Call, Fees, Payment, Place, Transaction, gas_limit};
use crate::wallet::hex;
use crate::wallet::payment::{Amount, Unbuildable};
use crate::wallet::u256::U256;
use std::sync::Arc;
use wire::Refusal;

/// So many transactions of an account may wait. A node that counts more would have the next one wait for ever.
const MAX_WAITING: u64 = 64;

/// `getL1FeeUpperBound(uint256)` of the contract that says what a rollup pays for data.
const DATA_FEE: [u8; 4] = [0xf1, 0xc7, 0xa5, 0x8b];
const DATA_FEE_ORACLE: &str = "0x420000000000000000000000000000000000000f";
/// Chains (OP Stack) that take a fee for data beside the gas, which no transaction bounds.
const DATA_FEE_CHAINS: [u64; 2] = [10, 8453];
/// Bytes that the largest transfer has at most when it is signed.
const SIGNED_BYTES: u64 = 250;

pub(super) struct Preview {
    task: Arc<Task>,
    chain: Evm,
    from: Address,
    payment: Payment,
    seen: Option<Seen>,
}

/// What the first answers say.
struct Seen {
    nonce: u64,
    fees: Fees,
    coins: U256,
    tokens: U256,
}

impl Preview {
    pub(super) fn of(task: Arc<Task>, chain: Evm) -> Result<Preview, Refusal> {
        let from = task.wallet.evm_address().ok_or(Refusal::CredentialMalformed)?;
        let Recipient::Evm(to) = task.order.to else { return Err(Refusal::AddressMalformed) };
        let token = task.order.token.map(|token| token.address.parse()).transpose();
        let token = token.map_err(|_| Refusal::Internal)?;
        let payment = Payment { token, to, amount: task.order.amount };
        Ok(Preview { task, chain, from, payment, seen: None })
    }

    fn first(&self) -> Vec<Ask> {
        let from = hex::encode(&self.from.0);
        let count = |tag: &str| Ask::rpc("eth_getTransactionCount", format!(r#"["0x{from}","{tag}"]"#));
        let mut asks = block::asks();
        asks.extend([
            count("latest"),
            count("pending"),
            Ask::rpc("eth_feeHistory", r#"["0x14","latest",[50]]"#),
            Ask::rpc("eth_getBalance", format!(r#"["0x{from}","latest"]"#)),
        ]);
        if let Some(token) = self.payment.token {
            // balanceOf(address)
            let data = format!("0x70a08231{:0>64}", from);
            asks.push(Ask::rpc("eth_call", format!(r#"[{{"to":"{token}","data":"{data}"}},"latest"]"#)));
        }
        asks
    }

    fn see(&self, answers: &Answers, now_ms: u64) -> Result<Result<Seen, Refusal>, Fault> {
        Block::newest(answers, self.chain, now_ms)?;
        let (mined, pending) = (answers.result(2, small)?, answers.result(3, small)?);
        let (base_fee, rewards) = answers.result(4, fee_history)?;
        let fees = Fees::of_history(base_fee, &rewards).map_err(|_| malformed())?;
        let coins = answers.result(5, number)?;
        let tokens = match self.payment.token {
            Some(_) => answers.result(6, |json| bytes(json)?.try_into().ok().map(U256::from_be_bytes))?,
            None => U256::ZERO,
        };
        if pending.saturating_sub(mined) > MAX_WAITING {
            return Err(malformed());
        }
        let (nonce, fees) = match self.former() {
            None => (pending.max(mined), Ok(fees)),
            // Of another chain: what has its count here would happen beside it.
            Some(former) if former.chain_id != self.chain.chain_id => return Ok(Err(Refusal::Malformed)),
            // Another transaction with that count is in a block: there is nothing that could be replaced.
            Some(former) if former.nonce < mined => return Ok(Err(Refusal::ReferenceUsed)),
            Some(former) => {
                let given =
                    Fees { max_fee: former.max_fee_per_gas, priority: former.max_priority_fee_per_gas };
                (former.nonce, fees.above(given))
            }
        };
        let fees = fees.map_err(refusal_of);
        Ok(fees.map(|fees| Seen { nonce, fees, coins, tokens }))
    }

    /// What the transaction would do, for an estimate of its gas; and what its data costs, where that is apart.
    fn second(&self, seen: &Seen) -> Result<Vec<Ask>, Refusal> {
        let (Amount::Arriving(amount) | Amount::Leaving(amount)) = self.payment.amount;
        let held = if self.payment.token.is_some() { seen.tokens } else { seen.coins };
        if amount > held {
            return Err(Refusal::FundsMissing);
        }
        let from = self.from;
        let call = match self.payment.token {
            None => {
                format!(r#"{{"from":"{from}","to":"{}","value":"{}"}}"#, self.payment.to, quantity(amount))
            }
            Some(token) => {
                let data = hex::encode(&Call::Transfer { to: self.payment.to, amount }.encode());
                format!(r#"{{"from":"{from}","to":"{token}","data":"0x{data}"}}"#)
            }
        };
        let mut asks = vec![Ask::attempt("eth_estimateGas", format!("[{call}]"))];
        if DATA_FEE_CHAINS.contains(&self.chain.chain_id) {
            let size = hex::encode(&U256::from(SIGNED_BYTES).to_be_bytes());
            let data = format!("0x{}{size}", hex::encode(&DATA_FEE));
            asks.push(Ask::rpc(
                "eth_call",
                format!(r#"[{{"to":"{DATA_FEE_ORACLE}","data":"{data}"}},"latest"]"#),
            ));
        }
        Ok(asks)
    }

    fn quote(&self, seen: &Seen, answers: &Answers) -> Result<Answered, Fault> {
        let gas = match answers.attempted(0, small)? {
            Ok(gas) => gas_limit(gas).map_err(|_| malformed())?,
            // Whoever is called does not want it.
            Err((code, text)) if code == "3" || text.contains("revert") => {
                return Ok(Answered::Refused(Refusal::DestinationRefused));
            }
            Err((_, text)) if text.contains("insufficient funds") => {
                return Ok(Answered::Refused(Refusal::FundsMissing));
            }
            Err(_) => return Err(malformed()),
        };
        let beside = match answers.count() {
            1 => None,
            _ => Some(answers.result(1, |json| bytes(json)?.try_into().ok().map(U256::from_be_bytes))?),
        };
        let Seen { nonce, fees, coins, tokens } = *seen;
        let place = Place { chain_id: self.chain.chain_id, nonce, gas_limit: gas, fees };
        // Twice what the data costs now stays in the account, because nothing bounds it.
        let aside = beside.map_or(Some(U256::ZERO), |fee| fee.checked_mul(2));
        let coins = aside.and_then(|aside| coins.checked_sub(aside));
        let built =
            coins.ok_or(Unbuildable::Funds).and_then(|coins| self.payment.build(place, coins, tokens));
        let transaction = match built {
            Ok(transaction) => transaction,
            Err(why) => return Ok(Answered::Refused(refusal_of(why))),
        };
        let summary = transaction.summary().map_err(|_| FaultCode::Internal)?;
        let most = if self.payment.token.is_some() { Some(tokens) } else { coins };
        Ok(Answered::Quote(Box::new(Quote { plan: Plan::Evm(transaction), summary, most, beside })))
    }

    fn former(&self) -> Option<&Transaction> {
        match &self.task.want {
            Want::Preview { former: Some(Plan::Evm(former)) } => Some(former),
            _ => None,
        }
    }
}

impl Reading for Preview {
    fn turn(&mut self, answers: &Answers, now_ms: u64) -> Result<Turn, Fault> {
        if answers.is_empty() {
            return Ok(Turn::Ask(self.first()));
        }
        if let Some(seen) = &self.seen {
            return self.quote(seen, answers).map(done);
        }
        match self.see(answers, now_ms)?.and_then(|seen| Ok((self.second(&seen)?, seen))) {
            Ok((asks, seen)) => {
                self.seen = Some(seen);
                Ok(Turn::Ask(asks))
            }
            Err(refusal) => Ok(done(Answered::Refused(refusal))),
        }
    }
}

/// The next block's base fee, and what each of the last blocks gave above it.
fn fee_history(json: Json<'_>) -> Option<(u128, Vec<u128>)> {
    let base_fees = json.member("baseFeePerGas").ok()??;
    let base_fee = wei(base_fees.elements().last()?)?;
    let mut rewards = Vec::new();
    let blocks = json.member("reward").ok()?.into_iter().flat_map(Json::elements).take(1024);
    for reward in blocks.filter_map(|block| block.elements().next()) {
        rewards.push(wei(reward)?);
    }
    Some((base_fee, rewards))
}

/// Wei for a unit of gas: less than all coins there are.
fn wei(json: Json<'_>) -> Option<u128> {
    number(json)?.as_u64().map(u128::from)
}

fn quantity(number: U256) -> String {
    let text = hex::encode(&number.to_be_bytes());
    let digits = text.trim_start_matches('0');
    format!("0x{}", if digits.is_empty() { "0" } else { digits })
}
