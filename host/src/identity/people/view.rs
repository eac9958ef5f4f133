//! The JSON of people's part of the API. Times are milliseconds since 1970; bytes are base64url without padding, as browsers write
//! them (WebAuthn §5.1.9), but for public keys, which are padded base64 as those of programs are.

use super::super::ask::Reply;
use super::super::passkey::{Assertion, Registration};
use super::super::view::{LastUse, json, public};
use super::super::{Code, Name, Public, Refusal};
use super::ceremony::Purpose;
use super::model::{LONGEST_RECOVERY, Passkey, Person, Recovery, Session};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use wire::{PersonId, SessionId, UnixMillis};

/// A device that wants to ask a passkey for something.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCeremony)]
pub struct Begun {
    /// `sign_up`, `sign_in`, `add_passkey` or `recover`.
    pub purpose: String,
    /// Of the key with which the device will sign its requests: `ed25519` or `ecdsa-p256-sha256` (RFC 9421 §6.2).
    pub algorithm: String,
    /// Padded base64 of 32 bytes (Ed25519), or of an uncompressed point of 65 bytes (P-256).
    pub public_key: String,
}

/// What the challenge is made of (docs/spec/people.md, section 3).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Ceremony)]
pub struct ShownCeremony {
    ceremony: String,
    /// Of `sign_up`: `person_…`, whose 16 bytes are the user handle of the passkey to be made.
    person: Option<String>,
    expires: u64,
}

/// Somebody new. It is signed with the very key of the device that it registers.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SignUp)]
pub struct SignedUp {
    pub ceremony: String,
    /// `ed25519` or `ecdsa-p256-sha256` (RFC 9421 §6.2).
    pub algorithm: String,
    /// Padded base64 of 32 bytes (Ed25519), or of an uncompressed point of 65 bytes (P-256).
    pub public_key: String,
    /// What the person calls themselves.
    #[schema(max_length = 64)]
    pub name: String,
    /// What they call the device.
    #[schema(max_length = 64)]
    pub device: String,
    pub passkey: Registered,
}

/// A passkey that was made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasskeyRegistration)]
pub struct Registered {
    /// What people call it.
    #[schema(max_length = 64)]
    pub name: String,
    pub client_data_json: Bytes,
    pub attestation_object: Bytes,
}

/// Somebody who has a passkey here. It is signed with the very key of the device that it registers.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SignIn)]
pub struct SignedIn {
    pub ceremony: String,
    /// `ed25519` or `ecdsa-p256-sha256` (RFC 9421 §6.2).
    pub algorithm: String,
    /// Padded base64 of 32 bytes (Ed25519), or of an uncompressed point of 65 bytes (P-256).
    pub public_key: String,
    /// What the person calls the device.
    #[schema(max_length = 64)]
    pub device: String,
    pub passkey: Asserted,
}

/// A passkey's word.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasskeyAssertion)]
pub struct Asserted {
    /// The credential's id.
    pub id: Bytes,
    pub client_data_json: Bytes,
    pub authenticator_data: Bytes,
    pub signature: Bytes,
    /// The person's 16 bytes, as they were given when the passkey was made.
    pub user_handle: Bytes,
}

/// base64url without padding.
#[derive(Debug, ToSchema)]
#[schema(value_type = String)]
pub struct Bytes(pub Vec<u8>);

/// Somebody who has lost every passkey, with a code of theirs. It is signed with the very key of the device that will wait.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRecovery)]
pub struct RecoveryBegun {
    /// `rec_…`
    pub code: String,
    /// `ed25519` or `ecdsa-p256-sha256` (RFC 9421 §6.2).
    pub algorithm: String,
    /// Padded base64 of 32 bytes (Ed25519), or of an uncompressed point of 65 bytes (P-256).
    pub public_key: String,
    /// What the person calls the device.
    #[schema(max_length = 64)]
    pub device: String,
}

/// The end of a recovery that has waited. It is signed with the very key of the device that began it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RecoveryEnd)]
pub struct Recovered {
    pub ceremony: String,
    /// `ed25519` or `ecdsa-p256-sha256` (RFC 9421 §6.2).
    pub algorithm: String,
    /// Padded base64 of 32 bytes (Ed25519), or of an uncompressed point of 65 bytes (P-256).
    pub public_key: String,
    /// What the person calls the device.
    #[schema(max_length = 64)]
    pub device: String,
    pub passkey: Registered,
}

/// Codes, shown once: each is good for one recovery.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecoveryCodes)]
pub struct ShownCodes {
    codes: Vec<String>,
}

/// A recovery that waits.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Recovery)]
pub struct ShownRecovery {
    /// `person_…`, whose 16 bytes are the user handle of the passkey to be made.
    person: String,
    /// What the device is called that began it.
    name: String,
    begun: u64,
    /// The address that it was begun from.
    from: String,
    /// From then on it can be finished.
    due: u64,
    /// Until then.
    expires: u64,
}

/// A further passkey of whoever asks.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPasskey)]
pub struct Added {
    pub ceremony: String,
    pub passkey: Registered,
}

/// What a device or passkey is called from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewName)]
pub struct Named {
    #[schema(max_length = 64)]
    pub name: String,
}

/// The person who is signed in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Person)]
pub struct ShownPerson {
    /// `person_…`
    id: String,
    name: String,
    created: u64,
    passkeys: Vec<ShownPasskey>,
    /// Recovery codes that nobody has used.
    recovery_codes: usize,
    /// What waits to take this account over: whoever did not begin it stops it.
    recoveries: Vec<ShownRecovery>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Passkey)]
pub struct ShownPasskey {
    /// `pk_…`
    id: String,
    name: String,
    /// The credential's id in base64url, for `excludeCredentials`.
    credential: String,
    /// The site that it is for.
    relying_party: String,
    /// Whether it may be on several devices.
    backup_eligible: bool,
    created: u64,
    last_used: Option<u64>,
}

/// A device that a person is signed in with.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub struct ShownSession {
    /// `ses_…`: what a signature names as its `keyid`.
    id: String,
    /// `person_…`
    person: String,
    name: String,
    algorithm: &'static str,
    /// Padded base64.
    public_key: String,
    /// `sandbox` or `live`.
    environment: &'static str,
    /// The passkey that it was signed in with.
    passkey: String,
    created: u64,
    /// When it ends, whatever is done with it.
    expires: u64,
    /// When it ends if nothing more is done with it.
    idle_expires: u64,
    revoked: Option<u64>,
    last_used: LastUse,
    /// Whether it is the one that asks.
    current: bool,
}

/// The devices that a person is signed in with, the latest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SessionList)]
pub struct ListedSessions {
    sessions: Vec<ShownSession>,
}

/// How many sessions, or recoveries, were ended.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EndedSessions)]
pub struct Ended {
    ended: usize,
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(reader: D) -> Result<Bytes, D::Error> {
        let text = String::deserialize(reader)?;
        URL_SAFE_NO_PAD.decode(text).map(Bytes).map_err(|_| serde::de::Error::custom("not base64url"))
    }
}

impl Begun {
    pub fn purpose(&self) -> Result<Purpose, Refusal> {
        Purpose::from_name(&self.purpose).ok_or(Refusal::FieldsMalformed)
    }

    pub fn device(&self) -> Result<Public, Refusal> {
        public(&self.algorithm, &self.public_key)
    }
}

impl SignedUp {
    pub fn device(&self) -> Result<Public, Refusal> {
        public(&self.algorithm, &self.public_key)
    }
}

impl SignedIn {
    pub fn device(&self) -> Result<Public, Refusal> {
        public(&self.algorithm, &self.public_key)
    }
}

impl RecoveryBegun {
    pub fn device(&self) -> Result<Public, Refusal> {
        public(&self.algorithm, &self.public_key)
    }
}

impl Recovered {
    pub fn device(&self) -> Result<Public, Refusal> {
        public(&self.algorithm, &self.public_key)
    }
}

impl Registered {
    pub fn registration(&self) -> Registration<'_> {
        Registration { client: &self.client_data_json.0, attestation: &self.attestation_object.0 }
    }
}

impl Asserted {
    pub fn assertion(&self) -> Assertion<'_> {
        Assertion {
            client: &self.client_data_json.0,
            authenticator: &self.authenticator_data.0,
            signature: &self.signature.0,
        }
    }
}

pub fn name(text: &str) -> Result<Name, Refusal> {
    Name::parse(text).ok_or(Refusal::FieldsMalformed)
}

pub fn begun(ceremony: String, person: Option<PersonId>, expires: UnixMillis) -> Reply {
    json(201, &ShownCeremony { ceremony, person: person.map(|id| id.to_string()), expires: expires.0 })
}

pub fn signed_in(session: &Session) -> Reply {
    json(201, &shown(session, session.id))
}

pub fn session(session: &Session, asker: SessionId) -> Reply {
    json(200, &shown(session, asker))
}

pub fn sessions(sessions: &[Session], asker: SessionId) -> Reply {
    json(200, &ListedSessions { sessions: sessions.iter().map(|session| shown(session, asker)).collect() })
}

pub fn ended(sessions: usize) -> Reply {
    json(200, &Ended { ended: sessions })
}

/// The only place that codes are told.
pub fn codes(codes: &[Code]) -> Reply {
    json(201, &ShownCodes { codes: codes.iter().map(|code| code.reveal().to_owned()).collect() })
}

pub fn recovery(recovery: &Recovery) -> Reply {
    json(201, &shown_recovery(recovery))
}

fn shown_recovery(recovery: &Recovery) -> ShownRecovery {
    ShownRecovery {
        person: recovery.person.to_string(),
        name: recovery.name.as_str().to_owned(),
        begun: recovery.begun.0,
        from: recovery.from.to_string(),
        due: recovery.due.0,
        expires: recovery.due.plus(LONGEST_RECOVERY).0,
    }
}

pub fn person(
    Person { id, name, created }: &Person,
    passkeys: &[Passkey],
    recovery_codes: usize,
    recoveries: &[Recovery],
) -> Reply {
    let recoveries = recoveries.iter().map(shown_recovery).collect();
    let passkeys = passkeys.iter().map(shown_passkey).collect();
    json(
        200,
        &ShownPerson {
            id: id.to_string(),
            name: name.as_str().to_owned(),
            created: created.0,
            passkeys,
            recovery_codes,
            recoveries,
        },
    )
}

pub fn added(passkey: &Passkey) -> Reply {
    json(201, &shown_passkey(passkey))
}

pub fn passkey(passkey: &Passkey) -> Reply {
    json(200, &shown_passkey(passkey))
}

fn shown_passkey(passkey: &Passkey) -> ShownPasskey {
    ShownPasskey {
        id: passkey.id().to_string(),
        name: passkey.name.as_str().to_owned(),
        credential: URL_SAFE_NO_PAD.encode(&passkey.credential.id),
        relying_party: passkey.credential.relying_party.clone(),
        backup_eligible: passkey.credential.backup_eligible,
        created: passkey.created.0,
        last_used: passkey.last_used.map(|at| at.0),
    }
}

fn shown(session: &Session, asker: SessionId) -> ShownSession {
    ShownSession {
        id: session.id.to_string(),
        person: session.person.to_string(),
        name: session.name.as_str().to_owned(),
        algorithm: session.public.algorithm().name(),
        public_key: session.public.base64(),
        environment: session.environment.name(),
        passkey: session.passkey.to_string(),
        created: session.created.0,
        expires: session.expires.0,
        idle_expires: session.idle_expires().0,
        revoked: session.revoked.map(|at| at.0),
        last_used: LastUse { at: session.last_used.at.0, from: session.last_used.from.to_string() },
        current: session.id == asker,
    }
}
