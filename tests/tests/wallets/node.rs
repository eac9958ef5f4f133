//! Nodes as processes of their own, on free ports of this machine; they end with the test.

use serde_json::{Value, json};
use stack::{Process, http};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

/// A chain of the Ethereum Virtual Machine with the real Multicall3.
pub struct Anvil {
    _process: Process,
    pub port: u16,
}

const MULTICALL3: &str = include_str!("../../nodes/multicall3/deployment.hex");
const DEPLOYER: &str = "0x05f32b3cc3888453ff71b01135b34ff8e41263f2";

impl Anvil {
    pub fn start(chain_id: u64) -> Anvil {
        let port = free_port();
        let mut command = Command::new(folder().join("node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"));
        command.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
        command.args(["--chain-id", &chain_id.to_string()]);
        let process = Process::start(&mut command);
        process.line("Listening on ", Duration::from_secs(60));
        let anvil = Anvil { _process: process, port };
        anvil.call("anvil_setBalance", json!([DEPLOYER, "0xde0b6b3a7640000"]));
        let transaction: String = MULTICALL3.split_whitespace().collect();
        anvil.call("eth_sendRawTransaction", json!([transaction]));
        anvil
    }

    pub fn call(&self, method: &str, params: Value) -> Value {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let url = format!("http://localhost:{}/", self.port);
        let answer = http::request("POST", &url, &[("content-type", "application/json")], body.as_bytes());
        let answer: Value = serde_json::from_slice(&answer.body).unwrap();
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }
}

/// Where `tests/nodes/fetch` put the nodes.
fn folder() -> PathBuf {
    let folder = std::env::var_os("TENSFER_NODES").map(PathBuf::from);
    folder.unwrap_or_else(|| panic!("TENSFER_NODES is not set: run `make test-nodes`"))
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A way to a port that is cut once, when an answer to a request with these words comes back.
pub struct Cut {
    pub port: u16,
}

impl Cut {
    pub fn before(port: u16, words: &'static str) -> Cut {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let cut = Cut { port: listener.local_addr().unwrap().port() };
        let is_due = Arc::new(AtomicBool::new(true));
        std::thread::spawn(move || {
            for from in listener.incoming() {
                let to = TcpStream::connect(("127.0.0.1", port)).unwrap();
                carry(from.unwrap(), to, words, &is_due);
            }
        });
        cut
    }
}

/// Carries bytes both ways; the answer to the words is where it ends.
fn carry(from: TcpStream, to: TcpStream, words: &'static str, is_due: &Arc<AtomicBool>) {
    let said = Arc::new(AtomicBool::new(false));
    let (mut asks, mut asked) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    let heard = Arc::clone(&said);
    std::thread::spawn(move || {
        let mut bytes = [0; 16 << 10];
        while let Ok(count @ 1..) = asks.read(&mut bytes) {
            if String::from_utf8_lossy(&bytes[..count]).contains(words) {
                heard.store(true, Relaxed);
            }
            if asked.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        let _ = asked.shutdown(Shutdown::Both);
    });
    let (mut answers, mut answered, is_due) = (to, from, Arc::clone(is_due));
    std::thread::spawn(move || {
        let mut bytes = [0; 16 << 10];
        while let Ok(count @ 1..) = answers.read(&mut bytes) {
            if said.load(Relaxed) && is_due.swap(false, Relaxed) {
                break;
            }
            if answered.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        let _ = answered.shutdown(Shutdown::Both);
    });
}
