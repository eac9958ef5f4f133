//! A host in the middle: passes a relay's answers on and keeps a copy, or says the same thing to everybody. It has an
//! authority of its own, and gives operators a certificate of that.

use rustls::{ServerConnection, StreamOwned};
use stack::Folder;
use stack::authority::Authority;
use stack::caller::{self, Caller, read_message, write_message};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use wire::frame::Kind;

/// A step that was sent to the relay, and the answer that came back.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub asked: Vec<u8>,
    pub answer: Vec<u8>,
}

/// Listens in a folder of its own until the test ends.
pub struct Recorder {
    folder: Folder,
    exchanges: Arc<Mutex<Vec<Exchange>>>,
}

impl Recorder {
    /// Before the relay in this folder.
    pub fn before(run: PathBuf) -> Recorder {
        Recorder::start(move |asked| ceremony(&run, asked))
    }

    /// With one answer for everybody.
    pub fn answering(answer: Vec<u8>) -> Recorder {
        Recorder::start(move |_| answer.clone())
    }

    fn start(answer: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) -> Recorder {
        let folder = Folder::new();
        let authority = Authority::new();
        authority.certify("operator", &folder.join("operator"));
        authority.certify("relay", &folder.join("relay"));
        let config = Arc::new(caller::server(&folder.join("relay")).unwrap());
        let listener = UnixListener::bind(folder.join("relay.sock")).unwrap();
        let exchanges = Arc::new(Mutex::new(Vec::new()));
        let recorder = Recorder { folder, exchanges: Arc::clone(&exchanges) };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let session = ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut stream = StreamOwned::new(session, stream.unwrap());
                while let Some((number, channel, asked)) = read_message(&mut stream) {
                    assert_eq!(number, Kind::Ceremony as u8);
                    let answer = answer(&asked);
                    exchanges.lock().unwrap().push(Exchange { asked, answer: answer.clone() });
                    write_message(&mut stream, &(Kind::CeremonyAnswer as u8, channel, answer)).unwrap();
                }
            }
        });
        recorder
    }

    /// The folder of its socket.
    pub fn run(&self) -> &Path {
        self.folder.path()
    }

    pub fn exchanges(&self) -> Vec<Exchange> {
        self.exchanges.lock().unwrap().clone()
    }
}

/// What the enclave answers to a step, by the relay in this folder.
pub fn ceremony(run: &Path, step: &[u8]) -> Vec<u8> {
    let answer = Caller::operator(run, "relay").ask(Kind::Ceremony as u8, step);
    let (number, _, body) = answer.expect("the relay answers an operator");
    assert_eq!(number, Kind::CeremonyAnswer as u8);
    body
}
