//! On what terms a payment can be made: what the accounts hold, a recent block, and what others pay to be first.

use super::super::order::Recipient;
use super::super::plan::{Plan, Timed};
use super::super::report::Quote;
use super::super::wallet::cluster;
use super::super::{Answered, Task, Want, done, refusal_of};
use super::find::{Look, Looked};
use super::number;
use crate::connector::{Fault, FaultCode, Json, from_base64};
use crate::network::ask::{Answers, Ask, malformed};
use crate::network::reading::{Reading, Turn};
use crate::network::solana::chain;
use crate::network::spend::report::Progress;
use crate::wallet::solana::{Address, Payment, Receiver, State, TOKEN, Tokens};
use crate::wallet::u256::U256;
use std::sync::Arc;
use wire::Refusal;

/// Millionths of a lamport for each compute unit: more was never needed, whatever a node says.
const MAX_PRICE: u64 = 50_000_000;

/// Bytes of a token account.
const TOKEN_ACCOUNT: usize = 165;

pub(super) struct Preview {
    task: Arc<Task>,
    from: Address,
    to: Address,
    token: Option<(Address, u8)>,
    /// The earlier transaction, which must be known to be gone.
    former: Option<Look>,
}

/// An account, as far as it matters here.
struct Account {
    lamports: u64,
    owner: Address,
    data: Vec<u8>,
}

impl Preview {
    pub(super) fn of(task: Arc<Task>) -> Result<Preview, Refusal> {
        let from = task.wallet.solana_address().ok_or(Refusal::CredentialMalformed)?;
        let Recipient::Solana(to) = task.order.to else { return Err(Refusal::AddressMalformed) };
        let token = task.order.token.map(|token| Ok((token.address.parse()?, token.decimals))).transpose();
        let token = token.map_err(|_: crate::wallet::solana::InvalidAddress| Refusal::Internal)?;
        let former = match &task.want {
            Want::Preview { former: Some(Plan::Solana(former)) } => Some(Look::new(former.clone(), from)),
            _ => None,
        };
        Ok(Preview { task, from, to, token, former })
    }

    fn asks(&self) -> Vec<Ask> {
        let mut accounts = vec![self.from, self.to];
        accounts.extend(self.token_accounts());
        let listed: Vec<String> = accounts.iter().map(|account| format!("\"{account}\"")).collect();
        let listed = listed.join(",");
        vec![
            chain::ask(),
            Ask::rpc("getLatestBlockhash", r#"[{"commitment":"confirmed"}]"#),
            Ask::rpc(
                "getMultipleAccounts",
                format!(r#"[[{listed}],{{"encoding":"base64","commitment":"confirmed"}}]"#),
            ),
            Ask::rpc("getRecentPrioritizationFees", format!(r#"[["{}"]]"#, self.from)),
        ]
    }

    /// The wallet's token account and the recipient's.
    fn token_accounts(&self) -> Vec<Address> {
        let Some((mint, _)) = self.token else { return Vec::new() };
        [self.from, self.to].iter().filter_map(|wallet| Address::token_account(wallet, &mint)).collect()
    }

    fn quote(&self, answers: &Answers) -> Result<Answered, Fault> {
        chain::check(self.task.network, answers, 0)?;
        let (block_hash, last_height) = answers.result(1, recent_block)?;
        let accounts = answers.result(2, |json| {
            json.member("value").ok()??.elements().map(account).collect::<Option<Vec<Option<Account>>>>()
        })?;
        let price = answers.result(3, price)?;
        let mut accounts = accounts.into_iter();
        let (own, recipient) = (accounts.next().flatten(), accounts.next().flatten());
        let (source, theirs) = (accounts.next().flatten(), accounts.next().flatten());
        let token = match self.token {
            None if !self.is_wallet(recipient.as_ref()) => {
                return Ok(Answered::Refused(Refusal::DestinationRefused));
            }
            None => None,
            Some((mint, decimals)) => {
                let Some(receiver) = self.receiver(&mint, recipient.as_ref(), theirs.as_ref()) else {
                    return Ok(Answered::Refused(Refusal::DestinationRefused));
                };
                let balance = source.as_ref().map_or(Some(0), |source| source.tokens(&mint, &self.from));
                Some(Tokens { mint, decimals, balance: balance.ok_or_else(malformed)?, receiver })
            }
        };
        let lamports = |account: &Option<Account>| account.as_ref().map_or(0, |account| account.lamports);
        let state = State { balance: lamports(&own), recipient: lamports(&recipient) };
        let payment = Payment {
            from: self.from,
            to: self.to,
            amount: self.task.order.amount,
            token,
            price,
            block_hash,
        };
        self.built(&payment, state, last_height)
    }

    fn built(&self, payment: &Payment, state: State, last_height: u64) -> Result<Answered, Fault> {
        let message = match payment.build(state) {
            Ok(message) => message,
            Err(why) => return Ok(Answered::Refused(refusal_of(why))),
        };
        let cluster = cluster(self.task.network).ok_or(FaultCode::Internal)?;
        let summary = message.summary(cluster, &self.from, Some(&self.to));
        let summary = summary.map_err(|_| FaultCode::Internal)?;
        let most = payment.token.map_or(state.balance, |tokens| tokens.balance);
        let plan = Plan::Solana(Timed { message, last_height });
        Ok(Answered::Quote(Box::new(Quote { plan, summary, most: Some(U256::from(most)), beside: None })))
    }

    /// Whether a recipient of coins is a wallet: of the system program's, or not there yet and one that has a key.
    fn is_wallet(&self, recipient: Option<&Account>) -> bool {
        match recipient {
            Some(account) => account.owner == Address::SYSTEM,
            None => self.to.is_on_curve(),
        }
    }

    /// Where tokens go; nothing where they would be lost.
    fn receiver(
        &self,
        mint: &Address,
        recipient: Option<&Account>,
        theirs: Option<&Account>,
    ) -> Option<Receiver> {
        if let Some(account) = recipient.filter(|account| account.owner == TOKEN) {
            // It is a token account, but of another token.
            return (account.data.get(..32)? == mint.0 && account.data.len() == TOKEN_ACCOUNT)
                .then_some(Receiver::Itself);
        }
        match theirs {
            Some(account) => account.tokens(mint, &self.to).map(|_| Receiver::Associated),
            None => self.is_wallet(recipient).then_some(Receiver::Made),
        }
    }
}

impl Account {
    /// How many tokens of a mint it holds, if it is a token account of a wallet's for them.
    fn tokens(&self, mint: &Address, wallet: &Address) -> Option<u64> {
        let (of, rest) = self.data.split_first_chunk::<32>()?;
        let (owner, rest) = rest.split_first_chunk::<32>()?;
        let (amount, _) = rest.split_first_chunk::<8>()?;
        let is_theirs = self.owner == TOKEN && *of == mint.0 && *owner == wallet.0;
        (is_theirs && self.data.len() == TOKEN_ACCOUNT).then(|| u64::from_le_bytes(*amount))
    }
}

impl Reading for Preview {
    fn turn(&mut self, answers: &Answers, _: u64) -> Result<Turn, Fault> {
        if let Some(look) = &mut self.former {
            let report = match look.turn(answers, &self.task)? {
                Looked::Ask(asks) => return Ok(Turn::Ask(asks)),
                Looked::Found(report) => report,
            };
            // Two transactions that both can happen would pay twice.
            if report.progress != Progress::Expired {
                return Ok(done(Answered::Refused(Refusal::ReferenceUsed)));
            }
            self.task.agree(Progress::Expired)?;
            self.former = None;
            return Ok(Turn::Ask(self.asks()));
        }
        if answers.is_empty() { Ok(Turn::Ask(self.asks())) } else { self.quote(answers).map(done) }
    }
}

fn recent_block(json: Json<'_>) -> Option<([u8; 32], u64)> {
    let value = json.member("value").ok()??;
    let hash: Address = value.member("blockhash").ok()??.string()?.parse().ok()?;
    Some((hash.0, number(value.member("lastValidBlockHeight").ok()??)?))
}

/// An account, or nothing where there is none.
fn account(json: Json<'_>) -> Option<Option<Account>> {
    if json.is_null() {
        return Some(None);
    }
    let owner = json.member("owner").ok()??.string()?.parse().ok()?;
    let data = json.member("data").ok()??.elements().next()?.string()?;
    let data = from_base64(data.as_bytes())?;
    Some(Some(Account { lamports: number(json.member("lamports").ok()??)?, owner, data }))
}

/// What three of four recent blocks asked for at most, to write to the wallet's account.
fn price(json: Json<'_>) -> Option<u64> {
    let paid = json.elements().take(1024).map(|block| number(block.member("prioritizationFee").ok()??));
    let mut paid = paid.collect::<Option<Vec<u64>>>()?;
    paid.sort_unstable();
    Some(paid.get(paid.len() * 3 / 4).copied().unwrap_or_default().min(MAX_PRICE))
}
