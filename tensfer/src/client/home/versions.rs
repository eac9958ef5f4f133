//! The highest version of each deployment that was worked with: it only rises (docs/spec/release.md §4).
//!
//! A deployment is known by its address, and by the name of the release that its program was accepted by: a version has to
//! reach both.

use super::Home;
use super::files;
use super::realm::Realm;
use crate::client::failure::{Failure, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use verify::expect::Version;

const FORMAT: &str = "tensfer versions";
const VERSION: u8 = 1;

/// An enclave that was verified, as far as its version goes.
#[derive(Clone, Copy, Debug)]
pub struct Met<'m> {
    /// The server's address.
    pub server: &'m str,
    /// The name of the release that the program was accepted by, if it was by one.
    pub release: Option<&'m str>,
    /// As the identity says it.
    pub version: &'m str,
}

/// What was accepted so far in one realm.
#[derive(Debug)]
pub struct Versions {
    path: PathBuf,
    accepted: Accepted,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Accepted {
    format: String,
    version: u8,
    /// By the server's address.
    servers: BTreeMap<String, String>,
    /// By the release's name.
    releases: BTreeMap<String, String>,
}

impl Home {
    /// The highest versions of a realm.
    pub fn versions(&self, realm: Realm) -> Result<Versions> {
        Versions::read(&self.root, realm)
    }

    /// Refuses what is older than what was accepted before; keeps what is newer, durably.
    pub fn meet(&self, realm: Realm, met: &Met<'_>) -> Result<()> {
        let mut versions = self.versions(realm)?;
        versions.check(met)?;
        if !versions.raise(met) {
            return Ok(());
        }
        files::make_private_dir(&self.root.join(realm.name()))?;
        let mut bytes = serde_json::to_vec_pretty(&versions.accepted)
            .map_err(|_| Failure::internal("this program could not write the versions that you accepted"))?;
        bytes.push(b'\n');
        files::replace(&versions.path, &bytes)
    }
}

impl Versions {
    /// Of a home that may not be there: then nothing was accepted yet.
    pub fn read(home: &Path, realm: Realm) -> Result<Versions> {
        let path = home.join(realm.name()).join("versions.json");
        let accepted = match files::read(&path)? {
            None => Accepted { format: FORMAT.to_owned(), version: VERSION, ..Accepted::default() },
            Some(bytes) => serde_json::from_slice(&bytes)
                .ok()
                .filter(|read: &Accepted| read.format == FORMAT && read.version == VERSION)
                .filter(|read| {
                    read.servers.values().chain(read.releases.values()).all(|text| is_version(text))
                })
                .ok_or_else(|| damaged(&path))?,
        };
        Ok(Versions { path, accepted })
    }

    /// Refuses an enclave that is older than one that was worked with under the same address or release.
    pub fn check(&self, met: &Met<'_>) -> Result<()> {
        let known = [
            self.accepted.servers.get(met.server).map(|version| (version, "at this address".to_owned())),
            met.release.and_then(|name| {
                let version = self.accepted.releases.get(name)?;
                Some((version, format!("of the release `{name}`")))
            }),
        ];
        for (version, of) in known.into_iter().flatten() {
            if Version::parse(met.version) < Version::parse(version) {
                let found = crate::client::terminal::printable(met.version);
                return Err(Failure::refused(
                    "version_too_old",
                    format!(
                        "the server's enclave is of version {found}, and you have worked with {version} {of} before \
                         (version_too_old)"
                    ),
                )
                .hint(format!(
                    "who goes back to an older program may want its faults back: do not use this server before you know why. \
                     To accept it all the same, take the version out of `{}`",
                    self.path.display()
                )));
            }
        }
        Ok(())
    }

    /// Takes over what is higher; whether anything is.
    fn raise(&mut self, met: &Met<'_>) -> bool {
        // What is no version was compared above, and is kept nowhere.
        let Some(version) = Version::parse(met.version) else { return false };
        let mut raised = false;
        let mut keep = |known: &mut BTreeMap<String, String>, name: &str| {
            if known.get(name).and_then(|text| Version::parse(text)) < Some(version) {
                known.insert(name.to_owned(), version.to_string());
                raised = true;
            }
        };
        keep(&mut self.accepted.servers, met.server);
        if let Some(name) = met.release {
            keep(&mut self.accepted.releases, name);
        }
        raised
    }
}

fn is_version(text: &str) -> bool {
    Version::parse(text).is_some()
}

fn damaged(path: &Path) -> Failure {
    Failure::refused(
        "versions_damaged",
        format!("`{}` is damaged or was altered (versions_damaged)", path.display()),
    )
    .hint("put back a copy of it; without one, look what version your servers run before you remove it")
}

#[cfg(test)]
mod tests {
    use super::super::key_file::Cost;
    use super::super::passphrase::Passphrases;
    use super::*;

    const CHEAP: Cost = Cost { memory_kib: 8, passes: 1, lanes: 1 };

    fn home(folder: &Path) -> Home {
        Home::open_at_cost(folder.join("home"), Passphrases::new(None), None, CHEAP).unwrap()
    }

    fn met<'m>(server: &'m str, release: Option<&'m str>, version: &'m str) -> Met<'m> {
        Met { server, release, version }
    }

    #[test]
    fn a_version_that_was_worked_with_only_rises_and_what_is_older_is_refused_for_good() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = ("https://one.example", "https://two.example");
        home(folder.path()).meet(Realm::Hardware, &met(one, None, "0.9.0")).unwrap();
        home(folder.path()).meet(Realm::Hardware, &met(one, None, "0.10.0")).unwrap();
        home(folder.path()).meet(Realm::Hardware, &met(one, None, "0.10.0")).unwrap();
        // Another command, after any restart.
        let again = home(folder.path());
        for older in ["0.9.9", "0.1.0", "", "unknown", "0.10"] {
            let refused = again.meet(Realm::Hardware, &met(one, None, older)).unwrap_err();
            assert_eq!(refused.code, "version_too_old", "{older}");
            assert!(refused.to_string().contains("worked with 0.10.0 at this address before"), "{refused}");
        }
        again.meet(Realm::Hardware, &met(two, None, "0.1.0")).unwrap();
        again.meet(Realm::Simulated, &met(one, None, "0.1.0")).unwrap();
        assert!(
            again.meet(Realm::Hardware, &met(one, None, "0.9.9")).is_err(),
            "what was refused lowers nothing"
        );
    }

    #[test]
    fn an_older_program_of_a_release_is_refused_at_every_address() {
        let folder = tempfile::tempdir().unwrap();
        let home = home(folder.path());
        let (one, two) = ("https://one.example", "https://two.example");
        home.meet(Realm::Hardware, &met(one, Some("example"), "0.3.0")).unwrap();
        let refused = home.meet(Realm::Hardware, &met(two, Some("example"), "0.2.0")).unwrap_err();
        assert!(refused.to_string().contains("of the release `example`"), "{refused}");
        home.meet(Realm::Hardware, &met(two, Some("other"), "0.2.0")).unwrap();
        // And not by being named by its registers instead, at an address that was seen.
        assert!(home.meet(Realm::Hardware, &met(one, None, "0.2.0")).is_err());
    }

    #[test]
    fn a_damaged_file_is_never_taken_for_none() {
        let folder = tempfile::tempdir().unwrap();
        let home = home(folder.path());
        home.meet(Realm::Hardware, &met("https://one.example", None, "0.3.0")).unwrap();
        let path = folder.path().join("home/hardware/versions.json");
        let good = std::fs::read_to_string(&path).unwrap();
        for bad in
            ["", "{}", &good.replace("0.3.0", "0.3"), &good.replace("versions\"", "version\""), &good[3..]]
        {
            std::fs::write(&path, bad).unwrap();
            let refused = home.meet(Realm::Hardware, &met("https://one.example", None, "9.0.0")).unwrap_err();
            assert_eq!(refused.code, "versions_damaged", "{bad}");
        }
    }
}
