//! Consent classes: which successors of an enclave an envelope's owner lets open it.
//!
//! Each class has roots of its own, so that a program without one opens nothing of it.

use minicbor::{Decode, Encode};

/// Chosen by the owner, at link or later; nobody else changes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Class {
    /// Every program that a root's approvers signed for. What says nothing of a class is of this one.
    #[default]
    #[n(0)]
    Any,
    /// The same, once it has been public for as long as the manifest says.
    #[n(1)]
    Delayed,
    /// This program. Another one only when the owner says so, envelope by envelope.
    #[n(2)]
    Owner,
}

impl Class {
    /// From the loosest to the strictest, which is also their order.
    pub const ALL: [Class; 3] = [Class::Any, Class::Delayed, Class::Owner];

    /// The number on the wire; append-only.
    pub const fn number(self) -> u8 {
        match self {
            Class::Any => 0,
            Class::Delayed => 1,
            Class::Owner => 2,
        }
    }

    pub fn from_number(number: u8) -> Option<Class> {
        Class::ALL.into_iter().find(|class| class.number() == number)
    }

    /// The name in manifests and on command lines.
    pub const fn name(self) -> &'static str {
        match self {
            Class::Any => "any",
            Class::Delayed => "delayed",
            Class::Owner => "owner",
        }
    }

    pub fn parse(name: &str) -> Option<Class> {
        Class::ALL.into_iter().find(|class| class.name() == name)
    }

    /// Bytes leave this class out: those from before there were classes are of it.
    pub const fn is_any(&self) -> bool {
        matches!(self, Class::Any)
    }
}

impl core::fmt::Display for Class {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_has_one_name_and_one_number_and_a_stricter_one_is_greater() {
        for (number, class) in (0u8..).zip(Class::ALL) {
            assert_eq!((class.number(), Class::from_number(number)), (number, Some(class)));
            assert_eq!(Class::parse(class.name()), Some(class));
        }
        assert_eq!((Class::from_number(3), Class::parse("Any"), Class::parse("")), (None, None, None));
        assert!(Class::Any < Class::Delayed && Class::Delayed < Class::Owner);
    }
}
