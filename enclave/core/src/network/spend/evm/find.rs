//! What became of a transaction: by its own name, which is computed here.

use super::super::plan::Plan;
use super::super::report::{Progress, Report};
use super::super::{Task, Wallet, Want};
use super::DEEP;
use crate::connector::{Fault, Json, Kind};
use crate::network::ask::{Answers, Ask};
use crate::network::evm::block::{self, Block};
use crate::network::evm::quantity::{number, small, written};
use crate::network::model::Evm;
use crate::network::reading::{Reading, Turn};
use crate::wallet::evm::{Address, Transaction};
use crate::wallet::hex;
use crate::wallet::u256::U256;
use std::sync::Arc;
use wire::Refusal;

pub(super) struct Find {
    task: Arc<Task>,
    look: Look,
}

/// A look for a transaction, in two turns.
pub(super) struct Look {
    chain: Evm,
    pub(super) place: Placed,
    newest: Option<Block>,
}

/// A transaction that may be on the chain.
pub(super) struct Placed {
    pub(super) from: Address,
    pub(super) hash: [u8; 32],
    pub(super) nonce: u64,
    max_fee: U256,
}

/// How far nodes say that it has come.
pub(super) enum Found {
    Certain(Report),
    /// It is in no block: whether this node has it, and whether something with its count is in one.
    Open {
        is_known: bool,
        is_used: bool,
    },
}

impl Find {
    pub(super) fn of(task: Arc<Task>, chain: Evm) -> Result<Find, Refusal> {
        let Want::Find { plan: Plan::Evm(transaction) } = &task.want else { return Err(Refusal::Malformed) };
        let txid = name(transaction, &task.wallet).ok_or(Refusal::Malformed)?;
        let from = task.wallet.evm_address().ok_or(Refusal::CredentialMalformed)?;
        let look = Look::new(chain, Placed::new(from, txid, transaction));
        Ok(Find { look, task })
    }
}

impl Reading for Find {
    fn turn(&mut self, answers: &Answers, now_ms: u64) -> Result<Turn, Fault> {
        let found = match self.look.turn(answers, now_ms)? {
            Looked::Ask(asks) => return Ok(Turn::Ask(asks)),
            Looked::Found(found) => found,
        };
        self.task.told(match found {
            Found::Certain(report) => report,
            Found::Open { is_known: true, .. } => self.look.place.report(Progress::Waiting),
            Found::Open { .. } => self.look.place.report(Progress::Unknown),
        })
    }
}

pub(super) enum Looked {
    Ask(Vec<Ask>),
    Found(Found),
}

impl Look {
    pub(super) fn new(chain: Evm, place: Placed) -> Look {
        Look { chain, place, newest: None }
    }

    /// The questions that it begins with.
    pub(super) fn asks() -> Vec<Ask> {
        block::asks()
    }

    pub(super) fn turn(&mut self, answers: &Answers, now_ms: u64) -> Result<Looked, Fault> {
        if answers.is_empty() {
            return Ok(Looked::Ask(Look::asks()));
        }
        match self.newest.take() {
            None => {
                let newest = Block::newest(answers, self.chain, now_ms)?;
                self.newest = Some(newest);
                Ok(Looked::Ask(self.place.asks(newest)))
            }
            Some(newest) => self.place.read(answers, newest).map(Looked::Found),
        }
    }
}

impl Placed {
    pub(super) fn new(from: Address, hash: [u8; 32], transaction: &Transaction) -> Placed {
        let max_fee = U256::from(transaction.max_fee_per_gas).checked_mul(transaction.gas_limit);
        Placed { from, hash, nonce: transaction.nonce, max_fee: max_fee.unwrap_or(U256::ZERO) }
    }

    pub(super) fn report(&self, progress: Progress) -> Report {
        Report::new(Some(self.txid()), progress)
    }

    pub(super) fn txid(&self) -> String {
        format!("0x{}", hex::encode(&self.hash))
    }

    fn asks(&self, newest: Block) -> Vec<Ask> {
        let (txid, from) = (self.txid(), self.from);
        let count = |tag: &str| Ask::rpc("eth_getTransactionCount", format!(r#"["{from}","{tag}"]"#));
        vec![
            count("latest"),
            count(&written(newest.number.saturating_sub(DEEP))),
            Ask::rpc("eth_getTransactionReceipt", format!(r#"["{txid}"]"#)),
            Ask::rpc("eth_getTransactionByHash", format!(r#"["{txid}"]"#)),
        ]
    }

    fn read(&self, answers: &Answers, newest: Block) -> Result<Found, Fault> {
        let (mined, deep) = (answers.result(0, small)?, answers.result(1, small)?);
        let receipt = answers
            .result(2, |json| if json.is_null() { Some(None) } else { self.receipt(json).map(Some) })?;
        let is_known = answers.result(3, |json| Some(json.kind() == Kind::Object))?;
        let Some(receipt) = receipt else {
            // Another one with the same count has been in a block for long: a node's books are not behind by so much.
            let is_over = deep > self.nonce && !is_known;
            let found = || Found::Certain(self.report(Progress::Superseded));
            let is_used = mined > self.nonce;
            return Ok(if is_over { found() } else { Found::Open { is_known, is_used } });
        };
        let depth = newest.number.checked_sub(receipt.block).map_or(1, |above| above.saturating_add(1));
        let progress = match (receipt.is_success, depth) {
            (false, DEEP..) => Progress::Reverted,
            (true, DEEP..) => Progress::Done,
            (_, blocks) => Progress::Included(blocks),
        };
        Ok(Found::Certain(Report { fee: Some(receipt.fee), ..self.report(progress) }))
    }

    fn receipt(&self, json: Json<'_>) -> Option<Receipt> {
        let field = |name: &str| json.member(name).ok().flatten();
        let is_ours = field("transactionHash")?.string()?.eq_ignore_ascii_case(&self.txid());
        let fee = number(field("effectiveGasPrice")?)?.checked_mul(small(field("gasUsed")?)?)?;
        let is_success = match small(field("status")?)? {
            0 => false,
            1 => true,
            _ => return None,
        };
        let block = small(field("blockNumber")?)?;
        Some(Receipt { block, is_success, fee }).filter(|_| is_ours && fee <= self.max_fee)
    }
}

struct Receipt {
    block: u64,
    is_success: bool,
    fee: U256,
}

/// The transaction's hash when it is signed, which tells nothing of the signature.
fn name(transaction: &Transaction, wallet: &Wallet) -> Option<[u8; 32]> {
    let Wallet::Evm(key) = wallet else { return None };
    let shown = transaction.summary().ok()?;
    Some(transaction.clone().sign(key.signing_key(), &shown).ok()?.hash())
}
