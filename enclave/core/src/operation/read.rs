//! `read`: one page of what the provider keeps of the account: deposits, trades, addresses, …

use super::{Admitted, Enclave, Next, Work, balances};
use crate::calls::refusal_of;
use crate::connector::{
    Answer, CallerFault, Connector, Fault, FaultCode, Operation, Outcome, Params, Position, Record, Value,
    check_read,
};
use crate::credentials::CredentialName;
use crate::network::Network;
use crate::provider::Provider;
use wire::balance::{Source, Status};
use wire::record::{Field, Kind, MAX_POSITION, MAX_TEXT, Page, Query, Row};
use wire::{Canonical, Refusal};

/// Pages of the provider's that one reply holds at most: the owner sees progress, and goes on.
const PROVIDER_PAGES: u32 = 5;
/// Rows of one reply at most.
const MAX_ROWS: usize = 20_000;

/// What is done with the answer.
pub(crate) struct Reading {
    provider: Provider,
    name: CredentialName,
    kind: Kind,
    /// Account types whose history is told apart, and was not asked for.
    others: Vec<String>,
}

impl Enclave {
    pub(super) fn ask_for_page(&mut self, admitted: &Admitted, query: &Query) -> Result<Next, Refusal> {
        let from = match query.from.as_deref() {
            Some(text) if text.len() > MAX_POSITION => return Err(Refusal::Malformed),
            Some(text) => Position::parse(text).ok_or(Refusal::Malformed)?,
            None => Position::Start,
        };
        let texts = [&query.asset, &query.chain, &query.market, &query.account];
        if !texts.into_iter().flatten().all(|text| is_plain(text)) {
            return Err(Refusal::Malformed);
        }
        let (name, kind) = (admitted.name, query.kind);
        self.ask(admitted, false, |provider| {
            let (extra, pages) = (Params::new(), Some(PROVIDER_PAGES));
            let planned = |operation: &str, arguments| {
                let operation = operation.to_owned();
                Operation::Read { operation, arguments, extra, from, pages }
            };
            let (operation, others) = match provider {
                // A chain has all of its history, in pages.
                Provider::Network(network) => (planned(kind.name(), on_chain(network, query)?), Vec::new()),
                Provider::Exchange(connector) => {
                    let operation = operation_of(connector, kind).ok_or(Refusal::NotOffered)?;
                    let planned = planned(operation, arguments(connector, operation, query)?);
                    check_read(connector, &planned).map_err(|fault| match fault.code {
                        FaultCode::Caller(CallerFault::Argument) => Refusal::Malformed,
                        _ => Refusal::QueryIncomplete,
                    })?;
                    (planned, others(connector, operation, query))
                }
            };
            Ok((operation, Work::Read(Reading { provider, name, kind, others })))
        })
    }

    pub(super) fn page(
        &mut self,
        reading: &Reading,
        outcome: Result<Outcome, Refusal>,
    ) -> Result<Vec<u8>, Refusal> {
        let skew_ms = outcome.as_ref().ok().and_then(|outcome| outcome.skew_ms);
        self.credentials.release(reading.name, skew_ms);
        let outcome = outcome?;
        let Answer::Rows(records) = &outcome.answer else {
            return Err(outcome.fault().map_or(Refusal::ProviderFailed, unread));
        };
        let rows = records.iter().take(MAX_ROWS).map(|record| row(reading.provider, record)).collect();
        let source = outcome
            .coverage
            .first()
            .map(|coverage| Source { name: reading.kind.name().to_owned(), ..balances::source(coverage) });
        let next = outcome.next.as_ref().and_then(Position::text);
        let short = outcome.short.filter(|_| next.is_none());
        let source = said_to_be_short(source.ok_or(Refusal::Internal)?, short);
        let accounts = reading.others.clone();
        let page = Page { as_of: self.surroundings.clock.now(), rows, next, source, accounts };
        Ok(page.to_bytes())
    }
}

/// A request that could not be written lacks what its route needs and the query did not name.
fn unread(fault: &Fault) -> Refusal {
    match fault.code {
        FaultCode::Caller(CallerFault::Argument | CallerFault::Unsupported) => Refusal::QueryIncomplete,
        _ => refusal_of(fault),
    }
}

/// The account types whose history is told apart from the one that is asked for.
fn others(connector: &Connector, operation: &str, query: &Query) -> Vec<String> {
    let is_asked = |name: &&str| query.account.as_deref() == Some(*name);
    connector.accounts_of(operation).filter(|name| !is_asked(name)).map(str::to_owned).collect()
}

fn said_to_be_short(source: Source, short: Option<&str>) -> Source {
    match short {
        Some(reason) if source.status == Status::Complete => {
            Source { status: Status::Partial, fault: Some(reason.to_owned()), ..source }
        }
        _ => source,
    }
}

/// Visible ASCII, and not too much of it.
fn is_plain(text: &str) -> bool {
    (1..=MAX_TEXT).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The connector's name of an operation; the wider one where it has no other.
fn operation_of(connector: &Connector, kind: Kind) -> Option<&'static str> {
    let names: &[&'static str] = match kind {
        Kind::Deposits => &["deposits"],
        Kind::Withdrawals => &["withdrawals"],
        Kind::Ledger => &["ledger"],
        Kind::Trades => &["my_trades"],
        Kind::Transfers => &["transfers"],
        Kind::Positions => &["positions"],
        Kind::Addresses => &["deposit_address", "deposit_addresses_by_network", "deposit_addresses"],
        Kind::Networks => &["currencies"],
        Kind::Destinations => &["destinations"],
    };
    names.iter().copied().find(|name| connector.reads(name))
}

/// The arguments of a route, in the provider's own names.
fn arguments(connector: &Connector, operation: &str, query: &Query) -> Result<Params, Refusal> {
    let mut arguments = Params::new();
    if let Some(account) = &query.account {
        let has_own = connector.accounts_of(operation).any(|name| name == account);
        let meant = connector.account(account).filter(|_| has_own).ok_or(Refusal::NotOffered)?;
        arguments.clone_from(meant);
    }
    let mut set = |name: &str, value: Value| arguments.push((name.to_owned(), value));
    if let Some(code) = &query.asset {
        set("asset", Value::Text(connector.symbol(code).to_owned()));
        set("code", Value::Text(code.clone()));
    }
    if let Some(chain) = &query.chain {
        let network = connector.network(chain).ok_or(Refusal::UnknownNetwork)?;
        set("network", Value::Text(network.to_owned()));
    }
    if let Some(market) = &query.market {
        set("market", Value::Text(market.clone()));
    }
    arguments.extend(times(query));
    Ok(arguments)
}

/// The arguments of what is read of a chain, which has one name for each thing.
fn on_chain(network: &Network, query: &Query) -> Result<Params, Refusal> {
    if query.chain.as_ref().is_some_and(|chain| *chain != network.chain) {
        return Err(Refusal::UnknownNetwork);
    }
    let asset = query.asset.iter().map(|code| ("asset".to_owned(), Value::Text(code.clone())));
    Ok(asset.chain(times(query)).collect())
}

/// From when until when, Unix ms.
fn times(query: &Query) -> Params {
    let times = [("since", query.since), ("until", query.until)];
    let number = |(name, time): (&str, Option<wire::UnixMillis>)| {
        time.map(|time| (name.to_owned(), Value::Number(time.0.to_string())))
    };
    times.into_iter().filter_map(number).collect()
}

/// A row as the owner sees it: assets and chains in the names that hold everywhere, beside the provider's own.
fn row(provider: Provider, record: &Record) -> Row {
    let connector = match provider {
        Provider::Exchange(connector) => connector,
        // What is read of a chain is named as it is named everywhere.
        Provider::Network(_) => {
            let field =
                |(name, text): &(&str, String)| Field { name: (*name).to_owned(), text: text.clone() };
            return Row { fields: record.0.iter().map(field).collect() };
        }
    };
    let mut fields: Vec<Field> = Vec::with_capacity(record.0.len() + 2);
    let mut put = |name: &str, text: String| fields.push(Field { name: name.to_owned(), text });
    for (name, text) in &record.0 {
        match *name {
            "asset" => {
                let (code, _) = connector.asset(text);
                put("asset", code.to_owned());
                put("asset_id", provider.identify(code, text));
            }
            "fee_asset" | "base" | "quote" => put(name, connector.asset(text).0.to_owned()),
            "network" => {
                put("network", text.clone());
                let chain = connector.networks.iter().find(|(name, _)| name == text);
                chain.into_iter().for_each(|(_, chain)| put("chain", chain.clone()));
            }
            name => put(name, text.clone()),
        }
    }
    Row { fields }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use crate::connector::{self, Asked, route};

    fn query(asset: Option<&str>, chain: Option<&str>) -> Query {
        Query {
            kind: Kind::Addresses,
            asset: asset.map(str::to_owned),
            chain: chain.map(str::to_owned),
            market: None,
            account: None,
            since: None,
            until: None,
            from: None,
        }
    }

    #[test]
    fn one_page_of_a_history_is_never_said_to_be_all_of_it() {
        let of = |id: &str, operation: &str| {
            let asked = Asked::of(operation, &Params::new(), &Position::Start).unwrap();
            asked.shortness(route(connector::find(id).unwrap(), operation, &Params::new()).unwrap())
        };
        assert_eq!(of("hibachi", "deposits"), Some("not_paged"));
        assert_eq!(of("bullish", "my_trades"), Some("not_kept"));
        assert_eq!(of("alpaca", "deposits"), None);
        assert_eq!(of("kraken", "deposits"), None);
        let source = |status| Source { name: "deposits".to_owned(), status, fault: None };
        let said = said_to_be_short(source(Status::Complete), Some("not_paged"));
        assert_eq!((said.status, said.fault.as_deref()), (Status::Partial, Some("not_paged")));
        assert_eq!(said_to_be_short(source(Status::Complete), None).status, Status::Complete);
        assert_eq!(said_to_be_short(source(Status::Failed), Some("not_kept")).status, Status::Failed);
    }

    #[test]
    fn names_that_hold_everywhere_become_the_providers_and_back() {
        let kraken = connector::find("kraken").unwrap();
        let sent = arguments(kraken, "deposit_address", &query(Some("BTC"), Some("eip155:1")));
        let text = |name: &str| {
            let found = sent.iter().flatten().find(|(known, _)| known == name);
            found.map(|(_, value)| value.text().to_owned())
        };
        assert_eq!((text("asset"), text("network")), (Some("XBT".to_owned()), Some("ERC20".to_owned())));
        let shown = row(
            Provider::Exchange(kraken),
            &Record(vec![("asset", "XXBT".to_owned()), ("network", "ERC20".to_owned())]),
        );
        assert_eq!((shown.field("asset"), shown.field("chain")), (Some("BTC"), Some("eip155:1")));
        assert_eq!(
            arguments(kraken, "deposit_address", &query(None, Some("eip155:4242"))),
            Err(Refusal::UnknownNetwork)
        );
    }
}
