//! Amounts that stand beside each other, such as what is free in one object and what is held in another: each row looks
//! its own up, and an object that is asked again is put in order by name first.

use std::borrow::Cow;
use std::collections::HashMap;

use super::hash::Seeded;
use super::json::{Json, JsonError};

/// Smaller objects are searched as quickly as they are put in order.
const LARGE: usize = 32;
/// How many objects are remembered, the latest ones.
const MOST: usize = 4;

/// Members by name; nothing for a name that occurs twice.
type Members<'d> = HashMap<Cow<'d, str>, Option<Json<'d>>, Seeded>;

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
            Some((_, members)) => match members.get_or_insert_with(|| by_name(object)).get(name) {
                Some(None) => Err(JsonError::Duplicate),
                Some(found) => Ok(*found),
                None => Ok(None),
            },
            None => {
                self.0.truncate(MOST - 1);
                self.0.insert(0, (object, None));
                object.member(name)
            }
        }
    }
}

fn by_name<'d>(object: Json<'d>) -> Members<'d> {
    let mut members = Members::default();
    for (name, value) in object.members() {
        members.entry(name.text()).and_modify(|twice| *twice = None).or_insert(Some(value));
    }
    members
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
