//! One key on a token: made there, and used there.

use super::failed;
use crate::client::failure::{Failure, Result};
use crate::client::home::key_file::random;
use crate::client::terminal::say;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::elliptic_curve::{EcKdf, Ecdh1DeriveParams};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use zeroize::Zeroizing;

/// DER of the object identifier 1.2.840.10045.3.1.7: P-256 (RFC 5480 §2.1.1.1).
const P256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const POINT_BYTES: usize = 65;
const SIGNATURE_BYTES: usize = 64;
/// The x coordinate of what two keys come to.
pub const SHARED_BYTES: usize = 32;
/// CKA_ID, by which a private key's public half is found.
const ID_BYTES: usize = 16;

/// An uncompressed point: `04 ‖ x ‖ y` (SEC 1 §2.3.3).
pub type Point = [u8; POINT_BYTES];

/// What a key may do: one thing, so that no other use says anything about it (m11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    Sign,
    Agree,
}

/// A key on a token that has taken its PIN.
pub struct Key {
    session: Session,
    private: ObjectHandle,
    public: (ObjectHandle, Point),
}

impl Key {
    /// Makes a key of this name that the token says it will not give out. Never over one of that name.
    pub fn make(session: Session, label: &str, purpose: Use) -> Result<Key> {
        for class in [ObjectClass::PRIVATE_KEY, ObjectClass::PUBLIC_KEY] {
            if !objects(&session, class, name(label))?.is_empty() {
                return Err(Failure::usage(format!("the token has a key `{label}` already"))
                    .hint("choose another `--label`, or take the one that is there: `--existing`"));
            }
        }
        let id: [u8; ID_BYTES] = random()?;
        let (public, private) = templates(label, &id, purpose);
        let made = session.generate_key_pair(&Mechanism::EccKeyPairGen, &public, &private);
        let (public, private) = made.map_err(|error| failed(&error))?;
        match check_kept(&session, private).and_then(|()| point(&session, public)) {
            Ok(point) => Ok(Key { session, private, public: (public, point) }),
            Err(failure) => {
                let _ = (session.destroy_object(private), session.destroy_object(public));
                Err(failure)
            }
        }
    }

    /// The key of this name.
    pub fn find(session: Session, label: &str) -> Result<Key> {
        let private = match objects(&session, ObjectClass::PRIVATE_KEY, name(label))?[..] {
            [key] => key,
            [] => {
                return Err(Failure::usage(format!("the token has no key `{label}`"))
                    .hint("`--label` names it; `tensfer root key` makes one"));
            }
            _ => {
                return Err(Failure::usage(format!("the token has several keys `{label}`"))
                    .hint("rename or erase all but one with its maker's program"));
            }
        };
        let public = public_half(&session, private, label)?;
        let point = point(&session, public)?;
        Ok(Key { session, private, public: (public, point) })
    }

    /// That the token keeps it to itself.
    pub fn check_kept(&self) -> Result<()> {
        check_kept(&self.session, self.private)
    }

    pub fn public(&self) -> &Point {
        &self.public.1
    }

    /// ECDSA over SHA-256, `r ‖ s`; verified here before anybody else sees it.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; SIGNATURE_BYTES]> {
        let hash = digest(&SHA256, message);
        let signature = self.session.sign(&Mechanism::Ecdsa, self.private, hash.as_ref());
        let signature = signature.map_err(|error| failed(&error))?;
        let verified =
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.public()).verify(message, &signature);
        signature.try_into().ok().filter(|_| verified.is_ok()).ok_or_else(|| {
            Failure::internal("the token gave a signature that its own public key does not verify")
        })
    }

    /// The x coordinate that this key and another come to (CKM_ECDH1_DERIVE without a KDF, PKCS #11 Mechanisms 2.40 §2.3.8).
    pub fn agree(&self, peer: &Point) -> Result<Zeroizing<[u8; SHARED_BYTES]>> {
        let mechanism = Mechanism::Ecdh1Derive(Ecdh1DeriveParams::new(EcKdf::null(), peer));
        // It lives in this session alone, and is read out: what it opens is opened here, not on the token.
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::GENERIC_SECRET),
            Attribute::Token(false),
            Attribute::Sensitive(false),
            Attribute::Extractable(true),
            Attribute::ValueLen((SHARED_BYTES as u64).into()),
        ];
        let shared = self.session.derive_key(&mechanism, self.private, &template);
        let shared = shared.map_err(|error| failed(&error))?;
        let value = self.session.get_attributes(shared, &[AttributeType::Value]);
        let _ = self.session.destroy_object(shared);
        let value = value.map_err(|error| failed(&error))?.into_iter().find_map(|one| match one {
            Attribute::Value(value) => Some(Zeroizing::new(value)),
            _ => None,
        });
        let value = value.and_then(|value| <[u8; SHARED_BYTES]>::try_from(&value[..]).ok());
        value
            .map(Zeroizing::new)
            .ok_or_else(|| Failure::internal("the token derived something else than it was asked"))
    }

    /// Erases it, for good.
    pub fn destroy(self) -> Result<()> {
        self.session.destroy_object(self.private).map_err(|error| failed(&error))?;
        // Its public half opens nothing.
        let _ = self.session.destroy_object(self.public.0);
        Ok(())
    }
}

/// Of the public half, and of the private one.
fn templates(label: &str, id: &[u8], purpose: Use) -> (Vec<Attribute>, Vec<Attribute>) {
    let (signs, agrees) = (purpose == Use::Sign, purpose == Use::Agree);
    let both = [Attribute::Token(true), name(label), Attribute::Id(id.to_vec())];
    let public = [Attribute::Private(false), Attribute::EcParams(P256.to_vec()), Attribute::Verify(signs)];
    let private = [
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(signs),
        Attribute::Derive(agrees),
    ];
    ([&both[..], &public].concat(), [&both[..], &private].concat())
}

/// By the private key's CKA_ID, as the standard has it; by its label where it has none.
fn public_half(session: &Session, private: ObjectHandle, label: &str) -> Result<ObjectHandle> {
    let found = session.get_attributes(private, &[AttributeType::Id]).map_err(|error| failed(&error))?;
    let id = found.into_iter().find(|one| matches!(one, Attribute::Id(id) if !id.is_empty()));
    match objects(session, ObjectClass::PUBLIC_KEY, id.unwrap_or_else(|| name(label)))?[..] {
        [key] => Ok(key),
        [] => Err(Failure::usage(format!("the token does not show the public half of the key `{label}`"))),
        _ => Err(Failure::usage(format!("the token shows several public halves of the key `{label}`"))),
    }
}

fn point(session: &Session, public: ObjectHandle) -> Result<Point> {
    let found = session.get_attributes(public, &[AttributeType::EcParams, AttributeType::EcPoint]);
    let found = found.map_err(|error| failed(&error))?;
    let is_p256 = found.iter().any(|one| matches!(one, Attribute::EcParams(curve) if *curve == P256));
    let point = found.iter().find_map(|one| match one {
        Attribute::EcPoint(point) => point_of(point),
        _ => None,
    });
    point.filter(|_| is_p256).ok_or_else(|| Failure::usage("this key on the token is none of P-256"))
}

/// A DER octet string around a point, as the standard says, or the point itself, as some modules have it.
fn point_of(bytes: &[u8]) -> Option<Point> {
    let point = match bytes {
        [0x04, 0x41, point @ ..] if point.len() == POINT_BYTES => point,
        point => point,
    };
    point.try_into().ok().filter(|point: &Point| point[0] == 0x04)
}

/// By the token's own word: that nothing reads the key out, and that nothing ever could.
fn check_kept(session: &Session, key: ObjectHandle) -> Result<()> {
    use AttributeType as A;
    let asked = [A::Sensitive, A::Extractable, A::AlwaysSensitive, A::NeverExtractable];
    let said = session.get_attributes(key, &asked).map_err(|error| failed(&error))?;
    if !said.contains(&Attribute::Sensitive(true)) || !said.contains(&Attribute::Extractable(false)) {
        return Err(Failure::refused(
            "key_extractable",
            "the token would give this key out (key_extractable)",
        )
        .hint("take another: `tensfer root key … --token` makes one that stays, where the token can"));
    }
    if !said.contains(&Attribute::AlwaysSensitive(true)) || !said.contains(&Attribute::NeverExtractable(true))
    {
        say(
            "warning: the token does not say that this key was always there alone: there may be a copy of it",
        );
    }
    Ok(())
}

fn objects(session: &Session, class: ObjectClass, which: Attribute) -> Result<Vec<ObjectHandle>> {
    let wanted = [Attribute::Class(class), Attribute::KeyType(KeyType::EC), which];
    session.find_objects(&wanted).map_err(|error| failed(&error))
}

fn name(label: &str) -> Attribute {
    Attribute::Label(label.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_read_with_and_without_its_frame_and_nothing_else_is() {
        let mut point = [7; POINT_BYTES];
        point[0] = 0x04;
        assert_eq!(point_of(&point), Some(point));
        assert_eq!(point_of(&[&[0x04, 0x41], &point[..]].concat()), Some(point));
        let mut compressed = point;
        compressed[0] = 0x02;
        for other in [
            &b""[..],
            &point[1..],
            &compressed,
            &[&[0x04, 0x42], &point[..], &[0]].concat(),
            &[&[0x04, 0x41], &point[..], &[0]].concat(),
        ] {
            assert_eq!(point_of(other), None, "{}", other.len());
        }
    }

    #[test]
    fn m11_a_key_is_made_to_do_one_thing_and_to_stay() {
        for (purpose, signs) in [(Use::Sign, true), (Use::Agree, false)] {
            let (public, private) = templates("ada", &[1; ID_BYTES], purpose);
            assert!(
                private.contains(&Attribute::Sign(signs)) && private.contains(&Attribute::Derive(!signs))
            );
            assert!(
                private.contains(&Attribute::Sensitive(true))
                    && private.contains(&Attribute::Extractable(false))
            );
            assert!(public.contains(&Attribute::Verify(signs)) && public.contains(&Attribute::Token(true)));
        }
    }
}
