//! A call to an exchange that is spoken as its file describes it: whose it is, and what comes back.

use super::call::Call;
use super::described::{self, Account, Described, Issued, Match, No, Visit};
use super::dialect::{Exchange, Limit};
use super::faults::Effect;
use super::refusal::Refusal;
use super::reply::Reply;
use super::world::World;

/// Of each key; of each address, on public calls.
const LIMIT: Limit = Limit { capacity: 100, per_second: 50, each_endpoint: false, weighted: false };

/// A call, and every way in which the exchange understands it.
pub struct Reading<'r> {
    pub id: &'static str,
    pub exchange: &'r Described,
    matches: Vec<Match<'r>>,
    /// The keys that there were when the call came.
    issued: Issued,
}

impl Reading<'_> {
    /// The exchange that is meant: the one whose account calls, else the first that has the endpoint. Several may be
    /// behind one host. `written`: the host has a dialect written by hand, which has this endpoint or not; without one
    /// the first that has the host refuses what none knows.
    pub fn of(call: &Call, written: Option<bool>, issued: &Issued) -> Option<Self> {
        let here = described::all().filter(|(_, hosts)| hosts.contains(&call.host));
        let mut readings = Vec::new();
        for (id, _) in here {
            let Some(exchange) = described::find(id) else { continue };
            let reading = Reading { id, exchange, matches: exchange.matches(call), issued: issued.clone() };
            if reading.claimant().is_some() {
                return Some(reading);
            }
            readings.push(reading);
        }
        let known = readings.iter().position(|reading| !reading.matches.is_empty());
        match (known, written) {
            (_, Some(true)) | (None, Some(false)) => None,
            (Some(at), _) => Some(readings.swap_remove(at)),
            (None, None) => readings.into_iter().next(),
        }
    }

    /// The name of the account that the call claims to be of.
    pub fn claimant(&self) -> Option<&'static str> {
        self.matches.iter().find_map(|matched| self.exchange.claimant(matched, &self.issued))
    }

    /// # Errors
    /// In this order: endpoint, key, signature, time, nonce, address, rate limit, permission.
    pub fn decide(&self, world: &World, call: &Call, effects: &[Effect]) -> Result<Reply, Refusal> {
        let mut refusal = Refusal::UnknownEndpoint;
        for matched in &self.matches {
            match self.attempt(world, call, effects, matched) {
                Ok(reply) => return Ok(reply),
                // Another rule may have written the call.
                Err(why @ (Refusal::BadSignature | Refusal::UnknownKey)) => refusal = why,
                Err(why) => return Err(why),
            }
        }
        Err(refusal)
    }

    fn attempt(
        &self,
        world: &World,
        call: &Call,
        effects: &[Effect],
        matched: &Match,
    ) -> Result<Reply, Refusal> {
        let exchange = Exchange::of(self.id);
        let account = if self.exchange.is_private(matched) {
            Some(self.admitted(world, call, effects, matched)?)
        } else {
            world.pour(exchange, call.peer.to_string(), LIMIT, 1, call.now)?;
            None
        };
        let mut ledger = world.ledger();
        let account = account.map(|account| ledger.applied(self.id, &account));
        let (file, account) = (&self.exchange.file, account.as_ref());
        let visit = Visit { file, matched, account, market: world.market(), now_ms: call.now };
        if let Some(root) = world.issued().answer(&visit) {
            return Ok(described::keys_reply(file, root));
        }
        let headers = described::headers(visit);
        match described::answer(visit, &mut ledger) {
            Ok(root) => {
                let reply = described::reply(200, &root);
                Ok(headers.into_iter().fold(reply, |reply, (name, value)| reply.with(name, value)))
            }
            Err(No::Code(code)) => Ok(described::refuse_with(file, &code)),
            Err(No::Refusal(refusal)) => Err(refusal),
        }
    }

    fn admitted(
        &self,
        world: &World,
        call: &Call,
        effects: &[Effect],
        matched: &Match,
    ) -> Result<Account, Refusal> {
        let exchange = Exchange::of(self.id);
        if effects.contains(&Effect::Revoked) {
            return Err(Refusal::UnknownKey);
        }
        let (holder, nonce) = self.exchange.admit(matched, &self.issued, call.now)?;
        let account = &holder.0;
        if let Some(nonce) = nonce {
            world.state().advance(exchange, account.name, nonce)?;
        }
        if account.ip.is_some_and(|ip| ip != call.peer) {
            return Err(Refusal::IpNotAllowed);
        }
        world.pour(exchange, account.name.to_owned(), LIMIT, 1, call.now)?;
        let permission = self.exchange.permission(matched);
        if account.may(permission) { Ok(account.clone()) } else { Err(Refusal::NotPermitted) }
    }
}
