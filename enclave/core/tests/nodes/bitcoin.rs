//! A Bitcoin node on a chain of its own (regtest).

use crate::node::{Node, folder, free_port};
use crate::rpc::{Rpc, base64, hex, unbase64};
use enclave::wallet::bitcoin::{Account, Branch, Kind, Network, Psbt, Transaction, is_signed};
use enclave::wallet::key::Mnemonic;
use enclave::wallet::u256::U256;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

const PHRASE: &str = "legal winner thank year wave sausage worth useful legal winner thank yellow";

pub struct Bitcoin {
    _node: Node,
    port: u16,
}

impl Bitcoin {
    /// A node with a wallet `miner` that has mined.
    ///
    /// More than the 101 blocks after which it can pay: its wallet dates one transaction in ten back by up to a
    /// hundred blocks, and Bitcoin Knots relays none of lock time 21 (`parasite-cat21`).
    pub fn start() -> Bitcoin {
        let port = free_port();
        let root = folder().join("bitcoin");
        let libraries = root.join("usr/lib/x86_64-linux-gnu");
        let command = |data: &Path| {
            let mut command = Command::new(root.join("usr/lib64/ld-linux-x86-64.so.2"));
            command.arg("--library-path").arg(&libraries).arg(root.join("usr/bin/bitcoind"));
            command.arg(format!("-datadir={}", data.display())).arg(format!("-rpcport={port}"));
            command.args(["-regtest", "-listen=0", "-server", "-rpcbind=127.0.0.1", "-rpcallowip=127.0.0.1"]);
            command.args([
                "-rpcuser=test",
                "-rpcpassword=test",
                "-fallbackfee=0.0001",
                "-txindex=1",
                "-dnsseed=0",
                "-fixedseeds=0",
            ]);
            command
        };
        let rpc = rpc(port, "");
        let node = Node::start("bitcoind", command, || rpc.try_call("getblockcount", json!([])).is_ok());
        rpc.call("createwallet", json!({ "wallet_name": "miner" }));
        let bitcoin = Bitcoin { _node: node, port };
        bitcoin.mine(101 + 21);
        bitcoin
    }

    pub fn node(&self) -> Rpc {
        rpc(self.port, "")
    }

    pub fn wallet(&self, name: &str) -> Rpc {
        rpc(self.port, &format!("wallet/{name}"))
    }

    pub fn mine(&self, blocks: u32) {
        let to = self.wallet("miner").call("getnewaddress", json!([]));
        self.node().call("generatetoaddress", json!([blocks, to]));
    }

    /// A wallet of the node's that knows an account's descriptor and no key.
    fn watch(&self, account: &Account) -> Rpc {
        let name = format!("{:?}", account.kind());
        self.node().call(
            "createwallet",
            json!({ "wallet_name": name, "disable_private_keys": true, "blank": true }),
        );
        let wallet = self.wallet(&name);
        let request =
            json!([[{ "desc": account.descriptor(), "active": true, "timestamp": "now", "range": [0, 20] }]]);
        let imported = wallet.call("importdescriptors", request);
        assert_eq!(imported[0]["success"], true, "{imported}");
        wallet
    }
}

fn rpc(port: u16, path: &str) -> Rpc {
    Rpc { port, path: format!("/{path}"), credentials: base64(b"test:test") }
}

fn account(kind: Kind) -> Account {
    let seed = Mnemonic::parse(PHRASE).unwrap().seed("").unwrap();
    Account::derive(&seed, kind, Network::Regtest, 0).unwrap()
}

pub fn satoshis(amount: &Value) -> u64 {
    // The node writes eight digits behind the point.
    let text = amount.to_string();
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    format!("{whole}{part:0<8}").parse().unwrap()
}

#[test]
fn bitcoin_derives_the_same_addresses_from_our_descriptors() {
    let bitcoin = Bitcoin::start();
    for kind in [Kind::Segwit, Kind::Taproot] {
        let account = account(kind);
        let [receive, change] = [0, 1].map(|at| {
            bitcoin.node().call("deriveaddresses", json!([account.descriptor(), [0, 5]]))[at].clone()
        });
        for index in 0..=5 {
            let ours = |branch| Value::from(account.address(branch, index).unwrap().to_string());
            assert_eq!(receive[index as usize], ours(Branch::Receive));
            assert_eq!(change[index as usize], ours(Branch::Change));
        }
    }
}

/// The node's watching wallet builds the transaction; only its bytes come to us; the node takes what we sign.
#[test]
fn bitcoin_takes_transfers_that_we_sign_and_moves_exactly_what_was_shown() {
    let bitcoin = Bitcoin::start();
    for kind in [Kind::Segwit, Kind::Taproot] {
        let account = account(kind);
        let wallet = bitcoin.watch(&account);
        for (index, amount) in [(0, 0.3), (1, 0.2)] {
            let to = account.address(Branch::Receive, index).unwrap().to_string();
            bitcoin.wallet("miner").call("sendtoaddress", json!([to, amount]));
        }
        bitcoin.mine(1);
        let to = bitcoin.wallet("miner").call("getnewaddress", json!(["", "bech32m"]));
        let (psbt, fee) = build(&wallet, &to, "0.45");
        let shown = psbt.summary(&account).unwrap();
        assert_eq!((shown.to.as_str(), shown.amount), (to.as_str().unwrap(), U256::from(45_000_000_u64)));
        assert_eq!(shown.max_fee, U256::from(fee));
        let signed = psbt.sign(&account, &shown, &[7; 32]).unwrap();
        assert_eq!(signed.inputs.len(), 2, "both coins are needed");
        refuses_every_altered_witness(&bitcoin, &signed);
        let txid = bitcoin.node().call("sendrawtransaction", json!([hex(&signed.encode())]));
        let ours: Vec<u8> = signed.txid().into_iter().rev().collect();
        assert_eq!(txid.as_str().unwrap(), hex(&ours));
        bitcoin.mine(1);
        let received = bitcoin.wallet("miner").call("getreceivedbyaddress", json!([to, 1]));
        assert_eq!(satoshis(&received), 45_000_000);
        let left = satoshis(&wallet.call("getbalances", json!([]))["mine"]["trusted"]);
        assert_eq!(left, 50_000_000 - 45_000_000 - fee);
        let known = bitcoin.node().call("decoderawtransaction", json!([hex(&signed.encode())]));
        assert_eq!(known["weight"].as_u64().unwrap(), signed.weight() as u64);
    }
}

#[test]
fn what_bitcoin_signs_to_prove_an_address_of_any_kind_is_proven_to_us() {
    let bitcoin = Bitcoin::start();
    let miner = bitcoin.wallet("miner");
    let addresses: Vec<Value> = ["legacy", "p2sh-segwit", "bech32", "bech32m"]
        .into_iter()
        .map(|kind| miner.call("getnewaddress", json!(["", kind])))
        .collect();
    let text = "It is mine.\n\nAll of it.";
    for address in &addresses {
        let signature = miner.call("signmessage", json!([address, text]));
        let signature = unbase64(signature.as_str().unwrap());
        for other in &addresses {
            let named = other.as_str().unwrap().parse().unwrap();
            assert_eq!(is_signed(&named, text.as_bytes(), &signature), address == other, "{address} {other}");
        }
        let address = address.as_str().unwrap().parse().unwrap();
        assert!(!is_signed(&address, b"It is yours.", &signature));
        for at in 0..signature.len() {
            let mut altered = signature.clone();
            altered[at] ^= 0x40;
            assert!(!is_signed(&address, text.as_bytes(), &altered), "byte {at}");
        }
    }
}

fn build(wallet: &Rpc, to: &Value, amount: &str) -> (Psbt, u64) {
    let outputs = json!([{ to.as_str().unwrap(): amount }]);
    let built = wallet.call("walletcreatefundedpsbt", json!([[], outputs, 0, { "fee_rate": 7 }, true]));
    let psbt = Psbt::decode(&unbase64(built["psbt"].as_str().unwrap())).unwrap();
    (psbt, satoshis(&built["fee"]))
}

fn refuses_every_altered_witness(bitcoin: &Bitcoin, signed: &Transaction) {
    for input in 0..signed.inputs.len() {
        for item in 0..signed.inputs[input].witness.len() {
            let mut altered = signed.clone();
            altered.inputs[input].witness[item][12] ^= 1;
            let verdict = bitcoin.node().call("testmempoolaccept", json!([[hex(&altered.encode())]]));
            assert_eq!(verdict[0]["allowed"], false);
        }
    }
    let mut altered = signed.clone();
    altered.outputs[0].value -= 1;
    let verdict = bitcoin.node().call("testmempoolaccept", json!([[hex(&altered.encode())]]));
    assert_eq!(verdict[0]["allowed"], false);
    let verdict = bitcoin.node().call("testmempoolaccept", json!([[hex(&signed.encode())]]));
    assert_eq!(verdict[0]["allowed"], true, "{verdict}");
}
