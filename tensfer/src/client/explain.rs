//! The enclave's refusal codes as sentences: whose fault it is, and what to do next.

use crate::client::failure::{Failure, Fault};
use wire::Refusal;
use wire::refusal::Fault as Side;

/// `exchange` is the provider that the request was about.
pub fn explain(refusal: Refusal, exchange: &str) -> Failure {
    let (sentence, hint) = words(refusal, exchange);
    let fault = match refusal.fault() {
        Side::Caller => Fault::Refused,
        Side::Provider => Fault::Provider,
        Side::Host => Fault::Host,
        Side::Enclave => Fault::Internal,
    };
    Failure::new(fault, refusal.code(), format!("{sentence} ({})", refusal.code()))
        .hint(hint)
        .retryable(refusal.retryable())
}

/// Exhaustive, so that a new code needs words of its own.
fn words(refusal: Refusal, exchange: &str) -> (String, String) {
    let you = |sentence: &str, hint: &str| {
        (format!("the enclave refused your request: {sentence}"), hint.to_owned())
    };
    let provider = |sentence: &str, hint: &str| (format!("{exchange} {sentence}"), hint.to_owned());
    let host = |sentence: &str, hint: &str| (format!("the server {sentence}"), hint.to_owned());
    match refusal {
        Refusal::Malformed => you("it is not one of this protocol", "update this program"),
        Refusal::UnknownKey => {
            you("it was sealed to a key that is gone", "try again: the enclave was replaced meanwhile")
        }
        Refusal::Unsealable => you(
            "its seal does not open",
            "try again; if it stays, the way to the server alters what you send",
        ),
        Refusal::WrongIdentity => {
            you("it was made for another enclave", "try again: the enclave was replaced meanwhile")
        }
        Refusal::Expired => you("it came too late", "try again, and check this machine's clock"),
        Refusal::ClockDisagrees => host(
            "claims a time that is more than two minutes from this machine's",
            "check this machine's clock (`timedatectl`); if it is right, the server's is wrong",
        ),
        Refusal::Replayed => {
            you("it was sent before", "try again; if it stays, someone on the way repeats your requests")
        }
        Refusal::NotAuthorised => you(
            "your device key is not one of this connection's owners",
            "use the TENSFER_HOME that linked it",
        ),
        Refusal::SecondFactorNeeded => {
            you("this needs your second factor too", "name its file with `--second-factor FILE`")
        }
        Refusal::PossessionNotProven => {
            you("a new owner key did not sign", "name the second factor's file with `--second-factor FILE`")
        }
        Refusal::EnvelopeRefused => you(
            "the envelope does not open here",
            "it was altered, or belongs to another deployment; put back a copy, or link the account anew",
        ),
        Refusal::UnknownEpoch => you(
            "the envelope's epoch is not one of this enclave's",
            "it is of another program, which hands it on (`tensfer upgrade --to URL`), or of another deployment, or its epoch was retired: then link the account anew",
        ),
        Refusal::StaleGeneration => you(
            "a newer envelope of this connection exists",
            "another device or a restored backup of this one? use the newer TENSFER_HOME",
        ),
        Refusal::GenerationPending => you(
            "an earlier rotation was never finished",
            "run `tensfer rotate ID` again: it takes up where it stopped",
        ),
        Refusal::Forgotten => you("the connection was forgotten", "link the account anew"),
        Refusal::UnknownExchange => {
            you("it does not know that exchange", "`tensfer link --help` names those it knows")
        }
        Refusal::CredentialMalformed => you(
            "a credential field is missing or has another form",
            "check the fields against what the exchange shows",
        ),
        Refusal::NotOffered => you(
            &format!("{exchange} does not offer it, or its connector does not describe it yet"),
            "`tensfer connectors list` shows what each exchange offers",
        ),
        Refusal::QueryIncomplete => you(
            &format!("{exchange} keeps these by asset or by market, and was given none that it knows"),
            "name one: `--asset BTC`, or `--market` in the exchange's own name",
        ),
        Refusal::UnknownNetwork => you(
            &format!("{exchange} has no name for this chain, or wants one with this address"),
            "name the chain by its CAIP-2 id, such as `--chain eip155:1`",
        ),
        Refusal::UnknownCurrency => you("it cannot value in that currency", "try `--in EUR` or `--in USD`"),
        Refusal::NothingToRotate => {
            you("there is nothing to rotate", "the envelope is in the current epoch already")
        }
        Refusal::CounterGap => you("the receipts do not continue", "use the TENSFER_HOME that was used last"),
        Refusal::Overloaded => host("is overloaded", "try again in a moment"),
        Refusal::TooManyLinks => you(
            "this exchange key has as many connections as the enclave keeps of one",
            "use one that you have (`tensfer connections`), or link another key",
        ),
        Refusal::QuotaReached => you(
            "this connection had more requests than the enclave takes of one",
            "wait four minutes, then ask less often",
        ),
        Refusal::CredentialRefused => {
            provider("refused the key", "it may be revoked or mistyped; make a new read-only key and link it")
        }
        Refusal::PermissionMissing => {
            provider("does not let the key read this", "give the key the read permission, then try again")
        }
        Refusal::AddressNotAllowed => provider(
            "refused the server's address",
            "allow the server's address for the key, or lift the key's address list",
        ),
        Refusal::ProviderClock => provider(
            "disagrees about the time",
            "try again; up to ten minutes are corrected, and more is a wrong clock there",
        ),
        Refusal::RateLimited => provider("asks to slow down", "wait a minute, then try again"),
        Refusal::RegionBlocked => {
            provider("refuses requests from the server's country", "use a server elsewhere")
        }
        Refusal::Maintenance => provider("is in maintenance, or failing", "try again later"),
        Refusal::ChallengeNeeded => {
            provider("wants a step that only you can take", "sign in at the exchange and look for a message")
        }
        Refusal::ProviderFailed => {
            provider("answered with an error, or with something unreadable", "try again later")
        }
        Refusal::ProviderUnauthentic => host(
            &format!("led to someone who is not {exchange}: the certificate is not the exchange's"),
            "nothing was sent to them; report this to whoever runs the server",
        ),
        Refusal::ProviderUnreachable => {
            host(&format!("could not reach {exchange}, or lost the connection"), "try again later")
        }
        Refusal::ProviderTimeout => {
            host(&format!("got no answer from {exchange} in time"), "try again later")
        }
        Refusal::UnknownAccount => you(
            &format!("{exchange} has no account of this type, or moves nothing between these two"),
            "`tensfer balances` shows the types of account",
        ),
        Refusal::AddressMalformed => you(
            "this is no address of that chain, or of that kind",
            "copy the address anew; nothing was sent",
        ),
        Refusal::TagNeeded => you(
            &format!("{exchange} wants a tag (memo) with addresses of this chain"),
            "name it with `--tag`; the receiver shows it beside the address",
        ),
        Refusal::TravelNotTaken => you(
            "the exchange has no use for what you told of the receiver, or for one of the answers",
            "leave `--destination` and what belongs to it out, or that `--answer`",
        ),
        Refusal::TagNotTaken => you("addresses of this kind have no tag", "leave `--tag` out"),
        Refusal::BelowMinimum => {
            you(&format!("the amount is below the minimum of {exchange}"), "the preview shows the minimum")
        }
        Refusal::AboveMaximum => {
            you(&format!("the amount is above the maximum of {exchange}"), "the preview shows the maximum")
        }
        Refusal::NotAMultiple => you(
            &format!("the amount has more digits than {exchange} takes"),
            "the preview shows the smallest step; nothing is rounded silently",
        ),
        Refusal::FeeAboveMaximum => {
            you("the fee is higher than you allow", "the preview shows the fee; `--max-fee` allows more")
        }
        Refusal::TooLittleReceived => {
            you("less would arrive than you ask for", "the preview shows what arrives; nothing was sent")
        }
        Refusal::NetworkClosed => provider("has closed this network for now", "try again later"),
        Refusal::FundsMissing => provider(
            "says that the account does not hold enough",
            "`tensfer balances` shows what is free there",
        ),
        Refusal::DestinationRefused => provider(
            "does not send to this destination",
            "save the address in the exchange's address book first, and name the entry with `--saved`",
        ),
        Refusal::QuoteExpired => you("the quote has expired", "run the command again for another one"),
        Refusal::ReferenceUsed => you(
            "an instruction with this reference was sent before",
            "`tensfer status REFERENCE` says what became of it",
        ),
        Refusal::TermsUnstated => provider(
            "does not state what the instruction depends on: a fee, or whether it comes out of the amount",
            "leave out a bound that you can do without; for a withdrawal, `--fee-either` leaves it to the exchange where the fee comes from",
        ),
        Refusal::UnknownMarket => {
            you(&format!("{exchange} has no market of these two assets"), "`tensfer convert` may do instead")
        }
        Refusal::UnknownAsset => {
            you(&format!("{exchange} has no asset of that name"), "`tensfer balances` shows its names")
        }
        Refusal::NetworkRefused => provider(
            "refused this network for the asset",
            "`tensfer history EXCHANGE networks` shows which it takes",
        ),
        Refusal::PrivateKey => you(
            "this is a PRIVATE key, where only what is public belongs",
            "nothing was kept of it here; whoever else saw it can spend, so move what it holds",
        ),
        Refusal::SignatureRefused => you(
            "the signature is not by the key of this address over the text that was to be signed",
            "sign the whole text as it was printed, with the account of that address; an account that is a contract (such as Safe) cannot be proven so: watch it with `tensfer link`",
        ),
        Refusal::ChallengeOver => {
            you("the text is older than ten minutes", "run `tensfer wallet prove` again for another one")
        }
        Refusal::AddressNotProvable => you(
            "the address is of a script, a program or a contract: no single signature shows whose it is",
            "watch it with `tensfer link NETWORK --address …`",
        ),
        Refusal::WordsDiffer => you(
            "these are not the words of this wallet",
            "compare them with `tensfer wallet backup NAME --again`",
        ),
        Refusal::NotProvisioned => host(
            "has an enclave without a root",
            "its operators have to release their shares (`tensfer root status`); try again then",
        ),
        Refusal::NoQuorum => host(
            "has too few witnesses at hand, and lets no result out",
            "try again in a moment; if it stays, its operator has to see to the witnesses",
        ),
        Refusal::RolledBack => host(
            "was given an older state than its witnesses have signed, and refuses to go on from it",
            "do not link it anew; its operator has to bring the latest state back",
        ),
        Refusal::ClassNotHeld => you(
            "it runs a program that you did not let open this connection: its consent class is stricter",
            "move it with `tensfer upgrade --to URL`, or use the enclave that it was linked in, while it runs; or link the account anew here",
        ),
        Refusal::NothingToHandOn => you(
            "it hands on nothing of this connection",
            "only accounts of consent class `owner` move by your word, and only where operators hold the root",
        ),
        Refusal::ProgramRefused => you(
            "the new program is not one that it hands anything on to",
            "its operators have to approve the new program there first (`tensfer root adopt`); nothing was moved",
        ),
        Refusal::CapsuleRefused => you(
            "what the old program handed on is not for it",
            "run `tensfer upgrade` again: the enclave may have been replaced meanwhile; nothing was lost",
        ),
        Refusal::PasskeyNotServed => you(
            "it takes no passkey of this relying party, or not at these pages",
            "use another second factor of this account; a passkey counts where its operators serve the pages it is for",
        ),
        Refusal::GrantRefused => you(
            "the grant does not open there",
            "it may be damaged, of another account, or its share is another's; ask its owner for a new one",
        ),
        Refusal::GrantOver => you(
            "the grant is over: its time has passed, its owner ended it, or renewed the account since",
            "ask its owner for a new one",
        ),
        Refusal::GrantUsedUp => you(
            "the grant was used as often as its owner allowed, in all or for now",
            "where it allows so many in a span of time, try again later; else ask its owner for a new one",
        ),
        Refusal::NotGranted => {
            you("its owner did not grant that, or not from now on already", "ask its owner for a grant of it")
        }
        Refusal::TooManyGrants => {
            you("the account has as many grants as there may be", "one has to be ended first")
        }
        Refusal::LineLost => host(
            "has an enclave that another start took over from, and that lets no result out",
            "try again in a moment; if it stays, two enclaves run on one state, or on copies of it, or this one under a manifest \
             whose witnesses were replaced: tell its operator",
        ),
        Refusal::RegisterMismatch
        | Refusal::NotConcluded
        | Refusal::AbsenteesRemain
        | Refusal::EpochInUse => {
            host("answered with what only its operator is told", "try again; if it stays, tell its operator")
        }
        Refusal::RefreshNeeded => you(
            &format!("the access to {exchange} has to be refreshed first"),
            "run the command again; if it stays, link the account anew",
        ),
        Refusal::RefreshUnderWay => {
            you(&format!("it is asking {exchange} for new tokens already"), "try again in a moment")
        }
        Refusal::AnswerRefused => you(
            "what came back from the provider does not belong to the authorisation that you began",
            "someone may have sent you a link of theirs: begin again with `tensfer link`, and open the address it prints",
        ),
        Refusal::ConsentDenied => you(
            &format!("at {exchange}, the authorisation was denied"),
            "nothing was linked; begin again if you want to",
        ),
        Refusal::AuthorisationFailed => provider(
            "refused the authorisation",
            "check the client id, the redirect address and the scopes that are registered there",
        ),
        Refusal::RightsWidened => provider(
            "would give a new key more rights than the one in use has",
            "the key in use stays, and no other was left behind; make a new key there yourself and link it",
        ),
        Refusal::Internal => ("the enclave failed".to_owned(), "try again; report it if it stays".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_names_whose_fault_it_is_and_what_to_do() {
        for refusal in Refusal::ALL {
            let failure = explain(*refusal, "kraken");
            let starts = match failure.fault {
                Fault::Refused => "the enclave refused your request",
                Fault::Provider => "kraken ",
                Fault::Host => "the server ",
                Fault::Internal => "the enclave failed",
                Fault::Usage => unreachable!("the enclave does not know about usage"),
            };
            assert!(failure.sentence.starts_with(starts), "{failure}");
            assert!(failure.sentence.ends_with(&format!("({})", refusal.code())), "{failure}");
            assert!(!failure.sentence.contains('\n') && failure.hint.is_some(), "{failure}");
        }
    }

    #[test]
    fn m19_a_clock_that_disagrees_is_told_as_such() {
        let failure = explain(Refusal::ClockDisagrees, "kraken");
        assert!(failure.sentence.contains("time") && failure.hint.unwrap().contains("clock"));
    }
}
