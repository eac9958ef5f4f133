//! Paying from a wallet whose key is in the envelope: who may, what leaves, and what is told when a reply does not come.

use crate::freshness::until_commit;
use crate::support::{Authority, Draft, Exchange, Machine, NOW, Owner, envelope_at, roots, sandbox};
use enclave::wallet::evm::{Address, Signed};
use enclave::wallet::u256::U256;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::rc::Rc;
use wire::action::{Inquiry, Instruction, Kind, Outcome, Reference, Status, Terms};
use wire::frame::Kind as Frame;
use wire::operation::Op;
use wire::{Canonical, Refusal};

/// The nodes of Ethereum's file, where a sandbox dials them.
const HOSTS: [&str; 3] =
    ["ethereum-rpc.publicnode.com.sandbox.test", "eth.drpc.org.sandbox.test", "1rpc.io.sandbox.test"];
const CREDENTIAL: &[u8] = br#"{"phrase":"test test test test test test test test test test test junk"}"#;
/// The phrase's first account.
const WALLET: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const TO: &str = "0x4242424242424242424242424242424242424242";

/// What the nodes have seen, and how the next transaction fares.
#[derive(Default)]
struct Chain {
    sent: Vec<Vec<u8>>,
    /// Nodes take what is sent, and no answer of theirs arrives.
    loses_replies: bool,
}

impl Chain {
    fn answer(&mut self, body: &str) -> Option<String> {
        let asked: Value = serde_json::from_str(body).unwrap();
        let result = match asked["method"].as_str().unwrap() {
            "eth_chainId" => json!("0x1"),
            "eth_getBlockByNumber" => {
                json!({ "number": "0x100", "timestamp": format!("0x{:x}", NOW.0 / 1000) })
            }
            "eth_getTransactionCount" => json!("0x5"),
            "eth_feeHistory" => {
                json!({ "baseFeePerGas": ["0x3b9aca00", "0x3b9aca00"], "reward": [["0x77359400"]] })
            }
            "eth_getBalance" => json!("0x8ac7230489e80000"),
            "eth_estimateGas" => json!("0x5208"),
            "eth_getTransactionReceipt" => Value::Null,
            "eth_getTransactionByHash" if self.sent.is_empty() => Value::Null,
            "eth_getTransactionByHash" => json!({ "blockNumber": null }),
            "eth_sendRawTransaction" => {
                self.sent.push(unhex(asked["params"][0].as_str().unwrap()));
                json!(format!("0x{}", "ab".repeat(32)))
            }
            other => panic!("a node has no {other}"),
        };
        let is_lost = self.loses_replies && !self.sent.is_empty();
        let answer = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": result });
        (!is_lost).then(|| answer.to_string())
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.strip_prefix("0x").unwrap();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

struct World {
    machine: Machine,
    exchange: Exchange,
    owner: Owner,
    chain: Rc<RefCell<Chain>>,
}

impl World {
    fn new() -> World {
        let authority = Authority::sandbox();
        let mut owner = Owner::eddsa();
        owner.credential = CREDENTIAL.to_vec();
        owner.envelope = envelope_at("ethereum", &owner, &roots(1));
        let chain = Rc::new(RefCell::new(Chain::default()));
        let mut exchange = Exchange::with(&authority.issue(&HOSTS));
        let node = Rc::clone(&chain);
        exchange.node = Some(Box::new(move |body| node.borrow_mut().answer(body)));
        World { machine: sandbox(1, &authority), exchange, owner, chain }
    }

    fn draft(&self, op: Op, args: Vec<u8>) -> Draft {
        let mut draft = self.owner.draft(&self.machine, op);
        draft.args = args;
        draft
    }

    fn ask(&mut self, op: Op, args: Vec<u8>) -> Result<Vec<u8>, Refusal> {
        self.machine.claim(NOW.plus(self.machine.monotonic));
        let draft = self.draft(op, args).now(&self.machine);
        self.owner.ask_over(&mut self.machine, &mut self.exchange, &draft)
    }

    fn preview(&mut self, instruction: &Instruction) -> Terms {
        Terms::from_bytes(&self.ask(Op::Preview, instruction.to_bytes()).unwrap()).unwrap()
    }

    fn act(&mut self, signed: &Instruction) -> Outcome {
        Outcome::from_bytes(&self.ask(Op::Act, signed.to_bytes()).unwrap()).unwrap()
    }

    fn status(&mut self, signed: &Instruction) -> Outcome {
        let inquiry = Inquiry { instruction: signed.clone(), id: None, sent: NOW };
        Outcome::from_bytes(&self.ask(Op::Status, inquiry.to_bytes()).unwrap()).unwrap()
    }

    /// An instruction with the terms that it is given.
    fn signed(&mut self) -> (Terms, Instruction) {
        let terms = self.preview(&instruction());
        let signed = Instruction {
            quote: terms.quote.clone(),
            max_fee: terms.fee.clone(),
            max_fee_asset: terms.fee_asset.clone(),
            ..instruction()
        };
        (terms, signed)
    }
}

fn instruction() -> Instruction {
    let amount = "1.5".parse().unwrap();
    Instruction {
        address: Some(TO.into()),
        ..Instruction::new(Kind::Withdraw, Reference([7; 16]), "ETH", amount)
    }
}

#[test]
fn a_payment_takes_both_factors_and_leaves_as_it_was_signed() {
    let mut world = World::new();
    let (terms, signed) = world.signed();
    assert_eq!((terms.received.as_deref(), terms.repeat_refused), (Some("1.5"), true));
    assert_eq!(terms.fee.as_deref(), Some("0.000084"), "21,000 units at 4 gwei");
    assert_eq!(terms.debited.as_deref(), Some("1.500084"));
    let draft = world.draft(Op::Act, signed.to_bytes());
    let by_device = world.owner.ask_draft(&mut world.machine, &draft);
    assert_eq!(by_device, Err(Refusal::SecondFactorNeeded));
    assert!(world.chain.borrow().sent.is_empty());

    let outcome = world.act(&signed);
    assert_eq!((outcome.status, outcome.reference), (Status::Pending, signed.reference));
    let sent = world.chain.borrow().sent.clone();
    assert_eq!(sent.len(), 1);
    let transaction = Signed::decode(&sent[0]).unwrap();
    assert_eq!(transaction.sender(), Some(WALLET.parse().unwrap()));
    let shown = transaction.transaction.summary().unwrap();
    assert_eq!((shown.to.as_str(), shown.amount), (TO, U256::from(1_500_000_000_000_000_000_u64)));
    assert_eq!(transaction.transaction.to, TO.parse::<Address>().unwrap());
    let txid: String = transaction.hash().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(outcome.txid, Some(format!("0x{txid}")), "computed here, not the node's");
    assert_eq!(world.status(&signed).txid, outcome.txid);
}

#[test]
fn m38_a_payment_whose_reply_is_lost_is_unknown_and_its_repeat_is_the_same_transaction() {
    let mut world = World::new();
    let (_, signed) = world.signed();
    world.chain.borrow_mut().loses_replies = true;
    let outcome = world.act(&signed);
    assert_eq!(outcome.status, Status::Unknown, "it has left: nothing is refused");
    assert!(outcome.txid.is_some() && outcome.fault.is_some());
    world.chain.borrow_mut().loses_replies = false;
    assert_eq!(world.status(&signed).status, Status::Pending);
    let again = world.act(&signed);
    assert_eq!((again.status, &again.txid), (Status::Pending, &outcome.txid));
    let sent = world.chain.borrow().sent.clone();
    assert!(sent.len() > 1 && sent.iter().all(|bytes| *bytes == sent[0]));
    // Other terms are another instruction, under a reference of its own.
    let more = Instruction { max_fee: Some("0.1".into()), ..signed };
    assert_eq!(world.ask(Op::Act, more.to_bytes()), Err(Refusal::ReferenceUsed));
}

#[test]
fn m38_a_repeat_that_is_not_carried_out_is_unknown_and_never_refused_for_the_first_may_have_been_sent() {
    let mut world = World::new();
    let (_, signed) = world.signed();
    assert_eq!(world.act(&signed).status, Status::Pending, "its reply is lost");
    world.chain.borrow_mut().loses_replies = true;
    let outcome = world.act(&signed);
    assert_eq!((outcome.status, outcome.fault.as_deref()), (Status::Unknown, Some("provider_unreachable")));
    // What was never sent is refused, however often: nothing was moved.
    let unsent = Instruction { reference: Reference([8; 16]), ..signed.clone() };
    for _ in 0..2 {
        assert_eq!(world.ask(Op::Act, unsent.to_bytes()), Err(Refusal::ProviderUnreachable));
    }
    assert_eq!(world.chain.borrow().sent.len(), 1);
}

#[test]
fn nothing_leaves_for_terms_that_were_not_signed_or_a_fee_above_them() {
    let mut world = World::new();
    let (terms, signed) = world.signed();
    let none = Instruction { quote: None, ..signed.clone() };
    let dear = Instruction { max_fee: Some("0.000083".into()), ..signed.clone() };
    let other = Instruction { amount: "1.4".into(), ..signed.clone() };
    let unbounded = Instruction { max_fee: None, max_fee_asset: None, ..signed };
    for (instruction, refusal) in [
        (none, Refusal::QuoteExpired),
        (dear, Refusal::FeeAboveMaximum),
        (other, Refusal::Malformed),
        (unbounded, Refusal::TermsUnstated),
    ] {
        assert_eq!(world.ask(Op::Act, instruction.to_bytes()), Err(refusal));
    }
    let too_much = Instruction { amount: "10".into(), ..instruction() };
    assert_eq!(world.ask(Op::Preview, too_much.to_bytes()), Err(Refusal::FundsMissing));
    assert!(terms.maximum.as_deref() == Some("10") && world.chain.borrow().sent.is_empty());
}

#[test]
fn a_wallet_that_is_watched_pays_nothing() {
    let mut world = World::new();
    world.owner.credential = format!(r#"{{"watch":"{WALLET}"}}"#).into_bytes();
    world.owner.envelope = envelope_at("ethereum", &world.owner, &roots(1));
    for op in [Op::Preview, Op::Act] {
        assert_eq!(world.ask(op, instruction().to_bytes()), Err(Refusal::PermissionMissing));
    }
}

#[test]
fn m38_nothing_leaves_a_wallet_before_a_head_is_committed() {
    let mut world = World::new();
    let (_, signed) = world.signed();
    let draft = world.draft(Op::Act, signed.to_bytes());
    let sealed = draft.seal(&[&world.owner.device, &world.owner.second]);
    world.machine.keeper.is_silent = true;
    let stream = world.machine.begin(&sealed.bytes);
    let commit = until_commit(&mut world.machine);
    world.machine.keeper.store(&commit);
    world.machine.pass(10_000);
    // The nodes' connections are open still, from the preview.
    for kind in [Frame::EgressOpen, Frame::EgressSend] {
        assert_eq!(world.machine.take(kind), [], "{kind:?}");
    }
    let answer = world.machine.answer(stream);
    assert_eq!(sealed.open(answer, &world.machine).result, Err(Refusal::NoQuorum));
    world.machine.keeper.is_silent = false;
    world.machine.pass(10_000);
    assert_eq!(world.act(&signed).status, Status::Pending, "it was not begun, and is now");
    assert_eq!(world.chain.borrow().sent.len(), 1);
}
