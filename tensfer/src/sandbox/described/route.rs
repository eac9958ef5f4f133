//! Which listings a request may be: those whose endpoint, rule and parameters it fits.

use super::super::call::Call;
use super::file::{File, Listing, Page};
use super::json::Json;
use super::pattern::{Class, Part, find};
use super::received::{Endpoint, Received};
use super::template::{Piece, pieces, unfiltered};
use std::cmp::Reverse;

/// A request understood as some listings' call.
#[derive(Debug)]
pub struct Match<'f> {
    pub received: Received<'f>,
    /// Indices into the file's listings, all with the same constant parameters.
    pub listings: Vec<usize>,
    /// Arguments that the parameters were made from.
    pub arguments: Vec<(String, String)>,
    /// The same as each of the listings writes them.
    own: Vec<Vec<(String, String)>>,
}

impl Match<'_> {
    /// What the parameters say as one listing writes them; nothing where the request is not its.
    pub fn own(&self, listing: usize) -> &[(String, String)] {
        let at = self.listings.iter().position(|known| *known == listing);
        at.and_then(|at| self.own.get(at)).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Every way to understand a call, in the order of the file's rules.
pub fn matches<'f>(file: &'f File, call: &Call) -> Vec<Match<'f>> {
    let mut found: Vec<(Plainness, Match)> = Vec::new();
    let mut seen: Vec<(&str, &str, &str)> = Vec::new();
    for listing in file.listings.iter().filter(|listing| may_be(file, listing, call)) {
        let endpoint = (listing.method.as_str(), listing.section.as_str(), listing.path.as_str());
        if seen.contains(&endpoint) {
            continue;
        }
        seen.push(endpoint);
        let Some(section) = file.section(&listing.section) else { continue };
        let endpoint = Endpoint { method: &listing.method, section, path: &listing.path };
        for rule in
            file.rules.iter().filter(|rule| rule.covers(&section.name, endpoint.method, endpoint.path))
        {
            if let Some(received) = Received::read(file, rule, endpoint, call) {
                found.extend(of_endpoint(file, listing, received));
            }
        }
    }
    found.sort_by_key(|(plainness, _)| *plainness);
    found.into_iter().map(|(_, matched)| matched).collect()
}

/// What can be said at a glance, before templates are read: a call goes to the endpoint's host by its method, and says the end
/// of its path somewhere. A rule may write a path without its first segment, or into the body.
fn may_be(file: &File, listing: &Listing, call: &Call) -> bool {
    let to_host = || file.section(&listing.section).is_some_and(|section| section.host == call.host);
    let says_end = || {
        let Some((_, end)) = listing.path.rsplit_once('/') else { return true };
        let own = end.split('{').next().unwrap_or_default();
        own.is_empty() || call.path.contains(own) || is_within(own, call.query) || is_within(own, call.body)
    };
    listing.method == call.method && to_host() && says_end()
}

fn is_within(needle: &str, text: impl AsRef<[u8]>) -> bool {
    text.as_ref().windows(needle.len()).any(|window| window == needle.as_bytes())
}

/// An endpoint with a parameter in its path gives way to one that spells the same path out, or more of it: how many
/// parameters it has, and how many characters of its own.
type Plainness = (usize, Reverse<usize>);

fn plainness(path: &str) -> Plainness {
    let own = path.split(['{', '}']).step_by(2).map(str::len).sum();
    (path.matches('{').count(), Reverse(own))
}

fn of_endpoint<'f>(file: &'f File, like: &Listing, received: Received<'f>) -> Option<(Plainness, Match<'f>)> {
    let same = |listing: &Listing| {
        (&listing.method, &listing.section, &listing.path) == (&like.method, &like.section, &like.path)
    };
    let alike = file.listings.iter().enumerate().filter(|(_, listing)| same(listing));
    let fitting: Vec<Fit> =
        alike.filter_map(|(index, listing)| fit(file, index, listing, &received)).collect();
    let best = fitting.iter().map(|fit| fit.score).max()?;
    let fitting: Vec<Fit> = fitting.into_iter().filter(|fit| fit.score == best).collect();
    let mut arguments: Vec<(String, String)> = Vec::new();
    for (name, text) in fitting.iter().flat_map(|fit| &fit.arguments) {
        if !arguments.iter().any(|(known, _)| known == name) {
            arguments.push((name.clone(), text.clone()));
        }
    }
    let (listings, own) = fitting.into_iter().map(|fit| (fit.index, fit.arguments)).unzip();
    Some((plainness(&like.path), Match { received, listings, arguments, own }))
}

/// A listing that a request may be of.
struct Fit {
    index: usize,
    /// How many constant parameters it shares with the request.
    score: usize,
    /// What the other parameters were made from.
    arguments: Vec<(String, String)>,
}

/// `None` where a request has other parameters than the listing.
fn fit(file: &File, index: usize, listing: &Listing, received: &Received) -> Option<Fit> {
    let (mut score, mut arguments) = (0, Vec::new());
    let row = listing.each.and_then(|outer| file.listings.get(outer));
    // What the row says that the call is made for is in the call.
    let is_of_row = |setting: &Json| {
        let written = setting.write();
        let fields = row.iter().flat_map(|row| &row.fields);
        fields.into_iter().any(|(name, _)| written.contains(&format!("{{param.{name}")))
    };
    for (name, setting) in &listing.params {
        let is_paged = listing.page.as_ref().is_some_and(|page| page.names(name));
        match received.value(name) {
            // Pages are asked with other values than one page alone.
            Some(_) if is_paged => {}
            Some(value) => score += usize::from(argument(setting, &value, &mut arguments)?),
            // A parameter whose argument was not given is left out.
            None if !is_of_row(setting) && (setting.write().contains("{param.") || is_drawn(setting)) => {}
            None => return None,
        }
    }
    // The size of pages is as fixed as another listing's constant.
    score += usize::from(listing.page.as_ref().is_some_and(|page| is_sized(page, received)));
    let known = |name: &str| {
        let base = name.split('[').next().unwrap_or_default();
        listing.params.iter().any(|(param, _)| param == name || param == base)
            || listing.page.as_ref().is_some_and(|page| page.names(name))
    };
    received.chosen().all(known).then_some(Fit { index, score, arguments })
}

/// Whether a request asks for as many rows as the listing's pages have.
fn is_sized(page: &Page, received: &Received) -> bool {
    let asked = page.limit.as_deref().and_then(|name| received.value(name));
    asked.is_some_and(|asked| asked.text() == Some(page.size.to_string().as_str()))
}

/// `{joined = …}` and `{json = …}` of an argument.
fn is_drawn(setting: &Json) -> bool {
    matches!(setting.members(), [(word, _)] if word == "joined" || word == "json")
}

/// Whether the setting is a constant, after keeping the arguments that it was made from.
fn argument(setting: &Json, value: &Json, arguments: &mut Vec<(String, String)>) -> Option<bool> {
    match setting {
        Json::Text(template) if template.contains('{') => {
            arguments.extend(captured(template, value.text().unwrap_or_default())?);
            Some(false)
        }
        Json::Map(members) => match members.as_slice() {
            [(word, Json::Text(template))] if word == "number" => {
                arguments.extend(captured(template, value.text()?)?);
                Some(false)
            }
            [(word, Json::List(settings))] if word == "first" => {
                settings.iter().find_map(|setting| argument(setting, value, arguments))?;
                // What stands for itself where the caller says nothing else names the account.
                let fixed = settings.iter().filter(|setting| !setting.write().contains("{param."));
                for setting in fixed {
                    let _ = argument(setting, value, arguments);
                }
                Some(false)
            }
            [(word, _)] if word == "joined" || word == "json" => Some(false),
            members => table(members, value, arguments),
        },
        Json::List(items) => {
            for (item, value) in items.iter().zip(value.items()) {
                argument(item, value, arguments)?;
            }
            Some(false)
        }
        constant => (constant.text() == value.text()).then_some(true),
    }
}

/// A table of settings, every one of which the value has, and nothing else.
fn table(members: &[(String, Json)], value: &Json, arguments: &mut Vec<(String, String)>) -> Option<bool> {
    let known = |(name, _): &(String, Json)| members.iter().any(|(known, _)| known == name);
    value.members().iter().all(known).then_some(())?;
    let mut constant = false;
    for (name, setting) in members {
        match value.member(name) {
            Some(value) => constant |= argument(setting, value, arguments)?,
            None if setting.write().contains("{param.") => {}
            None => return None,
        }
    }
    Some(constant)
}

/// The texts that stood for the places of a template, filters undone.
fn captured(template: &str, text: &str) -> Option<Vec<(String, String)>> {
    let parts: Vec<Part> = pieces(template)
        .into_iter()
        .map(|piece| match piece {
            Piece::Literal(text) => Part::Literal(text.to_owned()),
            Piece::Place { token, filters } => {
                Part::Place([&[token], filters.as_slice()].concat().join("|"), Class::Any)
            }
        })
        .collect();
    let plain = |(name, text): (String, String)| {
        let mut words = name.split('|');
        let token = words.next()?.trim_start_matches("param.").to_owned();
        let filters: Vec<&str> = words.collect();
        let text =
            filters.iter().rev().try_fold(text.into_bytes(), |text, filter| unfiltered(filter, &text))?;
        Some((token, String::from_utf8(text).ok()?))
    };
    find(&parts, text)?.into_iter().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_spells_more_of_itself_out_is_meant_first() {
        let mut paths = ["orders/{id}", "orders/cid:{clientOrderId}", "orders/all", "{a}/{b}"];
        paths.sort_by_key(|path| plainness(path));
        assert_eq!(paths, ["orders/all", "orders/cid:{clientOrderId}", "orders/{id}", "{a}/{b}"]);
    }
}
