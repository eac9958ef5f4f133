use super::super::{Destination, Outcome, Reference, Side, Status, Terms};
use super::*;
use crate::record::Field;
use crate::{Canonical, UnixMillis};

fn withdrawal() -> Instruction {
    let mut instruction = Instruction::new(Kind::Withdraw, Reference([7; 16]), "USDT", Decimal::from(25));
    instruction.chain = Some("eip155:1".into());
    instruction.address = Some("0x52908400098527886E0F7030069857D2E4169EE7".into());
    instruction.max_fee = Some("3.5".into());
    instruction
}

fn order() -> Instruction {
    let mut instruction = Instruction::new(Kind::Order, Reference([8; 16]), "BTC", Decimal::from(100));
    instruction.to_asset = Some("EUR".into());
    instruction.side = Some(Side::Buy);
    instruction.counts_quote = true;
    instruction
}

fn transfer() -> Instruction {
    let mut instruction = Instruction::new(Kind::Transfer, Reference([9; 16]), "EUR", Decimal::ONE);
    instruction.to = Some("funding".into());
    instruction
}

fn conversion() -> Instruction {
    let mut instruction = Instruction::new(Kind::Convert, Reference([9; 16]), "EUR", Decimal::ONE);
    instruction.to_asset = Some("USDC".into());
    instruction
}

fn refused(base: Instruction, change: impl FnOnce(&mut Instruction)) -> bool {
    assert!(base.checked().is_some());
    let mut changed = base;
    change(&mut changed);
    changed.checked().is_none()
}

#[test]
fn an_instruction_is_one_text_of_bytes() {
    for instruction in [withdrawal(), order(), transfer(), conversion()] {
        assert!(instruction.checked().is_some());
        let bytes = instruction.to_bytes();
        assert_eq!(Instruction::from_bytes(&bytes).as_ref(), Ok(&instruction));
        let inquiry = Inquiry { instruction, id: Some("A1".into()), sent: UnixMillis(5) };
        assert_eq!(Inquiry::from_bytes(&inquiry.to_bytes()), Ok(inquiry));
        // The same with a trailing byte, and with the map's length written long.
        assert!(Instruction::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
        assert!(Instruction::from_bytes(&[&[0xB8, bytes[0] & 0x1F], &bytes[1..]].concat()).is_err());
    }
}

#[test]
fn m31_an_amount_is_a_positive_decimal_with_one_text() {
    for text in ["0", "-1", "1.0", "01", "1e3", ".5", "", " 1", "NaN", "0x1"] {
        assert!(refused(withdrawal(), |changed| changed.amount = text.into()), "{text}");
    }
    assert!(refused(withdrawal(), |changed| changed.max_fee = Some("-1".into())));
    assert!(refused(withdrawal(), |changed| changed.min_received = Some("1.50".into())));
    let mut free = withdrawal();
    free.max_fee = Some("0".into());
    assert_eq!(free.checked(), Some(Decimal::from(25)));
}

#[test]
fn a_member_that_its_kind_needs_is_not_left_out() {
    assert!(refused(withdrawal(), |changed| changed.address = None));
    assert!(refused(order(), |changed| changed.side = None));
    assert!(refused(order(), |changed| changed.to_asset = None));
    assert!(refused(conversion(), |changed| changed.to_asset = None));
    assert!(refused(transfer(), |changed| changed.to = None));
    let mut saved = withdrawal();
    (saved.address, saved.saved) = (None, Some("my ledger".into()));
    assert!(saved.checked().is_some());
    // A tag belongs to an address.
    assert!(refused(saved, |changed| changed.tag = Some("7".into())));
}

#[test]
fn a_member_that_its_kind_has_no_use_for_is_refused() {
    assert!(refused(transfer(), |changed| changed.address = Some("0x0".into())));
    assert!(refused(transfer(), |changed| changed.from = Some("funding".into())));
    assert!(refused(transfer(), |changed| changed.fee_included = true));
    assert!(refused(transfer(), |changed| changed.fee_either = true));
    assert!(!refused(withdrawal(), |changed| changed.fee_either = true));
    assert!(refused(withdrawal(), |changed| (changed.fee_included, changed.fee_either) = (true, true)));
    assert!(refused(conversion(), |changed| changed.to_asset = Some("EUR".into())));
    assert!(refused(conversion(), |changed| changed.counts_quote = true));
    assert!(refused(order(), |changed| changed.quote = Some("q".into())));
    assert!(refused(order(), |changed| changed.saved = Some("my ledger".into())));
    assert!(refused(withdrawal(), |changed| changed.to = Some("spot".into())));
    assert!(refused(withdrawal(), |changed| changed.side = Some(Side::Sell)));
}

#[test]
fn texts_are_visible_and_bounded() {
    for address in ["", "0x0 ", "0x\n", "ä", &"a".repeat(MAX_TEXT + 1)] {
        assert!(refused(withdrawal(), |changed| changed.address = Some(address.into())), "{address}");
    }
    for name in ["", " a", "a\u{0}", "a\nb", &"ä".repeat(129)] {
        assert!(refused(travelling("Zoë Świątek"), |changed| *changed = travelling(name)), "{name}");
    }
    let country = |code: &str| {
        let mut changed = travelling("Zoë");
        changed.travel.as_mut().unwrap().country = Some(code.into());
        changed.checked().is_some()
    };
    assert!(country("DE") && !country("de") && !country("DEU"));
    assert!(refused(travelling("Zoë"), |changed| {
        let answer = Field { name: "q".into(), text: "a".into() };
        changed.travel.as_mut().unwrap().answers = vec![answer; MAX_ANSWERS + 1];
    }));
}

fn travelling(beneficiary: &str) -> Instruction {
    let travel = Travel {
        destination: Destination::Hosted,
        institution: Some("Kraken".into()),
        beneficiary: Some(beneficiary.into()),
        company: false,
        country: None,
        purpose: None,
        answers: Vec::new(),
    };
    Instruction { travel: Some(travel), ..withdrawal() }
}

#[test]
fn what_nobody_knows_does_not_decode() {
    // Kinds, sides and states by numbers that no version has.
    let mut bytes = transfer().to_bytes();
    assert_eq!(bytes[1..3], [0, Kind::Transfer as u8 + 1]);
    bytes[2] = 9;
    assert!(Instruction::from_bytes(&bytes).is_err());
    let outcome = Outcome::bare(Reference([1; 16]), Status::Unknown, UnixMillis(7));
    assert_eq!(Outcome::from_bytes(&outcome.to_bytes()).as_ref(), Ok(&outcome));
    let mut bytes = outcome.to_bytes();
    let last = bytes.len() - 1;
    bytes[last] = 6;
    assert!(Outcome::from_bytes(&bytes).is_err());
    // A reference of another length.
    let short = [&[0xA4, 0, 1, 1, 0x4F][..], &[0; 15]].concat();
    assert!(Instruction::from_bytes(&short).is_err());
}

#[test]
fn terms_leave_out_what_is_not_stated() {
    let terms = Terms {
        as_of: UnixMillis(1),
        fee: Some("0.5".into()),
        fee_asset: None,
        minimum: None,
        maximum: None,
        step: None,
        debited: None,
        received: None,
        received_asset: None,
        price: None,
        quote: None,
        expires: None,
        network: None,
        market: None,
        repeat_refused: false,
        unstated: vec!["minimum".into()],
    };
    assert_eq!(Terms::from_bytes(&terms.to_bytes()).as_ref(), Ok(&terms));
    assert_eq!(terms.to_bytes()[0], 0xA4);
}

#[test]
fn a_reference_has_one_text() {
    let reference = Reference([0xAB; 16]);
    assert_eq!(Reference::parse(&reference.hex()), Some(reference));
    assert_eq!(Reference::parse(&reference.hex().to_uppercase()), None);
    assert_eq!(Reference::parse("ab"), None);
}

#[test]
fn moving_value_out_or_into_another_asset_is_dangerous() {
    let dangerous: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| kind.is_dangerous()).collect();
    assert_eq!(dangerous, [Kind::Withdraw, Kind::Convert, Kind::Order]);
    let last: Vec<Status> = Status::ALL.into_iter().filter(|status| status.is_final()).collect();
    assert_eq!(last, [Status::Done, Status::Failed, Status::Absent]);
}
