//! What is hashed, signed or put into a KDF: `lp(domain) ‖ lp(field) ‖ …`, where `lp(x) = u32be(len(x)) ‖ x`.
//!
//! No two different lists of fields give the same bytes, and no two purposes share a domain (m10).

/// Domains in use. Each names one purpose; a new purpose gets a new line, never a second use.
pub mod domain {
    pub const EVIDENCE: &str = "tensfer/evidence/v1";
    pub const OWNER_REQUEST: &str = "tensfer/owner-request/v1";
    pub const OWNER_ASSERTION: &str = "tensfer/owner-assertion/v1";
    pub const OWNER_SET: &str = "tensfer/owner-set/v1";
    pub const OWNER_KEY: &str = "tensfer/owner-key/v1";
    pub const RECEIPT: &str = "tensfer/receipt/v1";
    pub const CAPABILITY: &str = "tensfer/capability/v1";
    pub const SHARE: &str = "tensfer/share/v1";
    pub const SHARE_WRAP: &str = "tensfer/envelope/share-wrap/v1";
    pub const SHARE_WRAP_AAD: &str = "tensfer/envelope/share-wrap-aad/v1";
    pub const ROOT_WRAP: &str = "tensfer/envelope/root-wrap/v1";
    pub const PAYLOAD: &str = "tensfer/envelope/payload/v1";
    pub const PAYLOAD_KEY: &str = "tensfer/envelope/payload-key/v1";
    pub const KEY_COMMITMENT: &str = "tensfer/envelope/key-commitment/v1";
    pub const ROOT_COMMITMENT: &str = "tensfer/root-commitment/v1";
    pub const ROOT_COMMITMENT_DELAYED: &str = "tensfer/root-commitment/delayed/v1";
    pub const ROOT_COMMITMENT_OWNER: &str = "tensfer/root-commitment/owner/v1";
    pub const REGISTER: &str = "tensfer/register/v1";
    pub const REGISTER_NAME: &str = "tensfer/register-name/v1";
    pub const REGISTER_HEAD: &str = "tensfer/register-head/v1";
    pub const REGISTER_SEAL: &str = "tensfer/register-seal/v1";
    pub const DEPLOYMENT: &str = "tensfer/deployment/v1";
    pub const COMPLETION: &str = "tensfer/rotation-completion/v1";
    pub const DESTRUCTION: &str = "tensfer/epoch-destruction/v1";
    pub const EXPORT: &str = "tensfer/export/v1";
    pub const SANDBOX: &str = "tensfer/sandbox-environment/v1";
    pub const MANIFEST: &str = "tensfer/manifest/v1";
    pub const MANIFEST_KEY: &str = "tensfer/manifest-key/v1";
    pub const MANIFEST_PROGRAM: &str = "tensfer/manifest-program/v1";
    pub const MANIFEST_APPROVAL: &str = "tensfer/manifest-approval/v1";
    pub const SETUP_EVIDENCE: &str = "tensfer/setup-evidence/v1";
    pub const GENESIS_EVIDENCE: &str = "tensfer/genesis-evidence/v1";
    pub const ROOT_SHARE_COMMITMENT: &str = "tensfer/root-share/commitment/v1";
    pub const ROOT_SHARE_RECEIPT: &str = "tensfer/root-share/receipt/v1";
    pub const ROOT_SHARE_HELD: &str = "tensfer/root-share/held/v1";
    pub const HANDOVER_EVIDENCE: &str = "tensfer/handover-evidence/v1";
    pub const ROOT_HANDOVER: &str = "tensfer/root-handover/v1";
    pub const WALLET_WORDS: &str = "tensfer/wallet-words/v1";
    pub const HAND_ON: &str = "tensfer/hand-on/v1";
    pub const HAND_ON_SEAL: &str = "tensfer/hand-on-seal/v1";
    pub const WITNESS: &str = "tensfer/witness/v1";
    pub const WITNESSES: &str = "tensfer/witnesses/v1";
    pub const ROOT_SHARE_RELEASED: &str = "tensfer/root-share/released/v1";
    pub const GRANTED_REQUEST: &str = "tensfer/granted-request/v1";
    pub const GRANT_SHARE: &str = "tensfer/grant/share/v1";
    pub const GRANT_SHARE_WRAP: &str = "tensfer/grant/share-wrap/v1";
    pub const GRANT_SHARE_WRAP_AAD: &str = "tensfer/grant/share-wrap-aad/v1";
    pub const GRANT_ROOT_WRAP: &str = "tensfer/grant/root-wrap/v1";
    pub const GRANT_ROOT_WRAP_AAD: &str = "tensfer/grant/root-wrap-aad/v1";
    pub const RELEASE: &str = "tensfer/release/v1";
    pub const RELEASE_KEY: &str = "tensfer/release-key/v1";
    pub const RELEASE_SIGNATURE: &str = "tensfer/release-signature/v1";
    pub const API_KEY: &str = "tensfer/api-key/v1";
    pub const IDEMPOTENT_REQUEST: &str = "tensfer/idempotent-request/v1";
    pub const API_KEY_POSSESSION: &str = "tensfer/api-key-possession/v1";
    pub const PASSKEY: &str = "tensfer/passkey/v1";
    pub const PERSON: &str = "tensfer/person/v1";
    pub const SESSION: &str = "tensfer/session/v1";
    pub const CEREMONY: &str = "tensfer/ceremony/v1";
    pub const CEREMONY_CHALLENGE: &str = "tensfer/ceremony-challenge/v1";
    pub const STEP_UP: &str = "tensfer/step-up/v1";
    pub const ROLE_CERTIFICATE: &str = "tensfer/role-certificate/v1";
}

/// Most transcripts fit, so that building one allocates once.
const CAPACITY: usize = 256;

/// Builds the bytes of a transcript.
#[derive(Clone)]
pub struct Transcript(Vec<u8>);

impl Transcript {
    pub fn new(domain: &str) -> Transcript {
        Transcript(Vec::with_capacity(CAPACITY)).field(domain.as_bytes())
    }

    /// Appends `lp(bytes)`. Fields are at most 2^32 − 1 bytes: every input here is bounded far below.
    #[must_use]
    pub fn field(mut self, bytes: &[u8]) -> Transcript {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    /// Appends a number as `lp(u64be)`.
    #[must_use]
    pub fn number(self, number: u64) -> Transcript {
        self.field(&number.to_be_bytes())
    }

    pub fn bytes(self) -> Vec<u8> {
        self.0
    }
}
