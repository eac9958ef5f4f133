//! An approved manifest as files, for `tensfer root`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::path::{Path, PathBuf};
use verify::measurement::Hex;
use wire::Canonical;
use wire::ceremony::Proposal;
use wire::evidence::Hash;
use wire::manifest::{Manifest, RootCommitment, Signers};

use crate::ceremony::{FROM, UNTIL};

/// Writes the manifest and each approval; gives the options that name them.
pub fn proposed(folder: &Path, proposal: &Proposal) -> Vec<String> {
    let manifest = Manifest::from_bytes(&proposal.manifest).unwrap();
    let word = |path: PathBuf| path.to_str().unwrap().to_owned();
    let written = |name: &str, text: String| {
        std::fs::write(folder.join(name), text).unwrap();
        word(folder.join(name))
    };
    let mut words = vec!["--manifest".to_owned(), written("manifest.toml", source(&manifest))];
    for (number, approval) in proposal.approvals.iter().enumerate() {
        let text = format!("{}\n", STANDARD.encode(&approval.0));
        words.extend(["--approval".to_owned(), written(&format!("approval-{number}"), text)]);
    }
    words
}

/// The form of docs/spec/client.md §7, of a test's manifests.
fn source(manifest: &Manifest) -> String {
    assert_eq!((manifest.from, manifest.until), (FROM, UNTIL));
    let Manifest { name, nonce, minimum_version, holders, .. } = manifest;
    let holder = |holder: &wire::manifest::Holder| member("holders", &holder.alias, "x-wing", &holder.key);
    let program = |program: &wire::manifest::Program| {
        let registers =
            program.registers.iter().map(|one| format!("{} = \"{}\"\n", one.name, Hex(&one.value)));
        format!("[[programs]]\ntee = \"nitro\"\n[programs.registers]\n{}", registers.collect::<String>())
    };
    [
        format!(
            "format = \"tensfer root manifest\"\nversion = 1\nname = \"{name}\"\nnonce = {nonce}\n\
             environment = \"sandbox\"\nminimum_version = \"{minimum_version}\"\nclasses = [\"any\"]\n\
             from = \"2026-01-01T00:00:00Z\"\nuntil = \"2027-12-31T00:00:00Z\"\n"
        ),
        signers("approvers", &manifest.approvers),
        format!("[holders]\nthreshold = {}\n", holders.threshold),
        holders.members.iter().map(holder).collect(),
        signers("witnesses", &manifest.witnesses),
        manifest.programs.iter().map(program).collect(),
        manifest.roots.iter().map(root).collect(),
    ]
    .concat()
}

fn signers(group: &str, signers: &Signers) -> String {
    let members = signers.members.iter();
    let members = members.map(|signer| member(group, &signer.alias, "ed25519", &signer.key.public));
    format!("[{group}]\nthreshold = {}\n{}", signers.threshold, members.collect::<String>())
}

fn member(group: &str, alias: &str, kind: &str, key: &[u8]) -> String {
    format!("[[{group}.members]]\nalias = \"{alias}\"\nkey = \"{kind}:{}\"\n", STANDARD.encode(key))
}

fn root(root: &RootCommitment) -> String {
    let hex = |hash: &Hash| hash.0.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let shares: Vec<String> = root.shares.iter().map(|share| format!("\"{}\"", hex(share))).collect();
    format!(
        "[[roots]]\nclass = \"{}\"\nepoch = {}\ncommitment = \"{}\"\nshares = [{}]\n",
        root.class,
        root.epoch,
        hex(&root.commitment),
        shares.join(", ")
    )
}
