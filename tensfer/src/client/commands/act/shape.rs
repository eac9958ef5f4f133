//! What moves money, as programs read it. Amounts are decimal strings.

use serde::Serialize;
use utoipa::ToSchema;
use wire::action::{Instruction, Outcome, Terms};

/// What was signed, what the provider said to it before, and what came of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ordered {
    instruction: ShownInstruction,
    /// `null` where it was ordered before, and is only told again.
    terms: Option<ShownTerms>,
    outcome: ShownOutcome,
}

/// What would be signed, and what the provider says to it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Previewed {
    instruction: ShownInstruction,
    terms: ShownTerms,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SignedInstruction)]
struct ShownInstruction {
    kind: &'static str,
    /// 32 hexadecimal digits.
    reference: String,
    asset: String,
    amount: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    /// CAIP-2.
    #[serde(skip_serializing_if = "Option::is_none")]
    chain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    saved: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_asset: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_fee: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_received: Option<String>,
    fee_included: bool,
    fee_either: bool,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Terms)]
struct ShownTerms {
    fee: Option<String>,
    fee_asset: Option<String>,
    minimum: Option<String>,
    maximum: Option<String>,
    step: Option<String>,
    /// What leaves the account.
    debited: Option<String>,
    received: Option<String>,
    received_asset: Option<String>,
    price: Option<String>,
    network: Option<String>,
    market: Option<String>,
    /// The provider refuses a second use of the reference.
    repeat_refused: bool,
    /// What the provider does not say.
    unstated: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Outcome)]
pub struct ShownOutcome {
    reference: String,
    /// `pending`, `done`, `failed`, `unknown` (it may have been carried out) or `absent` (nothing was moved).
    status: &'static str,
    /// The provider's.
    id: Option<String>,
    txid: Option<String>,
    amount: Option<String>,
    fee: Option<String>,
    fee_asset: Option<String>,
    received: Option<String>,
    received_asset: Option<String>,
    fault: Option<String>,
}

impl Ordered {
    pub fn of(instruction: &Instruction, terms: Option<&Terms>, outcome: &Outcome) -> Ordered {
        Ordered {
            instruction: ShownInstruction::of(instruction),
            terms: terms.map(ShownTerms::of),
            outcome: ShownOutcome::of(outcome),
        }
    }
}

impl Previewed {
    pub fn of(instruction: &Instruction, terms: &Terms) -> Previewed {
        Previewed { instruction: ShownInstruction::of(instruction), terms: ShownTerms::of(terms) }
    }
}

impl ShownInstruction {
    fn of(instruction: &Instruction) -> ShownInstruction {
        let instruction = instruction.clone();
        ShownInstruction {
            kind: instruction.kind.name(),
            reference: instruction.reference.hex(),
            asset: instruction.asset,
            amount: instruction.amount,
            from: instruction.from,
            to: instruction.to,
            chain: instruction.chain,
            address: instruction.address,
            tag: instruction.tag,
            saved: instruction.saved,
            to_asset: instruction.to_asset,
            max_fee: instruction.max_fee,
            min_received: instruction.min_received,
            fee_included: instruction.fee_included,
            fee_either: instruction.fee_either,
        }
    }
}

impl ShownTerms {
    fn of(terms: &Terms) -> ShownTerms {
        let terms = terms.clone();
        ShownTerms {
            fee: terms.fee,
            fee_asset: terms.fee_asset,
            minimum: terms.minimum,
            maximum: terms.maximum,
            step: terms.step,
            debited: terms.debited,
            received: terms.received,
            received_asset: terms.received_asset,
            price: terms.price,
            network: terms.network,
            market: terms.market,
            repeat_refused: terms.repeat_refused,
            unstated: terms.unstated,
        }
    }
}

impl ShownOutcome {
    pub fn of(outcome: &Outcome) -> ShownOutcome {
        let outcome = outcome.clone();
        ShownOutcome {
            reference: outcome.reference.hex(),
            status: outcome.status.name(),
            id: outcome.id,
            txid: outcome.txid,
            amount: outcome.amount,
            fee: outcome.fee,
            fee_asset: outcome.fee_asset,
            received: outcome.received,
            received_asset: outcome.received_asset,
            fault: outcome.fault,
        }
    }
}
