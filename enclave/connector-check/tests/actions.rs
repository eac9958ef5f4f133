//! What moves money is described in full: each way or the reason why not, and each call with all that it says.

use enclave::connector::{Connector, Deed, Listing, all};
use wire::action::Kind;

/// Providers of payments: they are no exchanges.
const PAYMENTS: [&str; 2] = ["paypal", "stripe"];

/// What an instruction gives to the calls made for it (docs/spec/connector.md, "Actions").
const GIVEN: &str = "kind asset code amount from to address tag saved chain network to_asset to_code fee_included base \
    quote side counts from_account to_account quote_id fee destination institution beneficiary company \
    beneficiary_country purpose destination_exchange destination_private destination_self_hosted destination_own \
    beneficiary_first beneficiary_last reference reference_uuid reference_short reference_digits";

/// What rows of terms give to the calls behind them.
const HANDED_ON: &str = "market base quote side account_id method saved quote_id network";

/// What an address without a chain gives to an action that pays people.
const RECIPIENT: [&str; 2] = ["recipient", "recipient_type"];

/// A parameter without a value is left out of its call: one that nothing can give would be so always, and nobody would see.
#[test]
fn every_argument_of_a_call_that_moves_money_can_have_a_value() {
    for connector in all() {
        for kind in Kind::ALL {
            let mut given: Vec<&str> = GIVEN.split_whitespace().collect();
            let lookups = connector.lookups.iter().filter(|lookup| lookup.kind == kind);
            let found = [given.as_slice(), &["id", "since", "until"]].concat();
            lookups.for_each(|lookup| check(connector, kind, &lookup.listing, &found));
            for terms in connector.terms.iter().filter(|terms| terms.kind == kind) {
                check(connector, kind, &terms.listing, &given);
                given.extend(HANDED_ON.split_whitespace().filter(|name| terms.listing.field(name).is_some()));
                given.extend(terms.listing.field("unit").map(|_| "units"));
            }
            let quotes = |deed: Deed| deed == Deed::Quote && kind == Kind::Convert;
            let of_kind = |deed: Deed| deed == Deed::Do(kind) || quotes(deed);
            let actions = connector.actions.iter().filter(|action| of_kind(action.operation));
            for action in actions {
                let paid: &[&str] = if action.recipients.is_empty() { &[] } else { &RECIPIENT };
                check(connector, kind, &action.listing, &[given.as_slice(), paid].concat());
            }
        }
    }
}

/// An instruction to an address names its chain; where the call cannot say it and no row of terms does, it is always refused.
#[test]
fn m32_a_withdrawal_names_its_chain_or_is_told_it() {
    // Payment providers know no chain: they take an address by its form alone, and no other.
    for connector in all().iter().filter(|connector| !PAYMENTS.contains(&connector.id.as_str())) {
        let mut of_terms = connector.terms.iter().filter(|terms| terms.kind == Kind::Withdraw);
        let confirmed = of_terms.any(|terms| terms.listing.field("network").is_some());
        for action in connector.actions.iter().filter(|action| action.operation == Deed::Do(Kind::Withdraw)) {
            let said = |name: &str| ["network", "chain"].contains(&name);
            let told = action.listing.arguments().iter().any(|name| said(name))
                || action.when.iter().any(|(name, _)| said(name));
            // What an owner saved there has its chain there.
            let saved_alone = action.when.iter().any(|(name, is)| name == "address" && is == &["absent"]);
            if saved_alone {
                continue;
            }
            assert!(told || confirmed, "{}: no call knows the chain", connector.id);
            assert!(!connector.networks.is_empty(), "{}: no chain has a name", connector.id);
        }
    }
}

fn check(connector: &Connector, kind: Kind, listing: &Listing, given: &[&str]) {
    let of_each = |name: &str| listing.each.as_ref().is_some_and(|each| each.field(name).is_some());
    for name in listing.arguments() {
        // The provider's own questions have names of their own.
        let known = given.contains(&name.as_str()) || of_each(&name) || name.starts_with("answer_");
        assert!(known, "{}: {} by {:?} has no {name}", connector.id, kind.name(), listing.call);
    }
}
