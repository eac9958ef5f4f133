//! Roots from the host: what makes this program a simulation. The hardware program has nothing like it.

use crate::channel::Ended;
use crate::entropy::KernelEntropy;
use crate::evidence::SimulatedAttester;
use enclave::egress::Trust;
use enclave::root::Roots;
use enclave::{Boot, Enclave};
use wire::frame::Kind;
use wire::identity::Build;
use wire::provision::Provision;
use wire::{Canonical, Frame, UnixMillis};

/// Without a build time from the release, no time before this is believed: 2026-11-01T00:00:00Z.
const EARLIEST: UnixMillis = UnixMillis(1_793_491_200_000);

/// The program before and after it has its roots.
pub struct Provisioned {
    program: Vec<u8>,
    claimed: Option<UnixMillis>,
    enclave: Option<Enclave>,
}

impl Provisioned {
    /// `program` is the file that runs: simulated evidence measures it.
    pub fn not_yet(program: &[u8]) -> Provisioned {
        Provisioned { program: program.to_vec(), claimed: None, enclave: None }
    }

    pub fn enclave(&mut self) -> Option<&mut Enclave> {
        self.enclave.as_mut()
    }

    /// Passes a frame of the host on. Time comes first, then the roots; roots that come later only add epochs.
    pub fn handle(&mut self, frame: Frame<'_>, now: u64, output: &mut Vec<u8>) -> Result<(), Ended> {
        match (frame.kind, &mut self.enclave) {
            (Kind::Provision, Some(enclave)) => {
                let provision = Provision::from_bytes(frame.body).map_err(|_| Ended::BadProvision)?;
                enclave.add_epochs(&provision).map_err(|_| Ended::BadProvision)
            }
            (Kind::Provision, None) => self.start(frame.body, now, output),
            (Kind::Time, None) => {
                let time = frame.body.try_into().map_err(|_| Ended::BadProvision)?;
                self.claimed = Some(UnixMillis(u64::from_be_bytes(time)));
                Ok(())
            }
            (kind, None) => Err(Ended::OutOfTurn(kind)),
            (_, Some(enclave)) => enclave.handle(frame, now).map_err(Ended::Core),
        }
    }

    /// Starts the core and says so: `Ready` carries the root that a caller has to name to accept this simulation.
    fn start(&mut self, provision: &[u8], now: u64, output: &mut Vec<u8>) -> Result<(), Ended> {
        let claimed = self.claimed.ok_or(Ended::OutOfTurn(Kind::Provision))?;
        let provision = Provision::from_bytes(provision).map_err(|_| Ended::BadProvision)?;
        let roots = Roots::provision(&provision).map_err(|_| Ended::BadProvision)?;
        let trust = match provision.sandbox {
            None => Trust::live(),
            Some(root) => Trust::sandbox(root).map_err(|_| Ended::BadProvision)?,
        };
        let attester = SimulatedAttester::make(&self.program, claimed).map_err(|_| Ended::CannotStart)?;
        let root = attester.root().to_vec();
        let boot = Boot {
            roots,
            manifest: None,
            trust,
            attester: Box::new(attester),
            entropy: Box::new(KernelEntropy::start().map_err(|_| Ended::CannotStart)?),
            build: build(),
            built: built(),
        };
        self.enclave = Some(Enclave::start(boot, claimed, now).map_err(|_| Ended::CannotStart)?);
        self.program = Vec::new();
        Frame::write(Kind::Ready, 0, &root, output).map_err(|_| Ended::CannotStart)
    }
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
