//! `balances`: every account type of the exchange, valued by the exchange's own public prices.
//!
//! What is not known is said: a source that failed stands in the report, an unpriced asset has no price and no value,
//! and an asset that nobody knows is one like any other (m33, m35).

use super::{Admitted, Enclave, Next, Work};
use crate::asset;
use crate::calls::{Call, Priced, refusal_of};
use crate::connector::{self, Answer, Balance, Credential, Operation, Outcome, PriceTable};
use crate::credentials::CredentialName;
use wire::balance::{Account, Asset, Holdings, Source, Status};
use wire::decimal::Rounding;
use wire::operation::Balances;
use wire::{Canonical, Decimal, Refusal, UnixMillis};

/// Values have at most this many digits behind the point; ties go to the even digit.
const VALUE_SCALE: u8 = 18;

/// What is done with the answer.
pub(crate) struct Valuing {
    exchange: &'static str,
    currency: String,
    name: CredentialName,
}

impl Enclave {
    pub(super) fn balances(&mut self, admitted: &Admitted, balances: Balances) -> Result<Next, Refusal> {
        if !is_currency(&balances.currency) {
            return Err(Refusal::UnknownCurrency);
        }
        let connection = admitted.opened.header().connection;
        self.calls.check_room(connection)?;
        let exchange = &admitted.opened.contents().exchange;
        let connector = connector::find(exchange).ok_or(Refusal::UnknownExchange)?;
        let credential = admitted.opened.lend_credential(|json| Credential::from_json(connector, json));
        let credential = credential.map_err(|_| Refusal::CredentialMalformed)?;
        let name = admitted.opened.lend_credential(|json| self.credentials.name(&connector.id, json));
        let (nonce, skew_ms) = self.credentials.take(name);
        Ok(Next::Ask(Box::new(Call {
            work: Work::Balances(Valuing { exchange: &connector.id, currency: balances.currency, name }),
            connection,
            connector,
            operation: Operation::Balances { sources: None },
            credential,
            name,
            nonce,
            skew_ms,
            wants_prices: true,
        })))
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
    let table = prices.and_then(|priced| priced.as_ref().ok()).map(|table| &**table);
    let mut accounts: Vec<Account> = Vec::new();
    for balance in balances {
        let asset = valued_asset(valuing, balance, table);
        match accounts.iter_mut().find(|account| account.kind == balance.account) {
            Some(account) => account.assets.push(asset),
            None => accounts.push(Account { kind: balance.account.clone(), assets: vec![asset] }),
        }
    }
    let mut sources: Vec<Source> = outcome.coverage.iter().filter_map(source).collect();
    if let Some(Err(fault)) = prices {
        let (name, fault) = ("prices".to_owned(), Some(fault.code.name().to_owned()));
        sources.push(Source { name, status: Status::Failed, fault });
    }
    Holdings { as_of, currency: valuing.currency.clone(), accounts, sources }
}

fn valued_asset(valuing: &Valuing, balance: &Balance, table: Option<&PriceTable>) -> Asset {
    let zero = Decimal::ZERO;
    let (free, used) = (balance.free.unwrap_or(zero), balance.used.unwrap_or(zero));
    let total = balance.total.or_else(|| free.checked_add(used).ok()).unwrap_or(free);
    let price = table.and_then(|table| table.value(&balance.asset, &valuing.currency));
    let value = price.and_then(|price| total.checked_mul_to(price, VALUE_SCALE, Rounding::HalfEven).ok());
    Asset {
        asset: asset::identify(valuing.exchange, &balance.asset, &balance.symbol),
        symbol: balance.asset.clone(),
        free: free.to_string(),
        used: used.to_string(),
        total: total.to_string(),
        debt: balance.debt.map(|debt| debt.to_string()),
        price: price.map(|price| price.to_string()),
        value: value.map(|value| value.to_string()),
    }
}

/// An account type that does not exist for this owner holds nothing, completely.
fn source(coverage: &connector::Coverage) -> Option<Source> {
    use connector::Status as Found;
    let (status, fault) = match &coverage.status {
        Found::Ok | Found::Absent => (Status::Complete, None),
        Found::Partial(fault) => (Status::Partial, Some(fault)),
        Found::Failed(fault) => (Status::Failed, Some(fault)),
        Found::NotPermitted(fault) => (Status::NotPermitted, Some(fault)),
        Found::Unsupported(_) => (Status::Unsupported, None),
    };
    let fault = fault.map(|fault| fault.code.name().to_owned());
    Some(Source { name: coverage.source.clone(), status, fault })
}

/// The form of a currency's code; whether the exchange prices anything in it, each asset's price says.
fn is_currency(code: &str) -> bool {
    (2..=10).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}
