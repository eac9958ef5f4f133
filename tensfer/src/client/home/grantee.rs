//! The keys of whom grants name, `REALM/grantee.key`: pairs of one that signs each request, and one that grant shares are
//! sealed to (docs/spec/client.md §12).

use super::Home;
use super::key_file::Purpose;
use super::keys::SigningKey;
use super::realm::Realm;
use crate::client::encode::canonical_secret;
use crate::client::failure::{Failure, Result};
use minicbor::bytes::ByteSlice;
use minicbor::{Decode, Encode};
use std::fmt;
use std::path::PathBuf;
use verify::hpke::RecipientKey;
use wire::Canonical;
use wire::owner::{OwnerKey, OwnerRole};
use zeroize::Zeroizing;

/// Pairs that one file holds.
const MAX_PAIRS: usize = 16;
/// Room for one of them.
const ROOM: usize = 3 << 10;

/// Pairs of keys, oldest first: the newest is given to owners, and the others are for grants that name them.
pub struct Grantee {
    pairs: Vec<Pair>,
}

pub struct Pair {
    pub signing: SigningKey,
    pub sealing: RecipientKey,
    /// What the latter is read from.
    kept: Zeroizing<Vec<u8>>,
}

/// The plaintext of the file. Borrows from a buffer that is zeroized.
#[derive(Encode, Decode)]
#[cbor(map)]
struct Plaintext<'b> {
    #[b(0)]
    pairs: Vec<PlainPair<'b>>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct PlainPair<'b> {
    /// Ed25519, PKCS#8.
    #[b(0)]
    signing: &'b ByteSlice,
    /// ML-KEM decapsulation key (2,400) and X25519 private key (32).
    #[b(1)]
    sealing: &'b ByteSlice,
}

impl<'b> Canonical<'b> for Plaintext<'b> {}

impl Grantee {
    fn make() -> Result<Grantee> {
        let mut grantee = Grantee { pairs: Vec::new() };
        grantee.add()?;
        Ok(grantee)
    }

    fn add(&mut self) -> Result<()> {
        if self.pairs.len() >= MAX_PAIRS {
            return Err(Failure::refused(
                "too_many_keys",
                "your file of grantee keys holds as many as it may",
            )
            .hint("a TENSFER_HOME of its own can hold others"));
        }
        let signing = SigningKey::generate(OwnerRole::Device)?;
        let made = RecipientKey::generate_kept();
        let (sealing, kept) = made.map_err(|_| Failure::internal("this machine could not make a key"))?;
        self.pairs.push(Pair { signing, sealing, kept });
        Ok(())
    }

    /// The pair for owners who are to grant something.
    pub fn newest(&self) -> Result<&Pair> {
        self.pairs.last().ok_or_else(damaged)
    }

    /// The pair that a grant names.
    pub fn find(&self, named: &OwnerKey) -> Option<&Pair> {
        self.pairs.iter().find(|pair| pair.signing.public() == named)
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let pairs = self.pairs.iter().map(|pair| PlainPair {
            signing: pair.signing.pkcs8().into(),
            sealing: pair.kept.as_slice().into(),
        });
        canonical_secret(&Plaintext { pairs: pairs.collect() }, MAX_PAIRS * ROOM)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Grantee> {
        let plaintext = Plaintext::from_bytes(bytes).map_err(|_| damaged())?;
        let pairs: Option<Vec<Pair>> = plaintext.pairs.iter().map(Pair::parse).collect();
        match pairs {
            Some(pairs) if (1..=MAX_PAIRS).contains(&pairs.len()) => Ok(Grantee { pairs }),
            _ => Err(damaged()),
        }
    }
}

impl Pair {
    fn parse(plain: &PlainPair<'_>) -> Option<Pair> {
        let kept = Zeroizing::new(plain.sealing.to_vec());
        let sealing = RecipientKey::kept(&kept).ok()?;
        Some(Pair { signing: SigningKey::from_pkcs8(plain.signing, OwnerRole::Device)?, sealing, kept })
    }
}

impl Home {
    /// The keys of whom grants name. `None`: there are none yet.
    pub fn grantee(&self, realm: Realm) -> Result<Option<Grantee>> {
        let Some(secret) = self.read_keys(&self.grantee_path(realm), (Purpose::Grantee, realm))? else {
            return Ok(None);
        };
        Grantee::from_bytes(&secret).map(Some)
    }

    /// The same of a realm in which something was granted to them.
    pub fn existing_grantee(&self, realm: Realm) -> Result<Grantee> {
        if let Some(grantee) = self.grantee(realm)? {
            return Ok(grantee);
        }
        match self.has_taken_grants(realm)? {
            true => Err(super::missing(&self.grantee_path(realm))),
            false => Err(Failure::usage(format!("you have no keys yet that {realm} grants could name"))
                .hint("make them with `tensfer granted key`, and give owners the public ones")),
        }
    }

    /// Makes them now if there are none; never again because a file is missing (m14). `anew`: with a further pair, which
    /// owners are given from now on.
    pub fn grantee_or_new(&self, realm: Realm, anew: bool) -> Result<Grantee> {
        let grantee = match self.grantee(realm)? {
            Some(grantee) if !anew => return Ok(grantee),
            Some(mut grantee) => {
                grantee.add()?;
                grantee
            }
            None if self.has_taken_grants(realm)? => return Err(super::missing(&self.grantee_path(realm))),
            None => Grantee::make()?,
        };
        self.write_keys(&self.grantee_path(realm), (Purpose::Grantee, realm), &grantee.to_bytes())?;
        Ok(grantee)
    }

    fn grantee_path(&self, realm: Realm) -> PathBuf {
        self.root.join(realm.name()).join("grantee.key")
    }
}

impl fmt::Debug for Grantee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Grantee({} pairs)", self.pairs.len())
    }
}

fn damaged() -> Failure {
    Failure::refused(
        "key_file_damaged",
        "what your file of grantee keys holds is not what this program wrote",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grantees_keys_read_back_and_nothing_else_does() {
        let mut made = Grantee::make().unwrap();
        made.add().unwrap();
        let bytes = made.to_bytes();
        let read = Grantee::from_bytes(&bytes).unwrap();
        assert_eq!(read.pairs.len(), 2);
        for (made, read) in made.pairs.iter().zip(&read.pairs) {
            assert_eq!(read.signing.public(), made.signing.public());
            assert_eq!(read.sealing.public_key().bytes(), made.sealing.public_key().bytes());
        }
        assert!(Grantee::from_bytes(b"").is_err() && Grantee::from_bytes(&bytes[1..]).is_err());
        assert_eq!(format!("{made:?}"), "Grantee(2 pairs)");
    }

    #[test]
    fn a_grant_finds_the_pair_that_it_names_and_owners_are_given_the_newest() {
        let mut grantee = Grantee::make().unwrap();
        let first = grantee.newest().unwrap().signing.public().clone();
        grantee.add().unwrap();
        assert!(grantee.find(&first).is_some());
        assert_ne!(grantee.newest().unwrap().signing.public(), &first);
        let stranger = Grantee::make().unwrap();
        assert!(grantee.find(stranger.newest().unwrap().signing.public()).is_none());
    }
}
