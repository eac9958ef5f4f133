//! `root`: what operators do for an enclave's root. Keys, approvals, the genesis, and their shares (docs/spec/provisioning.md).

mod adopt;
mod approve;
mod ceremony;
mod destroy;
mod draft;
mod end;
mod genesis;
mod handover;
mod held;
mod holder_key;
mod key;
pub mod key_file;
pub mod manifest;
mod next;
mod notice;
mod opened;
mod relay;
mod release;
mod seen;
mod signer;
mod status;

use crate::client::failure::{Failure, Result};
use crate::client::home::files;
use crate::client::options::Options;
use clap::Subcommand;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use verify::manifest::Approved;
use wire::manifest::Manifest;
use wire::{Canonical, ceremony as wire_ceremony};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make an operator's key: one that approves manifests, or one that shares are sealed to.
    Key(key::Args),
    /// Write a deployment's first manifest, from its operators' public keys and its programs' measurements.
    Draft(draft::Args),
    /// Write the manifest after another: with an epoch to be made, made current or ended, other holders, a further program.
    Next(next::Args),
    /// Read a manifest, and sign it.
    Approve(approve::Args),
    /// Let an enclave make the roots of an approved manifest, once, and seal their shares to the holders.
    Genesis(genesis::Args),
    /// Let an enclave that has its roots make the epochs that an approved manifest asks for.
    #[command(after_help = genesis::BEGIN_HELP)]
    Begin(genesis::Args),
    /// Fetch what holders had an enclave split to new holders, and write the manifest that they are in.
    #[command(after_help = genesis::RESHARE_HELP)]
    Reshare(genesis::Args),
    /// Let an enclave go on under a newer manifest: with epochs that were begun, or that become current.
    Adopt(adopt::Args),
    /// Write the manifest that gives notice to who is still in an epoch, for approvers.
    Notice(notice::Args),
    /// Write the manifest that ends the oldest epochs of a class, for approvers.
    End(end::Args),
    /// Show approvers that your share of what was made opens.
    Opened(opened::Args),
    /// Verify an enclave that waits for its root, and release your share to it.
    Release(release::Args),
    /// Destroy a holder's key, once others have the roots.
    Destroy(destroy::Args),
    /// Let an enclave hand its roots to a successor, which each verifies of the other.
    Handover(handover::Args),
    /// Show how far an enclave is.
    Status(status::Args),
}

impl Command {
    pub fn run(self, options: &Options) -> Result<ExitCode> {
        match self {
            Command::Key(args) => key::run(options, &args),
            Command::Draft(args) => draft::run(options, &args),
            Command::Next(args) => next::run(&args),
            Command::Approve(args) => approve::run(options, &args),
            Command::Genesis(args) => genesis::run(options, &args),
            Command::Begin(args) => genesis::begin(options, &args),
            Command::Reshare(args) => genesis::begin(options, &args),
            Command::Adopt(args) => adopt::run(options, &args),
            Command::Notice(args) => notice::run(options, &args),
            Command::End(args) => end::run(&args),
            Command::Opened(args) => opened::run(options, &args),
            Command::Release(args) => release::run(options, &args),
            Command::Destroy(args) => destroy::run(options, &args),
            Command::Handover(args) => handover::run(options, &args),
            Command::Status(args) => status::run(options, &args),
        }?;
        Ok(ExitCode::SUCCESS)
    }
}

/// A manifest with the signatures under it.
#[derive(clap::Args, Debug)]
struct Proposed {
    /// The manifest (TOML).
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,

    /// An approver's approval, as `tensfer root approve` wrote it; repeat for each.
    #[arg(long = "approval", value_name = "FILE", required = true)]
    approvals: Vec<PathBuf>,
}

/// What is proposed, checked as the enclave will check it.
struct Proposal {
    approved: Approved,
    /// Canonical bytes of the manifest.
    manifest: Vec<u8>,
    approvals: Vec<Vec<u8>>,
}

impl Proposed {
    fn read(&self) -> Result<Proposal> {
        let manifest = manifest::read(&self.manifest)?;
        let approvals: Vec<Vec<u8>> =
            self.approvals.iter().map(|path| approve::read(path)).collect::<Result<_>>()?;
        Proposal::check(manifest.to_bytes(), approvals)
    }
}

impl Proposal {
    fn check(manifest: Vec<u8>, approvals: Vec<Vec<u8>>) -> Result<Proposal> {
        let approved = Approved::check(&manifest, approvals.iter().map(Vec::as_slice));
        let approved = approved.map_err(|refused| explain(&refused, None))?;
        Ok(Proposal { approved, manifest, approvals })
    }

    fn manifest(&self) -> &Manifest {
        self.approved.manifest()
    }

    /// For the enclave, with a nonce of this very call.
    fn with(&self, nonce: [u8; 32]) -> wire_ceremony::Proposal {
        let approvals = self.approvals.iter().cloned().map(wire::rewrap::Bytes).collect();
        wire_ceremony::Proposal { manifest: self.manifest.clone(), approvals, nonce }
    }
}

/// What an enclave, or the same check here, refused; with the member's alias where the manifest is at hand.
fn explain(refused: &wire_ceremony::Refused, manifest: Option<&Manifest>) -> Failure {
    use wire::refusal::Fault;
    use wire_ceremony::CeremonyFault as F;
    let fault = refused.fault;
    let alias = manifest.zip(refused.member).and_then(|(manifest, number)| {
        let place = usize::from(number).checked_sub(1)?;
        match fault {
            F::ApprovalRefused | F::ApproverTwice => {
                manifest.approvers.members.get(place).map(|member| member.alias.as_str())
            }
            _ => manifest.holders.members.get(place).map(|member| member.alias.as_str()),
        }
    });
    let whose = match (alias, refused.member) {
        (Some(alias), _) => format!(" (`{alias}`)"),
        (None, Some(number)) => format!(" (number {number})"),
        (None, None) => String::new(),
    };
    let sentence = format!("{fault}{whose} ({})", fault.code());
    let failure = match fault.fault() {
        Fault::Caller | Fault::Provider => Failure::refused(fault.code(), sentence),
        Fault::Host => Failure::host(fault.code(), sentence),
        Fault::Enclave => Failure::new(crate::client::failure::Fault::Internal, fault.code(), sentence),
    };
    failure.hint(match fault {
        F::ApprovalsMissing => "gather more approvals, and name each with `--approval FILE`",
        F::ApprovalRefused => "each approval is for one manifest, to the letter: have this one approved anew",
        F::RootsMissing => {
            "run `tensfer root genesis` first; if that was done, use the manifest that it wrote. What a lost manifest \
             committed to is not lost: the genesis file has it"
        }
        F::RootsCommitted => "`tensfer root release` brings them back from their shares",
        F::SetupOver => "run the command again: the enclave was asked for another setup, or is another",
        F::ShareWrong => "use the genesis file and the key that belong to this manifest",
        F::OtherManifest => "start the enclave again, or use the manifest that it takes (`tensfer root status`)",
        F::Provisioned => "there is nothing to do: `tensfer verify` shows the enclave",
        F::HolderTwice => "another holder is needed",
        F::VersionTooOld => "start a newer program",
        F::NothingToHandOver | F::NotProvisioned => "`tensfer root status` shows what an enclave has",
        F::NothingToMake => {
            "an epoch is asked for by `[[steps]]` with `stage = \"make\"`, in a manifest that is newer than the enclave's own \
             and the same otherwise"
        }
        F::EpochNotBegun => {
            "an enclave takes no root while it runs: adopt this manifest where `tensfer root begin` was run, and start the \
             others anew (`tensfer root handover`, `tensfer root release`)"
        }
        F::StepTooFar => "first a manifest with `stage = \"pending\"`, as `tensfer root begin` wrote it",
        F::NotConcluded => {
            "conclude first (`tensfer root rotate conclude`), in the enclave that keeps the register: nobody may be left in an \
             epoch that ends, but for those who had notice (`tensfer root notice`). Others are stopped, and inherit from it"
        }
        F::NoticeDiffers => {
            "conclude again (`tensfer root rotate conclude`), and give notice of what is stated then (`tensfer root notice`)"
        }
        F::BackupMissing => {
            "their owners run `tensfer wallet backup`, or take their envelopes out: `tensfer rotate --all --epoch`"
        }
        F::NoticeRuns => {
            "`tensfer verify` shows when it ends; the hours begin anew in every start of an enclave. Conclude again then"
        }
        F::SuccessorRefused | F::PredecessorRefused => {
            "the program that runs there is none of the manifest's, or nobody vouches for it; a simulation hands its \
             root to nobody"
        }
        _ => "docs/spec/provisioning.md says what each refusal means",
    })
}

/// A file that has to be there.
fn read_file(path: &Path, what: &str) -> Result<zeroize::Zeroizing<Vec<u8>>> {
    files::read(path)?.ok_or_else(|| Failure::usage(format!("there is no {what} `{}`", path.display())))
}

fn damaged(path: &Path, what: &str) -> Failure {
    Failure::usage(format!("`{}` is no {what} that this program wrote", path.display()))
}
