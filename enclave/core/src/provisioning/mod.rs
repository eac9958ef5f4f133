//! How an enclave comes by its roots from a quorum of operators: docs/spec/provisioning.md.
//!
//! A state machine without I/O, as the enclave itself: frames in, frames out. [`Provisioning`] has no roots; when enough
//! holders have released their shares to it, it is over, and there is an [`Enclave`] in its place.

mod admission;
mod announced;
mod collecting;
mod epochs;
mod field;
mod genesis;
mod handover;
mod notices;
mod recovered;
mod reshared;
mod shamir;

use crate::attester::{Attestation, Attester};
use crate::boot::{Boot, Fatal, StartFailed};
use crate::clock::Clock;
use crate::connector;
use crate::egress;
use crate::enclave::Enclave;
use crate::entropy::Entropy;
use crate::identity;
use crate::line;
use crate::outbox::Outbox;
use crate::surroundings::Surroundings;
use admission::{Admitted, Candidate, refused};
use collecting::{Collecting, SETUP_MS};
pub(crate) use epochs::Begun;
use genesis::Made;
pub(crate) use handover::{Legacy, expect};
use minicbor::bytes::ByteVec;
use recovered::Recovered;
use reshared::Reshared;
use verify::hpke::RecipientKey;
use verify::setup::{About, report_data};
use wire::ceremony::{
    Answer, Attested, Ceremony, CeremonyFault, Genesis, Phase, Proposal, Refused, Release, Setup, Status,
};
use wire::evidence::Hash;
use wire::frame::{Frame, Kind};
use wire::identity::{Build, SUITE, WIRE_VERSION};
use wire::{BootId, Canonical, Refusal, UnixMillis};

/// What a program hands over to be provisioned: a [`Boot`] without roots.
pub struct Unprovisioned {
    /// Which providers can be reached.
    pub trust: egress::Trust,
    pub attester: Box<dyn Attester>,
    pub entropy: Box<dyn Entropy>,
    pub build: Build,
    /// When the program was built: no time before it is believed.
    pub built: UnixMillis,
}

/// One start of an enclave, before it has its roots.
///
/// Give it every frame, and send the host what [`Provisioning::take_output`] yields, until [`Provisioning::handle`]
/// returns the enclave that follows it. It has nothing to do between frames.
pub struct Provisioning {
    surroundings: Surroundings,
    attester: Box<dyn Attester>,
    built: UnixMillis,
    boot: BootId,
    candidate: Candidate,
    has_made_roots: bool,
    collecting: Option<Collecting>,
    reshared: Option<Reshared>,
}

/// What has become of a start after a frame.
pub enum Stage {
    Provisioning(Box<Provisioning>),
    Running(Box<Enclave>),
}

impl Provisioning {
    /// `monotonic_ms` is the enclave's own counter, which no later call may let run back.
    pub fn start(given: Unprovisioned, monotonic_ms: u64) -> Result<Provisioning, StartFailed> {
        let Unprovisioned { trust, attester, mut entropy, build, built } = given;
        let boot = BootId(entropy.make_bytes().map_err(|_| StartFailed::NoEntropy)?);
        let environment = identity::environment(&trust);
        let candidate = Candidate { tee: attester.kind(), environment, build };
        let clock = Clock::new(built, monotonic_ms);
        Ok(Provisioning {
            surroundings: Surroundings { clock, entropy, trust, outbox: Outbox::default() },
            attester,
            built,
            boot,
            candidate,
            has_made_roots: false,
            collecting: None,
            reshared: None,
        })
    }

    /// Takes one frame from the host, and returns what there is after it. What only an enclave with roots can answer is
    /// refused `not_provisioned`; a frame that no honest host sends ends the start.
    pub fn handle(mut self: Box<Self>, frame: Frame<'_>, monotonic_ms: u64) -> Result<Stage, Fatal> {
        let Surroundings { clock, outbox, .. } = &mut self.surroundings;
        clock.advance(monotonic_ms);
        match frame.kind {
            Kind::Time => {
                let time = frame.body.try_into().map(u64::from_be_bytes).map_err(|_| Fatal::Frame)?;
                clock.claim(UnixMillis(time));
            }
            Kind::Attest | Kind::Request | Kind::Rewrap | Kind::Conclude => {
                outbox.refuse(frame.stream, Refusal::NotProvisioned);
            }
            Kind::Ceremony => return self.step(frame.stream, frame.body),
            Kind::Cancel | Kind::EgressConnected | Kind::EgressReceived | Kind::EgressGone => {}
            Kind::Provision
            | Kind::Destroy
            | Kind::Found
            | Kind::Taken
            | Kind::Committed
            | Kind::Ready
            | Kind::Evidence
            | Kind::Reply
            | Kind::Refused
            | Kind::Rewrapped
            | Kind::CeremonyAnswer
            | Kind::Lookup
            | Kind::Take
            | Kind::Commit
            | Kind::Concluded
            | Kind::Destroyed
            | Kind::EgressOpen
            | Kind::EgressSend
            | Kind::EgressClose => return Err(Fatal::Frame),
        }
        self.still()
    }

    /// Appends the encoded frames for the host.
    pub fn take_output(&mut self, out: &mut Vec<u8>) {
        self.surroundings.outbox.take(out);
    }

    /// The host's end of the channel is gone; another may come. Shares that were released stay.
    pub fn host_gone(&mut self) {
        self.surroundings.outbox.clear();
    }

    fn step(mut self: Box<Self>, stream: u32, body: &[u8]) -> Result<Stage, Fatal> {
        if self.surroundings.outbox.is_full() {
            self.surroundings.outbox.refuse(stream, Refusal::Overloaded);
            return self.still();
        }
        let answer = match Ceremony::from_bytes(body) {
            Err(_) => Err(refused(CeremonyFault::Malformed)),
            Ok(Ceremony::Status) => Ok(Answer::Status(self.status())),
            Ok(Ceremony::Genesis(proposal)) => self.genesis(&proposal).map(Answer::Genesis),
            Ok(Ceremony::Setup(proposal)) => self.setup(&proposal).map(Answer::Setup),
            Ok(Ceremony::Release(release)) => match self.release(&release) {
                Ok(Some(recovered)) if !self.is_to_reshare() => {
                    return self.become_enclave(recovered, stream);
                }
                Ok(Some(recovered)) => self.split_anew(&recovered).map(|()| Answer::Status(self.status())),
                Ok(None) => Ok(Answer::Status(self.status())),
                Err(refused) => Err(refused),
            },
            Ok(Ceremony::Inherit(inherit)) => return self.inherit(&inherit, stream),
            Ok(Ceremony::Begin(proposal)) => self.tell_reshared(&proposal).map(Answer::Genesis),
            Ok(Ceremony::Challenge | Ceremony::HandOver(_) | Ceremony::Adopt(_) | Ceremony::Announce(_)) => {
                Err(refused(CeremonyFault::NotProvisioned))
            }
        };
        answer_with(&mut self.surroundings.outbox, stream, answer.unwrap_or_else(Answer::Refused));
        self.still()
    }

    /// Makes the roots of an approved manifest that has none. Once in a start: what was made is told once.
    fn genesis(&mut self, proposal: &Proposal) -> Result<Attested, Refused> {
        let admitted = Admitted::check(proposal, &self.candidate, &self.surroundings.clock)?;
        if self.has_made_roots {
            return Err(refused(CeremonyFault::GenesisDone));
        }
        let made =
            genesis::make(&admitted, self.candidate.tee, &mut *self.surroundings.entropy).map_err(refused)?;
        let document = self.document_of(made, &admitted);
        let attested = self.attest(About::Genesis, &proposal.nonce, document).map_err(refused)?;
        self.has_made_roots = true;
        Ok(attested)
    }

    /// What is said of roots that were made, or split anew.
    fn document_of(&self, made: Made, asked: &Admitted) -> Vec<u8> {
        let document = Genesis {
            version: WIRE_VERSION,
            boot: self.boot,
            manifest: Hash(asked.hash()),
            tee: self.candidate.tee,
            environment: self.candidate.environment,
            build: self.candidate.build.clone(),
            roots: made.roots,
            sealed: made.sealed,
            recovered: made.recovered,
            issued: self.surroundings.clock.now(),
        };
        document.to_bytes()
    }

    /// Gets ready for shares of this manifest's roots. Another manifest takes the place of one that nobody has released
    /// a share for, and of no other.
    fn setup(&mut self, proposal: &Proposal) -> Result<Attested, Refused> {
        let admitted = Admitted::check(proposal, &self.candidate, &self.surroundings.clock)?;
        let collecting = match self.collecting.take() {
            Some(current) if current.admitted().hash() == admitted.hash() => current,
            Some(current) if current.has_shares() => {
                self.collecting = Some(current);
                return Err(refused(CeremonyFault::OtherManifest));
            }
            Some(_) | None => Collecting::start(admitted)?,
        };
        let now = self.surroundings.clock.now();
        let monotonic = self.surroundings.clock.monotonic();
        let (boot, candidate) = (self.boot, self.candidate.clone());
        let write = |key: &RecipientKey, admitted: &Admitted| {
            setup_document(boot, candidate, key, admitted, now).to_bytes()
        };
        let document = self.collecting.insert(collecting).setup(monotonic, write).map_err(refused)?.to_vec();
        self.attest(About::Setup, &proposal.nonce, document).map_err(refused)
    }

    fn release(&mut self, release: &Release) -> Result<Option<Recovered>, Refused> {
        let monotonic = self.surroundings.clock.monotonic();
        let collecting = self.collecting.as_mut().ok_or(refused(CeremonyFault::NoSetup))?;
        let outcome = collecting.release(release, monotonic);
        if outcome.as_ref().is_err_and(|refused| refused.fault == CeremonyFault::RootWrong) {
            // The manifest contradicts itself: no further share can mend that.
            self.collecting = None;
        }
        outcome
    }

    fn status(&self) -> Status {
        if let Some(collecting) = &self.collecting {
            return collecting.status();
        }
        let manifest = self.reshared.as_ref().map(Reshared::asked);
        let phase = if manifest.is_some() { Phase::Reshared } else { Phase::Waiting };
        Status { phase, manifest, released: Vec::new(), threshold: 0, line: None }
    }

    fn attest(
        &mut self,
        about: About,
        nonce: &[u8; 32],
        document: Vec<u8>,
    ) -> Result<Attested, CeremonyFault> {
        let now = self.surroundings.clock.now();
        evidence(&mut *self.attester, about, nonce, document, now)
    }

    /// The setup's key and the shares end here; the enclave that follows makes keys of its own.
    fn become_enclave(self: Box<Self>, recovered: Recovered, stream: u32) -> Result<Stage, Fatal> {
        let Provisioning { surroundings, attester, built, candidate, collecting, .. } = *self;
        let Surroundings { clock, entropy, trust, outbox } = surroundings;
        let collecting = collecting.ok_or(Fatal::NoKey)?;
        let status = Status { phase: Phase::Provisioned, ..collecting.status() };
        let manifest = collecting.admitted().approved().clone();
        let witnessed = line::named_in(manifest.manifest());
        let build = candidate.build;
        let Recovered { roots, kept } = recovered;
        let own = manifest.manifest().clone();
        let manifest = Some(manifest);
        let relying_parties = own.relying_parties().to_vec();
        let boot =
            Boot { roots, manifest, witnessed, relying_parties, trust, attester, entropy, build, built };
        let mut enclave = Enclave::start(boot, clock.now(), clock.monotonic()).map_err(|_| Fatal::NoKey)?;
        let first = core::mem::replace(&mut enclave.surroundings.outbox, outbox);
        enclave.legacy = Some(Legacy::new(kept, enclave.surroundings.clock.monotonic()));
        if !own.notices().is_empty() {
            enclave.take_notice(&own);
            enclave.say_epochs()?;
        }
        answer_with(&mut enclave.surroundings.outbox, stream, Answer::Status(status));
        enclave.surroundings.outbox.append(first);
        Ok(Stage::Running(Box::new(enclave)))
    }

    fn still(self: Box<Self>) -> Result<Stage, Fatal> {
        if self.surroundings.outbox.is_dead() { Err(Fatal::Channel) } else { Ok(Stage::Provisioning(self)) }
    }
}

fn setup_document(
    boot: BootId,
    candidate: Candidate,
    key: &RecipientKey,
    admitted: &Admitted,
    now: UnixMillis,
) -> Setup {
    Setup {
        version: WIRE_VERSION,
        boot,
        suite: SUITE,
        key: key.public_key().bytes().to_vec(),
        manifest: Hash(admitted.hash()),
        tee: candidate.tee,
        environment: candidate.environment,
        build: candidate.build,
        connectors: Hash(connector::digest()),
        issued: now,
        expires: now.plus(SETUP_MS),
    }
}

/// A document, with evidence under its own domain.
fn evidence(
    attester: &mut dyn Attester,
    about: About,
    nonce: &[u8; 32],
    document: Vec<u8>,
    now: UnixMillis,
) -> Result<Attested, CeremonyFault> {
    let attestation = attester.attest(&report_data(about, nonce, &document), now);
    let Attestation { form, document: evidence, certificates } =
        attestation.map_err(|_| CeremonyFault::Internal)?;
    let certificates = certificates.into_iter().map(ByteVec::from).collect();
    Ok(Attested { version: WIRE_VERSION, document, evidence, form, certificates, collateral: None })
}

fn answer_with(outbox: &mut Outbox, stream: u32, answer: Answer) {
    if outbox.frame(Kind::CeremonyAnswer, stream, &answer.to_bytes()).is_err() {
        outbox.refuse(stream, Refusal::Internal);
    }
}

impl Enclave {
    /// What an enclave that has its roots says of them.
    pub(crate) fn ceremony(&mut self, stream: u32, body: &[u8]) {
        let answer = match Ceremony::from_bytes(body) {
            Err(_) => Answer::Refused(refused(CeremonyFault::Malformed)),
            Ok(Ceremony::Status) => Answer::Status(self.provisioned()),
            Ok(Ceremony::Begin(asked)) => {
                self.begin_epochs(&asked).map_or_else(Answer::Refused, Answer::Genesis)
            }
            Ok(Ceremony::Adopt(asked)) => match self.adopt_manifest(&asked) {
                Ok(()) => Answer::Status(self.provisioned()),
                Err(refused) => Answer::Refused(refused),
            },
            Ok(Ceremony::Announce(proposal)) => match self.announce(&proposal) {
                Ok(()) => Answer::Status(self.provisioned()),
                Err(refused) => Answer::Refused(refused),
            },
            Ok(Ceremony::Challenge) => {
                self.challenge_successor().map_or_else(Answer::Refused, Answer::Challenge)
            }
            Ok(Ceremony::HandOver(asked)) => {
                self.hand_over(&asked).map_or_else(Answer::Refused, Answer::HandOver)
            }
            Ok(Ceremony::Genesis(_) | Ceremony::Setup(_) | Ceremony::Release(_) | Ceremony::Inherit(_)) => {
                Answer::Refused(refused(CeremonyFault::Provisioned))
            }
        };
        answer_with(&mut self.surroundings.outbox, stream, answer);
    }

    fn provisioned(&self) -> Status {
        Status {
            phase: Phase::Provisioned,
            manifest: self.manifest().map(|manifest| Hash(manifest.hash())),
            released: Vec::new(),
            threshold: 0,
            line: self.line.standing(),
        }
    }
}

impl core::fmt::Debug for Provisioning {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Provisioning({}, {:?})", self.boot, self.collecting)
    }
}
