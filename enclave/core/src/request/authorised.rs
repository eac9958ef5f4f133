//! The owner's signatures, and how many of them an operation needs.

use super::Fresh;
use crate::clock::Clock;
use crate::connections::LastReceipt;
use crate::envelope::Rotation;
use crate::nonces::{Nonces, Requester};
use crate::owner::{Signed, check_set};
use wire::Refusal;
use wire::action::Kind;
use wire::consent::Class;
use wire::identity::RelyingParty;
use wire::operation::Op;
use wire::owner::{OwnerKey, OwnerRole};
use wire::request;

/// A request that its owner signed, with every factor that its operation needs. Nothing is spent yet.
pub(crate) struct Consent(());

/// A request that its owner signed, with every factor that its operation needs, and that is spent: it cannot come
/// again. What works with a credential takes this.
pub(crate) struct Authorised {
    pub(crate) last_receipt: LastReceipt,
    _checked: (),
}

/// How many of the owner's factors an operation takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Factors {
    Device,
    DeviceAndSecond,
}

/// What in an operation's arguments decides how dangerous it is.
#[derive(Clone, Copy)]
pub(crate) enum Danger<'a> {
    None,
    Rotation(&'a Rotation),
    Action(Kind),
}

impl Factors {
    /// The floor: compiled in, and nothing lowers it. A rotation that changes who opens the envelope is as dangerous
    /// as an export: with the device key alone, a thief would make it their own. So is handing it on to another program; taking it
    /// in there is what was authorised then. So is letting somebody else use it, and whatever moves value out of the owner's accounts, or into another asset.
    /// `class` is the one that the envelope has.
    pub(crate) fn of(op: Op, danger: Danger<'_>, class: Class) -> Factors {
        match (op, danger) {
            (Op::Export | Op::HandOn | Op::Grant, _) => Factors::DeviceAndSecond,
            (Op::Rotate, Danger::Rotation(rotation)) if rotation.changes_who_opens(class) => {
                Factors::DeviceAndSecond
            }
            (Op::Act, Danger::Action(Kind::Transfer)) => Factors::Device,
            (Op::Act, _) => Factors::DeviceAndSecond,
            (
                Op::Link
                | Op::Balances
                | Op::Read
                | Op::Rotate
                | Op::Acknowledge
                | Op::Inspect
                | Op::Forget
                | Op::Preview
                | Op::Status
                | Op::Begin
                | Op::Finish
                | Op::Refresh
                | Op::Revoke
                | Op::RotateKey
                | Op::Panic
                | Op::Challenge
                | Op::Prove
                | Op::ConfirmBackup
                | Op::TakeIn
                | Op::Ungrant
                | Op::Grants,
                _,
            ) => Factors::Device,
        }
    }

    fn check(self, signed: &Signed<'_>, owners: &[OwnerKey]) -> Result<(), Refusal> {
        if !signed.by_role(owners, OwnerRole::Device) {
            return Err(Refusal::NotAuthorised);
        }
        if self == Factors::DeviceAndSecond && !signed.by_role(owners, OwnerRole::Second) {
            return Err(Refusal::SecondFactorNeeded);
        }
        Ok(())
    }
}

impl Consent {
    /// By the `owners` in the envelope. `new_owners` is the set that a rotation brings in: each of its keys signs too.
    /// Passkeys count for these relying parties.
    pub(crate) fn check(
        message: &request::Authorised<'_>,
        factors: Factors,
        owners: &[OwnerKey],
        new_owners: Option<&[OwnerKey]>,
        parties: &[RelyingParty],
    ) -> Result<Consent, Refusal> {
        let new_owners = new_owners.unwrap_or_default();
        let known: Vec<&OwnerKey> = union(owners, new_owners);
        let signed = Signed::check(message.request, &message.signatures, &known, parties)?;
        factors.check(&signed, owners)?;
        if !new_owners.iter().all(|key| signed.by(key)) {
            return Err(Refusal::PossessionNotProven);
        }
        Ok(Consent(()))
    }

    /// By the one key that a grant names, and nobody else's.
    pub(crate) fn check_granted(
        message: &request::Authorised<'_>,
        key: &OwnerKey,
    ) -> Result<Consent, Refusal> {
        Signed::check_granted(message.request, &message.signatures, key)?;
        Ok(Consent(()))
    }

    /// By the owners that a link request names: each proves possession, and the set is one that can be kept.
    pub(crate) fn check_link(
        message: &request::Authorised<'_>,
        owners: &[OwnerKey],
        parties: &[RelyingParty],
    ) -> Result<Consent, Refusal> {
        check_set(owners, parties)?;
        Consent::check(message, Factors::Device, owners, Some(owners), parties)
    }
}

impl Authorised {
    /// Spends the request, within the requester's quota.
    pub(crate) fn spend(
        _: Consent,
        fresh: Fresh,
        requester: Requester,
        clock: &mut Clock,
        nonces: &mut Nonces,
    ) -> Result<Authorised, Refusal> {
        Ok(Authorised { last_receipt: fresh.spend(requester, clock, nonces)?, _checked: () })
    }
}

fn union<'k>(owners: &'k [OwnerKey], new_owners: &'k [OwnerKey]) -> Vec<&'k OwnerKey> {
    let added = new_owners.iter().filter(|key| !owners.contains(key));
    owners.iter().chain(added).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_value_away_takes_both_factors_and_looking_takes_one() {
        for kind in Kind::ALL {
            let wanted = if kind.is_dangerous() { Factors::DeviceAndSecond } else { Factors::Device };
            assert_eq!(Factors::of(Op::Act, Danger::Action(kind), Class::Any), wanted, "{kind:?}");
            assert_eq!(Factors::of(Op::Preview, Danger::Action(kind), Class::Any), Factors::Device);
            assert_eq!(Factors::of(Op::Status, Danger::Action(kind), Class::Any), Factors::Device);
        }
        assert_eq!(Factors::of(Op::Act, Danger::None, Class::Any), Factors::DeviceAndSecond);
    }
}
