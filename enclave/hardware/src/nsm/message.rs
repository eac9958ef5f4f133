//! The module's messages that are used here, in CBOR: `{"Name": {field: value}}`, and a request without fields is its name.

use super::NsmFault;
use minicbor::{Decoder, Encoder};

/// The driver carries no longer request and no longer answer (Linux, `nsm.h`).
pub(super) const MAX_REQUEST: usize = 0x1000;
pub(super) const MAX_RESPONSE: usize = 0x3000;
/// The module refuses more.
const MAX_USER_DATA: usize = 512;

pub(super) enum Request<'b> {
    GetRandom,
    /// Nonce and public key are left empty: user data binds everything (docs/spec/evidence.md §2).
    Attestation {
        user_data: &'b [u8],
    },
    /// A platform configuration register by its number.
    DescribePcr {
        index: u8,
    },
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Response {
    Random(zeroize::Zeroizing<Vec<u8>>),
    Document(Vec<u8>),
    /// The register's value; whether it is locked is not asked for.
    Pcr(Vec<u8>),
}

impl Request<'_> {
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, NsmFault> {
        let mut bytes = Vec::new();
        let mut to = Encoder::new(&mut bytes);
        let written = match self {
            Request::GetRandom => to.str("GetRandom").map(|_| ()),
            Request::Attestation { user_data } if user_data.len() > MAX_USER_DATA => {
                return Err(NsmFault::Malformed);
            }
            Request::Attestation { user_data } => attestation(&mut to, user_data),
            Request::DescribePcr { index } => describe_pcr(&mut to, *index),
        };
        written.map_err(|_| NsmFault::Malformed)?;
        Ok(bytes)
    }
}

fn describe_pcr(
    to: &mut Encoder<&mut Vec<u8>>,
    index: u8,
) -> Result<(), minicbor::encode::Error<core::convert::Infallible>> {
    to.map(1)?.str("DescribePCR")?.map(1)?.str("index")?.u8(index)?.ok()
}

fn attestation(
    to: &mut Encoder<&mut Vec<u8>>,
    user_data: &[u8],
) -> Result<(), minicbor::encode::Error<core::convert::Infallible>> {
    to.map(1)?.str("Attestation")?.map(3)?;
    to.str("user_data")?.bytes(user_data)?.str("nonce")?.null()?.str("public_key")?.null()?.ok()
}

impl Response {
    /// Reads an answer: one map of one entry, and nothing behind it.
    pub(super) fn parse(bytes: &[u8]) -> Result<Response, NsmFault> {
        if bytes.len() > MAX_RESPONSE {
            return Err(NsmFault::Malformed);
        }
        let mut from = Decoder::new(bytes);
        let response = read(&mut from).map_err(|_| NsmFault::Malformed)??;
        if from.position() == bytes.len() { Ok(response) } else { Err(NsmFault::Malformed) }
    }
}

fn read(from: &mut Decoder<'_>) -> Result<Result<Response, NsmFault>, minicbor::decode::Error> {
    if from.map()? != Some(1) {
        return Ok(Err(NsmFault::Malformed));
    }
    let kind = from.str()?;
    if kind == "Error" {
        return Ok(Err(NsmFault::Refused));
    }
    let fields = from.map()?;
    if (kind, fields) == ("DescribePCR", Some(2)) {
        return pcr(from);
    }
    Ok(match (kind, fields, from.str()?) {
        ("GetRandom", Some(1), "random") => Ok(Response::Random(from.bytes()?.to_vec().into())),
        ("Attestation", Some(1), "document") => Ok(Response::Document(from.bytes()?.to_vec())),
        _ => Err(NsmFault::Malformed),
    })
}

/// `lock` and `data`: in this order AWS's module writes them, QEMU's in the other.
fn pcr(from: &mut Decoder<'_>) -> Result<Result<Response, NsmFault>, minicbor::decode::Error> {
    let (mut is_locked, mut value) = (None, None);
    for _ in 0..2 {
        match from.str()? {
            "lock" => is_locked = Some(from.bool()?),
            "data" => value = Some(from.bytes()?.to_vec()),
            _ => return Ok(Err(NsmFault::Malformed)),
        }
    }
    Ok(is_locked.and(value).map(Response::Pcr).ok_or(NsmFault::Malformed))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    const DOCUMENT: &[u8] = b"\xa1\x6bAttestation\xa1\x68document\x43abc";

    #[test]
    fn an_attestation_is_asked_for_as_the_module_expects_it() {
        let bytes = Request::Attestation { user_data: b"ab" }.to_bytes().unwrap();
        let expected = b"\xa1\x6bAttestation\xa3\x69user_data\x42ab\x65nonce\xf6\x6apublic_key\xf6";
        assert_eq!(bytes, expected);
        assert!(Request::Attestation { user_data: &[0; 512] }.to_bytes().unwrap().len() < MAX_REQUEST);
        assert!(Request::Attestation { user_data: &[0; 513] }.to_bytes().is_err());
    }

    #[test]
    fn a_register_is_asked_for_by_its_number_and_its_value_is_read() {
        let bytes = Request::DescribePcr { index: 8 }.to_bytes().unwrap();
        assert_eq!(bytes, b"\xa1\x6bDescribePCR\xa1\x65index\x08");
        let answer = b"\xa1\x6bDescribePCR\xa2\x64lock\xf5\x64data\x42ab";
        assert_eq!(Response::parse(answer), Ok(Response::Pcr(b"ab".to_vec())));
        for end in 0..answer.len() {
            assert_eq!(Response::parse(answer.get(..end).unwrap()), Err(NsmFault::Malformed), "cut at {end}");
        }
        let turned = b"\xa1\x6bDescribePCR\xa2\x64data\x42ab\x64lock\xf5";
        assert_eq!(Response::parse(turned), Response::parse(answer));
        let others: [&[u8]; 3] = [
            b"\xa1\x6bDescribePCR\xa2\x64lock\xf5\x64date\x42ab",
            b"\xa1\x6bDescribePCR\xa2\x64data\x42ab\x64data\x42ab",
            b"\xa1\x6bDescribePCR\xa1\x64data\x42ab",
        ];
        for other in others {
            assert_eq!(Response::parse(other), Err(NsmFault::Malformed));
        }
    }

    #[test]
    fn answers_are_read_and_the_modules_errors_are_told_apart() {
        assert_eq!(Response::parse(DOCUMENT), Ok(Response::Document(b"abc".to_vec())));
        assert_eq!(Response::parse(b"\xa1\x65Error\x6fInvalidArgument"), Err(NsmFault::Refused));
    }

    #[test]
    fn m07_what_is_no_answer_is_refused() {
        for end in 0..DOCUMENT.len() {
            let cut = DOCUMENT.get(..end).unwrap();
            assert_eq!(Response::parse(cut), Err(NsmFault::Malformed), "cut at {end}");
        }
        let more: [&[u8]; 6] = [
            b"\xa1\x6bAttestation\xa1\x68document\x43abcd",
            b"\xa2\x6bAttestation\xa1\x68document\x43abc\x61a\x01",
            b"\xa1\x6bAttestation\xa1\x66random\x43abc",
            b"\xa1\x6bAttestation\xa1\x68document\x63abc",
            b"\xa1\x6bAttestation\xa1\x68document\x5b\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\xbf\x6bAttestation\xa1\x68document\x43abc\xff",
        ];
        for bytes in more {
            assert_eq!(Response::parse(bytes), Err(NsmFault::Malformed), "{bytes:02x?}");
        }
        let long = [DOCUMENT, &vec![0; MAX_RESPONSE]].concat();
        assert_eq!(Response::parse(&long), Err(NsmFault::Malformed));
    }
}
