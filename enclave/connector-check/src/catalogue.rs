//! What each connector offers and how well it agrees with the recordings: for people (`docs/catalogue.md`) and for
//! programs (`connectors/catalogue.json`). Both are generated; a test compares them with what is there.

use std::fmt::Write as _;

use enclave::connector::{Connector, Deed, Document, Json, Value};

use crate::dictionary::text;
use crate::report::{Exchange, Part};

/// One line of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: String,
    pub name: String,
    pub operations: Vec<String>,
    pub accounts: Vec<String>,
    /// Account types that the exchange has and the connector cannot read.
    pub unsupported: Vec<String>,
    /// What moves money and is not offered, with the reason.
    pub unoffered: Vec<(String, String)>,
    /// How many of the exchange's names of networks are mapped to a chain.
    pub networks: usize,
    /// Cases that pass, of those that are claimed or listed as exceptions; none where nothing was recorded.
    pub conformance: Vec<(Part, Score)>,
    /// The day on which the score came out as it is, `2026-11-22`.
    pub date: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    pub passed: u32,
    pub of: u32,
}

impl Entry {
    pub fn new(connector: &Connector, report: Option<&Exchange>, date: &str) -> Self {
        let mut operations = vec!["balances".to_owned()];
        let parts = [
            ("capabilities", !connector.capabilities.is_empty()),
            ("prices", connector.prices.is_some()),
            ("time", connector.time.is_some()),
        ];
        operations.extend(parts.iter().filter(|(_, has)| *has).map(|(name, _)| (*name).to_owned()));
        let mut reads: Vec<String> = connector.reads.iter().map(|read| read.operation.clone()).collect();
        reads.retain(|name| name != "time");
        operations.extend(unique(reads));
        let acts = connector.actions.iter().map(|action| name(action.operation));
        operations.extend(unique(acts.collect()));
        let keys = connector.api_keys.as_ref();
        let keys = keys.map(|keys| if keys.create.is_some() { "rotate_key" } else { "delete_key" });
        operations.extend(keys.map(str::to_owned));
        let score = |part| {
            let (report, counts) = (report?, report?.counts(part));
            let of = counts.passed + counts.failed + report.exceptions(part);
            (of > 0).then_some((part, Score { passed: counts.passed, of }))
        };
        Self {
            id: connector.id.clone(),
            name: connector.name.clone(),
            operations,
            accounts: unique(connector.balances.iter().map(|source| source.account.clone()).collect()),
            unsupported: connector.unsupported.iter().map(|(account, _)| account.clone()).collect(),
            unoffered: connector.unoffered.clone(),
            networks: connector.networks.len(),
            conformance: Part::ALL.into_iter().filter_map(score).collect(),
            date: date.to_owned(),
        }
    }

    /// The same as `before` but for the day: then that day stays.
    pub fn dated_like(mut self, before: &[Entry]) -> Self {
        let old = before.iter().find(|old| old.id == self.id);
        if let Some(old) = old.filter(|old| Self { date: old.date.clone(), ..self.clone() } == **old) {
            self.date.clone_from(&old.date);
        }
        self
    }

    fn score(&self, part: Part) -> Option<Score> {
        self.conformance.iter().find(|(of, _)| *of == part).map(|(_, score)| *score)
    }
}

fn name(deed: Deed) -> String {
    match deed {
        Deed::Quote => "quote".to_owned(),
        Deed::Do(kind) => kind.name().to_owned(),
    }
}

/// Each once, in the order in which they come.
fn unique(names: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for name in names {
        if !kept.contains(&name) {
            kept.push(name);
        }
    }
    kept
}

pub fn json(entries: &[Entry]) -> String {
    let text = |text: &str| Value::Text(text.to_owned());
    let texts = |texts: &[String]| Value::List(texts.iter().map(|one| text(one)).collect());
    let reasons = |reasons: &[(String, String)]| {
        Value::Map(reasons.iter().map(|(name, reason)| (name.clone(), text(reason))).collect())
    };
    let number = |number: u32| Value::Number(number.to_string());
    let score = |(part, score): &(Part, Score)| {
        let members = [("passed", number(score.passed)), ("of", number(score.of))];
        (part.name().to_owned(), Value::Map(members.map(|(name, value)| (name.to_owned(), value)).to_vec()))
    };
    let lines: Vec<String> = entries
        .iter()
        .map(|entry| {
            let members = [
                ("id", text(&entry.id)),
                ("name", text(&entry.name)),
                ("operations", texts(&entry.operations)),
                ("accounts", texts(&entry.accounts)),
                ("unsupported", texts(&entry.unsupported)),
                ("unoffered", reasons(&entry.unoffered)),
                ("networks", Value::Number(entry.networks.to_string())),
                ("conformance", Value::Map(entry.conformance.iter().map(score).collect())),
                ("date", text(&entry.date)),
            ];
            Value::Map(members.map(|(name, value)| (name.to_owned(), value)).to_vec()).to_json()
        })
        .collect();
    format!("{{\"exchanges\":[\n{}\n]}}\n", lines.join(",\n"))
}

/// Reads what [`json`] wrote.
pub fn read(json: &[u8]) -> Vec<Entry> {
    let Ok(document) = Document::parse(json) else { return Vec::new() };
    let exchanges = document.root().member("exchanges").ok().flatten();
    exchanges.into_iter().flat_map(Json::elements).filter_map(entry).collect()
}

fn entry(json: Json<'_>) -> Option<Entry> {
    let member = |name: &str| json.member(name).ok().flatten();
    let texts = |name: &str| {
        let items = member(name).into_iter().flat_map(Json::elements);
        items.filter_map(|item| item.string().map(|text| text.into_owned())).collect::<Vec<String>>()
    };
    let reasons = |name: &str| {
        let members = member(name).into_iter().flat_map(Json::members);
        let reasons = members
            .filter_map(|(name, reason)| Some((name.text().into_owned(), reason.string()?.into_owned())));
        reasons.collect()
    };
    let score = |part: Part| {
        let score = member("conformance")?.member(part.name()).ok().flatten()?;
        let number = |name: &str| text(score, name)?.parse().ok();
        Some((part, Score { passed: number("passed")?, of: number("of")? }))
    };
    Some(Entry {
        id: text(json, "id")?,
        name: text(json, "name")?,
        operations: texts("operations"),
        accounts: texts("accounts"),
        unsupported: texts("unsupported"),
        unoffered: reasons("unoffered"),
        networks: text(json, "networks")?.parse().ok()?,
        conformance: Part::ALL.into_iter().filter_map(score).collect(),
        date: text(json, "date")?,
    })
}

/// The page for people.
pub fn markdown(entries: &[Entry]) -> String {
    let mut out = String::from(
        "# Catalogue\n\nGenerated by `make catalogue`; do not edit. What each connector offers, and how many of the \
         recorded cases of an independent client it passes, of those it claims (`vectors/exchanges/README.md`; \
         exceptions, listed with their reasons in the connector's file, count as not passed). The date is the day the \
         score came out as it is. No exchange was contacted: agreement with recordings is what these numbers say.\n\n",
    );
    let _ = writeln!(out, "{} exchanges.\n", entries.len());
    out.push_str("| exchange | operations | account types | not readable | networks | signing | methods | request | response | date |\n");
    out.push_str("|---|---|---|---|---|---|---|---|---|---|\n");
    for entry in entries {
        let score = |part| {
            entry.score(part).map_or("–".to_owned(), |score| format!("{}/{}", score.passed, score.of))
        };
        let _ = writeln!(
            out,
            "| {} (`{}`) | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            entry.name,
            entry.id,
            entry.operations.join(", "),
            entry.accounts.join(", "),
            entry.unsupported.join(", "),
            entry.networks,
            score(Part::Signing),
            score(Part::Methods),
            score(Part::Request),
            score(Part::Response),
            entry.date
        );
    }
    out.push_str(
        "\n## Not offered\n\nWhat moves money and a connector has no action for, with the reason.\n\n",
    );
    out.push_str("| exchange | operation | reason |\n|---|---|---|\n");
    for entry in entries {
        for (operation, reason) in &entry.unoffered {
            let _ = writeln!(out, "| {} (`{}`) | {operation} | {reason} |", entry.name, entry.id);
        }
    }
    out
}

/// The list for a terminal.
pub fn table(entries: &[Entry]) -> String {
    let mut out =
        format!("{:<22}{:<10}{:<12}{}\n", "exchange", "passed", "date", "operations; account types");
    for entry in entries {
        let (passed, of) = entry
            .conformance
            .iter()
            .fold((0, 0), |(passed, of), (_, score)| (passed + score.passed, of + score.of));
        let tenths = (passed * 1000_u32).checked_div(of);
        let share = tenths.map_or("–".to_owned(), |tenths| format!("{}.{} %", tenths / 10, tenths % 10));
        let _ = writeln!(
            out,
            "{:<22}{share:<10}{:<12}{}; {}",
            entry.id,
            entry.date,
            entry.operations.join(" "),
            entry.accounts.join(" ")
        );
    }
    out
}
