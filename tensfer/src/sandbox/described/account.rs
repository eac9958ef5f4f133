//! The made-up accounts of a described exchange: who they are, what they hold, and what they may.

use super::super::dialect::Permission;
use super::super::mac;
use super::file::{Field, File, SESSION};
use super::template::{base58, hex};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::net::{IpAddr, Ipv4Addr};
use wire::Decimal;

/// One account, the same on every run.
#[derive(Debug, Clone)]
pub struct Account {
    pub name: &'static str,
    pub permissions: &'static [Permission],
    /// The address that the key is bound to.
    pub ip: Option<IpAddr>,
    /// By field of the credential.
    pub credentials: Vec<(String, String)>,
    /// What lies in it, as far as the exchange's answers can say it.
    pub holdings: Vec<Holding>,
}

/// What one source says of one asset. What the exchange does not say is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// The source's name in the file, and its index among the file's listings.
    pub source: String,
    pub listing: usize,
    /// Which of the rows it belongs to for which the source is called; 0 where there are none.
    pub outer: usize,
    /// The type of account.
    pub account: String,
    /// The common symbol.
    pub asset: String,
    pub pair: Option<String>,
    pub free: Option<Decimal>,
    pub used: Option<Decimal>,
    pub total: Option<Decimal>,
    pub debt: Option<Decimal>,
}

/// Names and permissions of the accounts at every described exchange.
pub const KINDS: [(&str, &[Permission]); 4] = [
    ("reader", &[Permission::Read]),
    ("everything", &[Permission::Read, Permission::Trade, Permission::Withdraw]),
    ("trader", &[Permission::Trade]),
    (LOCKED, &[Permission::Read]),
];
/// The one account of exchanges that have a dialect written by hand beside: it moves money, which those do in part.
pub const MOVER: (&str, &[Permission]) =
    ("mover", &[Permission::Read, Permission::Trade, Permission::Withdraw]);
/// Bound to another address than any that calls.
const LOCKED: &str = "locked";

impl Account {
    pub fn new(file: &File, name: &'static str, permissions: &'static [Permission]) -> Self {
        let ip = (name == LOCKED).then_some(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7)));
        let credentials = credentials(file, name);
        let mut account = Self { name, permissions, ip, credentials, holdings: Vec::new() };
        account.holdings = super::plan::holdings(file, &account);
        account
    }

    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }

    /// What a login gives by that name.
    pub fn session(&self, file: &File, name: &str) -> String {
        let of = if name == "token" { SESSION.to_owned() } else { format!("{SESSION} {name}") };
        let text = format!("SandboxSession{}", hex(&digest(&file.id, self.name, &of)[..20]));
        match file.login_cookies.iter().find(|(known, _)| known == name) {
            // As it is sent back.
            Some((_, cookie)) => format!("{cookie}={text}"),
            None => text,
        }
    }

    pub fn field(&self, name: &str) -> Option<&str> {
        self.credentials.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
    }

    /// A number that is the same on every run, below `below`.
    pub fn number(&self, exchange: &str, of: &str, below: u64) -> u64 {
        let digest = digest(exchange, self.name, of);
        digest[..6].iter().fold(0, |number, byte| number << 8 | u64::from(*byte)) % below
    }
}

fn digest(exchange: &str, account: &str, of: &str) -> [u8; 32] {
    let digest = mac::sha256(&[format!("tensfer sandbox {exchange}/{account}/{of}").as_bytes()]);
    digest.as_ref().try_into().unwrap_or_default()
}

/// A credential in the formats that the file asks for. Published, so no secret.
pub fn credentials(file: &File, account: &str) -> Vec<(String, String)> {
    let text = |field: &Field| (field.name.clone(), credential(file, field, account));
    file.credential.iter().map(text).collect()
}

fn credential(file: &File, field: &Field, account: &str) -> String {
    let digest = |of: &str| digest(&file.id, account, &format!("{} {of}", field.name));
    match field.kinds.last().map(String::as_str) {
        Some("base64") => STANDARD.encode([digest("first half"), digest("second half")].concat()),
        Some("ed25519") => STANDARD.encode(digest("seed")),
        Some("ed25519-base58") => base58(&digest("seed")),
        // A secret number below the order of the group, all but certainly.
        Some("secp256k1") => format!("0x{}", hex(&digest("number"))),
        _ if field.name == "walletAddress" => format!("0x{}", hex(&digest("address")[..20])),
        _ if !field.secret && field.name != "apiKey" => {
            let digest = digest("number");
            (10_000 + u32::from_be_bytes([0, digest[0], digest[1], digest[2]])).to_string()
        }
        // Letters and digits only: some exchanges change the case of their secrets, and take them in headers.
        _ => format!("Sandbox{}{}", capital(account), &hex(&digest("text"))[..40]),
    }
}

fn capital(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    format!("{}{rest}", first.to_uppercase())
}
