//! Balances: what is owned, what it is worth, and what is not known.

use crate::support::{Authority, Behaviour, Exchange, Machine, Owner, sandbox};
use wire::balance::{Holdings, Status};
use wire::{Canonical, Refusal};

fn balances(machine: &mut Machine, exchange: &mut Exchange, owner: &mut Owner) -> Result<Holdings, Refusal> {
    let draft = owner.balances_draft(machine, "EUR");
    let result = owner.ask_over(machine, exchange, &draft)?;
    Ok(Holdings::from_bytes(&result).unwrap())
}

fn world() -> (Machine, Exchange, Owner) {
    let authority = Authority::sandbox();
    (sandbox(1, &authority), Exchange::honest(&authority), Owner::eddsa())
}

#[test]
fn holdings_are_valued_and_what_is_unpriced_is_not_zero() {
    let (mut machine, mut exchange, mut owner) = world();
    let holdings = balances(&mut machine, &mut exchange, &mut owner).unwrap();
    assert_eq!(holdings.currency, "EUR");
    let assets = &holdings.accounts[0].assets;
    let btc = assets.iter().find(|asset| asset.symbol == "BTC").unwrap();
    assert_eq!(btc.asset, "bip122:000000000019d6689c085ae165831e93/slip44:0");
    assert_eq!(
        (btc.free.as_deref(), btc.used.as_deref(), btc.total.as_str()),
        (Some("1"), Some("0.5"), "1.5")
    );
    assert_eq!((btc.price.as_deref(), btc.value.as_deref()), (Some("50000"), Some("75000")));
    let new = assets.iter().find(|asset| asset.symbol == "NEW1").unwrap();
    assert_eq!(
        (new.asset.as_str(), new.price.as_deref(), new.value.as_deref()),
        ("unknown:kraken/NEW1", None, None)
    );
}

#[test]
fn m33_every_source_says_what_came_of_it() {
    let (mut machine, mut exchange, mut owner) = world();
    let holdings = balances(&mut machine, &mut exchange, &mut owner).unwrap();
    let sources: Vec<_> =
        holdings.sources.iter().map(|source| (source.name.as_str(), source.status)).collect();
    assert_eq!(sources, [("spot", Status::Complete)]);
}

#[test]
fn m39_prices_are_fetched_once_for_many_owners_and_again_when_they_are_old() {
    let (mut machine, mut exchange, _) = world();
    let mut owners: Vec<Owner> = (0..20).map(|_| Owner::eddsa()).collect();
    for owner in &mut owners {
        balances(&mut machine, &mut exchange, owner).unwrap();
    }
    let fetched =
        |exchange: &Exchange| exchange.requests.iter().filter(|(_, line)| line.contains("Ticker")).count();
    assert_eq!(fetched(&exchange), 1);
    machine.pass(15_000);
    balances(&mut machine, &mut exchange, &mut owners[0]).unwrap();
    assert_eq!(fetched(&exchange), 2);
}

#[test]
fn prices_that_do_not_come_leave_holdings_unpriced_and_are_said_to_be_missing() {
    let (mut machine, mut exchange, mut owner) = world();
    exchange.behaviour = Behaviour::NoPrices;
    let holdings = balances(&mut machine, &mut exchange, &mut owner).unwrap();
    assert!(holdings.accounts[0].assets.iter().all(|asset| asset.price.is_none() && asset.value.is_none()));
    let prices = holdings.sources.iter().find(|source| source.name == "prices").unwrap();
    assert_eq!(prices.status, Status::Failed);

    exchange.behaviour = Behaviour::Honest;
    machine.pass(5_000);
    machine.claim(crate::support::NOW);
    let holdings = balances(&mut machine, &mut exchange, &mut owner).unwrap();
    assert!(holdings.accounts[0].assets.iter().any(|asset| asset.value.is_some()));
}

#[test]
fn m33_prices_of_which_a_part_was_lost_are_said_to_be_partial_and_not_kept() {
    let (mut machine, mut exchange, mut owner) = world();
    exchange.behaviour = Behaviour::NoMarkets;
    let holdings = balances(&mut machine, &mut exchange, &mut owner).unwrap();
    let prices = holdings.sources.iter().find(|source| source.name == "prices").unwrap();
    assert_eq!(prices.status, Status::Partial);

    exchange.behaviour = Behaviour::Honest;
    machine.pass(5_000);
    machine.claim(crate::support::NOW);
    let holdings = balances(&mut machine, &mut exchange, &mut owner).unwrap();
    assert!(holdings.accounts[0].assets.iter().any(|asset| asset.value.is_some()));
    assert!(holdings.sources.iter().all(|source| source.name != "prices"));
}

#[test]
fn a_kept_alive_connection_serves_one_owner_and_no_other() {
    let (mut machine, mut exchange, _) = world();
    let (mut a, mut b) = (Owner::eddsa(), Owner::eddsa());
    for _ in 0..3 {
        balances(&mut machine, &mut exchange, &mut a).unwrap();
        balances(&mut machine, &mut exchange, &mut b).unwrap();
    }
    let private: Vec<u32> =
        exchange.requests.iter().filter(|(_, line)| line.contains("private")).map(|(s, _)| *s).collect();
    let public: Vec<u32> =
        exchange.requests.iter().filter(|(_, line)| line.contains("public")).map(|(s, _)| *s).collect();
    assert_eq!(private.len(), 6);
    let (of_a, of_b): (Vec<_>, Vec<_>) = private.chunks(2).map(|pair| (pair[0], pair[1])).unzip();
    assert!(of_a.iter().all(|stream| *stream == of_a[0]), "kept alive");
    assert!(of_b.iter().all(|stream| *stream == of_b[0]));
    assert_ne!(of_a[0], of_b[0]);
    assert!(
        public.iter().all(|stream| !private.contains(stream)),
        "public requests carry no owner's traffic"
    );
}

#[test]
fn two_owners_who_chose_one_connection_id_share_no_stream() {
    let (mut machine, mut exchange, mut a) = world();
    let mut b = Owner::eddsa();
    b.connection = a.connection;
    b.envelope = crate::support::envelope_of(&b, &crate::support::roots(1));
    balances(&mut machine, &mut exchange, &mut a).unwrap();
    balances(&mut machine, &mut exchange, &mut b).unwrap();
    let private: Vec<u32> =
        exchange.requests.iter().filter(|(_, line)| line.contains("private")).map(|(s, _)| *s).collect();
    assert_eq!(private.len(), 2);
    assert_ne!(private[0], private[1]);
}

#[test]
fn an_idle_connection_is_closed_by_the_enclaves_own_counter() {
    let (mut machine, mut exchange, mut owner) = world();
    balances(&mut machine, &mut exchange, &mut owner).unwrap();
    let opened = exchange.opened.len();
    exchange.run_for(&mut machine, 50_000);
    balances(&mut machine, &mut exchange, &mut owner).unwrap();
    assert!(exchange.opened.len() > opened);
}

#[test]
fn m34_requests_of_one_credential_go_one_at_a_time_with_rising_nonces() {
    let (mut machine, mut exchange, owner) = world();
    let sealed: Vec<_> =
        (0..4).map(|_| owner.balances_draft(&machine, "EUR").seal(&[&owner.device])).collect();
    let streams: Vec<u32> = sealed.iter().map(|sealed| machine.begin(&sealed.bytes)).collect();
    exchange.run_for(&mut machine, 2_000);
    for (sealed, stream) in sealed.iter().zip(streams) {
        let answer = machine.answer(stream);
        sealed.open(answer, &machine).result.unwrap();
    }
    assert_eq!(exchange.nonces.len(), 4);
    assert!(exchange.nonces.is_sorted_by(|a, b| a < b), "{:?}", exchange.nonces);
}

#[test]
fn one_connection_cannot_take_all_the_room() {
    let (mut machine, _, owner) = world();
    let refused = (0..6)
        .filter(|_| {
            let sealed = owner.balances_draft(&machine, "EUR").seal(&[&owner.device]);
            let stream = machine.begin(&sealed.bytes);
            match machine.answer(stream) {
                crate::support::Answer::Nothing => false,
                answer => sealed.open(answer, &machine).result == Err(Refusal::Overloaded),
            }
        })
        .count();
    assert_eq!(refused, 2);
}

#[test]
fn a_currency_that_is_none_is_refused() {
    let (mut machine, mut exchange, mut owner) = world();
    for currency in ["", "E", "eur", "EU R", "EUROPEANUNION", "€€€"] {
        let draft = owner.balances_draft(&machine, currency);
        let refused = owner.ask_over(&mut machine, &mut exchange, &draft);
        assert_eq!(refused, Err(Refusal::UnknownCurrency), "{currency}");
    }
}

#[test]
fn a_connection_that_idled_has_its_whole_time_again() {
    // Kept alive for 45 s; from 30 s on, a deadline that counted from when it became idle would be over at once.
    for idle in [10_000, 29_000, 36_000, 44_000, 46_000] {
        let (mut machine, mut exchange, mut owner) = world();
        balances(&mut machine, &mut exchange, &mut owner).unwrap();
        machine.pass(idle);
        exchange.run(&mut machine);
        let asked = machine.monotonic;
        balances(&mut machine, &mut exchange, &mut owner).unwrap();
        assert!(machine.monotonic - asked < 1_000, "after {idle} ms it took a second attempt");
    }
}
