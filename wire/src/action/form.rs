//! The form of an instruction: what each kind needs and has no use for. Whether a provider can do it is another question.

use super::{Inquiry, Instruction, Kind, Travel};
use crate::Decimal;

/// Addresses, tags, codes and ids are at most this long.
pub const MAX_TEXT: usize = 128;
/// Names of people, companies and purposes are at most this long.
pub const MAX_NAME: usize = 256;
/// Quotes are at most this long: a wallet's holds a whole transaction.
pub const MAX_QUOTE: usize = 16_384;
/// Answers to a provider's own questions are at most so many.
const MAX_ANSWERS: usize = 32;

impl Instruction {
    /// The amount, where the instruction has the form of its kind; nothing otherwise.
    ///
    /// Refused are amounts that are not above zero or not in canonical form, texts that are empty, too long or not
    /// visible, a member that the kind needs and that is missing, and one that it has no use for: an owner who signed it
    /// meant something else.
    pub fn checked(&self) -> Option<Decimal> {
        let amount = positive(&self.amount)?;
        let well_formed = self.texts_are_plain()
            && [&self.max_fee, &self.min_received].into_iter().flatten().all(|text| is_amount(text))
            && self
                .quote
                .as_deref()
                .is_none_or(|quote| (1..=MAX_QUOTE).contains(&quote.len()) && visible(quote))
            && self.travel.as_ref().is_none_or(Travel::is_well_formed)
            && self.fits_its_kind();
        well_formed.then_some(amount)
    }

    fn texts_are_plain(&self) -> bool {
        let optional = [
            &self.from,
            &self.to,
            &self.chain,
            &self.address,
            &self.tag,
            &self.to_asset,
            &self.max_fee_asset,
        ];
        is_plain(&self.asset)
            && optional.into_iter().flatten().all(|text| is_plain(text))
            && self.saved.as_deref().is_none_or(|name| is_name(name) && name.len() <= MAX_TEXT)
    }

    fn fits_its_kind(&self) -> bool {
        let goes_out =
            self.chain.is_some() || self.address.is_some() || self.tag.is_some() || self.saved.is_some();
        let destined = self.address.is_some() || self.saved.is_some();
        let trades = self.to_asset.is_some();
        let outward = self.travel.is_some() || self.fee_included || self.fee_either;
        let apart = self.to_asset.as_deref() != Some(self.asset.as_str());
        match self.kind {
            Kind::Transfer => {
                let moves = self.to.is_some() && self.from != self.to;
                moves && !goes_out && !trades && !outward && self.side.is_none() && !self.counts_quote
            }
            Kind::Withdraw => {
                let whole = destined && (self.tag.is_none() || self.address.is_some());
                let says_one = !(self.fee_included && self.fee_either);
                whole && says_one && self.to.is_none() && !trades && self.side.is_none() && !self.counts_quote
            }
            Kind::Convert => {
                let pair = trades && apart && self.side.is_none() && !self.counts_quote;
                pair && !goes_out && !outward && self.to.is_none()
            }
            Kind::Order => {
                let pair = trades && apart && self.side.is_some() && self.quote.is_none();
                pair && !goes_out && !outward && self.to.is_none()
            }
        }
    }
}

impl Inquiry {
    /// The amount of the instruction, where all of it is well formed.
    pub fn checked(&self) -> Option<Decimal> {
        self.instruction.checked().filter(|_| self.id.as_deref().is_none_or(is_plain))
    }
}

impl Travel {
    fn is_well_formed(&self) -> bool {
        let names = [&self.institution, &self.beneficiary, &self.purpose];
        let country = |code: &str| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
        names.into_iter().flatten().all(|name| is_name(name))
            && self.country.as_deref().is_none_or(country)
            && self.answers.len() <= MAX_ANSWERS
            && self.answers.iter().all(|answer| is_plain(&answer.name) && is_name(&answer.text))
    }
}

/// An amount above zero, in the one text that it has.
fn positive(text: &str) -> Option<Decimal> {
    let amount: Decimal = text.parse().ok()?;
    (is_amount(text) && !amount.is_zero()).then_some(amount)
}

/// An amount of zero or more, in the one text that it has.
fn is_amount(text: &str) -> bool {
    text.parse::<Decimal>().is_ok_and(|amount| !amount.is_negative() && amount.to_string() == text)
}

/// Visible ASCII, and not too much of it.
fn is_plain(text: &str) -> bool {
    (1..=MAX_TEXT).contains(&text.len()) && visible(text)
}

fn visible(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What a person writes on one line, in any script.
fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len()) && !text.chars().any(char::is_control) && text.trim() == text
}

#[cfg(test)]
mod tests;
