//! Misbehaviour on demand: which calls it strikes, and what happens to them.

use super::dialect::Exchange;
use serde::{Deserialize, Serialize};

/// Strikes the calls that match everything it names; what it leaves out matches all.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Exchange>,
    /// The name of a seeded account, recognised by the key that the call claims.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// How the path begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The path is named whole.
    #[serde(default)]
    pub whole: bool,
    /// Strikes so many calls, then is gone; without it, strikes until removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    pub effect: Effect,
}

/// What happens to a call that a fault strikes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// The answer waits that long.
    Delay { ms: u64 },
    /// No answer, and the connection stays open.
    Silence,
    /// The exchange's own rate-limit error, with `Retry-After` in seconds.
    RateLimited { retry_after: u32 },
    /// The exchange's own error for its own failures, with this status.
    ServerError { status: u16 },
    /// The call is carried out, and somebody on the way answers with this status.
    Fails { status: u16 },
    /// The exchange's own error while it is under maintenance.
    Maintenance,
    /// The key is treated as if it had been deleted.
    Revoked,
    /// The connection is cut after this many bytes of the body.
    Truncated { bytes: usize },
    /// 200, and a body that is not JSON.
    WrongJson,
    /// 200, and a JSON string of this many bytes.
    Huge { bytes: u64 },
    /// The exchange's clock is off by that much.
    ClockSkew { ms: i64 },
    /// Of a call that makes a key: the answer is sealed to another public key than the one that came with it.
    ForeignKey,
    /// The account's trading wallet (spot or unified) also holds this much of an asset.
    UnknownAsset { symbol: String, amount: String },
}

/// The faults in force, in the order in which they were set.
#[derive(Debug, Default)]
pub struct Faults {
    next: u64,
    set: Vec<(u64, Fault)>,
}

/// What a fault is matched against.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    pub exchange: Exchange,
    pub account: Option<&'a str>,
    pub path: &'a str,
}

impl Faults {
    /// Returns the id under which the fault can be removed.
    pub fn add(&mut self, fault: Fault) -> u64 {
        self.next += 1;
        self.set.push((self.next, fault));
        self.next
    }

    /// Was there a fault of that id?
    pub fn remove(&mut self, id: u64) -> bool {
        let before = self.set.len();
        self.set.retain(|(known, _)| *known != id);
        self.set.len() < before
    }

    pub fn clear(&mut self) {
        self.set.clear();
    }

    pub fn list(&self) -> &[(u64, Fault)] {
        &self.set
    }

    /// The effects that strike this call; those that are used up are gone afterwards.
    pub fn strike(&mut self, target: Target) -> Vec<Effect> {
        let mut effects = Vec::new();
        for (_, fault) in self.set.iter_mut().filter(|(_, fault)| fault.matches(target)) {
            effects.push(fault.effect.clone());
            fault.times = fault.times.map(|left| left.saturating_sub(1));
        }
        self.set.retain(|(_, fault)| fault.times != Some(0));
        effects
    }
}

impl Fault {
    fn matches(&self, target: Target) -> bool {
        self.exchange.is_none_or(|exchange| exchange == target.exchange)
            && self.account.as_deref().is_none_or(|account| Some(account) == target.account)
            && self.path.as_deref().is_none_or(|path| match self.whole {
                true => target.path == path,
                false => target.path.starts_with(path),
            })
            && self.times != Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Target = Target { exchange: Exchange::Okx, account: Some("reader"), path: "/api/v5/asset" };

    fn fault(json: &str) -> Fault {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_fault_strikes_only_what_it_names() {
        let mut faults = Faults::default();
        faults.add(fault(
            r#"{"exchange": "okx", "account": "reader", "path": "/api", "effect": {"kind": "silence"}}"#,
        ));
        faults.add(fault(r#"{"exchange": "kraken", "effect": {"kind": "wrong_json"}}"#));
        assert_eq!(faults.strike(TARGET), [Effect::Silence]);
        assert_eq!(faults.strike(Target { account: None, ..TARGET }), []);
    }

    #[test]
    fn a_fault_with_a_count_is_used_up() {
        let mut faults = Faults::default();
        faults.add(fault(r#"{"times": 2, "effect": {"kind": "delay", "ms": 5}}"#));
        let strikes: Vec<usize> = (0..3).map(|_| faults.strike(TARGET).len()).collect();
        assert_eq!(strikes, [1, 1, 0]);
        assert!(faults.list().is_empty());
    }

    #[test]
    fn an_effect_that_does_not_exist_is_refused() {
        for text in
            [r#"{"effect": {"kind": "explode"}}"#, r#"{"effect": {"kind": "silence"}, "acount": "x"}"#, "{}"]
        {
            assert!(serde_json::from_str::<Fault>(text).is_err(), "{text}");
        }
    }
}
