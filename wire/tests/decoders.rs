//! Every decoder of this crate against hostile bytes: no panic, one encoding for one meaning, memory bounded by the
//! input. One test, because the counting allocator sees the whole process.
#![expect(unsafe_code, reason = "a counting allocator is an unsafe trait; it only forwards to the system's")]

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use wire::authorisation::{Begin, Begun, Finish, Refreshed};
use wire::cose::{Protected, Sign1};
use wire::operation::{
    Balances, ConfirmBackup, Export, Exported, Inspected, Link, Linked, Nothing, Rotate, Rotated,
};
use wire::{Canonical, Frame, Identity};
use wire::{
    action, balance, capability, ceremony, envelope, evidence, freshness, grant, identity, manifest, owner,
    passkey, provision, reached, receipt, register, release, reply, request, rewrap,
};

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        PEAK.fetch_max(NOW.fetch_add(layout.size(), Relaxed) + layout.size(), Relaxed);
        // SAFETY: the caller's promise is the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise is the system allocator's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Growing vectors double, and a member in memory is larger than the byte that stands for it on the wire: the
/// smallest member of a list is one byte, the largest structure in a list (a balance's asset) is under 256.
const FACTOR: usize = 2 * 256;
const FIXED: usize = 16 * 1024;

macro_rules! decoders {
    ($($type:ty),+ $(,)?) => {
        fn decode_all(bytes: &[u8]) {
            $(if let Ok(value) = <$type>::from_bytes(bytes) {
                assert_eq!(value.to_bytes(), bytes, "{} has two encodings", stringify!($type));
            })+
        }
    };
}

decoders![
    Identity,
    evidence::Evidence,
    envelope::Envelope,
    envelope::Header,
    owner::OwnerKey,
    passkey::Passkey,
    passkey::Assertion<'_>,
    request::Authorised<'_>,
    request::SignedRequest<'_>,
    reply::Reply,
    receipt::Receipt,
    capability::Finding,
    balance::Holdings,
    rewrap::Rewrap,
    rewrap::Rewrapped,
    freshness::ConnectionState,
    freshness::Lookup,
    freshness::Found,
    freshness::Taken,
    freshness::Commit,
    freshness::Committed,
    freshness::Witnessed,
    reached::AllReached,
    provision::Provision<'_>,
    manifest::Manifest,
    release::Release,
    register::Head,
    register::Kept,
    register::Conclude,
    register::Concluded,
    register::Statement,
    register::Destroy,
    register::Destroyed,
    register::Destruction,
    register::Proof,
    register::Published,
    ceremony::Ceremony,
    ceremony::Answer,
    ceremony::Setup,
    ceremony::Genesis,
    ceremony::Handover,
    ceremony::Attested,
    ceremony::Shares<'_>,
    grant::Make,
    grant::Made,
    grant::Grant,
    grant::Body,
    grant::Listed,
    action::Instruction,
    action::Terms,
    action::Inquiry,
    action::Outcome,
    Link<'_>,
    Linked,
    Balances,
    Rotate<'_>,
    Rotated,
    Inspected,
    Export,
    Exported,
    ConfirmBackup,
    Nothing,
    Begin<'_>,
    Begun,
    Finish<'_>,
    Refreshed,
    Sign1<'_>,
    Protected,
];

#[test]
fn m07_no_decoder_panics_takes_more_memory_than_its_input_allows_or_reads_two_encodings() {
    let seeds: Vec<Vec<u8>> = valid().into_iter().chain(claims()).collect();
    for seed in &seeds {
        bounded(seed);
    }
    // `TENSFER_SOAK=1` (`make soak`): a hundred times as many.
    let cases = if std::env::var_os("TENSFER_SOAK").is_some() { 400_000 } else { 4_000 };
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let altered = (0..seeds.len(), prop::collection::vec((any::<u16>(), any::<u8>()), 0..6), any::<u16>());
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        altered.prop_map(move |(seed, changes, cut)| {
            let mut bytes = seeds[seed].clone();
            for (at, to) in changes {
                let length = bytes.len().max(1);
                if let Some(byte) = bytes.get_mut(usize::from(at) % length) {
                    *byte = to;
                }
            }
            if cut % 4 == 0 {
                bytes.truncate(usize::from(cut) % (bytes.len() + 1));
            }
            bytes
        }),
    ];
    runner
        .run(&bytes, |bytes| {
            bounded(&bytes);
            Ok(())
        })
        .unwrap();
}

fn bounded(bytes: &[u8]) {
    let before = NOW.load(Relaxed);
    PEAK.store(before, Relaxed);
    decode_all(bytes);
    let _ = Frame::read(bytes).map(|frame| frame.map(|(frame, taken)| assert!(taken >= frame.body.len())));
    let taken = PEAK.load(Relaxed).saturating_sub(before);
    assert!(taken <= FIXED + FACTOR * bytes.len(), "{taken} bytes for {}", bytes.len());
}

/// One valid encoding of several structures, for mutation to start from.
fn valid() -> Vec<Vec<u8>> {
    use wire::operation::Op;
    use wire::{BootId, ConnectionId, OrganisationId, Refusal, UnixMillis};
    let key = owner::OwnerKey {
        passkey: Some(passkey::Passkey {
            credential: vec![6; 16],
            relying_party: "vault.example".into(),
            origins: vec!["https://vault.example".into()],
            embedders: vec!["https://shop.example".into()],
            backup_eligible: true,
        }),
        ..owner::OwnerKey::new(owner::OwnerAlgorithm::EdDsa, vec![7; 32], owner::OwnerRole::Second)
    };
    let header = envelope::Header {
        organisation: OrganisationId([1; 16]),
        connection: ConnectionId([2; 16]),
        owners: [3; 32],
        purpose: envelope::Purpose::ExchangeCredential,
        generation: 1,
        class: wire::consent::Class::Owner,
    };
    let sealed = envelope::Envelope {
        version: 1,
        header: header.clone(),
        payload: envelope::Sealed { nonce: [4; 12], ciphertext: vec![5; 64] },
        commitment: [6; 32],
        wrap: envelope::Wrap { epoch: 1, nonce: [7; 12], ciphertext: [8; 76] },
    };
    let receipt = receipt::Receipt {
        op: Some(Op::Rotate),
        connection: Some(header.connection),
        boot: BootId([9; 16]),
        counter: 3,
        previous: Some([1; 32]),
        request: [2; 32],
        refusal: Some(Refusal::StaleGeneration),
        time: UnixMillis(1_800_000_000_000),
        position: None,
        result: None,
        grant: None,
    };
    let inclusion = evidence::Inclusion { index: 1, size: 2, path: vec![evidence::Hash([1; 32])] };
    let holdings = balance::Holdings {
        as_of: UnixMillis(1),
        currency: "EUR".into(),
        accounts: vec![balance::Account { kind: "spot".into(), assets: Vec::new() }],
        sources: vec![balance::Source {
            name: "spot".into(),
            status: balance::Status::Complete,
            fault: None,
        }],
    };
    let mut instruction = action::Instruction::new(
        action::Kind::Withdraw,
        action::Reference([1; 16]),
        "USDT",
        wire::Decimal::from(25),
    );
    instruction.travel = Some(action::Travel {
        destination: action::Destination::Own,
        institution: None,
        beneficiary: Some("Zoë".into()),
        company: false,
        country: Some("DE".into()),
        purpose: None,
        answers: vec![wire::record::Field { name: "a".into(), text: "b".into() }],
    });
    let outcome = action::Outcome::bare(action::Reference([1; 16]), action::Status::Pending, UnixMillis(1));
    let mut valid = provisioning();
    valid.extend([
        outcome.to_bytes(),
        action::Inquiry { instruction: instruction.clone(), id: None, sent: UnixMillis(1) }.to_bytes(),
        instruction.to_bytes(),
        key.to_bytes(),
        header.to_bytes(),
        sealed.to_bytes(),
        receipt.to_bytes(),
        holdings.to_bytes(),
        evidence::Evidence {
            version: 1,
            identity: vec![1],
            document: vec![2],
            inclusion,
            form: evidence::Form::SevSnp,
            certificates: vec![vec![3].into()],
            collateral: Some(vec![4]),
        }
        .to_bytes(),
        rewrap::Rewrap { envelopes: vec![rewrap::Bytes(vec![1, 2, 3]); 3] }.to_bytes(),
        reply::Reply {
            version: 1,
            result: None,
            refusal: Some(Refusal::Expired),
            receipt: vec![1],
            mark: Some(freshness::Mark { line: 0, term: 1, counter: 2, head: evidence::Hash([3; 32]) }),
            grant: Some(vec![2]),
        }
        .to_bytes(),
    ]);
    valid.extend(states());
    valid.extend(granted(key, header));
    valid
}

/// What an owner grants, and what is kept of it.
fn granted(key: owner::OwnerKey, header: envelope::Header) -> Vec<Vec<u8>> {
    use wire::UnixMillis;
    use wire::operation::Op;
    let (id, time) = (wire::GrantId([1; 16]), UnixMillis(1));
    let rate = Some(grant::Rate { uses: 1, period: 60_000 });
    let ops = vec![Op::Balances, Op::Read];
    let terms = grant::Terms { key, ops, from: time, expires: UnixMillis(2), uses: 3, rate };
    let payload = evidence::Hash([2; 32]);
    let body = grant::Body { version: 1, id, header, payload, terms: terms.clone() }.to_bytes();
    let wrap = envelope::Wrap { epoch: 1, nonce: [7; 12], ciphertext: [8; 76] };
    let whole = grant::Grant { body: body.clone(), wrap }.to_bytes();
    let window = Some(grant::Window { since: time, used: 1 });
    let (key, last) = ([3; 16], Some(time));
    let state = grant::GrantState { id, key, expires: time, epoch: 1, used: 1, last, window };
    let made = grant::Made { grant: whole.clone(), encapsulated: vec![4; 1120], ciphertext: vec![5; 48] };
    vec![
        grant::Make { terms, recipient: vec![6; 1216] }.to_bytes(),
        made.to_bytes(),
        whole,
        body,
        grant::Listed { grants: vec![state; grant::MAX_GRANTS] }.to_bytes(),
    ]
}

/// What enclave and host say of connections' states.
fn states() -> Vec<Vec<u8>> {
    use freshness::{Commit, Committed, ConnectionState, Found, Leaf, Lookup, StateProof, Taken};
    let (hash, some) = (evidence::Hash([1; 32]), rewrap::Bytes(vec![1, 2]));
    let state = ConnectionState {
        current: 1,
        pending: Some(2),
        counter: 3,
        last: Some(hash),
        over: false,
        grants: Vec::new(),
    };
    let leaf = Leaf { name: hash, state: rewrap::Bytes(state.to_bytes()) };
    let commit = Commit {
        advance: some.clone(),
        chapter: 1,
        first: 0,
        entries: vec![7; 77],
        leaves: vec![leaf.clone(); 2],
        kept: vec![1],
    };
    let proof = StateProof { siblings: vec![hash; 3], leaf: Some(leaf) };
    let answers = vec![some.clone(); 3];
    vec![
        state.to_bytes(),
        Lookup { line: 0, names: vec![hash; 3] }.to_bytes(),
        Found { proofs: vec![proof; 3] }.to_bytes(),
        Taken { line: 0, term: 1, answers: answers.clone(), kept: Some(some.clone()), links: vec![some] }
            .to_bytes(),
        commit.to_bytes(),
        Committed { line: 0, term: 1, counter: 2, answers }.to_bytes(),
    ]
}

/// A manifest and the steps and answers of a ceremony.
fn provisioning() -> Vec<Vec<u8>> {
    use ceremony::{
        Answer, Attested, Ceremony, CeremonyFault, Proposal, Refused, Release, Sealed, Share, Shares,
    };
    let hash = evidence::Hash([1; 32]);
    let key = manifest::SigningKey { algorithm: owner::OwnerAlgorithm::EdDsa, public: vec![7; 32] };
    let signers =
        manifest::Signers { threshold: 1, members: vec![manifest::Signer { alias: "ada".into(), key }] };
    let register = manifest::Register { name: "PCR0".into(), value: [9; 48] };
    let root = manifest::RootCommitment {
        class: "any".into(),
        epoch: 1,
        commitment: hash,
        shares: vec![hash],
        program: None,
    };
    let manifest = manifest::Manifest {
        version: 1,
        name: "example".into(),
        nonce: 2,
        environment: manifest::Reach::Live,
        approvers: signers.clone(),
        holders: manifest::Holders {
            threshold: 1,
            members: vec![manifest::Holder { alias: "dot".into(), key: vec![3; 1216] }],
        },
        programs: vec![manifest::Program { tee: wire::identity::TeeKind::Nitro, registers: vec![register] }],
        minimum_version: "0.1.0".into(),
        witnesses: signers,
        classes: vec!["any".into()],
        from: wire::UnixMillis(1),
        until: wire::UnixMillis(2),
        steps: None,
        reshare: None,
        first: None,
        notices: None,
        replaced: None,
        relying_parties: Some(vec![identity::RelyingParty {
            id: "vault.example".into(),
            origins: vec!["https://vault.example".into()],
        }]),
        roots: vec![root],
        delay: None,
    };
    let sealed = Sealed { encapsulated: vec![4; 1120], ciphertext: vec![5; 64] };
    let approvals = vec![rewrap::Bytes(vec![6; 80])];
    let proposal = Proposal { manifest: manifest.to_bytes(), approvals, nonce: [8; 32] };
    let other = proposal.clone();
    let attested = Attested {
        version: 1,
        document: vec![1],
        evidence: vec![2],
        form: evidence::Form::SevSnp,
        certificates: vec![vec![3].into()],
        collateral: None,
    };
    let share = Share { class: "any", epoch: 1, share: (&[7u8; 32][..]).into() };
    vec![
        manifest.to_bytes(),
        Ceremony::Status.to_bytes(),
        Ceremony::Challenge.to_bytes(),
        Ceremony::Genesis(proposal.clone()).to_bytes(),
        Ceremony::Setup(proposal).to_bytes(),
        Ceremony::Release(Release { setup: hash, holder: 1, sealed }).to_bytes(),
        Ceremony::HandOver(ceremony::HandOver { proposal: other, setup: attested.clone() }).to_bytes(),
        Answer::Setup(attested).to_bytes(),
        Answer::Refused(Refused { fault: CeremonyFault::ShareWrong, member: Some(1) }).to_bytes(),
        Shares { shares: vec![share] }.to_bytes(),
    ]
}

/// Short messages that claim to be long: arrays, maps, byte and text strings of up to 2^64 − 1.
fn claims() -> Vec<Vec<u8>> {
    let mut claims = Vec::new();
    for major in [2u8, 3, 4, 5] {
        for length in [0xffff_u64, 0xffff_ffff, u64::MAX] {
            let head: Vec<u8> = [vec![major << 5 | 27], length.to_be_bytes().to_vec()].concat();
            claims.push(head.clone());
            for key in 0..4u8 {
                claims.push([vec![0xa1, key], head.clone()].concat());
            }
        }
    }
    claims.push(vec![0x81; 4096]);
    claims.push([vec![0xa1, 0x00, 0x99, 0x40, 0x00], vec![0xa0; 0x4000]].concat());
    claims
}
