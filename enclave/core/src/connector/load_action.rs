//! The tables `actions`, `terms` and `status` of a connector file.

use super::load::{conditions, listing};
use super::model::{HISTORIES, Listing};
use super::model_action::{
    Action, By, Counted, Deed, Lookup, OUTCOME_FIELDS, Recipient, TERM_FIELDS, TermsCall, deed, kind,
};
use super::table::{LoadError, Table};
use wire::action::Kind;

pub fn actions(top: &mut Table<'_>, names: &[String]) -> Result<Vec<Action>, LoadError> {
    let listed = top.tables("actions")?;
    let mut actions = Vec::with_capacity(listed.len());
    for mut table in listed {
        let operation = table.text("operation")?;
        let operation =
            deed(&operation).ok_or_else(|| table.fault("operation", format!("unknown `{operation}`")))?;
        let allowed = if operation == Deed::Quote { TERM_FIELDS } else { OUTCOME_FIELDS };
        let action = Action {
            operation,
            when: conditions(&mut table)?,
            accounts: table.pairs("accounts")?,
            amount: counted(&mut table, operation)?,
            once: table.optional_text("once")?,
            once_ms: once_ms(&mut table)?,
            recipients: recipients(&mut table)?,
            repeated: table.texts("repeated")?,
            refused: table.texts("refused")?,
            listing: listing(&mut table, names, allowed)?,
        };
        check(&action, &table)?;
        table.finish()?;
        actions.push(action);
    }
    Ok(actions)
}

/// What the connector has no action and no history for, each with its reason.
pub fn unoffered(top: &mut Table<'_>) -> Result<Vec<(String, String)>, LoadError> {
    let listed = top.pairs("unoffered")?;
    let mut all = Vec::with_capacity(listed.len());
    for (name, reason) in listed {
        let place = format!("unoffered.{name}");
        if deed(&name).is_none() && !HISTORIES.contains(&name.as_str()) {
            return Err(top.fault(&place, "unknown"));
        }
        if reason.is_empty() {
            return Err(top.fault(&place, "no reason"));
        }
        all.push((name, reason));
    }
    Ok(all)
}

/// A withdrawal says what its amount counts: a fee that is taken for the other is money lost.
fn counted(table: &mut Table<'_>, operation: Deed) -> Result<Counted, LoadError> {
    match (operation, table.optional_text("amount")?.as_deref()) {
        (Deed::Do(Kind::Withdraw), Some("gross")) => Ok(Counted::Gross),
        (Deed::Do(Kind::Withdraw), Some("net")) => Ok(Counted::Net),
        (Deed::Do(Kind::Withdraw), Some("either")) => Ok(Counted::Either),
        (Deed::Do(Kind::Withdraw), _) => Err(table.fault("amount", "expected `gross`, `net` or `either`")),
        (_, None) => Ok(Counted::Gross),
        (_, Some(_)) => Err(table.fault("amount", "of withdrawals alone")),
    }
}

/// The least time for which an exchange must refuse a second use, in hours: beyond any run, and any request's validity.
const LEAST_HOURS: u32 = 24;

fn once_ms(table: &mut Table<'_>) -> Result<Option<u64>, LoadError> {
    match table.number("once_hours", Some(0))? {
        0 => Ok(None),
        hours @ ..LEAST_HOURS => {
            Err(table.fault("once_hours", format!("{hours} are no time to ask again in")))
        }
        hours => Ok(Some(u64::from(hours) * 3_600_000)),
    }
}

fn recipients(table: &mut Table<'_>) -> Result<Vec<(Recipient, String)>, LoadError> {
    let pairs = table.pairs("recipients")?.into_iter();
    let known = |(name, word): (String, String)| {
        let found = Recipient::ALL.into_iter().find(|kind| kind.name() == name);
        found.map(|kind| (kind, word)).ok_or_else(|| table.fault("recipients", format!("unknown `{name}`")))
    };
    pairs.map(known).collect()
}

fn check(action: &Action, table: &Table<'_>) -> Result<(), LoadError> {
    if action.listing.page.is_some() || action.listing.each.is_some() {
        return Err(table.fault("call", "an action is one call"));
    }
    let arguments_of = |name: &str| {
        let params = action.listing.params.iter().filter(|(known, _)| known == name);
        let alone = params.map(|(_, setting)| Listing::arguments_of(setting));
        alone.flatten().collect::<Vec<_>>()
    };
    if let Some(once) = &action.once
        && !arguments_of(once).iter().any(|argument| argument.starts_with("reference"))
    {
        return Err(table.fault("once", format!("parameter `{once}` does not carry the reference")));
    }
    if action.once.is_none() && (!action.repeated.is_empty() || action.once_ms.is_some()) {
        return Err(table.fault("once", "missing"));
    }
    if action.operation != Deed::Do(Kind::Withdraw) && !action.recipients.is_empty() {
        return Err(table.fault("recipients", "of withdrawals alone"));
    }
    Ok(())
}

pub fn terms(top: &mut Table<'_>, names: &[String]) -> Result<Vec<TermsCall>, LoadError> {
    let listed = top.tables("terms")?;
    let mut all = Vec::with_capacity(listed.len());
    for mut table in listed {
        all.push(TermsCall {
            kind: kind_of(&mut table)?,
            when: conditions(&mut table)?,
            optional: table.flag("optional", false)?,
            listing: listing(&mut table, names, TERM_FIELDS)?,
        });
        table.finish()?;
    }
    Ok(all)
}

pub fn lookups(top: &mut Table<'_>, names: &[String]) -> Result<Vec<Lookup>, LoadError> {
    let listed = top.tables("status")?;
    let mut lookups = Vec::with_capacity(listed.len());
    for mut table in listed {
        let by = match table.text("by")?.as_str() {
            "id" => By::Id,
            "reference" => By::Reference,
            "list" => By::List,
            "rows" => By::Rows,
            _ => return Err(table.fault("by", "expected `id`, `reference`, `list` or `rows`")),
        };
        let lookup = Lookup {
            kind: kind_of(&mut table)?,
            when: conditions(&mut table)?,
            by,
            absent: table.texts("absent")?,
            listing: listing(&mut table, names, OUTCOME_FIELDS)?,
        };
        let told = |name: &str| lookup.listing.field(name).is_some();
        if by == By::List && !(told("reference") && told("timestamp") && lookup.listing.page.is_some()) {
            return Err(table.fault("by", "a `list` has pages, with reference and timestamp of each row"));
        }
        lookups.push(lookup);
        table.finish()?;
    }
    Ok(lookups)
}

fn kind_of(table: &mut Table<'_>) -> Result<Kind, LoadError> {
    let name = table.text("operation")?;
    kind(&name).ok_or_else(|| table.fault("operation", format!("unknown `{name}`")))
}
