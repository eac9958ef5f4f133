//! Keys that a provider makes for an owner who authorises it: encrypted to a key of the enclave's, and never lost, used or
//! made twice by what a host does in between.

use crate::support::{Authority, Draft, Exchange, Machine, NOW, Owner, sandbox};
use aws_lc_rs::rsa::{KeySize, Pkcs1PublicEncryptingKey, PrivateDecryptingKey, PublicEncryptingKey};
use enclave::connector::{from_base64, to_base64};
use std::cell::RefCell;
use std::rc::Rc;
use wire::authorisation::{Begin, Begun, Finish};
use wire::capability::{Finding, State};
use wire::cose::Sign1;
use wire::operation::{Inspected, Linked, Op};
use wire::{Canonical, Refusal};

const HOSTS: [&str; 3] =
    ["accounts.binance.com.sandbox.test", "www.binanceapis.com.sandbox.test", "api.binance.com.sandbox.test"];
const CLIENT: &[u8] = br#"{"clientId":"id","clientSecret":"client-secret"}"#;
const ANSWER: &str = "code=the-code";

/// What the provider was asked, and how it behaves.
#[derive(Default)]
struct Provider {
    exchanged: usize,
    made: usize,
    /// Seals to another key than the one that came.
    foreign: bool,
    /// Cuts the connection instead of answering the call that makes a key.
    cuts: bool,
}

fn provider(authority: &Authority) -> (Exchange, Rc<RefCell<Provider>>) {
    let mut exchange = Exchange::with(&authority.issue(&HOSTS));
    let provider = Rc::new(RefCell::new(Provider::default()));
    let answering = Rc::clone(&provider);
    exchange.node = Some(Box::new(move |body: &str| answering.borrow_mut().answer(body)));
    (exchange, provider)
}

impl Provider {
    fn answer(&mut self, body: &str) -> Option<String> {
        if body.contains("grant_type=authorization_code") {
            self.exchanged += 1;
            assert!(body.contains("code=the-code&") && body.contains("code_verifier="), "{body}");
            return Some(r#"{"access_token":"token","token_type":"bearer","expires_in":60}"#.to_owned());
        }
        if let Some((_, key)) = body.split_once("publicKey=") {
            self.made += 1;
            let key = key.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
            let own = PublicEncryptingKey::from_der(&from_base64(key.as_bytes()).unwrap()).unwrap();
            let key = match self.foreign {
                true => PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap().public_key(),
                false => own,
            };
            let (key, secret) = (sealed(&key, "made-key"), sealed(&key, "made-secret"));
            let answer = format!(r#"{{"code":"000000","data":{{"apiKey":"{key}","secretKey":"{secret}"}}}}"#);
            return (!self.cuts).then_some(answer);
        }
        assert_eq!(body, "", "the key is asked what it may do");
        Some(
            r#"{"enableReading":true,"enableWithdrawals":false,"enableSpotAndMarginTrading":false}"#
                .to_owned(),
        )
    }
}

fn sealed(key: &PublicEncryptingKey, text: &str) -> String {
    let key = Pkcs1PublicEncryptingKey::new(key.clone()).unwrap();
    let mut out = vec![0; key.ciphertext_size()];
    key.encrypt(text.as_bytes(), &mut out).unwrap();
    to_base64(&out)
}

fn begin_draft(owner: &Owner, machine: &Machine, exchange: &str, client: &[u8]) -> Draft {
    let begin = Begin {
        exchange,
        client: client.into(),
        owners: owner.keys(),
        organisation: owner.organisation,
        connection: owner.connection,
        redirect: "http://127.0.0.1:8420/tensfer",
        class: wire::consent::Class::Any,
    };
    let mut draft = Draft::new(machine, Op::Begin, begin.to_bytes());
    draft.share = Some(owner.share.to_vec());
    draft.last = owner.last;
    draft
}

fn begin(owner: &mut Owner, machine: &mut Machine) -> Begun {
    let draft = begin_draft(owner, machine, "binance", CLIENT);
    Begun::from_bytes(&owner.ask_twice_signed(machine, &draft).unwrap()).unwrap()
}

fn finish_draft(owner: &Owner, machine: &Machine, pending: &[u8], answer: &str) -> Draft {
    let mut draft = owner.draft(machine, Op::Finish).now(machine);
    draft.args = Finish { answer }.to_bytes();
    draft.envelope = Some(pending.to_vec());
    draft
}

fn finish(
    owner: &mut Owner,
    machine: &mut Machine,
    exchange: &mut Exchange,
    begun: &Begun,
) -> Result<Linked, Refusal> {
    let draft = finish_draft(owner, machine, &begun.pending, &format!("{ANSWER}&state={}", begun.state));
    let result = owner.ask_over(machine, exchange, &draft)?;
    Ok(Linked::from_bytes(&result).unwrap())
}

#[test]
fn a_key_that_was_made_is_linked_and_asked_what_it_may_do() {
    let authority = Authority::sandbox();
    let (mut exchange, provider) = provider(&authority);
    let (mut machine, mut owner) = (sandbox(1, &authority), Owner::eddsa());
    let begun = begin(&mut owner, &mut machine);
    assert!(begun.url.starts_with("https://accounts.binance.com/en/oauth/authorize?response_type=code&"));
    assert!(
        begun.url.contains("&scope=account%3Astatus%2Ccreate%3Aapikey%2Cuser%3AopenId&"),
        "{}",
        begun.url
    );
    assert!(exchange.opened.is_empty(), "nobody is asked before the owner has answered");
    let linked = finish(&mut owner, &mut machine, &mut exchange, &begun).unwrap();
    let finding = Sign1::from_bytes(&linked.finding).unwrap().payload.unwrap().to_vec();
    let finding = Finding::from_bytes(&finding).unwrap();
    let state = |name: &str| finding.capabilities.iter().find(|one| one.name == name).unwrap().state;
    assert_eq!((state("read"), state("trade"), state("withdraw")), (State::Yes, State::No, State::No));
    owner.envelope = linked.envelope;
    let inspected = Inspected::from_bytes(&owner.ask(&mut machine, Op::Inspect).unwrap()).unwrap();
    assert_eq!(inspected.fields, ["apiKey", "secret"], "nothing of the client or its token is kept");
    let provider = provider.borrow();
    assert_eq!((provider.exchanged, provider.made), (1, 1));
    assert_eq!(exchange.opened.len(), 3);
}

#[test]
fn a_lost_reply_is_asked_for_again_and_neither_a_code_nor_a_key_is_asked_for_twice() {
    let authority = Authority::sandbox();
    let (mut exchange, provider) = provider(&authority);
    let (mut machine, mut owner) = (sandbox(1, &authority), Owner::eddsa());
    let begun = begin(&mut owner, &mut machine);
    let first = finish(&mut owner, &mut machine, &mut exchange, &begun).unwrap();
    let again = finish(&mut owner, &mut machine, &mut exchange, &begun).unwrap();
    assert_ne!(first.envelope, again.envelope, "sealed anew");
    assert_eq!((provider.borrow().exchanged, provider.borrow().made), (1, 1));
    for envelope in [first.envelope, again.envelope] {
        owner.envelope = envelope;
        owner.ask(&mut machine, Op::Inspect).unwrap();
    }
    // Stored: from then on the pending envelope is worth nothing.
    owner.ask(&mut machine, Op::Acknowledge).unwrap();
    let refused = finish(&mut owner, &mut machine, &mut exchange, &begun);
    assert_eq!(refused.err(), Some(Refusal::Replayed));
}

#[test]
fn what_is_sealed_to_another_key_or_never_comes_links_nothing() {
    let authority = Authority::sandbox();
    for (foreign, cuts, expected) in
        [(true, false, Refusal::AuthorisationFailed), (false, true, Refusal::ProviderUnreachable)]
    {
        let (mut exchange, provider) = provider(&authority);
        let (mut machine, mut owner) = (sandbox(1, &authority), Owner::eddsa());
        let begun = begin(&mut owner, &mut machine);
        provider.borrow_mut().foreign = foreign;
        provider.borrow_mut().cuts = cuts;
        let refused = finish(&mut owner, &mut machine, &mut exchange, &begun);
        assert_eq!(refused.err(), Some(expected));
        assert_eq!(provider.borrow().made, 1, "it is asked for once");
        // Another authorisation of the same owner is free to begin.
        provider.borrow_mut().foreign = false;
        provider.borrow_mut().cuts = false;
        let begun = begin(&mut owner, &mut machine);
        finish(&mut owner, &mut machine, &mut exchange, &begun).unwrap();
    }
}

#[test]
fn an_answer_of_another_authorisation_never_reaches_the_provider() {
    let authority = Authority::sandbox();
    let (mut exchange, provider) = provider(&authority);
    let (mut machine, mut owner) = (sandbox(1, &authority), Owner::eddsa());
    let (begun, other) = (begin(&mut owner, &mut machine), begin(&mut owner, &mut machine));
    for answer in [
        ANSWER.to_owned(),
        format!("{ANSWER}&state="),
        format!("{ANSWER}&state={}", other.state),
        format!("{ANSWER}&state={}&state={}", begun.state, begun.state),
        format!("state={}", begun.state),
    ] {
        let draft = finish_draft(&owner, &machine, &begun.pending, &answer);
        let refused = owner.ask_over(&mut machine, &mut exchange, &draft);
        assert_eq!(refused, Err(Refusal::AnswerRefused), "{answer}");
    }
    let draft =
        finish_draft(&owner, &machine, &begun.pending, &format!("error=access_denied&state={}", begun.state));
    assert_eq!(owner.ask_over(&mut machine, &mut exchange, &draft), Err(Refusal::ConsentDenied));
    machine.pass(10 * 60_000);
    machine.claim(NOW.plus(machine.monotonic));
    let late = finish(&mut owner, &mut machine, &mut exchange, &begun);
    assert_eq!(late.err(), Some(Refusal::AnswerRefused), "ten minutes are over");
    assert_eq!(provider.borrow().exchanged, 0);
    assert!(exchange.opened.is_empty());
}

#[test]
fn a_pending_envelope_that_was_altered_or_is_somebody_elses_opens_nothing() {
    let authority = Authority::sandbox();
    let (mut exchange, _provider) = provider(&authority);
    let (mut machine, mut owner) = (sandbox(1, &authority), Owner::eddsa());
    let begun = begin(&mut owner, &mut machine);
    let answer = format!("{ANSWER}&state={}", begun.state);
    for at in (0..begun.pending.len()).step_by(7) {
        let mut altered = begun.pending.clone();
        altered[at] ^= 1;
        let draft = finish_draft(&owner, &machine, &altered, &answer);
        let refused = owner.ask_over(&mut machine, &mut exchange, &draft).unwrap_err();
        let known =
            [Refusal::EnvelopeRefused, Refusal::Malformed, Refusal::UnknownEpoch, Refusal::NotAuthorised];
        assert!(known.contains(&refused), "byte {at}: {refused:?}");
    }
    let mut thief = Owner::eddsa();
    let draft = finish_draft(&thief, &machine, &begun.pending, &answer);
    assert_eq!(thief.ask_over(&mut machine, &mut exchange, &draft), Err(Refusal::EnvelopeRefused));
    thief.share = owner.share;
    let draft = finish_draft(&thief, &machine, &begun.pending, &answer);
    assert_eq!(thief.ask_over(&mut machine, &mut exchange, &draft), Err(Refusal::NotAuthorised));
    // Neither does any other operation take it.
    for op in [Op::Balances, Op::Inspect, Op::Acknowledge, Op::Refresh, Op::Revoke] {
        let mut draft = if op == Op::Balances {
            owner.balances_draft(&machine, "EUR")
        } else {
            owner.draft(&machine, op)
        };
        draft.envelope = Some(begun.pending.clone());
        assert_eq!(owner.ask_draft(&mut machine, &draft), Err(Refusal::EnvelopeRefused), "{op:?}");
    }
    assert!(exchange.opened.is_empty());
}

#[test]
fn only_a_client_that_was_named_whole_begins_and_only_where_keys_are_made() {
    let authority = Authority::sandbox();
    let mut machine = sandbox(1, &authority);
    for (exchange, client, expected) in [
        ("okx", CLIENT, Refusal::NotOffered),
        ("binanceus", CLIENT, Refusal::NotOffered),
        ("binance", br#"{"clientId":"id"}"#, Refusal::CredentialMalformed),
        ("binance", br#"{"clientId":"id","clientSecret":"s","apiKey":"k"}"#, Refusal::CredentialMalformed),
        ("binance", br#"{"apiKey":"k","secret":"s"}"#, Refusal::CredentialMalformed),
    ] {
        let mut owner = Owner::eddsa();
        let draft = begin_draft(&owner, &machine, exchange, client);
        assert_eq!(owner.ask_twice_signed(&mut machine, &draft), Err(expected), "{exchange}");
    }
}
