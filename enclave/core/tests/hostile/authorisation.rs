//! Whose request it is, and whom it was for.

use crate::support::{Answer, Draft, Key, Owner, host, sha256, sign};
use wire::cose::{self, Protected, Sign1};
use wire::operation::{Export, Exported, Inspected, Op};
use wire::owner::OwnerRole;
use wire::transcript::{Transcript, domain};
use wire::{Canonical, Refusal};

#[test]
fn an_owner_inspects_an_envelope_with_either_kind_of_key() {
    for mut owner in [Owner::eddsa(), Owner::es256()] {
        let mut machine = host(1);
        let result = owner.ask(&mut machine, Op::Inspect).unwrap();
        let inspected = Inspected::from_bytes(&result).unwrap();
        assert_eq!(inspected.exchange, "kraken");
        assert_eq!(inspected.connection, owner.connection);
        assert_eq!(inspected.owners, owner.keys());
        assert!(inspected.current);
        assert_eq!(inspected.fields, ["apiKey", "secret"]);
        for secret in ["marked-key", "bWFya2VkLXNlY3JldA"] {
            assert!(!contains(&result, secret.as_bytes()), "names of fields, never values");
        }
    }
}

#[test]
fn a_request_without_a_signature_or_by_a_stranger_is_refused() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    let stranger = Key::eddsa(OwnerRole::Device);
    let draft = owner.draft(&machine, Op::Inspect);
    assert_eq!(owner.ask_by(&mut machine, &draft, &[]), Err(Refusal::NotAuthorised));
    assert_eq!(owner.ask_by(&mut machine, &draft, &[&stranger]), Err(Refusal::NotAuthorised));
}

#[test]
fn a_request_that_was_refused_for_its_signature_does_not_use_up_its_nonce() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    let draft = owner.draft(&machine, Op::Inspect);
    owner.ask_by(&mut machine, &draft, &[]).unwrap_err();
    owner.ask_draft(&mut machine, &draft).unwrap();
}

#[test]
fn the_second_factor_alone_authorises_nothing() {
    let (mut machine, owner) = (host(1), Owner::eddsa());
    let sealed = owner.draft(&machine, Op::Inspect).seal(&[&owner.second]);
    let answer = machine.request(&sealed.bytes);
    assert_eq!(sealed.open(answer, &machine).result, Err(Refusal::NotAuthorised));
}

#[test]
fn one_signature_given_twice_is_not_two() {
    let (mut machine, owner) = (host(1), Owner::eddsa());
    let sealed = owner.draft(&machine, Op::Inspect).seal(&[&owner.device, &owner.device]);
    let answer = machine.request(&sealed.bytes);
    assert_eq!(sealed.open(answer, &machine).result, Err(Refusal::NotAuthorised));
}

#[test]
fn a_valid_signature_beside_an_invalid_one_is_refused() {
    let (mut machine, owner) = (host(1), Owner::eddsa());
    let stranger = Key::eddsa(OwnerRole::Second);
    let sealed = owner.draft(&machine, Op::Inspect).seal(&[&owner.device, &stranger]);
    let answer = machine.request(&sealed.bytes);
    assert_eq!(sealed.open(answer, &machine).result, Err(Refusal::NotAuthorised));
}

#[test]
fn m04_der_signature_is_refused() {
    let (mut machine, owner) = (host(1), Owner::es256());
    let sealed = owner.draft(&machine, Op::Inspect).seal_signing(|request| {
        vec![sign_wrongly(&owner.device, request, cose::ES256, domain::OWNER_REQUEST, None, der)]
    });
    let answer = machine.request(&sealed.bytes);
    assert_eq!(sealed.open(answer, &machine).result, Err(Refusal::Malformed));
}

#[test]
fn m04_an_algorithm_that_is_not_the_keys_is_refused() {
    for owner in [Owner::eddsa(), Owner::es256()] {
        let mut machine = host(1);
        let other = cose::EDDSA + cose::ES256 - owner.device.algorithm();
        for algorithm in [other, -35, 5, 0] {
            let sealed = owner.draft(&machine, Op::Inspect).seal_signing(|request| {
                vec![sign_wrongly(&owner.device, request, algorithm, domain::OWNER_REQUEST, None, |raw| raw)]
            });
            let answer = machine.request(&sealed.bytes);
            assert_eq!(sealed.open(answer, &machine).result, Err(Refusal::NotAuthorised), "{algorithm}");
        }
    }
}

#[test]
fn a_signature_for_another_purpose_is_refused() {
    let (mut machine, owner) = (host(1), Owner::eddsa());
    for domain in [domain::RECEIPT, domain::CAPABILITY, ""] {
        let sealed = owner.draft(&machine, Op::Inspect).seal_signing(|request| {
            vec![sign_wrongly(&owner.device, request, cose::EDDSA, domain, None, |raw| raw)]
        });
        let answer = machine.request(&sealed.bytes);
        assert_eq!(sealed.open(answer, &machine).result, Err(Refusal::NotAuthorised), "{domain:?}");
    }
}

#[test]
fn a_signature_that_brings_its_own_payload_is_refused() {
    let (mut machine, owner) = (host(1), Owner::eddsa());
    let sealed = owner.draft(&machine, Op::Inspect).seal_signing(|request| {
        let own = Some(request);
        vec![sign_wrongly(&owner.device, request, cose::EDDSA, domain::OWNER_REQUEST, own, |raw| raw)]
    });
    let answer = machine.request(&sealed.bytes);
    assert_eq!(sealed.open(answer, &machine).result, Err(Refusal::Malformed));
}

#[test]
fn too_many_signatures_are_refused_before_any_is_checked() {
    let (mut machine, owner) = (host(1), Owner::eddsa());
    let sealed = owner.draft(&machine, Op::Inspect).seal(&[&owner.device; 17]);
    let answer = machine.request(&sealed.bytes);
    assert_eq!(sealed.open(answer, &machine).result, Err(Refusal::NotAuthorised));
}

#[test]
fn export_takes_both_factors_and_reaches_only_the_key_in_the_signed_request() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    let recipient = verify::hpke::RecipientKey::generate().unwrap();
    let mut draft = owner.draft(&machine, Op::Export);
    draft.args = Export { recipient: recipient.public_key().bytes().to_vec() }.to_bytes();
    assert_eq!(owner.ask_draft(&mut machine, &draft), Err(Refusal::SecondFactorNeeded));

    let sealed = draft.seal(&[&owner.device, &owner.second]);
    let answer = machine.request(&sealed.bytes);
    let exported = Exported::from_bytes(&sealed.open(answer, &machine).result.unwrap()).unwrap();
    let open = |request: &[u8; 32]| {
        let info = Transcript::new(domain::EXPORT).field(&owner.connection.0).field(request).bytes();
        let info = verify::hpke::Info::new(wire::identity::SUITE, &info).unwrap();
        let mut context = recipient.setup_recipient(&exported.encapsulated, &info).unwrap();
        context.open(b"", &exported.ciphertext)
    };
    assert_eq!(open(&sealed.request).unwrap().as_slice(), owner.credential);
    assert!(open(&[0; 32]).is_err(), "bound to the request that asked for it");
}

#[test]
fn export_to_something_that_is_no_key_is_refused() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    let mut draft = owner.draft(&machine, Op::Export);
    draft.args = Export { recipient: vec![1; 32] }.to_bytes();
    assert_eq!(owner.ask_twice_signed(&mut machine, &draft), Err(Refusal::Malformed));
}

#[test]
fn a_request_for_another_enclave_is_refused_wherever_it_was_changed() {
    let (mut machine, other, mut owner) = (host(1), host(2), Owner::eddsa());
    let theirs = sha256(&other.identity().0);
    let wrong: [fn(&mut Draft, [u8; 32]); 3] = [
        |draft, theirs| draft.identity = theirs,
        |draft, _| draft.key = Some(draft.recipient.id.wrapping_add(1)),
        |draft, theirs| draft.encapsulated = Some(theirs),
    ];
    for change in wrong {
        let mut draft = owner.draft(&machine, Op::Inspect);
        change(&mut draft, theirs);
        assert_eq!(owner.ask_draft(&mut machine, &draft), Err(Refusal::WrongIdentity));
    }
}

#[test]
fn a_request_passed_on_by_another_enclave_is_refused() {
    let (mut machine, evil, owner) = (host(1), host(2), Owner::eddsa());
    // A hostile enclave opened what was sealed to it, and seals the same signed bytes to ours.
    let mut opened = None;
    owner.draft(&evil, Op::Inspect).seal_signing(|request| {
        opened = Some((request.to_vec(), sign(&owner.device, request)));
        Vec::new()
    });
    let (request, signature) = opened.unwrap();
    let sealed = Draft::new(&machine, Op::Inspect, Vec::new()).seal_message(&request, vec![signature]);
    let answer = machine.request(&sealed.bytes);
    assert_eq!(sealed.open(answer, &machine).result, Err(Refusal::WrongIdentity));
}

#[test]
fn a_request_sealed_anew_by_someone_else_is_refused() {
    let (mut machine, owner) = (host(1), Owner::eddsa());
    let mut signed = None;
    owner.draft(&machine, Op::Inspect).seal_signing(|request| {
        signed = Some((request.to_vec(), sign(&owner.device, request)));
        Vec::new()
    });
    let (request, signature) = signed.unwrap();
    let sealed = Draft::new(&machine, Op::Inspect, Vec::new()).seal_message(&request, vec![signature]);
    let answer = machine.request(&sealed.bytes);
    assert_eq!(sealed.open(answer, &machine).result, Err(Refusal::WrongIdentity));
}

#[test]
fn m26_there_is_nothing_to_be_had_outside_the_seal() {
    let mut machine = host(1);
    for clear in [&b""[..], b"GET /v1/operation HTTP/1.1\r\n\r\n", b"{}", &[0; 2000]] {
        assert!(matches!(machine.request(clear), Answer::Refused(_)));
    }
}

#[test]
fn another_path_inside_the_seal_is_refused_inside_the_seal() {
    let (mut machine, owner) = (host(1), Owner::eddsa());
    let mut draft = owner.draft(&machine, Op::Inspect);
    draft.path = "/v1/other";
    let sealed = draft.seal(&[&owner.device]);
    match machine.request(&sealed.bytes) {
        Answer::Reply(body) => assert!(sealed.opens(&body)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn replies_of_one_operation_have_one_length() {
    let (mut machine, owner) = (host(1), Owner::eddsa());
    let lengths = [&owner.device, &owner.second].map(|by| {
        let sealed = owner.draft(&machine, Op::Acknowledge).seal(&[by]);
        let answer = machine.request(&sealed.bytes);
        sealed.open(answer, &machine).padded_bytes
    });
    assert_eq!(lengths[0], lengths[1], "a refusal is as long as a result");
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// A signature over a request with one part of it wrong.
fn sign_wrongly(
    key: &Key,
    request: &[u8],
    algorithm: i8,
    domain: &str,
    payload: Option<&[u8]>,
    encode: fn(Vec<u8>) -> Vec<u8>,
) -> Vec<u8> {
    let protected = Protected { algorithm, key: key.id() }.to_bytes();
    let signature = encode(key.sign(&cose::to_be_signed(&protected, domain, request)));
    Sign1 { protected: &protected, payload, signature: &signature }.to_bytes()
}

/// `SEQUENCE { INTEGER r, INTEGER s }` of raw r‖s.
fn der(raw: Vec<u8>) -> Vec<u8> {
    let integer = |half: &[u8]| {
        let digits: Vec<u8> = half.iter().copied().skip_while(|byte| *byte == 0).collect();
        let padding = if digits[0] >= 0x80 { vec![0] } else { vec![] };
        let value = [padding, digits].concat();
        [vec![2, u8::try_from(value.len()).unwrap()], value].concat()
    };
    let (r, s) = raw.split_at(32);
    let body = [integer(r), integer(s)].concat();
    [vec![0x30, u8::try_from(body.len()).unwrap()], body].concat()
}
