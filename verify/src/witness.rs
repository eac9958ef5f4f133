//! Witnesses (docs/spec/witnesses.md): what counts as their word, and the rules by which each of them gives it.

mod rules;
#[cfg(test)]
mod tests;

pub use rules::{Rules, Told};

use crate::manifest::{algorithm_of, key_name};
use core::fmt;
use wire::Canonical;
use wire::cose::{self, Protected, Sign1};
use wire::manifest::{MAX_MEMBERS, Signer, Signers};
use wire::transcript::domain;
use wire::witness::{Accepted, Advance, Answer, MAX_ANSWER, Refused, Take};

/// Raw r‖s and Ed25519 signatures alike (m04).
const SIGNATURE_BYTES: usize = 64;

/// The witnesses of a deployment. Any two sets of a threshold share a member: only [`Witnesses::new`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witnesses {
    threshold: usize,
    members: Vec<Signer>,
}

impl Witnesses {
    /// `None`: the threshold is not more than half of the members, or more than all; a key is there twice; or they are
    /// too many.
    pub fn new(signers: &Signers) -> Option<Witnesses> {
        let Signers { threshold, members } = signers;
        let (threshold, number) = (usize::from(*threshold), members.len());
        let is_majority = threshold > number / 2 && threshold <= number && number <= MAX_MEMBERS;
        let each_once = members
            .iter()
            .enumerate()
            .all(|(at, one)| members.iter().skip(at).skip(1).all(|other| other.key != one.key));
        (is_majority && each_once).then(|| Witnesses { threshold, members: members.clone() })
    }

    /// How many must have said the same.
    pub fn threshold(&self) -> usize {
        self.threshold
    }

    pub fn members(&self) -> &[Signer] {
        &self.members
    }
}

/// Why an answer does not count. Whoever brought it can leave it out as well: so it is ignored, and no error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uncounted {
    /// Not a canonical answer in a COSE_Sign1, or too long.
    Malformed,
    /// By no key of a member, or under another algorithm than the key's.
    UnknownKey,
    Signature,
    /// It answers something else: another deployment, line, term, boot, nonce, counter or head.
    OtherQuestion,
    /// This member's answer was counted before.
    Twice,
}

/// Whose word an answer is (from 0, in the members' order), and what it says. Whether it answers what was asked is for
/// the caller to see: [`Promises`] and [`Cosignatures`] do.
pub fn examine(answer: &[u8], members: &[Signer]) -> Result<(usize, Answer), Uncounted> {
    if answer.len() > MAX_ANSWER {
        return Err(Uncounted::Malformed);
    }
    let sign1 = Sign1::from_bytes(answer).map_err(|_| Uncounted::Malformed)?;
    let Protected { algorithm, key } = sign1.protected().map_err(|_| Uncounted::Malformed)?;
    let payload = sign1.payload.ok_or(Uncounted::Malformed)?;
    let member = members.iter().position(|member| key_name(&member.key) == key);
    let (number, member) = member
        .and_then(|number| Some((number, members.get(number)?)))
        .filter(|(_, member)| algorithm_of(member.key.algorithm).0 == algorithm)
        .ok_or(Uncounted::UnknownKey)?;
    if sign1.signature.len() != SIGNATURE_BYTES {
        return Err(Uncounted::Signature);
    }
    let signed = to_be_signed(sign1.protected, payload);
    let (_, verification) = algorithm_of(member.key.algorithm);
    aws_lc_rs::signature::UnparsedPublicKey::new(verification, &member.key.public)
        .verify(&signed, sign1.signature)
        .map_err(|_| Uncounted::Signature)?;
    Ok((number, Answer::from_bytes(payload).map_err(|_| Uncounted::Malformed)?))
}

/// What a witness signs: the `Sig_structure` over an answer's canonical bytes.
pub fn to_be_signed(protected: &[u8], answer: &[u8]) -> Vec<u8> {
    cose::to_be_signed(protected, domain::WITNESS, answer)
}

/// What an answer to one's own question did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    Counted,
    Refused(Refused),
}

/// The answers to one take, as they arrive.
#[derive(Clone, Debug)]
pub struct Promises {
    take: Take,
    by: Vec<(usize, Option<Accepted>)>,
}

/// A quorum promised a term; only [`Promises::term`] makes one.
#[derive(Clone, Debug)]
pub struct Term {
    take: Take,
    from: Option<Accepted>,
}

/// Two witnesses name two heads of one place: at least one of them is broken, and it is not known which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disagree;

impl Promises {
    pub fn new(take: Take) -> Promises {
        Promises { take, by: Vec::new() }
    }

    pub fn take(&self) -> &Take {
        &self.take
    }

    /// # Errors
    /// The answer changed nothing.
    pub fn add(&mut self, witnesses: &Witnesses, answer: &[u8]) -> Result<Heard, Uncounted> {
        let (number, answer) = examine(answer, &witnesses.members)?;
        match answer {
            Answer::Promise(promise) if promise.take == self.take => {
                count(&mut self.by, number, promise.accepted)
            }
            Answer::Refused(refused) if asked_by_take(&refused, &self.take) => Ok(Heard::Refused(refused)),
            _ => Err(Uncounted::OtherQuestion),
        }
    }

    /// How many have promised it so far.
    pub fn heard(&self) -> usize {
        self.by.len()
    }

    /// The term, when as many promised it as must have; `None` until then.
    pub fn term(&self, witnesses: &Witnesses) -> Option<Result<Term, Disagree>> {
        if self.by.len() < witnesses.threshold {
            return None;
        }
        let heads = || self.by.iter().filter_map(|(_, accepted)| *accepted);
        let disagree =
            heads().any(|one| heads().any(|other| other.order() == one.order() && other.head != one.head));
        let from = heads().max_by_key(Accepted::order);
        Some(if disagree { Err(Disagree) } else { Ok(Term { take: self.take, from }) })
    }
}

impl Term {
    pub fn take(&self) -> &Take {
        &self.take
    }

    /// The head to go on from; `None`: the line never had one.
    pub fn from(&self) -> Option<Accepted> {
        self.from
    }
}

/// The answers to one advance, as they arrive.
#[derive(Clone, Debug)]
pub struct Cosignatures {
    advance: Advance,
    by: Vec<(usize, ())>,
}

/// A quorum accepted a head; only [`Cosignatures::commit`] makes one.
#[derive(Clone, Copy, Debug)]
pub struct Committed {
    advance: Advance,
}

impl Cosignatures {
    pub fn new(advance: Advance) -> Cosignatures {
        Cosignatures { advance, by: Vec::new() }
    }

    pub fn advance(&self) -> &Advance {
        &self.advance
    }

    /// # Errors
    /// The answer changed nothing.
    pub fn add(&mut self, witnesses: &Witnesses, answer: &[u8]) -> Result<Heard, Uncounted> {
        let (number, answer) = examine(answer, &witnesses.members)?;
        match answer {
            Answer::Cosignature(advance) if advance == self.advance => count(&mut self.by, number, ()),
            Answer::Refused(refused) if asked_by_advance(&refused, &self.advance) => {
                Ok(Heard::Refused(refused))
            }
            _ => Err(Uncounted::OtherQuestion),
        }
    }

    /// How many have signed it so far.
    pub fn heard(&self) -> usize {
        self.by.len()
    }

    /// The commit, when as many cosigned it as must have.
    pub fn commit(&self, witnesses: &Witnesses) -> Option<Committed> {
        (self.by.len() >= witnesses.threshold).then_some(Committed { advance: self.advance })
    }
}

impl Committed {
    pub fn advance(&self) -> &Advance {
        &self.advance
    }
}

fn count<T>(by: &mut Vec<(usize, T)>, number: usize, said: T) -> Result<Heard, Uncounted> {
    if by.iter().any(|(counted, _)| *counted == number) {
        return Err(Uncounted::Twice);
    }
    by.push((number, said));
    Ok(Heard::Counted)
}

fn asked_by_take(refused: &Refused, take: &Take) -> bool {
    (refused.deployment, refused.line, refused.term, refused.boot)
        == (take.deployment, take.line, take.term, take.boot)
}

fn asked_by_advance(refused: &Refused, advance: &Advance) -> bool {
    (refused.deployment, refused.line, refused.term, refused.boot)
        == (advance.deployment, advance.line, advance.term, advance.boot)
}

impl fmt::Display for Disagree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("two witnesses name two heads of one place")
    }
}

impl core::error::Error for Disagree {}

impl fmt::Display for Uncounted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Uncounted::Malformed => "not an answer of a witness",
            Uncounted::UnknownKey => "by no witness of this deployment",
            Uncounted::Signature => "its signature does not hold",
            Uncounted::OtherQuestion => "it answers another question",
            Uncounted::Twice => "this witness was counted before",
        })
    }
}

impl core::error::Error for Uncounted {}
