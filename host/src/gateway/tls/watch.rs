//! Noticing that the certificate was replaced: on SIGHUP, and by looking at the files.

use super::{Files, Tls};
use crate::calls::Role;
use crate::process::Hangup;
use crate::{clock, log};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// A look costs two calls of the kernel.
const LOOK: Duration = Duration::from_secs(2);

impl Tls {
    /// Renews the certificate as often as its files change, or somebody asks. Never returns.
    pub async fn watch(&self, mut hangup: Hangup) {
        let mut files = Watched::new(&self.files);
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let asked = tokio::select! {
                () = hangup.asked() => true,
                _ = looks.tick() => false,
            };
            let changed = files.look(&self.files);
            if asked {
                // What is there now is taken, at rest or not; what changes after that is seen.
                files.taken = files.last;
            }
            if changed || asked {
                match self.renew(clock::now()) {
                    Ok(()) => {
                        log::line(Role::Gateway, "the certificate was read again, and is used from now on")
                    }
                    Err(error) => {
                        log::line(
                            Role::Gateway,
                            format_args!("{error}; the certificate from before stays in use"),
                        );
                    }
                }
            }
        }
    }
}

/// What was seen of the files.
struct Watched {
    /// When they were taken last.
    taken: Seen,
    /// At the last look.
    last: Seen,
}

type Seen = [Option<super::certificate::Stamp>; 2];

impl Watched {
    fn new(files: &Files) -> Watched {
        let seen = files.stamp();
        Watched { taken: seen, last: seen }
    }

    /// Whether they changed since they were taken, and have been at rest for one look: two files are not replaced at once.
    fn look(&mut self, files: &Files) -> bool {
        let seen = files.stamp();
        let rested = std::mem::replace(&mut self.last, seen) == seen;
        let changed = rested && seen != self.taken;
        if changed {
            self.taken = seen;
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Folder;

    #[test]
    fn files_are_read_again_once_after_both_were_replaced() {
        let folder = Folder::new();
        let files = Files { certificate: folder.path().join("chain"), key: folder.path().join("key") };
        let write = |path: &std::path::Path, text: &str| std::fs::write(path, text).unwrap();
        write(&files.certificate, "1");
        write(&files.key, "1");
        let mut watched = Watched::new(&files);
        assert!(!watched.look(&files));
        write(&files.certificate, "two");
        assert!(!watched.look(&files), "the key may be on its way");
        write(&files.key, "two");
        assert!(!watched.look(&files));
        assert!(watched.look(&files));
        assert!(!watched.look(&files), "once");
        std::fs::remove_file(&files.key).unwrap();
        assert!(!watched.look(&files));
        assert!(watched.look(&files), "one that is gone is said so");
    }
}
