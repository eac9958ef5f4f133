//! A role's connection to another's socket (docs/spec/host.md §3), as a test makes it: it claims what role it likes.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// The number of the role that operators' commands have.
pub const OPERATOR: u8 = 1;
const VERSION: u8 = 1;
const HEADER: usize = 5;
/// An emulated machine takes its time.
const PATIENCE: Duration = Duration::from_secs(120);

/// A frame: number, stream and body.
pub type Message = (u8, u32, Vec<u8>);

#[derive(Debug)]
pub struct Caller(UnixStream);

impl Caller {
    /// To `NAME.sock` in the folder `run`, as this role.
    pub fn connect(run: &Path, name: &str, role: u8) -> Caller {
        let mut stream = UnixStream::connect(run.join(format!("{name}.sock"))).expect("somebody listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket has a timeout");
        stream.write_all(&[VERSION, role]).expect("the callee reads");
        Caller(stream)
    }

    /// Asks, and waits for one answer; `None`: the callee closed the connection.
    pub fn ask(&mut self, number: u8, body: &[u8]) -> Option<Message> {
        // One that hangs up is found by reading.
        let _ = write_message(&mut self.0, &(number, 1, body.to_vec()));
        read_message(&mut self.0)
    }
}

/// The next message of a connection; `None` at its end.
pub fn read_message(stream: &mut UnixStream) -> Option<Message> {
    let mut length = [0; 4];
    match stream.read_exact(&mut length) {
        Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => {
            return None;
        }
        read => read.expect("an answer in time"),
    }
    let mut bytes = vec![0; usize::try_from(u32::from_be_bytes(length)).expect("a length")];
    stream.read_exact(&mut bytes).expect("a whole message");
    let body = bytes.split_off(HEADER);
    let stream = u32::from_be_bytes(bytes[1..].try_into().expect("a header"));
    Some((bytes[0], stream, body))
}

pub fn write_message(to: &mut UnixStream, (number, stream, body): &Message) -> io::Result<()> {
    let length = u32::try_from(HEADER + body.len()).map_err(io::Error::other)?;
    let head = [&length.to_be_bytes()[..], &[*number], &stream.to_be_bytes()].concat();
    to.write_all(&[&head, body.as_slice()].concat())
}
