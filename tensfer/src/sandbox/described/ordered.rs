//! What a request orders: the action that it is, and what is to be moved, by the names that the file gives it.

use super::super::refusal::Refusal;
use super::acting::No;
use super::answer::Visit;
use super::expression::Expression;
use super::file::{Act, Listing, Purpose};
use super::ledger::{Entry, Ledger, Moved};
use super::terms;
use wire::Decimal;
use wire::decimal::Rounding;

/// What a withdrawal costs, of whatever asset.
pub const FEE: &str = "0.25";
/// Digits of what is bought.
const PLACES: u8 = 8;

/// A request understood as one of the file's actions.
#[derive(Debug)]
pub struct Request<'v> {
    pub listing: &'v Listing,
    pub act: &'v Act,
    arguments: Vec<(String, String)>,
}

impl<'v> Request<'v> {
    /// The action that a request is: of those whose parameters it has, the first that is taken with these arguments.
    pub fn of(visit: &Visit<'v>) -> Option<Self> {
        let listings = visit.matched.listings.iter();
        let listings = listings.filter_map(|index| Some((*index, visit.file.listings.get(*index)?)));
        let mut requests = listings.filter_map(|(index, listing)| match &listing.purpose {
            Purpose::Act(act) => Some(Self::read(visit.matched.own(index), listing, act)),
            _ => None,
        });
        requests.find_map(|request| request.fits(visit).then(|| request.completed(visit)))
    }

    /// What the request says, with our names of the accounts beside the exchange's.
    fn read(said: &[(String, String)], listing: &'v Listing, act: &'v Act) -> Self {
        let mut arguments = said.to_vec();
        for (name, code) in [("from", "from_account"), ("to", "to_account")] {
            let said = arguments.iter().find(|(known, _)| known == code).map(|(_, text)| text.clone());
            let ours = said.and_then(|said| act.accounts.iter().find(|(_, theirs)| *theirs == said));
            arguments.extend(ours.map(|(ours, _)| (name.to_owned(), ours.clone())));
        }
        // Some write the side in capitals.
        for (name, text) in &mut arguments {
            if name == "side" {
                *text = text.to_lowercase();
            }
        }
        Self { listing, act, arguments }
    }

    /// Whether the action is taken with what the request says, and knows the accounts that it names.
    fn fits(&self, visit: &Visit) -> bool {
        let knows = |name: &str, code: &str| {
            self.act.accounts.is_empty() || self.argument(code).is_none() || self.argument(name).is_some()
        };
        let holds = |(name, allowed): &(String, Vec<String>)| {
            let allows = |word: &str| allowed.iter().any(|known| known.eq_ignore_ascii_case(word));
            match self.argument(name) {
                Some(text) => allows(text) || allows("present") || allows(&visit.file.symbol(text)),
                // What a parameter would have carried was not said; what none carries is not known.
                None => allows("absent") || !self.carries(name),
            }
        };
        // One action writes what is sold as less than nothing, and another that is bought as it is.
        let is_signed = self.argument("amount").is_some_and(|text| text.starts_with('-'));
        let knows_both = knows("from", "from_account") && knows("to", "to_account");
        !is_signed && knows_both && self.act.when.iter().all(holds)
    }

    /// Whether a parameter of the call is written from this argument.
    fn carries(&self, name: &str) -> bool {
        let place = format!("{{param.{name}");
        let ends = |rest: &str| rest.starts_with(['}', '|']);
        self.listing.params.iter().any(|(_, setting)| setting.write().split(&place).skip(1).any(ends))
    }

    /// With what the action is taken for, where it is for one thing alone, and what its terms say of every market.
    fn completed(mut self, visit: &Visit) -> Self {
        let taken_for = self.act.when.iter().filter_map(|(name, allowed)| {
            let mut things = allowed.iter().filter(|word| *word != "absent" && *word != "present");
            Some((name.clone(), things.next()?.clone())).filter(|_| things.next().is_none())
        });
        let usual = self.act.accounts.first().map(|(ours, _)| ("from".to_owned(), ours.clone()));
        let known = taken_for.chain(usual).chain(only_market(visit, self.act)).collect::<Vec<_>>();
        for (name, text) in known {
            if self.argument(&name).is_none() {
                self.arguments.push((name, text));
            }
        }
        self
    }

    /// The caller's id of it, in whatever form.
    pub fn reference(&self) -> Option<&str> {
        let said = self.arguments.iter().find(|(name, _)| name.starts_with("reference"));
        said.map(|(_, text)| text.as_str())
    }

    pub fn argument(&self, name: &str) -> Option<&str> {
        self.arguments.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
    }

    /// What a withdrawal counts; some count in the smallest coins.
    fn sent(&self, visit: &Visit) -> Result<Decimal, No> {
        let Some(units) = self.argument("units") else { return self.amount() };
        let (units, asset) = (units.parse::<Decimal>(), self.asset(visit)?);
        let amount = units.ok().zip(terms::unit(visit.file, &asset));
        let amount = amount.and_then(|(units, unit)| units.checked_mul(unit).ok());
        Ok(amount.ok_or(Refusal::BadParameter("amount"))?)
    }

    /// Nothing goes to a destination that the account has not saved.
    fn knows_destination(&self, visit: &Visit) -> Result<(), No> {
        let asset = self.asset(visit)?;
        match self.argument("saved") {
            Some(saved) if saved != terms::saved(&asset) => Err(Refusal::BadParameter("destination").into()),
            _ => Ok(()),
        }
    }

    fn amount(&self) -> Result<Decimal, No> {
        let amount = self.argument("amount").and_then(|text| text.parse::<Decimal>().ok());
        Ok(amount.ok_or(Refusal::BadParameter("amount"))?)
    }

    fn asset(&self, visit: &Visit) -> Result<String, No> {
        let code = self.argument("asset").ok_or(Refusal::BadParameter("asset"))?;
        Ok(visit.file.symbol(code))
    }

    /// What is to be moved, on terms of now.
    ///
    /// # Errors
    /// What the request does not say, or what the sandbox has no price of.
    pub fn moved(&self, visit: &Visit, ledger: &Ledger) -> Result<Moved, No> {
        let owned = |name: &str| self.argument(name).map(str::to_owned);
        let entry = |account, asset, amount| Entry { account, asset, amount };
        let (out, into, fee) = match self.act.operation.as_str() {
            "withdraw" => {
                self.knows_destination(visit)?;
                let (amount, fee) = (self.sent(visit)?, terms::fee(visit.file));
                let all = if self.act.net { amount.checked_add(fee) } else { Ok(amount) };
                let all = all.map_err(|_| Refusal::BadParameter("amount"))?;
                (entry(owned("from"), self.asset(visit)?, all), None, fee)
            }
            "transfer" => {
                let (asset, amount) = (self.asset(visit)?, self.amount()?);
                let into = entry(owned("to"), asset.clone(), amount);
                (entry(owned("from"), asset, amount), Some(into), Decimal::ZERO)
            }
            "convert" => {
                let id = self.argument("quote_id").ok_or(Refusal::BadParameter("quote"))?;
                let quote = ledger.quoted(id).ok_or(Refusal::BadParameter("quote"))?;
                let of = |entry: &Entry| Entry { account: owned("from"), ..entry.clone() };
                (of(&quote.out), Some(of(&quote.into)), Decimal::ZERO)
            }
            _ => {
                let (out, into) = self.order(visit)?;
                (out, Some(into), Decimal::ZERO)
            }
        };
        let (arguments, operation) = (self.arguments.clone(), self.act.operation.clone());
        Ok(Moved { id: String::new(), operation, arguments, once: None, out, into, fee, at_ms: visit.now_ms })
    }

    /// At the price of the market.
    fn order(&self, visit: &Visit) -> Result<(Entry, Entry), No> {
        let pair = visit.pair(&self.arguments).ok_or(Refusal::BadParameter("market"))?;
        let (amount, buys) = (self.amount()?, self.argument("side") == Some("buy"));
        let price = if buys { &pair.ask } else { &pair.bid };
        let price: Decimal = price.parse().map_err(|_| Refusal::BadParameter("market"))?;
        let wrong = |_| Refusal::BadParameter("amount");
        let (base, quote) = if self.argument("counts") == Some("quote") {
            (amount.checked_div_to(price, PLACES, Rounding::Down).map_err(wrong)?, amount)
        } else {
            (amount, amount.checked_mul_to(price, PLACES, Rounding::Down).map_err(wrong)?)
        };
        if base.is_zero() || quote.is_zero() {
            return Err(Refusal::BadParameter("amount").into());
        }
        let account = self.argument("from");
        let entry = |asset: &str, amount| Entry {
            account: account.map(str::to_owned),
            asset: asset.to_owned(),
            amount,
        };
        let (base, quote) = (entry(pair.base, base), entry(pair.quote, quote));
        Ok(if buys { (quote, base) } else { (base, quote) })
    }

    /// At the quotient of two prices.
    ///
    /// # Errors
    /// What the request does not say, or what the sandbox has no price of.
    pub fn conversion(&self, visit: &Visit) -> Result<(Entry, Entry), No> {
        let wrong = Refusal::BadParameter("asset");
        let (base, quote) = (self.argument("base"), self.argument("quote"));
        let (from, to) = match (self.argument("asset"), self.argument("to_asset"), self.argument("side")) {
            (Some(from), Some(to), _) => (from, to),
            (_, _, Some("buy")) => (quote.ok_or(wrong)?, base.ok_or(wrong)?),
            _ => (base.ok_or(wrong)?, quote.ok_or(wrong)?),
        };
        let (from, to) = (visit.file.symbol(from), visit.file.symbol(to));
        let price = |asset: &str| -> Result<Decimal, No> {
            let price = visit.market.price(asset).ok_or(wrong)?;
            Ok(price.to_string().parse().map_err(|_| wrong)?)
        };
        let amount = self.amount()?;
        let value = amount.checked_mul_to(price(&from)?, 12, Rounding::Down).map_err(|_| wrong)?;
        let received = value.checked_div_to(price(&to)?, PLACES, Rounding::Down).map_err(|_| wrong)?;
        let entry = |asset, amount| Entry { account: None, asset, amount };
        Ok((entry(from, amount), entry(to, received)))
    }
}

/// Base and quote of an order where all its markets have the same: its terms say them as constants.
fn only_market(visit: &Visit, act: &Act) -> Vec<(String, String)> {
    let is_terms = |listing: &&Listing| {
        act.operation == "order"
            && matches!(&listing.purpose, Purpose::Terms(operation) if operation == "order")
    };
    let fields = || visit.file.listings.iter().filter(is_terms).flat_map(|listing| &listing.fields);
    let only = |name: &str| {
        let mut said = fields().filter(|(known, _)| known == name).map(|(_, expression)| expression);
        let first = said.next()?;
        let Expression::Text(text) = first else { return None };
        said.all(|other| other == first).then(|| (name.to_owned(), text.clone()))
    };
    ["base", "quote"].into_iter().filter_map(only).collect()
}
