//! Nodes as processes of their own, on free ports of this machine; they end with the test.

use serde_json::{Value, json};
use stack::{Process, http};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
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
