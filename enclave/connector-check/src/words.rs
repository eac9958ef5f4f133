//! The words of a command line.

pub struct Words(Vec<String>);

impl Words {
    pub fn new(words: Vec<String>) -> Self {
        Self(words)
    }

    /// `NAME VALUE`, if it is there.
    pub fn value(&mut self, name: &str) -> Result<Option<String>, String> {
        let Some(at) = self.0.iter().position(|word| word == name) else { return Ok(None) };
        if self.0.get(at + 1).is_none_or(|value| value.starts_with("--")) {
            return Err(format!("`{name}` needs a value"));
        }
        self.0.remove(at);
        Ok(Some(self.0.remove(at)))
    }

    pub fn needed(&mut self, name: &str) -> Result<String, String> {
        self.value(name)?.ok_or_else(|| format!("`{name}` is missing"))
    }

    pub fn flag(&mut self, name: &str) -> bool {
        let at = self.0.iter().position(|word| word == name);
        at.map(|at| self.0.remove(at)).is_some()
    }

    /// The first word that is left.
    pub fn next(&mut self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.remove(0))
    }

    /// Refuses what nobody asked for.
    pub fn end(mut self) -> Result<(), String> {
        self.next().map_or(Ok(()), |word| Err(format!("unknown argument `{word}`")))
    }
}
