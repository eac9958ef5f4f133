//! Amounts that stand beside each other, such as what is free in one object and what is held in another: each row looks
//! its own up, and an object that is asked again is put in order by name first.

use std::hash::{Hash, Hasher};

use super::hash::{Places, are_distinct};
use super::json::{Json, JsonError, Name};

/// Smaller objects are searched as quickly as they are put in order.
const LARGE: usize = 32;
/// How many objects are remembered, the latest ones.
const MOST: usize = 4;

/// The large objects that were asked lately, in order once they are asked again.
#[derive(Default)]
pub struct Columns<'d>(Vec<(Json<'d>, Option<Members<'d>>)>);

impl<'d> Columns<'d> {
    /// The member `name` of an object; nothing when there is none, an error when there are two.
    pub fn member(&mut self, object: Json<'d>, name: &str) -> Result<Option<Json<'d>>, JsonError> {
        if object.size() < LARGE {
            return object.member(name);
        }
        match self.0.iter_mut().find(|(known, _)| known.is_same(object)) {
            Some((_, members)) => members.get_or_insert_with(|| Members::of(object)).member(name),
            None => {
                self.0.truncate(MOST - 1);
                self.0.insert(0, (object, None));
                object.member(name)
            }
        }
    }
}

/// Members by name.
struct Members<'d> {
    /// In the order of the object; no value where a name occurs twice.
    list: Vec<(Name<'d>, Option<Json<'d>>)>,
    places: Places,
}

impl<'d> Members<'d> {
    fn of(object: Json<'d>) -> Self {
        let mut list: Vec<_> = object.members().map(|(name, value)| (name, Some(value))).collect();
        let mut places = Places::for_items(list.len());
        for index in 0..list.len() {
            let Some((name, _)) = list.get(index) else { break };
            let key_of = |at: usize| list.get(at).map(|(name, _)| name.text());
            let first = places.first(index as u32, &name.text(), key_of) as usize;
            if let Some((_, twice)) = list.get_mut(first).filter(|_| first != index) {
                *twice = None;
            }
        }
        Self { list, places }
    }

    fn member(&self, name: &str) -> Result<Option<Json<'d>>, JsonError> {
        let key_of = |at: usize| self.list.get(at).map(|(name, _)| name.text());
        match self.places.known(&name.into(), key_of).and_then(|at| self.list.get(at as usize)) {
            Some((_, None)) => Err(JsonError::Duplicate),
            Some((_, found)) => Ok(*found),
            None => Ok(None),
        }
    }
}

/// Whether no name occurs twice in an object.
pub fn has_distinct_names(object: Json<'_>) -> bool {
    // A member takes two nodes or more; what is in few members takes many.
    let mut names: Vec<Name<'_>> = Vec::with_capacity((object.size() / 2).min(1024));
    names.extend(object.members().map(|(name, _)| name));
    // Names without escapes are compared as they stand.
    if names.iter().all(|name| name.plain().is_some()) {
        are_distinct(&names, |name| Plain(name.plain().unwrap_or_default()))
    } else {
        are_distinct(&names, |name| name.text())
    }
}

/// A name's bytes, hashed as they are: a length before them, as of slices, is one word more for each of hundreds of names.
#[derive(PartialEq, Eq)]
struct Plain<'d>(&'d [u8]);

impl Hash for Plain<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.0);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::connector::Document;

    #[test]
    fn a_large_object_answers_as_it_does_without_order_and_refuses_a_name_that_occurs_twice() {
        let members: Vec<String> = (0..40).map(|at| format!(r#""n{at}":{at}"#)).collect();
        let text = format!(r#"{{{},"e\u0031":7,"twice":1,"twice":2}}"#, members.join(","));
        let document = Document::parse(text.as_bytes()).unwrap();
        let mut columns = Columns::default();
        for _ in 0..3 {
            for name in ["n0", "n39", "e1", "missing", "twice"] {
                let found = columns.member(document.root(), name).map(|found| found.map(Json::raw));
                assert_eq!(found, document.root().member(name).map(|found| found.map(Json::raw)), "{name}");
            }
        }
    }

    #[test]
    fn objects_are_not_taken_for_each_other() {
        let column =
            |add: u32| (0..40).map(|at| format!(r#""n{at}":{}"#, at + add)).collect::<Vec<_>>().join(",");
        let texts: Vec<String> = (0..7).map(|at| format!(r#"{{{}}}"#, column(at * 100))).collect();
        let text = format!("[{}]", texts.join(","));
        let document = Document::parse(text.as_bytes()).unwrap();
        let mut columns = Columns::default();
        for _ in 0..3 {
            for (at, object) in document.root().elements().enumerate() {
                let found = columns.member(object, "n5").unwrap().unwrap();
                assert_eq!(found.raw(), (at * 100 + 5).to_string());
            }
        }
    }
}
