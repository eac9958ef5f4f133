//! Everything that can go wrong between the enclave and a provider, and whose fault it is.

use rustls::{AlertDescription, CertificateError, Error as TlsError};

/// Who is to blame for a [`Fault`].
///
/// Before [`Event::Ready`](super::Event::Ready) nobody is authenticated, so `Provider` then means "whoever
/// answered at the far end of the host's pipe", and the host can always bring that about. After it, the
/// provider's key vouches for what it sent, and only cutting, delaying or corrupting is left to the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Blame {
    /// The core or the connector engine asked for something this module refuses.
    Us,
    /// The host or the network it speaks for.
    Host,
    /// The provider, or whoever pretends to be it.
    Provider,
}

/// Why an exchange or a connection failed. A closed set that carries no text from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The provider host is not a DNS name.
    BadHost,
    /// The request was refused before anything was written.
    BadRequest(RequestFault),
    /// [`Limits::max_queue`](super::Limits::max_queue) requests are waiting already.
    QueueFull,
    /// The connection is over; open another.
    NotOpen,
    /// The core closed the connection while the exchange was under way or waiting.
    ClosedByUs,
    /// TLS failed on our side: no randomness, no usable configuration, a spent cipher.
    Internal,

    /// The host closed the stream before a single byte came back.
    Unreachable,
    /// The host closed the stream, and no byte of a response had arrived.
    ClosedByHost,
    /// The stream was cut inside a response, without the provider's authenticated close.
    Truncated,
    /// No byte came back within [`Limits::connect_ms`](super::Limits::connect_ms).
    ConnectTimeout,
    /// What came back during the handshake is not TLS.
    NotTls,
    /// A record arrived that the peer's key did not seal, or that was reordered, repeated or altered.
    Corrupted,

    /// The handshake took longer than [`Limits::handshake_ms`](super::Limits::handshake_ms).
    HandshakeTimeout,
    /// The certificate does not vouch for the provider's name at the claimed time.
    Certificate(CertificateFault),
    /// No common TLS version, cipher suite, group or application protocol.
    TlsUnsupported,
    /// The peer broke the TLS protocol or ended it by a fatal alert.
    TlsProtocol,
    /// The provider ended the connection (authenticated) before it answered.
    ClosedByProvider,
    /// The response is not the HTTP/1.1 that this module accepts.
    Http(HttpFault),
    /// The response's head or body is above its limit.
    TooLarge,
    /// No complete response head within [`Limits::header_ms`](super::Limits::header_ms).
    HeaderTimeout,
    /// No complete response within [`Limits::response_ms`](super::Limits::response_ms).
    ResponseTimeout,
}

/// Why a certificate was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CertificateFault {
    /// The handshake carried none.
    Missing,
    /// No chain to a root of this environment.
    UnknownIssuer,
    /// Not issued for the host that was asked for.
    WrongName,
    /// Past its end at the claimed time.
    Expired,
    /// Before its start at the claimed time.
    NotYetValid,
    /// Not issued for servers, or a CA used as a leaf.
    WrongPurpose,
    /// A signature in the chain or over the handshake is wrong or of an unsupported algorithm.
    BadSignature,
    /// Anything else: encoding, an unknown critical extension, a violated name constraint.
    Invalid,
}

/// Why a response was refused (RFC 9112 unless said otherwise).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HttpFault {
    /// Not `HTTP/1.x SP 3DIGIT [SP reason]` (section 4).
    StatusLine,
    /// A bare CR or LF, a NUL or another control byte, or a line longer than the head may be.
    Line,
    /// Not `token ":" value`; white space before the colon; a folded line (section 5).
    HeaderField,
    /// More than eight interim responses, or 101 Switching Protocols, which nobody asked for.
    Interim,
    /// Content-Length is not a number, or two of them differ (section 6.3).
    ContentLength,
    /// Content-Length and Transfer-Encoding together, or Transfer-Encoding where it may not be (section 6.1).
    Framing,
    /// A Transfer-Encoding other than exactly `chunked`.
    TransferEncoding,
    /// A Content-Encoding other than identity: nothing is decompressed here.
    ContentEncoding,
    /// Bad chunk size, missing CRLF, too much chunk extension or trailer (section 7.1).
    Chunk,
    /// Bytes that belong to no request.
    Unsolicited,
    /// The provider closed (authenticated) inside a response of known length.
    Incomplete,
}

/// Why a request was refused before anything was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestFault {
    /// Not an origin-form target (`/…`, printable ASCII, no `#`), or too long.
    Target,
    /// Not a token (RFC 9110 section 5.6.2).
    HeaderName,
    /// A control or non-ASCII byte (CR, LF and NUL among them), or white space at an end.
    HeaderValue,
    /// A field that this module writes itself, or that changes framing or routing.
    ReservedHeader,
    /// The same field name twice.
    DuplicateHeader,
    /// A body on GET or HEAD.
    UnexpectedBody,
    /// Too many fields or bytes.
    TooLarge,
}

impl Fault {
    /// Whose fault it is. See [`Blame`] for what this can mean before the peer is authenticated.
    pub fn blame(self) -> Blame {
        match self {
            Self::BadHost
            | Self::BadRequest(_)
            | Self::QueueFull
            | Self::NotOpen
            | Self::ClosedByUs
            | Self::Internal => Blame::Us,
            Self::Unreachable
            | Self::ClosedByHost
            | Self::Truncated
            | Self::ConnectTimeout
            | Self::NotTls
            | Self::Corrupted => Blame::Host,
            Self::HandshakeTimeout
            | Self::Certificate(_)
            | Self::TlsUnsupported
            | Self::TlsProtocol
            | Self::ClosedByProvider
            | Self::Http(_)
            | Self::TooLarge
            | Self::HeaderTimeout
            | Self::ResponseTimeout => Blame::Provider,
        }
    }

    /// The fault that a rustls error stands for; `established` says whether the handshake was complete.
    pub(super) fn from_tls(error: &TlsError, established: bool) -> Self {
        match error {
            TlsError::InvalidCertificate(certificate) => Self::Certificate(certificate.into()),
            TlsError::NoCertificatesPresented => Self::Certificate(CertificateFault::Missing),
            TlsError::InvalidMessage(_) if !established => Self::NotTls,
            TlsError::InvalidMessage(_) | TlsError::DecryptError => Self::Corrupted,
            TlsError::AlertReceived(
                AlertDescription::ProtocolVersion
                | AlertDescription::HandshakeFailure
                | AlertDescription::InsufficientSecurity
                | AlertDescription::NoApplicationProtocol,
            )
            | TlsError::PeerIncompatible(_)
            | TlsError::NoApplicationProtocol => Self::TlsUnsupported,
            TlsError::AlertReceived(_)
            | TlsError::InappropriateMessage { .. }
            | TlsError::InappropriateHandshakeMessage { .. }
            | TlsError::PeerMisbehaved(_)
            | TlsError::PeerSentOversizedRecord => Self::TlsProtocol,
            _ => Self::Internal,
        }
    }
}

impl From<&CertificateError> for CertificateFault {
    fn from(error: &CertificateError) -> Self {
        match error {
            CertificateError::UnknownIssuer => Self::UnknownIssuer,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::WrongName
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYetValid,
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                Self::WrongPurpose
            }
            CertificateError::BadSignature
            | CertificateError::UnsupportedSignatureAlgorithmContext { .. }
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => Self::BadSignature,
            _ => Self::Invalid,
        }
    }
}
