//! Which mappings of a connector some vector has exercised: a field counts when an answer gave it a value.

use std::collections::{BTreeMap, BTreeSet};

use enclave::connector::{Connector, Json, Listing, Params, Reply, Value, listings};

/// The place of `errors`, and the name under which a cursor (`page.next`) counts among a listing's fields.
pub const ERRORS: &str = "errors";
pub const CURSOR: &str = "page.next";

/// Fields by place.
pub type Fields = BTreeMap<String, BTreeSet<String>>;

/// What vectors gave values to, and what they say that no example has, with the reason.
#[derive(Clone, Debug, Default)]
pub struct Exercised {
    pub seen: Fields,
    pub absent: BTreeMap<(String, String), String>,
}

impl Exercised {
    pub fn see(&mut self, place: &str, field: &str) {
        self.seen.entry(place.to_owned()).or_default().insert(field.to_owned());
    }

    /// Notes which fields of a listing an answer gives a value to.
    pub fn see_answer(&mut self, place: &str, listing: &'static Listing, reply: &Reply<'_>) {
        let rows = reply.records(listing).map(|read| read.rows).unwrap_or_default();
        for (field, _) in rows.iter().flat_map(|row| &row.0) {
            self.see(place, field);
        }
        if listing.cursor().is_some_and(|next| reply.cursor(next).is_some()) {
            self.see(place, CURSOR);
        }
    }

    /// A recorded answer, which the listing was found to read as recorded.
    pub fn see_recorded(
        &mut self,
        connector: &'static Connector,
        listing: &'static Listing,
        arguments: &Params,
        root: Json<'_>,
    ) {
        let place = listings(connector).into_iter().find(|(_, known)| std::ptr::eq(*known, listing));
        if let Some((place, _)) = place {
            self.see_answer(&place, listing, &Reply { connector, arguments, root });
        }
    }

    /// What one listing was seen to read, another one that reads it in the same way out of the same answers reads too.
    pub fn share(&mut self, connector: &Connector) {
        let listings = listings(connector);
        let all = mapped(connector);
        for (place, listing) in &listings {
            for field in all.get(place).into_iter().flatten() {
                let alike = |(other_place, other): &(String, &Listing)| {
                    let is_alike = if field == CURSOR {
                        other.pages_like(listing)
                    } else {
                        other.maps_like(listing, field)
                    };
                    is_alike && self.has(other_place, field)
                };
                if listings.iter().any(alike) {
                    self.see(place, field);
                }
            }
        }
    }

    /// A variant reads what its base reads, where it reads it in the same way out of the same answers.
    pub fn inherit(&mut self, connector: &Connector, base: &Connector, of_base: &Self) {
        let (ours, theirs) = (listings(connector), listings(base));
        let told = |connector: &Connector| {
            let errors = &connector.errors;
            [&errors.code, &errors.message, &errors.original].map(Clone::clone)
        };
        let told_alike = told(connector) == told(base);
        for (place, fields) in mapped(connector) {
            for field in fields {
                let is_same = match ours.iter().find(|(known, _)| *known == place) {
                    Some((_, listing)) => theirs.iter().any(|(their_place, other)| {
                        let is_alike = if field == CURSOR {
                            other.pages_like(listing)
                        } else {
                            other.maps_like(listing, &field)
                        };
                        is_alike && of_base.has(their_place, &field)
                    }),
                    None => of_base.has(&place, &field) && told_alike,
                };
                if is_same {
                    self.see(&place, &field);
                }
                let key = (place.clone(), field);
                if let (Some(reason), false) = (of_base.absent.get(&key), self.has(&key.0, &key.1)) {
                    self.absent.entry(key).or_insert_with(|| reason.clone());
                }
            }
        }
    }

    fn has(&self, place: &str, field: &str) -> bool {
        self.seen.get(place).is_some_and(|fields| fields.contains(field))
    }
}

/// Everything that a connector maps, by place.
pub fn mapped(connector: &Connector) -> Fields {
    let mut fields = Fields::new();
    for (place, listing) in listings(connector) {
        let mut names: BTreeSet<String> = listing.mapped().into_iter().map(str::to_owned).collect();
        if listing.cursor().is_some() {
            names.insert(CURSOR.to_owned());
        }
        fields.insert(place, names);
    }
    let said = &connector.errors;
    let errors = [("code", &said.code), ("message", &said.message), ("original", &said.original)];
    let errors = errors.into_iter().filter(|(_, expression)| expression.is_some());
    fields.insert(ERRORS.to_owned(), errors.map(|(name, _)| name.to_owned()).collect());
    fields.retain(|_, names| !names.is_empty());
    fields
}

/// The coverage of one exchange.
#[derive(Debug)]
pub struct Coverage {
    pub id: String,
    pub mapped: usize,
    /// Neither exercised nor excused.
    pub missing: Fields,
    /// Place, field, and why no example has it.
    pub excused: Vec<(String, String, String)>,
    /// What is wrong with documented cases: place, reason.
    pub failures: Vec<(String, String)>,
}

impl Coverage {
    pub fn new(connector: &Connector, exercised: &Exercised, mut failures: Vec<(String, String)>) -> Self {
        let all = mapped(connector);
        let (mut missing, mut excused) = (Fields::new(), Vec::new());
        for (place, field) in
            all.iter().flat_map(|(place, names)| names.iter().map(move |name| (place, name)))
        {
            if exercised.has(place, field) {
                continue;
            }
            match exercised.absent.get(&(place.clone(), field.clone())) {
                Some(reason) => excused.push((place.clone(), field.clone(), reason.clone())),
                None => {
                    missing.entry(place.clone()).or_default().insert(field.clone());
                }
            }
        }
        for (place, field) in exercised.absent.keys() {
            let is_mapped = all.get(place).is_some_and(|names| names.contains(field));
            if exercised.has(place, field) {
                failures.push((place.clone(), format!("`{field}` is called absent, and some answer has it")));
            } else if !is_mapped {
                failures.push((place.clone(), format!("`{field}` is called absent, and nothing maps it")));
            }
        }
        let mapped = all.values().map(BTreeSet::len).sum();
        Self { id: connector.id.clone(), mapped, missing, excused, failures }
    }

    pub fn missing_count(&self) -> usize {
        self.missing.values().map(BTreeSet::len).sum()
    }
}

/// The report for people.
pub fn table(coverages: &[Coverage]) -> String {
    let mut lines = Vec::new();
    for coverage in coverages {
        let id = &coverage.id;
        for (place, names) in &coverage.missing {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            lines.push(format!("unexercised {id} {place}: {}", names.join(" ")));
        }
        for (place, field, reason) in &coverage.excused {
            lines.push(format!("no example  {id} {place}: {field}: {reason}"));
        }
        for (place, reason) in &coverage.failures {
            lines.push(format!("FAILED      {id} {place}: {reason}"));
        }
    }
    let sum = |count: fn(&Coverage) -> usize| coverages.iter().map(count).sum::<usize>();
    lines.push(format!(
        "{} fields in {} exchanges: {} unexercised, {} without an example, {} cases failed",
        sum(|coverage| coverage.mapped),
        coverages.len(),
        sum(Coverage::missing_count),
        sum(|coverage| coverage.excused.len()),
        sum(|coverage| coverage.failures.len()),
    ));
    lines.join("\n") + "\n"
}

/// The report for programs.
pub fn json(coverages: &[Coverage]) -> String {
    let text = |text: &str| Value::Text(text.to_owned());
    let number = |count: usize| Value::Number(count.to_string());
    let map = |pairs: Vec<(&str, Value)>| {
        Value::Map(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    };
    let exchange = |coverage: &Coverage| {
        let missing = coverage.missing.iter().map(|(place, names)| {
            (place.clone(), Value::List(names.iter().map(|name| text(name)).collect()))
        });
        let excused = coverage.excused.iter().map(|(place, field, reason)| {
            map(vec![("listing", text(place)), ("field", text(field)), ("reason", text(reason))])
        });
        let failures = coverage
            .failures
            .iter()
            .map(|(place, reason)| map(vec![("listing", text(place)), ("reason", text(reason))]));
        map(vec![
            ("id", text(&coverage.id)),
            ("fields", number(coverage.mapped)),
            ("unexercised", Value::Map(missing.collect())),
            ("absent", Value::List(excused.collect())),
            ("failures", Value::List(failures.collect())),
        ])
    };
    let mut out = map(vec![("exchanges", Value::List(coverages.iter().map(exchange).collect()))]).to_json();
    out.push('\n');
    out
}
