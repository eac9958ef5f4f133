//! Grants: the data key once more, under a share of its own that never was the owner's (docs/spec/grants.md).
//!
//! Both wraps are bound to all that the owner signed. So neither root nor share alone opens a grant, and nobody who has one of
//! them alters what it allows.

use crate::entropy::Entropy;
use crate::envelope::layout::{self, Layout};
use crate::envelope::wrap::Inner;
use crate::envelope::{self, EnvelopeFault, Opened, Share, context};
use crate::hash::sha256;
use crate::root::Roots;
use crate::secret::Secret;
use verify::hpke::{Info, PublicKey};
use wire::envelope::Wrap;
use wire::evidence::Hash;
use wire::grant::{Body, Grant, Made, Make, root_wrap_aad, share_info, share_wrap_aad};
use wire::identity::SUITE;
use wire::{Canonical, GrantId, Refusal};

/// A grant that opened, with the envelope that it is of. Who asks, and whether it is in force, is not known yet.
pub(crate) struct Unlocked {
    pub(crate) opened: Opened,
    pub(crate) share: Share,
    pub(crate) body: Body,
    pub(crate) epoch: u32,
    /// The same wrapped to the current epoch, if it is of an older one.
    pub(crate) renewed: Option<Vec<u8>>,
}

/// Grants what its owner signed for an opened envelope, and seals the share that the enclave draws to whoever is to have it.
/// Drawn: id, share, inner nonce, outer nonce.
pub(crate) fn make(
    opened: &Opened,
    asked: &Make,
    roots: &Roots,
    entropy: &mut dyn Entropy,
) -> Result<(Body, u32, Made), Refusal> {
    let recipient = PublicKey::x_wing(&asked.recipient).map_err(|_| Refusal::Malformed)?;
    let bytes = opened.envelope.to_bytes();
    let body = Body {
        version: envelope::VERSION,
        id: GrantId(entropy.make_bytes().map_err(|_| Refusal::Internal)?),
        header: opened.header().clone(),
        payload: Hash(sha256(layout::parse(&bytes)?.body)),
        terms: asked.terms.clone(),
    };
    let secret = Secret::make(entropy).map_err(|_| Refusal::Internal)?;
    let share = Share::parse(secret.expose())?;
    let encoded = body.to_bytes();
    let key = share.derive_key(context::grant_share_wrap(&body.header, body.id))?;
    let inner = Inner::lock(&opened.data_key, &key, &share_wrap_aad(&encoded), entropy)?;
    let info = share_info(body.id, &sha256(&encoded));
    let grant = wrap(encoded, &body, inner, roots, entropy)?;
    let (encapsulated, ciphertext) = seal_share(&recipient, &info, &secret)?;
    Ok((body, grant.wrap.epoch, Made { grant: grant.to_bytes(), encapsulated, ciphertext }))
}

/// Opens a grant, and with it the envelope that it is of; of that one nothing but what is before its wrap.
pub(crate) fn open(
    grant: &[u8],
    envelope: &[u8],
    share: &[u8],
    roots: &Roots,
    entropy: &mut dyn Entropy,
) -> Result<Unlocked, Refusal> {
    let (grant, body) = Grant::parse(grant).ok_or(Refusal::Malformed)?;
    let (share, layout) = (Share::parse(share)?, layout::parse(envelope)?);
    if !is_of(&body, &layout) {
        return Err(Refusal::GrantRefused);
    }
    let epoch = grant.wrap.epoch;
    let key = roots.grant_key(epoch, &body.header, body.id)?;
    let inner = Inner::unwrap_by(&grant.wrap, &key, &root_wrap_aad(&grant.body, epoch)).map_err(refused)?;
    let key = share.derive_key(context::grant_share_wrap(&body.header, body.id))?;
    let data_key = inner.unlock(&key, &share_wrap_aad(&grant.body)).map_err(refused)?;
    let opened = envelope::open_payload(layout, data_key).map_err(refused)?;
    let renewed = if epoch == roots.current_of(body.header.class)? {
        None
    } else {
        Some(wrap(grant.body, &body, inner, roots, entropy)?.to_bytes())
    };
    Ok(Unlocked { opened, share, body, epoch, renewed })
}

fn is_of(body: &Body, layout: &Layout<'_>) -> bool {
    body.header == layout.header && body.payload.0 == sha256(layout.body)
}

/// The outer layer, under the current epoch of the class.
fn wrap(
    encoded: Vec<u8>,
    body: &Body,
    inner: Inner,
    roots: &Roots,
    entropy: &mut dyn Entropy,
) -> Result<Grant, Refusal> {
    let epoch = roots.current_of(body.header.class)?;
    let nonce = entropy.make_bytes().map_err(|_| Refusal::Internal)?;
    let key = roots.grant_key(epoch, &body.header, body.id)?;
    let ciphertext = inner.wrap(&key, &nonce, &root_wrap_aad(&encoded, epoch))?;
    Ok(Grant { body: encoded, wrap: Wrap { epoch, nonce, ciphertext } })
}

fn seal_share(
    recipient: &PublicKey,
    info: &[u8],
    secret: &Secret<32>,
) -> Result<(Vec<u8>, Vec<u8>), Refusal> {
    let info = Info::new(SUITE, info).map_err(|_| Refusal::Internal)?;
    let (encapsulated, mut context) = recipient.setup_sender(&info).map_err(|_| Refusal::Malformed)?;
    let ciphertext = context.seal(b"", secret.expose()).map_err(|_| Refusal::Internal)?;
    Ok((encapsulated, ciphertext))
}

/// Which layer it was is nobody's business.
fn refused(fault: EnvelopeFault) -> Refusal {
    if fault == EnvelopeFault::Refused { Refusal::GrantRefused } else { fault.refusal() }
}
