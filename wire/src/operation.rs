//! Operations of the enclave and their arguments and results.

use crate::capability::Finding;
use crate::cbor::canonical;
use crate::consent::Class;
use crate::evidence::Hash;
use crate::owner::OwnerKey;
use crate::transcript::{Transcript, domain};
use crate::{ConnectionId, OrganisationId, UnixMillis};
use core::fmt;
use minicbor::bytes::ByteSlice;
use minicbor::{Decode, Encode};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Op {
    #[n(1)]
    Link,
    #[n(2)]
    Balances,
    #[n(3)]
    Rotate,
    /// The owner has stored the pending generation.
    #[n(4)]
    Acknowledge,
    #[n(5)]
    Inspect,
    #[n(6)]
    Export,
    /// Refuse this connection for the rest of this enclave start.
    #[n(7)]
    Forget,
    /// Rows that the provider keeps: [`crate::record`].
    #[n(8)]
    Read,
    /// On what terms an instruction would be carried out; moves nothing: [`crate::action`].
    #[n(9)]
    Preview,
    /// Carries an instruction out.
    #[n(10)]
    Act,
    /// What became of an instruction.
    #[n(11)]
    Status,
    /// Where the owner goes to authorise this enclave at a provider: [`crate::authorisation`].
    #[n(20)]
    Begin,
    /// What the provider answered there becomes an envelope.
    #[n(21)]
    Finish,
    /// New tokens, in a new generation.
    #[n(22)]
    Refresh,
    /// The provider ends the authorisation, and the connection is forgotten.
    #[n(23)]
    Revoke,
    /// The provider makes a new key in the place of the one in use, in steps: [`crate::provider_key`].
    #[n(24)]
    RotateKey,
    /// The provider ends the credential where it can, and the connection is refused from then on, whatever the provider
    /// says: [`crate::provider_key`].
    #[n(25)]
    Panic,
    /// A text that a wallet signs to prove that an address is its owner's: [`crate::proof`].
    #[n(30)]
    Challenge,
    /// The signature becomes an envelope.
    #[n(31)]
    Prove,
    /// The owner of a wallet has its words.
    #[n(32)]
    ConfirmBackup,
    /// An enclave of another program gets what its root alone opens of an envelope of class `owner`: [`crate::moving`].
    #[n(40)]
    HandOn,
    /// That enclave makes it an envelope of its own.
    #[n(41)]
    TakeIn,
    /// A named key may ask for what the owner lists while they are away: [`crate::grant`].
    #[n(50)]
    Grant,
    /// A grant is over, at once and for good.
    #[n(51)]
    Ungrant,
    /// Which grants are in force, and how often each was used.
    #[n(52)]
    Grants,
}

impl Op {
    pub const ALL: [Op; 25] = [
        Op::Link,
        Op::Balances,
        Op::Rotate,
        Op::Acknowledge,
        Op::Inspect,
        Op::Export,
        Op::Forget,
        Op::Read,
        Op::Preview,
        Op::Act,
        Op::Status,
        Op::Begin,
        Op::Finish,
        Op::Refresh,
        Op::Revoke,
        Op::RotateKey,
        Op::Panic,
        Op::Challenge,
        Op::Prove,
        Op::ConfirmBackup,
        Op::HandOn,
        Op::TakeIn,
        Op::Grant,
        Op::Ungrant,
        Op::Grants,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Op::Link => "link",
            Op::Balances => "balances",
            Op::Rotate => "rotate",
            Op::Acknowledge => "acknowledge",
            Op::Inspect => "inspect",
            Op::Export => "export",
            Op::Forget => "forget",
            Op::Read => "read",
            Op::Preview => "preview",
            Op::Act => "act",
            Op::Status => "status",
            Op::Begin => "begin",
            Op::Finish => "finish",
            Op::Refresh => "refresh",
            Op::Revoke => "revoke",
            Op::RotateKey => "rotate_key",
            Op::Panic => "panic",
            Op::Challenge => "challenge",
            Op::Prove => "prove",
            Op::ConfirmBackup => "confirm_backup",
            Op::HandOn => "hand_on",
            Op::TakeIn => "take_in",
            Op::Grant => "grant",
            Op::Ungrant => "ungrant",
            Op::Grants => "grants",
        }
    }
}

/// Arguments of `link`. Holds a credential: borrows from a buffer that is zeroized.
#[derive(Encode, Decode)]
#[cbor(map)]
pub struct Link<'b> {
    /// The connector's id, such as `kraken`.
    #[b(0)]
    pub exchange: &'b str,
    /// A JSON object of the fields that the connector declares.
    #[b(1)]
    pub credential: &'b ByteSlice,
    /// The owner set. Each key proves possession by a signature over this request.
    #[n(2)]
    pub owners: Vec<OwnerKey>,
    #[n(3)]
    pub organisation: OrganisationId,
    /// Random, chosen by the client, so that it can derive the share before the envelope exists.
    #[n(4)]
    pub connection: ConnectionId,
    /// Which programs the owner lets open it later.
    #[cbor(n(5), skip_if = "Class::is_any")]
    pub class: Class,
}

impl fmt::Debug for Link<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({})", self.exchange)
    }
}

impl<'b> crate::Canonical<'b> for Link<'b> {}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Linked {
    #[cbor(n(0), with = "minicbor::bytes")]
    pub envelope: Vec<u8>,
    /// COSE_Sign1 over [`Finding`], by the receipt key under the domain of findings.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub finding: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Balances {
    /// The currency to value in, such as `EUR`.
    #[n(0)]
    pub currency: String,
}

/// Arguments of `rotate`: each alone or together; none is refused. Holds a share.
#[derive(Encode, Decode)]
#[cbor(map)]
pub struct Rotate<'b> {
    #[n(0)]
    pub data_key: bool,
    /// Wrap to the current epoch.
    #[n(1)]
    pub epoch: bool,
    /// The new share, 32 bytes: dangerous, because the one before opens nothing any more.
    #[b(2)]
    pub share: Option<&'b ByteSlice>,
    /// The new owner set: dangerous. Keys that are new prove possession.
    #[n(3)]
    pub owners: Option<Vec<OwnerKey>>,
    /// The new consent class: dangerous if it is looser than the one it has.
    #[n(4)]
    pub class: Option<Class>,
}

impl fmt::Debug for Rotate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rotate")
    }
}

impl<'b> crate::Canonical<'b> for Rotate<'b> {}

/// The result of `rotate`. `generation` stays pending until it is acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Rotated {
    #[cbor(n(0), with = "minicbor::bytes")]
    pub envelope: Vec<u8>,
    #[n(1)]
    pub generation: u64,
    #[n(2)]
    pub epoch: u32,
}

/// What is in an envelope, without the secret.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Inspected {
    #[n(0)]
    pub exchange: String,
    #[n(1)]
    pub connection: ConnectionId,
    #[n(2)]
    pub organisation: OrganisationId,
    #[n(3)]
    pub generation: u64,
    #[n(4)]
    pub epoch: u32,
    #[n(5)]
    pub created: UnixMillis,
    #[n(6)]
    pub owners: Vec<OwnerKey>,
    #[n(7)]
    pub finding: Finding,
    /// Names of the credential's fields, never their values.
    #[n(8)]
    pub fields: Vec<String>,
    /// Whether this generation is current; false while it waits to be acknowledged.
    #[n(9)]
    pub current: bool,
    #[cbor(n(10), skip_if = "Class::is_any")]
    pub class: Class,
}

/// Arguments of `export`: dangerous.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Export {
    /// X-Wing public key of the owner, made for this export.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub recipient: Vec<u8>,
}

/// HPKE base mode, info = `transcript(tensfer/export/v1, connection, request hash)`, empty AAD; the plaintext is
/// the credential as it was linked.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Exported {
    #[cbor(n(0), with = "minicbor::bytes")]
    pub encapsulated: Vec<u8>,
    #[cbor(n(1), with = "minicbor::bytes")]
    pub ciphertext: Vec<u8>,
}

/// Arguments of `confirm_backup`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ConfirmBackup {
    /// [`words_transcript`]'s SHA-256: nobody makes it who has not had the words.
    #[n(0)]
    pub words: Hash,
}

/// What is hashed (SHA-256) to show that somebody has a wallet's words. `words` is SHA-256 of them as BIP 39 has them, in lower
/// case and parted by single spaces.
pub fn words_transcript(connection: ConnectionId, words: &[u8; 32]) -> Vec<u8> {
    Transcript::new(domain::WALLET_WORDS).field(&connection.0).field(words).bytes()
}

/// Arguments or results that are empty: `{}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Nothing {}

canonical!(Linked, Balances, Rotated, Inspected, Export, Exported, ConfirmBackup, Nothing);
