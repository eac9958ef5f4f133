//! Why a step was not taken: a closed set, each with a stable code and whose fault it is.

use crate::refusal::Fault;
use minicbor::{Decode, Encode};

macro_rules! faults {
    ($($name:ident = $number:literal, $code:literal, $fault:ident, $text:literal;)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
        #[cbor(index_only)]
        pub enum CeremonyFault { $(#[n($number)] $name,)+ }

        impl CeremonyFault {
            pub const ALL: &'static [CeremonyFault] = &[$(CeremonyFault::$name),+];

            /// The stable text code.
            pub const fn code(self) -> &'static str { match self { $(CeremonyFault::$name => $code),+ } }

            /// Whose fault it is.
            pub const fn fault(self) -> Fault { match self { $(CeremonyFault::$name => Fault::$fault),+ } }
        }

        impl core::fmt::Display for CeremonyFault {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(match self { $(CeremonyFault::$name => $text),+ })
            }
        }
    };
}

faults! {
    Malformed = 1, "malformed", Caller, "the step has not the form of one";
    ManifestMalformed = 2, "manifest_malformed", Caller, "the manifest breaks a rule of its form";
    ApprovalRefused = 3, "approval_refused", Caller,
        "an approval is not a signature of one of the manifest's approvers over this manifest";
    ApproverTwice = 4, "approver_twice", Caller, "an approver approved twice";
    ApprovalsMissing = 5, "approvals_missing", Caller, "fewer approvers than the manifest asks for have approved";
    EnvironmentMismatch = 6, "environment_mismatch", Caller,
        "the manifest is for another environment than the enclave's";
    TeeNotListed = 7, "tee_not_listed", Caller, "the manifest lists no program of the enclave's kind of TEE";
    VersionTooOld = 8, "version_too_old", Host, "the enclave's build is older than the manifest allows";
    ClockUnset = 9, "clock_unset", Host, "the host has not told the enclave the time";
    ManifestNotYetValid = 10, "manifest_not_yet_valid", Caller, "by the host's clock, the manifest is not valid yet";
    ManifestOver = 11, "manifest_over", Caller, "by the host's clock, the manifest is not valid any more";
    ClassUnknown = 12, "class_unknown", Caller, "the manifest has a consent class that this enclave does not know";
    RootsMissing = 13, "roots_missing", Caller,
        "the manifest commits to no root: there was no genesis, or what it made is not in this manifest";
    RootsCommitted = 14, "roots_committed", Caller,
        "the manifest commits to roots that exist: they are never made again";
    GenesisDone = 15, "genesis_done", Caller, "this start of the enclave has made roots already";
    OtherManifest = 16, "other_manifest", Caller, "this start of the enclave takes shares of another manifest";
    NoSetup = 17, "no_setup", Caller, "there is no manifest yet that shares could be for";
    SetupOver = 18, "setup_over", Caller, "the share is sealed to a setup that is over, or to another enclave";
    UnknownHolder = 19, "unknown_holder", Caller, "the manifest has no holder of this number";
    HolderTwice = 20, "holder_twice", Caller, "this holder's share is there already";
    ShareUnsealable = 21, "share_unsealable", Caller, "the share does not open with the setup's key";
    ShareWrong = 22, "share_wrong", Caller, "the share is not the one that the manifest commits to";
    Provisioned = 23, "provisioned", Caller, "the enclave has its roots already";
    RootWrong = 24, "root_wrong", Caller,
        "the shares are the right ones, and what they yield is not the root that the manifest commits to";
    Internal = 25, "internal", Enclave, "the enclave failed";
    NotProvisioned = 26, "not_provisioned", Caller, "the enclave has no roots that it could hand over";
    NothingToHandOver = 27, "nothing_to_hand_over", Caller,
        "the enclave's roots did not come from a quorum: they are its host's, and it hands them to nobody";
    ChallengeUnknown = 28, "challenge_unknown", Caller,
        "the nonce is none that this enclave gave out and still waits for";
    NotASuccessor = 29, "not_a_successor", Caller, "the one manifest does not succeed the other";
    SuccessorRefused = 30, "successor_refused", Host, "the successor's evidence was refused";
    PredecessorRefused = 31, "predecessor_refused", Host, "the predecessor's evidence was refused";
    HandoverWrong = 32, "handover_wrong", Host,
        "what was handed over does not open, or is not what the manifest commits to";
    ProgramAmbiguous = 40, "program_ambiguous", Caller,
        "the root of class owner is of one program, and the manifest lists none or several of the enclave's kind of TEE";
    NothingToMake = 41, "nothing_to_make", Caller, "the manifest asks for no epoch that could be made now";
    EpochNotBegun = 42, "epoch_not_begun", Caller,
        "the manifest commits to a root that this start of the enclave neither has nor made";
    StepTooFar = 43, "step_too_far", Caller,
        "an epoch is pending before it is current: another manifest comes between the two";
    NotConcluded = 44, "not_concluded", Caller,
        "the manifest ends an epoch that this start of the enclave holds, and has stated of nobody that they have left it";
    NoticeDiffers = 45, "notice_differs", Caller,
        "the statement counts others as still in the epoch than the notice says, or more";
    BackupMissing = 46, "backup_missing", Caller,
        "a wallet is still in the epoch whose owner has not confirmed its words: it would be lost for good";
    NoticeRuns = 47, "notice_runs", Caller, "the notice has not run for its hours yet, by the enclave's own counter";
}
