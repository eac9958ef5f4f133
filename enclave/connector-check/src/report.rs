//! What came of a check.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use enclave::connector::Value;

use crate::coverage::Exercised;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Signing,
    Methods,
    Request,
    Response,
}

impl Part {
    pub const ALL: [Part; 4] = [Part::Signing, Part::Methods, Part::Request, Part::Response];

    pub fn name(self) -> &'static str {
        match self {
            Self::Signing => "signing",
            Self::Methods => "methods",
            Self::Request => "request",
            Self::Response => "response",
        }
    }
}

/// Counts of one part. `claimed = passed + failed`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub passed: u32,
    pub failed: u32,
    pub skipped: u32,
}

/// The report on one exchange.
#[derive(Debug)]
pub struct Exchange {
    pub id: String,
    counts: BTreeMap<Part, Counts>,
    /// Part, case, reason.
    pub failures: Vec<(Part, String, String)>,
    /// Part and reason, and how many cases it holds for.
    skips: BTreeMap<(Part, String), u32>,
    /// Fields of recorded results that an operation does not have, once for each method.
    left_out: BTreeMap<String, Vec<String>>,
    /// Fields that the answers of passed cases gave a value to.
    pub exercised: Exercised,
}

impl Exchange {
    pub fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            counts: BTreeMap::new(),
            failures: Vec::new(),
            skips: BTreeMap::new(),
            left_out: BTreeMap::new(),
            exercised: Exercised::default(),
        }
    }

    pub fn record(&mut self, part: Part, case: &str, result: Result<(), String>) {
        let counts = self.counts.entry(part).or_default();
        match result {
            Ok(()) => counts.passed += 1,
            Err(reason) => {
                counts.failed += 1;
                self.failures.push((part, case.to_owned(), reason));
            }
        }
    }

    pub fn skip(&mut self, part: Part, reason: &str) {
        self.counts.entry(part).or_default().skipped += 1;
        *self.skips.entry((part, reason.to_owned())).or_default() += 1;
    }

    pub fn leave_out(&mut self, method: &str, field: &str) {
        let fields = self.left_out.entry(method.to_owned()).or_default();
        if !fields.iter().any(|known| known == field) {
            fields.push(field.to_owned());
        }
    }

    pub fn counts(&self, part: Part) -> Counts {
        self.counts.get(&part).copied().unwrap_or_default()
    }

    /// Cases that the connector's file lists as not met, with a reason.
    pub fn exceptions(&self, part: Part) -> u32 {
        let skips = self.skips.iter();
        skips
            .filter(|((of, reason), _)| *of == part && reason.starts_with("exception: "))
            .map(|(_, count)| count)
            .sum()
    }

    pub fn failed(&self) -> u32 {
        self.counts.values().map(|counts| counts.failed).sum()
    }
}

/// The report for programs.
pub fn json(reports: &[Exchange]) -> String {
    let number = |count: u32| Value::Number(count.to_string());
    let text = |text: &str| Value::Text(text.to_owned());
    let exchange = |report: &Exchange| {
        let mut members = vec![("id".to_owned(), text(&report.id))];
        for part in Part::ALL {
            let counts = report.counts(part);
            let part_members = [
                ("claimed", counts.passed + counts.failed),
                ("passed", counts.passed),
                ("failed", counts.failed),
                ("skipped", counts.skipped),
            ];
            let part_members = part_members.map(|(name, count)| (name.to_owned(), number(count)));
            members.push((part.name().to_owned(), Value::Map(part_members.to_vec())));
        }
        let failure = |(part, case, reason): &(Part, String, String)| {
            let pairs = [("part", part.name()), ("case", case), ("reason", reason)];
            Value::Map(pairs.map(|(name, value)| (name.to_owned(), text(value))).to_vec())
        };
        members.push(("failures".to_owned(), Value::List(report.failures.iter().map(failure).collect())));
        let skip = |((part, reason), count): (&(Part, String), &u32)| {
            Value::Map(vec![
                ("part".to_owned(), text(part.name())),
                ("reason".to_owned(), text(reason)),
                ("count".to_owned(), number(*count)),
            ])
        };
        members.push(("skips".to_owned(), Value::List(report.skips.iter().map(skip).collect())));
        let left_out = report.left_out.iter().map(|(method, fields)| {
            (method.clone(), Value::List(fields.iter().map(|field| text(field)).collect()))
        });
        members.push(("left_out".to_owned(), Value::Map(left_out.collect())));
        Value::Map(members)
    };
    let top = Value::Map(vec![("exchanges".to_owned(), Value::List(reports.iter().map(exchange).collect()))]);
    let mut out = top.to_json();
    out.push('\n');
    out
}

/// The report for people.
pub fn table(reports: &[Exchange]) -> String {
    let mut out = format!(
        "{:<14}{:<10}{:>8}{:>8}{:>8}{:>8}\n",
        "exchange", "part", "claimed", "passed", "failed", "skipped"
    );
    for report in reports {
        for part in Part::ALL {
            let counts = report.counts(part);
            let claimed = counts.passed + counts.failed;
            let (id, name) = (&report.id, part.name());
            let _ = writeln!(
                out,
                "{id:<14}{name:<10}{claimed:>8}{:>8}{:>8}{:>8}",
                counts.passed, counts.failed, counts.skipped
            );
        }
    }
    for report in reports {
        for ((part, reason), count) in &report.skips {
            let _ = writeln!(out, "skipped  {} {}: {reason} ({count})", report.id, part.name());
        }
        for (method, fields) in &report.left_out {
            let _ = writeln!(out, "left out {} {method}: {}", report.id, fields.join(", "));
        }
        for (part, case, reason) in &report.failures {
            let _ = writeln!(out, "FAILED   {} {} {case}: {reason}", report.id, part.name());
        }
    }
    out
}
