//! Instructions, terms and outcomes, for people and for programs.

use crate::client::table::grouped;
use crate::client::terminal::printable;
use std::fmt::Write;
use wire::action::{Instruction, Kind, Outcome, Side, Status, Terms};

/// Exactly what is signed, line by line: every member that the instruction has.
pub fn instruction(instruction: &Instruction, exchange: &str) -> String {
    let amount = grouped(&instruction.amount);
    let mut lines = vec![("order", sentence(instruction, &amount)), ("at", exchange.to_owned())];
    let mut put = |name: &'static str, text: &Option<String>| {
        lines.extend(text.iter().map(|text| (name, text.clone())));
    };
    put("from account", &instruction.from);
    put("to account", &instruction.to);
    put("address", &instruction.address);
    put("chain", &instruction.chain);
    put("tag", &instruction.tag);
    put("saved destination", &instruction.saved);
    let fee_asset = instruction.max_fee_asset.as_ref().unwrap_or(&instruction.asset);
    put("fee at most", &instruction.max_fee.as_ref().map(|fee| format!("{} {fee_asset}", grouped(fee))));
    let received = received_asset(instruction);
    put(
        "receive at least",
        &instruction.min_received.as_ref().map(|least| format!("{} {received}", grouped(least))),
    );
    if let Some(travel) = &instruction.travel {
        put("kept by", &Some(travel.destination.name().to_owned()));
        put("institution", &travel.institution);
        let kind = if travel.company { "company" } else { "person" };
        put("beneficiary", &travel.beneficiary.as_ref().map(|name| format!("{name} ({kind})")));
        put("country", &travel.country);
        put("purpose", &travel.purpose);
    }
    put("reference", &Some(instruction.reference.hex()));
    aligned(&lines)
}

fn sentence(instruction: &Instruction, amount: &str) -> String {
    let (asset, other) = (&instruction.asset, instruction.to_asset.as_deref().unwrap_or_default());
    match (instruction.kind, instruction.side, instruction.counts_quote) {
        (Kind::Transfer, ..) => format!("transfer {amount} {asset} between your own accounts"),
        (Kind::Withdraw, ..) if instruction.fee_included => {
            format!("withdraw {amount} {asset}, out of which the fee is taken")
        }
        (Kind::Withdraw, ..) if instruction.fee_either => {
            format!("withdraw {amount} {asset}; the fee comes out of it or on top, as the exchange does it")
        }
        (Kind::Withdraw, ..) => format!("withdraw so that {amount} {asset} arrive; the fee comes on top"),
        (Kind::Convert, ..) => format!("convert {amount} {asset} to {other}"),
        (Kind::Order, Some(Side::Buy), false) => format!("buy {amount} {asset} with {other} at the market"),
        (Kind::Order, Some(Side::Buy), true) => format!("buy {asset} for {amount} {other} at the market"),
        (Kind::Order, _, false) => format!("sell {amount} {asset} for {other} at the market"),
        (Kind::Order, _, true) => format!("sell {asset} for {amount} {other} at the market"),
    }
}

fn received_asset(instruction: &Instruction) -> &str {
    match (instruction.kind, instruction.side) {
        (Kind::Convert, _) | (Kind::Order, Some(Side::Sell)) => {
            instruction.to_asset.as_deref().unwrap_or_default()
        }
        _ => &instruction.asset,
    }
}

/// What the exchange says to it.
pub fn terms(instruction: &Instruction, terms: &Terms) -> String {
    let asset = &instruction.asset;
    let mut lines: Vec<(&'static str, String)> = Vec::new();
    let mut put = |name, amount: &Option<String>, of: &str| {
        lines.extend(amount.iter().map(|amount| (name, format!("{} {of}", grouped(amount)))));
    };
    let counted = match (instruction.counts_quote, &instruction.to_asset) {
        (true, Some(quote)) => quote,
        _ => asset,
    };
    let debited = match (instruction.side, &instruction.to_asset) {
        (Some(Side::Buy), Some(quote)) => quote,
        _ => asset,
    };
    put("price", &terms.price, instruction.to_asset.as_deref().unwrap_or_default());
    put("fee", &terms.fee, terms.fee_asset.as_deref().unwrap_or(asset));
    let is_range = terms.unstated.iter().any(|name| name == "fee_side");
    let leaves = if is_range { "leaves at most" } else { "leaves the account" };
    let arrives = if is_range { "arrives at least" } else { "arrives" };
    put(leaves, &terms.debited, debited);
    put(arrives, &terms.received, terms.received_asset.as_deref().unwrap_or(asset));
    put("minimum", &terms.minimum, counted);
    put("smallest step", &terms.step, counted);
    lines.extend(terms.network.iter().map(|network| ("network there", network.clone())));
    lines.extend(terms.market.iter().map(|market| ("market there", market.clone())));
    if !terms.unstated.is_empty() {
        let words = terms.unstated.iter().map(|name| match name.as_str() {
            "fee_side" => "whether the fee comes out of the amount",
            name => name,
        });
        lines.push(("not stated", words.collect::<Vec<_>>().join(", ")));
    }
    aligned(&lines)
}

pub fn outcome(outcome: &Outcome) -> String {
    let status = match outcome.status {
        Status::Pending => "accepted, and under way".to_owned(),
        Status::Done => "done".to_owned(),
        Status::Failed => "failed: the exchange had it, and it came to nothing".to_owned(),
        Status::Unknown => {
            format!(
                "NOT KNOWN ({}): it may have been carried out",
                outcome.fault.as_deref().unwrap_or("unknown")
            )
        }
        Status::Absent => "the exchange has no such instruction: nothing was moved".to_owned(),
    };
    let mut lines = vec![("status", status)];
    let pair = |amount: &Option<String>, asset: &Option<String>| {
        amount.as_ref().map(|amount| format!("{} {}", grouped(amount), asset.as_deref().unwrap_or_default()))
    };
    let optional = [
        ("id there", outcome.id.clone()),
        ("transaction", outcome.txid.clone()),
        ("received", pair(&outcome.received, &outcome.received_asset)),
        ("fee", pair(&outcome.fee, &outcome.fee_asset)),
        ("reference", Some(outcome.reference.hex())),
    ];
    lines.extend(optional.into_iter().filter_map(|(name, text)| Some((name, text?))));
    aligned(&lines)
}

fn aligned(lines: &[(&'static str, String)]) -> String {
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    lines.iter().fold(String::new(), |mut text, (name, value)| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {name:<width$}  {}", printable(value));
        text
    })
}
