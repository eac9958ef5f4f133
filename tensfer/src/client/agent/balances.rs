//! `GET /v1/balances`

use super::body::caller;
use super::owner::Agent;
use super::problem::Details;
use super::routes::{Answered, Shared};
use crate::client::clock::now;
use crate::client::commands::balances::{answer, ask_all, ask_one, currency};
use crate::client::failure::Result;
use crate::client::home::record::Record;
use crate::client::portfolio::Portfolio;
use crate::client::session::Enclave;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;
use utoipa::IntoParams;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// The currency to value in; `EUR` if it is left out.
    #[serde(rename = "in")]
    currency: Option<String>,
}

/// What all connections hold, as `tensfer balances --json`. What could not be read is said in `coverage` and `errors`.
#[utoipa::path(get, path = "/v1/balances", operation_id = "balances", params(Asked), responses(
    (status = 200, description = "As much as could be read", body = Portfolio),
    (status = "default", description = "No answer", body = Details, content_type = "application/problem+json"),
))]
pub async fn list(
    State(shared): State<Shared>,
    asked: std::result::Result<Query<Asked>, QueryRejection>,
) -> Answered<Portfolio> {
    let currency = asked_currency(asked)?;
    let portfolio = shared.workers.ask(move |agent| read(agent, &currency));
    Ok(Json(portfolio.await?))
}

pub fn asked_currency(asked: std::result::Result<Query<Asked>, QueryRejection>) -> Result<String> {
    let Query(asked) =
        asked.map_err(|_| caller("query_malformed", "the query is not what this path takes"))?;
    currency(asked.currency.as_deref().unwrap_or("EUR")).map_err(|wrong| caller("query_malformed", &wrong))
}

fn read(agent: &Agent<'_>, currency: &str) -> Result<Portfolio> {
    agent.standing.ensure()?;
    // Each connection is asked by one at a time: whoever asks for all of them meanwhile would only wait in many threads.
    let _turn = agent.turn_of_all()?;
    let records = agent.home.connections_in(agent.standing.realm())?;
    let ask = |mut record: Record| {
        let outcome = agent.with(&record.id.to_string(), |linked, latest| {
            record = latest;
            ask_one(linked, &mut record, currency)
        });
        answer(&record, outcome)
    };
    let answers = ask_all(records, currency, ask, |_| {});
    Ok(Portfolio::new(currency, now(), answers))
}
