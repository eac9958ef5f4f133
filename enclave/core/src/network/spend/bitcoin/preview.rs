//! On what terms a payment can be made: the account's coins, the chain's height, and what blocks ask for.

use super::super::order::Recipient;
use super::super::plan::Plan;
use super::super::report::Quote;
use super::super::{Answered, Task, Wallet, Want, done, refusal_of};
use super::scan::{Scan, Step};
use super::{asks, height};
use crate::connector::{Fault, FaultCode, Json};
use crate::network::ask::{Answers, Ask, malformed};
use crate::network::reading::{Reading, Turn};
use crate::wallet::bitcoin::{Account, Draft, FeeRate, Payment};
use crate::wallet::payment::{Amount, Unbuildable};
use crate::wallet::u256::U256;
use std::sync::Arc;
use wire::decimal::Rounding;
use wire::{Decimal, Refusal};

/// Blocks within which a payment should be in one.
const TARGET: &str = "3";

/// Satoshis for a thousand virtual bytes: what nodes pass on at all, by their oldest rule.
const LEAST_RATE: u64 = 1000;

pub(super) struct Preview {
    task: Arc<Task>,
    scan: Scan,
    /// Rate and height, as soon as they are known.
    seen: Option<(FeeRate, u32)>,
}

impl Preview {
    pub(super) fn of(task: Arc<Task>) -> Result<Preview, Refusal> {
        match (&task.wallet, &task.order.to, task.order.token) {
            (Wallet::Bitcoin(account), Recipient::Bitcoin(_), None) => {
                let scan = Scan::of(account).map_err(|_| Refusal::Internal)?;
                Ok(Preview { scan, seen: None, task })
            }
            _ => Err(Refusal::AddressMalformed),
        }
    }

    fn payment(&self, rate: FeeRate, height: u32, change: u32) -> Result<Payment, Fault> {
        let Recipient::Bitcoin(to) = self.task.order.to.clone() else { return Err(malformed()) };
        Ok(Payment { to, amount: self.task.order.amount, rate, change, height })
    }

    fn account(&self) -> Result<&Account, Fault> {
        match &self.task.wallet {
            Wallet::Bitcoin(account) => Ok(account),
            _ => Err(FaultCode::Internal.into()),
        }
    }

    fn former(&self) -> Option<&Draft> {
        match &self.task.want {
            Want::Preview { former: Some(Plan::Bitcoin(former)) } => Some(former),
            _ => None,
        }
    }

    fn quote(&self, built: Result<Draft, Unbuildable>, most: Option<u64>) -> Result<Turn, Fault> {
        let draft = match built {
            Ok(draft) => draft,
            Err(why) => return Ok(done(Answered::Refused(refusal_of(why)))),
        };
        let summary = draft.claimed_summary(self.account()?).map_err(|_| malformed())?;
        let most = most.map(U256::from);
        Ok(done(Answered::Quote(Box::new(Quote { plan: Plan::Bitcoin(draft), summary, most, beside: None }))))
    }

    /// What replaces a transaction spends its coins: nothing else has to be known.
    fn replace(&self, former: &Draft, rate: FeeRate, height: u32) -> Result<Turn, Fault> {
        let account = self.account()?;
        // Only what the wallet itself once built is replaced, and only by a payment of the same.
        let (Ok(summary), Ok(payment)) =
            (former.claimed_summary(account), self.payment(rate, height, former.change.unwrap_or_default()))
        else {
            return Ok(done(Answered::Refused(Refusal::Malformed)));
        };
        let amount = match self.task.order.amount {
            Amount::Arriving(amount) => Some(amount),
            Amount::Leaving(all) => all.checked_sub(summary.max_fee),
        };
        if summary.to != self.task.order.to.to_string() || amount != Some(summary.amount) {
            return Ok(done(Answered::Refused(Refusal::ReferenceUsed)));
        }
        self.quote(payment.replace(account, former), None)
    }
}

impl Reading for Preview {
    fn turn(&mut self, answers: &Answers, _: u64) -> Result<Turn, Fault> {
        if answers.is_empty() {
            let rates =
                ["/fee-estimates", "/v1/fees/recommended"].map(|path| Ask::TryGet { path: path.to_owned() });
            return Ok(Turn::Ask(asks().into_iter().chain(rates).collect()));
        }
        let (rate, height) = match self.seen {
            Some(seen) => seen,
            None => {
                let seen = (rate(answers)?, height(answers, &self.task)?);
                if let Some(former) = self.former() {
                    return self.replace(former, seen.0, seen.1);
                }
                self.seen = Some(seen);
                seen
            }
        };
        let Wallet::Bitcoin(account) = &self.task.wallet else { return Err(malformed()) };
        let found = match self.scan.step(answers)? {
            Step::Ask(asks) => return Ok(Turn::Ask(asks)),
            Step::Found(found) => found,
        };
        let payment = self.payment(rate, height, found.change)?;
        let most = payment.most(account, &found.coins).ok();
        self.quote(payment.build(account, &found.coins), most)
    }
}

/// What a thousand virtual bytes cost to be in one of the next blocks. Servers say it in one of two places.
fn rate(answers: &Answers) -> Result<FeeRate, Fault> {
    let estimates = answers.json(2, |root| per_byte(root, TARGET));
    let said = estimates.or_else(|_| answers.json(3, |root| per_byte(root, "halfHourFee")))?;
    FeeRate::new(said.max(LEAST_RATE)).ok_or_else(malformed)
}

/// Satoshis for a virtual byte, a decimal, as satoshis for a thousand; rounded up.
fn per_byte(root: Json<'_>, name: &str) -> Option<u64> {
    let rate: Decimal = root.member(name).ok()??.scalar()?.parse().ok()?;
    let rate = rate.checked_mul(Decimal::from(1000)).ok()?.rounded(0, Rounding::Up).ok()?;
    u64::try_from(rate.mantissa()).ok()
}
