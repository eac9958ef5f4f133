//! Moving money at an exchange through the whole enclave: who may, how often something leaves, and what is told when a reply
//! does not come (m38).

use crate::freshness::withhold_what_is_committed;
use crate::support::{Answer, Authority, Draft, Exchange, Machine, NOW, Owner, envelope_at, roots, sandbox};
use serde_json::json;
use std::cell::RefCell;
use std::rc::Rc;
use wire::action::{Inquiry, Instruction, Kind, Outcome, Reference, Status, Terms};
use wire::operation::Op;
use wire::{Canonical, Refusal};

const CREDENTIAL: &[u8] = br#"{"apiKey":"K1","secret":"S3CRET-S3CRET"}"#;
const ADDRESS: &str = "0x52908400098527886E0F7030069857D2E4169EE7";

/// What an exchange has carried out, and how it fares.
#[derive(Default)]
struct Books {
    /// Bodies of requests that moved something.
    moved: Vec<String>,
    /// What is asked to move is moved, and the connection is cut.
    loses_replies: bool,
    /// What is asked to move is refused with this body.
    refuses: Option<&'static str>,
    /// The HTTP date of every answer.
    date: Option<&'static str>,
}

impl Books {
    fn answer(&mut self, request: &str) -> Option<String> {
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let path = head.split(' ').nth(1).unwrap().split('?').next().unwrap();
        let content = match path {
            "/sapi/v1/capital/config/getall" => json!([{"coin": "USDT", "networkList": [
                {"network": "ETH", "withdrawFee": "3", "withdrawMin": "10", "withdrawEnable": true}]}]),
            "/v5/asset/coin/query-info" => {
                json!({"retCode": 0, "result": {"rows": [{"coin": "USDT", "chains": [
                {"chain": "ETH", "withdrawFee": "3", "withdrawMin": "10", "minAccuracy": "6", "chainWithdraw": "1"}]}]}})
            }
            "/sapi/v1/capital/withdraw/history" => {
                let row = json!({"id": "W1", "withdrawOrderId": reference().hex(), "coin": "USDT", "amount": "22",
                                 "transactionFee": "3", "status": 6});
                json!(if self.moved.is_empty() { vec![] } else { vec![row] })
            }
            "/sapi/v1/capital/withdraw/apply" | "/v5/asset/withdraw/create" => match self.refuses {
                Some(refusal) => serde_json::from_str(refusal).unwrap(),
                None => {
                    self.moved.push(body.to_owned());
                    json!({"id": "W1", "retCode": 0, "result": {"id": "W1"}})
                }
            },
            other => panic!("nobody asks {other}"),
        };
        let moves = path.ends_with("/apply") || path.ends_with("/create");
        let date = self.date.map(|date| format!("date: {date}\r\n")).unwrap_or_default();
        let (content, is_lost) = (content.to_string(), moves && self.loses_replies);
        let status = if moves && self.refuses.is_some() { "400 Bad Request" } else { "200 OK" };
        let length = content.len();
        (!is_lost).then(|| {
            format!("HTTP/1.1 {status}\r\n{date}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{content}")
        })
    }
}

struct World {
    machine: Machine,
    authority: Authority,
    exchange: Exchange,
    owner: Owner,
    books: Rc<RefCell<Books>>,
}

impl World {
    fn new(id: &str) -> World {
        let authority = Authority::sandbox();
        let mut owner = Owner::eddsa();
        owner.credential = CREDENTIAL.to_vec();
        owner.envelope = envelope_at(id, &owner, &roots(1));
        let mut exchange = Exchange::with(&authority.issue(&[&format!("api.{id}.com.sandbox.test")]));
        let books = Rc::new(RefCell::new(Books::default()));
        let kept = Rc::clone(&books);
        exchange.api = Some(Box::new(move |request| kept.borrow_mut().answer(request)));
        World { machine: sandbox(1, &authority), authority, exchange, owner, books }
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

    fn act(&mut self, instruction: &Instruction) -> Result<Outcome, Refusal> {
        self.ask(Op::Act, instruction.to_bytes()).map(|bytes| Outcome::from_bytes(&bytes).unwrap())
    }

    fn status(&mut self, instruction: &Instruction) -> Outcome {
        let inquiry = Inquiry { instruction: instruction.clone(), id: None, sent: NOW };
        Outcome::from_bytes(&self.ask(Op::Status, inquiry.to_bytes()).unwrap()).unwrap()
    }

    fn moved(&self) -> usize {
        self.books.borrow().moved.len()
    }
}

fn reference() -> Reference {
    Reference([0xA5; 16])
}

fn instruction() -> Instruction {
    Instruction {
        chain: Some("eip155:1".into()),
        address: Some(ADDRESS.into()),
        fee_included: true,
        max_fee: Some("3".into()),
        ..Instruction::new(Kind::Withdraw, reference(), "USDT", "25".parse().unwrap())
    }
}

#[test]
fn a_withdrawal_takes_both_factors_and_is_sent_once_as_it_was_signed() {
    let mut world = World::new("binance");
    let terms = Terms::from_bytes(&world.ask(Op::Preview, instruction().to_bytes()).unwrap()).unwrap();
    assert_eq!((terms.fee.as_deref(), terms.received.as_deref()), (Some("3"), Some("22")));
    let draft = world.draft(Op::Act, instruction().to_bytes());
    assert_eq!(world.owner.ask_draft(&mut world.machine, &draft), Err(Refusal::SecondFactorNeeded));
    assert_eq!(world.moved(), 0);
    let outcome = world.act(&instruction()).unwrap();
    assert_eq!((outcome.status, outcome.id.as_deref()), (Status::Pending, Some("W1")));
    let body = world.books.borrow().moved[0].clone();
    for pair in ["coin=USDT", "network=ETH", "amount=25", &format!("withdrawOrderId={}", reference().hex())] {
        assert!(body.split('&').any(|said| said == pair), "{body}");
    }
    // The same sealed bytes, the same instruction sealed anew, and another one under its reference.
    let other = Instruction { amount: "26".into(), ..instruction() };
    for again in [instruction(), other] {
        assert_eq!(world.act(&again), Err(Refusal::ReferenceUsed));
    }
    assert_eq!(world.moved(), 1);
}

#[test]
fn what_was_not_signed_so_moves_nothing() {
    let mut world = World::new("binance");
    let dear = Instruction { max_fee: Some("2.99".into()), ..instruction() };
    let small = Instruction { amount: "9".into(), ..instruction() };
    let malformed = Instruction { amount: "25.0".into(), ..instruction() };
    for (instruction, refusal) in
        [(dear, Refusal::FeeAboveMaximum), (small, Refusal::BelowMinimum), (malformed, Refusal::Malformed)]
    {
        assert_eq!(world.act(&instruction), Err(refusal));
    }
    assert_eq!(world.moved(), 0);
    // A refusal gives the reference back.
    assert_eq!(world.act(&instruction()).unwrap().status, Status::Pending);
}

#[test]
fn m38_a_reply_that_is_lost_is_unknown_never_sent_again_and_found() {
    let mut world = World::new("binance");
    world.books.borrow_mut().loses_replies = true;
    let outcome = world.act(&instruction()).unwrap();
    assert_eq!((outcome.status, world.moved()), (Status::Unknown, 1));
    world.books.borrow_mut().loses_replies = false;
    assert_eq!(world.act(&instruction()), Err(Refusal::ReferenceUsed));
    let found = world.status(&instruction());
    assert_eq!((found.status, found.id.as_deref(), world.moved()), (Status::Done, Some("W1"), 1));
}

#[test]
fn m38_a_withdrawal_whose_result_was_never_committed_is_moved_once_and_found() {
    let mut world = World::new("binance");
    let draft = world.draft(Op::Act, instruction().to_bytes());
    let sealed = draft.seal(&[&world.owner.device, &world.owner.second]);
    let stream = world.machine.begin(&sealed.bytes);
    // The head before it was committed; the one with its receipt is not.
    world.machine.keeper.is_silent = true;
    world.exchange.run(&mut world.machine);
    withhold_what_is_committed(&mut world.machine);
    let answer = world.machine.answer(stream);
    assert!(
        matches!(answer, Answer::Refused(Refusal::NoQuorum)),
        "nothing sealed says that it failed: {answer:?}"
    );
    assert_eq!(world.act(&instruction()), Err(Refusal::ReferenceUsed));
    let found = world.status(&instruction());
    assert_eq!((found.status, found.id.as_deref(), world.moved()), (Status::Done, Some("W1"), 1));
}

#[test]
fn m38_a_refusal_of_a_reference_that_was_used_before_is_no_refusal() {
    let mut world = World::new("bybit");
    world.books.borrow_mut().loses_replies = true;
    let outcome = world.act(&instruction()).unwrap();
    // Bybit takes a `requestId` once: the enclave itself tries three times.
    assert_eq!((outcome.status, world.moved()), (Status::Unknown, 3));
    *world.books.borrow_mut() = Books {
        refuses: Some(r#"{"retCode": 131001, "retMsg": "insufficient balance"}"#),
        ..Books::default()
    };
    let again = world.act(&instruction()).unwrap();
    assert_eq!((again.status, again.fault.as_deref()), (Status::Unknown, Some("funds_missing")));
    // Nor does that refusal make the reference a fresh one.
    assert_eq!(world.act(&instruction()).unwrap().status, Status::Unknown);
    // Of one that nobody used it is one.
    let other = Instruction { reference: Reference([1; 16]), ..instruction() };
    assert_eq!(world.act(&other), Err(Refusal::FundsMissing));
}

#[test]
fn m38_what_was_sealed_to_an_enclave_that_ended_moves_nothing_in_the_next() {
    let mut world = World::new("binance");
    let draft = world.draft(Op::Act, instruction().to_bytes());
    let sealed = draft.seal(&[&world.owner.device, &world.owner.second]);
    world.machine = sandbox(2, &world.authority);
    world.machine.claim(NOW);
    let stream = world.machine.begin(&sealed.bytes);
    world.exchange.run(&mut world.machine);
    assert!(matches!(world.machine.answer(stream), Answer::Refused(Refusal::UnknownKey)));
    assert_eq!(world.moved(), 0);
}

#[test]
fn m38_a_host_that_lies_about_the_time_to_hold_a_withdrawal_back_moves_nothing() {
    let mut world = World::new("binance");
    // By the exchange, five minutes have passed since the owner signed; by the host's claim, none.
    world.books.borrow_mut().date = Some("Fri, 31 Dec 9999 23:59:59 GMT");
    assert_eq!(world.act(&instruction()), Err(Refusal::ProviderClock));
    assert_eq!(world.moved(), 0);
    world.books.borrow_mut().date = None;
    assert_eq!(world.act(&instruction()).unwrap().status, Status::Pending);
}
