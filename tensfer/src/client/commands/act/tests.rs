use super::ordering::less_slippage;
use super::*;
use wire::Decimal;
use wire::UnixMillis;
use wire::action::{Kind, Side};

fn terms() -> Terms {
    Terms {
        as_of: UnixMillis(1),
        fee: Some("3".into()),
        fee_asset: Some("USDT".into()),
        minimum: None,
        maximum: None,
        step: None,
        debited: None,
        received: Some("0.002".into()),
        received_asset: Some("BTC".into()),
        price: None,
        quote: None,
        expires: None,
        network: None,
        market: None,
        repeat_refused: false,
        unstated: Vec::new(),
    }
}

#[test]
fn what_is_signed_holds_for_the_terms_that_were_shown() {
    let withdrawal = Instruction::new(Kind::Withdraw, Reference([1; 16]), "USDT", Decimal::from(25));
    assert_eq!(bounded(withdrawal.clone(), &terms()).max_fee.as_deref(), Some("3"));
    let named = Instruction { max_fee: Some("4".into()), ..withdrawal.clone() };
    assert_eq!(bounded(named, &terms()).max_fee.as_deref(), Some("4"));
    let unstated = Terms { fee: None, ..terms() };
    assert_eq!(bounded(withdrawal.clone(), &unstated).max_fee, None);
    // A fee in another asset is bounded in that.
    let apart = bounded(Instruction { asset: "DAI".into(), ..withdrawal }, &terms());
    assert_eq!(apart.max_fee_asset.as_deref(), Some("USDT"));

    let mut order = Instruction::new(Kind::Order, Reference([1; 16]), "BTC", Decimal::from(100));
    (order.to_asset, order.side, order.counts_quote) = (Some("USDT".into()), Some(Side::Buy), true);
    let order = bounded(order, &terms());
    assert_eq!(order.min_received.as_deref(), Some("0.00199"));
    assert!(order.checked().is_some());
}

#[test]
fn a_bound_is_half_a_per_cent_below_and_never_above_what_was_shown() {
    let less = |shown: &str| less_slippage(shown.parse().unwrap()).map(|least| least.to_string());
    assert_eq!(less("100").as_deref(), Some("99.5"));
    assert_eq!(less("4.9967").as_deref(), Some("4.9717165"));
    assert_eq!(less("0.01").as_deref(), Some("0.00995"));
}

#[test]
fn every_member_that_is_signed_is_shown() {
    let mut instruction = Instruction::new(Kind::Withdraw, Reference([0xAB; 16]), "XRP", Decimal::from(25));
    instruction.chain = Some("xrpl:0".into());
    instruction.address = Some("rEb8TK3gBgk5auZkwc6sHnwrGVJH8DuaLh".into());
    instruction.tag = Some("77".into());
    instruction.from = Some("funding".into());
    instruction.max_fee = Some("0.2".into());
    instruction.min_received = Some("24".into());
    instruction.saved = Some("mine".into());
    instruction.travel = Some(wire::action::Travel {
        destination: wire::action::Destination::Hosted,
        institution: Some("Kraken".into()),
        beneficiary: Some("Zoë".into()),
        company: false,
        country: Some("DE".into()),
        purpose: Some("savings".into()),
        answers: Vec::new(),
    });
    let shown = show_instruction(&instruction, "binance");
    for part in [
        "25 XRP",
        "xrpl:0",
        "rEb8TK3gBgk5auZkwc6sHnwrGVJH8DuaLh",
        "77",
        "funding",
        "0.2 XRP",
        "24 XRP",
        "mine",
        "hosted",
        "Kraken",
        "Zoë (person)",
        "DE",
        "savings",
        "binance",
        &"ab".repeat(16),
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}
