//! `vectors/grants.json`: grants that an independent script made from `docs/spec/grants.md`. How a share is sealed to its holder:
//! verify's tests.

use super::{Seed, bytes};
use crate::entropy::{Entropy, NoEntropy};
use crate::envelope::Share;
use crate::envelope::context;
use crate::envelope::wrap::Inner;
use crate::grant;
use crate::hash::sha256;
use crate::request::Consent;
use crate::root::{ClassRoots, Roots};
use crate::secret::Secret;
use serde_json::Value;
use wire::consent::Class;
use wire::envelope::Wrap;
use wire::freshness::ConnectionState;
use wire::grant::{Body, Grant, GrantState, Made, Terms, root_wrap_aad, share_info, share_wrap_aad};
use wire::request::{Authorised, SignedRequest};
use wire::{Canonical, GrantId, Refusal};

struct Case(Value);

impl Case {
    fn bytes(&self, name: &str) -> Vec<u8> {
        bytes(&self.0[name])
    }

    fn epoch(&self) -> u32 {
        u32::try_from(self.0["epoch"].as_u64().unwrap()).unwrap()
    }

    /// The root of this case's class and epoch, and any of class `any`, which every enclave has.
    fn roots(&self, root: &[u8]) -> Roots {
        let class = Class::parse(self.0["class"].as_str().unwrap()).unwrap();
        let of = |class, epoch, root: &[u8]| {
            ClassRoots::new(class, epoch, &Secret::copied(root.try_into().unwrap())).unwrap()
        };
        let own = of(class, self.epoch(), root);
        if class.is_any() {
            Roots::collect([own])
        } else {
            Roots::collect([of(Class::Any, 1, &[9; 32]), own])
        }
        .unwrap()
    }

    fn open(&self, roots: &Roots, share: &[u8]) -> Result<grant::Unlocked, Refusal> {
        grant::open(&self.bytes("grant"), &self.bytes("envelope"), share, roots, &mut Dry)
    }
}

/// What is of the current epoch is opened without entropy.
struct Dry;

impl Entropy for Dry {
    fn fill(&mut self, _: &mut [u8]) -> Result<(), NoEntropy> {
        Err(NoEntropy)
    }
}

fn file() -> Value {
    serde_json::from_str(include_str!("../../../../vectors/grants.json")).unwrap()
}

fn cases() -> Vec<Case> {
    file()["cases"].as_array().unwrap().iter().cloned().map(Case).collect()
}

#[test]
fn the_scripts_grants_open_with_root_and_share_and_with_neither_alone() {
    for case in cases() {
        let (roots, share) = (case.roots(&case.bytes("root")), case.bytes("share"));
        let unlocked = case.open(&roots, &share).unwrap();
        unlocked.opened.lend_credential(|credential| assert_eq!(credential, case.bytes("credential")));
        assert_eq!(unlocked.body.to_bytes(), case.bytes("body"));
        assert_eq!((unlocked.body.terms.to_bytes(), unlocked.renewed), (case.bytes("terms"), None));
        let refused = |roots: &Roots, share: &[u8]| case.open(roots, share).err();
        assert_eq!(refused(&roots, &case.bytes("owner_share")), Some(Refusal::GrantRefused));
        assert_eq!(refused(&case.roots(&[7; 32]), &share), Some(Refusal::GrantRefused));
    }
}

#[test]
fn the_wraps_of_a_grant_are_the_scripts_byte_for_byte() {
    for case in cases() {
        let (grant, body) = Grant::parse(&case.bytes("grant")).unwrap();
        let opened = case.open(&case.roots(&case.bytes("root")), &case.bytes("share")).unwrap().opened;
        let share = Share::parse(&case.bytes("share")).unwrap();
        let key = share.derive_key(context::grant_share_wrap(&body.header, body.id)).unwrap();
        let [inner, outer]: [Vec<u8>; 2] = [bytes(&case.0["nonces"][0]), bytes(&case.0["nonces"][1])];
        let inner =
            Inner::lock(&opened.data_key, &key, &share_wrap_aad(&grant.body), &mut Seed(inner)).unwrap();
        let roots = case.roots(&case.bytes("root"));
        let key = roots.grant_key(case.epoch(), &body.header, body.id).unwrap();
        let nonce = outer.try_into().unwrap();
        let ciphertext = inner.wrap(&key, &nonce, &root_wrap_aad(&grant.body, case.epoch())).unwrap();
        assert_eq!(grant.wrap, Wrap { epoch: case.epoch(), nonce, ciphertext });
        assert_eq!(share_info(body.id, &sha256(&grant.body)), case.bytes("info"));
        assert_eq!(Made::from_bytes(&case.bytes("made")).unwrap().grant, case.bytes("grant"));
    }
}

#[test]
fn the_scripts_request_is_signed_by_the_key_that_its_grant_names() {
    for case in cases() {
        let encoded = case.bytes("authorised");
        let message = Authorised::from_bytes(&encoded).unwrap();
        assert_eq!(message.request.to_vec(), case.bytes("request"));
        let request = SignedRequest::from_bytes(message.request).unwrap();
        assert_eq!(request.grant.unwrap().to_vec(), case.bytes("grant"));
        let terms = Terms::from_bytes(&case.bytes("terms")).unwrap();
        assert!(Consent::check_granted(&message, &terms.key).is_ok());
        let as_owner = Consent::check(&message, crate::request::Factors::Device, &[terms.key], None, &[]);
        assert_eq!(as_owner.err(), Some(Refusal::NotAuthorised), "of another purpose");
    }
}

#[test]
fn states_of_grants_are_the_scripts_byte_for_byte() {
    let states = &file()["states"];
    let [largest, unused] =
        ["largest", "unused"].map(|name| GrantState::from_bytes(&bytes(&states[name])).unwrap());
    assert_eq!((largest.id, largest.used, unused.used), (GrantId([0xff; 16]), u32::MAX, 0));
    let connection = bytes(&states["connection"]);
    let state = ConnectionState::from_bytes(&connection).unwrap();
    assert_eq!(state.grants, [unused, largest]);
    assert_eq!((state.to_bytes(), state.is_coherent()), (connection, true));
}

#[test]
fn a_body_reads_back_as_it_was_written() {
    for case in cases() {
        let body = Body::from_bytes(&case.bytes("body")).unwrap();
        assert_eq!((body.to_bytes(), body.id.0.to_vec()), (case.bytes("body"), case.bytes("id")));
    }
}
