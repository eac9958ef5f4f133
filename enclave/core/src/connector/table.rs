//! Reads a JSON object whose members are all known: what is not asked for is refused.

use std::borrow::Cow;
use std::rc::Rc;

use super::json::{Json, Kind};

/// Why a connector file was refused: where, and what.
pub type LoadError = String;

pub struct Table<'d> {
    place: Place,
    members: Vec<(Cow<'d, str>, Json<'d>)>,
}

/// Where a table stands; put in words where something is wrong there.
#[derive(Clone)]
struct Place {
    above: Option<Rc<Place>>,
    name: Rc<str>,
    /// In a list of tables.
    index: Option<usize>,
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(above) = &self.above {
            write!(formatter, "{above}.")?;
        }
        formatter.write_str(&self.name)?;
        self.index.map_or(Ok(()), |index| write!(formatter, "[{index}]"))
    }
}

impl<'d> Table<'d> {
    pub fn of(json: Json<'d>, place: &str) -> Result<Self, LoadError> {
        Self::at(json, Place { above: None, name: place.into(), index: None })
    }

    fn at(json: Json<'d>, place: Place) -> Result<Self, LoadError> {
        if json.kind() != Kind::Object {
            return Err(format!("{place}: expected a table"));
        }
        let mut table = Self { place, members: Vec::with_capacity(json.members().count()) };
        for (name, value) in json.members() {
            let name = name.text();
            if table.members.iter().any(|(known, _)| *known == name) {
                return Err(table.fault(&name, "twice"));
            }
            table.members.push((name, value));
        }
        Ok(table)
    }

    pub fn fault(&self, name: &str, reason: impl std::fmt::Display) -> LoadError {
        format!("{}.{name}: {reason}", self.place)
    }

    pub fn place(&self, name: &str) -> String {
        format!("{}.{name}", self.place)
    }

    fn below(&self, name: &str) -> Place {
        Place { above: Some(Rc::new(self.place.clone())), name: name.into(), index: None }
    }

    pub fn take(&mut self, name: &str) -> Option<Json<'d>> {
        let at = self.members.iter().position(|(known, _)| known == name)?;
        Some(self.members.remove(at).1)
    }

    pub fn need(&mut self, name: &str) -> Result<Json<'d>, LoadError> {
        self.take(name).ok_or_else(|| self.fault(name, "missing"))
    }

    pub fn text(&mut self, name: &str) -> Result<String, LoadError> {
        let value = self.need(name)?;
        text(value).map_err(|reason| self.fault(name, reason))
    }

    pub fn optional_text(&mut self, name: &str) -> Result<Option<String>, LoadError> {
        match self.take(name) {
            Some(value) => text(value).map(Some).map_err(|reason| self.fault(name, reason)),
            None => Ok(None),
        }
    }

    pub fn flag(&mut self, name: &str, default: bool) -> Result<bool, LoadError> {
        match self.take(name).map(Json::kind) {
            None => Ok(default),
            Some(Kind::True) => Ok(true),
            Some(Kind::False) => Ok(false),
            Some(_) => Err(self.fault(name, "expected true or false")),
        }
    }

    pub fn number(&mut self, name: &str, default: Option<u32>) -> Result<u32, LoadError> {
        match (self.take(name), default) {
            (Some(value), _) => value.raw().parse().map_err(|_| self.fault(name, "expected a number")),
            (None, Some(default)) => Ok(default),
            (None, None) => Err(self.fault(name, "missing")),
        }
    }

    /// A list of texts; empty where it is missing.
    pub fn texts(&mut self, name: &str) -> Result<Vec<String>, LoadError> {
        let Some(value) = self.take(name) else { return Ok(Vec::new()) };
        texts(value).map_err(|reason| self.fault(name, reason))
    }

    /// A table of texts in order; empty where it is missing.
    pub fn pairs(&mut self, name: &str) -> Result<Vec<(String, String)>, LoadError> {
        let entries = self.entries(name)?;
        let mut pairs = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let value = text(value).map_err(|reason| self.fault(name, reason))?;
            pairs.push((key, value));
        }
        Ok(pairs)
    }

    /// The members of a table in order; none where it is missing.
    pub fn entries(&mut self, name: &str) -> Result<Vec<(String, Json<'d>)>, LoadError> {
        let Some(value) = self.take(name) else { return Ok(Vec::new()) };
        Table::at(value, self.below(name)).map(Table::into_members)
    }

    /// The tables of a list; none where it is missing.
    pub fn tables(&mut self, name: &str) -> Result<Vec<Table<'d>>, LoadError> {
        let Some(value) = self.take(name) else { return Ok(Vec::new()) };
        if value.kind() != Kind::Array {
            return Err(self.fault(name, "expected a list of tables"));
        }
        let place = self.below(name);
        let mut tables = Vec::with_capacity(value.elements().count());
        for item in value.elements() {
            tables.push(Table::at(item, Place { index: Some(tables.len()), ..place.clone() })?);
        }
        Ok(tables)
    }

    /// Refuses what is left.
    pub fn finish(self) -> Result<(), LoadError> {
        match self.members.first() {
            Some((name, _)) => Err(format!("{}.{name}: unknown field", self.place)),
            None => Ok(()),
        }
    }
}

pub fn text(value: Json<'_>) -> Result<String, LoadError> {
    value.string().map(|text| text.into_owned()).ok_or_else(|| "expected text".to_owned())
}

/// A list as long as it is: it stays for the life of the process.
pub fn texts(value: Json<'_>) -> Result<Vec<String>, LoadError> {
    if value.kind() != Kind::Array {
        return Err("expected a list of texts".to_owned());
    }
    let mut texts = Vec::with_capacity(value.elements().count());
    for item in value.elements() {
        texts.push(text(item)?);
    }
    Ok(texts)
}

impl<'d> Table<'d> {
    pub fn into_members(self) -> Vec<(String, Json<'d>)> {
        self.members.into_iter().map(|(name, value)| (name.into_owned(), value)).collect()
    }
}
