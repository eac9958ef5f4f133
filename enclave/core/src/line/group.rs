//! Who witnesses a line: the witnesses that the manifest names, and those whose place they took (docs/spec/freshness.md §8).

use crate::boot::StartFailed;
use crate::hash::sha256;
use verify::witness::Witnesses;
use wire::Canonical;
use wire::evidence::Hash;
use wire::freshness::{Witnessed, generation_of, group_transcript};
use wire::manifest::{Replaced, Signers};
use wire::register::Head;

/// Witnesses of one generation.
pub(super) struct Group {
    /// What they are asked for.
    pub(super) name: Hash,
    pub(super) generation: u16,
    pub(super) witnesses: Witnesses,
}

/// All that one manifest names.
pub(super) struct Groups {
    pub(super) own: Group,
    /// Asked for where the line is, as long as the own ones know of no head; `None`: the own ones are the first.
    pub(super) former: Option<Group>,
}

/// Which of both is asked, or signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Own,
    Former,
}

impl Groups {
    pub(super) fn new(named: &Witnessed) -> Result<Groups, StartFailed> {
        let deployment = &named.deployment;
        let group = |generation, signers| Group::new(deployment, generation, signers);
        let Some(Replaced { generation, former }) = &named.replaced else {
            return Ok(Groups { own: group(0, &named.witnesses)?, former: None });
        };
        let before = generation.checked_sub(1).ok_or(StartFailed::Witnesses)?;
        let (own, former) = (group(*generation, &named.witnesses)?, group(before, former)?);
        Ok(Groups { own, former: Some(former) })
    }

    pub(super) fn of(&self, side: Side) -> Option<&Group> {
        match side {
            Side::Own => Some(&self.own),
            Side::Former => self.former.as_ref(),
        }
    }
}

impl Group {
    fn new(deployment: &Hash, generation: u16, signers: &Signers) -> Result<Group, StartFailed> {
        let witnesses = Witnesses::new(signers).ok_or(StartFailed::Witnesses)?;
        let keys = Hash(sha256(&signers.to_bytes()));
        let name = match generation {
            0 => *deployment,
            _ => Hash(sha256(&group_transcript(deployment, generation, &keys))),
        };
        Ok(Group { name, generation, witnesses })
    }

    /// As heads name it.
    pub(super) fn in_heads(&self) -> Option<Hash> {
        (self.generation > 0).then_some(self.name)
    }
}

/// Whether the line has left these witnesses, or takes another way than to them: a head that says so is proof enough, for it
/// is made by an enclave alone, and no later one of theirs is ever made behind it.
pub(super) fn has_left(groups: Option<&Groups>, head: &Head) -> bool {
    let Some(Groups { own, former }) = groups else {
        return head.group.is_some() || head.closed_for.is_some();
    };
    let is_of = |group: &Group| head.group == group.in_heads();
    let generation = generation_of(head.term);
    if former.as_ref().is_some_and(|former| generation == u64::from(former.generation) && is_of(former)) {
        return head.closed_for.is_some_and(|closed_for| closed_for != own.name);
    }
    generation >= u64::from(own.generation) && (!is_of(own) || head.closed_for.is_some())
}
