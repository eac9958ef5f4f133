//! A request: checked, then written as HTTP/1.1 into a buffer that is wiped after it was encrypted.

use std::fmt;

use zeroize::Zeroizing;

use super::fault::RequestFault;

const MAX_TARGET: usize = 16 << 10;
const MAX_HEADERS: usize = 64;
const MAX_REQUEST: usize = 1 << 20;

/// Fields that this module writes itself, or that would change framing, routing or content coding.
const RESERVED: [&str; 12] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authorization",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "accept-encoding",
];

/// The request methods that providers' interfaces use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// The method's token.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// One request to a provider, borrowed from whoever signed it so that no secret is copied on the way here.
///
/// `target` is in origin form (`/path?query`). `Host`, `Content-Length`, `Accept-Encoding` and `Connection` are
/// not among `headers`: this module writes what is needed of them.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    pub method: Method,
    pub target: &'a str,
    pub headers: &'a [(&'a str, &'a str)],
    pub body: &'a [u8],
}

impl Request<'_> {
    /// The request as it goes into the TLS connection, in one allocation that is wiped when dropped.
    pub(super) fn encode(&self, host: &str) -> Result<Zeroizing<Vec<u8>>, RequestFault> {
        self.check()?;
        let method = self.method.as_str();
        let length = self.content_length();
        let fixed: [&[u8]; 6] = [
            method.as_bytes(),
            b" ",
            self.target.as_bytes(),
            b" HTTP/1.1\r\nhost: ",
            host.as_bytes(),
            b"\r\naccept-encoding: identity\r\n",
        ];
        let fields = self.headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum::<usize>();
        let size =
            fixed.iter().map(|part| part.len()).sum::<usize>() + fields + length.len() + self.body.len();
        let size = size + 2;
        if size > MAX_REQUEST {
            return Err(RequestFault::TooLarge);
        }
        // INVARIANT: the buffer never grows, so no unwiped copy of its beginning is left behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(size));
        for part in fixed {
            bytes.extend_from_slice(part);
        }
        for (name, value) in self.headers {
            for part in [name.as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                bytes.extend_from_slice(part);
            }
        }
        bytes.extend_from_slice(length.as_bytes());
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(self.body);
        debug_assert_eq!(bytes.len(), size);
        Ok(bytes)
    }

    fn check(&self) -> Result<(), RequestFault> {
        check_target(self.target)?;
        if self.headers.len() > MAX_HEADERS {
            return Err(RequestFault::TooLarge);
        }
        for (at, (name, value)) in self.headers.iter().enumerate() {
            check_header(name, value)?;
            let mut earlier = self.headers.iter().take(at);
            if earlier.any(|(other, _)| other.eq_ignore_ascii_case(name)) {
                return Err(RequestFault::DuplicateHeader);
            }
        }
        if !self.body.is_empty() && matches!(self.method, Method::Get | Method::Head) {
            return Err(RequestFault::UnexpectedBody);
        }
        Ok(())
    }

    /// RFC 9110 section 8.6: sent for methods that anticipate content, also when it is empty.
    fn content_length(&self) -> String {
        match self.method {
            Method::Get | Method::Head => String::new(),
            Method::Delete if self.body.is_empty() => String::new(),
            _ => format!("content-length: {}\r\n", self.body.len()),
        }
    }
}

/// Targets, headers and bodies carry keys and signatures: only sizes are printed.
impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("target_bytes", &self.target.len())
            .field("headers", &self.headers.len())
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

fn check_target(target: &str) -> Result<(), RequestFault> {
    let printable = target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    if target.starts_with('/') && printable && target.len() <= MAX_TARGET {
        Ok(())
    } else {
        Err(RequestFault::Target)
    }
}

fn check_header(name: &str, value: &str) -> Result<(), RequestFault> {
    if name.is_empty() || !name.bytes().all(is_token_byte) {
        return Err(RequestFault::HeaderName);
    }
    if RESERVED.iter().any(|reserved| name.eq_ignore_ascii_case(reserved)) {
        return Err(RequestFault::ReservedHeader);
    }
    let plain = value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ' || byte == b'\t');
    if !plain || value.trim_matches([' ', '\t']).len() != value.len() {
        return Err(RequestFault::HeaderValue);
    }
    Ok(())
}

/// `tchar` of RFC 9110 section 5.6.2.
pub(super) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
