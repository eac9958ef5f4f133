//! A token that is none: SoftHSM 2, whose keys lie in a folder of the test. It speaks PKCS #11 as hardware does, and protects nothing.

use super::operators::{Said, said};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where Debian puts it; `scripts/deps test` installs it, and OpenSC beside it.
pub const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
pub const NAME: &str = "operators";
pub const PIN: &str = "12 34 tokens";

pub struct SoftToken {
    folder: PathBuf,
}

impl SoftToken {
    /// One with its PIN set, in a new folder.
    pub fn new(folder: &Path) -> SoftToken {
        let token = SoftToken::none(folder);
        token.initialise(NAME);
        token
    }

    /// The module without any token.
    pub fn none(folder: &Path) -> SoftToken {
        std::fs::create_dir_all(folder.join("tokens")).unwrap();
        let text = format!(
            "directories.tokendir = {}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n",
            folder.display()
        );
        std::fs::write(folder.join("softhsm2.conf"), text).unwrap();
        let token = SoftToken { folder: folder.to_path_buf() };
        token.write_pin(PIN);
        token
    }

    /// One more, of this name.
    pub fn initialise(&self, name: &str) {
        let mut command = Command::new("softhsm2-util");
        command.args(["--init-token", "--free", "--label", name, "--pin", PIN, "--so-pin", "so-pin-1"]);
        self.plug_in(&mut command);
        let made = said(&mut command);
        assert_eq!(made.code, 0, "{}", made.err);
    }

    /// What `--pin-file` names.
    pub fn write_pin(&self, pin: &str) {
        let path = self.folder.join("pin");
        std::fs::write(&path, format!("{pin}\n")).unwrap();
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }

    /// The process sees the token.
    pub fn plug_in(&self, command: &mut Command) {
        command.env("SOFTHSM2_CONF", self.folder.join("softhsm2.conf"));
    }

    /// Options that name the key of this label.
    pub fn words(&self, label: &str) -> Vec<String> {
        let pin = self.folder.join("pin");
        ["--token", MODULE, "--label", label, "--pin-file", pin.to_str().unwrap()].map(str::to_owned).to_vec()
    }

    /// Asks the token with a program that is not ours: OpenSC's.
    pub fn ask(&self, words: &[&str]) -> Said {
        let mut command = Command::new("pkcs11-tool");
        command.args(["--module", MODULE, "--token-label", NAME, "--login", "--pin", PIN]).args(words);
        self.plug_in(&mut command);
        said(&mut command)
    }

    /// Has that program make a key.
    pub fn make(&self, curve: &str, label: &str, id: &str, further: &str) {
        let curve = format!("EC:{curve}");
        let made = self.ask(&[
            "--keypairgen",
            "--key-type",
            &curve,
            "--label",
            label,
            "--id",
            id,
            "--usage-sign",
            further,
        ]);
        assert_eq!(made.code, 0, "{}", made.err);
    }

    /// What the token says of its private keys of this label.
    pub fn says_of(&self, label: &str) -> String {
        let listed = self.ask(&["--list-objects", "--type", "privkey"]);
        assert_eq!(listed.code, 0, "{}", listed.err);
        let name = format!("label:      {label}\n");
        listed.out.split("Private Key Object").filter(|object| object.contains(&name)).collect()
    }
}
