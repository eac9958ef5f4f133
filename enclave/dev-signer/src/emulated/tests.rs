#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]
use super::*;
use verify::document::{Found, check};
use verify::evidence::Presented;
use verify::expect::Expect;
use verify::measurement::{Name, Policy, Registers};
use verify::{Refused, Root};

const NOW: UnixMillis = UnixMillis(1_795_000_000_000);
const PCR0: [u8; 48] = [7; 48];

/// As QEMU 10 writes it; `protected` and `signature` are what makes it unsigned.
fn emulated(module: &str, protected: &[u8], signature: &[u8]) -> Vec<u8> {
    let zeros = [0; 64];
    let payload = encode(|e| {
        e.map(9)?.str("module_id")?.str(module)?.str("digest")?.str("SHA384")?;
        e.str("timestamp")?.u64(NOW.0)?;
        e.str("pcrs")?.map(3)?.u8(0)?.bytes(&PCR0)?.u8(1)?.bytes(&PCR0)?.u8(2)?.bytes(&PCR0)?;
        e.str("certificate")?.bytes(&zeros)?.str("cabundle")?.array(1)?.bytes(&zeros)?;
        e.str("public_key")?.null()?.str("user_data")?.bytes(b"report data")?.str("nonce")?.bytes(b"n")?.ok()
    });
    let payload = payload.unwrap();
    encode(|e| e.array(4)?.bytes(protected)?.map(0)?.bytes(&payload)?.bytes(signature)?.ok()).unwrap()
}

fn from_qemu(module: &str) -> Vec<u8> {
    emulated(module, &UNSIGNED, &[0; 64])
}

fn expecting(pcr0: [u8; 48], root: Option<&[u8]>) -> Expect {
    let mut expect = Expect::new(Policy::new().or(Registers::new().with(Name::Pcr(0), pcr0).unwrap()));
    expect.dangerous_simulated = root.map(|der| Root::dangerous_from_der(der).unwrap());
    expect
}

fn verdict(document: &[u8], expect: &Expect) -> Result<Found, Refused> {
    check(&Presented::nitro(document), expect, NOW, Some(b"n")).verdict
}

#[test]
fn an_emulated_document_is_accepted_under_the_named_root_and_is_simulated() {
    let mut authority = Authority::make(NOW).unwrap();
    let signed = sign(&from_qemu("dev-simulated-emulated-1"), &mut authority, NOW).unwrap();
    assert_eq!(verdict(&signed, &expecting(PCR0, Some(authority.root()))), Ok(Found::Simulated));
    let other = verdict(&signed, &expecting([8; 48], Some(authority.root())));
    assert_eq!(other, Err(Refused::MeasurementMismatch));
}

#[test]
fn a_root_that_was_kept_signs_on_and_another_key_does_not_sign_under_it() {
    let made = Authority::make(NOW).unwrap();
    let mut kept = Authority::kept(made.root().to_vec(), made.key(), NOW).unwrap();
    let signed = sign(&from_qemu("dev-simulated-emulated-2"), &mut kept, NOW).unwrap();
    assert_eq!(verdict(&signed, &expecting(PCR0, Some(made.root()))), Ok(Found::Simulated));
    let other = Authority::make(NOW).unwrap();
    let mut mixed = Authority::kept(made.root().to_vec(), other.key(), NOW).unwrap();
    let forged = sign(&from_qemu("dev-simulated-emulated-2"), &mut mixed, NOW).unwrap();
    let refused = verdict(&forged, &expecting(PCR0, Some(made.root())));
    assert_eq!(refused, Err(Refused::CertificateSignature));
    assert!(Authority::kept(made.root().to_vec(), b"no key", NOW).is_err());
}

#[test]
fn m17_under_the_vendors_roots_or_another_signers_it_is_refused() {
    let mut authority = Authority::make(NOW).unwrap();
    let signed = sign(&from_qemu("dev-simulated-emulated-1"), &mut authority, NOW).unwrap();
    assert_eq!(verdict(&signed, &expecting(PCR0, None)), Err(Refused::SimulatedNotAllowed));
    let other = Authority::make(NOW).unwrap();
    let refused = verdict(&signed, &expecting(PCR0, Some(other.root())));
    assert_eq!(refused, Err(Refused::SimulatedNotAllowed));
}

#[test]
fn what_the_emulation_itself_yields_is_refused() {
    let authority = Authority::make(NOW).unwrap();
    let refused = verdict(&from_qemu("dev-simulated-emulated-1"), &expecting(PCR0, Some(authority.root())));
    assert!(matches!(refused, Err(Refused::AlgorithmNotAllowed)), "{refused:?}");
}

#[test]
fn a_machine_without_the_mark_in_its_name_is_not_signed_for() {
    let mut authority = Authority::make(NOW).unwrap();
    for name in ["i-0123456789abcdef0-enc1", "dev-simulated-1"] {
        assert_eq!(sign(&from_qemu(name), &mut authority, NOW), Err(NotSigned::Unmarked), "{name}");
    }
}

#[test]
fn what_somebody_else_signed_is_never_signed_anew() {
    let mut authority = Authority::make(NOW).unwrap();
    let es384 = [0xa1, 0x01, 0x38, 0x22];
    for (protected, signature) in
        [(es384.as_slice(), [0; 64].as_slice()), (&UNSIGNED, &[1; 64]), (&es384, &[1; 96])]
    {
        let document = emulated("dev-simulated-emulated-1", protected, signature);
        assert_eq!(sign(&document, &mut authority, NOW), Err(NotSigned::NotEmulated));
    }
    let signed = sign(&from_qemu("dev-simulated-emulated-1"), &mut authority, NOW).unwrap();
    assert_eq!(sign(&signed, &mut authority, NOW), Err(NotSigned::NotEmulated));
}

#[test]
fn m07_a_document_that_is_cut_or_has_more_behind_it_is_refused() {
    let mut authority = Authority::make(NOW).unwrap();
    let document = from_qemu("dev-simulated-emulated-1");
    for end in 0..document.len() {
        let cut = document.get(..end).unwrap_or_else(|| panic!("{end}"));
        assert_eq!(sign(cut, &mut authority, NOW), Err(NotSigned::NotEmulated), "cut at {end}");
    }
    let more = [document.as_slice(), &[0]].concat();
    assert_eq!(sign(&more, &mut authority, NOW), Err(NotSigned::NotEmulated));
}
