//! The fuzz target over what programs and gateways send, and over mutations of it.

use super::*;
use crate::identity::fuzz::fuzz_identity;
use authenticator::{Authenticator, Said};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;

fn seeds() -> Vec<Vec<u8>> {
    let program = Program::new();
    let made = json!({
        "name": "made", "algorithm": "ed25519", "public_key": program.public.base64(), "possession": "AAAA",
        "scopes": ["keys:read"], "networks": ["10.0.0.0/8", "2001:db8::/32"], "environment": "sandbox",
        "not_before": 1_800_000_000_000_u64, "expires": 1_800_000_000_001_u64,
    });
    let asking = Asking::post("/v1/keys?a=1", &made);
    let (head, body) = (program.head(&asking), asking.body);
    let begun =
        json!({ "purpose": "sign_in", "algorithm": "ed25519", "public_key": program.public.base64() });
    let begun = Begin { peer: "192.0.2.1".to_owned(), body: begun.to_string().into_bytes() }.to_bytes();
    let registration = Authenticator::new().registered(&Said::create(&[7; 32]));
    vec![
        head.to_bytes(),
        Introduction { head, body: body.clone() }.to_bytes(),
        Admitted { token: "e30.e30.AAAA".to_owned(), body: body.clone() }.to_bytes(),
        NewOrganisation { name: "Example".to_owned() }.to_bytes(),
        body,
        b"1800000000000.key_000102030405060708090a0b0c0d0e0f".to_vec(),
        b"refused key_revoked".to_vec(),
        begun,
        authenticator::object(&[[7; 37], [0; 37]].concat()),
        registration["attestation_object"]
            .as_str()
            .map(|text| URL_SAFE_NO_PAD.decode(text).unwrap())
            .unwrap(),
    ]
}

#[test]
fn what_programs_and_gateways_send_is_harmless() {
    seeds().iter().for_each(|seed| fuzz_identity(seed));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_mutation_of_it_is_harmful(
        seed in any::<prop::sample::Index>(),
        edits in prop::collection::vec(any::<(u16, u8)>(), 1..6),
    ) {
        let mut data = seed.get(&seeds()).clone();
        for (place, value) in edits {
            let at = usize::from(place) % (data.len() + 1);
            match value % 3 {
                0 => data.truncate(at),
                1 if at < data.len() => data[at] = value,
                _ => data.insert(at, value),
            }
        }
        fuzz_identity(&data);
    }

    #[test]
    fn no_bytes_are_harmful(data in prop::collection::vec(any::<u8>(), 0..300)) {
        fuzz_identity(&data);
    }
}
