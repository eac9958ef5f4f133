//! A role's connection to another's socket (docs/spec/processes.md), as a test makes it: it shows what certificate it
//! likes, or none, and takes whoever answers.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::crypto::verify_tls13_signature;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::version::TLS13;
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, ServerConfig, SignatureScheme, StreamOwned,
};
use std::io::{self, ErrorKind, Read, Write};
use std::net::Ipv4Addr;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const PROTOCOL: &[u8] = b"tensfer-calls/2";
const HEADER: usize = 5;
/// An emulated machine takes its time.
const PATIENCE: Duration = Duration::from_secs(120);

/// A frame: number, stream and body.
pub type Message = (u8, u32, Vec<u8>);

#[derive(Debug)]
pub struct Caller(StreamOwned<ClientConnection, UnixStream>);

impl Caller {
    /// To `NAME.sock` in the folder `run`, as an operator of the `up` that runs there.
    pub fn operator(run: &Path, name: &str) -> Caller {
        Caller::showing(run, name, Some(&run.join("operator"))).expect("somebody listens")
    }

    /// To `NAME.sock` in the folder `run`, with the certificate in the folder `shown`.
    pub fn showing(run: &Path, name: &str, shown: Option<&Path>) -> io::Result<Caller> {
        let stream = UnixStream::connect(run.join(format!("{name}.sock")))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let nobody = ServerName::IpAddress(Ipv4Addr::UNSPECIFIED.into());
        let connection = ClientConnection::new(Arc::new(client(shown)?), nobody).map_err(io::Error::other)?;
        Ok(Caller(StreamOwned::new(connection, stream)))
    }

    /// Asks, and waits for one answer; `None`: the callee closed the connection.
    pub fn ask(&mut self, number: u8, body: &[u8]) -> Option<Message> {
        // One that hangs up is found by reading.
        let _ = write_message(&mut self.0, &(number, 1, body.to_vec()));
        read_message(&mut self.0)
    }
}

fn client(shown: Option<&Path>) -> io::Result<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&TLS13])
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody));
    let mut config = match shown {
        Some(folder) => {
            let (chain, key) = read(folder)?;
            builder.with_client_auth_cert(chain, key).map_err(io::Error::other)?
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok(config)
}

/// Answers in the place of the role whose certificate is in the folder `shown`, whoever calls.
pub fn server(shown: &Path) -> io::Result<ServerConfig> {
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_protocol_versions(&[&TLS13]).map_err(io::Error::other)?;
    let (chain, key) = read(shown)?;
    let config = builder.with_no_client_auth().with_single_cert(chain, key);
    let mut config = config.map_err(io::Error::other)?;
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok(config)
}

fn read(folder: &Path) -> io::Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
    let chain = std::fs::read(folder.join("svid.pem"))?;
    let chain = CertificateDer::pem_slice_iter(&chain).collect::<Result<_, _>>().map_err(io::Error::other)?;
    let key = std::fs::read(folder.join("svid_key.pem"))?;
    Ok((chain, PrivateKeyDer::from_pem_slice(&key).map_err(io::Error::other)?))
}

/// The next message of a connection; `None` at its end.
pub fn read_message(stream: &mut impl Read) -> Option<Message> {
    let mut length = [0; 4];
    match stream.read_exact(&mut length) {
        Err(error) if is_end(error.kind()) => return None,
        read => read.expect("an answer in time"),
    }
    let mut bytes = vec![0; usize::try_from(u32::from_be_bytes(length)).expect("a length")];
    stream.read_exact(&mut bytes).expect("a whole message");
    let body = bytes.split_off(HEADER);
    let stream = u32::from_be_bytes(bytes[1..].try_into().expect("a header"));
    Some((bytes[0], stream, body))
}

/// An alert is one, too.
fn is_end(kind: ErrorKind) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionReset, InvalidData, UnexpectedEof};
    matches!(kind, BrokenPipe | ConnectionReset | InvalidData | UnexpectedEof)
}

pub fn write_message(to: &mut impl Write, (number, stream, body): &Message) -> io::Result<()> {
    let length = u32::try_from(HEADER + body.len()).map_err(io::Error::other)?;
    let head = [&length.to_be_bytes()[..], &[*number], &stream.to_be_bytes()].concat();
    to.write_all(&[&head, body.as_slice()].concat())?;
    to.flush()
}

/// Whoever answers: what is tested is what the callee does.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.3 and nothing else".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = default_provider().signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}
