//! One approver and one holder: what they do at a terminal, with their files in a test's folder.

use crate::host::{Host, Witness};
use crate::machine::Signer;
use crate::person::said;
use stack::{Folder, tensfer};
use std::path::PathBuf;
use std::process::Command;

/// Files of the one approver, and of the one holder, by these names in a folder.
pub struct Operators<'t> {
    pub folder: &'t Folder,
    pub signer: &'t Signer,
}

impl Operators<'_> {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// `tensfer root …`, where a word that begins with `@` is a file of theirs.
    pub fn root(&self, words: &str) -> String {
        let word = |word: &str| match word.split_once('@') {
            Some((before, name)) => format!("{before}{}", self.path(name).display()),
            None => word.to_owned(),
        };
        let mut command = Command::new(tensfer());
        command.env("TENSFER_HOME", self.path("operators")).arg("root").args(words.split(' ').map(word));
        command.arg("--dangerous-simulated").arg(&self.signer.root);
        command.arg("--passphrase-file").arg(self.path("passphrase"));
        let said = said(&mut command, b"");
        assert_eq!(said.code, 0, "root {words}: {}{}", said.out, said.err);
        said.out
    }

    /// Everybody's, and the public ones of these witnesses as `one.public` and so on.
    pub fn keys(&self, witnesses: &[(&str, &Witness)]) {
        let write = |name: &str, text: &str| std::fs::write(self.path(name), text).unwrap();
        write("passphrase", "correct horse\n");
        for (role, name) in [("approver", "ada"), ("holder", "dot")] {
            write(&format!("{name}.public"), &self.root(&format!("key {role} --output @{name}.key")));
        }
        for (name, witness) in witnesses {
            write(&format!("{name}.public"), &witness.key);
        }
    }

    pub fn approve(&self, manifest: &str, besides: &str) {
        self.root(&format!(
            "approve --yes --key @ada.key --manifest @{manifest} --output @{manifest}.ada{besides}"
        ));
    }

    /// A step that an enclave takes under an approved manifest.
    pub fn step(&self, step: &str, host: &Host, manifest: &str, besides: &str) -> String {
        let run = host.run.display();
        self.root(&format!("{step} --run {run} --manifest @{manifest} --approval @{manifest}.ada{besides}"))
    }
}
