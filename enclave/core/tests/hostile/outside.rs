//! What happens at a provider, and the head that comes before it: a host that keeps heads from being committed, so that an
//! enclave which has lost its line cannot know, gets nothing begun outside that cannot be begun twice
//! (docs/spec/freshness.md §4).

use crate::freshness::until_commit;
use crate::support::keeper::Keeper;
use crate::support::{
    Answer, Authority, Draft, Key, Machine, NOW, Owner, Sealed, envelope_at, roots, sandbox,
};
use enclave::egress::Trust;
use wire::action::{Instruction, Kind as Moves, Reference, Side};
use wire::authorisation::{Begin, Begun, Finish};
use wire::frame::Kind;
use wire::freshness::Commit;
use wire::operation::{Op, Rotate, Rotated};
use wire::provider_key::{RotateKey, Step};
use wire::{Canonical, Refusal};

const KEYS: &[u8] = br#"{"apiKey":"K1","secret":"S3CRET-S3CRET"}"#;

/// One operation of an owner on an account somewhere.
struct Scene {
    machine: Machine,
    owner: Owner,
    draft: Draft,
}

type Case = (&'static str, fn(&Authority) -> Scene);

/// Everything that uses up, makes, moves or deletes something at a provider; a wallet's payment is in [`crate::paying`].
const WAITING: [Case; 8] = [
    ("a withdrawal", |authority| act(authority, "binance", KEYS, withdrawal())),
    ("a transfer", |authority| act(authority, "binance", KEYS, transfer())),
    ("a conversion", |authority| act(authority, "binance", KEYS, conversion())),
    ("an order", |authority| act(authority, "binance", KEYS, order())),
    ("a payout", |authority| act(authority, "stripe", br#"{"apiKey":"rk_test_1"}"#, payout())),
    ("new tokens", |authority| scene(authority, "coinbase_oauth", TOKENS, Op::Refresh, nothing())),
    ("a new key", |authority| scene(authority, "deribit", KEYS, Op::RotateKey, step(Step::Make))),
    ("the end of the key before", |authority| {
        let retiring = br#"{"apiKey":"K2","retires":"7","secret":"S3CRET-S3CRET"}"#;
        scene(authority, "deribit", retiring, Op::RotateKey, step(Step::Retire))
    }),
];

const TOKENS: &[u8] =
    br#"{"clientId":"id","clientSecret":"s","access_token":"a0","refresh_token":"r0","expires":"1"}"#;

fn scene(authority: &Authority, provider: &str, credential: &[u8], op: Op, args: Vec<u8>) -> Scene {
    let mut owner = Owner::eddsa();
    owner.credential = credential.to_vec();
    owner.envelope = envelope_at(provider, &owner, &roots(1));
    let machine = sandbox(1, authority);
    let mut draft = owner.draft(&machine, op);
    draft.args = args;
    Scene { machine, owner, draft }
}

fn act(authority: &Authority, provider: &str, credential: &[u8], instruction: Instruction) -> Scene {
    scene(authority, provider, credential, Op::Act, instruction.to_bytes())
}

/// An answer from a provider where its owner has signed in.
fn finish(authority: &Authority) -> Scene {
    let mut scene = scene(authority, "coinbase_oauth", TOKENS, Op::Finish, nothing());
    let begin = Begin {
        exchange: "coinbase_oauth",
        client: br#"{"clientId":"id","clientSecret":"s"}"#.as_slice().into(),
        owners: scene.owner.keys(),
        organisation: scene.owner.organisation,
        connection: scene.owner.connection,
        redirect: "http://127.0.0.1:8420/tensfer",
        class: wire::consent::Class::Any,
    };
    let mut draft = Draft::new(&scene.machine, Op::Begin, begin.to_bytes());
    draft.share = Some(scene.owner.share.to_vec());
    let begun = scene.owner.ask_twice_signed(&mut scene.machine, &draft).unwrap();
    let Begun { pending, state, .. } = Begun::from_bytes(&begun).unwrap();
    assert!(scene.opened().is_empty(), "signing in begins at the person's own browser");
    let mut draft = scene.owner.draft(&scene.machine, Op::Finish);
    draft.args = Finish { answer: &format!("code=the-code&state={state}") }.to_bytes();
    draft.envelope = Some(pending);
    Scene { draft, ..scene }
}

fn step(step: Step) -> Vec<u8> {
    RotateKey { step }.to_bytes()
}

fn nothing() -> Vec<u8> {
    wire::operation::Nothing {}.to_bytes()
}

fn instruction(kind: Moves, asset: &str) -> Instruction {
    Instruction::new(kind, Reference([0xA5; 16]), asset, "25".parse().unwrap())
}

fn withdrawal() -> Instruction {
    Instruction {
        chain: Some("eip155:1".into()),
        address: Some("0x52908400098527886E0F7030069857D2E4169EE7".into()),
        fee_included: true,
        ..instruction(Moves::Withdraw, "USDT")
    }
}

fn transfer() -> Instruction {
    Instruction { to: Some("funding".into()), ..instruction(Moves::Transfer, "USDT") }
}

fn conversion() -> Instruction {
    Instruction { to_asset: Some("USDT".into()), ..instruction(Moves::Convert, "USDC") }
}

fn order() -> Instruction {
    let to_asset = Some("USDT".into());
    Instruction { to_asset, side: Some(Side::Buy), counts_quote: true, ..instruction(Moves::Order, "BTC") }
}

fn payout() -> Instruction {
    Instruction { saved: Some("ba_1Own".into()), ..instruction(Moves::Withdraw, "USD") }
}

impl Scene {
    /// Delivers the operation, signed by as many factors as it takes at most.
    fn begin(&mut self) -> (Sealed, u32) {
        let by: Vec<&Key> = match self.draft.op {
            Op::Act => vec![&self.owner.device, &self.owner.second],
            _ => vec![&self.owner.device],
        };
        let sealed = self.draft.seal(&by);
        let stream = self.machine.begin(&sealed.bytes);
        (sealed, stream)
    }

    /// The streams towards providers that were opened, or written to.
    fn opened(&mut self) -> Vec<u32> {
        let opened =
            self.machine.take(Kind::EgressOpen).into_iter().chain(self.machine.take(Kind::EgressSend));
        opened.map(|(stream, _)| stream).collect()
    }

    /// The host shows what it is asked for, and has nothing witnessed: the head that it was given.
    fn withhold(&mut self) -> (Sealed, u32, Commit) {
        self.machine.keeper.is_silent = true;
        let (sealed, stream) = self.begin();
        let commit = until_commit(&mut self.machine);
        (sealed, stream, commit)
    }

    fn answer(&mut self, sealed: &Sealed, stream: u32) -> Result<Vec<u8>, Refusal> {
        match self.machine.answer(stream) {
            // In the clear, as a host refuses: what was carried out is not said to be refused.
            Answer::Refused(refusal) => Err(refusal),
            answer => sealed.open(answer, &self.machine).result,
        }
    }
}

fn all() -> impl Iterator<Item = Case> {
    WAITING.into_iter().chain([("the code of who signed in", finish as fn(&Authority) -> Scene)])
}

#[test]
fn m38_nothing_is_begun_at_a_provider_before_a_head_is_committed() {
    let authority = Authority::sandbox();
    for (what, scene) in all() {
        let mut scene = scene(&authority);
        let (sealed, stream, commit) = scene.withhold();
        assert_eq!(scene.opened(), [0; 0], "{what}");
        scene.machine.pass(9_999);
        assert!(matches!(scene.machine.answer(stream), Answer::Nothing), "{what}");
        scene.machine.pass(1);
        assert_eq!(scene.answer(&sealed, stream), Err(Refusal::NoQuorum), "{what}");
        // Committed when its owner was told that nothing was begun: too late.
        let advance = scene.machine.keeper.store(&commit);
        let committed = scene.machine.keeper.witness(&advance);
        scene.machine.frame(Kind::Committed, 0, &committed.to_bytes());
        assert_eq!(scene.opened(), [0; 0], "{what}, late");
    }
}

#[test]
fn with_a_head_that_is_committed_each_of_them_is_begun_at_once() {
    let authority = Authority::sandbox();
    for (what, scene) in all() {
        let mut scene = scene(&authority);
        scene.begin();
        assert!(!scene.opened().is_empty(), "{what}");
    }
}

#[test]
fn m38_a_start_that_has_lost_its_line_begins_nothing_at_a_provider_without_knowing_it() {
    let authority = Authority::sandbox();
    for (what, scene) in all() {
        let mut scene = scene(&authority);
        let other = Machine::start_with(
            2,
            roots(1),
            Trust::sandbox(authority.der()).unwrap(),
            scene.machine.keeper.clone(),
        );
        scene.machine.keeper.witnesses = other.keeper.witnesses;
        let (sealed, stream) = scene.begin();
        assert_eq!(scene.answer(&sealed, stream), Err(Refusal::LineLost), "{what}");
        assert_eq!(scene.opened(), [0; 0], "{what}");
    }
}

/// Delivers what its owner asks besides, whose reply waits for the next head; then the host has the first one witnessed.
fn commit_after(scene: &mut Scene, commit: &Commit, op: Op, envelope: Option<Vec<u8>>) {
    let mut draft = scene.owner.draft(&scene.machine, op);
    draft.envelope = envelope.or(draft.envelope);
    scene.machine.begin(&draft.seal(&[&scene.owner.device]).bytes);
    scene.machine.keeper.is_silent = false;
    let advance = scene.machine.keeper.store(commit);
    let committed = scene.machine.keeper.witness(&advance);
    scene.machine.frame(Kind::Committed, 0, &committed.to_bytes());
}

#[test]
fn m38_what_waits_for_a_head_is_not_begun_once_its_owner_has_given_the_connection_up() {
    let authority = Authority::sandbox();
    for (what, scene) in WAITING {
        let mut scene = scene(&authority);
        let (sealed, stream, commit) = scene.withhold();
        commit_after(&mut scene, &commit, Op::Forget, None);
        assert_eq!(scene.opened(), [0; 0], "{what}");
        assert_eq!(scene.answer(&sealed, stream), Err(Refusal::Forgotten), "{what}");
    }
    // A panic asks the provider itself, for the end of the key, and does nothing else there.
    let mut scene = act(&authority, "binance", KEYS, withdrawal());
    let (sealed, stream, commit) = scene.withhold();
    commit_after(&mut scene, &commit, Op::Panic, None);
    assert_eq!(scene.opened(), [0; 0]);
    assert_eq!(scene.answer(&sealed, stream), Err(Refusal::Forgotten));
}

#[test]
fn m38_what_waits_for_a_head_is_not_begun_by_an_envelope_that_was_superseded_meanwhile() {
    let authority = Authority::sandbox();
    for (what, scene) in WAITING {
        let mut scene = scene(&authority);
        let mut draft = scene.owner.draft(&scene.machine, Op::Rotate);
        draft.args =
            Rotate { data_key: true, epoch: false, share: None, owners: None, class: None }.to_bytes();
        let rotated = scene.owner.ask_draft(&mut scene.machine, &draft).unwrap();
        let newer = Rotated::from_bytes(&rotated).unwrap().envelope;
        scene.machine.keeper.is_silent = true;
        let (sealed, stream) = scene.begin();
        let commit = until_commit(&mut scene.machine);
        commit_after(&mut scene, &commit, Op::Acknowledge, Some(newer));
        assert_eq!(scene.opened(), [0; 0], "{what}");
        assert_eq!(scene.answer(&sealed, stream), Err(Refusal::StaleGeneration), "{what}");
    }
}

#[test]
fn calls_that_wait_for_a_head_are_counted_among_their_owners_and_give_their_room_back() {
    const OF_ONE: u8 = 4;
    let authority = Authority::sandbox();
    let mut scene = act(&authority, "binance", KEYS, withdrawal());
    let numbered = |scene: &mut Scene, number: u8| {
        let instruction = Instruction { reference: Reference([number; 16]), ..withdrawal() };
        let draft = scene.owner.draft(&scene.machine, Op::Act);
        scene.draft = Draft { args: instruction.to_bytes(), ..draft }.now(&scene.machine);
        scene.begin()
    };
    let commit = |scene: &mut Scene| {
        let commit = until_commit(&mut scene.machine);
        let advance = scene.machine.keeper.store(&commit);
        let committed = scene.machine.keeper.witness(&advance);
        scene.machine.frame(Kind::Committed, 0, &committed.to_bytes());
    };
    scene.machine.keeper.is_silent = true;
    let (first, on) = numbered(&mut scene, 1);
    (2..=OF_ONE).for_each(|number| drop(numbered(&mut scene, number)));
    // The head that the first waits for is not committed in time: none of them begins.
    let late = until_commit(&mut scene.machine);
    scene.machine.keeper.store(&late);
    scene.machine.pass(10_000);
    assert_eq!(scene.answer(&first, on), Err(Refusal::NoQuorum));
    commit(&mut scene);
    assert_eq!(scene.opened(), [0; 0]);
    // There is the room of those that never began, and no more.
    (11..=10 + OF_ONE).for_each(|number| drop(numbered(&mut scene, number)));
    let (sealed, stream) = numbered(&mut scene, 11 + OF_ONE);
    commit(&mut scene);
    commit(&mut scene);
    assert!(!scene.opened().is_empty());
    assert_eq!(scene.answer(&sealed, stream), Err(Refusal::Overloaded));
}

/// What only ends something at a provider: given twice it is over once.
const ENDING: [Case; 3] = [
    ("an authorisation, revoked", |authority| {
        scene(authority, "coinbase_oauth", TOKENS, Op::Revoke, nothing())
    }),
    ("an authorisation, in a panic", |authority| {
        scene(authority, "coinbase_oauth", TOKENS, Op::Panic, nothing())
    }),
    ("a key, in a panic", |authority| scene(authority, "deribit", KEYS, Op::Panic, nothing())),
];

#[test]
fn what_only_ends_something_waits_for_no_head() {
    let authority = Authority::sandbox();
    for (what, scene) in ENDING {
        let mut scene = scene(&authority);
        scene.machine.keeper.is_silent = true;
        scene.begin();
        // Its connection is looked up; a head may be asked for beside the provider.
        let (kind, stream, body) = scene.machine.keeper.unanswered.remove(0);
        assert_eq!(kind, Kind::Lookup);
        scene.machine.keeper.is_silent = false;
        let found = scene.machine.keeper.answer(kind, stream, &body);
        scene.machine.keeper.is_silent = true;
        found.into_iter().for_each(|(kind, stream, body)| scene.machine.frame(kind, stream, &body));
        assert!(!scene.opened().is_empty(), "{what}");
    }
}

#[test]
fn without_the_line_a_panic_alone_is_begun() {
    let authority = Authority::sandbox();
    let asleep = || {
        let mut keeper = Keeper::new(1, 1);
        keeper.witnesses[0].is_awake = false;
        Machine::start_with(1, roots(1), Trust::sandbox(authority.der()).unwrap(), keeper)
    };
    for (what, scene) in all().chain(ENDING) {
        // A pending authorisation is made where there is a line.
        let mut scene = scene(&authority);
        scene.machine = asleep();
        let (bytes, identity) = scene.machine.identity();
        (scene.draft.identity, scene.draft.recipient) =
            (crate::support::sha256(&bytes), identity.hpke_keys[0].clone());
        (scene.draft.issued, scene.draft.expires) = (NOW, NOW.plus(60_000));
        let (sealed, stream) = scene.begin();
        if scene.draft.op == Op::Panic {
            assert!(!scene.opened().is_empty(), "{what}");
            assert!(matches!(scene.machine.answer(stream), Answer::Nothing), "{what}");
        } else {
            assert_eq!(scene.opened(), [0; 0], "{what}");
            assert_eq!(scene.answer(&sealed, stream), Err(Refusal::NoQuorum), "{what}");
        }
    }
}
