//! `GET /v1/exchanges`, `GET /v1/connections`, `POST /v1/connections`

use super::body;
use super::owner::Agent;
use super::problem::{Details, Problem};
use super::routes::{Answered, Shared};
use crate::client::commands::connections::{Entry, entries};
use crate::client::commands::link::{self, Shape};
use crate::client::credential;
use crate::client::failure::{Failure, Result};
use crate::client::session::Enclave;
use crate::client::watched;
use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use host::catalogue::{self, Exchange};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use wire::consent::Class;
use zeroize::Zeroizing;

/// Every exchange that can be linked.
#[derive(Debug, Serialize, ToSchema)]
pub struct Exchanges {
    exchanges: &'static [Exchange],
}

/// An account to link. Its credential is a secret, and never printed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ToLink<'b> {
    /// The exchange's id, or the network's that a wallet is on.
    exchange: String,
    /// What to call the connection; the exchange's id if it is left out.
    name: Option<String>,
    /// Which later programs may open it: `any` (that is also the default), `delayed` or `owner`.
    consent: Option<String>,
    /// The fields that `GET /v1/exchanges` names, as texts; of a network `{"watch": ADDRESS}`. It is sealed to the enclave, and kept
    /// nowhere else.
    #[serde(borrow)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    credential: &'b RawValue,
}

/// What can be linked, how to create a key there, and what a credential consists of. Asks nobody.
#[utoipa::path(get, path = "/v1/exchanges", operation_id = "exchanges", responses(
    (status = 200, description = "Every exchange, in order of id", body = Exchanges),
))]
pub async fn exchanges() -> Json<Exchanges> {
    Json(Exchanges { exchanges: catalogue::all() })
}

/// What is linked, as `tensfer connections --json`. Asks nobody.
#[utoipa::path(get, path = "/v1/connections", operation_id = "connections", responses(
    (status = 200, description = "In the order they were linked", body = Vec<Entry>),
    (status = "default", description = "No answer", body = Details, content_type = "application/problem+json"),
))]
pub async fn list(State(shared): State<Shared>) -> Answered<Vec<Entry>> {
    let listed = shared.workers.ask(|agent| {
        let records = agent.home.connections_in(agent.standing.realm())?;
        entries(agent.home, &records)
    });
    Ok(Json(listed.await?))
}

/// Links an account, as `tensfer link --json`: seals its credential to the enclave, verified just before.
#[utoipa::path(post, path = "/v1/connections", operation_id = "link", request_body = ToLink, responses(
    (status = 201, description = "It is linked", body = Shape),
    (status = "default", description = "Nothing is linked", body = Details, content_type = "application/problem+json"),
))]
pub async fn create(
    State(shared): State<Shared>,
    request: Request,
) -> std::result::Result<(StatusCode, Json<Shape>), Problem> {
    let body = body::read(request).await?;
    let linked = shared.workers.ask(move |agent| link(agent, &body));
    Ok((StatusCode::CREATED, Json(linked.await?)))
}

fn link(agent: &Agent<'_>, body: &[u8]) -> Result<Shape> {
    let asked: ToLink<'_> = body::parse(body)?;
    let exchange = link::known_exchange(&asked.exchange)?;
    if exchange.oauth {
        return Err(Failure::usage(format!("{} is linked by signing in there", exchange.name))
            .hint("stop the agent, and link it with `tensfer link`"));
    }
    let class = asked.consent.as_deref().map_or(Ok(Class::Any), link::class).map_err(Failure::usage)?;
    let credential = Zeroizing::new(asked.credential.get().as_bytes().to_vec());
    credential::check(&credential, exchange)?;
    watched::check_public(&credential, exchange)?;
    let linking = agent.linking();
    let name = link::name(agent.home, asked.name.as_deref(), &exchange.id)?;
    // What is sealed next is sealed to an enclave that was verified just now (m20).
    agent.standing.renew()?;
    let (linked, second) = agent.linked_or_new(&linking)?;
    let (record, finding) =
        link::connect(linked, &second, agent.standing.server(), exchange, name, class, &credential)?;
    Ok(Shape::of(&record, &finding))
}
