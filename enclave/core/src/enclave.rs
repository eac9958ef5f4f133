//! The state machine: frames, the claimed time and a monotonic counter in; frames out.

use crate::attester::Attester;
use crate::boot::{Boot, Fatal, StartFailed};
use crate::calls::Calls;
use crate::clock::Clock;
use crate::connections::Connections;
use crate::connector;
use crate::credentials::Credentials;
use crate::held::Held;
use crate::identity::{self, Statement};
use crate::keys::SealingKeys;
use crate::limits::MIN_KEY_PERIOD_MS;
use crate::line::{self, Line, Release};
use crate::nonces::Nonces;
use crate::operation::Work;
use crate::outbox::Outbox;
use crate::provisioning::{Begun, Legacy};
use crate::quotes::Quotes;
use crate::receipts::ReceiptKey;
use crate::references::References;
use crate::register::{Leave, Register};
use crate::reply::{Asker, Signatory};
use crate::root::{RootFault, Roots};
use crate::surroundings::Surroundings;
use verify::manifest::Approved;
use wire::frame::{Frame, Kind};
use wire::passkey::are_relying_parties;
use wire::provision::Provision;
use wire::{BootId, Refusal, UnixMillis};

/// One start of an enclave.
///
/// It never waits and never calls out, but for the attester. Give it every frame, call [`Enclave::tick`] when
/// [`Enclave::next_deadline`] has come, and send the host what [`Enclave::take_output`] yields.
pub struct Enclave {
    pub(crate) surroundings: Surroundings,
    pub(crate) roots: Roots,
    pub(crate) nonces: Nonces,
    pub(crate) connections: Connections,
    pub(crate) credentials: Credentials,
    pub(crate) held: Held,
    pub(crate) calls: Calls<Work>,
    pub(crate) references: References,
    pub(crate) register: Register,
    pub(crate) line: Line,
    pub(crate) keys: SealingKeys,
    pub(crate) signatory: Signatory,
    pub(crate) manifest: Option<Approved>,
    /// Only where operators provisioned.
    pub(crate) legacy: Option<Legacy>,
    /// Epochs that were made, and that no manifest commits to yet.
    pub(crate) begun: Option<Begun>,
    pub(crate) attester: Box<dyn Attester>,
    pub(crate) statement: Statement,
    quotes: Quotes,
}

impl Enclave {
    /// Makes the keys of this start and its first identity. `claimed` is the host's time, `monotonic_ms` the
    /// enclave's own counter, which no later call may let run back.
    pub fn start(boot: Boot, claimed: UnixMillis, monotonic_ms: u64) -> Result<Enclave, StartFailed> {
        let Boot { roots, manifest, witnessed, relying_parties, trust, attester, mut entropy, build, built } =
            boot;
        if !are_relying_parties(&relying_parties) {
            return Err(StartFailed::RelyingParties);
        }
        let mut clock = Clock::new(built, monotonic_ms);
        clock.claim(claimed);
        let key = ReceiptKey::make(&mut *entropy).map_err(|_| StartFailed::NoEntropy)?;
        let (mut boot_id, mut key_id) = ([0; 16], [0; 1]);
        entropy.fill(&mut boot_id).map_err(|_| StartFailed::NoEntropy)?;
        entropy.fill(&mut key_id).map_err(|_| StartFailed::NoEntropy)?;
        let boot = BootId(boot_id);
        let statement = Statement {
            receipt_key: key.public(),
            boot,
            epochs: roots.epochs(),
            classes: roots.other_epochs(),
            announced: Vec::new(),
            notices: Vec::new(),
            manifest: manifest.as_ref().map(Approved::hash),
            connectors: connector::digest(),
            relying_parties,
            tee: attester.kind(),
            environment: identity::environment(&trust),
            build,
            freshness: witnessed.as_ref().map(line::freshness),
        };
        let line = Line::new(boot, witnessed.as_ref())?;
        let credentials = Credentials::new(&mut *entropy).map_err(|_| StartFailed::NoEntropy)?;
        let [key_id] = key_id;
        let keys = SealingKeys::start(key_id, &statement, clock.now(), monotonic_ms)
            .map_err(|_| StartFailed::NoKey)?;
        let mut enclave = Enclave {
            surroundings: Surroundings { clock, entropy, trust, outbox: Outbox::default() },
            roots,
            nonces: Nonces::default(),
            connections: Connections::default(),
            credentials,
            held: Held::default(),
            calls: Calls::default(),
            references: References::default(),
            register: Register::new(boot),
            line,
            keys,
            signatory: Signatory { key, boot },
            manifest,
            legacy: None,
            begun: None,
            attester,
            statement,
            quotes: Quotes::default(),
        };
        enclave.ask_for_line();
        Ok(enclave)
    }

    /// Takes one frame from the host. Frames for streams that are over are ignored; a frame that no honest host
    /// sends ends the enclave.
    pub fn handle(&mut self, frame: Frame<'_>, monotonic_ms: u64) -> Result<(), Fatal> {
        self.tick(monotonic_ms)?;
        match frame.kind {
            Kind::Time => self.claim_time(frame.body)?,
            Kind::Attest => self.attest(frame.stream, frame.body),
            Kind::Request => self.request(frame.stream, frame.body),
            Kind::Rewrap => self.rewrap(frame.stream, frame.body),
            Kind::Conclude => self.conclude(frame.stream, frame.body),
            Kind::Cancel => self.cancel(frame.stream),
            Kind::Found => self.found(frame.stream, frame.body),
            Kind::Taken => self.taken(frame.body),
            Kind::Committed => self.committed(frame.body),
            Kind::Ceremony => self.ceremony(frame.stream, frame.body),
            Kind::EgressConnected => self.calls.connected(frame.stream, &mut self.surroundings),
            Kind::EgressReceived => self.calls.received(frame.stream, frame.body, &mut self.surroundings),
            Kind::EgressGone => self.calls.gone(frame.stream, &mut self.surroundings),
            // By the word of the approvers alone, which its manifest has.
            Kind::Destroy if self.manifest.is_some() => {
                self.destroy_epoch(frame.stream, frame.body, Leave::NONE);
            }
            // Those two belong to a program that knows what to do with them, outside the core.
            Kind::Provision
            | Kind::Destroy
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
        self.finish_calls();
        self.commit_next();
        if self.surroundings.outbox.is_dead() { Err(Fatal::Channel) } else { Ok(()) }
    }

    /// The host's end of the channel is gone; another host, or the same one started anew, may come. What was under way ends
    /// as if its provider took too long, and nothing of it is told to whoever comes: an owner whose reply is lost asks
    /// again. Roots, keys, register, nonces and counters stay as they are; the line is taken again.
    pub fn host_gone(&mut self, monotonic_ms: u64) -> Result<(), Fatal> {
        self.tick(monotonic_ms)?;
        self.quotes.host_gone();
        // What an answer leads to may be another call, which ends as well.
        while self.calls.is_under_way() {
            self.calls.host_gone(&mut self.surroundings);
            self.finish_calls();
        }
        self.line_host_gone();
        self.surroundings.outbox.clear();
        Ok(())
    }

    /// Lets time pass: quotes that are due, keys that end, nonces that expire, providers that are late.
    pub fn tick(&mut self, monotonic_ms: u64) -> Result<(), Fatal> {
        self.surroundings.clock.advance(monotonic_ms);
        let monotonic = self.surroundings.clock.monotonic();
        self.nonces.forget_before(self.surroundings.clock.floor());
        self.keys.expire(monotonic);
        if self.keys.next_roll() <= monotonic {
            self.reissue()?;
        }
        if self.quotes.due().is_some_and(|due| due <= monotonic) {
            self.quote();
        }
        self.calls.tick(&mut self.surroundings);
        self.ask_for_line();
        self.tick_commit();
        self.tick_lookups();
        self.finish_calls();
        self.commit_next();
        Ok(())
    }

    /// When `tick` next has something to do, on the monotonic counter.
    pub fn next_deadline(&self) -> Option<u64> {
        let deadlines = [
            Some(self.keys.next_roll()),
            self.quotes.due(),
            self.calls.next_deadline(),
            self.line.next_deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }

    /// Appends the encoded frames for the host.
    pub fn take_output(&mut self, out: &mut Vec<u8>) {
        self.surroundings.outbox.take(out);
    }

    /// The identity document as evidence binds it.
    pub fn identity(&self) -> &[u8] {
        self.keys.identity()
    }

    /// What operators approved; none where a program provisioned.
    pub(crate) fn manifest(&self) -> Option<&Approved> {
        self.manifest.as_ref()
    }

    /// Takes a later provisioning, which repeats every epoch may add more and go on to the next, and says so in a new
    /// identity. For the program that provisions; the core has no frame that leads here. Roots of a quorum take nothing from a host.
    pub fn add_epochs(&mut self, provision: &Provision<'_>) -> Result<(), RootFault> {
        if self.manifest.is_some() {
            return Err(RootFault::Changed);
        }
        self.roots.extend(provision)?;
        // A head under the current epoch, so that none that is kept is sealed under one that goes.
        self.release(Release::Nothing);
        self.say_epochs().map_err(|_| RootFault::Internal)
    }

    /// Says in a new identity which epochs are held.
    pub(crate) fn say_epochs(&mut self) -> Result<(), Fatal> {
        self.statement.epochs = self.roots.epochs();
        self.statement.classes = self.roots.other_epochs();
        self.reissue()
    }

    fn claim_time(&mut self, body: &[u8]) -> Result<(), Fatal> {
        let time = body.try_into().map(u64::from_be_bytes).map_err(|_| Fatal::Frame)?;
        let jumped = self.surroundings.clock.claim(UnixMillis(time));
        // An identity issued under another idea of the time would look stale to every client.
        if jumped && self.keys.age(self.surroundings.clock.monotonic()) >= MIN_KEY_PERIOD_MS {
            self.reissue()?;
        }
        Ok(())
    }

    fn attest(&mut self, stream: u32, body: &[u8]) {
        let Surroundings { clock, outbox, .. } = &mut self.surroundings;
        let Ok(nonce) = body.try_into() else { return outbox.refuse(stream, Refusal::Malformed) };
        if outbox.is_full() {
            return outbox.refuse(stream, Refusal::Overloaded);
        }
        if self.quotes.ask(stream, nonce, clock.monotonic()) {
            self.quote();
        }
    }

    fn quote(&mut self) {
        let Surroundings { clock, outbox, .. } = &mut self.surroundings;
        self.quotes.answer(self.keys.identity(), &mut *self.attester, clock.now(), outbox);
    }

    fn cancel(&mut self, stream: u32) {
        self.quotes.cancel(stream);
        self.calls.cancel(stream, &mut self.surroundings);
    }

    fn reissue(&mut self) -> Result<(), Fatal> {
        let clock = &self.surroundings.clock;
        let (now, monotonic) = (clock.now(), clock.monotonic());
        self.keys.roll(&self.statement, now, monotonic).map_err(|_| Fatal::NoKey)
    }

    /// Answers a sealed request. What its receipt says of a connection is committed first.
    pub(crate) fn reply(&mut self, asker: Asker, outcome: Result<Vec<u8>, Refusal>) {
        let now = self.surroundings.clock.now();
        let reply = self.signatory.reply(&asker, outcome, now, &mut self.connections);
        match asker.subject().filter(|id| self.connections.has(*id)) {
            Some(connection) => {
                self.release_of(Release::Reply(Box::new((asker, reply))), Some(connection));
            }
            None => self.signatory.send(asker, reply, self.line.mark(), &mut self.surroundings.outbox),
        }
    }

    /// Refuses a sealed request without moving anybody's chain: nothing was recorded of it, and nothing has to be.
    pub(crate) fn refuse_unchained(&mut self, mut asker: Asker, refusal: Refusal) {
        asker.unchain();
        self.reply(asker, Err(refusal));
    }
}

impl core::fmt::Debug for Enclave {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Enclave({})", self.signatory.boot)
    }
}
