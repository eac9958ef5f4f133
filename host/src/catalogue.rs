//! What exchanges and networks there are and what a person needs to link one: the part of the connector files that is for people.
//!
//! The enclave has its own copy of the same files, attested by their digest; nothing here is relied on by it.

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;
use utoipa::ToSchema;

/// The connector files in `connectors/`, in order of their names.
const FILES: &[&str] = include!(concat!(env!("OUT_DIR"), "/connectors.rs"));

/// The network files in `connectors/networks/`, in order of their names.
const NETWORKS: &[&str] = include!(concat!(env!("OUT_DIR"), "/networks.rs"));

/// One exchange, or a network that wallets are on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Exchange {
    /// What `link` calls it, such as `kraken`.
    pub id: String,
    /// What people call it.
    pub name: String,
    pub guide: Guide,
    /// What a credential consists of, in the order to ask for it. Of a network: what a wallet is watched by.
    pub credential: Vec<Field>,
    /// The hosts that its connector, or whoever reads the network, speaks to.
    pub hosts: Vec<String>,
    /// Of a network: its CAIP-2 id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<String>,
    /// Whether the owner authorises there by OAuth; the credential is then their OAuth client.
    pub oauth: bool,
    /// How it makes a key for a client that its owner authorises there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_key: Option<NewKey>,
}

/// What an owner needs for a key that the exchange makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct NewKey {
    /// How to register a client there.
    pub guide: Guide,
    /// What names the client, in the order to ask for it.
    pub client: Vec<Field>,
}

/// How to create an API key there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Guide {
    /// The exchange's page for it.
    pub url: String,
    /// What to do on that page, and which permissions to give.
    pub steps: String,
}

/// One field of a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Field {
    /// Its name in the credential's JSON, such as `apiKey`.
    pub name: String,
    /// What the exchange calls it.
    pub label: String,
    /// Whether to hide it while it is typed.
    pub secret: bool,
    /// The formats that are understood: `text`, `base64`, `p256`, `ed25519`, `rsa`.
    pub kinds: Vec<String>,
}

/// Every exchange, in order of id.
pub fn all() -> &'static [Exchange] {
    static ALL: LazyLock<Vec<Exchange>> = LazyLock::new(|| {
        // INVARIANT: a test parses each file, so none is left out here.
        let exchanges = FILES.iter().filter_map(|file| parse(file).ok());
        let networks = NETWORKS.iter().filter_map(|file| parse_network(file).ok());
        let mut all: Vec<Exchange> = exchanges.chain(networks).collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all
    });
    &ALL
}

/// The exchange with this id.
pub fn find(id: &str) -> Option<&'static Exchange> {
    all().iter().find(|exchange| exchange.id == id)
}

/// Every host that some connector speaks to.
pub fn hosts() -> impl Iterator<Item = &'static str> {
    all().iter().flat_map(|exchange| exchange.hosts.iter().map(String::as_str))
}

/// The fields of a connector file that are read here; the enclave's loader checks the rest.
#[derive(Deserialize)]
struct File {
    id: String,
    name: String,
    guide: Guide,
    #[serde(deserialize_with = "in_order")]
    credential: Vec<Field>,
    sections: BTreeMap<String, Section>,
    oauth: Option<IgnoredAny>,
    new_key: Option<NewKeyFile>,
}

#[derive(Deserialize)]
struct NewKeyFile {
    guide: Guide,
    oauth: Client,
}

#[derive(Deserialize)]
struct Client {
    client: ClientKind,
}

/// How a client proves itself: but for a public one, by a secret.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ClientKind {
    Public,
    Basic,
    Post,
}

#[derive(Deserialize)]
struct Section {
    host: String,
}

#[derive(Deserialize)]
struct Declared {
    label: String,
    kinds: Vec<String>,
    #[serde(default)]
    secret: bool,
}

fn parse(file: &str) -> Result<Exchange, toml::de::Error> {
    let File { id, name, guide, credential, sections, oauth, new_key } = toml::from_str(file)?;
    let mut hosts: Vec<String> = sections.into_values().map(|section| section.host).collect();
    hosts.sort();
    hosts.dedup();
    let new_key = new_key.map(|file| NewKey { guide: file.guide, client: client_fields(file.oauth.client) });
    Ok(Exchange { id, name, guide, credential, hosts, chain: None, oauth: oauth.is_some(), new_key })
}

/// What names an OAuth client, as the enclave reads it.
fn client_fields(kind: ClientKind) -> Vec<Field> {
    let field = |name: &str, label: &str, secret| Field {
        name: name.to_owned(),
        label: label.to_owned(),
        secret,
        kinds: vec!["text".to_owned()],
    };
    let mut fields = vec![field("clientId", "OAuth client id", false)];
    if kind != ClientKind::Public {
        fields.push(field("clientSecret", "OAuth client secret", true));
    }
    fields
}

/// The fields of a network file that are read here.
#[derive(Deserialize)]
struct NetworkFile {
    id: String,
    name: String,
    guide: Guide,
    family: Family,
    chain: String,
    nodes: Vec<Section>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Family {
    Evm,
    Bitcoin,
    Solana,
}

fn parse_network(file: &str) -> Result<Exchange, toml::de::Error> {
    let NetworkFile { id, name, guide, family, chain, nodes } = toml::from_str(file)?;
    let hosts = nodes.into_iter().map(|node| node.host).collect();
    let credential = watched_by(family);
    Ok(Exchange { id, name, guide, credential, hosts, chain: Some(chain), oauth: false, new_key: None })
}

/// What a wallet is watched by, as the enclave reads it.
fn watched_by(family: Family) -> Vec<Field> {
    let label = match family {
        Family::Evm | Family::Solana => "Address",
        Family::Bitcoin => "Address, extended public key or output descriptor",
    };
    let (name, kinds) = ("watch".to_owned(), vec!["text".to_owned()]);
    vec![Field { name, label: label.to_owned(), secret: false, kinds }]
}

/// A table of fields, in the order of the file: that is the order to ask for them.
fn in_order<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Field>, D::Error> {
    struct Fields;

    impl<'de> Visitor<'de> for Fields {
        type Value = Vec<Field>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a table of credential fields")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<Field>, A::Error> {
            let mut fields = Vec::new();
            while let Some((name, Declared { label, kinds, secret })) = map.next_entry()? {
                fields.push(Field { name, label, secret, kinds });
            }
            Ok(fields)
        }
    }

    deserializer.deserialize_map(Fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_needs_is_read_in_the_order_of_the_file() {
        let exchange = parse(
            r#"
            id = "example"
            name = "Example"
            nonce = true
            [guide]
            url = "https://example.com/keys"
            steps = "Create a key."
            [credential.key]
            label = "Key"
            kinds = ["text"]
            [credential.a-secret]
            label = "Secret"
            kinds = ["base64", "rsa"]
            secret = true
            [sections.public]
            host = "b.example.com"
            prefix = "/"
            [sections.private]
            host = "a.example.com"
            [sections.other]
            host = "b.example.com"
            [[signing]]
            target = "{path}"
            "#,
        )
        .unwrap();
        assert_eq!((exchange.id.as_str(), exchange.name.as_str()), ("example", "Example"));
        assert_eq!(exchange.hosts, ["a.example.com", "b.example.com"]);
        let fields: Vec<(&str, bool)> =
            exchange.credential.iter().map(|field| (field.name.as_str(), field.secret)).collect();
        assert_eq!(fields, [("key", false), ("a-secret", true)]);
    }

    #[test]
    fn every_connector_file_is_in_the_catalogue_and_names_hosts_that_egress_takes() {
        for file in FILES {
            let exchange = parse(file).unwrap();
            assert_eq!(find(&exchange.id), Some(&exchange));
            assert!(
                !exchange.credential.is_empty() && exchange.guide.url.starts_with("https://"),
                "{}",
                exchange.id
            );
        }
        for file in NETWORKS {
            let network = parse_network(file).unwrap();
            assert_eq!(find(&network.id), Some(&network));
            assert!(network.chain.is_some() && !network.hosts.is_empty(), "{}", network.id);
        }
        assert_eq!(all().len(), FILES.len() + NETWORKS.len());
        for id in ["binance", "bybit", "coinbase", "kraken", "kucoin", "okx"] {
            assert!(find(id).is_some(), "{id}");
        }
        let makes_keys = |id: &str| find(id).is_some_and(|exchange| exchange.new_key.is_some());
        assert!(makes_keys("binance") && makes_keys("kraken") && !makes_keys("binanceus"));
        let allow = crate::egress::Allow::Live(hosts().map(str::to_owned).collect());
        for host in hosts() {
            assert!(allow.check(&[&443_u16.to_be_bytes(), host.as_bytes()].concat()).is_ok(), "{host}");
        }
    }
}
