//! Keys that a described exchange makes and deletes for the accounts that it has.

use super::Holder;
use super::account::{Account, credentials};
use super::answer::Visit;
use super::document::{add, frame};
use super::file::{File, KeyCall, Listing, Purpose};
use super::json::Json;
use super::rows::conditions;
use super::signature;
use super::solve::{Goal, Want, solve_softly};
use crate::sandbox::dialect::Permission;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What is not as it was seeded.
#[derive(Debug, Clone, Default)]
pub struct Issued {
    made: Vec<Made>,
    /// Exchange, and what names the key there.
    deleted: BTreeSet<(String, String)>,
}

#[derive(Debug, Clone)]
struct Made {
    exchange: String,
    id: String,
    name: String,
    scope: String,
    holder: Arc<Holder>,
}

/// A row of the list.
struct Row {
    id: String,
    key: String,
    name: String,
    scope: String,
}

impl Issued {
    /// Accounts as keys that were made reach them.
    pub fn made(&self, exchange: &str) -> impl Iterator<Item = &Arc<Holder>> {
        self.made.iter().filter(move |made| made.exchange == exchange).map(|made| &made.holder)
    }

    pub fn is_deleted(&self, file: &File, account: &Account) -> bool {
        key(file, account).is_some_and(|key| self.deleted.contains(&(file.id.clone(), key.to_owned())))
    }

    /// The answer to a call about keys; nothing where it is about something else.
    pub fn answer(&mut self, visit: &Visit) -> Option<Json> {
        let listings = visit.matched.listings.iter().filter_map(|index| visit.file.listings.get(*index));
        let (listing, call) = listings.filter_map(|listing| Some((listing, key_call(listing)?))).next()?;
        let account = visit.account?;
        let mut root = Json::Null;
        match call {
            KeyCall::List => {
                let scope = visit.scope(&[]);
                for row in self.rows(visit.file, account) {
                    let goals = listing.fields.iter().map(|(name, field)| (field, row.says(name)));
                    let (draft, _) = solve_softly(conditions(listing), goals.collect(), scope)?;
                    add(&mut root, listing.rows.first()?, &draft)?;
                }
                frame(&mut root, listing.rows.first()?);
            }
            KeyCall::Create => {
                let made = self.make(visit, account)?;
                let said = |name: &str| {
                    let field = made.holder.0.field(name).unwrap_or_default();
                    let text = match name {
                        "id" => &made.id,
                        "scope" => &made.scope,
                        _ => field,
                    };
                    Want::Text(text.to_owned())
                };
                let goals: Vec<Goal> =
                    listing.fields.iter().map(|(name, field)| (field, said(name))).collect();
                let (draft, _) = solve_softly(conditions(listing), goals, visit.scope(&[]))?;
                add(&mut root, listing.rows.first()?, &draft)?;
            }
            KeyCall::Delete => {
                let key = match argument(visit, "id") {
                    Some(id) => self.rows(visit.file, account).into_iter().find(|row| row.id == id)?.key,
                    None => key(visit.file, account)?.to_owned(),
                };
                self.deleted.insert((visit.file.id.clone(), key));
            }
        }
        Some(root)
    }

    /// The keys of an account that are good: the seeded one, and those that were made.
    fn rows(&self, file: &File, account: &Account) -> Vec<Row> {
        let seeded = credentials(file, account.name);
        let seeded = seeded.into_iter().find(|(name, _)| Some(name) == file.named_by.as_ref());
        let own = seeded.map(|(_, key)| Row {
            id: "1".to_owned(),
            key,
            name: "seeded".to_owned(),
            scope: scope(account),
        });
        let made =
            self.made.iter().filter(|made| made.exchange == file.id && made.holder.0.name == account.name);
        let made = made.filter_map(|made| {
            let key = key(file, &made.holder.0)?.to_owned();
            Some(Row { id: made.id.clone(), key, name: made.name.clone(), scope: made.scope.clone() })
        });
        let is_good = |row: &Row| !self.deleted.contains(&(file.id.clone(), row.key.clone()));
        own.into_iter().chain(made).filter(is_good).collect()
    }

    fn make(&mut self, visit: &Visit, account: &Account) -> Option<&Made> {
        let id = (self.made.len() + 2).to_string();
        let credentials = credentials(visit.file, &format!("{}Made{id}", account.name));
        let account = Account { credentials, ..account.clone() };
        let keys = signature::keys(visit.file, |field| account.field(field))?;
        self.made.push(Made {
            exchange: visit.file.id.clone(),
            id,
            name: argument(visit, "name")?,
            scope: argument(visit, "scope")?,
            holder: Arc::new((account, keys)),
        });
        self.made.last()
    }
}

impl Row {
    fn says(&self, field: &str) -> Want {
        let text = match field {
            "id" => &self.id,
            "key" => &self.key,
            "name" => &self.name,
            "scope" => &self.scope,
            _ => "no",
        };
        Want::Text(text.to_owned())
    }
}

fn key_call(listing: &Listing) -> Option<KeyCall> {
    match listing.purpose {
        Purpose::Keys(call) => Some(call),
        _ => None,
    }
}

fn argument(visit: &Visit, name: &str) -> Option<String> {
    visit.matched.arguments.iter().find(|(known, _)| known == name).map(|(_, text)| text.clone())
}

/// What names an account's key.
fn key<'a>(file: &File, account: &'a Account) -> Option<&'a str> {
    account.field(file.named_by.as_deref()?)
}

/// Rights in words of nobody's: what comes in is what goes out.
fn scope(account: &Account) -> String {
    let words = [
        ("read", account.may(Permission::Read)),
        ("trade", account.may(Permission::Trade)),
        ("withdraw", account.may(Permission::Withdraw)),
    ];
    words.iter().filter(|(_, may)| *may).map(|(word, _)| *word).collect::<Vec<_>>().join(" ")
}
