//! Keys that a provider replaces or ends, while the host loses answers and the provider gives what was not asked for.

use crate::freshness::withhold_what_is_committed;
use crate::support::keeper::Keeper;
use crate::support::{Authority, Exchange, Machine, Owner, envelope_at, roots, sandbox};
use enclave::egress::Trust;
use std::cell::RefCell;
use std::rc::Rc;
use wire::balance::{Holdings, Status};
use wire::capability::{Finding, State};
use wire::cose::Sign1;
use wire::operation::{Balances, Inspected, Nothing, Op};
use wire::provider_key::{AtProvider, KeyMade, KeyRetired, Panicked, RotateKey, Step};
use wire::{Canonical, Refusal};

const HOST: &str = "www.deribit.com.sandbox.test";
const SCOPE: &str = "account:read_write trade:read wallet:read";

/// An account with its keys, as Deribit documents them.
struct Account {
    keys: Vec<Key>,
    next: u32,
    /// The paths that were asked, in order.
    asked: Vec<String>,
    fault: Fault,
}

struct Key {
    id: u32,
    client: String,
    name: String,
    scope: String,
    pinned: bool,
}

/// What goes wrong at the provider, once or always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// The connection ends after the provider has done what this path asks.
    CutsAfter(&'static str),
    /// It ends before.
    CutsBefore(&'static str),
    Wider,
    SameKey,
    NoKey,
    Html,
    /// A new key is refused when it is tried.
    Untried,
    /// No signature of anybody's is right.
    Signature,
    /// A code is asked for.
    Challenge,
    /// The list leaves out the key that asks.
    OtherList,
}

impl Account {
    fn answer(&mut self, request: &str) -> Option<String> {
        let target = request.split(' ').nth(1).unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let call = path.rsplit('/').next().unwrap().to_owned();
        let value = |name: &str| {
            let pair = query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
            pair.map(|value| value.replace("%20", " ").replace("%3A", ":"))
        };
        if path.contains("/public/") {
            return Some(http(r#"{"jsonrpc":"2.0","result":[]}"#));
        }
        self.asked.push(call.clone());
        let signer = request.split("deri-hmac-sha256 id=").nth(1).unwrap().split(',').next().unwrap();
        if !self.keys.iter().any(|key| key.client == signer) {
            return Some(refused(13004, "invalid_credentials"));
        }
        if self.fault == Fault::Signature {
            return Some(refused(13009, "unauthorized"));
        }
        if self.fault == Fault::CutsBefore(call_name(&call)) {
            return None;
        }
        let result = match call.as_str() {
            "list_api_keys" if self.fault == Fault::OtherList => {
                let others = self.keys.iter().filter(|key| key.client != signer).map(Key::told);
                format!("[{}]", others.collect::<Vec<_>>().join(","))
            }
            "list_api_keys" => self.list(),
            "create_api_key" => match self.fault {
                Fault::Challenge => return Some(refused(13015, "tfa_required")),
                Fault::Html => return Some(http("<html>sign in</html>")),
                Fault::NoKey => r#"{"id":99,"max_scope":"account:read_write"}"#.to_owned(),
                Fault::SameKey => self.keys[0].told(),
                _ => self.create(&value("name").unwrap(), &value("max_scope").unwrap()),
            },
            "remove_api_key" => {
                let id: u32 = value("id").unwrap().parse().unwrap();
                self.keys.retain(|key| key.id != id);
                r#""ok""#.to_owned()
            }
            "get_account_summaries" if self.fault == Fault::Untried => {
                return Some(refused(13021, "forbidden"));
            }
            "get_account_summaries" => r#"{"summaries":[]}"#.to_owned(),
            other => panic!("{other}"),
        };
        if self.fault == Fault::CutsAfter(call_name(&call)) {
            return None;
        }
        Some(http(&format!(r#"{{"jsonrpc":"2.0","result":{result}}}"#)))
    }

    fn create(&mut self, name: &str, scope: &str) -> String {
        assert!(name.len() == 16 && name.starts_with("tensfer_"), "{name}");
        self.next += 1;
        let scope = match self.fault {
            Fault::Wider => format!("{scope} block_trade:read_write"),
            _ => scope.to_owned(),
        };
        let key = Key {
            id: self.next,
            client: format!("made-{}", self.next),
            name: name.to_owned(),
            scope,
            pinned: false,
        };
        let told = key.told();
        self.keys.push(key);
        told
    }

    fn list(&self) -> String {
        let keys: Vec<String> = self.keys.iter().map(Key::told).collect();
        format!("[{}]", keys.join(","))
    }

    fn clients(&self) -> Vec<&str> {
        self.keys.iter().map(|key| key.client.as_str()).collect()
    }
}

impl Key {
    fn told(&self) -> String {
        let pinned = if self.pinned { r#""10.0.0.1""# } else { "" };
        format!(
            r#"{{"id":{},"client_id":"{}","client_secret":"secret-of-{}","name":"{}","max_scope":"{}","enabled":true,"ip_whitelist":[{pinned}],"enabled_features":[]}}"#,
            self.id, self.client, self.client, self.name, self.scope
        )
    }
}

fn call_name(call: &str) -> &'static str {
    ["list_api_keys", "create_api_key", "remove_api_key", "get_account_summaries"]
        .into_iter()
        .find(|known| *known == call)
        .unwrap()
}

fn refused(code: u32, message: &str) -> String {
    http(&format!(r#"{{"jsonrpc":"2.0","error":{{"code":{code},"message":"{message}"}}}}"#))
}

fn http(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// An owner of one key, beside one of somebody else's making that nobody here may touch.
struct Scene {
    machine: Machine,
    owner: Owner,
    exchange: Exchange,
    account: Rc<RefCell<Account>>,
}

fn scene() -> Scene {
    let authority = Authority::sandbox();
    let mut owner = Owner::eddsa();
    owner.credential = br#"{"apiKey":"first","secret":"secret-of-first"}"#.to_vec();
    owner.envelope = envelope_at("deribit", &owner, &roots(1));
    let key = |id, client: &str, name: &str| Key {
        id,
        client: client.to_owned(),
        name: name.to_owned(),
        scope: SCOPE.to_owned(),
        pinned: false,
    };
    let keys = vec![key(1, "first", "mine"), key(2, "foreign", "tensfer_00000000")];
    let account = Account { keys, next: 2, asked: Vec::new(), fault: Fault::None };
    let account = Rc::new(RefCell::new(account));
    let mut exchange = Exchange::with(&authority.issue(&[HOST]));
    let answering = Rc::clone(&account);
    exchange.api = Some(Box::new(move |request: &str| answering.borrow_mut().answer(request)));
    Scene { machine: sandbox(1, &authority), owner, exchange, account }
}

impl Scene {
    fn ask(&mut self, op: Op, args: Vec<u8>) -> Result<Vec<u8>, Refusal> {
        let mut draft = self.owner.draft(&self.machine, op).now(&self.machine);
        draft.args = args;
        self.owner.ask_over(&mut self.machine, &mut self.exchange, &draft)
    }

    fn make(&mut self) -> Result<KeyMade, Refusal> {
        let args = RotateKey { step: Step::Make }.to_bytes();
        self.ask(Op::RotateKey, args).map(|result| KeyMade::from_bytes(&result).unwrap())
    }

    fn retire(&mut self) -> Result<u32, Refusal> {
        let args = RotateKey { step: Step::Retire }.to_bytes();
        self.ask(Op::RotateKey, args).map(|result| KeyRetired::from_bytes(&result).unwrap().deleted)
    }

    fn store(&mut self, made: KeyMade) {
        self.owner.envelope = made.envelope;
        let draft = self.owner.draft(&self.machine, Op::Acknowledge).now(&self.machine);
        self.owner.ask_draft(&mut self.machine, &draft).unwrap();
    }

    fn panic(&mut self) -> Result<Panicked, Refusal> {
        let args = Nothing {}.to_bytes();
        self.ask(Op::Panic, args).map(|result| Panicked::from_bytes(&result).unwrap())
    }

    fn fault(&self, fault: Fault) {
        self.account.borrow_mut().fault = fault;
    }

    fn clients(&self) -> Vec<String> {
        self.account.borrow().clients().into_iter().map(str::to_owned).collect()
    }

    fn asked(&self) -> Vec<String> {
        self.account.borrow().asked.clone()
    }

    /// Whether what the owner holds can be used at the provider.
    fn uses(&mut self) {
        self.fault(Fault::None);
        let args = Balances { currency: "EUR".into() }.to_bytes();
        let holdings = Holdings::from_bytes(&self.ask(Op::Balances, args).unwrap()).unwrap();
        let account = holdings.sources.iter().find(|source| source.name == "account").unwrap();
        assert_eq!(account.status, Status::Complete);
    }

    /// Another start: nothing is held.
    fn restart(&mut self) {
        let authority = Authority::sandbox();
        self.machine = sandbox(2, &authority);
        self.exchange_anew(&authority);
    }

    fn exchange_anew(&mut self, authority: &Authority) {
        let mut exchange = Exchange::with(&authority.issue(&[HOST]));
        let answering = Rc::clone(&self.account);
        exchange.api = Some(Box::new(move |request: &str| answering.borrow_mut().answer(request)));
        self.exchange = exchange;
    }
}

#[test]
fn a_key_is_made_tried_stored_and_then_the_one_before_it_is_deleted() {
    let mut scene = scene();
    let made = scene.make().unwrap();
    assert_eq!(made.generation, 2);
    assert_eq!(scene.asked(), ["list_api_keys", "create_api_key", "get_account_summaries"]);
    assert_eq!(scene.clients(), ["first", "foreign", "made-3"], "both work until the new one is stored");
    let finding = Sign1::from_bytes(&made.finding).unwrap().payload.unwrap().to_vec();
    let finding = Finding::from_bytes(&finding).unwrap();
    assert_eq!(finding.capabilities[0].state, State::Yes);
    scene.store(made);
    assert_eq!(scene.retire(), Ok(1));
    assert_eq!(scene.clients(), ["foreign", "made-3"], "nobody else's key is touched");
    assert_eq!(scene.retire(), Ok(0), "again it changes nothing");
    let draft = scene.owner.draft(&scene.machine, Op::Inspect).now(&scene.machine);
    let inspected = scene.owner.ask_draft(&mut scene.machine, &draft).unwrap();
    let inspected = Inspected::from_bytes(&inspected).unwrap();
    assert_eq!(inspected.finding, finding, "what the new key may do is in its envelope");
    assert_eq!(inspected.fields, ["apiKey", "retires", "secret"]);
}

#[test]
fn a_key_is_rotated_again_and_again_and_one_is_left() {
    let mut scene = scene();
    for _ in 0..3 {
        let made = scene.make().unwrap();
        scene.store(made);
        assert_eq!(scene.retire(), Ok(1));
    }
    assert_eq!(scene.clients(), ["foreign", "made-5"]);
}

#[test]
fn a_lost_reply_gives_the_same_key_again_and_none_is_made_twice() {
    let mut scene = scene();
    let first = scene.make().unwrap();
    let again = scene.make().unwrap();
    assert_ne!(first.envelope, again.envelope, "sealed anew");
    assert_eq!(scene.clients(), ["first", "foreign", "made-3"]);
    scene.store(again);
    assert_eq!(scene.retire(), Ok(1));
}

#[test]
fn a_key_that_was_made_and_never_stored_is_found_by_its_name_and_deleted() {
    // The enclave ends before its owner has stored it.
    let mut lost = scene();
    lost.make().unwrap();
    lost.restart();
    let made = lost.make().unwrap();
    assert_eq!(lost.clients(), ["first", "foreign", "made-4"], "made-3 is nobody's, and gone");
    lost.store(made);
    assert_eq!(lost.retire(), Ok(1));
    assert_eq!(lost.clients(), ["foreign", "made-4"]);
    // The provider's answer never comes.
    for fault in [Fault::CutsAfter("create_api_key"), Fault::CutsAfter("get_account_summaries")] {
        let mut scene = scene();
        scene.fault(fault);
        assert_eq!(scene.make().err(), Some(Refusal::ProviderUnreachable), "{fault:?}");
        assert!(scene.clients().contains(&"first".to_owned()), "{fault:?}");
        scene.uses();
        scene.make().unwrap();
        assert_eq!(scene.clients().len(), 3, "{fault:?}: {:?}", scene.clients());
        assert!(scene.clients().contains(&"first".to_owned()));
    }
}

#[test]
fn wherever_the_way_is_cut_one_key_works_and_the_next_attempt_leaves_one() {
    for path in ["list_api_keys", "create_api_key", "get_account_summaries", "remove_api_key"] {
        for fault in [Fault::CutsBefore(path), Fault::CutsAfter(path)] {
            let mut scene = scene();
            scene.fault(fault);
            let made = scene.make();
            scene.fault(Fault::None);
            let made = made.or_else(|_| scene.make()).unwrap();
            assert!(scene.clients().contains(&"first".to_owned()), "{fault:?}");
            scene.store(made);
            scene.fault(fault);
            let retired = scene.retire();
            scene.fault(Fault::None);
            retired.or_else(|_| scene.retire()).unwrap();
            let left = scene.clients();
            assert!(left.len() == 2 && left[0] == "foreign", "{fault:?}: {left:?}");
            scene.uses();
        }
    }
}

#[test]
fn a_provider_that_gives_more_rights_no_key_the_same_key_or_a_page_changes_nothing() {
    for (fault, expected) in [
        (Fault::Wider, Refusal::RightsWidened),
        (Fault::SameKey, Refusal::ProviderFailed),
        (Fault::NoKey, Refusal::ProviderFailed),
        (Fault::Html, Refusal::ProviderFailed),
        (Fault::Untried, Refusal::PermissionMissing),
        (Fault::Challenge, Refusal::ChallengeNeeded),
    ] {
        let mut scene = scene();
        scene.fault(fault);
        assert_eq!(scene.make().err(), Some(expected), "{fault:?}");
        assert_eq!(scene.clients(), ["first", "foreign"], "{fault:?}: nothing is left behind");
        // And it is free to be asked again.
        scene.fault(Fault::None);
        scene.make().unwrap();
    }
}

#[test]
fn a_key_that_is_bound_to_addresses_is_not_replaced_by_one_that_is_not() {
    let mut scene = scene();
    scene.account.borrow_mut().keys[0].pinned = true;
    assert_eq!(scene.make().err(), Some(Refusal::RightsWidened));
    assert_eq!(scene.asked(), ["list_api_keys"]);
}

#[test]
fn a_list_without_the_key_that_asks_deletes_nothing() {
    let mut scene = scene();
    let made = scene.make().unwrap();
    scene.store(made);
    scene.fault(Fault::OtherList);
    assert_eq!(scene.retire(), Err(Refusal::ProviderFailed));
    assert_eq!(scene.make().err(), Some(Refusal::ProviderFailed));
    assert_eq!(scene.clients(), ["first", "foreign", "made-3"]);
}

#[test]
fn where_a_provider_makes_no_keys_none_is_asked_for() {
    let authority = Authority::sandbox();
    let (mut machine, mut owner) = (sandbox(1, &authority), Owner::eddsa());
    let mut draft = owner.draft(&machine, Op::RotateKey);
    draft.args = RotateKey { step: Step::Make }.to_bytes();
    assert_eq!(owner.ask_draft(&mut machine, &draft), Err(Refusal::NotOffered));
}

#[test]
fn panic_ends_the_key_at_its_provider_and_the_connection_for_good() {
    let mut scene = scene();
    let made = scene.make().unwrap();
    // The new key is not stored yet: both end, and nothing of anybody else.
    let panicked = scene.panic().unwrap();
    assert_eq!(panicked, Panicked { at_provider: AtProvider::Ended, refusal: None });
    assert_eq!(scene.clients(), ["foreign"]);
    for op in [Op::Inspect, Op::Forget] {
        let draft = scene.owner.draft(&scene.machine, op).now(&scene.machine);
        let refused = scene.owner.ask_draft(&mut scene.machine, &draft);
        assert_eq!(refused, Err(Refusal::Forgotten), "{op:?}");
    }
    scene.owner.envelope = made.envelope;
    let draft = scene.owner.draft(&scene.machine, Op::Acknowledge).now(&scene.machine);
    let refused = scene.owner.ask_draft(&mut scene.machine, &draft);
    assert_eq!(refused, Err(Refusal::Forgotten), "what was pending neither");
    // Given again, there is nothing left to end.
    let again = scene.panic().unwrap();
    assert_eq!(again.at_provider, AtProvider::Unknown);
}

#[test]
fn panic_that_does_not_reach_the_provider_still_ends_the_connection_and_can_be_given_again() {
    for path in ["list_api_keys", "remove_api_key"] {
        let mut scene = scene();
        scene.fault(Fault::CutsBefore(path));
        let panicked = scene.panic().unwrap();
        assert_eq!(panicked.at_provider, AtProvider::Failed);
        assert_eq!(panicked.refusal, Some(Refusal::ProviderUnreachable));
        assert_eq!(scene.make().err(), Some(Refusal::Forgotten), "it is refused all the same");
        scene.fault(Fault::None);
        assert_eq!(scene.panic().unwrap().at_provider, AtProvider::Ended);
        assert_eq!(scene.clients(), ["foreign"]);
    }
    // The answer to the last deletion is lost: asked again, the provider does not know the key.
    let mut scene = scene();
    scene.fault(Fault::CutsAfter("remove_api_key"));
    assert_eq!(scene.panic().unwrap().at_provider, AtProvider::Failed);
    scene.fault(Fault::None);
    assert_eq!(scene.panic().unwrap().at_provider, AtProvider::Unknown);
}

#[test]
fn a_key_that_is_refused_for_anything_but_being_gone_is_not_said_to_be_gone() {
    let failed = Panicked { at_provider: AtProvider::Failed, refusal: Some(Refusal::CredentialRefused) };
    let mut scene = scene();
    scene.fault(Fault::Signature);
    assert_eq!(scene.panic(), Ok(failed));
    assert_eq!(scene.clients(), ["first", "foreign"], "it works on");
    scene.fault(Fault::None);
    assert_eq!(scene.panic().unwrap().at_provider, AtProvider::Ended);
    // The client's secret was changed at the provider: its tokens live on. Only of the token itself is it certain.
    let gone = Panicked { at_provider: AtProvider::Unknown, refusal: None };
    for (error, told) in [("invalid_client", failed), ("invalid_token", failed), ("invalid_grant", gone)] {
        let authority = Authority::sandbox();
        let (mut machine, mut owner) = (sandbox(1, &authority), Owner::eddsa());
        owner.credential =
            br#"{"clientId":"id","clientSecret":"s","access_token":"a0","refresh_token":"r0","expires":"1"}"#
                .to_vec();
        owner.envelope = envelope_at("coinbase_oauth", &owner, &roots(1));
        let mut exchange = Exchange::with(&authority.issue(&["login.coinbase.com.sandbox.test"]));
        exchange.node = Some(Box::new(move |_| Some(format!(r#"{{"error":"{error}"}}"#))));
        let draft = owner.draft(&machine, Op::Panic);
        let panicked = owner.ask_over(&mut machine, &mut exchange, &draft).unwrap();
        assert_eq!(Panicked::from_bytes(&panicked), Ok(told), "{error}");
    }
}

#[test]
fn panic_of_a_key_that_no_call_ends_says_so_and_ends_the_connection() {
    let authority = Authority::sandbox();
    let (mut machine, mut owner) = (sandbox(1, &authority), Owner::eddsa());
    let panicked = owner.ask(&mut machine, Op::Panic).unwrap();
    let panicked = Panicked::from_bytes(&panicked).unwrap();
    assert_eq!(panicked, Panicked { at_provider: AtProvider::NotOffered, refusal: None });
    assert_eq!(owner.ask(&mut machine, Op::Inspect), Err(Refusal::Forgotten));
}

#[test]
fn neither_is_done_for_anybody_but_a_holder_of_the_device_key_and_the_share() {
    let mut scene = scene();
    let stranger = Owner::eddsa();
    for op in [Op::RotateKey, Op::Panic] {
        let args = match op {
            Op::RotateKey => RotateKey { step: Step::Make }.to_bytes(),
            _ => Nothing {}.to_bytes(),
        };
        let mut draft = scene.owner.draft(&scene.machine, op);
        draft.args = args;
        let refused = scene.owner.ask_by(&mut scene.machine, &draft, &[&stranger.device]);
        assert_eq!(refused, Err(Refusal::NotAuthorised), "{op:?}");
        draft.share = Some(stranger.share.to_vec());
        let refused = scene.owner.ask_draft(&mut scene.machine, &draft);
        assert_eq!(refused, Err(Refusal::EnvelopeRefused), "{op:?}");
    }
    assert!(scene.asked().is_empty());
}

/// Asked for, begun, and its result never committed.
fn withheld(scene: &mut Scene, op: Op, args: Vec<u8>) -> Refusal {
    let mut draft = scene.owner.draft(&scene.machine, op).now(&scene.machine);
    draft.args = args;
    let sealed = draft.seal(&[&scene.owner.device]);
    let stream = scene.machine.begin(&sealed.bytes);
    scene.machine.keeper.is_silent = true;
    scene.exchange.run(&mut scene.machine);
    withhold_what_is_committed(&mut scene.machine);
    let answer = scene.machine.answer(stream);
    sealed.open(answer, &scene.machine).result.unwrap_err()
}

#[test]
fn a_key_whose_envelope_was_never_committed_is_handed_out_again_and_none_is_made_twice() {
    let mut scene = scene();
    let args = RotateKey { step: Step::Make }.to_bytes();
    assert_eq!(withheld(&mut scene, Op::RotateKey, args), Refusal::NoQuorum);
    assert_eq!(scene.clients(), ["first", "foreign", "made-3"]);
    let made = scene.make().unwrap();
    assert_eq!(scene.clients(), ["first", "foreign", "made-3"]);
    scene.store(made);
    // The end of the old key, too: it is gone, and asked for again.
    let args = RotateKey { step: Step::Retire }.to_bytes();
    assert_eq!(withheld(&mut scene, Op::RotateKey, args), Refusal::NoQuorum);
    assert_eq!(scene.clients(), ["foreign", "made-3"]);
    assert_eq!(scene.retire(), Ok(0));
    scene.uses();
}

#[test]
fn a_panic_whose_result_was_never_committed_has_ended_the_key_and_is_told_when_it_is_asked_for_again() {
    let mut scene = scene();
    assert_eq!(withheld(&mut scene, Op::Panic, Nothing {}.to_bytes()), Refusal::NoQuorum);
    assert_eq!(scene.clients(), ["foreign"]);
    assert_eq!(scene.panic(), Ok(Panicked { at_provider: AtProvider::Unknown, refusal: None }));
}

#[test]
fn a_panic_without_the_line_ends_the_key_at_once_and_is_recorded_when_it_is_asked_for_with_it() {
    let mut scene = scene();
    let mut keeper = Keeper::new(1, 1);
    keeper.witnesses[0].is_awake = false;
    let authority = Authority::sandbox();
    let trust = || Trust::sandbox(authority.der()).unwrap();
    scene.machine = Machine::start_with(3, roots(1), trust(), keeper);
    scene.exchange_anew(&authority);
    assert_eq!(scene.panic(), Err(Refusal::NoQuorum));
    assert_eq!(scene.clients(), ["foreign"]);
    assert_eq!(scene.panic(), Err(Refusal::NoQuorum), "given again it changes nothing");
    scene.machine.keeper.witnesses[0].is_awake = true;
    scene.machine.pass(10_000);
    assert_eq!(scene.panic(), Ok(Panicked { at_provider: AtProvider::Unknown, refusal: None }));
    let draft = scene.owner.draft(&scene.machine, Op::Inspect).now(&scene.machine);
    assert_eq!(scene.owner.ask_draft(&mut scene.machine, &draft), Err(Refusal::Forgotten));
    let mut next = Machine::start_with(4, roots(1), trust(), scene.machine.keeper.clone());
    assert_eq!(scene.owner.ask(&mut next, Op::Inspect), Err(Refusal::Forgotten), "for good");
}
