//! `read`: one page of what the provider keeps of the account: deposits, trades, addresses, …

use super::{Admitted, Enclave, Next, Work, balances};
use crate::calls::refusal_of;
use crate::connector::{
    Answer, CallerFault, Connector, Fault, FaultCode, Operation, Outcome, Params, Position,
    ReadRoute as Read, Record, Unpaged, Value, route,
};
use crate::credentials::CredentialName;
use crate::network::Network;
use crate::provider::Provider;
use wire::balance::{Source, Status};
use wire::record::{Field, Kind, MAX_POSITION, MAX_TEXT, Page, Query, Row};
use wire::{Canonical, Refusal};

/// Pages of the provider's that one reply holds at most: the owner sees progress, and goes on.
const PROVIDER_PAGES: u32 = 5;
/// Of a listing that is asked for each row of another: most accounts and markets have nothing to tell.
const PROVIDER_PAGES_OF_EACH: u32 = 20;
/// Rows of one reply at most.
const MAX_ROWS: usize = 20_000;

/// What is done with the answer.
pub(crate) struct Reading {
    provider: Provider,
    name: CredentialName,
    kind: Kind,
    /// Why what is told may not be all, where its pages end.
    short: Option<&'static str>,
}

impl Enclave {
    pub(super) fn ask_for_page(&mut self, admitted: &Admitted, query: &Query) -> Result<Next, Refusal> {
        let from = match query.from.as_deref() {
            Some(text) if text.len() > MAX_POSITION => return Err(Refusal::Malformed),
            Some(text) => Position::parse(text).ok_or(Refusal::Malformed)?,
            None => Position::Start,
        };
        let texts = [&query.asset, &query.chain, &query.market];
        if !texts.into_iter().flatten().all(|text| is_plain(text)) {
            return Err(Refusal::Malformed);
        }
        let (name, kind) = (admitted.name, query.kind);
        self.ask(admitted, false, |provider| {
            let (operation, arguments, short, pages) = match provider {
                // A chain has all of its history, in pages.
                Provider::Network(network) => (kind.name(), on_chain(network, query)?, None, PROVIDER_PAGES),
                Provider::Exchange(connector) => {
                    let operation = operation_of(connector, kind).ok_or(Refusal::NotOffered)?;
                    let arguments = arguments(connector, query)?;
                    let read = route(connector, operation, &arguments).ok_or(Refusal::QueryIncomplete)?;
                    if !from.fits(&read.listing) {
                        return Err(Refusal::Malformed);
                    }
                    let each = read.listing.each.is_some();
                    let pages = if each { PROVIDER_PAGES_OF_EACH } else { PROVIDER_PAGES };
                    (operation, arguments, shortness(read), pages)
                }
            };
            let (extra, pages) = (Params::new(), Some(pages));
            let operation =
                Operation::Read { operation: operation.to_owned(), arguments, extra, from, pages };
            Ok((operation, Work::Read(Reading { provider, name, kind, short })))
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
        let short = reading.short.filter(|_| next.is_none());
        let source = said_to_be_short(source.ok_or(Refusal::Internal)?, short);
        let page = Page { as_of: self.surroundings.clock.now(), rows, next, source };
        Ok(page.to_bytes())
    }
}

/// A request that could not be written lacks what its route needs and the query did not name.
fn unread(fault: &Fault) -> Refusal {
    match fault.code {
        FaultCode::Caller(CallerFault::Argument) => Refusal::QueryIncomplete,
        _ => refusal_of(fault),
    }
}

/// Why a history that came to its end may not be all of it: the exchange has no pages, or forgets.
fn shortness(read: &Read) -> Option<&'static str> {
    match (&read.listing.page, read.unpaged) {
        (Some(paging), _) if paging.kept_ms.is_some() => Some("not_kept"),
        (None, Some(Unpaged::Latest)) => Some("not_paged"),
        _ => None,
    }
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
    };
    names.iter().copied().find(|name| connector.reads(name))
}

/// The arguments of a route, in the provider's own names.
fn arguments(connector: &Connector, query: &Query) -> Result<Params, Refusal> {
    let mut arguments = Params::new();
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
            "fee_asset" => put("fee_asset", connector.asset(text).0.to_owned()),
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
    use crate::connector;

    fn query(asset: Option<&str>, chain: Option<&str>) -> Query {
        Query {
            kind: Kind::Addresses,
            asset: asset.map(str::to_owned),
            chain: chain.map(str::to_owned),
            market: None,
            since: None,
            until: None,
            from: None,
        }
    }

    #[test]
    fn one_page_of_a_history_is_never_said_to_be_all_of_it() {
        let of = |id: &str, operation: &str| {
            let read = route(connector::find(id).unwrap(), operation, &Params::new()).unwrap();
            shortness(read)
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
        let sent = arguments(kraken, &query(Some("BTC"), Some("eip155:1")));
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
        assert_eq!(arguments(kraken, &query(None, Some("eip155:4242"))), Err(Refusal::UnknownNetwork));
    }
}
