//! Orders from the first question to the last, on answers as exchanges document them (`orders.json`): the market of two
//! assets is found, the order is written in the exchange's words, and what became of it is understood.

use super::provider::*;
use enclave::connector::*;
use serde_json::Value as Tree;
use wire::action::{Inquiry, Instruction, Kind, Outcome as Became, Reference, Side};
use wire::{Decimal, UnixMillis};

/// `sell 0.5 BTC for USD`, or `buy for 100 USD BTC` where the amount is what is spent.
fn order(words: &str) -> Instruction {
    let words: Vec<&str> = words.split(' ').collect();
    let (side, amount, base, quote, spends) = match words.as_slice() {
        [side, "for", amount, quote, base] => (side, amount, base, quote, true),
        [side, amount, base, "for", quote] => (side, amount, base, quote, false),
        _ => panic!("{words:?}"),
    };
    let reference = Reference([0xA5; 16]);
    let mut order = Instruction::new(Kind::Order, reference, *base, amount.parse::<Decimal>().unwrap());
    order.to_asset = Some((*quote).to_owned());
    order.side = Some(if *side == "buy" { Side::Buy } else { Side::Sell });
    order.counts_quote = spends;
    order
}

/// Runs it against the documented answers; gives what became of it and the bodies that were sent.
fn run(id: &str, operation: Operation, answers: &Tree) -> Result<(Became, Vec<String>), String> {
    let (mut bodies, mut unknown) = (Vec::new(), None);
    let (outcome, _) = finish(&mut start(id, operation), |request, _| {
        bodies.push(String::from_utf8(request.body.clone()).unwrap());
        let call = format!("{} {}", request.method.name(), request.path());
        match answers.get(request.path()).or_else(|| answers.get(&call)) {
            Some(answer) => ok(answer.to_string()),
            None => {
                unknown = Some(format!("{call}: nobody documents it"));
                status(404, "{}")
            }
        }
    });
    match (unknown, outcome.answer) {
        (Some(unknown), _) => Err(unknown),
        (None, Answer::Outcome(became)) => Ok((*became, bodies)),
        (None, other) => Err(format!("{other:?}")),
    }
}

fn check(case: &Tree) -> Result<(), String> {
    let text = |name: &str| case[name].as_str().ok_or(format!("`{name}` is missing"));
    let (id, instruction) = (text("id")?, order(text("order")?));
    let same =
        |ours: &str, theirs: &str| (ours == theirs).then_some(()).ok_or(format!("{ours}, not {theirs}"));
    let (became, bodies) = run(id, Operation::Act(Box::new(instruction.clone())), &case["answers"])?;
    let told = became.id.clone().unwrap_or_default();
    same(&format!("{} {told}", became.status.name()), text("became")?)?;
    let sent = bodies.last().ok_or("nothing was sent")?;
    for part in case["sent"].as_array().into_iter().flatten().filter_map(Tree::as_str) {
        sent.contains(part).then_some(()).ok_or(format!("{part} is not in {sent}"))?;
    }
    let inquiry = Inquiry { instruction, id: became.id, sent: UnixMillis(NOW_MS) };
    let (later, _) = run(id, Operation::Status(Box::new(inquiry)), &case["answers"])?;
    let amount = |amount: Option<String>| amount.unwrap_or_else(|| "-".to_owned());
    same(
        &format!("{} {} {}", later.status.name(), amount(later.amount), amount(later.received)),
        text("then")?,
    )
}

#[test]
fn an_order_is_written_in_the_words_of_its_exchange_and_what_became_of_it_is_understood() {
    let cases: Tree = serde_json::from_str(include_str!("orders.json")).unwrap();
    let cases = cases["orders"].as_array().unwrap();
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| check(case).err().map(|why| format!("{}: {why}", case["id"])))
        .collect();
    assert!(wrong.is_empty() && !cases.is_empty(), "{wrong:#?}");
}

#[test]
fn an_order_goes_to_no_market_whose_pair_nobody_named() {
    // Gate knows no such pair and says nothing of it, and tells all its tickers where none is named.
    let mut asked = Vec::new();
    let act = Operation::Act(Box::new(order("buy for 1 NOPE BTC")));
    let (outcome, _) = finish(&mut start("gate", act), |request, _| {
        asked.push(request.path().to_owned());
        match request.path().ends_with("tickers") {
            true => ok(r#"[{"currency_pair":"BTC_USDT","highest_bid":"1","lowest_ask":"2"}]"#),
            false => ok("{}"),
        }
    });
    assert!(matches!(&outcome.answer, Answer::Refused(fault) if fault.code.name() == "unknown_market"));
    assert_eq!(asked, ["/api/v4/spot/currency_pairs/BTC_NOPE", "/api/v4/spot/tickers"]);
}

#[test]
fn m32_a_withdrawal_names_its_chain_as_the_exchange_does_for_that_asset() {
    let amount = "25".parse::<Decimal>().unwrap();
    let mut withdrawal = Instruction::new(Kind::Withdraw, Reference([0xA5; 16]), "USDT", amount);
    withdrawal.chain = Some("eip155:1".into());
    withdrawal.address = Some("0x52908400098527886E0F7030069857D2E4169EE7".into());
    let chain = |name: &str| {
        serde_json::json!({"chain": name, "withdrawStatus": "allowed", "transactFeeWithdraw": "3",
            "minWithdrawAmt": "2", "maxWithdrawAmt": "9000", "withdrawPrecision": 6, "addrWithTag": false})
    };
    let chains = [chain("trc20usdt"), chain("usdterc20")];
    let answers = serde_json::json!({
        "/v2/reference/currencies": {"code": 200, "data": [{"currency": "usdt", "chains": chains}]},
        "/v1/dw/withdraw/api/create": {"status": "ok", "data": 1000},
    });
    let (became, bodies) = run("htx", Operation::Act(Box::new(withdrawal)), &answers).unwrap();
    assert_eq!(became.id.as_deref(), Some("1000"));
    let sent = bodies.last().unwrap();
    assert!(sent.contains(r#""chain":"usdterc20""#), "{sent}");
}
