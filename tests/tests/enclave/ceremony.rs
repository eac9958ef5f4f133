//! Operators of a test, two of three, and what they say to an enclave over its channel.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use verify::Root;
use verify::expect::Expect;
use verify::hpke::RecipientKey;
use verify::manifest::{Approved, expect, hash, key_name, to_be_approved};
use verify::measurement::Registers;
use verify::setup::{SetupRefused, check_genesis, check_setup, open_shares};
use wire::ceremony::{Answer, Attested, Ceremony, Genesis, Phase, Proposal, Shares, held_info};
use wire::cose::{EDDSA, Protected, Sign1};
use wire::frame::{Frame, Kind};
use wire::identity::TeeKind;
use wire::manifest::{Holder, Holders, Manifest, Program, Reach, Register, Signer, Signers, SigningKey};
use wire::owner::OwnerAlgorithm;
use wire::rewrap::Bytes;
use wire::{Canonical, UnixMillis};

const NONCE: [u8; 32] = [0x6e; 32];
/// 2026-01-01 and 2027-12-31.
pub const FROM: UnixMillis = UnixMillis(1_767_225_600_000);
pub const UNTIL: UnixMillis = UnixMillis(1_830_211_200_000);
/// An emulated machine checks signatures and makes keys at a hundredth of the usual speed.
const PATIENCE: Duration = Duration::from_secs(600);

pub struct Operators {
    approvers: Vec<Ed25519KeyPair>,
    holders: Vec<RecipientKey>,
    environment: Reach,
    programs: Vec<Registers>,
    /// The witness of the enclave's state.
    witness: Option<SigningKey>,
}

impl Operators {
    /// Who admit these programs to a root.
    pub fn new(environment: Reach, programs: &[&Registers]) -> Operators {
        Operators {
            approvers: (0..3).map(|_| Ed25519KeyPair::generate().unwrap()).collect(),
            holders: (0..3).map(|_| RecipientKey::generate().unwrap()).collect(),
            environment,
            programs: programs.iter().map(|registers| (*registers).clone()).collect(),
            witness: None,
        }
    }

    /// Who name a witness, by its public key as `tensfer witness` prints it.
    pub fn witnessed_by(self, key: &str) -> Operators {
        let public = key.strip_prefix("ed25519:").expect("the form of a manifest");
        let public = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, public).unwrap();
        Operators { witness: Some(SigningKey { algorithm: OwnerAlgorithm::EdDsa, public }), ..self }
    }

    fn manifest(&self, made: Option<&Genesis>) -> Manifest {
        let signer = |(number, key): (usize, &Ed25519KeyPair)| Signer {
            alias: format!("approver-{number}"),
            key: public(key),
        };
        let holder = |(number, key): (usize, &RecipientKey)| Holder {
            alias: format!("holder-{number}"),
            key: key.public_key().bytes().to_vec(),
        };
        let program = |registers: &Registers| Program {
            tee: TeeKind::Nitro,
            registers: registers
                .iter()
                .map(|(name, value)| Register { name: name.to_string(), value: *value })
                .collect(),
        };
        Manifest {
            version: 1,
            name: "emulated".into(),
            nonce: if made.is_some() { 2 } else { 1 },
            environment: self.environment,
            approvers: Signers {
                threshold: 2,
                members: self.approvers.iter().enumerate().map(signer).collect(),
            },
            holders: Holders { threshold: 2, members: self.holders.iter().enumerate().map(holder).collect() },
            programs: self.programs.iter().map(program).collect(),
            minimum_version: "0.1.0".into(),
            witnesses: Signers {
                threshold: self.witness.iter().count().try_into().unwrap(),
                members: self
                    .witness
                    .iter()
                    .map(|key| Signer { alias: "witness".into(), key: key.clone() })
                    .collect(),
            },
            classes: vec!["any".into()],
            from: FROM,
            until: UNTIL,
            steps: None,
            reshare: None,
            first: None,
            notices: None,
            replaced: None,
            relying_parties: None,
            roots: made.map(|genesis| genesis.roots.clone()).unwrap_or_default(),
            delay: None,
        }
    }

    fn propose(&self, made: Option<&Genesis>) -> (Proposal, Approved) {
        let manifest = self.manifest(made).to_bytes();
        let approvals = self.approvers.iter().take(2).map(|key| Bytes(approval(key, &hash(&manifest))));
        let approvals: Vec<Bytes> = approvals.collect();
        let approved = Approved::check(&manifest, approvals.iter().map(|bytes| bytes.0.as_slice())).unwrap();
        (Proposal { manifest, approvals, nonce: NONCE }, approved)
    }

    /// Has the enclave make roots, and believes nothing of what it answers yet.
    pub fn ask_for_genesis(&self, channel: &mut UnixStream) -> Made {
        let (proposal, approved) = self.propose(None);
        match step(channel, &Ceremony::Genesis(proposal)) {
            Answer::Genesis(attested) => Made { attested, approved },
            other => panic!("{other:?}"),
        }
    }

    /// Has roots made, then brings them back by two holders, each of whom verifies the enclave first; the manifest that it is under.
    pub fn provision(&self, channel: &mut UnixStream, root: &Root) -> Proposal {
        let genesis = self.ask_for_genesis(channel).check(Some(root), None).unwrap();
        let (proposal, approved) = self.propose(Some(&genesis));
        let setup = step(channel, &Ceremony::Setup(proposal.clone()));
        let Answer::Setup(setup) = setup else { panic!("no setup: {setup:?}") };
        let ready = check_setup(&setup, &NONCE, &approved, &expecting(&approved, Some(root)), now());
        let ready = ready.verdict.unwrap();
        for number in [1, 3] {
            let place = usize::from(number) - 1;
            let info = held_info(&genesis.manifest.0, number);
            let held = open_shares(&self.holders[place], &info, &genesis.sealed[place]).unwrap();
            let release = ready.seal(number, &Shares::from_bytes(&held).unwrap(), now()).unwrap();
            let Answer::Status(status) = step(channel, &Ceremony::Release(release)) else {
                panic!("refused")
            };
            let phase = if number == 3 { Phase::Provisioned } else { Phase::Collecting };
            assert_eq!(status.phase, phase);
        }
        proposal
    }
}

/// What an enclave said that it made.
pub struct Made {
    attested: Attested,
    approved: Approved,
}

impl Made {
    /// The production verifier's verdict: simulated evidence under this root and no other; of these programs, or of the manifest's.
    pub fn check(&self, root: Option<&Root>, programs: Option<&Registers>) -> Result<Genesis, SetupRefused> {
        let mut expect = expecting(&self.approved, root);
        if let Some(registers) = programs {
            expect.measurements = verify::measurement::Policy::new().or(registers.clone());
        }
        check_genesis(&self.attested, &NONCE, &self.approved, &expect, now()).verdict
    }

    /// What was measured, once the signature is verified.
    pub fn registers(&self, root: &Root) -> Registers {
        let expect = expecting(&self.approved, Some(root));
        check_genesis(&self.attested, &NONCE, &self.approved, &expect, now()).registers
    }
}

fn expecting(approved: &Approved, root: Option<&Root>) -> Expect {
    let mut expect = expect(approved.manifest());
    expect.dangerous_simulated = root.cloned();
    expect
}

/// Tells the enclave the time, as a relay does.
pub fn tell_time(channel: &mut UnixStream) {
    send(channel, Kind::Time, &now().0.to_be_bytes());
}

fn step(channel: &mut UnixStream, step: &Ceremony) -> Answer {
    send(channel, Kind::Ceremony, &step.to_bytes());
    channel.set_read_timeout(Some(PATIENCE)).unwrap();
    let answer = loop {
        let mut length = [0; 4];
        channel.read_exact(&mut length).unwrap();
        let mut frame = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
        channel.read_exact(&mut frame).unwrap();
        let frame = Frame::parse(&frame).unwrap();
        // Once it has roots it asks for its line, every second until a relay answers.
        if frame.kind != Kind::Take {
            assert_eq!((frame.kind, frame.stream), (Kind::CeremonyAnswer, 1));
            break Answer::from_bytes(frame.body).unwrap();
        }
    };
    channel.set_read_timeout(None).unwrap();
    answer
}

fn send(channel: &mut UnixStream, kind: Kind, body: &[u8]) {
    let mut bytes = Vec::new();
    Frame::write(kind, 1, body, &mut bytes).unwrap();
    channel.write_all(&bytes).unwrap();
}

fn public(key: &Ed25519KeyPair) -> SigningKey {
    SigningKey { algorithm: OwnerAlgorithm::EdDsa, public: key.public_key().as_ref().to_vec() }
}

fn approval(key: &Ed25519KeyPair, manifest: &[u8; 32]) -> Vec<u8> {
    let protected = Protected { algorithm: EDDSA, key: key_name(&public(key)) }.to_bytes();
    let signature = key.sign(&to_be_approved(&protected, manifest));
    Sign1 { protected: &protected, payload: None, signature: signature.as_ref() }.to_bytes()
}

fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    UnixMillis(since.as_millis().try_into().unwrap())
}
