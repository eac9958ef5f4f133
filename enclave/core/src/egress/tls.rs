//! TLS as bytes in and bytes out: rustls's unbuffered client, with buffers that this module owns and bounds.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::ServerName;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncryptError, InsufficientSizeError, UnbufferedStatus, WriteTraffic,
};

use super::fault::Fault;

/// What may wait for the rest of its record or handshake message. rustls 0.23 gives up at 64 KiB of one message,
/// so this is never reached; it keeps the bound ours whatever a later rustls allows.
const MAX_INCOMING: usize = 128 << 10;
/// Plaintext of one record (RFC 8446 section 5.1).
const RECORD: usize = 16 << 10;
/// What a record adds at most (RFC 8446 section 5.2: 5 + 256), with room for a key update before the data.
const RECORD_OVERHEAD: usize = 512;
/// Attempts to give rustls the output space it asks for: it asks once and then fits.
const MAX_GROWTH: usize = 2;
/// Alerts that rustls may still want to send after it failed.
const MAX_LAST_WORDS: usize = 4;

/// The TLS half of a connection.
pub(super) struct Tls {
    connection: UnbufferedClientConnection,
    /// Bytes of records and handshake messages that are not complete yet.
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
    established: bool,
    peer_closed: bool,
    /// rustls failed or we said goodbye: it is not called again.
    over: bool,
}

/// What to do once rustls can write application data.
enum Write<'a> {
    Nothing,
    Data(&'a [u8]),
    CloseNotify,
}

impl Tls {
    pub(super) fn open(config: Arc<ClientConfig>, name: ServerName<'static>) -> Result<Self, Fault> {
        let connection =
            UnbufferedClientConnection::new(config, name).map_err(|error| Fault::from_tls(&error, false))?;
        let (incoming, outgoing) = (Vec::new(), Vec::new());
        let mut tls =
            Self { connection, incoming, outgoing, established: false, peer_closed: false, over: false };
        tls.drive(Write::Nothing, &mut |_| {})?;
        Ok(tls)
    }

    /// The handshake is complete and the peer authenticated.
    pub(super) fn is_established(&self) -> bool {
        self.established
    }

    /// The peer's close_notify arrived.
    pub(super) fn is_peer_closed(&self) -> bool {
        self.peer_closed
    }

    /// Bytes for the host.
    pub(super) fn take_output(&mut self) -> Option<Vec<u8>> {
        if self.outgoing.is_empty() { None } else { Some(std::mem::take(&mut self.outgoing)) }
    }

    /// Takes bytes from the host and lends each decrypted piece to `sink`, in order, also those before a fault.
    pub(super) fn receive(&mut self, bytes: &[u8], sink: &mut dyn FnMut(&[u8])) -> Result<(), Fault> {
        // Piece by piece, so that what is held does not depend on how much the host hands over at once.
        for piece in bytes.chunks(RECORD) {
            if self.peer_closed {
                return Ok(());
            }
            self.incoming.extend_from_slice(piece);
            self.drive(Write::Nothing, sink)?;
            if self.incoming.len() > MAX_INCOMING {
                return Err(Fault::TlsProtocol);
            }
        }
        Ok(())
    }

    /// Encrypts a request. Only after the handshake.
    pub(super) fn write(&mut self, plaintext: &[u8]) -> Result<(), Fault> {
        self.drive(Write::Data(plaintext), &mut |_| {})
    }

    /// Says goodbye (close_notify), if the handshake got that far, and drops what has not been read.
    pub(super) fn close(&mut self) {
        if self.established {
            // A failure to say goodbye changes nothing: the stream ends either way.
            let _ = self.drive(Write::CloseNotify, &mut |_| {});
        }
        self.over = true;
        self.incoming = Vec::new();
    }

    #[cfg(test)]
    pub(super) fn held_bytes(&self) -> usize {
        self.incoming.capacity() + self.outgoing.capacity()
    }

    /// Lets rustls work until it needs more bytes.
    fn drive(&mut self, mut write: Write<'_>, sink: &mut dyn FnMut(&[u8])) -> Result<(), Fault> {
        if self.over {
            return Err(Fault::NotOpen);
        }
        let mut start = 0;
        let result = loop {
            match self.step(&mut start, &mut write, sink) {
                Ok(true) => {}
                Ok(false) => break Ok(()),
                Err(fault) => break Err(fault),
            }
        };
        self.discard(start);
        if result.is_err() {
            self.over = true;
            self.last_words();
        }
        result
    }

    /// One state of rustls's machine: whether there may be another without more input.
    fn step(
        &mut self,
        start: &mut usize,
        write: &mut Write<'_>,
        sink: &mut dyn FnMut(&[u8]),
    ) -> Result<bool, Fault> {
        let established = self.established;
        let incoming = self.incoming.get_mut(*start..).unwrap_or_default();
        let UnbufferedStatus { mut discard, state } = self.connection.process_tls_records(incoming);
        let fault = |error: rustls::Error| Fault::from_tls(&error, established);
        let more = match state {
            Err(error) => Err(fault(error)),
            Ok(ConnectionState::ReadTraffic(mut traffic)) => loop {
                match traffic.next_record() {
                    None => break Ok(true),
                    Some(Err(error)) => break Err(fault(error)),
                    Some(Ok(record)) => {
                        discard += record.discard;
                        sink(record.payload);
                    }
                }
            },
            Ok(ConnectionState::EncodeTlsData(mut data)) => {
                append(&mut self.outgoing, 0, |space| encoded(data.encode(space))).map(|()| true)
            }
            Ok(ConnectionState::TransmitTlsData(data)) => {
                data.done();
                Ok(true)
            }
            Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                self.established = true;
                match std::mem::replace(write, Write::Nothing) {
                    Write::Nothing => Ok(false),
                    data => write_traffic(&mut self.outgoing, &mut traffic, data).map(|()| true),
                }
            }
            Ok(ConnectionState::PeerClosed) => {
                self.peer_closed = true;
                Ok(true)
            }
            Ok(ConnectionState::BlockedHandshake | ConnectionState::Closed) => Ok(false),
            // Early data is a server's state; whatever a later rustls adds is not understood here.
            Ok(_) => Err(Fault::Internal),
        };
        *start += discard;
        more
    }

    /// After a failure: the alert that tells the peer, if rustls has one.
    ///
    /// INVARIANT: rustls is asked only while it has something to send. It would read on otherwise, and after a
    /// failure it answers that with a panic.
    fn last_words(&mut self) {
        for _ in 0..MAX_LAST_WORDS {
            if !self.connection.wants_write() {
                break;
            }
            let UnbufferedStatus { discard, state } = self.connection.process_tls_records(&mut self.incoming);
            let Ok(ConnectionState::EncodeTlsData(mut data)) = state else { break };
            let written = append(&mut self.outgoing, 0, |space| encoded(data.encode(space)));
            self.discard(discard);
            if written.is_err() {
                break;
            }
        }
        self.incoming = Vec::new();
    }

    /// Drops processed bytes; an empty buffer is given back, so that an idle connection holds none.
    fn discard(&mut self, processed: usize) {
        if processed >= self.incoming.len() {
            self.incoming = Vec::new();
        } else {
            self.incoming.drain(..processed);
        }
    }
}

fn write_traffic<D>(
    outgoing: &mut Vec<u8>,
    traffic: &mut WriteTraffic<'_, D>,
    write: Write<'_>,
) -> Result<(), Fault> {
    match write {
        Write::Nothing => Ok(()),
        Write::Data(plaintext) => {
            let records = plaintext.len() / RECORD + 1;
            let space = plaintext.len() + records * RECORD_OVERHEAD;
            append(outgoing, space, |space| encrypted(traffic.encrypt(plaintext, space)))
        }
        Write::CloseNotify => {
            append(outgoing, RECORD_OVERHEAD, |space| encrypted(traffic.queue_close_notify(space)))
        }
    }
}

/// Why rustls wrote nothing.
enum Unwritten {
    Needs(usize),
    Failed,
}

fn encoded(result: Result<usize, EncodeError>) -> Result<usize, Unwritten> {
    result.map_err(|error| match error {
        EncodeError::InsufficientSize(InsufficientSizeError { required_size }) => {
            Unwritten::Needs(required_size)
        }
        EncodeError::AlreadyEncoded => Unwritten::Failed,
    })
}

fn encrypted(result: Result<usize, EncryptError>) -> Result<usize, Unwritten> {
    result.map_err(|error| match error {
        EncryptError::InsufficientSize(InsufficientSizeError { required_size }) => {
            Unwritten::Needs(required_size)
        }
        EncryptError::EncryptExhausted => Unwritten::Failed,
    })
}

/// Appends what `fill` writes, growing the space to what it asks for.
fn append(
    outgoing: &mut Vec<u8>,
    first_space: usize,
    mut fill: impl FnMut(&mut [u8]) -> Result<usize, Unwritten>,
) -> Result<(), Fault> {
    let (end, mut space) = (outgoing.len(), first_space);
    for _ in 0..MAX_GROWTH {
        outgoing.resize(end + space, 0);
        match fill(outgoing.get_mut(end..).unwrap_or_default()) {
            Ok(written) => {
                outgoing.truncate(end + written);
                return Ok(());
            }
            Err(Unwritten::Needs(required)) => space = required,
            Err(Unwritten::Failed) => break,
        }
    }
    outgoing.truncate(end);
    Err(Fault::Internal)
}
