//! What exchanges say before anything moves, and the checks that follow from it.

use super::super::model::Connector;
use super::super::model_action::Counted;
use super::super::outcome::Record;
use super::super::value::{Params, Value, find, set};
use super::amounts::{Amounts, is_multiple};
use wire::action::{Instruction, Kind, Side, Terms};
use wire::decimal::Rounding;
use wire::{Decimal, Refusal, UnixMillis};

/// What rows of terms become arguments of, for the calls behind them.
const HANDED_ON: [&str; 9] =
    ["market", "base", "quote", "side", "account_id", "method", "saved", "quote_id", "network"];

/// What rows of terms are told apart by.
const SUBJECT: [&str; 7] = ["asset", "network", "market", "base", "quote", "method", "saved"];

/// What terms name as unstated where nobody says whether the fee comes out of the amount or on top of it.
const FEE_SIDE: &str = "fee_side";

/// What was stated so far.
#[derive(Default)]
pub struct Stated {
    pub fee: Option<Decimal>,
    pub fee_rate: Option<Decimal>,
    /// As people know it.
    pub fee_asset: Option<String>,
    pub minimum: Option<Decimal>,
    pub maximum: Option<Decimal>,
    minimum_cost: Option<Decimal>,
    pub step: Option<Decimal>,
    step_cost: Option<Decimal>,
    /// What the provider counts in, where it takes whole numbers.
    unit: Option<Decimal>,
    pub price: Option<Decimal>,
    pub bid: Option<Decimal>,
    pub ask: Option<Decimal>,
    pub debited: Option<Decimal>,
    pub received: Option<Decimal>,
    quote_id: Option<String>,
    expires: Option<u64>,
    open: Option<bool>,
    tag_needed: Option<bool>,
    /// A row said that it is about the chain that the owner named.
    pub network_agreed: bool,
}

impl Stated {
    /// Takes what the rows say of this instruction; a row about something else says nothing. `asked` are the arguments that
    /// the call was made of.
    pub fn take(
        &mut self,
        connector: &Connector,
        asked: &[String],
        rows: &[Record],
        arguments: &mut Params,
    ) -> Result<(), Refusal> {
        let is_it =
            |row: &&Record| is_about(connector, row, arguments) && !is_anybodys_market(row, asked, arguments);
        let about: Vec<&Record> = rows.iter().filter(is_it).collect();
        let Some(row) = about.first().copied() else {
            return Err(missing(connector, rows, arguments));
        };
        if find(arguments, "network").is_none()
            && about.iter().any(|other| other.field("network") != row.field("network"))
        {
            return Err(Refusal::UnknownNetwork);
        }
        self.network_agreed |= find(arguments, "network").is_some() && row.field("network").is_some();
        for name in HANDED_ON {
            // Some name one chain differently for each asset: the row's name is the one that goes with this asset.
            let takes = name == "network" || find(arguments, name).is_none();
            if let Some(text) = row.field(name).filter(|_| takes) {
                set(arguments, name, Value::Text(text.to_owned()));
            }
        }
        // Some tell the parts of one thing in several rows.
        let same = |other: &&&Record| SUBJECT.iter().all(|name| other.field(name) == row.field(name));
        about.iter().filter(same).for_each(|row| self.read(connector, row));
        Ok(())
    }

    fn read(&mut self, connector: &Connector, row: &Record) {
        // Below zero nothing is stated: some write -1 for "none".
        let number = |name: &str| {
            let number = row.field(name).and_then(|text| text.parse::<Decimal>().ok());
            number.filter(|number| !number.is_negative())
        };
        let flag = |name: &str| row.field(name).and_then(yes);
        let keep = |slot: &mut Option<Decimal>, name: &str| *slot = slot.or_else(|| number(name));
        keep(&mut self.fee, "fee");
        keep(&mut self.fee_rate, "fee_rate");
        keep(&mut self.minimum, "minimum");
        keep(&mut self.maximum, "maximum");
        keep(&mut self.minimum_cost, "minimum_cost");
        keep(&mut self.step, "step");
        keep(&mut self.step, "precision");
        keep(&mut self.step_cost, "step_cost");
        keep(&mut self.unit, "unit");
        keep(&mut self.price, "price");
        keep(&mut self.bid, "bid");
        keep(&mut self.ask, "ask");
        keep(&mut self.debited, "debited");
        keep(&mut self.received, "received");
        let known = |code: &str| connector.asset(code).0.to_owned();
        self.fee_asset = self.fee_asset.take().or_else(|| row.field("fee_asset").map(known));
        self.quote_id = self.quote_id.take().or_else(|| row.field("quote_id").map(str::to_owned));
        self.expires = self.expires.or_else(|| row.field("expires").and_then(|text| text.parse().ok()));
        let open = [flag("active"), flag("withdraw")];
        if open.contains(&Some(false)) {
            self.open = Some(false);
        }
        self.tag_needed = self.tag_needed.or_else(|| flag("tag"));
    }

    /// Whatever forbids the instruction on these terms. Nothing was sent that moves anything.
    pub fn check(
        &self,
        instruction: &Instruction,
        counted: Counted,
        now_ms: u64,
    ) -> Result<Amounts, Refusal> {
        if self.open == Some(false) {
            return Err(match instruction.kind {
                Kind::Order | Kind::Convert => Refusal::Maintenance,
                Kind::Withdraw | Kind::Transfer => Refusal::NetworkClosed,
            });
        }
        if self.tag_needed == Some(true) && instruction.tag.is_none() && instruction.address.is_some() {
            return Err(Refusal::TagNeeded);
        }
        if self.expires.is_some_and(|expires| expires <= now_ms) {
            return Err(Refusal::QuoteExpired);
        }
        let amounts = Amounts::of(instruction, counted, self)?;
        // A quote for more than was ordered is another order's.
        let ordered = instruction.checked().ok_or(Refusal::Malformed)?;
        if instruction.kind == Kind::Convert && amounts.debited.is_some_and(|debited| debited > ordered) {
            return Err(Refusal::TermsUnstated);
        }
        self.check_size(instruction, &amounts)?;
        self.check_bounds(instruction, &amounts)?;
        Ok(amounts)
    }

    fn check_size(&self, instruction: &Instruction, amounts: &Amounts) -> Result<(), Refusal> {
        let (minimum, step) = if instruction.counts_quote {
            (self.minimum_cost, self.step_cost)
        } else {
            (self.minimum, self.step)
        };
        let maximum = self.maximum.filter(|most| !instruction.counts_quote && !most.is_zero());
        if minimum.is_some_and(|least| amounts.sent < least) || self.costs_too_little(instruction, amounts) {
            return Err(Refusal::BelowMinimum);
        }
        if maximum.is_some_and(|most| amounts.sent > most) {
            return Err(Refusal::AboveMaximum);
        }
        if step.is_some_and(|step| !is_multiple(amounts.sent, step)) {
            return Err(Refusal::NotAMultiple);
        }
        Ok(())
    }

    /// The amount as a whole number of the provider's units, exactly; nothing where it has none.
    pub fn units(&self, amount: Decimal) -> Result<Option<Decimal>, Refusal> {
        let Some(unit) = self.unit else { return Ok(None) };
        if unit.is_zero() || unit.is_negative() {
            return Err(Refusal::TermsUnstated);
        }
        let units = amount.checked_div_to(unit, 0, Rounding::Down).map_err(|_| Refusal::Malformed)?;
        if units.checked_mul(unit) == Ok(amount) { Ok(Some(units)) } else { Err(Refusal::NotAMultiple) }
    }

    /// Markets have a least value of an order too.
    fn costs_too_little(&self, instruction: &Instruction, amounts: &Amounts) -> bool {
        let cost = match instruction.side {
            Some(Side::Buy) => amounts.debited,
            Some(Side::Sell) => amounts.received,
            None => None,
        };
        self.minimum_cost.zip(cost).is_some_and(|(least, cost)| cost < least)
    }

    /// The owner's own bounds. A bound on something that nobody states is not met.
    fn check_bounds(&self, instruction: &Instruction, amounts: &Amounts) -> Result<(), Refusal> {
        let bound = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<Decimal>().ok());
        if let Some(most) = bound(&instruction.max_fee) {
            let wanted = instruction.max_fee_asset.as_ref().unwrap_or(&instruction.asset);
            let charged = self.fee_asset.as_ref().unwrap_or(&instruction.asset);
            let fee = amounts.fee.filter(|_| wanted == charged).ok_or(Refusal::TermsUnstated)?;
            if fee > most {
                return Err(Refusal::FeeAboveMaximum);
            }
        }
        if let Some(least) = bound(&instruction.min_received)
            && amounts.received.ok_or(Refusal::TermsUnstated)? < least
        {
            return Err(Refusal::TooLittleReceived);
        }
        Ok(())
    }

    /// As the owner sees them.
    pub fn shown(
        &self,
        instruction: &Instruction,
        amounts: &Amounts,
        arguments: &Params,
        repeat_refused: bool,
        as_of: u64,
    ) -> Terms {
        let text = |amount: Option<Decimal>| amount.map(|amount| amount.to_string());
        let argument = |name: &str| find(arguments, name).map(|value| value.text().to_owned());
        let pair = instruction.to_asset.clone();
        let received_asset = match (instruction.kind, instruction.side) {
            (Kind::Convert, _) | (Kind::Order, Some(Side::Sell)) => pair,
            _ => Some(instruction.asset.clone()),
        };
        let step = if instruction.counts_quote { self.step_cost } else { self.step };
        let minimum = if instruction.counts_quote { self.minimum_cost } else { self.minimum };
        let price = match instruction.side {
            Some(Side::Buy) => self.ask.or(self.price),
            Some(Side::Sell) => self.bid.or(self.price),
            None => self.price,
        };
        let mut unstated = Vec::new();
        let known =
            [("fee", amounts.fee), ("minimum", minimum), ("step", step), ("received", amounts.received)];
        for (name, amount) in known {
            if amount.is_none() {
                unstated.push(name.to_owned());
            }
        }
        if amounts.fee_side_unknown {
            unstated.push(FEE_SIDE.to_owned());
        }
        Terms {
            as_of: UnixMillis(as_of),
            fee: text(amounts.fee),
            fee_asset: amounts
                .fee
                .map(|_| self.fee_asset.clone().unwrap_or_else(|| instruction.asset.clone())),
            minimum: text(minimum),
            maximum: text(self.maximum.filter(|most| !most.is_zero() && !instruction.counts_quote)),
            step: text(step),
            debited: text(amounts.debited),
            received: text(amounts.received),
            received_asset: amounts.received.and(received_asset),
            price: text(price),
            quote: self.quote_id.clone(),
            expires: self.expires.map(UnixMillis),
            network: argument("network"),
            market: argument("market").filter(|_| instruction.kind == Kind::Order),
            repeat_refused,
            unstated,
        }
    }
}

fn yes(text: &str) -> Option<bool> {
    match text {
        "yes" | "true" | "1" => Some(true),
        "no" | "false" | "0" => Some(false),
        _ => None,
    }
}

/// Whether a row is about what the arguments name, as far as it says.
fn is_about(connector: &Connector, row: &Record, arguments: &Params) -> bool {
    let agrees = |name: &str, same: &dyn Fn(&str, &str) -> bool| {
        let wanted = find(arguments, name).map(|value| value.text());
        row.field(name).zip(wanted).is_none_or(|(said, wanted)| same(said, wanted))
    };
    let one_asset = |left: &str, right: &str| connector.asset(left).0 == connector.asset(right).0;
    let one_name = |left: &str, right: &str| left == right;
    ["asset", "base", "quote"].iter().all(|name| agrees(name, &one_asset))
        && agrees("network", &|said, wanted| one_network(connector, said, wanted))
        && ["market", "method", "saved", "address"].iter().all(|name| agrees(name, &one_name))
}

/// Whether a row would choose the market of an order without anybody having named its pair: neither does the row, nor did the
/// question. An exchange that knows no such market may answer with all that it has.
fn is_anybodys_market(row: &Record, asked: &[String], arguments: &Params) -> bool {
    let pair = ["base", "quote"];
    let is_open = find(arguments, "market").is_none() && find(arguments, "quote").is_some();
    let is_told = pair.iter().all(|name| row.field(name).is_some());
    let was_asked = pair.iter().all(|name| asked.iter().any(|known| known == name));
    is_open && row.field("market").is_some() && !is_told && !was_asked
}

/// Two of the exchange's names of one chain.
fn one_network(connector: &Connector, left: &str, right: &str) -> bool {
    let chain =
        |name: &str| connector.networks.iter().find(|(known, _)| known == name).map(|(_, chain)| chain);
    left == right || chain(left).is_some_and(|one| chain(right) == Some(one))
}

/// Why no row is about it.
fn missing(connector: &Connector, rows: &[Record], arguments: &Params) -> Refusal {
    let without = |name: &str| {
        let fewer: Params = arguments.iter().filter(|(known, _)| known != name).cloned().collect();
        rows.iter().any(|row| is_about(connector, row, &fewer))
    };
    if find(arguments, "quote").is_some() {
        Refusal::UnknownMarket
    } else if rows.iter().any(|row| row.field("address").or(row.field("saved")).is_some()) {
        Refusal::DestinationRefused
    } else if without("network") {
        Refusal::UnknownNetwork
    } else {
        Refusal::UnknownAsset
    }
}
