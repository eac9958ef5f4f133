//! What a refusal of the enclave means to a person, and what to do next.

use wire::Refusal;

/// One or two sentences; the code itself stays the thing to decide by.
pub const fn sentence(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Malformed => {
            "The enclave could not read the request; the client and the enclave may differ in version."
        }
        Refusal::UnknownKey => {
            "The request was sealed to a key that this enclave does not have; verify it again and seal anew."
        }
        Refusal::Unsealable => {
            "The seal did not open: it was altered on the way, or made for another enclave."
        }
        Refusal::WrongIdentity => {
            "The request was sealed to another identity of the enclave; verify it again and seal anew."
        }
        Refusal::Expired => "The request came too late; check this machine's clock and try again.",
        Refusal::ClockDisagrees => {
            "The server's clock and the request's disagree by more than two minutes; check both clocks."
        }
        Refusal::Replayed => "The enclave has seen this request before and did not repeat it.",
        Refusal::NotAuthorised => "No key of the connection's owner signed this request.",
        Refusal::SecondFactorNeeded => "This operation needs a second key of the owner.",
        Refusal::PossessionNotProven => "A key of the new owner set did not sign; each of them has to.",
        Refusal::EnvelopeRefused => {
            "The envelope does not open with this share; it may belong to another connection."
        }
        Refusal::UnknownEpoch => "The envelope was sealed under an epoch that this enclave does not have.",
        Refusal::StaleGeneration => "A newer envelope of this connection exists; use that one.",
        Refusal::GenerationPending => {
            "A rotation of this connection has not been confirmed yet; confirm it or wait."
        }
        Refusal::Forgotten => "This connection was forgotten; link the account again.",
        Refusal::UnknownExchange => {
            "The enclave has no connector for this exchange; `/v1/exchanges` lists those it has."
        }
        Refusal::CredentialMalformed => {
            "The credential does not have the form that this exchange uses; `/v1/exchanges` lists its fields."
        }
        Refusal::UnknownCurrency => "The enclave cannot value in this currency.",
        Refusal::NothingToRotate => "The request names nothing to rotate.",
        Refusal::CounterGap => {
            "The receipts do not follow each other: one is missing between the client's last and the enclave's."
        }
        Refusal::TooManyLinks => {
            "This exchange key has as many connections as the enclave keeps of one; use one of them."
        }
        Refusal::QuotaReached => {
            "This connection had more requests than the enclave takes of one; wait four minutes and try again."
        }
        Refusal::NotOffered => "The exchange does not offer this, or its connector does not describe it yet.",
        Refusal::QueryIncomplete => {
            "The exchange keeps these rows by asset or by market; the query names none."
        }
        Refusal::UnknownNetwork => "The exchange has no name for this chain.",
        Refusal::Overloaded => "The enclave is busy with other requests; wait a moment and try again.",
        Refusal::CredentialRefused => "The exchange refused the key: it may be wrong, expired or revoked.",
        Refusal::PermissionMissing => {
            "The exchange says that the key lacks a permission; add it there, or link another key."
        }
        Refusal::AddressNotAllowed => {
            "The exchange refuses this server's address; add it to the key's allowed addresses there."
        }
        Refusal::ProviderClock => {
            "The exchange says that the request's time is wrong; up to ten minutes are corrected, more is a wrong clock."
        }
        Refusal::RateLimited => "The exchange wants fewer requests; wait a minute and try again.",
        Refusal::RegionBlocked => "The exchange does not serve the region that this server is in.",
        Refusal::Maintenance => "The exchange is under maintenance; try again later.",
        Refusal::ChallengeNeeded => "The exchange wants a person to confirm; sign in there first.",
        Refusal::ProviderFailed => {
            "The exchange answered with an error or with what nobody can read; try again later."
        }
        Refusal::ProviderUnauthentic => {
            "Someone answered in the exchange's place without its certificate; nothing was sent to them."
        }
        Refusal::ProviderUnreachable => {
            "The exchange could not be reached from this server; try again later."
        }
        Refusal::ProviderTimeout => "The exchange did not answer in time; try again later.",
        Refusal::UnknownAccount => {
            "The exchange has no account of this type, or moves nothing between these two; nothing was sent."
        }
        Refusal::AddressMalformed => "This is no address of that chain; nothing was sent.",
        Refusal::TagNeeded => "The exchange wants a tag with addresses of this chain; nothing was sent.",
        Refusal::RightsWidened => "A new key would have more rights than the one in use; none was kept.",
        Refusal::TravelNotTaken => "The exchange takes no such details of the receiver; nothing was sent.",
        Refusal::TagNotTaken => "Addresses of this chain have no tag; nothing was sent.",
        Refusal::BelowMinimum => "The amount is below the exchange's minimum; nothing was sent.",
        Refusal::AboveMaximum => "The amount is above the exchange's maximum; nothing was sent.",
        Refusal::NotAMultiple => {
            "The amount has more digits than the exchange takes; nothing was rounded or sent."
        }
        Refusal::FeeAboveMaximum => "The fee is higher than the instruction allows; nothing was sent.",
        Refusal::TooLittleReceived => "Less would arrive than the instruction asks for; nothing was sent.",
        Refusal::NetworkClosed => "The exchange has closed this network for now; nothing was sent.",
        Refusal::FundsMissing => "The exchange says that the account does not hold enough; nothing was sent.",
        Refusal::DestinationRefused => {
            "The exchange does not send to this destination; save it in the exchange's address book first."
        }
        Refusal::QuoteExpired => "The quote has expired; ask for another one.",
        Refusal::ReferenceUsed => {
            "An instruction with this reference was sent before; ask what became of it."
        }
        Refusal::TermsUnstated => {
            "The exchange does not state something that the instruction depends on; nothing was sent."
        }
        Refusal::UnknownMarket => "The exchange has no market of these two assets.",
        Refusal::UnknownAsset => "The exchange has no asset of that name.",
        Refusal::NetworkRefused => "The exchange refused this network for the asset; nothing was sent.",
        Refusal::PrivateKey => {
            "A private key was given where only what is public belongs; nothing of it was kept."
        }
        Refusal::SignatureRefused => {
            "The signature is not by the key of this address over the text that was to be signed."
        }
        Refusal::ChallengeOver => {
            "The text that was to be signed is older than ten minutes; ask for another."
        }
        Refusal::AddressNotProvable => {
            "The address is of a script, a program or a contract: no single signature shows whose it is."
        }
        Refusal::WordsDiffer => "These are not the words of this wallet.",
        Refusal::NotProvisioned => {
            "The enclave has no root yet; its operators have to release their shares. Nothing was opened."
        }
        Refusal::RegisterMismatch => {
            "The register is another than the one that the enclave goes on from, or not all of it."
        }
        Refusal::NotConcluded => {
            "No statement of completion holds for this epoch, or connections were recorded in it since."
        }
        Refusal::AbsenteesRemain => {
            "Connections are still in the epoch, and not exactly so many were given up."
        }
        Refusal::EpochInUse => "The epoch is current or pending, or an older one goes first.",
        Refusal::NoQuorum => {
            "Not enough witnesses signed what this would change; its result was not let out, and it may have been carried out."
        }
        Refusal::RolledBack => "The host brought an older state than its witnesses have signed.",
        Refusal::ClassNotHeld => {
            "This enclave has no root of the envelope's consent class: its owner did not let this program open it."
        }
        Refusal::NothingToHandOn => "The enclave hands on nothing of this connection.",
        Refusal::ProgramRefused => "The other enclave is not of a program that anything is handed on to.",
        Refusal::CapsuleRefused => "What was handed on is not for this enclave, or not of this envelope.",
        Refusal::PasskeyNotServed => {
            "The enclave takes no passkey of this relying party, or not at these origins."
        }
        Refusal::GrantRefused => "The grant does not open with this share, or is not of this envelope.",
        Refusal::GrantOver => "The grant was ended, its time is over, or its connection has gone on.",
        Refusal::GrantUsedUp => "The grant was used as often as its owner allowed, in all or for now.",
        Refusal::NotGranted => "The owner did not grant this, or not yet.",
        Refusal::TooManyGrants => "As many grants as there may be are in force; one has to be ended first.",
        Refusal::LineLost => {
            "Another start of the enclave has taken over; this one lets no result out, and what was under way may have been carried out."
        }
        Refusal::RefreshNeeded => "The access token of this connection is over; refresh it, then ask again.",
        Refusal::RefreshUnderWay => {
            "The tokens of this connection are being refreshed; ask again in a moment."
        }
        Refusal::AnswerRefused => {
            "What came back from the provider is no answer to the authorisation that was begun; begin again."
        }
        Refusal::ConsentDenied => "The authorisation was denied at the provider; nothing was linked.",
        Refusal::AuthorisationFailed => {
            "The provider refused the authorisation; check the OAuth client that it knows you by."
        }
        Refusal::Internal => {
            "The enclave failed in a way that it did not expect; it says no more, so that nothing secret can leave."
        }
    }
}
