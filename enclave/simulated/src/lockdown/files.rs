//! No file system, no TCP, no signals or sockets to processes outside (landlock).

use super::Held;
use landlock::{ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetStatus, Scope};

pub fn forbid() -> Held {
    let restricted = Ruleset::default()
        .handle_access(AccessFs::from_all(ABI::V6))
        .and_then(|ruleset| ruleset.handle_access(AccessNet::from_all(ABI::V6)))
        .and_then(|ruleset| ruleset.scope(Scope::from_all(ABI::V6)))
        .and_then(Ruleset::create)
        .and_then(landlock::RulesetCreated::restrict_self);
    match restricted.map(|status| status.ruleset) {
        Ok(RulesetStatus::FullyEnforced) => Held::Yes,
        Ok(RulesetStatus::PartiallyEnforced) => Held::Partly("an older landlock: only part of it"),
        Ok(RulesetStatus::NotEnforced) | Err(_) => Held::No("the kernel has no landlock"),
    }
}
