//! What several unit tests need: an enclave that keeps the rules of docs/spec and loses what its script says.

use crate::client::failure::{Failure, Result};
use crate::client::home::Home;
use crate::client::home::environment::Environment;
use crate::client::home::key_file::Cost;
use crate::client::home::keys::sha256;
use crate::client::home::passphrase::Passphrases;
use crate::client::home::realm::Realm;
use crate::client::home::record::{NewConnection, Record, Slot};
use crate::client::linked::Linked;
use crate::client::session::{Answer, Call, Enclave};
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Mutex;
use verify::share::derive_share;
use wire::consent::Class;
use wire::envelope::{Envelope, Header, Purpose, Sealed, Wrap};
use wire::evidence::Hash;
use wire::identity::{self, Build, Epochs, Identity, TeeKind, WIRE_VERSION};
use wire::moving::Capsule;
use wire::operation::{Nothing, Op, Rotate, Rotated};
use wire::owner::{OwnerKey, OwnerRole, owner_set_transcript};
use wire::provider_key::{AtProvider, Panicked};
use wire::receipt::Receipt;
use wire::{BootId, Canonical, ConnectionId, OrganisationId, Refusal, UnixMillis};

pub const CONNECTION: ConnectionId = ConnectionId([7; 16]);

pub fn identity() -> Identity {
    Identity {
        version: WIRE_VERSION,
        hpke_keys: Vec::new(),
        receipt_key: [0; 32],
        boot: BootId([1; 16]),
        epochs: Epochs { current: 1, oldest: 1, commitments: Vec::new() },
        manifest: None,
        connectors: [0; 32],
        relying_parties: Vec::new(),
        tee: TeeKind::Simulated,
        environment: identity::Environment::Sandbox([0; 32]),
        log: None,
        build: Build { version: "0.1.0".into(), commit: "unknown".into() },
        issued: UnixMillis(0),
        expires: UnixMillis(u64::MAX),
        freshness: None,
        classes: Vec::new(),
        announced: Vec::new(),
        notices: Vec::new(),
    }
}

/// Where a request or its reply gets lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    Request(Op),
    Reply(Op),
}

/// Generations and receipts as the enclave keeps them. Its envelopes say in clear what opens them: the share is the
/// ciphertext, the device key's hash the commitment, the number of the data key the nonce.
pub struct Scripted(Mutex<State>);

struct State {
    environment: Environment,
    /// Requests that arrived.
    asked: u32,
    epoch: u32,
    boot: u8,
    current: Option<u64>,
    pending: Option<u64>,
    counter: u64,
    last: Option<[u8; 32]>,
    data_keys: u8,
    losses: Vec<Loss>,
    /// The signers of the last request, by public key.
    signers: Vec<OwnerKey>,
    /// What comes of a panic.
    at_provider: Panicked,
}

impl Scripted {
    pub fn new() -> Scripted {
        Scripted(Mutex::new(State {
            environment: Environment::Sandbox,
            asked: 0,
            epoch: 1,
            boot: 1,
            current: None,
            pending: None,
            counter: 0,
            last: None,
            data_keys: 1,
            losses: Vec::new(),
            signers: Vec::new(),
            at_provider: Panicked { at_provider: AtProvider::Ended, refusal: None },
        }))
    }

    pub fn lose(&self, loss: Loss) {
        self.0.lock().unwrap().losses.push(loss);
    }

    /// Another start: what the last one remembered is gone.
    pub fn restart(&self) {
        let mut state = self.0.lock().unwrap();
        state.boot += 1;
        (state.current, state.pending, state.counter, state.last) = (None, None, 0, None);
    }

    /// Another deployment, which reaches other exchanges.
    pub fn move_to(&self, environment: Environment) {
        self.0.lock().unwrap().environment = environment;
    }

    /// What comes of a panic from now on.
    pub fn ends(&self, at_provider: AtProvider, refusal: Option<Refusal>) {
        self.0.lock().unwrap().at_provider = Panicked { at_provider, refusal };
    }

    pub fn asked(&self) -> u32 {
        self.0.lock().unwrap().asked
    }

    pub fn add_epoch(&self) {
        self.0.lock().unwrap().epoch += 1;
    }

    /// What is said to a request that is refused before its owner is known.
    pub fn refuse(&self, call: &Call<'_>, refusal: Refusal) -> Answer {
        let mut state = self.0.lock().unwrap();
        state.asked += 1;
        state.tell(call, Err(refusal), false)
    }

    pub fn signers(&self) -> Vec<OwnerKey> {
        self.0.lock().unwrap().signers.clone()
    }
}

impl Enclave for Scripted {
    fn realm(&self) -> Realm {
        Realm::Simulated
    }

    fn environment(&self) -> Environment {
        self.0.lock().unwrap().environment
    }

    fn current_epoch_of(&self, _: wire::consent::Class) -> u32 {
        self.0.lock().unwrap().epoch
    }

    fn refresh(&self) -> Result<()> {
        Ok(())
    }

    fn call(&self, call: &Call<'_>) -> Result<Answer> {
        let mut state = self.0.lock().unwrap();
        state.asked += 1;
        let lost = || Failure::host("unreachable", "the server does not answer");
        if state.lost(Loss::Request(call.op)) {
            return Err(lost());
        }
        let answer = state.answer(call);
        if state.lost(Loss::Reply(call.op)) { Err(lost()) } else { Ok(answer) }
    }
}

impl State {
    fn lost(&mut self, loss: Loss) -> bool {
        let at = self.losses.iter().position(|planned| *planned == loss);
        at.map(|at| self.losses.remove(at)).is_some()
    }

    fn answer(&mut self, call: &Call<'_>) -> Answer {
        let envelope = Envelope::from_bytes(call.envelope.unwrap()).unwrap();
        self.signers = call.signers.iter().map(|key| key.public().clone()).collect();
        let opened = self.open(&envelope, call);
        let is_chained = opened.is_ok() && call.op != Op::HandOn;
        let outcome = opened.and_then(|()| self.run(&envelope, call));
        self.tell(call, outcome, is_chained)
    }

    fn tell(
        &mut self,
        call: &Call<'_>,
        outcome: std::result::Result<Vec<u8>, Refusal>,
        is_chained: bool,
    ) -> Answer {
        let mut receipt = Receipt {
            op: Some(call.op),
            connection: None,
            boot: BootId([self.boot; 16]),
            counter: 0,
            previous: None,
            request: [0; 32],
            refusal: outcome.as_ref().err().copied(),
            time: UnixMillis(0),
            position: None,
            result: None,
            grant: None,
        };
        if is_chained {
            let (counter, previous) =
                if call.last.0 > self.counter { call.last } else { (self.counter, self.last) };
            (receipt.connection, receipt.counter, receipt.previous) =
                (Some(CONNECTION), counter + 1, previous);
            (self.counter, self.last) = (receipt.counter, Some(sha256(&receipt.to_bytes())));
        }
        let receipt_hash = sha256(&receipt.to_bytes());
        let signed_receipt = receipt.to_bytes();
        Answer {
            outcome,
            receipt,
            receipt_hash,
            signed_receipt,
            request_hash: [0; 32],
            identity: identity(),
            grant: None,
        }
    }

    /// The share opens it, and its device key signed first.
    fn open(&self, envelope: &Envelope, call: &Call<'_>) -> std::result::Result<(), Refusal> {
        if envelope.payload.ciphertext != call.share {
            return Err(Refusal::EnvelopeRefused);
        }
        if envelope.wrap.epoch > self.epoch {
            return Err(Refusal::UnknownEpoch);
        }
        let device = sha256(&call.signers[0].public().to_bytes());
        if envelope.commitment == device { Ok(()) } else { Err(Refusal::NotAuthorised) }
    }

    fn run(&mut self, envelope: &Envelope, call: &Call<'_>) -> std::result::Result<Vec<u8>, Refusal> {
        if call.op == Op::HandOn {
            return self.hand_on(call);
        }
        let generation = envelope.header.generation;
        let current = *self.current.get_or_insert(generation);
        let superseded = self.pending.is_some_and(|pending| generation < pending && generation > current);
        if generation < current || superseded {
            return Err(Refusal::StaleGeneration);
        }
        match call.op {
            Op::Acknowledge => {
                self.current = Some(generation);
                self.pending = self.pending.filter(|pending| *pending > generation);
                Ok(Nothing {}.to_bytes())
            }
            Op::Inspect => Ok(Nothing {}.to_bytes()),
            _ if generation > current && call.op != Op::Panic => Err(Refusal::GenerationPending),
            Op::Rotate => self.rotate(envelope, call),
            Op::TakeIn => self.take_in(envelope, call),
            Op::Panic => Ok(self.at_provider.to_bytes()),
            _ => Ok(Nothing {}.to_bytes()),
        }
    }

    /// A capsule that says in clear which envelope it is of.
    fn hand_on(&self, call: &Call<'_>) -> std::result::Result<Vec<u8>, Refusal> {
        if !self.signers.iter().any(|key| key.role == OwnerRole::Second) {
            return Err(Refusal::SecondFactorNeeded);
        }
        let ciphertext = sha256(call.envelope.unwrap()).to_vec();
        let capsule = Capsule { key: 1, encapsulated: Vec::new(), ciphertext, epoch: 1, seal: Hash([0; 32]) };
        Ok(capsule.to_bytes())
    }

    fn take_in(&mut self, envelope: &Envelope, call: &Call<'_>) -> std::result::Result<Vec<u8>, Refusal> {
        let capsule = Capsule::from_bytes(call.args).unwrap();
        if capsule.ciphertext != sha256(call.envelope.unwrap()) {
            return Err(Refusal::CapsuleRefused);
        }
        let mut next = envelope.clone();
        next.header.generation = self.pending.unwrap_or(0).max(self.current.unwrap()) + 1;
        self.pending = Some(next.header.generation);
        self.data_keys += 1;
        next.payload.nonce = [self.data_keys; 12];
        next.wrap.epoch = self.epoch;
        let (generation, epoch) = (next.header.generation, next.wrap.epoch);
        Ok(Rotated { envelope: next.to_bytes(), generation, epoch }.to_bytes())
    }

    fn rotate(&mut self, envelope: &Envelope, call: &Call<'_>) -> std::result::Result<Vec<u8>, Refusal> {
        let change = Rotate::from_bytes(call.args).unwrap();
        let changes_who_opens = change.share.is_some() || change.owners.is_some();
        if changes_who_opens && !self.signers.iter().any(|key| key.role == OwnerRole::Second) {
            return Err(Refusal::SecondFactorNeeded);
        }
        let mut next = envelope.clone();
        if change.data_key || change.share.is_some() || change.owners.is_some() {
            next.header.generation = self.pending.unwrap_or(0).max(self.current.unwrap()) + 1;
            self.pending = Some(next.header.generation);
        }
        // Whatever is sealed is in the current epoch.
        next.wrap.epoch = self.epoch;
        if change.data_key {
            self.data_keys += 1;
            next.payload.nonce = [self.data_keys; 12];
        }
        if let Some(share) = change.share {
            next.payload.ciphertext = share.to_vec();
        }
        if let Some(owners) = &change.owners {
            assert!(owners.iter().all(|key| self.signers.contains(key)), "every new key proves possession");
            next.header.owners = sha256(&owner_set_transcript(owners));
            next.commitment = sha256(&owners[0].to_bytes());
        }
        let (generation, epoch) = (next.header.generation, next.wrap.epoch);
        Ok(Rotated { envelope: next.to_bytes(), generation, epoch }.to_bytes())
    }
}

/// A home with the cheapest key derivation.
pub fn home(directory: &Path) -> Home {
    let passphrase = directory.join("passphrase");
    std::fs::write(&passphrase, "p").unwrap();
    let cheap = Cost { memory_kib: 8, passes: 1, lanes: 1 };
    Home::open_at_cost(directory.join("home"), Passphrases::new(Some(passphrase)), None, cheap).unwrap()
}

/// Another directory with what [`home`] has on disk: a backup, or another machine.
pub fn copied_home(from: &Path, to: &Path) -> Home {
    copy_all(&from.join("home/simulated"), &to.join("home/simulated"));
    home(to)
}

fn copy_all(from: &Path, to: &Path) {
    DirBuilder::new().recursive(true).mode(0o700).create(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match from.is_dir() {
            true => copy_all(&from, &to),
            false => std::fs::write(&to, std::fs::read(&from).unwrap()).unwrap(),
        }
    }
}

/// Stores a connection in generation 1 that [`Scripted`] opens.
pub fn linked_home(directory: &Path) -> Home {
    linked_home_of(directory, Class::Any)
}

/// The same of a consent class.
pub fn linked_home_of(directory: &Path, class: Class) -> Home {
    let home = home(directory);
    let owner = home.owner_or_new(Realm::Simulated).unwrap();
    let second = home.second_factor_or_new(Realm::Simulated).unwrap();
    let owners =
        vec![owner.devices.newest().unwrap().public().clone(), second.newest().unwrap().public().clone()];
    let mut record = Record::new(NewConnection {
        realm: Realm::Simulated,
        environment: Environment::Sandbox,
        id: CONNECTION,
        organisation: OrganisationId([1; 16]),
        server: "http://localhost:8080".into(),
        exchange: "kraken".into(),
        name: "kraken".into(),
        linked: 0,
    });
    let envelope = Envelope {
        version: WIRE_VERSION,
        header: Header {
            organisation: record.organisation,
            connection: CONNECTION,
            owners: sha256(&owner_set_transcript(&owners)),
            purpose: Purpose::ExchangeCredential,
            generation: 1,
            class,
        },
        payload: Sealed {
            nonce: [1; 12],
            ciphertext: derive_share(&owner.secret, CONNECTION, 1).unwrap().to_vec(),
        },
        commitment: sha256(&owners[0].to_bytes()),
        wrap: Wrap { epoch: 1, nonce: [0; 12], ciphertext: [0; 76] },
    };
    record.current = Some(record.slot(envelope.to_bytes(), 1, owners, class).unwrap());
    home.save(&record).unwrap();
    home
}

/// Leaves a generation that waits here, and of which a later one has taken the place in the enclave.
pub fn supersede(home: &Home, enclave: &Scripted) {
    let mut record = home.connections().unwrap().remove(0);
    let slot = record.current.clone().unwrap();
    let mut envelope = Envelope::from_bytes(&slot.envelope).unwrap();
    envelope.header.generation = slot.generation + 1;
    let next = record.slot(envelope.to_bytes(), slot.share_version, slot.owners.clone(), slot.class());
    record.pending = Some(next.unwrap());
    home.save(&record).unwrap();
    let mut state = enclave.0.lock().unwrap();
    (state.current, state.pending) = (Some(slot.generation), Some(slot.generation + 2));
}

/// Whether the connection, as it lies on disk, can be used: what any next command would do.
pub fn use_it(home: &Home, enclave: &Scripted) -> Result<Slot> {
    let linked = Linked::open(home, enclave)?;
    let mut record = linked.connection("kraken")?;
    let slot = record.current()?.clone();
    linked.ask(&mut record, &slot, Op::Balances, &[], &[])?;
    Ok(slot)
}
