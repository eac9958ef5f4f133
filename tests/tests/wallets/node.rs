//! Nodes as processes of their own, on free ports of this machine; they end with the test.

use serde_json::{Value, json};
use stack::{Folder, Process, http, run};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

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

/// A node of Bitcoin's main network that knows nobody, for the wallet in it.
pub struct Bitcoind {
    process: Option<Process>,
    _folder: Folder,
    port: u16,
}

impl Bitcoind {
    pub fn start() -> Bitcoind {
        let (data, port, root) = (Folder::new(), free_port(), folder().join("bitcoin"));
        let mut command = Command::new(root.join("usr/lib64/ld-linux-x86-64.so.2"));
        command.arg("--library-path").arg(root.join("usr/lib/x86_64-linux-gnu"));
        command.arg(root.join("usr/bin/bitcoind"));
        command.arg(format!("-datadir={}", data.path().display())).arg(format!("-rpcport={port}"));
        command.args(["-connect=0", "-listen=0", "-server", "-rpcbind=127.0.0.1", "-rpcallowip=127.0.0.1"]);
        command.args(["-rpcuser=test", "-rpcpassword=test", "-dnsseed=0", "-fixedseeds=0"]);
        let process = Some(Process::start(&mut command));
        let node = Bitcoind { process, _folder: data, port };
        let start = Instant::now();
        while node.answer("getblockcount", json!([])).is_none() {
            assert!(start.elapsed() < Duration::from_secs(60), "{}", node.process.as_ref().unwrap().log());
            std::thread::sleep(Duration::from_millis(50));
        }
        node.call("createwallet", json!({ "wallet_name": "one" }));
        node
    }

    pub fn call(&self, method: &str, params: Value) -> Value {
        let answer = self.answer(method, params).unwrap();
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].clone()
    }

    fn answer(&self, method: &str, params: Value) -> Option<Value> {
        TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        let body = json!({ "jsonrpc": "1.0", "id": 1, "method": method, "params": params }).to_string();
        // `test:test`.
        let headers = [("content-type", "application/json"), ("authorization", "Basic dGVzdDp0ZXN0")];
        let url = format!("http://localhost:{}/", self.port);
        let answer = http::request("POST", &url, &headers, body.as_bytes());
        serde_json::from_slice(&answer.body).ok().filter(|answer: &Value| answer["error"]["code"] != -28)
    }
}

impl Drop for Bitcoind {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            process.stop(Duration::from_secs(60));
        }
    }
}

/// What `tests/nodes/sign.mjs` says for a key: its `address`, or how it does `sign` a text.
pub fn solana(seed: &str, what: &str, text: &str) -> String {
    let mut command = Command::new("node");
    let output = run(command.arg(folder().join("sign.mjs")).args([seed, what]), text.as_bytes());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
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
