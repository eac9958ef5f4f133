//! What moves money: `POST …/preview`, `PUT /v1/connections/{id}/actions/{reference}`, `GET /v1/actions[/{reference}]`.
//!
//! The caller names each instruction by a reference of its own, which the journal keeps before anything leaves (m38): the same
//! request may be repeated for ever, and is carried out once. A reference is never used for anything else.

use super::body::{self, caller};
use super::instruction::Asked;
use super::owner::Agent;
use super::problem::Details;
use super::routes::{Answered, Shared};
use crate::client::commands::act::{Ordered, Ordering, Previewed, ShownOutcome, bounded, inquire, told};
use crate::client::commands::status::{Open, open as open_actions};
use crate::client::explain::explain;
use crate::client::failure::{Failure, Fault, Result};
use crate::client::home::journal::Entry;
use crate::client::home::key_file::random;
use crate::client::home::record::Record;
use crate::client::linked::Linked;
use crate::client::session::Enclave;
use crate::client::terminal::say;
use axum::Json;
use axum::extract::{Path, Request, State};
use wire::Refusal;
use wire::action::{Instruction, Outcome, Reference};

/// What a provider would say to an instruction, as `tensfer withdraw --preview --json`; nothing is moved, and nothing kept.
#[utoipa::path(post, path = "/v1/connections/{id}/preview", operation_id = "preview",
    params(("id" = String, Path, description = "The connection's id or name")),
    request_body = Asked,
    responses(
        (status = 200, description = "What would be signed, and the terms", body = Previewed),
        (status = "default", description = "No answer", body = Details, content_type = "application/problem+json"),
    ))]
pub async fn preview(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    request: Request,
) -> Answered<Previewed> {
    let body = body::read(request).await?;
    let instruction = body::parse::<Asked>(&body)?.instruction(Reference(random()?))?;
    let shown = shared.workers.ask(move |agent| {
        agent.with(&id, |linked, record| {
            let terms = Ordering { linked, record }.preview(&instruction)?;
            Ok(Previewed::of(&bounded(instruction, &terms), &terms))
        })
    });
    Ok(Json(shown.await?))
}

/// Orders, once, whatever moves money; the same request again tells what came of it. A withdrawal, conversion or order needs that
/// the operator has named the second factor.
#[utoipa::path(put, path = "/v1/connections/{id}/actions/{reference}", operation_id = "order",
    params(
        ("id" = String, Path, description = "The connection's id or name"),
        ("reference" = String, Path, description = "32 lower-case hexadecimal digits: random, and kept by the caller before it asks"),
    ),
    request_body = Asked,
    responses(
        (status = 200, description = "What came of it: `outcome.status` says what", body = Ordered),
        (status = "default", description = "Nothing was moved, or it is not known (`retryable`, or a status of 5xx): ask again with the same reference", body = Details, content_type = "application/problem+json"),
    ))]
pub async fn order(
    State(shared): State<Shared>,
    Path((id, reference)): Path<(String, String)>,
    request: Request,
) -> Answered<Ordered> {
    let reference = parse(&reference)?;
    let body = body::read(request).await?;
    let instruction = body::parse::<Asked>(&body)?.instruction(reference)?;
    let ordered = shared.workers.ask(move |agent| {
        let _turn = agent.turn_of(reference)?;
        agent.with(&id, |linked, record| carry_out(agent, linked, record, instruction))
    });
    let (ordered, outcome) = ordered.await?;
    tell(&shared, outcome).await;
    Ok(Json(ordered))
}

/// What was ordered and is not known to have ended, as `tensfer status --json`. Asks nobody.
#[utoipa::path(get, path = "/v1/actions", operation_id = "open_actions", responses(
    (status = 200, description = "Oldest first", body = Vec<Open>),
    (status = "default", description = "No answer", body = Details, content_type = "application/problem+json"),
))]
pub async fn open(State(shared): State<Shared>) -> Answered<Vec<Open>> {
    let listed = shared.workers.ask(|agent| open_actions(agent.home, agent.standing.realm()));
    Ok(Json(listed.await?))
}

/// What became of an instruction, as `tensfer status REFERENCE --json`. One that was refused is that problem again.
#[utoipa::path(get, path = "/v1/actions/{reference}", operation_id = "action",
    params(("reference" = String, Path, description = "32 lower-case hexadecimal digits")),
    responses(
        (status = 200, description = "What became of it", body = ShownOutcome),
        (status = "default", description = "No answer", body = Details, content_type = "application/problem+json"),
    ))]
pub async fn show(State(shared): State<Shared>, Path(reference): Path<String>) -> Answered<ShownOutcome> {
    let reference = parse(&reference)?;
    let asked = shared.workers.ask(move |agent| {
        let _turn = agent.turn_of(reference)?;
        let entry = agent.home.action(agent.standing.realm(), reference)?;
        let connection = entry.connection().to_owned();
        agent.with(&connection, |linked, mut record| settle(linked, &mut record, entry))
    });
    let outcome = asked.await?;
    let shown = ShownOutcome::of(&outcome);
    tell(&shared, outcome).await;
    Ok(Json(shown))
}

/// Notes that the caller is being told. One that hung up meanwhile was not: its handler is gone before this.
///
/// Not to be able to note it costs a question before the same is ordered again, and this answer nothing.
async fn tell(shared: &Shared, outcome: Outcome) {
    let noting = shared.workers.ask(move |agent| {
        let _turn = agent.turn_of(outcome.reference)?;
        told(agent.linked()?, &outcome)
    });
    if let Err(failure) = noting.await {
        say(format!("tensfer agent: {failure}"));
    }
}

/// Orders it, unless that was done.
fn carry_out(
    agent: &Agent<'_>,
    linked: &Linked<'_>,
    mut record: Record,
    instruction: Instruction,
) -> Result<(Ordered, Outcome)> {
    let (home, realm) = (agent.home, agent.standing.realm());
    if let Some(entry) = home.find_action(realm, instruction.reference)? {
        let signed = entry.instruction()?;
        if !entry.is_like(record.id, &instruction)? || !is_within(&signed, &instruction) {
            return Err(conflict());
        }
        let outcome = settle(linked, &mut record, entry)?;
        return Ok((Ordered::of(&signed, None, &outcome), outcome));
    }
    refuse_untold(agent, &record, &instruction)?;
    if instruction.kind.is_dangerous() && !agent.pays() {
        return Err(not_named());
    }
    let mut ordering = Ordering { linked, record };
    let second = ordering.second_factor(&instruction)?;
    let terms = ordering.preview(&instruction)?;
    let instruction = bounded(instruction, &terms);
    agent.note_ordered(instruction.reference);
    let acted = ordering.act(&instruction, second.as_ref());
    let outcome = acted.map_err(|failure| match home.find_action(realm, instruction.reference) {
        Ok(Some(entry)) if entry.refusal().is_some() => refused_for_good(failure),
        _ => in_doubt(failure),
    })?;
    Ok((Ordered::of(&instruction, Some(&terms), &outcome), outcome))
}

/// What became of an instruction that was written down.
fn settle(linked: &Linked<'_>, record: &mut Record, mut entry: Entry) -> Result<Outcome> {
    if let Some(code) = entry.refusal() {
        let refusal = Refusal::ALL.iter().find(|refusal| refusal.code() == code);
        let refusal = refusal.copied().unwrap_or(Refusal::Internal);
        return Err(refused_for_good(explain(refusal, &record.exchange)));
    }
    match entry.outcome()?.filter(|outcome| outcome.status.is_final()) {
        Some(outcome) => Ok(outcome),
        None => inquire(linked, record, &mut entry),
    }
}

/// Another instruction that orders the same, and of which nobody was told what came of it: of two that are alike, providers
/// cannot say which is which, and a caller who has forgotten the first one's reference would pay twice.
fn refuse_untold(agent: &Agent<'_>, record: &Record, instruction: &Instruction) -> Result<()> {
    for entry in agent.untold()? {
        if entry.is_like(record.id, instruction)? {
            let earlier = entry.instruction()?.reference.hex();
            return Err(Failure::new(
                Fault::Usage,
                "unsettled",
                format!("the same was ordered under {earlier}, and nobody was told what came of it; nothing was ordered"),
            )
            .hint(format!("`GET /v1/actions/{earlier}` finds out; then this may be ordered as another")));
        }
    }
    Ok(())
}

/// Whether what was signed keeps the bounds that are asked for now.
fn is_within(signed: &Instruction, asked: &Instruction) -> bool {
    let same = |signed: &Option<String>, asked: &Option<String>| asked.is_none() || signed == asked;
    same(&signed.max_fee, &asked.max_fee) && same(&signed.min_received, &asked.min_received)
}

fn parse(reference: &str) -> Result<Reference> {
    let found = Reference::parse(reference).filter(|found| found.hex() == reference);
    found.ok_or_else(|| caller("instruction_malformed", "a reference is 32 lower-case hexadecimal digits"))
}

fn conflict() -> Failure {
    caller("reference_conflict", "another instruction was ordered under this reference; nothing was ordered")
        .hint("a reference names one instruction for good: make a new one for another")
}

fn not_named() -> Failure {
    Failure::refused(
        "second_factor_needed",
        "the agent was started without the second factor: it pays nothing",
    )
    .hint("an operator who wants payments that nobody confirms names it with `--second-factor FILE`")
}

/// The reference was used, though nothing was moved: the same request gets the same answer.
fn refused_for_good(failure: Failure) -> Failure {
    failure.retryable(false).hint("nothing was moved; order it anew under another reference")
}

fn in_doubt(failure: Failure) -> Failure {
    failure
        .retryable(true)
        .hint("ask again with the same reference: that finds out, and orders nothing twice")
}
