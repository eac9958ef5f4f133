//! What an agent moves: once, or not at all, and nothing without the second factor that an operator named (m38).

use super::Agent;
use crate::faults::{Control, with_control};
use crate::person::{Person, account};
use serde_json::{Value, json};
use stack::{LONG, http};
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

const BINANCE: &str = "/sapi/v1/capital/withdraw/apply";
const FIRST: &str = "0123456789abcdef0123456789abcdef";
const SECOND: &str = "fedcba9876543210fedcba9876543210";

fn linked(test: impl FnOnce(&Person<'_>, &Control)) {
    with_control(|person, control| {
        person.link(&account("binance", "everything"), "treasury");
        test(person, control);
    });
}

fn withdrawal(amount: &str) -> Value {
    json!({
        "kind": "withdraw", "asset": "USDC", "amount": amount, "fee_included": true, "chain": "eip155:1",
        "address": "0x52908400098527886E0F7030069857D2E4169EE7",
    })
}

fn path(reference: &str) -> String {
    format!("/v1/connections/treasury/actions/{reference}")
}

/// The first one, asked for by whoever has the socket.
fn put(socket: &Path) -> Option<http::Response> {
    let (json, body) = (("content-type", "application/json"), withdrawal("100").to_string());
    http::request_at(socket, "PUT", &path(FIRST), &[json], body.as_bytes())
}

fn wait_until_sent(control: &Control, agent: &Agent) {
    let deadline = Instant::now() + LONG;
    while paid(control) == 0 {
        assert!(Instant::now() < deadline, "nothing arrived\n{}", agent.process.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn paid(control: &Control) -> usize {
    control.calls("POST", BINANCE)
}

#[test]
fn m38_an_instruction_that_is_put_again_is_told_again_and_paid_once() {
    linked(|person, control| {
        let agent = Agent::paying(person);
        let (status, ordered) = agent.ask("PUT", &path(FIRST), Some(&withdrawal("100")));
        assert_eq!((status, &ordered["outcome"]["status"]), (200, &"pending".into()), "{ordered}");
        assert_eq!(
            (&ordered["terms"]["fee"], &ordered["instruction"]["max_fee"]),
            (&"3".into(), &"3".into())
        );
        let (status, again) = agent.ask("PUT", &path(FIRST), Some(&withdrawal("100")));
        assert_eq!(
            (status, &again["terms"], &again["outcome"]["status"]),
            (200, &Value::Null, &"done".into())
        );
        assert_eq!(again["instruction"], ordered["instruction"]);
        assert_eq!(agent.get(&format!("/v1/actions/{FIRST}"))["status"], "done");
        assert_eq!((paid(control), agent.get("/v1/actions")), (1, json!([])));

        // A reference is for one instruction, and another one like it has another.
        let conflict = (409, "reference_conflict".to_owned());
        assert_eq!(agent.refused("PUT", &path(FIRST), Some(&withdrawal("101"))), conflict);
        let mut dearer = withdrawal("100");
        dearer["max_fee"] = "4".into();
        assert_eq!(agent.refused("PUT", &path(FIRST), Some(&dearer)), conflict);
        assert_eq!(agent.ask("PUT", &path(SECOND), Some(&withdrawal("100"))).0, 200);
        assert_eq!(paid(control), 2);
        // The command line knows them too.
        agent.stop();
        assert_eq!(person.json(&["status", FIRST, "--json"])["status"], "done");
    });
}

#[test]
fn m38_an_agent_that_is_killed_in_the_middle_of_a_withdrawal_pays_once_and_loses_nothing() {
    linked(|person, control| {
        let agent = Agent::paying(person);
        let fault = json!({"exchange": "binance", "path": BINANCE, "effect": {"kind": "silence"}});
        control.during(&fault, || {
            let socket = agent.socket();
            let waiting = std::thread::spawn(move || put(&socket).is_none());
            wait_until_sent(control, &agent);
            // SIGKILL: nothing is tidied up.
            drop(agent);
            assert!(waiting.join().unwrap(), "nobody was told");
        });
        let agent = Agent::paying(person);
        let open = agent.get("/v1/actions");
        assert_eq!((&open[0]["reference"], &open[0]["status"]), (&FIRST.into(), &"unknown".into()));
        // A caller who lost the reference is stopped, and told it.
        let (status, unsettled) = agent.ask("PUT", &path(SECOND), Some(&withdrawal("100")));
        assert_eq!((status, &unsettled["code"]), (409, &"unsettled".into()));
        assert!(unsettled["hint"].as_str().unwrap().contains(FIRST), "{unsettled}");
        // Who kept it asks again, and gets what came of it.
        let (status, again) = agent.ask("PUT", &path(FIRST), Some(&withdrawal("100")));
        assert_eq!((status, &again["outcome"]["status"]), (200, &"done".into()), "{again}");
        assert_eq!((paid(control), agent.get("/v1/actions")), (1, json!([])));
        assert_eq!(agent.get("/v1/connections/treasury")["generation"], 1);
        assert_eq!(agent.ask("PUT", &path(SECOND), Some(&withdrawal("100"))).0, 200, "it is another now");
        assert_eq!(paid(control), 2);
    });
}

#[test]
fn m38_callers_who_ask_at_once_under_one_reference_pay_once() {
    linked(|person, control| {
        let agent = Agent::paying(person);
        let socket = agent.socket();
        let statuses: Vec<Option<u16>> = std::thread::scope(|scope| {
            let callers: Vec<_> =
                (0..8).map(|_| scope.spawn(|| put(&socket).map(|answer| answer.status))).collect();
            callers.into_iter().map(|caller| caller.join().unwrap()).collect()
        });
        assert!(statuses.iter().all(|status| *status == Some(200)), "{statuses:?}");
        assert_eq!(paid(control), 1);
    });
}

#[test]
fn m38_a_caller_who_hung_up_before_the_answer_was_not_told_and_pays_no_second_time_by_mistake() {
    linked(|person, control| {
        let agent = Agent::paying(person);
        let slow = json!({"exchange": "binance", "path": BINANCE, "effect": {"kind": "delay", "ms": 2000}});
        control.during(&slow, || {
            let mut caller = UnixStream::connect(agent.socket()).unwrap();
            let body = withdrawal("100").to_string();
            let head = format!("PUT {} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json", path(FIRST));
            write!(caller, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
            wait_until_sent(control, &agent);
            drop(caller);
            // It waits for its turn, and finds what the first one left.
            assert_eq!(agent.refused("PUT", &path(SECOND), Some(&withdrawal("100"))).1, "unsettled");
        });
        assert_eq!(agent.get("/v1/actions")[0]["reference"], FIRST);
        assert_eq!(agent.get(&format!("/v1/actions/{FIRST}"))["status"], "done");
        assert_eq!(paid(control), 1);
        assert_eq!(agent.ask("PUT", &path(SECOND), Some(&withdrawal("100"))).0, 200);
    });
}

#[test]
fn an_agent_that_is_asked_to_end_carries_out_what_was_begun_and_tells_its_caller() {
    linked(|person, control| {
        let agent = Agent::paying(person);
        let slow = json!({"exchange": "binance", "path": BINANCE, "effect": {"kind": "delay", "ms": 2000}});
        control.during(&slow, || {
            let socket = agent.socket();
            let waiting = std::thread::spawn(move || put(&socket).unwrap());
            wait_until_sent(control, &agent);
            agent.stop();
            let told: Value = serde_json::from_slice(&waiting.join().unwrap().body).unwrap();
            assert_eq!(told["outcome"]["status"], "pending", "{told}");
        });
        assert_eq!(person.json(&["status", FIRST, "--json"])["status"], "done");
    });
}

#[test]
fn an_agent_pays_only_where_the_second_factor_was_named_though_it_lies_in_the_home() {
    linked(|person, control| {
        let agent = Agent::start(person, &[]);
        let needed = (403, "second_factor_needed".to_owned());
        assert_eq!(agent.refused("PUT", &path(FIRST), Some(&withdrawal("100"))), needed);
        for dangerous in [
            json!({"kind": "convert", "asset": "USDC", "amount": "50", "to_asset": "EUR"}),
            json!({"kind": "order", "side": "buy", "asset": "BTC", "to_asset": "EUR", "cost": "100"}),
        ] {
            assert_eq!(agent.refused("PUT", &path(FIRST), Some(&dangerous)), needed);
        }
        let between = json!({"kind": "transfer", "asset": "USDC", "amount": "5", "to": "funding"});
        let (status, moved) = agent.ask("PUT", &path(FIRST), Some(&between));
        assert_eq!((status, &moved["outcome"]["status"]), (200, &"done".into()), "{moved}");
        let preview = agent.ask("POST", "/v1/connections/treasury/preview", Some(&withdrawal("100")));
        assert_eq!((preview.0, &preview.1["terms"]["received"]), (200, &"97".into()));
        assert_eq!(paid(control), 0);
    });
}

#[test]
fn what_is_refused_moves_nothing_and_says_by_its_code_why() {
    linked(|person, control| {
        let agent = Agent::paying(person);
        let with = |name: &str, value: Value| {
            let mut asked = withdrawal("100");
            asked[name] = value;
            asked
        };
        for (asked, status, code) in [
            (with("amount", "6".into()), 422, "below_minimum"),
            (with("chain", "eip155:4242".into()), 422, "unknown_network"),
            (with("max_fee", "2.9".into()), 422, "fee_above_maximum"),
            (with("amount", json!(100)), 400, "body_malformed"),
            (with("amount", "-1".into()), 400, "instruction_malformed"),
            (with("amount", "1,000".into()), 400, "instruction_malformed"),
            (with("to_whom", "me".into()), 400, "body_malformed"),
            (with("cost", "1".into()), 400, "instruction_malformed"),
        ] {
            assert_eq!(
                agent.refused("PUT", &path(FIRST), Some(&asked)),
                (status, code.to_owned()),
                "{asked}"
            );
        }
        let nowhere = format!("/v1/connections/nobody/actions/{FIRST}");
        assert_eq!(agent.refused("PUT", &nowhere, Some(&withdrawal("100"))).1, "unknown_connection");
        assert_eq!(agent.refused("PUT", &path("0123"), Some(&withdrawal("100"))).1, "instruction_malformed");
        assert_eq!(agent.refused("GET", &format!("/v1/actions/{SECOND}"), None).1, "unknown_action");
        assert_eq!(paid(control), 0);
        // What the exchange itself refuses is refused under that reference for good.
        let beyond = (422, "funds_missing".to_owned());
        let found = agent.refused("PUT", &path(FIRST), Some(&withdrawal("99999")));
        assert_eq!(found.1, beyond.1);
        assert_eq!(agent.refused("PUT", &path(FIRST), Some(&withdrawal("99999"))), found);
        assert!(paid(control) <= 1);
    });
}
