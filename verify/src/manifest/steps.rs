//! What a manifest may ask an enclave for, and which one follows it (docs/spec/provisioning.md §2, §10).

use super::Approved;
use wire::manifest::{Manifest, Replaced, RootCommitment, Stage, Step};

/// The epoch that a genesis makes of each class.
pub const FIRST_EPOCH: u32 = 1;

impl Approved {
    /// Whether `next` may follow this one without a new ceremony: same name, environment, approvers and holders, the same
    /// witnesses (if it has any) or ones who replace them, every class of this one, every root but the oldest, the first one by name, hours of class `delayed` that are no fewer, and a higher nonce; or the same
    /// manifest. No enclave runs under a manifest that asks for something, no epoch goes back to pending, and none that is
    /// over comes back.
    pub fn admits(&self, next: &Approved) -> bool {
        let is_same = next.hash == self.hash;
        is_same && asks_nothing(&next.manifest)
            || succeeds(&self.manifest, &next.manifest) && keeps_witnesses(&self.manifest, &next.manifest)
    }

    /// Whether `next` may follow what this one asked for and got: the roots that were made for it, or shared anew. What a
    /// holder of those shares checks, who may not have seen the manifests between: so witnesses may have been replaced more
    /// than once.
    pub fn admits_after(&self, made: &[RootCommitment], next: &Approved) -> bool {
        if !leads_to_witnesses(&self.manifest, &next.manifest) {
            return false;
        }
        let is_shared_anew = self.manifest.reshare.is_some();
        if is_shared_anew {
            succeeds(&with_made(&self.manifest, made), &next.manifest)
        } else {
            self.admits(next) || succeeds(&self.manifest, &next.manifest)
        }
    }

    /// Whether `asking` asks an enclave that runs under this manifest for epochs: it is newer, of the same people and
    /// roots, and no step that is under way is left out or taken in passing.
    pub fn may_ask(&self, asking: &Approved) -> bool {
        let (own, asking) = (&self.manifest, &asking.manifest);
        let under_way = |step: &&Step| step.stage == Stage::Pending;
        let asks = asking.steps().iter().any(|step| step.stage == Stage::Make);
        asks && asking.nonce > own.nonce
            && same_lineage(own, asking)
            && keeps_witnesses(own, asking)
            && asking.roots == own.roots
            && asking.steps().iter().filter(under_way).eq(own.steps().iter().filter(under_way))
    }

    /// Whether `asking` asks the holders of this manifest's roots to have them split to others, and would follow it otherwise.
    pub fn may_reshare(&self, asking: &Approved) -> bool {
        let settled = Manifest { reshare: None, ..asking.manifest.clone() };
        asking.manifest.reshare.is_some()
            && succeeds(&self.manifest, &settled)
            && leads_to_witnesses(&self.manifest, &settled)
    }
}

fn succeeds(old: &Manifest, new: &Manifest) -> bool {
    // Whether an epoch may be over, the enclave that holds it knows.
    let keeps = old.roots.iter().all(|root| new.roots.contains(root) || new.has_ended(root));
    let is_over = |root: &RootCommitment| {
        !old.roots.contains(root) && old.newest(&root.class).is_some_and(|newest| newest >= root.epoch)
    };
    let brings_back = new.roots.iter().any(is_over)
        || new.steps().iter().any(|step| {
            let was_known = old.newest(&step.class).is_some_and(|newest| newest >= step.epoch);
            was_known && !old.is_pending(&step.class, step.epoch)
        });
    new.nonce > old.nonce && same_lineage(old, new) && keeps && !brings_back && asks_nothing(new)
}

/// Whether two manifests are of the same people, for the same deployment, and the newer one gives up no class and opens
/// none earlier.
fn same_lineage(old: &Manifest, new: &Manifest) -> bool {
    new.name == old.name
        && (old.roots.is_empty() || new.first_root() == old.first_root())
        && new.environment == old.environment
        && new.approvers == old.approvers
        && new.holders == old.holders
        && old.classes.iter().all(|class| new.classes.contains(class))
        && old.delay.is_none_or(|hours| new.delay.is_some_and(|next| next >= hours))
}

/// Whether the witnesses are the same, the first ones, or the very next: who take over from the older one's as they are.
fn keeps_witnesses(old: &Manifest, new: &Manifest) -> bool {
    if old.witnesses.members.is_empty() {
        return new.replaced.is_none();
    }
    let are_same = new.witnesses == old.witnesses && new.replaced == old.replaced;
    let next = old.generation().checked_add(1);
    let replace = |replaced: &Replaced| Some(replaced.generation) == next && replaced.former == old.witnesses;
    are_same || new.replaced.as_ref().is_some_and(replace)
}

/// The same, with others between that are not seen here: an enclave goes over from those whom the newer ones replaced, and
/// from nobody who has not taken over from others before (docs/spec/freshness.md §8).
fn leads_to_witnesses(old: &Manifest, new: &Manifest) -> bool {
    let are_later = old.generation().checked_add(1).is_some_and(|next| new.generation() > next);
    let begin_between = old.witnesses.members.is_empty() && new.generation() > 0;
    keeps_witnesses(old, new) || are_later || begin_between
}

/// Whether an enclave may run under it.
fn asks_nothing(manifest: &Manifest) -> bool {
    manifest.reshare.is_none() && manifest.steps().iter().all(|step| step.stage == Stage::Pending)
}

/// The manifest that has to follow one that asked for roots: it commits to what was made. Epochs after others are
/// pending; the first roots of all, and the first of a program, are current; what was shared anew has new holders. Nonce and
/// validity are the caller's to change.
pub fn with_made(asked: &Manifest, made: &[RootCommitment]) -> Manifest {
    if let Some(holders) = &asked.reshare {
        return Manifest { holders: holders.clone(), roots: made.to_vec(), reshare: None, ..asked.clone() };
    }
    let of_class = |class: &String| {
        let all = asked.roots.iter().chain(made);
        all.filter(|root| root.class == *class).cloned().collect::<Vec<_>>()
    };
    let is_first = |step: &&Step| {
        let mut made = made.iter().filter(|root| (&root.class, root.epoch) == (&step.class, step.epoch));
        made.any(|root| asked.is_first(root))
    };
    let steps = asked.steps().iter().filter(|step| !is_first(step));
    let steps: Vec<Step> = steps.map(|step| Step { stage: Stage::Pending, ..step.clone() }).collect();
    Manifest {
        roots: asked.classes.iter().flat_map(of_class).collect(),
        steps: (!steps.is_empty()).then_some(steps),
        ..asked.clone()
    }
}

/// Whether what a genesis, a beginning or a new split made is what `asked` asks for: of each epoch one root, in order.
pub(crate) fn is_answered(asked: &Manifest, made: &[RootCommitment]) -> bool {
    if asked.reshare.is_some() {
        let pairs = asked.roots.iter().zip(made);
        return asked.roots.len() == made.len() && pairs.into_iter().all(|(root, made)| root.is_same(made));
    }
    let made = made.iter().map(|root| (root.class.as_str(), root.epoch));
    let wanted = asked.steps().iter().filter(|step| step.stage == Stage::Make);
    let wanted = wanted.map(|step| (step.class.as_str(), step.epoch));
    if asked.roots.is_empty() {
        made.eq(asked.classes.iter().map(|class| (class.as_str(), FIRST_EPOCH)))
    } else {
        made.eq(wanted)
    }
}
