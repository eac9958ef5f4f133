//! How this program comes by its roots: from the host, which is what makes it a simulation, or from a quorum of
//! operators, as the hardware program does.

use crate::channel::Ended;
use crate::entropy::KernelEntropy;
use crate::evidence::SimulatedAttester;
use enclave::egress::Trust;
use enclave::root::Roots;
use enclave::{Boot, Enclave, Leave, Provisioning, Stage, Unprovisioned};
use wire::frame::Kind;
use wire::identity::Build;
use wire::provision::Provision;
use wire::register::Destroy;
use wire::{Canonical, Frame, UnixMillis};

/// Without a build time from the release, no time before this is believed: 2026-11-01T00:00:00Z.
const EARLIEST: UnixMillis = UnixMillis(1_793_491_200_000);

/// The program before and after it has its roots.
pub struct Provisioned {
    program: Vec<u8>,
    claimed: Option<UnixMillis>,
    state: State,
}

enum State {
    /// The host has not said yet where the roots come from.
    Untold,
    Told(Stage),
    /// A frame ended it.
    Over,
}

impl Provisioned {
    /// `program` is the file that runs: simulated evidence measures it.
    pub fn not_yet(program: &[u8]) -> Provisioned {
        Provisioned { program: program.to_vec(), claimed: None, state: State::Untold }
    }

    /// The enclave, if it has its roots.
    pub fn enclave(&mut self) -> Option<&mut Enclave> {
        match &mut self.state {
            State::Told(Stage::Running(enclave)) => Some(enclave),
            _ => None,
        }
    }

    /// Passes a frame of the host on. Time comes first, then where the roots come from; roots that come later only add
    /// epochs, and none come to an enclave that a quorum provisions.
    pub fn handle(&mut self, frame: Frame<'_>, now: u64, output: &mut Vec<u8>) -> Result<(), Ended> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Untold => {
                self.state = self.before(frame, now, output)?;
            }
            State::Told(Stage::Provisioning(provisioning)) => {
                let mut stage = provisioning.handle(frame, now).map_err(Ended::Core)?;
                match &mut stage {
                    Stage::Provisioning(provisioning) => provisioning.take_output(output),
                    Stage::Running(enclave) => enclave.take_output(output),
                }
                self.state = State::Told(stage);
            }
            State::Told(Stage::Running(mut enclave)) => {
                running(&mut enclave, frame, now)?;
                self.state = State::Told(Stage::Running(enclave));
            }
            State::Over => return Err(Ended::CannotStart),
        }
        Ok(())
    }

    fn before(&mut self, frame: Frame<'_>, now: u64, output: &mut Vec<u8>) -> Result<State, Ended> {
        match frame.kind {
            Kind::Time => {
                let time = frame.body.try_into().map_err(|_| Ended::BadProvision)?;
                self.claimed = Some(UnixMillis(u64::from_be_bytes(time)));
                Ok(State::Untold)
            }
            Kind::Provision => self.start(frame.body, now, output).map(State::Told),
            kind => Err(Ended::OutOfTurn(kind)),
        }
    }

    /// Starts the core and says so: `Ready` carries the root that a caller has to name to accept this simulation.
    fn start(&mut self, provision: &[u8], now: u64, output: &mut Vec<u8>) -> Result<Stage, Ended> {
        let claimed = self.claimed.ok_or(Ended::OutOfTurn(Kind::Provision))?;
        let provision = Provision::from_bytes(provision).map_err(|_| Ended::BadProvision)?;
        let trust = match provision.sandbox {
            None => Trust::live(),
            Some(root) => Trust::sandbox(root).map_err(|_| Ended::BadProvision)?,
        };
        let attester = SimulatedAttester::make(&self.program, claimed).map_err(|_| Ended::CannotStart)?;
        let root = attester.root().to_vec();
        let given = Unprovisioned {
            trust,
            attester: Box::new(attester),
            entropy: Box::new(KernelEntropy::start().map_err(|_| Ended::CannotStart)?),
            build: build(),
            built: built(),
        };
        let stage = if provision.epochs.is_empty() {
            wait(given, claimed, now)
        } else {
            boot(given, &provision, claimed, now)
        };
        let stage = stage?;
        self.program = Vec::new();
        Frame::write(Kind::Ready, 0, &root, output).map_err(|_| Ended::CannotStart)?;
        Ok(stage)
    }
}

/// Without a root: operators bring it.
fn wait(given: Unprovisioned, claimed: UnixMillis, now: u64) -> Result<Stage, Ended> {
    let provisioning = Box::new(Provisioning::start(given, now).map_err(|_| Ended::CannotStart)?);
    let time = claimed.0.to_be_bytes();
    let frame = Frame { kind: Kind::Time, stream: 0, body: &time };
    provisioning.handle(frame, now).map_err(Ended::Core)
}

/// With the roots that the host gave.
fn boot(
    given: Unprovisioned,
    provision: &Provision<'_>,
    claimed: UnixMillis,
    now: u64,
) -> Result<Stage, Ended> {
    let roots = Roots::provision(provision).map_err(|_| Ended::BadProvision)?;
    let Unprovisioned { trust, attester, entropy, build, built } = given;
    let witnessed = provision.witnessed.clone();
    let relying_parties = provision.relying_parties.clone();
    let boot =
        Boot { roots, manifest: None, witnessed, relying_parties, trust, attester, entropy, build, built };
    let enclave = Enclave::start(boot, claimed, now).map_err(|_| Ended::CannotStart)?;
    Ok(Stage::Running(Box::new(enclave)))
}

fn running(enclave: &mut Enclave, frame: Frame<'_>, now: u64) -> Result<(), Ended> {
    if frame.kind == Kind::Destroy {
        // Who runs a simulation has its roots anyway: their word is all the leave there can be.
        let asked = Destroy::from_bytes(frame.body).map_or(0, |asked| asked.absent);
        enclave.destroy_epoch(frame.stream, frame.body, Leave::dangerous_of_simulation(asked));
        return Ok(());
    }
    if frame.kind != Kind::Provision {
        return enclave.handle(frame, now).map_err(Ended::Core);
    }
    let provision = Provision::from_bytes(frame.body).map_err(|_| Ended::BadProvision)?;
    enclave.add_epochs(&provision).map_err(|_| Ended::BadProvision)
}

fn build() -> Build {
    Build {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: option_env!("TENSFER_COMMIT").unwrap_or("unknown").to_owned(),
    }
}

/// The time of the commit, where the build was told.
fn built() -> UnixMillis {
    let seconds = option_env!("TENSFER_COMMIT_TIME").and_then(|seconds| seconds.parse::<u64>().ok());
    seconds.map_or(EARLIEST, |seconds| UnixMillis(seconds.saturating_mul(1000)))
}
