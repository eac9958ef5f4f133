//! Who publish an image, two of two, and what a person's policy says of them.

use crate::artefacts::{Image, built, live, measurements};
use crate::person::{Said, said};
use serde_json::Value;
use stack::{Folder, tensfer};
use std::process::Command;
use verify::measurement::{Hex, Register};

pub const NAMES: [&str; 2] = ["ada", "ben"];

pub struct Publishers<'t> {
    folder: &'t Folder,
}

impl<'t> Publishers<'t> {
    /// With a release of the image that nobody has signed: the live one's draft, of which the program was changed, for the command drafts
    /// none for a sandbox. `None`: what is measured differs from every commit, so nobody
    /// could repeat its build, and no release names it.
    pub fn of(folder: &'t Folder, image: &Image) -> Option<Publishers<'t>> {
        let measured = measurements(image);
        if measured["commit"] == "unknown" {
            return None;
        }
        let publishers = Publishers { folder };
        let write = |name: &str, text: String| std::fs::write(folder.join(name), text).unwrap();
        std::fs::create_dir(folder.join("trusted")).unwrap();
        write("publishers", "correct horse\n".into());
        let key = |name: &str| publishers.done(&["key", "--output", &format!("{name}.key"), "--json"]);
        let key = |name: &str| serde_json::from_str::<Value>(&key(name)).unwrap()["key"].to_string();
        let keys = NAMES.map(|name| format!("[[releases.keys]]\nalias = \"{name}\"\nkey = {}\n", key(name)));
        let form =
            "format = \"tensfer policy\"\nversion = 1\n[releases]\nthreshold = 2\nfolder = \"../trusted\"\n";
        std::fs::create_dir(folder.join("home")).unwrap();
        write("home/policy.toml", format!("{form}{}", keys.concat()));
        let digest = said(Command::new(tensfer()).args(["connectors", "digest"]), b"");
        let words = "draft --name emulated --from 2026-01-01T00:00:00Z \
                     --until 2027-12-31T00:00:00Z --output draft.toml --connectors";
        let built = built("measurements.json");
        let built = ["--measurements", built.to_str().unwrap()];
        publishers.done(&words.split(' ').chain([digest.out.trim()]).chain(built).collect::<Vec<_>>());
        let draft = std::fs::read_to_string(folder.join("draft.toml")).unwrap();
        let live = live();
        let swap = |text: String, (name, value): (_, &Register)| {
            text.replace(&Hex(live.registers.value(name).unwrap()).to_string(), &Hex(value).to_string())
        };
        let swapped = image.registers.iter().fold(draft.replace("\"live\"", "\"sandbox\""), swap);
        write("trusted/release.toml", swapped);
        Some(publishers)
    }

    pub fn sign(&self, name: &str) {
        self.done(&["sign", "trusted/release.toml", "--key", &format!("{name}.key"), "--yes"]);
    }

    fn done(&self, words: &[&str]) -> String {
        let said = self.run(words);
        assert_eq!(said.code, 0, "release {words:?}: {}", said.err);
        said.out
    }

    fn run(&self, words: &[&str]) -> Said {
        let mut command = Command::new(tensfer());
        command.current_dir(self.folder.path()).env("TENSFER_HOME", self.folder.join("publishers-home"));
        said(command.arg("release").args(words).args(["--passphrase-file", "publishers"]), b"")
    }
}
