//! `/v1/grantee`, `/v1/grants`: what owners granted a business, kept and asked for by its agent.

use super::balances::{Asked, asked_currency};
use super::body::{self, caller};
use super::owner::Agent;
use super::problem::{Details, Problem};
use super::records::{self, OfAddresses, OfAsset, OfHistory};
use super::routes::{Answered, Shared};
use crate::client::clock::now;
use crate::client::commands::act::ShownOutcome;
use crate::client::commands::granted::{self, Entry, PublicKeys, entry, take};
use crate::client::commands::records::{Records, everything};
use crate::client::failure::Result;
use crate::client::home::grants::GrantFile;
use crate::client::home::journal;
use crate::client::home::realm::Realm;
use crate::client::portfolio::Portfolio;
use crate::client::session::Enclave;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query as Given, Request, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use wire::record::{Kind, Query};

/// What owners name in their grants, and are given as a file.
#[derive(Debug, Serialize, ToSchema)]
pub struct Grantee {
    /// The name of the signing key, in hexadecimal: compare it with the owner.
    key: String,
    /// The file of public keys that `tensfer grant make --to FILE` takes.
    public: PublicKeys,
}

/// A grant to take in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ToTake<'b> {
    /// What to call it; the exchange's id if it is left out.
    name: Option<String>,
    /// The file that its owner made, as it is.
    #[serde(borrow)]
    #[schema(value_type = GrantFile)]
    grant: &'b RawValue,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Removed {
    grant: String,
    removed: bool,
}

/// The keys that owners name in their grants, as `tensfer granted key`; made now if there are none.
#[utoipa::path(put, path = "/v1/grantee", operation_id = "grantee", responses(
    (status = 200, description = "The newest pair's public keys", body = Grantee),
    (status = "default", description = "No answer", body = Details, content_type = "application/problem+json"),
))]
pub async fn grantee(State(shared): State<Shared>) -> Answered<Grantee> {
    let keys = shared.workers.ask(|agent| {
        let public = PublicKeys::of(agent.standing.realm(), agent.grantee_or_new()?.keys().newest()?);
        Ok(Grantee { key: public.name(), public })
    });
    Ok(Json(keys.await?))
}

/// What was granted, as `tensfer granted list --json`. Asks nobody.
#[utoipa::path(get, path = "/v1/grants", operation_id = "grants", responses(
    (status = 200, description = "In order of name", body = Vec<Entry>),
    (status = "default", description = "No answer", body = Details, content_type = "application/problem+json"),
))]
pub async fn list(State(shared): State<Shared>) -> Answered<Vec<Entry>> {
    let listed = shared
        .workers
        .ask(|agent| agent.home.taken_grants(agent.standing.realm())?.iter().map(entry).collect());
    Ok(Json(listed.await?))
}

/// Takes a grant in, as `tensfer granted take --json`. The same one again changes nothing.
#[utoipa::path(post, path = "/v1/grants", operation_id = "take", request_body = ToTake, responses(
    (status = 201, description = "It is kept", body = Entry),
    (status = "default", description = "It is not", body = Details, content_type = "application/problem+json"),
))]
pub async fn create(
    State(shared): State<Shared>,
    request: Request,
) -> std::result::Result<(StatusCode, Json<Entry>), Problem> {
    let body = body::read(request).await?;
    let taken = shared.workers.ask(move |agent| take_in(agent, &body));
    Ok((StatusCode::CREATED, Json(taken.await?)))
}

fn take_in(agent: &Agent<'_>, body: &[u8]) -> Result<Entry> {
    let asked: ToTake<'_> = body::parse(body)?;
    let file = GrantFile::parse(asked.grant.get().as_bytes())
        .ok_or_else(|| caller("grant_malformed", "that is no grant's file, or it was altered"))?;
    if file.realm != agent.standing.realm() {
        return Err(Realm::mixed(file.realm, agent.standing.realm()));
    }
    let _taking = agent.linking();
    take(agent.home, agent.grantee()?.keys(), file, asked.name.as_deref())
}

/// Keeps nothing of a grant any more. Its owner ends it.
#[utoipa::path(delete, path = "/v1/grants/{grant}", operation_id = "remove",
    params(("grant" = String, Path, description = "The grant's id or name")),
    responses(
        (status = 200, description = "It is gone from here", body = Removed),
        (status = "default", description = "It is not", body = Details, content_type = "application/problem+json"),
    ))]
pub async fn remove(State(shared): State<Shared>, Path(id): Path<String>) -> Answered<Removed> {
    let removed = shared.workers.ask(move |agent| {
        let realm = agent.standing.realm();
        let (id, _turn) = agent.turn_of_grant(&id)?;
        let removed = agent.home.remove_taken_grant(realm, id)?;
        Ok(Removed { grant: id.to_string(), removed })
    });
    Ok(Json(removed.await?))
}

/// What the account holds, as `tensfer granted balances --json`. One use.
#[utoipa::path(get, path = "/v1/grants/{grant}/balances", operation_id = "granted_balances",
    params(("grant" = String, Path, description = "The grant's id or name"), Asked),
    responses(
        (status = 200, description = "As much as could be read", body = Portfolio),
        (status = "default", description = "No answer", body = Details, content_type = "application/problem+json"),
    ))]
pub async fn balances(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    asked: std::result::Result<Given<Asked>, QueryRejection>,
) -> Answered<Portfolio> {
    let currency = asked_currency(asked)?;
    let portfolio = shared.workers.ask(move |agent| {
        let answer = agent.by_grant(&id, |by| granted::holds(by, &currency))?;
        Ok(Portfolio::new(&currency, now(), vec![answer]))
    });
    Ok(Json(portfolio.await?))
}

/// A history, newest first, as `tensfer granted history --json`. Each page of it is a use.
#[utoipa::path(get, path = "/v1/grants/{grant}/history/{kind}", operation_id = "granted_history",
    params(
        ("grant" = String, Path, description = "The grant's id or name"),
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
    asked: records::Asked<OfHistory>,
) -> Answered<Records> {
    let query = records::history_query(&kind, asked)?;
    read(shared, id, query).await
}

/// Where to send an asset to, as `tensfer granted addresses --json`.
#[utoipa::path(get, path = "/v1/grants/{grant}/addresses", operation_id = "granted_addresses",
    params(("grant" = String, Path, description = "The grant's id or name"), OfAddresses),
    responses(
        (status = 200, description = "As much as could be read", body = Records),
        (status = "default", description = "No answer", body = Details, content_type = "application/problem+json"),
    ))]
pub async fn addresses(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    asked: records::Asked<OfAddresses>,
) -> Answered<Records> {
    let query = records::addresses_query(asked)?;
    read(shared, id, query).await
}

/// The networks that the exchange moves assets on, as `tensfer granted networks --json`.
#[utoipa::path(get, path = "/v1/grants/{grant}/networks", operation_id = "granted_networks",
    params(("grant" = String, Path, description = "The grant's id or name"), OfAsset),
    responses(
        (status = 200, description = "As much as could be read", body = Records),
        (status = "default", description = "No answer", body = Details, content_type = "application/problem+json"),
    ))]
pub async fn networks(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    asked: records::Asked<OfAsset>,
) -> Answered<Records> {
    let query = records::asset_query(Kind::Networks, asked)?;
    read(shared, id, query).await
}

/// Where money can be sent by its name at the provider, as `tensfer granted destinations --json`.
#[utoipa::path(get, path = "/v1/grants/{grant}/destinations", operation_id = "granted_destinations",
    params(("grant" = String, Path, description = "The grant's id or name"), OfAsset),
    responses(
        (status = 200, description = "As much as could be read", body = Records),
        (status = "default", description = "No answer", body = Details, content_type = "application/problem+json"),
    ))]
pub async fn destinations(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    asked: records::Asked<OfAsset>,
) -> Answered<Records> {
    let query = records::asset_query(Kind::Destinations, asked)?;
    read(shared, id, query).await
}

/// What became of an instruction of the owner's, as `tensfer granted status --json`. One use.
#[utoipa::path(post, path = "/v1/grants/{grant}/status", operation_id = "granted_status",
    params(("grant" = String, Path, description = "The grant's id or name")),
    request_body(content = serde_json::Value, description = "The file that the owner's TENSFER_HOME keeps of it, `actions/REFERENCE.json`"),
    responses(
        (status = 200, description = "As far as the provider tells", body = ShownOutcome),
        (status = "default", description = "No answer", body = Details, content_type = "application/problem+json"),
    ))]
pub async fn status(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    request: Request,
) -> Answered<ShownOutcome> {
    let body = body::read(request).await?;
    let told = shared.workers.ask(move |agent| {
        let entry = journal::parse(&body)
            .map_err(|_| caller("instruction_malformed", "that is no instruction as its owner keeps it"))?;
        let (_, outcome) = agent.by_grant(&id, |by| granted::became(by, &entry))?;
        Ok(ShownOutcome::of(&outcome))
    });
    Ok(Json(told.await?))
}

/// Open positions, as `tensfer granted positions --json`.
#[utoipa::path(get, path = "/v1/grants/{grant}/positions", operation_id = "granted_positions",
    params(("grant" = String, Path, description = "The grant's id or name")),
    responses(
        (status = 200, description = "As much as could be read", body = Records),
        (status = "default", description = "No answer", body = Details, content_type = "application/problem+json"),
    ))]
pub async fn positions(State(shared): State<Shared>, Path(id): Path<String>) -> Answered<Records> {
    read(shared, id, everything(Kind::Positions)).await
}

async fn read(shared: Shared, id: String, query: Query) -> Answered<Records> {
    let read =
        shared.workers.ask(move |agent| agent.by_grant(&id, |by| records::gather(agent, by, &id, query)));
    Ok(Json(read.await?))
}
