//! A program as its owner sees it before they let it open anything, and as they name it then.

use crate::client::failure::{Failure, Result};
use crate::client::session::Session;
use crate::client::table::{Align, Table};
use serde::Serialize;
use std::collections::BTreeMap;
use verify::measurement::{Hex, Name, Registers};
use wire::identity::{Identity, TeeKind};
use wire::manifest::{self, MAX_REGISTERS, Register};

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Program {
    pub server: String,
    pub tee: &'static str,
    /// What its evidence proves, in hexadecimal.
    pub measurements: BTreeMap<String, String>,
    /// By which it was accepted; `null`: its registers were named.
    pub release: Option<String>,
    pub version: String,
    pub commit: String,
    #[serde(skip)]
    kind: TeeKind,
}

impl Program {
    pub fn of(session: &Session) -> Program {
        let (identity, registers, release) = session.program();
        Program::new(session.server(), &identity, &registers, release)
    }

    pub fn new(server: &str, identity: &Identity, registers: &Registers, release: Option<String>) -> Program {
        let named = registers.iter().filter(|(name, value)| is_of_program(*name) && **value != [0; 48]);
        Program {
            server: server.to_owned(),
            tee: match identity.tee {
                TeeKind::Simulated => "simulated",
                TeeKind::Nitro => "nitro",
                TeeKind::SevSnp => "sev-snp",
                TeeKind::Tdx => "tdx",
            },
            measurements: named.map(|(name, value)| (name.to_string(), Hex(value).to_string())).collect(),
            release,
            version: identity.build.version.clone(),
            commit: identity.build.commit.clone(),
            kind: identity.tee,
        }
    }

    /// As the owner names it to the old program: what was shown, if that is what was proven again.
    pub fn named(&self, registers: &Registers) -> Result<manifest::Program> {
        let shown: Option<Vec<Register>> = self
            .measurements
            .iter()
            .map(|(name, digits)| {
                let value = *registers.value(Name::parse(name)?)?;
                let is_same = Hex(&value).to_string() == *digits;
                is_same.then(|| Register { name: name.clone(), value })
            })
            .collect();
        let registers = shown.filter(|registers| (1..=MAX_REGISTERS).contains(&registers.len()));
        let registers = registers.ok_or_else(|| {
            Failure::refused(
                "program_changed",
                "another program answers there than the one that you were shown",
            )
            .hint("nothing more was moved; look at it with `--status` first")
        })?;
        Ok(manifest::Program { tee: self.kind, registers })
    }
}

/// What says which program runs, rather than where or for whom.
const fn is_of_program(name: Name) -> bool {
    matches!(name, Name::Pcr(0..=2) | Name::Measurement | Name::Mrtd | Name::Rtmr(_))
}

/// Both beside each other.
pub fn table([old, new]: &[Program; 2]) -> String {
    let mut table =
        Table::new([("", Align::Left), ("old program", Align::Left), ("new program", Align::Left)]);
    let release =
        |program: &Program| program.release.clone().unwrap_or_else(|| "none: registers named".into());
    table.row(["server".into(), old.server.clone(), new.server.clone()]);
    table.row(["release".into(), release(old), release(new)]);
    table.row(["version".into(), old.version.clone(), new.version.clone()]);
    table.row(["commit".into(), old.commit.clone(), new.commit.clone()]);
    table.row(["TEE".into(), old.tee.into(), new.tee.into()]);
    let names = old.measurements.keys().chain(new.measurements.keys());
    for name in names.collect::<std::collections::BTreeSet<_>>() {
        let value = |program: &Program| program.measurements.get(name).cloned().unwrap_or_default();
        table.row([name.clone(), value(old), value(new)]);
    }
    table.to_string()
}
