//! What several unit tests need.

use wire::identity::{Build, Environment, Epochs, Identity, TeeKind, WIRE_VERSION};
use wire::{BootId, UnixMillis};

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
        environment: Environment::Sandbox([0; 32]),
        log: None,
        build: Build { version: "0.1.0".into(), commit: "unknown".into() },
        issued: UnixMillis(0),
        expires: UnixMillis(u64::MAX),
    }
}
