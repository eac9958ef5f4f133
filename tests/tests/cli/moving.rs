//! Every action of every exchange of the catalogue, through the whole stack: what is ordered changes what its sandbox
//! holds, once, and is found again where its answer was lost (m38).

use crate::faults::Control;
use crate::person::{Person, Said, account};
use crate::repository;
use serde_json::{Value, json};
use stack::{Folder, Stack};
use std::collections::BTreeMap;
use wire::decimal::Decimal;

const KINDS: [&str; 4] = ["transfer", "withdraw", "order", "convert"];
pub const WRITTEN: [&str; 6] = ["binance", "bybit", "coinbase", "kraken", "kucoin", "okx"];
const QUOTES: [&str; 5] = ["USDT", "USD", "EUR", "USDC", "BTC"];
/// Those in which an exchange trades alone that has them.
const LOCAL: [&str; 4] = ["BRL", "IDR", "ILS", "JPY"];
/// Chains, the ones that most exchanges know first, and an address of each.
const CHAINS: [(&str, &str); 7] = [
    ("eip155:1", EVM),
    ("bip122:000000000019d6689c085ae165831e93", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
    ("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", "So11111111111111111111111111111111111111112"),
    ("tron:0x2b6653dc", "TLa2f6VPqDgRE67v1736s7bJ8Ray5wYjU7"),
    ("xrpl:0", "rEb8TK3gBgk5auZkwc6sHnwrGVJH8DuaLh"),
    ("eip155:42161", EVM),
    ("eip155:999", EVM),
];
const EVM: &str = "0x52908400098527886E0F7030069857D2E4169EE7";
/// Command lines of one kind that are tried at one exchange, at most.
const TRIED: usize = 40;

/// Totals by type of account and asset.
type Sheet = BTreeMap<(String, String), Decimal>;

/// An exchange, and what its file says of actions.
struct Offer {
    id: String,
    /// Of these an instruction can be found without the exchange's id.
    findable: Vec<&'static str>,
    kinds: Vec<&'static str>,
    accounts: Vec<String>,
    chains: Vec<(&'static str, &'static str)>,
    /// It does not say where it takes the fee of a withdrawal from.
    leaves_fee_open: bool,
    /// It pays people by their e-mail addresses; destinations that are saved there.
    pays_people: bool,
    pays_saved: bool,
}

/// Those of the catalogue that move something.
fn offers() -> Vec<Offer> {
    let catalogue = std::fs::read_to_string(repository().join("docs/catalogue.md")).unwrap();
    let rows = catalogue.lines().filter(|line| line.contains("(`") && line.contains(" balances,"));
    let offer = |row: &str| {
        let id = row.split_once("(`").unwrap().1.split_once('`').unwrap().0.to_owned();
        let operations: Vec<&str> = row.split('|').nth(2).unwrap().split(',').map(str::trim).collect();
        let kinds = KINDS.into_iter().filter(|kind| operations.contains(kind)).collect();
        let (accounts, chains) = (named(&id, "accounts = {"), chains(&id));
        let findable = KINDS.into_iter().filter(|kind| is_findable(&id, kind, &operations)).collect();
        let leaves_fee_open = text(&id).contains("amount = \"either\"");
        let pays_people = text(&id).contains("recipients = { email");
        let pays_saved = text(&id).contains("saved = [\"present\"]");
        Offer { id, findable, kinds, accounts, chains, leaves_fee_open, pays_people, pays_saved }
    };
    // One that is entered by OAuth has no sandbox.
    rows.map(offer).filter(|offer| !offer.kinds.is_empty() && !offer.id.ends_with("_oauth")).collect()
}

/// The file of an exchange, and the one that it extends.
fn text(id: &str) -> String {
    let text = std::fs::read_to_string(repository().join(format!("connectors/{id}.toml"))).unwrap();
    let base = text.lines().find_map(|line| line.strip_prefix("extends = \""));
    let base = base.map(|rest| self::text(rest.trim_end_matches('"'))).unwrap_or_default();
    format!("{text}\n{base}")
}

/// Whether an instruction can be found by what its owner knows of it: the file looks a reference up, or searches rows that
/// say one, or else what moved, how much of it, when, and of a withdrawal where to.
fn is_findable(id: &str, kind: &str, operations: &[&str]) -> bool {
    let text = text(id);
    let starts = |table: &&str, word: &str, operation: &str| {
        table.starts_with(word) && table.contains(&format!("operation = \"{operation}\""))
    };
    let tables: Vec<&str> = text.split("\n[[").collect();
    let lookups: Vec<&&str> = tables.iter().filter(|table| starts(table, "status]]", kind)).collect();
    let needed: &[&str] = match kind {
        "withdraw" => &["asset", "amount", "timestamp", "address"],
        _ => &["asset", "amount", "timestamp"],
    };
    let says = |table: &&&str| {
        let fields = fields(&text, table);
        fields.contains(&"reference") || needed.iter().all(|name| fields.contains(name))
    };
    if !lookups.is_empty() {
        let by = |table: &&&str, word: &str| table.contains(&format!("by = \"{word}\""));
        let finds =
            |table: &&&str| by(table, "reference") || by(table, "list") || by(table, "rows") && says(table);
        return lookups.iter().any(finds);
    }
    let records = match kind {
        "withdraw" => "withdrawals",
        "transfer" => "transfers",
        _ => return false,
    };
    operations.contains(&records)
        && tables.iter().filter(|table| starts(table, "reads]]", records)).any(|table| says(&table))
}

/// Names of the fields of a table: those that it lists, or of the ones that it refers to.
fn fields<'t>(text: &'t str, table: &'t str) -> Vec<&'t str> {
    let block = |start: &str| {
        let found = text.split_once(start).map(|(_, rest)| rest);
        found.map(|rest| rest.split("\n[").next().unwrap_or_default()).unwrap_or_default()
    };
    let line = table.lines().rev().find_map(|line| line.strip_prefix("fields = "));
    let listed = match line {
        Some(line) if line.starts_with('"') => block(&format!("[fields.{}]\n", line.trim_matches('"'))),
        Some(line) => return line.split(" = \"").filter_map(|part| part.rsplit([' ', '{']).next()).collect(),
        None => table
            .split_once(".fields]\n")
            .map(|(_, rest)| rest.split("\n[").next().unwrap())
            .unwrap_or_default(),
    };
    listed.lines().filter_map(|line| Some(line.split_once(" = ")?.0)).collect()
}

/// Our names in tables that begin so.
fn named(id: &str, start: &str) -> Vec<String> {
    let text = text(id);
    let tables = text.lines().filter_map(|line| line.strip_prefix(start));
    let names = tables.flat_map(|table| table.split(',').filter_map(|pair| Some(pair.split_once('=')?.0)));
    let mut names: Vec<String> = names.map(|name| name.trim_matches(['{', ' ']).to_owned()).collect();
    names.dedup();
    names
}

/// Chains that the exchange has a name of, and an address of each.
fn chains(id: &str) -> Vec<(&'static str, &'static str)> {
    let text = text(id);
    CHAINS.into_iter().filter(|(chain, _)| text.contains(&format!("= \"{chain}\""))).collect()
}

struct World<'w> {
    person: &'w Person<'w>,
    control: &'w Control,
}

impl World<'_> {
    /// The client without a passphrase, which would cost more than everything else here.
    fn run(&self, arguments: &[&str]) -> Said {
        let mut command = self.person.bare(arguments);
        command.arg("--dangerous-simulated").arg(self.person.stack.simulation_root());
        crate::person::said(&mut command, b"")
    }

    fn link(&self, exchange: &str) {
        let name = if WRITTEN.contains(&exchange) { "mover" } else { "everything" };
        let account = account(exchange, name);
        let mut command = self.person.bare(&["link", exchange, "--credentials", "-", "--name", exchange]);
        command.arg("--dangerous-simulated").arg(self.person.stack.simulation_root());
        let said = crate::person::said(&mut command, account["credentials"].to_string().as_bytes());
        assert_eq!(said.code, 0, "{exchange}: {}", said.err);
    }

    /// What every connection holds.
    fn held(&self) -> BTreeMap<String, Sheet> {
        let said = self.run(&["balances", "--json"]);
        let portfolio: Value =
            serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {}", said.err));
        let mut held = BTreeMap::new();
        for connection in portfolio["connections"].as_array().unwrap() {
            let mut sheet = Sheet::new();
            for account in connection["accounts"].as_array().unwrap() {
                for asset in account["assets"].as_array().unwrap() {
                    let text = |value: &Value| value.as_str().unwrap().to_owned();
                    // Where only a total is told, nothing is known to be free.
                    let free = asset["free"].as_str().or(asset["total"].as_str()).unwrap();
                    sheet.insert((text(&account["type"]), text(&asset["symbol"])), free.parse().unwrap());
                }
            }
            held.insert(connection["exchange"].as_str().unwrap().to_owned(), sheet);
        }
        held
    }
}

/// Command lines that may be an instruction of that kind, without its amount; the first that is not refused is taken.
fn lines(offer: &Offer, kind: &str, sheet: &Sheet) -> Vec<Vec<String>> {
    let id = offer.id.as_str();
    let enough = Decimal::from(4);
    let rich = sheet.iter().filter(|(_, free)| **free > enough);
    let held: Vec<(&str, &str)> =
        rich.map(|((account, asset), _)| (account.as_str(), asset.as_str())).collect();
    let mut held = held;
    held.sort_by_key(|(account, _)| *account != "spot");
    let mut assets: Vec<&str> = held.iter().map(|(_, asset)| *asset).collect();
    assets.sort_unstable();
    assets.dedup();
    let owned = |line: &[&str]| line.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
    let mut lines = Vec::new();
    match kind {
        "transfer" => {
            for (from, asset) in
                held.iter().filter(|(from, _)| offer.accounts.iter().any(|known| known == from))
            {
                for to in offer.accounts.iter().filter(|to| to != from) {
                    lines.push(owned(&["transfer", id, "AMOUNT", asset, "--from", from, "--to", to]));
                }
            }
        }
        "withdraw" => {
            let mut send = |asset: &str, place: &[&str]| {
                let line = [&["withdraw", id, "AMOUNT", asset], place].concat();
                if offer.leaves_fee_open {
                    lines.push(owned(&[&line[..], &["--fee-either"]].concat()));
                    return;
                }
                lines.push(owned(&[&line[..], &["--fee-included"]].concat()));
                lines.push(owned(&line));
            };
            for asset in &assets {
                if offer.pays_people {
                    send(asset, &["--address", "someone@example.com"]);
                }
                if offer.pays_saved {
                    send(asset, &["--saved", &format!("sandbox-saved-{}", asset.to_lowercase())]);
                }
            }
            for (chain, address) in &offer.chains {
                assets.iter().for_each(|asset| send(asset, &["--chain", chain, "--address", address]));
            }
        }
        "order" => {
            let local = LOCAL.into_iter().filter(|quote| assets.contains(quote));
            for quote in local.chain(QUOTES) {
                for asset in assets.iter().filter(|asset| **asset != quote) {
                    lines.push(owned(&["order", id, "sell", asset, quote, "--amount", "AMOUNT"]));
                    lines.push(owned(&["order", id, "buy", asset, quote, "--cost", "AMOUNT"]));
                    lines.push(owned(&["order", id, "buy", asset, quote, "--amount", "AMOUNT"]));
                }
            }
        }
        _ => {
            for asset in &assets {
                for into in ["USDT", "USDC", "BTC", "ETH"].iter().filter(|into| *into != asset) {
                    lines.push(owned(&["convert", id, "AMOUNT", asset, "--into", into]));
                }
            }
        }
    }
    lines
}

fn with<'l>(line: &'l [String], amount: &'l str, more: &[&'l str]) -> Vec<&'l str> {
    let words = line.iter().map(|word| if word == "AMOUNT" { amount } else { word.as_str() });
    words.chain(more.iter().copied()).collect()
}

fn outcome(said: &Said) -> Value {
    let shown: Value = serde_json::from_str(&said.out).unwrap_or_default();
    shown["outcome"].clone()
}

/// What came of one kind of action at one exchange.
enum Came {
    Moved { line: Vec<String>, terms: Value, found: Result<(), String> },
    Not(String),
}

/// Orders twice: an answer that comes, and one that is lost.
fn try_out(world: &World<'_>, offer: &Offer, kind: &str, sheet: &Sheet) -> Came {
    let mut whys = vec!["nothing else that could be ordered is held".to_owned()];
    for line in lines(offer, kind, sheet).into_iter().take(TRIED) {
        let said = world.run(&with(&line, "1", &["--yes", "--json"]));
        if said.out.is_empty() {
            whys.push(format!("{}: {}", line.join(" "), said.err.lines().nth(1).unwrap_or_default()));
            continue;
        }
        let status = outcome(&said)["status"].as_str().unwrap_or_default().to_owned();
        if !["done", "pending"].contains(&status.as_str()) {
            return Came::Not(format!("{}: {status} {}{}", line.join(" "), said.out, said.err.trim()));
        }
        let terms: Value = serde_json::from_str(&said.out).unwrap();
        let path = world.control.last(&offer.id);
        let fault = json!({"exchange": offer.id, "path": path, "whole": true, "effect": {"kind": "fails", "status": 502}});
        let lost = world.control.during(&fault, || world.run(&with(&line, "2", &["--yes", "--json"])));
        let lost = outcome(&lost);
        if lost["status"] != "unknown" {
            return Came::Not(format!("{} through {path}: {lost}", line.join(" ")));
        }
        let again = world.run(&["status", lost["reference"].as_str().unwrap(), "--json"]);
        let shown: Value = serde_json::from_str(&again.out).unwrap_or_default();
        let is_found = ["done", "pending"].contains(&shown["status"].as_str().unwrap_or_default());
        let found = if is_found { Ok(()) } else { Err(format!("{shown} {}", again.err)) };
        return Came::Moved { line, terms, found };
    }
    Came::Not(whys.join("; "))
}

/// What is gone and what has come, of both orders.
fn changes(before: &Sheet, after: &Sheet) -> Vec<((String, String), Decimal)> {
    let keys = before.keys().chain(after.keys()).collect::<std::collections::BTreeSet<_>>();
    let of = |sheet: &Sheet, key: &(String, String)| sheet.get(key).copied().unwrap_or_default();
    let change = |key: &(String, String)| of(after, key).checked_sub(of(before, key)).unwrap();
    keys.into_iter().map(|key| (key.clone(), change(key))).filter(|(_, change)| !change.is_zero()).collect()
}

/// Whether the changes are those of the two orders: one unit and two, each once.
fn agrees(kind: &str, line: &[String], terms: &Value, changes: &[((String, String), Decimal)]) -> bool {
    let number = |value: &Value| value.as_str().and_then(|text| text.parse::<Decimal>().ok());
    let sum = |asset: &str| {
        let of = changes.iter().filter(|((_, known), _)| known == asset);
        of.fold(Decimal::ZERO, |sum, (_, change)| sum.checked_add(*change).unwrap())
    };
    let three = Decimal::from(-3);
    match kind {
        "transfer" => {
            let by =
                |account: &str| changes.iter().find(|((known, _), _)| known == account).map(|(_, by)| *by);
            by(&line[5]) == Some(three) && by(&line[7]).is_none_or(|by| by == Decimal::from(3))
        }
        // The fee twice, where it came on top.
        "withdraw" => {
            let fee = number(&terms["terms"]["fee"]).unwrap_or_else(|| "0.25".parse().unwrap());
            let twice = fee.checked_add(fee).unwrap();
            let (out_of_it, on_top) = (three, three.checked_sub(twice).unwrap());
            match line.last().unwrap().as_str() {
                "--fee-included" => sum(&line[3]) == out_of_it,
                "--fee-either" => [out_of_it, on_top].contains(&sum(&line[3])),
                _ => sum(&line[3]) == on_top,
            }
        }
        "order" if line[2] == "sell" => sum(&line[3]) == three && sum(&line[4]) > Decimal::ZERO,
        "order" if line[5] == "--cost" => sum(&line[4]) == three && sum(&line[3]) > Decimal::ZERO,
        "order" => sum(&line[3]) == Decimal::from(3) && sum(&line[4]).is_negative(),
        _ => sum(&line[3]) == three && sum(&line[5]) > Decimal::ZERO,
    }
}

/// Every other exchange of the catalogue: two of these run beside each other.
fn every_other_exchange_moves(first: usize) {
    let folder = Folder::new();
    let stack = Stack::start_with(&folder.join("data"), &["--control", "0", "--unlimited"]);
    let (person, control) = (Person::new(&stack), Control::of(&stack));
    let world = World { person: &person, control: &control };
    let offers: Vec<Offer> = offers().into_iter().skip(first).step_by(2).collect();
    offers.iter().for_each(|offer| world.link(&offer.id));
    let (mut wrong, mut moved) = (Vec::new(), 0);
    let mut before = world.held();
    for kind in KINDS {
        let mut came = Vec::new();
        for offer in offers.iter().filter(|offer| offer.kinds.contains(&kind)) {
            came.push((offer, try_out(&world, offer, kind, &before[&offer.id])));
        }
        let after = world.held();
        for (offer, came) in came {
            let name = format!("{kind} {}", offer.id);
            match came {
                Came::Not(why) => wrong.push((name, why)),
                Came::Moved { line, terms, found } => {
                    moved += 1;
                    let changes = changes(&before[&offer.id], &after[&offer.id]);
                    if !agrees(kind, &line, &terms, &changes) {
                        wrong.push((name, format!("{}: {changes:?} {terms}", line.join(" "))));
                    } else if let Err(said) = found
                        && offer.findable.contains(&kind)
                    {
                        wrong.push((name, format!("{}: lost and not found: {said}", line.join(" "))));
                    }
                }
            }
        }
        before = after;
    }
    assert!(wrong.is_empty() && moved > 70, "{moved} moved; {wrong:#?}");
}

#[test]
fn m38_every_action_of_every_exchange_moves_once_what_its_sandbox_holds_and_is_found_again() {
    every_other_exchange_moves(0);
}

#[test]
fn m38_every_action_of_every_further_exchange_moves_once_what_its_sandbox_holds_and_is_found_again() {
    every_other_exchange_moves(1);
}
