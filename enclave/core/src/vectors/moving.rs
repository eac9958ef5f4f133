//! `vectors/moving.json`: what an envelope on its way is named, sealed and opened by. How a capsule opens: verify's tests.

use super::bytes;
use crate::envelope::wrap::Inner;
use crate::envelope::{Share, layout, open_inner};
use crate::hash::sha256;
use crate::root::{ClassRoots, Roots};
use crate::secret::Secret;
use serde_json::Value;
use wire::Canonical;
use wire::consent::Class;
use wire::evidence::Hash;
use wire::moving::Capsule;

fn cases() -> Vec<Value> {
    let file: Value = serde_json::from_str(include_str!("../../../../vectors/moving.json")).unwrap();
    file["cases"].as_array().unwrap().clone()
}

#[test]
fn the_scripts_capsules_have_the_seal_of_their_root_and_no_other_one() {
    for case in cases() {
        let capsule = Capsule::from_bytes(&bytes(&case["capsule"])).unwrap();
        assert_eq!(u64::from(capsule.epoch), case["epoch"].as_u64().unwrap());
        let payload = Hash(bytes(&case["payload"]).try_into().unwrap());
        let identity = sha256(&bytes(&case["identity"]));
        let root = |root: [u8; 32]| {
            Roots::collect([ClassRoots::new(Class::Any, capsule.epoch, &Secret::copied(&root)).unwrap()])
                .unwrap()
        };
        let seal = |roots: &Roots, capsule: &Capsule| {
            roots.capsule_seal(capsule.epoch, capsule.transcript(&payload, &identity)).unwrap()
        };
        let own = root(bytes(&case["root"]).try_into().unwrap());
        assert_eq!(seal(&own, &capsule), capsule.seal.0);
        assert_ne!(seal(&root([1; 32]), &capsule), capsule.seal.0);
        assert_ne!(seal(&own, &Capsule { key: capsule.key ^ 1, ..capsule.clone() }), capsule.seal.0);
    }
}

#[test]
fn below_the_outer_layer_the_scripts_envelope_opens_with_its_owners_share() {
    for case in cases() {
        let envelope = bytes(&case["envelope"]);
        let layout = layout::parse(&envelope).unwrap();
        assert_eq!(sha256(layout.body).to_vec(), bytes(&case["payload"]));
        let inner = Inner::parse(&bytes(&case["inner"])).unwrap();
        let opened = open_inner(layout, &inner, &Share::parse(&bytes(&case["share"])).unwrap()).unwrap();
        assert_eq!(opened.header().class, Class::Owner);
        opened.lend_credential(|credential| assert_eq!(credential, bytes(&case["credential"])));
        let layout = layout::parse(&envelope).unwrap();
        assert!(open_inner(layout, &inner, &Share::parse(&[1; 32]).unwrap()).is_err(), "with it alone");
    }
}
