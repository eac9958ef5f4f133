//! Command lines as instructions.

use crate::client::failure::{Failure, Result};
use crate::client::home::key_file::random;
use wire::Decimal;
use wire::action::{Destination, Instruction, Kind, Reference, Side, Travel};
use wire::record::Field;

/// What every command that moves money takes.
#[derive(clap::Args, Debug)]
pub struct Common {
    /// Do not ask: what the preview shows is what is signed.
    #[arg(long)]
    pub yes: bool,

    /// Order it though the same was ordered before and nobody knows what became of that: it may be paid twice.
    #[arg(long)]
    pub again: bool,

    /// Only show the terms; sign and move nothing.
    #[arg(long, conflicts_with = "yes")]
    pub preview: bool,

    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tensfer transfer binance 25 USDT --from spot --to funding")]
pub struct Transfer {
    /// The connection's id or name.
    pub id: String,
    /// How much, such as `0.25`.
    #[arg(value_parser = amount)]
    amount: Decimal,
    /// Of what, by the code people know it by, such as `USDT`.
    #[arg(value_parser = code)]
    asset: String,
    /// The account that it goes to: `spot`, `funding`, `margin`, `futures`, …
    #[arg(long, value_name = "ACCOUNT")]
    to: String,
    /// The account that it comes from; the exchange's usual one if you name none.
    #[arg(long, value_name = "ACCOUNT")]
    from: Option<String>,
    #[command(flatten)]
    pub common: Common,
}

#[derive(clap::Args, Debug)]
#[command(
    after_help = "Examples:\n  tensfer withdraw binance 25 USDT --chain eip155:1 --address 0x52908400098527886E0F7030069857D2E4169EE7\n  tensfer withdraw kraken 0.01 BTC --saved ledger --fee-included\n  tensfer withdraw paypal 12.50 EUR --address someone@example.com"
)]
pub struct Withdraw {
    /// The connection's id or name.
    pub id: String,
    /// How much, such as `0.25`.
    #[arg(value_parser = amount)]
    amount: Decimal,
    /// Of what, by the code people know it by, such as `USDT`.
    #[arg(value_parser = code)]
    asset: String,
    /// The address that it goes to; at a payment provider an e-mail address, a phone number (`+…`) or an account's id.
    #[arg(long, value_name = "ADDRESS", required_unless_present = "saved")]
    address: Option<String>,
    /// The chain that it takes, by its CAIP-2 id, such as `eip155:1`; addresses of chains are not taken without.
    #[arg(long, value_name = "CAIP-2")]
    chain: Option<String>,
    /// Memo, destination tag or payment id, where the receiver has one.
    #[arg(long, value_name = "TAG", requires = "address")]
    tag: Option<String>,
    /// A destination that you saved there, by its name: `tensfer destinations` shows those that the provider tells.
    #[arg(long, value_name = "NAME")]
    saved: Option<String>,
    /// The account that it comes from; the exchange's usual one if you name none.
    #[arg(long, value_name = "ACCOUNT")]
    from: Option<String>,
    /// Take the fee out of the amount. Otherwise the amount arrives, and the fee comes on top.
    #[arg(long, conflicts_with = "fee_either")]
    fee_included: bool,
    /// Send the amount as it is, wherever the exchange takes its fee from. Some do not say: there nothing is sent without this,
    /// and the preview shows the most that leaves and the least that arrives.
    #[arg(long)]
    fee_either: bool,
    /// Nothing is sent for a higher fee; the fee of the preview if you name none.
    #[arg(long, value_name = "AMOUNT", value_parser = amount_or_zero)]
    max_fee: Option<Decimal>,
    /// Take the place of a payment from this wallet that still waits: of the two, one happens. It pays a higher fee.
    #[arg(long, value_name = "REFERENCE", value_parser = reference)]
    pub replaces: Option<Reference>,
    #[command(flatten)]
    travel: TravelArgs,
    #[command(flatten)]
    pub common: Common,
}

/// What some places want to be told with a withdrawal.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Travel rule")]
struct TravelArgs {
    /// Who keeps the address: you, somebody else, or an exchange or custodian.
    #[arg(long, value_enum)]
    destination: Option<Keeper>,
    /// The exchange or custodian that keeps it.
    #[arg(long, value_name = "NAME", requires = "destination")]
    institution: Option<String>,
    /// Who receives it, as on their papers.
    #[arg(long, value_name = "NAME", requires = "destination")]
    beneficiary: Option<String>,
    /// The receiver is a company.
    #[arg(long, requires = "destination")]
    company: bool,
    /// The receiver's country, in two letters.
    #[arg(long, value_name = "CC", requires = "destination")]
    country: Option<String>,
    #[arg(long, value_name = "TEXT", requires = "destination")]
    purpose: Option<String>,
    /// An answer to a question of the exchange's own, by its own name; may stand several times.
    #[arg(long = "answer", value_name = "NAME=TEXT", value_parser = answer, requires = "destination")]
    answers: Vec<Field>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Keeper {
    Own,
    Other,
    Hosted,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tensfer convert okx 100 USDC --into USDT")]
pub struct Convert {
    /// The connection's id or name.
    pub id: String,
    /// How much, such as `0.25`.
    #[arg(value_parser = amount)]
    amount: Decimal,
    /// Of what, by the code people know it by, such as `USDT`.
    #[arg(value_parser = code)]
    asset: String,
    /// What it is converted to.
    #[arg(long, value_name = "CODE", value_parser = code)]
    into: String,
    /// Nothing is converted for less; what the preview shows less 0.5 % if you name nothing.
    #[arg(long, value_name = "AMOUNT", value_parser = amount)]
    min_received: Option<Decimal>,
    #[command(flatten)]
    pub common: Common,
}

#[derive(clap::Args, Debug)]
#[command(
    after_help = "Examples:\n  tensfer order kraken buy BTC EUR --cost 100\n  tensfer order kraken sell BTC EUR --amount 0.002"
)]
pub struct Order {
    /// The connection's id or name.
    pub id: String,
    /// Whether you buy or sell.
    #[arg(value_enum)]
    side: Direction,
    /// What is bought or sold.
    #[arg(value_parser = code)]
    asset: String,
    /// What it is paid in.
    #[arg(value_parser = code)]
    against: String,
    /// How much is bought or sold.
    #[arg(long, value_name = "AMOUNT", value_parser = amount, required_unless_present = "cost")]
    amount: Option<Decimal>,
    /// How much is paid or received instead.
    #[arg(long, value_name = "AMOUNT", value_parser = amount, conflicts_with = "amount")]
    cost: Option<Decimal>,
    /// Nothing is ordered if less would come of it at the price of the moment; what the preview shows less 0.5 % if you
    /// name nothing. A market order takes whatever price there is.
    #[arg(long, value_name = "AMOUNT", value_parser = amount)]
    min_received: Option<Decimal>,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Direction {
    Buy,
    Sell,
}

impl Transfer {
    pub fn instruction(&self) -> Result<Instruction> {
        let mut instruction = new(Kind::Transfer, &self.asset, self.amount)?;
        instruction.to = Some(self.to.clone());
        instruction.from.clone_from(&self.from);
        checked(instruction)
    }
}

impl Withdraw {
    pub fn instruction(&self) -> Result<Instruction> {
        let mut instruction = new(Kind::Withdraw, &self.asset, self.amount)?;
        instruction.address.clone_from(&self.address);
        instruction.chain.clone_from(&self.chain);
        instruction.tag.clone_from(&self.tag);
        instruction.saved.clone_from(&self.saved);
        instruction.from.clone_from(&self.from);
        instruction.fee_included = self.fee_included;
        instruction.fee_either = self.fee_either;
        instruction.max_fee = self.max_fee.map(|fee| fee.to_string());
        instruction.travel = self.travel.read();
        checked(instruction)
    }
}

impl TravelArgs {
    fn read(&self) -> Option<Travel> {
        let destination = match self.destination? {
            Keeper::Own => Destination::Own,
            Keeper::Other => Destination::Other,
            Keeper::Hosted => Destination::Hosted,
        };
        Some(Travel {
            destination,
            institution: self.institution.clone(),
            beneficiary: self.beneficiary.clone(),
            company: self.company,
            country: self.country.clone(),
            purpose: self.purpose.clone(),
            answers: self.answers.clone(),
        })
    }
}

/// `NAME=TEXT`: whether the exchange has such a question, the enclave says.
fn answer(text: &str) -> std::result::Result<Field, String> {
    match text.split_once('=') {
        Some((name, text)) if !name.is_empty() && !text.is_empty() => {
            Ok(Field { name: name.to_owned(), text: text.to_owned() })
        }
        _ => Err("expected NAME=TEXT".to_owned()),
    }
}

impl Convert {
    pub fn instruction(&self) -> Result<Instruction> {
        let mut instruction = new(Kind::Convert, &self.asset, self.amount)?;
        instruction.to_asset = Some(self.into.clone());
        instruction.min_received = self.min_received.map(|least| least.to_string());
        checked(instruction)
    }
}

impl Order {
    pub fn instruction(&self) -> Result<Instruction> {
        let amount = self.amount.or(self.cost).ok_or_else(|| Failure::usage("an order has an amount"))?;
        let mut instruction = new(Kind::Order, &self.asset, amount)?;
        instruction.to_asset = Some(self.against.clone());
        instruction.side = Some(if self.side == Direction::Buy { Side::Buy } else { Side::Sell });
        instruction.counts_quote = self.amount.is_none();
        instruction.min_received = self.min_received.map(|least| least.to_string());
        checked(instruction)
    }
}

fn new(kind: Kind, asset: &str, amount: Decimal) -> Result<Instruction> {
    Ok(Instruction::new(kind, Reference(random()?), asset, amount))
}

pub fn checked(instruction: Instruction) -> Result<Instruction> {
    match instruction.checked() {
        Some(_) => Ok(instruction),
        None => Err(Failure::usage(
            "this is no instruction: a part of it is missing, too long or not visible",
        )
        .hint("assets are codes, chains CAIP-2 ids; a transfer goes to another account than it comes from")),
    }
}

fn reference(text: &str) -> std::result::Result<Reference, String> {
    Reference::parse(text).ok_or_else(|| "a reference is 32 hexadecimal digits, as it was shown".to_owned())
}

pub fn amount(text: &str) -> std::result::Result<Decimal, String> {
    amount_or_zero(text)
        .and_then(|amount| if amount.is_zero() { Err("nothing is no amount".to_owned()) } else { Ok(amount) })
}

pub fn amount_or_zero(text: &str) -> std::result::Result<Decimal, String> {
    let amount = text.parse::<Decimal>().ok().filter(|amount| !amount.is_negative());
    amount.ok_or_else(|| "an amount is a decimal number such as 0.25".to_owned())
}

pub fn code(text: &str) -> std::result::Result<String, String> {
    let plausible = (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    match plausible {
        // CAIP-19 ids keep their letters.
        true if text.contains(':') => Ok(text.to_owned()),
        true => Ok(text.to_ascii_uppercase()),
        false => Err("an asset is a code such as BTC, or a CAIP-19 id".to_owned()),
    }
}
