//! What Intel says of its platforms and of its quoting enclave (Intel PCS API v4), as a JSON object that the verified party
//! or anybody else hands on: every part is signed, and nothing is believed for who brought it.
//!
//! `{pck_crl_issuer_chain, root_ca_crl, pck_crl, tcb_info_issuer_chain, tcb_info, tcb_info_signature,
//! qe_identity_issuer_chain, qe_identity, qe_identity_signature}`: chains in PEM, lists and signatures in hexadecimal,
//! `tcb_info` and `qe_identity` the very text that was signed.

use crate::json::Json;
use crate::x509::time::{check_within, parse_rfc3339};
use crate::x509::{Algorithm, Certificate, Key, LeafUsage, RevokedList, check_algorithms, check_path};
use crate::{Refused, certificates, text};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use wire::UnixMillis;

const MALFORMED: Refused = Refused::CollateralMalformed;

/// The parts, decoded; nothing is checked yet.
pub(super) struct Collateral {
    root_list: Vec<u8>,
    platform_list: Vec<u8>,
    tcb: Signed,
    enclave: Signed,
}

/// A JSON text with its signature and the chain of the key that made it.
struct Signed {
    chain: Vec<Vec<u8>>,
    text: String,
    signature: Vec<u8>,
}

/// A document that Intel signed, with the times in which it holds.
pub(super) struct Stated {
    pub(super) json: Json,
    issued: UnixMillis,
    next: UnixMillis,
}

/// All that Intel states, its signatures checked.
pub(super) struct Statements {
    pub(super) tcb: Stated,
    pub(super) enclave: Stated,
    /// Ends of validity: of lists, documents and certificates.
    pub(super) not_after: UnixMillis,
}

impl Collateral {
    pub(super) fn parse(bytes: &[u8]) -> Result<Collateral, Refused> {
        let json = Json::parse(bytes)?;
        let bytes = |name: &str| text::unhex(json.text(name)?.as_bytes()).ok_or(MALFORMED);
        let signed = |name: &str| {
            Ok(Signed {
                chain: certificates::read_chain(json.text(&format!("{name}_issuer_chain"))?.as_bytes())?,
                text: json.text(name)?.to_owned(),
                signature: bytes(&format!("{name}_signature"))?,
            })
        };
        Ok(Collateral {
            root_list: bytes("root_ca_crl")?,
            platform_list: bytes("pck_crl")?,
            tcb: signed("tcb_info")?,
            enclave: signed("qe_identity")?,
        })
    }

    /// Checks all signatures and times; `path` is the platform's, from its root.
    pub(super) fn check(
        &self,
        path: &[Certificate<'_>],
        at: UnixMillis,
        leeway: u64,
    ) -> Result<Statements, Refused> {
        let [root, authority, platform] = path else { return Err(Refused::CertificateMalformed) };
        let root_list = RevokedList::parse(&self.root_list)?;
        let platform_list = RevokedList::parse(&self.platform_list)?;
        root_list.check(authority, root)?;
        platform_list.check(platform, authority)?;
        let (tcb, tcb_ends) = self.tcb.check(root, &root_list, at, leeway)?;
        let (enclave, enclave_ends) = self.enclave.check(root, &root_list, at, leeway)?;
        root_list.check_validity(at, leeway)?;
        platform_list.check_validity(at, leeway)?;
        let ends = [root_list.not_after(), platform_list.not_after(), tcb_ends, enclave_ends];
        let not_after = ends.into_iter().min().unwrap_or(tcb_ends);
        Ok(Statements { tcb, enclave, not_after })
    }
}

impl Signed {
    /// The statement, and the end of what vouches for it.
    fn check(
        &self,
        root: &Certificate<'_>,
        root_list: &RevokedList<'_>,
        at: UnixMillis,
        leeway: u64,
    ) -> Result<(Stated, UnixMillis), Refused> {
        let signer = self.chain.first().ok_or(MALFORMED)?;
        let signer = Certificate::parse(signer)?;
        let path = [root, &signer];
        check_algorithms(&path, Algorithm::Es256, |key| matches!(key, Key::P256(_)))?;
        check_path(&path, LeafUsage::Stated)?;
        root_list.check(&signer, root)?;
        let Key::P256(key) = signer.key else { return Err(Refused::CertificateAlgorithm) };
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key)
            .verify(self.text.as_bytes(), &self.signature)
            .map_err(|_| Refused::CollateralSignature)?;
        signer.check_validity(at, leeway)?;
        let stated = Stated::read(&self.text)?;
        check_within(stated.issued, stated.next, at, leeway)?;
        let ends = stated.next.min(signer.not_after);
        Ok((stated, ends))
    }
}

impl Stated {
    fn read(text: &str) -> Result<Stated, Refused> {
        let json = Json::parse(text.as_bytes())?;
        let time = |name| parse_rfc3339(json.text(name)?).ok_or(MALFORMED);
        let (issued, next) = (time("issueDate")?, time("nextUpdate")?);
        Ok(Stated { json, issued, next })
    }
}
