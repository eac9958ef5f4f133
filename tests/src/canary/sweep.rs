//! Searching everywhere outside the enclave in one run.

use super::leak::Leak;
use super::marks::Marks;
use super::process::Stopped;
use super::run::{ENCLAVE, Run, SANDBOX};
use super::scanner::Scanner;
use super::secrets::{DEVICE_KEY, OWNER_SECRET, ROOT, SECOND_FACTOR};
use std::path::PathBuf;

impl Run {
    /// Holds every process still and searches everywhere outside the enclave.
    pub fn search(&self) -> Vec<Leak> {
        self.search_stopped(&Stopped::stop(self.processes()))
    }

    /// As [`Run::search`], on processes that stand still already.
    pub fn search_stopped(&self, stopped: &Stopped) -> Vec<Leak> {
        let everything = Scanner::new(&self.marks);
        // The sandbox is the exchange: it has the credentials by right, and nothing else.
        let ours = Scanner::new(&self.marks.but(|name| self.is_credential(name)));
        let mut leaks = self.search_files(&everything);
        for process in stopped.processes() {
            let scanner = if process.name() == SANDBOX { &ours } else { &everything };
            leaks.extend(scanner.search_process(process));
            if process.name() != ENCLAVE {
                let memory = scanner.search_memory(process);
                assert_eq!(memory.unreadable, [], "all memory of {process:?} was searched");
                leaks.extend(memory.leaks);
            }
        }
        leaks
    }

    /// Every file that any process of the run could write: data, logs, working directory, temporary files, home.
    pub fn search_files(&self, everything: &Scanner) -> Vec<Leak> {
        let owners = [OWNER_SECRET, DEVICE_KEY, SECOND_FACTOR];
        // What lies in these by design is one thing each; everything else must not.
        let by_right: [(PathBuf, Marks); 4] = [
            (self.path("data/simulated-root"), self.marks.but(|name| name == ROOT)),
            (self.home().join("simulated/owner.key"), self.marks.but(|name| owners.contains(&name))),
            (self.home().join("simulated/second-factor.key"), self.marks.but(|name| owners.contains(&name))),
            (self.exported(), self.marks.but(|name| self.is_credential(name))),
        ];
        let mut leaks = everything.search_folder(self.folder.path(), &by_right.clone().map(|(path, _)| path));
        for (path, others) in by_right.iter().filter(|(path, _)| path.exists()) {
            leaks.extend(Scanner::new(others).search_file(path));
        }
        leaks
    }

    /// Where an export may write the credential.
    pub fn exported(&self) -> PathBuf {
        self.path("home/exported.json")
    }

    /// Searches the files and logs that a run leaves when all its processes have ended.
    pub fn search_remains(&mut self) -> Vec<Leak> {
        self.wait_for_end();
        self.search_files(&Scanner::new(&self.marks))
    }

    fn is_credential(&self, name: &str) -> bool {
        self.accounts.iter().any(|account| name.starts_with(&account.label()))
    }
}
