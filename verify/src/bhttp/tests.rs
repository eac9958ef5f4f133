//! Crate `bhttp` as the peer in both directions, and refusals.

use super::*;
use crate::padding::{MIN_BYTES, padded};
use proptest::prelude::*;
use std::io::Cursor;

fn request() -> Request {
    Request {
        method: "POST".to_owned(),
        scheme: "https".to_owned(),
        authority: "enclave.example".to_owned(),
        path: "/v1/request".to_owned(),
        fields: vec![Field::new("content-type", "application/cbor"), Field::new("x-empty", "")],
        content: vec![0xa1; 100].into(),
    }
}

#[test]
fn crate_bhttp_reads_our_request() {
    let bytes = request().to_padded_bytes().unwrap();
    let message = ::bhttp::Message::read_bhttp(&mut Cursor::new(bytes.as_slice())).unwrap();
    assert_eq!(message.control().method(), Some(b"POST".as_slice()));
    assert_eq!(message.control().authority(), Some(b"enclave.example".as_slice()));
    assert_eq!(message.control().path(), Some(b"/v1/request".as_slice()));
    assert_eq!(message.header().get(b"content-type"), Some(b"application/cbor".as_slice()));
    assert_eq!(message.content(), [0xa1; 100]);
}

#[test]
fn crate_bhttp_reads_our_response() {
    let bytes = Response::new(503, vec![5; 20_000].into()).to_padded_bytes().unwrap();
    let message = ::bhttp::Message::read_bhttp(&mut Cursor::new(bytes.as_slice())).unwrap();
    assert_eq!(message.control().status().map(|status| status.code()), Some(503));
    assert_eq!(message.content(), [5; 20_000]);
}

#[test]
fn we_read_what_crate_bhttp_writes() {
    let mut message =
        ::bhttp::Message::request(b"GET".to_vec(), b"https".to_vec(), b"a.example".to_vec(), b"/".to_vec());
    message.put_header("accept", "application/cbor");
    message.write_content([9; 70]);
    let mut bytes = Vec::new();
    message.write_bhttp(::bhttp::Mode::KnownLength, &mut bytes).unwrap();
    let read = Request::from_bytes(&bytes).unwrap();
    assert_eq!((read.method.as_str(), read.authority.as_str()), ("GET", "a.example"));
    assert!(read.fields == [Field::new("accept", "application/cbor")]);
    assert_eq!(read.content.as_slice(), [9; 70]);

    let mut bytes = Vec::new();
    let message = ::bhttp::Message::response(200u16.try_into().unwrap());
    message.write_bhttp(::bhttp::Mode::IndeterminateLength, &mut bytes).unwrap();
    assert_eq!(Response::from_bytes(&bytes).err(), Some(Error::Framing), "indeterminate length");
}

/// RFC 9292 §5.1 has this request; the last two bytes, of empty sections, may be left out (§3.8).
#[test]
fn a_message_may_end_where_only_empty_sections_follow() {
    let get = b"\x00\x03GET\x05https\x0bexample.com\x01/";
    for tail in [&b""[..], b"\x00", b"\x00\x00", b"\x00\x00\x00", b"\x00\x00\x00\x00\x00"] {
        let read = Request::from_bytes(&[get.as_slice(), tail].concat()).unwrap();
        assert_eq!((read.path.as_str(), read.content.len()), ("/", 0));
    }
}

#[test]
fn every_message_is_padded_to_its_bucket() {
    for content in [0, 1, 300, 512, 5_000, 100_000] {
        let response = Response::new(200, vec![1; content].into());
        let bytes = response.to_padded_bytes().unwrap();
        assert_eq!(bytes.len(), padded(bytes.len()));
        assert!(Response::from_bytes(&bytes).unwrap() == response);
    }
    let empty = Response::new(400, Vec::new().into()).to_padded_bytes().unwrap();
    assert_eq!(empty.len(), MIN_BYTES);
}

#[test]
fn malformed_messages_are_refused_each_for_its_reason() {
    let refused = |bytes: &[u8]| Request::from_bytes(bytes).err();
    assert_eq!(refused(b""), Some(Error::Truncated));
    assert_eq!(refused(b"\x01\x40\xc8"), Some(Error::Framing), "a response is no request");
    assert_eq!(refused(b"\x00\x03GE"), Some(Error::Truncated));
    assert_eq!(refused(b"\x00\x00\x00\x00\x00"), Some(Error::Field), "no method");
    assert_eq!(refused(b"\x00\x03G T\x00\x00\x01/"), Some(Error::Field));
    assert_eq!(refused(b"\x00\x03GET\x00\x00\x02/\n"), Some(Error::Field), "a control character");
    assert_eq!(refused(b"\x00\x03GET\x00\x00\x01/\x04\x01A\x01b"), Some(Error::Field), "upper case");
    assert_eq!(refused(b"\x00\x03GET\x00\x00\x01/\x04\x01:\x01b"), Some(Error::Field), "pseudo-header");
    assert_eq!(refused(b"\x00\x03GET\x00\x00\x01/\x00\x00\x04\x01a\x01b"), Some(Error::Trailer));
    assert_eq!(refused(b"\x00\x03GET\x00\x00\x01/\x00\x00\x00\x00\x01"), Some(Error::Padding));
    let huge = b"\x00\x03GET\x00\x00\x01/\x00\xff\xff\xff\xff\xff\xff\xff\xff";
    assert_eq!(refused(huge), Some(Error::Truncated), "a length is compared before anything is allocated");
    assert_eq!(refused(&vec![0; MAX_BYTES + 1]), Some(Error::TooLong));
    assert_eq!(Response::from_bytes(b"\x01\x40\x64").err(), Some(Error::Status), "100 is not final");
    assert_eq!(Response::new(100, Vec::new().into()).to_padded_bytes().err(), Some(Error::Status));
    assert_eq!(Response::new(200, vec![0; MAX_BYTES].into()).to_padded_bytes().err(), Some(Error::TooLong));
}

#[test]
fn too_many_fields_are_refused() {
    let mut many = request();
    many.fields = vec![Field::new("a", "b"); MAX_FIELDS + 1];
    assert_eq!(many.to_padded_bytes().err(), Some(Error::TooLong));
    let section = b"\x01a\x01b".repeat(MAX_FIELDS + 1);
    let length = (0x4000 | u16::try_from(section.len()).unwrap()).to_be_bytes();
    let bytes = [b"\x00\x03GET\x00\x00\x01/".as_slice(), &length, &section].concat();
    assert_eq!(Request::from_bytes(&bytes).err(), Some(Error::TooLong));
}

#[test]
fn the_content_is_not_printed() {
    let request = Request::post("/v1/request", b"secret".to_vec().into());
    assert_eq!(format!("{request:?}"), "Request(POST /v1/request, 6 bytes)");
    let response = Response::new(200, b"secret".to_vec().into());
    assert_eq!(format!("{response:?}"), "Response(200, 6 bytes)");
}

fn field() -> impl Strategy<Value = Field> {
    ("[a-z-]{1,20}", "[ -~]{0,100}").prop_map(|(name, value)| Field { name, value })
}

prop_compose! {
    fn any_request()(
        method in "[A-Z]{1,8}",
        scheme in "[a-z]{0,6}",
        authority in "[a-z.]{0,30}",
        path in "/[ -~]{0,40}",
        fields in proptest::collection::vec(field(), 0..8),
        content in proptest::collection::vec(any::<u8>(), 0..3000),
    ) -> Request {
        Request { method, scheme, authority, path, fields, content: content.into() }
    }
}

proptest! {
    #[test]
    fn a_request_reads_back_as_it_was(request in any_request()) {
        let bytes = request.to_padded_bytes().unwrap();
        prop_assert!(Request::from_bytes(&bytes).unwrap() == request);
    }

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = Request::from_bytes(&bytes);
        let _ = Response::from_bytes(&bytes);
    }

    #[test]
    fn no_altered_byte_makes_the_parser_panic(request in any_request(), at in any::<usize>(), bit in 0..8) {
        let mut bytes = request.to_padded_bytes().unwrap();
        let at = at % bytes.len();
        bytes[at] ^= 1u8 << bit;
        let _ = Request::from_bytes(&bytes);
    }
}
