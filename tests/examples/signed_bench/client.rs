//! The client of both: as many threads as connections, each of which sends one request after the other.

use crate::cpu_time;
use crate::gateway::{Stream, shake_hands};
use rustix::net::{AddressFamily, SocketType};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Who is asked, and whose processor time counts.
pub struct Server {
    pub port: u16,
    pub pids: Vec<u32>,
}

pub struct Load {
    config: Arc<ClientConfig>,
    connections: usize,
}

/// What came of a round.
pub struct Driven {
    /// Of one request, microseconds, over all processes.
    pub cpu_us: u64,
    pub cpu_of_us: Vec<u64>,
    pub per_second: u64,
    /// Each request's own, microseconds.
    pub took_us: Vec<u64>,
}

impl Load {
    pub fn new(root: &Path, connections: usize) -> Load {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(root).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider);
        let config = config.with_protocol_versions(&[&rustls::version::TLS13]).unwrap();
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Load { config: Arc::new(config), connections }
    }

    /// Sends each list over a connection of its own. Opening them is not counted.
    pub fn drive(&self, server: &Server, lists: &[Vec<Vec<u8>>]) -> Driven {
        assert!(lists.len() <= self.connections);
        let streams: Vec<Stream> =
            (0..lists.len()).map(|number| shake_hands(&self.config, connect(server.port, number))).collect();
        let before: Vec<Duration> = server.pids.iter().map(|pid| cpu_time(*pid)).collect();
        let begun = Instant::now();
        let took_us: Vec<u64> = std::thread::scope(|scope| {
            let asked = streams.into_iter().zip(lists);
            let threads: Vec<_> =
                asked.map(|(stream, list)| scope.spawn(move || ask_all(stream, list))).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        let (took, count) = (begun.elapsed(), took_us.len() as u128);
        let spent = server.pids.iter().zip(before).map(|(pid, before)| cpu_time(*pid) - before);
        let cpu_of_us: Vec<u64> =
            spent.map(|spent| u64::try_from(spent.as_micros() / count).unwrap()).collect();
        let per_second = u64::try_from(count * 1_000_000 / took.as_micros()).unwrap();
        Driven { cpu_us: cpu_of_us.iter().sum(), cpu_of_us, per_second, took_us }
    }
}

fn ask_all(mut stream: Stream, list: &[Vec<u8>]) -> Vec<u64> {
    let mut buffer = vec![0; 16 << 10];
    list.iter()
        .map(|request| {
            let begun = Instant::now();
            stream.write_all(request).unwrap();
            let mut read = 0;
            while !is_whole(&buffer[..read]) {
                let more = stream.read(&mut buffer[read..]).unwrap();
                assert!(more > 0, "the server closed the connection");
                read += more;
            }
            u64::try_from(begun.elapsed().as_micros()).unwrap()
        })
        .collect()
}

/// Whether an answer is there, which has to be a success.
fn is_whole(read: &[u8]) -> bool {
    let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let head = std::str::from_utf8(&read[..end]).unwrap().to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 200"), "{}", String::from_utf8_lossy(read));
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")).unwrap();
    read.len() == end + 4 + length.trim().parse::<usize>().unwrap()
}

/// From an address of its own: each has a rate.
fn connect(port: u16, number: usize) -> TcpStream {
    let last = u8::try_from(number).unwrap() + 2;
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    rustix::net::bind(&socket, &SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, last), 0)).unwrap();
    rustix::net::connect(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)).unwrap();
    let socket = TcpStream::from(socket);
    socket.set_nodelay(true).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    socket
}
