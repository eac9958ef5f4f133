//! A gateway over TLS, without an enclave behind it: what it says of itself needs none.

use crate::authority::Authority;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustls::crypto::aws_lc_rs::kx_group;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use stack::{LONG, Process, tensfer};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

pub type Stream = StreamOwned<ClientConnection, TcpStream>;

pub struct Gateway {
    pub authority: Authority,
    pub process: Process,
    pub port: u16,
}

impl Gateway {
    pub fn start() -> Gateway {
        let authority = Authority::new();
        authority.issue();
        let process = Process::start(&mut Gateway::command(&authority));
        let url = process.line("ready ", LONG);
        let port = url.strip_prefix("https://localhost:").unwrap().parse().unwrap();
        Gateway { authority, process, port }
    }

    /// `tensfer gateway` over TLS, not yet started.
    pub fn command(authority: &Authority) -> Command {
        let mut command = Command::new(tensfer());
        command.arg("gateway").arg("--run").arg(authority.folder.path());
        command.arg("--certificates").arg(Gateway::shown(authority));
        command.args(["--listen", "127.0.0.1:0", "--host", "localhost", "--host", "127.0.0.1"]);
        command.arg("--tls-certificate").arg(authority.certificate());
        command.arg("--tls-key").arg(authority.key());
        command
    }

    /// What it shows to other processes, of which there are none here.
    fn shown(authority: &Authority) -> PathBuf {
        let folder = authority.folder.join("shown");
        if !folder.exists() {
            stack::authority::Authority::new().certify("gateway", &folder);
        }
        folder
    }

    /// `openssl s_client` with these words, and nothing typed; to `localhost` unless they say otherwise.
    pub fn openssl(&self, words: &str) -> Output {
        let mut command = Command::new("openssl");
        command.arg("s_client").args(["-connect", &format!("127.0.0.1:{}", self.port)]);
        if !words.contains("-servername") && !words.contains("-noservername") {
            command.args(["-servername", "localhost"]);
        }
        command.arg("-CAfile").arg(self.authority.root()).arg("-verify_return_error");
        command.args(words.split_whitespace()).stdin(Stdio::null()).output().unwrap()
    }

    /// `curl` with these words and the authority's root; the head of the answer, then its body.
    pub fn curl(&self, path: &str, words: &[&str]) -> Output {
        let mut command = Command::new("curl");
        command.args([
            "--silent",
            "--show-error",
            "--include",
            "--max-time",
            "60",
            "--noproxy",
            "*",
            "--cacert",
        ]);
        command.arg(self.authority.root()).args(words);
        command.arg(format!("https://localhost:{}{path}", self.port)).stdin(Stdio::null());
        command.output().expect("`scripts/deps test` installs curl")
    }

    /// A TLS connection of `rustls`, for what no other client can be told to do.
    pub fn connect(&self, protocol: &[u8]) -> Stream {
        shake_hands(&self.client(protocol), self.plain())
    }

    /// How a client speaks TLS to it.
    pub fn client(&self, protocol: &[u8]) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.authority.root()).unwrap()).unwrap();
        let mut provider = rustls::crypto::aws_lc_rs::default_provider();
        provider.kx_groups = vec![kx_group::X25519MLKEM768, kx_group::X25519];
        let config = ClientConfig::builder_with_provider(Arc::new(provider));
        let config = config.with_protocol_versions(&[&rustls::version::TLS13]).unwrap();
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![protocol.to_vec()];
        Arc::new(config)
    }

    /// A TCP connection with nothing said on it.
    pub fn plain(&self) -> TcpStream {
        let socket = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        socket.set_read_timeout(Some(LONG)).unwrap();
        socket.set_write_timeout(Some(LONG)).unwrap();
        socket.set_nodelay(true).unwrap();
        socket
    }

    /// Whether somebody new is served.
    pub fn serves(&self) -> bool {
        let answer = self.curl("/v1/exchanges", &[]);
        String::from_utf8_lossy(&answer.stdout).starts_with("HTTP/2 200")
    }
}

/// A TLS connection to `localhost` over this socket.
pub fn shake_hands(client: &Arc<ClientConfig>, mut socket: TcpStream) -> Stream {
    let name = ServerName::try_from("localhost").unwrap();
    let mut session = ClientConnection::new(Arc::clone(client), name).unwrap();
    while session.is_handshaking() {
        session.complete_io(&mut socket).unwrap();
    }
    StreamOwned::new(session, socket)
}

/// As many descriptors as the system lets us have.
pub fn raise_descriptors() {
    let most = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most }).unwrap();
}

pub fn text(output: &Output) -> String {
    [String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)].concat()
}
