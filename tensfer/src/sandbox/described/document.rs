//! An answer as it grows, row by row.

use super::evaluate::{Out, Row, Scope, evaluate, rows};
use super::expression::{Expression, RowStep};
use super::file::Listing;
use super::json::Json;
use super::solve::{Draft, member_of, put};

/// Puts a row where the path leads; `None` where something else stands there, and nothing is changed then.
pub fn add(root: &mut Json, path: &[RowStep], draft: &Draft) -> Option<()> {
    let each = |step: &RowStep| matches!(step, RowStep::EachItem | RowStep::EachMember);
    let last_each = path.iter().rposition(each);
    // The rows before it stay where they are; the little that is around them may have to be as it was.
    let to_rows = last_each.and_then(|last| path.get(..=last)).unwrap_or_default();
    let before = list_at(root, to_rows).map(std::mem::take).unwrap_or_default();
    let mut grown = root.clone();
    let placed = place(&mut grown, path, 0, last_each, draft);
    if placed.is_some() {
        *root = grown;
    }
    if let Some(list) = list_at(root, to_rows) {
        list.splice(..0, before);
    }
    placed
}

/// The list that a path's last step goes through, if it is there.
fn list_at<'j>(at: &'j mut Json, path: &[RowStep]) -> Option<&'j mut Vec<Json>> {
    let (step, rest) = path.split_first()?;
    let next = match (at, step) {
        // Within another list a row may begin a new item of that.
        (Json::List(items), RowStep::EachItem) => return rest.is_empty().then_some(items),
        (Json::List(items), RowStep::Index(index)) => items.get_mut(*index)?,
        (Json::Map(members), RowStep::Member(name)) => {
            &mut members.iter_mut().find(|(known, _)| known == name)?.1
        }
        _ => return None,
    };
    list_at(next, rest)
}

fn place(
    at: &mut Json,
    path: &[RowStep],
    depth: usize,
    last_each: Option<usize>,
    draft: &Draft,
) -> Option<()> {
    let Some(step) = path.get(depth) else { return merge(at, draft.row()) };
    let next = |at: &mut Json| place(at, path, depth + 1, last_each, draft);
    match step {
        RowStep::Member(name) => {
            let is_member = |step: &&RowStep| matches!(step, RowStep::Member(_));
            let up = path.get(depth..)?.iter().filter(is_member).count();
            fits(at, true)?;
            for (steps, value) in draft.around(up) {
                let mut around = Json::Null;
                put(&mut around, steps, value);
                merge(at, around)?;
            }
            next(member_of(at, name))
        }
        RowStep::EachMember => {
            // The key is that of the innermost object whose members are gone through, lists within them or not.
            let innermost = path.iter().rposition(|step| matches!(step, RowStep::EachMember));
            let key = if innermost == Some(depth) { draft.key() } else { None };
            fits(at, true)?;
            next(member_of(at, key.as_deref().unwrap_or("sandbox")))
        }
        RowStep::Index(index) => {
            fits(at, false)?;
            if *at == Json::Null {
                *at = Json::List(Vec::new());
            }
            let Json::List(items) = at else { return None };
            items.resize(items.len().max(index + 1), Json::Null);
            next(items.get_mut(*index)?)
        }
        RowStep::EachItem => {
            fits(at, false)?;
            if *at == Json::Null {
                *at = Json::List(Vec::new());
            }
            let Json::List(items) = at else { return None };
            // Rows of one list go side by side; an outer list holds one element for all, unless the rows say something of it.
            let fresh = last_each == Some(depth) || draft.reaches_out();
            if fresh || items.is_empty() {
                items.push(Json::Null);
            }
            next(items.last_mut()?)
        }
    }
}

/// Whether an object (or a list) may stand here.
fn fits(at: &Json, object: bool) -> Option<()> {
    let fits = match at {
        Json::Null => true,
        Json::Map(_) => object,
        Json::List(_) => !object,
        _ => false,
    };
    fits.then_some(())
}

/// Joins two values; texts that differ do not join.
fn merge(at: &mut Json, value: Json) -> Option<()> {
    match (&mut *at, value) {
        (_, Json::Null) => Some(()),
        (Json::Null, value) => {
            *at = value;
            Some(())
        }
        (Json::Map(_), Json::Map(members)) => {
            members.into_iter().try_for_each(|(name, value)| merge(member_of(at, &name), value))
        }
        (Json::List(_), Json::List(items)) => items.into_iter().enumerate().try_for_each(|(index, value)| {
            let Json::List(known) = &mut *at else { return None };
            known.resize(known.len().max(index + 1), Json::Null);
            merge(known.get_mut(index)?, value)
        }),
        (known, value) => (*known == value).then_some(()),
    }
}

/// Makes the lists and objects in which rows would stand, so that an answer without rows is one too.
pub fn frame(root: &mut Json, path: &[RowStep]) {
    let Some((step, rest)) = path.split_first() else { return };
    match step {
        RowStep::Member(name) if matches!(root, Json::Null | Json::Map(_)) => {
            // The row itself, where it is one member, is not made.
            let member = member_of(root, name);
            if rest.is_empty() {
                if *member == Json::Null
                    && let Json::Map(members) = root
                {
                    members.retain(|(known, value)| known != name || *value != Json::Null);
                }
            } else {
                frame(member, rest);
            }
        }
        RowStep::EachItem | RowStep::Index(_) if *root == Json::Null => *root = Json::List(Vec::new()),
        RowStep::EachMember if *root == Json::Null => *root = Json::Map(Vec::new()),
        _ => {}
    }
}

/// The fields of each row of a listing that is wanted, by name; absent ones are left out.
pub fn read(root: &Json, listing: &Listing, scope: Scope) -> Vec<Vec<(String, String)>> {
    let mut found = Vec::new();
    for path in &listing.rows {
        rows(root, path, &mut |row| {
            if is_wanted(listing, row, scope) {
                let field = |(name, expression): &(String, Expression)| {
                    Some((name.clone(), evaluate(expression, row, scope).text()?))
                };
                found.push(listing.fields.iter().filter_map(field).collect());
            }
        });
    }
    found
}

fn is_wanted(listing: &Listing, row: Row, scope: Scope) -> bool {
    let holds = |(expression, allowed): &(Expression, Vec<String>)| {
        evaluate(expression, row, scope).text().is_some_and(|text| allowed.contains(&text))
    };
    listing.only.iter().all(holds)
}

/// The value of an expression over the whole answer.
pub fn whole(root: &Json, expression: &Expression, scope: Scope) -> Out {
    evaluate(expression, Row { json: root, key: None, parents: &[] }, scope)
}
