//! Payouts of payment providers: what is sent in which units, how often, and what is said about it (m38).

use super::provider::*;
use enclave::connector::*;
use wire::action::{Destination, Inquiry, Instruction, Kind, Reference, Status as Became, Travel};
use wire::{Decimal, Refusal, UnixMillis};

const REFERENCE: Reference = Reference([0xA5; 16]);
/// The reference as a random UUID.
const KEY: &str = "a5a5a5a5-a5a5-45a5-a5a5-a5a5a5a5a5a5";
const LONG_AGO: u64 = NOW_MS - 600_000;

fn payout(asset: &str, amount: &str) -> Instruction {
    Instruction::new(Kind::Withdraw, REFERENCE, asset, amount.parse::<Decimal>().unwrap())
}

fn to_bank(asset: &str, amount: &str) -> Instruction {
    Instruction { saved: Some("ba_1Own".into()), ..payout(asset, amount) }
}

fn to_person(address: &str) -> Instruction {
    Instruction { address: Some(address.into()), ..payout("USD", "12.5") }
}

const BALANCE: &str = r#"{"object":"balance","livemode":false,"pending":[],"available":[
    {"amount":666670,"currency":"usd"},{"amount":150000,"currency":"jpy"},{"amount":1234500,"currency":"kwd"},
    {"amount":900000,"currency":"ugx"},{"amount":900000,"currency":"huf"},{"amount":-5,"currency":"chf"}]}"#;
const BALANCES: &str = r#"{"balances":[
    {"currency":"USD","available_balance":{"currency_code":"USD","value":"120.00"}},
    {"currency":"JPY","available_balance":{"currency_code":"JPY","value":"5000"}}]}"#;

/// What both say beforehand.
fn terms(request: &Request) -> Option<Respond> {
    match (request.method, request.path()) {
        (Method::Get, "/v1/balance") => Some(ok(BALANCE)),
        (Method::Get, "/v1/reporting/balances") => Some(ok(BALANCES)),
        (Method::Post, "/v1/oauth2/token") => {
            Some(ok(r#"{"access_token":"A21AA","token_type":"Bearer","expires_in":31668}"#))
        }
        _ => None,
    }
}

/// Runs an operation; `provider` answers the requests that move something, or that ask what became of it.
fn run(
    id: &str,
    operation: Operation,
    mut provider: impl FnMut(&Request) -> Result<Respond, TransportFault>,
) -> Answer {
    let (mut run, mut now_ms) = (start(id, operation), NOW_MS);
    for _ in 0..100 {
        match run.next(now_ms, &mut Counting(0)) {
            Step::Send { call, request, .. } => {
                now_ms += 10;
                match terms(&request).map_or_else(|| provider(&request), Ok) {
                    Ok(reply) => run.answer(call, now_ms, reply.status, &[], reply.body.as_bytes()),
                    Err(fault) => run.failed(call, now_ms, fault),
                }
            }
            Step::Wait { until_ms } => now_ms = until_ms.expect("nothing is in flight").max(now_ms + 1),
            Step::Done(outcome) => return outcome.answer,
        }
    }
    panic!("the run does not end");
}

/// What a request said.
#[derive(Debug)]
struct Sent {
    host: String,
    target: String,
    body: String,
    headers: Vec<(String, String)>,
}

/// Acts on an instruction; gives the answer and what was sent.
fn act(
    id: &str,
    instruction: &Instruction,
    mut provider: impl FnMut(usize) -> Result<Respond, TransportFault>,
) -> (Answer, Vec<Sent>) {
    let mut sent = Vec::new();
    let answer = run(id, Operation::Act(Box::new(instruction.clone())), |request| {
        assert_eq!(request.method, Method::Post);
        sent.push(Sent {
            host: request.host.clone(),
            target: request.target.clone(),
            body: String::from_utf8(request.body.clone()).unwrap(),
            headers: request.headers.clone(),
        });
        provider(sent.len())
    });
    (answer, sent)
}

fn refused(answer: &Answer) -> FaultCode {
    let Answer::Refused(fault) = answer else { panic!("{answer:?}") };
    fault.code
}

fn became(answer: &Answer) -> (Became, Option<&str>, Option<&str>) {
    let Answer::Outcome(outcome) = answer else { panic!("{answer:?}") };
    assert_eq!(outcome.reference, REFERENCE);
    (outcome.status, outcome.id.as_deref(), outcome.fault.as_deref())
}

fn body(request: &Sent) -> &str {
    &request.body
}

fn header<'r>(request: &'r Sent, name: &str) -> Option<&'r str> {
    request.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

fn paid() -> Result<Respond, TransportFault> {
    Ok(ok(
        r#"{"id":"po_1","object":"payout","amount":1050,"currency":"usd","status":"pending","created":1760000000,
        "destination":"ba_1Own","metadata":{"reference":"a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5"}}"#,
    ))
}

#[test]
fn a_payout_of_stripe_is_one_form_to_a_named_account_with_its_key_in_the_header_alone() {
    let (answer, sent) = act("stripe", &to_bank("USD", "10.5"), |_| paid());
    assert_eq!(became(&answer), (Became::Pending, Some("po_1"), None));
    let [request] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!((request.host.as_str(), request.target.as_str()), ("api.stripe.com", "/v1/payouts"));
    assert_eq!(
        body(request),
        "amount=1050&currency=usd&destination=ba_1Own&method=standard&\
         metadata%5Breference%5D=a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5"
    );
    assert_eq!(header(request, "Idempotency-Key"), Some(KEY));
    let Answer::Outcome(outcome) = answer else { panic!() };
    assert_eq!(outcome.amount.as_deref(), Some("10.5"));
}

#[test]
fn m31_amounts_are_sent_in_exact_units_of_their_currency_or_not_at_all() {
    let units = |asset, amount| {
        let (answer, sent) = act("stripe", &to_bank(asset, amount), |_| paid());
        match sent.as_slice() {
            [request] => Ok(body(request).split('&').next().unwrap()["amount=".len()..].to_owned()),
            _ => Err(refused(&answer)),
        }
    };
    let cases = [
        ("USD", "0.01", "1"),
        ("USD", "10.5", "1050"),
        ("JPY", "1500", "1500"),
        ("KWD", "12.34", "12340"),
        // Written with two digits, and whole.
        ("UGX", "5", "500"),
        ("HUF", "10", "1000"),
    ];
    for (asset, amount, wanted) in cases {
        assert_eq!(units(asset, amount).as_deref(), Ok(wanted), "{amount} {asset}");
    }
    let not_whole = [("USD", "1.001"), ("JPY", "1.5"), ("KWD", "1.234"), ("UGX", "1.5"), ("HUF", "10.45")];
    for (asset, amount) in not_whole {
        assert_eq!(units(asset, amount), Err(FaultCode::Refused(Refusal::NotAMultiple)), "{amount} {asset}");
    }
    assert_eq!(units("USD", "6666.71"), Err(FaultCode::Refused(Refusal::AboveMaximum)));
    assert_eq!(units("EUR", "1"), Err(FaultCode::Refused(Refusal::UnknownAsset)));
}

#[test]
fn a_preview_says_fee_step_and_what_is_there_and_moves_nothing() {
    let preview = |id: &str, instruction: Instruction| {
        let answer = run(id, Operation::Preview(Box::new(instruction)), |request| panic!("{request:?}"));
        let Answer::Terms(terms) = answer else { panic!("{answer:?}") };
        terms
    };
    let stripe = preview("stripe", to_bank("USD", "10.5"));
    let shown = [&stripe.fee, &stripe.debited, &stripe.received, &stripe.maximum, &stripe.step];
    assert_eq!(shown.map(|text| text.as_deref().unwrap()), ["0", "10.5", "10.5", "6666.7", "0.01"]);
    let paypal = preview("paypal", to_person("someone@example.com"));
    assert_eq!((paypal.received.as_deref(), paypal.maximum.as_deref()), (Some("12.5"), Some("120")));
    assert!(paypal.fee.is_none() && paypal.debited.is_none(), "PayPal tells its fee afterwards");
    assert!(stripe.repeat_refused && paypal.repeat_refused);
    // Where the fee is not told, nothing can be taken out of the amount.
    let inside = Instruction { fee_included: true, ..to_person("someone@example.com") };
    let (answer, sent) = act("paypal", &inside, |_| paid());
    assert_eq!((refused(&answer), sent.len()), (FaultCode::Refused(Refusal::TermsUnstated), 0));
}

#[test]
fn m38_a_payout_of_stripe_whose_answer_was_lost_is_sent_again_by_the_same_key_with_the_same_words() {
    let lost: [fn() -> Result<Respond, TransportFault>; 3] = [
        || Err(TransportFault::Timeout),
        || Err(TransportFault::Closed),
        || Ok(status(503, r#"{"error":{"type":"api_error","message":"try again"}}"#)),
    ];
    for first in lost {
        let (answer, sent) =
            act("stripe", &to_bank("USD", "10.5"), |count| if count == 1 { first() } else { paid() });
        assert_eq!(became(&answer), (Became::Pending, Some("po_1"), None));
        let [one, two] = sent.as_slice() else { panic!("{sent:?}") };
        assert_eq!((body(one), header(one, "Idempotency-Key")), (body(two), header(two, "Idempotency-Key")));
    }
}

#[test]
fn m38_what_stripe_says_of_a_key_that_is_known_is_no_refusal() {
    for (code, answer) in [
        (409, r#"{"error":{"type":"invalid_request_error","code":"idempotency_key_in_use"}}"#),
        (
            400,
            r#"{"error":{"type":"idempotency_error","message":"Keys for idempotent requests can only be used with the same parameters"}}"#,
        ),
        (500, r#"{"error":{"type":"api_error"}}"#),
    ] {
        let (answer, _) = act("stripe", &to_bank("USD", "10.5"), |_| Ok(status(code, answer)));
        assert_eq!(became(&answer).0, Became::Unknown, "{code}");
    }
    // What it says of the payout itself is one.
    let funds = r#"{"error":{"type":"invalid_request_error","code":"balance_insufficient"}}"#;
    let (answer, sent) = act("stripe", &to_bank("USD", "10.5"), |_| Ok(status(400, funds)));
    assert_eq!((refused(&answer), sent.len()), (FaultCode::Provider(FaultKind::Funds), 1));
    let gone =
        r#"{"error":{"type":"invalid_request_error","code":"resource_missing","param":"destination"}}"#;
    let (answer, _) = act("stripe", &to_bank("USD", "10.5"), |_| Ok(status(404, gone)));
    assert_eq!(refused(&answer), FaultCode::Provider(FaultKind::Unknown));
}

fn inquiry(instruction: Instruction, sent_ms: u64, id: Option<&str>) -> Operation {
    Operation::Status(Box::new(Inquiry { instruction, id: id.map(str::to_owned), sent: UnixMillis(sent_ms) }))
}

/// Payouts of others from this number on, of which the very first may be ours.
fn listed(from: usize, count: usize, ours: bool) -> String {
    let row = |number: usize| {
        let metadata =
            if ours && number == 0 { format!(r#""reference":"{}""#, REFERENCE.hex()) } else { String::new() };
        format!(
            r#"{{"id":"po_{number}","created":1760000000,"amount":1050,"currency":"usd","status":"paid","destination":"ba_1Own","metadata":{{{metadata}}}}}"#
        )
    };
    format!(r#"{{"object":"list","data":[{}]}}"#, (from..from + count).map(row).collect::<Vec<_>>().join(","))
}

#[test]
fn m38_a_payout_of_stripe_is_absent_only_where_the_whole_list_does_not_have_it() {
    let asked = |sent_ms, count, ours| {
        let operation = inquiry(to_bank("USD", "10.5"), sent_ms, None);
        let mut told = 0;
        let answer = run("stripe", operation, |request| {
            assert!(request.target.starts_with("/v1/payouts?created%5Bgte%5D="), "{}", request.target);
            told += count;
            Ok(ok(listed(told - count, count, ours)))
        });
        let (status, id, fault) = became(&answer);
        (status, id.map(str::to_owned), fault.map(str::to_owned))
    };
    assert_eq!(asked(LONG_AGO, 3, true), (Became::Done, Some("po_0".into()), None));
    // Others that are alike in everything but the reference are others.
    assert_eq!(asked(LONG_AGO, 1, false).0, Became::Absent);
    assert_eq!(asked(LONG_AGO, 0, false).0, Became::Absent);
    assert_eq!(asked(NOW_MS - 60_000, 0, false).0, Became::Unknown, "it may still be on its way");
    // Pages without end: nobody has seen all of it.
    assert_eq!(asked(LONG_AGO, 100, false), (Became::Unknown, None, Some("not_found".into())));
}

#[test]
fn a_payout_of_stripe_is_followed_by_its_id_until_it_is_over() {
    for (word, wanted) in [
        ("pending", Became::Pending),
        ("in_transit", Became::Pending),
        ("paid", Became::Done),
        ("failed", Became::Failed),
        ("canceled", Became::Failed),
    ] {
        let operation = inquiry(to_bank("USD", "10.5"), LONG_AGO, Some("po_1"));
        let answer = run("stripe", operation, |request| {
            assert_eq!(request.target, "/v1/payouts/po_1");
            Ok(ok(format!(
                r#"{{"id":"po_1","amount":1050,"currency":"usd","status":"{word}","created":1760000000}}"#
            )))
        });
        assert_eq!(became(&answer), (wanted, Some("po_1"), None));
    }
}

#[test]
fn a_payout_goes_to_an_account_that_is_named_and_never_to_a_default() {
    let addressed = Instruction { address: Some("ba_1Own".into()), saved: None, ..to_bank("USD", "1") };
    let (code, moved) = started("stripe", &addressed);
    assert_eq!((code, moved), (FaultCode::Refused(Refusal::NotOffered), 0));
    let saved = Instruction { saved: Some("someone".into()), ..payout("USD", "1") };
    assert_eq!(started("paypal", &saved), (FaultCode::Refused(Refusal::NotOffered), 0));
}

/// What an instruction is refused with, before or after the run began, and how much moved.
fn started(id: &str, instruction: &Instruction) -> (FaultCode, usize) {
    let operation = Operation::Act(Box::new(instruction.clone()));
    match Run::start(find(id).unwrap(), operation, Some(credential(id)), 0, NonceState::new()) {
        Err(fault) => (fault.code, 0),
        Ok(_) => {
            let (answer, sent) = act(id, instruction, |_| paid());
            (refused(&answer), sent.len())
        }
    }
}

#[test]
fn m32_without_a_chain_nothing_is_paid_but_a_person_whose_kind_the_provider_pays() {
    let malformed = FaultCode::Refused(Refusal::AddressMalformed);
    for address in ["someone@example", "0x52908400098527886E0F7030069857D2E4169EE7@", "+0", "4-5"] {
        assert_eq!(started("paypal", &to_person(address)), (malformed, 0), "{address}");
    }
    let network = FaultCode::Refused(Refusal::UnknownNetwork);
    assert_eq!(started("binance", &to_person("someone@example.com")), (network, 0));
    let chained = Instruction { chain: Some("eip155:1".into()), ..to_person("someone@example.com") };
    assert_eq!(started("paypal", &chained).1, 0);
    let tagged = Instruction { tag: Some("7".into()), ..to_person("someone@example.com") };
    assert_eq!(started("paypal", &tagged), (FaultCode::Refused(Refusal::TagNotTaken), 0));
}

const BATCH: &str = r#"{"batch_header":{"payout_batch_id":"5UXD2E8A7EBQJ","batch_status":"PENDING",
    "sender_batch_header":{"sender_batch_id":"a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5"}}}"#;
const DUPLICATE: &str = r#"{"name":"USER_BUSINESS_ERROR","message":"User business error.","debug_id":"1",
    "details":[{"field":"SENDER_BATCH_ID","issue":"Duplicate batch request"}],
    "links":[{"href":"https://api-m.paypal.com/v1/payments/payouts/5UXD2E8A7EBQJ","rel":"self","method":"GET"}]}"#;

#[test]
fn a_payout_of_paypal_is_a_batch_of_one_under_the_reference() {
    for (address, kind) in
        [("someone@example.com", "EMAIL"), ("+14082341234", "PHONE"), ("5DEJUG27PZB9J", "PAYPAL_ID")]
    {
        let (answer, sent) = act("paypal", &to_person(address), |_| Ok(ok(BATCH)));
        assert_eq!(became(&answer), (Became::Pending, Some("5UXD2E8A7EBQJ"), None));
        let reference = REFERENCE.hex();
        assert_eq!(
            body(&sent[0]),
            format!(
                r#"{{"sender_batch_header":{{"sender_batch_id":"{reference}"}},"items":[{{"recipient_type":"{kind}","receiver":"{address}","amount":{{"value":"12.5","currency":"USD"}},"sender_item_id":"{reference}"}}]}}"#
            )
        );
        assert_eq!(header(&sent[0], "Authorization"), Some("Bearer A21AA"));
    }
    let travel = Travel {
        destination: Destination::Other,
        institution: None,
        beneficiary: None,
        company: false,
        country: None,
        purpose: Some("Thank you \"very\" much".into()),
        answers: Vec::new(),
    };
    let noted = Instruction { travel: Some(travel), ..to_person("someone@example.com") };
    let (_, sent) = act("paypal", &noted, |_| Ok(ok(BATCH)));
    assert!(body(&sent[0]).ends_with(r#","note":"Thank you \"very\" much"}]}"#), "{}", body(&sent[0]));
}

#[test]
fn m38_a_payout_of_paypal_whose_answer_was_lost_is_known_by_the_refusal_of_its_repetition() {
    let (answer, sent) = act("paypal", &to_person("someone@example.com"), |count| match count {
        1 => Err(TransportFault::Closed),
        _ => Ok(status(400, DUPLICATE)),
    });
    assert_eq!(became(&answer), (Became::Pending, Some("5UXD2E8A7EBQJ"), None));
    assert_eq!(sent.len(), 2);
    assert_eq!(body(&sent[0]), body(&sent[1]));
    // Without a link it is unknown, never refused.
    let bare =
        r#"{"name":"USER_BUSINESS_ERROR","message":"","details":[{"issue":"Duplicate batch request"}]}"#;
    let (answer, _) = act("paypal", &to_person("someone@example.com"), |_| Ok(status(400, bare)));
    assert_eq!(became(&answer), (Became::Unknown, None, Some("repeated")));
}

#[test]
fn m38_an_error_of_paypal_that_nobody_knows_is_no_refusal() {
    let error = |name: &str| format!(r#"{{"name":"{name}","message":"m","debug_id":"1"}}"#);
    let answered = |code, name: &str| {
        let text = error(name);
        act("paypal", &to_person("someone@example.com"), move |_| Ok(status(code, &text))).0
    };
    assert_eq!(became(&answered(422, "SOMETHING_NEW")).0, Became::Unknown);
    assert_eq!(became(&answered(500, "INTERNAL_ERROR")).0, Became::Unknown);
    assert_eq!(refused(&answered(400, "VALIDATION_ERROR")), FaultCode::Provider(FaultKind::Unknown));
    assert_eq!(refused(&answered(422, "INSUFFICIENT_FUNDS")), FaultCode::Provider(FaultKind::Funds));
    assert_eq!(refused(&answered(403, "AUTHORIZATION_ERROR")), FaultCode::Provider(FaultKind::Permission));
}

#[test]
fn what_became_of_a_payout_of_paypal_is_what_its_one_item_says() {
    let item = |word: &str| {
        format!(
            r#"{{"batch_header":{{"payout_batch_id":"B1","batch_status":"SUCCESS","sender_batch_header":{{"sender_batch_id":"{}"}}}},
            "items":[{{"payout_item_id":"I1","payout_batch_id":"B1","transaction_id":"T1","transaction_status":"{word}",
            "payout_item_fee":{{"currency":"USD","value":"0.25"}},
            "payout_item":{{"amount":{{"currency":"USD","value":"12.50"}},"receiver":"someone@example.com"}}}}]}}"#,
            REFERENCE.hex()
        )
    };
    for (word, wanted) in [
        ("SUCCESS", Became::Done),
        ("UNCLAIMED", Became::Pending),
        ("ONHOLD", Became::Pending),
        ("BLOCKED", Became::Pending),
        ("FAILED", Became::Failed),
        ("RETURNED", Became::Failed),
        ("REVERSED", Became::Failed),
    ] {
        let operation = inquiry(to_person("someone@example.com"), LONG_AGO, Some("B1"));
        let answer = run("paypal", operation, |request| {
            assert_eq!(request.target, "/v1/payments/payouts/B1");
            Ok(ok(item(word)))
        });
        assert_eq!(became(&answer), (wanted, Some("B1"), None), "{word}");
        let Answer::Outcome(outcome) = answer else { panic!() };
        let told = [outcome.fee, outcome.fee_asset, outcome.txid].map(Option::unwrap);
        assert_eq!(told, ["0.25", "USD", "T1"]);
    }
    // A batch without items was processed, and nobody says how.
    let empty =
        item("SUCCESS").split(r#""items""#).next().unwrap().trim().trim_end_matches(',').to_owned() + "}";
    let operation = inquiry(to_person("someone@example.com"), LONG_AGO, Some("B1"));
    let answer = run("paypal", operation, |_| Ok(ok(empty.clone())));
    assert_eq!(became(&answer).0, Became::Pending);
}

#[test]
fn m38_a_payout_of_paypal_without_an_id_is_found_among_transactions_by_its_reference_alone() {
    let asked = |custom: &str| {
        let row = format!(
            r#"{{"transaction_details":[{{"transaction_info":{{"transaction_id":"T1","transaction_event_code":"T0001",
            "transaction_initiation_date":"2025-10-09T08:53:20Z","custom_field":"{custom}","transaction_status":"S",
            "transaction_amount":{{"currency_code":"USD","value":"-12.50"}},"fee_amount":{{"currency_code":"USD","value":"-0.25"}}}}}}]}}"#
        );
        let operation = inquiry(to_person("someone@example.com"), LONG_AGO, None);
        let answer = run("paypal", operation, |request| {
            assert!(request.target.contains("transaction_type=T0001"), "{}", request.target);
            Ok(ok(row.clone()))
        });
        became(&answer).0
    };
    assert_eq!(asked(&REFERENCE.hex()), Became::Done);
    assert_eq!(asked("another"), Became::Unknown);
    assert_eq!(asked(""), Became::Unknown, "the same amount at the same time is no proof");
}
