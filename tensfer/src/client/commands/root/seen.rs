//! When a holder first saw a program: `KEY.seen`, beside their key. Class `delayed` counts its hours by it, on this
//! machine's clock.

use super::damaged;
use crate::client::encode::hex;
use crate::client::failure::{Failure, Result};
use crate::client::home::files;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use verify::consent::{Candidate, program_name};
use wire::UnixMillis;
use wire::evidence::Hash;
use wire::manifest::Manifest;

const HOUR_MS: u64 = 3_600_000;

/// By the program's name, in hexadecimal digits: Unix milliseconds.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seen(BTreeMap<String, u64>);

impl Seen {
    /// What was seen so far, with the programs of this manifest from now on; durable before anything is released.
    pub fn note(key: &Path, manifest: &Manifest, now: UnixMillis) -> Result<Seen> {
        let path = beside(key);
        let mut seen: Seen = match files::read(&path)? {
            Some(bytes) => serde_json::from_slice(&bytes)
                .map_err(|_| damaged(&path, "record of the programs that you saw"))?,
            None => Seen::default(),
        };
        for program in &manifest.programs {
            seen.0.entry(hex(&program_name(program).0)).or_insert(now.0);
        }
        let bytes = serde_json::to_vec(&seen)
            .map_err(|_| Failure::internal("this program could not write what you saw"))?;
        files::replace(&path, &bytes)?;
        Ok(seen)
    }

    /// What an enclave qualifies for that is these programs. One that the very first genesis was for is as old as the class:
    /// whoever chose `delayed` chose it then. One that came with a later epoch is as young as any.
    pub fn candidate(
        &self,
        programs: Vec<Hash>,
        first: Option<&Manifest>,
        manifest: &Manifest,
        now: UnixMillis,
    ) -> Candidate {
        let wanted = u64::from(manifest.delay.unwrap_or(u16::MAX)) * HOUR_MS;
        let of_first = first.into_iter().flat_map(|genesis| &genesis.programs);
        let first: Vec<Hash> = of_first.map(program_name).collect();
        let is_old = |name: &Hash| {
            self.0.get(&hex(&name.0)).is_some_and(|since| now.0.saturating_sub(*since) >= wanted)
        };
        let is_public =
            !programs.is_empty() && programs.iter().all(|name| first.contains(name) || is_old(name));
        Candidate { programs, is_public }
    }
}

fn beside(key: &Path) -> PathBuf {
    let mut path = OsString::from(key);
    path.push(".seen");
    path.into()
}

#[cfg(test)]
mod tests {
    use super::super::manifest::tests::example;
    use super::*;

    #[test]
    fn a_program_is_public_when_this_holder_has_seen_it_for_the_manifests_hours_or_the_genesis_was_for_it() {
        let folder = std::env::temp_dir().join(format!("tensfer-seen-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let key = folder.join("dot.key");
        let (genesis, mut newer) = (example(), example());
        newer.programs[0].registers[0].value = [9; 48];
        let (old, new) = (program_name(&genesis.programs[0]), program_name(&newer.programs[0]));
        let (first, wanted) = (UnixMillis(1_000), 48 * HOUR_MS);
        let seen = Seen::note(&key, &newer, first).unwrap();
        let is_public = |seen: &Seen, programs: &[Hash], at| {
            seen.candidate(programs.to_vec(), Some(&genesis), &newer, at).is_public
        };
        assert!(is_public(&seen, &[old], first));
        assert!(!is_public(&seen, &[new], first.plus(wanted - 1)));
        // Seen again later, it is no younger.
        let seen = Seen::note(&key, &newer, first.plus(wanted - 1)).unwrap();
        assert!(is_public(&seen, &[new], first.plus(wanted)));
        assert!(!is_public(&seen, &[new, Hash([1; 32])], first.plus(wanted)), "one that was never seen");
        assert!(!is_public(&seen, &[], first.plus(wanted)));
        let without = |at| seen.candidate(vec![old], None, &newer, at).is_public;
        assert!(!without(first), "the manifest of a later epoch makes no program old");
        std::fs::write(beside(&key), "not json").unwrap();
        assert!(Seen::note(&key, &newer, first).is_err(), "a damaged record is not begun anew");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
