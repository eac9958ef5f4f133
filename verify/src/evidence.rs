//! Evidence of every kind, through one door.

use crate::attested::{Accepted, Attested, Freshness};
use crate::expect::{Expect, Kind};
use crate::{Examination, Refused, nitro, release, snp, tdx};
use wire::UnixMillis;

/// What a TEE's document came with.
#[derive(Clone, Copy, Debug)]
pub struct Presented<'b> {
    pub kind: Kind,
    /// The TEE's own document: a COSE_Sign1, a report, a quote.
    pub document: &'b [u8],
    /// Certificates that are not in the document, DER: of SEV-SNP the chip's.
    pub certificates: &'b [Vec<u8>],
    /// What the vendor says of its platforms at the time: of TDX, as JSON.
    pub collateral: Option<&'b [u8]>,
}

impl<'b> Presented<'b> {
    /// A Nitro document, which carries all that it needs.
    pub const fn nitro(document: &'b [u8]) -> Presented<'b> {
        Presented { kind: Kind::Nitro, document, certificates: &[], collateral: None }
    }
}

/// What the program put into its document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claims<'b> {
    /// Report data of 64 bytes, or what a Nitro enclave has in its place.
    pub(crate) data: Option<&'b [u8]>,
    /// Nitro's field of that name.
    pub(crate) nonce: Option<&'b [u8]>,
}

/// Runs the checks `kind` to `measurement` in order, and `release` where only a release names the program. What ties the document to a nonce or an identity is the caller's
/// check after them; `answers` tells before, for the clock.
pub(crate) fn check<'b>(
    presented: &Presented<'b>,
    expect: &Expect,
    at: UnixMillis,
    answers: impl FnOnce(&Claims<'_>) -> Freshness,
    examination: &mut Examination,
) -> Result<(Attested, Claims<'b>), Refused> {
    if !expect.kinds.contains(&presented.kind) {
        return examination.check("kind", || Err(Refused::KindNotAllowed));
    }
    let (attested, claims) = match presented.kind {
        Kind::Nitro => nitro::check(presented.document, expect, at, answers, examination),
        Kind::SevSnp => snp::check(presented.document, presented.certificates, expect, at, examination),
        Kind::Tdx => tdx::check(presented.document, presented.collateral, expect, at, examination),
    }?;
    if attested.accepted == Accepted::Released {
        examination.check("release", || release::check(&expect.releases, &attested, at))?;
    }
    Ok((attested, claims))
}
