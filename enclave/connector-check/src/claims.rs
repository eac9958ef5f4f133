//! What a connector claims: the table `conformance` of its file.

use crate::dictionary::Market;
use crate::url;

/// The claims of one connector.
#[derive(Debug, Default)]
pub struct Claims {
    /// The connector of which this one is a variant.
    pub extends: Option<String>,
    /// How recorded balance calls map to sources: the first whose conditions hold.
    pub balances: Vec<Selector>,
    /// Named inputs that choose a route and are not sent, besides those that routes mention.
    pub consumed: Vec<String>,
    /// Arguments that recorded calls were made with and do not name.
    pub given: Vec<(String, String)>,
    /// Credential fields of recorded operations that have other values than those of most exchanges.
    pub credential: Vec<(String, String)>,
    /// Parameters of recorded requests that are of the moment at which they were made, besides those that the recording names.
    pub skip_keys: Vec<String>,
    /// The recording client's names of account types, where they mean something else here than elsewhere.
    pub accounts: Vec<(String, String)>,
    /// The recording client cuts the amount of an order to the market's digits; here one with more is refused.
    pub rounds: bool,
    /// Hosts of recorded calls that stand for the connector's: former names, and systems for tests.
    pub hosts: Vec<String>,
    /// Markets of recorded calls that the recorded dictionary lacks.
    pub markets: Vec<Market>,
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
        let extends = table.get("extends").and_then(toml::Value::as_str).map(str::to_owned);
        let Some(conformance) = table.get("conformance").and_then(toml::Value::as_table) else {
            return Ok(Self { extends, ..Self::default() });
        };
        let list =
            |name: &str| conformance.get(name).and_then(toml::Value::as_array).cloned().unwrap_or_default();
        let texts =
            |name: &str| list(name).iter().filter_map(|item| item.as_str().map(str::to_owned)).collect();
        let table =
            |name: &str| conformance.get(name).and_then(toml::Value::as_table).cloned().unwrap_or_default();
        let pairs =
            |name: &str| table(name).iter().map(|(name, value)| (name.clone(), plain(value))).collect();
        let balances = list("balances").iter().map(selector).collect::<Option<_>>();
        let markets = list("markets").iter().map(market).collect::<Option<_>>();
        let exceptions = list("exceptions").iter().map(exception).collect::<Option<_>>();
        Ok(Self {
            extends,
            balances: balances.ok_or_else(|| format!("{id}: conformance.balances is malformed"))?,
            consumed: texts("consumed"),
            given: pairs("given"),
            credential: pairs("credential"),
            skip_keys: texts("skip_keys"),
            accounts: pairs("accounts"),
            rounds: conformance.get("rounds").and_then(toml::Value::as_bool).unwrap_or_default(),
            hosts: texts("hosts"),
            markets: markets.ok_or_else(|| format!("{id}: conformance.markets is malformed"))?,
            exceptions: exceptions.ok_or_else(|| format!("{id}: conformance.exceptions is malformed"))?,
        })
    }

    /// A recorded URL on the port that enclaves speak to, 443, if its host with another port is listed.
    pub fn without_port(&self, url: String) -> String {
        let (host, ..) = url::split(&url);
        match host.split_once(':') {
            Some((name, _)) if self.hosts.iter().any(|known| known == host) => url.replacen(host, name, 1),
            _ => url,
        }
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
    let given = given.iter().map(|(name, value)| (name.clone(), plain(value))).collect();
    Some(Selector { source: value.get("source")?.as_str()?.to_owned(), given })
}

fn plain(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn market(value: &toml::Value) -> Option<Market> {
    let field = |name: &str| value.get(name)?.as_str().map(str::to_owned);
    let known = enclave::connector::Market {
        id: field("id")?,
        base: field("base")?,
        quote: field("quote")?,
        kind: field("type")?,
        sub_type: field("sub_type").unwrap_or_default(),
    };
    Some(Market { symbol: field("symbol")?, market: known, step: String::new(), tick: String::new() })
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn claims_are_read_from_the_conformance_table() {
        let claims = Claims::read(
            "x",
            r#"
            [conformance]
            given = { portfolio = "1-0", depth = 5 }
            hosts = ["old.example.com"]
            consumed = ["type"]
            balances = [{ source = "spot", given = { uta = true } }]
            exceptions = [{ part = "response", method = "fetchTime", description = "d", reason = "r" }]
            "#,
        )
        .unwrap();
        assert_eq!(claims.given, [("portfolio".into(), "1-0".into()), ("depth".into(), "5".into())]);
        assert_eq!((claims.hosts, claims.consumed), (vec!["old.example.com".into()], vec!["type".into()]));
        let selector = claims.balances.first().unwrap();
        assert_eq!(selector.given, [("uta".to_owned(), "true".to_owned())]);
        assert!(Claims::read("x", "[conformance]\nexceptions = [{ part = \"response\" }]").is_err());
    }
}
