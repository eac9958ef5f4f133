//! What an address holds: the coin, and the tokens of both token programs.

use super::chain;
use crate::connector::{Answer, Balance, Fault, Json, Kind, Status};
use crate::network::amount::{balance, decimal};
use crate::network::ask::{Answers, Ask, malformed};
use crate::network::model::Network;
use crate::network::reading::{Reading, Turn, source};
use crate::wallet::solana::Address;
use crate::wallet::u256::U256;
use std::collections::BTreeMap;
use wire::Decimal;

/// The programs that keep tokens, and what a source of theirs is called.
pub(super) const PROGRAMS: [(&str, &str); 2] = [
    ("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA", "tokens"),
    ("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb", "tokens_2022"),
];
/// More digits than amounts have.
const MAX_DECIMALS: u64 = 38;

pub(in crate::network) struct Balances {
    network: &'static Network,
    address: Address,
}

/// What lies in all token accounts of one mint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Held {
    decimals: u8,
    free: u64,
    /// In accounts that the mint's owner froze.
    frozen: u64,
}

impl Balances {
    pub(in crate::network) fn of(network: &'static Network, address: Address) -> Balances {
        Balances { network, address }
    }

    fn coin(&self, answers: &Answers) -> Result<Balance, Fault> {
        let coin = &self.network.coin;
        let held = answers.result(1, |json| {
            let lamports = json.member("value").ok()?.filter(|value| value.kind() == Kind::Number)?;
            decimal(U256::from(lamports.raw().parse::<u64>().ok()?), coin.decimals)
        })?;
        Ok(balance("coin", &coin.symbol, &coin.asset, held, Decimal::ZERO))
    }

    /// Listed tokens by their symbol; every other one by its mint, because anyone can call a token what they like.
    fn token(&self, mint: &Address, held: Held, program: &'static str) -> Result<Balance, Fault> {
        let mint = mint.to_string();
        let listed = self.network.token(&mint);
        if listed.is_some_and(|token| token.decimals != held.decimals) {
            return Err(malformed());
        }
        let asset = format!("{}/token:{mint}", self.network.chain);
        let symbol = listed.map_or(mint.as_str(), |token| &token.symbol);
        let amount = |units: u64| decimal(U256::from(units), held.decimals).ok_or_else(malformed);
        Ok(balance(program, symbol, &asset, amount(held.free)?, amount(held.frozen)?))
    }
}

impl Reading for Balances {
    fn turn(&mut self, answers: &Answers, _: u64) -> Result<Turn, Fault> {
        let address = self.address;
        if answers.is_empty() {
            let accounts = PROGRAMS.map(|(program, _)| token_accounts(&address, program));
            let coin = Ask::rpc("getBalance", format!(r#"["{address}",{{"commitment":"confirmed"}}]"#));
            return Ok(Turn::Ask([chain::ask(), coin].into_iter().chain(accounts).collect()));
        }
        chain::check(self.network, answers, 0)?;
        let mut balances = vec![self.coin(answers)?];
        let mut coverage = vec![source("coin", Status::Ok)];
        for (at, (_, name)) in PROGRAMS.into_iter().enumerate() {
            for (mint, held) in answers.result(at + 2, |json| held(json, &address))? {
                balances.push(self.token(&mint, held, name)?);
            }
            coverage.push(source(name, Status::Ok));
        }
        Ok(Turn::done(Answer::Balances(balances), coverage))
    }
}

/// The question for every token account of an owner that one program keeps.
pub(super) fn token_accounts(owner: &Address, program: &str) -> Ask {
    let options = r#"{"commitment":"confirmed","encoding":"jsonParsed"}"#;
    Ask::rpc("getTokenAccountsByOwner", format!(r#"["{owner}",{{"programId":"{program}"}},{options}]"#))
}

/// What an owner's token accounts hold, by mint; empty ones left out.
fn held(json: Json<'_>, owner: &Address) -> Option<BTreeMap<Address, Held>> {
    let mut by_mint: BTreeMap<Address, Held> = BTreeMap::new();
    let accounts = json.member("value").ok()?.filter(|value| value.kind() == Kind::Array)?;
    for account in accounts.elements() {
        let info = path(account, &["account", "data", "parsed", "info"])?;
        if text(info, "owner")? != owner.to_string() {
            return None;
        }
        let mint: Address = text(info, "mint")?.parse().ok()?;
        let amount = info.member("tokenAmount").ok()??;
        let units: u64 = text(amount, "amount")?.parse().ok()?;
        let decimals = amount.member("decimals").ok()??.raw().parse::<u64>().ok()?;
        let decimals = u8::try_from(decimals).ok().filter(|_| decimals <= MAX_DECIMALS)?;
        if units == 0 {
            continue;
        }
        let held = by_mint.entry(mint).or_insert(Held { decimals, ..Held::default() });
        if held.decimals != decimals {
            return None;
        }
        let sum = if text(info, "state")? == "frozen" { &mut held.frozen } else { &mut held.free };
        *sum = sum.checked_add(units)?;
    }
    Some(by_mint)
}

pub(super) fn path<'d>(json: Json<'d>, names: &[&str]) -> Option<Json<'d>> {
    names.iter().try_fold(json, |json, name| json.member(name).ok().flatten())
}

pub(super) fn text(json: Json<'_>, name: &str) -> Option<String> {
    json.member(name).ok()??.string().map(|text| text.into_owned())
}
