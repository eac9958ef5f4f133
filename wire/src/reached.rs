//! How far the epochs of the classes beside `any` have come: what a head of the register commits to, so that no later start
//! opens or seals with older ones (docs/spec/rotation.md §3).

use crate::cbor::canonical;
use crate::consent::Class;
use crate::evidence::Hash;
use minicbor::{Decode, Encode};

/// As many as a manifest can have roots.
pub const MAX_REACHED: usize = crate::manifest::MAX_ROOTS;

/// The epochs of one class; of class `owner`, those of one program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Reached {
    #[n(0)]
    pub class: Class,
    /// The oldest that was not destroyed; from 1.
    #[n(1)]
    pub oldest: u32,
    #[n(2)]
    pub current: u32,
    /// Of class `owner`: whose they are, as a manifest names it ([`crate::manifest::RootCommitment`]). A simulation has no
    /// manifest, and one program.
    #[n(3)]
    pub program: Option<Hash>,
}

impl Reached {
    /// Whose epochs these are.
    pub fn whose(&self) -> (Class, Option<Hash>) {
        (self.class, self.program)
    }
}

/// Of every class and program of which a start that wrote the line has held roots: ascending by class, then program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct AllReached(#[n(0)] pub Vec<Reached>);

impl AllReached {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether everybody is there once, in order, with numbers that agree with each other.
    pub fn is_coherent(&self) -> bool {
        let agrees = |one: &Reached| {
            let has_program = one.program.is_some();
            (1..=one.current).contains(&one.oldest)
                && !one.class.is_any()
                && (!has_program || one.class == Class::Owner)
        };
        self.0.len() <= MAX_REACHED
            && self.0.iter().all(agrees)
            && self.0.is_sorted_by(|one, next| order(one) < order(next))
    }

    pub fn of(&self, whose: (Class, Option<Hash>)) -> Option<&Reached> {
        self.0.iter().find(|one| one.whose() == whose)
    }

    /// Takes in what is held now. Nothing goes back, and what is said of others stays.
    pub fn rise(&mut self, held: &Reached) {
        match self.0.iter_mut().find(|one| one.whose() == held.whose()) {
            Some(known) => {
                known.oldest = known.oldest.max(held.oldest);
                known.current = known.current.max(held.current);
            }
            None => {
                self.0.push(*held);
                self.0.sort_by_key(order);
            }
        }
    }
}

fn order(one: &Reached) -> (Class, Option<[u8; 32]>) {
    (one.class, one.program.map(|Hash(program)| program))
}

canonical!(AllReached);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Canonical;

    const PROGRAM: Option<Hash> = Some(Hash([7; 32]));

    fn of(class: Class, oldest: u32, current: u32, program: Option<Hash>) -> Reached {
        Reached { class, oldest, current, program }
    }

    #[test]
    fn what_contradicts_itself_is_not_coherent() {
        let (delayed, owner) = (of(Class::Delayed, 2, 3, None), of(Class::Owner, 1, 1, PROGRAM));
        assert!(AllReached::default().is_coherent());
        assert!(AllReached(vec![delayed, owner]).is_coherent());
        for bad in [
            vec![owner, delayed],
            vec![owner, owner],
            vec![Reached { oldest: 0, ..owner }],
            vec![Reached { oldest: 2, ..owner }],
            vec![Reached { class: Class::Any, program: None, ..owner }],
            vec![Reached { program: PROGRAM, ..delayed }],
        ] {
            assert!(!AllReached(bad.clone()).is_coherent(), "{bad:?}");
        }
    }

    #[test]
    fn epochs_rise_and_never_go_back_and_no_class_changes_anothers() {
        let mut all = AllReached(vec![of(Class::Delayed, 2, 3, None), of(Class::Owner, 1, 4, PROGRAM)]);
        all.rise(&of(Class::Owner, 3, 2, PROGRAM));
        all.rise(&of(Class::Owner, 5, 5, Some(Hash([6; 32]))));
        let others = of(Class::Owner, 5, 5, Some(Hash([6; 32])));
        let expected = [of(Class::Delayed, 2, 3, None), others, of(Class::Owner, 3, 4, PROGRAM)];
        assert_eq!(all, AllReached(expected.to_vec()));
        assert!(all.is_coherent());
    }

    #[test]
    fn m09_another_encoding_is_refused() {
        let all = AllReached(vec![of(Class::Owner, 1, 2, PROGRAM)]);
        assert_eq!(AllReached::from_bytes(&all.to_bytes()), Ok(all.clone()));
        let mut longer = all.to_bytes();
        longer.push(0);
        assert!(AllReached::from_bytes(&longer).is_err());
    }
}
