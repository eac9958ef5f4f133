//! Reads a JSON object whose members are all known: what is not asked for is refused.

use super::json::{Json, Kind};

/// Why a connector file was refused: where, and what.
pub type LoadError = String;

pub struct Table<'d> {
    place: String,
    members: Vec<(String, Json<'d>)>,
}

impl<'d> Table<'d> {
    pub fn of(json: Json<'d>, place: &str) -> Result<Self, LoadError> {
        if json.kind() != Kind::Object {
            return Err(format!("{place}: expected a table"));
        }
        let mut members: Vec<(String, Json<'d>)> = Vec::new();
        for (name, value) in json.members() {
            let name = name.text().into_owned();
            if members.iter().any(|(known, _)| *known == name) {
                return Err(format!("{place}.{name}: twice"));
            }
            members.push((name, value));
        }
        Ok(Self { place: place.to_owned(), members })
    }

    pub fn fault(&self, name: &str, reason: impl std::fmt::Display) -> LoadError {
        format!("{}.{name}: {reason}", self.place)
    }

    pub fn place(&self, name: &str) -> String {
        format!("{}.{name}", self.place)
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
        let mut pairs = Vec::new();
        for (key, value) in self.entries(name)? {
            let value = text(value).map_err(|reason| self.fault(name, reason))?;
            pairs.push((key, value));
        }
        Ok(pairs)
    }

    /// The members of a table in order; none where it is missing.
    pub fn entries(&mut self, name: &str) -> Result<Vec<(String, Json<'d>)>, LoadError> {
        let Some(value) = self.take(name) else { return Ok(Vec::new()) };
        Table::of(value, &self.place(name)).map(|table| table.members)
    }

    /// The tables of a list; none where it is missing.
    pub fn tables(&mut self, name: &str) -> Result<Vec<Table<'d>>, LoadError> {
        let Some(value) = self.take(name) else { return Ok(Vec::new()) };
        if value.kind() != Kind::Array {
            return Err(self.fault(name, "expected a list of tables"));
        }
        let place = self.place(name);
        value
            .elements()
            .enumerate()
            .map(|(index, item)| Table::of(item, &format!("{place}[{index}]")))
            .collect()
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

pub fn texts(value: Json<'_>) -> Result<Vec<String>, LoadError> {
    if value.kind() != Kind::Array {
        return Err("expected a list of texts".to_owned());
    }
    value.elements().map(text).collect()
}

impl<'d> Table<'d> {
    pub fn into_members(self) -> Vec<(String, Json<'d>)> {
        self.members
    }
}
