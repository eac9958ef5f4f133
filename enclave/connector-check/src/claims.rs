//! What a connector claims: the table `conformance` of its file.

/// The claims of one connector.
#[derive(Debug, Default)]
pub struct Claims {
    /// How recorded balance calls map to sources: the first whose conditions hold.
    pub balances: Vec<Selector>,
    /// Named inputs that choose a route and are not sent, besides those that routes mention.
    pub consumed: Vec<String>,
    pub exceptions: Vec<Exception>,
}

/// A source for calls with these inputs.
#[derive(Debug)]
pub struct Selector {
    pub source: String,
    pub given: Vec<(String, String)>,
}

/// A case that is not met, with the reason.
#[derive(Debug)]
pub struct Exception {
    part: String,
    method: String,
    description: String,
    pub reason: String,
}

impl Claims {
    /// Reads them from the text of a connector file.
    pub fn read(id: &str, source: &str) -> Result<Self, String> {
        let table: toml::Table = toml::from_str(source).map_err(|error| error.to_string())?;
        let Some(conformance) = table.get("conformance").and_then(toml::Value::as_table) else {
            return Ok(Self::default());
        };
        let list =
            |name: &str| conformance.get(name).and_then(toml::Value::as_array).cloned().unwrap_or_default();
        let consumed = list("consumed").iter().filter_map(|name| name.as_str().map(str::to_owned)).collect();
        let balances = list("balances").iter().map(selector).collect::<Option<_>>();
        let exceptions = list("exceptions").iter().map(exception).collect::<Option<_>>();
        Ok(Self {
            balances: balances.ok_or_else(|| format!("{id}: conformance.balances is malformed"))?,
            consumed,
            exceptions: exceptions.ok_or_else(|| format!("{id}: conformance.exceptions is malformed"))?,
        })
    }

    /// The listed reason for which a case is not met.
    pub fn exception(&self, part: &str, method: &str, description: &str) -> Option<&str> {
        let found = self.exceptions.iter().find(|exception| {
            exception.part == part && exception.method == method && exception.description == description
        });
        found.map(|exception| exception.reason.as_str())
    }
}

fn selector(value: &toml::Value) -> Option<Selector> {
    let given = value.get("given")?.as_table()?;
    let text = |value: &toml::Value| match value {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let given = given.iter().map(|(name, value)| (name.clone(), text(value))).collect();
    Some(Selector { source: value.get("source")?.as_str()?.to_owned(), given })
}

fn exception(value: &toml::Value) -> Option<Exception> {
    let text = |name: &str| value.get(name)?.as_str().map(str::to_owned);
    Some(Exception {
        part: text("part")?,
        method: text("method")?,
        description: text("description")?,
        reason: text("reason").filter(|reason| !reason.is_empty())?,
    })
}
