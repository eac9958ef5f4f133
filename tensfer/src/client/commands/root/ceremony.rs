//! Asking an enclave that has no root yet, and what its evidence has to prove.

use super::explain;
use super::relay::Relay;
use crate::client::failure::{Failure, Result};
use crate::client::options::Options;
use verify::Expect;
use verify::measurement::Hex;
use verify::setup::{Outcome, SetupRefused};
use wire::Canonical;
use wire::ceremony::{Answer, Ceremony};
use wire::manifest::Manifest;

/// One step; a refusal is a failure.
pub fn ask(relay: &Relay, step: &Ceremony, manifest: Option<&Manifest>) -> Result<Answer> {
    let answer = Answer::from_bytes(&relay.ceremony(&step.to_bytes())?).map_err(|_| unexpected())?;
    match answer {
        Answer::Refused(refused) => Err(explain(&refused, manifest)),
        answer => Ok(answer),
    }
}

/// The answer to another question than was asked.
pub fn unexpected() -> Failure {
    Failure::host("unexpected", "the relay answered something else than it was asked")
}

/// What the manifest says, and whom this command line trusts to vouch for it.
pub fn expect(options: &Options, manifest: &Manifest) -> Result<Expect> {
    let trusted = options.expect_enclave()?;
    let mut expect = verify::manifest::expect(manifest);
    (expect.snp, expect.tdx) = (trusted.snp, trusted.tdx);
    expect.dangerous_simulated = trusted.dangerous_simulated;
    Ok(expect)
}

/// What was proven, or why nothing was.
pub fn proven<T>(outcome: Outcome<T>) -> Result<T> {
    outcome.verdict.map_err(|refused| {
        let measured = outcome.registers.iter().filter(|(_, value)| value.iter().any(|byte| *byte != 0));
        let measured: Vec<String> = measured.map(|(name, value)| format!("{name}={}", Hex(value))).collect();
        let sentence = format!("the enclave's evidence was refused: {refused} ({})", refused.code());
        let failure = Failure::refused(refused.code(), sentence);
        match refused {
            SetupRefused::Evidence(verify::Refused::MeasurementMismatch) => failure.hint(format!(
                "nothing was signed or released. The program that runs is none of the manifest's: {}",
                measured.join(" ")
            )),
            SetupRefused::Evidence(verify::Refused::SimulatedNotAllowed) => {
                failure.hint(
                    "nothing was signed or released. For development only: `--dangerous-simulated FILE`, the root of the very \
                     start that made this evidence",
                )
            }
            _ => failure.hint("nothing was signed or released. Do not try elsewhere before you know why"),
        }
    })
}
