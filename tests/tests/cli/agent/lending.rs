//! What stands behind the address of the server, and changes while an agent runs.

use super::Agent;
use crate::person::{Person, account};
use stack::{Folder, LONG, Stack, is_alive};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// An address behind which another server can be put.
struct Address {
    url: String,
    upstream: Arc<AtomicU16>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Address {
    fn of(stack: &Stack) -> Address {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (upstream, open) = (Arc::new(AtomicU16::new(stack.port())), Arc::<Mutex<Vec<_>>>::default());
        let (to, kept) = (Arc::clone(&upstream), Arc::clone(&open));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let Ok(upstream) = TcpStream::connect(("127.0.0.1", to.load(Ordering::SeqCst))) else {
                    continue;
                };
                kept.lock().unwrap().push(stream.try_clone().unwrap());
                pipe(&stream, &upstream);
                pipe(&upstream, &stream);
            }
        });
        Address { url, upstream, open }
    }

    /// From now on, for those who are connected too.
    fn lead_to(&self, stack: &Stack) {
        self.upstream.store(stack.port(), Ordering::SeqCst);
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn pipe(from: &TcpStream, to: &TcpStream) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
}

#[test]
fn an_agent_goes_on_with_an_enclave_that_was_started_anew_once_it_has_verified_it() {
    let folder = Folder::new();
    let stack = Stack::start_in(&folder.join("data"));
    let address = Address::of(&stack);
    let root = stack.simulation_root();
    let mut person = Person::new(&stack);
    person.link(&account("kraken", "reader"), "kraken");
    person.url = address.url.clone();
    // The address is another one to the client, and the account was linked at the first.
    let agent = Agent::start(&person, &[]);
    let before = agent.get("/v1/enclave")["boot"].clone();
    assert_eq!(agent.get("/v1/balances")["coverage"]["complete"], true);
    stack.stop();
    let again = Stack::start_in(&folder.join("data"));
    assert_eq!(again.simulation_root(), root);
    address.lead_to(&again);
    assert_eq!(agent.get("/v1/balances")["coverage"]["complete"], true, "{}", agent.process.log());
    let after = agent.get("/v1/enclave")["boot"].clone();
    assert_ne!(before, after);
    assert_eq!(agent.get("/v1/connections/kraken")["generation"], 1);
    let log = agent.stop();
    assert!(log.contains(after.as_str().unwrap()), "{log}");
}

#[test]
fn an_agent_uses_no_other_enclave_that_takes_the_place_of_the_verified_one_and_says_so() {
    let (stack, other) = (Stack::start(), Stack::start());
    let address = Address::of(&stack);
    let mut person = Person::new(&stack);
    person.link(&account("kraken", "reader"), "kraken");
    person.url = address.url.clone();
    let agent = Agent::start(&person, &[]);
    agent.get("/v1/connections/kraken");
    address.lead_to(&other);
    let refused = (502, "simulated_not_allowed".to_owned());
    assert_eq!(agent.refused("GET", "/v1/connections/kraken", None), refused);
    assert_eq!(agent.refused("GET", "/v1/health", None), refused);
    assert_eq!(agent.refused("GET", "/v1/enclave", None), refused);
    // Back where it was, it goes on.
    address.lead_to(&stack);
    agent.get("/v1/connections/kraken");
    assert_eq!(agent.get("/v1/health")["status"], "ok");
    let log = agent.stop();
    assert!(log.contains("(simulated_not_allowed)"), "{log}");

    // Nothing is served before an enclave is verified.
    let unverified = person.bare(&["agent"]).output().unwrap();
    assert_eq!(unverified.status.code(), Some(1));
    assert!(unverified.stdout.is_empty());
}

#[test]
fn an_agent_leaves_no_socket_and_one_that_a_killed_agent_left_is_in_nobodys_way() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    let agent = Agent::start(&person, &[]);
    let (socket, pid) = (agent.socket(), agent.process.pid());
    assert!(socket.exists());
    agent.stop();
    assert!(!socket.exists() && !is_alive(pid));
    // One that was killed leaves its socket, which is in nobody's way.
    let agent = Agent::start(&person, &[]);
    agent.process.signal(rustix::process::Signal::KILL);
    let deadline = Instant::now() + LONG;
    while is_alive(agent.process.pid()) {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(socket.exists());
    drop(agent);
    assert_eq!(Agent::start(&person, &[]).get("/v1/health")["status"], "ok");
}
