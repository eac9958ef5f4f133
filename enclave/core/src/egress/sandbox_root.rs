//! The check that a sandbox root can vouch for sandbox names only: a small, strict walk over its DER.

/// Why a certificate is no sandbox root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RootRefusal {
    Encoding,
    NotAnAuthority,
    Unconstrained,
}

const BOOLEAN: u8 = 0x01;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
/// `[3] EXPLICIT Extensions` of TBSCertificate, RFC 5280 section 4.1.
const EXTENSIONS: u8 = 0xa3;

/// 2.5.29.19 and 2.5.29.30.
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x1e];

/// `NameConstraints { permittedSubtrees [0] { { base dNSName "sandbox.test" } } }`: DER has one spelling of it,
/// so equality of bytes is the whole check.
const ONLY_SANDBOX: &[u8] = b"\x30\x12\xa0\x10\x30\x0e\x82\x0csandbox.test";

/// Checks that `der` is one certificate of a CA that is limited to `sandbox.test`, both critically.
pub(super) fn check(der: &[u8]) -> Result<(), RootRefusal> {
    let extensions = extensions(der).ok_or(RootRefusal::Encoding)?;
    let basic = only(&extensions, BASIC_CONSTRAINTS).ok_or(RootRefusal::NotAnAuthority)?;
    if !basic.critical || !is_authority(basic.value) {
        return Err(RootRefusal::NotAnAuthority);
    }
    match only(&extensions, NAME_CONSTRAINTS) {
        Some(names) if names.critical && names.value == ONLY_SANDBOX => Ok(()),
        _ => Err(RootRefusal::Unconstrained),
    }
}

struct Extension<'a> {
    id: &'a [u8],
    critical: bool,
    value: &'a [u8],
}

/// The one extension with this id; twice is as good as none (RFC 5280 section 4.2).
fn only<'a>(extensions: &'a [Extension<'a>], id: &[u8]) -> Option<&'a Extension<'a>> {
    let mut found = extensions.iter().filter(|extension| extension.id == id);
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// `BasicConstraints { cA TRUE, … }`.
fn is_authority(value: &[u8]) -> bool {
    let inside = || {
        let mut fields = Der(Der(value).only(SEQUENCE)?);
        fields.expect(BOOLEAN)
    };
    inside() == Some(&[0xff])
}

fn extensions(certificate: &[u8]) -> Option<Vec<Extension<'_>>> {
    let mut tbs = Der(Der(Der(certificate).only(SEQUENCE)?).expect(SEQUENCE)?);
    let mut block = None;
    while !tbs.0.is_empty() {
        let (tag, value) = tbs.next()?;
        if tag == EXTENSIONS && block.replace(value).is_some() {
            return None;
        }
    }
    let mut list = Der(Der(block?).only(SEQUENCE)?);
    let mut extensions = Vec::new();
    while !list.0.is_empty() {
        extensions.push(extension(list.expect(SEQUENCE)?)?);
    }
    Some(extensions)
}

/// `Extension { extnID, critical BOOLEAN DEFAULT FALSE, extnValue }`.
fn extension(content: &[u8]) -> Option<Extension<'_>> {
    let mut fields = Der(content);
    let id = fields.expect(OBJECT_IDENTIFIER)?;
    let (tag, value) = fields.next()?;
    if tag == BOOLEAN {
        let critical = value == [0xff];
        return Some(Extension { id, critical, value: fields.only(OCTET_STRING)? });
    }
    (tag == OCTET_STRING && fields.0.is_empty()).then_some(Extension { id, critical: false, value })
}

/// Type-length-value triples in DER: definite, minimal lengths below 64 KiB, single-byte tags.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (tag, rest) = self.0.split_first()?;
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (length, rest) = match *rest {
            [short @ ..=0x7f, ref rest @ ..] => (usize::from(short), rest),
            [0x81, long @ 0x80..=0xff, ref rest @ ..] => (usize::from(long), rest),
            [0x82, high @ 1..=0xff, low, ref rest @ ..] => {
                (usize::from(u16::from_be_bytes([high, low])), rest)
            }
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, value))
    }

    /// The next value, if it has this tag.
    fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next().filter(|(found, _)| *found == tag).map(|(_, value)| value)
    }

    /// The only value left, if it has this tag.
    fn only(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.expect(tag).filter(|_| self.0.is_empty())
    }
}
