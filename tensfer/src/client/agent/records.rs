//! `GET /v1/connections/{id}/history/{kind}`, and what else a provider keeps of an account.

use super::body::caller;
use super::owner::Agent;
use super::problem::Details;
use super::routes::{Answered, Shared};
use crate::client::asks::{Asks, ByOwner};
use crate::client::commands::records::{Records, code, collect, everything, time};
use crate::client::failure::{Failure, Result};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query as Given, State};
use serde::Deserialize;
use std::time::{Duration, Instant};
use utoipa::IntoParams;
use wire::record::{Kind, Query};

/// What one answer holds at most, and how long it is read for: then it says `too_many`, and is not complete.
const ROWS: usize = 100_000;
const LASTS: Duration = Duration::from_secs(300);

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OfHistory {
    /// This asset alone, such as `BTC`.
    asset: Option<String>,
    /// This market alone, in the exchange's own name.
    market: Option<String>,
    /// The account type whose own history it is; the main one if it is left out.
    account: Option<String>,
    /// From this time on: a date, or RFC 3339.
    since: Option<String>,
    /// Up to this time.
    until: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OfAddresses {
    /// The asset to receive, such as `USDT`.
    asset: String,
    /// The chain to receive it on, by its CAIP-2 id, such as `eip155:1`.
    chain: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OfAsset {
    /// This asset alone.
    asset: Option<String>,
}

pub type Asked<T> = std::result::Result<Given<T>, QueryRejection>;

/// A history, newest first, as `tensfer history --json`; 100,000 rows and five minutes at most.
#[utoipa::path(get, path = "/v1/connections/{id}/history/{kind}", operation_id = "history",
    params(
        ("id" = String, Path, description = "The connection's id or name"),
        ("kind" = String, Path, description = "`deposits`, `withdrawals`, `ledger`, `trades` or `transfers`"),
        OfHistory,
    ),
    responses(
        (status = 200, description = "As much as could be read: `complete` says whether that is all", body = Records),
        (status = "default", description = "No answer", body = Details, content_type = "application/problem+json"),
    ))]
pub async fn history(
    State(shared): State<Shared>,
    Path((id, kind)): Path<(String, String)>,
    asked: Asked<OfHistory>,
) -> Answered<Records> {
    let query = history_query(&kind, asked)?;
    read(shared, id, query).await
}

/// Where to send an asset to, as `tensfer addresses --json`.
#[utoipa::path(get, path = "/v1/connections/{id}/addresses", operation_id = "addresses",
    params(("id" = String, Path, description = "The connection's id or name"), OfAddresses),
    responses(
        (status = 200, description = "As much as could be read", body = Records),
        (status = "default", description = "No answer", body = Details, content_type = "application/problem+json"),
    ))]
pub async fn addresses(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    asked: Asked<OfAddresses>,
) -> Answered<Records> {
    let query = addresses_query(asked)?;
    read(shared, id, query).await
}

/// The networks that an exchange moves assets on, as `tensfer networks --json`.
#[utoipa::path(get, path = "/v1/connections/{id}/networks", operation_id = "networks",
    params(("id" = String, Path, description = "The connection's id or name"), OfAsset),
    responses(
        (status = 200, description = "As much as could be read", body = Records),
        (status = "default", description = "No answer", body = Details, content_type = "application/problem+json"),
    ))]
pub async fn networks(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    asked: Asked<OfAsset>,
) -> Answered<Records> {
    let query = asset_query(Kind::Networks, asked)?;
    read(shared, id, query).await
}

/// Where money can be sent by its name at the provider, as `tensfer destinations --json`.
#[utoipa::path(get, path = "/v1/connections/{id}/destinations", operation_id = "destinations",
    params(("id" = String, Path, description = "The connection's id or name"), OfAsset),
    responses(
        (status = 200, description = "As much as could be read", body = Records),
        (status = "default", description = "No answer", body = Details, content_type = "application/problem+json"),
    ))]
pub async fn destinations(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    asked: Asked<OfAsset>,
) -> Answered<Records> {
    let query = asset_query(Kind::Destinations, asked)?;
    read(shared, id, query).await
}

/// Open positions, as `tensfer positions --json`.
#[utoipa::path(get, path = "/v1/connections/{id}/positions", operation_id = "positions",
    params(("id" = String, Path, description = "The connection's id or name")),
    responses(
        (status = 200, description = "As much as could be read", body = Records),
        (status = "default", description = "No answer", body = Details, content_type = "application/problem+json"),
    ))]
pub async fn positions(State(shared): State<Shared>, Path(id): Path<String>) -> Answered<Records> {
    read(shared, id, everything(Kind::Positions)).await
}

async fn read(shared: Shared, id: String, query: Query) -> Answered<Records> {
    let records = shared.workers.ask(move |agent| {
        agent.with(&id, |linked, mut record| {
            gather(agent, &mut ByOwner::new(linked, &mut record)?, &id, query)
        })
    });
    Ok(Json(records.await?))
}

/// As much as one answer holds, whoever asks.
pub fn gather(agent: &Agent<'_>, asks: &mut dyn Asks, id: &str, query: Query) -> Result<Records> {
    let until = Instant::now() + LASTS;
    let goes_on = |rows| rows < ROWS && Instant::now() < until && !agent.is_stopping();
    collect(asks, id, query, goes_on)
}

pub fn history_query(kind: &str, asked: Asked<OfHistory>) -> Result<Query> {
    let kinds = [Kind::Deposits, Kind::Withdrawals, Kind::Ledger, Kind::Trades, Kind::Transfers];
    let kind = kinds.into_iter().find(|known| known.name() == kind);
    let kind = kind.ok_or_else(|| caller("not_found", "there is no history of that kind"))?;
    let OfHistory { asset, market, account, since, until } = given(asked)?;
    let at =
        |text: Option<String>| text.map(|text| time(&text)).transpose().map_err(|wrong| malformed(&wrong));
    let (since, until) = (at(since)?, at(until)?);
    Ok(Query { asset: of(asset)?, market, account, since, until, ..everything(kind) })
}

pub fn addresses_query(asked: Asked<OfAddresses>) -> Result<Query> {
    let OfAddresses { asset, chain } = given(asked)?;
    Ok(Query { asset: of(Some(asset))?, chain, ..everything(Kind::Addresses) })
}

pub fn asset_query(kind: Kind, asked: Asked<OfAsset>) -> Result<Query> {
    Ok(Query { asset: of(given(asked)?.asset)?, ..everything(kind) })
}

fn given<T>(asked: Asked<T>) -> Result<T> {
    let Given(given) = asked.map_err(|_| malformed("see `/openapi.json`"))?;
    Ok(given)
}

fn of(asset: Option<String>) -> Result<Option<String>> {
    asset.map(|asset| code(&asset)).transpose().map_err(|wrong| malformed(&wrong))
}

fn malformed(what: &str) -> Failure {
    caller("query_malformed", &format!("the query is not what this path takes: {what}"))
}
