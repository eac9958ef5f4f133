//! `balances`: every account type of the exchange, valued by the exchange's own public prices.
//!
//! What is not known is said: a source that failed stands in the report, an unpriced asset has no price and no value,
//! and an asset that nobody knows is one like any other (m33, m35).

use super::{Admitted, Enclave, Next, Work};
use crate::calls::{Priced, refusal_of};
use crate::connector::{self, Answer, Balance, Operation, Outcome, PriceTable};
use crate::credentials::CredentialName;
use crate::provider::Provider;
use std::collections::HashMap;
use wire::balance::{Account, Asset, Holdings, Source, Status};
use wire::decimal::Rounding;
use wire::operation::Balances;
use wire::{Canonical, Decimal, Refusal, UnixMillis};

/// Values have at most this many digits behind the point; ties go to the even digit.
const VALUE_SCALE: u8 = 18;

/// What is done with the answer.
pub(crate) struct Valuing {
    provider: Provider,
    currency: String,
    name: CredentialName,
}

impl Enclave {
    pub(super) fn balances(&mut self, admitted: &Admitted, balances: Balances) -> Result<Next, Refusal> {
        if !is_currency(&balances.currency) {
            return Err(Refusal::UnknownCurrency);
        }
        let name = admitted.name;
        self.ask(admitted, true, |provider| {
            let valuing = Valuing { provider, currency: balances.currency, name };
            Ok((Operation::Balances { sources: None }, Work::Balances(valuing)))
        })
    }

    pub(super) fn valued(
        &mut self,
        valuing: &Valuing,
        outcome: Result<Outcome, Refusal>,
        prices: Option<Priced>,
    ) -> Result<Vec<u8>, Refusal> {
        let skew_ms = outcome.as_ref().ok().and_then(|outcome| outcome.skew_ms);
        self.credentials.release(valuing.name, skew_ms);
        let outcome = outcome?;
        let Answer::Balances(balances) = &outcome.answer else {
            return Err(outcome.fault().map_or(Refusal::ProviderFailed, refusal_of));
        };
        let as_of = self.surroundings.clock.now();
        Ok(holdings(valuing, balances, &outcome, prices.as_ref(), as_of).to_bytes())
    }
}

fn holdings(
    valuing: &Valuing,
    balances: &[Balance],
    outcome: &Outcome,
    prices: Option<&Priced>,
    as_of: UnixMillis,
) -> Holdings {
    let table = prices.and_then(|priced| priced.as_ref().ok()).map(|(table, _)| &**table);
    let mut accounts: Vec<Account> = Vec::new();
    for held in added_up(balances) {
        let asset = valued_asset(valuing, &held, table);
        match accounts.iter_mut().find(|account| account.kind == held.account) {
            Some(account) => account.assets.push(asset),
            None => accounts.push(Account { kind: held.account.to_owned(), assets: vec![asset] }),
        }
    }
    let mut sources: Vec<Source> = outcome.coverage.iter().map(source).collect();
    let missing = match prices {
        Some(Err(fault)) => Some((Status::Failed, fault)),
        Some(Ok((_, Some(fault)))) => Some((Status::Partial, fault)),
        Some(Ok((_, None))) | None => None,
    };
    if let Some((status, fault)) = missing {
        let (name, fault) = ("prices".to_owned(), Some(fault.code.name().to_owned()));
        sources.push(Source { name, status, fault });
    }
    Holdings { as_of, currency: valuing.currency.clone(), accounts, sources }
}

/// What is held of one asset in one account, over all sources that told of it.
struct Held<'b> {
    account: &'b str,
    asset: &'b str,
    symbol: &'b str,
    free: Option<Decimal>,
    used: Option<Decimal>,
    total: Decimal,
    debt: Option<Decimal>,
}

impl<'b> Held<'b> {
    /// What is not told stays unknown: of a total nobody knows how much is free (m33).
    fn of(balance: &'b Balance) -> Held<'b> {
        let told = [balance.free, balance.used].into_iter().flatten().reduce(|free, used| {
            // Amounts that cannot be added are told apart, and only one of them fits here.
            free.checked_add(used).unwrap_or(free)
        });
        let total = balance.total.or(told).unwrap_or(Decimal::ZERO);
        let Balance { account, asset, symbol, free, used, debt, .. } = balance;
        Held { account, asset, symbol, free: *free, used: *used, total, debt: *debt }
    }

    /// Adds what another source told of the same; what one of them does not tell is not known of both. Sums that do not
    /// fit leave both as they are.
    fn add(&mut self, other: &Held<'b>) -> Option<()> {
        let known = |one: Option<Decimal>, two: Option<Decimal>| {
            one.zip(two).map(|(one, two)| one.checked_add(two)).transpose().ok()
        };
        let (free, used) = (known(self.free, other.free)?, known(self.used, other.used)?);
        let total = self.total.checked_add(other.total).ok()?;
        let debt = match (self.debt, other.debt) {
            (Some(one), Some(two)) => Some(one.checked_add(two).ok()?),
            (one, two) => one.or(two),
        };
        (self.free, self.used, self.total, self.debt) = (free, used, total, debt);
        Some(())
    }
}

/// One entry for each asset in each account, in the order in which they were first told.
fn added_up(balances: &[Balance]) -> Vec<Held<'_>> {
    let mut places: HashMap<(&str, &str, &str), usize> = HashMap::new();
    let mut all: Vec<Held<'_>> = Vec::with_capacity(balances.len());
    for balance in balances {
        let held = Held::of(balance);
        let key = (held.account, held.asset, held.symbol);
        let known = places.get(&key).and_then(|at| all.get_mut(*at));
        if known.and_then(|known| known.add(&held)).is_none() {
            places.entry(key).or_insert(all.len());
            all.push(held);
        }
    }
    all
}

fn valued_asset(valuing: &Valuing, held: &Held<'_>, table: Option<&PriceTable>) -> Asset {
    let code = valuing.provider.price_code(held.asset, held.symbol);
    let price = table.zip(code).and_then(|(table, code)| table.value(code, &valuing.currency));
    let value =
        price.and_then(|price| held.total.checked_mul_to(price, VALUE_SCALE, Rounding::HalfEven).ok());
    Asset {
        asset: valuing.provider.identify(held.asset, held.symbol),
        symbol: held.asset.to_owned(),
        free: held.free.map(|free| free.to_string()),
        used: held.used.map(|used| used.to_string()),
        total: held.total.to_string(),
        debt: held.debt.map(|debt| debt.to_string()),
        price: price.map(|price| price.to_string()),
        value: value.map(|value| value.to_string()),
    }
}

/// An account type that does not exist for this owner holds nothing, completely.
pub(super) fn source(coverage: &connector::Coverage) -> Source {
    use connector::Status as Found;
    let (status, fault) = match &coverage.status {
        Found::Ok | Found::Absent => (Status::Complete, None),
        Found::Partial(fault) => (Status::Partial, Some(fault)),
        Found::Failed(fault) => (Status::Failed, Some(fault)),
        Found::NotPermitted(fault) => (Status::NotPermitted, Some(fault)),
        Found::Unsupported(_) => (Status::Unsupported, None),
    };
    let fault = fault.map(|fault| fault.code.name().to_owned());
    Source { name: coverage.source.clone(), status, fault }
}

/// The form of a currency's code; whether the exchange prices anything in it, each asset's price says.
fn is_currency(code: &str) -> bool {
    (2..=10).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use std::rc::Rc;

    fn balance(source: &'static str, [free, used, total]: [Option<&str>; 3]) -> Balance {
        let amount = |text: Option<&str>| text.map(|text| text.parse().unwrap());
        let (account, asset) = (Rc::from("spot"), Rc::from("BTC"));
        let (free, used, total) = (amount(free), amount(used), amount(total));
        Balance {
            source,
            account,
            pair: None,
            symbol: Rc::clone(&asset),
            asset,
            free,
            used,
            total,
            debt: None,
        }
    }

    fn told(balances: &[Balance]) -> (Option<String>, Option<String>, String) {
        let [held] = added_up(balances).try_into().ok().unwrap();
        let text = |amount: Option<Decimal>| amount.map(|amount: Decimal| amount.to_string());
        (text(held.free), text(held.used), held.total.to_string())
    }

    #[test]
    fn m33_what_an_exchange_does_not_tell_is_unknown_and_never_zero() {
        let some = |text: &str| Some(text.to_owned());
        let (total, free) = ([None, None, Some("3")], [Some("2"), None, None]);
        assert_eq!(told(&[balance("spot", total)]), (None, None, "3".to_owned()));
        assert_eq!(told(&[balance("spot", free)]), (some("2"), None, "2".to_owned()));
        let whole = [Some("1"), Some("0"), Some("1")];
        assert_eq!(told(&[balance("spot", whole)]), (some("1"), some("0"), "1".to_owned()));
        // A part of which nothing is known leaves the whole unknown.
        assert_eq!(told(&[balance("spot", whole), balance("earn", total)]), (None, None, "4".to_owned()));
        assert_eq!(
            told(&[balance("spot", whole), balance("vault", free)]),
            (some("3"), None, "3".to_owned())
        );
    }
}
