//! Currencies and their networks: recorded as a tree, one row for each currency and network of ours.

use enclave::connector::{Json, Listing, Record};

use crate::compare::value;
use crate::dictionary::text;
use crate::report::Exchange;

/// Their place in a network's entry, and our field.
const FIELDS: [(&[&str], &str); 8] = [
    (&["active"], "active"),
    (&["deposit"], "deposit"),
    (&["withdraw"], "withdraw"),
    (&["fee"], "fee"),
    (&["precision"], "precision"),
    (&["limits", "withdraw", "min"], "minimum"),
    (&["limits", "withdraw", "max"], "maximum"),
    (&["limits", "deposit", "min"], "deposit_minimum"),
];

/// Every network of theirs has one row of ours and the other way round. A currency that they list without networks
/// may have one row without a network, or none: nothing can be sent then.
pub fn check(
    listing: &Listing,
    rows: &[Record],
    expected: Json<'_>,
    report: &mut Exchange,
) -> Result<(), String> {
    let mut unmatched: Vec<&Record> = rows.iter().collect();
    for (code, currency) in expected.members() {
        let code = code.text();
        let id = text(currency, "id").unwrap_or_default();
        let is_of = |row: &Record| row.field("asset").is_some_and(|asset| asset == id || asset == code);
        let networks: Vec<Json<'_>> = currency
            .member("networks")
            .ok()
            .flatten()
            .into_iter()
            .flat_map(Json::members)
            .map(|(_, n)| n)
            .collect();
        for network in &networks {
            let network_id = text(*network, "id");
            let at = unmatched.iter().position(|row| {
                is_of(row)
                    && (listing.field("network").is_none() || row.field("network") == network_id.as_deref())
            });
            let at = at.ok_or_else(|| format!("{code} on {network_id:?} is missing"))?;
            fields(listing, unmatched.remove(at), *network)
                .map_err(|why| format!("{code} {network_id:?} {why}"))?;
        }
        if networks.is_empty()
            && let Some(at) = unmatched.iter().position(|row| is_of(row) && row.field("network").is_none())
        {
            fields(listing, unmatched.remove(at), currency).map_err(|why| format!("{code} {why}"))?;
        }
        if let (Some(_), Ok(Some(name))) = (listing.field("name"), currency.member("name")) {
            let ours = rows.iter().find(|row| is_of(row));
            if ours.is_some_and(|row| !value(row.field("name"), name)) {
                return Err(format!("{code}: name"));
            }
        }
    }
    for (place, field) in FIELDS {
        if listing.field(field).is_none() {
            report.leave_out("fetchCurrencies", &place.join("."));
        }
    }
    match unmatched.first() {
        Some(row) => Err(format!("they have no {:?} on {:?}", row.field("asset"), row.field("network"))),
        None => Ok(()),
    }
}

fn fields(listing: &Listing, row: &Record, theirs: Json<'_>) -> Result<(), String> {
    for (place, field) in FIELDS {
        let mut at = Some(theirs);
        for name in place {
            at = at.and_then(|json| json.member(name).ok().flatten());
        }
        let (Some(expected), true) = (at, listing.field(field).is_some()) else { continue };
        if !value(row.field(field), expected) {
            return Err(format!("{field}: ours {:?}, theirs {}", row.field(field), expected.raw()));
        }
    }
    Ok(())
}
