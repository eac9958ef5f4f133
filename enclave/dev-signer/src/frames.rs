//! Which frames of an emulated enclave carry a document to sign.

use crate::authority::Authority;
use crate::emulated::{NotSigned, sign};
use wire::ceremony::Answer;
use wire::evidence::Evidence;
use wire::frame::{Frame, FrameError, Kind};
use wire::{Canonical, UnixMillis};

/// Why a frame is not passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Not a frame, or its body has not its kind's form.
    Malformed,
    NotSigned(NotSigned),
}

/// Appends the frame to `out`, its document signed if it has one; any other frame as it came.
pub fn pass(
    frame: Frame<'_>,
    authority: &mut Authority,
    now: UnixMillis,
    out: &mut Vec<u8>,
) -> Result<(), Stopped> {
    let written = match frame.kind {
        Kind::Evidence => {
            let mut evidence = Evidence::from_bytes(frame.body).map_err(|_| Stopped::Malformed)?;
            evidence.document = sign(&evidence.document, authority, now).map_err(Stopped::NotSigned)?;
            Frame::write(frame.kind, frame.stream, &evidence.to_bytes(), out)
        }
        Kind::CeremonyAnswer => {
            let mut answer = Answer::from_bytes(frame.body).map_err(|_| Stopped::Malformed)?;
            if let Answer::Genesis(attested) | Answer::Setup(attested) | Answer::HandOver(attested) =
                &mut answer
            {
                attested.evidence = sign(&attested.evidence, authority, now).map_err(Stopped::NotSigned)?;
            }
            Frame::write(frame.kind, frame.stream, &answer.to_bytes(), out)
        }
        _ => Frame::write(frame.kind, frame.stream, frame.body, out),
    };
    written.map_err(|_: FrameError| Stopped::Malformed)
}
