//! `GET /v1/rotation/…`: what was stated about rotations, and each connection's place in it, for whoever knows its name.

use super::hex::unhex;
use super::problem::{Code, Details, Problem};
use super::requests::{Answer, Octets};
use super::state::Shared;
use crate::proofs::{Of, Proofs};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use std::io::{self, Read};
use std::path::PathBuf;
use utoipa::IntoParams;
use wire::{Canonical, RegisterId};

const MEDIA: &str = "application/cbor";
/// A statement with the evidence of its enclave is a tenth of this.
const MOST: u64 = 256 << 10;
const NAME: usize = 32;

/// The last statement of completion, with the evidence of the enclave that signed it.
#[utoipa::path(get, path = "/v1/rotation/completion", operation_id = "rotation_completion", responses(
    (status = 200, description = "wire::register::Published in canonical CBOR", body = Octets, content_type = "application/cbor"),
    (status = "4XX", description = "Nothing is stated", body = Details, content_type = "application/problem+json"),
    (status = "5XX", description = "No answer", body = Details, content_type = "application/problem+json"),
))]
pub async fn completion(State(state): State<Shared>) -> Result<Answer, Problem> {
    published(state, "completion.cbor".to_owned()).await
}

/// The statement that an epoch was destroyed, with the evidence of the enclave that signed it.
#[utoipa::path(get, path = "/v1/rotation/destructions/{epoch}", operation_id = "rotation_destruction",
    params(("epoch" = u32, Path, description = "The epoch, from 1")),
    responses(
        (status = 200, description = "wire::register::Published in canonical CBOR", body = Octets, content_type = "application/cbor"),
        (status = "4XX", description = "Nothing is stated", body = Details, content_type = "application/problem+json"),
        (status = "5XX", description = "No answer", body = Details, content_type = "application/problem+json"),
    ))]
pub async fn destruction(
    State(state): State<Shared>,
    epoch: Result<Path<u32>, PathRejection>,
) -> Result<Answer, Problem> {
    let Path(epoch) = epoch.map_err(|_| Problem(Code::NotFound))?;
    published(state, format!("destruction-{epoch}.cbor")).await
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// The register of the statement, as 32 lower-case hexadecimal digits.
    #[param(pattern = "^[0-9a-f]{32}$")]
    register: String,
    /// The chapter of the statement.
    chapter: u32,
}

/// The proof that a connection is in a statement: for whoever knows its blinded name. It tells nothing of any other.
#[utoipa::path(get, path = "/v1/rotation/proofs/{name}", operation_id = "rotation_proof",
    params(("name" = String, Path, description = "The connection's blinded name, as 64 lower-case hexadecimal digits"), Asked),
    responses(
        (status = 200, description = "wire::register::Proof in canonical CBOR", body = Octets, content_type = "application/cbor"),
        (status = "4XX", description = "Not in this statement, or another is the last", body = Details, content_type = "application/problem+json"),
        (status = "5XX", description = "No answer", body = Details, content_type = "application/problem+json"),
    ))]
pub async fn proof(
    State(state): State<Shared>,
    name: Result<Path<String>, PathRejection>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Answer, Problem> {
    let Path(name) = name.map_err(|_| Problem(Code::NotFound))?;
    let name = unhex::<NAME>(&name).ok_or(Problem(Code::NotFound))?;
    let Query(Asked { register, chapter }) = asked.map_err(|_| Problem(Code::QueryMalformed))?;
    let register = unhex(&register).ok_or(Problem(Code::QueryMalformed))?;
    let of = Of { register: RegisterId(register), chapter };
    let body = read(state, move |folder| {
        let proofs = Proofs::open(&folder).map_err(failed)?.ok_or(Problem(Code::NothingStated))?;
        if proofs.of() != of {
            return Err(Problem(Code::OtherStatement));
        }
        proofs.find(&name).map_err(failed)?.ok_or(Problem(Code::NotRecorded))
    });
    Ok(Answer { media: MEDIA, body: body.await?.to_bytes().into() })
}

/// A file of what is published, whole.
async fn published(state: Shared, name: String) -> Result<Answer, Problem> {
    let body = read(state, move |folder| {
        let file = match std::fs::File::open(folder.join(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Problem(Code::NothingStated));
            }
            Err(error) => return Err(failed(error)),
        };
        let mut bytes = Vec::new();
        file.take(MOST).read_to_end(&mut bytes).map_err(failed)?;
        Ok(bytes)
    });
    Ok(Answer { media: MEDIA, body: body.await?.into() })
}

/// Reads beside the requests that go on meanwhile, a few at a time.
async fn read<T: Send + 'static>(
    state: Shared,
    work: impl FnOnce(PathBuf) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let folder = state.published.clone().ok_or(Problem(Code::NothingStated))?;
    let _reading = state.reading.try_acquire().map_err(|_| Problem(Code::Busy))?;
    let read = tokio::task::spawn_blocking(move || work(folder));
    read.await.unwrap_or(Err(Problem(Code::GatewayFailed)))
}

fn failed(_: io::Error) -> Problem {
    Problem(Code::GatewayFailed)
}
