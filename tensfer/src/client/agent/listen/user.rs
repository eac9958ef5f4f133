//! Whose the other end of a loopback connection is, by the kernel's table of sockets (proc(5), `/proc/net/tcp`).
//!
//! Asked while our end is open: until then nobody else gets the same pair of ports.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddrV4;

/// IPv4 sockets, and IPv6 ones that speak IPv4, as those of Java and Go are.
const TABLES: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];
/// The state of a connection that neither end has closed.
const ESTABLISHED: &str = "01";

/// The user that opened the socket at `peer` which is connected to `here`; `None`: there is none any more.
pub fn of(peer: SocketAddrV4, here: SocketAddrV4) -> io::Result<Option<u32>> {
    for path in TABLES {
        let table = match File::open(path) {
            // A kernel without IPv6.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            table => BufReader::new(table?),
        };
        if let Some(user) = find(table, peer, here)? {
            return Ok(Some(user));
        }
    }
    Ok(None)
}

/// Columns: number, local address, remote address, state, queues, timer, retransmissions, user.
///
/// Of a socket that its process has closed the kernel says user 0, whoever had it: only one that is open counts.
fn find(table: impl BufRead, peer: SocketAddrV4, here: SocketAddrV4) -> io::Result<Option<u32>> {
    let (local, remote) = (written(peer), written(here));
    for line in table.lines().skip(1) {
        let line = line?;
        let columns: Vec<&str> = line.split_whitespace().collect();
        let is_it = |column: &str, ends: &[String; 2]| ends.iter().any(|end| end == column);
        if let [_, from, to, ESTABLISHED, _, _, _, user, ..] = columns[..]
            && is_it(from, &local)
            && is_it(to, &remote)
        {
            return Ok(user.parse().ok());
        }
    }
    Ok(None)
}

/// An address as the tables have it, of IPv4 and as IPv4 within IPv6: words of four bytes, in this machine's order.
fn written(address: SocketAddrV4) -> [String; 2] {
    let word = |bytes: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(bytes));
    let (host, port) = (word(address.ip().octets()), format!("{:04X}", address.port()));
    let zero = word([0; 4]);
    [format!("{host}:{port}"), format!("{zero}{zero}{}{host}:{port}", word([0, 0, 0xff, 0xff]))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{SocketAddr, TcpListener, TcpStream};

    const HEAD: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n";

    fn line(local: &str, remote: &str, user: u32) -> String {
        format!("   0: {local} {remote} 01 00000000:00000000 00:00000000 00000000 {user:>5} 0 1 1 0 20 4\n")
    }

    fn v4(text: &str) -> SocketAddrV4 {
        text.parse().unwrap()
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn a_callers_user_is_the_one_of_its_own_end_and_of_no_other_connection() {
        let (peer, here) = (v4("127.0.0.1:40000"), v4("127.0.0.1:8090"));
        let (ours, theirs) = ("0100007F:1F9A", "0100007F:9C40");
        let mapped = |end: &str| format!("0000000000000000FFFF0000{end}");
        for (table, user) in [
            (line(theirs, ours, 1000), Some(1000)),
            // Our own end, a listening socket, and callers from elsewhere.
            (line(ours, theirs, 1000), None),
            (line(ours, "00000000:0000", 1000), None),
            (line("0100007F:9C41", ours, 1000), None),
            (line("0200007F:9C40", ours, 1000), None),
            (line(theirs, "0100007F:1F9B", 1000), None),
            (line(ours, theirs, 0) + &line(theirs, ours, 65534), Some(65534)),
            (line(&mapped(theirs), &mapped(ours), 7), Some(7)),
            (line(theirs, ours, 0).replace(" 01 ", " 05 "), None),
            ("   0: broken\n".to_owned(), None),
        ] {
            let found = find((HEAD.to_owned() + &table).as_bytes(), peer, here).unwrap();
            assert_eq!(found, user, "{table}");
        }
    }

    #[test]
    fn the_kernel_says_that_our_own_connection_is_ours() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let _caller = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, peer) = listener.accept().unwrap();
        let (SocketAddr::V4(peer), SocketAddr::V4(here)) = (peer, accepted.local_addr().unwrap()) else {
            panic!("IPv4 on both ends")
        };
        assert_eq!(of(peer, here).unwrap(), Some(rustix::process::geteuid().as_raw()));
        assert_eq!(of(v4("127.0.0.1:1"), here).unwrap(), None);
    }
}
